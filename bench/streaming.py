"""How long after a model made its first token the text of it is in the playground, in a real Chromium.

The starter generator writes in a confined process, through the streamer of transformers, as the chat template does. The
clock begins in that process when the first token is made and ends in the browser, at the frame after its text is in
the page: streamer, worker, platform, Streamlit and browser are between. Both read the clock of the machine. Each token
takes 20 ms more than this small model needs, and the first one up to 600 ms, so that it falls anywhere between two
looks of a page.

    python -m bench.streaming
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.report import Figure, write
from bench.timing import milliseconds
from hfreg import Argument, Definition

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser_app import CHROMIUM, Workbench, settled

RUNS, WARM_UP, TOKENS = 30, 3, 60
PACE_S, LONGEST_FIRST_S = 0.02, 0.6
WRITE = f"""
import threading
import time
from transformers import TextIteratorStreamer, pipeline

client = pipeline("text-generation", model="hfreg/starter-generator")

class Stamped(TextIteratorStreamer):
    calls, made, told = 0, 0.0, 0.0

    def put(self, value):
        self.calls += 1
        if self.calls > 1:  # the first is the prompt
            time.sleep(first if self.calls == 2 else {PACE_S})
            self.made = self.made or time.time()
        super().put(value)

    def on_finalized_text(self, text, stream_end=False):
        if text:
            self.told = self.told or time.time()
        super().on_finalized_text(text, stream_end)

streamer = Stamped(client.tokenizer, skip_prompt=True)
prompt = client.tokenizer("Once upon a time there was a small dog.", return_tensors="pt")
more = dict(max_new_tokens={TOKENS}, min_new_tokens={TOKENS}, do_sample=False, streamer=streamer)
writer = threading.Thread(target=client.model.generate, kwargs={{**prompt, **more}})
writer.start()
begun = False
for piece in streamer:
    if piece:
        yield piece if begun else f"{{text}}@{{streamer.made:.4f}}@{{streamer.told:.4f}} " + piece
        begun = True
writer.join()
"""
WATCH = """() => {
  const look = () => {
    const panel = document.querySelector('.st-key-playground-panel')
    const found = panel && window.wanted && panel.textContent.match(new RegExp(window.wanted + '@([0-9.]+)@([0-9.]+) '))
    if (found && !window.seen) {
      window.seen = found
      requestAnimationFrame(() => { window.drawn = Date.now() / 1000 })
    }
  }
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true })
}"""


def first_token(page: Page, number: int) -> tuple[float, float]:
    """Run the model and return the seconds from its first token, and from its first word, to the page."""
    settled(page)
    page.get_by_label("text", exact=True).fill(f"n{number}")
    page.get_by_label("first", exact=True).fill(f"{random.uniform(0, LONGEST_FIRST_S):.3f}")
    page.keyboard.press("Tab")
    settled(page)
    page.evaluate("wanted => { window.wanted = wanted; window.drawn = 0; window.seen = null }", f"n{number}")
    page.locator(".st-key-playground-run button").click()
    page.wait_for_function("() => window.drawn", timeout=60_000)
    made, told, drawn = page.evaluate("() => [Number(window.seen[1]), Number(window.seen[2]), window.drawn]")
    expect(page.locator(".st-key-playground-answer")).to_contain_text(f"n{number}@", timeout=60_000)
    return drawn - made, drawn - told


def measure(folder: Path, runs: int, warm_up: int) -> list[tuple[float, float]]:
    """Run the model so many times in one workbench and return what `first_token` says of each run."""
    app = Workbench(folder / "home", HFREG_ENGINE="isolated")
    try:
        arguments = [Argument("text"), Argument("first", "Numerical")]
        app.registry.register(Definition(alias="writer", arguments=arguments, scoring_logic=WRITE))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            app.open(page, "playground", alias="writer")
            expect(page.get_by_label("text", exact=True)).to_be_visible(timeout=20_000)
            page.evaluate(WATCH)
            found = [first_token(page, number) for number in range(warm_up + runs)][warm_up:]
            browser.close()
    finally:
        app.close()
    return found


def main() -> bool:
    """Measure, print and write; return whether the target was met."""
    folder = Path(tempfile.mkdtemp(prefix="hfreg-bench-"))
    try:
        found = measure(folder, RUNS, WARM_UP)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tokens, words = ([one[place] for one in found] for place in (0, 1))
    peer = f"{milliseconds(words):.0f} ms from the moment that the streamer hands out the first word"
    return write(
        "streaming",
        [
            Figure("first token made to its text in the page, p50", round(milliseconds(tokens)), "ms", "≤ 150", peer),
            Figure("first token made to its text in the page, p95", round(milliseconds(tokens, 0.95)), "ms"),
        ],
        threads="server, model and Chromium on the same cores",
        details={
            "runs": RUNS,
            "tokens": TOKENS,
            "pace_ms": PACE_S * 1e3,
            "longest_first_ms": LONGEST_FIRST_S * 1e3,
            "word_p95_ms": round(milliseconds(words, 0.95)),
            "tokens_ms": [round(one * 1e3) for one in sorted(tokens)],
        },
    )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
