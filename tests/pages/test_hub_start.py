"""Start from a model of the Hub: search, look, use; what is refused leaves the form as it was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import streamlit as st
from hub_files import plain_repo, safetensors
from loopback_hub import LoopbackHub
from register_form import draft, opened, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.hub.fetch import Fetcher
from hfreg.scoring.check import repositories

CARD = """---
license: mit
license_link: https://licences.org/mit
pipeline_tag: text-classification
base_model: acme/base
---
# Kindness rater

Rates short texts of customers as kind or unkind.

<script>alert(1)</script>![a](http://evil/a.png)
"""


@pytest.fixture
def workbench(loopback_hub: LoopbackHub, home: object) -> Iterator[hfreg.Registry]:
    """The registry of the workbench, with a Hub that answers and one model, so that no starters are registered."""
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(hfreg.Definition(alias="kind_rater", scoring_logic="return 1"))
    yield registry
    st.cache_resource.clear()


def repo(card: str = CARD, config: str = '{"model_type": "bert"}', **files: bytes) -> dict[str, bytes]:
    return plain_repo() | {"README.md": card.encode(), "config.json": config.encode()} | files


def find(at: AppTest, text: str) -> AppTest:
    at.text_input(key="start.hub.words").set_value(text)
    at.button(key="start.hub.find").click().run()
    return settled(at)


def settled(at: AppTest) -> AppTest:
    """Run until what follows the first look is there, as the page's own polling does."""
    ends = time.monotonic() + 10
    while "Asking for base models" in said(at) and time.monotonic() < ends:
        time.sleep(0.05)
        at.run()
    assert not at.exception, at.exception
    return at


def use(at: AppTest) -> AppTest:
    at.button(key="start.hub.use").click().run()
    assert not at.exception, at.exception
    return at


def test_a_pasted_address_is_looked_at_and_fills_the_form(workbench: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("acme/base", repo("---\nlicense: gemma\n---\n"))
    commit = loopback_hub.add_repo("acme/kind-rater", repo(), downloads=1234, likes=1)
    at = find(opened(), f"{loopback_hub.url}/acme/kind-rater")
    words = said(at)
    for part in (
        f"Commit `{commit}`",
        "Licence `mit` · [text](https://licences.org/mit)",
        "Weights safetensors",
        "1.0 k parameters",
        "stored as U8 1.0 k",
        "`acme/base` (`gemma`)",
        "unknown, not safe",
        "Can be read",
        "1,234 downloads",
        "no budget",
    ):
        assert part in words, part
    assert "![" not in words
    assert "<script" not in words
    assert "Rates short texts of customers" in words
    use(at)
    fields = draft(at)["fields"]
    assert (fields["alias"], fields["name"], fields["model_type"]) == (
        "kind_rater_2",
        "kind rater",
        "Text Classification",
    )
    assert fields["description"].startswith("Rates short texts of customers as kind or unkind. From `acme/kind-rater`")
    assert [row["alias"] for row in draft(at)["rows"]] == ["text", "threshold"]
    assert [(r.repo, r.revision) for r in repositories(fields["scoring_logic"])] == [("acme/kind-rater", commit)]
    assert "Filled the form with `acme/kind-rater` by the template Text classification" in said(at)
    at.button(key="register.undo").click().run()
    assert draft(at)["fields"]["alias"] == ""


def test_a_search_lists_models_and_one_of_them_is_looked_at(
    workbench: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.add_repo("acme/rater", repo(), downloads=5)
    loopback_hub.add_repo("acme/rater-two", repo(), downloads=9, gated=True)
    at = opened()
    at.selectbox(key="start.hub.licence").set_value("mit")
    find(at, "rater")
    assert "2 models" in said(at)
    assert said(at).index("acme/rater-two") < said(at).index("5 downloads")
    at.button(key="start.hub.look.acme/rater-two").click().run()
    settled(at)
    assert "Gated, access not granted" in said(at)
    assert "Its card is shown once access is granted." in said(at) and said(at).count("Accept its terms") == 1
    at.button(key="start.hub.back").click().run()
    assert "2 models" in said(at)
    assert "Nothing was found" in said(find(at, "nothing-like-it"))


def test_the_search_filters_and_sorts_by_what_is_chosen_and_tells_of_each_model_what_it_is(
    workbench: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    def add(name: str, task: str, size: int, likes: int, updated: str, **more: object) -> None:
        card = f"---\nlicense: mit\npipeline_tag: {task}\n---\n"
        files = repo(card) | {"model.safetensors": safetensors(size)}
        loopback_hub.add_repo(name, files, likes=likes, lastModified=f"{updated}T00:00:00Z", downloads=7, **more)

    add("acme/small", "fill-mask", 2_000, 1, "2026-05-01")
    add("acme/gated", "fill-mask", 3_000, 9, "2026-04-01", gated=True)
    add("acme/large", "fill-mask", 2_000, 5, "2026-06-01", safetensors={"total": 9_000_000_000})
    add("acme/writer", "text-generation", 2_000, 5, "2026-06-01", library_name="sentence-transformers")
    at = opened()

    def listed(**chosen: str | None) -> list[str]:
        for name, value in chosen.items():
            at.selectbox(key=f"start.hub.{name}").set_value(value)
        find(at, "acme")
        return [b.key.removeprefix("start.hub.look.") for b in at.button if str(b.key).startswith("start.hub.look.")]

    assert listed(task="fill-mask", sort="likes") == ["acme/gated", "acme/large", "acme/small"]
    assert listed(sort="updated") == ["acme/large", "acme/small", "acme/gated"]
    assert listed(size="up to 100 M") == ["acme/small", "acme/gated"]
    for fact in (
        "fill-mask",
        "7 downloads",
        "9 likes",
        "licence mit",
        "3.0 k parameters",
        "gated",
        "updated 2026-04-01",
    ):
        assert fact in said(at).replace("\\", ""), fact
    assert listed(size="over 8 B") == ["acme/large"]
    assert listed(size="Any size", task=None, library="sentence-transformers") == ["acme/writer"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("../../etc/passwd", "is no repo id of the Hub"),
        ("größe/modell", "is no repo id of the Hub"),
        ("x" * 300, "is no repo id of the Hub"),
        ("acme/none", "missing or private"),
        ("hf_" + "a1B2" * 8, "looks like a token"),
    ],
)
def test_what_is_no_model_is_told_and_nothing_is_filled(
    workbench: hfreg.Registry, loopback_hub: LoopbackHub, text: str, sentence: str
) -> None:
    at = opened()
    before = draft(at)["fields"]
    find(at, text)
    assert sentence in said(at)
    assert draft(at)["fields"] == before
    assert "start.hub.use" not in {button.key for button in at.button}
    assert "a1B2" not in said(at) + str(at.text_input(key="start.hub.words").value)


INDEX = json.dumps({"weight_map": {"w": "../x.safetensors"}}).encode()
BAD = {
    "pickles": ({"config.json": b"{}", "pytorch_model.bin": b"x"}, "pickle files can run code"),
    "remote code": (repo(config='{"auto_map": {"AutoModel": "m.M"}}'), "run code from the repository"),
    "shards": (repo(**{"model.safetensors.index.json": INDEX}), "names the shard"),
    "architecture": (repo(config='{"model_type": "warp9"}'), "architecture `warp9`"),
}


@pytest.mark.parametrize(("files", "sentence"), BAD.values(), ids=BAD)
def test_a_model_that_cannot_be_loaded_cannot_be_used(
    workbench: hfreg.Registry, loopback_hub: LoopbackHub, files: dict[str, bytes], sentence: str
) -> None:
    loopback_hub.add_repo("acme/bad", files)
    at = find(opened(), "acme/bad")
    assert sentence in said(at)
    assert at.button(key="start.hub.use").disabled


def test_a_card_without_task_or_licence_gives_generic_code_and_says_so(
    workbench: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.add_repo("acme/plain", repo("no card"))
    at = find(opened(), "acme/plain")
    assert "its card names none" in said(at)
    use(at)
    assert "names no task" in said(at)
    assert "AutoModel" in draft(at)["fields"]["scoring_logic"]


def test_out_of_reach_the_page_lists_what_the_cache_holds(workbench: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    commit = loopback_hub.add_repo("acme/rater", repo())
    Fetcher(workbench.hub).fetch("acme/rater", commit)
    loopback_hub.stop()
    at = find(opened(), "rater")
    assert "what the cache on this disk holds" in said(at)
    assert "acme/rater" in said(at)
