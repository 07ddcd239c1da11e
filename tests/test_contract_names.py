"""Acceptance of the contract, section 3: names, `hfreg.models`, the tree of errors and what messages say.

Written from the contract alone, as somebody outside would call it.
"""

from __future__ import annotations

import importlib
import keyword
from collections.abc import Callable

import pytest
from contract_samples import TEXT, define

import hfreg
import hfreg.models

LONGEST = "a" * 63
GOOD_NAMES = ["x", "_private", "snake_case", "CamelCase", "a1", LONGEST, "match", "type", "print", "hfreg", "models"]
BAD_NAMES = [
    "", " ", "a" * 64, "class", "None", "True", "await", "__dunder", "__x__", "1a", "a b", "a-b", "a.b",
    "naïve", "ﬁt", "а", "abc\n", " abc", "x=__import__('os').system('id')", "a,b", "*args", "a\x00",
]  # fmt: skip


def refusal(make: Callable[[], object]) -> Exception | None:
    """Return the error of hfreg that this raises, or None."""
    try:
        make()
    except hfreg.HfregError as error:
        return error
    return None


def test_an_alias_is_an_ascii_identifier_of_at_most_63_characters(registry: hfreg.Registry) -> None:
    for name in GOOD_NAMES:
        registry.register(define("return 'ok'", alias=name))
        assert registry.model(name)("a") == "ok", name
    for name in BAD_NAMES:
        error = refusal(lambda name=name: registry.register(define(alias=name)))  # type: ignore[misc]
        assert isinstance(error, ValueError), name
        assert "alias" in str(error).lower(), (name, str(error))
    assert len(registry.catalog()) == len(GOOD_NAMES)


def test_the_name_of_an_argument_keeps_the_same_rules(registry: hfreg.Registry) -> None:
    for name in BAD_NAMES:
        definition = define("return 1", arguments=[hfreg.Argument(name, "String")])
        error = refusal(lambda definition=definition: registry.register(definition))  # type: ignore[misc]
        assert isinstance(error, ValueError), name
    assert registry.catalog() == []


def test_aliases_differ_by_more_than_case(registry: hfreg.Registry) -> None:
    registry.register(define(alias="guard"))
    for taken in ("guard", "Guard", "GUARD"):
        with pytest.raises(ValueError, match="guard") as caught:
            registry.register(define("return 'other'", alias=taken))
        assert isinstance(caught.value, hfreg.HfregError)
    assert registry.model("guard")("a") == "a"
    with pytest.raises(hfreg.UnknownModel):
        registry.model("Guard")


WORKING = [
    "self", "definition", "args", "kwargs", "cls", "alias", "version", "row", "rows", "model", "name", "value",
    "registry", "source", "user", "actor", "limits", "on_event", "func", "function", "fn", "state", "note", "number",
    "result", "outcome", "engine", "input", "output", "type", "print", "list", "len", "dict", "id", "os", "sys",
    "pipeline", "login", "namespace", "globals", "environ", "token", "resources", "logic", "body", "code", "timeout",
    "event", "text", "_", "this", "author", "query",
]  # fmt: skip


def test_every_other_name_works_as_an_argument_in_every_way_of_calling(registry: hfreg.Registry) -> None:
    assert not any(keyword.iskeyword(name) for name in WORKING)
    arguments = [hfreg.Argument(name, "String", optional=True) for name in WORKING]
    values = {name: f"<{name}>" for name in WORKING}
    source = "return [" + ", ".join(WORKING) + "]"
    definition = define(source, arguments=arguments, output_type="List")
    assert registry.test(definition, **values).value == list(values.values())
    registry.register(definition)
    model = registry.model("probe")
    assert model(**values) == list(values.values())
    assert model(*values.values()) == list(values.values())
    assert model.run(**values).value == list(values.values())
    assert next(iter(model.map([values]))).value == list(values.values())
    registry.register(define("return probe(self=text, args='b')[0]", alias="outer", resources=["probe"]))
    assert registry.model("outer")(text="a") == "a"


def test_names_that_collide_with_the_platform_are_refused_as_arguments(registry: hfreg.Registry) -> None:
    registry.register(define(alias="loud"))
    for name, resources in [("cache", []), ("loud", ["loud"])]:
        definition = define("return text", arguments=[TEXT, hfreg.Argument(name, "String")], resources=resources)
        with pytest.raises(hfreg.DefinitionError, match=name):
            registry.register(definition)
    for twice in (["text", "text"], ["text", "other", "text"]):
        with pytest.raises(hfreg.DefinitionError, match="text"):
            registry.register(define(arguments=[hfreg.Argument(name, "String") for name in twice]))


def test_a_model_is_imported_by_its_alias(registry: hfreg.Registry) -> None:
    registry.register(define(alias="sentiment_analyzer"))
    from hfreg.models import sentiment_analyzer

    assert sentiment_analyzer is registry.model("sentiment_analyzer")
    assert sentiment_analyzer(text="a") == "a"


def test_an_alias_wins_over_whatever_the_module_uses_itself(registry: hfreg.Registry) -> None:
    for alias in ("annotations", "Any", "hfreg", "sys", "Model", "Registry", "models", "open", "errors", "name"):
        registry.register(define(f"return {alias!r}", alias=alias, arguments=[]))
        imported = getattr(importlib.import_module("hfreg.models"), alias)
        assert imported is registry.model(alias), alias
        assert imported() == alias


def test_importing_what_is_not_there_lists_what_is(registry: hfreg.Registry) -> None:
    with pytest.raises(ImportError):
        from hfreg.models import nothing_yet  # noqa: F401
    registry.register(define(alias="tone"))
    registry.register(define(alias="guard"))
    with pytest.raises(hfreg.UnknownModel, match="tine") as caught:
        from hfreg.models import tine  # noqa: F401
    assert isinstance(caught.value, ImportError) and isinstance(caught.value, LookupError)
    assert "guard" in str(caught.value) and "tone" in str(caught.value)
    assert not hasattr(hfreg.models, "__wrapped__")


TREE = {
    "ArgumentError": TypeError, "UnknownModel": LookupError, "OutputError": ValueError, "ScoringError": RuntimeError,
    "ScoringTimeout": TimeoutError, "DefinitionError": ValueError, "NotApproved": PermissionError,
}  # fmt: skip


def test_errors_are_one_tree_and_also_what_a_caller_would_catch() -> None:
    for name, builtin in TREE.items():
        error = getattr(hfreg, name)
        assert issubclass(error, hfreg.HfregError) and issubclass(error, builtin), name
    assert issubclass(hfreg.HfregError, Exception)


BROKEN = "import json\n\ndef ratio(n):\n    return 1 / n\n\nvalue = json.loads(text)\nreturn ratio(value)"


def test_an_error_in_scoring_logic_shows_the_users_lines_and_none_of_ours(registry: hfreg.Registry) -> None:
    registry.register(define(BROKEN))
    with pytest.raises(RuntimeError) as caught:
        registry.model("probe")("0")
    told = str(caught.value)
    assert isinstance(caught.value, hfreg.ScoringError)
    assert "ZeroDivisionError" in told
    assert "return ratio(value)" in told and "line 7" in told and "return 1 / n" in told and "line 4" in told
    assert "hfreg/" not in told and "site-packages" not in told and "inline.py" not in told
    in_library = str(registry.model("probe").run("{").error)
    assert "JSONDecodeError" in in_library and "line 6" in in_library and "decoder.py" not in in_library


def test_an_error_in_scoring_logic_names_its_model_and_version(registry: hfreg.Registry) -> None:
    registry.register(define("return 1 / 0", alias="inner"))
    registry.register(define("return inner(text)", alias="outer", resources=["inner"]))
    assert "inner version 1" in str(registry.model("inner").run("a").error)
    assert "inner version 1" in str(registry.model("outer").run("a").error)
    assert "inner (not saved)" in str(registry.test(define("return 1 / 0", alias="inner"), text="a").error)


def test_leaving_endless_recursion_and_odd_errors_are_errors_of_that_call(registry: hfreg.Registry) -> None:
    odd = "class Odd(Exception):\n    def __str__(self):\n        return 1\nraise Odd"
    for source, told in [
        ("import sys\nsys.exit(3)", "exit"), ("raise SystemExit", "exit"), ("quit()", "exit"), (odd, "Odd"),
        ("def f():\n    return f()\nreturn f()", "ecursion"), ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise StopIteration", "StopIteration"), ("import no_such_package", "no_such_package"),
        ("raise BaseException('x')", "x"), ("raise GeneratorExit", "GeneratorExit"),
        ("assert text == 'b', 'not b'", "not b"), ("raise ValueError", "ValueError"),
    ]:  # fmt: skip
        outcome = registry.test(define(source), text="a")
        assert isinstance(outcome.error, hfreg.ScoringError), (source, outcome.error)
        assert told in str(outcome.error), (source, str(outcome.error))
    assert registry.test(define(), text="still here").value == "still here"


def test_no_message_holds_the_token(registry: hfreg.Registry) -> None:
    secret = "hf_" + "s" * 30 + "tail"
    registry.save_token(secret)
    source = "import os\ntoken = os.environ['HUGGINGFACE_TOKEN']\nprint(token)\nraise ValueError('with ' + token)"
    registry.register(define(source, token=True))
    outcome = registry.model("probe").run("a")
    assert isinstance(outcome.error, hfreg.ScoringError)
    assert secret not in str(outcome.error) and secret not in repr(outcome.error)
    pasted = define(f"token = '{secret}'\nreturn text")
    assert secret not in repr(registry.check(pasted))
    with pytest.raises(hfreg.DefinitionError) as caught:
        registry.register(pasted)
    assert secret not in str(caught.value)
