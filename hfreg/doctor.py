"""Doctor: whether this installation can do its work, one finding per part.

Looks at the home, the definitions, the call log, the Hub and its token, the engine and the packages. It changes
nothing but a probe file that it takes away again, and shows no secret.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from hfreg.errors import HfregError

if TYPE_CHECKING:
    from hfreg.registry import Registry

PACKAGES = ("streamlit", "transformers", "huggingface_hub", "torch", "sentence-transformers", "tinydb", "SQLAlchemy")


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the installation and what was found; `change` says that it works and is worth a change."""

    name: str
    ok: bool
    finding: str
    change: bool = False


def examine(registry: Registry, repo: str = "") -> list[Check]:
    """Look at every part; a part that fails does not keep the others from being looked at.

    With a repo id the token and the Hub are told part by part, and the repository is tried as a load takes it.
    """
    if repo:
        return [*examine(registry), *_diagnosed(registry, repo)]
    parts: list[tuple[str, Callable[[Registry], tuple[bool, str]]]] = [
        ("home", _home),
        ("definitions", _definitions),
        ("call log", _log),
        ("token", _token),
        ("hub", _hub),
        ("engine", _engine),
        ("packages", _packages),
    ]
    return [_examined(name, look, registry) for name, look in parts]


def _examined(name: str, look: Callable[[Registry], tuple[bool, str]], registry: Registry) -> Check:
    try:
        ok, finding = look(registry)
    except (HfregError, OSError) as error:
        ok, finding = False, str(error)
    return Check(name, ok, finding)


def _diagnosed(registry: Registry, repo: str) -> list[Check]:
    return [
        Check(line.name.lower(), line.light != "red", f"{line.found} {line.way_out}".rstrip(), line.light == "amber")
        for line in registry.diagnose(repo).lines
    ]


def _home(registry: Registry) -> tuple[bool, str]:
    home, named = registry.settings.home, f"{registry.settings.home} ({registry.settings.home_from})"
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return True, f"{named}, writable" if there == home else f"{named}, made when something is first saved"
    except OSError as error:
        why = f"nothing can be written in {there} ({error.strerror})"
        return False, f"{named}: {why}. Set HFREG_HOME to another folder."


def _definitions(registry: Registry) -> tuple[bool, str]:
    count = len(registry.definitions.aliases())
    return True, f"{count:,} model{'s' * (count != 1)}"


def _log(registry: Registry) -> tuple[bool, str]:
    events = registry.events
    if not registry.settings.database_url and not events.waiting and not Path(events.place).exists():
        return True, f"no calls yet; they go to {events.place}"
    count = events.count()
    return True, f"{count:,} call{'s' * (count != 1)} in {events.place}"


def _token(registry: Registry) -> tuple[bool, str]:
    token = registry.token()
    return True, f"{token.masked} from {token.source}" if token else "none; public models load without one"


def _hub(registry: Registry) -> tuple[bool, str]:
    if registry.hub.offline:
        return True, "offline by HF_HUB_OFFLINE; cached checkpoints load"
    found = registry.hub.test_connection()
    return found.ok, found.message


def _engine(registry: Registry) -> tuple[bool, str]:
    limit = f"{registry.settings.timeout_s:g} s a call"
    if registry.settings.engine == "inline":
        return True, f"inline, {limit}; scoring logic is not confined"
    from hfreg.engine.isolated.sandbox import lacking, probe, tier

    layers = probe()
    missing = lacking(layers)
    held = "; ".join(f"{name} {told.removeprefix('on: ')}" for name, told in layers.items() if told.startswith("on"))
    found = f"{tier(layers)}, {limit}; {held}"
    return not missing, f"{found}. Missing: {', '.join(missing)}" if missing else found


def _packages(registry: Registry) -> tuple[bool, str]:
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, number in found.items() if not number]
    text = ", ".join(f"{name} {number or 'MISSING'}" for name, number in found.items())
    return not missing, f"Python {platform.python_version()}, {text}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
