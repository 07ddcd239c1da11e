"""Upstream: what a registry tells of sources that moved on after a version was registered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract_samples import define
from hub_files import plain_repo, safetensors
from loopback_hub import LoopbackHub

import hfreg
from hfreg.hub.upstream import Upstream, kind_of
from hfreg.version import Pin, Source, SourceFile

CODE = 'from transformers import AutoConfig\nreturn AutoConfig.from_pretrained("org/model").vocab_size'
CARD = b"---\nlicense: apache-2.0\n---\n# A model\n"
FILES = {**plain_repo(), "README.md": CARD, "LICENSE": b"Apache", "plot.png": b"png"}


@pytest.fixture
def registry(home: Path, loopback_hub: LoopbackHub) -> hfreg.Registry:
    """A registry whose model `probe` names a repository of the loopback Hub."""
    loopback_hub.add_repo("org/model", FILES)
    registry = hfreg.open(home)
    registry.register(define(CODE))
    return registry


def asked(registry: hfreg.Registry) -> Upstream:
    """Return what is told of the one source of `probe`."""
    (found,) = registry.upstream("probe")
    return found


def kinds(found: Upstream) -> dict[str, tuple[str, ...]]:
    """Return the kinds of files in which there is a difference."""
    names = ("weights", "code", "card", "licence", "other", "unknown")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


def test_a_source_that_did_not_move_says_so_after_one_request(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.forget_requests()
    found = asked(registry)
    assert (found.moved, found.changed, found.error, kinds(found)) == (False, False, None, {})
    assert found.registered == found.newest == registry.get("probe").pins[0].commit
    assert str(found) == f"`org/model` did not change: `main` still is the registered commit {found.newest[:12]}."
    assert loopback_hub.requests == [("GET", "/api/models/org/model")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model.safetensors": safetensors(seed=2)}, {"weights": ("model.safetensors",)}),
        ({"README.md": CARD + b"More.\n"}, {"card": ("README.md",)}),
        ({"LICENSE": b"Other terms"}, {"licence": ("LICENSE",)}),
        ({"tokenizer.json": b"{}", "modeling_it.py": b""}, {"code": ("modeling_it.py", "tokenizer.json")}),
        ({"vocab.txt": b"new"}, {"code": ("vocab.txt",)}),
        ({"plot.png": None}, {"other": ("plot.png",)}),
        ({}, {}),
    ],
    ids=["weights", "card", "licence", "code", "added", "removed", "an empty commit"],
)
def test_each_kind_of_change_is_told_apart(
    registry: hfreg.Registry,
    loopback_hub: LoopbackHub,
    change: dict[str, bytes | None],
    expected: dict[str, tuple[str, ...]],
) -> None:
    files = {name: data for name, data in {**FILES, **change}.items() if data is not None}
    commit = loopback_hub.push("org/model", files)
    found = asked(registry)
    assert (found.newest, found.moved, found.changed, found.licences) == (commit, True, True, None)
    assert kinds(found) == expected
    assert all(name in str(found) for names in expected.values() for name in names)
    assert expected or str(found).endswith("Its files are the same.")


def test_another_licence_in_the_card_is_told_as_then_and_now(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.push("org/model", {**FILES, "README.md": b"---\nlicense: llama3\n---\n"})
    found = asked(registry)
    assert found.licences == (("apache-2.0",), ("llama3",)) and kinds(found) == {"card": ("README.md",)}
    assert "Different: card (README.md); licence (apache-2.0 → llama3)." in str(found)


def test_a_source_that_is_gone_and_one_that_is_not_are_both_answered(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.add_repo("org/other", FILES)
    registry.edit("probe", define(CODE + '\nAutoConfig.from_pretrained("org/other")'))
    del loopback_hub.repos["org/model"]
    gone, there = registry.upstream("probe")
    assert (gone.repo, gone.gone, gone.moved, gone.changed) == ("org/model", True, None, True)
    assert isinstance(gone.error, hfreg.errors.RepoNotFound)
    assert str(gone).startswith("`org/model` cannot be found any more. `org/model` is missing or private")
    assert (there.repo, there.moved, there.error) == ("org/other", False, None)


def test_a_branch_that_is_gone_is_gone_and_one_that_moves_is_followed(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.push("org/model", FILES, branch="v1")
    registry.register(define(CODE.replace('"org/model"', '"org/model", revision="v1"'), alias="branched"))
    commit = loopback_hub.push("org/model", {**FILES, "config.json": b"{}"}, branch="v1")
    (found,) = registry.upstream("branched")
    assert (found.branch, found.newest, kinds(found)) == ("v1", commit, {"code": ("config.json",)})
    del loopback_hub.repos["org/model"].branches["v1"]
    (found,) = registry.upstream("branched")
    assert found.gone and isinstance(found.error, hfreg.errors.RevisionNotFound)


def test_gated_or_private_now_is_told_even_at_the_same_commit(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    hosted = loopback_hub.repos["org/model"]
    hosted.gated = hosted.private = True
    registry.save_token(loopback_hub.add_token("hf_" + "a" * 34, repos=("org/model",)))
    found = asked(registry)
    assert (found.moved, found.gated, found.private, found.changed) == (False, True, True, True)
    assert str(found).endswith("It is gated and private now, which was not recorded then.")
    registry.remove_token()
    assert asked(registry).gone  # without access the Hub does not tell missing from private


def test_a_commit_that_the_code_writes_out_is_compared_with_main(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    first = loopback_hub.repos["org/model"].branches["main"]
    registry.register(define(CODE.replace('"org/model"', f'"org/model", revision="{first}"'), alias="written"))
    second = loopback_hub.push("org/model", {**FILES, "model.safetensors": safetensors(seed=2)})
    (found,) = registry.upstream("written")
    assert (found.branch, found.registered, found.newest) == ("main", first, second)
    assert kinds(found) == {"weights": ("model.safetensors",)}


def test_offline_and_a_hub_out_of_reach_are_answers_too(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback_hub.fail_with = 500
    assert isinstance(asked(registry).error, hfreg.errors.HubError)
    loopback_hub.fail_with = None
    loopback_hub.repos["org/model"].about["siblings"] = [{"rfilename": "model.safetensors", "lfs": "no mapping"}]
    assert "is not a Hub" in str(asked(registry))
    loopback_hub.forget_requests()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = asked(registry)
    assert (found.moved, found.changed, found.gone) == (None, False, False)
    assert "`org/model` cannot be compared. HF_HUB_OFFLINE is set" in str(found) and loopback_hub.requests == []


def test_what_was_not_recorded_is_called_not_compared(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    first, now = "a" * 40, datetime.now(UTC)
    registry.register(define(alias="late"))
    registry.definitions.add_pin("late", 1, Pin(repo="org/model", revision=None, commit=first, at=now))
    (found,) = registry.upstream("late")
    assert kinds(found) == {"unknown": tuple(sorted(FILES))} and found.licences is None
    fetched = (SourceFile(name="config.json", size=22, sha256="b" * 64),
               SourceFile(name="model.safetensors", size=9, sha256="c" * 64))  # fmt: skip
    registry.definitions.add_source(
        "late", 1, Source(repo="org/model", revision=None, commit=first, at=now, said_by="disk", files=fetched)
    )
    (found,) = registry.upstream("late")
    assert found.weights == ("model.safetensors",) and "config.json" in found.unknown and found.licences is None
    assert "Not compared, as no fitting hash was recorded: LICENSE, README.md, config.json and 3 more." in str(found)


def test_what_ships_with_the_product_has_no_upstream(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    registry.register(define(CODE.replace("org/model", "hfreg/starter-sentiment"), alias="shipped"))
    loopback_hub.forget_requests()
    assert registry.get("shipped").pins and registry.upstream("shipped") == () and loopback_hub.requests == []


def test_the_asked_version_is_the_one_that_is_compared(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    registry.submit("probe")
    registry.review("probe", "Accept")
    registry.clone("probe")
    loopback_hub.push("org/model", plain_repo(seed=3))
    registry.edit("probe", define(CODE.replace('"org/model"', '"org/model", revision="main"')))
    assert [one.moved for one in registry.upstream("probe", 1)] == [True]
    assert [(one.revision, one.moved) for one in registry.upstream("probe", 2)] == [(None, True), ("main", False)]
    with pytest.raises(hfreg.UnknownModel):
        registry.upstream("nobody")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("onnx/model.onnx", "weights"), ("model.safetensors.index.json", "weights"), ("pytorch_model.bin", "weights"),
        ("spiece.model", "code"), ("chat_template.jinja", "code"), ("LICENSE.md", "licence"),
        (".gitattributes", "other"),
    ],
)  # fmt: skip
def test_a_file_is_of_one_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind
