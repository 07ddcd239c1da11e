"""Templates: complete, free of errors, and each runs with a real (tiny) checkpoint of its architecture."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg import templates
from hfreg.engine import Event
from hfreg.scoring import tasks
from hfreg.scoring.check import repositories
from hfreg.templates import TEMPLATES, Template

MEDIA = {
    "image-classification": ("seer", {"count": 2}),
    "image-text-to-text": ("onlooker", {"max_length": 4}),
    "automatic-speech-recognition": ("listener", {}),
}
"""Tasks of pictures and sound: the checkpoint, and what is given besides the sample."""
FILLED = [template for template in TEMPLATES if template.task not in {*MEDIA, "blank"}]
CALLS = {
    "text-classification": {"text": "i love it", "threshold": 0.0},
    "guardrail": {"text": "i love it"},
    "zero-shot-classification": {"text": "i love it", "labels": ["people", "service"]},
    "token-classification": {"text": "people work", "threshold": 0.0},
    "fill-mask": {"text": "i [MASK] it", "count": 2},
    "text-generation": {"text": "i love", "max_length": 4, "temperature": 0},
    "chat": {"text": "i love", "system": "you are happy", "max_length": 4, "temperature": 0},
    "feature-extraction": {"text": "i love it"},
    "sentence-similarity": {"text": "i love it"},
    "text-ranking": {"text": "i love it", "documents": ["a table", "great service", "a day"]},
}
CHECKPOINTS = {
    "text-classification": "classifier",
    "guardrail": "guard",
    "zero-shot-classification": "entailer",
    "token-classification": "tagger",
    "fill-mask": "masker",
    "text-generation": "generator",
    "chat": "chat",
    "feature-extraction": "classifier",
    "sentence-similarity": "embedder",
    "text-ranking": "ranker",
}
LONG = "i love it " * 60
BEYOND = {
    **{task: {**call, "text": LONG} for task, call in CALLS.items()},
    "fill-mask": {"text": f"{LONG} [MASK] {LONG}", "count": 2},
    "text-ranking": {"text": "i love it", "documents": ["a table", LONG]},
}
"""Calls with more tokens than the 64 that the tiny checkpoints read."""


def by_task(template: Template) -> str:
    return template.task


def put_on(hub: LoopbackHub, template: Template, checkpoints: TinyCheckpoints) -> None:
    (source,) = repositories(template.definition.scoring_logic)
    hub.add_repo(source.repo, getattr(checkpoints, CHECKPOINTS[template.task]))


def test_every_task_has_one_template_and_blank_is_the_last() -> None:
    tasks = [template.task for template in TEMPLATES]
    assert tasks == [*CALLS, *MEDIA, "blank"]
    assert all(template.title and template.summary for template in TEMPLATES)


def test_a_template_is_found_by_its_task() -> None:
    assert templates.find("guardrail") is TEMPLATES[1]
    assert templates.find("summarization") is None


def test_the_table_of_tasks_is_that_of_the_installed_library() -> None:
    from transformers.pipelines import SUPPORTED_TASKS

    assert tasks.known() == frozenset(SUPPORTED_TASKS)


def test_a_table_that_cannot_be_read_is_unknown_rather_than_empty(tmp_path: Path) -> None:
    source = tmp_path / "pipelines.py"
    assert tasks.table(source, "1") is None
    source.write_text("SUPPORTED_TASKS = make()")
    assert tasks.table(source, "2") is None
    source.write_text("SUPPORTED_TASKS = {'fill-mask': {}}")
    assert tasks.table(source, "3") == {"fill-mask"}


def test_a_template_whose_pipeline_is_not_installed_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert templates.offered() == TEMPLATES
    monkeypatch.setattr(tasks, "known", lambda: frozenset({"fill-mask"}))
    assert [one.task for one in templates.offered()] == ["fill-mask", "sentence-similarity", "text-ranking", "blank"]
    monkeypatch.setattr(tasks, "known", lambda: None)
    assert templates.offered() == TEMPLATES


@pytest.mark.parametrize("template", FILLED, ids=by_task)
def test_a_template_can_be_registered_as_it_stands(template: Template, registry: hfreg.Registry) -> None:
    found = registry.check(template.definition)
    assert [f for f in found if f.level != "hint"] == []
    assert template.definition.description and template.definition.arguments[0].alias == "text"
    assert all(argument.usage for argument in template.definition.arguments)
    assert len(repositories(template.definition.scoring_logic)) == 1
    (example,) = template.definition.examples
    assert template.definition.bind(**example)


@pytest.mark.parametrize("template", FILLED, ids=by_task)
def test_a_template_answers_in_its_output_type(
    template: Template, loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    put_on(loopback_hub, template, tiny_checkpoints)
    outcome = registry.test(template.definition, **CALLS[template.task])
    assert outcome.error is None, outcome.error
    assert outcome.value is not None
    assert outcome.warnings == ()
    beyond = registry.test(template.definition, **BEYOND[template.task])
    assert beyond.error is None, beyond.error
    assert beyond.value is not None
    (told,) = beyond.warnings
    assert "of 18" in told or "of 36" in told or "of 1 of 2 documents" in told  # how many tokens there were
    none = {a.alias: None for a in template.definition.arguments if not a.optional}
    assert not registry.test(template.definition, **none).value


@pytest.mark.parametrize("task", MEDIA)
def test_a_template_of_pictures_or_sound_answers_in_either_engine(
    task: str, engine: str, loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find(task)
    assert template is not None
    definition = template.definition
    assert [f for f in registry.check(definition) if f.level != "hint"] == []
    (source,) = repositories(definition.scoring_logic)
    checkpoint, more = MEDIA[task]
    loopback_hub.add_repo(source.repo, getattr(tiny_checkpoints, checkpoint))
    (example,) = definition.examples
    outcome = registry.test(definition, **{**example, **more})
    assert outcome.error is None, outcome.error
    assert outcome.value is not None and outcome.warnings == ()
    first = definition.arguments[0]
    assert registry.test(definition, **{first.alias: None}).value is None
    if task == "automatic-speech-recognition":
        long = registry.test(definition, audio=([0.1, -0.1] * 8_000 * 31, 16_000))
        assert long.error is None and isinstance(long.value, str), long.error
    elif task == "image-text-to-text":
        long = registry.test(definition, **{**example, **more, "text": LONG})
        assert long.error is None and "of 180 tokens" in long.warnings[0], long
    else:
        assert len(outcome.value) == 2 and set(outcome.value) <= {"cat", "dog", "car"}


@pytest.mark.parametrize(
    ("task", "checkpoint"),
    [("automatic-speech-recognition", "whisper"), ("image-text-to-text", "idefics")],
)
def test_a_template_serves_the_usual_architectures_of_speech_and_of_pictures_with_text(
    task: str, checkpoint: str, loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find(task)
    assert template is not None
    definition = template.definition
    (source,) = repositories(definition.scoring_logic)
    loopback_hub.add_repo(source.repo, getattr(tiny_checkpoints, checkpoint))
    (example,) = definition.examples
    outcome = registry.test(definition, **{**example, **({"max_length": 4} if checkpoint == "idefics" else {})})
    assert outcome.error is None and outcome.warnings == (), outcome
    assert isinstance(outcome.value, str)
    if checkpoint == "whisper":  # beyond 30 seconds it goes on, window by window
        long, longer = (registry.test(definition, audio=([0.1, -0.1] * 8_000 * n, 16_000)) for n in (31, 62))
        assert long.error is None and longer.error is None, (long, longer)
        assert len(longer.value) > len(long.value) > 0
    else:  # the tiles of the picture stay whole, the question is cut
        long = registry.test(definition, **{**example, "max_length": 4, "text": LONG * 2})
        assert long.error is None and "of 360 tokens" in long.warnings[0], long


def test_a_template_of_sound_says_which_rate_a_model_needs(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find("automatic-speech-recognition")
    assert template is not None
    loopback_hub.add_repo("facebook/wav2vec2-base-960h", tiny_checkpoints.listener)
    arguments = (hfreg.Argument("audio", "Audio[8000]"),)
    other = template.definition.model_copy(update={"arguments": arguments})
    assert "Audio[16000]" in str(registry.test(other, audio=([0.1] * 800, 8_000)).error)


@pytest.mark.parametrize("task", ["text-classification", "chat"])
def test_a_template_answers_in_either_engine(
    task: str, engine: str, loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find(task)
    assert template is not None
    put_on(loopback_hub, template, tiny_checkpoints)
    outcome = registry.test(template.definition, **BEYOND[task])
    assert outcome.error is None, outcome.error
    assert outcome.value and len(outcome.warnings) == 1 and " tokens" in outcome.warnings[0]


def test_a_chat_is_streamed_piece_by_piece(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find("chat")
    assert template is not None
    put_on(loopback_hub, template, tiny_checkpoints)
    version = registry.register(template.definition)
    pieces: list[str] = []

    def follow(event: Event) -> None:
        if event.kind == "piece":
            pieces.append(event.data["value"])

    call = {"text": "i love", "max_length": 12, "temperature": 0}
    (outcome,) = registry.start(version, [call], on_event=follow)
    assert outcome.error is None, outcome.error
    assert len(pieces) > 3 and "".join(pieces) == outcome.value


def test_a_chat_whose_generation_fails_is_an_error_and_keeps_nobody_waiting(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    template = templates.find("chat")
    assert template is not None
    put_on(loopback_hub, template, tiny_checkpoints)
    outcome = registry.test(template.definition, text="i love", temperature=-1)
    assert outcome.status == "error" and "temperature" in str(outcome.error)
