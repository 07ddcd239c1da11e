"""Calls to log in tests, and other Pythons that log them."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hfreg.store.events import Call, new_call_id

NOW = datetime(2026, 10, 27, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent


def a_call(**changes: Any) -> Call:
    """Make one ordinary call."""
    plain = Call(new_call_id(), NOW, "guard", 3, "Approved", "python", "sam", "ok", run_ms=4.0, total_ms=5.0)
    return replace(plain, **changes)


def some_calls(count: int, seed: int, days: float = 20) -> list[Call]:
    """Make a seeded mixture of calls before NOW, each at a moment of its own."""
    pick = random.Random(seed)
    statuses = pick.choices(("ok", "error", "timeout", "cancelled", "refused"), (90, 5, 2, 2, 1), k=count)
    return [
        a_call(
            at=NOW - timedelta(microseconds=1 + n + pick.randrange(int(days * 86_400)) * 1_000_000),
            alias=f"model_{pick.randrange(6)}",
            version=pick.randrange(1, 4),
            source=pick.choice(("python", "cli", "playground")),
            user=f"user_{pick.randrange(5)}",
            status=status,
            error_kind="" if status == "ok" else pick.choice(("ScoringError", "ValueError")),
            error="" if status == "ok" else f"what went wrong {n}",
            cold=pick.random() < 0.1,
            total_ms=pick.lognormvariate(2, 1),
        )
        for n, status in enumerate(statuses)
    ]


MAKE = """
import sys, time, os
from datetime import UTC, datetime
from hfreg.store.events import Call, Events, new_call_id
def call(n):
    return Call(new_call_id(), datetime.now(UTC), f"model_{n % 7}", 1, "Draft", "python", "sam", "ok")
"""


def python(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start another Python in which `call(n)` makes the nth call; it runs the code."""
    command = [sys.executable, "-c", MAKE + textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options)


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for it, check that it ended well, and return what it printed."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def wait_for(done: Callable[[], Any], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
