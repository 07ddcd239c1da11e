"""Records: the tables of the definitions file inside one transaction, as writers need them.

Finds, adds and changes documents; which change is allowed is said by `hfreg.store.definitions` and
`hfreg.lifecycle`. Nothing here outlives the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tinydb import TinyDB, where
from tinydb.table import Document

from hfreg.argument import name_problem
from hfreg.errors import DefinitionError, LifecycleError, UnknownModel
from hfreg.lifecycle import Action, State, after
from hfreg.store.documents import (
    HISTORY,
    SNAPSHOTS,
    VERSIONS,
    Deleted,
    dump_pin,
    dump_source,
    unknown_alias,
    unknown_version,
)
from hfreg.version import Pin, Source

OPEN = (State.DRAFT, State.PENDING)


class Records:
    """What one transaction reads and writes; every change carries the same time."""

    def __init__(self, db: TinyDB) -> None:
        self._versions = db.table(VERSIONS)
        self._snapshots = db.table(SNAPSHOTS)
        self._history = db.table(HISTORY)
        self.now = datetime.now(UTC).isoformat()

    def versions(self, alias: str) -> list[Document]:
        """List the versions of an alias, ascending; raises UnknownModel."""
        found = self._versions.search(where("alias") == alias)
        if not found:
            raise UnknownModel(unknown_alias(alias, sorted({d["alias"] for d in self._versions})))
        return sorted(found, key=lambda document: int(document["number"]))

    def version(self, alias: str, number: int) -> Document:
        """Return one version; raises UnknownModel."""
        documents = {document["number"]: document for document in self.versions(alias)}
        if number not in documents:
            raise UnknownModel(unknown_version(alias, number, list(documents)))
        return documents[number]

    def definition(self, version: Document) -> dict[str, Any]:
        """Return what the newest snapshot of a version says, as it is stored."""
        mine = _of(version) & (where("snapshot") == version["snapshot"])
        return dict(self._snapshots.search(mine)[0]["definition"])

    def refuse_taken(self, alias: str, but: str = "") -> None:
        """Raise DefinitionError when an alias cannot be used or is taken, case aside."""
        if problem := name_problem(alias):
            raise DefinitionError(problem)
        for taken in sorted({d["alias"] for d in self._versions}):
            if taken.lower() == alias.lower() and taken != but:
                other = "" if taken == alias else f" as `{taken}`; aliases differ by more than case"
                raise DefinitionError(
                    f"`{alias}` is registered already{other}. Choose another alias, or edit that model."
                )

    def refuse_open(self, alias: str) -> None:
        """Raise LifecycleError when a version of an alias is still in the making."""
        for document in self.versions(alias):
            if document["state"] in OPEN:
                raise LifecycleError(
                    f"{alias} version {document['number']} is still {document['state']}. "
                    "Finish, archive or delete it before another is opened."
                )

    def next_number(self, alias: str) -> int:
        """Return the number of the next version; one that was deleted is not given again."""
        entries = self._history.search(where("alias") == alias)
        return 1 + max(d["version"] or 0 for d in [*entries, {"version": self.versions(alias)[-1]["number"]}])

    def open_version(
        self, alias: str, number: int, content: dict[str, Any], author: str, note: str, **fields: Any
    ) -> Document:
        """Add a Draft with its first snapshot."""
        document = {
            "alias": alias,
            "number": number,
            "state": State.DRAFT,
            "author": author,
            "created_at": self.now,
            "snapshot": 0,
            "pins": [],
            "unresolved": [],
            "demonstration": False,
            "submitted": False,
            "archived_from": None,
            **fields,
        }
        version = Document(document, self._versions.insert(document))
        self.add_snapshot(version, content, author, note)
        return version

    def add_snapshot(self, version: Document, content: dict[str, Any], author: str, note: str) -> None:
        """Add what a save said, and make it the newest of its version."""
        number = version["snapshot"] + 1
        key = {"alias": version["alias"], "number": version["number"], "snapshot": number}
        self._snapshots.insert({**key, "definition": content, "author": author, "at": self.now, "note": note})
        self.change(version, snapshot=number)

    def change(self, version: Document, **fields: Any) -> None:
        """Change fields of a version."""
        version.update(fields)
        self._versions.update(fields, doc_ids=[version.doc_id])

    def note(
        self,
        version: Document,
        actor: str,
        action: str,
        comment: str = "",
        from_state: str | None = None,
        to_state: str | None = None,
    ) -> None:
        """Add an entry to the history of a model."""
        self._history.insert(
            {
                "alias": version["alias"],
                "at": self.now,
                "actor": actor,
                "action": action,
                "version": version["number"],
                "snapshot": version["snapshot"],
                "comment": comment,
                "from_state": from_state,
                "to_state": to_state,
            }
        )

    def remove(self, version: Document) -> Deleted:
        """Remove a version and its snapshots, and return them; its history stays."""
        deleted = Deleted(dict(version), tuple(dict(d) for d in self._snapshots.search(_of(version))))
        self._snapshots.remove(_of(version))
        self._versions.remove(doc_ids=[version.doc_id])
        return deleted

    def put_back(self, deleted: Deleted) -> Document:
        """Add what `remove` took; raises DefinitionError or LifecycleError when something else has its place."""
        alias, number = deleted.version["alias"], deleted.version["number"]
        self.refuse_taken(alias, but=alias)
        beside = self._versions.search(where("alias") == alias)
        if any(document["number"] == number for document in beside):
            raise LifecycleError(
                f"`{alias}` was registered again after its version {number} was deleted. Rename or delete the new one "
                "first."
            )
        if beside:
            self.refuse_open(alias)
        self._snapshots.insert_multiple([dict(snapshot) for snapshot in deleted.snapshots])
        document = dict(deleted.version)
        return Document(document, self._versions.insert(document))

    def rename(self, alias: str, new_alias: str) -> None:
        """Give everything that is kept of a model another alias."""
        for table in (self._versions, self._snapshots, self._history):
            table.update({"alias": new_alias}, where("alias") == alias)


def step(version: Mapping[str, Any], action: Action) -> State:
    """Return the state that an action leads to; raises LifecycleError naming the version."""
    try:
        return after(State(version["state"]), action)
    except LifecycleError as error:
        raise LifecycleError(f"{version['alias']} version {version['number']}: {error}") from None


def with_pin(version: Document, pins: Iterable[Pin]) -> list[dict[str, Any]]:
    """Return the pins of a version and those added; raises LifecycleError for one that contradicts."""
    kept = list(version["pins"])
    for pin in pins:
        same = [p for p in kept if (p["repo"], p["revision"]) == (pin.repo, pin.revision)]
        if not same:
            kept.append(dump_pin(pin))
        elif same[0]["commit"] != pin.commit:
            raise LifecycleError(
                f"{version['alias']} version {version['number']} has {pin.repo} pinned to {same[0]['commit']}; "
                f"a pin is never changed, so it cannot become {pin.commit}. "
                "Name the commit you want as the revision in the scoring logic."
            )
    return kept


def with_pins_of(source: Document, pins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return pins, and before them those of a version for what they do not say."""
    said = {(pin["repo"], pin["revision"]) for pin in pins}
    return [*(pin for pin in source["pins"] if (pin["repo"], pin["revision"]) not in said), *pins]


def with_sources(version: Document, sources: Iterable[Source]) -> list[dict[str, Any]]:
    """Return the sources of a version and those added; one that says what another says already is left out."""
    kept = list(version.get("sources", ()))
    for source in sources:
        document = dump_source(source)
        if not any(_says(known) == _says(document) for known in kept):
            kept.append(document)
    return kept


def _says(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in {"at", "libraries"}}


def _of(version: Document) -> Any:
    return (where("alias") == version["alias"]) & (where("number") == version["number"])
