"""Card: the text of a model card made safe to show, and what its front matter says.

Covers cutting the front matter off, taking HTML and images out (a page that shows a card loads nothing from elsewhere),
links that would lead into this application, and a first sentence for a description. What is left is Markdown without
HTML; whether the card says the truth is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import huggingface_hub

LONGEST = 40_000
_FRONT = re.compile(r"\A\ufeff?\s*---\s*\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_UNSHOWN = re.compile(r"<(script|style|svg|iframe|video|audio|object|head)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_LINK = re.compile(r"\[([^\[\]]*)\]\(\s*(?!https?://)[^()\s]*(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*(?!https?://)\S+.*$", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,4}(?=\s)")


def card_text(readme: str) -> str:
    """Return the card as Markdown without front matter, HTML and images; long ones are cut, and say so.

    >>> card_text("---\\nlicense: mit\\n---\\n# Tiny ![x](http://a/b.png)<br> [here](./LICENSE)")
    '##### Tiny [x](http://a/b.png) here'
    """
    text = _FRONT.sub("", readme.replace("\r\n", "\n").replace("\0", ""), count=1)
    cut = len(text) > LONGEST
    text = text[:LONGEST]
    text = _outside_of_code(_UNSHOWN.sub("", _COMMENT.sub("", text)))
    while "![" in text:  # an image would be loaded from wherever it lies: its text stays, as a link
        text = text.replace("![", "[")
    return text.strip() + ("\n\n*The card is longer; the rest is on its page.*" if cut else "")


def first_paragraph(readme: str, longest: int = 400) -> str:
    """Return the first sentences of prose in a card as plain text, empty where there is none."""
    for block in re.split(r"\n\s*\n", card_text(readme)):
        if re.match(r"\s*(?:#|[-*|>`~]|\d+\.|\[.*\]\(|<|:)", block) or len(block.split()) < 5:
            continue
        line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))
        line = re.sub(r"[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}", r"\1", line)
        if len(line) <= longest:
            return line
        end = max(line.rfind(sign, 0, longest) for sign in (". ", "! ", "? "))
        return line[: end + 1] if end > longest // 3 else f"{line[: longest - 1].rsplit(' ', 1)[0]}…"
    return ""


def front_matter(folder: Path) -> Mapping[str, Any]:
    """Return what the front matter of the card in a folder says; empty where there is none that can be read."""
    path = folder / "README.md"
    try:
        if path.stat().st_size > 5_000_000:
            return {}
        found = huggingface_hub.metadata_load(path)
    except Exception:  # whatever YAML makes of a text that somebody wrote: such a card says nothing
        return {}
    return found if isinstance(found, dict) else {}


def _outside_of_code(text: str) -> str:
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        lines.append(line if fence or mark else _HEADING.sub("#####", _without_tags(line)))
    joined = "\n".join(lines)
    return _REFERENCE.sub("", _LINK.sub(r"\1", joined))


def _without_tags(line: str) -> str:
    while (shorter := _TAG.sub("", line)) != line:
        line = shorter
    return line
