"""A small Hugging Face Hub on 127.0.0.1 that the real huggingface_hub client talks to.

Covers model info, tree, resolve with ETag, commit and Range, whoami, auth-check, search, private and
gated repositories, tokens, new commits, slow and dropped connections, and being gone. It answers as the
Hub does: anonymous callers get 401 with `RepoNotFound` for missing and private alike, a wrong token 401
with a message and no code, a gated file 401 or 403 with `GatedRepo`. It has no uploads, no Xet storage,
no datasets.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hub_files import read_folder
from loopback_answers import Account, Answers, Hosted
from loopback_inference import Said


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
        self.says: list[Said] = []
        self.asked: list[dict[str, Any]] = []
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
        contents = dict(files) if isinstance(files, Mapping) else read_folder(files)
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
        super().__init__(address, Answers)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet: a client that hangs up is part of the tests."""
