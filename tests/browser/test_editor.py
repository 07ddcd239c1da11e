"""The code editor in a real Chromium, on a page of its own.

Covers: what only the browser shows: typing, keys, caret, undo, completion, marks, theme, page switch, requests.
Does not: the plain text area and the checks in Python (tests/test_editor.py).
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_app import ROOT, Visit, free_port, settled
from playwright.sync_api import Browser, Locator, Page, Route, expect

pytestmark = pytest.mark.browser

START = "def score(text):\n    return 1\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve editor_page.py from a folder of its own, with the bundle beside it."""
    home = tmp_path_factory.mktemp("editor")
    shutil.copy(Path(__file__).with_name("editor_page.py"), home / "app.py")
    shutil.copytree(ROOT / "static" / "editor", home / "static" / "editor")
    port = free_port()
    options = {
        "server.port": port, "server.address": "127.0.0.1", "server.headless": "true",
        "server.enableStaticServing": "true", "server.fileWatcherType": "none", "browser.gatherUsageStats": "false",
    }  # fmt: skip
    given = [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "HOME": str(home), "HFREG_HOME": str(home / "hfreg"), "PYTHONPATH": str(ROOT)}
    with (home / "log").open("w") as log:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", *given]
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for_start(home / "log", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def wait_for_start(log: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        if "Uvicorn server started" in log.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"The server did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page once for all tests; at the end nothing may have failed in it or left this machine."""
    page = browser.new_page(viewport={"width": 1000, "height": 1000}, color_scheme="light")
    visit = Visit(page)
    page.goto(address)
    expect(editor(page)).to_be_visible(timeout=20_000)
    yield page
    page.close()
    visit.check()


@pytest.fixture
def page(opened: Page) -> Page:
    """Return the page as it was at first."""
    rev = counter(opened, "rev")
    opened.get_by_role("button", name="Reset").click()
    expect(opened.get_by_text(f"rev={rev + 1} ")).to_be_visible()
    python_has(opened, START)
    expect(editor(opened)).to_have_text("def score(text):    return 1")
    settled(opened)
    return opened


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Scoring logic")


def python_has(page: Page, text: str) -> None:
    expect(page.get_by_role("textbox", name="Text in Python")).to_have_value(text)


def at_end(page: Page) -> None:
    editor(page).click()
    page.keyboard.press("Control+End")


def counter(page: Page, name: str) -> int:
    settled(page)
    line = page.get_by_text("events=").inner_text()
    return int(dict(part.split("=") for part in line.split()[:2])[name])


def test_typed_text_reaches_python_once_after_a_pause(page: Page) -> None:
    before = counter(page, "runs")
    at_end(page)
    page.keyboard.type("score = record")  # r and c are also shortcuts of the page
    page.keyboard.press("Escape")
    python_has(page, START + "score = record")
    assert counter(page, "runs") == before + 1


def test_a_rerun_leaves_caret_and_undo_alone(page: Page) -> None:
    editor(page).click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# one ")
    python_has(page, "# one " + START)
    settled(page)
    page.wait_for_timeout(600)  # CodeMirror undoes in one step what is typed within 500 ms
    page.keyboard.type("two ")
    python_has(page, "# one two " + START)
    settled(page)
    page.keyboard.press("Control+z")
    python_has(page, "# one " + START)
    page.keyboard.press("Control+z")
    python_has(page, START)


def test_leaving_the_editor_for_a_button_sends_the_text_first(page: Page) -> None:
    at_end(page)
    page.keyboard.type("x = 2")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Rerun").click()
    python_has(page, START + "x = 2")


def test_run_and_save_keys_arrive_once_with_the_newest_text(page: Page) -> None:
    at_end(page)
    page.keyboard.type("y = 3 ")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("events=[run]")).to_be_visible()
    python_has(page, START + "y = 3 ")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("events=[run save]")).to_be_visible()
    before = counter(page, "runs")
    page.get_by_role("button", name="Rerun").click()
    expect(page.get_by_text(f"runs={before + 1} events=[run save]")).to_be_visible()


def test_a_new_rev_replaces_the_text_and_can_be_undone(page: Page) -> None:
    at_end(page)
    page.keyboard.type("z = 4 ")
    page.get_by_role("button", name="Template").click()
    expect(editor(page)).to_have_text("print('from Python')")
    python_has(page, "print('from Python')\n")
    editor(page).click()
    page.keyboard.press("Control+z")
    python_has(page, START + "z = 4 ")


def test_a_finding_is_marked_where_it_is(page: Page) -> None:
    at_end(page)
    page.keyboard.type("a = '😀', oops + 1 ")
    expect(page.locator(".cm-lintRange-error")).to_have_text("oops")
    page.get_by_role("button", name="1 error").click()
    page.keyboard.press("Control+Shift+M")
    expect(page.get_by_text("undefined name 'oops'").first).to_be_visible()


def test_an_argument_name_is_offered_and_taken(page: Page) -> None:
    at_end(page)
    page.keyboard.type("conf")
    expect(page.get_by_role("option", name="confidence_threshold")).to_be_visible()
    page.wait_for_timeout(150)  # a list just opened does not take Enter for 75 ms, so that typing on is safe
    page.keyboard.press("Enter")
    python_has(page, START + "confidence_threshold")


def test_tab_indents_but_escape_tab_leaves(page: Page) -> None:
    at_end(page)
    page.keyboard.press("Tab")
    python_has(page, START + "    ")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()
    expect(editor(page)).to_have_accessible_description("Esc then Tab leaves · Ctrl+Enter runs · Ctrl+S saves")


def test_text_typed_just_before_a_page_switch_is_there_on_return(page: Page) -> None:
    at_end(page)
    page.keyboard.type("kept = 5 ")
    page.get_by_role("link", name="Away").click(delay=60)  # as long as a finger needs to come up again
    expect(page.get_by_text("elsewhere")).to_be_visible()
    expect(page.locator(".cm-editor")).to_have_count(0)
    page.get_by_role("link", name="Edit").click()
    expect(editor(page)).to_contain_text("kept = 5")
    python_has(page, START + "kept = 5 ")


def test_the_difference_and_read_only_code_cannot_be_edited(page: Page) -> None:
    difference = page.get_by_role("textbox", name="Version 1 to 2: 2 added, 1 removed (lines)")
    expect(difference.locator(".cm-changedLine")).to_have_text(["new = 3", "more = 4"])
    expect(difference.locator(".cm-deletedChunk")).to_have_text("old = 2")
    for box, text in ((difference, "new = 3"), (page.get_by_role("textbox", name="Read only"), "x = 1")):
        box.focus()
        page.keyboard.type("typed")
        expect(box).not_to_contain_text("typed")
        expect(box).to_contain_text(text)


def test_light_and_dark_are_both_readable_and_a_narrow_page_does_not_scroll_sideways(page: Page) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.reload()
        expect(editor(page)).to_be_visible()
        ground, keyword = page.evaluate(COLOURS)
        assert contrast(ground, keyword) >= 4.5
        grounds.add(tuple(ground))
    assert len(grounds) == 2
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".cm-editor").first.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.set_viewport_size({"width": 1000, "height": 1000})


# Drawn on a canvas first: a computed colour may be in any notation.
COLOURS = """() => {
  const root = document.querySelector('.st-key-code [data-testid=stBidiComponentIsolated]').shadowRoot
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgb = (colour) => {
    paint.fillStyle = colour
    paint.fillRect(0, 0, 1, 1)
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const word = [...root.querySelectorAll('.cm-line span')].find((span) => span.textContent === 'def')
  return [rgb(getComputedStyle(root.querySelector('.cm-editor')).backgroundColor), rgb(getComputedStyle(word).color)]
}"""


def contrast(one: list[int], other: list[int]) -> float:
    """Return the WCAG contrast ratio of two sRGB colours."""

    def luminance(colour: list[int]) -> float:
        parts = [value / 255 for value in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_a_change_does_not_send_the_bundle_again(browser: Browser, address: str) -> None:
    page = browser.new_page()
    received: list[int] = []
    page.on("websocket", lambda channel: channel.on("framereceived", lambda frame: received.append(len(frame))))
    page.goto(address)
    expect(editor(page)).to_be_visible(timeout=20_000)
    settled(page)
    received.clear()
    at_end(page)
    page.keyboard.type("w = 6 ")
    python_has(page, START + "w = 6 ")
    settled(page)
    page.close()
    assert 0 < sum(received) < 30_000
    print(f"a rerun with two editors and a difference: {sum(received)} bytes, largest {max(received)}")


def test_a_rerun_while_the_editor_still_loads_does_not_lose_it(browser: Browser, address: str) -> None:
    page = browser.new_page()
    held: list[Route] = []
    page.route("**/editor.js*", lambda route: held.append(route))
    with page.expect_request("**/editor.js*"):
        page.goto(address)
    page.get_by_role("button", name="Template").click()
    expect(page.get_by_text("rev=2 ")).to_be_visible()
    for route in held:
        route.continue_()
    page.wait_for_timeout(300)
    expect(editor(page)).to_have_text("print('from Python')")
    page.close()


def test_without_its_file_the_editor_is_a_plain_field_that_still_reaches_python(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.route("**/editor.js*", lambda route: route.abort())
    page.goto(address)
    expect(editor(page)).to_have_value(START, timeout=20_000)
    editor(page).fill("r = 7")
    editor(page).blur()
    python_has(page, "r = 7")
    page.close()
