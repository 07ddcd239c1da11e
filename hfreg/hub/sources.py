"""Sources: what a repository is at a commit, as a record that stands beside a version; and whether files are still it.

Covers what the Hub says (files with size and hash, licences, access, security status), what only this disk says, and
checkpoints shipped with the product. A record is made once and never changed; who keeps it is
`hfreg.store.definitions`. That files are the registered ones says nothing about whether the model is any good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote

from hfreg.errors import RevisionNotFound, UnsafeRepo
from hfreg.hub.card import front_matter
from hfreg.hub.client import COMMIT, Hub, check_id
from hfreg.hub.files import RepoFile, allowed
from hfreg.hub.hashes import Hashes
from hfreg.hub.repo import read_repo, read_security
from hfreg.licences import licence_ids
from hfreg.version import Source, SourceFile

LIBRARIES = ("transformers", "torch", "tokenizers", "safetensors", "sentence-transformers", "huggingface_hub")
MOST_FILES = 2_000


@cache
def libraries() -> dict[str, str]:
    """Return the installed versions of what loads and runs models; imports none of it."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(hub: Hub, repo: str, revision: str | None) -> Source:
    """Ask the Hub, once, what a repository is at a revision (None: the default branch); raises HubError."""
    check_id(repo)
    path = f"/api/models/{repo}" + (f"/revision/{quote(revision, safe='')}" if revision else "")
    data = hub.get(path, {"blobs": "true", "securityStatus": "true"}, repo, revision)
    said = read_repo(data if isinstance(data, dict) else {})
    if not COMMIT.fullmatch(said.commit):
        raise RevisionNotFound(f"The Hub names no commit for `{repo}`; it may be empty.")
    security = read_security(data)
    files = sorted(said.files, key=lambda file: (not allowed(file.name, pickles=True), file.name))[:MOST_FILES]
    return Source(
        repo=repo,
        revision=revision,
        commit=said.commit,
        at=datetime.now(UTC),
        said_by="hub",
        files=tuple(map(_listed, files)),
        complete=len(files) == len(said.files),
        licences=said.licences,
        gated=said.gated,
        private=said.private,
        scan=security.scan,
        scanned=security.files[:MOST_FILES],
        libraries=libraries(),
    )


def from_disk(
    repo: str, revision: str | None, commit: str, folder: Path, hashes: Hashes, pickles: bool = False
) -> Source:
    """Return what this disk says of a repository: the files that a library would load, with their SHA-256."""
    found = [(name, hashes.of(path)) for name, path in loadable(folder, pickles)]
    return Source(
        repo=repo,
        revision=revision,
        commit=commit,
        at=datetime.now(UTC),
        said_by="disk" if COMMIT.fullmatch(commit) else "hfreg",
        files=tuple(SourceFile(name=name, size=hashed.size, sha256=hashed.sha256) for name, hashed in found),
        licences=licence_ids(dict(front_matter(folder)).get("license")),
        libraries=libraries(),
    )


def loadable(folder: Path, pickles: bool = False) -> Iterator[tuple[str, Path]]:
    """Yield name and path of the files in a folder that a library would load; the card is none of them."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if allowed(name, pickles) and path.suffix != ".md" and path.is_file():
            yield name, path


def require_registered(known: Iterable[Source], folder: Path, hashes: Hashes, pickles: bool = False) -> None:
    """Raise UnsafeRepo when a file that would be loaded is not the registered one, or none of the commit.

    Files are compared with every record there is; a file that no record lists passes only where none is complete.
    """
    records = list(known)
    if not records:
        return
    complete = any(source.complete for source in records)
    registered: dict[str, list[SourceFile]] = {}
    for source in records:
        for file in source.files:
            registered.setdefault(file.name, []).append(file)
    for name, path in loadable(folder, pickles):
        wanted = registered.get(name, ())
        if not wanted and complete:
            raise UnsafeRepo(_foreign(records[0], name))
        for file in wanted:
            found = hashes.of(path)
            if file.sha256 and file.sha256 != found.sha256:
                raise UnsafeRepo(_differs(records[0], name, "SHA-256", file.sha256, found.sha256))
            if not file.sha256 and file.blob and file.blob != found.blob:
                raise UnsafeRepo(_differs(records[0], name, "git id", file.blob, found.blob))


def _listed(file: RepoFile) -> SourceFile:
    # The blob id of a large file is that of a pointer to it, which no file on a disk has.
    return SourceFile(name=file.name, size=file.size, sha256=file.sha256, blob="" if file.sha256 else file.blob)


def _differs(source: Source, name: str, what: str, wanted: str, found: str) -> str:
    return (
        f"`{source.repo}`: {name} on this disk is not the file that was registered ({what} {wanted[:12]}… then, "
        f"{found[:12]}… now), so it is not loaded. {_way_out(source)}"
    )


def _foreign(source: Source, name: str) -> str:
    return (
        f"`{source.repo}`: {name} on this disk is no file of the registered commit {source.commit[:12]}, so nothing of "
        f"it is loaded. {_way_out(source)}"
    )


def _way_out(source: Source) -> str:
    if source.said_by == "hfreg":
        return "Restore the folder, or delete the Draft and register it anew."
    return (
        f"Delete the cached model (Platform Integrations, or `python -m hfreg cache --delete {source.repo}`); the "
        "registered commit is then fetched anew."
    )
