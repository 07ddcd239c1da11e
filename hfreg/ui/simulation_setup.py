"""Simulation setup: which table, which column is which argument, a try of five rows, and Run.

A table is uploaded, and then kept by the registry; or named by its path while the workbench listens on this machine
alone: whoever reaches it from elsewhere must not choose among the files of the server.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import streamlit as st

from hfreg.errors import HfregError
from hfreg.registry import Registry
from hfreg.simulating import LOOKED_AT
from hfreg.simulation.plan import guess
from hfreg.tables import FORMATS, Row, open_table
from hfreg.ui import chooser, session, simulation_mapping, simulation_result, simulation_trial
from hfreg.ui.findings import sentence
from hfreg.ui.listening import on_loopback
from hfreg.ui.row_table import table
from hfreg.ui.widgets import plain
from hfreg.version import Version

NAME = "simulation.form"
TABLE, PROBLEM, ROUND, TYPED, LIMIT = (f"{NAME}.{n}" for n in ("table", "problem", "round", "typed", "limit"))
PREVIEW = 5


def draw(registry: Registry, open_one: Callable[[str], None]) -> None:
    """Draw the form for a new simulation; `open_one` shows the one that Run began."""
    with st.container(border=True):
        version = chooser.choose(registry, NAME)
        if version is None:
            return
        chooser.about(version)
        found = _table(registry)
    if problem := session.get(PROBLEM):
        st.error(sentence(problem), icon=":material/error:")
    if found is None:
        return
    path, columns, sample = found
    guessed = guess(version.definition, columns, sample)
    given = simulation_mapping.draw(version.definition, columns, guessed, f"{NAME}.{version.alias}")
    _begin(registry, version, path, given, open_one)
    simulation_trial.draw(registry, (version.alias, version.number, path, given))


def _table(registry: Registry) -> tuple[str, tuple[str, ...], list[Row]] | None:
    """Draw the choice of a table, or the one that is chosen; returns its path, columns and first rows."""
    path = session.get(TABLE, "")
    if not path:
        _choice(registry)
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/table_rows: **{plain(Path(path).name)}**", width="content")
        st.button("Another table", key=f"{NAME}.other", type="tertiary", on_click=_take, args=("",))
    try:
        opened = open_table(path)
        first = list(islice(opened.rows(), LOOKED_AT))
    except HfregError as error:
        st.error(sentence(str(error)), icon=":material/error:")
        return None
    sample = [row for row in first if isinstance(row, dict)]
    table(sample[:PREVIEW], f"{NAME}.preview")
    return path, tuple(c for c in opened.columns if c not in opened.unusable), sample


def _choice(registry: Registry) -> None:
    upload = st.file_uploader(
        "Table",
        type=[ending[1:] for ending in FORMATS],
        key=f"{NAME}.upload.{session.get(ROUND, 0)}",
        help="CSV, TSV, JSON Lines, Parquet or Excel; the first row of a CSV or of a sheet names the columns.",
    )
    if upload is not None:
        session.put(ROUND, session.get(ROUND, 0) + 1)  # the next uploader is empty
        try:
            _take(str(registry.keep_table(upload.name, upload)))
        except (HfregError, OSError) as error:
            session.put(PROBLEM, str(error))
        st.rerun()
    if not on_loopback():
        st.caption("A table that lies on the server is run from Python or from a shell.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Or its path on this machine", key=TYPED, placeholder="/data/reviews.csv", width=520)
        st.button("Use it", key=f"{NAME}.use", on_click=_use_path)


def _use_path() -> None:
    typed = str(session.get(TYPED) or "").strip()
    if not typed:
        session.put(PROBLEM, "Type the path of a table first, or upload one.")
        return
    try:
        path = Path(typed).expanduser().resolve()
        open_table(path)
    except (HfregError, OSError, RuntimeError, ValueError) as error:
        session.put(PROBLEM, str(error))
        return
    _take(str(path))


def _take(path: str) -> None:
    session.drop(PROBLEM)
    session.put(TABLE, path)


def _begin(
    registry: Registry,
    version: Version,
    path: str,
    given: simulation_mapping.Given,
    open_one: Callable[[str], None],
) -> None:
    """Draw what begins a try and the simulation itself."""
    refused = chooser.refusal(registry, version)
    if refused:
        st.warning(refused)
    if given.problem:
        st.info(sentence(given.problem), icon=":material/info:")
    idle = bool(refused or given.problem)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limit = st.number_input("Rows to run", min_value=1, value=None, placeholder="All of them", key=LIMIT, width=180)
        usual: dict[str, Any] = {"disabled": idle}
        asked = (version.alias, version.number, path, given)
        st.button("Try 5 rows", key=f"{NAME}.try", on_click=_try, args=(registry, asked), **usual)
        st.button(
            "Run",
            key=f"{NAME}.run",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_run,
            args=(registry, asked, limit, open_one),
            **usual,
        )


def _try(registry: Registry, asked: simulation_trial.Asked) -> None:
    session.put(PROBLEM, simulation_trial.begin(registry, asked, PREVIEW))


def _run(registry: Registry, asked: simulation_trial.Asked, limit: int | None, open_one: Callable[[str], None]) -> None:
    alias, number, path, given = asked
    simulation_trial.forget(registry)
    try:
        begun = registry.simulate(
            alias, path, number, given.mapping, given.constants, limit=limit, user=session.user(), guess=False
        )
    except (HfregError, OSError) as error:
        session.put(PROBLEM, str(error))
        return
    session.drop(PROBLEM)
    simulation_result.forget_filters()
    open_one(begun.id)
