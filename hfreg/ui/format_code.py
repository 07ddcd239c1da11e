"""Format code: lay scoring logic out as Black does. It parses the text and compares the result; it runs nothing."""

from __future__ import annotations

import re

MAX_CHARACTERS = 20_000
LINE = 100


def formatted(source: str) -> str:
    """Return the source laid out anew; raises ValueError with a sentence when that cannot be done."""
    if not source.strip():
        return source
    if len(source) > MAX_CHARACTERS:
        raise ValueError(
            f"Format takes up to {MAX_CHARACTERS:,} characters; this has {len(source):,}. Nothing was changed."
        )
    try:
        import black  # 0.3 s that nobody needs before the first Format
        from black import parsing, report
    except ImportError:
        raise ValueError("Format needs the package `black`, which is not installed here: pip install black") from None
    try:
        return black.format_file_contents(source, fast=False, mode=black.Mode(line_length=LINE))
    except report.NothingChanged:
        return source
    except (parsing.InvalidInput, AssertionError, RecursionError) as error:
        place = re.search(r"(\d+):\d+", str(error))
        where = f"line {place[1]}" if place else "it"
        raise ValueError(f"The code cannot be laid out before {where} can be read. Nothing was changed.") from None
