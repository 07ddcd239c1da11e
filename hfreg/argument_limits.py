"""Argument limits: which values of its type an argument admits — a range, a list of choices, a max length.

Covers how limits are written down and read, what is wrong with them, and the sentence that refuses a value. None is
admitted whatever the limits, as by every type. It knows types and values; whose limits they are says `hfreg.argument`.
What one call may use in time and memory is `hfreg.definition.Limits`.

    >>> limits = read("Numerical", minimum=0, maximum=1)
    >>> str(limits)
    'from 0 to 1'
    >>> limits.problem(1.5)
    'wanted Numerical from 0 to 1, found 1.5 (float). Give 1 or less.'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple

from hfreg import types
from hfreg.errors import ArgumentError, HfregError
from hfreg.types.walk import cut, show

Written = bool | int | float | str | None
"""A limit as a definition holds it; a moment is ISO 8601. What cannot be read stays as it was written."""

FIELDS = ("minimum", "maximum", "choices", "max_length")
KINDS: dict[str, tuple[str, ...]] = {
    "Numerical": ("minimum", "maximum", "choices"),
    "DateTime": ("minimum", "maximum"),
    "String": ("choices", "max_length"),
    "Array": ("max_length",),
}
"""Which limits an argument of a kind may have; those that are not here have none."""
WORDS = {"minimum": "a minimum", "maximum": "a maximum", "choices": "choices", "max_length": "a max length"}
MAX_CHOICES = 100
LITERAL = 8
"""Choices up to which a signature lists them."""


_OF_MOMENTS = {"at least": "not before", "at most": "not after", "more": "later", "less": "earlier"}


class Problem(NamedTuple):
    """What is wrong with one limit: its field, and a sentence."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ArgumentLimits:
    """The limits of one argument, read by its type; None and empty where there is none."""

    type: types.Type
    minimum: Any = None
    maximum: Any = None
    choices: tuple[Any, ...] = ()
    max_length: int | None = None

    def check(self, value: Any, name: str) -> Any:
        """Return the plain value of an argument given from Python; raises ArgumentError, also beyond the limits."""
        return self._held(self.type.check(value, name), name)

    def from_text(self, text: str, name: str) -> Any:
        """Return the value of an argument that came as text; raises ArgumentError, also beyond the limits."""
        return self._held(self.type.from_text(text, name), name)

    def problem(self, value: Any) -> str | None:
        """Say what keeps a value of the type from being given, with the way out, or None."""
        if value is None:
            return None
        if self.choices and value not in self.choices:
            return f"wanted {self._one_of(LITERAL)}, found {show(value)}. {self._near(value)}"
        if self.minimum is not None and _before(value, self.minimum):
            return f"wanted {self._wanted()}, found {_show(value)}. Give {_text(self.minimum)} or {self._word('more')}."
        if self.maximum is not None and _before(self.maximum, value):
            return f"wanted {self._wanted()}, found {_show(value)}. Give {_text(self.maximum)} or {self._word('less')}."
        if self.max_length is not None and len(value) > self.max_length:
            return f"wanted {self._longest()}, found {len(value):,}. Shorten it."
        return None

    def admits(self, value: Any) -> bool:
        """Say whether a value of the type may be given."""
        return self.problem(value) is None

    @property
    def annotation(self) -> Any:
        """The type with the limits as a Python annotation: `Literal` for few choices, else a remark."""
        if self.choices and len(self.choices) <= LITERAL:
            return Literal[self.choices]
        return Annotated[self.type.annotation, str(self)]

    def __str__(self) -> str:
        parts = (
            self._range(),
            self._one_of(LITERAL) if self.choices else "",
            "" if self.max_length is None else self._longest(),
        )
        return ", ".join(filter(None, parts))

    def _held(self, value: Any, name: str) -> Any:
        if problem := self.problem(value):
            raise ArgumentError(f"Argument `{name}`: {problem}")
        return value

    def _range(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"from {_text(self.minimum)} to {_text(self.maximum)}"
        if self.minimum is not None:
            return f"{self._word('at least')} {_text(self.minimum)}"
        return "" if self.maximum is None else f"{self._word('at most')} {_text(self.maximum)}"

    def _wanted(self) -> str:
        between = " of " if self._range().startswith("at ") else " "
        return f"{self.type}{between}{self._range()}"

    def _word(self, word: str) -> str:
        return _OF_MOMENTS[word] if self.type.kind == "DateTime" else word

    def _one_of(self, most: int) -> str:
        more = f", … ({len(self.choices)} in all)" if len(self.choices) > most else ""
        return f"one of {', '.join(cut(repr(one)) for one in self.choices[:most])}{more}"

    def _longest(self) -> str:
        unit = "character" if self.type.kind == "String" else "item"
        return f"at most {self.max_length:,} {unit}{'' if self.max_length == 1 else 's'}"

    def _near(self, value: Any) -> str:
        texts = {str(one).casefold(): one for one in self.choices}
        near = get_close_matches(str(value)[:1000].casefold(), texts, n=1, cutoff=0.6) if type(value) is str else []
        return f"Did you mean {cut(repr(texts[near[0]]))}?" if near else "Give one of these."


def written(notation: Any, value: Any) -> Written:
    """Return a limit as a definition holds it: the plain value of the type, else what was given, as it was written."""
    if value is None or value == "":
        return None
    try:
        held = _read(types.parse(notation), value, "limit")
    except (HfregError, TypeError, AttributeError):
        held = value
    if isinstance(held, datetime):
        return held.isoformat()
    finite = not isinstance(held, float) or math.isfinite(held)
    return held if isinstance(held, (bool, int, float, str, type(None))) and finite else str(held)


def written_length(value: Any) -> Written:
    """Return a max length as a definition holds it."""
    length = written("Numerical", value)
    return int(length) if isinstance(length, float) and length.is_integer() else length


def read(
    notation: str,
    name: str = "limit",
    *,
    minimum: Written = None,
    maximum: Written = None,
    choices: tuple[Written, ...] = (),
    max_length: Written = None,
) -> ArgumentLimits:
    """Read the limits of an argument of a type; raises ArgumentError for the first that cannot be used."""
    given = {"minimum": minimum, "maximum": maximum, "choices": choices, "max_length": max_length}
    limits, problems = examine(types.parse(notation), name, given)
    if problems:
        raise ArgumentError(problems[0].message)
    return limits


def examine(kind: types.Type, name: str, given: dict[str, Any]) -> tuple[ArgumentLimits, list[Problem]]:
    """Read what can be read of limits, and list what is wrong with the rest."""
    given = {field: value for field, value in given.items() if value is not None and value != ()}
    problems = [Problem(field, _misplaced(kind, field)) for field in given if field not in KINDS.get(kind.kind, ())]
    held: dict[str, Any] = {}
    for field in (field for field in given if field in KINDS.get(kind.kind, ())):
        try:
            held[field] = _READERS[field](kind, given[field], name)
        except ArgumentError as error:
            problems.append(Problem(field, str(error)))
    limits = ArgumentLimits(kind, **held)
    return limits, problems or list(_contradictions(limits))


def _contradictions(limits: ArgumentLimits) -> Iterable[Problem]:
    least, most = limits.minimum, limits.maximum
    if least is not None and most is not None and _before(most, least):
        message = f"The maximum {_text(most)} is below the minimum {_text(least)}, so no value fits. Swap them."
        yield Problem("maximum", message)
        return
    for choice in limits.choices:
        if problem := limits.problem(choice):
            yield Problem("choices", f"The choice {cut(repr(choice))} could never be given: {problem}")


def _misplaced(kind: types.Type, field: str) -> str:
    its = [WORDS[one] for one in KINDS.get(kind.kind, ())]
    has = f"It may have {' and '.join(', '.join(its).rsplit(', ', 1))}" if its else "No limit fits it"
    return f"An argument of the type {cut(str(kind))} has no use for {WORDS[field]}. {has}; empty this one."


def _read(kind: types.Type, value: Any, name: str) -> Any:
    # Text is how forms and files say any value, but for a String, where it is the value.
    return kind.from_text(value, name) if type(value) is str else kind.check(value, name)


def _read_choices(kind: types.Type, values: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if len(values) > MAX_CHOICES:
        raise ArgumentError(f"`{name}` has {len(values):,} choices; at most {MAX_CHOICES} fit.")
    held: list[Any] = []
    for value in values:
        choice = None if value is None else _read(kind, value, name)
        if choice is None:
            raise ArgumentError("A choice is empty. Remove it: None can always be given.")
        if choice in held:
            raise ArgumentError(f"The choice {cut(repr(choice))} stands there twice. Keep one.")
        held.append(choice)
    return tuple(held)


def _read_length(kind: types.Type, value: Any, name: str) -> int:
    if type(value) is not int or value < 1:
        raise ArgumentError(f"The max length {cut(str(value))} is no whole number of at least 1.")
    return value


_READERS: dict[str, Callable[[types.Type, Any, str], Any]] = {
    "minimum": _read,
    "maximum": _read,
    "choices": _read_choices,
    "max_length": _read_length,
}


def _before(one: Any, other: Any) -> bool:
    """Compare two values of a type; of two moments of which one names no zone, the times on the clock are compared."""
    if isinstance(one, datetime) and (one.tzinfo is None) != (other.tzinfo is None):
        return one.replace(tzinfo=None) < other.replace(tzinfo=None)  # type: ignore[no-any-return]
    return one < other  # type: ignore[no-any-return]


def _show(value: Any) -> str:
    return _text(value) if isinstance(value, datetime) else show(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        whole = value.second == value.microsecond == 0
        return value.isoformat(timespec="minutes" if whole else "auto").removesuffix("T00:00")
    return cut(repr(value))
