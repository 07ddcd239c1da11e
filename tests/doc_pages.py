"""Reading the written house: blocks of code, commands and links of a Markdown page.

Runs nothing. `tests/test_docs.py` runs what is found here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+?) -->")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
SHELL = {"sh", "bash", "shell", "console"}
WITH_STARTERS = "<!-- with the starter models -->"


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after its fence, its text, the line it begins at, and why it is not run."""

    page: Path
    info: str
    text: str
    line: int
    not_run: str = ""

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info else ""

    @property
    def is_verbatim(self) -> bool:
        return "verbatim" in self.info.split()[1:]

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The page's path in the project."""
    return page.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """Every page that people read: those at the root and those of docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        if lines[number].startswith("```"):
            start = number + 1
            end = next(i for i in range(start, len(lines)) if lines[i].startswith("```"))
            before = NOT_RUN.fullmatch(lines[start - 2].strip()) if start > 1 else None
            reason = before["reason"] if before else ""
            text = "\n".join(lines[start:end]) + "\n"
            yield Block(page, lines[number].removeprefix("```").strip(), text, start, reason)
            number = end
        number += 1


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the commands of the shell blocks of a page, each as words; comments and `$` are left out."""
    for block in blocks(page):
        if block.language in SHELL:
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.strip().removeprefix("$ "), comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                if words:
                    yield words


def code_words(page: Path) -> Iterator[list[str]]:
    """Yield what stands between single backticks in the prose of a page, as words."""
    for text in re.findall(r"`([^`\n]+)`", prose(page)):
        yield text.split()


def links(page: Path) -> list[str]:
    """List the targets of links and pictures that lie in the project."""
    targets = [match["target"] for match in LINK.finditer(prose(page))]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def expectations(block: Block) -> list[str]:
    """List what the block says that it prints: the comments behind `print(...)`, in order."""
    return re.findall(r"^\s*print\(.*\)  # (.+)$", block.text, flags=re.MULTILINE)
