"""Input types: the three ways in which a model can run, and the fields of a definition that belong to one of them.

`Python Function` is its scoring logic alone. `API Based` has an Endpoint that the platform asks; scoring logic is
optional and is given the reply. `Custom` has an uploaded folder and initialization logic besides. Advanced options
belong to what runs here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

from hfreg.endpoint import RESPONSE, Endpoint
from hfreg.values import Finding

if TYPE_CHECKING:
    from hfreg.definition import Definition

InputType = Literal["API Based", "Python Function", "Custom"]

INPUT_TYPES: tuple[str, ...] = get_args(InputType)
AVAILABLE_INPUT_TYPES: tuple[str, ...] = INPUT_TYPES
MODEL_DIR = "model_dir"
GIVEN_NAMES = {"API Based": frozenset({RESPONSE}), "Custom": frozenset({MODEL_DIR})}
"""The names that scoring logic is given besides arguments, resources and those of every model."""
OWN_FIELDS = {"endpoint": "API Based", "folder": "Custom", "initialization_logic": "Custom"}
LATER_FIELDS = (*OWN_FIELDS, "options", "licence_reason")
"""Fields that a file leaves out while they say nothing, so that it stays as it was before they were there."""
MAX_SOURCE_BYTES = 64 * 1024

_FOLDER = re.compile(r"sha256:[0-9a-f]{64}")


def input_type_findings(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the input type, with the fields that belong to one, and with the advanced options."""
    kind = definition.input_type
    if kind not in AVAILABLE_INPUT_TYPES:
        message = f"{kind} is not available yet. Choose {' or '.join(AVAILABLE_INPUT_TYPES)}."
        yield Finding("error", "input_type", None, message)
    arguments = [(a.alias, a.type) for a in definition.arguments]
    if kind == "API Based":
        endpoint = definition.endpoint or Endpoint()
        yield from endpoint.findings(arguments, bool(definition.scoring_logic.strip()))
        for index, argument in enumerate(definition.arguments):
            if argument.takes_media:
                message = f"An API Based model takes no {argument.type} yet. Choose Python Function."
                yield Finding("error", f"arguments[{index}].type", None, message)
    if definition.folder and not _FOLDER.fullmatch(definition.folder):
        message = f"{definition.folder[:80]!r} is no content address of a folder. Upload the folder again."
        yield Finding("error", "folder", None, message)
    size = len(definition.initialization_logic.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        message = f"The initialization logic is {size / 1024:.1f} KiB long; at most {MAX_SOURCE_BYTES // 1024} KiB fit."
        yield Finding("error", "initialization_logic", None, message)
    for field, owner in OWN_FIELDS.items():
        if getattr(definition, field) and kind != owner:
            message = f"{field.replace('_', ' ').capitalize()} belongs to {owner}; {kind} has no use of it."
            yield Finding("warning", field, None, message)
    yield from definition.options.findings(dict(arguments))
