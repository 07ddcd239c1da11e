"""Training loops of the starters: classification with soft labels, contrastive pairs, next-token prediction.

Covers: seeded batches drawn on the fly, AdamW with warm-up and cosine decay, averaged weights at the end.
Does not cover: GPUs, resuming, early stopping (the number of steps is fixed).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerFast

Loss = Callable[[], Tensor]
AVERAGING = 0.995


def schedule(step: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step: a short warm-up, then half a cosine."""
    warm = max(1, steps // 20)
    return (step + 1) / warm if step < warm else 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def descend(model: nn.Module, loss_of_batch: Loss, steps: int, rate: float, decay: float = 0.05) -> float:
    """Minimise the loss in place, leave averaged weights in the model, and return the last smoothed loss."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    smooth = float("nan")
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(step, steps)
        loss = loss_of_batch()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss.item()
        blend(average, model, min(AVERAGING, step / (step + 10)))
    model.load_state_dict(average)
    model.eval()
    return smooth


@torch.no_grad()
def blend(average: dict[str, Tensor], model: nn.Module, keep: float) -> None:
    """Move the running average a little towards the model's weights."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - keep)


@contextmanager
def seeded(seed: int, threads: int) -> Iterator[Random]:
    """Seed torch, hold it to some threads, and yield a generator of choices with the same seed."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    try:
        yield Random(seed)
    finally:
        torch.set_num_threads(before)


def classify_loss(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, draw: Callable[[Random], tuple[str, float]],
    rng: Random, size: int, longest: int, ahead: int = 1,
) -> Loss:  # fmt: skip
    """Return a loss over batches drawn from a sampler of (text, probability of label 1).

    Examples of `ahead` batches are drawn at once and shared out by length: short texts then carry little padding.
    """
    waiting: list[list[tuple[str, float]]] = []

    def loss() -> Tensor:
        if not waiting:
            drawn = [draw(rng) for _ in range(size * ahead)]
            if ahead > 1:
                drawn.sort(key=lambda example: len(example[0]))
            waiting.extend(drawn[at : at + size] for at in range(0, len(drawn), size))
            rng.shuffle(waiting)
        examples = waiting.pop()
        batch = tokenizer(
            [t for t, _ in examples], padding=True, truncation=True, max_length=longest, return_tensors="pt"
        )
        target = torch.tensor([[1 - p, p] for _, p in examples])
        return functional.cross_entropy(model(**batch).logits, target, label_smoothing=0.04)

    return loss


def mean_pool(model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
    """Return one unit vector a text: the mean of its token vectors."""
    hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).float()
    return functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


def contrast_loss(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, draw: Callable[[Random], tuple[str, str]],
    rng: Random, size: int, temperature: float = 0.06,
) -> Loss:  # fmt: skip
    """Return a symmetric contrastive loss in which the other pairs of the batch are the negatives."""

    def loss() -> Tensor:
        pairs = [draw(rng) for _ in range(size)]
        texts = [first for first, _ in pairs] + [second for _, second in pairs]
        batch = tokenizer(texts, padding=True, truncation=True, max_length=48, return_tensors="pt")
        vectors = mean_pool(model, batch)
        scores = vectors[:size] @ vectors[size:].T / temperature
        target = torch.arange(size)
        return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2

    return loss


def next_token_loss(model: PreTrainedModel, tokens: Tensor, rng: Random, size: int, length: int) -> Loss:
    """Return a loss over random windows of one long row of tokens."""

    def loss() -> Tensor:
        starts = [rng.randrange(len(tokens) - length) for _ in range(size)]
        window = torch.stack([tokens[at : at + length] for at in starts])
        return model(input_ids=window, labels=window).loss

    return loss
