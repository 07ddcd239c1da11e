"""Fixtures of the browser tests: a running workbench for each module, and pages of a real Chromium.

    def test_the_catalog_opens(app: Workbench, page: Page) -> None:
        app.registry.register(...)
        app.open(page, "models")

`page` is 1280 px wide and light, `dark_page` dark, `phone_page` 390 px wide; `open_page(...)` opens one as asked.
When a test ends, no request of its pages may have left 127.0.0.1 and no script in them may have failed. Without a
Chromium the tests skip with the reason; with HFREG_REQUIRE_BROWSER=1 they fail. The names come from `browser_app`:
`from browser_app import Workbench, settled`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser_app import CHROMIUM, Visit, Workbench
from playwright.sync_api import Browser, Page, expect, sync_playwright

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; one for each module, because two Playwrights cannot live in one thread."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        reason = "no program named chromium on the PATH"
        pytest.fail(reason) if os.environ.get("HFREG_REQUIRE_BROWSER") == "1" else pytest.skip(reason)
    expect.set_options(timeout=15_000)  # what is awaited comes late on a busy machine, and then it comes
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A running workbench with an empty home, shared by the tests of a module."""
    running = Workbench(tmp_path_factory.mktemp("workbench") / "home")
    yield running
    running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Return what opens a page in a browser session of its own; keywords as of `Browser.new_context`."""
    opened: list[tuple[Page, Visit]] = []

    def open_one(**options: Any) -> Page:
        usual = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
        context = browser.new_context(**{**usual, **options})
        page = context.new_page()
        opened.append((page, Visit(page)))
        return page

    yield open_one
    for page, _ in opened:
        page.context.close()
    for _, visit in opened:
        visit.check()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A light page 1280 px wide."""
    return open_page()


@pytest.fixture
def dark_page(open_page: OpenPage) -> Page:
    """A dark page 1280 px wide."""
    return open_page(color_scheme="dark")


@pytest.fixture
def phone_page(open_page: OpenPage) -> Page:
    """A light page as wide as a phone, 390 px."""
    return open_page(viewport={"width": 390, "height": 844})
