"""Sandbox: confine a worker for good, before it sees any code of a user, and say which layers hold.

Each layer is applied by itself and reports itself; one that this machine lacks is reported and no error, so that the
caller can refuse. What each layer stops stands in docs/isolation.md. Not covered: descriptors that the worker was
started with (the caller closes them), time, resident memory and disk space (the supervisor watches them), and
bugs of the kernel.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hfreg.engine.isolated import landlock, privileges, seccomp

Tier = Literal["confined", "process only"]

REQUIRED = ("landlock", "seccomp", "rlimits", "no_new_privs", "caps", "dumpable")
"""The layers of the confined tier; the others (pdeathsig, oom) are a help and not a wall."""

LAYERS = ("pdeathsig", "oom", "rlimits", "no_new_privs", "landlock", "caps", "dumpable", "seccomp")
ON, MISSING = "on: ", "missing: "
PROBE_SECONDS = 30
PROBE = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from hfreg.engine.isolated import sandbox
layers = sandbox.confine(sandbox.Confinement(pathlib.Path(sys.argv[2])))
print(json.dumps(layers))
"""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one worker may have. Sizes are bytes; new processes are never allowed.

    `scratch` is read-write and becomes the working folder, `readable` is read without execute.
    With `network` it may resolve names and reach TCP ports 443 and 80.
    """

    scratch: Path
    readable: tuple[Path, ...] = ()
    network: bool = False
    address_space: int = 4 << 30
    open_files: int = 256
    file_bytes: int = 64 << 20
    required: tuple[str, ...] = REQUIRED


def confine(wanted: Confinement) -> dict[str, str]:
    """Confine this process for good and return layer to `on: …` or `missing: …`; never raises for a layer.

    Called once, in a process with one thread: threads that run already would not be confined, and the
    layers that hold for one thread alone are then reported missing.
    """
    os.chdir(wanted.scratch)
    limits = (wanted.address_space, wanted.open_files, wanted.file_bytes)
    steps: dict[str, Callable[[], str]] = {
        "pdeathsig": privileges.die_with_parent,
        "oom": privileges.die_first,
        "rlimits": lambda: privileges.limit(*limits),
        "no_new_privs": privileges.give_up_new_privileges,
        "landlock": lambda: landlock.restrict(wanted.scratch, wanted.readable, wanted.network),
        "caps": privileges.drop_capabilities,
        "dumpable": privileges.hide_from_others,
        "seccomp": lambda: seccomp.install(os.getpid(), wanted.network),
    }
    others = _other_threads()
    layers = {name: _applied(step) for name, step in steps.items()}
    if others:
        unsafe = f"{MISSING}{others} threads ran before it and are not confined"
        layers.update(dict.fromkeys(("no_new_privs", "landlock", "caps", "seccomp"), unsafe))
    return {**layers, **_not_holding(layers)}


def lacking(layers: Mapping[str, str], required: Iterable[str] = REQUIRED) -> list[str]:
    """Return the required layers that are missing, each with the reason."""
    return [
        f"{name} ({layers.get(name, 'not tried').removeprefix(MISSING)})"
        for name in required
        if not layers.get(name, "").startswith(ON)
    ]


def tier(layers: Mapping[str, str]) -> Tier:
    """Return the tier that these layers make."""
    return "process only" if lacking(layers) else "confined"


def probe() -> dict[str, str]:
    """Find out in a process of its own which layers this machine offers; the caller is not confined."""
    package = str(Path(__file__).parents[3])
    try:
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-P", "-c", PROBE, package, scratch]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
        found: dict[str, str] = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        told = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        return _none(f"the process that tried it ended with {error.returncode}: {told}")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return _none(f"it could not be tried: {error}")
    return found


def _applied(step: Callable[[], str]) -> str:
    try:
        return ON + step()
    except Exception as error:  # a layer that fails in any way is missing; the caller decides what that means
        return f"{MISSING}{str(error) or type(error).__name__}"


def _not_holding(layers: Mapping[str, str]) -> dict[str, str]:
    """Try what the two walls must stop: some systems accept a layer and do not enforce it."""
    trials: dict[str, tuple[Callable[[], object], str]] = {
        "landlock": (lambda: list(Path("/").iterdir()), "the root folder could still be listed"),
        "seccomp": (lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(), "a socket could still be made"),
    }
    return {
        name: f"{MISSING}accepted, but {leak}"
        for name, (trial, leak) in trials.items()
        if layers[name].startswith(ON) and not _refused(trial)
    }


def _refused(trial: Callable[[], object]) -> bool:
    try:
        trial()
    except PermissionError:
        return True
    return False


def _other_threads() -> int:
    try:
        return len(list(Path("/proc/self/task").iterdir())) - 1
    except OSError:  # no such folder: not Linux, where no layer that is per thread exists
        return 0


def _none(why: str) -> dict[str, str]:
    return dict.fromkeys(LAYERS, MISSING + why)
