"""Comparison: the page that holds simulations of one table against each other — choosing, measuring, saving.

The address says what is compared (`?champion=…&challengers=[…]&truth=…`), or which saved comparison is open
(`?saved=…`). Measuring goes on in `session.tasks()`; the figures are drawn by `hfreg.ui.comparison_figures`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from hfreg.errors import HfregError
from hfreg.metrics.run_comparison import RunComparison
from hfreg.registry import Registry
from hfreg.simulation import Simulation
from hfreg.ui import actions, challenger, comparison_figures, evaluation, frame, session, truth_form
from hfreg.ui.background import Follow
from hfreg.ui.findings import sentence
from hfreg.ui.truth_form import Asked
from hfreg.ui.widgets import ago, counted, empty, moment, plain

NAME = "comparison"
CHAMPION, CHALLENGERS, SAVED = "champion", "challengers", "saved"
MOST = 5


def draw(registry: Registry) -> None:
    """Draw the page."""
    session.confirm_param(SAVED if session.param(SAVED) else CHAMPION)
    actions.notice()
    if session.param(SAVED):
        _opened(registry)
    else:
        _new(registry)
    _list(registry)


def _new(registry: Registry) -> None:
    """Draw the choice of what to compare, and what came of it."""
    found = [one for one in registry.simulations() if one.tally.rows and not one.running]
    of = {one.id: ran(one) for one in found}
    often = Counter(of.values())
    by_id = {one.id: one for one in found if often[of[one.id]] > 1}
    if not by_id:
        empty(
            "Nothing to compare yet. Run one table, with a column that holds the truth, through two models or two "
            "versions of one; then come back here."
        )
        st.page_link(frame.SIMULATION, label="Run a table", icon=":material/table_rows:")
        if found:
            challenger.draw(registry, found[0])
        return
    with st.container(border=True):
        champion, challengers = _chosen(by_id, of)
        wanted = truth_form.draw(by_id[champion], NAME, sliced=False)
        st.button(
            "Compare",
            key=f"{NAME}.go",
            type="primary",
            icon=":material/compare_arrows:",
            disabled=not challengers,
            on_click=_begin,
            args=([champion, *challengers], wanted),
        )
    challenger.draw(registry, by_id[champion])
    compared, asked = _asked(), truth_form.asked()
    if len(compared) < 2 or asked is None:
        return
    task = evaluation.followed(registry, _key(compared, asked), _work(registry, compared, asked), NAME)
    if task.result is not None:
        _result(registry, task.result)
    if compared != [champion, *challengers] or dict(asked) != dict(wanted):
        st.caption("The figures are of what was chosen when Compare was pressed; press it again for other choices.")


def ran(simulation: Simulation) -> tuple[str, int, int]:
    """Return what is the same of simulations that ran the same rows of the same table."""
    plan = simulation.plan
    return plan.table.sha256, plan.every, simulation.tally.rows


def _chosen(by_id: dict[str, Simulation], of: Mapping[str, object]) -> tuple[str, list[str]]:
    """Draw the choice of champion and challengers, which begins with what the address says."""
    compared, key = _asked(), f"{NAME}.{CHAMPION}"
    names = {one: called(simulation) for one, simulation in by_id.items()}
    if gone := [one for one in compared if one not in by_id]:
        st.warning(sentence(f"The simulation `{gone[0][:60]}` is not there, or has no other of its table to compare."))
    if session.get(key) not in by_id:
        first = next(reversed(by_id))  # the oldest: what came later challenges it
        session.put(key, compared[0] if compared and compared[0] in by_id else first)
    session.keep(key)
    champion: str = st.selectbox("Champion", list(by_id), key=key, format_func=names.__getitem__)
    others = [one for one in by_id if one != champion and of[one] == of[champion]]
    widget = f"{NAME}.{CHALLENGERS}.{champion}"
    if session.get(widget) is None:
        named = [one for one in compared[1:] if one in others] if compared[:1] == [champion] else []
        session.put(widget, named or others[:1])
    session.put(widget, [one for one in session.get(widget) if one in others])
    challengers: list[str] = st.multiselect(
        "Challengers",
        others,
        key=widget,
        format_func=names.__getitem__,
        max_selections=MOST,
        placeholder="Choose one or more",
        help="Simulations of the same rows of the same table.",
    )
    return champion, list(challengers)


def called(simulation: Simulation) -> str:
    """Return a simulation as a choice shows it."""
    plan = simulation.plan
    rows = counted(simulation.tally.rows, "row")
    return f"{plan.alias} version {plan.version} · {plan.name} · {rows} · {moment(plan.created_at)}"


def _asked() -> list[str]:
    """Return the simulations that the address names, the champion first."""
    try:
        others = json.loads(session.param(CHALLENGERS) or "[]")
    except ValueError:
        others = []
    named = [session.param(CHAMPION), *(others if isinstance(others, list) else [])]
    return [one for one in named if one and isinstance(one, str)][: MOST + 1]


def _begin(compared: Sequence[str], wanted: Asked) -> None:
    session.set_param(CHAMPION, compared[0])
    session.set_param(CHALLENGERS, json.dumps(list(compared[1:])))
    truth_form.ask(wanted)
    session.tasks().forget(_key(compared, wanted))


def _key(compared: Sequence[str], asked: Asked) -> str:
    return f"{NAME}.{(session.user(), *compared, *asked.items())}"


def _work(registry: Registry, compared: Sequence[str], asked: Asked) -> Any:
    named = {name: value for name, value in asked.items() if name != "slices"}
    user = session.user()

    def work(follow: Follow) -> RunComparison:
        return registry.compare(compared, **named, progress=follow, author=user)

    return work


def _result(registry: Registry, made: RunComparison) -> None:
    """Draw a comparison, and what saves it and takes it along."""
    kept = any(one.id == made.id for one in registry.comparisons())
    with st.container(horizontal=True):
        st.button(
            "Saved" if kept else "Save comparison",
            key=f"{NAME}.save",
            icon=":material/save:",
            disabled=kept,
            on_click=_save,
            args=(registry, made),
        )
        st.download_button(
            "Download JSON",
            partial(json.dumps, made.as_json(), ensure_ascii=False, indent=1, default=str),
            f"{made.table}.comparison.json",
            "application/json",
            key=f"{NAME}.json",
            icon=":material/download:",
            on_click="ignore",
        )
    comparison_figures.draw(made, NAME)


def _opened(registry: Registry) -> None:
    """Draw a saved comparison."""
    st.button("New comparison", key=f"{NAME}.new", icon=":material/add:", on_click=_open, args=("",))
    try:
        made = registry.comparison(session.param(SAVED))
    except HfregError as error:
        st.warning(sentence(str(error)))
        return
    st.subheader(plain(made.title), anchor=False)
    st.caption(f"{plain(made.author)} · {moment(made.at)}")
    _result(registry, made)


def _open(comparison_id: str) -> None:
    """Open a saved comparison; an empty id shows the choice of a new one."""
    for name in (CHAMPION, CHALLENGERS):
        session.set_param(name, None)
    truth_form.ask(None)
    session.set_param(SAVED, comparison_id or None)


def _list(registry: Registry) -> None:
    """Draw the saved comparisons, the newest first."""
    st.subheader("Saved comparisons", anchor=False)
    found = registry.comparisons()
    if not found:
        st.text("None yet. Save comparison keeps what is shown, also when its simulations are deleted.")
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"{NAME}.row.{one.id}"):
            st.markdown(f"**{plain(one.title)}**", width="stretch")
            st.caption(f"{plain(one.author)} · {ago(one.at)}", width="content")
            is_open, key = session.param(SAVED) == one.id, f"{NAME}.open.{one.id}"
            st.button("Open", key=key, type="tertiary", disabled=is_open, on_click=_open, args=(one.id,))
            key = f"{NAME}.delete.{one.id}"
            st.button("Delete", key=key, type="tertiary", on_click=_delete, args=(registry, one.id))


def _save(registry: Registry, made: RunComparison) -> None:
    def act() -> actions.Notice:
        registry.save_comparison(made)
        return actions.Notice(f"Saved the comparison of {made.title}.")

    actions.attempt(act)


def _delete(registry: Registry, comparison_id: str) -> None:
    def act() -> actions.Notice:
        gone = registry.delete_comparison(comparison_id)
        if session.param(SAVED) == comparison_id:
            _open("")

        def undo() -> str:
            registry.save_comparison(gone)
            return f"The comparison of {gone.title} is back."

        return actions.Notice(f"Deleted the comparison of {gone.title}.", undo=undo)

    actions.attempt(act)
