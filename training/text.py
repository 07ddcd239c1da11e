"""Reads the training text and roughens it: typos, case, punctuation, contractions.

Covers: the files in `data/`, and changes that keep the meaning. Does not cover: what a text means (see the samplers).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

DATA = Path(__file__).parent / "data"
KEYBOARD = dict(zip("abcdefghijklmnopqrstuvwxyz", "svxsrdfguhjknmpowtarycqztx", strict=True))
SHORT_FORMS = {
    "is not": "isn't", "was not": "wasn't", "were not": "weren't", "do not": "don't", "does not": "doesn't",
    "did not": "didn't", "could not": "couldn't", "would not": "wouldn't", "will not": "won't", "cannot": "can't",
    "can not": "can't", "it is": "it's", "i am": "i'm", "i have": "i've", "i will": "i'll", "we will": "we'll",
    "have not": "haven't", "has not": "hasn't", "had not": "hadn't", "are not": "aren't", "you are": "you're",
    "i would": "i'd", "they are": "they're", "we are": "we're", "that is": "that's", "there is": "there's",
}  # fmt: skip
LONG_FORMS = {short: long for long, short in SHORT_FORMS.items()}


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the non-empty lines of `data/<name>.txt`."""
    content = (DATA / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line.strip() for line in content.splitlines() if line.strip())


@cache
def sections(name: str) -> dict[str, tuple[str, ...]]:
    """Return the comma-separated entries of each `[section]` of `data/<name>.txt`."""
    found: dict[str, tuple[str, ...]] = {}
    title = ""
    for line in lines(name):
        if match := re.fullmatch(r"\[(.+)\]", line):
            title = match[1]
        else:
            found[title] = found.get(title, ()) + tuple(dict.fromkeys(e.strip() for e in line.split(", ")))
    return found


def groups(name: str, separator: str) -> list[list[str]]:
    """Return each line of `data/<name>.txt` split at the separator."""
    return [[part.strip() for part in line.split(separator) if part.strip()] for line in lines(name)]


@cache
def choices(name: str, at: int) -> tuple[str, ...]:
    """Return the lines of `data/<name>.txt` with each `[a|b]` replaced by its alternative number `at`."""
    return tuple(re.sub(r"\[([^\]]+)\]", lambda m: m[1].split("|")[at], line) for line in lines(name))


def typo(word: str, rng: Random) -> str:
    """Return the word with one letter swapped, dropped, doubled, or mistyped; short words stay."""
    if len(word) < 5 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + KEYBOARD.get(word[at], word[at]) + word[at + 1 :]


def contract(text: str, rng: Random) -> str:
    """Return the text with some long forms shortened and some short forms written out."""
    for table, share in ((SHORT_FORMS, 0.4), (LONG_FORMS, 0.25)):
        for old, new in table.items():
            if old in text.lower() and rng.random() < share:
                text = re.sub(rf"\b{old}\b", new, text, flags=re.IGNORECASE)
    return text


def roughen(text: str, rng: Random, typos: float = 0.03, drops: float = 0.03) -> str:
    """Return a variant a hurried writer might type: the meaning stays, the letters may not."""
    words = contract(text, rng).split()
    keep = {"not", "no", "never", "but"}
    words = [w for w in words if w.lower() in keep or len(words) < 5 or rng.random() > drops]
    words = [typo(w, rng) if rng.random() < typos else w for w in words]
    text = " ".join(words)
    if rng.random() < 0.25:
        text = text.rstrip(".!?")
    elif rng.random() < 0.12:
        text = text.rstrip(".") + rng.choice(["!", "!!", "...", "!!!"])
    if rng.random() < 0.1:
        text = text.replace("'", "")
    return text


def article(phrase: str) -> str:
    """Return the phrase with "a" or "an" before it."""
    return ("an " if phrase[:1].lower() in "aeiou" else "a ") + phrase


def sentence(text: str) -> str:
    """Return the text with a capital first letter and an end mark."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in '.!?")' else ".")
