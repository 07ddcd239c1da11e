"""What logging a call costs its caller, and how long the Usage page and the catalog take to compute.

Prints the figures and writes bench/results/events.json. Peers are measured in the same run, taking turns: a bare
sqlite3 INSERT with commit beside `record`, and fetching the rows of the range beside `usage`.

    python -m bench.events
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.report import Figure, write
from hfreg.store.events import Call, CallFilter, Events, new_call_id

IN_RANGE, BEFORE, MODELS, DAYS = 100_000, 20_000, 200, 30
NOW = datetime.now(UTC)


def some_calls(count: int, oldest: float, newest: float) -> list[Call]:
    """Make calls between so many days ago and so many days ago."""
    pick = random.Random(count)
    statuses = pick.choices(("ok", "error", "timeout", "cancelled"), (95, 3, 1, 1), k=count)
    return [
        Call(
            new_call_id(), NOW - timedelta(days=pick.uniform(newest, oldest)), f"model_{pick.randrange(MODELS)}", 1,
            "Approved", pick.choice(("python", "playground", "cli")), f"user_{pick.randrange(40)}", status,
            "" if status == "ok" else "ScoringError", cold=pick.random() < 0.01,
            run_ms=pick.lognormvariate(2, 1), total_ms=pick.lognormvariate(2.1, 1),
        )
        for status in statuses
    ]  # fmt: skip


def timed(action: Callable[[], Any]) -> float:
    """Return how long the action took, in microseconds."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e6


def spread(name: str, times: list[float]) -> dict[str, float]:
    """Print and return percentiles of times in microseconds."""
    ordered = sorted(times)
    found = {"n": len(ordered)}
    found |= {f"p{p}_us": round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 2) for p in (50, 95, 99)}
    print(f"{name:<52}" + "".join(f"{key}={value:<12,}" for key, value in found.items()))
    return found


def recording(folder: Path) -> dict[str, Any]:
    """Measure what a caller pays, while the writer is at work, beside a bare INSERT with commit."""
    calls = some_calls(20_000, DAYS, 0)
    bare = sqlite3.connect(folder / "bare.db")
    bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
    width = len(astuple(calls[0]))
    bare.execute(f"CREATE TABLE calls ({', '.join(f'c{n}' for n in range(width))})")
    insert = f"INSERT INTO calls VALUES ({', '.join('?' * width)})"
    rows = [tuple(str(v) if isinstance(v, datetime) else v for v in astuple(call)) for call in calls]

    def bare_insert(row: tuple[Any, ...]) -> None:
        bare.execute(insert, row)
        bare.commit()

    ours, made, peer = [], [], []
    with Events(folder / "recording.db") as events:
        for n, call in enumerate(calls):
            ours.append(timed(lambda call=call: events.record(call)))
            made.append(timed(lambda call=call: events.record(replace(call, id=new_call_id()))))
            if n % 10 == 0:
                peer.append(timed(lambda row=rows[n]: bare_insert(row)))
            if n % 100 == 0:
                time.sleep(0.01)  # calls do not come back to back: the writer gets its turns
        writing = timed(events.flush)
        stored = events.count()
    bare.close()
    assert stored == 2 * len(calls), stored
    found = {"record": spread("record(call)", ours), "made": spread("make a Call and record it", made)}
    found["bare"] = spread("bare sqlite3 INSERT + commit", peer)
    found["ratio_p50"] = round(found["bare"]["p50_us"] / found["record"]["p50_us"], 1)
    print(f"record is {found['ratio_p50']} times quicker for the caller at p50; last flush {writing / 1000:.0f} ms")
    return found


def fetch(path: Path, since: datetime) -> int:
    """Fetch the rows of the range as a page without columns in memory would, on each rerun."""
    connection = sqlite3.connect(path)
    names = "at, alias, user, source, status, error_kind, total_ms, run_ms, cold"
    rows = connection.execute(f"SELECT {names} FROM calls WHERE at >= ?", (int(since.timestamp() * 1e6),)).fetchall()
    connection.close()
    return len(rows)


def reading(folder: Path) -> dict[str, Any]:
    """Measure the Usage page, the catalog and a list of calls on 100,000 calls in the range and 20,000 before."""
    path, since = folder / "calls.db", NOW - timedelta(days=DAYS)
    where = CallFilter(since=since, until=NOW)
    found: dict[str, Any] = {}
    with Events(path, limit=10**6) as events:
        for call in some_calls(BEFORE, 2 * DAYS, DAYS + 0.01) + some_calls(IN_RANGE, DAYS - 0.01, 0.01):
            events.record(call)
        seconds = timed(lambda: events.flush(120)) / 1e6
        found["rows_written_per_s"] = round((BEFORE + IN_RANGE) / seconds)
        print(f"{'rows written':<52}{found['rows_written_per_s']:,} a second, by the writer thread's code")
    with Events(path) as events:
        found["first_page"] = spread("first Usage page of a process", [timed(lambda: events.usage(where, now=NOW))])
        page = events.usage(where, now=NOW)
        assert page.tiles.calls == IN_RANGE and page.previous and page.previous.calls == BEFORE
        times: dict[str, list[float]] = {"usage": [], "fetch": [], "catalog": [], "list": [], "usage_one_model": []}
        for _ in range(30):
            events.record(replace(some_calls(1, 1, 0)[0], at=NOW))  # each page has something new to take in
            events.flush()
            times["usage"].append(timed(lambda: events.usage(where, now=NOW)))
            times["fetch"].append(timed(lambda: fetch(path, since)))
            times["catalog"].append(timed(lambda: events.activity(now=NOW)))
            times["list"].append(timed(lambda: events.calls(where, limit=50)))
            times["usage_one_model"].append(timed(lambda: events.usage(replace(where, alias="model_7"), now=NOW)))
    names = {
        "usage": f"Usage page, {IN_RANGE:,} calls in the range",
        "fetch": "bare fetch of the rows of the range",
        "catalog": f"catalog counts of {MODELS} models",
        "list": "list of the newest 50 calls",
        "usage_one_model": "Usage page of one model",
    }
    found |= {key: spread(names[key], values) for key, values in times.items()}
    found["ratio_p50"] = round(found["fetch"]["p50_us"] / found["usage"]["p50_us"], 1)
    print(f"the bare fetch alone takes {found['ratio_p50']} times as long as the whole page")
    return found


def figures(recorded: dict[str, Any], read: dict[str, Any]) -> list[Figure]:
    """Pick the figures that a reader of the README wants, with their targets and peers."""
    bare, fetched = recorded["bare"]["p50_us"], read["fetch"]["p50_us"] / 1e3
    return [
        Figure(
            "making and logging the record of a call, p50", recorded["made"]["p50_us"], "µs", "< 50",
            f"a bare sqlite3 INSERT with commit: {bare:.0f} µs",
        ),
        Figure(
            f"Usage page computed, {IN_RANGE:,} calls in the range, p50", round(read["usage"]["p50_us"] / 1e3, 1), "ms",
            "≤ 100", f"only fetching those rows: {fetched:.0f} ms",
        ),
        Figure(
            f"catalog counts of {MODELS} models, {IN_RANGE + BEFORE:,} calls, p50",
            round(read["catalog"]["p50_us"] / 1e3, 1), "ms", "≤ 30",
        ),
    ]  # fmt: skip


def main() -> None:
    """Measure, print, and write the results."""
    with tempfile.TemporaryDirectory() as folder:
        recorded, read = recording(Path(folder)), reading(Path(folder))
    details = {"recording": recorded, "reading": read, "sqlite": sqlite3.sqlite_version}
    sys.exit(0 if write("events", figures(recorded, read), "one caller, one writer", details) else 1)


if __name__ == "__main__":
    main()
