"""Advice: the way out that a message offers when a value does not fit a type.

Knows kinds by their word and values by their Python class only; whether a value fits is decided elsewhere.
"""

from __future__ import annotations

import datetime
import math
import re

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

_RETURN = {
    "Numerical": "Return the number itself, or make the output type String.",
    "Boolean": "Return True or False.",
    "DateTime": "Return a datetime.",
    "Array": "Return a list.",
    "Map": "Return a dict.",
    "Struct": "Return a dict with these fields.",
    **dict.fromkeys(("Image", "Audio"), "Pictures and sound are arguments only; return text or numbers."),
}
_PASS = {
    "String": "Pass a text.",
    "Numerical": "Pass a number.",
    "Boolean": "Pass True or False.",
    "DateTime": "Pass a datetime or a date.",
    "Array": "Pass a list.",
    "Map": "Pass a dict.",
    "Struct": "Pass a dict with these fields.",
    "Image": "Pass a path, bytes, a PIL image, or a numpy array of height × width × 3.",
    "Audio": 'Pass a path, bytes, (samples, rate) or {"array": samples, "sampling_rate": rate}.',
    "Any": "Pass text, numbers, True, False, None, a datetime, or lists and dicts of them.",
}


def advice(kind: str, value: object, answer: bool) -> str:
    """Say how to give a value that the type of this kind takes."""
    found = type(value)
    if found is float and not math.isfinite(value):  # type: ignore[arg-type]
        return f"NaN and infinity are refused: {'return' if answer else 'pass'} None for a missing number."
    if kind in {"Image", "Audio"}:
        return _RETURN[kind] if answer else _PASS[kind]
    if issubclass(found, (bytes, bytearray, memoryview)):
        return "Decode it to text first: value.decode()."
    if found.__name__ in {"function", "builtin_function_or_method", "method", "type"}:
        return f"Call it and {'return' if answer else 'pass'} what it gives."
    return _for_answer(kind, value) if answer else _for_argument(kind, value)


def _for_answer(kind: str, value: object) -> str:
    found = type(value)
    if found is dict and kind != "Any":
        return "Return one of its values, or make the output type Map[String, Any]."
    if found is list and kind != "Any":
        return "Return one of its items, or make the output type List."
    if kind in {"String", "Any"}:
        return "Return text, numbers, True, False, None, a datetime, or lists and dicts of them."
    return _RETURN[kind]


def _for_argument(kind: str, value: object) -> str:
    if type(value) is str:
        return _for_text(kind, value)
    if kind == "Numerical" and type(value) is bool:
        return f"A Boolean is no Numerical: pass {int(value)}, or make the argument Boolean."
    if kind == "String" and type(value) in {int, float}:
        return f'Pass it as text: "{value}".' if len(f"{value}") < 40 else "Pass it as text."
    if kind == "Boolean" and value in (0, 1):
        return f"Pass {bool(value)}."
    if kind == "DateTime" and type(value) in {int, float}:
        return "Pass datetime.fromtimestamp(…) if it counts seconds."
    if kind == "Array" and issubclass(type(value), (set, frozenset)):
        return "Pass list(…) of it."
    if kind == "Array" and hasattr(type(value), "__next__"):
        return "Pass list(…) of it."
    return _PASS[kind]


def _for_text(kind: str, text: str) -> str:
    short = text if len(text) <= 40 else text[:40] + "…"
    if kind == "Numerical" and NUMBER.fullmatch(text.strip()):
        return f"Pass {short.strip()} without quotes."
    if kind == "DateTime" and _is_date(text):
        return f'Pass datetime.fromisoformat("{short}").'
    if kind == "Array":
        return "Pass a list, even of one: [value]."
    return _PASS[kind]


def _is_date(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def text_advice(kind: str, text: str) -> str:
    """Say how to write a text that the type of this kind reads."""
    stripped = text.strip()
    if kind == "Numerical":
        return _number_advice(stripped)
    if kind == "Boolean":
        return "Write true or false."
    if kind == "DateTime":
        return "Write ISO 8601, for example 2026-11-23 or 2026-11-23T10:30:00."
    if stripped[:1] in {"[", "{"} and "'" in stripped:
        return f"JSON wants double quotes: write {_EXAMPLES[kind]}."
    if re.search(r"\b(True|False|None)\b", stripped):
        return "JSON writes true, false and null."
    if re.search(r"\b(NaN|Infinity)\b", stripped):
        return "NaN and infinity are refused: write null for a missing number."
    return f"Write JSON, for example {_EXAMPLES[kind]}."


_EXAMPLES = {
    "Any": '["a", "b"]',
    "Array": '["a", "b"]',
    "Map": '{"name": "value"}',
    "Struct": '{"name": "value"}',
}


def _number_advice(text: str) -> str:
    if NUMBER.fullmatch(text.replace("_", "")):
        return "Write it without underscores." if "_" in text else "It is too large for a number."
    if NUMBER.fullmatch(text.replace(",", ".", 1)):
        return "Write a point for decimals and nothing between thousands, for example 0.5 or 1000."
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        return "NaN and infinity are refused: leave it empty for a missing number."
    if text == "None":
        return "Leave it empty for None."
    return "Write a number, for example 512 or 0.5."
