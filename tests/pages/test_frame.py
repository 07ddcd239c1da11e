"""What stands around every page: navigation, product mark, who you are, how code runs, what waits, and the config."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import streamlit as st
from catalog_pages import ROOT, definition, opened
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.lifecycle import State
from hfreg.ui import frame, widgets

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition("mood"))
    yield registry
    st.cache_resource.clear()


def sidebar(at: AppTest) -> str:
    assert not at.exception
    return "\n".join(str(one.value) for one in at.sidebar.caption).replace("\\", "")


def test_the_sidebar_says_who_you_are_how_code_runs_and_whether_the_hub_is_there(server: hfreg.Registry) -> None:
    at = opened()
    assert sidebar(at).splitlines() == [
        f":material/person: {server.user}",
        ":material/shield: Engine: inline",
        ":material/cloud: Hub: offline",
    ]
    (engine,) = [one for one in at.sidebar.caption if "Engine" in one.value]
    assert "unconfined" in engine.proto.help


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [("https://huggingface.co", "Hub: online"), ("http://127.0.0.1:9", "Hub: mirror http://127.0.0.1:9")],
)
def test_the_hub_is_online_or_a_mirror_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, words: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    hfreg.open().definitions.add(definition("mood"), "ann")
    st.cache_resource.clear()
    assert words in sidebar(opened())
    st.cache_resource.clear()


def test_what_waits_for_review_is_counted_with_a_link(server: hfreg.Registry) -> None:
    assert list(opened().sidebar.get("page_link")) == []
    server.submit("mood", actor="ann")
    (link,) = opened().sidebar.get("page_link")
    assert "1 waiting for review" in link.label
    assert link.proto.query_string == "state=Pending+Approval"


def test_every_page_of_the_navigation_runs(server: hfreg.Registry) -> None:
    for path in (
        frame.MODELS,
        frame.REGISTER,
        frame.MODEL,
        frame.PLAYGROUND,
        frame.SIMULATION,
        frame.USAGE,
        frame.LOADED,
        frame.INTEGRATIONS,
    ):
        at = opened(path)
        assert not at.exception, path
        assert len(at.title) == 1, path


def test_icons_of_pages_stand_in_titles_where_they_fetch_nothing() -> None:
    source = (ROOT / "hfreg" / "ui" / "frame.py").read_text() + (ROOT / "app.py").read_text()
    assert "icon=" not in source.replace("page_icon=", "").replace("icon_image=", "")


def test_the_product_mark_and_the_favicon_are_small_local_files() -> None:
    mark = ElementTree.parse(frame.MARK).getroot()
    assert mark.tag.endswith("svg")
    assert "href" not in frame.MARK.read_text()
    assert frame.ICON.read_bytes().startswith(b"\x89PNG")
    assert frame.MARK.stat().st_size + frame.ICON.stat().st_size < 4_000
    assert frame.ICON == ROOT / "static" / "favicon.png"


def test_each_state_has_a_badge_of_its_own_colour() -> None:
    badges = {widgets.badge_of(state) for state in State}
    assert len(badges) == len(State)
    assert widgets.badge_of(State.APPROVED) == ":green-badge[Approved]"


def test_a_demonstration_is_flagged_beside_its_state(server: hfreg.Registry) -> None:
    shown = server.register(definition("shown"), demonstration=True)
    assert widgets.state_badge(shown) == ":gray-badge[Draft] :blue-badge[Demonstration]"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_enough_contrast(theme: str) -> None:
    colours = CONFIG["theme"][theme]
    assert contrast(colours["primaryColor"], "#ffffff") >= 4.5  # the text of a primary button is white
    assert contrast(colours["primaryColor"], colours["backgroundColor"]) >= 3
    for text in ("textColor", "linkColor", "grayTextColor", "codeTextColor"):
        for ground in (colours["backgroundColor"], colours["secondaryBackgroundColor"]):
            assert contrast(colours[text], ground) >= 4.5, (text, ground)


def test_the_server_listens_here_alone_and_tells_nobody() -> None:
    server, client = CONFIG["server"], CONFIG["client"]
    assert server["address"] == "127.0.0.1"
    assert set(server["allowedHosts"]) == {"127.0.0.1", "localhost", "[::1]"}
    assert server["enableStaticServing"] is True  # the editor's bundle
    assert server.get("enableAgentApi", False) is False
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert (client["showErrorDetails"], client["toolbarMode"], client["showErrorLinks"]) == ("type", "viewer", False)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
