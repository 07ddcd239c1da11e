"""What crosses between a worker and its supervisor: every value as it was, and nothing over the limits."""

from __future__ import annotations

import json
import math
import time
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest

import hfreg
from hfreg import types
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import HEAD, MAX_ANSWER, MAX_ITEMS, BadFrame
from hfreg.engine.isolated.errors import CROSSING, MAX_TEXT, from_frame, to_frame

VALUES: list[tuple[str, Any]] = [
    ("String", "ü \U0001f600 \x00 \ud800"),
    ("String", None),
    ("Numerical", 2**200),
    ("Numerical", -0.1),
    ("Boolean", True),
    ("DateTime", datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    ("DateTime", datetime(2026, 1, 2)),
    ("Map[String, Numerical]", {"a": 1, "b": 0.5}),
    ("Map[Numerical, String]", {1: "a", 0.5: "b"}),
    ("Map[String, Any]", {"$moment": "2026-01-02", "$pairs": [], "$": 1}),
    ("Map[String, Map[Numerical, DateTime]]", {"a": {1: datetime(2026, 1, 2)}}),
    ("Array[Numerical]", [1, 2.5, None]),
    ("Array[Array[String]]", [["a"], []]),
    ("Struct[label: String, at: DateTime]", {"label": "a", "at": datetime(2026, 1, 2)}),
    ("Any", {"a": [1, {"b": [True, None, datetime(2026, 1, 2), {1: "x"}]}]}),
]


def crossed(value: Any) -> Any:
    data = channel.encode({"value": channel.pack(value)}, MAX_ANSWER)
    return channel.unpack(channel.decode(data[HEAD.size :])["value"])


@pytest.mark.parametrize(("notation", "value"), VALUES)
def test_a_value_of_every_type_comes_back_as_it_was(notation: str, value: Any) -> None:
    held = types.parse(notation).convert(value).value
    back = crossed(held)
    assert back == held
    assert repr(back) == repr(held), "the same kinds, not only equal"


def test_every_type_of_the_notation_is_among_them() -> None:
    notations = {notation.partition("[")[0] for notation, _ in VALUES}
    assert notations == {"String", "Numerical", "Boolean", "DateTime", "Map", "Array", "Struct", "Any"}


def test_a_frame_over_its_length_is_not_made() -> None:
    with pytest.raises(BadFrame, match=r"20\.0 MiB"):
        channel.encode({"value": "x" * (20 << 20)}, MAX_ANSWER)


@pytest.mark.parametrize("bomb", [b"[" * 5_000_000, b"[" + b"[]," * 2_000_000 + b"1]", b'{"a":' * 3_000_000])
def test_a_frame_of_too_many_values_is_refused_before_it_takes_memory(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadFrame, match="more than"):
            channel.decode(b'{"value":' + bomb + b"}")
        assert tracemalloc.get_traced_memory()[1] < 3 * len(bomb) + (1 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", [b'\\"' * 500_000, b'"' + b"x" * 1_000_000, b'""' * 500_000])
def test_texts_made_to_be_looked_at_again_and_again_are_counted_in_one_go(text: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadFrame):
        channel.decode(text + b"," * (MAX_ITEMS + 1))
    assert time.process_time() - started < 5


def test_numbers_chosen_to_collide_in_a_dict_are_refused() -> None:
    started = time.process_time()
    with pytest.raises(BadFrame, match="collide"):
        channel.unpack({"$pairs": [[number * (2**61 - 1), 0] for number in range(100_000)]})
    assert time.process_time() - started < 5
    assert len(channel.unpack({"$pairs": [[number, 0] for number in range(100_000)]})) == 100_000


def test_a_long_text_full_of_commas_is_one_value() -> None:
    text = ',[{"\\' * (MAX_ITEMS // 2)
    assert channel.decode(json.dumps({"value": text}).encode())["value"] == text


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        channel.decode(data)


@pytest.mark.parametrize(
    "tagged",
    [{"$moment": 1}, {"$moment": "soon"}, {"$pairs": 1}, {"$pairs": [[1]]}, {"$pairs": [[[], 1]]}, {"$pairs": None}],
)
def test_a_tag_that_holds_something_else_is_refused(tagged: Any) -> None:
    with pytest.raises(BadFrame):
        channel.unpack(tagged)


def test_a_value_nested_deeper_than_python_goes_is_refused() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(BadFrame, match="too deep"):
        channel.unpack(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {"a": object()}, [[1j]]])
def test_what_is_not_plain_does_not_cross(value: Any) -> None:
    with pytest.raises(BadFrame, match="does not cross"):
        channel.pack(value)


def test_numbers_without_a_value_cross_and_are_judged_by_the_type() -> None:
    assert math.isnan(crossed(math.nan))


@pytest.mark.parametrize("name", CROSSING)
def test_an_error_crosses_with_its_class_and_sentence(name: str) -> None:
    error = from_frame(json.loads(json.dumps(to_frame(CROSSING[name]("It is so.")))))
    assert type(error) is CROSSING[name]
    assert str(error) == "It is so."


def test_an_error_of_scoring_logic_keeps_its_kind_and_line() -> None:
    error = from_frame(to_frame(hfreg.ScoringError("no", "KeyError", 3)))
    assert isinstance(error, hfreg.ScoringError)
    assert (error.kind, error.line) == ("KeyError", 3)


@pytest.mark.parametrize(
    "told",
    [None, 1, [], {}, {"error": "SystemExit"}, {"error": ["x"]}, {"error": "ScoringError", "line": "x", "type": []},
     {"error": "EngineClosed", "message": "x"}, {"error": "__import__", "message": {"a": 1}}],
)  # fmt: skip
def test_whatever_a_worker_says_of_an_error_it_becomes_one_of_scoring_logic(told: Any) -> None:
    assert type(from_frame(told)) is hfreg.ScoringError


def test_a_sentence_of_a_worker_is_cut() -> None:
    assert len(str(from_frame({"error": "HubError", "message": "x" * 10**6}))) == MAX_TEXT
