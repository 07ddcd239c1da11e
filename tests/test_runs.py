"""Runs: what a page can ask after, however many calls others made meanwhile, and what one of them may hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import hfreg
from hfreg.engine import Event, Outcome
from hfreg.ui.runs import KEPT, MAX_HELD, LiveRun, Runs


@pytest.fixture
def waiting(registry: hfreg.Registry, tmp_path: Path) -> Iterator[hfreg.Version]:
    """A model that runs until a file is there."""
    go = tmp_path / "go"
    source = "import time\nfrom pathlib import Path\nwhile not Path(text).exists(): time.sleep(0.01)\nreturn text"
    argument = hfreg.Argument("text", "String", optional=True, default=str(go))
    yield registry.register(hfreg.Definition(alias="wait", arguments=[argument], scoring_logic=source))
    go.touch()


def test_a_run_that_goes_on_is_found_after_any_number_of_others(
    registry: hfreg.Registry, waiting: hfreg.Version
) -> None:
    runs = Runs()
    live = runs.start(registry, waiting, {}, "playground", "ada")
    refused = registry.archive(registry.register(waiting.definition.model_copy(update={"alias": "old"})).alias)
    first = runs.start(registry, refused, {}, "playground", "ada")
    for _ in range(KEPT):
        assert runs.start(registry, refused, {}, "playground", "ada").done
    assert not live.done
    assert runs.find(live.id) is live
    assert runs.find(first.id) is None


def test_a_run_holds_the_end_of_what_it_prints_and_streams(waiting: hfreg.Version) -> None:
    live = LiveRun("1", waiting, {}, "playground")
    for number in range(100):
        live.follow(Event("print", {"text": f"{number:03}" + "x" * (MAX_HELD // 10)}))
        live.follow(Event("piece", {"value": f"{number:03}" + "y" * (MAX_HELD // 10)}))
    live.follow(Event("piece", {"value": {"last": 1}}))
    for kept in (live.printed, live.pieces):
        assert sum(len(str(part)) for part in kept) <= 1.2 * MAX_HELD
    assert live.printed[-1].startswith("099")
    assert live.pieces[-1] == {"last": 1}


def test_a_run_that_ended_leaves_what_it_showed_to_its_outcome(waiting: hfreg.Version) -> None:
    live = LiveRun("1", waiting, {}, "playground")
    live.follow(Event("print", {"text": "a"}))
    live.follow(Event("piece", {"value": "b"}))
    live.follow(Event("outcome", {"outcome": Outcome("wait", 1, "Draft", value="b", stdout="a")}))
    assert live.done
    assert (list(live.printed), list(live.pieces)) == ([], [])
