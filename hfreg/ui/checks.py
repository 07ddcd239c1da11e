"""Checks: the tab of the model page that lists what a model is expected to answer, runs it, and says what came of it.

Also the mark of a model — right, wrong, stale — which its head and the catalog show. A run of the checks goes on in
`session.tasks()` whatever is clicked. The form is `hfreg.ui.check_form`.
"""

from __future__ import annotations

import time

import streamlit as st

from hfreg.checks import Check, CheckReport, CheckResult
from hfreg.errors import HfregError
from hfreg.floors import Floor
from hfreg.registry import Registry
from hfreg.ui import actions, check_form, chooser, floors, session
from hfreg.ui.background import Task
from hfreg.ui.findings import sentence
from hfreg.ui.live import WAIT_S
from hfreg.ui.shapes import brief
from hfreg.ui.widgets import ago, counted, empty, milliseconds, moment, plain
from hfreg.version import Version

EVERY_S = 0.5
NONE = (
    "No checks yet. A check is a call with the answer that is expected of it. Press Add check; or run the model in the "
    "Playground or over a table in a Simulation, and save answers that are right as checks."
)


def draw(version: Version) -> None:
    """Draw the checks of a model, held against the version on the page."""
    registry = session.registry()
    try:
        checks, kept = registry.checks(version.alias), registry.floors(version.alias)
        report = registry.check_report(version.alias, version.number)
    except HfregError as error:
        st.error(sentence(str(error)))
        return
    run = session.tasks().find(task_key(version.alias))
    running = run is not None and not run.ended
    _buttons(registry, version, bool(checks or kept), running)
    if run is not None:
        _progress(run, running)
    if not checks and not kept:
        empty(NONE)
    elif report is not None:
        _summary(report)
    else:
        st.caption("These checks never ran. Press Run checks.")
    if check_form.is_open(version):
        check_form.draw(version)
    for place, check in enumerate(checks):
        _row(version, place, check, report)
    for place, floor in enumerate(kept):
        floors.draw_row(version.alias, floor, report, _badge(_result(floor, report), report), place)


def mark(registry: Registry, alias: str, version: int | None = None) -> str:
    """Return how the checks of a model stand, as badges in Markdown; nothing where it has none."""
    try:
        if not registry.checks(alias) and not registry.floors(alias):
            return ""
        report = registry.check_report(alias, version)
    except HfregError:
        return ":red-badge[checks cannot be read]"
    if report is None:
        return ":gray-badge[:material/checklist: checks not run]"
    stale = " :orange-badge[stale]" if report.stale else ""
    if report.ok:
        return f":green-badge[:material/check: {counted(len(report.results), 'check')} right]{stale}"
    wrong = f"{len(report.failed)} of {counted(len(report.results), 'check')} wrong"
    return f":red-badge[:material/close: {wrong}]{stale}"


def task_key(alias: str) -> str:
    """Return the key of the run of a model's checks."""
    return f"checks.{alias}"


def _buttons(registry: Registry, version: Version, some: bool, running: bool) -> None:
    refused = chooser.refusal(registry, version)
    with st.container(horizontal=True, key="checks.buttons"):
        st.button(
            "Run checks",
            key="checks.run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=running or not some or bool(refused),
            on_click=_run,
            args=(registry, version),
        )
        st.button("Add check", key="checks.add", icon=":material/add:", on_click=check_form.open_new, args=(version,))
        floors.draw_adding(registry, version.alias)
    if refused and some:
        st.warning(refused)


def _progress(run: Task, running: bool) -> None:
    """Draw a run that is on its way, or why the last one came to no end."""
    if not running:
        if run.problem and time.time() - run.ended_at < actions.KEPT_S:
            st.warning(sentence(run.problem), icon=":material/info:")
        return

    @st.fragment(run_every=EVERY_S)
    def polled() -> None:
        if run.ended:
            st.rerun()
        st.progress(run.done / run.of if run.of else 0.0, f"{run.done} of {counted(run.of, 'check')}")
        st.button("Stop", key="checks.stop", icon=":material/stop:", disabled=run.stopped, on_click=run.stop)

    polled()


def _summary(report: CheckReport) -> None:
    told = plain(f"{report}, {ago(report.at)} ({moment(report.at)}) by {report.user}.")
    if report.ok:
        st.success(told, icon=":material/check_circle:")
    else:
        st.error(told, icon=":material/cancel:")
    if report.stale:
        st.warning(sentence(f"Stale, so run them again: {'; '.join(report.stale)}."), icon=":material/history:")


def _row(version: Version, place: int, check: Check, report: CheckReport | None) -> None:
    result = _result(check, report)
    with st.container(border=True, key=f"checks.row.{place}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{_badge(result, report)} **{plain(check.name)}**", width="stretch")
            edit, delete = f"checks.edit.{place}", f"checks.delete.{place}"
            st.button("Edit", key=edit, type="tertiary", on_click=check_form.open_kept, args=(version, check))
            st.button("Delete", key=delete, type="tertiary", on_click=_delete, args=(version.alias, check))
        given = [f"`{name}` = {plain(brief(value, 80))}" for name, value in check.arguments.items()]
        st.markdown(f"{' · '.join(given) or 'Every argument has its default.'} → {sentence(check.wanted)}")
        if result is not None and result.message:
            st.markdown(f":red[{sentence(result.message)}]")
        took = f" · took {milliseconds(result.milliseconds)}" if result is not None else ""
        st.caption(f"{plain(check.author)}, {ago(check.created_at)}{took}")


def _result(check: Check | Floor, report: CheckReport | None) -> CheckResult | None:
    """Return what came of a check, unless it was saved since."""
    if report is None or check.created_at > report.at:
        return None
    return next((one for one in report.results if one.name == check.name), None)


def _badge(result: CheckResult | None, report: CheckReport | None) -> str:
    if result is None:
        return ":gray-badge[not run yet]"
    stale = " :orange-badge[stale]" if report is not None and report.stale else ""
    return (":green-badge[right]" if result.ok else ":red-badge[wrong]") + stale


def _run(registry: Registry, version: Version) -> None:
    alias, number, user = version.alias, version.number, session.user()
    key = task_key(alias)
    session.tasks().start(key, registry, lambda follow: registry.run_checks(alias, number, user, follow)).wait(WAIT_S)


def _delete(alias: str, check: Check) -> None:
    registry = session.registry()

    def undo() -> str:
        registry.restore_check(alias, check)
        return f"`{check.name}` is back."

    def act() -> actions.Notice:
        registry.delete_check(alias, check.name)
        check_form.close()
        return actions.Notice(f"Deleted `{check.name}`.", undo=undo)

    actions.attempt(act)
