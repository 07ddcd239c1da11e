"""Fixtures around the loopback Hub: the server, the settings that point to it, the tiny checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

from hfreg.hub.client import Hub
from hfreg.hub.fetch import Fetcher
from hfreg.settings import TOKEN_VARIABLES, Settings, Token

HubOf = Callable[..., Hub]


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache for huggingface_hub and no token anywhere; what it read at import is set anew."""
    home = tmp_path / "huggingface"
    for name in (*TOKEN_VARIABLES, "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    for name, value in {
        "HF_HOME": str(home), "HF_HUB_CACHE": str(home / "hub"), "HUGGINGFACE_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"), "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "AGENT_HARNESSES_PATH": str(home / ".agent_harnesses.json"), "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_TELEMETRY": True,  # else it asks the Hub once a day which program it runs in
    }.items():  # fmt: skip
        monkeypatch.setattr(constants, name, value)
    yield home / "hub"
    huggingface_hub.close_session()


@pytest.fixture
def loopback_hub(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A running Hub without repositories; code that uses huggingface_hub by itself reaches it too."""
    with LoopbackHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_URL_HOSTS", constants.HF_URL_HOSTS | {"127.0.0.1"})
        if api := getattr(sys.modules.get("huggingface_hub.hf_api"), "api", None):
            monkeypatch.setattr(api, "endpoint", server.url)  # the module's own HfApi kept what it read at import
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def hub_of(loopback_hub: LoopbackHub, tmp_path: Path) -> HubOf:
    """Make a Hub that speaks to the loopback server: `hub_of(token="hf_…", offline=True)`."""

    def make(token: str | None = None, offline: bool = False, endpoint: str | None = None) -> Hub:
        settings = Settings(home=tmp_path / "home", endpoint=endpoint or loopback_hub.url, offline=offline)
        return Hub(settings, lambda: Token(token, "this test") if token else None)

    return make


@pytest.fixture
def hub(hub_of: HubOf) -> Hub:
    """The Hub without a token."""
    return hub_of()


@pytest.fixture
def fetcher(hub: Hub) -> Fetcher:
    """A Fetcher without a token."""
    return Fetcher(hub)


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> TinyCheckpoints:
    """Real transformers checkpoints of a few hundred kilobytes, made once: .classifier, .embedder, .generator."""
    return TinyCheckpoints(tmp_path_factory.mktemp("checkpoints"))
