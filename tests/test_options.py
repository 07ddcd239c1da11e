"""Advanced options: what they change when a model is loaded, over both engines where both know them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.options import Options
from hfreg.scoring.batching import gathers
from hfreg.scoring.placement import Placement
from hfreg.settings import STARTERS

HELD_OUT = Path(__file__).parent / "starter_heldout" / "sentiment.jsonl"

LOADED = """
from transformers import AutoModel, AutoTokenizer, pipeline
client = pipeline("text-classification", model=model_dir)
as_written = pipeline("text-classification", model=model_dir, dtype="float32")
model = AutoModel.from_pretrained(model_dir)
tokenizer = AutoTokenizer.from_pretrained(model_dir)
"""


def definition(**fields: Any) -> hfreg.Definition:
    usual: dict[str, Any] = {"alias": "placed", "description": "Says where it is.", "input_type": "Custom"}
    return hfreg.Definition(**{**usual, **fields})


def test_weights_are_loaded_as_the_option_says_unless_the_code_says_it(
    engine: str, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    folder = registry.add_folder(tiny_checkpoints.classifier)
    made = definition(
        folder=folder.address,
        initialization_logic=LOADED,
        scoring_logic="return [str(client.model.dtype), str(as_written.model.dtype), str(model.dtype)]",
        options=Options(dtype="bfloat16", device="cpu"),
    )
    assert registry.test(made).result() == ["torch.bfloat16", "torch.float32", "torch.bfloat16"]
    plain = registry.test(made.model_copy(update={"options": Options()})).result()
    assert plain == ["torch.float32"] * 3


QUANTIZED = """
from transformers import AutoModel, pipeline
client = pipeline("text-classification", model=model_dir)
model = AutoModel.from_pretrained(model_dir)
"""


def test_an_encoder_in_int8_answers_nearly_as_in_float32(engine: str, registry: hfreg.Registry) -> None:
    folder = registry.add_folder(STARTERS / "starter-sentiment")
    made = definition(
        arguments=[hfreg.Argument("texts", "Array[String]")],
        folder=folder.address,
        initialization_logic=QUANTIZED,
        scoring_logic="kinds = {str(type(m)) for m in [*client.model.modules(), *model.modules()]}\n"
        "return [[(found['label'], found['score']) for found in (client(one)[0] for one in texts)], sorted(kinds)]",
    )
    texts = [json.loads(line)["text"] for line in HELD_OUT.read_text("utf-8").splitlines()]
    plain, usual = registry.test(made, texts=texts).result()
    outcome = registry.test(made.model_copy(update={"options": Options(quantization="int8")}), texts=texts)
    small, quantized = outcome.result()
    assert outcome.warnings == ()
    assert any("quantized.dynamic" in kind for kind in quantized)
    linear = "<class 'torch.nn.modules.linear.Linear'>"
    assert linear in usual and linear not in quantized
    assert [label for label, _ in small] == [label for label, _ in plain]
    differences = [abs(ours - theirs) for (_, ours), (_, theirs) in zip(small, plain, strict=True)]
    assert len(texts) == 220 and 0 < max(differences) < 0.05


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ("pipeline('text-generation', model=model_dir)", "`GPT2LMHeadModel` generates, and int8 is for encoders"),
        ("AutoModelForCausalLM.from_pretrained(model_dir)  # generation", "`GPT2LMHeadModel` generates"),
        ("pipeline('feature-extraction', model=model_dir, dtype='bfloat16')", "found torch.bfloat16 on cpu"),
    ],
)
def test_what_int8_is_not_for_is_refused_with_the_way_out(
    registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints, load: str, said: str
) -> None:
    checkpoint = tiny_checkpoints.generator if "generation" in load else tiny_checkpoints.classifier
    made = definition(
        folder=registry.add_folder(checkpoint).address,
        scoring_logic=f"from transformers import AutoModelForCausalLM, pipeline\nclient = {load}\nreturn str(client)",
        options=Options(quantization="int8"),
    )
    message = str(registry.test(made).error)
    assert said in message and "Leave Quantization empty." in message


def test_a_model_of_sentence_transformers_in_int8_gives_nearly_the_same_vector(
    registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    made = definition(
        folder=registry.add_folder(tiny_checkpoints.embedder).address,
        scoring_logic="from sentence_transformers import SentenceTransformer\n"
        "return SentenceTransformer(model_dir).encode('i love it', normalize_embeddings=True)",
    )
    plain = registry.test(made).result()
    small = registry.test(made.model_copy(update={"options": Options(quantization="int8")})).result()
    assert small != plain and sum(a * b for a, b in zip(small, plain, strict=True)) > 0.999


def test_rows_of_a_model_in_int8_share_no_forward_pass() -> None:
    made = definition(scoring_logic="return client(text)")
    assert gathers(made)
    assert not gathers(made.model_copy(update={"options": Options(quantization="int8")}))


def test_a_device_that_is_not_here_is_told(
    engine: str, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    folder = registry.add_folder(tiny_checkpoints.classifier)
    made = definition(
        folder=folder.address,
        scoring_logic="from transformers import pipeline\nreturn pipeline('text-classification', model=model_dir)('a')",
        options=Options(device="cuda"),
    )
    assert "is to be loaded on cuda, which it does not have here" in str(registry.test(made).error)


@pytest.mark.parametrize(("threads", "found"), [(None, 1), (2, 2)])
def test_a_model_computes_in_as_many_threads_as_it_asks_for(
    zygote: None, monkeypatch: pytest.MonkeyPatch, threads: int | None, found: int
) -> None:
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    with hfreg.open() as registry:
        made = definition(
            scoring_logic="import torch\nreturn torch.get_num_threads()",
            options=Options(threads=threads),
            input_type="Python Function",
        )
        assert registry.test(made).result() == found


def test_a_model_that_is_to_be_kept_is_kept_from_its_first_load(registry: hfreg.Registry) -> None:
    registry.register(definition(scoring_logic="return 1", options=Options(keep_loaded=True)))
    registry.model("placed")()
    assert [one.kept for one in registry.loaded()] == [True]
    registry.keep("placed", 1, False)
    registry.model("placed")()
    assert [one.kept for one in registry.loaded()] == [False], "who lets it go is heard"


def test_loading_ahead_runs_the_warm_up_input(registry: hfreg.Registry) -> None:
    registry.register(
        definition(
            arguments=[hfreg.Argument("text", "String")],
            scoring_logic="print(text)\nreturn text",
            examples=[{"text": "an example"}],
            options=Options(warm_up={"text": "warm"}),
        )
    )
    assert next(iter(registry.load(registry.get("placed")))).stdout == "warm\n"


def test_options_name_no_keyword_that_a_load_does_not_know() -> None:
    placement = Placement(Options(dtype="float16", device="cpu"))
    tokenizer = "transformers.models.auto.tokenization_auto.AutoTokenizer"
    assert placement.keywords(tokenizer, "repo", {"repo": "a"}) == {"repo": "a"}
    assert placement.keywords("pipeline", "model", {"model": object}) == {"model": object}
    encoder = "sentence_transformers.SentenceTransformer"
    assert placement.keywords(encoder, "repo", {"repo": "a"}) == {
        "repo": "a", "model_kwargs": {"dtype": "float16"}, "device": "cpu",
    }  # fmt: skip
    given = {"model": "a", "device_map": "auto", "dtype": "float32"}
    assert placement.keywords("pipeline", "model", given) == given
