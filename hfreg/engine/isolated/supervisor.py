"""Supervisor: starts the zygote and has it fork workers; knows how each of them ended.

The zygote starts in the background and is started again, later and later, when it ends by itself.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hfreg.engine.isolated import namespaces
from hfreg.engine.isolated.sandbox import Confinement
from hfreg.errors import EngineClosed, ScoringError

PACKAGE = Path(__file__).resolve().parents[2]
START_S = 180.0
SETTLE_S = 20.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
MAX_ENDS = 4096

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": str(PACKAGE.parent),
}
"""What the zygote and its workers have in their environment."""


def zygote_environment() -> dict[str, str]:
    """Return all of it: with the folder for temporary files, which a wall leaves writable wherever it is."""
    return {**ENVIRONMENT, "TMPDIR": tempfile.gettempdir()}


class Supervisor:
    """The zygote, and the workers it forked. `start()` returns at once; `fork()` waits for the zygote.

    The engines of one process share one: `acquire()` gives it, and the last to `release()` it ends the zygote.
    """

    _shared: Supervisor | None = None
    _users = 0
    _sharing = threading.Lock()

    @classmethod
    def acquire(cls) -> Supervisor:
        """Return the supervisor of this process; its zygote starts in the background."""
        with cls._sharing:
            if cls._shared is None:
                cls._shared = cls()
                cls._shared.start()
            cls._users += 1
            return cls._shared

    def release(self) -> None:
        """Let go of it; with the last user it ends."""
        with self._sharing:
            if Supervisor._shared is not self:
                return
            Supervisor._users -= 1
            if Supervisor._users:
                return
            Supervisor._shared = None
        self.close()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._ends: dict[int, int] = {}
        self._settled = False
        self.layers: Mapping[str, str] = {}
        self._pause = 0.0
        self._next_start = 0.0
        self._closed = False

    def start(self) -> None:
        """Start the zygote in the background."""
        threading.Thread(target=self._start_quietly, name="hfreg zygote", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether a fork would be made at once."""
        return self._control is not None

    def fork(self, confinement: Confinement, environment: dict[str, str], descriptors: list[int]) -> tuple[int, int]:
        """Fork a worker that gets the descriptors; return its pid and a pidfd. Starts the zygote first if need be.

        A zygote that still imports is waited for: what it has, all workers share; what it lacks, each imports itself.
        """
        self.settle(SETTLE_S)
        request: dict[str, Any] = {"confinement": _plain(confinement), "environment": environment}
        try:
            return self._request(request, descriptors)
        except OSError:  # it ended since it was started
            return self._request(request, descriptors)

    def settle(self, wait_s: float = START_S) -> bool:
        """Wait until the zygote has imported all it will, so that forks are fast; returns whether it has."""
        self._start()
        self._wait(lambda: self._settled, wait_s)
        return self._settled

    def status(self, pid: int, wait_s: float = 0.5) -> int | None:
        """Return how a worker ended, as `os.waitpid` tells it, once; None when that is not known in time."""
        self._wait(lambda: pid in self._ends, wait_s)
        return self._ends.pop(pid, None)

    def _wait(self, told: Callable[[], bool], wait_s: float) -> None:
        """Take what the zygote says until it is told, or time is up."""
        until = time.monotonic() + wait_s
        with self._lock:
            while not told() and self._control is not None:
                self._control.settimeout(max(0.001, until - time.monotonic()))
                try:
                    self._receive()
                except TimeoutError:
                    return
                except OSError:
                    self._drop()

    def close(self) -> None:
        """End the zygote, and with it every worker."""
        with self._starting, self._lock:
            self._closed = True
            self._drop()

    def abandon(self) -> None:
        """Let go of everything without ending it: in a forked child it belongs to the parent."""
        if self._control is not None:
            self._control.close()
        self._control, self._process, self._closed = None, None, True
        Supervisor._shared, Supervisor._users, Supervisor._sharing = None, 0, threading.Lock()

    def _start_quietly(self) -> None:
        try:
            self._start()
        except (OSError, ScoringError, EngineClosed):  # whoever needs a worker tries again, and is told
            return

    def _start(self) -> None:
        with self._starting:
            if self._control is not None:
                return
            if self._closed:
                raise EngineClosed("This registry is closed. Open it again with hfreg.open().")
            time.sleep(max(0.0, self._next_start - time.monotonic()))
            self._pause = min(max(FIRST_PAUSE_S, 2 * self._pause), LONGEST_PAUSE_S)
            self._next_start = time.monotonic() + self._pause
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                wall = namespaces.wall()
                self.layers = namespaces.LAYER if wall else {}
                command = [sys.executable, "-s", "-m", "hfreg.engine.isolated.zygote", str(theirs.fileno())]
                self._process = subprocess.Popen(
                    [*wall, *command], env=zygote_environment(), pass_fds=[theirs.fileno()], cwd="/",
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
            ours.settimeout(START_S)
            try:
                begun = ours.recv(4096)
            except TimeoutError:
                begun = b""
            if not begun:
                ours.close()
                self._end_process()
                raise ScoringError("The process that loads models did not start. `hfreg doctor` says more.")
            self._control = ours

    def _request(self, request: dict[str, Any], descriptors: list[int]) -> tuple[int, int]:
        self._start()
        with self._lock:
            try:
                return self._exchange(request, descriptors)
            except OSError:
                self._drop()
                raise

    def _exchange(self, request: dict[str, Any], descriptors: list[int]) -> tuple[int, int]:
        if self._control is None:
            raise BrokenPipeError
        self._number += 1
        self._control.settimeout(START_S)  # it may be importing
        socket.send_fds(self._control, [json.dumps({"id": self._number, **request}).encode()], descriptors)
        while True:
            told, handles = self._receive()
            if told.get("id") == self._number:
                if "error" in told:
                    raise ScoringError(f"No process could be started for the model: {told['error']}.")
                self._pause = 0.0  # it works: the next start need not wait
                self._ends.pop(told["pid"], None)  # of one that had this number before
                return told["pid"], handles[0]

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        assert self._control is not None  # noqa: S101
        data, handles, _, _ = socket.recv_fds(self._control, 4096, 1)
        if not data:
            raise BrokenPipeError
        told: dict[str, Any] = json.loads(data)
        if "settled" in told:
            self._settled = True
        if "ended" in told:
            self._ends[told["ended"]] = told["status"]
            if len(self._ends) > MAX_ENDS:
                self._ends.pop(next(iter(self._ends)))
        return told, handles

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control, self._settled = None, False
        self._ends.clear()  # the next zygote may count its workers anew
        self._end_process()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _plain(confinement: Confinement) -> dict[str, Any]:
    given = asdict(confinement)
    return {**given, "scratch": str(confinement.scratch), "readable": [str(path) for path in confinement.readable]}
