"""From repository: a definition for one repository of the Hub, made from the template of its task.

Covers alias, name, description, model type, output type, arguments and scoring logic with the repository at its commit.
A task without a template gets generic logic, and is told so. It asks nobody and registers nothing: what is known of the
repository is given.

    >>> made = from_repository("fill-mask", "acme/tiny-bert", "0" * 40)
    >>> made.definition.alias, made.generic
    ('tiny_bert', False)
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

from hfreg import templates
from hfreg.argument import Argument, name_findings
from hfreg.definition import Definition
from hfreg.scoring.check import repositories

LONGEST_ALIAS = 63
_TASK = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_BY_TASK = """# Arguments: text is automatically available
# There is no template for the task {task}: change arguments, output type and this code to what it needs.
from transformers import pipeline

client = pipeline(
    "{task}",
    model="{repo}",
    revision="{commit}",
)

if text is None:
    return None

return client(text)
"""
_BY_ARCHITECTURE = """# Arguments: text is automatically available
# The repository names no task. This gives the mean of the last layer: write what you need instead.
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{repo}", revision="{commit}")
model = AutoModel.from_pretrained("{repo}", revision="{commit}")

if text is None:
    return None

tokens = tokenizer(text, truncation=True, return_tensors="pt")
return model(**tokens).last_hidden_state[0].mean(dim=0).tolist()
"""


@dataclass(frozen=True, slots=True)
class Start:
    """A definition to begin with; `generic` when its task has no template, `message` is for the user."""

    definition: Definition
    generic: bool
    message: str


def from_repository(
    task: str,
    repo: str,
    commit: str,
    *,
    library: str = "",
    conversational: bool = False,
    summary: str = "",
    taken: Iterable[str] = (),
) -> Start:
    """Return a definition for the repository at that commit, under an alias that is not taken.

    `conversational` is whether its tokenizer has a chat template: a model that writes is then asked by that template.
    """
    template = _template("chat" if conversational and task == "text-generation" else task, library)
    start = template.definition if template else _generic(task, repo, commit)
    name = repo.rpartition("/")[2]
    about = f"{summary} " if summary else ""
    filled = start.model_copy(
        update={
            "alias": free_alias(name, taken),
            "name": " ".join(re.split(r"[-_\s]+", name)).strip()[:80],
            "description": f"{about}From `{repo}` of the Hub at {commit[:12]}.",
            "ownership_type": "Open source",
            "scoring_logic": _pinned(start.scoring_logic, repo, commit) if template else start.scoring_logic,
        }
    )
    return Start(filled, template is None, _message(task, repo, template))


def free_alias(name: str, taken: Iterable[str] = ()) -> str:
    """Return an alias for the name of a repository that no other model has, upper and lower case aside.

    >>> free_alias("3D-Größe v2.0"), free_alias("class"), free_alias("Tiny", ["TINY"])
    ('model_3d_gr_e_v2_0', 'class_model', 'tiny_2')
    """
    alias = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "model"
    alias = f"model_{alias}" if alias[0].isdigit() else alias
    alias = alias[: LONGEST_ALIAS - 7].rstrip("_")
    if keyword.iskeyword(alias) or any(f.level == "error" for f in name_findings("alias", alias)):
        alias = f"{alias}_model"
    known = {one.casefold() for one in taken}
    names = (alias if n == 1 else f"{alias}_{n}" for n in range(1, 100_000))
    return next(one for one in names if one not in known)


def _template(task: str, library: str) -> templates.Template | None:
    if library == "sentence-transformers" and task in {"", "feature-extraction", "sentence-similarity"}:
        return templates.find("sentence-similarity")
    found = templates.find(task)
    return found if found and found.definition.scoring_logic else None


def _pinned(logic: str, repo: str, commit: str) -> str:
    """Put the repository and its commit in place of every one that the template names."""
    for named in {one.repo for one in repositories(logic)}:
        indent = "    " if f'model="{named}"' in logic else ""
        apart = f",\n{indent}" if indent else ", "
        logic = logic.replace(f'"{named}"', f'"{repo}"{apart}revision="{commit}"')
    return logic


def _generic(task: str, repo: str, commit: str) -> Definition:
    named = bool(_TASK.fullmatch(task))
    logic = (_BY_TASK if named else _BY_ARCHITECTURE).format(task=task, repo=repo, commit=commit)
    text = Argument("text", "String", usage="Main input content")
    kind = "Any" if named else "Array[Numerical]"
    return Definition(alias="", model_type="Other", output_type=kind, arguments=(text,), scoring_logic=logic)


def _message(task: str, repo: str, template: templates.Template | None) -> str:
    if template is not None:
        return f"Filled the form with `{repo}` by the template {template.title}."
    what = f"There is no template for the task `{task[:60]}`" if task else "The repository names no task"
    return f"{what}: filled the form with `{repo}` and generic code. Change it to what the model needs."
