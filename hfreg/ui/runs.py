"""Runs: calls that go on outside the script run that began them.

A page starts a run, remembers its id and asks again; closing the tab or clicking elsewhere stops nothing.
Knows nothing of Streamlit.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hfreg.engine import Event, Outcome, Run
from hfreg.errors import HfregError
from hfreg.registry import Registry
from hfreg.types.media import held_bytes
from hfreg.version import Version

KEPT = 500
"""Runs that stay readable after they ended; the oldest goes first."""
KEPT_BYTES = 256_000_000
"""Bytes of pictures and sound that all runs together were given; of the ended ones the oldest go first."""
FOUND_AGAIN_S = 60
"""How long after its end a run is still found by an address that names it."""
MAX_HELD = 100_000
"""Characters of what a run prints, and of what it streams, that are held while it goes on: the end of it."""


class Tail(list[Any]):
    """The end of what came, at most about `MAX_HELD` characters; a list, because another thread copies it."""

    _held = 0

    def add(self, part: Any) -> None:
        """Append a part, and let the first ones go once there is too much."""
        part = part[-MAX_HELD:] if isinstance(part, str) else part
        self.append(part)
        self._held += _length(part)
        if self._held > 1.2 * MAX_HELD:
            gone = 0
            while self._held > MAX_HELD and gone < len(self) - 1:
                self._held -= _length(self[gone])
                gone += 1
            del self[:gone]


@dataclass
class LiveRun:
    """One call: what was asked, what has happened so far, and its Outcome once there is one."""

    id: str
    version: Version
    arguments: Mapping[str, Any]
    source: str
    user: str = ""
    started_at: float = field(default_factory=time.time)
    stage: str = "queued"
    download: Mapping[str, Any] | None = None
    printed: Tail = field(default_factory=Tail)
    pieces: Tail = field(default_factory=Tail)
    outcome: Outcome | None = None
    run: Run | None = None

    @property
    def done(self) -> bool:
        """Whether there is an Outcome."""
        return self.outcome is not None

    @property
    def seconds(self) -> float:
        """How long it has been going on, or took."""
        return self.outcome.timings.total_ms / 1e3 if self.outcome else time.time() - self.started_at

    @cached_property
    def media_bytes(self) -> int:
        """The bytes of pictures and sound among its arguments."""
        return held_bytes(self.arguments)

    def cancel(self) -> None:
        """Stop it in the engine."""
        if self.run is not None:
            self.run.cancel()

    def follow(self, event: Event) -> None:
        """Take an event of the engine; called from its thread."""
        if event.kind == "print":
            self.printed.add(event.data["text"])
        elif event.kind == "piece":
            self.pieces.add(event.data["value"])
        elif event.kind == "outcome":
            self.outcome = event.data["outcome"]
            self.printed.clear()  # the Outcome has what it printed, and the answer
            self.pieces.clear()
        else:
            self.stage = event.kind
            self.download = event.data if event.kind == "download" else None


class Runs:
    """The runs of a server, by id."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, LiveRun] = OrderedDict()
        self._lock = threading.Lock()

    def start(
        self, registry: Registry, version: Version, arguments: Mapping[str, Any], source: str, user: str
    ) -> LiveRun:
        """Begin a call and return at once; what is refused has its Outcome already."""
        live = LiveRun(uuid.uuid4().hex, version, dict(arguments), source, user)
        return self._begin(live, lambda: registry.start(version, [live.arguments], source, user, live.follow))

    def load(self, registry: Registry, version: Version, user: str, *, afresh: bool = False) -> LiveRun:
        """Begin to load a model and return at once; `afresh` unloads it first."""
        live = LiveRun(uuid.uuid4().hex, version, {}, "load", user)
        begin = registry.restart if afresh else registry.load
        return self._begin(live, lambda: begin(version, user, live.follow))

    def _begin(self, live: LiveRun, begin: Callable[[], Run]) -> LiveRun:
        with self._lock:
            self._runs[live.id] = live
            self._let_go()
        try:
            live.run = begin()
        except HfregError as error:
            version = live.version
            live.outcome = Outcome(version.alias, version.number, version.state, error=error, status="error")
        return live

    def _let_go(self) -> None:
        """Forget ended runs, the oldest first, while there are too many or they hold too much."""
        many = len(self._runs) - KEPT
        much = sum(run.media_bytes for run in self._runs.values()) - KEPT_BYTES
        for old in [run for run in self._runs.values() if run.done] if many > 0 or much > 0 else ():
            if many > 0 or (much > 0 and old.media_bytes):
                del self._runs[old.id]
                many, much = many - 1, much - old.media_bytes

    def find(self, run_id: str) -> LiveRun | None:
        """Return a run by its id, or None when it is too old or of another server."""
        return self._runs.get(run_id)

    def find_again(self, run_id: str, source: str, user: str) -> LiveRun | None:
        """Return a run that this user began there and that goes on, or ended less than a minute ago."""
        run = self._runs.get(run_id)
        if run is None or (run.source, run.user) != (source, user):
            return None
        return run if time.time() - run.started_at - run.seconds < FOUND_AGAIN_S else None


def _length(part: Any) -> int:
    return len(part if isinstance(part, str) else str(part)) + 1  # even an empty one takes room
