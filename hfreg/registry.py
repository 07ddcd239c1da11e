"""Registry: the one way into everything hfreg does. A facade: each method checks, delegates and returns.

It holds the definitions, the invocation log, the Hub and one engine, and gives them to each other. Pages,
the Python library, the command line and serving all go through it; nothing else runs scoring logic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfreg import admission, portable
from hfreg.definition import Definition
from hfreg.errors import UnknownModel
from hfreg.evaluating import Evaluating
from hfreg.lifecycle import RUNNABLE, Action, State, review_action
from hfreg.model import Model
from hfreg.store.definitions import Deleted, Entry, Snapshot
from hfreg.values import Finding
from hfreg.version import Pin, Source, Version

if TYPE_CHECKING:
    from hfreg.hub.diagnosis import Diagnosis
    from hfreg.hub.upstream import Upstream
    from hfreg.metrics.threshold_sweep import ThresholdSweep


class Registry(Evaluating):
    """Everything under one home folder. `hfreg.open()` gives it; close it, or let the process end."""

    def __repr__(self) -> str:
        return f"<Registry {self.settings.home} ({self.settings.engine}, {len(self.definitions.aliases())} models)>"

    # Reading

    def model(self, alias: str, version: int | None = None) -> Model:
        """Return a registered model as a function; raises UnknownModel naming the known ones."""
        self.get(alias, version)
        if (model := self._models.get((alias, version))) is None:
            model = self._models.setdefault((alias, version), Model(self, alias, version))
        return model

    def get(self, alias: str, version: int | None = None) -> Version:
        """Return a version: the newest Approved one, else the Draft; or the one of that number."""
        try:
            return self.definitions.get(alias, version)
        except UnknownModel:
            if self.definitions.aliases():
                raise
            raise UnknownModel(self._empty(alias)) from None

    def catalog(self, query: str = "", state: str | None = None) -> list[Version]:
        """List the newest version of each alias whose words are all found and whose state fits."""
        words = query.lower().split()
        return [
            version
            for version in self.definitions.all()
            if (state is None or version.state == state) and all(w in version.searched for w in words)
        ]

    def versions(self, alias: str) -> list[Version]:
        """List the versions of an alias, oldest first."""
        return self.definitions.versions(alias)

    def snapshots(self, alias: str, version: int | None = None) -> list[Snapshot]:
        """List every save of one version."""
        return self.definitions.snapshots(alias, self._number(alias, version))

    def history(self, alias: str) -> list[Entry]:
        """List everything that was done to an alias, newest first."""
        return self.definitions.history(alias)

    def upstream(self, alias: str, version: int | None = None) -> tuple[Upstream, ...]:
        """Ask the Hub what changed since a version was registered, once for each source; changes nothing."""
        from hfreg.hub.upstream import upstream

        return upstream(self.get(alias, version), self.hub)

    def diagnose(self, repo: str = "") -> Diagnosis:
        """Tell where the token is from, whose it is, what it may, and whether a repository loads; keeps nothing."""
        from hfreg.hub.diagnosis import diagnose

        return diagnose(self.fetcher, repo)

    def check(self, definition: Definition) -> list[Finding]:
        """List what is to be said about a definition, worst first; runs nothing."""
        saved = self.definitions.find(definition.alias)
        return sorted(
            [
                *admission.check(definition, self.definitions),
                *self.licensing.findings(definition, saved.pins if saved else ()),
                *admission.folder_findings(definition, self.folders),
            ],
            key=lambda finding: admission.ORDER[finding.level],
        )

    # Writing

    def register(
        self,
        definition: Definition,
        note: str = "",
        author: str | None = None,
        pins: Sequence[Pin] = (),
        sources: Sequence[Source] = (),
        **flags: Any,
    ) -> Version:
        """Save a definition as version 1, a Draft, with `pins` and `sources` it has already.

        Raises DefinitionError with findings.
        """
        admission.require(definition, self.definitions)
        known = pins
        pins, unresolved, sources = admission.resolve(definition, self.fetcher, pins, sources)
        self._require_licences(definition, pins, known, sources)
        return self.definitions.add(
            definition, author or self.user, note, pins=pins, unresolved=unresolved, sources=sources, **flags
        )

    def edit(
        self,
        alias: str,
        definition: Definition,
        note: str = "",
        author: str | None = None,
        expected_snapshot: int | None = None,
        pins: Sequence[Pin] = (),
        sources: Sequence[Source] = (),
    ) -> Version:
        """Save a new snapshot of the Draft; raises EditConflict when another was saved since `expected_snapshot`.

        `pins` and `sources` are added to those of the Draft; a pin that contradicts them is a LifecycleError.
        """
        version = self.definitions.newest(alias)
        admission.require(definition, self.definitions)
        known = (*version.pins, *pins)
        told = (*version.sources, *sources)
        pins, unresolved, sources = admission.resolve(definition, self.fetcher, known, told)
        self._require_licences(definition, pins, known, sources)
        rename, who = definition.alias != alias, author or self.user
        if rename:
            admission.require_uncalled(alias, self.definitions)
        saved = self.definitions.save(
            alias, version.number, definition, who, note, expected_snapshot, pins, unresolved, rename, sources
        )
        if rename:
            self._moved(alias, definition.alias)
        return saved

    def restore(self, alias: str, snapshot: int, version: int | None = None, author: str | None = None) -> Version:
        """Save an earlier snapshot again, as the newest of the Draft."""
        number = self._number(alias, version)
        old = next((s for s in self.snapshots(alias, number) if s.number == snapshot), None)
        if old is None:
            raise UnknownModel(f"{alias} version {number} has no snapshot {snapshot}.")
        definition = old.definition.model_copy(update={"alias": alias})
        return self.edit(alias, definition, f"Restored snapshot {snapshot}", author)

    def save_threshold(
        self, found: ThresholdSweep, threshold: float, author: str | None = None, by: str = ""
    ) -> Version:
        """Make a swept threshold the default of its argument, with the evidence as the note of the save.

        A Draft gets another save; of a locked version the next one is made, a Draft. Raises EvaluationError when the
        newest version has other code than what was swept, LifecycleError while it is under review.
        """
        newest = self.definitions.newest(found.about.alias)
        definition, note = self._threshold_saved_as(found, threshold, newest), found.evidence(threshold, by)
        if newest.state is not State.DRAFT:
            newest = self.clone(newest.alias, newest.number, note, author)
        return self.edit(newest.alias, definition, note, author, newest.snapshot)

    def submit(self, alias: str, note: str = "", actor: str | None = None) -> Version:
        """Request approval for the Draft; raises LifecycleError while a source is not pinned."""
        version = self.definitions.newest(alias)
        if version.state is State.DRAFT:  # of any other state it is the state that refuses
            known = (version.pins, version.sources)
            pins, unresolved, sources = admission.resolve(version.definition, self.fetcher, *known, every=True)
            unresolved = unresolved if version.unresolved else ()
            admission.require_pinned(version.model_copy(update={"pins": pins, "unresolved": unresolved}))
            for pin in pins[len(version.pins) :]:
                self.definitions.add_pin(alias, version.number, pin)
            for source in sources[len(version.sources) :]:
                self.definitions.add_source(alias, version.number, source)
        return self.definitions.set_state(alias, version.number, Action.SUBMIT, actor or self.user, note)

    def review(
        self, alias: str, action: str, actor: str | None = None, comment: str = "", version: int | None = None
    ) -> Version:
        """Record what a reviewer says: Accept, Need Info, Need Changes, Reject or Comment."""
        before = self._asked(alias, version)
        reviewed = self.definitions.set_state(alias, before.number, review_action(action), actor or self.user, comment)
        return self._settled(before, reviewed)

    def clone(self, alias: str, version: int | None = None, note: str = "", author: str | None = None) -> Version:
        """Make the next version of a model, a Draft, from the newest (or the given) one."""
        number = version or self.definitions.newest(alias).number
        return self.definitions.clone(alias, number, author or self.user, note)

    def archive(self, alias: str, version: int | None = None, actor: str | None = None, comment: str = "") -> Version:
        """Take a version out of use; it refuses to run until it is unarchived."""
        before = self._asked(alias, version)
        archived = self.definitions.set_state(alias, before.number, Action.ARCHIVE, actor or self.user, comment)
        return self._settled(before, archived)

    def unarchive(self, alias: str, version: int | None = None, actor: str | None = None, comment: str = "") -> Version:
        """Bring an archived version back to the state it was in."""
        before = self._asked(alias, version)
        return self._settled(before, self.definitions.unarchive(alias, before.number, actor or self.user, comment))

    def delete(self, alias: str, version: int | None = None, actor: str | None = None) -> Deleted:
        """Delete a Draft that was never submitted; raises LifecycleError when that leaves its callers without one."""
        number = self._asked(alias, version).number
        if not any(v.state in RUNNABLE for v in self.versions(alias) if v.number != number):
            admission.require_uncalled(alias, self.definitions)
        deleted = self.definitions.delete(alias, number, actor or self.user)
        self.unload(alias, number)
        return deleted

    def undelete(self, deleted: Deleted, actor: str | None = None) -> Version:
        """Put back what `delete` gave, with every save; raises LifecycleError when something else has its place."""
        admission.require(deleted.definition, self.definitions)
        return self.definitions.undelete(deleted, actor or self.user)

    def rename(self, alias: str, new_alias: str, actor: str | None = None) -> Version:
        """Give a model that was never submitted another alias."""
        admission.require_uncalled(alias, self.definitions)
        renamed = self.definitions.rename(alias, new_alias, actor or self.user)
        self._moved(alias, new_alias)
        return renamed

    def export(self, alias: str, version: int | None = None) -> str:
        """Return a version as the text of a JSON file that `import_` of any registry takes."""
        return portable.dump(self.get(alias, version))

    def import_(self, file: portable.Source, author: str | None = None) -> Version:
        """Register an exported definition as a Draft, with its pins; of a known alias it is the Draft's next save."""
        definition, pins, sources = portable.read(file)
        alias, store = definition.alias, self.definitions
        if store.find(alias) is None:
            return self.register(definition, "Imported", author, pins, sources)
        admission.require(definition, store)
        if (newest := store.newest(alias)).state is not State.DRAFT:
            store.clone(alias, newest.number, author or self.user, "Imported", pins)
        return self.edit(alias, definition, "Imported", author, pins=pins, sources=sources)

    # Inside

    def _require_licences(
        self, definition: Definition, pins: Sequence[Pin], known: Sequence[Pin], sources: Sequence[Source]
    ) -> None:
        for source in sources:  # what the Hub just said is not asked for again
            if source.said_by == "hub":
                self.licensing.licences.remember(source.repo, source.commit, source.licences)
        self.licensing.require(definition, pins, known)

    def _number(self, alias: str, version: int | None) -> int:
        return self.definitions.newest(alias).number if version is None else version

    def _asked(self, alias: str, version: int | None) -> Version:
        return self.definitions.get(alias, self._number(alias, version))

    def _settled(self, before: Version, after: Version) -> Version:
        """Drop the load of a version that may not run any more, or whose pins are frozen from here on, or no more."""
        changed = before.state is not after.state and State.APPROVED in (before.state, after.state)
        if changed or after.state not in RUNNABLE:
            self.unload(after.alias, after.number)
        return after

    def _moved(self, alias: str, new_alias: str) -> None:
        self.unload(alias)
        self._checks.rename(alias, new_alias)

    def _empty(self, alias: str) -> str:
        settings = self.settings
        return (
            f"No model `{alias}`: nothing is registered in {settings.home} (home from {settings.home_from}). "
            "Set HFREG_HOME to the folder of your registry, or run `python -m hfreg starters`."
        )
