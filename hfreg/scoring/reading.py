"""Reading: what the names of a source stand for, as far as its syntax tree tells.

One walk over the tree gives imports, texts assigned once, calls and loaded objects; the rules of `check` ask
here instead of walking again. It follows names, not values: what depends on an argument is not known.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

MAX_STEPS = 8
LOCAL = "local:"

_MODULES = ("transformers", "sentence_transformers", "huggingface_hub")
_ENCODERS = frozenset({"SentenceTransformer", "CrossEncoder", "SparseEncoder"})
_DOWNLOADS = frozenset({"hf_hub_download", "snapshot_download"})
_IMPORTERS = frozenset({"importlib.import_module", "import_module", "__import__"})


class Reading:
    """One parsed source and what its names stand for; `arguments` are known only at run time."""

    def __init__(self, tree: ast.Module, arguments: tuple[str, ...] = ()) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.imports: dict[str, str] = {}
        self.import_nodes: list[tuple[str, ast.stmt]] = []
        self.stored: Counter[str] = Counter(arguments)
        self.assigned: dict[str, ast.expr] = {}
        self.defined: set[str] = set()
        for node in self.nodes:
            self._note(node)
        self.once = {name: value for name, value in self.assigned.items() if self.stored[name] == 1}

    def dotted(self, node: ast.AST, steps: int = MAX_STEPS) -> str:
        """Return the full name of a callable, such as `transformers.pipeline`; `local:` starts one made here."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        return ".".join([self._root(node, steps), *reversed(parts)])

    def text(self, node: ast.AST | None, steps: int = MAX_STEPS) -> str | None:
        """Return the text that an expression is whatever the arguments are, or None."""
        if steps == 0:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.text(self.once.get(node.id), steps - 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.text(node.left, steps - 1), self.text(node.right, steps - 1)])
        if isinstance(node, ast.JoinedStr):
            return _joined([self._piece(part, steps) for part in node.values])
        return None

    def load_kind(self, call: ast.Call) -> str | None:
        """Say which kind of load that load-once sees a call is: `pipeline`, `from_pretrained`, `encoder`, …"""
        name = self.dotted(call.func)
        last = name.rpartition(".")[2]
        root = name.partition(".")[0]
        if last == "from_pretrained":  # of whatever class: repo ids are worth knowing wherever they stand
            return last if "." in name else None
        if root not in (*_MODULES, last):
            return None
        if last == "pipeline":
            return last if root in {"transformers", "pipeline"} else None
        if last in _ENCODERS:
            return "encoder"
        return {"InferenceClient": "client", "AsyncInferenceClient": "client"}.get(last) or (
            "download" if last in _DOWNLOADS else None
        )

    @cached_property
    def loads(self) -> list[tuple[str, ast.Call]]:
        """The loads that load-once sees, with their kinds."""
        return [(kind, call) for call in self.calls if (kind := self.load_kind(call))]

    @cached_property
    def loaded_names(self) -> frozenset[str]:
        """The names that hold a loaded object, or a part of one."""
        calls = {id(call) for kind, call in self.loads if kind not in {"download", "client"}}
        names: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Assign) and self._from_load(node.value, calls, names):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                names.update(self._unpacked(node, node.value, calls, names))
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name) and node.value:
                names.update([node.target.id] if self._from_load(node.value, calls, names) else [])
        return frozenset(names)

    @cached_property
    def kept(self) -> frozenset[int]:
        """The ids of the nodes that the code keeps in `cache` by itself."""
        roots: list[ast.AST] = []
        for node in self.nodes:
            if isinstance(node, ast.Assign) and any(_is_cache(_base(target)) for target in node.targets):
                roots.append(node.value)
            elif isinstance(node, ast.Call) and _is_cache(_base(node.func)):
                roots.append(node)
            elif isinstance(node, ast.If) and any(_is_cache(part) for part in ast.walk(node.test)):
                roots += [*node.body, *node.orelse]
            elif isinstance(node, ast.Try) and any(_is_cache(part) for s in node.body for part in ast.walk(s)):
                roots += node.handlers
        return frozenset(id(part) for root in roots for part in ast.walk(root))

    def is_loaded(self, node: ast.AST) -> bool:
        """Say whether an expression such as `client.model.config` belongs to a loaded object."""
        base = _base(node)
        return isinstance(base, ast.Name) and base.id in self.loaded_names

    def _from_load(self, node: ast.AST, calls: set[int], names: set[str]) -> bool:
        if id(node) in calls:
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # .to(…), .eval() give it back
            return node.func.attr in GIVE_BACK and self._from_load(node.func.value, calls, names)
        base = _base(node)
        return isinstance(node, (ast.Name, ast.Attribute)) and isinstance(base, ast.Name) and base.id in names

    def _unpacked(self, node: ast.Assign, value: ast.Tuple, calls: set[int], names: set[str]) -> Iterator[str]:
        for target in node.targets:
            if isinstance(target, ast.Tuple) and len(target.elts) == len(value.elts):
                for name, part in zip(target.elts, value.elts, strict=True):
                    if isinstance(name, ast.Name) and self._from_load(part, calls, names):
                        yield name.id

    def _root(self, node: ast.AST, steps: int) -> str:
        if isinstance(node, ast.Call) and self.dotted(node.func, steps - 1) in _IMPORTERS if steps else False:
            assert isinstance(node, ast.Call)  # noqa: S101 - for the type checker
            return self.text(node.args[0]) or "?" if node.args else "?"
        if not isinstance(node, ast.Name):
            return "?"
        if node.id in self.imports:
            return self.imports[node.id]
        made = self.once.get(node.id)
        if steps and isinstance(made, (ast.Name, ast.Attribute, ast.Call)):
            followed = self.dotted(made, steps - 1)
            if not followed.startswith(("?", LOCAL)):
                return followed
        return LOCAL + node.id if self.stored[node.id] or node.id in self.defined else node.id

    def _piece(self, part: ast.expr, steps: int) -> str | None:
        if isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1:
            return self.text(part.value, steps - 1)
        return self.text(part, steps - 1)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.stored[node.id] += 1
        elif isinstance(node, ast.arg):
            self.stored[node.arg] += 1
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.defined.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._note_import(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.assigned[target.id] = node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name) and node.value:
            self.assigned[node.target.id] = node.value

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                self.imports[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                self.import_nodes.append((alias.name, node))
            elif not node.level:
                self.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                self.import_nodes.append((f"{node.module}.{alias.name}", node))


GIVE_BACK = frozenset({"to", "half", "float", "double", "bfloat16", "cuda", "cpu", "train", "eval", "requires_grad_"})


def argument(call: ast.Call, index: int | None, *names: str) -> ast.expr | None:
    """Return the expression that a call gives at a position or under one of these names, or None."""
    for keyword in call.keywords:
        if keyword.arg in names:
            return keyword.value
    if index is None or len(call.args) <= index or any(isinstance(a, ast.Starred) for a in call.args[: index + 1]):
        return None
    return call.args[index]


def is_none(node: ast.AST | None) -> bool:
    """Say whether nothing, or a literal None, is given."""
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _base(node: ast.AST) -> ast.AST:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node


def _is_cache(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "cache"


def _joined(parts: list[str | None]) -> str | None:
    return None if None in parts else "".join(part for part in parts if part is not None)
