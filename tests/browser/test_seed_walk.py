"""The user's whole way in a real Chromium: register the model of the specification word for word, try it, call it
from Python by its alias, and find the calls on the Usage page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_app import ROOT, Workbench, settled
from loopback_hub import LoopbackHub
from playwright.sync_api import Browser, Locator, Page, expect
from tiny_checkpoints import TinyCheckpoints

pytestmark = pytest.mark.browser

SEED = (ROOT / "tests" / "seed.md").read_bytes().decode()
SCORING_LOGIC = re.findall(r"```python\n(.*?)```", SEED, re.DOTALL)[1]
DESCRIPTION = re.search(r'For example: "(RoBERTa-based.*?)"', SEED)[1]  # type: ignore[index]
REPO = "cardiffnlp/twitter-roberta-base-sentiment-latest"
LOADS_S = 90_000


@pytest.fixture(scope="module")
def hub(tiny_checkpoints: TinyCheckpoints) -> Iterator[LoopbackHub]:
    with LoopbackHub() as server:
        server.add_repo(REPO, tiny_checkpoints.classifier)
        yield server


@pytest.fixture(scope="module")
def app(browser: Browser, hub: LoopbackHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A fresh workbench that may ask that Hub."""
    folder = tmp_path_factory.mktemp("seed")
    running = Workbench(
        folder / "home",
        HF_ENDPOINT=hub.url,
        HF_HUB_OFFLINE="0",
        HF_HUB_DISABLE_TELEMETRY="1",
        HFREG_ENGINE="",  # as on a fresh machine: processes on Linux
    )
    yield running
    running.close()


def at(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-register-{key.replace('.', '-')}")


def field(page: Page, key: str) -> Locator:
    return at(page, key).locator("input, textarea").first


def choose(page: Page, key: str, option: str) -> None:
    field(page, key).fill(option)
    page.keyboard.press("Enter")
    settled(page)


def argument(page: Page, number: int, alias: str, kind: str, default: str | None) -> None:
    at(page, "add_argument").locator("button").first.click()
    field(page, f"argument.{number}.alias").fill(alias)
    page.keyboard.press("Tab")
    choose(page, f"argument.{number}.type", kind)
    if default is not None:
        at(page, f"argument.{number}.optional").get_by_text("Yes").click()
        field(page, f"argument.{number}.default").fill(default)
        page.keyboard.press("Tab")
    settled(page)


def fill_in(page: Page) -> None:
    field(page, "name").fill("Sentiment")
    field(page, "description").fill(DESCRIPTION)
    field(page, "alias").fill("sentiment_classifier")
    page.keyboard.press("Tab")
    choose(page, "output_type", "Map[String, String]")
    argument(page, 1, "text", "String", None)
    argument(page, 2, "threshold", "Numerical", "0.5")
    at(page, "code").locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(SCORING_LOGIC)


def test_a_newcomer_registers_the_model_of_the_specification_tries_it_calls_it_and_sees_its_use(
    app: Workbench, hub: LoopbackHub, page: Page, tmp_path: Path
) -> None:
    app.open(page)
    expect(page.get_by_text("sentiment_analyzer").first).to_be_visible()  # the starter models are there
    page.get_by_role("link", name=re.compile("New model")).click()
    fill_in(page)
    page.keyboard.press("Control+Enter")  # Test Code, from within the editor
    expect(at(page, "test")).to_contain_text("confidence", timeout=LOADS_S)
    expect(at(page, "test")).to_contain_text("Struct[sentiment: String, confidence: Numerical]")
    page.keyboard.press("Control+s")
    expect(at(page, "done")).to_contain_text("Saved sentiment_classifier as snapshot 1", timeout=15_000)
    version = app.registry.get("sentiment_classifier")
    assert version.definition.scoring_logic == SCORING_LOGIC
    assert [pin.repo for pin in version.pins] == [REPO]

    page.get_by_role("button", name=re.compile("Try it in the Playground")).click()
    page.get_by_label("text", exact=True).fill("This product is amazing!")
    page.locator(".st-key-playground-run button").first.click()
    panel = page.locator(".st-key-playground-panel")
    expect(panel).to_contain_text(re.compile("positive|neutral|negative|uncertain"), timeout=LOADS_S)
    expect(panel).to_contain_text(f"pinned {version.pins[0].commit[:7]}")

    code = "from hfreg.models import sentiment_classifier\nprint(sentiment_classifier(text='Great', threshold=0.8))"
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HFREG_HOME": str(app.home),
        "HF_HOME": str(app.home.parent / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HOME": str(tmp_path),
    }
    called = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert "sentiment" in called.stdout, called.stderr

    app.open(page, "usage", alias="sentiment_classifier")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text(re.compile(r"Calls\s*3"), timeout=15_000)  # Test Code, the playground, Python
    for source in ("test", "playground", "python"):
        expect(main.get_by_text(source, exact=False).first).to_be_attached()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="models run in processes on Linux only")
def test_the_process_that_serves_the_page_has_not_loaded_torch_after_all_that(app: Workbench) -> None:
    assert app.registry.events.count() > 0, "models were called"
    assert "libtorch" not in Path(f"/proc/{app.pid}/maps").read_text()
