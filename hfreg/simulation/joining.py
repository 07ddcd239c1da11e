"""Joining: the rows of a kept simulation with the truth that their table has, to be evaluated.

The result is read as a stream, in chunks, and only what is measured is held: truth, answer, score, status,
milliseconds and the columns to slice by. Of more than MOST rows, MOST drawn by chance are joined, the same ones of each
simulation of a table. Which field of an answer is compared, and which holds the score, is guessed from the first rows
where it is not named. Computes no metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from hfreg.errors import EvaluationError, did_you_mean
from hfreg.metrics.labelled import Labelled, is_missing
from hfreg.metrics.slices import LENGTH
from hfreg.simulation.decisions import cells, compared, labelled

if TYPE_CHECKING:
    from hfreg.simulation import Plan, Result, Simulation

CHUNK = 5_000
MOST, SEED = 200_000, 20_250_101
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Joined:
    """Rows with their truth; `field` and `score` are what was compared, `drawn` the places of rows drawn of `of`."""

    rows: Labelled
    field: str
    score: str
    of: int
    drawn: Sequence[int] | None = None

    @property
    def note(self) -> str:
        """Say that not all rows were taken; empty where all were."""
        if self.drawn is None:
            return ""
        return f"{len(self.rows):,} of {self.of:,} rows, drawn by chance, were measured; the others are in no figure."

    def place(self, row: int) -> int:
        """Return where a joined row is among all rows."""
        return row if self.drawn is None else self.drawn[row]


def join(
    simulation: Simulation,
    truth: str,
    field: str = "",
    score: str = "",
    slices: Sequence[str] = (),
    told: Told | None = None,
) -> Joined:
    """Return the rows of a simulation with their truth; `told` hears how many of how many are read, and may raise.

    Raises EvaluationError for a column that is not there, a truth without a value, and a simulation without rows.
    """
    plan, total = simulation.plan, simulation.tally.rows
    if not total:
        raise EvaluationError(f"Simulation {simulation.id} has no rows yet, so there is nothing to measure.")
    drawn = draw(total) if total > MOST else None
    rows = simulation.results() if drawn is None else at(simulation, drawn)
    return join_rows(rows, plan, truth, field, score, slices, told, drawn, total)


def join_rows(
    rows: Iterable[Result],
    plan: Plan,
    truth: str,
    field: str = "",
    score: str = "",
    slices: Sequence[str] = (),
    told: Told | None = None,
    drawn: Sequence[int] | None = None,
    total: int = 0,
) -> Joined:
    """Return rows of a plan with their truth, as `join` does those of a simulation."""
    names = [_column(name, plan.inputs, plan.name) for name in slices]
    parts: list[Labelled] = []
    columns: dict[str, list[Any]] = {name: [] for name in names}
    read, expected = 0, total if drawn is None else len(drawn)
    for chunk in _chunks(iter(rows)):
        if not parts:
            field, score = compared(chunk, field, score)
        parts.append(labelled(chunk, plan, truth, field, score))
        for name, values in columns.items():
            values.extend(cells(chunk, plan, name))
        read += len(chunk)
        if told is not None:
            told(min(read, expected), expected)
    if not parts:
        raise EvaluationError(f"The rows of {plan.name} are gone, so there is nothing to measure.")
    whole = Labelled(
        [one for part in parts for one in part.expected],
        [one for part in parts for one in part.predicted],
        [one for part in parts for one in part.status],
        [one for part in parts for one in part.scores],
        [one for part in parts for one in part.milliseconds],
        columns,
    )
    if all(is_missing(value) for value in whole.expected):
        raise EvaluationError(f"The column `{truth}` of {plan.name} is empty: no row has a truth.")
    return Joined(whole, field, score, max(total, len(whole)), drawn)


def draw(total: int) -> list[int]:
    """Draw the places of MOST rows by chance, in order; the same ones of as many rows."""
    import numpy as np

    drawn: list[int] = np.sort(np.random.default_rng(SEED).choice(total, MOST, replace=False)).tolist()
    return drawn


def at(simulation: Simulation, places: Sequence[int]) -> Iterator[Result]:
    """Yield the rows at these places, which rise; the others are passed over unread."""
    wanted = iter(places)
    state = {"next": next(wanted, -1), "line": -1}

    def is_wanted(_: bytes) -> bool:
        state["line"] += 1
        if state["line"] != state["next"]:
            return False
        state["next"] = next(wanted, -1)
        return True

    return simulation.results(is_wanted)


def _chunks(rows: Iterator[Result]) -> Iterator[list[Result]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _column(name: str, known: Sequence[str], table: str) -> str:
    column = name if name in known else name.removeprefix(LENGTH)
    if column not in known:
        raise EvaluationError(f"{table} has no column `{column}` to slice by.{did_you_mean(column, known)}")
    return column
