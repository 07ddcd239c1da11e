"""AtomicStorage: a TinyDB storage that loses no acknowledged write and never shows half a file.

A write happens in `with storage.transaction() as db:`, where `db` is an ordinary TinyDB: one lock is held
over reading, changing and writing, for threads and processes alike. The file carries its schema, a
generation and a checksum; its last good generation is kept a second time beside it, so that a damaged
file is put back whole, or refused. Plain TinyDB files with our tables (schema 0) are migrated.
Writing outside of a transaction is refused: TinyDB itself reads, changes and writes without a lock.

    >>> import tempfile
    >>> storage = AtomicStorage(Path(tempfile.mkdtemp()) / "things.json", tables=("things",))
    >>> with storage.transaction() as db:
    ...     _ = db.table("things").insert({"name": "one"})
    >>> TinyDB(storage=lambda: storage).table("things").all()
    [{'name': 'one'}]

It does not cover backups (`hfreg.store.backup`) nor network file systems without locks.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tinydb import TinyDB
from tinydb.storages import Storage

from hfreg.errors import StoreCorrupt, StoreError
from hfreg.store.envelope import SCHEMA, Content, Damaged, Stamp, Tables, decode, encode, plain_tables
from hfreg.store.files import (
    LOCK_TIMEOUT_S,
    Lock,
    move_aside,
    put_in_place,
    sync_folder,
    unwritable,
    write_aside,
    write_atomically,
)

Migration = Callable[[Tables], Tables]

_log = logging.getLogger(__name__)


class AtomicStorage(Storage):
    """Keeps the tables of one TinyDB in one file, at `path`, for any number of threads and processes.

    `tables` are the names by which a plain TinyDB file is known as an older one of ours; `migrations` maps a
    schema to the function that makes the next one of its tables.
    """

    def __init__(
        self,
        path: str | Path,
        tables: tuple[str, ...] = (),
        migrations: Mapping[int, Migration] | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        super().__init__()
        self.path = Path(path).resolve()  # a rename would replace a symbolic link, not what it points to
        self.copy = self.path.with_name(f"{self.path.name}.good")
        self._tables = frozenset(tables)
        self._migrations = migrations or {}
        self._lock = Lock(self.path.with_name(f"{self.path.name}.lock"), lock_timeout_s)
        self._reload = threading.Lock()
        self._current: Content | None = None
        self._name = str(self.path)

    def content(self) -> Content:
        """Return the newest content; costs one stat while time, size and inode of the file are the same.

        Raises StoreCorrupt when neither file nor copy can be read, StoreError when they cannot be used.
        """
        current = self._current
        if current is not None and current.stamp == _stamp(self._name):
            return current
        with self._reload:
            self._current = current = self._load()
            return current

    def read(self) -> Tables | None:
        """Return a copy of the tables for TinyDB, or None when there are none yet."""
        return _two_levels(self.content().tables) or None

    def write(self, data: Tables) -> None:
        """Refuse: a write needs the lock from before its read; raises StoreError."""
        raise StoreError(f"{self.path} is written inside `with storage.transaction() as db:` only.")

    @contextmanager
    def transaction(self) -> Iterator[TinyDB]:
        """Lend a TinyDB whose changes are kept together and durably at the end, or not at all if it raises.

        It is read afresh from the file, so nothing in it is shared with readers. Returns only when the disk
        has it. Raises StoreError.
        """
        with self._lock:
            base = self._load_locked()
            working = _Working(base.tables)
            yield TinyDB(storage=lambda: working)  # a fresh one: TinyDB remembers the next id of a table
            if working.changed:
                self._commit(working.tables, base.generation + 1)

    def _commit(self, tables: Tables, generation: int) -> None:
        try:
            data = encode(tables, generation)
        except (TypeError, ValueError) as error:
            raise StoreError(f"{self.path} was not saved: a value cannot be written as JSON ({error}).") from error
        # Both copies are on the disk before the first rename: a full disk changes neither.
        copy = write_aside(self.copy, data)
        try:
            main = write_aside(self.path, data)
        except StoreError:
            copy.unlink(missing_ok=True)
            raise
        put_in_place(copy, self.copy)
        put_in_place(main, self.path)
        sync_folder(self.path.parent)

    def _load(self) -> Content:
        try:
            return self._read()
        except _Outdated:
            with self._lock:
                return self._load_locked()
        except Damaged as damaged:
            reason = str(damaged)
        try:
            with self._lock:
                return self._load_locked()
        except StoreCorrupt:
            raise
        except StoreError:  # a disk that is full or read-only: what the copy says can still be read
            _log.warning("%s needs repair, but cannot be written; reading %s instead.", self.path, self.copy.name)
            return self._good_copy(reason)

    def _load_locked(self) -> Content:
        try:
            return self._read()
        except _Outdated as outdated:
            return self._migrate(outdated.content)
        except Damaged as damaged:
            return self._recover(str(damaged))

    def _read(self) -> Content:
        try:
            data, stamp = _bytes(self.path)
        except FileNotFoundError:
            if self.copy.exists():
                raise Damaged("it is missing") from None
            return Content({})
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}. Check its permissions.") from error
        try:
            content = decode(data, stamp)
        except Damaged:
            if self.copy.exists() or (older := self._plain(data, stamp)) is None:
                raise
            raise _Outdated(older) from None
        self._refuse_newer(content)
        if content.schema < SCHEMA:
            raise _Outdated(content)
        return content

    def _good_copy(self, reason: str) -> Content:
        try:
            data, _ = _bytes(self.copy)
            content = decode(data, _stamp(self.path))
        except (OSError, Damaged) as error:
            why = getattr(error, "strerror", None) or error
            raise StoreCorrupt(
                f"{self.path} cannot be read: {reason}. Its last good copy {self.copy.name} cannot be read either: "
                f"{why}. Nothing was overwritten. Bring a backup back with `hfreg restore BACKUP`, or move the "
                "file away to begin with an empty registry."
            ) from None
        self._refuse_newer(content)
        return content

    def _recover(self, reason: str) -> Content:
        good = self._good_copy(reason)
        kept = self._set_aside()
        write_atomically(self.path, encode(good.tables, good.generation, good.schema))
        _log.warning(
            "%s was damaged (%s) and is put back from its last good copy, generation %d; what was there is kept as %s.",
            *(self.path, reason, good.generation, kept),
        )
        return self._load_locked()

    def _set_aside(self) -> str:
        try:
            return move_aside(self.path, "damaged").name
        except FileNotFoundError:
            return "nothing"
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _migrate(self, content: Content) -> Content:
        backup = self.path.with_name(f"{self.path.name}.schema-{content.schema}")
        tables = content.tables
        for schema in range(content.schema, SCHEMA):
            tables = self._migrations.get(schema, dict)(tables)
        try:
            if not backup.exists():
                shutil.copy2(self.path, backup)
        except OSError as error:
            raise unwritable(backup, error) from error
        self._commit(tables, content.generation + 1)
        _log.warning("%s was migrated to schema %d; the older file is kept as %s.", self.path, SCHEMA, backup.name)
        return self._read()

    def _plain(self, data: bytes, stamp: Stamp) -> Content | None:
        tables = plain_tables(data)
        return Content(tables, 0, 0, stamp) if tables and self._tables.issuperset(tables) else None

    def _refuse_newer(self, content: Content) -> None:
        if content.schema > SCHEMA:
            raise StoreError(
                f"{self.path} was written by a newer hfreg (schema {content.schema}; this one knows up to {SCHEMA}). "
                "Nothing was changed. Upgrade hfreg, or name another home with HFREG_HOME."
            )


class _Working(Storage):
    """The tables of one transaction, in memory."""

    def __init__(self, tables: Tables) -> None:
        super().__init__()
        self.tables = tables
        self.changed = False

    def read(self) -> Tables:
        return self.tables

    def write(self, data: Tables) -> None:
        self.tables, self.changed = data, True


class _Outdated(Exception):  # never leaves this module
    """The file is of an older schema."""

    def __init__(self, content: Content) -> None:
        super().__init__(content.schema)
        self.content = content


def _stamp(path: str | Path) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # of a text it takes half the time of Path.stat, on every call of a model
    except OSError:  # missing, or out of reach: opening it says which
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _bytes(path: Path) -> tuple[bytes, Stamp]:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        return file.read(), (status.st_mtime_ns, status.st_size, status.st_ino)


def _two_levels(tables: Tables) -> Tables:
    # What TinyDB's own operations change in place; deeper copies would cost as much as parsing the file again.
    return {name: {key: dict(document) for key, document in table.items()} for name, table in tables.items()}
