"""Playground: try a registered model — its form, its answer, and what was tried before.

One fragment, so that a click runs this part of the page and nothing around it. Callbacks act before the fragment is
drawn: Run reads the form and begins a call in `session.runs()`, which goes on whatever is clicked next; coming back
finds it, and so does a reload. Each model has its own form and its own newest answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from hfreg.ui import (
    answers,
    arguments_form,
    check_saving,
    chooser,
    examples,
    frame,
    live,
    media_field,
    session,
    snippets,
    trials,
)
from hfreg.ui.findings import sentence
from hfreg.ui.runs import LiveRun
from hfreg.ui.shapes import brief
from hfreg.ui.widgets import plain
from hfreg.version import Version

NAME = "playground"
ERRORS, SAID = f"{NAME}.errors", f"{NAME}.said"


@st.fragment
def workspace() -> None:
    """Draw everything below the title."""
    ask, answer = st.columns([5, 6], gap="large")
    with ask:
        version = chooser.choose(session.registry(), NAME)
        if version is None:
            return
        for found in trials.find_again(NAME):
            arguments_form.prepare(found.version.definition, prefix(found.version))
            _fill(found.version, found.arguments)
        run = trials.find_newest(version.alias)
        running = run is not None and not live.settle(run)
        trials.name_in_address()
        _form(version, run, running)
    with answer, st.container(border=True, key=f"{NAME}.panel"):
        _answer(version, run, running)
    trials.draw(_rerun, _save_trial)


def prefix(version: Version) -> str:
    """Return the prefix of the keys of a model's form."""
    return f"{NAME}.{version.alias}"


def _form(version: Version, run: LiveRun | None, running: bool) -> None:
    definition, errors = version.definition, session.get(ERRORS, {}).get(version.alias, {})
    chooser.about(version)
    arguments_form.prepare(definition, prefix(version))
    _chips(version)
    arguments_form.draw(definition, prefix(version), errors)
    refused = chooser.refusal(session.registry(), version)
    with st.container(horizontal=True):
        st.button(
            "Run",
            key=f"{NAME}.run",
            type="primary",
            icon=":material/play_arrow:",
            shortcut="Ctrl+Enter",
            disabled=running or bool(refused),
            on_click=_run,
            args=[version],
        )
        st.button("Stop", key=f"{NAME}.stop", icon=":material/stop:", disabled=not running, on_click=_stop, args=[run])
        st.button("Reset", key=f"{NAME}.reset", on_click=_fill, args=[version, {}])
        _as_code(version)
        st.button("Save as example", key=f"{NAME}.save", type="tertiary", on_click=_save_form, args=[version])
    _messages(refused, errors)
    tier = "remote" if version.definition.endpoint else session.registry().engine.tier
    st.caption(f":material/shield: **{tier}** · {frame.TIERS.get(tier, '')}")


def _chips(version: Version) -> None:
    saved = version.definition.examples
    if not saved:
        return
    with st.container(horizontal=True, key=f"{NAME}.examples", gap="xsmall"):
        for place, example in enumerate(saved[:12]):
            text = media_field.named(place, example) or brief(next(iter(example.values()), "no arguments"), 32)
            st.button(plain(text), key=f"{NAME}.example.{place}", on_click=_fill, args=[version, example])


def _as_code(version: Version) -> None:
    """Draw the call as code; opening it brings the newest values of the form along."""
    box = st.popover("As code", icon=":material/code:", key=f"{NAME}.code", on_change="rerun")
    if not box.open:
        return
    with box:
        reading = arguments_form.read(version.definition, prefix(version))
        pinned = session.registry().get(version.alias).number != version.number
        st.caption("Python")
        st.code(snippets.python_call(version, reading.arguments, pinned=pinned), language="python")
        st.caption("Command line")
        st.code(snippets.cli_call(version, reading.arguments, pinned=pinned), language="bash", wrap_lines=True)


def _messages(refused: str, errors: Mapping[str, str]) -> None:
    if refused:
        st.warning(refused)
    if errors:
        names = ", ".join(f"`{name}`" for name in errors)
        st.error(f"Nothing was run. See {names} above.", icon=":material/error:")
    if said := session.get(SAID):
        session.put(SAID, None)
        done, text = said
        (st.success if done else st.info)(sentence(text))


def _answer(version: Version, run: LiveRun | None, running: bool) -> None:
    st.markdown("**Answer**")
    if run is None:
        answer_type = plain(version.definition.output_type)
        st.caption(f"Fill in the form and press Run. {version.alias} answers with {answer_type}.")
    elif running:
        live.follow(run, f"{NAME}.running", stop=False)
    elif run.outcome is not None:
        answers.draw(run.outcome, run.version.definition, f"{NAME}.answer", _second_text(run))
        if run.outcome.ok:
            st.button(
                "Save as check",
                key=f"{NAME}.check",
                type="tertiary",
                icon=":material/checklist:",
                on_click=_save_check,
                args=[run],
                help="Keeps this answer as the right one: a check of the model, run again whenever you ask.",
            )


def _second_text(run: LiveRun) -> Any:
    """Return what runs another text with the other arguments as they were, if the model takes a text."""
    texts = [a.alias for a in run.version.definition.arguments if a.parsed_type.kind == "String"]
    if not texts:
        return None
    return lambda text: _start(run.version, {**run.arguments, texts[0]: text})


def _start(version: Version, arguments: Mapping[str, Any]) -> LiveRun:
    return session.runs().start(session.registry(), version, arguments, NAME, session.user())


def _run(version: Version) -> None:
    reading = arguments_form.read(version.definition, prefix(version))
    session.put(ERRORS, {version.alias: reading.errors})
    if not reading.errors:
        trials.remember(_start(version, reading.arguments))


def _stop(run: LiveRun) -> None:
    run.cancel()
    live.settle(run, from_now=True)


def _fill(version: Version, arguments: Mapping[str, Any]) -> None:
    session.put(ERRORS, {})
    arguments_form.fill(version.definition, prefix(version), arguments)


def _rerun(trial: LiveRun) -> None:
    """Turn to the model of a trial, fill its form as it was, and run it."""
    version = _still_there(trial)
    if version is None:
        return
    chooser.go(version.alias, version.number)
    _fill(version, trial.arguments)
    trials.remember(_start(version, trial.arguments))


def _save_form(version: Version) -> None:
    reading = arguments_form.read(version.definition, prefix(version))
    session.put(ERRORS, {version.alias: reading.errors})
    if not reading.errors:
        session.put(SAID, examples.save(session.registry(), version, reading.arguments, session.user()))


def _save_trial(trial: LiveRun) -> None:
    if (version := _still_there(trial)) is not None:
        session.put(SAID, examples.save(session.registry(), version, trial.arguments, session.user()))


def _save_check(run: LiveRun) -> None:
    if _still_there(run) is not None and run.outcome is not None:
        registry, alias = session.registry(), run.version.alias
        done, text, _ = check_saving.save(registry, alias, run.arguments, run.outcome.value, session.user())
        session.put(SAID, (done, text))


def _still_there(trial: LiveRun) -> Version | None:
    """Return the version of a trial as it is now; say so when it was deleted meanwhile."""
    alias, number = trial.version.alias, trial.version.number
    version = session.registry().definitions.find(alias, number)
    if version is None:
        session.put(SAID, (False, f"{alias} version {number} is not there any more."))
    return version
