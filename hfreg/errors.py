"""The errors of hfreg: one tree, every message a sentence for the user.

Each error also subclasses the builtin that a caller would catch without knowing hfreg, so that
`except TypeError` finds a wrong argument and `except LookupError` an unknown alias. A message names
the thing and the value and says the way out; it never holds a secret.

    HfregError
     ├─ SettingsError (ValueError)          a setting that cannot be used
     ├─ TypeNotationError (ValueError)      a type that cannot be read
     ├─ DefinitionError (ValueError)        a definition with findings that block it
     ├─ ArgumentError (TypeError)           a call whose arguments do not fit
     ├─ UnknownModel (LookupError)          no such alias or version
     │   └─ UnknownModelImport (ImportError)    the same, met by `from hfreg.models import …`
     ├─ LifecycleError (ValueError)         an action that the state does not allow
     │   └─ NotApproved (PermissionError)       a call that the state does not allow
     ├─ EditConflict (RuntimeError)         someone else saved since you opened it
     ├─ ScoringError (RuntimeError)         scoring logic raised
     ├─ ScoringTimeout (TimeoutError)       scoring logic ran out of time
     ├─ ScoringCancelled (RuntimeError)     a call that was stopped
     ├─ ModelBusy (RuntimeError)            too many calls wait for one loaded model
     ├─ NotEnoughMemory (MemoryError)       a model that does not fit into the memory budget
     ├─ NotConfined (PermissionError)       a model whose process could not be confined
     ├─ EngineClosed (RuntimeError)         a call after the registry was closed
     ├─ OutputError (ValueError)            an answer that does not fit the output type
     ├─ TableError (ValueError)             a table, or a row of it, that cannot be read
     ├─ SimulationError (RuntimeError)      something that a simulation cannot do now
     ├─ EvaluationError (ValueError)        rows that cannot be measured
     ├─ CheckError (ValueError)             a check that cannot be kept, found or run
     ├─ HubError (OSError)                  the Hub, or the way to it
     │   ├─ RepoNotFound (LookupError)          missing, or private to this token
     │   ├─ RevisionNotFound (LookupError)
     │   ├─ GatedRepo (PermissionError)         terms not accepted yet
     │   ├─ TokenRejected (PermissionError)     a wrong or expired token
     │   ├─ NotCached (LookupError)             offline and not on this disk
     │   ├─ HubUnreachable (ConnectionError)
     │   │   └─ HubBusy                         it asks to come back later
     │   └─ UnsafeRepo (ValueError)             files that the platform does not load
     └─ StoreError (OSError)                the files under the home
         ├─ UnsafeFolder (ValueError)           an uploaded folder that is not taken
         ├─ StoreCorrupt (ValueError)           neither the file nor its last good copy can be read
         └─ ImportFileError (ValueError)        a file that is no export of hfreg
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hfreg.values import Finding

__all__ = [
    "HfregError",
    "SettingsError",
    "TypeNotationError",
    "DefinitionError",
    "ArgumentError",
    "UnknownModel",
    "UnknownModelImport",
    "LifecycleError",
    "NotApproved",
    "LicenceRefused",
    "EditConflict",
    "ScoringError",
    "ScoringTimeout",
    "ScoringCancelled",
    "ModelBusy",
    "NotEnoughMemory",
    "NotConfined",
    "EngineClosed",
    "OutputError",
    "TableError",
    "SimulationError",
    "EvaluationError",
    "CheckError",
    "HubError",
    "RepoNotFound",
    "RevisionNotFound",
    "GatedRepo",
    "TokenRejected",
    "NotCached",
    "HubUnreachable",
    "HubBusy",
    "UnsafeRepo",
    "StoreError",
    "UnsafeFolder",
    "StoreCorrupt",
    "ImportFileError",
]


class HfregError(Exception):
    """Base of every error that hfreg raises on purpose."""


class SettingsError(HfregError, ValueError):
    """A setting that cannot be used."""


class TypeNotationError(HfregError, ValueError):
    """A type that cannot be read."""


class DefinitionError(HfregError, ValueError):
    """A definition that cannot be registered; `findings` says why, field by field."""

    def __init__(self, message: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class ArgumentError(HfregError, TypeError):
    """A call whose arguments do not fit the definition."""


class UnknownModel(HfregError, LookupError):
    """No model, or no version of it, goes by that name."""


class UnknownModelImport(UnknownModel, ImportError):
    """`from hfreg.models import …` met an alias that nobody registered."""


class LifecycleError(HfregError, ValueError):
    """An action that the state of the version does not allow."""


class NotApproved(LifecycleError, PermissionError):
    """A call that the state of the version does not allow."""


class LicenceRefused(LifecycleError, PermissionError):
    """A model whose licence the policy of this home does not let be used."""


class EditConflict(HfregError, RuntimeError):
    """Somebody else saved the draft since it was opened; nothing was overwritten."""


class ScoringError(HfregError, RuntimeError):
    """Scoring logic raised; `kind` is the name of the original exception's type, `line` where it was raised."""

    def __init__(self, message: str, kind: str = "ScoringError", line: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.line = line


class ScoringTimeout(HfregError, TimeoutError):
    """Scoring logic ran out of time."""


class ScoringCancelled(HfregError, RuntimeError):
    """The call was stopped before it had an answer."""


class ModelBusy(HfregError, RuntimeError):
    """Too many calls wait for one loaded model already; nothing of this one ran."""


class NotEnoughMemory(HfregError, MemoryError):
    """A model, with those that it calls, needs more memory than the budget has; nothing of the call ran."""


class NotConfined(HfregError, PermissionError):
    """The process of a model could not be confined as it must be here, so nothing ran in it."""


class EngineClosed(HfregError, RuntimeError):
    """The registry was closed; open it again."""


class OutputError(HfregError, ValueError):
    """An answer that does not fit the output type."""


class TableError(HfregError, ValueError):
    """A table, or one row of it, that cannot be read."""


class SimulationError(HfregError, RuntimeError):
    """Something that a simulation cannot do, as it stands now."""


class EvaluationError(HfregError, ValueError):
    """Rows that cannot be measured, or a measure that they do not have."""


class CheckError(HfregError, ValueError):
    """A check that cannot be kept, found or run."""


class HubError(HfregError, OSError):
    """The Hub refused, or could not be asked."""


class RepoNotFound(HubError, LookupError):
    """The repository does not exist, or is private to the token in use."""


class RevisionNotFound(HubError, LookupError):
    """The repository has no such revision."""


class GatedRepo(HubError, PermissionError):
    """The repository is gated and its terms were not accepted with this token."""


class TokenRejected(HubError, PermissionError):
    """The Hub does not accept the token."""


class NotCached(HubError, LookupError):
    """Offline, and the files are not on this disk."""


class HubUnreachable(HubError, ConnectionError):
    """The Hub did not answer; `cause` is why in a word, such as `name` or `proxy`, empty where it is not known."""

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class HubBusy(HubUnreachable):
    """Too many requests, or a model that still loads; `wait_s` is when it asks to come back, None where unsaid."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class UnsafeRepo(HubError, ValueError):
    """The repository holds no files that the platform loads."""


class StoreError(HfregError, OSError):
    """The files under the home could not be read or written."""


class UnsafeFolder(StoreError, ValueError):
    """An uploaded folder holds what the platform does not take; nothing of it was kept."""


class StoreCorrupt(StoreError, ValueError):
    """Neither the file nor its last good copy can be read; nothing was overwritten."""


class ImportFileError(StoreError, ValueError):
    """The file is no export of hfreg, or of a newer one."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, outermost first; `raise … from None` ends it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        cause, context = current.__cause__, current.__context__
        current = cause if cause is not None else None if current.__suppress_context__ else context


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean …?` for the nearest known name, or nothing.

    A part counts as near: `confidence_threshold` suggests `threshold`.

    >>> did_you_mean("treshold", ["text", "threshold"])
    ' Did you mean `threshold`?'
    """
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    parts = [n for n in names if len(n) > 3 and (n in name or name in n)]
    match = (near or sorted(parts, key=len, reverse=True))[:1]
    return f" Did you mean `{match[0]}`?" if match else ""
