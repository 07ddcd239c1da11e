"""The corpus of the text generator: short English stories and sentences.

Covers: the stories written by hand, stories composed by a small grammar, and the plain sentences of the other starters.
Does not cover: facts, dialogue with a user, instructions, code.
"""

from __future__ import annotations

import re
from random import Random

from training.text import article, choices, groups, lines, sections, sentence

PARTS = sections("story_parts")
FREE = ("said", "scenery", "ends")


def phrases(name: str) -> list[str]:
    """Return the sentences, or the quoted speeches, of a section that is running text."""
    whole = ", ".join(PARTS[name])
    return re.findall(r'"[^"]+"', whole) if name == "said" else re.findall(r"[^.!?]+[.!?]", whole)


SPEECH, SCENERY, ENDS = (phrases(name) for name in FREE)


def event(who: str, he: str, rng: Random) -> str:
    """Return one sentence in which something happens."""
    did, place, time = rng.choice(PARTS["did"]), rng.choice(PARTS["places"]), rng.choice(PARTS["times"])
    verb, thing = rng.choice(PARTS["found verbs"]), rng.choice(PARTS["objects"])
    other, feeling = rng.choice(PARTS["people"]), rng.choice(PARTS["feelings"])
    cause, speech, animal = rng.choice(PARTS["because"]), rng.choice(SPEECH), rng.choice(PARTS["animals"])
    return rng.choice((
        f"{time} {who} {did}", f"{time} {who} {verb} {thing} {place}", f"{who} {verb} {thing} and {did}",
        f"{who} was {feeling} because {cause}", f"{who} and {other} {did}", f"{speech} said {who}",
        f"{speech} {he} said, and {did}", f"{he} {did} because {cause}", f"{time} {other} {did} {place}",
        f"{who} met {other} {place}", f"{animal} {did}",
        f"{who} was {feeling}, but {other} was {rng.choice(PARTS['feelings'])}",
        f"{he} had {thing}, and {other} had {rng.choice(PARTS['objects'])}", f"there was {thing} {place}",
        f"{who} gave {other} {thing}", f"{he} did not know that {cause}", f"when {who} {did}, {other} was {feeling}",
        f"{who} went to see {other}, who lived {place}", f"{he} {did} and {rng.choice(PARTS['did'])}",
        rng.choice(SCENERY),
    ))  # fmt: skip


def story(rng: Random) -> str:
    """Return a story of three to eight sentences composed by the grammar."""
    he = rng.choice(("he", "she"))
    who = rng.choice(PARTS[rng.choice(("names", "names", "people", "animals"))])
    told = [event(rng.choice((who, who, he)), he, rng) for _ in range(rng.randint(2, 6))]
    if rng.random() < 0.4:
        told.insert(0, rng.choice(SCENERY))
    if rng.random() < 0.2:
        told.insert(0, opening(rng))
    if rng.random() < 0.5:
        told.append(rng.choice(ENDS))
    return " ".join(spoken(part.strip()) for part in told)


def opening(rng: Random) -> str:
    """Return the first sentence of a tale."""
    who = rng.choice(
        [w for w in PARTS["people"] + PARTS["animals"] if w.startswith("the ") and w != "the twins"]
    ).removeprefix("the ")
    place, thing = rng.choice(PARTS["places"]), rng.choice(PARTS["objects"])
    return rng.choice((
        f"Once upon a time there was {article(who)} who lived {place}",
        f"Once upon a time, {place}, there lived {article(who)}",
        f"Once there was {article(who)} who had {thing}",
        f"Long ago {article(who)} found {thing} {place}",
    ))  # fmt: skip


def spoken(text: str) -> str:
    """Return a sentence with its capital letter, also when it opens with a quotation mark."""
    return text if text.startswith('"') and text.endswith((".", "!", "?")) else sentence(text)


def plain_lines() -> list[str]:
    """Return the single sentences written by hand for any of the starters."""
    names = ("sentiment_good", "sentiment_bad", "neutral", "guard_safe", "everyday")
    found = [line for name in names for line in lines(name)]
    found += [*choices("sentiment_pairs", 0), *choices("sentiment_pairs", 1)]
    return found + [part for group in groups("paraphrases", "|") for part in group]


def corpus(rng: Random, composed: int = 1500, repeats: int = 3) -> list[str]:
    """Return the training documents: composed stories, and `repeats` times everything written by hand."""
    documents = [story(rng) for _ in range(composed)]
    for _ in range(repeats):
        documents += lines("stories")
        plain = plain_lines()
        rng.shuffle(plain)
        documents += [" ".join(plain[at : at + 4]) for at in range(0, len(plain), 4)]
    rng.shuffle(documents)
    return documents
