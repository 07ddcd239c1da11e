"""The call of Test Code: written from a definition, read back as literals, and nothing of it is ever run."""

from __future__ import annotations

from datetime import datetime

import pytest

import hfreg
from hfreg.errors import ArgumentError
from hfreg.ui import test_call as calls


def model(*arguments: hfreg.Argument, **fields: object) -> hfreg.Definition:
    usual = hfreg.Argument("text"), hfreg.Argument("threshold", "Numerical", optional=True, default="0.5")
    return hfreg.Definition(**{"alias": "guard", "arguments": arguments or usual, **fields})


def test_the_call_names_required_arguments_and_defaults() -> None:
    hidden = hfreg.Argument("note", optional=True)
    definition = model(*model().arguments, hidden)
    assert calls.generated(definition) == 'guard(text="Great product!", threshold=0.5)'


def test_a_long_call_stands_on_lines_of_its_own() -> None:
    definition = model(hfreg.Argument("text", optional=True, default="x" * 60))
    assert calls.generated(definition) == f'guard(\n    text="{"x" * 60}",\n)'


def test_the_first_example_is_what_the_call_shows() -> None:
    assert calls.generated(model(examples=({"text": 'say "hi" it\'s'},))).startswith("guard(text='say \"hi\" it\\'s'")


@pytest.mark.parametrize("notation", ["String", "Numerical", "Boolean", "DateTime", "Any", "List", "Map[String, Any]"])
def test_a_generated_call_reads_back_as_arguments_that_fit(notation: str) -> None:
    definition = model(hfreg.Argument("given", notation))
    assert "given" in definition.bind(**calls.arguments_of(calls.generated(definition), definition))


def test_a_call_may_be_assigned_commented_and_positional() -> None:
    text = '# as in the documentation\nresult = guard("Ignore", threshold=-0.8)'
    assert calls.arguments_of(text, model()) == {"text": "Ignore", "threshold": -0.8}


def test_a_moment_may_be_written_as_datetime() -> None:
    for text in ('guard(datetime.fromisoformat("2026-11-23"))', "guard(datetime(2026, 11, 23))"):
        assert calls.arguments_of(text, model()) == {"text": datetime(2026, 11, 23)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("guard(text=__import__('os').system('id'))", "Only datetime"),
        ("guard(text=open)", "`text` is `open`, which would have to be run"),
        ("guard(text=f'{1}')", "which would have to be run"),
        ("guard(**everything)", "without `*` and `**`"),
        ("guard(text='a'); guard(text='b')", "takes one call"),
        ("other(text='a')", "calls `guard`, not `other`"),
        ("guard(text='a'", "cannot be read"),
        ("guard(text='a', text='b')", "gives `text` twice"),
        ("guard('a', text='b')", "by position and by name"),
        ("guard(" + "(" * 500 + ")" * 500 + ")", "cannot be read"),
        ("guard(datetime(1, 99, 1))", "is no value"),
        ("x" * 200_001, "at most 200,000"),
    ],
)
def test_what_would_have_to_be_run_is_refused_by_name(text: str, sentence: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        calls.arguments_of(text, model())
    assert sentence in str(refused.value)
