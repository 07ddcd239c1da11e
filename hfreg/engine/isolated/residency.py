"""Residency: which workers may stay in memory, so that all of them together keep within one budget.

Before a row begins, room is made for its model and for every model that it may call: what is not in memory yet counts
by the size of its weights, what is there by what it holds. Workers that nobody waits for go first, the one used
longest ago before others; one that is answering, or that a row in work may call, never goes. A row either has all its
room or holds none, so that no two of them wait for each other. What cannot fit at all is refused with the figures.

What a model takes beyond its weights is known only once it runs: a worker that was measured over the budget makes
others go. Each worker alone is held to its own limit by `hfreg.engine.isolated.process`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from hfreg.engine import Platform
from hfreg.engine.isolated.usage import Usage
from hfreg.errors import NotEnoughMemory, ScoringCancelled
from hfreg.version import Version

FORK_BYTES = 80 * 2**20
"""What a worker takes besides weights: its own pages, and its share of the libraries'."""
PATIENCE_S = 2.0
"""How long a row waits for room before calls that came later wait behind it."""
LOOK_S = 0.1
GROWN = 16 * 2**20
"""Bytes by which a worker has changed when it is worth measuring again."""

Key = tuple[str, int, str]


class Sizes(Platform, Protocol):
    """A Platform that can also tell what a model will take."""

    def weight_bytes(self, version: Version) -> int:
        """Return the bytes of the pinned weights that are on this disk; 0 when nothing is known."""

    def resources(self, version: Version) -> tuple[Version, ...]:
        """Return every version that a call of this one may run besides itself, as they stand now."""


class Resident(Protocol):
    """A loaded model as residency sees it: a slot with a worker."""

    version: Version

    @property
    def settled(self) -> bool:
        """Whether its worker has answered, so that what it holds is known."""

    @property
    def used_at(self) -> float:
        """When it was last of use to anybody."""

    @property
    def waiting(self) -> int:
        """How many calls wait for it."""

    def memory_bytes(self, max_age_s: float | None) -> int:
        """Return what its worker holds, measured at most so long ago; None: as last known."""

    def evict(self) -> None:
        """End its worker; the next call starts another. Called only while it runs no row."""


class Gauge:
    """What one worker holds: its proportional memory when it was measured, followed cheaply in between.

    Measuring takes tens of milliseconds: the kernel looks at each of its pages, and who else has it.
    """

    def __init__(self, usage: Usage, expected_bytes: int) -> None:
        self._usage = usage
        self._private, self._bytes, self._at = usage.private_bytes(), expected_bytes, 0.0

    @property
    def stale(self) -> bool:
        """Whether it was never measured, or has changed since."""
        return not self._at or abs(self._usage.private_bytes() - self._private) > GROWN

    def read(self, max_age_s: float | None) -> int:
        """Return the bytes, measured at most so long ago; None: as last known."""
        private = self._usage.private_bytes()
        if max_age_s is not None and (self.stale or time.monotonic() - self._at > max_age_s):
            self._private, self._bytes, self._at = private, self._usage.proportional_bytes(), time.monotonic()
        return max(0, self._bytes + private - self._private)


class Residency:
    """The budget of one engine, in bytes, and who lives in it."""

    def __init__(self, budget_bytes: int, platform: Sizes, is_kept: Callable[[str, int], bool]) -> None:
        self.budget_bytes = budget_bytes
        self._platform = platform
        self._is_kept = is_kept
        self._changed = threading.Condition()
        self._residents: dict[Resident, Key] = {}
        self._claims: Counter[Key] = Counter()
        self._promised: dict[Key, int] = {}
        self._first: object | None = None

    @contextmanager
    def room(self, version: Version, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Hold room for a row of a version and for all that it may call; wait for it when others are answering.

        Raises NotEnoughMemory when there can be none, ScoringCancelled when the row is stopped while it waits.
        """
        called = self._platform.resources(version) if version.definition.resources else ()
        wanted = {key_of(one): one for one in (version, *called)}
        if not self._claim_at_once(wanted):
            self._claim_in_turn(version, wanted, cancelled)
        try:
            yield
        finally:
            self._release(wanted)

    def enter(self, resident: Resident) -> int:
        """Count a worker that has been started; returns the bytes that it is expected to take."""
        with self._changed:
            self._residents[resident] = key = key_of(resident.version)
            return self._promised.get(key, FORK_BYTES)

    def leave(self, resident: Resident) -> None:
        """Count it no more."""
        with self._changed:
            self._residents.pop(resident, None)
            self._changed.notify_all()

    def settle(self) -> None:
        """Have workers go when all together are over the budget, now that one was measured; the one used last stays."""
        with self._changed:
            if self._short({}) <= 0:
                return
        self._measure()
        with self._changed:
            while self._residents and self._short({}) > 0:
                last = max(self._residents, key=lambda resident: resident.used_at)
                if not self._evict_one({self._residents[last]}, patient=True):
                    return

    def _claim_at_once(self, wanted: Mapping[Key, Version]) -> bool:
        """Take a claim that needs no further memory, unless somebody waits to be first."""
        with self._changed:
            if self._missing(dict.fromkeys(wanted, 1)) or (self._first and not all(self._claims[k] for k in wanted)):
                return False
            self._claims.update(wanted.keys())
            return True

    def _claim_in_turn(self, version: Version, wanted: Mapping[Key, Version], cancelled: Callable[[], bool]) -> None:
        sizes = {key: FORK_BYTES + self._platform.weight_bytes(one) for key, one in wanted.items()}
        with self._changed:
            short = self._short(self._missing(sizes)) > 0
        if short:
            self._measure()
        began, mine = time.monotonic(), object()
        with self._changed:
            try:
                while not self._fits(sizes, mine):
                    if cancelled():
                        raise ScoringCancelled(f"The call of {version.alias} was stopped while it waited for memory.")
                    self._refuse_what_never_fits(version, sizes)
                    patient = time.monotonic() - began < PATIENCE_S
                    if not patient and self._first is None:
                        self._first = mine
                    if self._first not in (None, mine) or not self._evict_one(set(sizes), patient):
                        self._changed.wait(LOOK_S)
                self._promised.update(self._missing(sizes))
                self._claims.update(sizes.keys())
            finally:
                if self._first is mine:
                    self._first = None
                    self._changed.notify_all()

    def _release(self, wanted: Mapping[Key, Version]) -> None:
        with self._changed:
            for key in wanted:
                self._claims[key] -= 1
                if not self._claims[key]:
                    del self._claims[key]
                    self._promised.pop(key, None)
            self._changed.notify_all()

    def _measure(self) -> None:
        """Measure every worker; not under the lock, for that would keep the others from beginning a row."""
        for resident in list(self._residents):
            resident.memory_bytes(0.0)

    # With the lock held

    def _fits(self, sizes: Mapping[Key, int], mine: object) -> bool:
        missing = self._missing(sizes)
        if all(self._claims[key] for key in sizes):  # a row in work calls it: its room is held already
            return True
        return self._first in (None, mine) and (not missing or self._short(missing) <= 0)

    def _missing(self, sizes: Mapping[Key, int]) -> dict[Key, int]:
        """Return what is neither in memory nor held room for."""
        there = {key for resident, key in self._residents.items() if resident.settled}
        return {key: size for key, size in sizes.items() if key not in there and not self._claims[key]}

    def _short(self, missing: Mapping[Key, int]) -> int:
        """Return by how many bytes the budget is exceeded with what is missing."""
        held: Counter[Key] = Counter()
        for resident, key in self._residents.items():
            held[key] += resident.memory_bytes(None)
        for promises in (self._promised, missing):
            for key, size in promises.items():
                held[key] = max(held[key], size)
        return held.total() - self.budget_bytes

    def _evict_one(self, spared: set[Key], patient: bool) -> bool:
        """End the worker that was used longest ago of those that may go; a patient row spares who has calls waiting."""
        candidates = [
            resident
            for resident, key in self._residents.items()
            if not (key in spared or self._claims[key] or self._kept(resident) or (patient and resident.waiting))
        ]
        if not candidates:
            return False
        min(candidates, key=lambda resident: resident.used_at).evict()
        return True

    def _kept(self, resident: Resident) -> bool:
        return self._is_kept(resident.version.alias, resident.version.number)

    def _refuse_what_never_fits(self, version: Version, sizes: Mapping[Key, int]) -> None:
        missing = self._missing(sizes)
        stay = {r: r.memory_bytes(None) for r, key in self._residents.items() if key not in missing}
        own = sum(missing.values()) + sum(size for r, size in stay.items() if self._residents[r] in sizes)
        kept = [r for r in stay if self._residents[r] not in sizes and self._kept(r)]
        held = sum(stay[r] for r in kept)
        if own + held <= self.budget_bytes:
            return
        others = f" with the models that it calls ({len(sizes) - 1})" if len(sizes) > 1 else ""
        text = (
            f"`{version.alias}` does not fit into memory: it needs about {own >> 20:,} MiB{others}, and the budget is "
            f"{self.budget_bytes >> 20:,} MiB"
        )
        if own > self.budget_bytes:
            raise NotEnoughMemory(f"{text}. Raise HFREG_MEMORY_BUDGET_MB, or take a smaller model.")
        names = ", ".join(sorted({f"`{r.version.alias}`" for r in kept}))
        raise NotEnoughMemory(
            f"{text}, of which {held >> 20:,} MiB are held by what is kept loaded: {names}. Do not keep it loaded "
            "(Monitor → Loaded models), or raise HFREG_MEMORY_BUDGET_MB."
        )


def key_of(version: Version) -> Key:
    """Return what tells one loaded model from another: alias, number and source."""
    return (version.alias, version.number, version.definition.code_digest)
