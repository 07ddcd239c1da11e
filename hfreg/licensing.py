"""Licensing: holds definitions and loads to the licence policy of this home.

Covers the findings of a form (of what is known, asking nobody), what registering requires (the Hub is asked once where
nothing knows), and what loading requires. A source whose licence nobody could read is let through on registering and
looked at again when its files are here. Folders of this machine and endpoints have no card and are not covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

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


class Licensing:
    """The licence policy of one home over what is known of the licences of repositories."""

    def __init__(self, policies: Policies, licences: Licences) -> None:
        self.policies = policies
        self.licences = licences

    @property
    def policy(self) -> Policy:
        """The policy that holds now."""
        return self.policies.licences().policy

    def decide(self, policy: Policy, by: str) -> Decided:
        """Let another policy hold from here on."""
        return self.policies.decide(policy, by)

    def findings(self, definition: Definition, pins: Sequence[Pin] = ()) -> list[Finding]:
        """List what the policy says of the sources whose licence is known; asks nobody."""
        policy, commits = self.policy, {(pin.repo, pin.revision): pin.commit for pin in pins}
        found: list[Finding] = []
        for one in repositories(definition.code):
            commit = commits.get((one.repo, one.revision)) or one.revision
            if commit and (licences := self.licences.find(one.repo, commit)) is not None:
                found += _findings(policy, one.repo, licences, definition, one.line)
        return found

    def require(self, definition: Definition, pins: Sequence[Pin], known: Sequence[Pin] = ()) -> None:
        """Raise DefinitionError when a source may not be used.

        Asks the Hub for licences that nothing knows, but not for those of `known` pins, which came with the definition.
        """
        policy, settled = self.policy, {(pin.repo, pin.commit) for pin in known}
        named = repositories(definition.code)
        written = [(one.repo, one.revision) for one in named if one.revision and len(one.revision) == COMMIT_LENGTH]
        for repo, commit in dict.fromkeys([*((pin.repo, pin.commit) for pin in pins), *written]):
            find = self.licences.find if (repo, commit) in settled else self.licences.ask
            if (licences := find(repo, commit)) is not None:
                found = list(_findings(policy, repo, licences, definition, None))
                if refused := [finding for finding in found if finding.level == "error"]:
                    first = refused[0].message
                    raise DefinitionError(f"`{definition.alias}` cannot be registered. {first}", refused)

    def admit(self, definition: Definition, repo: str, commit: str) -> None:
        """Raise LicenceRefused when files of a repository may not be loaded; asks nobody, a card is at its files."""
        licences = self.licences.find(repo, commit) or ()
        for finding in _findings(self.policy, repo, licences, definition, None):
            if finding.level == "error":
                raise LicenceRefused(f"`{definition.alias}` is not loaded. {finding.message}")

    def refuses(self, definition: Definition, pins: Sequence[Pin]) -> str:
        """Return why the policy refuses what a version is pinned to, or nothing; asks nobody."""
        try:
            for pin in pins:
                if self.licences.find(pin.repo, pin.commit) is not None:
                    self.admit(definition, pin.repo, pin.commit)
        except LicenceRefused as refused:
            return str(refused)
        return ""


def _findings(
    policy: Policy, repo: str, licences: tuple[str, ...], definition: Definition, line: int | None
) -> Iterator[Finding]:
    verdict, named = policy.verdict(licences), policy.strictest(licences)
    under = f"`{repo}` is under `{named}`" if named != UNKNOWN else f"`{repo}` names no licence on its card"
    if verdict == "denied":
        message = (
            f"{under}, which the licence policy denies. Choose another model, or have the policy changed ({WHERE})."
        )
        yield Finding("error", FIELD, line, message)
    elif verdict == "needs a reason" and not definition.licence_reason.strip():
        message = f"{under}, which needs a reason: say in Reason for the Licence (`licence_reason`) why it may be used."
        yield Finding("error", REASON, None, message)
    elif named == UNKNOWN:
        message = f"{under}, so nobody says what may be done with it. The licence policy allows it ({WHERE})."
        yield Finding("warning", FIELD, line, message)
