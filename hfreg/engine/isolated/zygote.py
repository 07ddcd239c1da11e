"""Zygote: the process that imports the heavy libraries once and forks a worker for each loaded model.

It has a scrubbed environment, no secret, one thread and runs neither code of users nor any torch operation: the
thread pools of torch do not survive a fork. It takes requests from its supervisor over a control socket, one
datagram each with the three descriptors of the worker (channel, log, log), and reports every worker's end. When the
socket ends it ends too, and the kernel ends its workers.

    python -m hfreg.engine.isolated.zygote DESCRIPTOR
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hfreg.engine.isolated import worker
from hfreg.engine.isolated.sandbox import Confinement
from hfreg.scoring.preload import preload
from hfreg.settings import extend_environment

MAX_REQUEST = 65536
DESCRIPTORS = 2
FIRST_FREE = 4


def main(descriptor: int) -> None:
    """Import, then fork on request until the control socket ends."""
    control = socket.socket(fileno=descriptor)
    imports = preload()
    next(imports, None)  # torch and transformers; the rest while nobody asks for a worker
    ended = _watch_children()
    control.send(json.dumps({"ready": os.getpid(), "threads": len(list(Path("/proc/self/task").iterdir()))}).encode())
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(ended, select.POLLIN)
    while True:
        happened = poll.poll(0) or (poll.poll() if _import_next(imports, control) else [])
        for found, _ in happened:
            if found == ended:
                _report_ends(control, ended)
            elif not _fork_on_request(control):
                return


def _import_next(imports: Iterator[str], control: socket.socket) -> bool:
    """Import one more library; returns whether all of them are there, and tells so the first time."""
    if next(imports, None) is not None:
        return False
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()  # a collection in a worker must not write into the pages that all of them share
        control.send(json.dumps({"settled": os.getpid()}).encode())
    return True


def _watch_children() -> int:
    """Have a byte arrive on a descriptor, which is returned, whenever a worker ends."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _report_ends(control: socket.socket, ended: int) -> None:
    try:
        os.read(ended, 4096)
    except BlockingIOError:
        pass
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        control.send(json.dumps({"ended": pid, "status": status}).encode())


def _fork_on_request(control: socket.socket) -> bool:
    """Take one request and fork; returns False when the supervisor is gone."""
    try:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, DESCRIPTORS)
    except ConnectionResetError:  # it closed while something for it was on the way
        return False
    if not data:
        return False
    request = json.loads(data)
    try:
        pid = os.fork()
    except OSError as error:
        control.send(json.dumps({"id": request["id"], "error": str(error)}).encode())
        pid = -1
    if pid == 0:
        _become_worker(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    if pid > 0:
        _hand_over(control, request["id"], pid)
    return True


def _hand_over(control: socket.socket, number: int, pid: int) -> None:
    handle = os.pidfd_open(pid)
    socket.send_fds(control, [json.dumps({"id": number, "pid": pid}).encode()], [handle])
    os.close(handle)


def _become_worker(request: dict[str, Any], descriptors: list[int]) -> None:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        connection, log = descriptors
        for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2), (connection, worker.CHANNEL)):
            os.dup2(source, target)
        os.closerange(FIRST_FREE, os.sysconf("SC_OPEN_MAX"))
        extend_environment(request["environment"])
        worker.run(_confinement(request["confinement"]))
    except BaseException as error:  # a child must never come back into the loop of its parent
        os.write(2, f"The worker did not start: {error!r}\n".encode())
    finally:
        os._exit(70)


def _confinement(given: dict[str, Any]) -> Confinement:
    paths = {"scratch": Path(given["scratch"]), "readable": tuple(map(Path, given["readable"]))}
    return Confinement(**{**given, **paths, "required": tuple(given["required"])})


if __name__ == "__main__":
    main(int(sys.argv[1]))
    os._exit(0)  # at once: tidying up all that was imported takes as long as a second, and workers end with this
