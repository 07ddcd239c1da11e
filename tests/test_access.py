"""Checking access to a repository, against a Hub on loopback: what is told apart, what is asked, what is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_fixtures import HubOf
from loopback_hub import LoopbackHub

from hfreg.hub.access import check_access, repo_id
from hfreg.hub.client import Hub, cache_root, remember_commit
from hfreg.settings import STARTERS, Settings, Token

TOKEN = "hf_canaryCanaryCANARYcanary0123456789"
FILES = {"config.json": b"{}", "model.safetensors": b"x" * 100}
HIDDEN = ("acme/gated", "acme/private", "acme/both")


@pytest.fixture
def commits(loopback_hub: LoopbackHub) -> dict[str, str]:
    """The commit of each repository that the Hub has."""
    loopback_hub.add_token(TOKEN, name="ada")
    loopback_hub.add_repo("ada/mine", FILES)
    made = {name: loopback_hub.add_repo(name, FILES) for name in ("acme/tiny",)}
    made["acme/gated"] = loopback_hub.add_repo("acme/gated", FILES, gated=True)
    made["acme/private"] = loopback_hub.add_repo("acme/private", FILES, private=True)
    made["acme/both"] = loopback_hub.add_repo("acme/both", FILES, private=True, gated=True)
    loopback_hub.forget_requests()
    return made


def test_a_public_repository_can_be_read_and_its_commit_and_latency_are_told(
    commits: dict[str, str], hub: Hub, loopback_hub: LoopbackHub
) -> None:
    found = check_access(hub, " acme/tiny ")
    assert (found.verdict, found.ok, found.commit) == ("readable", True, commits["acme/tiny"])
    assert found.latency_ms is not None
    assert 0 < found.latency_ms < 5_000
    assert found.message == "`acme/tiny` is public: it can be read without a token."
    file = f"/acme/tiny/resolve/{found.commit}/config.json"  # asked for as a load asks, and kept nowhere
    assert loopback_hub.requests == [("GET", "/api/models/acme/tiny"), ("HEAD", file), ("GET", file)]
    assert found.read == "config.json"
    assert not list(cache_root().rglob("config.json"))


@pytest.mark.parametrize("repo", HIDDEN)
def test_what_the_token_may_read_is_told_with_the_token_masked(
    commits: dict[str, str], hub_of: HubOf, loopback_hub: LoopbackHub, repo: str
) -> None:
    loopback_hub.tokens[TOKEN].repos.update(HIDDEN)
    found = check_access(hub_of(TOKEN), repo)
    assert (found.verdict, found.commit) == ("readable", commits[repo])
    assert (found.private, found.gated) == ("private" in repo or "both" in repo, "gated" in repo or "both" in repo)
    assert "and the token hf_…6789 (this test) can read it" in found.message
    assert TOKEN not in repr(found)


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_gated_repository_without_a_grant_says_where_to_ask(
    commits: dict[str, str], hub_of: HubOf, loopback_hub: LoopbackHub, token: str | None
) -> None:
    found = check_access(hub_of(token), "acme/gated")
    assert (found.verdict, found.gated, found.commit) == ("gated", True, commits["acme/gated"])
    assert found.ask_at == f"{loopback_hub.url}/acme/gated"
    assert found.ask_at in found.message
    assert found.latency_ms is not None


def test_a_private_repository_and_a_missing_one_look_the_same_and_so_it_says(
    commits: dict[str, str], hub_of: HubOf
) -> None:
    for repo in ("acme/private", "acme/nothing"):
        for token, said in ((None, "the Hub tells an anonymous caller no more"), (TOKEN, "to this token (this test)")):
            found = check_access(hub_of(token), repo)
            assert (found.verdict, found.commit) == ("missing or private", "")
            assert f"`{repo}` is missing or private" in found.message
            assert said in found.message
            assert found.latency_ms is not None


def test_what_is_missing_among_the_repositories_of_the_token_itself_is_missing(
    commits: dict[str, str], hub_of: HubOf, loopback_hub: LoopbackHub
) -> None:
    found = check_access(hub_of(TOKEN), "ada/mien")
    assert found.verdict == "missing"
    assert "There is no `ada/mien`: the token hf_…6789 is of ada and would see it" in found.message
    loopback_hub.tokens[TOKEN].role = "fineGrained"  # such a one need not see all that its account owns
    assert check_access(hub_of(TOKEN), "ada/mien").verdict == "missing or private"
    assert check_access(hub_of(TOKEN), "ada/mine").verdict == "readable"


def test_a_token_without_the_right_is_told_from_one_that_is_wrong(
    commits: dict[str, str], hub_of: HubOf, loopback_hub: LoopbackHub
) -> None:
    wrong = check_access(hub_of("hf_nobodyknowsthis00000000000wxyz"), "acme/tiny")
    assert wrong.verdict == "rejected"
    assert "does not accept the token hf_…wxyz" in wrong.message
    assert check_access(hub_of("hf_two words"), "acme/tiny").verdict == "rejected"
    loopback_hub.fail_with = 403
    found = check_access(hub_of(TOKEN), "acme/tiny")
    assert found.verdict == "no right"
    assert "The token hf_…6789 (this test) has no right to read `acme/tiny`" in found.message


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_in_trouble_is_unreachable_and_the_cache_is_looked_at(
    commits: dict[str, str], hub: Hub, loopback_hub: LoopbackHub, status: int
) -> None:
    loopback_hub.fail_with = status
    found = check_access(hub, "acme/tiny")
    assert (found.verdict, found.commit) == ("unreachable", "")
    remember_commit("acme/tiny", None, commits["acme/tiny"])
    found = check_access(hub, "acme/tiny")
    assert found.commit == commits["acme/tiny"]
    assert f"The cache on this disk remembers its commit {found.commit[:7]}." in found.message


def test_a_hub_that_is_gone_and_an_offline_one_are_told_apart(
    commits: dict[str, str], hub_of: HubOf, loopback_hub: LoopbackHub
) -> None:
    offline = check_access(hub_of(offline=True), "acme/tiny")
    assert (offline.verdict, offline.latency_ms) == ("offline", None)
    assert "HF_HUB_OFFLINE is set" in offline.message
    assert loopback_hub.requests == []
    loopback_hub.stop()
    gone = check_access(hub_of(), "acme/tiny")
    assert (gone.verdict, gone.latency_ms) == ("unreachable", None)
    assert "cannot be reached" in gone.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Enter a repo id"),
        ("a/b/c", "is no repo id of the Hub"),
        ("https://huggingface.co/datasets/acme/table", "one of the datasets of the Hub"),
        ("hfreg/starter-none", "is no checkpoint shipped with the product"),
        (TOKEN, "looks like a token, so nothing was sent"),
        (f"acme/{TOKEN}", "looks like a token, so nothing was sent"),
    ],
)
def test_what_is_no_model_of_the_hub_is_told_without_asking(
    hub: Hub, loopback_hub: LoopbackHub, text: str, said: str
) -> None:
    found = check_access(hub, text)
    assert found.verdict == "missing"
    assert said in found.message
    assert TOKEN not in repr(found)
    assert loopback_hub.requests == []


def test_a_checkpoint_that_is_shipped_needs_no_hub(tmp_path: Path) -> None:
    nobody = Hub(Settings(home=tmp_path, endpoint="http://127.0.0.1:9"), lambda: Token("x", "this test"))
    found = check_access(nobody, "hfreg/starter-sentiment", STARTERS)
    assert found.ok
    assert found.commit.startswith("sha256:")
    assert "needs no Hub and no token" in found.message


@pytest.mark.parametrize(
    ("text", "repo"),
    [
        ("acme/tiny", "acme/tiny"),
        ("gpt2", "gpt2"),
        (" `acme/tiny` ", "acme/tiny"),
        ("https://huggingface.co/acme/tiny", "acme/tiny"),
        ("https://huggingface.co/acme/tiny/blob/main/config.json", "acme/tiny"),
        ("https://hf.co/acme/tiny?library=transformers#usage", "acme/tiny"),
        ("huggingface.co/acme/tiny/", "acme/tiny"),
        ("http://127.0.0.1:9/acme/tiny/tree/main", "acme/tiny"),
        ("https://huggingface.co/spaces/acme/demo", "spaces/acme/demo"),
    ],
)
def test_the_address_of_a_page_counts_as_its_repo_id(text: str, repo: str) -> None:
    assert repo_id(text, "http://127.0.0.1:9") == repo


def test_without_a_configuration_the_smallest_file_is_tried_and_an_index_is_not_held_against_its_shards(
    loopback_hub: LoopbackHub, hub: Hub
) -> None:
    index = b'{"weight_map": {"a": "model-1.safetensors"}}'
    loopback_hub.add_repo("acme/bare", {"model.safetensors.index.json": index, "model-1.safetensors": b"x" * 9_000_000})
    found = check_access(hub, "acme/bare")
    assert (found.verdict, found.read) == ("readable", "model.safetensors.index.json")
