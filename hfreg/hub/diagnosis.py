"""Diagnosis: everything between a token and a model that loads, each part told by itself with the way out.

Covers where the token is from and what it shadows, its form, whose it is and what it may, the endpoint, the proxy, the
Hub, and one repository tried the way a load takes. Nothing of a token is told but its last four characters. Whether the
rest of an installation works is the matter of `hfreg.doctor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from hfreg.errors import HubError, StoreError
from hfreg.hub import token as tokens
from hfreg.hub.access import Access, check_access
from hfreg.hub.client import Connection, find_cached_commit
from hfreg.hub.fetch import Fetcher
from hfreg.hub.translate import INTEGRATIONS, offline_error
from hfreg.settings import STARTERS, Token, offline_variable, proxy_for

Light = Literal["green", "amber", "red", "grey"]
OFFICIAL = "https://huggingface.co"
SOON_DAYS = 14
FINE, WRITE, UNKNOWN = "fine-grained", "write", "unknown"
KINDS = {
    "read": "A classic token that can read",
    WRITE: "A classic token that can write",
    FINE: "A fine-grained token",
    UNKNOWN: "A token of a kind that the Hub does not say",
}
_NAMES = {
    "name": "Name (DNS)", "refused": "Connection", "timeout": "Network", "network": "Network", "broken": "Network",
    "proxy": "Proxy", "tls": "Certificate (TLS)", "no hub": "No Hub", "address": "Address", "busy": "Hub is busy",
    "trouble": "Hub is in trouble",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One part: green is well, amber is worth a change, red keeps a load from working, grey could not be judged."""

    name: str
    light: Light
    found: str
    way_out: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, in the order in which a load meets it; `access` is None where no repository was asked about."""

    lines: tuple[Line, ...]
    endpoint: str
    connection: Connection
    access: Access | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing keeps a load from working."""
        return not any(line.light == "red" for line in self.lines)

    def line(self, name: str) -> Line | None:
        """Find the first line of that name."""
        return next((line for line in self.lines if line.name == name), None)


def diagnose(fetcher: Fetcher, repo: str = "", starters: Path = STARTERS) -> Diagnosis:
    """Look at the token, the way to the Hub, and (where one is named) a repository. Never raises for what is found."""
    hub = fetcher.hub
    lines: list[Line] = []
    used = None
    try:
        used = hub.held_token()
        lines += _of_token(tokens.places(hub.settings.home), used)
    except StoreError as error:
        lines.append(_told("Token", "red", str(error)))
    lines += _of_way(hub.endpoint, used)
    connection = hub.test_connection()
    lines += _of_connection(connection)
    access = check_access(hub, repo, starters) if repo.strip() else None
    if access is not None:
        lines += _of_access(fetcher, access)
    return Diagnosis(tuple(lines), hub.endpoint, connection, access)


def _of_token(places: list[Token], used: Token | None) -> Iterator[Line]:
    if used is None:
        way = f"For private and gated ones save a token with the right to read in {INTEGRATIONS}."
        yield Line("Token", "grey", "No token is set: public models load without one.", way)
        return
    yield Line("Token", "green", f"{used.masked}, {used.source}.")
    others = [place for place in places if (place.value, place.source) != (used.value, used.source)]
    same = ", ".join(place.source for place in others if place.value == used.value)
    if same:
        yield Line("Same token", "green", f"It is also in {same}.")
    other = ", ".join(f"{place.masked} in {place.source}" for place in others if place.value != used.value)
    if other:
        way = "Remove what is not used, so that other programs take the same token."
        yield Line("Shadowed token", "amber", f"Not used, as another comes first: {other}.", way)
    if problem := tokens.form_problem(used.value):
        way = "Copy it from the settings of your account on the Hub, set it again, or remove it."
        yield Line("Form", "red", f"The text is no token: {problem}.", way)
    elif advice := tokens.form_advice(used.value):
        yield Line("Form", "amber", f"Unusual: {advice}.", "Copy it again if the Hub does not accept it.")
    else:
        yield Line("Form", "green", f"It has the form of a token of the Hub ({len(used.value)} characters).")


def _of_way(endpoint: str, used: Token | None) -> Iterator[Line]:
    """Tell the endpoint and what stands between; asks nobody."""
    host = urlsplit(endpoint).hostname or ""
    named = "the Hub itself" if endpoint == OFFICIAL else "from HF_ENDPOINT"
    open_text = endpoint.startswith("http://") and not (host == "localhost" or host.startswith("127.") or host == "::1")
    if open_text and used:
        way = "Use an https address, or remove the token."
        yield Line("Endpoint", "amber", f"{endpoint} ({named}): the token travels without encryption.", way)
    else:
        yield Line("Endpoint", "green", f"{endpoint} ({named}).")
    if proxy := proxy_for(endpoint):
        yield Line("Way", "green", f"Through the proxy {proxy.address} ({proxy.variable}).")


def _of_connection(found: Connection) -> Iterator[Line]:
    latency = "" if found.latency_ms is None else f" in {found.latency_ms:.0f} ms"
    if found.problem == "offline":
        variable = offline_variable() or "huggingface_hub's offline mode"
        way = f"Unset {variable} to reach the Hub; what is on this disk loads all the same."
        yield Line("Offline mode", "amber", f"{variable} is set: nothing is asked.", way)
    elif found.problem == "wrong form":
        yield Line("Hub", "grey", "Not asked: a text that is no token cannot be sent.")
    elif found.problem == "unreachable":
        yield _told(_NAMES.get(found.cause, "Hub"), "red", found.message)
    else:
        yield Line("Hub", "green", f"It answers{latency}.")
        yield from _of_account(found)


def _of_account(found: Connection) -> Iterator[Line]:
    if found.problem == "rejected":
        yield _told("Account", "red", found.message)
        return
    kind = found.token_kind
    if kind not in KINDS:
        return
    yield Line("Account", "green" if found.user else "grey", f"Signed in as {found.user or 'an unnamed account'}.")
    told = KINDS[kind] + (f": {', '.join(found.rights)}" if kind == FINE and found.rights else "")
    if kind == WRITE or any("write" in right.lower() for right in found.rights):
        way = f"Reading is enough here: save a token with the right to read in {INTEGRATIONS}."
        yield Line("Rights", "amber", f"{told}. It can change things on the Hub.", way)
    else:
        yield Line("Rights", "green" if kind != UNKNOWN else "grey", f"{told}.")
    if found.expires is not None:
        yield _of_expiry(found.expires)


def _of_expiry(expires: datetime) -> Line:
    at = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    days = (at - datetime.now(UTC)).days
    if days < SOON_DAYS:
        told = f"It expires on {at:%Y-%m-%d}" if days >= 0 else f"It expired on {at:%Y-%m-%d}"
        return Line("Expiry", "amber" if days >= 0 else "red", f"{told}.", f"Save a new one in {INTEGRATIONS}.")
    return Line("Expiry", "green", f"It is valid until {at:%Y-%m-%d}.")


def _of_access(fetcher: Fetcher, found: Access) -> Iterator[Line]:
    if found.verdict in {"offline", "unreachable"}:
        yield _from_disk(fetcher, found)
        return
    if found.ok:
        yield Line("Repository", "green", found.message)
        if found.read:
            yield Line("Files", "green", _files(fetcher, found))
    else:
        yield _told("Repository", "red", found.message, found.ask_at)


def _files(fetcher: Fetcher, found: Access) -> str:
    tried = f"{found.read} of commit {found.commit[:7]} came the way a load takes"
    if fetcher.find(found.repo, found.commit):
        return f"{tried}; all files are on this disk, so a load asks for none."
    return f"{tried}; the first load downloads the rest."


def _from_disk(fetcher: Fetcher, found: Access) -> Line:
    """Say what a load does where the Hub is not asked: it takes what is complete on this disk."""
    missing: HubError = offline_error(found.repo)
    if found.verdict == "unreachable":
        missing = HubError(f"`{found.repo}` is not complete on this disk. Mend the way to the Hub, then load it again.")
    try:
        if not (commit := find_cached_commit(found.repo)):
            raise missing
        fetcher.on_disk(found.repo, commit, missing)
    except HubError as error:
        return _told("Files", "red", str(error))
    told = f"Commit {commit[:7]} of `{found.repo}` is complete on this disk: it loads without the Hub."
    return Line("Files", "green", told)


def _told(name: str, light: Light, message: str, link: str = "") -> Line:
    """Make a line of a message of hfreg: its first sentence is what was found, the rest the way out."""
    found, _, way = message.partition(". ")
    return Line(name, light, found if not way else f"{found}.", way, link)
