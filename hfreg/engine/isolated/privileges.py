"""Privileges: what a worker gives up for good before it sees any code: limits, capabilities, being looked into.

Each function is one layer, holds until the process ends, and returns what now holds or raises OSError. Memory that is
resident, processor time and disk space in total are watched from outside, not limited here.
"""

from __future__ import annotations

import os
import signal
import stat
import struct
import threading
from pathlib import Path

from hfreg.engine.isolated import kernel

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 24, 38, 47
AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION = 0x20080522
CAPABILITIES = 64
LOCKED_BYTES = 64 * 1024
MORE_THREADS = 512


def die_with_parent() -> str:
    """Have the kernel kill this process when the thread that forked it ends."""
    kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return "killed when the parent ends"


def die_first() -> str:
    """Make this process the first that the kernel kills when memory runs out."""
    Path("/proc/self/oom_score_adj").write_text("1000")
    return "first to go when memory runs out"


def limit(address_space: int, open_files: int, file_bytes: int) -> str:
    """Set the limits of this process, soft and hard; one that is lower already stays."""
    import resource  # not on Windows, where this module can be imported all the same

    wanted = {
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: LOCKED_BYTES,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    for kind, value in wanted.items():
        most = resource.getrlimit(kind)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
    threads = _limit_threads()
    return f"{address_space >> 20} MiB addresses, {open_files} files of {file_bytes >> 20} MiB, {threads}"


def give_up_new_privileges() -> str:
    """Let no program that this process starts gain rights; Landlock and seccomp need it."""
    kernel.prctl(PR_SET_NO_NEW_PRIVS, 1)
    return "for good"


def drop_capabilities() -> str:
    """Give up every capability; root is then a user like any other, who owns root's files."""
    for capability in range(CAPABILITIES):
        try:
            kernel.prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # no such capability, or none to drop with: the sets below are emptied all the same
            break
    kernel.prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL)
    kernel.set_capabilities(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24))
    return "none held"


def hide_from_others() -> str:
    """Let no other process of the same user read this one's memory, nor a core be written."""
    kernel.prctl(PR_SET_DUMPABLE, 0)
    return "not dumpable"


def _limit_threads() -> str:
    """Bound the threads of this user by what run now and some more; root is never bound by this limit.

    The kernel counts for each user, and counts what a container does not show. Where that leaves no room for
    even one thread, there is no limit rather than a model that cannot run.
    """
    import resource

    if os.getuid() == 0:
        return "threads not limited (root)"
    soft, most = resource.getrlimit(resource.RLIMIT_NPROC)
    value = _threads_of(os.getuid()) + MORE_THREADS
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(resource.RLIMIT_NPROC, (value, most))
    try:
        trial = threading.Thread(target=int)
        trial.start()
        trial.join()
    except RuntimeError:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, most))
        return "threads not limited (more run than are seen)"
    resource.setrlimit(resource.RLIMIT_NPROC, (value, value))
    return f"{value} threads of this user"


def _threads_of(user: int) -> int:
    """Count the threads of a user from what /proc shows, without opening a file."""
    count = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            seen = process.stat()
            if seen.st_uid == user and stat.S_ISDIR(seen.st_mode):
                count += (process / "task").stat().st_nlink - 2
        except OSError:  # ended meanwhile
            continue
    return count
