"""API Based models over the loopback Hub's inference routes, for the tests that call them."""

from __future__ import annotations

from typing import Any

from loopback_hub import LoopbackHub

import hfreg

TEXT = [hfreg.Argument("text", "String")]
TOKEN = "hf_" + "abcDEF0123456789" * 2


def definition(endpoint: dict[str, Any] | None = None, **fields: Any) -> hfreg.Definition:
    usual: dict[str, Any] = {
        "alias": "rater",
        "description": "Rates a text elsewhere.",
        "output_type": "Map[String, Any]",
        "input_type": "API Based",
        "arguments": [hfreg.Argument("text", "String"), hfreg.Argument("top_k", "Numerical", optional=True)],
        "endpoint": {"provider": "hf-inference", "model": "org/sentiment", "task": "text-classification"}
        | (endpoint or {}),
    }
    return hfreg.Definition(**{**usual, **fields})


def at(server: LoopbackHub, path: str = "/server", **endpoint: Any) -> dict[str, Any]:
    """Return what an endpoint says of a server of its own."""
    return {"base_url": server.url + path, "provider": "auto", "model": "", **endpoint}


def run(registry: hfreg.Registry, made: hfreg.Definition, **arguments: Any) -> Any:
    registry.register(made)
    return registry.model(made.alias).run(**arguments)
