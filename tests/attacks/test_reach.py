"""Nothing that is not the worker's own can be read, changed, signalled, traced, reached or outlived.

Each attack of the catalogue runs in a confined worker, as a user without rights and as root, and has a control that
runs the same source unconfined, where it succeeds: what is held here is held by the confinement.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from hfreg.engine.isolated import namespaces
from tests.attacks.attack import REFUSALS
from tests.attacks.catalogue import GROUPS, REACH
from tests.attacks.conftest import WITHOUT_RIGHTS, Driven, users


@pytest.fixture(scope="module", params=users())
def found(request: pytest.FixtureRequest, driven: Driven) -> dict[str, Any]:
    return {**driven("reach", request.param), "root": request.param is None and os.getuid() == 0}


@pytest.mark.parametrize("group", GROUPS)
def test_every_attempt_is_held(found: dict[str, Any], group: str) -> None:
    for name, attack in members(group).items():
        result = found["results"][name]
        assert result["end"] in {"nothing", *REFUSALS, *attack.refused}, f"{name}: {result}"


@pytest.mark.parametrize("group", GROUPS)
def test_unconfined_every_attempt_succeeds(found: dict[str, Any], group: str) -> None:
    for name, attack in members(group).items():
        end = found["controls"][name]
        excused = end in attack.ends and (attack.unless or (attack.root and not found["root"]))
        assert end == "won" or excused, f"{name} ended with {end}, though it should win: {attack.wins}"


def test_most_attempts_succeed_unconfined(found: dict[str, Any]) -> None:
    won = [name for name, end in found["controls"].items() if end == "won"]
    assert len(won) > 0.75 * len(REACH) > 200, f"{len(won)} of {len(REACH)}"


def test_they_ran_in_the_confined_tier(found: dict[str, Any]) -> None:
    ended = {"ProcessEnded", "timeout"}
    assert {r["tier"] for r in found["results"].values() if r["end"] not in ended} == {"confined"}


def test_no_file_of_the_app_was_changed(found: dict[str, Any]) -> None:
    assert found["spoiled"] == []


@pytest.mark.soak
def test_every_attempt_is_held_behind_bubblewrap_too(driven: Driven) -> None:
    if not namespaces.wall():
        pytest.skip("bubblewrap is not installed, or may not make namespaces here")
    unseen = ("FileNotFoundError", "ProcessLookupError")  # processes of others have no number there
    for name, result in driven("reach", WITHOUT_RIGHTS, ATTACK_WALL="1")["results"].items():
        assert result["end"] in {"nothing", *REFUSALS, *unseen, *REACH[name].refused}, f"{name}: {result}"


def members(group: str) -> dict[str, Any]:
    return {f"{group}: {name}": attack for name, attack in GROUPS[group].items()}
