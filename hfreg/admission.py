"""Admission: what a definition must pass, among the other models, to be saved or submitted.

Adds to what the definition and its source say of themselves: resources that exist and do not call in
circles, sources pinned to commits, and nobody who calls a model that is to go. It reads the store and asks
the Hub; it runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, LifecycleError, did_you_mean
from hfreg.lifecycle import State
from hfreg.scoring.check import repositories, source_findings
from hfreg.scoring.sources import unnamed_loads
from hfreg.settings import STARTERS
from hfreg.values import Finding
from hfreg.version import Pin, Source, Version

if TYPE_CHECKING:
    from hfreg.hub.fetch import Fetcher
    from hfreg.hub.provenance import Resolved
    from hfreg.store.definitions import Definitions
    from hfreg.store.folders import Folders

OUT_OF_USE = frozenset({State.REJECTED, State.ARCHIVED})
ORDER = {"error": 0, "warning": 1, "hint": 2}


def check(definition: Definition, store: Definitions) -> list[Finding]:
    """List everything there is to say about a definition, worst first; runs nothing."""
    found = [*definition.findings(), *source_findings(definition), *_resource_findings(definition, store)]
    return sorted(found, key=lambda f: (ORDER[f.level], f.line or 0))


def folder_findings(definition: Definition, folders: Folders) -> list[Finding]:
    """Say that the uploaded folder is not here: it can be uploaded after an import, so nothing is refused for it."""
    if not definition.folder or folders.find(definition.folder) is not None:
        return []
    message = f"The model folder {definition.folder[:19]}… is not stored here. Upload it before the model is called."
    return [Finding("warning", "folder", None, message)]


def require(definition: Definition, store: Definitions) -> None:
    """Raise DefinitionError with the findings when an error is among them."""
    findings = check(definition, store)
    errors = [f for f in findings if f.level == "error"]
    if not errors:
        return
    more = f" ({len(errors) - 1} more: see `findings`.)" if len(errors) > 1 else ""
    first = errors[0]
    where = first.field if first.line is None else f"{first.field}, line {first.line}"
    raise DefinitionError(f"`{definition.alias}` cannot be registered. {where}: {first.message}{more}", findings)


def resolve(
    definition: Definition,
    fetcher: Fetcher,
    pins: Sequence[Pin] = (),
    sources: Sequence[Source] = (),
    every: bool = False,
) -> Resolved:
    """Pin what the source names literally and record what it is; returns all pins and sources, old and new.

    What is pinned already is described with `every` only.
    """
    from hfreg.hub.provenance import resolve_literals

    fresh = resolve_literals(repositories(definition.code), fetcher, STARTERS, pins, sources, every)
    return fresh._replace(pins=(*pins, *fresh.pins), sources=(*sources, *fresh.sources))


def require_pinned(version: Version) -> None:
    """Raise LifecycleError naming the sources that no commit is known for."""
    if version.unresolved:
        reasons = " ".join(version.unresolved)
        raise LifecycleError(
            f"{version.alias} cannot be submitted for approval, because not every source is pinned: {reasons} "
            "Run it once, or save it again with the Hub in reach."
        )
    lines = [] if version.pins else unnamed_loads(version.definition.code)
    if lines:
        raise LifecycleError(
            f"{version.alias} cannot be submitted for approval, because nobody knows yet what it loads: the repo id in "
            f"line {lines[0]} is built at run time, and it was never loaded. Run it once first, which pins it."
        )


def callers(alias: str, store: Definitions) -> list[str]:
    """List the other models of which a version in use calls this one."""
    return [
        caller
        for caller in store.aliases()
        if caller != alias and any(alias in version.definition.resources for version in _in_use(caller, store))
    ]


def require_uncalled(alias: str, store: Definitions) -> None:
    """Raise LifecycleError naming the models that call this one."""
    if found := callers(alias, store):
        raise LifecycleError(f"{alias} is called by {', '.join(found)}. Change that first.")


def _resource_findings(definition: Definition, store: Definitions) -> Iterator[Finding]:
    known = store.aliases()
    for index, alias in enumerate(definition.resources):
        field = f"resources[{index}]"
        if alias == definition.alias:
            yield Finding("error", field, None, f"`{alias}` calls itself. A model cannot be its own resource.")
        elif alias not in known:
            near = did_you_mean(alias, known)
            yield Finding("error", field, None, f"`{alias}` is no registered model.{near}")
        elif circle := _circle(definition.alias, alias, store):
            yield Finding("error", field, None, f"These models call each other in a circle: {' → '.join(circle)}.")


def _circle(start: str, alias: str, store: Definitions) -> list[str]:
    """Return the way from `start` through `alias` back to `start`, or nothing."""
    ways = [[start, alias]]
    seen = {alias}
    while ways:
        way = ways.pop()
        versions = _in_use(way[-1], store)
        for resource in dict.fromkeys(r for version in versions for r in version.definition.resources):
            if resource == start:
                return [*way, start]
            if resource not in seen:
                seen.add(resource)
                ways.append([*way, resource])
    return []


def _in_use(alias: str, store: Definitions) -> list[Version]:
    known = store.versions(alias) if alias in store.aliases() else []
    return [version for version in known if version.state not in OUT_OF_USE]
