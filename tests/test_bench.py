"""The benchmarks run: each imports, and what it measures comes out as figures, with a handful of repetitions.

Whether a target is met is not tested here: that depends on what else the machine does. `make bench` says it.
"""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from tiny_checkpoints import TinyCheckpoints

from bench import __main__ as all_of_them
from bench import bfloat16, events, hub_form, isolated, log, naive, simulation, start, timing, warm_call
from bench.report import Figure
from hfreg.settings import TOKEN_VARIABLES

ROOT = Path(__file__).parents[1]
NO_MEASUREMENTS = {"__init__", "__main__", "report", "timing", "figures"}


def are_measured(figures: Iterable[Figure], count: int) -> None:
    found = list(figures)
    assert len(found) == count
    assert [figure for figure in found if not math.isfinite(figure.value)] == []
    assert [figure for figure in found if not figure.name] == []
    for figure in found:
        assert figure.ok in {None, True, False}  # its target can be read


def test_every_benchmark_is_run_by_make_bench() -> None:
    scripts = {path.stem for path in (ROOT / "bench").glob("*.py")} - NO_MEASUREMENTS
    assert scripts == set(all_of_them.SCRIPTS)


@pytest.mark.parametrize("name", all_of_them.SCRIPTS)
def test_a_benchmark_imports_and_can_be_run(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").main)


def test_a_benchmark_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert all_of_them.main(["warm_cal"]) == 2
    assert "There is: warm_call" in capsys.readouterr().err


def test_actions_take_turns_and_the_first_rounds_do_not_count() -> None:
    order: list[str] = []
    times = timing.in_turns(4, lambda: order.append("a"), lambda: order.append("b"), warm_up=2)
    assert "".join(order) == "baab" * 3
    assert [len(one) for one in times] == [4, 4]
    assert timing.milliseconds([0.001, 0.002, 0.009]) == 2
    assert timing.milliseconds([0.001] * 99 + [1.0], 0.99) == 1000


def test_the_warm_call_is_measured(tiny_checkpoints: TinyCheckpoints, tmp_path: Path) -> None:
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    figures, details = warm_call.measure(tiny_checkpoints.classifier, tmp_path, 3, 2, shape)
    are_measured(figures, 2)
    assert details["tiny_p50_ms"]["direct"] > 0


def test_the_encoder_has_the_size_of_minilm() -> None:
    size, layers, inner = (warm_call.ENCODER[n] for n in ("hidden_size", "num_hidden_layers", "intermediate_size"))
    assert 22e6 < 30522 * size + layers * (4 * size * size + 2 * size * inner) < 23e6


def test_the_naive_code_is_measured_and_asks_the_hub(
    loopback_hub: LoopbackHub, tiny_checkpoints: TinyCheckpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLES[0], naive.TOKEN)
    figures, _ = naive.measure(loopback_hub, tiny_checkpoints.classifier, tmp_path / "home", calls=1, warm_up=1)
    are_measured(figures, 3)
    assert (figures[1].value, figures[2].value) == (0, 0)
    warm, cold = (int(figure.peer.split()[0]) for figure in figures[1:])
    assert cold > warm > 0


def test_filling_the_form_from_the_hub_is_measured(loopback_hub: LoopbackHub) -> None:
    figures, details = hub_form.measure(loopback_hub, rounds=1, warm_up=0)
    are_measured(figures, 2)
    assert figures[1].value == 3
    assert details["slowest_s"] > 0


def test_bfloat16_is_measured_against_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {name: (one[0], one[1], ((64, 2),), 10_000) for name, one in bfloat16.SHAPES.items()}
    monkeypatch.setattr(bfloat16, "SHAPES", small)
    figures, details = bfloat16.measure(tmp_path, rounds=1, texts=3, sizes=[0])
    are_measured(figures, 7)
    assert min(figure.value for figure in figures[:3]) > 0
    assert details["trained"]["sentiment"]["texts"] == 3
    assert details["trained"]["embedder"]["least_cosine"] > 0.99


def test_logging_is_measured(tmp_path: Path) -> None:
    figures, details = log.measure(tmp_path, calls=5)
    are_measured(figures, 1)
    assert set(details) == {"calls", "logged_us", "engine_alone_us"}


def test_the_import_is_measured(tmp_path: Path) -> None:
    figures, details = start.imports(tmp_path, rounds=1)
    are_measured(figures, 2)
    assert figures[1].value == 0
    assert {"torch", "transformers"} & set(details["came_with_it"]) == set()


def test_the_start_of_the_workbench_is_measured_and_imports_no_torch(tmp_path: Path) -> None:
    figures, details = start.starts(tmp_path, rounds=1, warm_up=0)
    are_measured(figures, 3)
    (ours,) = details["workbench"]
    assert ours["health_s"] < ours["served_s"] < ours["first_run_s"]
    assert ours["elements"] > 10
    assert ours["torch_before"] in {False, None}
    assert ours["torch_after"] in {False, None}


def test_the_log_of_calls_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = events.some_calls
    monkeypatch.setattr(events, "some_calls", lambda count, *days: made(min(count, 200), *days))
    monkeypatch.setattr(events, "IN_RANGE", 200)
    monkeypatch.setattr(events, "BEFORE", 200)
    are_measured(events.figures(events.recording(tmp_path), events.reading(tmp_path)), 3)


def test_models_in_processes_are_measured(tiny_checkpoints: TinyCheckpoints, tmp_path: Path, zygote: None) -> None:
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    figures, details = isolated.measure(tiny_checkpoints.classifier, tmp_path, 3, 2, 1, 0.5, (shape, shape))
    are_measured(figures, 6)
    assert details["weights_mb"] > 0


def test_a_simulation_is_measured(tmp_path: Path) -> None:
    figures = simulation.measure(tmp_path, rows=50)
    assert [figure.unit for figure in figures] == ["rows/s", "µs", "MiB"]
    assert figures[0].value > 10
    assert 0 < figures[1].value < 1e6


def test_the_pages_are_measured(tmp_path: Path) -> None:
    # In a process of its own: it takes the place of a part of Streamlit.
    program = (
        "from pathlib import Path\nfrom bench import pages\n"
        "pages.MODELS, pages.CALLS, pages.RUNS = 10, 50, 2\n"
        f"pages.fill(Path({str(tmp_path / 'home')!r}))\npages.start_stopwatch()\n"
        "name = next(page for page in pages.page_files() if page.endswith('catalog/models.py'))\n"
        "found = pages.measure(name)\n"
        "assert found['failed'] == [] and found['p50_ms'] > 0, found\n"
    )
    environment = {**os.environ, "HFREG_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
