"""The notation of types, and what a type says about itself."""

from __future__ import annotations

import inspect
import json
import random
import string
from datetime import datetime
from typing import Any, List, Optional  # noqa: UP035

import jsonschema
import pytest
from type_samples import KINDS, some_type, some_value

from hfreg.errors import TypeNotationError
from hfreg.types import Array, Map, String, Struct, Type, parse


def complaint(text: Any) -> str:
    with pytest.raises(TypeNotationError) as caught:
        parse(text)
    return str(caught.value)


# --- notation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("String", "String"),
        ("str", "String"),
        ("Numerical", "Numerical"),
        ("int", "Numerical"),
        ("float", "Numerical"),
        ("Boolean", "Boolean"),
        ("bool", "Boolean"),
        ("DateTime", "DateTime"),
        ("datetime", "DateTime"),
        ("datetime.datetime", "DateTime"),
        ("Any", "Any"),
        ("typing.Any", "Any"),
        ("List", "List"),
        ("list", "List"),
        ("Array[Any]", "List"),
        ("Array[String]", "Array[String]"),
        ("list[int]", "Array[Numerical]"),
        ("List[str]", "Array[String]"),
        ("tuple[int, ...]", "Array[Numerical]"),
        ("Map[String, String]", "Map[String, String]"),
        ("map[string, string]", "Map[String, String]"),
        ("dict[str, str]", "Map[String, String]"),
        ("typing.Dict[str, typing.Any]", "Map[String, Any]"),
        ("dict", "Map[String, Any]"),
        ("Map[Numerical,List]", "Map[Numerical, List]"),
        ("Struct[sentiment: str, confidence: float]", "Struct[sentiment: String, confidence: Numerical]"),
        ("Optional[int]", "Numerical"),
        ("str | None", "String"),
        ("Union[None, list[str]]", "Array[String]"),
        ("int | float", "Numerical"),
        ("  Map[ String ,\n Array[ Struct[a:Any] ] ] ", "Map[String, Array[Struct[a: Any]]]"),
    ],
)
def test_the_seeds_notation_and_pythons_come_to_one_canonical_form(written: str, canonical: str) -> None:
    assert str(parse(written)) == canonical
    assert parse(canonical) == parse(written)


@pytest.mark.parametrize(
    ("python", "canonical"),
    [
        (str, "String"),
        (int, "Numerical"),
        (float, "Numerical"),
        (bool, "Boolean"),
        (datetime, "DateTime"),
        (Any, "Any"),
        (list, "List"),
        (list[str], "Array[String]"),
        (dict, "Map[String, Any]"),
        (dict[str, list[datetime]], "Map[String, Array[DateTime]]"),
        (Optional[float], "Numerical"),  # noqa: UP045 - the old spellings are read, too
        (str | None, "String"),
        (int | float, "Numerical"),
        (List[int], "Array[Numerical]"),  # noqa: UP006
    ],
    ids=str,
)
def test_a_python_type_is_read_as_it_is_written(python: Any, canonical: str) -> None:
    assert str(parse(python)) == canonical


def test_a_python_type_that_has_no_counterpart_is_named() -> None:
    assert "`bytes` is unknown" in complaint(bytes)
    assert "write Any" in complaint(int | str)
    assert f"`{__name__}.Word` is unknown" in complaint(Word)
    assert "found NoneType" in complaint(None) and "found int" in complaint(5)


class Word:
    """A class of somebody's own."""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Strng", ["'Strng'", "character 1", "did you mean String?"]),
        ("Map[Strng, String]", ["character 5", "did you mean String?"]),
        ("Nummerical", ["did you mean Numerical?"]),
        ("Foo", ["`Foo` is unknown", "Map, Struct"]),
        ("", ["missing", "String"]),
        ("None", ["every type admits it"]),
        ("Map[String]", ["character 11", "two types"]),
        ("Map[String, String", ["character 19", "not the end"]),
        ("Map[Boolean, String]", ["character 5", "String or Numerical"]),
        ("String]", ["character 7", "`]` follows"]),
        ("Struct", ["names its fields"]),
        ("Struct[]", ["a field name"]),
        ("Struct[a: String, a: Any]", ["`a` stands twice"]),
        ("Struct[é: String]", ["'é' has no meaning"]),
        ("Struct[a.b: String]", ["a field name"]),
        ("tuple[int, str]", ["one type"]),
        ("str | bool", ["write Any"]),
        ("__import__('os')", ["character 11"]),
    ],
)
def test_a_type_that_cannot_be_read_names_text_place_and_the_near_word(text: str, parts: list[str]) -> None:
    message = complaint(text)
    for part in parts:
        assert part in message


def test_a_notation_error_is_a_value_error_and_other_things_than_text_are_refused() -> None:
    assert issubclass(TypeNotationError, ValueError)
    assert "found int" in complaint(5)
    assert "found NoneType" in complaint(None)


def test_nesting_and_length_of_a_type_are_limited() -> None:
    deep = "Array[" * 15 + "String" + "]" * 15
    assert str(parse(deep)) == deep
    assert "16 deep" in complaint("Array[" + deep + "]")
    assert "16 deep" in complaint("Array[" * 15 + "dict" + "]" * 15)
    assert "1,000 characters" in complaint("Array[" + " " * 1000 + "String]")
    assert "written out" in complaint("Struct[" + ",".join(f"f{n}:str" for n in range(110)) + "]")


def test_any_text_is_read_or_refused_and_what_is_read_prints_as_itself() -> None:
    seeded = random.Random(2)
    words = [
        *"[],:| .…é\n0",
        "String",
        "map",
        "dict[str, ",
        "Array[",
        "Struct[a: ",
        "Optional[",
        "None",
        "int",
        "x",
        "...",
    ]
    read = 0
    for _ in range(20_000):
        pick = words if seeded.random() < 0.9 else string.printable
        text = "".join(seeded.choice(pick) for _ in range(seeded.randint(0, 12)))
        try:
            found = parse(text)
        except TypeNotationError:
            continue
        read += 1
        assert parse(str(found)) == found
        assert str(parse(str(found))) == str(found)
    assert read > 200


def test_any_nesting_reads_in_both_notations() -> None:
    seeded = random.Random(3)
    for _ in range(500):
        found = parse(some_type(seeded))
        assert parse(str(found)) == found
        assert isinstance(parse(found.python), Type) or "Struct" in str(found)


# --- what a type says about itself ------------------------------------------------------------------------


def test_types_are_values_frozen_hashable_and_equal_by_what_they_say() -> None:
    one, other = parse("Map[str, List]"), parse("dict[str, list]")
    assert one == other and hash(one) == hash(other) and one is not other
    assert one != parse("Map[String, String]")
    assert len({parse(kind) for kind in [*KINDS, *KINDS]}) == 5
    assert parse(one) is one
    assert repr(one) == "parse('Map[String, List]')"
    with pytest.raises(AttributeError):
        one.key = String()  # type: ignore[attr-defined]


def test_kinds_and_parts_can_be_asked_for() -> None:
    assert [parse(kind).kind for kind in KINDS] == KINDS
    array, mapping, struct = parse("Array[String]"), parse("Map[Numerical, Any]"), parse("Struct[a: String, b: List]")
    assert isinstance(array, Array) and array.item == parse("String")
    assert isinstance(mapping, Map) and (mapping.key.kind, mapping.value.kind) == ("Numerical", "Any")
    assert isinstance(struct, Struct) and struct.fields == (("a", parse("String")), ("b", parse("List")))
    assert parse("List").kind == "Array"


def test_a_type_built_wrongly_in_python_is_refused_too() -> None:
    with pytest.raises(TypeNotationError, match="key of a Map"):
        Map(parse("Boolean"), String())
    with pytest.raises(TypeNotationError, match="no field name"):
        Struct((("a b", String()),))
    with pytest.raises(TypeNotationError, match="at least one field"):
        Struct(())


@pytest.mark.parametrize(
    ("text", "python", "annotation", "widget"),
    [
        ("String", "str", str, "text_area"),
        ("Numerical", "float", float | int, "number"),
        ("Boolean", "bool", bool, "switch"),
        ("DateTime", "datetime.datetime", datetime, "date"),
        ("Any", "Any", Any, "json"),
        ("List", "list", list[Any], "json"),
        ("Map[String, String]", "dict[str, str]", dict[str, str], "json"),
        ("Array[Numerical]", "list[float]", list[float | int], "json"),
        ("Struct[a: String]", "dict", dict[str, Any], "json"),
    ],
)
def test_a_type_tells_python_and_the_form_what_it_is(text: str, python: str, annotation: Any, widget: str) -> None:
    found = parse(text)
    assert (found.python, found.annotation, found.widget) == (python, annotation, widget)
    inspect.Signature([inspect.Parameter("x", inspect.Parameter.KEYWORD_ONLY, annotation=found.annotation)])


def test_the_json_schema_admits_what_the_type_admits() -> None:
    seeded = random.Random(4)
    for _ in range(300):
        found = parse(some_type(seeded))
        schema = found.json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        value = json.loads(json.dumps(some_value(seeded, found), default=datetime.isoformat))
        jsonschema.validate(value, schema)
    jsonschema.validate(None, parse("Map[String, String]").json_schema())
    for text, wrong in [
        ("Numerical", "0.8"),
        ("Struct[a: String]", {}),
        ("Struct[a: Any]", {"a": 1, "b": 2}),
        ("List", {}),
    ]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, parse(text).json_schema())
