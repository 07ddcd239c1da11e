"""Fetcher: the files of one commit, complete and checked, in the cache that huggingface_hub shares with others.

Downloads once however many threads ask, with the true total as progress, and can be stopped. A complete
snapshot is remembered with the size and SHA-256 of each file under the home, and is then used without a
single request. Which commit is wanted is decided by `hfreg.hub.provenance`; what may be fetched by
`hfreg.hub.files`. A download that broke resumes at the last complete file; inside one download a dropped
connection resumes at the last 10 MB, which is also how often progress moves.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import huggingface_hub

from hfreg.errors import HubError, HubUnreachable, NotCached, UnsafeRepo
from hfreg.hub.client import COMMIT, READ_S, Hub, cache_folder, check_id
from hfreg.hub.files import RepoFile, allowed, inspect_json, inspect_weights, select
from hfreg.hub.flight import Flight, OnProgress, Progress
from hfreg.hub.hashes import Hashes
from hfreg.hub.translate import offline_error, translate

__all__ = ["Fetcher", "OnProgress", "Progress"]


class Fetcher:
    """Brings the files of pinned commits to this disk; one object may serve every thread of a process."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.hashes = Hashes(hub.settings.home / "hub" / "hashes.json")
        self._flights: dict[tuple[str, str, bool], Flight] = {}
        self._lock = threading.Lock()

    def fetch(
        self,
        repo: str,
        commit: str,
        on_progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
        pickles: bool = False,
    ) -> Path:
        """Return the folder with the repository's files at that commit; downloads what is missing.

        `on_progress` is called from the calling thread. `pickles` also fetches PyTorch `.bin` weights, for what an
        approver allowed. Raises HubError, UnsafeRepo among them, and ScoringCancelled when `cancel` was set.
        """
        if found := self.find(repo, commit, pickles):
            return found
        if self.hub.offline:
            return self._adopt(repo, commit, pickles, offline_error(repo, commit))
        return self._join(repo, commit, pickles).follow(on_progress, cancel)

    def find(self, repo: str, commit: str, pickles: bool = False) -> Path | None:
        """Find the complete, checked snapshot on this disk; asks nobody."""
        check_id(repo)
        if not COMMIT.fullmatch(commit):
            raise UnsafeRepo(f"`{repo}` is fetched at a full commit of 40 hex digits, not at `{commit}`.")
        try:
            files = json.loads(self._record(repo, commit).read_text(encoding="utf-8"))["files"]
            folder = _snapshot(repo, commit)
            complete = all((folder / name).stat().st_size == about["size"] for name, about in files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return folder if complete and all(allowed(name, pickles) for name in files) else None

    def on_disk(self, repo: str, commit: str, reason: HubError) -> Path:
        """Return the folder that a load uses where the Hub cannot be asked; raises the reason where there is none."""
        return self.find(repo, commit) or self._adopt(repo, commit, False, reason)

    def try_one(self, repo: str, commit: str, name: str) -> None:
        """Download one small file as a load does, into a folder that is deleted at once, and read it if it is JSON.

        Raises HubError, and UnsafeRepo for JSON that asks for remote code.
        """
        flight = Flight(f"try {repo}", lambda _: Path(), lambda _: None)  # never started: it only gives the silent bar
        with tempfile.TemporaryDirectory(prefix="hfreg-try-") as folder:
            path = self._download(flight, repo, commit, name, folder)
            if name.endswith(".json") and not name.endswith(".index.json"):  # its shards lie beside other files
                inspect_json(repo, path.parent, [path.name])

    def record(self, repo: str, commit: str) -> Mapping[str, Mapping[str, Any]]:
        """Return size and sha256 of each fetched file by name; raises NotCached before the first fetch."""
        try:
            files: Mapping[str, Mapping[str, Any]] = json.loads(self._record(repo, commit).read_text("utf-8"))["files"]
        except (OSError, ValueError, KeyError):
            raise NotCached(f"`{repo}` at {commit} was not fetched by this home yet.") from None
        return files

    def _record(self, repo: str, commit: str) -> Path:
        return self.hub.settings.home / "hub" / repo.replace("/", "--") / f"{commit}.json"

    def _join(self, repo: str, commit: str, pickles: bool) -> Flight:
        key = (repo, commit, pickles)
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or not flight.board():
                flight = Flight(f"fetch {repo}", lambda it: self._work(it, repo, commit, pickles), self._landed(key))
                self._flights[key] = flight
                flight.board()
                flight.start()
        return flight

    def _landed(self, key: tuple[str, str, bool]) -> Callable[[Flight], None]:
        def forget(flight: Flight) -> None:
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]

        return forget

    def _work(self, flight: Flight, repo: str, commit: str, pickles: bool) -> Path:
        if found := self.find(repo, commit, pickles):  # it landed between the caller's look and its boarding
            return found
        try:
            info = self.hub.info(repo, commit)
        except HubUnreachable as error:
            return self._adopt(repo, commit, pickles, error)
        if info.commit != commit:
            raise HubError(f"The Hub answered with commit {info.commit} of `{repo}` where {commit} was asked for.")
        chosen = select(repo, info.files, pickles)
        folder = _snapshot(repo, commit)
        names = [file.name for file in info.files]
        total, done = sum(file.size for file in chosen), 0
        inspected = False
        for file in chosen:
            if not inspected and not file.name.endswith(".json"):  # nothing large is fetched for a refused repository
                inspect_json(repo, folder, _json(chosen, names))
                inspected = True
            flight.show(Progress(repo, file.name, done, total))
            self._download(flight, repo, commit, file.name)
            done += file.size
            flight.show(Progress(repo, file.name, done, total))
        if not inspected:
            inspect_json(repo, folder, _json(chosen, names))
        self._write_record(repo, commit, {file.name: self._verified(flight, repo, folder, file) for file in chosen})
        return folder

    def _verified(self, flight: Flight, repo: str, folder: Path, file: RepoFile) -> dict[str, Any]:
        path = folder / file.name
        size, sha256, blob = self.hashes.of(path, flight.go_on)
        if (file.sha256 and sha256 != file.sha256) or (not file.sha256 and file.blob and blob != file.blob):
            raise UnsafeRepo(
                f"`{repo}`: {file.name} on this disk is not the file that the Hub lists (its SHA-256 differs). "
                "Delete the cached model and fetch it again."
            )
        if file.name.endswith(".safetensors"):
            inspect_weights(repo, path)
        return {"size": size, "sha256": sha256}

    def _download(self, flight: Flight, repo: str, commit: str, name: str, into: str | None = None) -> Path:
        flight.go_on()
        token = self.hub.token()
        bar: Any = flight.bar_class()
        try:
            found = huggingface_hub.hf_hub_download(
                repo,
                name,
                revision=commit,
                endpoint=self.hub.endpoint,
                token=token.value if token else False,
                cache_dir=into,
                etag_timeout=READ_S,
                tqdm_class=bar,
            )
        except Exception as error:
            told = translate(error, repo, commit, token, self.hub.endpoint)
            if told is None:
                raise
            raise told from None
        return Path(found)

    def _write_record(self, repo: str, commit: str, files: Mapping[str, Mapping[str, Any]]) -> None:
        target = self._record(repo, commit)
        with contextlib.suppress(OSError):  # without it the next fetch checks again, that is all
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_suffix(f".{uuid.uuid4().hex}")
            aside.write_text(json.dumps({"repo": repo, "commit": commit, "files": files}, indent=1), encoding="utf-8")
            aside.replace(target)

    def _adopt(self, repo: str, commit: str, pickles: bool, reason: HubError) -> Path:
        """Use a snapshot that another program left in the cache, if it looks whole; else raise the reason."""
        folder = _snapshot(repo, commit)
        present = list(_present(folder))
        chosen = select(repo, present, pickles)
        names = [file.name for file in chosen]
        try:
            inspect_json(repo, folder, names)
        except UnsafeRepo as error:
            # Offline a shard that is not here may only be missing on this disk.
            if "names the shard" in str(error):
                raise reason from None
            raise
        # Weights come last in a download: without any, this one may have broken off.
        weights = (".safetensors", ".bin") if pickles else (".safetensors",)
        if "config.json" not in {Path(name).name for name in names} or not any(n.endswith(weights) for n in names):
            raise reason
        for name in names:
            if name.endswith(".safetensors"):
                inspect_weights(repo, folder / name)
        return folder


def _snapshot(repo: str, commit: str) -> Path:
    return cache_folder(repo) / "snapshots" / commit


def _json(chosen: list[RepoFile], names: list[str]) -> list[str]:
    # JSON that is fetched is read; the other names are only there for shards to be found among them.
    fetched = {file.name for file in chosen}
    return [name for name in names if name in fetched or not name.endswith(".json")]


def _present(folder: Path) -> Iterator[RepoFile]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            yield RepoFile(path.relative_to(folder).as_posix(), path.stat().st_size)
