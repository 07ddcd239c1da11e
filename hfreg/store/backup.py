"""Backup: everything under a home in one archive, and back.

Covers definitions with their versions and history, policies, checks, saved comparisons,
autosaves, and the calls of a SQLite database (a
database named by HFREG_DATABASE_URL is backed up with its own tools). Files are taken by name, so the
token and cached checkpoints never get into an archive. A backup may be made while the workbench runs.

    report = backup(Path("data"), Path("monday.zip"))
    restore(Path("monday.zip"), Path("elsewhere"))
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hfreg.errors import ImportFileError, StoreCorrupt, StoreError
from hfreg.store import AUTOSAVES, CHECKS, COMPARISONS, DEFINITIONS, EVENTS, POLICIES
from hfreg.store.archive import pack, refuse_name, unpack
from hfreg.store.documents import TABLES, VERSIONS, from_plain
from hfreg.store.envelope import SCHEMA, decode, encode
from hfreg.store.files import Lock, put_in_place, sync_file, sync_folder, unwritable
from hfreg.store.storage import AtomicStorage

_AUTOSAVE = re.compile(r"autosave/[0-9a-f]{32}/[0-9a-f]{32}\.json")
_CHECKS = re.compile(r"checks/[A-Za-z_]\w{0,62}\.json", re.ASCII)
_COMPARISON = re.compile(r"comparisons/[0-9A-Za-z]{8,40}\.json")
_TABLE = re.compile(r"checks/uploads/[0-9a-f]{32}/table\.[a-z]{3,7}")
_OF_EVENTS = ("", "-wal", "-shm", "-journal")
_OF_DEFINITIONS = ("", ".good")  # as of policies, which are kept the same way


@dataclass(frozen=True, slots=True)
class Report:
    """What an archive holds; `replaced` is where a restore put what was there before."""

    models: int
    versions: int
    autosaves: int
    calls: int
    replaced: Path | None = None

    def __str__(self) -> str:
        counts = [(n, name) for name, n in asdict(self).items() if name != "replaced"]
        return ", ".join(f"{n:,} {name[:-1] if n == 1 else name}" for n, name in counts)


def backup(home: Path, target: Path) -> Report:
    """Write everything under the home into a new .zip or .tar.gz that only its owner can read.

    Raises StoreError when there is nothing to back up or the target exists, StoreCorrupt when the
    definitions cannot be read.
    """
    target = target.absolute()
    refuse_name(target)
    if not _present(home):
        raise StoreError(f"There is nothing to back up in {home}. Is it the home you mean? HFREG_HOME names another.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".hfreg-backup-", dir=target.parent) as scratch:
            files, report = _gathered(home, Path(scratch))
            counts = {name: count for name, count in asdict(report).items() if name != "replaced"}
            pack(files, {"made_at": datetime.now(UTC).isoformat(), "counts": counts}, target)
    except OSError as error:
        raise error if isinstance(error, StoreError) else unwritable(target, error) from error
    return report


def restore(archive: Path, home: Path, overwrite: bool = False) -> Report:
    """Put what an archive holds under a home; everything is checked before anything is changed.

    A home that holds something is refused unless `overwrite`: then it is moved into a folder `replaced-TIME`
    there, and nothing is deleted. Raises ImportFileError for what is no whole backup, StoreError otherwise.
    """
    home = home.resolve()
    present = _present(home)
    if present and not overwrite:
        raise StoreError(
            f"{home} already holds {', '.join(present)}. Restore into another home, or say that it is to be replaced."
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".hfreg-restore-", dir=home) as scratch:
            unpack(archive, Path(scratch), _allowed)
            report = _checked(archive, Path(scratch))
            names = _prepared(Path(scratch))
            with Lock(home / f"{DEFINITIONS}.lock"):
                replaced = _set_aside(home) if present else None
                for name in names:
                    _move(Path(scratch) / name, home / name)
    except OSError as error:
        raise error if isinstance(error, StoreError) else unwritable(home, error) from error
    return Report(report.models, report.versions, report.autosaves, report.calls, replaced)


def _present(home: Path) -> list[str]:
    names = [f"{name}{end}" for name in (DEFINITIONS, POLICIES) for end in _OF_DEFINITIONS]
    names += [f"{EVENTS}{end}" for end in _OF_EVENTS]
    found = [name for name in names if (home / name).exists()]
    found += [name for name in (CHECKS, COMPARISONS) if any((home / name).glob("*.json"))]
    return found + ([AUTOSAVES] if any((home / AUTOSAVES).glob("*/*")) else [])


def _allowed(name: str) -> bool:
    known = name in {DEFINITIONS, EVENTS, POLICIES}
    return known or any(kind.fullmatch(name) for kind in (_AUTOSAVE, _CHECKS, _COMPARISON, _TABLE))


def _gathered(home: Path, scratch: Path) -> tuple[dict[str, Path], Report]:
    files: dict[str, Path] = {}
    content = AtomicStorage(home / DEFINITIONS, TABLES, {0: from_plain}).content()
    files[DEFINITIONS] = scratch / DEFINITIONS
    files[DEFINITIONS].write_bytes(encode(content.tables, content.generation, content.schema))
    kept = [home / POLICIES, *sorted((home / CHECKS).glob("*.json"))]
    for path in (path for path in kept if path.exists()):
        if _allowed(name := path.relative_to(home).as_posix()):
            held = AtomicStorage(path).content()
            files[name] = scratch / f"{len(files)}.json"
            files[name].write_bytes(encode(held.tables, held.generation, held.schema))
    copied = [*(home / CHECKS).glob("uploads/*/*"), *(home / COMPARISONS).glob("*.json")]
    copied += (home / AUTOSAVES).glob("*/*.json")
    for path in sorted(copied):
        if _allowed(name := path.relative_to(home).as_posix()):
            with suppress(FileNotFoundError):  # saved or dropped at this moment
                files[name] = Path(shutil.copyfile(path, scratch / f"{len(files)}{path.suffix}"))
    if (home / EVENTS).exists():
        files[EVENTS] = scratch / EVENTS
        _copy_database(home / EVENTS, files[EVENTS])
    return files, _counted(files)


def _checked(archive: Path, folder: Path) -> Report:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    if DEFINITIONS not in files:
        raise ImportFileError(f"{archive} holds no {DEFINITIONS}. Nothing was restored; try another archive.")
    try:
        return _counted(files)
    except (StoreCorrupt, sqlite3.Error) as error:
        raise ImportFileError(f"{archive} holds a file that cannot be read: {error}. Nothing was restored.") from error


def _counted(files: dict[str, Path]) -> Report:
    content = decode(files[DEFINITIONS].read_bytes())
    if content.schema > SCHEMA:
        raise ImportFileError(
            f"The backup is of a newer hfreg (schema {content.schema}; this one knows up to {SCHEMA}). Upgrade hfreg."
        )
    for name in files:
        if name == POLICIES or _CHECKS.fullmatch(name):
            decode(files[name].read_bytes())
    versions = content.tables.get(VERSIONS, {}).values()
    autosaves = sum(name.startswith(f"{AUTOSAVES}/") for name in files)
    calls = _calls(files[EVENTS]) if EVENTS in files else 0
    return Report(len({version["alias"] for version in versions}), len(versions), autosaves, calls)


def _copy_database(source: Path, target: Path) -> None:
    try:
        with closing(_read_only(source)) as database, closing(sqlite3.connect(target)) as copy:
            database.backup(copy)
    except sqlite3.Error as error:
        raise StoreError(
            f"The calls in {source} cannot be backed up: {error}. Move that file away to go on."
        ) from error


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _calls(path: Path) -> int:
    with closing(_read_only(path)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'calls'").fetchone()[0]:
            return 0
        return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])


def _set_aside(home: Path) -> Path:
    aside = home / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    aside.mkdir()
    for name in _present(home):
        (home / name).rename(aside / name)
    return aside


def _prepared(folder: Path) -> list[str]:
    # Whatever can fail for want of space happens here; after this there are only renames. The definitions
    # come last: whoever sees them finds the rest in place.
    shutil.copyfile(folder / DEFINITIONS, folder / f"{DEFINITIONS}.good")
    last = [f"{DEFINITIONS}.good", DEFINITIONS]
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = [*(name for name in names if _allowed(name) and name not in last), *last]
    for name in names:
        sync_file(folder / name)
    return names


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    put_in_place(source, target)
    sync_folder(target.parent)
