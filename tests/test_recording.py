"""What a call leaves in the log, and what it must not leave: there, or in memory while the log cannot be written."""

from __future__ import annotations

import copy
import json
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub

import hfreg
from hfreg.store.buffer import Buffer
from hfreg.store.events import Call, Events, new_call_id, utc_now

TEXT = "Jane Roe"


def probe(source: str, **fields: object) -> hfreg.Definition:
    arguments = [hfreg.Argument("text", "String")]
    return hfreg.Definition(
        **{
            "alias": "probe",
            "arguments": arguments,
            "output_type": "Numerical",
            "scoring_logic": source,
            **fields,
        }
    )


@pytest.fixture
def unlogged(home: Path, tmp_path: Path) -> Iterator[hfreg.Registry]:
    """A registry whose call log cannot be written."""
    (tmp_path / "file").write_text("in the way of a folder")
    settings = hfreg.Settings.from_environment(home)
    with hfreg.Registry(replace(settings, database_url=f"sqlite:///{tmp_path}/file/calls.db")) as registry:
        yield registry


def logged(registry: hfreg.Registry) -> tuple[str, str]:
    registry.events.flush()
    call = registry.events.calls()[0]
    return call.error_kind, call.error


@pytest.mark.parametrize(
    ("source", "given", "kind", "kept"),
    [
        ("pass\nreturn int(text)", TEXT, "ValueError", "in line 2"),
        ("return text", TEXT, "OutputError", "the answer is not of the type Numerical"),
        ("return 1", [TEXT], "ArgumentError", "`text`"),
    ],
)
def test_without_payloads_the_log_holds_no_text_that_an_error_quotes(
    registry: hfreg.Registry, source: str, given: object, kind: str, kept: str
) -> None:
    registry.register(probe(source))
    outcome = registry.model("probe").run(text=given)
    assert TEXT in str(outcome.error)
    assert logged(registry) == (kind, kept)
    registry.edit("probe", probe(source, store_payloads=True))
    registry.model("probe").run(text=given)
    assert TEXT in logged(registry)[1]


@pytest.mark.parametrize(
    ("repo", "kind", "said", "kept"),
    [
        ("'org/missing'", "RepoNotFound", "`org/missing` is missing or private", "`org/missing`"),
        ("'org/' + text.split()[1]", "RepoNotFound", "`org/Roe` is missing or private", ""),
        ("text", "RepoNotFound", f"`{TEXT}` is no repo id", ""),
        ("'hfreg/starter-none'", "NotCached", "`hfreg/starter-none` is no checkpoint", "`hfreg/starter-none`"),
        ("'org/a', trust_remote_code=bool(text)", "UnsafeRepo", "`org/a` asks for trust_remote_code", "`org/a`"),
    ],
)
def test_of_an_error_of_the_hub_the_log_holds_its_kind_and_what_the_code_names(
    home: Path, loopback_hub: LoopbackHub, repo: str, kind: str, said: str, kept: str
) -> None:
    with hfreg.open(home) as registry:
        source = f"from transformers import AutoConfig\nreturn AutoConfig.from_pretrained({repo})"
        registry.register(probe(source))
        assert said in str(registry.model("probe").run(text=TEXT).error)
        assert logged(registry) == (kind, kept)
        registry.edit("probe", probe(source, store_payloads=True))
        registry.model("probe").run(text=TEXT)
        assert said in logged(registry)[1]


def test_of_a_pin_that_cannot_be_made_the_log_holds_no_id_that_was_built(home: Path, loopback_hub: LoopbackHub) -> None:
    source = "from transformers import AutoConfig\nreturn AutoConfig.from_pretrained(text).vocab_size"
    loopback_hub.add_repo("org/first", {"config.json": b'{"model_type": "bert", "vocab_size": 9}'})
    with hfreg.open(home) as registry:
        registry.register(probe(source))
        assert registry.model("probe")("org/first") == 9
        registry.submit("probe")
        registry.review("probe", "Accept")
        assert "org/Jane-Roe" in str(registry.model("probe").run("org/Jane-Roe").error)
        assert logged(registry) == ("LifecycleError", "")


def test_of_an_error_that_scoring_logic_raised_itself_the_log_holds_its_kind(registry: hfreg.Registry) -> None:
    for kind in ("UnknownModel", "StoreError", "DefinitionError", "ScoringTimeout", "ScoringCancelled", "EngineClosed"):
        registry.register(probe(f"import hfreg\nraise hfreg.{kind}(f'No `{{text}}`')", alias=kind))
        assert TEXT in str(registry.model(kind).run(text=TEXT).error)
        assert logged(registry) == (kind, "")


def test_a_resource_that_is_gone_is_named_in_the_log(registry: hfreg.Registry) -> None:
    registry.register(probe("return 1", alias="inner"))
    registry.register(probe("return inner(text)", resources=["inner"]))
    registry.definitions.delete("inner", 1, "ann")
    assert "inner" in str(registry.model("probe").run(text=TEXT).error)
    assert logged(registry) == ("UnknownModel", "`inner`")


def test_an_argument_that_nobody_declared_is_not_named_in_the_log(registry: hfreg.Registry) -> None:
    registry.register(probe("return 1"))
    registry.model("probe").run(text="a", **{TEXT: 1})
    assert logged(registry) == ("ArgumentError", "")


def test_arguments_that_scoring_logic_changes_are_logged_as_they_were_given(registry: hfreg.Registry) -> None:
    change = "rest['more'].append(1)\nrest['deep'][0].clear()\nrest['new'] = words.pop()\n"
    arguments = [hfreg.Argument("rest", "Any"), hfreg.Argument("words", "Array[String]")]
    kept = {"arguments": arguments, "output_type": "Any", "store_payloads": True}
    registry.register(probe(change + "return rest", alias="inner", **kept))
    outer = "inner(rest, words)\n" + change + "return inner(rest=rest, words=['x'])"
    registry.register(probe(outer, resources=["inner"], **kept))
    given = {"rest": {"more": [], "deep": [{"a": 1}]}, "words": ["c"]}
    before = copy.deepcopy(given)
    assert registry.model("probe").run(**given).ok
    assert given == before, "nor does the caller see what scoring logic does to them"
    registry.events.flush()
    calls = {(c.alias, c.arguments, c.input_bytes) for c in registry.events.calls()}
    changed = {"rest": {"more": [1], "deep": [{}], "new": "c"}, "words": ["x"]}
    said = [("probe", before), ("inner", before), ("inner", changed)]
    assert calls == {(alias, json.dumps(value), len(json.dumps(value))) for alias, value in said}


def test_errors_of_the_platform_are_logged_in_full(registry: hfreg.Registry) -> None:
    registry.register(probe("while True: pass", limits=hfreg.Limits(time_s=0.2)))
    error = registry.model("probe").run(text="a").error
    assert logged(registry) == ("ScoringTimeout", str(error).partition("\n")[0])


def test_what_nested_calls_ask_is_asked_by_the_caller(registry: hfreg.Registry) -> None:
    registry.register(probe("return 1", alias="inner"))
    registry.register(probe("return inner(text)", resources=["inner"]))
    list(registry.start(registry.get("probe"), [{"text": "a"}], "playground", "ada"))
    registry.events.flush()
    assert {(c.alias, c.user) for c in registry.events.calls()} == {("probe", "ada"), ("inner", "ada")}


class Row(dict[str, str]):
    """A row that can be seen to go."""


def test_a_log_that_cannot_be_written_keeps_few_arguments_alive(unlogged: hfreg.Registry) -> None:
    version = unlogged.register(probe("return 1"))
    alive: weakref.WeakSet[Row] = weakref.WeakSet()
    Row.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]

    def rows() -> Iterator[Row]:
        for number in range(600):
            row = Row(text=str(number))
            alive.add(row)
            yield row

    assert unlogged.call(version, ("first",)).ok
    assert not unlogged.events.flush()
    assert all(outcome.ok for outcome in unlogged.start(version, rows()))
    assert unlogged.events.waiting == 601
    assert len(alive) < 100


def test_payloads_that_wait_are_bounded_by_their_length() -> None:
    def fail(batch: list[str]) -> None:
        raise OSError("no disk")

    buffer = Buffer(fail, limit=1000, weigh=len, heaviest=10_000)
    for number in range(100):
        buffer.add(str(number % 10) * 1000)
        if number % 30 == 0:
            buffer.flush()
    buffer.flush()
    assert len(buffer) <= 10
    assert buffer.dropped >= 90
    assert len(buffer) + buffer.dropped == 100
    buffer.abandon()


def test_the_log_counts_payloads_among_what_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    events = Events(f"sqlite:///{tmp_path}/file/calls.db", heaviest=5_000)
    for number in range(20):
        call = Call(new_call_id(), utc_now(), "probe", 1, "Draft", "python", "sam", "ok")
        events.record(replace(call, arguments="x" * 600, answer="y" * 400))
        if number % 7 == 0:
            events.flush()
    assert (events.waiting, events.dropped) == (5, 15)
    events._buffer.abandon()
