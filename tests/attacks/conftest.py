"""Fixtures of the attacks: who they run as, and what one driver found."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hfreg.engine.isolated import landlock
from tests.attacks import user

Driven = Callable[..., dict[str, Any]]
LONGEST_S = 600
WITHOUT_RIGHTS = None if os.getuid() else user.NOBODY
"""The user that attacks run as where one run is enough."""


def missing() -> str:
    """Say why no process can be confined here, or nothing."""
    try:
        landlock.abi()
    except Exception as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def driven() -> Iterator[Driven]:
    """Run a part of the driver as a user and return what it found; once for all tests that ask for the same."""
    if why := missing():
        pytest.skip(why)
    found: dict[Any, dict[str, Any]] = {}
    places: list[Path] = []

    def drive(part: str, who: int | None, **variables: str) -> dict[str, Any]:
        key = (part, who, tuple(sorted(variables.items())))
        if key not in found:
            places.append(Path(tempfile.mkdtemp()))  # not tmp_path, which only the user of the tests may enter
            found[key] = run(part, who, places[-1], variables)
        return found[key]

    yield drive
    for place in places:
        shutil.rmtree(place, ignore_errors=True)


def run(part: str, who: int | None, place: Path, variables: dict[str, str]) -> dict[str, Any]:
    place.chmod(0o755)
    if (python := user.python_for(who, place)) is None:
        pytest.skip("the Python of this environment is in a folder that only root may enter, and there is no other")
    folder = user.own_folder(place / "app", who)
    with user.start(python, who, part, folder, **variables) as process:
        said, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, said
    return {**json.loads((folder / "result.json").read_text()), "said": said, "folder": str(folder)}


def users() -> list[Any]:
    """List the users to run as: one without rights, and root where the tests are root's."""
    if os.getuid():
        return [pytest.param(None, id="user")]
    return [pytest.param(user.NOBODY, id="user"), pytest.param(None, id="root")]
