"""What bfloat16 gives and costs against float32 on this processor, through the advanced option of a definition.

Speed: checkpoints of the starters' architectures, made as large as those in use (22 to 125 million parameters) with
random weights; the calls of both kinds of weights take turns in one run, and the ratio is that of each turn. Agreement:
the starters themselves, whose weights are trained, on their held-out texts; how far the larger random ones are apart is
among the details. Whether the processor has instructions for bfloat16 stands in the result.

    python -m bench.bfloat16
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hfreg
from bench.report import Figure, write
from bench.timing import in_turns, milliseconds
from hfreg.settings import STARTERS, Settings

HELD_OUT = Path(__file__).parents[1] / "tests" / "starter_heldout"
KINDS = ("float32", "bfloat16")
TEXT = "The people in the city love this great product and the service on Monday is good but the table is broken. " * 5
CLASSIFY = """
from transformers import pipeline
client = pipeline("text-classification", model={folder!r})
return {{"dtype": str(client.model.dtype), "answer": client(text, top_k=None)}}
"""
EMBED = """
import torch
from transformers import AutoModel, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained({folder!r})
model = AutoModel.from_pretrained({folder!r})
with torch.inference_mode():
    found = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].float().mean(0)
return {{"dtype": str(model.dtype), "answer": found.tolist()}}
"""
GENERATE = """
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained({folder!r})
model = AutoModelForCausalLM.from_pretrained({folder!r})
ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=200)["input_ids"]
made = model.generate(ids, attention_mask=ids.ge(0), max_new_tokens=16, min_new_tokens=16, do_sample=False)
return {{"dtype": str(model.dtype), "answer": made[0, ids.shape[1]:].tolist()}}
"""
BASE, SMALL = (768, 12), (384, 6)
SHAPES: dict[str, tuple[str, str, tuple[tuple[int, int], ...], int]] = {
    "classifier": ("starter-sentiment", CLASSIFY, ((512, 8), BASE), 50_368),
    "embedder": ("starter-embedder", EMBED, (SMALL, BASE), 30_522),
    "generator": ("starter-generator", GENERATE, (SMALL, BASE), 50_257),
}
"""Starter whose architecture it is, scoring logic, width and layers of each size, tokens of the vocabulary."""


def instructions() -> list[str]:
    """Return which instructions for bfloat16 the processor says to have."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.exists() else []
    return sorted({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))


def build(folder: Path, starter: str, width: int, layers: int, vocabulary: int) -> int:
    """Save a checkpoint of a starter's architecture in another size, weights random; return its parameters."""
    import torch
    import transformers

    torch.manual_seed(7)
    config = transformers.AutoConfig.from_pretrained(STARTERS / starter)
    kind = getattr(transformers, config.architectures[0])
    changed: dict[str, Any] = {"vocab_size": vocabulary, "dtype": None}
    if config.model_type == "gpt2":
        changed |= {"n_embd": width, "n_layer": layers, "n_head": width // 64}
    else:
        inner = width * 3 // 2 if config.model_type == "modernbert" else width * 4
        changed |= {
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": width // 64,
            "intermediate_size": inner,
        }
    told = {name: value for name, value in config.to_dict().items() if name not in {*changed, "layer_types"}}
    model = kind(type(config)(**told, **changed)).eval()
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(STARTERS / starter).save_pretrained(folder)
    return int(model.num_parameters())


def calls(registry: hfreg.Registry, name: str, logic: str) -> list[Callable[..., Any]]:
    """Register one definition for each kind of weights and return their calls, warm and of the kind that is meant."""
    made: list[Callable[..., Any]] = []
    for kind in KINDS:
        alias = f"{name}_{kind}"
        definition = hfreg.Definition(
            alias=alias,
            output_type="Map[String, Any]",
            arguments=[hfreg.Argument("text")],
            scoring_logic=logic,
            options={"dtype": kind},
        )
        registry.register(definition)
        model = registry.model(alias)
        assert model(text=TEXT)["dtype"] == f"torch.{kind}", f"the option has no effect on {alias}"
        made.append(model)
    return made


def speed(registry: hfreg.Registry, folder: Path, name: str, size: int, rounds: int) -> tuple[Figure, dict[str, Any]]:
    """Measure one architecture at one size: the median over the turns of the ratio of both."""
    starter, logic, sizes, vocabulary = SHAPES[name]
    place = folder / f"{name}{size}"
    parameters = build(place, starter, *sizes[size], vocabulary)
    plain, short = calls(registry, f"{name}{size}", logic.format(folder=str(place)))
    plain_s, short_s = in_turns(rounds, lambda: plain(text=TEXT), lambda: short(text=TEXT), warm_up=2)
    ratio = statistics.median(a / b for a, b in zip(plain_s, short_s, strict=True))
    answers = [one(text=TEXT)["answer"] for one in (plain, short)]
    for kind in KINDS:
        registry.unload(f"{name}{size}_{kind}")
    figure = Figure(
        f"bfloat16: {name} of {parameters / 1e6:.0f} M parameters, float32 over bfloat16, p50",
        round(ratio, 2),
        "×",
        peer=f"{milliseconds(short_s):.0f} ms in bfloat16, {milliseconds(plain_s):.0f} ms in float32",
    )
    return figure, {"parameters": parameters, "ratio": round(ratio, 3), "random_weights": apart(name, [answers])}


def apart(name: str, answers: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return how far answers of both kinds are apart, each a pair of them."""
    if name == "embedder":
        cosines = [_cosine(*pair) for pair in answers]
        return {"texts": len(answers), "least_cosine": round(min(cosines), 6)}
    if name == "generator":
        shares = [sum(a == b for a, b in zip(*pair, strict=True)) / len(pair[0]) for pair in answers]
        return {"texts": len(answers), "same_tokens": round(statistics.fmean(shares), 3), "same": shares.count(1.0)}
    scores = [[{one["label"]: one["score"] for one in told} for told in pair] for pair in answers]
    same = sum(max(a, key=a.__getitem__) == max(b, key=b.__getitem__) for a, b in scores)
    largest = max(abs(a[label] - b[label]) for a, b in scores for label in a)
    return {"texts": len(answers), "same_label": same, "largest_difference": round(largest, 5)}


def agreement(registry: hfreg.Registry, texts: int) -> dict[str, dict[str, Any]]:
    """Return how far the answers of the starters are apart in both kinds, on their held-out texts."""
    found = {}
    asked = {
        "sentiment": ("classifier", "starter-sentiment", CLASSIFY, "sentiment", "text"),
        "prompt guard": ("classifier", "starter-prompt-guard", CLASSIFY, "prompt_guard", "text"),
        "embedder": ("embedder", "starter-embedder", EMBED, "triples", "anchor"),
        "generator": ("generator", "starter-generator", GENERATE, "generator", "text"),
    }
    for name, (kind, starter, logic, file, field) in asked.items():
        lines = (HELD_OUT / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()[:texts]
        both = calls(registry, name.replace(" ", "_"), logic.format(folder=str(STARTERS / starter)))
        given = [json.loads(line)[field] for line in lines]
        found[name] = apart(kind, [[one(text=text)["answer"] for one in both] for text in given])
    return found


def figures_of(found: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    """Return the agreement of the trained starters as figures."""
    made = []
    for name in ("sentiment", "prompt guard"):
        one = found[name]
        peer = f"{one['same_label']} of {one['texts']} held-out texts get the same label"
        made.append(
            Figure(f"bfloat16: starter {name}, largest difference of a score", one["largest_difference"], "", peer=peer)
        )
    one = found["embedder"]
    made.append(
        Figure(
            "bfloat16: starter embedder, least cosine to float32",
            one["least_cosine"],
            "",
            peer=f"{one['texts']} held-out texts",
        )
    )
    one = found["generator"]
    peer = f"{one['same']} of {one['texts']} continuations are the same throughout"
    made.append(
        Figure(
            "bfloat16: starter generator, share of the first 16 tokens that are the same",
            one["same_tokens"],
            "",
            peer=peer,
        )
    )
    return made


def measure(
    folder: Path, rounds: int, texts: int, sizes: Sequence[int] = (0, 1)
) -> tuple[list[Figure], dict[str, Any]]:
    """Measure speed and agreement; checkpoints are built in the folder."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    figures, details = [], {}
    try:
        with hfreg.Registry(Settings(home=folder / "home", offline=True)) as registry:
            for name in SHAPES:
                for size in sizes:
                    figure, details[f"{name}{size}"] = speed(registry, folder, name, size, rounds)
                    figures.append(figure)
            details["trained"] = agreement(registry, texts)
    finally:
        torch.set_num_threads(threads)
    return figures + figures_of(details["trained"]), details


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    dot = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return dot / (math.hypot(*one) * math.hypot(*other))


def main() -> bool:
    """Measure, print and write; there is no target: what it gives depends on the processor."""
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        figures, details = measure(Path(folder), rounds=15, texts=220)
    told = ", ".join(instructions()) or "none"
    return write(
        "bfloat16",
        figures,
        threads=f"1 torch thread, inline engine; instructions for bfloat16: {told}; weights of the sizes are random",
        details={"instructions": instructions(), "characters": len(TEXT), **details},
    )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
