"""Database: the table of calls in SQL, on SQLite (a file, in WAL) or PostgreSQL (by URL).

Covers opening, inserting and selecting rows, and errors in our words; the table itself is in `hfreg.store.schema`. It
imports SQLAlchemy on first use, so that `import hfreg` stays quick. It keeps no buffer and computes nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfreg.errors import SettingsError, StoreCorrupt, StoreError
from hfreg.store.schema import LOCK, SCHEMA, calls_table, create, found_schema, migrate

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, Executable, Select

BUSY_S = 5
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """One database of calls; opened on first use, safe to use from several threads and processes."""

    def __init__(self, url: str | Path) -> None:
        self._given = url
        if isinstance(url, str):
            _refuse_unknown(url)
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._file_id: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """Where it is, as a message may say it: the file, or the URL without its password."""
        url = self._url
        return str(url.database) if url.drivername == "sqlite" else url.render_as_string(hide_password=True)

    @property
    def file_id(self) -> tuple[int, int] | None:
        """Which file is open now: when this changes, what was read before came from another one."""
        return self._file_id

    @cached_property
    def _url(self) -> URL:
        from sqlalchemy import URL, make_url
        from sqlalchemy.exc import ArgumentError

        if isinstance(self._given, Path):
            return URL.create("sqlite", database=str(self._given))
        try:
            url = make_url(self._given)
        except (ArgumentError, ValueError):
            raise SettingsError("HFREG_DATABASE_URL cannot be read as a URL of a database.") from None
        return url if url.drivername == "sqlite" else url.set(drivername="postgresql+psycopg")

    def write(self, rows: Sequence[dict[str, Any]]) -> int:
        """Insert rows in one transaction and return how many were refused; a row already there stays as it is."""
        from sqlalchemy.exc import DataError, IntegrityError

        try:
            with self.connect() as connection:
                self._insert(connection, rows)
            return 0
        except StoreError as error:
            if not isinstance(error.__cause__, DataError | IntegrityError | OverflowError):
                raise
            if len(rows) == 1:  # one row that no database would take must not hold up the others
                return 1
        return sum(self.write([row]) for row in rows)

    def rows(self, statement: Executable) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as plain tuples."""
        with self.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def raw_rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """Return the rows as the driver gives them (a switch may be 0 or 1): twice as fast for very many."""
        with self.connect() as connection:
            return list(connection.execute(statement).cursor.fetchall())

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Give a connection inside one transaction; raises StoreError, or StoreCorrupt naming the file."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._open().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, OverflowError) as error:
            raise self._in_our_words(error) from error

    def close(self) -> None:
        """Close every connection; the next use opens anew."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _open(self) -> Engine:
        with self._opening:
            if self._engine is not None and self._file_id != self._file():
                self.close()  # the file was moved aside or restored: the old one must not get our rows
            if self._engine is None:
                engine = _engine(self._url)
                try:
                    self._ensure(engine)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine, self._file_id = engine, self._file()
            return self._engine

    def _file(self) -> tuple[int, int] | None:
        path = _sqlite_path(self._url)
        try:
            stat = path.stat() if path else None
        except FileNotFoundError:
            return None
        return (stat.st_dev, stat.st_ino) if stat else None

    def _insert(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        from sqlalchemy.dialects import postgresql, sqlite

        if connection.dialect.name == "postgresql":
            # In turns: so `seq` grows in the order of commits, and a reader that asks for what is newer misses none.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_S}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            connection.execute(postgresql.insert(calls_table()).on_conflict_do_nothing(), rows)
        else:
            connection.execute(sqlite.insert(calls_table()).on_conflict_do_nothing(), rows)

    def _ensure(self, engine: Engine) -> None:
        """Create the tables where they are missing; refuse those of a newer hfreg."""
        from sqlalchemy.exc import OperationalError

        if (path := _sqlite_path(self._url)) is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(100):
            try:
                found = found_schema(engine) or create(engine)
                if found < SCHEMA:
                    found = migrate(engine)
                break
            except OperationalError as error:  # switching to WAL does not wait for the lock by itself
                if "locked" not in str(error.orig) or attempt == 99:
                    raise
                time.sleep(BUSY_S / 100)
        if found > SCHEMA:
            raise StoreError(
                f"The call log {self.place} has schema {found}; this hfreg knows up to {SCHEMA}. Update hfreg."
            )

    def _in_our_words(self, error: Exception) -> StoreError:
        cause = getattr(error, "orig", None) or error
        self.close()
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _CORRUPT:
            return StoreCorrupt(
                f"The call log {self.place} is damaged or no SQLite database ({cause}). Nothing was overwritten. "
                "Move it aside together with its -wal and -shm files, or put back a backup: a new log starts by itself."
            )
        reason = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
        return StoreError(f"The call log {self.place} cannot be used: {reason}.")


def _refuse_unknown(url: str) -> None:
    scheme = url.partition(":")[0]
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        if find_spec("psycopg") is None:
            raise SettingsError(
                "HFREG_DATABASE_URL asks for PostgreSQL, but the package psycopg is not installed. "
                "Install it with: pip install 'psycopg[binary]'."
            )
    elif scheme != "sqlite" or url.rstrip("/") in ("sqlite:", "sqlite:///:memory:"):
        raise SettingsError(
            f"HFREG_DATABASE_URL begins with {scheme!r} and names no database that can be used. "
            "Write sqlite:////folder/calls.db or postgresql://user@host/name."
        )


def _sqlite_path(url: URL) -> Path | None:
    database = url.database or ""
    return None if url.drivername != "sqlite" or database.startswith("file:") else Path(database)


def _engine(url: URL) -> Engine:
    from sqlalchemy import create_engine, event

    try:
        if url.drivername != "sqlite":
            return create_engine(url, pool_size=2, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_S})
        engine = create_engine(url, connect_args={"timeout": BUSY_S})
    except ImportError as error:  # psycopg without a libpq that fits
        raise SettingsError(f"HFREG_DATABASE_URL cannot be used: {error}") from None
    event.listen(engine, "connect", _on_sqlite_connect)
    return engine


def _on_sqlite_connect(connection: Any, record: object) -> None:
    # In WAL a killed process loses nothing of what was committed; a power cut may cost the last moments.
    connection.execute("PRAGMA synchronous=NORMAL")
