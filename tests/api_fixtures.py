"""The loopback Hub as the place that calls of API Based models go to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loopback_hub import LoopbackHub

from hfreg.engine import asking


@pytest.fixture
def inference(loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """The loopback Hub as the place that huggingface_hub's InferenceClient turns to, with models of two tasks."""
    from huggingface_hub import constants
    from huggingface_hub.inference import _providers
    from huggingface_hub.inference._providers import hf_inference

    monkeypatch.setattr(constants, "INFERENCE_PROXY_TEMPLATE", loopback_hub.url + "/{provider}")
    for helper in _providers.PROVIDERS["hf-inference"].values():
        monkeypatch.setattr(helper, "base_url", f"{loopback_hub.url}/hf-inference")
    monkeypatch.setattr(_providers.CONVERSATIONAL_AUTO_ROUTER, "base_url", loopback_hub.url)
    monkeypatch.setattr(asking, "FIRST_PAUSE_S", 0.02)
    hf_inference._check_supported_task.cache_clear()
    loopback_hub.add_repo("org/sentiment", {"config.json": b"{}"}, pipeline_tag="text-classification")
    yield loopback_hub
    hf_inference._check_supported_task.cache_clear()
