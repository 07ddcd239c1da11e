"""The documentation is true: its blocks run, its commands exist, its links lead somewhere, its figures are measured."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import doc_pages
import pytest
from doc_pages import ROOT, Block

import hfreg
from bench import figures, report
from hfreg import cli, errors, settings, starters

PAGES = doc_pages.pages()
BLOCKS = [block for page in PAGES for block in doc_pages.blocks(page) if block.language == "python"]
NOT_RUN_AT_MOST = 4
MODULES_WITH_EXAMPLES = sorted(
    path for path in (ROOT / "hfreg").rglob("*.py") if re.search(r"^\s*>>> ", path.read_text("utf-8"), re.MULTILINE)
)


def is_run(block: Block) -> bool:
    return not block.is_verbatim and not block.not_run


@pytest.mark.parametrize("page", sorted({b.page for b in BLOCKS if is_run(b)}), ids=doc_pages.name)
def test_the_python_of_a_page_runs_in_order_and_prints_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if doc_pages.WITH_STARTERS in page.read_text("utf-8"):
        register_starters()
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    for block in BLOCKS:
        if block.page == page and is_run(block):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * block.line + block.text, str(page), "exec"), vars(module))
            assert_printed(printed.getvalue(), doc_pages.expectations(block), block)


def register_starters() -> None:
    missing = [path.parent.name for path in settings.STARTERS.glob("*/definition.json") if not weights(path).is_file()]
    if missing or not starters.definitions():
        pytest.skip(f"these starter checkpoints are not trained yet: {', '.join(sorted(missing)) or 'all'}")
    starters.register(hfreg.open())


def weights(definition: Path) -> Path:
    return definition.with_name("model.safetensors")


def assert_printed(printed: str, expected: list[str], block: Block) -> None:
    """Each expected line was printed, in order; `…` stands for anything."""
    lines = iter(printed.splitlines())
    for text in expected:
        pattern = ".*".join(re.escape(part) for part in text.split("…"))
        assert any(re.fullmatch(pattern, line.strip()) for line in lines), f"{block}: {text!r} not in\n{printed}"


def test_what_is_not_run_is_little_and_has_its_reason() -> None:
    seed = (ROOT / "tests" / "seed.md").read_text("utf-8")
    copied = [block for block in BLOCKS if block.is_verbatim]
    assert [str(block) for block in copied if block.text not in seed] == []  # tests/test_seed.py runs those
    left_out = [block for block in BLOCKS if block.not_run]
    assert len(left_out) <= NOT_RUN_AT_MOST, [str(block) for block in left_out]
    assert [str(block) for block in left_out if len(block.not_run) < 15] == []


def test_fences_name_a_language_that_a_reader_of_pages_knows() -> None:
    known = {"python", "sh", "text", "json", "sql", "toml", "markdown"}
    assert [str(b) for page in PAGES for b in doc_pages.blocks(page) if b.language not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=doc_pages.name)
def test_every_command_that_a_page_names_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = [words for words in doc_pages.commands(page) if not exists(words)]
    unknown += [words for words in doc_pages.code_words(page) if not is_known(words)]
    assert [" ".join(words) for words in unknown] == [], capsys.readouterr().err


def exists(words: list[str]) -> bool:
    """Say whether a whole command can be given as it stands."""
    program, rest = Path(words[0]).name, words[1:]
    if program == "make":
        return set(rest) <= make_targets()
    if program in {"python", "python3"} and rest[:1] == ["-m"]:
        program, rest = rest[1], rest[2:]
        if program.split(".")[0] in {"bench", "training"}:
            return is_module(program)
    if program == "hfreg":
        return is_parsed(rest)
    if program in {"python", "python3", "streamlit", "pip"}:
        return all((ROOT / word).is_file() for word in rest if word.endswith((".py", ".txt")))
    return program in {"venv", "pytest", "git", "cd", "apt-get", "export", "ruff", "mypy", "npm"}


def is_known(words: list[str]) -> bool:
    """Say whether what stands in a sentence names something that is there: `make X`, `hfreg X`, a module to run."""
    if words[0] == "make" and len(words) > 1:
        return words[1] in make_targets()
    rest = words[3:] if words[:3] == ["python", "-m", "hfreg"] else words[1:] if words[0] == "hfreg" else []
    if words[:2] == ["python", "-m"] and words[2].split(".")[0] in {"bench", "training"}:
        return is_module(words[2])
    return not rest or rest[0].startswith("-") or rest[0].isupper() or rest[0] in subcommands()


def is_parsed(arguments: list[str]) -> bool:
    try:
        cli._parser().parse_args(arguments)
    except SystemExit as end:
        return not end.code
    return True


def is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z]+):", text, re.MULTILINE))


def subcommands() -> dict[str, list[str]]:
    """Return the commands of the command line, each with its long options."""
    action = next(a for a in cli._parser()._actions if a.choices and a.metavar == "COMMAND")
    return {
        name: [o for a in parser._actions for o in a.option_strings if o.startswith("--")]
        for name, parser in action.choices.items()
    }


def test_the_commands_of_make_exist_and_stand_in_the_readme_for_those_without_it() -> None:
    recipes = re.findall(r"^\t\$\(BIN\)/(python .+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [recipe for recipe in recipes if not exists(recipe.split())] == []
    needed = [r.replace("--disable-pip-version-check ", "") for r in recipes if "freeze" not in r]
    needed = [r for r in needed if "-m soak" not in r and not r.endswith("-m bench")]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(needed) >= 5
    assert [command for command in needed if f".venv/bin/{command}\n" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=doc_pages.name)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in doc_pages.links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in doc_pages.anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in doc_pages.links(index)}
    assert [doc_pages.name(p) for p in (ROOT / "docs").glob("*.md") if p != index and p not in listed] == []


@pytest.mark.parametrize("page", PAGES, ids=doc_pages.name)
def test_a_page_names_no_folder_of_one_machine(page: Path) -> None:
    paths = re.compile(r"(?<![\w.:/])(?:/(?:home|root|work|Users|tmp|opt|mnt)/\S*|[A-Z]:\\\S*)")
    assert paths.findall(page.read_text("utf-8")) == []


def test_pictures_are_small() -> None:
    pictures = [(page.parent / link) for page in PAGES for link in doc_pages.links(page) if link.endswith(".png")]
    assert len(pictures) >= 2
    assert [picture.name for picture in pictures if picture.stat().st_size > 300_000] == []


def test_the_figures_of_the_readme_are_those_that_were_measured() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert figures.written(readme, figures.results()) == readme, "python -m bench.figures --write"


@pytest.mark.parametrize("path", sorted(report.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_says_what_was_measured_with_what_and_whether_the_target_was_met(path: Path) -> None:
    result = json.loads(path.read_text("utf-8"))
    assert result["name"] == path.stem
    assert re.fullmatch(r"[0-9a-f]{40}\+?", result["commit"])
    assert {"cpu", "cores", "system", "load"} <= set(result["machine"]) and "python" in result["versions"]
    assert result["figures"]
    for row in result["figures"]:
        said = row.pop("ok")
        assert report.Figure(**row).ok is said


def test_every_variable_that_is_read_is_described_and_no_other() -> None:
    source = (ROOT / "hfreg" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'"((?:HFREG|HF|HUGGING|HUGGINGFACE|TRANSFORMERS|XDG)_[A-Z_]+)"', source))
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert len(read) > 10
    assert sorted(variable for variable in read if f"`{variable}`" not in page) == []
    assert sorted(set(re.findall(r"`(HFREG_[A-Z_]+)`", page)) - read - {"HFREG_REQUIRE_BROWSER"}) == []


def test_every_command_and_option_is_described() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    known = subcommands()
    assert [name for name in known if f"`{name}" not in page] == []
    assert sorted({o for options in known.values() for o in options} - set(re.findall(r"--[a-z]+", page))) == []


def test_every_error_and_every_room_is_described() -> None:
    python, architecture = ROOT / "docs" / "python.md", ROOT / "ARCHITECTURE.md"
    assert [name for name in errors.__all__ if name not in python.read_text("utf-8")] == []
    folders = {path.parent.name for path in (ROOT / "hfreg").glob("*/__init__.py")}
    rooms = folders | {path.stem for path in (ROOT / "hfreg").glob("*.py")}
    named = set(re.findall(r"\w+", architecture.read_text("utf-8")))
    assert sorted(rooms - named) == []


@pytest.mark.parametrize("path", MODULES_WITH_EXAMPLES, ids=doc_pages.name)
def test_the_examples_of_a_module_are_true(path: Path, home: Path) -> None:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    tried = doctest.testmod(importlib.import_module(dotted), extraglobs={"home": home}, optionflags=doctest.ELLIPSIS)
    assert tried.failed == 0
