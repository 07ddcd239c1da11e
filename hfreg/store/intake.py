"""Intake: where the files of an upload lie until all of them are there, and how one that broke off is gone on with.

Each source (a zip by its hash, a folder by the names, sizes and times in it) has a place of its own, held by whoever is
at work on it. A file is in it under its name once it is whole. What was stopped stays for a day, so that the same
source given again goes on behind the last whole file; what failed or was refused leaves nothing. What may be in a
folder is judged by `hfreg.store.unpack`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hfreg.errors import StoreError
from hfreg.store.files import Lock

FILES, STAGING, LOCK = "files", ".new-", "lock"
KEPT_S = 24 * 3600.0


@contextmanager
def intake(root: Path, key: str) -> Iterator[Path]:
    """Hold the place of a source, whose `files` may hold what an earlier intake finished.

    Somebody else at work on the same source is not waited for: both copy, and one of them is kept.
    """
    _forget_old(root)
    place, lock = _place(root, key)
    mine = place.stat().st_ino
    try:
        yield place
    except Exception:
        _drop(place, mine)
        raise
    else:
        _drop(place, mine)
    finally:  # a stop (a click elsewhere, Ctrl+C, a kill) leaves what is whole
        lock.__exit__(None, None, None)


def key_of(source: Path | IO[bytes], mark: str, onto: str) -> str:
    """Return the name of a source's place: the same for the same source; `mark` is the hash of a zip."""
    return hashlib.sha256(f"{mark or _listing(source)}\0{onto}".encode()).hexdigest()[:32]


def _place(root: Path, key: str) -> tuple[Path, Lock]:
    for name in (key, f"{key}-{secrets.token_hex(4)}"):
        place = root / f"{STAGING}{name}"
        (place / FILES).mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = Lock(place / LOCK, 0.0)
        with suppress(StoreError):  # another thread or process is at work on it
            lock.__enter__()
            os.utime(place)
            return place, lock
    raise StoreError(f"No place for the upload can be had in {root}. Try again.")


def _drop(place: Path, mine: int) -> None:
    """Delete a place, unless it became a stored folder and somebody else began anew under its name."""
    with suppress(OSError):
        if place.stat().st_ino == mine:
            shutil.rmtree(place, ignore_errors=True)


def _listing(source: Path | IO[bytes]) -> str:
    if not isinstance(source, Path) or not source.is_dir():
        return secrets.token_hex(16)
    found = []
    for place, _, names in os.walk(source):
        for name in names:
            with suppress(OSError):
                path = Path(place, name)
                about = path.lstat()
                found.append(f"{path}\0{about.st_size}\0{about.st_mtime_ns}")
    return "\n".join(sorted(found))


def _forget_old(root: Path) -> None:
    for place in root.glob(f"{STAGING}*"):
        with suppress(OSError, StoreError):
            if time.time() - place.stat().st_mtime > KEPT_S:
                with Lock(place / LOCK, 0.0):
                    shutil.rmtree(place, ignore_errors=True)
