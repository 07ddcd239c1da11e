"""Checks: what a model is expected to answer, whether an answer is that, and what a run of all of them found.

Covers matching, the words in which a miss is told, and why a report holds no more. Runs nothing and keeps nothing:
that is `hfreg.checking` and `hfreg.store.checks`.

    >>> check = Check(
    ...     name="a", arguments={}, expected=0.9, matcher="path", path="scores.0", tolerance=0.05, created_at=BEGAN
    ... )
    >>> check.problem({"scores": [0.93, 0.07]})
    ''
    >>> check.problem({"scores": []})
    'expected 0.9 ± 0.05 at `scores.0`, got an answer without `scores.0`: {"scores": []}'
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from pydantic import field_validator, model_validator

from hfreg.definition import Definition
from hfreg.errors import CheckError
from hfreg.values import Frozen
from hfreg.version import Version

Matcher = Literal["equals", "contains", "within", "label", "path"]
MATCHERS: tuple[Matcher, ...] = get_args(Matcher)
MAX_NAME = 100
MAX_TOLD = 200
"""Characters of a value that a message shows."""
BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING = object()


class Check(Frozen):
    """Arguments, and what is expected of the answer to them.

    `equals` is the same JSON value; `contains` a part of a text, an item of a list, or some of the keys of a mapping
    with their values; `within` a number no more than `tolerance` away; `label` the label of a classification, also the
    best of several with scores; `path` the value at a dotted `path` such as `scores.0`, a number within `tolerance`.
    """

    name: str
    arguments: dict[str, Any]
    expected: Any
    matcher: Matcher = "equals"
    tolerance: float = 0.0
    path: str = ""
    created_at: datetime
    author: str = ""

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not (name := name.strip()) or len(name) > MAX_NAME or not name.isprintable():
            raise ValueError(f"a name has 1 to {MAX_NAME} characters on one line")
        return name

    @model_validator(mode="after")
    def _can_fail(self) -> Check:
        numeric = _is_number(self.expected)
        if not 0 <= self.tolerance < math.inf:
            raise ValueError(f"the tolerance {self.tolerance} is no number from 0")
        if self.tolerance and not (self.matcher in ("within", "path") and numeric):
            raise ValueError("a tolerance is for `within`, and for `path` when a number is expected")
        if (self.matcher == "path") != bool(self.path):
            raise ValueError("a path is for `path`, which needs one such as `scores.0`")
        if self.matcher == "within" and not numeric:
            raise ValueError(f"`within` expects a number, not {told(self.expected)}")
        if self.matcher == "label" and not (isinstance(self.expected, str) and self.expected):
            raise ValueError(f"`label` expects the name of a label, not {told(self.expected)}")
        if self.matcher == "contains" and (self.expected is None or self.expected in ("", {}, [])):
            raise ValueError("everything contains nothing; expect a part of the answer")
        return self

    @property
    def wanted(self) -> str:
        """What is expected, in words."""
        value = told(self.expected) + (f" ± {self.tolerance:g}" if self.tolerance else "")
        words = {
            "contains": f"something with {value}",
            "label": f"the label {value}",
            "path": f"{value} at `{self.path}`",
        }
        return words.get(self.matcher, value)

    def problem(self, answer: Any) -> str:
        """Return what is wrong with an answer, naming what was expected and what came; nothing when it is right."""
        value = at_path(answer, self.path) if self.path else answer
        if value is _MISSING:
            return f"expected {self.wanted}, got an answer without `{self.path}`: {told(answer)}"
        if self.matcher == "label":
            value = label_of(answer)
        if self._fits(value):
            return ""
        return f"expected {self.wanted}, got {told(value)}"

    def _fits(self, value: Any) -> bool:
        if self.matcher == "contains":
            return _contains(value, self.expected)
        if self.matcher == "within" or self.tolerance:
            return _is_number(value) and abs(value - self.expected) <= self.tolerance
        return same(value, self.expected)


class CheckResult(Frozen):
    """What became of one check; `message` says what is wrong, and is empty when it is right."""

    name: str
    ok: bool
    message: str = ""
    milliseconds: float = 0.0


class Basis(Frozen):
    """What answers depend on, as it was when checks ran: digests of code, arguments and checks, commits, libraries."""

    code: str
    arguments: str
    checks: str
    called: Mapping[str, str]
    commits: Mapping[str, str]
    libraries: Mapping[str, str]


class CheckReport(Frozen):
    """What the checks of a model found when they ran; `stale` says why that holds no more, nothing while it does."""

    alias: str
    version: int
    at: datetime
    user: str
    results: tuple[CheckResult, ...]
    basis: Basis
    stale: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every check was right."""
        return all(result.ok for result in self.results)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that were not right."""
        return tuple(result for result in self.results if not result.ok)

    def __str__(self) -> str:
        right = len(self.results) - len(self.failed)
        return f"{self.alias} version {self.version}: {right} of {len(self.results)} checks are right"


def basis(version: Version, called: Iterable[Version], checks: Iterable[Frozen], libraries: Mapping[str, str]) -> Basis:
    """Return what the answers of a version depend on; `called` are the models that it calls."""
    others = list(called)
    commits = {pin.repo: pin.commit for one in (*others, version) for pin in one.pins}
    return Basis(
        code=_code(version.definition),
        arguments=_digest([a.model_dump(mode="json", exclude={"usage"}) for a in version.definition.arguments]),
        checks=_digest(sorted(check.model_dump_json() for check in checks)),
        called={one.alias: f"{_code(one.definition)} of version {one.number}" for one in others},
        commits=commits,
        libraries=dict(libraries),
    )


def changes(then: Basis, now: Basis) -> tuple[str, ...]:
    """List what changed between two moments, a sentence part for each."""
    found = []
    if then.code != now.code:
        found.append("the code changed")
    if then.arguments != now.arguments:
        found.append("the arguments changed")
    if then.checks != now.checks:
        found.append("the checks changed")
    found += [f"the model {alias}, which it calls, changed" for alias in _different(then.called, now.called)]
    found += [f"the commit of {repo} changed" for repo in _different(then.commits, now.commits)]
    for name in _different(then.libraries, now.libraries):
        found.append(f"{name} was {then.libraries.get(name, 'absent')} and is {now.libraries.get(name, 'absent')}")
    return tuple(found)


def plain(value: Any, what: str) -> Any:
    """Return a value as JSON has it, moments as texts; raises CheckError for what has no such form."""
    try:
        return json.loads(json.dumps(value, default=_moment, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise CheckError(f"{what} cannot be kept in a check: {told(value)} has no form in JSON.") from None


def at_path(value: Any, path: str) -> Any:
    """Return what a dotted path leads to in a JSON value."""
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def label_of(answer: Any) -> Any:
    """Return the label of an answer: itself, its `label`, that of its only or best item; else the answer.

    >>> label_of([{"label": "bad", "score": 0.2}, {"label": "good", "score": 0.8}])
    'good'
    """
    if isinstance(answer, dict):
        return answer.get("label", answer)
    if isinstance(answer, list) and answer and all(isinstance(one, dict) and "label" in one for one in answer):
        if len(answer) == 1:
            return answer[0]["label"]
        if all(_is_number(one.get("score")) for one in answer):
            return max(answer, key=lambda one: one["score"])["label"]
    return answer


def same(one: Any, other: Any) -> bool:
    """Say whether two JSON values are one; a switch is no number.

    >>> same(1, 1.0), same(True, 1), same([0], [False])
    (True, False, False)
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def told(value: Any) -> str:
    """Return a value as a message shows it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_TOLD else text[:MAX_TOLD] + "…"


def _contains(value: Any, part: Any) -> bool:
    if isinstance(value, str):
        return isinstance(part, str) and part in value
    if isinstance(value, list):
        return any(same(one, part) for one in value)
    if isinstance(value, dict) and isinstance(part, dict):
        return all(key in value and same(value[key], part[key]) for key in part)
    return isinstance(value, dict) and isinstance(part, str) and part in value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _code(definition: Definition) -> str:
    return _digest([definition.code_digest, definition.output_type])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode("utf-8", "surrogatepass")).hexdigest()


def _different(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {**then, **now} if then.get(name) != now.get(name))
