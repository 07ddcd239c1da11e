"""Arguments given from Python are checked, not guessed."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from type_samples import KINDS, classes, refusal

from hfreg.errors import ArgumentError
from hfreg.types import parse


def test_a_text_for_a_numerical_is_refused_with_the_way_out() -> None:
    message = refusal(lambda: parse("Numerical").check("0.8", "threshold"))
    for part in ["`threshold`", "Numerical", "'0.8'", "Pass 0.8 without quotes"]:
        assert part in message


@pytest.mark.parametrize("value", [True, False, np.True_])
def test_a_boolean_is_no_numerical(value: Any) -> None:
    assert "A Boolean is no Numerical" in refusal(lambda: parse("Numerical").check(value, "n"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan"), Decimal("NaN")])
@pytest.mark.parametrize("text", ["Numerical", "Any", "String"])
def test_nan_and_infinity_are_refused(value: Any, text: str) -> None:
    assert "NaN and infinity are refused" in refusal(lambda: parse(text).check(value, "n"))


def test_nan_inside_a_list_is_found_at_its_place() -> None:
    message = refusal(lambda: parse("Map[String, Array[Numerical]]").check({"a": [0.5, float("nan")]}, "scores"))
    assert '`scores`["a"][1]' in message


def test_an_int_stays_an_int() -> None:
    assert type(parse("Numerical").check(512, "max_length")) is int
    assert type(parse("Numerical").check(np.int64(512), "max_length")) is int
    assert type(parse("Numerical").check(512.0, "max_length")) is float


@pytest.mark.parametrize(
    ("text", "given", "plain"),
    [
        ("Numerical", np.float64(0.5), 0.5),
        ("Numerical", np.float16(0.5), 0.5),
        ("Numerical", np.longdouble(0.5), 0.5),
        ("Numerical", np.uint8(7), 7),
        ("Numerical", np.array(7), 7),
        ("Numerical", torch.tensor(0.5), 0.5),
        ("Boolean", np.bool_(True), True),
        ("String", np.str_("a"), "a"),
        ("Numerical", pd.NA, None),
        ("String", pd.NaT, None),
        ("DateTime", pd.NaT, None),
        ("DateTime", pd.Timestamp("2026-11-23 10:30"), datetime(2026, 11, 23, 10, 30)),
        ("DateTime", np.datetime64("2026-11-23T10:30", "ns"), datetime(2026, 11, 23, 10, 30)),
        ("DateTime", np.datetime64("NaT"), None),
        ("DateTime", np.datetime64("2026-11-23"), datetime(2026, 11, 23)),
        ("Array[Numerical]", np.array([[1.5]])[0], [1.5]),
        ("Array[Array[Numerical]]", np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        ("Array[String]", pd.Series(["a", None], dtype="string"), ["a", None]),
        ("List", pd.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
        ("Map[String, Numerical]", {np.str_("a"): np.float32(0.5)}, {"a": 0.5}),
        ("Map[Numerical, Boolean]", {np.int64(3): np.bool_(False)}, {3: False}),
        ("Any", {"a": (np.int8(1), pd.NA, {"b": np.array([1.5])})}, {"a": [1, None, {"b": [1.5]}]}),
    ],
)
def test_numpy_and_pandas_values_count_as_their_python_values(text: str, given: Any, plain: Any) -> None:
    found = parse(text).check(given, "x")
    assert found == plain
    assert classes(found) == classes(plain)


@pytest.mark.parametrize(
    ("text", "given", "parts"),
    [
        ("String", 5, ['Pass it as text: "5"']),
        ("String", b"hi", ["Decode it"]),
        ("String", ["a"], ["['a'] (list)"]),
        ("String", len, ["the function len", "Call it"]),
        ("Boolean", "true", ["Pass True or False"]),
        ("Boolean", 1, ["Pass True."]),
        ("DateTime", "2026-11-23", ['datetime.fromisoformat("2026-11-23")']),
        ("DateTime", 5, ["fromtimestamp"]),
        ("Array[String]", "a", ["[value]"]),
        ("Array[String]", {"a"}, ["list(…)"]),
        ("Array[String]", (c for c in "ab"), ["list(…)"]),
        ("Array[Numerical]", [1, "b"], ["`x`[1]", "'b' (str)"]),
        ("Map[String, Numerical]", [1], ["Pass a dict"]),
        ("Map[String, Numerical]", {1: 1}, ["wanted String, found 1 (int)"]),
        ("Map[Numerical, Any]", {"1": 1}, ["Pass 1 without quotes"]),
        ("Map[String, Any]", {None: 1}, ["None is no key"]),
        ("Struct[a: String]", {}, ["`a` is missing"]),
        ("Struct[label: String]", {"lable": "x"}, ["`label` is missing", "Did you mean `lable`"]),
        ("Struct[label: String]", {"label": "x", "labels": 1}, ['["labels"]', "Did you mean `label`"]),
        ("Any", object(), ["an object of the class object"]),
        ("Any", {"a": {1, 2}}, ['["a"]', "{1, 2} (set)"]),
        ("Numerical", 1 + 2j, ["complex"]),
    ],
)
def test_a_wrong_argument_names_place_type_value_and_way_out(text: str, given: Any, parts: list[str]) -> None:
    message = refusal(lambda: parse(text).check(given, "x"))
    assert message.startswith("Argument `x`")
    for part in parts:
        assert part in message


def test_an_argument_error_is_a_type_error_and_short_whatever_the_value() -> None:
    assert issubclass(ArgumentError, TypeError)
    for value in ["x" * 10**6, ["y" * 10**6] * 10**5, {"k" * 10**6: 1}, 10**4000, [[[[1]]]]]:
        assert len(refusal(lambda value=value: parse("Boolean").check(value, "flag"))) < 300
    assert len(refusal(lambda: parse("Map[String, Boolean]").check({"k" * 10**6: "x"}, "flags"))) < 300


@pytest.mark.parametrize("text", [*KINDS, "List", "Map[String, String]", "Struct[a: String]"])
def test_every_type_admits_none(text: str) -> None:
    found = parse(text)
    assert found.check(None, "x") is None
    assert found.from_text("", "x") is None
    assert found.to_text(None) == ""
    assert parse(f"Array[{text}]").check([None], "x") == [None]
    assert found.convert(None) == (None, ())


def test_a_number_too_large_to_be_written_is_refused() -> None:
    assert "3,900 digits" in refusal(lambda: parse("Numerical").check(10**5000, "x"))
    assert parse("Numerical").check(10**3900, "x") == 10**3900


def test_dates_are_their_midnight_and_zones_stay() -> None:
    assert parse("DateTime").check(date(2026, 11, 23), "day") == datetime(2026, 11, 23)
    moment = datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=2)))
    assert parse("DateTime").check(moment, "day").isoformat() == "2026-11-23T10:00:00+02:00"


def test_what_is_given_is_copied_so_that_scoring_logic_cannot_change_the_callers() -> None:
    inner = ["a"]
    given = OrderedDict(tags=inner)
    held = parse("Map[String, Array[String]]").check(given, "x")
    assert type(held) is dict and held["tags"] is not inner
    assert parse("List").check(inner, "x") is not inner


def test_cycles_and_bottomless_nesting_are_refused() -> None:
    loop: list[Any] = [1, "a"]
    loop.append(loop)
    assert "contains itself" in refusal(lambda: parse("Any").check(loop, "x"))
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert "deeper than 64" in refusal(lambda: parse("List").check(deep, "x"))
    assert parse("List").check([inner := [1, [2]], inner], "x") == [[1, [2]], [1, [2]]]


def test_a_small_value_that_unfolds_without_end_is_refused() -> None:
    bomb: list[Any] = ["ha", []]
    for _ in range(20):
        bomb = [bomb] * 10
    assert "too many values" in refusal(lambda: parse("Any").check([[[bomb]]], "x"))


class Raising:
    def tolist(self) -> Any:
        raise OSError("secret")


def test_an_object_that_raises_when_looked_at_is_an_argument_error_without_its_words() -> None:
    message = refusal(lambda: parse("List").check([1, Raising()], "x"))
    assert message.startswith("Argument `x`[1]") and "OSError" in message and "secret" not in message
