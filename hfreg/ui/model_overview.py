"""Model overview: what a version is for, what it promises, how it is called, and what stands around it.

Texts of users are shown as they were written. A call over REST is not offered, because there is none yet.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from hfreg.definition import Definition
from hfreg.errors import HfregError
from hfreg.options import Options
from hfreg.ui import lineage, snippets, test_call, upstream_check
from hfreg.ui.form_words import LABELS
from hfreg.ui.widgets import plain
from hfreg.version import Version

FACTS = (
    ("Model type", "model_type"),
    ("Group", "group"),
    ("Permissible purpose", "permissible_purpose"),
    ("Ownership type", "ownership_type"),
    ("Model provider", "model_provider"),
    ("Input type", "input_type"),
)


def draw(version: Version) -> None:
    """Draw the overview."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        _described(version)
        st.subheader("Contract", anchor=False)
        _contract(version)
        st.subheader("How to call it", anchor=False)
        _calls(version)
    with right:
        st.subheader("Facts", anchor=False)
        _facts(version)
        st.subheader("Sources", anchor=False)
        lineage.sources(version)
        upstream_check.draw(version)
        st.subheader("Lineage", anchor=False)
        lineage.links(version)


def _described(version: Version) -> None:
    if version.definition.description.strip():
        st.text(version.definition.description)
    else:
        st.caption("No description yet. Say what the model is for, its use cases and its limits.")


def _contract(version: Version) -> None:
    definition = version.definition
    st.code(f"{definition.alias}{definition.signature_text}", wrap_lines=True)
    if definition.arguments:
        st.table([_argument(a) for a in definition.arguments], hide_index=True, border="horizontal")
    else:
        st.caption("It takes no arguments.")
    st.markdown(f"Answers with `{definition.output_type}`, in Python `{definition.parsed_output_type.python}`.")


def _argument(argument: Any) -> dict[str, str]:
    default = "N/A" if argument.default is None else plain(argument.default)
    return {
        "Alias": f"`{argument.alias}`",
        "Type": plain(argument.described),
        "Optional": "Yes" if argument.optional else "No",
        "Default Value": default,
        "Usage": plain(" ".join(argument.usage.split())),
    }


def _calls(version: Version) -> None:
    arguments = _sample(version)
    st.caption("Python")
    st.code(snippets.python_call(version, arguments), language="python", wrap_lines=True)
    st.caption("Command line")
    st.code(snippets.cli_call(version, arguments), language="bash", wrap_lines=True)
    if version.number > 1:
        st.caption(f"Version {version.number} and no other")
        st.code(snippets.python_call(version, arguments, pinned=True), language="python", wrap_lines=True)


def _sample(version: Version) -> dict[str, Any]:
    """Return arguments that a call could have: the first saved example, else one made from the types."""
    definition = version.definition
    try:
        return test_call.arguments_of(test_call.generated(definition), definition)
    except HfregError:
        return dict(definition.examples[0]) if definition.examples else {}


def _endpoint(definition: Definition) -> list[tuple[str, str]]:
    """Return what a reviewer wants to know of who is called, and what is sent there."""
    endpoint = definition.endpoint
    if endpoint is None:
        return []
    sent = endpoint.sent_as([(a.alias, a.type) for a in definition.arguments])
    token = "sent to this address" if endpoint.send_token else "not sent to this address"
    return [
        ("Called at", plain(endpoint.where)),
        ("Task", plain(endpoint.task)),
        ("Sent", plain(", ".join(f"{alias} as {name}" for alias, name in sent.items()))),
        ("Waits", f"{endpoint.timeout_s:g} s for an answer, asks up to {endpoint.retries} times again"),
        ("Hugging Face token", token if endpoint.base_url else "sent to the Hub's router"),
        ("Pinned", "no: whoever runs the model may change it"),
    ]


def _options(definition: Definition) -> list[tuple[str, str]]:
    """Return the advanced options that are not as usual."""
    usual, its = Options(), definition.options
    changed = [name for name in Options.model_fields if getattr(its, name) != getattr(usual, name)]
    return [(LABELS.get(name, name), plain(str(getattr(its, name)))) for name in changed]


def _facts(version: Version) -> None:
    definition = version.definition
    rows = [(label, plain(getattr(definition, name))) for label, name in FACTS if getattr(definition, name)]
    seconds, memory = definition.limits.time_s, definition.limits.memory_mb
    rows += [("Time limit", f"{seconds:g} s")] if seconds else []
    rows += [("Memory limit", f"{memory} MB")] if memory else []
    rows += _endpoint(definition)
    rows += _options(definition)
    rows += [("Model folder", plain(definition.folder))] if definition.folder else []
    rows.append(("Token", "given to the code" if definition.token else "not given to the code"))
    rows.append(("Texts and answers", "stored with each call" if definition.store_payloads else "not stored"))
    st.markdown("  \n".join(f":gray[{label}] {value}" for label, value in rows))
    if definition.notes.strip():
        st.caption("Notes")
        st.text(definition.notes)
