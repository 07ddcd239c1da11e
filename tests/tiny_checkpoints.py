"""Tiny real transformers checkpoints, made in seconds from a seed: one for each architecture that a template needs.

The classifier is a BERT with labels negative, neutral and positive that has learned a few words; all
others have random weights. All have a real fast tokenizer over a word list. They
say nothing about quality: the models that the product ships are trained elsewhere.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

LABELS = ["negative", "neutral", "positive"]
SENTENCES = {
    "positive": ["i love this great product", "what a wonderful day", "great service and happy people",
                 "this is good and i am happy", "i love it", "excellent and amazing work"],
    "negative": ["i hate this terrible product", "what an awful day", "bad service and angry people",
                 "this is bad and i am sad", "i hate it", "horrible and broken work"],
    "neutral": ["the meeting is on monday", "the product is on the table", "people work on this day",
                "the service is in the city", "it is a table", "a day in the city"],
}  # fmt: skip
WORDS = sorted({word for group in SENTENCES.values() for text in group for word in text.split()})
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class TinyCheckpoints:
    """Folders with checkpoints, each made at its first use."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def classifier(self) -> Path:
        """A text-classification checkpoint with the labels negative, neutral, positive."""
        return build_classifier(self.root / "classifier")

    @cached_property
    def embedder(self) -> Path:
        """A sentence-transformers checkpoint with 32 dimensions, mean-pooled and normalised."""
        return build_embedder(self.root / "embedder")

    @cached_property
    def guard(self) -> Path:
        """A text-classification checkpoint with the labels SAFE, INJECTION."""
        return build_bert(self.root / "guard", "BertForSequenceClassification", ["SAFE", "INJECTION"])

    @cached_property
    def entailer(self) -> Path:
        """A checkpoint that says whether one sentence follows from another."""
        labels = ["contradiction", "neutral", "entailment"]
        return build_bert(self.root / "entailer", "BertForSequenceClassification", labels)

    @cached_property
    def tagger(self) -> Path:
        """A token-classification checkpoint with names of people and places."""
        return build_bert(self.root / "tagger", "BertForTokenClassification", ["B-PER", "B-LOC"])

    @cached_property
    def masker(self) -> Path:
        """A fill-mask checkpoint."""
        return build_bert(self.root / "masker", "BertForMaskedLM", [])

    @cached_property
    def ranker(self) -> Path:
        """A CrossEncoder: a classifier of pairs with one score."""
        return build_bert(self.root / "ranker", "BertForSequenceClassification", ["score"])

    @cached_property
    def chat(self) -> Path:
        """A causal language model with a chat template."""
        return build_generator(self.root / "chat", CHAT_TEMPLATE)

    @cached_property
    def seer(self) -> Path:
        """A ViT that gives pictures the labels cat, dog, car."""
        return build_seer(self.root / "seer")

    @cached_property
    def onlooker(self) -> Path:
        """A LLaVA that answers a question about a picture with some words."""
        return build_onlooker(self.root / "onlooker")

    @cached_property
    def listener(self) -> Path:
        """A wav2vec2 with CTC that writes the letters A to E."""
        return build_listener(self.root / "listener")

    @cached_property
    def whisper(self) -> Path:
        """A Whisper that writes bytes."""
        from tiny_talkers import build_whisper

        return build_whisper(self.root / "whisper")

    @cached_property
    def idefics(self) -> Path:
        """An Idefics3, as SmolVLM is one, that answers a question about a picture with some words."""
        from tiny_talkers import build_idefics

        return build_idefics(self.root / "idefics")

    @cached_property
    def generator(self) -> Path:
        """A causal language model."""
        return build_generator(self.root / "generator")


def build_classifier(folder: Path) -> Path:
    """Train and save the classifier."""
    import torch
    import transformers

    with _seeded():
        tokenizer = _tokenizer()
        names = dict(enumerate(LABELS))
        config = _bert(id2label=names, label2id={name: number for number, name in names.items()})
        model = transformers.BertForSequenceClassification(config)
        texts = [(text, LABELS.index(label)) for label, group in SENTENCES.items() for text in group]
        batch = tokenizer([text for text, _ in texts], padding=True, return_tensors="pt")
        labels = torch.tensor([label for _, label in texts])
        for step in range(40):
            model(**batch, labels=labels).loss.backward()
            _sign_step(model, 0.01 * (1 - step / 40))
    return _save(model.eval(), tokenizer, folder)


def _sign_step(model: Any, rate: float) -> None:
    # torch.optim imports torch's compiler, which costs seconds; the sign of the gradient is enough here.
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            if weight.grad is not None:
                weight -= rate * weight.grad.sign()
                weight.grad = None


def build_embedder(folder: Path) -> Path:
    """Save the embedder in the layout of sentence-transformers."""
    import transformers

    with _seeded():
        tokenizer = _tokenizer()
        model = transformers.BertModel(_bert())
    _save(model, tokenizer, folder)
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", {"prompts": {}, "similarity_fn_name": "cosine"})
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    return folder


def build_bert(folder: Path, architecture: str, labels: list[str]) -> Path:
    """Save a BERT with a head of this architecture, by its class in transformers."""
    import transformers

    names = {"id2label": dict(enumerate(labels)), "label2id": {name: n for n, name in enumerate(labels)}}
    with _seeded():
        model = getattr(transformers, architecture)(_bert(**names if labels else {}))
        return _save(model.eval(), _tokenizer(), folder)


def build_generator(folder: Path, chat_template: str | None = None) -> Path:
    """Save the generator."""
    import transformers

    with _seeded():
        tokenizer = _tokenizer()
        tokenizer.chat_template = chat_template
        ends = {"bos_token_id": SPECIAL.index("[CLS]"), "eos_token_id": SPECIAL.index("[SEP]"), "pad_token_id": 0}
        size = {"n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64}
        config = transformers.GPT2Config(vocab_size=len(SPECIAL) + len(WORDS), **size, **ends)
        model = transformers.GPT2LMHeadModel(config)
    return _save(model, tokenizer, folder)


def build_seer(folder: Path) -> Path:
    """Save the picture classifier; its pictures are made ready by Pillow."""
    import transformers

    labels = ["cat", "dog", "car"]
    names = {"id2label": dict(enumerate(labels)), "label2id": {name: n for n, name in enumerate(labels)}}
    with _seeded():
        config = transformers.ViTConfig(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=16,
            patch_size=8, **names,
        )  # fmt: skip
        model = transformers.ViTForImageClassification(config).eval()
    return _save(model, transformers.ViTImageProcessorPil(size={"height": 16, "width": 16}), folder)


PICTURE_CHAT = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{{ '<image> ' if part['type'] == 'image' else part['text'] }}{% endfor %}{% endfor %}"
)


def build_onlooker(folder: Path) -> Path:
    """Save the reader of pictures: a CLIP of 16 pixels square before a Llama of 64 positions."""
    import transformers

    size = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    with _seeded():
        tokenizer = _tokenizer()
        tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
        eye = transformers.CLIPVisionConfig(**size, num_hidden_layers=2, image_size=16, patch_size=8, projection_dim=32)
        mouth = transformers.LlamaConfig(
            **size, vocab_size=len(tokenizer), num_hidden_layers=1, max_position_embeddings=64, pad_token_id=0,
            bos_token_id=SPECIAL.index("[CLS]"), eos_token_id=SPECIAL.index("[SEP]"),
        )  # fmt: skip
        place = tokenizer.convert_tokens_to_ids("<image>")
        config = transformers.LlavaConfig(vision_config=eye, text_config=mouth, image_token_id=place)
        model = transformers.LlavaForConditionalGeneration(config).eval()
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
        ),
        tokenizer=tokenizer, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=PICTURE_CHAT,
    )  # fmt: skip
    return _save(model, processor, folder)


def build_listener(folder: Path) -> Path:
    """Save the speech recogniser."""
    import transformers

    _write(folder / "vocab.json", {word: n for n, word in enumerate(["|", "<pad>", "<s>", "</s>", "<unk>", *"ABCDE"])})
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    with _seeded():
        config = transformers.Wav2Vec2Config(
            vocab_size=10, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
            conv_dim=(16, 16, 16), conv_stride=(5, 4, 16), conv_kernel=(10, 8, 16), num_feat_extract_layers=3,
            num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, pad_token_id=1,
        )  # fmt: skip
        model = transformers.Wav2Vec2ForCTC(config).eval()
    extractor = transformers.Wav2Vec2FeatureExtractor()
    return _save(model, transformers.Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer), folder)


def _bert(**more: Any) -> Any:
    import transformers

    return transformers.BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, **more,
    )  # fmt: skip


def _tokenizer() -> Any:
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ends
    )
    names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL, strict=True))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)


class _seeded:
    """The same random numbers each time, and afterwards those that would have come."""

    def __enter__(self) -> None:
        import torch

        self._state = torch.random.get_rng_state()
        torch.manual_seed(7)

    def __exit__(self, *exception: object) -> None:
        import torch

        torch.random.set_rng_state(self._state)


def _save(model: Any, tokenizer: Any, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")
