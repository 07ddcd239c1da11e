"""Tokenizers of the starters: WordPiece vocabularies for the encoders, a byte-level BPE for the generator.

Covers: training them on the project's own text, reading the one of the guard and the embedder, wrapping them for
transformers. Does not cover: other languages (any text is accepted; unusual letters become `[UNK]` in the encoders).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from training import sentiment

VOCABULARY = Path(__file__).parent / "vocabulary.txt"
SENTIMENT_PIECES = 9600
BYTE_PIECES = 2000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def sentiment_text(seed: int) -> list[str]:
    """Return the text the sentiment vocabulary is learned from: every remark by hand, and drawn examples."""
    rng = Random(seed)
    found = [text for side in (0, 1) for text in sentiment.remarks(side)] * 2
    return found + [sentiment.draw(rng)[0] for _ in range(12000)]


def train_sentiment_wordpiece(seed: int, size: int = SENTIMENT_PIECES) -> Tokenizer:
    """Return a WordPiece tokenizer learned from the sentiment text alone."""
    tokenizer = wordpiece(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    alphabet = [chr(code) for code in range(33, 127)]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(sentiment_text(seed), trainer)
    return tokenizer


def shared_wordpiece() -> Tokenizer:
    """Return the tokenizer of the guard and the embedder. Its vocabulary was learned once and stays: learned anew, it
    would change with every remark added for the sentiment starter, and the figures of those two would not be theirs."""
    entries = {entry: at for at, entry in enumerate(VOCABULARY.read_text(encoding="utf-8").splitlines())}
    return wordpiece(models.WordPiece(vocab=entries, unk_token="[UNK]", max_input_chars_per_word=40))


def wordpiece(model: models.WordPiece) -> Tokenizer:
    """Return a lower-casing WordPiece tokenizer with BERT's special tokens."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
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
