"""The Usage page in a real Chromium: charts, a period drawn with the mouse, rows, one call, the CSV, dark and phone.

Covers what only the browser shows. Numbers and filters are in tests/pages/test_usage.py.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser_app import Workbench, settled
from playwright.sync_api import Browser, Locator, Page, expect

import hfreg
from hfreg.store.calls import Call, new_call_id

pytestmark = pytest.mark.browser

CHARTS = 4
ROW = 35  # pixels of a row of a table


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A workbench with 60 calls of the last day."""
    running = Workbench(tmp_path_factory.mktemp("usage") / "home")
    running.registry.register(
        hfreg.Definition(alias="guard", name="Guard", output_type="String", scoring_logic='return "x"', arguments=[])
    )
    now = datetime.now(UTC)
    for n in range(60):
        status = "error" if n % 10 == 0 else "ok"
        running.registry.events.record(
            Call(
                new_call_id(),
                now - timedelta(minutes=20 * n + 1),
                "guard" if n % 3 else "embedder",
                1,
                "Draft",
                "python",
                "ada",
                status,
                "ValueError" if n % 10 == 0 else "",
                "=1+1" if n % 10 == 0 else "",
                cold=n == 0,
                run_ms=3.0 + n,
                total_ms=4.0 + n,
            )
        )
    assert running.registry.events.flush()
    yield running
    running.close()


def drawn(page: Page) -> None:
    """Wait until charts and tables are drawn."""
    expect(page.locator("[data-testid=stVegaLiteChart] :is(svg, canvas).marks")).to_have_count(CHARTS, timeout=30_000)
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible(timeout=30_000)
    settled(page)


def calls(page: Page) -> Locator:
    """Return the number of calls that the page shows."""
    metric = page.locator("[data-testid=stMetric]").filter(has=page.get_by_text("Calls", exact=True))
    return metric.locator("[data-testid=stMetricValue]")


def select_row(page: Page, table: str, row: int) -> None:
    """Click the box before a row; `table` is the name in the table's key."""
    grid = page.locator(f"[class*=st-key-usage-{table}-] .stDataFrameGlideDataEditor").first
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": 16, "y": ROW * (row + 1) + ROW // 2})


def test_the_page_draws_its_charts_and_names_zone_and_freshness(app: Workbench, page: Page) -> None:
    app.open(page, "usage")
    drawn(page)
    expect(calls(page)).to_have_text("60", timeout=15_000)
    expect(page.locator("body")).to_contain_text("may be missing")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(page.locator("body")).to_contain_text(f"times in {zone}")


def test_drawing_a_period_into_the_bars_makes_it_the_range(app: Workbench, page: Page) -> None:
    app.open(page, "usage")
    drawn(page)
    chart = page.locator("[class*=st-key-usage-over_time-]").locator(":is(svg, canvas).marks")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] * 0.6
    page.mouse.move(box["x"] + box["width"] * 0.75, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.85, middle, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=5)
    page.mouse.up()
    page.wait_for_url("**range=custom**", timeout=15_000)
    drawn(page)
    expect(calls(page)).not_to_have_text("60", timeout=15_000)
    assert 0 < int(calls(page).inner_text()) < 60
    expect(page.get_by_text("From", exact=True)).to_be_visible()


@pytest.mark.soak  # the same without a browser: tests/pages
def test_a_row_of_the_models_narrows_the_page_and_back_widens_it(app: Workbench, page: Page) -> None:
    app.open(page, "usage", range="7d")
    drawn(page)
    select_row(page, "alias", 0)
    page.wait_for_url("**alias=guard**", timeout=15_000)
    drawn(page)
    expect(calls(page)).to_have_text("40", timeout=15_000)
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("button", name="Clear filters")).to_have_count(0)
    expect(calls(page)).to_have_text("60", timeout=15_000)


def test_a_call_opens_over_the_page_by_its_row_and_by_its_address(app: Workbench, page: Page) -> None:
    app.open(page, "usage")
    drawn(page)
    select_row(page, "calls", 0)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("are not stored", timeout=15_000)
    expect(dialog).to_contain_text("embedder version 1")
    expect(dialog).to_contain_text("Scoring logic")
    address = page.url
    assert "call=" in address
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    settled(page)
    page.wait_for_url(lambda url: "call=" not in url, timeout=15_000)
    page.goto(address)
    expect(page.get_by_role("dialog")).to_contain_text("are not stored", timeout=20_000)


def test_the_csv_that_is_downloaded_holds_the_calls_and_no_formula(app: Workbench, page: Page, tmp_path: Path) -> None:
    app.open(page, "usage", status="error")  # calls without an answer have no latency to draw
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    target = tmp_path / "calls.csv"
    download.value.save_as(target)
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert {row["error"] for row in rows} == {"'=1+1"}


@pytest.mark.soak
def test_the_page_works_in_the_dark_and_on_a_phone(app: Workbench, dark_page: Page, phone_page: Page) -> None:
    for page in (dark_page, phone_page):
        app.open(page, "usage")
        drawn(page)
        expect(calls(page)).to_have_text("60", timeout=15_000)
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 390
