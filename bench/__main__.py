"""Run the benchmarks: all of them, each in a process of its own, or those that are named.

    python -m bench
    python -m bench warm_call start

Each script prints its figures, writes bench/results/<name>.json and fails when a target is missed; so does this.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "warm_call",
    "log",
    "naive",
    "start",
    "events",
    "pages",
    "playground",
    "streaming",
    "isolated",
    "batching",
    "bfloat16",
    "simulation",
    "hub_form",
)
NEEDED = {"playground": "playwright", "streaming": "playwright"}


def main(names: list[str]) -> int:
    """Run the scripts one after the other and return how many missed a target or failed."""
    if unknown := [name for name in names if name not in SCRIPTS]:
        print(f"There is no benchmark `{unknown[0]}`. There is: {', '.join(SCRIPTS)}.", file=sys.stderr)
        return 2
    missed = [name for name in names or SCRIPTS if not run(name)]
    print(f"\n{'Missed or failed: ' + ', '.join(missed) if missed else 'Every target was met.'}")
    return 1 if missed else 0


def run(name: str) -> bool:
    """Run one script and return whether it met its targets."""
    print(f"\n{name}", flush=True)
    if name in NEEDED and importlib.util.find_spec(NEEDED[name]) is None:
        print(f"left out: it needs {NEEDED[name]}")
        return True
    return subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=Path(__file__).parents[1]).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
