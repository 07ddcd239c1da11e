"""Progress: what a person at a terminal or in a notebook sees while a checkpoint is downloaded.

Draws bars with tqdm on stderr, and only where someone can see them; a page follows the same events itself.
"""

from __future__ import annotations

import sys
from typing import Any

from hfreg.engine import Event, OnEvent


def downloads() -> OnEvent | None:
    """Return what draws downloads, or None where stderr is neither a terminal nor a notebook."""
    return Bars() if sys.stderr.isatty() or "ipykernel" in sys.modules else None


class Bars:
    """One bar for the repository that is being downloaded."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._repo = ""

    def __call__(self, event: Event) -> None:
        """Take an event of a run; all but downloads pass by."""
        if event.kind == "download":
            self._advance(event.data["repo"], event.data["done"], event.data["total"])
        elif self._bar is not None and event.kind != "print":
            self._bar.close()
            self._bar = None

    def _advance(self, repo: str, done: int, total: int) -> None:
        from tqdm.auto import tqdm

        if self._bar is None or repo != self._repo:
            if self._bar is not None:
                self._bar.close()
            self._repo = repo
            self._bar = tqdm(desc=repo, total=total, unit="B", unit_scale=True, leave=False, file=sys.stderr)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
