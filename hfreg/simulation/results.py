"""Results: the rows of a simulation on disk, one JSON line each, and the state it is in.

Lines are appended and made durable before the state that counts them, and reading ends where the state does; so after
a crash both agree, and what came behind is run again. `columns` says how the output table looks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hfreg.engine import Outcome
from hfreg.errors import StoreCorrupt
from hfreg.simulation.plan import Plan
from hfreg.simulation.tally import ANSWER, Tally
from hfreg.store.files import unwritable, write_atomically
from hfreg.tables import Row

PLAN, STATE, ROWS, LOCK = "simulation.json", "state.json", "rows.jsonl", "lock"
FIXED = ("status", "error", "warnings", "milliseconds")
_encode = json.JSONEncoder(
    separators=(",", ":"), default=lambda v: v.isoformat() if hasattr(v, "isoformat") else str(v)
)


class Result(NamedTuple):
    """What became of one row; `number` counts the rows of the table from 1, `inputs` are its cells.

    `milliseconds` leave out that the row waited for its turn.
    """

    number: int
    inputs: list[Any]
    status: str
    answer: Any
    error: str
    warnings: list[str]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class State:
    """Where a simulation stands on disk: `size` is bytes of rows, `total` how many rows there are to run.

    `logged` is the tally that the invocation log has already; `seconds` is how long it ran, pauses left out.
    """

    name: str = "running"
    size: int = 0
    total: int | None = None
    seconds: float = 0.0
    ended_at: str = ""
    reason: str = ""
    tally: Mapping[str, Any] = field(default_factory=dict)
    logged: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


def line(number: int, cells: list[Any], outcome: Outcome) -> bytes:
    """Return what is kept of a row."""
    error = "" if outcome.error is None else str(outcome.error)
    ms = round(outcome.timings.total_ms - outcome.timings.queue_ms, 3)
    result = [number, cells, outcome.status, outcome.value, error, outcome.warnings, ms]
    return (_encode.encode(result) + "\n").encode()


def append(folder: Path, data: bytes, size: int) -> int:
    """Append lines behind `size` bytes, durably, and return the new size; raises StoreError."""
    path = folder / ROWS
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.truncate(size)
            file.seek(size)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error) from error
    return size + len(data)


def read(folder: Path, size: int, only: Callable[[bytes], bool] | None = None) -> Iterator[Result]:
    """Yield the rows within `size` bytes; `only` sees each line first and may pass over it."""
    path = folder / ROWS
    if not path.exists():
        return
    with path.open("rb") as file:
        while file.tell() < size and (found := file.readline()):
            if only is None or only(found):
                yield Result(*json.loads(found))


def save_state(folder: Path, state: State) -> None:
    """Write the state, at once or not at all."""
    write_atomically(folder / STATE, _encode.encode(state.as_json()).encode())


def load_state(folder: Path) -> State:
    """Read the state; one that was never written is that of a simulation that did not get to its first row."""
    path = folder / STATE
    return State(**_json(path)) if path.exists() else State()


def save_plan(folder: Path, plan: Plan) -> None:
    """Write the plan, once."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / PLAN, json.dumps(plan.as_json(), indent=1, default=str).encode())


def load_plan(folder: Path) -> Plan:
    """Read the plan."""
    return Plan.from_json(_json(folder / PLAN))


def columns(plan: Plan, tally: Tally) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the names of the input columns in the output table, and answer field → its column there.

    Inputs keep their names, but for one that is called like a column of the platform; an answer that is called like
    either gets `answer.` before its name.
    """
    inputs = tuple(f"input.{name}" if name in FIXED else name for name in plan.inputs)
    taken = {*inputs, *FIXED}
    return inputs, {name: f"{ANSWER}.{name}" if name in taken else name for name in tally.fields}


def flat(result: Result, inputs: tuple[str, ...], fields: Mapping[str, str]) -> Row:
    """Return a row of the output table: inputs, answers, and how it came about."""
    row: Row = dict(zip(inputs, result.inputs, strict=True))
    row.update(dict.fromkeys(fields.values()))
    if isinstance(result.answer, dict):
        rest = {k: v for k, v in result.answer.items() if k not in fields}
        row.update((fields[k], v) for k, v in result.answer.items() if k in fields)
        if rest:
            row[fields[ANSWER]] = rest
    elif ANSWER in fields and result.status == "ok":
        row[fields[ANSWER]] = result.answer
    row.update(zip(FIXED, (result.status, result.error, "; ".join(result.warnings), result.milliseconds), strict=True))
    return row


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found
    except (OSError, ValueError) as error:
        raise StoreCorrupt(f"{path} of a simulation cannot be read: {error}.") from error
