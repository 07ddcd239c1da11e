"""Requests: what a worker may ask of the platform while a row is in work — files of pinned commits, other models.

Everything asked is checked as if a stranger asked it: only repositories of the Hub and shipped checkpoints are given,
only resources that the definition names are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hfreg.engine import Platform, Resolver
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import Frame
from hfreg.engine.isolated.errors import to_frame
from hfreg.engine.isolated.folders import View
from hfreg.errors import HfregError, ScoringError, UnsafeRepo
from hfreg.version import Version


class Requests:
    """Answers the requests of the workers of one version; `readable` are the only folders that files come from."""

    def __init__(self, version: Version, platform: Platform, resolver: Resolver, readable: Sequence[Path]) -> None:
        self._version = version
        self._platform = platform
        self._resolver = resolver
        self._readable = [folder.resolve() for folder in readable]

    def answer(self, frame: Frame, view: View | None) -> Frame:
        """Return the reply to a request: a value, or the error in its place."""
        try:
            return {"kind": "reply", "value": channel.pack(self._value(frame, view))}
        except HfregError as error:
            return {"kind": "reply", "error": to_frame(error)}
        except Exception as error:  # whatever a worker asks for, it must not end a thread of the platform unheard
            return {"kind": "reply", "error": to_frame(ScoringError(f"{type(error).__name__}: {error}"))}

    def _value(self, frame: Frame, view: View | None) -> Any:
        if frame.get("what") == "resolve" and view is not None:
            folder = self._resolve(frame.get("repo"), frame.get("revision"))
            return str(view.give(folder, getattr(self._resolver, "linking", None)))
        if frame.get("what") == "folder" and view is not None and self._version.definition.folder:
            return str(view.give(self._platform.folder(self._version)))
        if frame.get("what") == "call":
            return self._call(frame.get("alias"), frame.get("positional"), frame.get("named"))
        raise ScoringError("Nobody answers that.")

    def _resolve(self, repo: Any, revision: Any) -> Path:
        if not isinstance(repo, str) or not isinstance(revision, str | None):
            raise UnsafeRepo(f"{repo!r:.100} at {revision!r:.100} is no repository of the Hub.")
        # A path is refused before anyone follows it: checkpoints of other models lie under the readable folders too.
        if Path(repo).is_absolute() or repo.startswith((".", "~")):
            raise _is_folder(repo)
        folder = self._resolver.resolve(repo, revision).resolve()
        if not any(folder.is_relative_to(root) for root in self._readable):
            raise _is_folder(repo)
        return folder

    def _call(self, alias: Any, positional: Any, named: Any) -> Any:
        if alias not in self._version.definition.resources:
            raise ScoringError(f"`{alias!s:.100}` is none of the resources of {self._version.alias}.")
        given = {str(name): channel.unpack(value, rich=True) for name, value in named.items()}
        places = tuple(channel.unpack(value, rich=True) for value in positional)
        return self._platform.call(self._version, alias, places, given)


def _is_folder(repo: str) -> UnsafeRepo:
    return UnsafeRepo(
        f"`{repo:.100}` is a folder of this machine, and a confined model reads pinned checkpoints only. "
        "Name the repository, or set HFREG_ENGINE=inline."
    )
