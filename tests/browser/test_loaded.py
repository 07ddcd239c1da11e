"""The Loaded models page in a real Chromium: it moves by itself, and takes nothing from under hands.

Its figures and buttons are in tests/pages/test_loaded.py.
"""

from collections.abc import Iterator

import pytest
from browser_app import Workbench, settled
from playwright.sync_api import Browser, Page, expect

import hfreg

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A workbench with two models."""
    running = Workbench(tmp_path_factory.mktemp("loaded") / "home")
    for alias in ("guard", "mood"):
        running.registry.register(hfreg.Definition(alias=alias, scoring_logic='return "x"', arguments=[]))
    yield running
    running.close()


def load(page: Page, alias: str) -> None:
    page.locator(".st-key-loaded-choose input").click()
    page.get_by_role("option", name=f"{alias} · version 1").click()
    page.get_by_role("button", name="Load now").click()
    expect(page.locator(f".st-key-loaded_row_{alias}_1")).to_be_visible(timeout=20_000)
    settled(page)


def test_another_page_sees_what_is_loaded_and_unloaded_without_being_touched(app: Workbench, page: Page) -> None:
    app.open(page, "loaded")
    other = page.context.new_page()
    app.open(other, "loaded")
    expect(other.get_by_text("Nothing is loaded")).to_be_visible()
    load(page, "guard")
    expect(other.locator(".st-key-loaded_row_guard_1")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Unload").click()
    expect(other.locator(".st-key-loaded_row_guard_1")).to_have_count(0, timeout=10_000)


def test_what_is_being_typed_and_where_the_focus_is_outlive_the_updates(app: Workbench, page: Page) -> None:
    app.open(page, "loaded")
    load(page, "guard")
    choose = page.locator(".st-key-loaded-choose input")
    choose.click()
    choose.press_sequentially("moo")
    page.wait_for_timeout(4_000)  # more than one update
    expect(choose).to_be_focused()
    expect(choose).to_have_value("moo")
    expect(page.get_by_role("option", name="mood · version 1")).to_be_visible()
    page.keyboard.press("Escape")
    restart = page.get_by_role("button", name="Restart")
    restart.focus()
    page.wait_for_timeout(4_000)
    expect(restart).to_be_focused()


def test_the_page_fits_a_phone(app: Workbench, phone_page: Page) -> None:
    app.open(phone_page, "loaded")
    expect(phone_page.get_by_role("heading", name="Loaded models")).to_be_visible()
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
