"""Simulation mapping: which column each argument is in, guessed and editable, or what it is in every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import HfregError
from hfreg.simulation.plan import constant
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import plain

SAME, DEFAULT = -1, -2
"""Stand for a column: the same value in every row, and the default of the argument."""


@dataclass(frozen=True, slots=True)
class Given:
    """What rows are made into arguments with: column → argument, argument → text, and what is still wrong."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def draw(definition: Definition, columns: Sequence[str], guessed: Mapping[str, str], prefix: str) -> Given:
    """Draw a row for each argument and return what was chosen."""
    st.markdown("**Arguments**")
    if not definition.arguments:
        st.caption("This model takes no arguments; it runs once for each row.")
    mapping: dict[str, str] = {}
    constants: dict[str, str] = {}
    problems: list[str] = []
    for argument in definition.arguments:
        chosen = _choice(argument, columns, guessed.get(argument.alias), f"{prefix}.map.{argument.alias}")
        if chosen is None:
            problems.append(f"`{argument.alias}` has no column. Choose one, or the same value in every row.")
        elif chosen == SAME:
            text, problem = _text(argument, f"{prefix}.same.{argument.alias}")
            constants[argument.alias] = text
            problems += [problem] if problem else []
        elif chosen != DEFAULT and columns[chosen] in mapping:
            named = (mapping[columns[chosen]], argument.alias)
            problems.append(
                f"One column is chosen for both `{named[0]}` and `{named[1]}`. Choose another for one of them."
            )
        elif chosen != DEFAULT:
            mapping[columns[chosen]] = argument.alias
    return Given(mapping, constants, problems[0] if problems else "")


def _choice(argument: Argument, columns: Sequence[str], guessed: str | None, key: str) -> int | None:
    """Draw what an argument is taken from; begins with the guess whenever the columns are others."""
    if session.get(f"{key}.columns") != tuple(columns):
        first = columns.index(guessed) if guessed is not None else DEFAULT if argument.optional else None
        session.put(f"{key}.columns", tuple(columns))
        session.put(key, first)
    offered = [*range(len(columns)), SAME, *([DEFAULT] if argument.optional else [])]
    default = "None" if argument.default is None else argument.default
    words = {SAME: "The same value in every row", DEFAULT: f"Its default: {default[:40]}"}
    session.keep(key)
    chosen: int | None = st.selectbox(
        f"`{argument.alias}` · {plain(argument.type)}" + ("" if not argument.optional else " · optional"),
        offered,
        index=None,
        key=key,
        format_func=lambda place: words.get(place) or columns[place],
        placeholder="Choose a column",
        help=plain(argument.usage) or None,
        width=520,
    )
    return chosen


def _text(argument: Argument, key: str) -> tuple[str, str]:
    """Draw the field of a constant; returns its text and what is wrong with it."""
    session.keep(key)
    text = st.text_input(f"`{argument.alias}` in every row", key=key, width=520)
    try:
        constant(argument, text)
    except HfregError as error:
        st.caption(f":red[{sentence(str(error))}]")
        return text, str(error)
    return text, ""
