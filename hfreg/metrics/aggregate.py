"""Aggregate: the numbers themselves, computed from Columns with numpy.

Each function takes the calls it is to count and nothing else; who picks them is `hfreg.store.usage`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfreg.metrics import Activity, Bin, Bucket, Columns, Failure, Group, Tiles
from hfreg.metrics.timeline import micros, midnight, moment, utc_offsets

POINTS = (0.50, 0.95, 0.99)
_HOUR = 3600


def percentiles(ascending: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    """Return p50, p95 and p99 of values in ascending order; None each when there are none."""
    row = grouped_percentiles(np.zeros(len(ascending), dtype=np.int64), ascending, 1)[0]
    return row[0], row[1], row[2]


def grouped_percentiles(
    codes: NDArray[Any], ascending: NDArray[np.float64], groups: int
) -> list[tuple[float | None, float | None, float | None]]:
    """Return p50, p95 and p99 of each of `groups` groups; `codes` says to which group each value belongs."""
    if not len(ascending):
        return [(None, None, None)] * groups
    small = codes.astype(np.uint16) if groups <= 65_536 else codes  # 16 bits are sorted by radix: ten times faster
    values = ascending[np.argsort(small, kind="stable")]
    sizes = np.bincount(codes, minlength=groups)
    last = np.cumsum(sizes) - 1
    place = (last - sizes + 1)[:, None] + (sizes - 1).clip(0)[:, None] * np.array(POINTS)
    low = np.floor(place).astype(np.int64).clip(0, len(values) - 1)
    high = np.minimum(low + 1, last.clip(0)[:, None])
    found = values[low] + (values[high] - values[low]) * (place - low)
    return [
        (float(row[0]), float(row[1]), float(row[2])) if size else (None, None, None)
        for row, size in zip(found, sizes, strict=True)
    ]


def by_latency(calls: Columns) -> NDArray[np.int64]:
    """Return the positions of the answered calls, the fastest first; what `quickest` means below. No simulations."""
    answered = np.flatnonzero((calls.status == 0) & (calls.rows == 0))
    return answered[np.argsort(calls.total_ms[answered])]


def tiles(calls: Columns, quickest: NDArray[np.int64]) -> Tiles:
    """Return the totals of the calls."""
    count = len(calls)
    by_status = _by_status(calls.status, calls.names["status"])
    p50, p95, p99 = percentiles(calls.total_ms[quickest])
    return Tiles(
        calls=count,
        by_status=by_status,
        success=by_status["ok"] / count if count else None,
        p50=p50,
        p95=p95,
        p99=p99,
        users=int(np.count_nonzero(np.bincount(calls.user))),
        cold=int(calls.cold.sum()),
        compute_s=float(calls.run_ms.sum()) / 1000,
        simulations=int(np.count_nonzero(calls.rows)),
        rows=int(calls.rows.sum()),
        rows_failed=int(calls.failed.sum()),
        **_used(calls, np.zeros(count, dtype=np.int64), 1)[0],
    )


def over_time(calls: Columns, quickest: NDArray[np.int64], edges: Sequence[datetime]) -> tuple[Bucket, ...]:
    """Return the calls of each bucket between neighbouring edges."""
    if len(edges) < 2:
        return ()
    count, kinds = len(edges) - 1, len(calls.names["status"])
    place = np.searchsorted(np.array([micros(edge) for edge in edges]), calls.at, side="right") - 1
    table = np.bincount(place * kinds + calls.status, minlength=count * kinds).reshape(count, kinds)
    spread = grouped_percentiles(place[quickest], calls.total_ms[quickest], count)
    return tuple(
        Bucket(start, end, dict(zip(calls.names["status"], map(int, row), strict=False)), *points)
        for start, end, row, points in zip(edges, edges[1:], table, spread, strict=False)
    )


def histogram(calls: Columns, quickest: NDArray[np.int64]) -> tuple[Bin, ...]:
    """Return how long answered calls took, five bins to a decade; what took no measurable time is in the first."""
    if not len(quickest):
        return ()
    values = calls.total_ms[quickest]
    low, high = (max(float(v), 0.001) for v in (values[0], values[-1]))
    first, last = int(np.floor(5 * np.log10(low))), int(np.floor(5 * np.log10(high))) + 1
    edges = 10.0 ** (np.arange(first, last + 1) / 5)
    counts = np.diff(np.searchsorted(values, edges[1:-1]), prepend=0, append=len(values))
    return tuple(Bin(float(a), float(b), int(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False))


def hours_of_week(calls: Columns, zone: tzinfo) -> tuple[tuple[int, ...], ...]:
    """Return calls by local weekday and hour: seven rows from Monday, 24 numbers each."""
    hours = (calls.at + utc_offsets(calls.at, zone)) // (_HOUR * 1_000_000)
    place = (hours + 3 * 24) % 168  # 1970 began on a Thursday
    return tuple(tuple(map(int, row)) for row in np.bincount(place, minlength=168).reshape(7, 24))


def groups(calls: Columns, quickest: NDArray[np.int64], column: str) -> tuple[Group, ...]:
    """Return the calls by `alias`, `user` or `source`, the busiest first."""
    codes, names = getattr(calls, column), calls.names[column]
    size = int(codes.max(initial=-1)) + 1
    spread = grouped_percentiles(codes[quickest], calls.total_ms[quickest], size)
    counts, answered = np.bincount(codes, minlength=size), np.bincount(codes[calls.status == 0], minlength=size)
    cold, run = np.bincount(codes[calls.cold], minlength=size), np.bincount(codes, calls.run_ms, minlength=size)
    last = np.zeros(size, dtype=np.int64)
    np.maximum.at(last, codes, calls.at)
    users = _distinct(codes, calls.user, size, max(1, len(calls.names["user"])))
    used = _used(calls, codes, size)
    found = [
        Group(
            names[i], int(counts[i]), int(answered[i]), float(answered[i] / counts[i]), *spread[i], int(users[i]),
            int(cold[i]), float(run[i]) / 1000, moment(int(last[i])), **used[i],
        )
        for i in np.flatnonzero(counts).tolist()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda group: (-group.calls, group.name)))


def failures(calls: Columns, limit: int = 20) -> tuple[Failure, ...]:
    """Return the most frequent ways in which calls ended without an answer, by model, status and kind of error."""
    bad = calls.take(calls.status != 0)
    kinds, states = len(calls.names["error_kind"]) or 1, len(calls.names["status"])
    key = (bad.alias.astype(np.int64) * states + bad.status) * kinds + bad.error_kind
    order = np.lexsort((bad.seq, bad.at, key))
    _, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    latest = order[starts + counts - 1]
    found = [
        Failure(
            alias=calls.names["alias"][bad.alias[i]],
            status=calls.names["status"][bad.status[i]],
            kind=calls.names["error_kind"][bad.error_kind[i]],
            calls=count,
            last_use=moment(int(bad.at[i])),
            seq=int(bad.seq[i]),
        )
        for i, count in zip(latest.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda failure: (-failure.calls, failure.alias, failure.kind))[:limit])


def activities(calls: Columns, now: datetime, zone: tzinfo, days: int = 7) -> dict[str, Activity]:
    """Return what the catalog shows of each model; the last of its `days` is the local day of `now`."""
    names, size = calls.names["alias"], int(calls.alias.max(initial=-1)) + 1
    today = now.astimezone(zone).date()
    edges = np.array([micros(midnight(today + timedelta(days=d), zone)) for d in range(1 - days, 2)])
    place = np.searchsorted(edges, calls.at, side="right") - 1
    recent = np.flatnonzero((place >= 0) & (place < days))
    table = np.bincount(calls.alias[recent] * days + place[recent], minlength=size * days).reshape(size, days)
    failed = recent[(calls.status[recent] == 1) | (calls.status[recent] == 2)]
    errors = np.bincount(calls.alias[failed], minlength=size)
    ok = recent[(calls.status[recent] == 0) & (calls.rows[recent] == 0)]
    ok = ok[np.argsort(calls.total_ms[ok])]
    spread = grouped_percentiles(calls.alias[ok], calls.total_ms[ok], size)
    counts = np.bincount(calls.alias, minlength=size)
    last = np.zeros(size, dtype=np.int64)
    np.maximum.at(last, calls.alias, calls.at)
    return {
        names[i]: Activity(
            names[i], int(counts[i]), moment(int(last[i])), tuple(map(int, table[i])), int(errors[i]), spread[i][1]
        )
        for i in np.flatnonzero(counts).tolist()
    }


def _used(calls: Columns, codes: NDArray[Any], groups: int) -> list[dict[str, Any]]:
    """Return the tokens and the cost of each group; None where no call of it told any."""
    found: list[dict[str, Any]] = [{} for _ in range(groups)]
    for name, kind in (("tokens_in", int), ("tokens_out", int), ("cost", float)):
        column: NDArray[np.float64] = getattr(calls, name)
        told = np.flatnonzero(~np.isnan(column))
        if not len(told):
            continue
        counts, sums = (np.bincount(codes[told], weights, groups) for weights in (None, column[told]))
        for group in np.flatnonzero(counts).tolist():
            found[group][name] = kind(sums[group])
    return found


def _distinct(codes: NDArray[Any], values: NDArray[Any], groups: int, kinds: int) -> NDArray[Any]:
    """Count the different values in each group."""
    pairs = codes.astype(np.int64) * kinds + values
    if groups * kinds > 10_000_000:
        return np.bincount(np.unique(pairs) // kinds, minlength=groups)
    seen = np.zeros(groups * kinds, dtype=np.bool_)
    seen[pairs] = True
    counts: NDArray[Any] = seen.reshape(groups, kinds).sum(axis=1)
    return counts


def _by_status(codes: NDArray[Any], names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=False)}
