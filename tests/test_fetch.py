"""Fetcher: one commit on this disk, whatever happens around it; and what it refuses."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hub_files import plain_repo, safetensors
from huggingface_hub import constants, snapshot_download
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

from hfreg.errors import NotCached, ScoringCancelled, UnsafeRepo
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher, Progress

HubOf = Callable[..., Hub]


def test_fetch_brings_the_allowed_files_and_no_code(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    more = {
        "1_Pooling/config.json": b"{}",
        "tokenizer_it.py": b"",
        "vocab.pkl": b"",
        "pytorch_model.bin": b"x",
        ".gitattributes": b"",
        "onnx/model.onnx": b"",
    }
    commit = loopback_hub.add_repo("org/model", plain_repo() | more)
    folder = fetcher.fetch("org/model", commit)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"config.json", "tokenizer.json", "model.safetensors", "README.md", "1_Pooling/config.json"}
    assert folder.name == commit
    assert fetcher.record("org/model", commit)["model.safetensors"]["size"] == len(safetensors())
    assert len(fetcher.record("org/model", commit)["config.json"]["sha256"]) == 64


def test_a_fetched_checkpoint_loads_offline_from_its_folder(
    loopback_hub: LoopbackHub, fetcher: Fetcher, tiny_checkpoints: TinyCheckpoints
) -> None:
    from transformers import pipeline

    commit = loopback_hub.add_repo("org/sentiment", tiny_checkpoints.classifier)
    folder = fetcher.fetch("org/sentiment", commit)
    loopback_hub.stop()
    classify = pipeline("text-classification", model=str(folder))
    assert [answer["label"] for answer in classify(["I love this", "I hate this"])] == ["positive", "negative"]


def test_a_cached_commit_costs_no_request_even_for_a_new_process(
    loopback_hub: LoopbackHub, hub_of: HubOf, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    folder = fetcher.fetch("org/model", commit)
    loopback_hub.forget_requests()
    assert fetcher.fetch("org/model", commit) == folder
    assert Fetcher(hub_of()).fetch("org/model", commit) == folder
    assert loopback_hub.requests == []


def test_a_file_that_vanished_from_the_cache_is_fetched_again(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    folder = fetcher.fetch("org/model", commit)
    weights = folder / "model.safetensors"
    weights.resolve().unlink()
    weights.unlink()
    loopback_hub.forget_requests()
    assert (fetcher.fetch("org/model", commit) / "model.safetensors").read_bytes() == safetensors()
    assert len(loopback_hub.downloads("model.safetensors")) == 1 and loopback_hub.downloads("config.json") == []


def test_many_threads_download_each_file_once(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=200_000))
    loopback_hub.bytes_per_s = 1_000_000
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: fetcher.fetch("org/model", commit), range(8)))
    assert len(folders) == 1
    assert [path for _, path in loopback_hub.requests if path.startswith("/api/")] == [
        f"/api/models/org/model/revision/{commit}"
    ]
    for name in ("config.json", "tokenizer.json", "model.safetensors", "README.md"):
        assert len(loopback_hub.downloads(name)) == 1


def test_progress_ends_at_the_true_total_and_never_goes_back(
    loopback_hub: LoopbackHub, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    files = plain_repo(size=100_000) | {"tokenizer.json": b"x" * 50_000}
    commit = loopback_hub.add_repo("org/model", files)
    loopback_hub.bytes_per_s = 200_000
    seen: list[tuple[Progress, int]] = []
    fetcher.fetch("org/model", commit, lambda progress: seen.append((progress, threading.get_ident())))
    total = sum(len(data) for name, data in files.items() if not name.endswith(".py"))
    assert seen[-1][0] == Progress("org/model", "model.safetensors", total, total)
    assert [progress.done for progress, _ in seen] == sorted(progress.done for progress, _ in seen)
    assert len({progress.done for progress, _ in seen}) > 4
    assert {progress.total for progress, _ in seen} == {total}
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_a_dropped_connection_resumes_where_it_broke(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    piece = constants.DOWNLOAD_CHUNK_SIZE  # the client keeps whole pieces of 10 MB
    commit = loopback_hub.add_repo("org/model", plain_repo(size=piece + 2_000_000))
    loopback_hub.drop_after["model.safetensors"] = piece + 1_000_000
    folder = fetcher.fetch("org/model", commit)
    assert (folder / "model.safetensors").read_bytes() == safetensors(piece + 2_000_000)
    tries = [
        headers.get("range")
        for (method, path), headers in zip(loopback_hub.requests, loopback_hub.headers, strict=True)
        if method == "GET" and path.endswith("model.safetensors")
    ]
    assert tries == [None, f"bytes={piece}-"]


def test_a_stopped_download_ends_and_the_next_one_fetches_what_is_missing(
    loopback_hub: LoopbackHub, fetcher: Fetcher, hub_cache: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=600_000))
    loopback_hub.bytes_per_s = 1_000_000
    stop = threading.Event()

    def stop_at_the_weights(progress: Progress) -> None:
        if progress.file == "model.safetensors":
            stop.set()

    with pytest.raises(ScoringCancelled):
        fetcher.fetch("org/model", commit, stop_at_the_weights, stop)
    for thread in [thread for thread in threading.enumerate() if thread.name == "fetch org/model"]:
        thread.join(5)
    assert not [path for path in hub_cache.rglob("*") if path.is_file() and path.stat().st_size > 500_000]
    loopback_hub.bytes_per_s = None
    loopback_hub.forget_requests()
    folder = fetcher.fetch("org/model", commit)
    assert (folder / "model.safetensors").read_bytes() == safetensors(600_000)
    assert loopback_hub.downloads("config.json") == [] and loopback_hub.downloads("tokenizer.json") == []


def test_cancel_returns_at_once_and_leaves_other_callers_their_download(
    loopback_hub: LoopbackHub, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=800_000))
    loopback_hub.bytes_per_s = 500_000
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(fetcher.fetch, "org/model", commit)
        impatient = pool.submit(fetcher.fetch, "org/model", commit, None, stop)
        time.sleep(0.2)
        began = time.monotonic()
        stop.set()
        with pytest.raises(ScoringCancelled, match="org/model"):
            impatient.result()
        assert time.monotonic() - began < 1.0
        assert (other.result() / "model.safetensors").read_bytes() == safetensors(800_000)
    assert len(loopback_hub.downloads("model.safetensors")) == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pytorch_model.bin": b"x", "config.json": b"{}"}, r"only as \.bin, not as safetensors; pickle files can run"),
        ({"tf_model.h5": b"x", "config.json": b"{}"}, r"only as \.h5"),
        (plain_repo() | {"config.json": b'{"auto_map": {"AutoModel": "m.M"}}'}, "`auto_map`"),
        (plain_repo() | {"config.json": b'{"text_config": {"_attn_implementation_internal": "x/y"}}'}, "_internal`"),
        (plain_repo() | {"tokenizer_config.json": b'{"auto_map": {"AutoTokenizer": ["m.T", null]}}'}, "`auto_map`"),
        (plain_repo() | {"modules.json": b'[{"type": "os.path"}]'}, "none of sentence-transformers"),
        (plain_repo() | {"config.json": b"{no json"}, "is no JSON"),
        (plain_repo() | {"model.safetensors": b"\xff" * 100}, "impossible header"),
        (plain_repo() | {"model.safetensors": safetensors(1000)[:-10]}, "outside of the file"),
        (plain_repo() | {"config.json": b"[" + b"1," * 2_600_000 + b"1]"}, "over 5 MB"),
    ],
)
def test_what_the_platform_does_not_load_is_refused_with_the_reason(
    loopback_hub: LoopbackHub, fetcher: Fetcher, files: dict[str, bytes], reason: str
) -> None:
    commit = loopback_hub.add_repo("org/model", files)
    with pytest.raises(UnsafeRepo, match=reason):
        fetcher.fetch("org/model", commit)
    with pytest.raises(UnsafeRepo, match=reason):  # a second try finds it no safer
        fetcher.fetch("org/model", commit)


@pytest.mark.parametrize("shard", ["../../secret", "/etc/passwd", "sub/model.safetensors", "model-2.safetensors"])
def test_a_shard_outside_of_the_repository_is_refused(loopback_hub: LoopbackHub, fetcher: Fetcher, shard: str) -> None:
    index = json.dumps({"weight_map": {"w": shard}}).encode()
    commit = loopback_hub.add_repo("org/model", plain_repo() | {"model.safetensors.index.json": index})
    with pytest.raises(UnsafeRepo, match="not a file of the repository"):
        fetcher.fetch("org/model", commit)
    assert loopback_hub.downloads(".safetensors") == []


def test_harmless_words_in_vocabularies_and_empty_keys_are_no_reason_to_refuse(
    loopback_hub: LoopbackHub, fetcher: Fetcher
) -> None:
    files = plain_repo() | {
        "vocab.json": b'{"auto_map": 1}',
        "config.json": b'{"auto_map": {}, "trust_remote_code": false}',
        "model.safetensors.index.json": b'{"weight_map": {"w": "model.safetensors"}}',
    }
    assert fetcher.fetch("org/model", loopback_hub.add_repo("org/model", files)).is_dir()


def test_pickles_are_fetched_only_when_they_were_allowed(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    commit = loopback_hub.add_repo("org/old", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    assert (fetcher.fetch("org/old", commit, pickles=True) / "pytorch_model.bin").is_file()
    with pytest.raises(UnsafeRepo):
        fetcher.fetch("org/old", commit)


def test_a_file_that_is_not_what_the_hub_lists_is_refused(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    folder = Path(snapshot_download("org/model", endpoint=loopback_hub.url))
    forged = bytearray(safetensors())
    forged[-1] ^= 1
    (folder / "model.safetensors").resolve().write_bytes(forged)
    with pytest.raises(UnsafeRepo, match="its SHA-256 differs"):
        fetcher.fetch("org/model", commit)


@pytest.mark.parametrize("commit", ["main", "abc", "A" * 40, "../" + "a" * 37])
def test_only_a_full_commit_is_fetched(fetcher: Fetcher, commit: str) -> None:
    with pytest.raises(UnsafeRepo, match="full commit"):
        fetcher.fetch("org/model", commit)


def test_offline_half_a_download_is_not_taken_for_the_whole(
    loopback_hub: LoopbackHub, hub_of: HubOf, hub_cache: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    snapshot_download("org/model", endpoint=loopback_hub.url, allow_patterns=["*.json"])
    with pytest.raises(NotCached, match=r"`org/model` .*not on this disk"):
        Fetcher(hub_of(offline=True)).fetch("org/model", commit)
