"""Workbench: a running workbench for browser tests, and how to wait for its pages.

A real `streamlit run app.py` in a process of its own, with a home of its own under tmp and no way to the Hub. The
fixtures that start it and open pages are in `tests/browser/conftest.py`.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Page, expect

from hfreg.registry import Registry
from hfreg.settings import Settings

ROOT = Path(__file__).parents[1]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
START_S = 30
OURS = ("HFREG_", "HF_", "HUGGING", "STREAMLIT_", "TRANSFORMERS_")


class Workbench:
    """A server on a free loopback port: `url`, `home`, and `registry`, a registry of this process on the same home.

    A home in which `registry` has registered something before the first page is asked for gets no starter models.
    """

    def __init__(self, home: Path, script: Path = ROOT / "app.py", **environment: str) -> None:
        self.home = home
        self._script = script
        self.log = home.parent / f"{home.name}.log"
        self.registry = Registry(Settings(home=home, offline=True))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = self._start(environment)

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._server.pid

    def address(self, page: str = "", **params: object) -> str:
        """Return the address of a page by its url_path, such as `playground`."""
        return f"{self.url}/{page}{'?' if params else ''}{urlencode(params)}"

    def open(self, page: Page, name: str = "", **params: object) -> Page:
        """Go to a page by its url_path and wait until its script has run."""
        page.goto(self.address(name, **params))
        expect(page.get_by_test_id("stMain").get_by_test_id("stElementContainer").first).to_be_visible(timeout=20_000)
        settled(page)
        expect(page.locator("html[data-fields-first=ready]")).to_be_attached(timeout=20_000)
        return page

    def close(self) -> None:
        """End the server, by force if it does not heed, and the registry."""
        self._server.terminate()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait(timeout=10)
        self.registry.close()

    def _start(self, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        own = {
            "HOME": str(self.home.parent),
            "HFREG_HOME": str(self.home),
            "HF_HOME": str(self.home.parent / "hf"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "HFREG_ENGINE": "inline",  # but for those that ask for processes: each server would import torch for them
        }
        command = [
            sys.executable, "-m", "streamlit", "run", str(self._script),
            f"--server.port={self.port}", "--server.fileWatcherType=none",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            server = subprocess.Popen(
                command, cwd=ROOT, env={**kept, **own, **environment}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._wait(server)
        except BaseException:
            server.kill()
            server.wait()
            raise
        return server

    def _wait(self, server: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"The workbench did not start:\n{self.log.read_text(errors='replace')}")


class Visit:
    """What a page asked for and what failed in it; every request must stay on this machine."""

    def __init__(self, page: Page) -> None:
        self.hosts: set[str] = set()
        self.failures: list[str] = []
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))
        page.on("websocket", lambda channel: self.hosts.add(urlsplit(channel.url).hostname or ""))
        page.on("pageerror", lambda error: self.failures.append(str(error)))

    def check(self) -> None:
        """Fail when a request left 127.0.0.1 or a script of the page failed."""
        assert self.hosts <= {"127.0.0.1", ""}, f"requests left this machine: {self.hosts}"
        assert not self.failures, self.failures


def settled(page: Page) -> None:
    """Wait until no script of the page is running."""
    expect(page.locator('[data-testid=stApp][data-test-script-state="notRunning"]')).to_be_attached(timeout=20_000)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
