"""Redaction: no secret that a worker was given comes back in what it says.

Covers the plain form of a secret in texts of any depth, keys among them. Code that was given a token can still send it
out in another encoding: docs/isolation.md says so, and reviewers see the switch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hfreg.scoring.secrets import masked


def redacted(value: Any, secrets: Collection[str]) -> Any:
    """Return a plain value with every secret in its texts replaced by `…`; without secrets the value itself."""
    if not secrets:
        return value
    if isinstance(value, str):
        return masked(value, secrets) if any(secret in value for secret in secrets) else value
    if isinstance(value, list | tuple):
        return type(value)(redacted(item, secrets) for item in value)
    if isinstance(value, dict):
        return {redacted(key, secrets): redacted(item, secrets) for key, item in value.items()}
    return value
