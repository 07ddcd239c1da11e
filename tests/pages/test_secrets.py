"""No page shows the token, whatever models that may have it try: every page is opened and all it sends is searched."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import streamlit as st
from catalog_pages import definition, opened
from streamlit.testing.v1.element_tree import Block, Node

import hfreg
from hfreg.ui import frame

CANARY = "hf_canaryCanaryCANARYcanary0123456789"
LEAKS = {
    "answers": "return {'token': token}",
    "raises": "raise ValueError(token)",
    "prints": "print(token)\nreturn {}",
    "leaves": "os.write(2, token.encode())\nos._exit(1)",
}
PAGES = (
    frame.MODELS,
    frame.REGISTER,
    frame.MODEL,
    frame.PLAYGROUND,
    frame.USAGE,
    frame.LOADED,
    frame.INTEGRATIONS,
)


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch, zygote: None) -> Iterator[hfreg.Registry]:
    """A registry with the token saved, and models that were given it and tried to leave it somewhere."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.save_token(CANARY)
    for alias, leak in LEAKS.items():
        logic = f"import os\ntoken = os.environ['HF_TOKEN']\nassert token.startswith('hf_canary')\n{leak}"
        kept = definition(alias, scoring_logic=logic, token=True, store_payloads=True)
        registry.register(kept)
        outcome = registry.model(alias).run(text="x")
        assert "AssertionError" not in str(outcome.error), "it had the token"
    registry.events.flush()
    yield registry
    st.cache_resource.clear()


def sent(node: Node) -> str:
    """Everything that a page sends to the browser."""
    inside = "".join(map(sent, node.children.values())) if isinstance(node, Block) else ""
    return str(getattr(node, "proto", "")) + inside


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the isolated engine needs Linux")
@pytest.mark.parametrize("path", PAGES)
def test_no_page_sends_the_token(leaky: hfreg.Registry, path: str) -> None:
    at = opened(path, alias="raises")
    assert not at.exception
    everything = sent(at._tree)
    assert len(everything) > 1000
    assert CANARY not in everything
    assert CANARY[3:] not in everything
