"""A row runs in its caller's own thread where that is safe and nobody waits; who else comes finds nothing changed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import hfreg
from hfreg.engine import Event

isolated = pytest.mark.parametrize("engine", ["isolated"], indirect=True)
inline = pytest.mark.parametrize("engine", ["inline"], indirect=True)
PID_AFTER = "import os, time\nfor _ in range(20): time.sleep(x / 20)\nreturn os.getpid()"


def register(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
    """Register a model that takes an optional number `x`."""
    arguments = [hfreg.Argument("x", "Numerical", optional=True, default=0)]
    hfreg.open().register(hfreg.Definition(alias=alias, scoring_logic=logic, arguments=arguments, **fields))
    return hfreg.open().model(alias)


def warm(model: hfreg.Model) -> hfreg.Model:
    """Call it until it has answered warm."""
    for _ in range(2):
        model()
    return model


@pytest.fixture
def model(engine: str) -> hfreg.Model:
    """A warm model that sleeps for `x` seconds and returns its process."""
    return warm(register(PID_AFTER))


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
    assert threads_of(lambda: list(model.map([{}, {}]))) <= {"hfreg probe v1", "hfreg probe row"}
    hfreg.open().unload("probe")
    assert threads_of(lambda: model()) == {"hfreg probe v1"}


@inline
def test_a_model_that_takes_long_keeps_its_own_thread_so_that_its_caller_can_be_answered(model: hfreg.Model) -> None:
    model(x=0.2)
    assert threads_of(lambda: model()) == {"hfreg probe v1"}
    assert threads_of(lambda: model()) == {threading.current_thread().name}


@inline
@pytest.mark.parametrize("state", ["no_grad", "autocast", "device", "event_loop"])
def test_a_callers_thread_with_a_state_of_its_own_has_no_say_in_the_answer(engine: str, state: str) -> None:
    import torch

    logic = "import asyncio, torch\nfrom transformers import pipeline\ny = torch.ones(2, 2, requires_grad=True)\n"
    logic += "async def answer(): return [str((y @ y).dtype), (y @ y).requires_grad, torch.zeros(1).device.type]\n"
    model = warm(register(logic + "return asyncio.run(answer())"))

    async def called() -> Any:
        return model()

    contexts = {"no_grad": torch.no_grad(), "autocast": torch.autocast("cpu"), "device": torch.device("meta")}
    if state == "event_loop":
        found = asyncio.run(called())
    else:
        with contexts[state]:
            found = model()
    assert found == model() == ["torch.float32", True, "cpu"]


def test_scoring_logic_and_its_caller_do_not_see_each_others_context(engine: str) -> None:
    import decimal

    model = warm(
        register("from decimal import getcontext\nseen = getcontext().prec\ngetcontext().prec = 5\nreturn seen")
    )
    with decimal.localcontext(prec=9):
        assert model() == 5
        assert decimal.getcontext().prec == 9


def test_a_model_that_another_calls_is_stopped_with_it_and_both_answer_afterwards(engine: str) -> None:
    warm(register("import time\nfor _ in range(200): time.sleep(x / 200)\nreturn x + 1", "inner"))
    outer = warm(register("return inner(x=x)", "outer", resources=["inner"], limits=hfreg.Limits(time_s=0.4)))
    assert outer.run(x=20).status == "timeout"
    assert outer(x=0.01) == 1.01
    assert warm(outer)() == 1


def test_a_time_limit_ends_a_loop_in_its_callers_thread_and_the_caller_goes_on(engine: str) -> None:
    model = warm(register("while x: pass\nreturn 7", limits=hfreg.Limits(time_s=0.2)))
    began = time.monotonic()
    assert model.run(x=1).status == "timeout"
    assert time.monotonic() - began < 3
    assert [model() for _ in range(3)] == [7, 7, 7]


@inline
def test_others_are_answered_by_a_fresh_model_while_a_callers_thread_is_stuck_in_c(engine: str) -> None:
    model = warm(register("import time\ntime.sleep(x)\nreturn 7", limits=hfreg.Limits(time_s=0.2)))
    statuses: list[str] = []
    caller = threading.Thread(target=lambda: statuses.append(model.run(x=2.2).status))
    caller.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert model() == 7
    assert time.monotonic() - began < 3
    caller.join(10)
    assert statuses == ["timeout"]
    assert model() == 7


def test_callers_in_many_threads_are_all_answered_by_one_process(model: hfreg.Model) -> None:
    pids: list[int] = []
    callers = [threading.Thread(target=lambda: pids.extend(model() for _ in range(20))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert len(pids) == 160
    assert len(set(pids)) == 1


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Take Ctrl-C as a terminal's Python does: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_the_row_in_its_callers_thread_and_the_next_call_is_answered(
    engine: str, model: hfreg.Model, heeds_ctrl_c: None
) -> None:
    first = model()
    assert threads_of(lambda: model()) == {threading.current_thread().name}
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model(x=20)
    assert time.monotonic() - began < 5
    assert (model() != first) == (engine == "isolated")
    assert [model() for _ in range(3)] == [model()] * 3
    statuses = [call.status for call in hfreg.open().events.calls()]
    assert statuses.count("cancelled") == 1


@isolated
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
