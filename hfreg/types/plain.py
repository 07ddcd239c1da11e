"""Plain: the plain Python values behind the objects of other libraries, quietly and without importing them.

Covers numpy and torch scalars and arrays, pandas scalars, Series and frames, enums, decimals, named tuples,
dataclasses, pydantic models, mappings and iterables. It looks at classes, never at what an object says its
class is, and takes a subclass of a plain class by the plain part. What raises here is caught by the type's
own `check` and `convert`. Which kind was wanted is not its business, but for `take_any`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from typing import Any

from hfreg.types.walk import MAX_VALUES, Kind, Walk

MAX_BITS = 13_000  # about 3,900 digits: Python refuses to write an int of more than 4,300

_DONE = frozenset({str, int, float, bool, type(None), list, dict, datetime})
_NUMBERS = frozenset({int, float})
_TEXTLIKE = frozenset({str, bool, type(None)})
_TEXTS = frozenset({str, type(None)})
_NO_LISTS = (str, bytes, bytearray, memoryview, Mapping, io.IOBase)


def scalar(value: Any) -> Any:
    """Return the plain value of a foreign scalar or array; anything else as it is."""
    found = type(value)
    if found in _DONE:
        return value
    if issubclass(found, Enum):
        return scalar(value.value)
    for plain in (str, int, float):
        if issubclass(found, plain):
            return plain.__str__(value) if plain is str else _number(plain, value)
    if found.__name__ in {"NaTType", "NAType"} and _library(found) == "pandas":
        return None
    if issubclass(found, date):
        return _moment(value)
    if issubclass(found, (Decimal, Fraction)):
        return float(value)
    if hasattr(found, "tolist") and not issubclass(found, (memoryview, Mapping)):
        return _listed(value)
    return value


def _number(plain: type, value: Any) -> Any:
    return int.__int__(value) if plain is int else float.__float__(value)


def _library(found: type) -> str:
    return found.__module__.partition(".")[0]


def _moment(value: Any) -> datetime:
    if not issubclass(type(value), datetime):
        return datetime(value.year, value.month, value.day)
    clock = value.hour, value.minute, value.second, value.microsecond
    return datetime(value.year, value.month, value.day, *clock, tzinfo=value.tzinfo, fold=value.fold)


def _listed(value: Any) -> Any:
    if _library(type(value)) == "numpy" and value.dtype.kind == "M":
        value = value.astype("datetime64[us]")  # nanoseconds would come as bare numbers
    held = value.tolist()
    if type(held) is type(value):  # numpy.longdouble gives itself
        return float(value)
    return held if type(held) is list else scalar(held)


def as_dict(value: Any, answer: bool, series: bool = False) -> dict[Any, Any] | None:
    """Return a mapping, and of an answer any record-like object, as a dict of its items; else None."""
    found = type(value)
    if found is dict:
        return value  # type: ignore[no-any-return]
    if found is list:
        return None
    if issubclass(found, Mapping):
        return dict(islice(value.items(), MAX_VALUES + 1))
    if not answer:
        return None
    if hasattr(found, "__dataclass_fields__"):
        return {field.name: getattr(value, field.name) for field in fields(found)}
    if issubclass(found, tuple) and hasattr(found, "_fields"):
        return dict(zip(found._fields, value, strict=True))
    if hasattr(found, "model_dump"):
        return dict(value.model_dump())
    if series and found.__name__ == "Series" and _library(found) == "pandas":
        return dict(value.to_dict())
    return None


def as_list(value: Any, answer: bool) -> list[Any] | None:
    """Return a sequence, and of an answer any set, view or iterator, as a list of its items; else None."""
    found = type(value)
    if found is list:
        return value  # type: ignore[no-any-return]
    if found.__name__ == "DataFrame" and _library(found) == "pandas":
        return list(value.to_dict("records"))
    if issubclass(found, _NO_LISTS):
        return None
    if issubclass(found, Sequence):
        return list(islice(value, MAX_VALUES + 1))
    if answer and issubclass(found, Set):
        return _ordered(value)
    if answer and issubclass(found, (ValuesView, Iterator)):
        return list(islice(value, MAX_VALUES + 1))
    held = scalar(value)
    return held if type(held) is list else None


def _ordered(value: Any) -> list[Any]:
    items = list(islice(value, MAX_VALUES + 1))
    try:
        return sorted(items)  # a set of texts would come in another order in each process
    except TypeError:
        return items


def are_numbers(items: list[Any]) -> bool:
    """Say whether all items are plain finite numbers (fast; a number too large for a float counts as no)."""
    if not _NUMBERS.issuperset(map(type, items)):
        return False
    try:
        return all(map(math.isfinite, items))
    except OverflowError:
        return False


def are_texts(items: list[Any]) -> bool:
    """Say whether all items are texts or None (fast)."""
    return _TEXTS.issuperset(map(type, items))


def are_flat(items: list[Any]) -> bool:
    """Say whether all items are texts, booleans or None, or all are plain finite numbers (fast)."""
    return _TEXTLIKE.issuperset(map(type, items)) or are_numbers(items)


def finite(value: Any, wanted: Kind, walk: Walk) -> Any:
    """Return the plain number; raises when it is NaN, infinite or too large to be written."""
    if type(value) is float:
        if math.isfinite(value):
            return value
    elif value.bit_length() <= MAX_BITS:
        return value
    else:
        raise walk.misfit(wanted, value, "A number has at most 3,900 digits.")
    raise walk.misfit(wanted, value)


def take_any(value: Any, wanted: Kind, walk: Walk) -> Any:
    """Return the value with everything in it plain; raises where something is not."""
    if type(value) in _TEXTLIKE:
        return value
    if type(value) in _NUMBERS:
        return finite(value, wanted, walk)
    pairs = as_dict(value, walk.answer)
    if pairs is not None:
        return _any_dict(value, pairs, wanted, walk)
    items = as_list(value, walk.answer)
    if items is not None:
        return _any_list(value, items, wanted, walk)
    held = scalar(value)
    if type(held) is datetime:
        return held
    if held is value or type(held) not in _DONE:
        raise walk.misfit(wanted, held)
    return take_any(held, wanted, walk)


def _any_list(value: Any, items: list[Any], wanted: Kind, walk: Walk) -> list[Any]:
    if are_flat(items):
        walk.count(value, wanted, len(items))
        return list(items)
    walk.enter(value, wanted, len(items))
    path, held = walk.path, []
    for path[-1], item in enumerate(items):
        held.append(take_any(item, wanted, walk))
    walk.leave(value)
    return held


def _any_dict(value: Any, pairs: dict[Any, Any], wanted: Kind, walk: Walk) -> dict[Any, Any]:
    walk.enter(value, wanted, len(pairs))
    path, held = walk.path, {}
    for key, item in pairs.items():
        path[-1] = key
        held[key if type(key) is str else _any_key(key, wanted, walk)] = take_any(item, wanted, walk)
    walk.leave(value)
    return held


def _any_key(key: Any, wanted: Kind, walk: Walk) -> Any:
    key = scalar(key)
    if type(key) is str:
        return key
    if type(key) in _NUMBERS:
        return finite(key, wanted, walk)
    if type(key) is bool:
        return walk.change(wanted, key, str(key))
    raise walk.misfit(wanted, key, "A key is a text or a number.")
