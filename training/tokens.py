"""Tokenizers of the starters: one WordPiece vocabulary for the three encoders, one byte-level BPE for the generator.

Covers: training them on the project's own text, and wrapping them for transformers. Does not cover: other languages
(any text is accepted, but unusual letters become `[UNK]` in the encoders).
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from training import guard, pairs, sentiment
from training.text import DATA, lines, sections

WORDPIECES = 5800
BYTE_PIECES = 2000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def encoder_text(seed: int) -> list[str]:
    """Return the text the encoders' vocabulary is learned from: every file, and drawn examples."""
    rng = Random(seed)
    found = [line for path in sorted(DATA.glob("*.txt")) for line in lines(path.stem)] * 3
    for name in ("sentiment_words", "guard_parts", "story_parts"):
        found += [entry for entries in sections(name).values() for entry in entries]
    found += [sentiment.draw(rng)[0] for _ in range(2000)] + [guard.draw(rng)[0] for _ in range(2000)]
    return found + [text for _ in range(1000) for text in pairs.draw(rng)]


def train_wordpiece(seed: int, size: int = WORDPIECES) -> Tokenizer:
    """Return a lower-casing WordPiece tokenizer with BERT's special tokens."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    alphabet = [chr(code) for code in range(33, 127)]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(encoder_text(seed), trainer)
    ends = [(token, SPECIAL.index(token)) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def train_bytes(documents: Iterable[str], size: int = BYTE_PIECES) -> Tokenizer:
    """Return a byte-level BPE tokenizer whose only special token opens and closes a document."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def for_encoder(tokenizer: Tokenizer, longest: int) -> PreTrainedTokenizerFast:
    """Return the WordPiece tokenizer as transformers loads it; texts over `longest` tokens can be truncated."""
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=longest, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def for_generator(tokenizer: Tokenizer, longest: int) -> PreTrainedTokenizerFast:
    """Return the byte-level tokenizer as transformers loads it."""
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=longest, bos_token=end, eos_token=end, pad_token=end,
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
