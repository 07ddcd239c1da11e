"""Autosaves: unsaved edits of a form, kept so that a reload or a crash loses nothing.

One small file for each owner and key, written as a whole, so that typing never rewrites the registry.
A save that says what it expects is told when another browser saved in between. An autosave is no
snapshot: nobody else sees it, and whoever saves the definition deletes it. It holds whatever was pasted, so only
the account it was written under can read it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hfreg.errors import DefinitionError, EditConflict, StoreError
from hfreg.store.files import Lock, move_aside, unwritable, write_atomically
from hfreg.values import Frozen

FORMAT = 1
_log = logging.getLogger(__name__)


class Autosave(Frozen):
    """What one owner typed into the form of one key; `counter` grows with each save and is never given twice."""

    key: str
    owner: str
    data: dict[str, Any]
    counter: int
    at: datetime
    base_snapshot: int | None = None


class AutosaveConflict(EditConflict):
    """The same owner saved the same form elsewhere; `stored` is what is kept."""

    def __init__(self, stored: Autosave) -> None:
        super().__init__(
            f"Your draft of {stored.key} was saved elsewhere at {stored.at:%H:%M:%S} UTC, after this page read it. "
            "Nothing was overwritten: compare the two and choose."
        )
        self.stored = stored


class Autosaves:
    """The autosaves under one folder, safe for any number of threads and processes."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self._lock = Lock(self.folder / ".lock")

    def save(
        self,
        key: str,
        owner: str,
        data: Mapping[str, Any],
        base_snapshot: int | None = None,
        expected: int | None = None,
    ) -> Autosave:
        """Keep what the form holds and return it with its new counter.

        `expected` is the counter that the page read last, 0 for none: AutosaveConflict when another is stored.
        Without it nothing is compared. Raises StoreError when it cannot be written.
        """
        path = self._path(key, owner)
        with self._lock:
            stored = self._read(path)
            if stored is not None and expected is not None and stored.counter != expected:
                raise AutosaveConflict(stored)
            saved = Autosave(
                key=key,
                owner=owner,
                data=dict(data),
                counter=max(time.time_ns() // 1000, (stored.counter if stored else 0) + 1),
                at=datetime.now(UTC),
                base_snapshot=base_snapshot,
            )
            _write(path, saved)
        return saved

    def find(self, key: str, owner: str) -> Autosave | None:
        """Return what is kept for a form, or None."""
        return self._read(self._path(key, owner))

    def all(self, owner: str) -> list[Autosave]:
        """List what is kept for an owner, the latest first."""
        found = [self._read(path) for path in (self.folder / _hashed(owner)).glob("*.json")]
        return sorted((a for a in found if a is not None), key=lambda a: a.counter, reverse=True)

    def delete(self, key: str, owner: str, expected: int | None = None) -> bool:
        """Drop what is kept for a form and return whether nothing is kept now.

        With `expected`, the counter that the page read last, what was saved elsewhere since stays.
        """
        path = self._path(key, owner)
        if not path.exists():
            return True
        with self._lock:
            stored = self._read(path)
            if stored is not None and expected not in (None, stored.counter):
                return False
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(path, error) from error
        return True

    def _path(self, key: str, owner: str) -> Path:
        return self.folder / _hashed(owner) / f"{_hashed(key)}.json"

    def _read(self, path: Path) -> Autosave | None:
        try:
            return read(path.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            with suppress(OSError):
                _log.warning("%s cannot be read (%s); it is kept as %s.", path, error, move_aside(path, "damaged").name)
            return None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def read(data: bytes) -> Autosave:
    """Read the bytes of an autosave; raises ValueError or TypeError when they are none."""
    document = json.loads(data)
    if not isinstance(document, dict) or document.pop("hfreg_autosave", None) != FORMAT:
        raise ValueError("it is no autosave of this hfreg")
    try:
        return Autosave(**document)
    except DefinitionError as error:
        raise ValueError(str(error)) from None


def _write(path: Path, saved: Autosave) -> None:
    try:
        data = json.dumps({"hfreg_autosave": FORMAT, **dict(saved), "at": saved.at.isoformat()})
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"The draft of {saved.key} was not saved: a value cannot be written as JSON ({error})."
        ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)  # here, because it may be older than this rule
    except OSError as error:
        raise unwritable(path, error) from error
    write_atomically(path, data.encode("ascii"), private=True)


def _hashed(name: str) -> str:
    # Keys and owners are people's words; a file name made of them could leave the folder.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
