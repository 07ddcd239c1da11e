"""Sources: which Hub repositories a source loads from, and what is to be said about its loads.

Covers repo ids (literal, pinned, built at run time), remote code, and loads that load-once does not see or
cannot keep. Resolving ids to commits is the hub's, keeping what is loaded is `hfreg.scoring.libraries`'.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hfreg.errors import DefinitionError
from hfreg.input_types import MODEL_DIR
from hfreg.scoring.reading import LOCAL, Reading, argument, is_none
from hfreg.scoring.syntax import FIELD, read
from hfreg.values import Finding

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = r"\w(?:[\w.-]{0,94}\w)?"
_REPO = re.compile(rf"(?!.*(?:--|\.\.|\.git$)){_NAME}(?:/{_NAME})?", re.ASCII)
_PATH = re.compile(r"\.{1,2}[/\\]|~|[/\\]|[A-Za-z]:[/\\]")
_SHIPPED = "hfreg/"
_ORGANISATIONS = {
    "SentenceTransformer": "sentence-transformers",
    "CrossEncoder": "cross-encoder",
    "SparseEncoder": "sparse-encoder",
}
_PARTS = ("tokenizer", "feature_extractor", "image_processor", "processor", "config")
_TEXT_CALLS = frozenset({"str", "format", "join", "getenv", "get", "strip", "lower", "upper", "replace", "input"})
_UNSEEN = re.compile(
    r"(?:torch|numpy|np|joblib|pickle|_pickle|cloudpickle|dill|spacy|whisper|fasttext|shelve|torch\.jit|torch\.hub)"
    r"\.(?:load|loads|load_model|open)"
    r"|safetensors\.\w+\.(?:load|load_file|safe_open)|(?:safetensors\.)?safe_open|load_file"
    r"|onnxruntime\.InferenceSession|(?:llama_cpp\.)?Llama|ctranslate2\.\w+|vllm\.LLM|tokenizers\.Tokenizer\.from_file"
    r"|(?:tensorflow\.)?(?:tf\.)?keras\.models\.load_model|datasets\.load_dataset|load_dataset"
)
_UNSEEN_METHODS = frozenset({"from_config", "from_single_file", "from_file", "load_from_checkpoint", "load_state_dict"})
_PICKLES = frozenset({"torch", "joblib", "pickle", "_pickle", "cloudpickle", "dill", "shelve"})
_PROGRAMS = re.compile(r"subprocess\.\w+|os\.(?:system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork)|multiprocessing\..+")
_HIDDEN = frozenset({"exec", "eval", "compile", "builtins.exec", "builtins.eval", "runpy.run_path", "runpy.run_module"})
_KEEP = 'Keep it in `cache`: `if "model" not in cache: cache["model"] = …`.'


@dataclass(frozen=True, slots=True)
class Repository:
    """A repo id that a source names literally; `revision` is what it asks for, None the default branch."""

    repo: str
    revision: str | None
    line: int


def repositories(source: str) -> list[Repository]:
    """List the Hub repositories that a source names literally, each (repo, revision) once, by line.

    A source that cannot be read names none.
    """
    try:
        return named_repositories(Reading(read(source)))
    except (DefinitionError, RecursionError):
        return []


def unnamed_loads(source: str) -> list[int]:
    """List the lines of the loads whose repo id is built at run time; of a source that cannot be read, none."""
    try:
        reading = Reading(read(source))
    except (DefinitionError, RecursionError):
        return []
    asked = ((kind, node) for kind, call in reading.loads for node, _ in _asked(reading, kind, call))
    return sorted({node.lineno for kind, node in asked if _is_unnamed(reading, kind, node)})


def named_repositories(reading: Reading) -> list[Repository]:
    """List what `repositories` lists, of a source already read."""
    found: dict[tuple[str, str | None], Repository] = {}
    asked = (pair for kind, call in reading.loads for pair in _asked(reading, kind, call))
    for node, call in sorted(asked, key=lambda pair: pair[0].lineno):
        repo, revision = reading.text(node), argument(call, None, "revision")
        if repo and _REPO.fullmatch(repo) and (is_none(revision) or reading.text(revision)):
            key = (repo, reading.text(revision))
            found.setdefault(key, Repository(*key, node.lineno))
    return list(found.values())


def source_rules(reading: Reading) -> Iterator[Finding]:
    """Yield what is to be said about repositories and loads."""
    for kind, call in reading.loads:
        for node, _ in _asked(reading, kind, call):
            yield from _id_findings(reading, kind, call, node)
        if kind == "pipeline" and _names_no_model(call):
            yield _warning(
                call, "The pipeline names no model, so the library chooses one, which may change. Add `model=`."
            )
        if id(call) not in reading.kept:
            yield from _plain_findings(reading, call)
    yield from _pin_hints(reading)
    for call in reading.calls:
        if id(call) not in reading.kept:
            yield from _unseen_findings(reading, call)
    for part in reading.nodes:
        yield from _remote_code(part)


def _asked(reading: Reading, kind: str, call: ast.Call) -> Iterator[tuple[ast.expr, ast.Call]]:
    """Yield the expressions of a load that say a repo id."""
    node: ast.expr | None = None
    if kind == "pipeline":
        for part in (argument(call, None, name) for name in _PARTS):
            if part is not None and reading.text(part):
                yield part, call
        node = argument(call, 1, "model")
    elif kind == "from_pretrained":
        adapter = re.search(r"(?<!Auto)Peft\w*\.from_pretrained$", reading.dotted(call.func)) is not None
        node = argument(call, 1, "model_id") if adapter else argument(call, 0, "pretrained_model_name_or_path")
    elif kind == "encoder":
        node = argument(call, 0, "model_name_or_path", "model_name")
    elif kind == "download" and reading.text(argument(call, None, "repo_type")) in {None, "model"}:
        node = argument(call, 0, "repo_id")
    if node is not None and not is_none(node):
        yield node, call


def _id_findings(reading: Reading, kind: str, call: ast.Call, node: ast.expr) -> Iterator[Finding]:
    repo = reading.text(node)
    revision = argument(call, None, "revision")
    if repo is None:
        if _is_unnamed(reading, kind, node):
            message = "The repo id is built at run time, so it is pinned at its first load. Write it out if you can."
            yield _warning(node, message)
    elif not _REPO.fullmatch(repo) and not _PATH.match(repo):
        message = (
            f"`{repo[:80]}` is no repo id of the Hub. Write it as `owner/name`, or a path with `./` or `/` before it."
        )
        yield Finding("error", FIELD, node.lineno, message)
    elif not _REPO.fullmatch(repo):
        message = f"`{repo[:80]}` is a path of one machine and no repo id, so nothing pins it and others lack it."
        yield _warning(node, message)
    elif not is_none(revision) and reading.text(revision) is None and revision is not None:
        yield _warning(
            revision, f"The revision of `{repo}` is built at run time, so it is pinned at its first load only."
        )
    elif "/" not in repo and (home := _ORGANISATIONS.get(reading.dotted(call.func).rpartition(".")[2])):
        yield _warning(node, f"`{repo}` names no organisation. Write `{home}/{repo}`.")


def _pin_hints(reading: Reading) -> Iterator[Finding]:
    for found in named_repositories(reading):
        if found.repo.startswith(_SHIPPED) or (found.revision and _COMMIT.fullmatch(found.revision)):
            continue
        asks = f"asks for `{found.revision[:40]}`, which may move" if found.revision else "names no commit"
        way_out = 'Saving pins it to the commit of that moment; write revision="…" with 40 hex digits to choose one.'
        yield Finding("hint", FIELD, found.line, f"`{found.repo}` {asks}. {way_out}")


def _is_unnamed(reading: Reading, kind: str, node: ast.expr) -> bool:
    if any(isinstance(part, ast.Name) and part.id == MODEL_DIR for part in ast.walk(node)):
        return False  # the uploaded folder, which is named by its content
    return reading.text(node) is None and not (kind == "pipeline" and _is_object(reading, node))


def _is_object(reading: Reading, node: ast.expr) -> bool:
    """Say whether `model=` is given something loaded before rather than a text."""
    if isinstance(node, ast.Name):
        made = reading.assigned.get(node.id)
        return node.id in reading.loaded_names or (made is not None and made is not node and _is_object(reading, made))
    if isinstance(node, ast.Call):
        return reading.dotted(node.func).rpartition(".")[2] not in _TEXT_CALLS
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "cache"


def _names_no_model(call: ast.Call) -> bool:
    unpacked = any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)
    return is_none(argument(call, 1, "model")) and not unpacked


def _plain_findings(reading: Reading, call: ast.Call) -> Iterator[Finding]:
    for name, node in [*((None, a) for a in call.args), *((k.arg, k.value) for k in call.keywords)]:
        if what := _not_plain(reading, node):
            given = f"`{name}` of this load is" if name else "This load is given"
            yield _warning(node, f"{given} {what}, no plain value, so it loads again on every call. {_KEEP}")


def _not_plain(reading: Reading, node: ast.expr) -> str | None:
    if isinstance(node, ast.Lambda):
        return "a function"
    if isinstance(node, ast.GeneratorExp):
        return "a generator"
    if isinstance(node, ast.Name):
        return "a function or class of this code" if node.id in reading.defined else None
    if isinstance(node, ast.Call) and reading.load_kind(node) is None:
        last = reading.dotted(node.func).rpartition(".")[2]
        if last == "open" or (last[:1].isupper() and not last.endswith("Config")):
            return f"a new `{last}`"
    return None


def _unseen_findings(reading: Reading, call: ast.Call) -> Iterator[Finding]:
    name = reading.dotted(call.func)
    root, _, _ = name.partition(".")
    last = name.rpartition(".")[2]
    if _UNSEEN.fullmatch(name) or (last in _UNSEEN_METHODS and not name.startswith(LOCAL)):
        risk = " A pickle can also run any code when it is read." if root in _PICKLES and last != "hub" else ""
        yield _warning(call, f"`{name}` loads on every call: load-once does not see it. {_KEEP}{risk}")
    elif last == "from_pretrained" and root not in {"transformers", "sentence_transformers", "?", last} and "." in name:
        if not root[:1].isupper() and not name.startswith(LOCAL):
            yield _warning(call, f"`{name}` loads on every call: load-once does not see `{root}`. {_KEEP}")
    elif _PROGRAMS.fullmatch(name):
        yield _warning(call, f"`{name}` starts another program. What that loads is not kept, pinned or measured.")
    elif name in _HIDDEN and not (call.args and isinstance(call.args[0], ast.Constant)):
        yield _warning(call, f"`{last}` runs code that check cannot read: ids and loads in it are not seen.")
    elif name in {"getattr", "builtins.getattr"}:
        yield from _getattr_findings(reading, call)
    elif last in {"import_module", "__import__"} and reading.text(argument(call, 0, "name")) is None:
        yield _warning(call, "The module to import is chosen at run time: check cannot see what it loads.")


def _getattr_findings(reading: Reading, call: ast.Call) -> Iterator[Finding]:
    owner = argument(call, 0)
    root = reading.dotted(owner).partition(".")[0] if owner is not None else ""
    if root in {"transformers", "sentence_transformers", "huggingface_hub"}:
        message = (
            f"What is taken from `{root}` by getattr cannot be checked or pinned when you save. Import it by name."
        )
        yield _warning(call, message)


def _remote_code(node: ast.AST) -> Iterator[Finding]:
    for value in _given_remote_code(node):
        if isinstance(value, ast.Constant) and value.value:
            message = "trust_remote_code=True is refused: the platform runs no code of a repository. Take it out."
            yield Finding("error", FIELD, value.lineno, message)
        elif not isinstance(value, ast.Constant):
            yield _warning(value, "trust_remote_code is decided at run time; True is refused at the load. Take it out.")


def _given_remote_code(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
        yield node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if _is_text(key, "trust_remote_code"):
                yield value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is_text(target.slice, "trust_remote_code"):
                yield node.value


def _is_text(node: ast.AST | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _warning(node: ast.expr, message: str) -> Finding:
    return Finding("warning", FIELD, node.lineno, message)
