"""API Based models against a real `transformers serve` with a tiny model, started here and ended here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.errors import HubError, RepoNotFound

ROOT = Path(__file__).parents[1]
PACKAGES = ROOT / ".venv" / "serve"


class Served:
    """A server, by its address, and the name that it knows its model by."""

    def __init__(self, url: str, model: str) -> None:
        self.url, self.model = url, model

    def definition(self, output: str = "String", **endpoint: Any) -> hfreg.Definition:
        """Return a chat with it."""
        given = {"base_url": f"{self.url}/v1", "model": self.model, "task": "chat-completion", "retries": 0}
        return hfreg.Definition(
            alias="served",
            description="Chats with a tiny model.",
            output_type=output,
            input_type="API Based",
            arguments=[
                hfreg.Argument("text", "String"),
                hfreg.Argument("max_tokens", "Numerical", optional=True, default="4"),
            ],
            endpoint=given | endpoint,
        )


@pytest.fixture(scope="module")
def served(tiny_checkpoints: TinyCheckpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not (PACKAGES / "accelerate").is_dir():
        pytest.skip("needs the packages of requirements-serve.txt in .venv/serve; `make test` puts them there")
    folder = tmp_path_factory.mktemp("serve")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TMPDIR"}}
    given = {"PYTHONPATH": str(PACKAGES), "HF_HOME": str(folder), "HOME": str(folder), "HF_HUB_OFFLINE": "1"}
    command = [Path(sys.executable).with_name("transformers"), "serve", tiny_checkpoints.chat]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env={**kept, **given, "OMP_NUM_THREADS": "1"}, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, folder / "log")
        yield Served(f"http://127.0.0.1:{port}", str(tiny_checkpoints.chat))
    finally:
        server.kill()  # nothing of it is kept
        server.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text("utf-8", "replace")[-2_000:]
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"not ready within {seconds} s: {log.read_text('utf-8', 'replace')[-2_000:]}")


def test_a_chat_is_answered_in_pieces_and_its_tokens_are_recorded(registry: hfreg.Registry, served: Served) -> None:
    registry.register(served.definition())
    told: list[str] = []
    follow = lambda event: told.append(event.data["value"]) if event.kind == "piece" else None  # noqa: E731
    rows = [{"text": "i love this great product", "max_tokens": 6}]
    outcome = next(iter(registry.start(registry.get("served"), rows, on_event=follow)))
    assert len(told) > 1
    assert "".join(told) == outcome.result() != ""
    registry.events.flush()
    (call,) = registry.events.calls()
    assert (call.tier, call.tokens_in, call.tokens_out, call.cost) == ("remote", 5, 6, None)


def test_the_whole_reply_says_the_same_as_its_pieces(registry: hfreg.Registry, served: Served) -> None:
    pieces = registry.test(served.definition(), text="i hate it").result()
    whole = registry.test(served.definition("Map[String, Any]", stream=False), text="i hate it")
    assert whole.result()["content"] == pieces
    assert whole.use.tokens_out == 4


def test_what_the_server_refuses_is_told_in_words(registry: hfreg.Registry, served: Served) -> None:
    other = registry.test(served.definition(model="org/other"), text="hi").error
    assert isinstance(other, HubError)
    assert "refuses the call (400): Server is pinned to" in str(other)
    wrong = registry.test(served.definition(base_url=f"{served.url}/nowhere"), text="hi").error
    assert isinstance(wrong, RepoNotFound)


def test_a_reply_ends_when_it_is_stopped_and_is_none_where_the_server_breaks_it_off(
    registry: hfreg.Registry, served: Served
) -> None:
    registry.register(served.definition())
    begun, stopped = threading.Event(), threading.Event()

    def follow(event: Any) -> None:
        if event.kind == "piece" and not begun.is_set():
            begun.set()
            stopped.wait(10)

    job = registry.start(registry.get("served"), [{"text": "it is", "max_tokens": 4_000}], on_event=follow)
    assert begun.wait(10)
    job.cancel()
    stopped.set()
    assert next(iter(job)).status == "cancelled"
    longer = registry.test(served.definition(), text="it is", max_tokens=4_000).error  # than the model has positions
    assert isinstance(longer, HubError)
    assert "broke its reply off: index out of range" in str(longer)
    assert registry.test(served.definition(), text="it is").ok, "the server answers others all the same"
