"""Joining: the rows of a kept simulation with the truth that their table has, to be evaluated.

The result is read as a stream, in chunks, and only what is measured is held: truth, answer, score, status,
milliseconds and the columns to slice by. Which field of an answer is compared, and which holds the score, is guessed
from the first rows where it is not named. Computes no metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from hfreg.errors import EvaluationError, did_you_mean
from hfreg.metrics.labelled import Labelled, is_missing
from hfreg.metrics.slices import LENGTH
from hfreg.simulation.decisions import cells, compared, labelled

if TYPE_CHECKING:
    from hfreg.simulation import Result, Simulation

CHUNK = 5_000


def join(
    simulation: Simulation, truth: str, field: str = "", score: str = "", slices: Sequence[str] = ()
) -> tuple[Labelled, str, str]:
    """Return the rows with their truth, and the fields of the answer that were compared and hold the score.

    Raises EvaluationError for a column that is not there, a truth without a value, and a simulation without rows.
    """
    plan, rows = simulation.plan, simulation.results()
    names = [_column(name, plan.inputs, plan.name) for name in slices]
    parts: list[Labelled] = []
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for chunk in _chunks(rows):
        if not parts:
            field, score = compared(chunk, field, score)
        parts.append(labelled(chunk, plan, truth, field, score))
        for name, values in columns.items():
            values.extend(cells(chunk, plan, name))
    if not parts:
        raise EvaluationError(f"Simulation {simulation.id} has no rows yet, so there is nothing to measure.")
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
    return whole, field, score


def _chunks(rows: Iterator[Result]) -> Iterator[list[Result]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _column(name: str, known: Sequence[str], table: str) -> str:
    column = name if name in known else name.removeprefix(LENGTH)
    if column not in known:
        raise EvaluationError(f"{table} has no column `{column}` to slice by.{did_you_mean(column, known)}")
    return column
