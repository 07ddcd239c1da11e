"""The token: saved, found, checked, never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hfreg.errors import SettingsError
from hfreg.hub import token
from hfreg.scoring.secrets import masked
from hfreg.settings import TOKEN_VARIABLES, Token

VALUE = "hf_" + "abcdefghij" * 3 + "wxyz"


def test_a_saved_token_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    saved = token.save(tmp_path, f"  {VALUE}\n")
    assert saved.value == VALUE
    assert stat.S_IMODE(token.path(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(token.path(tmp_path).parent.stat().st_mode) == 0o700


def test_the_file_has_mode_0600_from_its_creation_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(self.stat().st_mode))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    token.save(tmp_path, VALUE)
    assert modes == [0o600]
    assert [path.name for path in token.path(tmp_path).parent.iterdir()] == ["huggingface_token"]


def test_a_saved_token_wins_over_the_environment_and_removing_it_gives_the_environment_back(tmp_path: Path) -> None:
    environ = {"HF_TOKEN": "hf_of_the_environment", "HF_HOME": str(tmp_path)}
    token.save(tmp_path, VALUE)
    assert token.find(tmp_path, environ) == Token(VALUE, token.SAVED)
    assert token.remove(tmp_path) is True
    found = token.find(tmp_path, environ)
    assert found and found.value == "hf_of_the_environment" and "HF_TOKEN" in found.source
    assert token.remove(tmp_path) is False
    assert token.find(tmp_path, {"HF_HOME": str(tmp_path)}) is None


@pytest.mark.parametrize("wrong", ["", "   ", "hf_one two", "hf_one\nhf_two", "h" * 201, "hf_ümlaut", "hf_\x00zero"])
def test_a_text_that_is_no_token_is_refused_and_the_saved_one_stays(tmp_path: Path, wrong: str) -> None:
    token.save(tmp_path, VALUE)
    with pytest.raises(SettingsError, match=r"no token.*Nothing was saved") as refused:
        token.save(tmp_path, wrong)
    assert not wrong.strip() or wrong.strip() not in str(refused.value)
    found = token.find(tmp_path, {})
    assert found and found.value == VALUE


def test_scoring_logic_finds_the_token_under_three_names() -> None:
    assert token.environment(Token(VALUE, "x")) == dict.fromkeys(TOKEN_VARIABLES, VALUE)
    assert token.environment(None) == {}


def test_no_repr_shows_a_token_and_masking_takes_it_out_of_a_text() -> None:
    held = Token(VALUE, token.SAVED)
    assert VALUE not in repr(held) and VALUE not in str(held) and held.masked == "hf_…wxyz"
    assert VALUE not in masked(f"curl -H 'Authorization: Bearer {VALUE}'")
    assert masked("hf_AnotherSecret123 leaked") == "hf_… leaked"
    assert masked("is secret-without-form", {"secret-without-form"}) == "is …"
