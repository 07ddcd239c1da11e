"""Acceptance of the contract, section 6: settings, the log of calls, and what another process registered.

Written from the contract alone. The command line has its own file.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from contract_samples import define

import hfreg

OTHER_PROCESS = """
import sys
import hfreg
step = sys.argv[1]
registry = hfreg.open()
first = hfreg.Definition(alias="elsewhere", description="A probe.", scoring_logic="return 'one'")
if step == "register":
    registry.register(first)
    from hfreg.models import elsewhere
    print(elsewhere())
elif step == "approve and clone":
    registry.submit("elsewhere")
    registry.review("elsewhere", "Accept", "bob", "Fine.")
    registry.clone("elsewhere")
    registry.edit("elsewhere", first.model_copy(update={"scoring_logic": "return 'two'"}))
"""


def run_elsewhere(step: str) -> str:
    """Do a step in another process and return what it printed."""
    command = [sys.executable, "-c", OTHER_PROCESS, step]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_what_another_process_registers_edits_and_approves_is_seen_without_a_restart(
    registry: hfreg.Registry,
) -> None:
    registry.register(define())
    assert [version.alias for version in registry.catalog()] == ["probe"]
    with pytest.raises(ImportError):
        from hfreg.models import elsewhere
    assert run_elsewhere("register") == "one\n"
    from hfreg.models import elsewhere

    assert elsewhere() == "one" and elsewhere.run().state == "Draft"
    assert sorted(version.alias for version in registry.catalog()) == ["elsewhere", "probe"]
    registry.edit("elsewhere", define("return 'mine'", alias="elsewhere", arguments=[]))
    assert elsewhere() == "mine"
    run_elsewhere("approve and clone")
    assert elsewhere() == "mine" and elsewhere.run().state == "Approved"
    assert registry.model("elsewhere", version=2)() == "two"


def logged(path: Path) -> list[tuple[str, str, str]]:
    """Return state, status and source of each call in the log, in order."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT state, status, source FROM calls ORDER BY at, id").fetchall()
    connection.close()
    return rows


def test_every_call_records_the_state_it_was_made_in(home: Path) -> None:
    with hfreg.open(home) as registry:
        registry.register(define())
        registry.test(define(), text="a")
        model = registry.model("probe")
        model("a")
        registry.submit("probe")
        model.run(text=5)
        registry.review("probe", "Accept", "bob", "Fine.")
        list(model.map([{"text": "a"}, {"text": "b"}]))
    rows = logged(home / "events.sqlite")
    assert [(state, source) for state, _, source in rows] == [
        ("Draft", "test"), ("Draft", "python"), ("Pending Approval", "python"), ("Approved", "python"),
        ("Approved", "python")]  # fmt: skip
    assert [status == "ok" for _, status, _ in rows] == [True, True, False, True, True]


def test_the_log_is_where_the_setting_says(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "calls.db"
    monkeypatch.setenv("HFREG_DATABASE_URL", f"sqlite:///{path}")
    with hfreg.open(home) as registry:
        registry.register(define())
        registry.model("probe")("a")
    assert len(logged(path)) == 1
    assert not (home / "events.sqlite").exists()


def test_texts_and_answers_are_logged_only_where_the_definition_says(home: Path) -> None:
    with hfreg.open(home) as registry:
        registry.register(define("return 'answer ' + text"))
        registry.register(define("return 'answer ' + text", alias="kept", store_payloads=True))
        registry.model("probe")("private words")
        registry.model("kept")("public words")
    stored = b"".join(path.read_bytes() for path in home.glob("events.sqlite*"))
    assert b"private words" not in stored
    assert b"public words" in stored and b"answer public" in stored


def test_only_approved_is_asked_for_by_any_word_for_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, refuses in [("1", True), ("true", True), ("0", False), ("", False), ("false", False)]:
        monkeypatch.setenv("HFREG_REQUIRE_APPROVED", value)
        with hfreg.open(tmp_path / f"home {value}") as registry:
            registry.register(define())
            assert isinstance(registry.model("probe").run("a").error, hfreg.NotApproved) == refuses, value


def test_the_time_limit_of_the_setting_is_that_of_a_definition_without_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFREG_TIMEOUT_S", "0.3")
    outcome = hfreg.open(home).test(define("while True:\n    pass"), text="a")
    assert isinstance(outcome.error, hfreg.ScoringTimeout) and outcome.status == "timeout"
    patient = define("import time\ntime.sleep(0.5)\nreturn text", limits=hfreg.Limits(time_s=20))
    assert hfreg.open(home).test(patient, text="a").value == "a"


def test_the_environment_of_the_process_is_never_written(registry: hfreg.Registry) -> None:
    registry.save_token("hf_" + "w" * 34)
    before = dict(os.environ)
    for names in ("import os\nseen = os.getenv(name)", "from os import environ as e\nseen = e.get(name)",
                  "from os import getenv\nseen = getenv(name)", "import os as o\nseen = o.environ[name]"):  # fmt: skip
        source = f"name = text\n{names}\nreturn seen[-4:]"
        for name in ("HUGGINGFACE_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            outcome = registry.test(define(source, token=True), text=name)
            assert outcome.value == "wwww", (source, name, outcome.error)
    hidden = define("import os\nreturn os.getenv('HUGGINGFACE_TOKEN', 'nothing')")
    assert registry.test(hidden, text="a").value == "nothing"
    assert dict(os.environ) == before


def test_a_token_of_the_users_own_environment_is_seen_as_in_any_program(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACE_TOKEN", "hf_" + "o" * 34)
    source = "import os\nreturn [os.getenv('HUGGINGFACE_TOKEN'), os.getenv('HF_TOKEN')]"
    plain = hfreg.open(home).test(define(source), text="a")
    assert plain.value == ["hf_" + "o" * 34, None]
    asked = hfreg.open(home).test(define(source, token=True), text="a")
    assert asked.value == ["hf_" + "o" * 34] * 2


def test_each_place_of_a_token_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import os\nreturn os.getenv('HUGGINGFACE_TOKEN')[-4:]"
    path = tmp_path / "token"
    path.write_text("hf_" + "f" * 34 + "\n")
    for name, value in [("HF_TOKEN", "hf_" + "a" * 34), ("HUGGING_FACE_HUB_TOKEN", "hf_" + "b" * 34),
                        ("HF_TOKEN_PATH", str(path))]:  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with hfreg.open(tmp_path / name) as registry:
                outcome = registry.test(define(source, token=True), text="a")
            assert outcome.value == ("ffff" if name == "HF_TOKEN_PATH" else value[-4:]), (name, outcome.error)


def test_a_setting_that_cannot_be_used_is_named_with_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in [("HFREG_TIMEOUT_S", "soon"), ("HFREG_TIMEOUT_S", "-1"), ("HFREG_REQUIRE_APPROVED", "maybe"),
                        ("HFREG_MEMORY_BUDGET_MB", "lots"), ("HFREG_ENGINE", "fast"),
                        ("HFREG_DATABASE_URL", "nonsense")]:  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(ValueError, match=name) as caught:
                hfreg.open(tmp_path / "home").test(define(), text="a")
            assert isinstance(caught.value, hfreg.HfregError) and value in str(caught.value), (name, value)


def test_an_empty_home_in_a_wrong_folder_is_named_together_with_the_setting(registry: hfreg.Registry) -> None:
    with pytest.raises(hfreg.UnknownModel) as caught:
        registry.model("probe")
    assert "HFREG_HOME" in str(caught.value) and str(registry.settings.home) in str(caught.value)


def test_importing_loads_no_torch_and_makes_nothing(tmp_path: Path) -> None:
    program = "import sys, os, hfreg, hfreg.models; registry = hfreg.open(); print(len(registry.catalog()), "
    program += "[m for m in ('torch', 'transformers', 'streamlit') if m in sys.modules], os.listdir('.'))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True,
                          timeout=60, env=_without_home())  # fmt: skip
    assert done.stdout == "0 [] []\n" and done.stderr == ""


def _without_home() -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    return {**{name: value for name, value in os.environ.items() if name != "HFREG_HOME"}, "PYTHONPATH": root}
