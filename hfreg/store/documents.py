"""What the definitions file holds, read: its documents as Versions, Snapshots and Entries.

Three tables: `versions` (one document per alias and number), `snapshots` (what each save said, without
the alias, which is the key of a model rather than a part of its definition) and `history`. A Catalogue is
one generation of them, indexed; objects are made when first asked for and kept while their documents
stay equal. Writing is `hfreg.store.records`, rules are `hfreg.lifecycle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, StoreError, UnknownModel, did_you_mean
from hfreg.lifecycle import RUNNABLE, State
from hfreg.store.envelope import Tables
from hfreg.values import Frozen
from hfreg.version import Pin, Source, Version

VERSIONS, SNAPSHOTS, HISTORY = "versions", "snapshots", "history"
TABLES = (VERSIONS, SNAPSHOTS, HISTORY)
_NAMED_AT_MOST = 20

Document = Mapping[str, Any]
_Key = tuple[str, int]


class Snapshot(Frozen):
    """What one save of a version said; immutable, numbered from 1 within its version."""

    number: int
    definition: Definition
    author: str
    at: datetime
    note: str = ""


class Entry(Frozen):
    """One thing that happened to a model: who did what to which version, when, and what they said."""

    at: datetime
    actor: str
    action: str
    version: int | None = None
    snapshot: int | None = None
    comment: str = ""
    from_state: State | None = None
    to_state: State | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Deleted:
    """A deleted version with all its saves, as the documents said them; `Definitions.undelete` puts it back."""

    version: Document
    snapshots: tuple[Document, ...]

    def __repr__(self) -> str:
        return f"<Deleted {self.version['alias']} version {self.version['number']}, {len(self.snapshots)} snapshots>"

    @property
    def definition(self) -> Definition:
        """What its newest snapshot said."""
        newest = max(self.snapshots, key=lambda snapshot: int(snapshot["snapshot"]))
        return read_definition(self.version["alias"], newest["definition"])


class Catalogue:
    """One generation of the tables, indexed by alias; reads only."""

    def __init__(self, tables: Tables, earlier: Catalogue | None = None) -> None:
        self.versions: dict[str, dict[int, Document]] = {}
        self._snapshots: dict[_Key, dict[int, Document]] = {}
        self._history = tables.get(HISTORY, {})
        for document in sorted(tables.get(VERSIONS, {}).values(), key=lambda d: (d["alias"], d["number"])):
            self.versions.setdefault(document["alias"], {})[document["number"]] = document
        for document in tables.get(SNAPSHOTS, {}).values():
            key = (document["alias"], document["number"])
            self._snapshots.setdefault(key, {})[document["snapshot"]] = document
        known = {} if earlier is None else earlier._built
        self._built: dict[_Key, tuple[Document, Document, Version]] = {
            key: built for key, built in known.items() if key in self._snapshots
        }
        self._ready: dict[tuple[str, int | None], Version] = {}

    def get(self, alias: str, number: int | None = None) -> Version:
        """Return a version, by default the one that a call by alias means; raises UnknownModel."""
        ready = self._ready.get((alias, number))
        if ready is None:
            numbers = self.numbers(alias)
            ready = self._version(alias, _chosen(numbers) if number is None else number)
            self._ready[alias, number] = ready
        return ready

    def numbers(self, alias: str) -> dict[int, Document]:
        """Return the documents of the versions of an alias, ascending; raises UnknownModel naming the known ones."""
        try:
            return self.versions[alias]
        except KeyError:
            raise UnknownModel(unknown_alias(alias, list(self.versions))) from None

    def document(self, alias: str, number: int) -> Document:
        """Return the document of one version; raises UnknownModel naming the numbers there are."""
        numbers = self.numbers(alias)
        try:
            return numbers[number]
        except KeyError:
            raise UnknownModel(unknown_version(alias, number, list(numbers))) from None

    def snapshots(self, alias: str, number: int) -> list[Snapshot]:
        """List what each save of a version said, oldest first."""
        self.document(alias, number)
        documents = self._snapshots[alias, number]
        return [read_snapshot(alias, documents[n]) for n in sorted(documents)]

    def history(self, alias: str) -> list[Entry]:
        """List what happened to a model, newest first; also of one that was deleted."""
        mine = [(int(key), d) for key, d in self._history.items() if d["alias"] == alias]
        if not mine:
            self.numbers(alias)
        return [read_entry(d) for _, d in sorted(mine, key=lambda pair: pair[0], reverse=True)]

    def _version(self, alias: str, number: int) -> Version:
        document = self.document(alias, number)
        snapshot = self._snapshots[alias, number][document["snapshot"]]
        built = self._built.get((alias, number))
        if built is None or built[0] != document or built[1] != snapshot:
            built = (document, snapshot, read_version(document, snapshot))
            self._built[alias, number] = built
        return built[2]


def from_plain(tables: Tables) -> Tables:
    """Bring the tables of a plain TinyDB file (schema 0) up to schema 1: the fields that came later."""
    later = {"pins": [], "unresolved": [], "demonstration": False, "submitted": False, "archived_from": None}
    versions = {
        key: {**later, "submitted": document.get("state") != State.DRAFT, **document}
        for key, document in tables.get(VERSIONS, {}).items()
    }
    return {**tables, VERSIONS: versions}


def dump_definition(definition: Definition) -> dict[str, Any]:
    """Return what a snapshot keeps of a definition: all but its alias."""
    return definition.model_dump(mode="json", exclude={"alias"})


def dump_pin(pin: Pin) -> dict[str, Any]:
    """Return a pin as a document."""
    return pin.model_dump(mode="json")


def dump_source(source: Source) -> dict[str, Any]:
    """Return a source as a document, without what has its default."""
    return source.model_dump(mode="json", exclude_defaults=True)


def read_definition(alias: str, document: Document) -> Definition:
    """Make a Definition of a document; raises StoreError when it was written by a newer hfreg."""
    try:
        return Definition(alias=alias, **document)
    except DefinitionError as error:
        raise StoreError(
            f"The stored definition of {alias} cannot be read: {error} Is it from a newer hfreg?"
        ) from error


def read_snapshot(alias: str, document: Document) -> Snapshot:
    """Make a Snapshot of a document."""
    return Snapshot(
        number=document["snapshot"],
        definition=read_definition(alias, document["definition"]),
        author=document["author"],
        at=read_time(document["at"]),
        note=document["note"],
    )


def read_version(document: Document, snapshot: Document) -> Version:
    """Make a Version of its document and that of its newest snapshot."""
    return Version(
        alias=document["alias"],
        number=document["number"],
        state=State(document["state"]),
        definition=read_definition(document["alias"], snapshot["definition"]),
        author=document["author"],
        created_at=read_time(document["created_at"]),
        note=snapshot["note"],
        snapshot=document["snapshot"],
        saved_at=read_time(snapshot["at"]),
        saved_by=snapshot["author"],
        pins=tuple(Pin(**pin) for pin in document["pins"]),
        unresolved=tuple(document["unresolved"]),
        demonstration=document["demonstration"],
        sources=tuple(Source(**source) for source in document.get("sources", ())),
    )


def read_entry(document: Document) -> Entry:
    """Make an Entry of a document."""
    return Entry(**{name: value for name, value in document.items() if name != "alias"})


def read_time(text: str) -> datetime:
    """Read a stored time: aware, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def unknown_alias(alias: str, known: list[str]) -> str:
    """Say that nobody registered an alias, and what there is instead."""
    if not known:
        return f"No model `{alias}` is registered: there are none yet."
    named = ", ".join(known[:_NAMED_AT_MOST])
    more = f" and {len(known) - _NAMED_AT_MOST:,} more" if len(known) > _NAMED_AT_MOST else ""
    return f"No model `{alias}` is registered.{did_you_mean(alias, known)} Registered: {named}{more}."


def unknown_version(alias: str, number: int, known: list[int]) -> str:
    """Say that a model has no such version, and which it has."""
    return f"{alias} has no version {number}. It has {', '.join(map(str, known))}."


def _chosen(numbers: Mapping[int, Document]) -> int:
    # Newest Approved, else newest that runs, else newest.
    for states in ({State.APPROVED}, RUNNABLE, set(State)):
        if fitting := [number for number, document in numbers.items() if document["state"] in states]:
            return max(fitting)
    raise AssertionError("an alias without a version is not in the index")
