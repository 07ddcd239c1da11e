"""Settings: what makes two of them the same, and what they never show."""

from __future__ import annotations

from pathlib import Path

import pytest

import hfreg
from hfreg.settings import Settings


def test_the_password_of_the_database_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql://hfreg:of-the-database@db.example/calls"
    settings = Settings.from_environment(tmp_path, {"HFREG_DATABASE_URL": url})
    assert settings.database_url == url
    assert "of-the-database" not in f"{settings} {settings!r}"


def test_one_home_is_one_registry_however_it_was_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_variable = hfreg.open()
    assert hfreg.open(home) is by_variable
    monkeypatch.delenv("HFREG_HOME")
    monkeypatch.chdir(home.parent)
    assert hfreg.open("home") is by_variable
    assert hfreg.open() is not by_variable  # ./data
