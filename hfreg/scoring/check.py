"""Check: what can be said about scoring logic without running it.

Collects the rules of its rooms: `names` (undefined, unused), `sources` (repo ids and loads), `returns` (the
output type), `secrets`, `limits` (of arguments), `habits` (what works otherwise here). It parses and never runs or
imports the user's code. Rules about the rest of a definition are `Definition.findings()`, about other models the
registry's.
"""

from __future__ import annotations

from collections.abc import Iterator

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, TypeNotationError
from hfreg.scoring.habits import habit_rules, unused_arguments
from hfreg.scoring.limits import limit_rules
from hfreg.scoring.names import name_rules
from hfreg.scoring.reading import Reading
from hfreg.scoring.returns import return_rules
from hfreg.scoring.secrets import masked, secrets_by_name, secrets_in_text
from hfreg.scoring.sources import Repository, repositories, source_rules
from hfreg.scoring.syntax import (
    FIELD,
    code_of,
    function,
    names_of,
    of_initialization,
    read,
    syntax_finding,
    whole_code,
)
from hfreg.values import Finding

__all__ = ["Repository", "repositories", "source_findings"]

MAX_FINDINGS = 200

_RANK = {"error": 0, "warning": 1, "hint": 2}


def source_findings(definition: Definition) -> list[Finding]:
    """List what is to be said about the scoring logic, by line; never raises, runs nothing."""
    definition = definition.scored
    found, given = _initialization(definition)
    try:
        tree = read(definition.scoring_logic)
    except DefinitionError as error:
        found += error.findings
        if all("KiB" not in finding.message for finding in found):
            found += secrets_in_text(definition.scoring_logic)
        return _ordered(found)
    found += secrets_in_text(definition.scoring_logic)
    try:
        reading = Reading(tree, tuple(argument.alias for argument in definition.arguments))
        found += _rules(reading, definition, given)
    except (RecursionError, MemoryError) as error:
        found.append(syntax_finding(error))
    return _ordered(found)


def _initialization(definition: Definition) -> tuple[list[Finding], frozenset[str]]:
    """Return what is to be said about the initialization logic, and the names that it gives to scoring logic."""
    source = definition.initialization_logic
    if not source.strip():
        return [], frozenset()
    found = list(secrets_in_text(source))
    given: frozenset[str] = frozenset()
    alone = definition.model_copy(update={"arguments": ()})
    try:
        tree = read(source)
        whole_code(tree)
        given = names_of(tree)
        reading = Reading(tree, ())
        found += [*habit_rules(reading, alone), *source_rules(reading), *secrets_by_name(reading.nodes)]
        found += [f for f in name_rules(reading, alone, tree) if f.level != "hint"]  # who uses a name is elsewhere
    except DefinitionError as error:
        found += error.findings
    except (RecursionError, MemoryError) as error:
        found.append(syntax_finding(error))
    return [of_initialization(finding) for finding in found], given


def _rules(reading: Reading, definition: Definition, given: frozenset[str]) -> Iterator[Finding]:
    if not reading.tree.body:
        if definition.input_type != "API Based":  # there the reply is the answer
            yield Finding("warning", FIELD, None, "There is no scoring logic yet, so every answer is None.")
        return
    yield from habit_rules(reading, definition)
    yield from source_rules(reading)
    yield from secrets_by_name(reading.nodes)
    yield from unused_arguments(reading, definition)
    yield from limit_rules(reading, definition)
    try:
        yield from return_rules(reading, definition.parsed_output_type)
    except TypeNotationError:
        pass  # Definition.findings() names it
    module = function(reading.tree, "scoring_logic", [argument.alias for argument in definition.arguments])
    try:
        code_of(module)
    except DefinitionError as error:  # pyflakes takes for granted that Python can compile what it sees
        yield from error.findings
    else:
        yield from name_rules(reading, definition, module, given)


def _ordered(found: list[Finding]) -> list[Finding]:
    unique = list({(f.level, f.field, f.line, f.message): f for f in found}.values())
    first = sorted(unique, key=lambda f: _RANK[f.level])[:MAX_FINDINGS]
    told = (Finding(f.level, f.field, f.line, masked(f.message)) for f in first)
    return sorted(told, key=lambda f: (f.field != FIELD, f.field, f.line or 0, _RANK[f.level]))
