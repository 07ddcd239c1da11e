"""Running: the part of a Registry that runs models, and has them in memory or not.

Calls, runs over tables and Test Code, each admitted by state and recorded; loading, unloading and keeping loaded.
What runs scoring logic is the engine; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hfreg import admission
from hfreg.definition import Definition
from hfreg.engine import Engine, Loaded, OnEvent, Outcome, Run
from hfreg.errors import ArgumentError, DefinitionError, NotApproved
from hfreg.lifecycle import RUNNABLE, State
from hfreg.parts import Parts
from hfreg.recording import Recording
from hfreg.version import Version


class Running(Parts):
    """Runs versions that somebody else found."""

    def call(
        self,
        version: Version,
        positional: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
        source: str = "python",
        user: str | None = None,
        on_event: OnEvent | None = None,
        files: bool = False,
    ) -> Outcome:
        """Run one call to its end and return the Outcome; what is refused is an Outcome with its error, too.

        With `files` paths of pictures and sound are read: for callers who may read files of this machine.
        """
        try:
            arguments = version.definition.named(positional, named or {})
            row = version.definition.with_files(arguments) if files else arguments
            run = self._begin(version, [row], source, user, on_event, here=True)
        except NotApproved as error:
            return Outcome(version.alias, version.number, version.state, error=error, status="error")
        except ArgumentError as error:
            return self._recording(version, source, user, None).refuse(named or {}, error)
        return next(iter(run))

    def start(
        self,
        version: Version,
        rows: Iterable[Mapping[str, Any]],
        source: str = "python",
        user: str | None = None,
        on_event: OnEvent | None = None,
    ) -> Run:
        """Begin to run rows of arguments and return at once; raises NotApproved when the state does not allow it."""
        return self._begin(version, rows, source, user, on_event)

    def _begin(
        self,
        version: Version,
        rows: Iterable[Mapping[str, Any]],
        source: str,
        user: str | None,
        on_event: OnEvent | None,
        here: bool = False,
    ) -> Run:
        recording = self._recording(version, source, user, on_event or self.progress)
        try:
            self._admit(version)
        except NotApproved as error:
            recording.refuse({}, error)
            raise
        limit = version.definition.limits.time_s or self.settings.timeout_s
        return self._engine_of(version).submit(version, rows, limit, recording, here)

    def test(self, definition: Definition, /, **arguments: Any) -> Outcome:
        """Run a definition that is not saved and return the Outcome (Test Code)."""
        version = self.unsaved(definition)
        try:
            admission.require(definition, self.definitions)
        except DefinitionError as error:
            return Outcome(version.alias, version.number, version.state, error=error, status="error")
        return self.call(version, (), arguments, "test", files=True)

    def unsaved(self, definition: Definition, author: str | None = None) -> Version:
        """Return a definition as a version that is not saved: number 0, with the pins of its saved one."""
        saved = self.definitions.find(definition.alias)
        return Version(
            alias=definition.alias,
            number=0,
            state=State.DRAFT,
            definition=definition,
            author=author or self.user,
            created_at=datetime.now(UTC),
            pins=saved.pins if saved else (),
            sources=saved.sources if saved else (),
        )

    def loaded(self, measure: bool = True) -> list[Loaded]:
        """List the models in memory; without `measure` their memory is what was last known, which costs nothing."""
        return self.engine.loaded(measure) if self.started("engine") else []

    def load(self, version: Version, user: str | None = None, on_event: OnEvent | None = None) -> Run:
        """Begin to load a model now: its warm-up input or first example runs, else it is made ready for its first call.

        An example that runs is a call like any other, recorded with the source `load`. Raises NotApproved.
        """
        if (example := _example(version.definition)) is not None:
            return self.start(version, [example], "load", user, on_event)
        self._admit(version)
        return self._engine_of(version).load(version, on_event or self.progress)

    def keep(self, alias: str, version: int, on: bool = True) -> None:
        """Keep a model loaded when others need its memory, until it is unloaded; or do so no longer."""
        self.engine.keep(alias, version, on)

    def restart(self, version: Version, user: str | None = None, on_event: OnEvent | None = None) -> Run:
        """Unload a model and begin to load it afresh; it stays kept if it was. Raises NotApproved before anything."""
        self._admit(version)
        alias, number = version.alias, version.number
        kept = any(one.kept for one in self.loaded(False) if (one.alias, one.version) == (alias, number))
        self.unload(alias, number)
        self.keep(alias, number, kept)
        return self.load(version, user, on_event)

    def unload(self, alias: str, version: int | None = None) -> int:
        """Drop a model from memory; returns how many loads were dropped."""
        if self.started("remote"):
            self.remote.unload(alias, version)
        return self.engine.unload(alias, version) if self.started("engine") else 0

    def unload_refused(self) -> list[str]:
        """Drop from memory what the licence policy of now does not let be loaded; returns the aliases."""
        dropped = []
        for one in self.loaded(False):
            version = self.definitions.find(one.alias, one.version)
            if version is not None and self.licensing.refuses(version.definition, version.pins):
                self.unload(one.alias, one.version)
                dropped.append(one.alias)
        return dropped

    # Inside

    def _engine_of(self, version: Version) -> Engine:
        return self.remote if version.definition.input_type == "API Based" else self.engine

    def _admit(self, version: Version) -> None:
        if version.state not in RUNNABLE:
            raise NotApproved(f"{version.alias} version {version.number} is {version.state} and does not run.")
        if self.settings.require_approved and version.state is not State.APPROVED:
            raise NotApproved(
                f"{version.alias} version {version.number} is {version.state}, and only Approved versions run here "
                "(HFREG_REQUIRE_APPROVED=1). Request approval for it."
            )

    def _recording(self, version: Version, source: str, user: str | None, on_event: OnEvent | None) -> Recording:
        return Recording(self.events, version, source, user or self.user, on_event)


def _example(definition: Definition) -> Mapping[str, Any] | None:
    """Return the warm-up input, else the first example that a call takes; moments stand in them as texts."""
    moments = {a.alias: a for a in definition.arguments if a.type == "DateTime"}
    for example in (definition.options.warm_up, *definition.examples):
        if example is None:
            continue
        try:
            read = {n: moments[n].from_text(v, n) if n in moments and v else v for n, v in example.items()}
            definition.bind(**read)
        except ArgumentError:  # it was saved when the arguments were others
            continue
        return read
    return None
