"""Figures: evaluations and comparisons as lines of text, for terminals."""

from __future__ import annotations

from hfreg.metrics.bootstrap import Estimate
from hfreg.metrics.comparison import McNemar, Pair
from hfreg.metrics.evaluation import MAIN, Evaluation
from hfreg.metrics.run_comparison import RunComparison

SHOWN = 20


def estimate(one: Estimate, sign: str = "") -> str:
    """Return a metric with its interval, `0.912 [0.874, 0.945]`.

    >>> estimate(Estimate(0.5, 0.25, 1.0)), estimate(Estimate(None)), estimate(Estimate(0.5), "+")
    ('0.500 [0.250, 1.000]', 'not defined', '+0.500')
    """
    if one.value is None:
        return "not defined"
    value = f"{one.value:{sign}.3f}"
    return value if one.low is None or one.high is None else f"{value} [{one.low:{sign}.3f}, {one.high:{sign}.3f}]"


def of_evaluation(found: Evaluation) -> list[str]:
    """Return an evaluation as lines."""
    lines = [f"{found.kind}: {found.measured:,} of {found.rows:,} rows have a truth"]
    width = max((len(name) for name in found.metrics), default=0)
    lines += [f"  {name:<{width}}  {estimate(one)}" for name, one in found.metrics.items()]
    for one in found.slices:
        told = ", ".join(f"{name} {estimate(one.metrics[name])}" for name in MAIN[found.kind] if name in one.metrics)
        lines.append(f"  {one.column} = {one.value}: {one.rows:,} rows, {one.failed:,} failed, {told}")
    took = found.latency
    if took.p50 is not None:
        lines.append(f"  latency: p50 {took.p50:.1f} ms, p95 {took.p95:.1f} ms, p99 {took.p99:.1f} ms")
    return lines + [f"note: {note}" for note in found.notes]


def of_comparison(made: RunComparison) -> list[str]:
    """Return a comparison as lines: what each run is worth, each challenger against the champion, rows apart."""
    lines, found = [f"{made.title}, truth in {made.asked.truth}"], made.found
    for run, one in zip(made.runs, found.evaluations, strict=True):
        told = ", ".join(f"{name} {estimate(one.metrics[name])}" for name in MAIN[one.kind] if name in one.metrics)
        p50 = "" if one.latency.p50 is None else f", p50 {one.latency.p50:.1f} ms"
        lines.append(f"{run.name}: {told}{p50}")
    for pair in found.pairs:
        lines += of_pair(pair)
    lines.append(f"{found.disagreeing:,} rows were not answered alike")
    for apart, inputs in list(made.apart())[:SHOWN]:
        given = "; ".join(f"{name}={value[:60]}" for name, value in inputs.items() if name != made.asked.truth)
        lines.append(
            f"  row {apart.row + 1}: truth {apart.expected}, answers {', '.join(map(str, apart.answers))} ({given})"
        )
    rest = found.disagreeing - SHOWN
    notes = [f"note: {note}" for note in dict.fromkeys(n for one in found.evaluations for n in one.notes)]
    return lines + ([f"  … and {rest:,} more"] if rest > 0 else []) + notes


def of_pair(pair: Pair) -> list[str]:
    """Return a challenger against the champion as lines."""
    told = ", ".join(f"{name} {estimate(one, '+')}" for name, one in pair.differences.items())
    lines = [f"{pair.challenger} less {pair.champion}: {told}"]
    return lines + ([f"  {mcnemar(pair.test)}"] if pair.test is not None else [])


def mcnemar(test: McNemar) -> str:
    """Return McNemar's test in a line."""
    return (
        f"right alone: champion {test.only_champion:,}, challenger {test.only_challenger:,}; "
        f"McNemar p = {test.p:.3g}{' (exact)' if test.exact else ''}"
    )
