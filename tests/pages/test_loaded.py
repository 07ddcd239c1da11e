"""The Loaded models page: its figures, every button, its empty states, over both engines.

That it moves by itself and takes nothing from under the pointer is in tests/browser/test_loaded.py.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from catalog_pages import definition, links, opened, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.engine import Loaded
from hfreg.ui import loaded_row
from hfreg.ui.loaded_row import mebibytes

PAGE = "pages/monitor/loaded.py"


@pytest.fixture
def server(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench holds it, with three models, one of which has an example."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition("mood", examples=({"text": "hi"},)))
    registry.register(definition("shield"))
    registry.register(definition("old"))
    registry.archive("old")
    yield registry
    st.cache_resource.clear()


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception, at.exception
    return at


def load(at: AppTest, alias: str) -> AppTest:
    at.selectbox(key="loaded.choose").set_value(f"{alias} · version 1").run()
    return click(at, "loaded.load")


def rows(at: AppTest) -> list[str]:
    return [b.key.removeprefix("loaded.unload.") for b in at.button if (b.key or "").startswith("loaded.unload.")]


def loaded(registry: hfreg.Registry, alias: str) -> Loaded:
    return next(one for one in registry.loaded() if one.alias == alias)


def test_with_nothing_loaded_the_page_says_what_to_do(server: hfreg.Registry) -> None:
    at = opened(PAGE)
    assert "Nothing is loaded. A model loads with its first call" in said(at)
    assert any(where.startswith("playground") for where in links(at).values())
    assert {m.label: m.value for m in at.metric} == {"Models": "0", "Memory in use": "0 MiB", "Engine": "inline"}


def test_with_nothing_registered_the_page_leads_to_registering(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hfreg.starters.definitions", list)
    st.cache_resource.clear()
    at = opened(PAGE)
    assert "no model is registered yet" in said(at)
    assert any(where.startswith("register") for where in links(at).values())
    st.cache_resource.clear()


def test_each_loaded_model_is_a_row_with_its_figures(server: hfreg.Registry) -> None:
    for _ in range(3):
        server.model("shield")(text="hi")
    server.model("mood")(text="hi")
    at = opened(PAGE)
    assert rows(at) == ["mood_1", "shield_1"]
    assert {m.label: m.value for m in at.metric}["Models"] == "2"
    page = said(at)
    assert "idle" in page and "inline" in page
    figures = [re.sub(r"<[^>]+>", " ", h.body if hasattr(h, "body") else h.value) for h in at.get("html")]
    (shield,) = [f.split() for f in figures if "Calls 3" in " ".join(f.split())]
    assert shield[:4] == ["Calls", "3", "Cold", shield[3]]
    assert re.search(r"Cold [\d.]+ ms Warm [\d.]+ ms CPU – Memory 0 MiB", " ".join(shield))
    assert "model?alias=shield&version=1" in links(at)["shield"]


def test_inline_the_page_says_what_its_memory_is_and_offers_no_keeping(server: hfreg.Registry) -> None:
    server.model("mood")(text="hi")
    at = opened(PAGE)
    assert "Memory is that of their weights alone" in said(at) and "nothing is confined" in said(at)
    assert not at.toggle
    assert "Budget" not in {m.label for m in at.metric}


def test_unload_takes_a_model_out_of_memory_and_says_so(server: hfreg.Registry) -> None:
    server.model("mood")(text="hi")
    at = click(opened(PAGE), "loaded.unload.mood_1")
    assert server.loaded() == []
    assert "mood version 1 is unloaded. Its next call loads it again." in said(at).replace("`", "")
    assert rows(at) == []
    assert "mood · version 1" in at.selectbox(key="loaded.choose").options


def test_restart_loads_a_model_afresh(server: hfreg.Registry) -> None:
    server.model("mood")(text="hi")
    server.model("mood")(text="hi")
    since = loaded(server, "mood").since
    at = click(opened(PAGE), "loaded.restart.mood_1")
    assert eventually(lambda: loaded(server, "mood").calls == 1)
    assert loaded(server, "mood").since > since
    assert "`mood` version 1 is loaded. It took" in said(at.run())


def test_load_now_offers_what_runs_and_is_not_loaded(server: hfreg.Registry) -> None:
    server.model("mood")(text="hi")
    at = opened(PAGE)
    assert at.selectbox(key="loaded.choose").options == ["shield · version 1"]
    assert at.button(key="loaded.load").disabled
    at = load(at, "shield")
    assert eventually(lambda: len(server.loaded()) == 2)
    at.run()
    assert rows(at) == ["mood_1", "shield_1"]
    assert "`shield` version 1 is ready" in said(at) and "no example to run" in said(at)
    assert at.selectbox(key="loaded.choose").disabled


def test_load_now_runs_an_example_and_the_call_is_logged_as_a_load(server: hfreg.Registry) -> None:
    at = load(opened(PAGE), "mood")
    assert eventually(lambda: any(one.calls == 1 for one in server.loaded()))
    assert "`mood` version 1 is loaded. It took" in said(at.run())
    server.events.flush()
    assert [(c.alias, c.source) for c in server.events.calls()] == [("mood", "load")]


def test_a_load_that_goes_on_can_be_stopped_and_one_that_failed_dismissed(server: hfreg.Registry) -> None:
    server.register(definition("slow", scoring_logic="while True: pass", examples=({"text": "hi"},)))
    at = load(opened(PAGE), "slow")
    (stop,) = [b.key for b in at.button if (b.key or "").endswith(".stop")]
    assert "Loading `slow` version 1" in said(at)
    click(at, stop)
    assert eventually(lambda: not any(one.busy for one in server.loaded()))
    assert "`slow` version 1 was not loaded." in said(at.run())
    (dismiss,) = [b.key for b in at.button if (b.key or "").endswith(".dismiss")]
    assert "was not loaded" not in said(click(at, dismiss))


def test_two_sources_of_one_draft_are_two_rows(server: hfreg.Registry) -> None:
    for number in range(2):
        assert server.test(definition("draft", scoring_logic=f"return {{'n': {number}}}"), text="x").ok
    at = opened(PAGE)
    assert rows(at) == ["draft_0", "draft_0_1"]
    assert said(at).count("not saved, loaded for Test Code") == 2
    assert not [b for b in at.button if (b.key or "").startswith("loaded.restart.")]
    click(at, "loaded.unload.draft_0_1")
    assert server.loaded() == []


def test_in_processes_budget_layers_and_keeping_are_shown(
    zygote: None, home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    monkeypatch.setenv("HFREG_MEMORY_BUDGET_MB", "2048")
    st.cache_resource.clear()
    server = hfreg.open()
    server.register(definition("mood", examples=({"text": "hi"},)))
    server.model("mood")(text="hi")
    assert eventually(lambda: loaded(server, "mood").frozen)
    at = opened(PAGE)
    tiles = {m.label: m.value for m in at.metric}
    assert (tiles["Models"], tiles["Budget"], tiles["Loader"]) == ("1", "2.0 GiB", "ready")
    assert tiles["Engine"] == server.engine.tier
    assert tiles["Memory in use"].endswith(" MiB") and tiles["Memory in use"] != "0 MiB"
    page = said(at)
    assert f"process {loaded(server, 'mood').pid}" in page
    assert re.search(r"\d+ MiB of 2.0 GiB in use, 1.\d GiB free", page)
    assert "frozen" in page and "One call may take 2.0 GiB" in page
    for layer in loaded(server, "mood").layers:
        assert f"{layer}:" in page
    assert "kept loaded" not in page
    at.toggle(key="loaded.keep.mood_1").set_value(True).run()
    assert loaded(server, "mood").kept
    assert "kept loaded" in said(at)
    at.toggle(key="loaded.keep.mood_1").set_value(False).run()
    assert not loaded(server, "mood").kept
    before = loaded(server, "mood").pid
    click(at, "loaded.restart.mood_1")
    assert eventually(lambda: any(one.calls for one in server.loaded()) and loaded(server, "mood").pid != before)
    click(at.run(), "loaded.unload.mood_1")
    assert server.loaded() == []
    st.cache_resource.clear()


def test_calls_that_wait_and_a_first_call_are_told(server: hfreg.Registry, tmp_path: object) -> None:
    source = "import os, time\nwhile os.path.exists(text): time.sleep(0.01)\nreturn {}"
    gate = tmp_path / "gate"  # type: ignore[operator]
    gate.touch()
    server.register(definition("gated", scoring_logic=source))
    there = threading.Event()
    version = server.get("gated")
    follow = lambda event: there.set() if event.kind == "running" else None  # noqa: E731
    runs = [server.start(version, [{"text": str(gate)}], on_event=follow)]
    assert there.wait(10)
    runs += [server.start(version, [{"text": str(gate)}]) for _ in range(2)]
    at = opened(PAGE)
    assert "loading" in said(at) and "2 calls waiting" in said(at)
    click(at, "loaded.unload.gated_1")
    assert "is unloaded once what waits for it is answered" in said(at)
    gate.unlink()
    assert [next(iter(run)).ok for run in runs] == [True] * 3
    assert eventually(lambda: server.loaded() == [])


def test_every_layer_that_a_worker_reports_has_words_for_people() -> None:
    from hfreg.engine.isolated.sandbox import LAYERS

    assert [name for name in LAYERS if name not in loaded_row.LAYERS] == []


def test_memory_is_written_in_binary_units() -> None:
    assert [mebibytes(count) for count in (0, 700 * 1024, 64 * 2**20, 3 * 2**30)] == [
        "0 MiB", "0.7 MiB", "64 MiB", "3.0 GiB",
    ]  # fmt: skip
