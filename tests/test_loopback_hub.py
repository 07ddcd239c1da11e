"""The loopback Hub itself, asked by the real huggingface_hub client."""

from __future__ import annotations

import huggingface_hub
import pytest
from hub_files import plain_repo
from huggingface_hub import HfApi, errors, hf_hub_download, snapshot_download
from loopback_hub import LoopbackHub


def test_the_real_client_reads_info_tree_search_and_files(loopback_hub: LoopbackHub) -> None:
    files = plain_repo() | {"1_Pooling/config.json": b"{}"}
    first = loopback_hub.add_repo("org/model", files, cardData={"license": "mit"})
    api = HfApi(endpoint=loopback_hub.url, token=False)
    assert api.model_info("org/model").sha == first
    assert api.model_info("org/model", revision=first, files_metadata=True).siblings[0].size > 0
    assert {file.path for file in api.list_repo_tree("org/model", recursive=True)} == set(files)
    assert [entry.path for entry in api.list_repo_tree("org/model") if entry.path == "1_Pooling"] == ["1_Pooling"]
    assert [entry.path for entry in api.list_repo_tree("org/model", "1_Pooling")] == ["1_Pooling/config.json"]
    with pytest.raises(errors.RemoteEntryNotFoundError):
        list(api.list_repo_tree("org/model", "additional_chat_templates"))
    assert [found.id for found in api.list_models(search="MODEL", limit=3)] == ["org/model"]
    folder = snapshot_download("org/model", endpoint=loopback_hub.url, token=False)
    assert folder.endswith(first)


def test_code_that_names_no_endpoint_reaches_it_too(loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    hf_hub_download("org/model", "config.json")
    assert huggingface_hub.model_info("org/model").id == "org/model"
    assert ("GET", "/org/model/resolve/main/config.json") not in loopback_hub.requests[:1]
    assert loopback_hub.requests[0][0] == "HEAD"


def test_a_new_commit_moves_the_branch_and_keeps_the_old_commit(loopback_hub: LoopbackHub) -> None:
    first = loopback_hub.add_repo("org/model", plain_repo(seed=1))
    second = loopback_hub.push("org/model", plain_repo(seed=2))
    api = HfApi(endpoint=loopback_hub.url, token=False)
    assert api.model_info("org/model").sha == second != first
    assert api.model_info("org/model", revision=first).sha == first


def test_it_enforces_tokens_gates_revisions_and_entries(loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/secret", plain_repo(), private=True)
    loopback_hub.add_repo("org/gated", plain_repo(), gated=True)
    reader = loopback_hub.add_token("hf_reader", repos=("org/secret", "org/gated"))
    stranger = loopback_hub.add_token("hf_stranger")
    api = HfApi(endpoint=loopback_hub.url)
    assert api.whoami(token=reader)["name"] == "ada"
    api.auth_check("org/gated", token=reader)
    for token in (False, stranger):
        with pytest.raises(errors.RepositoryNotFoundError) as missing:
            api.model_info("org/secret", token=token)
        assert not isinstance(missing.value, errors.GatedRepoError)
        with pytest.raises(errors.GatedRepoError):
            api.auth_check("org/gated", token=token)
    with pytest.raises(errors.HfHubHTTPError, match="401"):
        api.model_info("org/secret", token="hf_wrong")
    with pytest.raises(errors.RevisionNotFoundError):
        api.model_info("org/gated", revision="v9", token=reader)
    with pytest.raises(errors.RemoteEntryNotFoundError):
        hf_hub_download("org/gated", "nothing.json", endpoint=loopback_hub.url, token=reader)


def test_a_range_request_gets_the_rest_of_the_file(loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    url = f"{loopback_hub.url}/org/model/resolve/main/README.md"
    answer = huggingface_hub.get_session().get(url, headers={"Range": "bytes=4-"})
    assert (answer.status_code, answer.content) == (206, b"model\n")
    assert answer.headers["Content-Range"] == "bytes 4-9/10"


def test_a_stopped_hub_refuses_and_comes_back_on_the_same_port(loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/model", plain_repo())
    url = f"{loopback_hub.url}/api/models/org/model"
    session = huggingface_hub.get_session()
    assert session.get(url).status_code == 200
    loopback_hub.stop()
    with pytest.raises(Exception, match=r"refused|disconnected"):
        session.get(url)
    loopback_hub.start()
    assert session.get(url).status_code == 200
