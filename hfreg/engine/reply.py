"""Reply: what came back from an endpoint, as an answer of the output type where no scoring logic makes one.

A reply has several shapes that may be meant: all labels with their scores, the best of them, its name alone. The
first that the output type takes as it is stands for the answer, else the first that it takes with a warning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from hfreg.engine import Use
from hfreg.errors import OutputError
from hfreg.types.base import Converted, Type


def answer(output: Type, task: str, reply: Any) -> Converted:
    """Return the answer that the reply of a task makes; raises OutputError when no shape of it is one."""
    warned: Converted | None = None
    first: OutputError | None = None
    for shape in shapes(task, reply):
        try:
            converted = output.convert(shape)
        except OutputError as error:
            first = first or error
            continue
        if not converted.warnings:
            return converted
        warned = warned or converted
    if warned is not None:
        return warned
    told = str(first) if first else "It is empty."
    raise OutputError(f"The reply of {task} is no {output}: {told} Add scoring logic that makes one of `response`.")


def shapes(task: str, reply: Any) -> Iterator[Any]:
    """Yield what a reply may mean, the fullest first.

    >>> list(shapes("text-classification", [{"label": "good", "score": 0.9}]))[1:]
    [{'label': 'good', 'score': 0.9}, {'good': 0.9}, 'good', 0.9]
    """
    if task == "chat-completion":
        yield from _chat(reply)
    elif isinstance(reply, list) and reply and all(isinstance(one, dict) for one in reply):
        yield reply
        yield from _ranked(reply)
    elif task == "text-classification" and isinstance(reply, dict):
        yield from shapes(task, [reply])
    elif task == "feature-extraction":
        yield reply
        while isinstance(reply, list) and len(reply) == 1 and isinstance(reply[0], list):
            reply = reply[0]
            yield reply
    else:
        yield reply


def usage(reply: Any) -> Use | None:
    """Return what a reply says of its use: tokens, and the cost where it has one; None where it says nothing.

    >>> usage({"usage": {"prompt_tokens": 12, "completion_tokens": 3, "cost": 0.5}})
    Use(tokens_in=12, tokens_out=3, cost=0.5)
    """
    told = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(told, dict):
        return None
    use = Use(
        _count(told.get("prompt_tokens", told.get("input_tokens"))),
        _count(told.get("completion_tokens", told.get("output_tokens"))),
        _amount(told.get("cost", told.get("total_cost"))),
    )
    return None if use == Use() else use


def _count(told: Any) -> int | None:
    return told if type(told) is int and 0 <= told < 2**53 else None


def _amount(told: Any) -> float | None:
    """Return a cost; what is no amount is no cost, never 0."""
    return float(told) if type(told) in {int, float} and 0 <= told < 2**53 and math.isfinite(told) else None


def _chat(reply: Any) -> Iterator[Any]:
    choices = reply.get("choices") if isinstance(reply, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if isinstance(message, dict) and isinstance(message.get("content"), str):
        yield message["content"]
        yield {"role": message.get("role"), "content": message["content"]}
    yield reply


def _ranked(found: list[dict[str, Any]]) -> Iterator[Any]:
    """Yield the best alone, the scores by label, the label, the score."""
    best = found[0]
    if all(isinstance(one.get("score"), (int, float)) for one in found):
        best = max(found, key=lambda one: one["score"])
    name = next((key for key in ("label", "sequence", "entity_group", "word") if isinstance(best.get(key), str)), None)
    yield best
    if name == "label":
        yield {one["label"]: one.get("score") for one in found if isinstance(one.get("label"), str)}
    if name is not None:
        yield best[name]
    if "score" in best:
        yield best["score"]
