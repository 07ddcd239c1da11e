"""The procedures: each makes one kind of trouble for a store of one kind and returns a Verdict."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tinydb import TinyDB

from hfreg.errors import StoreCorrupt
from hfreg.store.definitions import Definitions
from hfreg.store.storage import AtomicStorage
from tests.faults.writer import TABLE, TEXT

ROOT = Path(__file__).resolve().parents[2]
WRITER = Path(__file__).with_name("writer.py")


@dataclass
class Verdict:
    """What was acknowledged, what can be read back, and what went wrong; `red` when a save was lost."""

    acknowledged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        return set(self.acknowledged) - set(self.kept)

    @property
    def red(self) -> bool:
        return bool(self.lost or self.problems or len(set(self.kept)) != len(self.kept))

    def hear(self, line: str) -> None:
        (self.failures if line.startswith("failed") else self.acknowledged).append(line)

    def read_back(self, kind: str, path: Path) -> Verdict:
        try:
            self.kept = ids(kind, path)
        except Exception as error:  # whatever stock TinyDB raises: the file cannot be read
            self.kept = []
            self.problems.append(f"{type(error).__name__}: {error}")
        return self


def ids(kind: str, path: Path) -> list[str]:
    """Read back what a fresh opener finds; a document that is not what was written counts as a problem."""
    if kind == "definitions":
        return Definitions(path).aliases()
    if kind == "atomic":
        documents = TinyDB(storage=lambda: AtomicStorage(path, tables=(TABLE,))).table(TABLE).all()
    else:
        with TinyDB(path, access_mode="r") as db:
            documents = db.table(TABLE).all()
    found = [d for d in documents if d["id"] != "pad"]
    if any(d["text"] != TEXT for d in found):
        raise ValueError("a document came back changed")
    return [d["id"] for d in found]


@contextmanager
def writer(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a writer and wait until it is ready; it is gone at the end, whatever happens."""
    command = [sys.executable, str(WRITER), *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"the writer did not start: {command}")
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def kill_during_saves(kind: str, path: Path, kills: int, seed: int) -> Verdict:
    """Kill one writer after another at random moments, on the same file; stop at the first loss."""
    chance = random.Random(seed)
    verdict = Verdict()
    for n in range(kills):
        with writer(kind, path, f"k{n}_", 10_000) as process:
            go(process)
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 8)):
                verdict.hear(process.stdout.readline().strip())
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
            for line in process.stdout:  # what it said before it died
                verdict.hear(line.strip())
        if verdict.read_back(kind, path).red:
            break
    return verdict


def writers_at_once(kind: str, path: Path, writers: int, each: int) -> Verdict:
    """Let several processes save to the same file at the same time."""
    verdict = Verdict()
    if writers == 0:
        return verdict
    processes: list[subprocess.Popen[str]] = []

    def start(n: int) -> None:
        if n == writers:
            for process in processes:
                go(process)
            for process in processes:
                assert process.stdout is not None
                for line in process.stdout:
                    verdict.hear(line.strip())
            return
        with writer(kind, path, f"w{n}_", each) as process:
            processes.append(process)
            start(n + 1)

    start(0)
    return verdict.read_back(kind, path)


def disk_full(kind: str, path: Path, limit: int) -> Verdict:
    """Save until no file may grow any more."""
    verdict = Verdict()
    with writer(kind, path, "f", 10_000, limit) as process:
        go(process)
        assert process.stdout is not None
        for line in process.stdout:
            verdict.hear(line.strip())
    return verdict.read_back(kind, path)


def damage(data: bytes, chance: random.Random) -> bytes:
    """Tear, flip, blank or double a random piece of a file."""
    at = chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        case 2:
            return (data[:at] + bytes(512) + data[at + 512 :])[: len(data)]
        case _:
            return data + data[at:]


def damaged_files(kind: str, path: Path, times: int, seed: int, both: bool = False) -> Verdict:
    """Damage the file again and again; each time everything must come back, or be refused untouched.

    `both` damages the last good copy as well, so that refusing is all that is left.
    """
    chance = random.Random(seed)
    verdict = Verdict()
    with writer(kind, path, "d", 12) as process:
        go(process)
        assert process.stdout is not None
        verdict.acknowledged = [line.strip() for line in process.stdout]
    files = [path, path.with_name(f"{path.name}.good")] if both else [path]
    sound = {file: file.read_bytes() for file in files}
    for n in range(times):
        spoilt = {file: damage(data, chance) for file, data in sound.items()}
        for file, data in spoilt.items():
            file.write_bytes(data)
        try:
            verdict.kept = ids(kind, path)
        except StoreCorrupt:
            verdict.failures.append("refused")
            if any(file.read_bytes() != data for file, data in spoilt.items()):
                verdict.problems.append(f"damage {n}: refused, yet the files were changed")
        except Exception as error:  # what stock TinyDB raises, or a document that came back changed
            verdict.problems.append(f"damage {n}: {type(error).__name__}")
        else:
            if verdict.lost:
                verdict.problems.append(f"damage {n}: {len(verdict.lost)} lost")
        for file, data in sound.items():
            file.write_bytes(data)
    return verdict.read_back(kind, path)
