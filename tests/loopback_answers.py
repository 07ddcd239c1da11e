"""How the loopback Hub answers each request, and the accounts and repositories that it answers from."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import hub_about
from hub_files import LARGE, etag, tree_entry
from loopback_inference import ROUTE, InferenceAnswers

_REPO = r"(?P<repo>[^/]+/[^/]+)"
_ROUTES = [
    (re.compile(rf"/api/models/{_REPO}/auth-check"), "auth_check"),
    (re.compile(rf"/api/models/{_REPO}/tree/(?P<revision>[^/]+)(?P<under>/.*)?"), "tree"),
    (re.compile(rf"/api/models/{_REPO}/revision/(?P<revision>[^/]+)"), "info"),
    (re.compile(rf"/api/models/{_REPO}"), "info"),
    (re.compile(r"/api/models"), "search"),
    (re.compile(r"/api/whoami-v2"), "whoami"),
    (ROUTE, "ask"),
    (re.compile(rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)"), "resolve"),
]


@dataclass
class Account:
    """Who a token is: its role, the private and gated repositories that it may read, and what became of requests."""

    name: str
    role: str = "read"
    repos: set[str] = field(default_factory=set)
    reads_gated: bool = True
    expires: str = ""
    expires_in: str = "auth"
    requests: dict[str, str] = field(default_factory=dict)


@dataclass
class Hosted:
    """One repository: its commits (commit to file contents) and where its branches point."""

    id: str
    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


def _shut(repo: str, account: Account | None) -> str:
    """Return what the Hub says of a gated repository, by what became of the request for access."""
    if account is None:
        return f"Access to model {repo} is restricted. You must have access to it and be authenticated. Please log in."
    said = {
        "pending": "is awaiting a review from the repo authors.",
        "rejected": "has been rejected by the repo's authors.",
    }
    if request := account.requests.get(repo):
        return f"Your request to access model {repo} {said[request]}"
    return f"Access to model {repo} is restricted and you are not in the authorized list. Visit its page to ask."


class Answers(InferenceAnswers, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def setup(self) -> None:
        super().setup()
        self.hub = self.server.hub
        with self.hub._lock:
            self.hub._sockets.add(self.connection)

    def finish(self) -> None:
        with self.hub._lock:
            self.hub._sockets.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path = url.path
        self.hub.requests.append((self.command, unquote(path)))
        self.hub.headers.append({key.lower(): value for key, value in self.headers.items()})
        self.query = parse_qs(url.query)
        if self.hub.fail_with:
            return self._refuse(self.hub.fail_with)
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.account = self.hub.tokens.get(bearer)
        if bearer and self.account is None:
            return self._refuse(401, message="Invalid credentials in Authorization header")
        for pattern, name in _ROUTES:
            if match := pattern.fullmatch(path):
                given = {key: unquote(value) for key, value in match.groupdict("").items()}
                return getattr(self, f"_{name}")(**given)
        return self._refuse(404)

    def _whoami(self) -> None:
        if self.account is None:
            return self._refuse(401, message="Invalid username or password.")
        access: dict[str, Any] = {"displayName": "test", "role": self.account.role}
        if self.account.role == "fineGrained":
            scope = {"entity": {"name": self.account.name, "type": "user"}, "permissions": ["repo.content.read"]}
            access["fineGrained"] = {"canReadGatedRepos": self.account.reads_gated, "global": [], "scoped": [scope]}
        auth: dict[str, Any] = {"type": "access_token", "accessToken": access}
        if self.account.expires and self.account.expires_in == "auth":
            auth["expiresAt"] = self.account.expires
        elif self.account.expires:
            access["expiration"] = self.account.expires
        return self._json({"type": "user", "name": self.account.name, "fullname": "Ada", "orgs": [], "auth": auth})

    def _search(self) -> None:
        limit = int(self.query.get("limit", ["30"])[0])
        seen = [self._about(h, h.branches["main"]) for h in self.hub.repos.values() if self._visible(h)]
        found = [one for one in seen if hub_about.matches(one, self.query)]
        if (by := self.query.get("sort", [""])[0]) in hub_about.SORTS:
            found.sort(key=lambda one: one[by], reverse=True)
        self._json([hub_about.expanded(one, self.query.get("expand", [])) for one in found[:limit]])

    def _info(self, repo: str, revision: str = "main") -> None:
        if found := self._find(repo, revision):
            about = self._about(*found, blobs="blobs" in self.query)
            if "securityStatus" in self.query and "securityRepoStatus" in found[0].about:
                about["securityRepoStatus"] = found[0].about["securityRepoStatus"]
            self._json(about)

    def _tree(self, repo: str, revision: str, under: str) -> None:
        if not (found := self._find(repo, revision)):
            return None
        hosted, commit = found
        folder = f"{under.strip('/')}/" if under else ""
        inside = {name: data for name, data in sorted(hosted.commits[commit].items()) if name.startswith(folder)}
        if folder and not inside:
            return self._refuse(404, "EntryNotFound", f"{folder} does not exist", {"X-Repo-Commit": commit})
        if self.query.get("recursive", [""])[0].lower() in {"true", "1"}:
            return self._json([tree_entry(name, data) for name, data in inside.items()])
        here = [tree_entry(name, data) for name, data in inside.items() if "/" not in name.removeprefix(folder)]
        folders = {name.removeprefix(folder).split("/")[0] for name in inside if "/" in name.removeprefix(folder)}
        return self._json(
            [*here, *({"type": "directory", "path": folder + f, "oid": "0" * 40} for f in sorted(folders))]
        )

    def _auth_check(self, repo: str) -> None:
        if (found := self._find(repo, "main")) and self._may_read(found[0]):
            self._json({})

    def _resolve(self, repo: str, revision: str, name: str) -> None:
        found = self._find(repo, revision)
        if not found or not self._may_read(found[0]):
            return None
        hosted, commit = found
        data = hosted.commits[commit].get(name)
        if data is None:
            return self._refuse(404, "EntryNotFound", headers={"X-Repo-Commit": commit})
        begin = 0
        if given := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            begin = int(given[1])
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag(name, data)}"', "Accept-Ranges": "bytes"}
        if name.endswith(LARGE):
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{etag(name, data)}"'}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        return self._send(206 if begin else 200, data[begin:], "application/octet-stream", headers, name)

    def _find(self, repo: str, revision: str) -> tuple[Hosted, str] | None:
        hosted = self.hub.repos.get(repo)
        if hosted is None or not self._visible(hosted):
            # The real Hub does not tell an anonymous caller missing from private.
            status = 404 if self.account else 401
            self._refuse(status, "RepoNotFound", "Repository not found" if self.account else "Invalid username…")
            return None
        commit = hosted.branches.get(revision) or (revision if revision in hosted.commits else None)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return hosted, commit

    def _visible(self, hosted: Hosted) -> bool:
        return not hosted.private or (self.account is not None and hosted.id in self.account.repos)

    def _may_read(self, hosted: Hosted) -> bool:
        if not hosted.gated or (self.account is not None and hosted.id in self.account.repos):
            return True
        self._refuse(403 if self.account else 401, "GatedRepo", _shut(hosted.id, self.account))
        return False

    def _about(self, hosted: Hosted, commit: str, blobs: bool = False) -> dict[str, Any]:
        gate = "auto" if hosted.gated else ""
        files = hosted.commits[commit]
        return hub_about.about(hosted.id, commit, files, hosted.about, gate, hosted.private, blobs)

    def _refuse(self, status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None) -> None:
        extra = dict(headers or {}) | {"X-Error-Message": message.replace("…", "")}
        self._json({"error": message}, status, extra | ({"X-Error-Code": code} if code else {}))

    def _json(self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(data).encode(), "application/json", headers or {})

    def _send(self, status: int, body: bytes, kind: str, headers: Mapping[str, str], name: str = "") -> None:
        self.send_response(status)
        for key, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(body, self.hub.drop_after.pop(name, None))

    def _write(self, body: bytes, drop_after: int | None) -> None:
        rate = self.hub.bytes_per_s
        piece = max(1, int(rate / 50)) if rate else 1 << 20
        sent = 0
        while sent < len(body):
            part = body[sent : sent + piece][: None if drop_after is None else max(0, drop_after - sent)]
            if not part:
                self.close_connection = True
                return
            self.wfile.write(part)
            sent += len(part)
            if rate:
                time.sleep(len(part) / rate)
