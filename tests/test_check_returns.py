"""Returns: what a source returns is held to the output type before anything runs."""

from __future__ import annotations

import pytest
from check_rules import LOAD, SEED_LOGIC, define, findings

from hfreg.scoring.check import source_findings

# output type, level, a part of the message, the line, a source to flag, a source to leave alone
RETURNS = {
    "text for a number": ("Numerical", "warning", "It is text", 2, "x = 1\nreturn 'yes'", "return 1"),
    "a made-up text for a number": ("Numerical", "warning", "It is text", 1, "return f'{text}'", "return float(text)"),
    "text for a map": ("Map[String, Any]", "warning", "It is text", 1, "return 'yes'", "return {'a': 1}"),
    "a dict for a text": ("String", "warning", "It is a dict", 2, "x = text\nreturn {'label': x}", "return text"),
    "a dict for a list": ("List", "warning", "It is a dict", 1, "return {'label': text}", "return [text]"),
    "a list for a text": ("String", "warning", "It is a list", 1, "return [c for c in text]", "return ''.join(text)"),
    "a missing field": (
        "Struct[a: String, b: Numerical]",
        "warning",
        "lacks `b`",
        1,
        "return {'a': text}",
        "x = {}\nreturn {'a': text, **x}",
    ),
    "a wrong value inside": (
        "Map[String, Numerical]",
        "warning",
        "At ['a']",
        1,
        "return {'a': 'b'}",
        "return {'a': text}",
    ),
    "one side of a choice": (
        "Numerical",
        "warning",
        "It is text",
        1,
        "return 1 if text else 'no'",
        "return 1 if text else None",
    ),
    "a number in a map of texts": (
        "Map[String, String]",
        "warning",
        "Struct[sentiment: String, confidence: Numerical]",
        3,
        f"{LOAD}return {{'sentiment': 'x', 'confidence': client(text)[0]['score']}}",
        f"{LOAD}return {{'sentiment': client(text)[0]['label']}}",
    ),
    "a guessed text for a number": (
        "Numerical",
        "warning",
        "seems to return text",
        2,
        "x = text.strip()\nreturn x[0] if 0 else x.upper()",
        "return text",
    ),
    "a field too many": (
        "Struct[a: String]",
        "warning",
        "`z` will be left out",
        1,
        "return {'a': 'x', 'z': 1}",
        "return {'a': 'x'}",
    ),
    "a function": (
        "Any",
        "warning",
        "has a function in it",
        2,
        "x = text\nreturn lambda: x",
        "return (lambda: text)()",
    ),
    "a function of the code": (
        "List",
        "warning",
        "has the function `said` in it",
        3,
        "def said():\n    return text\nreturn [said]",
        "def said():\n    return text\nreturn [said()]",
    ),
    "a class by another name": (
        "Any",
        "warning",
        "has the class `C` in it",
        4,
        "class C:\n    a = text\nd = C\nreturn {'c': d} if text else None",
        "def once(f):\n    return f()\n@once\nclass C:\n    a = text\n@once\ndef d():\n    return 1\nreturn d",
    ),
    "no return": ("String", "hint", "returns nothing", 2, "x = text\nprint(x)", "print(text)\nreturn text"),
    "a branch without return": (
        "String",
        "hint",
        "can end here without a return",
        2,
        "if text:\n    return text",
        "if text:\n    return text\nelse:\n    raise ValueError(text)",
    ),
    "a try that can end": (
        "String",
        "hint",
        "can end here",
        4,
        "try:\n    return text\nexcept ValueError:\n    print(1)",
        "try:\n    x = text\nexcept ValueError:\n    return None\nelse:\n    return x",
    ),
    "a loop that ends": (
        "String",
        "hint",
        "can end here",
        2,
        "while text:\n    return text",
        "while True:\n    return text",
    ),
}


@pytest.mark.parametrize("rule", RETURNS)
def test_a_return_is_held_to_the_output_type(rule: str) -> None:
    output, level, part, line, flagged, clean = RETURNS[rule]
    told = findings(flagged, output_type=output)
    assert [(f.level, f.line) for f in told if part in f.message] == [(level, line)], told
    assert not [f for f in findings(clean, output_type=output) if part in f.message or f.level != "hint"]


def test_any_output_type_takes_every_return() -> None:
    assert findings("if text:\n    return {'a': [1, 'b']}", output_type="Any") == []


def test_pieces_are_not_held_to_the_output_type() -> None:
    assert findings("yield {'a': text}", output_type="String") == []


def test_the_seeds_scoring_logic_has_no_error_and_proposes_a_type_for_its_number() -> None:
    definition = define(SEED_LOGIC, output_type="Map[String, String]")
    found = source_findings(definition)
    assert {f.level for f in found} == {"warning", "hint"}
    proposals = [f for f in found if "Struct[sentiment: String, confidence: Numerical]" in f.message]
    assert [SEED_LOGIC.splitlines()[f.line - 1].strip()[:6] for f in proposals if f.line] == ["return", "return"]
