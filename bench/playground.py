"""How long a warm click on Run takes until the answer is drawn, in a real Chromium.

The clock runs in the browser: from the press of the mouse to the frame after the answer is on the page. Each click has
a new text, typed before, so that the field's own change is part of it. Beside it, taking turns, a page with nothing but
a text field, a button and the same answer: what Streamlit and this browser need by themselves.

    python -m bench.playground
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.report import Figure, write
from hfreg import Argument, Definition

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser_app import CHROMIUM, Workbench, settled

CLICKS, WARM_UP, MODELS = 30, 5, 200
WORK = 'import time\ntime.sleep(0.003)\nreturn {"label": "seen " + text, "score": 0.9}'
BARE = """
import streamlit as st
text = st.text_area("text")
if st.button("Run", key="playground-run"):
    with st.container(key="playground-panel"):
        st.metric("label", "seen " + text)
"""
WATCH = """() => {
  document.addEventListener('pointerdown', () => { window.pressed = performance.now() }, true)
  const look = () => {
    const panel = document.querySelector('.st-key-playground-panel')
    if (!window.drawn && window.wanted && panel && panel.textContent.includes(window.wanted))
      requestAnimationFrame(() => { window.drawn ||= performance.now() })
  }
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true })
}"""


def click_to_answer(page: Page, text: str) -> float:
    """Type a text, press Run, and return the milliseconds until its answer is drawn."""
    settled(page)
    page.get_by_label("text", exact=True).fill(text)
    page.evaluate("wanted => { window.wanted = wanted; window.drawn = 0 }", f"seen {text}")
    page.locator(".st-key-playground-run button").click()
    page.wait_for_function("() => window.drawn", timeout=30_000)
    return float(page.evaluate("() => window.drawn - window.pressed"))


def percentile(times: list[float], share: float) -> float:
    """Return a percentile of times, in whole milliseconds."""
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))])


def measure(ours: Page, bare: Page) -> tuple[list[float], list[float]]:
    """Click in turns and return the times of both pages, the first clicks left out."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + CLICKS):
        for page, kept in zip((ours, bare), times, strict=True):
            page.bring_to_front()
            took = click_to_answer(page, f"n{turn}")
            if turn >= WARM_UP:
                kept.append(took)
    return times


def main() -> bool:
    """Measure, print and write; return whether the target was met."""
    folder = Path(tempfile.mkdtemp(prefix="hfreg-bench-"))
    script = folder / "bare.py"
    script.write_text(BARE, encoding="utf-8")
    app, floor = Workbench(folder / "home"), Workbench(folder / "bare", script)
    try:
        for number in range(MODELS - 1):
            app.registry.register(Definition(alias=f"model_{number}", scoring_logic="return 1"))
        arguments = [Argument("text")]
        app.registry.register(
            Definition(alias="timed", output_type="Map[String, Any]", arguments=arguments, scoring_logic=WORK)
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
            ours, bare = (browser.new_page(viewport={"width": 1280, "height": 900}) for _ in range(2))
            app.open(ours, "playground", alias="timed")
            bare.goto(floor.url)
            for page in (ours, bare):
                expect(page.get_by_label("text", exact=True)).to_be_visible(timeout=20_000)
                page.evaluate(WATCH)
            times, floors = measure(ours, bare)
            browser.close()
    finally:
        app.close()
        floor.close()
        shutil.rmtree(folder, ignore_errors=True)
    middle, least = percentile(times, 0.5), percentile(floors, 0.5)
    peer = f"{least:g} ms p50 for a bare page with one field and one button"
    return write(
        "playground",
        [
            Figure("warm playground click to drawn answer in the browser, p50", middle, "ms", "≤ 600", peer),
            Figure("warm playground click to drawn answer in the browser, p95", percentile(times, 0.95), "ms"),
        ],
        threads="server and Chromium on the same cores",
        details={"clicks": CLICKS, "models": MODELS, "model_ms": 3, "bare_p95_ms": percentile(floors, 0.95)},
    )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
