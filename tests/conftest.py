"""Fixtures of the whole suite: a home of its own for every test, and nothing of the user's environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hfreg
from hfreg.engine.isolated.supervisor import Supervisor
from hfreg.settings import TOKEN_VARIABLES

pytest_plugins = ["hub_fixtures"]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as many tests as processors run at once; more threads only wait


NOBODY = "http://127.0.0.1:9"
"""Where the Hub would be for a test that has none: a port on which nothing listens, never the real one."""


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the user's settings, tokens and caches out of every test, and close what a test opened."""
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    for name in (*TOKEN_VARIABLES, "HFREG_REQUIRE_APPROVED", "HFREG_DATABASE_URL", "HFREG_TIMEOUT_S"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HFREG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HFREG_ENGINE", "inline")  # a page alone would start a zygote; `engine` and `zygote` ask for one
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


@pytest.fixture(scope="session")
def zygote() -> Iterator[None]:
    """One zygote for all tests that run models in processes, as one serves every registry of a program."""
    supervisor = Supervisor.acquire()
    assert supervisor.settle()
    yield
    supervisor.release()


@pytest.fixture(params=["inline", "isolated"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test over each engine; what asks for it besides `registry` is one suite for all of them."""
    name: str = request.param
    if name == "isolated":
        if not sys.platform.startswith("linux"):
            pytest.skip("the isolated engine needs Linux")
        request.getfixturevalue("zygote")
    monkeypatch.setenv("HFREG_ENGINE", name)
    return name
