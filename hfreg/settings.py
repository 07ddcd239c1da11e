"""Settings: what the environment says, read here and nowhere else.

Covers the home folder, the engine, limits, the events database, the token of the environment and
the Hub's own variables as far as the product has to know them. It does not cover what users set on
pages (the token file lives in `hfreg.hub.token`) nor what a definition says about itself.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from hfreg.errors import SettingsError

TOKEN_VARIABLES = ("HUGGINGFACE_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENGINES = ("inline", "isolated")
STARTERS = Path(__file__).resolve().parent.parent / "data" / "starter"


@dataclass(frozen=True)
class Token:
    """A Hugging Face token and where it came from; its repr never shows it."""

    value: str = field(repr=False)
    source: str

    @property
    def masked(self) -> str:
        """The token as a page may show it: `hf_…wxyz`."""
        return f"hf_…{self.value[-4:]}" if len(self.value) >= 12 else "…"


@dataclass(frozen=True)
class Settings:
    """What one process runs with; frozen, so that a Registry means one thing for its whole life."""

    home: Path
    home_from: str = field(default="default", compare=False)  # however it was named, it is one home
    engine: str = "inline"
    require_approved: bool = False
    database_url: str = field(default="", repr=False)  # it may hold a password
    memory_budget_mb: int | None = None
    timeout_s: float = 60.0
    log_level: str = "WARNING"
    endpoint: str = "https://huggingface.co"
    offline: bool = False

    @classmethod
    def from_environment(
        cls, home: str | Path | None = None, environ: Mapping[str, str] | None = None, engine: str = "inline"
    ) -> Settings:
        """Read the settings of this process; an argument wins over its variable.

        `engine` is the default of the entrance (the workbench may prefer another than plain Python).
        Raises SettingsError naming the variable and the value that cannot be used.
        """
        env = os.environ if environ is None else environ
        where, source = _home(home, env)
        return cls(
            home=where,
            home_from=source,
            engine=_choice(env, "HFREG_ENGINE", ENGINES, engine),
            require_approved=_flag(env, "HFREG_REQUIRE_APPROVED"),
            database_url=env.get("HFREG_DATABASE_URL", ""),
            memory_budget_mb=int(mb) if (mb := _number(env, "HFREG_MEMORY_BUDGET_MB")) else None,
            timeout_s=_number(env, "HFREG_TIMEOUT_S") or 60.0,
            log_level=_choice(env, "HFREG_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "WARNING"),
            endpoint=env.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co",
            offline=any(_flag(env, name) for name in OFFLINE_VARIABLES),
        )


def environment_token(environ: Mapping[str, str] | None = None) -> Token | None:
    """Find the token that the environment holds: the variables in order, then the token files."""
    return next(iter(environment_tokens(environ)), None)


def environment_tokens(environ: Mapping[str, str] | None = None) -> list[Token]:
    """List every token that the environment holds, the one in use first; the others are shadowed by it."""
    env = os.environ if environ is None else environ
    named = [(env.get(name, "").strip(), f"environment variable {name}") for name in TOKEN_VARIABLES]
    found = [Token(value, source) for value, source in named if value]
    hub_home = Path(env.get("HF_HOME") or Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    for path in filter(None, (env.get("HF_TOKEN_PATH"), str(hub_home / "token"))):
        try:
            value = Path(path).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if value:
            found.append(Token(value, f"file {path}"))
    return found


class Proxy(NamedTuple):
    """A proxy on the way to an address: its own address without a login, and the variable that names it."""

    address: str
    variable: str


def proxy_for(address: str) -> Proxy | None:
    """Find the proxy through which an address is asked; None where there is none or NO_PROXY names the host."""
    parts = urlsplit(address)
    proxies = getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), "")
    try:
        if not kind or not parts.hostname or proxy_bypass(parts.hostname):
            return None
        named = urlsplit(proxies[kind] if "://" in proxies[kind] else f"http://{proxies[kind]}")
        port = f":{named.port}" if named.port else ""
    except (ValueError, OSError):  # what is no address proxies nothing that could be told
        return None
    return Proxy(f"{named.scheme}://{named.hostname}{port}", f"{kind.upper()}_PROXY")


def offline_variable(environ: Mapping[str, str] | None = None) -> str:
    """Return the variable that keeps the Hub from being asked, empty where none does."""
    env = os.environ if environ is None else environ
    return next((name for name in OFFLINE_VARIABLES if _flag(env, name)), "")


def process_environment() -> MutableMapping[str, str]:
    """Return the environment of this process, for whoever overlays it; the platform never writes to it."""
    return os.environ


def extend_environment(variables: Mapping[str, str]) -> None:
    """Add variables to the environment of this process, which is a worker and has none but what it is given."""
    os.environ.update(variables)


def operating_system_user() -> str:
    """Return the name of the account this process runs under, `unknown` where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have a uid without a name
        return "unknown"


def _home(home: str | Path | None, env: Mapping[str, str]) -> tuple[Path, str]:
    if home is not None:
        return Path(home).expanduser().resolve(), "argument"
    if named := env.get("HFREG_HOME"):
        return Path(named).expanduser().resolve(), "HFREG_HOME"
    return Path("data").resolve(), "default ./data"


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    raise SettingsError(f"{name}={env[name]!r} is neither on nor off. Set it to 1 or 0.")


def _number(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e9:
        raise SettingsError(f"{name}={text!r} is not a number above 0.")
    return value


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    text = env.get(name, "").strip() or default
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise SettingsError(f"{name}={text!r} is not one of {', '.join(choices)}.")
