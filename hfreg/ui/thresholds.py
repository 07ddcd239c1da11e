"""Thresholds: the Threshold studio — which simulation, what is where in it, and the sweep that follows from both.

The address says which simulation (`?simulation=<id>`). A sweep of stored scores is made at once and kept in the
session; one that has to run the table again goes on in `session.tasks()`. Choosing and saving is
`hfreg.ui.threshold_choice`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import streamlit as st

from hfreg.errors import HfregError
from hfreg.metrics.labelled import is_missing, label
from hfreg.metrics.threshold_sweep import NotTold, ThresholdSweep
from hfreg.metrics.thresholds import Costs
from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.simulation.decisions import answer_fields, likely_truth, threshold_arguments
from hfreg.ui import actions, frame, session, threshold_choice
from hfreg.ui.background import Task
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import counted, empty, moment, plain

NAME, OPEN = "thresholds", "simulation"
CHOSEN, VALUES, SWEPT = f"{NAME}.simulation", f"{NAME}.values", f"{NAME}.swept"
LOOKED_AT, MOST_LABELS, MOST_VALUES, EVERY_S = 1_000, 50, 20, 0.5
Given = Mapping[str, Any]
AT_FIRST = "0.1, 0.3, 0.5, 0.7, 0.9"
GUESSED = "As guessed"


def draw(registry: Registry) -> None:
    """Draw the page."""
    session.confirm_param(OPEN)
    found = [one for one in registry.simulations() if one.tally.rows]
    if not found:
        empty("No simulation yet. Run a table that has a column with the truth through a model; then come back here.")
        st.page_link(frame.SIMULATION, label="Run a table", icon=":material/table_rows:")
        return
    actions.notice()
    with st.container(border=True):
        simulation = _simulation(found)
        given = _fields(registry, simulation)
        costs = _costs()
    if given is None:
        return
    swept = _swept(registry, simulation, given, costs)
    if swept is not None:
        threshold_choice.draw(registry, swept)


def _simulation(found: Sequence[Simulation]) -> Simulation:
    """Draw the choice of a simulation, which the address decides."""
    by_id = {one.id: one for one in found}
    asked = session.param(OPEN)
    if asked and asked not in by_id:
        st.warning(sentence(f"There is no simulation `{asked[:60]}` with rows in this home. The newest is shown."))
    session.put(CHOSEN, asked if asked in by_id else found[0].id)
    st.selectbox(
        "Simulation",
        list(by_id),
        key=CHOSEN,
        format_func=lambda one: _name(by_id[one]),
        on_change=lambda: session.set_param(OPEN, session.get(CHOSEN)),
        help="A table that was run through a model, with a column that holds the truth.",
    )
    return by_id[session.get(CHOSEN)]


def _name(simulation: Simulation) -> str:
    plan = simulation.plan
    rows = counted(simulation.tally.rows, "row")
    return f"{plan.name} · {plan.alias} version {plan.version} · {rows} · {moment(plan.created_at)}"


def _fields(registry: Registry, simulation: Simulation) -> Given | None:
    """Draw what is where; returns what `sweep` is to be given, None when the simulation has nothing to sweep."""
    plan, key = simulation.plan, f"{NAME}.{simulation.id}"
    try:
        version = registry.get(plan.alias, plan.version)
    except HfregError as error:
        st.error(sentence(str(error)))
        return None
    arguments = threshold_arguments(version.definition)
    if not arguments:
        st.info(f"{plan.alias} has no Numerical argument, so it has no threshold. Choose another simulation.")
        return None
    first = list(islice(simulation.results(), LOOKED_AT))
    columns = list(plan.inputs)
    one, two, three = st.columns(3)
    truth = one.selectbox(
        "Column with the truth", columns, index=likely_truth(columns, set(plan.columns.values())), key=f"{key}.truth"
    )
    place = columns.index(truth)
    truths = [
        label(row.inputs[place]) for row in first if place < len(row.inputs) and not is_missing(row.inputs[place])
    ]
    known = sorted(set(truths), key=lambda name: (-truths.count(name), name))[:MOST_LABELS]
    positive = two.selectbox("Label to be found", [GUESSED, *known], key=f"{key}.{truth}.positive")
    argument = three.selectbox("Threshold", arguments, key=f"{key}.argument")
    given = {"truth": truth, "positive": "" if positive == GUESSED else positive, "argument": argument}
    scores, decisions = answer_fields(row.answer for row in first)
    return {**given, **_answers(scores, decisions, first, key)}


def _answers(scores: Sequence[str], decisions: Sequence[str], first: Sequence[Any], key: str) -> dict[str, str]:
    """Draw which fields of the answer are meant."""
    if not scores or not decisions:
        return {}
    one, two, three = st.columns(3)
    score = one.selectbox("Score in the answer", scores, key=f"{key}.score")
    decision = two.selectbox("Decision in the answer", decisions, key=f"{key}.decision")
    decided = {label(row.answer[decision]) for row in first if isinstance(row.answer, dict) and decision in row.answer}
    answer = three.selectbox(
        "Decision that flags a row", [GUESSED, *sorted(decided)[:MOST_LABELS]], key=f"{key}.{decision}.answer"
    )
    return {"score": score, "decision": decision, "answer": "" if answer == GUESSED else answer}


def _costs() -> Costs:
    one, two, _ = st.columns(3)
    usual: dict[str, Any] = {"min_value": 0.0, "format": "%g", "persist_state": "session"}
    wrongly = one.number_input("Cost of a false positive", value=1.0, key=f"{NAME}.false_positive", **usual)
    missed = two.number_input("Cost of a false negative", value=1.0, key=f"{NAME}.false_negative", **usual)
    return Costs(wrongly, missed)


def _swept(registry: Registry, simulation: Simulation, given: Given, costs: Costs) -> ThresholdSweep | None:
    """Return the sweep of what is asked for, made once and priced anew; draws why there is none."""
    if simulation.running:
        st.info("This simulation is still running. Its thresholds can be swept once it stands still.")
        return None
    rows = simulation.tally.rows
    asked = (simulation.id, rows, simulation.ended_at, *given.items())
    again, swept = f"{NAME}.{session.user()}.{asked}", session.get(SWEPT, (None, None, None))
    if swept[0] != asked:
        swept = (asked, *_from_stored(registry, simulation, given))
        session.put(SWEPT, swept)
    _, found, problem = swept
    if problem is None:
        return found.with_costs(costs) if found is not None else None
    if not isinstance(problem, NotTold):
        st.warning(sentence(str(problem)), icon=":material/info:")
        return None
    st.info(sentence(str(problem).replace("Name `values`, and the", "The")), icon=":material/info:")
    task = session.tasks().find(again)
    _rerun(registry, simulation, given, again, task)
    return task.result.with_costs(costs) if task is not None and task.result is not None else None


def _from_stored(
    registry: Registry, simulation: Simulation, given: Given
) -> tuple[ThresholdSweep | None, HfregError | None]:
    try:
        return registry.sweep(simulation.id, **given), None
    except HfregError as error:
        return None, error


def _rerun(registry: Registry, simulation: Simulation, given: Given, key: str, task: Task | None) -> None:
    """Draw what runs the table again at a few values, or how far that is."""
    if task is not None and not task.ended:
        _progress(task)
        return
    if task is not None and task.problem and time.time() - task.ended_at < actions.KEPT_S:
        st.warning(sentence(task.problem), icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("Values to run at", AT_FIRST, key=VALUES, width=360)
        values, problem = read_values(typed)
        rows = simulation.tally.rows
        st.button(
            f"Run again: {counted(len(values) * rows, 'call')}" if values else "Run again",
            key=f"{NAME}.rerun",
            icon=":material/play_arrow:",
            disabled=bool(problem),
            on_click=_begin,
            args=(registry, simulation.id, given, key, values),
        )
    if problem:
        st.caption(f":red[{problem}]")


def read_values(typed: str) -> tuple[list[float], str]:
    """Return the numbers of a text with commas or blanks between them, and what is wrong with it.

    >>> read_values("0.5, .25 0.5"), read_values("a")[1]
    (([0.25, 0.5], ''), '`a` is no number.')
    """
    found = set()
    for part in re.split(r"[,;\s]+", typed.strip()):
        try:
            number = float(part)
        except ValueError:
            return [], f"`{plain(part[:20])}` is no number." if part else "Give at least one value."
        if abs(number) == float("inf") or number != number:
            return [], f"`{plain(part)}` is no threshold."
        found.add(number)
    return (sorted(found), "") if len(found) <= MOST_VALUES else ([], f"At most {MOST_VALUES} values.")


def _progress(task: Task) -> None:
    @st.fragment(run_every=EVERY_S)
    def polled() -> None:
        if task.ended:
            st.rerun()
        st.progress(task.done / task.of if task.of else 0.0, f"{task.done} of {counted(task.of, 'value')}")
        st.button("Stop", key=f"{NAME}.stop", icon=":material/stop:", disabled=task.stopped, on_click=task.stop)

    polled()


def _begin(registry: Registry, simulation: str, given: Given, key: str, values: Sequence[float]) -> None:
    user = session.user()

    def work(follow: Any) -> ThresholdSweep:
        return registry.sweep(simulation, **given, values=values, progress=follow, user=user)

    session.tasks().start(key, registry, work).wait(threshold_choice.WAIT_S)
