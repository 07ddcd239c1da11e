"""Scalars: String, Numerical, Boolean, DateTime, and Any.

One small class per kind. Values of other libraries are made plain by `hfreg.types.plain` first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from hfreg.types.advice import NUMBER
from hfreg.types.base import Type, loads
from hfreg.types.plain import finite, scalar, take_any
from hfreg.types.walk import TextWalk, Walk

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, repr=False)
class _Scalar(Type):
    plain: ClassVar[str]
    schema: ClassVar[dict[str, Any]]

    def __str__(self) -> str:
        return self.kind

    @property
    def python(self) -> str:
        return self.plain

    def json_schema(self) -> dict[str, Any]:
        return dict(self.schema)

    def keeping(self, value: Any) -> Type:
        return self if value is None else scalar_type(value)

    def loosest(self) -> Type:
        return Anything()


@dataclass(frozen=True, repr=False)
class String(_Scalar):
    """Text."""

    kind: ClassVar[str] = "String"
    plain: ClassVar[str] = "str"
    widget: ClassVar[str] = "text_area"
    annotation: ClassVar[Any] = str
    schema: ClassVar[dict[str, Any]] = {"type": ["string", "null"]}

    def take(self, value: Any, walk: Walk) -> Any:
        if type(value) is str or value is None:
            return value
        held = scalar(value)
        if type(held) is str or held is None:
            return held
        if type(held) is bool:
            return walk.change(self, held, str(held))
        if type(held) in {int, float}:
            return walk.change(self, finite(held, self, walk), str(held))
        if type(held) is datetime:
            return walk.change(self, held, held.isoformat())
        raise walk.misfit(self, held)

    def read(self, text: str, walk: TextWalk) -> str:
        return text

    def from_default(self, text: str, name: str) -> Any:
        return None if text == "None" else self.from_text(text, name)

    def write(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, repr=False)
class Numerical(_Scalar):
    """A finite number; an int stays an int."""

    kind: ClassVar[str] = "Numerical"
    plain: ClassVar[str] = "float"
    widget: ClassVar[str] = "number"
    annotation: ClassVar[Any] = float | int
    schema: ClassVar[dict[str, Any]] = {"type": ["number", "null"]}

    def take(self, value: Any, walk: Walk) -> Any:
        if value is None:
            return None
        held = scalar(value)
        if type(held) in {int, float}:
            return finite(held, self, walk)
        if type(held) is bool:
            return walk.change(self, held, int(held))
        if held is None:
            return None
        raise walk.misfit(self, held)

    def read(self, text: str, walk: TextWalk) -> int | float | None:
        stripped = text.strip()
        if not stripped:
            return None
        if not NUMBER.fullmatch(stripped) or len(stripped) > 3900:
            raise walk.unread(self, text)
        if stripped.lstrip("+-").isdigit():
            return int(stripped)
        number = float(stripped)
        if not math.isfinite(number):
            raise walk.unread(self, text)
        return number

    def write(self, value: Any) -> str:
        return repr(value)


@dataclass(frozen=True, repr=False)
class Boolean(_Scalar):
    """True or False."""

    kind: ClassVar[str] = "Boolean"
    plain: ClassVar[str] = "bool"
    widget: ClassVar[str] = "switch"
    annotation: ClassVar[Any] = bool
    schema: ClassVar[dict[str, Any]] = {"type": ["boolean", "null"]}

    def take(self, value: Any, walk: Walk) -> Any:
        held = scalar(value)
        if type(held) is bool or held is None:
            return held
        if type(held) in {int, float} and held in (0, 1):
            return walk.change(self, held, bool(held))
        raise walk.misfit(self, held)

    def read(self, text: str, walk: TextWalk) -> bool | None:
        stripped = text.strip().lower()
        if not stripped:
            return None
        if stripped not in _BOOLEANS:
            raise walk.unread(self, text)
        return _BOOLEANS[stripped]

    def write(self, value: Any) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, repr=False)
class DateTime(_Scalar):
    """A moment; a date is its midnight, text is ISO 8601."""

    kind: ClassVar[str] = "DateTime"
    plain: ClassVar[str] = "datetime.datetime"
    widget: ClassVar[str] = "date"
    annotation: ClassVar[Any] = datetime
    schema: ClassVar[dict[str, Any]] = {"type": ["string", "null"], "format": "date-time"}

    def take(self, value: Any, walk: Walk) -> Any:
        held = scalar(value)
        if type(held) is datetime or held is None:
            return held
        if type(held) is not str:
            raise walk.misfit(self, held)
        try:
            moment = datetime.fromisoformat(held.strip())
        except ValueError:
            raise walk.misfit(self, held) from None
        return moment if walk.reads_text else walk.change(self, held, moment)

    def read(self, text: str, walk: TextWalk) -> datetime | None:
        stripped = text.strip()
        try:
            return datetime.fromisoformat(stripped) if stripped else None
        except ValueError:
            raise walk.unread(self, text) from None

    def write(self, value: Any) -> str:
        return str(value.isoformat())


@dataclass(frozen=True, repr=False)
class Anything(_Scalar):
    """`Any`: text, numbers, booleans, moments, and lists and dicts of them."""

    kind: ClassVar[str] = "Any"
    plain: ClassVar[str] = "Any"
    widget: ClassVar[str] = "json"
    annotation: ClassVar[Any] = Any
    schema: ClassVar[dict[str, Any]] = {}

    def take(self, value: Any, walk: Walk) -> Any:
        return take_any(value, self, walk)

    def keeping(self, value: Any) -> Type:
        return self

    def read(self, text: str, walk: TextWalk) -> Any:
        """JSON when it is JSON, else the text itself."""
        try:
            value = loads(text)
        except ValueError:
            return text
        return take_any(value, self, walk)

    def write(self, value: Any) -> str:
        if type(value) is not str:
            return super().write(value)
        try:
            loads(value)
        except ValueError:
            return value or '""'
        return super().write(value)


def scalar_type(value: Any) -> Type:
    """Return the type of a plain scalar; of anything else Any."""
    return _OF_CLASS.get(type(value), Anything())


_OF_CLASS: dict[type, Type] = {
    str: String(),
    bool: Boolean(),
    int: Numerical(),
    float: Numerical(),
    datetime: DateTime(),
}
