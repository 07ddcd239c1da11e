"""Snapshot: a repository as the cache on disk knows it, for when the Hub is not asked.

Covers what its files, configuration and card say. Downloads, likes, dates and scans are known to the Hub alone and stay
empty; whether the snapshot is complete is the matter of `hfreg.hub.fetch`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hfreg.hub.card import front_matter
from hfreg.hub.client import cache_folder
from hfreg.hub.files import LARGEST_JSON
from hfreg.hub.repo import Repo, read_repo


def snapshot_folder(repo: str, commit: str) -> Path:
    """Return where huggingface_hub keeps the files of one commit, whether or not they are there."""
    return cache_folder(repo) / "snapshots" / commit


def cached_repo(repo: str, commit: str) -> Repo:
    """Return what the cache holds of a repository at a commit."""
    folder = snapshot_folder(repo, commit)
    card = dict(front_matter(folder))
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
    siblings = [{"rfilename": p.relative_to(folder).as_posix(), "size": p.stat().st_size} for p in files]
    config = {**_json(folder / "config.json"), "tokenizer_config": _json(folder / "tokenizer_config.json")}
    return read_repo({"id": repo, "sha": commit, "cardData": card, "siblings": siblings, "config": config})


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_JSON else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
