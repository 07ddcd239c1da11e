"""Version: a definition that the registry keeps under a number and a state, with the Pins and Sources of its code.

All are plain values; who makes them is `hfreg.store.definitions`, what may happen to them `hfreg.lifecycle`. Sources
are made and compared with what is loaded by `hfreg.hub`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from hfreg.definition import Definition
from hfreg.errors import UnknownModel
from hfreg.lifecycle import State
from hfreg.values import Frozen


class Pin(Frozen):
    """One append-only record of provenance: what a version's code asked for, and what it got.

    `revision` is what the code requested (None: the default branch), `commit` the full 40-hex commit,
    or `sha256:…` for a checkpoint shipped with the product.
    """

    repo: str
    revision: str | None
    commit: str
    at: datetime


class SourceFile(Frozen):
    """One file of a source: its size in bytes, and its SHA-256, or the git blob id where the Hub lists only that."""

    name: str
    size: int
    sha256: str = ""
    blob: str = ""


class Source(Frozen):
    """One append-only record of what a source was when a version met it; never changed, later ones stand beside it.

    `said_by` tells where it is from: the `hub`, this `disk` (then only fetched files are listed, and what the Hub alone
    knows is None or unknown), or `hfreg` for what ships with it. `complete` is whether every file is listed. `scan` is
    the Hub's security status; absent is `unknown`, which is not safe. `libraries` are the versions installed then.
    """

    repo: str
    revision: str | None
    commit: str
    at: datetime
    said_by: Literal["hub", "disk", "hfreg"]
    files: tuple[SourceFile, ...] = ()
    complete: bool = False
    licences: tuple[str, ...] = ()
    gated: bool | None = None
    private: bool | None = None
    scan: Literal["unknown", "not finished", "no issues found", "issues found"] = "unknown"
    scanned: tuple[str, ...] = ()
    libraries: Mapping[str, str] = {}

    @property
    def bytes(self) -> int:
        """The sizes of its listed files together."""
        return sum(file.size for file in self.files)


class Version(Frozen):
    """A definition under a number and a state, as the registry keeps it."""

    alias: str
    number: int
    state: State
    definition: Definition
    author: str
    created_at: datetime
    note: str = ""
    snapshot: int = 1
    saved_at: datetime | None = None
    saved_by: str = ""
    pins: tuple[Pin, ...] = ()
    unresolved: tuple[str, ...] = ()
    demonstration: bool = False
    sources: tuple[Source, ...] = ()

    def source(self, repo: str, commit: str) -> Source | None:
        """Find what is known best of a source at a commit: what the Hub said last, else what was found on this disk."""
        mine = [source for source in self.sources if (source.repo, source.commit) == (repo, commit)]
        return max(mine, key=lambda source: (source.said_by == "hub", source.at), default=None)

    @property
    def searched(self) -> str:
        """The text in which the catalog looks for words."""
        d = self.definition
        said = (d.alias, d.name, d.description, d.group, d.model_type, d.permissible_purpose, self.state)
        return " ".join(said).lower()

    def __repr__(self) -> str:
        return f"<Version {self.alias} {self.number} {self.state}, snapshot {self.snapshot} by {self.author}>"

    __str__ = __repr__


def called_by(version: Version, get: Callable[[str], Version]) -> tuple[Version, ...]:
    """Return every version that a call of this one may run besides itself, as `get` finds them by alias now."""
    found: dict[str, Version] = {}
    named = list(version.definition.resources)
    while named:
        if (alias := named.pop()) in found or alias == version.alias:
            continue
        try:
            found[alias] = get(alias)
        except UnknownModel:  # the call that needs it says so
            continue
        named += found[alias].definition.resources
    return tuple(found.values())
