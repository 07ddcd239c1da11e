"""Acceptance of the contract, section 5: each command, its answer and its exit code.

All commands run once over one home, those in `PROCESSES` as processes of their own, two at a time, the rest through
`hfreg.cli.main`; the tests look at what they said. Written from the contract alone.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from contract_samples import TEXT, define

import hfreg
from hfreg.cli import main

ROOT = Path(__file__).parent.parent
OPTIONAL = [
    hfreg.Argument("threshold", "Numerical", optional=True, default="0.5"),
    hfreg.Argument("strict", "Boolean", optional=True), hfreg.Argument("labels", "Array[String]", optional=True),
    hfreg.Argument("extra", "Any", optional=True),
]  # fmt: skip
ECHO = define(
    "import sys\nprint('printed')\nprint('aside', file=sys.stderr)\nreturn [text, threshold, strict, labels, extra]",
    alias="echo", arguments=[TEXT, *OPTIONAL], output_type="List",
)  # fmt: skip


class Said(NamedTuple):
    """What a process said."""

    code: int
    out: str
    err: str


PROCESSES: dict[str, list[str]] = {
    "models json": ["models", "--json"], "show": ["show", "echo"], "run": ["run", "upper", "text=hä"],
    "run typed": ["run", "echo", "text=5", "threshold=512", "strict=true", 'labels=["a"]', "extra=x", "--json"],
    "run failing": ["run", "failing", "text=a"], "run wrong type": ["run", "echo", "text=a", "threshold=high"],
    "check bad": ["check", "{folder}/bad.json"], "export": ["export", "echo"], "nonsense": ["nonsense"],
    "import": ["import", "{folder}/echo.json", "--home", "{folder}/other"], "doctor": ["doctor", "--json"],
}  # fmt: skip
COMMANDS: dict[str, list[str]] = {
    "models": ["models"], "show unknown": ["show", "ecko"], "show json": ["--json", "show", "echo"],
    "run empty": ["run", "echo", "text=", "threshold=", "--json"], "run equals": ["run", "upper", "text=a=b"],
    "run missing": ["run", "echo"], "run unknown argument": ["run", "echo", "text=a", "treshold=1"],
    "run unknown": ["run", "ecko", "text=a"], "run no pair": ["run", "echo", "text"],
    "run dash": ["run", "upper", "text=--x"], "check": ["check", "{folder}/echo.json"],
    "check json": ["check", "{folder}/bad.json", "--json"], "check missing": ["check", "{folder}/none.json"],
    "export unknown": ["export", "ecko"], "import garbage": ["import", "{folder}/garbage.json"], "nothing": [],
    "no alias": ["run"], "option": ["models", "--nonsense"], "help": ["--help"], "loaded": ["loaded"],
}  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """Run every command over a home with three models and return what each said."""
    folder = tmp_path_factory.mktemp("cli")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        with hfreg.open(folder / "home") as registry:
            registry.register(ECHO)
            registry.register(define("return text.upper()", alias="upper", output_type="String"))
            registry.register(define("return 1 / 0", alias="failing"))
            exported = registry.export("echo")
    (folder / "echo.json").write_text(exported, encoding="utf-8")
    (folder / "bad.json").write_text(exported.replace("threshold, strict", "threshhold, strict"), encoding="utf-8")
    (folder / "garbage.json").write_text("{", encoding="utf-8")
    filled = {name: [word.replace("{folder}", str(folder)) for word in words] for name, words in COMMANDS.items()}
    heard = {name: in_process(["--home", str(folder / "home"), *words]) for name, words in filled.items()}
    keep = {n: v for n, v in os.environ.items() if not n.startswith(("HF", "HUGGING"))}
    env = {**keep, "HFREG_HOME": str(folder / "home"), "HF_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT),
           "HF_HOME": str(folder / "hf")}  # fmt: skip

    def run(words: list[str]) -> Said:
        command = [sys.executable, "-m", "hfreg", *(word.replace("{folder}", str(folder)) for word in words)]
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=90)
        return Said(done.returncode, done.stdout, done.stderr)

    with ThreadPoolExecutor(2) as pool:
        return heard | dict(zip(PROCESSES, pool.map(run, PROCESSES.values()), strict=True))


def in_process(words: list[str]) -> Said:
    """Run a command here and return what it said."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as left:
            code = int(left.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def test_answers_are_on_stdout_and_exit_is_0(said: dict[str, Said]) -> None:
    for name in (
        "models",
        "models json",
        "show",
        "show json",
        "run",
        "run typed",
        "run empty",
        "check",
        "export",
        "import",
        "help",
    ):
        assert said[name].code == 0, (name, said[name])
        assert name == "check" or said[name].out.strip(), (name, said[name])
        assert "Traceback" not in said[name].err


def test_what_failed_exits_1_with_a_sentence_on_stderr(said: dict[str, Said]) -> None:
    for name, told in [
        ("show unknown", "echo"), ("run unknown", "echo"), ("run failing", "ZeroDivisionError"),
        ("export unknown", "echo"), ("check missing", "none.json"), ("import garbage", "no export"),
    ]:  # fmt: skip
        assert said[name].code == 1, (name, said[name])
        assert told in said[name].err and said[name].out == "", (name, said[name])
        assert "Traceback" not in said[name].err and "hfreg/" not in said[name].err, (name, said[name].err)


def test_a_file_that_cannot_be_imported_is_named(said: dict[str, Said]) -> None:
    assert "garbage.json" in said["import garbage"].err


def test_wrong_use_exits_2(said: dict[str, Said]) -> None:
    for name in (
        "nonsense",
        "no alias",
        "option",
        "run no pair",
        "run wrong type",
        "run missing",
        "run unknown argument",
    ):
        assert said[name].code == 2, (name, said[name])
        assert said[name].err.strip() and said[name].out == "", (name, said[name])
        assert "Traceback" not in said[name].err
    assert "threshold" in said["run unknown argument"].err and "threshold" in said["run wrong type"].err
    assert said["nothing"].code in (0, 2) and "COMMAND" in said["nothing"].out + said["nothing"].err


def test_what_is_printed_by_scoring_logic_is_no_answer(said: dict[str, Said]) -> None:
    assert json.loads(said["run typed"].out)
    assert "printed" not in said["run typed"].out
    assert "printed" in said["run typed"].err


def value_of(answer: str) -> object:
    """Return the value in the JSON that `run --json` gave."""
    data = json.loads(answer)
    return data["value"] if isinstance(data, dict) else data


def test_arguments_of_a_run_are_read_by_their_types(said: dict[str, Said]) -> None:
    assert value_of(said["run typed"].out) == ["5", 512, True, ["a"], "x"]
    assert value_of(said["run empty"].out) == [None, None, None, None, None]
    assert said["run"].out == "HÄ\n"
    assert said["run equals"].out == "A=B\n" and said["run dash"].out == "--X\n"


def test_the_models_are_listed_for_people_and_machines(said: dict[str, Said]) -> None:
    listed = json.loads(said["models json"].out)
    assert sorted(one["alias"] for one in listed) == ["echo", "failing", "upper"]
    assert all(alias in said["models"].out for alias in ("echo", "failing", "upper")) and "Draft" in said["models"].out
    assert json.loads(said["show json"].out)
    assert "threshold" in said["show"].out and "A probe." in said["show"].out


def test_check_says_what_there_is_with_its_line(said: dict[str, Said]) -> None:
    assert said["check bad"].code == 1
    assert "threshhold" in said["check bad"].out and "line 4" in said["check bad"].out
    (finding,) = [one for one in json.loads(said["check json"].out) if one["level"] == "error"]
    assert (finding["field"], finding["line"]) == ("scoring_logic", 4) and finding["message"]


def test_an_export_is_the_definition_and_an_import_registers_it(said: dict[str, Said], tmp_path: Path) -> None:
    with hfreg.open(tmp_path / "fresh") as registry:
        assert registry.import_(said["export"].out).definition == ECHO
    assert "echo" in said["import"].out


def test_doctor_looks_at_everything_and_answers_as_json(said: dict[str, Said]) -> None:
    looked = json.loads(said["doctor"].out)
    assert said["doctor"].code == 1, "the Hub cannot be reached here"
    text = json.dumps(looked).lower()
    for topic in ("home", "hub", "token", "python", "transformers", "engine"):
        assert topic in text, topic


def test_a_command_that_is_not_there_yet_is_wrong_use(said: dict[str, Said]) -> None:
    assert said["loaded"].code == 2 and "loaded" in said["loaded"].err


def test_starters_are_registered_once_and_run(tmp_path: Path) -> None:
    hfreg_command = Path(sys.executable).with_name("hfreg")
    command = [str(hfreg_command)] if hfreg_command.exists() else [sys.executable, "-m", "hfreg"]
    env = {**os.environ, "HFREG_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    ask: Callable[..., subprocess.CompletedProcess[str]] = lambda *words: subprocess.run(  # noqa: E731
        [*command, *words], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)  # fmt: skip
    assert ask("starters").returncode == 0
    assert in_process(["--home", str(tmp_path / "home"), "starters"]).code == 0
    with hfreg.open(tmp_path / "home") as registry:
        aliases = {version.alias: version.number for version in registry.catalog()}
    assert aliases == dict.fromkeys(
        ["sentiment_analyzer", "prompt_injection_detector", "sentence_embedder", "text_generator"], 1)  # fmt: skip
    done = ask("run", "sentiment_analyzer", "text=This product is amazing!", "confidence_threshold=0.8", "--json")
    assert done.returncode == 0, done.stderr
    assert {"sentiment", "confidence"} <= set(json.loads(done.stdout).get("value", json.loads(done.stdout)))
