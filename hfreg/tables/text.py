"""Text: CSV, TSV and JSON Lines, read line by line as UTF-8.

A line longer than LONGEST is skipped in pieces, and bytes that are no UTF-8 spoil their row alone. A quoted cell may
hold line ends.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from hfreg.errors import TableError
from hfreg.tables import Row, named

LONGEST = 16 * 2**20
"""Bytes of one line, and characters of one cell; what is longer is no row but an accident."""
LOOKED_AT = 1000
"""Lines of a JSON Lines file that are looked at for the names of its columns."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


class Lines(Iterator[str]):
    """The lines of a file with their ends; raises TableError for one that cannot be read, and goes on behind it."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.number = 0
        self._stream = stream
        self._name = name
        start = stream.read(3)
        if start[:2] in _UTF16:
            raise TableError(f"{name} is UTF-16. Save it as UTF-8.")
        stream.seek(3 if start == _BOM else 0)

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):
                line = self._stream.readline(LONGEST)
            raise TableError(f"{self._name}: line {self.number} is longer than {LONGEST // 2**20} MiB.")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise TableError(
                f"{self._name}: line {self.number} is not UTF-8 (byte 0x{byte:02x} at {error.start + 1}). "
                "Save the table as UTF-8."
            ) from None


class Delimited:
    """A CSV or TSV file whose first line names the columns."""

    unusable: Mapping[str, str] = {}

    def __init__(self, file: Path, delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
        with file.open("rb") as stream:
            header = next(self._records(stream), None)
        if isinstance(header, TableError):
            raise header
        self.columns = named(header or [], file.name)

    def rows(self) -> Iterator[Row | TableError]:
        """Yield each row; empty lines are none."""
        columns, width = self.columns, len(self.columns)
        with self._file.open("rb") as stream:
            records = self._records(stream)
            next(records)
            for number, cells in enumerate(records, 1):
                if isinstance(cells, TableError):
                    yield cells
                elif len(cells) == width:
                    yield dict(zip(columns, cells, strict=True))
                elif len(cells) > width and any(cells[width:]):
                    yield TableError(f"Row {number} has {len(cells)} cells, but there are {width} columns.")
                else:  # cells left out at the end are missing ones
                    yield dict(zip(columns, [*cells[:width], *[""] * (width - len(cells))], strict=True))

    def _records(self, stream: BinaryIO) -> Iterator[list[str] | TableError]:
        lines = Lines(stream, self._file.name)
        reader = csv.reader(lines, delimiter=self._delimiter)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except TableError as error:
                yield error
                continue
            except csv.Error as error:  # the reader begins afresh with the next line
                yield TableError(f"{self._file.name}: line {lines.number} cannot be read: {error}.")
                continue
            if cells:
                yield cells


class JsonLines:
    """A file with one JSON object on each line; the columns are the keys of its first LOOKED_AT lines."""

    unusable: Mapping[str, str] = {}

    def __init__(self, file: Path) -> None:
        self._file = file
        names: dict[str, None] = {}
        problem: TableError | None = None
        for row in islice(self._objects(), LOOKED_AT):
            if isinstance(row, TableError):
                problem = problem or row
            else:
                names.update(dict.fromkeys(row))
        if not names and problem is not None:
            raise problem
        self.columns = named(list(names), file.name)

    def rows(self) -> Iterator[Row | TableError]:
        """Yield each object; a key that it lacks is a missing cell, one that is no column an error of its row."""
        columns = dict.fromkeys(self.columns)
        for number, row in enumerate(self._objects(), 1):
            if isinstance(row, TableError) or row.keys() == columns.keys():
                yield row
            elif unknown := next((key for key in row if key not in columns), None):
                yield TableError(f"Row {number} has a key `{unknown}`, which none of the first {LOOKED_AT:,} rows has.")
            else:
                yield {**columns, **row}

    def _objects(self) -> Iterator[Row | TableError]:
        with self._file.open("rb") as stream:
            lines = Lines(stream, self._file.name)
            while True:
                try:
                    line = next(lines)
                except StopIteration:
                    return
                except TableError as error:
                    yield error
                    continue
                if line.strip():
                    yield self._object(line, lines.number)

    def _object(self, line: str, number: int) -> Row | TableError:
        try:
            found: Any = json.loads(line, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            way = " Write one JSON object on each line." if line.lstrip().startswith(("[", "{")) else ""
            return TableError(f"{self._file.name}: line {number} is no JSON object.{way}")
        if isinstance(found, dict):
            return found
        return TableError(f"{self._file.name}: line {number} is no JSON object. Write one on each line.")
