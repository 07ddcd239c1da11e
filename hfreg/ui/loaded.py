"""Loaded: the Loaded models page — memory and its budget, each model in memory, loading and unloading by hand.

What is shown is read again every few seconds by a fragment of its own; what can be typed or opened stands outside of
it, so that nothing is taken away from under the pointer. How a row of the list looks is in `hfreg.ui.loaded_row`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from hfreg.engine import Loaded, Standing
from hfreg.lifecycle import RUNNABLE
from hfreg.registry import Registry
from hfreg.ui import frame, live, loaded_row, session
from hfreg.ui.findings import sentence
from hfreg.ui.loaded_row import mebibytes
from hfreg.ui.runs import LiveRun
from hfreg.ui.widgets import empty, milliseconds
from hfreg.version import Version

EVERY_S, OFTEN_S = 3.0, 1.0
SAID_S = 15.0
RUNS, SAID, CHANGED, CHOSEN = "loaded.runs", "loaded.said", "loaded.changed", "loaded.choose"
COLOURS = ("#4657d9", "#0e8a7d", "#b4690e", "#a8388f", "#2f7fb8", "#6b7d1d")
"""Have 3 : 1 against the light and the dark background; further models begin anew."""
INLINE = (
    "Models run inside the workbench (engine: inline). Memory is that of their weights alone, there is no budget, and "
    "nothing is confined. On Linux, HFREG_ENGINE=isolated gives each model a process of its own."
)


def draw(registry: Registry) -> None:
    """Draw the page."""
    _choose(registry)
    waiting = [run for run in _runs() if not run.done]

    @st.fragment(run_every=OFTEN_S if waiting else EVERY_S)
    def polled() -> None:
        if session.get(CHANGED) or (waiting and all(run.done for run in waiting)):
            session.drop(CHANGED)
            st.rerun()
        _now(registry)

    polled()


def _choose(registry: Registry) -> None:
    """Draw the choice of what to load now: the models that run and are not in memory."""
    there = {(one.alias, one.version) for one in registry.loaded(measure=False)}
    runnable = {
        f"{version.alias} · version {version.number}": version
        for version in map(registry.get, registry.definitions.aliases())
        if version.state in RUNNABLE and (version.alias, version.number) not in there
    }
    with st.container(horizontal=True, vertical_alignment="bottom", key="loaded.now"):
        chosen = st.selectbox(
            "Load a model now",
            sorted(runnable),
            index=None,
            key=CHOSEN,
            placeholder="Choose a model that is not loaded" if runnable else "Every model that runs is loaded",
            disabled=not runnable,
            width=420,
            help="Its first example runs, so that its weights are in memory before somebody waits for them. "
            "A model without examples gets its process, and its weights with the first call.",
        )
        st.button(
            "Load now",
            key="loaded.load",
            type="primary",
            icon=":material/bolt:",
            disabled=chosen is None,
            on_click=_load,
            args=(registry, runnable.get(chosen or "")),
        )


def _load(registry: Registry, version: Version | None) -> None:
    if version is not None:
        session.put(CHOSEN, None)
        _follow(session.runs().load(registry, version, session.user()))


def _follow(run: LiveRun) -> None:
    session.put(RUNS, [*session.get(RUNS, []), run.id][-5:])
    session.put(SAID, None)
    session.put(CHANGED, True)


def _runs() -> list[LiveRun]:
    """Return what this session began to load and has not dismissed."""
    return [run for run_id in session.get(RUNS, []) if (run := session.runs().find(run_id)) is not None]


def _now(registry: Registry) -> None:
    """Draw how things stand at this moment."""
    standing, models = registry.engine.standing(), registry.loaded()
    models.sort(key=lambda one: (one.alias, one.version))
    _summary(standing, models)
    for run in _runs():
        _loading(run)
    _said()
    if not models:
        _nothing(registry)
    st.html(loaded_row.STYLE)
    drawn: Counter[str] = Counter()
    for place, one in enumerate(models):
        name = f"{one.alias}_{one.version}"
        key = f"{name}_{drawn[name]}" if drawn[name] else name  # several sources of one draft may be in memory
        drawn[name] += 1
        loaded_row.draw(one, registry, key, _colour(place), lambda what, of: _act(registry, what, of))
    st.page_link(frame.INTEGRATIONS, label="Checkpoints on this disk, and deleting them", icon=":material/hard_drive:")


def _summary(standing: Standing, models: Sequence[Loaded]) -> None:
    used, budget = sum(one.memory_bytes for one in models), standing.budget_bytes
    told: list[tuple[str, str, str | None]] = [
        ("Models", f"{len(models)}", None),
        ("Memory in use", mebibytes(used), None),
    ]
    if budget is not None:
        about = "HFREG_MEMORY_BUDGET_MB, or half the memory of this machine. Beyond it the models used longest ago go."
        told.append(("Budget", mebibytes(budget), about))
    told.append(("Engine", standing.tier, frame.TIERS.get(standing.tier)))
    if budget is not None:
        about = "The process that has the libraries imported, and of which each model becomes a copy."
        told.append(("Loader", "ready" if standing.ready else "starting", about))
    with st.container(horizontal=True, key="loaded.tiles", gap="small"):
        for label, value, hint in told:
            st.metric(label, value, border=True, width="stretch", help=hint)
    if budget is None:
        st.info(INLINE, icon=":material/shield:")
    elif models:
        st.html(_bar(models, budget))


def _bar(models: Sequence[Loaded], budget: int) -> str:
    """Return the budget as a bar, with a part for each model; aliases are identifiers, so they need no escaping."""
    used = sum(one.memory_bytes for one in models)
    whole = max(budget, used, 1)
    parts = "".join(
        f'<div title="{one.alias}: {mebibytes(one.memory_bytes)}" style="min-width:3px;'
        f'flex:0 0 {100 * one.memory_bytes / whole:.2f}%;background:{_colour(place)}"></div>'
        for place, one in enumerate(models)
    )
    free = f"{mebibytes(budget - used)} free" if used <= budget else f"{mebibytes(used - budget)} over"
    label = f"{mebibytes(used)} of {mebibytes(budget)} in use, {free}"
    return (
        f'<div role="img" aria-label="{label}" style="display:flex;gap:2px;height:14px;border-radius:7px;'
        f'overflow:hidden;background:rgba(128,132,150,.22)">{parts}</div>'
        f'<div style="font-size:.875rem;opacity:.85;margin-top:.35rem">{label}</div>'
    )


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _loading(run: LiveRun) -> None:
    """Draw a load that goes on, or failed; one that was done is said once."""
    name, key = f"`{run.version.alias}` version {run.version.number}", f"loaded.run.{run.id}"
    outcome = run.outcome
    if outcome is not None and outcome.error is None:
        _dismiss(run.id)
        took = milliseconds(outcome.timings.total_ms)
        ran = bool(run.version.definition.examples)
        later = "" if ran else " It has no example to run, so what it loads comes with its first call."
        _say(f"{name} is {'loaded' if ran else 'ready'}. It took {took}.{later}")
        return
    with st.container(border=True, key=key):
        if outcome is None:
            st.markdown(f"Loading {name}")
            live.progress(run, key)
            st.button("Stop", key=f"{key}.stop", icon=":material/stop_circle:", on_click=run.cancel)
        else:
            st.error(f"{name} was not loaded. {sentence(str(outcome.error))}", icon=":material/error:")
            st.button("Dismiss", key=f"{key}.dismiss", type="tertiary", on_click=_dismiss, args=(run.id,))


def _dismiss(run_id: str) -> None:
    session.put(RUNS, [one for one in session.get(RUNS, []) if one != run_id])


def _say(text: str) -> None:
    session.put(SAID, (text, time.monotonic()))


def _said() -> None:
    """Draw what was done last, for a while."""
    text, at = session.get(SAID) or ("", 0.0)
    if text and time.monotonic() - at < SAID_S:
        st.success(sentence(text), icon=":material/check_circle:")


def _act(registry: Registry, what: str, one: Loaded) -> None:
    """Do what was asked for a model."""
    if what == loaded_row.RESTART:
        if (version := registry.definitions.find(one.alias, one.version)) is not None:
            _follow(session.runs().load(registry, version, session.user(), afresh=True))
        return
    registry.unload(one.alias, one.version)
    name = f"`{one.alias}` version {one.version}" if one.version else f"`{one.alias}` (not saved)"
    after = " once what waits for it is answered" if one.busy or one.waiting else ""
    again = " Its next call loads it again." if one.version else ""
    session.put(RUNS, [run.id for run in _runs() if not run.done])
    _say(f"{name} is unloaded{after}.{again}")
    session.put(CHANGED, True)


def _nothing(registry: Registry) -> None:
    if registry.definitions.aliases():
        empty("Nothing is loaded. A model loads with its first call: run one in the Playground, or load one above.")
        st.page_link(frame.PLAYGROUND, label="Open the Playground", icon=":material/play_circle:")
    else:
        empty("Nothing is loaded, and no model is registered yet. Register one first.")
        st.page_link(frame.REGISTER, label="Register a model", icon=":material/add_circle:")
