"""Returns: whether what a source returns can be of the output type, as far as its literals tell.

A literal that the type cannot hold is an error; what is only guessed from names of the libraries
(`result["score"]` is a number) is a warning. The engine holds every real answer to the type all the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from hfreg import types
from hfreg.errors import OutputError
from hfreg.scoring.reading import MAX_STEPS, Reading
from hfreg.scoring.syntax import FIELD, own_nodes
from hfreg.values import Finding

UNKNOWN = object()

_LISTS = (ast.List, ast.Tuple, ast.ListComp)
_NUMBER_KEYS = frozenset({"score", "start", "end"})
_TEXT_KEYS = frozenset({"label", "generated_text", "word", "answer", "text", "token_str", "sequence", "entity"})
_NUMBER_CALLS = frozenset({"float", "int", "len", "round", "sum", "abs", "item"})
_TEXT_CALLS = frozenset({"str", "strip", "lower", "upper", "title", "join", "format", "replace", "decode", "dumps"})
_WORDS = {"Map": "a dict", "Array": "a list", "String": "text"}


def return_rules(reading: Reading, output: types.Type) -> Iterator[Finding]:
    """Yield what is to be said about the returns of a source with this output type."""
    nodes = list(own_nodes(reading.tree.body))
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in nodes):
        return
    returns = [node for node in nodes if isinstance(node, ast.Return)]
    if output.kind != "Any" and reading.tree.body and _falls_through(reading.tree.body):
        line = _last_line(reading.tree.body)
        if not returns:
            yield Finding("hint", FIELD, line, f"The code returns nothing, so every answer is None and no {output}.")
        else:
            message = (
                "The code can end here without a return; the answer is None then. Write `return None` if that is meant."
            )
            yield Finding("hint", FIELD, line, message)
    for node in returns:
        if node.value is not None and (finding := _shape(reading, node, node.value, output)):
            yield finding


def _shape(reading: Reading, node: ast.Return, value: ast.expr, output: types.Type) -> Finding | None:
    if isinstance(value, ast.IfExp):
        return _shape(reading, node, value.body, output) or _shape(reading, node, value.orelse, output)
    if made := _function(reading, value, MAX_STEPS):
        message = f"This return has {made} in it, which no output type holds. Call it and return what it gives."
        return Finding("warning", FIELD, value.lineno, message)
    if misfit := _misfit(value, output):
        return Finding("warning", FIELD, value.lineno, f"This return cannot match the output type. {misfit}")
    likely = _likely(reading, value, MAX_STEPS)
    if likely is UNKNOWN:
        return None
    try:
        converted = output.convert(likely)
    except OutputError:
        if _has_unknown(likely, value):
            return None
        message = f"This seems to return {_word(likely)}, which the output type {output} cannot hold."
        return Finding("warning", FIELD, value.lineno, message)
    if not converted.warnings:
        return None
    kept, loose = str(output.keeping(likely)), str(output.loosest())
    proposal = kept if kept == loose else f"{kept} or {loose}"
    what = _changed(likely, converted.value)
    message = f"{what}, for the output type is {output}; each call will warn. The output type {proposal} would keep it."
    return Finding("warning", FIELD, value.lineno, message)


def _function(reading: Reading, node: ast.expr | None, steps: int) -> str | None:
    """Say which function or class is what is returned, or a part of it; None where nothing tells."""
    if isinstance(node, ast.Lambda):
        return "a function"
    if isinstance(node, ast.Name) and steps:
        plain = [  # a decorator may make anything of them
            made
            for made in reading.nodes
            if isinstance(made, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and made.name == node.id
        ]
        if plain and not reading.stored[node.id] and not any(made.decorator_list for made in plain):
            return f"the {'class' if isinstance(plain[0], ast.ClassDef) else 'function'} `{node.id}`"
        return _function(reading, reading.once.get(node.id), steps - 1)
    parts = node.values if isinstance(node, ast.Dict) else node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return next((found for part in parts if (found := _function(reading, part, steps - 1))), None) if steps else None


def _misfit(node: ast.expr, wanted: types.Type, path: str = "") -> str | None:
    """Say how a literal surely fails to be of a type, or None."""
    if wanted.kind == "Any":
        return None
    place = f"At {path} it" if path else "It"
    if isinstance(node, (ast.Dict, ast.DictComp)):
        if wanted.kind not in {"Map", "Struct"}:
            return f"{place} is a dict, and {wanted} was declared; Map[String, Any] would hold it."
        return _dict_misfit(node, wanted, path, place) if isinstance(node, ast.Dict) else None
    if isinstance(node, _LISTS):
        if wanted.kind != "Array":
            return f"{place} is a list, and {wanted} was declared; List would hold it."
        return _list_misfit(node, wanted, path)
    if isinstance(node, ast.JoinedStr) and wanted.kind not in {"String", "DateTime"}:
        return f"{place} is text, and {wanted} was declared; String would hold it."
    if isinstance(node, ast.Constant):
        return _constant_misfit(node.value, wanted, place)
    return None


def _dict_misfit(node: ast.Dict, wanted: types.Type, path: str, place: str) -> str | None:
    fields = dict(wanted.fields) if isinstance(wanted, types.Struct) else {}
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    if all(isinstance(key, ast.Constant) for key in node.keys) and (missing := [f for f in fields if f not in keys]):
        names = ", ".join(f"`{name}`" for name in missing)
        return f"{place} lacks {names} of {wanted}. Give it, as None if it has no value."
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            inner = fields.get(str(key.value)) if fields else wanted.value if isinstance(wanted, types.Map) else None
            if inner and (found := _misfit(value, inner, f"{path}[{key.value!r:.40}]")):
                return found
    return None


def _list_misfit(node: ast.expr, wanted: types.Type, path: str) -> str | None:
    if not isinstance(wanted, types.Array):
        return None
    items = (
        node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node.elt] if isinstance(node, ast.ListComp) else []
    )
    for index, item in enumerate(items):
        if found := _misfit(item, wanted.item, f"{path}[{index}]"):
            return found
    return None


def _constant_misfit(value: Any, wanted: types.Type, place: str) -> str | None:
    if value is None or not isinstance(value, (str, int, float, bool)):
        return None
    try:
        wanted.convert(value)
    except OutputError:
        word = "text" if isinstance(value, str) else "True or False" if isinstance(value, bool) else "a number"
        return f"{place} is {word}, and {wanted} was declared."
    return None


def _likely(reading: Reading, node: ast.expr | None, steps: int) -> Any:
    """Return a value like the one an expression will have, UNKNOWN where nothing tells."""
    if node is None or steps == 0:
        return UNKNOWN
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, (str, int, float, bool, type(None))) else UNKNOWN
    if isinstance(node, ast.JoinedStr):
        return "text"
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {k.value: _known(reading, v, steps) for k, v in pairs if isinstance(k, ast.Constant)}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_known(reading, item, steps) for item in node.elts]
    if isinstance(node, ast.Name):
        return _likely(reading, reading.once.get(node.id), steps - 1)
    return _by_form(reading, node, steps)


def _by_form(reading: Reading, node: ast.expr, steps: int) -> Any:
    if isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return UNKNOWN  # over arrays these give arrays
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        key = node.slice.value
        return 0.5 if key in _NUMBER_KEYS else "text" if key in _TEXT_KEYS else UNKNOWN
    if isinstance(node, ast.Call):
        name = reading.dotted(node.func).rpartition(".")[2]
        return 0.5 if name in _NUMBER_CALLS else "text" if name in _TEXT_CALLS else UNKNOWN
    if isinstance(node, ast.BinOp):
        sides = _likely(reading, node.left, steps - 1), _likely(reading, node.right, steps - 1)
        return 0.5 if all(type(side) in {int, float} for side in sides) else UNKNOWN
    return UNKNOWN


def _known(reading: Reading, node: ast.expr, steps: int) -> Any:
    value = _likely(reading, node, steps - 1)
    return None if value is UNKNOWN else value


def _has_unknown(likely: Any, node: ast.expr) -> bool:
    """Say whether parts of a dict display stay unseen, so that a missing field proves nothing."""
    return isinstance(likely, dict) and isinstance(node, ast.Dict) and len(likely) < len(node.keys)


def _changed(likely: Any, became: Any) -> str:
    if isinstance(likely, dict) and isinstance(became, dict):
        if lost := [key for key in likely if key not in became and str(key) not in became]:
            return f"`{lost[0]}` will be left out"
        for key, value in likely.items():
            if key in became and (type(value), value) != (type(became[key]), became[key]):
                return f"`{key}` seems to be {_word(value)} and will become {_word(became[key])}"
    return f"This seems to be {_word(likely)} and will be converted"


def _word(value: Any) -> str:
    words = {str: "text", bool: "True or False", int: "a number", float: "a number", list: "a list", dict: "a dict"}
    return words.get(type(value), "another value")


def _last_line(body: list[ast.stmt]) -> int:
    last = body[-1]
    return last.end_lineno or last.lineno


def _falls_through(body: list[ast.stmt]) -> bool:
    """Say whether control can run past the end of these statements."""
    for statement in body:
        if isinstance(statement, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            return False
    if not body:
        return True
    last = body[-1]
    if isinstance(last, ast.If):
        return _falls_through(last.body) or _falls_through(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return _falls_through(last.body)
    if isinstance(last, (ast.Try, ast.TryStar)):
        return _try_falls(last)
    if isinstance(last, ast.While):
        forever = isinstance(last.test, ast.Constant) and bool(last.test.value)
        return not forever or any(isinstance(node, ast.Break) for node in own_nodes(last.body))
    if isinstance(last, ast.Match):
        return _falls_match(last)
    return True


def _try_falls(node: ast.Try | ast.TryStar) -> bool:
    if node.finalbody and not _falls_through(node.finalbody):
        return False
    main = _falls_through([*node.body, *node.orelse])
    return main or any(_falls_through(handler.body) for handler in node.handlers)


def _falls_match(node: ast.Match) -> bool:
    last = node.cases[-1]
    everything = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    return not everything or any(_falls_through(case.body) for case in node.cases)
