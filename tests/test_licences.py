"""The licence policy: verdicts by id, kept under the home, held to on registering and on loading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.errors import DefinitionError, LicenceRefused, SettingsError, StoreCorrupt
from hfreg.licences import POLICY, UNKNOWN, Policy, licence_ids
from hfreg.settings import STARTERS
from hfreg.store.backup import backup, restore
from hfreg.store.policies import Policies

LOGIC = """from transformers import pipeline
client = pipeline("text-classification", model="{repo}")
return client(text)[0]["label"]
"""


def classifier(repo: str = "acme/model", **fields: object) -> hfreg.Definition:
    arguments = [hfreg.Argument("text", "String")]
    logic = LOGIC.format(repo=repo)
    return hfreg.Definition(**{"alias": "rater", "arguments": arguments, "scoring_logic": logic, **fields})


def deny(registry: hfreg.Registry, name: str) -> None:
    registry.licensing.decide(registry.licensing.policy.with_rule(name, "denied"), "ada")


@pytest.mark.parametrize(
    ("licences", "verdict"),
    [
        (("mit",), "allowed"),
        (("llama3",), "needs a reason"),
        (("cc-by-nc-4.0",), "needs a reason"),
        (("mit", "cc-by-nc-4.0"), "needs a reason"),
        (("something-of-its-own",), "needs a reason"),
        ((), "allowed"),
    ],
)
def test_the_delivered_policy_knows_the_ids_of_the_hub(licences: tuple[str, ...], verdict: str) -> None:
    assert POLICY.verdict(licences) == verdict


def test_the_strictest_of_several_ids_counts_and_is_named() -> None:
    policy = POLICY.with_rule("gemma", "denied")
    assert (policy.verdict(("mit", "gemma", "llama3")), policy.strictest(("mit", "gemma"))) == ("denied", "gemma")
    assert policy.with_rule(UNKNOWN, "denied").verdict(()) == "denied"
    assert policy.without("gemma").verdict(("gemma",)) == "needs a reason"


def test_a_policy_cannot_be_changed_and_refuses_what_is_no_rule() -> None:
    with pytest.raises(TypeError):
        POLICY.rules["mit"] = "denied"  # type: ignore[index]
    for rules in ({"MIT licence!": "allowed"}, {"mit": "perhaps"}, {"a" * 101: "allowed"}):
        with pytest.raises(SettingsError):
            Policy(rules)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="always has a rule"):
        POLICY.without(UNKNOWN)


def test_a_licence_field_of_any_shape_is_read_or_is_unknown() -> None:
    assert licence_ids(" Apache-2.0 ") == ("apache-2.0",)
    for nothing in (None, 7, {"a": 1}, [], [None], "", "unknown"):
        assert licence_ids(nothing) == ()


def test_a_decided_policy_is_found_again_with_who_and_when_and_what_was_before(home: Path) -> None:
    policies = Policies(home / "policies.json")
    assert policies.licences().by == ""
    policies.decide(POLICY.with_rule("gemma", "denied"), "ada")
    policies.decide(POLICY.with_rule("gemma", "allowed"), "bob")
    again = Policies(home / "policies.json")
    assert (again.licences().policy.of("gemma"), again.licences().by) == ("allowed", "bob")
    assert [decided.by for decided in again.earlier()] == ["bob", "ada"]
    assert again.licences().at is not None


def test_a_policy_file_that_says_nonsense_is_refused_by_name(home: Path) -> None:
    policies = Policies(home / "policies.json")
    with policies._storage.transaction() as database:
        database.table("licences").insert({"rules": {"mit": "perhaps"}, "by": "", "at": ""})
    with pytest.raises(StoreCorrupt, match=r"policies\.json cannot be read"):
        policies.licences()


def test_a_denied_licence_is_refused_on_registering_with_the_way_out(
    loopback_hub: LoopbackHub, registry: hfreg.Registry
) -> None:
    loopback_hub.add_repo("acme/model", plain_repo(), cardData={"license": "cc-by-nc-4.0"})
    deny(registry, "cc-by-nc-4.0")
    with pytest.raises(DefinitionError, match=r"`cc-by-nc-4\.0`, which the licence policy denies") as refused:
        registry.register(classifier(licence_reason="we want it"))
    assert "Settings → Platform Integrations → Licence policy" in str(refused.value)
    assert registry.definitions.aliases() == []


def test_a_licence_that_needs_a_reason_is_registered_with_one_which_survives_export(
    loopback_hub: LoopbackHub, registry: hfreg.Registry
) -> None:
    loopback_hub.add_repo("acme/model", plain_repo(), cardData={"license": "llama3"})
    with pytest.raises(DefinitionError, match=r"needs a reason: say in Reason for the Licence") as refused:
        registry.register(classifier())
    assert [finding.field for finding in refused.value.findings] == ["licence_reason"]
    registry.register(classifier(licence_reason="Legal agreed on 3 May."))
    exported = json.loads(registry.export("rater"))
    assert exported["definition"]["licence_reason"] == "Legal agreed on 3 May."
    exported["definition"]["alias"] = "rater_two"
    assert registry.import_(exported).definition.licence_reason == "Legal agreed on 3 May."
    with pytest.raises(DefinitionError, match="needs a reason"):
        registry.edit("rater", classifier())


def test_the_form_is_told_without_a_request_once_the_licence_is_known(
    loopback_hub: LoopbackHub, registry: hfreg.Registry
) -> None:
    commit = loopback_hub.add_repo("acme/model", plain_repo())
    definition = classifier()
    pinned = definition.model_copy(
        update={"scoring_logic": definition.scoring_logic.replace('model")', f'model", revision="{commit}")')}
    )
    assert [f for f in registry.check(pinned) if "licence" in f.message] == []
    registry.licensing.licences.remember("acme/model", commit, ("gemma",))
    assert [f.level for f in registry.check(pinned) if f.field == "licence_reason"] == ["error"]
    registry.licensing.licences.remember("acme/model", commit, ())
    assert [f.level for f in registry.check(pinned) if "names no licence" in f.message] == ["warning"]
    assert loopback_hub.requests == []


def test_a_policy_that_becomes_stricter_is_held_to_by_the_next_load_and_asks_nobody(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    files = {p.name: p.read_bytes() for p in tiny_checkpoints.classifier.iterdir()}
    loopback_hub.add_repo("acme/model", files | {"README.md": b"---\nlicense: [mit, gemma]\n---\n"})
    registry.register(classifier(licence_reason="agreed"))
    assert registry.model("rater")(text="fine")
    deny(registry, "gemma")
    assert registry.unload_refused() == ["rater"]
    loopback_hub.forget_requests()
    outcome = registry.model("rater").run(text="fine")
    assert isinstance(outcome.error, LicenceRefused)
    assert "`gemma`, which the licence policy denies" in str(outcome.error)
    assert isinstance(registry.test(classifier(), text="fine").error, (LicenceRefused, DefinitionError))
    assert loopback_hub.requests == []


def test_what_nobody_could_read_on_registering_is_looked_at_when_it_is_loaded(
    loopback_hub: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    files = {p.name: p.read_bytes() for p in tiny_checkpoints.classifier.iterdir()}
    loopback_hub.add_repo("acme/model", files | {"README.md": b"---\nlicense: gemma\n---\n"})
    deny(registry, "gemma")
    loopback_hub.stop()
    assert registry.register(classifier()).unresolved
    loopback_hub.start()
    assert isinstance(registry.model("rater").run(text="fine").error, LicenceRefused)


def a_folder(at: Path, licence: str = "") -> Path:
    at.mkdir()
    (at / "config.json").write_text("{}")
    if licence:
        (at / "README.md").write_text(f"---\nlicense: {licence}\n---\n# Ours\n")
    return at


@pytest.mark.parametrize(("licence", "named"), [("cc-by-nc-4.0", "cc-by-nc-4.0"), ("", UNKNOWN)])
def test_an_uploaded_folder_is_under_the_licence_of_its_readme_else_unknown(
    engine: str, registry: hfreg.Registry, tmp_path: Path, licence: str, named: str
) -> None:
    folder = registry.add_folder(a_folder(tmp_path / "model", licence))
    made = hfreg.Definition(
        alias="ours",
        input_type="Custom",
        folder=folder.address,
        licence_reason="ours",
        scoring_logic="return model_dir",
    )
    registry.register(made)
    assert registry.model("ours").run().ok
    deny(registry, named)
    assert [f.field for f in registry.check(made) if f.level == "error"] == ["folder"]
    assert registry.unload_refused() == ["ours"]
    refused = registry.model("ours").run().error
    assert isinstance(refused, LicenceRefused)
    assert "The model folder" in str(refused)
    with pytest.raises(DefinitionError, match=r"The model folder .* which the licence policy denies"):
        registry.edit("ours", made)


def test_a_folder_named_by_a_path_is_under_the_licence_of_its_readme(registry: hfreg.Registry, tmp_path: Path) -> None:
    path = a_folder(tmp_path / "local", "gemma")
    registry.register(classifier(str(path)))
    refused = registry.model("rater").run(text="x").error
    assert isinstance(refused, LicenceRefused)
    assert f"`{path}` is under `gemma`, which needs a reason" in str(refused)


def elsewhere(**fields: object) -> hfreg.Definition:
    arguments = [hfreg.Argument("text", "String")]
    endpoint = {"provider": "hf-inference", "model": "acme/model", "task": "text-classification", "retries": 0}
    given = {"alias": "far", "input_type": "API Based", "arguments": arguments, "endpoint": endpoint}
    return hfreg.Definition(**{**given, **fields})


def test_the_model_of_an_endpoint_is_held_to_the_policy_and_the_hub_is_asked_once(
    loopback_hub: LoopbackHub, registry: hfreg.Registry
) -> None:
    loopback_hub.add_repo("acme/model", plain_repo(), cardData={"license": "llama3"})
    assert [f for f in registry.check(elsewhere()) if "licence" in f.message] == []
    assert loopback_hub.requests == []
    with pytest.raises(DefinitionError, match=r"`acme/model` is under `llama3`, which needs a reason"):
        registry.register(elsewhere())
    registry.register(elsewhere(licence_reason="agreed"))
    assert [f.field for f in registry.check(elsewhere()) if f.level == "error"] == ["licence_reason"]
    deny(registry, "llama3")
    assert registry.licensing.refuses(elsewhere(), ())
    refused = registry.model("far").run(text="x").error
    assert isinstance(refused, LicenceRefused)
    assert str(refused).startswith("`far` is not called. `acme/model` is under `llama3`")
    assert [path for _, path in loopback_hub.requests] == ["/api/models/acme/model"]


def test_a_model_elsewhere_that_nobody_can_ask_for_is_unknown_and_a_server_by_its_address_has_no_licence(
    loopback_hub: LoopbackHub, registry: hfreg.Registry
) -> None:
    loopback_hub.stop()
    registry.register(elsewhere())
    deny(registry, UNKNOWN)
    assert isinstance(registry.model("far").run(text="x").error, LicenceRefused)
    server = {"base_url": loopback_hub.url, "task": "text-classification", "retries": 0, "timeout_s": 1}
    registry.register(elsewhere(alias="near", endpoint=server))
    assert not isinstance(registry.model("near").run(text="x").error, LicenceRefused)


def test_a_shipped_checkpoint_has_the_licence_of_its_card(registry: hfreg.Registry) -> None:
    if not (STARTERS / "starter-sentiment" / "model.safetensors").is_file():
        pytest.skip("the starter checkpoint is not trained yet")
    definition = classifier("hfreg/starter-sentiment")
    registry.register(definition)
    deny(registry, "apache-2.0")
    assert "`apache-2.0`" in registry.check(definition)[0].message
    assert isinstance(registry.model("rater").run(text="fine").error, LicenceRefused)


def test_a_backup_brings_the_policy_back(registry: hfreg.Registry, tmp_path: Path) -> None:
    registry.register(hfreg.Definition(alias="one", scoring_logic="return 1"))
    deny(registry, "gemma")
    backup(registry.settings.home, tmp_path / "all.zip")
    restore(tmp_path / "all.zip", tmp_path / "elsewhere")
    assert Policies(tmp_path / "elsewhere" / "policies.json").licences().policy.of("gemma") == "denied"
