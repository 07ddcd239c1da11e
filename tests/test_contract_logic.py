"""Acceptance of the contract, section 4: what scoring logic may write, load once, login, pins, limits.

Written from the contract alone. The Hub is the loopback one; the weights are those of a starter model.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from contract_samples import TEXT, define
from loopback_hub import LoopbackHub

import hfreg

STARTER = Path(__file__).parent.parent / "data" / "starter" / "starter-sentiment"
SEED = (Path(__file__).parent / "seed.md").read_text(encoding="utf-8")
REPO = "cardiffnlp/twitter-roberta-base-sentiment-latest"
THRESHOLD = hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")
CONFIG = b'{"model_type": "bert", "vocab_size": 9}'
READ_CONFIG = "from transformers import AutoConfig\nreturn AutoConfig.from_pretrained(%s).vocab_size"

_opened: list[str] | None = None


@pytest.fixture
def registry(home: Path, loopback_hub: LoopbackHub) -> hfreg.Registry:
    """An empty registry, opened where the loopback Hub is the Hub."""
    return hfreg.open(home)


def _note(event: str, about: tuple[object, ...]) -> None:
    if _opened is not None and event == "open":
        _opened.append(str(about[0]))


sys.addaudithook(_note)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Note every file that this process opens through Python."""
    global _opened
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


def seed_logic() -> str:
    """Return the scoring logic of the seed, byte for byte."""
    (source,) = [text for block in SEED.split("```python\n")[1:] if "pipeline(" in (text := block.split("```")[0])]
    return source


def test_the_seed_runs_verbatim_once_loaded_and_stays_at_its_commit(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    commit = loopback_hub.add_repo(REPO, STARTER)
    registry.register(define(seed_logic(), output_type="Map[String, String]", arguments=[TEXT, THRESHOLD]))
    assert commit in registry.export("probe")
    model = registry.model("probe")
    with pytest.raises(hfreg.ArgumentError, match="threshold"):
        model(text="This product is amazing!", confidence_threshold=0.8)
    cold = model.run(text="This product is amazing!", threshold=0.1)
    assert cold.ok and cold.cold and set(cold.value) == {"sentiment", "confidence"}, cold.error
    assert commit in repr(cold.pins)
    assert any("oken" in note for note in cold.notes), "login without a token leaves a note"
    loopback_hub.push(REPO, {"config.json": b"{}"})
    loopback_hub.forget_requests()
    with opened_files() as opened:
        warm = model.run("This product is amazing!", 0.1)
        assert model(text=None) is None
        assert model("hm", 1.0)["sentiment"] == "uncertain"
    assert warm.value == cold.value and not warm.cold
    assert loopback_hub.requests == []
    assert [path for path in opened if "snapshots" in path or "blobs" in path or "safetensors" in path] == []
    assert not (hub_cache.parent / "token").exists()


def test_however_it_is_imported_a_load_happens_once(registry: hfreg.Registry) -> None:
    task = '"text-classification", model="hfreg/starter-sentiment"'
    for source in (
        f"import transformers as t\nc = t.pipeline({task})",
        f"import transformers.pipelines\nc = transformers.pipelines.pipeline({task})",
        f"import importlib\nc = importlib.import_module('transformers.pipelines').pipeline({task})",
        f"def load():\n    from transformers import pipeline as p\n    return p({task})\nc = load()",
        "from transformers import AutoTokenizer as A\nc = A.from_pretrained('hfreg/starter-sentiment')",
        "from transformers import BertModel, AutoModel\nc = AutoModel.from_pretrained('hfreg/starter-sentiment')",
    ):
        registry.register(define(f"{source}\nreturn id(c)", alias="loader", output_type="Numerical"))
        model = registry.model("loader")
        first, second = model.run("a"), model.run("b")
        assert first.ok, (source, first.error)
        assert first.value == second.value and not second.cold and not second.warnings, source
        registry.delete("loader")


IMPORTED = """
import sys, tempfile
import hfreg
source = "import importlib\\nreturn str(importlib.import_module('huggingface_hub').__name__)"
definition = hfreg.Definition(alias="probe", description="A probe.", scoring_logic=source)
outcome = hfreg.open(tempfile.mkdtemp()).test(definition)
print(outcome.value, "huggingface_hub.fastai_utils" in sys.modules)
"""


def test_importing_a_library_by_import_module_imports_no_more_than_import_does() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["huggingface_hub", "False"]


def test_a_starter_checkpoint_is_named_like_one_of_the_hub_and_pinned_by_its_sha256(registry: hfreg.Registry) -> None:
    source = "from transformers import pipeline\nc = pipeline('text-classification', model='hfreg/starter-sentiment')\n"
    definition = define(source + "return c(text)[0]['label']", output_type="String")
    assert registry.check(definition) == []
    registry.register(definition)
    outcome = registry.model("probe").run("A joy.")
    assert isinstance(outcome.value, str), outcome.error
    assert re.search("[0-9a-f]{64}", repr(outcome.pins)), outcome.pins
    registry.submit("probe")
    registry.review("probe", "Accept", "bob", "Fine.")
    assert registry.model("probe")("A joy.") == outcome.value


def test_an_inference_client_is_kept_too(registry: hfreg.Registry) -> None:
    source = "from huggingface_hub import InferenceClient\nreturn id(InferenceClient(model='org/name'))"
    registry.register(define(source, network=True, output_type="Numerical"))
    assert registry.model("probe")("a") == registry.model("probe")("b")


ODD = "class Odd:\n    pass\nkept = cache.setdefault('kept', [])\n"
LOAD = "from transformers import AutoTokenizer as A\n"
TOKENIZER = LOAD + ODD + "kept.append(A.from_pretrained('hfreg/starter-sentiment', odd=Odd()))\n"
CLIENT = "from huggingface_hub import InferenceClient as C\n" + ODD + "kept.append(C(timeout=Odd()))\n"


@pytest.mark.parametrize("source", [TOKENIZER, CLIENT], ids=["from_pretrained", "InferenceClient"])
def test_a_load_whose_arguments_are_not_plain_is_not_kept_and_says_so(registry: hfreg.Registry, source: str) -> None:
    registry.register(define(source + "return len({id(c) for c in kept})", network=True, output_type="Numerical"))
    model = registry.model("probe")
    model("a")
    again = model.run("b")
    assert again.ok, again.error
    assert again.value == 2
    assert any("line 5" in str(warning).lower() for warning in again.warnings), again.warnings


def test_cache_lives_as_long_as_the_loaded_model_and_no_longer(registry: hfreg.Registry) -> None:
    source = "cache['n'] = cache.get('n', 0) + 1\nreturn cache['n']"
    registry.register(define(source, output_type="Numerical"))
    registry.register(define(source, alias="other", output_type="Numerical"))
    model = registry.model("probe")
    assert [model("a"), model("a"), registry.model("other")("a")] == [1, 2, 1]
    registry.edit("probe", define(source + "\n# changed", output_type="Numerical"))
    assert model("a") == 1


LOGINS = [
    "from huggingface_hub import login\nlogin(token=None)", "from huggingface_hub import login as enter\nenter()",
    "import huggingface_hub as h\nh.login(None)", "import huggingface_hub\nhuggingface_hub.login(new_session=True)",
    "from huggingface_hub import login\nlogin('hf' + '_x' * 17, add_to_git_credential=True)",
    "import huggingface_hub as h\nh.login(token='')",
]  # fmt: skip


def test_login_never_prompts_writes_or_asks(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("prompted"))
    monkeypatch.setattr("getpass.getpass", lambda *_: pytest.fail("prompted"))
    for source in LOGINS:
        for _ in range(2):
            outcome = registry.test(define(source + "\nreturn text"), text="a")
            assert outcome.value == "a", (source, outcome.error)
        assert outcome.notes or "_x" in source, source
    assert loopback_hub.requests == []
    assert not (hub_cache.parent / "token").exists() and not (hub_cache.parent / "stored_tokens").exists()


def test_submitting_needs_every_pin_and_asks_once_more(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    loopback_hub.stop()
    version = registry.register(define(READ_CONFIG % "'org/name'", output_type="Numerical"))
    assert version.state == "Draft"
    with pytest.raises(hfreg.HfregError, match="org/name"):
        registry.submit("probe")
    assert registry.versions("probe")[0].state == "Draft"
    loopback_hub.start()
    commit = loopback_hub.add_repo("org/name", {"config.json": CONFIG})
    registry.submit("probe")
    assert registry.versions("probe")[0].state == "Pending Approval"
    assert commit in registry.export("probe")


def test_an_approved_version_makes_no_new_pin(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    first = loopback_hub.add_repo("org/first", {"config.json": CONFIG})
    second = loopback_hub.add_repo("org/second", {"config.json": CONFIG})
    registry.register(define(READ_CONFIG % "'org/' + text", output_type="Numerical"))
    model = registry.model("probe")
    assert first not in registry.export("probe")
    assert model("first") == 9
    assert first in registry.export("probe"), "pinned at its first load"
    registry.submit("probe")
    registry.review("probe", "Accept", "bob", "Fine.")
    assert model("first") == 9
    refused = model.run("second")
    assert isinstance(refused.error, hfreg.HfregError) and "org/second" in str(refused.error), refused
    assert second not in registry.export("probe")


def test_the_pins_of_an_import_are_those_of_the_export(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path, tmp_path: Path
) -> None:
    commit = loopback_hub.add_repo("org/name", {"config.json": CONFIG})
    registry.register(define(READ_CONFIG % "'org/name'", output_type="Numerical"))
    text = registry.export("probe")
    loopback_hub.push("org/name", {"config.json": CONFIG.replace(b"9", b"5")})
    with hfreg.open(tmp_path / "other") as other:
        other.import_(text)
        assert commit in other.export("probe")
        assert other.model("probe")("a") == 9


def test_remote_code_is_refused_at_the_load_as_well(registry: hfreg.Registry, loopback_hub: LoopbackHub) -> None:
    loopback_hub.add_repo("org/name", {"config.json": CONFIG})
    source = "from transformers import AutoConfig\nyes = len(text) == 1\n"
    source += "return AutoConfig.from_pretrained('org/name', trust_remote_code=yes).vocab_size"
    outcome = registry.test(define(source), text="a")
    assert not outcome.ok and "trust_remote_code" in str(outcome.error)


def test_missing_private_gated_and_unreachable_are_told_apart_with_the_repo_and_the_way_out(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    loopback_hub.add_repo("org/private", {"config.json": CONFIG}, private=True)
    loopback_hub.add_repo("org/gated", {"config.json": CONFIG}, gated=True)
    for repo, told in [
        ("org/none", "missing or private"),
        ("org/private", "missing or private"),
        ("org/gated", "gated"),
    ]:
        outcome = registry.test(define(READ_CONFIG % f"'{repo}'"), text="a")
        assert repo in str(outcome.error) and told in str(outcome.error).lower(), str(outcome.error)
        assert isinstance(outcome.error, hfreg.HfregError)
    registry.save_token(loopback_hub.add_token("hf_" + "t" * 34, repos=("org/private", "org/gated")))
    for repo in ("org/private", "org/gated"):
        outcome = registry.test(define(READ_CONFIG % f"'{repo}'"), text="a")
        assert outcome.value == 9, "a saved token serves every download by itself"
    loopback_hub.stop()
    outcome = registry.test(define(READ_CONFIG % "'org/other'"), text="a")
    assert isinstance(outcome.error, ConnectionError) and loopback_hub.url in str(outcome.error)


def test_a_load_that_cannot_reach_the_hub_names_the_repository(
    registry: hfreg.Registry, loopback_hub: LoopbackHub
) -> None:
    loopback_hub.stop()
    assert "org/other" in str(registry.test(define(READ_CONFIG % "'org/other'"), text="a").error)


def test_what_is_printed_goes_to_the_outcome_alone(registry: hfreg.Registry, capfd: pytest.CaptureFixture[str]) -> None:
    source = "import sys\nprint(text)\nprint('b', end='', flush=True)\nsys.stdout.write('c')\nreturn text"
    registry.register(define(source))
    assert registry.model("probe").run("ä").stdout == "ä\nbc"
    assert registry.model("probe").run("x").stdout == "x\nbc"
    failing = registry.test(define("print('before')\nraise ValueError"), text="a")
    assert failing.stdout == "before\n"
    assert capfd.readouterr().out == ""


def test_scoring_logic_is_ordinary_python(registry: hfreg.Registry) -> None:
    for source, value in [
        ("from __future__ import annotations\ntext = text.strip()\nreturn text", "a"),
        ("from math import *\nreturn floor(pi)", 3), ("def f(n):\n    return n and f(n - 1)\nreturn f(3)", 0),
        ("x = 1\ndef f():\n    nonlocal x\n    x += 1\nf()\nreturn x", 2),
        ("return [text for _ in range(2)]", ["a", "a"]), ("pass", None),
        ("class C:\n    v = text\nreturn C.v", "a"), ("'''docstring'''\nreturn '''two\nlines'''", "two\nlines"),
        ("\n\n    y = 5\n    return y\n", 5), ("yield 'a'\nyield 'b'", "ab"), ("return locals()['text']", "a"),
        ("import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int\nreturn P(3).x", 3),
        ("return __import__('math').floor(2.5)", 2),
    ]:  # fmt: skip
        outcome = registry.test(define(source), text="a" if "strip" not in source else " a ")
        assert outcome.value == value, (source, outcome.value, outcome.error)


def test_an_export_holds_pins_and_no_token(
    registry: hfreg.Registry, loopback_hub: LoopbackHub, hub_cache: Path
) -> None:
    secret = loopback_hub.add_token("hf_" + "e" * 34)
    registry.save_token(secret)
    loopback_hub.add_repo("org/name", {"config.json": CONFIG})
    registry.register(define(READ_CONFIG % "'org/name'", token=True))
    assert registry.model("probe")("a") == 9
    text = registry.export("probe")
    assert secret not in text and "org/name" in json.dumps(json.loads(text))
