"""Unseen loads: noticing checkpoints that scoring logic loads past load-once, to say so.

The real `from_pretrained` is wrapped once per process and does nothing more than tell the run in work of
its thread. It changes no result, and outside a run it does not even look.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

_run = threading.local()


def tell(callback: Callable[[str], None] | None) -> None:
    """Name who wants to know of real loads in this thread; None ends it."""
    _run.callback = callback


def watch(base: type) -> None:
    """Count real `from_pretrained` calls of a class and its subclasses; a second time does nothing."""
    inherited = base.__dict__["from_pretrained"]
    if getattr(inherited, "__hfreg_watched__", False):
        return

    @functools.wraps(inherited.__func__)
    def from_pretrained(cls: type, *args: Any, **kwargs: Any) -> Any:
        if callback := getattr(_run, "callback", None):
            callback(cls.__name__)
        return inherited.__func__(cls, *args, **kwargs)

    watched: Any = classmethod(from_pretrained)
    watched.__hfreg_watched__ = True
    base.from_pretrained = watched  # type: ignore[attr-defined]
