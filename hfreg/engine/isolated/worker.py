"""Worker: the process that runs the scoring logic of one loaded model, and nothing else.

Forked from the zygote, it confines itself before it is told any code, then answers one row after another over its
channel. It runs the same `LoadedModel` as the inline engine; what that asks of the platform (files of a pinned
commit, other models) is asked of the supervisor. It holds no secret but what its definition was given, and nothing
it says is believed without being checked again.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from hfreg import types
from hfreg.engine import Event, OnEvent, Outcome
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import HEAD, MAX_ANSWER, MAX_REQUEST, BadFrame, Frame
from hfreg.engine.isolated.companion import Companion
from hfreg.engine.isolated.errors import from_frame, to_frame
from hfreg.engine.isolated.sandbox import Confinement, confine, lacking, tier
from hfreg.engine.job import Job, Task
from hfreg.engine.row import LoadedModel
from hfreg.errors import OutputError
from hfreg.scoring.preload import allow_network, settle_after_fork
from hfreg.settings import extend_environment
from hfreg.types.signals import is_picture
from hfreg.version import Version

REFUSED = 71
"""Exit status of a worker that a required layer was missing for."""
CHANNEL = 3
"""The descriptor of the channel in the worker."""


class Supervisor:
    """The worker's end of the channel: asks for what the platform has, and tells what happens."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._asking = threading.Lock()

    def receive(self) -> Frame:
        """Wait for the next frame; the process ends with the channel."""
        (length,) = HEAD.unpack(self._read(HEAD.size))
        if length > MAX_REQUEST:
            os._exit(0)
        return channel.decode(self._read(length), items=MAX_REQUEST)

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame; raises BadFrame when it is over the limit, and then sends nothing."""
        data = channel.encode(frame, MAX_ANSWER)
        with self._sending:
            self._connection.sendall(data)

    def ask(self, what: str, **given: Any) -> Any:
        """Ask the platform for something and wait for it; raises what it answers with."""
        with self._asking:
            self.send({"kind": "ask", "what": what, **given})
            reply = self.receive()
        if (error := reply.get("error")) is not None:
            raise from_frame(error)
        return channel.unpack(reply["value"])

    def tell(self, event: Event, number: int | None = None) -> None:
        """Pass on an event of the row in work, or of this one; its outcome is told by itself."""
        if event.kind == "outcome":
            return
        data = {name: channel.pack(_plain(value)) for name, value in event.data.items()}
        self.send({"kind": "event", "event": event.kind, "data": data, **({} if number is None else {"id": number})})

    def answer(self, number: int, outcome: Outcome) -> None:
        """Send what a row came to."""
        frame: Frame = {"kind": "outcome", "id": number, "warnings": outcome.warnings, "notes": outcome.notes}
        if outcome.error is not None:
            self.send({**frame, "error": to_frame(outcome.error)})
            return
        try:
            self.send({**frame, "value": channel.pack(outcome.value)})
        except (BadFrame, RecursionError, MemoryError) as problem:
            error = OutputError(f"The answer is too large to leave the worker: {problem}.")
            self.send({**frame, "error": to_frame(error)})

    def _read(self, count: int) -> bytes:
        parts = []
        while count:
            if not (part := self._connection.recv(min(count, 1 << 20))):
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Remote:
    """The platform as a LoadedModel in a worker sees it: everything is asked of the supervisor."""

    pins: Mapping[str, str] = {}

    def __init__(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        self._supervisor = supervisor
        self._environment = environment

    def resolver(self, version: Version, on_event: OnEvent, cancel: threading.Event) -> Remote:
        """Return itself: the supervisor tells of downloads and ends them."""
        return self

    def resolve(self, repo: str, revision: str | None = None) -> Path:
        """Return the read-only folder of a pinned commit; a folder that the worker itself made is given as it is."""
        if (own := Path(repo)).is_absolute() and _readable(own):
            return own
        return Path(self._supervisor.ask("resolve", repo=repo, revision=revision))

    def environment(self, version: Version) -> Mapping[str, str]:
        """Return the variables that the definition asked for."""
        return self._environment

    def folder(self, version: Version) -> Path:
        """Return where the uploaded folder of this version is, read-only."""
        return Path(self._supervisor.ask("folder"))

    def call(self, caller: Version, alias: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call another registered model and return its value."""
        return self._supervisor.ask(
            "call",
            alias=alias,
            positional=[channel.pack(_given(value), rich=True) for value in positional],
            named={name: channel.pack(_given(value), rich=True) for name, value in named.items()},
        )


def run(confinement: Confinement) -> NoReturn:
    """Confine this process, then serve its channel until that ends. Called in the child, right after the fork."""
    connection = socket.socket(fileno=CHANNEL)
    os.chdir(confinement.scratch)
    tempfile.tempdir = str(confinement.scratch)
    memory = os.open("/proc/self/smaps_rollup", os.O_RDONLY)
    layers = confine(confinement)
    missing = lacking(layers, confinement.required)
    ready = channel.encode({"kind": "ready", "layers": layers, "missing": missing}, MAX_ANSWER)
    socket.send_fds(connection, [ready], [memory])
    os.close(memory)
    if missing:
        os._exit(REFUSED)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(Supervisor(connection), tier(layers))


def _serve(supervisor: Supervisor, tier: str) -> NoReturn:
    start = supervisor.receive()
    version = Version.model_validate_json(start["version"])
    environment: dict[str, str] = start["environment"]
    extend_environment(environment)
    settle_after_fork(version.definition.options.threads or 1)
    if version.definition.network:
        allow_network()
    model = LoadedModel(version, Remote(supervisor, environment))
    while True:
        asked = supervisor.receive()
        if asked["kind"] == "rows":
            model.together(Companion(supervisor, model, version, tier, number, row) for number, row in asked["rows"])
            continue
        job = Job(version, None, supervisor.tell, tier)
        row = channel.unpack(asked["row"], rich=True)
        supervisor.answer(asked["id"], model.run(Task(job, 0, row, 0.0), 0.0))


def _readable(folder: Path) -> bool:
    try:
        return next(folder.iterdir(), None) is not None
    except OSError:  # whether it is there a confined process can tell, what is in it not
        return False


def _given(value: Any) -> Any:
    """Return an argument for another model: pictures, bytes and arrays as they are, anything else as a plain value."""
    if is_picture(value):
        return types.parse("Image").check(value, "value")
    if type(value) is bytes or channel.crosses_as_array(value):
        return value
    if type(value) in {list, tuple} and any(_is_rich(item) for item in value):
        return [_given(item) for item in value]
    if type(value) is dict and any(_is_rich(item) for item in value.values()):
        return {key: _given(item) for key, item in value.items()}
    return _plain(value)


def _is_rich(value: Any) -> bool:
    return type(value) is bytes or is_picture(value) or channel.crosses_as_array(value)


def _plain(value: Any) -> Any:
    return types.parse("Any").check(value, "value")
