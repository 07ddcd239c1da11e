"""Snippets: a call of a registered model as text to copy, in Python and for the command line.

Covers quoting for both. Values are those the form read by type, so that the copied call means the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hfreg.errors import ArgumentError
from hfreg.types import Media, Type
from hfreg.ui.media_field import path_of
from hfreg.version import Version


def python_call(version: Version, arguments: Mapping[str, Any], *, pinned: bool = False) -> str:
    """Return Python that makes this call; `pinned` names the version instead of the one in use."""
    alias = version.alias
    shown = {n: path_of(n, value) if isinstance(value, Media) else value for n, value in arguments.items()}
    written = [f"    {name}={value!r},\n" for name, value in shown.items()]
    call = f"result = {alias}(\n{''.join(written)})" if written else f"result = {alias}()"
    moments = "import datetime\n\n" if any(isinstance(value, datetime) for value in arguments.values()) else ""
    if pinned:
        opened = f'import hfreg\n\n{alias} = hfreg.open().model("{alias}", version={version.number})'
    else:
        opened = f"from hfreg.models import {alias}"
    return f"{moments}{opened}\n\n{call}"


def cli_call(version: Version, arguments: Mapping[str, Any], *, pinned: bool = False) -> str:
    """Return the command that makes this call; a text that begins with @ goes through a file, as the command has it."""
    words, files = ["python", "-m", "hfreg", "run", version.alias], []
    types = {a.alias: a.parsed_type for a in version.definition.arguments}
    for name, value in arguments.items():
        text = path_of(name, value) if isinstance(value, Media) else _text(types[name], value)
        if text.startswith("@"):
            files.append(f"# {name}.txt holds the value of {name}\n")
            text = f"@{name}.txt"
        words.append(f"{name}={shlex.quote(text)}" if text else f"{name}=")
    if pinned:
        words += ["--number", str(version.number)]
    return "".join(files) + " ".join(words)


def _text(kind: Type, value: Any) -> str:
    try:
        return kind.to_text(value)
    except ArgumentError:
        return str(value)
