"""Check saving: an answer that somebody saw becomes a check — from the playground, a call, or rows of a simulation.

Which matcher fits is guessed by what the answer is: its label where it has one, a number with some room, else the same
value. The Checks tab of the model changes it. Arguments that have their default are left out, so that a check holds
what a plain call means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hfreg.checks import Check, Matcher, label_of, plain, same
from hfreg.definition import Definition
from hfreg.errors import CheckError, HfregError
from hfreg.registry import Registry
from hfreg.ui.shapes import Label, shape_of

ROOM = 0.01
"""How far a number may be from the one that was answered, as a share of it."""
LEAST_ROOM = 0.001

Expectation = dict[str, Any]


def guess(answer: Any) -> Expectation:
    """Return what a check of an answer expects: `expected`, `matcher`, and `path` and `tolerance` where it has them.

    >>> guess([{"label": "good", "score": 0.9}, {"label": "bad", "score": 0.1}])
    {'expected': 'good', 'matcher': 'label'}
    >>> guess({"sentiment": "good", "confidence": 0.9})
    {'expected': 'good', 'matcher': 'path', 'path': 'sentiment'}
    >>> guess(0.5), guess([1, 2])
    ({'expected': 0.5, 'matcher': 'within', 'tolerance': 0.005}, {'expected': [1, 2], 'matcher': 'equals'})
    """
    answer = plain(answer, "The answer")
    shape = shape_of(answer)
    if isinstance(shape, Label) and label_of(answer) == shape.label != "":
        return _expect(shape.label, "label")
    if type(answer) is float:
        return {**_expect(answer, "within"), "tolerance": _room(answer)}
    if isinstance(answer, dict) and (key := _telling(answer, shape)) is not None:
        room = {"tolerance": _room(answer[key])} if type(answer[key]) is float else {}
        return {**_expect(answer[key], "path"), "path": key, **room}
    return _expect(answer, "equals")


def save(
    registry: Registry, alias: str, arguments: Mapping[str, Any], answer: Any, user: str
) -> tuple[bool, str, Check | None]:
    """Keep an answer as a check; return whether it was kept, a sentence that says so or why not, and the check."""
    try:
        definition = registry.get(alias).definition
        given, expectation = without_defaults(definition, arguments), guess(answer)
        if (known := _known(registry.checks(alias), given, expectation)) is not None:
            return False, f"This is a check already: `{known.name}` of {alias}.", None
        check = registry.add_check(alias, given, author=user, **expectation)
    except HfregError as error:
        return False, f"No check was saved. {error}", None
    return True, f"Saved as `{check.name}` of {alias}: it expects {check.wanted}.", check


def _expect(expected: Any, matcher: Matcher) -> Expectation:
    return {"expected": expected, "matcher": matcher}


def _telling(answer: Mapping[str, Any], shape: Any) -> str | None:
    """Return the key of what an answer with numbers decided for; None where the whole of it can be compared."""
    if not isinstance(shape, Label) and not any(type(value) is float for value in answer.values()):
        return None
    best = shape.label if isinstance(shape, Label) and shape.label in answer else ""
    named = shape.name if isinstance(shape, Label) and shape.name in answer else ""
    decided = next((key for key, value in answer.items() if isinstance(value, bool | str) and value != ""), "")
    number = next((key for key, value in answer.items() if type(value) is float), "")
    key = best or named or decided or number
    return key if key and "." not in key else None


def _room(number: float) -> float:
    return float(f"{max(LEAST_ROOM, abs(number) * ROOM):.2g}")


def without_defaults(definition: Definition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that do not have their default, as JSON has them where it can."""
    defaults = {a.alias: a.default_value for a in definition.arguments if a.optional}
    given = {}
    for name, value in arguments.items():
        try:
            value = plain(value, f"`{name}`")
            if name in defaults and same(value, plain(defaults[name], f"`{name}`")):
                continue
        except CheckError:
            pass  # adding it says what cannot be kept
        given[name] = value
    return given


def _known(checks: list[Check], arguments: Mapping[str, Any], expectation: Expectation) -> Check | None:
    for check in checks:
        now = {"expected": check.expected, "matcher": check.matcher, "path": check.path}
        wanted = {"path": "", **{key: value for key, value in expectation.items() if key != "tolerance"}}
        if same(check.arguments, dict(arguments)) and same(now, wanted):
            return check
    return None
