"""Simulation run: one simulation on its way — how far it is, how fast, what went wrong, and Pause, Stop, Resume.

While it runs, a fragment asks the simulation again each second; once it stands still the page is drawn again, with what
came of it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from hfreg.errors import HfregError
from hfreg.simulation import Progress, Simulation
from hfreg.ui import session, simulation_result
from hfreg.ui.findings import sentence
from hfreg.ui.usage_numbers import seconds

EVERY_S = 1.0
PROBLEM = "simulation.problem"
HALTING = {"paused": "Pausing …", "cancelled": "Stopping …"}
STANDING = {
    "paused": "Paused. What is done is kept; Resume goes on behind it.",
    "cancelled": "Stopped. What is done is kept; Resume goes on behind it.",
    "interrupted": "Interrupted: its process ended. Resume goes on behind what was written down.",
    "failed": "It could not go on.",
}
FIRST_ERRORS = 3


def draw(simulation: Simulation) -> None:
    """Draw where a simulation is, and what came of it once it stands still."""
    running = simulation.running

    @st.fragment(run_every=EVERY_S if running else None)
    def polled() -> None:
        now = simulation.progress
        if (now.state == "running") != running:
            st.rerun()
        _now(simulation, now)

    polled()
    if not running:
        simulation_result.draw(simulation)


def _now(simulation: Simulation, now: Progress) -> None:
    if problem := session.get(PROBLEM):
        session.put(PROBLEM, None)
        st.error(sentence(problem), icon=":material/error:")
    if now.state == "running":
        share = min(1.0, now.rows / now.total) if now.total else 0.0
        st.progress(share, HALTING.get(now.halting) or _words(now))
        _first_errors(simulation)
    elif now.state in STANDING:
        reason = f" {sentence(now.reason)}" if now.reason else ""
        (st.error if now.state == "failed" else st.warning)(f"{STANDING[now.state]}{reason}")
    if now.state != "done":
        _buttons(simulation, now)


def _words(now: Progress) -> str:
    words = [f"{now.rows:,} of {now.total:,} rows" if now.total is not None else f"{now.rows:,} rows"]
    words.append(f"{now.failed:,} without an answer")
    if now.rate:
        words.append(f"{now.rate:,.1f} rows/s")
    if now.left_s is not None:
        words.append(f"{seconds(now.left_s)} left")
    return " · ".join(words)


def _first_errors(simulation: Simulation) -> None:
    for (kind, message), (count, _) in list(simulation.tally.errors.items())[:FIRST_ERRORS]:
        st.caption(f"{count:,} × {sentence(f'{kind}: {message}')}")


def _buttons(simulation: Simulation, now: Progress) -> None:
    halting = bool(now.halting)
    with st.container(horizontal=True):
        if now.state == "running":
            _button("Pause", "pause", "pause", simulation.pause, halting)
            _button("Stop", "stop", "stop", simulation.cancel, halting)
        else:
            _button("Resume", "resume", "play_arrow", simulation.resume, False)
            if now.state in ("paused", "interrupted"):
                _button("Stop", "stop", "stop", simulation.cancel, False)


def _button(label: str, name: str, icon: str, act: Callable[[], object], disabled: bool) -> None:
    st.button(
        label, key=f"simulation.{name}", icon=f":material/{icon}:", disabled=disabled, on_click=_do, args=(act, name)
    )


def _do(act: Callable[[], object], name: str) -> None:
    """Do what a button says; the fragment is drawn again behind it and finds the new state."""
    try:
        act()
    except (HfregError, OSError) as error:
        session.put(PROBLEM, str(error))
