"""Streamed: replies that come in pieces, put together to what the whole reply would be.

Each function asks a client for a stream, hands on the pieces of text as they come, and returns the reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hfreg.errors import HubUnreachable
from hfreg.hub.bounded import Bounded, Hearing


def chat(client: Bounded, parameters: Mapping[str, Any], hearing: Hearing) -> dict[str, Any]:
    """Return the reply of a chat: one choice with the whole message, and the usage where the stream tells it."""
    options: Any = {"include_usage": True}
    texts: list[str] = []
    reply: dict[str, Any] = {"object": "chat.completion", "model": None, "usage": None}
    reason = None
    for part in client.chat_completion(**parameters, stream=True, stream_options=options):
        reply |= {name: found for name in ("id", "model", "usage") if (found := getattr(part, name, None)) is not None}
        for choice in part.choices[:1]:
            reason = choice.finish_reason or reason
            if text := choice.delta.content:
                texts.append(text)
                hearing.piece(text)
    if reason is None:
        raise _broken(client)
    message = {"role": "assistant", "content": "".join(texts)}
    return {**reply, "choices": [{"index": 0, "finish_reason": reason, "message": message}]}


def generation(client: Bounded, parameters: Mapping[str, Any], hearing: Hearing) -> str:
    """Return the text that was generated; tokens that are no text, such as the end, are left out."""
    texts: list[str] = []
    whole: str | None = None
    for part in client.text_generation(**parameters, stream=True, details=True):
        if not part.token.special:
            texts.append(part.token.text)
            hearing.piece(part.token.text)
        whole = part.generated_text if isinstance(part.generated_text, str) else whole
    if whole is None:
        raise _broken(client)
    return whole


def _broken(client: Bounded) -> HubUnreachable:
    return HubUnreachable(
        f"{client.where} ended its stream without saying that the reply is complete. Try again; if it never does, "
        "switch streaming off for it."
    )


CAN_STREAM: Mapping[str, Callable[[Bounded, Mapping[str, Any], Hearing], Any]] = {
    "chat-completion": chat,
    "text-generation": generation,
}
"""The tasks of `hfreg.endpoint.STREAMED`, each with who asks for it."""
