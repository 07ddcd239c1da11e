"""Flooring: the part of a Registry that keeps floors under the metrics of models, and sees whether they are reached.

A floor is made of a simulation whose table has a column of truth: the table is copied, so that it runs again whatever
becomes of the first one. Such a run is one record in the log, with the source `check`; its rows are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfreg.errors import CheckError, EvaluationError, HfregError, did_you_mean
from hfreg.simulating import Simulating
from hfreg.store import CHECKS
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.checks import CheckResult
    from hfreg.floors import Floor
    from hfreg.metrics.evaluation import Evaluation
    from hfreg.simulation import Plan, Result
    from hfreg.simulation.joining import Joined
    from hfreg.store.checks import Checks

SOURCE = "check"
POLL_S = 0.05
MOST_BYTES = 50_000_000
Tell = Callable[[], None]


class Flooring(Simulating):
    """Holds the answers to whole tables to what is expected of them."""

    def add_floor(
        self,
        simulation: str,
        truth: str,
        metric: str,
        at_least: float | None = None,
        *,
        at_most: float | None = None,
        name: str = "",
        field: str = "",
        score: str = "",
        positive: str = "",
        author: str | None = None,
    ) -> Floor:
        """Keep what a metric of a model has to be over the table of a simulation; its table is copied. Runs nothing.

        Without `field` (what is compared with the truth) and `score`, both are guessed. Raises EvaluationError naming
        the metrics there are, CheckError for a name that is taken or a table that is too large or another one now.
        """
        from hfreg.floors import Floor
        from hfreg.simulation.joining import join

        found = self.simulation(simulation)
        plan, joined = found.plan, join(found, truth, field, score)
        field, score = joined.field, joined.score
        _require(metric, self._measured(joined, positive))
        what = {"truth": truth, "field": field, "score": score, "positive": positive, "metric": metric}
        name, author = name or self._free_floor(plan.alias, metric), author or self.user
        now, ends = datetime.now(UTC), {"at_least": at_least, "at_most": at_most}
        floor = Floor(**{**_of(plan), **what, **ends, "name": name, "created_at": now, "author": author})
        floor = floor.model_copy(update={"file": self._kept_table(plan)})
        self._checks.add_floor(plan.alias, floor)
        return floor

    def floors(self, alias: str) -> list[Floor]:
        """List the floors of a model, in the order in which they were added."""
        self._find(alias, None)
        return self._checks.floors(alias)

    def delete_floor(self, alias: str, name: str) -> Floor:
        """Delete a floor and return it; its table stays. Raises CheckError when there is none of that name."""
        self._find(alias, None)
        return self._checks.delete_floor(alias, name)

    def restore_floor(self, alias: str, floor: Floor) -> None:
        """Bring back a floor that `delete_floor` gave; raises CheckError when its name was given to another since."""
        self._find(alias, None)
        self._checks.add_floor(alias, floor)

    # Inside

    @cached_property
    def _checks(self) -> Checks:
        from hfreg.store.checks import Checks

        with self._making:
            made: Checks = self.__dict__.setdefault("_checks", Checks(self.settings.home / CHECKS))
            return made

    def _kept_table(self, plan: Plan) -> str:
        """Copy the table of a plan, and return where it is below the folder of the checks."""
        from hfreg.simulation.uploads import keep
        from hfreg.tables import unchanged

        if not unchanged(plan.table):
            raise CheckError(f"{plan.table.path} is not what it was when it ran, so it cannot be kept.")
        if plan.table.size > MOST_BYTES:
            raise CheckError(f"{plan.name} has {plan.table.size:,} bytes; a floor keeps at most {MOST_BYTES:,}.")
        folder = self.settings.home / CHECKS
        with Path(plan.table.path).open("rb") as stream:
            kept = keep(folder, f"table{Path(plan.name).suffix.lower()}", stream)
        return kept.relative_to(folder).as_posix()

    def _reached(self, version: Version, floor: Floor, user: str | None, tell: Tell) -> CheckResult:
        """Run the table of a floor and say whether it is reached."""
        from hfreg.checks import CheckResult
        from hfreg.simulation.joining import join_rows

        mapping = {column: name for name, column in floor.columns.items()}
        began = datetime.now(UTC)
        try:
            table = self.settings.home / CHECKS / floor.file
            plan = self.plan(
                version, table, mapping, floor.constants, floor.limit, floor.every, dry=True, user=user, guess=False
            )
        except HfregError as error:
            return CheckResult(name=floor.name, ok=False, message=f"expected {floor.wanted}, got an error: {error}")
        rows = self._rows_of(replace(plan, source=SOURCE), tell)
        try:
            joined = join_rows(rows, plan, floor.truth, floor.field, floor.score)
            metrics = self._measured(joined, floor.positive).metrics
            found = metrics.get(floor.metric)
            message = floor.problem(*((None, None, None) if found is None else (found.value, found.low, found.high)))
        except HfregError as error:
            message = f"expected {floor.wanted}, but it cannot be measured: {error}"
        took = (datetime.now(UTC) - began).total_seconds() * 1e3
        return CheckResult(name=floor.name, ok=not message, message=message, milliseconds=round(took, 3))

    def _rows_of(self, plan: Plan, tell: Tell) -> list[Result]:
        """Run a dry plan and return its rows; nothing of it is kept. What `tell` raises while it runs ends it."""
        begun = self._simulations.start(plan)
        try:
            while begun.running:
                tell()
                begun.wait(POLL_S)
            if begun.state != "done":
                raise EvaluationError(f"The run over {plan.name} is {begun.state}. {begun.progress.reason}".strip())
            return list(begun.results())
        finally:
            with suppress(HfregError, OSError):
                if begun.running:
                    begun.cancel()
                    begun.wait()
                self.delete_simulation(begun.id)

    def _measured(self, joined: Joined, positive: str) -> Evaluation:
        from hfreg.metrics.evaluation import Options, evaluate

        return evaluate(joined.rows, Options(positive=positive))

    def _free_floor(self, alias: str, metric: str) -> str:
        taken = self._checks.names(alias)
        named = [metric, *(f"{metric} {number}" for number in range(2, len(taken) + 3))]
        return next(name for name in named if name not in taken)


def _of(plan: Plan) -> dict[str, Any]:
    """Return what a floor takes over from a simulation."""
    parts = {"columns": dict(plan.columns), "constants": dict(plan.constants), "limit": plan.limit, "every": plan.every}
    return {"table": plan.name, "file": "", **parts}


def _require(metric: str, evaluation: Evaluation) -> None:
    if metric not in evaluation.metrics:
        known = list(evaluation.metrics)
        near = did_you_mean(metric, known)
        raise EvaluationError(f"There is no metric `{metric}`.{near} There is {', '.join(known)}.")
