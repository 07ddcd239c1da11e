"""A million rows through a model: memory stays flat, and every row has its answer."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

import hfreg

ROWS = 1_000_000
GROWS_AT_MOST = 40  # MiB of resident memory, after the first rows


@pytest.mark.soak
def test_a_million_rows_need_no_more_memory_than_ten_thousand(registry: hfreg.Registry, tmp_path: Path) -> None:
    logic = "return {'label': 'long' if len(text) > 12 else 'short', 'score': len(text) / 10}"
    output = "Struct[label: String, score: Numerical]"
    definition = hfreg.Definition(
        alias="sizes", output_type=output, arguments=[hfreg.Argument("text")], scoring_logic=logic
    )
    registry.register(definition)
    path = tmp_path / "table.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{i},text number {i}\n" for i in range(ROWS))
    registry.simulate("sizes", path, limit=10_000).wait()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = registry.simulate("sizes", path).wait(170)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    now = done.progress
    print(f"{now.rate:,.0f} rows/s, {now.seconds:.1f} s, peak {before / 1024:.0f} then {after / 1024:.0f} MiB")
    assert (now.state, now.rows, now.failed) == ("done", ROWS, 0)
    assert (after - before) / 1024 < GROWS_AT_MOST
    assert sum(1 for _ in done.results()) == ROWS
