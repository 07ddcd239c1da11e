"""Custom models: initialization logic that runs once, an uploaded folder as `model_dir`, over both engines."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.scoring.check import repositories

COUNTED = {
    "initialization_logic": """import json
calls = []
BASE = 10

def bump(n):
    calls.append(n)
    return BASE + n"""
}
LOAD = "from transformers import pipeline\nclient = pipeline('text-classification', model=model_dir)"


def zipped(**files: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    made.seek(0)
    return made


def definition(**fields: Any) -> hfreg.Definition:
    usual: dict[str, Any] = {
        "alias": "counter",
        "description": "Counts.",
        "input_type": "Custom",
        "arguments": [hfreg.Argument("n", "Numerical", optional=True, default="1")],
        "scoring_logic": "return json.loads(str(bump(n))), len(calls)",
    }
    return hfreg.Definition(**{**usual, **COUNTED, **fields})


def errors(registry: hfreg.Registry, made: hfreg.Definition) -> list[tuple[str, int | None, str]]:
    return [(f.field, f.line, f.message) for f in registry.check(made) if f.level == "error"]


def test_initialization_runs_once_and_its_names_are_there(engine: str, registry: hfreg.Registry) -> None:
    made = definition()
    assert [f for f in registry.check(made) if f.level != "hint"] == []
    registry.register(made)
    model = registry.model("counter")
    assert [model(n=n) for n in (1, 2, 3)] == [[11, 1], [12, 2], [13, 3]]
    registry.unload("counter")
    assert model(n=1) == [11, 1], "a fresh load begins anew"


def test_a_changed_initialization_begins_anew(registry: hfreg.Registry) -> None:
    registry.register(definition())
    model = registry.model("counter")
    assert model() == [11, 1]
    registry.edit("counter", definition(initialization_logic=COUNTED["initialization_logic"].replace("10", "20")))
    assert model() == [21, 1]


def test_an_error_of_the_initialization_has_its_own_lines_and_it_runs_again(
    registry: hfreg.Registry, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    source = f"import os\nif not os.path.exists({str(flag)!r}):\n    raise ValueError('no flag')\nready = True"
    made = definition(initialization_logic=source, scoring_logic="return ready")
    outcome = registry.test(made)
    error = outcome.error
    assert isinstance(error, hfreg.ScoringError)
    assert (error.kind, error.line) == ("ValueError", None)
    assert "ValueError in line 3 of the initialization logic: no flag" in str(error)
    assert "  initialization logic, line 3: raise ValueError('no flag')" in str(error)
    flag.write_text("")
    assert registry.test(made).result() is True


def test_an_error_in_a_function_of_the_initialization_shows_both(registry: hfreg.Registry) -> None:
    made = definition(initialization_logic="def half(n):\n    return 1 / n", scoring_logic="x = n\nreturn half(x)")
    text = str(registry.test(made, n=0).error)
    assert "ZeroDivisionError in line 2 of the initialization logic" in text
    assert text.splitlines()[1:] == [
        "  line 2: return half(x)",
        "  initialization logic, line 2, in half: return 1 / n",
    ]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"initialization_logic": "a = 1\nreturn a"}, ("initialization_logic", 2, "'return' outside function")),
        ({"initialization_logic": "a = ("}, ("initialization_logic", 1, "Python cannot read this line")),
        ({"initialization_logic": "a = 1\nb = nothing"}, ("initialization_logic", 2, "`nothing` is not defined")),
        ({"initialization_logic": "a = n"}, ("initialization_logic", 1, "`n` is not defined")),
        ({"initialization_logic": "a = 1", "scoring_logic": "x = a\nreturn aa"}, ("scoring_logic", 2, "`aa` is not")),
        ({"initialization_logic": "#" * 70_000}, ("initialization_logic", None, "KiB long")),
    ],
)  # fmt: skip
def test_findings_of_each_field_have_its_own_lines(
    registry: hfreg.Registry, fields: dict[str, str], found: tuple[str, int | None, str]
) -> None:
    told = errors(registry, definition(**fields))
    assert any((field, line) == found[:2] and found[2] in message for field, line, message in told), told


def test_a_secret_in_the_initialization_is_found(registry: hfreg.Registry) -> None:
    made = definition(initialization_logic="key = 'hf_" + "aB3" * 12 + "'", scoring_logic="return key")
    assert errors(registry, made)[0][:2] == ("initialization_logic", 1)


def test_sources_of_both_fields_are_known() -> None:
    made = definition(
        initialization_logic="from transformers import pipeline\nclient = pipeline('fill-mask', model='org/mask')",
        scoring_logic="    from transformers import AutoModel\n    return AutoModel.from_pretrained('org/other')",
    )
    assert {one.repo for one in repositories(made.code)} == {"org/mask", "org/other"}


def test_a_model_of_an_uploaded_folder_answers_from_its_files_alone(
    engine: str, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    folder = registry.add_folder(tiny_checkpoints.classifier)
    made = definition(
        arguments=[hfreg.Argument("text", "String")],
        folder=folder.address,
        output_type="String",
        initialization_logic=LOAD,
        scoring_logic="return client(text)[0]['label']",
    )
    (unlicensed,) = [f for f in registry.check(made) if f.level != "hint"]
    assert "names no licence in a README.md" in unlicensed.message
    registry.register(made)
    outcome = registry.model("counter").run(text="i love it")
    assert outcome.result() == "positive"
    assert outcome.cold
    assert outcome.notes == ()
    warm = registry.model("counter").run(text="i hate it")
    assert (warm.result(), warm.cold, warm.timings.load_ms) == ("negative", False, 0.0)


def test_a_worker_reads_its_folder_and_changes_nothing_in_it(engine: str, registry: hfreg.Registry) -> None:
    folder = registry.add_folder(zipped(labels__txt=b"a,b"))
    logic = (
        "import pathlib\n"
        "labels = (pathlib.Path(model_dir) / 'labels.txt').read_text()\n"
        "try:\n    (pathlib.Path(model_dir) / 'new.txt').write_text('x')\n    wrote = True\n"
        "except OSError:\n    wrote = False"
    )
    made = definition(folder=folder.address, initialization_logic=logic, scoring_logic="return [labels, wrote]")
    labels, wrote = registry.test(made).result()
    assert labels == "a,b"
    if engine == "isolated":
        assert wrote is False
        assert not (folder.path / "new.txt").exists()


def test_a_folder_that_is_not_here_is_told_and_can_still_be_registered(registry: hfreg.Registry) -> None:
    made = definition(folder="sha256:" + "0" * 64)
    warned = [f.message for f in registry.check(made) if f.field == "folder"]
    assert "is not stored here" in warned[0]
    registry.register(made)
    outcome = registry.model("counter").run()
    assert "Upload it again" in str(outcome.error)


def test_pickles_run_only_where_the_definition_allows_them(registry: hfreg.Registry) -> None:
    data = {"weights__bin": pickle.dumps([1])}
    with pytest.raises(hfreg.HfregError, match="allow pickled weights"):
        registry.add_folder(zipped(**data))
    folder = registry.add_folder(zipped(**data), pickles=True)
    refused = registry.test(definition(folder=folder.address))
    assert "does not allow pickled weights" in str(refused.error)
    assert registry.test(definition(folder=folder.address, pickled_weights=True)).ok


def test_without_a_folder_its_name_is_none(registry: hfreg.Registry) -> None:
    assert registry.test(definition(scoring_logic="return model_dir is None")).result() is True


def test_an_export_names_the_folder_and_another_home_says_that_it_is_missing(
    registry: hfreg.Registry, tmp_path: Path
) -> None:
    folder = registry.add_folder(zipped(a__txt=b"1"))
    registry.register(definition(folder=folder.address))
    with hfreg.open(tmp_path / "other") as other:
        imported = other.import_(registry.export("counter"))
        assert imported.definition.folder == folder.address
        assert "Upload it again" in str(other.model("counter").run().error)
        assert other.add_folder(zipped(a__txt=b"1")).address == folder.address
        assert other.model("counter").run().ok
