"""Autosaves: what a reload finds, and what a second browser is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hfreg.errors import EditConflict, StoreError
from hfreg.store.autosave import Autosaves


@pytest.fixture
def drafts(tmp_path: Path) -> Autosaves:
    return Autosaves(tmp_path / "autosave")


def test_a_draft_survives_a_restart(drafts: Autosaves) -> None:
    data = {"alias": "shout", "arguments": [{"alias": "text", "default": None}], "code": "return é\n"}
    saved = drafts.save("shout", "ann", data, base_snapshot=3)
    assert Autosaves(drafts.folder).find("shout", "ann") == saved
    assert (saved.data, saved.base_snapshot) == (data, 3)


def test_each_owner_has_their_own_draft(drafts: Autosaves) -> None:
    drafts.save("shout", "ann", {"name": "Ann's"})
    drafts.save("shout", "bob", {"name": "Bob's"})
    drafts.save("new", "ann", {})
    assert drafts.find("shout", "cy") is None
    assert [(a.key, a.owner) for a in drafts.all("ann")] == [("new", "ann"), ("shout", "ann")]
    drafts.delete("shout", "ann")
    drafts.delete("shout", "ann")
    assert drafts.find("shout", "ann") is None
    assert drafts.find("shout", "bob") is not None
    assert drafts.all("cy") == []


@pytest.mark.parametrize("name", ["../../escape", "a/b", "", "x" * 500, "con", "..", "n\0ul", "é"])
def test_no_name_leaves_the_folder(drafts: Autosaves, name: str) -> None:
    drafts.save(name, name, {"a": 1})
    found = drafts.find(name, name)
    assert found is not None
    assert found.data == {"a": 1}
    assert drafts.find(name, "other") is None
    assert {p.name for p in drafts.folder.parent.iterdir()} <= {"autosave"}


def test_a_second_browser_is_told_and_nothing_is_overwritten(drafts: Autosaves) -> None:
    opened = drafts.save("shout", "ann", {"name": "as opened"}, expected=0)
    first = drafts.save("shout", "ann", {"name": "first browser"}, expected=opened.counter)
    with pytest.raises(EditConflict, match="saved elsewhere") as caught:
        drafts.save("shout", "ann", {"name": "second browser"}, expected=opened.counter)
    assert caught.value.stored == first  # type: ignore[attr-defined]
    assert drafts.find("shout", "ann") == first
    agreed = drafts.save("shout", "ann", {"name": "merged"}, expected=first.counter)
    assert agreed.counter > first.counter


def test_a_page_that_expects_no_draft_is_told_of_one(drafts: Autosaves) -> None:
    drafts.save("new", "ann", {"name": "one"})
    with pytest.raises(EditConflict):
        drafts.save("new", "ann", {"name": "two"}, expected=0)


def test_a_counter_is_not_given_again_after_a_delete(drafts: Autosaves) -> None:
    old = drafts.save("new", "ann", {})
    drafts.delete("new", "ann")
    drafts.save("new", "ann", {"name": "other"})
    with pytest.raises(EditConflict):
        drafts.save("new", "ann", {"name": "stale"}, expected=old.counter)


def test_of_many_savers_that_expect_the_same_one_wins(drafts: Autosaves) -> None:
    opened = drafts.save("shout", "ann", {})
    won, told = [], []

    def save(n: int) -> None:
        try:
            won.append(drafts.save("shout", "ann", {"n": n}, expected=opened.counter))
        except EditConflict:
            told.append(n)

    threads = [threading.Thread(target=save, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(told) == 5
    assert drafts.find("shout", "ann") == won[0]


def test_a_value_that_json_cannot_hold_is_refused_and_the_draft_stays(drafts: Autosaves) -> None:
    kept = drafts.save("shout", "ann", {"name": "one"})
    with pytest.raises(StoreError, match="draft of shout was not saved"):
        drafts.save("shout", "ann", {"name": object()})
    assert drafts.find("shout", "ann") == kept


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"hfreg_autosave": 1}', b'{"hfreg_autosave": 2}', b"\xff"])
def test_a_damaged_draft_is_kept_aside_and_the_form_opens(drafts: Autosaves, spoilt: bytes, caplog) -> None:  # type: ignore[no-untyped-def]
    drafts.save("shout", "ann", {"name": "one"})
    path = next(drafts.folder.glob("*/*.json"))
    path.write_bytes(spoilt)
    assert drafts.find("shout", "ann") is None
    assert "cannot be read" in caplog.text
    assert next(path.parent.glob("*.damaged-*")).read_bytes() == spoilt
    drafts.save("shout", "ann", {"name": "two"}, expected=0)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_only_its_owner_can_read_a_draft(drafts: Autosaves) -> None:
    drafts.save("shout", "ann", {"code": "login('pasted')"})
    (path,) = drafts.folder.glob("*/*.json")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(0o644)  # written by an older version
    path.parent.chmod(0o755)
    drafts.save("shout", "ann", {})
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_draft_that_was_saved_elsewhere_since_is_not_deleted(drafts: Autosaves) -> None:
    mine = drafts.save("shout", "ann", {"name": "mine"})
    theirs = drafts.save("shout", "ann", {"name": "of the other window"})
    assert not drafts.delete("shout", "ann", expected=mine.counter)
    assert drafts.find("shout", "ann") == theirs
    assert drafts.delete("shout", "ann", expected=theirs.counter)
    assert drafts.find("shout", "ann") is None
    assert drafts.delete("shout", "ann", expected=theirs.counter)
