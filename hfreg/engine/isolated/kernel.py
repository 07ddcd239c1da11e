"""Kernel: the calls of the C library that confinement needs and the standard library lacks.

A call that the kernel refuses raises OSError with its number and name. What the calls mean belongs to the
modules that make them. Loads nothing until the first call, so that it can be imported on any system.
"""

from __future__ import annotations

import ctypes
import functools
import os

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
"""System calls made by number; from 424 on, numbers are the same on every processor."""


def prctl(option: int, value: int = 0, pointer: int = 0) -> int:
    """Call prctl(2) with an option and up to two further arguments."""
    arguments = (ctypes.c_ulong(value), ctypes.c_ulong(pointer), ctypes.c_ulong(0), ctypes.c_ulong(0))
    return _checked(_library().prctl(ctypes.c_int(option), *arguments), f"prctl({option})")


def syscall(number: int, *arguments: object) -> int:
    """Make a system call by number; integers are passed as C longs, bytes as pointers."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_library().syscall(ctypes.c_long(number), *passed), f"system call {number}")


def set_capabilities(header: bytes, sets: bytes) -> None:
    """Call capset(2), whose number is the processor's own, through the C library."""
    _checked(_library().capset(header, sets), "capset")


def return_free_memory() -> None:
    """Have the C library give back to the system what is free in its heap; only glibc keeps much and can."""
    if (trim := getattr(_library(), "malloc_trim", None)) is not None:
        trim(0)


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
