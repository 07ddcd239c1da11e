"""Many rows of unmodified scoring logic are few forward passes, and every row has the answer it would have alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.scoring.forwards import Call, cuts

CLASSIFIER, EMBEDDER, GENERATOR = "acme/tiny-classifier", "acme/tiny-embedder", "acme/tiny-generator"
COUNTED = """
from transformers import pipeline
client = pipeline('text-classification', model='acme/tiny-classifier')
if 'forwards' not in cache:
    cache['forwards'] = []
    client.model.register_forward_hook(lambda model, args, answer: cache['forwards'].append(len(answer.logits)))
if text == 'forwards?':
    return list(cache['forwards'])
"""
SENTENCE = "i love this great product the meeting is on monday bad service and angry people"
WORDS = SENTENCE.split(" ")
TEXTS = [" ".join(WORDS[i % 5 : i % 5 + 1 + i * 7 % 11]) for i in range(40)]

Make = Callable[..., hfreg.Model]


@pytest.fixture
def served(loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints) -> LoopbackHub:
    loopback_hub.add_repo(CLASSIFIER, tiny_checkpoints.classifier)
    loopback_hub.add_repo(EMBEDDER, tiny_checkpoints.embedder)
    loopback_hub.add_repo(GENERATOR, tiny_checkpoints.generator)
    return loopback_hub


@pytest.fixture
def make(served: LoopbackHub, engine: str, registry: hfreg.Registry) -> Make:
    """Register a model with one argument `text` of any type and return it."""

    def make(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
        fields.setdefault("arguments", [hfreg.Argument("text", "Any", optional=True)])
        registry.register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))
        return registry.model(alias)

    return make


def rows(texts: list[str]) -> list[dict[str, Any]]:
    return [{"text": text} for text in texts]


def forwards(model: hfreg.Model) -> list[int]:
    """Return how many rows each forward pass of the classifier had."""
    return list(model("forwards?"))


def same(one: Any, other: Any) -> bool:
    """Whether two answers have the same labels and scores within 1e-4."""
    if isinstance(one, float):
        return abs(one - other) <= 1e-4
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def test_a_table_is_few_forward_passes_and_the_answers_of_single_calls(make: Make) -> None:
    model = make(COUNTED + "return client(text, top_k=None)")
    together = [outcome.result() for outcome in model.map(rows(TEXTS))]
    passes = forwards(model)
    assert sum(passes) >= len(TEXTS)
    assert len(passes) <= 8
    assert same([model(text) for text in TEXTS], together)
    assert len(forwards(model)) == len(passes) + len(TEXTS)  # each alone


@pytest.mark.parametrize(
    "logic",
    [
        "from transformers import pipeline\nreturn pipeline('feature-extraction', 'acme/tiny-embedder')(text)[0]",
        "from transformers import pipeline\nreturn pipeline('token-classification', 'acme/tiny-classifier')(text)",
        (
            "from transformers import pipeline\n"
            "return pipeline('zero-shot-classification', 'acme/tiny-classifier')(text, ['good', 'bad'])"
        ),
        "from transformers import pipeline\nreturn pipeline('fill-mask', 'acme/tiny-embedder')(text + ' [MASK]')",
        (
            "from sentence_transformers import SentenceTransformer\n"
            "return SentenceTransformer('acme/tiny-embedder').encode(text)"
        ),
        (
            "from transformers import AutoTokenizer, AutoModel\nimport torch\n"
            "tokens = AutoTokenizer.from_pretrained('acme/tiny-embedder')(text, return_tensors='pt')\n"
            "with torch.no_grad():\n    return AutoModel.from_pretrained('acme/tiny-embedder')(**tokens)[0][0, 0]"
        ),
        "from transformers import pipeline\nreturn pipeline('text-classification', 'acme/tiny-classifier')([text] * 2)",
    ],
)
def test_every_kind_of_encoder_answers_in_company_as_it_does_alone(make: Make, logic: str) -> None:
    model = make("import torch\ntorch.manual_seed(5)\n" + logic)
    together = [outcome.result() for outcome in model.map(rows(TEXTS[:16]))]
    assert same([model(text) for text in TEXTS[:16]], together)


@pytest.mark.parametrize(
    ("logic", "most"),
    [
        ("def ask(what):\n    return client(what)[0]\nreturn ask(text)", 6),
        ("return client(text)[0] if len(text) % 2 else client(text, top_k=2)[0]", 6),
        ("first = client(text)[0]['label']\nreturn [first, client(first + ' ' + text)[0]['label']]", 12),
        ("if len(text) % 3: return None\nreturn client(text)[0]", 6),
    ],
    ids=["a helper", "branches", "two calls", "an early return"],
)
def test_however_scoring_logic_calls_a_model_its_calls_meet(make: Make, logic: str, most: int) -> None:
    model = make(COUNTED + logic)
    together = [outcome.result() for outcome in model.map(rows(TEXTS))]
    assert len(forwards(model)) <= most
    assert same([model(text) for text in TEXTS], together)


def test_two_models_in_one_row_do_not_hold_each_other_up(make: Make) -> None:
    model = make(
        COUNTED + "other = pipeline('feature-extraction', 'acme/tiny-embedder')\n"
        "if len(text) % 2: return [other(text)[0][0][:3], client(text)[0]]\n"
        "return [client(text)[0], other(text)[0][0][:3]]"
    )
    together = [outcome.result() for outcome in model.map(rows(TEXTS))]
    assert len(forwards(model)) <= 10
    assert same([model(text) for text in TEXTS], together)


def test_a_row_that_raises_fails_alone(make: Make) -> None:
    model = make(
        COUNTED + "if text == 'before': raise ValueError('before')\nanswer = client(text)[0]['label']\n"
        "if text.endswith('after'): raise ValueError('after')\nreturn answer"
    )
    texts = [*TEXTS[:10], "before", "i love it after", *TEXTS[10:20]]
    outcomes = list(model.map(rows(texts)))
    assert ["ValueError" in str(o.error) for o in outcomes] == [False] * 10 + [True, True] + [False] * 10
    assert "line 9" in str(outcomes[10].error)
    assert len(forwards(model)) <= 5


def test_a_text_that_no_model_can_read_does_not_fail_the_others_of_its_forward_pass(make: Make) -> None:
    model = make(COUNTED + "return client(text)[0]['label']")
    outcomes = list(model.map(rows([*TEXTS[:8], " ".join(["bad"] * 100), *TEXTS[8:16]])))
    assert [o.ok for o in outcomes] == [True] * 8 + [False] + [True] * 8
    assert "longer than the model behind probe can read" in str(outcomes[8].error)


def test_what_is_printed_warned_and_timed_belongs_to_its_row(make: Make) -> None:
    model = make(
        "from transformers import pipeline\nimport time\nprint('before', text)\n"
        "client = pipeline('text-classification', model='acme/tiny-classifier')\nlabel = client(text)[0]['label']\n"
        "if text == TEXT: time.sleep(0.2)\nprint('after', text)\nreturn {'label': label, 'n': len(text)}".replace(
            "TEXT", repr(TEXTS[3])
        ),
        output_type="Map[String, String]",
    )
    outcomes = list(model.map(rows(TEXTS[:12])))
    assert [o.stdout for o in outcomes] == [f"before {text}\nafter {text}\n" for text in TEXTS[:12]]
    assert all(len(o.warnings) == 1 for o in outcomes)
    assert [o.pins.keys() for o in outcomes] == [{CLASSIFIER}] * 12
    assert outcomes[3].timings.run_ms > 190
    assert max(o.timings.run_ms for o in outcomes if o is not outcomes[3]) < 150
    assert [o.cold for o in outcomes] == [True] + [False] * 11


def test_cache_sees_one_row_at_a_time(make: Make) -> None:
    model = make(
        COUNTED + "n = cache.get('n', 0)\nfor _ in range(2000): pass\ncache['n'] = n + 1\nclient(text)\n"
        "done = cache.get('done', 0)\nfor _ in range(2000): pass\ncache['done'] = done + 1\nreturn cache['n']"
    )
    numbers = [outcome.result() for outcome in model.map(rows(TEXTS))]
    assert max(numbers) == len(TEXTS)
    assert model("one more") == len(TEXTS) + 1


def test_a_definition_without_batching_runs_its_rows_one_by_one(make: Make) -> None:
    model = make(COUNTED + "return client(text)[0]", batching=False)
    assert all(outcome.ok for outcome in model.map(rows(TEXTS)))
    assert forwards(model) == [1] * len(TEXTS)


@pytest.mark.parametrize(
    "logic",
    [
        "import threading\nwith cache.setdefault('one', threading.Lock()):\n    return client(text)[0]",
        "import torch\nclient.model.train()\nreturn client(text)[0]",
        "import torch\nwith torch.autocast('cpu', dtype=torch.bfloat16):\n    return client(text)[0]",
        (
            "import torch\ntokens = client.tokenizer(text, return_tensors='pt')\n"
            "return client.model(**tokens).logits.requires_grad"
        ),
    ],
    ids=["a lock", "training", "autocast", "gradients"],
)
def test_what_is_not_known_to_be_safe_runs_alone(make: Make, logic: str) -> None:
    model = make(COUNTED + logic)
    assert all(outcome.ok for outcome in model.map(rows(TEXTS[:10])))
    assert forwards(model) == [1] * 10


def test_sampling_runs_alone(make: Make) -> None:
    model = make(
        "from transformers import pipeline\nclient = pipeline('text-generation', 'acme/tiny-generator')\n"
        "if 'sizes' not in cache:\n    cache['sizes'] = set()\n"
        "    client.model.register_forward_hook(lambda model, args, answer: cache['sizes'].add(len(answer.logits)))\n"
        "client(text, max_new_tokens=3, do_sample=True)\nreturn list(cache['sizes'])"
    )
    assert [outcome.result() for outcome in model.map(rows(TEXTS[:6]))] == [[1]] * 6


def test_a_table_can_be_cancelled_and_the_model_goes_on(make: Make, registry: hfreg.Registry) -> None:
    model = make(COUNTED + "import time\ntime.sleep(0.01)\nreturn client(text)[0]['label']")
    model("warm")
    run = registry.start(model.version, (row for row in rows(TEXTS * 100)))
    time.sleep(0.3)
    run.cancel()
    assert len(list(run)) < 1000
    assert model("i love it") == "positive"


def test_a_row_past_its_time_limit_is_stopped_and_the_others_answer(make: Make) -> None:
    model = make(
        COUNTED + "if text == 'slow':\n    while True: pass\nreturn client(text)[0]['label']",
        limits=hfreg.Limits(time_s=0.5),
    )
    outcomes = list(model.map(rows([*TEXTS[:5], "slow", *TEXTS[5:10]])))
    assert [o.status for o in outcomes] == ["ok"] * 5 + ["timeout"] + ["ok"] * 5
    assert isinstance(outcomes[5].error, hfreg.ScoringTimeout)


def test_waiting_for_other_rows_does_not_count_against_the_time_limit(make: Make) -> None:
    model = make(COUNTED + "import time\ntime.sleep(0.04)\nreturn client(text)[0]['label']",
                 limits=hfreg.Limits(time_s=0.5))  # fmt: skip
    assert [o.status for o in model.map(rows(TEXTS[:20]))] == ["ok"] * 20


def test_rows_are_cut_by_padded_tokens_and_waste_with_one_row_at_least() -> None:
    class Ids:
        device = "cpu"

        def __init__(self, length: int) -> None:
            self.shape = (1, length)

    def lengths(*given: int, budget: int = 100, slack: int = 20) -> list[list[int]]:
        calls = [Call(None, None, len, "", {"input_ids": Ids(n)}) for n in given]  # type: ignore[arg-type]
        return [[call.length for call in cut] for cut in cuts(calls, budget, slack)]

    assert lengths(10, 500, 40) == [[500], [40], [10]]
    assert lengths(*[25] * 6) == [[25] * 4, [25] * 2]
    assert lengths(30, 20, 21, slack=5) == [[30], [21, 20]]
    assert lengths() == []
