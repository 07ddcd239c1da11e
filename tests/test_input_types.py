"""The fields of the three input types and the advanced options: as values, in files, and what is wrong with them."""

from __future__ import annotations

import json

import pytest

import hfreg
from hfreg import portable
from hfreg.endpoint import Endpoint, url_problem
from hfreg.options import Options
from hfreg.ui import form_draft

CHAT = {"model": "org/chat", "task": "chat-completion"}


def definition(**fields: object) -> hfreg.Definition:
    usual = {"alias": "probe", "arguments": [hfreg.Argument("text", "String")], "scoring_logic": "return text"}
    return hfreg.Definition(**{**usual, **fields})


def said(made: hfreg.Definition, level: str = "error") -> dict[str, str]:
    return {f.field: f.message for f in made.findings() if f.level == level}


def test_a_file_says_of_input_types_only_what_is_used() -> None:
    plain = definition().model_dump(mode="json")
    assert not {"initialization_logic", "folder", "endpoint", "options"} & set(plain)
    assert definition(**plain) == definition()
    full = definition(
        input_type="API Based",
        endpoint=Endpoint(**CHAT, parameters={"text": "messages"}),
        options=Options(threads=2, warm_up={"text": "hi"}),
    )
    assert definition(**json.loads(json.dumps(full.model_dump(mode="json")))) == full


def test_an_export_brings_every_field_back() -> None:
    kept = definition(
        input_type="Custom",
        folder="sha256:" + "0" * 64,
        initialization_logic="net = 1",
        endpoint=Endpoint(**CHAT),
        options=Options(dtype="float32"),
    )
    exported = portable.dump(
        hfreg.Version(
            alias="probe", number=1, state="Draft", definition=kept, author="ada", created_at="2026-01-01T00:00:00Z"
        )
    )
    assert portable.load(exported) == kept


def test_the_form_keeps_every_field_of_the_chosen_input_type() -> None:
    api = definition(input_type="API Based", endpoint=Endpoint(**CHAT, retries=1), options=Options(device="cpu"))
    custom = definition(input_type="Custom", folder="sha256:" + "0" * 64, initialization_logic="net = 1")
    for one in (api, custom, definition()):
        assert form_draft.definition(form_draft.new(one)) == one
    draft = form_draft.new(api)
    draft["fields"]["input_type"] = "Python Function"
    assert form_draft.definition(draft).endpoint is None
    draft["fields"]["input_type"] = "API Based"
    assert form_draft.definition(draft) == api, "what was typed is there when the type is chosen again"


def test_a_draft_that_was_kept_before_these_fields_were_there_is_unchanged_when_it_comes_back() -> None:
    draft = form_draft.new(definition())
    for part in (draft["fields"], draft["saved"]["fields"]):
        for name in [*form_draft.OPTIONS, *form_draft.ENDPOINT, "folder", "initialization_logic"]:
            part.pop(name)
    back = form_draft.restore(json.loads(json.dumps(draft)))
    assert back is not None
    assert not form_draft.changed(back)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": Endpoint(**CHAT)},
        {"folder": "sha256:" + "1" * 64},
        {"initialization_logic": "x = 1"},
        {"options": Options(dtype="float32")},
        {"options": Options(threads=2)},
    ],
)
def test_what_changes_a_loaded_model_changes_its_digest(change: dict[str, object]) -> None:
    assert definition(**change).code_digest != definition().code_digest


def test_when_a_model_is_loaded_leaves_its_digest_alone() -> None:
    kept = definition(options=Options(keep_loaded=True, warm_up={"text": "hi"}))
    assert kept.code_digest == definition().code_digest


@pytest.mark.parametrize(
    ("endpoint", "field", "words"),
    [
        ({}, "endpoint.task", "Choose the task"),
        ({"task": "chat-complete"}, "endpoint.task", "Did you mean `chat-completion`?"),
        ({"task": "text-to-image", "model": "a/b"}, "endpoint.task", "no task that the platform calls"),
        ({"task": "fill-mask"}, "endpoint.model", "Name the model"),
        ({**CHAT, "model": "../../etc"}, "endpoint.model", "no repo id"),
        ({**CHAT, "model": "ö" * 300}, "endpoint.model", "no repo id"),
        ({**CHAT, "provider": "togehter"}, "endpoint.provider", "Did you mean `together`?"),
        ({**CHAT, "base_url": "file:///etc/passwd"}, "endpoint.base_url", "no address of a server"),
        ({**CHAT, "base_url": "http://u:p@h/"}, "endpoint.base_url", "a user or a password"),
        ({**CHAT, "base_url": "http://169.254.169.254/latest"}, "endpoint.base_url", "own network services"),
        ({**CHAT, "base_url": "http://[fe80::1]/"}, "endpoint.base_url", "own network services"),
        ({**CHAT, "base_url": "http://h/?key=abc"}, "endpoint.base_url", "where secrets may stand"),
        ({**CHAT, "timeout_s": 0}, "endpoint.timeout_s", "no time to wait"),
        ({**CHAT, "retries": 99}, "endpoint.retries", "from 0 to 10"),
        ({**CHAT, "parameters": {"txt": "messages"}}, "endpoint.parameters", "Did you mean `text`?"),
        ({**CHAT, "parameters": {"text": "max_token"}}, "endpoint.parameters", "needs `messages`"),
        ({**CHAT, "task": "zero-shot-classification"}, "endpoint.parameters", "needs `candidate_labels`"),
    ],
)
def test_an_endpoint_that_cannot_be_asked_is_refused_by_name(
    endpoint: dict[str, object], field: str, words: str
) -> None:
    found = said(definition(input_type="API Based", endpoint=Endpoint(**endpoint)))
    assert words in found[field]
    assert "abc" not in found[field]


def test_arguments_are_sent_by_their_names_and_by_what_was_chosen() -> None:
    endpoint = Endpoint(**CHAT, parameters={"limit": "max_tokens", "temperature": ""})
    arguments = [("question", "String"), ("limit", "Numerical"), ("temperature", "Numerical"), ("seed", "Numerical")]
    assert endpoint.sent_as(arguments) == {"question": "messages", "limit": "max_tokens", "seed": "seed"}
    mask = Endpoint(model="a/b", task="fill-mask")
    assert mask.sent_as([("row", "Numerical"), ("words", "String")]) == {"words": "text"}


def test_an_argument_that_is_not_sent_is_told_unless_code_may_read_it() -> None:
    endpoint = Endpoint(model="a/b", task="fill-mask")
    arguments = [hfreg.Argument("text", "String"), hfreg.Argument("threshold", "Numerical")]
    made = definition(input_type="API Based", endpoint=endpoint, arguments=arguments, scoring_logic="")
    assert "`threshold` is not sent" in said(made, "warning")["endpoint.parameters"]
    assert "endpoint.parameters" not in said(made.model_copy(update={"scoring_logic": "return response"}), "warning")


def test_fields_of_another_input_type_are_told() -> None:
    found = said(definition(endpoint=Endpoint(**CHAT), initialization_logic="x = 1"), "warning")
    assert "belongs to API Based" in found["endpoint"]
    assert "belongs to Custom" in found["initialization_logic"]


def test_the_reply_is_a_name_of_the_platform_where_there_is_one() -> None:
    arguments = [hfreg.Argument("response", "String")]
    assert "arguments[0].alias" not in said(definition(arguments=arguments))
    api = definition(arguments=arguments, input_type="API Based", endpoint=Endpoint(**CHAT))
    assert "a name the platform gives" in said(api)["arguments[0].alias"]


def test_options_that_cannot_be_used_are_refused_by_name() -> None:
    found = said(definition(options=Options(quantization="int3", threads=0, warm_up={"txet": "x"})))
    assert {"options.quantization", "options.threads", "options.warm_up"} <= set(found)
    for other in ({"dtype": "bfloat16"}, {"device": "cuda"}):
        assert (
            "float32 weights" in said(definition(options=Options(quantization="int8", **other)))["options.quantization"]
        )
    assert "options.quantization" not in said(definition(options=Options(quantization="int8", dtype="float32")))
    with pytest.raises(hfreg.DefinitionError, match=r"Options\.device"):
        Options(device="tpu")


@pytest.mark.parametrize("url", ["https://api.example.org/v1", "http://127.0.0.1:8000", "http://[::1]:80/v1"])
def test_addresses_of_servers_are_taken(url: str) -> None:
    assert url_problem(url) == ""
