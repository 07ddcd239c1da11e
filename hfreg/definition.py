"""Definition: what a model developer writes down about a model, as frozen data that knows its rules.

A change is a new object; a Definition under a number and a state is a `hfreg.version.Version`. Rules that
need nothing but the definition itself (names, types, defaults, sizes) are found by `Definition.findings()`;
rules about the source are in `hfreg.scoring.check`, rules about other models in `hfreg.registry`.

    >>> d = Definition(
    ...     alias="shout", description="Says it.", arguments=[Argument("text", "String")], scoring_logic="return text"
    ... )
    >>> d.findings()
    []
    >>> d.bind(text="hi")
    {'text': 'hi'}
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import SerializerFunctionWrapHandler, field_validator, model_serializer

from hfreg import types
from hfreg.argument import Argument, canonical, name_findings, notation_problem
from hfreg.endpoint import RESPONSE, Endpoint
from hfreg.errors import ArgumentError, did_you_mean
from hfreg.input_types import (
    AVAILABLE_INPUT_TYPES,
    GIVEN_NAMES,
    INPUT_TYPES,
    LATER_FIELDS,
    MAX_SOURCE_BYTES,
    InputType,
    input_type_findings,
)
from hfreg.options import Options
from hfreg.values import Finding, Frozen

__all__ = ["AVAILABLE_INPUT_TYPES", "INPUT_TYPES", "MAX_SOURCE_BYTES", "Argument", "Definition", "Limits"]

MODEL_PROVIDERS = ("Hugging Face",)
MODEL_TYPES = (
    "Text Classification",
    "Text Generation",
    "Text Embedding",
    "Guardrail",
    "Other",
)
OWNERSHIP_TYPES = ("Internal", "Vendor", "Open source")
MAX_DESCRIPTION = 20_000
PLATFORM_NAMES = frozenset({"cache"})

_MISSING = object()


class Limits(Frozen):
    """What one call may use; None means the platform's default."""

    time_s: float | None = None
    memory_mb: int | None = None


class Definition(Frozen):
    """All that a model developer says about one model."""

    alias: str
    name: str = ""
    description: str = ""
    group: str = ""
    permissible_purpose: str = ""
    licence_reason: str = ""
    ownership_type: str = ""
    model_type: str = ""
    output_type: str = "Any"
    input_type: InputType = "Python Function"
    model_provider: str = "Hugging Face"
    arguments: tuple[Argument, ...] = ()
    initialization_logic: str = ""
    scoring_logic: str = ""
    folder: str = ""
    endpoint: Endpoint | None = None
    options: Options = Options()
    resources: tuple[str, ...] = ()
    token: bool = False
    network: bool = False
    pickled_weights: bool = False
    limits: Limits = Limits()
    batching: bool = True
    store_payloads: bool = False
    examples: tuple[dict[str, Any], ...] = ()
    notes: str = ""

    @field_validator("output_type", mode="before")
    @classmethod
    def _canonical_type(cls, value: Any) -> Any:
        return canonical(value)

    @model_serializer(mode="wrap")
    def _without_what_is_not_used(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unused = {name for name in LATER_FIELDS if getattr(self, name) == type(self).model_fields[name].default}
        return {name: value for name, value in dump(self).items() if name not in unused}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{a.alias}: {a.type}" for a in self.arguments)
        return f"<Definition {self.alias}({arguments}) -> {self.output_type}>"

    __str__ = __repr__

    @property
    def title(self) -> str:
        """The name people read: the given name, else the alias."""
        return self.name or self.alias

    @cached_property
    def parsed_output_type(self) -> types.Type:
        """The output type, read; raises TypeNotationError."""
        return types.parse(self.output_type)

    @property
    def signature(self) -> inspect.Signature:
        """The signature of the model as a Python function, in the order of the arguments."""
        parameters = [
            inspect.Parameter(
                a.alias,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=a.default_value if a.optional else inspect.Parameter.empty,
                annotation=a.annotation,
            )
            for a in self.arguments
        ]
        if _required_follows_optional(self.arguments):
            parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        return inspect.Signature(parameters, return_annotation=self.parsed_output_type.annotation)

    @property
    def signature_text(self) -> str:
        """The signature as people write it: `(text: str, threshold: float | int = 0.5) -> dict[str, Any]`."""
        return re.sub(r"typing\.|hfreg\.types\.media\.|\bdatetime\.(?=datetime)", "", str(self.signature))

    @cached_property
    def code_digest(self) -> str:
        """SHA-256 over everything that changes what a loaded model does; a new digest starts afresh."""
        parts = (
            self.scoring_logic,
            [(a.alias, a.type) for a in self.arguments],
            self.resources,
            self.token,
            self.network,
            self.pickled_weights,
            self.input_type,
            self.initialization_logic,
            self.folder,
            self.endpoint.model_dump() if self.endpoint else None,
            self.options.load_digest,
        )
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def given_names(self) -> frozenset[str]:
        """The names that the platform gives to scoring logic, besides arguments and resources."""
        return PLATFORM_NAMES | GIVEN_NAMES.get(self.input_type, frozenset())

    @cached_property
    def code(self) -> str:
        """All of its code in one, for whoever looks for what it names; lines are not those of its fields."""
        if not self.initialization_logic:
            return self.scoring_logic
        return f"{textwrap.dedent(self.initialization_logic)}\n{textwrap.dedent(self.scoring_logic)}"

    @cached_property
    def scored(self) -> Definition:
        """The definition as its scoring logic sees it: that of an API Based one is given the reply besides."""
        if self.input_type != "API Based" or RESPONSE in self._by_alias:
            return self
        return self.model_copy(update={"arguments": (*self.arguments, Argument(RESPONSE, "Any"))})

    @cached_property
    def _by_alias(self) -> dict[str, Argument]:
        return {a.alias: a for a in self.arguments}

    def named(self, positional: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        """Give positional arguments their names, in the order of the arguments; raises ArgumentError."""
        if not positional:
            return dict(given)
        if len(positional) > len(self.arguments):
            raise ArgumentError(
                f"{self.alias} takes {_count(len(self.arguments), 'argument')}, {len(positional)} were given."
            )
        named = {a.alias: v for a, v in zip(self.arguments, positional, strict=False)}
        if twice := sorted(set(named) & set(given)):
            raise ArgumentError(f"{self.alias} got `{twice[0]}` twice: by position and by name.")
        return {**named, **given}

    def bind(self, /, *positional: Any, **named: Any) -> dict[str, Any]:
        """Check a call given from Python and fill in defaults; raises ArgumentError, loads nothing."""
        given = self.named(positional, named) if positional else named
        known = self._by_alias
        for name in given:
            if name not in known:
                raise ArgumentError(self._unknown(name))
        return {a.alias: self._bound(a, given.get(a.alias, _MISSING)) for a in self.arguments}

    def parse_arguments(self, texts: Mapping[str, str], *, files: bool = False) -> dict[str, Any]:
        """Read arguments that came as text (form, CSV cell, command line) by their types; `files` as in `with_files`.

        Returns only those that were given. Raises ArgumentError naming argument, value and type.
        """
        if unknown := next((name for name in texts if name not in self._by_alias), ""):
            raise ArgumentError(self._unknown(unknown))
        given = self.with_files(texts) if files else texts
        return {n: self._by_alias[n].from_text(t, n) if isinstance(t, str) else t for n, t in given.items()}

    def with_files(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a caller who may read files of this machine: paths of pictures and sound as such."""
        if not (self.takes_media and isinstance(given, Mapping)):
            return given
        known = self._by_alias
        return {n: types.naming_files(known[n].parsed_type, v) if n in known else v for n, v in given.items()}

    @cached_property
    def takes_media(self) -> bool:
        """Whether an argument is a picture or sound, or holds some."""
        return any(argument.takes_media for argument in self.arguments)

    def findings(self) -> list[Finding]:
        """List what is wrong with everything but the source, the field of each named."""
        found = [*name_findings("alias", self.alias), *self._argument_findings()]
        if problem := notation_problem(self.output_type):
            found.append(Finding("error", "output_type", None, problem))
        elif types.holds_media(self.parsed_output_type):
            found.append(Finding("error", "output_type", None, f"{self.output_type} is for arguments only."))
        if len(self.scoring_logic.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
            kib = len(self.scoring_logic.encode("utf-8", "surrogatepass")) / 1024
            message = f"The scoring logic is {kib:.1f} KiB long; at most {MAX_SOURCE_BYTES // 1024} KiB fit."
            found.append(Finding("error", "scoring_logic", None, message))
        if len(self.description) > MAX_DESCRIPTION:
            message = f"The description has {len(self.description):,} characters; at most {MAX_DESCRIPTION:,} fit."
            found.append(Finding("error", "description", None, message))
        found += [*input_type_findings(self), *self._example_findings()]
        if self.model_provider not in MODEL_PROVIDERS:
            near = did_you_mean(self.model_provider, MODEL_PROVIDERS)
            message = f"{self.model_provider[:60]!r} is no model provider.{near} Known: {', '.join(MODEL_PROVIDERS)}."
            found.append(Finding("error", "model_provider", None, message))
        if not self.description.strip():
            message = "Say what the model is for, its use cases and its limits."
            found.append(Finding("hint", "description", None, message))
        return found

    def _argument_findings(self) -> list[Finding]:
        found: list[Finding] = []
        seen: set[str] = set()
        for index, argument in enumerate(self.arguments):
            field, name = f"arguments[{index}]", argument.alias
            found += argument.findings(field)
            if name in seen:
                message = f"`{name}` is declared twice. Give each argument a name of its own."
                found.append(Finding("error", f"{field}.alias", None, message))
            if name in self.given_names or name in self.resources:
                message = f"`{name}` is a name the platform gives to scoring logic. Try `{name}_value`."
                found.append(Finding("error", f"{field}.alias", None, message))
            seen.add(name)
        return found

    def _example_findings(self) -> list[Finding]:
        """List the examples that a call with them would refuse for the limits of an argument."""
        found: list[Finding] = []
        for index, example in enumerate(self.examples):
            for argument in (a for a in self.arguments if a.alias in example):
                if problem := argument.outside(example[argument.alias]):
                    message = f"Example {index + 1} gives `{argument.alias}` beyond its limits: {problem}"
                    found.append(Finding("warning", f"examples[{index}]", None, message))
        return found

    def _bound(self, argument: Argument, value: Any) -> Any:
        if value is not _MISSING:
            return argument.check(value, argument.alias)
        if argument.optional:
            return argument.default_value
        takes = self.signature_text.rpartition(" -> ")[0]
        raise ArgumentError(f"{self.alias} needs `{argument.alias}`, which is missing. It takes {takes}.")

    def _unknown(self, name: str) -> str:
        known = ", ".join(f"`{a.alias}`" for a in self.arguments) or "no arguments"
        near = did_you_mean(name, (a.alias for a in self.arguments))
        return f"{self.alias} has no argument `{name}`.{near} It takes {known}."


def _required_follows_optional(arguments: tuple[Argument, ...]) -> bool:
    flags = [a.optional for a in arguments]
    return flags != sorted(flags)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"
