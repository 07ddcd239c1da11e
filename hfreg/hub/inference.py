"""Inference: one question to a model that runs elsewhere, through huggingface_hub's InferenceClient.

Asks a provider of the Hub, or a server by its address, for one of the tasks of `hfreg.endpoint`, and returns the
reply as plain values. One attempt each: who waits and asks again is `hfreg.engine.remote`. The token goes to the
Hub's router; to another address only when the endpoint says so. The bounds of a request are in `hfreg.hub.bounded`,
how deep a reply may be is bounded here.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import is_dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from huggingface_hub import errors as hub

from hfreg.endpoint import Endpoint
from hfreg.errors import HubBusy, HubError, HubUnreachable, RepoNotFound, TokenRejected
from hfreg.hub.bounded import Bounded, Hearing, NotStreamed
from hfreg.hub.client import Hub
from hfreg.hub.streamed import CAN_STREAM
from hfreg.hub.translate import INTEGRATIONS, translate
from hfreg.settings import Token

MAX_SAID = 300
MAX_DEPTH = 64
"""Lists and maps of a reply inside each other."""
BUSY = {429: "answers “too many requests” (429)", 503: "is not ready (503): the model may still be loading"}
_ROUTED = "hf_"
"""How a token begins that the Hub's router takes; with any other the client would turn to the provider itself."""
_LISTS = ("candidate_labels", "stop", "targets", "ignore_labels")
_DEEP = (
    f"{{where}} answers with lists and maps more than {MAX_DEPTH} inside each other, the most that a reply may have. "
    "Check the address."
)
_NOT_SERVED = re.compile(r"(?:Model|Task|Provider|Non-conversational) ")


class Inference:
    """Asks models that run elsewhere, with the token in use at that moment."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def ask(self, endpoint: Endpoint, given: Mapping[str, Any], timeout_s: float, hearing: Hearing) -> Any:
        """Return the reply to the parameters `given`, as plain values.

        Raises HubBusy when the server asks to come back later, TokenRejected, RepoNotFound, HubUnreachable or
        another HubError, whose message names the server and never the token.
        """
        token = None if endpoint.base_url and not endpoint.send_token else self._hub.token()
        _require_token(endpoint, token)
        parameters = _prepared(endpoint, given)
        try:
            with _client(endpoint, token, timeout_s) as client:
                client.begin(endpoint.where, timeout_s, hearing)
                return _plain(_asked(client, endpoint.task, parameters, hearing))
        except HubError:
            raise
        except RecursionError:
            raise HubError(_DEEP.format(where=endpoint.where)) from None
        except Exception as error:
            raise _told(error, endpoint, token, timeout_s, hearing.streams) from None


def _client(endpoint: Endpoint, token: Token | None, timeout_s: float) -> Bounded:
    headers: dict[str, Any] = {"x-wait-for-model": "true"} if endpoint.wait_for_model else {}
    if token is None:
        headers["authorization"] = None  # else the client looks for a token in the environment and sends that
    key = token.value if token else "none"
    if endpoint.base_url:
        return Bounded(model=endpoint.base_url, token=key, timeout=timeout_s, headers=headers)
    provider: Any = endpoint.provider
    return Bounded(model=endpoint.model, provider=provider, token=key, timeout=timeout_s, headers=headers)


def _asked(client: Bounded, task: str, parameters: Mapping[str, Any], hearing: Hearing) -> Any:
    """Return the reply, as a stream where one is wanted and the server has it."""
    if hearing.streams:
        try:
            return CAN_STREAM[task](client, parameters, hearing)
        except NotStreamed:
            pass  # the client has the whole reply, and asks nobody
        except ValueError as error:
            if "as a stream" not in str(error):  # what the client says of a server that it knows to be no TGI
                raise
    return getattr(client, task.replace("-", "_"))(**parameters)


def _require_token(endpoint: Endpoint, token: Token | None) -> None:
    if endpoint.base_url or endpoint.provider == "hf-inference":
        return
    if token is None:
        raise TokenRejected(f"{endpoint.where} needs a Hugging Face token. Save one in {INTEGRATIONS}.")
    if not token.value.startswith(_ROUTED):
        raise TokenRejected(
            f"The token of {token.source} is not sent to {endpoint.where}: one of the Hub begins with {_ROUTED}."
        )


def _prepared(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as the client wants them: messages for a chat, lists where one text stands for them."""
    parameters = {name: value for name, value in given.items() if value is not None}
    for name in _LISTS:
        if isinstance(text := parameters.get(name), str):
            parts = [part.strip() for part in text.split(",")] if name != "stop" else [text]
            parameters[name] = [part for part in parts if part]
    if endpoint.task != "chat-completion":
        return parameters
    messages = parameters.get("messages")
    if isinstance(messages, str):
        parameters["messages"] = messages = [{"role": "user", "content": messages}]
    if (system := parameters.pop("system", None)) is not None:
        parameters["messages"] = [{"role": "system", "content": system}, *(messages or [])]
    if endpoint.base_url and endpoint.model:
        parameters["model"] = endpoint.model
    return parameters


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a reply without the client's own classes; raises RecursionError for one that is too deep."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if is_dataclass(value):  # its items lack what a server adds to the fields that the client knows
        value = vars(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part, depth + 1) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _told(error: Exception, endpoint: Endpoint, token: Token | None, timeout_s: float, streams: bool) -> HubError:
    where = endpoint.where
    if isinstance(error, hub.TextGenerationError):
        said = error.args[0].get("message", "") if isinstance(error.args[0], dict) else str(error.args[0])
        return HubError(f"{where} broke its reply off: {_cut(str(said), token)}")
    if isinstance(error, hub.InferenceTimeoutError) or "TimeoutException" in {k.__name__ for k in type(error).__mro__}:
        return HubUnreachable(f"{where} did not answer within {timeout_s:g} s. Try again, or allow it more time.")
    if isinstance(error, (hub.RepositoryNotFoundError, hub.OfflineModeIsEnabled)):
        if isinstance(error, hub.OfflineModeIsEnabled):
            return HubUnreachable(f"HF_HUB_OFFLINE keeps {where} from being asked. Unset it for models that run there.")
        return translate(error, endpoint.model, None, token, "the Hub") or HubError(f"{where} could not be asked.")
    if isinstance(error, hub.HfHubHTTPError):
        return _by_status(error, endpoint, token, streams)
    if isinstance(error, StopIteration):
        return RepoNotFound(f"No Inference Provider of the Hub serves `{endpoint.model}`. Choose another model.")
    if isinstance(error, ValueError) and _NOT_SERVED.match(str(error)):
        return RepoNotFound(f"{where} does not serve this: {_cut(str(error), token)}")
    if (found := translate(error, "", None, token, where)) is not None:
        return found
    return HubError(
        f"{where} answered with something that is no answer of {endpoint.task} ({type(error).__name__}). "
        "Check the task and the address."
    )


def _by_status(error: hub.HfHubHTTPError, endpoint: Endpoint, token: Token | None, streams: bool) -> HubError:
    where, status = endpoint.where, error.response.status_code
    if status in BUSY:
        return HubBusy(f"{where} {BUSY[status]}. Try again later.", _wait(error))
    if status in {401, 403} and token is None:
        way = "Switch on sending the token to it." if endpoint.base_url else f"Save one in {INTEGRATIONS}."
        return TokenRejected(f"{where} wants a token ({status}). {way}")
    if status in {401, 403} and token is not None:
        which = f"the token {token.masked} ({token.source})"
        return TokenRejected(f"{where} does not accept {which} ({status}). It may lack the right to make calls.")
    if status == 404:
        return RepoNotFound(f"{where} has nothing there (404). Check the model, the task and the address.")
    said = _cut(_message(error), token)
    told = f": {said}" if said else "."
    if status >= 500:
        return HubUnreachable(f"{where} failed ({status}){told}")
    way = " If it cannot stream, switch streaming off for it." if streams and "stream" in said else ""
    return HubError(f"{where} refuses the call ({status}){told}{way}")


def _message(error: hub.HfHubHTTPError) -> str:
    """Return what the server gives as the reason, if it gives one."""
    try:
        body = json.loads(error.response.text)
    except Exception:  # no JSON, or a body that was not read
        return ""
    for name in ("error", "message", "detail"):
        found = body.get(name) if isinstance(body, dict) else None
        if isinstance(found, dict):
            found = found.get("message")
        if isinstance(found, str):
            return found
    return ""


def _cut(text: str, token: Token | None) -> str:
    """Return one short line of what another side said, the token taken out."""
    clean = " ".join((text.replace(token.value, "…") if token else text).split())
    return clean if len(clean) <= MAX_SAID else clean[:MAX_SAID] + "…"


def _wait(error: hub.HfHubHTTPError) -> float | None:
    """Return in how many seconds the server asks to come back, None where it does not say."""
    text = error.response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        pass
    try:
        estimated = json.loads(error.response.text)["estimated_time"]
        return float(estimated) if 0 <= float(estimated) < 1e6 else None
    except Exception:  # no JSON, no such field, or no number
        return None
