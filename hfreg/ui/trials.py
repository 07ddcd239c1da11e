"""Trials: the calls that one browser session made in the playground, newest first.

Kept with the session, in memory only: whether texts and answers go into the invocation log is for the definition
to say. The address names those in work (`?run=`), because a reload is a new session. Draws the list with its actions,
and two trials side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from hfreg.ui import answers, session, shapes
from hfreg.ui.findings import sentence
from hfreg.ui.runs import LiveRun
from hfreg.ui.widgets import milliseconds, plain

KEY = "playground.trials"
IN_WORK, BETWEEN = "run", "-"
KEPT = 50
KEPT_BYTES = 100_000_000
"""Bytes of pictures and sound that the trials of one session hold; the newest one is kept whatever it holds."""
GONE = f"{KEY}.gone"
SHOWN = 6

Act = Callable[[LiveRun], None]


def all_trials() -> list[LiveRun]:
    """List the trials of this session, newest first."""
    trials: list[LiveRun] = session.get(KEY, [])
    return trials


def remember(run: LiveRun) -> None:
    """Add a trial; the oldest go when there are too many, and those whose pictures and sound are too much together."""
    kept, held = [run], run.media_bytes
    for old in all_trials()[: KEPT - 1]:
        held += old.media_bytes
        if held > KEPT_BYTES and old.media_bytes:
            session.put(GONE, True)
        else:
            kept.append(old)
    session.put(KEY, kept)


def find_again(source: str) -> list[LiveRun]:
    """Take up the runs that the address names and a session before this one began, and return them."""
    known = {run.id for run in all_trials()}
    asked = [name for name in session.param(IN_WORK).split(BETWEEN) if name and name not in known]
    found = [session.runs().find_again(name, source, session.user()) for name in asked[:KEPT]]
    taken_up = sorted((run for run in found if run is not None), key=lambda run: run.started_at)
    for run in taken_up:
        remember(run)
    return taken_up


def name_in_address() -> None:
    """Have the address name the runs in work and no others."""
    session.set_param(IN_WORK, BETWEEN.join(run.id for run in all_trials() if not run.done))


def find_newest(alias: str) -> LiveRun | None:
    """Return the newest trial of a model, or None."""
    return next((run for run in all_trials() if run.version.alias == alias), None)


def draw(rerun: Act, save: Act) -> None:
    """Draw the list; `rerun` and `save` are called with a trial before the page runs again."""
    trials = all_trials()
    if not trials:
        return
    st.subheader("This session", anchor=False)
    st.caption("Calls you made here, newest first. Tick two to compare them. They are gone when you close the page.")
    if session.get(GONE):
        st.caption(f"Older calls with pictures or sound are gone: a session keeps {KEPT_BYTES / 1e6:,.0f} MB of them.")
    everything = len(trials) > SHOWN and bool(session.get("playground.everything"))
    ticked = [run for run in trials if _row(run, rerun, save, hidden=not everything and trials.index(run) >= SHOWN)]
    if len(trials) > SHOWN:
        st.toggle(f"Show all {len(trials)}", key="playground.everything")
    if len(ticked) == 2:
        compare(ticked[1], ticked[0])
    elif len(ticked) > 2:
        st.caption(f"{len(ticked)} are ticked; two can be compared.")


def compare(before: LiveRun, after: LiveRun) -> None:
    """Draw two trials side by side, the arguments that differ first."""
    with st.container(key="playground.comparison", border=True):
        st.markdown("**Comparison**")
        for column, run in zip(st.columns(2), (before, after), strict=True):
            with column:
                other = after if run is before else before
                st.markdown(f"`{run.version.alias}` version {run.version.number} · {_clock(run)}")
                st.markdown("  \n".join(differences(run.arguments, other.arguments)) or "the same arguments")
                if run.outcome is None:
                    st.caption("still running")
                elif run.outcome.error is not None:
                    st.error(sentence(str(run.outcome.error).partition("\n")[0]))
                else:
                    answers.value(run.outcome.value, f"playground.comparison.{run.id}")
                if run.outcome is not None:
                    st.caption(answers.provenance(run.outcome))


def differences(arguments: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Say the arguments that the other call has not, or has otherwise, as lines of Markdown."""
    return [
        f"`{name}` {plain(shapes.brief(value, 120))}"
        for name, value in arguments.items()
        if name not in other or other[name] != value
    ]


def _row(run: LiveRun, rerun: Act, save: Act, *, hidden: bool) -> bool:
    """Draw one trial; return whether it is ticked."""
    key = f"playground.trial.{run.id[:12]}"
    if hidden:
        return bool(session.get(f"{key}.compare"))
    with st.container(key=key, horizontal=True, vertical_alignment="center", gap="small"):
        ticked = st.checkbox(
            f"Compare the call at {_clock(run)}",
            key=f"{key}.compare",
            label_visibility="collapsed",
            persist_state="session",
        )
        st.markdown(summary(run), width="stretch")
        st.button("Rerun", key=f"{key}.rerun", icon=":material/replay:", type="tertiary", on_click=rerun, args=[run])
        st.button("Save", key=f"{key}.save", icon=":material/bookmark_add:", type="tertiary", on_click=save, args=[run])
    return ticked


def summary(run: LiveRun) -> str:
    """Say a trial in one line of Markdown: when, which model, arguments, answer, time, status."""
    called = f"{_clock(run)} **{plain(run.version.alias)}** v{run.version.number}"
    given = plain(shapes.brief(next(iter(run.arguments.values()), ""), 40))
    outcome = run.outcome
    if outcome is None:
        return f"{called} · {given} → :orange[running]"
    took = milliseconds(outcome.timings.total_ms)
    if outcome.error is not None:
        said = shapes.brief(str(outcome.error).partition("\n")[0], 50)
        return f"{called} · {given} → {plain(said)} · {took} · :red[{outcome.status}]"
    return f"{called} · {given} → **{plain(shapes.brief(outcome.value, 40))}** · {took} · :green[ok]"


def _clock(run: LiveRun) -> str:
    return f"{datetime.fromtimestamp(run.started_at).astimezone():%H:%M:%S}"
