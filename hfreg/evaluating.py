"""Evaluating: the part of a Registry that holds the answers of kept simulations against a column of truth.

It joins (`hfreg.simulation.joining`), measures (`hfreg.metrics.evaluation`, `hfreg.metrics.comparison`), and keeps an
evaluation as JSON beside its simulation, so that it is not computed twice; a comparison is kept where somebody saves
it. It runs no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hfreg.errors import EvaluationError
from hfreg.store import COMPARISONS
from hfreg.sweeping import Sweeping

if TYPE_CHECKING:
    from hfreg.metrics.comparison import Comparison
    from hfreg.metrics.evaluation import Evaluation, Kind
    from hfreg.metrics.run_comparison import Run, RunComparison
    from hfreg.simulation import Simulation
    from hfreg.simulation.joining import Joined
    from hfreg.store.comparisons import Comparisons

KEPT = "evaluations"
LONGEST_CELL = 500
Told = Callable[[int, int], None]


class Evaluating(Sweeping):
    """Measures simulations that are there, alone and beside each other."""

    def evaluate(
        self,
        simulation: str,
        truth: str,
        *,
        kind: Kind | None = None,
        positive: str = "",
        field: str = "",
        score: str = "",
        slices: Sequence[str] = (),
        progress: Told | None = None,
    ) -> Evaluation:
        """Return how good the answers of a simulation are, held against the column `truth` of its table.

        What is not named is guessed: `kind`, the `field` of the answer that is compared, the one with its `score`, the
        `positive` label. `slices` are columns, or `length of COLUMN`. `progress` hears how many of how many rows were
        read. Raises EvaluationError saying what is missing.
        """
        from pydantic import TypeAdapter

        from hfreg.metrics.evaluation import Evaluation, Options, evaluate
        from hfreg.simulation.joining import join
        from hfreg.store.files import write_atomically

        found = self.simulation(simulation)
        _require_still(found)
        asked = [found.progress.rows, found.state, truth, kind, positive, field, score, list(slices)]
        name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
        file, form = found.folder / KEPT / f"{name}.json", TypeAdapter(Evaluation)
        if file.is_file():
            try:
                return form.validate_json(file.read_bytes())
            except (ValueError, OSError):  # of another form than today's: it is measured again
                pass
        joined = join(found, truth, field, score, slices, progress)
        measured = _noted(evaluate(joined.rows, Options(kind, positive, slices=tuple(slices))), joined)
        try:
            file.parent.mkdir(exist_ok=True)
        except FileNotFoundError:
            raise EvaluationError(f"Simulation {simulation} was deleted meanwhile.") from None
        write_atomically(file, form.dump_json(measured))
        return measured

    def compare(
        self,
        simulations: Sequence[str],
        truth: str,
        *,
        kind: Kind | None = None,
        positive: str = "",
        field: str = "",
        score: str = "",
        progress: Told | None = None,
        author: str | None = None,
    ) -> RunComparison:
        """Return what simulations of one table are worth beside each other, the champion first; nothing is saved.

        `progress` hears how many of how many rows were read. Raises EvaluationError when they are not of the same
        rows, or fewer than two.
        """
        from hfreg.metrics.comparison import compare
        from hfreg.metrics.evaluation import Options
        from hfreg.metrics.run_comparison import Asked, RunComparison

        found = [self.simulation(one) for one in simulations]
        for one in found:
            _require_still(one)
            _require_alike(found[0], one)
        runs = self._runs(found)
        joined = _joined(found, truth, field, score, progress)
        rows = {run.name: one.rows for run, one in zip(runs, joined, strict=True)}
        compared = _in_table(compare(rows, Options(kind, positive)), joined)
        plan = found[0].plan
        return RunComparison(
            id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}{uuid4().hex[:8]}",
            at=datetime.now(UTC),
            author=author or self.user,
            table=plan.name,
            asked=Asked(truth, kind, positive, field, score),
            runs=runs,
            found=compared,
            columns=plan.inputs,
            inputs=_inputs(found[0], [one.row for one in compared.disagreements]),
        )

    def save_comparison(self, comparison: RunComparison) -> None:
        """Save a comparison; one that `delete_comparison` gave comes back so."""
        self._comparisons.keep(comparison)

    def comparisons(self) -> list[RunComparison]:
        """List the saved comparisons, the newest first."""
        return self._comparisons.all()

    def comparison(self, comparison_id: str) -> RunComparison:
        """Return a saved comparison; raises EvaluationError when there is none."""
        return self._comparisons.get(comparison_id)

    def delete_comparison(self, comparison_id: str) -> RunComparison:
        """Delete a saved comparison and return it; the simulations stay. Raises EvaluationError when there is none."""
        return self._comparisons.delete(comparison_id)

    # Inside

    @cached_property
    def _comparisons(self) -> Comparisons:
        from hfreg.store.comparisons import Comparisons

        with self._making:
            made: Comparisons = self.__dict__.setdefault("_comparisons", Comparisons(self.settings.home / COMPARISONS))
            return made

    def _runs(self, found: Sequence[Simulation]) -> tuple[Run, ...]:
        """Describe the simulations; those of one version are told apart by a number."""
        from hfreg.metrics.run_comparison import Run

        memory = {(one.alias, one.version): one.memory_bytes for one in self.loaded(measure=False)}
        names = [f"{one.plan.alias} version {one.plan.version}" for one in found]
        called = [name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names, 1)]
        return tuple(
            Run(
                one.id,
                name,
                one.plan.alias,
                one.plan.version,
                one.plan.created_at,
                one.progress.seconds,
                memory.get((one.plan.alias, one.plan.version)),
            )
            for name, one in zip(called, found, strict=True)
        )


def _joined(found: Sequence[Simulation], truth: str, field: str, score: str, progress: Told | None) -> list[Joined]:
    """Join each simulation; fields that are named are looked for in all, guessed ones in each."""
    from hfreg.simulation.joining import join

    joined: list[Joined] = []
    for place, one in enumerate(found):

        def told(done: int, of: int, before: int = place) -> None:
            if progress is not None:
                progress(before * of + done, len(found) * of)

        joined.append(join(one, truth, field, score, (), told))
    return joined


def _noted(measured: Evaluation, joined: Joined) -> Evaluation:
    return replace(measured, notes=(joined.note, *measured.notes)) if joined.note else measured


def _in_table(compared: Comparison, joined: Sequence[Joined]) -> Comparison:
    """Return a comparison that says which rows were taken, and counts rows as the table does."""
    if not joined[0].note:
        return compared
    return replace(
        compared,
        evaluations=tuple(_noted(e, one) for e, one in zip(compared.evaluations, joined, strict=True)),
        disagreements=tuple(replace(one, row=joined[0].place(one.row)) for one in compared.disagreements),
    )


def _inputs(simulation: Simulation, places: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return what rows were given, as texts of bounded length, in the order of `places`."""
    from hfreg.simulation.joining import at

    rising = sorted(set(places))
    found = dict(zip(rising, at(simulation, rising), strict=False))
    return tuple(tuple(_cell(cell) for cell in found[p].inputs) if p in found else () for p in places)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _require_still(simulation: Simulation) -> None:
    if simulation.running:
        raise EvaluationError(f"Simulation {simulation.id} is running. Wait until it is done, or pause it.")


def _require_alike(champion: Simulation, other: Simulation) -> None:
    """Raise EvaluationError unless both ran the same rows of the same table."""
    first, second = champion.plan, other.plan
    if first.table.sha256 != second.table.sha256:
        raise EvaluationError(
            f"{second.name} of simulation {other.id} is not the table of simulation {champion.id}, or changed between "
            "them. Run both on one table."
        )
    rows, others = champion.progress.rows, other.progress.rows
    if rows != others or first.every != second.every:
        raise EvaluationError(
            f"Simulation {champion.id} has {rows:,} rows and {other.id} has {others:,}, or they took other rows of the "
            "table. Run both with the same `limit` and `every`, to the end."
        )
