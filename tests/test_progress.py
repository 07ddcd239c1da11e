"""Progress: bars where someone can see them, and nothing left behind."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub

import hfreg
from hfreg import progress
from hfreg.engine import Event


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Put a terminal in place of stderr; called in the test, because pytest sets stderr anew before it."""

    def put() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


def download(done: int, repo: str = "org/model", total: int = 4_000_000) -> Event:
    return Event("download", {"repo": repo, "file": "model.safetensors", "done": done, "total": total})


def test_nothing_is_drawn_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress.downloads() is None


def test_a_terminal_and_a_notebook_get_bars(terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal()
    assert isinstance(progress.downloads(), progress.Bars)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert isinstance(progress.downloads(), progress.Bars)


def test_a_bar_says_what_is_downloaded_and_how_far_it_is(terminal: Callable[[], Terminal]) -> None:
    seen, bars = terminal(), progress.Bars()
    bars(download(0))
    assert "org/model:   0%" in seen.getvalue()
    assert "0.00/4.00M" in seen.getvalue()
    bars(download(1_000_000))
    bar = bars._bar
    bars(Event("print", {"text": "said meanwhile"}))
    assert bars._bar is bar
    bars(download(4_000_000))
    assert bars._bar.n == 4_000_000
    bars(Event("loaded", {"ms": 1.0}))
    assert bars._bar is None
    assert seen.getvalue().endswith("\r")
    assert "said meanwhile" not in seen.getvalue()


def test_each_repository_has_a_bar_of_its_own(terminal: Callable[[], Terminal]) -> None:
    seen, bars = terminal(), progress.Bars()
    bars(download(4_000_000))
    bars(download(0, "org/other", 100))
    assert (bars._bar.n, bars._bar.total) == (0, 100)
    assert "org/other:   0%" in seen.getvalue()
    bars(Event("outcome", {}))


def test_events_without_a_download_draw_nothing(terminal: Callable[[], Terminal]) -> None:
    seen, bars = terminal(), progress.Bars()
    for kind in ("queued", "loading", "loaded", "running", "print", "piece", "outcome"):
        bars(Event(kind, {}))  # type: ignore[arg-type]
    assert seen.getvalue() == ""


def test_an_opened_registry_draws_its_downloads_once(
    loopback_hub: LoopbackHub, terminal: Callable[[], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    loopback_hub.add_repo("org/model", plain_repo(size=500_000))
    loopback_hub.bytes_per_s = 2_000_000
    seen, registry = terminal(), hfreg.open()
    logic = "from huggingface_hub import snapshot_download\nsnapshot_download('org/model')\nreturn 1"
    registry.register(hfreg.Definition(alias="one", scoring_logic=logic))
    assert registry.model("one")() == 1
    drawn = seen.getvalue()
    assert "org/model:" in drawn
    assert "/500k" in drawn
    assert registry.model("one")() == 1
    assert seen.getvalue() == drawn
