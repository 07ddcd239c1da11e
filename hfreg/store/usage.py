"""Usage: the calls as columns in memory, brought up to date by what was written since, and what is asked of them.

Reading 100,000 rows out of SQL for each rerun of a page would take half a second; these columns answer in
milliseconds and cost about 100 bytes a call. They follow the database: new rows are appended, rows that were pruned
at the old end are let go. Each process keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfreg.metrics import STATUSES, Columns, Usage
from hfreg.metrics import aggregate as count
from hfreg.metrics.timeline import EPOCH, bucket_edges, micros, moment
from hfreg.store.calls import CallFilter

_PLAIN: Mapping[str, Any] = {
    "seq": np.int64,
    "at": np.int64,
    "version": np.int64,
    "total_ms": np.float64,
    "run_ms": np.float64,
    "cold": np.bool_,
    "rows": np.int64,
    "failed": np.int64,
    "tokens_in": np.float64,  # not a number where the reply told none
    "tokens_out": np.float64,
    "cost": np.float64,
}
_CODED = ("alias", "source", "user", "status", "error_kind")
FIELDS = (*_PLAIN, *_CODED)


class CallTable:
    """The columns, growing; `columns()` gives a view that later appends do not touch. One thread at a time."""

    def __init__(self) -> None:
        types = {**_PLAIN, **dict.fromkeys(_CODED, np.int32)}
        self._arrays: dict[str, NDArray[Any]] = {name: np.empty(1024, dtype) for name, dtype in types.items()}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _CODED}
        self._codes["status"] = {status: code for code, status in enumerate(STATUSES)}
        self._first = self._end = 0

    @property
    def first_seq(self) -> int | None:
        """The oldest record held."""
        return int(self._arrays["seq"][self._first]) if self._first < self._end else None

    @property
    def last_seq(self) -> int:
        """The newest record held, 0 for none."""
        return int(self._arrays["seq"][self._end - 1]) if self._first < self._end else 0

    def append(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows of FIELDS, in the order of `seq`."""
        end = self._end + len(rows)
        if rows and end > len(self._arrays["seq"]):
            self._arrays = {name: _grown(array, end) for name, array in self._arrays.items()}
        for name, values in zip(FIELDS, zip(*rows, strict=True), strict=False):
            if name in self._codes:
                codes = self._codes[name]
                for value in dict.fromkeys(values):
                    codes.setdefault(value, len(codes))
                self._arrays[name][self._end : end] = [codes[value] for value in values]
            else:
                self._arrays[name][self._end : end] = values
        self._end = end

    def forget_before(self, seq: int) -> None:
        """Let go of the records older than `seq`."""
        held = self._arrays["seq"][self._first : self._end]
        self._first += int(np.searchsorted(held, seq))

    def columns(self) -> Columns:
        """Return what is held now."""
        names = {name: tuple(codes) for name, codes in self._codes.items()}
        return Columns(**{name: array[self._first : self._end] for name, array in self._arrays.items()}, names=names)


def select(calls: Columns, where: CallFilter) -> NDArray[np.bool_]:
    """Return which calls the filter means."""
    mask = np.ones(len(calls), dtype=np.bool_)
    if where.since is not None:
        mask &= calls.at >= micros(where.since)
    if where.until is not None:
        mask &= calls.at < micros(where.until)
    for name, values in where.values().items():
        column: NDArray[Any] = getattr(calls, name)
        known = calls.names.get(name)
        wanted = values if known is None else [known.index(v) for v in values if v in known]
        mask &= np.isin(column, wanted)
    return mask


def usage(calls: Columns, where: CallFilter, now: datetime, zone: tzinfo) -> Usage:
    """Compute one Usage page; without a start the range begins with the first call, without an end it ends `now`.

    A call that comes in at `now` itself is in the range.
    """
    until = where.until or now + timedelta(microseconds=1)
    since = max(where.since, EPOCH) if where.since else _first(calls, until)
    chosen = calls.take(select(calls, _ranged(where, since, until)))
    earlier = None
    if where.since and until > since:
        before = calls.take(select(calls, _ranged(where, since - (until - since), since)))
        earlier = count.tiles(before, count.by_latency(before))
    quickest = count.by_latency(chosen)
    return Usage(
        since=since,
        until=until,
        tiles=count.tiles(chosen, quickest),
        previous=earlier,
        buckets=count.over_time(chosen, quickest, bucket_edges(since, until, zone)),
        histogram=count.histogram(chosen, quickest),
        hours=count.hours_of_week(chosen, zone),
        models=count.groups(chosen, quickest, "alias"),
        users=count.groups(chosen, quickest, "user"),
        sources=count.groups(chosen, quickest, "source"),
        failures=count.failures(chosen),
        last_seq=int(calls.seq[-1]) if len(calls) else 0,
    )


def _first(calls: Columns, until: datetime) -> datetime:
    return min(moment(int(calls.at.min())), until) if len(calls) else until - timedelta(days=1)


def _ranged(where: CallFilter, since: datetime, until: datetime) -> CallFilter:
    return CallFilter(
        since, until, where.alias, where.source, where.status, where.user, where.version, where.error_kind
    )


def _grown(array: NDArray[Any], needed: int) -> NDArray[Any]:
    bigger = np.empty(max(2 * len(array), needed), array.dtype)
    bigger[: len(array)] = array
    return bigger
