"""Upstream: what changed on the Hub since a version was registered, source by source.

Compares what was recorded of a source with what its branch is now: weights, code and configuration, card, licence and
access apart. Covers what can be known from one answer for each source, by hashes, and names what cannot be compared.
It changes nothing: a version keeps its commit. Checkpoints shipped with the product have no upstream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from hfreg.errors import GatedRepo, HubError, HubUnreachable, RepoNotFound, RevisionNotFound
from hfreg.hub.client import COMMIT, Hub
from hfreg.hub.files import FOREIGN, PICKLES, allowed
from hfreg.hub.sources import describe
from hfreg.hub.translate import no_hub
from hfreg.version import Source, SourceFile, Version

Kind = Literal["weights", "code", "card", "licence", "other"]
WORDS: dict[Kind, str] = {
    "weights": "weights",
    "code": "code and configuration",
    "card": "card",
    "licence": "licence text",
    "other": "other files",
}
DEFAULT_BRANCH = "main"
_WEIGHTS = (".safetensors", ".index.json", ".onnx_data", *PICKLES, *FOREIGN)
_CODE = (".py", ".json", ".txt", ".yaml", ".yml", ".sh")
_LICENCE = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "USE_POLICY")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Upstream:
    """One source of a version, and what its branch is now; `str` of it is a sentence.

    `weights`, `code` (with configuration and tokenizer), `card`, `licence` (its text) and `other` name the files that
    were changed, added or removed; `licences` is the ids of then and now where they differ. `unknown` are files that
    nothing was recorded of to compare. `gone` is missing, or private without access: the Hub tells these apart for
    nobody. `gated` and `private` are so now and were not recorded so. `error` is why nothing newer is known.
    """

    repo: str
    revision: str | None
    registered: str
    newest: str = ""
    weights: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    card: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    licences: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    unknown: tuple[str, ...] = ()
    gone: bool = False
    gated: bool = False
    private: bool = False
    error: HubError | None = None

    @property
    def branch(self) -> str:
        """The branch (or tag) that was looked at: the registered one, `main` where the code wrote out a commit."""
        return DEFAULT_BRANCH if self.revision is None or COMMIT.fullmatch(self.revision) else self.revision

    @property
    def moved(self) -> bool | None:
        """Whether the branch is at another commit than the registered one; None where that is not known."""
        return None if not self.newest else self.newest != self.registered

    @property
    def changed(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.moved) or self.gone or self.gated or self.private

    def __str__(self) -> str:
        if self.error is not None:
            said = (
                "cannot be found any more. "
                if self.gone
                else "is gated now. "
                if self.gated
                else "cannot be compared. "
            )
            return f"`{self.repo}` {said}{self.error}"
        then, now = self.registered[:12], self.newest[:12]
        if not self.moved:
            said = f"`{self.repo}` did not change: `{self.branch}` still is the registered commit {then}."
        else:
            said = f"`{self.repo}` changed: `{self.branch}` is at {now}, registered was {then}. {self._differences()}"
        now_so = [word for word, so in (("gated", self.gated), ("private", self.private)) if so]
        return f"{said} It is {' and '.join(now_so)} now, which was not recorded then." if now_so else said

    def _differences(self) -> str:
        files: dict[Kind, tuple[str, ...]] = {
            "weights": self.weights, "code": self.code, "card": self.card, "licence": self.licence, "other": self.other,
        }  # fmt: skip
        parts = [f"{WORDS[kind]} ({_listed(names)})" for kind, names in files.items() if names]
        if self.licences:
            then, now = (", ".join(ids) or "not named" for ids in self.licences)
            parts.append(f"licence ({then} → {now})")
        sentences = [f"Different: {'; '.join(parts)}."] if parts else []
        if self.unknown:
            sentences.append(f"Not compared, as no fitting hash was recorded: {_listed(self.unknown)}.")
        return " ".join(sentences) or "Its files are the same."


def upstream(version: Version, hub: Hub) -> tuple[Upstream, ...]:
    """Ask the Hub, once for each source of a version, what it is now; what keeps it from being known is in `error`."""
    return tuple(_one(hub, *source, version.source(source[0], source[2])) for source in sources_of(version))


def sources_of(version: Version) -> tuple[tuple[str, str | None, str], ...]:
    """Return repo, revision and commit of the sources on the Hub: the pinned ones, and commits written in the code."""
    pinned = [(pin.repo, pin.revision, pin.commit) for pin in version.pins]
    written = [(source.repo, source.revision, source.commit) for source in version.sources if _written(source)]
    return tuple(one for one in dict.fromkeys([*pinned, *written]) if COMMIT.fullmatch(one[2]))


def kind_of(name: str) -> Kind:
    """Return what a file is to whoever uses the model.

    >>> [kind_of(name) for name in ("model.safetensors", "vocab.txt", "README.md", "LICENSE.txt", "plot.png")]
    ['weights', 'code', 'card', 'licence', 'other']
    """
    base = PurePosixPath(name).name
    if base.upper().startswith(_LICENCE):
        return "licence"
    if base.endswith(".md"):
        return "card"
    if base.endswith(_WEIGHTS):
        return "weights"
    return "code" if base.endswith(_CODE) or allowed(name) else "other"


def _one(hub: Hub, repo: str, revision: str | None, commit: str, known: Source | None) -> Upstream:
    try:
        if hub.offline:  # the client would say that it is not on this disk, which is not the matter here
            raise HubUnreachable("HF_HUB_OFFLINE is set, so the Hub is not asked. Unset it to look for changes.")
        now = describe(hub, repo, None if revision and COMMIT.fullmatch(revision) else revision)
    except HubError as error:
        gone = isinstance(error, (RepoNotFound, RevisionNotFound))
        gated = isinstance(error, GatedRepo) and not (known and known.gated)
        return Upstream(repo, revision, commit, gone=gone, gated=gated, error=error)
    except (ValueError, TypeError, AttributeError):  # a listing in a shape that no Hub gives
        return Upstream(repo, revision, commit, error=no_hub(hub.endpoint, repo))
    return _compared(Upstream(repo, revision, commit, newest=now.commit), known, now)


def _compared(found: Upstream, known: Source | None, now: Source) -> Upstream:
    found = replace(
        found,
        gated=bool(now.gated) and not (known and known.gated),
        private=bool(now.private) and not (known and known.private),
    )
    if not found.moved:  # the files of a commit never change
        return found
    changed, unknown = _differing(known, now)
    told = known is not None and (known.said_by == "hub" or bool(known.licences))
    licences = (known.licences, now.licences) if known and told and set(known.licences) != set(now.licences) else None
    return replace(
        found,
        weights=_of("weights", changed),
        code=_of("code", changed),
        card=_of("card", changed),
        licence=_of("licence", changed),
        other=_of("other", changed),
        licences=licences,
        unknown=unknown,
    )


def _differing(known: Source | None, now: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of files that differ, and of those that cannot be compared."""
    before = {file.name: file for file in known.files} if known else {}
    after = {file.name: file for file in now.files}
    whole = known is not None and known.complete
    differ, unknown = [], []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        listed = whole if new else now.complete  # a listing that is not whole does not say that a file was not there
        same = _same(old, new) if old and new else False if listed else None
        if same is None:
            unknown.append(name)
        elif not same:
            differ.append(name)
    return tuple(differ), tuple(unknown)


def _same(old: SourceFile, new: SourceFile) -> bool | None:
    if old.sha256 and new.sha256:
        return old.sha256 == new.sha256
    if old.blob and new.blob:
        return old.blob == new.blob
    return False if old.size != new.size else None


def _written(source: Source) -> bool:
    return source.revision is not None and source.revision == source.commit


def _of(kind: Kind, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if kind_of(name) == kind)


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
