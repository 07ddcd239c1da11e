"""Clients: huggingface_hub as scoring logic sees it.

Inference clients are kept per token, files are given from the pinned commit, and logging in does nothing.
What is downloaded from where is the Resolver's; anything else of huggingface_hub is the library's own.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hfreg.errors import UnsafeRepo
from hfreg.scoring.memo import Memo, NotPlain
from hfreg.scoring.proxies import class_proxy

INFERENCE_TIMEOUT_S = 60.0
Resolve = Callable[[str, str | None], Path]

_SALT = secrets.token_bytes(32)


class Clients:
    """The functions and classes of huggingface_hub that differ for one loaded model."""

    def __init__(
        self, memo: Memo, resolve: Resolve, note: Callable[[str], object], warn: Callable[[str, str], object]
    ) -> None:
        self._memo = memo
        self._resolve = resolve
        self._note = note
        self._warn = warn

    def replace(self, attribute: str, value: Any) -> Any:
        """Exchange what differs."""
        if attribute in {"login", "notebook_login", "interpreter_login"}:
            return self._login
        if attribute in {"hf_hub_download", "snapshot_download"}:
            own = self._file if attribute == "hf_hub_download" else self._folder
            return functools.wraps(value)(functools.partial(own))
        if attribute == "InferenceClient":
            return class_proxy(value, {}, functools.partial(self._client, value))
        if attribute == "AsyncInferenceClient":  # belongs to one event loop, and scoring logic may start several
            return class_proxy(value, {}, functools.partial(value, timeout=INFERENCE_TIMEOUT_S))
        return value

    def _client(self, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", INFERENCE_TIMEOUT_S)  # huggingface_hub itself would wait for ever
        try:
            key = "InferenceClient", self._digest(args, kwargs)
        except NotPlain as problem:
            what = f"is made on every call, because {problem}. Keep it in `cache`, or pass plain values"
            self._warn(what, "InferenceClient")
            return real(*args, **kwargs)
        return self._memo.get_or_load(key, lambda: real(*args, **kwargs))

    def _digest(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        # Two tokens are two clients, and headers may hold one too: the key tells them apart without holding them.
        given = {**{f"argument {i + 1}": value for i, value in enumerate(args)}, **kwargs}
        plain = [(name, self._memo.plain(name, given[name])) for name in sorted(given)]
        return hashlib.blake2b(repr(plain).encode(), key=_SALT).digest()

    def _folder(self, repo_id: str, *, repo_type: str | None = None, revision: str | None = None, **_: Any) -> str:
        if repo_type not in {None, "model"}:
            raise UnsafeRepo(
                f"`{repo_id}` is asked for as a {repo_type}, and the platform pins and fetches models only. "
                "Take what scoring logic needs of it as an argument."
            )
        return str(self._resolve(repo_id, revision))

    def _file(self, repo_id: str, filename: str, *, subfolder: str | None = None, **given: Any) -> str:
        folder = Path(self._folder(repo_id, **given))
        # By its name, not by where it is: the files of a snapshot are links to the cache's blobs.
        path = Path(os.path.normpath(folder / (subfolder or "") / filename))
        if not path.is_relative_to(os.path.normpath(folder)) or not path.is_file():
            raise UnsafeRepo(
                f"`{repo_id}` has no file `{filename}`{f' in `{subfolder}`' if subfolder else ''} among those that "
                "the platform fetches: configuration, tokenizer and safetensors."
            )
        return str(path)

    def _login(self, token: str | None = None, **ignored: Any) -> None:
        if not token:
            self._note("login() had no token and did nothing; public models load without one.")
