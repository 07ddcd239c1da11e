"""Events: the log of calls. Recording one takes about a microsecond; it is on disk within a second.

Covers recording, listing, one call by id, and all that the Usage page and the catalog ask. A database that cannot be
written never fails a call: records wait in memory, bounded. Reading from one that cannot be read raises StoreError.
What a call was about (texts, answers) is stored only when the caller puts it into the record.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home, Events(Path(home) / "calls.db") as events:
    ...     events.record(Call(new_call_id(), utc_now(), "greeter", 1, "Draft", "python", "sam", "ok"))
    ...     [call.alias for call in events.calls()]
    ['greeter']
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hfreg.errors import StoreError
from hfreg.metrics.timeline import micros, moment
from hfreg.store.buffer import HEAVIEST, LIMIT, Buffer
from hfreg.store.calls import Call, CallFilter, calls_csv, new_call_id, utc_now
from hfreg.store.database import Database
from hfreg.store.schema import calls_table

if TYPE_CHECKING:
    from sqlalchemy import Select

    from hfreg.metrics import Activity, Columns, Failure, Usage
    from hfreg.store.usage import CallTable

__all__ = ["Call", "CallFilter", "Events", "calls_csv", "new_call_id", "utc_now"]

logger = logging.getLogger(__name__)

Row = dict[str, Any]

LONGEST_ERROR = 2_000  # characters of a message that are kept
BEHIND = 512  # records: what gathers between two writes at a thousand calls a second
LARGEST = 2**63 - 1
EVERYTHING = CallFilter()


class Events:
    """The log of calls in one database: a SQLite file by its path, or any URL that HFREG_DATABASE_URL may hold.

    Opened on first use. Raises SettingsError for a URL that no database stands behind.
    """

    def __init__(self, url: str | Path, limit: int = LIMIT, heaviest: int = HEAVIEST) -> None:
        self._database = Database(url)
        self._buffer: Buffer[Call | Callable[[], Call] | Row] = Buffer(self._write, limit, _weight, heaviest)
        self._table: CallTable | None = None
        self._table_of: tuple[int, int] | None = None
        self._reading = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where the log is: a file, or a URL without its password."""
        return self._database.place

    @property
    def waiting(self) -> int:
        """How many records are in memory only."""
        return len(self._buffer)

    @property
    def lagging(self) -> bool:
        """Whether records wait for longer than they should: the last write failed, or calls outrun the database."""
        return self._buffer.failing or self.waiting > BEHIND

    @property
    def dropped(self) -> int:
        """How many records of this process were given up, because too many waited or no database would take them."""
        return self._buffer.dropped

    def record(self, call: Call | Callable[[], Call]) -> None:
        """Log a call: returns at once, never raises, is on disk at most a second later.

        A function is called by the writer to make the record, so that making it costs the call nothing; what it
        holds lives as long as it waits.
        """
        self._buffer.add(call)

    def flush(self, timeout: float = 10.0) -> bool:
        """Write what waits and return whether all of it is stored; `timeout` in seconds."""
        return self._buffer.flush(timeout)

    def close(self) -> bool:
        """Flush, end the writer, close the database; returns whether all is stored. Recording on opens it again."""
        done = self._buffer.close()
        self._database.close()
        return done

    def rest(self) -> None:
        """Close the database until its next use: SQLite must have no connection while a process forks."""
        self._buffer.between_writes(self._database.close)

    def abandon(self) -> None:
        """Leave all that waits to the parent of this forked process."""
        self._buffer.abandon()

    def calls(
        self, where: CallFilter = EVERYTHING, limit: int | None = 100, offset: int = 0, up_to: int | None = None
    ) -> list[Call]:
        """List calls, the newest first; `up_to` is the `last_seq` of a Usage that the list has to agree with."""
        table = calls_table()
        statement = self._select().order_by(table.c.at.desc(), table.c.seq.desc()).offset(offset)
        if limit is not None:
            statement = statement.limit(limit)
        if up_to is not None:
            statement = statement.where(table.c.seq <= up_to)
        if where.since is not None:
            statement = statement.where(table.c.at >= micros(where.since))
        if where.until is not None:
            statement = statement.where(table.c.at < micros(where.until))
        for name, values in where.values().items():
            statement = statement.where(table.c[name].in_(values))
        self._settle()
        return [_call(row) for row in self._database.rows(statement)]

    def get(self, call_id: str) -> Call:
        """Return one call by its id; raises StoreError when the log holds none."""
        self._settle()
        if rows := self._database.rows(self._select().where(calls_table().c.id == call_id)):
            return _call(rows[0])
        raise StoreError(f"The call log holds no call `{call_id}`. It may have been written to another home.")

    def count(self, where: CallFilter = EVERYTHING) -> int:
        """Count the calls that the filter means."""
        from hfreg.store.usage import select

        return int(select(self._columns(), where).sum())

    def usage(self, where: CallFilter = EVERYTHING, zone: tzinfo = UTC, now: datetime | None = None) -> Usage:
        """Compute all that a Usage page shows; days, hours and buckets are those of `zone`."""
        from hfreg.store.usage import usage

        page = usage(self._columns(), where, now or utc_now(), zone)
        return replace(page, failures=self._told(page.failures)) if page.failures else page

    def activity(self, zone: tzinfo = UTC, now: datetime | None = None) -> dict[str, Activity]:
        """Return what the catalog shows of each alias that was ever called: counts, last use, last seven days."""
        from hfreg.metrics.aggregate import activities

        return activities(self._columns(), now or utc_now(), zone)

    def _columns(self) -> Columns:
        """Bring the columns up to date and return them as they are now."""
        from sqlalchemy import func, select

        from hfreg.store.usage import FIELDS, CallTable

        self._settle()
        stored = calls_table()
        with self._reading:
            table = self._table or CallTable()
            ends = (select(end(stored.c.seq)).scalar_subquery() for end in (func.min, func.max))  # each by the index
            oldest, newest = self._database.rows(select(*ends))[0]
            if newest is None or newest < table.last_seq or self._table_of != self._database.file_id:
                table = CallTable()  # emptied, or another database took its place
            elif table.first_seq is not None and oldest > table.first_seq:
                table.forget_before(oldest)
            if newest is not None and newest > table.last_seq:
                fresh = select(*(stored.c[name] for name in FIELDS)).where(stored.c.seq > table.last_seq)
                table.append(self._database.raw_rows(fresh.order_by(stored.c.seq)))
            self._table, self._table_of = table, self._database.file_id
            return table.columns()

    def _told(self, failures: Sequence[Failure]) -> tuple[Failure, ...]:
        """Add the message and the id of the latest call of each failure."""
        from sqlalchemy import select

        table = calls_table()
        wanted = select(table.c.seq, table.c.id, table.c.error).where(table.c.seq.in_([f.seq for f in failures]))
        found = {seq: (call_id, message) for seq, call_id, message in self._database.rows(wanted)}
        none = ("", "")
        return tuple(replace(f, call_id=found.get(f.seq, none)[0], message=found.get(f.seq, none)[1]) for f in failures)

    def _select(self) -> Select[Any]:
        from sqlalchemy import select

        return select(*(calls_table().c[name] for name in _NAMES))

    def _settle(self) -> None:
        """Let a reader of this process see its own calls; a database in trouble is not waited for again."""
        if len(self._buffer) and not self._buffer.failing:
            self._buffer.flush()

    def _write(self, batch: list[Call | Callable[[], Call] | Row]) -> None:
        rows: list[Row] = []
        for record in batch:
            try:
                rows.append(record if isinstance(record, dict) else _row(record() if callable(record) else record))
            except Exception as error:  # no record can be made of it, now or later
                self._buffer.count_dropped(1)
                logger.warning("A call could not be logged: %s: %s", type(error).__name__, error)
        batch[:] = rows  # what may have to wait is the row, not the arguments and the answer it was made from
        if rows:
            self._buffer.count_dropped(self._database.write(rows))


def _weight(record: Call | Callable[[], Call] | Row) -> int:
    """Return the characters of the payloads of a record, which may be as long as they like; the rest is small."""
    if isinstance(record, dict):
        return len(record["arguments"] or "") + len(record["answer"] or "")
    return len(record.arguments or "") + len(record.answer or "") if isinstance(record, Call) else 0


def _row(call: Call) -> Row:
    """Return the row of a call in what every database takes: clean text, finite numbers, 63 bits."""
    row: Row = {name: store(getattr(call, name)) for name, store in _COLUMNS}
    row["error"] = row["error"][:LONGEST_ERROR]
    return row


def _call(row: tuple[Any, ...]) -> Call:
    values = dict(zip(_NAMES, row, strict=True))
    return Call(**{**values, "at": moment(values["at"])})


def _text(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else text.replace("\0", "").encode("utf-8", "replace").decode()


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _whole(value: int) -> int:
    return max(-LARGEST, min(LARGEST, int(value)))


def _number(value: float) -> float:
    number = float(value)
    return number if math.isfinite(number) else 0.0


_STORED_AS: Mapping[object, Callable[[Any], Any]] = {
    "str": _text,
    "str | None": _optional_text,
    "datetime": micros,
    "int": _whole,
    "int | None": lambda value: None if value is None else _whole(value),
    "float": _number,
    "float | None": lambda value: None if value is None else _number(value),
    "bool": bool,
}
_COLUMNS = tuple((field.name, _STORED_AS[field.type]) for field in fields(Call))
_NAMES = tuple(name for name, _ in _COLUMNS)
