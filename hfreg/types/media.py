"""Media: pictures and sound as arguments — the types `Image` and `Audio`, and the undecoded file that a value is.

Says which values are taken and of which formats, by their first bytes alone. Nothing is decoded here: what a file
holds is untrusted, so that the process of the scoring logic does it (`hfreg.scoring.media`). A text is a data URL or
base64; only a `File`, which a caller in Python or on the command line gives, names a file of this machine. Neither
type is for answers.

    >>> picture = Image().check(b"BM" + bytes(8), "image")
    >>> picture
    <Image image/bmp, 10 bytes>
    >>> Image().check("cat.png", "image")
    Traceback (most recent call last):
    hfreg.errors.ArgumentError: Argument `image`: wanted Image, found 'cat.png' (str). A text here is a data URL or \
base64; a path is taken from Python and from the command line only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from hfreg.errors import HfregError
from hfreg.types.base import Type
from hfreg.types.containers import Array, Map, Struct
from hfreg.types.signals import Unfit, is_array, is_picture, picture, sound
from hfreg.types.walk import TextWalk, Walk, cut

MAX_BYTES = 20_000_000
"""Bytes of a file that is given as one; pixels and samples from Python have limits of their own."""
RATE = 16_000
"""Samples per second that scoring logic is given, unless the type says another: what speech models are trained with."""
RATES = range(1_000, 384_001)

_STARTS: dict[str, tuple[tuple[str, bytes, bytes], ...]] = {
    "Image": (
        ("image/png", b"\x89PNG\r\n\x1a\n", b""),
        ("image/jpeg", b"\xff\xd8\xff", b""),
        ("image/webp", b"RIFF", b"WEBP"),
        ("image/gif", b"GIF87a", b""),
        ("image/gif", b"GIF89a", b""),
        ("image/bmp", b"BM", b""),
    ),
    "Audio": (("audio/wav", b"RIFF", b"WAVE"), ("audio/flac", b"fLaC", b""), ("audio/ogg", b"OggS", b"")),
}
FORMATS = {"Image": "PNG, JPEG, WEBP, GIF or BMP", "Audio": "WAV, FLAC or OGG"}
_ELSEWHERE = "A text here is a data URL or base64; a path is taken from Python and from the command line only."


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """A picture or sound as the bytes of its file; `rate` is what sound is to be brought to."""

    kind: str
    data: bytes
    rate: int = 0

    @property
    def media_type(self) -> str:
        """What its first bytes say it is, such as `image/png`; empty for no format that is taken."""
        for name, start, further in _STARTS[self.kind]:
            if self.data.startswith(start) and self.data[8:].startswith(further):
                return name
        return ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def data_url(self) -> str:
        """The whole of it as a text that reads as the same value."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"

    def __repr__(self) -> str:
        return f"<{self.kind} {self.media_type}, {len(self.data):,} bytes>"


class File:
    """A file of this machine that whoever calls may read; it is read when the arguments are bound, and then once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

    @cached_property
    def data(self) -> bytes:
        """The bytes of the file, and no more than one over the limit."""
        with self.path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def __repr__(self) -> str:
        return f"File({str(self.path)!r})"


@dataclass(frozen=True, repr=False)
class _MediaType(Type):
    """What both kinds share: bytes, files, data URLs, and that they are no answers."""

    widget: ClassVar[str] = "upload"

    @property
    def python(self) -> str:
        return str(self)

    @property
    def annotation(self) -> Any:
        return type(self)

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"], "contentEncoding": "base64", "contentMediaType": f"{self.kind.lower()}/*"}

    def __str__(self) -> str:
        return self.kind

    def take(self, value: Any, walk: Walk) -> Any:
        found = type(value)
        if value is None:
            return None
        if walk.answer:
            raise walk.misfit(self, value)
        if found is Media and value.kind == self.kind:
            return self.media(value.data)
        if issubclass(found, (bytes, bytearray, memoryview)):
            return self._held(bytes(value), walk, value)
        if found is File:
            return self._of_file(value, walk)
        if issubclass(found, str):
            return self._of_text(str.__str__(value), walk)
        if issubclass(found, os.PathLike):
            raise walk.misfit(
                self, value, "A path is taken from Python and from the command line only; pass its bytes."
            )
        try:
            made = self.made_of(value)
        except Unfit as problem:
            raise walk.misfit(self, value, str(problem)) from None
        if made is None:
            raise walk.misfit(self, value)
        return self.media(made)

    def made_of(self, value: Any) -> bytes | None:
        """Return a file of the pixels or samples that a value holds; None where it holds none."""
        raise NotImplementedError

    def media(self, data: bytes) -> Media:
        """Return these bytes as a value of the type."""
        return Media(self.kind, data)

    def read(self, text: str, walk: TextWalk) -> Any:
        return self._of_text(text.strip(), walk)

    def write(self, value: Any) -> str:
        return str(value.data_url)

    def keeping(self, value: Any) -> Type:
        return self

    def _held(self, data: bytes, walk: Walk, shown: Any) -> Media:
        if len(data) > MAX_BYTES:
            raise walk.error(f"a file of more than {MAX_BYTES / 1e6:.0f} MB. Give a smaller one.")
        media = self.media(data)
        if not media.media_type:
            begun = f"{len(data):,} bytes that begin with {data[:8]!r}" if data else "no bytes at all"
            raise walk.error(f"wanted {self} as {FORMATS[self.kind]}, found {begun}.")
        return media

    def _of_file(self, file: File, walk: Walk) -> Media:
        try:
            return self._held(file.data, walk, file)
        except HfregError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise walk.error(f"the file {cut(str(file.path), 200)!r} cannot be read: {reason}.") from None

    def _of_text(self, text: str, walk: Walk) -> Media:
        head, comma, body = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
        if head and not (comma and head.lower().endswith(";base64")):
            raise walk.error(f"wanted {self}, found a data URL without base64. Write data:…;base64,…")
        if len(body) > MAX_BYTES * 4 // 3 + 4:
            raise walk.error(f"a file of more than {MAX_BYTES / 1e6:.0f} MB. Give a smaller one.")
        try:
            data = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise walk.misfit(self, text, _ELSEWHERE) from None
        if not head and not self.media(data).media_type:  # a word such as `cat` is base64 too
            raise walk.misfit(self, text, _ELSEWHERE)
        return self._held(data, walk, text)


@dataclass(frozen=True, repr=False)
class Image(_MediaType):
    """A picture: its file, a PIL image, or an array of pixels."""

    kind: ClassVar[str] = "Image"

    def made_of(self, value: Any) -> bytes | None:
        return picture(value) if is_picture(value) or is_array(value) else None


@dataclass(frozen=True, repr=False)
class Audio(_MediaType):
    """Sound: its file, or samples with their rate; scoring logic is given `rate` samples per second."""

    rate: int = RATE
    kind: ClassVar[str] = "Audio"

    def __str__(self) -> str:
        return "Audio" if self.rate == RATE else f"Audio[{self.rate}]"

    def media(self, data: bytes) -> Media:
        return Media("Audio", data, self.rate)

    def made_of(self, value: Any) -> bytes | None:
        return sound(value)


def holds_media(kind: Type) -> bool:
    """Say whether values of a type are pictures or sound, or hold some."""
    if isinstance(kind, Array):
        return holds_media(kind.item)
    if isinstance(kind, Map):
        return holds_media(kind.value)
    if isinstance(kind, Struct):
        return any(holds_media(field) for _, field in kind.fields)
    return isinstance(kind, _MediaType)


def held_bytes(value: Any) -> int:
    """Return how many bytes of pictures and sound a value holds, however nested."""
    if isinstance(value, Media):
        return len(value.data)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return sum(held_bytes(part) for part in parts)


def naming_files(kind: Type, value: Any) -> Any:
    """Return a value with every text that may be a path as a File: for callers who may read files of this machine."""
    if isinstance(kind, _MediaType):
        is_path = isinstance(value, os.PathLike) or (isinstance(value, str) and value and value[:5].lower() != "data:")
        return File(value) if is_path else value
    if not holds_media(kind):
        return value
    if isinstance(kind, Array) and isinstance(value, (list, tuple)):
        return [naming_files(kind.item, item) for item in value]
    if isinstance(kind, Map) and isinstance(value, dict):
        return {key: naming_files(kind.value, item) for key, item in value.items()}
    if isinstance(kind, Struct) and isinstance(value, dict):
        fields = dict(kind.fields)
        return {key: naming_files(fields[key], item) if key in fields else item for key, item in value.items()}
    return value
