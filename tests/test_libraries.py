"""Load once: however scoring logic imports, a checkpoint is loaded on the first call and reused after."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

import hfreg
from hfreg.engine.failure import scoring_failure
from hfreg.scoring.libraries import Libraries

REPO = "acme/tiny-classifier"
PIPELINE = f"client = pipeline('text-classification', model={REPO!r})\n"
TELL = "cache.setdefault('ids', []).append(id(client))\nreturn len(set(cache['ids']))"

Make = Callable[..., hfreg.Model]


@pytest.fixture
def served(loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints) -> LoopbackHub:
    loopback_hub.add_repo(REPO, tiny_checkpoints.classifier)
    loopback_hub.add_repo("acme/tiny-embedder", tiny_checkpoints.embedder)
    loopback_hub.add_repo("acme/tiny-generator", tiny_checkpoints.generator)
    return loopback_hub


@pytest.fixture
def make(served: LoopbackHub, registry: hfreg.Registry) -> Make:
    def make(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
        fields.setdefault("arguments", [hfreg.Argument("text", "Any", optional=True)])
        registry.register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))
        return registry.model(alias)

    return make


@pytest.mark.parametrize(
    "logic",
    [
        f"from transformers import pipeline\n{PIPELINE}",
        f"import transformers as t\nclient = t.pipeline('text-classification', model={REPO!r})\n",
        f"import transformers.pipelines\nclient = transformers.pipelines.pipeline('text-classification', {REPO!r})\n",
        f"import transformers.pipelines as p\nclient = p.pipeline('text-classification', model={REPO!r})\n",
        f"from transformers.pipelines import pipeline as make\nclient = make('text-classification', model={REPO!r})\n",
        (
            "import importlib\nt = importlib.import_module('transformers')\n"
            f"client = t.pipeline(model={REPO!r}, task='text-classification')\n"
        ),
        f"t = __import__('transformers')\nclient = t.pipeline('text-classification', model={REPO!r})\n",
        f"from transformers.pipelines.text_classification import *\nfrom transformers import pipeline\n{PIPELINE}",
        (
            "def load():\n    from transformers import pipeline\n"
            f"    return pipeline('text-classification', model={REPO!r})\nclient = load()\n"
        ),
        f"from transformers import AutoTokenizer\nclient = AutoTokenizer.from_pretrained({REPO!r})\n",
        f"from transformers import AutoModelForSequenceClassification as A\nclient = A.from_pretrained({REPO!r})\n",
        f"from transformers import BertForSequenceClassification as B\nclient = B.from_pretrained({REPO!r})\n",
        f"from transformers.models.auto import AutoConfig\nclient = AutoConfig.from_pretrained({REPO!r})\n",
        "from sentence_transformers import SentenceTransformer\nclient = SentenceTransformer('acme/tiny-embedder')\n",
        "import sentence_transformers as s\nclient = s.SentenceTransformer(model_name_or_path='acme/tiny-embedder')\n",
        "from huggingface_hub import InferenceClient\nclient = InferenceClient('acme/elsewhere')\n",
    ],
)
def test_the_same_object_answers_every_call_however_it_was_imported(
    make: Make, served: LoopbackHub, logic: str
) -> None:
    model = make(logic + TELL)
    assert model() == 1
    served.forget_requests()
    assert model() == 1
    assert model.run().warnings == ()
    assert served.requests == []


def test_what_is_loaded_is_the_real_thing(make: Make) -> None:
    logic = (
        "from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, AutoTokenizer\n"
        f"model = AutoModelForSequenceClassification.from_pretrained({REPO!r})\n"
        "class Mine(BertForSequenceClassification):\n    pass\n"
        "import torch\n"
        "match model:\n    case Mine() | AutoTokenizer():\n        matched = False\n"
        "    case BertForSequenceClassification(config=c):\n        matched = c is model.config\n"
        "return [isinstance(model, BertForSequenceClassification), isinstance(model, AutoTokenizer),\n"
        "        matched, issubclass(Mine, BertForSequenceClassification),\n"
        "        issubclass(BertForSequenceClassification, torch.nn.Module),\n"
        "        type(model).__name__ == BertForSequenceClassification.__name__]"
    )
    assert make(logic)() == [True, False, True, True, True, True]


def test_answers_are_those_of_the_library_itself(make: Make, tiny_checkpoints: TinyCheckpoints) -> None:
    from transformers import pipeline

    direct = pipeline("text-classification", model=str(tiny_checkpoints.classifier))
    model = make(f"from transformers import pipeline\n{PIPELINE}return client(text)[0]")
    for text in ("good", "this is bad", "a longer sentence about nothing"):
        assert model(text) == direct(text)[0]


def test_the_library_of_everybody_else_stays_as_it_was(make: Make) -> None:
    import transformers

    before = transformers.pipeline
    make(f"from transformers import pipeline\n{PIPELINE}return 1")()
    import transformers as after

    assert after.pipeline is before
    assert transformers.pipeline is before


def test_everything_that_changes_the_answer_is_part_of_the_key(make: Make) -> None:
    logic = (
        "from transformers import pipeline\n"
        f"client = pipeline('text-classification', model={REPO!r}, top_k=text)\n"
        "return str(client('good')).count('label')"
    )
    model = make(logic)
    assert model(3) == 3
    assert model(2) == 2
    assert model(3) == 3


def test_keyword_arguments_of_a_pipeline_reach_it_as_they_were_given(make: Make) -> None:
    logic = (
        "from transformers import pipeline\n"
        f"client = pipeline('text-classification', model={REPO!r}, top_k=2, function_to_apply='none')\n"
        "return [sorted(client._postprocess_params), sorted(client._preprocess_params), sorted(client._forward_params)]"
    )
    assert make(logic)() == [["_legacy", "function_to_apply", "top_k"], [], []]


def test_two_uses_of_one_checkpoint_hold_its_weights_once(make: Make, registry: hfreg.Registry) -> None:
    logic = (
        "from transformers import pipeline\n"
        f"one = pipeline('text-classification', model={REPO!r}, top_k=1)\n"
        f"two = pipeline('text-classification', model={REPO!r}, top_k=3)\n"
        "return [one is two, one.model is two.model, str(two('good')).count('label'), str(one('good')).count('label')]"
    )
    assert make(logic)() == [False, True, 3, 1]
    one = registry.loaded()[0].memory_bytes
    make(f"from transformers import pipeline\n{PIPELINE}return 1", alias="single")()
    assert {m.alias: m.memory_bytes for m in registry.loaded()} == {"probe": one, "single": one}


def test_memory_is_that_of_the_weights(make: Make, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints) -> None:
    make(f"from transformers import pipeline\n{PIPELINE}return 1")()
    on_disk = (tiny_checkpoints.classifier / "model.safetensors").stat().st_size
    assert on_disk * 0.9 < registry.loaded()[0].memory_bytes <= on_disk


def test_loaded_objects_given_to_a_load_are_plain_values(make: Make) -> None:
    logic = (
        "from transformers import pipeline, AutoModelForSequenceClassification, AutoTokenizer\n"
        f"model = AutoModelForSequenceClassification.from_pretrained({REPO!r})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({REPO!r})\n"
        "client = pipeline('text-classification', model=model, tokenizer=tokenizer)\n" + TELL
    )
    model = make(logic)
    assert [model(), model()] == [1, 1]
    assert model.run().warnings == ()


def test_a_load_with_arguments_that_are_no_plain_values_says_so_with_its_line(make: Make) -> None:
    logic = (
        "from transformers import AutoModelForSequenceClassification\n\n"
        f"model = AutoModelForSequenceClassification.from_pretrained({REPO!r}, key_mapping=type)\nreturn 1"
    )
    outcome = make(logic).run()
    warnings = [w for w in outcome.warnings if w.startswith("Line 3:")]
    assert warnings, outcome
    assert "`key_mapping`" in warnings[0]
    assert "cache" in warnings[0]


def test_a_load_past_load_once_is_reported_when_it_happens_on_a_warm_call(make: Make) -> None:
    logic = (
        "import sys, transformers\n"
        "real = sys.modules['transformers'].BertForSequenceClassification\n"
        "model = real.from_pretrained(cache.setdefault('path', text))\nreturn 1"
    )
    model = make(logic)
    import transformers  # noqa: F401

    path = _folder_of(model)
    assert model.run(path).warnings == ()
    warned = model.run(path).warnings
    assert len(warned) == 1
    assert warned[0].startswith("Line 3: ")
    assert "cache" in warned[0]


def _folder_of(model: hfreg.Model) -> str:
    registry = model._registry
    return str(registry.fetcher.fetch(REPO, registry.hub.commit(REPO)))


def test_remote_code_is_refused_at_run_time_too(make: Make) -> None:
    outcome = make(
        f"from transformers import pipeline\nreturn pipeline('text-classification', model={REPO!r}, **text)"
    ).run({"trust_remote_code": True})
    assert isinstance(outcome.error, hfreg.UnsafeRepo)
    assert "trust_remote_code" in str(outcome.error)


def test_login_never_prompts_writes_or_asks(make: Make, served: LoopbackHub, tmp_path: Path) -> None:
    logic = "from huggingface_hub import login\nlogin()\nlogin(token=text)\nreturn 1"
    model = make(logic)
    model()
    served.forget_requests()
    token = "hf_" + "x" * 34
    outcome = model.run(token)
    assert served.requests == []
    assert len(outcome.notes) == 1
    assert token not in repr(outcome)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and token.encode() in p.read_bytes()] == []


def test_the_token_is_there_only_for_a_definition_that_asks_for_it(make: Make, registry: hfreg.Registry) -> None:
    import os

    token = "hf_" + "y" * 34
    registry.save_token(token)
    logic = (
        "import os\nfrom os import environ\n"
        "names = ['HUGGINGFACE_TOKEN', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']\n"
        "return [os.getenv(n) == text for n in names] + [environ.get(n) == text for n in names]"
    )
    assert make(logic, alias="asks", token=True)(token) == [True] * 6
    assert make(logic, alias="asks_not")(token) == [False] * 6
    assert not {"HUGGINGFACE_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} & set(os.environ)


def test_a_branch_that_moves_does_not_move_a_version(
    make: Make, served: LoopbackHub, registry: hfreg.Registry, tiny_checkpoints: TinyCheckpoints
) -> None:
    model = make(f"from transformers import pipeline\n{PIPELINE}return client(text)[0]['score']")
    pinned = registry.get("probe").pins[0].commit
    first = model.run("good")
    files = {p.name: p.read_bytes() for p in tiny_checkpoints.classifier.iterdir() if p.is_file()}
    served.push(REPO, {**files, "README.md": b"moved"})
    registry.unload("probe")
    again = model.run("good")
    assert again.cold
    assert first.pins == again.pins == {REPO: pinned}
    assert len(pinned) == 40


def test_an_approved_version_makes_no_new_pin(make: Make, registry: hfreg.Registry) -> None:
    model = make(
        "from transformers import pipeline\nreturn pipeline('text-classification', model=text)('a')[0]['label']"
    )
    assert model(REPO)
    registry.submit("probe")
    registry.review("probe", "Accept")
    for _ in range(2):
        outcome = model.run("acme/tiny-embedder")
        assert isinstance(outcome.error, hfreg.LifecycleError)
        assert "acme/tiny-embedder" in str(outcome.error)
    assert registry.model("probe").run(REPO).pins.keys() == {REPO}


def test_a_repo_id_built_at_run_time_is_pinned_at_its_first_load(make: Make, registry: hfreg.Registry) -> None:
    model = make(
        "from transformers import pipeline\nreturn pipeline('text-classification', model=text)('a')[0]['label']"
    )
    assert registry.get("probe").pins == ()
    assert model(REPO)
    assert [p.repo for p in registry.get("probe").pins] == [REPO]


@pytest.mark.parametrize("repo", ["acme/not-there", "acme/secret", "acme/gated"])
def test_a_repo_that_cannot_be_loaded_is_a_clear_error_and_the_definition_is_kept(
    served: LoopbackHub, tiny_checkpoints: TinyCheckpoints, registry: hfreg.Registry, repo: str
) -> None:
    served.add_repo("acme/secret", tiny_checkpoints.classifier, private=True)
    served.add_repo("acme/gated", tiny_checkpoints.classifier, gated=True)
    logic = f"from transformers import pipeline\nreturn pipeline('text-classification', model={repo!r})('a')"
    version = registry.register(hfreg.Definition(alias="probe", scoring_logic=logic))
    if repo == "acme/gated":  # the Hub tells its commit to everyone, and its files to nobody
        assert [p.repo for p in version.pins] == [repo]
    else:
        assert repo in version.unresolved[0]
        with pytest.raises(hfreg.LifecycleError, match=repo):
            registry.submit("probe")
    error = registry.model("probe").run().error
    assert isinstance(error, hfreg.GatedRepo if repo == "acme/gated" else hfreg.RepoNotFound)
    assert repo in str(error)


def test_a_default_model_of_a_task_is_resolved_like_any_other(make: Make) -> None:
    outcome = make("from transformers import pipeline\nreturn pipeline('text-classification')('a')").run()
    assert isinstance(outcome.error, hfreg.RepoNotFound)
    assert "distilbert" in str(outcome.error)


def test_many_first_callers_load_once(make: Make, served: LoopbackHub) -> None:
    model = make(f"from transformers import pipeline\n{PIPELINE}{TELL}")
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(model())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 8
    assert len(served.downloads("model.safetensors")) == 1


def test_the_default_dtype_of_torch_survives_a_load_that_failed(make: Make) -> None:
    import torch

    make(
        "from transformers import AutoModel\n"
        f"AutoModel.from_pretrained({REPO!r}, dtype='bfloat16', num_hidden_layers='no')\nreturn 1"
    ).run()
    assert torch.get_default_dtype() == torch.float32


def test_models_of_two_dtypes_load_at_once_and_right(make: Make) -> None:
    logic = f"from transformers import AutoModel\nreturn str(AutoModel.from_pretrained({REPO!r}, dtype=text).dtype)"
    models = [(make(logic, alias=f"m{n}"), dtype) for n, dtype in enumerate(["float32", "bfloat16"] * 3)]
    answers: dict[str, str] = {}
    threads = [threading.Thread(target=lambda m=m, d=d: answers.__setitem__(m.__name__, m(d))) for m, d in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {m.__name__: f"torch.{d}" for m, d in models}


def test_a_text_longer_than_the_model_reads_is_told_with_the_fix(make: Make) -> None:
    outcome = make(f"from transformers import pipeline\n{PIPELINE}return client(text)[0]").run("word " * 5000)
    assert isinstance(outcome.error, hfreg.ScoringError)
    assert "truncation=True" in str(outcome.error)


def test_loading_is_reported_as_it_happens(make: Make, registry: hfreg.Registry, served: LoopbackHub) -> None:
    model = make(f"from transformers import pipeline\n{PIPELINE}return 1")
    events: list[str] = []
    list(registry.start(model.version, [{}], on_event=lambda e: events.append(e.kind)))
    assert events.index("running") < events.index("loading") < events.index("download") < events.index("loaded")
    timings = model.run().timings
    assert timings.load_ms == 0


def test_pickled_weights_load_only_for_a_definition_that_allows_them(
    served: LoopbackHub, tiny_checkpoints: TinyCheckpoints, registry: hfreg.Registry
) -> None:
    import io

    import torch
    from safetensors.torch import load_file

    files = {p.name: p.read_bytes() for p in tiny_checkpoints.classifier.iterdir() if p.is_file()}
    weights = io.BytesIO()
    torch.save(load_file(tiny_checkpoints.classifier / "model.safetensors"), weights)
    del files["model.safetensors"]
    served.add_repo("acme/pickled", {**files, "pytorch_model.bin": weights.getvalue()})
    logic = f"from transformers import pipeline\n{PIPELINE.replace(REPO, 'acme/pickled')}return client('a')[0]['label']"
    definition = hfreg.Definition(alias="probe", scoring_logic=logic)
    refused = registry.test(definition).error
    assert isinstance(refused, hfreg.UnsafeRepo)
    assert "pickled_weights=True" in str(refused)
    assert registry.test(definition.model_copy(update={"pickled_weights": True})).result()


def test_stop_ends_a_download(make: Make, registry: hfreg.Registry, served: LoopbackHub) -> None:
    import time

    model = make(f"from transformers import pipeline\n{PIPELINE}return 1")
    served.bytes_per_s = 20_000
    loading = threading.Event()
    run = registry.start(model.version, [{}], on_event=lambda e: loading.set() if e.kind == "loading" else None)
    assert loading.wait(60)
    time.sleep(0.3)
    started = time.monotonic()
    run.cancel()
    (outcome,) = run
    assert outcome.status == "cancelled"
    assert time.monotonic() - started < 3
    served.bytes_per_s = None
    assert model() == 1


@pytest.fixture
def other_tokenizer(served: LoopbackHub, tiny_checkpoints: TinyCheckpoints) -> str:
    """A repository whose tokenizer calls every word unknown; the classifier then answers otherwise."""
    files = {p.name: p.read_bytes() for p in tiny_checkpoints.classifier.iterdir() if p.is_file()}
    data = json.loads(files["tokenizer.json"])
    words = list(data["model"]["vocab"])
    data["model"]["vocab"] = dict(zip(words, reversed(range(len(words))), strict=True))
    served.add_repo("acme/other-words", {**files, "tokenizer.json": json.dumps(data).encode()})
    return "acme/other-words"


def test_a_pipeline_does_not_get_the_tokenizer_that_another_one_named(make: Make, other_tokenizer: str) -> None:
    logic = (
        "from transformers import pipeline\n"
        f"if text: pipeline('text-classification', model={REPO!r}, tokenizer={other_tokenizer!r})\n"
        f"{PIPELINE}return client.tokenizer.get_vocab()"
    )
    assert make(logic)(True) == make(logic, alias="alone")(False)


def test_a_client_is_kept_for_its_own_token_only(make: Make) -> None:
    logic = (
        "from huggingface_hub import AsyncInferenceClient, InferenceClient\n"
        "one, other = (InferenceClient(api_key=key) for key in text)\n"
        "free = AsyncInferenceClient(), AsyncInferenceClient()\n"
        "return [one.token, other.token, one is InferenceClient(api_key=text[0]), free[0] is free[1]]"
    )
    model = make(logic)
    assert model(["key-of-alice", "key-of-bob"]) == ["key-of-alice", "key-of-bob", True, False]
    keys = repr(list(_libraries_of(model).memo._objects))
    assert "InferenceClient" in keys and "key-of" not in keys


def test_a_configuration_that_was_changed_loads_another_model(make: Make) -> None:
    logic = (
        "from transformers import AutoConfig, AutoModel\n"
        f"config = AutoConfig.from_pretrained({REPO!r})\nconfig.output_hidden_states = text\n"
        f"return bool(AutoModel.from_pretrained({REPO!r}, config=config).config.output_hidden_states)"
    )
    model = make(logic)
    assert [model(True), model(False), model(True)] == [True, False, True]


def test_arguments_of_a_pipeline_that_are_no_plain_values_share_nothing(make: Make) -> None:
    logic = (
        "from transformers import pipeline\nclass Map(dict):\n    pass\n"
        f"client = pipeline('text-classification', model={REPO!r}, model_kwargs={{'key_mapping': type}})\nreturn 1"
    )
    outcome = make(logic).run()
    assert "NotPlain" not in str(outcome.error)
    assert any("`model_kwargs`" in warning for warning in outcome.warnings), outcome


def test_a_file_is_found_in_its_subfolder_and_nowhere_else(make: Make) -> None:
    logic = (
        "from pathlib import Path\nfrom huggingface_hub import hf_hub_download\n"
        "return Path(hf_hub_download('acme/tiny-embedder', *text[0], **text[1])).read_text()"
    )
    model = make(logic)
    pooling = model([["config.json"], {"subfolder": "1_Pooling"}])
    assert "pooling" in pooling
    assert model([["1_Pooling/config.json"], {}]) == pooling != model([["config.json"], {}])
    for filename in ("../../../../secret.json", "/etc/hostname", "not-there.json"):
        error = model.run([[filename], {}]).error
        assert isinstance(error, hfreg.UnsafeRepo), error
        assert filename in str(error)


def test_a_data_set_is_not_looked_for_among_the_models(make: Make) -> None:
    logic = (
        "from pathlib import Path\nfrom huggingface_hub import hf_hub_download\n"
        f"return hf_hub_download({REPO!r}, 'config.json', repo_type='dataset')"
    )
    outcome = make(logic).run()
    assert isinstance(outcome.error, hfreg.UnsafeRepo)
    assert "dataset" in str(outcome.error)


def test_a_folder_of_this_machine_is_noted_with_the_call(make: Make, tiny_checkpoints: TinyCheckpoints) -> None:
    model = make("from transformers import AutoConfig\nAutoConfig.from_pretrained(text)\nreturn 1")
    path = str(tiny_checkpoints.classifier)
    assert [note for note in model.run(path).notes if path in note and "not pinned" in note]


def test_submodules_that_nobody_imported_yet_can_be_imported_from_a_library(make: Make) -> None:
    model = make("from importlib import resources, simple\nreturn [resources.__name__, simple.__name__]")
    sys.modules.pop("importlib.simple", None)
    assert model() == ["importlib.resources", "importlib.simple"]


def test_the_variables_of_the_process_can_be_changed_for_scoring_logic_alone(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFREG_TEST_KEPT", "process")
    before = dict(os.environ)
    logic = """
import os
seen = [os.environ.pop("HFREG_TEST_KEPT"), os.getenv("HFREG_TEST_KEPT"), "HFREG_TEST_KEPT" in os.environ]
try:
    os.environ["N"] = 5
except TypeError as problem:
    seen.append(str(problem))
seen.append(type(os.environ.copy()) is dict)
os.environb[b"BYTES"] = b"1"
os.putenv("PUT", "2")
os.environ |= {"ORED": "3"}
os.environ.update(MORE="4")
seen.append([os.getenv(n) for n in ("BYTES", "PUT", "ORED", "MORE")])
os.unsetenv("PUT")
del os.environ["MORE"]
seen.append([os.getenvb(b"BYTES").decode(), os.getenv("PUT"), os.getenv("MORE")])
seen.append(len(os.environ) == len(list(os.environ)))
os.environ["HFREG_TEST_KEPT"] = "own"
return seen
"""
    assert make(logic)() == [
        "process", None, False, "str expected, not int", True, ["1", "2", "3", "4"], ["1", None, None], True
    ]  # fmt: skip
    assert dict(os.environ) == before


def test_printing_can_be_redirected_without_touching_the_process(make: Make) -> None:
    logic = """
import contextlib, io, sys
from contextlib import redirect_stderr
held, wrong = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(held), redirect_stderr(wrong):
    print("hello")
    sys.stdout.write("you")
    print("oh", file=sys.stderr)
print("after")
before, sys.stdout = sys.stdout, held
print("!")
sys.stdout = before
import sys as real
return [held.getvalue(), wrong.getvalue()]
"""
    stdout = sys.stdout
    outcome = make(logic).run()
    assert outcome.value == ["hello\nyou!\n", "oh\n"], outcome
    assert outcome.stdout == "after\n"
    assert sys.stdout is stdout


def _libraries_of(model: hfreg.Model) -> Libraries:
    (slot,) = (s for k, s in model._registry.engine._slots.items() if k[0] == model.__name__)  # type: ignore[attr-defined]
    libraries: Libraries = slot._model._libraries
    return libraries


def test_libraries_name_the_secrets_of_the_version(tmp_path: Path) -> None:
    token = "secret-without-a-form"
    libraries = Libraries(_Nowhere(), {"HF_TOKEN": token, "HUGGINGFACE_TOKEN": token}, lambda text: None)
    assert libraries.secrets == {token}


class _Nowhere:
    def resolve(self, repo: str, revision: str | None = None) -> Path:
        raise LookupError(repo)


@pytest.mark.parametrize("token", ["hf_" + "aB3" * 11, "secret-without-a-form"])
def test_no_error_of_scoring_logic_shows_the_token(token: str) -> None:
    for problem in (SystemExit(f"<{token}>"), ValueError(f"<{token}>"), ModuleNotFoundError(name=token)):
        told = str(scoring_failure(problem, "probe", 1, "<probe>", {token}))
        assert token not in told
        assert "…" in told
