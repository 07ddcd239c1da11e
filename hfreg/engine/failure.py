"""Failure: what went wrong inside scoring logic, in the words of who wrote it.

Turns any exception into a ScoringError that shows the user's own lines with their numbers and, where the
cause is well known and its message is not, says what to do. Errors of the Hub that a library wrapped come
out as they went in. No secret is shown; paths of this machine are cut out by `hfreg.scoring.compile`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from hfreg.errors import HfregError, ScoringError, causes
from hfreg.scoring.compile import user_traceback
from hfreg.scoring.secrets import masked

TOO_LONG = re.compile(
    r"size of tensor a \(\d+\) must match the size of tensor b \(\d+\)"
    r"|expanded size of the tensor \(\d+\) must match the existing size"
    r"|index out of range in self"
)


CONNECTING = frozenset({"gaierror", "ConnectError", "ConnectionError", "NewConnectionError", "URLError"})
"""What libraries raise that cannot make a connection, by name, since none of them is imported here."""


def scoring_failure(
    problem: BaseException,
    alias: str,
    number: int,
    source_name: str,
    secrets: Collection[str] = (),
    cut_off: bool = False,
) -> HfregError:
    """Return the error to show for whatever the scoring logic of version `number` of `alias` raised.

    It names the model, which of several that call each other nothing else would tell. `secrets` are values to cut
    out of it, in addition to those that their form gives away. `cut_off` says that there was no network.
    """
    for cause in causes(problem):
        if isinstance(cause, HfregError):
            return cause
    text, line = user_traceback(problem, source_name, secrets)
    advice = masked(_advice(problem, alias, cut_off), secrets)
    named = f"{alias} version {number}: {text}" if number else f"{alias} (not saved): {text}"
    return ScoringError(f"{advice}\n{named}" if advice else named, type(problem).__name__, line)


def _advice(problem: BaseException, alias: str, cut_off: bool) -> str:
    if cut_off and any(type(cause).__name__ in CONNECTING for cause in causes(problem)):
        return (
            f"{alias} tried to reach the network, which its definition does not ask for. Switch the network on under "
            "Code Configuration if it needs more than the models that it loads."
        )
    if isinstance(problem, ModuleNotFoundError):
        name = (problem.name or str(problem)).partition(".")[0]
        return f"{alias} needs the package `{name}`, which is not installed here: pip install {name}"
    if isinstance(problem, SystemExit):
        return f"The scoring logic of {alias} called exit({problem.code!r}). Use `return` to end a call."
    if isinstance(problem, RecursionError):
        return f"The scoring logic of {alias} calls itself without end."
    if isinstance(problem, MemoryError):
        return f"The scoring logic of {alias} ran out of memory."
    if isinstance(problem, (RuntimeError, IndexError)) and TOO_LONG.search(str(problem)):
        return (
            f"The text is longer than the model behind {alias} can read. "
            "Pass truncation=True where the pipeline or tokenizer is called."
        )
    return ""
