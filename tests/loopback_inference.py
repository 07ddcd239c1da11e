"""The inference routes of the loopback Hub: the router's `hf-inference`, and servers that speak its protocol.

A good answer for each task by itself; what a test puts into `LoopbackHub.says` is said first: another status, a
body that is no JSON, headers, a delay. Every question is kept in `LoopbackHub.asked`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROUTE = re.compile(r"/(?:hf-inference/models/[^/]+/[^/]+(?:/pipeline/feature-extraction)?|server(?:/.*)?|v1/.*)")
LABELS = [{"label": "POSITIVE", "score": 0.75}, {"label": "NEGATIVE", "score": 0.25}]
CHAT = {
    "id": "chat-1", "object": "chat.completion", "created": 1, "model": "org/chat",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Ahoy"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "cost": 0.0005},
}  # fmt: skip


@dataclass
class Said:
    """One answer in place of the good one."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def streamed(*events: Any, done: bool = True) -> Said:
    """Return an answer that comes as events, as chats and TGI stream them."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"] * done
    return Said("".join(lines).encode(), headers={"Content-Type": "text/event-stream; charset=utf-8"})


def chat_piece(text: str | None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Return one event of a chat."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "model": "org/chat", "choices": [choice], **more}


def token(text: str, special: bool = False, whole: str | None = None) -> dict[str, Any]:
    """Return one event of TGI's text generation."""
    return {"index": 1, "token": {"id": 1, "text": text, "logprob": 0.0, "special": special}, "generated_text": whole}


class InferenceAnswers:
    """The part of the request handler that answers questions to models."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))  # type: ignore[attr-defined]
        self.asked = self.rfile.read(length)  # type: ignore[attr-defined]
        self._answer()  # type: ignore[attr-defined]

    def _ask(self) -> None:
        hub: Any = self.hub  # type: ignore[attr-defined]
        body = json.loads(self.asked)
        hub.asked.append(body)
        said = hub.says.pop(0) if hub.says else Said(good(self.path, body))  # type: ignore[attr-defined]
        time.sleep(said.after_s)
        self._send(said.status, said.data, "application/json", said.headers)  # type: ignore[attr-defined]


def good(path: str, body: Mapping[str, Any]) -> Any:
    """Return what a server says to a question, as it would by its path and parameters."""
    text, parameters = body.get("inputs"), body.get("parameters") or {}
    if path.endswith("/chat/completions"):
        return CHAT
    if path.endswith(("/feature-extraction", "/embed")):
        return [[0.5, 0.25, -1.0]]
    if "candidate_labels" in parameters:
        return [{"label": name, "score": 1 / 2**n} for n, name in enumerate(parameters["candidate_labels"], 1)]
    if path.endswith("/generate"):
        return [{"generated_text": f"{text} and so on"}]
    if path.endswith("/mask"):
        return [{"score": 0.5, "token": 7, "token_str": "sea", "sequence": "the sea is wide"}]
    if path.endswith("/tokens"):
        return [{"entity_group": "LOC", "score": 0.5, "word": "Bergen", "start": 0, "end": 6}]
    return [LABELS]
