"""Files that survive a crash: write aside, fsync, rename, fsync of the folder; and the lock around it.

Covers one file at a time and the lock that threads and processes share. What is inside a file is not
known here. Folders cannot be fsynced on Windows, where the rename alone has to do.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from hfreg.errors import StoreError

LOCK_TIMEOUT_S = 30.0
_POLL_S = 0.005
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOCK_TICK_NS = 1000  # the finest time that every file system keeps apart (NTFS: 100 ns)


class Lock:
    """Excludes every other thread and process that uses the same lock file; not reentrant.

    The operating system drops it when its holder dies. Raises StoreError when it cannot be had in time.
    """

    def __init__(self, path: Path, timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.path = path
        self.timeout_s = timeout_s
        self._thread = threading.Lock()
        self._owner: int | None = None
        self._held: object | None = None

    def __enter__(self) -> Lock:
        if self._owner == threading.get_ident():
            raise StoreError(f"{self.path.name} is already held by this thread: a transaction cannot hold another.")
        if not self._thread.acquire(timeout=self.timeout_s):
            raise StoreError(self._busy())
        try:
            self._held = self._acquire()
        except BaseException:
            self._thread.release()
            raise
        self._owner = threading.get_ident()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held, self._held, self._owner = self._held, None, None
        try:
            held.release()  # type: ignore[union-attr]  # always a FileLock here
        finally:
            self._thread.release()

    def _acquire(self) -> object:
        from filelock import FileLock, Timeout  # 80 ms to import, and only writers need it

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path, timeout=self.timeout_s, poll_interval=_POLL_S, fallback_to_soft=False)
            lock.acquire()
        except Timeout:
            raise StoreError(self._busy()) from None
        except OSError as error:
            raise unwritable(self.path, error) from error
        return lock

    def _busy(self) -> str:
        return (
            f"Another process has held {self.path} for {self.timeout_s:.0f} s. Nothing was saved. "
            "Try again, or end the process that hangs."
        )


def write_aside(path: Path, data: bytes, private: bool = False) -> Path:
    """Write data durably into a file beside `path` and return it, ready to be renamed.

    It takes over the mode of `path`, unless it is `private` to its owner, and is dated later, so that readers
    who compare times never mistake one generation for another. Nothing is left behind on failure.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        with suppress(FileNotFoundError):
            aside.unlink()  # left by a writer that was killed
        with open(aside, "xb", opener=_private if private else None) as file:
            file.write(data)
            file.flush()
            _take_over(path, aside, private)
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise unwritable(path, error) from error
    return aside


def put_in_place(aside: Path, path: Path) -> None:
    """Rename a file written aside over `path`, at once or not at all; `sync_folder` makes it durable."""
    for wait_s in (0.01, 0.05, 0.2, None):
        try:
            aside.replace(path)
            return
        except PermissionError as error:  # Windows: a reader has it open at this moment
            if wait_s is None or os.name != "nt":
                raise unwritable(path, error) from error
            time.sleep(wait_s)
        except OSError as error:
            raise unwritable(path, error) from error


def sync_file(path: Path) -> None:
    """Make what was written into a file durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the renames in a folder durable."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(
            f"{folder} could not be synced: {why}. The last change may be lost if the power fails."
        ) from error


def write_atomically(path: Path, data: bytes, private: bool = False) -> None:
    """Write a file as a whole: readers see the old one or the new one, also after a crash.

    `private` lets nobody but its owner read it.
    """
    put_in_place(write_aside(path, data, private), path)
    sync_folder(path.parent)


def move_aside(path: Path, word: str) -> Path:
    """Rename a file to `NAME.WORD-TIME` in its folder and return the new path; nothing is overwritten."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.{word}-{stamp}")
    path.rename(aside)
    return aside


def unwritable(path: Path, error: OSError) -> StoreError:
    """Return the StoreError that says why a file could not be written."""
    why = error.strerror or str(error)
    way_out = "Free some space" if error.errno in _FULL else "Check the folder and its permissions"
    return StoreError(f"{path} could not be written: {why}. Nothing was changed. {way_out} and save again.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _take_over(path: Path, aside: Path, private: bool) -> None:
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    if os.name != "nt" and not private:
        aside.chmod(before.st_mode & 0o777)
    now = time.time_ns()
    os.utime(aside, ns=(now, max(now, before.st_mtime_ns + _CLOCK_TICK_NS)))
