"""The token doctor: every cause told apart over real connections, as a real load meets it, and never a token."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub

import hfreg
from hfreg.cli import main
from hfreg.errors import HubError
from hfreg.hub.client import Hub, remember_commit
from hfreg.hub.diagnosis import Diagnosis, diagnose
from hfreg.hub.fetch import Fetcher
from hfreg.hub.provenance import PinnedResolver
from hfreg.settings import STARTERS, Settings, Token

CANARY = "hf_canaryCanaryCANARYcanary0123456789"
OTHER = "hf_othernobodyknowsthisOne9876543210"
HubOf = Callable[..., Hub]


def lights(found: Diagnosis) -> dict[str, str]:
    return {line.name: line.light for line in found.lines}


def text_of(found: Diagnosis, name: str) -> str:
    line = found.line(name)
    assert line, (name, lights(found))
    return f"{line.found} {line.way_out}"


def loads(hub: Hub, repo: str) -> str:
    """Load as a model loads, and return what it raised, empty where it came."""
    try:
        PinnedResolver(Fetcher(hub), starters=STARTERS).resolve(repo)
    except HubError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("repo", "token", "verdict", "said"),
    [
        ("acme/tiny", None, "readable", "is public"),
        ("acme/tiny", CANARY, "readable", "is public"),
        ("acme/private", None, "missing or private", "an anonymous caller"),
        ("acme/private", OTHER, "missing or private", "to this token"),
        ("acme/private", CANARY, "readable", "is private, and the token hf_…6789"),
        ("acme/gated", None, "gated", "is gated"),
        ("acme/gated", OTHER, "gated", "has no access"),
        ("acme/gated", CANARY, "readable", "is gated, and the token hf_…6789"),
        ("acme/nothing", CANARY, "missing or private", "Check the spelling"),
        ("acme/pickled", None, "refused", "pickle files can run code"),
        ("acme/remote", None, "refused", "`auto_map`, which makes a library run code"),
        ("acme/tiny", "hf_nobodyknowsthis00000000000wxyz", "rejected", "wrong, expired or revoked"),
        ("acme/tiny", "hf_two words", "rejected", "space or line break"),
    ],
)
def test_what_it_says_of_a_repository_is_what_a_load_meets(
    loopback_hub: LoopbackHub, hub_of: HubOf, repo: str, token: str | None, verdict: str, said: str
) -> None:
    loopback_hub.add_token(CANARY, "ada", repos=("acme/private", "acme/gated"))
    loopback_hub.add_token(OTHER, "bob")
    loopback_hub.add_repo("acme/tiny", plain_repo())
    loopback_hub.add_repo("acme/private", plain_repo(), private=True)
    loopback_hub.add_repo("acme/gated", plain_repo(), gated=True)
    loopback_hub.add_repo("acme/pickled", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    remote = {**plain_repo(), "config.json": b'{"auto_map": {"AutoModel": "own.Model"}}'}
    loopback_hub.add_repo("acme/remote", remote)
    found = diagnose(Fetcher(hub_of(token)), repo)
    assert found.access
    assert (found.access.verdict, found.ok) == (verdict, verdict == "readable")
    assert said in text_of(found, "Repository")
    met = loads(hub_of(token), repo)
    assert (met == "") == found.ok
    if met:
        assert found.access.message.startswith(met)
    assert CANARY not in repr(found)
    if verdict == "gated":
        line = found.line("Repository")
        assert line and line.link == f"{loopback_hub.url}/acme/gated"


def test_a_fine_grained_token_that_may_read_no_gated_repository_is_told_from_terms_that_wait(
    loopback_hub: LoopbackHub, hub_of: HubOf
) -> None:
    loopback_hub.add_repo("acme/gated", plain_repo(), gated=True)
    loopback_hub.add_token(CANARY, "ada", role="fineGrained")
    assert diagnose(Fetcher(hub_of(CANARY)), "acme/gated").access.verdict == "gated"  # type: ignore[union-attr]
    loopback_hub.tokens[CANARY].reads_gated = False
    found = diagnose(Fetcher(hub_of(CANARY)), "acme/gated")
    assert found.access and found.access.verdict == "no right"
    assert "public gated repos" in text_of(found, "Repository")
    assert f"{loopback_hub.url}/settings/tokens" in text_of(found, "Repository")


@pytest.mark.parametrize(
    ("request_", "verdict", "said"),
    [
        ("pending", "awaiting review", "is awaiting the review of its authors. Nothing is wrong with the token"),
        ("rejected", "turned down", "was rejected by its authors. Ask them on its page"),
    ],
)
def test_a_request_for_access_that_waits_or_was_rejected_is_told_from_terms_that_were_not_accepted(
    loopback_hub: LoopbackHub, hub_of: HubOf, request_: str, verdict: str, said: str
) -> None:
    loopback_hub.add_repo("acme/gated", plain_repo(), gated=True)
    loopback_hub.add_token(CANARY, "ada", role="fineGrained")
    loopback_hub.tokens[CANARY].requests = {"acme/gated": request_}
    loopback_hub.tokens[CANARY].reads_gated = False  # the request comes first: a right would not open it
    found = diagnose(Fetcher(hub_of(CANARY)), "acme/gated")
    assert found.access and (found.access.verdict, found.ok) == (verdict, False)
    assert said in text_of(found, "Repository")
    assert "Accept its terms" not in text_of(found, "Repository")
    assert loads(hub_of(CANARY), "acme/gated") == found.access.message


@pytest.mark.parametrize(
    ("role", "light", "said"),
    [
        ("read", "green", "A classic token that can read."),
        ("write", "amber", "Reading is enough here"),
        ("fineGrained", "green", "A fine-grained token: repo.content.read on ada"),
    ],
)
def test_whose_the_token_is_and_what_it_may(
    loopback_hub: LoopbackHub, hub_of: HubOf, role: str, light: str, said: str
) -> None:
    loopback_hub.add_token(CANARY, "ada", role)
    found = diagnose(Fetcher(hub_of(CANARY)))
    assert (found.ok, lights(found)["Rights"], found.line("Expiry")) == (True, light, None)
    assert "Signed in as ada." in text_of(found, "Account")
    assert said in text_of(found, "Rights")
    assert " ms" in text_of(found, "Hub")
    assert "HF_ENDPOINT" in text_of(found, "Endpoint")


@pytest.mark.parametrize("place", ["auth", "accessToken"])
@pytest.mark.parametrize(("days", "light"), [(100, "green"), (3, "amber"), (-3, "red")])
def test_when_it_expires_is_told_where_the_hub_says_it(
    loopback_hub: LoopbackHub, hub_of: HubOf, days: int, light: str, place: str
) -> None:
    loopback_hub.add_token(CANARY, "ada", role="fineGrained")
    at = datetime.now(UTC) + timedelta(days=days)
    loopback_hub.tokens[CANARY].expires, loopback_hub.tokens[CANARY].expires_in = at.isoformat(), place
    found = diagnose(Fetcher(hub_of(CANARY)))
    assert (lights(found)["Expiry"], found.ok) == (light, light != "red")
    assert f"{at:%Y-%m-%d}" in text_of(found, "Expiry")


def test_every_place_of_a_token_is_named_and_which_one_wins(
    home: Path, loopback_hub: LoopbackHub, hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = hub_cache.parent / "token"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(OTHER)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", OTHER)
    monkeypatch.setenv("HF_TOKEN", f" {CANARY}\n")
    loopback_hub.add_token(CANARY, "ada")
    registry = hfreg.open()
    found = registry.diagnose()
    assert text_of(found, "Token").strip() == "hf_…6789, environment variable HF_TOKEN."
    shadowed = text_of(found, "Shadowed token")
    assert "hf_…3210 in environment variable HUGGING_FACE_HUB_TOKEN" in shadowed
    assert f"hf_…3210 in file {file}" in shadowed
    registry.save_token(CANARY)
    found = registry.diagnose()
    assert text_of(found, "Token").strip() == "hf_…6789, saved in Settings."
    assert "environment variable HF_TOKEN" in text_of(found, "Same token")
    assert (lights(found)["Shadowed token"], found.ok) == ("amber", True)
    assert CANARY not in repr(found)
    assert OTHER not in repr(found)


@pytest.mark.parametrize(
    ("value", "light", "said"),
    [
        (f'"{CANARY}"', "red", "quotes"),
        ("hf_two words here and there", "red", "space or line break"),
        ("glpat-0123456789abcdefghij", "amber", "does not begin with `hf_`"),
        ("hf_short", "amber", "only 8 characters"),
    ],
)
def test_the_form_of_a_token_is_told(
    loopback_hub: LoopbackHub, hub_of: HubOf, value: str, light: str, said: str
) -> None:
    loopback_hub.add_token(value)
    found = diagnose(Fetcher(hub_of(value)))
    assert (lights(found)["Form"], found.ok) == (light, light != "red")
    assert said in text_of(found, "Form")
    assert value not in repr(found)


def test_a_saved_token_that_cannot_be_read_is_a_line_of_its_own(home: Path, loopback_hub: LoopbackHub) -> None:
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "huggingface_token").write_bytes(b"\xff\xfe\x00")
    found = hfreg.open().diagnose("acme/tiny")
    assert lights(found)["Token"] == "red"
    assert "Remove it and save it again." in text_of(found, "Token")


# The way to the Hub


@pytest.fixture
def hub_at(tmp_path: Path, hub_cache: Path) -> Iterator[Callable[[str], Hub]]:
    """Make a Hub of any address, with a token; what huggingface_hub keeps of its connections is set anew."""
    huggingface_hub.close_session()
    token = Token(CANARY, "this test")
    yield lambda address: Hub(Settings(home=tmp_path / "home", endpoint=address), lambda: token)
    huggingface_hub.close_session()


def looked(hub: Hub) -> Diagnosis:
    """Diagnose, and hold what is said of the repository against a load."""
    found = diagnose(Fetcher(hub), "acme/tiny")
    assert found.access and found.access.verdict == "unreachable"
    assert found.access.message == loads(hub, "acme/tiny")
    assert not found.ok
    assert lights(found)["Files"] == "red"
    assert CANARY not in repr(found)
    return found


class _Refuses(BaseHTTPRequestHandler):
    status = 407

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_CONNECT = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refuses)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_name_that_does_not_resolve_and_a_closed_port_are_told_apart(hub_at: Callable[[str], Hub]) -> None:
    assert "its name does not resolve (DNS)" in text_of(looked(hub_at("http://hub.invalid")), "Name (DNS)")
    refused = looked(hub_at(f"http://127.0.0.1:{closed_port()}"))
    assert "nothing listens at that address and port" in text_of(refused, "Connection")


def test_a_certificate_that_nobody_signed_is_told(hub_at: Callable[[str], Hub], tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*made, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as port:
        said = text_of(looked(hub_at(f"https://127.0.0.1:{port}")), "Certificate (TLS)")
        assert "its certificate is not trusted (self-signed certificate)" in said
        assert "SSL_CERT_FILE" in said
    with serving() as port:
        assert "does not speak TLS" in text_of(looked(hub_at(f"https://127.0.0.1:{port}")), "Certificate (TLS)")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_is_told_without_showing_the_one_it_has(
    hub_at: Callable[[str], Hub], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with serving() as port:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://me:sesame@127.0.0.1:{port}")
        found = looked(hub_at(f"{scheme}://hub.invalid"))
    assert f"http://127.0.0.1:{port} ({scheme.upper()}_PROXY)" in text_of(found, "Way")
    assert "refused" in text_of(found, "Proxy")
    assert "login" in text_of(found, "Proxy")
    assert "sesame" not in repr(found)


def test_a_proxy_that_is_gone_is_not_taken_for_a_hub_that_is_gone(
    hub_at: Callable[[str], Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("HTTPS_PROXY", address)
    said = text_of(looked(hub_at("https://hub.invalid")), "Proxy")
    assert f"The proxy {address} on the way to https://hub.invalid cannot be reached" in said
    assert "nothing listens" in said
    monkeypatch.setenv("NO_PROXY", "hub.invalid")
    huggingface_hub.close_session()
    assert "does not resolve" in text_of(looked(hub_at("https://hub.invalid")), "Name (DNS)")


def test_an_address_that_is_none_and_a_page_that_is_no_hub_are_told(
    hub_at: Callable[[str], Hub], loopback_hub: LoopbackHub
) -> None:
    assert "HF_ENDPOINT is no address: hub.example" in text_of(looked(hub_at("hub.example")), "Address")
    loopback_hub.add_token(CANARY)
    loopback_hub.add_repo("org/page", {"login.html": b"<html>Sign in</html>"})
    page = looked(hub_at(f"{loopback_hub.url}/org/page/resolve/main/login.html?"))
    assert "is not a Hub" in text_of(page, "No Hub")


def test_a_token_over_an_open_line_is_advised_against(hub_at: Callable[[str], Hub]) -> None:
    found = diagnose(Fetcher(hub_at("http://hub.invalid")))
    assert lights(found)["Endpoint"] == "amber"
    assert "without encryption" in text_of(found, "Endpoint")


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_is_told_by_its_variable_and_the_disk_answers_as_it_does_for_a_load(
    loopback_hub: LoopbackHub, hub_of: HubOf, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    loopback_hub.add_repo("acme/tiny", plain_repo())
    monkeypatch.setenv(variable, "1")
    found = diagnose(Fetcher(hub_of(offline=True)), "acme/tiny")
    assert lights(found)["Offline mode"] == "amber"
    assert text_of(found, "Offline mode").startswith(f"{variable} is set")
    assert f"{text_of(found, 'Files')}" == loads(hub_of(offline=True), "acme/tiny")
    assert loads(hub_of(), "acme/tiny") == ""
    loopback_hub.forget_requests()
    found = diagnose(Fetcher(hub_of(offline=True)), "acme/tiny")
    assert (found.ok, loads(hub_of(offline=True), "acme/tiny")) == (True, "")
    assert "is complete on this disk" in text_of(found, "Files")
    assert loopback_hub.requests == []
    loopback_hub.stop()
    gone = diagnose(Fetcher(hub_of()), "acme/tiny")
    assert (lights(gone)["Connection"], lights(gone)["Files"]) == ("red", "green")


def test_a_commit_that_is_remembered_without_its_files_does_not_load_offline(
    loopback_hub: LoopbackHub, hub_of: HubOf
) -> None:
    remember_commit("acme/tiny", None, loopback_hub.add_repo("acme/tiny", plain_repo()))
    found = diagnose(Fetcher(hub_of(offline=True)), "acme/tiny")
    assert (found.ok, lights(found)["Files"]) == (False, "red")
    assert loads(hub_of(offline=True), "acme/tiny")


def test_the_command_line_tells_it_too_and_no_token_is_anywhere(
    home: Path, loopback_hub: LoopbackHub, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loopback_hub.add_token(CANARY, "ada", "write")
    loopback_hub.add_repo("acme/tiny", plain_repo())
    loopback_hub.add_repo("acme/gated", plain_repo(), gated=True)
    hfreg.open().save_token(CANARY)
    assert main(["doctor", "--repo", "acme/tiny"]) == 0
    said = capsys.readouterr()
    assert "ok    repository: `acme/tiny` is public" in said.out
    assert "look  rights: A classic token that can write. It can change things" in said.out
    assert main(["doctor", "--repo", "acme/gated"]) == 1
    gated = capsys.readouterr()
    assert "FAIL  repository: `acme/gated` is gated" in gated.out
    assert f"{loopback_hub.url}/acme/gated" in gated.out
    files = (path.read_bytes() for path in home.rglob("*") if path.is_file() and path.parent.name != "secrets")
    assert all(CANARY.encode() not in content for content in files)
    assert CANARY not in said.out + said.err + gated.out + gated.err + caplog.text
