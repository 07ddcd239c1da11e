"""A definition made from a repository: by the template of its task, pinned, under a free alias; generic without one."""

from __future__ import annotations

import ast

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.from_repository import free_alias, from_repository
from hfreg.hub.look import look
from hfreg.hub.repo import read_repo
from hfreg.scoring.check import repositories
from hfreg.templates import TEMPLATES

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TASKS = [template.task for template in TEMPLATES if template.task not in {"blank", "guardrail"}]


@pytest.mark.parametrize("task", TASKS)
def test_the_template_of_a_task_names_the_repository_at_its_commit(task: str, registry: hfreg.Registry) -> None:
    start = from_repository(task, "acme/tiny-model", COMMIT, summary="Rates texts.")
    definition = start.definition
    assert {(one.repo, one.revision) for one in repositories(definition.scoring_logic)} == {("acme/tiny-model", COMMIT)}
    assert (definition.alias, definition.name, start.generic) == ("tiny_model", "tiny model", False)
    assert definition.description == "Rates texts. From `acme/tiny-model` of the Hub at 0123456789ab."
    assert definition.model_type and definition.examples  # so that it can be loaded before its first call
    assert definition.output_type != "Any"
    assert [f for f in registry.check(definition) if f.level != "hint"] == []


def test_a_model_of_sentence_transformers_gets_the_template_of_that_library() -> None:
    definition = from_repository("feature-extraction", "a/b", COMMIT, library="sentence-transformers").definition
    assert f'SentenceTransformer("a/b", revision="{COMMIT}")' in definition.scoring_logic


@pytest.mark.parametrize(
    ("task", "conversational", "title"),
    [
        ("text-generation", True, "Chat"),
        ("text-generation", False, "Text generation"),
        ("fill-mask", True, "Fill mask"),
    ],
)
def test_a_model_that_writes_and_has_a_chat_template_gets_the_template_of_chats(
    task: str, conversational: bool, title: str
) -> None:
    start = from_repository(task, "a/b", COMMIT, conversational=conversational)
    assert title in start.message
    assert ("apply_chat_template" in start.definition.scoring_logic) == (title == "Chat")
    assert {(one.repo, one.revision) for one in repositories(start.definition.scoring_logic)} == {("a/b", COMMIT)}


@pytest.mark.parametrize(
    ("about", "conversational"),
    [
        ({}, False),
        ({"tags": ["conversational"]}, True),
        ({"config": {"tokenizer_config": {"chat_template": "{{ messages }}"}}}, True),
        ({"siblings": [{"rfilename": "chat_template.jinja"}]}, True),
        ({"config": {"tokenizer_config": "no"}, "siblings": "no"}, False),
    ],
)
def test_whether_a_repository_converses_is_read_from_what_the_hub_says(
    about: dict[str, object], conversational: bool
) -> None:
    assert read_repo({"id": "a/b", **about}).conversational is conversational


@pytest.mark.parametrize(
    ("task", "said"), [("depth-estimation", "no template for the task `depth-estimation`"), ("", "names no task")]
)
def test_an_unknown_task_gets_generic_code_and_is_told(task: str, said: str, registry: hfreg.Registry) -> None:
    start = from_repository(task, "a/b", COMMIT)
    assert start.generic
    assert said in start.message
    assert f'revision="{COMMIT}"' in start.definition.scoring_logic
    assert [f for f in registry.check(start.definition) if f.level == "error"] == []


def test_a_task_that_is_no_word_never_reaches_the_code() -> None:
    start = from_repository('x", __import__("os").system("id") #', "a/b", COMMIT)
    assert "system" not in start.definition.scoring_logic
    ast.parse(f"def f():\n  {start.definition.scoring_logic.replace(chr(10), chr(10) + '  ')}")


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Tiny.BERT-v2", "tiny_bert_v2"),
        ("3d", "model_3d"),
        ("class", "class_model"),
        ("--", "model"),
        ("cache", "cache"),
        ("a" * 90, "a" * 56),
        ("print", "print"),
    ],
)
def test_an_alias_is_made_that_python_can_use(name: str, alias: str) -> None:
    assert free_alias(name) == alias


def test_a_taken_alias_gets_a_number() -> None:
    assert free_alias("Tiny", ["tiny", "TINY_2"]) == "tiny_3"


def test_what_was_made_runs_as_it_stands(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    commit = loopback_hub.add_repo("acme/rater", tiny_checkpoints.classifier)
    for task in ("text-classification", ""):
        outcome = registry.test(from_repository(task, "acme/rater", commit).definition, text="i love it")
        assert outcome.error is None, outcome.error
        assert outcome.value


def test_a_conversational_repository_answers_by_its_chat_template(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    loopback_hub.add_repo("acme/talker", tiny_checkpoints.chat, pipeline_tag="text-generation")
    repo = look(registry.hub, "acme/talker").repo
    assert repo.conversational
    made = from_repository(repo.task, repo.id, repo.commit, conversational=repo.conversational).definition
    outcome = registry.test(made, text="i love", system="you are happy", max_length=4, temperature=0)
    assert outcome.error is None, outcome.error
    assert isinstance(outcome.value, str)


@pytest.mark.parametrize("task", ["image-classification", "image-text-to-text", "automatic-speech-recognition"])
def test_a_repository_of_pictures_or_sound_fills_the_template_of_its_task(task: str) -> None:
    made = from_repository(task, "acme/tiny", "0" * 40)
    assert not made.generic and made.definition.takes_media
    assert 'model="acme/tiny",\n    revision="' + "0" * 40 in made.definition.scoring_logic
