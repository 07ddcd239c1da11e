"""Tally: what a simulation counts while its rows go by, so that nobody has to read a million rows again.

How they ended, how long they took, which errors there were, which columns the answers have and how the answers are
distributed. Everything is bounded, can be written down as JSON and read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hfreg.engine import Outcome, Use
from hfreg.errors import ScoringError
from hfreg.metrics.sketch import Sketch, Spread

MOST_FIELDS, MOST_VALUES, MOST_ERRORS = 200, 200, 100
LONGEST_VALUE, LONGEST_ERROR = 80, 300
ANSWER, NONE, OTHER = "answer", "(no answer)", "(others)"
_KINDS = {str: "text", float: "float", bool: "bool", type(None): "none"}


class Field:
    """One column of answers: how often each text or switch came, and how the numbers spread."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        stored = stored or {"values": {}, "numbers": None}
        self.values: dict[str, int] = dict(stored["values"])
        self.numbers = Spread(stored["numbers"])

    def add(self, value: Any) -> None:
        """Count one answer; lists and the like are not counted."""
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int | float):
            self.numbers.add(value)
            return
        elif value is None:
            value = NONE
        elif not isinstance(value, str):
            return
        known = self.values
        if value not in known:
            value = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
            if value not in known and len(known) >= MOST_VALUES:
                value = OTHER
        known[value] = known.get(value, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """Return what it is made from again."""
        return {"values": dict(self.values), "numbers": self.numbers.as_json()}


class Tally:
    """The counts of one simulation; `errors` is (kind, message) → how often, and in which row first."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        stored = stored or {}
        self.by_status: dict[str, int] = dict(stored.get("by_status", {}))
        self.warned: int = stored.get("warned", 0)
        self.nothing: int = stored.get("nothing", 0)
        self.run_ms: float = stored.get("run_ms", 0.0)
        self.used: dict[str, Any] = dict(stored.get("used", {}))
        self.sketch = Sketch(stored.get("sketch"))
        self.fields = {name: Field(one) for name, one in stored.get("fields", {}).items()}
        self.kinds = {name: set(kinds) for name, kinds in stored.get("kinds", {}).items()}
        self._inputs: dict[str, set[str]] = {}  # those of `kinds` that are of an input, by its name
        self.errors = {(k, m): (count, first) for k, m, count, first in stored.get("errors", [])}

    @property
    def rows(self) -> int:
        """How many rows are done."""
        return sum(self.by_status.values())

    @property
    def failed(self) -> int:
        """How many of them have no answer."""
        return self.rows - self.by_status.get("ok", 0)

    def declare(self, fields: tuple[str, ...]) -> None:
        """Have these columns of answers, whether or not an answer comes."""
        for name in fields:
            self.fields.setdefault(name, Field())

    def add(self, number: int, outcome: Outcome) -> None:
        """Count one row."""
        self.by_status[outcome.status] = self.by_status.get(outcome.status, 0) + 1
        self.run_ms += outcome.timings.run_ms
        self.sketch.add(outcome.timings.total_ms - outcome.timings.queue_ms)
        self.warned += bool(outcome.warnings)
        if outcome.use is not None:
            self._add_use(outcome.use)
        if outcome.error is not None:
            self._add_error(number, outcome.error)
        elif isinstance(outcome.value, dict):
            for name, value in outcome.value.items():
                self._add_value(str(name), value)
        elif outcome.value is not None or ANSWER in self.fields:
            self._add_value(ANSWER, outcome.value)
        else:  # nothing where there would be columns
            self.nothing += 1

    def add_kinds(self, row: Mapping[str, Any]) -> None:
        """Note which kinds of values the input columns of a row hold."""
        for name, value in row.items():
            kinds = self._inputs.get(name)
            if kinds is None:
                kinds = self._inputs[name] = self.kinds.setdefault(f"input {name}", set())
            kinds.add(_kind(value))

    def as_json(self) -> dict[str, Any]:
        """Return what a Tally is made from again."""
        return {
            "by_status": dict(self.by_status),
            "warned": self.warned,
            "nothing": self.nothing,
            "run_ms": self.run_ms,
            "used": dict(self.used),
            "sketch": self.sketch.as_json(),
            "fields": {name: field.as_json() for name, field in self.fields.items()},
            "kinds": {name: sorted(kinds) for name, kinds in self.kinds.items()},
            "errors": [[k, m, count, first] for (k, m), (count, first) in self.errors.items()],
        }

    def used_since(self, before: Tally) -> dict[str, Any]:
        """Return the tokens and the cost that were told since; a name that no reply told is not in it."""
        return {name: told - before.used.get(name, 0) for name, told in self.used.items()}

    def _add_use(self, use: Use) -> None:
        for name in ("tokens_in", "tokens_out", "cost"):
            if (told := getattr(use, name)) is not None:
                self.used[name] = self.used.get(name, 0) + told

    def _add_value(self, name: str, value: Any) -> None:
        field = self.fields.get(name)
        if field is None:
            if len(self.fields) >= MOST_FIELDS:
                name = ANSWER  # the rest of a very wide Map is one column
            field = self.fields.setdefault(name, Field())
        field.add(value)
        kinds = self.kinds.get(name)
        if kinds is None:
            kinds = self.kinds[name] = set()
        kinds.add(_kind(value))

    def _add_error(self, number: int, error: BaseException) -> None:
        kind = error.kind if isinstance(error, ScoringError) else type(error).__name__
        key = (kind, str(error).partition("\n")[0][:LONGEST_ERROR])
        if key not in self.errors and len(self.errors) >= MOST_ERRORS:
            key = (OTHER, "")
        count, first = self.errors.get(key, (0, number))
        self.errors[key] = (count + 1, first)


def _kind(value: Any) -> str:
    if (known := _KINDS.get(type(value))) is not None:
        return known
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "text"
    return "float" if isinstance(value, float) else "text"
