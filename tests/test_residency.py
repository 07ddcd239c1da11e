"""What stays in memory and what goes: the budget, eviction, keeping, and memory that unloading gives back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hfreg
from hfreg import parts, provision
from hfreg.engine import Loaded
from tests.attacks.world import zygotes

pytestmark = pytest.mark.usefixtures("zygote")

Make = Callable[..., hfreg.Model]
WEIGHTS = 60 * 2**20
TIGHT_MB = "250"
"""A budget in which one worker with these weights fits, and two do not."""
LOADS = """
from transformers import BertModel
model = BertModel.from_pretrained("hfreg/starter-{name}")
total = sum(float(p.detach().abs().sum()) for p in model.parameters())
import time
if x: time.sleep(x)
return total > 0
"""
HOLDS = "cache.setdefault('held', bytearray(b'1') * (300 * 1024 * 1024))\nreturn len(cache['held'])"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real checkpoints of 60 MiB, as the product ships some: starter-one and starter-two."""
    import transformers

    folder = tmp_path_factory.mktemp("starters")
    size = {"hidden_size": 256, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 512}
    model = transformers.BertModel(transformers.BertConfig(vocab_size=60_000, **size))
    for name in ("one", "two"):
        model.save_pretrained(folder / f"starter-{name}")
        assert (folder / f"starter-{name}" / "model.safetensors").stat().st_size == pytest.approx(WEIGHTS, rel=0.1)
    return folder


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch, checkpoints: Path) -> Callable[[str], hfreg.Registry]:
    """Open a registry whose workers have so many MiB together."""
    monkeypatch.setenv("HFREG_ENGINE", "isolated")
    monkeypatch.setattr(parts, "STARTERS", checkpoints)
    monkeypatch.setattr(provision, "STARTERS", checkpoints)
    monkeypatch.setattr("hfreg.admission.STARTERS", checkpoints)

    def opened(megabytes: str) -> hfreg.Registry:
        monkeypatch.setenv("HFREG_MEMORY_BUDGET_MB", megabytes)
        return hfreg.open()

    return opened


def make(registry: hfreg.Registry, alias: str, logic: str, **fields: Any) -> hfreg.Model:
    fields.setdefault("arguments", [hfreg.Argument("x", "Numerical", optional=True, default="0")])
    registry.register(hfreg.Definition(alias=alias, scoring_logic=logic, **fields))
    return registry.model(alias)


def loads(registry: hfreg.Registry, name: str, **fields: Any) -> hfreg.Model:
    """Register a model that loads one of the checkpoints and touches all of it."""
    return make(registry, name, LOADS.format(name=name), **fields)


def aliases(registry: hfreg.Registry) -> list[str]:
    return sorted(one.alias for one in registry.loaded(False))


def one(registry: hfreg.Registry, alias: str) -> Loaded:
    return next(one for one in registry.loaded() if one.alias == alias)


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def running(registry: hfreg.Registry, model: hfreg.Model, **row: Any) -> hfreg.engine.Run:
    """Begin a call and return once its scoring logic runs."""
    there = threading.Event()
    run = registry.start(model.version, [row], on_event=lambda e: there.set() if e.kind == "running" else None)
    assert there.wait(20)
    return run


def answer(registry: hfreg.Registry, model: hfreg.Model) -> hfreg.Outcome:
    """Call a model, and stop the call where it would wait for ever."""
    run = registry.start(model.version, [{}])
    late = threading.Timer(20, run.cancel)
    late.start()
    outcome = next(iter(run))
    late.cancel()
    return outcome


def held_by_all(registry: hfreg.Registry) -> int:
    """Return the memory of every process of models, the one that they were forked from among them."""
    (pid,) = zygotes()
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    zygote = next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    slots = registry.engine._slots.values()  # type: ignore[attr-defined]
    return zygote + sum(slot.memory_bytes(0.0) for slot in slots)


def test_unloading_gives_the_memory_back(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("4000")
    make(registry, "bystander", "return 1")()
    before = held_by_all(registry)
    assert loads(registry, "one")() is True
    loaded = one(registry, "one")
    during = held_by_all(registry)
    assert during - before > WEIGHTS
    assert registry.unload("one") == 1
    assert eventually(lambda: not Path(f"/proc/{loaded.pid}").exists())
    assert held_by_all(registry) - before < 0.05 * WEIGHTS
    assert aliases(registry) == ["bystander"]


def test_two_models_that_do_not_fit_together_take_turns(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget(TIGHT_MB)
    models = {name: loads(registry, name) for name in ("one", "two")}
    for name in ("one", "two", "one", "two"):
        outcome = models[name].run()
        assert (outcome.value, outcome.cold) == (True, True)
        assert aliases(registry) == [name]
    assert models["two"].run().cold is False


def test_the_model_used_longest_ago_goes_first(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("900")
    for alias in ("a", "b"):
        assert make(registry, alias, HOLDS)() == 300 * 2**20
    registry.model("a")()
    make(registry, "c", HOLDS)()
    assert eventually(lambda: aliases(registry) == ["a", "c"])
    time.sleep(0.8)  # and nobody else goes
    assert aliases(registry) == ["a", "c"]


def test_a_model_that_answers_is_never_evicted(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget(TIGHT_MB)
    first, second = loads(registry, "one"), loads(registry, "two")
    first()
    pid = one(registry, "one").pid
    run = running(registry, first, x=1.5)
    began = time.monotonic()
    waited = registry.start(second.version, [{}])
    time.sleep(0.5)
    assert (one(registry, "one").pid, aliases(registry)) == (pid, ["one", "two"])
    assert one(registry, "two").doing == "starting"
    assert next(iter(run)).value is True
    outcome = next(iter(waited))
    assert outcome.value is True
    assert outcome.timings.queue_ms > 500
    assert time.monotonic() - began < 10


def test_a_stream_of_calls_to_one_model_does_not_starve_another(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget(TIGHT_MB)
    first, second = loads(registry, "one"), loads(registry, "two")
    over, wrong = threading.Event(), []

    def stream() -> None:
        while not over.is_set():
            outcome = first.run(x=0.05)
            if not outcome.ok:
                wrong.append(outcome.error)

    threads = [threading.Thread(target=stream) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert eventually(lambda: aliases(registry) == ["one"])
    began = time.monotonic()
    outcome = answer(registry, second)
    took = time.monotonic() - began
    over.set()
    for thread in threads:
        thread.join(20)
    assert (outcome.value, wrong) == (True, [])
    assert took < 10


def test_many_callers_of_models_that_evict_each_other_all_get_their_answers(
    budget: Callable[[str], hfreg.Registry],
) -> None:
    registry = budget(TIGHT_MB)
    models = [loads(registry, name) for name in ("one", "two")]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda m=model: answers.extend(m.run().value for _ in range(4))) for model in models * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert answers == [True] * 16


def test_what_cannot_fit_is_refused_with_the_figures_before_it_starts(
    budget: Callable[[str], hfreg.Registry],
) -> None:
    registry = budget("100")
    outcome = answer(registry, loads(registry, "one"))
    assert isinstance(outcome.error, hfreg.NotEnoughMemory)
    assert isinstance(outcome.error, MemoryError)
    for said in ("`one`", " MiB, and the budget is ", "100 MiB", "HFREG_MEMORY_BUDGET_MB"):
        assert said in str(outcome.error)
    assert aliases(registry) == []


def test_a_call_stopped_while_it_waits_for_memory_ends(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget(TIGHT_MB)
    first, second = loads(registry, "one"), loads(registry, "two")
    first()
    run = running(registry, first, x=3)
    waits = registry.start(second.version, [{}])
    time.sleep(0.3)
    waits.cancel()
    began = time.monotonic()
    assert next(iter(waits)).status == "cancelled"
    assert time.monotonic() - began < 1
    run.cancel()


def test_a_model_that_is_kept_stays_and_the_refusal_names_it(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget(TIGHT_MB)
    first, second = loads(registry, "one"), loads(registry, "two")
    first()
    registry.keep("one", 1)
    assert one(registry, "one").kept
    error = answer(registry, second).error
    assert isinstance(error, hfreg.NotEnoughMemory)
    assert "`one`" in str(error) and "kept" in str(error)
    assert aliases(registry) == ["one"]
    registry.keep("one", 1, False)
    assert second() is True
    assert aliases(registry) == ["two"]


def test_another_goes_in_place_of_one_that_is_kept(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("900")
    for alias in ("a", "b", "c"):
        make(registry, alias, HOLDS)()
        registry.keep("a", 1)
    assert eventually(lambda: aliases(registry) == ["a", "c"])


def test_unloading_a_model_ends_that_it_is_kept(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("4000")
    model = make(registry, "a", "return 1")
    model()
    registry.keep("a", 1)
    registry.unload("a")
    model()
    assert not one(registry, "a").kept


def test_a_model_with_resources_has_room_for_all_of_them_before_it_starts(
    budget: Callable[[str], hfreg.Registry],
) -> None:
    registry = budget("330")
    loads(registry, "one")
    loads(registry, "two")
    outer = make(registry, "outer", "return two()", resources=["two"])
    registry.model("one")()
    seen: list[list[str]] = []
    (outcome,) = registry.start(
        outer.version, [{}], on_event=lambda e: seen.append(aliases(registry)) if e.kind == "running" else None
    )
    assert outcome.value is True
    assert seen == [["outer"]]  # the idle one had gone by then
    assert aliases(registry) == ["outer", "two"]


def test_a_model_that_does_not_fit_with_its_resources_does_not_start(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("260")
    loads(registry, "one")
    loads(registry, "two")
    outer = make(registry, "outer", "return one() and two()", resources=["one", "two"])
    error = answer(registry, outer).error
    assert isinstance(error, hfreg.NotEnoughMemory)
    assert "models that it calls (2)" in str(error)
    assert aliases(registry) == []
    assert registry.model("one")() is True


def test_a_resource_is_not_evicted_while_its_caller_may_call_it(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("330")
    loads(registry, "one")
    inner = loads(registry, "two")
    outer = make(registry, "outer", "import time\nok = two()\ntime.sleep(1)\nreturn ok and two()", resources=["two"])
    inner()
    run = running(registry, outer)
    waits = registry.start(registry.get("one"), [{}])
    assert next(iter(run)).value is True
    assert next(iter(waits)).value is True
    registry.events.flush()
    calls = [c for c in registry.events.calls() if c.alias == "two" and c.source == "resource"]
    assert [c.cold for c in calls] == [False, False]


def test_the_limit_of_one_worker_is_its_definitions_or_the_budget(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("700")
    make(registry, "own", "return 1", limits=hfreg.Limits(memory_mb=300))()
    make(registry, "none", "return 1")()
    assert one(registry, "own").limit_bytes == 300 * 2**20
    assert one(registry, "none").limit_bytes == 700 * 2**20
    assert registry.engine.standing().budget_bytes == 700 * 2**20
    assert registry.engine.standing().ready


def test_a_loaded_process_tells_what_it_is_and_what_it_takes(budget: Callable[[str], hfreg.Registry]) -> None:
    registry = budget("4000")
    model = loads(registry, "one")
    model()
    for _ in range(3):
        model()
    told = one(registry, "one")
    assert (told.alias, told.version, told.state, told.calls, told.busy) == ("one", 1, "Draft", 4, False)
    assert told.tier == registry.engine.tier
    assert told.layers["seccomp"].startswith("on: ") or told.tier != "confined"
    assert told.memory_bytes > WEIGHTS
    assert told.cpu_s is not None and told.cpu_s > 0
    assert told.cold_ms is not None and told.warm_ms is not None and told.cold_ms > told.warm_ms
    assert eventually(lambda: one(registry, "one").frozen)
    assert one(registry, "one").doing == "frozen"
    assert model() is True


@pytest.fixture
def both(engine: str, registry: hfreg.Registry) -> Iterator[hfreg.Registry]:
    """A registry over each engine."""
    yield registry


def test_loading_now_without_an_example_makes_the_model_ready(both: hfreg.Registry) -> None:
    model = make(both, "a", "return x + 1")
    (outcome,) = both.load(model.version)
    assert outcome.ok
    told = one(both, "a")
    assert (told.calls, told.busy, told.cold_ms) == (0, False, None)
    both.events.flush()
    assert both.events.calls() == []
    assert model(1) == 2


def test_loading_now_runs_the_first_example_and_records_it(both: hfreg.Registry) -> None:
    definition = hfreg.Definition(
        alias="a",
        arguments=[hfreg.Argument("text", "String"), hfreg.Argument("at", "DateTime", optional=True)],
        scoring_logic="cache['seen'] = cache.get('seen', []) + [(text, str(at))]\nreturn cache['seen']",
        examples=({"old": 1}, {"text": "hi", "at": "2026-01-02T03:04:05"}),
    )
    both.register(definition)
    (outcome,) = both.load(both.get("a"), "ada")
    assert outcome.value[0][0] == "hi"
    assert both.model("a")("again")[0][0] == "hi"
    both.events.flush()
    assert sorted((c.source, c.user == "ada", c.status) for c in both.events.calls()) == [
        ("load", True, "ok"), ("python", False, "ok"),
    ]  # fmt: skip


def test_restarting_loads_afresh_and_keeps_what_was_kept(both: hfreg.Registry) -> None:
    model = make(both, "a", "cache['n'] = cache.get('n', 0) + 1\nreturn cache['n']")
    assert [model(), model()] == [1, 2]
    both.keep("a", 1)
    before = one(both, "a")
    list(both.restart(model.version))
    after = one(both, "a")
    assert after.kept
    assert after.pid != before.pid or after.tier == "inline"
    assert model() == 1


def test_what_does_not_run_is_not_loaded_and_stays_as_it_was(both: hfreg.Registry) -> None:
    model = make(both, "a", "return 1")
    model()
    version = both.archive("a")
    assert both.loaded() == []
    for act in (both.load, both.restart):
        with pytest.raises(hfreg.NotApproved, match="Archived"):
            act(version)
    assert both.loaded() == []
