"""Asking: one row of an API Based model under way, in a thread of its own.

Binds the arguments, asks the endpoint, waits and asks again where it says so, and makes the Outcome: of the reply, or
of what scoring logic makes of it in the engine that runs such code. Stopped or out of time, the caller has an answer
at once, and what the endpoint says later is not heard.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from hfreg.definition import Definition
from hfreg.endpoint import STREAMED, TASKS, Endpoint
from hfreg.engine import Engine, Event, Outcome, Run, Timings, Use
from hfreg.engine.ending import broken, stopped
from hfreg.engine.hearing import Hearing
from hfreg.engine.job import Task
from hfreg.engine.reply import answer, usage
from hfreg.engine.watchdog import Watchdog
from hfreg.errors import ArgumentError, HfregError, HubBusy
from hfreg.scoring.secrets import masked

LATE_S = 1.0
"""How long after its time limit a call may still hang on a server; its caller has an answer by then."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
TIER = "remote"
WHOLE = {"n", "logprobs", "top_logprobs"}
"""Parameters of a chat that ask for more than one text."""

log = logging.getLogger(__name__)


class Inference(Protocol):
    """Who asks an endpoint; see `hfreg.hub.inference`."""

    def ask(self, endpoint: Endpoint, given: Mapping[str, Any], timeout_s: float, hearing: Hearing) -> Any:
        """Return the reply as plain values; raises HubBusy or another HubError."""


class Asking:
    """One row under way."""

    def __init__(
        self,
        task: Task,
        inference: Inference,
        local: Callable[[], Engine],
        watchdog: Watchdog,
        admit: Callable[[Definition], None] = lambda _: None,
    ) -> None:
        self.task = task
        self._version = task.job.version
        self._endpoint = task.job.version.definition.endpoint or Endpoint()
        self._inference = inference
        self._local = local
        self._watchdog = watchdog
        self._admit = admit
        self._started = time.perf_counter()
        self._queue_ms = (self._started - task.put_at) * 1e3
        self._hearing = Hearing(lambda text: task.job.emit("piece", value=text))
        self._lock = threading.Lock()
        self._answered = False
        self._inner: Run | None = None
        self._notes: list[str] = []
        self._use: Use | None = None

    def run(self) -> None:
        """Ask, and hand the Outcome to the job; never raises."""
        job = self.task.job
        if job.limit_s is not None:
            self._watchdog.watch(self, job.limit_s)
        try:
            outcome = self._outcome()
        except HfregError as error:
            outcome = self._made(error=error)
        except Exception as problem:  # a fault of the platform must not leave a caller waiting for ever
            log.exception("A call of %s could not be made", self._version.alias)
            outcome = broken(job, RuntimeError(masked(f"{type(problem).__name__}: {problem}")))
        self._watchdog.forget(self)
        self._answer(outcome)

    def stop(self, reason: str = "cancelled") -> None:
        """Answer now that it was stopped; from any thread."""
        self._hearing.stop()
        if (inner := self._inner) is not None:
            inner.cancel()
        outcome = stopped(self.task.job, reason, self._started, self._queue_ms, "")
        self._answer(replace(outcome, use=self._use))

    def overdue(self) -> None:
        """The watchdog's call: time is up."""
        self.stop("timeout")

    def _answer(self, outcome: Outcome) -> None:
        with self._lock:
            first, self._answered = not self._answered, True
        if first:
            self.task.job.put(self.task, outcome)

    def _outcome(self) -> Outcome:
        definition, job = self._version.definition, self.task.job
        arguments = definition.bind(**self.task.row)
        given = self._given(arguments)
        self._admit(definition)
        job.emit("running", row=self.task.position)
        self._hearing.streams = self._streams(given)
        reply = self._asked(given)
        self._use = usage(reply)
        if definition.scoring_logic.strip():
            return self._scored({**arguments, "response": reply})
        converted = answer(definition.parsed_output_type, self._endpoint.task, reply)
        return self._made(converted.value, converted.warnings)

    def _given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameter to value; raises ArgumentError when there is nothing to ask."""
        sent = self._endpoint.sent_as([(a.alias, a.type) for a in self._version.definition.arguments])
        given = {
            parameter: value.isoformat() if hasattr(value := arguments[alias], "isoformat") else value
            for alias, parameter in sent.items()
            if arguments[alias] is not None
        }
        for alias, parameter in sent.items():
            if parameter not in given and parameter in TASKS[self._endpoint.task].always:
                raise ArgumentError(f"`{alias}` is None, and {self._endpoint.task} cannot be asked without it.")
        return given

    def _streams(self, given: Mapping[str, Any]) -> bool:
        """Whether pieces of the reply are pieces of the answer: a text that nothing is made of."""
        definition, endpoint = self._version.definition, self._endpoint
        plain = not definition.scoring_logic.strip() and definition.output_type == "String"
        return plain and endpoint.stream and endpoint.task in STREAMED and not WHOLE & given.keys()

    def _asked(self, given: Mapping[str, Any]) -> Any:
        """Ask until there is a reply, as often as the endpoint allows and for as long as the call may take."""
        endpoint = self._endpoint
        for attempt in range(endpoint.retries + 1):
            try:
                reply = self._inference.ask(endpoint, given, self._patience(), self._hearing)
            except HubBusy as busy:
                self._pause(busy, attempt)
                continue
            if attempt:
                self._notes.append(f"Asked {attempt + 1} times: {endpoint.where} was busy.")
            return reply
        raise AssertionError("the last attempt raises")

    def _pause(self, busy: HubBusy, attempt: int) -> None:
        """Wait before asking again; raises what the endpoint said when that is not possible."""
        if attempt == self._endpoint.retries:
            tried = f" It was asked {attempt + 1} times." if attempt else ""
            raise HubBusy(f"{busy}{tried}", busy.wait_s)
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt) * random.uniform(0.75, 1.0)  # noqa: S311 - no secret
        if busy.wait_s is not None:
            pause = busy.wait_s
        if pause >= self._left():
            limit = f"{self.task.job.limit_s:g} s"
            raise HubBusy(f"{busy} It asks to wait {pause:g} s, and the time limit of the call is {limit}.", pause)
        if self._hearing.stopped_within(pause):
            raise busy

    def _scored(self, arguments: Mapping[str, Any]) -> Outcome:
        """Run the scoring logic over the reply, in the engine that runs such code."""
        scored = self._version.model_copy(update={"definition": self._version.definition.scored})
        left = self._left()
        run = self._local().submit(scored, [arguments], None if left == float("inf") else left, self._pass_on)
        self._inner = run
        if self._hearing.stopped:
            run.cancel()
        inner = next(iter(run))
        return self._made(inner.value, inner.warnings, inner.error, inner)

    def _pass_on(self, event: Event) -> None:
        if event.kind == "running":
            self.task.job.emit("running", row=self.task.position)
        elif event.kind not in {"outcome", "queued"}:
            self.task.job.emit(event.kind, **event.data)

    def _patience(self) -> float:
        """Return the seconds that one answer may take."""
        return min(self._endpoint.timeout_s, self._left() + LATE_S)

    def _left(self) -> float:
        """Return the seconds that the call may still take."""
        limit = self.task.job.limit_s
        return float("inf") if limit is None else max(0.0, limit - (time.perf_counter() - self._started))

    def _made(
        self,
        value: Any = None,
        warnings: tuple[str, ...] = (),
        error: HfregError | None = None,
        inner: Outcome | None = None,
    ) -> Outcome:
        version, ran_ms = self._version, (time.perf_counter() - self._started) * 1e3
        load_ms = inner.timings.load_ms if inner else 0.0
        return Outcome(
            alias=version.alias,
            version=version.number,
            state=version.state,
            value=value,
            error=error,
            warnings=warnings,
            notes=(*self._notes, *(inner.notes if inner else ())),
            stdout=inner.stdout if inner else "",
            timings=Timings(self._queue_ms, load_ms, ran_ms - load_ms, ran_ms + self._queue_ms),
            cold=inner.cold if inner else False,
            tier=TIER,
            pins=inner.pins if inner else {},
            status=inner.status if inner else "ok" if error is None else "error",
            use=self._use,
        )
