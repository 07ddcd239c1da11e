"""Simulate: the command that runs a table through a model.

Progress goes to stderr, what came of it to the file that `-o` names, and a line (or JSON) to stdout. Ctrl+C pauses:
what is done is kept, and `--resume` goes on behind it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hfreg.cli import evaluate
from hfreg.cli.words import failed, pairs, say
from hfreg.errors import ArgumentError, SimulationError
from hfreg.metrics.slices import LENGTH
from hfreg.registry import Registry
from hfreg.simulation import Progress, Simulation, table
from hfreg.simulation.decisions import require_column
from hfreg.tables import open_table

SHOWN_S = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write, ending in .csv or .parquet")
    text = "give an argument a column (default: guessed by the names)"
    parser.add_argument("--map", metavar="COLUMN=ARGUMENT", action="append", default=[], help=text)
    text = "give an argument the same value in every row"
    parser.add_argument("--set", metavar="ARGUMENT=VALUE", action="append", default=[], help=text)
    parser.add_argument("--limit", type=int, metavar="ROWS", help="run the first rows only")
    text = "go on with the newest simulation of this model and table that did not end"
    parser.add_argument("--resume", action="store_true", help=text)
    text = "hold the answers against this column of the table, once it is done"
    parser.add_argument("--truth", metavar="COLUMN", help=text)
    evaluate.add_choices(parser)
    evaluate.add_slices(parser)


def command(registry: Registry, given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    output = Path(given.output) if given.output else None
    if output is not None and output.suffix.lower() not in (".csv", ".parquet"):
        raise ArgumentError(f"{output.name} has to end in .csv or .parquet.")
    simulation = _unfinished(registry, given).resume() if given.resume else _begun(registry, given)
    try:
        _follow(simulation)
    except KeyboardInterrupt:
        simulation.pause()
        simulation.wait()
        return failed(f"paused after {simulation.progress.rows:,} rows; --resume goes on behind them")
    now = simulation.progress
    if output is not None and now.rows:
        simulation.save(output)
    record = table(simulation)
    where = f", written to {output}" if output is not None else ""
    lines = [f"{now.state}: {now.rows:,} rows, {now.failed:,} without an answer, {now.seconds:.1f} s{where}"]
    if given.truth and now.state == "done":
        from hfreg.cli import figures

        found = registry.evaluate(simulation.id, given.truth, **evaluate.choices(given), slices=given.slice)
        record["evaluation"] = found.as_json()
        lines += [f"simulation {simulation.id}", *figures.of_evaluation(found)]
    say(given, record, lines)
    return 0 if now.state == "done" else failed(now.reason or f"the simulation is {now.state}; --resume goes on")


def _begun(registry: Registry, given: argparse.Namespace) -> Simulation:
    mapping = _mapping(given.map)
    for name in filter(None, [given.truth, *(one.removeprefix(LENGTH) for one in given.slice)]):
        require_column(name, open_table(given.table).columns, Path(given.table).name)  # before hours of work
    return registry.simulate(given.alias, given.table, given.number, mapping, pairs(given.set), limit=given.limit)


def _mapping(words: Sequence[str]) -> dict[str, str]:
    """Read COLUMN=ARGUMENT words; the name of a column may hold a `=`, that of an argument none."""
    found: dict[str, str] = {}
    for word in words:
        column, equals, argument = word.rpartition("=")
        if not equals:
            raise ArgumentError(f"{word!r} maps nothing. Write column=argument, for example body=text.")
        if column in found:
            raise ArgumentError(f"The column `{column}` is mapped twice.")
        found[column] = argument
    return found


def _unfinished(registry: Registry, given: argparse.Namespace) -> Simulation:
    path = str(Path(given.table).resolve())
    for one in registry.simulations():
        if one.plan.alias == given.alias and one.plan.table.path == path and one.state not in ("done", "running"):
            return one
    raise SimulationError(f"There is no simulation of {given.alias} with {given.table} that could go on.")


def _follow(simulation: Simulation) -> None:
    """Tell where it is until it stands still: on one line in a terminal, else every ten seconds."""
    terminal, told = sys.stderr.isatty(), time.monotonic()
    while simulation.wait(SHOWN_S).running:
        if terminal:
            print(f"\r\033[K{_words(simulation.progress)}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - told >= 10 * SHOWN_S:
            told = time.monotonic()
            print(_words(simulation.progress), file=sys.stderr, flush=True)
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _words(now: Progress) -> str:
    of = f" of {now.total:,}" if now.total is not None else ""
    rate = f", {now.rate:,.1f} rows/s" if now.rate else ""
    left = f", {now.left_s:,.0f} s left" if now.left_s is not None else ""
    return f"{now.rows:,}{of} rows, {now.failed:,} without an answer{rate}{left}"
