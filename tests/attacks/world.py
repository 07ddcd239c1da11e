"""World: an app of its own with its home, secrets and models, and what else an attack may reach for.

Runs in a process that may have become a user without rights; see `driver.py`. What it lays out is what a workbench
has: definitions, a log, a saved token, checkpoints, another model that is loaded.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hfreg

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
BYSTANDER = "open('kept', 'w').write('of another model')\nname = 'word{word}'\nreturn x + 1"
ATTACK = """\
import os
os.chdir(os.environ["HOME"])
body = "".join(f"    {line}\\n" for line in source.splitlines())
names = dict(facts)
exec(f"def attack():\\n{body}", names)
return bool(names["attack"]())
"""


class World:
    """One app, the folder it lives in, and the facts that attacks know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = ExitStack()
        self.script = folder / "scripts"  # where a script of the user lies, Python looks for modules
        self.script.mkdir(exist_ok=True)
        sys.path.insert(0, str(self.script))
        self.token = "hf_" + secrets.token_hex(17)
        self.word = secrets.token_hex(12)
        os.environ["ATTACK_SECRET"] = secrets.token_hex(12)
        self.registry = hfreg.open(folder / "home")
        self.stack.callback(self.registry.close)
        self.registry.save_token(self.token)
        x = hfreg.Argument("x", "Numerical")
        bystander = BYSTANDER.format(word=self.word)
        if self.registry.definitions.find("bystander") is None:
            self.registry.register(hfreg.Definition(alias="bystander", arguments=[x], scoring_logic=bystander))
        assert self.registry.model("bystander")(1) == 2

    def close(self) -> None:
        self.stack.close()

    def slot(self, alias: str) -> Any:
        """Return the slot of a loaded model."""
        return next(s for s in self.registry.engine._slots.values() if s.version.alias == alias)

    def facts(self) -> dict[str, Any]:
        """Lay out what may be reached for, and tell where it is."""
        return {**self._files(), **self._processes(), **self._listeners(), **self._secrets()}

    def spare(self) -> str:
        """Make a file of the app that one attack may spoil."""
        handle, name = tempfile.mkstemp(dir=self.registry.settings.home)
        os.write(handle, b"of the app")
        os.close(handle)
        return name

    def _files(self) -> dict[str, Any]:
        home = self.registry.settings.home
        self.registry.events.flush()
        cache = Path(os.environ["HF_HOME"]) / "hub"
        given, checkpoint = (
            checkpoint_in(cache, home, repo, commit) for repo, commit in (("org/tiny", COMMIT), ("org/private", OTHER))
        )
        other = self.slot("bystander")
        (other._view.folder / "given").write_text("given to another model")
        beside, script = self.folder / "notes", self.script / "notes"
        for path in (beside, script):
            path.write_text("of the user")
        return {
            "home": str(home),
            "folder": str(home),
            "definitions": str(home / "definitions.json"),
            "events": str(home / "events.sqlite"),
            "token_file": str(home / "secrets" / "huggingface_token"),
            "cache_root": str(cache),
            "checkpoint": str(checkpoint),
            "given": str(given),
            "repo": "org/tiny",
            "commit": COMMIT,
            "other_scratch": str(other._process._confinement.scratch),
            "other_view": str(other._view.folder),
            "beside_app": str(beside),
            "beside_script": str(script),
        }

    def _processes(self) -> dict[str, Any]:
        victim = self.stack.enter_context(subprocess.Popen(["sleep", "600"], start_new_session=True))
        self.stack.callback(victim.kill)
        self._text = ctypes.create_string_buffer(b"in the memory of the app")
        descriptor = os.open(self.registry.settings.home / "definitions.json", os.O_RDONLY)
        self.stack.callback(os.close, descriptor)
        return {
            "app": os.getpid(),
            "zygote": zygotes()[0],
            "other": self.slot("bystander")._process.pid,
            "victim": victim.pid,
            "address": ctypes.addressof(self._text),
            "size": len(self._text),
            "app_descriptor": descriptor,
        }

    def _listeners(self) -> dict[str, Any]:
        def make(family: int, kind: int, address: Any) -> socket.socket:
            made = self.stack.enter_context(socket.socket(family, kind))
            made.bind(address)
            if kind == socket.SOCK_STREAM:
                made.listen(64)
            return made

        name = f"hfreg-attack-{os.getpid()}"
        path = self.folder / "listener"
        stream = make(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        packets = make(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        make(socket.AF_UNIX, socket.SOCK_STREAM, str(path))
        make(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}")
        make(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{name}-packets")
        return {
            "port": stream.getsockname()[1],
            "datagrams": packets.getsockname()[1],
            "listener": str(path),
            "abstract": name,
            "abstract_packets": f"{name}-packets",
        }

    def _secrets(self) -> dict[str, Any]:
        return {"token_hash": _digest(self.token), "code_hash": _digest(f"word{self.word}")}


def checkpoint_in(cache: Path, home: Path, repo: str, commit: str) -> Path:
    """Lay a fetched repository of one file into the cache, with the record that it is complete."""
    name = repo.replace("/", "--")
    snapshot = cache / f"models--{name}" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    record = home / "hub" / name / f"{commit}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"files": {"config.json": {"size": 2, "sha256": ""}}}))
    return snapshot


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ended(outcome: hfreg.Outcome) -> str:
    """Return how a call ended: `won`, `nothing`, another status, or the kind of its error."""
    if outcome.ok:
        return "won" if outcome.value else "nothing"
    if outcome.status != "error":
        return outcome.status
    return getattr(outcome.error, "kind", "") or type(outcome.error).__name__


def workers(world: World) -> list[int]:
    """List the workers of the app that are alive or were not collected."""
    return [child for zygote in zygotes() for child in children_of(zygote)]


def zygotes() -> list[int]:
    """List the zygotes that this process started, themselves and not a wall around them."""
    waiting, found = [os.getpid()], []
    while waiting:
        for child in children_of(waiting.pop()):
            command = _command(child)
            if b"hfreg.engine.isolated.zygote" in command and not command.startswith(b"/usr/bin/bwrap"):
                found.append(child)
            else:
                waiting.append(child)
    return found


def children_of(parent: int) -> list[int]:
    """List the processes that a process started, those that have ended and were not collected among them."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and int((path / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.name))
        except OSError:  # it ended
            continue
    return found


def state_of(world: World) -> dict[str, Any]:
    """Count what a leak would add to."""
    engine = world.registry.engine
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "workers": len(workers(world)),
        "scratch": len(list(engine._scratch.folder.iterdir())),
        "views": len(list(engine._views.folder.iterdir())),
    }


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def control(world: World, facts: dict[str, Any], attacks: dict[str, str]) -> dict[str, str]:
    """Run attacks unconfined, as the user that this process is, with its environment and a descriptor of its home."""
    descriptor = facts["app_descriptor"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.control"],
        input=json.dumps({"facts": facts, "attacks": attacks}), text=True, capture_output=True, timeout=240,
        env={**os.environ, "HF_TOKEN": world.token, "CODE": f"word{world.word}"},
        pass_fds=[descriptor],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results: dict[str, str] = json.loads(done.stdout)
    return results
