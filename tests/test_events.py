"""Recording a call and reading it back, on a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

import csv
import io
import math
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from call_samples import NOW, a_call, finish, python, some_calls, wait_for

from hfreg.errors import SettingsError, StoreError
from hfreg.store.events import Call, CallFilter, Events, _row, calls_csv, new_call_id

pytest_plugins = ["call_log_fixtures"]


def test_a_call_is_read_back_as_it_was_recorded(events: Events) -> None:
    call = Call(
        id=new_call_id(), at=datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC), alias="guard", version=2,
        state="Draft", source="cli", user="Zoë", status="error", error_kind="ValueError", error="Kein Text: „ß“ 🙂",
        cold=True, queue_ms=0.5, load_ms=812.25, run_ms=14.125, total_ms=827.0, input_bytes=17, output_bytes=0,
        warnings=2, tier="confined", network=True, token=True, arguments='{"text": "hi"}', answer="null",
    )  # fmt: skip
    events.record(call)
    assert events.get(call.id) == call
    assert events.calls() == [call]


def test_a_reader_waits_for_a_write_that_is_under_way(tmp_path: Path) -> None:
    with Events(tmp_path / "calls.db") as events, closing(sqlite3.connect(tmp_path / "calls.db")) as other:
        assert events.calls() == []
        other.execute("BEGIN IMMEDIATE")
        events.record(a_call())
        wait_for(lambda: not events._buffer._waiting, 5)  # the writer has taken it and waits for the lock
        assert events.waiting == 1
        reader = threading.Thread(target=lambda: found.append(events.count()))
        found: list[int] = []
        reader.start()
        time.sleep(0.2)
        other.rollback()
        reader.join()
        assert found == [1]


def test_a_record_may_be_made_by_the_writer(events: Events) -> None:
    call = a_call()
    events.record(lambda: call)
    assert events.calls() == [call]
    assert calls_csv(events.calls()).count("\n") == 2


def test_a_record_that_cannot_be_made_is_counted_and_holds_up_no_other(events: Events, caplog: Any) -> None:
    events.record(lambda: a_call(version=1 // 0))
    events.record(a_call())
    assert events.flush()
    assert (len(events.calls()), events.dropped) == (1, 1)
    assert "ZeroDivisionError" in caplog.text


def test_texts_and_answers_are_not_there_unless_they_were_given(events: Events) -> None:
    events.record(a_call())
    assert (events.calls()[0].arguments, events.calls()[0].answer) == (None, None)


def test_text_and_numbers_that_no_database_takes_are_made_to_fit(events: Events) -> None:
    events.record(a_call(error="nul \0 and half a pair \ud83d", total_ms=math.nan, run_ms=math.inf, input_bytes=2**70))
    events.record(a_call())
    assert events.flush()
    odd = events.calls()[1]
    assert (odd.error, odd.total_ms, odd.run_ms) == ("nul  and half a pair ?", 0.0, 0.0)
    assert odd.input_bytes == 2**63 - 1
    assert (len(events.calls()), events.dropped) == (2, 0)


def test_a_row_that_the_database_refuses_holds_up_no_other(events: Events) -> None:
    good, bad = a_call(), a_call()
    rows = [{**_row(good)}, {**_row(bad), "alias": None}]
    assert events._database.write(rows) == 1
    assert events.calls() == [good]


def test_the_same_record_written_twice_is_there_once(events: Events) -> None:
    call = a_call()
    events.record(call)
    events.flush()
    events.record(replace(call, alias="other"))
    assert events.calls() == [call]
    assert events.dropped == 0


def test_an_unknown_id_is_a_store_error_that_names_it(events: Events) -> None:
    with pytest.raises(StoreError, match="no call `nowhere`"):
        events.get("nowhere")


def test_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_call_id() for _ in range(50_000)]
    assert ids == sorted(set(ids))


def test_lists_are_newest_first_and_keep_to_filter_limit_and_offset(events: Events) -> None:
    calls = some_calls(300, 1)
    for call in calls:
        events.record(call)
    newest = sorted(calls, key=lambda c: c.at, reverse=True)
    assert events.calls(limit=None) == newest
    assert events.calls(limit=7, offset=290) == newest[290:297]
    where = CallFilter(
        since=NOW - timedelta(days=9), until=NOW - timedelta(days=2), alias=("model_1", "model_2"), status="ok"
    )
    mine = [c for c in newest if c.alias in ("model_1", "model_2") and c.status == "ok"]
    mine = [c for c in mine if where.since <= c.at < where.until]
    assert mine
    assert events.calls(where, limit=None) == mine
    assert events.count(where) == len(mine)
    for name in ("user", "source", "version", "error_kind"):
        one = CallFilter(**{name: getattr(calls[0], name)})
        assert events.count(one) == len(events.calls(one, limit=None)) > 0
    assert events.count(CallFilter(alias="never_called")) == len(events.calls(CallFilter(alias="never_called"))) == 0


def test_recording_takes_a_caller_less_than_fifty_microseconds(tmp_path: Path) -> None:
    with Events(tmp_path / "calls.db") as events:
        calls = [a_call() for _ in range(2_000)]
        times = []
        for call in calls:
            start = time.perf_counter()
            events.record(call)
            times.append(time.perf_counter() - start)
        assert sorted(times)[1_000] < 50e-6


def test_postgresql_without_its_package_is_a_sentence_at_once() -> None:
    code = """
    sys.modules["psycopg"] = None
    try:
        Events("postgresql://sam@127.0.0.1/calls")
    except Exception as error:
        print(type(error).__name__, error)
    """
    said = finish(python(code))
    assert said.startswith("SettingsError")
    assert "package psycopg is not installed" in said


@pytest.mark.parametrize("url", ["mysql://sam@host/calls", "calls.db", "sqlite://", "sqlite:///:memory:", ""])
def test_a_url_of_no_usable_database_is_refused_with_examples(url: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://user@host/name"):
        Events(url)


def test_recording_after_close_opens_the_log_again(events: Events) -> None:
    for _ in range(3):
        events.record(a_call())
        assert events.close()
    assert len(events.calls()) == 3


def test_threads_that_record_at_once_lose_nothing(events: Events) -> None:
    def work() -> None:
        for _ in range(500):
            events.record(a_call())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events.count() == 4_000


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts wake-ups in /proc, which is Linux")
def test_the_writer_sleeps_without_waking_when_nothing_comes(tmp_path: Path) -> None:
    def wake_ups() -> str:
        status = Path(f"/proc/self/task/{writer.native_id}/status").read_text()
        return next(line for line in status.splitlines() if line.startswith("voluntary_ctxt"))

    with Events(tmp_path / "calls.db") as events:
        events.record(a_call())
        writer = next(t for t in threading.enumerate() if t.name == "hfreg-calls")
        time.sleep(0.8)  # what the first record set going is over
        before = wake_ups()
        time.sleep(1.2)
        assert wake_ups() == before


def test_close_ends_the_writer(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with Events(tmp_path / "calls.db") as events:
        events.record(a_call())
        assert "hfreg-calls" in {t.name for t in set(threading.enumerate()) - before}
    assert set(threading.enumerate()) <= before


def test_loading_the_log_loads_neither_sqlalchemy_nor_numpy() -> None:
    code = "print({'sqlalchemy', 'numpy', 'pandas', 'psycopg'} & set(sys.modules))"
    assert finish(python(code)).strip() == "set()"


def test_csv_cells_are_no_formulas_and_numbers_stay_numbers() -> None:
    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"]
    calls = [a_call(error=text, user="plain, with comma", total_ms=-1.5, cold=True) for text in risky]
    rows = list(csv.DictReader(io.StringIO(calls_csv(calls), newline="")))
    assert [row["error"] for row in rows] == [f"'{text}" for text in risky]
    first = rows[0]
    assert (first["user"], first["total_ms"], first["cold"], first["token"]) == ("plain, with comma", "-1.5", "1", "0")
    assert (first["at"], first["answer"]) == ("2026-10-27T12:00:00.000+00:00", "")


def test_csv_of_no_calls_is_the_header() -> None:
    assert calls_csv([]).startswith("id,at,alias,version,state,source,user,status,error_kind,error,cold")


USE = ("tokens_in", "tokens_out", "cost")


@pytest.mark.parametrize(("schema", "lacks"), [(1, ("rows", "failed", "sketch", *USE)), (2, USE)])
def test_a_log_of_an_older_product_gets_the_columns_it_lacks_and_keeps_its_calls(
    url: str, events: Events, schema: int, lacks: tuple[str, ...]
) -> None:
    for call in (a_call(alias="old"), a_call(alias="older")):
        events.record(call)
    events.flush()
    with events._database.connect() as connection:
        for column in lacks:
            connection.exec_driver_sql(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.exec_driver_sql(f"UPDATE hfreg_meta SET value = {schema} WHERE key = 'schema'")
    events.close()
    with Events(url) as newer:
        newer.record(a_call(alias="new", rows=7, failed=1, sketch="{}", tokens_in=5, cost=0.5))
        assert newer.flush()
        assert {(call.alias, call.rows) for call in newer.calls()} == {("old", 0), ("older", 0), ("new", 7)}
        assert newer.usage().tiles.rows == 7
        assert {(call.tokens_in, call.tokens_out, call.cost) for call in newer.calls()} == {(None,) * 3, (5, None, 0.5)}
        assert newer.usage().tiles.tokens_in == 5
