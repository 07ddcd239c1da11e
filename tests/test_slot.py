"""A row runs in its caller's own thread where that is safe and nobody waits; who else comes finds nothing changed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import hfreg
from hfreg.engine import Event

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the isolated engine needs Linux"),
    pytest.mark.usefixtures("zygote"),
]
PID_AFTER = "import os, time\ntime.sleep(x)\nreturn os.getpid()"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> hfreg.Model:
    """A warm model on the isolated engine that sleeps for `x` seconds and returns its process."""
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    arguments = [hfreg.Argument("x", "Numerical", optional=True, default=0)]
    hfreg.open().register(hfreg.Definition(alias="probe", scoring_logic=PID_AFTER, arguments=arguments))
    model = hfreg.open().model("probe")
    model()
    return model


def threads_of(act: Callable[[], Any]) -> set[str]:
    """Return the names of the threads that answers came from while something was done."""
    names: set[str] = set()

    def follow(event: Event) -> None:
        if event.kind == "outcome":
            names.add(threading.current_thread().name)

    registry = hfreg.open()
    registry.progress = follow
    act()
    registry.progress = None
    return names


def test_a_warm_call_runs_in_the_thread_of_its_caller(model: hfreg.Model) -> None:
    assert threads_of(lambda: model()) == {threading.current_thread().name}


def test_a_cold_call_and_several_rows_run_in_the_thread_of_the_model(model: hfreg.Model) -> None:
    assert threads_of(lambda: list(model.map([{}, {}]))) == {"hfreg probe v1"}
    hfreg.open().unload("probe")
    assert threads_of(lambda: model()) == {"hfreg probe v1"}


def test_callers_in_many_threads_are_all_answered_by_one_process(model: hfreg.Model) -> None:
    pids: list[int] = []
    callers = [threading.Thread(target=lambda: pids.extend(model() for _ in range(20))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert len(pids) == 160
    assert len(set(pids)) == 1


def test_ctrl_c_ends_the_row_in_its_callers_thread_and_the_next_call_gets_a_fresh_worker(model: hfreg.Model) -> None:
    first = model()
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model(x=20)
    assert time.monotonic() - began < 5
    assert model() != first
    statuses = [call.status for call in hfreg.open().events.calls()]
    assert statuses.count("cancelled") == 1


def test_a_model_that_callers_ran_in_their_threads_is_frozen_once_nobody_calls(model: hfreg.Model) -> None:
    for _ in range(4):
        model(x=0.2)
    deadline = time.monotonic() + 5
    while not (frozen := hfreg.open().loaded()[0].frozen) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert frozen
    assert model()


def test_unloading_waits_for_the_row_in_its_callers_thread(model: hfreg.Model) -> None:
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(model(x=0.6)))
    caller.start()
    time.sleep(0.2)
    hfreg.open().unload("probe")
    caller.join(10)
    assert len(answers) == 1


def test_closing_ends_the_row_in_its_callers_thread(model: hfreg.Model) -> None:
    statuses: list[str] = []
    caller = threading.Thread(target=lambda: statuses.append(model.run(x=20).status))
    caller.start()
    time.sleep(0.3)
    hfreg.open().close()
    caller.join(5)
    assert statuses == ["cancelled"]
