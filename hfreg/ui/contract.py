"""Contract: what a model promises to its callers, drawn beside the form while it is written.

The signature as Python shows it, a call to copy, the output type, and the sources with what they are pinned to.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import HfregError
from hfreg.scoring.check import repositories
from hfreg.ui import test_call
from hfreg.ui.findings import sentence
from hfreg.ui.form_state import Form
from hfreg.version import Version

SHIPPED = "hfreg/"


def draw(form: Form) -> None:
    """Draw the contract of the form as it stands."""
    definition = form.definition
    if (signature := _signature(form)) is None:
        st.caption("The signature appears once alias, arguments and types are right.")
    else:
        st.code(signature, wrap_lines=True)
        call = test_call.generated(definition)
        moments = "from datetime import datetime\n\n" if "datetime." in call else ""
        st.code(f"{moments}from hfreg.models import {definition.alias}\n\nresult = {call}", wrap_lines=True)
        answer = f"Answers with `{definition.output_type}`, in Python `{definition.parsed_output_type.python}`."
        st.markdown(sentence(answer))
    for source in sources(form):
        st.markdown(sentence(source))


def sources(form: Form) -> list[str]:
    """Say of each repository that the code names which commit it is held to."""
    target = form.draft["target"]
    saved = form.registry.definitions.find(target) if target else None
    named = [
        f"Source `{one.repo}`: {_held(one.repo, one.revision, saved)} {_licence(form, one.repo, one.revision, saved)}"
        for one in repositories(form.definition.code)
    ]
    beside = form.registry.licensing.beside(form.definition)
    return [*named, *(f"{subject.named}: {_verdict(form, licences)}" for subject, licences in beside)]


def _held(repo: str, revision: str | None, saved: Version | None) -> str:
    pin = next((p for p in saved.pins if (p.repo, p.revision) == (repo, revision)), None) if saved else None
    if pin is not None:
        mark = pin.commit.removeprefix("sha256:")[:12]
        return f"pinned to `{mark}`" + (" (shipped with hfreg)." if repo.startswith(SHIPPED) else ".")
    if revision and len(revision) == 40:
        return f"held to `{revision[:12]}` by the code."
    asked = f"revision `{revision}`" if revision else "its default branch"
    return f"{asked}, pinned to a commit when the draft is saved."


def _licence(form: Form, repo: str, revision: str | None, saved: Version | None) -> str:
    """Say under which licence a source is, and what the policy of this home says of it."""
    pin = next((p for p in saved.pins if (p.repo, p.revision) == (repo, revision)), None) if saved else None
    commit, licensing = pin.commit if pin else revision or "", form.registry.licensing
    if (licences := licensing.licences.find(repo, commit)) is None:
        return "Its licence is not read yet."
    return _verdict(form, licences)


def _verdict(form: Form, licences: tuple[str, ...]) -> str:
    named = ", ".join(f"`{one}`" for one in licences) or "not named on its card"
    return f"Licence {named}: {form.registry.licensing.policy.verdict(licences)}."


def _signature(form: Form) -> str | None:
    definition = form.definition
    if not definition.alias or any(f.field != "scoring_logic" for f in form.errors):
        return None
    try:
        return f"{definition.alias}{definition.signature_text}"
    except (HfregError, ValueError):
        return None
