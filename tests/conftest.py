"""Fixtures of the whole suite: a home of its own for every test, and nothing of the user's environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import hfreg
from hfreg.settings import TOKEN_VARIABLES

pytest_plugins = ["hub_fixtures"]


NOBODY = "http://127.0.0.1:9"
"""Where the Hub would be for a test that has none: a port on which nothing listens, never the real one."""


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the user's settings, tokens and caches out of every test, and close what a test opened."""
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    for name in (*TOKEN_VARIABLES, "HFREG_ENGINE", "HFREG_REQUIRE_APPROVED", "HFREG_DATABASE_URL", "HFREG_TIMEOUT_S"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HFREG_HOME", str(tmp_path / "home"))
    yield
    for registry in list(hfreg._registries.values()):
        registry.close()
    hfreg._registries.clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder that `hfreg.open()` opens in this test; it does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def registry(home: Path) -> hfreg.Registry:
    """An empty registry."""
    return hfreg.open()
