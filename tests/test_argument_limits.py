"""Limits of arguments: how they are read, what is wrong with them, what a call beyond them is told, where they go."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from check_rules import findings as code_findings

import hfreg
from hfreg import Argument, ArgumentError
from hfreg.argument_limits import MAX_CHOICES
from hfreg.cli import main
from hfreg.model import describe
from hfreg.store.documents import dump_definition
from hfreg.ui import form_draft, test_call
from hfreg.ui.form_words import as_text

SHARE = Argument("share", "Numerical", optional=True, default="0.5", minimum=0, maximum=1, usage="How much")
TONE = Argument("tone", "String", choices=["calm", "angry", "it's fine"])
SIZE = Argument("size", "Numerical", optional=True, choices=[128, 256.5])
SINCE = Argument("since", "DateTime", optional=True, minimum=datetime(2026, 1, 1), maximum="2026-12-31T12:00")
TEXT = Argument("text", "String", optional=True, max_length=5)
TAGS = Argument("tags", "Array[String]", optional=True, max_length=2)


def definition(*arguments: Argument, **fields: Any) -> hfreg.Definition:
    usual = {"alias": "limited", "description": "d", "scoring_logic": "return locals()", "output_type": "Any"}
    return hfreg.Definition(**{**usual, "arguments": arguments or (TONE, SHARE, SIZE, SINCE, TEXT, TAGS), **fields})


def refusal(**given: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        definition().bind(**{"tone": "calm", **given})
    return str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"share": 0},
        {"share": 1},
        {"share": 0.25},
        {"share": None},
        {"tone": None},
        {"tone": "it's fine"},
        {"size": 128.0},
        {"since": datetime(2026, 1, 1)},
        {"since": datetime(2026, 12, 31, 12, tzinfo=UTC)},
        {"text": "12345"},
        {"tags": ["a", "b"]},
        {"tags": []},
    ],
)
def test_values_within_the_limits_and_none_are_taken_as_they_are(given: dict[str, Any]) -> None:
    bound = definition().bind(**{"tone": "calm", **given})
    assert {name: bound[name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share": 1.5}, "Argument `share`: wanted Numerical from 0 to 1, found 1.5 (float). Give 1 or less."),
        ({"share": -1}, "Argument `share`: wanted Numerical from 0 to 1, found -1 (int). Give 0 or more."),
        ({"tone": "angyr"}, "Argument `tone`: wanted one of 'calm', 'angry', \"it's fine\", found 'angyr' (str). Did"),
        ({"tone": "ANGRY"}, "Did you mean 'angry'?"),
        ({"tone": "x" * 9999}, "Give one of these."),
        ({"size": 129}, "Argument `size`: wanted one of 128, 256.5, found 129 (int). Give one of these."),
        (
            {"since": datetime(2025, 12, 31)},
            "from 2026-01-01 to 2026-12-31T12:00, found 2025-12-31. Give 2026-01-01",
        ),
        ({"since": datetime(2027, 1, 1, tzinfo=UTC)}, "Give 2026-12-31T12:00 or earlier."),
        ({"text": "123456"}, "Argument `text`: wanted at most 5 characters, found 6. Shorten it."),
        ({"tags": ["a", "b", "c"]}, "Argument `tags`: wanted at most 2 items, found 3. Shorten it."),
        ({"share": "0.5"}, "Pass 0.5 without quotes"),
    ],
)
def test_a_value_beyond_them_is_refused_with_argument_value_limits_and_way_out(
    given: dict[str, Any], said: str
) -> None:
    message = refusal(**given)
    assert said in message
    assert len(message) < 300


def test_text_is_held_to_them_as_python_values_are() -> None:
    read = definition().parse_arguments({"share": "0.75", "tone": "calm", "size": "128", "text": ""})
    assert read == {"share": 0.75, "tone": "calm", "size": 128, "text": None}
    for name, text in {
        "share": "2",
        "tone": "Calm",
        "size": "1",
        "since": "2027-01-01",
        "tags": '["a", "b", "c"]',
    }.items():
        with pytest.raises(ArgumentError, match=f"`{name}`"):
            definition().parse_arguments({name: text})


@pytest.mark.parametrize(("given", "said"), [({"minimum": 3}, "at least 3"), ({"maximum": 0.5}, "at most 0.5")])
def test_one_end_of_a_range_may_stay_open(given: dict[str, Any], said: str) -> None:
    argument = Argument("n", "Numerical", **given)
    assert str(argument.limits) == said
    with pytest.raises(ArgumentError, match=f"wanted Numerical of {said}"):
        definition(argument).bind(n=1)


def test_limits_are_kept_as_plain_values_of_the_type_however_they_are_written() -> None:
    assert Argument("n", "Numerical", minimum="0", maximum="1.5") == Argument("n", "Numerical", minimum=0, maximum=1.5)
    assert type(Argument("n", "Numerical", minimum="0").minimum) is int
    assert SINCE.minimum == "2026-01-01T00:00:00"
    assert Argument("n", max_length="5") == Argument("n", max_length=5.0) == Argument("n", max_length=5)
    assert Argument("n", minimum="", maximum=None, choices=[]) == Argument("n")
    with pytest.raises(Exception, match="frozen"):
        SHARE.minimum = 5


@pytest.mark.parametrize(
    ("argument", "field", "said"),
    [
        (Argument("n", "Numerical", minimum=2, maximum=1), "maximum", "below the minimum 2, so no value fits"),
        (Argument("n", "Numerical", minimum="low"), "minimum", "'low' is not of the type Numerical"),
        (Argument("n", "Numerical", minimum=True), "minimum", "A Boolean is no Numerical"),
        (Argument("n", "Numerical", maximum=float("nan")), "maximum", "NaN and infinity are refused"),
        (Argument("n", "DateTime", maximum="soon"), "maximum", "Write ISO 8601"),
        (Argument("n", "String", minimum=1), "minimum", "no use for a minimum. It may have choices and a max length"),
        (Argument("n", "Boolean", choices=[True]), "choices", "No limit fits it"),
        (Argument("n", "Numerical", max_length=5), "max_length", "no use for a max length"),
        (Argument("n", "String", choices=[1]), "choices", 'Pass it as text: "1"'),
        (Argument("n", "Numerical", choices=[1, "two"]), "choices", "'two' is not of the type Numerical"),
        (Argument("n", "String", choices=["a", "b", "a"]), "choices", "The choice 'a' stands there twice"),
        (Argument("n", "Numerical", choices=[1, 1.0]), "choices", "stands there twice"),
        (Argument("n", "String", choices=["a", ""]), "choices", "None can always be given"),
        (Argument("n", "String", choices=["a", None]), "choices", "None can always be given"),
        (Argument("n", "Numerical", choices=[*range(MAX_CHOICES + 1)]), "choices", "at most 100 fit"),
        (Argument("n", "Numerical", choices=[1, 9], maximum=5), "choices", "The choice 9 could never be given"),
        (Argument("n", "String", choices=["abc"], max_length=2), "choices", "could never be given"),
        (Argument("n", "String", max_length=0), "max_length", "no whole number of at least 1"),
        (Argument("n", "String", max_length="ten"), "max_length", "The max length ten is no whole number"),
        (Argument("n", "Numerical", optional=True, default=7, maximum=5), "default", "Give 5 or less"),
        (Argument("n", optional=True, default="x", choices=["a"]), "default", "wanted one of 'a', found 'x'"),
    ],
)
def test_limits_that_cannot_be_used_block_registering_beside_their_field(
    registry: hfreg.Registry, argument: Argument, field: str, said: str
) -> None:
    with pytest.raises(hfreg.DefinitionError) as caught:
        registry.register(definition(argument))
    errors = [f for f in caught.value.findings if f.level == "error"]
    assert [f.field for f in errors] == [f"arguments[0].{field}"]
    assert said in errors[0].message


def test_what_is_no_list_of_choices_is_a_definition_error_at_once() -> None:
    with pytest.raises(hfreg.DefinitionError, match=r"Argument\.choices"):
        Argument("n", choices="abc")


def test_a_default_of_none_and_of_each_choice_is_within_the_limits() -> None:
    assert definition(Argument("n", optional=True, default="None", choices=["a"])).findings() == []
    assert definition(Argument("n", "Numerical", optional=True, default="2", choices=[1, 2])).findings() == []


def test_an_example_beyond_the_limits_is_told_and_blocks_nothing(registry: hfreg.Registry) -> None:
    examples = ({"tone": "calm"}, {"tone": "loud", "since": "2020-01-01T00:00:00"})
    told = [f for f in registry.check(definition(examples=examples)) if f.field.startswith("examples")]
    assert [(f.level, f.field) for f in told] == [("warning", "examples[1]"), ("warning", "examples[1]")]
    assert "Example 2 gives `tone` beyond its limits" in told[0].message
    assert registry.register(definition(examples=examples)).number == 1


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('x = 1\nif tone == "agnry": return x\nreturn 2', 2),
        ('return "loud" != tone', 1),
        ('return tone in ("calm",\n "loud")', 2),
        ('match tone:\n case "calm" | "loud":\n  return 1', 2),
        ("return share == 2", 1),
    ],
)
def test_code_that_compares_an_argument_with_a_value_that_it_never_has_is_told(source: str, line: int) -> None:
    told = [f for f in code_findings(source, arguments=(TONE, SHARE)) if "never has" in f.message]
    assert [(f.level, f.line) for f in told] == [("warning", line)]


@pytest.mark.parametrize(
    "source",
    [
        'return tone == "angry" or tone is None or tone == None or share == 1',
        'tone = tone.upper()\nreturn tone == "LOUD"',
        'f = lambda tone: tone == "loud"\nreturn f(tone)',
        "return share == 'x' or share == True or other == 5",
    ],
)
def test_code_that_may_be_right_is_left_alone(source: str) -> None:
    assert not [f for f in code_findings(source, arguments=(TONE, SHARE)) if "never has" in f.message]


def test_the_call_of_a_model_is_refused_before_anything_runs(registry: hfreg.Registry) -> None:
    registry.register(definition(TONE, scoring_logic="print('ran')\nreturn tone"))
    model = registry.model("limited")
    assert model(tone="calm") == "calm"
    outcome = model.run(tone="loud")
    assert isinstance(outcome.error, ArgumentError)
    assert outcome.stdout == ""
    assert [o.ok for o in model.map([{"tone": "calm"}, {"tone": "loud"}, {"tone": None}])] == [True, False, True]


def test_signature_docstring_and_command_line_say_them(
    registry: hfreg.Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    version = registry.register(definition(TONE, SHARE, scoring_logic="return [tone, share]"))
    assert version.definition.signature_text == (
        "(tone: Literal['calm', 'angry', \"it's fine\"], share: Annotated[float | int, 'from 0 to 1'] = 0.5) -> Any"
    )
    assert "    share (Numerical, from 0 to 1, default 0.5): How much" in describe(version)
    assert "    tone (String, one of 'calm', 'angry', \"it's fine\")" in describe(version)
    assert main(["show", "limited"]) == 0
    assert "  share: Numerical, from 0 to 1 (optional)  How much" in capsys.readouterr().out
    assert main(["run", "limited", "tone=calm", "share=2"]) == 2
    assert "wanted Numerical from 0 to 1, found 2 (int)" in capsys.readouterr().err
    assert main(["run", "limited", "tone=calm", "share=1"]) == 0


def test_many_choices_are_counted_in_the_signature() -> None:
    many = definition(Argument("n", "Numerical", choices=[*range(20)]))
    assert "Annotated[float | int, 'one of 0, 1, 2, 3, 4, 5, 6, 7, … (20 in all)']" in many.signature_text


def test_they_survive_export_the_store_the_form_and_pickling(registry: hfreg.Registry) -> None:
    made = definition()
    registry.register(made)
    text = registry.export("limited")
    assert json.loads(text)["definition"]["arguments"][1]["maximum"] == 1
    registry.delete("limited")
    assert registry.import_(text).definition == made
    assert hfreg.Definition(**{"alias": "limited", **json.loads(json.dumps(dump_definition(made)))}) == made
    kept = form_draft.restore(json.loads(json.dumps(form_draft.new(made))))
    assert kept is not None
    assert form_draft.definition(kept) == made
    assert not form_draft.changed(kept)
    made.bind(tone="calm")  # what it worked out goes along
    assert pickle.loads(pickle.dumps(made)).bind(tone="calm") == made.bind(tone="calm")


def test_files_and_drafts_without_limits_read_as_before_and_are_written_as_before() -> None:
    plain = Argument("n", "Numerical", optional=True, default="1")
    assert set(plain.model_dump(mode="json")) == {"alias", "type", "optional", "default", "usage"}
    assert Argument(**plain.model_dump(mode="json")) == plain
    draft: Any = form_draft.new(definition(plain))
    for row in (*draft["rows"], *draft["saved"]["rows"]):
        for name in ("minimum", "maximum", "choices", "max_length"):
            del row[name]
    kept = form_draft.restore(draft)
    assert kept is not None
    assert form_draft.definition(kept).arguments == (plain,)
    assert not form_draft.changed(kept)


def test_a_difference_shows_a_changed_limit() -> None:
    before, after = definition(SHARE), definition(SHARE.model_copy(update={"maximum": 2}))
    assert before.code_digest == after.code_digest
    old, new = set(as_text(before).splitlines()), set(as_text(after).splitlines())
    assert new - old == {"Argument share: Numerical, minimum 0, maximum 2, optional, default 0.5, How much"}


@pytest.mark.parametrize(
    ("argument", "beyond"),
    [
        (TONE, "loud"),
        (Argument("n", "Numerical", maximum=-3), 5),
        (Argument("n", "Numerical", minimum=7.5), 5),
        (Argument("n", "Numerical", choices=[4, 2]), 5),
        (Argument("at", "DateTime", minimum="2030-05-01"), "2020-01-01T00:00:00"),
        (Argument("text", max_length=3), "longer"),
    ],
)
def test_the_generated_call_of_test_code_lies_within_the_limits(argument: Argument, beyond: Any) -> None:
    for examples in ((), ({argument.alias: beyond},)):
        made = definition(argument, examples=examples)
        assert made.bind(**test_call.arguments_of(test_call.generated(made), made))


def test_an_argument_without_limits_is_taken_by_the_check_of_its_type_itself() -> None:
    argument = Argument("n", "Numerical")
    assert argument.limits is None
    assert argument.check == argument.parsed_type.check
    assert argument.from_text == argument.parsed_type.from_text
