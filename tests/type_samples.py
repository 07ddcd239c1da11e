"""Seeded types and values to try the type notation on, and what a refused argument says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hfreg.errors import ArgumentError
from hfreg.types import Array, Map, Struct, Type

KINDS = ["String", "Numerical", "Boolean", "DateTime", "Any"]


def refusal(call: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        call()
    return str(caught.value)


def classes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: (type(key), classes(item)) for key, item in value.items()}
    return [classes(item) for item in value] if isinstance(value, list) else type(value)


def some_type(seeded: random.Random, depth: int = 3, scalars: list[str] = KINDS) -> str:
    kind = seeded.choice([*scalars, "Array", "Map", "Struct"] if depth else scalars)
    if kind == "Array":
        return f"Array[{some_type(seeded, depth - 1, scalars)}]"
    if kind == "Map":
        return f"Map[{seeded.choice(['String', 'Numerical'])}, {some_type(seeded, depth - 1, scalars)}]"
    if kind == "Struct":
        return f"Struct[a: {some_type(seeded, depth - 1, scalars)}, b_2: {some_type(seeded, depth - 1, scalars)}]"
    return kind


def some_value(seeded: random.Random, found: Type, top: bool = True) -> Any:
    if not top and seeded.random() < 0.1:
        return None
    if isinstance(found, Array):
        return [some_value(seeded, found.item, False) for _ in range(seeded.randint(0, 3))]
    if isinstance(found, Map):
        keys = [some_scalar(seeded, found.key.kind) for _ in range(seeded.randint(0, 3))]
        return {key: some_value(seeded, found.value, False) for key in keys}
    if isinstance(found, Struct):
        return {name: some_value(seeded, kind, False) for name, kind in found.fields}
    return some_scalar(seeded, found.kind)


def some_scalar(seeded: random.Random, kind: str) -> Any:
    if kind == "String":
        return "".join(seeded.choice("ab 1.,'\"[]{}\\\n\0é漢😀tru") for _ in range(seeded.randint(1, 8)))
    if kind == "Numerical":
        whole = seeded.choice([0, -1, 512, 10**30, seeded.getrandbits(70)])
        return seeded.choice([whole, seeded.uniform(-1, 1), seeded.uniform(-1, 1) * 10 ** seeded.randint(-300, 300)])
    if kind == "Boolean":
        return seeded.random() < 0.5
    if kind == "DateTime":
        zone = seeded.choice([None, UTC, timezone(timedelta(minutes=seeded.randint(-700, 700)))])
        return datetime(seeded.randint(1, 9998), 2, 3, 4, 5, seeded.randint(0, 59), seeded.randint(0, 999_999), zone)
    return seeded.choice([1, 0.5, True, "", "5", "null", "plain", '"', "[1", "NaN", [1, "a"], {"a": {"b": None}}, {}])
