"""Flight: one download in a thread of its own, followed by every caller that waits for it.

Covers progress, joining, and stopping when the last follower has left. What is downloaded is the matter
of `hfreg.hub.fetch`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hfreg.errors import ScoringCancelled

LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is: the file in work, and bytes done of the total of all files."""

    repo: str
    file: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


class Flight(threading.Thread):
    """The download; a daemon, so that leaving the program does not wait for gigabytes."""

    def __init__(self, name: str, work: Callable[[Flight], Path], landed: Callable[[Flight], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._landed = landed
        self._followers = 0
        self._lock = threading.Lock()
        self._stop_asked = threading.Event()
        self._over = threading.Event()
        self._progress: Progress | None = None
        self._folder: Path | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work and keep its answer or error for the followers."""
        try:
            self._folder = self._work(self)
        except BaseException as error:
            self._error = error
        finally:
            self._landed(self)
            self._over.set()

    def board(self) -> bool:
        """Count one more follower; False when it is being stopped and a new flight is needed."""
        with self._lock:
            if self._stop_asked.is_set():
                return False
            self._followers += 1
            return True

    def follow(self, on_progress: OnProgress | None, cancel: threading.Event | None) -> Path:
        """Wait for the folder, telling progress from the calling thread; raises what the work raised."""
        told: Progress | None = None
        try:
            while True:
                over = self._over.wait(LOOK_EVERY_S)
                if on_progress and self._progress is not None and self._progress != told:
                    told = self._progress
                    on_progress(told)
                if over:
                    break
                if cancel is not None and cancel.is_set():
                    raise ScoringCancelled(f"The download was stopped ({self.name.removeprefix('fetch ')}).")
        finally:
            self._leave()
        if self._error is not None:
            raise self._error
        if self._folder is None:
            raise RuntimeError("A download ended without a folder and without an error.")
        return self._folder

    def show(self, progress: Progress) -> None:
        """Tell the followers how far it is."""
        self._progress = progress

    def go_on(self) -> None:
        """Raise ScoringCancelled when every follower has left."""
        if self._stop_asked.is_set():
            raise ScoringCancelled("The download was stopped.")

    def bar_class(self) -> type[Bar]:
        """Return a progress bar class for huggingface_hub: it looks at the class before it makes one."""
        flight = self

        class FlightBar(Bar):
            def __init__(self, *_: object, **given: Any) -> None:
                super().__init__(flight, flight._progress, int(given.get("initial") or 0))

        return FlightBar

    def add(self, size: int, before: Progress | None) -> None:
        """Count bytes of the file in work."""
        self.go_on()
        if before is not None:
            self.show(Progress(before.repo, before.file, min(before.done + size, before.total), before.total))

    def _leave(self) -> None:
        with self._lock:
            self._followers -= 1
            if self._followers == 0:
                self._stop_asked.set()


class Bar:
    """A progress bar that draws nothing: it counts for its Flight, and raises to stop the download."""

    def __init__(self, flight: Flight, before: Progress | None, initial: int) -> None:
        self._flight = flight
        self._before = before
        self._count = initial
        self.total: int | None = None
        self.n = initial

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def update(self, count: float | None = 1) -> None:
        """Count bytes written to the file; negative when the server began it anew."""
        self._count += int(count or 0)
        self.n = self._count
        self._flight.add(self._count, self._before)

    def update_transfer(self, count: float | None = 1) -> None:
        """Take the bytes of the line, which are not shown; may stop the download."""
        self._flight.go_on()

    def set_postfix_str(self, text: str = "", refresh: bool = False) -> None:
        """Take a rate, which is not shown."""

    def set_transfer_postfix_str(self, text: str = "", refresh: bool = False) -> None:
        """Take a rate, which is not shown."""

    def close(self) -> None:
        """End the bar."""
