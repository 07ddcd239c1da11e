"""Hub: asks the Hub for commits, repositories and the account of the token, with short timeouts.

Every request is one attempt with 3 s to connect; every failure is an error of hfreg. It never prompts,
never reads a token but the provider's, and sends nothing when HF_HUB_OFFLINE is set. Files are the
matter of `hfreg.hub.fetch`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.utils import hf_raise_for_status, validate_repo_id  # type: ignore[attr-defined]

from hfreg.errors import (
    HubError,
    HubUnreachable,
    NotCached,
    RepoNotFound,
    RevisionNotFound,
    StoreError,
    TokenRejected,
    UnsafeRepo,
)
from hfreg.hub.files import LARGEST_JSON
from hfreg.hub.repo import Repo, read_moment, read_repo
from hfreg.hub.token import form_problem
from hfreg.hub.translate import INTEGRATIONS, no_hub, offline_error, translate
from hfreg.settings import Settings, Token

CONNECT_S = 3.0
READ_S = 10.0
LARGEST_ANSWER = 50_000_000
COMMIT = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*")
Query = Mapping[str, str | Sequence[str]]
Problem = Literal["", "wrong form", "rejected", "offline", "unreachable"]


@dataclass(frozen=True, slots=True)
class Connection:
    """What Test connection found: `ok` says whether downloads can work, `message` is for the user.

    `token_kind` is `none`, `read`, `write`, `fine-grained` or `unknown`; latency in milliseconds, None where
    nothing answered; `expires` is None where the Hub does not say it; `cause` is why it could not be reached.
    """

    ok: bool
    endpoint: str
    message: str
    latency_ms: float | None = None
    user: str = ""
    token_kind: str = "none"  # noqa: S105 - the kind, not a token
    rights: tuple[str, ...] = ()
    problem: Problem = ""
    expires: datetime | None = None
    reads_gated: bool = True
    cause: str = ""


class Hub:
    """The Hub of these settings, spoken to with the token that the provider gives at that moment."""

    def __init__(self, settings: Settings, token_provider: Callable[[], Token | None]) -> None:
        self.settings = settings
        self.endpoint = settings.endpoint
        self._token_provider = token_provider

    @property
    def offline(self) -> bool:
        """Whether nothing may be asked: by these settings, or by huggingface_hub's own."""
        return self.settings.offline or huggingface_hub.is_offline_mode()

    def held_token(self) -> Token | None:
        """Return the token in use, whatever its form; raises StoreError where it cannot be read."""
        return self._token_provider()

    def token(self) -> Token | None:
        """Return the token in use; raises TokenRejected for one that cannot even be sent."""
        token = self.held_token()
        if token and (problem := form_problem(token.value)):
            raise TokenRejected(f"The token of {token.source} cannot be used: {problem}. Set it again, or remove it.")
        return token

    def commit(self, repo: str, revision: str | None = None) -> str:
        """Return the full commit that the revision points to (None: the default branch).

        A full commit is returned as it is, without a request. When the Hub cannot be asked, the commit that the
        cache on disk remembers for that revision is used. Raises HubError.
        """
        check_id(repo)
        if revision and COMMIT.fullmatch(revision):
            return revision
        try:
            return self.info(repo, revision).commit
        except (HubUnreachable, NotCached):
            if cached := find_cached_commit(repo, revision):
                return cached
            raise

    def info(self, repo: str, revision: str | None = None) -> Repo:
        """Return what the Hub knows of the repository, with its files at that revision. Raises HubError."""
        check_id(repo)
        path = f"/api/models/{repo}" + (f"/revision/{quote(revision, safe='')}" if revision else "")
        data = self.get(path, {"blobs": "true"}, repo, revision)
        found = read_repo(data) if isinstance(data, dict) else Repo("")
        if not COMMIT.fullmatch(found.commit):
            raise RevisionNotFound(f"The Hub names no commit for `{repo}`; it may be empty.")
        return found

    def auth_check(self, repo: str) -> None:
        """Ask whether the token in use may read a repository that has no small file to try; raises HubError."""
        check_id(repo)
        self._ask(f"/api/models/{repo}/auth-check", {}, repo)

    def read(self, repo: str, commit: str, name: str, largest: int = LARGEST_JSON) -> bytes:
        """Return one small file of a commit without keeping it; raises UnsafeRepo for one over the limit, HubError."""
        check_id(repo)
        path = f"/{repo}/resolve/{quote(commit, safe='')}/{quote(name)}"
        return self._ask(path, {}, repo, commit, (name, largest))

    def test_connection(self) -> Connection:
        """Ask the Hub who the token is and say exactly what works and what does not; never raises HubError."""
        if self.offline:
            return self._failed("offline", "HF_HUB_OFFLINE is set: the Hub is not asked, cached models still load.")
        began = time.perf_counter()
        try:
            token = self.token()
            data = self.get("/api/whoami-v2", {}) if token else self.get("/api/models", {"limit": "1"})
        except TokenRejected as error:
            form = "cannot be used" in str(error)
            latency = None if form else (time.perf_counter() - began) * 1000
            return self._failed("wrong form" if form else "rejected", str(error), latency)
        except StoreError as error:
            return self._failed("wrong form", str(error))
        except HubError as error:
            return self._failed("unreachable", str(error), cause=getattr(error, "cause", ""))
        latency = (time.perf_counter() - began) * 1000
        if token is None:
            message = f"{self.endpoint} answers. No token is set: public models work, private and gated ones do not."
            return Connection(True, self.endpoint, message, latency)
        return _account(self.endpoint, data if isinstance(data, dict) else {}, token, latency)

    def _failed(self, problem: Problem, message: str, latency: float | None = None, cause: str = "") -> Connection:
        return Connection(False, self.endpoint, message, latency, problem=problem, cause=cause)

    def get(self, path: str, query: Query, repo: str = "", revision: str | None = None) -> Any:
        """Return what the Hub answers as JSON; raises HubError."""
        try:
            return json.loads(self._ask(path, query, repo, revision))
        except ValueError:
            raise no_hub(self.endpoint, repo) from None

    def _ask(
        self,
        path: str,
        query: Query,
        repo: str,
        revision: str | None = None,
        limit: tuple[str, int] = ("the answer", LARGEST_ANSWER),
    ) -> bytes:
        if self.offline:
            raise offline_error(repo or self.endpoint, revision)
        token = self.token()
        headers = {"user-agent": f"hfreg; hf_hub/{huggingface_hub.__version__}"}
        if token:
            headers["authorization"] = f"Bearer {token.value}"
        wait: Any = (CONNECT_S, READ_S, READ_S, READ_S)
        try:
            client = huggingface_hub.get_session()
            address = self.endpoint + path
            with client.stream("GET", address, params=dict(query), headers=headers, timeout=wait) as response:
                if response.is_error:
                    response.read()
                hf_raise_for_status(response)
                return _body(response.iter_bytes(), repo, *limit)
        except HubError:
            raise
        except ValueError:
            raise no_hub(self.endpoint, repo) from None
        except Exception as error:
            told = translate(error, repo, revision, token, self.endpoint)
            if told is None:
                raise
            raise told from None  # the original's text may hold addresses and headers


def _body(pieces: Iterable[bytes], repo: str, name: str, largest: int) -> bytes:
    """Read an answer up to a limit, whatever length it claims."""
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > largest:
            raise UnsafeRepo(f"`{repo}`: {name} is longer than {largest:,} bytes and is not read.")
    return bytes(body)


def check_id(repo: str) -> None:
    """Raise RepoNotFound unless the text has the form of a repo id; asks nobody."""
    try:
        validate_repo_id(repo)
    except ValueError:
        raise RepoNotFound(f"`{repo}` is no repo id of the Hub. Write it as `owner/name`.") from None


def cache_root() -> Path:
    """Return the folder of huggingface_hub's cache."""
    return Path(constants.HF_HUB_CACHE)


def cache_folder(repo: str) -> Path:
    """Return where huggingface_hub keeps a model: `models--owner--name` in its cache."""
    return cache_root() / ("models--" + repo.replace("/", "--"))


def find_cached_commit(repo: str, revision: str | None = None) -> str | None:
    """Find the commit that the cache on disk remembers for a branch or tag."""
    name = revision or constants.DEFAULT_REVISION
    if not _REF.fullmatch(name):
        return None
    try:
        commit = (cache_folder(repo) / "refs" / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if COMMIT.fullmatch(commit) else None


def remember_commit(repo: str, revision: str | None, commit: str) -> None:
    """Note in the cache on disk what a branch pointed to, as huggingface_hub does, for offline use."""
    name = revision or constants.DEFAULT_REVISION
    if not _REF.fullmatch(name) or COMMIT.fullmatch(name) or find_cached_commit(repo, revision) == commit:
        return
    target = cache_folder(repo) / "refs" / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{target.name}.{time.monotonic_ns()}")
        aside.write_text(commit, encoding="utf-8")
        aside.replace(target)
    except OSError:
        return  # a read-only cache still serves


def _account(endpoint: str, data: Mapping[str, Any], token: Token, latency: float) -> Connection:
    user = str(data.get("name") or "")
    auth = data.get("auth") or {}
    access = auth.get("accessToken") or {}
    role = str(access.get("role") or "unknown")
    kind = {"fineGrained": "fine-grained"}.get(role, role)
    rights = _rights(access.get("fineGrained") or {}) if kind == "fine-grained" else ((kind,) if access else ())
    message = f"Signed in as {user or 'an unnamed account'} with the {kind} token {token.masked} ({token.source})."
    if kind == "write":
        message += f" Reading is enough here: a read token in {INTEGRATIONS} would be safer."
    # The Hub's own client in JavaScript has known two places for it.
    expires = read_moment(auth.get("expiresAt")) or read_moment(access.get("expiration"))
    gated = kind != "fine-grained" or bool((access.get("fineGrained") or {}).get("canReadGatedRepos"))
    return Connection(True, endpoint, message, latency, user, kind, rights, expires=expires, reads_gated=gated)


def _rights(fine: Mapping[str, Any]) -> tuple[str, ...]:
    rights = [str(right) for right in fine.get("global") or ()]
    for scope in fine.get("scoped") or ():
        name = (scope.get("entity") or {}).get("name", "?")
        rights += [f"{right} on {name}" for right in scope.get("permissions") or ()]
    return (*rights, *(("read gated repositories",) if fine.get("canReadGatedRepos") else ()))
