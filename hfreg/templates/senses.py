"""Templates that look and listen: labels of a picture, answers about one, and speech as text.

Each has a sample of its own, made here: a picture of two colours and a tenth of a second of a tone.
"""

from __future__ import annotations

import base64
import math
from array import array

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.templates.template import NEW_TOKENS, Template
from hfreg.types.signals import png, wav


def _url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


PICTURE = _url("image/png", png(8, 8, 3, (b"\xf5\xa6\x23" * 4 + b"\x1f\x6f\xb2" * 4) * 8))
"""Eight pixels square, orange and blue."""
TONE = _url(
    "audio/wav", wav(8_000, array("f", (math.sin(n * 2 * math.pi * 440 / 8_000) for n in range(800))).tobytes())
)
"""A tenth of a second of 440 Hz."""

IMAGE_CLASSIFICATION = Definition(
    alias="image_classifier",
    name="Image classifier",
    description="The likeliest labels of a picture, with how sure the model is. It knows only the labels that it was "
    "trained with, and gives one of them to every picture.",
    model_type="Other",
    output_type="Map[String, Numerical]",
    arguments=(
        Argument("image", "Image", usage="The picture"),
        Argument("count", "Numerical", optional=True, default="5", usage="How many labels"),
    ),
    examples=({"image": PICTURE},),
    scoring_logic="""# Arguments: image, count are automatically available
from transformers import pipeline

client = pipeline(
    "image-classification",
    model="google/vit-base-patch16-224",
)

if image is None:
    return None

return {found["label"]: found["score"] for found in client(image, top_k=int(count))}
""",
)

IMAGE_TEXT_TO_TEXT = Definition(
    alias="picture_reader",
    name="Picture reader",
    description="Answers a question about a picture, in words. It makes things up: check what matters. Of a question "
    "that leaves no room for an answer the end is cut, with a warning.",
    model_type="Text Generation",
    output_type="String",
    arguments=(
        Argument("image", "Image", usage="The picture"),
        Argument("text", "String", optional=True, default="Describe the picture.", usage="What is asked about it"),
        NEW_TOKENS,
    ),
    examples=({"image": PICTURE, "text": "Which colours do you see?"},),
    scoring_logic="""# Arguments: image, text, max_length are automatically available
import warnings
from transformers import pipeline

client = pipeline(
    "image-text-to-text",
    model="llava-hf/llava-interleave-qwen-0.5b-hf",
)

if image is None or not text:
    return None

longest = getattr(client.model.config.get_text_config(), "max_position_embeddings", 2048)
wanted = max(1, min(int(max_length), longest - 1))


def asked(text):
    parts = [{"type": "image", "image": image}, {"type": "text", "text": text}]
    return [{"role": "user", "content": parts}]


# Picture, question and answer share what the model reads at once.
prompt = client.processor.apply_chat_template(
    asked(text), add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
)
over = prompt["input_ids"].shape[1] + wanted - longest
if over > 0:
    places = client.processor.tokenizer(
        text, return_offsets_mapping=True, add_special_tokens=False, verbose=False
    )["offset_mapping"]
    kept = len(places) - over
    if kept < 1:
        raise ValueError(f"The picture and {wanted:,} new tokens leave no room for a question; ask for fewer.")
    warnings.warn(f"Read the first {kept:,} of {len(places):,} tokens, to leave room for {wanted:,} new ones.")
    text = text[:places[kept - 1][1]]

choice = {"max_new_tokens": wanted, "do_sample": False}
answer = client(text=asked(text), return_full_text=False, generate_kwargs=choice)
return answer[0]["generated_text"]
""",
)

SPEECH_RECOGNITION = Definition(
    alias="speech_recogniser",
    name="Speech recogniser",
    description="What is said in a recording, as text. It writes words for noise and music too. A recording of more "
    "than 30 seconds is read piece by piece.",
    model_type="Other",
    output_type="String",
    arguments=(Argument("audio", "Audio", usage="The recording"),),
    examples=({"audio": TONE},),
    scoring_logic="""# Arguments: audio is automatically available
from transformers import pipeline

client = pipeline(
    "automatic-speech-recognition",
    model="facebook/wav2vec2-base-960h",
)

if audio is None:
    return None

rate = client.feature_extractor.sampling_rate
if rate != audio["sampling_rate"]:
    raise ValueError(f"The model reads {rate} samples a second. Make the type of the argument Audio[{rate}].")

pieces = {}
if len(audio["array"]) > 30 * rate:
    pieces = {"return_timestamps": True} if client.type == "seq2seq_whisper" else {"chunk_length_s": 20}
return client({**audio}, **pieces)["text"].strip()
""",
)

SENSING = (
    Template(
        "image-classification",
        "Image classification",
        "The likeliest labels of a picture.",
        IMAGE_CLASSIFICATION,
        "image-classification",
    ),
    Template(
        "image-text-to-text",
        "Image and text",
        "Answers a question about a picture.",
        IMAGE_TEXT_TO_TEXT,
        "image-text-to-text",
    ),
    Template(
        "automatic-speech-recognition",
        "Speech recognition",
        "What is said in a recording.",
        SPEECH_RECOGNITION,
        "automatic-speech-recognition",
    ),
)
