"""Preload: importing what most models need before any of them is loaded, and settling in after a fork.

For a process that is forked into workers: it imports and does nothing else, since the thread pools of torch do not
survive a fork. What is not installed is left out. What a model needs beyond it is imported when the model loads.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator

FIRST = ("torch", "numpy", "transformers", "huggingface_hub", "safetensors.torch", "tokenizers")
THEN = (  # those that take longest on their own first, so that a fork never waits for long
    "torch.distributed.tensor",
    "transformers.core_model_loading",
    "torch._dynamo",
    "transformers.activations",
    "scipy.optimize",
    "transformers.modeling_utils",
    "transformers.processing_utils",
    "transformers.pipelines",
    "transformers.models.auto",
    "transformers.models.auto.tokenization_auto",
    *(
        f"transformers.models.{family}.modeling_{family}"
        for family in ("bert", "roberta", "distilbert", "modernbert", "gpt2", "deberta_v2", "xlm_roberta", "llama")
    ),
    "transformers.models.bert.tokenization_bert",
    "transformers.models.roberta.tokenization_roberta",
    "transformers.models.gpt2.tokenization_gpt2",
)


def preload() -> Iterator[str]:
    """Import, first what every model needs in one go, then one library at a time; yields what was imported."""
    for name in FIRST:
        _import(name)
    yield ", ".join(FIRST)
    for name in THEN:
        _import(name)
        yield name


def settle_after_fork(threads: int = 1) -> None:
    """Give this process random numbers of its own, and let torch compute in one thread, or in as many as are asked for.

    Several loaded models on few cores would only wait for each other: two threads each took 160 to 560 ms for what one
    does in 60.
    """
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


def allow_network() -> None:
    """Let huggingface_hub ask the network again, in a process that began offline."""
    if constants := sys.modules.get("huggingface_hub.constants"):
        vars(constants)["HF_HUB_OFFLINE"] = False


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError:  # not installed, or not in this release: a model that needs it says so
        return
