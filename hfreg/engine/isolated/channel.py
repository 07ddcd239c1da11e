"""Channel: what a worker and its supervisor say to each other, as length-prefixed JSON and never as pickle.

A frame is four bytes of length and one JSON object. Values cross tagged where JSON has no word for them: a moment
and a dict whose keys are not all texts come back as they were. What comes from a worker is not trusted: the length
is looked at before the bytes are taken, and the number of items before they are parsed, so that no answer can
make the reader grow by more than its limits.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

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


def pack(value: Any) -> Any:
    """Return a plain value as JSON can hold it, moments and dicts with other keys than texts tagged."""
    found = type(value)
    if found in _SCALARS:
        return value
    if found is list or found is tuple:
        return value if _SCALARS.issuperset(map(type, value)) else [pack(item) for item in value]
    if found is dict:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: pack(item) for key, item in value.items()}
        return {_PAIRS: [[pack(key), pack(item)] for key, item in value.items()]}
    if found is datetime:
        return {_MOMENT: value.isoformat()}
    raise BadFrame(f"a {found.__qualname__} does not cross; use plain values")


def unpack(value: Any) -> Any:
    """Return the value that was packed; raises BadFrame for what nobody packed."""
    try:
        return _unpacked(value)
    except RecursionError:
        raise BadFrame("a value that is nested too deep") from None


def _unpacked(value: Any) -> Any:
    found = type(value)
    if found is list:
        return value if _SCALARS.issuperset(map(type, value)) else [_unpacked(item) for item in value]
    if found is not dict:
        return value
    if _MOMENT not in value and _PAIRS not in value:
        return {key: _unpacked(item) for key, item in value.items()}
    try:
        if _MOMENT in value:
            return datetime.fromisoformat(value[_MOMENT])
        return _dict([(_unpacked(key), _unpacked(item)) for key, item in value[_PAIRS]])
    except BadFrame:
        raise
    except (TypeError, ValueError) as error:
        raise BadFrame(f"a tag that holds something else: {type(error).__name__}") from None


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
