"""Forks: a registry that a forked process inherited works there, without the threads of its parent."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

import hfreg

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
DEADLINE_S = 20.0


def in_child(work: Callable[[], str]) -> str:
    """Fork, do the work in the child and return what it says; a child that hangs is ended and says so."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, work().encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.close(writer)
    ends = time.monotonic() + DEADLINE_S
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "it hangs"
        time.sleep(0.01)
    with os.fdopen(reader) as said:
        return said.read()


def counter() -> hfreg.Definition:
    source = "cache['calls'] = cache.get('calls', 0) + 1\nreturn text + str(cache['calls'])"
    return hfreg.Definition(alias="count", arguments=[hfreg.Argument("text", "String")], scoring_logic=source)


def test_a_model_used_before_a_fork_answers_in_the_child_and_in_the_parent(registry: hfreg.Registry) -> None:
    registry.register(counter())
    model = registry.model("count")
    assert [model("a"), model("a")] == ["a1", "a2"]
    assert in_child(lambda: model("child ") + hfreg.open().model("count")("child ")) == "child 1child 2"
    assert model("a") == "a3"


def test_each_side_of_a_fork_logs_its_own_calls_once(registry: hfreg.Registry) -> None:
    registry.register(counter())
    model = registry.model("count")
    for _ in range(20):
        model("a")

    def work() -> str:
        for _ in range(20):
            model("b")
        registry.close()
        return "closed"

    assert in_child(work) == "closed"
    for _ in range(20):
        model("a")
    assert registry.events.flush()
    ids = [call.id for call in registry.events.calls()]
    assert len(ids) == len(set(ids)) == 60


def test_a_child_can_register_while_a_thread_of_the_parent_writes(registry: hfreg.Registry) -> None:
    registry.register(counter())
    with registry.definitions.storage._reload, registry._making, hfreg._opening:  # as another thread may hold them
        said = in_child(lambda: hfreg.open().register(counter().model_copy(update={"alias": "other"})).alias)
    assert said == "other"
    assert "other" in [version.alias for version in registry.catalog()]
