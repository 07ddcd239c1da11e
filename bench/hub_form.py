"""From a pasted repo id to a filled form, and how often the Hub is asked before the repository is first drawn.

The New model page runs by Streamlit's own script runner through app.py, against a Hub on 127.0.0.1: the id is entered,
*Find* is pressed, the page is run until *Use this model* can be pressed, and it is pressed. The clock runs over all of
it, without the browser. The network is left out: against the real Hub each request also waits for an answer from afar.

    python -m bench.hub_form
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from hub_files import plain_repo
from loopback_hub import LoopbackHub

from bench.report import Figure, write
from bench.timing import milliseconds

ROOT = Path(__file__).parents[1]
ROUNDS, WARM_UP, GIVE_UP_S = 15, 2, 20.0
REPO = "acme/kind-rater"
CARD = """---
license: mit
pipeline_tag: text-classification
base_model: acme/base
---
# Kind rater

Rates short texts of customers as kind or unkind, in English.
"""


def host(server: LoopbackHub) -> None:
    """Host a model and what it was made from."""
    files = plain_repo() | {"tokenizer_config.json": b'{"model_max_length": 512}'}
    server.add_repo("acme/base", files | {"README.md": b"---\nlicense: gemma\n---\n"})
    server.add_repo(REPO, files | {"README.md": CARD.encode()})


def filled() -> float:
    """Return the seconds from the pasted id to the filled form, on an open page; raises when it is not filled."""
    from streamlit.testing.v1 import AppTest

    at: Any = AppTest.from_file(ROOT / "app.py", default_timeout=GIVE_UP_S)
    at.switch_page("pages/catalog/register.py").run()
    began = time.perf_counter()
    at.text_input(key="start.hub.words").set_value(REPO)
    at.button(key="start.hub.find").click().run()
    while at.button(key="start.hub.use").disabled and time.perf_counter() - began < GIVE_UP_S:
        at.run()
    at.button(key="start.hub.use").click().run()
    took = time.perf_counter() - began
    if at.session_state["register.draft"]["fields"]["alias"] != "kind_rater":
        raise RuntimeError("The form was not filled.")
    return took


def measure(server: LoopbackHub, rounds: int = ROUNDS, warm_up: int = WARM_UP) -> tuple[list[Figure], dict[str, Any]]:
    """Return the figures, and what they were made of; the home and the Hub are those of the environment."""
    import hfreg
    from hfreg.hub.look import look

    host(server)
    with hfreg.open() as registry:
        server.forget_requests()
        look(registry.hub, REPO)
        before = len(server.requests)
    times = [filled() for _ in range(warm_up + rounds)][warm_up:]
    seconds = milliseconds(times) / 1000
    figures = [
        Figure("from a pasted repo id to the filled form, p50", round(seconds, 3), "s", "≤ 1.5"),
        Figure("requests to the Hub before a repository is first drawn", before, "", "≤ 3"),
    ]
    return figures, {"rounds": rounds, "slowest_s": round(max(times), 3)}


def main() -> None:
    """Measure, print, and write the results."""
    with tempfile.TemporaryDirectory() as folder, LoopbackHub() as server:
        os.environ |= {"HFREG_HOME": f"{folder}/home", "HF_HOME": f"{folder}/hf", "HF_ENDPOINT": server.url}
        os.environ |= {"HFREG_ENGINE": "inline", "HF_HUB_DISABLE_TELEMETRY": "1"}
        figures, details = measure(server)
    sys.exit(0 if write("hub_form", figures, "one session, the Hub in the same process", details) else 1)


if __name__ == "__main__":
    main()
