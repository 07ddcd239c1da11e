"""Archives: named files packed into one .zip or .tar.gz with their checksums, and unpacked with distrust.

An archive holds its files and a manifest that names each with size and SHA-256. Unpacking takes regular
files of allowed names alone and compares every byte, so that nothing leaves the folder and nothing torn is
taken for whole. What the files mean is known to `hfreg.store.backup`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from hfreg.errors import ImportFileError, StoreError
from hfreg.store.files import put_in_place, sync_file, sync_folder, unwritable

MANIFEST = "hfreg-backup.json"
FORMAT = 1
_SUFFIXES = (".zip", ".tar.gz", ".tgz")
_CHUNK = 1 << 20
_MANIFEST_BYTES = 64 << 20
_UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, RuntimeError, ValueError)


def refuse_name(target: Path) -> None:
    """Raise StoreError when an archive cannot be written under this name."""
    if not target.name.lower().endswith(_SUFFIXES):
        raise StoreError(f"{target.name} names no kind of archive. End it in .zip or .tar.gz.")
    if target.exists():
        raise StoreError(f"{target} exists already and is not overwritten. Choose another name.")


def pack(files: dict[str, Path], facts: dict[str, Any], target: Path) -> None:
    """Write files under their names, and facts in the manifest, into an archive that only its owner can read."""
    known = {name: {"size": path.stat().st_size, "sha256": _digest(path)} for name, path in files.items()}
    manifest = json.dumps({"hfreg_backup": FORMAT, **facts, "files": known}, indent=1).encode()
    aside = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        aside.touch(mode=0o600)
        (_zip if target.name.lower().endswith(".zip") else _tar)(aside, files, manifest)
        sync_file(aside)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise unwritable(target, error) from error
    put_in_place(aside, target)
    sync_folder(target.parent)


def unpack(archive: Path, folder: Path, allowed: Callable[[str], bool]) -> dict[str, Any]:
    """Unpack an archive into an empty folder and return its manifest.

    Raises ImportFileError naming what is wrong: a name that is not allowed, a newer format, a torn file.
    """
    if not archive.is_file():
        raise ImportFileError(f"{archive} is no file. Name an archive that `hfreg backup` wrote.")
    digests: dict[str, str] = {}
    try:
        for name, stream in _members(archive):
            if name in digests or not (name == MANIFEST or allowed(name)):
                raise ImportFileError(f"{archive} holds {name[:80]!r}, which no backup holds. Nothing was restored.")
            digests[name] = _copy(stream, folder / name)
    except ImportFileError:
        raise
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno:  # the disk, not the archive
            raise StoreError(f"{archive} was not unpacked: {error.strerror}. Nothing was restored.") from error
        raise ImportFileError(f"{archive} cannot be read ({error}). Nothing was restored; try another one.") from error
    manifest = _manifest(archive, folder / MANIFEST)
    del digests[MANIFEST]
    if digests != {name: known.get("sha256") for name, known in manifest["files"].items()}:
        raise ImportFileError(f"{archive} is not whole: its files differ from its list. Nothing was restored.")
    return manifest


def _manifest(archive: Path, path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MANIFEST_BYTES:
            raise ValueError("its list is too long")
        manifest = json.loads(path.read_bytes())
        found, files = manifest["hfreg_backup"], manifest["files"]
        sound = isinstance(found, int) and all(isinstance(known, dict) for known in files.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise ImportFileError(f"{archive} is no backup of hfreg: it has no {MANIFEST}. Nothing was restored.")
    if found > FORMAT:
        raise ImportFileError(f"{archive} is of a newer hfreg (format {found}). Upgrade hfreg; nothing was restored.")
    return dict(manifest)


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                with packed.open(info) as stream:
                    yield info.filename, stream
        return
    with tarfile.open(archive, "r:*") as packed_tar:
        for member in packed_tar:
            contents = packed_tar.extractfile(member) if member.isfile() else None
            if contents is None:
                raise ImportFileError(
                    f"{archive} holds {member.name[:80]!r}, which is no plain file. Nothing was restored."
                )
            with contents:
                yield member.name, contents


def _copy(stream: IO[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _zip(target: Path, files: dict[str, Path], manifest: bytes) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        packed.writestr(MANIFEST, manifest)
        for name, path in files.items():
            packed.write(path, name)


def _tar(target: Path, files: dict[str, Path], manifest: bytes) -> None:
    with tarfile.open(target, "w:gz") as packed:
        about = tarfile.TarInfo(MANIFEST)
        about.size = len(manifest)
        packed.addfile(about, io.BytesIO(manifest))
        for name, path in files.items():
            packed.add(path, name, recursive=False, filter=_nobody)


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
