"""A call as code to copy: it means what the form said."""

from __future__ import annotations

import json
import shlex
from datetime import datetime
from typing import Any

import pytest

from hfreg import Argument, Definition, Registry, Version
from hfreg.cli import main
from hfreg.ui.snippets import cli_call, python_call

NASTY = 'It\'s "quoted" $HOME `id`\nand\\ more — ü'
ARGUMENTS: dict[str, Any] = {
    "text": NASTY,
    "count": 512,
    "strict": True,
    "since": datetime(2026, 3, 1),
    "labels": ["a"],
}


@pytest.fixture
def version(registry: Registry) -> Version:
    return registry.register(
        Definition(
            alias="echo",
            output_type="List",
            arguments=[
                Argument("text"),
                Argument("count", "Numerical"),
                Argument("strict", "Boolean"),
                Argument("since", "DateTime"),
                Argument("labels", "Array[String]"),
            ],
            scoring_logic="return [text, count, strict, since, labels]",
        )
    )


@pytest.mark.parametrize("pinned", [False, True])
def test_the_python_call_runs_with_the_same_values(version: Version, pinned: bool) -> None:
    scope: dict[str, Any] = {}
    exec(python_call(version, ARGUMENTS, pinned=pinned), scope)
    assert scope["result"] == list(ARGUMENTS.values())


@pytest.mark.parametrize("pinned", [False, True])
def test_the_command_runs_with_the_same_values(
    version: Version, pinned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(cli_call(version, {**ARGUMENTS, "since": None}, pinned=pinned))
    assert main([*words[3:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [NASTY, 512, True, None, ["a"]]


def test_a_text_that_begins_with_at_goes_through_a_file(version: Version) -> None:
    command = cli_call(version, {"text": "@someone hello"})
    assert command.splitlines() == [
        "# text.txt holds the value of text",
        "python -m hfreg run echo text=@text.txt",
    ]


def test_a_model_without_arguments_is_called_with_none(registry: Registry) -> None:
    version = registry.register(Definition(alias="bare", scoring_logic="return 1"))
    assert python_call(version, {}).endswith("result = bare()")
