"""The Hugging Face token: saved under the home, found, checked for its form, kept out of every repr.

A token saved on the Settings page lives in `secrets/huggingface_token` under the home, in a folder of
mode 0700 and a file of mode 0600 from the moment it exists. Whether the Hub accepts it is asked by
`hfreg.hub.client`; the variables of the process are read by `hfreg.settings` and never written; what an
error says is masked by `hfreg.scoring.secrets`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hfreg.errors import SettingsError, StoreError
from hfreg.settings import TOKEN_VARIABLES, Token, environment_token, environment_tokens

SAVED = "saved in Settings"
LONGEST, SHORTEST = 200, 20
_QUOTES = "\"'`“”‘’"


def path(home: Path) -> Path:
    """Return where the token is saved, whether or not there is one."""
    return home / "secrets" / "huggingface_token"


def save(home: Path, text: str) -> Token:
    """Save the token for every later download and return it.

    Raises SettingsError when the text has not the form of a token, StoreError when it cannot be written.
    """
    value = text.strip()
    if problem := form_problem(value):
        raise SettingsError(f"This is no token: {problem}. Nothing was saved.")
    target = path(home)
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.parent.chmod(0o700)  # the folder may be older than this rule
        _write(target, value)
    except OSError as error:
        raise StoreError(f"The token could not be saved in {target}: {error.strerror}.") from None
    return Token(value, SAVED)


def remove(home: Path) -> bool:
    """Delete the saved token and return whether there was one; the environment's stays as it is."""
    try:
        path(home).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"The saved token could not be removed from {path(home)}: {error.strerror}.") from None
    return True


def find(home: Path, environ: Mapping[str, str] | None = None) -> Token | None:
    """Find the token to use: the saved one, else the environment's."""
    try:
        value = path(home).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        value = ""
    except (OSError, UnicodeDecodeError):
        raise StoreError(f"The saved token in {path(home)} cannot be read. Remove it and save it again.") from None
    return Token(value, SAVED) if value else environment_token(environ)


def places(home: Path, environ: Mapping[str, str] | None = None) -> list[Token]:
    """List every token that there is, the one in use first; each after it is shadowed. Raises StoreError."""
    others = environment_tokens(environ)
    used = find(home, environ)
    return [used, *others] if used and used.source == SAVED else others


def environment(token: Token | None) -> dict[str, str]:
    """Return the variables under which scoring logic finds the token; empty without one."""
    return dict.fromkeys(TOKEN_VARIABLES, token.value) if token else {}


def form_problem(value: str) -> str:
    """Say what keeps the text from being a token, or return nothing.

    >>> form_problem("hf_one two")
    'it contains a space or line break'
    >>> form_problem("hf_" + "a" * 34)
    ''
    """
    if not value:
        return "it is empty"
    if value[0] in _QUOTES or value[-1] in _QUOTES:
        return "it stands in quotes, which belong to no token"
    if any(character.isspace() for character in value):
        return "it contains a space or line break"
    if len(value) > LONGEST:
        return f"it has {len(value)} characters, tokens have at most {LONGEST}"
    if not value.isascii() or not value.isprintable():
        return "it contains a character that no token has"
    return ""


def form_advice(value: str) -> str:
    """Say what is unusual about a token that may still be one, or return nothing.

    >>> form_advice("abc")
    'it does not begin with `hf_`, as tokens of huggingface.co do'
    """
    if not value.startswith("hf_"):
        return "it does not begin with `hf_`, as tokens of huggingface.co do"
    if len(value) < SHORTEST:
        return f"it has only {len(value)} characters; a part of it may be missing"
    return ""


def _write(target: Path, value: str) -> None:
    # mkstemp gives 0600 from creation; the rename means that a reader sees the old token or the new one.
    descriptor, aside = tempfile.mkstemp(prefix=".token-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(aside).unlink()
        raise
