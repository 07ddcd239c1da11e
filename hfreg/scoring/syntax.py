"""Syntax: reading the source of scoring logic, and making it the body of a function.

Scoring logic is a function body: a top-level `return` (or `yield`) is meant, arguments are variables. Both
`check` and `compile` read it here, so what one accepts the other accepts. Nothing is run or imported. What
the source does is not judged here.
"""

from __future__ import annotations

import ast
import re
import textwrap
import types
import warnings
from collections.abc import Iterator, Sequence

from hfreg.definition import MAX_SOURCE_BYTES
from hfreg.errors import DefinitionError
from hfreg.values import Finding

FIELD = "scoring_logic"
INITIALIZATION = "initialization_logic"
SOURCE_NAME = "<scoring logic>"
STAR_IMPORT = "__hfreg_star_import__"

_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

# Python's own remarks on a source (`x is "a"`) are findings of `check`; on stderr nobody would see them. The
# filter knows our pseudo-files alone and is set once, for catch_warnings() is not safe between threads.
warnings.filterwarnings("ignore", category=SyntaxWarning, module="<")
warnings.filterwarnings("ignore", category=DeprecationWarning, module="<")


def lines_of(source: str) -> list[str]:
    """Split a source into lines as Python counts them."""
    return _LINE_END.split(source)


def read(source: str, filename: str = SOURCE_NAME) -> ast.Module:
    """Parse a source; raises DefinitionError with one finding that has the line.

    A source that is indented as a whole, as one pasted out of a function is, is read without that indent.
    """
    if finding := _unreadable(source):
        raise refusal(finding)
    source = source.removeprefix("\ufeff")
    try:
        return _parse(source, filename)
    except IndentationError as error:
        shifted = textwrap.dedent(source)
        if shifted == source:
            raise refusal(syntax_finding(error)) from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal(syntax_finding(error)) from None
    try:
        return _parse(shifted, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal(syntax_finding(error)) from None


def function(tree: ast.Module, name: str, arguments: Sequence[str]) -> ast.Module:
    """Return a module whose one statement, after `from __future__` imports, is a function with this body.

    Every line keeps its number. `from x import *`, which no function may hold, becomes a call that does it.
    """
    stars = _Stars()
    body = [stars.visit(statement) for statement in tree.body]
    count = _futures(body)
    shell = ast.parse("def scoring_logic(): pass")
    made = shell.body[0]
    assert isinstance(made, ast.FunctionDef)  # noqa: S101 - for the type checker
    made.name = name
    made.args.args = [ast.arg(arg=argument, lineno=1, col_offset=0) for argument in arguments]
    made.body = [*body[count:]] or made.body
    return ast.fix_missing_locations(ast.Module(body=[*body[:count], made], type_ignores=[]))


def code_of(module: ast.Module, filename: str = SOURCE_NAME) -> types.CodeType:
    """Compile what `function` made and return the code of the function; raises DefinitionError."""
    try:
        compiled = _compile(module, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal(syntax_finding(error)) from None
    return next(constant for constant in compiled.co_consts if isinstance(constant, types.CodeType))


def whole_code(module: ast.Module, filename: str = SOURCE_NAME) -> types.CodeType:
    """Compile a source as it stands, whose names become globals; raises DefinitionError."""
    try:
        return _compile(module, filename)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal(syntax_finding(error)) from None


def of_initialization(finding: Finding) -> Finding:
    """Return a finding about a source as one about the initialization logic."""
    message = finding.message.replace("The scoring logic", "The initialization logic")
    return Finding(finding.level, INITIALIZATION, finding.line, message)


def names_of(tree: ast.Module) -> frozenset[str]:
    """Return the names that a source gives to whoever shares its globals."""
    names: set[str] = set()
    for node in own_nodes(tree.body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return frozenset(names)


def own_nodes(statements: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Walk the nodes of a body without entering functions and lambdas defined in it."""
    waiting = list(statements)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def refusal(*findings: Finding) -> DefinitionError:
    """Return the error that says the first finding and carries all of them."""
    first = findings[0]
    place = "" if first.line is None else f" in line {first.line}"
    what = "initialization" if first.field == INITIALIZATION else "scoring"
    return DefinitionError(f"The {what} logic cannot be used{place}. {first.message}", findings)


def syntax_finding(error: BaseException) -> Finding:
    """Say in a sentence why Python cannot read a source."""
    if isinstance(error, SyntaxError):
        text = (error.msg or "invalid syntax").strip().rstrip(".")
        column = f" (column {error.offset})" if error.offset and error.offset > 0 else ""
        return Finding("error", FIELD, error.lineno, f"Python cannot read this line{column}: {text}.")
    if isinstance(error, (RecursionError, MemoryError)):
        message = "The code is nested too deep for Python to read. Split it into smaller statements."
        return Finding("error", FIELD, None, message)
    return Finding("error", FIELD, None, f"Python cannot read the code: {error}.")


def _unreadable(source: str) -> Finding | None:
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:  # the words of Definition.findings(), so that nobody reads it twice
        message = f"The scoring logic is {size / 1024:.1f} KiB long; at most {MAX_SOURCE_BYTES // 1024} KiB fit."
        return Finding("error", FIELD, None, message)
    for what, place in (("a null byte", source.find("\0")), ("half a character", _first_surrogate(source))):
        if place >= 0:
            line = len(lines_of(source[:place]))
            return Finding("error", FIELD, line, f"The line holds {what} (a lone surrogate or \\0). Type it anew.")
    return None


def _first_surrogate(source: str) -> int:
    found = None if source.isascii() else _SURROGATE.search(source)
    return found.start() if found else -1


def _parse(source: str, filename: str) -> ast.Module:
    try:
        return ast.parse(source, filename)
    except SyntaxError:
        if not _warnings_raise():
            raise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename)


def _compile(module: ast.Module, filename: str) -> types.CodeType:
    try:
        return compile(module, filename, "exec", dont_inherit=True)
    except SyntaxError:
        if not _warnings_raise():
            raise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(module, filename, "exec", dont_inherit=True)


def _warnings_raise() -> bool:
    return any(action == "error" for action, *_ in warnings.filters)


def _futures(body: Sequence[ast.stmt]) -> int:
    """Count the statements up to the last leading `from __future__` import; a docstring may come before."""
    count = 0
    for index, statement in enumerate(body):
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__" and not statement.level:
            count = index + 1
        elif index or not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            break
    return count


class _Stars(ast.NodeTransformer):
    """Turns `from x import *` outside of functions into a call that fills the globals when its line is reached."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.names[0].name != "*" or node.module == "__future__":
            return node
        call = ast.parse(f"{STAR_IMPORT}({node.module or ''!r}, {node.level}, {node.lineno})").body[0]
        for part in ast.walk(call):
            if "lineno" in part._attributes:
                ast.copy_location(part, node)
        return call

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node
