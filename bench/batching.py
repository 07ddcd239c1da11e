"""Rows per second of unmodified scoring logic over a table, against what one would write by hand.

Texts of log-normal lengths (5 to 512 tokens) go through `model.map`, and through (a) a loop of single calls by alias,
(b) `pipeline(list)`, (c) `pipeline(list, batch_size=8 … 64)`, the best of them, (d) a hand-written loop over model and
tokenizer, sorted by length and cut by a budget of padded tokens. The ways take turns in one run. Encoders of 22 M and
66 M parameters have random weights and are built on the spot; the starter classifier is as it ships. Besides, 32
callers of one loaded model at once against the same calls one by one. On the isolated engine the model runs in a
worker, and the ways by hand in this process.

    python -m bench.batching [--rows 2000] [--rounds 3] [--only 22M] [--engine isolated]
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hfreg
from bench.isolated import COMMIT
from bench.report import Figure, write
from bench.timing import milliseconds
from bench.warm_call import ENCODER
from hfreg.settings import Settings

sys.path.append(str(Path(__file__).parents[1] / "tests"))

BASE = {"hidden_size": 768, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 3072}
SIZES = {"22M": ENCODER, "66M": BASE}
TARGETS = {"22M": ("≥ 1.4", "≥ 0.95"), "66M": ("≥ 2", "≥ 0.95"), "starter": ("≥ 2", "≥ 0.6")}
BUDGET, CALLERS = 2048, 32
STARTER = Path(__file__).parents[1] / "data" / "starter" / "starter-sentiment"
LOGIC = """
from transformers import pipeline
client = pipeline("text-classification", model={model!r})
return client(text, truncation=True, max_length=512)[0]
"""


def texts(count: int) -> list[str]:
    """Return texts of log-normal lengths of a vocabulary that every tokenizer here knows."""
    draw = random.Random(7)
    sentence = "i love this great product the meeting is on a table in city bad service and angry people"
    words = sentence.split(" ")
    lengths = [min(510, max(3, round(math.exp(draw.gauss(math.log(48), 0.9))))) for _ in range(count)]
    return [" ".join(draw.choice(words) for _ in range(length)) for length in lengths]


def build(repo: str, tiny: Path, shape: dict[str, int]) -> str:
    """Put a classifier with random weights and 512 positions into the cache as if it had been fetched."""
    import torch
    import transformers

    from hfreg.hub.client import cache_folder

    folder = cache_folder(repo) / "snapshots" / COMMIT
    refs = cache_folder(repo) / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text(COMMIT)
    torch.manual_seed(7)
    config = transformers.BertConfig(vocab_size=30522, num_labels=3, **shape)
    transformers.BertForSequenceClassification(config).eval().save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(folder)
    return str(folder)


def by_hand(client: Any, given: Sequence[str]) -> list[str]:
    """Return the labels as a careful loop over model and tokenizer would get them."""
    import torch

    ids = client.tokenizer(list(given), truncation=True, max_length=512)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    labels = [""] * len(ids)
    while order:
        count = max(1, BUDGET // len(ids[order[0]]))
        cut, order = order[:count], order[count:]
        batch = client.tokenizer.pad({"input_ids": [ids[i] for i in cut]}, return_tensors="pt")
        with torch.no_grad():
            best = client.model(**batch).logits.softmax(-1).max(-1)
        for i, label in zip(cut, best.indices.tolist(), strict=True):
            labels[i] = client.model.config.id2label[label]
    return labels


def rates(model: hfreg.Model, client: Any, given: list[str], rounds: int) -> dict[str, float]:
    """Return rows per second of each way, the best of the rounds; every way must give the same labels."""
    options = {"truncation": True, "max_length": 512}
    ways: dict[str, Callable[[], list[str]]] = {
        "map": lambda: [outcome.result()["label"] for outcome in model.map([{"text": text} for text in given])],
        "single calls": lambda: [model(text=text)["label"] for text in given],
        "pipeline(list)": lambda: [answer["label"] for answer in client(given, **options)],
        "by hand": lambda: by_hand(client, given),
    }
    for size in (8, 16, 32, 64):
        ways[f"batch_size={size}"] = lambda size=size: [  # type: ignore[misc]
            answer["label"] for answer in client(given, batch_size=size, **options)
        ]
    found: dict[str, float] = {}
    for _ in range(rounds):
        answers = {}
        for name, way in ways.items():
            began = time.perf_counter()
            answers[name] = way()
            found[name] = max(found.get(name, 0.0), len(given) / (time.perf_counter() - began))
        assert all(labels == answers["map"] for labels in answers.values()), "every way gives the same labels"
    return found


def callers(model: hfreg.Model, given: list[str]) -> tuple[float, float, int]:
    """Return the throughput of many callers over that of one, the p99 in milliseconds, and wrong answers."""
    began = time.perf_counter()
    alone = [model(text=text)["label"] for text in given]
    one = time.perf_counter() - began
    took: list[float] = []

    def call(text: str) -> str:
        started = time.perf_counter()
        label: str = model(text=text)["label"]
        took.append(time.perf_counter() - started)
        return label

    with ThreadPoolExecutor(CALLERS) as pool:
        began = time.perf_counter()
        together = list(pool.map(call, given))
        many = time.perf_counter() - began
    return one / many, milliseconds(took, 0.99), sum(a != b for a, b in zip(alone, together, strict=True))


def measure(
    tiny: Path, folder: Path, rows: int, rounds: int, only: str | None = None, engine: str = "inline"
) -> tuple[list[Figure], dict[str, Any]]:
    """Measure each model, or one; the encoders are put into the cache."""
    import torch
    from transformers import pipeline

    figures: list[Figure] = []
    details: dict[str, Any] = {"rows": rows, "rounds": rounds}
    given, threads = texts(rows), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with hfreg.Registry(Settings(home=folder / "home", offline=True, engine=engine)) as registry:
            for name in [only] if only else TARGETS:
                repo = "hfreg/starter-sentiment" if name == "starter" else f"bench/{name}"
                path = str(STARTER) if name == "starter" else build(repo, tiny, SIZES[name])
                model = registered(registry, f"bench_{name}", repo)
                model(text=given[0])
                found = rates(model, pipeline("text-classification", model=path), given, rounds)
                details[name] = {way: round(rate, 1) for way, rate in found.items()}
                figures += compared(name, found)
                gain, p99_ms, wrong = callers(model, given)
                details[f"{name} callers"] = {"over one": round(gain, 2), "p99_ms": round(p99_ms, 1), "wrong": wrong}
                target = "≥ 1.5" if name == "22M" else ""
                peer = f"p99 {p99_ms:.0f} ms, {wrong} wrong answers"
                figures.append(Figure(f"{CALLERS} callers over one, {name}", round(gain, 2), "×", target, peer))
    finally:
        torch.set_num_threads(threads)
    return figures, details


def registered(registry: hfreg.Registry, alias: str, repo: str) -> hfreg.Model:
    """Register the unmodified definition of one checkpoint."""
    arguments = [hfreg.Argument("text")]
    logic = LOGIC.format(model=repo)
    registry.register(
        hfreg.Definition(alias=alias, output_type="Map[String, Any]", arguments=arguments, scoring_logic=logic)
    )
    return registry.model(alias)


def compared(name: str, found: dict[str, float]) -> list[Figure]:
    """Return the rows per second of `model.map` over those of each other way."""
    batched = max((way for way in found if way.startswith("batch_size")), key=lambda way: found[way])
    single, hand = TARGETS[name]
    ways = {"single calls": single, "pipeline(list)": "≥ 1", batched: "≥ 1", "by hand": hand}
    return [
        Figure(f"map over {way}, {name}", round(found["map"] / found[way], 2), "×", target, f"{found[way]:.0f} rows/s")
        for way, target in ways.items()
    ]


def main() -> bool:
    """Measure, print and write; return whether the targets were met."""
    parser = argparse.ArgumentParser(description="Rows per second under unmodified scoring logic.")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=list(TARGETS))
    parser.add_argument("--engine", choices=("inline", "isolated"), default="inline")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder:
        os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=str(Path(folder) / "hf"))
        from tiny_checkpoints import TinyCheckpoints

        tiny = TinyCheckpoints(Path(folder)).classifier
        figures, details = measure(tiny, Path(folder), given.rows, given.rounds, given.only, given.engine)
    name = "batching" if given.engine == "inline" else f"batching_{given.engine}"
    return write(name, figures, threads="1 torch thread; engine and callers share the cores", details=details)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
