"""A writer in a process of its own: saves documents and says each id on stdout once the store has it.

    python writer.py KIND PATH PREFIX COUNT [FILE_SIZE_LIMIT]

KIND is `atomic` (AtomicStorage), `stock` (TinyDB's JSONStorage) or `definitions`. It says `ready`, waits for a
line on stdin, and ends with `failed NAME` when a save raises. Between inserts one document grows and shrinks,
as edits do.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from tinydb import TinyDB, where

TABLE = "things"
TEXT = "some text, " * 40
PAD = 60_000


def atomic(path: Path) -> Callable[[str, int], None]:
    from hfreg.store.storage import AtomicStorage

    storage = AtomicStorage(path, tables=(TABLE,))

    def save(name: str, step: int) -> None:
        with storage.transaction() as db:
            db.table(TABLE).insert({"id": name, "text": TEXT})
        with storage.transaction() as db:
            db.table(TABLE).upsert(_pad(step), where("id") == "pad")

    return save


def stock(path: Path) -> Callable[[str, int], None]:
    table = TinyDB(path).table(TABLE)

    def save(name: str, step: int) -> None:
        table.insert({"id": name, "text": TEXT})
        table.upsert(_pad(step), where("id") == "pad")

    return save


def definitions(path: Path) -> Callable[[str, int], None]:
    from hfreg.definition import Definition
    from hfreg.store.definitions import Definitions

    store = Definitions(path)

    def save(name: str, step: int) -> None:
        store.add(Definition(alias=name, scoring_logic=TEXT), "ann")
        store.save(name, 1, Definition(alias=name, scoring_logic=TEXT[: step % 50]), "ann", expected_snapshot=1)

    return save


def _pad(step: int) -> dict[str, str]:
    return {"id": "pad", "text": "x" * (PAD if step % 2 else 1)}


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def main(kind: str, path: str, prefix: str, count: str, limit: str = "") -> None:
    save = {"atomic": atomic, "stock": stock, "definitions": definitions}[kind](Path(path))
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))  # Python ignores SIGXFSZ: writes raise
    say("ready")
    sys.stdin.readline()
    for step in range(int(count)):
        try:
            save(f"{prefix}{step}", step)
        except Exception as error:
            say(f"failed {type(error).__name__} {error}")
            return
        say(f"{prefix}{step}")


if __name__ == "__main__":
    main(*sys.argv[1:])
