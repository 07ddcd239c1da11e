"""Checks: the command that runs the checks of a model, or lists them.

Ends with 0 when every check is right and with 1 when one is not, so that a pipeline can stop there.
"""

from __future__ import annotations

import argparse

from hfreg.checks import Check
from hfreg.cli.words import say
from hfreg.floors import Floor
from hfreg.registry import Registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--list", action="store_true", help="list the checks in place of running them")


def command(registry: Registry, given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if given.list:
        kept: list[Check | Floor] = [*registry.checks(given.alias), *registry.floors(given.alias)]
        lines = [f"{check.name}: expects {check.wanted}" for check in kept]
        return say(given, [check.model_dump(mode="json") for check in kept], lines, f"{given.alias} has no checks.")
    report = registry.run_checks(given.alias, given.number)
    lines = [f"ok    {one.name}" if one.ok else f"FAIL  {one.name}: {one.message}" for one in report.results]
    say(given, {"ok": report.ok, **report.model_dump(mode="json")}, [*lines, str(report)])
    return 0 if report.ok else 1
