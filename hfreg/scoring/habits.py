"""Habits: things a source does that work otherwise here than in a script of one's own.

Covers changing loaded objects, names of the platform, the token, the network and globals. Each rule is a
generator over one Reading; what is loaded from where is in `sources`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hfreg.definition import PLATFORM_NAMES, Definition
from hfreg.endpoint import RESPONSE
from hfreg.scoring.reading import GIVE_BACK, Reading, argument, is_none
from hfreg.scoring.syntax import FIELD, own_nodes
from hfreg.settings import TOKEN_VARIABLES
from hfreg.values import Finding, Level

_CHANGES = (GIVE_BACK - {"eval", "requires_grad_"}) | {
    "add_tokens",
    "add_special_tokens",
    "resize_token_embeddings",
    "load_adapter",
    "set_adapter",
    "add_adapter",
    "load_state_dict",
    "enable_truncation",
    "enable_padding",
}
_NETWORK = re.compile(
    r"(?:requests|httpx|aiohttp|urllib3|socket|websockets?|ftplib|smtplib|telnetlib|paramiko|boto3|openai|anthropic"
    r"|urllib\.request|http\.client|xmlrpc\.client|gradio_client)(?:\..+)?"
)
_LOGINS = frozenset(
    {"login", *(f"huggingface_hub.{name}" for name in ("login", "notebook_login", "interpreter_login"))}
)
_PERSIST = "it persists between calls, also those of other people"


def habit_rules(reading: Reading, definition: Definition) -> Iterator[Finding]:
    """Yield what is to be said about habits that mean something else here."""
    for node in reading.nodes:
        yield from _assignments(reading, node)
        if isinstance(node, ast.Call):
            yield from _changing_calls(reading, node)
            yield from _login(reading, node)
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from _globals(node)
        if not definition.token:
            yield from _token(node)
    if not definition.network:
        yield from _network(reading)
    yield from _shadowing(reading, definition)
    yield from _async(reading)


def unused_arguments(reading: Reading, definition: Definition) -> Iterator[Finding]:
    """Yield a warning for each argument that the code never reads."""
    if any(reading.dotted(call.func) in {"locals", "vars", "eval", "exec"} for call in reading.calls):
        return
    read = {node.id for node in reading.nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
    if definition.input_type == "API Based":  # arguments are sent, and the code has the reply
        if RESPONSE not in read:
            yield Finding("warning", FIELD, None, "The code never reads `response`, so the reply changes nothing.")
        return
    for index, given in enumerate(definition.arguments):
        if given.alias not in read:
            message = f"`{given.alias}` is declared and never used by the scoring logic. Use it or remove it."
            yield Finding("warning", f"arguments[{index}].alias", None, message)


def _assignments(reading: Reading, node: ast.AST) -> Iterator[Finding]:
    targets: list[ast.expr] = []
    if isinstance(node, (ast.Assign, ast.Delete)):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    for target in targets:
        if isinstance(target, (ast.Attribute, ast.Subscript)) and reading.is_loaded(target):
            yield _at(target, "warning", f"This changes `{ast.unparse(target)[:60]}` of a loaded object; {_PERSIST}.")


def _changing_calls(reading: Reading, call: ast.Call) -> Iterator[Finding]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGES:
        owner = call.func.value
        loads = isinstance(owner, ast.Call) and reading.load_kind(owner) not in {None, "download", "client"}
        if loads or reading.is_loaded(owner):
            message = f"`{call.func.attr}` changes a loaded object; {_PERSIST}."
            if call.func.attr in GIVE_BACK:
                message += " Give the load what it needs instead (`device=`, `dtype=`)."
            yield _at(call, "warning", message)
    owner_of = argument(call, 0)
    if reading.dotted(call.func) in {"setattr", "delattr"} and owner_of is not None and reading.is_loaded(owner_of):
        yield _at(call, "warning", f"This changes a loaded object; {_PERSIST}.")


def _login(reading: Reading, call: ast.Call) -> Iterator[Finding]:
    if reading.dotted(call.func) in _LOGINS and is_none(argument(call, 0, "token")):
        message = "`login()` without a token does nothing here: downloads use the platform's token by themselves."
        yield _at(call, "hint", message)


def _globals(node: ast.Global | ast.Nonlocal) -> Iterator[Finding]:
    if isinstance(node, ast.Global):
        names = ", ".join(f"`{name}`" for name in node.names)
        if PLATFORM_NAMES & set(node.names):
            yield Finding("warning", FIELD, node.lineno, f"{names} is the platform's; change its items, not the name.")
        else:
            message = f"{names} is kept between calls as long as the model is loaded; `cache` says so more plainly."
            yield Finding("hint", FIELD, node.lineno, message)


def _token(node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TOKEN_VARIABLES:
        message = (
            f"{node.value} is given to this code only when the definition asks for the token (token=True). "
            "Downloads need no token in the code."
        )
        yield _at(node, "hint", message)


def _network(reading: Reading) -> Iterator[Finding]:
    seen: set[int] = set()
    for name, node in reading.import_nodes:
        if _NETWORK.fullmatch(name) and node.lineno not in seen:
            seen.add(node.lineno)
            module = name.rpartition(".")[0] if isinstance(node, ast.ImportFrom) else name
            message = f"`{module}` uses the network, which this definition does not ask for (network=True)."
            yield Finding("warning", FIELD, node.lineno, message)
    for kind, call in reading.loads:
        if kind == "client":
            message = "`InferenceClient` uses the network, which this definition does not ask for (network=True)."
            yield _at(call, "warning", message)


def _shadowing(reading: Reading, definition: Definition) -> Iterator[Finding]:
    given = PLATFORM_NAMES | set(definition.resources)
    for node in reading.nodes:
        for name in _bound(node):
            if name in given:
                what = "the platform's `cache`" if name in PLATFORM_NAMES else f"the model `{name}` of the resources"
                message = f"This name hides {what} from the code. Choose another one."
                yield Finding("warning", FIELD, getattr(node, "lineno", None), message)


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    return []


def _async(reading: Reading) -> Iterator[Finding]:
    kinds = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    for node in own_nodes(reading.tree.body):
        if isinstance(node, kinds):
            message = "`await` and `async` are not available in scoring logic; calls are plain. Use the plain function."
            yield Finding("error", FIELD, node.lineno, message)


def _at(node: ast.expr, level: Level, message: str) -> Finding:
    return Finding(level, FIELD, node.lineno, message)
