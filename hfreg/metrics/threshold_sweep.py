"""Threshold sweep: what thresholds of a model come to on rows with a truth, and which one to choose.

From stored scores every threshold is known, from a few runs only those that ran. Rows without a truth, without a score
or without an answer are left out, and counted. Pure: `hfreg.sweeping` reads the rows and runs the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hfreg.errors import EvaluationError
from hfreg.metrics.bootstrap import Estimate
from hfreg.metrics.thresholds import Costs, Point, Sweep, intervals, point, require_both_kinds, sweep, tidy

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST_F1, LOWEST_COST = "best F1", "lowest cost"
MEASURES = {BEST_F1: "F1", LOWEST_COST: "cost"}


class NotTold(EvaluationError):
    """Stored scores do not tell what other thresholds would have answered; the table can run again at a few."""


@dataclass(frozen=True, slots=True)
class About:
    """What was swept: a version's argument over a simulation; `now` is its value there, `code` the digest of its code.

    A row counts as flagged where the answer's field `decision` is `answer`; it should be where the column `truth` is
    `positive`.
    """

    alias: str
    version: int
    code: str
    simulation: str
    table: str
    argument: str
    now: float | None
    truth: str
    positive: str
    score: str
    decision: str
    answer: str


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows as columns: whether each is to be flagged, its score, whether it is flagged where its score suffices."""

    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]
    may: NDArray[np.bool_]
    strict: bool = False

    def flagged(self, threshold: float) -> NDArray[np.bool_]:
        """Return which rows a threshold flags."""
        enough = self.scores > threshold if self.strict else self.scores >= threshold
        found: NDArray[np.bool_] = enough & self.may
        return found


@dataclass(frozen=True, slots=True)
class ThresholdSweep:
    """What the thresholds come to: `sweep` has the points, `choices` those to choose by name.

    `rerun` says that the model ran again at each of few values, and `reason` why. Otherwise all thresholds from
    `least` are known.
    """

    about: About
    costs: Costs
    sweep: Sweep
    choices: Mapping[str, float]
    rerun: bool = False
    reason: str = ""
    least: float = -math.inf
    scored: Scored | None = field(default=None, repr=False, compare=False)

    def at(self, threshold: float) -> Point:
        """Return what a threshold answers; raises EvaluationError for one of which nothing is known."""
        if self.scored is None:
            found = next((one for one in self.sweep.points if one.threshold == threshold), None)
            if found is None:
                known = ", ".join(f"{one.threshold:g}" for one in self.sweep.points)
                raise EvaluationError(f"The model did not run at {threshold:g}, only at {known}.")
            return found
        if not math.isfinite(threshold) or threshold < self.least:
            raise EvaluationError(
                f"The stored answers were made at {self.least:g} and do not tell of {threshold:g}: what is "
                f"below is hidden. Run the table again with `{self.about.argument}` at {threshold:g} or less."
            )
        truth, flagged = self.scored.truth, self.scored.flagged(threshold)
        hits, alarms = int((truth & flagged).sum()), int((~truth & flagged).sum())
        return point(threshold, hits, alarms, int(truth.sum()), len(truth), self.costs)

    def intervals(self, threshold: float) -> dict[str, Estimate]:
        """Return precision, recall, F1 and cost at a threshold with their 95 % intervals."""
        return intervals(self.at(threshold), self.costs)

    def for_recall(self, wanted: float) -> float:
        """Return the highest threshold with at least that recall; raises EvaluationError when none has it."""
        if self.scored is None:
            enough = [one.threshold for one in self.sweep.points if one.recall >= wanted]
            if enough:
                return max(enough)
        else:
            positives = np.sort(self.scored.scores[self.scored.truth & self.scored.may])[::-1]
            needed = max(1, math.ceil(wanted * self.sweep.positives - 1e-9))
            if needed <= len(positives) and positives[needed - 1] >= self.least:
                return _before(self.scored, float(positives[needed - 1]), self.least)
        raise EvaluationError(f"No threshold that is known reaches a recall of {wanted:g}.")

    def with_costs(self, costs: Costs) -> ThresholdSweep:
        """Return the same with other costs of errors."""
        if self.scored is not None:
            return replace(from_scores(self.about, self.scored, self.sweep.left_out, costs, self.least))
        return _of_points(self.about, [_priced(one, costs) for one in self.sweep.points], self, costs)

    def evidence(self, threshold: float, by: str = "") -> str:
        """Say in sentences what speaks for a threshold, as it is kept with a version."""
        about, at, found = self.about, self.at(threshold), self.intervals(threshold)
        figures = ", ".join(f"{name} {_figure(found[name])}" for name in ("precision", "recall", "F1"))
        how = "from runs of the table" if self.rerun else "from stored scores"
        now = "not set" if about.now is None else f"{about.now:g}"
        return (
            f"{about.argument}: {now} → {threshold:g}{f' ({by})' if by else ''}. Swept {how}: simulation "
            f"{about.simulation} of version {about.version} over {about.table}, {self.sweep.rows:,} rows, of which "
            f"{self.sweep.positives:,} are {about.positive} in {about.truth}. {figures}; {at.false_positives:,} false "
            f"positives, {at.false_negatives:,} false negatives, cost {at.cost:g} at {self.costs.false_positive:g} and "
            f"{self.costs.false_negative:g} each."
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but the rows as JSON takes it."""
        from dataclasses import asdict

        least = None if math.isinf(self.least) else self.least
        told = {"rerun": self.rerun, "reason": self.reason, "least": least, "choices": dict(self.choices)}
        return {"about": asdict(self.about), "costs": asdict(self.costs), "sweep": self.sweep.as_json(), **told}


def from_scores(about: About, scored: Scored, left_out: int, costs: Costs, least: float = -math.inf) -> ThresholdSweep:
    """Sweep stored scores from `least` on."""
    never = math.nextafter(max(least, -1e300), -math.inf)
    scores = np.where(scored.may, scored.scores, never)
    found = sweep(scored.truth.tolist(), scores.tolist(), costs.false_positive, costs.false_negative, least)
    found = replace(found, left_out=left_out)
    choices = {name: _before(scored, found.best[measure].threshold, least) for name, measure in MEASURES.items()}
    return ThresholdSweep(about, costs, found, choices, least=least, scored=scored)


def from_runs(
    about: About,
    runs: Mapping[float, Sequence[bool | None]],
    truth: Sequence[bool | None],
    costs: Costs,
    reason: str,
) -> ThresholdSweep:
    """Count what each of few values came to; a row without an answer in any of the runs is left out of all."""
    keep = [i for i, t in enumerate(truth) if t is not None and all(run[i] is not None for run in runs.values())]
    known = [bool(truth[i]) for i in keep]
    require_both_kinds(known)
    y, points = np.array(known), []
    for value in sorted(runs):
        flagged = np.array([bool(runs[value][i]) for i in keep])
        points.append(point(value, int((y & flagged).sum()), int((~y & flagged).sum()), int(y.sum()), len(y), costs))
    counted = Sweep(len(known), sum(known), len(truth) - len(known), tuple(points), {})
    return _of_points(about, points, ThresholdSweep(about, costs, counted, {}, True, reason), costs)


def _of_points(about: About, points: Sequence[Point], of: ThresholdSweep, costs: Costs) -> ThresholdSweep:
    best = {
        "precision": max(points, key=lambda p: (p.precision or 0.0, p.threshold)),
        "recall": max(points, key=lambda p: (p.recall, p.threshold)),
        "F1": max(points, key=lambda p: (p.f1, p.threshold)),
        "cost": max(points, key=lambda p: (-p.cost, p.threshold)),
    }
    choices = {name: best[measure].threshold for name, measure in MEASURES.items()}
    counted = replace(of.sweep, points=tuple(points), best=best)
    return ThresholdSweep(about, costs, counted, choices, True, of.reason)


def _priced(at: Point, costs: Costs) -> Point:
    cost = at.false_positives * costs.false_positive + at.false_negatives * costs.false_negative
    return replace(at, cost=cost)


def _before(scored: Scored, score: float, least: float) -> float:
    """Return a short number that flags the same rows as that score does when it is reached."""
    lower = scored.scores[scored.scores < score]
    below = max(float(lower.max()) if len(lower) else score - 1.0, least)
    found = tidy(below, score) if below < score else score
    return max(below, math.nextafter(score, -math.inf)) if scored.strict and found == score else found


def _figure(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not defined"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
