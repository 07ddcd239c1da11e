"""hfreg: register, try, govern and watch Hugging Face models.

>>> import hfreg
>>> registry = hfreg.open(home)
>>> version = registry.register(hfreg.Definition(
...     alias="shout",
...     arguments=[hfreg.Argument("text", "String"), hfreg.Argument("mark", "String", optional=True, default="!")],
...     output_type="String",
...     scoring_logic="return text.upper() + mark",
... ))
>>> version
<Version shout 1 Draft, snapshot 1 by ...>
>>> shout = registry.model("shout")
>>> shout("hello")
'HELLO!'
>>> shout.run(text="hello", mark="?").value
'HELLO?'
>>> [outcome.value for outcome in shout.map([{"text": "a"}, {"text": "b"}])]
['A!', 'B!']
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from hfreg import progress
from hfreg.argument import Argument
from hfreg.definition import Definition, Limits
from hfreg.engine import Event, Outcome, Timings
from hfreg.errors import *  # noqa: F403
from hfreg.errors import __all__ as _errors
from hfreg.lifecycle import Action, State
from hfreg.model import Model
from hfreg.registry import Registry
from hfreg.settings import Settings
from hfreg.values import Finding
from hfreg.version import Pin, Version

__version__ = "0.1.0"
__all__ = [
    "open", "Registry", "Model", "Settings",
    "Definition", "Argument", "Limits", "Finding", "Version", "Pin", "State", "Action",
    "Outcome", "Timings", "Event",
    *_errors,
]  # fmt: skip

_registries: dict[Settings, Registry] = {}
_opening = threading.Lock()


def open(home: str | Path | None = None, *, engine: str = "inline") -> Registry:
    """Open the registry of a home folder: the argument, else HFREG_HOME, else ./data.

    One process has one Registry per home and settings, so that a model is loaded once however often it is
    opened. The folder is made on the first write. `engine` is the default where HFREG_ENGINE says nothing.
    Raises SettingsError when a variable cannot be used.
    """
    settings = Settings.from_environment(home, engine=engine)
    with _opening:
        registry = _registries.get(settings)
        if registry is None or registry.closed:
            registry = _registries[settings] = Registry(settings)
            registry.progress = progress.downloads()
        return registry


def _after_fork() -> None:
    global _opening
    _opening = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
