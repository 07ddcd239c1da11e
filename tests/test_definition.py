"""Definitions and arguments as values: equality, copies, binding, reading from text."""

from __future__ import annotations

import pytest

import hfreg
from hfreg.argument import name_problem


def definition(**fields: object) -> hfreg.Definition:
    arguments = [
        hfreg.Argument("text", "str"),
        hfreg.Argument("threshold", "float", optional=True, default=0.5),
        hfreg.Argument("mode", "String", optional=True, default="None"),
    ]
    return hfreg.Definition(**{"alias": "probe", "arguments": arguments, "scoring_logic": "return text", **fields})


def test_a_definition_is_a_value() -> None:
    assert definition() == definition()
    assert definition() != definition(notes="x")
    with pytest.raises(Exception, match="frozen"):
        definition().alias = "other"


def test_a_changed_copy_keeps_nothing_of_what_the_old_one_had_worked_out() -> None:
    before = definition()
    digest, signature = before.code_digest, str(before.signature)
    changed = before.model_copy(update={"scoring_logic": "return 1", "arguments": []})
    assert changed.code_digest != digest
    assert (signature, str(changed.signature)) == (
        "(text: str, threshold: float | int = 0.5, mode: str = None) -> Any",
        "() -> Any",
    )
    with pytest.raises(hfreg.DefinitionError, match=r"no field `alais`\. Did you mean `alias`"):
        before.model_copy(update={"alais": "x"})


@pytest.mark.parametrize(
    "change",
    [
        {"scoring_logic": "return 2"},
        {"token": True},
        {"network": True},
        {"pickled_weights": True},
        {"resources": ["other"]},
        {"arguments": []},
    ],
)
def test_everything_that_changes_what_a_loaded_model_does_changes_its_digest(change: dict[str, object]) -> None:
    assert definition(**change).code_digest != definition().code_digest


@pytest.mark.parametrize("change", [{"description": "x"}, {"notes": "y"}, {"group": "z"}, {"store_payloads": True}])
def test_words_about_a_model_leave_its_digest_alone(change: dict[str, object]) -> None:
    assert definition(**change).code_digest == definition().code_digest


def test_types_are_kept_in_their_canonical_notation() -> None:
    made = definition(output_type="dict[str, str]")
    assert made.output_type == "Map[String, String]"
    assert [a.type for a in made.arguments] == ["String", "Numerical", "String"]


def test_python_types_are_taken_for_the_notation() -> None:
    d = definition(
        arguments=[hfreg.Argument("text", str), hfreg.Argument("flag", bool), hfreg.Argument("tags", list[str])],
        output_type=dict[str, float],
    )
    assert [a.type for a in d.arguments] == ["String", "Boolean", "Array[String]"]
    assert d.output_type == "Map[String, Numerical]"
    assert d.findings() == definition(arguments=d.arguments).findings()
    wrong = hfreg.Argument("text", bytes)
    assert [(f.field, "`bytes` is unknown" in f.message) for f in wrong.findings("arguments[0]")] == [
        ("arguments[0].type", True)
    ]


@pytest.mark.parametrize("provider", ["OpenAI", "hugging face", ""])
def test_an_unknown_model_provider_is_an_error_that_names_the_known_ones(
    registry: hfreg.Registry, provider: str
) -> None:
    wrong = definition(model_provider=provider)
    (finding,) = [f for f in wrong.findings() if f.level == "error"]
    assert finding.field == "model_provider"
    assert repr(provider) in finding.message and "Known: Hugging Face." in finding.message
    with pytest.raises(hfreg.DefinitionError, match=r"model_provider: .* is no model provider"):
        registry.register(wrong)
    assert definition(model_provider="Hugging Face").findings() == definition().findings()


def test_defaults_are_text_and_read_by_type() -> None:
    assert [a.default for a in definition().arguments] == [None, "0.5", "None"]
    assert definition().bind(text="a") == {"text": "a", "threshold": 0.5, "mode": None}


def test_an_int_stays_an_int_on_its_way_to_the_tokenizer() -> None:
    made = definition(arguments=[hfreg.Argument("max_length", "Numerical", optional=True, default="512")])
    assert type(made.bind()["max_length"]) is int
    assert type(made.bind(max_length=64)["max_length"]) is int


def test_none_may_be_passed_to_any_argument() -> None:
    assert definition().bind(text=None, threshold=None) == {"text": None, "threshold": None, "mode": None}


def test_text_from_a_form_is_read_by_type_and_the_argument_is_named_when_it_cannot_be() -> None:
    assert definition().parse_arguments({"text": "a", "threshold": "0.8"}) == {"text": "a", "threshold": 0.8}
    with pytest.raises(hfreg.ArgumentError, match="`threshold`"):
        definition().parse_arguments({"threshold": "high"})
    with pytest.raises(hfreg.ArgumentError, match="Did you mean `threshold`"):
        definition().parse_arguments({"treshold": "1"})


def test_a_default_of_a_required_argument_is_warned_about() -> None:
    made = definition(arguments=[hfreg.Argument("text", default="x")])
    assert [(f.level, f.field) for f in made.findings() if f.level == "warning"] == [
        ("warning", "arguments[0].default")
    ]


def test_the_signature_reads_as_people_write_it() -> None:
    arguments = [hfreg.Argument("at", "DateTime"), hfreg.Argument("more", "Any", optional=True)]
    made = definition(arguments=arguments, output_type="Map[String, Any]")
    assert made.signature_text == "(at: datetime, more: Any = None) -> dict[str, Any]"


def test_optional_before_required_makes_the_signature_keyword_only() -> None:
    made = definition(arguments=[hfreg.Argument("a", optional=True), hfreg.Argument("b")])
    assert str(made.signature) == "(*, a: str = None, b: str) -> Any"


@pytest.mark.parametrize("name", ["text", "x1", "_private", "a" * 63, "self", "None_"])
def test_names_that_python_code_can_use(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is needed"),
        ("class", "Try `class_name`"),
        ("None", "keyword"),
        ("my model", "Try `my_model`"),
        ("1st", "Try `model_1st`"),
        ("naïve", "Try"),
        ("__x", "two underscores"),
        ("a" * 64, "64 characters"),
        ("x;y", "Try `x_y`"),
        ("日本", "letters, digits"),
    ],
)
def test_names_that_it_cannot_use_come_with_one_it_can(name: str, said: str) -> None:
    assert said in str(name_problem(name))


def test_a_default_that_one_call_changes_is_untouched_for_the_next() -> None:
    made = hfreg.Definition(
        alias="collect",
        arguments=[
            hfreg.Argument("tags", "List[String]", optional=True, default='["new"]'),
            hfreg.Argument("seen", "Map[String, List[String]]", optional=True, default='{"a": []}'),
        ],
        output_type="String",
    )
    first = made.bind()
    first["tags"].append("of one user")
    first["seen"]["a"].append("of one user")
    made.signature.parameters["tags"].default.append("of one user")
    made.arguments[0].default_value.append("of one user")
    assert made.bind() == {"tags": ["new"], "seen": {"a": []}}
    assert str(made.signature) == "(tags: list[str] = ['new'], seen: dict[str, list[str]] = {'a': []}) -> str"
