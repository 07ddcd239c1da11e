"""Threshold: whether an argument acts on a score only by being compared with it, as far as the source tells.

Where it does, every stored score says what another threshold would have answered, and the model need not run again.
The source is parsed and never run. In doubt the answer is no, with the reason.

    >>> source = "score = len(text)\\nreturn {'flagged': score >= threshold, 'score': score}"
    >>> threshold_use(source, "threshold", "score", "flagged")
    Use(strict=False, alone=True, reason='')
    >>> threshold_use("return {'score': len(text) * threshold}", "threshold", "score", "score").reason
    'line 1 uses `threshold` otherwise than by comparing it with a score'
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hfreg.errors import DefinitionError
from hfreg.scoring.syntax import own_nodes, read

_ORDERS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
_REPEATED = (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.comprehension, ast.ListComp, ast.DictComp, ast.SetComp)
_INSIDE = (*_REPEATED, ast.GeneratorExp, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_WRITTEN = ("float", "round", "str")
"""Calls under which a score is still that score, as it is written into an answer."""
MAX_STEPS = 5


@dataclass(frozen=True, slots=True)
class Use:
    """How an argument is used: `strict` when a score that equals it counts as below; `alone` when nothing but the
    comparison decides the answer. `reason` says why stored scores do not tell of other thresholds, if they do not."""

    strict: bool = False
    alone: bool = False
    reason: str = ""


def threshold_use(source: str, argument: str, score: str, decision: str) -> Use:
    """Say how an argument acts on answers whose fields `score` and `decision` hold the score and what was decided."""
    try:
        tree = read(source)
    except DefinitionError as error:
        return Use(reason=str(error))
    return _Source(tree, argument, score).use(decision)


class _Source:
    """One source, looked at for one argument and one field."""

    def __init__(self, tree: ast.Module, argument: str, score: str) -> None:
        self.tree, self.argument, self.score = tree, argument, score
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.strict: set[bool] = set()
        self.sides: list[ast.expr] = []

    def use(self, decision: str) -> Use:
        """Return what was found, the first reason against it if there is one."""
        named = [node for node in self.nodes if isinstance(node, ast.Name) and node.id == self.argument]
        if not named:
            return Use(reason=f"the scoring logic does not use `{self.argument}`")
        for node in named:
            if problem := self._compared(node):
                return Use(reason=problem)
        if len({self._written(side) for side in self.sides}) > 1 or len(self.strict) > 1:
            return Use(reason=f"`{self.argument}` is compared with more than one thing")
        begin = min(self._statement(node).lineno for node in named)
        problem = self._answers(begin) or self._changed(begin)
        return Use(reason=problem) if problem else Use(self.strict == {True}, self._alone(begin, decision))

    def _compared(self, node: ast.Name) -> str:
        """Say what is wrong with one use of the argument, and note what it is compared with."""
        parent = self.parents[node]
        compared = isinstance(parent, ast.Compare) and len(parent.ops) == 1 and isinstance(parent.ops[0], _ORDERS)
        if not isinstance(node.ctx, ast.Load) or not compared:
            return f"line {node.lineno} uses `{self.argument}` otherwise than by comparing it with a score"
        assert isinstance(parent, ast.Compare)  # noqa: S101 - said above
        if any(isinstance(above, _INSIDE) for above in self._above(node)):
            return f"line {node.lineno} compares `{self.argument}` inside a loop, a function or a try"
        right = parent.comparators[0] is node
        self.sides.append(parent.left if right else parent.comparators[0])
        self.strict.add(isinstance(parent.ops[0], (ast.Gt, ast.LtE) if right else (ast.Lt, ast.GtE)))
        return ""

    def _answers(self, begin: int) -> str:
        """Say what is wrong with the answers that come after the comparison."""
        own = list(own_nodes(self.tree.body))
        if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own):
            return "the answer is streamed"
        if stopped := next((n for n in own if isinstance(n, ast.Raise | ast.Assert) and n.lineno >= begin), None):
            return f"line {stopped.lineno} may end without an answer"
        if not _ends(self.tree.body):
            return "the scoring logic can end without a return"
        wanted = self._written(self.sides[0])
        for node in own:
            if isinstance(node, ast.Return) and node.lineno >= begin:
                for answer in self._outcomes(node.value):
                    told = self._field(answer, self.score)
                    if told is None:
                        return f"line {node.lineno} returns an answer in which `{self.score}` cannot be followed"
                    if self._written(told) != wanted:
                        return f"line {node.lineno} answers another `{self.score}` than what is compared"
        return ""

    def _alone(self, begin: int, decision: str) -> bool:
        """Say whether the comparison alone decides: constants stand on its two sides, or it is the answer itself."""
        for node in own_nodes(self.tree.body):
            if not isinstance(node, ast.Return) or node.lineno < begin:
                continue
            if not all(self._is_comparison(above.test) for above in self._above(node) if isinstance(above, ast.If)):
                return False
            for answer in self._outcomes(node.value):
                told = self._field(answer, decision)
                if told is None or not self._decided(self._resolved(told)):
                    return False
            tests = [one.test for one in ast.walk(node.value or node) if isinstance(one, ast.IfExp)]
            if not all(map(self._is_comparison, tests)):
                return False
        return True

    def _decided(self, told: ast.expr) -> bool:
        if isinstance(told, ast.IfExp):
            sides = (told.body, told.orelse)
            return self._is_comparison(told.test) and all(isinstance(side, ast.Constant) for side in sides)
        return isinstance(told, ast.Constant) or self._is_comparison(told)

    def _is_comparison(self, node: ast.expr) -> bool:
        found = self._resolved(node)
        return isinstance(found, ast.Compare) and any(
            isinstance(n, ast.Name) and n.id == self.argument for n in (found.left, *found.comparators)
        )

    def _changed(self, begin: int) -> str:
        """Say where what is compared may change once it was."""
        side = self.sides[0]
        named = {n.id for e in (side, self._resolved(side)) for n in ast.walk(e) if isinstance(n, ast.Name)}
        within = {id(n) for s in self.sides for n in ast.walk(s)}
        for node in self.nodes:
            if getattr(node, "lineno", 0) < begin or id(node) in within:
                continue
            if isinstance(node, ast.Name | ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
                if _root(node) in named:
                    return f"line {node.lineno} changes `{_root(node)}` after it was compared"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _root(node.func) in named:
                return f"line {node.lineno} calls a method of `{_root(node.func)}` after it was compared"
        return ""

    def _above(self, node: ast.AST) -> Iterator[ast.AST]:
        while (node := self.parents.get(node, self.tree)) is not self.tree:
            yield node

    def _statement(self, node: ast.AST) -> ast.stmt:
        return next(above for above in self._above(node) if isinstance(above, ast.stmt))

    def _outcomes(self, value: ast.expr | None) -> Iterator[ast.expr | None]:
        if isinstance(value, ast.IfExp):
            yield from self._outcomes(value.body)
            yield from self._outcomes(value.orelse)
        else:
            yield value if value is None else self._resolved(value)

    def _field(self, answer: ast.expr | None, name: str) -> ast.expr | None:
        """Return what an answer has under a field, None when that cannot be told."""
        if not isinstance(answer, ast.Dict) or None in answer.keys:
            return None
        pairs = zip(answer.keys, answer.values, strict=True)
        return next((v for k, v in pairs if isinstance(k, ast.Constant) and k.value == name), None)

    def _written(self, node: ast.expr) -> str:
        return ast.dump(self._resolved(node))

    def _resolved(self, node: ast.expr, steps: int = MAX_STEPS) -> ast.expr:
        """Follow names that are given one value, and take off what only writes a score otherwise."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRITTEN and node.args:
            return self._resolved(node.args[0], steps)
        if not isinstance(node, ast.Name) or not steps:
            return node
        given = [n for n in self.nodes if isinstance(n, ast.Name) and n.id == node.id and isinstance(n.ctx, ast.Store)]
        if len(given) != 1 or not isinstance(assigned := self.parents[given[0]], ast.Assign | ast.AnnAssign):
            return node
        return node if assigned.value is None else self._resolved(assigned.value, steps - 1)


def _root(node: ast.expr) -> str:
    """Return the name that a place such as `a[0].b` begins with."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _ends(body: Sequence[ast.stmt]) -> bool:
    """Say whether a body always comes to a return (or an error)."""
    last = body[-1] if body else None
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.With):
        return _ends(last.body)
    return isinstance(last, ast.Return | ast.Raise)
