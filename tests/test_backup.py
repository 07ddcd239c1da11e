"""Backup and restore: everything comes back, no secret goes out, and nothing of a home is overwritten."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hfreg.definition import Definition
from hfreg.errors import ImportFileError, StoreCorrupt, StoreError
from hfreg.lifecycle import Action
from hfreg.store import AUTOSAVES, DEFINITIONS, EVENTS
from hfreg.store.autosave import Autosaves
from hfreg.store.backup import Report, backup, restore
from hfreg.store.calls import Call, new_call_id
from hfreg.store.definitions import Definitions
from hfreg.store.envelope import SCHEMA, encode
from hfreg.store.events import Events
from hfreg.version import Pin

TOKEN = "hf_thisIsASecretToken1234"


@pytest.fixture
def lived_in(tmp_path: Path) -> Path:
    """A home with two models, three versions, two drafts, three calls and a token."""
    home = tmp_path / "lived-in"
    store = Definitions(home / DEFINITIONS)
    pin = Pin(repo="org/name", revision=None, commit="a" * 40, at=datetime(2026, 1, 2, tzinfo=UTC))
    store.add(Definition(alias="shout", scoring_logic="return text.upper()"), "ann", "first", [pin])
    store.set_state("shout", 1, Action.SUBMIT, "ann")
    store.set_state("shout", 1, Action.ACCEPT, "bob", "fine")
    store.clone("shout", 1, "cy")
    store.add(Definition(alias="whisper"), "ann")
    for key in ("new", "shout"):
        Autosaves(home / AUTOSAVES).save(key, "ann", {"name": "é"}, 1)
    with Events(home / EVENTS) as events:
        for n in range(3):
            events.record(a_call(n))
    (home / "secrets").mkdir()
    (home / "secrets" / "huggingface_token").write_text(TOKEN)
    return home


def a_call(n: int) -> Call:
    at = datetime(2026, 1, 2, 3, n, tzinfo=UTC)
    return Call(new_call_id(), at, "shout", 1, "Approved", "test", "ann", "ok", error=f"call {n}")


def everything(home: Path) -> tuple[object, ...]:
    store = Definitions(home / DEFINITIONS)
    with Events(home / EVENTS) as events:
        calls = events.calls()
    versions = [v for alias in store.aliases() for v in store.versions(alias)]
    return versions, [store.history(a) for a in store.aliases()], Autosaves(home / AUTOSAVES).all("ann"), calls


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", ["monday.zip", "monday.tar.gz", "monday.tgz"])
def test_everything_comes_back_in_another_home(lived_in: Path, tmp_path: Path, name: str) -> None:
    report = backup(lived_in, tmp_path / "backups" / name)
    assert report == Report(models=2, versions=3, autosaves=2, calls=3)
    assert str(report) == "2 models, 3 versions, 2 autosaves, 3 calls"
    assert restore(tmp_path / "backups" / name, tmp_path / "other") == report
    assert everything(tmp_path / "other") == everything(lived_in)
    assert (tmp_path / "other" / f"{DEFINITIONS}.good").exists()
    assert not list((tmp_path / "other").glob(".hfreg-*"))


@pytest.mark.parametrize("name", ["monday.zip", "monday.tar.gz"])
def test_a_backup_holds_no_token_and_is_its_owners_alone(lived_in: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    backup(lived_in, target)
    assert target.stat().st_mode & 0o777 == 0o600
    restore(target, tmp_path / "other")
    assert not (tmp_path / "other" / "secrets").exists()
    for path in (tmp_path / "other").rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".hfreg")] == []


def test_a_backup_is_made_while_calls_are_written(lived_in: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(lived_in / EVENTS)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM calls")
        assert backup(lived_in, tmp_path / "monday.zip").calls == 3
        writer.rollback()


def test_a_home_without_calls_or_drafts_is_backed_up(tmp_path: Path) -> None:
    Definitions(tmp_path / "small" / DEFINITIONS).add(Definition(alias="shout"), "ann")
    assert backup(tmp_path / "small", tmp_path / "small.zip") == Report(1, 1, 0, 0)
    assert restore(tmp_path / "small.zip", tmp_path / "other") == Report(1, 1, 0, 0)
    assert str(Report(1, 1, 0, 2000)) == "1 model, 1 version, 0 autosaves, 2,000 calls"
    assert sorted(unpacked(tmp_path / "small.zip")) == [DEFINITIONS, "hfreg-backup.json"]


def test_an_empty_home_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nothing to back up in .*nowhere.*HFREG_HOME"):
        backup(tmp_path / "nowhere", tmp_path / "monday.zip")
    assert not (tmp_path / "monday.zip").exists()


def test_an_existing_file_and_an_unknown_kind_are_refused_as_target(lived_in: Path, tmp_path: Path) -> None:
    (tmp_path / "monday.zip").write_text("mine")
    with pytest.raises(StoreError, match=r"monday\.zip exists already"):
        backup(lived_in, tmp_path / "monday.zip")
    assert (tmp_path / "monday.zip").read_text() == "mine"
    with pytest.raises(StoreError, match=r"End it in \.zip or \.tar\.gz"):
        backup(lived_in, tmp_path / "monday.rar")


def test_a_damaged_store_is_not_backed_up_as_if_it_were_whole(lived_in: Path, tmp_path: Path) -> None:
    for name in (DEFINITIONS, f"{DEFINITIONS}.good"):
        (lived_in / name).write_bytes(b"{")
    with pytest.raises(StoreCorrupt, match="hfreg restore"):
        backup(lived_in, tmp_path / "monday.zip")
    assert not (tmp_path / "monday.zip").exists()


def test_a_damaged_database_of_calls_is_named(lived_in: Path, tmp_path: Path) -> None:
    (lived_in / EVENTS).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"events\.sqlite cannot be backed up"):
        backup(lived_in, tmp_path / "monday.zip")


def test_a_home_that_holds_something_is_refused_and_left_alone(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    other = tmp_path / "other"
    Definitions(other / DEFINITIONS).add(Definition(alias="mine"), "ann")
    before = (other / DEFINITIONS).read_bytes()
    with pytest.raises(StoreError, match=r"already holds definitions\.json"):
        restore(tmp_path / "monday.zip", other)
    assert (other / DEFINITIONS).read_bytes() == before


def test_a_home_that_is_to_be_replaced_is_kept_aside_and_open_stores_see_the_change(
    lived_in: Path, tmp_path: Path
) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    before = everything(lived_in)
    store = Definitions(lived_in / DEFINITIONS)
    store.add(Definition(alias="later"), "ann")
    assert store.find("later") is not None
    report = restore(tmp_path / "monday.zip", lived_in, overwrite=True)
    assert store.find("later") is None
    assert everything(lived_in) == before
    assert report.replaced is not None
    assert Definitions(report.replaced / DEFINITIONS).find("later") is not None
    assert (lived_in / "secrets" / "huggingface_token").read_text() == TOKEN


def test_restore_is_the_way_out_of_a_damaged_store(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    for name in (DEFINITIONS, f"{DEFINITIONS}.good"):
        (lived_in / name).write_bytes(b"{")
    report = restore(tmp_path / "monday.zip", lived_in, overwrite=True)
    assert Definitions(lived_in / DEFINITIONS).aliases() == ["shout", "whisper"]
    assert report.replaced is not None
    assert (report.replaced / DEFINITIONS).read_bytes() == b"{"


@pytest.mark.parametrize(
    "name",
    ["../escape.json", "/etc/escape", "autosave/../../escape.json", "secrets/huggingface_token", "C:\\escape", "other"],
)
def test_a_name_that_no_backup_holds_is_refused(lived_in: Path, tmp_path: Path, name: str) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    evil = packed(tmp_path / "evil.zip", {**unpacked(tmp_path / "monday.zip"), name: b"x"})
    with pytest.raises(ImportFileError, match="which no backup holds"):
        restore(evil, tmp_path / "deep" / "other")
    assert list((tmp_path / "deep").rglob("*")) == [tmp_path / "deep" / "other"]


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo(DEFINITIONS)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ImportFileError, match="no plain file"):
        restore(tmp_path / "evil.tar.gz", tmp_path / "other")


def test_a_file_of_another_size_or_missing_from_the_list_is_refused(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    files = unpacked(tmp_path / "monday.zip")
    for spoilt in ({**files, EVENTS: files[EVENTS][:-1]}, {n: d for n, d in files.items() if n != EVENTS}):
        with pytest.raises(ImportFileError, match="is not whole"):
            restore(packed(tmp_path / "spoilt.zip", spoilt), tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("archive", [b"", b"not an archive", b"PK\x03\x04broken", b"\x1f\x8bbroken"])
def test_what_is_no_archive_is_refused(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "monday.zip").write_bytes(archive)
    with pytest.raises(ImportFileError, match=r"monday\.zip"):
        restore(tmp_path / "monday.zip", tmp_path / "other")
    with pytest.raises(ImportFileError, match="is no file"):
        restore(tmp_path / "missing.zip", tmp_path / "other")


def test_a_torn_archive_is_refused(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.tar.gz")
    data = (tmp_path / "monday.tar.gz").read_bytes()
    for cut in (20, len(data) // 2, len(data) * 9 // 10):
        (tmp_path / "torn.tar.gz").write_bytes(data[:cut])
        with pytest.raises(ImportFileError):
            restore(tmp_path / "torn.tar.gz", tmp_path / "other")
    assert Definitions(tmp_path / "other" / DEFINITIONS).aliases() == []


def test_an_archive_without_our_list_or_of_a_newer_format_is_refused(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    files = unpacked(tmp_path / "monday.zip")
    manifest = json.loads(files["hfreg-backup.json"])
    for content, match in (
        (None, "no backup of hfreg"),
        (b"[]", "no backup of hfreg"),
        (json.dumps(manifest | {"hfreg_backup": 2}).encode(), "newer hfreg"),
    ):
        spoilt = {n: d for n, d in files.items() if n != "hfreg-backup.json"}
        if content is not None:
            spoilt["hfreg-backup.json"] = content
        with pytest.raises(ImportFileError, match=match):
            restore(packed(tmp_path / "spoilt.zip", spoilt), tmp_path / "other")


def test_a_backup_of_a_newer_schema_is_refused(lived_in: Path, tmp_path: Path) -> None:
    backup(lived_in, tmp_path / "monday.zip")
    files = unpacked(tmp_path / "monday.zip") | {DEFINITIONS: encode({}, 1, SCHEMA + 1)}
    manifest = json.loads(files["hfreg-backup.json"])
    manifest["files"][DEFINITIONS]["sha256"] = hashlib.sha256(files[DEFINITIONS]).hexdigest()
    files["hfreg-backup.json"] = json.dumps(manifest).encode()
    with pytest.raises(ImportFileError, match="newer hfreg"):
        restore(packed(tmp_path / "newer.zip", files), tmp_path / "other")


def test_a_duplicate_name_in_an_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "twice.tar.gz", "w:gz") as archive:
        for data in (b"one", b"two"):
            member = tarfile.TarInfo(DEFINITIONS)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with pytest.raises(ImportFileError, match="which no backup holds"):
        restore(tmp_path / "twice.tar.gz", tmp_path / "other")
