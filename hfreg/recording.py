"""Recording: every call becomes one record in the invocation log, whichever entrance it came through.

Texts and answers are kept only when the definition says so; sizes always. Writing happens behind the
call (`hfreg.store.events`), so that a log that cannot be written never fails a call.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from hfreg.engine import Event, OnEvent, Outcome
from hfreg.errors import HfregError, NotApproved, ScoringError
from hfreg.store.calls import Call, new_call_id, utc_now
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.store.events import Events

MAX_MESSAGE = 300

_calling = threading.local()


class Recording:
    """Records the rows of one run, and hands its events on to whoever follows."""

    def __init__(
        self, events: Events, version: Version, source: str, user: str, on_event: OnEvent | None = None
    ) -> None:
        self._events = events
        self._version = version
        self._source = source
        self._user = user
        self._on_event = on_event

    def __call__(self, event: Event) -> None:
        """Take an event of the engine: an outcome is recorded, and everything is handed on."""
        if event.kind == "running":
            _calling.user = self._user  # told in the thread that runs the scoring logic
        if event.kind == "outcome":
            self.record(event.data["arguments"], event.data["outcome"])
        if self._on_event is not None:
            self._on_event(event)

    def refuse(self, arguments: Mapping[str, Any], error: HfregError) -> Outcome:
        """Record a call that was not begun, and return its Outcome."""
        version = self._version
        outcome = Outcome(version.alias, version.number, version.state, error=error, status="error")
        self.record(arguments, outcome)
        return outcome

    def record(self, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """Write down one call; the record itself is made by the writer, off the call's time."""
        keep = self._version.definition.store_payloads
        payload = (_json(arguments), _json(outcome.value)) if keep else None
        call_id, at = new_call_id(), utc_now()
        self._events.record(partial(self._call, call_id, at, arguments, outcome, payload))

    def _call(
        self, call_id: str, at: Any, arguments: Mapping[str, Any], outcome: Outcome, payload: tuple[str, str] | None
    ) -> Call:
        error, timings, definition = outcome.error, outcome.timings, self._version.definition
        return Call(
            id=call_id,
            at=at,
            alias=outcome.alias,
            version=outcome.version,
            state=outcome.state,
            source=self._source,
            user=self._user,
            status="refused" if isinstance(error, NotApproved) else outcome.status,
            error_kind=kind(error) if error else "",
            error=_first_line(str(error)) if error else "",
            cold=outcome.cold,
            queue_ms=timings.queue_ms,
            load_ms=timings.load_ms,
            run_ms=timings.run_ms,
            total_ms=timings.total_ms,
            input_bytes=_size(arguments),
            output_bytes=_size(outcome.value) if outcome.ok else 0,
            warnings=len(outcome.warnings),
            tier=outcome.tier,
            network=definition.network,
            token=definition.token,
            arguments=payload[0] if payload else None,
            answer=payload[1] if payload and outcome.ok else None,
        )


def calling_user() -> str | None:
    """Return on whose behalf scoring logic runs in this thread: who calls what it calls."""
    return getattr(_calling, "user", None)


def kind(error: BaseException) -> str:
    """Return the kind of an error as people know it: the original exception's name inside scoring logic."""
    return error.kind if isinstance(error, ScoringError) else type(error).__name__


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + "…"


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # the caller gave something that the call refused
        return json.dumps(repr(value)[:MAX_MESSAGE])


def _size(value: Any) -> int:
    return len(_json(value).encode("utf-8", "surrogatepass"))
