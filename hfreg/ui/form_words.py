"""Form words: the fields of a definition and of an argument in the words of the screen, and a definition as lines.

Knows no draft and no widget; which of them stands where is `hfreg.ui.forms`.
"""

from __future__ import annotations

import json
from typing import Any

from hfreg.argument_limits import FIELDS as LIMIT_FIELDS
from hfreg.definition import Definition

ABSENT: tuple[object, ...] = (None, ())
LABELS = {
    "name": "Name",
    "description": "Description",
    "group": "Group",
    "permissible_purpose": "Permissible Purpose",
    "licence_reason": "Reason for the Licence",
    "ownership_type": "Ownership Type",
    "model_type": "Model Type",
    "alias": "Alias",
    "output_type": "Output Type",
    "input_type": "Input Type",
    "model_provider": "Model Provider",
    "arguments": "Arguments",
    "type": "Type",
    "optional": "Optional",
    "default": "Default Value",
    "usage": "Usage",
    "minimum": "Minimum",
    "maximum": "Maximum",
    "choices": "Choices",
    "max_length": "Max Length",
    "initialization_logic": "Initialization Logic",
    "scoring_logic": "Scoring Logic",
    "folder": "Model Folder",
    "endpoint": "Endpoint",
    "task": "Task",
    "provider": "Inference Provider",
    "model": "Model",
    "base_url": "Server Address",
    "parameters": "Sent as",
    "timeout_s": "Timeout",
    "retries": "Retries",
    "options": "Advanced options",
    "device": "Device",
    "dtype": "Weights as",
    "quantization": "Quantization",
    "threads": "Threads",
    "keep_loaded": "Keep loaded",
    "warm_up": "Warm-up input",
    "resources": "Resources",
    "token": "Hugging Face token",
    "network": "Network",
    "pickled_weights": "Pickled weights",
    "limits": "Time Limit",
    "time_s": "Time Limit",
    "memory_mb": "Memory Limit",
    "store_payloads": "Store texts and answers",
    "batching": "Batching",
    "examples": "Examples",
    "notes": "Notes",
}
"""The words of the screen for the fields of a definition and of an argument."""


def as_text(definition: Definition) -> str:
    """Return all of a definition but its code as lines, for a difference that people read."""
    lines = []
    for name, value in definition.model_dump(mode="json", exclude={"scoring_logic", "arguments"}).items():
        if isinstance(value, str):
            lines += [f"{LABELS.get(name, name)}: {line}" for line in value.splitlines()]
        elif value:
            lines.append(f"{LABELS.get(name, name)}: {json.dumps(value, ensure_ascii=False)}")
    for a in definition.arguments:
        default = f", default {a.default}" if a.default is not None else ""
        need = "optional" if a.optional else "required"
        given = {name: getattr(a, name) for name in LIMIT_FIELDS}
        limits = "".join(
            f", {LABELS[name].lower()} {_said(value)}" for name, value in given.items() if value not in ABSENT
        )
        lines.append(f"Argument {a.alias}: {a.type}{limits}, {need}{default}" + (f", {a.usage}" if a.usage else ""))
    return "\n".join(lines) + "\n"


def _said(limit: Any) -> str:
    return ", ".join(map(repr, limit)) if isinstance(limit, tuple) else str(limit)
