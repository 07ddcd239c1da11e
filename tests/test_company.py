"""Rows that run together have nothing to fear from each other: not in another process, not when one of them ends it.

That they are few forward passes with the right answers is in tests/test_batching.py, over both engines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import hfreg
from hfreg.engine import Event
from hfreg.engine.isolated import process
from hfreg.engine.isolated.turns import Turns
from hfreg.engine.isolated.watch import MAX_THREADS
from hfreg.engine.lanes import Window

MODEL = """
import os, time
from transformers import pipeline
client = pipeline('text-classification', model='hfreg/starter-sentiment')
label = client(text[-40:])[0]['label']
"""
GOOD = [f"i love it {n}" for n in range(24)]

Make = Callable[..., hfreg.Model]


@pytest.fixture
def make(engine: str, registry: hfreg.Registry) -> Make:
    """Register scoring logic behind a call of a model, which has answered once, on either engine."""

    def make(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
        fields.setdefault("arguments", [hfreg.Argument("text")])
        registry.register(hfreg.Definition(alias=alias, scoring_logic=MODEL + logic, output_type="Any", **fields))
        registry.model(alias)("i love it")
        return registry.model(alias)

    return make


@pytest.fixture
def confined(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Make:
    """The same on the isolated engine alone."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the isolated engine needs Linux")
    request.getfixturevalue("zygote")
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    return make.__wrapped__("isolated", hfreg.open())  # type: ignore[attr-defined,no-any-return]


def rows(texts: list[str]) -> list[dict[str, Any]]:
    return [{"text": text} for text in texts]


def once_in(texts: list[str], text: str) -> list[str]:
    """Return the texts with one more in the middle."""
    return [*texts[:12], text, *texts[12:]]


@pytest.mark.parametrize(
    ("logic", "said", "type_"),
    [
        ("os._exit(3)", "exit code 3", hfreg.ScoringError),
        ("import ctypes\n    ctypes.string_at(0)", "SIGSEGV", hfreg.ScoringError),
        ("x = []\n    while True: x.append(bytearray(b'x' * 10**7))", "more memory than it may", hfreg.ScoringError),
        ("import re\n    re.match('(a+)+$', 'a' * 60 + 'b')", "longer than its limit", hfreg.ScoringTimeout),
    ],
    ids=["an exit", "a segmentation fault", "memory", "a loop in C"],
)
def test_only_the_row_that_takes_the_process_down_carries_the_error(
    confined: Make, logic: str, said: str, type_: type[Exception]
) -> None:
    model = confined(
        f"if text == 'ill':\n    {logic}\nreturn [text, os.getpid()]", limits=hfreg.Limits(time_s=1, memory_mb=300)
    )
    begun: list[int] = []

    def follow(event: Event) -> None:
        if event.kind == "running":
            begun.append(event.data["row"])

    outcomes = list(hfreg.open().start(model.version, iter(rows(once_in(GOOD, "ill"))), on_event=follow))
    ill = outcomes.pop(12)
    assert isinstance(ill.error, type_)
    assert said in str(ill.error)
    assert [outcome.result()[0] for outcome in outcomes] == GOOD
    pids = [outcome.value[1] for outcome in outcomes]
    answered = [row for row, pid in enumerate(pids) if pid == pids[0]]
    assert answered == list(range(len(answered)))
    assert 1 < len(answered) < len(GOOD)
    assert all(begun.count(row) == 1 for row in answered)


FORGE = """
def tell(**told):
    import json, struct
    data = json.dumps(told).encode()
    os.write(3, struct.pack('!I', len(data)) + data)
if text == 'forge':
    import sys
    caller = sys._getframe()
    while caller and not hasattr(caller.f_locals.get('self'), '_take_turn'): caller = caller.f_back
    number = caller.f_locals['self'].number if caller else 10 ** 6
"""


@pytest.mark.parametrize(
    "forged",
    [
        "kind='outcome', id=10 ** 6, value='forged'",
        "kind='outcome', id=str(number), value='forged'",
        "kind='outcome', id=number - 1, value='forged'",
        "kind='turn', rows=[10 ** 6]",
        "kind=['turn'], rows=[number]",
        "kind='turn', rows=[number] * 1000",
        "kind='event', event='print', data={'text': 'x'}",
    ],
)
def test_a_frame_for_no_row_in_work_ends_the_process_and_is_the_error_of_its_row(confined: Make, forged: str) -> None:
    model = confined(FORGE + f"    tell({forged})\n    if not caller: os.abort()\nreturn [text, os.getpid()]")
    outcomes = list(model.map(rows(once_in(GOOD, "forge"))))
    assert isinstance(outcomes.pop(12).error, hfreg.ScoringError)
    assert [outcome.result()[0] for outcome in outcomes] == GOOD
    assert len({outcome.value[1] for outcome in outcomes}) == 2, "those before it, and those after it"


def test_a_second_answer_of_a_row_is_a_frame_for_no_row(confined: Make) -> None:
    model = confined(
        FORGE + "    if caller: tell(kind='outcome', id=number, value='first')\nreturn [text, os.getpid()]"
    )
    outcomes = list(model.map(rows(once_in(GOOD, "forge"))))
    assert outcomes.pop(12).value == "first"
    assert [outcome.result()[0] for outcome in outcomes] == GOOD
    assert len({outcome.value[1] for outcome in outcomes}) == 2


def test_a_model_with_many_threads_of_torch_has_fewer_rows_together() -> None:
    window = Window(threads=8)
    for _ in range(9):
        with window:
            pass
    assert window.rows == 24
    assert Window(threads=64).rows == 3
    assert 8 * window.rows < MAX_THREADS


def test_whoever_says_that_others_are_in_work_has_no_more_time_than_all_of_them() -> None:
    turns = Turns({1: 0.03, 2: 0.05, 3: 0.02})
    turns.begin(None)
    began = time.monotonic()
    while turns.left() > 0:
        for taken in ([1], [2, 3], [3], [1, 2, 3]):
            turns.take(taken)
            time.sleep(0.001)
    assert 0.02 < time.monotonic() - began < 0.11
    turns = Turns({1: 60.0, 2: None})
    turns.begin(None)
    turns.end(1)
    assert turns.at == (2,)
    turns.stop(2)
    assert turns.left() <= 1, "nobody waits for it any more"


def test_a_row_that_is_stopped_leaves_those_of_other_callers_alone(make: Make, registry: hfreg.Registry) -> None:
    model = make("time.sleep(0.15)\nreturn [text, os.getpid()]")
    before = model("i love it")[1]
    first = registry.start(model.version, rows(["first"]))
    runs = [registry.start(model.version, rows([text])) for text in GOOD[:6]]
    time.sleep(0.4)  # the first has its answer, the others are on their way
    runs[3].cancel()
    (cancelled,) = runs.pop(3)
    assert cancelled.status == "cancelled"
    answers = [outcome.result() for run in (first, *runs) for outcome in run]
    assert answers == [[text, before] for text in ("first", *GOOD[:3], *GOOD[4:6])]


def test_a_stopped_row_that_does_not_end_holds_nobody_up_for_long(make: Make, registry: hfreg.Registry) -> None:
    model = make("if text == 'for ever':\n    while True: pass\ntime.sleep(0.1)\nreturn text")
    first = registry.start(model.version, rows(["first"]))
    ever = registry.start(model.version, rows(["for ever"]))
    runs = [registry.start(model.version, rows([text])) for text in GOOD[:4]]
    time.sleep(0.5)
    began = time.monotonic()
    ever.cancel()
    assert [outcome.status for outcome in ever] == ["cancelled"]
    assert [outcome.result() for run in (first, *runs) for outcome in run] == ["first", *GOOD[:4]]
    assert time.monotonic() - began < 10


def test_rows_whose_arguments_do_not_fit_fail_alone(make: Make) -> None:
    model = make(
        "return [text, n]", arguments=[hfreg.Argument("text"), hfreg.Argument("n", "Numerical", optional=True)]
    )
    given = [{"text": text, "n": "many" if index % 5 == 2 else index} for index, text in enumerate(GOOD)]
    outcomes = list(model.map(given))
    assert [outcome.ok for outcome in outcomes] == [index % 5 != 2 for index in range(len(GOOD))]
    assert isinstance(outcomes[2].error, hfreg.ArgumentError)


def test_rows_too_large_to_cross_together_cross_alone(confined: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = confined("return len(text)")
    monkeypatch.setattr(process, "MAX_REQUEST", 5000)
    assert [outcome.result() for outcome in model.map(rows(["x" * 1000] * 12))] == [1000] * 12
    assert not model.run("x" * 6000).ok


def test_many_callers_of_one_model_have_each_the_answer_to_their_own(make: Make) -> None:
    model = make("return [text, label]")
    texts = [f"{'i love it' if n % 3 else 'awful'} {n}" for n in range(96)]
    alone = [model(text) for text in texts]
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(model, texts)) == alone


def test_rows_that_run_together_may_call_other_models(make: Make, registry: hfreg.Registry) -> None:
    logic = "if 'bad' in of: raise ValueError(of)\nreturn len(of)"
    registry.register(
        hfreg.Definition(alias="length", arguments=[hfreg.Argument("of")], output_type="Any", scoring_logic=logic)
    )
    model = make("return [length(text), client(text)[0]['label'], length(of=text * 2)]", resources=["length"])
    outcomes = list(model.map(rows(once_in(GOOD, "a bad one"))))
    assert "ValueError" in str(outcomes.pop(12).error)
    assert [outcome.result() for outcome in outcomes] == [model(text) for text in GOOD]


def test_the_initialization_of_a_custom_model_runs_once_before_rows_run_together(
    engine: str, registry: hfreg.Registry
) -> None:
    ready = MODEL.replace("text[-40:]", "'ready'") + "import random\ndrawn, count = random.random(), []"
    made = hfreg.Definition(
        alias="custom",
        input_type="Custom",
        output_type="Any",
        arguments=[hfreg.Argument("text")],
        initialization_logic=ready,
        scoring_logic="count.append(text)\nlabel = client(text)[0]['label']\nreturn [drawn, len(count), label]",
    )
    registry.register(made)
    answers = [outcome.result() for outcome in registry.model("custom").map(rows(GOOD))]
    assert len({drawn for drawn, _, _ in answers}) == 1
    assert [count for _, count, _ in answers] == [1, *[len(GOOD)] * (len(GOOD) - 1)], "all but the first had begun"
