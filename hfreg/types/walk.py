"""Walk: where a value is being looked at, and how its faults are told.

A walk keeps the path inside containers, stops at cycles, at too deep nesting and at too many values, and
turns a misfit into the error of its occasion: an argument from Python, an argument as text, an answer.
Only an answer may change its kind; such changes are collected and told as warnings, one per kind of change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from hfreg.errors import ArgumentError, HfregError, OutputError
from hfreg.types.advice import advice, text_advice

MAX_DEPTH = 64
MAX_VALUES = 10_000_000
LOOK = 10  # what looking at one value costs of MAX_VALUES, against 1 for one of a flat list taken as a whole
SHOWN = 60

_START = object()
_PLAIN = (str, int, float, bool, type(None))


def _word(value: object) -> str:
    return "number" if type(value) in {int, float} else type(value).__name__


class Kind(Protocol):
    """What a walk must know of a type: its kind; `str()` gives its notation."""

    @property
    def kind(self) -> str: ...


def cut(text: str, width: int = SHOWN) -> str:
    """Return the text, cut to `width` characters with an ellipsis when it is longer."""
    return text if len(text) <= width else text[: width - 1] + "…"


def show(value: object) -> str:
    """Return a short description of a found value; runs no code of a foreign object."""
    if value is None:
        return "None"
    found = type(value)
    if found in _PLAIN or found in {list, tuple, set, dict}:
        return f"{cut(_literal(value, 2))} ({found.__name__})"
    if found.__name__ in {"function", "builtin_function_or_method", "method"}:
        return f"the function {cut(str(getattr(value, '__name__', '')), 40)}"
    if found is type:
        return "a class"
    return f"an object of the class {cut(f'{found.__module__}.{found.__qualname__}'.removeprefix('builtins.'))}"


def _literal(value: object, depth: int) -> str:
    found = type(value)
    if found is str:
        return repr(value[:SHOWN])  # type: ignore[index]
    if found is int:
        bits = int.bit_length(value)  # type: ignore[arg-type]
        return repr(value) if bits < 1000 else f"a number of {bits:,} bits"
    if found in _PLAIN:
        return repr(value)
    if depth == 0 or found not in {list, tuple, set, dict}:
        return "…"
    return _container(value, depth)


def _container(value: object, depth: int) -> str:
    found = type(value)
    left, right = ("[", "]") if found is list else ("(", ")") if found is tuple else ("{", "}")
    parts: list[str] = []
    for item in value:  # type: ignore[attr-defined]
        if len(parts) == 4:
            parts.append("…")
            break
        text = _literal(item, depth - 1)
        parts.append(f"{text}: {_literal(value[item], depth - 1)}" if found is dict else text)  # type: ignore[index]
    return f"{left}{', '.join(parts)}{right}"


def step(key: object) -> str:
    """Return one step of a path: `["scores"]`, `[3]`."""
    if type(key) is str:
        return f"[{json.dumps(cut(key, 40), ensure_ascii=False)}]"
    return f"[{cut(_literal(key, 0), 40)}]"


class Walk:
    """The state of looking at one value; made for one use."""

    answer: ClassVar[bool] = False
    reads_text: ClassVar[bool] = False

    __slots__ = ("_left", "_open", "path")

    def __init__(self) -> None:
        self.path: list[object] = []
        self._open: set[int] = set()
        self._left = MAX_VALUES

    def enter(self, value: object, wanted: Kind, count: int) -> None:
        """Step into a container of `count` items; the caller then names each item in `path[-1]`."""
        if id(value) in self._open:
            raise self.misfit(wanted, value, "It contains itself, which no answer or argument may.")
        if len(self.path) >= MAX_DEPTH:
            raise self.misfit(wanted, value, f"It is nested deeper than {MAX_DEPTH}.")
        self.count(value, wanted, count * LOOK)
        self._open.add(id(value))
        self.path.append(_START)

    def count(self, value: object, wanted: Kind, cost: int) -> None:
        """Count what is taken: a small value that holds itself many times over unfolds without end."""
        self._left -= cost
        if self._left < 0:
            limit = f"at most {MAX_VALUES:,} in flat lists, {MAX_VALUES // LOOK:,} otherwise"
            raise self.misfit(wanted, value, f"It holds too many values; {limit}.")

    def leave(self, value: object) -> None:
        """Step out of the container that was entered last."""
        self._open.discard(id(value))
        self.path.pop()

    def where(self) -> str:
        """Return the path so far, such as `["scores"][3]`."""
        return "".join(step(key) for key in self.path if key is not _START)

    def misfit(self, wanted: Kind, value: object, hint: str | None = None) -> HfregError:
        """Return the error that tells place, type wanted, value found and the way out."""
        hint = advice(wanted.kind, value, self.answer) if hint is None else hint
        return self.error(f"wanted {cut(str(wanted), 200)}, found {show(value)}. {hint}")

    def broken(self, error: BaseException) -> HfregError:
        """Return the error for a value whose own code raised while it was looked at."""
        return self.error(f"could not be read, {type(error).__name__} was raised by it. Use plain Python values.")

    def change(self, wanted: Kind, value: object, became: object) -> object:
        """Give the value in its new kind, where this occasion allows it."""
        raise self.misfit(wanted, value)

    def error(self, what: str) -> HfregError:
        """Return the error of this occasion; `what` follows the place."""
        raise NotImplementedError


class ArgumentWalk(Walk):
    """Looks at an argument given from Python."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def error(self, what: str) -> HfregError:
        return ArgumentError(f"Argument `{self.name}`{self.where()}: {what}")


class TextWalk(ArgumentWalk):
    """Looks at an argument that came as text: dates and the numbers among keys are text there."""

    reads_text: ClassVar[bool] = True

    __slots__ = ()

    def unread(self, wanted: Kind, text: str, hint: str = "") -> HfregError:
        """Return the error for a text that is not of the type."""
        hint = hint or text_advice(wanted.kind, text)
        return self.error(f"{cut(text)!r} is not of the type {cut(str(wanted), 200)}. {hint}")


@dataclass
class _Change:
    where: str
    what: str
    more: int = 0

    def sentence(self, keeping: str) -> str:
        also = f" (and {self.more:,} more like it)" if self.more else ""
        return f"{self.where or 'The answer'}: {self.what}{also}. The output type {keeping} would keep it."


class AnswerWalk(Walk):
    """Looks at an answer; collects the changes of kind."""

    answer: ClassVar[bool] = True

    __slots__ = ("changes",)

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[tuple[str, str], _Change] = {}

    def error(self, what: str) -> HfregError:
        where = self.where()
        return OutputError(f"The answer at {where}: {what}" if where else f"The answer: {what}")

    def change(self, wanted: Kind, value: object, became: object) -> object:
        kinds = _word(value), _word(became)
        self._record(kinds, lambda: f"{show(value)} became {show(became)}")
        return became

    def drop(self, wanted: Kind, value: object) -> None:
        """Record that a field which the type does not have was left out; the path already names it."""
        notation = cut(str(wanted), 200)
        self._record(("field", "nothing"), lambda: f"{show(value)} was left out, {notation} has no such field")

    def warnings(self, keeping: str) -> tuple[str, ...]:
        """Return one sentence per kind of change; `keeping` names the types that would have kept all."""
        return tuple(change.sentence(keeping) for change in self.changes.values())

    def _record(self, kinds: tuple[str, str], tell: Callable[[], str]) -> None:
        if kinds in self.changes:
            self.changes[kinds].more += 1
        else:
            self.changes[kinds] = _Change(self.where(), tell())
