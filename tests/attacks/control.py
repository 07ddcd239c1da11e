"""Control: runs attacks unconfined, as the same user, each in a process of its own, and prints how each ended.

Reads a JSON object from standard input: `facts`, and `attacks` (name to source). The platform is stood in for by a peer
that believes everything, so that an attack over the channel shows what it would win against such a one.
Prints name to `won`, or the name of the exception, `nothing`, or `ended`.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHANNEL = 3
LONGEST_S = 20.0


def main() -> None:
    told = json.load(sys.stdin)
    results = {name: control(name, source, told["facts"]) for name, source in told["attacks"].items()}
    sys.stdout.write(json.dumps(results))


def control(name: str, source: str, facts: Mapping[str, Any]) -> str:
    """Run one attack in a child with a naive peer at its channel."""
    checkpoint = Path(facts["given"], "config.json")
    checkpoint.unlink(missing_ok=True)
    checkpoint.write_text("{}")  # whatever the one before did to it
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    scratch = tempfile.mkdtemp()
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(scratch)
        ours.close()
        os.dup2(theirs.fileno(), CHANNEL)
        os.dup2(writing, 1)  # a program that the attack becomes tells by its output
        kept = facts["app_descriptor"]
        os.closerange(CHANNEL + 1, kept)
        os.closerange(kept + 1, 4096)
        os.write(1, json.dumps(attempt(source, {**facts, "spare": facts["spares"][name]})).encode() + b"\n")
        os._exit(0)
    theirs.close()
    os.close(writing)
    said = serve(ours, reading, facts)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    ours.close()
    os.close(reading)
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        return str(json.loads(said.splitlines()[-1])[0]).replace("True", "won")
    except (IndexError, ValueError):
        return "ended"


def attempt(source: str, names: dict[str, Any]) -> list[str]:
    """Run a source as the body of a function whose arguments are the facts."""
    body = "".join(f"    {line}\n" for line in source.splitlines())
    try:
        exec(f"def attack():\n{body}", names)
        return ["won" if names["attack"]() else "nothing"]
    except BaseException as error:
        return [type(error).__name__, str(error)]


def serve(peer: socket.socket, reading: int, facts: Mapping[str, Any]) -> bytes:
    """Answer the child as a platform would that believes everything, until it says how it ended."""
    said = b""
    waiting = [peer.fileno(), reading]
    while True:
        ready = select.select(waiting, [], [], LONGEST_S)[0]
        if peer.fileno() in ready and not answer(peer, facts):
            waiting.remove(peer.fileno())
        if reading in ready:
            part = os.read(reading, 65536)
            said += part
            if not part or part.endswith(b"\n"):
                return said
        if not ready:
            return said


def answer(peer: socket.socket, facts: Mapping[str, Any]) -> bool:
    try:
        (length,) = struct.unpack("!I", peer.recv(4, socket.MSG_WAITALL))
        frame = json.loads(peer.recv(length, socket.MSG_WAITALL))
        repo = frame.get("repo")
        value: Any = "anything"
        if frame.get("what") == "resolve":
            asked = Path(str(repo)[:1000].partition("\0")[0].partition("\n")[0] or "nowhere").expanduser()
            value = str(asked) if asked.is_dir() else facts["given"]
        data = json.dumps({"kind": "reply", "value": value}).encode()
        peer.sendall(struct.pack("!I", len(data)) + data)
    except (OSError, struct.error, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
