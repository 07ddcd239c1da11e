"""Run comparison: what was compared, how, and what came of it, as one record to show, to save and to open again.

Besides the figures of `hfreg.metrics.comparison` it holds which simulations they are of, and the inputs of the rows
that were not answered alike, so that it can be read when those simulations are gone. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hfreg.metrics.comparison import Comparison, Disagreement
from hfreg.metrics.labelled import Kind


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation that was compared; `memory_bytes` is what its model took then, None where it was not loaded."""

    simulation: str
    name: str
    alias: str
    version: int
    begun_at: datetime
    seconds: float
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; what is empty was guessed."""

    truth: str
    kind: Kind | None = None
    positive: str = ""
    field: str = ""
    score: str = ""


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Runs over one table beside each other, the champion first; `inputs` are those of each disagreement found."""

    id: str
    at: datetime
    author: str
    table: str
    asked: Asked
    runs: tuple[Run, ...]
    found: Comparison
    columns: tuple[str, ...]
    inputs: tuple[tuple[str, ...], ...]

    @property
    def title(self) -> str:
        """What is compared, in one line."""
        return f"{' and '.join(run.name for run in self.runs)} on {self.table}"

    def apart(self) -> Iterator[tuple[Disagreement, dict[str, str]]]:
        """Yield the rows that were not answered alike, each with its inputs by column."""
        for one, cells in zip(self.found.disagreements, self.inputs, strict=True):
            yield one, dict(zip(self.columns, cells, strict=False))

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return {**asdict(self), "at": self.at.isoformat(), "runs": [_run(run) for run in self.runs]}


def _run(run: Run) -> dict[str, Any]:
    return {**asdict(run), "begun_at": run.begun_at.isoformat()}
