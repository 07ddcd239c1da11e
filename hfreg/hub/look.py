"""Look: one repository of the Hub as governance sees it before it is used, in two steps.

`look` asks at most three times (repository, card, configuration) and is enough to draw the view; `details` follows with
the base models, the scans, access, the tokenizer and the shards. Both only read: nothing is downloaded to the cache and
nothing is pinned. Offline `look` tells what the cache holds. Filling a form is the matter of `hfreg.from_repository`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from hfreg.errors import HfregError, HubError, HubUnreachable, NotCached, RepoNotFound, UnsafeRepo
from hfreg.hub.access import Access, check_access, looks_like_token, repo_id
from hfreg.hub.client import Hub, check_id, find_cached_commit
from hfreg.hub.files import PICKLES, RepoFile, inspect_text, select
from hfreg.hub.repo import Repo, Security, read_security
from hfreg.hub.snapshot import cached_repo, snapshot_folder

DEEPEST, MOST_BASES = 4, 8
NO_LIMIT = 1_000_000
"""Tokenizers without a limit say a number beyond this one."""
_REVISION = re.compile(r"/(?:tree|blob|commit)/([^/?#]+)")


@dataclass(frozen=True, slots=True)
class Look:
    """What the first step found; `problems` are reasons why it cannot be loaded here, each a sentence.

    `weights` are the files that would be loaded; `positions` is the longest input of the architecture, None where the
    configuration does not say it; `online` says whether the Hub answered.
    """

    repo: Repo
    readme: str = ""
    readme_problem: str = ""
    weights: tuple[RepoFile, ...] = ()
    positions: int | None = None
    problems: tuple[str, ...] = ()
    online: bool = True
    message: str = ""

    @property
    def weight_bytes(self) -> int:
        """The bytes of the weights that would be loaded."""
        return sum(file.size for file in self.weights)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of its weights: `safetensors`, and those that are not loaded here."""
        names = [file.name for file in self.repo.files]
        other = sorted({suffix for suffix in PICKLES for name in names if name.endswith(suffix)})
        return (*(("safetensors",) if any(n.endswith(".safetensors") for n in names) else ()), *other)


@dataclass(frozen=True, slots=True)
class Base:
    """One model that another was made from; `problem` says why nothing more is known of it."""

    id: str
    depth: int
    licences: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What the second step found; `longest` is what the tokenizer cuts at, None where it says nothing."""

    bases: tuple[Base, ...] = ()
    security: Security = field(default_factory=Security)
    access: Access | None = None
    longest: int | None = None
    problems: tuple[str, ...] = ()


def look(hub: Hub, text: str, known: Container[str] | None = None) -> Look:
    """Look at a repo id or the address of its page; `known` are the model types that can be loaded, None if unclear.

    Raises HubError for what is no repo id, is missing, or may not be seen.
    """
    if looks_like_token(text):
        raise RepoNotFound("This looks like a token, so nothing was sent. Give a repo id, such as `owner/name`.")
    repo, found = repo_id(text, hub.endpoint), _REVISION.search(text)
    revision = unquote(found[1]) if found and "://" in text else None
    if not repo or repo.partition("/")[0] in {"datasets", "spaces"}:
        raise RepoNotFound("Give the repo id of a model, such as `owner/name`, or the address of its page.")
    check_id(repo)
    if hub.offline:
        return _from_disk(repo, revision, known, "HF_HUB_OFFLINE is set, so the Hub is not asked.", None)
    try:
        info = hub.info(repo, revision)
    except HubUnreachable as error:
        return _from_disk(repo, revision, known, str(error), error)
    with ThreadPoolExecutor(2, "look") as pool:
        card = pool.submit(_read, hub, info, "README.md")
        config = pool.submit(_read, hub, info, "config.json")
        return _looked(info, card.result(), config.result(), known)


def details(hub: Hub, found: Look) -> Details:
    """Ask for what the view can be drawn without; never raises for what the Hub says."""
    if not found.online:
        return Details(longest=_longest(_on_disk(found.repo, "tokenizer_config.json")), problems=())
    repo = found.repo
    with ThreadPoolExecutor(4, "details") as pool:
        bases = pool.submit(_bases, hub, repo)
        scan = pool.submit(_security, hub, repo)
        access = pool.submit(check_access, hub, repo.id)
        tokenizer = pool.submit(_read, hub, repo, "tokenizer_config.json")
        problems = _shard_problems(hub, found)
        return Details(bases.result(), scan.result(), access.result(), _longest(tokenizer.result()[0]), problems)


def _looked(info: Repo, card: tuple[str, str], config: tuple[str, str], known: Container[str] | None) -> Look:
    names = [file.name for file in info.files]
    problems: list[str] = [config[1]] if config[1] and "not be read" not in config[1] else []
    said: Any = {}
    weights: tuple[RepoFile, ...] = ()
    try:
        chosen = select(info.id, info.files)
        weights = tuple(file for file in chosen if file.name.endswith(".safetensors"))
        if not weights:
            problems.append(f"`{info.id}` holds no weights that could be loaded here.")
    except UnsafeRepo as error:
        problems.append(str(error))
    try:
        said = inspect_text(info.id, "config.json", config[0], names) if config[0] else {}
    except UnsafeRepo as error:
        problems.append(str(error))
    said = said if isinstance(said, dict) else {}
    kind = str(said.get("model_type") or info.model_type)
    if kind and known is not None and kind not in known:
        problems.append(f"`{info.id}` is of the architecture `{kind[:80]}`, which the installed transformers lacks.")
    if info.disabled:
        problems.append(f"`{info.id}` was disabled by the Hub.")
    return Look(info, card[0], card[1], weights, _positions(said), tuple(dict.fromkeys(problems)))


def _from_disk(repo: str, revision: str | None, known: Container[str] | None, why: str, error: HubError | None) -> Look:
    commit = revision if revision and snapshot_folder(repo, revision).is_dir() else find_cached_commit(repo, revision)
    if not commit or not snapshot_folder(repo, commit).is_dir():
        raise error or NotCached(f"{why} `{repo}` is not in the cache on this disk.")
    info = cached_repo(repo, commit)
    found = _looked(info, (_on_disk(info, "README.md"), ""), (_on_disk(info, "config.json"), ""), known)
    message = f"{why} This is what the cache on this disk holds; scans, likes and access are not known."
    return Look(info, found.readme, "", found.weights, found.positions, found.problems, False, message)


def _on_disk(repo: Repo, name: str) -> str:
    path = snapshot_folder(repo.id, repo.commit) / name
    try:
        return path.read_text("utf-8", "replace") if path.stat().st_size <= 5_000_000 else ""
    except OSError:
        return ""


def _read(hub: Hub, repo: Repo, name: str) -> tuple[str, str]:
    """Return the text of a file, or why there is none; a file that is not listed is not asked for."""
    listed = next((file for file in repo.files if file.name == name), None)
    if listed is None:
        return "", ""
    if listed.size > 5_000_000:
        return "", f"`{repo.id}`: {name} has {listed.size:,} bytes and is not read."
    try:
        return hub.read(repo.id, repo.commit, name).decode("utf-8", "replace"), ""
    except UnsafeRepo as error:
        return "", str(error)
    except HfregError as error:
        return "", f"{name} could not be read: {error}"


def _shard_problems(hub: Hub, found: Look) -> tuple[str, ...]:
    names = [file.name for file in found.repo.files]
    problems = []
    for name in [n for n in names if n.endswith(".safetensors.index.json") or n == "modules.json"][:4]:
        text, problem = _read(hub, found.repo, name)
        if problem and found.repo.gated:
            continue  # access says it already
        try:
            if not problem:
                inspect_text(found.repo.id, name, text, names)
        except UnsafeRepo as error:
            problem = str(error)
        problems += [problem] if problem else []
    return tuple(problems)


def _security(hub: Hub, repo: Repo) -> Security:
    try:
        asked = {"securityStatus": "true"}
        return read_security(hub.get(f"/api/models/{repo.id}/revision/{repo.commit}", asked, repo.id))
    except HfregError:
        return Security()


def _bases(hub: Hub, repo: Repo) -> tuple[Base, ...]:
    """Follow the base models, nearest first, without going in circles."""
    seen = {repo.id}
    found: list[Base] = []
    wanted = [(base, 1) for base in repo.base_models]
    while wanted and len(found) < MOST_BASES:
        name, depth = wanted.pop(0)
        if name in seen:
            continue
        seen.add(name)
        try:
            check_id(name)
            info = hub.info(name)
        except HfregError as error:
            found.append(Base(name, depth, problem=str(error)))
            continue
        found.append(Base(name, depth, info.licences))
        wanted += [(base, depth + 1) for base in info.base_models] if depth < DEEPEST else []
    return tuple(found)


def _positions(config: dict[str, Any]) -> int | None:
    for part in (config, config.get("text_config")):
        for name in ("max_position_embeddings", "n_positions", "max_sequence_length"):
            if isinstance(part, dict) and isinstance(value := part.get(name), int) and 0 < value < NO_LIMIT:
                return value
    return None


def _longest(text: str) -> int | None:
    try:
        value = json.loads(text).get("model_max_length") if text else None
    except (ValueError, AttributeError, RecursionError):
        return None
    return int(value) if isinstance(value, int | float) and 0 < value < NO_LIMIT else None
