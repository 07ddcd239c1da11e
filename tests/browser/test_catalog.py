"""The catalog and the page of a model in a real Chromium: live search, address, menus, dialogs, phone and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from browser_app import Workbench, settled
from catalog_pages import LOGIC, definition
from playwright.sync_api import Locator, Page, expect

from hfreg import Registry
from hfreg.store.calls import Call, new_call_id, utc_now
from hfreg.ui import catalog

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def models(app: Workbench, browser: object) -> None:
    """Models registered by another process than the server's, one of them called and approved."""
    registry = app.registry
    registry.register(definition("mood", name="Mood of texts", model_type="Text Classification"), author="ann")
    changed = definition("mood", name="Mood", scoring_logic=LOGIC.replace("0.9", "0.95"))
    registry.edit("mood", changed, "Surer", author="bob")
    registry.submit("mood", "Please look", "ann")
    registry.review("mood", "Accept", "bob", "Reads well")
    registry.clone("mood", author="ann")
    registry.register(definition("judge", resources=["mood"], model_type="Guardrail"))
    registry.register(definition("waits", model_type="Guardrail"))
    registry.submit("waits", actor="ann")
    for number in range(catalog.ROWS):
        registry.definitions.add(definition(f"z_{number:02d}"), "ann")
    for days in (0, 0, 1, 3):
        at = utc_now() - timedelta(days=days)
        registry.events.record(Call(new_call_id(), at, "mood", 1, "Approved", "python", "ann", "ok", total_ms=12.0))
    registry.events.flush()


@pytest.fixture
def fresh(app: Workbench) -> Callable[[str], Registry]:
    """Return what registers a Draft of the test's own."""

    def register(alias: str) -> Registry:
        app.registry.register(definition(alias))
        return app.registry

    return register


def row(page: Page, alias: str) -> Locator:
    return page.locator(f".st-key-models_row_{alias}")


def choose(page: Page, alias: str, action: str) -> None:
    row(page, alias).get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).or_(page.get_by_role("option", name=action)).first.click()
    settled(page)


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def open_tab(page: Page, name: str) -> None:
    """Open a tab; a click into the first drawing of a page may send nothing to the server, so it is repeated."""
    tab = page.get_by_role("tab", name=name)
    for _ in range(3):
        tab.click()
        page.wait_for_timeout(500)
        if tab.get_attribute("aria-selected") == "true":
            return


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_the_list_narrows_while_one_types_and_the_address_keeps_it(app: Workbench, page: Page) -> None:
    app.open(page)
    expect(row(page, "judge")).to_be_visible()
    page.get_by_label("Search").press_sequentially("mood xyz")
    expect(row(page, "judge")).to_have_count(0)
    expect(page.get_by_text("No model fits")).to_be_visible()
    page.get_by_label("Search").fill("moo")
    expect(row(page, "mood")).to_be_visible()
    expect(page).to_have_url(f"{app.url}/?q=moo")
    page.reload()
    expect(row(page, "mood")).to_be_visible()
    expect(page.get_by_label("Search")).to_have_value("moo")
    expect(row(page, "judge")).to_have_count(0)


def test_filters_and_pages_are_in_the_address(app: Workbench, page: Page) -> None:
    app.open(page)
    page.get_by_role("button", name="Next page").or_(page.get_by_label("Next")).first.click()
    expect(row(page, "z_19")).to_be_visible()
    expect(page).to_have_url(f"{app.url}/?page=2")
    page.locator(".st-key-models_type").get_by_text("Guardrail").click()
    expect(row(page, "judge")).to_be_visible()
    expect(row(page, "mood")).to_have_count(0)
    expect(page).to_have_url(re.compile("type=Guardrail"))
    page.reload()
    expect(row(page, "judge")).to_be_visible()
    expect(row(page, "z_00")).to_have_count(0)


@pytest.mark.soak  # the same without a browser: tests/pages
def test_what_waits_is_shown_by_the_page_and_by_the_sidebar(app: Workbench, page: Page) -> None:
    app.open(page)
    page.get_by_role("button", name="1 model waits for review").click()
    expect(row(page, "judge")).to_have_count(0)
    expect(page).to_have_url(f"{app.url}/?state=Pending+Approval")
    app.open(page, "model", alias="judge")
    page.get_by_test_id("stSidebar").get_by_text("1 waiting for review").click()
    expect(row(page, "waits")).to_be_visible()
    expect(row(page, "judge")).to_have_count(0)


def test_the_bars_of_the_last_days_are_drawn_and_told(app: Workbench, page: Page) -> None:
    app.open(page, q="mood")
    bars = row(page, "mood").get_by_role("img")
    expect(bars).to_have_attribute("aria-label", re.compile("over the last 7 days, today last: [0-9, ]+$"))
    assert bars.bounding_box()["height"] == 24  # type: ignore[index]


def test_the_alias_opens_the_page_of_the_model_and_back_returns_to_the_search(app: Workbench, page: Page) -> None:
    app.open(page, q="mood")
    row(page, "mood").get_by_role("link", name="mood").click()
    expect(page.get_by_role("heading", name="Mood", exact=True)).to_be_visible()
    expect(page).to_have_url(f"{app.url}/model?alias=mood&version=2")
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("mood")
    expect(row(page, "judge")).to_have_count(0)


def test_a_model_is_renamed_in_a_dialog_and_back(app: Workbench, page: Page, fresh: Callable[[str], Registry]) -> None:
    registry = fresh("old_name")
    app.open(page, q="_name")
    choose(page, "old_name", "Rename")
    field = dialog(page).get_by_label("New alias")
    field.fill("class")
    field.press("Enter")
    expect(dialog(page).get_by_text("is a Python keyword")).to_be_visible()
    expect(dialog(page).get_by_role("button", name="Rename")).to_be_disabled()
    field.fill("judge")
    field.press("Enter")
    dialog(page).get_by_role("button", name="Rename").click()
    expect(dialog(page).get_by_text("is registered already")).to_be_visible()
    field.fill("new_name")
    field.press("Enter")
    dialog(page).get_by_role("button", name="Rename").click()
    expect(row(page, "new_name")).to_be_visible()
    expect(dialog(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "old_name")).to_be_visible()
    assert "old_name" in registry.definitions.aliases()


def test_a_draft_is_deleted_after_a_question_and_brought_back(
    app: Workbench, page: Page, fresh: Callable[[str], Registry]
) -> None:
    registry = fresh("passing")
    registry.edit("passing", definition("passing"), "Once more")
    saves = registry.snapshots("passing")
    app.open(page, q="passing")
    choose(page, "passing", "Delete")
    dialog(page).get_by_role("button", name="Keep it").click()
    expect(dialog(page)).to_have_count(0)
    assert registry.definitions.find("passing")
    choose(page, "passing", "Delete")
    dialog(page).get_by_role("button", name="Delete").click()
    expect(row(page, "passing")).to_have_count(0)
    expect(page.get_by_text("Deleted passing version 1.")).to_be_visible()
    assert registry.definitions.find("passing") is None
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "passing")).to_be_visible()
    expect(page.get_by_text("passing version 1 is back with its 2 saves.")).to_be_visible()
    assert registry.snapshots("passing") == saves


def test_an_export_is_downloaded_and_imported_again(app: Workbench, page: Page, tmp_path: Path) -> None:
    app.open(page, q="mood")
    choose(page, "mood", "Export")
    with page.expect_download() as started:
        dialog(page).get_by_role("button", name="Download").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    assert file.name == "mood-v2.json"
    file.write_text(file.read_text().replace('"alias": "mood"', '"alias": "mood_copy"'))
    app.open(page)
    page.get_by_role("button", name="Import").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Import as a Draft").click()
    expect(page.get_by_text("Imported mood_copy as version 1, a Draft.")).to_be_visible()
    assert app.registry.get("mood_copy").definition.scoring_logic == LOGIC.replace("0.9", "0.95")
    app.registry.delete("mood_copy")


def test_a_wrong_file_is_refused_in_place(app: Workbench, page: Page) -> None:
    app.open(page)
    page.get_by_role("button", name="Import").click()
    wrong = {"name": "wrong.json", "mimeType": "application/json", "buffer": json.dumps({"a": 1}).encode()}
    page.locator("input[type=file]").set_input_files(wrong)
    page.get_by_role("button", name="Import as a Draft").click()
    expect(page.get_by_text("This is no export of hfreg")).to_be_visible()


def test_the_open_tab_is_in_the_address_and_another_model_starts_anew(app: Workbench, page: Page) -> None:
    app.open(page, "model", alias="judge")
    open_tab(page, "History")
    expect(page.get_by_role("heading", name="Everything that was done")).to_be_visible()
    expect(page).to_have_url(f"{app.url}/model?alias=judge&tab=History")
    page.reload()
    expect(page.get_by_role("heading", name="Everything that was done")).to_be_visible()
    settled(page)
    open_tab(page, "Overview")
    page.get_by_role("link", name="mood").click()
    expect(page.get_by_role("heading", name="Mood", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Contract")).to_be_visible()
    expect(page).to_have_url(f"{app.url}/model?alias=mood")
    page.go_back()
    expect(page.get_by_role("heading", name="judge", exact=True)).to_be_visible()


def test_a_difference_of_two_saves_is_coloured(app: Workbench, page: Page) -> None:
    app.open(page, "model", alias="mood", tab="History")
    expect(page.locator(".cm-changedLine").first).to_be_visible()
    expect(page.locator(".cm-deletedChunk").first).to_be_visible()


def test_a_version_is_chosen_and_back_returns_to_the_other(app: Workbench, page: Page) -> None:
    app.open(page, "model", alias="mood")
    page.locator(".st-key-model_version").get_by_role("combobox").click()
    page.get_by_role("option", name="Version 1, Approved").click()
    expect(page).to_have_url(re.compile("version=1"))
    expect(page.get_by_text("Calls by the alias use this version")).to_be_visible()


def test_a_review_goes_its_whole_way(app: Workbench, page: Page, fresh: Callable[[str], Registry]) -> None:
    registry = fresh("candidate")
    app.open(page, "model", alias="candidate")
    page.locator(".st-key-model_review button").click()
    page.get_by_label("Note to the reviewer").fill("Please look")
    page.locator(".st-key-review_submit button").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()
    page.get_by_label("Comment", exact=True).fill("Which data?")
    page.get_by_role("button", name="Need Info").click()
    expect(page.locator(".st-key-review_entry_0").get_by_text("Which data?")).to_be_visible()
    settled(page)
    page.get_by_label("Comment", exact=True).fill("Good")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("version 1 is Approved")).to_be_visible()
    assert [e.comment for e in registry.history("candidate")][:3] == ["Good", "Which data?", "Please look"]


@pytest.mark.parametrize("name", ["phone_page", "dark_page"])
def test_the_pages_fit_a_phone_and_the_dark(app: Workbench, name: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(name)
    app.open(page)
    expect(row(page, "z_00")).to_be_visible()
    assert not overflows(page)
    for tab in ("Overview", "Code", "History", "Review", "Use"):
        app.open(page, "model", alias="mood", tab=tab)
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        assert not overflows(page), tab
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert ground == ("rgb(20, 22, 28)" if name == "dark_page" else "rgb(255, 255, 255)")
