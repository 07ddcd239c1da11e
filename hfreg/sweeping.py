"""Sweeping: the part of a Registry that finds out what other thresholds of a model would have answered, and keeps one.

It reads the rows of a simulation whose table has a column of truth. Whether stored scores tell of other thresholds is
read from the scoring logic (`hfreg.scoring.threshold`) and held against the stored answers; where they do not, the
table runs again at the values that are named. What is where is found by `hfreg.simulation.decisions`, what thresholds
come to is counted by `hfreg.metrics.threshold_sweep`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hfreg.argument import Argument
from hfreg.checking import Checking
from hfreg.definition import Definition
from hfreg.errors import EvaluationError
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.metrics.threshold_sweep import About, ThresholdSweep
    from hfreg.metrics.thresholds import Costs
    from hfreg.simulation import Plan, Result, Simulation
    from hfreg.simulation.decisions import Fields

Told = Callable[[int, int], None]


class Sweeping(Checking):
    """Sweeps thresholds over simulations."""

    def sweep(
        self,
        simulation: str,
        truth: str,
        argument: str = "",
        *,
        positive: str = "",
        score: str = "",
        decision: str = "",
        answer: str = "",
        false_positive: float = 1.0,
        false_negative: float = 1.0,
        values: Sequence[float] = (),
        progress: Told | None = None,
        user: str | None = None,
    ) -> ThresholdSweep:
        """Return what every threshold would have answered, from the stored rows of a simulation.

        `truth` is the column with the truth, `positive` the label that is to be found; `score` and `decision` are
        fields of the answer, `answer` is the decision that flags a row. What is not named is guessed where that can be
        done. With `values` the table runs again at each of them. Raises EvaluationError saying what is missing, or
        why stored scores do not tell.
        """
        from hfreg.metrics.thresholds import Costs
        from hfreg.simulation import decisions

        costs = Costs(false_positive, false_negative)
        found = self.simulation(simulation)
        definition = self._as_simulated(found.plan)
        chosen = decisions.threshold_argument(definition, argument)
        rows = list(_settled(found).results())
        fields = decisions.resolve(rows, found.plan, decisions.Fields(truth, positive, score, decision, answer))
        about = _about(found.plan, definition, chosen, fields)
        if not values:
            return _from_stored(rows, found.plan, definition, about, costs)
        return self._from_runs(found.plan, about, costs, sorted({float(v) for v in values}), progress, user)

    # Inside

    def _as_simulated(self, plan: Plan) -> Definition:
        """Return the definition that a simulation ran, which may have been edited since."""
        from hfreg.simulation.plan import digest

        saved = [self._find(plan.alias, plan.version).definition]
        saved += [one.definition for one in self.definitions.snapshots(plan.alias, plan.version)]
        found = next((one for one in saved if digest(one) == plan.digest), None)
        if found is None:
            raise EvaluationError(f"What {plan.alias} version {plan.version} was when it ran {plan.name} is not kept.")
        return found

    def _threshold_saved_as(self, found: ThresholdSweep, threshold: float, newest: Version) -> Definition:
        """Return the newest definition with that default; raises EvaluationError when it is not what was swept."""
        if newest.definition.code_digest != found.about.code:
            raise EvaluationError(
                f"{newest.alias} version {newest.number} has other code than what was swept. Run the table through it, "
                "and sweep that simulation."
            )
        return with_default(newest.definition, found.about.argument, threshold)

    def _from_runs(
        self, plan: Plan, about: About, costs: Costs, values: Sequence[float], progress: Told | None, user: str | None
    ) -> ThresholdSweep:
        from hfreg.metrics.threshold_sweep import from_runs
        from hfreg.simulation.decisions import cells, flagged, is_label
        from hfreg.tables import unchanged

        if not unchanged(plan.table):
            raise EvaluationError(f"{plan.table.path} is not what it was when it ran, so it cannot run again.")
        runs: dict[float, list[bool | None]] = {}
        truth: list[bool | None] = []
        for value in values:
            rows = self._run_at(plan, about, value, lambda: (progress or _silent)(len(runs), len(values)), user)
            truth = [is_label(cell, about.positive) for cell in cells(rows, plan, about.truth)]
            runs[value] = [flagged(row, about.decision, about.answer) for row in rows]
        (progress or _silent)(len(runs), len(values))
        if len({len(run) for run in runs.values()}) > 1:
            raise EvaluationError("The runs came to different numbers of rows, so they cannot be compared.")
        return from_runs(about, runs, truth, costs, f"The table ran again at {len(values)} values.")

    def _run_at(
        self, plan: Plan, about: About, value: float, tell: Callable[[], None], user: str | None
    ) -> list[Result]:
        """Run the table with one value of the argument, and keep nothing of it."""
        mapping = {column: name for name, column in plan.columns.items() if name != about.argument}
        constants = {**plan.constants, about.argument: int(value) if value.is_integer() else value}
        version = self._find(plan.alias, plan.version)
        self._admit(version)
        again = self.plan(
            version, plan.table.path, mapping, constants, plan.limit, plan.every, dry=True, user=user, guess=False
        )
        return self._rows_of(again, tell)


def with_default(definition: Definition, alias: str, threshold: float) -> Definition:
    """Return a definition in which an argument has another default; raises EvaluationError for a required one."""
    arguments = []
    for one in definition.arguments:
        if one.alias == alias:
            if not one.optional:
                raise EvaluationError(f"`{alias}` is required, so it has no default. Make it optional first.")
            whole = float(threshold).is_integer()
            one = Argument(**{**one.model_dump(), "default": str(int(threshold)) if whole else repr(threshold)})
        arguments.append(one)
    return definition.model_copy(update={"arguments": tuple(arguments)})


def _from_stored(
    rows: Sequence[Result], plan: Plan, definition: Definition, about: About, costs: Costs
) -> ThresholdSweep:
    """Sweep the stored scores; raises EvaluationError with the reason when they do not tell."""
    import numpy as np

    from hfreg.metrics.labelled import number
    from hfreg.metrics.threshold_sweep import NotTold, Scored, from_scores
    from hfreg.scoring.threshold import threshold_use
    from hfreg.simulation.decisions import cells, flagged, is_label

    use = threshold_use(definition.scoring_logic, about.argument, about.score, about.decision)
    known = []
    for row, cell in zip(rows, cells(rows, plan, about.truth), strict=True):
        truth, flag = is_label(cell, about.positive), flagged(row, about.decision, about.answer)
        score = number(row.answer.get(about.score)) if isinstance(row.answer, dict) else None
        if truth is not None and flag is not None and score is not None:
            known.append((truth, score, flag))
    truth_, scores = np.array([k[0] for k in known], dtype=bool), np.array([k[1] for k in known], dtype=np.float64)
    flagged_ = np.array([k[2] for k in known], dtype=bool)
    now = about.now if about.now is not None else float("nan")
    enough = scores > now if use.strict else scores >= now
    follows = bool((flagged_ == enough).all() if use.alone else not (flagged_ & ~enough).any())
    reason = use.reason
    if not reason and about.now is None:
        where = "came from a column" if about.argument in plan.columns else "was None"
        reason = f"`{about.argument}` {where} in this simulation"
    if not reason and not follows:
        reason = f"stored answers are not what `{about.score}` and `{about.argument}` = {about.now:g} make of them"
    if reason:
        raise NotTold(
            f"Stored scores do not tell what other thresholds would have answered: {reason}. "
            "Name `values`, and the table runs again at each."
        )
    scored = Scored(truth_, scores, np.ones_like(flagged_) if use.alone else flagged_, use.strict)
    least = -float("inf") if use.alone else now
    return from_scores(about, scored, len(rows) - len(known), costs, least)


def _about(plan: Plan, definition: Definition, argument: Argument, fields: Fields) -> About:
    from hfreg.metrics.threshold_sweep import About

    now = plan.constants.get(argument.alias, argument.default_value)
    return About(
        alias=plan.alias,
        version=plan.version,
        code=definition.code_digest,
        simulation=plan.id,
        table=plan.name,
        argument=argument.alias,
        now=None if argument.alias in plan.columns or now is None else float(now),
        truth=fields.truth,
        positive=fields.positive,
        score=fields.score,
        decision=fields.decision,
        answer=fields.answer,
    )


def _settled(simulation: Simulation) -> Simulation:
    if simulation.running:
        raise EvaluationError(f"Simulation {simulation.id} is running. Wait for it, or stop it first.")
    return simulation


def _silent(done: int, of: int) -> None:
    """Tell nobody."""
