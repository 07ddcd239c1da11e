"""Argument: one typed input of a model, and the rules that names and defaults follow.

Covers the names that Python code can use (aliases of models follow the same rule) and defaults that
must parse by their type. How a whole call is bound is in `hfreg.definition`.
"""

from __future__ import annotations

import copy
import keyword
import re
from functools import cached_property
from typing import Any

from pydantic import field_validator

from hfreg import types
from hfreg.errors import ArgumentError, TypeNotationError
from hfreg.values import Finding, Frozen

MAX_NAME = 63


class Argument(Frozen):
    """One input of a model: its name in the scoring logic, its type, and the default as text."""

    alias: str
    type: str = "String"
    optional: bool = False
    default: str | None = None
    usage: str = ""

    def __init__(self, alias: str, type: str = "String", **data: Any) -> None:
        super().__init__(alias=alias, type=type, **data)

    @field_validator("type", mode="before")
    @classmethod
    def _canonical_type(cls, value: Any) -> Any:
        return canonical(value)

    @field_validator("default", mode="before")
    @classmethod
    def _default_as_text(cls, value: Any) -> Any:
        if isinstance(value, (bool, int, float)):
            return str(value)
        return None if value == "" else value

    @cached_property
    def parsed_type(self) -> types.Type:
        """The type, read; raises TypeNotationError."""
        return types.parse(self.type)

    @property
    def default_value(self) -> Any:
        """The default, parsed by type; raises ArgumentError. An optional argument without one is None."""
        value = self._read_default
        # Code may change a list it was given; the next call of somebody else begins with the default again.
        return copy.deepcopy(value) if isinstance(value, (list, dict)) else value

    @cached_property
    def _read_default(self) -> Any:
        return None if self.default is None else self.parsed_type.from_default(self.default, self.alias)

    def findings(self, field: str) -> list[Finding]:
        """List what is wrong with this argument; `field` is where it stands, such as `arguments[0]`."""
        return [*name_findings(f"{field}.alias", self.alias), *_default_findings(field, self)]


def name_problem(name: str) -> str | None:
    """Say what keeps a text from being an alias or argument name, or None; the sentence offers another."""
    if not name:
        return "A name is needed, for example `sentiment_classifier`."
    if keyword.iskeyword(name) or name in {"None", "True", "False"}:
        return f"`{name}` is a Python keyword. Try `{name.lower()}_name`."
    if len(name) > MAX_NAME:
        return f"`{name[:20]}…` has {len(name)} characters; at most {MAX_NAME} fit."
    if name.startswith("__"):
        return (
            f"`{name}` starts with two underscores, which Python keeps for itself. Try `{name.strip('_') or 'name'}`."
        )
    if not (name.isascii() and name.isidentifier()):
        return f"{name[:60]!r} is not a name that Python code can use.{_suggestion(name)}"
    return None


def _suggestion(name: str) -> str:
    near = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()[:MAX_NAME]
    near = f"model_{near}" if near[:1].isdigit() else near
    return f" Try `{near}`." if near else " Use letters, digits and underscores."


def name_findings(field: str, name: str) -> list[Finding]:
    problem = name_problem(name)
    return [Finding("error", field, None, problem)] if problem else []


def _default_findings(field: str, argument: Argument) -> list[Finding]:
    if problem := notation_problem(argument.type):
        return [Finding("error", f"{field}.type", None, problem)]
    try:
        _ = argument.default_value
    except ArgumentError as error:
        return [Finding("error", f"{field}.default", None, str(error))]
    if argument.default is not None and not argument.optional:
        message = f"`{argument.alias}` is required, so its default is never used. Make it optional or drop the default."
        return [Finding("warning", f"{field}.default", None, message)]
    return []


def notation_problem(text: str) -> str | None:
    try:
        types.parse(text)
    except TypeNotationError as error:
        return str(error)
    return None


def canonical(value: Any) -> Any:
    """Give a type its canonical notation; what cannot be read stays as written, for `findings` to name."""
    try:
        return str(types.parse(value))
    except (TypeNotationError, TypeError, AttributeError):
        return value
