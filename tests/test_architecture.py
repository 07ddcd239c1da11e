"""The house rules, read from the source: who may import whom, who owns a dependency, how large things get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = [
    {"errors", "settings"},
    {"types", "values", "argument_limits", "argument", "endpoint", "options", "input_types", "licences"}
    | {"definition", "version", "lifecycle", "metrics", "checks", "floors"},
    {"scoring", "hub", "store", "tables"},
    {"engine"},
    {"simulation", "templates", "from_repository", "portable", "progress"},
    {"admission", "licensing", "licensed", "recording", "provision", "parts", "running", "simulating"}
    | {"flooring", "checking", "sweeping", "evaluating"}
    | {"model", "registry"},
    {"starters", "doctor", "__init__", "models"},
    {"cli", "__main__", "serving", "ui"},
]
ENTRANCES = ("cli", "serving", "ui")
OWNERS = {
    "torch": ["hfreg/scoring/libraries.py"],
    "transformers": ["hfreg/scoring/libraries.py"],
    "sentence_transformers": [],
    "huggingface_hub": ["hfreg/hub/"],
    "tinydb": ["hfreg/store/"],
    "sqlalchemy": ["hfreg/store/"],
    "streamlit": ["hfreg/ui/", "pages/", "app.py"],
    "pyflakes": ["hfreg/scoring/"],
    "openpyxl": ["hfreg/tables/"],
    "PIL": ["hfreg/scoring/media.py"],
    "soundfile": ["hfreg/scoring/media.py"],
    "scipy": ["hfreg/scoring/media.py"],
}
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "misc", "common"}

MODULES = sorted([*(ROOT / "hfreg").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"])
PACKAGE = [path for path in MODULES if path.is_relative_to(ROOT / "hfreg")]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> list[str]:
    return list(imports(tree(path)))


def imports(node: ast.AST) -> Iterator[str]:
    """Yield what a module imports at run time; what stands under TYPE_CHECKING is not imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.expr):  # none stands in an expression
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from imports(child)


def room(path: Path) -> str:
    parts = path.relative_to(ROOT / "hfreg").with_suffix("").parts
    return parts[0]


def floor(of: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if of in rooms)


def test_every_module_has_a_floor() -> None:
    known = set().union(*FLOORS)
    assert [name(p) for p in PACKAGE if room(p) not in known] == []


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_imports_point_to_the_same_or_a_lower_floor(path: Path) -> None:
    rooms = {m.split(".")[1] for m in imported(path) if m.startswith("hfreg.") and m.count(".") >= 1}
    rooms = {r for r in rooms if (ROOT / "hfreg" / r).is_dir() or (ROOT / "hfreg" / f"{r}.py").is_file()}
    assert [r for r in sorted(rooms) if floor(r) > floor(room(path))] == []


def test_rooms_of_the_second_floor_do_not_know_each_other() -> None:
    strangers = [
        (name(path), module)
        for path in PACKAGE
        if room(path) in {"scoring", "hub", "store"}
        for module in imported(path)
        if module.startswith("hfreg.") and module.split(".")[1] in {"scoring", "hub", "store"} - {room(path)}
    ]
    assert strangers == []


def test_entrances_do_not_know_each_other() -> None:
    strangers = [
        (name(path), module)
        for path in PACKAGE
        if room(path) in ENTRANCES
        for module in imported(path)
        if module.startswith("hfreg.") and module.split(".")[1] in set(ENTRANCES) - {room(path)}
    ]
    assert strangers == []


@pytest.mark.parametrize("dependency", OWNERS)
def test_a_dependency_has_one_owner(dependency: str) -> None:
    users = [name(path) for path in MODULES if any(m.split(".")[0] == dependency for m in imported(path))]
    assert [u for u in users if not u.startswith(tuple(OWNERS[dependency] or ["nobody"]))] == []


def test_torch_and_transformers_are_imported_inside_functions_only() -> None:
    source = tree(ROOT / "hfreg" / "scoring" / "libraries.py")
    top = [
        m
        for node in source.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for m in imports(ast.Module([node], []))
    ]
    assert [m for m in top if m.split(".")[0] in {"torch", "transformers"}] == []


def test_the_environment_is_read_in_settings_only() -> None:
    readers = [name(p) for p in MODULES if re.search(r"\bos\.(environ|getenv)\b", _code(p))]
    assert readers == ["hfreg/settings.py"]


def test_the_session_is_touched_in_one_module_only() -> None:
    touching = [name(p) for p in MODULES if re.search(r"st\.(session_state|query_params|cache_resource)\b", _code(p))]
    assert touching == ["hfreg/ui/session.py"]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    limit = 40 if path.name == "app.py" else 120 if path.is_relative_to(ROOT / "pages") else 300
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= limit
    assert ast.get_docstring(tree(path))
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_a_function_does_one_thing(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (node.end_lineno or 0) - node.lineno >= 45
    ]
    assert long == []


def test_no_page_stands_directly_in_pages_where_it_would_run_past_the_app() -> None:
    assert list((ROOT / "pages").glob("*.py")) == []


@cache
def _code(path: Path) -> str:
    """Return the source without docstrings and comments."""
    return ast.unparse(_without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))


def _without_docstrings(module: ast.Module) -> ast.Module:
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return module
