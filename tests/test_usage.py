"""What the Usage page and the catalog ask of the log: numbers that add up, of one moment, from every process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from call_samples import NOW, a_call, finish, python, some_calls

from hfreg.store.events import CallFilter, Events, _row

pytest_plugins = ["call_log_fixtures"]


def test_the_numbers_of_one_page_add_up_and_agree_with_the_list(events: Events) -> None:
    calls = some_calls(2_000, 2)
    for call in calls:
        events.record(call)
    since = NOW - timedelta(days=8)
    page = events.usage(CallFilter(since=since, until=NOW), ZoneInfo("Europe/Berlin"))
    events.record(a_call(at=NOW - timedelta(hours=1)))  # comes in after the numbers were computed
    listed = events.calls(CallFilter(since=page.since, until=page.until), limit=None, up_to=page.last_seq)
    count = len(listed)
    assert count == sum(since <= c.at < NOW for c in calls) == page.tiles.calls
    assert page.tiles.by_status == dict(Counter(c.status for c in listed))
    for part in (page.models, page.users, page.sources):
        assert sum(group.calls for group in part) == count
        assert sum(group.ok for group in part) == page.tiles.by_status["ok"]
    assert sum(sum(bucket.by_status.values()) for bucket in page.buckets) == count
    assert sum(bin_.calls for bin_ in page.histogram) == page.tiles.by_status["ok"]
    assert sum(map(sum, page.hours)) == count
    assert page.previous.calls == sum(since - timedelta(days=8) <= c.at < since for c in calls)
    assert sum(f.calls for f in events.usage(CallFilter(until=NOW)).failures) <= 2_000
    for failure in page.failures:
        latest = next(c for c in listed if c.id == failure.call_id)
        assert failure.message == latest.error != ""
        assert (failure.alias, failure.status, failure.last_use) == (latest.alias, latest.status, latest.at)


def test_filters_of_the_page_hold_for_every_number_on_it(events: Events) -> None:
    calls = some_calls(500, 3)
    for call in calls:
        events.record(call)
    where = CallFilter(since=NOW - timedelta(days=5), until=NOW, alias="model_3", source="cli")
    page = events.usage(where)
    mine = [c for c in calls if c.alias == "model_3" and c.source == "cli"]
    assert page.tiles.calls == sum(c.at >= where.since for c in mine) > 0
    assert page.previous.calls == sum(NOW - timedelta(days=10) <= c.at < where.since for c in mine)
    assert [group.name for group in page.models] == ["model_3"]


def test_tokens_and_cost_are_summed_where_a_reply_told_them_and_are_nothing_elsewhere(events: Events) -> None:
    for tokens in ((10, 5, 0.25), (20, None, None), (None, None, 0.5)):
        events.record(a_call(alias="chatter", **dict(zip(("tokens_in", "tokens_out", "cost"), tokens, strict=True))))
    events.record(a_call(alias="silent"))
    page = events.usage()
    told = {group.name: (group.tokens_in, group.tokens_out, group.cost) for group in page.models}
    assert told == {"chatter": (30, 5, 0.75), "silent": (None, None, None)}
    assert (page.tiles.tokens_in, page.tiles.tokens_out, page.tiles.cost) == (30, 5, 0.75)
    silent = events.usage(CallFilter(alias="silent")).tiles
    assert (silent.tokens_in, silent.tokens_out, silent.cost) == (None, None, None)
    events.record(a_call(alias="free", cost=0.0))
    assert events.usage(CallFilter(alias="free")).tiles.cost == 0


def test_without_a_range_a_page_holds_every_call_and_nothing_to_compare_with(events: Events) -> None:
    for call in some_calls(50, 4):
        events.record(call)
    page = events.usage()
    assert (page.tiles.calls, page.previous) == (50, None)
    assert page.since == min(c.at for c in events.calls(limit=None))


def test_a_log_without_calls_gives_an_empty_page(events: Events) -> None:
    page = events.usage(CallFilter(since=NOW - timedelta(days=1), until=NOW))
    assert (page.tiles.calls, page.models, page.failures, page.last_seq) == (0, (), (), 0)
    assert (events.calls(), events.activity(), events.count()) == ([], {}, 0)
    assert events.usage().tiles.calls == events.usage(CallFilter(since=NOW, until=NOW)).tiles.calls == 0


def test_the_catalog_sees_each_alias_with_its_last_use(events: Events) -> None:
    calls = some_calls(400, 5)
    for call in calls:
        events.record(call)
    found = events.activity(now=NOW)
    for alias in {c.alias for c in calls}:
        mine = [c for c in calls if c.alias == alias]
        assert (found[alias].calls, found[alias].last_use) == (len(mine), max(c.at for c in mine))
        assert sum(found[alias].days) == sum(c.at >= datetime(2026, 10, 21, tzinfo=UTC) for c in mine)


def test_a_reader_sees_what_another_process_wrote_and_forgets_what_was_pruned(url: str, events: Events) -> None:
    assert events.count() == 0
    with Events(url) as other:
        for call in some_calls(100, 6):
            other.record(call)
        other.flush()
        assert events.count() == 100
        other.record(a_call(alias="latest"))
        other.flush()
        assert (events.count(), events.count(CallFilter(alias="latest"))) == (101, 1)
    with events._database.connect() as connection:
        connection.exec_driver_sql("DELETE FROM calls WHERE seq <= (SELECT min(seq) + 39 FROM calls)")
    assert (events.count(), events.usage().tiles.calls) == (61, 61)
    with events._database.connect() as connection:
        connection.exec_driver_sql("DELETE FROM calls")
    assert events.count() == 0
    events.record(a_call())
    assert events.count() == 1


def test_a_record_committed_late_is_not_skipped_by_a_reader(url: str, events: Events) -> None:
    assert events.count() == 0
    with Events(url) as other:
        writer = threading.Thread(target=other.flush)
        with events._database.connect() as connection:
            events._database._insert(connection, [_row(a_call())])  # numbered, and not yet to be seen
            other.record(a_call())
            writer.start()
            time.sleep(0.3)
            assert events.count() == 0  # or the later number would be seen before the earlier one
        writer.join()
        assert events.count() == 2


def test_three_processes_write_at_once_and_a_reader_misses_nothing(url: str, events: Events) -> None:
    code = """
    with Events(sys.argv[1]) as events:
        for n in range(200):
            events.record(call(n))
            if n % 20 == 0:
                assert events.flush()
    """
    writers = [python(code, url) for _ in range(3)]
    seen = [0]
    while any(w.poll() is None for w in writers):  # the columns grow while others write: none may be skipped
        seen.append(events.count())
        time.sleep(0.02)
    for writer in writers:
        finish(writer)
    assert seen == sorted(seen)
    assert events.count() == len({c.id for c in events.calls(limit=None)}) == 600
