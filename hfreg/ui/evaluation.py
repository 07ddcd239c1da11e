"""Evaluation: the section of a simulation's result that holds its answers against a column of truth.

What was asked for stands in the address, so that a reload, a bookmark and a link show the same figures. Measuring goes
on in `session.tasks()`; the figures are drawn by `hfreg.ui.evaluation_figures`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.ui import evaluation_figures, session, truth_form
from hfreg.ui.background import Follow, Task
from hfreg.ui.findings import sentence
from hfreg.ui.truth_form import Asked
from hfreg.ui.widgets import counted

NAME = "evaluation"
WAIT_S, EVERY_S = 0.6, 0.5


def draw(registry: Registry, simulation: Simulation) -> None:
    """Draw the section."""
    st.subheader("Evaluation", anchor=False)
    st.caption("How good the answers are, held against a column of the table that holds the truth.")
    with st.container(border=True):
        wanted = truth_form.draw(simulation, NAME)
        st.button(
            "Evaluate",
            key=f"{NAME}.go",
            type="primary",
            icon=":material/rule:",
            on_click=_begin,
            args=(registry, simulation, wanted),
        )
    asked = truth_form.asked()
    if asked is None:
        return
    task = measured(registry, simulation, asked)
    if task.result is not None:
        evaluation_figures.draw(task.result, NAME)
        _take_along(simulation, asked, task.result)
    if dict(asked) != dict(wanted):
        st.caption("The figures are of what was chosen when Evaluate was pressed; press it again for other choices.")


def measured(registry: Registry, simulation: Simulation, asked: Asked) -> Task:
    """Return the task that measures this, begun if it is not there; draws how far it is, and what is wrong."""

    def work(follow: Follow) -> Any:
        return registry.evaluate(simulation.id, **asked, progress=follow)

    return followed(registry, _key(simulation, asked), work, NAME)


def followed(registry: Registry, key: str, work: Callable[[Follow], Any], name: str) -> Task:
    """Return the task of this key, begun if there is none; draws how far it is, and what kept it from a result."""
    tasks = session.tasks()
    task = tasks.find(key)
    if task is None:
        task = tasks.start(key, registry, work)
        task.wait(WAIT_S)
    if not task.ended:
        _progress(task, name)
    elif task.result is None:
        st.warning(sentence(task.problem or "It ended without a result; the log of the server says why."))
        st.button("Try again", key=f"{name}.again", icon=":material/refresh:", on_click=tasks.forget, args=(key,))
    return task


def _progress(task: Task, name: str) -> None:
    @st.fragment(run_every=EVERY_S)
    def polled() -> None:
        if task.ended:
            st.rerun()
        words = f"{task.done:,} of {counted(task.of, 'row')} read" if task.of else "Reading rows …"
        st.progress(task.done / task.of if task.of else 0.0, words if task.done < task.of else "Measuring …")
        st.button("Stop", key=f"{name}.stop", icon=":material/stop:", disabled=task.stopped, on_click=task.stop)

    polled()


def _key(simulation: Simulation, asked: Asked) -> str:
    # Rows and end belong to it: a simulation that was resumed is measured anew.
    return f"{NAME}.{(simulation.id, simulation.tally.rows, str(simulation.ended_at), *asked.items())}"


def _begin(registry: Registry, simulation: Simulation, wanted: Asked) -> None:
    truth_form.ask(wanted)
    session.tasks().forget(_key(simulation, wanted))


def _take_along(simulation: Simulation, asked: Asked, found: Any) -> None:
    """Draw what takes the figures elsewhere: JSON, and the call that makes them again."""
    stem = Path(simulation.plan.name).stem
    st.download_button(
        "Download JSON",
        partial(_json, found),
        f"{stem}.{simulation.plan.alias}.evaluation.json",
        "application/json",
        key=f"{NAME}.json",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("As code"):
        st.code(python_call(simulation.id, asked), language="python")
        st.code(cli_call(simulation.id, asked), language="bash")


def _json(found: Any) -> str:
    return json.dumps(found.as_json(), ensure_ascii=False, indent=1, default=str)


def python_call(simulation: str, asked: Asked) -> str:
    """Return the Python that makes these figures."""
    named = {"slices": list(asked["slices"]), **{name: asked[name] for name in ("kind", "positive", "field", "score")}}
    words = "".join(f",\n    {name}={value!r}" for name, value in named.items() if value)
    return (
        "import hfreg\n\nregistry = hfreg.open()\n"
        f"found = registry.evaluate(\n    {simulation!r},\n    {asked['truth']!r}{words},\n)\nprint(found.metrics)"
    )


def cli_call(simulation: str, asked: Asked) -> str:
    """Return the command that makes these figures."""
    words = ["python", "-m", "hfreg", "evaluate", simulation, "--truth", shlex.quote(asked["truth"])]
    for name in ("kind", "positive", "field", "score"):
        words += [f"--{name}", shlex.quote(asked[name])] if asked[name] else []
    for one in asked["slices"]:
        words += ["--slice", shlex.quote(one)]
    return " ".join(words)
