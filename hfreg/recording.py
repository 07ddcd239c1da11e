"""Recording: every call becomes one record in the invocation log, whichever entrance it came through.

Texts and answers are kept only when the definition says so, and so are the messages of errors that quote
them; sizes always. Writing happens behind the call (`hfreg.store.events`), so that a log that cannot be
written never fails a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.engine import Event, OnEvent, Outcome, Use
from hfreg.errors import (
    ArgumentError,
    EngineClosed,
    HfregError,
    NotApproved,
    OutputError,
    ScoringCancelled,
    ScoringError,
    ScoringTimeout,
)
from hfreg.scoring.check import repositories
from hfreg.store.calls import Call, new_call_id, utc_now
from hfreg.types import Media
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.store.events import Events

MAX_MESSAGE = 300
UNTOLD = Use()
PLAIN = (ScoringTimeout, ScoringCancelled, NotApproved, EngineClosed)
"""Errors whose messages are the platform's own words, unless scoring logic raised them."""

_user: ContextVar[str | None] = ContextVar("user", default=None)


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
            _user.set(self._user)  # told in the thread that runs the scoring logic
        if event.kind == "outcome":
            self.record(event.data["arguments"], event.data["outcome"])
        if self._on_event is not None:
            self._on_event(event)

    def refuse(self, arguments: Mapping[str, Any], error: HfregError) -> Outcome:
        """Record a call that was not begun, and return its Outcome."""
        version = self._version
        outcome = Outcome(version.alias, version.number, version.state, error=error, status="error")
        self.record(arguments, outcome, begun=False)
        return outcome

    def record(self, arguments: Mapping[str, Any], outcome: Outcome, begun: bool = True) -> None:
        """Write down one call; the writer makes the record, off the call's time, unless arguments would live long."""
        call = partial(self._call, new_call_id(), utc_now(), arguments, outcome, begun)
        definition = self._version.definition  # pictures and sound are not held until the writer comes
        at_once = definition.store_payloads or definition.takes_media or self._events.lagging
        self._events.record(call() if at_once else call)

    def _call(
        self, call_id: str, at: datetime, arguments: Mapping[str, Any], outcome: Outcome, begun: bool = True
    ) -> Call:
        error, timings, definition = outcome.error, outcome.timings, self._version.definition
        use = outcome.use or UNTOLD
        raised = begun and outcome.status == "error"  # by scoring logic, for all one knows
        content, arguments = _without_media(definition, arguments)
        given, answer = _json(arguments), _json(outcome.value) if outcome.ok else ""
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
            error=_message(error, definition, raised) if error else "",
            cold=outcome.cold,
            queue_ms=timings.queue_ms,
            load_ms=timings.load_ms,
            run_ms=timings.run_ms,
            total_ms=timings.total_ms,
            input_bytes=_size(given) + content,
            output_bytes=_size(answer),
            warnings=len(outcome.warnings),
            tier=outcome.tier,
            network=definition.network,
            token=definition.token,
            arguments=given if definition.store_payloads else None,
            answer=answer if definition.store_payloads and outcome.ok else None,
            tokens_in=use.tokens_in,
            tokens_out=use.tokens_out,
            cost=use.cost,
        )


def calling_for(user: str) -> None:
    """Note on whose behalf scoring logic runs in this thread."""
    _user.set(user)


def calling_user() -> str | None:
    """Return on whose behalf scoring logic runs in this thread: who calls what it calls."""
    return _user.get()


def kind(error: BaseException) -> str:
    """Return the kind of an error as people know it: the original exception's name inside scoring logic."""
    return error.kind if isinstance(error, ScoringError) else type(error).__name__


def _message(error: HfregError, definition: Definition, raised: bool) -> str:
    """Return what the log says of an error: without payloads nothing that could quote the user or the answer."""
    if not definition.store_payloads and (raised or not isinstance(error, PLAIN)):
        return _unquoted(error, definition)
    line = str(error).partition("\n")[0]
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + "…"


def _unquoted(error: HfregError, definition: Definition) -> str:
    """Return of a message what the definition says itself: a line, an argument, a type, a repository, a resource."""
    if isinstance(error, ScoringError):
        return f"in line {error.line}" if error.line else ""
    if isinstance(error, OutputError):
        return f"the answer is not of the type {definition.output_type}"
    quoted = re.findall(r"`([^`]*)`", str(error))
    if isinstance(error, ArgumentError):
        # Of the first alone: an undeclared name may be a text that lost its place, and then others are offered.
        return f"`{quoted[0]}`" if quoted and quoted[0] in {a.alias for a in definition.arguments} else ""
    # An id that was built at run time may be a user's text, so only those that the code names.
    named = {*definition.resources, *(one.repo for one in repositories(definition.code))}
    return next((f"`{name}`" for name in quoted if name in named), "")


def _without_media(definition: Definition, arguments: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Return how many bytes of pictures and sound there are, and the arguments with what tells them, never they."""
    if not definition.takes_media:
        return 0, arguments
    told, sizes = dict(arguments), [0]
    for argument in definition.arguments:
        if argument.takes_media and argument.alias in told:
            told[argument.alias] = _told(argument, told[argument.alias], definition.store_payloads, sizes)
    return sum(sizes), told


def _told(argument: Argument, value: Any, digests: bool, sizes: list[int]) -> Any:
    try:
        held = argument.parsed_type.check(value, argument.alias)
    except ArgumentError:  # the call was refused for it
        return f"<{type(value).__name__}>"
    return _told_of(held, digests, sizes)


def _told_of(held: Any, digests: bool, sizes: list[int]) -> Any:
    if type(held) is list:
        return [_told_of(item, digests, sizes) for item in held]
    if type(held) is dict:
        return {key: _told_of(item, digests, sizes) for key, item in held.items()}
    if type(held) is not Media:
        return held
    sizes.append(len(held.data))
    return {"media": held.media_type, "bytes": len(held.data), **({"sha256": held.sha256} if digests else {})}


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # the caller gave something that the call refused
        return json.dumps(repr(value)[:MAX_MESSAGE])


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
