"""Containers: Array, Map and Struct, and the types that would keep a value they had to change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

from hfreg.errors import TypeNotationError, did_you_mean
from hfreg.types.base import Type
from hfreg.types.plain import are_flat, are_numbers, are_texts, as_dict, as_list, scalar
from hfreg.types.scalars import Anything, Numerical, String, scalar_type
from hfreg.types.walk import AnswerWalk, TextWalk, Walk, cut

MAX_PROPOSED = 12
MAX_LOOKED_AT = 1000


@dataclass(frozen=True, repr=False)
class Array(Type):
    """A list of values of one type; `List` is an Array of Any."""

    item: Type = Anything()  # noqa: RUF009 - frozen
    kind: ClassVar[str] = "Array"
    widget: ClassVar[str] = "json"

    def __str__(self) -> str:
        return "List" if self.item.kind == "Any" else f"Array[{self.item}]"

    @property
    def python(self) -> str:
        return "list" if self.item.kind == "Any" else f"list[{self.item.python}]"

    @property
    def annotation(self) -> Any:
        return list[self.item.annotation]  # type: ignore[name-defined]

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": self.item.json_schema()}

    def take(self, value: Any, walk: Walk) -> Any:
        if value is None:
            return None
        items = as_list(value, walk.answer)
        if items is None:
            held = scalar(value)
            if held is None:
                return None
            raise walk.misfit(self, held)
        if self._all_fit(items):
            walk.count(value, self, len(items))
            return list(items)
        walk.enter(value, self, len(items))
        path, take, taken = walk.path, self.item.take, []
        for path[-1], item in enumerate(items):
            taken.append(take(item, walk))
        walk.leave(value)
        return taken

    def _all_fit(self, items: list[Any]) -> bool:
        """Say quickly that a long plain list fits; no means only that each item is to be looked at."""
        if self.item.kind == "Numerical":
            return are_numbers(items)
        if self.item.kind == "String":
            return are_texts(items)
        return self.item.kind == "Any" and are_flat(items)

    def keeping(self, value: Any) -> Type:
        if value is None:
            return self
        if type(value) is not list:
            return Anything()
        if len(value) > MAX_LOOKED_AT:
            return self.loosest()
        return Array(_merged([self.item.keeping(item) for item in value], self.item))

    def loosest(self) -> Type:
        return Array(Anything())


@dataclass(frozen=True, repr=False)
class Map(Type):
    """A dict whose keys are String or Numerical and whose values are of one type."""

    key: Type
    value: Type
    kind: ClassVar[str] = "Map"
    widget: ClassVar[str] = "json"

    def __post_init__(self) -> None:
        if self.key.kind not in {"String", "Numerical"}:
            raise TypeNotationError(f"The key of a Map is String or Numerical, not {cut(str(self.key))}.")

    def __str__(self) -> str:
        return f"Map[{self.key}, {self.value}]"

    @property
    def python(self) -> str:
        return f"dict[{self.key.python}, {self.value.python}]"

    @property
    def annotation(self) -> Any:
        return dict[self.key.annotation, self.value.annotation]  # type: ignore[name-defined]

    def json_schema(self) -> dict[str, Any]:
        schema = {"type": ["object", "null"], "additionalProperties": self.value.json_schema()}
        if self.key.kind == "Numerical":
            schema["propertyNames"] = {"pattern": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"}
        return schema

    def take(self, value: Any, walk: Walk) -> Any:
        if value is None:
            return None
        pairs = _pairs(self, value, walk)
        if pairs is None:
            return None
        walk.enter(value, self, len(pairs))
        path, take, taken = walk.path, self.value.take, {}
        texts = self.key.kind == "String"
        for key, item in pairs.items():
            path[-1] = key
            taken[key if texts and type(key) is str else self._key(key, walk)] = take(item, walk)
        walk.leave(value)
        if len(taken) != len(pairs):
            raise walk.misfit(self, pairs, "Two of its keys become the same text; give each its own.")
        return taken

    def _key(self, key: Any, walk: Walk) -> Any:
        held = self.key.read(key, walk) if isinstance(walk, TextWalk) else self.key.take(key, walk)
        if held is None:
            raise walk.misfit(self.key, key, "None is no key.")
        return held

    def keeping(self, value: Any) -> Type:
        if value is None:
            return self
        if type(value) is not dict or not value:
            return self if type(value) is dict else Anything()
        key = _merged([scalar_type(name) for name in value], self.key)
        if key.kind not in {"String", "Numerical"}:
            return Anything()
        kept = [self.value.keeping(item) for item in value.values()]
        if all(one == kept[0] for one in kept) or not _is_record(value):
            return Map(key, _merged(kept, self.value))
        return Struct(tuple(zip(value, kept, strict=True)))

    def loosest(self) -> Type:
        return Map(self.key, Anything())


@dataclass(frozen=True, repr=False)
class Struct(Type):
    """A dict of named fields, each of its own type."""

    fields: tuple[tuple[str, Type], ...]
    kind: ClassVar[str] = "Struct"
    widget: ClassVar[str] = "json"
    annotation: ClassVar[Any] = dict[str, Any]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.fields]
        for index, name in enumerate(names):
            if not (name.isascii() and name.isidentifier()):
                raise TypeNotationError(f"{cut(name)!r} is no field name: use letters, digits and underscores.")
            if name in names[:index]:
                raise TypeNotationError(f"The field `{cut(name)}` stands twice in a Struct; name each once.")
        if not names:
            raise TypeNotationError("A Struct has at least one field: Struct[name: String].")

    def __str__(self) -> str:
        return f"Struct[{', '.join(f'{name}: {kind}' for name, kind in self.fields)}]"

    @property
    def python(self) -> str:
        return "dict"

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": ["object", "null"],
            "properties": {name: kind.json_schema() for name, kind in self.fields},
            "required": [name for name, _ in self.fields],
            "additionalProperties": False,
        }

    def take(self, value: Any, walk: Walk) -> Any:
        if value is None:
            return None
        pairs = _pairs(self, value, walk)
        if pairs is None:
            return None
        walk.enter(value, self, len(pairs))
        path, taken = walk.path, {}
        for name, kind in self.fields:
            if name not in pairs:
                path.pop()
                raise walk.misfit(self, value, self._missing(name, pairs))
            path[-1] = name
            taken[name] = kind.take(pairs[name], walk)
        if len(taken) != len(pairs):
            self._leave_out(pairs, taken, walk)
        walk.leave(value)
        return taken

    def _missing(self, name: str, pairs: dict[Any, Any]) -> str:
        unknown = [key for key in pairs if type(key) is str and key not in dict(self.fields)]
        near = did_you_mean(name, unknown[:100])
        return f"The field `{name}` is missing.{near} Give it, as None if it has no value."

    def _leave_out(self, pairs: dict[Any, Any], taken: dict[str, Any], walk: Walk) -> None:
        for key in pairs:
            if key in taken:
                continue
            walk.path[-1] = key
            if not isinstance(walk, AnswerWalk):
                near = did_you_mean(key, dict(self.fields)) if type(key) is str else ""
                raise walk.misfit(self, pairs[key], f"The Struct has no such field.{near}")
            walk.drop(self, pairs[key])

    def keeping(self, value: Any) -> Type:
        if value is None:
            return self
        if type(value) is not dict:
            return Anything()
        known = dict(self.fields)
        if not _is_record(value, MAX_PROPOSED + len(known)):
            return self.loosest()
        kept = {name: kind.keeping(value.get(name)) for name, kind in self.fields}
        extra = {name: type_of(item) for name, item in value.items() if name not in known}
        return Struct(tuple({**kept, **extra}.items()))

    def loosest(self) -> Type:
        return Map(String(), Anything())


def _pairs(wanted: Type, value: Any, walk: Walk) -> dict[Any, Any] | None:
    pairs = as_dict(value, walk.answer, series=True)
    if pairs is not None:
        return pairs
    held = scalar(value)  # an array of no dimension may hold a dict, and a missing value is None
    if held is None or type(held) is dict:
        return held
    if type(held) is list or (items := as_list(held, walk.answer)) is None:
        raise walk.misfit(wanted, held)
    raise walk.misfit(wanted, items)


def _is_record(value: dict[Any, Any], most: int = MAX_PROPOSED) -> bool:
    return len(value) <= most and all(type(name) is str and name.isascii() and name.isidentifier() for name in value)


def type_of(value: Any) -> Type:
    """Return a type that keeps a plain value."""
    if type(value) is list:
        return Array(_merged([type_of(item) for item in value], Anything())) if len(value) <= 100 else Array()
    if type(value) is dict:
        return Map(String(), Anything()).keeping(value)
    return scalar_type(value)


def _merged(types: list[Type], otherwise: Type) -> Type:
    return reduce(_wider, types) if types else otherwise


def _wider(one: Type, other: Type) -> Type:
    if one == other:
        return one
    if isinstance(one, Struct) and isinstance(other, Struct) and dict(one.fields).keys() == dict(other.fields).keys():
        theirs = dict(other.fields)
        return Struct(tuple((name, _wider(kind, theirs[name])) for name, kind in one.fields))
    if {one.kind, other.kind} <= {"Struct", "Map"} and not _has_number_keys(one, other):
        return Map(String(), Anything())
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_wider(one.item, other.item))
    return Anything()


def _has_number_keys(*types: Type) -> bool:
    return any(isinstance(one, Map) and isinstance(one.key, Numerical) for one in types)
