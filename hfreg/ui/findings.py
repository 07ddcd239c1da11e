"""Findings: what `check` says, beside its field, as a list, and as marks in the code.

A message may quote what somebody typed; `sentence` shows it as it was written, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import streamlit as st

from hfreg.ui.editor import Marker
from hfreg.ui.widgets import plain
from hfreg.values import Finding

ICONS = {
    "error": ":red[:material/error:]",
    "warning": ":orange[:material/warning:]",
    "hint": ":blue[:material/lightbulb:]",
}
WORDS = {"error": "Error", "warning": "Warning", "hint": "Hint"}


def sentence(text: str) -> str:
    """Return a message as Markdown: what stands between backticks as code, the rest as it was written."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # a lone backtick is no code
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(f"`{part}`" if i % 2 and part else plain(part) for i, part in enumerate(parts))


def beside(findings: Iterable[Finding], name: str = "") -> None:
    """Draw the findings of one field under it; `name` says which one where several stand in a row."""
    which = f"**{name}** · " if name else ""
    for finding in findings:
        line = "" if finding.line is None else f"Line {finding.line}: "
        st.markdown(f"{ICONS[finding.level]} {which}{line}{sentence(finding.message)}")


def listed(findings: Iterable[Finding], name: Callable[[str], str], anchor: Callable[[str], str]) -> None:
    """Draw all findings, each under a link to the card of its field; `name` gives the words for a field."""
    for finding in findings:
        line = "" if finding.line is None else f", line {finding.line}"
        place = f"[{plain(name(finding.field))}{line}](#{anchor(finding.field)})"
        st.markdown(f"{ICONS[finding.level]} **{WORDS[finding.level]}** · {place}  \n{sentence(finding.message)}")


def markers(findings: Iterable[Finding], source: str, field: str = "scoring_logic") -> list[Marker]:
    """Return the findings of one source as marks: at the name they begin with, else at their line."""
    lines = source.splitlines()
    return [
        _mark(finding, lines[finding.line - 1] if finding.line <= len(lines) else "")
        for finding in findings
        if finding.field == field and finding.line
    ]


def _mark(finding: Finding, line: str) -> Marker:
    named = re.match(r"`([^`]+)`", finding.message)
    at = line.find(named[1]) if named else -1
    if named is None or at < 0:
        return Marker(finding.line or 1, finding.message, finding.level)
    return Marker(finding.line or 1, finding.message, finding.level, at + 1, end_col=at + 1 + len(named[1]))
