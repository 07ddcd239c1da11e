"""Background: longer work that a page begins and that goes on outside the script run, such as a run of checks.

One task for each key at a time; it is found again by its key, whatever was clicked since. Knows nothing of Streamlit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hfreg.errors import HfregError
from hfreg.registry import Registry

Follow = Callable[[int, int], None]


@dataclass
class Task:
    """How far it is; once it ended its `result`, or the `problem` that kept it from one."""

    done: int = 0
    of: int = 0
    result: Any = None
    problem: str = ""
    ended: bool = False
    stopped: bool = False
    ended_at: float = 0.0

    def stop(self) -> None:
        """End it at its next step, without a result."""
        self.stopped = True

    def wait(self, seconds: float, step: float = 0.002) -> None:
        """Give it a moment, so that what is fast is drawn at once."""
        until = time.monotonic() + seconds
        while not self.ended and time.monotonic() < until:
            time.sleep(step)


class Tasks:
    """The newest task of each key of this server."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()

    def find(self, key: str) -> Task | None:
        """Return the newest task of a key."""
        return self._tasks.get(key)

    def forget(self, key: str) -> None:
        """Stop the task of a key, and know of none."""
        with self._lock:
            task = self._tasks.pop(key, None)
        if task is not None:
            task.stop()

    def start(self, key: str, registry: Registry, work: Callable[[Follow], Any]) -> Task:
        """Begin work and return at once; a task of that key that is on its way is returned as it is.

        `work` is given what it tells how many of how many steps are done; that raises once the work is to end.
        """
        with self._lock:
            before = self._tasks.get(key)
            if before is not None and not before.ended:
                return before
            task = self._tasks[key] = Task()
        threading.Thread(target=_work, args=(registry, task, work), name=f"hfreg-{key}", daemon=True).start()
        return task


def _work(registry: Registry, task: Task, work: Callable[[Follow], Any]) -> None:
    def follow(done: int, of: int) -> None:
        task.done, task.of = done, of
        if task.stopped:
            raise HfregError(f"Stopped after {done} of {of}; what was there before is kept.")
        if registry.closed:
            raise HfregError("The workbench was closed meanwhile.")

    try:
        task.result = work(follow)
    except (HfregError, OSError) as error:
        task.problem = str(error)
    finally:
        task.ended_at, task.ended = time.time(), True
