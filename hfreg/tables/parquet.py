"""Parquet: read in batches of rows, values as Python's own.

Nested values become lists and dicts. A column of a type that no argument takes, such as bytes, is told as unusable and
left out. Imports pyarrow when the first table is opened.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from hfreg.errors import TableError
from hfreg.tables import Row, named

BATCH = 1024


class Parquet:
    """A Parquet file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            schema = pq.read_schema(file)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise TableError(f"{file.name} is damaged or no Parquet file: {_line(error)}.") from None
        columns = named(list(schema.names), file.name)
        self.unusable: Mapping[str, str] = {
            name: str(schema.field(name).type) for name in columns if _unusable(schema.field(name).type)
        }
        self.columns = tuple(name for name in columns if name not in self.unusable)
        if not self.columns:
            raise TableError(f"{file.name} has no column that an argument could take.")

    def rows(self) -> Iterator[Row | TableError]:
        """Yield each row, with None for what is missing or not a number."""
        with pq.ParquetFile(self._file) as opened:
            try:
                for batch in opened.iter_batches(BATCH, columns=list(self.columns)):
                    for row in batch.to_pylist(maps_as_pydicts="lossy"):
                        yield {name: _plain(row[name]) for name in self.columns}
            except (pa.ArrowException, OSError, ValueError) as error:
                raise TableError(f"{self._file.name} is damaged: {_line(error)}.") from None


def _unusable(of: Any) -> bool:
    if pa.types.is_nested(of):
        return any(_unusable(of.field(i).type) for i in range(of.num_fields))
    if pa.types.is_dictionary(of):
        return _unusable(of.value_type)
    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_interval)
    return any(kind(of) for kind in kinds)


def _plain(value: Any) -> Any:
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, time | timedelta):
        return str(value)
    return value


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")[:200]
