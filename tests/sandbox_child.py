"""The child of tests/test_sandbox.py: becomes a user, confines itself if told to, and prints what came of its attempts.

Reads from its standard input a JSON object: `user` (a number, or null to stay), `confinement` (fields of Confinement,
or null for a control run), `attempts` (name to Python source), `facts` (names for the sources). Writes `layers`,
`results` (name to "done" or the error) and `notes`, which the sources may fill. They run in order, in one process.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextlib
import ctypes
import encodings.idna
import errno
import fcntl
import json
import os
import platform
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from hfreg.engine.isolated import sandbox

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
LIBRARIES = (
    *(
        asyncio,
        concurrent,
        contextlib,
        ctypes,
        encodings,
        errno,
        fcntl,
        os,
        resource,
        shutil,
        signal,
        socket,
        stat,
        struct,
        subprocess,
    ),
    *(sys, tempfile, threading, time),
)


def checked(result: int) -> int:
    """Return what a function of the C library returned, or raise what went wrong."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def syscall(x86: int, arm: int, *arguments: object) -> int:
    """Make a system call that the C library has no name for, by its numbers on both processors."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return checked(libc.syscall(ctypes.c_long(x86 if platform.machine() == "x86_64" else arm), *passed))


def become(user: int | None) -> None:
    """Change to a user without rights, whose own files in /proc are its own."""
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        libc.prctl(4, 1, 0, 0, 0)


def attempt(source: str, names: dict[str, object]) -> str:
    """Run a source and say how it ended."""
    try:
        exec(source, names)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def confine(given: dict[str, object]) -> dict[str, str]:
    """Confine this process by the fields of a Confinement, with paths as text."""
    paths = {"scratch": Path(given["scratch"]), "readable": tuple(map(Path, given["readable"]))}
    return sandbox.confine(sandbox.Confinement(**{**given, **paths}))


def main() -> None:
    told = json.load(sys.stdin)
    become(told["user"])
    notes: dict[str, object] = {}
    names: dict[str, object] = {
        **{library.__name__: library for library in LIBRARIES},
        "Path": Path,
        "libc": libc,
        "checked": checked,
        "syscall": syscall,
        "notes": notes,
        "sandbox": sandbox,
        **{name: Path(value) if str(value).startswith("/") else value for name, value in told["facts"].items()},
    }
    exec(told.get("before", ""), names)
    layers = confine(told["confinement"]) if told["confinement"] else {}
    results = {name: attempt(source, names) for name, source in told["attempts"].items()}
    sys.stdout.write(json.dumps({"layers": layers, "results": results, "notes": notes}))


if __name__ == "__main__":
    main()
