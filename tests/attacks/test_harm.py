"""A model that hangs, crashes, floods, bloats or forges harms itself alone, and answers again afterwards.

Some of every family in `make test`, all of it in `make soak`. A bystander is called all the while. Times depend on how
busy the machine is: they are printed, and held to bounds that only a fault would break.
"""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from tests.attacks.catalogue import HARM, KINDS, QUICK
from tests.attacks.conftest import WITHOUT_RIGHTS, Driven

MOST_GROWTH_MB = 32
SOAK = [pytest.param(kind, marks=pytest.mark.soak) for kind in KINDS]


@pytest.fixture(scope="module", params=["", *SOAK], ids=lambda kind: kind or "some")
def found(request: pytest.FixtureRequest, driven: Driven) -> dict[str, Any]:
    return driven("harm", WITHOUT_RIGHTS, ATTACK_ONLY=f"{request.param}: " if request.param else "")


def test_at_least_forty_are_done_in_every_run() -> None:
    assert len(QUICK) >= 40
    assert len(HARM) >= 200


def test_every_harm_ends_as_it_should(found: dict[str, Any]) -> None:
    for name, result in found["results"].items():
        harm = HARM[name]
        assert result["first"] == "won", f"{name} gave no sign of life before: {result}"
        assert result["end"] in harm.ends, f"{name}: {result}"
        assert harm.says in result["said"], f"{name}: {result}"


def test_the_model_answers_again(found: dict[str, Any]) -> None:
    for name, result in found["results"].items():
        first, second = result["after"]
        assert first in HARM[name].then, f"{name}: {result}"
        assert second in HARM[name].later, f"{name}: {result}"


def test_no_process_is_left(found: dict[str, Any]) -> None:
    assert {name: result["left"] for name, result in found["results"].items() if result["left"]} == {}
    assert found["after"]["workers"] == found["before"]["workers"] == 1


def test_no_folder_thread_or_descriptor_is_left(found: dict[str, Any]) -> None:
    before, after = found["before"], found["after"]
    assert {name: after[name] for name in ("scratch", "views", "threads")} == {
        name: before[name] for name in ("scratch", "views", "threads")
    }
    assert after["descriptors"] - before["descriptors"] < 8, "some are made once; one for each harm would be many more"


def test_a_bystander_answers_all_the_while(found: dict[str, Any]) -> None:
    bystander = found["bystander"]
    print({name: value for name, value in bystander.items() if name != "failures"})
    assert bystander["failures"] == []
    assert found["survived"], "it never had to be started again"
    assert bystander["calls"] > len(found["results"])
    assert bystander["p99_ms"] < 2000


def test_the_app_does_not_grow(found: dict[str, Any]) -> None:
    sizes = [result["rss_mb"] for result in found["results"].values()]
    print(f"from {sizes[0]:.0f} to {sizes[-1]:.0f} MiB, at most {max(sizes):.0f}")
    assert sizes[-1] - sizes[0] < MOST_GROWTH_MB


def test_time_limits_are_kept(found: dict[str, Any]) -> None:
    late = [r["late_s"] for name, r in found["results"].items() if r["late_s"] and "loading" not in name]
    again = [r["again_s"] for r in found["results"].values()]
    if late:
        print(f"late by {1e3 * statistics.median(late):.0f} ms, at most {1e3 * max(late):.0f}", end="; ")
        assert statistics.median(late) < 0.5
    print(f"again after {1e3 * statistics.median(again):.0f} ms, at most {1e3 * max(again):.0f}")
    assert statistics.median(again) < 2
