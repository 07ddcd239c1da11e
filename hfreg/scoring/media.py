"""Media: the pictures and sound among the arguments of a call, decoded for scoring logic.

An Image becomes a `PIL.Image` in RGB, an Audio what pipelines of transformers take: `{"array": …, "sampling_rate": …}`
with one channel of float32 at the rate of its type. What a file holds is not trusted: this runs in the process that
runs the scoring logic, a few formats are admitted, and pixels and seconds are looked at before they are decoded.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from math import gcd
from typing import Any

from hfreg.errors import ArgumentError
from hfreg.types.media import FORMATS, Media
from hfreg.types.signals import MAX_PIXELS, MAX_SECONDS

MAX_CHANNELS = 8
MAX_SAMPLES = 64_000_000
"""Samples over all channels: ten minutes of stereo at 48,000 a second."""
_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_SOUNDS = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "OGG"})


def decoded(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with what is a picture or sound decoded; raises ArgumentError naming the argument."""
    return {name: _decoded(value, name) for name, value in arguments.items()}


def _decoded(value: Any, name: str) -> Any:
    if type(value) is list:
        return [_decoded(item, name) for item in value]
    if type(value) is dict:
        return {key: _decoded(item, name) for key, item in value.items()}
    if type(value) is not Media:
        return value
    try:
        return _picture(value.data) if value.kind == "Image" else _sound(value.data, value.rate)
    except _Refused as problem:
        raise ArgumentError(f"Argument `{name}`: {problem}") from None
    except Exception as error:  # decoders raise anything for a broken file
        what = f"the {value.media_type or value.kind} cannot be decoded ({type(error).__name__})"
        raise ArgumentError(f"Argument `{name}`: {what}. Give a whole file of {FORMATS[value.kind]}.") from None


class _Refused(ValueError):
    """A file that can be read and is too large."""


def _picture(data: bytes) -> Any:
    from PIL import Image, ImageOps

    try:
        found = Image.open(io.BytesIO(data), formats=_PICTURES)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _Refused(_too_many_pixels("far more pixels")) from None
    with found:
        if (pixels := found.width * found.height) > MAX_PIXELS:
            raise _Refused(_too_many_pixels(f"{pixels / 1e6:,.1f} million pixels"))
        return ImageOps.exif_transpose(found).convert("RGB")


def _too_many_pixels(found: str) -> str:
    return f"the picture has {found}; at most {MAX_PIXELS / 1e6:.0f} million are taken. Scale it down."


def _sound(data: bytes, rate: int) -> dict[str, Any]:
    import numpy
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        given = int(file.samplerate)
        if file.format not in _SOUNDS:
            raise _Refused(f"wanted sound as {FORMATS['Audio']}, found {file.format}.")
        if not (0 < file.frames <= given * MAX_SECONDS) or file.frames * file.channels > MAX_SAMPLES:
            raise _Refused(
                f"the sound lasts {file.frames / given:,.0f} seconds; up to {MAX_SECONDS} are taken. Cut it."
            )
        if not (file.channels <= MAX_CHANNELS and 1_000 <= given <= 384_000):
            raise _Refused(f"the sound has {file.channels} channels of {given:,} samples a second, which is not taken.")
        samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
    if not numpy.isfinite(samples).all():
        raise _Refused("the sound holds NaN or infinity. Write it anew with numbers.")
    return {"array": _at_rate(samples, given, rate), "sampling_rate": rate}


def _at_rate(samples: Any, given: int, wanted: int) -> Any:
    """Bring samples to another rate: polyphase filtering, which leaves nothing beyond half of the lower rate."""
    if given == wanted:
        return samples
    from scipy.signal import resample_poly

    common = gcd(given, wanted)
    return resample_poly(samples, wanted // common, given // common).astype("float32")
