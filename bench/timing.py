"""Times of two or more ways to do a thing, taken in turns in one run, so that a busy machine slows all of them alike.

    ours, theirs = in_turns(200, model_call, pipeline_call)
    milliseconds(ours) - milliseconds(theirs)

Covers interleaving, warming up and medians. What is measured, and how many times, is the matter of each script.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def in_turns(rounds: int, *actions: Callable[[], Any], warm_up: int = 3) -> list[list[float]]:
    """Return the seconds of each action in each round; who goes first changes from round to round."""
    times: list[list[float]] = [[] for _ in actions]
    turns = list(zip(actions, times, strict=True))
    for number in range(warm_up + rounds):
        for action, kept in turns if number % 2 else reversed(turns):
            began = time.perf_counter()
            action()
            took = time.perf_counter() - began
            if number >= warm_up:
                kept.append(took)
    return times


def milliseconds(times: list[float], share: float = 0.5) -> float:
    """Return a percentile of seconds, in milliseconds."""
    if share == 0.5:
        return statistics.median(times) * 1e3
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3
