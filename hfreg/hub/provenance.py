"""Provenance: repo id and revision to a folder of one pinned commit, and the record of what was pinned.

Covers repositories of the Hub, checkpoints shipped with the product (`hfreg/starter-…`, pinned by the
SHA-256 of their files) and folders that the user names by a path. Pins are only made here; who keeps
them is `hfreg.store.definitions`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hfreg.errors import HubError, HubUnreachable, LifecycleError, NotCached, UnsafeRepo
from hfreg.hub.client import COMMIT, Hub, remember_commit
from hfreg.hub.fetch import Fetcher, OnProgress
from hfreg.hub.files import allowed, digest, inspect_json
from hfreg.version import Pin

STARTER = "hfreg/starter-"
OnPin = Callable[[Pin], None]
_Stamp = tuple[tuple[str, int, int], ...]
_seals: dict[Path, tuple[_Stamp, str]] = {}
_seals_lock = threading.Lock()


class Reference(Protocol):
    """A literal repo id found in scoring logic, as `hfreg.scoring.check` reports it."""

    @property
    def repo(self) -> str:
        """The repo id."""

    @property
    def revision(self) -> str | None:
        """The revision in the code, None where it names none."""


class PinnedResolver:
    """Resolves what one version asks for; remembers its pins and reports the new ones.

    A pin for (repo, revision) wins over what the branch points to today. `frozen` (Approved) makes no new pin.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        pins: Sequence[Pin] = (),
        *,
        starters: Path,
        frozen: bool = False,
        pickles: bool = False,
        on_pin: OnPin | None = None,
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._hub: Hub = fetcher.hub
        self._pinned = {(pin.repo, pin.revision): pin.commit for pin in pins}
        self._starters = starters
        self._frozen = frozen
        self._pickles = pickles
        self._on_pin = on_pin
        self._on_progress = on_progress
        self._cancel = cancel
        self._resolved: dict[str, str] = {}

    @property
    def pins(self) -> Mapping[str, str]:
        """What was resolved so far: repo id to commit."""
        return dict(self._resolved)

    def resolve(self, repo: str, revision: str | None = None) -> Path:
        """Return the folder of the pinned commit, downloading on first use.

        Raises HubError, UnsafeRepo where files are not what was pinned, LifecycleError for a new pin when frozen.
        """
        repo = str(repo)
        if local := _local_folder(repo):
            return local
        if repo.startswith(STARTER):
            return self._starter(repo, revision)
        pinned = self._pinned.get((repo, revision))
        commit = pinned or self._new_commit(repo, revision)
        folder = self._fetcher.fetch(repo, commit, self._on_progress, self._cancel, self._pickles)
        if pinned is None and not _full(revision):
            remember_commit(repo, revision, commit)
            self._pin(repo, revision, commit)
        self._resolved[repo] = commit
        return folder

    def _new_commit(self, repo: str, revision: str | None) -> str:
        if not _full(revision):
            self._refuse_when_frozen(repo, revision)
        return self._hub.commit(repo, revision)

    def _starter(self, repo: str, revision: str | None) -> Path:
        folder, seal = starter(self._starters, repo)
        pinned = self._pinned.get((repo, revision))
        if pinned is None:
            self._refuse_when_frozen(repo, revision)
            self._pin(repo, revision, seal)
        elif pinned != seal:
            raise UnsafeRepo(
                f"The files of `{repo}` in {folder} are not those that this version pinned ({pinned[:19]}… then, "
                f"{seal[:19]}… now). Restore the folder, or delete the Draft and register it anew."
            )
        self._resolved[repo] = seal
        return folder

    def _refuse_when_frozen(self, repo: str, revision: str | None) -> None:
        if self._frozen:
            at = f" at `{revision}`" if revision else ""
            raise LifecycleError(
                f"`{repo}`{at} was not pinned when this version was approved, and an Approved version makes no new "
                "pin. Clone it, run the clone once so that it is pinned, and submit that."
            )

    def _pin(self, repo: str, revision: str | None, commit: str) -> None:
        if self._on_pin:  # it may refuse: a pin that nobody recorded must not be known here either
            self._on_pin(Pin(repo=repo, revision=revision, commit=commit, at=datetime.now(UTC)))
        self._pinned[repo, revision] = commit


def resolve_literals(
    repositories: Iterable[Reference], hub: Hub, starters: Path, pins: Sequence[Pin] = ()
) -> tuple[list[Pin], list[str]]:
    """Resolve the literal repo ids of a source when it is saved: new Pins, and a sentence for each that failed.

    Never raises for what the Hub says. When the Hub cannot be reached, the rest is not tried.
    """
    known = {(pin.repo, pin.revision) for pin in pins}
    made: list[Pin] = []
    reasons: list[str] = []
    unreachable: HubError | None = None
    for wanted in repositories:
        key = (wanted.repo, wanted.revision)
        if key in known or _full(wanted.revision) or _local_folder(wanted.repo):
            continue
        known.add(key)
        try:
            if unreachable:
                raise unreachable
            commit = _commit(wanted, hub, starters)
        except HubError as error:
            reasons.append(f"`{wanted.repo}` is not pinned yet. {error}")
            unreachable = error if isinstance(error, HubUnreachable) else unreachable
        else:
            made.append(Pin(repo=wanted.repo, revision=wanted.revision, commit=commit, at=datetime.now(UTC)))
    return made, reasons


def starter(starters: Path, repo: str) -> tuple[Path, str]:
    """Return the folder of a checkpoint shipped with the product and its `sha256:…`; raises NotCached."""
    name = repo.removeprefix("hfreg/")
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    for folder in (starters / name, starters / name.removeprefix("starter-")) if plain else ():
        if folder.is_dir():
            return folder, seal(folder)
    known = sorted(f"{STARTER}{path.name.removeprefix('starter-')}" for path in starters.glob("*/") if path.is_dir())
    raise NotCached(f"`{repo}` is no checkpoint shipped with the product. There is: {', '.join(known) or 'none'}.")


def weight_bytes(pins: Iterable[Pin], fetcher: Fetcher, starters: Path) -> int:
    """Sum the sizes of the weight files of what is pinned and on this disk; asks nobody."""
    total = 0
    for repo, commit in {(pin.repo, pin.commit) for pin in pins}:
        try:
            folder = starter(starters, repo)[0] if repo.startswith(STARTER) else fetcher.find(repo, commit)
        except HubError:
            continue
        files = folder.rglob("*") if folder else ()
        total += sum(file.stat().st_size for file in files if file.suffix in {".safetensors", ".bin"})
    return total


def seal(folder: Path) -> str:
    """Return `sha256:…` over the names and contents of the files a library would load (not the model card).

    Computed once and again only when name, size or time of a file changed.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and _loadable(folder, path))
    stamp = tuple((path.relative_to(folder).as_posix(), (s := path.stat()).st_size, s.st_mtime_ns) for path in files)
    with _seals_lock:
        if (known := _seals.get(folder)) and known[0] == stamp:
            return known[1]
    names = [name for name, _, _ in stamp]
    inspect_json(folder.name, folder, names)
    whole = hashlib.sha256()
    for name, path in zip(names, files, strict=True):
        whole.update(f"{name}\0{digest(path)[0]}\n".encode())
    value = f"sha256:{whole.hexdigest()}"
    with _seals_lock:
        _seals[folder] = (stamp, value)
    return value


def _commit(wanted: Reference, hub: Hub, starters: Path) -> str:
    if wanted.repo.startswith(STARTER):
        return starter(starters, wanted.repo)[1]
    return hub.commit(wanted.repo, wanted.revision)


def _loadable(folder: Path, path: Path) -> bool:
    return allowed(path.relative_to(folder).as_posix()) and path.suffix != ".md"


def _full(revision: str | None) -> bool:
    return bool(revision and COMMIT.fullmatch(revision))


def _local_folder(repo: str) -> Path | None:
    # Only what is written as a path: a folder `org/name` beside the process must not stand in for the Hub.
    if not repo.startswith(("./", "../", ".\\", "..\\", "~/")) and not Path(repo).is_absolute():
        return None
    path = Path(repo).expanduser()
    return path if path.is_dir() else None
