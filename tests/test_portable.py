"""Export files: the pins they carry over, and what is said of a file that cannot be taken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract_samples import define
from loopback_hub import LoopbackHub

import hfreg
from hfreg.lifecycle import State
from hfreg.version import Pin

NAMED = 'from transformers import AutoConfig\nreturn AutoConfig.from_pretrained("org/name").vocab_size + len(text)'
PIN = {"repo": "org/name", "revision": None, "commit": "a" * 40, "at": "2026-11-02T08:00:00Z"}
OTHER = {**PIN, "repo": "org/built-at-run-time"}


@pytest.fixture
def registry(home: Path, loopback_hub: LoopbackHub) -> hfreg.Registry:
    """An empty registry, opened where the loopback Hub is the Hub."""
    return hfreg.open(home)


def exported(registry: hfreg.Registry, source: str = NAMED, **of_pin: object) -> dict[str, Any]:
    """Return an export of a model that pins two sources, the second one built at run time, and delete the model."""
    pins = [Pin(**{**PIN, **of_pin}), Pin(**{**OTHER, **of_pin})]
    registry.register(define(source), pins=pins)
    document: dict[str, Any] = json.loads(registry.export("probe"))
    registry.delete("probe")
    return document


def commits(version: hfreg.Version) -> dict[str, str]:
    return {pin.repo: pin.commit for pin in version.pins}


def test_an_import_has_the_pins_of_its_file_without_asking_the_hub(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    version = registry.import_(exported(registry))
    assert commits(version) == {"org/name": "a" * 40, "org/built-at-run-time": "a" * 40}
    assert loopback_hub.requests == []
    registry.submit("probe")
    assert registry.get("probe").state is State.PENDING


def test_a_file_whose_scoring_logic_was_changed_keeps_the_pins_of_what_it_still_names(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    commit = loopback_hub.add_repo("org/new", {"config.json": b"{}"})
    document = exported(registry)
    document["definition"]["scoring_logic"] = NAMED + "\n# shorter"
    assert commits(registry.import_(document)) == {"org/name": "a" * 40}
    registry.delete("probe")
    document["definition"]["scoring_logic"] = NAMED.replace("org/name", "org/new")
    assert commits(registry.import_(document)) == {"org/new": commit}


def test_an_import_over_a_version_that_is_pinned_otherwise_needs_a_version_of_its_own(registry: hfreg.Registry) -> None:
    document = exported(registry, commit="b" * 40)
    registry.register(define(NAMED), pins=[Pin(**PIN)])
    with pytest.raises(hfreg.LifecycleError, match=f"org/name pinned to {'a' * 40}.* cannot become {'b' * 40}"):
        registry.import_(document)
    assert [s.number for s in registry.snapshots("probe")] == [1]
    registry.archive("probe")
    version = registry.import_(document)
    assert (version.number, commits(version)["org/name"]) == (2, "b" * 40)
    assert commits(registry.get("probe", 1)) == {"org/name": "a" * 40}


def test_a_pin_that_is_none_is_refused(registry: hfreg.Registry) -> None:
    for of_pin, said in (
        ({"commit": "main"}, "pins `org/name` to 'main', which is no full commit"),
        ({"sha": "a" * 40}, "no field `sha`"),
    ):
        document = exported(registry)
        document["exported"]["pins"][0].update(of_pin)
        with pytest.raises(hfreg.ImportFileError, match=said):
            registry.import_(document)
    assert registry.catalog() == []


def test_a_file_that_cannot_be_imported_is_named(registry: hfreg.Registry, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    for content, said in (("{", "not JSON"), ("{}", "no export of hfreg"), ("[]", "no export of hfreg")):
        file.write_text(content, encoding="utf-8")
        for source in (file, str(file), file.open("rb")):
            with pytest.raises(hfreg.ImportFileError, match=rf"^{re.escape(str(file))}: .*{said}"):
                registry.import_(source)
            if not isinstance(source, (str, Path)):
                source.close()
