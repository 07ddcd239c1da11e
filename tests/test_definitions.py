"""The store of definitions: versions, snapshots, pins and history, and what each refuses."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tinydb import TinyDB

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import DefinitionError, EditConflict, LifecycleError, StoreError, UnknownModel
from hfreg.lifecycle import Action, State
from hfreg.store.definitions import Definitions
from hfreg.version import Pin

COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "definitions.json"


@pytest.fixture
def store(path: Path) -> Definitions:
    return Definitions(path)


def a_definition(alias: str = "shout", **fields: object) -> Definition:
    data = {"arguments": [Argument("text", usage="Main input")], "scoring_logic": "return text.upper()"} | fields
    return Definition(alias=alias, **data)


def a_pin(commit: str = COMMIT, repo: str = "org/name", revision: str | None = None) -> Pin:
    return Pin(repo=repo, revision=revision, commit=commit, at=datetime(2026, 1, 2, tzinfo=UTC))


def approve(store: Definitions, alias: str = "shout", number: int = 1) -> None:
    store.set_state(alias, number, Action.SUBMIT, "ann")
    store.set_state(alias, number, Action.ACCEPT, "bob")


def test_a_new_model_is_version_1_a_draft(store: Definitions) -> None:
    before = datetime.now(UTC)
    version = store.add(a_definition(), "ann", "first", [a_pin()], ["org/other"], demonstration=True)
    assert (version.alias, version.number, version.state, version.snapshot) == ("shout", 1, State.DRAFT, 1)
    assert (version.author, version.note, version.saved_by) == ("ann", "first", "ann")
    assert (version.pins, version.unresolved, version.demonstration) == ((a_pin(),), ("org/other",), True)
    assert before <= version.created_at <= datetime.now(UTC)
    assert version.created_at.utcoffset() == timedelta(0)


def test_everything_of_a_definition_comes_back_from_another_opener(store: Definitions, path: Path) -> None:
    definition = a_definition(
        name="Shout “loud”",
        description="<b>é</b>\n" * 100,
        output_type="Map[String, Numerical]",
        arguments=[Argument("text"), Argument("level", "Numerical", optional=True, default="0.5")],
        resources=["other"],
        token=True,
        limits={"time_s": 2.5},
        examples=[{"text": "hi", "level": None, "more": [1, {"a": True}]}],
        store_payloads=True,
    )
    store.add(definition, "ann")
    assert Definitions(path).get("shout").definition == definition


def test_an_unknown_alias_names_the_near_and_the_known_ones(store: Definitions) -> None:
    with pytest.raises(UnknownModel, match="none yet"):
        store.get("shout")
    store.add(a_definition("shout"), "ann")
    store.add(a_definition("whisper"), "ann")
    with pytest.raises(UnknownModel, match=r"No model `shuot`.*Did you mean `shout`\? Registered: shout, whisper\."):
        store.get("shuot")
    with pytest.raises(UnknownModel, match=r"shout has no version 7\. It has 1\."):
        store.get("shout", 7)
    assert store.find("shuot") is None
    assert store.find("shout", 7) is None


@pytest.mark.parametrize("alias", ["shout", "Shout"])
def test_a_taken_alias_is_refused_whatever_its_case(store: Definitions, alias: str) -> None:
    store.add(a_definition("shout"), "ann")
    with pytest.raises(DefinitionError, match=f"`{alias}` is registered already"):
        store.add(a_definition(alias), "ann")
    assert store.aliases() == ["shout"]


def test_an_alias_that_python_cannot_use_is_refused(store: Definitions) -> None:
    with pytest.raises(DefinitionError, match="keyword"):
        store.add(a_definition("class"), "ann")
    store.add(a_definition(), "ann")
    with pytest.raises(DefinitionError, match="not a name"):
        store.rename("shout", "x y", "ann")


def test_a_save_is_a_new_snapshot_and_the_old_ones_stay(store: Definitions) -> None:
    store.add(a_definition(), "ann", "first")
    version = store.save("shout", 1, a_definition(scoring_logic="return text"), "bob", "second")
    assert (version.number, version.snapshot, version.author, version.saved_by, version.note) == (
        *(1, 2, "ann", "bob", "second"),
    )
    snapshots = store.snapshots("shout", 1)
    assert [(s.number, s.author, s.note, s.definition.scoring_logic) for s in snapshots] == [
        (1, "ann", "first", "return text.upper()"),
        (2, "bob", "second", "return text"),
    ]
    assert snapshots[0].at < snapshots[1].at == version.saved_at


def test_a_save_over_a_newer_snapshot_is_a_conflict_that_names_who_and_loses_nothing(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    store.save("shout", 1, a_definition(name="Bob's"), "bob", expected_snapshot=1)
    with pytest.raises(EditConflict, match=r"bob saved shout version 1 as snapshot 2 .* after you opened snapshot 1"):
        store.save("shout", 1, a_definition(name="Ann's"), "ann", expected_snapshot=1)
    assert store.get("shout").definition.name == "Bob's"
    assert store.save("shout", 1, a_definition(name="Ann's"), "ann", expected_snapshot=2).snapshot == 3


@pytest.mark.parametrize("actions", [[Action.SUBMIT], [Action.SUBMIT, Action.ACCEPT], [Action.ARCHIVE]])
def test_only_a_draft_can_be_saved(store: Definitions, actions: list[Action]) -> None:
    store.add(a_definition(), "ann")
    for action in actions:
        store.set_state("shout", 1, action, "ann")
    with pytest.raises(LifecycleError, match=r"shout version 1: Edit is not possible in"):
        store.save("shout", 1, a_definition(), "ann")
    assert len(store.snapshots("shout", 1)) == 1


def test_a_definition_of_another_alias_is_not_saved(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    with pytest.raises(DefinitionError, match="`whisper`, not of `shout`"):
        store.save("shout", 1, a_definition("whisper"), "ann")


def test_a_call_by_alias_means_the_newest_approved_else_the_newest_that_runs(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    approve(store)
    store.clone("shout", 1, "ann")
    assert store.get("shout").number == 1
    assert store.newest("shout").number == 2
    store.set_state("shout", 1, Action.ARCHIVE, "ann")
    assert store.get("shout").number == 2
    store.set_state("shout", 2, Action.ARCHIVE, "ann")
    assert (store.get("shout").number, store.get("shout").state) == (2, State.ARCHIVED)


def test_a_clone_copies_the_newest_definition_and_the_pins(store: Definitions) -> None:
    store.add(a_definition(), "ann", pins=[a_pin()])
    store.save("shout", 1, a_definition(scoring_logic="return text"), "ann")
    approve(store)
    version = store.clone("shout", 1, "cy", "next")
    assert (version.number, version.state, version.snapshot, version.author) == (2, State.DRAFT, 1, "cy")
    assert version.definition.scoring_logic == "return text"
    assert version.pins == (a_pin(),)
    assert [v.number for v in store.versions("shout")] == [1, 2]


@pytest.mark.parametrize("submit", [False, True])
def test_there_is_one_version_in_the_making_at_most(store: Definitions, submit: bool) -> None:
    store.add(a_definition(), "ann")
    if submit:
        store.set_state("shout", 1, Action.SUBMIT, "ann")
    with pytest.raises(LifecycleError, match="shout version 1 is still"):
        store.clone("shout", 1, "ann")


def test_unarchive_brings_a_version_back_to_where_it_was(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    approve(store)
    store.set_state("shout", 1, Action.ARCHIVE, "ann")
    assert store.unarchive("shout", 1, "ann", "needed").state == State.APPROVED
    with pytest.raises(LifecycleError, match="not Archived"):
        store.unarchive("shout", 1, "ann")


def test_unarchive_makes_no_second_draft(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    store.set_state("shout", 1, Action.ARCHIVE, "ann")
    store.clone("shout", 1, "ann")
    with pytest.raises(LifecycleError, match="version 2 is still Draft"):
        store.unarchive("shout", 1, "ann")


def test_a_draft_never_submitted_can_be_deleted_and_its_history_stays(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    store.delete("shout", 1, "bob")
    assert store.aliases() == []
    assert [(e.action, e.actor) for e in store.history("shout")] == [("Delete", "bob"), ("Register", "ann")]
    assert store.add(a_definition(), "ann").number == 1


def test_a_deleted_draft_comes_back_whole(store: Definitions, path: Path) -> None:
    store.add(a_definition(), "ann", "first", pins=[a_pin()], unresolved=["`org/other` is not pinned yet."])
    store.save("shout", 1, a_definition(scoring_logic="return text"), "bob", "second", pins=[a_pin()])
    before, saves = store.get("shout"), store.snapshots("shout", 1)
    deleted = store.delete("shout", 1, "bob")
    assert repr(deleted) == "<Deleted shout version 1, 2 snapshots>"
    assert store.find("shout") is None
    assert store.undelete(deleted, "cy") == before
    other = Definitions(path)
    assert (other.get("shout"), other.snapshots("shout", 1)) == (before, saves)
    assert [(e.action, e.actor) for e in other.history("shout")] == [
        ("Undelete", "cy"), ("Delete", "bob"), ("Edit", "bob"), ("Register", "ann"),
    ]  # fmt: skip
    assert store.save("shout", 1, a_definition(), "ann", expected_snapshot=2).snapshot == 3
    assert store.get("shout").pins == (a_pin(),)


def test_a_deleted_version_comes_back_beside_the_others(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    approve(store)
    store.clone("shout", 1, "ann")
    deleted = store.delete("shout", 2, "ann")
    store.clone("shout", 1, "ann")
    with pytest.raises(LifecycleError, match="version 3 is still Draft"):
        store.undelete(deleted, "ann")
    store.delete("shout", 3, "ann")
    store.undelete(deleted, "ann")
    assert [v.number for v in store.versions("shout")] == [1, 2]


def test_a_deleted_draft_does_not_come_back_where_another_took_its_alias(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    deleted = store.delete("shout", 1, "ann")
    store.add(a_definition(), "bob", "another")
    with pytest.raises(LifecycleError, match="registered again"):
        store.undelete(deleted, "ann")
    store.rename("shout", "Shout", "bob")
    with pytest.raises(DefinitionError, match="registered already as `Shout`"):
        store.undelete(deleted, "ann")
    assert [(v.alias, v.note) for v in store.all()] == [("Shout", "another")]
    store.rename("Shout", "other", "bob")
    assert store.undelete(deleted, "ann").author == "ann"


def test_what_was_submitted_once_is_not_deleted_nor_renamed(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    assert not store.submitted("shout", 1)
    store.set_state("shout", 1, Action.SUBMIT, "ann")
    with pytest.raises(LifecycleError, match="is Pending Approval"):
        store.delete("shout", 1, "ann")
    store.set_state("shout", 1, Action.NEED_CHANGES, "bob")
    assert store.submitted("shout", 1)
    with pytest.raises(LifecycleError, match="was submitted before"):
        store.delete("shout", 1, "ann")
    with pytest.raises(LifecycleError, match="was submitted"):
        store.rename("shout", "call", "ann")


def test_the_number_of_a_deleted_version_is_not_given_again(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    approve(store)
    store.clone("shout", 1, "ann")
    store.delete("shout", 2, "ann")
    assert store.clone("shout", 1, "ann").number == 3


def test_a_rename_takes_versions_snapshots_and_history_along(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    store.save("shout", 1, a_definition(name="Loud"), "ann")
    version = store.rename("shout", "call", "ann")
    assert (version.alias, version.definition.alias, version.definition.name) == ("call", "call", "Loud")
    assert [s.definition.alias for s in store.snapshots("call", 1)] == ["call", "call"]
    assert store.history("call")[0].comment == "`shout` became `call`"
    assert store.find("shout") is None
    assert store.rename("call", "Call", "ann").alias == "Call"
    store.add(a_definition("shout"), "ann")
    with pytest.raises(DefinitionError, match="registered already"):
        store.rename("shout", "CALL", "ann")


def test_pins_are_only_added(store: Definitions) -> None:
    store.add(
        a_definition(), "ann", unresolved=["`org/name` is not pinned yet. No network.", "`org/more` is not pinned yet."]
    )
    version = store.add_pin("shout", 1, a_pin())
    assert (version.pins, version.unresolved) == ((a_pin(),), ("`org/more` is not pinned yet.",))
    assert store.add_pin("shout", 1, a_pin()).pins == (a_pin(),)
    with pytest.raises(LifecycleError, match=f"pinned to {COMMIT}"):
        store.add_pin("shout", 1, a_pin(OTHER_COMMIT))
    with pytest.raises(LifecycleError, match=f"pinned to {COMMIT}"):
        store.save("shout", 1, a_definition(), "ann", pins=[a_pin(OTHER_COMMIT)])
    kept = store.save("shout", 1, a_definition(), "ann", pins=[a_pin(OTHER_COMMIT, revision="v2")])
    assert kept.pins == (a_pin(), a_pin(OTHER_COMMIT, revision="v2"))
    assert kept.snapshot == 2


def test_an_approved_version_makes_no_new_pin(store: Definitions) -> None:
    store.add(a_definition(), "ann", pins=[a_pin()])
    approve(store)
    with pytest.raises(LifecycleError, match="is Approved and has no pin for org/new"):
        store.add_pin("shout", 1, a_pin(repo="org/new"))
    assert store.add_pin("shout", 1, a_pin()).pins == (a_pin(),)


def test_history_tells_everything_newest_first(store: Definitions) -> None:
    store.add(a_definition(), "ann", "first")
    store.save("shout", 1, a_definition(name="Loud"), "ann", "second")
    store.set_state("shout", 1, Action.SUBMIT, "ann")
    store.set_state("shout", 1, Action.COMMENT, "bob", "looks fine")
    store.set_state("shout", 1, Action.ACCEPT, "bob")
    store.clone("shout", 1, "cy")
    entries = store.history("shout")
    assert [(e.action, e.actor, e.version, e.snapshot, e.from_state, e.to_state) for e in entries] == [
        ("Clone", "cy", 2, 1, None, "Draft"),
        ("Accept", "bob", 1, 2, "Pending Approval", "Approved"),
        ("Comment", "bob", 1, 2, "Pending Approval", "Pending Approval"),
        ("Submit", "ann", 1, 2, "Draft", "Pending Approval"),
        ("Edit", "ann", 1, 2, "Draft", "Draft"),
        ("Register", "ann", 1, 1, None, "Draft"),
    ]
    assert entries[2].comment == "looks fine"
    assert all(later.at >= sooner.at for later, sooner in pairwise(entries))


def test_a_refused_action_records_nothing(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    with pytest.raises(LifecycleError, match="Accept is not possible in Draft"):
        store.set_state("shout", 1, Action.ACCEPT, "bob")
    assert [e.action for e in store.history("shout")] == ["Register"]


def test_all_lists_the_newest_of_each_alias_by_alias(store: Definitions) -> None:
    for alias in ("whisper", "shout"):
        store.add(a_definition(alias), "ann")
    approve(store)
    store.clone("shout", 1, "ann")
    assert [(v.alias, v.number) for v in store.all()] == [("shout", 2), ("whisper", 1)]


def test_what_another_opener_saved_is_seen_at_once(store: Definitions, path: Path) -> None:
    other = Definitions(path)
    assert other.aliases() == []
    store.add(a_definition(), "ann")
    assert other.get("shout").snapshot == 1
    store.save("shout", 1, a_definition(), "ann")
    assert other.get("shout").snapshot == 2


def test_a_save_of_one_model_keeps_the_objects_of_the_others(store: Definitions) -> None:
    store.add(a_definition("shout"), "ann")
    store.add(a_definition("whisper"), "ann")
    kept = store.get("whisper")
    store.save("shout", 1, a_definition(), "ann")
    assert store.get("whisper") is kept


def test_a_thousand_models_are_quick_to_get(path: Path) -> None:
    store = Definitions(path)
    store.add(a_definition("m0"), "ann")
    with store.storage.transaction() as db:
        tables = db.storage.read() or {}
        for name in ("versions", "snapshots"):
            document = tables[name]["1"]
            tables[name] = {str(i + 1): document | {"alias": f"m{i}"} for i in range(1000)}
        db.storage.write(tables)
    assert len(store.all()) == 1000
    rounds = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(50):
            store.get("m999")
        rounds.append((time.perf_counter() - start) / 50)
    assert min(rounds) < 30e-6


def test_a_plain_tinydb_file_of_an_older_store_is_migrated(store: Definitions, path: Path, tmp_path: Path) -> None:
    store.add(a_definition(), "ann", "first")
    older = tmp_path / "older.json"
    with TinyDB(older) as stock:
        for name, table in store.storage.content().tables.items():
            for document in table.values():
                newer = ("submitted", "archived_from", "demonstration", "unresolved", "pins")
                stock.table(name).insert({k: v for k, v in document.items() if k not in newer})
    migrated = Definitions(older)
    assert migrated.get("shout") == store.get("shout")
    assert not migrated.submitted("shout", 1)
    assert migrated.set_state("shout", 1, Action.ARCHIVE, "ann").state == State.ARCHIVED
    assert older.with_name("older.json.schema-0").exists()


def test_a_stored_definition_with_unknown_fields_is_named(store: Definitions) -> None:
    store.add(a_definition(), "ann")
    with store.storage.transaction() as db:
        content = db.table("snapshots").all()[0]["definition"]
        db.table("snapshots").update({"definition": content | {"future": 1}})
    with pytest.raises(StoreError, match=r"stored definition of shout cannot be read.*`future`"):
        store.get("shout")
