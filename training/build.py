"""Builds each starter: its architecture, its tokenizer, its training, and its folder.

Covers: standard ModernBERT, BERT, and GPT-2 layouts saved as float32 safetensors, the files of
SentenceTransformer.
Does not cover: cards and figures (see `cards` and `evaluate`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from training import distill, fit, guard, pairs, stories, tokens

Draw = Callable[[Random], tuple[str, float]]
CONTEXT = 256


class Plan(NamedTuple):
    """What differs between the classifiers: labels, width, the longest text in tokens, and how their training reads.

    `ahead` is the number of batches sorted by length together. `spread` is the size of the token vectors at the start:
    of a tiny one nothing is left in words that were hardly seen, where the usual one leaves them a random opinion.
    """

    labels: tuple[str, str]
    width: int
    window: int
    dropout: float = 0.2
    ahead: int = 1
    spread: float | None = None


def build_classifier(
    folder: Path, wordpiece: Tokenizer, draw: Draw, plan: Plan, steps: int, seed: int, threads: int
) -> float:
    """Train a small two-label ModernBERT whose head reads the mean of all tokens; return its last training loss."""
    with fit.seeded(seed, threads) as rng:
        tokenizer = tokens.for_encoder(wordpiece, 512)
        config = ModernBertConfig(
            vocab_size=len(tokenizer), hidden_size=plan.width, intermediate_size=plan.width, num_hidden_layers=2,
            num_attention_heads=4, local_attention=16, classifier_pooling="mean", embedding_dropout=plan.dropout,
            mlp_dropout=0.1, attention_dropout=0.1, classifier_dropout=plan.dropout, max_position_embeddings=512,
            pad_token_id=0, cls_token_id=2, bos_token_id=2, sep_token_id=3, eos_token_id=3,
            **labelled(*plan.labels),
        )  # fmt: skip
        model = ModernBertForSequenceClassification(config)
        if plan.spread is not None:
            torch.nn.init.normal_(model.get_input_embeddings().weight, std=plan.spread)
        loss = fit.classify_loss(model, tokenizer, draw, rng, size=64, longest=plan.window, ahead=plan.ahead)
        last = fit.descend(model, loss, steps, rate=2e-3, decay=0.5)
        save(folder, model, tokenizer)
    return last


def build_sentiment(folder: Path, steps: int, seed: int, threads: int) -> float:
    """Train the sentiment starter on what its linear teacher says and on the labels."""
    plan = Plan(("NEGATIVE", "POSITIVE"), width=64, window=64, dropout=0.1, ahead=8, spread=0.001)
    draw = distill.sampler(seed + 1, 40 * steps)
    return build_classifier(folder, tokens.train_sentiment_wordpiece(seed), draw, plan, steps, seed, threads)


def build_guard(folder: Path, steps: int, seed: int, threads: int) -> float:
    """Train the prompt-injection starter."""
    plan = Plan(("SAFE", "INJECTION"), width=64, window=96)
    return build_classifier(folder, tokens.shared_wordpiece(), guard.draw, plan, steps, seed, threads)


def labelled(*labels: str) -> dict[str, Any]:
    """Return the configuration entries that name a classifier's outputs."""
    return {"id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)}}


def build_embedder(folder: Path, steps: int, seed: int, threads: int) -> float:
    """Train the sentence embedder."""
    with fit.seeded(seed, threads) as rng:
        tokenizer = tokens.for_encoder(tokens.shared_wordpiece(), 256)
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=96, intermediate_size=192, num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=256, type_vocab_size=1, pad_token_id=0,
        )  # fmt: skip
        model = BertModel(config, add_pooling_layer=False)
        last = fit.descend(model, fit.contrast_loss(model, tokenizer, pairs.draw, rng, size=96), steps, rate=2e-3)
        save(folder, with_pooler(model), tokenizer)
    write_sentence_modules(folder, 96)
    return last


def with_pooler(model: BertModel) -> BertModel:
    """Return the encoder with BERT's usual pooler, zero and unused: without it every load reports missing weights."""
    whole = BertModel(model.config)
    whole.load_state_dict(model.state_dict(), strict=False)
    for parameter in whole.pooler.parameters():
        torch.nn.init.zeros_(parameter)
    return whole


def build_generator(folder: Path, steps: int, seed: int, threads: int) -> float:
    """Train the text generator."""
    with fit.seeded(seed, threads) as rng:
        documents = stories.corpus(rng)
        tokenizer = tokens.for_generator(tokens.train_bytes(documents), CONTEXT)
        config = GPT2Config(
            vocab_size=len(tokenizer), n_positions=CONTEXT, n_embd=128, n_layer=3, n_head=4, resid_pdrop=0.1,
            embd_pdrop=0.1, attn_pdrop=0.1, bos_token_id=0, eos_token_id=0, pad_token_id=0,
        )  # fmt: skip
        model = GPT2LMHeadModel(config)
        end = tokenizer.eos_token_id
        row = [token for text in documents for token in (end, *tokenizer(text)["input_ids"])]
        loss = fit.next_token_loss(model, torch.tensor(row), rng, size=8, length=192)
        last = fit.descend(model, loss, steps, rate=3e-3, decay=0.3)
        # The likeliest few tokens only: rarer ones break words, as so small a model spreads its doubt.
        model.generation_config.update(pad_token_id=end, top_k=8, do_sample=True, temperature=0.7)
        save(folder, model, tokenizer)
    return last


def save(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write the checkpoint and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_sentence_modules(folder: Path, width: int) -> None:
    """Write the files that tell SentenceTransformer to pool by the mean and to normalise."""
    base = "sentence_transformers.models"
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{base}.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{base}.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{base}.Normalize"},
    ]
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling" / "config.json", pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 256, "do_lower_case": False})


def write_json(path: Path, content: object) -> None:
    """Write indented JSON with a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
