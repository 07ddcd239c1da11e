"""Pace: how the calls of one model are cut into forward passes, learned from the passes that are made anyway.

Two things differ from model to model. What a pass costs besides its tokens says how much padding is cheaper than one
pass more (`slack`): a line through the seconds of the passes seen. And how many padded tokens a pass should have at
most (`budget`): while that is open, every other call of a group is made with a neighbouring budget, so that both have
the same lengths, and after a few groups the faster one stays. No pass is made for the sake of learning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

BUDGETS = (512, 1024, 2048, 4096, 8192)
"""Padded tokens that a forward pass may have."""
BUDGET = 2048
"""The one to begin with; one call alone may be longer."""
SLACK, LEAST_SLACK, MOST_SLACK = 256, 32, 1024
"""Tokens of padding in one forward pass beyond which a further pass costs less: at first, and within which bounds."""
PASSES = 8
"""Forward passes after which the slack follows what they cost."""
FADE = 0.97
"""What an earlier pass counts beside a later one."""
TRIES, BETTER = 3, 1.05
"""Groups in which two budgets are compared, and how much faster the other has to be."""


class Lengthy(Protocol):
    """A call, as far as its size goes."""

    @property
    def rows(self) -> int:
        """How many texts it has."""

    @property
    def length(self) -> int:
        """Of how many tokens."""


C = TypeVar("C", bound=Lengthy)


class Pace:
    """What was learned of one model; `budget` and `slack` are how its calls are cut now."""

    def __init__(self) -> None:
        self.budget = BUDGET
        self.slack = SLACK
        self._seen = 0
        self._sums = (0.0, 0.0, 0.0, 0.0, 0.0)  # of 1, tokens, seconds, tokens², tokens × seconds
        self._open = [1, -1]  # directions that were not tried: more tokens first
        self._trying = False
        self._tries = 0
        self._spent: dict[int, list[float]] = {}  # budget: tokens, seconds

    def shares(self, calls: Sequence[C]) -> Iterator[tuple[int, list[C]]]:
        """Yield the calls of one group with the budget that each part of them is cut by."""
        other = self._other()
        tokens = sum(call.rows * call.length for call in calls)
        self._trying = other is not None and tokens >= 2 * max(other, self.budget)
        if other is None or not self._trying:
            yield self.budget, list(calls)
            return
        ordered = sorted(calls, key=lambda call: -call.length)
        first, second = (self.budget, other) if self._tries % 2 else (other, self.budget)
        yield first, ordered[::2]
        yield second, ordered[1::2]
        self._tries += 1
        if self._tries >= TRIES:
            self._decide(other)

    def note(self, cut: Sequence[Lengthy], seconds: float, budget: int) -> None:
        """Learn from one forward pass of these calls."""
        self._seen += 1
        if self._seen == 1:  # it makes ready what later ones find
            return
        tokens = sum(call.rows * call.length for call in cut)
        padded = max(call.length for call in cut) * sum(call.rows for call in cut)
        if self._trying:
            spent = self._spent.setdefault(budget, [0.0, 0.0])
            spent[0] += tokens
            spent[1] += seconds
        one = (1.0, padded, seconds, padded * padded, padded * seconds)
        self._sums = tuple(FADE * old + new for old, new in zip(self._sums, one, strict=True))  # type: ignore[assignment]
        if self._seen > PASSES:
            self._follow()

    def _follow(self) -> None:
        """Draw the line through what passes cost; where it meets no tokens is what a pass costs besides them."""
        n, x, y, xx, xy = self._sums
        spread = n * xx - x * x
        if spread <= 1e-6 * n * xx:  # all of one size tell nothing
            return
        per_token = (n * xy - x * y) / spread
        per_pass = (y - per_token * x) / n
        if per_token > 0:
            self.slack = round(min(MOST_SLACK, max(LEAST_SLACK, per_pass / per_token)))

    def _other(self) -> int | None:
        """Return the budget to compare with, if one is left."""
        while self._open:
            place = BUDGETS.index(self.budget) + self._open[0]
            if 0 <= place < len(BUDGETS):
                return BUDGETS[place]
            del self._open[0]
        return None

    def _decide(self, other: int) -> None:
        spent, self._spent, self._tries = self._spent, {}, 0
        if self.budget not in spent or other not in spent:
            return
        mine, theirs = (tokens / max(seconds, 1e-9) for tokens, seconds in (spent[self.budget], spent[other]))
        if theirs > mine * BETTER:
            self.budget = other
            del self._open[1:]  # it got faster this way, so the way back needs no look
        else:
            del self._open[0]
