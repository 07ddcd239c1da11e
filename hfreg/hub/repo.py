"""Repo: what the Hub says of one model repository, as frozen data read from its JSON.

Covers the answers of model info and of search, and the security status. A field that the Hub does not send, or sends
in another shape, is empty: nothing is guessed. Asking is the matter of `hfreg.hub.client`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hfreg.hub.files import RepoFile
from hfreg.licences import licence_ids

CHAT_FILES = ("chat_template.jinja", "chat_template.json")
Scan = Literal["unknown", "not finished", "no issues found", "issues found"]


@dataclass(frozen=True, slots=True)
class Security:
    """What the Hub's scanners said; what they did not say is `unknown`, which is not `safe`."""

    scan: Scan = "unknown"
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repo:
    """One repository of the Hub at one commit; sizes in bytes, 0 or empty where the Hub says nothing.

    `licences` are the ids of its card, `licence` the same in a line; `dtypes` counts parameters by type of number;
    `gate` is how access is granted (`auto`, `manual`); `remote_code` is whether it wants to run code of its own,
    `conversational` whether its tokenizer has a chat template.
    """

    id: str
    commit: str = ""
    private: bool = False
    gated: bool = False
    gate: str = ""
    disabled: bool = False
    task: str = ""
    library: str = ""
    licences: tuple[str, ...] = ()
    licence_name: str = ""
    licence_link: str = ""
    tags: tuple[str, ...] = ()
    downloads: int = 0
    likes: int = 0
    parameters: int = 0
    dtypes: tuple[tuple[str, int], ...] = ()
    files: tuple[RepoFile, ...] = ()
    updated: datetime | None = None
    base_models: tuple[str, ...] = ()
    base_relation: str = ""
    model_type: str = ""
    architectures: tuple[str, ...] = ()
    remote_code: bool = False
    conversational: bool = False

    @property
    def licence(self) -> str:
        """The licence ids in a line, empty where the card names none."""
        return ", ".join(self.licences)


def read_repo(data: Mapping[str, Any]) -> Repo:
    """Read one repository from the Hub's JSON; never raises for what is missing or of another shape."""
    card, tensors, config = (_mapping(data.get(name)) for name in ("cardData", "safetensors", "config"))
    tags = _texts(data.get("tags"))
    return Repo(
        id=str(data.get("id") or data.get("modelId") or ""),
        commit=str(data.get("sha") or ""),
        private=bool(data.get("private")),
        gated=bool(data.get("gated")),
        gate=data["gated"] if isinstance(data.get("gated"), str) else "",
        disabled=bool(data.get("disabled")),
        task=_text(data.get("pipeline_tag") or card.get("pipeline_tag")),
        library=_text(data.get("library_name") or card.get("library_name")),
        licences=licence_ids(card.get("license")) or licence_ids(_tagged(tags, "license:")),
        licence_name=_text(card.get("license_name")),
        licence_link=_text(card.get("license_link")),
        tags=tags,
        downloads=_count(data.get("downloads")),
        likes=_count(data.get("likes")),
        parameters=_count(tensors.get("total")),
        dtypes=tuple((str(k), _count(v)) for k, v in _mapping(tensors.get("parameters")).items()),
        files=tuple(RepoFile.from_hub(item) for item in _items(data.get("siblings"))),
        updated=read_moment(data.get("lastModified")),
        base_models=_bases(card.get("base_model"), tags),
        base_relation=_text(card.get("base_model_relation")),
        model_type=_text(config.get("model_type")),
        architectures=_texts(config.get("architectures")),
        remote_code=bool(config.get("auto_map")) or "custom_code" in tags,
        conversational=_converses(tags, config, _items(data.get("siblings"))),
    )


def read_security(data: Any) -> Security:
    """Read the security status from an answer that was asked for it; what is absent is unknown."""
    status = _mapping(_mapping(data).get("securityRepoStatus"))
    files = tuple(_text(item.get("path")) for item in _items(status.get("filesWithIssues")))
    if files:
        return Security("issues found", files)
    if "scansDone" not in status:
        return Security()
    clean = status["scansDone"] is True and status.get("filesWithIssues") == []
    return Security("no issues found" if clean else "not finished")


def _converses(tags: tuple[str, ...], config: Mapping[str, Any], siblings: list[Mapping[str, Any]]) -> bool:
    named = bool(_mapping(config.get("tokenizer_config")).get("chat_template"))
    apart = any(item.get("rfilename") in CHAT_FILES for item in siblings)
    return named or apart or "conversational" in tags


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip()[:500] if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item.strip()[:500] for item in items if isinstance(item, str) and item.strip())


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e18 else 0


def _tagged(tags: tuple[str, ...], prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)]


def _bases(value: Any, tags: tuple[str, ...]) -> tuple[str, ...]:
    named = _texts(value)
    tagged = [tag.rpartition(":")[2] for tag in tags if tag.startswith("base_model:")]
    return tuple(dict.fromkeys(named or tagged))[:8]


def read_moment(value: Any) -> datetime | None:
    """Read a moment as the Hub writes it; None for anything else."""
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except ValueError:
        return None
