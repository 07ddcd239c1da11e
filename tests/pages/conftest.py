"""Fixtures of the page tests: the registry as the workbench holds it. Pages with models of their own override it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from register_form import definition
from streamlit import config

import hfreg


@pytest.fixture(scope="session", autouse=True)
def configured() -> None:
    """Read .streamlit/config.toml: a test in another folder may have been the first to ask for an option."""
    config.get_config_options(force_reparse=True)


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it; it has a model, so no starters are registered."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition(alias="first"))
    yield registry
    st.cache_resource.clear()
