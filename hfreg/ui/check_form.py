"""Check form: the arguments of a check, what is expected of the answer, and Save; for a new check or a kept one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from hfreg.checks import MATCHERS, Check, Matcher, told
from hfreg.errors import HfregError
from hfreg.registry import Registry
from hfreg.ui import actions, arguments_form, session
from hfreg.ui.check_saving import without_defaults
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import plain
from hfreg.version import Version

OPEN, PROBLEM = "checks.open", "checks.problem"
NAME, MATCHER, EXPECTED, TOLERANCE, PATH = (
    f"checks.form.{field}" for field in ("name", "matcher", "expected", "tolerance", "path")
)
MEANINGS: Mapping[Matcher, str] = {
    "equals": "equals: the same value",
    "contains": "contains: a part of it",
    "within": "number within",
    "label": "label is",
    "path": "JSON path: the value at a place in it",
}
KEPT: dict[str, Any] = {"persist_state": "session"}  # what was typed is there again after another page
AS_JSON = ("equals", "contains", "path")
"""Matchers that expect any value."""


def open_new(version: Version) -> None:
    """Show the form for a new check."""
    _open(version, "", {}, {"matcher": "equals", "expected": "", "tolerance": 0.0, "path": ""})


def open_kept(version: Version, check: Check) -> None:
    """Show the form with a check that is kept."""
    given = {"expected": expected_text(check), "tolerance": check.tolerance, "path": check.path}
    _open(version, check.name, check.arguments, {"matcher": check.matcher, **given})


def close() -> None:
    """Show no form."""
    session.drop(OPEN, PROBLEM)


def is_open(version: Version) -> bool:
    """Say whether the form of this model is shown."""
    return bool(session.get(OPEN, ("", ""))[0] == version.alias)


def draw(version: Version) -> None:
    """Draw the form."""
    name = session.get(OPEN)[1]
    prefix, errors = _prefix(version), {}
    problem = session.get(PROBLEM)
    if isinstance(problem, dict):
        errors, problem = problem, ""
    with st.container(border=True, key="checks.form"):
        st.markdown(f"**Edit {plain(name)}**" if name else "**New check**")
        st.text_input("Name", key=NAME, placeholder="A number, when it is left empty", max_chars=100, **KEPT)
        arguments_form.prepare(version.definition, prefix)
        arguments_form.draw(version.definition, prefix, errors)
        matcher = st.selectbox("Matcher", MATCHERS, key=MATCHER, format_func=lambda one: MEANINGS[one], **KEPT)
        _expectation(matcher)
        if problem:
            st.error(sentence(problem), icon=":material/error:")
        if errors:
            st.error(f"Nothing was saved. See {', '.join(f'`{one}`' for one in errors)} above.")
        with st.container(horizontal=True):
            args = (session.registry(), version, name)
            st.button("Save check", key="checks.save", type="primary", on_click=_save, args=args)
            st.button("Cancel", key="checks.cancel", on_click=close)


def expected_text(check: Check) -> str:
    """Return what a check expects as its field shows it: JSON where a text would be read as something else."""
    if isinstance(check.expected, str) and (
        check.matcher == "label" or read_expected(check.expected) == check.expected
    ):
        return check.expected
    return json.dumps(check.expected, ensure_ascii=False)


def read_expected(text: str) -> Any:
    """Return what is expected: JSON where it is JSON, else the text.

    >>> read_expected("good"), read_expected('"3"'), read_expected("3")
    ('good', '3', 3)
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _expectation(matcher: Matcher) -> None:
    if matcher == "path":
        st.text_input(
            "Path", key=PATH, placeholder="scores.0", help="Keys and places from 0, with dots between.", **KEPT
        )
    if matcher in AS_JSON:
        st.text_area("Expected", key=EXPECTED, height=68, **KEPT)
        read = told(read_expected(session.get(EXPECTED) or ""))
        st.caption(f'Read as {plain(read)}. What is no JSON is a text; the text 3 is written "3".')
    else:
        label = "Expected label" if matcher == "label" else "Expected number"
        st.text_input(label, key=EXPECTED, **KEPT)
    if matcher in ("within", "path"):
        hint = "How far a number may be from the expected one."
        st.number_input("Tolerance", min_value=0.0, key=TOLERANCE, format="%g", help=hint, **KEPT)


def _open(version: Version, name: str, arguments: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    session.drop(PROBLEM)
    session.put(OPEN, (version.alias, name))
    session.put(NAME, name)
    for field, value in given.items():
        session.put(f"checks.form.{field}", value)
    arguments_form.prepare(version.definition, _prefix(version))  # else the form would begin with the defaults
    arguments_form.fill(version.definition, _prefix(version), arguments)


def _prefix(version: Version) -> str:
    return f"checks.form.{version.alias}"


def _save(registry: Registry, version: Version, name: str) -> None:
    """Save what the form says; what is refused stands under it."""
    reading = arguments_form.read(version.definition, _prefix(version))
    session.put(PROBLEM, dict(reading.errors))
    if reading.errors:
        return
    matcher: Matcher = session.get(MATCHER)
    text = session.get(EXPECTED) or ""
    given: dict[str, Any] = {
        "expected": text if matcher == "label" else read_expected(text),
        "matcher": matcher,
        "path": (session.get(PATH) or "").strip() if matcher == "path" else "",
        "tolerance": session.get(TOLERANCE) or 0.0 if matcher in ("within", "path") else 0.0,
        "author": session.user(),
    }
    wanted, alias = (session.get(NAME) or "").strip(), version.alias
    arguments = without_defaults(version.definition, reading.arguments)
    try:
        if name:
            made = registry.edit_check(alias, name, arguments, new_name=wanted, **given)
        else:
            made = registry.add_check(alias, arguments, name=wanted, **given)
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    close()
    session.put(
        actions.NOTICE, actions.Notice(f"Saved `{made.name}`: it expects {made.wanted}. Run the checks to see.")
    )


def _no_number(text: str) -> Any:
    raise ValueError(text)
