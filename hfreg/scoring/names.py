"""Names: pyflakes' remarks on a source, in sentences.

The source is looked at as the function it will be, with arguments, `cache` and resources as known names.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any

from hfreg.definition import Definition
from hfreg.errors import did_you_mean
from hfreg.scoring.reading import Reading
from hfreg.scoring.syntax import FIELD, STAR_IMPORT
from hfreg.values import Finding

MAX_NEAR = 200
MAX_MESSAGES = 100

_IMPORTS = {
    "pipeline": "from transformers import pipeline",
    "login": "from huggingface_hub import login",
    "InferenceClient": "from huggingface_hub import InferenceClient",
    "SentenceTransformer": "from sentence_transformers import SentenceTransformer",
    "CrossEncoder": "from sentence_transformers import CrossEncoder",
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "F": "import torch.nn.functional as F",
}
_MODULES = frozenset(
    {"os", "re", "json", "math", "torch", "transformers", "numpy", "pandas", "time", "datetime", "random"}
)
_BUILTINS = tuple(name for name in dir(builtins) if name.islower() and not name.startswith("_"))
_QUIET = frozenset({"ImportStarUsed", "ImportStarUsage", "ImportStarNotPermitted", "UnusedIndirectAssignment"})
_UNUSED = frozenset({"UnusedImport", "UnusedVariable", "UnusedAnnotation", "RedefinedWhileUnused"})


def name_rules(
    reading: Reading, definition: Definition, module: ast.Module, given: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Yield undefined and unused names and other slips; `module` is the source made a function.

    `given` are names that its globals have besides those of the platform.
    """
    from pyflakes.checker import Checker  # 30 ms that nobody needs before the first check

    known = definition.given_names | set(definition.resources) | given | {STAR_IMPORT}
    stars = [n for n in reading.nodes if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    checked = ast.Module(body=[*module.body], type_ignores=[])
    try:
        messages = Checker(checked, filename=FIELD, builtins=known).messages
    except (AssertionError, LookupError, AttributeError, TypeError, ValueError) as error:  # pyflakes' own fault
        yield Finding("hint", FIELD, None, f"Names could not be looked up ({type(error).__name__} in pyflakes).")
        return
    for message in sorted(messages, key=_importance)[:MAX_MESSAGES]:
        kind = type(message).__name__
        if kind in _QUIET or (kind == "UndefinedName" and stars):
            continue
        told = _TOLD.get(kind, _other)(message, reading, definition)
        if kind == "UndefinedName":
            yield Finding("error", FIELD, message.lineno, told)
        else:
            yield Finding("hint" if kind in _UNUSED else "warning", FIELD, message.lineno, told)
    for star in stars:
        told = "`import *` hides from check which names are defined. Import the names that the code uses."
        yield Finding("hint", FIELD, star.lineno, told)


def _importance(message: Any) -> tuple[bool, int]:
    return type(message).__name__ != "UndefinedName", message.lineno


def _undefined(message: Any, reading: Reading, definition: Definition) -> str:
    name = str(message.message_args[0])
    if statement := _IMPORTS.get(name) or (f"import {name}" if name in _MODULES else ""):
        return f"`{name}` is not defined. Add `{statement}`."
    if name.startswith("Auto") and name[4:5].isupper():
        return f"`{name}` is not defined. Add `from transformers import {name}`."
    arguments = [argument.alias for argument in definition.arguments]
    others = [*reading.imports, *reading.assigned, *reading.defined, *definition.resources, *_BUILTINS]
    near = _near(name, arguments) or _near(name, others)
    known = ", ".join(f"`{argument}`" for argument in arguments) or "none"
    return f"`{name}` is not defined.{near} The arguments are: {known}."


def _near(name: str, known: list[str]) -> str:
    """Suggest a name; one of two letters is near to everything, and a thousand names are near to each other."""
    return did_you_mean(name, [k for k in known if k != name][:MAX_NEAR]) if len(name) > 2 else ""


def _unused_import(message: Any, reading: Reading, definition: Definition) -> str:
    return f"`{message.message_args[0]}` is imported and never used."


def _unused_variable(message: Any, reading: Reading, definition: Definition) -> str:
    return f"`{message.message_args[0]}` is assigned and never used."


def _too_early(message: Any, reading: Reading, definition: Definition) -> str:
    return f"`{message.message_args[0]}` is used before it has a value."


def _other(message: Any, reading: Reading, definition: Definition) -> str:
    text = str(message.message % message.message_args)
    return f"{text[:1].upper()}{text[1:]}."


_TOLD: dict[str, Callable[[Any, Reading, Definition], str]] = {
    "UndefinedName": _undefined,
    "UndefinedLocal": _too_early,
    "UnusedImport": _unused_import,
    "UnusedVariable": _unused_variable,
}
