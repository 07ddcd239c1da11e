"""Simulation: the page that runs tables — a new simulation or an opened one, and the list of all below.

The address says which one is open (`?simulation=<id>`). A simulation belongs to the registry, not to the page: a click
elsewhere or a closed tab stops nothing. Beginning one is in `simulation_setup`, following one in `simulation_run`, what
came of it in `simulation_result`.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import HfregError
from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.ui import frame, session, simulation_run, simulation_setup, truth_form
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import Colour, ago, counted, empty, plain

OPEN, SAID, ALL = "simulation", "simulation.said", "simulation.all"
SHOWN = 20
COLOURS: dict[str, Colour] = {
    "running": "blue",
    "paused": "orange",
    "cancelled": "gray",
    "done": "green",
    "failed": "red",
    "interrupted": "orange",
}


def draw(registry: Registry) -> None:
    """Draw the page."""
    if said := session.get(SAID):
        session.put(SAID, None)
        st.error(sentence(said), icon=":material/error:")
    found = _opened(registry)
    if found is not None:
        _head(found)
        simulation_run.draw(found)
    elif registry.definitions.aliases():
        simulation_setup.draw(registry, open_one)
    else:
        empty("No models yet. Register one, and run a table through it here.")
        st.page_link(frame.REGISTER, label="Register a model", icon=":material/add_circle:")
    _past(registry, found)


def badge(state: str) -> str:
    """Return the state of a simulation as a badge in Markdown."""
    return f":{COLOURS.get(state, 'gray')}-badge[{state}]"


def open_one(simulation_id: str) -> None:
    """Show a simulation; an empty id shows the form for a new one."""
    session.set_param(OPEN, simulation_id or None)
    truth_form.ask(None)  # that was asked of another one


def _opened(registry: Registry) -> Simulation | None:
    session.confirm_param(OPEN)
    if not (asked := session.param(OPEN)):
        return None
    try:
        return registry.simulation(asked)
    except HfregError as error:
        st.warning(sentence(str(error)))
        return None


def _head(simulation: Simulation) -> None:
    plan = simulation.plan
    st.button("New simulation", key="simulation.new", icon=":material/add:", on_click=open_one, args=("",))
    st.subheader(f"{plain(plan.name)} through {plain(plan.alias)}", anchor=False)
    parts = [f"`{name}` from {plain(column)}" for name, column in plan.columns.items()]
    parts += [f"`{name}` = {plain(str(value)[:80])}" for name, value in plan.constants.items()]
    rows = "" if plan.limit is None else f" · the first {counted(plan.limit, 'row')}"
    with st.container(horizontal=True, vertical_alignment="center"):
        params = {"alias": plan.alias, "version": str(plan.version)}
        st.page_link(frame.MODEL, label=f"{plan.alias} version {plan.version}", query_params=params, width="content")
        st.caption(f"{plain(plan.user)} · {ago(plan.created_at)}{rows}")
    st.caption(" · ".join(parts) or "Every argument has its default.")


def _past(registry: Registry, opened: Simulation | None) -> None:
    """Draw the simulations of this home, the newest first."""
    st.subheader("Simulations", anchor=False)
    found = registry.simulations()
    if not found:
        empty("No simulation yet. Choose a model and a table above, and press Run.")
        return
    shown = found if session.get(ALL) else found[:SHOWN]
    for one in shown:
        _row(registry, one, is_open=opened is not None and opened.id == one.id)
    if len(found) > len(shown):
        st.button(f"Show all {len(found):,}", key="simulation.more", on_click=session.put, args=(ALL, True))


def _row(registry: Registry, one: Simulation, *, is_open: bool) -> None:
    plan, now, key = one.plan, one.progress, f"simulation.past.{one.id}"
    total = "" if now.total is None or now.total == now.rows else f" of {now.total:,}"
    failed = f", {now.failed:,} without an answer" if now.failed else ""
    # The list is not drawn again while one runs, so it would tell numbers of before.
    told = "" if now.state == "running" else f"{now.rows:,}{total} rows{failed} · "
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=key):
        st.markdown(f"**{plain(plan.name)}** · {plain(plan.alias)} {plan.version} {badge(now.state)}", width="content")
        st.caption(f"{told}{plain(plan.user)} · {ago(plan.created_at)}", width="stretch")
        st.button(
            "Open",
            key=f"simulation.open.{one.id}",
            disabled=is_open,
            type="tertiary",
            on_click=open_one,
            args=(one.id,),
        )
        with st.popover("Delete", type="tertiary", disabled=now.state == "running", key=f"{key}.delete"):
            st.markdown("Deletes its result, and the table if it was uploaded for it.")
            st.button("Delete it", key=f"simulation.delete.{one.id}", on_click=_delete, args=(registry, one.id))


def _delete(registry: Registry, simulation_id: str) -> None:
    try:
        registry.delete_simulation(simulation_id)
    except (HfregError, OSError) as error:
        session.put(SAID, str(error))
        return
    if session.param(OPEN) == simulation_id:
        open_one("")
