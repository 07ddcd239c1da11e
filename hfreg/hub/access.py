"""Access: whether the token in use may read a repository, and what stands in the way.

Takes the way of a load: asks what the repository is, then downloads one small file of that commit with the same code,
into a folder that is deleted at once. Of one that is not found or gated it also asks whose the token is. Pins nothing.
The token by itself, and everything together, is the matter of `hfreg.hub.diagnosis`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hfreg.errors import (
    GatedRepo,
    HfregError,
    HubError,
    HubUnreachable,
    NotCached,
    RepoNotFound,
    RevisionNotFound,
    TokenRejected,
    UnsafeRepo,
)
from hfreg.hub.client import Hub, check_id, find_cached_commit
from hfreg.hub.fetch import Fetcher
from hfreg.hub.files import LARGEST_JSON, allowed, select
from hfreg.hub.provenance import STARTER, starter
from hfreg.hub.repo import Repo
from hfreg.hub.translate import AWAITED, HIDDEN, NO_RIGHT, TURNED_DOWN
from hfreg.settings import STARTERS, Token

Verdict = Literal[
    "readable", "gated", "awaiting review", "turned down", "no right", "missing or private", "missing", "empty",
    "refused", "rejected", "offline", "unreachable",
]  # fmt: skip
_SITES = ("https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/")
_TOKEN = re.compile(r"hf_[A-Za-z0-9]{16,}")
_OTHER_KINDS = ("datasets", "spaces")


@dataclass(frozen=True, slots=True)
class Access:
    """What was found: `verdict` in a word, `message` for the user.

    `commit` is the one of the default branch, or what the cache on disk remembers where the Hub was not asked;
    latency in milliseconds, None where nothing answered; `ask_at` is the page on which access is asked for; `read` is
    the file that was downloaded to know it; `cause` is why the Hub was not reached. Of what is `refused` the files may
    be read and are none that is loaded here.
    """

    repo: str
    verdict: Verdict
    message: str
    commit: str = ""
    latency_ms: float | None = None
    private: bool = False
    gated: bool = False
    ask_at: str = ""
    read: str = ""
    cause: str = ""

    @property
    def ok(self) -> bool:
        """Whether the files can be read."""
        return self.verdict == "readable"


def check_access(hub: Hub, text: str, starters: Path = STARTERS) -> Access:
    """Find out whether a model can be read: a repo id, or the address of its page. Never raises for what is found."""
    repo = repo_id(text, hub.endpoint)
    try:
        if looks_like_token(text):
            message = "This looks like a token, so nothing was sent. Give a repo id, such as `owner/name`."
            return Access("", "missing", message)
        if not repo:
            return Access("", "missing", "Enter a repo id, such as `owner/name`.")
        if repo.startswith(STARTER):
            seal = starter(starters, repo)[1]
            return Access(repo, "readable", f"`{repo}` is shipped with hfreg: it needs no Hub and no token.", seal)
        return _asked(hub, repo)
    except (RepoNotFound, NotCached) as error:  # no repo id, and no checkpoint that is shipped
        return Access(repo, "missing", str(error))
    except HfregError as error:  # a token that cannot even be sent, or read from its file
        return Access(repo, "rejected", str(error))


def looks_like_token(text: str) -> bool:
    """Say whether a text holds what looks like a token of the Hub; such a text is neither sent nor shown."""
    return _TOKEN.search(text) is not None


def repo_id(text: str, endpoint: str) -> str:
    """Return the repo id in what somebody typed or pasted: the id itself, or the address of a page of the Hub.

    >>> repo_id(" https://huggingface.co/acme/tiny/tree/main ", "https://huggingface.co")
    'acme/tiny'
    """
    text = text.strip().strip("\"'`")
    for site in (f"{endpoint}/", *_SITES):
        if text.startswith(site):
            parts = text.removeprefix(site).partition("?")[0].partition("#")[0].strip("/").split("/")
            return "/".join(parts[: 3 if parts[0] in _OTHER_KINDS else 2])
    return text


def _asked(hub: Hub, repo: str) -> Access:
    kind = repo.partition("/")[0]
    if kind in _OTHER_KINDS:
        raise RepoNotFound(f"`{repo}` is one of the {kind} of the Hub. Give the repo id of a model.")
    check_id(repo)
    if hub.offline:
        return _from_disk(Access(repo, "offline", f"HF_HUB_OFFLINE is set: the Hub is not asked about `{repo}`."))
    token, began = hub.token(), time.perf_counter()
    found = Access(repo, "readable", "")
    try:
        info = hub.info(repo)
        found = Access(repo, "readable", "", info.commit, _since(began), info.private, info.gated)
        found = replace(found, read=_read_one(hub, info))
        select(repo, info.files)
    except HubUnreachable as error:
        return _from_disk(replace(found, verdict="unreachable", message=str(error), cause=error.cause))
    except UnsafeRepo as error:
        return replace(found, verdict="refused", message=str(error))
    except HubError as error:
        return _refused(hub, replace(found, latency_ms=found.latency_ms or _since(began)), error, token)
    return replace(found, message=_readable(found, token))


def _read_one(hub: Hub, info: Repo) -> str:
    """Download the configuration, else the smallest file, as a load does it, and return its name."""
    small = [file for file in info.files if allowed(file.name) and file.size <= LARGEST_JSON]
    if not small:
        hub.auth_check(info.id)
        return ""
    name = min(small, key=lambda file: (file.name != "config.json", file.size)).name
    Fetcher(hub).try_one(info.id, info.commit, name)
    return name


def _refused(hub: Hub, found: Access, error: HubError, token: Token | None) -> Access:
    """Say what stands in the way; the message is the error's own."""
    refused = replace(found, verdict="missing", message=str(error))
    if isinstance(error, GatedRepo):
        return _gated(hub, replace(refused, verdict="gated", gated=True, ask_at=f"{hub.endpoint}/{found.repo}"), token)
    if isinstance(error, TokenRejected):
        return replace(refused, verdict="no right" if NO_RIGHT in str(error) else "rejected")
    if isinstance(error, RevisionNotFound):
        return replace(refused, verdict="empty")
    return _missing(hub, refused, token) if HIDDEN in str(error) else refused


def _gated(hub: Hub, found: Access, token: Token | None) -> Access:
    """Tell terms not accepted from a request that waits or was rejected, and from a token that may read none gated."""
    if AWAITED in found.message:
        return replace(found, verdict="awaiting review")
    if TURNED_DOWN in found.message:
        return replace(found, verdict="turned down")
    account = hub.test_connection() if token else None
    named = (f" on {found.repo.partition('/')[0]}", f" on {found.repo}")
    if token is None or account is None or account.reads_gated or any(r.endswith(named) for r in account.rights):
        return found
    message = (
        f"`{found.repo}` is gated, and the fine-grained token {token.masked} ({token.source}) {NO_RIGHT} gated "
        f"repositories. Give it “Read access to contents of all public gated repos you can access” at "
        f"{hub.endpoint}/settings/tokens, and accept the terms at {found.ask_at} with {account.user}."
    )
    return replace(found, verdict="no right", message=message)


def _readable(found: Access, token: Token | None) -> str:
    kinds = [word for word, holds in (("private", found.private), ("gated", found.gated)) if holds]
    if not kinds:
        return f"`{found.repo}` is public: it can be read without a token."
    who = f"the token {token.masked} ({token.source})" if token else "an anonymous caller"
    return f"`{found.repo}` is {' and '.join(kinds)}, and {who} can read it."


def _from_disk(found: Access) -> Access:
    """Add what the cache on disk remembers of a repository that the Hub was not asked about."""
    if not found.commit and (commit := find_cached_commit(found.repo)):
        message = f"{found.message} The cache on this disk remembers its commit {commit[:7]}."
        return replace(found, commit=commit, message=message)
    return found


def _missing(hub: Hub, found: Access, token: Token | None) -> Access:
    """Tell a repository that does not exist from one that is hidden, where the Hub lets it be told."""
    owner = found.repo.partition("/")[0]
    if token is not None:
        account = hub.test_connection()
        if account.user.casefold() == owner.casefold() and account.token_kind in {"read", "write"}:
            message = f"There is no `{found.repo}`: the token {token.masked} is of {account.user} and would see it. "
            return replace(found, verdict="missing", message=f"{message}Check the spelling.")
        if account.token_kind not in {"read", "write", "unknown"}:
            message = f"{found.message} A fine-grained token sees only the private repositories that it names."
            return replace(found, verdict="missing or private", message=message)
    return replace(found, verdict="missing or private")


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
