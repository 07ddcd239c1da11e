"""Worker process: one worker as its supervisor holds it — channel, log, limits, end.

One loop watches everything of a row in work: what the worker says, what it writes to its log, whether it lives, how
long it takes and how much memory it holds. Whatever goes beyond its limit ends the process; the row then carries the
reason, and the next one gets a fresh worker. Time and memory are measured here, never told by the worker.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

from hfreg.engine.isolated import channel, kernel
from hfreg.engine.isolated.channel import HEAD, MAX_ANSWER, MAX_REQUEST, BadFrame, Frame
from hfreg.engine.isolated.clock import Clock
from hfreg.engine.isolated.folders import discard
from hfreg.engine.isolated.log import Log, how
from hfreg.engine.isolated.sandbox import Confinement
from hfreg.engine.isolated.supervisor import Supervisor
from hfreg.engine.isolated.usage import Usage
from hfreg.engine.isolated.watch import LOOK_S, Watch

Reason = Literal["timeout", "cancelled", "memory", "threads", "disk", "crash", "protocol"]
OnFrame = Callable[[Frame], bool]
"""Takes a frame; whether it was the last."""

READY_S = 60.0
MAX_TOLD = 64 * 1024 * 1024
"""Bytes that a worker may send from one answer to the next."""
MUCH_TOLD = 1 << 20
"""Bytes that leave a heap behind which is worth giving back."""
CHUNK = 1 << 20
CLOSING_S = 0.2
"""How long after its channel a worker may end before that counts as closing it on purpose."""


class Ended(Exception):
    """The worker is no more; `reason` says why, the message what is known of it."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message)
        self.reason: Reason = reason


class WorkerProcess:
    """One confined process. Made by forking; `close()` it, or let a limit end it."""

    def __init__(
        self, supervisor: Supervisor, confinement: Confinement, environment: dict[str, str], memory_bytes: int
    ) -> None:
        self._supervisor = supervisor
        self._confinement = confinement
        self._limit_bytes = memory_bytes
        self._connection, theirs = socket.socketpair()
        self._log, log = os.pipe()
        try:
            self._number, self._handle = supervisor.fork(confinement, environment, [theirs.fileno(), log])
        except BaseException:
            self._connection.close()
            os.close(self._log)
            discard(confinement.scratch)
            raise
        finally:
            theirs.close()
            os.close(log)
        self._begin()

    def _begin(self) -> None:
        self._connection.setblocking(False)
        os.set_blocking(self._log, False)
        self.pid = _outer_pid(self._handle)
        self.usage = Usage(self.pid)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        for descriptor in (self._connection.fileno(), self._log, self._handle, self._wake):
            self._poll.register(descriptor, select.POLLIN)
        self._buffer = bytearray()
        self._outgoing: deque[memoryview] = deque()
        self._said = Log(self._log)
        self._told = 0
        self.clock = Clock()
        self._lock = threading.RLock()
        self._frozen = False
        self._reason: Reason | None = None
        self.closed = False
        self.layers: Mapping[str, str] = {}
        self.missing: tuple[str, ...] = ()
        ready = self._wait_ready()
        self.layers, self.missing = {**ready["layers"], **self._supervisor.layers}, tuple(ready["missing"])
        self._watch = Watch(self.usage, self._confinement.scratch, self._limit_bytes)

    # One row

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame, or what the worker does not take at once by the loop of the row in work; raises BadFrame."""
        data = channel.encode(frame, MAX_REQUEST)
        with self._lock:
            self._outgoing.append(memoryview(data))
            if not self.closed and not self._sent():  # the loop sends the rest
                os.eventfd_write(self._wake, 1)

    @property
    def owing(self) -> bool:
        """Whether something sent was not taken yet."""
        return bool(self._outgoing)

    def follow(self, clock: Clock, on_frame: OnFrame) -> None:
        """Watch rows until `on_frame` has seen the last frame; raises Ended when a limit or the worker ended first."""
        self.clock = clock
        self._told = 0
        self._watch.begin()
        while True:
            if (left := self.clock.left()) <= 0:
                self._end("timeout")
            happened = {descriptor for descriptor, _ in self._poll.poll(min(left, LOOK_S) * 1e3)}
            self._look(happened)
            for frame in self._frames():
                last = on_frame(frame)
                if self._reason == "protocol":  # an outcome too may be one that nobody asked for
                    self._end("protocol", "a frame that nobody asked for")
                if last:
                    return
                if frame.get("kind") == "outcome":
                    self._told = 0
            if self._handle in happened:
                self._end("crash")
            if (excess := self._watch.excess()) is not None:
                self._end(*excess)

    def kill(self, reason: Reason) -> None:
        """End the worker from any thread; the row in work learns why."""
        with self._lock:
            self._reason = self._reason or reason
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Let an idle worker use no processor, whatever its threads would do."""
        self._signal(signal.SIGSTOP)
        self._frozen = True
        if (excess := self._watch.excess(at_once=True)) is not None:  # what threads did that nobody waits for
            self.kill(excess[0])

    def thaw(self) -> None:
        """Let it run again."""
        if self._frozen:
            self._signal(signal.SIGCONT)
            self._frozen = False

    def close(self) -> None:
        """End the process and remove what it left."""
        with self._lock:
            if self.closed:
                return
            self._signal(signal.SIGKILL)
            self._ends_within(5.0)
            self.closed = True
            for descriptor in (self._log, self._handle, self._wake):
                os.close(descriptor)
            self._connection.close()
            self._buffer = bytearray()  # it may be large, and who holds the error holds this
            self._outgoing.clear()
        self.usage.close()
        discard(self._confinement.scratch)
        if self._told > MUCH_TOLD:
            kernel.return_free_memory()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        with self._lock:
            return not self.closed and not self._ends_within(0.0)

    # Inside

    def _wait_ready(self) -> Frame:
        """Take the first frame and the descriptor that comes with it, which tells the worker's memory."""
        self._connection.settimeout(READY_S)
        try:
            head, handles, _, _ = socket.recv_fds(self._connection, HEAD.size, 1)
            data = self._connection.recv(HEAD.unpack(head)[0], socket.MSG_WAITALL) if len(head) == HEAD.size else b""
            self.usage.take(handles)
            self._connection.setblocking(False)
            if not data:
                self._end("crash")
            return channel.decode(data)
        except (TimeoutError, OSError, BadFrame):
            self._end("crash")

    def _look(self, happened: set[int]) -> None:
        if self._wake in happened:
            os.eventfd_read(self._wake)
        self._write()
        if self._connection.fileno() in happened:
            self._read()
        if self._log in happened and not self._said.read():
            self._poll.unregister(self._log)

    def _read(self) -> None:
        try:
            part = self._connection.recv(CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            part = b""
        if not part:
            self._end("crash" if self._ends_within(CLOSING_S) else "protocol", "it closed its channel")
        self._told += len(part)
        if self._told > MAX_TOLD:
            self._end("protocol", f"it said more than {MAX_TOLD >> 20} MiB during one call")
        self._buffer += part

    def _write(self) -> None:
        owing = 0 if self._sent() else select.POLLOUT
        self._poll.modify(self._connection.fileno(), select.POLLIN | owing)

    def _sent(self) -> bool:
        """Send what the worker takes now; whether that was all."""
        with self._lock:
            while self._outgoing:
                try:
                    sent = self._connection.send(self._outgoing[0])
                except BlockingIOError:
                    return False
                except OSError:
                    self._outgoing.clear()
                    return True
                self._outgoing[0] = self._outgoing[0][sent:]
                if not self._outgoing[0]:
                    self._outgoing.popleft()
            return True

    def _frames(self) -> list[Frame]:
        """Take the complete frames out of what has arrived."""
        frames = []
        while len(self._buffer) >= HEAD.size:
            (length,) = HEAD.unpack_from(self._buffer)
            if length > MAX_ANSWER:
                self._end("protocol", f"an answer of {length >> 20} MiB, and at most {MAX_ANSWER >> 20} MiB leave it")
            if len(self._buffer) < HEAD.size + length:
                break
            data = self._buffer[HEAD.size : HEAD.size + length]
            del self._buffer[: HEAD.size + length]
            try:
                frames.append(channel.decode(data))
            except BadFrame as problem:
                self._end("protocol", str(problem))
        return frames

    def _ends_within(self, seconds: float) -> bool:
        """Whether the process is no more, now or soon; by poll, which knows descriptors of any number."""
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        return bool(ended.poll(seconds * 1e3))

    def _end(self, reason: Reason, message: str = "") -> NoReturn:
        """End the process and raise why; what ended it first is the reason."""
        with self._lock:
            reason = self._reason or reason
        self._signal(signal.SIGKILL)
        self._ends_within(5.0)
        status = self._supervisor.status(self._number) if reason == "crash" else None
        if reason == "crash":
            self._said.read()
            message = how(status, self._said.last_words)
        self.close()
        raise Ended(reason, message)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if not self.closed:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, number)


def _outer_pid(handle: int) -> int:
    """Return the pid of a process as this one sees it; the zygote may count in a namespace of its own."""
    lines = Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii").splitlines()
    return next(int(line.removeprefix("Pid:")) for line in lines if line.startswith("Pid:"))
