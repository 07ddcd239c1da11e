"""Environment: `os` and `sys` as scoring logic sees them.

The variables that a definition asked for (its token) are there for `os.getenv` and `os.environ` without
the process's own environment ever being written; what scoring logic prints goes to its call. It hides
nothing that the process already has: confinement is the isolated engine's.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from hfreg.settings import process_environment


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


class Environment:
    """Variables and streams of one loaded model."""

    def __init__(self, variables: Mapping[str, str], write: Callable[[str], object]) -> None:
        # Writes of scoring logic land in the first map: they last as long as the loaded model.
        self._variables: ChainMap[str, str] = ChainMap({}, dict(variables), process_environment())
        self._stream = Writer(write)

    def getenv(self, key: str, default: str | None = None) -> str | None:
        """Return a variable, as `os.getenv` does."""
        return self._variables.get(key, default)

    def replace(self, module: str, attribute: str, value: Any) -> Any:
        """Exchange what differs in `os` and `sys`."""
        if module == "os":
            return {"environ": self._variables, "getenv": self.getenv}.get(attribute, value)
        return self._stream if attribute in {"stdout", "stderr"} else value

    def builtins(self) -> dict[str, Any]:
        """Return the builtins that differ: what is printed goes to the call, and nobody can be asked."""
        return {"print": self._print, "input": _no_input}

    def _print(self, *values: object, file: Any = None, **options: Any) -> None:
        print(*values, file=self._stream if file is None else file, **options)


def _no_input(prompt: object = "") -> str:
    raise EOFError("Scoring logic cannot ask for input. Declare an argument instead.")
