"""Limits of arguments through the app: entered in the form, kept by its draft, shown and held to by the playground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from register_form import definition, draft, fill, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument, Definition

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    Argument("tone", choices=["calm", "angry"]),
    Argument("share", "Numerical", optional=True, default="0.5", minimum=0, maximum=1),
    Argument("size", "Numerical", optional=True, default="256", choices=[128, 256]),
    Argument("most", "Numerical", optional=True, default="10", maximum=100_000, minimum=0),
    Argument("since", "DateTime", optional=True, minimum="2026-01-01"),
    Argument("text", optional=True, max_length=5),
)


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it; it has a model, so no starters are registered."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition(alias="first"))
    yield registry
    st.cache_resource.clear()


def register_limited(server: hfreg.Registry, **fields: Any) -> None:
    server.register(
        Definition(alias="limited", output_type="Any", arguments=ARGUMENTS, scoring_logic="return locals()", **fields)
    )


def playground() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.query_params["alias"] = "limited"
    at.switch_page("pages/try_it/playground.py").run()
    assert not at.exception, at.exception
    return at


def widget(name: str, kind: str) -> str:
    return f"playground.limited.{name}.{kind}"


def run(at: AppTest) -> AppTest:
    at.button(key="playground.run").click().run()
    assert not at.exception, at.exception
    return at


def trials(at: AppTest) -> Any:
    if "playground.trials" not in at.session_state:
        return []
    return at.session_state["playground.trials"]


def test_limits_are_entered_under_an_argument_and_saved_with_it(server: hfreg.Registry) -> None:
    at = opened(alias="first")
    assert "register.argument.2.minimum" not in {one.key for one in at.text_input}
    press(at, "argument.2.limits")
    fill(at, **{"argument.2.minimum": "0", "argument.2.maximum": "1"})
    press(at, "argument.1.limits")
    at.multiselect(key="register.argument.1.choices").set_value(["good", "bad"]).run()
    fill(at, **{"argument.1.max_length": "4"})
    assert "text: Literal['good', 'bad']" in said(at)
    assert "Annotated[float | int, 'from 0 to 1']" in said(at)
    press(at, "argument.2.limits")
    assert at.button(key="register.argument.2.limits").label == "Limits: from 0 to 1"
    press(at, "save")
    text, threshold = server.get("first").definition.arguments
    assert (text.choices, text.max_length) == (("good", "bad"), 4)
    assert (threshold.minimum, threshold.maximum) == (0, 1)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("minimum", "low", "**Minimum** · Argument `threshold`: 'low' is not of the type Numerical"),
        ("maximum", "-1", "The default of `threshold` is outside of its limits: wanted Numerical of at most -1"),
        ("choices", ["0.1", "x"], "**Choices** · Argument `threshold`: 'x' is not of the type Numerical"),
        ("choices", ["0.1", "0.9"], "wanted one of 0.1, 0.9, found 0.5"),
    ],
)
def test_a_limit_that_cannot_be_used_is_told_under_it_and_blocks_saving(
    server: hfreg.Registry, name: str, value: Any, sentence: str
) -> None:
    at = press(opened(alias="first"), "argument.2.limits")
    if name == "choices":
        at.multiselect(key="register.argument.2.choices").set_value(value).run()
    else:
        fill(at, **{f"argument.2.{name}": value})
    assert sentence in said(at)
    press(at, "save")
    assert "One error keeps this from being saved" in said(at)
    assert server.get("first").snapshot == 1


def test_a_limit_of_another_type_stays_in_view_until_it_is_emptied(server: hfreg.Registry) -> None:
    at = press(opened(alias="first"), "argument.2.limits")
    fill(at, **{"argument.2.minimum": "0"})
    press(at, "argument.2.limits")
    at.selectbox(key="register.argument.2.type").set_value("Boolean").run()
    fill(at, **{"argument.2.default": ""})
    assert "no use for a minimum. No limit fits it; empty this one" in said(at)
    fill(at, **{"argument.2.minimum": ""})
    assert "no use for" not in said(at)
    assert "register.argument.2.limits" not in {one.key for one in at.button}


def test_limits_outlive_a_reload_and_an_undone_deletion(server: hfreg.Registry) -> None:
    at = press(opened(alias="first"), "argument.2.limits")
    fill(at, **{"argument.2.maximum": "1"})
    press(at, "argument.2.delete")
    press(at, "undo")
    again = opened(alias="first")
    assert again.button(key="register.argument.2.limits").label == "Limits: at most 1"
    assert draft(again)["rows"][1]["maximum"] == "1"


def test_the_playground_shows_a_field_that_keeps_to_the_limits(server: hfreg.Registry) -> None:
    register_limited(server)
    at = playground()
    assert at.selectbox(key=widget("tone", "choice")).options == ["calm", "angry"]
    assert at.selectbox(key=widget("tone", "choice")).value is None
    assert at.selectbox(key=widget("size", "choice")).value == 256
    share = at.number_input(key=widget("share", "number"))
    assert (share.min, share.max, share.step, share.value) == (0, 1, 0.01, 0.5)
    slides = {one.key: (one.min, one.max, one.value) for one in at.slider}
    assert slides == {widget("share", "number") + ".slide": (0, 1, 0.5)}  # 100,000 steps are none
    words = "\n".join(one.value for one in at.caption).replace("\\", "")
    assert "Numerical, from 0 to 1 · optional, default 0.5" in words
    assert "String, at most 5 characters" in words


def test_number_field_and_slider_move_each_other(server: hfreg.Registry) -> None:
    register_limited(server)
    at, share = playground(), widget("share", "number")
    at.slider(key=f"{share}.slide").set_value(0.25).run()
    assert at.number_input(key=share).value == 0.25
    at.number_input(key=share).set_value(0.75).run()
    assert at.slider(key=f"{share}.slide").value == 0.75
    at.number_input(key=share).set_value(None).run()
    assert not at.slider
    at.selectbox(key=widget("tone", "choice")).set_value("angry")
    run(at)
    assert (trials(at)[0].arguments["share"], trials(at)[0].arguments["tone"]) == (None, "angry")
    assert trials(at)[0].arguments["size"] == 256
    assert type(trials(at)[0].arguments["size"]) is int


def test_what_the_browser_lets_through_is_refused_beside_its_field(server: hfreg.Registry) -> None:
    register_limited(server)
    at = run(playground())
    assert "`tone` is empty" in said(at)
    at.selectbox(key=widget("tone", "choice")).set_value("calm")
    at.text_area(key=widget("text", "text_area")).set_value("too long")
    run(at)
    assert "wanted at most 5 characters, found 8. Shorten it." in said(at)
    assert not trials(at)
    at.text_area(key=widget("text", "text_area")).set_value("fits")
    at.datetime_input(key=widget("since", "date")).set_value(datetime(2026, 5, 1))
    run(at)
    assert trials(at)[0].arguments["since"] == datetime(2026, 5, 1)


def test_an_example_from_before_the_limits_is_shown_as_it_is_and_refused(server: hfreg.Registry) -> None:
    register_limited(server, examples=({"tone": "loud", "share": 3, "size": 64, "since": "2020-01-01T00:00:00"},))
    at = playground()
    at.button(key="playground.example.0").click().run()
    assert not at.exception, at.exception
    assert at.selectbox(key=widget("tone", "choice")).value == "loud"
    assert at.number_input(key=widget("share", "number")).value == 3
    run(at)
    assert at.datetime_input(key=widget("since", "date")).value == datetime(2020, 1, 1)
    for problem in (
        "found 'loud' (str)",
        "found 3 (int). Give 1 or less",
        "found 64 (int)",
        "Give 2026-01-01 or later",
    ):
        assert problem in said(at)
    assert not trials(at)
    at.number_input(key=widget("share", "number")).set_value(0.5).run()
    assert at.number_input(key=widget("share", "number")).value == 0.5
    assert at.number_input(key=widget("share", "number")).max == 1


def test_the_page_of_a_model_says_its_limits(server: hfreg.Registry) -> None:
    register_limited(server)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.query_params["alias"] = "limited"
    at.switch_page("pages/catalog/model.py").run()
    assert not at.exception, at.exception
    (table,) = at.table
    assert [text.replace("\\", "") for text in table.value["Type"]][:2] == [
        "String, one of 'calm', 'angry'",
        "Numerical, from 0 to 1",
    ]
