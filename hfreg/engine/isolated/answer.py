"""Answer: what a worker said in the end, judged by the platform; nothing of it is believed unchecked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hfreg.definition import Definition
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import BadFrame, Frame
from hfreg.engine.isolated.errors import from_frame
from hfreg.engine.isolated.process import Ended
from hfreg.engine.isolated.redaction import redacted
from hfreg.errors import HfregError, ScoringError


@dataclass(frozen=True, slots=True)
class Answer:
    """A value, or the error in its place, with what is to be said about it."""

    value: Any = None
    error: HfregError | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judged(told: Frame, definition: Definition) -> Answer:
    """Hold what a worker answered to the output type again: it is not to be believed."""
    warnings, notes = _texts(told.get("warnings")), _texts(told.get("notes"))
    if "error" in told:
        return Answer(None, from_frame(told["error"]), warnings, notes)
    try:
        converted = definition.parsed_output_type.convert(channel.unpack(told.get("value")))
    except (HfregError, BadFrame) as problem:
        error = problem if isinstance(problem, HfregError) else ScoringError(str(problem))
        return Answer(None, error, warnings, notes)
    return Answer(converted.value, None, (*warnings, *converted.warnings), notes)


def lost(alias: str, end: Ended, secrets: Collection[str] = ()) -> ScoringError:
    """Return the error of a row whose worker ended before it answered; its last words without secrets."""
    told = redacted(str(end), secrets)
    what, kind = {
        "memory": (f"{alias} took more memory than it may: {told}. Its process was ended.", "MemoryError"),
        "threads": (f"{alias} started more threads than it may: {told}. Its process was ended.", "RuntimeError"),
        "disk": (f"{alias} wrote more than it may: {told}. Its process was ended.", "DiskFull"),
        "protocol": (f"{alias} said what no model may: {told}. Its process was ended.", "ProtocolError"),
    }.get(end.reason, (f"The process of {alias} is no more: {told}", "ProcessEnded"))
    return ScoringError(what, kind)


def _texts(given: Any) -> tuple[str, ...]:
    """Return the texts of a list, as many and as long as a page can show."""
    return tuple(str(text)[:2000] for text in given[:100]) if isinstance(given, list) else ()
