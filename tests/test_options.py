"""Advanced options: what they change when a model is loaded, over both engines where both know them."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.options import Options
from hfreg.scoring.placement import Placement

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
