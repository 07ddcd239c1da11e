"""The atomic storage: what it keeps, what it recovers, and what it refuses without touching it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tinydb import TinyDB
from tinydb.table import Document

from hfreg.errors import StoreCorrupt, StoreError
from hfreg.store.envelope import SCHEMA, encode
from hfreg.store.storage import AtomicStorage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "things.json"


def opened(path: Path, **options: object) -> AtomicStorage:
    return AtomicStorage(path, tables=("things",), **options)  # type: ignore[arg-type]


def put(storage: AtomicStorage, **document: object) -> int:
    with storage.transaction() as db:
        return db.table("things").insert(document)


def things(storage: AtomicStorage) -> list[Document]:
    return TinyDB(storage=lambda: storage).table("things").all()


def damaged(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return bytes(data)


def test_what_a_transaction_wrote_is_read_by_a_second_opener(path: Path) -> None:
    put(opened(path), name="é\ud800", deep={"a": [1, None, 2.5]})
    assert things(opened(path)) == [{"name": "é\ud800", "deep": {"a": [1, None, 2.5]}}]


def test_the_file_is_one_json_object(path: Path) -> None:
    put(opened(path), name="one")
    assert json.loads(path.read_text())["tables"] == {"things": {"1": {"name": "one"}}}


def test_two_openers_never_give_out_the_same_document_id(path: Path) -> None:
    first, second = opened(path), opened(path)
    ids = [put(storage, n=n) for n in range(5) for storage in (first, second)]
    assert sorted(ids) == list(range(1, 11))


def test_a_transaction_that_raises_changes_nothing(path: Path) -> None:
    storage = opened(path)
    put(storage, name="one")
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="stop"), storage.transaction() as db:
        db.table("things").insert({"name": "two"})
        db.table("things").update({"name": "changed"})
        raise RuntimeError("stop")
    assert path.read_bytes() == before
    assert things(storage) == [{"name": "one"}]


def test_a_transaction_without_a_change_writes_nothing(path: Path) -> None:
    storage = opened(path)
    put(storage, name="one")
    before = path.stat()
    with storage.transaction() as db:
        assert db.table("things").all() == [{"name": "one"}]
    assert path.stat() == before


def test_a_value_that_json_cannot_hold_is_refused_and_nothing_is_lost(path: Path) -> None:
    storage = opened(path)
    put(storage, name="one")
    with pytest.raises(StoreError, match="cannot be written as JSON"):
        put(storage, name=object())
    assert things(storage) == [{"name": "one"}]


def test_writing_outside_of_a_transaction_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match=r"storage\.transaction"):
        TinyDB(path, storage=AtomicStorage).insert({"name": "one"})
    assert not path.exists()


def test_a_transaction_inside_a_transaction_is_refused_instead_of_hanging(path: Path) -> None:
    storage = opened(path)
    with storage.transaction(), pytest.raises(StoreError, match="already held by this thread"), storage.transaction():
        pass


def test_a_reader_may_change_what_it_read_without_changing_the_store(path: Path) -> None:
    storage = opened(path)
    put(storage, name="one")
    (storage.read() or {})["things"]["1"]["name"] = "changed"
    assert things(storage) == [{"name": "one"}]


def test_threads_lose_no_write(path: Path) -> None:
    storage = opened(path)
    threads = [threading.Thread(target=lambda k=k: [put(storage, n=10 * k + i) for i in range(10)]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(document["n"] for document in things(storage)) == list(range(40))


def test_a_reader_sees_every_generation_of_another_opener(path: Path) -> None:
    writer, reader = opened(path), opened(path)
    for n in range(30):  # same size each time: inodes are used again, so that only the time can tell
        with writer.transaction() as db:
            db.table("things").truncate()
            db.table("things").insert(Document({"n": 10 + n}, 1))
        assert things(reader) == [{"n": 10 + n}]


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    storage = opened(path)
    put(storage, name="one")
    assert storage.content() is storage.content()


def test_the_time_of_the_file_moves_on_even_when_the_clock_goes_back(path: Path) -> None:
    storage = opened(path)
    put(storage, n=1)
    future = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(future, future))
    put(storage, n=2)
    assert path.stat().st_mtime_ns > future


@pytest.mark.parametrize(
    "spoil",
    [
        damaged,
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00" * 4096),
        lambda path: path.write_text('{"_default": {"1": {"foreign": true}}}'),
        Path.unlink,
    ],
    ids=["flipped", "torn", "empty", "zeros", "foreign", "missing"],
)
def test_a_damaged_file_comes_back_whole_from_its_copy(path: Path, spoil, caplog) -> None:  # type: ignore[no-untyped-def]
    put(opened(path), name="one")
    put(opened(path), name="two")
    spoil(path)
    spoilt = path.read_bytes() if path.exists() else None
    assert things(opened(path)) == [{"name": "one"}, {"name": "two"}]
    assert "put back from its last good copy, generation 2" in caplog.text
    kept = [p.read_bytes() for p in path.parent.glob("things.json.damaged-*")]
    assert kept == ([] if spoilt is None else [spoilt])
    put(opened(path), name="three")
    assert len(things(opened(path))) == 3


@pytest.mark.parametrize("read", [things, lambda storage: put(storage, name="new")], ids=["read", "write"])
def test_without_a_good_copy_a_damaged_file_is_refused_with_the_way_out_and_left_alone(path: Path, read) -> None:  # type: ignore[no-untyped-def]
    put(opened(path), name="one")
    main, copy = damaged(path), damaged(path.with_name("things.json.good"))
    with pytest.raises(StoreCorrupt, match=r"things\.json cannot be read.*`hfreg restore BACKUP`"):
        read(opened(path))
    assert (path.read_bytes(), path.with_name("things.json.good").read_bytes()) == (main, copy)


@pytest.mark.parametrize(
    "foreign",
    [b'{"_default": {"1": {"a": 1}}}', b'{"things": {"x": {}}}', b"[1, 2]", b"not json", b"", b'{"things": 1}', b"{}"],
)
def test_a_foreign_file_is_refused_and_left_alone(path: Path, foreign: bytes) -> None:
    path.write_bytes(foreign)
    for act in (things, lambda storage: put(storage, name="new")):
        with pytest.raises(StoreCorrupt, match="cannot be read"):
            act(opened(path))
    assert path.read_bytes() == foreign


def test_a_file_that_stock_tinydb_wrote_into_is_recovered_and_kept(path: Path) -> None:
    put(opened(path), name="one")
    with TinyDB(path) as stock:
        stock.insert({"foreign": True})
    assert things(opened(path)) == [{"name": "one"}]
    assert b"foreign" in next(path.parent.glob("things.json.damaged-*")).read_bytes()


def test_a_plain_tinydb_file_with_our_tables_is_migrated_with_a_backup_beside_it(path: Path) -> None:
    with TinyDB(path) as stock:
        stock.table("things").insert_multiple([{"name": "one"}, {"name": "two"}])
    before = path.read_bytes()

    def shout(tables: dict[str, dict[str, dict[str, str]]]) -> dict[str, dict[str, dict[str, str]]]:
        return {"things": {key: {"name": d["name"].upper()} for key, d in tables["things"].items()}}

    storage = opened(path, migrations={0: shout})
    assert things(storage) == [{"name": "ONE"}, {"name": "TWO"}]
    assert storage.content().schema == SCHEMA
    assert path.with_name("things.json.schema-0").read_bytes() == before
    assert put(storage, name="THREE") == 3
    assert len(things(opened(path, migrations={0: shout}))) == 3


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    newer = encode({"things": {}}, 7, SCHEMA + 1)
    path.write_bytes(newer)
    for act in (things, lambda storage: put(storage, name="new")):
        with pytest.raises(StoreError, match=r"newer hfreg \(schema 2.*Upgrade hfreg"):
            act(opened(path))
    assert path.read_bytes() == newer


def test_a_lock_that_is_held_elsewhere_is_named_after_the_timeout(path: Path) -> None:
    with opened(path).transaction():
        caught: list[StoreError] = []

        def write() -> None:
            try:
                put(opened(path, lock_timeout_s=0.1), name="two")
            except StoreError as error:
                caught.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert "things.json.lock" in str(caught[0])
    assert "Nothing was saved" in str(caught[0])


def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    put(opened(path), name="one")
    with opened(path).transaction() as db:
        db.table("things").insert({"name": "two"})
        assert things(opened(path, lock_timeout_s=0.1)) == [{"name": "one"}]


def test_the_mode_of_the_file_is_kept(path: Path) -> None:
    put(opened(path), name="one")
    path.chmod(0o640)
    put(opened(path), name="two")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_keeps_pointing_to_the_file(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)
    put(opened(link), name="one")
    assert link.is_symlink()
    assert things(opened(path)) == [{"name": "one"}]


def test_leftovers_of_a_killed_writer_do_not_matter(path: Path) -> None:
    put(opened(path), name="one")
    path.with_name(".things.json.new").write_bytes(b"half a fi")
    path.with_name(".things.json.good.new").write_bytes(b"")
    put(opened(path), name="two")
    assert len(things(opened(path))) == 2
    assert sorted(p.name for p in path.parent.iterdir()) == ["things.json", "things.json.good", "things.json.lock"]


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for act in (things, lambda storage: put(storage, name="new")):
        with pytest.raises(StoreError, match=r"home/things\.json"):
            act(opened(tmp_path / "home" / "things.json"))


def test_a_plain_file_put_over_a_living_store_does_not_replace_what_was_saved(path: Path) -> None:
    put(opened(path), name="one")
    plain = b'{"things": {"1": {"name": "older"}}}'
    path.write_bytes(plain)
    assert things(opened(path)) == [{"name": "one"}]
    assert next(path.parent.glob("things.json.damaged-*")).read_bytes() == plain


def test_a_write_that_fails_half_way_leaves_file_copy_and_folder_as_they_were(path: Path) -> None:
    put(opened(path), name="one")
    in_the_way = path.with_name(".things.json.new")
    in_the_way.mkdir()
    before = {p.name: p.read_bytes() for p in path.parent.iterdir() if p.is_file()}
    with pytest.raises(StoreError, match="Nothing was changed"):
        put(opened(path), name="two")
    assert {p.name: p.read_bytes() for p in path.parent.iterdir() if p.is_file()} == before
    in_the_way.rmdir()
    assert put(opened(path), name="two") == 2
