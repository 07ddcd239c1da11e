"""Export: the output table of a simulation as CSV and as Parquet, row by row, whatever its length.

In both, a list or a dict in a column is its JSON text. A text that a spreadsheet would run is made harmless in CSV
alone; Parquet holds it as it is. Imports pyarrow for Parquet only.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfreg.errors import SimulationError
from hfreg.simulation import results
from hfreg.store.calls import csv_cell
from hfreg.store.files import unwritable
from hfreg.tables import Row

if TYPE_CHECKING:
    from hfreg.simulation import Simulation

PIECE = 2000


def holds(words: str) -> Callable[[bytes], bool] | None:
    """Return what says whether all words stand in a line of results, whatever their case."""
    wanted = [json.dumps(word.lower())[1:-1] for word in words.split()]
    return (lambda line: all(word in line.decode().lower() for word in wanted)) if wanted else None


def csv_pieces(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield a CSV with a header row in pieces of PIECE rows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_cell(name) for name in columns])
    left = iter(rows)
    while piece := list(islice(left, PIECE)):
        writer.writerows([csv_cell(_flat(row.get(name))) for name in columns] for row in piece)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    if rest := out.getvalue():
        yield rest


def save(simulation: Simulation, path: Path) -> Path:
    """Write the output table beside `path`, and put it there once it is whole."""
    writers = {".csv": _save_csv, ".parquet": _save_parquet}
    if (write := writers.get(path.suffix.lower())) is None:
        raise SimulationError(f"{path.name} has to end in .csv or .parquet.")
    aside = path.with_name(f".{path.name}.new")
    try:
        write(simulation, aside)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise unwritable(path, error) from error
    return path


def _save_csv(simulation: Simulation, path: Path) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.writelines(simulation.csv())


def _save_parquet(simulation: Simulation, path: Path) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    kinds = _kinds(simulation)
    arrow = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "text": pa.string()}
    schema = pa.schema([(name, arrow[kinds[name]]) for name in simulation.columns])
    rows = simulation.rows()
    with pq.ParquetWriter(path, schema) as writer:
        while piece := list(islice(rows, PIECE)):
            columns = {name: [_as(kinds[name], row.get(name)) for row in piece] for name in schema.names}
            writer.write_table(pa.table(columns, schema=schema))


def _kinds(simulation: Simulation) -> dict[str, str]:
    """Return what each column holds, of bool, int, float and text; more than one of them is text."""
    tally = simulation.tally
    inputs, fields = results.columns(simulation.plan, tally)
    seen: dict[str, set[str]] = {
        name: tally.kinds.get(f"input {of}", set()) for name, of in zip(inputs, simulation.plan.inputs, strict=True)
    }
    seen.update((column, tally.kinds.get(name, set())) for name, column in fields.items())
    return {name: _common(kinds - {"none"}) for name, kinds in seen.items()} | dict(_FIXED)


def _common(kinds: set[str]) -> str:
    if kinds == {"int", "float"}:
        return "float"
    return next(iter(kinds)) if len(kinds) == 1 else "text"


def _as(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind != "text":
        return float(value) if kind == "float" else value
    text = _flat(value)
    return str(text).encode("utf-8", "replace").decode()


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


_FIXED: Mapping[str, str] = {"status": "text", "error": "text", "warnings": "text", "milliseconds": "float"}
