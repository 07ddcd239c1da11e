"""Damage: does harm in one worker after another while a bystander is called, and measures what others feel.

Runs within `driver.py`. For each harm: a sign of life, the harm, and two more signs of life; the app is measured from
outside the engine: its memory, its descriptors, the processes and folders that are left.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hfreg
from hfreg.engine.isolated import clock, watch
from tests.attacks.attack import Harm
from tests.attacks.catalogue import HARM
from tests.attacks.world import World, ended, state_of, workers

EVERY_S = 0.03
LOAD_S, ENTRIES, SCRATCH_BYTES = 1.0, 2000, 96 * 2**20
"""What loading may take and a scratch folder hold here: the limits of the product take too long to reach."""
WELL = hfreg.Argument("well", "Boolean")


class Bystander:
    """Another model, called all the while."""

    def __init__(self, world: World) -> None:
        self.latencies: list[float] = []
        self.failures: list[str] = []
        self._model = world.registry.model("bystander")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._call)
        self._thread.start()

    def _call(self) -> None:
        while not self._stop.wait(EVERY_S):
            began = time.perf_counter()
            outcome = self._model.run(1)
            self.latencies.append(time.perf_counter() - began)
            if outcome.value != 2:
                self.failures.append(str(outcome.error))

    def stop(self) -> dict[str, Any]:
        self._stop.set()
        self._thread.join()
        ordered = sorted(self.latencies)
        return {
            "calls": len(ordered),
            "failures": self.failures,
            "p50_ms": 1e3 * ordered[len(ordered) // 2],
            "p99_ms": 1e3 * ordered[int(len(ordered) * 0.99)],
            "worst_ms": 1e3 * ordered[-1],
        }


def damage(world: World, names: Iterable[str]) -> dict[str, Any]:
    """Do all of these harms and tell how each ended and what was felt elsewhere."""
    results: dict[str, Any] = {}
    clock.LOAD_S = clock.TOLD_S = LOAD_S
    watch.MAX_ENTRIES, watch.MAX_SCRATCH = ENTRIES, SCRATCH_BYTES
    one(world, Harm("nothing", "return 'answered'", ("ok",)))  # what is made once is made
    before = state_of(world)
    bystander = Bystander(world)
    worker = world.slot("bystander")._process.pid
    for name in names:
        print(name, flush=True)
        results[name] = one(world, HARM[name])
        results[name]["rss_mb"] = rss_mb()
    felt = bystander.stop()
    survived = world.slot("bystander")._process.pid == worker
    until = time.monotonic() + 30
    while state_of(world)["threads"] > before["threads"] and time.monotonic() < until:
        time.sleep(0.05)  # large scratch folders are removed in the background
    return {"results": results, "bystander": felt, "survived": survived, "before": before, "after": state_of(world)}


def one(world: World, harm: Harm) -> dict[str, Any]:
    """Do one harm; times are in seconds."""
    registry = world.registry
    limits = hfreg.Limits(time_s=harm.time_s, memory_mb=harm.memory_mb)
    definition = hfreg.Definition(
        alias="harm", arguments=[WELL], scoring_logic=harm.source, limits=limits, output_type=harm.output_type
    )
    first = registry.test(definition, well=True)
    found = [timed(registry, definition, False)]
    found += [timed(registry, definition, True) for _ in range(2)]
    registry.unload("harm")
    until = time.monotonic() + 2
    while len(workers(world)) > 1 and time.monotonic() < until:
        time.sleep(0.005)
    (end, said, took), *after = found
    return {
        "first": ended(first),
        "end": end,
        "said": said,
        "took_s": took,
        "late_s": took - harm.time_s if end == "timeout" else None,
        "after": [end if said != "fine" else said for end, said, _ in after],
        "again_s": after[0][2],
        "left": len(workers(world)) - 1,
    }


def timed(registry: hfreg.Registry, definition: hfreg.Definition, well: bool) -> tuple[str, str, float]:
    began = time.perf_counter()
    outcome = registry.test(definition, well=well)
    took = time.perf_counter() - began
    end = "ok" if outcome.ok else ended(outcome)
    said = outcome.value if isinstance(outcome.value, str) else repr(outcome.value or outcome.error)
    return end[:200], said[:600].encode("ascii", "backslashreplace").decode(), took


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
