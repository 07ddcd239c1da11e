"""Check runs: the checks of a model on their way, outside the script run that began them.

One run for each model at a time; it goes on whatever is clicked, and is found again by the alias. Knows nothing of
Streamlit.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from hfreg.errors import CheckError, HfregError
from hfreg.registry import Registry
from hfreg.version import Version


@dataclass
class CheckRun:
    """How far the checks of a version are; `problem` says why they did not come to an end."""

    version: Version
    done: int = 0
    of: int = 0
    problem: str = ""
    ended: bool = False
    stopped: bool = False
    ended_at: float = 0.0

    def stop(self) -> None:
        """End it before the next check; no report is kept."""
        self.stopped = True


class CheckRuns:
    """The newest run of checks of each model of this server."""

    def __init__(self) -> None:
        self._runs: dict[str, CheckRun] = {}
        self._lock = threading.Lock()

    def find(self, alias: str) -> CheckRun | None:
        """Return the newest run of a model."""
        return self._runs.get(alias)

    def start(self, registry: Registry, version: Version, user: str) -> CheckRun:
        """Begin to run the checks of a version and return at once; one that is on its way is returned as it is."""
        with self._lock:
            before = self._runs.get(version.alias)
            if before is not None and not before.ended:
                return before
            run = self._runs[version.alias] = CheckRun(version)
        threading.Thread(target=_work, args=(registry, run, user), name="hfreg-checks", daemon=True).start()
        return run


def _work(registry: Registry, run: CheckRun, user: str) -> None:
    def follow(done: int, of: int) -> None:
        run.done, run.of = done, of
        if run.stopped:
            raise CheckError(f"Stopped after {done} of {of} checks. The report of before is kept.")
        if registry.closed:
            raise CheckError("The workbench was closed while checks ran.")

    try:
        registry.run_checks(run.version.alias, run.version.number, user, follow)
    except (HfregError, OSError) as error:
        run.problem = str(error)
    finally:
        run.ended_at, run.ended = time.time(), True
