"""What becomes of the log of calls when things break: killed, locked, full, read-only, damaged, moved, cut off."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from call_samples import a_call, finish, python, wait_for

from hfreg.errors import StoreCorrupt, StoreError
from hfreg.store import database
from hfreg.store.events import Events

pytest_plugins = ["call_log_fixtures"]


@pytest.fixture
def quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth of a second for a locked database, not five."""
    monkeypatch.setattr(database, "BUSY_S", 0.1)


def test_a_call_is_on_disk_within_a_second_by_itself(url: str, events: Events) -> None:
    with Events(url) as reader:
        assert reader.calls() == []
        assert events.calls() == []  # opens the database
        events.record(a_call())
        wait_for(lambda: reader.calls() != [], 1.0)


def test_calls_recorded_just_before_the_end_are_written_at_exit(url: str, events: Events) -> None:
    finish(python("events = Events(sys.argv[1])\nfor n in range(5): events.record(call(n))", url))
    assert len(events.calls()) == 5


def test_a_killed_process_loses_at_most_its_last_second(url: str, events: Events) -> None:
    code = """
    events = Events(sys.argv[1])
    events.calls()  # opens the database
    for n in range(10**6):
        new = call(n)
        events.record(new)
        print(new.id, time.time(), flush=True)
        time.sleep(0.005)
    """
    for _ in range(3):  # a kill just behind a write shows nothing; three in a row do not happen
        written, killed = killed_after(2.2, python(code, url))
        stored = {c.id for c in events.calls(limit=None)}
        safe = {call_id for call_id, at in written if at < killed - 1.0}
        assert len(safe) > 50
        assert safe <= stored
        if {call_id for call_id, _ in written} - stored:
            return
    pytest.fail("No kill came between a record and its write.")


def killed_after(seconds: float, process: Any) -> tuple[list[tuple[str, float]], float]:
    """Kill a writer; return the ids and times it told, and when it ended. Time counts from its first call."""
    lines = [process.stdout.readline().split()]
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    lines += [line.split() for line in process.stdout if line.endswith("\n")]
    killed = time.time()
    timer.join()
    process.communicate()
    return [(line[0], float(line[1])) for line in lines], killed


def test_a_locked_database_delays_records_and_loses_none(
    tmp_path: Path, quick_to_give_up: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Events(tmp_path / "calls.db") as events, closing(sqlite3.connect(tmp_path / "calls.db")) as other:
        events.record(a_call())
        assert events.flush()
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            events.record(a_call())
            assert not events.flush()
        assert len(events.calls()) == 1  # reading goes on, of what is stored
        assert events.waiting == 3
        other.rollback()
        wait_for(lambda: events.waiting == 0, 6)  # the writer comes back by itself
        assert (len(events.calls()), events.dropped) == (4, 0)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert str(tmp_path / "calls.db") in warnings[0]
    assert "locked" in warnings[0]
    assert "Calls go on" in warnings[0]


def test_memory_is_bounded_and_what_was_dropped_is_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    events = Events(tmp_path / "file" / "calls.db", limit=100)
    calls = [a_call() for _ in range(250)]
    for call in calls[:150]:
        events.record(call)
    assert not events.flush()
    for call in calls[150:]:
        events.record(call)
    assert (events.waiting, events.dropped) == (100, 150)
    (tmp_path / "file").unlink()
    assert events.close()
    assert sorted(c.id for c in events.calls(limit=None)) == [c.id for c in calls[150:]]
    events.close()


def test_a_read_only_database_can_be_read_and_stops_no_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Events(tmp_path / "calls.db") as events:
        events.record(a_call())
        events.flush()
        with Events(f"sqlite:///file:{tmp_path / 'calls.db'}?mode=ro&uri=true") as reader:
            reader.record(a_call())
            assert not reader.flush()
            assert (len(reader.calls()), reader.waiting) == (1, 1)
            assert "readonly" in caplog.text
            reader._buffer._waiting.clear()


def test_a_folder_that_may_not_be_written_stops_no_call(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        folder.chmod(0o555)
        code = """
        from hfreg.errors import StoreError
        with Events(f"sqlite:///{sys.argv[2]}/calls.db") as events:
            events.calls()  # loads what is loaded on first use, while it still may
        if os.geteuid() == 0:
            os.setuid(65534)
        events = Events(f"sqlite:///{sys.argv[1]}/calls.db")
        events.record(call(1))
        assert not events.flush()
        try:
            events.calls()
        except StoreError as error:
            print(error, flush=True)
        os._exit(0)
        """
        said = finish(python(code, folder, tmp_path))
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert f"The call log {folder}/calls.db cannot be used: unable to open" in said


def test_a_full_disk_delays_records_and_loses_none(tmp_path: Path) -> None:
    code = """
    import resource
    events = Events(f"sqlite:///{sys.argv[1]}/calls.db")
    assert events.flush() and not events.calls()
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for n in range(3_000):
        events.record(call(n))
    assert not events.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert events.flush()
    print(len({c.id for c in events.calls(limit=None)}), events.dropped)
    """
    assert finish(python(code, tmp_path)).split() == ["3000", "0"]


def _garbage(path: Path) -> None:
    path.write_bytes(b"this was never a database" * 200)


def _holed(path: Path) -> None:
    with Events(path) as events:
        for _ in range(500):
            events.record(a_call())
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_garbage, _holed])
def test_a_damaged_file_is_named_with_the_way_out_and_calls_go_on(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "calls.db"
    damage(path)
    before = path.read_bytes()
    with Events(path) as events:
        events.record(a_call())
        assert not events.flush()
        for ask in (events.calls, events.usage, events.activity):
            with pytest.raises(StoreCorrupt, match="Move it aside") as caught:
                ask()
            assert str(path) in str(caught.value)
        assert path.read_bytes() == before
        assert caplog.text.count("is damaged or") == 1
        for part in tmp_path.glob("calls.db*"):
            part.rename(part.with_name(f"old_{part.name}"))
        assert events.flush()
        assert len(events.calls()) == 1


def test_a_file_that_was_moved_aside_gets_no_more_rows(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    with Events(path) as events:
        for _ in range(3):
            events.record(a_call())
        assert events.count() == 3
        for part in tmp_path.glob("calls.db*"):
            part.rename(part.with_name(f"old_{part.name}"))
        for _ in range(5):
            events.record(a_call())
        assert events.count() == len(events.calls()) == 5


def test_a_lost_connection_to_the_server_loses_no_record(postgresql: str, request: pytest.FixtureRequest) -> None:
    import psycopg

    with psycopg.connect(postgresql.format(name="postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE cut")
        with Events(postgresql.format(name="cut")) as events:
            for _ in range(3):
                events.record(a_call())
                assert events.flush()
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'")
            assert len(events.calls()) == 3


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    if find_spec("psycopg") is None:
        pytest.skip("needs the package psycopg")
    events = Events("postgresql://sam:s3cret@127.0.0.1:1/calls")
    events.record(a_call())
    assert not events.flush()
    with pytest.raises(StoreError, match=r"sam:\*\*\*@127.0.0.1:1/calls cannot be used") as caught:
        events.calls()
    assert "s3cret" not in str(caught.value) + events.place
    events._buffer._waiting.clear()
    events.close()


def test_a_log_of_a_newer_product_is_refused_and_left_alone(events: Events) -> None:
    events.record(a_call())
    events.flush()
    with events._database.connect() as connection:
        connection.exec_driver_sql("UPDATE hfreg_meta SET value = 99")
    events.close()
    with pytest.raises(StoreError, match=r"schema 99.*Update hfreg"):
        events.calls()
