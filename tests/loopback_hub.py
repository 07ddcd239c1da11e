"""A small Hugging Face Hub on 127.0.0.1 that the real huggingface_hub client talks to.

Covers model info, tree, resolve with ETag, commit and Range, whoami, auth-check, search, private and
gated repositories, tokens, new commits, slow and dropped connections, and being gone. It answers as the
Hub does: anonymous callers get 401 with `RepoNotFound` for missing and private alike, a wrong token 401
with a message and no code, a gated file 401 or 403 with `GatedRepo`. It has no uploads, no Xet storage,
no datasets.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".bin", ".onnx", ".h5", ".model")
_REPO = r"(?P<repo>[^/]+/[^/]+)"
_ROUTES = [
    (re.compile(rf"/api/models/{_REPO}/auth-check"), "auth_check"),
    (re.compile(rf"/api/models/{_REPO}/tree/(?P<revision>[^/]+)(?:/.*)?"), "tree"),
    (re.compile(rf"/api/models/{_REPO}/revision/(?P<revision>[^/]+)"), "info"),
    (re.compile(rf"/api/models/{_REPO}"), "info"),
    (re.compile(r"/api/models"), "search"),
    (re.compile(r"/api/whoami-v2"), "whoami"),
    (re.compile(rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)"), "resolve"),
]


@dataclass
class Account:
    """Who a token is: its role, and the private and gated repositories that it may read."""

    name: str
    role: str = "read"
    repos: set[str] = field(default_factory=set)


@dataclass
class Hosted:
    """One repository: its commits (commit to file contents) and where its branches point."""

    id: str
    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


class LoopbackHub:
    """The server; a context manager that leaves no thread and no socket behind."""

    def __init__(self) -> None:
        self.repos: dict[str, Hosted] = {}
        self.tokens: dict[str, Account] = {}
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bytes_per_s: float | None = None
        self.drop_after: dict[str, int] = {}
        self.fail_with: int | None = None
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """The endpoint, without a slash at its end."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve; after `stop` again on the same port."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name="loopback hub").start()

    def stop(self) -> None:
        """Be gone: refuse connections and cut those that are open."""
        if self._server is None:
            return
        self._server.shutdown()
        with self._lock:
            for open_one in self._sockets:
                _cut(open_one)
        self._server.server_close()
        self._server = None

    def __enter__(self) -> LoopbackHub:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def add_repo(
        self,
        repo: str,
        files: Path | Mapping[str, bytes],
        private: bool = False,
        gated: bool = False,
        **about: Any,
    ) -> str:
        """Host a folder (or contents by name) under the id and return its first commit; `about` goes into info."""
        self.repos[repo] = Hosted(repo, private, gated, about=about)
        return self.push(repo, files)

    def push(self, repo: str, files: Path | Mapping[str, bytes], branch: str = "main") -> str:
        """Make a commit of exactly these files, move the branch to it and return it."""
        contents = dict(files) if isinstance(files, Mapping) else _read(files)
        hosted = self.repos[repo]
        seed = f"{repo}/{branch}/{len(hosted.commits)}".encode()
        commit = hashlib.sha1(seed + b"".join(n.encode() + d for n, d in sorted(contents.items()))).hexdigest()
        hosted.commits[commit] = contents
        hosted.branches[branch] = commit
        return commit

    def add_token(self, value: str, name: str = "ada", role: str = "read", repos: tuple[str, ...] = ()) -> str:
        """Accept a token and return it; `repos` are the private and gated repositories that it may read."""
        self.tokens[value] = Account(name, role, set(repos))
        return value

    def forget_requests(self) -> None:
        """Count from here."""
        self.requests.clear()
        self.headers.clear()

    def downloads(self, name: str) -> list[tuple[str, str]]:
        """Return the GET requests for one file."""
        return [one for one in self.requests if one[0] == "GET" and "/resolve/" in one[1] and one[1].endswith(name)]


def _read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], hub: LoopbackHub) -> None:
        self.hub = hub
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

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
                given = {key: unquote(value) for key, value in match.groupdict().items()}
                return getattr(self, f"_{name}")(**given)
        return self._refuse(404)

    def _whoami(self) -> None:
        if self.account is None:
            return self._refuse(401, message="Invalid username or password.")
        access: dict[str, Any] = {"displayName": "test", "role": self.account.role}
        if self.account.role == "fineGrained":
            scope = {"entity": {"name": self.account.name, "type": "user"}, "permissions": ["repo.content.read"]}
            access["fineGrained"] = {"canReadGatedRepos": True, "global": [], "scoped": [scope]}
        auth = {"type": "access_token", "accessToken": access}
        return self._json({"type": "user", "name": self.account.name, "fullname": "Ada", "orgs": [], "auth": auth})

    def _search(self) -> None:
        words = self.query.get("search", [""])[0].lower()
        limit = int(self.query.get("limit", ["30"])[0])
        seen = [hosted for hosted in self.hub.repos.values() if self._visible(hosted) and words in hosted.id.lower()]
        self._json([self._about(hosted, hosted.branches["main"]) for hosted in seen[:limit]])

    def _info(self, repo: str, revision: str = "main") -> None:
        if found := self._find(repo, revision):
            self._json(self._about(*found, blobs="blobs" in self.query))

    def _tree(self, repo: str, revision: str) -> None:
        if found := self._find(repo, revision):
            hosted, commit = found
            self._json([_entry(name, data) for name, data in sorted(hosted.commits[commit].items())])

    def _auth_check(self, repo: str) -> None:
        if (found := self._find(repo, "main")) and self._may_read(found[0]):
            self._json({})

    def _resolve(self, repo: str, revision: str, name: str) -> None:
        found = self._find(repo, revision)
        if not found or not self._may_read(found[0]):
            return
        hosted, commit = found
        data = hosted.commits[commit].get(name)
        if data is None:
            return self._refuse(404, "EntryNotFound", headers={"X-Repo-Commit": commit})
        begin = 0
        if given := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            begin = int(given[1])
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_etag(name, data)}"', "Accept-Ranges": "bytes"}
        if name.endswith(LARGE):
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{_etag(name, data)}"'}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self._send(206 if begin else 200, data[begin:], "application/octet-stream", headers, name)

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
        self._refuse(403 if self.account else 401, "GatedRepo", f"Access to model {hosted.id} is restricted.")
        return False

    def _about(self, hosted: Hosted, commit: str, blobs: bool = False) -> dict[str, Any]:
        files = hosted.commits[commit]
        siblings: list[dict[str, Any]] = [{"rfilename": name} for name in sorted(files)]
        if blobs:
            siblings = [_sibling(name, data) for name, data in sorted(files.items())]
        base = {
            "id": hosted.id, "modelId": hosted.id, "sha": commit, "private": hosted.private,
            "gated": "auto" if hosted.gated else False, "disabled": False, "downloads": 0, "likes": 0,
            "tags": ["transformers", "safetensors"], "siblings": siblings,
        }  # fmt: skip
        return base | hosted.about

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


def _blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _etag(name: str, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if name.endswith(LARGE) else _blob(data)


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    about: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": _blob(data)}
    if name.endswith(LARGE):
        about["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return about


def _entry(name: str, data: bytes) -> dict[str, Any]:
    about: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _blob(data)}
    if name.endswith(LARGE):
        about["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return about


def safetensors(size: int = 1000, seed: int = 0) -> bytes:
    """Return a valid safetensors file with one tensor of that many bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    block = hashlib.sha256(str(seed).encode()).digest()
    return len(header).to_bytes(8, "little") + header + (block * (size // len(block) + 1))[:size]


def plain_repo(size: int = 1000, seed: int = 0, **more: bytes) -> dict[str, bytes]:
    """Return the files of a small repository: config, tokenizer, weights, card, and code that is never fetched."""
    return {
        "config.json": b'{"model_type": "bert"}',
        "tokenizer.json": b'{"version": "1.0"}',
        "model.safetensors": safetensors(size, seed),
        "README.md": b"# A model\n",
        "modeling_it.py": b"raise SystemExit\n",
        **{name.replace("__", "/"): data for name, data in more.items()},
    }
