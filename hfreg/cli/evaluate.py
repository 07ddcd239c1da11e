"""Evaluate: the commands that hold kept simulations against a column of truth, alone and beside each other."""

from __future__ import annotations

import argparse
from typing import Any

from hfreg.cli.words import say
from hfreg.metrics.labelled import KINDS
from hfreg.registry import Registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("--truth", required=True, metavar="COLUMN", help="the column that holds the truth")
    add_choices(parser)
    add_slices(parser)


def add_comparing(parser: argparse.ArgumentParser) -> None:
    """Add the words and options of `compare`."""
    parser.add_argument("simulations", nargs="+", metavar="SIMULATION", help="the champion first, then challengers")
    parser.add_argument("--truth", required=True, metavar="COLUMN", help="the column that holds the truth")
    add_choices(parser)
    parser.add_argument("--save", action="store_true", help="save it among the comparisons of the workbench")


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add what is guessed where it is not named."""
    parser.add_argument("--kind", choices=KINDS, help="what to measure (default: guessed)")
    parser.add_argument("--positive", default="", metavar="LABEL", help="the label that is to be found")
    parser.add_argument("--field", default="", help="the field of the answer that is compared with the truth")
    parser.add_argument("--score", default="", metavar="FIELD", help="the field of the answer that holds the score")


def add_slices(parser: argparse.ArgumentParser) -> None:
    """Add what to slice by."""
    text = "measure by the values of a column too, or by 'length of COLUMN'; as often as needed"
    parser.add_argument("--slice", action="append", default=[], metavar="COLUMN", help=text)


def command(registry: Registry, given: argparse.Namespace) -> int:
    """Run `evaluate` and return its exit code."""
    from hfreg.cli import figures  # numpy is slow to import, and other commands need none

    found = registry.evaluate(given.simulation, given.truth, **choices(given), slices=given.slice)
    return say(given, found.as_json(), figures.of_evaluation(found))


def comparing(registry: Registry, given: argparse.Namespace) -> int:
    """Run `compare` and return its exit code."""
    from hfreg.cli import figures

    made = registry.compare(given.simulations, given.truth, **choices(given))
    if given.save:
        registry.save_comparison(made)
    saved = [f"saved as {made.id}"] if given.save else []
    return say(given, made.as_json(), [*figures.of_comparison(made), *saved])


def choices(given: argparse.Namespace) -> dict[str, Any]:
    """Return what was named of what else is guessed."""
    return {"kind": given.kind, "positive": given.positive, "field": given.field, "score": given.score}
