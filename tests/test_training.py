"""The text and the samplers that the starters are trained from.

Covers: the form of the paired remarks, plain verdicts, spellings, the linear teacher, the shared vocabulary, and that
no labelled text for measuring is among the remarks. Does not cover: the trained checkpoints (see `test_starters`).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from training import distill, evaluate, plain, sentiment, teacher, tokens
from training.text import lines
from training.train import STARTERS


def bare(text: str) -> str:
    """Return the words of the text alone, in lower case."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize("name", (*sentiment.PLAIN, *sentiment.SUBTLE))
def test_each_paired_remark_has_a_good_and_a_bad_half_and_stands_once(name: str) -> None:
    remarks = lines(name)
    wrong = [line for line in remarks if not re.fullmatch(r"[^\[\]|]*(\[[^\[\]|]+\|[^\[\]|]+\][^\[\]|]*)+", line)]
    assert wrong == []
    assert len(set(remarks)) == len(remarks)


@pytest.mark.parametrize("folder", [evaluate.HELD_OUT, evaluate.DEVELOPMENT], ids=["held-out", "development"])
def test_no_labelled_text_for_measuring_is_a_training_remark(folder: Path) -> None:
    remarks = {bare(text) for side in (0, 1) for text in sentiment.remarks(side)}
    assert sum(bare(row["text"]) in remarks for row in evaluate.read(folder / "sentiment.jsonl")) == 0


def test_a_plain_verdict_turns_a_feeling_of_the_other_side_only_in_a_turning_frame() -> None:
    rng = Random(3)
    good, bad = set(plain.PLAIN["good feelings"]), set(plain.PLAIN["bad feelings"])
    found = {plain.verdict(1, "train", rng) for _ in range(4000)}
    assert not any("{" in text for text in found)
    assert good.isdisjoint(bad)
    assert not any(f"I was {feeling}" in found for feeling in bad)
    assert not any(f"I was not {feeling}" in found for feeling in good)
    assert any(f"I was {feeling}" in found for feeling in good)
    assert any(re.fullmatch(r"I (am|was) not (angry|upset|sad|bored|worried).*", text) for text in found)


def test_a_spelling_goes_to_the_other_side_of_the_ocean_and_back() -> None:
    assert sentiment.respell("my favorite gray sweater") == "my favourite grey jumper"
    assert sentiment.respell("my favourite grey jumper") == "my favorite gray sweater"


def test_words_that_turn_the_meaning_are_never_left_out() -> None:
    rng = Random(1)
    text = "Nobody could say that I wasn't hardly ever without a smile, but not you"
    kept = [sentiment.thin(text, rng) for _ in range(200)]
    assert len(set(kept)) > 5
    assert all({"Nobody", "wasn't", "hardly", "without", "but", "not"} <= set(short.split()) for short in kept)


def test_the_teacher_adds_up_evidence_and_knows_nothing_of_what_it_never_saw() -> None:
    examples = [("a good day", 1.0), ("a bad day", 0.0), ("not a good day", 0.0)]
    linear = teacher.train(lambda rng: rng.choice(examples), Random(1), 6000, rate=0.1)
    assert linear.probability("a good day") > 0.8 > 0.2 > linear.probability("a bad day")
    assert linear.probability("not a good day") < 0.2
    assert linear.probability("zebra") == 0.5


def test_the_sampler_blends_labels_with_what_the_teacher_says() -> None:
    draw = distill.sampler(seed=1, count=2000)
    rng = Random(1)
    labels = [label for _, label in (draw(rng) for _ in range(400))]
    assert all(0.0 <= label <= 1.0 for label in labels)
    assert len(set(labels)) > 200


def test_the_guard_and_the_embedder_keep_the_vocabulary_they_were_trained_with() -> None:
    fixed = tokens.shared_wordpiece().get_vocab()
    for name in ("starter-prompt-guard", "starter-embedder"):
        stored = json.loads((STARTERS / name / "tokenizer.json").read_text(encoding="utf-8"))
        assert stored["model"]["vocab"] == fixed
