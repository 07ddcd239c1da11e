"""Portable: a definition as a JSON file that another registry can take in.

The file holds one definition and where it came from, with its pins and sources; a schema number lets an older
hfreg refuse a newer file by name. It holds no call, no review and no secret.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import IO, Any, NamedTuple

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, ImportFileError, did_you_mean
from hfreg.scoring.check import repositories
from hfreg.version import Pin, Version
from hfreg.version import Source as Record

FORMAT = "hfreg.definition"
SCHEMA = 1
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_NAMED = 300

Source = str | bytes | Path | IO[str] | IO[bytes] | dict[str, Any]

_COMMIT = re.compile(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}")


class Exported(NamedTuple):
    """What an export file says: a definition, the pins that hold for it, and what their sources were."""

    definition: Definition
    pins: tuple[Pin, ...]
    sources: tuple[Record, ...] = ()


def dump(version: Version) -> str:
    """Return a version as the text of an export file."""
    document = {
        "format": FORMAT,
        "schema": SCHEMA,
        "definition": version.definition.model_dump(mode="json"),
        "exported": {
            "version": version.number,
            "state": version.state,
            "author": version.author,
            "scoring_logic": _digest(version.definition),
            "pins": [pin.model_dump(mode="json") for pin in version.pins],
            "sources": [source.model_dump(mode="json", exclude_defaults=True) for source in version.sources],
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def load(source: Source) -> Definition:
    """Read the definition of an export file; see `read`."""
    return read(source).definition


def read(source: Source) -> Exported:
    """Read an export file: a path, an open file, its text, or the parsed JSON.

    Its pins are left out where the scoring logic was changed since and does not name their source any more. Raises
    ImportFileError that names the file and what is wrong: no JSON, no export, a newer schema, an unknown field.
    """
    try:
        return _read(source if isinstance(source, dict) else _parsed(_text(source)))
    except ImportFileError as error:
        name = _name(source)
        if not name or name in str(error):
            raise
        raise ImportFileError(f"{name}: {error}") from None


def _read(document: Any) -> Exported:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ImportFileError(f'This is no export of hfreg: it has no "format": "{FORMAT}".')
    schema = document.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise ImportFileError(f'The export has no usable "schema" number (found {schema!r}).')
    if schema > SCHEMA:
        raise ImportFileError(
            f"The export was written by a newer hfreg (schema {schema}, this one reads up to {SCHEMA}). Upgrade hfreg."
        )
    unknown = set(document) - {"format", "schema", "definition", "exported"}
    if unknown:
        raise ImportFileError(f"The export has an unknown field `{min(unknown)}`.")
    definition = _definition(document.get("definition"))
    exported = document.get("exported")
    pins = _pins(exported, definition)
    return Exported(definition, pins, _sources(exported, definition, pins))


def _definition(fields: Any) -> Definition:
    if not isinstance(fields, dict):
        raise ImportFileError('The export has no "definition".')
    for name in fields:
        if name not in Definition.model_fields:
            near = did_you_mean(name, Definition.model_fields)
            raise ImportFileError(f"The definition in the file has an unknown field `{name}`.{near}")
    try:
        return Definition(**fields)
    except (DefinitionError, TypeError) as error:
        raise ImportFileError(f"The definition in the file cannot be used: {error}") from None


def _pins(exported: Any, definition: Definition) -> tuple[Pin, ...]:
    """Return the pins of the file that hold: all for the source they were made for, else those it still names."""
    if not isinstance(exported, dict) or not exported.get("pins"):
        return ()
    try:
        pins = tuple(Pin(**pin) for pin in exported["pins"])
    except (DefinitionError, TypeError) as error:
        raise ImportFileError(f"A pin in the file cannot be used: {error}") from None
    for pin in pins:
        if not _COMMIT.fullmatch(pin.commit):
            raise ImportFileError(f"The file pins `{pin.repo}` to {pin.commit[:80]!r}, which is no full commit.")
    if exported.get("scoring_logic") == _digest(definition):
        return pins
    named = {(one.repo, one.revision) for one in repositories(definition.code)}
    return tuple(pin for pin in pins if (pin.repo, pin.revision) in named)


def _sources(exported: Any, definition: Definition, pins: tuple[Pin, ...]) -> tuple[Record, ...]:
    """Return what the file says of the commits that hold: those that are pinned, and those that the code names."""
    if not isinstance(exported, dict) or not exported.get("sources"):
        return ()
    try:
        sources = tuple(Record(**source) for source in exported["sources"])
    except (DefinitionError, TypeError) as error:
        raise ImportFileError(f"A source in the file cannot be used: {error}") from None
    held = {(pin.repo, pin.commit) for pin in pins}
    held |= {(one.repo, one.revision) for one in repositories(definition.code) if one.revision}
    return tuple(source for source in sources if (source.repo, source.commit) in held)


def _digest(definition: Definition) -> str:
    return "sha256:" + hashlib.sha256(definition.scoring_logic.encode("utf-8", "surrogatepass")).hexdigest()


def _name(source: Source) -> str:
    if isinstance(source, Path) or (isinstance(source, str) and not _is_text(source)):
        return str(source)[:MAX_NAMED]
    name = getattr(source, "name", "")
    return name[:MAX_NAMED] if isinstance(name, str) else ""


def _is_text(source: str) -> bool:
    return source.lstrip().startswith("{")


def _text(source: Source) -> str:
    try:
        if hasattr(source, "read"):
            source = source.read(MAX_FILE_BYTES + 1)
        elif isinstance(source, Path) or (isinstance(source, str) and not _is_text(source)):
            path = Path(source)
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ImportFileError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB, which no export is.")
            source = path.read_bytes()
        text = source.decode("utf-8") if isinstance(source, bytes) else str(source)
    except UnicodeDecodeError:
        raise ImportFileError("The file is not UTF-8 text, so it is no export of hfreg.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ImportFileError):
            raise
        raise ImportFileError(f"The file cannot be read: {error}") from None
    if len(text) > MAX_FILE_BYTES:
        raise ImportFileError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MiB, which no export is.")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ImportFileError(f"The file is not JSON{where}, so it is no export of hfreg.") from None
