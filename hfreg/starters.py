"""Starters: the four small models that ship with hfreg, so that the first minute needs no network.

Registers their definitions (`data/starter/*/definition.json`) and marks them as demonstrations. The
checkpoints are made by `training/`; how good they are stands in the model card beside each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hfreg.definition import Definition
from hfreg.settings import STARTERS
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.registry import Registry


def definitions() -> list[Definition]:
    """List the definitions of the starter models, in the order of their folders."""
    files = sorted(STARTERS.glob("*/definition.json"))
    return [Definition(**json.loads(file.read_text(encoding="utf-8"))) for file in files]


def register(registry: Registry) -> list[Version]:
    """Register the starter models that are not there yet, and return those."""
    known = set(registry.definitions.aliases())
    return [
        registry.register(definition, "Starter model", author="hfreg", demonstration=True)
        for definition in definitions()
        if definition.alias not in known
    ]


def register_on_first_start(registry: Registry) -> list[Version]:
    """Register the starter models in a home that holds no model and never did; return those."""
    return register(registry) if registry.is_new else []
