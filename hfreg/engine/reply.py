"""Reply: what came back from an endpoint, as an answer of the output type where no scoring logic makes one.

A reply has several shapes that may be meant: all labels with their scores, the best of them, its name alone. The
first that the output type takes as it is stands for the answer, else the first that it takes with a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


def usage(reply: Any) -> tuple[str, ...]:
    """Return what a reply says of its use, as notes: tokens, and the cost where it has one."""
    told = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(told, dict):
        return ()
    counts = {
        "in": told.get("prompt_tokens", told.get("input_tokens")),
        "out": told.get("completion_tokens", told.get("output_tokens")),
    }
    said = [f"{count:,} {way}" for way, count in counts.items() if isinstance(count, int)]
    notes = [f"Tokens: {', '.join(said)}."] if said else []
    if isinstance(cost := told.get("cost", told.get("total_cost")), (int, float)) and not isinstance(cost, bool):
        notes.append(f"Cost as the provider tells it: {cost:g}.")
    return tuple(notes)


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
