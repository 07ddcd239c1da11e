"""Bounded: an InferenceClient whose every request has bounds, so that no server can hold or fill this process.

A reply ends at its size, at its time and when its call is stopped, also one that trickles; a redirect is not followed,
because it would carry a text to an address that nobody reviewed. What a reply means is not looked at here.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from huggingface_hub import InferenceClient
from huggingface_hub.errors import InferenceTimeoutError
from huggingface_hub.utils._http import get_session, hf_raise_for_status

from hfreg.errors import HubError, HubUnreachable

MAX_REPLY = 32 * 2**20
"""Bytes of one reply, unpacked."""
MAX_LINE = 2**20
"""Bytes of one line of a streamed reply."""
MAX_REASON = 64 * 2**10
"""Bytes of what a server says of its refusal that are read."""


class Hearing(Protocol):
    """Whoever waits for a reply: told its pieces, and able to end it."""

    @property
    def streams(self) -> bool:
        """Whether the reply is wanted in pieces."""

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more."""

    def piece(self, text: str) -> None:
        """Take a piece of a streamed reply."""

    def ends_by(self, end: Callable[[], None] | None) -> None:
        """Take what ends the request from another thread; None once it is over."""


class NotStreamed(Exception):
    """The server answered a question that asked for a stream with the whole reply; the client keeps it."""


class Bounded(InferenceClient):
    """An InferenceClient for one question to `where`; `begin` sets its bounds before it is asked."""

    def begin(self, where: str, timeout_s: float, hearing: Hearing) -> None:
        """Set who is asked, in how many seconds the reply has to be there, and who hears it."""
        self.where, self._hearing = where, hearing
        self._end = time.monotonic() + timeout_s
        self._whole: bytes | None = None

    def close(self) -> None:
        """End the request, if it is not over."""
        self._hearing.ends_by(None)
        self.exit_stack.close()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _inner_post(self, request_parameters: Any, *, stream: bool = False) -> Any:
        """Make the request, in place of huggingface_hub's own way, which reads all that comes, however long."""
        if self._whole is not None:
            return self._whole
        asked = get_session().stream(
            "POST",
            request_parameters.url,
            json=request_parameters.json,
            content=request_parameters.data,
            headers=request_parameters.headers,
            cookies=self.cookies,
            timeout=self.timeout,
            follow_redirects=False,
        )
        response = self.exit_stack.enter_context(asked)
        self._hearing.ends_by(partial(_hang_up, response))
        self._refuse(response)
        if stream and response.headers.get("content-type", "").startswith("text/event-stream"):
            return self._lines(response)
        whole = b"".join(self._chunks(response, MAX_REPLY))
        if stream:
            self._whole = whole
            raise NotStreamed
        return whole

    def _refuse(self, response: Any) -> None:
        """Raise what huggingface_hub makes of a status that is no success, of no more than the first of its body."""
        status = response.status_code
        if 300 <= status < 400:
            to = urlsplit(response.headers.get("location", "")).hostname or "another path"
            raise HubError(
                f"{self.where} sends the call on to {to[:100]} ({status}). That is not followed, so that no text goes "
                "to an address that was not reviewed. Name the address that answers."
            )
        if status >= 400:
            body = b"".join(self._chunks(response, MAX_REASON, cut=True))
            headers = [(k, v) for k, v in response.headers.items() if k not in {"content-encoding", "content-length"}]
            hf_raise_for_status(type(response)(status, headers=headers, content=body, request=response.request))

    def _chunks(self, response: Any, most: int, cut: bool = False) -> Iterator[bytes]:
        """Yield the body as it comes, up to the bounds."""
        taken = 0
        for chunk in response.iter_bytes():
            if self._hearing.stopped:
                raise HubUnreachable(f"The call of {self.where} was stopped.")
            if time.monotonic() > self._end:
                raise InferenceTimeoutError("the reply is not complete")
            taken += len(chunk)
            if taken > most and cut:
                return
            if taken > most:
                raise HubError(
                    f"{self.where} answers with more than {most >> 20} MiB, the most that a reply may have. "
                    "Ask for less, for example a smaller max_tokens or fewer texts."
                )
            yield chunk

    def _lines(self, response: Any) -> Iterator[str]:
        rest = b""
        for chunk in self._chunks(response, MAX_REPLY):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_LINE:
                raise HubError(f"{self.where} streams a line of more than {MAX_LINE >> 20} MiB, the most it may have.")
            yield from (line.decode("utf-8", "replace").rstrip("\r") for line in lines)
        yield rest.decode("utf-8", "replace")


def _hang_up(response: Any) -> None:
    """Cut the connection of a reply, from any thread: whoever waits for more of it wakes up."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if connection is not None:
        try:
            socket.socket.shutdown(
                connection, socket.SHUT_RDWR
            )  # not that of TLS, which would pull the rug from a read
        except OSError:
            pass  # it is closed already
