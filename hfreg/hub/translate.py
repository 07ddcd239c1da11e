"""What huggingface_hub and its HTTP client raise, told as errors of hfreg.

Covers missing, private, gated, wrong token, wrong revision, offline, network and proxy, and finds them
inside what other libraries wrap around them. Messages are written here: nothing that a server or a
library says is passed on, so no token and no signed address can slip through.
"""

from __future__ import annotations

import errno
import socket
import ssl

from huggingface_hub import errors as hub

from hfreg.errors import (
    GatedRepo,
    HubError,
    HubUnreachable,
    NotCached,
    RepoNotFound,
    RevisionNotFound,
    TokenRejected,
    causes,
)
from hfreg.settings import Token, proxy_for

INTEGRATIONS = "Settings → Platform Integrations → Hugging Face"
NO_RIGHT, HIDDEN = "has no right to read", "missing or private"
AWAITED, TURNED_DOWN = "is awaiting the review of its authors", "was rejected by its authors"
"""Words by which these refusals are known among others of their class."""
_BROKEN = {"TransportError", "ReadError", "DecodingError", "RemoteProtocolError"}


def translate(
    error: BaseException, repo: str = "", revision: str | None = None, token: Token | None = None, endpoint: str = ""
) -> HubError | None:
    """Find the Hub's own error in the chain of causes and return it as an error of hfreg, else None.

    transformers wraps Hub errors in OSError; the whole chain is walked, the outermost recognised wins.
    """
    found = [told for cause in causes(error) if (told := _one(cause, repo, revision, token, endpoint)) is not None]
    # LocalEntryNotFoundError only says "not on this disk"; a cause that says why is the better answer.
    return next((told for told in found if not isinstance(told, NotCached)), found[0] if found else None)


def offline_error(repo: str, revision: str | None = None) -> NotCached:
    """Return the error for a repository that is wanted offline and is not on this disk."""
    at = f" at {revision}" if revision else ""
    return NotCached(
        f"`{repo}`{at} is not on this disk, and HF_HUB_OFFLINE keeps the Hub from being asked. "
        "Unset HF_HUB_OFFLINE for one call, or copy the model's cache folder here."
    )


def no_hub(endpoint: str, repo: str = "") -> HubUnreachable:
    """Return the error for an answer that no Hub gives: a login page of a proxy, or a wrong HF_ENDPOINT."""
    return HubUnreachable(
        f"What answers at {endpoint} is not a Hub{_wanted(repo)}. Check HF_ENDPOINT and any proxy login page.", "no hub"
    )


def _wanted(repo: str) -> str:
    return f", asked for `{repo}`" if repo else ""


def _one(error: BaseException, repo: str, revision: str | None, token: Token | None, endpoint: str) -> HubError | None:
    named = f"`{repo}`" if repo else "The repository"
    # The order is theirs: a gated repository is also a missing one to isinstance().
    if isinstance(error, HubError):
        return error
    if isinstance(error, hub.GatedRepoError):
        return GatedRepo(_gated(named, repo, token, endpoint, str(error.server_message or "").lower()))
    if isinstance(error, hub.DisabledRepoError):
        return RepoNotFound(f"{named} was disabled by the Hub. Choose another model.")
    if isinstance(error, hub.RepositoryNotFoundError):
        return RepoNotFound(_missing(named, token))
    if isinstance(error, hub.RevisionNotFoundError):
        asked = f" `{revision}`" if revision else " that was asked for"
        return RevisionNotFound(f"{named} has no revision{asked}. Check the branch, tag or commit on the Hub.")
    if isinstance(error, hub.LocalEntryNotFoundError):
        return NotCached(f"{named} is not completely on this disk, and the Hub could not be asked.")
    if isinstance(error, hub.EntryNotFoundError):
        return HubError(f"{named} lacks a file that its own listing names. Try again, or pin another commit.")
    if isinstance(error, hub.OfflineModeIsEnabled):
        return offline_error(repo or "The repository", revision)
    if isinstance(error, hub.HFValidationError):
        return RepoNotFound(f"{named} is no repo id of the Hub. Write it as `owner/name`.")
    if isinstance(error, hub.FileMetadataError):
        return no_hub(endpoint, repo)
    if isinstance(error, hub.HfHubHTTPError):
        return _by_status(error.response.status_code, repo, token, endpoint)
    return _by_network(error, repo, endpoint)


def _gated(named: str, repo: str, token: Token | None, endpoint: str, said: str) -> str:
    """Tell why a gated repository stays shut; of what the Hub said only what it means is told."""
    where = f"{endpoint}/{repo}" if endpoint and repo else "its page on the Hub"
    if "awaiting a review" in said:
        return (
            f"{named} is gated, and the request for access {AWAITED}. Nothing is wrong with the token: "
            f"wait for their answer, which is shown at {where}."
        )
    if "has been rejected" in said:
        return (
            f"{named} is gated, and the request for access {TURNED_DOWN}. Ask them on its page ({where}), "
            "or choose another model."
        )
    if token is None:
        return f"{named} is gated. Accept its terms at {where} and save a token of that account in {INTEGRATIONS}."
    return (
        f"{named} is gated, and the account of this token ({token.source}) has no access. "
        f"Accept its terms at {where}; a fine-grained token also needs the right to read gated repositories."
    )


def _missing(named: str, token: Token | None) -> str:
    if token is None:
        return (
            f"{named} is {HIDDEN}: the Hub tells an anonymous caller no more. "
            f"Check the spelling, or save a token that may read it in {INTEGRATIONS}."
        )
    return (
        f"{named} is {HIDDEN} to this token ({token.source}). "
        f"Check the spelling, or save a token that may read it in {INTEGRATIONS}."
    )


def _by_status(status: int, repo: str, token: Token | None, endpoint: str) -> HubError:
    named, wanted = f"`{repo}`" if repo else "The repository", _wanted(repo)
    if status == 401 and token is not None:
        return TokenRejected(
            f"The Hub does not accept the token {token.masked} ({token.source}): it is wrong, expired or revoked. "
            f"Save a new one in {INTEGRATIONS}."
        )
    if status == 401:
        return RepoNotFound(_missing(named, None))
    if status == 403:
        who = f"The token {token.masked} ({token.source})" if token else "An anonymous caller"
        return TokenRejected(f"{who} {NO_RIGHT} {named}. Give it that right on the Hub, or save another.")
    if status == 404:
        return RepoNotFound(_missing(named, token))
    if status == 407:
        return _proxy_refused(endpoint, wanted)
    where = endpoint or "The Hub"
    if status == 429:
        return HubUnreachable(f"{where} answers “too many requests” (429){wanted}. Wait a few minutes.", "busy")
    return HubUnreachable(f"{where} answered with HTTP {status}{wanted}. Try again later.", "trouble")


def _by_network(error: BaseException, repo: str, endpoint: str) -> HubError | None:
    # By the names of the classes: huggingface_hub 1 speaks through httpx, 2 through httpx2.
    names = {kind.__name__ for kind in type(error).__mro__} if "httpx" in type(error).__module__ else set()
    where, wanted = endpoint or "the Hub", _wanted(repo)
    if "ProxyError" in names:
        return _proxy_refused(where, wanted)
    if "ConnectError" in names or "ConnectTimeout" in names:
        return _no_connection(error, where, wanted)
    if "TimeoutException" in names:
        return HubUnreachable(f"{where} did not answer in time{wanted}. Check the network, or try again.", "timeout")
    if names & {"UnsupportedProtocol", "InvalidURL"}:
        return HubUnreachable(f"HF_ENDPOINT is no address: {where}. Write it as `https://host`.", "address")
    if names & _BROKEN:
        again = "Try again: files that are complete are kept."
        return HubUnreachable(f"The connection to {where} broke{wanted}. {again}", "broken")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return HubError(f"The disk is full: the download was not finished{wanted}. Free some space and try again.")
    if isinstance(error, PermissionError) and error.filename:
        return HubError(f"{error.filename} may not be written{wanted}. Check HF_HOME and the owner of that folder.")
    return None


def _proxy_refused(endpoint: str, wanted: str) -> HubUnreachable:
    proxy = proxy_for(endpoint)
    named = f" {proxy.address} ({proxy.variable})" if proxy else ""
    return HubUnreachable(
        f"The proxy{named} on the way to {endpoint} refused{wanted}. It may want a login: "
        "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
        "proxy",
    )


def _no_connection(error: BaseException, where: str, wanted: str) -> HubUnreachable:
    """Tell why there was no connection: behind a proxy it is the proxy that was not reached, but for TLS."""
    met, proxy = _met(error), proxy_for(where)
    if isinstance(met, ssl.SSLError):
        return _no_trust(met, where, wanted)
    what, check = where, "Check the network, HF_ENDPOINT and any proxy."
    if proxy:
        what = f"The proxy {proxy.address} on the way to {where}"
        check = f"Check {proxy.variable}, or name the host of the Hub in NO_PROXY."
    if isinstance(met, socket.gaierror):
        why, cause = "its name does not resolve (DNS)", "name"
    elif isinstance(met, ConnectionRefusedError):
        why, cause = "nothing listens at that address and port", "refused"
    elif isinstance(met, TimeoutError) or "Timeout" in type(error).__name__:
        why, cause = "it did not answer in time; a firewall may drop what is sent", "timeout"
    else:
        why, cause = "there is no way to it", "network"
    return HubUnreachable(f"{what} cannot be reached{wanted}: {why}. {check}", "proxy" if proxy else cause)


def _no_trust(met: ssl.SSLError, where: str, wanted: str) -> HubUnreachable:
    if not isinstance(met, ssl.SSLCertVerificationError):
        why = "what answers there does not speak TLS. Check HF_ENDPOINT: http or https?"
        return HubUnreachable(f"{where} cannot be reached{wanted}: {why}", "tls")
    return HubUnreachable(
        f"{where} cannot be reached{wanted}: its certificate is not trusted ({met.verify_message}). Where a proxy of "
        "your house re-signs TLS, set SSL_CERT_FILE to the certificates of that house.",
        "tls",
    )


def _met(error: BaseException) -> BaseException:
    """Return what the system said, which httpx keeps among the arguments of its own errors."""
    for cause in causes(error):
        for held in (cause, *cause.args):
            if isinstance(held, OSError):
                return held
    return error
