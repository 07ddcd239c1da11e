"""Libraries: what scoring logic gets when it imports, so that verbatim code loads once.

Scoring logic runs with an `__import__` of its own. Through it `transformers`, `sentence_transformers`,
`huggingface_hub`, `importlib`, `os` and `sys` come as proxies whose loading calls (`pipeline`, every
`from_pretrained`, `SentenceTransformer(...)`, `InferenceClient(...)`) load by the local path of a pinned
commit and are kept for as long as the model stays loaded; `login` never prompts, writes or asks. Everything
else is the library's own. This module alone touches torch and transformers, and only when a model loads.
It does not run scoring logic, time it or decide when to unload: that is the engine's.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from hfreg.errors import UnsafeRepo
from hfreg.options import Options
from hfreg.scoring import unseen
from hfreg.scoring.clients import Clients
from hfreg.scoring.environment import OWN_COPIES, Environment
from hfreg.scoring.memo import TOKEN_ARGUMENTS, Memo, NotPlain
from hfreg.scoring.placement import Placement
from hfreg.scoring.proxies import ModuleProxy, class_proxy
from hfreg.scoring.tally import Tally

PROXIED = frozenset({"transformers", "sentence_transformers", "huggingface_hub", *OWN_COPIES, "importlib"})
REPO_ARGUMENTS = ("pretrained_model_name_or_path", "model_name_or_path")
REMOTE_ARGUMENTS = TOKEN_ARGUMENTS | {"revision", "cache_dir", "cache_folder", "force_download", "local_files_only"}
PARTS_ARGUMENTS = ("tokenizer", "feature_extractor", "image_processor", "video_processor", "processor")
USE_ARGUMENTS = ("device_map", "dtype", "torch_dtype", "model_kwargs")
WEIGHTS_ARGUMENTS = (
    "task",
    "model",
    "config",
    "device",
    "use_fast",
    "pipeline_class",
    *USE_ARGUMENTS,
    *PARTS_ARGUMENTS,
)

# Loads are serialised in a process: `from_pretrained` swaps torch's global default dtype, and two loads
# at once leave models, and the process, with each other's.
LOADING = threading.RLock()


class Resolver(Protocol):
    """Turns a repo id into the local folder of one pinned commit."""

    def resolve(self, repo: str, revision: str | None = None) -> Path:
        """Return the folder of the pinned commit."""


class Libraries:
    """The libraries as one loaded model sees them, and what was loaded through them.

    `tally` is that of the run in work: `begin()` starts another. `builtins` are what the function
    sees in place of Python's; `source_name` is its pseudo-filename, for the lines that warnings name. `secrets` are
    values that no message may show.
    """

    def __init__(
        self,
        resolver: Resolver,
        environment: Mapping[str, str],
        write: Callable[[str], object],
        on_load: Callable[[str], None] = lambda what: None,
        on_loaded: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.cache: dict[Any, Any] = {}
        self.memo = Memo()
        self.tally = Tally()
        self._resolver = resolver
        self.source_name = ""
        self.model_dir: str | None = None
        self.placement = Placement(Options())
        self._on_load = on_load
        self._on_loaded = on_loaded
        self._modules: dict[str, ModuleProxy] = {}
        self._environment = Environment(environment, write, lambda: self._module("sys"), lambda: self.tally.warnings)
        self._clients = Clients(self.memo, self._resolve, lambda text: self.tally.notes.append(text), self._warn)
        self.builtins = self._environment.builtins()
        self.secrets = frozenset(environment.values())

    def begin(self, warm: bool) -> None:
        """Start a run: its warnings, notes and load time count from zero."""
        self.tally = Tally()
        # The first run may well load something into `cache` by itself; a warm one should load nothing.
        if warm and (modeling := sys.modules.get("transformers.modeling_utils")):
            unseen.watch(modeling.PreTrainedModel)
        unseen.tell(self._unseen if warm else None)

    def end(self) -> None:
        """End a run."""
        unseen.tell(None)

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import like `builtins.__import__`, but hand out proxies of the libraries that load models."""
        root = name.partition(".")[0]
        if level or root not in PROXIED:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        given = self._modules.get(name)
        if given is None or not all(one in vars(given) for one in fromlist or ()):

            def load() -> ModuleType:  # with the names wanted from it: they may be modules that nobody imported yet
                return builtins.__import__(name, globals, locals, fromlist or (), 0)

            self._timed(name, load) if name not in sys.modules else load()
        return self._module(name if fromlist else root)

    def unload(self) -> bool:
        """Let go of everything that was loaded; returns whether there was anything."""
        held = bool(len(self.memo) or self.cache)
        self.memo.clear()
        self.cache.clear()
        self._modules.clear()
        return held

    def _module(self, name: str) -> ModuleProxy:
        if name not in self._modules:
            self._modules[name] = ModuleProxy(name, self._read, self._replace)
        return self._modules[name]

    def _read(self, module: ModuleType, attribute: str) -> Any:
        """Return an attribute of a real module; transformers imports what stands behind most of its own first."""
        if attribute in vars(module) or attribute.startswith("__"):
            return getattr(module, attribute)
        return self._timed(f"{module.__name__}.{attribute}", lambda: getattr(module, attribute))

    def _replace(self, module: str, attribute: str, value: Any) -> Any:
        if isinstance(value, ModuleType):
            return self._module(value.__name__) if value.__name__.partition(".")[0] in PROXIED else value
        root = module.partition(".")[0]
        if root in OWN_COPIES:
            return self._environment.replace(root, attribute, value)
        if attribute == "import_module" and root == "importlib":
            return functools.partial(self._import_module, value)
        if root == "transformers" and attribute == "pipeline":
            return functools.wraps(value)(functools.partial(self._pipeline, value, inspect.signature(value)))
        if root == "huggingface_hub":
            return self._clients.replace(attribute, value)
        return self._replace_class(root, value) if inspect.isclass(value) else value

    def _import_module(self, real: Callable[..., ModuleType], name: str, package: str | None = None) -> ModuleType:
        module = real(name, package)
        return self._module(module.__name__) if module.__name__.partition(".")[0] in PROXIED else module

    def _replace_class(self, root: str, value: type) -> Any:
        name = f"{value.__module__}.{value.__qualname__}"
        if root == "transformers" and hasattr(value, "from_pretrained"):
            load = functools.partial(self._load, name, value.from_pretrained, REPO_ARGUMENTS[0])
            return class_proxy(value, {"from_pretrained": load})
        if root == "sentence_transformers" and "model_name_or_path" in inspect.signature(value).parameters:
            return class_proxy(value, {}, functools.partial(self._load, name, value, REPO_ARGUMENTS[1]))
        return value

    def _pipeline(self, real: Callable[..., Any], signature: inspect.Signature, *args: Any, **kwargs: Any) -> Any:
        try:
            as_written = self.memo.key("pipeline as written", args, kwargs)
        except NotPlain:
            return self._named_pipeline(real, signature, args, kwargs)
        return self.memo.get_or_load(as_written, lambda: self._named_pipeline(real, signature, args, kwargs))

    def _named_pipeline(
        self, real: Callable[..., Any], signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        given = dict(signature.bind_partial(*args, **kwargs).arguments)
        given.update(given.pop("kwargs", {}))
        if given.get("model") is None and isinstance(given.get("task"), str):
            given["model"], revision = default_model(given["task"])
            given.setdefault("revision", revision)
        return self._load("pipeline", functools.partial(self._build_pipeline, real), "model", **given)

    def _build_pipeline(self, real: Callable[..., Any], /, **given: Any) -> Any:
        """Make a pipeline, over the weights of an earlier one where only their use differs."""
        if not isinstance(given.get("model"), str):
            return real(**given)
        try:
            weights = self.memo.key("weights", (), {n: given[n] for n in WEIGHTS_ARGUMENTS if n in given})
        except NotPlain:
            return real(**given)
        if (shared := self.memo.find(weights)) is not None:
            fresh = {n: v for n, v in given.items() if n not in USE_ARGUMENTS}
            fresh["model"] = shared.model
            for part in PARTS_ARGUMENTS:
                if (held := getattr(shared, part, None)) is not None:
                    fresh.setdefault(part, held)
            return real(**fresh)
        return self.memo.get_or_load(weights, lambda: real(**given))

    def _load(self, name: str, real: Callable[..., Any], repo_argument: str, *args: Any, **kwargs: Any) -> Any:
        """Return the object that this load gave before, or load it by the path of its pinned commit."""
        if args:
            kwargs = {repo_argument: args[0], **kwargs}
            args = args[1:]
        written, kwargs = kwargs, self.placement.keywords(name, repo_argument, kwargs)

        def load() -> Any:
            local = self._local(repo_argument, kwargs)  # may download: outside the lock
            with LOADING, default_dtype_kept():
                return self.placement.moved(name, written, real(*args, **local))

        try:
            key = self.memo.key(name, args, kwargs)
        except NotPlain as problem:
            self._warn(f"is loaded on every call, because {problem}. Keep it in `cache`, or pass plain values", name)
            return self._timed(name, load)
        if (known := self.memo.find(key)) is not None:
            return known
        return self._timed(name, lambda: self.memo.get_or_load(key, load))

    def _local(self, repo_argument: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Exchange repo ids for the folders of their pinned commits; what speaks to the Hub is dropped."""
        if kwargs.get("trust_remote_code"):
            raise UnsafeRepo(
                f"`{kwargs.get(repo_argument)}` asks for trust_remote_code=True, and the platform loads no remote "
                "code. Drop the argument, or use a model whose code is part of transformers."
            )
        local = {n: v for n, v in kwargs.items() if n not in REMOTE_ARGUMENTS}
        revision = kwargs.get("revision")
        if isinstance(repo := local.get(repo_argument), (str, Path)):
            local[repo_argument] = str(self._resolve(str(repo), revision))
        for part in (*PARTS_ARGUMENTS, "config"):
            if isinstance(other := local.get(part), str):
                local[part] = str(self._resolve(other, revision if other == repo else None))
        return local

    def _timed(self, name: str, load: Callable[[], Any]) -> Any:
        """Load and count the time, nested loads once."""
        outer, self.tally.depth, started = self.tally.depth == 0, self.tally.depth + 1, time.perf_counter()
        if outer:
            self.tally.loading_since = started
            self._on_load(name)
        try:
            return load()
        finally:
            self.tally.depth -= 1
            if outer:
                self.tally.loading_since = None
                took = time.perf_counter() - started
                self.tally.load_seconds += took
                self._on_loaded(took)

    def _resolve(self, repo: str, revision: str | None) -> Path:
        folder = self._resolver.resolve(repo, revision)
        if folder == Path(repo).expanduser() and not self._is_uploaded(folder):
            self.tally.notes.append(f"`{repo}` is a folder of this machine: it is not pinned and may change.")
        return folder

    def _is_uploaded(self, folder: Path) -> bool:
        return self.model_dir is not None and folder.is_relative_to(self.model_dir)

    def _unseen(self, name: str) -> None:
        if self.tally.depth == 0:
            self._warn("is loaded past load-once, on every call. Keep it in `cache`", name)

    def _warn(self, what: str, name: str) -> None:
        line = next((f.lineno for f in inspect.stack(0) if f.filename == self.source_name), None)
        where = f"Line {line}: " if line else ""
        self.tally.warnings.append(f"{where}{name.rpartition('.')[2]} {what}.")


class default_dtype_kept:
    """Put torch's default dtype back after a load, also one that raised half-way."""

    def __enter__(self) -> None:
        torch = sys.modules.get("torch")
        self._before = torch.get_default_dtype() if torch else None

    def __exit__(self, *error: object) -> None:
        if self._before is not None and sys.modules["torch"].get_default_dtype() != self._before:
            sys.modules["torch"].set_default_dtype(self._before)


def default_model(task: str) -> tuple[str, str]:
    """Return the repo id and revision that transformers itself would take for a task."""
    from transformers.pipelines import check_task, get_default_model_and_revision

    _, targeted_task, options = check_task(task)
    repo, revision = get_default_model_and_revision(targeted_task, options)
    return repo, revision
