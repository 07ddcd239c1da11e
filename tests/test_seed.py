"""The user's own examples, word for word, against a real huggingface_hub client and a real tiny checkpoint."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg

SEED = Path(__file__).parent / "seed.md"
BLOCKS = re.findall(r"```python\n(.*?)```", SEED.read_bytes().decode(), re.S)
USING, SCORING_LOGIC, DETECTING = BLOCKS
REPO = "cardiffnlp/twitter-roberta-base-sentiment-latest"
TOKEN = "hf_" + "a1B2" * 8


def sentiment(**fields: object) -> hfreg.Definition:
    arguments = [
        hfreg.Argument("text", "String", usage="Main input content"),
        hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
    ]
    return hfreg.Definition(
        **{
            "alias": "sentiment_analyzer",
            "arguments": arguments,
            "output_type": "Map[String, String]",
            "scoring_logic": SCORING_LOGIC,
            **fields,
        }
    )


@pytest.fixture
def served(loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints) -> LoopbackHub:
    loopback_hub.add_repo(REPO, tiny_checkpoints.classifier)
    return loopback_hub


def opened_files(during: Callable[[], object]) -> list[str]:
    """List the files that are opened during a call, seen by Python's audit hook."""
    opened: list[str] = []
    watching = [True]

    def hook(event: str, args: tuple[object, ...]) -> None:
        if watching and event in {"open", "os.open"} and isinstance(args[0], str):
            opened.append(args[0])

    sys.addaudithook(hook)
    during()
    watching.clear()
    return opened


def test_the_scoring_logic_of_the_seed_runs_verbatim(served: LoopbackHub, registry: hfreg.Registry) -> None:
    registry.register(sentiment())
    outcome = registry.model("sentiment_analyzer").run(text="This product is amazing!", threshold=0.0)
    assert outcome.result()["sentiment"] in {"negative", "neutral", "positive"}
    assert float(outcome.value["confidence"]) > 0
    assert outcome.cold
    assert any("Struct[sentiment: String, confidence: Numerical]" in w for w in outcome.warnings)
    assert registry.model("sentiment_analyzer")(text=None) is None


def test_the_seed_finds_nothing_that_blocks(registry: hfreg.Registry) -> None:
    assert [f for f in registry.check(sentiment()) if f.level == "error"] == []


def test_a_warm_call_sends_no_request_and_opens_no_file_of_the_model(
    served: LoopbackHub, registry: hfreg.Registry
) -> None:
    registry.register(sentiment())
    model = registry.model("sentiment_analyzer")
    cold = opened_files(lambda: model(text="first"))
    assert any(name.endswith("model.safetensors") for name in cold)  # the hook does see a load
    model(text="second")
    served.forget_requests()
    warm = opened_files(lambda: model(text="third"))
    assert served.requests == []
    assert [name for name in warm if "huggingface" in name or name.endswith((".json", ".safetensors"))] == []


def test_the_seed_runs_offline_from_the_cache(
    served: LoopbackHub, registry: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(sentiment())
    online = registry.model("sentiment_analyzer")(text="hello", threshold=0)
    registry.close()
    served.stop()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = hfreg.open()
    assert again is not registry
    assert again.model("sentiment_analyzer")(text="hello", threshold=0) == online


def test_the_seed_runs_with_a_token_and_writes_it_nowhere(
    served: LoopbackHub, registry: hfreg.Registry, home: Path, tmp_path: Path
) -> None:
    served.add_token(TOKEN)
    registry.save_token(TOKEN)
    registry.register(sentiment(token=True))
    assert registry.model("sentiment_analyzer")(text="hello")
    registry.close()
    holding = [p for p in tmp_path.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]
    assert holding == [home / "secrets" / "huggingface_token"]


def test_a_private_model_of_the_seed_loads_with_the_saved_token_and_says_what_is_missing_without(
    loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints, registry: hfreg.Registry
) -> None:
    loopback_hub.add_repo(REPO, tiny_checkpoints.classifier, private=True)
    loopback_hub.add_token(TOKEN, repos=(REPO,))
    registry.register(sentiment())
    outcome = registry.model("sentiment_analyzer").run(text="hello")
    assert isinstance(outcome.error, hfreg.RepoNotFound)
    assert REPO in str(outcome.error)
    registry.save_token(TOKEN)
    assert registry.model("sentiment_analyzer")(text="hello")


def test_the_first_example_of_the_seed_runs_where_confidence_threshold_is_declared(
    served: LoopbackHub, registry: hfreg.Registry
) -> None:
    declared = [
        hfreg.Argument("text"),
        hfreg.Argument("confidence_threshold", "Numerical", optional=True, default="0.5"),
    ]
    logic = SCORING_LOGIC.replace("threshold", "confidence_threshold")
    registry.register(sentiment(arguments=declared, scoring_logic=logic))
    names: dict[str, object] = {"sentiment_analyzer": registry.model("sentiment_analyzer")}
    exec(USING, names)
    assert set(names["result"]) == {"sentiment", "confidence"}


def test_the_first_example_of_the_seed_suggests_the_near_name_where_only_threshold_is_declared(
    served: LoopbackHub, registry: hfreg.Registry
) -> None:
    registry.register(sentiment())
    with pytest.raises(hfreg.ArgumentError, match="Did you mean `threshold`"):
        exec(USING, {"sentiment_analyzer": registry.model("sentiment_analyzer")})
    assert registry.loaded() == []


def test_the_prompt_injection_example_of_the_seed_runs(
    served: LoopbackHub, tiny_checkpoints: TinyCheckpoints, registry: hfreg.Registry
) -> None:
    registry.register(
        hfreg.Definition(
            alias="prompt_injection_detector",
            arguments=[
                hfreg.Argument("text"),
                hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
                hfreg.Argument("max_length", "Numerical", optional=True, default="512"),
            ],
            output_type="Map[String, Any]",
            scoring_logic=(
                "from transformers import pipeline\n"
                f"client = pipeline('text-classification', model={REPO!r})\n"
                "result = client(text, truncation=True, max_length=max_length)[0]\n"
                "return {'flagged': result['score'] >= threshold, 'length': max_length}\n"
            ),
        )
    )
    from hfreg.models import prompt_injection_detector

    names: dict[str, object] = {"prompt_injection_detector": prompt_injection_detector}
    exec(DETECTING, names)
    assert names["result"]["length"] == 512
    assert isinstance(names["result"]["length"], int)
    assert prompt_injection_detector is registry.model("prompt_injection_detector")
