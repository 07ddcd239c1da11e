"""Checking: the part of a Registry that keeps what models are expected to answer, and sees whether they do.

A check runs as any other call does, admitted by state and recorded with the source `check`. What fits what is expected
is the matter of `hfreg.checks`, where it is kept that of `hfreg.store.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from hfreg.definition import Definition
from hfreg.errors import ArgumentError, CheckError
from hfreg.flooring import SOURCE, Flooring
from hfreg.values import Frozen
from hfreg.version import Version, called_by

if TYPE_CHECKING:
    from hfreg.checks import Basis, Check, CheckReport, CheckResult, Matcher


class Checking(Flooring):
    """Holds versions that somebody else found to what is expected of them."""

    def add_check(
        self,
        alias: str,
        arguments: Mapping[str, Any],
        expected: Any,
        matcher: Matcher = "equals",
        *,
        name: str = "",
        tolerance: float = 0.0,
        path: str = "",
        author: str | None = None,
    ) -> Check:
        """Keep what a model is expected to answer; without `name` it gets a number. Runs nothing.

        Raises ArgumentError when the arguments do not fit, DefinitionError for a check that makes no sense, CheckError
        for a name that is taken or a value that JSON has no form for.
        """
        definition = self._find(alias, None).definition
        name = name or _free(self._checks.names(alias))
        check = self._check_of(definition, arguments, expected, matcher, name, tolerance, path, author)
        self._checks.add(alias, check)
        return check

    def edit_check(
        self,
        alias: str,
        name: str,
        arguments: Mapping[str, Any],
        expected: Any,
        matcher: Matcher = "equals",
        *,
        new_name: str = "",
        tolerance: float = 0.0,
        path: str = "",
        author: str | None = None,
    ) -> Check:
        """Put another check in the place of the one of that name; raises what `add_check` raises."""
        definition = self._find(alias, None).definition
        check = self._check_of(definition, arguments, expected, matcher, new_name or name, tolerance, path, author)
        self._checks.replace(alias, name, check)
        return check

    def restore_check(self, alias: str, check: Check) -> None:
        """Bring back a check that `delete_check` gave; raises CheckError when its name was given to another since."""
        self._find(alias, None)
        self._checks.add(alias, check)

    def checks(self, alias: str) -> list[Check]:
        """List what a model is expected to answer, in the order in which it was added."""
        self._find(alias, None)
        return self._checks.all(alias)

    def delete_check(self, alias: str, name: str) -> Check:
        """Delete a check and return it; raises CheckError when there is none of that name."""
        self._find(alias, None)
        return self._checks.delete(alias, name)

    def run_checks(
        self,
        alias: str,
        version: int | None = None,
        user: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> CheckReport:
        """Run every check of a model, then its floors, one after the other; keep what came of it as the last report.

        `progress` is told how many are done, and of how many; what it raises ends the run, and no report is kept.
        Raises CheckError when there is none, NotApproved when the state does not let the version run.
        """
        from hfreg.checks import CheckReport

        found = self._find(alias, version)
        self._admit(found)
        checks, floors = self._checks.all(alias), self._checks.floors(alias)
        kept, count = [*checks, *floors], len(checks) + len(floors)
        if not kept:
            raise CheckError(f"{alias} has no checks, so there is nothing to run. Add one with `registry.add_check`.")
        tell = progress or _silent
        before = self._basis(found, kept)
        results: list[CheckResult] = []
        for check in checks:
            tell(len(results), count)
            results.append(self._held_to(found, check, user))
        for floor in floors:
            tell(len(results), count)
            results.append(self._reached(found, floor, user, lambda: tell(len(results), count)))
        tell(len(results), count)
        report = CheckReport(
            alias=alias,
            version=found.number,
            at=datetime.now(UTC),
            user=user or self.user,
            results=tuple(results),
            # A model that a first call pinned has its commits only now; what was changed meanwhile shows as stale.
            basis=before.model_copy(update={"commits": self._basis(self._now(found), kept).commits}),
        )
        self._checks.keep(report)
        return report.model_copy(update={"stale": self._stale(report, version)})

    def check_report(self, alias: str, version: int | None = None) -> CheckReport | None:
        """Return the last report, with why it is stale for what a call means now (or that version); None without."""
        self._find(alias, version)
        report = self._checks.report(alias)
        return None if report is None else report.model_copy(update={"stale": self._stale(report, version)})

    # Inside

    def _check_of(
        self,
        definition: Definition,
        arguments: Mapping[str, Any],
        expected: Any,
        matcher: Matcher,
        name: str,
        tolerance: float,
        path: str,
        author: str | None,
    ) -> Check:
        """Return a check whose arguments the model takes."""
        from hfreg.checks import Check, plain

        definition.bind(**_read(definition, arguments))
        return Check(
            name=name,
            arguments={n: plain(value, f"`{n}`") for n, value in arguments.items()},
            expected=plain(expected, "What is expected"),
            matcher=matcher,
            tolerance=tolerance,
            path=path,
            created_at=datetime.now(UTC),
            author=author or self.user,
        )

    def _held_to(self, version: Version, check: Check, user: str | None) -> CheckResult:
        from hfreg.checks import CheckResult, plain

        given = _read(version.definition, check.arguments)
        outcome = self.call(version, (), given, SOURCE, user)
        try:
            message = f"expected {check.wanted}, got an error: {outcome.error}" if outcome.error else ""
            message = message or check.problem(plain(outcome.value, "The answer"))
        except CheckError as error:
            message = f"expected {check.wanted}, got what cannot be compared. {error}"
        return CheckResult(
            name=check.name, ok=not message, message=message, milliseconds=round(outcome.timings.total_ms, 3)
        )

    def _now(self, version: Version) -> Version:
        return self.definitions.find(version.alias, version.number) or version

    def _basis(self, version: Version, checks: Sequence[Frozen]) -> Basis:
        from hfreg.checks import basis
        from hfreg.hub.sources import libraries

        called = sorted(called_by(version, self.definitions.get), key=lambda one: one.alias)
        return basis(version, called, checks, libraries())

    def _stale(self, report: CheckReport, version: int | None) -> tuple[str, ...]:
        from hfreg.checks import changes

        now = self._find(report.alias, version)
        return changes(
            report.basis, self._basis(now, [*self._checks.all(report.alias), *self._checks.floors(report.alias)])
        )


def _read(definition: Definition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as a call takes them: moments stand in a check as texts."""
    moments = {a.alias: a for a in definition.arguments if a.type == "DateTime"}
    read = dict(arguments)
    for name, value in arguments.items():
        if name in moments and isinstance(value, str) and value:
            try:
                read[name] = moments[name].from_text(value, name)
            except ArgumentError:  # the call says what is wrong with it
                continue
    return read


def _free(taken: Sequence[str]) -> str:
    return next(name for number in count(len(taken) + 1) if (name := f"check {number}") not in taken)


def _silent(done: int, of: int) -> None:
    """Tell nobody."""
