"""Licensing: holds definitions and loads to the licence policy of this home.

Covers the findings of a form (of what is known, asking nobody), what registering requires (the Hub is asked once where
nothing knows), and what loading and calling require. A source whose licence nobody could read is let through on
registering and looked at again when its files are here. A folder has the licence that its README.md names, else
`unknown`; so has a model of an endpoint that nobody could ask for. A server named by its address has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, LicenceRefused
from hfreg.licences import UNKNOWN, Policy
from hfreg.scoring.check import repositories
from hfreg.store.policies import Decided, Policies
from hfreg.values import Finding
from hfreg.version import Pin

if TYPE_CHECKING:
    from hfreg.hub.licence import Licences

WHERE = "Settings → Platform Integrations → Licence policy"
COMMIT_LENGTH = 40
FIELD, REASON = "scoring_logic", "licence_reason"


class Subject(NamedTuple):
    """What has a licence, in words, and the field that names it."""

    named: str
    field: str = FIELD
    line: int | None = None


FOLDER = Subject("The model folder", "folder")


class Licensing:
    """The licence policy of one home over what is known of the licences of repositories, folders and endpoints."""

    def __init__(self, policies: Policies, licences: Licences, folder_of: Callable[[str], Path | None]) -> None:
        self.policies = policies
        self.licences = licences
        self._folder_of = folder_of

    @property
    def policy(self) -> Policy:
        """The policy that holds now."""
        return self.policies.licences().policy

    def decide(self, policy: Policy, by: str) -> Decided:
        """Let another policy hold from here on."""
        return self.policies.decide(policy, by)

    def beside(self, definition: Definition, ask: bool = False) -> list[tuple[Subject, tuple[str, ...]]]:
        """List the licences of what a definition uses besides its code: its folder, and the model of its endpoint."""
        from hfreg.hub.licence import of_folder

        found = []
        if definition.folder and (path := self._folder_of(definition.folder)) is not None:
            found.append((FOLDER, of_folder(path)))
        if (model := asked_model(definition)) and (said := self.licences.elsewhere(model, ask)) is not None:
            found.append((_endpoint(model), said))
        return found

    def findings(self, definition: Definition, pins: Sequence[Pin] = ()) -> list[Finding]:
        """List what the policy says of the sources whose licence is known; asks nobody."""
        policy, commits = self.policy, {(pin.repo, pin.revision): pin.commit for pin in pins}
        found: list[Finding] = []
        for one in repositories(definition.code):
            commit = commits.get((one.repo, one.revision)) or one.revision or ""
            if (licences := self.licences.find(one.repo, commit)) is not None:
                found += _findings(policy, Subject(f"`{one.repo}`", line=one.line), licences, definition)
        for subject, licences in self.beside(definition):
            found += _findings(policy, subject, licences, definition)
        return found

    def require(self, definition: Definition, pins: Sequence[Pin], known: Sequence[Pin] = ()) -> None:
        """Raise DefinitionError when a source may not be used.

        Asks the Hub for licences that nothing knows, but not for those of `known` pins, which came with the definition.
        """
        policy, settled = self.policy, {(pin.repo, pin.commit) for pin in known}
        used = self.beside(definition, ask=True)
        named = repositories(definition.code)
        written = [(one.repo, one.revision) for one in named if one.revision and len(one.revision) == COMMIT_LENGTH]
        for repo, commit in dict.fromkeys([*((pin.repo, pin.commit) for pin in pins), *written]):
            find = self.licences.find if (repo, commit) in settled else self.licences.ask
            if (licences := find(repo, commit)) is not None:
                used.append((Subject(f"`{repo}`"), licences))
        for subject, licences in used:
            found = list(_findings(policy, subject, licences, definition))
            if refused := [finding for finding in found if finding.level == "error"]:
                first = refused[0].message
                raise DefinitionError(f"`{definition.alias}` cannot be registered. {first}", refused)

    def admit(self, definition: Definition, repo: str, commit: str) -> None:
        """Raise LicenceRefused when files of a repository may not be loaded; asks nobody, a card is at its files."""
        self._admit(definition, Subject(f"`{repo}`"), self.licences.find(repo, commit) or ())

    def admit_folder(self, definition: Definition, path: Path) -> None:
        """Raise LicenceRefused when an uploaded folder may not be loaded; its card is among its files."""
        from hfreg.hub.licence import of_folder

        self._admit(definition, FOLDER, of_folder(path))

    def admit_endpoint(self, definition: Definition) -> None:
        """Raise LicenceRefused when the model of an endpoint may not be called; asks the Hub where nothing knows."""
        if model := asked_model(definition):
            self._admit(definition, _endpoint(model), self.licences.elsewhere(model, ask=True) or (), "called")

    def refuses(self, definition: Definition, pins: Sequence[Pin]) -> str:
        """Return why the policy refuses what a version uses, or nothing; asks nobody."""
        try:
            for pin in pins:
                if self.licences.find(pin.repo, pin.commit) is not None:
                    self.admit(definition, pin.repo, pin.commit)
            for subject, licences in self.beside(definition):
                self._admit(definition, subject, licences)
        except LicenceRefused as refused:
            return str(refused)
        return ""

    def _admit(self, definition: Definition, subject: Subject, licences: tuple[str, ...], done: str = "loaded") -> None:
        for finding in _findings(self.policy, subject, licences, definition):
            if finding.level == "error":
                raise LicenceRefused(f"`{definition.alias}` is not {done}. {finding.message}")


def asked_model(definition: Definition) -> str:
    """Return the model of the Hub that an API Based definition calls; empty for a server named by its address."""
    endpoint = definition.endpoint if definition.input_type == "API Based" else None
    return endpoint.model if endpoint and not endpoint.base_url else ""


def _endpoint(model: str) -> Subject:
    return Subject(f"`{model}`", "endpoint.model")


def _findings(policy: Policy, subject: Subject, licences: tuple[str, ...], definition: Definition) -> Iterator[Finding]:
    verdict, named = policy.verdict(licences), policy.strictest(licences)
    card = "in a README.md" if subject is FOLDER else "on its card"
    under = f"{subject.named} is under `{named}`" if named != UNKNOWN else f"{subject.named} names no licence {card}"
    if verdict == "denied":
        message = (
            f"{under}, which the licence policy denies. Choose another model, or have the policy changed ({WHERE})."
        )
        yield Finding("error", subject.field, subject.line, message)
    elif verdict == "needs a reason" and not definition.licence_reason.strip():
        message = f"{under}, which needs a reason: say in Reason for the Licence (`licence_reason`) why it may be used."
        yield Finding("error", REASON, None, message)
    elif named == UNKNOWN:
        message = f"{under}, so nobody says what may be done with it. The licence policy allows it ({WHERE})."
        yield Finding("warning", subject.field, subject.line, message)
