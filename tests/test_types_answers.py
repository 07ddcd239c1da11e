"""How the answer of scoring logic is held to its output type: what becomes plain quietly and what is reported."""

from __future__ import annotations

import collections
import dataclasses
import enum
import time
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pydantic
import pytest
import torch
from transformers.modeling_outputs import SequenceClassifierOutput

from hfreg.errors import OutputError
from hfreg.types import parse


class Label(enum.Enum):
    GOOD = "good"


class Level(enum.IntEnum):
    HIGH = 3


class Named(NamedTuple):
    label: str
    score: float


@dataclasses.dataclass
class Scored:
    label: str
    score: Any


class Validated(pydantic.BaseModel):
    label: str
    score: float


class Shouting(str):
    def __str__(self) -> str:
        raise RuntimeError("never asked")


def plainly(value: Any) -> bool:
    if type(value) is dict:
        return all(type(key) in {str, int, float} and plainly(item) for key, item in value.items())
    if type(value) is list:
        return all(map(plainly, value))
    return type(value) in {str, int, float, bool, type(None), datetime}


# --- quiet ------------------------------------------------------------------------------------------------

QUIET = [
    ("List", (1, 2), [1, 2]),
    ("List", range(3), [0, 1, 2]),
    ("Array[String]", {"b", "a"}, ["a", "b"]),
    ("Array[Numerical]", (n * n for n in range(3)), [0, 1, 4]),
    ("Array[String]", {"a": 1}.keys(), ["a"]),
    ("Array[Numerical]", {"a": 1}.values(), [1]),
    ("Array[Numerical]", collections.deque([1, 2]), [1, 2]),
    ("Array[Numerical]", map(float, "12"), [1.0, 2.0]),
    ("Array[Numerical]", np.array([0.5, 1.5]), [0.5, 1.5]),
    ("Array[Array[Numerical]]", np.eye(2, dtype=np.int8), [[1, 0], [0, 1]]),
    ("Array[Numerical]", torch.tensor([0.5, 1.5], requires_grad=True), [0.5, 1.5]),
    ("Array[Numerical]", torch.tensor([0.5], dtype=torch.bfloat16), [0.5]),
    ("List", torch.tensor([[1, 2]]), [[1, 2]]),
    ("Array[String]", np.array(["a", "b"]), ["a", "b"]),
    ("Array[DateTime]", np.array(["2026-11-23"], dtype="datetime64[ns]"), [datetime(2026, 11, 23)]),
    ("Array[Numerical]", pd.Series([1, 2]), [1, 2]),
    ("Array[DateTime]", pd.Series(pd.to_datetime(["2026-11-23", None])), [datetime(2026, 11, 23), None]),
    ("Map[String, Numerical]", pd.Series({"a": 1.5}), {"a": 1.5}),
    ("List", pd.DataFrame({"a": [1, 2]}), [{"a": 1}, {"a": 2}]),
    ("Numerical", np.float32(0.5), 0.5),
    ("Numerical", torch.tensor(3), 3),
    ("Numerical", Decimal("0.5"), 0.5),
    ("Numerical", Fraction(1, 2), 0.5),
    ("Numerical", Level.HIGH, 3),
    ("Boolean", np.bool_(True), True),
    ("Boolean", torch.tensor(False), False),
    ("String", np.str_("a"), "a"),
    ("String", Label.GOOD, "good"),
    ("String", Shouting("hi"), "hi"),
    ("DateTime", pd.Timestamp("2026-11-23"), datetime(2026, 11, 23)),
    ("DateTime", date(2026, 11, 23), datetime(2026, 11, 23)),
    ("Map[String, Any]", Named("a", 0.5), {"label": "a", "score": 0.5}),
    ("List", Named("a", 0.5), ["a", 0.5]),
    ("Any", Named("a", 0.5), {"label": "a", "score": 0.5}),
    ("Any", Scored("a", np.float64(0.5)), {"label": "a", "score": 0.5}),
    ("Struct[label: String, score: Numerical]", Validated(label="a", score=0.5), {"label": "a", "score": 0.5}),
    ("Map[String, Any]", MappingProxyType({"a": 1}), {"a": 1}),
    ("Map[String, Any]", collections.Counter("aab"), {"a": 2, "b": 1}),
    ("Map[String, List]", SequenceClassifierOutput(logits=torch.tensor([[0.5]])), {"logits": [[0.5]]}),
    ("Map[Numerical, String]", {np.int64(1): "a", 0.5: "b"}, {1: "a", 0.5: "b"}),
    ("Any", {1: [np.array({"a": pd.NA})]}, {1: [{"a": None}]}),
    ("Struct[b: Any, a: Any]", {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ("Map[String, String]", None, None),
    ("Map[String, String]", {"a": None}, {"a": None}),
]


@pytest.mark.parametrize(("text", "answer", "plain"), QUIET, ids=range(len(QUIET)))
def test_values_of_other_libraries_become_plain_quietly(text: str, answer: Any, plain: Any) -> None:
    held, warnings = parse(text).convert(answer)
    assert held == plain
    assert plainly(held) and plainly([held])
    assert warnings == ()
    assert list(held) == list(plain) if isinstance(plain, dict) else True


def test_an_answer_is_copied_so_that_what_stays_loaded_cannot_be_changed_from_outside() -> None:
    kept = {"scores": [0.5]}
    held = parse("Map[String, List]").convert(kept).value
    held["scores"].append(1)
    assert kept == {"scores": [0.5]}


# --- reported ---------------------------------------------------------------------------------------------


def test_a_number_in_a_map_of_strings_becomes_its_text_with_a_warning_that_proposes_a_type() -> None:
    converted = parse("Map[String, String]").convert({"sentiment": "positive", "confidence": 0.9})
    assert converted.value == {"sentiment": "positive", "confidence": "0.9"}
    (warning,) = converted.warnings
    assert warning.startswith('["confidence"]: 0.9 (float) became ')
    assert "Struct[sentiment: String, confidence: Numerical]" in warning
    assert "Map[String, Any]" in warning


@pytest.mark.parametrize(
    ("text", "answer", "value", "proposed"),
    [
        ("String", 5, "5", "Numerical"),
        ("String", True, "True", "Boolean"),
        ("String", np.float64(0.5), "0.5", "Numerical"),
        ("String", datetime(2026, 11, 23), "2026-11-23T00:00:00", "DateTime"),
        ("Numerical", True, 1, "Boolean"),
        ("Numerical", np.bool_(False), 0, "Boolean"),
        ("Boolean", 1, True, "Numerical"),
        ("DateTime", "2026-11-23", datetime(2026, 11, 23), "String"),
        ("Array[String]", [1, 2], ["1", "2"], "Array[Numerical]"),
        ("Array[String]", ["a", 2], ["a", "2"], "List"),
        ("Map[String, String]", {"a": 1.5, "b c": 2}, {"a": "1.5", "b c": "2"}, "Map[String, Numerical]"),
        ("Map[String, String]", {"a": 1, "b c": "x"}, {"a": "1", "b c": "x"}, "Map[String, Any]"),
        ("Map[String, String]", {1: "x"}, {"1": "x"}, "Map[Numerical, String]"),
        (
            "Map[String, String]",
            {"n": np.int64(1), "s": None},
            {"n": "1", "s": None},
            "Struct[n: Numerical, s: String]",
        ),
        ("Map[String, Array[String]]", {"a": ["x", 1]}, {"a": ["x", "1"]}, "Map[String, List]"),
        (
            "Array[Map[String, String]]",
            [{"label": "x", "score": 0.5}, {"label": "y", "score": 1}],
            [{"label": "x", "score": "0.5"}, {"label": "y", "score": "1"}],
            "Array[Struct[label: String, score: Numerical]]",
        ),
        ("Struct[a: String]", {"a": "x", "b": [1]}, {"a": "x"}, "Struct[a: String, b: Array[Numerical]]"),
        ("Struct[a: String]", {"a": "x", 5: 1}, {"a": "x"}, "Any"),
        ("Any", {True: 1}, {"True": 1}, "Any"),
    ],
)
def test_a_change_of_kind_is_made_and_reported_with_a_type_that_keeps_it(
    text: str, answer: Any, value: Any, proposed: str
) -> None:
    converted = parse(text).convert(answer)
    assert converted.value == value and type(converted.value) is type(value)
    (warning,) = converted.warnings
    assert f"The output type {proposed}" in warning


def test_the_proposed_types_really_keep_the_answer() -> None:
    answers = [
        {"a": 1, "b": "x", "c": [1, "y"], "d": {"e": 0.5}},
        {"a b": True, "c": None},
        {str(n): n for n in range(50)},
        [{"label": "x"}, {"score": 1}],
    ]
    for answer in answers:
        kind = "Map[String, String]" if isinstance(answer, dict) else "Array[Map[String, String]]"
        try:
            warnings = parse(kind).convert(answer).warnings
        except OutputError:  # a list is no String, there is nothing to propose
            continue
        for warning in warnings:
            for name in warning.partition("The output type ")[2].removesuffix(" would keep it.").split(" or "):
                assert parse(name).convert(answer) == (answer, ())


def test_the_type_of_answers_seen_before_is_proposed_by_their_own_kinds() -> None:
    convert = parse("Map[String, String]").convert
    first, second = ({"a": "x", "b": 1}, {"a": 1, "b": "x"})
    for _ in range(2):
        assert "Struct[a: String, b: Numerical]" in convert(first).warnings[0]
        assert "Struct[a: Numerical, b: String]" in convert(second).warnings[0]


def test_many_changes_of_one_kind_are_one_warning_with_a_count() -> None:
    warnings = parse("Array[String]").convert([*range(2000), 0.5, True, True]).warnings
    assert len(warnings) == 2
    assert warnings[0].startswith("[0]: 0 (int)") and "(and 2,000 more like it)" in warnings[0]
    assert warnings[1].startswith("[2001]: True") and "(and 1 more like it)" in warnings[1]
    assert "more like it" not in parse("Array[String]").convert(["a", 5]).warnings[0]


def test_a_field_that_the_struct_does_not_have_is_left_out_and_reported() -> None:
    converted = parse("Struct[label: String]").convert({"label": "x", "score": 0.5})
    assert converted.value == {"label": "x"}
    (warning,) = converted.warnings
    assert '["score"]: 0.5 (float) was left out' in warning
    assert "Struct[label: String, score: Numerical]" in warning


def test_a_change_in_what_gives_its_items_once_still_gets_a_way_out() -> None:
    converted = parse("Array[String]").convert(n for n in [1, 2])
    assert converted.value == ["1", "2"]
    assert "would keep it" in converted.warnings[0]


# --- speed (bounds ten times what is measured, so that only a lost fast path fails) -------------------------


def test_conversion_is_fast() -> None:
    numbers, record = [0.5] * 100_000, {"sentiment": "x", "confidence": 0.9}
    assert best(lambda: parse("Array[Numerical]").convert(numbers), 1) < 0.04
    struct = parse("Struct[sentiment: String, confidence: Numerical]")
    assert best(lambda: struct.convert(record), 1000) < 25e-6


def best(call: Any, times: int) -> float:
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            call()
        spent.append((time.perf_counter() - start) / times)
    return min(spent)
