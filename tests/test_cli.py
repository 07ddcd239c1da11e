"""The command line: every command, its exit code, and what goes to stdout and what to stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hub_files import plain_repo
from loopback_hub import LoopbackHub

import hfreg
from hfreg import starters
from hfreg.cli import main
from hfreg.hub.fetch import Fetcher
from hfreg.store.calls import Call

COMMANDS = ("starters", "models", "show", "run", "check", "export", "import", "backup", "restore", "cache", "doctor")
TOKEN = "hf_" + "c3D4" * 8


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process."""

    def run(*words: str) -> Said:
        code = main(words)
        return Said(code, *capsys.readouterr())

    return run


def register(alias: str = "shout", logic: str = "return text.upper() + mark", **fields: Any) -> hfreg.Version:
    fields.setdefault(
        "arguments", [hfreg.Argument("text", usage="What to say"), hfreg.Argument("mark", optional=True, default="!")]
    )
    fields.setdefault("output_type", "String")
    return hfreg.open().register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))


def calls() -> list[Call]:
    return hfreg.open().events.calls()


def test_starters_are_registered_once(command: Command) -> None:
    aliases = [definition.alias for definition in starters.definitions()]
    assert len(aliases) >= 4
    assert command("starters").out.splitlines() == [f"registered {alias}" for alias in aliases]
    again = command("starters")
    assert (again.code, again.out) == (0, "")
    assert "already" in again.err
    assert command("starters", "--json").data == []


def test_models_lists_what_is_registered(command: Command) -> None:
    register(name="Shout\nout loud")
    register("whisper", description="Says it softly.")
    hfreg.open().submit("whisper")
    said = command("models")
    assert (said.code, said.err) == (0, "")
    assert [line.split() for line in said.out.splitlines()] == [
        ["shout", "1", "Draft", "Shout", "out", "loud"],
        ["whisper", "1", "Pending", "Approval", "whisper"],
    ]
    assert [row["alias"] for row in command("models", "--json").data] == ["shout", "whisper"]
    assert [row["alias"] for row in command("models", "softly", "--json").data] == ["whisper"]
    assert [row["state"] for row in command("models", "--json", "--state", "Pending Approval").data] == [
        "Pending Approval"
    ]


def test_no_model_is_said_on_stderr_with_the_home_that_was_looked_at(command: Command, home: Path) -> None:
    said = command("models")
    assert (said.code, said.out) == (0, "")
    assert str(home) in said.err
    assert "HFREG_HOME" in said.err
    assert command("models", "--json").data == []
    assert not home.exists()
    register()
    assert "No model fits" in command("models", "nothing like it").err


def test_show_tells_all_of_a_version(command: Command) -> None:
    register(description="Says it loudly.")
    said = command("show", "shout")
    assert said.code == 0
    for part in ("shout(text: str", "version 1, Draft", "Says it loudly.", "mark: String (optional)", "What to say"):
        assert part in said.out
    assert said.out.endswith("return text.upper() + mark\n")
    shown = command("show", "shout", "--json").data
    assert shown["definition"]["scoring_logic"] == "return text.upper() + mark"
    assert shown["number"] == 1


def test_an_unknown_alias_names_the_known_ones(command: Command) -> None:
    register()
    for words in (("show", "shuot"), ("run", "shuot", "text=a"), ("export", "shuot")):
        said = command(*words)
        assert (said.code, said.out) == (1, "")
        assert "Did you mean `shout`" in said.err
    assert "version 7" in command("show", "shout", "--number", "7").err


def test_run_prints_the_answer_alone_on_stdout(command: Command) -> None:
    register(logic="print('on my way')\nreturn text + mark")
    said = command("run", "shout", "text=größer = 3?", "mark=…")
    assert (said.code, said.out, said.err) == (0, "größer = 3?…\n", "on my way\n")
    assert command("run", "shout", "text=a", "--json").out == '"a!"\n'


@pytest.mark.parametrize(
    ("output_type", "logic", "printed"),
    [
        ("Numerical", "return 0.5", "0.5"),
        ("Boolean", "return True", "true"),
        ("Any", "return None", "null"),
        ("Map[String, Any]", "return {'ä': [1, None]}", '{"ä": [1, null]}'),
        ("DateTime", "import datetime\nreturn datetime.datetime(2026, 1, 2, 3)", '"2026-01-02T03:00:00'),
    ],
)
def test_an_answer_that_is_no_text_is_printed_as_json(
    command: Command, output_type: str, logic: str, printed: str
) -> None:
    register(logic=logic, output_type=output_type, arguments=[])
    said = command("run", "shout")
    assert said.code == 0
    assert said.out.startswith(printed)
    json.loads(said.out)


def test_arguments_are_read_by_their_types(command: Command) -> None:
    declared = {"n": "Numerical", "on": "Boolean", "labels": "Array[String]", "none": "Any"}
    register(
        logic="return [n, on, labels, none]",
        output_type="Any",
        arguments=[hfreg.Argument(name, kind) for name, kind in declared.items()],
    )
    assert command("run", "shout", "n=512", "on=true", 'labels=["a", "b"]', "none=").data == [
        512, True, ["a", "b"], None,
    ]  # fmt: skip


def test_options_and_arguments_come_in_any_order(command: Command, home: Path, tmp_path: Path) -> None:
    register()
    assert command("run", "shout", "--json", "text=a", "--number", "1", "mark=?").data == "A?"
    assert command("--json", "run", "shout", "text=a").data == "A!"
    assert command("--home", str(tmp_path / "other"), "--json", "models").data == []
    assert [row["alias"] for row in command("models", "--home", str(home), "--json").data] == ["shout"]


def test_a_value_may_come_from_a_file_and_may_begin_with_an_at_sign(command: Command, tmp_path: Path) -> None:
    register()
    file = tmp_path / "review.txt"
    file.write_bytes("\ufeffgrün\nrot\r\n".encode())
    assert command("run", "shout", f"text=@{file}").out == "GRÜN\nROT!\n"
    assert command("run", "shout", "text=@@anna hi").out == "@ANNA HI!\n"
    said = command("run", "shout", "text=@anna hi")
    assert said.code == 2
    assert "anna hi cannot be read (No such file or directory)" in said.err
    assert "write @@" in said.err
    file.write_bytes(b"\xff")
    assert "not UTF-8" in command("run", "shout", f"text=@{file}").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["text=a", "threshold=1"], "no argument `threshold`"),
        (["text=a", "mrak=1"], "Did you mean `mark`"),
        (["mark=?"], "needs `text`"),
        (["hello"], "'hello' is no argument. Write name=value"),
        (["text=a", "text=b"], "`text` is given twice"),
        (["text=a", "n=many"], "`n`"),
    ],
)
def test_arguments_that_do_not_fit_are_wrong_use(command: Command, words: list[str], told: str) -> None:
    register(
        arguments=[
            hfreg.Argument("text"),
            hfreg.Argument("mark", optional=True),
            hfreg.Argument("n", "Numerical", optional=True),
        ],
        logic="n\nreturn text + mark",
    )
    said = command("run", "shout", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("hfreg: ")
    assert told in said.err


def test_scoring_logic_that_fails_shows_its_own_line(command: Command) -> None:
    register(logic="print('before')\ntext = text + mark\nreturn text / 0")
    said = command("run", "shout", "text=a")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("before\nhfreg: ")
    assert "line 3" in said.err
    assert "TypeError" in said.err
    assert "hfreg/engine" not in said.err


def test_warnings_and_notes_are_told_beside_the_answer(command: Command) -> None:
    logic = "from huggingface_hub import login\nlogin()\nreturn {'n': 1}"
    register(logic=logic, output_type="Map[String, String]", arguments=[])
    said = command("run", "shout")
    assert said.data == {"n": "1"}
    assert "warning: " in said.err
    assert "note: login() had no token" in said.err


def test_a_call_of_the_command_line_is_logged_as_such(command: Command) -> None:
    register()
    command("run", "shout", "text=a")
    command("run", "shout")
    assert [(c.source, c.status, c.error_kind) for c in calls()] == [
        ("cli", "error", "ArgumentError"),
        ("cli", "ok", ""),
    ]


def test_an_archived_version_is_refused(command: Command) -> None:
    register()
    hfreg.open().archive("shout")
    said = command("run", "shout", "text=a")
    assert said.code == 1
    assert "is Archived and does not run" in said.err
    assert [c.status for c in calls()] == ["refused"]


def test_check_lists_findings_and_fails_on_an_error(command: Command, tmp_path: Path) -> None:
    register()
    file = tmp_path / "shout.json"
    assert command("export", "shout", "-o", str(file)).out == ""
    other = json.loads(file.read_text())
    other["definition"] |= {"alias": "other", "description": "Says it."}
    file.write_text(json.dumps(other))
    said = command("check", str(file))
    assert (said.code, said.out, said.err) == (0, "", "No findings.\n")
    other["definition"]["scoring_logic"] = "return text.upper() + mrak"
    file.write_text(json.dumps(other))
    said = command("check", str(file))
    assert said.code == 1
    assert "mrak" in said.out
    findings = command("check", str(file), "--json").data
    assert {"error", "warning"} & {finding["level"] for finding in findings}
    assert any(finding["line"] == 1 for finding in findings)
    assert "other" not in command("models").out


def test_export_and_import_move_a_model(command: Command, tmp_path: Path) -> None:
    register(description="Says it loudly.")
    text = command("export", "shout").out
    said = command("export", "shout", "-o", str(tmp_path / "shout.json"))
    assert (said.code, said.out) == (0, "")
    assert "shout.json" in said.err
    assert (tmp_path / "shout.json").read_text(encoding="utf-8") == text
    moved = command("import", str(tmp_path / "shout.json"), "--home", str(tmp_path / "other"), "--json")
    assert moved.data["definition"] == json.loads(text)["definition"]
    again = command("import", str(tmp_path / "shout.json"))
    assert again.out == "shout version 1, Draft\n"
    refused = command("export", "shout", "-o", str(tmp_path / "none" / "shout.json"))
    assert (refused.code, refused.out) == (1, "")
    assert "cannot be written: No such file or directory" in refused.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json {", "not JSON"),
        ('{"some": "json"}', "no export of hfreg"),
        ('{"format": "hfreg.definition", "schema": 99}', "newer hfreg"),
        ('{"format": "hfreg.definition", "schema": 1, "definition": {"alais": "x"}}', "Did you mean `alias`"),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_the_reason(
    command: Command, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "file.json"
    file.write_text(text)
    for name in ("import", "check"):
        said = command(name, str(file))
        assert (said.code, said.out) == (1, "")
        assert told in said.err
    assert "cannot be read" in command("import", str(tmp_path / "missing.json")).err
    assert not hfreg.open().definitions.aliases()


def test_a_backup_is_restored_into_another_home(command: Command, tmp_path: Path) -> None:
    register()
    command("run", "shout", "text=a")
    archive, other = str(tmp_path / "monday.zip"), str(tmp_path / "other")
    assert command("backup", archive).out == f"{archive}: 1 model, 1 version, 0 autosaves, 1 call\n"
    assert command("backup", archive).code == 1
    assert command("restore", archive, "--home", other).out.startswith(f"{other}: 1 model")
    assert command("run", "shout", "text=a", "--home", other).out == "A!\n"
    refused = command("restore", archive, "--home", other)
    assert (refused.code, refused.out) == (1, "")
    assert "already holds definitions.json" in refused.err
    replaced = command("restore", archive, "--home", other, "--overwrite", "--json").data
    assert (replaced["models"], replaced["calls"]) == (1, 1)
    assert Path(replaced["replaced"]).is_dir()


def test_nothing_to_back_up_is_said_with_the_way_out(command: Command, tmp_path: Path) -> None:
    said = command("backup", str(tmp_path / "monday.zip"))
    assert said.code == 1
    assert "nothing to back up" in said.err
    assert "HFREG_HOME" in said.err
    said = command("restore", str(tmp_path / "monday.zip"))
    assert said.code == 1
    assert "is no file" in said.err


def test_the_cache_is_listed_and_emptied(command: Command, loopback_hub: LoopbackHub, fetcher: Fetcher) -> None:
    assert "No checkpoint" in command("cache").err
    fetcher.fetch("org/model", loopback_hub.add_repo("org/model", plain_repo(size=2_000_000)))
    assert "MB  org/model" in command("cache").out
    (row,) = command("cache", "--json").data
    assert row["repo"] == "org/model"
    assert row["last_used"].startswith("20")
    assert "MB freed" in command("cache", "--delete", "org/model").out
    said = command("cache", "--delete", "org/model")
    assert said.code == 1
    assert "not in the cache" in said.err


def test_doctor_exits_by_what_it_found(command: Command, loopback_hub: LoopbackHub) -> None:
    register()
    said = command("doctor")
    assert said.code == 0, said.out
    assert {line.split()[0] for line in said.out.splitlines()} == {"ok"}
    loopback_hub.stop()
    said = command("doctor")
    assert said.code == 1
    assert [line.split()[:2] for line in said.out.splitlines() if line.startswith("FAIL")] == [["FAIL", "hub:"]]
    assert [check["name"] for check in command("doctor", "--json").data if not check["ok"]] == ["hub"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["modles"],
        ["show"],
        ["run"],
        ["restore"],
        ["show", "shout", "another"],
        ["models", "--state", "Ready"],
        ["models", "--colour"],
        ["run", "shout", "--treshold", "1"],
        ["show", "shout", "--number", "one"],
    ],
    ids=" ".join,
)
def test_wrong_use_leaves_with_2_and_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: hfreg")


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_every_command_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "--json" in text
    if not words:
        assert [name for name in COMMANDS if f"    {name} " not in text] == []


def test_a_variable_that_cannot_be_used_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFREG_TIMEOUT_S", "soon")
    said = command("models")
    assert said.code == 1
    assert "HFREG_TIMEOUT_S='soon'" in said.err


def test_no_command_prints_a_token(
    command: Command, loopback_hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HFREG_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    loopback_hub.add_token(TOKEN)
    hfreg.open().save_token(TOKEN)
    register(logic="import os\nraise ValueError(os.environ['HF_TOKEN'] + text + mark)", token=True)
    register("teller", "import os\nprint(os.getenv('HUGGINGFACE_TOKEN')[:3])\nreturn 'x'", token=True, arguments=[])
    said = [command("doctor")]
    loopback_hub.tokens.clear()  # and when the Hub does not accept it
    said += [command(*words.split()) for words in ("doctor", "doctor --json", "show shout", "run shout text=a")]
    said += [command("run", "teller"), command("backup", str(tmp_path / "b.zip")), command("export", "shout")]
    assert said[0].code == 0
    assert f"hf_…{TOKEN[-4:]} from saved in Settings" in said[0].out
    assert [one.code for one in said[1:3]] == [1, 1]
    assert said[5].err == "hf_\n"
    assert [one for one in said if TOKEN in one.out + one.err] == []
