"""Compile: a source becomes a function that behaves like the script it looks like, line for line."""

from __future__ import annotations

import ast
import builtins
import gc
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import DefinitionError, causes
from hfreg.scoring.compile import MAX_FRAMES, compile_logic, source_name, user_traceback

TOKEN = "hf_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbC"


def logic(source: str, *arguments: str, names: dict[str, Any] | None = None, **options: Any) -> Callable[..., Any]:
    definition = Definition(alias="model", arguments=tuple(map(Argument, arguments or ("text",))), scoring_logic=source)
    return compile_logic(definition, names or {}, options.pop("import_", builtins.__import__), **options)


def raised(function: Callable[..., Any], *given: Any) -> tuple[str, int | None]:
    with pytest.raises(BaseException) as caught:
        function(*given)
    return user_traceback(caught.value, source_name(function))


def test_arguments_are_variables_and_return_ends_the_call() -> None:
    source = "if text is None:\n    return None\ntext = text.strip()\nreturn text.upper()"
    assert logic(source)(text=" hi ") == "HI"
    assert logic(source)(None) is None


@pytest.mark.parametrize("name", ["self", "definition", "names", "import_", "print", "args", "cls", "model", "scope"])
def test_any_legal_argument_name_works(name: str) -> None:
    assert logic(f"return [{name}, (lambda: {name})()]", name)(**{name: 7}) == [7, 7]


def test_functions_classes_and_comprehensions_see_the_arguments() -> None:
    source = "def twice(n): return [text] * n\nclass Box: held = text\nreturn twice(2), Box.held, [text for _ in 'a']"
    assert logic(source)(text="x") == (["x", "x"], "x", ["x"])


def test_names_are_globals_that_persist_and_arguments_do_not() -> None:
    source = "global count\ncount = cache.setdefault('n', 0) + 1\ncache['n'] = count\nreturn count, helper(text)"
    function = logic(source, names={"cache": {}, "helper": str.upper})
    assert [function(text="a"), function(text="b")] == [(1, "A"), (2, "B")]
    other = logic("global seen\ntry:\n    return seen\nexcept NameError:\n    seen = text", names={})
    assert [other("a"), other("b")] == [None, "a"]


def test_imports_go_through_the_given_import() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def import_(name: str, *rest: Any) -> Any:
        asked.append((name, tuple(rest[2] or ())))
        return types.SimpleNamespace(sqrt=lambda x: x, path="p")

    function = logic(
        "import os.path\nfrom math import sqrt\ndef f():\n    import re\nf()\nreturn sqrt(4)", import_=import_
    )
    assert asked == []
    assert function("x") == 4
    assert asked == [("os.path", ()), ("math", ("sqrt",)), ("re", ())]


def test_star_imports_happen_on_their_line_and_through_the_given_import() -> None:
    asked: list[str] = []

    def import_(name: str, *rest: Any) -> Any:
        asked.append(name)
        return builtins.__import__(name, *rest)

    function = logic("if text:\n    from math import *\nreturn sqrt(text)", import_=import_)
    assert asked == []
    assert (function(4), asked) == (2.0, ["math"])
    text, line = raised(logic("x = 1\nfrom no_such_module import *"), 1)
    assert (line, text.count("line 2")) == (2, 2)  # in the sentence and in the listing


def test_future_imports_are_in_force() -> None:
    source = '"""Says it."""\nfrom __future__ import annotations\ndef f(x: Missing): return x\nreturn f(text)'
    assert logic(source)("a") == "a"


def test_yield_makes_a_stream() -> None:
    pieces = logic("for word in text.split():\n    yield word")("a b")
    assert isinstance(pieces, types.GeneratorType)
    assert list(pieces) == ["a", "b"]


def test_builtins_can_be_exchanged_for_this_function_alone() -> None:
    printed: list[str] = []
    logic("def f(): print(text)\nf()", builtins={"print": printed.append})("a")
    assert printed == ["a"]
    assert builtins.print is not printed.append


def test_an_empty_source_returns_none() -> None:
    assert logic("# nothing yet")("a") is None


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert logic("\ufeffx = text\r\nreturn x")("a") == "a"


def test_compiling_runs_nothing() -> None:
    logic("raise SystemExit(text)\n@print\ndef f(x=1 / 0): pass\nfrom no_such_module import *")


@pytest.mark.parametrize("field", ["alias", "argument"])
def test_code_in_a_name_never_runs(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(builtins, "ran", ran.append, raising=False)
    name = "x=ran('!')"
    argument = Argument(name if field == "argument" else "x")
    definition = Definition(alias=name if field == "alias" else "m", arguments=(argument,), scoring_logic="return 1")
    with pytest.raises(DefinitionError, match="is not a name that Python code can use"):
        compile_logic(definition, {}, builtins.__import__)
    assert ran == []


def test_an_argument_may_not_hide_a_name_of_the_platform_nor_stand_twice() -> None:
    with pytest.raises(DefinitionError, match="`cache` is a name the platform gives"):
        logic("return 1", "cache", names={"cache": {}})
    with pytest.raises(DefinitionError, match="`a` is declared twice"):
        logic("return 1", "a", "a")


@pytest.mark.parametrize(
    ("source", "line", "part"),
    [
        ("x = 1\nreturn (", 2, "'(' was never closed"),
        ("x = 1\nbreak", 2, "outside loop"),
        ("global text", 1, "parameter and global"),
        ("x = 1\n\nreturn await x", 3, "await"),
        ("x = 1\ny = '\0'", 2, "null byte"),
        ("x = '\ud800'", 1, "surrogate"),
        ("-" * 60_000 + "1", None, "nested too deep"),
        ("x = 1\n" * 20_000, None, "at most 64 KiB"),
    ],
)
def test_a_source_that_cannot_be_compiled_is_refused_with_its_line(source: str, line: int | None, part: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        logic(source)
    assert part in str(caught.value)
    assert [f.line for f in caught.value.findings] == [line]


def test_every_line_keeps_its_number() -> None:
    function = logic("\n\ndef f():\n\n    return 1 / 0\n\nreturn f()")
    text, line = raised(function, 1)
    assert line == 5
    assert text.splitlines() == [
        "ZeroDivisionError in line 5: division by zero",
        "  line 7: return f()",
        "  line 5, in f: return 1 / 0",
    ]


def test_pythons_own_traceback_shows_the_source_too() -> None:
    function = logic("x = text\nreturn x.nothing", label="model v3")
    with pytest.raises(AttributeError) as caught:
        function("a")
    shown = "".join(traceback.format_exception(caught.value))
    assert source_name(function).startswith("<model v3 #")
    assert "return x.nothing" in shown


def test_two_versions_show_their_own_lines() -> None:
    first, second = (logic(f"raise ValueError({n})  # {n}", label="model v1") for n in (1, 2))
    assert "# 1" in raised(first, "")[0]
    assert "# 2" in raised(second, "")[0]


def test_the_source_is_forgotten_with_the_function() -> None:
    function = logic("return 1")
    name = source_name(function)
    assert name in linecache.cache
    del function
    gc.collect()
    assert name not in linecache.cache


def test_a_long_recursion_is_cut_short() -> None:
    text, line = raised(logic("def f(n):\n    return f(n + 1)\nreturn f(0)"), "")
    assert line == 2
    assert "more lines like these" in text
    assert len(text.splitlines()) == MAX_FRAMES + 2


def test_a_traceback_shows_nothing_of_the_platform_or_this_machine() -> None:
    def helper(path: str) -> None:
        Path(path).read_text()

    text, line = raised(
        logic("return helper('/' + '/'.join(['no', 'such', 'place', text]))", names={"helper": helper}), "x.bin"
    )
    assert line == 1
    assert "…/x.bin" in text
    assert "/no/such" not in text
    assert __file__ not in text


def test_a_path_or_address_that_the_user_wrote_stays() -> None:
    function = logic("open('/no/such/place/at/all')")
    assert "/no/such/place/at/all" in raised(function, 1)[0]
    assert "https://huggingface.co/a/b/c" in raised(logic("raise OSError(text)"), "see https://huggingface.co/a/b/c")[0]


def test_a_traceback_holds_no_secret() -> None:
    text, _ = raised(logic(f"token = '{TOKEN}'; raise ValueError('bad ' + token)"), "")
    assert TOKEN not in text
    assert "bad hf_…" in text


def test_an_error_of_another_place_takes_the_line_of_its_cause() -> None:
    function = logic("x = 1\nraise KeyError('label')")
    try:
        try:
            function("")
        except KeyError as cause:
            raise RuntimeError("wrapped") from cause
    except RuntimeError as error:
        text, line = user_traceback(error, source_name(function))
    assert (line, text.splitlines()[0]) == (2, "RuntimeError in line 2: wrapped")


def test_an_error_without_words_or_lines_is_told_all_the_same() -> None:
    assert user_traceback(MemoryError(), "<model>") == ("MemoryError.", None)
    text, line = raised(logic("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd"), "")
    assert (text.splitlines()[0], line) == ("Odd in line 3.", 3)


def test_the_lines_of_a_source_are_pythons_lines() -> None:
    source = "x = '\x0c\u2028'\nraise ValueError(x)"
    assert len(ast.parse(source).body) == 2
    assert raised(logic(source), "")[1] == 2
    assert "raise ValueError(x)" in raised(logic(source), "")[0]


def test_dataclasses_with_annotations_as_text_work_and_leave_no_module_behind() -> None:
    source = """
from __future__ import annotations
import sys, typing
from dataclasses import dataclass
@dataclass
class Box:
    held: str
    more: "typing.ClassVar[int]" = 0
return Box(text).held, Box.__module__ in sys.modules
"""
    function = logic(source)
    before = set(sys.modules)
    assert function("x") == ("x", True)
    name = function.__globals__["__name__"]
    assert name in sys.modules
    del function
    gc.collect()
    assert name not in sys.modules
    assert not (set(sys.modules) - before)


def test_an_error_raised_from_none_hides_the_one_before() -> None:
    source = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('given') from None"
    assert raised(logic(source), "x") == ("KeyError in line 4: 'given'\n  line 4: raise KeyError('given') from None", 4)
    hidden = ValueError("outer")
    hidden.__context__, hidden.__suppress_context__ = KeyError("inner"), True
    assert list(causes(hidden)) == [hidden]
