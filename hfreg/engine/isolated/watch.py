"""Watch: whether a worker takes more of the machine than it may: memory, threads, files in its scratch folder.

Looked at from outside, at intervals, while a row is in work and once before the worker is frozen. What a limit of the
kernel bounds already (addresses, descriptors, the size of one file) is not looked at here. Files that were removed
while they are open cannot be seen; they count when they fill the disk.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from hfreg.engine.isolated.usage import Usage

Excess = Literal["memory", "threads", "disk"]

LOOK_S = 0.02
"""How often memory and threads are looked at; files every DISK_S."""
DISK_S = 0.25
MAX_THREADS = 256
MAX_SCRATCH = 512 * 1024 * 1024
"""Bytes of all files in the scratch folder."""
MAX_ENTRIES = 20_000
MAX_DEPTH = 64
MIN_FREE = 256 * 1024 * 1024
"""Bytes that stay free on the disk while a worker writes."""


class Watch:
    """What one worker takes; `limit_bytes` is how much memory it may take beyond what it has now."""

    def __init__(self, usage: Usage, scratch: Path, limit_bytes: int) -> None:
        self._usage = usage
        self._scratch = scratch
        self._limit_bytes = limit_bytes
        self._base = usage.private_bytes()
        self._next = self._next_disk = 0.0
        self._free: int | None = None

    def begin(self) -> None:
        """Note that a row begins: the first look is a while later, so that a quick call pays for none."""
        now = time.monotonic()
        self._next, self._next_disk, self._free = now + LOOK_S, now + DISK_S, None

    def excess(self, at_once: bool = False) -> tuple[Excess, str] | None:
        """Return what is too much and how, if it is time to look and anything is."""
        now = time.monotonic()
        if not at_once and now < self._next:
            return None
        self._next = now + LOOK_S
        found = self._of_memory() or self._of_threads()
        if found is None and (at_once or now >= self._next_disk):
            found = self._of_disk()
            self._next_disk = time.monotonic() + DISK_S
        return found

    def _of_memory(self) -> tuple[Excess, str] | None:
        if (held := self._usage.private_bytes() - self._base) <= self._limit_bytes:
            return None
        return "memory", f"{held >> 20:,} MiB, and its limit is {self._limit_bytes >> 20:,} MiB"

    def _of_threads(self) -> tuple[Excess, str] | None:
        if (count := self._usage.threads()) <= MAX_THREADS:
            return None
        return "threads", f"{count:,}, and at most {MAX_THREADS:,} may run"

    def _of_disk(self) -> tuple[Excess, str] | None:
        size = count = 0
        for count, (depth, blocks) in enumerate(_walk(self._scratch), 1):
            size += blocks * 512
            if size > MAX_SCRATCH:
                return "disk", f"more than {MAX_SCRATCH >> 20} MiB of files"
            if count > MAX_ENTRIES or depth > MAX_DEPTH:
                what = f"{MAX_ENTRIES:,} files" if count > MAX_ENTRIES else f"{MAX_DEPTH} folders in each other"
                return "disk", f"more than {what}"
        return self._of_free()

    def _of_free(self) -> tuple[Excess, str] | None:
        try:
            disk = os.statvfs(self._scratch)
        except OSError:  # it ended, and its folder is gone
            return None
        free = disk.f_bavail * disk.f_frsize
        self._free = free if self._free is None else self._free
        if free < MIN_FREE < self._free:
            return "disk", f"only {free >> 20} MiB of the disk are left"
        return None


def _walk(folder: Path) -> Iterator[tuple[int, int]]:
    """Yield depth and blocks on disk of everything below a folder; follows no link and passes over what is closed."""
    waiting = [(0, str(folder))]
    while waiting:
        depth, at = waiting.pop()
        try:
            with os.scandir(at) as entries:
                for entry in entries:
                    yield depth, entry.stat(follow_symlinks=False).st_blocks
                    if depth <= MAX_DEPTH and entry.is_dir(follow_symlinks=False):
                        waiting.append((depth + 1, entry.path))
        except OSError:  # removed meanwhile, or closed to everyone
            continue
