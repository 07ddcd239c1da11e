"""Telling: what a worker says while one row is in work, and who hears it.

Printed text, streamed pieces and stages go to the job, requests to the platform, which answers from a thread so that
time and memory go on being watched; the answer is kept for `hfreg.engine.isolated.answer`. What no worker may say ends
it. Secrets are taken out of everything.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextvars import copy_context
from typing import Any

from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import BadFrame, Frame
from hfreg.engine.isolated.errors import to_frame
from hfreg.engine.isolated.folders import View
from hfreg.engine.isolated.process import WorkerProcess
from hfreg.engine.isolated.redaction import redacted
from hfreg.engine.isolated.requests import Requests
from hfreg.engine.job import Task
from hfreg.engine.row import MAX_PRINTED
from hfreg.errors import ScoringError

EVENTS = {"loading": "what", "running": "row", "print": "text", "piece": "value"}
"""What a worker may tell of, and the field that tells it."""


class Telling:
    """What is said during one row, which has this number on the channel."""

    def __init__(self, task: Task, number: int, requests: Requests) -> None:
        self.number = number
        self.answer: Frame = {}
        self._task = task
        self._requests = requests
        self._printed: list[str] = []
        self._room = MAX_PRINTED
        self._secrets: Collection[str] = ()
        self._asked = False

    @property
    def printed(self) -> str:
        """What was printed so far."""
        return redacted("".join(self._printed), self._secrets)  # type: ignore[no-any-return]

    def hear(self, process: WorkerProcess, view: View | None, secrets: Collection[str], frame: Frame) -> bool:
        """Take one frame of the worker; whether it was the answer."""
        self._secrets = secrets
        try:
            self._hear(process, view, redacted(frame, secrets))
        except Exception:  # whatever it said, it must not end the thread that listens
            process.kill("protocol")
        return bool(self.answer)

    def _hear(self, process: WorkerProcess, view: View | None, frame: Frame) -> None:
        kind = frame.get("kind")
        if kind == "outcome" and frame.get("id") == self.number:
            self.answer = frame
        elif kind == "event":
            self._hear_event(process, frame.get("event"), frame.get("data"))
        elif kind == "ask":
            if self._asked or process.owing:  # each takes a thread of the platform, and memory until it is answered
                raise BadFrame("another request before the answer of one was taken")
            self._asked = True
            process.clock.loads("asked", frame.get("what") == "resolve")
            context = copy_context()  # so that a call of another model is one on behalf of the same user
            threading.Thread(target=context.run, args=(self._reply, process, view, frame), daemon=True).start()
        else:
            process.kill("protocol")

    def _hear_event(self, process: WorkerProcess, kind: Any, data: Any) -> None:
        if kind == "loaded":
            process.clock.loads("told", False)
            self._task.job.emit("loaded", ms=process.clock.loading_s * 1e3)
        if kind not in EVENTS or not isinstance(data, dict):
            return
        if kind == "loading":
            process.clock.loads("told", True)
        value = channel.unpack(data.get(EVENTS[kind]))
        if kind == "print":
            if not isinstance(value, str):
                raise BadFrame("print of something else than text")
            kept = value[: self._room]
            self._room -= len(kept)
            if not kept:
                return
            value = kept
            self._printed.append(kept if self._room else kept + "\n… more was printed than the platform keeps\n")
        self._task.job.emit(kind, **{EVENTS[kind]: self._task.position if kind == "running" else value})

    def _reply(self, process: WorkerProcess, view: View | None, frame: Frame) -> None:
        reply = self._requests.answer(frame, view)
        process.clock.loads("asked", False)
        self._asked = False
        try:
            process.send(reply)
        except BadFrame as problem:
            error = ScoringError(f"What was asked for is too large for {self._task.job.version.alias}: {problem}.")
            process.send({"kind": "reply", "error": to_frame(error)})
