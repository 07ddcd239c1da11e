"""The first visit to a fresh server, when it is a deep link."""

from __future__ import annotations

import time

from browser_app import Workbench
from playwright.sync_api import Page, expect

import hfreg


def test_a_deep_link_to_a_fresh_server_opens_its_page_and_nothing_stands_before_it(app: Workbench, page: Page) -> None:
    app.registry.register(hfreg.Definition(alias="shout", arguments=[hfreg.Argument("text")], scoring_logic="return 1"))
    app.open(page, "playground", alias="shout")
    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    time.sleep(1)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Run").click(timeout=5000)
