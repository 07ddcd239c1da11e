"""Acceptance of the contract, section 3: versions and their states, review, catalog, export and import.

Written from the contract alone, as somebody outside would call it.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract_samples import TEXT, define

import hfreg

THRESHOLD = hfreg.Argument("threshold", "Numerical", optional=True, default="0.5", usage="Classification threshold")


def approve(registry: hfreg.Registry, alias: str = "probe") -> None:
    registry.submit(alias)
    registry.review(alias, "Accept", "bob", "Reads well.")


def test_the_newest_approved_version_answers_else_the_draft(registry: hfreg.Registry) -> None:
    registry.register(define("return 'one'"))
    model = registry.model("probe")
    assert model("a") == "one"
    approve(registry)
    second = registry.clone("probe")
    assert (second.number, second.state, second.definition) == (2, "Draft", define("return 'one'"))
    registry.edit("probe", define("return 'two'"), note="Two")
    assert model("a") == "one" and model.run("a").state == "Approved"
    assert registry.model("probe", version=2)("a") == "two"
    approve(registry)
    assert model("a") == "two" and model.run("a").version == 2
    assert registry.model("probe", version=1)("a") == "one"


def test_a_version_may_be_given_by_position_or_as_another_integer(registry: hfreg.Registry) -> None:
    registry.register(define())
    assert registry.model("probe", version=np.int64(1))("a") == "a"
    for unknown in (0, 2, -1, 10**9):
        with pytest.raises(LookupError, match="probe"):
            registry.model("probe", version=unknown)("a")


def test_draft_pending_and_approved_run_and_rejected_and_archived_refuse(registry: hfreg.Registry) -> None:
    registry.register(define())
    model = registry.model("probe", version=1)
    assert model.run("a").state == "Draft"
    registry.submit("probe")
    assert model.run("a").state == "Pending Approval"
    registry.review("probe", "Reject", "bob", "No.")
    assert registry.versions("probe")[-1].state == "Rejected"
    for refused in (model, lambda text: registry.model("probe")(text)):
        with pytest.raises(hfreg.HfregError, match="Rejected"):
            refused("a")
    registry.archive("probe")
    assert registry.versions("probe")[-1].state == "Archived"
    with pytest.raises(hfreg.NotApproved, match="Archived"):
        model("a")


def test_reviewing_knows_five_actions_and_writes_them_down(registry: hfreg.Registry) -> None:
    registry.register(define())
    registry.submit("probe")
    registry.review("probe", "Comment", "bob", "Interesting.")
    registry.review("probe", "Need Info", actor="bob", comment="Which data?")
    assert registry.versions("probe")[0].state == "Pending Approval"
    registry.review(alias="probe", action="Need Changes", actor="bob", comment="Describe it.")
    assert registry.versions("probe")[0].state == "Draft"
    registry.submit("probe")
    registry.review("probe", "Accept", "bob", "Fine.")
    assert registry.versions("probe")[0].state == "Approved"
    actions = [entry.action for entry in registry.history("probe")]
    assert {"Comment", "Need Info", "Need Changes", "Accept"} <= set(actions)
    told = repr(registry.history("probe"))
    assert "Which data?" in told and "bob" in told


def test_an_action_that_is_none_or_not_possible_is_a_value_error_with_the_way_out(registry: hfreg.Registry) -> None:
    registry.register(define())
    with pytest.raises(hfreg.HfregError, match="Submit"):
        registry.review("probe", "Accept", "bob", "Early.")
    registry.submit("probe")
    with pytest.raises(ValueError, match="Accept") as caught:
        registry.review("probe", "Applaud", "bob", "Well.")
    assert isinstance(caught.value, hfreg.HfregError)
    registry.review("probe", "Accept", "bob", "Fine.")
    with pytest.raises(hfreg.HfregError, match=r"[Cc]lone"):
        registry.edit("probe", define("return 'changed'"))
    assert registry.model("probe")("a") == "a"


def test_the_catalog_lists_the_newest_of_each_alias_and_searches(registry: hfreg.Registry) -> None:
    registry.register(define(alias="guard", name="Prompt Guard"))
    registry.register(define(alias="tone"))
    approve(registry, "guard")
    registry.clone("guard")
    assert sorted((v.alias, v.number, str(v.state)) for v in registry.catalog()) == [
        ("guard", 2, "Draft"), ("tone", 1, "Draft")]  # fmt: skip
    assert [version.alias for version in registry.catalog(query="PROMPT")] == ["guard"]
    assert [version.alias for version in registry.catalog(query="nothing like it")] == []
    assert sorted(version.alias for version in registry.catalog(state="Draft")) == ["guard", "tone"]
    assert registry.catalog(query="guard", state="Archived") == []
    assert isinstance(registry.catalog(query="", state=None), list)


def test_an_edit_is_a_new_snapshot_of_the_same_version(registry: hfreg.Registry) -> None:
    registry.register(define("return 'one'"))
    saved = registry.edit("probe", define("return 'two'"), note="Second thought")
    assert (saved.number, saved.state, saved.note) == (1, "Draft", "Second thought")
    assert registry.model("probe")("a") == "two"
    assert [version.number for version in registry.versions("probe")] == [1]
    assert any("Second thought" in repr(entry) for entry in registry.history("probe"))


def test_unknown_aliases_are_a_lookup_error_in_every_method(registry: hfreg.Registry) -> None:
    registry.register(define(alias="sentiment"))
    for call in (registry.model, registry.submit, registry.clone, registry.archive, registry.history, registry.versions,
                 registry.export, lambda alias: registry.edit(alias, define(alias=alias)),
                 lambda alias: registry.review(alias, "Comment", "bob", "?")):  # fmt: skip
        with pytest.raises(hfreg.UnknownModel, match="sentimnt") as caught:
            call("sentimnt")
        assert isinstance(caught.value, LookupError) and "sentiment" in str(caught.value), call


FULL = {
    "name": "Tone — “ü”", "group": "Support", "permissible_purpose": "Mail", "ownership_type": "Team", "notes": "n\n1",
    "model_type": "Text Classification", "arguments": [TEXT, THRESHOLD], "output_type": "Struct[a: String, b: Any]",
    "token": True, "network": True, "batching": False, "store_payloads": True, "limits": hfreg.Limits(time_s=3),
}  # fmt: skip


def test_what_was_exported_imports_as_the_same_definition_in_a_draft(registry: hfreg.Registry, tmp_path: Path) -> None:
    definition = define("# ü\nreturn {'a': text, 'b': threshold}\n", **FULL)
    registry.register(definition)
    approve(registry)
    text = registry.export("probe")
    path = tmp_path / "probe.json"
    path.write_text(text, encoding="utf-8")
    forms: list[Any] = [text, path, io.StringIO(text), io.BytesIO(text.encode()), text.encode(), str(path)]
    for number, form in enumerate(forms):
        other = hfreg.open(tmp_path / f"other{number}")
        version = other.import_(form)
        assert (version.alias, version.state, version.definition) == ("probe", "Draft", definition), type(form)
        assert other.model("probe")("x") == {"a": "x", "b": 0.5}
        other.close()
    with path.open(encoding="utf-8") as opened:
        assert hfreg.open(tmp_path / "opened").import_(opened).definition == definition


def test_an_export_names_no_token_and_a_broken_one_is_refused_whole(registry: hfreg.Registry) -> None:
    registry.register(define(token=True))
    text = registry.export("probe")
    data = json.loads(text)
    registry.delete("probe")
    broken = [{**data, "surprise": 1}, {**data, "definition": {**data.get("definition", {}), "surprise": 1}}, [], 5, {}]
    broken += [{**data, key: value + 1000} for key, value in data.items() if isinstance(value, int)]
    assert len(broken) > 5, "an export carries the number of its schema"
    for one in broken:
        with pytest.raises(hfreg.HfregError) as caught:
            registry.import_(json.dumps(one))
        assert isinstance(caught.value, ValueError), one
    for garbage in ("", "no json", "{", "no/such/file.json", Path("no/such/file.json"), io.BytesIO(b"\xff\xfe\x00")):
        with pytest.raises(hfreg.HfregError):
            registry.import_(garbage)
    assert registry.catalog() == []
    assert registry.import_(text).state == "Draft"


def test_only_approved_runs_where_the_setting_asks_for_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFREG_REQUIRE_APPROVED", "1")
    registry = hfreg.open(home)
    registry.register(define())
    with pytest.raises(hfreg.NotApproved, match="probe"):
        registry.model("probe")("a")
    assert isinstance(registry.model("probe").run("a").error, hfreg.NotApproved)
    with pytest.raises(hfreg.NotApproved, match="probe"):
        list(registry.model("probe").map([{"text": "a"}]))
    registry.submit("probe")
    with pytest.raises(hfreg.NotApproved, match="Pending Approval"):
        registry.model("probe", version=1)("a")
    registry.review("probe", "Accept", "bob", "Fine.")
    assert registry.model("probe")("a") == "a"
