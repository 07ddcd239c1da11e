"""Templates that compare texts: vectors by transformers and sentence-transformers, and ranking by a CrossEncoder."""

from __future__ import annotations

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.templates.template import LONGEST, TEXT, WARNED, Template

FEATURE_EXTRACTION = Definition(
    alias="text_embedder",
    name="Text embedder",
    description="A vector for a text: the mean over its tokens. Similar texts have similar vectors. Text beyond the "
    "model's length is cut off, with a warning.",
    model_type="Text Embedding",
    output_type="Array[Numerical]",
    arguments=(TEXT,),
    examples=({"text": "A man repairs his car."},),
    scoring_logic=f"""# Arguments: text is automatically available
import warnings
from transformers import pipeline

client = pipeline(
    "feature-extraction",
    model="sentence-transformers/all-MiniLM-L6-v2",
)

if text is None:
    return None
{LONGEST}{WARNED}
tokens = client(text, tokenize_kwargs={{"truncation": True, "max_length": longest}})[0]
return [sum(column) / len(tokens) for column in zip(*tokens)]
""",
)

SENTENCE_EMBEDDING = Definition(
    alias="sentence_embedder",
    name="Sentence embedder",
    description="A vector of length 1 for a sentence: the product of two is their similarity. Text beyond the model's "
    "length is cut off, with a warning.",
    model_type="Text Embedding",
    output_type="Array[Numerical]",
    arguments=(TEXT,),
    examples=({"text": "A man repairs his car."},),
    scoring_logic="""# Arguments: text is automatically available
import warnings
from sentence_transformers import SentenceTransformer

client = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2")

if text is None:
    return None

longest = client.max_seq_length or 512
count = len(client.tokenizer(text, truncation=False, verbose=False)["input_ids"])
if count > longest:
    warnings.warn(f"Read the first {longest:,} of {count:,} tokens; the rest was cut.")

return client.encode(text, normalize_embeddings=True)
""",
)

TEXT_RANKING = Definition(
    alias="text_ranker",
    name="Text ranker",
    description="Puts documents in the order in which they answer a question, the best first. Documents beyond the "
    "model's length are cut off, with a warning.",
    model_type="Other",
    output_type="Array[Struct[place: Numerical, text: String, score: Numerical]]",
    arguments=(
        Argument("text", "String", usage="The question"),
        Argument("documents", "Array[String]", usage="What is put in order"),
    ),
    examples=(
        {
            "text": "How do I reset my password?",
            "documents": ["We ship to all of Europe.", "Choose Forgotten password on the sign-in page."],
        },
    ),
    scoring_logic="""# Arguments: text, documents are automatically available
import warnings
from sentence_transformers import CrossEncoder

client = CrossEncoder("cross-encoder/ms-marco-MiniLM-L6-v2")

if text is None or not documents:
    return None

longest = client.max_seq_length or 512
counts = [len(client.tokenizer(text, one, truncation=False, verbose=False)["input_ids"]) for one in documents]
if cut := [count for count in counts if count > longest]:
    of = f"of {len(cut):,} of {len(documents):,} documents"
    warnings.warn(f"Read the first {longest:,} tokens {of}; the longest has {max(cut):,}.")

scores = client.predict([(text, one) for one in documents]).tolist()
ranked = sorted(zip(scores, range(len(documents)), documents), reverse=True)
return [{"place": place, "text": one, "score": score} for score, place, one in ranked]
""",
)

COMPARING = (
    Template(
        "feature-extraction",
        "Embedding",
        "A vector from a transformers encoder.",
        FEATURE_EXTRACTION,
        "feature-extraction",
    ),
    Template("sentence-similarity", "Sentence embedding", "A vector by sentence-transformers.", SENTENCE_EMBEDDING),
    Template("text-ranking", "Text ranking", "Puts documents in order for a question.", TEXT_RANKING),
)
