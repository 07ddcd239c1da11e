"""Excel: the first sheet of an .xlsx file, row by row, with the values that formulas had when it was saved.

Imports openpyxl when the first table is opened. What a file unpacks to is bounded, because some pack a bomb.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from hfreg.errors import TableError
from hfreg.tables import Row, named

LARGEST = 2**30
"""Bytes that a file may unpack to."""
_DAMAGED = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, EOFError)


class Excel:
    """The first sheet of an Excel file, whose first row names the columns."""

    unusable: Mapping[str, str] = {}

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            with zipfile.ZipFile(file) as packed:
                unpacked = sum(part.file_size for part in packed.infolist())
        except zipfile.BadZipFile:
            raise self._damaged() from None
        if unpacked > LARGEST:
            raise TableError(f"{file.name} unpacks to {unpacked / 1e9:.1f} GB; save so much as Parquet or CSV.")
        self.columns = named(list(next(self._cells(), ())), file.name)

    def rows(self) -> Iterator[Row | TableError]:
        """Yield each row; one without any cell is none."""
        columns, width = self.columns, len(self.columns)
        rows = self._cells()
        next(rows)
        for number, cells in enumerate(rows, 1):
            if all(cell is None for cell in cells):
                continue
            if any(cell is not None for cell in cells[width:]):
                yield TableError(f"Row {number} has a cell behind the last of {width} columns.")
                continue
            values = [_plain(cell) for cell in cells[:width]]
            yield dict(zip(columns, [*values, *[None] * (width - len(values))], strict=True))

    def _cells(self) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(load_workbook(self._file, read_only=True, data_only=True)) as book:
                if not book.worksheets:
                    return
                sheet = book.worksheets[0]
                sheet.reset_dimensions()  # some writers state them wrongly, and then cells would be missing
                yield from sheet.iter_rows(values_only=True)
        except _DAMAGED:
            raise self._damaged() from None

    def _damaged(self) -> TableError:
        return TableError(f"{self._file.name} is damaged or no .xlsx file. Save it anew as .xlsx, or as CSV.")


def _plain(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return str(value) if isinstance(value, time | timedelta) else value
