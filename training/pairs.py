"""Examples for the sentence embedder: two sentences that mean about the same.

Covers: paraphrases by hand, synonyms swapped in, one question asked in two ways, words dropped, clauses turned around.
Does not cover: fine differences (negation, numbers, who did what to whom), long documents.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random

from training.guard import TOPICS
from training.stories import plain_lines, story
from training.text import groups, lines, roughen

Pair = tuple[str, str]
FRAMES = (
    "How do I {}?", "What is the best way to {}?", "Can you tell me how to {}?", "I want to {}.", "How to {}",
    "Tips to {}", "Is there an easy way to {}?", "I would like to know how to {}.", "Please show me how to {}.",
    "What do I need to {}?", "Steps to {}", "A guide that explains how to {}", "He is trying to {}.",
    "She likes to {}.",
    "They decided to {}.", "We had to {} yesterday.", "Why should anyone {}?", "My brother wants to {}.",
)  # fmt: skip
LINKS = (" because ", " when ", " while ", " after ", " before ", " although ")


@cache
def synonyms() -> dict[str, list[str]]:
    """Return, for each word or phrase, those that may stand in its place."""
    table: dict[str, list[str]] = {}
    for group in groups("synonyms", ","):
        for word in group:
            table.setdefault(word, []).extend(other for other in group if other != word)
    return table


@cache
def synonym_pattern() -> re.Pattern[str]:
    """Return a pattern that finds the longest known word or phrase."""
    known = sorted(synonyms(), key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, known)) + r")\b", re.IGNORECASE)


@cache
def sentences() -> tuple[str, ...]:
    """Return the sentences that are reworded: everything written by hand, stories split at full stops."""
    told = [s for text in lines("stories") for s in re.findall(r"[^.!?]+[.!?]", text) if len(s.split()) > 3]
    return tuple(plain_lines() + told)


def reword(text: str, rng: Random, share: float) -> str:
    """Return the sentence with about `share` of its known words replaced by synonyms."""

    def swap(match: re.Match[str]) -> str:
        return rng.choice(synonyms()[match[0].lower()]) if rng.random() < share else match[0]

    table = synonyms()
    return synonym_pattern().sub(lambda m: swap(m) if m[0].lower() in table else m[0], text)


def turn_around(text: str, rng: Random) -> str:
    """Return the sentence with the clauses around a conjunction swapped, if it has one."""
    for link in LINKS:
        if link in text and rng.random() < 0.6:
            first, second = text.rstrip(".").split(link, 1)
            return f"{link.strip().capitalize()} {second}, {first[:1].lower() + first[1:]}."
    return text


def drop_words(text: str, rng: Random, share: float) -> str:
    """Return the sentence without about `share` of its words."""
    words = text.split()
    return " ".join(w for w in words if len(words) < 4 or rng.random() > share)


def field_pair(rng: Random) -> Pair:
    """Return two word lists or bare sentences about one subject, with few or no words in common."""
    words = list(rng.choice(subject_fields()))
    rng.shuffle(words)
    cut = rng.randint(1, 4)
    return dress(words[:cut], rng), dress(words[cut : cut + rng.randint(1, 4)], rng)


def dress(words: list[str], rng: Random) -> str:
    """Return the words with plain words around them, which say nothing about the subject."""
    if rng.random() < 0.3:
        return " ".join(words)
    glue = (
        "the",
        "a",
        "my",
        "is",
        "was",
        "in",
        "with",
        "he",
        "she",
        "they",
        "of",
        "and",
        "to",
        "for",
        "it",
        "on",
        "we",
    )
    extra = [rng.choice(glue) for _ in range(rng.randint(1, 4))]
    mixed = words + extra
    rng.shuffle(mixed)
    return " ".join(mixed) + rng.choice((".", "?", ""))


@cache
def subject_fields() -> list[list[str]]:
    """Return the words that belong to one subject, for many subjects."""
    return groups("fields", ",")


def variant(text: str, rng: Random) -> str:
    """Return one more way to say the sentence."""
    return roughen(drop_words(turn_around(reword(text, rng, 0.7), rng), rng, 0.12), rng, typos=0.02)


def draw(rng: Random) -> Pair:
    """Return one pair of sentences with the same meaning."""
    kind = rng.random()
    if kind < 0.30:
        first, second = rng.sample(rng.choice(groups_of_paraphrases()), 2)
        return reword(first, rng, 0.2), reword(second, rng, 0.2)
    if kind < 0.42:
        topic, (first, second) = rng.choice(TOPICS), rng.sample(FRAMES, 2)
        return first.format(topic), second.format(reword(topic, rng, 0.7))
    if kind < 0.54:
        first, second = rng.sample(rng.choice(synonym_groups()), 2)
        return first, second
    if kind < 0.72:
        return field_pair(rng)
    if kind < 0.80:
        told = rng.choice(story(rng).split(". "))
        return told, variant(told, rng)
    text = rng.choice(sentences())
    return (text if rng.random() < 0.5 else variant(text, rng)), variant(text, rng)


@cache
def groups_of_paraphrases() -> list[list[str]]:
    """Return the groups of paraphrases written by hand."""
    return groups("paraphrases", "|")


@cache
def synonym_groups() -> list[list[str]]:
    """Return the groups of words that mean about the same."""
    return [group for group in groups("synonyms", ",") if len(group) > 1]
