"""Checks: what fits and what does not, reports that go stale, where they are kept, and the command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import hfreg
from hfreg.checks import Check
from hfreg.cli import main
from hfreg.errors import ArgumentError, CheckError, DefinitionError, UnknownModel
from hfreg.hub import sources
from hfreg.store.backup import backup, restore
from hfreg.version import Pin

RANKED = [{"label": "bad", "score": 0.2}, {"label": "good", "score": 0.8}]
LIBRARIES = sources.libraries()


def shout(**fields: Any) -> hfreg.Definition:
    arguments = [hfreg.Argument("text"), hfreg.Argument("mark", optional=True, default="!")]
    given = {"alias": "shout", "arguments": arguments, "scoring_logic": "return text.upper() + mark", **fields}
    return hfreg.Definition(**given)


@pytest.fixture
def checked(registry: hfreg.Registry) -> hfreg.Registry:
    """A registry with a model that has one check, which is right."""
    registry.register(shout())
    registry.add_check("shout", {"text": "hi"}, "HI!", name="greeting")
    return registry


def check(expected: Any, matcher: str = "equals", **fields: Any) -> Check:
    given = {"name": "one", "arguments": {}, "created_at": datetime.now(UTC), **fields}
    return Check(expected=expected, matcher=matcher, **given)


@pytest.mark.parametrize(
    ("one", "right", "wrong"),
    [
        (check({"a": [1, True]}), {"a": [1.0, True]}, {"a": [1, 1]}),
        (check(None), None, ""),
        (check("art", "contains"), "smart", "smooth"),
        (check(2, "contains"), [1, 2], [1, 22]),
        (check({"a": 1}, "contains"), {"a": 1, "b": 2}, {"a": 2, "b": 1}),
        (check(0.5, "within", tolerance=0.01), 0.505, 0.52),
        (check(1, "within", tolerance=1), 2, True),
        (check("good", "label"), "good", "bad"),
        (check("good", "label"), {"label": "good", "score": 1}, {"label": "bad"}),
        (check("good", "label"), RANKED, RANKED[:1]),
        (check("good", "path", path="1.label"), RANKED, RANKED[:1]),
        (check(0.8, "path", path="1.score", tolerance=0.1), RANKED, [{}, {"score": 0.5}]),
    ],
)
def test_an_answer_fits_what_is_expected_or_the_message_names_both(one: Check, right: Any, wrong: Any) -> None:
    assert one.problem(right) == ""
    assert one.problem(wrong).startswith(f"expected {one.wanted}, got ")
    assert json.dumps(one.expected) in one.wanted


@pytest.mark.parametrize(
    "fields",
    [
        {"expected": "1", "matcher": "within"},
        {"expected": True, "matcher": "within"},
        {"expected": "", "matcher": "contains"},
        {"expected": 3, "matcher": "label"},
        {"expected": 3, "matcher": "path"},
        {"expected": 3, "path": "a"},
        {"expected": 3, "tolerance": 0.1},
        {"expected": 3, "matcher": "within", "tolerance": float("nan")},
        {"expected": 3, "matcher": "roughly"},
        {"expected": 3, "name": " "},
    ],
)
def test_a_check_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        check(**fields)


def test_a_report_says_what_ran_and_is_kept_and_each_call_is_recorded(checked: hfreg.Registry, home: Path) -> None:
    checked.add_check("shout", {"text": "hi", "mark": "?"}, "HI!")
    report = checked.run_checks("shout", user="ada")
    assert [(one.name, one.ok) for one in report.results] == [("greeting", True), ("check 2", False)]
    assert report.failed[0].message == 'expected "HI!", got "HI?"'
    assert (report.ok, report.version, report.user, report.stale) == (False, 1, "ada", ())
    assert report.basis.libraries == LIBRARIES
    checked.close()
    again = hfreg.open(home)
    assert again.check_report("shout") == report
    assert [call.source for call in again.events.calls()] == ["check", "check"]


def test_an_error_of_the_model_is_a_check_that_is_not_right(registry: hfreg.Registry) -> None:
    registry.register(shout(scoring_logic="raise KeyError(text)"))
    registry.add_check("shout", {"text": "hi"}, "HI!")
    assert "got an error" in registry.run_checks("shout").results[0].message


def test_moments_come_back_as_moments(registry: hfreg.Registry) -> None:
    registry.register(shout(arguments=[hfreg.Argument("at", "DateTime")], scoring_logic="return at.year"))
    registry.add_check("shout", {"at": datetime(2024, 5, 1, tzinfo=UTC)}, 2024)
    assert registry.run_checks("shout").ok


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scoring_logic": "return text"}, "the code changed"),
        ({"output_type": "String"}, "the code changed"),
        ({"arguments": [hfreg.Argument("text"), hfreg.Argument("mark", optional=True)]}, "the arguments changed"),
    ],
)
def test_a_report_is_stale_once_the_model_changed_and_not_for_its_description(
    checked: hfreg.Registry, change: dict[str, Any], reason: str
) -> None:
    checked.run_checks("shout")
    checked.edit("shout", shout(description="Louder."))
    assert checked.check_report("shout").stale == ()
    checked.edit("shout", shout(**change))
    assert checked.check_report("shout").stale == (reason,)


def test_a_report_is_stale_once_checks_commits_libraries_or_called_models_changed(
    checked: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked.register(shout(alias="outer", resources=["shout"], scoring_logic="return shout(text, mark)"))
    checked.add_check("outer", {"text": "hi"}, "HI!")
    assert checked.run_checks("outer").ok
    assert checked.check_report("outer").stale == ()
    checked.edit("shout", shout(scoring_logic="return text"))
    checked.add_check("outer", {"text": "ho"}, "HO!")
    pin = Pin(repo="acme/model", revision=None, commit="a" * 40, at=datetime.now(UTC))
    checked.definitions.add_pin("outer", 1, pin)
    monkeypatch.setattr(sources, "libraries", lambda: {**LIBRARIES, "torch": "0.1"})
    assert checked.check_report("outer").stale == (
        "the checks changed",
        "the model shout, which it calls, changed",
        "the commit of acme/model changed",
        f"torch was {LIBRARIES['torch']} and is 0.1",
    )


def test_what_cannot_be_a_check_is_told(checked: hfreg.Registry) -> None:
    with pytest.raises(CheckError, match="has a check `greeting` already"):
        checked.add_check("shout", {"text": "ho"}, "HO!", name="greeting")
    with pytest.raises(ArgumentError, match="no argument `loud`"):
        checked.add_check("shout", {"text": "ho", "loud": "yes"}, "HO!")
    with pytest.raises(CheckError, match="What is expected cannot be kept"):
        checked.add_check("shout", {"text": "ho"}, {1j})
    with pytest.raises(CheckError, match="Did you mean `greeting`"):
        checked.delete_check("shout", "greting")
    with pytest.raises(UnknownModel):
        checked.checks("../shout")
    checked.delete_check("shout", "greeting")
    with pytest.raises(CheckError, match="nothing to run"):
        checked.run_checks("shout")
    assert checked.check_report("shout") is None


def test_checks_follow_a_model_that_is_renamed(checked: hfreg.Registry) -> None:
    checked.run_checks("shout")
    checked.rename("shout", "loud")
    assert [one.name for one in checked.checks("loud")] == ["greeting"]
    report = checked.check_report("loud")
    assert report is not None and (report.alias, report.stale) == ("loud", ())
    checked.edit("loud", shout(alias="louder"))
    assert checked.run_checks("louder").ok


def test_a_backup_holds_checks_and_their_reports(checked: hfreg.Registry, home: Path, tmp_path: Path) -> None:
    report = checked.run_checks("shout")
    backup(home, tmp_path / "all.zip")
    restore(tmp_path / "all.zip", tmp_path / "other")
    assert hfreg.open(tmp_path / "other").check_report("shout") == report
    restore(tmp_path / "all.zip", tmp_path / "other", overwrite=True)
    assert len(list((tmp_path / "other").glob("replaced-*/checks/shout.json"))) == 1


def test_the_command_ends_with_0_when_all_are_right(
    checked: hfreg.Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["checks", "shout"]) == 0
    assert capsys.readouterr().out.splitlines() == ["ok    greeting", "shout version 1: 1 of 1 checks are right"]
    hfreg.open().add_check("shout", {"text": "hi"}, "hi", name="quiet")
    assert main(["checks", "shout"]) == 1
    assert 'FAIL  quiet: expected "hi", got "HI!"' in capsys.readouterr().out
    assert main(["checks", "shout", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    assert main(["checks", "shout", "--list"]) == 0
    assert 'quiet: expects "hi"' in capsys.readouterr().out


def test_a_check_is_edited_in_its_place_and_its_name_stays_its_own(checked: hfreg.Registry) -> None:
    checked.add_check("shout", {"text": "a"}, "A!", name="second")
    checked.edit_check("shout", "greeting", {"text": "hi", "mark": "?"}, "HI?", new_name="question")
    assert [one.name for one in checked.checks("shout")] == ["question", "second"] and checked.run_checks("shout").ok
    with pytest.raises(CheckError, match="has a check `second` already"):
        checked.edit_check("shout", "question", {"text": "hi"}, "HI!", new_name="second")
    with pytest.raises(CheckError, match="has no check `greeting`"):
        checked.edit_check("shout", "greeting", {"text": "hi"}, "HI!")
    with pytest.raises(ArgumentError, match="loud"):
        checked.edit_check("shout", "question", {"loud": "hi"}, "HI!")


def test_a_check_that_was_deleted_and_restored_leaves_the_report_as_good_as_it_was(checked: hfreg.Registry) -> None:
    checked.add_check("shout", {"text": "a"}, "A!", name="second")
    checked.run_checks("shout")
    gone = checked.delete_check("shout", "greeting")
    report = checked.check_report("shout")
    assert report is not None and report.stale == ("the checks changed",)
    checked.restore_check("shout", gone)
    report = checked.check_report("shout")
    assert report is not None and report.stale == ()


def test_progress_is_told_before_each_check_and_what_it_raises_ends_the_run(checked: hfreg.Registry) -> None:
    told: list[tuple[int, int]] = []
    checked.run_checks("shout", progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 1), (1, 1)]
    before = checked.check_report("shout")

    def stop(done: int, of: int) -> None:
        raise CheckError("enough")

    with pytest.raises(CheckError, match="enough"):
        checked.run_checks("shout", progress=stop)
    assert checked.check_report("shout") == before
