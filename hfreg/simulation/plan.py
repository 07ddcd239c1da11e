"""Plan: what a simulation is to do, frozen when it is made, and how a row of the table becomes arguments.

The plan names the version by the digest of its definition and the table by the digest of its content, so that a
simulation that goes on later goes on with the same two or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import ArgumentError, HfregError, TableError, did_you_mean
from hfreg.tables import Identity, Row
from hfreg.types import Media

NEAR = ("text", "content", "sentence", "message", "review", "comment", "body", "input", "prompt", "query", "document")
"""Names that columns of texts go by; one of them is likely what another one means."""
_TEXTUAL = {".csv", ".tsv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One simulation: `columns` is argument → column, `constants` argument → value, `limit` the rows to run.

    `every` takes each so manieth row. A `dry` one only shows what a few rows come to.
    """

    id: str
    alias: str
    version: int
    digest: str
    state: str
    output_type: str
    table: Identity
    inputs: tuple[str, ...]
    columns: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    every: int = 1
    dry: bool = False
    user: str = ""
    source: str = "simulation"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def name(self) -> str:
        """The name of the table's file."""
        return Path(self.table.path).name

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {**asdict(self), "created_at": self.created_at.isoformat()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Plan:
        """Read what `as_json` gave."""
        created_at = datetime.fromisoformat(stored["created_at"])
        taken = {"inputs": tuple(stored["inputs"]), "table": Identity(**stored["table"]), "created_at": created_at}
        return cls(**{**stored, **taken})


class Refused(Mapping[str, Any]):
    """A row whose arguments cannot be read: whoever binds it meets the error, which becomes the row's answer."""

    def __init__(self, error: HfregError) -> None:
        self._error = error

    def __getitem__(self, name: str) -> Any:
        raise self._error

    def __iter__(self) -> Iterator[str]:
        raise self._error

    def __len__(self) -> int:
        return 1


def digest(definition: Definition) -> str:
    """Return what tells this definition from any other."""
    return hashlib.sha256(definition.model_dump_json().encode("utf-8", "surrogatepass")).hexdigest()


def require(
    definition: Definition, inputs: Sequence[str], columns: Mapping[str, str], constants: Iterable[str]
) -> None:
    """Raise ArgumentError unless every argument has what it needs, and nothing is named that is not there."""
    known = {a.alias: a for a in definition.arguments}
    fixed = set(constants)
    for name in (*columns, *fixed):
        if name not in known:
            takes = ", ".join(f"`{n}`" for n in known) or "no arguments"
            raise ArgumentError(
                f"{definition.alias} has no argument `{name}`.{did_you_mean(name, known)} It takes {takes}."
            )
    for name, column in columns.items():
        if column not in inputs:
            raise ArgumentError(f"The table has no column `{column}` for `{name}`.{did_you_mean(column, inputs)}")
        if name in fixed:
            raise ArgumentError(f"`{name}` is given twice: by the column `{column}` and as a constant.")
    for name, argument in known.items():
        if not argument.optional and name not in columns and name not in fixed:
            has = ", ".join(f"`{column}`" for column in inputs)
            raise ArgumentError(f"`{name}` has no column. Name one for it, or a constant. The table has {has}.")


def constant(argument: Argument, value: Any) -> Any:
    """Return a constant as it is given to every row: text is read by its type; raises ArgumentError.

    Of pictures and sound it is the text, which a plan can keep.
    """
    read = argument.from_text if isinstance(value, str) else argument.check
    held = read(value, argument.alias)
    return argument.parsed_type.to_text(held) if isinstance(held, Media) else held


def reader(definition: Definition, plan: Plan) -> Callable[[Row | TableError], Mapping[str, Any]]:
    """Return what makes arguments of a row of the table; a row that has none is a Refused."""
    known = {a.alias: a for a in definition.arguments}
    fixed = {name: constant(known[name], value) for name, value in plan.constants.items()}
    textual = Path(plan.table.path).suffix.lower() in _TEXTUAL
    taken = [(name, column, _cell(known[name], textual)) for name, column in plan.columns.items()]

    def read(row: Row | TableError) -> Mapping[str, Any]:
        if isinstance(row, TableError):
            return Refused(row)
        try:
            arguments = {name: cell(row[column]) for name, column, cell in taken}
        except HfregError as error:
            return Refused(error)
        return {**arguments, **fixed} if fixed else arguments

    return read


def _cell(argument: Argument, textual: bool) -> Callable[[Any], Any]:
    """Return what makes a value of a cell: text by the type; a plain value for a String is its text."""
    name, from_text = argument.alias, argument.from_text
    if textual:
        return lambda cell: from_text(cell, name)
    kind = argument.parsed_type.kind

    def given(cell: Any) -> Any:
        if isinstance(cell, str):
            return cell if kind in ("String", "Any") else from_text(cell, name)
        if kind == "String" and isinstance(cell, int | float | datetime):
            return cell.isoformat() if isinstance(cell, datetime) else str(cell)
        return cell

    return given


def guess(definition: Definition, inputs: Sequence[str], sample: Sequence[Row] = ()) -> dict[str, str]:
    """Guess which column each argument is in: by its name, then by what such columns are called, then by length.

    >>> from hfreg.argument import Argument
    >>> definition = Definition(alias="a", arguments=[Argument("text"), Argument("top_k", "Numerical", optional=True)])
    >>> guess(definition, ["ID", "Review", "Top K"])
    {'text': 'Review', 'top_k': 'Top K'}
    """
    found: dict[str, str] = {}
    for same in (str, str.lower, _letters):
        for argument in definition.arguments:
            free = [c for c in inputs if c not in found.values() and same(c) == same(argument.alias)]
            if argument.alias not in found and free:
                found[argument.alias] = free[0]
    for argument in definition.arguments:
        if argument.alias in found or argument.optional or argument.parsed_type.kind not in ("String", "Any"):
            continue
        free = [c for c in inputs if c not in found.values()]
        near = [c for c in free if _letters(c) in NEAR] or sorted(free, key=lambda c: -_length(c, sample))[:1]
        if near and (_letters(near[0]) in NEAR or _length(near[0], sample) > 0):
            found[argument.alias] = near[0]
    return {a.alias: found[a.alias] for a in definition.arguments if a.alias in found}


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _length(column: str, sample: Sequence[Row]) -> int:
    """Return how many letters the sample has in a column; numbers count for nothing."""
    return sum(sum(map(str.isalpha, value)) for row in sample if isinstance(value := row.get(column), str))
