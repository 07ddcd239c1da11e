"""PinnedResolver: pins that hold, offline use, starters, folders, pinning at save time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hub_files import plain_repo, safetensors
from huggingface_hub import snapshot_download
from loopback_hub import LoopbackHub

from hfreg.errors import HubUnreachable, LifecycleError, NotCached, UnsafeRepo
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher
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


def test_offline_serves_from_the_cache_and_names_what_is_missing(
    loopback_hub: LoopbackHub, hub_of: HubOf, fetcher: Fetcher
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    folder = resolver(fetcher).resolve("org/model")
    loopback_hub.forget_requests()
    away = Fetcher(hub_of(offline=True))
    assert resolver(away).resolve("org/model") == folder  # the branch is remembered, too
    with pytest.raises(NotCached, match=r"`org/other` .*not on this disk"):
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


def test_a_pin_that_is_refused_is_never_used(loopback_hub: LoopbackHub, fetcher: Fetcher, starters: Path) -> None:
    loopback_hub.add_repo("org/model", plain_repo())

    def refuse(made: Pin) -> None:
        raise LifecycleError(f"`{made.repo}` is not pinned by an approved version.")

    one = resolver(fetcher, starters=starters, on_pin=refuse)
    for repo in ("org/model", "hfreg/starter-sentiment") * 2:
        with pytest.raises(LifecycleError, match=f"`{repo}` is not pinned"):
            one.resolve(repo)
    assert one.pins == {}


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
    assert one.pins == {"org/model": commit}


def test_saving_pins_what_it_can_and_says_a_sentence_for_the_rest(
    loopback_hub: LoopbackHub, fetcher: Fetcher, starters: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    loopback_hub.add_repo("org/secret", plain_repo(), private=True)
    wanted = [Wanted("org/model"), Wanted("org/model"), Wanted("org/secret"), Wanted("hfreg/starter-sentiment"),
              Wanted("org/model", commit), Wanted("org/known")]  # fmt: skip
    made, reasons, sources = resolve_literals(wanted, fetcher, starters, [pin("org/known", "b" * 40)])
    assert [(new.repo, new.commit[:7]) for new in made] == [
        ("org/model", commit[:7]), ("hfreg/starter-sentiment", "sha256:")]  # fmt: skip
    assert len(reasons) == 1 and "`org/secret` is not pinned yet" in reasons[0] and "missing or private" in reasons[0]
    assert [(one.repo, one.said_by) for one in sources] == [("org/model", "hub"), ("hfreg/starter-sentiment", "hfreg")]
    assert len(loopback_hub.requests) == 2


def test_saving_without_a_network_gives_up_after_the_first(
    hub_of: HubOf, starters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hfreg.hub.client.READ_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        away = Fetcher(hub_of(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"))
        began = time.monotonic()
        made, reasons, sources = resolve_literals([Wanted(f"org/m{number}") for number in range(20)], away, starters)
    assert made == sources == () and len(reasons) == 20 and "did not answer in time" in reasons[19]
    assert time.monotonic() - began < 2
