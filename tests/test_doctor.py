"""Doctor: each part is looked at by itself, changes nothing, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback_hub import LoopbackHub

import hfreg
from hfreg import doctor
from hfreg.store.events import Call, new_call_id, utc_now

TOKEN = "hf_" + "e5F6" * 8


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def examined() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(hfreg.open())}


def test_a_fresh_installation_is_well_and_nothing_is_made_by_looking(home: Path) -> None:
    found = examined()
    assert [check for check in found.values() if not check.ok] == []
    assert list(found) == ["home", "definitions", "call log", "token", "hub", "engine", "packages"]
    assert "made when something is first saved" in found["home"].finding
    assert "no calls yet" in found["call log"].finding
    assert found["token"].finding.startswith("none")
    assert "not confined" in found["engine"].finding
    assert "torch 2." in found["packages"].finding
    hfreg.open().close()
    assert not home.exists()


def test_what_a_home_holds_is_counted(registry: hfreg.Registry, home: Path) -> None:
    registry.register(hfreg.Definition(alias="one", scoring_logic="return 1"))
    registry.model("one")()
    registry.events.flush()
    before = {path.name for path in home.iterdir()}
    found = examined()
    assert found["home"].finding == f"{home} (HFREG_HOME), writable"
    assert found["definitions"].finding == "1 model"
    assert found["call log"].finding == f"1 call in {home / 'events.sqlite'}"
    assert {path.name for path in home.iterdir()} == before


def test_a_call_that_is_not_written_yet_counts(registry: hfreg.Registry) -> None:
    registry.events.record(Call(new_call_id(), utc_now(), "one", 1, "Draft", "python", "sam", "ok"))
    assert doctor._log(registry)[1].startswith("1 call in")  # at once: the file is made a moment later


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write, such as /proc")
def test_a_home_that_cannot_be_written_is_found() -> None:
    found = doctor.examine(hfreg.open("/proc/hfreg"))[0]
    assert not found.ok
    assert found.finding.startswith("/proc/hfreg (argument): nothing can be written in /proc (")
    assert "HFREG_HOME" in found.finding


def test_a_home_under_a_file_is_found(home: Path) -> None:
    home.write_text("in the way")
    found = examined()["home"]
    assert not found.ok
    assert str(home) in found.finding


def test_definitions_that_cannot_be_read_are_found_and_the_rest_is_looked_at(home: Path) -> None:
    home.mkdir()
    (home / "definitions.json").write_text("not ours")
    found = examined()
    assert not found["definitions"].ok
    assert "definitions.json" in found["definitions"].finding
    assert [check.name for check in found.values() if not check.ok] == ["definitions"]
    assert (home / "definitions.json").read_text() == "not ours"


def test_a_call_log_that_cannot_be_read_is_found(home: Path) -> None:
    home.mkdir()
    (home / "events.sqlite").write_text("not a database, and long enough for SQLite to look at it" * 50)
    found = examined()
    assert [check.name for check in found.values() if not check.ok] == ["call log"]
    assert "events.sqlite" in found["call log"].finding


def test_the_token_is_named_by_its_end_and_its_source(registry: hfreg.Registry) -> None:
    registry.save_token(TOKEN)
    found = examined()
    assert found["token"].finding == f"hf_…{TOKEN[-4:]} from saved in Settings"
    assert TOKEN not in str(found)


def test_the_hub_is_asked_when_it_may_be(loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "offline by HF_HUB_OFFLINE" in examined()["hub"].finding
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hfreg.open().save_token(TOKEN)
    found = examined()["hub"]
    assert not found.ok
    assert TOKEN not in found.finding
    loopback_hub.add_token(TOKEN, name="ada")
    assert "Signed in as ada" in examined()["hub"].finding


def test_the_layers_that_confine_a_model_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    monkeypatch.setenv("HFREG_TIMEOUT_S", "5")
    found = examined()["engine"]
    assert found.finding.startswith("confined" if found.ok else "process only")
    assert "5 s a call" in found.finding
    for layer in ("landlock", "seccomp", "rlimits", "no_new_privs", "caps", "dumpable"):
        assert layer in found.finding


def test_a_package_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("torch", "a-package-nobody-made"))
    found = examined()["packages"]
    assert not found.ok
    assert "a-package-nobody-made MISSING" in found.finding
