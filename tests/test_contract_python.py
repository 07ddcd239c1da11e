"""Acceptance of the contract, section 3: open, define, register, call.

Written from the contract alone, as somebody outside would call it. Names, errors and the life
of a version stand in their own files.
"""

from __future__ import annotations

import datetime
import getpass
import inspect
import pydoc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract_samples import TEXT, define

import hfreg

THRESHOLD = hfreg.Argument("threshold", "Numerical", optional=True, default="0.5", usage="Classification threshold")


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


def test_the_time_limit_ends_a_call_as_a_timeout(registry: hfreg.Registry) -> None:
    registry.register(define("while True:\n    pass", limits=hfreg.Limits(time_s=0.3)))
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="probe") as caught:
        registry.model("probe")("a")
    assert isinstance(caught.value, hfreg.ScoringTimeout) and time.monotonic() - started < 10
    outcome = registry.test(define("return text", limits=hfreg.Limits(time_s=0.3, memory_mb=100)), text="a")
    assert outcome.tier == "inline"
