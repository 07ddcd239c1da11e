"""Measures the starters on labelled text: `python -m training.evaluate [--set DIR] [--models DIR] [--write FILE]`.

Covers: accuracy and triple accuracy with Wilson's 95 % interval, perplexity against a unigram baseline with a bootstrap
interval of their ratio. Does not cover: choosing a model; the held-out set is for one reading after training is final.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from training import fit, stories
from training.build import write_json
from training.train import ROOT, SEED, STARTERS

HELD_OUT = ROOT / "tests" / "starter_heldout"
DEVELOPMENT = Path(__file__).parent / "dev"
Figures = dict[str, Any]
Z = 1.959964
FILES = {
    "starter-sentiment": "sentiment.jsonl",
    "starter-prompt-guard": "prompt_guard.jsonl",
    "starter-embedder": "triples.jsonl",
    "starter-generator": "generator.jsonl",
}
NAMES = {"POSITIVE": "positive", "NEGATIVE": "negative", "INJECTION": "injection", "SAFE": "safe"}


def read(path: Path) -> list[dict[str, str]]:
    """Return the objects of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a proportion."""
    share, spread = right / count, Z * Z / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def proportion(name: str, hits: list[bool]) -> Figures:
    """Return a share of hits with its interval, rounded to three digits."""
    low, high = wilson(sum(hits), len(hits))
    return {name: round(sum(hits) / len(hits), 3), "interval": [round(low, 3), round(high, 3)], "items": len(hits)}


@torch.no_grad()
def predict(folder: Path, texts: list[str]) -> list[str]:
    """Return the label a classifier gives each text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    for text in texts:
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
        found.append(NAMES[model.config.id2label[int(logits.argmax())]])
    return found


def classifier_figures(folder: Path, rows: list[dict[str, str]]) -> Figures:
    """Return accuracy, and the share found of each label."""
    answers = predict(folder, [row["text"] for row in rows])
    hits = [answer == row["label"] for answer, row in zip(answers, rows, strict=True)]
    figures = proportion("accuracy", hits)
    labels = sorted({row["label"] for row in rows})
    figures["recall"] = {
        label: round(sum(h for h, r in zip(hits, rows, strict=True) if r["label"] == label)
                     / sum(r["label"] == label for r in rows), 3)
        for label in labels
    }  # fmt: skip
    return figures


@torch.no_grad()
def embed(folder: Path, texts: list[str]) -> torch.Tensor:
    """Return the unit vectors of the texts, one row each."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = [fit.mean_pool(model, tokenizer(text, truncation=True, return_tensors="pt")) for text in texts]
    return torch.cat(rows)


def embedder_figures(folder: Path, rows: list[dict[str, str]]) -> Figures:
    """Return how often the paraphrase is nearer to the anchor than the unrelated sentence is."""
    anchor, near, far = (embed(folder, [row[key] for row in rows]) for key in ("anchor", "paraphrase", "unrelated"))
    hits = (anchor * near).sum(1) > (anchor * far).sum(1)
    return proportion("triple_accuracy", [bool(hit) for hit in hits])


def unigram(tokenizer: Any, size: int) -> list[float]:
    """Return the add-one log probability of each token in the generator's training corpus."""
    counts = Counter(token for text in stories.corpus(Random(SEED)) for token in tokenizer(text)["input_ids"])
    total = sum(counts.values()) + size
    return [math.log((counts[token] + 1) / total) for token in range(size)]


@torch.no_grad()
def generator_figures(folder: Path, rows: list[dict[str, str]]) -> Figures:
    """Return perplexity per token, the unigram baseline's on the same tokens, and their ratio."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    baseline = unigram(tokenizer, model.config.vocab_size)
    sums: list[tuple[float, float, int]] = []
    for row in rows:
        ids = tokenizer(row["text"])["input_ids"][: model.config.n_positions - 1]
        logits = model(input_ids=torch.tensor([[tokenizer.bos_token_id, *ids]])).logits[0, :-1].log_softmax(-1)
        sums.append((-logits[range(len(ids)), ids].sum().item(), -sum(baseline[i] for i in ids), len(ids)))
    ours, base, ratio = perplexities(sums)
    rng = Random(0)
    drawn = sorted(perplexities(rng.choices(sums, k=len(sums)))[2] for _ in range(2000))
    return {
        "perplexity": round(ours, 1), "unigram_perplexity": round(base, 1), "ratio": round(ratio, 3),
        "interval": [round(drawn[49], 3), round(drawn[1949], 3)], "items": len(rows),
        "tokens": sum(n for *_, n in sums),
    }  # fmt: skip


def perplexities(sums: list[tuple[float, float, int]]) -> tuple[float, float, float]:
    """Return the model's perplexity, the baseline's, and their ratio, from sums over texts."""
    tokens = sum(n for *_, n in sums)
    ours, base = (math.exp(sum(row[at] for row in sums) / tokens) for at in (0, 1))
    return ours, base, ours / base


def evaluate(models: Path, texts: Path) -> dict[str, Figures]:
    """Return the figures of every starter whose checkpoint and text exist."""
    found = {}
    for name, file in FILES.items():
        if (models / name / "config.json").exists() and (texts / file).exists():
            measure = {"starter-embedder": embedder_figures, "starter-generator": generator_figures}
            found[name] = measure.get(name, classifier_figures)(models / name, read(texts / file))
    return found


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description="Measure the starter models.")
    parser.add_argument("--set", type=Path, default=HELD_OUT, help="folder of the labelled text (default: held-out)")
    parser.add_argument("--dev", action="store_true", help="use training/dev, which may be looked at while training")
    parser.add_argument("--models", type=Path, default=STARTERS, help="folder of the checkpoints")
    parser.add_argument("--write", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = evaluate(options.models, DEVELOPMENT if options.dev else options.set)
    print(json.dumps(figures, indent=2))
    if options.write:
        write_json(options.write, figures)


if __name__ == "__main__":
    main()
