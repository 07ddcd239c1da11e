"""Limits: where scoring logic compares an argument with a value that its limits rule out.

Covers `==`, `!=`, `in`, `not in` and `match` against literals, for arguments that the code never gives another value.
What a call may give is `hfreg.argument_limits`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import HfregError
from hfreg.scoring.reading import Reading
from hfreg.scoring.syntax import FIELD
from hfreg.values import Finding


def limit_rules(reading: Reading, definition: Definition) -> Iterator[Finding]:
    """Yield a warning for each literal that an argument is compared with and can never be."""
    limited = {a.alias: a for a in definition.arguments if reading.stored[a.alias] == 1 and _is_limited(a)}
    if not limited:
        return
    for node in reading.nodes:
        for name, value, line in _compared(node):
            if name in limited and (problem := limited[name].outside(value)):
                message = f"`{name}` is compared with a value that it never has: {problem}"
                yield Finding("warning", FIELD, line, message)


def _is_limited(argument: Argument) -> bool:
    try:
        return argument.limits is not None
    except HfregError:  # named by the argument's own findings
        return False


def _compared(node: ast.AST) -> Iterator[tuple[str, Any, int]]:
    """Yield name, literal and line for each comparison of a name with a literal."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, (right,) = node.left, node.comparators
        if isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            left, right = (right, left) if isinstance(left, ast.Constant) else (left, right)
            yield from _named(left, [right])
        elif isinstance(node.ops[0], (ast.In, ast.NotIn)) and isinstance(right, (ast.Tuple, ast.List, ast.Set)):
            yield from _named(left, right.elts)
    elif isinstance(node, ast.Match):
        patterns = [part for case in node.cases for part in _alternatives(case.pattern)]
        yield from _named(node.subject, [one.value for one in patterns if isinstance(one, ast.MatchValue)])


def _named(left: ast.expr, values: list[ast.expr]) -> Iterator[tuple[str, Any, int]]:
    if isinstance(left, ast.Name):
        yield from ((left.id, one.value, one.lineno) for one in values if isinstance(one, ast.Constant))


def _alternatives(pattern: ast.pattern) -> list[ast.pattern]:
    return pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
