"""Licence: under which licence ids a repository is, at a commit, from whatever already knows it.

Covers checkpoints shipped with the product, cards of fetched files and of folders of this machine, what the Hub said in
this process, and asking it once. A model that runs elsewhere is known by its default branch. What may be done with a
licence is decided by `hfreg.licences` and held to by the registry.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from hfreg.errors import HubError
from hfreg.hub.card import front_matter
from hfreg.hub.client import COMMIT, Hub, check_id
from hfreg.hub.provenance import STARTER, local_folder, starter
from hfreg.hub.snapshot import snapshot_folder
from hfreg.licences import licence_ids

Known = tuple[str, ...] | None
"""Licence ids; none of them where the card names none, and None where no card was read."""
ASK_AGAIN_S = 60.0
"""How long a Hub that did not answer is left alone before a call of a model elsewhere asks it again."""


class Licences:
    """What is known of the licences of repositories; one object may serve every thread of a process."""

    def __init__(self, hub: Hub, starters: Path) -> None:
        self._hub = hub
        self._starters = starters
        self._said: dict[tuple[str, str], tuple[str, ...]] = {}
        self._silent: dict[str, float] = {}
        self._lock = threading.Lock()

    def remember(self, repo: str, commit: str, licences: tuple[str, ...]) -> None:
        """Keep what the Hub said of a commit."""
        with self._lock:
            self._said[repo, commit] = licences

    def find(self, repo: str, commit: str) -> Known:
        """Find the licences at a full commit, or of a folder of this machine, without asking anybody."""
        if repo.startswith(STARTER):
            try:
                return _of_card(starter(self._starters, repo)[0])
            except HubError:
                return None
        if (folder := local_folder(repo)) is not None:
            return of_folder(folder)
        if not COMMIT.fullmatch(commit):
            return None
        with self._lock:
            if (said := self._said.get((repo, commit))) is not None:
                return said
        return self._on_disk(repo, commit)

    def ask(self, repo: str, commit: str) -> Known:
        """Find the licences, asking the Hub where nothing knows them; None when it cannot be asked."""
        if (found := self.find(repo, commit)) is not None or not COMMIT.fullmatch(commit):
            return found
        try:
            licences = self._hub.info(repo, commit).licences
        except HubError:
            return None
        self.remember(repo, commit, licences)
        return licences

    def elsewhere(self, repo: str, ask: bool = False) -> Known:
        """Find the licences of a model that runs elsewhere, as its default branch has them; the Hub is asked once."""
        with self._lock:
            said, silent = self._said.get((repo, "")), self._silent.get(repo, 0.0)
        if said is not None or not ask or (silent and time.monotonic() - silent < ASK_AGAIN_S):
            return said
        try:
            info = self._hub.info(repo)
        except HubError:
            with self._lock:
                self._silent[repo] = time.monotonic()
            return None
        self.remember(repo, info.commit, info.licences)
        self.remember(repo, "", info.licences)
        return info.licences

    def _on_disk(self, repo: str, commit: str) -> Known:
        try:
            check_id(repo)
        except HubError:
            return None
        found = _of_card(snapshot_folder(repo, commit))
        if found is not None:
            self.remember(repo, commit, found)
        return found


def of_folder(folder: Path) -> tuple[str, ...]:
    """Read the licences in the card of a folder; none where it has no card, or one that names none."""
    return _of_card(folder) or ()


def _of_card(folder: Path) -> Known:
    return licence_ids(front_matter(folder).get("license")) if (folder / "README.md").is_file() else None
