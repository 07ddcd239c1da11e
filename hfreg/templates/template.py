"""Template: a start for one task, and the arguments and lines that several of them share."""

from __future__ import annotations

from dataclasses import dataclass

from hfreg.argument import Argument
from hfreg.definition import Definition


@dataclass(frozen=True, slots=True)
class Template:
    """A start for one task; `task` is the Hub's word where it has one.

    `needs` is the pipeline that the installed transformers must have, empty where it needs none.
    """

    task: str
    title: str
    summary: str
    definition: Definition
    needs: str = ""


TEXT = Argument("text", "String", usage="Main input content")
THRESHOLD = Argument("threshold", "Numerical", optional=True, default="0.5", usage="Classification threshold")
NEW_TOKENS = Argument("max_length", "Numerical", optional=True, default="64", usage="Maximum number of new tokens")
TEMPERATURE = Argument(
    "temperature",
    "Numerical",
    optional=True,
    default="0.7",
    usage="Generation randomness; 0 always gives the same answer",
)

LONGEST = """
# What the model reads at once.
longest = client.tokenizer.model_max_length
if longest > 1_000_000:  # the tokenizer does not say
    longest = getattr(client.model.config, "max_position_embeddings", 514) - 2
"""
WARNED = """count = len(client.tokenizer(text, verbose=False)["input_ids"])
if count > longest:
    warnings.warn(f"Read the first {longest:,} of {count:,} tokens; the rest was cut.")
"""
CUT = """places = client.tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
if len(places) > longest:
    warnings.warn(f"Read the first {longest:,} of {len(places):,} tokens; the rest was cut.")
    text = text[: places[longest - 1][0]]
"""
