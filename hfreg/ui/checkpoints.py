"""Checkpoints: what downloaded models use on this disk, and deleting them; a card of Platform Integrations.

The cache is huggingface_hub's and shared with other programs. Models in memory are not its matter.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import HfregError
from hfreg.hub import cache
from hfreg.hub.cache import CachedRepo
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import empty, plain, size

SHOWN = 10
ASKED, SAID, PROBLEM, EVERYTHING = (f"checkpoints.{name}" for name in ("asked", "said", "problem", "everything"))


def card(registry: Registry) -> None:
    """Draw the cached checkpoints, the largest first, each with a way to delete it."""
    with st.container(border=True, key="checkpoints"):
        st.subheader("Checkpoints on this disk", anchor=False)
        _messages()
        try:
            repos = cache.cached()
        except (HfregError, OSError) as error:
            st.error(f"The cache cannot be read. {sentence(str(error))}")
            return
        if not repos:
            empty("Nothing is downloaded yet. A model of the Hub is downloaded when it is loaded for the first time.")
            return
        total = sum(repo.bytes for repo in repos)
        many = "One model" if len(repos) == 1 else f"{len(repos)} models"
        st.caption(f"{many}, {size(total)}, in the cache of huggingface_hub, which other programs share.")
        users = _users(registry)
        for repo in repos if session.get(EVERYTHING) else repos[:SHOWN]:
            _row(repo, users.get(repo.repo, ()))
        if len(repos) > SHOWN:
            st.toggle(f"Show all {len(repos)}", key=EVERYTHING)


def _row(repo: CachedRepo, users: tuple[str, ...]) -> None:
    key = f"checkpoints.{repo.repo}"
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        read = f"{repo.last_used:%d %b %Y}"
        commits = ", ".join(f"`{commit[:7]}`" for commit in repo.revisions) or "no complete commit"
        used = f" · used by {', '.join(f'`{alias}`' for alias in users)}" if users else ""
        st.markdown(
            f"**{plain(repo.repo)}**  \n:small[{size(repo.bytes)} · {commits} · last read {read}{used}]",
            width="stretch",
        )
        st.button("Delete", key=f"{key}.delete", on_click=session.put, args=[ASKED, repo.repo])
    if session.get(ASKED) == repo.repo:
        _confirm(repo, users)


def _confirm(repo: CachedRepo, users: tuple[str, ...]) -> None:
    again = "The same commit is downloaded again at the next load." if users else "No registered model is pinned to it."
    with st.container(border=True, key="checkpoints.confirm"):
        st.markdown(f"Delete {plain(repo.repo)} from this disk and free {size(repo.bytes)}? {again}")
        with st.container(horizontal=True):
            st.button("Delete it", key="checkpoints.yes", type="primary", on_click=_delete, args=[repo.repo])
            st.button("Keep it", key="checkpoints.no", on_click=session.drop, args=[ASKED])


def _delete(repo: str) -> None:
    session.drop(ASKED, SAID, PROBLEM)
    try:
        freed = cache.delete(repo)
    except (HfregError, OSError) as error:
        session.put(PROBLEM, f"{repo} could not be deleted: {error}")
        return
    session.put(SAID, f"{repo} is deleted; {size(freed)} are free again.")


def _messages() -> None:
    if said := session.get(SAID):
        st.success(plain(said), icon=":material/check:")
    if problem := session.get(PROBLEM):
        st.error(sentence(problem))


def _users(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return which models have a version that is pinned to each repository."""
    found: dict[str, set[str]] = {}
    for alias in registry.definitions.aliases():
        for pin in (pin for version in registry.versions(alias) for pin in version.pins):
            found.setdefault(pin.repo, set()).add(alias)
    return {repo: tuple(sorted(aliases)) for repo, aliases in found.items()}
