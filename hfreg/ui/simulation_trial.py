"""Simulation trial: five rows run dry, to see whether model, columns and answers are as meant.

What came of it stays in the session and not in the home; it is shown while nothing that it depends on was changed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from hfreg.errors import HfregError, SimulationError
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.row_table import table
from hfreg.ui.simulation_mapping import Given
from hfreg.ui.widgets import counted

TRIAL = "simulation.trial"
WAIT_S, EVERY_S = 1.0, 0.5
Asked = tuple[str, int, str, Given]
"""What is tried: alias, version, path of the table, arguments."""


def begin(registry: Registry, asked: Asked, rows: int) -> str:
    """Run the first rows; returns why it could not begin, or nothing."""
    forget(registry)
    alias, number, path, given = asked
    try:
        trial = registry.simulate(
            alias, path, number, given.mapping, given.constants, limit=rows, dry=True, user=session.user(), guess=False
        )
    except (HfregError, OSError) as error:
        return str(error)
    session.put(TRIAL, {"asked": asked, "id": trial.id})
    trial.wait(WAIT_S)
    return ""


def draw(registry: Registry, asked: Asked) -> None:
    """Draw the newest trial, if it is one of what is asked for now."""
    trial: dict[str, Any] | None = session.get(TRIAL)
    if trial is None or trial["asked"] != asked:
        return
    if "rows" not in trial and not _taken(registry, trial):
        _wait(registry, trial)
        return
    st.markdown("**Tried**")
    if trial["reason"]:
        st.error(sentence(trial["reason"]), icon=":material/error:")
    if trial["rows"]:
        failed = sum(row["status"] != "ok" for row in trial["rows"])
        st.caption(f"{counted(len(trial['rows']), 'row')}, {failed} without an answer. Nothing of it was kept.")
        table(trial["rows"], f"{TRIAL}.rows")
    elif not trial["reason"]:
        st.caption("The table has no row.")


def forget(registry: Registry) -> None:
    """Stop and delete a trial that goes on, and forget the newest one."""
    trial = session.get(TRIAL)
    session.drop(TRIAL)
    if trial is None or "rows" in trial:
        return
    with suppress(HfregError, OSError):
        found = registry.simulation(trial["id"])
        if found.running:
            found.cancel()
        found.wait(WAIT_S)
        registry.delete_simulation(found.id)


def _wait(registry: Registry, trial: dict[str, Any]) -> None:
    @st.fragment(run_every=EVERY_S)
    def polled() -> None:
        if _taken(registry, trial):
            st.rerun()
        st.caption(":material/hourglass_top: Trying the first rows …")
        st.button("Stop", key=f"{TRIAL}.stop", on_click=forget, args=(registry,))

    polled()


def _taken(registry: Registry, trial: dict[str, Any]) -> bool:
    """Take what came of a trial that has ended out of the home; says whether it has."""
    try:
        found = registry.simulation(trial["id"])
        if found.running:
            return False
        trial["reason"], trial["rows"] = found.progress.reason, found.find()
        registry.delete_simulation(found.id)
    except SimulationError as error:  # deleted elsewhere
        trial.setdefault("rows", [])
        trial["reason"] = str(error)
    return True
