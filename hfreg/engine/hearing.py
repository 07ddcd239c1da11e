"""Hearing: the caller's end of a question to an endpoint: pieces of the reply come in, Stop goes out.

Stop ends the request itself where the reply has begun; before, the request ends at its timeout and nobody hears it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Hearing:
    """One row that waits for a reply, in pieces where it `streams`; safe to use from several threads."""

    def __init__(self, tell: Callable[[str], None], streams: bool = False) -> None:
        self.streams = streams
        self._tell = tell
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more."""
        return self._stopping.is_set()

    def stopped_within(self, seconds: float) -> bool:
        """Wait so long, or until it is stopped; returns whether it was."""
        return self._stopping.wait(seconds)

    def piece(self, text: str) -> None:
        """Hand on a piece of the reply; none after it was stopped."""
        if not self.stopped:
            self._tell(text)

    def ends_by(self, end: Callable[[], None] | None) -> None:
        """Take what ends the request from another thread, and call it now if it was stopped; None once it is over."""
        with self._lock:
            self._end = end
            if end is not None and self.stopped:
                end()

    def stop(self) -> None:
        """Wait no longer, and end the request."""
        self._stopping.set()
        with self._lock:  # a connection that is over may serve another call by now
            if self._end is not None:
                self._end()
