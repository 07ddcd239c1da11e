"""Threshold choice: what a sweep came to, picking a threshold by name or by hand, and saving it as the default."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from hfreg.errors import EvaluationError, HfregError
from hfreg.lifecycle import State
from hfreg.metrics.bootstrap import Estimate
from hfreg.metrics.threshold_sweep import BEST_F1, LOWEST_COST, ThresholdSweep
from hfreg.metrics.thresholds import Point
from hfreg.registry import Registry
from hfreg.ui import actions, session, threshold_chart
from hfreg.ui.findings import sentence
from hfreg.ui.live import WAIT_S
from hfreg.ui.widgets import counted, plain

__all__ = ["WAIT_S", "draw"]

NAME = "thresholds"
PICK, RECALL, HAND = f"{NAME}.pick", f"{NAME}.recall", f"{NAME}.hand"
WAYS = {"Best F1": BEST_F1, "Lowest cost": LOWEST_COST, "Recall at least": "recall", "By hand": "by hand"}
STEPS = 200


def draw(registry: Registry, found: ThresholdSweep) -> None:
    """Draw a sweep, the choice and what saves it."""
    st.caption(_told(found))
    threshold, by = _pick(found)
    if threshold is None:
        return
    at = found.at(threshold)
    if by == LOWEST_COST and (nothing := found.sweep.positives * found.costs.false_negative) < at.cost:
        st.info(f"At these costs the cheapest is to flag nothing: {nothing:,g}. The pick is the cheapest that flags.")
    threshold_chart.draw(found, threshold, f"{NAME}.chart")
    _tiles(found, at)
    _confusion(found, at)
    _save(registry, found, threshold, by)


def _told(found: ThresholdSweep) -> str:
    about, swept = found.about, found.sweep
    how = "The table ran again at each value below." if found.rerun else "From stored scores; the model did not run."
    known = "" if found.rerun or math.isinf(found.least) else f" Thresholds from {found.least:g} on are known."
    left = f", {counted(swept.left_out, 'row')} without truth or answer left out" if swept.left_out else ""
    return (
        f"{how}{known} {counted(swept.rows, 'row')}{left}; {swept.positives:,} have {plain(about.positive)} in "
        f"{plain(about.truth)}. A row is flagged where `{about.decision}` is {plain(about.answer)}."
    )


def _pick(found: ThresholdSweep) -> tuple[float | None, str]:
    """Draw the ways to pick; returns the threshold and how it was picked, None when no threshold is so."""
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{NAME}.ways"):
        way = st.segmented_control(
            "Pick the threshold",
            list(WAYS),
            key=PICK,
            default="Best F1",
            required=True,
            wrap=True,
            persist_state="session",
        )
        if way == "Recall at least":
            wanted = st.number_input("Recall", 0.0, 1.0, 0.9, 0.05, key=RECALL, width=140, persist_state="session")
            try:
                return found.for_recall(wanted), f"recall at least {wanted:g}"
            except EvaluationError as error:
                st.warning(sentence(str(error)))
                return None, ""
        if way == "By hand":
            return _by_hand(found), "by hand"
    name = WAYS[way or "Best F1"]
    return found.choices[name], name


def _by_hand(found: ThresholdSweep) -> float:
    points = [one.threshold for one in found.sweep.points]
    if found.rerun:
        return float(st.select_slider("Threshold by hand", points, key=f"{HAND}.run"))
    low, high = max(points[0], found.least), points[-1]
    if low >= high:
        return low
    step = 10.0 ** math.floor(math.log10((high - low) / STEPS))
    least, most = math.floor(low / step) * step, math.ceil(high / step) * step
    least = max(least, found.least)
    digits = max(0, -math.floor(math.log10(step)))
    start = min(max(found.choices[BEST_F1], least), most)
    key = f"{HAND}.{found.about.simulation}.{found.about.score}"
    moved = st.slider("Threshold by hand", least, most, start, step, key=key, format=f"%.{digits}f")
    return max(round(float(moved), digits), found.least)


def _tiles(found: ThresholdSweep, at: Point) -> None:
    estimates = found.intervals(at.threshold)
    now = found.about.now
    shown = [("Threshold", f"{at.threshold:g}", None if now is None else f"was {now:g} here")]
    for label, name in (("Precision", "precision"), ("Recall", "recall"), ("F1", "F1"), ("Cost", "cost")):
        digits = ",g" if name == "cost" else ".3f"
        shown.append((label, _value(estimates[name], digits), _between(estimates[name], digits)))
    with st.container(horizontal=True, key=f"{NAME}.tiles", gap="small"):
        for label, value, under in shown:
            st.metric(label, value, under, delta_color="off", delta_arrow="off", border=True)
    st.caption("Under each: the 95 % interval, from resampled rows.")


def _value(estimate: Estimate, digits: str) -> str:
    return "not defined" if estimate.value is None else format(estimate.value, digits)


def _between(estimate: Estimate, digits: str) -> str | None:
    if estimate.low is None or estimate.high is None:
        return None
    return f"{estimate.low:{digits}} to {estimate.high:{digits}}"


def _confusion(found: ThresholdSweep, at: Point) -> None:
    positive = plain(found.about.positive)
    rows: dict[str, Any] = {
        "": [f"**Is {positive}**", f"**Is not {positive}**"],
        "Flagged": [f"{at.true_positives:,} right", counted(at.false_positives, "false positive")],
        "Not flagged": [counted(at.false_negatives, "false negative"), f"{at.true_negatives:,} right"],
    }
    st.table(rows, border="horizontal")


def _save(registry: Registry, found: ThresholdSweep, threshold: float, by: str) -> None:
    about = found.about
    try:
        newest = registry.definitions.newest(about.alias)
    except HfregError as error:
        st.warning(sentence(str(error)))
        return
    default = next((a.default for a in newest.definition.arguments if a.alias == about.argument), None)
    number, was = newest.number, "none" if default is None else default
    if newest.state is State.DRAFT:
        told = f"The Draft version {number} gets another save with this default; its default now is {plain(was)}."
    elif newest.state is State.PENDING:
        told = f"Version {number} is under review, so nothing can be saved until that has ended."
    else:
        told = f"Version {number} is {newest.state}: version {number + 1} is made of it with this default, a Draft."
    st.button(
        f"Save {threshold:g} as default of {about.argument}",
        key=f"{NAME}.save",
        type="primary",
        icon=":material/save:",
        disabled=newest.state is State.PENDING,
        on_click=_keep,
        args=(registry, found, threshold, by),
    )
    st.caption(f"{told} The figures above are kept as the note of that save, in its History.")


def _keep(registry: Registry, found: ThresholdSweep, threshold: float, by: str) -> None:
    def act() -> actions.Notice:
        made = registry.save_threshold(found, threshold, session.user(), by)
        return actions.Notice(
            f"`{found.about.argument}` of {made.alias} version {made.number}, a Draft, is {threshold:g} now: snapshot "
            f"{made.snapshot}, with the evidence as its note."
        )

    actions.attempt(act)
