"""Secrets: finding keys and passwords that were pasted into a source, and masking them in messages.

Some keys can be told by their form alone; others are guessed from the name they are given to. No message
repeats what it found. Whether a secret is valid is not asked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from hfreg.scoring.syntax import FIELD, lines_of
from hfreg.values import Finding

SHORTEST = 6
_HUGGING_FACE = re.compile(r"(?<![A-Za-z0-9])(?:hf_|api_org_)[A-Za-z0-9]{16,}")
_EVEN_INSIDE_A_WORD = re.compile(r"(?:hf_|api_org_)[A-Za-z0-9]{16,}")
_KINDS = (
    ("an AWS access key", re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")),
    ("a GitHub token", re.compile(r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})")),
    ("an API key", re.compile(r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{30,}|xox[abprs]-[\w-]{10,})")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a password in a URL", re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{0,80}:[^\s/:@'\"{}<>$*]{3,200}@", re.I)),
)
_NAME = re.compile(
    r"(?:^|_)(?:token|secret|password|passwd|pwd|api_?key|access_?key|secret_?key|auth|authorization|credentials?)$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"passw(?:or)?d$|pwd$", re.IGNORECASE)
_WORDS_OF_TOKENIZERS = re.compile(r"(?:pad|eos|bos|unk|sep|cls|mask|eot|image|audio|video|next|stop|start|end)_token$")
_PLACEHOLDER = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+|<.*>|\{.*\}|(.)\1*|\$.*|[Yy]our\W?.*", re.DOTALL)
_WAY_OUT = "Take it out and revoke it; store the token under Settings → Platform Integrations → Hugging Face."


def masked(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with every secret replaced by `…`: those known by their value, and those told by their form."""
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= SHORTEST:  # cutting out a short one would only tell it by the gaps
            text = text.replace(value, "…")
    text = _EVEN_INSIDE_A_WORD.sub("hf_…", text)
    for _, pattern in _KINDS:
        text = pattern.sub("…", text)
    return text


def secrets_in_text(source: str) -> Iterator[Finding]:
    """Find keys that their form gives away, in comments too; works on a source that cannot be parsed."""
    for number, line in enumerate(lines_of(source), 1):
        if _HUGGING_FACE.search(line):
            message = f"A Hugging Face token stands in the code, where everyone who sees the model reads it. {_WAY_OUT}"
            yield Finding("error", FIELD, number, message)
        for what, pattern in _KINDS:
            if pattern.search(line):
                message = f"This looks like {what}. Take it out and revoke it: everyone who sees the model reads it."
                yield Finding("warning", FIELD, number, message)


def secrets_by_name(nodes: list[ast.AST]) -> Iterator[Finding]:
    """Find long literals given to a name that speaks of a secret, such as `token="…"`."""
    for node in nodes:
        for name, value in _named(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and _guessed(name, value.value):
                message = f"The text given to `{name}` looks like a secret, and everyone who sees the model reads it."
                yield Finding("warning", FIELD, value.lineno, message)


def _guessed(name: str, text: str) -> bool:
    if not _NAME.search(name) or _WORDS_OF_TOKENIZERS.search(name) or masked(text) != text:
        return False
    if _PASSWORD.search(name):
        return len(text) >= 8 and " " not in text and not _is_placeholder(text)
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) >= 16 and mixed and " " not in text and not _is_placeholder(text)


def _is_placeholder(text: str) -> bool:
    return _PLACEHOLDER.fullmatch(text) is not None


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if name := _target(target):
                yield name, node.value
    elif isinstance(node, ast.AnnAssign) and node.value and (name := _target(node.target)):
        yield name, node.value


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return ""
