"""Errors across the channel: by the name of their class and their sentence, and only those that may come so.

A worker's word is not trusted: what names another class, or none, arrives as a ScoringError, cut to a length that a
page can show.
"""

from __future__ import annotations

from typing import Any

from hfreg import errors
from hfreg.errors import HfregError, ScoringError

MAX_TEXT = 16_000

CROSSING: dict[str, type[HfregError]] = {
    name: getattr(errors, name)
    for name in (
        "ArgumentError",
        "UnknownModel",
        "LifecycleError",
        "NotApproved",
        "LicenceRefused",
        "ScoringError",
        "ScoringTimeout",
        "ScoringCancelled",
        "ModelBusy",
        "NotEnoughMemory",
        "OutputError",
        "DefinitionError",
        "HubError",
        "RepoNotFound",
        "RevisionNotFound",
        "GatedRepo",
        "TokenRejected",
        "NotCached",
        "HubUnreachable",
        "UnsafeRepo",
        "StoreError",
    )
}


def to_frame(error: BaseException) -> dict[str, Any]:
    """Return an error as a frame can hold it."""
    frame: dict[str, Any] = {"error": type(error).__name__, "message": str(error)[:MAX_TEXT]}
    if isinstance(error, ScoringError):
        frame |= {"type": error.kind, "line": error.line}
    return frame


def from_frame(frame: Any) -> HfregError:
    """Return the error that a frame tells of, whatever is in it."""
    told = frame if isinstance(frame, dict) else {}
    name, message = told.get("error"), str(told.get("message", ""))[:MAX_TEXT]
    found = CROSSING.get(name, ScoringError) if isinstance(name, str) else ScoringError
    if issubclass(found, ScoringError):
        line = told.get("line")
        return found(message, str(told.get("type", "Exception"))[:200], line if type(line) is int else None)
    return found(message)
