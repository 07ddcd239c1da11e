"""Chooser: which model and which version a page is about, kept in the address as ?alias= and ?version=.

The address wins, so that a link from another page lands where it says; without one the last choice of this session
holds. A version that the address does not name is the one that a call by alias runs now.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import UnknownModel
from hfreg.lifecycle import RUNNABLE, State
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import plain, state_badge
from hfreg.version import Version

ALIAS, NUMBER = "alias", "version"


def choose(registry: Registry, prefix: str) -> Version | None:
    """Draw the two choosers and return the version; None where no model is registered."""
    known = {version.alias: version for version in registry.catalog()}
    if not known:
        return None
    alias = _alias(registry, known, f"{prefix}.alias")
    model, number = st.columns([3, 2])
    session.put(f"{prefix}.alias", alias)
    model.selectbox(
        "Model",
        list(known),
        key=f"{prefix}.alias",
        format_func=lambda a: f"{a} · {known[a].definition.name}" if known[a].definition.name else a,
        on_change=lambda: go(session.get(f"{prefix}.alias")),
        persist_state="session",
    )
    versions = {version.number: version for version in reversed(registry.versions(alias))}
    chosen = _number(registry, alias, versions)
    session.put(f"{prefix}.version", chosen)
    number.selectbox(
        "Version",
        list(versions),
        key=f"{prefix}.version",
        format_func=lambda n: f"{n} · {versions[n].state}",
        on_change=lambda: session.set_param(NUMBER, str(session.get(f"{prefix}.version"))),
    )
    return versions[chosen]


def go(alias: str, number: int | None = None) -> None:
    """Turn to another model; without a number to the version that a call by alias runs."""
    session.set_param(ALIAS, alias)
    session.set_param(NUMBER, str(number) if number else None)


def about(version: Version) -> None:
    """Draw the state of a version, and what its model is for."""
    st.markdown(f"{state_badge(version)} version {version.number} by {plain(version.author)}")
    description = " ".join(version.definition.description.split())
    if description:
        st.caption(plain(description if len(description) <= 240 else description[:239] + "…"))


def refusal(registry: Registry, version: Version) -> str:
    """Say why a version does not run, or nothing."""
    name = f"{version.alias} version {version.number}"
    if version.state not in RUNNABLE:
        return f"{name} is {version.state} and does not run. Choose another version."
    if registry.settings.require_approved and version.state is not State.APPROVED:
        return f"{name} is {version.state}, and only Approved versions run here (HFREG_REQUIRE_APPROVED=1)."
    return ""


def _alias(registry: Registry, known: dict[str, Version], key: str) -> str:
    asked = session.param(ALIAS)
    if asked in known:
        return asked
    if asked:
        try:
            registry.get(asked)
        except UnknownModel as error:
            st.warning(sentence(str(error)))
    remembered = session.get(key)
    alias: str = remembered if remembered in known else next(iter(known))
    go(alias)
    return alias


def _number(registry: Registry, alias: str, versions: dict[int, Version]) -> int:
    asked = session.param(NUMBER)
    if asked.isdecimal() and int(asked) in versions:
        return int(asked)
    if asked:
        st.warning(f"{alias} has no version {plain(asked[:20])}; this is the one that a call runs.")
    return registry.get(alias).number
