"""Tasks: the pipelines that the installed transformers has, without importing it.

The library keeps them in one table, `SUPPORTED_TASKS`; its source is read by its syntax tree, once for a version, in
some milliseconds. So a page may ask, in a process that must never hold torch. Which models a pipeline takes it does not
say.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path

TABLE = "SUPPORTED_TASKS"
SOURCE = "pipelines/__init__.py"


def known() -> frozenset[str] | None:
    """Return the tasks of the installed transformers, or None where there is none or its table is another."""
    try:
        spec = util.find_spec("transformers")
        version = metadata.version("transformers")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    return table(Path(spec.origin).parent / SOURCE, version)


@lru_cache(maxsize=4)
def table(source: Path, version: str) -> frozenset[str] | None:
    """Return the keys of the table in a source of that version, or None where it holds no such table."""
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == TABLE for t in node.targets):
            keys = node.value.keys if isinstance(node.value, ast.Dict) else []
            names = {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            return frozenset(names) or None
    return None
