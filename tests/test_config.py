"""The server's own settings: what it serves, to whom, and what it shows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit import config

ROOT = Path(__file__).resolve().parent.parent
FILE = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "headless", True),
        ("server", "enableStaticServing", True),
        ("server", "enableAgentApi", False),
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "type"),
        ("client", "showErrorLinks", False),
        ("client", "toolbarMode", "viewer"),
        ("runner", "magicEnabled", False),
    ],
)
def test_the_server_is_set_up_to_keep_to_itself(section: str, option: str, value: object) -> None:
    assert FILE[section][option] == value


def test_every_setting_is_one_that_streamlit_knows() -> None:
    known = set(config.get_config_options(force_reparse=True))
    given = [f"{section}.{option}" for section, options in FILE.items() for option in options if section != "theme"]
    assert [name for name in given if name not in known] == []
