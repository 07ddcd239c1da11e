"""Signals: pixels and samples that Python code holds, written as plain PNG and WAV files.

Covers PIL images, numpy arrays of pixels, and samples with their rate as a pair or a dict. Nothing is imported for it,
and nothing is compressed: the file goes no further than the process that runs the model. It reads no files.
"""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from typing import Any

MAX_PIXELS = 40_000_000
MAX_SECONDS = 600

_COLOURS = {1: 0, 3: 2, 4: 6}
"""Channels of a picture to the colour type of PNG."""
_DIVISORS = {"int16": 32_768.0, "int32": 2_147_483_648.0}
_SOUND = 'Pass a path, bytes, (samples, rate) or {"array": samples, "sampling_rate": rate}.'


class Unfit(ValueError):
    """Pixels or samples that are not taken; the message is the way out."""


def is_picture(value: Any) -> bool:
    """Say whether a value is an image of PIL."""
    return any(c.__name__ == "Image" and c.__module__ == "PIL.Image" for c in type(value).__mro__)


def is_array(value: Any) -> bool:
    """Say whether a value is an array of numpy."""
    return type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tobytes")


def picture(value: Any) -> bytes:
    """Return a PNG of a PIL image, or of an array of height × width, with 1, 3 or 4 channels; raises Unfit."""
    if is_picture(value):
        _bounded(value.width * value.height)
        held = value if value.mode in {"L", "RGB", "RGBA"} else value.convert("RGBA" if "A" in value.mode else "RGB")
        return png(held.width, held.height, len(held.getbands()), held.tobytes())
    shape = tuple(value.shape)
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in {2, 3} or channels not in _COLOURS or 0 in shape:
        raise Unfit(f"Its shape is {shape}; pass height × width, or height × width × 3 (RGB) or 4 (RGBA).")
    _bounded(shape[0] * shape[1])
    return png(shape[1], shape[0], channels, _levels(value).tobytes())


def _bounded(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise Unfit(f"It has {pixels / 1e6:,.1f} million pixels; at most {MAX_PIXELS / 1e6:.0f} million are taken.")


def _levels(pixels: Any) -> Any:
    if str(pixels.dtype) == "uint8":
        return pixels
    if pixels.dtype.kind != "f":
        raise Unfit(f"Its numbers are {pixels.dtype}; pass uint8 from 0 to 255, or floats from 0 to 1.")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise Unfit("Floats of a picture lie from 0 to 1; divide by 255, or pass uint8.")
    return (pixels * 255).round().astype("uint8")


def png(width: int, height: int, channels: int, pixels: bytes) -> bytes:
    """Return an uncompressed PNG of pixels, row after row."""
    stride = width * channels
    rows = b"".join(b"\0" + pixels[start : start + stride] for start in range(0, height * stride, stride))
    head = struct.pack("!IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body)) for name, body in chunks
    )


def sound(value: Any) -> bytes | None:
    """Return a WAV of samples with their rate, several channels as their mean; None for no such pair; raises Unfit."""
    if isinstance(value, dict):
        samples, rate = value.get("array", value.get("raw")), value.get("sampling_rate")
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        samples, rate = value
    else:
        if is_array(value):
            raise Unfit(f"Samples need their rate. {_SOUND}")
        return None
    if samples is None or rate is None or not (is_array(samples) or isinstance(samples, (list, tuple))):
        raise Unfit(_SOUND)
    rate = _rate(rate)
    mono = _mono(samples) if is_array(samples) and len(samples.shape) else _listed(samples)
    if len(mono) > 4 * rate * MAX_SECONDS:
        raise Unfit(f"It lasts {len(mono) / 4 / rate:,.0f} seconds; at most {MAX_SECONDS} are taken.")
    return wav(rate, mono)


def _rate(rate: Any) -> int:
    try:
        whole = int(rate)
    except (TypeError, ValueError, OverflowError):
        raise Unfit(_SOUND) from None
    if isinstance(rate, bool) or whole != rate or not 1_000 <= whole <= 384_000:
        raise Unfit("The rate is a whole number of samples per second, from 1,000 to 384,000.")
    return whole


def _mono(samples: Any) -> bytes:
    divisor = 1.0 if samples.dtype.kind == "f" else _DIVISORS.get(str(samples.dtype))
    if divisor is None or len(samples.shape) > 2 or 0 in samples.shape:
        what = f"{samples.dtype} in the shape {tuple(samples.shape)}"
        raise Unfit(f"The samples are {what}; pass floats, int16 or int32, one list or one for each channel.")
    if len(samples.shape) == 2:
        samples = samples.mean(axis=0 if samples.shape[0] < samples.shape[1] else 1)
    if not (math.isfinite(samples.min()) and math.isfinite(samples.max())):
        raise Unfit("NaN and infinity are no samples.")
    return bytes((samples / divisor).astype("<f4").tobytes())


def _listed(samples: Any) -> bytes:
    try:
        numbers = array("f", samples)
    except (TypeError, OverflowError, ValueError):
        raise Unfit(_SOUND) from None
    if not numbers or not all(map(math.isfinite, numbers)):
        raise Unfit("There have to be samples, and NaN and infinity are none.")
    return numbers.tobytes()


def wav(rate: int, samples: bytes) -> bytes:
    """Return a WAV of one channel of 32-bit floats."""
    form = struct.pack("<HHIIHH", 3, 1, rate, 4 * rate, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
