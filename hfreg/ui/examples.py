"""Examples: calls that are saved with a model, so that whoever tries it can start from one.

Saving one writes a new snapshot of the Draft; a version that is locked keeps the examples it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hfreg.errors import HfregError
from hfreg.lifecycle import State
from hfreg.registry import Registry
from hfreg.ui import media_field
from hfreg.version import Version

MAX_EXAMPLES = 50
NOTE = "Example saved from the playground"


def save(registry: Registry, version: Version, arguments: Mapping[str, Any], author: str) -> tuple[bool, str]:
    """Save a call with the model; return whether it was saved, and a sentence that says so or why not."""
    name = f"{version.alias} version {version.number}"
    if version.state is not State.DRAFT:
        return False, f"{name} is {version.state}, so nothing of it changes. Clone it, and save examples in the Draft."
    try:
        example = {k: v.isoformat() if isinstance(v, datetime) else media_field.kept(v) for k, v in arguments.items()}
    except ValueError as problem:
        return False, f"The example was not saved. {problem}"
    examples = version.definition.examples
    if example in examples:
        return False, "This example is saved already."
    if len(examples) >= MAX_EXAMPLES:
        return False, f"{name} has {MAX_EXAMPLES} examples, which is as many as fit. Remove one on its edit page."
    definition = version.definition.model_copy(update={"examples": (*examples, example)})
    try:
        registry.edit(version.alias, definition, NOTE, author, expected_snapshot=version.snapshot)
    except HfregError as error:
        return False, f"The example was not saved. {error}"
    return True, f"Saved as example {len(examples) + 1} of {name}."
