"""Limits of arguments in a real Chromium: typed with the keyboard, moved by a slider, at 390 px."""

from __future__ import annotations

import re

import pytest
from browser_app import Workbench, settled
from playwright.sync_api import Locator, Page, expect

from hfreg import Argument, Definition

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def model(app: Workbench) -> None:
    """A model registered by another process than the server's."""
    arguments = [Argument("tone"), Argument("share", "Numerical", optional=True, default="0.5")]
    app.registry.register(
        Definition(
            alias="reply", description="d", output_type="Any", arguments=arguments, scoring_logic="return [tone, share]"
        )
    )


def at(page: Page, key: str) -> Locator:
    """Return the widget of a key."""
    return page.locator(f".st-key-{key.replace('.', '-')}")


def press(page: Page, key: str) -> None:
    at(page, key).locator("button").first.click()
    settled(page)


def test_limits_are_typed_in_saved_and_kept_by_the_playground(app: Workbench, page: Page) -> None:
    app.open(page, "register", alias="reply")
    press(page, "register.argument.1.limits")
    choices = at(page, "register.argument.1.choices").locator("input")
    for word in ("calm", "angry"):
        choices.press_sequentially(word)
        page.keyboard.press("Enter")
        settled(page)
        expect(at(page, "register.argument.1.choices")).to_contain_text(word)
    press(page, "register.argument.2.limits")
    at(page, "register.argument.2.minimum").locator("input").click()
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    expect(at(page, "register.row.2")).to_contain_text("The maximum 1 is below the minimum 2")
    at(page, "register.argument.2.minimum").locator("input").fill("0")
    page.keyboard.press("Control+s")
    expect(at(page, "register.done")).to_contain_text("snapshot 2", timeout=15_000)
    tone, share = app.registry.get("reply").definition.arguments
    assert (tone.choices, share.minimum, share.maximum) == (("calm", "angry"), 0, 1)

    app.open(page, "playground", alias="reply")
    at(page, "playground.reply.tone.choice").locator("input").click()
    page.get_by_role("option", name="angry").click()
    settled(page)
    page.get_by_role("slider").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
        settled(page)
    expect(page.get_by_label("share", exact=True)).to_have_value("0.6")
    settled(page)
    press(page, "playground.run")
    expect(at(page, "playground.panel")).to_contain_text(re.compile("angry.*0.6", re.DOTALL))


@pytest.mark.soak
def test_the_rows_of_limits_fit_a_phone(app: Workbench, phone_page: Page) -> None:
    page = phone_page
    app.open(page, "register", alias="reply")
    for number in (1, 2):
        press(page, f"register.argument.{number}.limits")
        for name in ("choices", "max_length") if number == 1 else ("minimum", "maximum", "choices"):
            box = at(page, f"register.argument.{number}.{name}").bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
