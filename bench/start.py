"""How long `import hfreg` takes in a fresh interpreter, and a fresh workbench until its first page is served.

Imports take turns with `python -c pass`, which is taken off; modules that may not be there are looked for. The
workbench is `streamlit run app.py` with an empty home, so its first page registers the starter models too; the clock
runs from the start of the process to its health, to `/`, and to the end of the first run of the page's script, which
a websocket asks for as a browser would. Beside it, taking turns, a Streamlit page with one line.

    python -m bench.start
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Figure, write
from bench.timing import in_turns, milliseconds

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "sentence_transformers", "streamlit", "pandas", "sqlalchemy", "huggingface_hub")
LIMIT_S = 60
BARE = 'import streamlit as st\n\nst.title("hello")\n'


def environment(folder: Path) -> dict[str, str]:
    """Return an environment without the user's settings, tokens and caches."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("HFREG_", "HF_", "HUGGING", "STREAMLIT_"))}
    own = {"HOME": str(folder), "HFREG_HOME": str(folder / "home"), "HF_HOME": str(folder / "hf")}
    return {**kept, **own, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def imports(folder: Path, rounds: int = 15) -> tuple[list[Figure], dict[str, Any]]:
    """Import in fresh interpreters, and look at what came with it."""
    env = environment(folder)

    def python(program: str) -> str:
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, check=True)
        return done.stdout.decode()

    came = python(f"import sys, hfreg\nprint(*[name for name in {HEAVY} if name in sys.modules])").split()
    with_it, bare = in_turns(rounds, lambda: python("import hfreg"), lambda: python("pass"), warm_up=1)
    seconds = (milliseconds(with_it) - milliseconds(bare)) / 1e3
    peer = f"{milliseconds(bare) / 1e3:.3f} s for `python -c pass`, taken off"
    return [
        Figure("import hfreg in a fresh interpreter, p50", round(seconds, 3), "s", "≤ 0.3", peer),
        Figure("torch and transformers loaded by `import hfreg`", len({*HEAVY[:2]} & {*came}), "", "≤ 0"),
    ], {"imports": rounds, "came_with_it": came}


@contextlib.contextmanager
def served(script: Path, folder: Path) -> Iterator[tuple[int, int, float]]:
    """Start a Streamlit server; give its port, its process id and when it was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    began = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=subprocess.STDOUT)
    try:
        yield port, server.pid, began
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def answered(address: str) -> None:
    """Wait until a GET of the address is answered with 200."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"{address} did not answer.")


def first_run(port: int) -> int:
    """Ask for a run of the start page as a browser does and wait for its end; return how many elements came."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    address, origin = f"ws://127.0.0.1:{port}/_stcore/stream", f"http://127.0.0.1:{port}"
    elements = 0
    with connect(address, origin=origin, subprotocols=["streamlit"], max_size=None) as channel:  # type: ignore[arg-type,list-item]
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        channel.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(channel.recv(timeout=LIMIT_S))  # type: ignore[arg-type]
            kind = message.WhichOneof("type")
            if kind == "delta":
                elements += message.delta.WhichOneof("type") == "new_element"
                if message.delta.new_element.WhichOneof("type") == "exception":
                    raise RuntimeError(message.delta.new_element.exception.message)
            elif kind == "script_finished" and elements:
                return elements


def torch_in(pid: int) -> bool | None:
    """Say whether a process has torch's library in memory; None where the system does not tell."""
    maps = Path(f"/proc/{pid}/maps")
    return "libtorch" in maps.read_text(encoding="utf-8") if maps.exists() else None


def cpu_s(pid: int) -> float | None:
    """Return the processor seconds that a process has used so far; None where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_once(script: Path) -> dict[str, Any]:
    """Start a server in a home of its own and return the seconds to each step, and those of the processor."""
    with (
        tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder,
        served(script, Path(folder)) as (port, pid, began),
    ):
        found: dict[str, Any] = {}
        answered(f"http://127.0.0.1:{port}/_stcore/health")
        found |= {"health_s": time.perf_counter() - began, "health_cpu_s": cpu_s(pid), "torch_before": torch_in(pid)}
        answered(f"http://127.0.0.1:{port}/")
        found["served_s"] = time.perf_counter() - began
        found["elements"] = first_run(port)
        found |= {"first_run_s": time.perf_counter() - began, "first_run_cpu_s": cpu_s(pid)}
        found = {name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}
        return found | {"torch_after": torch_in(pid)}


def starts(folder: Path, rounds: int = 5, warm_up: int = 1) -> tuple[list[Figure], dict[str, Any]]:
    """Start the workbench and a bare page in turns."""
    bare = folder / "bare.py"
    bare.write_text(BARE, encoding="utf-8")
    # The first start compiles what Python has not compiled yet.
    taken = [(start_once(ROOT / "app.py"), start_once(bare)) for _ in range(warm_up + rounds)][warm_up:]
    ours, theirs = [one for one, _ in taken], [other for _, other in taken]

    def middle(of: list[dict[str, Any]], step: str) -> float:
        return round(median(one[step] for one in of), 2)

    with_torch = sum(bool(one["torch_before"] or one["torch_after"]) for one in ours)
    return [
        Figure(
            f"workbench started with an empty home to {words}, p50",
            middle(ours, step),
            "s",
            "≤ 2.5",
            f"{middle(theirs, step)} s for a Streamlit page of one line",
        )
        for words, step in (("its page served", "served_s"), ("its first page drawn by the server", "first_run_s"))
    ] + [Figure("starts after which the Streamlit process held torch, first page drawn", with_torch, "", "≤ 0")], {
        "starts": rounds,
        "workbench": ours,
        "bare": theirs,
    }


def main() -> bool:
    """Measure, print and write; return whether the targets were met."""
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        imported, about = imports(Path(folder))
        started, more = starts(Path(folder))
    return write("start", [*imported, *started], threads="one process at a time", details={**about, **more})


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
