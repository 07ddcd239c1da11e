"""Tables: CSV, TSV, JSON Lines, Parquet and Excel files as a stream of rows.

`open_table(path)` reads the columns and refuses what is no table; `table.rows()` yields a dict for each row, without
ever holding more than a piece of the file. A row that cannot be read is yielded as a TableError in its place, so that
it stops none of the others. Cells of text files are text; those of the other formats keep the kind of their value, and
what is missing is None. It guesses no types and knows no model.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "texts.csv"
    ...     _ = path.write_text("text,language\\ngood,en\\n")
    ...     table = open_table(path)
    ...     table.columns, list(table.rows())
    (('text', 'language'), [{'text': 'good', 'language': 'en'}])
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hfreg.errors import TableError

__all__ = ["FORMATS", "Identity", "Row", "Table", "identify", "open_table", "unchanged"]

Row = dict[str, Any]
FORMATS: Mapping[str, str] = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
    ".parquet": "Parquet",
    ".xlsx": "Excel",
}
_CHUNK = 2**20


class Table(Protocol):
    """A table on disk. `unusable` names the columns whose cells no argument takes, with their type."""

    columns: tuple[str, ...]
    unusable: Mapping[str, str]

    def rows(self) -> Iterator[Row | TableError]:
        """Yield each row from the first on; one that cannot be read is a TableError that names it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one state of a file from another: `size` in bytes, `changed` in nanoseconds since 1970."""

    path: str
    size: int
    changed: int
    sha256: str = ""


def open_table(path: str | Path) -> Table:
    """Return the table in a file, told by its ending; raises TableError for what is none."""
    file = Path(path)
    form = FORMATS.get(file.suffix.lower())
    if form is None:
        known = ", ".join(FORMATS)
        raise TableError(f"{file.name} is no table that can be read. Its name has to end in one of {known}.")
    try:
        if not file.is_file():
            raise TableError(f"There is no file {file}.")
        if form in ("CSV", "TSV"):
            from hfreg.tables.text import Delimited

            return Delimited(file, "," if form == "CSV" else "\t")
        if form == "JSON Lines":
            from hfreg.tables.text import JsonLines

            return JsonLines(file)
        if form == "Parquet":
            from hfreg.tables.parquet import Parquet

            return Parquet(file)
        from hfreg.tables.excel import Excel

        return Excel(file)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror or error}.") from None


def identify(path: str | Path) -> Identity:
    """Read a file through and return its identity; raises TableError when it cannot be read."""
    file, digest = Path(path), hashlib.sha256()
    try:
        stat = file.stat()
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror or error}.") from None
    return Identity(str(file), stat.st_size, stat.st_mtime_ns, digest.hexdigest())


def unchanged(known: Identity) -> bool:
    """Say whether the file is what it was; it is read through only when size is the same and its time is not."""
    try:
        stat = Path(known.path).stat()
    except OSError:
        return False
    if stat.st_size != known.size:
        return False
    return stat.st_mtime_ns == known.changed or identify(known.path).sha256 == known.sha256


def named(columns: list[Any], file: str) -> tuple[str, ...]:
    """Return the names of columns, or raise TableError for what cannot be told apart or is no header."""
    names = ["" if name is None else str(name).strip() for name in columns]
    while names and not names[-1]:  # a spreadsheet leaves empty columns behind the last
        names.pop()
    if not names:
        raise TableError(f"{file} is empty: it has no column. Its first row has to name the columns.")
    if all(_is_number(name) for name in names):
        raise TableError(f"{file} has no header: its first row is {names[0]!r}, … Put a row with column names first.")
    for place, name in enumerate(names, 1):
        if not name:
            raise TableError(f"{file}: column {place} has no name. Its first row has to name every column.")
        if (again := names.index(name) + 1) != place:
            raise TableError(f"{file} has two columns `{name}`, the {again}. and the {place}. Rename one of them.")
    return tuple(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
