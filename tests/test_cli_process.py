"""The command line as a process of its own: streams, signals, terminals, and what it imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub

import hfreg

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 60


# A program started in the background of a shell inherits that Ctrl+C is ignored; in these tests it never is.
HEEDING = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('hfreg')"


def start(*words: str, **options: object) -> subprocess.Popen[bytes]:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-m", "hfreg", *words], cwd=ROOT, **streams)  # type: ignore[call-overload]


def hfreg_said(*words: str, given: bytes = b"", **options: object) -> tuple[int, bytes, bytes]:
    with start(*words, **options) as process:
        out, err = process.communicate(given, timeout=LIMIT_S)
    return process.returncode, out or b"", err


def register(logic: str, **fields: object) -> None:
    arguments = [hfreg.Argument("text", optional=True)]
    with hfreg.open() as registry:
        registry.register(hfreg.Definition(alias="shout", scoring_logic=logic, arguments=arguments, **fields))


def test_an_answer_goes_through_pipes_byte_for_byte() -> None:
    register("print('said')\nreturn text.upper()", output_type="String")
    assert hfreg_said("run", "shout", "text=@-", given="grün — ok\n".encode()) == (0, "GRÜN — OK\n".encode(), b"said\n")
    code, exported, _ = hfreg_said("export", "shout")
    assert code == 0
    assert hfreg_said("check", "-", given=exported.replace(b'"shout"', b'"other"'))[0] == 0
    code, out, _ = hfreg_said("import", "-", given=exported.replace(b'"shout"', b'"other"'))
    assert (code, out) == (0, b"other version 1, Draft\n")


def test_exit_codes_reach_the_shell() -> None:
    code, out, err = hfreg_said("show", "nobody")
    assert (code, out) == (1, b"")
    assert err.startswith(b"hfreg: No model `nobody`")
    code, out, err = hfreg_said("shw")
    assert (code, out) == (2, b"")
    assert err.startswith(b"usage: hfreg")
    assert hfreg_said("--version") == (0, f"hfreg {hfreg.__version__}\n".encode(), b"")


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("words", [1, 3000], ids=["a line", "more than a buffer"])
def test_a_reader_that_left_is_no_accident(words: int, unbuffered: str) -> None:
    register("return text", description="word " * words)
    for command, code in ((["show", "shout"], 1), (["--version"], 0)):
        process = start(*command, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
        process.stdout.close()  # as `| head` does
        assert process.stderr.read() == b""
        process.stdin.close()
        process.stderr.close()
        assert process.wait(LIMIT_S) == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a full disk that every Linux has")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_full_disk_under_stdout_is_a_failure(unbuffered: str) -> None:
    register("return text")
    with Path("/dev/full").open("wb") as full:
        code, _, err = hfreg_said("show", "shout", stdout=full, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert code == 1
    assert err.strip().splitlines() == [b"hfreg: [Errno 28] No space left on device"]


def test_what_a_terminal_cannot_show_is_escaped() -> None:
    register("return text")
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert hfreg_said("run", "shout", "text=ü", env=plain) == (0, b"\\xfc\n", b"")


def test_ctrl_c_stops_the_call_and_logs_it_as_cancelled(tmp_path: Path) -> None:
    here = tmp_path / "running"
    register(f"import time\nopen({str(here)!r}, 'w').close()\nwhile True: time.sleep(0.01)")
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HEEDING, "run", "shout"], cwd=ROOT, **streams) as process:
        deadline = time.monotonic() + LIMIT_S
        while not here.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, err) == (1, b"", b"hfreg: stopped\n")
    assert [(c.status, c.source) for c in hfreg.open().events.calls()] == [("cancelled", "cli")]


def test_no_command_imports_torch_unless_scoring_logic_does(tmp_path: Path) -> None:
    file, archive = tmp_path / "shout.json", tmp_path / "home.zip"
    lines = [
        "starters", "models", "show sentiment_analyzer", "run shout text=a", f"export shout -o {file}", f"check {file}",
        f"import {file}", f"backup {archive}", f"restore --overwrite {archive}", "cache", "doctor",
    ]  # fmt: skip
    register("return text", output_type="String")
    program = (
        "import sys\nfrom hfreg.cli import main\n"
        f"codes = [main(line.split()) for line in {lines!r}]\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'streamlit', 'pandas'} & set(sys.modules)\n"
        "print(codes, heavy, file=sys.stderr)\nsys.exit(any(codes) or bool(heavy))"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=offline, capture_output=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_the_download_and_a_pipe_does_not(loopback_hub: LoopbackHub) -> None:
    import pty
    import termios

    loopback_hub.add_repo("org/model", plain_repo(size=3_000_000))
    loopback_hub.bytes_per_s = 6_000_000
    register("from huggingface_hub import snapshot_download\nsnapshot_download('org/model')\nreturn 'here'")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = start("run", "shout", stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=LIMIT_S)
    seen = os.read(ours, 100_000)
    os.close(ours)
    assert (process.returncode, out) == (0, b"here\n")
    assert b"org/model:" in seen
    assert b"/3.00M" in seen
    again = hfreg_said("run", "shout")
    assert again == (0, b"here\n", b"")
