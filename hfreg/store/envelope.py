"""The bytes of a store's file: one JSON object that carries its schema, a generation and a checksum.

    {"hfreg": {"schema": 1, "generation": 7, "sha256": "…"},
    "tables": {"versions": {"1": {…}}}}

The checksum covers schema, generation and tables, so that a torn, flipped or edited file is known as
such. Plain TinyDB files (tables alone) can be read for migration. Where files lie is not known here.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from hfreg.errors import StoreCorrupt

Tables = dict[str, dict[str, Any]]
Stamp = tuple[int, int, int]

SCHEMA = 1
_HEADER = re.compile(
    rb'\{"hfreg": \{"schema": (\d{1,9}), "generation": (\d{1,18}), "sha256": "([0-9a-f]{64})"\},\n"tables": '
)
_END = b"}\n"


@dataclass(frozen=True, eq=False)
class Content:
    """What one generation of the file says; shared between readers, so nobody may change `tables`."""

    tables: Tables
    generation: int = 0
    schema: int = SCHEMA
    stamp: Stamp | None = None


class Damaged(StoreCorrupt):
    """A file that cannot be read; a copy of it may be."""


def encode(tables: Tables, generation: int, schema: int = SCHEMA) -> bytes:
    """Return the bytes of a file; raises TypeError or ValueError for what JSON cannot hold."""
    body = json.dumps(tables, separators=(",", ":")).encode("ascii")
    head = f'{{"hfreg": {{"schema": {schema}, "generation": {generation}, "sha256": "'
    return b"".join((head.encode(), _checksum(schema, generation, body).encode(), b'"},\n"tables": ', body, _END))


def decode(data: bytes, stamp: Stamp | None = None) -> Content:
    """Read the bytes of a file; raises Damaged saying what is wrong with them."""
    if not data:
        raise Damaged("it is empty")
    if not (match := _HEADER.match(data)):
        raise Damaged("it was not written by hfreg, or its beginning is damaged")
    schema, generation = int(match[1]), int(match[2])
    body = memoryview(data)[match.end() : -len(_END)]
    if data[-len(_END) :] != _END or _checksum(schema, generation, body) != match[3].decode():
        raise Damaged("its checksum does not fit, so it is torn or was changed by something else")
    return Content(json.loads(bytes(body)), generation, schema, stamp)


def plain_tables(data: bytes) -> Tables | None:
    """Read a plain TinyDB file of the older layout; None when it is something else."""
    try:
        tables = json.loads(data)
    except ValueError:
        return None
    if not isinstance(tables, dict) or not all(_is_table(table) for table in tables.values()):
        return None
    return {name: table for name, table in tables.items() if table or name != "_default"}


def _is_table(table: object) -> bool:
    return isinstance(table, dict) and all(
        key.isdigit() and isinstance(document, dict) for key, document in table.items()
    )


def _checksum(schema: int, generation: int, body: bytes | memoryview) -> str:
    digest = hashlib.sha256(f"{schema}:{generation}:".encode())
    digest.update(body)
    return digest.hexdigest()
