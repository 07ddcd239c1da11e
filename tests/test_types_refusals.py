"""Answers that cannot be held to their output type are refused: where, wanted what, found what, and the way out."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from type_samples import some_type, some_value

from hfreg.errors import OutputError, ScoringTimeout
from hfreg.types import parse


def refusal(text: str, answer: Any) -> str:
    with pytest.raises(OutputError) as caught:
        parse(text).convert(answer)
    return str(caught.value)


@dataclasses.dataclass
class Scored:
    label: str
    score: Any


@pytest.mark.parametrize(
    ("text", "answer", "parts"),
    [
        (
            "Map[String, Array[Numerical]]",
            {"scores": [1, 2, 3, "high"]},
            ['at ["scores"][3]', "Numerical", "'high'"],
        ),
        ("Numerical", "0.5", ["wanted Numerical", "'0.5' (str)", "Return the number itself"]),
        ("Struct[label: String, score: Numerical]", {"label": "x"}, ["`score` is missing"]),
        ("Array[Struct[label: String]]", [{"lable": "x"}], ["at [0]", "Did you mean `lable`"]),
        ("Numerical", math.nan, ["NaN and infinity are refused"]),
        ("Any", {"a": [0.5, math.inf]}, ['at ["a"][1]', "NaN and infinity are refused"]),
        ("String", math.nan, ["NaN and infinity are refused"]),
        ("Array[Numerical]", torch.tensor([1.0, math.nan]), ["at [1]", "NaN"]),
        ("List", np.array([1.0, np.nan]), ["at [1]", "NaN"]),
        ("Any", {"f": print}, ['at ["f"]', "the function print", "Call it"]),
        ("Any", [lambda: 1], ["at [0]", "the function <lambda>"]),
        ("Any", [int], ["a class", "Call it"]),
        ("String", {"a": 1}, ["wanted String", "{'a': 1} (dict)", "Map[String, Any]"]),
        ("String", ["a"], ["make the output type List"]),
        ("String", b"raw", ["Decode it"]),
        ("Any", bytearray(b"raw"), ["Decode it"]),
        ("Map[String, String]", [{"label": "x"}], ["[{'label': 'x'}] (list)", "one of its items", "List"]),
        ("List", {"a": 1}, ["Map[String, Any]"]),
        ("List", "abc", ["'abc' (str)", "Return a list"]),
        ("Boolean", "true", ["Return True or False"]),
        ("Boolean", 2, ["2 (int)"]),
        ("DateTime", "yesterday", ["Return a datetime"]),
        ("Numerical", torch.tensor([0.5]), ["[0.5] (list)", "one of its items"]),
        ("Map[String, Any]", {"a": 1, None: 2}, ["None is no key"]),
        ("Map[Numerical, Any]", {"a": 1}, ["wanted Numerical", "'a'"]),
        ("Map[String, Any]", {1: "a", "1": "b"}, ["Two of its keys"]),
        ("Any", {("a", 1): 2}, ["A key is a text or a number"]),
        ("Any", object(), ["an object of the class object"]),
        ("String", Scored("a", 1), ["Scored"]),
    ],
)
def test_what_cannot_be_converted_names_path_type_value_and_way_out(text: str, answer: Any, parts: list[str]) -> None:
    message = refusal(text, answer)
    assert message.startswith("The answer") and len(message) < 500
    for part in parts:
        assert part in message


def test_an_output_error_is_a_value_error() -> None:
    assert issubclass(OutputError, ValueError)


def test_a_cycle_is_refused_at_its_place() -> None:
    answer: dict[str, Any] = {"a": []}
    answer["a"].append(answer)
    for text in ("Any", "Map[String, Any]", "Map[String, Array[Any]]"):
        message = refusal(text, answer)
        assert '["a"][0]' in message and "contains itself" in message


def test_nesting_and_number_of_values_are_limited() -> None:
    deep: Any = {}
    for _ in range(3000):
        deep = {"a": deep}
    assert "deeper than 64" in refusal("Any", deep)
    flat: Any = [0.5] * 100_000
    for _ in range(20):
        flat = [flat] * 10
    assert "too many values" in refusal("List", flat)


def test_an_iterator_without_end_is_stopped() -> None:
    def endless() -> Any:
        while True:
            yield None

    assert "too many values" in refusal("Array[String]", endless())


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("leave me alone")

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class EvilArray:
    def tolist(self) -> Any:
        raise MemoryError


class EvilMapping(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise SystemExit(3)


class Endless:
    def tolist(self) -> Any:
        return Endless()


@pytest.mark.parametrize("text", ["Any", "String", "Numerical", "List", "Map[String, Any]", "Struct[a: Any]"])
def test_a_hostile_object_is_refused_and_its_code_does_not_escape(text: str) -> None:
    for evil in (Hostile(), EvilArray(), Endless(), EvilMapping(a=1), EvilMapping):
        message = refusal(text, evil)
        assert message.startswith("The answer") and "leave me alone" not in message
    assert 'at ["a"][1]' in refusal("Map[String, List]", {"a": [1, EvilArray()]})


def test_an_iterator_that_raises_is_an_output_error_with_the_cause() -> None:
    def failing() -> Any:
        yield 1
        raise KeyError("x")

    with pytest.raises(OutputError, match="KeyError was raised") as caught:
        parse("List").convert(failing())
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_time_limit_that_strikes_during_conversion_is_not_swallowed() -> None:
    def stopped() -> Any:
        yield 1
        raise ScoringTimeout("60 s are over.")

    with pytest.raises(ScoringTimeout):
        parse("List").convert(stopped())


def test_any_answer_for_any_type_is_held_to_it_or_refused() -> None:
    seeded = random.Random(6)
    held = changed = 0
    for _ in range(5000):
        wanted = parse(some_type(seeded, seeded.randint(0, 2)))
        answer = some_value(seeded, parse(some_type(seeded, seeded.randint(0, 2))))
        try:
            value, warnings = wanted.convert(answer)
        except OutputError:
            continue
        held, changed = held + 1, changed + bool(warnings)
        assert wanted.convert(value) == (value, ())
        assert wanted.check(value, "x") == value
        assert warnings or value == answer
    assert held > 500 and changed > 50
