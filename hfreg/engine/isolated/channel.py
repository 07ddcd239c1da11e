"""Channel: what a worker and its supervisor say to each other, as length-prefixed JSON and never as pickle.

A frame is four bytes of length and one JSON object. Values cross tagged where JSON has no word for them: a moment
and a dict whose keys are not all texts come back as they were. What comes from a worker is not trusted: the length
is looked at before the bytes are taken, and the number of items before they are parsed, so that no answer can
make the reader grow by more than its limits.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hfreg.types import Media
from hfreg.types.signals import is_array

Frame = dict[str, Any]

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of one frame of a worker."""
MAX_REQUEST = 256 * 1024 * 1024
"""Bytes of one frame to a worker."""
MAX_ITEMS = 500_000
"""Values, keys and containers in one frame of a worker."""
MAX_COLLISIONS = 1_000
"""Keys of one dict that may have the hash of another: numbers can be chosen so, and then each takes as long as all."""
HEAD = struct.Struct("!I")

_SCALARS = frozenset({str, int, float, bool, type(None)})
_TEXT = re.compile(
    rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL
)  # one without an end takes the rest: looked at once only
_MOMENT, _PAIRS = "$moment", "$pairs"
_BYTES, _MEDIA, _ARRAY = "$bytes", "$media", "$array"
_RICH = frozenset({_BYTES, _MEDIA, _ARRAY})
"""Tags of arguments only: bytes in base64. An answer that holds one is refused."""
_NUMBERS = frozenset({"bool", "uint8", "int16", "int32", "int64", "float32", "float64"})
_SEPARATORS = (",", ":")


class BadFrame(ValueError):
    """Bytes that are no frame, or one over the limits."""


def encode(frame: Mapping[str, Any], limit: int) -> bytes:
    """Return the bytes of a frame, length first; raises BadFrame when it is over the limit."""
    data = json.dumps(frame, separators=_SEPARATORS).encode()
    if len(data) > limit:
        raise BadFrame(f"{len(data) / 2**20:.1f} MiB, and at most {limit / 2**20:.0f} MiB cross")
    if limit <= MAX_ANSWER and _items(data) > MAX_ITEMS:  # whoever reads it would end the worker
        raise BadFrame(f"more than {MAX_ITEMS:,} values, and no more cross")
    return HEAD.pack(len(data)) + data


def decode(data: bytes | bytearray, items: int = MAX_ITEMS) -> Frame:
    """Return the frame that the bytes behind a length are; raises BadFrame."""
    if _items(data) > items:
        raise BadFrame(f"more than {items:,} values, and no more cross")
    try:
        frame = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {type(error).__name__}") from None
    if type(frame) is not dict:
        raise BadFrame(f"a {type(frame).__name__}, and a frame is an object")
    return frame


def pack(value: Any, rich: bool = False) -> Any:
    """Return a plain value as JSON can hold it, with tags where it has no word; of arguments (`rich`) bytes too."""
    found = type(value)
    if found in _SCALARS:
        return value
    if found is list or found is tuple:
        return value if _SCALARS.issuperset(map(type, value)) else [pack(item, rich) for item in value]
    if found is dict:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: pack(item, rich) for key, item in value.items()}
        return {_PAIRS: [[pack(key), pack(item, rich)] for key, item in value.items()]}
    if found is datetime:
        return {_MOMENT: value.isoformat()}
    if found is Media:
        return {_MEDIA: [value.kind, _text_of(value.data), value.rate]}
    if rich and found is bytes:
        return {_BYTES: _text_of(value)}
    if rich and crosses_as_array(value):
        return {_ARRAY: [str(value.dtype), list(value.shape), _text_of(value.tobytes())]}
    raise BadFrame(f"a {found.__qualname__} does not cross; use plain values")


def crosses_as_array(value: Any) -> bool:
    """Say whether a value is an array of numbers that an argument may be."""
    return is_array(value) and bool(value.shape) and str(value.dtype) in _NUMBERS


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unpack(value: Any, rich: bool = False) -> Any:
    """Return the value that was packed, of arguments (`rich`) bytes too; raises BadFrame for what nobody packed."""
    try:
        return _unpacked(value, rich)
    except RecursionError:
        raise BadFrame("a value that is nested too deep") from None


def _unpacked(value: Any, rich: bool) -> Any:
    found = type(value)
    if found is list:
        return value if _SCALARS.issuperset(map(type, value)) else [_unpacked(item, rich) for item in value]
    if found is not dict:
        return value
    if rich and len(value) == 1 and not _RICH.isdisjoint(value):
        return _unpacked_bytes(*value.items())
    if _MOMENT not in value and _PAIRS not in value:
        return {key: _unpacked(item, rich) for key, item in value.items()}
    try:
        if _MOMENT in value:
            return datetime.fromisoformat(value[_MOMENT])
        return _dict([(_unpacked(key, rich), _unpacked(item, rich)) for key, item in value[_PAIRS]])
    except BadFrame:
        raise
    except (TypeError, ValueError) as error:
        raise BadFrame(f"a tag that holds something else: {type(error).__name__}") from None


def _unpacked_bytes(tagged: tuple[str, Any]) -> Any:
    tag, held = tagged
    try:
        if tag == _BYTES:
            return base64.b64decode(held, validate=True)
        if tag == _MEDIA:
            kind, text, rate = held
            return Media({"Image": "Image", "Audio": "Audio"}[kind], base64.b64decode(text, validate=True), int(rate))
        return _array(*held)
    except (TypeError, ValueError, KeyError) as error:
        raise BadFrame(f"a tag that holds something else: {type(error).__name__}") from None


def _array(numbers: str, shape: list[int], text: str) -> Any:
    import numpy

    if numbers not in _NUMBERS:
        raise BadFrame(f"an array of {numbers:.20}")
    return numpy.frombuffer(base64.b64decode(text, validate=True), numbers).reshape(shape)


def _dict(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return the dict of pairs; numbers chosen so that each collides with others would take it minutes."""
    if len(pairs) - len({hash(key) for key, _ in pairs}) > MAX_COLLISIONS:
        raise BadFrame(f"a dict of {len(pairs):,} keys that collide")
    return dict(pairs)


def _items(data: bytes | bytearray) -> int:
    """Count what could become a value; texts are looked into only when the rough count is over the limit."""
    rough = _marks(data, 0, len(data))
    if rough <= MAX_ITEMS:
        return rough
    count = end = 0
    for number, text in enumerate(_TEXT.finditer(data), 1):
        count += _marks(data, end, text.start())
        end = text.end()
        if max(count, number) > MAX_ITEMS:
            return max(count, number)
    return count + _marks(data, end, len(data))


def _marks(data: bytes | bytearray, start: int, end: int) -> int:
    return sum(data.count(mark, start, end) for mark in (b",", b"[", b"{", b":"))
