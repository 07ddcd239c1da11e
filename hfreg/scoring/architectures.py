"""Architectures: the model types that the installed transformers can load, read from its files without importing it.

The library keeps them as tables of literals; they are parsed, once, because importing them would bring torch into
whatever serves the page. Where the files look otherwise than expected nothing is known, and nothing is refused.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_TABLES = ("auto_mappings.py", "configuration_auto.py")
_FEWEST = 100


@cache
def model_types() -> frozenset[str] | None:
    """Return the `model_type` words that can be loaded, or None where they cannot be told."""
    spec = find_spec("transformers")
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent / "models" / "auto"
    found: set[str] = set()
    for name in _TABLES:
        try:
            found |= _keys(ast.parse((folder / name).read_text(encoding="utf-8")))
        except (OSError, SyntaxError, ValueError):
            continue
    return frozenset(found) if len(found) >= _FEWEST else None


def _keys(tree: ast.Module) -> set[str]:
    """Return the words that stand before the name of a configuration class."""
    pairs = [
        (node.elts[0], node.elts[1]) for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 2
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs += [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    return {
        key.value
        for key, value in pairs
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value, ast.Constant)
        and str(value.value).endswith("Config")
    }
