"""Hub: what it asks, what it answers, and how it tells failures apart."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_files import plain_repo
from huggingface_hub import constants
from loopback_hub import LoopbackHub

from hfreg.errors import (
    GatedRepo,
    HubError,
    HubUnreachable,
    NotCached,
    RepoNotFound,
    RevisionNotFound,
    TokenRejected,
)
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher
from hfreg.hub.search import Query, search
from hfreg.hub.translate import translate

HubOf = Callable[..., Hub]
SECRET = "hf_" + "s3cr3t" * 5


def test_401_403_and_404_are_told_apart(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    commit = loopback_hub.add_repo("org/gated", plain_repo(), gated=True)
    loopback_hub.add_repo("org/private", plain_repo(), private=True)
    stranger = loopback_hub.add_token(SECRET)

    with pytest.raises(TokenRejected, match=r"does not accept the token hf_…rong .*wrong, expired or revoked"):
        hub_of(token="hf_0123456789wrong").commit("org/private")
    with pytest.raises(GatedRepo, match=r"`org/gated` is gated, and the account of this token .* has no access"):
        Fetcher(hub_of(token=stranger)).fetch("org/gated", commit)
    with pytest.raises(GatedRepo, match=r"Accept its terms at http.*/org/gated and save a token"):
        Fetcher(hub_of()).fetch("org/gated", commit)
    with pytest.raises(RepoNotFound, match="missing or private to this token"):
        hub_of(token=stranger).commit("org/private")
    with pytest.raises(RepoNotFound, match="missing or private: the Hub tells an anonymous caller no more"):
        hub_of().commit("org/private")
    with pytest.raises(RepoNotFound, match="missing or private to this token"):
        hub_of(token=stranger).commit("org/nowhere")
    with pytest.raises(RevisionNotFound, match="`org/private` has no revision `v9`"):
        hub_of(token=loopback_hub.add_token("hf_owner_of_it", repos=("org/private",))).commit("org/private", "v9")


def test_a_token_opens_what_it_may_read(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    private = loopback_hub.add_repo("org/private", plain_repo(), private=True)
    gated = loopback_hub.add_repo("org/gated", plain_repo(), gated=True)
    hub = hub_of(token=loopback_hub.add_token(SECRET, repos=("org/private", "org/gated")))
    assert hub.commit("org/private") == private
    assert (Fetcher(hub).fetch("org/gated", gated) / "config.json").is_file()


def test_a_full_commit_needs_no_request(loopback_hub: LoopbackHub, hub: Hub) -> None:
    assert hub.commit("org/model", "a" * 40) == "a" * 40
    assert loopback_hub.requests == []


def test_info_names_files_with_sizes_and_what_the_card_says(loopback_hub: LoopbackHub, hub: Hub) -> None:
    about = {"pipeline_tag": "text-classification", "cardData": {"license": "mit"}, "safetensors": {"total": 7}}
    commit = loopback_hub.add_repo("org/model", plain_repo(), **about)
    loopback_hub.push("org/model", plain_repo(seed=2), branch="refs/pr/1")
    info = hub.info("org/model", "main")
    assert (info.commit, info.task, info.licence, info.parameters) == (commit, "text-classification", "mit", 7)
    assert {file.name: file.size for file in info.files} == {name: len(data) for name, data in plain_repo().items()}
    assert all(len(file.sha256) == 64 for file in info.files if file.name.endswith(".safetensors"))
    assert hub.info("org/model", "refs/pr/1").commit != commit


def test_search_finds_by_name_and_hides_private_ones(loopback_hub: LoopbackHub, hub: Hub) -> None:
    for name in ("org/roberta-one", "org/roberta-two", "org/other"):
        loopback_hub.add_repo(name, plain_repo())
    loopback_hub.add_repo("org/roberta-private", plain_repo(), private=True)
    assert [repo.id for repo in search(hub, Query("RoBERTa")).repos] == ["org/roberta-one", "org/roberta-two"]
    assert len(search(hub, Query("roberta", limit=1)).repos) == 1


@pytest.mark.parametrize("repo", ["a/b/c", "no spaces here", "../up", "", "x" * 200, "org/--"])
def test_a_text_that_is_no_repo_id_is_refused_without_a_request(loopback_hub: LoopbackHub, hub: Hub, repo: str) -> None:
    with pytest.raises(RepoNotFound, match="is no repo id of the Hub"):
        hub.commit(repo)
    assert loopback_hub.requests == []


def test_test_connection_says_who_the_token_is(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    read = hub_of(token=loopback_hub.add_token("hf_aaaaaaaaaaaaread", role="read")).test_connection()
    assert (read.ok, read.user, read.token_kind, read.rights) == (True, "ada", "read", ("read",))
    assert read.latency_ms and 0 < read.latency_ms < 3000 and "hf_…read" in read.message
    write = hub_of(token=loopback_hub.add_token("hf_aaaaaaaaaaaawrit", role="write")).test_connection()
    assert write.token_kind == "write" and "a read token" in write.message
    fine = hub_of(token=loopback_hub.add_token("hf_aaaaaaaaaaaafine", role="fineGrained")).test_connection()
    assert fine.token_kind == "fine-grained"
    assert fine.rights == ("repo.content.read on ada", "read gated repositories")


def test_test_connection_tells_what_is_wrong(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    without = hub_of().test_connection()
    assert without.ok and without.token_kind == "none" and "No token is set: public models work" in without.message
    rejected = hub_of(token="hf_0123456789wrong").test_connection()
    assert (rejected.ok, rejected.problem) == (False, "rejected") and "wrong, expired or revoked" in rejected.message
    before = len(loopback_hub.requests)
    wrong_form = hub_of(token="hf_two words").test_connection()
    assert wrong_form.problem == "wrong form" and "space or line break" in wrong_form.message
    offline = hub_of(offline=True).test_connection()
    assert offline.problem == "offline" and "HF_HUB_OFFLINE" in offline.message
    assert len(loopback_hub.requests) == before
    loopback_hub.fail_with = 503
    assert "HTTP 503" in hub_of().test_connection().message
    loopback_hub.stop()
    gone = hub_of().test_connection()
    assert (gone.ok, gone.problem) == (False, "unreachable") and "cannot be reached" in gone.message


def test_a_proxy_that_refuses_is_named(
    loopback_hub: LoopbackHub, hub_of: HubOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A plain-HTTP proxy answers for the Hub; only an https endpoint needs its CONNECT, which this one refuses.
    monkeypatch.setenv("HTTPS_PROXY", loopback_hub.url)
    hub = hub_of(endpoint="https://hub.invalid")
    found = hub.test_connection()
    assert found.problem == "unreachable" and "proxy" in found.message and "HTTPS_PROXY" in found.message
    with pytest.raises(HubUnreachable, match="refused, asked for `org/model`"):
        hub.commit("org/model")


def test_an_endpoint_that_is_no_hub_is_named(hub_of: HubOf, loopback_hub: LoopbackHub) -> None:
    page = hub_of(endpoint=f"{loopback_hub.url}/org/page/resolve/main/login.html?")
    loopback_hub.add_repo("org/page", {"login.html": b"<html>Sign in</html>"})
    found = page.test_connection()
    assert found.problem == "unreachable" and "is not a Hub" in found.message and "HF_ENDPOINT" in found.message


def test_a_silent_address_is_given_up_within_seconds(hub_of: HubOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hfreg.hub.client.READ_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        began = time.monotonic()
        with pytest.raises(HubUnreachable, match="did not answer in time, asked for `org/model`"):
            hub_of(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}").commit("org/model")
    assert time.monotonic() - began < 3


def test_a_hub_that_cannot_be_asked_is_told_with_the_repository(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    def said(hub: Hub) -> str:
        with pytest.raises(HubUnreachable) as caught:
            hub.commit("org/model")
        assert "`org/model`" in str(caught.value), caught.value
        return str(caught.value)

    for status in (429, 503):
        loopback_hub.fail_with = status
        assert str(status) in said(hub_of())
    loopback_hub.fail_with = None
    loopback_hub.add_repo("org/page", {"login.html": b"<html>Sign in</html>"})
    assert "is not a Hub" in said(hub_of(endpoint=f"{loopback_hub.url}/org/page/resolve/main/login.html?"))
    loopback_hub.stop()
    assert "cannot be reached" in said(hub_of())


def test_offline_sends_nothing_and_says_why(
    loopback_hub: LoopbackHub, hub_of: HubOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    with pytest.raises(NotCached, match="`org/model` is not on this disk, and HF_HUB_OFFLINE"):
        hub_of(offline=True).commit("org/model")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotCached, match="HF_HUB_OFFLINE"):
        hub_of().commit("org/model")
    assert loopback_hub.requests == []


def test_without_a_token_of_ours_no_token_of_the_environment_is_sent(
    loopback_hub: LoopbackHub, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_belongs_to_someone")
    commit = loopback_hub.add_repo("org/model", plain_repo())
    Fetcher(hub).fetch("org/model", hub.commit("org/model"))
    assert commit and len(loopback_hub.headers) > 3
    assert not any("authorization" in headers for headers in loopback_hub.headers)


def test_no_message_repr_or_log_holds_the_token(
    loopback_hub: LoopbackHub, hub_of: HubOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    commit = loopback_hub.add_repo("org/gated", plain_repo(), gated=True)
    texts: list[str] = []
    for accepted in (False, True):
        if accepted:
            loopback_hub.add_token(SECRET)
        hub = hub_of(token=SECRET)
        texts += [repr(hub), repr(hub.test_connection()), repr(hub.settings), repr(hub.token())]
        with pytest.raises(HubError) as missing:
            hub.commit("org/nowhere")
        with pytest.raises(HubError) as gated:
            Fetcher(hub).fetch("org/gated", commit)
        for error in (missing.value, gated.value):
            texts += [str(error), repr(error), repr(error.__cause__)]
    assert any(SECRET in headers.get("authorization", "") for headers in loopback_hub.headers)
    assert SECRET not in "\n".join(texts) + caplog.text


def test_a_hub_error_is_found_inside_what_transformers_wraps_around_it(
    loopback_hub: LoopbackHub, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    try:
        try:
            HfApi(endpoint=loopback_hub.url, token=False).model_info("org/nowhere")
        except Exception as inner:
            raise OSError("org/nowhere is not a local folder and is not a valid model identifier") from inner
    except OSError as wrapped:
        told = translate(wrapped, "org/nowhere")
    assert isinstance(told, RepoNotFound)
    assert translate(ValueError("something else")) is None
