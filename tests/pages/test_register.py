"""The New Model page: filling in, checking, formatting, starting from something, saving."""

from __future__ import annotations

import json

import pytest
from register_form import LOGIC, draft, fill, opened, press, said

import hfreg
from hfreg import templates
from hfreg.scoring import tasks
from hfreg.ui import session


def test_a_model_is_registered_field_by_field(server: hfreg.Registry) -> None:
    at = fill(opened(), name="Rater", description="Rates a text.", group="Texts", permissible_purpose="Tests")
    at.selectbox(key="register.ownership_type").set_value("Internal").run()
    at.selectbox(key="register.model_type").set_value("Guardrail").run()
    at.selectbox(key="register.output_type").set_value("List").run()
    fill(at, alias="my_rater")
    press(at, "add_argument")
    fill(at, **{"argument.1.alias": "text", "argument.1.usage": "Main input content"})
    press(at, "add_argument")
    fill(at, **{"argument.2.alias": "threshold", "argument.2.default": "0.5"})
    at.selectbox(key="register.argument.2.type").set_value("Numerical").run()
    at.segmented_control(key="register.argument.2.optional").set_value("Yes").run()
    assert "0.5 · number" in said(at)
    fill(at, code=LOGIC, note="The first one")
    press(at, "save")
    version = server.get("my_rater")
    saved = version.definition
    assert (saved.name, saved.group, saved.permissible_purpose) == ("Rater", "Texts", "Tests")
    assert (saved.ownership_type, saved.model_type, saved.output_type) == ("Internal", "Guardrail", "List")
    assert saved.arguments == (
        hfreg.Argument("text", "String", usage="Main input content"),
        hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
    )
    assert (saved.scoring_logic, version.note, version.state) == (LOGIC, "The first one", "Draft")
    assert "Saved my_rater as snapshot 1 of version 1" in said(at).replace("*", "")
    assert at.query_params["alias"] == "my_rater"
    assert server.autosaves.all(session.user()) == []


@pytest.mark.parametrize(
    ("alias", "sentence"),
    [
        ("class", "is a Python keyword. Try `class_name`"),
        ("First", "The alias `first` is taken"),
        ("größe", "is not a name that Python code can use"),
        ("x=__import__('os')", "is not a name that Python code can use"),
        ("__hidden", "starts with two underscores"),
    ],
)
def test_an_alias_that_cannot_be_used_says_why_beside_its_field(
    server: hfreg.Registry, alias: str, sentence: str
) -> None:
    at = fill(opened(), alias=alias)
    assert sentence in said(at)
    assert "is free" not in said(at)
    press(at, "save")
    assert server.definitions.aliases() == ["first"]
    assert draft(at)["fields"]["alias"] == alias


def test_a_free_alias_says_so(server: hfreg.Registry) -> None:
    assert "`brand_new` is free" in said(fill(opened(), alias="brand_new"))


def test_an_empty_form_blames_nobody_before_it_is_saved(server: hfreg.Registry) -> None:
    at = opened()
    assert "this from being saved" not in said(at)
    press(at, "save")
    assert "One error keeps this from being saved" in said(at)
    assert "[Alias](#code-configuration)" in said(at)


def test_errors_stand_beside_their_fields_with_a_summary_and_lose_nothing(server: hfreg.Registry) -> None:
    at = fill(opened(template="guardrail"), alias="guard", code="return txet\n")
    fill(at, **{f"argument.{draft(at)['rows'][1]['id']}.default": "half"})
    press(at, "save")
    words = said(at)
    assert "2 errors keep this from being saved" in words
    assert "`txet` is not defined. Did you mean `text`?" in words
    assert "[Scoring Logic, line 1](#scoring-logic)" in words
    assert "[Arguments · threshold · Default Value](#arguments)" in words
    assert draft(at)["fields"]["scoring_logic"] == "return txet\n"
    assert server.definitions.find("guard") is None


def test_the_page_shows_nothing_that_was_typed_as_markup(server: hfreg.Registry) -> None:
    at = fill(opened(), alias="![x](http://127.0.0.2/x.png)<b>")
    raw = "\n".join(m.value for m in at.markdown)
    assert "![x](" not in raw
    assert "<b>" not in raw


def test_every_input_type_can_be_chosen(server: hfreg.Registry) -> None:
    at = opened()
    states = {radio.key.rpartition(".")[2]: (radio.disabled, radio.options, radio.value) for radio in at.radio}
    assert states["API Based"] == (False, ["API Based"], None)
    assert states["Custom"] == (False, ["Custom"], None)
    assert states["Python Function"] == (False, ["Python Function"], "Python Function")
    assert at.selectbox(key="register.model_provider").value == "Hugging Face"


def test_arguments_move_and_a_deleted_one_comes_back_to_its_place(server: hfreg.Registry) -> None:
    at = opened(template="guardrail")
    first, second, third = (row["id"] for row in draft(at)["rows"])
    press(at, f"argument.{third}.up")
    assert [row["alias"] for row in draft(at)["rows"]] == ["text", "max_length", "threshold"]
    press(at, f"argument.{first}.down")
    assert [row["alias"] for row in draft(at)["rows"]] == ["max_length", "text", "threshold"]
    assert at.button(key=f"register.argument.{third}.up").disabled
    assert at.button(key=f"register.argument.{second}.down").disabled
    press(at, f"argument.{first}.delete")
    press(at, "add_argument")
    assert "Deleted the argument `text`" in said(at)
    press(at, "undo")
    assert [row["alias"] for row in draft(at)["rows"]] == ["max_length", "text", "threshold", ""]
    assert len({row["id"] for row in draft(at)["rows"]}) == 4


def test_the_text_none_as_a_default_says_that_it_means_no_value(server: hfreg.Registry) -> None:
    at = press(opened(), "add_argument")
    fill(at, **{"argument.1.alias": "hint", "argument.1.default": "None"})
    assert "None · no value" in said(at)


def test_switches_say_what_they_do(server: hfreg.Registry) -> None:
    at = fill(opened(), alias="switched", code="return None\n")
    assert "without texts and answers" in said(at)
    for name in ("token", "network", "pickled_weights", "store_payloads"):
        at.toggle(key=f"register.{name}").set_value(True).run()
    at.multiselect(key="register.resources").set_value(["first"]).run()
    at.number_input(key="register.time_s").set_value(5.0).run()
    at.text_area(key="register.notes").set_value("For colleagues").run()
    assert "keeps its arguments and its answer" in said(at)
    press(at, "save")
    saved = server.get("switched").definition
    assert (saved.token, saved.network, saved.pickled_weights, saved.store_payloads) == (True, True, True, True)
    assert (saved.resources, saved.limits.time_s, saved.notes) == (("first",), 5.0, "For colleagues")


def test_format_lays_the_code_out_and_leaves_what_it_cannot_read(server: hfreg.Registry) -> None:
    at = fill(opened(), code="return  {  'a':1 }\n")
    assert draft(press(at, "format"))["fields"]["scoring_logic"] == 'return {"a": 1}\n'
    fill(at, code="return (\n")
    press(at, "format")
    assert draft(at)["fields"]["scoring_logic"] == "return (\n"
    assert "Nothing was changed" in said(at)


def test_the_form_offers_the_templates_that_the_installed_transformers_can_run(
    server: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = [template.title for template in templates.TEMPLATES]
    assert opened().button_group(key="register.template").options == titles
    monkeypatch.setattr(tasks, "known", lambda: frozenset({"fill-mask"}))
    offered = opened().button_group(key="register.template").options
    assert offered == ["Fill mask", "Sentence embedding", "Text ranking", "Blank"]


def test_a_template_fills_the_form_and_undo_brings_back_what_stood_there(server: hfreg.Registry) -> None:
    at = fill(opened(), alias="mine", code="return 1\n")
    at.button_group(key="register.template").set_value("text-generation").run()
    assert draft(at)["fields"]["alias"] == "text_generator"
    assert [row["alias"] for row in draft(at)["rows"]] == ["text", "max_length", "temperature"]
    press(at, "undo")
    assert (draft(at)["fields"]["alias"], draft(at)["fields"]["scoring_logic"]) == ("mine", "return 1\n")


def test_a_registered_model_is_a_start_under_a_free_alias(server: hfreg.Registry) -> None:
    at = opened()
    at.selectbox(key="register.origin").set_value("first").run()
    assert draft(at)["fields"]["alias"] == "first_2"
    assert [row["alias"] for row in draft(at)["rows"]] == ["text", "threshold"]
    assert draft(opened(**{"from": "first"}))["fields"]["alias"] == "first_2"
    assert "No model" in said(opened(**{"from": "nobody"}))


def test_an_exported_file_is_a_start_and_a_wrong_one_says_what_is_wrong(server: hfreg.Registry) -> None:
    at = opened()
    text = server.export("first")
    at.file_uploader[0].upload("first.json", text.encode(), "application/json").run()
    assert not at.exception
    assert draft(at)["fields"]["alias"] == "first"
    assert "The alias `first` is taken" in said(at)
    newer = {**json.loads(text), "schema": 99}
    at.file_uploader[0].upload("newer.json", json.dumps(newer).encode(), "application/json").run()
    assert "newer hfreg (schema 99" in said(at)
    assert draft(at)["fields"]["alias"] == "first"
