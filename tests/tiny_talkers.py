"""Tiny checkpoints of the architectures that most people use for speech and for pictures with text.

A Whisper that writes what its 256 bytes spell, and an Idefics3 (of which SmolVLM is one) that cuts a picture into
tiles. Both have random weights: what they answer means nothing, that the templates can ask them does.
"""

from __future__ import annotations

from pathlib import Path

from tiny_checkpoints import SPECIAL, _save, _seeded, _tokenizer

LANGUAGES = ("en", "de")
TASKS = ("translate", "transcribe")
STAMPS = [f"<|{n * 0.02:.2f}|>" for n in range(1501)]


def build_whisper(folder: Path) -> Path:
    """Save a Whisper of one layer each way, with two languages and all time stamps."""
    import transformers
    from tokenizers import pre_tokenizers

    letters = {sign: n for n, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = transformers.WhisperTokenizer(vocab=letters, merges=[])
    begin = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{one}|>" for one in (*LANGUAGES, *TASKS))]
    tokenizer.add_tokens([*begin, "<|nospeech|>", "<|startofprev|>", "<|notimestamps|>"], special_tokens=True)
    tokenizer.add_tokens(STAMPS)
    of = tokenizer.convert_tokens_to_ids
    ends = {f"{one}_token_id": of("<|endoftext|>") for one in ("bos", "eos", "pad")}
    with _seeded():
        config = transformers.WhisperConfig(
            vocab_size=len(tokenizer), num_mel_bins=8, d_model=16, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
            max_target_positions=64, decoder_start_token_id=of("<|startoftranscript|>"), suppress_tokens=None,
            begin_suppress_tokens=None, **ends,
        )  # fmt: skip
        model = transformers.WhisperForConditionalGeneration(config).eval()
    model.generation_config = transformers.GenerationConfig(
        decoder_start_token_id=of("<|startoftranscript|>"), is_multilingual=True, max_length=24,
        lang_to_id={f"<|{one}|>": of(f"<|{one}|>") for one in LANGUAGES},
        task_to_id={one: of(f"<|{one}|>") for one in TASKS}, no_timestamps_token_id=of("<|notimestamps|>"),
        max_initial_timestamp_index=50, **ends,
    )  # fmt: skip
    extractor = transformers.WhisperFeatureExtractor(feature_size=8)
    return _save(model, transformers.WhisperProcessor(extractor, tokenizer), folder)


IDEFICS_CHAT = (
    "{% for message in messages %}User:{% for part in message['content'] %}"
    "{{ '<image>' if part['type'] == 'image' else ' ' + part['text'] }}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


def build_idefics(folder: Path) -> Path:
    """Save an Idefics3 with tiles of 16 pixels square before a Llama of 256 positions."""
    import transformers

    size = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokenizer = _tokenizer()
    tokenizer.model_max_length = 256
    more = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *tiles]
    tokenizer.add_special_tokens({"additional_special_tokens": more})
    with _seeded():
        eye = transformers.Idefics3VisionConfig(**size, num_hidden_layers=1, image_size=16, patch_size=4)
        mouth = transformers.LlamaConfig(
            **size, vocab_size=len(tokenizer), num_hidden_layers=1, max_position_embeddings=256, pad_token_id=0,
            bos_token_id=SPECIAL.index("[CLS]"), eos_token_id=SPECIAL.index("[SEP]"),
        )  # fmt: skip
        place = tokenizer.convert_tokens_to_ids("<image>")
        config = transformers.Idefics3Config(vision_config=eye, text_config=mouth, image_token_id=place, scale_factor=2)
        model = transformers.Idefics3ForConditionalGeneration(config).eval()
    processor = transformers.Idefics3Processor(
        image_processor=transformers.Idefics3ImageProcessorPil(
            size={"longest_edge": 32}, max_image_size={"longest_edge": 16}
        ),
        tokenizer=tokenizer, image_seq_len=4, chat_template=IDEFICS_CHAT,
    )  # fmt: skip
    return _save(model, processor, folder)
