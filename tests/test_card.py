"""Cards: what a page may show of a text that anybody on the Hub may have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfreg.hub.card import card_text, first_paragraph, front_matter


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil/a.png)",
        "!![x](http://evil/a.png)",
        "!<b></b>[x](http://evil/a.png)",
        "![x][r]\n\n[r]: http://evil/a.png",
        "```\n```\n![x](http://evil/a.png)",
        "<!-- --> !<i>[x](http://evil)</i>",
    ],
)
def test_no_image_of_a_card_is_ever_loaded(text: str) -> None:
    assert "![" not in card_text(text)


def test_html_and_scripts_are_gone_and_code_stays() -> None:
    text = "<script>alert(1)</script>before <img src=x onerror=alert(1)> after\n```html\n<b>kept</b>\n```"
    assert card_text(text) == "before  after\n```html\n<b>kept</b>\n```"
    assert "alert" not in card_text("<SCRIPT>alert(1)")
    assert card_text("a <<b>b> c < 3") == "a  c < 3"


def test_links_lead_to_the_web_or_nowhere() -> None:
    text = "[a](javascript:alert(1)) [b](/settings) [c](https://hub/c) [d](#x)"
    assert "/settings" not in card_text(text)
    assert "[c](https://hub/c)" in card_text(text)
    assert "#x" not in card_text(text)


def test_a_long_card_is_cut_and_says_so() -> None:
    assert card_text("word " * 20_000).endswith("the rest is on its page.*")


def test_the_first_paragraph_is_prose_without_marks() -> None:
    above = "---\nlicense: mit\n---\n# Title\n\n[badge](https://x)\n\n- a list of five words here\n\n"
    text = f"{above}Rates **short** texts, see [paper](https://p), in English."
    assert first_paragraph(text) == "Rates short texts, see paper, in English."
    assert first_paragraph("# Only a title") == ""
    assert len(first_paragraph("word " * 300)) <= 400


@pytest.mark.parametrize("text", ["---\n- a\n- b\n---\n", "---\na: [\n---\n", "no front matter", "---\n---\n", ""])
def test_front_matter_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    assert front_matter(tmp_path) == {}
    assert front_matter(tmp_path / "missing") == {}
