"""Checks of models and the last report of each, kept under the home: a file of its own for each alias.

What a check means is the matter of `hfreg.checks`, running them the registry's. A model that is renamed takes its file
along; the file of one that is deleted stays, as its history does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from tinydb import TinyDB
from tinydb.table import Document, Table

from hfreg.checks import Check, CheckReport
from hfreg.errors import CheckError, DefinitionError, StoreCorrupt, did_you_mean
from hfreg.floors import Floor
from hfreg.store.storage import AtomicStorage

ONES, REPORTS, FLOORS = "checks", "reports", "floors"
T = TypeVar("T", Check, CheckReport, Floor)


class Checks:
    """The checks of one home; the aliases that are given must be valid ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storages: dict[str, AtomicStorage] = {}
        self._making = threading.Lock()

    def all(self, alias: str) -> list[Check]:
        """List the checks of a model in the order in which they were added; raises StoreCorrupt."""
        kept = self._storage(alias).content().tables.get(ONES, {})
        return [self._read(alias, Check, kept[number]) for number in sorted(kept, key=int)]

    def names(self, alias: str) -> list[str]:
        """List the names that are taken: those of checks and of floors."""
        return [one.name for one in self.all(alias)] + [one.name for one in self.floors(alias)]

    def add(self, alias: str, check: Check) -> None:
        """Keep another check; raises CheckError when there is one of that name."""
        with self._storage(alias).transaction() as database:
            table = database.table(ONES)
            _refuse_taken(alias, database, check.name)
            table.insert(check.model_dump(mode="json"))

    def replace(self, alias: str, name: str, check: Check) -> None:
        """Put a check in the place of another; raises CheckError when there is none, or its new name is taken."""
        with self._storage(alias).transaction() as database:
            table = database.table(ONES)
            found = _named(alias, table, name)
            if check.name != name:
                _refuse_taken(alias, database, check.name)
            table.remove(doc_ids=[found.doc_id])
            table.insert(Document(check.model_dump(mode="json"), found.doc_id))

    def delete(self, alias: str, name: str) -> Check:
        """Delete a check and return it; raises CheckError naming those there are."""
        with self._storage(alias).transaction() as database:
            table = database.table(ONES)
            found = _named(alias, table, name)
            table.remove(doc_ids=[found.doc_id])
        return self._read(alias, Check, found)

    def floors(self, alias: str) -> list[Floor]:
        """List the floors of a model in the order in which they were added; raises StoreCorrupt."""
        kept = self._storage(alias).content().tables.get(FLOORS, {})
        return [self._read(alias, Floor, kept[number]) for number in sorted(kept, key=int)]

    def add_floor(self, alias: str, floor: Floor) -> None:
        """Keep another floor; raises CheckError when there is a check or floor of that name."""
        with self._storage(alias).transaction() as database:
            _refuse_taken(alias, database, floor.name)
            database.table(FLOORS).insert(floor.model_dump(mode="json"))

    def delete_floor(self, alias: str, name: str) -> Floor:
        """Delete a floor and return it; raises CheckError naming those there are."""
        with self._storage(alias).transaction() as database:
            table = database.table(FLOORS)
            found = _named(alias, table, name)
            table.remove(doc_ids=[found.doc_id])
        return self._read(alias, Floor, found)

    def report(self, alias: str) -> CheckReport | None:
        """Return the last report, None when the checks never ran."""
        kept = self._storage(alias).content().tables.get(REPORTS, {})
        return self._read(alias, CheckReport, kept[max(kept, key=int)]) if kept else None

    def keep(self, report: CheckReport) -> None:
        """Keep a report in the place of the one before."""
        with self._storage(report.alias).transaction() as database:
            database.table(REPORTS).truncate()
            database.table(REPORTS).insert(report.model_dump(mode="json", exclude={"stale"}))

    def rename(self, alias: str, new_alias: str) -> None:
        """Give what is kept of one alias to another, whose own is replaced."""
        kept = self._storage(alias).content().tables
        if alias == new_alias:
            return
        if not kept and not self._storage(new_alias).content().tables:
            return
        with self._storage(new_alias).transaction() as database:
            database.drop_tables()
            for name, renamed in ((ONES, {}), (FLOORS, {}), (REPORTS, {"alias": new_alias})):
                table = kept.get(name, {})
                database.table(name).insert_multiple({**table[key], **renamed} for key in sorted(table, key=int))
        with self._storage(alias).transaction() as database:
            database.drop_tables()

    def _storage(self, alias: str) -> AtomicStorage:
        with self._making:
            if alias not in self._storages:
                self._storages[alias] = AtomicStorage(self._folder / f"{alias}.json", (ONES, REPORTS, FLOORS))
            return self._storages[alias]

    def _read(self, alias: str, kind: type[T], document: Mapping[str, Any]) -> T:
        try:
            return kind(**document)
        except (DefinitionError, TypeError):
            path = self._storage(alias).path
            raise StoreCorrupt(
                f"A check in {path} cannot be read. Was it kept by a newer hfreg? Upgrade, or move that file away."
            ) from None


def _named(alias: str, table: Table, name: str) -> Document:
    """Return the document of a check; raises CheckError naming those there are."""
    if (found := next((document for document in table if document["name"] == name), None)) is not None:
        return found
    known = [document["name"] for document in table]
    there = f" It has {', '.join(f'`{one}`' for one in known[:20])}." if known else " It has none."
    raise CheckError(f"{alias} has no check `{name}`.{did_you_mean(name, known)}{there}")


def _refuse_taken(alias: str, database: TinyDB, name: str) -> None:
    if any(document["name"] == name for kind in (ONES, FLOORS) for document in database.table(kind)):
        raise CheckError(f"{alias} has a check `{name}` already. Delete it first, or choose another name.")
