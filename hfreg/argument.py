"""Argument: one typed input of a model, and the rules that names and defaults follow.

Covers the names that Python code can use (aliases of models follow the same rule) and defaults that
must parse by their type and lie within the limits, which are `hfreg.argument_limits`. How a whole call is
bound is in `hfreg.definition`.
"""

from __future__ import annotations

import copy
import keyword
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import SerializerFunctionWrapHandler, ValidationInfo, field_validator, model_serializer

from hfreg import argument_limits, types
from hfreg.argument_limits import ArgumentLimits, Written
from hfreg.errors import ArgumentError, TypeNotationError
from hfreg.values import Finding, Frozen

MAX_NAME = 63
_LIMITS = frozenset(argument_limits.FIELDS)


class Argument(Frozen):
    """One input of a model: its name in the scoring logic, its type, the default as text, and its limits.

    `minimum` and `maximum` are for Numerical and DateTime, `choices` for String and Numerical, `max_length` for String
    (characters) and lists (items). They hold for every call; None can always be given.
    """

    alias: str
    type: str = "String"
    optional: bool = False
    default: str | None = None
    usage: str = ""
    minimum: Written = None
    maximum: Written = None
    choices: tuple[Written, ...] = ()
    max_length: Written = None

    def __init__(self, alias: str, type: types.Notation = "String", **data: Any) -> None:
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

    @field_validator("minimum", "maximum", mode="before")
    @classmethod
    def _limit_by_type(cls, value: Any, info: ValidationInfo) -> Any:
        return argument_limits.written(info.data.get("type"), value)

    @field_validator("choices", mode="before")
    @classmethod
    def _choices_by_type(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, (list, tuple)):
            return () if value is None else value
        return tuple(argument_limits.written(info.data.get("type"), one) for one in value)

    @field_validator("max_length", mode="before")
    @classmethod
    def _length_as_number(cls, value: Any) -> Any:
        return argument_limits.written_length(value)

    @model_serializer(mode="wrap")
    def _without_absent_limits(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A file says a limit only where there is one: those without stay as they were before there were limits.
        return {name: value for name, value in dump(self).items() if name not in _LIMITS or value not in (None, (), [])}

    @cached_property
    def parsed_type(self) -> types.Type:
        """The type, read; raises TypeNotationError."""
        return types.parse(self.type)

    @cached_property
    def limits(self) -> ArgumentLimits | None:
        """The limits, read by the type, or None without any; raises ArgumentError for those that cannot be used."""
        given = self._given_limits
        return argument_limits.read(self.type, self.alias, **given) if given else None

    @cached_property
    def check(self) -> Callable[[Any, str], Any]:
        """What takes a value given from Python: the type's own `check`, or that of the limits where there are any."""
        return (self.limits or self.parsed_type).check

    @cached_property
    def from_text(self) -> Callable[[str, str], Any]:
        """What reads a value that came as text: the type's own `from_text`, or that of the limits."""
        return (self.limits or self.parsed_type).from_text

    @cached_property
    def takes_media(self) -> bool:
        """Whether its values are pictures or sound, or hold some; a type that cannot be read holds none."""
        return notation_problem(self.type) is None and types.holds_media(self.parsed_type)

    @property
    def annotation(self) -> Any:
        """The type as a Python annotation, with the limits in it."""
        return (self.limits or self.parsed_type).annotation

    @property
    def described(self) -> str:
        """The type with the limits in words: `Numerical, from 0 to 1`; raises ArgumentError as `limits` does."""
        return f"{self.type}, {self.limits}" if self.limits else self.type

    def outside(self, value: Any) -> str | None:
        """Say what keeps a value of its type from being given, or None; it may be a moment as text, as files say it."""
        try:
            if (limits := self.limits) is None:
                return None
            moment = type(value) is str and limits.type.kind == "DateTime"
            return limits.problem(limits.type.from_text(value, self.alias) if moment else limits.type.check(value, ""))
        except (ArgumentError, TypeNotationError):  # another problem, told elsewhere
            return None

    @property
    def _given_limits(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in argument_limits.FIELDS}
        return {name: value for name, value in given.items() if value not in (None, ())}

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
        return [*name_findings(f"{field}.alias", self.alias), *_type_findings(field, self)]


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


def _type_findings(field: str, argument: Argument) -> list[Finding]:
    if problem := notation_problem(argument.type):
        return [Finding("error", f"{field}.type", None, problem)]
    limits, problems = argument_limits.examine(argument.parsed_type, argument.alias, argument._given_limits)
    found = [Finding("error", f"{field}.{one.field}", None, one.message) for one in problems]
    if argument.default is not None and argument.takes_media:
        message = f"An argument of the type {argument.type} has no default but None. Drop the default."
        return [*found, Finding("error", f"{field}.default", None, message)]
    try:
        default = argument.default_value
    except ArgumentError as error:
        return [*found, Finding("error", f"{field}.default", None, str(error))]
    if not problems and (problem := limits.problem(default)):
        message = f"The default of `{argument.alias}` is outside of its limits: {problem}"
        return [Finding("error", f"{field}.default", None, message)]
    if argument.default is not None and not argument.optional:
        message = f"`{argument.alias}` is required, so its default is never used. Make it optional or drop the default."
        found.append(Finding("warning", f"{field}.default", None, message))
    return found


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
    except TypeNotationError:
        return types.written(value)
