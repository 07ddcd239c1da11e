"""Log: the last that a worker wrote to its standard streams, which says why it ended when nothing else does.

Kept by its supervisor, never on disk. Secrets are taken out by whoever shows it.
"""

from __future__ import annotations

import os
import re
import signal

KEPT = 8 * 1024


class Log:
    """The end of what comes out of one pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._tail = bytearray()
        self._cut = False

    def read(self) -> bool:
        """Take what is there; False once nobody writes any more."""
        try:
            part = os.read(self._pipe, 65536)
        except BlockingIOError:
            return True
        self._tail += part
        if len(self._tail) > KEPT:
            self._cut = True
            del self._tail[:-KEPT]
        return bool(part)

    @property
    def last_words(self) -> str:
        """The text from its first whole word on: of half a secret nobody would know that it is one."""
        text = self._tail.decode("utf-8", "replace")
        return re.sub(r"^\S*", "", text) if self._cut else text


def how(status: int | None, log: str) -> str:
    """Tell how a process ended, with the last it wrote."""
    if status is None:
        end = "it ended"
    elif os.WIFSIGNALED(status):
        end = f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    else:
        end = f"it ended by itself with exit code {os.waitstatus_to_exitcode(status)}"
    return f"{end}\n{log.strip()}".strip()
