"""How calls are cut follows what the forward passes of a model cost."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from hfreg.scoring.forwards import cuts
from hfreg.scoring.pace import BUDGET, LEAST_SLACK, MOST_SLACK, SLACK, Pace


class Sized(NamedTuple):
    length: int
    rows: int = 1


def groups(count: int, rows: int = 192) -> list[list[Sized]]:
    draw = random.Random(3)
    return [[Sized(max(5, min(512, round(draw.lognormvariate(4, 0.7))))) for _ in range(rows)]
            for _ in range(count)]  # fmt: skip


def run(pace: Pace, given: Sequence[Sequence[Sized]], seconds: Callable[[int], float]) -> list[int]:
    """Cut the groups, let each pass take what its padded tokens cost, and return the padded tokens of the passes."""
    passes: list[int] = []
    for group in given:
        left = 0
        for budget, share in pace.shares(group):
            for cut in cuts(share, budget, pace.slack):  # type: ignore[arg-type]
                sizes: Any = cut
                passes.append(sizes[0].length * len(cut))
                pace.note(sizes, seconds(passes[-1]), budget)
                left += len(cut)
        assert left == len(group), "every call is made once"
    return passes


@pytest.mark.parametrize(
    ("per_pass", "per_token", "slack"), [(0.003, 6e-6, 500), (0.004, 5e-4, LEAST_SLACK), (1.0, 1e-5, MOST_SLACK)]
)
def test_padding_is_taken_as_long_as_a_further_pass_costs_more(per_pass: float, per_token: float, slack: int) -> None:
    pace = Pace()
    run(pace, groups(4), lambda tokens: per_pass + per_token * tokens)
    assert pace.slack == pytest.approx(slack, abs=2)


@pytest.mark.parametrize(
    ("best", "seconds"),
    [
        (512, lambda tokens: tokens * (1 + tokens / 2000) * 1e-5),
        (4096, lambda tokens: 0.02 + 1e-5 * tokens + max(0, tokens - 4096) * 1e-4),
        (2048, lambda tokens: 1e-5 * tokens),
    ],
    ids=["small passes stay in the cache", "passes cost much", "it makes no difference"],
)
def test_the_budget_moves_to_where_the_same_texts_take_least(best: int, seconds: Callable[[int], float]) -> None:
    pace, given = Pace(), [[Sized(128 * (1 + i % 3)) for i in range(192)]] * 20
    run(pace, given, seconds)
    assert pace.budget == best
    assert [budget for budget, _ in pace.shares(given[0])] == [best], "it is settled"


def test_few_short_calls_are_cut_as_they_always_are_and_settle_nothing() -> None:
    pace = Pace()
    run(pace, groups(5, rows=4), lambda tokens: tokens * 1.0)
    assert pace.budget == BUDGET
    assert [(budget, len(share)) for budget, share in pace.shares(groups(1, rows=4)[0])] == [(BUDGET, 4)]
    assert Pace().slack == SLACK
