"""Hashes: the SHA-256 and git id of files on this disk, computed once for as long as a file is the same.

A file is the same while its place, size and times are (device, inode, size, time of change and of status change), so
a cold load costs a look at each file and reads none of them again. What was computed is kept under the home and shared
by the processes of it. It finds files that changed, also to the same size and date; it does not withstand somebody
who can write to the home itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hfreg.hub.files import digest

MOST = 20_000
_Identity = tuple[int, int, int]


class Hashed(NamedTuple):
    """What the content of a file is."""

    size: int
    sha256: str
    blob: str


class Hashes:
    """What was computed so far, kept in one file; safe for the threads of a process, and harmless between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, list[int | str]] | None = None
        self._lock = threading.RLock()

    def of(self, path: Path, go_on: Callable[[], None] = lambda: None) -> Hashed:
        """Return the hashes of a file, reading it only when it is not the one they were computed of; raises OSError.

        `go_on` is called for each 4 MB that are read, and may raise.
        """
        about = path.stat()
        with self._lock:
            if found := self._find(about):
                return found
        sha256, blob = digest(path, go_on)
        with self._lock:
            if _identity(path.stat()) == _identity(about):  # not written to while it was read
                self._keep(about, sha256, blob)
                self._write()
        return Hashed(about.st_size, sha256, blob)

    @contextlib.contextmanager
    def unchanged(self, paths: Iterable[Path]) -> Iterator[None]:
        """Know files again after a hard link to them was made or taken away, which changes their status only.

        What is known of a file holds afterwards when it was true before, and only its status changed in between.
        """
        with self._lock:
            before = [(path, about, found) for path, about in _stats(paths) if (found := self._find(about))]
            yield
            for path, about, found in before:
                for _, after in _stats([path]):
                    if _identity(after)[:2] == _identity(about)[:2] and _place(after) == _place(about):
                        self._keep(after, found.sha256, found.blob)
            if before:
                self._write()

    def _find(self, about: os.stat_result) -> Hashed | None:
        entry = self._entries().get(_place(about))
        if not entry or tuple(entry[:3]) != _identity(about):
            return None
        return Hashed(about.st_size, str(entry[3]), str(entry[4]))

    def _keep(self, about: os.stat_result, sha256: str, blob: str) -> None:
        entries = self._entries()
        entries.pop(_place(about), None)
        entries[_place(about)] = [*_identity(about), sha256, blob]
        for place in list(entries)[: max(0, len(entries) - MOST)]:
            del entries[place]

    def _entries(self) -> dict[str, list[int | str]]:
        if self._known is None:
            try:
                read = json.loads(self._path.read_text(encoding="utf-8"))
                self._known = {place: entry for place, entry in read.items() if len(entry) == 5}
            except (OSError, ValueError, TypeError, AttributeError):
                self._known = {}
        return self._known

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # without it the next process computes again, that is all
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside = self._path.with_suffix(f".{uuid.uuid4().hex}")
            aside.write_text(json.dumps(self._entries()), encoding="utf-8")
            aside.replace(self._path)


def _stats(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for path in paths:
        with contextlib.suppress(OSError):
            yield path, path.stat()


def _place(about: os.stat_result) -> str:
    return f"{about.st_dev}:{about.st_ino}"


def _identity(about: os.stat_result) -> _Identity:
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns
