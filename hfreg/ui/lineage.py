"""Lineage: where the weights of a version come from, which models it calls, and which call it.

Sources are what the code names, the commits it was pinned to, and what was recorded of them; nothing is asked here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st

from hfreg.ui import frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import counted, moment, plain, size
from hfreg.version import Pin, Source, Version

REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?")
SHIPPED = "hfreg/"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The models on both sides: those it calls (precedents) and those that call it (dependents)."""

    precedents: tuple[str, ...]
    dependents: tuple[str, ...]


def neighbours(version: Version) -> Neighbours:
    """Return the models that a version calls, and those whose newest version calls it."""
    callers = [v.alias for v in session.registry().catalog() if version.alias in v.definition.resources]
    return Neighbours(version.definition.resources, tuple(callers))


def sources(version: Version) -> None:
    """Draw what the code loads and what it is pinned to."""
    for pin in version.pins:
        asked = f" (asked for `{pin.revision}`)" if pin.revision else ""
        st.markdown(f":green[:material/keep:] {_repository(pin)}{asked}, pinned {moment(pin.at)}")
        st.code(pin.commit, language=None, wrap_lines=True)
        if (source := version.source(pin.repo, pin.commit)) is not None:
            st.caption(_recorded(source))
    for reason in version.unresolved:
        st.markdown(f":orange[:material/warning:] {sentence(reason)}")
    if not version.pins and not version.unresolved:
        st.caption("The code names no repository of the Hub. What it builds at run time is pinned at its first load.")


def links(version: Version) -> None:
    """Draw the models before and behind this one, each as a link."""
    both = neighbours(version)
    _linked("Calls", both.precedents, "It calls no other model.")
    _linked("Called by", both.dependents, "No other model calls it.")


def _linked(title: str, aliases: tuple[str, ...], none: str) -> None:
    if not aliases:
        st.caption(none)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(title, width="content")
        for alias in aliases:
            st.page_link(
                frame.MODEL, label=plain(alias), icon=":material/deployed_code:", query_params={"alias": alias}
            )


def _recorded(source: Source) -> str:
    """Say what was recorded of a source; what nobody said is called unknown."""
    parts = [f"licence {plain(', '.join(source.licences)) or 'not named'}"]
    parts.append(f"{counted(len(source.files), 'file')}, {size(source.bytes)}")
    if source.said_by != "hfreg":
        named = [word for word, said in (("gated", source.gated), ("private", source.private)) if said]
        known = source.gated is not None and source.private is not None
        parts += ["access unknown" if not known else ", ".join(named) or "public", f"security scan: {source.scan}"]
    return f"{' · '.join(parts)} · recorded {moment(source.at)}"


def _repository(pin: Pin) -> str:
    if pin.repo.startswith(SHIPPED):
        return f"`{pin.repo}` (shipped with hfreg)"
    if not REPOSITORY.fullmatch(pin.repo):
        return sentence(f"`{pin.repo}`")
    return f"[{plain(pin.repo)}]({session.registry().hub.endpoint}/{pin.repo}/tree/{pin.commit})"
