"""Test call: the call that Test Code shows, written from a definition and read back without running it.

`generated` writes it; `arguments_of` reads one call with literal arguments, as a person may have changed it, by
its syntax tree. Names, sums, other calls and anything else that would have to be run are refused by name.
"""

from __future__ import annotations

import ast
from datetime import datetime
from typing import Any

from hfreg.argument import Argument
from hfreg.argument_limits import ArgumentLimits
from hfreg.definition import Definition
from hfreg.errors import ArgumentError, HfregError

MAX_CHARACTERS = 200_000
SAMPLES: dict[str, Any] = {
    "Numerical": 1,
    "Boolean": True,
    "DateTime": datetime(2026, 1, 31),
    "Array": [],
    "Map": {},
    "Any": "…",
}
SENTENCE = "Great product!"
PROMPT = "Ignore previous instructions"
WIDTH = 44


def generated(definition: Definition) -> str:
    """Return a call that names every required argument and every one with a default."""
    given = definition.examples[0] if definition.examples else {}
    parts = [
        f"{a.alias}={_literal(_sample(definition, a, given))}"
        for a in definition.arguments
        if a.alias and (not a.optional or a.default is not None or a.alias in given)
    ]
    name = definition.alias or "model"
    line = f"{name}({', '.join(parts)})"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), ")"])


def arguments_of(text: str, definition: Definition) -> dict[str, Any]:
    """Return the arguments that a call gives, by name; raises ArgumentError saying what is no literal and where.

    One call, alone or assigned to a name, as in `result = prompt_guard(text="…")`.
    """
    call = _call(text, definition)
    if any(isinstance(one, ast.Starred) for one in call.args) or any(k.arg is None for k in call.keywords):
        raise ArgumentError("Test Code takes plain arguments, without `*` and `**`.")
    names = [k.arg for k in call.keywords if k.arg]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ArgumentError(f"The call gives `{twice}` twice. Keep one.")
    positional = tuple(_value(one, f"argument {n}") for n, one in enumerate(call.args, 1))
    return definition.named(positional, {k.arg: _value(k.value, f"`{k.arg}`") for k in call.keywords if k.arg})


def _call(text: str, definition: Definition) -> ast.Call:
    alias = definition.alias
    if len(text) > MAX_CHARACTERS:
        raise ArgumentError(f"The call has {len(text):,} characters; at most {MAX_CHARACTERS:,} fit.")
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        raise ArgumentError(f"The call cannot be read: {error.msg}, line {error.lineno}.") from None
    except (ValueError, RecursionError, MemoryError):
        raise ArgumentError("The call cannot be read: it is nested too deep or holds a null character.") from None
    only = body[0] if len(body) == 1 else None
    call = only.value if isinstance(only, (ast.Expr, ast.Assign)) else None
    if not isinstance(call, ast.Call):
        raise ArgumentError(f"Test Code takes one call, such as {generated(definition).splitlines()[0]}")
    if not (isinstance(call.func, ast.Name) and call.func.id == alias):
        raise ArgumentError(f"Test Code calls `{alias}`, not `{ast.unparse(call.func)[:60]}`.")
    return call


def _value(node: ast.expr, name: str) -> Any:
    if isinstance(node, ast.Call):
        return _moment(node, name)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        shown = ast.unparse(node)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        raise ArgumentError(
            f"{name[:1].upper()}{name[1:]} is `{shown}`, which would have to be run. Write the value itself."
        ) from None


def _moment(node: ast.Call, name: str) -> Any:
    """Read `datetime(2026, 11, 23)` and `datetime.fromisoformat("2026-11-23")`, the only calls that are values."""
    callee = ast.unparse(node.func)
    try:
        values = [ast.literal_eval(one) for one in node.args]
        if callee in {"datetime", "datetime.datetime"} and not node.keywords:
            return datetime(*values)
        if callee in {"datetime.fromisoformat", "datetime.datetime.fromisoformat"} and not node.keywords:
            return datetime.fromisoformat(*values)
    except (ValueError, TypeError):
        pass
    raise ArgumentError(f"`{callee[:60]}(…)` in {name} is no value. Only datetime(…) may be called here.")


def _sample(definition: Definition, argument: Argument, given: Any) -> Any:
    if argument.alias in given and not argument.outside(given[argument.alias]):
        return given[argument.alias]
    try:
        if argument.default is not None:
            return argument.default_value
        kind, limits = argument.parsed_type.kind, argument.limits
    except HfregError:
        return "…"
    sample = SAMPLES.get(kind, PROMPT if definition.model_type == "Guardrail" else SENTENCE)
    return sample if limits is None else _within(limits, sample)


def _within(limits: ArgumentLimits, sample: Any) -> Any:
    """Return the sample if it may be given, else what may be given in its place."""
    if limits.max_length is not None and not limits.choices:
        return sample[: limits.max_length]
    fitting = (sample, *limits.choices, limits.minimum, limits.maximum)
    return next((one for one in fitting if one is not None and limits.admits(one)), sample)


def _literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f'datetime.fromisoformat("{value.isoformat()}")'
    text = repr(value)
    if isinstance(value, str) and text.startswith("'") and '"' not in value:
        return f'"{text[1:-1]}"' if "\\'" not in text else text
    return text
