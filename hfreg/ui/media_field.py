"""Media field: the upload of a picture or sound in a form, with a preview.

What was uploaded is held as a data URL under the key of the field, as the text of every other one is. The browser shows
or plays it; the process of the page decodes nothing. How a call with one is written to be copied or kept is here too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import streamlit as st

from hfreg.argument import Argument
from hfreg.types import Media
from hfreg.types.media import MAX_BYTES
from hfreg.ui import session

ENDINGS = {"Image": ["png", "jpg", "jpeg", "webp", "gif", "bmp"], "Audio": ["wav", "flac", "ogg", "oga", "opus"]}
MAX_HELD = 60_000_000
"""Bytes of pictures and sound that the forms of one session hold together."""
FIELDS = "media.fields"
MAX_SHOWN = 3_000_000
"""Characters of a data URL that a page shows again on every run."""
MAX_KEPT = 16_000
"""Bytes of a picture or sound that an example keeps."""


def draw(argument: Argument, label: str, common: dict[str, Any]) -> None:
    """Draw the upload of an argument, and what is held of it."""
    key, kind = common["key"], argument.parsed_type.kind
    st.file_uploader(
        label,
        ENDINGS[kind],
        key=f"{key}.file",
        help=common["help"],
        disabled=common["disabled"],
        max_upload_size=MAX_BYTES // 1_000_000,
        on_change=_taken,
        args=(key, kind),
    )
    session.put(FIELDS, session.get(FIELDS, frozenset()) | {key})
    held = session.get(key)
    if not held and (full := session.get(f"{key}.full")):
        st.error(full)
    if not isinstance(held, str) or not held or common["disabled"]:
        return
    if len(held) > MAX_SHOWN:
        st.caption(f"{len(held) * 3 // 4 / 1e6:.1f} MB, too large to be shown here.")
    elif not held.startswith(f"data:{kind.lower()}/"):
        st.caption("It is no file of a kind that is taken.")
    elif kind == "Image":
        st.image(held, width=240)
    else:
        st.audio(held)


def _taken(key: str, kind: str) -> None:
    file = session.get(f"{key}.file")
    session.put(key, "")
    session.drop(f"{key}.full")
    if file is None:
        return
    others = sum(len(session.get(other) or "") for other in session.get(FIELDS, ())) * 3 // 4
    if others + file.size > MAX_HELD:
        session.put(
            f"{key}.full",
            f"{file.name} has {file.size / 1e6:.1f} MB, and the forms of this session hold {others / 1e6:.1f} MB of "
            f"{MAX_HELD / 1e6:.0f} already. Remove another upload first, or reload the page.",
        )
        return
    media = Media(kind, file.getvalue())
    session.put(key, f"data:{media.media_type or 'unknown'};base64,{base64.b64encode(media.data).decode()}")


def path_of(name: str, media: Media) -> str:
    """Return the path that stands for a picture or sound in a call to copy."""
    return f"{name}.{media.media_type.partition('/')[2] or 'bin'}"


def named(place: int, example: Mapping[str, Any]) -> str:
    """Return a name for an example that begins with a picture or sound; empty for any other."""
    first = next(iter(example.values()), None)
    kinds = (kind for kind in ENDINGS if isinstance(first, str) and first.startswith(f"data:{kind.lower()}/"))
    return next((f"{kind} {place + 1}" for kind in kinds), "")


def kept(value: Any) -> Any:
    """Return a value as an example keeps it: a small picture or sound as its data URL; raises ValueError for others."""
    if isinstance(value, list):
        return [kept(item) for item in value]
    if isinstance(value, dict):
        return {key: kept(item) for key, item in value.items()}
    if not isinstance(value, Media):
        return value
    if len(value.data) > MAX_KEPT:
        what = f"{value.kind} of {len(value.data):,} bytes"
        raise ValueError(f"It holds an {what}, and at most {MAX_KEPT:,} are kept with a model. Use a smaller one.")
    return value.data_url
