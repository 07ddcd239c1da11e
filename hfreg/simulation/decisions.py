"""Decisions: which columns and fields of a simulation hold the truth, the score and what was decided.

What is not named is guessed where that can be done; what cannot be told is an EvaluationError that says what there is.
Needs no model and computes no metric.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import EvaluationError, did_you_mean
from hfreg.metrics.labelled import Labelled, is_missing, label, number
from hfreg.simulation.plan import Plan
from hfreg.simulation.results import Result

SCORES = ("score", "confidence", "probability", "prob", "certainty", "similarity")
TRUTHS = ("truth", "groundtruth", "label", "labels", "target", "class", "expected", "gold", "y", "spam", "category")
DECISIONS = ("flagged", "label", "verdict", "decision", "class", "category", "sentiment", "prediction")


@dataclass(frozen=True, slots=True)
class Fields:
    """Which columns and fields hold what; what is empty is guessed."""

    truth: str
    positive: str = ""
    score: str = ""
    decision: str = ""
    answer: str = ""


def threshold_arguments(definition: Definition) -> list[str]:
    """List the arguments that may be thresholds: the Numerical ones, those called so first."""
    numeric = [a.alias for a in definition.arguments if a.parsed_type.kind == "Numerical"]
    return sorted(numeric, key=lambda name: "thresh" not in name.lower())


def threshold_argument(definition: Definition, name: str = "") -> Argument:
    """Return the argument to sweep; raises EvaluationError when there is none, or which one cannot be told."""
    numeric, alias = threshold_arguments(definition), definition.alias
    if not numeric:
        raise EvaluationError(f"{alias} has no Numerical argument, so it has no threshold to sweep.")
    if name and name not in numeric:
        raise EvaluationError(
            f"{alias} has no Numerical argument `{name}`.{did_you_mean(name, numeric)} It has {_list(numeric)}."
        )
    called_so = [one for one in numeric if "thresh" in one.lower()]
    if not name and len(numeric) > 1 and len(called_so) != 1:
        raise EvaluationError(f"Which argument is the threshold? {alias} has {_list(numeric)}.")
    wanted = name or (called_so or numeric)[0]
    return next(a for a in definition.arguments if a.alias == wanted)


def answer_fields(answers: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Return the fields of answers that may hold a score, and those that may hold a decision, the likeliest first."""
    seen: dict[str, list[Any]] = {}
    for one in answers:
        for key, value in one.items() if isinstance(one, dict) else ():
            if value is not None:
                seen.setdefault(key, []).append(value)
    scores = [key for key, values in seen.items() if all(number(v) is not None for v in values)]
    decisions = [key for key, values in seen.items() if all(isinstance(v, bool | str) for v in values)]
    decisions = [key for key in decisions if key not in scores]
    first_true = {key for key in decisions if any(isinstance(v, bool) for v in seen[key])}
    scores.sort(key=lambda key: _place(key, SCORES))
    return scores, sorted(decisions, key=lambda key: (key not in first_true, _place(key, DECISIONS)))


def resolve(rows: Sequence[Result], plan: Plan, given: Fields) -> Fields:
    """Return what is in which column and field; raises EvaluationError for what cannot be told."""
    require_column(given.truth, plan.inputs, plan.name)
    positive = _positive(cells(rows, plan, given.truth), given)
    answers = [row.answer for row in rows if row.status == "ok" and isinstance(row.answer, dict)]
    scores, decisions = answer_fields(answers)
    score = _one_of(given.score, scores, "score (a number)")
    decision = _one_of(given.decision, decisions, "decision (a switch or a text)")
    answer = _answer([one.get(decision) for one in answers], positive, decision, given.answer)
    return Fields(given.truth, positive, score, decision, answer)


def _positive(cells: Sequence[Any], given: Fields) -> str:
    from hfreg.metrics.curves import guess_positive

    truths = [label(cell) for cell in cells if not is_missing(cell)]
    known = sorted(set(truths))
    if len(known) < 2:
        there = f"every truth is `{known[0][:60]}`" if known else "no row has a truth"
        raise EvaluationError(f"In `{given.truth}` {there}. A threshold takes rows of both kinds.")
    if given.positive:
        found = next((one for one in known if one.casefold() == given.positive.casefold()), None)
        if found is None:
            near = did_you_mean(given.positive, known)
            raise EvaluationError(f"No truth is `{given.positive}`.{near} There is {_list(known)}.")
        return found
    if len(known) > 2:
        raise EvaluationError(f"Which label is to be found? `{given.truth}` has {_list(known)}. Name `positive`.")
    return guess_positive(truths)


def _one_of(given: str, known: Sequence[str], what: str) -> str:
    if given and given not in known:
        has = f"There is {_list(known)}." if known else "There is none."
        raise EvaluationError(f"No field `{given}` of the answers is a {what}.{did_you_mean(given, known)} {has}")
    if not known:
        raise EvaluationError(f"The answers have no field that is a {what}, so there is nothing to sweep.")
    return given or known[0]


def _answer(decided: Sequence[Any], positive: str, decision: str, given: str) -> str:
    """Return the decision that flags a row, as a label."""
    values = [value for value in decided if value is not None]
    known = sorted({label(value) for value in values})
    wanted = given or ("true" if any(isinstance(value, bool) for value in values) else positive)
    found = next((one for one in known if one.casefold() == wanted.casefold()), None)
    if found is None and wanted != "true":
        raise EvaluationError(
            f"No `{decision}` is `{wanted}`; there is {_list(known)}. Name what flags a row: `answer`."
        )
    return found or wanted


def compared(rows: Sequence[Result], field: str = "", score: str = "") -> tuple[str, str]:
    """Return which fields of the answers are compared with a truth, and hold the score; nothing where there is none."""
    answers = [row.answer for row in rows if row.status == "ok" and row.answer is not None]
    if not any(isinstance(one, dict) for one in answers):
        return field, score
    scores, decisions = answer_fields(answers)
    if not field and not (decisions or scores):
        raise EvaluationError("The answers have no field that could be compared with a truth. Name `field`.")
    chosen = field or (decisions or scores)[0]
    return chosen, score or next((one for one in scores if one != chosen), "")


def labelled(rows: Sequence[Result], plan: Plan, truth: str, field: str, score: str) -> Labelled:
    """Return rows with their truth, to be evaluated; raises EvaluationError for a column that is not there."""
    require_column(truth, plan.inputs, plan.name)

    def taken(name: str) -> list[Any]:
        return [row.answer.get(name) if isinstance(row.answer, dict) else row.answer for row in rows]

    return Labelled(
        expected=cells(rows, plan, truth),
        predicted=taken(field),
        status=[row.status for row in rows],
        scores=[number(one) for one in taken(score)] if score else (),
        milliseconds=[row.milliseconds for row in rows],
    )


def cells(rows: Sequence[Result], plan: Plan, column: str) -> list[Any]:
    """Return what the rows have in a column of the table."""
    place = plan.inputs.index(column)
    return [row.inputs[place] if place < len(row.inputs) else None for row in rows]


def is_label(cell: Any, positive: str) -> bool | None:
    """Say whether a cell holds a label, None when it holds nothing."""
    return None if is_missing(cell) else label(cell).casefold() == positive.casefold()


def flagged(row: Result, decision: str, answer: str) -> bool | None:
    """Say whether a row is flagged; None for one without an answer."""
    if row.status != "ok" or not isinstance(row.answer, dict):
        return None
    return bool(is_label(row.answer.get(decision), answer))


def require_column(name: str, columns: Sequence[str], table: str) -> None:
    """Raise EvaluationError unless the table has the column."""
    if name not in columns:
        raise EvaluationError(f"{table} has no column `{name}`.{did_you_mean(name, columns)} It has {_list(columns)}.")


def likely_truth(columns: Sequence[str], mapped: Collection[str]) -> int:
    """Return the place of the column that most likely holds the truth: by its name, else one that no argument takes.

    >>> likely_truth(["text", "Ground truth", "id"], ["text"]), likely_truth(["text", "id"], ["text"])
    (1, 1)
    """
    named = [i for i, name in enumerate(columns) if re.sub(r"[\W_]+", "", name).lower() in TRUTHS]
    free = [i for i, name in enumerate(columns) if name not in mapped]
    return next(iter([i for i in named if i in free] + named + free[::-1]), 0)


def _place(name: str, known: Sequence[str]) -> int:
    return known.index(name.lower()) if name.lower() in known else len(known)


def _list(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(f"`{name[:60]}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
