"""Batching: many rows of unmodified scoring logic, few forward passes.

Each row runs on a pooled thread, and the threads pass one baton: exactly one row runs at a time, and it hands over only
where it calls a gathered model, or at its end. So `cache`, tokenizers and globals see one row at a time. When no row
can run, the calls that wait are made together (`hfreg.scoring.forwards`), by the thread that holds the loaded model;
then each row goes on with its own answer. A row that raises, calls twice or calls another model holds up nobody.

Gathered are the models of what load-once keeps (the model of a pipeline, of a SentenceTransformer, or one that scoring
logic calls itself), and only while rows run together: their class is exchanged for one whose calls wait. Scoring logic
that takes locks or starts threads of its own does not run this way: a row could wait for another that waits for it.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, Protocol, cast

from hfreg.definition import Definition
from hfreg.scoring.forwards import Call, Forwards, Turn, fits, gatherable

MAX_TOGETHER = 192
"""Rows that run together: each has a thread, and a confined process may have 256."""
IDLE_S = 2.0
"""Seconds after which a thread that no row needs ends."""
ON_ITS_OWN = re.compile(
    r"\b(threading|asyncio|concurrent|multiprocessing|multiprocess|joblib|subprocess|queue|fcntl|filelock|Thread"
    r"|Lock|RLock|Semaphore|Condition|Barrier|signal|greenlet|gevent|trio|anyio)\b"
)
"""Words in scoring logic that may wait for another row, or run beside it."""

_here = threading.local()


class Row(Turn, Protocol):
    """One row on its way, as an engine sees it."""

    def run(self) -> None:
        """Run it to its end, whatever that is; raises nothing."""

    def leave(self) -> None:
        """Another row takes its turn; may raise to end this row."""

    def enter(self, waited_s: float) -> None:
        """Its turn again, after it waited so long for others; may raise to end this row."""


def gathers(definition: Definition) -> bool:
    """Whether rows of this definition may run together.

    >>> gathers(Definition(alias="one", scoring_logic="return client(text)"))
    True
    >>> gathers(Definition(alias="one", scoring_logic="with threading.Lock(): return client(text)"))
    False
    """
    if definition.options.quantization:  # its range is that of a whole pass: an answer would depend on who shares it
        return False
    code = definition.initialization_logic + definition.scoring_logic
    return definition.batching and definition.input_type != "API Based" and not ON_ITS_OWN.search(code)


class Crew:
    """The threads of one loaded model, its baton, and the calls that wait. `run` belongs to one thread at a time."""

    def __init__(self, name: str, loaded: Callable[[], Iterable[Any]]) -> None:
        self._name = name
        self._loaded = loaded
        self._forwards = Forwards(time.perf_counter)
        self._idle: list[_Hand] = []
        self._lock = threading.Lock()
        self._closed = False
        self._models: dict[int, Any] = {}
        # From here on only who has the baton touches it.
        self._pending: deque[tuple[Context, Row]] = deque()
        self._ready: deque[_Hand] = deque()
        self._waiting: list[tuple[Call, _Hand]] = []
        self._mine = threading.Lock()
        self._mine.acquire()

    def run(self, rows: Iterable[Row]) -> None:
        """Run rows to their ends."""
        self._pending.extend((copy_context(), row) for row in rows)
        for value in self._loaded():
            self.adopt(value)
        try:
            while True:
                self.pass_on()
                self._mine.acquire()
                if not self._waiting:
                    return
                self._flush()
        finally:
            self._release()

    def adopt(self, value: Any) -> None:
        """Gather the calls of what was loaded, from now until the rows in work have ended."""
        for model in _models(value):
            if id(model) not in self._models and gatherable(model):
                self._models[id(model)] = model
                object.__setattr__(model, "__class__", _waiting_class(cast(Hashable, type(model))))

    def close(self) -> None:
        """End the threads that wait for rows."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for hand in idle:
            hand.go.release()

    def call(self, model: Any, real: Callable[..., Any], name: str, inputs: dict[str, Any]) -> Any:
        """Wait until no row can run, and return the answer that came of it; called by a row that has its turn."""
        hand: _Hand = _here.hand
        row = hand.row
        if row is None or id(model) in self._forwards.alone:
            return real(model, **inputs)
        call = Call(row, model, real, name, inputs)
        row.leave()
        left = time.perf_counter()
        self._waiting.append((call, hand))
        self.pass_on()
        hand.go.acquire()
        row.enter(time.perf_counter() - left - call.seconds)
        if call.error is not None:
            raise call.error
        return call.answer

    def pass_on(self) -> None:
        """Hand the baton to a row that can run, else to whoever holds the loaded model."""
        if self._ready:
            self._ready.popleft().go.release()
        elif self._pending:
            hand = self._hand()
            hand.context, hand.row = self._pending.popleft()
            hand.go.release()
        else:
            self._mine.release()

    def next_row(self, hand: _Hand) -> bool:
        """Give a thread whose row ended another one; without any it passes the baton on and waits. False ends it."""
        if not self._ready and self._pending:
            hand.context, hand.row = self._pending.popleft()
            return True
        hand.row = None
        with self._lock:
            if goes_on := not self._closed:
                self._idle.append(hand)
        self.pass_on()
        return goes_on and hand.wait(self._lock, self._idle)

    def _hand(self) -> _Hand:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Hand(self, self._name)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            self._forwards.answer([call for call, _ in waiting])
        except BaseException as problem:  # an interruption that came late: each row of it is told
            for call, _ in waiting:
                if call.answer is None and call.error is None:
                    call.error = problem
        self._ready.extend(hand for _, hand in waiting)

    def _release(self) -> None:
        for model in self._models.values():
            object.__setattr__(model, "__class__", type(model).__hfreg_real__)
        self._models.clear()


class _Hand:
    """One pooled thread; `go` is what it waits at."""

    def __init__(self, crew: Crew, name: str) -> None:
        self.go = threading.Lock()
        self.go.acquire()
        self.row: Row | None = None
        self.context = copy_context()
        self._crew = crew
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        _here.hand, _here.crew = self, self._crew
        self.go.acquire()
        while True:
            assert self.row is not None  # noqa: S101
            self.context.run(self.row.run)
            if not self._crew.next_row(self):
                return

    def wait(self, lock: threading.Lock, idle: list[_Hand]) -> bool:
        """Wait for a row; False when there was none for long."""
        while not self.go.acquire(timeout=IDLE_S):
            with lock:
                if self in idle:
                    idle.remove(self)
                    return False
        return self.row is not None


def _models(value: Any) -> Iterator[Any]:
    """Yield the models of transformers in what was loaded."""
    modeling = sys.modules.get("transformers.modeling_utils")
    if modeling is None:
        return
    base = modeling.PreTrainedModel
    for candidate in (value, getattr(value, "model", None)):
        if isinstance(candidate, base):
            yield candidate
            return
    if isinstance(value, sys.modules["torch"].nn.Module):  # a SentenceTransformer holds one
        inner = [module for module in value.modules() if isinstance(module, base)]
        yield from inner[:1]


@functools.cache
def _waiting_class(real: Any) -> Any:
    """Return a class that looks like a model's own, and whose calls wait where they may."""

    def exchanged(name: str) -> Callable[..., Any]:
        run = getattr(real, name)

        @functools.wraps(run)
        def passed(self: Any, *args: Any, **inputs: Any) -> Any:
            crew: Crew | None = getattr(_here, "crew", None)
            if crew is None or not fits(self, args, inputs):
                return run(self, *args, **inputs)
            return crew.call(self, run, name, inputs)

        passed.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]  # pipelines ask for it in each call
        return passed

    body = {
        "__call__": exchanged("__call__"),
        "forward": exchanged("forward"),  # some call it past the hooks
        "__hfreg_real__": real,
        "__module__": real.__module__,
        "__qualname__": real.__qualname__,
        "__doc__": real.__doc__,
    }
    # Its base is set afterwards: transformers would take a class that is made over one of its own for a new model.
    made = type(real.__name__, (sys.modules["torch"].nn.Module,), body)
    made.__bases__ = (real,)
    return made
