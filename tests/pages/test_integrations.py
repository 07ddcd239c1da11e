"""Platform Integrations without a browser: where the token is from, wrong forms, removing, who sees it, checkpoints.

The walk against a Hub, and that the token leaves no trace, are in tests/browser/test_integrations.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from loopback_hub import LoopbackHub
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.hub import token as tokens
from hfreg.version import Pin

ROOT = Path(__file__).parents[2]
CANARY = "hf_canaryCanaryCANARYcanary0123456789"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def fresh_server() -> Iterator[None]:
    """Let each test begin with a server that has opened nothing."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def opened() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.switch_page("pages/settings/integrations.py").run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(e.value for kind in (at.caption, at.markdown, at.info, at.error, at.success) for e in kind)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=f"integrations.{key}").click().run()
    assert not at.exception, at.exception
    return at


def save(at: AppTest, text: str) -> AppTest:
    at.text_input(key="integrations.token").set_value(text)
    return press(at, "save")


def asks_for_a_token(at: AppTest) -> bool:
    return "integrations.token" in {field.key for field in at.text_input}


def keys(at: AppTest) -> set[str]:
    return {button.key.removeprefix("integrations.") for button in at.button if button.key}


def remembered(at: AppTest) -> str:
    """Return everything that the session holds, as text."""
    state: Any = at.session_state
    while not is_dataclass(state):  # look through what wraps it
        state = object.__getattribute__(state, "_state")
    return repr(state) + repr(dict(state._new_widget_state.states))  # with what the browser sent last


def a_definition(**changes: Any) -> hfreg.Definition:
    plain = {"alias": "guard", "name": "Guard", "output_type": "String", "scoring_logic": 'return "x"', "arguments": []}
    return hfreg.Definition(**{**plain, **changes})


def test_without_a_token_the_page_says_what_works_and_how_to_get_one(home: Path) -> None:
    at = opened()
    assert "No token" in said(at)
    assert "Public models work without one" in said(at)
    assert {"save", "test"} <= keys(at)
    assert not {"replace", "remove"} & keys(at)


def test_a_saved_token_is_shown_masked_with_its_place_and_is_forgotten(home: Path) -> None:
    at = save(opened(), f"  {CANARY}\n")
    text = said(at)
    assert "Saved hf\\_…6789" in text
    assert "`hf_…6789` · saved in Settings" in text
    assert str(tokens.path(home)) in text
    assert tokens.path(home).read_text() == CANARY
    assert not asks_for_a_token(at)
    assert CANARY not in text
    assert CANARY not in remembered(at)
    assert CANARY not in remembered(at.run())


def test_what_the_session_holds_would_show_a_token_that_stayed(home: Path) -> None:
    at = opened()
    at.session_state["integrations.kept"] = CANARY
    assert CANARY in remembered(at.run())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("hf_one two", "it contains a space or line break"),
        ("hf_" + "a" * 300, "it has 303 characters"),
        ("hf_ünterwegs", "it contains a character that no token has"),
    ],
)
def test_a_wrong_form_is_told_and_nothing_is_saved(home: Path, text: str, problem: str) -> None:
    at = save(opened(), text)
    assert problem in said(at).replace("\\", "")
    assert "Nothing was saved." in said(at).replace("\\", "")
    assert not tokens.path(home).exists()
    assert at.text_input(key="integrations.token").value == ""


def test_a_token_of_the_environment_is_named_and_cannot_be_removed_here(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    at = opened()
    assert "hf_…6789" in said(at)
    assert "environment variable HF\\_TOKEN" in said(at)
    assert not {"replace", "remove"} & keys(at)
    at = save(at, "hf_savedhere000000000000000000abcd")
    assert "used instead of hf\\_…6789 of environment variable HF\\_TOKEN" in said(at)
    at = press(press(at, "remove"), "remove.yes")
    assert "`hf_…6789` · environment variable HF\\_TOKEN" in said(at)


def test_removing_asks_first(home: Path) -> None:
    at = save(opened(), CANARY)
    at = press(at, "remove")
    assert "On the Hub the token stays valid" in said(at)
    at = press(at, "remove.no")
    assert tokens.path(home).exists()
    assert "remove.yes" not in keys(at)
    at = press(press(at, "remove"), "remove.yes")
    assert not tokens.path(home).exists()
    assert "The saved token is removed" in said(at)
    assert "No token" in said(at)


def test_replacing_keeps_the_old_token_until_the_new_one_is_saved(home: Path) -> None:
    at = press(save(opened(), CANARY), "replace")
    assert at.text_input(key="integrations.token").value == ""
    at = save(at, "not a token")
    assert tokens.path(home).read_text() == CANARY
    at = press(at, "replace")
    assert not asks_for_a_token(at)
    at = save(press(at, "replace"), "hf_thenextone00000000000000wxyz")
    assert "`hf_…wxyz`" in said(at)


def test_a_token_that_cannot_be_read_is_told_and_can_be_removed(home: Path) -> None:
    tokens.path(home).parent.mkdir(parents=True)
    tokens.path(home).write_bytes(b"\xff\xfe\x00")
    at = opened()
    assert "cannot be read" in said(at)
    press(press(at, "remove"), "remove.yes")
    assert not tokens.path(home).exists()


def test_a_test_says_who_it_is_and_forgets_it_when_the_token_changes(home: Path, loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_token(CANARY, name="ada", role="write")
    at = press(save(opened(), CANARY), "test")
    text = said(at)
    assert "**Account** · Signed in as ada." in text.replace("\\", "")
    assert ":orange-badge[Advice] **Rights** · A classic token that can write" in text
    assert "Reading is enough here" in text
    assert f"{loopback_hub.url} (from HF_ENDPOINT)" in text.replace("\\", "")
    assert "It answers in " in text
    assert "Downloads can work" in text
    assert CANARY not in remembered(at)
    at = press(press(at, "remove"), "remove.yes")
    assert "Signed in" not in said(at)


def test_a_wrong_token_is_told_apart_from_none(home: Path, loopback_hub: LoopbackHub) -> None:
    at = press(opened(), "test")
    assert "No token is set" in said(at).replace("\\", "")
    at = press(save(at, "hf_nobodyknowsthis00000000000wxyz"), "test")
    assert "does not accept the token hf_…wxyz" in said(at).replace("\\", "")
    assert "Save a new one" in said(at)


def test_offline_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in said(press(opened(), "test")).replace("\\", "")


def test_the_page_names_the_variables_and_who_asks_for_the_token(home: Path) -> None:
    with hfreg.open() as registry:
        registry.register(a_definition())
    text = said(opened())
    assert "`HUGGINGFACE_TOKEN`, `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`" in text
    assert "only if its definition asks for the token. No model asks for it now." in text
    hfreg.open().register(a_definition(alias="private_one", token=True))
    assert "These ask for it: `private_one`." in said(opened())


def check_access(at: AppTest, repo: str) -> str:
    at.text_input(key="integrations.access.repo").set_value(repo)
    return said(press(at, "access.check")).replace("\\", "")


def test_access_to_a_model_is_checked_with_the_token_in_use(home: Path, loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_token(CANARY, name="ada", repos=("acme/private",))
    public = loopback_hub.add_repo("acme/tiny", {"config.json": b"{}"})
    private = loopback_hub.add_repo("acme/private", {"config.json": b"{}"}, private=True)
    gated = loopback_hub.add_repo("acme/gated", {"config.json": b"{}"}, gated=True)
    at = opened()
    text = check_access(at, "https://huggingface.co/acme/tiny")
    assert ":green-badge[Can be read] **Repository** · `acme/tiny` is public" in text
    assert "`acme/tiny` loads." in text
    assert f"Commit `{public}`" in text
    assert "It answers in " in text
    text = check_access(at, "acme/private")
    assert ":red-badge[Missing or private] **Repository** · `acme/private`" in text
    assert "`acme/tiny`" not in text
    text = check_access(at, "acme/gated")
    assert ":orange-badge[Gated, access not granted] **Repository** · `acme/gated` is gated." in text
    assert f"[Open its page]({loopback_hub.url}/acme/gated)" in text
    assert "`acme/gated` does not load. Look at: Gated, access not granted." in text
    assert f"Commit `{gated}`" in text
    at = save(at, CANARY)
    assert "acme/gated" not in said(at)  # it was found without this token
    text = check_access(at, "acme/private")
    assert "is private, and the token hf_…6789 (saved in Settings) can read it" in text
    assert f"Commit `{private}`" in text
    loopback_hub.tokens[CANARY].requests["acme/gated"] = "pending"
    text = check_access(at, "acme/gated")
    assert ":orange-badge[Gated, request awaiting review] **Repository** · `acme/gated` is gated, and the" in text
    assert f"[Open its page]({loopback_hub.url}/acme/gated)" in text
    assert CANARY not in remembered(at)
    at = press(press(at, "remove"), "remove.yes")
    assert "can read it" not in said(at)


def test_a_hub_that_cannot_be_asked_about_a_model_is_told(
    home: Path, loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened()
    loopback_hub.stop()
    text = check_access(at, "acme/tiny")
    assert ":red-badge[Problem] **Connection**" in text
    assert "nothing listens at that address and port" in text
    assert ":red-badge[Problem] **Files** · `acme/tiny` is not complete on this disk" in text
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    hfreg._registries.clear()
    assert ":orange-badge[Advice] **Offline mode** · HF_HUB_OFFLINE is set" in check_access(opened(), "acme/tiny")


def test_a_token_in_the_field_of_the_repository_is_neither_sent_nor_kept(home: Path, loopback_hub: LoopbackHub) -> None:
    at = opened()
    assert "This looks like a token, so nothing was sent." in check_access(at, CANARY)
    assert CANARY not in repr(loopback_hub.requests) + repr(loopback_hub.headers)
    assert CANARY not in said(at)
    assert CANARY not in remembered(at.run())
    assert "Downloads can work" in check_access(at, "")


def test_where_the_token_is_from_and_what_it_shadows_is_told_and_a_wrong_form_is_mended_first(
    home: Path, loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", f'"{CANARY}"')
    at = opened()
    text = said(press(at, "test")).replace("\\", "")
    assert "Downloads do not work. Look at: Form." in text
    assert ":red-badge[Problem] **Form** · The text is no token: it stands in quotes" in text
    assert ":gray-badge[Not judged] **Hub**" in text
    loopback_hub.add_token(CANARY, name="ada")
    text = said(press(save(at, CANARY), "test")).replace("\\", "")
    assert ":orange-badge[Advice] **Shadowed token**" in text
    assert "environment variable HF_TOKEN" in text
    assert CANARY not in remembered(at)


def cache(folder: Path, repo: str, size: int) -> None:
    commit = hashlib.sha1(repo.encode()).hexdigest()
    snapshot = folder / f"models--{repo.replace('/', '--')}" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(commit)
    (snapshot / "model.safetensors").write_bytes(b"x" * size)


def test_an_empty_cache_says_when_something_will_be_there(home: Path) -> None:
    assert "Nothing is downloaded yet." in said(opened())


def test_cached_checkpoints_are_listed_with_who_uses_them_and_deleted_after_a_question(
    home: Path, hub_cache: Path
) -> None:
    cache(hub_cache, "acme/small", 1_000)
    cache(hub_cache, "acme/large", 3_000_000)
    registry = hfreg.open()
    registry.register(a_definition())
    registry.definitions.add_pin("guard", 1, Pin(repo="acme/large", revision=None, commit=COMMIT, at=datetime.now(UTC)))
    at = opened()
    text = said(at)
    assert "2 models, 3.0 MB" in text
    assert text.index("acme/large") < text.index("acme/small")
    assert "used by `guard`" in text
    at.button(key="checkpoints.acme/large.delete").click().run()
    assert "downloaded again at the next load" in said(at)
    at.button(key="checkpoints.no").click().run()
    assert (hub_cache / "models--acme--large").exists()
    at.button(key="checkpoints.acme/small.delete").click().run()
    assert "No registered model is pinned to it." in said(at)
    at.button(key="checkpoints.yes").click().run()
    assert "acme/small is deleted" in said(at).replace("\\", "")
    assert not (hub_cache / "models--acme--small").exists()
    assert (hub_cache / "models--acme--large").exists()


def test_a_checkpoint_that_is_gone_already_is_told(home: Path, hub_cache: Path) -> None:
    cache(hub_cache, "acme/small", 1_000)
    at = opened()
    at.button(key="checkpoints.acme/small.delete").click().run()
    (hub_cache / "models--acme--small").rename(hub_cache / "elsewhere")
    at.button(key="checkpoints.yes").click().run()
    assert "could not be deleted" in said(at)


def test_many_checkpoints_begin_with_the_ten_largest(home: Path, hub_cache: Path) -> None:
    for number in range(12):
        cache(hub_cache, f"acme/model{number}", 1_000 * (number + 1))
    at = opened()
    assert sum(1 for button in at.button if str(button.key).startswith("checkpoints.acme/")) == 10
    at.toggle(key="checkpoints.everything").set_value(True).run()
    assert sum(1 for button in at.button if str(button.key).startswith("checkpoints.acme/")) == 12
