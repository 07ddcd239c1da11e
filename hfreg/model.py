"""Model: a registered model as a Python function.

A Model knows its alias and asks the registry on every call which version that means now, so that what
another process registered or approved is seen without a restart. `model(...)` returns the value or raises;
`model.run(...)` returns the Outcome either way; `model.map(rows)` runs a table.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hfreg.definition import Definition
from hfreg.engine import Outcome
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.registry import Registry


class Model:
    """One alias, callable; `version` is fixed when it was asked for by number."""

    def __init__(self, registry: Registry, alias: str, number: int | None = None) -> None:
        self.__name__ = self.__qualname__ = alias
        self._registry = registry
        self._number = number

    def __call__(self, /, *positional: Any, **named: Any) -> Any:
        """Return the answer, or raise what stands in its place."""
        return self._registry.call(self.version, positional, named, files=True).result()

    def run(self, /, *positional: Any, **named: Any) -> Outcome:
        """Return the Outcome: the value or the error, with warnings, printed text and timings."""
        return self._registry.call(self.version, positional, named, files=True)

    def map(self, rows: Iterable[Mapping[str, Any]], /) -> Iterator[Outcome]:
        """Yield the Outcome of each row in order; a row that fails carries its error and stops nothing."""
        version, definition = self.version, self.definition
        named = (definition.with_files(row) for row in rows) if definition.takes_media else rows
        return iter(self._registry.start(version, named))

    @property
    def version(self) -> Version:
        """The version that a call would run now."""
        return self._registry.get(self.__name__, self._number)

    @property
    def definition(self) -> Definition:
        """The definition that a call would run now."""
        return self.version.definition

    @property
    def __signature__(self) -> inspect.Signature:
        return self.definition.signature

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return describe(self.version)

    def __repr__(self) -> str:
        version = self.version
        return f"<Model {self.__name__}{version.definition.signature_text} version {version.number} {version.state}>"


def describe(version: Version) -> str:
    """Return what `help()` shows of a model: purpose, arguments with their usage, the answer."""
    definition = version.definition
    lines = [definition.description or definition.title, ""]
    if definition.arguments:
        lines.append("Arguments:")
    for argument in definition.arguments:
        about = f", default {argument.default_value!r}" if argument.optional else ""
        usage = f": {argument.usage}" if argument.usage else ""
        lines.append(f"    {argument.alias} ({argument.described}{about}){usage}")
    lines += [f"Returns {definition.output_type}.", "", f"Version {version.number}, {version.state}."]
    return "\n".join(lines)
