"""Attack: one piece of scoring logic that means harm, and what every one of them has at hand.

An attack that reaches for something succeeds when it returns what it got (anything true); it is held when it raises
one of REFUSALS or returns nothing. Every attack knows the facts of `world.py` by their names as arguments, and the
functions of PRELUDE. The same source runs unconfined in `control.py`, where it has to succeed.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

REFUSALS = ("PermissionError", "OSError", "BlockingIOError")
"""How an attack may end that was held; FileNotFoundError and NameError would tell of a mistake in the attack."""


@dataclass(frozen=True)
class Attack:
    """Scoring logic, what it has when it succeeds, and how it may end else.

    `refused` are errors beside REFUSALS that hold it, `unless` says when not even the control can succeed, and
    `ends` how that control then ends; `root` marks what only root could do unconfined, `fresh` what needs
    a worker in which nothing was tried before.
    """

    wins: str
    logic: str
    refused: tuple[str, ...] = ()
    unless: str = ""
    ends: tuple[str, ...] = REFUSALS
    root: bool = False
    fresh: bool = False

    @property
    def source(self) -> str:
        """The scoring logic with what it needs before it."""
        return PRELUDE + textwrap.dedent(self.logic)


@dataclass(frozen=True)
class Harm:
    """Scoring logic that hangs, crashes, floods or forges, and the ends that are right for it.

    `ends` are kinds of outcome: `ok`, `timeout`, `cancelled` or the kind of the error. `says` stands in the answer or
    the message. `then` is how the call after it ends, `later` the one after that: `fine`, unless what came before may
    still be felt by whoever calls the same model.
    """

    does: str
    logic: str
    ends: tuple[str, ...]
    says: str = ""
    time_s: float = 0.3
    memory_mb: int = 160
    output_type: str = "Any"
    then: tuple[str, ...] = ("fine",)
    later: tuple[str, ...] = ("fine",)

    @property
    def source(self) -> str:
        """The scoring logic, which does no harm when it is asked for a sign of life."""
        return "if well: return 'fine'\n" + PRELUDE + textwrap.dedent(self.logic)


PRELUDE = """\
import ctypes, errno, fcntl, json, mmap, os, platform, resource, select, signal, socket, stat, struct, subprocess
import sys, tempfile, threading, time
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def syscall(x86, arm, *arguments):
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return checked(libc.syscall(ctypes.c_long(x86 if platform.machine() == "x86_64" else arm), *passed))
def frame(told):
    data = json.dumps(told).encode()
    return struct.pack("!I", len(data)) + data
def tell(**told):
    data = frame(told)
    while data:
        data = data[os.write(3, data):]
def take(count):
    data = b""
    while len(data) < count:
        if not (part := os.read(3, count - len(data))):
            raise PermissionError("the channel was closed")
        data += part
    return data
def ask(**told):
    tell(kind="ask", **told)
    reply = json.loads(take(struct.unpack("!I", take(4))[0]))
    if "error" in reply:
        raise PermissionError(reply["error"]["message"])
    return reply["value"]
"""
