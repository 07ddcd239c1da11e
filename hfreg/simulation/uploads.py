"""Uploads: tables that came through a page, kept by their content beside the simulations that run them.

`keep` writes one down and returns its path; `tidy` deletes those that no simulation names any more. A fresh one stays,
because somebody may be about to run it. What a table holds is not looked at here.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from hfreg.errors import TableError
from hfreg.store.files import unwritable
from hfreg.tables import FORMATS

UPLOADS = "uploads"
FRESH_S = 24 * 3600
LONGEST_NAME = 100
_CHUNK = 2**20


def keep(folder: Path, name: str, stream: IO[bytes]) -> Path:
    """Write an upload under `folder` and return its path; the same content under the same name is one file."""
    file_name = _safe(name)
    if Path(file_name).suffix.lower() not in FORMATS:
        raise TableError(
            f"{file_name} is no table that can be read. Its name has to end in one of {', '.join(FORMATS)}."
        )
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
    path = folder / UPLOADS / digest.hexdigest()[:32] / file_name
    aside = path.with_name(f".{file_name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            path.touch()  # fresh again
            return path
        with aside.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)
        aside.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def tidy(folder: Path, used: Iterable[str], fresh_s: float = FRESH_S) -> None:
    """Delete the uploads that nothing uses and that nobody brought within the last `fresh_s` seconds."""
    wanted, now = set(used), time.time()
    for path in (folder / UPLOADS).glob("*/*"):
        try:
            if str(path.resolve()) not in wanted and now - path.stat().st_mtime > fresh_s:
                path.unlink()
                path.parent.rmdir()
        except OSError:  # another process was faster, or another name has the same content
            continue


def forget(folder: Path, path: str, used: Iterable[str]) -> None:
    """Delete one upload with the last simulation that ran it; a path that is no upload is left alone."""
    root, file = (folder / UPLOADS).resolve(), Path(path)
    if file.is_relative_to(root) and path not in set(used):
        shutil.rmtree(file.parent, ignore_errors=True)


def _safe(name: str) -> str:
    """Return a name that is one on every system.

    >>> _safe("../Müller & Söhne/../reviews 1.CSV")
    'reviews 1.CSV'
    """
    file = re.sub(r"[^\w .()-]", "_", re.split(r"[/\\]", name)[-1]).strip(" .") or "table"
    stem, suffix = Path(file).stem, Path(file).suffix
    return stem[: LONGEST_NAME - len(suffix)] + suffix
