"""Challenger: running another model or version over the table of a simulation, so that the two can be compared."""

from __future__ import annotations

import streamlit as st

from hfreg.errors import SimulationError
from hfreg.lifecycle import RUNNABLE
from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.tables import unchanged
from hfreg.ui import actions, session
from hfreg.ui.widgets import plain
from hfreg.version import Version

NAME = "comparison.challenger"
EVERY_S = 1.0


def draw(registry: Registry, champion: Simulation) -> None:
    """Draw the choice of what to run over the same rows, and how far such runs are."""
    plan = champion.plan
    box = st.popover("Run a challenger", icon=":material/play_arrow:", key=f"{NAME}.box", on_change="rerun")
    if box.open:
        with box:
            st.caption(
                plain(f"Runs {plan.name} through another model, with the columns of {plan.alias} {plan.version}.")
            )
            known = _runnable(registry, champion)
            chosen = st.selectbox("Model and version", list(known), key=f"{NAME}.version", index=None)
            args = (registry, champion, known.get(chosen or ""))
            st.button("Run", key=f"{NAME}.run", type="primary", disabled=chosen is None, on_click=_run, args=args)
    _running(registry, champion)


def _runnable(registry: Registry, champion: Simulation) -> dict[str, Version]:
    plan = champion.plan
    return {
        f"{version.alias} version {version.number} · {version.state}": version
        for alias in registry.definitions.aliases()
        for version in registry.versions(alias)
        if version.state in RUNNABLE and (version.alias, version.number) != (plan.alias, plan.version)
    }


def _run(registry: Registry, champion: Simulation, version: Version | None) -> None:
    if version is None:
        return

    def act() -> actions.Notice:
        run(registry, champion, version)
        told = f"{version.alias} version {version.number} runs over {champion.plan.name}."
        return actions.Notice(f"{told} Choose it as a challenger once it is done.")

    actions.attempt(act)


def run(registry: Registry, champion: Simulation, version: Version) -> Simulation:
    """Begin to run a version over the rows of a simulation; arguments of the same names take the same columns."""
    plan, names = champion.plan, {argument.alias for argument in version.definition.arguments}
    if not unchanged(plan.table):
        raise SimulationError(f"{plan.table.path} is not what it was when {plan.alias} ran over it.")
    return registry.simulate(
        version.alias,
        plan.table.path,
        version.number,
        {column: name for name, column in plan.columns.items() if name in names},
        {name: value for name, value in plan.constants.items() if name in names},
        limit=plan.limit,
        every=plan.every,
        user=session.user(),
    )


def _running(registry: Registry, champion: Simulation) -> None:
    """Draw the runs over this table that are on their way; once one stands still the page is drawn again."""
    table = champion.plan.table.sha256
    found = [one for one in registry.simulations() if one.plan.table.sha256 == table and one.running]
    if not found:
        return

    @st.fragment(run_every=EVERY_S)
    def polled() -> None:
        if not all(one.running for one in found):
            st.rerun()
        for one in found:
            now = one.progress
            of = "" if now.total is None else f" of {now.total:,}"
            told = f"{one.plan.alias} version {one.plan.version} is running: {now.rows:,}{of} rows"
            st.caption(plain(told))

    polled()
