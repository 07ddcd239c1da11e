"""Registering a model in a real Chromium: typing, keys, the caret, reload, restart, narrow and dark pages.

Covers what only the browser shows. What the page says about each field is in tests/pages/test_register.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser_app import Workbench, settled
from playwright.sync_api import Locator, Page, expect

import hfreg

pytestmark = pytest.mark.browser

LOGIC = 'print("seen", len(text))\nreturn {"sentiment": "positive", "confidence": threshold}'


@pytest.fixture(scope="module", autouse=True)
def no_starters(app: Workbench) -> None:
    """A home with a model in it gets no starter models."""
    app.registry.register(hfreg.Definition(alias="first", description="d", scoring_logic="return 1"))


def at(page: Page, key: str) -> Locator:
    """Return the widget of a key."""
    return page.locator(f".st-key-register-{key.replace('.', '-')}")


def field(page: Page, key: str) -> Locator:
    return at(page, key).locator("input, textarea").first


def press(page: Page, key: str) -> None:
    at(page, key).locator("button").first.click()
    settled(page)


def write_code(page: Page, key: str, text: str) -> None:
    """Replace what an editor holds, as a paste does."""
    at(page, key).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def saved(page: Page) -> Locator:
    return at(page, "done")


def test_the_whole_form_is_filled_with_the_keyboard_and_saved_with_ctrl_s(app: Workbench, page: Page) -> None:
    app.open(page, "register")
    field(page, "name").press_sequentially("Sentiment")
    field(page, "description").fill("RoBERTa-based. Use for customer feedback.")
    field(page, "alias").press_sequentially("class", delay=10)
    expect(at(page, "card.code-configuration")).to_contain_text("class is a Python keyword. Try class_name.")
    field(page, "alias").fill("by_keyboard")
    expect(at(page, "card.code-configuration")).to_contain_text("by_keyboard is free")
    press(page, "add_argument")
    field(page, "argument.1.alias").press_sequentially("text")
    press(page, "add_argument")
    field(page, "argument.2.alias").press_sequentially("threshold")
    field(page, "argument.2.type").fill("num")
    page.keyboard.press("Enter")
    settled(page)
    at(page, "argument.2.optional").get_by_text("Yes").click()
    field(page, "argument.2.default").fill("0.5")
    page.keyboard.press("Tab")
    expect(at(page, "row.2")).to_contain_text("0.5 · number")
    write_code(page, "code", LOGIC)
    expect(at(page, "contract")).to_contain_text("by_keyboard(text: str, threshold: ")
    page.keyboard.press("Control+Enter")
    expect(at(page, "test")).to_contain_text("positive", timeout=15_000)
    expect(at(page, "test")).to_contain_text("seen 14")
    field(page, "name").press("End")
    field(page, "name").press_sequentially(" analyzer")
    page.keyboard.press("Control+s")  # in the field, before it is left
    expect(saved(page)).to_contain_text("Saved by_keyboard as snapshot 1 of version 1", timeout=15_000)
    definition = app.registry.get("by_keyboard").definition
    assert (definition.name, definition.scoring_logic) == ("Sentiment analyzer", LOGIC)
    assert definition.arguments[1] == hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")
    assert app.registry.model("by_keyboard")(text="Great")["confidence"] == "0.5"


def test_ctrl_s_in_the_code_saves_what_was_just_typed(app: Workbench, page: Page) -> None:
    app.registry.register(hfreg.Definition(alias="in_code", description="d", scoring_logic="return 1"))
    app.open(page, "register", alias="in_code")
    write_code(page, "code", "return 2")
    page.keyboard.press("Control+s")
    expect(saved(page)).to_contain_text("snapshot 2", timeout=15_000)
    assert app.registry.get("in_code").definition.scoring_logic == "return 2"


def test_a_finding_that_comes_takes_nothing_from_the_field_in_which_one_types(app: Workbench, page: Page) -> None:
    app.open(page, "register")
    field(page, "alias").fill("class")  # its finding comes a moment later
    field(page, "group").press_sequentially("typed while it comes", delay=40)
    expect(at(page, "card.code-configuration")).to_contain_text("is a Python keyword")
    expect(field(page, "group")).to_have_value("typed while it comes")
    press(page, "save")
    expect(at(page, "summary")).to_contain_text("keeps this from being saved")
    at(page, "summary").get_by_role("link", name="Alias").click()
    expect(field(page, "alias")).to_be_in_viewport()
    field(page, "alias").fill("good_name")  # the summary goes a moment later
    field(page, "group").click()
    page.keyboard.press("End")
    page.keyboard.type(", still here", delay=60)
    expect(at(page, "summary")).to_have_count(0)
    expect(field(page, "group")).to_have_value("typed while it comes, still here")


def test_a_reload_shows_what_was_typed_and_a_marked_line(app: Workbench, page: Page) -> None:
    app.open(page, "register", template="guardrail")
    field(page, "alias").fill("reloaded")
    write_code(page, "code", "return txet")
    expect(at(page, "findings")).to_contain_text("Did you mean text?")
    expect(at(page, "code").locator(".cm-lintRange-error")).to_have_text("txet")
    settled(page)
    page.reload()
    expect(field(page, "alias")).to_have_value("reloaded", timeout=15_000)
    expect(at(page, "code").locator(".cm-content")).to_have_text("return txet")
    page.get_by_test_id("stSidebarNav").get_by_text("Usage").click()
    expect(at(page, "alias")).to_have_count(0)
    page.get_by_test_id("stSidebarNav").get_by_text("New model").click()
    expect(field(page, "alias")).to_have_value("reloaded", timeout=15_000)


@pytest.mark.soak  # the editor's own: tests/browser/test_editor.py
def test_completion_offers_the_arguments(app: Workbench, page: Page) -> None:
    app.open(page, "register", template="guardrail")
    at(page, "code").locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("max_l")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("max_length")


def test_a_slow_run_is_followed_and_stopped(app: Workbench, page: Page) -> None:
    app.open(page, "register")
    field(page, "alias").fill("slow")
    write_code(page, "code", "import time\nprint('began', flush=True)\nwhile True:\n    time.sleep(0.05)")
    press(page, "test.run")
    expect(at(page, "test")).to_contain_text("began", timeout=15_000)
    field(page, "group").fill("typed during the run")
    page.keyboard.press("Tab")
    at(page, "test.stop").locator("button").first.click()
    expect(at(page, "test.answer")).to_be_visible(timeout=15_000)
    expect(at(page, "test.stop")).to_have_count(0)
    expect(field(page, "group")).to_have_value("typed during the run")


def test_two_people_see_both_saves_side_by_side(app: Workbench, page: Page) -> None:
    app.registry.register(hfreg.Definition(alias="shared", description="d", scoring_logic="return 'old'"))
    app.open(page, "register", alias="shared")
    write_code(page, "code", "return 'mine'")
    expect(at(page, "discard")).to_be_visible()
    theirs = app.registry.get("shared").definition.model_copy(update={"scoring_logic": "return 'theirs'"})
    app.registry.edit("shared", theirs, author="bob")
    press(page, "save")
    expect(at(page, "conflict")).to_contain_text("bob saved snapshot 2 of version 1")
    expect(at(page, "diff_code")).to_contain_text("return 'theirs'")
    expect(at(page, "diff_code")).to_contain_text("return 'mine'")
    press(page, "save_mine")
    expect(saved(page)).to_contain_text("snapshot 3", timeout=15_000)


def test_an_exported_file_is_dropped_in(app: Workbench, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "first.json"
    file.write_text(app.registry.export("first").replace('"alias": "first"', '"alias": "from_file"'))
    app.open(page, "register")
    page.locator("input[type=file]").set_input_files(file)
    expect(field(page, "alias")).to_have_value("from_file", timeout=15_000)


@pytest.mark.parametrize(
    "look",
    [
        pytest.param({}, marks=pytest.mark.soak),
        pytest.param({"color_scheme": "dark"}, marks=pytest.mark.soak),
        {"viewport": {"width": 390, "height": 844}},
    ],
    ids=["light", "dark", "phone"],
)
def test_the_page_fits_its_window(app: Workbench, open_page: Any, look: dict[str, Any]) -> None:
    page = app.open(open_page(**look), "register", template="guardrail")
    expect(at(page, "contract")).to_contain_text("prompt_guard")
    wider = (
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter(e => e.scrollWidth > innerWidth + 1).length"
    )
    assert page.evaluate(wider) == 0
    at(page, "save").scroll_into_view_if_needed()
    expect(at(page, "save").locator("button").first).to_be_in_viewport()
