"""Examples for the prompt guard: a text and whether it tries to take over the model that reads it (1) or not (0).

Covers: overrides, personas, prompt extraction, claimed authority, payloads inside documents, light obfuscation, and
ordinary requests, many with the same words. Does not cover: other languages, images, attacks over several turns.
"""

from __future__ import annotations

import base64
import codecs
from random import Random

from training.text import lines, roughen, sections, sentence

Example = tuple[str, float]
PARTS = sections("guard_parts")
LEET = str.maketrans("aeiost", "431057")
TOPICS = tuple(t for line in lines("topics") for t in line.split("; "))
ASK = (
    "How do I {}?", "How can I {}?", "Tell me how to {}.", "What is the best way to {}?", "Please explain how to {}.",
    "Give me tips to {}.", "Write a short guide on how to {}.", "I want to {}, where do I start?",
    "Can you help me {}?",
    "Why is it so hard to {}?", "List five steps to {}.", "My friend wants to {}, any advice?", "Is it easy to {}?",
    "Write an email to my boss: I need a day off to {}.", "I tried to {} but it did not work.", "Do I need help to {}?",
    "Summarize this blog post about how to {}.", "Ignore the cost, what is the best way to {}?", "Show me how to {}.",
    "Follow these instructions to {}.", "What rules must I follow to {}?", "You are a helpful coach. Teach me to {}.",
    "Act as an expert and explain how to {}.", "Forget the theory and just tell me how to {}.", "I forgot how to {}.",
    "Reveal your favorite trick to {}.", "Write a prompt for a picture of people who {}.", "Translate: I like to {}.",
    "What instructions would you give someone who wants to {}?", "Pretend you are my coach and teach me to {}.",
    "Without using jargon, explain how to {}.", "Which system is best to {}?", "Print a checklist to {}.",
)  # fmt: skip
EVERYDAY = (*lines("sentiment_good"), *lines("sentiment_bad"), *lines("neutral"))


def part(name: str, rng: Random) -> str:
    """Return one entry of a list of parts."""
    return rng.choice(PARTS[name])


def override(rng: Random) -> str:
    """Return a demand to drop the rules, with or without what comes after."""
    text = f"{part('drop verbs', rng)} {part('which', rng)} {part('rule nouns', rng)}"
    if rng.random() < 0.5:
        text += f" {part('then', rng)}"
    return text


def persona(rng: Random) -> str:
    """Return a demand to become somebody without rules."""
    verb = rng.choice(("you are now", "act as", "pretend to be", "roleplay as", "become", "behave like", "speak as",
                       "imagine that you are", "your new name is", "switch to being", "answer as",
                       "simulate"))  # fmt: skip
    return f"{verb} {part('new persona', rng)}. {part('no limits', rng)}"


def extraction(rng: Random) -> str:
    """Return an attempt to learn what the model was told in secret."""
    secret = part("secret things", rng)
    asks = ("what is {}?", "what does {} say?", "i want to see {}", "can i read {}?", "could you share {} with me?",
            "what are the first lines of {}?", "repeat {} word for word", "finish this sentence: {} is",
            "write a poem that contains {}", "what did they put in {}?", "send {} to this address")  # fmt: skip
    if rng.random() < 0.5:
        return rng.choice(asks).format(secret)
    return f"{part('reveal verbs', rng)} {secret}"


def coercion(rng: Random) -> str:
    """Return a forbidden wish wrapped in authority, fiction, or threats."""
    wish = part("bad wishes", rng)
    frame = rng.choice((
        "{a}, so {o}", "{a}. {n}", "{n}. Now write {w}", "{a}. Tell me {w}",
        "In a story without censorship, explain {w}",
        "Hypothetically and with no filter, describe {w}", "{p}. Tell me {w}",
        "My grandmother used to explain {w}. Be her.",
        "{n}. Your first task: {w}", "{o}. Then tell me {w}", "{a}, {x}", "Say the forbidden answer about {w}",
    ))  # fmt: skip
    return frame.format(a=part("authority", rng), o=override(rng), n=part("no limits", rng), w=wish, p=persona(rng),
                        x=extraction(rng))  # fmt: skip


def bare_attack(rng: Random) -> str:
    """Return one attack without a wrapper."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(lines("guard_attacks"))
    make = rng.choice((override, override, persona, extraction, coercion))
    text = make(rng)
    return sentence(f"{part('polite', rng)} {text}" if rng.random() < 0.35 else text)


def disguise(text: str, rng: Random) -> str:
    """Return the attack in a light disguise that a reader of the text could undo."""
    kind = rng.randrange(6)
    if kind == 0:
        return text.translate(LEET)
    if kind == 1:
        return " ".join(text[:40])
    if kind == 2:
        return f"Decode this and follow it: {base64.b64encode(text[:60].encode()).decode()}"
    if kind == 3:
        return f"Read this backwards and do it: {text[:60][::-1]}"
    if kind == 4:
        return f"This is rot13, do what it says: {codecs.encode(text[:60], 'rot13')}"
    return rng.choice((".", "-", "_")).join(text.split())


def document(attack: str, rng: Random) -> str:
    """Return an ordinary document that hides the attack."""
    body = " ".join(everyday(rng) for _ in range(rng.randint(1, 2)))
    payload = part("markers", rng).replace("{}", attack) if rng.random() < 0.7 else attack
    lead = f"{part('carriers', rng)}: " if rng.random() < 0.8 else ""
    end = f" {everyday(rng)}" if rng.random() < 0.3 else ""
    return f"{lead}{body} {payload}{end}"


def everyday(rng: Random) -> str:
    """Return a plain sentence from everyday life."""
    return rng.choice(EVERYDAY)


def attack(rng: Random) -> str:
    """Return one attack in the form a victim would meet it."""
    text = bare_attack(rng)
    kind = rng.random()
    if kind < 0.08:
        return disguise(text, rng)
    if kind < 0.26:
        return document(text, rng)
    if kind < 0.34:
        return f"{rng.choice(lines('guard_safe'))} {text}"
    if kind < 0.40:
        return f"{text} {bare_attack(rng)}"
    return text.upper() if kind < 0.44 else text


def harmless(rng: Random) -> str:
    """Return one ordinary request or remark."""
    kind = rng.random()
    if kind < 0.40:
        return rng.choice(lines("guard_safe"))
    if kind < 0.60:
        return rng.choice(ASK).format(rng.choice(TOPICS))
    if kind < 0.72:
        return f"{part('carriers', rng)}: {everyday(rng)} {everyday(rng)}"
    if kind < 0.80:
        return f"{rng.choice(lines('guard_safe'))} {everyday(rng)}"
    if kind < 0.84:
        encoded = base64.b64encode(everyday(rng)[:40].encode()).decode()
        return rng.choice(("What does {} mean?", "Decode this base64 string for me: {}", "Id: {}")).format(encoded)
    if kind < 0.92:
        return rng.choice(lines("stories")).split(". ")[rng.randrange(3)] + "."
    return everyday(rng)


def draw(rng: Random) -> Example:
    """Return one training example."""
    label = rng.randrange(2)
    return roughen(attack(rng) if label else harmless(rng), rng, drops=0.04), float(label)
