"""What the loopback Hub says of a repository, made from its files as the real Hub makes it, and its search.

The card's front matter becomes `cardData` and tags, the header of the weights `safetensors`.
`securityRepoStatus` comes only where it was asked for and set; the real Hub is not done with every repository either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from hub_files import sibling

SIZES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "U8": 1, "I8": 1}
SORTS = {"downloads", "likes", "lastModified", "createdAt"}


def about(
    repo: str, commit: str, files: Mapping[str, bytes], said: Mapping[str, Any], gate: str, private: bool, blobs: bool
) -> dict[str, Any]:
    """Return model info; what `said` gives wins over what the files say."""
    siblings: list[dict[str, Any]] = [{"rfilename": name} for name in sorted(files)]
    if blobs:
        siblings = [sibling(name, data) for name, data in sorted(files.items())]
    card = said.get("cardData", _front_matter(files.get("README.md", b"")))
    config, tensors = _config(files), _tensors(files)
    library = str(card.get("library_name") or "transformers")
    base = {
        "id": repo, "modelId": repo, "sha": commit, "private": private, "gated": gate or False, "disabled": False,
        "downloads": 0, "likes": 0, "lastModified": "2026-01-02T03:04:05.000Z", "createdAt": "2025-01-02T03:04:05.000Z",
        "library_name": library, "tags": [library, *_tags(files, card, config)], "siblings": siblings,
    }  # fmt: skip
    made = {"cardData": card, "config": config, "safetensors": tensors, "pipeline_tag": card.get("pipeline_tag")}
    base |= {name: value for name, value in made.items() if value}
    return base | {name: value for name, value in said.items() if name != "securityRepoStatus"}


def matches(found: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    """Say whether a repository fits a search."""
    tags = {*found["tags"], found.get("pipeline_tag"), found.get("library_name")}
    total = (found.get("safetensors") or {}).get("total", 0)
    bounds = dict(part.split(":") for part in query.get("num_parameters", [""])[0].split(",") if part)
    low, high = (_number(bounds.get(name)) for name in ("min", "max"))
    return (
        query.get("search", [""])[0].lower() in found["id"].lower()
        and query.get("pipeline_tag", [found.get("pipeline_tag")])[0] == found.get("pipeline_tag")
        and all(tag in tags for tag in query.get("filter", []))
        and (not bounds or (total > 0 and (low or 0) <= total <= (high or total)))
    )


def expanded(found: Mapping[str, Any], wanted: list[str]) -> Mapping[str, Any]:
    """Return only what was asked for, besides the ids, when anything was."""
    return {name: found[name] for name in ("id", "modelId", *wanted) if name in found} if wanted else found


def _number(text: str | None) -> int | None:
    return int(float(text.rstrip("BM")) * {"B": 1e9, "M": 1e6}.get(text[-1:], 1)) if text else None


def _front_matter(readme: bytes) -> dict[str, Any]:
    match = re.match(rb"---\n(.*?)\n---", readme, re.S)
    found = yaml.safe_load(match[1]) if match else {}
    return found if isinstance(found, dict) else {}


def _config(files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        config = json.loads(files.get("config.json", b"{}"))
    except ValueError:
        return {}
    kept = ("architectures", "model_type", "auto_map")
    found = {name: config[name] for name in kept if name in config} if isinstance(config, dict) else {}
    if template := json.loads(files.get("tokenizer_config.json", b"{}")).get("chat_template"):
        found["tokenizer_config"] = {"chat_template": template}
    return found


def _tensors(files: Mapping[str, bytes]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for name, data in files.items():
        length = int.from_bytes(data[:8], "little")
        if name.endswith(".safetensors") and 2 <= length <= len(data):
            try:
                header = json.loads(data[8 : 8 + length])
            except ValueError:
                continue
            for tensor, entry in header.items():
                if tensor != "__metadata__":
                    begin, end = entry["data_offsets"]
                    size = SIZES.get(entry["dtype"], 8)
                    counts[entry["dtype"]] = counts.get(entry["dtype"], 0) + (end - begin) // size
    return {"parameters": counts, "total": sum(counts.values())} if counts else {}


def _tags(files: Mapping[str, bytes], card: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    tags = ["safetensors"] if any(name.endswith(".safetensors") for name in files) else []
    tags += [str(config["model_type"])] if "model_type" in config else []
    tags += ["custom_code"] if "auto_map" in config else []
    if isinstance(card.get("license"), str):
        tags.append(f"license:{card['license']}")
    bases = card.get("base_model")
    return tags + [f"base_model:{base}" for base in (bases if isinstance(bases, list) else [bases]) if base]
