"""The cache on disk: what downloaded checkpoints use, and deleting them.

The cache is huggingface_hub's own and shared with every program that uses it. Models in memory are the
matter of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import huggingface_hub
from huggingface_hub import constants

from hfreg.errors import NotCached


@dataclass(frozen=True, slots=True)
class CachedRepo:
    """One model in the cache: its commits, the bytes it uses, when a file of it was last read."""

    repo: str
    revisions: tuple[str, ...]
    bytes: int
    last_used: datetime


def cached() -> list[CachedRepo]:
    """List the cached models, the largest first."""
    found = [
        CachedRepo(
            repo.repo_id,
            tuple(sorted(revision.commit_hash for revision in repo.revisions)),
            repo.size_on_disk,
            datetime.fromtimestamp(repo.last_accessed, UTC),
        )
        for repo in _scan()
        if repo.repo_type == "model"
    ]
    return sorted(found, key=lambda repo: (-repo.bytes, repo.repo))


def delete(repo: str) -> int:
    """Delete every cached commit of a model and return the bytes freed; raises NotCached.

    A pinned version downloads the same commit again at its next load.
    """
    found = [entry for entry in _scan() if entry.repo_type == "model" and entry.repo_id == repo]
    if not found:
        raise NotCached(f"`{repo}` is not in the cache at {constants.HF_HUB_CACHE}.")
    commits = [revision.commit_hash for entry in found for revision in entry.revisions]
    # Over this model alone: a copy of it under another name may have the same commits.
    size = sum(entry.size_on_disk for entry in found)
    plan = huggingface_hub.HFCacheInfo(size, frozenset(found), frozenset(), []).delete_revisions(*commits)
    plan.execute()
    return plan.expected_freed_size


def _scan() -> frozenset[huggingface_hub.CachedRepoInfo]:
    try:
        return huggingface_hub.scan_cache_dir(constants.HF_HUB_CACHE).repos
    except huggingface_hub.CacheNotFound:
        return frozenset()
