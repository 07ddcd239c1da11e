"""The sandbox: a process that confined itself cannot do what the same process can when it did not.

Every attempt runs twice, in one process each: unconfined, where it succeeds, and confined, where it fails. Both as a
user without rights and, when the tests run as root, as root.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy
import pytest
import sandbox_attempts as attempts
from safetensors.numpy import save_file
from sandbox_world import ROOT, World, world_of
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from hfreg.engine.isolated import landlock, sandbox

NOBODY = 65534
USERS = [NOBODY, None] if os.getuid() == 0 else [None]
REFUSALS = {"EPERM", "EACCES", "EXDEV", "ENOTSUP"}
CAP_SYS_ADMIN = 1 << 21


def supported() -> str:
    """Say why a process cannot be confined here, or nothing."""
    try:
        landlock.abi()
    except Exception as error:
        return str(error)
    return ""


pytestmark = pytest.mark.skipif(bool(supported()), reason=supported() or "Landlock is there")


@pytest.fixture(scope="module", params=USERS, ids=lambda user: "root" if user is None and os.getuid() == 0 else "user")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with world_of(request.param) as made:
        yield made


def not_refused(results: Mapping[str, str]) -> dict[str, str]:
    return {name: result for name, result in results.items() if result not in REFUSALS}


def failed(results: Mapping[str, str]) -> dict[str, str]:
    return {name: result for name, result in results.items() if result != "done"}


def may_read_python(user: int | None) -> bool:
    """Whether a child of this user can import: a Python in the home of root is for root alone."""
    base = Path(sys.base_prefix).resolve()
    return user is None or all(path.stat().st_mode & 0o5 == 0o5 for path in (base, *base.parents))


def may_administer() -> bool:
    """Whether root is one that may mount, which it may not in most containers."""
    state = Path("/proc/self/status").read_text(encoding="ascii")
    held = next(line for line in state.splitlines() if line.startswith("CapEff:"))
    return os.getuid() == 0 and bool(int(held.split()[1], 16) & CAP_SYS_ADMIN)


OUTSIDE = {**attempts.FILES, **attempts.PROCESSES, **attempts.SOCKETS, **attempts.INTERNET}


def test_every_layer_holds_and_reports_itself(world: World) -> None:
    layers = world.run({})["layers"]
    assert tuple(layers) == sandbox.LAYERS
    assert {name: text for name, text in layers.items() if not text.startswith("on: ")} == {}
    assert sandbox.tier(layers) == "confined"


def test_nothing_outside_can_be_read_changed_signalled_or_reached(world: World) -> None:
    assert not_refused(world.run({**OUTSIDE, **attempts.PRIVILEGED})["results"]) == {}
    secret = Path(world.facts["secret"])
    assert secret.read_text() == "of somebody else"
    assert sorted(path.name for path in secret.parent.iterdir()) == ["cut", "model", "secret", "spare", "wanted"]


def test_scoring_logic_can_do_what_libraries_need(world: World) -> None:
    model = Path(world.facts["model"])
    before = model.stat()
    tried = {**attempts.ALLOWED, **(attempts.IMPORTS if may_read_python(world.user) else {})}
    assert failed(world.run(tried)["results"]) == {}
    after = model.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_with_network_only_web_ports_can_be_reached(world: World) -> None:
    web = "with socket.socket() as s: s.settimeout(5); s.connect(('127.0.0.1', 443))"
    names = "assert socket.getaddrinfo('localhost', 443)"
    tried = {**attempts.SOCKETS, **attempts.INTERNET, "a web port": web, "names": names}
    allowed = {"UDP", "a socket", "a web port", "names", "TCP version 6"}
    results = world.run(tried, network=True)["results"]
    assert not_refused({name: result for name, result in results.items() if name not in allowed}) == {}
    assert results["a web port"] in {"done", "ECONNREFUSED"}  # the kernel asked the port, whoever listens there
    assert [results[name] for name in ("UDP", "a socket", "names")] == ["done"] * 3


def test_limits_hold(world: World) -> None:
    tried = {
        "addresses": "try: bytearray(1 << 30)\nexcept MemoryError: pass\nelse: raise OSError('more memory')",
        "bytes": (
            "with open('large', 'wb') as file:\n"
            "    try: file.truncate(1 << 21)\n"
            "    except OSError as error: assert error.errno == errno.EFBIG\n"
            "    else: raise OSError('a larger file')"
        ),
        "upwards": (
            "try: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 21, 1 << 21))\n"
            "except ValueError: pass\n"
            "else: raise OSError('a higher limit')"
        ),
        "files": "try: [os.dup(0) for _ in range(80)]\nexcept OSError as error: assert error.errno == errno.EMFILE",
    }
    limits = {"address_space": 1 << 30, "open_files": 64, "file_bytes": 1 << 20}
    assert failed(world.run(tried, **limits)["results"]) == {}


def test_a_bomb_of_threads_is_bounded_for_a_user(world: World) -> None:
    if world.user is None and os.getuid() == 0:
        pytest.skip("the kernel bounds threads for users, never for root")
    bomb = (
        "threading.stack_size(1 << 16); stop = threading.Event(); count = 0\n"
        "try:\n"
        "    for count in range(900): threading.Thread(target=stop.wait, daemon=True).start()\n"
        "except RuntimeError: pass\n"
        "finally: stop.set()\n"
        "notes['threads'] = count"
    )
    assert int(world.run({"bomb": bomb})["notes"]["threads"]) < 600
    assert int(world.run({"bomb": bomb}, confined=False)["notes"]["threads"]) == 899


def test_what_cannot_be_confined_says_so_and_raises_nothing(world: World) -> None:
    again = "notes.update(sandbox.confine(sandbox.Confinement(Path(os.getcwd()))))"
    told = world.run({"again": again})
    assert failed(told["results"]) == {}
    layers = told["notes"]
    assert sandbox.tier(layers) == "process only"
    assert {"landlock", "seccomp", "caps", "dumpable"} <= {
        n for n, text in layers.items() if text.startswith("missing: ")
    }


def test_threads_that_ran_before_are_told_of(world: World) -> None:
    layers = world.run({}, before="threading.Thread(target=time.sleep, args=(2,), daemon=True).start()")["layers"]
    assert layers["seccomp"] == layers["landlock"] == "missing: 1 threads ran before it and are not confined"
    assert sandbox.tier(layers) == "process only"


def test_torch_and_tokenizers_work_inside(world: World) -> None:
    if not may_read_python(world.user):
        pytest.skip("the Python of this environment is in a folder that only root may enter; as root this test runs")
    models = world.folder / "models"
    save_file({"weight": numpy.eye(256, dtype=numpy.float32)}, models / "model.safetensors")
    Tokenizer(WordLevel({"a": 0, "?": 1}, unk_token="?")).save(str(models / "tokenizer.json"))
    for path in models.iterdir():
        path.chmod(0o644)
    tried = {
        "load": "weights = safetensors.torch.load_file(model.parent / 'model.safetensors')['weight']",
        "run": (
            "torch.set_num_threads(2); given = torch.rand(512, 256)\n"
            "assert torch.equal(torch.nn.functional.linear(given, weights), given)\n"
            "assert (given @ torch.rand(256, 2048)).shape == (512, 2048)"
        ),
        "encode": (
            "coder = tokenizers.Tokenizer.from_file(str(model.parent / 'tokenizer.json'))\n"
            "assert coder.encode_batch(['a'] * 1000)[7].ids == [0]"
        ),
        "save": "safetensors.torch.save_file({'x': torch.ones(3)}, 'x.safetensors'); torch.save(given, 'x.pt')",
    }
    told = world.run(tried, before="import torch, safetensors.torch, tokenizers")
    assert failed(told["results"]) == {}
    assert sandbox.tier(told["layers"]) == "confined"


def test_a_confined_process_ends_with_its_parent(tmp_path: Path) -> None:
    forking = (
        "import os, sys, time; from pathlib import Path; from hfreg.engine.isolated import sandbox\n"
        "reading, writing = os.pipe()\n"
        "if not (child := os.fork()):\n"
        "    os.close(1), os.close(2)  # or whoever waits for the end of the output waits for this process\n"
        "    sandbox.confine(sandbox.Confinement(Path(sys.argv[1]))); os.write(writing, b'x'); time.sleep(60)\n"
        "os.read(reading, 1); sys.stdout.write(str(child))"
    )
    done = subprocess.run([sys.executable, "-c", forking, str(tmp_path)], capture_output=True, check=True, cwd=ROOT)
    state = Path("/proc", done.stdout.decode(), "stat")
    until = time.monotonic() + 5
    while (alive := state.exists() and ") Z " not in state.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive


def test_a_probe_tells_what_the_machine_offers_and_confines_nobody() -> None:
    found: list[dict[str, str]] = []
    asking = threading.Thread(target=lambda: found.append(sandbox.probe()))
    asking.start()
    asking.join()
    assert sandbox.tier(found[0]) == "confined", found
    with socket.socket():
        assert list(Path("/").iterdir())


# Last of all: the controls change what lies outside.
def test_unconfined_every_attempt_succeeds(world: World) -> None:
    assert failed(world.run(OUTSIDE, confined=False)["results"]) == {}
    if world.user is None and may_administer():
        assert failed(world.run(attempts.PRIVILEGED, confined=False)["results"]) == {}
