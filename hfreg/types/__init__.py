"""Types: the notation of argument and output types, and everything a type does.

`parse` reads the notation; `str()` of what it gives is the one canonical form. A type checks values
given from Python, reads and writes text, holds an answer to itself, and describes itself to forms,
signatures and JSON Schema. Every type admits None.

    >>> threshold = parse("float")
    >>> str(threshold)
    'Numerical'
    >>> threshold.from_text("0.5", "threshold")
    0.5
    >>> answer = parse("Map[String, String]").convert({"sentiment": "positive", "confidence": 0.9})
    >>> answer.value
    {'sentiment': 'positive', 'confidence': '0.9'}
    >>> len(answer.warnings)
    1

Rooms: `notation` reads, `base` is what every type does, `scalars` and `containers` are the kinds, `media` and
`signals` pictures and sound, `walk` is where a value is being looked at and how its faults are told, `advice` the ways
out, `plain` the values of other libraries. It does not cover which arguments a call has: that is `hfreg.definition`.
"""

from hfreg.types.base import Converted, Type
from hfreg.types.containers import Array, Map, Struct
from hfreg.types.media import Audio, File, Image, Media, holds_media, naming_files
from hfreg.types.notation import Notation, parse, written
from hfreg.types.scalars import Anything, Boolean, DateTime, Numerical, String

__all__ = [
    "parse",
    "written",
    "Notation",
    "Type",
    "Converted",
    "String",
    "Numerical",
    "Boolean",
    "DateTime",
    "Anything",
    "Array",
    "Map",
    "Struct",
    "Image",
    "Audio",
    "Media",
    "File",
    "holds_media",
    "naming_files",
]
