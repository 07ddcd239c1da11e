"""The facade: registering, versions, states, import and export, what calls leave in the log."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

import hfreg
from hfreg import lifecycle
from hfreg.lifecycle import Action, State


def shout(alias: str = "shout", **fields: object) -> hfreg.Definition:
    return hfreg.Definition(
        **{
            "alias": alias,
            "description": "Says it louder.",
            "arguments": [
                hfreg.Argument("text", "String", usage="What to say"),
                hfreg.Argument("mark", "String", optional=True, default="!"),
            ],
            "output_type": "String",
            "scoring_logic": "return text.upper() + mark",
            **fields,
        }
    )


def test_a_registered_model_is_a_draft_with_its_author_and_time(registry: hfreg.Registry) -> None:
    version = registry.register(shout())
    assert (version.alias, version.number, version.state, version.author) == ("shout", 1, "Draft", registry.user)
    assert version.created_at.tzinfo is not None
    assert registry.catalog() == [version]


def test_opening_registers_nothing_and_makes_no_folder(home: Path) -> None:
    assert hfreg.open().catalog() == []
    assert not home.exists()


def test_one_process_has_one_registry_per_home(registry: hfreg.Registry, tmp_path: Path) -> None:
    assert hfreg.open() is registry
    assert hfreg.open(tmp_path / "other") is not registry


def test_a_model_looks_like_the_function_it_is(registry: hfreg.Registry) -> None:
    registry.register(shout())
    model = registry.model("shout")
    assert str(inspect.signature(model)) == "(text: str, mark: str = '!') -> str"
    assert model.__name__ == "shout"
    assert "Says it louder." in inspect.getdoc(model)
    assert "What to say" in inspect.getdoc(model)
    assert repr(model) == "<Model shout(text: str, mark: str = '!') -> str version 1 Draft>"


def test_arguments_go_by_position_or_by_name_and_not_by_both(registry: hfreg.Registry) -> None:
    registry.register(shout())
    model = registry.model("shout")
    assert model("a", "?") == model(text="a", mark="?") == model("a", mark="?") == "A?"
    with pytest.raises(TypeError, match="twice"):
        model("a", text="b")
    with pytest.raises(hfreg.ArgumentError, match="takes 2 arguments, 3 were given"):
        model("a", "b", "c")
    with pytest.raises(hfreg.ArgumentError, match="needs `text`"):
        model()


def test_a_wrong_argument_loads_nothing(registry: hfreg.Registry) -> None:
    registry.register(shout())
    with pytest.raises(hfreg.ArgumentError):
        registry.model("shout")(text=3)
    assert registry.loaded() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"alias": "class"}, "alias"),
        ({"alias": "naïve"}, "alias"),
        ({"alias": "__x"}, "alias"),
        ({"alias": "a" * 64}, "alias"),
        ({"alias": "x=__import__('os').system('id')"}, "alias"),
        ({"arguments": [hfreg.Argument("x"), hfreg.Argument("x")]}, "arguments[1].alias"),
        ({"arguments": [hfreg.Argument("cache")]}, "arguments[0].alias"),
        ({"arguments": [hfreg.Argument("x", "Numerical", optional=True, default="abc")]}, "arguments[0].default"),
        ({"arguments": [hfreg.Argument("x", "Strng")]}, "arguments[0].type"),
        ({"output_type": "Map[String"}, "output_type"),
        ({"scoring_logic": "# " + "x" * 70 * 1024}, "scoring_logic"),
        ({"scoring_logic": "return ("}, "scoring_logic"),
        ({"input_type": "API Based"}, "endpoint.task"),
        ({"resources": ["nobody"]}, "resources[0]"),
        ({"resources": ["shout"]}, "resources[0]"),
    ],
)
def test_a_definition_that_cannot_be_used_is_refused_and_the_field_is_named(
    registry: hfreg.Registry, fields: dict[str, object], field: str
) -> None:
    definition = shout(**{"scoring_logic": "return None", **fields})
    with pytest.raises(hfreg.DefinitionError) as refused:
        registry.register(definition)
    assert field in {f.field for f in refused.value.findings if f.level == "error"}
    assert isinstance(refused.value, ValueError)
    assert registry.catalog() == []


def test_a_field_that_no_definition_has_is_named_with_the_near_one() -> None:
    with pytest.raises(hfreg.DefinitionError, match=r"no field `descripton`\. Did you mean `description`"):
        hfreg.Definition(alias="x", descripton="…")


def test_an_alias_is_taken_whatever_its_case(registry: hfreg.Registry) -> None:
    registry.register(shout())
    with pytest.raises(hfreg.DefinitionError, match="registered already"):
        registry.register(shout("shout"))
    with pytest.raises(hfreg.DefinitionError, match="registered already"):
        registry.register(shout("Shout"))


def test_models_that_would_call_each_other_in_a_circle_are_refused(registry: hfreg.Registry) -> None:
    registry.register(shout("one"))
    registry.register(shout("two", resources=["one"], scoring_logic="return one(text) + mark"))
    with pytest.raises(hfreg.DefinitionError, match="one → two → one"):
        registry.edit("one", shout("one", resources=["two"], scoring_logic="return two(text) + mark"))


def test_an_unknown_alias_names_the_known_ones(registry: hfreg.Registry) -> None:
    registry.register(shout())
    with pytest.raises(hfreg.UnknownModel, match="shout"):
        registry.model("shot")
    with pytest.raises(LookupError):
        registry.model("shout", version=2)


def test_an_empty_home_is_named_with_the_variable_that_chose_it(registry: hfreg.Registry, home: Path) -> None:
    with pytest.raises(hfreg.UnknownModel) as unknown:
        registry.model("shout")
    assert str(home) in str(unknown.value)
    assert "HFREG_HOME" in str(unknown.value)


def test_importing_an_unknown_alias_is_an_import_error_that_lists_the_known_ones(registry: hfreg.Registry) -> None:
    registry.register(shout())
    with pytest.raises(ImportError, match="shout") as missing:
        from hfreg.models import shot  # noqa: F401
    assert isinstance(missing.value, hfreg.UnknownModel)


def test_a_model_registered_by_another_registry_is_seen_at_once(registry: hfreg.Registry, home: Path) -> None:
    registry.register(shout())
    other = hfreg.Registry(registry.settings)
    other.register(shout("whisper", scoring_logic="return text.lower() + mark"))
    from hfreg.models import whisper

    assert whisper("A") == "a!"
    assert "whisper" in dir(hfreg.models)
    other.close()


def test_the_newest_approved_version_answers_until_the_next_is_approved(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.submit("shout")
    registry.review("shout", "Accept", actor="rita", comment="Fine.")
    registry.clone("shout")
    registry.edit("shout", shout(scoring_logic="return 'two'"))
    model = registry.model("shout")
    assert model("a") == "A!"
    assert registry.model("shout", version=2)("a") == "two"
    registry.submit("shout")
    registry.review("shout", "Accept", actor="rita")
    assert model("a") == "two"


@pytest.mark.parametrize("action", ["Reject", "archive"])
def test_what_is_rejected_or_archived_refuses_to_run(registry: hfreg.Registry, action: str) -> None:
    registry.register(shout())
    if action == "archive":
        registry.archive("shout")
    else:
        registry.submit("shout")
        registry.review("shout", action, actor="rita", comment="No.")
    with pytest.raises(hfreg.NotApproved, match=r"does not run") as refused:
        registry.model("shout")("a")
    assert isinstance(refused.value, PermissionError)
    registry.events.flush()
    assert registry.events.calls()[0].status == "refused"


def test_a_server_that_requires_approval_runs_nothing_else(
    registry: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(shout())
    monkeypatch.setenv("HFREG_REQUIRE_APPROVED", "1")
    strict = hfreg.open()
    with pytest.raises(hfreg.NotApproved, match="HFREG_REQUIRE_APPROVED"):
        strict.model("shout")("a")
    assert strict.test(shout()).error is not None
    strict.submit("shout")
    strict.review("shout", "Accept")
    assert strict.model("shout")("a") == "A!"


def test_nothing_of_an_approved_version_is_rewritten(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.submit("shout")
    registry.review("shout", "Accept")
    with pytest.raises(hfreg.LifecycleError, match="Clone it"):
        registry.edit("shout", shout(description="other"))
    with pytest.raises(hfreg.LifecycleError):
        registry.delete("shout")
    with pytest.raises(hfreg.LifecycleError):
        registry.rename("shout", "cry")


def test_a_draft_that_was_never_submitted_can_be_renamed_and_deleted(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.rename("shout", "cry")
    assert registry.model("cry")("a") == "A!"
    with pytest.raises(hfreg.UnknownModel):
        registry.get("shout")
    registry.delete("cry")
    assert registry.catalog() == []


def test_a_deleted_model_comes_back_and_runs(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.edit("shout", shout(scoring_logic="return text + mark"))
    deleted = registry.delete("shout")
    assert registry.undelete(deleted).snapshot == 2
    assert registry.model("shout")("a") == "a!"
    assert [s.number for s in registry.snapshots("shout")] == [1, 2]


def test_a_deleted_version_that_would_close_a_circle_does_not_come_back(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.register(shout("twice"))
    approve(registry, "shout")
    registry.clone("shout")
    registry.edit("shout", shout(resources=["twice"], scoring_logic="return twice(text) + mark"))
    deleted = registry.delete("shout", 2)
    registry.edit("twice", shout("twice", resources=["shout"], scoring_logic="return shout(text) + mark"))
    with pytest.raises(hfreg.DefinitionError, match="circle"):
        registry.undelete(deleted)


def test_a_model_that_others_call_is_not_renamed(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.register(shout("twice", resources=["shout"], scoring_logic="return shout(text) + mark"))
    with pytest.raises(hfreg.LifecycleError, match="twice"):
        registry.rename("shout", "cry")


def test_an_archived_model_comes_back_to_where_it_was(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.archive("shout")
    assert registry.unarchive("shout").state is State.DRAFT
    assert registry.model("shout")("a") == "A!"


def test_every_save_is_a_snapshot_that_can_be_restored(registry: hfreg.Registry) -> None:
    registry.register(shout(), note="first")
    registry.edit("shout", shout(scoring_logic="return 'second'"), note="second", author="mia")
    assert [(s.number, s.author, s.note) for s in registry.snapshots("shout")] == [
        (1, registry.user, "first"),
        (2, "mia", "second"),
    ]
    restored = registry.restore("shout", 1)
    assert restored.snapshot == 3
    assert registry.model("shout")("a") == "A!"


def test_a_save_over_somebody_elses_is_refused_and_loses_nothing(registry: hfreg.Registry) -> None:
    opened = registry.register(shout())
    registry.edit("shout", shout(description="theirs"), expected_snapshot=opened.snapshot)
    with pytest.raises(hfreg.EditConflict):
        registry.edit("shout", shout(description="mine"), expected_snapshot=opened.snapshot)
    assert registry.get("shout").definition.description == "theirs"


def test_an_edit_may_rename_and_one_that_is_refused_does_not(registry: hfreg.Registry) -> None:
    opened = registry.register(shout())
    registry.register(shout("whisper"))
    with pytest.raises(hfreg.EditConflict):
        registry.edit("shout", shout("cry"), expected_snapshot=opened.snapshot + 1)
    with pytest.raises(hfreg.DefinitionError):
        registry.edit("shout", shout("cry", scoring_logic="return ("))
    with pytest.raises(hfreg.DefinitionError, match="registered already"):
        registry.edit("shout", shout("whisper"))
    assert [v.alias for v in registry.catalog()] == ["shout", "whisper"]
    assert registry.edit("shout", shout("cry", notes="renamed")).definition.notes == "renamed"
    assert [v.alias for v in registry.catalog()] == ["cry", "whisper"]


def test_the_history_says_who_did_what(registry: hfreg.Registry) -> None:
    registry.register(shout(), author="mia")
    registry.submit("shout", actor="mia", note="please")
    registry.review("shout", "Need Info", actor="rita", comment="On what data?")
    registry.review("shout", "Need Changes", actor="rita", comment="Add a limit.")
    told = [(e.actor, e.action, e.comment) for e in registry.history("shout")]
    assert told[:2] == [("rita", "Need Changes", "Add a limit."), ("rita", "Need Info", "On what data?")]
    assert registry.get("shout").state is State.DRAFT


def test_an_export_restores_the_same_definition_as_a_draft(registry: hfreg.Registry, tmp_path: Path) -> None:
    registry.register(shout(notes="üñí", store_payloads=True, examples=[{"text": "hi"}]))
    file = tmp_path / "shout.json"
    file.write_text(registry.export("shout"), encoding="utf-8")
    elsewhere = hfreg.open(tmp_path / "elsewhere")
    version = elsewhere.import_(file)
    assert version.definition == registry.get("shout").definition
    assert (version.number, version.state) == (1, "Draft")
    with file.open("rb") as opened:
        assert registry.import_(opened).snapshot == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema=99), "newer hfreg"),
        (lambda d: d.update(extra=1), "unknown field `extra`"),
        (lambda d: d["definition"].update(scoring_lgic=""), "Did you mean `scoring_logic`"),
        (lambda d: d.update(format="pickle"), "no export of hfreg"),
        (lambda d: d["definition"].update(alias=3), "cannot be used"),
        (lambda d: d.pop("definition"), 'no "definition"'),
    ],
)
def test_a_file_that_is_no_export_is_refused_and_nothing_is_registered(
    registry: hfreg.Registry, change: object, said: str
) -> None:
    registry.register(shout())
    document = json.loads(registry.export("shout"))
    registry.delete("shout")
    change(document)
    with pytest.raises(hfreg.ImportFileError, match=said):
        registry.import_(json.dumps(document))
    assert registry.catalog() == []


@pytest.mark.parametrize("file", ["not json", b"\xff\xfe", "[]", "{" * 5000, "no/such/file.json"])
def test_garbage_is_no_export(registry: hfreg.Registry, file: str | bytes) -> None:
    with pytest.raises(hfreg.ImportFileError):
        registry.import_(file)


def test_every_call_is_one_record_without_its_texts(registry: hfreg.Registry) -> None:
    registry.register(shout())
    model = registry.model("shout")
    model("a secret text")
    model.run(text=3)
    registry.test(shout(), text="b")
    registry.events.flush()
    calls = registry.events.calls()
    assert [(c.source, c.status, c.error_kind, c.version) for c in calls] == [
        ("test", "ok", "", 0),
        ("python", "error", "ArgumentError", 1),
        ("python", "ok", "", 1),
    ]
    assert [c.arguments for c in calls] == [None, None, None]
    assert calls[2].input_bytes == len('{"text": "a secret text"}')
    assert calls[2].output_bytes == len('"A SECRET TEXT!"')
    assert calls[2].cold
    assert (calls[2].user, calls[2].tier, calls[2].state) == (registry.user, "inline", "Draft")


def test_texts_and_answers_are_stored_when_the_definition_says_so(registry: hfreg.Registry) -> None:
    registry.register(shout(store_payloads=True))
    registry.model("shout")("hello")
    registry.events.flush()
    (call,) = registry.events.calls()
    assert (call.arguments, call.answer) == ('{"text": "hello"}', '"HELLO!"')


def test_a_resource_is_recorded_as_a_call_of_its_own(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.register(shout("twice", resources=["shout"], scoring_logic="return shout(text) + mark"))
    assert registry.model("twice")("a") == "A!!"
    registry.events.flush()
    assert sorted((c.alias, c.source) for c in registry.events.calls()) == [("shout", "resource"), ("twice", "python")]


def test_the_catalog_finds_by_words_and_state(registry: hfreg.Registry) -> None:
    registry.register(shout(name="Loud speaker", group="Audio"))
    registry.register(shout("whisper"))
    registry.submit("whisper")
    assert [v.alias for v in registry.catalog("loud audio")] == ["shout"]
    assert [v.alias for v in registry.catalog(state="Pending Approval")] == ["whisper"]
    assert registry.catalog("nothing") == []


def test_the_table_of_states_knows_every_pair() -> None:
    for state in State:
        for action in Action:
            if (state, action) in lifecycle.TRANSITIONS:
                assert lifecycle.after(state, action) in State
            else:
                with pytest.raises(hfreg.LifecycleError, match=str(action)):
                    lifecycle.after(state, action)
    assert lifecycle.actions(State.ARCHIVED) == []
    with pytest.raises(hfreg.LifecycleError, match="Need Info"):
        lifecycle.review_action("approve it")


def approve(registry: hfreg.Registry, alias: str) -> None:
    registry.submit(alias)
    registry.review(alias, "Accept")


def test_a_circle_through_any_version_that_may_run_is_refused(registry: hfreg.Registry) -> None:
    calls_two = {"resources": ["two"], "scoring_logic": "return two(text) + mark"}
    registry.register(shout("two"))
    registry.register(shout("one", **calls_two))
    approve(registry, "one")
    registry.clone("one")
    registry.edit("one", shout("one"))
    approve(registry, "one")  # version 2 calls nobody, but version 1 may still be asked for
    calls_one = shout("two", resources=["one"], scoring_logic="return one(text) + mark")
    with pytest.raises(hfreg.DefinitionError, match="two → one → two"):
        registry.edit("two", calls_one)
    registry.archive("one", 1)
    assert registry.edit("two", calls_one).snapshot == 2


@pytest.mark.parametrize("refused_for", ["submitted before", "taken", "called"])
def test_an_edit_whose_rename_is_refused_saves_nothing(registry: hfreg.Registry, refused_for: str) -> None:
    registry.register(shout())
    registry.register(shout("whisper"))
    if refused_for == "submitted before":
        registry.submit("shout")
        registry.review("shout", "Need Changes")
    if refused_for == "called":
        registry.register(shout("twice", resources=["shout"], scoring_logic="return shout(text) + mark"))
    renamed = shout("whisper" if refused_for == "taken" else "cry", notes="new")
    for _ in range(2):
        with pytest.raises((hfreg.LifecycleError, hfreg.DefinitionError)):
            registry.edit("shout", renamed, expected_snapshot=1)
    assert registry.get("shout").snapshot == 1


def test_a_model_that_others_call_is_not_deleted(registry: hfreg.Registry) -> None:
    registry.register(shout())
    registry.register(shout("twice", resources=["shout"], scoring_logic="return shout(text) + mark"))
    with pytest.raises(hfreg.LifecycleError, match="twice"):
        registry.delete("shout")
    approve(registry, "shout")
    registry.clone("shout")
    registry.delete("shout", 2)  # version 1 still answers
    assert registry.model("twice")("a") == "A!!"


def test_a_model_whose_repository_nobody_knows_yet_is_not_submitted(registry: hfreg.Registry) -> None:
    source = (
        "from huggingface_hub import snapshot_download\n"
        "if text:\n"
        "    snapshot_download('hfreg/starter-' + text)\n"
        "return text"
    )
    registry.register(shout(scoring_logic=source))
    registry.model("shout")("")
    with pytest.raises(hfreg.LifecycleError, match=r"line 3.*Run it once first"):
        registry.submit("shout")
    assert registry.get("shout").state is State.DRAFT
    pin = hfreg.Pin(repo="acme/one", revision=None, commit="a" * 40, at=registry.get("shout").created_at)
    registry.definitions.add_pin("shout", 1, pin)
    assert registry.submit("shout").state is State.PENDING


def test_what_was_loaded_as_a_draft_is_loaded_anew_once_approved(registry: hfreg.Registry) -> None:
    registry.register(shout(scoring_logic="cache['calls'] = cache.get('calls', 0) + 1\nreturn str(cache['calls'])"))
    model = registry.model("shout")
    assert (model("a"), model("a")) == ("1", "2")
    registry.submit("shout")
    assert model("a") == "3"
    registry.review("shout", "Accept")
    assert registry.loaded() == []
    assert model("a") == "1"
    assert [one.state for one in registry.loaded()] == ["Approved"]
    registry.archive("shout")
    registry.unarchive("shout")
    assert model("a") == "1"


def test_another_token_reaches_what_is_loaded_with_the_token(registry: hfreg.Registry) -> None:
    asks = "import os\ncache.setdefault('token', os.environ.get('HF_TOKEN'))\nreturn str(cache['token'])"
    registry.register(shout("with_token", token=True, scoring_logic=asks))
    registry.register(shout("without", scoring_logic=asks))
    first, second = "hf_" + "a1" * 17, "hf_" + "b2" * 17
    registry.save_token(first)
    assert (registry.model("with_token")("a"), registry.model("without")("a")) == (first, "None")
    assert registry.test(shout("trial", token=True, scoring_logic=asks), text="a").value == first
    registry.save_token(second)
    assert [one.alias for one in registry.loaded()] == ["without"]
    assert registry.model("with_token")("a") == second
    assert registry.remove_token()
    assert registry.model("with_token")("a") == "None"
