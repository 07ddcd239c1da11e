"""Environment: `os`, `sys` and `warnings` as scoring logic sees them.

The variables that a definition asked for (its token) are there for `os.getenv` and `os.environ` without
the process's own environment ever being written: programs that it starts see the process's. What scoring logic prints
goes to its call, and so does what it warns of (`warnings.warn`): on each call, not once in a process. It hides nothing
that the process already has: confinement is the isolated engine's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from hfreg.settings import process_environment

OWN_COPIES = frozenset({"os", "sys", "contextlib", "warnings"})
"""Modules of which scoring logic sees a copy with variables, streams and warnings of its own."""
MAX_WARNINGS = 100
MAX_WARNING = 2_000
"""Characters of a warning that are kept."""


class Writer:
    """A text stream that hands what is written to the call in work."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        """Take the text; returns its length in characters."""
        self._write(text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Take each text."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: every write is seen at once."""

    def isatty(self) -> bool:
        """Say that nobody types here."""
        return False


class Variables(MutableMapping[str, str]):
    """`os.environ` as scoring logic sees it: the process's variables under its own changes, never written through."""

    def __init__(self, under: Mapping[str, str], given: Mapping[str, str]) -> None:
        self._under = under
        self._own: dict[str, str | None] = dict(given)  # None: deleted here

    def __getitem__(self, key: str) -> str:
        value = self._own[key] if key in self._own else self._under[key]
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        for text in (key, value):
            if not isinstance(text, str):
                raise TypeError(f"str expected, not {type(text).__name__}")
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        self[key]
        self._own[key] = None

    def __iter__(self) -> Iterator[str]:
        return iter([key for key in {**self._under, **self._own} if key in self])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __or__(self, other: Mapping[str, str]) -> dict[str, str]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, str]) -> dict[str, str]:
        return {**other, **self}

    def __ior__(self, other: Mapping[str, str]) -> Variables:
        self.update(other)
        return self

    def copy(self) -> dict[str, str]:
        """Return a plain dict of the variables."""
        return dict(self)


class BytesVariables(MutableMapping[bytes, bytes]):
    """`os.environb` over the same variables."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def __getitem__(self, key: bytes) -> bytes:
        return os.fsencode(self._variables[os.fsdecode(key)])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._variables[os.fsdecode(key)] = os.fsdecode(value)

    def __delitem__(self, key: bytes) -> None:
        del self._variables[os.fsdecode(key)]

    def __iter__(self) -> Iterator[bytes]:
        return map(os.fsencode, self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class Environment:
    """Variables, streams and warnings of one loaded model.

    `sys` returns `sys` as its scoring logic sees it, `told` the list that takes the warnings of the run in work.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        write: Callable[[str], object],
        sys: Callable[[], ModuleType],
        told: Callable[[], list[str]],
    ) -> None:
        # Changes that scoring logic makes last as long as the loaded model.
        environ = Variables(process_environment(), variables)
        in_bytes = BytesVariables(environ)
        self._sys = sys
        self._told = told
        stream = Writer(write)
        self._replaced: dict[tuple[str, str], Any] = {
            ("os", "environ"): environ,
            ("os", "environb"): in_bytes,
            ("os", "getenv"): environ.get,
            ("os", "getenvb"): in_bytes.get,
            ("os", "putenv"): lambda key, value: environ.update({os.fsdecode(key): os.fsdecode(value)}),
            ("os", "unsetenv"): lambda key: environ.pop(os.fsdecode(key), None),
            ("sys", "stdout"): stream,
            ("sys", "stderr"): stream,
            ("warnings", "warn"): self._warn,
            ("contextlib", "redirect_stdout"): lambda new_target: self._redirected("stdout", new_target),
            ("contextlib", "redirect_stderr"): lambda new_target: self._redirected("stderr", new_target),
        }

    def replace(self, module: str, attribute: str, value: Any) -> Any:
        """Exchange what differs in `OWN_COPIES`."""
        return self._replaced.get((module, attribute), value)

    def builtins(self) -> dict[str, Any]:
        """Return the builtins that differ: what is printed goes to the call, and nobody can be asked."""
        return {"print": self._print, "input": _no_input}

    def _warn(self, message: object, *arguments: object, **options: object) -> None:
        """Tell it with the call: each text once, as many and as long as a page can show."""
        text, told = str(message)[:MAX_WARNING], self._told()
        if text.strip() and text not in told and len(told) < MAX_WARNINGS:
            told.append(text)

    def _print(self, *values: object, file: Any = None, **options: Any) -> None:
        print(*values, file=self._sys().stdout if file is None else file, **options)

    @contextmanager
    def _redirected(self, name: str, target: Any) -> Iterator[Any]:
        # The real one would redirect every thread of the process.
        module = self._sys()
        before = getattr(module, name)
        setattr(module, name, target)
        try:
            yield target
        finally:
            setattr(module, name, before)


def _no_input(prompt: object = "") -> str:
    raise EOFError("Scoring logic cannot ask for input. Declare an argument instead.")
