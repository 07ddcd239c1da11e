"""Pictures and sound in the playground: uploaded, shown, run, copied as code, and kept when small."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hfreg import Argument, Definition, Registry
from hfreg.types import parse
from hfreg.types.signals import png, wav
from hfreg.ui import media_field, runs, snippets, trials

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = png(3, 2, 1, bytes(6))
LARGE = png(200, 200, 1, bytes(40_000))


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(registry: Registry, kind: str = "Image", logic: str = "return list(thing.size)") -> AppTest:
    arguments = [Argument("thing", kind, usage="What to look at")]
    registry.register(Definition(alias="looker", output_type="Any", arguments=arguments, scoring_logic=logic))
    return playground()


def playground() -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.run()
    at.query_params["model"] = "looker"
    at.switch_page("pages/try_it/playground.py")
    return at.run()


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    (field,) = at.file_uploader
    field.upload(name, data).run()
    return at


def said(at: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "success", "code", "toast", "info")
    return "\n".join(str(one.value) for kind in kinds for one in at.get(kind))


def test_an_uploaded_picture_is_shown_run_and_kept_as_an_example(registry: Registry) -> None:
    at = upload(opened(registry), "two.png", PICTURE)
    assert not at.exception and "too large" not in said(at)
    at.button(key="playground.run").click().run()
    for _ in range(20):
        if "warm" in said(at) or "cold" in said(at):
            break
        at.run()
    assert not at.exception and not at.error, said(at)
    assert "<Image image/png" in said(at)
    at.button(key="playground.save").click().run()
    (example,) = registry.get("looker").definition.examples
    assert example["thing"].startswith("data:image/png;base64,")
    assert "Image 1" in [button.label for button in at.run().button]


def test_a_call_with_a_picture_is_copied_with_a_path(registry: Registry) -> None:
    opened(registry)
    version = registry.get("looker")
    given = {"thing": parse("Image").check(PICTURE, "thing")}
    assert "thing='thing.png'" in snippets.python_call(version, given)
    assert snippets.cli_call(version, given).endswith("thing=thing.png")


def test_sound_has_an_upload_and_a_player(registry: Registry) -> None:
    at = upload(opened(registry, "Audio", "return len(thing['array'])"), "tone.wav", wav(16_000, bytes(6_400)))
    assert not at.exception and at.get("audio")


def test_what_is_no_picture_is_refused_at_its_field(registry: Registry) -> None:
    at = upload(opened(registry), "two.png", b"%PDF-1.7")
    at.button(key="playground.run").click().run()
    assert not at.exception and "wanted Image as PNG" in said(at)


def test_uploads_of_a_session_are_bounded_and_the_message_says_what_to_do(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_field, "MAX_HELD", len(PICTURE) + 40)
    arguments = [Argument("one", "Image"), Argument("two", "Image", optional=True)]
    registry.register(Definition(alias="looker", output_type="Any", arguments=arguments, scoring_logic="return 1"))
    at = playground()

    def held() -> list[bool]:
        return [bool(at.session_state[f"playground.looker.{name}.upload"]) for name in ("one", "two")]

    at.file_uploader[0].upload("one.png", PICTURE).run()
    assert not at.error and held() == [True, False]
    at.file_uploader[1].upload("two.png", PICTURE).run()
    (told,) = at.error
    assert told.value.startswith("two.png has 0.0 MB, and the forms of this session hold")
    assert told.value.endswith("Remove another upload first, or reload the page.")
    assert held() == [True, False]
    at.file_uploader[0].upload("one.png", PICTURE).run()  # in place of the first it fits, as before
    assert held() == [True, False]


def test_calls_with_pictures_are_let_go_when_they_hold_too_much(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "KEPT_BYTES", 2 * len(PICTURE))
    at = upload(opened(registry), "two.png", PICTURE)
    for _ in range(3):
        at.button(key="playground.run").click().run()
        ended = time.monotonic() + 10
        while not at.session_state["playground.trials"][0].done and time.monotonic() < ended:
            at.run()
    at.run()
    assert [run.media_bytes for run in at.session_state["playground.trials"]] == [len(PICTURE)] * 2
    assert "Older calls with pictures or sound are gone" in said(at)


def test_runs_with_pictures_are_forgotten_before_runs_of_text(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT_BYTES", len(PICTURE))
    arguments = [Argument("thing", "Image", optional=True)]
    registry.register(Definition(alias="looker", output_type="Any", arguments=arguments, scoring_logic="return 1"))
    version, all_runs = registry.get("looker"), runs.Runs()
    picture = parse("Image").check(PICTURE, "thing")

    def run(**given: object) -> str:
        live = all_runs.start(registry, version, given, "playground", "ada")
        ended = time.monotonic() + 10
        while not live.done and time.monotonic() < ended:
            time.sleep(0.005)
        return live.id

    text, first, second = run(), run(thing=picture), run(thing=picture)
    assert [all_runs.find(one) is not None for one in (text, first, second)] == [True, False, True]


def test_a_large_picture_is_not_kept_as_an_example(registry: Registry) -> None:
    at = upload(opened(registry), "large.png", LARGE)
    at.button(key="playground.save").click().run()
    assert "at most 16,000 are kept" in said(at)
    assert registry.get("looker").definition.examples == ()
