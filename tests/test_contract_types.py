"""Acceptance of the contract, section 2: the notation, arguments from Python and as text, answers.

Written from the contract alone, as somebody outside would call it.
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contract_samples import TEXT, answering, define, errors_of, taking

import hfreg
from hfreg.types import parse

NOTATION = [
    ("String", "String"), ("str", "String"), ("Numerical", "Numerical"), ("int", "Numerical"),
    ("float", "Numerical"), ("Boolean", "Boolean"), ("bool", "Boolean"), ("DateTime", "DateTime"), ("Any", "Any"),
    ("Array[String]", "Array[String]"), ("list[str]", "Array[String]"), ("dict[str, str]", "Map[String, String]"),
    ("Map[Numerical,Boolean]", "Map[Numerical, Boolean]"), ("dict[int, bool]", "Map[Numerical, Boolean]"),
    ("Struct[sentiment: String, confidence: float]", "Struct[sentiment: String, confidence: Numerical]"),
    ("list[dict[str, list[float]]]", "Array[Map[String, Array[Numerical]]]"),
    ("Struct[a: Struct[b: Array[Any]], c: Map[String, DateTime]]", None),
    ("  Map[ String ,String ]\n", "Map[String, String]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), NOTATION)
def test_every_notation_prints_one_canonical_form_that_reads_back(text: str, canonical: str | None) -> None:
    kind = parse(text)
    assert canonical is None or str(kind) == canonical
    assert parse(str(kind)) == kind
    assert str(parse(str(kind))) == str(kind)


def test_a_list_is_an_array_of_anything() -> None:
    assert parse("List") == parse("Array[Any]") == parse("list[Any]")
    assert str(parse("List")) == str(parse("Array[Any]"))
    assert hash(parse("List")) == hash(parse("Array[Any]"))


@pytest.mark.parametrize(
    "text", ["", "Strng", "Map[String]", "Map[Boolean, String]", "Map[List, String]", "Array[", "Array[String]]",
             "Struct[]", "Struct[a: String, a: String]", "Struct[1a: String]", "Array[String, String]",
             "String; import os"],
)  # fmt: skip
def test_what_is_no_type_is_a_value_error_that_shows_the_text(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert isinstance(caught.value, hfreg.HfregError)
    assert text.strip()[:5] in str(caught.value)


def test_every_type_admits_none(registry: hfreg.Registry) -> None:
    for kind in ("String", "Numerical", "Boolean", "DateTime", "Any", "List", "Array[Numerical]", "Map[String, String]",
                 "Struct[a: String]"):  # fmt: skip
        outcome = registry.test(taking(kind, output_type=kind), value=None)
        assert outcome.ok and outcome.value is None and not outcome.warnings, kind


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("Numerical", 512, 512), ("Numerical", 0.5, 0.5), ("Numerical", np.int64(512), 512), ("Numerical", np.uint8(7), 7),
    ("Numerical", np.float64(0.8), 0.8), ("Numerical", np.float32(0.5), 0.5), ("Numerical", pd.Series([3])[0], 3),
    ("Boolean", True, True), ("Boolean", np.bool_(True), True), ("String", "", ""), ("String", np.str_("a"), "a"),
    ("DateTime", datetime.datetime(2026, 1, 2, 3), datetime.datetime(2026, 1, 2, 3)),
    ("DateTime", pd.Timestamp("2026-01-02 03:00"), datetime.datetime(2026, 1, 2, 3)),
    ("DateTime", np.datetime64("2026-01-02T03:00"), datetime.datetime(2026, 1, 2, 3)),
    ("Array[Numerical]", [1, np.float64(2.5)], [1, 2.5]), ("Map[String, Numerical]", {"a": np.int32(1)}, {"a": 1}),
    ("Struct[a: String, b: Numerical]", {"a": "x", "b": 1}, {"a": "x", "b": 1}), ("Numerical", -0.0, 0.0),
    ("Array[Array[Numerical]]", [[1], []], [[1], []]), ("Numerical", 10**30, 10**30),
]  # fmt: skip


def test_a_value_from_python_reaches_the_logic_as_plain_python(registry: hfreg.Registry) -> None:
    source = "return [value, type(value).__module__ + '.' + type(value).__qualname__]"
    for kind, given, seen in ACCEPTED:
        outcome = registry.test(taking(kind, source, output_type="List"), value=given)
        assert outcome.ok, (kind, given, outcome.error)
        assert outcome.value == [seen, f"{type(seen).__module__}.{type(seen).__qualname__}"], (kind, given)


def test_a_torch_scalar_counts_as_its_number(registry: hfreg.Registry) -> None:
    torch = pytest.importorskip("torch")
    source = "return [value, type(value).__name__]"
    definition = taking("Numerical", source, output_type="List")
    assert registry.test(definition, value=torch.tensor(3)).value == [3, "int"]
    assert registry.test(definition, value=torch.tensor(0.5)).value == [0.5, "float"]
    assert isinstance(registry.test(definition, value=torch.tensor(True)).error, hfreg.ArgumentError)


REFUSED: list[tuple[str, Any]] = [
    ("Numerical", "0.8"), ("Numerical", ""), ("Numerical", True), ("Numerical", np.bool_(False)),
    ("Numerical", math.nan), ("Numerical", math.inf), ("Numerical", -math.inf), ("Numerical", np.float64("nan")),
    ("Numerical", np.float32("inf")), ("Numerical", 1j), ("Numerical", [1]), ("Boolean", "true"), ("Boolean", 1),
    ("Boolean", 0.0), ("Boolean", np.int64(1)),
    ("String", 5), ("String", True), ("String", b"bytes"), ("String", ["a"]), ("String", Path("a")),
    ("DateTime", "2026-01-02"), ("DateTime", 5), ("Array[Numerical]", [1, "2"]), ("Array[Numerical]", [1, math.nan]),
    ("Array[String]", "abc"), ("List", {"a": 1}), ("List", "abc"), ("Map[String, Numerical]", {"a": "1"}),
    ("Map[String, String]", [("a", "b")]), ("Map[String, String]", {1: "a"}), ("Struct[a: String]", {}),
    ("Struct[a: String]", {"a": 1}), ("Any", math.nan), ("Any", lambda: 1), ("Map[String, Any]", {"a": [math.inf]}),
    ("Array[Boolean]", [1]), ("Struct[a: String]", {"a": "x", "b": 1}),
]  # fmt: skip


def test_a_value_of_another_kind_is_an_argument_error_that_names_it(registry: hfreg.Registry) -> None:
    for kind, given in REFUSED:
        error = registry.test(taking(kind), value=given).error
        assert isinstance(error, hfreg.ArgumentError) and isinstance(error, TypeError), (kind, given, error)
        assert "value" in str(error), (kind, given, error)
    registry.register(taking("Numerical"))
    with pytest.raises(hfreg.ArgumentError, match="value"):
        registry.model("probe")(value="0.8")


THRESHOLD = hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")


def test_stored_defaults_are_read_by_type(registry: hfreg.Registry) -> None:
    arguments = [
        TEXT, THRESHOLD, hfreg.Argument("max_length", "Numerical", optional=True, default="512"),
        hfreg.Argument("strict", "Boolean", optional=True, default="true"),
        hfreg.Argument("label", "String", optional=True, default="None"),
        hfreg.Argument("empty", "String", optional=True, default=""), hfreg.Argument("bare", "String", optional=True),
        hfreg.Argument("labels", "Array[String]", optional=True, default='["a", "b"]'),
        hfreg.Argument("digits", "String", optional=True, default="512"),
    ]  # fmt: skip
    source = "return [threshold, max_length, strict, label, empty, bare, labels, digits]"
    outcome = registry.test(define(source, arguments=arguments, output_type="List"), text="a")
    assert outcome.value == [0.5, 512, True, None, None, None, ["a", "b"], "512"]
    assert [type(value) for value in outcome.value[:3]] == [float, int, bool]


def test_a_mutable_default_is_fresh_in_every_call(registry: hfreg.Registry) -> None:
    labels = hfreg.Argument("labels", "Array[String]", optional=True, default='["a"]')
    registry.register(define("labels.append('b')\nreturn labels", arguments=[labels], output_type="List"))
    model = registry.model("probe")
    assert model() == ["a", "b"]
    assert model() == ["a", "b"]


def test_a_default_written_as_a_python_value_means_that_value(registry: hfreg.Registry) -> None:
    for kind, default in [("Numerical", 0.5), ("Numerical", 512), ("Boolean", True), ("Numerical", None)]:
        arguments = [hfreg.Argument("value", kind, optional=True, default=default)]
        outcome = registry.test(define("return [value]", arguments=arguments, output_type="List"))
        assert outcome.value == [default], (kind, default)


def test_a_default_that_does_not_parse_is_refused_at_registration(registry: hfreg.Registry) -> None:
    for kind, default in [("Numerical", "half"), ("Numerical", "nan"), ("Boolean", "maybe"), ("Array[String]", "[1]"),
                          ("DateTime", "soon")]:  # fmt: skip
        arguments = [TEXT, hfreg.Argument("limit", kind, optional=True, default=default)]
        definition = define("return [text, limit]", arguments=arguments)
        assert any("default" in str(found.field) for found in errors_of(registry.check(definition))), (kind, default)
        with pytest.raises(ValueError, match="limit") as caught:
            registry.register(definition)
        assert isinstance(caught.value, hfreg.HfregError)
        assert "default" in str(caught.value).lower(), (kind, default)
    assert registry.catalog() == []


def test_calls_that_do_not_fit_fail_before_anything_runs(registry: hfreg.Registry, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    source = f"open({str(touched)!r}, 'w').close()\nreturn text"
    optional = hfreg.Argument("confidence_threshold", "Numerical", optional=True)
    registry.register(define(source, arguments=[TEXT, optional]))
    model = registry.model("probe")
    for positional, keywords, told in [
        ((), {}, "text"), (("a",), {"confidence_treshold": 0.5}, "confidence_threshold"), ((5,), {}, "text"),
        (("a",), {"text": "b"}, "text"), (("a", 0.5, "c"), {}, "probe"), ((), {"text": "a", "Text": "a"}, "text"),
    ]:  # fmt: skip
        with pytest.raises(hfreg.ArgumentError, match=told):
            model(*positional, **keywords)
    assert not touched.exists()
    assert model("a") == "a"
    assert touched.exists()


def test_the_near_name_is_suggested(registry: hfreg.Registry) -> None:
    outcome = registry.test(define(arguments=[TEXT, THRESHOLD]), text="a", treshold=0.5)
    assert isinstance(outcome.error, hfreg.ArgumentError)
    assert "did you mean" in str(outcome.error).lower() and "threshold" in str(outcome.error)


def test_none_is_passed_on_and_not_replaced_by_the_default(registry: hfreg.Registry) -> None:
    definition = define("return [text, threshold]", arguments=[TEXT, THRESHOLD], output_type="List")
    assert registry.test(definition, text=None, threshold=None).value == [None, None]


QUIET: list[tuple[str, str, Any]] = [
    ("return (1, 2)", "Array[Numerical]", [1, 2]), ("return {'a': (1,)}", "Any", {"a": [1]}),
    ("import numpy as np\nreturn np.arange(4).reshape(2, 2)", "Array[Array[Numerical]]", [[0, 1], [2, 3]]),
    ("import numpy as np\nreturn {'s': np.float64(0.5), 'b': np.bool_(True), 'n': np.int64(3)}", "Map[String, Any]",
     {"s": 0.5, "b": True, "n": 3}),
    ("import numpy as np\nreturn np.float32(0.5)", "Numerical", 0.5), ("return 3", "Numerical", 3),
    ("import torch\nreturn torch.tensor([[0.5, 1.0]])", "Array[Array[Numerical]]", [[0.5, 1.0]]),
    ("import torch\nreturn torch.tensor(2)", "Numerical", 2),
    ("import torch\nreturn {'e': torch.ones(2, requires_grad=True)}", "Any", {"e": [1.0, 1.0]}),
    ("import pandas as pd\nreturn list(pd.Series([1, 2]))", "List", [1, 2]),
    ("return None", "Map[String, String]", None),
    ("return {'a': None}", "Map[String, String]", {"a": None}), ("return range(3)", "List", [0, 1, 2]),
    ("return {'sentiment': 'good', 'confidence': 1}", "Struct[sentiment: String, confidence: Numerical]",
     {"sentiment": "good", "confidence": 1}),
]  # fmt: skip


def test_containers_and_scalars_of_libraries_become_plain_quietly(registry: hfreg.Registry) -> None:
    for source, kind, value in QUIET:
        outcome = registry.test(answering(source, kind))
        assert outcome.ok, (source, outcome.error)
        assert outcome.value == value and repr(outcome.value) == repr(value), source
        assert not outcome.warnings, source


def test_a_number_in_a_map_of_texts_becomes_its_text_with_a_warning_that_names_the_types(
    registry: hfreg.Registry,
) -> None:
    outcome = registry.test(answering("return {'sentiment': 'good', 'confidence': 0.9}", "Map[String, String]"))
    assert outcome.value == {"sentiment": "good", "confidence": "0.9"}
    assert len(outcome.warnings) == 1
    told = str(outcome.warnings[0])
    assert "Struct[sentiment: String, confidence: Numerical]" in told and "Map[String, Any]" in told


def test_the_warning_belongs_to_its_call_alone(registry: hfreg.Registry) -> None:
    registry.register(taking("Any", "return {'a': value}", output_type="Map[String, String]"))
    model = registry.model("probe")
    assert model.run(value=1).warnings
    assert not model.run(value="1").warnings
    assert model(value=1) == {"a": "1"}


UNCONVERTIBLE = [
    ("return {'scores': [0.1, 0.2, 0.3, 'high']}", "Map[String, Array[Numerical]]", '["scores"][3]'),
    ("return 'high'", "Numerical", "Numerical"), ("return {'a': 'x'}", "Struct[a: String, b: Numerical]", "b"),
    ("return {'s': [1.0, float('nan')]}", "Map[String, Array[Numerical]]", '["s"][1]'),
    ("return float('inf')", "Any", "inf"), ("a = []\na.append(a)\nreturn a", "List", "[0]"),
    ("return {'f': len}", "Any", '["f"]'), ("return lambda: 1", "String", "String"),
    ("import numpy as np\nreturn np.array([1.0, np.nan])", "List", "[1]"),
    ("return [1]", "Map[String, String]", "Map"), ("return {'a': 1}", "List", "List"),
    ("return object()", "Any", "object"), ("return {'a': {'b': 1}}", "Map[String, String]", '["a"]'),
]  # fmt: skip


def test_what_cannot_be_converted_is_an_output_error_with_its_path(registry: hfreg.Registry) -> None:
    for source, kind, told in UNCONVERTIBLE:
        outcome = registry.test(answering(source, kind))
        assert isinstance(outcome.error, hfreg.OutputError) and isinstance(outcome.error, ValueError), source
        assert outcome.value is None and not outcome.ok
        assert told in str(outcome.error), (source, str(outcome.error))
