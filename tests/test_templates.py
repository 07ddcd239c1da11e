"""Templates: complete, free of errors, and each runs with a real (tiny) checkpoint under the name it gives."""

from __future__ import annotations

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg import templates
from hfreg.scoring.check import repositories
from hfreg.templates import TEMPLATES, Template

FILLED = [template for template in TEMPLATES if template.task != "blank"]
CALLS = {
    "text-classification": {"text": "i love it", "threshold": 0.0},
    "guardrail": {"text": "i love it"},
    "zero-shot-classification": {"text": "i love it", "labels": ["people", "service"]},
    "token-classification": {"text": "people work", "threshold": 0.0},
    "fill-mask": {"text": "i [MASK] it", "count": 2},
    "text-generation": {"text": "i love", "max_length": 4, "temperature": 0},
    "feature-extraction": {"text": "i love it"},
    "sentence-similarity": {"text": "i love it"},
}


def by_task(template: Template) -> str:
    return template.task


def test_every_task_has_one_template_and_blank_is_the_last() -> None:
    tasks = [template.task for template in TEMPLATES]
    assert tasks == [*CALLS, "blank"]
    assert all(template.title and template.summary for template in TEMPLATES)


def test_a_template_is_found_by_its_task() -> None:
    assert templates.find("guardrail") is TEMPLATES[1]
    assert templates.find("summarization") is None


@pytest.mark.parametrize("template", FILLED, ids=by_task)
def test_a_template_can_be_registered_as_it_stands(template: Template, registry: hfreg.Registry) -> None:
    found = registry.check(template.definition)
    assert [f for f in found if f.level != "hint"] == []
    assert template.definition.description and template.definition.arguments[0].alias == "text"
    assert all(argument.usage for argument in template.definition.arguments)
    assert len(repositories(template.definition.scoring_logic)) == 1


@pytest.mark.parametrize("template", FILLED, ids=by_task)
def test_a_template_answers_in_its_output_type(
    template: Template, loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    made = {"text-generation": tiny_checkpoints.generator, "sentence-similarity": tiny_checkpoints.embedder}
    (source,) = repositories(template.definition.scoring_logic)
    loopback_hub.add_repo(source.repo, made.get(template.task, tiny_checkpoints.classifier))
    outcome = registry.test(template.definition, **CALLS[template.task])
    assert outcome.error is None, outcome.error
    assert outcome.value is not None
    assert outcome.warnings == ()
    assert registry.test(template.definition, text=None).value is None
