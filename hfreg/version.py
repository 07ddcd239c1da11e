"""Version: a definition that the registry keeps under a number and a state, and the Pins of its sources.

Both are plain values; who makes them is `hfreg.store.definitions`, what may happen to them `hfreg.lifecycle`.
"""

from __future__ import annotations

from datetime import datetime

from hfreg.definition import Definition
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

    @property
    def searched(self) -> str:
        """The text in which the catalog looks for words."""
        d = self.definition
        said = (d.alias, d.name, d.description, d.group, d.model_type, d.permissible_purpose, self.state)
        return " ".join(said).lower()

    def __repr__(self) -> str:
        return f"<Version {self.alias} {self.number} {self.state}, snapshot {self.snapshot} by {self.author}>"

    __str__ = __repr__
