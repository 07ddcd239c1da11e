"""What a process of its own costs a model: warm calls, forks, cold calls, memory and idle time, beside inline.

The same definitions run on both engines in one run and take turns: one that returns its 100-byte argument, and a
MiniLM-sized encoder with random weights. A cold call of a starter model stands beside a fresh interpreter that loads
the same model the naive way. Memory is what the kernel says of a second worker on one checkpoint of 100 MB.

    python -m bench.isolated
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hfreg
from bench.report import Figure, write
from bench.timing import in_turns, milliseconds
from bench.warm_call import ENCODER, LONG, build_encoder
from hfreg.engine.isolated.supervisor import Supervisor
from hfreg.settings import Settings

sys.path.append(str(Path(__file__).parents[1] / "tests"))

COMMIT = "c0ffee" * 6 + "cafe"
LOGIC = """
from transformers import pipeline
client = pipeline("text-classification", model={model!r})
return client(text)[0]
"""
STARTER = "hfreg/starter-sentiment"
ARGUMENT = "x" * 100
HUNDRED_MB = {"hidden_size": 384, "num_hidden_layers": 8, "num_attention_heads": 12, "intermediate_size": 1536}
NAIVE = """
import time
from transformers import pipeline
print(pipeline("text-classification", model={folder!r})({text!r})[0])
"""


def add_to_cache(repo: str, tiny: Path, shape: dict[str, int]) -> int:
    """Put a model with random weights into the cache as if it had been fetched; return the bytes of its weights."""
    from hfreg.hub.client import cache_folder

    snapshot = cache_folder(repo) / "snapshots" / COMMIT
    build_encoder(snapshot, tiny, shape)
    refs = cache_folder(repo) / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text(COMMIT)
    return sum(file.stat().st_size for file in snapshot.glob("*.safetensors"))


def model(registry: hfreg.Registry, alias: str, logic: str) -> hfreg.Model:
    """Register scoring logic with one text, call it twice, and return it."""
    registry.register(
        hfreg.Definition(alias=alias, output_type="Any", arguments=[hfreg.Argument("text")], scoring_logic=logic)
    )
    made = registry.model(alias)
    for _ in range(2):
        made(text=LONG)
    return made


def warm(inline: hfreg.Registry, isolated: hfreg.Registry, calls: int, encoder_calls: int) -> list[list[float]]:
    """Return the seconds of warm calls: echo inline and isolated, encoder inline and isolated."""
    echo = [model(registry, "echo", "return text") for registry in (inline, isolated)]
    encoder = [model(registry, "encoder", LOGIC.format(model="bench/encoder")) for registry in (inline, isolated)]
    return [
        *in_turns(calls, lambda: echo[0](text=ARGUMENT), lambda: echo[1](text=ARGUMENT), warm_up=20),
        *in_turns(encoder_calls, lambda: encoder[0](text=LONG), lambda: encoder[1](text=LONG), warm_up=3),
    ]


def repeated(times: int, action: Callable[[], object], between: Callable[[], object]) -> list[float]:
    """Return the seconds of an action, with something in between that is not counted."""
    took = []
    for _ in range(times):
        between()
        began = time.perf_counter()
        action()
        took.append(time.perf_counter() - began)
    return took


def forks(isolated: hfreg.Registry, times: int) -> list[float]:
    """Return the seconds from asking for a worker to its being confined and ready."""
    engine: Any = isolated.engine
    version = isolated.model("echo").version
    made: list[Any] = []

    def end() -> None:
        while made:
            process, view = made.pop()
            process.close()
            view.remove()

    took = repeated(times, lambda: made.append(engine._start_worker(version, {}, 2**31)), end)
    end()
    return took


def second_worker_share(isolated: hfreg.Registry, weights: int) -> float:
    """Return what a second worker on one checkpoint takes for itself, over the bytes of the weights."""
    for alias in ("first", "second"):
        model(isolated, alias, LOGIC.format(model="bench/hundred"))
    engine: Any = isolated.engine
    slot = next(slot for key, slot in engine._slots.items() if key[0] == "second")
    idle = next(slot for key, slot in engine._slots.items() if key[0] == "echo")
    return float(slot._process.usage.private_bytes() - idle._process.usage.private_bytes()) / weights


def idle_share(isolated: hfreg.Registry, seconds: float) -> float:
    """Return the processor time of all workers while nobody calls, in percent of one core."""
    engine: Any = isolated.engine
    workers = [slot._process for slot in engine._slots.values() if slot._process is not None]
    assert len(workers) >= 5, len(workers)
    time.sleep(1.0)
    before = sum(worker.usage.cpu_s() for worker in workers)
    time.sleep(seconds)
    return (sum(worker.usage.cpu_s() for worker in workers) - before) / seconds * 100


def naive_cold(folder: Path) -> float:
    """Return the seconds that a fresh interpreter takes for one answer of the starter model."""
    began = time.perf_counter()
    source = NAIVE.format(folder=str(folder), text=LONG)
    subprocess.run([sys.executable, "-c", source], check=True, capture_output=True)
    return time.perf_counter() - began


def measure(
    tiny: Path,
    folder: Path,
    calls: int = 1500,
    encoder_calls: int = 100,
    cold: int = 9,
    idle_s: float = 5.0,
    shapes: tuple[dict[str, int], dict[str, int]] = (ENCODER, HUNDRED_MB),
) -> tuple[list[Figure], dict[str, Any]]:
    """Measure everything; the checkpoints are put into the cache."""
    add_to_cache("bench/encoder", tiny, shapes[0])
    weights = add_to_cache("bench/hundred", tiny, shapes[1])
    homes = [Settings(home=folder / name, offline=True, engine=name) for name in ("inline", "isolated")]
    with hfreg.Registry(homes[0]) as inline, hfreg.Registry(homes[1]) as isolated:
        supervisor = Supervisor.acquire()
        assert supervisor.settle()
        echo, far_echo, encoder, far_encoder = warm(inline, isolated, calls, encoder_calls)
        started = forks(isolated, 3 * cold)
        starter = model(isolated, "starter", LOGIC.format(model=STARTER))
        first = repeated(cold, lambda: starter(text=LONG), lambda: isolated.unload("starter"))
        share = second_worker_share(isolated, weights)
        idle = idle_share(isolated, idle_s)
        supervisor.release()
    naive = naive_cold(Path(__file__).parents[1] / "data" / "starter" / "starter-sentiment")
    more, slower = milliseconds(far_echo) - milliseconds(echo), milliseconds(far_encoder) / milliseconds(encoder)
    peer = f"{milliseconds(echo):.3f} ms inline"
    large = f"{milliseconds(encoder):.2f} ms inline"
    fresh = f"{naive * 1e3:,.0f} ms in a fresh interpreter, {naive * 1e3 / milliseconds(first):.0f} ×"
    return [
        Figure(
            "a warm isolated call adds to an inline one, 100-byte argument, p50", round(more, 3), "ms", "≤ 0.25", peer
        ),
        Figure("warm isolated call over inline, 22.7 M-parameter encoder, p50", round(slower, 3), "×", "≤ 1.02", large),
        Figure("a worker is forked, confined and ready, p50", round(milliseconds(started), 1), "ms", "≤ 60"),
        Figure("cold call of a starter model, p50", round(milliseconds(first), 0), "ms", "≤ 400", fresh),
        Figure("a second worker on a 100 MB checkpoint takes of it", round(share * 100, 1), "%", "≤ 40"),
        Figure("processor time of the workers while nobody calls", round(idle, 2), "%", "≤ 0.5", "of one core"),
    ], {"calls": calls, "encoder_calls": encoder_calls, "cold_calls": cold, "weights_mb": round(weights / 1e6, 1)}


def main() -> bool:
    """Measure, print and write; return whether the targets were met."""
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as name:
        folder = Path(name)
        os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=str(folder / "hf"))
        from tiny_checkpoints import TinyCheckpoints

        figures, details = measure(TinyCheckpoints(folder / "tiny").classifier, folder)
    return write("isolated", figures, threads="1 torch thread in each engine", details=details)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
