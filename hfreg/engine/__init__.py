"""Engine: what runs scoring logic. The protocol, and the values that cross it.

An engine is given a Version and rows of arguments and hands back a Run: Outcomes in the order of the
rows, whether anyone reads them or not. It binds arguments, loads once, holds one execution slot per
loaded model, converts answers to the output type and measures time. It knows no store: what it needs
of the platform (files of a pinned commit, environment, other models) comes through `Platform`.

Every entrance goes through one Engine; pages and the registry use nothing beyond this module.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from hfreg.errors import HfregError
from hfreg.version import Version

Status = Literal["ok", "error", "timeout", "cancelled"]
EventKind = Literal["queued", "loading", "download", "loaded", "running", "print", "piece", "outcome"]


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the milliseconds of one call went; `total_ms` is what the caller waited."""

    queue_ms: float = 0.0
    load_ms: float = 0.0
    run_ms: float = 0.0
    total_ms: float = 0.0

    @property
    def platform_ms(self) -> float:
        """What binding, conversion and hand-over took: the total less queue, load and run."""
        return max(0.0, self.total_ms - self.queue_ms - self.load_ms - self.run_ms)


@dataclass(frozen=True, slots=True)
class Use:
    """What a call used up elsewhere, as the reply tells it: tokens, and the cost in the provider's currency.

    What the reply does not tell is None.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None

    def __str__(self) -> str:
        counts = (("in", self.tokens_in), ("out", self.tokens_out))
        tokens = ", ".join(f"{count:,} {way}" for way, count in counts if count is not None)
        said = [f"Tokens: {tokens}."] if tokens else []
        return " ".join([*said, *([] if self.cost is None else [f"Cost as the provider tells it: {self.cost:g}."])])


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What became of one row: a value, or the error in its place, and how it came about."""

    alias: str
    version: int
    state: str
    value: Any = None
    error: HfregError | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stdout: str = ""
    timings: Timings = Timings()
    cold: bool = False
    tier: str = "inline"
    pins: Mapping[str, str] = field(default_factory=dict)
    status: Status = "ok"
    use: Use | None = None

    def __repr__(self) -> str:
        answer = repr(self.value) if self.error is None else f"{type(self.error).__name__}: {self.error}"
        warned = f", {len(self.warnings)} warnings" if self.warnings else ""
        how = "cold" if self.cold else "warm"
        return (
            f"<Outcome {answer} ({how}, {self.timings.total_ms:.1f} ms, version {self.version} {self.state}{warned})>"
        )

    @property
    def ok(self) -> bool:
        """Whether there is an answer."""
        return self.error is None

    def result(self) -> Any:
        """Return the value, or raise the error that stands in its place."""
        if self.error is not None:
            raise self.error
        return self.value


class Event(NamedTuple):
    """One thing that happened during a run, for whoever shows progress.

    kind and data: `loading` {what}, `download` {repo, file, done, total} in bytes, `loaded` {ms}, `running` {row},
    `print` {text}, `piece` {value} of a streamed answer, `outcome` {row, arguments, outcome}. Called from the engine's
    threads, one at a time.
    """

    kind: EventKind
    data: Mapping[str, Any]


OnEvent = Callable[[Event], None]


class Resolver(Protocol):
    """Turns a repo id of scoring logic into a local, read-only folder of one pinned commit."""

    def resolve(self, repo: str, revision: str | None = None) -> Path:
        """Return the folder; downloads on first use. Raises HubError."""

    @property
    def pins(self) -> Mapping[str, str]:
        """What was resolved so far: repo id to commit."""


class Platform(Protocol):
    """What an engine may ask of the platform on behalf of one version."""

    def resolver(self, version: Version, on_event: OnEvent, cancel: threading.Event) -> Resolver:
        """Return the Resolver that knows the pins of this version; a download ends when `cancel` is set."""

    def environment(self, version: Version) -> Mapping[str, str]:
        """Return the variables that scoring logic sees on top of the process's own."""

    def folder(self, version: Version) -> Path:
        """Return the uploaded folder of a Custom version, as it was uploaded; raises StoreError."""

    def call(self, caller: Version, alias: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call another registered model (a resource of the caller) and return its value."""


class Run(Protocol):
    """A submitted job: iterate for its Outcomes in row order; it goes on whether or not anyone does."""

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each Outcome as soon as its row is done."""

    def cancel(self) -> None:
        """Stop: the row in work becomes a cancelled Outcome, the rest are not begun."""

    @property
    def done(self) -> bool:
        """Whether the last row is done."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One model in memory, for the Loaded models page; its times are those of `time.time()`.

    A model in a process has its `pid`, what confines it (`layers`, layer to report), its processor time and the memory
    that one call may take (`limit_bytes`); `memory_bytes` is then its proportional share (PSS), else that of weights.
    `cold_ms` is the last answer for which something was loaded, `warm_ms` the median of the last ones without.
    """

    alias: str
    version: int
    state: str
    since: float
    last_call: float
    calls: int
    memory_bytes: int
    load_ms: float
    busy: bool
    waiting: int = 0
    cold_ms: float | None = None
    warm_ms: float | None = None
    tier: str = "inline"
    layers: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    frozen: bool = False
    kept: bool = False
    cpu_s: float | None = None
    limit_bytes: int | None = None

    @property
    def doing(self) -> Literal["starting", "loading", "answering", "frozen", "idle"]:
        """What it does now; `starting` has no process yet, `loading` is its first call."""
        if not self.busy:
            return "frozen" if self.frozen else "idle"
        if self.calls:
            return "answering"
        return "loading" if self.pid or self.tier == "inline" else "starting"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an engine stands: its tier, whether a model would start at once, and the memory its models may take."""

    tier: str
    ready: bool = True
    budget_bytes: int | None = None


class Engine(Protocol):
    """Runs scoring logic; `tier` says how it is confined: `confined`, `process only` or `inline`."""

    tier: str

    def submit(
        self,
        version: Version,
        rows: Iterable[Mapping[str, Any]],
        limits: float | None,
        on_event: OnEvent | None = None,
        here: bool = False,
    ) -> Run:
        """Begin a job over rows of arguments and return at once; `limits` is seconds per row.

        `here` tells that the caller waits for the answer of its one row in any case: the row may run before this
        returns, in the caller's thread.

        Rows are bound one by one: a row that does not fit is an Outcome with its ArgumentError, and loads nothing.
        """

    def load(self, version: Version, on_event: OnEvent | None = None) -> Run:
        """Begin to have a model ready without running a row: its process is started, its source compiled."""

    def loaded(self, measure: bool = True) -> list[Loaded]:
        """List the models in memory; without `measure` their memory is what was last known, which costs nothing."""

    def keep(self, alias: str, version: int, on: bool = True) -> None:
        """Keep a model loaded when others need its memory, until it is unloaded; or do so no longer."""

    def standing(self) -> Standing:
        """Return how the engine stands."""

    def unload(self, alias: str, version: int | None = None) -> int:
        """Drop a model from memory and return how many loads were dropped; a run in work ends first."""

    def close(self) -> None:
        """End every run and drop every model."""
