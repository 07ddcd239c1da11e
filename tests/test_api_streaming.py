"""API Based models whose reply comes in pieces, and the bounds that every reply has."""

from __future__ import annotations

import gzip
import threading
import time
from typing import Any

import pytest
from api_models import TEXT, at, definition
from loopback_hub import LoopbackHub
from loopback_inference import Said, chat_piece, streamed, token

import hfreg
from hfreg.engine import Use, asking
from hfreg.errors import HubError, HubUnreachable
from hfreg.ui.runs import Runs

pytest_plugins = ["api_fixtures"]

USAGE = {"usage": {"prompt_tokens": 4, "completion_tokens": 2}}


def followed(
    registry: hfreg.Registry, endpoint: dict[str, Any], output: str = "String", **fields: Any
) -> tuple[list[str], hfreg.Outcome]:
    """Call a model and return the pieces that came, and what became of the call."""
    told: list[str] = []
    made = definition(endpoint, output_type=output, **{"arguments": TEXT, **fields})
    registry.register(made)
    follow = lambda event: told.append(event.data["value"]) if event.kind == "piece" else None  # noqa: E731
    rows = [{"text": "Hi", **dict.fromkeys((a.alias for a in made.arguments[1:]), 2)}]
    outcome = next(iter(registry.start(registry.get("rater"), rows, on_event=follow)))
    registry.delete("rater")
    return told, outcome


def test_a_chat_comes_in_pieces_with_its_use_at_the_end(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    whole = [chat_piece("Ah"), chat_piece(None), chat_piece("oy ⚓"), chat_piece("", "stop")]
    inference.says = [streamed(*whole, {**chat_piece(None), "choices": [], **USAGE})]
    told, outcome = followed(registry, at(inference, task="chat-completion"))
    assert (told, outcome.result(), outcome.use) == (["Ah", "oy ⚓"], "Ahoy ⚓", Use(4, 2))
    asked = inference.asked[0]
    assert (asked["stream"], asked["stream_options"]) == (True, {"include_usage": True})


def test_generated_text_comes_in_pieces_without_what_is_no_text(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    inference.says = [streamed(token("once"), token(" more"), token("</s>", True, "once more"), done=False)]
    told, outcome = followed(registry, at(inference, task="text-generation"))
    assert (told, outcome.result()) == (["once", " more"], "once more")
    assert inference.asked[0]["stream"] is True


@pytest.mark.parametrize("task", ["chat-completion", "text-generation"])
def test_a_server_that_does_not_stream_is_asked_once_all_the_same(
    registry: hfreg.Registry, inference: LoopbackHub, task: str
) -> None:
    told, outcome = followed(registry, at(inference, "/server/generate" if task[0] == "t" else "/server", task=task))
    assert (told, outcome.result()) == ([], "Hi and so on" if task[0] == "t" else "Ahoy")
    assert len(inference.asked) == 1


def test_a_reply_of_which_something_is_made_is_not_streamed(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    chat = at(inference, task="chat-completion")
    followed(registry, chat, "Map[String, Any]")
    followed(registry, chat, scoring_logic="return str(response)")
    followed(registry, chat, arguments=[*TEXT, hfreg.Argument("n", "Numerical", optional=True)])
    followed(registry, {**chat, "stream": False})
    assert [bool(body.get("stream")) for body in inference.asked] == [False] * 4


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (streamed(chat_piece("Ah"), {"error": {"message": "out of memory"}}), "broke its reply off: out of memory"),
        (streamed(chat_piece("Ah"), done=False), "without saying that the reply is complete"),
        (streamed(), "without saying that the reply is complete"),
        (streamed(chat_piece("Ah"), [1]), "no answer of chat-completion"),
        (Said(b"data: {bad\n\n", headers=streamed().headers), "no answer of chat-completion"),
        (Said(b"data: " + b"x" * (3 << 20), headers=streamed().headers), "a line of more than 1 MiB"),
        (Said({"error": "stream is not supported"}, 400), "If it cannot stream, switch streaming off for it."),
    ],
)
def test_a_stream_that_breaks_is_no_answer(
    registry: hfreg.Registry, inference: LoopbackHub, said: Said, words: str
) -> None:
    inference.says = [said]
    _, outcome = followed(registry, at(inference, task="chat-completion"))
    assert isinstance(outcome.error, HubError)
    assert words in str(outcome.error)


def test_stop_ends_a_stream_and_its_request_and_the_playground_saw_the_pieces(
    registry: hfreg.Registry, inference: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    run = asking.Asking.run
    monkeypatch.setattr(asking.Asking, "run", lambda self: (run(self), ended.set()))
    said = streamed(chat_piece("Ah"), chat_piece("oy"), done=False)
    inference.says = [Said(said.body, headers={**said.headers, "Content-Length": "100000"})]  # and nothing more
    registry.register(definition(at(inference, task="chat-completion"), output_type="String", arguments=TEXT))
    live = Runs().start(registry, registry.get("rater"), {"text": "Hi"}, "playground", "ada")
    end = time.perf_counter() + 5
    while len(live.pieces) < 2 and time.perf_counter() < end:
        time.sleep(0.005)
    assert list(live.pieces) == ["Ah", "oy"]
    assert (live.done, ended.is_set()) == (False, False)
    live.cancel()
    assert ended.wait(1.0), "the request goes on although nobody waits for it"
    assert live.outcome.status == "cancelled"


def test_a_reply_that_trickles_ends_at_the_time_that_is_allowed(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    inference.bytes_per_s = 50  # a byte every 20 ms, and so none that the next one is waited for in vain
    started = time.perf_counter()
    error = registry.test(definition(at(inference, timeout_s=0.3)), text="good").error
    assert isinstance(error, HubUnreachable)
    assert "did not answer within 0.3 s" in str(error)
    outcome = registry.test(definition(at(inference), limits={"time_s": 0.2}), text="good")
    assert (outcome.status, time.perf_counter() - started < 1.2) == ("timeout", True)


def test_a_stopped_call_hangs_up_on_a_reply_that_trickles(
    registry: hfreg.Registry, inference: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    inference.says = [Said(b'[{"label": "', headers={"Content-Length": "100"})]  # and nothing more
    ended = threading.Event()
    run = asking.Asking.run
    monkeypatch.setattr(asking.Asking, "run", lambda self: (run(self), ended.set()))
    registry.register(definition())
    job = registry.start(registry.get("rater"), [{"text": "good"}])
    while not inference.asked:
        time.sleep(0.01)
    time.sleep(0.1)
    assert not ended.is_set()
    job.cancel()
    assert next(iter(job)).status == "cancelled"
    assert ended.wait(1.0), "the request goes on although nobody waits for it"


PACKED = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(gzip.compress(bytes(33 << 20), 1), headers=PACKED), "answers with more than 32 MiB, the most"),
        (Said(b"[" * 70 + b"]" * 70), "lists and maps more than 64 inside each other"),
        (Said(b"[" * 100_000 + b"]" * 100_000), "lists and maps more than 64 inside each other"),
        (Said(gzip.compress(bytes(33 << 20), 1), 500, headers=PACKED), "failed (500)"),
        (Said(b"\xff\xfe[]"), "no answer of text-classification"),
        (Said(b""), "no answer of text-classification"),
        (Said(b"[[1, 2" + b"9" * 9_000 + b"]]"), "no answer of text-classification"),
    ],
)
def test_a_reply_has_bounds_and_the_error_names_them(
    registry: hfreg.Registry, inference: LoopbackHub, said: Said, words: str
) -> None:
    inference.says = [said]
    found = registry.test(definition(), text="good").error
    assert isinstance(found, HubError)
    assert words in str(found)
    assert "org/sentiment at hf-inference" in str(found)
    assert len(str(found)) < 600


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_carries_no_text_to_another_address(
    registry: hfreg.Registry, inference: LoopbackHub, status: int
) -> None:
    told = "http://user:secret@127.0.0.1:9/other?key=secret"
    inference.says = [Said(b"", status, {"Location": told})]
    error = registry.test(definition(), text="good").error
    assert f"sends the call on to 127.0.0.1 ({status}). That is not followed" in str(error)
    assert "secret" not in str(error)
    inference.says = [Said(b"", status, {"Location": f"{inference.url}/server"})]
    assert not registry.test(definition(), text="good").ok
    assert len(inference.asked) == 2
