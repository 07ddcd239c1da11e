"""The one format of a measured result: figures, and with what, where and from which commit they were measured.

    from bench.report import Figure, write

    met = write("warm_call", [
        Figure("warm call by alias over the pipeline called directly, p50", 0.11, "ms", "≤ 0.15", "the same pipeline"),
    ], threads="1 torch thread")

`write` prints the figures, writes bench/results/<name>.json and returns whether every target was met. A target is `≤`,
`<`, `≥`, `>` and a number in the figure's unit; whether it was met is computed, never stated. `bench/figures.py` makes
the README's table from these files. Not here: measuring, and choosing peers.
"""

from __future__ import annotations

import json
import operator
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "transformers", "huggingface_hub", "streamlit", "tinydb", "SQLAlchemy", "pydantic", "numpy")
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "≤": operator.le,
    "<": operator.lt,
    "≥": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number: what it is in words, its unit, the target if there is one, and the peer of the same run."""

    name: str
    value: float
    unit: str
    target: str = ""
    peer: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the target was met; None where there is none."""
        if not self.target:
            return None
        sign, _, bound = self.target.partition(" ")
        return COMPARE[sign](self.value, float(bound.replace(",", "")))


def machine() -> dict[str, Any]:
    """Say what the figures were measured on, and how busy it was."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    load = [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "load": load,
    }


def versions() -> dict[str, str]:
    """Say which Python and which versions of the packages that matter are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Return the commit that was measured, with a `+` when tracked files differed from it."""
    here = Path(__file__).parent
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=here)
    dirty = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "../hfreg"], capture_output=True, cwd=here)
    return head.stdout.strip() + ("+" if dirty.returncode else "")


def write(name: str, figures: Sequence[Figure], threads: str = "", details: Mapping[str, Any] | None = None) -> bool:
    """Print the figures, write bench/results/<name>.json, and return whether every target was met."""
    for figure in figures:
        verdict = {None: "", True: "met", False: "MISSED"}[figure.ok]
        print(f"{figure.name:<76} {figure.value:>12,} {figure.unit:<8} {figure.target:<10} {verdict}")
    result = {
        "name": name,
        "commit": commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "threads": threads,
        "figures": [asdict(figure) | {"ok": figure.ok} for figure in figures],
        "details": dict(details or {}),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to bench/results/{path.name}")
    return all(figure.ok is not False for figure in figures)
