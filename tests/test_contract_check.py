"""Acceptance of `registry.check`: what it finds with its line, what it leaves alone, and that it runs nothing.

Each rule has sources that it flags and near ones that it must not. Written from the contract alone.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from contract_samples import TEXT, answering, define, errors_of

import hfreg

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOAD = "from transformers import pipeline\n"
AUTO = "from transformers import AutoModel\n"
MODEL = AUTO + f"m = AutoModel.from_pretrained('a/b', revision='{COMMIT}')\n"
KEY = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"

FLAGGED: dict[str, list[tuple[str, int]]] = {
    "syntax errors": [("x = (\nreturn text", 1), ("y = 1\nif text\n    return 1", 2), ("return text\n  return 2", 2)],
    "undefined names": [
        ("x = 1\nreturn txt", 2), ("def f():\n    return missing\nreturn f() or text", 2),
        ("return [t for t in texts] or text", 1),
        ("del text\nreturn os.getcwd()", 2), ("return f'{txt}' or text", 1),
        ("import os.path as p\nreturn os.sep + text", 2),
    ],
    "secrets": [
        (f"x = 1\ntoken = '{KEY}'\nreturn text", 2),
        (f"from huggingface_hub import login\nlogin(token='{KEY}')\nreturn text", 2),
        (f"headers = {{'Authorization': 'Bearer {KEY}'}}\nreturn text or headers", 1), (f"return text\n# {KEY}", 2),
    ],
    "unpinned repositories": [
        (LOAD + "c = pipeline('text-classification', model='org/name')\nreturn c(text)", 2),
        (LOAD + "c = pipeline('text-classification', 'org/name')\nreturn c(text)", 2),
        (LOAD + "c = pipeline('text-classification', model='org/name', revision='main')\nreturn c(text)", 2),
        ("import transformers as t\nm = t.AutoModel.from_pretrained('org/name')\nreturn m(text)", 2),
        (LOAD + "NAME = 'org/name'\nc = pipeline('text-classification', model=NAME)\nreturn c(text)", 3),
        ("from sentence_transformers import SentenceTransformer as S\nreturn S('org/name').encode(text)", 2),
    ],
    "repositories built at run time": [
        (LOAD + "c = pipeline('text-classification', model='org/' + text)\nreturn c(text)", 2),
        (LOAD + "c = pipeline('text-classification', model=f'org/{text}')\nreturn c(text)", 2),
        (LOAD + "c = pipeline('text-classification', model=text)\nreturn c(text)", 2),
        (AUTO + "for name in ('a/b', 'c/d'):\n    m = AutoModel.from_pretrained(name)\nreturn m(text)", 3),
    ],
    "remote code": [
        (LOAD + f"c = pipeline(model='org/name', revision='{COMMIT}', trust_remote_code=True)\nreturn c(text)", 2),
        (AUTO + f"m = AutoModel.from_pretrained('a/b', revision='{COMMIT}',\n    trust_remote_code=True)\nreturn m", 3),
        (AUTO + "k = {'trust_remote_code': True}\nm = AutoModel.from_pretrained('a/b', **k)\nreturn m", 2),
        (AUTO + "m = AutoModel.from_pretrained('a/b', **{'trust_remote_code': True})\nreturn m", 2),
        (AUTO + "yes = True\nm = AutoModel.from_pretrained('a/b', trust_remote_code=yes)\nreturn m", 3),
    ],
    "loads that load-once cannot see": [
        ("import torch\nm = torch.load('w.pt')\nreturn m(text)", 2),
        ("import pickle as p\nm = p.load(open('w', 'rb'))\nreturn m(text)", 2),
        ("from joblib import load\nm = load('w')\nreturn m(text)", 2),
        ("import spacy\nn = spacy.load('en')\nreturn n(text)", 2),
        ("from transformers import AutoConfig as C, AutoModel\nm = AutoModel.from_config(C())\nreturn m(text)", 2),
        ("from safetensors.torch import load_file\nw = load_file('w.safetensors')\nreturn w[text]", 2),
    ],
    "changes to what is kept loaded": [
        (LOAD + f"c = pipeline(model='org/name', revision='{COMMIT}')\nc.model.half()\nreturn c(text)", 3),
        (MODEL + "m.train()\nreturn m(text)", 3),
        (MODEL + "m.to('cpu')\nreturn m(text)", 3),
        (MODEL + "m.resize_token_embeddings(9)\nreturn m(text)", 3),
        (MODEL + "m.config.pad_token_id = 1\nreturn m(text)", 3),
        (AUTO + "t = AutoModel.from_pretrained('hfreg/starter-sentiment')\nt.add_tokens(['x'])\nreturn t(text)", 3),
    ],
}  # fmt: skip

LEFT_ALONE = [
    LOAD + f"c = pipeline('text-classification', model='org/name', revision='{COMMIT}')\nreturn c(text)[0]['label']",
    LOAD + "c = pipeline('text-classification', model='hfreg/starter-sentiment')\nreturn c(text)[0]['label']",
    AUTO + f"m = AutoModel.from_pretrained('a/b', revision='{COMMIT}', trust_remote_code=False)\nreturn str(m(text))",
    "def f(t):\n    return t.upper()\nreturn f(text)",
    "return ''.join(t for t in text if t.isalpha())",
    "try:\n    import json\nexcept ImportError:\n    json = None\nreturn json.dumps(text)",
    "class C:\n    value = 1\n    def get(self):\n        return self.value\nreturn text * C().get()",
    "x = 1\ndef f():\n    nonlocal x\n    x += 1\n    return x\nreturn text * f()",
    "import os\ntoken = os.getenv('MY_SETTING')\nreturn text + str(token)",
    "key = 'hf_'\nreturn text + key",
    "if text is None:\n    return None\nreturn f'{text!r:>{len(text)}}'",
    "return (lambda t: t + '!')(text)",
    "cache['n'] = cache.get('n', 0) + 1\nreturn text * cache['n']",
    "text = text.strip()\nreturn text",
    "import io\nwords = io.StringIO(text).read().split()\nwords.append('to')\nreturn words[0]",
    "match text:\n    case 'a':\n        return 'b'\n    case other:\n        return other",
    "total = 0\nfor i, t in enumerate(text):\n    total += i\nreturn t * total if text else ''",
]


@pytest.mark.parametrize("rule", FLAGGED)
def test_a_rule_flags_the_line(registry: hfreg.Registry, rule: str) -> None:
    missed = []
    for source, line in FLAGGED[rule]:
        findings = registry.check(define(source, network=True))
        if not any(finding.line == line and finding.level in ("error", "warning", "hint") for finding in findings):
            missed.append((source, line, findings))
    assert missed == []


def test_syntax_undefined_names_secrets_and_remote_code_block_registering(registry: hfreg.Registry) -> None:
    for rule in ("syntax errors", "undefined names", "secrets", "remote code"):
        for source, _ in FLAGGED[rule][:-1] if rule == "remote code" else FLAGGED[rule]:
            assert errors_of(registry.check(define(source))), (rule, source)
            with pytest.raises(hfreg.DefinitionError):
                registry.register(define(source))
    for rule in ("unpinned repositories", "repositories built at run time", "loads that load-once cannot see"):
        for source, _ in FLAGGED[rule]:
            assert not errors_of(registry.check(define(source))), (rule, source)
    assert registry.catalog() == []


def test_what_is_in_order_is_left_alone(registry: hfreg.Registry) -> None:
    flagged = [(source, findings) for source in LEFT_ALONE if (findings := registry.check(define(source)))]
    assert flagged == []


def test_a_finding_has_level_field_line_and_message(registry: hfreg.Registry) -> None:
    (finding,) = errors_of(registry.check(define("x = text\nreturn txet")))
    assert (finding.level, finding.field, finding.line) == ("error", "scoring_logic", 2)
    assert "txet" in finding.message and "text" in finding.message


def test_arguments_that_are_never_used_are_named(registry: hfreg.Registry) -> None:
    arguments = [TEXT, hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")]
    unused = registry.check(define("return text", arguments=arguments))
    assert any("threshold" in finding.message for finding in unused) and not errors_of(unused)
    for source in ("return text[:threshold]", "def f():\n    return threshold\nreturn text * f()",
                   "return f'{text}{threshold}'", "return [text for _ in range(threshold)]",
                   "threshold = threshold or 1\nreturn text * threshold"):  # fmt: skip
        assert registry.check(define(source, arguments=arguments)) == [], source


IMPOSSIBLE = [
    ("return 'high'", "Numerical", 1), ("x = 1\nreturn {'a': x}", "String", 2),
    ("return {'a': 'x'}", "Struct[a: String, b: String]", 1),
    ("return [1]", "Map[String, String]", 1), ("return {'a': 1}", "List", 1), ("return ['a']", "Array[Numerical]", 1),
    ("if 1 > 0:\n    return 1\nreturn 'x'", "Numerical", 3), ("return {'a': 'b'}", "Map[String, Numerical]", 1),
    ("return f'{1}'", "Numerical", 1), ("return 'a', 'b'", "Map[String, String]", 1),
]  # fmt: skip
POSSIBLE = [
    ("return None", "Numerical"), ("return {'a': 'x', 'b': 'y'}", "Struct[a: String, b: String]"),
    ("return (1, 2)", "List"),
    ("def f():\n    return 'x'\nreturn len(f())", "Numerical"),
    ("return {'a': [1, 2.5]}", "Map[String, Array[Numerical]]"),
    ("return [c for c in 'abc']", "Array[String]"), ("return {c: 'x' for c in 'abc'}", "Map[String, String]"),
    ("return dict(a='x')", "Map[String, String]"), ("return -1", "Numerical"), ("return {'a': 1, 'b': [None]}", "Any"),
    ("x = {}\nx['a'] = 'b'\nreturn x", "Map[String, String]"),
    ("return {**{'a': 'x'}, 'b': 'y'}", "Struct[a: String, b: String]"),
    ("return 1 if len('a') else 2.5", "Numerical"), ("return not len('a')", "Boolean"),
    ("return 'a' 'b'.upper()", "String"),
]  # fmt: skip


def test_a_return_that_cannot_match_the_output_type_is_found(registry: hfreg.Registry) -> None:
    missed = []
    for source, kind, line in IMPOSSIBLE:
        if not any(f.line == line and f.level in ("error", "warning") for f in registry.check(answering(source, kind))):
            missed.append((source, kind))
    assert missed == []
    flagged = [(s, k, found) for s, k in POSSIBLE if (found := registry.check(answering(s, k)))]
    assert flagged == []


def test_a_function_as_the_answer_is_found(registry: hfreg.Registry) -> None:
    findings = registry.check(answering("return lambda: 1", "String"))
    assert any(finding.line == 1 for finding in findings)


def test_a_number_in_a_map_of_texts_is_told_with_the_type_that_keeps_it(registry: hfreg.Registry) -> None:
    source = "x = 0.5\nreturn {'sentiment': 'good', 'confidence': 0.9 * x}"
    findings = registry.check(answering(source, "Map[String, String]"))
    assert any(f.line == 2 and f.level != "error" and "Struct[" in f.message for f in findings), findings


def test_the_examples_of_the_seed_yield_no_error(registry: hfreg.Registry) -> None:
    blocks = (Path(__file__).parent / "seed.md").read_text(encoding="utf-8").split("```python\n")[1:]
    (source,) = [text for block in blocks if "pipeline(" in (text := block.split("```")[0])]
    threshold = hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")
    definition = define(source, alias="sentiment", output_type="Map[String, String]", arguments=[TEXT, threshold])
    findings = registry.check(definition)
    assert not errors_of(findings)
    assert any(finding.line == 10 or finding.line == 12 for finding in findings), "the repo id names no commit"


def test_sources_of_64_kib_are_the_largest(registry: hfreg.Registry) -> None:
    source = "return text\n#"
    full = source + "x" * (65536 - len(source))
    assert registry.check(define(full)) == []
    for over in (full + "x", source + "ü" * 32768, "x" * 70 * 1024, "(" * 60_000, "-" * 65_000 + "1",
                 "a." * 30_000 + "a"):  # fmt: skip
        started = time.monotonic()
        findings = registry.check(define(over))
        assert errors_of(findings), over[:20]
        assert time.monotonic() - started < 5
        with pytest.raises(ValueError):
            registry.register(define(over))


def test_checking_runs_nothing(registry: hfreg.Registry, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    touch = f"open({str(touched)!r}, 'w').close()"
    for source in (f"{touch}\nreturn text", f"@{touch}\ndef f():\n    pass\nreturn text",
                   f"def f(x={touch}):\n    pass\nreturn text",
                   f"class C(metaclass={touch}):\n    pass\nreturn text", f"return f'{{{touch}}}' + text"):  # fmt: skip
        registry.check(define(source))
    registry.check(define(f"x: {touch} = 1\nreturn text", alias=f"x={touch}"))
    assert not touched.exists()


def test_checking_asks_nobody_and_answers_for_a_broken_definition_too(registry: hfreg.Registry) -> None:
    broken = define("return (", alias="class", output_type="Strng", arguments=[hfreg.Argument("1", "Nmber")])
    fields = {finding.field.split("[")[0] for finding in errors_of(registry.check(broken))}
    assert {"alias", "output_type", "arguments", "scoring_logic"} <= fields
    assert errors_of(registry.check(define("return text\x00")))
