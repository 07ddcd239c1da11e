"""Folders of workers: scratch to write in, and views of the model files that one worker may read.

A worker is confined before anyone knows what it will load, so it is given an empty folder that it may read, and
checkpoints are put there when it asks for them: as hard links, so that nothing is copied and all workers share the
same pages in memory. Views lie beside the checkpoints, since a link cannot cross file systems; where none can be made
the file is copied. All folders of one process lie under a root that it holds locked; the roots of a process that was
killed are removed by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

ROOTS = "hfreg-workers-"
Linking = Callable[[Path], contextlib.AbstractContextManager[None]]


class Root:
    """A folder for the folders of workers, removed at the end, or by the next process when this one was killed."""

    def __init__(self, beside: Path | None = None) -> None:
        parent = _writable(beside) if beside else Path(tempfile.gettempdir())
        _clean_up(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=ROOTS, dir=parent))
        self._lock = _hold(self.folder)

    def new(self) -> Path:
        """Make a folder that no other user may look into."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def remove(self) -> None:
        """Take everything away."""
        remove_tree(self.folder)
        self.release()

    def release(self) -> None:
        """Let go of the root without removing it: in a forked child it belongs to the parent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class View:
    """The model files that one worker may read; what lies in `shared` folders every worker may."""

    def __init__(self, folder: Path, shared: tuple[Path, ...] = ()) -> None:
        self.folder = folder
        self._shared = tuple(path.resolve() for path in shared)
        self._given: dict[Path, Path] = {}
        self._linking: dict[Path, Linking] = {}

    def give(self, checkpoint: Path, linking: Linking | None = None) -> Path:
        """Return where the worker finds a checkpoint, after putting its files there.

        Links change the status of a file, so they are made, and later removed, inside of `linking(checkpoint)`.
        """
        found = checkpoint.resolve()
        if any(found.is_relative_to(shared) for shared in self._shared):
            return found
        if found not in self._given:
            place = self.folder / str(len(self._given)) / found.name
            with linking(found) if linking else contextlib.nullcontext():
                _link_files(found, place)
            self._given[found] = place
            if linking:
                self._linking[found] = linking
        return self._given[found]

    def remove(self) -> None:
        """Take the folder away; the checkpoints stay."""
        with contextlib.ExitStack() as around:
            for checkpoint, linking in self._linking.items():
                around.enter_context(linking(checkpoint))
            remove_tree(self.folder)


def remove_tree(folder: Path) -> None:
    """Take a folder away with all that a worker made in it: folders closed to everyone, or deeper than any path.

    Every folder inside is moved to the top before it is emptied, so that no path grows and nothing recurses.
    """
    waiting, top = [folder], secrets.token_hex(8)
    moved = itertools.count()
    while waiting:
        place = waiting.pop()
        for entry in _opened(place):
            with contextlib.suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)  # noqa: PTH108 - a Path for each of many thousands takes longer
                elif not _removed(entry.path):
                    Path(entry.path).chmod(0o700)  # it is moved only by who may write into it
                    waiting.append(Path(entry.path).rename(folder / f"{top}-{next(moved)}"))
        if place != folder:
            with contextlib.suppress(OSError):
                place.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


def discard(folder: Path) -> None:
    """Take a folder away as `remove_tree` does, without making anybody wait for it when much lies in it."""
    if not _removed(folder):
        threading.Thread(target=remove_tree, args=(folder,), name="hfreg discard", daemon=True).start()


def _removed(folder: str | Path) -> bool:
    """Remove a folder that is empty, as most are."""
    try:
        os.rmdir(folder)  # noqa: PTH106 - see above
    except OSError:
        return False
    return True


def _opened(folder: Path) -> list[os.DirEntry[str]]:
    try:
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # it is gone, or not ours
        return []


def _link_files(source: Path, place: Path) -> None:
    for folder, _, names in os.walk(source):
        target = place / Path(folder).relative_to(source)
        target.mkdir(parents=True)
        for name in names:
            file = (Path(folder) / name).resolve(strict=True)  # a snapshot holds links to the cache's blobs
            try:
                (target / name).hardlink_to(file)
            except OSError:  # another file system, or one without hard links
                shutil.copyfile(file, target / name)


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.gettempdir())


def _hold(root: Path) -> int:
    """Lock a root for as long as this process lives; raises OSError while another does."""
    lock = os.open(root / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _clean_up(parent: Path) -> None:
    """Remove the roots of processes that were killed before they could."""
    for root in parent.glob(f"{ROOTS}*"):
        try:
            if root.stat().st_uid == os.getuid() and (root / "held").exists():
                lock = _hold(root)
                remove_tree(root)
                os.close(lock)
        except OSError:  # in use, or not ours to look at
            continue
