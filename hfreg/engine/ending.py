"""Ending: the Outcomes of rows that did not come to an answer of their own — stopped, out of time, unreadable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hfreg.engine import Outcome, Status, Timings
from hfreg.errors import HfregError, ModelBusy, ScoringCancelled, ScoringError, ScoringTimeout

if TYPE_CHECKING:
    from hfreg.engine.job import Job


def stopped(job: Job, reason: str, started: float, queue_ms: float, printed: str) -> Outcome:
    """Return the Outcome of a row that was interrupted: `timeout` or `cancelled`, `… in C` when it goes on behind."""
    alias, seconds = job.version.alias, time.perf_counter() - started
    behind = reason.endswith("in C")
    rest = " It is inside a call that cannot be interrupted here and ends by itself." if behind else ""
    error: HfregError
    if reason.startswith("timeout"):
        status: Status = "timeout"
        error = ScoringTimeout(f"{alias} took longer than its limit of {job.limit_s:g} s and was stopped.{rest}")
    else:
        status = "cancelled"
        error = ScoringCancelled(f"The call of {alias} was stopped after {seconds:.1f} s.{rest}")
    return _ended(job, error, status, Timings(queue_ms, 0.0, seconds * 1e3, seconds * 1e3 + queue_ms), printed)


def busy(job: Job) -> Outcome:
    """Return the Outcome of a call that found too many others waiting."""
    error = ModelBusy(f"Too many calls wait for {job.version.alias} already. Call it again in a moment.")
    return _ended(job, error, "error", Timings(), "")


def broken(job: Job, problem: BaseException) -> Outcome:
    """Return the Outcome of a row that the platform itself could not run."""
    text = f"{job.version.alias} could not be run: {type(problem).__name__}: {problem}"
    return _ended(job, ScoringError(text, type(problem).__name__), "error", Timings(), "")


def failed(job: Job, problem: BaseException) -> Outcome:
    """Return the Outcome in place of rows that could not be read any further."""
    text = f"The rows for {job.version.alias} could not be read: {type(problem).__name__}: {problem}"
    return _ended(job, ScoringError(text, type(problem).__name__), "error", Timings(), "")


def _ended(job: Job, error: HfregError, status: Status, timings: Timings, printed: str) -> Outcome:
    version = job.version
    return Outcome(
        alias=version.alias,
        version=version.number,
        state=version.state,
        error=error,
        stdout=printed,
        timings=timings,
        tier=job.tier,
        status=status,
    )
