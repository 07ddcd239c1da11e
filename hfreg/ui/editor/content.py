"""What goes into the editor and what comes out of it, as frozen data.

Covers: completions, markers and the editor's answer, checked when made. Does not: Streamlit or the browser.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar, get_args

Severity = Literal["error", "warning", "info", "hint"]
Event = Literal["", "run", "save"]


@dataclass(frozen=True, slots=True)
class EditorState:
    """Hold the text as the browser last sent it, and the key the user just pressed: seen in one rerun only."""

    text: str
    event: Event = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Name something the editor offers while typing, before Python's own names.

    ``type`` chooses the icon: variable, function, class, constant, keyword, property. ``detail`` stands beside the
    label, ``info`` in a box when the entry is selected.
    """

    label: str
    type: str = "variable"
    detail: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class Marker:
    """Point at a place in the text and say what is the matter there.

    Lines and columns count from 1, columns in characters; ``end_col`` is the first column no longer marked.
    Without a column the whole line is marked, without an end the word. A line behind the end marks the last line.
    """

    line: int
    message: str
    severity: Severity = "error"
    col: int | None = None
    end_line: int | None = None
    end_col: int | None = None

    def __post_init__(self) -> None:
        if self.severity not in get_args(Severity):
            known = ", ".join(get_args(Severity))
            raise ValueError(f"A marker has no severity {self.severity!r}. Choose one of: {known}.")

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}"


Entry = TypeVar("Entry", Completion, Marker)


def entries(kind: type[Entry], given: Iterable[Entry | Mapping[str, Any]]) -> list[Entry]:
    """Return each of `given` as `kind`; mappings may have its fields only."""
    return [one if isinstance(one, kind) else kind(**one) for one in given]  # type: ignore[arg-type]


def as_data(shown: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the fields that say something, as the browser part reads them."""
    return [{name: value for name, value in asdict(one).items() if value not in (None, "")} for one in shown]
