"""The fields of API Based and Custom models on the New Model page, and what the model's page tells of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from register_form import draft, fill, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg

MODEL_PAGE = "pages/catalog/model.py"


def chosen(at: AppTest, input_type: str) -> AppTest:
    at.radio(key=f"register.input_type.{input_type}").set_value(input_type).run()
    assert not at.exception, at.exception
    return at


def pick(at: AppTest, field: str, value: str) -> AppTest:
    at.selectbox(key=f"register.{field}").select(value).run()
    assert not at.exception, at.exception
    return at


def test_an_api_based_model_is_registered_with_the_form_alone(server: hfreg.Registry) -> None:
    at = chosen(press(opened(), "add_argument"), "API Based")
    assert "Choose the task and add an argument" in said(at)
    fill(at, alias="chatter", description="Chats.", **{"argument.1.alias": "question"})
    pick(at, "endpoint_task", "chat-completion")
    fill(at, endpoint_model="org/chat", code="")
    pick(at, "output_type", "String")
    assert "Sent: `question` as messages" in said(at)
    press(at, "save")
    saved = server.get("chatter").definition
    assert saved.input_type == "API Based"
    assert saved.endpoint is not None
    assert (saved.endpoint.model, saved.endpoint.task, saved.endpoint.provider) == (
        "org/chat",
        "chat-completion",
        "auto",
    )
    assert saved.scoring_logic == ""


def test_an_argument_is_sent_as_what_is_chosen_or_not_at_all(server: hfreg.Registry) -> None:
    at = chosen(opened(template="guardrail"), "API Based")
    pick(at, "endpoint_task", "text-classification")
    names = [row["alias"] for row in draft(at)["rows"]]
    assert at.selectbox(key="register.sent_as.text").value == ""
    at.selectbox(key="register.sent_as.threshold").select("top_k").run()
    at.selectbox(key="register.sent_as.max_length").select("not sent").run()
    assert names == ["text", "threshold", "max_length"]
    assert draft(at)["fields"]["endpoint_parameters"] == {"threshold": "top_k", "max_length": ""}
    assert "`threshold` as top_k" in said(at)


def test_the_fields_are_gone_with_another_input_type_and_back_with_it(server: hfreg.Registry) -> None:
    at = chosen(opened(), "API Based")
    fill(at, endpoint_model="org/chat")
    chosen(at, "Python Function")
    assert not [one for one in at.text_input if one.key == "register.endpoint_model"]
    chosen(at, "API Based")
    assert at.text_input(key="register.endpoint_model").value == "org/chat"


def test_the_token_switch_is_there_for_an_address_only(server: hfreg.Registry) -> None:
    at = chosen(opened(), "API Based")
    assert "register.endpoint_send_token" not in {one.key for one in at.toggle}
    fill(at, endpoint_base_url="http://169.254.169.254/latest")
    assert not at.toggle(key="register.endpoint_send_token").value
    assert "own network services" in said(at)
    fill(at, endpoint_base_url="http://127.0.0.1:9/v1")
    assert "own network services" not in said(at)


def test_pieces_can_be_switched_off_for_tasks_that_have_them(server: hfreg.Registry) -> None:
    at = pick(chosen(opened(), "API Based"), "endpoint_task", "text-classification")
    assert "register.endpoint_stream" not in {one.key for one in at.toggle}
    pick(at, "endpoint_task", "chat-completion")
    at.toggle(key="register.endpoint_stream").set_value(False).run()
    assert draft(at)["fields"]["endpoint_stream"] is False


def test_a_reviewer_sees_who_is_called_and_what_is_sent(server: hfreg.Registry) -> None:
    server.register(
        hfreg.Definition(
            alias="chatter",
            description="Chats.",
            output_type="String",
            input_type="API Based",
            arguments=[hfreg.Argument("question", "String")],
            endpoint={"base_url": "http://127.0.0.1:9/v1", "task": "chat-completion", "send_token": True},
        )
    )
    at = opened()
    at.query_params["alias"] = "chatter"
    at.switch_page(MODEL_PAGE).run()
    assert not at.exception, at.exception
    words = said(at)
    assert "question as messages" in words
    assert "sent to this address" in words
    assert "whoever runs the model may change it" in words


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as one:
        for name, data in files.items():
            one.writestr(name, data)
    return made.getvalue()


def upload(at: AppTest, files: dict[str, bytes]) -> AppTest:
    at.file_uploader(key=next(one.key for one in at.file_uploader if "folder_upload" in one.key)).upload(
        "model.zip", archive(files), "application/zip"
    )
    at.run()
    assert not at.exception, at.exception
    return at


def test_a_custom_model_is_registered_with_its_folder_and_both_codes(server: hfreg.Registry) -> None:
    at = chosen(opened(), "Custom")
    fill(at, alias="keeper", description="Keeps.", code="return words")
    rev = draft(at)["rev"]
    at.session_state["register.initialization"] = {"document": {"rev": rev, "text": "words = open(model_dir).name"}}
    at.session_state[f"register.initialization@{rev}"] = "words = open(model_dir).name"
    at.run()
    upload(at, {"../out.txt": b"x", "a": b""})
    assert "leads out of the folder" in said(at)
    assert draft(at)["fields"]["folder"] == ""
    upload(at, {"vocab.txt": b"sea"})
    assert "3 bytes: vocab.txt" in said(at)
    assert "leads out" not in said(at)
    press(at, "save")
    saved = server.get("keeper").definition
    assert saved.input_type == "Custom"
    assert saved.initialization_logic == "words = open(model_dir).name"
    kept = server.folders.get(saved.folder)
    assert [file.name for file in kept.files] == ["vocab.txt"]


def test_the_same_zip_again_is_recognised(server: hfreg.Registry) -> None:
    at = upload(chosen(opened(), "Custom"), {"vocab.txt": b"sea"})
    address = draft(at)["fields"]["folder"]
    assert "was here already" not in said(at)
    press(at, "folder_remove")
    upload(at, {"vocab.txt": b"sea"})
    assert "The same content was here already" in said(at)
    assert draft(at)["fields"]["folder"] == address


def test_a_further_zip_is_added_to_the_folder_where_that_is_chosen(server: hfreg.Registry) -> None:
    at = upload(chosen(opened(), "Custom"), {"one.txt": b"1"})
    at.toggle(key="register.folder_add").set_value(True).run()
    upload(at, {"two.txt": b"2"})
    kept = server.folders.get(draft(at)["fields"]["folder"])
    assert [file.name for file in kept.files] == ["one.txt", "two.txt"]
    at.toggle(key="register.folder_add").set_value(False).run()
    upload(at, {"three.txt": b"3"})
    assert [f.name for f in server.folders.get(draft(at)["fields"]["folder"]).files] == ["three.txt"]


def test_a_folder_of_this_machine_is_taken_while_the_page_is_on_loopback_alone(
    server: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "vocab.txt").write_text("sea")
    at = press(chosen(opened(), "Custom"), "folder_take")
    assert "Type the path of a folder first" in said(at)
    at.text_input(key="register.folder_path").set_value(str(tmp_path / "nowhere")).run()
    press(at, "folder_take")
    assert "nowhere is not there" in said(at).replace("\\", "")
    at.text_input(key="register.folder_path").set_value(str(tmp_path / "model")).run()
    press(at, "folder_take")
    assert "vocab.txt" in said(at)
    assert server.folders.get(draft(at)["fields"]["folder"]).files[0].name == "vocab.txt"
    monkeypatch.setattr("hfreg.ui.listening.LOOPBACK", ())
    at.run()
    assert "register.folder_take" not in {button.key for button in at.button}
    assert "registry.add_folder(path)" in said(at)


def test_a_folder_is_removed_from_the_form_alone(server: hfreg.Registry) -> None:
    at = upload(chosen(opened(), "Custom"), {"vocab.txt": b"sea"})
    address = draft(at)["fields"]["folder"]
    press(at, "folder_remove")
    assert draft(at)["fields"]["folder"] == ""
    assert server.folders.find(address) is not None


def test_quantization_is_chosen_refused_beside_another_dtype_and_cleared(server: hfreg.Registry) -> None:
    at = opened(template="guardrail")
    pick(at, "quantization", "int8")
    pick(at, "dtype", "bfloat16")
    fill(at, alias="small")
    assert "int8 is made of float32 weights" in said(at)
    press(at, "save")
    assert "small" not in server.definitions.aliases()
    pick(at, "dtype", "float32")
    press(at, "save")
    assert server.get("small").definition.options.quantization == "int8"
    at.selectbox(key="register.quantization").set_value(None).run()
    press(at, "save")
    assert server.get("small").definition.options.quantization == ""


def test_advanced_options_are_saved_and_seen_by_a_reviewer(server: hfreg.Registry) -> None:
    at = opened(template="guardrail")
    pick(at, "dtype", "bfloat16")
    at.number_input(key="register.threads").set_value(2).run()
    at.text_input(key="register.warm_up").set_value("hello").run()
    assert "Write the arguments as JSON" in said(at)
    at.text_input(key="register.warm_up").set_value('{"text": "hello"}').run()
    assert "Write the arguments as JSON" not in said(at)
    fill(at, alias="optioned")
    press(at, "save")
    saved = server.get("optioned").definition.options
    assert (saved.dtype, saved.threads, saved.warm_up) == ("bfloat16", 2, {"text": "hello"})
    at.query_params["alias"] = "optioned"
    at.switch_page(MODEL_PAGE).run()
    assert "bfloat16" in said(at)
