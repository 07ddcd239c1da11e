"""Fetcher, PinnedResolver and the cache: one commit on this disk, whatever happens around it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huggingface_hub import constants, snapshot_download
from loopback_hub import LoopbackHub, plain_repo, safetensors
from tiny_checkpoints import TinyCheckpoints

from hfreg.errors import HubUnreachable, LifecycleError, NotCached, ScoringCancelled, UnsafeRepo
from hfreg.hub import cache
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher, Progress
from hfreg.hub.provenance import PinnedResolver, resolve_literals, seal
from hfreg.version import Pin

HubOf = Callable[..., Hub]


@dataclass(frozen=True)
class Wanted:
    repo: str
    revision: str | None = None
    line: int = 1


def resolver(fetcher: Fetcher, *pins: Pin, **more: object) -> PinnedResolver:
    given = {"starters": Path("/nowhere"), **more}
    return PinnedResolver(fetcher, pins, **given)  # type: ignore[arg-type]


def pin(repo: str, commit: str, revision: str | None = None) -> Pin:
    return Pin(repo=repo, revision=revision, commit=commit, at=datetime.now(UTC))


@pytest.fixture
def starters(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "starter" / "sentiment"
    folder.mkdir(parents=True)
    for name, data in plain_repo().items():
        (folder / name).write_bytes(data)
    yield folder.parent


def test_fetch_brings_the_allowed_files_and_no_code(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    more = {"1_Pooling/config.json": b"{}", "pytorch_model.bin": b"x", ".gitattributes": b"", "onnx/model.onnx": b""}
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
    for name in ("config.json", "tokenizer.json", "model.safetensors", "README.md"):
        assert len(loopback_hub.downloads(name)) == 1


def test_progress_ends_at_the_true_total_and_never_goes_back(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=100_000))
    loopback_hub.bytes_per_s = 400_000
    seen: list[tuple[Progress, int]] = []
    fetcher.fetch("org/model", commit, lambda progress: seen.append((progress, threading.get_ident())))
    total = sum(len(data) for name, data in plain_repo(size=100_000).items() if not name.endswith(".py"))
    assert seen[-1][0] == Progress("org/model", "model.safetensors", total, total)
    assert [progress.done for progress, _ in seen] == sorted(progress.done for progress, _ in seen)
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


def test_a_download_that_failed_goes_on_with_the_files_that_are_missing(
    loopback_hub: LoopbackHub, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=2_000_000))
    loopback_hub.bytes_per_s = 1_000_000
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    with pytest.raises(ScoringCancelled):
        fetcher.fetch("org/model", commit, cancel=stop)
    loopback_hub.bytes_per_s = None
    loopback_hub.forget_requests()
    folder = fetcher.fetch("org/model", commit)
    assert (folder / "model.safetensors").read_bytes() == safetensors(2_000_000)
    assert loopback_hub.downloads("config.json") == [] and loopback_hub.downloads("tokenizer.json") == []


def test_cancel_returns_at_once_and_leaves_other_callers_their_download(
    loopback_hub: LoopbackHub, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo(size=500_000))
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
        assert time.monotonic() - began < 0.5
        assert (other.result() / "model.safetensors").read_bytes() == safetensors(500_000)
    assert len(loopback_hub.downloads("model.safetensors")) == 1


def test_offline_serves_from_the_cache_and_names_what_is_missing(
    loopback_hub: LoopbackHub, hub_of: HubOf, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    folder = resolver(fetcher).resolve("org/model")
    loopback_hub.forget_requests()
    away = Fetcher(hub_of(offline=True))
    assert resolver(away).resolve("org/model") == folder  # the branch is remembered, too
    with pytest.raises(NotCached, match="`org/other` .*not on this disk"):
        away.fetch("org/other", commit)
    assert loopback_hub.requests == []


def test_offline_uses_a_whole_snapshot_that_another_program_left(
    loopback_hub: LoopbackHub, hub_of: HubOf, hub_cache: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    snapshot_download("org/model", endpoint=loopback_hub.url, allow_patterns=["*.json", "*.safetensors"])
    away = Fetcher(hub_of(offline=True))
    assert resolver(away).resolve("org/model").name == commit
    (hub_cache / "models--org--model" / "snapshots" / commit / "config.json").unlink()
    with pytest.raises(NotCached):
        away.fetch("org/model", commit)


def test_a_hub_that_is_gone_is_told_within_seconds(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    loopback_hub.stop()
    began = time.monotonic()
    with pytest.raises(HubUnreachable, match="cannot be reached"):
        resolver(fetcher).resolve("org/model")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pytorch_model.bin": b"x", "config.json": b"{}"}, r"only as \.bin, not as safetensors; pickle files can run"),
        ({"tf_model.h5": b"x", "config.json": b"{}"}, r"only as \.h5"),
        (plain_repo(config__json=b"") | {"config.json": b'{"auto_map": {"AutoModel": "m.M"}}'}, "`auto_map`"),
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


def test_a_first_load_pins_and_a_moved_branch_changes_nothing(loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    first = loopback_hub.add_repo("org/model", plain_repo(seed=1))
    made: list[Pin] = []
    one = resolver(fetcher, on_pin=made.append)
    folder = one.resolve("org/model")
    assert [(new.repo, new.revision, new.commit) for new in made] == [("org/model", None, first)]
    assert one.pins == {"org/model": first}
    loopback_hub.push("org/model", plain_repo(seed=2))
    loopback_hub.forget_requests()
    assert one.resolve("org/model") == folder
    again = resolver(fetcher, *made, on_pin=made.append)
    assert again.resolve("org/model") == folder
    assert len(made) == 1 and loopback_hub.requests == []


def test_a_pinned_commit_that_is_not_cached_is_fetched_after_the_branch_moved(
    loopback_hub: LoopbackHub, fetcher: Fetcher
) -> None:
    first = loopback_hub.add_repo("org/model", plain_repo(seed=1))
    loopback_hub.push("org/model", plain_repo(seed=2))
    folder = resolver(fetcher, pin("org/model", first), frozen=True).resolve("org/model")
    assert (folder / "model.safetensors").read_bytes() == safetensors(seed=1)


def test_an_approved_version_makes_no_new_pin(loopback_hub: LoopbackHub, fetcher: Fetcher, starters: Path) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    frozen = resolver(fetcher, frozen=True, starters=starters, on_pin=lambda _: pytest.fail("made a pin"))
    for repo in ("org/model", "hfreg/starter-sentiment"):
        with pytest.raises(LifecycleError, match=f"`{repo}` was not pinned when this version was approved"):
            frozen.resolve(repo)
    assert loopback_hub.requests == []
    assert frozen.resolve("org/model", commit).name == commit  # the code itself names it


def test_a_starter_is_pinned_by_its_contents(fetcher: Fetcher, loopback_hub: LoopbackHub, starters: Path) -> None:
    made: list[Pin] = []
    folder = resolver(fetcher, starters=starters, on_pin=made.append).resolve("hfreg/starter-sentiment")
    assert folder == starters / "sentiment" and made[0].commit == seal(folder) and made[0].commit.startswith("sha256:")
    (folder / "README.md").write_text("a better model card", encoding="utf-8")
    assert resolver(fetcher, *made, starters=starters, frozen=True).resolve("hfreg/starter-sentiment") == folder
    (folder / "model.safetensors").write_bytes(safetensors(seed=9))
    with pytest.raises(UnsafeRepo, match="not those that this version pinned"):
        resolver(fetcher, *made, starters=starters).resolve("hfreg/starter-sentiment")
    with pytest.raises(NotCached, match="There is: hfreg/starter-sentiment"):
        resolver(fetcher, starters=starters).resolve("hfreg/starter-../../etc")
    assert loopback_hub.requests == []


def test_a_folder_of_the_user_is_taken_only_where_it_is_written_as_a_path(
    loopback_hub: LoopbackHub, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    (tmp_path / "org" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    one = resolver(fetcher)
    assert one.resolve("org/model").name == commit
    assert one.resolve("./org/model") == Path("./org/model")
    assert one.resolve(str(tmp_path)) == tmp_path
    assert len(one.notes) == 2 and "not pinned" in one.notes[0]


def test_saving_pins_what_it_can_and_says_a_sentence_for_the_rest(
    loopback_hub: LoopbackHub, hub: Hub, starters: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    loopback_hub.add_repo("org/secret", plain_repo(), private=True)
    wanted = [Wanted("org/model"), Wanted("org/model"), Wanted("org/secret"), Wanted("hfreg/starter-sentiment"),
              Wanted("org/model", commit), Wanted("org/known")]  # fmt: skip
    made, reasons = resolve_literals(wanted, hub, starters, [pin("org/known", "b" * 40)])
    assert [(new.repo, new.commit[:7]) for new in made] == [
        ("org/model", commit[:7]), ("hfreg/starter-sentiment", "sha256:")]  # fmt: skip
    assert len(reasons) == 1 and "`org/secret` is not pinned yet" in reasons[0] and "missing or private" in reasons[0]
    assert len(loopback_hub.requests) == 2


def test_saving_without_a_network_gives_up_after_the_first(loopback_hub: LoopbackHub, hub: Hub, starters: Path) -> None:
    loopback_hub.stop()
    began = time.monotonic()
    made, reasons = resolve_literals([Wanted(f"org/m{number}") for number in range(20)], hub, starters)
    assert made == [] and len(reasons) == 20 and "cannot be reached" in reasons[19]
    assert time.monotonic() - began < 5


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
