"""Examples for the sentiment starter: a text and how positive it is (1 positive, 0 negative, 0.5 neutral).

Covers: single words, frames over word lists, negation, contrast, whole sentences written by hand, mixtures.
Does not cover: sarcasm beyond a few fixed phrases, mixed opinions without a verdict, other languages.
"""

from __future__ import annotations

import re
from functools import cache
from random import Random

from training.plain import verdict
from training.text import article, choices, groups, lines, roughen, sections, sentence

Example = tuple[str, float]
SIDES = ("bad", "good")
PLAIN, SUBTLE = ("sentiment_pairs", "sentiment_everyday"), ("sentiment_pairs_more",)
BE = ("is", "was", "is", "was", "looks", "seems", "feels", "seemed", "felt", "turned out", "has been", "remains")
NOT = (
    "is not", "was not", "isn't", "wasn't", "is never", "was hardly", "is far from", "is anything but", "was in no way",
    "is not very", "was not really", "is not that", "isn't exactly", "is not even", "was not at all", "is no longer",
    "was not particularly", "did not seem", "doesn't feel", "could not be called", "is nowhere near",
)  # fmt: skip
OPENERS = (
    "honestly,", "to be fair,", "in my opinion,", "overall,", "I think", "I must say", "my wife says", "I feel that",
    "all in all,", "for me,", "as always,", "yesterday", "I was told", "we agreed that", "well,", "okay,", "so", "and",
    "once again,", "to my surprise,", "in short,", "in the end,", "frankly,", "everyone says", "it seems", "this time",
)  # fmt: skip
CONTRAST = ("but", "but", "however,", "yet", "still,", "nevertheless,", "but in the end", "but overall", "though")
CONCEDE = ("although", "even though", "while", "despite the fact that", "though")
GOOD_ADVICE = (
    "definitely recommend it", "you should try it", "go and see it", "buy it", "we will come back", "five stars",
    "10/10", "thumbs up", "worth it", "can't wait for the next one", "no complaints", "no regrets",
    "no problems at all",
    "without a single problem", "without any trouble", "could not ask for more", "nothing to complain about",
    "better than expected", "even better than last time", "I would choose it again", "it couldn't be better",
    "not a single flaw", "I can't complain", "it never gets old", "no issues whatsoever", "you won't regret it",
    "couldn't be happier", "it doesn't disappoint", "far better than the others", "a big thank you",
    "I'm so glad I came",
)  # fmt: skip
BAD_ADVICE = (
    "would not recommend it", "don't buy it", "stay away", "find something else", "we won't come back", "one star",
    "0/10", "1/10", "thumbs down", "not worth it", "nothing but trouble", "never again", "many problems",
    "full of flaws",
    "what a letdown", "could be much better", "should have been better", "I expected more", "worse than expected",
    "even worse than last time", "I would not choose it again", "it couldn't be worse", "I regret it", "no good at all",
    "look elsewhere", "you will regret it", "they should be ashamed", "not even close to what was promised",
    "far worse than the others", "not again", "I'm asking for my money back", "so much for quality", "no thanks",
)  # fmt: skip
TURNS = re.compile(
    r"n't\b|\b(no|not|never|nothing|nobody|none|neither|nor|hardly|barely|scarcely|rarely|seldom|without|cannot|but|yet"
    r"|although|though|despite|until|used|wish|too|less|few|far|only|if|could|would|should|stopped)\b",
    re.IGNORECASE,
)
WORDS = sections("sentiment_words")
EVENTS = sections("events")


def adjective(side: int, rng: Random) -> str:
    """Return an adjective of the side, sometimes intensified."""
    word = rng.choice(WORDS[f"{SIDES[side]} adjectives"])
    return f"{rng.choice(WORDS['intensifiers'])} {word}" if rng.random() < 0.3 else word


def plain_clause(side: int, rng: Random) -> str:
    """Return a clause whose own words carry the side."""
    thing = rng.choice(WORDS["things"])
    good, noun = adjective(side, rng), rng.choice(WORDS[f"{SIDES[side]} nouns"])
    verb = rng.choice(WORDS[f"{SIDES[side]} verbs"])
    does = rng.choice(WORDS[f"{SIDES[side]} does"])
    the = rng.choice(["the", "the", "my", "our", "this", "their", "your", "her"])
    return rng.choice((
        f"{the} {thing} {rng.choice(BE)} {good}",
        f"{the} {thing} {rng.choice(BE)} {good} and {adjective(side, rng)}",
        f"it {rng.choice(BE)} {good}",
        f"{article(good)} {thing}",
        f"such {article(good)} {thing}",
        f"what {article(good)} {thing}",
        f"I {verb} {the} {thing}",
        f"I really {verb} this {thing}",
        f"{the} {thing} {does}",
        f"{the} {thing} {does}",
        f"it {does}",
        f"{the} {thing} {rng.choice(['is', 'was'])} {article(noun)}",
        f"what {article(noun)}",
        f"a total {noun}",
        f"everything was {rng.choice(WORDS[f'{SIDES[side]} adverbs'])} done",
        f"{rng.choice(WORDS[f'{SIDES[side]} adverbs'])} made {thing}",
        f"the {thing} behaved {rng.choice(WORDS[f'{SIDES[side]} adverbs'])}",
        f"I found the {thing} {good}",
        f"we had {article(good)} time at the {thing}",
        f"they were {good}",
        f"I feel {good} about the {thing}",
        f"{good} {thing}, {adjective(side, rng)} {rng.choice(WORDS['things'])}",
        f"the {thing} is {good} and the {rng.choice(WORDS['things'])} is {adjective(side, rng)}",
        good,
        rng.choice(GOOD_ADVICE if side else BAD_ADVICE),
    ))  # fmt: skip


def negated_clause(side: int, rng: Random) -> str:
    """Return a clause of the side made by negating words of the other side."""
    other = SIDES[1 - side]
    thing = rng.choice(WORDS["things"])
    word = rng.choice(WORDS[f"{other} adjectives"])
    noun, verb = rng.choice(WORDS[f"{other} nouns"]), rng.choice(WORDS[f"{other} verbs"])
    frames = [
        f"the {thing} {rng.choice(NOT)} {word}",
        f"it {rng.choice(NOT)} {word}",
        f"not {word}",
        f"not {word} at all",
    ]
    frames += [
        f"this {thing} is no {noun}",
        f"this is not {article(noun)}",
        f"never {word}",
        f"nothing {word} about it",
    ]
    frames += [f"I did not {verb} the {thing}", f"I don't {verb} this {thing}", f"I would not call it {word}"]
    frames += [f"nobody could say that the {thing} is {word}", f"there is nothing {word} about this {thing}"]
    frames += [
        f"I wouldn't say the {thing} was {word}",
        f"the {thing} stopped being {word}",
        f"neither {word} nor {word}",
    ]
    if side == 1:
        frames += [f"no {noun} at all", f"without any {noun}", f"the {thing} was free of {noun}"]
    else:
        frames += [f"hardly {article(noun)}", f"the {thing} lacked any {noun}", f"I wish the {thing} were {word}"]
        frames += [
            f"the {thing} could have been {word}",
            f"the {thing} should be more {word}",
            f"less {word} than before",
        ]
    return rng.choice(frames)


def clause(side: int, rng: Random) -> str:
    """Return a clause of the side."""
    if rng.random() < 0.35:
        text = verdict(side, rng.choice(WORDS["things"]), rng)
    else:
        text = negated_clause(side, rng) if rng.random() < 0.22 else plain_clause(side, rng)
    return f"{rng.choice(OPENERS)} {text}" if rng.random() < 0.12 else text


@cache
def neutral_classes() -> dict[str, list[str]]:
    """Return, for each word that carries no opinion, the words that may stand in its place."""
    return {word: group for group in groups("neutral_classes", ",") for word in group}


def change_subject(text: str, rng: Random, share: float) -> str:
    """Return the text with some of its things, people, and times replaced, so that a topic is no opinion."""
    table = neutral_classes()
    return re.sub(
        r"[A-Za-z]+", lambda m: rng.choice(table[m[0]]) if m[0] in table and rng.random() < share else m[0], text
    )


def event(side: int, rng: Random) -> str:
    """Return a short phrase of the side that speaks of what happened, alone or with a subject."""
    kind = rng.choice(("events", "events", "words"))
    phrase, thing = rng.choice(EVENTS[f"{SIDES[side]} {kind}"]), rng.choice(WORDS["things"])
    return rng.choice((
        phrase, f"{phrase} and {rng.choice(EVENTS[f'{SIDES[side]} events'])}", f"the {thing}: {phrase}",
        f"{phrase}, {rng.choice(EVENTS[f'{SIDES[side]} events'])}", f"with the {thing} it was {phrase}",
        f"{phrase} at the {thing}", f"we {phrase}", f"the {thing} {phrase}", f"my {thing}, {phrase}", f"I {phrase}",
    ))  # fmt: skip


def bag(side: int, rng: Random) -> str:
    """Return a few phrases of the side in any order, as in hasty notes."""
    lists = [EVENTS[f"{SIDES[side]} {kind}"] for kind in ("events", "words", "words")]
    lists.append(WORDS[f"{SIDES[side]} adjectives"])
    found = [rng.choice(rng.choice(lists)) for _ in range(rng.randint(2, 5))] + [rng.choice(WORDS["things"])]
    rng.shuffle(found)
    return rng.choice((", ", " ", " and ")).join(found)


@cache
def remarks(side: int) -> tuple[str, ...]:
    """Return the sentences of the side that were written by hand; the plainer ones stand twice, to be drawn more."""
    plain, subtle = (tuple(text for name in names for text in choices(name, 1 - side)) for names in (PLAIN, SUBTLE))
    return plain + plain + subtle + lines(f"sentiment_{SIDES[side]}")


def written(side: int, rng: Random) -> str:
    """Return a sentence of the side that was written by hand, perhaps with other subjects or the other spelling."""
    text = change_subject(rng.choice(remarks(side)), rng, rng.choice((0.0, 0.0, 0.5, 0.9)))
    return respell(text) if rng.random() < 0.3 else text


@cache
def spellings() -> tuple[dict[str, str], re.Pattern[str]]:
    """Return each American word with its British spelling and the other way round, and a pattern that finds them."""
    pairs = [pair for line in groups("spellings", ",") for pair in (line, line[::-1])]
    return dict(pairs), re.compile(r"\b(" + "|".join(old for old, _ in pairs) + r")\b", re.IGNORECASE)


def respell(text: str) -> str:
    """Return the text with American spellings made British or the other way round."""
    table, pattern = spellings()
    return pattern.sub(lambda m: table[m[0].lower()], text)


def uncapital(text: str) -> str:
    """Return the text as it reads in the middle of a sentence."""
    return text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]


def contrast(side: int, rng: Random) -> str:
    """Return two clauses of opposite sides of which the side's own has the last word."""
    main, other = (written(s, rng) if rng.random() < 0.3 else clause(s, rng) for s in (side, 1 - side))
    main, other = uncapital(main.rstrip(".!?")), uncapital(other.rstrip(".!?"))
    if rng.random() < 0.3:
        return f"{rng.choice(CONCEDE)} {other}, {main}"
    return f"{other}{rng.choice([', ', '. ', ' '])}{rng.choice(CONTRAST)} {main}"


def neutral(rng: Random) -> str:
    """Return a plain statement or question without an opinion."""
    thing, other = rng.choice(WORDS["things"]), rng.choice(WORDS["things"])
    return rng.choice((
        rng.choice(lines("neutral")), rng.choice(lines("neutral")), rng.choice(lines("neutral")), thing,
        f"the {thing} and the {other}", f"this is {article(thing)}", f"I have {article(thing)}",
        f"where is the {thing}?",
        f"how much is the {thing}?", f"the {thing} is next to the {other}", f"she asked about the {thing}",
    ))  # fmt: skip


def thin(text: str, rng: Random) -> str:
    """Return the text, sometimes without some of its words, but never without one that turns the meaning."""
    share = rng.choice((0.0, 0.0, 0.0, 0.08, 0.16))
    words = text.split()
    if share == 0.0 or len(words) < 5:
        return text
    return " ".join(word for word in words if TURNS.search(word) or rng.random() > share)


def draw(rng: Random) -> Example:
    """Return one training example."""
    kind, side = rng.random(), rng.randrange(2)
    if kind < 0.05:
        return roughen(sentence(neutral(rng)), rng), 0.5
    if kind < 0.09:
        return roughen(bag(side, rng), rng), float(side)
    if kind < 0.55:
        text = written(side, rng)
    elif kind < 0.65:
        text = f"{written(side, rng)} {sentence(clause(side, rng))}"
        text = text if rng.random() < 0.5 else f"{sentence(clause(side, rng))} {written(side, rng)}"
    elif kind < 0.71:
        text = sentence(contrast(side, rng))
    elif kind < 0.75:
        text = f"{sentence(neutral(rng))} {sentence(clause(side, rng))}"
    elif kind < 0.84:
        text = sentence(event(side, rng))
    elif kind < 0.91:
        text = sentence(verdict(side, rng.choice(WORDS["things"]), rng))
    else:
        text = sentence(clause(side, rng))
    return roughen(thin(text, rng), rng, drops=0.0), float(side)
