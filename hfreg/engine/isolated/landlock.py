"""Landlock: which files a worker may read and write, which TCP ports it may reach, whom it may signal.

Everything not listed is refused, even to root: reading is for the interpreter, the libraries and what the caller
names, writing for the scratch folder alone, executing for nothing. Landlock does not judge `stat`, modes, owners,
times, UDP, nor sockets that are files; `seccomp` closes what of this changes anything. TCP ports need Linux 6.7
(ABI 4), signals and abstract sockets 6.12 (ABI 6).
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from hfreg.engine.isolated import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_SYM, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 12, 1 << 13, 1 << 14
RIGHTS_OF_ABI = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: 1 << 15}
"""All rights on files, by the ABI that brought them; each is refused unless a rule grants it."""

OF_FILES = WRITE_FILE | READ_FILE | TRUNCATE
"""The rights that a rule about a single file may name."""

READ = READ_FILE | READ_DIR
CHANGE = READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER

TCP_ABI, SCOPE_ABI, LOG_ABI = 4, 6, 7
BIND_OR_CONNECT, CONNECT = 3, 2
ABSTRACT_SOCKETS_AND_SIGNALS = 3
QUIET = 1
"""Refusals are not written to the kernel's log, which a loop could otherwise fill."""
VERSION_ASKED = 1
PATH_RULE, PORT_RULE = 1, 2
PORTS = (443, 80)

PROC = (
    *("/proc/self/status", "/proc/self/stat", "/proc/self/statm", "/proc/self/maps", "/proc/self/smaps_rollup"),
    *("/proc/self/cgroup", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory"),
)
"""What runtimes and measuring libraries read; other files of /proc/self tell of mounts, network and environment."""

PROC_LISTS = ("/proc/self", "/proc/self/fd", "/proc/self/task")
"""Folders whose names may be listed, not more: /proc/self/task/*/net tells of the connections of the machine."""

SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/kernel/mm/transparent_hugepage"),
    *("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
    *("/dev/zero", "/dev/urandom", "/dev/random"),
)
"""What glibc, Python, numpy and torch read: libraries, time zones, what kind of machine it is."""

NETWORK = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
    *("/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates/extracted"),
)
"""What resolving names and checking certificates read; never private keys."""


def abi() -> int:
    """Return the version of Landlock that the kernel has; raises OSError where there is none."""
    try:
        return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, None, 0, VERSION_ASKED)
    except OSError as error:
        need = "it needs Linux 5.13 or newer with landlock among the modules in /sys/kernel/security/lsm"
        raise OSError(f"this kernel has no Landlock ({error.args[-1]}); {need}") from None


def restrict(scratch: Path, readable: Iterable[Path], network: bool) -> str:
    """Confine this thread and all that it starts; return what holds. Raises OSError.

    Needs no_new_privs. Folders that do not exist are passed over, a scratch folder that does not is an error.
    """
    version = abi()
    handled = sum(rights for since, rights in RIGHTS_OF_ABI.items() if since <= version)
    ruleset = _create(version, handled)
    try:
        _allow(ruleset, scratch, CHANGE & handled)
        _allow_if_there(ruleset, "/dev/null", READ | WRITE_FILE)
        for path in (*SYSTEM, *(NETWORK if network else ()), *interpreter(), *readable):
            _allow_if_there(ruleset, path, READ)
        for path in (*PROC, *PROC_LISTS):
            _allow_if_there(ruleset, path, READ_DIR if path in PROC_LISTS else READ_FILE, keep=True)
        for port in PORTS if network and version >= TCP_ABI else ():
            kernel.syscall(kernel.LANDLOCK_ADD_RULE, ruleset, PORT_RULE, struct.pack("QQ", CONNECT, port), 0)
        kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, ruleset, QUIET if version >= LOG_ABI else 0)
    finally:
        os.close(ruleset)
    return _described(version, network)


def interpreter() -> list[Path]:
    """List the folders that hold Python, the installed packages and this one: code, never the data beside it."""
    installed = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    libraries = {Path(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    return sorted({*installed, *libraries, Path(sys.base_prefix, "ssl"), Path(__file__).parents[2]})


def _create(version: int, handled: int) -> int:
    """Return the descriptor of a new ruleset that refuses all the kernel can; older ones take a shorter structure."""
    tcp = BIND_OR_CONNECT if version >= TCP_ABI else 0
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if version >= SCOPE_ABI else 0
    size = 24 if version >= SCOPE_ABI else 16 if version >= TCP_ABI else 8
    attributes = struct.pack("QQQ", handled, tcp, scoped)[:size]
    return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, attributes, size, 0)


def _allow_if_there(ruleset: int, path: str | Path, rights: int, keep: bool = False) -> None:
    try:
        _allow(ruleset, path, rights, keep)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what is not there, or could not be reached anyway, needs no right


def _allow(ruleset: int, path: str | Path, rights: int, keep: bool = False) -> None:
    """Grant rights on what a path leads to now; `keep` leaves a descriptor open that nothing can be read from.

    A rule holds for an inode, and /proc makes another one when the kernel took the memory of the first back, which
    it does not while a descriptor holds it.
    """
    at = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        granted = rights if stat.S_ISDIR(os.fstat(at).st_mode) else rights & OF_FILES
        kernel.syscall(kernel.LANDLOCK_ADD_RULE, ruleset, PATH_RULE, struct.pack("=Qi", granted, at), 0)
    finally:
        if not keep:
            os.close(at)


def _described(version: int, network: bool) -> str:
    reach = "only ports 443 and 80" if network else "none"
    tcp = reach if version >= TCP_ABI else "left to seccomp"
    signals = "own" if version >= SCOPE_ABI else "left to seccomp"
    return f"ABI {version}, TCP: {tcp}, signals: {signals}"
