"""What kind of thing an answer is, and how it is said in a line."""

from __future__ import annotations

from datetime import datetime

import pytest

from hfreg.ui import shapes
from hfreg.ui.shapes import Label, Nothing, Other, Rows, Scalar, Table, Text, Vector, brief, cosine, shape_of


@pytest.mark.parametrize(
    ("value", "label", "score"),
    [
        ({"sentiment": "positive", "confidence": 0.9}, "positive", 0.9),
        ({"sentiment": "positive", "confidence": "0.9"}, "positive", 0.9),
        ({"Label": "A", "Score": 1}, "A", 1.0),
        ([{"label": "A", "score": 0.2}, {"label": "B", "score": 0.8}], "B", 0.8),
        ([[{"label": "A", "score": 0.2}]], "A", 0.2),
        ({"ham": 0.25, "spam": 0.75}, "spam", 0.75),
    ],
)
def test_a_label_with_its_score_is_recognised_however_it_is_written(value: object, label: str, score: float) -> None:
    shape = shape_of(value)
    assert isinstance(shape, Label)
    assert (shape.label, shape.scores[0][1]) == (label, score)


def test_what_else_a_labelled_answer_says_is_kept() -> None:
    shape = shape_of({"label": "A", "score": 0.2, "tokens": 7})
    assert isinstance(shape, Label)
    assert shape.rest == {"tokens": 7}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, Nothing),
        (True, Scalar),
        (3, Scalar),
        (datetime(2026, 3, 1), Scalar),
        ("text", Text),
        ([0.1, 0.2, 0.3, 0.4], Vector),
        ([[0.1, 0.2, 0.3, 0.4]], Vector),
        ([1, 2], Other),
        ([True, False, True, True], Other),
        ([{"a": 1}, {"b": 2}], Table),
        ({"a": 1}, Rows),
        ({"label": "A", "score": 7}, Rows),
        ({"label": 1, "score": 0.5}, Rows),
        ({"precision": 0.9, "recall": 0.8}, Rows),
        ([], Other),
        ({}, Other),
        ([[1, 2], [3, 4]], Other),
    ],
)
def test_every_plain_value_has_a_shape(value: object, kind: type) -> None:
    assert isinstance(shape_of(value), kind)


def test_the_cosine_needs_two_vectors_of_one_length() -> None:
    assert cosine((1.0, 0.0), (1.0, 0.0)) == 1
    assert cosine((1.0, 0.0), (0.0, 2.0)) == 0
    assert cosine((1.0,), (1.0, 0.0)) is None
    assert cosine((0.0, 0.0), (1.0, 0.0)) is None


def test_an_answer_is_said_in_one_short_line() -> None:
    assert brief({"sentiment": "positive", "confidence": 0.9}) == "positive 0.900"
    assert brief([0.5] * 384) == "vector of 384 numbers"
    assert brief([{"a": 1}]) == "table of 1 rows"
    assert brief("one\ntwo") == "one two"
    assert len(brief("word " * 1000)) == 60
    assert len(brief({f"key{i}": "x" * 500 for i in range(1000)})) == 60


def test_a_label_too_long_for_large_type_is_told_from_a_short_one() -> None:
    assert Text("x" * shapes.SHORT).short
    assert not Text("x" * (shapes.SHORT + 1)).short
    assert not Text("a\nb").short
