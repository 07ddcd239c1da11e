"""Looking at a repository before it is used, and searching: what is told, what is asked, what is refused."""

from __future__ import annotations

import json

import pytest
from hub_files import plain_repo, safetensors
from hub_fixtures import HubOf
from loopback_hub import LoopbackHub

from hfreg.errors import HubError, NotCached, RepoNotFound, UnsafeRepo
from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher
from hfreg.hub.look import Look, details, look
from hfreg.hub.repo import Repo, Security
from hfreg.hub.search import Query, search
from hfreg.scoring.architectures import model_types

CARD = """---
license: llama3
license_link: LICENSE
pipeline_tag: text-classification
base_model: org/base
---
# Rater

Rates short texts of customers as kind or unkind, in English.
"""


def repo(card: str = CARD, **files: object) -> dict[str, bytes]:
    made = plain_repo() | {"README.md": card.encode(), "config.json": b'{"model_type": "bert", "n_positions": 64}'}
    made["tokenizer_config.json"] = b'{"model_max_length": 48}'
    return made | {name: json.dumps(data).encode() for name, data in files.items()}


def looked(server: LoopbackHub, hub: Hub, files: dict[str, bytes], **about: object) -> Look:
    server.add_repo("org/model", files, **about)
    return look(hub, "org/model", model_types())


def test_the_first_look_asks_three_times_and_names_what_governance_needs(loopback_hub: LoopbackHub, hub: Hub) -> None:
    commit = loopback_hub.add_repo("org/model", repo(), downloads=7)
    found = look(hub, f"{loopback_hub.url}/org/model?library=transformers", model_types())
    assert sorted(path for _, path in loopback_hub.requests) == [
        "/api/models/org/model",
        f"/org/model/resolve/{commit}/README.md",
        f"/org/model/resolve/{commit}/config.json",
    ]
    info = found.repo
    assert (info.commit, info.licences, info.licence_link, info.task) == (
        commit,
        ("llama3",),
        "LICENSE",
        "text-classification",
    )
    assert (info.dtypes, info.parameters, info.updated is not None) == ((("U8", 1000),), 1000, True)
    assert (found.formats, found.weight_bytes, found.positions) == (("safetensors",), len(safetensors()), 64)
    assert (found.problems, found.online, found.readme) == ((), True, CARD)


def test_the_details_follow_with_bases_scan_access_and_the_tokenizer(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    loopback_hub.add_repo("org/base", repo("---\nlicense: [mit, gemma]\nbase_model: [org/gone, org/model]\n---\n"))
    hub = hub_of()
    found = details(
        hub, looked(loopback_hub, hub, repo(), securityRepoStatus={"scansDone": True, "filesWithIssues": []})
    )
    assert [(b.id, b.depth, b.licences) for b in found.bases] == [
        ("org/base", 1, ("mit", "gemma")),
        ("org/gone", 2, ()),
    ]
    assert "missing or private" in found.bases[1].problem
    assert found.security == Security("no issues found")
    assert found.access is not None
    assert (found.access.verdict, found.longest, found.problems) == ("readable", 48, ())


@pytest.mark.parametrize(
    ("status", "scan"),
    [
        (None, "unknown"),
        ({"scansDone": False, "filesWithIssues": []}, "not finished"),
        ({"scansDone": True, "filesWithIssues": [{"path": "a.bin", "level": "unsafe"}]}, "issues found"),
        ({"scansDone": True}, "not finished"),
        ([], "unknown"),
    ],
)
def test_an_absent_or_odd_scan_is_never_called_safe(
    loopback_hub: LoopbackHub, hub: Hub, status: object, scan: str
) -> None:
    given = {} if status is None else {"securityRepoStatus": status}
    assert details(hub, looked(loopback_hub, hub, repo(), **given)).security.scan == scan


BAD = {
    "only pickles": ({"config.json": b"{}", "pytorch_model.bin": b"x"}, "not as safetensors"),
    "remote code": (repo(**{"config.json": {"auto_map": {"AutoModel": "x.Y"}}}), "run code from the repository"),
    "an unknown architecture": (repo(**{"config.json": {"model_type": "warp9"}}), "architecture `warp9`"),
    "no weights": ({"config.json": b"{}"}, "no weights"),
    "no JSON": (repo() | {"config.json": b"{"}, "is no JSON"),
    "too long": (repo() | {"config.json": b" " * 5_000_001}, "over 5 MB"),
}


@pytest.mark.parametrize(("files", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_loaded_is_told_in_the_first_look(
    loopback_hub: LoopbackHub, hub: Hub, files: dict[str, bytes], said: str
) -> None:
    assert said in " ".join(looked(loopback_hub, hub, files).problems)


@pytest.mark.parametrize(
    ("name", "said"), [("config.json", "JSON over 5 MB"), ("tokenizer.json", "a vocabulary over 200 MB")]
)
def test_json_that_claims_a_gigabyte_is_told_and_neither_read_nor_fetched(
    loopback_hub: LoopbackHub, hub: Hub, name: str, said: str
) -> None:
    siblings = [{"rfilename": one, "size": 10**9 if one == name else 100} for one in plain_repo()]
    found = looked(loopback_hub, hub, repo(), siblings=siblings)
    assert said in " ".join(found.problems) and "1,000,000,000 bytes" in " ".join(found.problems)
    with pytest.raises(UnsafeRepo, match=said):
        Fetcher(hub).fetch("org/model", found.repo.commit)
    assert loopback_hub.downloads(name) == []


def test_shards_that_leave_the_folder_are_told_before_use(loopback_hub: LoopbackHub, hub: Hub) -> None:
    files = repo(**{"model.safetensors.index.json": {"weight_map": {"w": "../../model.safetensors"}}})
    (problem,) = details(hub, looked(loopback_hub, hub, files)).problems
    assert "names the shard `../../model.safetensors`" in problem


def test_a_file_that_grows_beyond_its_claim_is_not_read(loopback_hub: LoopbackHub, hub: Hub) -> None:
    commit = loopback_hub.add_repo("org/model", repo())
    with pytest.raises(UnsafeRepo, match="longer than 10 bytes"):
        hub.read("org/model", commit, "README.md", 10)


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "org/../x", "ørg/model", "a" * 300, "org/" + "b" * 300, "", "datasets/a/b", "a/b/c"]
)
def test_a_text_that_is_no_repo_id_is_refused_and_not_sent(loopback_hub: LoopbackHub, hub: Hub, text: str) -> None:
    with pytest.raises(RepoNotFound, match="owner/name"):
        look(hub, text)
    assert loopback_hub.requests == []


def test_a_token_in_the_field_is_neither_sent_nor_quoted(loopback_hub: LoopbackHub, hub: Hub) -> None:
    with pytest.raises(RepoNotFound, match="looks like a token") as refused:
        look(hub, "hf_" + "a1B2" * 8)
    assert ("a1B2" in str(refused.value), loopback_hub.requests) == (False, [])


def test_a_pasted_address_may_name_a_revision(loopback_hub: LoopbackHub, hub: Hub) -> None:
    loopback_hub.add_repo("org/model", repo())
    second = loopback_hub.push("org/model", repo("# new"), branch="v2")
    assert look(hub, "https://huggingface.co/org/model/tree/v2").repo.commit == second


def test_licences_are_read_from_a_word_a_list_or_nothing(loopback_hub: LoopbackHub, hub: Hub) -> None:
    for card, licences in (
        ("license: MIT", ("mit",)),
        ("license: [mit, 3]", ("mit",)),
        ("license: {a: b}", ()),
        ("a: 1", ()),
    ):
        assert looked(loopback_hub, hub, repo(f"---\n{card}\n---\n")).repo.licences == licences


def test_offline_the_cache_is_looked_at_and_it_is_said(loopback_hub: LoopbackHub, hub_of: HubOf) -> None:
    hub = hub_of()
    commit = loopback_hub.add_repo("org/model", repo())
    Fetcher(hub).fetch("org/model", commit)
    loopback_hub.forget_requests()
    offline = hub_of(offline=True)
    with pytest.raises(NotCached, match="not in the cache"):
        look(offline, "org/other")
    found = look(offline, f"https://huggingface.co/org/model/tree/{commit}", model_types())
    assert (found.repo.licences, found.online, found.problems) == (("llama3",), False, ())
    assert "HF_HUB_OFFLINE is set" in found.message
    assert (details(offline, found).longest, details(offline, found).security.scan) == (48, "unknown")
    listed = search(offline, Query("mod", task="text-classification"))
    assert ([r.id for r in listed.repos], listed.online) == (["org/model"], False)
    assert "what the cache on this disk holds" in listed.message
    assert loopback_hub.requests == []
    loopback_hub.stop()
    assert "cannot be reached" in search(hub, Query("model")).message


def test_search_narrows_by_task_library_licence_and_size_and_sorts(loopback_hub: LoopbackHub, hub: Hub) -> None:
    def add(name: str, licence: str, size: int, likes: int, downloads: int, **more: object) -> None:
        card = f"---\nlicense: {licence}\npipeline_tag: fill-mask\n---\n"
        files = repo(card) | {"model.safetensors": safetensors(size)}
        loopback_hub.add_repo(name, files, likes=likes, downloads=downloads, **more)

    add("org/small", "mit", 500, 1, 9)
    add("org/large", "mit", 5000, 9, 1)
    add("org/other", "gemma", 500, 5, 5, library_name="timm")

    def ids(**query: object) -> list[str]:
        return [found.id for found in search(hub, Query(**query)).repos]  # type: ignore[arg-type]

    assert ids(words="org") == ["org/small", "org/other", "org/large"]
    assert ids(sort="likes") == ["org/large", "org/other", "org/small"]
    assert ids(licence="mit", largest=1000) == ["org/small"]
    assert ids(library="timm", task="fill-mask") == ["org/other"]
    assert (ids(task="translation"), ids(smallest=1000), ids(limit=1)) == ([], ["org/large"], ["org/small"])
    found: Repo = search(hub, Query("small")).repos[0]
    assert (found.downloads, found.licence, found.parameters, found.gated) == (9, "mit", 500, False)


def test_search_sorts_by_either_date_and_says_where_it_stopped_looking(
    loopback_hub: LoopbackHub, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback_hub.add_repo("org/old", repo(), createdAt="2024-01-01T00:00:00Z", lastModified="2026-03-01T00:00:00Z")
    loopback_hub.add_repo("org/new", repo(), createdAt="2025-01-01T00:00:00Z", lastModified="2026-02-01T00:00:00Z")
    assert [one.id for one in search(hub, Query("org", sort="updated")).repos] == ["org/old", "org/new"]
    assert [one.id for one in search(hub, Query("org", sort="created")).repos] == ["org/new", "org/old"]
    assert search(hub, Query("org", largest=500)).message == ""
    monkeypatch.setattr("hfreg.hub.search.MOST", 2)
    found = search(hub, Query("org", largest=500))
    assert (found.repos, found.online) == ((), True) and "the first 2 that the Hub names" in found.message


def test_a_hub_that_answers_nonsense_is_named(loopback_hub: LoopbackHub, hub: Hub) -> None:
    loopback_hub.fail_with = 500
    assert "HTTP 500" in search(hub, Query("x")).message
    with pytest.raises(HubError, match="HTTP 500"):
        look(hub, "org/model")
