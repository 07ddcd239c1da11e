"""Evaluating: the part of a Registry that holds the answers of kept simulations against a column of truth.

It joins (`hfreg.simulation.joining`), measures (`hfreg.metrics.evaluation`, `hfreg.metrics.comparison`), and keeps an
evaluation as JSON beside its simulation, so that it is not computed twice. It runs no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfreg.errors import EvaluationError
from hfreg.sweeping import Sweeping

if TYPE_CHECKING:
    from hfreg.metrics.comparison import Comparison
    from hfreg.metrics.evaluation import Evaluation, Kind
    from hfreg.simulation import Simulation

KEPT = "evaluations"


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
    ) -> Evaluation:
        """Return how good the answers of a simulation are, held against the column `truth` of its table.

        What is not named is guessed: `kind`, the `field` of the answer that is compared, the one with its `score`, the
        `positive` label. `slices` are columns, or `length of COLUMN`. Raises EvaluationError saying what is missing.
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
        rows, _, _ = join(found, truth, field, score, slices)
        measured = evaluate(rows, Options(kind, positive, slices=tuple(slices)))
        file.parent.mkdir(exist_ok=True)
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
    ) -> Comparison:
        """Return what simulations of one table are worth beside each other, the champion first.

        Raises EvaluationError when they are not of the same rows, or fewer than two.
        """
        from hfreg.metrics.comparison import compare
        from hfreg.metrics.evaluation import Options
        from hfreg.simulation.joining import join

        found = [self.simulation(one) for one in simulations]
        for one in found:
            _require_still(one)
            _require_alike(found[0], one)
        names = [f"{one.plan.alias} version {one.plan.version}" for one in found]
        called = [name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names, 1)]
        runs = {name: join(one, truth, field, score)[0] for name, one in zip(called, found, strict=True)}
        return compare(runs, Options(kind, positive))


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
