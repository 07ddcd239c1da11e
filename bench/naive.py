"""The scoring logic of tests/seed.md written naively, run as a plain function, against the same text registered.

Naive code makes its pipeline on every call: it reads the cached files and asks the Hub each time. The cold load is that
of a second registry, from files that are cached already; beside it stands the first naive call. All run in one process
against a Hub on 127.0.0.1 that counts requests and answers at once, so what is left out is the network: against the
real Hub each of these requests also waits for an answer from afar.

    python -m bench.naive
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from loopback_hub import LoopbackHub

import hfreg
from bench.report import Figure, write
from bench.timing import in_turns, milliseconds
from hfreg.settings import TOKEN_VARIABLES, Settings

SEED = Path(__file__).parents[1] / "tests" / "seed.md"
SOURCE = re.findall(r"```python\n(.*?)```", SEED.read_text(encoding="utf-8"), re.S)[1]
REPO = "cardiffnlp/twitter-roberta-base-sentiment-latest"
TOKEN = "hf_" + "a1B2" * 8
TEXT = "i love this great product"


def naive_function() -> Callable[..., Any]:
    """Return the scoring logic as the function that somebody would write around it."""
    names: dict[str, Any] = {}
    exec("def score(text, threshold):\n" + textwrap.indent(SOURCE, "    "), names)
    return names["score"]  # type: ignore[no-any-return]


def registered(registry: hfreg.Registry) -> hfreg.Model:
    """Register the same text and return it."""
    arguments = [hfreg.Argument("text"), hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")]
    registry.register(
        hfreg.Definition(
            alias="sentiment_analyzer",
            arguments=arguments,
            output_type="Map[String, String]",
            token=True,
            scoring_logic=SOURCE,
        )
    )
    return registry.model("sentiment_analyzer")


def measure(
    hub: LoopbackHub, checkpoint: Path, home: Path, calls: int = 25, warm_up: int = 2
) -> tuple[list[Figure], dict[str, Any]]:
    """Serve the checkpoint and call both; HF_ENDPOINT and HUGGINGFACE_TOKEN must point to the Hub already."""
    hub.add_repo(REPO, checkpoint)
    hub.add_token(TOKEN)
    naive = naive_function()
    with hfreg.Registry(Settings(home=home, endpoint=hub.url)) as registry:
        registered(registry)(text=TEXT, threshold=0.0)  # downloads the files, and pins their commit
    with hfreg.Registry(Settings(home=home, endpoint=hub.url)) as registry:
        model = registry.model("sentiment_analyzer")
        ours, theirs = _counted(hub, lambda: model(text=TEXT, threshold=0.0)), _counted(hub, lambda: naive(TEXT, 0.0))
        assert ours()["sentiment"] == theirs()["sentiment"]
        cold, cold_naively = ours.requests.pop(), theirs.requests.pop()
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):  # a bar for each load
            by_alias, by_hand = in_turns(calls, ours, theirs, warm_up=warm_up)
    asked, asked_naively = (sorted(one.requests)[len(one.requests) // 2] for one in (ours, theirs))
    ratio = milliseconds(by_hand) / milliseconds(by_alias)
    peer = f"{milliseconds(by_hand):.0f} ms naively, {milliseconds(by_alias):.2f} ms by alias"
    return [
        Figure("naive code (a pipeline made on each call) over a warm call by alias, p50", round(ratio), "×", "", peer),
        Figure("requests to the Hub for each warm call", asked, "", "≤ 0", f"{asked_naively} by naive code"),
        Figure(
            "requests to the Hub for a cold load of a pinned model from the cache",
            cold,
            "",
            "≤ 0",
            f"{cold_naively} by naive code, at its first call with the same files cached",
        ),
    ], {"calls": calls, "naive_ms": round(milliseconds(by_hand), 2), "by_alias_ms": round(milliseconds(by_alias), 3)}


class _counted:
    """A call that notes how many requests it made."""

    def __init__(self, hub: LoopbackHub, call: Callable[[], Any]) -> None:
        self.requests: list[int] = []
        self._hub, self._call = hub, call

    def __call__(self) -> Any:
        before = len(self._hub.requests)
        answer = self._call()
        self.requests.append(len(self._hub.requests) - before)
        return answer


def main() -> bool:
    """Measure, print and write; return whether the target was met."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="hfreg-bench-") as folder, LoopbackHub() as hub:
        for name in TOKEN_VARIABLES:
            os.environ.pop(name, None)
        # Before huggingface_hub is imported: it reads these once.
        os.environ |= {"HF_ENDPOINT": hub.url, "HF_HOME": f"{folder}/hf", "HF_HUB_DISABLE_TELEMETRY": "1"}
        os.environ["HUGGINGFACE_TOKEN"] = TOKEN
        import torch
        from tiny_checkpoints import TinyCheckpoints

        torch.set_num_threads(1)
        figures, details = measure(hub, TinyCheckpoints(Path(folder)).classifier, Path(folder) / "home")
    return write("naive", figures, threads="1 torch thread", details={"checkpoint": "tiny, 1 layer", **details})


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
