"""Definitions: models and their versions, with every save, state and word about them.

A version has numbered snapshots that nobody changes; only `clone` makes another version; pins are only
added; everything done is an Entry of the history. What another process saved is seen at the next read,
which costs one stat while the file is the same. Calls are kept in `hfreg.store.events`; whether a
definition is fit to be registered is asked by `hfreg.registry` before it comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, EditConflict, LifecycleError, UnknownModel
from hfreg.lifecycle import Action, State
from hfreg.store.documents import TABLES, Catalogue, Deleted, Entry, Snapshot, dump_definition, from_plain
from hfreg.store.envelope import Content
from hfreg.store.records import OPEN, Records, step, with_pin, with_pins_of, with_sources
from hfreg.store.storage import AtomicStorage
from hfreg.version import Pin, Source, Version

__all__ = ["Definitions", "Deleted", "Entry", "Snapshot"]


class Definitions:
    """The registered models of one file; safe for any number of threads and processes."""

    def __init__(self, path: str | Path) -> None:
        self.storage = AtomicStorage(path, tables=TABLES, migrations={0: from_plain})
        self._seen: tuple[Content, Catalogue] | None = None

    def get(self, alias: str, number: int | None = None) -> Version:
        """Return a version: the newest Approved unless numbered, else the newest that runs, else the newest.

        Raises UnknownModel naming what is known.
        """
        return self._catalogue().get(alias, number)

    def find(self, alias: str, number: int | None = None) -> Version | None:
        """Return what `get` would, or None."""
        try:
            return self.get(alias, number)
        except UnknownModel:
            return None

    def newest(self, alias: str) -> Version:
        """Return the version with the highest number; raises UnknownModel."""
        catalogue = self._catalogue()
        return catalogue.get(alias, max(catalogue.numbers(alias)))

    def versions(self, alias: str) -> list[Version]:
        """List the versions of a model, ascending; raises UnknownModel."""
        catalogue = self._catalogue()
        return [catalogue.get(alias, number) for number in catalogue.numbers(alias)]

    def all(self) -> list[Version]:
        """List the newest version of every model, by alias."""
        catalogue = self._catalogue()
        return [catalogue.get(alias, max(numbers)) for alias, numbers in catalogue.versions.items()]

    def aliases(self) -> list[str]:
        """List the aliases, in order."""
        return list(self._catalogue().versions)

    def snapshots(self, alias: str, number: int) -> list[Snapshot]:
        """List what each save of a version said, oldest first; raises UnknownModel."""
        return self._catalogue().snapshots(alias, number)

    def history(self, alias: str) -> list[Entry]:
        """List what happened to a model, newest first; raises UnknownModel."""
        return self._catalogue().history(alias)

    def submitted(self, alias: str, number: int) -> bool:
        """Tell whether a version was ever submitted; such a one is archived rather than deleted."""
        return bool(self._catalogue().document(alias, number)["submitted"])

    def add(
        self,
        definition: Definition,
        author: str,
        note: str = "",
        pins: Iterable[Pin] = (),
        unresolved: Iterable[str] = (),
        demonstration: bool = False,
        sources: Iterable[Source] = (),
    ) -> Version:
        """Keep a new model as version 1, a Draft; raises DefinitionError when the alias is taken."""
        with self._transaction() as records:
            records.refuse_taken(definition.alias)
            content = dump_definition(definition)
            version = records.open_version(
                definition.alias, 1, content, author, note, unresolved=list(unresolved), demonstration=demonstration
            )
            records.change(version, pins=with_pin(version, pins), sources=with_sources(version, sources))
            records.note(version, author, "Register", note, None, State.DRAFT)
        return self.get(definition.alias, 1)

    def save(
        self,
        alias: str,
        number: int,
        definition: Definition,
        author: str,
        note: str = "",
        expected_snapshot: int | None = None,
        pins: Iterable[Pin] = (),
        unresolved: Iterable[str] = (),
        rename: bool = False,
        sources: Iterable[Source] = (),
    ) -> Version:
        """Keep a new snapshot of a Draft; with `rename` the model takes the alias of the definition, too.

        `expected_snapshot` is the one the author started from: EditConflict when there is a newer. Raises
        LifecycleError for any other state, DefinitionError when the definition bears another alias and it is not
        to be renamed, and whatever `rename` raises. What is refused changes nothing.
        """
        if definition.alias != alias and not rename:
            raise DefinitionError(
                f"This definition is of `{definition.alias}`, not of `{alias}`. Rename the model first."
            )
        with self._transaction() as records:
            version = records.version(alias, number)
            state = step(version, Action.EDIT)
            if expected_snapshot not in (None, version["snapshot"]):
                raise EditConflict(self._conflict(alias, number, expected_snapshot))
            records.add_snapshot(version, dump_definition(definition), author, note)
            records.change(version, pins=with_pin(version, pins), sources=with_sources(version, sources))
            records.change(version, unresolved=list(unresolved))
            records.note(version, author, Action.EDIT, note, version["state"], state)
            if definition.alias != alias:
                _rename(records, alias, definition.alias, author)
        return self.get(definition.alias, number)

    def clone(self, alias: str, number: int, author: str, note: str = "", pins: Iterable[Pin] = ()) -> Version:
        """Open the next version as a Draft that says what `number` says, with its pins, which `pins` replace.

        Raises LifecycleError when a version is still in the making.
        """
        with self._transaction() as records:
            source = records.version(alias, number)
            records.refuse_open(alias)
            note = note or f"Clone of version {number}"
            kept = {name: source[name] for name in ("unresolved", "demonstration")}
            kept["sources"] = source.get("sources", [])
            made = records.next_number(alias)
            version = records.open_version(alias, made, records.definition(source), author, note, **kept)
            records.change(version, pins=with_pins_of(source, with_pin(version, pins)))
            records.note(version, author, "Clone", note, None, State.DRAFT)
        return self.get(alias, made)

    def set_state(self, alias: str, number: int, action: Action, actor: str, comment: str = "") -> Version:
        """Do what an action does to the state of a version; raises LifecycleError naming what is possible."""
        with self._transaction() as records:
            version = records.version(alias, number)
            before, state = version["state"], step(version, action)
            if state is State.PENDING:
                records.change(version, submitted=True)
            if state is State.ARCHIVED:
                records.change(version, archived_from=before)
            records.change(version, state=state)
            records.note(version, actor, action, comment, before, state)
        return self.get(alias, number)

    def unarchive(self, alias: str, number: int, actor: str, comment: str = "") -> Version:
        """Bring an archived version back to the state it was archived from; raises LifecycleError."""
        with self._transaction() as records:
            version = records.version(alias, number)
            if version["state"] != State.ARCHIVED:
                raise LifecycleError(f"{alias} version {number} is {version['state']}, not Archived: nothing to undo.")
            if version["archived_from"] in OPEN:
                records.refuse_open(alias)
            state = version["archived_from"]
            records.change(version, state=state, archived_from=None)
            records.note(version, actor, "Unarchive", comment, State.ARCHIVED, state)
        return self.get(alias, number)

    def delete(self, alias: str, number: int, actor: str) -> Deleted:
        """Remove a Draft that was never submitted; its history stays. Raises LifecycleError.

        What it returns is all that is left of it, and `undelete` takes it.
        """
        with self._transaction() as records:
            version = records.version(alias, number)
            if version["state"] != State.DRAFT or version["submitted"]:
                was = "was submitted before" if version["state"] == State.DRAFT else f"is {version['state']}"
                raise LifecycleError(
                    f"{alias} version {number} {was}. Only a Draft that was never submitted can be deleted; archive it."
                )
            deleted = records.remove(version)
            records.note(version, actor, "Delete", "", State.DRAFT, None)
        return deleted

    def undelete(self, deleted: Deleted, actor: str) -> Version:
        """Put a deleted Draft back as it was: its number, every snapshot, its pins.

        Raises LifecycleError or DefinitionError when something else has its place by now.
        """
        with self._transaction() as records:
            version = records.put_back(deleted)
            records.note(version, actor, "Undelete", "", None, State.DRAFT)
        return self.get(version["alias"], version["number"])

    def rename(self, alias: str, new_alias: str, actor: str) -> Version:
        """Give a model another alias, with all its versions; raises LifecycleError once one was submitted.

        Raises DefinitionError when the new alias cannot be used or is taken.
        """
        with self._transaction() as records:
            _rename(records, alias, new_alias, actor)
        return self.newest(new_alias)

    def add_pin(self, alias: str, number: int, pin: Pin) -> Version:
        """Record what a repository was resolved to; the same pin again changes nothing.

        Raises LifecycleError for an Approved version, and for a pin that contradicts one there is.
        """
        with self._transaction() as records:
            version = records.version(alias, number)
            pins = with_pin(version, [pin])
            if len(pins) > len(version["pins"]):
                if version["state"] == State.APPROVED:
                    raise LifecycleError(
                        f"{alias} version {number} is Approved and has no pin for {pin.repo}; none can be added any "
                        "more. Clone the version, pin the repository there and submit it."
                    )
                # Each is a sentence that begins with the repository it is about.
                left = [sentence for sentence in version["unresolved"] if not sentence.startswith(f"`{pin.repo}`")]
                records.change(version, pins=pins, unresolved=left)
        return self.get(alias, number)

    def add_source(self, alias: str, number: int, source: Source) -> Version:
        """Record what a source is, beside what is recorded already; raises LifecycleError for an Approved version."""
        with self._transaction() as records:
            version = records.version(alias, number)
            sources = with_sources(version, [source])
            if len(sources) > len(version.get("sources", ())):
                if version["state"] == State.APPROVED:
                    raise LifecycleError(f"{alias} version {number} is Approved; nothing is added to its sources.")
                records.change(version, sources=sources)
        return self.get(alias, number)

    def _conflict(self, alias: str, number: int, expected: int | None) -> str:
        stored = self.get(alias, number)
        when = f"{stored.saved_at:%Y-%m-%d %H:%M} UTC"
        return (
            f"{stored.saved_by} saved {alias} version {number} as snapshot {stored.snapshot} on {when}, after you "
            f"opened snapshot {expected}. Nothing was overwritten: compare the two and save again."
        )

    @contextmanager
    def _transaction(self) -> Iterator[Records]:
        with self.storage.transaction() as db:
            yield Records(db)

    def _catalogue(self) -> Catalogue:
        content = self.storage.content()
        seen = self._seen
        if seen is None or seen[0] is not content:
            seen = (content, Catalogue(content.tables, seen[1] if seen else None))
            self._seen = seen
        return seen[1]


def _rename(records: Records, alias: str, new_alias: str, actor: str) -> None:
    versions = records.versions(alias)
    if any(version["submitted"] for version in versions):
        raise LifecycleError(f"{alias} was submitted, so others may call it by this alias. Register it anew.")
    records.refuse_taken(new_alias, but=alias)
    records.rename(alias, new_alias)
    newest = records.versions(new_alias)[-1]
    records.note(newest, actor, "Rename", f"`{alias}` became `{new_alias}`", newest["state"], newest["state"])
