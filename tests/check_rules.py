"""The rules of check: for each a source that it flags, with level and line, and one that it must not."""

from __future__ import annotations

from pathlib import Path

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.scoring.check import source_findings
from hfreg.values import Finding

SEED = (Path(__file__).parent / "seed.md").read_text(encoding="utf-8")
SEED_LOGIC = next(block for block in SEED.split("```python\n")[1:] if "pipeline(" in block).split("```")[0]
TOKEN = "hf_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbC"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOAD = f'from transformers import pipeline\nclient = pipeline("x", model="a/b", revision="{COMMIT}")\n'


def define(source: str, **fields: object) -> Definition:
    arguments = (Argument("text"), Argument("threshold", "Numerical", optional=True, default="0.5"))
    return Definition(**{"alias": "model", "arguments": arguments, "scoring_logic": source, **fields})


def findings(source: str, **fields: object) -> list[Finding]:
    """List the findings about the source, leaving out arguments that a short example does not use."""
    return [f for f in source_findings(define(source, **fields)) if f.field == "scoring_logic"]


# level, a part of the message, the line, a source to flag, a source to leave alone
RULES = {
    "a syntax error": ("error", "column 10", 2, "x = 1\nif text  return x", "if text: return 1\nreturn 2"),
    "an undefined name": ("error", "`client` is not defined", 2, "x = 1\nreturn client(x)", "return len(text)"),
    "a near name": ("error", "Did you mean `threshold`?", 1, "return confidence_threshold", "return threshold"),
    "a forgotten import": (
        "error",
        "Add `from transformers import pipeline`",
        2,
        'm = "a/b"\nreturn pipeline("x", model=m)',
        f"{LOAD}return client(text)",
    ),
    "an unused import": (
        "hint",
        "`json` is imported and never used",
        1,
        "import json\nreturn 1",
        "import json\nreturn json",
    ),
    "an unused variable": ("hint", "`x` is assigned and never used", 1, "x = 1\nreturn 2", "x = 1\nreturn x"),
    "a star import": ("hint", "Import the names", 1, "from math import *\nreturn pi", "from math import pi\nreturn pi"),
    "await": ("error", "calls are plain", 2, "x = text\nreturn await x", "async def f(): await f()\nreturn f"),
    "a global that is an argument": ("error", "parameter and global", 1, "global text\nreturn 1", "return text"),
    "a nonlocal at the top": ("error", "nonlocal", 1, "nonlocal x\nreturn 1", "def f():\n nonlocal text\nreturn f"),
    "a global": ("hint", "kept between calls", 1, "global n\nn = 1\nreturn n", "n = 1\nreturn n"),
    "a late future import": (
        "error",
        "beginning of the file",
        2,
        "x = text\nfrom __future__ import annotations",
        "return 1",
    ),
    "a null byte": ("error", "null byte", 2, "x = 1\ny = '\0'", "y = '\\0'\nreturn y"),
    "half a character": ("error", "surrogate", 1, "x = '\ud800'", "x = '😀'\nreturn x"),
    "a Hugging Face token": ("error", "Hugging Face token", 2, f"x = 1\n# {TOKEN}\nreturn x", "x = 'hf_hub'\nreturn x"),
    "an AWS key": ("warning", "AWS", 1, "x = 'AKIA" + "Q" * 15 + "7'\nreturn x", "x = 'AKIA'\nreturn x"),
    "a password in a URL": (
        "warning",
        "password in a URL",
        1,
        'x = "https://me:s3cr3t9@host/x"\nreturn x',
        'x = "https://host:8080/x"\nreturn f"https://me:{x}@host"',
    ),
    "a literal called token": (
        "warning",
        "`token` looks like a secret",
        2,
        "x = dict(\n token='a1b2c3d4e5f6a7b8c9')\nreturn x",
        'import os\nx = dict(token=os.getenv("MY_TOKEN"), pad_token="[PAD]", api_key="MY_API_KEY_12345")\nreturn x',
    ),
    "an unpinned repo id": (
        "hint",
        "`a/b` names no commit",
        3,
        LOAD.replace("a/b", "c/d") + 'pipeline("x", model="a/b")',
        LOAD,
    ),
    "a branch as revision": (
        "hint",
        "asks for `main`, which may move",
        2,
        LOAD.replace(COMMIT, "main"),
        LOAD.replace("a/b", "hfreg/starter-sentiment").replace(f', revision="{COMMIT}"', ""),
    ),
    "a repo id built at run time": (
        "warning",
        "built at run time",
        3,
        'from transformers import pipeline\nx = "a/" + text\nclient = pipeline("x", model=x)',
        f'from transformers import pipeline\nx = "a/" + "b"\nclient = pipeline("x", model=x, revision="{COMMIT}")',
    ),
    "a revision built at run time": (
        "warning",
        "revision of `a/b` is built at run time",
        2,
        'from transformers import pipeline\npipeline("x", "a/b", revision=text)',
        f'from transformers import pipeline\nR = "{COMMIT}"\npipeline("x", "a/b", revision=R)',
    ),
    "a local path": (
        "warning",
        "path of one machine",
        2,
        'from transformers import AutoModel\nm = AutoModel.from_pretrained("./weights")',
        f'from transformers import AutoModel\nm = AutoModel.from_pretrained("a/b", revision="{COMMIT}")',
    ),
    "no model": ("warning", "names no model", 2, 'from transformers import pipeline\npipeline("x")', LOAD),
    "no organisation": (
        "warning",
        "Write `sentence-transformers/all-MiniLM-L6-v2`",
        2,
        'from sentence_transformers import SentenceTransformer\nm = SentenceTransformer("all-MiniLM-L6-v2")',
        'from transformers import AutoModel\nm = AutoModel.from_pretrained("gpt2")',
    ),
    "remote code": (
        "error",
        "trust_remote_code=True is refused",
        2,
        'from transformers import pipeline\npipeline("x", "a/b", trust_remote_code=True)',
        'from transformers import pipeline\npipeline("x", "a/b", trust_remote_code=False)',
    ),
    "remote code in a dict": (
        "error",
        "is refused",
        1,
        'k = {"trust_remote_code": True}\nreturn k',
        'k = {"x": True}\nreturn k',
    ),
    "remote code at run time": (
        "warning",
        "decided at run time",
        2,
        'from transformers import pipeline\npipeline("x", "a/b", trust_remote_code=bool(text))',
        LOAD,
    ),
    "an unseen load": (
        "warning",
        "load-once does not see it",
        2,
        "import torch\nm = torch.load(text)",
        'import torch\nif "m" not in cache:\n    cache["m"] = torch.load(text)\nreturn cache["m"]',
    ),
    "a pickle": (
        "warning",
        "run any code",
        2,
        "import pickle\nreturn pickle.loads(text)",
        "import json\nreturn json.loads(text)",
    ),
    "from_config": (
        "warning",
        "from_config",
        2,
        "from transformers import AutoModel\nm = AutoModel.from_config(text)",
        'from transformers import AutoModel\ncache.setdefault("m", AutoModel.from_config(text))',
    ),
    "from_pretrained of another library": (
        "warning",
        "does not see `diffusers`",
        2,
        'from diffusers import Flux\nm = Flux.from_pretrained("a/b")',
        'from transformers import BertModel\nm = BertModel.from_pretrained("a/b")',
    ),
    "getattr": (
        "warning",
        "taken from `transformers` by getattr",
        2,
        'import transformers\nf = getattr(transformers, "pip" + "eline")\nreturn f',
        'f = getattr(text, "upper")\nreturn f',
    ),
    "another program": (
        "warning",
        "starts another program",
        2,
        "import subprocess\nsubprocess.run(text)",
        "import os\nos.getpid()",
    ),
    "hidden code": ("warning", "check cannot read", 1, "exec(text)", "re = text\nre.compile(re)"),
    "an import at run time": (
        "warning",
        "chosen at run time",
        2,
        "import importlib\nreturn importlib.import_module(text)",
        'import importlib\nreturn importlib.import_module("json")',
    ),
    "a load that is not kept": (
        "warning",
        "`callback` of this load is a function",
        2,
        'from transformers import pipeline\npipeline("x", "a/b", callback=lambda x: x)',
        'import transformers as t\nm = t.AutoModel.from_pretrained("a/b")\nt.pipeline("x", model=m, device=text)',
    ),
    "changing an attribute": (
        "warning",
        "`client.model.x` of a loaded object",
        3,
        f"{LOAD}client.model.x = 1",
        f"{LOAD}answer = client(text)\nanswer[0] = 1",
    ),
    "a changing call": (
        "warning",
        "`half` changes a loaded object",
        3,
        f"{LOAD}client.model.half()",
        f"{LOAD}client.model.eval()",
    ),
    "a changing call at the load": (
        "warning",
        "`to` changes a loaded object",
        2,
        'from transformers import AutoModel\nm = AutoModel.from_pretrained("a/b").to(text)',
        f"{LOAD}x = client(text).to(1)",
    ),
    "setattr on a loaded object": (
        "warning",
        "changes a loaded object",
        3,
        f"{LOAD}setattr(client, 'x', 1)",
        "setattr(text, 'x', 1)",
    ),
    "login without token": (
        "hint",
        "does nothing here",
        2,
        "from huggingface_hub import login\nlogin()",
        "from huggingface_hub import login\nlogin(token=text)",
    ),
    "reading the token": ("hint", "HF_TOKEN is given", 2, 'import os\nreturn os.environ["HF_TOKEN"]', 'return "HF_"'),
    "the network": (
        "warning",
        "`requests` uses the network",
        1,
        "import requests\nreturn requests",
        "import urllib.parse as p\nreturn p",
    ),
    "the network through a client": (
        "warning",
        "`InferenceClient` uses the network",
        2,
        "from huggingface_hub import InferenceClient\nreturn InferenceClient(model=text)",
        "from huggingface_hub import hf_hub_download\nreturn hf_hub_download",
    ),
    "hiding cache": (
        "warning",
        "hides the platform's `cache`",
        1,
        "cache = {}\nreturn cache",
        'cache["x"] = 1\nreturn cache',
    ),
    "hiding cache by an import": (
        "warning",
        "hides the platform's `cache`",
        1,
        "from functools import cache\nreturn cache",
        "from functools import cache as memo\nreturn memo",
    ),
    "no scoring logic": ("warning", "no scoring logic yet", None, "# later\n", "return None"),
}
