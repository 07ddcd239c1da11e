"""Shapes: what kind of thing an answer is, so that it can be drawn as one.

Looks at the value first, because many models answer `Map` or `Any`. Pure: it draws nothing and changes nothing;
`hfreg.ui.answers` draws each shape. A value of no shape known here is shown as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LABELS = (
    "label", "sentiment", "class", "category", "topic", "verdict", "intent", "emotion", "language", "prediction",
    "result", "decision", "answer",
)  # fmt: skip
SCORES = ("score", "confidence", "probability", "prob", "certainty", "similarity")
SHORT = 60
"""Characters up to which a text is shown in large type."""
VECTOR = 4
"""A list of at least so many numbers is a vector."""


@dataclass(frozen=True)
class Nothing:
    """The model gave no answer."""


@dataclass(frozen=True)
class Scalar:
    """One number, truth value or moment, as text."""

    text: str


@dataclass(frozen=True)
class Text:
    """A text."""

    text: str

    @property
    def short(self) -> bool:
        """Whether it fits a line of large type."""
        return len(self.text) <= SHORT and "\n" not in self.text


@dataclass(frozen=True)
class Label:
    """What the model decided for, with a score in [0, 1] per label, best first, and what else it said."""

    name: str
    label: str
    scores: tuple[tuple[str, float], ...]
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Vector:
    """Numbers of one embedding."""

    numbers: tuple[float, ...]

    @property
    def norm(self) -> float:
        """Its Euclidean length."""
        return math.hypot(*self.numbers)


@dataclass(frozen=True)
class Table:
    """A list of maps."""

    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Rows:
    """One map."""

    pairs: Mapping[str, Any]


@dataclass(frozen=True)
class Other:
    """Anything else."""

    value: Any


Shape = Nothing | Scalar | Text | Label | Vector | Table | Rows | Other


def shape_of(value: Any) -> Shape:
    """Recognise an answer; every plain value has a shape.

    >>> shape_of({"sentiment": "positive", "confidence": "0.98"})
    Label(name='sentiment', label='positive', scores=(('positive', 0.98),), rest={})
    """
    if value is None:
        return Nothing()
    if isinstance(value, (bool, int, float)):
        return Scalar(repr(value))
    if isinstance(value, datetime):
        return Scalar(value.isoformat(sep=" "))
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, dict):
        return _label(value) or _scored(value) or (Rows(value) if value else Other(value))
    if isinstance(value, list):
        return _of_list(value)
    return Other(value)


def _of_list(value: list[Any]) -> Shape:
    if len(value) == 1 and isinstance(value[0], list):  # pipelines wrap the answer to one text in a list
        inner = shape_of(value[0])
        return inner if isinstance(inner, (Label, Vector, Table)) else Other(value)
    if len(value) >= VECTOR and all(type(item) in {int, float} for item in value):
        return Vector(tuple(map(float, value)))
    if value and all(isinstance(item, dict) for item in value):
        return _ranking(value) or Table(tuple(value))
    return Other(value)


def _label(value: dict[Any, Any]) -> Label | None:
    """Read {"label": text, "score": number} under any of their usual names; the number may have become text."""
    names = {str(key).lower(): key for key in value}
    name = next((names[n] for n in LABELS if n in names and isinstance(value[names[n]], str)), None)
    scored = next((names[n] for n in SCORES if n in names and share(value[names[n]]) is not None), None)
    if name is None or scored is None:
        return None
    score = share(value[scored])
    rest = {str(key): item for key, item in value.items() if key not in (name, scored)}
    return Label(str(name), value[name], ((value[name], score or 0.0),), rest)


def _scored(value: dict[Any, Any]) -> Label | None:
    """Read {"positive": 0.9, "negative": 0.1}: shares that make up a whole."""
    scores = [(str(key), float(item)) for key, item in value.items() if type(item) is float]
    if len(scores) != len(value) or len(scores) < 2 or not math.isclose(sum(s for _, s in scores), 1, abs_tol=0.02):
        return None
    if any(not 0 <= score <= 1 for _, score in scores):
        return None
    ranked = tuple(sorted(scores, key=lambda pair: -pair[1]))
    return Label("label", ranked[0][0], ranked)


def _ranking(value: list[dict[Any, Any]]) -> Label | None:
    """Read [{"label": …, "score": …}, …]."""
    read = [_label(item) for item in value]
    if any(one is None or one.rest for one in read):
        return None
    found = [one for one in read if one is not None]
    ranked = tuple(sorted((one.scores[0] for one in found), key=lambda pair: -pair[1]))
    return Label(found[0].name, ranked[0][0], ranked)


def share(value: Any) -> float | None:
    """Return a number, or a number that became text, when it lies in [0, 1]; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float | None:
    """Return the cosine of two vectors; None when their lengths differ or one of them is zero."""
    norms = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or norms == 0:
        return None
    return sum(a * b for a, b in zip(one, other, strict=True)) / norms


def brief(value: Any, most: int = 60) -> str:
    """Say an answer, or the arguments of a call, in one short line."""
    shape = shape_of(value)
    if isinstance(shape, Label):
        said = f"{shape.label} {shape.scores[0][1]:.3f}"
    elif isinstance(shape, Vector):
        said = f"vector of {len(shape.numbers)} numbers"
    elif isinstance(shape, Table):
        said = f"table of {len(shape.rows)} rows"
    elif isinstance(shape, Rows):
        said = ", ".join(f"{key}: {brief(item, 30)}" for key, item in list(shape.pairs.items())[:8])
    else:
        said = str(value)[: 4 * most]
    line = " ".join(said.split())
    return line if len(line) <= most else line[: most - 1] + "…"
