"""The draft of the form: the way from a definition and back, rows, and drafts of other times."""

from __future__ import annotations

import json

import pytest

import hfreg
from hfreg.definition import Limits
from hfreg.templates import BLANK, TEMPLATES
from hfreg.ui import form_draft


def full() -> hfreg.Definition:
    return hfreg.Definition(
        alias="full",
        name="Full",
        arguments=[
            hfreg.Argument("text"),
            hfreg.Argument("n", "Numerical", optional=True, default="1", usage="How many"),
        ],
        output_type="List",
        scoring_logic="return [text] * n",
        resources=("other",),
        token=True,
        limits=Limits(time_s=2.5, memory_mb=512),
        batching=False,
        store_payloads=True,
        examples=({"text": "a"},),
        notes="n",
    )


@pytest.mark.parametrize("definition", [full(), *(t.definition for t in TEMPLATES)], ids=lambda d: d.alias or "blank")
def test_a_definition_survives_the_form_and_json_word_for_word(definition: hfreg.Definition) -> None:
    kept = form_draft.restore(json.loads(json.dumps(form_draft.new(definition))))
    assert kept is not None
    assert form_draft.definition(kept) == definition
    assert not form_draft.changed(kept)


def test_rows_keep_their_ids_and_none_is_given_twice() -> None:
    draft = form_draft.new(full())
    place, row = form_draft.take_row(draft, 2)
    form_draft.add_row(draft)
    form_draft.put_row(draft, place, row)
    form_draft.move_row(draft, 1, -1)
    assert [r["id"] for r in draft["rows"]] == [1, 2, 3]
    form_draft.fill(draft, full())
    assert [r["id"] for r in draft["rows"]] == [4, 5]


def test_a_draft_of_another_hfreg_keeps_what_is_still_known() -> None:
    draft = dict(form_draft.new(full()))
    draft["fields"] = {"alias": "old", "gone": 1}
    draft["gone"] = 1
    kept = form_draft.restore(draft)
    assert kept is not None
    assert (kept["fields"]["alias"], kept["fields"]["output_type"]) == ("old", BLANK.output_type)
    assert "gone" not in kept
    assert form_draft.restore({"fields": {"alias": 7}}) is None
    assert form_draft.restore({}) is None


def test_a_field_is_named_as_on_the_screen() -> None:
    draft = form_draft.new(full())
    assert form_draft.place_name("arguments[1].default", draft) == "Arguments · n · Default Value"
    assert form_draft.place_name("arguments[9].alias", draft) == "Arguments · row 10 · Alias"
    assert form_draft.place_name("resources[0]", draft) == "Resources"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("num", "Numerical"), ("Numer", "Numerical"), ("dict[str, str]", "dict[str, str]"), ("int", "int"), ("x", "x")],
)
def test_the_beginning_of_a_type_counts_as_the_type(typed: str, meant: str) -> None:
    assert form_draft.completed(typed, ("String", "Numerical")) == meant


def test_an_alias_is_taken_case_aside_but_not_by_itself() -> None:
    draft = form_draft.new(full())
    assert form_draft.taken(draft, "FULL", ["full"])[0].field == "alias"
    draft["target"] = "full"
    assert form_draft.taken(draft, "FULL", ["full"]) == []
