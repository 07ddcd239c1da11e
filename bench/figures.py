"""The table of figures in the README, made from bench/results/*.json, so that the two cannot drift apart.

    python -m bench.figures            prints the table
    python -m bench.figures --write    puts it between the two marks in README.md

It measures nothing: each file comes from the script of the same name beside this one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures: python -m bench.figures --write -->", "<!-- end of figures -->"
VERDICTS = {None: "", True: "met", False: "**missed**"}


def results() -> list[dict[str, Any]]:
    """Read every result, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]


def table(found: list[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table, and under it where they were measured."""
    lines = ["| Figure | Measured | Target | | Beside it, in the same run |", "|---|---:|---:|---|---|"]
    for result in found:
        for figure in result["figures"]:
            target = f"{figure['target']} {figure['unit']}".strip() if figure["target"] else ""
            value = f"{figure['value']:,} {figure['unit']}".strip()
            lines.append(f"| {figure['name']} | {value} | {target} | {VERDICTS[figure['ok']]} | {figure['peer']} |")
    return "\n".join([*lines, "", *(f"{line}  " for line in _circumstances(found))]).rstrip() + "\n"


def written(text: str, found: list[dict[str, Any]]) -> str:
    """Return the text of the README with the table between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(found)}{END}{tail}"


def _circumstances(found: list[dict[str, Any]]) -> list[str]:
    """Say of each result when and on what it was measured."""
    lines = []
    for result in found:
        machine, threads = result["machine"], result["threads"] or "threads as set by default"
        load = f"load {machine['load'][0]}" if machine["load"] else "load not known"
        where = f"{machine['cores']} cores ({machine['cpu']}, {load})"
        commit = result["commit"][:10] + ("+" if result["commit"].endswith("+") else "")
        lines.append(f"`{result['name']}` at {commit}, {where}, Python {result['versions']['python']}, {threads}.")
    return lines


def main() -> None:
    """Print the table, or write it into the README."""
    if "--write" in sys.argv[1:]:
        README.write_text(written(README.read_text(encoding="utf-8"), results()), encoding="utf-8")
    else:
        print(table(results()), end="")


if __name__ == "__main__":
    main()
