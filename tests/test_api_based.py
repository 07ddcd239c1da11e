"""API Based models: calls to a provider of the Hub and to a server, through the one way that every call takes."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from api_models import TEXT, TOKEN, at, definition, run
from loopback_hub import LoopbackHub
from loopback_inference import CHAT, Said

import hfreg
from hfreg.endpoint import Endpoint
from hfreg.engine import Use
from hfreg.errors import HubBusy, HubError, HubUnreachable, OutputError, RepoNotFound, TokenRejected

pytest_plugins = ["api_fixtures"]


def test_a_provider_of_the_hub_is_asked_and_the_reply_becomes_the_answer(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    outcome = run(registry, definition(), text="good", top_k=2)
    assert outcome.result() == {"label": "POSITIVE", "score": 0.75}
    assert inference.asked == [{"inputs": "good", "parameters": {"top_k": 2}}]
    assert outcome.tier == "remote"
    assert outcome.timings.run_ms > 0
    assert registry.loaded() == []


def test_a_call_is_recorded_as_any_other(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    run(registry, definition(), text="good")
    inference.says = [Said({"error": "no"}, 404)]
    registry.model("rater").run(text="good")
    registry.events.flush()
    first, second = sorted(registry.events.calls(), key=lambda call: call.at)
    assert (first.alias, first.status, first.tier, first.source) == ("rater", "ok", "remote", "python")
    assert (second.status, second.error_kind) == ("error", "RepoNotFound")


def test_every_kind_of_output_is_taken_from_the_reply_that_fits(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    answers = {}
    for output in ("String", "Numerical", "Map[String, Numerical]", "List", "Struct[label: String, score: Numerical]"):
        made = definition(output_type=output)
        answers[made.output_type] = registry.test(made, text="good").result()
    assert answers["String"] == "POSITIVE"
    assert answers["Numerical"] == 0.75
    assert answers["Map[String, Numerical]"] == {"POSITIVE": 0.75, "NEGATIVE": 0.25}
    assert answers["Struct[label: String, score: Numerical]"] == {"label": "POSITIVE", "score": 0.75}
    assert [one["label"] for one in answers["List"]] == ["POSITIVE", "NEGATIVE"]
    with pytest.raises(OutputError, match=r"reply of text-classification is no DateTime.*Add scoring logic"):
        registry.test(definition(output_type="DateTime"), text="good").result()


@pytest.mark.parametrize(
    ("task", "path", "more", "output", "answer"),
    [
        ("text-generation", "/server/generate", [], "String", "once and so on"),
        ("fill-mask", "/server/mask", [], "String", "the sea is wide"),
        ("feature-extraction", "/server/embed", [], "Array[Numerical]", [0.5, 0.25, -1.0]),
        ("token-classification", "/server/tokens", [], "String", "LOC"),
        ("zero-shot-classification", "/server", ["candidate_labels"], "String", "sea"),
        ("chat-completion", "/server", [], "String", "Ahoy"),
    ],
)
def test_every_task_is_asked_at_a_server_of_its_own(
    registry: hfreg.Registry, inference: LoopbackHub, task: str, path: str, more: list[str], output: str, answer: Any
) -> None:
    arguments = [hfreg.Argument("text", "String"), *(hfreg.Argument(name, "String") for name in more)]
    made = definition(at(inference, path, task=task), arguments=arguments, output_type=output)
    given = {"text": "once", **dict.fromkeys(more, "sea, land")}
    assert registry.test(made, **given).result() == answer


def test_a_chat_has_its_messages_its_parameters_and_its_use_noted(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    inference.add_token(TOKEN)
    registry.save_token(TOKEN)
    made = definition(
        {"provider": "auto", "model": "org/chat", "task": "chat-completion", "parameters": {"limit": "max_tokens"}},
        arguments=[
            hfreg.Argument("question", "String"),
            hfreg.Argument("limit", "Numerical", optional=True, default="16"),
            hfreg.Argument("system", "String", optional=True, default="Be brief."),
        ],
        output_type="String",
    )
    outcome = run(registry, made, question="Hello?")
    assert outcome.result() == "Ahoy"
    (asked,) = inference.asked
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello?"},
    ]
    assert (asked["model"], asked["max_tokens"]) == ("org/chat", 16)
    assert (outcome.use, outcome.notes) == (Use(12, 3, 0.0005), ())
    assert str(outcome.use) == "Tokens: 12 in, 3 out. Cost as the provider tells it: 0.0005."


def test_tokens_and_cost_are_in_the_record_also_where_the_answer_is_none_of_the_type(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    made = definition(at(inference, task="chat-completion"), output_type="Numerical", arguments=TEXT)
    assert isinstance(run(registry, made, text="Hello").error, OutputError)
    inference.says = [Said({**CHAT, "usage": {"prompt_tokens": 7, "completion_tokens": -1, "cost": "much"}})]
    registry.model("rater").run(text="Hello")
    inference.says = [Said({**CHAT, "usage": None})]
    registry.model("rater").run(text="Hello")
    registry.events.flush()
    calls = sorted(registry.events.calls(), key=lambda call: call.at)
    assert [(c.tokens_in, c.tokens_out, c.cost) for c in calls] == [(12, 3, 0.0005), (7, None, None), (None,) * 3]
    tiles = registry.events.usage().tiles
    assert (tiles.tokens_in, tiles.tokens_out, tiles.cost) == (19, 3, 0.0005)


def test_a_simulation_records_the_tokens_and_the_cost_of_its_rows(
    registry: hfreg.Registry, inference: LoopbackHub, tmp_path: Path
) -> None:
    registry.register(definition(at(inference, task="chat-completion"), output_type="String", arguments=TEXT))
    (tmp_path / "rows.csv").write_text("text\na\nb\nc\n")
    inference.says = [Said({**CHAT, "usage": None})]
    registry.simulate("rater", tmp_path / "rows.csv").wait()
    registry.events.flush()
    (call,) = registry.events.calls()
    assert (call.rows, call.tokens_in, call.tokens_out, call.cost) == (3, 24, 6, 0.001)


def test_scoring_logic_is_given_the_reply_in_the_usual_engine(
    engine: str, registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    logic = "print(len(response))\nbest = response[0]\nreturn best['label'].lower() if best['score'] > limit else None"
    arguments = [
        hfreg.Argument("text", "String"),
        hfreg.Argument("limit", "Numerical", optional=True, default="0.5"),
    ]
    made = definition(scoring_logic=logic, arguments=arguments, output_type="String")
    assert [f for f in registry.check(made) if f.level != "hint"] == []
    outcome = run(registry, made, text="good")
    assert outcome.result() == "positive"
    assert outcome.stdout == "2\n"
    assert registry.model("rater")(text="good", limit=0.8) is None
    assert [one.alias for one in registry.loaded()] == ["rater"]
    assert registry.unload("rater") == 1


def test_an_error_of_scoring_logic_has_its_line(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    made = definition(scoring_logic="x = 1\nreturn response['nothing']", output_type="Any")
    error = run(registry, made, text="good").error
    assert isinstance(error, hfreg.ScoringError)
    assert error.line == 2


def test_code_that_ignores_the_reply_is_told(registry: hfreg.Registry) -> None:
    found = registry.check(definition(scoring_logic="return text"))
    assert "never reads `response`" in " ".join(f.message for f in found)


def test_a_busy_server_is_asked_again_when_it_says(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    inference.says = [
        Said({"error": "slow down"}, 429, {"Retry-After": "0.15"}),
        Said({"error": "loading", "estimated_time": 0.1}, 503),
        Said({"error": "slow down"}, 429),
    ]
    started = time.perf_counter()
    outcome = run(registry, definition(), text="good")
    assert outcome.result()["label"] == "POSITIVE"
    assert time.perf_counter() - started >= 0.25
    assert len(inference.asked) == 4
    assert outcome.notes == ("Asked 4 times: org/sentiment at hf-inference was busy.",)


def test_a_server_that_stays_busy_is_given_up_in_words(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    inference.says = [Said({"error": "slow down"}, 429, {"Retry-After": "0"})] * 3
    outcome = run(registry, definition({"retries": 2}), text="good")
    assert isinstance(outcome.error, HubBusy)
    assert "too many requests" in str(outcome.error)
    assert "It was asked 3 times" in str(outcome.error)
    inference.says = [Said({"error": "loading", "estimated_time": 900}, 503)]
    started = time.perf_counter()
    error = registry.test(definition(limits={"time_s": 5}), text="good").error
    assert "asks to wait 900 s, and the time limit of the call is 5 s" in str(error)
    assert time.perf_counter() - started < 2


def test_a_slow_server_ends_at_the_time_that_is_allowed(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    inference.says = [Said([[]], after_s=1.0)]
    error = registry.test(definition({"timeout_s": 0.1}), text="good").error
    assert isinstance(error, HubUnreachable)
    assert "did not answer within 0.1 s" in str(error)
    inference.says = [Said([[]], after_s=1.0)]
    outcome = registry.test(definition(limits={"time_s": 0.2}), text="good")
    assert outcome.status == "timeout"
    assert outcome.timings.total_ms < 900


def test_a_stopped_call_answers_at_once(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    inference.says = [Said([[]], after_s=1.0)]
    registry.register(definition())
    started = time.perf_counter()
    job = registry.start(registry.get("rater"), [{"text": "good"}])
    threading.Timer(0.1, job.cancel).start()
    outcome = next(iter(job))
    assert outcome.status == "cancelled"
    assert time.perf_counter() - started < 0.9


def test_rows_of_a_table_come_in_order_and_a_bad_one_stops_nothing(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    registry.register(definition(output_type="String"))
    rows = [{"text": "a"}, {"text": 3}, {"text": None}, *({"text": str(n)} for n in range(20))]
    outcomes = list(registry.model("rater").map(rows))
    assert [outcome.ok for outcome in outcomes] == [True, False, False, *[True] * 20]
    assert "cannot be asked without it" in str(outcomes[2].error)
    assert len(inference.asked) == 21


def test_several_calls_of_one_model_do_not_wait_for_each_other(
    registry: hfreg.Registry, inference: LoopbackHub
) -> None:
    registry.register(definition(output_type="String"))
    registry.model("rater")(text="first")
    inference.says = [Said([[{"label": "late", "score": 1.0}]], after_s=0.4)] * 4
    started = time.perf_counter()
    jobs = [registry.start(registry.get("rater"), [{"text": str(n)}]) for n in range(4)]
    assert [next(iter(job)).value for job in jobs] == ["late"] * 4
    assert time.perf_counter() - started < 1.2


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (Said(b"<html>login</html>"), HubError, "no answer of text-classification"),
        (Said(b'[[{"label": "good", "sco'), HubError, "no answer of text-classification"),
        (Said({"error": "Input is too long"}, 422), HubError, "refuses the call (422): Input is too long"),
        (Said({"error": "out of credits"}, 402), HubError, "(402): out of credits"),
        (Said({"error": "boom"}, 500), HubUnreachable, "failed (500): boom"),
        (Said({"error": "gone"}, 404), RepoNotFound, "has nothing there (404)"),
        (Said({"error": "who are you"}, 401), TokenRejected, "wants a token (401)"),
    ],
)
def test_what_a_server_refuses_is_told_in_words(
    registry: hfreg.Registry, inference: LoopbackHub, said: Said, error: type[Exception], words: str
) -> None:
    inference.says = [said]
    found = registry.test(definition(), text="good").error
    assert type(found) is error
    assert words in str(found)
    assert "org/sentiment at hf-inference" in str(found)


def test_a_model_that_the_provider_does_not_serve_is_told(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    found = registry.test(definition({"task": "fill-mask"}), text="good").error
    assert isinstance(found, RepoNotFound)
    assert "doesn't support task 'fill-mask'" in str(found)
    missing = registry.test(definition({"model": "org/nothing"}), text="good").error
    assert "missing or private" in str(missing)


def test_a_server_that_is_gone_is_told(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    made = definition({"base_url": "http://127.0.0.1:9/v1", "model": ""})
    error = registry.test(made, text="good").error
    assert isinstance(error, HubUnreachable)
    assert "http://127.0.0.1:9/v1 cannot be reached" in str(error)


def test_the_token_goes_to_the_hub_and_to_no_other_server_unless_asked(
    registry: hfreg.Registry, inference: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    inference.add_token(TOKEN)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    sent = []
    for endpoint in ({}, at(inference), at(inference, send_token=True)):
        inference.forget_requests()
        assert registry.test(definition(endpoint), text="good").ok
        sent.append(inference.headers[-1].get("authorization"))
    assert sent == [f"Bearer {TOKEN}", None, f"Bearer {TOKEN}"]


def test_no_error_and_no_record_holds_the_token(
    registry: hfreg.Registry, inference: LoopbackHub, caplog: pytest.LogCaptureFixture
) -> None:
    inference.add_token(TOKEN)
    registry.save_token(TOKEN)
    for status in (400, 401, 403, 404, 429, 500):
        inference.says = [Said({"error": f"Bearer {TOKEN} is bad"}, status)]
        outcome = registry.test(definition({"retries": 0}, store_payloads=True), text="good")
        assert TOKEN not in str(outcome.error)
        assert TOKEN[8:] not in repr(outcome)
    registry.events.flush()
    assert all(TOKEN not in str(call) for call in registry.events.calls())
    assert TOKEN not in caplog.text


def test_without_a_token_a_provider_is_not_asked(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    error = registry.test(definition({"provider": "together"}), text="good").error
    assert isinstance(error, TokenRejected)
    assert "needs a Hugging Face token" in str(error)
    registry.save_token("sk-0123456789abcdefghij")
    error = registry.test(definition({"provider": "together"}), text="good").error
    assert "is not sent to org/sentiment at together" in str(error)
    assert inference.asked == []


def test_waiting_for_the_model_is_asked_for(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    registry.test(definition(), text="good")
    assert inference.headers[-1]["x-wait-for-model"] == "true"
    registry.test(definition({"wait_for_model": False}), text="good")
    assert "x-wait-for-model" not in inference.headers[-1]


def test_state_decides_as_for_every_model(home: Any, inference: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFREG_REQUIRE_APPROVED", "1")
    with hfreg.open() as registry:
        registry.register(definition())
        assert "only Approved versions run" in str(registry.model("rater").run(text="good").error)
        registry.submit("rater")
        registry.review("rater", "Accept", comment="fine")
        assert registry.model("rater").run(text="good").ok
    assert len(inference.asked) == 1


def test_loading_an_api_based_model_asks_nobody(registry: hfreg.Registry, inference: LoopbackHub) -> None:
    registry.register(definition())
    assert next(iter(registry.load(registry.get("rater")))).ok
    assert inference.asked == []


def test_an_endpoint_in_words() -> None:
    assert Endpoint(model="a/b", task="fill-mask").where == "a/b at a provider of the Hub"
    assert Endpoint(base_url="http://h/v1", model="m").where == "http://h/v1 (m)"
