"""Sources: what is recorded of a repository beside a version, and that what is loaded is what was registered."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract_samples import define
from hub_files import plain_repo, safetensors
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.hub.hashes import Hashes
from hfreg.store.definitions import Definitions
from hfreg.version import Source

CODE = 'from transformers import AutoConfig\nreturn AutoConfig.from_pretrained("org/model").vocab_size'
CARD = b"---\nlicense: apache-2.0\n---\n# A model\n"
CLEAN = {"scansDone": True, "filesWithIssues": []}


@pytest.fixture
def registry(home: Path, loopback_hub: LoopbackHub) -> hfreg.Registry:
    """An empty registry, opened where the loopback Hub is the Hub."""
    return hfreg.open(home)


@pytest.fixture
def loading(
    engine: str, home: Path, loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints
) -> Iterator[hfreg.Registry]:
    """A registry over each engine whose model `probe` really loads a tiny checkpoint of the loopback Hub."""
    loopback_hub.add_repo("org/model", tiny_checkpoints.classifier)
    registry = hfreg.open(home)
    registry.register(define(CODE, output_type="Numerical", arguments=[]))
    yield registry
    registry.close()


def weights(hub_cache: Path) -> Path:
    """Return the weights of org/model in the cache, not the link to them."""
    return next(hub_cache.glob("models--org--model/snapshots/*/model.safetensors")).resolve()


def swap_a_byte(path: Path) -> None:
    """Change one byte and keep size and date, as nobody does by accident."""
    about, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that are read for their hash from here on."""
    read: list[str] = []
    from hfreg.hub import hashes

    real = hashes.digest
    monkeypatch.setattr(hashes, "digest", lambda path, *rest: (read.append(path.name), real(path, *rest))[1])
    return read


def test_registering_records_what_the_hub_says_of_a_source(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    files = {**plain_repo(), "README.md": CARD}
    commit = loopback_hub.add_repo("org/model", files, gated=True, securityRepoStatus=CLEAN)
    version = registry.register(define(CODE))
    (source,) = version.sources
    assert (source.repo, source.revision, source.commit, source.said_by) == ("org/model", None, commit, "hub")
    assert (source.licences, source.gated, source.private, source.scan) == (
        ("apache-2.0",), True, False, "no issues found")  # fmt: skip
    listed = {file.name: file for file in source.files}
    assert set(listed) == set(files) and source.complete
    assert listed["model.safetensors"].size == len(safetensors()) and len(listed["model.safetensors"].sha256) == 64
    assert len(listed["config.json"].blob) == 40 and "torch" in source.libraries
    assert [path for _, path in loopback_hub.requests] == ["/api/models/org/model"]


def test_a_security_status_that_the_hub_does_not_give_is_unknown(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    (source,) = registry.register(define(CODE)).sources
    assert source.scan == "unknown" and source.licences == ()


def test_a_commit_that_the_code_writes_out_is_recorded_too(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    loopback_hub.push("org/model", plain_repo(seed=2))
    version = registry.register(define(CODE.replace('"org/model"', f'"org/model", revision="{commit}"')))
    assert version.pins == () and [source.commit for source in version.sources] == [commit]


def test_what_a_clone_an_edit_and_an_import_know_of_a_source_is_asked_once(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    sources = registry.register(define(CODE)).sources
    loopback_hub.forget_requests()
    assert registry.edit("probe", define(CODE, name="Said better")).sources == sources
    text = registry.export("probe")
    registry.submit("probe")
    registry.review("probe", "Accept")
    assert registry.clone("probe").sources == sources
    registry.delete("probe", 2)
    registry.archive("probe")
    assert registry.import_(text).sources == sources
    assert loopback_hub.requests == []


def test_a_source_in_a_file_that_is_none_is_refused(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    registry.register(define(CODE))
    document = json.loads(registry.export("probe"))
    document["exported"]["sources"][0]["said_by"] = "somebody"
    with pytest.raises(hfreg.ImportFileError, match="A source in the file cannot be used"):
        registry.import_(document)


def test_a_home_without_records_loads_and_submitting_completes_it(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, home: Path
) -> None:
    commit = loopback_hub.add_repo("org/model", plain_repo())
    registry.register(define(CODE))
    with registry.definitions.storage.transaction() as db:  # as a home of before has it
        for document in db.table("versions"):
            del document["sources"]
            db.table("versions").remove(doc_ids=[document.doc_id])
            db.table("versions").insert(dict(document))
    assert Definitions(home / "definitions.json").get("probe").sources == ()
    registry.submit("probe")
    assert [(source.commit, source.said_by) for source in registry.get("probe").sources] == [(commit, "hub")]


def test_weights_that_differ_from_the_registered_ones_are_refused(loading: hfreg.Registry, hub_cache: Path) -> None:
    model = loading.model("probe")
    model()
    loading.unload("probe")
    registered = next(f for f in loading.get("probe").sources[0].files if f.name == "model.safetensors").sha256
    swap_a_byte(weights(hub_cache))
    with pytest.raises(hfreg.errors.UnsafeRepo) as refused:
        model()
    text = str(refused.value)
    assert "`org/model`: model.safetensors on this disk is not the file that was registered" in text
    assert f"SHA-256 {registered[:12]}… then" in text and "cache --delete org/model" in text
    from hfreg.hub import cache

    cache.delete("org/model")  # the way out that it names
    assert model() > 0


def test_a_file_that_the_registered_commit_does_not_have_is_refused(loading: hfreg.Registry, hub_cache: Path) -> None:
    model = loading.model("probe")
    model()
    loading.unload("probe")
    (next(hub_cache.glob("models--org--model/snapshots/*")) / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(
        hfreg.errors.UnsafeRepo, match=r"adapter_config\.json on this disk is no file of the registered commit"
    ):
        model()


def test_a_cold_load_reads_no_file_again_to_compare_it(
    loading: hfreg.Registry, loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = hashed(monkeypatch)
    model = loading.model("probe")
    model()
    assert read.count("model.safetensors") <= 1 and len(read) > 0
    loopback_hub.forget_requests()
    for _ in range(2):
        read.clear()
        loading.unload("probe")
        model()
        assert read == []
    assert loopback_hub.requests == []


def test_what_a_home_fetched_is_compared_where_a_version_has_no_record(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    from hfreg.hub.provenance import PinnedResolver

    loopback_hub.add_repo("org/model", plain_repo())
    PinnedResolver(registry.fetcher, starters=Path("/nowhere")).resolve("org/model")
    made: list[Source] = []
    PinnedResolver(registry.fetcher, starters=Path("/nowhere"), on_record=made.append).resolve("org/model")
    assert [(one.said_by, one.complete, one.gated, one.scan) for one in made] == [("disk", False, None, "unknown")]
    swap_a_byte(weights(hub_cache))
    with pytest.raises(hfreg.errors.UnsafeRepo, match="not the file that was registered"):
        PinnedResolver(registry.fetcher, starters=Path("/nowhere"), frozen=True).resolve("org/model", made[0].commit)


def test_hashes_outlive_the_process_and_a_hard_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, kept = tmp_path / "weights", tmp_path / "hashes.json"
    file.write_bytes(b"weights")
    first = Hashes(kept).of(file)
    read = hashed(monkeypatch)
    with Hashes(kept).unchanged([file]):
        (tmp_path / "link").hardlink_to(file)
    assert Hashes(kept).of(file) == first and read == []
    with Hashes(kept).unchanged([file]):
        swap_a_byte(file)
        file.write_bytes(b"others!")
    assert Hashes(kept).of(file).sha256 != first.sha256 and read == ["weights"]
