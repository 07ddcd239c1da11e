"""What a warm call by alias costs beyond the same transformers pipeline called directly.

Two checkpoints. The scoring logic of each loads a pipeline; a call by alias goes through the engine and is logged, and
the direct call takes that very pipeline object in this thread: two loads of one checkpoint differ by more than what is
measured here, by where their weights came to lie. They take turns in one run, and must give the same answer. A tiny
classifier shows the milliseconds that are ours, a MiniLM-sized encoder with random weights what they are beside real
work.

    python -m bench.warm_call
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hfreg
from bench.report import Figure, write
from bench.timing import in_turns, milliseconds
from hfreg.settings import Settings

sys.path.append(str(Path(__file__).parents[1] / "tests"))

SHORT = "i love this great product"
LONG = "the people in the city love this great product and the service on monday is good but the table is broken"
ENCODER = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
LOGIC = """
from transformers import pipeline
client = pipeline("text-classification", model={folder!r})
return client(text)[0]
"""


def build_encoder(folder: Path, tiny: Path, shape: Mapping[str, int]) -> int:
    """Save a classifier of MiniLM-L6's shape with random weights and the tiny tokenizer; return its parameters."""
    import torch
    import transformers

    torch.manual_seed(7)
    config = transformers.BertConfig(vocab_size=30522, num_labels=3, **shape)
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tiny).save_pretrained(folder)
    return int(model.num_parameters())


def pair(registry: hfreg.Registry, alias: str, folder: Path, text: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return the call by alias and the direct call of one checkpoint, both warm."""
    import transformers

    registry.register(
        hfreg.Definition(
            alias=alias,
            output_type="Map[String, Any]",
            arguments=[hfreg.Argument("text")],
            scoring_logic=LOGIC.format(folder=str(folder)),
        )
    )
    before = {id(o) for o in gc.get_objects() if type(o) is transformers.TextClassificationPipeline}
    model = registry.model(alias)
    outcome = model.run(text=text)
    made = [o for o in gc.get_objects() if type(o) is transformers.TextClassificationPipeline]
    (direct,) = (pipeline for pipeline in made if id(pipeline) not in before)
    assert outcome.result() == direct(text)[0], (outcome, direct(text))
    assert not model.run(text=text).cold
    return lambda: model(text=text), lambda: direct(text)[0]


def measure(
    tiny: Path, folder: Path, calls: int = 1500, encoder_calls: int = 150, shape: Mapping[str, int] = ENCODER
) -> tuple[list[Figure], dict[str, Any]]:
    """Measure both checkpoints; the encoder is built in the folder."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    parameters = build_encoder(folder / "encoder", tiny, shape)
    try:
        with hfreg.Registry(Settings(home=folder / "home", offline=True)) as registry:
            ours, direct = in_turns(calls, *pair(registry, "tiny", tiny, SHORT), warm_up=20)
            encoder = pair(registry, "encoder", folder / "encoder", LONG)
            large, large_direct = in_turns(encoder_calls, *encoder, warm_up=3)
            registry.events.flush()
            assert registry.events.count() >= calls + encoder_calls, "every call is logged"
    finally:
        torch.set_num_threads(threads)
    own = milliseconds(ours) - milliseconds(direct)
    ratio = milliseconds(large) / milliseconds(large_direct)
    peer = f"{milliseconds(direct):.3f} ms for the same tiny pipeline called directly"
    large_peer = f"{milliseconds(large_direct):.2f} ms for the same pipeline called directly"
    size = f"{parameters / 1e6:.1f} M-parameter encoder"
    return [
        Figure("a warm call by alias adds, p50", round(own, 3), "ms", "≤ 0.15", peer),
        Figure(f"warm call by alias, {size}, over the direct call, p50", round(ratio, 3), "×", "≤ 1.03", large_peer),
    ], {
        "calls": calls,
        "encoder_calls": encoder_calls,
        **{
            name: {"by alias": round(milliseconds(by_alias, share), 3), "direct": round(milliseconds(plain, share), 3)}
            for name, by_alias, plain, share in (
                ("tiny_p10_ms", ours, direct, 0.1),
                ("tiny_p50_ms", ours, direct, 0.5),
                ("tiny_p95_ms", ours, direct, 0.95),
                ("encoder_p50_ms", large, large_direct, 0.5),
            )
        },
    }


def main() -> bool:
    """Measure, print and write; return whether the targets were met."""
    from tiny_checkpoints import TinyCheckpoints

    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        os.environ["HF_HUB_OFFLINE"] = "1"
        figures, details = measure(TinyCheckpoints(Path(folder)).classifier, Path(folder))
    return write("warm_call", figures, threads="1 torch thread; engine and caller share the cores", details=details)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
