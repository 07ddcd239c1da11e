"""What logging a call adds to the call, end to end: through the registry against the engine alone.

A model that only returns its argument is called in turns through `Registry.start`, which admits the call, measures
and logs it, and through the engine that both share, which does not. The writer writes meanwhile, as it always does.
What `record` costs by itself, beside a bare INSERT, is measured by `bench/events.py`.

    python -m bench.log
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import hfreg
from bench.report import Figure, write
from bench.timing import in_turns, milliseconds
from hfreg.settings import Settings


def measure(folder: Path, calls: int = 5000) -> tuple[list[Figure], dict[str, Any]]:
    """Call a trivial model both ways; each logged call must be on disk afterwards, the others must not."""
    settings = Settings(home=folder / "home", offline=True)
    with hfreg.Registry(settings) as registry:
        version = registry.register(
            hfreg.Definition(alias="echo", arguments=[hfreg.Argument("text")], scoring_logic="return text")
        )
        rows, limit, warm_up = [{"text": "I love this great product."}], settings.timeout_s, 100
        logged, plain = in_turns(
            calls,
            lambda: next(iter(registry.start(version, rows))).result(),
            lambda: next(iter(registry.engine.submit(version, rows, limit))).result(),
            warm_up=warm_up,
        )
        assert registry.events.flush()
        assert registry.events.count() == calls + warm_up
    added = (milliseconds(logged) - milliseconds(plain)) * 1e3
    peer = f"{milliseconds(plain) * 1e3:.0f} µs for the same call through the engine alone"
    figures = [Figure("logging adds to a call, p50", round(added, 1), "µs", "< 50", peer)]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    details = {
        name: {key: round(milliseconds(times, share) * 1e3, 1) for key, share in shares.items()}
        for name, times in (("logged_us", logged), ("engine_alone_us", plain))
    }
    return figures, {"calls": calls, **details}


def main() -> bool:
    """Measure, print and write; return whether the target was met."""
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        figures, details = measure(Path(folder))
    return write("log", figures, threads="one caller, one model thread, one writer", details=details)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
