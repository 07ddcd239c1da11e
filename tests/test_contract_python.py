"""Acceptance of the contract, section 3: open, define, register, call, the life of a version, export and import.

Written from the contract alone, as somebody outside would call it. Names and errors stand in their own files.
"""

from __future__ import annotations

import datetime
import getpass
import inspect
import io
import json
import pydoc
import time
from collections.abc import Iterator
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


def test_opening_registers_nothing_and_the_home_is_made_on_first_use(home: Path) -> None:
    registry = hfreg.open()
    assert registry.catalog() == []
    registry.register(define())
    assert home.is_dir() and (home / "definitions.json").exists()


def test_without_a_setting_the_home_is_data_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HFREG_HOME")
    monkeypatch.chdir(tmp_path)
    hfreg.open().register(define())
    assert (tmp_path / "data" / "definitions.json").exists()


def test_a_home_may_be_given_as_text_or_path_and_is_one_registry(tmp_path: Path) -> None:
    registry = hfreg.open(str(tmp_path / "mine"))
    registry.register(define())
    assert hfreg.open(tmp_path / "mine") is registry


def test_the_example_of_the_contract_runs_as_it_stands(registry: hfreg.Registry) -> None:
    definition = hfreg.Definition(
        alias="sentiment_analyzer",
        description="Sentiment of short English text.",
        output_type="Map[String, String]",
        input_type="Python Function",
        model_provider="Hugging Face",
        arguments=[hfreg.Argument("text", "String", usage="Main input content"), THRESHOLD],
        scoring_logic='return {"sentiment": text.lower() if threshold >= 0.5 else "uncertain"}',
    )
    assert registry.check(definition) == []
    assert registry.test(definition, text="HI").value == {"sentiment": "hi"}
    assert registry.catalog() == []
    version = registry.register(definition)
    assert (version.alias, version.number, version.state, version.definition) == (
        "sentiment_analyzer", 1, "Draft", definition)  # fmt: skip
    assert registry.model("sentiment_analyzer")(text="Great", threshold=0.8) == {"sentiment": "great"}
    assert registry.model("sentiment_analyzer", version=1)("Great", 0.1) == {"sentiment": "uncertain"}


def test_a_definition_has_the_promised_fields_with_their_defaults() -> None:
    definition = hfreg.Definition(alias="x", scoring_logic="return 1")
    for field in ("name", "description", "group", "permissible_purpose", "ownership_type", "model_type", "notes"):
        assert getattr(definition, field) == "", field
    assert (definition.input_type, definition.model_provider) == ("Python Function", "Hugging Face")
    assert (definition.token, definition.network, definition.batching, definition.store_payloads) == (
        False, False, True, False)  # fmt: skip
    assert list(definition.resources) == [] and list(definition.arguments) == []
    assert str(definition.output_type) and definition.limits is not None


def test_definitions_and_arguments_are_frozen() -> None:
    for thing, field in [(define(), "alias"), (TEXT, "type"), (define(), "nonsense")]:
        with pytest.raises((AttributeError, TypeError, ValueError)):
            setattr(thing, field, "String")


def test_a_version_knows_who_saved_it_when_and_why(registry: hfreg.Registry) -> None:
    before = datetime.datetime.now(datetime.UTC)
    version = registry.register(define(), note="First words")
    assert version.author == getpass.getuser()
    assert version.note == "First words"
    assert before - datetime.timedelta(seconds=1) <= version.created_at <= datetime.datetime.now(datetime.UTC)


def test_an_outcome_holds_everything_about_its_call(registry: hfreg.Registry) -> None:
    registry.register(define("print('seen', text)\nreturn {'n': 1}", output_type="Map[String, String]"))
    outcome = registry.model("probe").run(text="hi")
    assert outcome.ok and outcome.error is None and outcome.value == {"n": "1"}
    assert outcome.stdout == "seen hi\n"
    assert len(outcome.warnings) == 1
    assert (outcome.alias, outcome.version, outcome.state) == ("probe", 1, "Draft")
    assert outcome.cold in (True, False) and outcome.timings.total_ms >= outcome.timings.run_ms >= 0


def test_testing_saves_nothing_and_answers_with_an_outcome(registry: hfreg.Registry) -> None:
    registry.register(define("return 'kept'"))
    outcome = registry.test(define("return 'tried'"), text="a")
    assert outcome.value == "tried"
    assert registry.test(define("return 1 / 0"), text="a").error is not None
    assert registry.model("probe")("a") == "kept"
    assert len(registry.versions("probe")) == 1


def test_a_map_is_lazy_in_order_and_goes_on_after_a_bad_row(registry: hfreg.Registry) -> None:
    registry.register(define("if text == 'bad':\n    raise ValueError('no')\nreturn text"))
    outcomes = registry.model("probe").map([{"text": "a"}, {"txt": 1}, {"text": "bad"}, {"text": 5}, {}, {"text": "z"}])
    assert isinstance(outcomes, Iterator)
    seen = list(outcomes)
    assert [outcome.ok for outcome in seen] == [True, False, False, False, False, True]
    assert (seen[0].value, seen[-1].value) == ("a", "z")
    assert isinstance(seen[1].error, hfreg.ArgumentError) and isinstance(seen[2].error, hfreg.ScoringError)


def test_a_map_takes_any_iterable_and_none(registry: hfreg.Registry) -> None:
    registry.register(define("import time\ntime.sleep(0.01)\nreturn text"))
    model = registry.model("probe")
    assert [outcome.value for outcome in model.map({"text": str(n)} for n in range(3))] == ["0", "1", "2"]
    assert list(model.map([])) == []
    endless = iter(model.map({"text": "a"} for _ in iter(int, 1)))
    assert next(endless).value == "a"
    endless.close()


def test_a_row_of_a_map_that_is_no_dict_fails_alone(registry: hfreg.Registry) -> None:
    registry.register(define())
    seen = list(registry.model("probe").map([{"text": "a"}, "text", {"text": "b"}]))
    assert [outcome.ok for outcome in seen] == [True, False, True]


def test_what_the_logic_changes_in_a_list_is_not_changed_for_the_caller(registry: hfreg.Registry) -> None:
    values = [1]
    source = "cache.setdefault('kept', []).append(len(values))\nvalues.append(2)\nreturn cache['kept']"
    registry.register(define(source, arguments=[hfreg.Argument("values", "List")], output_type="List"))
    model = registry.model("probe")
    first = model(values)
    assert values == [1]
    first.append("mine")
    assert model(values) == [1, 1]


def test_a_model_looks_like_a_function(registry: hfreg.Registry) -> None:
    registry.register(define(arguments=[TEXT, THRESHOLD, hfreg.Argument("label", "String", optional=True)]))
    model = registry.model("probe")
    assert callable(model) and model.__name__ == "probe"
    parameters = inspect.signature(model).parameters
    assert list(parameters) == ["text", "threshold", "label"]
    assert parameters["text"].default is inspect.Parameter.empty
    assert (parameters["threshold"].default, parameters["label"].default) == (0.5, None)
    assert inspect.signature(model) == model.__signature__
    assert "A probe." in (inspect.getdoc(model) or "") and "Classification threshold" in (model.__doc__ or "")
    assert "Classification threshold" in pydoc.render_doc(model)
    assert model("a", 0.1, "c") == model(text="a", threshold=0.1, label="c") == "a"


def test_a_required_argument_may_follow_an_optional_one(registry: hfreg.Registry) -> None:
    registry.register(define("return [threshold, text]", arguments=[THRESHOLD, TEXT], output_type="List"))
    model = registry.model("probe")
    assert model(0.8, "a") == [0.8, "a"]
    assert model(text="a") == [0.5, "a"]
    assert list(inspect.signature(model).parameters) == ["threshold", "text"]


def test_without_arguments_a_call_is_empty(registry: hfreg.Registry) -> None:
    registry.register(define("return 'ok'", arguments=[]))
    assert registry.model("probe")() == "ok"
    with pytest.raises(hfreg.ArgumentError):
        registry.model("probe")("a")


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


def test_a_resource_is_called_by_its_alias_and_a_circle_is_refused(registry: hfreg.Registry) -> None:
    registry.register(define("return text.upper()", alias="loud"))
    registry.register(define("return loud(text) + loud(text=text)", alias="twice", resources=["loud"]))
    assert registry.model("twice")("a") == "AA"
    with pytest.raises(hfreg.HfregError, match="twice"):
        registry.edit("loud", define("return twice(text)", alias="loud", resources=["twice"]))
    with pytest.raises(ValueError, match="nobody"):
        registry.register(define("return nobody(text)", alias="lost", resources=["nobody"]))
    with pytest.raises(ValueError):
        registry.register(define("return self_made(text)", alias="self_made", resources=["self_made"]))


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


def test_the_time_limit_ends_a_call_as_a_timeout(registry: hfreg.Registry) -> None:
    registry.register(define("while True:\n    pass", limits=hfreg.Limits(time_s=0.3)))
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="probe") as caught:
        registry.model("probe")("a")
    assert isinstance(caught.value, hfreg.ScoringTimeout) and time.monotonic() - started < 10
    outcome = registry.test(define("return text", limits=hfreg.Limits(time_s=0.3, memory_mb=100)), text="a")
    assert outcome.tier == "inline"
