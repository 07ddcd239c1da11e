"""Parts: what a Registry is made of, each made on first use.

`import hfreg` and a catalog page need neither SQLAlchemy nor huggingface_hub nor an engine, so none of
them is imported before something asks for it. A forked child makes its own: the threads of its parent are
not there, and a connection or a lock that both use serves neither.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hfreg.engine import Engine, OnEvent
from hfreg.errors import SettingsError
from hfreg.settings import STARTERS, Settings, Token, operating_system_user
from hfreg.store import POLICIES
from hfreg.store.definitions import Definitions

if TYPE_CHECKING:
    from hfreg.hub.client import Hub
    from hfreg.hub.fetch import Fetcher
    from hfreg.licensing import Licensing
    from hfreg.model import Model
    from hfreg.store.autosave import Autosaves
    from hfreg.store.events import Events
    from hfreg.store.folders import Folder, Folders

_open: weakref.WeakSet[Parts] = weakref.WeakSet()
_left_behind: list[object] = []
"""Parts of the parent of this forked process; kept, because ending them would end what the parent still uses."""


class Parts:
    """The parts of one registry; `progress` hears of downloads when the caller follows nothing itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.user = operating_system_user()
        self.progress: OnEvent | None = None
        self.closed = False
        self._models: dict[tuple[str, int | None], Model] = {}
        self._making = threading.RLock()
        logging.getLogger("hfreg").setLevel(settings.log_level)
        atexit.register(self.close)
        _open.add(self)

    @cached_property
    def definitions(self) -> Definitions:
        """The definitions and versions, in TinyDB."""
        return Definitions(self._definitions_file)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever saved in this home."""
        return not self._definitions_file.exists()

    @cached_property
    def autosaves(self) -> Autosaves:
        """Unsaved edits of forms."""
        from hfreg.store.autosave import Autosaves

        return Autosaves(self.settings.home / "autosave")

    @cached_property
    def events(self) -> Events:
        """The invocation log, in SQL."""
        from hfreg.store.events import Events

        with self._making:
            made: Events = self.__dict__.setdefault("events", Events(self._database()))
            return made

    @cached_property
    def hub(self) -> Hub:
        """The Hub, spoken to with the token of this registry."""
        from hfreg.hub.client import Hub

        return Hub(self.settings, self.token)

    @cached_property
    def fetcher(self) -> Fetcher:
        """What downloads pinned files."""
        from hfreg.hub.fetch import Fetcher

        with self._making:
            made: Fetcher = self.__dict__.setdefault("fetcher", Fetcher(self.hub))
            return made

    @cached_property
    def folders(self) -> Folders:
        """The uploaded folders of Custom models."""
        from hfreg.hub.files import inspect_folder
        from hfreg.store.folders import Folders

        return Folders(self.settings.home / "folders", inspect_folder)

    @cached_property
    def licensing(self) -> Licensing:
        """The licence policy, and what holds models to it."""
        from hfreg.hub.licence import Licences
        from hfreg.licensing import Licensing
        from hfreg.store.policies import Policies

        with self._making:
            made = Licensing(Policies(self.settings.home / POLICIES), Licences(self.hub, STARTERS), self._folder_of)
            kept: Licensing = self.__dict__.setdefault("licensing", made)
            return kept

    @cached_property
    def engine(self) -> Engine:
        """What runs scoring logic."""
        with self._making:
            if "engine" not in self.__dict__:
                self.__dict__["engine"] = self._new_engine()
            made: Engine = self.__dict__["engine"]
            return made

    @cached_property
    def remote(self) -> Engine:
        """What calls models that run elsewhere."""
        from hfreg.engine.remote import RemoteEngine
        from hfreg.hub.inference import Inference

        with self._making:
            engine = RemoteEngine(Inference(self.hub), lambda: self.engine, self.licensing.admit_endpoint)
            made: Engine = self.__dict__.setdefault("remote", engine)
            return made

    def _folder_of(self, address: str) -> Path | None:
        folder = self.folders.find(address)
        return folder.path if folder else None

    def _new_engine(self) -> Engine:
        from hfreg.provision import Provision

        platform = Provision(self)  # type: ignore[arg-type]
        if self.settings.engine == "inline":
            from hfreg.engine.inline import InlineEngine

            return InlineEngine(platform)
        if not sys.platform.startswith("linux"):
            raise SettingsError("HFREG_ENGINE=isolated needs Linux. Set it to inline.")
        from hfreg.engine.isolated.engine import IsolatedEngine
        from hfreg.hub.client import cache_root

        budget = self.settings.memory_budget_mb
        return IsolatedEngine(platform, cache_root(), (STARTERS,), budget * 2**20 if budget else None)

    def add_folder(
        self,
        source: str | Path | IO[bytes],
        pickles: bool = False,
        progress: Callable[[int, int], None] | None = None,
        onto: str = "",
    ) -> Folder:
        """Keep a model folder for Custom models: a zip (its path, or an open file) or a folder of this machine.

        Its `address` is what a definition names as `folder`; the same content is kept once. `onto` is the address of a
        stored folder that its files are added to. `progress` hears of bytes done and in all; an intake that was stopped
        goes on when the same source is given again. Raises UnsafeFolder or UnsafeRepo, naming the file.
        """
        taken = Path(source).expanduser() if isinstance(source, str) else source
        return self.folders.add(taken, pickles, progress or (lambda done, total: None), onto)

    def started(self, part: str) -> bool:
        """Say whether a part was made already."""
        return part in self.__dict__

    def token(self) -> Token | None:
        """Find the Hugging Face token in use: the saved one, else the environment's."""
        from hfreg.hub import token

        return token.find(self.settings.home)

    def save_token(self, text: str) -> Token:
        """Save a token for every later download; raises SettingsError when it has not the form of one."""
        from hfreg.hub import token

        saved = token.save(self.settings.home, text)
        self._drop_token()
        return saved

    def remove_token(self) -> bool:
        """Delete the saved token; returns whether there was one."""
        from hfreg.hub import token

        removed = token.remove(self.settings.home)
        self._drop_token()
        return removed

    def _drop_token(self) -> None:
        """Unload what was loaded with the token, so that the next call sees the one of now."""
        for loaded in self.engine.loaded() if self.started("engine") else ():
            found = self.definitions.find(loaded.alias, loaded.version)
            if found is None or found.definition.token:  # what Test Code runs is not saved, and may have asked for it
                self.engine.unload(loaded.alias, loaded.version)

    def close(self) -> None:
        """Stop what runs, drop what is loaded, and write down the last calls."""
        self.closed = True
        for part in ("_simulations", "remote", "engine", "events"):
            if self.started(part):
                self.__dict__[part].close()
        atexit.unregister(self.close)

    def _begin_anew(self) -> None:
        """Forget every part, as a forked child must; models that were handed out find the new ones."""
        if self.started("events"):
            self.events.abandon()
        if abandon := getattr(self.__dict__.get("engine"), "abandon", None):
            abandon()
        named = ["definitions", "autosaves", "events", "hub", "fetcher", "licensing", "engine", "remote"]
        named += ["_simulations", "_checks"]
        _left_behind.extend(self.__dict__.pop(part, None) for part in named)
        self._making = threading.RLock()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _definitions_file(self) -> Path:
        return self.settings.home / "definitions.json"

    def _database(self) -> str | Path:
        return self.settings.database_url or self.settings.home / "events.sqlite"


def _before_fork() -> None:
    for parts in list(_open):
        if parts.started("events"):
            parts.events.rest()


def _after_fork() -> None:
    for parts in list(_open):
        parts._begin_anew()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
