"""Inline engine: runs scoring logic in this process. For plain Python, notebooks and Ray replicas.

A loaded model is one thread with a queue; a quick one also runs in its caller's thread while nobody waits. The time
limit and stop act at the next bytecode: a long call into C goes on behind an answer that says so, and a fresh model
takes over. There is no memory limit and no confinement: scoring logic can do what this process can.
"""

from __future__ import annotations

from hfreg.engine import Platform
from hfreg.engine.inline_slot import InlineSlot
from hfreg.engine.pool import Pool
from hfreg.engine.watchdog import Watchdog
from hfreg.version import Version


class InlineEngine(Pool):
    """Runs every model in this process, each loaded model in a thread of its own."""

    tier = "inline"

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self._platform = platform
        self._watchdog = Watchdog()

    def close(self) -> None:
        """Cancel what runs and what waits, and end every thread."""
        super().close()
        self._watchdog.close()

    def _new_slot(self, version: Version) -> InlineSlot:
        return InlineSlot(version, self._platform, self._watchdog, self._replace)
