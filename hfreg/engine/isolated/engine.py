"""Isolated engine: a loaded model is a process, forked from one that imported the libraries, and confined.

A crash, an endless loop or a memory bomb in one model is invisible to every other, unloading gives the memory back,
and no scoring logic runs in the process of the workbench. Linux only; how far a worker is confined is its tier.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from hfreg.engine import Standing
from hfreg.engine.isolated import landlock
from hfreg.engine.isolated.folders import Root, View
from hfreg.engine.isolated.process import WorkerProcess
from hfreg.engine.isolated.residency import Residency, Sizes
from hfreg.engine.isolated.sandbox import REQUIRED, Confinement
from hfreg.engine.isolated.slot import WorkerSlot
from hfreg.engine.isolated.supervisor import PACKAGE, Supervisor
from hfreg.engine.pool import Pool
from hfreg.version import Version

OPEN_FILES = 256
FILE_BYTES = 64 * 1024 * 1024
ADDRESS_SPACE = 16 * 1024**3
"""Bytes of addresses that a worker may take beyond what the libraries have; what it holds in memory is watched."""


class IsolatedEngine(Pool):
    """Runs every loaded model in a worker process of its own."""

    def __init__(
        self, platform: Sizes, cache: Path, shipped: tuple[Path, ...] = (), memory_bytes: int | None = None
    ) -> None:
        """Take the platform, the folder of fetched checkpoints, and those of checkpoints that every worker may read.

        `memory_bytes` is the budget of all workers together, and of each that has no limit of its own; half the RAM.
        """
        super().__init__()
        self.tier = "confined" if _kernel_confines() else "process only"
        self._platform = platform
        self._cache = cache
        self._shipped = shipped
        self._residency = Residency(memory_bytes or _half_the_memory(), platform, self.is_kept)
        self._supervisor = Supervisor.acquire()
        self._scratch = Root()
        self._views = Root(cache.parent)

    def standing(self) -> Standing:
        """Return how the engine stands; it is ready once the process that loads models would fork at once."""
        return Standing(self.tier, self._supervisor.ready, self._residency.budget_bytes)

    def close(self) -> None:
        """Cancel what runs and what waits, and end every process."""
        first = not self._closed
        super().close()
        if not first:  # what others share must not be let go of twice
            return
        self._supervisor.release()
        self._scratch.remove()
        self._views.remove()

    def abandon(self) -> None:
        """Let go of everything without ending it: in a forked child it belongs to the parent."""
        self._supervisor.abandon()
        self._scratch.release()
        self._views.release()

    def _new_slot(self, version: Version) -> WorkerSlot:
        readable = (self._cache, *self._shipped)
        return WorkerSlot(version, self._platform, self._residency, self._start_worker, readable, self.tier)

    def _start_worker(
        self, version: Version, environment: Mapping[str, str], limit_bytes: int
    ) -> tuple[WorkerProcess, View]:
        definition = version.definition
        view = View(self._views.new(), self._shipped)
        scratch = self._scratch.new()
        confinement = Confinement(
            scratch=scratch,
            readable=(view.folder, *self._shipped, *_libraries()),
            network=definition.network,
            address_space=ADDRESS_SPACE,
            open_files=OPEN_FILES,
            file_bytes=FILE_BYTES,
            required=REQUIRED if self.tier == "confined" else (),
        )
        home = {"HOME": str(scratch), "TMPDIR": str(scratch), "HF_HOME": str(scratch / "hf")}
        return WorkerProcess(self._supervisor, confinement, home, limit_bytes), view


def _libraries() -> tuple[Path, ...]:
    """List the folders of installed packages, and this one; never where a script lies, which may be a home."""
    folders = {Path(entry).resolve() for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}}
    return (PACKAGE, Path(sys.prefix), Path(sys.base_prefix), *sorted(folders))


def _kernel_confines() -> bool:
    """Whether this kernel has what confines: then a worker that lacks a layer is refused, not let off."""
    try:
        return landlock.abi() >= 1
    except OSError:
        return False


def _half_the_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
