"""Folders: uploaded model folders of Custom models, each kept once under the name of its content.

The address of a folder is `sha256:` over its sorted file names, sizes and contents; the same content uploaded again is
the same folder, and a zip that was unpacked before is known by its own hash and not unpacked again. A large one may
come in several zips, each added to what is there. A folder appears whole or not at all, its files are read-only, and
they are looked at again before they are loaded. Nothing is deleted here: a version of any model may name it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from hfreg.errors import StoreError, UnsafeFolder
from hfreg.store.intake import FILES, LOCK, intake, key_of
from hfreg.store.unpack import Progress, Taken, items_of_folder, items_of_zip, judge_together, refuse_pickles, take

MANIFEST, ZIPS = "manifest.json", "zips"
PREFIX = "sha256:"
ADDRESS = len(PREFIX) + 64

Inspect = Callable[[Path, Sequence[str]], None]
"""Raises UnsafeRepo for files that no library may load; takes the folder and the names in it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """One stored folder: its address, where its files are, what they are, and whether `add` found it here already."""

    address: str
    path: Path
    files: tuple[Taken, ...]
    already: bool = False

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(file.size for file in self.files)

    @property
    def pickles(self) -> tuple[str, ...]:
        """The names of its pickled files."""
        return tuple(file.name for file in self.files if file.pickle)


class Folders:
    """The folders under one home."""

    def __init__(self, root: Path, inspect: Inspect) -> None:
        self._root = root
        self._inspect = inspect

    def add(
        self,
        source: Path | IO[bytes],
        pickles: bool = False,
        progress: Progress = lambda done, total: None,
        onto: str = "",
    ) -> Folder:
        """Take in a zip (a path or an open file) or a folder of this machine, and return it as it is kept.

        With `onto`, the address of a stored folder, the files are added to those of it, in place of those of the same
        name. One that was stopped goes on when the same source is given again. Raises UnsafeFolder or UnsafeRepo
        naming the file that keeps it out; nothing of it stays then.
        """
        mark, base = _mark(source), self.get(onto) if onto else None
        if base is None and mark and (known := self._recognised(mark)) and (pickles or not known.pickles):
            progress(known.size, known.size)
            return known
        try:
            with intake(self._root, key_of(source, mark, onto)) as place:
                taken = self._taken(source, place / FILES, pickles, progress)
                joined = _joined(base, taken, place / FILES, pickles) if base else taken
                self._inspect(place / FILES, [file.name for file in joined])
                kept = self._keep(place, joined)
                return kept if base else self._marked(kept, mark)
        except OSError as error:
            if isinstance(error, (StoreError, UnsafeFolder)) or type(error).__module__.startswith("hfreg"):
                raise
            raise StoreError(f"The folder could not be kept in {self._root}: {error.strerror or error}.") from None

    def find(self, address: str) -> Folder | None:
        """Return a stored folder, or None when there is none of that address here."""
        if len(address) != ADDRESS or not address.startswith(PREFIX):
            return None
        place = self._root / address.removeprefix(PREFIX)
        try:
            files = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
            return Folder(address, place / FILES, tuple(Taken(*file) for file in files))
        except (OSError, ValueError, TypeError):
            return None

    def get(self, address: str) -> Folder:
        """Return a stored folder whose files were looked at just now; raises StoreError when they are not those."""
        folder = self.find(address)
        if folder is None:
            raise StoreError(
                f"The model folder {address[:19]}… is not stored here. Upload it again: the same content has the same "
                "address."
            )
        for file in folder.files:
            if _digest(folder.path / file.name) != file.sha256:
                raise StoreError(
                    f"`{file.name}` of the model folder {address[:19]}… is not the file that was uploaded. "
                    f"Delete {folder.path.parent} and upload the folder again."
                )
        return folder

    def _taken(self, source: Path | IO[bytes], target: Path, pickles: bool, progress: Progress) -> list[Taken]:
        if isinstance(source, Path) and source.is_dir():
            return take(items_of_folder(source), target, pickles, progress)
        if isinstance(source, Path) and not source.exists():
            raise UnsafeFolder(f"{source} is not there.")
        try:
            with zipfile.ZipFile(source) as archive:
                return take(items_of_zip(archive), target, pickles, progress)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
            raise UnsafeFolder(f"This is no zip archive that can be read: {str(error)[:100]}.") from None

    def _keep(self, staging: Path, taken: list[Taken]) -> Folder:
        whole = hashlib.sha256()
        for file in taken:
            whole.update(f"{file.name}\0{file.size}\0{file.sha256}\n".encode())
        address = f"{PREFIX}{whole.hexdigest()}"
        if (known := self.find(address)) is not None:
            return replace(known, already=True)
        for file in taken:
            (staging / FILES / file.name).chmod(0o444)
        plain: list[Any] = [list(file) for file in taken]
        (staging / MANIFEST).write_text(json.dumps(plain), encoding="utf-8")
        with contextlib.suppress(OSError):  # it is held all the same, by its open file
            (staging / LOCK).unlink()
        with contextlib.suppress(OSError):  # another upload of the same content was first
            staging.rename(self._root / whole.hexdigest())
        found = self.find(address)
        if found is None:
            raise StoreError(f"The folder could not be kept in {self._root}.")
        return found

    def _recognised(self, mark: str) -> Folder | None:
        """Find the folder that a zip of that hash was unpacked to."""
        place = next((path.parents[1] for path in self._root.glob(f"*/{ZIPS}/{mark}")), None)
        known = self.find(f"{PREFIX}{place.name}") if place else None
        return replace(known, already=True) if known else None

    def _marked(self, folder: Folder, mark: str) -> Folder:
        if mark:
            with contextlib.suppress(OSError):  # without the mark the zip is unpacked again, that is all
                (folder.path.parent / ZIPS).mkdir(exist_ok=True)
                (folder.path.parent / ZIPS / mark).touch()
        return folder


def _mark(source: Path | IO[bytes]) -> str:
    """Return the hash of a zip, empty for a folder and for what cannot be read."""
    if isinstance(source, Path):
        return _digest(source) if source.is_file() else ""
    source.seek(0)
    mark = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    source.seek(0)
    return mark


def _joined(base: Folder, taken: list[Taken], target: Path, pickles: bool) -> list[Taken]:
    """Lay the files of a stored folder beside those taken, where none of them has that name; they take no more room."""
    refuse_pickles(() if pickles else base.pickles)
    mine = {file.name for file in taken}
    kept = [file for file in base.files if file.name not in mine]
    joined = sorted([*taken, *kept], key=lambda file: file.name)
    judge_together([(file.name, file.size) for file in joined])
    for file in kept:
        place = target / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(base.path / file.name, place)
        except OSError:  # a file system without hard links
            shutil.copyfile(base.path / file.name, place)
    return joined


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
