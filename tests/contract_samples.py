"""What the acceptance tests of the contract share: a definition in one line, and a registry's answer to a call.

Only public names of hfreg are used. It holds no test.
"""

from __future__ import annotations

from typing import Any

import hfreg

TEXT = hfreg.Argument("text", "String")


def define(source: str = "return text", /, alias: str = "probe", **fields: Any) -> hfreg.Definition:
    """Return a definition with one String argument `text`, unless the fields say otherwise."""
    fields.setdefault("arguments", [TEXT])
    return hfreg.Definition(alias=alias, description="A probe.", scoring_logic=source, **fields)


def taking(kind: str, source: str = "return value", /, **fields: Any) -> hfreg.Definition:
    """Return a definition with one argument `value` of this type."""
    return define(source, arguments=[hfreg.Argument("value", kind)], **fields)


def answering(source: str, kind: str) -> hfreg.Definition:
    """Return a definition without arguments and with this output type."""
    return define(source, arguments=[], output_type=kind)


def errors_of(findings: list[hfreg.Finding]) -> list[hfreg.Finding]:
    """Return the findings that block registering."""
    return [finding for finding in findings if finding.level == "error"]
