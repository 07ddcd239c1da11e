"""How scoring logic runs, ends, fails and is stopped; one suite for every engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hfreg
from hfreg.engine import Event
from hfreg.engine.slot import MAX_WAITING

Make = Callable[..., hfreg.Model]


@pytest.fixture
def make(engine: str, registry: hfreg.Registry) -> Make:
    """Register a model with one argument `x` of any type and return it."""

    def make(logic: str, alias: str = "probe", **fields: Any) -> hfreg.Model:
        fields.setdefault("arguments", [hfreg.Argument("x", "Any", optional=True)])
        registry.register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))
        return registry.model(alias)

    return make


def test_arguments_are_variables_that_scoring_logic_may_change(make: Make) -> None:
    model = make("x = x.strip()\nreturn x")
    assert model(" a ") == "a"
    assert model(" b ") == "b"


def test_every_argument_name_python_allows_works(make: Make) -> None:
    names = ["self", "definition", "row", "job", "alias", "version", "positional", "named", "registry"]
    model = make(
        "return " + " + ".join(names),
        arguments=[hfreg.Argument(n, "Numerical") for n in names],
        output_type="Numerical",
    )
    assert model(**dict.fromkeys(names, 1)) == len(names)


def test_what_is_printed_belongs_to_its_call(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    model = make("import sys\nprint('seen', x)\nsys.stdout.write('too')\nreturn 1")
    assert model.run(1).stdout == "seen 1\ntoo"
    assert model.run(2).stdout == "seen 2\ntoo"
    assert capsys.readouterr().out == ""


def test_what_scoring_logic_warns_of_is_a_warning_of_that_call_and_of_each(make: Make) -> None:
    logic = "import warnings\nfrom warnings import warn\nfor i in range(2): warn('cut', UserWarning, stacklevel=2)\n"
    logic += "warnings.warn(RuntimeWarning(f'{x} of 7 tokens'))\nreturn 1 / x"
    model = make(logic)
    for _ in range(2):
        assert model.run(1).warnings == ("cut", "1 of 7 tokens")
    failed = model.run(0)
    assert not failed.ok and failed.warnings == ("cut", "0 of 7 tokens")


def test_warning_without_end_is_cut(make: Make) -> None:
    outcome = make("import warnings\nfor i in range(500): warnings.warn(f'{i} ' + 'x' * 9000)\nreturn 1").run()
    assert outcome.value == 1
    assert len(outcome.warnings) == 100 and {len(text) for text in outcome.warnings} == {2000}


def test_printing_without_end_is_cut(make: Make) -> None:
    outcome = make("for i in range(100_000): print('0123456789')\nreturn 1").run()
    assert outcome.value == 1
    assert len(outcome.stdout) < 70_000
    assert outcome.stdout.endswith("more was printed than the platform keeps\n")


def test_cache_lives_as_long_as_the_loaded_model(make: Make, registry: hfreg.Registry) -> None:
    model = make("cache['n'] = cache.get('n', 0) + 1\nreturn cache['n']")
    assert [model(), model(), model()] == [1, 2, 3]
    assert registry.unload("probe") == 1
    assert model() == 1


def test_changed_source_starts_afresh_and_a_changed_description_does_not(make: Make, registry: hfreg.Registry) -> None:
    logic = "cache['n'] = cache.get('n', 0) + 1\nreturn cache['n']"
    model = make(logic)
    assert [model(), model()] == [1, 2]
    definition = registry.get("probe").definition
    registry.edit("probe", definition.model_copy(update={"description": "Counts."}))
    assert model() == 3
    registry.edit("probe", definition.model_copy(update={"scoring_logic": logic + " + 100"}))
    assert model() == 101


def test_the_first_call_is_cold_and_the_second_warm(make: Make) -> None:
    model = make("return 1")
    assert [model.run().cold, model.run().cold] == [True, False]


def test_an_error_shows_the_users_lines_and_none_of_ours(make: Make) -> None:
    outcome = make("def half(n):\n    return 1 / n\n\nreturn half(x)").run(0)
    assert isinstance(outcome.error, hfreg.ScoringError)
    assert isinstance(outcome.error, RuntimeError)
    assert (outcome.error.kind, outcome.error.line) == ("ZeroDivisionError", 2)
    text = str(outcome.error)
    assert "line 4: return half(x)" in text
    assert "return 1 / n" in text
    assert "hfreg" not in text


@pytest.mark.parametrize(
    ("logic", "said"),
    [
        ("import sys\nsys.exit(3)", "exit(3)"),
        ("def f(): return f()\nreturn f()", "calls itself without end"),
        ("import surely_not_installed", "pip install surely_not_installed"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("return input()", "cannot ask for input"),
    ],
)
def test_however_scoring_logic_ends_the_caller_gets_an_error_and_the_next_call_works(
    make: Make, logic: str, said: str
) -> None:
    model = make("if x:\n    return x\n" + logic)
    outcome = model.run(0)
    assert said in str(outcome.error)
    assert model(5) == 5


def test_a_value_that_does_not_fit_the_output_type_is_an_output_error(make: Make) -> None:
    outcome = make("return {'scores': x}", output_type="Map[String, Array[Numerical]]").run([1, "no"])
    assert isinstance(outcome.error, hfreg.OutputError)
    assert '["scores"][1]' in str(outcome.error)


def test_a_call_past_its_time_limit_is_stopped_and_the_next_one_works(make: Make) -> None:
    model = make("while x: pass\nreturn 'done'", limits=hfreg.Limits(time_s=0.2))
    started = time.monotonic()
    outcome = model.run(True)
    assert isinstance(outcome.error, hfreg.ScoringTimeout)
    assert isinstance(outcome.error, TimeoutError)
    assert "0.2 s" in str(outcome.error)
    assert outcome.status == "timeout"
    assert time.monotonic() - started < 2
    assert model(False) == "done"


def test_catching_everything_does_not_escape_the_time_limit(make: Make) -> None:
    logic = "while x:\n    try:\n        while True: pass\n    except Exception: pass\nreturn 1"
    outcome = make(logic, limits=hfreg.Limits(time_s=0.2)).run(True)
    assert isinstance(outcome.error, hfreg.ScoringTimeout)


def test_a_stop_that_scoring_logic_catches_ends_the_call_all_the_same(make: Make) -> None:
    logic = "if not x: return 'next'\ntry:\n    while True: pass\nexcept BaseException:\n    return 'caught'"
    model = make(logic, limits=hfreg.Limits(time_s=0.2))
    started = time.monotonic()
    assert model.run(True).status == "timeout"
    assert time.monotonic() - started < 2
    assert model(False) == "next"


def test_a_row_that_ends_just_as_it_is_stopped_leaves_the_next_one_alone(make: Make, registry: hfreg.Registry) -> None:
    model = make("import time\nend = time.perf_counter() + 0.002\nwhile time.perf_counter() < end: pass\nreturn x")
    for delay in range(60):
        run = registry.start(model.version, [{"x": delay}])
        time.sleep(delay / 20_000)
        run.cancel()
        (outcome,) = run
        assert outcome.value == delay or outcome.status == "cancelled"
        assert model("next") == "next"


def test_a_call_stuck_in_c_is_given_up_and_a_fresh_model_answers_the_next(make: Make) -> None:
    model = make("import time\nif x: time.sleep(x)\nreturn 1", limits=hfreg.Limits(time_s=0.2))
    started = time.monotonic()
    outcome = model.run(4)
    assert ("cannot be interrupted here" in str(outcome.error)) == (outcome.tier == "inline")
    assert time.monotonic() - started < 3
    assert model(0) == 1


def test_cancel_ends_a_run_and_the_call_says_so(make: Make, registry: hfreg.Registry) -> None:
    model = make("while True: pass")
    running = threading.Event()
    run = registry.start(model.version, [{}], on_event=lambda e: running.set() if e.kind == "running" else None)
    assert running.wait(5)
    run.cancel()
    (outcome,) = run
    assert isinstance(outcome.error, hfreg.ScoringCancelled)
    assert outcome.status == "cancelled"
    assert run.done


def test_a_call_cancelled_while_it_waits_never_runs(make: Make, registry: hfreg.Registry) -> None:
    model = make("if x == 'busy':\n    while True: pass\ncache['ran'] = cache.get('ran', []) + [x]\nreturn cache")
    running = threading.Event()
    first = registry.start(
        model.version, [{"x": "busy"}], on_event=lambda e: running.set() if e.kind == "running" else None
    )
    assert running.wait(5)
    second = registry.start(model.version, [{"x": "second"}])
    second.cancel()
    first.cancel()
    assert [o.status for o in first] == ["cancelled"]
    assert [o.status for o in second] == ["cancelled"]
    assert model("third")["ran"] == ["third"]


def test_stopping_a_model_stops_the_resource_it_waits_for(make: Make, registry: hfreg.Registry) -> None:
    make("while True: cache['n'] = 1", alias="inner")
    outer = make("return inner()", alias="outer", resources=["inner"], limits=hfreg.Limits(time_s=0.3))
    started = time.monotonic()
    assert outer.run().status == "timeout"
    assert time.monotonic() - started < 3
    while any(m.busy for m in registry.loaded()) and time.monotonic() - started < 3:
        time.sleep(0.01)
    assert not any(m.busy for m in registry.loaded())


def test_a_resource_is_called_by_its_alias_and_its_error_is_told(make: Make) -> None:
    make("return x * 2", alias="twice", output_type="Numerical")
    model = make("return twice(x) + 1", alias="more", resources=["twice"])
    assert model(4) == 9
    wrong = make("return twice(y=1)", alias="wrong", resources=["twice"]).run()
    assert isinstance(wrong.error, hfreg.ArgumentError)
    assert "`y`" in str(wrong.error)


def test_calls_from_many_threads_run_one_at_a_time(make: Make) -> None:
    logic = (
        "import time\ncache['in'] = cache.get('in', 0) + 1\nhighest = cache['in']\ntime.sleep(0.002)\n"
        "cache['in'] -= 1\nreturn highest"
    )
    model = make(logic)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.extend(model() for _ in range(10))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 80


def test_rows_answer_in_order_and_a_bad_one_stops_nothing(make: Make) -> None:
    model = make("return 10 // x", arguments=[hfreg.Argument("x", "Numerical")])
    outcomes = list(model.map([{"x": 5}, {"x": 0}, {"x": "no"}, {"y": 1}, {"x": 2}]))
    assert [o.value for o in outcomes] == [2, None, None, None, 5]
    assert [type(o.error).__name__ for o in outcomes] == [
        "NoneType", "ScoringError", "ArgumentError", "ArgumentError", "NoneType",
    ]  # fmt: skip


def test_rows_are_taken_as_they_are_needed(make: Make) -> None:
    model = make("return x")
    taken = []

    def rows() -> Any:
        for number in range(10_000_000):
            taken.append(number)
            yield {"x": number}

    answers = model.map(rows())
    assert [next(answers).value for _ in range(3)] == [0, 1, 2]
    answers.close()
    assert len(taken) < 5_000


def test_rows_that_cannot_be_read_end_the_run_with_an_error(make: Make) -> None:
    model = make("return x")

    def rows() -> Any:
        yield {"x": 1}
        raise OSError("the disk is gone")

    outcomes = list(model.map(rows()))
    assert [o.ok for o in outcomes] == [True, False]
    assert "the disk is gone" in str(outcomes[1].error)


def test_a_row_that_is_no_mapping_is_that_rows_error(make: Make) -> None:
    outcomes = list(make("return x").map([3, {"x": 1}]))  # type: ignore[list-item]
    assert [o.ok for o in outcomes] == [False, True]


def test_pieces_of_a_generator_are_streamed_and_joined(make: Make, registry: hfreg.Registry) -> None:
    model = make("for word in x.split():\n    yield word + ' '")
    events: list[Event] = []
    (outcome,) = registry.start(model.version, [{"x": "a b c"}], on_event=events.append)
    assert outcome.value == "a b c "
    assert [e.data["value"] for e in events if e.kind == "piece"] == ["a ", "b ", "c "]


def test_the_timings_add_up(make: Make) -> None:
    model = make("import time\ntime.sleep(0.05)\nreturn 1")
    model()
    timings = model.run().timings
    assert 45 < timings.run_ms <= timings.total_ms < 1000
    assert timings.load_ms == 0
    assert timings.platform_ms < 20


def test_an_engine_says_how_far_it_confines(make: Make, engine: str, registry: hfreg.Registry) -> None:
    tiers = {"inline"} if engine == "inline" else {"confined", "process only"}
    assert make("return 1").run().tier == registry.engine.tier
    assert registry.engine.tier in tiers


def test_at_most_four_unsaved_models_stay_in_memory(engine: str, registry: hfreg.Registry) -> None:
    for number in range(7):
        definition = hfreg.Definition(alias="draft", scoring_logic=f"return {number}")
        assert registry.test(definition).value == number
    assert len(registry.loaded()) == 4


def test_testing_the_same_source_again_is_warm(engine: str, registry: hfreg.Registry) -> None:
    definition = hfreg.Definition(alias="draft", scoring_logic="return 1")
    assert [registry.test(definition).cold, registry.test(definition).cold] == [True, False]


def test_closing_ends_what_runs_and_leaves_no_thread(make: Make, registry: hfreg.Registry) -> None:
    model = make("while True: pass")
    running = threading.Event()
    run = registry.start(model.version, [{}], on_event=lambda e: running.set() if e.kind == "running" else None)
    assert running.wait(5)
    registry.close()
    assert [o.status for o in run] == ["cancelled"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and [t for t in threading.enumerate() if t.name.startswith("hfreg probe")]:
        time.sleep(0.01)
    assert [t.name for t in threading.enumerate() if t.name.startswith("hfreg probe")] == []


def test_rows_may_call_the_model_they_are_for(make: Make) -> None:
    model = make("return x + 1")
    assert [o.value for o in model.map({"x": model(n)} for n in range(3))] == [2, 3, 4]


def test_a_call_does_not_wait_for_a_table_that_is_half_read(make: Make) -> None:
    model = make("return x")
    answers = model.map({"x": n} for n in range(5_000))
    assert next(answers).value == 0
    assert model("beside") == "beside"
    assert [o.value for o in answers] == list(range(1, 5_000))


def test_a_table_that_nobody_reads_any_more_is_not_run_to_its_end(make: Make) -> None:
    model = make("cache['n'] = cache.get('n', 0) + 1\nreturn cache['n']")
    model.map({"x": n} for n in range(100_000))
    time.sleep(0.2)
    assert model() < 50_000


def test_rows_that_exit_end_the_run_with_an_error_and_the_model_goes_on(make: Make) -> None:
    model = make("return x")

    def rows() -> Any:
        yield {"x": 1}
        raise SystemExit(3)

    assert [o.ok for o in model.map(rows())] == [True, False]
    assert model(2) == 2


@pytest.mark.parametrize("engine", ["inline"], indirect=True)
def test_a_stop_during_an_import_waits_for_it_so_that_the_module_stays_whole(
    make: Make, registry: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module.py").write_text("import time\nfor _ in range(40): time.sleep(0.01)\nvalue = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    model = make("import slow_module\nreturn slow_module.value")
    running = threading.Event()
    run = registry.start(model.version, [{}], on_event=lambda e: running.set() if e.kind == "running" else None)
    assert running.wait(5)
    time.sleep(0.1)
    run.cancel()
    assert [o.status for o in run] == ["cancelled"]
    assert model() == 7


@pytest.mark.parametrize("engine", ["inline"], indirect=True)
def test_loading_does_not_count_against_the_time_limit(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hfreg.scoring.libraries import Libraries

    original = Libraries.import_

    def slow(self: Libraries, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "json":
            return self._timed(name, lambda: (time.sleep(0.5), original(self, name, *args, **kwargs))[1])
        return original(self, name, *args, **kwargs)

    monkeypatch.setattr(Libraries, "import_", slow)
    model = make("import json\nif x:\n    while True: pass\nreturn 1", limits=hfreg.Limits(time_s=0.2))
    outcome = model.run(False)
    assert outcome.result() == 1
    assert outcome.timings.load_ms > 450
    assert model.run(True).status == "timeout"


def test_a_late_stop_of_one_call_leaves_the_next_alone(make: Make, registry: hfreg.Registry) -> None:
    model = make("import time\ntime.sleep(0.05)\nreturn x")
    first = registry.start(model.version, [{"x": 1}])
    list(first)
    second = registry.start(model.version, [{"x": 2}])
    for _ in range(20):
        first.cancel()
        time.sleep(0.002)
    assert [o.value for o in second] == [2]


def test_closing_ends_calls_that_wait_behind_one_stuck_in_c(make: Make, registry: hfreg.Registry) -> None:
    model = make("import time\ntime.sleep(3)\nreturn 1")
    running = threading.Event()
    stuck = registry.start(model.version, [{}], on_event=lambda e: running.set() if e.kind == "running" else None)
    waiting = registry.start(model.version, [{}])
    assert running.wait(5)
    started = time.monotonic()
    registry.close()
    assert [o.status for o in waiting] == ["cancelled"]
    assert [o.status for o in stuck] == ["cancelled"]
    assert time.monotonic() - started < 2.5
    with pytest.raises(hfreg.EngineClosed):
        registry.start(model.version, [{}])


def test_a_resource_is_called_on_behalf_of_whoever_called(make: Make, registry: hfreg.Registry) -> None:
    make("return 1", alias="inner")
    outer = make("return inner()", alias="outer", resources=["inner"])
    list(registry.start(outer.version, [{}], user="ada"))
    registry.events.flush()
    assert {(c.alias, c.user) for c in registry.events.calls()} == {("outer", "ada"), ("inner", "ada")}


def test_a_call_that_finds_too_many_others_waiting_is_told_that_the_model_is_busy(
    make: Make, registry: hfreg.Registry, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    model = make("import os, time\nwhile os.path.exists(x): time.sleep(0.005)\nreturn 1")
    running = threading.Event()
    follow = lambda event: running.set() if event.kind == "running" else None  # noqa: E731
    runs = [registry.start(model.version, [{"x": str(gate)}], on_event=follow)]
    assert running.wait(5)
    runs += [registry.start(model.version, [{"x": str(gate)}]) for _ in range(MAX_WAITING + 1)]
    refused = next(iter(runs[-1]))
    gate.unlink()
    assert isinstance(refused.error, hfreg.ModelBusy)
    assert "probe" in str(refused.error)
    assert [next(iter(run)).value for run in runs[:-1]] == [1] * (MAX_WAITING + 1)
