"""Provenance: repo id and revision to a folder of one pinned commit, and the record of what was pinned.

Covers repositories of the Hub, checkpoints shipped with the product (`hfreg/starter-…`, pinned by the
SHA-256 of their files) and folders that the user names by a path. What is loaded is compared with what was
registered. Pins are only made here; who keeps them is `hfreg.store.definitions`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from hfreg.errors import HubError, HubUnreachable, LifecycleError, NotCached, UnsafeRepo
from hfreg.hub.client import COMMIT, Hub, find_cached_commit, remember_commit
from hfreg.hub.fetch import Fetcher, OnProgress
from hfreg.hub.files import allowed, digest, inspect_json
from hfreg.hub.sources import describe, from_disk, require_registered
from hfreg.version import Pin, Source, SourceFile

STARTER = "hfreg/starter-"
OnPin = Callable[[Pin], None]
OnRecord = Callable[[Source], None]
_Stamp = tuple[tuple[str, int, int, int, int], ...]
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
    """Resolves what one version asks for; remembers its pins and sources and reports the new ones.

    A pin for (repo, revision) wins over what the branch points to today. `frozen` (Approved) makes no new pin, and
    records no source.
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
        sources: Sequence[Source] = (),
        on_record: OnRecord | None = None,
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
        self._sources = list(sources)
        self._on_record = on_record
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
        if local := local_folder(repo):
            return local
        if repo.startswith(STARTER):
            return self._starter(repo, revision)
        pinned = self._pinned.get((repo, revision))
        commit = pinned or self._new_commit(repo, revision)
        folder = self._fetcher.fetch(repo, commit, self._on_progress, self._cancel, self._pickles)
        if pinned is None and not _full(revision):
            remember_commit(repo, revision, commit)
            self._pin(repo, revision, commit)
        self._compare(repo, revision, commit, folder)
        self._resolved[repo] = commit
        return folder

    def linking(self, folder: Path) -> AbstractContextManager[None]:
        """Return the context in which hard links to the files of a folder are made or taken away."""
        return self._fetcher.hashes.unchanged([path for path in folder.rglob("*") if path.is_file()])

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
            self._compare(repo, revision, pinned, folder)  # it names the file, where it is known which
            raise UnsafeRepo(
                f"The files of `{repo}` in {folder} are not those that this version pinned ({pinned[:19]}… then, "
                f"{seal[:19]}… now). Restore the folder, or delete the Draft and register it anew."
            )
        self._compare(repo, revision, seal, folder)
        self._resolved[repo] = seal
        return folder

    def _compare(self, repo: str, revision: str | None, commit: str, folder: Path) -> None:
        """Compare the files of a folder with the registered ones, or record them where nothing is known of them yet."""
        known = [source for source in self._sources if (source.repo, source.commit) == (repo, commit)]
        require_registered(known or self._fetched(repo, commit), folder, self._fetcher.hashes, self._pickles)
        if not known and not self._frozen:
            made = from_disk(repo, revision, commit, folder, self._fetcher.hashes, self._pickles)
            self._sources.append(made)
            if self._on_record:
                self._on_record(made)

    def _fetched(self, repo: str, commit: str) -> list[Source]:
        """Return what this home fetched at a commit, which serves where a version has no record of its own."""
        try:
            files = self._fetcher.record(repo, commit)
        except NotCached:
            return []
        listed = tuple(
            SourceFile(name=name, size=about["size"], sha256=about["sha256"]) for name, about in files.items()
        )
        return [Source(repo=repo, revision=None, commit=commit, at=datetime.now(UTC), said_by="disk", files=listed)]

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


class Resolved(NamedTuple):
    """What saving a source made: new pins, a sentence for each repo id that could not be resolved, and the sources."""

    pins: tuple[Pin, ...]
    reasons: tuple[str, ...]
    sources: tuple[Source, ...]


def resolve_literals(
    repositories: Iterable[Reference],
    fetcher: Fetcher,
    starters: Path,
    pins: Sequence[Pin] = (),
    sources: Sequence[Source] = (),
    every: bool = False,
) -> Resolved:
    """Resolve the literal repo ids of a source when it is saved, and record what they are, with one request for each.

    Never raises for what the Hub says. When the Hub cannot be reached, the rest is not tried. What is pinned already is
    asked for only with `every`, where no record of the Hub's is among `sources`.
    """
    kept = {(pin.repo, pin.revision): pin.commit for pin in pins}
    known = {(source.repo, source.commit) for source in sources if source.said_by != "disk"}
    made = Resolved((), (), ())
    unreachable: HubUnreachable | None = None
    for wanted in repositories:
        key = (wanted.repo, wanted.revision)
        commit = wanted.revision if _full(wanted.revision) else kept.get(key)
        settled = commit is not None and ((key in kept and not every) or (wanted.repo, commit) in known)
        if settled or local_folder(wanted.repo):
            continue
        try:
            if unreachable:
                raise unreachable
            commit, source = _asked(wanted, commit, fetcher, starters)
        except HubError as error:
            unreachable = error if isinstance(error, HubUnreachable) else unreachable
            if commit is None:
                made = made._replace(reasons=(*made.reasons, f"`{wanted.repo}` is not pinned yet. {error}"))
            continue
        if key not in kept and not _full(wanted.revision):
            pin = Pin(repo=wanted.repo, revision=wanted.revision, commit=commit, at=datetime.now(UTC))
            made = made._replace(pins=(*made.pins, pin))
        kept[key] = commit
        if source is not None:
            made = made._replace(sources=(*made.sources, source))
            known.add((wanted.repo, commit))
    return made


def _asked(wanted: Reference, commit: str | None, fetcher: Fetcher, starters: Path) -> tuple[str, Source | None]:
    """Return the commit of a repo id, and what it is there: None where only the cache on this disk remembers it."""
    if wanted.repo.startswith(STARTER):
        folder, sealed = starter(starters, wanted.repo)
        return sealed, from_disk(wanted.repo, wanted.revision, sealed, folder, fetcher.hashes)
    try:
        source = describe(fetcher.hub, wanted.repo, commit or wanted.revision)
    except (HubUnreachable, NotCached):
        if commit is None and (cached := find_cached_commit(wanted.repo, wanted.revision)):
            return cached, None
        raise
    return source.commit, source.model_copy(update={"revision": wanted.revision})


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
    stamp = tuple((path.relative_to(folder).as_posix(), *_changes(path)) for path in files)
    with _seals_lock:
        if (known := _seals.get(folder)) and known[0] == stamp:
            return known[1]
    names = [name for name, *_ in stamp]
    inspect_json(folder.name, folder, names)
    whole = hashlib.sha256()
    for name, path in zip(names, files, strict=True):
        whole.update(f"{name}\0{digest(path)[0]}\n".encode())
    value = f"sha256:{whole.hexdigest()}"
    with _seals_lock:
        _seals[folder] = (stamp, value)
    return value


def _loadable(folder: Path, path: Path) -> bool:
    return allowed(path.relative_to(folder).as_posix()) and path.suffix != ".md"


def _changes(path: Path) -> tuple[int, int, int, int]:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _full(revision: str | None) -> bool:
    return bool(revision and COMMIT.fullmatch(revision))


def local_folder(repo: str) -> Path | None:
    """Find the folder of this machine that a text names as a path; None for a repo id."""
    # Only what is written as a path: a folder `org/name` beside the process must not stand in for the Hub.
    if not repo.startswith(("./", "../", ".\\", "..\\", "~/")) and not Path(repo).is_absolute():
        return None
    path = Path(repo).expanduser()
    return path if path.is_dir() else None
