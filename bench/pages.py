"""How long the server needs for a rerun of each page, with 200 models and 100,000 calls in the last 30 days.

Every page of hfreg/ui/frame.py is run by Streamlit's own script runner, through app.py, in this process; the clock
runs from the start of the script to its end, without the browser and without reading the answer back. Beside the time
that passed stands the processor time of the script's thread, which a busy machine does not stretch. Prints a table and
writes bench/results/pages.json.

    python -m bench.pages [page …]
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.report import Figure, write

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
MODELS, CALLS, DAYS, RUNS = 200, 100_000, 30, 30
NOW = datetime.now(UTC)
ADDRESS = {
    "model": {"alias": "model_7"},
    "playground": {"alias": "model_7"},
    "usage": {"range": "30d"},
}
SOURCE = 'if not text:\n    return None\nreturn {"label": "positive", "score": threshold}\n'


def fill(home: Path) -> None:
    """Register the models and log the calls."""
    import hfreg
    from hfreg.store.events import Call, Events, new_call_id

    with hfreg.open(home) as registry:
        for number in range(MODELS):
            registry.register(
                hfreg.Definition(
                    alias=f"model_{number}",
                    name=f"Model {number}",
                    description="Says whether a customer review is positive. Use for feedback analysis.",
                    output_type="Map[String, Any]",
                    arguments=[
                        hfreg.Argument("text", "String", usage="Main input content"),
                        hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
                    ],
                    scoring_logic=SOURCE,
                )
            )
    pick = random.Random(7)
    with Events(home / "events.sqlite", limit=10**6) as events:
        for _ in range(CALLS):
            status = pick.choices(("ok", "error", "timeout", "cancelled"), (95, 3, 1, 1))[0]
            events.record(
                Call(
                    new_call_id(),
                    NOW - timedelta(days=pick.uniform(0.01, DAYS - 0.01)),
                    f"model_{pick.randrange(MODELS)}",
                    1,
                    "Approved",
                    pick.choice(("python", "playground", "cli")),
                    f"user_{pick.randrange(40)}",
                    status,
                    "" if status == "ok" else pick.choice(("ValueError", "KeyError", "ScoringTimeout")),
                    "" if status == "ok" else "could not read the text",
                    cold=pick.random() < 0.01,
                    run_ms=(milliseconds := pick.lognormvariate(2, 1)),
                    total_ms=milliseconds * 1.05 + 0.2,
                )
            )
        assert events.flush(300)
        assert events.count() == CALLS


def page_files() -> list[str]:
    """List the scripts of all pages that the frame knows."""
    from hfreg.ui import frame

    named = [value for value in vars(frame).values() if isinstance(value, str) and value.startswith("pages/")]
    return sorted({path for path in named if (ROOT / path).exists()})


def measure(script: str) -> dict[str, Any]:
    """Run one page again and again; the first run, which opens what later ones find open, counts apart."""
    from streamlit.testing.v1 import AppTest

    name = Path(script).stem
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.run()
    at.switch_page(script)
    for key, value in ADDRESS.get(name, {}).items():
        at.query_params[key] = value
    first, *later = [_timed(at) for _ in range(RUNS + 1)]
    wall, busy = (sorted(times) for times in zip(*later, strict=True))
    return {
        "n": RUNS,
        "first_ms": round(first[0], 1),
        **{f"p{p}_ms": round(wall[min(RUNS - 1, RUNS * p // 100)], 1) for p in (50, 95)},
        "cpu_p50_ms": round(busy[RUNS // 2], 1),
        "failed": [str(error.value)[:200] for error in at.exception],
    }


def _timed(at: Any) -> tuple[float, float]:
    STOPWATCH.clear()
    with contextlib.redirect_stderr(io.StringIO()):
        at.run()
    # A page that asks for another run of itself is charged for both.
    return sum(wall for wall, _ in STOPWATCH) * 1000, sum(cpu for _, cpu in STOPWATCH) * 1000


STOPWATCH: list[tuple[float, float]] = []


def start_stopwatch() -> None:
    """Time each script run where Streamlit executes it."""
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

    plain = ScriptRunner._run_script

    def timed(self: Any, rerun_data: Any) -> None:
        began, busy = time.perf_counter(), time.thread_time()
        try:
            plain(self, rerun_data)
        finally:
            STOPWATCH.append((time.perf_counter() - began, time.thread_time() - busy))

    ScriptRunner._run_script = timed  # type: ignore[method-assign]


def figures(pages: dict[str, dict[str, Any]]) -> list[Figure]:
    """Give each page's median rerun against the target, its own processor time beside it."""
    return [
        Figure(
            f"rerun of the page {name} on the server, {MODELS} models, {CALLS:,} calls, p50",
            found["p50_ms"],
            "ms",
            "≤ 150",
            f"processor time of it: {found['cpu_p50_ms']} ms",
        )
        for name, found in pages.items()
    ]


def main() -> None:
    """Measure, print, and write the results; with pages named, only print those."""
    wanted, pages = sys.argv[1:], {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ |= {"HFREG_HOME": str(home), "HF_HOME": f"{folder}/hf", "HF_HUB_OFFLINE": "1"}
        fill(home)
        start_stopwatch()
        for script in page_files():
            name = Path(script).stem
            if not wanted or name in wanted:
                pages[name] = measure(script)
                print(name, pages[name])
    failed = [name for name, found in pages.items() if found["failed"]]
    if failed:
        sys.exit(f"raised an error, so nothing was written: {', '.join(failed)}")
    met = bool(wanted) or write("pages", figures(pages), f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}", pages)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
