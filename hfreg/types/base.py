"""Type: what every type of the notation does, and Converted, what holding an answer to one gives.

A kind of type says how it takes a value (`take`), reads a text (`read`) and describes itself; the occasions
(an argument from Python, an argument as text, an answer) are here and are the same for every kind.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from hfreg.errors import HfregError
from hfreg.types.plain import take_any
from hfreg.types.walk import AnswerWalk, ArgumentWalk, TextWalk, Walk, cut

MAX_TEXT = 10_000_000


class Converted(NamedTuple):
    """An answer held to its output type: the plain value, and a sentence per kind of change made to it."""

    value: Any
    warnings: tuple[str, ...] = ()


class Type(ABC):
    """A type of an argument or an answer: frozen, hashable, equal by what it says; admits None."""

    kind: ClassVar[str]
    widget: ClassVar[str]
    """What a form shows: `text_area`, `number`, `switch`, `date` or `json`."""

    @property
    @abstractmethod
    def python(self) -> str:
        """The type in Python's notation, such as `dict[str, str]`."""

    @property
    @abstractmethod
    def annotation(self) -> Any:
        """The type as a Python annotation, for `inspect.Signature`."""

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the values that the type admits, null among them."""

    @abstractmethod
    def take(self, value: Any, walk: Walk) -> Any:
        """Return the plain value that the type makes of a value, on this walk; raises what the walk says."""

    @abstractmethod
    def keeping(self, value: Any) -> Type:
        """Return the type nearest to this one that keeps a plain value as it is."""

    def loosest(self) -> Type:
        """Return the type of this kind that keeps most."""
        return self

    def check(self, value: Any, name: str) -> Any:
        """Return the plain Python value of an argument given from Python.

        Raises ArgumentError naming the argument, the place in it, the type wanted, the value and the way out.
        """
        walk = ArgumentWalk(name)
        return _guarded(walk, lambda: self.take(value, walk))

    def from_text(self, text: str, name: str) -> Any:
        """Return the value of an argument that came as text (form, CSV cell, command line); empty is None.

        Raises ArgumentError naming the argument, the text, the type and the way out.
        """
        walk = TextWalk(name)
        if not isinstance(text, str):
            raise walk.error(f"a text was expected, found {type(text).__name__}. Use check() for Python values.")
        if len(text) > MAX_TEXT:
            raise walk.unread(self, text, f"It is longer than {MAX_TEXT:,} characters.")
        return None if text == "" else _guarded(walk, lambda: self.read(text, walk))

    def from_default(self, text: str, name: str) -> Any:
        """Return the value of a stored default: as `from_text`, but the text `None` of a String is None."""
        return self.from_text(text, name)

    def to_text(self, value: Any) -> str:
        """Return the text that `from_text` reads as this value; None is the empty text.

        The one value without a text of its own is the empty String, which reads back as None.
        Raises ArgumentError when the value is not of the type.
        """
        value = self.check(value, "value")
        return "" if value is None else self.write(value)

    def convert(self, value: Any) -> Converted:
        """Hold an answer to the type: foreign objects become plain, changes of kind are made and told.

        Raises OutputError naming the place, the type wanted, the value found and the way out.
        """
        walk = AnswerWalk()
        try:
            held = self.take(value, walk)
        except HfregError:
            raise
        except (Exception, SystemExit) as error:
            raise walk.broken(error) from error
        return Converted(held, walk.warnings(self._kept(value)) if walk.changes else ())

    def read(self, text: str, walk: TextWalk) -> Any:
        """Return what a text says; containers are JSON."""
        try:
            value = loads(text)
        except ValueError as error:
            raise walk.unread(self, text, str(error) if isinstance(error, Repeated) else "") from None
        return self.take(value, walk)

    def write(self, value: Any) -> str:
        """Return the text of a value that is of the type; containers are JSON."""
        return json.dumps(value, ensure_ascii=False, default=datetime.isoformat)

    def _kept(self, value: Any) -> str:
        """Name the types that would have kept an answer unchanged, by a second look at it."""
        if type(value) is dict and _is_flat_record(value):
            return _kept_record(self, tuple(value), tuple(map(type, value.values())))
        try:
            return self._naming(take_any(value, self, AnswerWalk()))
        except (Exception, SystemExit):  # an object that gives its items once only
            return "Any"

    def _naming(self, held: Any) -> str:
        types = [one for one in (self.keeping(held), self.loosest()) if _keeps(one, held)]
        names = dict.fromkeys(str(one) for one in types)
        return " or ".join(name for name in names if len(name) <= 300) or "Any"

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"


class Repeated(ValueError):
    """A JSON object with the same key twice."""


def loads(text: str) -> Any:
    """Read JSON strictly: no NaN, no key twice; raises ValueError, also when it is nested too deep."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deep") from None


_SAMPLES: dict[type, Any] = {str: "", int: 1, float: 0.5, bool: True, type(None): None}
_CLASSES = frozenset(_SAMPLES)


def _is_flat_record(value: dict[Any, Any]) -> bool:
    return (
        len(value) <= 12
        and _CLASSES.issuperset(map(type, value.values()))
        and all(type(name) is str and len(name) < 64 for name in value)
    )


@lru_cache(maxsize=256)
def _kept_record(wanted: Type, names: tuple[Any, ...], classes: tuple[type, ...]) -> str:
    """Name the types that keep a flat record: it depends on nothing but names and classes, call after call."""
    held = {name: _SAMPLES[found] for name, found in zip(names, classes, strict=True)}
    return wanted._naming(held)


def _keeps(one: Type, value: Any) -> bool:
    walk = AnswerWalk()
    return one.take(value, walk) == value and not walk.changes


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Repeated(f"The key {cut(twice)!r} stands there twice; keep one.")
    return held


def _guarded(walk: Walk, look: Callable[[], Any]) -> Any:
    try:
        return look()
    except HfregError:
        raise
    except (Exception, SystemExit) as error:  # an object that raises when it is looked at
        raise walk.broken(error) from error
