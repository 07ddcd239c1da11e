"""The model page tells what changed on the Hub since a version was registered, and only when it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from catalog_pages import LOGIC, MODEL, definition, opened, press, said
from hub_files import plain_repo, safetensors
from loopback_hub import LoopbackHub

import hfreg
from hfreg.ui import upstream_check

SOURCE = f"from transformers import pipeline\n\nclient = pipeline(model='acme/mood')\n{LOGIC}"


@pytest.fixture
def server(loopback_hub: LoopbackHub) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with a model of the loopback Hub and one of none."""
    st.cache_resource.clear()
    loopback_hub.add_repo("acme/mood", plain_repo())
    registry = hfreg.open()
    registry.register(definition("mood", scoring_logic=SOURCE))
    registry.register(definition("plain"))
    loopback_hub.forget_requests()
    yield registry
    st.cache_resource.clear()


def test_the_page_asks_the_hub_only_when_the_button_is_pressed(
    server: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    commit = loopback_hub.push("acme/mood", {**plain_repo(), "model.safetensors": safetensors(seed=2)})
    at = opened(MODEL, alias="mood")
    assert at.button(key=upstream_check.NAME).label == "Look for changes on the Hub"
    assert "Asked" not in said(at) and loopback_hub.requests == []
    page = said(press(at, upstream_check.NAME))
    assert f"`acme/mood` changed: `main` is at {commit[:12]}" in page
    assert "Different: weights (model.safetensors)." in page and "Asked 20" in page
    assert loopback_hub.requests == [("GET", "/api/models/acme/mood")]
    assert "Different: weights" in said(at.run()) and len(loopback_hub.requests) == 1
    server.edit("mood", definition("mood", scoring_logic=SOURCE, name="Another save"))
    assert "Different: weights" not in said(at.run())


def test_the_page_says_why_nothing_is_known(server: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    loopback_hub.stop()
    page = said(press(opened(MODEL, alias="mood"), upstream_check.NAME))
    assert "`acme/mood` cannot be compared. " in page and ":material/cloud_off:" in page


def test_a_model_without_a_source_on_the_hub_has_no_such_button(server: hfreg.Registry) -> None:
    at = opened(MODEL, alias="plain")
    assert upstream_check.NAME not in [button.key for button in at.button]
