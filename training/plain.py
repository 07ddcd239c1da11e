"""Plain verdicts for the sentiment starter: feelings, ratings, and the short things people say first.

Covers: frames that keep the feeling's side and frames that turn it, and fixed phrases. Does not cover: longer remarks.
"""

from __future__ import annotations

from random import Random

from training.text import sections

SIDES = ("bad", "good")
PLAIN = sections("plain")


def verdict(side: int, thing: str, rng: Random) -> str:
    """Return a plain verdict of the side, on the thing where it names one."""
    kind = rng.random()
    if kind < 0.6:
        frame, feeling = rng.choice(PLAIN[f"{SIDES[side]} plain"]), ""
    else:
        turned = kind > 0.85
        feeling = rng.choice(PLAIN[f"{SIDES[1 - side if turned else side]} feelings"])
        frame = rng.choice(PLAIN["turned" if turned else "straight"])
    return frame.replace("{f}", feeling).replace("{t}", thing)
