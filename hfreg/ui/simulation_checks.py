"""Simulation checks: rows of a result that are selected become checks of the model, with the answers they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from hfreg.errors import HfregError
from hfreg.simulation import Simulation
from hfreg.simulation.plan import reader
from hfreg.ui import check_saving, frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import counted

SAID = "simulation.checks.said"


def draw(simulation: Simulation, places: Sequence[int], rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw what makes checks of the selected rows of the table above."""
    chosen = [int(rows[place]["row"]) for place in places if rows[place]["status"] == "ok"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Save {counted(len(chosen), 'row')} as checks" if chosen else "Save as checks",
            key="simulation.checks.save",
            icon=":material/checklist:",
            disabled=not chosen,
            on_click=_save,
            args=(simulation, chosen),
        )
        st.caption(
            "Select rows whose answers are right; the model is held to them. Rows without an answer are left out."
        )
    if said := session.get(SAID):
        session.put(SAID, None)
        done, text = said
        (st.success if done else st.info)(sentence(text))
        params = {"alias": simulation.plan.alias, "tab": "Checks"}
        st.page_link(frame.MODEL, label=f"Checks of {simulation.plan.alias}", query_params=params)


def _save(simulation: Simulation, numbers: Sequence[int]) -> None:
    session.put(SAID, save(simulation, numbers))


def save(simulation: Simulation, numbers: Sequence[int]) -> tuple[bool, str]:
    """Keep rows as checks; return whether any was kept, and a sentence that says how many and why not the others."""
    registry, plan, wanted = session.registry(), simulation.plan, set(numbers)
    kept, refused = 0, ""
    try:
        read = reader(registry.get(plan.alias, plan.version).definition, plan)
        for result in simulation.results():
            if result.number not in wanted:
                continue
            arguments = read(dict(zip(plan.inputs, result.inputs, strict=True)))
            done, text, _ = check_saving.save(registry, plan.alias, arguments, result.answer, session.user())
            kept, refused = kept + done, refused if done else text
            if len(wanted := wanted - {result.number}) == 0:
                break
    except HfregError as error:
        refused = f"No check was saved. {error}"
    left = len(numbers) - kept
    told = f"Saved {counted(kept, 'check')} of {plan.alias}." if kept else ""
    return bool(kept), f"{told} {counted(left, 'row')} not: {refused}".strip() if left else told
