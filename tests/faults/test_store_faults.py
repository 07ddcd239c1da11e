"""No acknowledged save is lost and no file becomes unreadable; the same trouble breaks stock TinyDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfreg.store.storage import AtomicStorage
from tests.faults.procedures import damaged_files, disk_full, kill_during_saves, writers_at_once

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="kill -9 and file size limits are POSIX")

DISK = 64 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.json"


@pytest.mark.parametrize(("kind", "kills"), [("atomic", 6), ("definitions", 3)])
def test_kill_9_during_saves_loses_nothing_acknowledged(kind: str, kills: int, path: Path) -> None:
    verdict = kill_during_saves(kind, path, kills, seed=7)
    assert not verdict.red, verdict
    assert len(verdict.acknowledged) >= kills
    assert not verdict.failures


def test_the_same_kills_break_stock_tinydb(path: Path) -> None:
    verdict = kill_during_saves("stock", path, 40, seed=7)
    assert verdict.red


@pytest.mark.parametrize("kind", ["atomic", "definitions"])
def test_four_writers_at_once_lose_nothing(kind: str, path: Path) -> None:
    verdict = writers_at_once(kind, path, writers=4, each=8)
    assert not verdict.red, verdict
    assert not verdict.failures
    assert len(verdict.kept) == 4 * 8


def test_the_same_four_writers_break_stock_tinydb(path: Path) -> None:
    verdict = writers_at_once("stock", path, writers=4, each=8)
    assert verdict.red


def test_a_full_disk_refuses_the_save_and_keeps_the_ones_before(path: Path) -> None:
    verdict = disk_full("atomic", path, DISK)
    assert not verdict.red, verdict
    assert len(verdict.acknowledged) > 5
    assert verdict.failures[0].startswith("failed StoreError")
    assert "Nothing was changed. Free some space" in verdict.failures[0]
    assert not list(path.parent.glob("*.new"))
    with AtomicStorage(path).transaction() as db:  # with space again, saving goes on
        db.table("things").insert({"id": "later"})


def test_the_same_full_disk_breaks_stock_tinydb(path: Path) -> None:
    verdict = disk_full("stock", path, DISK)
    assert len(verdict.acknowledged) > 5
    assert verdict.red


def test_a_torn_or_flipped_file_comes_back_whole(path: Path) -> None:
    verdict = damaged_files("atomic", path, 80, seed=7)
    assert not verdict.red, verdict
    assert not verdict.failures
    assert len(verdict.acknowledged) == 12


def test_with_its_copy_torn_or_flipped_too_it_is_refused_and_left_alone(path: Path) -> None:
    verdict = damaged_files("atomic", path, 80, seed=8, both=True)
    assert not verdict.red, verdict
    assert len(verdict.failures) > 50


def test_the_same_damage_breaks_stock_tinydb(path: Path) -> None:
    verdict = damaged_files("stock", path, 80, seed=7)
    assert verdict.red
    assert any("ValueError" in problem for problem in verdict.problems), "a flipped letter is not even noticed"


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["atomic", "definitions"])
def test_a_hundred_kills_and_longer_races_lose_nothing(kind: str, tmp_path: Path) -> None:
    verdict = kill_during_saves(kind, tmp_path / "killed.json", 100, seed=11)
    assert not verdict.red, verdict
    verdict = writers_at_once(kind, tmp_path / "raced.json", writers=8, each=60)
    assert not verdict.red, verdict
    assert len(verdict.kept) == 8 * 60


@pytest.mark.soak
def test_five_thousand_damages_are_recovered_or_refused(tmp_path: Path) -> None:
    for seed, both in ((21, False), (22, True)):
        verdict = damaged_files("atomic", tmp_path / f"{seed}.json", 2_500, seed, both)
        assert not verdict.red, verdict
