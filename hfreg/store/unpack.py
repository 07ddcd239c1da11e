"""Unpack: what may be in an uploaded model folder, and how it is copied out of a zip or a folder of this machine.

Names, kinds and sizes are judged before anything is written, and sizes again by the bytes that really come. A file that
a library would run as code, a pickle (unless allowed), an archive inside and a link are refused. What the files mean to
a library (configurations, tensors) is judged by others.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from hfreg.errors import UnsafeFolder

MAX_BYTES = 20 * 1024**3
MAX_FILES = 5_000
MAX_DEPTH = 8
MAX_NAME = 200
MAX_RATIO = 200
"""How many times its size in the archive a file may have, beyond `SMALL` bytes: weights hardly shrink at all."""
SMALL = 10 * 1024**2
PIECE = 1 << 20
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy")
CODE = (".py", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".ps1", ".jar", ".whl")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".npz", ".keras", ".lz4")
HEADS = {
    b"PK\x03\x04": "an archive", b"PK\x05\x06": "an archive", b"\x1f\x8b": "an archive", b"BZh": "an archive",
    b"\xfd7zXZ": "an archive", b"7z\xbc\xaf": "an archive", b"Rar!": "an archive", b"(\xb5/\xfd": "an archive",
    b"\x7fELF": "a program", b"MZ": "a program", b"\xcf\xfa\xed\xfe": "a program", b"#!": "a script",
}  # fmt: skip
"""What the first bytes of a file say that it is."""
_LITTER = ("__MACOSX/",)
_LITTER_NAMES = (".DS_Store", "Thumbs.db", "desktop.ini")

Progress = Callable[[int, int], None]


class Item(NamedTuple):
    """One file to be taken: its name in the folder, its bytes as declared, how to open it."""

    name: str
    size: int
    packed: int
    open: Callable[[], IO[bytes]]


class Taken(NamedTuple):
    """One file that was taken."""

    name: str
    size: int
    sha256: str
    pickle: bool


def items_of_zip(archive: zipfile.ZipFile) -> list[Item]:
    """List the files of a zip; raises UnsafeFolder for an entry that no folder may have."""
    found = []
    for entry in archive.infolist():
        name = entry.orig_filename  # as it is written: `filename` has lost what stands behind a zero byte
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or _is_litter(name):
            continue
        if stat.S_ISLNK(kind):
            raise UnsafeFolder(f"`{_shown(name)}` is a link. Put the file itself into the archive.")
        if kind not in {0, stat.S_IFREG}:
            raise UnsafeFolder(f"`{_shown(name)}` is no plain file.")
        if entry.flag_bits & 0x1:
            raise UnsafeFolder(f"`{_shown(name)}` is encrypted. Upload the archive without a password.")
        found.append(Item(name, entry.file_size, entry.compress_size, lambda entry=entry: archive.open(entry)))  # type: ignore[misc]
    return _without_top(found)


def items_of_folder(folder: Path) -> list[Item]:
    """List the files of a folder of this machine; raises UnsafeFolder for a link or what is no file."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_unread):
        for name in [*folders, *names]:
            path = Path(place) / name
            kind = path.lstat().st_mode
            if stat.S_ISLNK(kind):
                raise UnsafeFolder(
                    f"`{_shown(str(path.relative_to(folder)))}` is a link. Copy the folder with `cp -rL`."
                )
            if stat.S_ISDIR(kind) or _is_litter(name):
                continue
            if not stat.S_ISREG(kind):
                raise UnsafeFolder(f"`{_shown(str(path.relative_to(folder)))}` is no plain file.")
            size = path.stat().st_size
            found.append(Item(path.relative_to(folder).as_posix(), size, size, lambda path=path: _opened(path)))  # type: ignore[misc]
        if len(found) > MAX_FILES:
            break
    return found


def take(items: list[Item], target: Path, pickles: bool, progress: Progress) -> list[Taken]:
    """Copy the files into a folder, and return them by name; raises UnsafeFolder for the first that may not be.

    A file that is there already is whole, from an intake that was stopped: it is read in place of its source. `pickles`
    allows pickled weights. `progress` hears of bytes done and in all, and may raise to stop.
    """
    _judge(items, pickles)
    total = sum(item.size for item in items)
    missing = sum(item.size for item in items if not (target / item.name).is_file())
    if missing > shutil.disk_usage(target).free:
        raise UnsafeFolder(f"The folder has {_bytes(missing)}, and there is less free on the disk of the home.")
    done, taken = 0, []
    for item in sorted(items, key=lambda item: item.name):
        copied = _copy(item, target / item.name, pickles, lambda count, before=done: progress(before + count, total))  # type: ignore[misc]
        done += copied.size
        taken.append(copied)
    progress(total, total)
    return taken


def _judge(items: list[Item], pickles: bool) -> None:
    if not items:
        raise UnsafeFolder("There is no file in it.")
    judge_together([(item.name, item.size) for item in items])
    for item in items:
        _judge_name(item.name, pickles)
        if item.size > SMALL and item.size > MAX_RATIO * max(1, item.packed):
            raise UnsafeFolder(f"`{_shown(item.name)}` would unpack to {_bytes(item.size)}, too many times its size.")


def judge_together(files: list[tuple[str, int]]) -> None:
    """Raise UnsafeFolder for names and sizes that no one folder may have; files are given as name and bytes."""
    if len(files) > MAX_FILES:
        raise UnsafeFolder(f"It has more than {MAX_FILES:,} files.")
    if (total := sum(size for _, size in files)) > MAX_BYTES:
        raise UnsafeFolder(f"It has {_bytes(total)}; at most {_bytes(MAX_BYTES)} are taken.")
    seen: dict[str, str] = {}
    for name, _ in files:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            raise UnsafeFolder(f"`{_shown(name)}` and `{_shown(seen[key])}` are one name where case is no difference.")
        seen[key] = name
    for name in seen.values():
        parents = {str(parent) for parent in Path(name).parents}
        if clash := parents & set(seen.values()):
            raise UnsafeFolder(f"`{_shown(min(clash))}` is a file and a folder at once.")


def refuse_pickles(names: Iterable[str]) -> None:
    """Raise UnsafeFolder for the first of these pickled files."""
    for name in names:
        raise UnsafeFolder(_pickled(name))


def _judge_name(name: str, pickles: bool) -> None:
    parts, lower = name.split("/"), name.lower()
    if name.startswith("/") or "\\" in name or ":" in parts[0] or any(part in {"", ".", ".."} for part in parts):
        raise UnsafeFolder(f"`{_shown(name)}` leads out of the folder, or is no name that every system has.")
    if not name.isprintable() or any("\ud800" <= c <= "\udfff" for c in name):
        raise UnsafeFolder(f"`{_shown(name)}` has a character that no name of a file may have.")
    if len(parts) > MAX_DEPTH or any(len(part.encode()) > MAX_NAME for part in parts):
        raise UnsafeFolder(f"`{_shown(name)}` is too long, or lies too deep (at most {MAX_DEPTH} folders).")
    if any(part.startswith(".") for part in parts):
        raise UnsafeFolder(f"`{_shown(name)}` is hidden. Leave out what does not belong to the model.")
    if lower.endswith(PICKLES):
        if not pickles:
            raise UnsafeFolder(_pickled(name))
    elif lower.endswith(CODE):
        raise UnsafeFolder(f"`{_shown(name)}` is code. Put it into Initialization Logic, where reviewers read it.")
    elif lower.endswith(ARCHIVES):
        raise UnsafeFolder(f"`{_shown(name)}` is an archive inside. Unpack it first.")


def _copy(item: Item, target: Path, pickles: bool, progress: Callable[[int], None]) -> Taken:
    target.parent.mkdir(parents=True, exist_ok=True)
    whole, size, head = hashlib.sha256(), 0, b""
    there = target.is_file()
    aside = target.with_name(f".{target.name}")  # a hidden name, which no file of a folder has
    try:
        with (
            target.open("rb") if there else item.open() as source,
            nullcontext() if there else aside.open("wb") as file,
        ):
            while piece := source.read(PIECE):
                head = head or piece[:16]
                size += len(piece)
                if size > item.size:
                    raise UnsafeFolder(f"`{_shown(item.name)}` has more bytes than the archive says.")
                whole.update(piece)
                if file:
                    file.write(piece)
                progress(size)
            if file:
                file.flush()
                os.fsync(file.fileno())
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise UnsafeFolder(f"`{_shown(item.name)}` cannot be unpacked: {str(error)[:100]}.") from None
    if size != item.size:
        raise UnsafeFolder(f"`{_shown(item.name)}` has fewer bytes than the archive says.")
    if not there:
        aside.replace(target)
    if item.name.lower().endswith(".safetensors"):  # begins with a number, which may look like anything
        return Taken(item.name, size, whole.hexdigest(), False)
    pickled = item.name.lower().endswith(PICKLES) or _is_pickle(head)
    if pickled and not pickles:
        raise UnsafeFolder(_pickled(item.name))
    if not pickled and (what := next((what for mark, what in HEADS.items() if head.startswith(mark)), "")):
        raise UnsafeFolder(f"`{_shown(item.name)}` is {what}, whatever it is called. Leave it out.")
    return Taken(item.name, size, whole.hexdigest(), pickled)


def _is_pickle(head: bytes) -> bool:
    return (head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}) or head.startswith(b"\x89HDF")


def _pickled(name: str) -> str:
    return (
        f"`{_shown(name)}` is a pickle or may hold one, which can run code when it is opened. Save the weights as "
        "safetensors, or allow pickled weights in the definition, which reviewers see."
    )


def _without_top(items: list[Item]) -> list[Item]:
    """Take off the one folder that everything lies in, as most archives have it."""
    tops = {item.name.partition("/")[0] for item in items}
    if len(tops) != 1 or any("/" not in item.name for item in items) or tops & {"", ".", ".."}:
        return items
    return [item._replace(name=item.name.partition("/")[2]) for item in items]


def _is_litter(name: str) -> bool:
    return name.startswith(_LITTER) or name.rpartition("/")[2] in _LITTER_NAMES


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")  # it may have become a link since


def _unread(error: OSError) -> Iterator[None]:
    raise UnsafeFolder(f"`{_shown(str(error.filename))}` cannot be read: {error.strerror}.")


def _shown(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")[:120]


def _bytes(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.1f} MiB"
