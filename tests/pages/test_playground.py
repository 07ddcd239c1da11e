"""The playground through the app: form, answer, examples, trials, address. What only a browser shows is elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hfreg import Argument, Definition, Registry
from hfreg.store.calls import CallFilter
from hfreg.ui import runs, session

ROOT = Path(__file__).parents[2]
PAGE = "pages/try_it/playground.py"
SENTIMENT = """
if text is None:
    return None
print("looked at", len(text))
return {"sentiment": "positive", "confidence": threshold}
"""
ECHO = "return {'count': count, 'strict': strict, 'since': since, 'labels': labels, 'extra': extra}"


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """Give each test a workbench of its own."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def sentiment(registry: Registry) -> Registry:
    """A registry with one model that answers at once."""
    registry.register(
        Definition(
            alias="sentiment",
            output_type="Map[String, Any]",
            arguments=[
                Argument("text", usage="What to look at"),
                Argument("threshold", "Numerical", optional=True, default="0.5"),
            ],
            scoring_logic=SENTIMENT,
            examples=({"text": "Great", "threshold": 0.8},),
        )
    )
    return registry


def opened(**params: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.run()
    for name, value in params.items():
        at.query_params[name] = value
    at.switch_page(PAGE)
    return at.run()


def texts(at: AppTest) -> str:
    """Everything the page says, as one text."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "code", "subheader")
    said = [str(one.value) for kind in kinds for one in at.get(kind)]
    return "\n".join(said + [f"{one.label}={one.value}" for one in at.metric])


def click(at: AppTest, key: str) -> AppTest:
    return at.button(key=key).click().run()


def run(at: AppTest) -> AppTest:
    """Press Run and look again until the call is done, as the browser does by itself."""
    at = click(at, "playground.run")
    deadline = time.monotonic() + 10
    while at.button(key="playground.run").disabled and time.monotonic() < deadline:
        at.run()
    return at


def text_field(at: AppTest, alias: str = "sentiment", name: str = "text") -> Any:
    return at.text_area(key=f"playground.{alias}.{name}.text_area")


def ask(at: AppTest, text: str) -> AppTest:
    text_field(at).set_value(text)
    return run(at)


def trial_keys(at: AppTest, action: str) -> list[str]:
    return [b.key for b in at.button if b.key.startswith("playground.trial.") and b.key.endswith(action)]


def test_without_models_the_page_says_what_to_do_next(registry: Registry) -> None:
    registry.register(Definition(alias="gone", scoring_logic="return 1"))
    registry.delete("gone")
    at = opened()
    assert "No models yet" in texts(at)
    assert not at.exception
    assert not at.button


def test_run_draws_label_score_printed_text_and_how_it_came_about(sentiment: Registry) -> None:
    at = ask(opened(), "A fine day")
    said = texts(at)
    assert "sentiment=positive" in said
    assert "positive · **0.5**" in [bar.proto.text for bar in at.get("progress")]
    assert "looked at 10" in said
    assert "cold · " in said
    assert "version 1 :gray-badge[Draft]" in said
    assert "inline" in said
    assert "warm · " in texts(run(at))


def test_the_call_is_logged_with_its_source(sentiment: Registry) -> None:
    ask(opened(), "A fine day")
    sentiment.events.flush()
    calls = sentiment.events.calls(CallFilter())
    assert [(c.alias, c.source, c.status) for c in calls] == [("sentiment", "playground", "ok")]


def test_a_required_field_left_empty_is_told_beside_it_and_nothing_runs(sentiment: Registry) -> None:
    at = run(opened())
    assert "`text` is empty" in texts(at)
    assert any("Nothing was run" in error.value for error in at.error)
    assert not at.metric
    at = ask(at, "now there")
    assert "is empty" not in texts(at)


def test_none_can_be_given_to_a_required_argument(sentiment: Registry) -> None:
    at = opened()
    at.checkbox(key="playground.sentiment.text.text_area.none").check().run()
    assert text_field(at).disabled
    assert "No answer (None)" in texts(run(at))


def test_usage_is_the_help_and_an_optional_argument_shows_its_default(sentiment: Registry) -> None:
    at = opened()
    assert text_field(at).help == "What to look at"
    assert at.number_input(key="playground.sentiment.threshold.number").value == 0.5
    assert "optional, default 0\\.5" in texts(at)


def test_every_type_has_its_field_and_reaches_the_code_as_its_type(registry: Registry) -> None:
    registry.register(
        Definition(
            alias="echo",
            output_type="Any",
            arguments=[
                Argument("count", "Numerical", optional=True, default="512"),
                Argument("strict", "Boolean"),
                Argument("since", "DateTime"),
                Argument("labels", "Array[String]"),
                Argument("extra", "Any", optional=True),
            ],
            scoring_logic=ECHO,
        )
    )
    at = opened()
    at.toggle(key="playground.echo.strict.switch").set_value(True)
    at.datetime_input(key="playground.echo.since.date").set_value(datetime(2026, 3, 1, 12, 30))
    at.text_area(key="playground.echo.labels.json").set_value('["a", "b"]')
    at.text_area(key="playground.echo.extra.json").set_value('{"deep": [1]}')
    run(at)
    (trial,) = at.session_state["playground.trials"]
    assert dict(trial.arguments) == {
        "count": 512,
        "strict": True,
        "since": datetime(2026, 3, 1, 12, 30),
        "labels": ["a", "b"],
        "extra": {"deep": [1]},
    }
    assert type(trial.arguments["count"]) is int
    at.number_input(key="playground.echo.count.number").set_value(float(2**53 - 1))
    at = run(at)
    assert at.session_state["playground.trials"][0].arguments["count"] == 2**53 - 1
    at.number_input(key="playground.echo.count.number").set_value(None)
    at.text_area(key="playground.echo.labels.json").set_value('["a", 7]')
    at = run(at)
    assert "`labels`" in texts(at)
    assert len(at.session_state["playground.trials"]) == 2
    at.text_area(key="playground.echo.labels.json").set_value("[]")
    at = run(at)
    assert at.session_state["playground.trials"][0].arguments["count"] is None


def test_a_failure_marks_the_lines_of_the_user(registry: Registry) -> None:
    source = "def pick(items):\n    return items[5]\n\nreturn pick([])"
    registry.register(Definition(alias="failing", output_type="Any", scoring_logic=source))
    at = run(opened())
    said = texts(at)
    assert "IndexError in line 2" in said
    assert "▶   2      return items[5]" in said
    assert "▶   4  return pick([])" in said
    assert "▶   1" not in said


def test_a_warning_brings_its_fix(registry: Registry) -> None:
    source = 'return {"label": "x", "score": 0.9}'
    registry.register(Definition(alias="texts", output_type="Map[String, String]", scoring_logic=source))
    at = run(opened())
    assert any("would keep it" in warning.value for warning in at.warning)


def test_what_a_model_or_a_person_wrote_is_shown_as_it_was_written(registry: Registry) -> None:
    registry.register(
        Definition(
            alias="sly",
            description="**loud** <script>alert(1)</script>",
            output_type="Any",
            arguments=[Argument("text", usage="[link](http://127.0.0.1:9/)")],
            scoring_logic='return {"label": "**x** :red[y]", "score": 0.5, "<b>": text}',
        )
    )
    at = opened()
    assert "\\*\\*loud\\*\\*" in texts(at) and "<script>" not in texts(at)
    text_field(at, "sly").set_value("`a` | *b*")
    at = run(at)
    assert at.metric[0].value == "\\*\\*x\\*\\* \\:red\\[y\\]"
    assert "<b>" not in str(at.get("table")[0].value)


def test_a_text_is_shown_with_a_copy_and_a_long_one_is_cut_with_a_word(registry: Registry) -> None:
    registry.register(Definition(alias="long", output_type="String", scoring_logic="return 'word ' * 20_000"))
    registry.register(Definition(alias="short", output_type="String", scoring_logic="return 'a word'"))
    at = run(opened(alias="short"))
    assert "### a word" in texts(at)
    assert [c.value for c in at.code] == ["a word"]
    at = run(opened(alias="long"))
    assert "The first 50,000 of 100,000 characters" in texts(at)
    assert len(at.code[0].value) == 50_000
    at.toggle(key="playground.answer.raw").set_value(True).run()
    assert [b.label for b in at.get("download_button")] == ["Download all of it"]


def test_raw_json_is_behind_a_switch(sentiment: Registry) -> None:
    at = ask(opened(), "x")
    assert '"sentiment": "positive"' not in texts(at)
    at.toggle(key="playground.answer.raw").set_value(True).run()
    assert '"sentiment": "positive"' in texts(at)


def test_a_chip_fills_the_form_and_reset_brings_the_defaults_back(sentiment: Registry) -> None:
    at = click(opened(), "playground.example.0")
    assert text_field(at).value == "Great"
    assert at.number_input(key="playground.sentiment.threshold.number").value == 0.8
    at = click(at, "playground.reset")
    assert text_field(at).value == ""
    assert at.number_input(key="playground.sentiment.threshold.number").value == 0.5


def test_an_example_is_saved_with_a_draft_and_refused_in_words_for_a_locked_version(sentiment: Registry) -> None:
    at = opened()
    text_field(at).set_value("Keep me")
    at = click(at, "playground.save")
    assert sentiment.get("sentiment").definition.examples[-1] == {"text": "Keep me", "threshold": 0.5}
    assert "Saved as example 2" in texts(at)
    assert at.button(key="playground.example.1").label == "Keep me"
    at = click(at, "playground.save")
    assert "saved already" in texts(at)
    sentiment.submit("sentiment")
    sentiment.review("sentiment", "Accept", comment="fine")
    at = opened()
    text_field(at).set_value("Keep me too")
    at = click(at, "playground.save")
    assert "is Approved, so nothing of it changes" in texts(at)
    assert len(sentiment.get("sentiment").definition.examples) == 2


def test_a_trial_is_listed_can_be_rerun_saved_and_compared(sentiment: Registry) -> None:
    at = ask(ask(opened(), "first"), "second")
    assert len(trial_keys(at, ".rerun")) == 2
    at = click(at, trial_keys(at, ".rerun")[1])
    assert text_field(at).value == "first"
    assert [t.arguments["text"] for t in at.session_state["playground.trials"]] == ["first", "second", "first"]
    at = click(at, trial_keys(at, ".save")[1])
    assert sentiment.get("sentiment").definition.examples[-1]["text"] == "second"
    ticks = [c for c in at.checkbox if c.key.endswith(".compare")]
    ticks[0].check()
    ticks[1].check()
    said = texts(at.run())
    assert "**Comparison**" in said
    assert "`text` second" in said and "`text` first" in said


def test_a_trial_of_a_deleted_model_says_so(sentiment: Registry) -> None:
    sentiment.register(Definition(alias="other", scoring_logic="return 1"))
    at = ask(opened(alias="sentiment"), "x")
    sentiment.delete("sentiment")
    at = click(at, trial_keys(at, ".rerun")[0])
    assert "not there any more" in texts(at)
    assert not at.exception


def test_the_address_chooses_model_and_version_and_follows_the_choosers(sentiment: Registry) -> None:
    sentiment.register(Definition(alias="another", scoring_logic="return 1"))
    sentiment.submit("sentiment")
    sentiment.review("sentiment", "Accept", comment="fine")
    sentiment.clone("sentiment")
    at = opened(alias="sentiment", version="2")
    assert at.selectbox(key="playground.alias").value == "sentiment"
    assert at.selectbox(key="playground.version").value == 2
    at.selectbox(key="playground.version").select(1).run()
    assert at.query_params["version"] == "1"
    at.selectbox(key="playground.alias").select("another").run()
    assert at.query_params["alias"] == "another"
    assert "version" not in at.query_params
    at = opened(alias="sentiment")
    assert at.selectbox(key="playground.version").value == 1  # the Approved one, which a call by alias runs


def test_an_unknown_alias_in_the_address_is_named(sentiment: Registry) -> None:
    at = opened(alias="sentimant")
    assert "Did you mean `sentiment`?" in texts(at)
    assert at.selectbox(key="playground.alias").value == "sentiment"


def test_an_archived_version_does_not_run_and_says_why(sentiment: Registry) -> None:
    sentiment.archive("sentiment")
    at = opened()
    assert at.button(key="playground.run").disabled
    assert "is Archived and does not run" in texts(at)


def test_the_call_is_shown_as_code_that_runs(sentiment: Registry) -> None:
    at = opened()
    text_field(at).set_value('It\'s "quoted"')
    at.session_state["playground.code"] = True
    codes = [c.value for c in at.run().code]
    python = next(c for c in codes if "from hfreg.models" in c)
    scope: dict[str, Any] = {}
    exec(python, scope)
    assert scope["result"] == {"sentiment": "positive", "confidence": 0.5}
    assert any(c.startswith("python -m hfreg run sentiment text=") for c in codes)


def test_a_long_run_is_followed_stopped_and_logged_as_cancelled(registry: Registry) -> None:
    source = "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)"
    registry.register(Definition(alias="endless", scoring_logic=source))
    at = click(opened(), "playground.run")
    assert "begun" in texts(at) and "Running" in texts(at)
    assert at.button(key="playground.run").disabled
    at = click(at, "playground.stop")
    deadline = time.monotonic() + 5
    while "was stopped" not in texts(at) and time.monotonic() < deadline:
        at.run()
    assert "was stopped" in texts(at)
    assert not at.button(key="playground.run").disabled
    registry.events.flush()
    assert [c.status for c in registry.events.calls(CallFilter())] == ["cancelled"]


def test_a_run_outlives_a_page_switch_and_is_there_on_return(registry: Registry) -> None:
    source = "import time\ntime.sleep(0.8)\nreturn 'at last'"
    registry.register(Definition(alias="slow", output_type="String", scoring_logic=source))
    at = click(opened(), "playground.run")
    at.switch_page("pages/monitor/usage.py").run()
    time.sleep(0.8)
    at.switch_page(PAGE)
    at.run()
    assert "### at last" in texts(at)


def test_a_run_in_work_is_found_again_by_the_address(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import time\nwhile text:\n    time.sleep(0.01)"
    registry.register(Definition(alias="endless", arguments=[Argument("text")], scoring_logic=source))
    at = opened()
    at.text_area(key="playground.endless.text.text_area").set_value("on and on")
    address = {"alias": "endless", "run": click(at, "playground.run").query_params["run"]}
    again = opened(**address)
    assert "Running" in texts(again)
    assert again.text_area(key="playground.endless.text.text_area").value == "on and on"
    click(again, "playground.stop")
    assert "was stopped" in texts(again)
    assert "run" not in again.query_params
    assert "was stopped" in texts(opened(**address))  # it ended while the page was being reloaded
    monkeypatch.setattr(runs, "FOUND_AGAIN_S", 0)
    assert "was stopped" not in texts(opened(**address))


def test_a_run_of_another_is_not_found_by_the_address(registry: Registry) -> None:
    version = registry.register(Definition(alias="slow", scoring_logic="import time\ntime.sleep(2)"))
    for user, source in (("bob", "playground"), (registry.user, "test")):
        run = session.runs().start(registry, version, {}, source, user)
        at = opened(alias="slow", run=run.id)
        assert "Running" not in texts(at)
        assert "run" not in at.query_params
        run.cancel()


def test_vectors_of_two_texts_are_compared(registry: Registry) -> None:
    source = "return [float(len(text)), 1.0, 0.0, 0.0]"
    arguments = [Argument("text")]
    registry.register(
        Definition(alias="embed", output_type="Array[Numerical]", arguments=arguments, scoring_logic=source)
    )
    at = opened()
    text_field(at, "embed").set_value("four")
    at = run(at)
    assert "Length=4" in texts(at)
    at.text_input(key="playground.answer.text").set_value("eight888")
    at = click(at, "playground.answer.compare")
    assert "Cosine similarity, from −1 to 1=0.9927" in texts(at)


def test_pieces_of_an_answer_are_drawn_within_the_look_that_they_come_in(registry: Registry) -> None:
    pieces = "import time\nfor n in range(200):\n    time.sleep(0.04)\n    yield f'<{n}>'"
    registry.register(Definition(alias="writer", arguments=[], scoring_logic=pieces))
    at = opened(alias="writer")
    click(at, "playground.run")
    assert "<0><1>" in "".join(text.value for text in at.text)
    began = time.monotonic()
    click(at, "playground.stop")
    assert time.monotonic() - began < 3
    assert "was stopped after" in texts(at)
