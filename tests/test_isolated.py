"""What a process of its own means for a model: its crash is its own, its memory returns, and it has what it was given.

What both engines do alike is in tests/test_engine.py, what a confined model must not reach in tests/attacks.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hfreg
from hfreg.engine.isolated import clock, namespaces
from hfreg.engine.isolated.log import KEPT, Log
from hfreg.engine.isolated.supervisor import Supervisor
from tests.attacks.world import zygotes

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the isolated engine needs Linux"),
    pytest.mark.usefixtures("zygote"),
]
Make = Callable[..., hfreg.Model]
CANARY = "hf_" + "Canary01" * 4


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Register a model with one argument `x` on the isolated engine and return it."""
    monkeypatch.setenv("HFREG_ENGINE", "isolated")

    def make(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
        fields.setdefault("arguments", [hfreg.Argument("x", "Any", optional=True)])
        hfreg.open().register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))
        return hfreg.open().model(alias)

    return make


def test_scoring_logic_runs_in_another_process_that_stays(make: Make) -> None:
    model = make("import os\nreturn os.getpid()")
    assert model() == model() != os.getpid()


@pytest.mark.parametrize(
    ("logic", "said"),
    [
        ("import os\nos._exit(3)", "exit code 3"),
        ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
        ("import os\nos.abort()", "SIGABRT"),
        ("import os\nos.close(3)\nwhile True: pass", "closed its channel"),
        ("x = []\nwhile True: x.append(bytearray(b'x' * 10**7))", "more memory than it may"),
        ("import os\nwhile True: os.write(3, b'x' * 100_000)", "said what no model may"),
    ],
)
def test_a_model_that_takes_its_process_down_is_an_error_and_the_next_call_gets_a_fresh_one(
    make: Make, logic: str, said: str
) -> None:
    model = make(f"if x == 'well': return 1\n{logic}", limits=hfreg.Limits(time_s=20, memory_mb=300))
    outcome = model.run("ill")
    assert isinstance(outcome.error, hfreg.ScoringError)
    assert said in str(outcome.error)
    assert model.run("well").value == 1


def test_a_loop_in_c_that_never_gives_way_ends_with_its_time(make: Make) -> None:
    model = make("import re\nreturn bool(re.match('(a+)+$', 'a' * 60 + 'b'))", limits=hfreg.Limits(time_s=0.5))
    started = time.monotonic()
    outcome = model.run()
    assert isinstance(outcome.error, hfreg.ScoringTimeout)
    assert "cannot be interrupted" not in str(outcome.error)
    assert time.monotonic() - started < 5


def test_unloading_ends_the_process(make: Make) -> None:
    model = make("import os\nreturn os.getpid()")
    before = model()
    (loaded,) = hfreg.open().loaded()
    pid = loaded.pid
    hfreg.open().unload("probe")
    until = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
    assert model() != before


def test_closing_a_registry_twice_leaves_the_zygote_to_others(make: Make) -> None:
    assert make("return x")(1) == 1
    shared = Supervisor._shared
    hfreg.open().close()
    for registry in hfreg._registries.values():
        registry.close()
    assert Supervisor._shared is shared
    assert shared is not None
    assert shared.ready


def test_a_zygote_that_was_killed_is_started_again(make: Make) -> None:
    model = make("return x")
    assert model(1) == 1
    process = Supervisor._shared._process  # type: ignore[union-attr]
    assert process is not None
    (killed,) = zygotes()
    os.kill(killed, signal.SIGKILL)
    process.wait(5)  # the wall around it ends with it
    outcome = model.run(2)  # its worker ended with it
    assert outcome.value == 2 or "no more" in str(outcome.error)
    assert model(3) == 3
    assert zygotes() != [killed]
    for end in range(2, 6):  # behind a wall a fresh zygote counts its workers anew; how each ended is its own
        assert f"exit code {end}" in str(make(f"import os\nos._exit({end})", alias=f"ends_{end}").run().error)


def test_the_token_is_there_only_for_a_definition_that_asks_for_it(make: Make) -> None:
    logic = "import os\nreturn [os.getenv(name) for name in ('HUGGINGFACE_TOKEN', 'HF_TOKEN')]"
    without, asking = make(logic), make(logic, alias="asking", token=True)
    hfreg.open().save_token(CANARY)
    assert without() == [None, None]
    outcome = asking.run()
    assert outcome.ok
    assert CANARY not in repr(outcome.value), "the token itself does not come back"
    assert None not in outcome.value


def test_nothing_of_the_environment_reaches_a_model(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    seen = make("import os\nreturn dict(os.environ)")()
    assert "DATABASE_PASSWORD" not in seen
    assert "HFREG_HOME" not in seen


def test_a_connection_without_the_network_says_which_switch_there_is(make: Make) -> None:
    model = make("import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1:9').read()")
    assert "network, which its definition does not ask for" in str(model.run().error)


def test_a_folder_of_this_machine_is_not_given_to_a_model(make: Make, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "config.json").write_text("{}")
    model = make("from transformers import AutoConfig\nreturn AutoConfig.from_pretrained(x).to_dict()")
    assert "is a folder of this machine" in str(model.run(str(tmp_path / "secret")).error)


def test_each_worker_draws_random_numbers_of_its_own(make: Make) -> None:
    logic = "import random, numpy\nreturn [random.random(), float(numpy.random.rand())]"
    one, other = make(logic)(), make(logic, alias="other")()
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_a_program_that_runs_models_in_processes_imports_neither_torch_nor_transformers(home: Path) -> None:
    program = (
        "import sys, hfreg\n"
        "from hfreg import starters\n"
        "with hfreg.open() as registry:\n"
        "    starters.register(registry)\n"
        "    assert registry.model('sentiment_analyzer')('I love it')['sentiment']\n"
        "    assert registry.engine.tier != 'inline'\n"
        "print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "HFREG_HOME": str(home), "HFREG_ENGINE": "isolated", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_worker_that_only_says_that_it_loads_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "TOLD_S", 0.02)
    watch = clock.Clock()
    watch.begin(60.0)
    watch.loads("asked", True)  # a download, which the platform makes itself
    time.sleep(0.03)
    assert watch.left() > 59
    watch.loads("asked", False)
    watch.loads("told", True)
    time.sleep(0.03)
    assert watch.left() == 0.0


def test_the_last_words_of_a_worker_begin_with_a_whole_word() -> None:
    reading, writing = os.pipe()
    log = Log(reading)
    try:
        os.write(writing, b"x" * 100 + b"hf_" + b"s" * (KEPT - 10) + b" ended\n")
        while len(select.select([reading], [], [], 0)[0]):
            log.read()
    finally:
        os.close(reading)
        os.close(writing)
    assert log.last_words.strip() == "ended"


def test_a_program_with_many_open_files_runs_models_too(make: Make) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    many = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert make("return 1")() == 1
        outcome = make("import os\nos._exit(3)", alias="ends").run()
        assert "exit code 3" in str(outcome.error)
    finally:
        for descriptor in many:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(not namespaces.wall(), reason="bubblewrap is not installed, or may make no namespaces here")
def test_behind_bubblewrap_a_model_finds_no_process_but_those_of_models(make: Make) -> None:
    logic = (
        "import os\n"
        "found = []\n"
        "for pid in range(1, 70_000):\n"
        "    try: os.stat(f'/proc/{pid}')\n"
        "    except OSError: continue\n"
        "    found.append(pid)\n"
        "return found"
    )
    outcome = make(logic).run()
    assert os.getpid() not in outcome.value
    assert len(outcome.value) < 100
    (loaded,) = hfreg.open().loaded()
    assert loaded.layers["bubblewrap"].startswith("on")


@pytest.mark.parametrize("program", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\nsleep 60\n"])
def test_a_bubblewrap_that_is_missing_or_does_not_work_is_left_out(
    program: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "TRIAL_S", 0.2)
    if program:
        (tmp_path / "bwrap").write_text(program)
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert namespaces.wall() == []
