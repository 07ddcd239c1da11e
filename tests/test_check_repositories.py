"""Repositories: the literal repo ids of a source, however the libraries were imported."""

from __future__ import annotations

import pytest

import hfreg
from hfreg.scoring.check import Repository, repositories

NAMED = {
    'from transformers import pipeline\npipeline("x", model="a/b")': [("a/b", None, 2)],
    'import transformers as t\nt.pipeline("x", "a/b", revision="v1")': [("a/b", "v1", 2)],
    'from transformers.pipelines import pipeline as p\nM = "a/b"\np("x", model=M)': [("a/b", None, 3)],
    'import transformers\nload = transformers.AutoModel.from_pretrained\nload("a/b")\nload("a/b")': [("a/b", None, 3)],
    'import transformers as t\nm = t.AutoModel.from_pretrained("a/b")\nt.pipeline("x", model=m, tokenizer="c/d")': [
        ("a/b", None, 2),
        ("c/d", None, 3),
    ],
    'from transformers import AutoModel as M\nORG = "a"\nM.from_pretrained(f"{ORG}/b")': [("a/b", None, 3)],
    'import importlib\nimportlib.import_module("transformers").pipeline("x", model="a/b")': [("a/b", None, 2)],
    'from sentence_transformers import SentenceTransformer as S, CrossEncoder\nS("a/b")\nCrossEncoder("c/d")': [
        ("a/b", None, 2),
        ("c/d", None, 3),
    ],
    'from huggingface_hub import *\nhf_hub_download("a/b", "f")\nsnapshot_download(repo_id="c/d")': [
        ("a/b", None, 2),
        ("c/d", None, 3),
    ],
    'from huggingface_hub import snapshot_download\nsnapshot_download("a/b", repo_type="dataset")': [],
    'from huggingface_hub import InferenceClient\nInferenceClient("a/b")': [],
    'from peft import PeftModel\nPeftModel.from_pretrained(base, "a/b")': [("a/b", None, 2)],
    'from transformers import pipeline\nx = "a/b"\nx = "c/d"\npipeline("x", model=x)': [],
    'from sklearn.pipeline import Pipeline as pipeline\npipeline("x", "a/b")': [],
    'def pipeline(a, b): return b\npipeline("x", "a/b")': [],
    "return (": [],
}


@pytest.mark.parametrize("source", NAMED)
def test_repositories_are_the_literal_ids_with_revision_and_line(source: str) -> None:
    assert repositories(source) == [Repository(*row) for row in NAMED[source]]


NO_IDS = (
    "größe/modell",
    "org/../secret",
    "org/" + "b" * 97,
    "a" * 300,
    "a/b/c",
    "a--b/c",
    "org/name.git",
    "org/",
    "my model",
)


@pytest.mark.parametrize("repo", NO_IDS)
def test_what_can_be_no_repo_id_is_an_error_and_registers_nothing(registry: hfreg.Registry, repo: str) -> None:
    logic = f"from transformers import pipeline\nreturn pipeline('fill-mask', model={repo!r})('a')"
    made = hfreg.Definition(alias="odd", description="Odd.", scoring_logic=logic)
    with pytest.raises(hfreg.DefinitionError, match="is no repo id of the Hub"):
        registry.register(made)
    assert registry.catalog() == []
    assert [(f.field, f.line) for f in registry.check(made) if f.level == "error"] == [("scoring_logic", 2)]
