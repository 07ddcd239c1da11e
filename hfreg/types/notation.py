"""Notation: how a type is written, in the platform's words or in Python's.

Reads `String`, `Map[String, String]`, `Struct[label: String, score: Numerical]` in any case, and Python's
`str`, `dict[str, str]`, `List[int]`, `Optional[str]`, `int | float`, `typing.Any`, as text or as the Python
type itself. It evaluates nothing. Tuples of several types, unions of several kinds and literals have no
counterpart.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from difflib import get_close_matches
from types import GenericAlias, UnionType
from typing import Any

from hfreg.errors import TypeNotationError
from hfreg.types.base import Type
from hfreg.types.containers import Array, Map, Struct
from hfreg.types.media import RATE, RATES, Audio, Image
from hfreg.types.scalars import Anything, Boolean, DateTime, Numerical, String
from hfreg.types.walk import cut

MAX_LENGTH = 1000
MAX_DEPTH = 16

KNOWN = ("String", "Numerical", "Boolean", "DateTime", "Any", "List", "Array", "Map", "Struct", "Image", "Audio")
_SCALARS: dict[str, Type] = {
    **dict.fromkeys(("string", "str", "text"), String()),
    **dict.fromkeys(("numerical", "int", "float", "number", "integer"), Numerical()),
    **dict.fromkeys(("boolean", "bool"), Boolean()),
    **dict.fromkeys(("datetime", "date"), DateTime()),
    **dict.fromkeys(("any", "object"), Anything()),
    **dict.fromkeys(("image", "pil.image.image"), Image()),
}
_LISTS = frozenset({"array", "list", "tuple", "set", "frozenset", "sequence", "iterable"})
_MAPS = frozenset({"map", "dict", "mapping"})
_SUGGESTED = {**{word.lower(): word for word in KNOWN}, "str": "str", "int": "int", "float": "float", "dict": "dict"}
_MODULES = re.compile(r"(?:typing|t|collections\.abc|datetime|builtins|hfreg\.types\.media)\.", re.IGNORECASE)
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_.]*|(?<=\[)\d+(?=\s*\]))|(\.\.\.|…|[\[\],:|]))", re.ASCII)
_END = "the end"


Notation = str | Type | type | GenericAlias | UnionType
"""What a type can be given as: its notation, itself, or a Python type such as `str` or `list[int]`."""


def parse(text: Notation) -> Type:
    """Read a type; `str()` of it is the canonical form, which reads as the same type.

    Raises TypeNotationError naming the text, the place and the nearest known word.
    """
    if isinstance(text, Type):
        return text
    text = written(text)
    if not isinstance(text, str):
        raise TypeNotationError(f"A type is written as text, such as String; found {type(text).__name__}.")
    if len(text) > MAX_LENGTH:
        raise TypeNotationError(f"A type has at most {MAX_LENGTH:,} characters; {cut(text)!r} has {len(text):,}.")
    found = _Reader(text).whole()
    if len(str(found)) > MAX_LENGTH:
        raise TypeNotationError(f"{cut(text)!r} written out has more than {MAX_LENGTH:,} characters; use Any within.")
    return found


def written(annotation: Any) -> Any:
    """Return how Python writes a type that is given as such; anything else as it is.

    >>> written(dict[str, float])
    'dict[str, float]'
    """
    if typing.get_origin(annotation) is not None:
        return repr(annotation)
    if isinstance(annotation, type) or getattr(annotation, "__module__", "") == "typing":
        named = f"{annotation.__module__}.{getattr(annotation, '__qualname__', annotation)}"
        return named.removeprefix("builtins.")
    return annotation


class _Reader:
    """Reads one text from left to right; a token is (word or sign, where it starts)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split()
        self.next = 0

    def _split(self) -> list[tuple[str, int]]:
        tokens, place, end = [], 0, len(self.text.rstrip())
        while place < end:
            match = _TOKEN.match(self.text, place)
            if match is None:
                start = place + len(self.text[place:]) - len(self.text[place:].lstrip())
                raise self.error(f"{self.text[start]!r} has no meaning in a type", start)
            tokens.append((match[1] or match[2], match.start(1 if match[1] else 2)))
            place = match.end()
        return [*tokens, (_END, end)]

    def error(self, what: str, place: int) -> TypeNotationError:
        if not self.text.strip():
            return TypeNotationError(f"A type is missing. {_known()}.")
        shown = cut(self.text) if place < 50 else "…" + cut(self.text[place - 25 :])
        return TypeNotationError(
            f"{shown!r} is no type: at character {place + 1}, {what}{'' if what[-1] == '?' else '.'}"
        )

    def take(self) -> tuple[str, int]:
        token = self.tokens[self.next]
        self.next = min(self.next + 1, len(self.tokens) - 1)
        return token

    def sees(self, sign: str) -> bool:
        """Step over the sign if it comes next."""
        if self.tokens[self.next][0] != sign:
            return False
        self.take()
        return True

    def expect(self, sign: str, why: str = "") -> None:
        word, place = self.tokens[self.next]
        if not self.sees(sign):
            raise self.error(f"`{sign}` is expected, not {_named(word)}{why}", place)

    def whole(self) -> Type:
        found = self.type(1)
        word, place = self.take()
        if word != _END:
            raise self.error(f"the type has ended, but `{cut(word)}` follows", place)
        return found

    def type(self, depth: int) -> Type:
        """Read one type, or a union that comes to one."""
        start = self.tokens[self.next][1]
        return self.one_of(self.members(depth), start)

    def members(self, depth: int) -> list[Type | None]:
        found = [self.single(depth)]
        while self.sees("|"):
            found.append(self.single(depth))
        return found

    def one_of(self, found: list[Type | None], start: int) -> Type:
        kinds = list(dict.fromkeys(one for one in found if one is not None))
        if not kinds:
            raise self.error(f"None alone is no type, every type admits it. {_known()}", start)
        if len(kinds) > 1:
            names = " and ".join(str(kind) for kind in kinds[:2])
            raise self.error(f"{cut(names)} have no type in common but Any; write Any", start)
        return kinds[0]

    def single(self, depth: int) -> Type | None:
        """Read one type, without a union; None is the word None."""
        word, place = self.take()
        name = _MODULES.sub("", word, count=1).lower()
        if depth > MAX_DEPTH:
            raise self.error(f"types nest at most {MAX_DEPTH} deep", place)
        if name in {"none", "nonetype"}:
            return None
        if name in _SCALARS or name in {"datetime.datetime", "datetime.date"}:
            return _SCALARS.get(name, DateTime())
        reader = self.reader(name)
        if reader is None:
            raise self.error(_unknown(word), place)
        return reader(place, depth + 1)

    def reader(self, name: str) -> Callable[[int, int], Type] | None:
        if name in _LISTS:
            return self.array
        if name in _MAPS:
            return self.map
        if name == "audio":
            return self.audio
        return {"struct": self.struct, "optional": self.union, "union": self.union}.get(name)

    def array(self, place: int, depth: int) -> Type:
        if not self.sees("["):
            return Array(Anything())
        item = self.type(depth)
        if self.sees(","):
            self.expect("...", "; a list has items of one type: Array[T], or List for any")
        self.expect("]")
        return Array(item)

    def map(self, place: int, depth: int) -> Type:
        if not self.sees("["):
            if depth > MAX_DEPTH:
                raise self.error(f"types nest at most {MAX_DEPTH} deep", place)
            return Map(String(), Anything())
        start = self.tokens[self.next][1]
        key = self.type(depth)
        if key.kind not in {"String", "Numerical"}:
            raise self.error(f"a key is String or Numerical, not {cut(str(key))}", start)
        self.expect(",", "; a Map has two types, as in Map[String, Any]")
        value = self.type(depth)
        self.expect("]")
        return Map(key, value)

    def struct(self, place: int, depth: int) -> Type:
        self.expect("[", "; a Struct names its fields, as in Struct[label: String, score: Numerical]")
        fields: dict[str, Type] = {}
        while not fields or self.sees(","):
            name, start = self.take()
            if not name.isidentifier():
                raise self.error(f"a field name is expected, not {_named(name)}", start)
            if name in fields:
                raise self.error(f"the field `{name}` stands twice", start)
            self.expect(":", f"; a field has a name and a type, as in {name}: String")
            fields[name] = self.type(depth)
        self.expect("]")
        return Struct(tuple(fields.items()))

    def audio(self, place: int, depth: int) -> Type:
        if not self.sees("["):
            return Audio()
        word, start = self.take()
        rate = int(word) if word.isdigit() and len(word) <= 6 else 0
        if rate not in RATES:
            raise self.error(f"a rate from {RATES[0]:,} to {RATES[-1]:,} is expected, as in Audio[{RATE}]", start)
        self.expect("]")
        return Audio(rate)

    def union(self, place: int, depth: int) -> Type:
        self.expect("[")
        found = self.members(depth)
        while self.sees(","):
            found += self.members(depth)
        self.expect("]")
        return self.one_of(found, place)


def _unknown(word: str) -> str:
    if word == _END or not word[0].isalpha():
        return f"a type is expected, not {_named(word)}"
    near = get_close_matches(word.lower(), _SUGGESTED, n=1, cutoff=0.6)
    return f"`{cut(word)}` is unknown{f', did you mean {_SUGGESTED[near[0]]}?' if near else f'. {_known()}'}"


def _named(word: str) -> str:
    return word if word == _END else f"`{cut(word)}`"


def _known() -> str:
    return f"Known are {', '.join(KNOWN)}"
