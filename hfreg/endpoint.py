"""Endpoint: where an API Based model is called, for which task, and which argument becomes which parameter.

Pure data and its rules. The call itself is made by `hfreg.hub.inference`, when it is made by `hfreg.engine.remote`.

    >>> Endpoint(model="org/name", task="text-classification").sent_as([("text", "String"), ("top_k", "Numerical")])
    {'text': 'text', 'top_k': 'top_k'}
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from hfreg.errors import did_you_mean
from hfreg.values import Finding, Frozen


class Task(NamedTuple):
    """What one task takes: the parameter that cannot be left out, names that mean it, and the others."""

    input: str
    also: tuple[str, ...]
    others: tuple[str, ...]
    needed: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Every parameter."""
        return (self.input, *self.others)

    @property
    def always(self) -> tuple[str, ...]:
        """The parameters without which it cannot be asked."""
        return (self.input, *self.needed)


_TEXT = ("inputs", "input", "sentence", "prompt", "question")
_SAMPLING = ("temperature", "top_p", "seed", "stop", "frequency_penalty")
TASKS: Mapping[str, Task] = {
    "chat-completion": Task(
        "messages",
        ("text", "prompt", "message", "question", "inputs"),
        ("system", "max_tokens", *_SAMPLING, "presence_penalty", "n", "response_format", "logprobs", "top_logprobs"),
    ),
    "text-generation": Task(
        "prompt",
        ("text", "inputs", "question"),
        ("max_new_tokens", "do_sample", *_SAMPLING, "top_k", "typical_p", "repetition_penalty", "return_full_text",
         "truncate"),
    ),
    "text-classification": Task("text", _TEXT, ("top_k", "function_to_apply")),
    "zero-shot-classification": Task(
        "text", _TEXT, ("candidate_labels", "multi_label", "hypothesis_template"), ("candidate_labels",)
    ),
    "token-classification": Task("text", _TEXT, ("aggregation_strategy", "ignore_labels", "stride")),
    "fill-mask": Task("text", _TEXT, ("top_k", "targets")),
    "feature-extraction": Task(
        "text", _TEXT, ("normalize", "prompt_name", "truncate", "truncation_direction", "dimensions")
    ),
}  # fmt: skip
"""The tasks that the platform calls by itself."""
PROVIDERS = (
    "auto", "hf-inference", "baseten", "cerebras", "cohere", "deepinfra", "featherless-ai", "fireworks-ai", "groq",
    "novita", "nscale", "ovhcloud", "publicai", "scaleway", "together", "zai-org",
)  # fmt: skip
"""The Inference Providers of the Hub that have one of these tasks; `auto` lets the Hub choose."""
STREAMED = ("chat-completion", "text-generation")
"""The tasks whose reply may come in pieces."""
RESPONSE = "response"
"""The name under which scoring logic finds the reply."""
MAX_RETRIES = 10
MAX_TIMEOUT_S = 3600.0

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?")


class Endpoint(Frozen):
    """Who answers an API Based model, and how it is asked.

    Either a `provider` with a `model` of the Hub, or a `base_url` that speaks its protocol (an Inference Endpoint,
    TGI, vLLM, `transformers serve`); there `model` is the name that the server wants, if any, and the token goes along
    only with `send_token`. `parameters` maps arguments to parameters of the task; one mapped to nothing is not sent.
    With `stream` a text is asked for in pieces where it is the answer.
    """

    provider: str = "auto"
    model: str = ""
    base_url: str = ""
    task: str = ""
    parameters: dict[str, str] = Field(default_factory=dict)
    timeout_s: float = 60.0
    retries: int = 3
    wait_for_model: bool = True
    send_token: bool = False
    stream: bool = True

    @property
    def where(self) -> str:
        """Who is asked, in words."""
        if self.base_url:
            return f"{self.base_url} ({self.model})" if self.model else self.base_url
        return f"{self.model} at {'a provider of the Hub' if self.provider == 'auto' else self.provider}"

    def sent_as(self, arguments: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Return argument to parameter for the arguments (alias, type) that are sent.

        What `parameters` does not say follows the names; where none means the input, the first String does.
        """
        task = TASKS.get(self.task)
        if task is None:
            return {}
        sent = {alias: self.parameters[alias] for alias, _ in arguments if self.parameters.get(alias)}
        left = [(alias, kind) for alias, kind in arguments if alias not in self.parameters]
        taken = set(sent.values())
        for alias, _ in left:
            if alias in task.parameters and alias not in taken:
                sent[alias] = alias
                taken.add(alias)
        if task.input not in taken and (found := _input(task, [one for one in left if one[0] not in sent])):
            sent[found] = task.input
        return {alias: sent[alias] for alias, _ in arguments if alias in sent}

    def findings(self, arguments: Sequence[tuple[str, str]], has_logic: bool) -> Iterator[Finding]:
        """Yield what is wrong with it for these arguments (alias, type)."""
        yield from self._address()
        if not 0 < self.timeout_s <= MAX_TIMEOUT_S:
            message = f"{self.timeout_s:g} s is no time to wait for an answer. Give at most {MAX_TIMEOUT_S:g}."
            yield Finding("error", "endpoint.timeout_s", None, message)
        if not 0 <= self.retries <= MAX_RETRIES:
            message = f"{self.retries} retries are not possible. Give a number from 0 to {MAX_RETRIES}."
            yield Finding("error", "endpoint.retries", None, message)
        if self.task in TASKS:
            yield from self._mapping(TASKS[self.task], arguments, has_logic)
            return
        near = did_you_mean(self.task, TASKS)
        said = f"{self.task[:60]!r} is no task that the platform calls.{near}" if self.task else "Choose the task."
        yield Finding("error", "endpoint.task", None, f"{said} There are {', '.join(TASKS)}.")

    def _address(self) -> Iterator[Finding]:
        if self.base_url:
            if problem := url_problem(self.base_url):
                yield Finding("error", "endpoint.base_url", None, problem)
            return
        if self.provider not in PROVIDERS:
            near = did_you_mean(self.provider, PROVIDERS)
            message = f"{self.provider[:60]!r} is no Inference Provider.{near} Known: {', '.join(PROVIDERS)}."
            yield Finding("error", "endpoint.provider", None, message)
        if not self.model:
            message = "Name the model, as `owner/name` of the Hub, or the address of a server."
            yield Finding("error", "endpoint.model", None, message)
        elif not _REPO.fullmatch(self.model) or ".." in self.model:
            message = f"{self.model[:100]!r} is no repo id of the Hub. Write it as `owner/name`."
            yield Finding("error", "endpoint.model", None, message)

    def _mapping(self, task: Task, arguments: Sequence[tuple[str, str]], has_logic: bool) -> Iterator[Finding]:
        known, sent = {alias for alias, _ in arguments}, self.sent_as(arguments)
        for alias, parameter in self.parameters.items():
            if alias not in known:
                near = did_you_mean(alias, known)
                message = f"`{alias[:63]}` is mapped to a parameter and is no argument.{near}"
                yield Finding("error", "endpoint.parameters", None, message)
            elif parameter and parameter not in task.parameters:
                near = did_you_mean(parameter, task.parameters)
                message = f"{self.task} has no parameter `{parameter[:63]}`.{near} It has {', '.join(task.parameters)}."
                yield Finding("error", "endpoint.parameters", None, message)
        for name in sorted({p for p in sent.values() if list(sent.values()).count(p) > 1}):
            yield Finding("error", "endpoint.parameters", None, f"More than one argument is sent as `{name}`.")
        for needed in task.always:
            if needed not in sent.values():
                message = f"{self.task} needs `{needed}`, and no argument is sent as it. Map one to it."
                yield Finding("error", "endpoint.parameters", None, message)
        for alias, _ in arguments:
            if alias not in sent and self.parameters.get(alias) != "" and not has_logic:
                message = f"`{alias}` is not sent: {self.task} has no such parameter. Map it to one, or remove it."
                yield Finding("warning", "endpoint.parameters", None, message)


def url_problem(text: str) -> str:
    """Say what keeps a text from being the address of a server, or return nothing.

    >>> url_problem("http://127.0.0.1:8000/v1")
    ''
    >>> url_problem("http://169.254.169.254/")
    'The address http://169.254.169.254/ is one of this machine’s own network services. Name a model server.'
    """
    shown = text[:100]
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"{shown!r} is no address. Write it as https://host/path."
    if parts.scheme not in {"http", "https"} or not host or not text.isascii() or any(c.isspace() for c in text):
        return f"{shown!r} is no address of a server. Write it as https://host/path."
    if parts.username or parts.password:
        return "The address holds a user or a password. Leave it out: the token of Settings can be sent instead."
    if parts.query or parts.fragment:
        return f"{_bare(parts)} has something behind a ? or #, where secrets may stand. Leave that out."
    if _link_local(host):
        return f"The address {shown} is one of this machine’s own network services. Name a model server."
    return ""


def _bare(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:100]


def _link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "metadata.google.internal"
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _input(task: Task, arguments: Iterable[tuple[str, str]]) -> str | None:
    """Return the argument that means the input: by its name, else the first text."""
    found = list(arguments)
    names = [alias for alias, _ in found]
    named = next((name for name in task.also if name in names), None)
    return named or next((alias for alias, kind in found if kind == "String"), None)
