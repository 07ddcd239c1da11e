"""Every number against a slow count over plain records, and the days on which clocks change."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hfreg.metrics import STATUSES, Columns, change
from hfreg.metrics.aggregate import (
    activities,
    by_latency,
    failures,
    grouped_percentiles,
    groups,
    histogram,
    hours_of_week,
    over_time,
    percentiles,
    tiles,
)
from hfreg.metrics.timeline import MAX_BUCKETS, bucket_edges, micros, utc_offsets
from hfreg.store.usage import FIELDS, CallTable

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (UTC, BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia"))


@dataclass(frozen=True)
class Record:
    """One call as the slow counts below see it."""

    seq: int
    at: datetime
    alias: str = "guard"
    source: str = "python"
    user: str = "sam"
    status: str = "ok"
    error_kind: str = ""
    version: int = 1
    total_ms: float = 1.0
    run_ms: float = 1.0
    cold: bool = False
    rows: int = 0
    failed: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


def columns(records: list[Record]) -> Columns:
    """Return the records as the store would hand them over."""
    table = CallTable()
    table.append([tuple(micros(r.at) if f == "at" else getattr(r, f) for f in FIELDS) for r in records])
    return table.columns()


def some_records(count: int, seed: int, start: datetime, days: float) -> list[Record]:
    """Make a seeded mixture of calls."""
    pick = random.Random(seed)
    statuses = pick.choices(STATUSES, (90, 5, 2, 2, 1), k=count)
    return [
        Record(
            seq=n + 1,
            at=start + timedelta(seconds=pick.random() * days * 86_400),
            alias=f"model_{int(pick.paretovariate(1)) % 7}",
            source=pick.choice(("python", "cli", "playground")),
            user=f"user_{pick.randrange(5)}",
            status=status,
            error_kind="" if status == "ok" else pick.choice(("ScoringError", "ValueError")),
            total_ms=pick.lognormvariate(2, 1),
            run_ms=pick.random() * 9,
            cold=pick.random() < 0.1,
        )
        for n, status in enumerate(statuses)
    ]


def slow_percentiles(values: list[float]) -> tuple[float | None, ...]:
    """Interpolate linearly, one value at a time."""
    if not values:
        return (None, None, None)
    found = []
    for point in (0.50, 0.95, 0.99):
        place = (len(values) - 1) * point
        low = int(place)
        left, right = sorted(values)[low], sorted(values)[min(low + 1, len(values) - 1)]
        found.append(left + (right - left) * (place - low))
    return tuple(found)


def answered(records: list[Record]) -> list[float]:
    """Return the latencies that percentiles are over."""
    return [r.total_ms for r in records if r.status == "ok"]


def close(left: Any, right: Any) -> bool:
    """Compare percentiles, of which any may be None."""
    return [v is None for v in left] == [v is None for v in right] and (
        left[0] is None or left == pytest.approx(right, rel=1e-9)
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 101])
def test_percentiles_interpolate_between_neighbours(count: int) -> None:
    values = [random.Random(count).lognormvariate(2, 1) for _ in range(count)]
    assert close(percentiles(np.array(sorted(values))), slow_percentiles(values))


def test_percentiles_of_groups_are_those_of_each_group_alone() -> None:
    pick = random.Random(3)
    pairs = sorted((pick.random(), pick.choice((0, 1, 1, 3))) for _ in range(500))
    found = grouped_percentiles(np.array([g for _, g in pairs]), np.array([v for v, _ in pairs]), 5)
    for group in range(5):
        assert close(found[group], slow_percentiles([v for v, g in pairs if g == group]))
    assert found[2] == found[4] == (None, None, None)


def test_tiles_count_what_a_slow_count_finds() -> None:
    records = some_records(2_000, 1, datetime(2026, 5, 1, tzinfo=UTC), 10)
    calls = columns(records)
    found = tiles(calls, by_latency(calls))
    assert found.calls == sum(found.by_status.values()) == 2_000
    assert found.by_status == {**dict.fromkeys(STATUSES, 0), **Counter(r.status for r in records)}
    assert found.success == found.by_status["ok"] / 2_000
    assert close((found.p50, found.p95, found.p99), slow_percentiles(answered(records)))
    assert found.users == len({r.user for r in records})
    assert found.cold == sum(r.cold for r in records)
    assert found.compute_s == pytest.approx(sum(r.run_ms for r in records) / 1000)


def test_no_calls_make_empty_numbers_and_no_error() -> None:
    calls = columns([])
    quickest = by_latency(calls)
    assert tiles(calls, quickest).calls == 0
    assert tiles(calls, quickest).success is None
    assert histogram(calls, quickest) == groups(calls, quickest, "alias") == failures(calls) == ()
    assert activities(calls, datetime.now(UTC), UTC) == {}
    assert sum(map(sum, hours_of_week(calls, BERLIN))) == 0
    edges = bucket_edges(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC), UTC)
    assert {sum(b.by_status.values()) for b in over_time(calls, quickest, edges)} == {0}


def test_groups_count_what_a_slow_count_finds_and_add_up() -> None:
    records = some_records(2_000, 2, datetime(2026, 5, 1, tzinfo=UTC), 10)
    calls = columns(records)
    for column in ("alias", "user", "source"):
        found = groups(calls, by_latency(calls), column)
        assert [g.calls for g in found] == sorted((g.calls for g in found), reverse=True)
        assert sum(g.calls for g in found) == 2_000
        for group in found:
            mine = [r for r in records if getattr(r, column) == group.name]
            assert group.calls == len(mine)
            assert group.ok == len(answered(mine)) == round(group.success * len(mine))
            assert close((group.p50, group.p95, group.p99), slow_percentiles(answered(mine)))
            assert group.users == len({r.user for r in mine})
            assert group.cold == sum(r.cold for r in mine)
            assert group.compute_s == pytest.approx(sum(r.run_ms for r in mine) / 1000)
            assert group.last_use == max(r.at for r in mine)


def test_a_histogram_holds_each_answered_call_once() -> None:
    records = some_records(1_000, 4, datetime(2026, 5, 1, tzinfo=UTC), 1)
    calls = columns([*records, Record(1_001, datetime(2026, 5, 1, tzinfo=UTC), total_ms=0.0)])
    values = [*answered(records), 0.0]
    bins = histogram(calls, by_latency(calls))
    assert sum(b.calls for b in bins) == len(values)
    assert all(left.high_ms == right.low_ms for left, right in pairwise(bins))
    for b in bins[1:-1]:
        assert b.calls == sum(b.low_ms <= v < b.high_ms for v in values)


def test_calls_that_all_took_the_same_time_are_in_one_bin() -> None:
    same = [Record(n, datetime(2026, 5, 1, tzinfo=UTC), total_ms=100.0) for n in range(5)]
    calls = columns(same)
    assert [b.calls for b in histogram(calls, by_latency(calls)) if b.calls] == [5]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("hours", [0.2, 1, 24, 24 * 7, 24 * 30, 24 * 90, 24 * 365, 24 * 365 * 6])
def test_bucket_edges_rise_cover_the_range_and_stay_few(zone: Any, hours: float) -> None:
    pick = random.Random(int(hours * 10))
    for _ in range(20):
        since = datetime(2011, 12, 20, tzinfo=UTC) + timedelta(minutes=pick.randrange(15 * 365 * 1440))
        until = since + timedelta(hours=hours)
        edges = list(bucket_edges(since, until, zone))
        assert edges == sorted(set(edges))
        assert edges[0] <= since < edges[1]
        assert edges[-2] < until <= edges[-1]
        assert len(edges) - 1 <= MAX_BUCKETS


def test_an_empty_range_has_no_buckets() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert bucket_edges(noon, noon, UTC) == bucket_edges(noon, noon - timedelta(days=1), UTC) == []


def test_a_day_on_which_clocks_change_is_still_one_bucket() -> None:
    edges = bucket_edges(datetime(2026, 7, 20, tzinfo=BERLIN), datetime(2026, 11, 15, tzinfo=BERLIN), BERLIN)
    lengths = Counter((right - left) / timedelta(hours=1) for left, right in pairwise(edges))
    assert lengths == {24: len(edges) - 2, 25: 1}
    assert {edge.astimezone(BERLIN).hour for edge in edges} == {0}


def test_weeks_begin_on_monday() -> None:
    edges = bucket_edges(datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC), BERLIN)
    assert {edge.astimezone(BERLIN).weekday() for edge in edges} == {0}


def test_buckets_count_what_a_slow_count_finds_and_add_up() -> None:
    records = some_records(2_000, 5, datetime(2026, 10, 20, tzinfo=UTC), 12)
    edges = bucket_edges(datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), BERLIN)
    records += [Record(2_000 + n, edge, total_ms=0.0) for n, edge in enumerate(edges[1:-1])]
    calls = columns(records)
    buckets = over_time(calls, by_latency(calls), edges)
    assert sum(sum(b.by_status.values()) for b in buckets) == len(records)
    for bucket in buckets:
        mine = [r for r in records if bucket.start <= r.at < bucket.end]
        assert {k: v for k, v in bucket.by_status.items() if v} == Counter(r.status for r in mine)
        assert close((bucket.p50, bucket.p95, bucket.p99), slow_percentiles(answered(mine)))


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_hours_of_the_week_are_those_on_the_wall(zone: Any) -> None:
    records = some_records(3_000, 6, datetime(2011, 12, 1, tzinfo=UTC), 400)
    found = hours_of_week(columns(records), zone)
    slow = Counter((local.weekday(), local.hour) for r in records if (local := r.at.astimezone(zone)))
    assert {(day, hour): n for day, row in enumerate(found) for hour, n in enumerate(row) if n} == slow


def test_offsets_change_at_the_very_second() -> None:
    switch = datetime(2026, 10, 25, 1, tzinfo=UTC)
    at = np.array([micros(switch) - 1, micros(switch)])
    assert [o // 3_600_000_000 for o in utc_offsets(at, BERLIN)] == [2, 1]


def test_failures_are_grouped_by_model_status_and_kind_with_the_latest_of_each() -> None:
    records = some_records(3_000, 7, datetime(2026, 5, 1, tzinfo=UTC), 10)
    found = failures(columns(records), limit=1_000)
    slow = Counter((r.alias, r.status, r.error_kind) for r in records if r.status != "ok")
    assert {(f.alias, f.status, f.kind): f.calls for f in found} == slow
    for failure in found:
        mine = [
            r for r in records if (r.alias, r.status, r.error_kind) == (failure.alias, failure.status, failure.kind)
        ]
        latest = max(mine, key=lambda r: r.at)
        assert (failure.seq, failure.last_use) == (latest.seq, latest.at)
    assert failures(columns(records), limit=3) == found[:3]


def test_the_catalog_counts_the_last_seven_local_days() -> None:
    now = datetime(2026, 10, 27, 23, 30, tzinfo=UTC)  # in Berlin already the 28th; the clocks changed on the 25th
    records = some_records(2_000, 8, now - timedelta(days=12), 12)
    found = activities(columns(records), now, BERLIN)
    today = now.astimezone(BERLIN).date()
    assert set(found) == {r.alias for r in records}
    for alias, activity in found.items():
        mine = [r for r in records if r.alias == alias]
        days = Counter((today - r.at.astimezone(BERLIN).date()).days for r in mine)
        week = [r for r in mine if (today - r.at.astimezone(BERLIN).date()).days < 7]
        assert activity.calls == len(mine)
        assert activity.last_use == max(r.at for r in mine)
        assert activity.days == tuple(days[back] for back in range(6, -1, -1))
        assert activity.errors == sum(r.status in ("error", "timeout") for r in week)
        assert close((activity.p95,), slow_percentiles(answered(week))[1:2])


def test_change_is_relative_and_none_without_a_period_to_compare_with() -> None:
    assert change(15, 10) == 0.5
    assert change(0, 10) == -1
    assert change(10, 0) is change(10, None) is change(None, 10) is None


def test_a_snapshot_stays_as_it_is_while_calls_come_in() -> None:
    table = CallTable()
    row = tuple(
        {"at": 5, "seq": 1}.get(f, "x" if f in ("alias", "source", "user", "error_kind") else 0) for f in FIELDS
    )
    row = tuple("ok" if f == "status" else v for f, v in zip(FIELDS, row, strict=True))
    table.append([row])
    before = table.columns()
    table.append([row] * 5_000)
    table.forget_before(10**9)
    assert (len(before), len(table.columns()), before.at.tolist()) == (1, 0, [5])
    assert len(table.columns().names["alias"]) == 1
