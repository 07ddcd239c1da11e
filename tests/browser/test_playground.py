"""The playground in a real Chromium: typing, keys, leaving and coming back, polling, phone and dark, no other host."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from browser_app import Workbench, settled
from playwright.sync_api import Locator, Page, expect

from hfreg import Argument, Definition
from hfreg.store.calls import Call, CallFilter

pytestmark = pytest.mark.browser

SENTIMENT = 'return {"sentiment": "positive" if "good" in (text or "") else "negative", "confidence": 0.97}'
WRITER = """
import time
print("dipping the pen")
for word in ("one", "two", "three"):
    time.sleep(0.6)
    yield word + " "
"""
ENDLESS = "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)"
EMBED = "return [float(len(text)), 1.0, 0.0, 0.0]"


@pytest.fixture(scope="module", autouse=True)
def models(app: Workbench) -> None:
    """Models registered by another process than the server's."""
    text = [Argument("text", usage="What to look at")]
    threshold = Argument("threshold", "Numerical", optional=True, default="0.5")
    everything: list[dict[str, Any]] = [
        {
            "alias": "sentiment",
            "output_type": "Map[String, Any]",
            "arguments": [*text, threshold],
            "scoring_logic": SENTIMENT,
            "examples": ({"text": "a good one", "threshold": 0.8},),
        },
        {"alias": "writer", "output_type": "String", "scoring_logic": WRITER},
        {"alias": "endless", "scoring_logic": ENDLESS},
        {"alias": "embed", "output_type": "Array[Numerical]", "arguments": text, "scoring_logic": EMBED},
    ]
    for fields in everything:
        app.registry.register(Definition(**fields))


def panel(page: Page) -> Locator:
    return page.locator(".st-key-playground-panel")


def button(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-playground-{name} button").first


def field(page: Page, name: str = "text") -> Locator:
    return page.get_by_label(name, exact=True)


def go(page: Page, name: str) -> None:
    link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=name)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")


def newest_call(app: Workbench, alias: str) -> Call:
    """Wait for the newest call of a model in the log, which is written up to a second later."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        calls = app.registry.events.calls(CallFilter(alias=alias))
        if calls:
            return calls[0]
        time.sleep(0.1)
    pytest.fail(f"No call of {alias} was logged.")


def test_what_was_typed_runs_by_a_click(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    field(page).fill("a good day")
    button(page, "run").click()
    expect(panel(page)).to_contain_text("positive")
    expect(panel(page)).to_contain_text("0.97")
    expect(panel(page)).to_contain_text(re.compile(r"ms \(.*model .*platform .*queue .*version 1 Draft.* inline"))
    assert newest_call(app, "sentiment").source == "playground"


def test_ctrl_enter_runs_from_within_the_text_once(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    field(page).click()
    page.keyboard.type("bad weather")
    page.keyboard.press("Control+Enter")
    expect(panel(page)).to_contain_text("negative")
    settled(page)
    expect(page.get_by_role("button", name="Rerun")).to_have_count(1)


def test_what_was_typed_is_there_again_after_a_page_switch(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    field(page).fill("kept")
    field(page, "threshold").fill("0.25")
    page.keyboard.press("Tab")
    settled(page)
    go(page, "Usage")
    settled(page)
    go(page, "Playground")
    expect(field(page)).to_have_value("kept")
    expect(field(page, "threshold")).to_have_value("0.25")


@pytest.mark.soak  # the same without a browser: tests/pages
def test_a_run_goes_on_while_another_page_is_shown(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="writer")
    button(page, "run").click()
    expect(panel(page)).to_contain_text("Running")
    go(page, "Usage")
    go(page, "Playground")
    expect(panel(page)).to_contain_text("dipping the pen")
    expect(panel(page)).to_contain_text("one two three", timeout=10_000)
    expect(button(page, "run")).to_be_enabled()


def test_a_reload_finds_the_run_in_work_again_and_can_stop_it(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="endless")
    button(page, "run").click()
    expect(panel(page)).to_contain_text("begun")
    expect(page).to_have_url(re.compile(r"run=\w{32}"))
    page.reload()
    expect(panel(page)).to_contain_text("begun", timeout=15_000)
    expect(panel(page)).to_contain_text("Running")
    button(page, "stop").click()
    expect(panel(page)).to_contain_text("was stopped")
    expect(page).not_to_have_url(re.compile("run="))


def test_pieces_are_shown_as_they_come(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="writer")
    button(page, "run").click()
    expect(panel(page)).to_contain_text("one")
    expect(panel(page)).not_to_contain_text("three")
    expect(panel(page)).to_contain_text("Running")
    expect(panel(page)).to_contain_text("one two three", timeout=10_000)
    expect(panel(page)).not_to_contain_text("Running")


def test_stop_ends_the_run_in_the_engine_and_it_is_logged_as_cancelled(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="endless")
    expect(button(page, "stop")).to_be_disabled()
    button(page, "run").click()
    expect(panel(page)).to_contain_text("begun")
    expect(button(page, "run")).to_be_disabled()
    button(page, "stop").click()
    expect(panel(page)).to_contain_text("was stopped")
    expect(button(page, "run")).to_be_enabled()
    assert newest_call(app, "endless").status == "cancelled"


def test_a_chip_fills_the_form_and_reset_empties_it(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    page.get_by_role("button", name="a good one").click()
    expect(field(page)).to_have_value("a good one")
    expect(field(page, "threshold")).to_have_value("0.8")
    button(page, "reset").click()
    expect(field(page)).to_have_value("")
    expect(field(page, "threshold")).to_have_value("0.5")


def test_an_empty_number_is_none_and_an_empty_required_text_is_refused(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    field(page, "threshold").fill("")
    button(page, "run").click()
    expect(page.get_by_text("is empty. Give a value, or tick None.")).to_be_visible()
    field(page).fill("good")
    button(page, "code").click()
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("threshold=None")
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("from hfreg.models import sentiment")


@pytest.mark.soak  # the same without a browser: tests/pages
def test_a_trial_is_rerun_and_two_are_compared(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="sentiment")
    for text in ("good", "dull"):
        field(page).fill(text)
        button(page, "run").click()
        expect(page.locator("[class*=st-key-playground-trial]").first).to_contain_text(text)
        settled(page)
    page.get_by_role("button", name="Rerun").last.click()
    expect(field(page)).to_have_value("good")
    expect(page.get_by_role("button", name="Rerun")).to_have_count(3)
    settled(page)
    ticks = page.get_by_test_id("stCheckbox").filter(has_text="Compare the call")
    for place in (0, 1):
        ticks.nth(place).locator("label").click()
        settled(page)
    comparison = page.locator(".st-key-playground-comparison")
    expect(comparison).to_contain_text("positive")
    expect(comparison).to_contain_text("negative")


@pytest.mark.soak  # the same without a browser: tests/pages
def test_the_vector_of_a_second_text_is_compared(app: Workbench, page: Page) -> None:
    app.open(page, "playground", alias="embed")
    field(page).fill("four")
    button(page, "run").click()
    expect(panel(page)).to_contain_text("Norm")
    page.get_by_label("Compare with a second text").fill("eight888")
    page.locator(".st-key-playground-answer-compare button").click()
    expect(panel(page)).to_contain_text("0.9927")


@pytest.mark.soak
def test_dark_is_dark_and_a_phone_does_not_scroll_sideways(app: Workbench, dark_page: Page, phone_page: Page) -> None:
    for page in (dark_page, phone_page):
        app.open(page, "playground", alias="sentiment")
        field(page).fill("a good day")
        button(page, "run").click()
        expect(panel(page)).to_contain_text("positive")
    ground = dark_page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", ground)[:3]) < 60
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
    box = panel(phone_page).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
