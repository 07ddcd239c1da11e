"""Arguments that come as text (form, CSV cell, stored default, command line) are parsed by type."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from type_samples import classes, refusal, some_type, some_value

from hfreg.types import parse


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("Numerical", "0.5", 0.5),
        ("Numerical", "512", 512),
        ("Numerical", " 1e-3 ", 0.001),
        ("Numerical", "-.5", -0.5),
        ("Numerical", "7.", 7.0),
        ("Numerical", "+3", 3),
        ("Numerical", "  ", None),
        ("Numerical", "123456789012345678901", 123456789012345678901),
        ("Boolean", "true", True),
        ("Boolean", "YES", True),
        ("Boolean", "1", True),
        ("Boolean", "False", False),
        ("Boolean", "no", False),
        ("Boolean", "0", False),
        ("DateTime", "2026-11-23", datetime(2026, 11, 23)),
        ("DateTime", "2026-11-23T10:30:00Z", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        ("DateTime", "2026-11-23 10:30", datetime(2026, 11, 23, 10, 30)),
        ("String", "  as it is\n", "  as it is\n"),
        ("String", "0.5", "0.5"),
        ("String", "None", "None"),
        ("List", '[1, "a", null]', [1, "a", None]),
        ("Map[String, Numerical]", '{"a": 0.5}', {"a": 0.5}),
        ("Map[Numerical, String]", '{"1": "a", "0.5": "b"}', {1: "a", 0.5: "b"}),
        ("Struct[at: DateTime]", '{"at": "2026-11-23"}', {"at": datetime(2026, 11, 23)}),
        ("Array[Numerical]", "null", None),
        ("Any", '{"a": [1]}', {"a": [1]}),
        ("Any", "5", 5),
        ("Any", "plain words", "plain words"),
        ("Any", "NaN", "NaN"),
        ("Any", '"5"', "5"),
    ],
)
def test_text_is_parsed_by_type(text: str, written: str, value: Any) -> None:
    found = parse(text).from_text(written, "x")
    assert found == value
    assert classes(found) == classes(value)


@pytest.mark.parametrize(
    ("text", "written", "parts"),
    [
        ("Numerical", "abc", ["'abc'", "Numerical", "Write a number"]),
        ("Numerical", "0,5", ["Write a point"]),
        ("Numerical", "1_000", ["without underscores"]),
        ("Numerical", "nan", ["NaN and infinity are refused"]),
        ("Numerical", "-Infinity", ["NaN and infinity are refused"]),
        ("Numerical", "1e999", ["too large"]),
        ("Numerical", "٣", ["Write a number"]),
        ("Numerical", "9" * 5000, ["too large"]),
        ("Numerical", "None", ["Leave it empty"]),
        ("Boolean", "maybe", ["true or false"]),
        ("DateTime", "23.11.2026", ["ISO 8601"]),
        ("List", "['a']", ["double quotes"]),
        ("List", "a, b", ["Write JSON"]),
        ("List", "[True]", ["true, false and null"]),
        ("List", "[NaN]", ["write null"]),
        ("List", "[1e999]", ["`x`[0]", "NaN and infinity"]),
        ("List", "[" * 100_000, ["Write JSON"]),
        ("List", "[" * 100 + "]" * 100, ["deeper than 64"]),
        ("Array[Numerical]", '["0.8"]', ["`x`[0]", "without quotes"]),
        ("Map[String, String]", '{"a": "1", "a": "2"}', ["'a' stands there twice"]),
        ("Map[Numerical, String]", '{"one": "a"}', ["'one'", "Numerical"]),
        ("Map[Numerical, String]", '{"": "a"}', ["None is no key"]),
        ("Struct[a: String]", '{"b": "x"}', ["`a` is missing"]),
    ],
)
def test_text_that_does_not_parse_names_argument_value_type_and_way_out(
    text: str, written: str, parts: list[str]
) -> None:
    message = refusal(lambda: parse(text).from_text(written, "x"))
    assert message.startswith("Argument `x`") and len(message) < 400
    for part in parts:
        assert part in message


def test_the_text_none_as_a_strings_default_means_none() -> None:
    assert parse("String").from_default("None", "label") is None
    assert parse("String").from_default("none", "label") == "none"
    assert parse("Numerical").from_default("0.5", "threshold") == 0.5
    assert parse("Map[String, String]").from_default("", "labels") is None
    assert "Leave it empty" in refusal(lambda: parse("Numerical").from_default("None", "threshold"))


def test_only_text_is_parsed_as_text() -> None:
    assert "found float" in refusal(lambda: parse("Numerical").from_text(0.5, "x"))  # type: ignore[arg-type]


def test_text_of_any_value_reads_back_as_the_value() -> None:
    seeded = random.Random(5)
    for _ in range(3000):
        found = parse(some_type(seeded, seeded.randint(0, 3)))
        value = some_value(seeded, found)
        text = found.to_text(value)
        back = found.from_text(text, "x")
        assert back == value, (str(found), text)
        assert classes(back) == classes(found.check(value, "x")), (str(found), text)


def test_only_a_value_of_the_type_has_a_text() -> None:
    assert parse("Boolean").to_text(True) == "true"
    assert parse("Map[String, String]").to_text({"name": "é"}) == '{"name": "é"}'
    assert "Numerical" in refusal(lambda: parse("Numerical").to_text("abc"))
