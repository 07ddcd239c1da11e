"""Metrics: numbers out of call records, and the values they come in.

`aggregate` computes what the Usage page and the catalog show: tiles with the period before, buckets over time,
percentiles, a latency histogram, hours of the week, tables by model, user, source and error. `timeline` knows days,
hours and zones. Everything is computed from one `Columns`, so the numbers of one screen add up. Pure: it reads no
database and no clock. Latency percentiles are over answered calls (`status` ok), cold ones included.
A simulation is one call; its rows are counted beside the calls, and how long it took is the latency of none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Codes = NDArray[np.int32]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

STATUSES = ("ok", "error", "timeout", "cancelled", "refused")


@dataclass(frozen=True, slots=True)
class Columns:
    """Call records as columns of one length; coded columns hold indices into `names[column]`.

    `at` is microseconds since 1970 in UTC. The codes of `status` begin with STATUSES in order, so 0 is ok. `rows` is
    how many rows a simulation ran, `failed` how many of them without an answer; 0 for a call. Tokens and cost are not a
    number where the reply told none.
    """

    seq: Ints
    at: Ints
    version: Ints
    total_ms: Floats
    run_ms: Floats
    cold: Mask
    rows: Ints
    failed: Ints
    tokens_in: Floats
    tokens_out: Floats
    cost: Floats
    alias: Codes
    source: Codes
    user: Codes
    status: Codes
    error_kind: Codes
    names: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: NDArray[Any]) -> Columns:
        """Return the rows that a mask or an array of positions picks."""
        if which.dtype == bool:  # once for all columns: a mask is slower than positions
            which = which.nonzero()[0]
        picked = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name != "names"}
        return replace(self, **picked)


@dataclass(frozen=True, slots=True)
class Tiles:
    """The totals of one period; milliseconds and shares are None where there is nothing to take them from.

    `success` is answered calls of all calls (0 to 1), `compute_s` the seconds that scoring logic ran. `simulations` of
    the calls ran `rows` rows, `rows_failed` of them without an answer. Tokens and cost are sums over the calls whose
    reply told them, None where none did.
    """

    calls: int
    by_status: Mapping[str, int]
    success: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    users: int
    cold: int
    compute_s: float
    simulations: int = 0
    rows: int = 0
    rows_failed: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls with `start <= at < end`."""

    start: datetime
    end: datetime
    by_status: Mapping[str, int]
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """How many answered calls took `low_ms <= total < high_ms`; the last bin includes its end."""

    low_ms: float
    high_ms: float
    calls: int


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one model, user or source; tokens and cost as in `Tiles`."""

    name: str
    calls: int
    ok: int
    success: float
    p50: float | None
    p95: float | None
    p99: float | None
    users: int
    cold: int
    compute_s: float
    last_use: datetime
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The calls of one model that ended without an answer in the same way; `seq` is the latest of them."""

    alias: str
    status: str
    kind: str
    calls: int
    last_use: datetime
    seq: int
    call_id: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One model in the catalog: all its calls ever, and its last days, the oldest first.

    `errors` (ended in error or timeout) and `p95` are of those days.
    """

    alias: str
    calls: int
    last_use: datetime
    days: tuple[int, ...]
    errors: int
    p95: float | None


def change(now: float | None, before: float | None) -> float | None:
    """Return the relative change to the period before, None where there is nothing to compare with.

    >>> change(30, 20)
    0.5
    """
    return None if now is None or not before else (now - before) / before


@dataclass(frozen=True, slots=True)
class Usage:
    """All that one Usage page shows, of the calls with `since <= at < until`; every part counts the same calls.

    `previous` is the period of the same length before, None when there is no start. `last_seq` is the newest record
    that was looked at: a list of calls up to it agrees with these numbers. `hours` is seven rows from Monday.
    """

    since: datetime
    until: datetime
    tiles: Tiles
    previous: Tiles | None
    buckets: tuple[Bucket, ...]
    histogram: tuple[Bin, ...]
    hours: tuple[tuple[int, ...], ...]
    models: tuple[Group, ...]
    users: tuple[Group, ...]
    sources: tuple[Group, ...]
    failures: tuple[Failure, ...]
    last_seq: int
