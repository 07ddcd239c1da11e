"""Platform Integrations in a real Chromium, against a Hub on loopback: save, test, a wrong token, remove.

Covers that the token leaves no trace but its file: not in the page, its address, the log of the server, or any other
file under the home.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_app import Workbench, settled
from loopback_hub import LoopbackHub
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

CANARY = "hf_canaryCanaryCANARYcanary0123456789"
OTHER = "hf_othernobodyknowsthisOne9876543210"
FILES = {"config.json": b"{}", "model.safetensors": b"x" * 2_000_000}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    """A Hub that knows one token."""
    with LoopbackHub() as server:
        server.add_token(CANARY, name="ada", role="fineGrained")
        yield server


@pytest.fixture(scope="module")
def app(browser: Browser, hub: LoopbackHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A workbench that may ask that Hub, with one checkpoint in its cache."""
    folder = tmp_path_factory.mktemp("integrations")
    cache_one(folder / "hf" / "hub" / "models--acme--tiny")
    running = Workbench(folder / "home", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0", HF_HUB_DISABLE_TELEMETRY="1")
    yield running
    running.close()


def cache_one(folder: Path) -> None:
    """Write what huggingface_hub leaves of a downloaded model."""
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "blobs").mkdir()
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    for name, content in FILES.items():
        (folder / "blobs" / name).write_bytes(content)
        (snapshot / name).symlink_to(folder / "blobs" / name)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_timeout(150)
    settled(page)


def save_token(page: Page, text: str) -> None:
    page.locator("input[type=password]").fill(text)
    press(page, "Save")


def traces(text: str, app: Workbench) -> list[str]:
    """List where a text of the token can be found besides its own file."""
    found = ["log"] if text in app.log.read_text(errors="replace") else []
    files = (path for path in app.home.rglob("*") if path.is_file() and path.parent.name != "secrets")
    return found + [str(path) for path in files if text.encode() in path.read_bytes()]


def test_a_token_is_saved_tested_told_from_a_wrong_one_and_removed(app: Workbench, page: Page) -> None:
    sent: list[str] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda payload: sent.append(str(payload))))
    app.open(page, "integrations")
    card = page.locator(".st-key-integrations-huggingface")
    expect(card).to_contain_text("No token")

    save_token(page, CANARY)
    expect(card).to_contain_text("Saved hf_…6789")
    expect(card).to_contain_text("saved in Settings")
    secret = app.home / "secrets" / "huggingface_token"
    assert secret.read_text() == CANARY
    assert secret.stat().st_mode & 0o777 == 0o600

    press(page, "Test connection")
    expect(card).to_contain_text("hf_…6789, saved in Settings.")
    expect(card).to_contain_text("Signed in as ada.")
    expect(card).to_contain_text("A fine-grained token: repo.content.read on ada")
    expect(card).to_contain_text("It answers in")

    press(page, "Replace")
    expect(page.locator("input[type=password]")).to_have_value("")
    save_token(page, OTHER)
    press(page, "Test connection")
    expect(card).to_contain_text("does not accept the token hf_…3210")
    expect(card).to_contain_text("wrong, expired or revoked")
    for token in (CANARY, OTHER):
        assert token not in page.content()
        assert token not in page.url
        assert not any(token in frame for frame in sent)
        assert traces(token, app) == []

    press(page, "Remove")
    press(page, "Keep it")
    assert secret.exists()
    press(page, "Remove")
    press(page, "Remove the token")
    expect(card).to_contain_text("The saved token is removed.")
    expect(card).to_contain_text("No token")
    assert not secret.exists()


def test_access_to_a_model_is_checked_with_enter_and_fits_a_phone(
    app: Workbench, hub: LoopbackHub, phone_page: Page
) -> None:
    page = phone_page
    commit = hub.add_repo("acme/tiny", FILES)
    hub.add_repo("acme/gated", FILES, gated=True)
    app.open(page, "integrations")
    found = page.locator(".st-key-integrations-access-box")
    field = page.get_by_label("Check access to a model", exact=True)
    field.fill("acme/tiny")
    field.press("Enter")
    expect(found).to_contain_text("Can be read")
    expect(found).to_contain_text(commit)
    expect(field).to_have_value("acme/tiny")
    field.fill("acme/gated")
    press(page, "Check access")
    expect(found).to_contain_text("Gated, access not granted")
    expect(found).to_contain_text(f"Accept its terms at {hub.url}/acme/gated")
    expect(found.get_by_role("link", name="Open its page")).to_have_attribute("href", f"{hub.url}/acme/gated")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    field.fill(CANARY)
    press(page, "Check access")
    expect(found).to_contain_text("This looks like a token, so nothing was sent.")
    expect(field).to_have_value("")
    assert traces(CANARY, app) == []


def test_a_hub_that_is_gone_is_told_and_asked_again_later(app: Workbench, hub: LoopbackHub, page: Page) -> None:
    app.open(page, "integrations")
    card = page.locator(".st-key-integrations-huggingface")
    hub.stop()
    try:
        press(page, "Test connection")
        expect(card).to_contain_text("cannot be reached", timeout=15_000)
    finally:
        hub.start()
    press(page, "Test connection")
    expect(card).to_contain_text("No token is set: public models load without one.")


def test_a_checkpoint_is_deleted_after_a_question(app: Workbench, phone_page: Page) -> None:
    page = phone_page
    app.open(page, "integrations")
    card = page.locator(".st-key-checkpoints")
    expect(card).to_contain_text("acme/tiny")
    expect(card).to_contain_text("2.0 MB")
    press(page, "Delete")
    expect(card).to_contain_text("Delete acme/tiny from this disk and free 2.0 MB?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    press(page, "Delete it")
    expect(card).to_contain_text("acme/tiny is deleted; 2.0 MB are free again.")
    expect(card).to_contain_text("Nothing is downloaded yet")
    assert not list((app.home.parent / "hf" / "hub").glob("models--acme--tiny/blobs/*"))
