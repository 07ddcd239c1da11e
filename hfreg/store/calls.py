"""Calls: the record of one call, the filter that picks records, and their CSV.

Plain values, no database: `hfreg.store.events` keeps them. Texts and answers are in a record only when the
definition's `store_payloads` is on; whoever makes the record decides that, not this module.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

_process = os.urandom(5).hex()  # tells the ids of one process from those of another
_FORMULA = ("=", "+", "-", "@")
_counter = itertools.count()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a registered model: who asked what, through which entrance, and how it ended.

    `id` is unique text that sorts by time (`new_call_id`); `at` is an aware datetime, when the call came in.
    `source` is playground, test, python, cli, simulation, resource or load; `status` is ok, error, timeout, cancelled
    or refused. Milliseconds are as in `hfreg.engine.Timings`, sizes are bytes of the JSON text, `warnings` is
    how many there were. `arguments` and `answer` are JSON, or None where payloads are not stored.

    A simulation is one record: `rows` is how many rows it ran (0 for a call), `failed` how many of them have no answer,
    `warnings` how many had one, `sketch` how long they took (`hfreg.metrics.sketch`, as JSON); `total_ms` is how long
    all of it took, `run_ms` the sum over its rows.

    `tokens_in`, `tokens_out` and `cost` are what the reply of an API Based model tells of its use, in the provider's
    currency; None where it tells nothing. For a simulation they are the sums over its rows.
    """

    id: str
    at: datetime
    alias: str
    version: int
    state: str
    source: str
    user: str
    status: str
    error_kind: str = ""
    error: str = ""
    cold: bool = False
    queue_ms: float = 0.0
    load_ms: float = 0.0
    run_ms: float = 0.0
    total_ms: float = 0.0
    input_bytes: int = 0
    output_bytes: int = 0
    warnings: int = 0
    tier: str = "inline"
    network: bool = False
    token: bool = False
    arguments: str | None = None
    answer: str | None = None
    rows: int = 0
    failed: int = 0
    sketch: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are meant: `since <= at < until`, and each named field equal to the value, or to one of a tuple.

    None means any. `version` and `error_kind` narrow down to what a table row of the Usage page stands for.
    """

    since: datetime | None = None
    until: datetime | None = None
    alias: str | tuple[str, ...] | None = None
    source: str | tuple[str, ...] | None = None
    status: str | tuple[str, ...] | None = None
    user: str | tuple[str, ...] | None = None
    version: int | None = None
    error_kind: str | None = None

    def values(self) -> dict[str, tuple[str, ...] | tuple[int, ...]]:
        """Return what each restricted field may be, by the field's name."""
        found: dict[str, tuple[str, ...] | tuple[int, ...]] = {}
        for name in ("alias", "source", "status", "user", "version", "error_kind"):
            value = getattr(self, name)
            if value is not None:
                found[name] = value if isinstance(value, tuple) else (value,)
        return found


def utc_now() -> datetime:
    """Return the time as a record has it."""
    return datetime.now(UTC)


def new_call_id() -> str:
    """Return a fresh id: 12 hex digits of milliseconds, 6 of a counter, 10 of this process."""
    return f"{time.time_ns() // 1_000_000:012x}{next(_counter) & 0xFFFFFF:06x}{_process}"


def _after_fork() -> None:
    global _process
    _process = os.urandom(5).hex()  # the child counts on from the same number


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def calls_csv(calls: Iterable[Call]) -> str:
    """Return the calls as CSV with a header row; times are ISO 8601 in UTC.

    No cell is a formula to a spreadsheet: text that begins with one of = + - @ tab CR LF gets a leading apostrophe.
    Numbers stay numbers, switches are 1 and 0, and what is not stored is empty.
    """
    names = [field.name for field in fields(Call)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([csv_cell(getattr(call, name)) for name in names] for call in calls)
    return out.getvalue()


def csv_cell(value: object) -> object:
    """Return a value as a cell of a CSV that a spreadsheet may open: no text of it is a formula."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, str):
        # behind the blanks too: a spreadsheet trims them before it looks for a formula
        return f"'{value}" if value.startswith(("\t", "\r", "\n")) or value.lstrip().startswith(_FORMULA) else value
    return value
