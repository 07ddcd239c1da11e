"""Labelled rows: what was expected, what was answered, and the values in which both are compared.

Covers what counts as missing, how labels of different kinds are written alike (`True` and `"true"`, `1` and `"1"`), and
which kind of evaluation rows ask for. Computes no metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hfreg.errors import EvaluationError

Kind = Literal["classification", "regression", "text", "retrieval"]
KINDS: tuple[Kind, ...] = ("classification", "regression", "text", "retrieval")
FAILED, NOTHING = "(error)", "(no answer)"
"""What a row without an answer counts as: an answer that is never right."""
MOST_LABELS = 50
_SWITCHES = {"true": "true", "false": "false", "yes": "true", "no": "false", "1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows as columns of one length: `expected` is the truth, `predicted` the answer, whose `status` is `ok` or not.

    `scores` holds a number for each row, or a mapping from label to number. `columns` are what slices are taken from.
    """

    expected: Sequence[Any]
    predicted: Sequence[Any]
    status: Sequence[str] = ()
    scores: Sequence[Any] = ()
    milliseconds: Sequence[float | None] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spare = {"status": self.status, "scores": self.scores, "milliseconds": self.milliseconds}
        given = {name: values for name, values in spare.items() if len(values)}
        for name, values in {"predicted": self.predicted, **given, **self.columns}.items():
            if len(values) != len(self.expected):
                raise EvaluationError(f"{len(self.expected):,} rows have a truth, but `{name}` has {len(values):,}.")

    def __len__(self) -> int:
        return len(self.expected)

    def answered(self, place: int) -> bool:
        """Say whether a row has an answer that is not an error."""
        return not self.status or self.status[place] == "ok"

    def take(self, places: Sequence[int]) -> Labelled:
        """Return the rows at these places."""

        def picked(values: Sequence[Any]) -> list[Any]:
            return [values[place] for place in places] if len(values) else []

        return Labelled(
            picked(self.expected),
            picked(self.predicted),
            picked(self.status),
            picked(self.scores),
            picked(self.milliseconds),
            {name: picked(values) for name, values in self.columns.items()},
        )


def is_missing(value: Any) -> bool:
    """Say whether a cell holds nothing: None, an empty text, NaN.

    >>> [is_missing(v) for v in (None, " ", float("nan"), 0, False, "x")]
    [True, True, True, False, False, False]
    """
    return (
        value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value)
    )


def number(value: Any) -> float | None:
    """Return a cell as a number, None when it is none; a switch is none.

    >>> number("0.5"), number(" 3 "), number(True), number("n/a"), number("inf")
    (0.5, 3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def label(value: Any) -> str:
    """Return a value as the label that it is.

    >>> label(True), label(1.0), label(" spam "), label(None)
    ('true', '1', 'spam', '(no answer)')
    """
    if is_missing(value):
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def labels(rows: Labelled) -> tuple[list[str], list[str], list[str]]:
    """Return truths and answers as labels written alike, and sentences on what was done to that end."""
    truth = [label(value) for value in rows.expected]
    given = [label(v) if rows.answered(i) else FAILED for i, v in enumerate(rows.predicted)]
    wanted, found = set(truth) - {NOTHING}, set(given) - {NOTHING, FAILED}
    for fits, alike, said in _ALIKE:
        if not (fits(wanted) and fits(found)) or len({alike(w) for w in wanted}) < len(wanted):
            continue
        if len({alike(f) for f in found} - {alike(w) for w in wanted}) < len(found - wanted):
            kept = {NOTHING, FAILED}
            truth = [one if one in kept else alike(one) for one in truth]
            given = [one if one in kept else alike(one) for one in given]
            return truth, given, [said]
    if wanted and found and not wanted & found:
        return (
            truth,
            given,
            [f"No answer is a label of the truth: answers are {_some(found)}, the truth is {_some(wanted)}."],
        )
    return truth, given, []


def guess_kind(rows: Labelled) -> Kind:
    """Guess what is to be measured: by lists, numbers, how many different truths there are.

    >>> guess_kind(Labelled(["spam", "ham", "spam"], ["spam", "spam", "ham"]))
    'classification'
    """
    truth = [v for v in rows.expected if not is_missing(v)]
    given = [v for i, v in enumerate(rows.predicted) if rows.answered(i) and v is not None]
    if given and all(isinstance(v, list | tuple) for v in given):
        return "retrieval"
    distinct = {label(v) for v in truth}
    figures = bool(given) and all(number(v) is not None for v in given) and all(number(v) is not None for v in truth)
    if figures and (
        any(not float(n).is_integer() for v in given if (n := number(v)) is not None) or len(distinct) > 10
    ):
        return "regression"
    return "classification" if len(distinct) <= min(MOST_LABELS, max(2, len(truth) // 2)) else "text"


def _switch(text: str) -> str:
    return _SWITCHES[text.casefold()]


def _figure(text: str) -> str:
    return label(float(text))


def _is_switches(found: set[str]) -> bool:
    return bool(found) and all(one.casefold() in _SWITCHES for one in found)


def _numbers(found: set[str]) -> bool:
    return bool(found) and all(number(one) is not None for one in found)


def _some(found: set[str]) -> str:
    return ", ".join(f"`{one[:40]}`" for one in sorted(found)[:3]) + (", …" if len(found) > 3 else "")


_ALIKE: tuple[tuple[Callable[[set[str]], bool], Callable[[str], str], str], ...] = (
    (_is_switches, _switch, "`1`, `yes` and `true` are taken for one label, and so are `0`, `no` and `false`."),
    (_numbers, _figure, "Labels are numbers, and compared as numbers."),
    (bool, str.casefold, "Truth and answers are written with other capitals; labels are compared without."),
)
"""Ways to write labels alike: which labels they are for, how, and what is said of it."""
