"""The licence policy on its card and in the form: seen, changed, held to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from hub_files import plain_repo
from loopback_hub import LoopbackHub
from register_form import APP, draft, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.from_repository import from_repository


@pytest.fixture
def workbench(loopback_hub: LoopbackHub, home: Path) -> Iterator[hfreg.Registry]:
    """The registry of the workbench, with a Hub that answers and one model, so that no starters are registered."""
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(hfreg.Definition(alias="first", scoring_logic="return 1"))
    yield registry
    st.cache_resource.clear()


def policy_page() -> AppTest:
    at = AppTest.from_file(APP, default_timeout=20)
    at.switch_page("pages/settings/integrations.py").run()
    assert not at.exception, at.exception
    return at


def words(at: AppTest) -> str:
    return "\n".join(str(e.value) for kind in (at.markdown, at.caption, at.success, at.error, at.warning) for e in kind)


def rule(at: AppTest, name: str, verdict: str) -> AppTest:
    at.selectbox(key="licences.id").set_value(name)
    at.selectbox(key="licences.verdict").set_value(verdict)
    at.button(key="licences.set").click().run()
    assert not at.exception, at.exception
    return at


def test_a_rule_is_set_kept_and_taken_back(workbench: hfreg.Registry) -> None:
    at = policy_page()
    assert "nobody changed it" in words(at)
    assert at.button(key="licences.delivered").disabled
    rule(at, "gemma", "denied")
    assert "`gemma` is denied from now on" in words(at).replace("\\", "")
    assert f"Decided by {workbench.user}" in words(policy_page())
    assert workbench.licensing.policy.of("gemma") == "denied"
    at.selectbox(key="licences.id").set_value(None)
    at.button(key="licences.set").click().run()
    assert "Choose a licence, or write its id" in words(at).replace("\\", "")
    at.button(key="licences.delivered").click().run()
    assert workbench.licensing.policy.of("gemma") == "needs a reason"


def test_the_form_asks_for_a_reason_and_shows_the_licence_beside_the_source(
    loopback_hub: LoopbackHub, workbench: hfreg.Registry
) -> None:
    commit = loopback_hub.add_repo("acme/model", plain_repo(), cardData={"license": "llama3"})
    workbench.licensing.licences.remember("acme/model", commit, ("llama3",))
    definition = from_repository("text-classification", "acme/model", commit).definition
    at = opened()
    assert "register.licence_reason" not in {field.key for field in at.text_input}
    workbench.register(definition.model_copy(update={"licence_reason": "agreed"}))
    at = opened(alias="model")
    assert "Licence `llama3`: needs a reason" in said(at)
    at.text_input(key="register.licence_reason").set_value("").run()
    assert "needs a reason: say in Reason for the Licence" in said(at)
    press(at, "save")
    assert workbench.get("model").definition.licence_reason == "agreed"
    at.text_input(key="register.licence_reason").set_value("Agreed anew.").run()
    press(at, "save")
    assert workbench.get("model").definition.licence_reason == "Agreed anew."
    assert draft(at)["fields"]["licence_reason"] == "Agreed anew."


def test_models_that_a_stricter_policy_refuses_are_named(loopback_hub: LoopbackHub, workbench: hfreg.Registry) -> None:
    loopback_hub.add_repo("acme/model", plain_repo(), cardData={"license": "mit"})
    logic = 'from transformers import pipeline\nreturn pipeline("fill-mask", model="acme/model")("x")'
    workbench.register(hfreg.Definition(alias="filler", scoring_logic=logic))
    assert "filler" not in words(policy_page())
    at = rule(policy_page(), "mit", "denied")
    assert "1 model does not load under this policy: `filler`" in words(at).replace("\\", "")
