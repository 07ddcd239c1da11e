"""What the sentiment starter learns from: drawn examples and scraps of remarks, with what the teacher says of them.

Covers: scraps (spans of remarks put together at random), and the blend of a label with the teacher's probability.
Does not cover: the remarks (see `sentiment`) and the teacher (see `teacher`).
"""

from __future__ import annotations

from random import Random

from training import sentiment, teacher
from training.text import roughen, sentence

SCRAPS = 0.5
TRUST = 0.7


def span(rng: Random) -> str:
    """Return a few neighbouring words of a remark of either side."""
    words = rng.choice(sentiment.remarks(rng.randrange(2))).rstrip(".!?").split()
    length = rng.randint(2, 7)
    at = rng.randrange(max(1, len(words) - length + 1))
    return " ".join(words[at : at + length])


def scraps(rng: Random) -> str:
    """Return a text that nobody wrote: spans of remarks alone, or one after a whole example."""
    if rng.random() < 0.5:
        return rng.choice((" ", ", ", ". ")).join(span(rng) for _ in range(rng.randint(1, 3)))
    return f"{sentiment.draw(rng)[0]} {span(rng)}"


def sampler(seed: int, count: int) -> teacher.Draw:
    """Return a sampler of texts and how positive label and teacher find them; the teacher saw `count` examples."""
    linear = teacher.train(sentiment.draw, Random(seed), count)

    def draw(rng: Random) -> sentiment.Example:
        if rng.random() < SCRAPS:
            text = roughen(sentence(scraps(rng)), rng, drops=0.0)
            return text, linear.probability(text)
        text, label = sentiment.draw(rng)
        return text, (1 - TRUST) * label + TRUST * linear.probability(text)

    return draw
