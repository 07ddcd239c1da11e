"""The cache on disk: what checkpoints use, and deleting them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub

from hfreg.errors import NotCached
from hfreg.hub import cache
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher

HubOf = Callable[..., Hub]


def test_the_cache_says_what_it_uses_and_gives_it_back(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    assert cache.cached() == []
    first = loopback_hub.add_repo("org/model", plain_repo(size=50_000, seed=1))
    second = loopback_hub.push("org/model", plain_repo(size=50_000, seed=2))
    other = loopback_hub.add_repo("org/small", plain_repo())
    for repo, commit in (("org/model", first), ("org/model", second), ("org/small", other)):
        fetcher.fetch(repo, commit)
    large, small = cache.cached()
    assert (large.repo, set(large.revisions), small.repo) == ("org/model", {first, second}, "org/small")
    assert large.bytes > 100_000
    assert cache.delete("org/model") == large.bytes
    assert [repo.repo for repo in cache.cached()] == ["org/small"]
    with pytest.raises(NotCached, match="`org/model` is not in the cache"):
        cache.delete("org/model")
    assert (fetcher.fetch("org/model", first) / "config.json").is_file()


def test_deleting_a_model_leaves_a_copy_of_it_with_the_same_commit(hub_cache: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    for repo in ("acme/one", "acme/two"):
        folder = hub_cache / f"models--{repo.replace('/', '--')}"
        (folder / "blobs").mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(commit)
        (folder / "blobs" / "weights").write_bytes(b"x" * 1000)
        (folder / "snapshots" / commit).mkdir(parents=True)
        (folder / "snapshots" / commit / "model.safetensors").symlink_to(folder / "blobs" / "weights")
    assert cache.delete("acme/one") == 1000
    assert [one.repo for one in cache.cached()] == ["acme/two"]
    assert cache.delete("acme/two") == 1000
