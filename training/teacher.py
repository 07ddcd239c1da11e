"""A linear model over words and pairs of words, from which the sentiment starter learns besides the labels.

Alone it generalises better than a transformer this small: each word and each pair of neighbours adds its own evidence,
and what was never seen adds none. It also labels texts that nobody wrote, so the transformer learns to add up evidence.
Covers: features, training, probabilities of texts. Does not cover: saving it (it is made anew for each training).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional

Draw = Callable[[Random], tuple[str, float]]
LIMIT = 200_000


def features(text: str) -> list[str]:
    """Return the words, pairs of neighbours, and pairs with one or two words between them."""
    words = re.findall(r"[a-z']+|[!?.,]", text.lower())
    found = list(words)
    for distance, mark in ((1, "_"), (2, "__"), (3, "__")):
        found += [first + mark + second for first, second in zip(words, words[distance:], strict=False)]
    return found


class Teacher:
    """The sum of the weights of a text's features, as a probability."""

    def __init__(self, texts: list[str]) -> None:
        """Take the features of these texts, the most frequent first."""
        counts = Counter(feature for text in texts for feature in dict.fromkeys(features(text)))
        self.known = {feature: at for at, (feature, _) in enumerate(counts.most_common(LIMIT))}
        self.weights = nn.EmbeddingBag(len(self.known), 1, mode="sum")
        nn.init.zeros_(self.weights.weight)

    def logits(self, texts: list[str]) -> Tensor:
        """Return the evidence for label 1 of each text."""
        flat: list[int] = []
        offsets = []
        for text in texts:
            offsets.append(len(flat))
            flat += [self.known[feature] for feature in features(text) if feature in self.known]
        return self.weights(torch.tensor(flat, dtype=torch.long), torch.tensor(offsets))[:, 0]

    @torch.no_grad()
    def probability(self, text: str) -> float:
        """Return the probability of label 1, never quite sure."""
        return float(self.logits([text]).sigmoid().clamp(0.01, 0.99))


def train(draw: Draw, rng: Random, count: int, size: int = 256, rate: float = 0.01) -> Teacher:
    """Return a teacher that has seen so many drawn examples once, at a rate that falls to nothing."""
    drawn = [draw(rng) for _ in range(count)]
    teacher = Teacher([text for text, _ in drawn])
    optimizer = torch.optim.Adam(teacher.weights.parameters(), lr=rate)
    for at in range(0, count, size):
        batch = drawn[at : at + size]
        target = torch.tensor([label for _, label in batch])
        loss = functional.binary_cross_entropy_with_logits(teacher.logits([text for text, _ in batch]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = rate * (1 - at / count)
        optimizer.step()
    return teacher
