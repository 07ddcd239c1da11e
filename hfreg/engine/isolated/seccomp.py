"""Seccomp: the filter that decides about each system call of a worker, as classic BPF.

What is listed is allowed, everything else is refused (EPERM): a call that nobody thought of is not a hole. The filter
sees numbers, never what a pointer points to; paths are Landlock's part. It cannot be taken off again and
holds for every later thread.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hfreg.engine.isolated import kernel, syscalls

PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
"""Verdicts. FAIL takes the error number in its low bits; FAIL | 0 does nothing and returns 0."""

LOAD, EQUAL, GREATER, AND, RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
"""Instructions: load a word of the call, compare it with a constant (==, >), mask it, give the verdict."""

NUMBER, PROCESSOR, ARGUMENTS = 0, 4, 16
"""Where a call's number, its processor and its arguments lie in what a filter is shown."""

Instruction = tuple[int, int, int, int]
"""Operation, how many instructions to skip if true, and if false, and the constant."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The bits of one argument under a mask have one of these values. Arguments judged here are C ints."""

    argument: int
    values: tuple[int, ...]
    mask: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A call is allowed if all conditions of one alternative hold, and fails with `otherwise` if not."""

    alternatives: tuple[tuple[Condition, ...], ...]
    otherwise: int = errno.EPERM


def argument(index: int, *values: int, mask: int = 0xFFFFFFFF) -> Condition:
    """State that an argument, counted from 0, has one of the values under the mask."""
    return Condition(index, tuple(value & 0xFFFFFFFF for value in values), mask & 0xFFFFFFFF)


def allow_if(*conditions: Condition, otherwise: int = errno.EPERM) -> Rule:
    """Allow a call if all these conditions hold."""
    return Rule((conditions,), otherwise)


def allow_if_any(*alternatives: tuple[Condition, ...]) -> Rule:
    """Allow a call if all conditions of one of the alternatives hold."""
    return Rule(alternatives)


def refuse(error: int = errno.EPERM) -> Rule:
    """Let a call fail, whatever its arguments."""
    return Rule((), error)


THREAD = 0x00010F00
"""What each new thread shares (CLONE_VM, FS, FILES, SIGHAND, THREAD): descriptors too, or their limit meant nothing."""
NEVER = 0x7E02F000
"""What none has: every namespace, a pidfd, vfork, a tracer, another parent."""
ACCESS_MODE, TRUNCATE = 0o3, 0o1000
FAST_OPEN = 0x20000000
PRCTL_NAMES = (2, 3, 15, 16, 21, 23, 29, 30, 39, 42, 50, 51, 52, 56, 0x53564D41, 0x41555856)
"""Get: death signal, dumpable, seccomp, bounding set, no_new_privs, huge pages, speculation, tagged addresses, auxv.
Set and get: thread name, timer slack, vector length (ARM). Set: name of a mapping."""
FCNTL_NAMES = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1027, 1030, 1032, 1033, 1034)
"""Copies, flags, advisory locks and seals; never owners, signals and leases, which reach others, nor larger pipes."""
IOCTL_NAMES = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal and how large, how many bytes wait, blocking or not, closed on exec or not."""
SOCKET_OPTIONS = (2, 3, 4, 7, 8, 9, 13, 15, 17, 20, 21, 30, 38, 39, 66, 67)
"""Of SOL_SOCKET: sizes, times, addresses, kind; never filters, nor a pidfd of the peer."""
TCP_OPTIONS = (1, 4, 5, 6, 12, 18)
"""No delay, keep-alive, quick acknowledgement, timeout; never a fast open, which Landlock did not always see."""


def rules(pid: int, network: bool) -> Mapping[str, Rule]:
    """Return what the arguments of each judged call may be; `pid` is the worker's own."""
    itself = argument(0, 0, pid)
    opening = {name: _opening(at) for name, at in (("open", 1), ("openat", 2))}
    sending = {name: allow_if(argument(at, 0, mask=FAST_OPEN)) for name, at in (("sendto", 3), ("sendmsg", 2))}
    return {
        **opening,
        **sending,
        "sendmmsg": allow_if(argument(3, 0, mask=FAST_OPEN)),
        "close_range": allow_if(argument(2, 0, 4)),
        "clone": allow_if(argument(0, THREAD, mask=THREAD | NEVER)),
        "fcntl": allow_if(argument(1, *FCNTL_NAMES)),
        "ioctl": allow_if(argument(1, *IOCTL_NAMES), otherwise=errno.ENOTTY),
        "prctl": allow_if(argument(0, *PRCTL_NAMES)),
        "prlimit64": allow_if(itself),
        "kill": allow_if(argument(0, pid)),
        "tgkill": allow_if(argument(0, pid)),
        "sched_setaffinity": allow_if(itself),
        "getpgid": allow_if(itself),
        "getsid": allow_if(itself),
        "setpriority": allow_if(argument(0, 0), argument(1, 0, pid)),
        "getpriority": allow_if(argument(0, 0), argument(1, 0, pid)),
        # A pair of datagram sockets can be aimed at another address later, a pair of streams cannot.
        "socketpair": allow_if(argument(0, socket.AF_UNIX), argument(1, socket.SOCK_STREAM, mask=0xF)),
        "getsockopt": allow_if_any((argument(1, 1), argument(2, *SOCKET_OPTIONS)), (argument(1, 0, 6, 41),)),
        **_network(network),
    }


def install(pid: int, network: bool) -> str:
    """Put the filter on this thread and all that it starts; return what it is. Raises OSError."""
    program = assemble(pid, network, syscalls.this_processor())
    code = ctypes.create_string_buffer(program, len(program))
    descriptor = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    pointer = ctypes.create_string_buffer(descriptor, len(descriptor))
    kernel.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(pointer))
    return f"{len(program) // 8} instructions, {'IP' if network else 'no'} sockets"


def assemble(pid: int, network: bool, processor: syscalls.Processor) -> bytes:
    """Return the filter as the kernel takes it, for one processor."""
    code: list[Instruction] = [
        (LOAD, 0, 0, PROCESSOR),
        (EQUAL, 1, 0, processor.audit),
        (RETURN, 0, 0, KILL),  # calls of another processor's kind have other numbers
        (LOAD, 0, 0, NUMBER),
        (GREATER, 0, 1, syscalls.HIGHEST),
        (RETURN, 0, 0, FAIL | errno.ENOSYS),
    ]
    judged = rules(pid, network)
    for name, number in processor.numbers(syscalls.JUDGED).items():
        code += _judge(number, judged[name])
    for table, verdict in (
        (syscalls.FREE, ALLOW),
        (syscalls.QUIET, FAIL | 0),
        (syscalls.UNSUPPORTED, FAIL | errno.ENOTSUP),
        (syscalls.ABSENT, FAIL | errno.ENOSYS),
    ):
        code += _answer(processor.numbers(table).values(), verdict)
    code.append((RETURN, 0, 0, FAIL | errno.EPERM))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def _opening(flags: int) -> Rule:
    # Access mode 3 opens for ioctl alone and cutting a file while reading it wants no right that an old Landlock knows.
    writing = argument(flags, 1, 2, mask=ACCESS_MODE)
    reading = argument(flags, 0, mask=ACCESS_MODE | TRUNCATE)
    return allow_if_any((writing,), (reading,))


def _network(on: bool) -> Mapping[str, Rule]:
    if not on:
        return {name: refuse() for name in ("socket", "connect", "setsockopt")}
    kinds = argument(1, socket.SOCK_STREAM, socket.SOCK_DGRAM, mask=0xF)
    plain = argument(2, 0, 6, 17)  # TCP and UDP; MPTCP and SMC are streams that Landlock does not see
    return {
        "socket": allow_if(argument(0, socket.AF_INET, socket.AF_INET6), kinds, plain),
        "connect": allow_if(),
        "setsockopt": allow_if_any(
            (argument(1, 1), argument(2, *SOCKET_OPTIONS)),
            (argument(1, 6), argument(2, *TCP_OPTIONS)),
            (argument(1, 0), argument(2, 1, 11)),  # type of service; errors of datagrams, for name resolution
            (argument(1, 41), argument(2, 25, 26, 67)),  # the same for version 6, and version 6 only
        ),
    }


def _judge(number: int, rule: Rule) -> list[Instruction]:
    body = [instruction for alternative in rule.alternatives for instruction in _alternative(alternative)]
    body.append((RETURN, 0, 0, FAIL | rule.otherwise))
    return [(EQUAL, 0, len(body), number), *body]


def _alternative(conditions: Iterable[Condition]) -> list[Instruction]:
    """Return code that allows if every condition holds, and goes on behind its end if one does not."""
    code: list[Instruction] = [(RETURN, 0, 0, ALLOW)]
    for condition in reversed(tuple(conditions)):
        last = len(condition.values) - 1
        tests = [
            (EQUAL, last - place, 0 if place < last else len(code), value)
            for place, value in enumerate(condition.values)
        ]
        # Arguments have 64 bits and both processors store the low half first; a C int has no more.
        code = [
            (LOAD, 0, 0, ARGUMENTS + 8 * condition.argument),
            (AND, 0, 0, condition.mask),
            *tests,
            *code,
        ]
    return code


def _answer(numbers: Iterable[int], verdict: int) -> list[Instruction]:
    """Return code that gives one verdict for many numbers."""
    return [step for number in numbers for step in ((EQUAL, 0, 1, number), (RETURN, 0, 0, verdict))]
