"""Floors: the part of the Checks tab that lists floors under metrics, adds one from a simulation, and deletes one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hfreg.checks import CheckReport
from hfreg.errors import HfregError
from hfreg.floors import Floor
from hfreg.metrics.evaluation import MAIN
from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.ui import actions, frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import ago, counted, moment, plain

NAME = "floors"
METRICS = [name for names in MAIN.values() for name in names]
SIDES = ("at least", "at most")


def draw_adding(registry: Registry, alias: str) -> None:
    """Draw what makes a floor of a simulation of this model."""
    box = st.popover("Add floor", icon=":material/vertical_align_bottom:", key=f"{NAME}.box", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption("A metric that the answers to a table with the truth must reach; the table is copied.")
        found = [one for one in registry.simulations() if one.plan.alias == alias and one.tally.rows]
        if not found:
            st.info("Run a table that has a column with the truth through this model first.")
            st.page_link(frame.SIMULATION, label="Run a table", query_params={"alias": alias})
            return
        _form(registry, {one.id: one for one in found})


def draw_row(alias: str, floor: Floor, report: CheckReport | None, badge: str, place: int) -> None:
    """Draw a floor, with what came of it when the checks ran."""
    result = None if report is None else next((one for one in report.results if one.name == floor.name), None)
    with st.container(border=True, key=f"{NAME}.row.{place}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{badge} **{plain(floor.name)}**", width="stretch")
            st.button("Delete", key=f"{NAME}.delete.{place}", type="tertiary", on_click=_delete, args=(alias, floor))
        st.markdown(plain(f"{floor.table}, truth in {floor.truth} → {floor.wanted}"))
        if result is not None and result.message:
            st.markdown(f":red[{sentence(result.message)}]")
        st.caption(f"{plain(floor.author)}, {ago(floor.created_at)}")


def _form(registry: Registry, found: dict[str, Simulation]) -> None:
    chosen = st.selectbox(
        "Simulation", list(found), key=f"{NAME}.simulation", format_func=lambda one: _name(found[one])
    )
    columns = list(found[chosen].plan.inputs)
    truth = st.selectbox("Column with the truth", columns, index=len(columns) - 1, key=f"{NAME}.{chosen}.truth")
    usual: dict[str, Any] = {"accept_new_options": True, "help": "Any metric of an evaluation can be typed."}
    metric = st.selectbox("Metric", METRICS, key=f"{NAME}.metric", **usual)
    side = st.segmented_control("Has to be", SIDES, key=f"{NAME}.side", default=SIDES[0], required=True)
    value = st.number_input("Number", value=0.9, step=0.05, format="%g", key=f"{NAME}.value")
    if problem := session.get(f"{NAME}.problem"):
        st.error(sentence(problem), icon=":material/error:")
    args = (registry, chosen, truth, metric, {"at_most" if side == SIDES[1] else "at_least": value})
    st.button("Save floor", key=f"{NAME}.save", type="primary", on_click=_add, args=args)


def _name(simulation: Simulation) -> str:
    plan = simulation.plan
    return f"{plan.name} · version {plan.version} · {counted(simulation.tally.rows, 'row')} · {moment(plan.created_at)}"


def _add(registry: Registry, simulation: str, truth: str, metric: str, end: dict[str, Any]) -> None:
    try:
        made = registry.add_floor(simulation, truth, metric, author=session.user(), **end)
    except (HfregError, OSError) as error:
        session.put(f"{NAME}.problem", str(error))
        return
    session.drop(f"{NAME}.problem")
    session.put(actions.NOTICE, actions.Notice(f"Saved the floor `{made.name}`: {made.wanted}. Run the checks to see."))


def _delete(alias: str, floor: Floor) -> None:
    registry = session.registry()

    def undo() -> str:
        registry.restore_floor(alias, floor)
        return f"`{floor.name}` is back."

    def act() -> actions.Notice:
        registry.delete_floor(alias, floor.name)
        return actions.Notice(f"Deleted the floor `{floor.name}`.", undo=undo)

    actions.attempt(act)
