"""Templates: a filled-in definition per task, for whoever starts a new model.

Each is a Definition as the form would hold it: arguments, output type and scoring logic that runs as it stands
with the well-known repository it names, which the user replaces by their own. They register nothing, and what
the named models are good for is said by their own cards.

    >>> find("fill-mask").definition.alias
    'mask_filler'
"""

from __future__ import annotations

from dataclasses import dataclass

from hfreg.argument import Argument
from hfreg.definition import Definition


@dataclass(frozen=True, slots=True)
class Template:
    """A start for one task; `task` is the Hub's word where it has one."""

    task: str
    title: str
    summary: str
    definition: Definition


TEXT = Argument("text", "String", usage="Main input content")
THRESHOLD = Argument("threshold", "Numerical", optional=True, default="0.5", usage="Classification threshold")

TEXT_CLASSIFICATION = Definition(
    alias="sentiment_classifier",
    name="Sentiment classifier",
    description="Sentiment of short English text: negative, neutral or positive. Below the threshold the answer is "
    "uncertain. Text beyond the model's length is cut off.",
    model_type="Text Classification",
    output_type="Struct[sentiment: String, confidence: Numerical]",
    arguments=(TEXT, THRESHOLD),
    scoring_logic="""# Arguments: text, threshold are automatically available
from transformers import pipeline

client = pipeline(
    "text-classification",
    model="cardiffnlp/twitter-roberta-base-sentiment-latest",
)

if text is None:
    return None

best = client(text, truncation=True)[0]

if best["score"] >= threshold:
    return {"sentiment": best["label"], "confidence": best["score"]}
return {"sentiment": "uncertain", "confidence": best["score"]}
""",
)

GUARDRAIL = Definition(
    alias="prompt_guard",
    name="Prompt injection guard",
    description="Says whether a prompt tries to override its instructions; it is flagged when the model is "
    "at least as sure as the threshold. It finds known kinds of attack; it does not prove that a prompt is harmless.",
    model_type="Guardrail",
    output_type="Struct[flagged: Boolean, label: String, confidence: Numerical]",
    arguments=(
        TEXT,
        THRESHOLD,
        Argument("max_length", "Numerical", optional=True, default="512", usage="Maximum token length"),
    ),
    scoring_logic="""# Arguments: text, threshold, max_length are automatically available
from transformers import pipeline

client = pipeline(
    "text-classification",
    model="protectai/deberta-v3-base-prompt-injection-v2",
)

if text is None:
    return None

best = client(text, truncation=True, max_length=max_length)[0]
flagged = best["label"] == "INJECTION" and best["score"] >= threshold

return {"flagged": flagged, "label": best["label"], "confidence": best["score"]}
""",
)

ZERO_SHOT = Definition(
    alias="topic_classifier",
    name="Topic classifier",
    description="Scores a text against labels that the caller chooses, without training. The scores sum to 1.",
    model_type="Text Classification",
    output_type="Map[String, Numerical]",
    arguments=(
        TEXT,
        Argument(
            "labels",
            "Array[String]",
            optional=True,
            default='["billing", "delivery", "praise"]',
            usage="What to choose from",
        ),
    ),
    scoring_logic="""# Arguments: text, labels are automatically available
from transformers import pipeline

client = pipeline(
    "zero-shot-classification",
    model="facebook/bart-large-mnli",
)

if text is None or not labels:
    return None

answer = client(text, candidate_labels=labels)
return dict(zip(answer["labels"], answer["scores"]))
""",
)

TOKEN_CLASSIFICATION = Definition(
    alias="entity_finder",
    name="Entity finder",
    description="Names of people, organisations and places in English text, with where they stand.",
    model_type="Other",
    output_type="Array[Struct[entity: String, text: String, score: Numerical, start: Numerical, end: Numerical]]",
    arguments=(TEXT, THRESHOLD),
    scoring_logic="""# Arguments: text, threshold are automatically available
from transformers import pipeline

client = pipeline(
    "token-classification",
    model="dslim/bert-base-NER",
)

if text is None:
    return None

return [
    {
        "entity": found["entity_group"],
        "text": text[found["start"]:found["end"]],
        "score": found["score"],
        "start": found["start"],
        "end": found["end"],
    }
    for found in client(text, aggregation_strategy="simple")
    if found["score"] >= threshold
]
""",
)

FILL_MASK = Definition(
    alias="mask_filler",
    name="Mask filler",
    description="The likeliest words for a gap in a sentence. Write the gap as [MASK].",
    model_type="Other",
    output_type="Array[Struct[word: String, score: Numerical]]",
    arguments=(
        Argument("text", "String", usage="A sentence with one [MASK]"),
        Argument("count", "Numerical", optional=True, default="5", usage="How many words"),
    ),
    scoring_logic="""# Arguments: text, count are automatically available
from transformers import pipeline

client = pipeline(
    "fill-mask",
    model="google-bert/bert-base-uncased",
)

if text is None:
    return None

gap = text.replace("[MASK]", client.tokenizer.mask_token, 1)
return [{"word": found["token_str"], "score": found["score"]} for found in client(gap, top_k=count)]
""",
)

TEXT_GENERATION = Definition(
    alias="text_generator",
    name="Text generator",
    description="Continues a text. Small models make things up: use it for drafts, not for facts.",
    model_type="Text Generation",
    output_type="String",
    arguments=(
        TEXT,
        Argument("max_length", "Numerical", optional=True, default="64", usage="Maximum number of new tokens"),
        Argument(
            "temperature",
            "Numerical",
            optional=True,
            default="0.7",
            usage="Generation randomness; 0 always gives the same answer",
        ),
    ),
    scoring_logic="""# Arguments: text, max_length, temperature are automatically available
from transformers import pipeline

client = pipeline(
    "text-generation",
    model="HuggingFaceTB/SmolLM2-135M",
)

if text is None:
    return None

choice = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
answer = client(text, max_new_tokens=max_length, return_full_text=False, **choice)
return answer[0]["generated_text"]
""",
)

FEATURE_EXTRACTION = Definition(
    alias="text_embedder",
    name="Text embedder",
    description="A vector for a text: the mean over its tokens. Similar texts have similar vectors.",
    model_type="Text Embedding",
    output_type="Array[Numerical]",
    arguments=(TEXT,),
    scoring_logic="""# Arguments: text is automatically available
from transformers import pipeline

client = pipeline(
    "feature-extraction",
    model="sentence-transformers/all-MiniLM-L6-v2",
)

if text is None:
    return None

tokens = client(text, truncation=True)[0]
return [sum(column) / len(tokens) for column in zip(*tokens)]
""",
)

SENTENCE_EMBEDDING = Definition(
    alias="sentence_embedder",
    name="Sentence embedder",
    description="A vector of length 1 for a sentence: the product of two is their similarity.",
    model_type="Text Embedding",
    output_type="Array[Numerical]",
    arguments=(TEXT,),
    scoring_logic="""# Arguments: text is automatically available
from sentence_transformers import SentenceTransformer

client = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2")

if text is None:
    return None

return client.encode(text, normalize_embeddings=True)
""",
)

BLANK = Definition(alias="", output_type="Map[String, String]")

TEMPLATES = (
    Template("text-classification", "Text classification", "One label and how sure it is.", TEXT_CLASSIFICATION),
    Template("guardrail", "Guardrail", "Flags prompt injections before they reach a model.", GUARDRAIL),
    Template("zero-shot-classification", "Zero-shot", "Scores labels that the caller chooses.", ZERO_SHOT),
    Template("token-classification", "Token classification", "Finds names in a text.", TOKEN_CLASSIFICATION),
    Template("fill-mask", "Fill mask", "Words for a gap in a sentence.", FILL_MASK),
    Template("text-generation", "Text generation", "Continues a text.", TEXT_GENERATION),
    Template("feature-extraction", "Embedding", "A vector from a transformers encoder.", FEATURE_EXTRACTION),
    Template("sentence-similarity", "Sentence embedding", "A vector by sentence-transformers.", SENTENCE_EMBEDDING),
    Template("blank", "Blank", "An empty form.", BLANK),
)
"""The templates, in the order of the form."""


def find(task: str) -> Template | None:
    """Return the template of a task, or None."""
    return next((template for template in TEMPLATES if template.task == task), None)
