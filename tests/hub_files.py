"""Files as the loopback Hub serves and lists them, and small repositories to serve."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

LARGE = (".safetensors", ".bin", ".onnx", ".h5", ".model")


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the contents of a folder by relative name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def blob_id(data: bytes) -> str:
    """Return the git blob id of a content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def etag(name: str, data: bytes) -> str:
    """Return the ETag: SHA-256 of large files, git blob id of small ones."""
    return hashlib.sha256(data).hexdigest() if name.endswith(LARGE) else blob_id(data)


def sibling(name: str, data: bytes) -> dict[str, Any]:
    """Return a file as model info lists it with `blobs=true`."""
    about: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob_id(data)}
    if name.endswith(LARGE):
        about["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return about


def tree_entry(name: str, data: bytes) -> dict[str, Any]:
    """Return a file as the tree lists it."""
    about: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": blob_id(data)}
    if name.endswith(LARGE):
        about["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return about


def safetensors(size: int = 1000, seed: int = 0) -> bytes:
    """Return a valid safetensors file with one tensor of that many bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    block = hashlib.sha256(str(seed).encode()).digest()
    return len(header).to_bytes(8, "little") + header + (block * (size // len(block) + 1))[:size]


def plain_repo(size: int = 1000, seed: int = 0) -> dict[str, bytes]:
    """Return the files of a small repository: config, tokenizer, weights, card, and code that is never fetched."""
    return {
        "config.json": b'{"model_type": "bert"}',
        "tokenizer.json": b'{"version": "1.0"}',
        "model.safetensors": safetensors(size, seed),
        "README.md": b"# A model\n",
        "modeling_it.py": b"raise SystemExit\n",
    }
