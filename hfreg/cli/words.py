"""Words: what the commands read and say — arguments as text, files, answers on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hfreg import portable
from hfreg.errors import ArgumentError


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE words; raises ArgumentError for one that is none, or given twice."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ArgumentError(f"{word!r} is no argument. Write name=value, for example text='Great'.")
        if name in found:
            raise ArgumentError(f"`{name}` is given twice.")
        found[name] = value(name, text)
    return found


def value(name: str, given: str) -> str:
    """Return a value as it stands, or from the file that @FILE names."""
    if given.startswith("@@") or not given.startswith("@"):
        return given.removeprefix("@") if given.startswith("@@") else given
    try:
        data = sys.stdin.buffer.read() if given == "@-" else Path(given[1:]).read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ArgumentError(
            f"`{name}`: the file {given[1:]} cannot be read ({reason}). For a value that begins with @, write @@."
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def file(name: str) -> portable.Source:
    """Return a definition file as `portable` takes it; - is standard input."""
    return sys.stdin.buffer.read() if name == "-" else Path(name)


def say(given: argparse.Namespace, data: Any, lines: Sequence[str], nothing: str = "") -> int:
    """Print an answer; that there is nothing is no answer, but said to whoever watches."""
    if given.json:
        print(as_json(data, indent=2))
    elif lines:
        print("\n".join(lines))
    elif nothing:
        print(nothing, file=sys.stderr)
    return 0


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON; what JSON has no form for is its text."""

    def plain(other: Any) -> str:
        return str(other.isoformat() if hasattr(other, "isoformat") else other)

    return json.dumps(value, ensure_ascii=False, default=plain, indent=indent)


def failed(problem: object, code: int = 1) -> int:
    """Say what went wrong to whoever watches, and return the exit code."""
    print(f"hfreg: {problem}", file=sys.stderr)
    return code
