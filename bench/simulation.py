"""Rows per second of a simulation whose scoring logic does nothing, and what the platform takes of each row.

A table of two columns in CSV goes through a model that compares the length of a text: read, bound, run, converted,
counted and written. What remains of a row beside the function itself is the platform's. Memory is the peak of this
process after the table, over the one after its first 10,000 rows.

    python -m bench.simulation [--rows 1000000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import hfreg
from bench.report import Figure, write
from hfreg.settings import Settings

LOGIC = "return {'label': 'long' if len(text) > 12 else 'short', 'score': len(text) / 10}"
FIRST = 10_000


def peak_mib() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, rows: int) -> list[Figure]:
    """Run the table once, after its first rows."""
    table = folder / "table.csv"
    with table.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{i},text number {i}\n" for i in range(rows))
    with hfreg.Registry(Settings(home=folder / "home", offline=True)) as registry:
        definition = hfreg.Definition(
            alias="sizes",
            output_type="Struct[label: String, score: Numerical]",
            arguments=[hfreg.Argument("text")],
            scoring_logic=LOGIC,
        )
        registry.register(definition)
        registry.simulate("sizes", table, limit=FIRST).wait()
        before = peak_mib()
        done = registry.simulate("sizes", table).wait()
        now, grown = done.progress, peak_mib() - before
        assert (now.state, now.rows, now.failed) == ("done", rows, 0), "every row has its answer"
        overhead_us = (now.seconds * 1e3 - done.tally.run_ms) / rows * 1e3
    return [
        Figure(f"{rows:,} trivial rows", round(rows / now.seconds), "rows/s", "≥ 15000", f"{now.seconds:.1f} s"),
        Figure("platform per trivial row", round(overhead_us, 1), "µs", "≤ 60", "read, bound, converted, written"),
        Figure("memory over that of 10,000 rows", round(grown, 1), "MiB", "≤ 40", f"{before:.0f} MiB before"),
    ]


def main() -> bool:
    """Measure, print and write; return whether the targets were met."""
    parser = argparse.ArgumentParser(description="Rows per second of a simulation that does nothing.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        figures = measure(Path(folder), given.rows)
    return write("simulation", figures)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
