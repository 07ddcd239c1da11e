"""What lies around the children of tests/test_sandbox.py: folders, a process and listeners that are not theirs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class World:
    """What lies around a child: folders of its user, a process of its user, and listeners."""

    folder: Path
    user: int | None
    facts: Mapping[str, Any]

    def run(
        self, tried: Mapping[str, str], *, confined: bool = True, before: str = "", **fields: Any
    ) -> dict[str, dict[str, str]]:
        """Run sources in a child and return its layers, results and notes."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        _give(scratch, self.user)
        given = {"scratch": str(scratch), "readable": [str(self.folder / "models")], **fields}
        told = {"user": self.user, "attempts": tried, "facts": self.facts, "before": before}
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "sandbox_child.py")],
            input=json.dumps({**told, "confinement": given if confined else None}),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=scratch,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "2",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _give(path: Path, user: int | None) -> None:
    if user is not None:
        os.chown(path, user, user)


def _lay(folder: Path, user: int | None) -> dict[str, Any]:
    """Make the folders outside the scratch folder, all of them the child's own to the eyes of the file system."""
    folder.chmod(0o755)
    for name in ("outside", "models"):
        (folder / name).mkdir()
        for file in ("secret", "spare", "wanted", "cut", "model"):
            (folder / name / file).write_text("of somebody else")
            _give(folder / name / file, user)
        _give(folder / name, user)
    outside = folder / "outside"
    return {"outside": str(outside), "secret": str(outside / "secret"), "model": str(folder / "models" / "model")}


def _sleeper(user: int | None) -> subprocess.Popen[bytes]:
    """Start a process that is the child's own to the eyes of the kernel, in a group of its own."""
    become: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    return subprocess.Popen(["sleep", "600"], start_new_session=True, **become)


def _listen(stack: ExitStack, path: Path) -> dict[str, Any]:
    stream, packets, file, abstract = (
        stack.enter_context(socket.socket(family, kind))
        for family, kind in (
            (socket.AF_INET, socket.SOCK_STREAM),
            (socket.AF_INET, socket.SOCK_DGRAM),
            (socket.AF_UNIX, socket.SOCK_STREAM),
            (socket.AF_UNIX, socket.SOCK_STREAM),
        )
    )
    stream.bind(("127.0.0.1", 0))
    packets.bind(("127.0.0.1", 0))
    port = stream.getsockname()[1]
    file.bind(str(path))
    path.chmod(0o777)
    abstract.bind(f"\0{path.name}{port}")
    for listening in (stream, file, abstract):
        listening.listen()
    return {"port": port, "datagrams": packets.getsockname()[1], "listener": str(path)}


@contextmanager
def world_of(user: int | None) -> Iterator[World]:
    """Make the surroundings of a child of one user, or of the user of the tests, and take them away."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which only the user of the tests may enter
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        facts = {**_lay(folder, user), **_listen(stack, folder / "listener")}
        victim = _sleeper(user)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        yield World(folder, user, {**facts, "victim": victim.pid})
