"""Search: models of the Hub by words, task, library, licence and size, or what the cache holds when nobody answers.

One request a search. The Hub filters and sorts; size and licence are looked at here once more, because a mirror may not
know those filters. Offline and out of reach only what is on this disk is listed, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from hfreg.errors import HubUnreachable
from hfreg.hub.cache import cached
from hfreg.hub.client import Hub
from hfreg.hub.repo import Repo, read_repo
from hfreg.hub.snapshot import cached_repo

Sort = Literal["downloads", "likes", "updated", "created"]
SORTS: tuple[Sort, ...] = get_args(Sort)
_SORTED = {"updated": "lastModified", "created": "createdAt"}
_EXPAND = (
    "cardData", "downloads", "gated", "lastModified", "library_name", "likes", "pipeline_tag", "private", "safetensors",
    "sha", "tags",
)  # fmt: skip
MOST = 100
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; an empty field asks for nothing. Sizes in parameters, `largest` 0 means any."""

    words: str = ""
    task: str = ""
    library: str = ""
    licence: str = ""
    smallest: int = 0
    largest: int = 0
    sort: Sort = "downloads"
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, best first; `online` says whether the Hub answered, `message` is what is to be said of it."""

    query: Query
    repos: tuple[Repo, ...]
    online: bool = True
    message: str = ""


def search(hub: Hub, query: Query) -> Results:
    """Look for models; raises HubError for what is wrong with the request, not for a Hub that is out of reach."""
    if hub.offline:
        return _on_disk(query, "HF_HUB_OFFLINE is set, so the Hub is not asked.")
    narrow = bool(query.smallest or query.largest or query.licence)
    asked = {
        "search": " ".join(query.words.split())[:200],
        "pipeline_tag": query.task,
        "num_parameters": _size(query),
        "sort": _SORTED.get(query.sort, query.sort),
        "limit": str(MOST if narrow else query.limit),
    }
    tags = [query.library, f"license:{query.licence}" if query.licence else ""]
    given = {name: value for name, value in asked.items() if value}
    try:
        data = hub.get("/api/models", {**given, "filter": [tag for tag in tags if tag], "expand": _EXPAND})
    except HubUnreachable as error:
        return _on_disk(query, str(error))
    repos = [read_repo(item) for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    fitting = [repo for repo in repos if repo.id and _fits(repo, query)]
    more = narrow and len(repos) >= MOST and len(fitting) < query.limit
    message = f"Looked at are the first {MOST} that the Hub names; more may fit. Add a word or a task." if more else ""
    return Results(query, tuple(fitting[: query.limit]), message=message)


def _size(query: Query) -> str:
    """Return the range as the Hub reads it, in whole billions around what is wanted."""
    low = f"min:{query.smallest // _BILLION}B" if query.smallest >= _BILLION else ""
    high = f"max:{-(-query.largest // _BILLION)}B" if query.largest else ""
    return ",".join(part for part in (low, high) if part)


def _fits(repo: Repo, query: Query) -> bool:
    if query.licence and query.licence not in repo.licences:
        return False
    if not (query.smallest or query.largest):
        return True
    return repo.parameters > 0 and query.smallest <= repo.parameters <= (query.largest or repo.parameters)


def _on_disk(query: Query, why: str) -> Results:
    words = query.words.lower().split()
    held = [one for one in cached() if one.revisions and all(word in one.repo.lower() for word in words)]
    repos = [cached_repo(one.repo, one.revisions[-1]) for one in held]
    chosen = [
        repo
        for repo in repos
        if query.task in ("", repo.task)
        and query.library in ("", repo.library)
        and query.licence in ("", *repo.licences)
    ][: query.limit]
    unlooked = " Size is not looked at." if query.smallest or query.largest else ""
    return Results(query, tuple(chosen), False, f"{why} Listed is what the cache on this disk holds.{unlooked}")
