"""The filter of system calls, run by an interpreter of its own: what it says on both processors, whichever this is.

That the kernel does what the filter says is tested in tests/test_sandbox.py.
"""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from hfreg.engine.isolated import seccomp, syscalls
from hfreg.engine.isolated.syscalls import PROCESSORS, Processor

PID, OTHER = 4242, 17
TABLES = (syscalls.FREE, syscalls.JUDGED, syscalls.QUIET, syscalls.UNSUPPORTED, syscalls.ABSENT)
ALLOWED, REFUSED = "allowed", errno.EPERM
THREAD = 0x3D0F00
"""The flags with which the C library starts a thread."""
UNIX, INTERNET, VERSION_6, NETLINK = 1, 2, 10, 16
STREAM, DATAGRAM, PACKETS, CLOSE_ON_EXEC = 1, 2, 5, 0o2000000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}

JUDGED = {
    "clone": [((THREAD,), ALLOWED), ((17,), REFUSED), ((THREAD & ~0x400,), REFUSED), ((THREAD | 0x10000000,), REFUSED)],
    "openat": [((0, 0, 0o2), ALLOWED), ((0, 0, 0o1101), ALLOWED), ((0, 0, 0o1000), REFUSED), ((0, 0, 0o3), REFUSED)],
    "close_range": [((3, 9, 0), ALLOWED), ((3, 9, 4), ALLOWED), ((3, 9, 2), REFUSED)],
    "kill": [((PID, 9), ALLOWED), ((OTHER, 9), REFUSED), ((0, 9), REFUSED), ((-1, 9), REFUSED), ((-PID, 9), REFUSED)],
    "tgkill": [((PID, 7, 9), ALLOWED), ((OTHER, OTHER, 9), REFUSED)],
    "prlimit64": [((0, 7), ALLOWED), ((PID, 7), ALLOWED), ((OTHER, 7), REFUSED)],
    "sched_setaffinity": [((0,), ALLOWED), ((PID,), ALLOWED), ((OTHER,), REFUSED)],
    "setpriority": [((0, 0, 5), ALLOWED), ((0, OTHER, 5), REFUSED), ((2, 0, 5), REFUSED)],
    "getpriority": [((0, PID), ALLOWED), ((0, OTHER), REFUSED)],
    "getsid": [((0,), ALLOWED), ((OTHER,), REFUSED)],
    "getpgid": [((0,), ALLOWED), ((OTHER,), REFUSED)],
    "fcntl": [((1, 3), ALLOWED), ((1, 1030), ALLOWED), ((1, 8), REFUSED), ((1, 10), REFUSED), ((1, 1024), REFUSED)],
    "ioctl": [((1, 0x5401), ALLOWED), ((1, 0x5412), errno.ENOTTY), ((1, 0x8901), errno.ENOTTY)],
    "prctl": [((15,), ALLOWED), ((4, 1), REFUSED), ((1, 0), REFUSED), ((22, 2), REFUSED), ((36, 1), REFUSED)],
    "socketpair": [
        ((UNIX, STREAM | CLOSE_ON_EXEC), ALLOWED), ((UNIX, DATAGRAM), REFUSED), ((UNIX, PACKETS), REFUSED)
    ],
    "getsockopt": [((3, 1, 4), ALLOWED), ((3, 6, 11), ALLOWED), ((3, 1, 77), REFUSED), ((3, 263, 1), REFUSED)],
    "sendto": [((3, 0, 1, 0x4000), ALLOWED), ((3, 0, 1, 0x20000000), REFUSED)],
    "sendmsg": [((3, 0, 0), ALLOWED), ((3, 0, 0x20000000), REFUSED)],
    "sendmmsg": [((3, 0, 1, 0), ALLOWED), ((3, 0, 1, 0x20000000), REFUSED)],
}  # fmt: skip

NETWORK = {
    "socket": [
        ((INTERNET, STREAM | CLOSE_ON_EXEC, 6), ALLOWED), ((VERSION_6, DATAGRAM, 0), ALLOWED),
        ((INTERNET, STREAM, 262), REFUSED), ((INTERNET, 3, 0), REFUSED), ((UNIX, STREAM, 0), REFUSED),
        ((NETLINK, 3, 0), REFUSED), ((INTERNET, DATAGRAM, 1), REFUSED),
    ],
    "connect": [((3,), ALLOWED)],
    "setsockopt": [
        ((3, 6, 1), ALLOWED), ((3, 1, 9), ALLOWED), ((3, 0, 11), ALLOWED), ((3, 1, 26), REFUSED), ((3, 6, 31), REFUSED)
    ],
}  # fmt: skip


def numbers(processor: Processor) -> dict[str, int]:
    return {name: number for table in TABLES for name, number in processor.numbers(table).items()}


def run(program: bytes, audit: int, number: int, arguments: tuple[int, ...] = ()) -> str | int:
    """Interpret a filter as the kernel does and return "allowed", "killed" or the error number."""
    full = [value & 0xFFFFFFFFFFFFFFFF for value in (*arguments, *[0] * (6 - len(arguments)))]
    call = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit, 0, *full)
    at, value = 0, 0
    while True:
        operation, if_true, if_false, constant = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        match operation:
            case seccomp.LOAD:
                (value,) = struct.unpack_from("<I", call, constant)
            case seccomp.AND:
                value &= constant
            case seccomp.EQUAL:
                at += if_true if value == constant else if_false
            case seccomp.GREATER:
                at += if_true if value > constant else if_false
            case seccomp.RETURN:
                return {seccomp.ALLOW: ALLOWED, seccomp.KILL: "killed"}.get(constant, constant & 0xFFFF)
            case _:
                raise AssertionError(f"instruction {operation:#x} is not one of the filter's")


@pytest.fixture(params=PROCESSORS)
def processor(request: pytest.FixtureRequest) -> Processor:
    return PROCESSORS[request.param]


def verdicts(
    processor: Processor, network: bool, cases: Mapping[str, list[tuple[tuple[int, ...], str | int]]]
) -> list[str]:
    """Return the cases that end otherwise than they should."""
    program, known = seccomp.assemble(PID, network, processor), numbers(processor)
    return [
        f"{name}{arguments}: {found}, not {wanted}"
        for name, tried in cases.items()
        for arguments, wanted in tried
        if (found := run(program, processor.audit, known[name], arguments)) != wanted
    ]


@pytest.mark.parametrize("network", [False, True])
def test_arguments_decide_about_judged_calls(processor: Processor, network: bool) -> None:
    refused = {name: [(arguments, REFUSED) for arguments, _ in tried] for name, tried in NETWORK.items()}
    assert verdicts(processor, network, {**JUDGED, **(NETWORK if network else refused)}) == []


def test_every_judged_call_is_judged_by_a_case_here(processor: Processor) -> None:
    assert {*processor.numbers(syscalls.JUDGED)} - {*JUDGED, *NETWORK} <= {"open"}


def test_tables_end_as_they_say(processor: Processor) -> None:
    program = seccomp.assemble(PID, False, processor)
    ends = {
        syscalls.FREE: ALLOWED, syscalls.QUIET: 0, syscalls.UNSUPPORTED: errno.ENOTSUP, syscalls.ABSENT: errno.ENOSYS
    }  # fmt: skip
    for table, end in ends.items():
        assert {run(program, processor.audit, number) for number in processor.numbers(table).values()} == {end}


def test_what_stands_nowhere_is_refused_and_what_is_new_is_not_there(processor: Processor) -> None:
    program, known = seccomp.assemble(PID, True, processor), {*numbers(processor).values()}
    unknown = [number for number in range(syscalls.HIGHEST + 1) if number not in known]
    assert len(unknown) > 150
    assert {run(program, processor.audit, number) for number in unknown} == {REFUSED}
    later = [syscalls.HIGHEST + 1, 512, 0x40000000, 0x40000002, -1]
    assert {run(program, processor.audit, number) for number in later} == {errno.ENOSYS}


def test_calls_of_another_processor_end_the_process(processor: Processor) -> None:
    program = seccomp.assemble(PID, True, processor)
    others = [0x40000003, *(other.audit for other in PROCESSORS.values() if other is not processor)]
    assert {run(program, audit, 1) for audit in others} == {"killed"}


def test_no_number_stands_twice(processor: Processor) -> None:
    listed = [number for table in TABLES for number in processor.numbers(table).values()]
    assert len(listed) == len({*listed})


@pytest.mark.parametrize("machine", PROCESSORS)
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    if not (header := HEADERS[machine]).exists():
        pytest.skip(f"the kernel's headers are not installed: no {header}")
    text = header.read_text(encoding="ascii")
    stated = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", text)}
    mine = numbers(PROCESSORS[machine])
    both = {name: stated[name] for name in mine if name in stated}
    assert len(both) > 140
    assert {name: mine[name] for name in both} == both


def test_a_processor_without_a_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match="no table of system calls for riscv64, only for x86_64, aarch64"):
        syscalls.this_processor()
