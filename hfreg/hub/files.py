"""Which files of a repository are fetched, and what is refused inside them.

Weights are safetensors only, unless the caller allows pickles; code is never fetched. JSON that asks
for remote code, shards outside the repository and impossible tensor offsets are refused before a
library sees them. It cannot tell whether a model is any good or honest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from hfreg.errors import UnsafeRepo

LARGEST_JSON = 5_000_000
LARGEST_VOCABULARY = 200_000_000
"""Several times the largest `tokenizer.json` of a model that is in use; a library reads it into memory whole."""
LARGEST_HEADER = 100_000_000
ALLOWED = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "preprocessor_config.json",
    "processor_config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.*", "merges.txt",
    "*.model", "modules.json", "*_config.json", "config_sentence_transformers.json", "chat_template.*", "*.jinja",
    "README.md",
)  # fmt: skip
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npz", ".npy")
FOREIGN = (".h5", ".msgpack", ".gguf", ".onnx", ".tflite", ".ot", ".mlmodel", ".pb")
NEVER = (*FOREIGN, ".py", ".pyc", ".so", ".dll", ".dylib", ".sh", ".zip", ".gz", ".tar")
REMOTE_CODE = ("auto_map", "custom_pipelines", "trust_remote_code", "_attn_implementation_internal")
# Their keys are tokens of a vocabulary, which may well be called `auto_map`.
_VOCABULARIES = ("tokenizer.json", "vocab.json", "added_tokens.json")
_PLAIN = re.compile(r"\w[\w+.-]*(?:/\w[\w+.-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class RepoFile:
    """One file of a repository: its size in bytes, and the SHA-256 (weights) or git blob id (small files)."""

    name: str
    size: int = 0
    sha256: str = ""
    blob: str = ""

    @classmethod
    def from_hub(cls, data: Mapping[str, Any]) -> RepoFile:
        """Read one entry of `siblings`."""
        large = data.get("lfs") or {}
        size = int(large.get("size") or data.get("size") or 0)
        return cls(str(data.get("rfilename", "")), size, str(large.get("sha256", "")), str(data.get("blobId") or ""))


def allowed(name: str, pickles: bool = False) -> bool:
    """Whether a file of this name is fetched.

    >>> allowed("1_Pooling/config.json"), allowed("modeling_x.py"), allowed("pytorch_model.bin")
    (True, False, False)
    """
    if not _PLAIN.fullmatch(name) or name.endswith(NEVER):
        return False
    base = PurePosixPath(name).name
    if base.endswith(PICKLES):
        return pickles and fnmatchcase(base, "pytorch_model*.bin")
    if pickles and base == "pytorch_model.bin.index.json":
        return True
    return any(fnmatchcase(base, pattern) for pattern in ALLOWED)


def select(repo: str, files: Iterable[RepoFile], pickles: bool = False) -> list[RepoFile]:
    """Choose what is fetched: JSON first, weights last. Raises UnsafeRepo where only refused weights are left."""
    every = list(files)
    chosen = [file for file in every if allowed(file.name, pickles)]
    weights = [file.name for file in chosen if file.name.endswith((".safetensors", ".bin"))]
    if not weights:
        _refuse_weights(repo, [file.name for file in every])
    if any(name.startswith("model") for name in weights):  # the same weights once more, in another layout
        chosen = [file for file in chosen if not file.name.startswith("consolidated")]
    for file in chosen:
        if file.size > (most := _most_bytes(file.name)):
            raise UnsafeRepo(f"`{repo}`: {file.name} has {file.size:,} bytes; {_kind(most)} is not read.")
    return sorted(chosen, key=lambda file: (not file.name.endswith(".json"), file.size, file.name))


def inspect_json(repo: str, folder: Path, names: Sequence[str]) -> None:
    """Raise UnsafeRepo for JSON that asks for remote code or names shards that are not in the repository."""
    for name in names:
        if not name.endswith(".json") or _vocabulary(name):
            continue
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except ValueError:
            raise UnsafeRepo(f"`{repo}`: {name} is no JSON.") from None
        inspect_text(repo, name, text, names)


def inspect_text(repo: str, name: str, text: str, names: Sequence[str]) -> Any:
    """Return the JSON of one file; raises UnsafeRepo for what `inspect_json` refuses, `names` being all files."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UnsafeRepo(f"`{repo}`: {name} is no JSON.") from None
    if key := _remote_code(data):
        raise UnsafeRepo(
            f"`{repo}`: {name} holds `{key}`, which makes a library run code from the repository. "
            "The platform runs none; choose a model that transformers supports by itself."
        )
    if name.endswith(".index.json"):
        _check_shards(repo, name, data, set(names))
    if PurePosixPath(name).name == "modules.json":
        _check_modules(repo, name, data)
    return data


def inspect_weights(repo: str, path: Path) -> None:
    """Raise UnsafeRepo for a safetensors file whose header cannot be true."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise UnsafeRepo(f"`{repo}`: {path.name} has an impossible header of {length:,} bytes.")
        try:
            header = json.loads(file.read(length))
            spans = [entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"]
            right = all(0 <= begin <= end <= size - 8 - length for begin, end in spans)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            right = False
    if not right:
        raise UnsafeRepo(f"`{repo}`: {path.name} has tensors outside of the file; it is damaged or forged.")


def inspect_folder(folder: Path, names: Sequence[str]) -> None:
    """Raise UnsafeRepo for what no library may load in a folder of these files; tells nothing of its name."""
    for name in names:
        if (folder / name).stat().st_size > (most := _most_bytes(name)):
            raise UnsafeRepo(f"{name} has more than {most // 1_000_000} MB; JSON of that size is not read.")
    inspect_json("the folder", folder, names)
    for name in names:
        if name.endswith(".safetensors"):
            inspect_weights("the folder", folder / name)


def digest(path: Path, go_on: Callable[[], None] = lambda: None) -> tuple[str, str]:
    """Return the SHA-256 and the git blob id of a file; `go_on` is called for each 4 MB and may raise."""
    whole = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(4 << 20):
            go_on()
            whole.update(piece)
            blob.update(piece)
    return whole.hexdigest(), blob.hexdigest()


def _most_bytes(name: str) -> float:
    """Return how many bytes a JSON file of that name may have; no limit for what is no JSON."""
    if not name.endswith(".json"):
        return float("inf")
    return LARGEST_VOCABULARY if _vocabulary(name) else LARGEST_JSON


def _kind(most: float) -> str:
    return f"a vocabulary over {most / 1e6:.0f} MB" if most == LARGEST_VOCABULARY else f"JSON over {most / 1e6:.0f} MB"


def _vocabulary(name: str) -> bool:
    return PurePosixPath(name).name in _VOCABULARIES


def _refuse_weights(repo: str, names: Sequence[str]) -> None:
    kinds = sorted({suffix for name in names for suffix in (*PICKLES, *FOREIGN) if name.endswith(suffix)})
    if not kinds:
        return  # a tokenizer or a configuration alone may be wanted
    why = "pickle files can run code when they are opened" if set(kinds) & set(PICKLES) else "those are not loaded here"
    raise UnsafeRepo(
        f"`{repo}` holds its weights only as {', '.join(kinds)}, not as safetensors; {why}. "
        "Choose a repository with safetensors, name a revision that has them (often `refs/pr/…` on the Hub), or "
        "allow pickled weights in the definition (`pickled_weights=True`), which reviewers see."
    )


def _remote_code(data: Any) -> str:
    if isinstance(data, dict):
        for key, value in data.items():
            if key in REMOTE_CODE and value:
                return str(key)
            if found := _remote_code(value):
                return found
    elif isinstance(data, list):
        return next((found for item in data if (found := _remote_code(item))), "")
    return ""


def _check_shards(repo: str, name: str, data: Any, names: set[str]) -> None:
    shards = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(shards, dict):
        raise UnsafeRepo(f"`{repo}`: {name} has no weight map.")
    folder = PurePosixPath(name).parent
    for shard in {str(value) for value in shards.values()}:
        if "/" in shard or "\\" in shard or ".." in shard or str(folder / shard) not in names:
            raise UnsafeRepo(f"`{repo}`: {name} names the shard `{shard}`, which is not a file of the repository.")


def _check_modules(repo: str, name: str, data: Any) -> None:
    for entry in data if isinstance(data, list) else [{}]:
        kind = str(entry.get("type", "")) if isinstance(entry, dict) else ""
        if not kind.startswith("sentence_transformers."):
            raise UnsafeRepo(f"`{repo}`: {name} names the module `{kind}`, which is none of sentence-transformers.")
