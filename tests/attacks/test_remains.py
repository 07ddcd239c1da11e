"""What is left behind: nothing after a model was unloaded or the app was killed, and no secret anywhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.attacks import user
from tests.attacks.conftest import WITHOUT_RIGHTS, Driven, missing

GONE_S = 1.0


def assert_nothing_leaked(found: dict[str, Any]) -> None:
    assert found["after"] == found["before"], f"after {found['cycles']} cycles"


def test_loading_and_unloading_leaks_nothing(driven: Driven) -> None:
    assert_nothing_leaked(driven("cycles", WITHOUT_RIGHTS))


@pytest.mark.soak
def test_loading_and_unloading_many_times_leaks_nothing(driven: Driven) -> None:
    assert_nothing_leaked(driven("cycles", WITHOUT_RIGHTS, ATTACK_CYCLES="200"))


def test_a_token_saved_in_settings_is_told_by_nothing(driven: Driven) -> None:
    found = driven("canary", WITHOUT_RIGHTS)
    assert found["count"] > 150
    assert found["told"] == [], "in outcomes, events, exports and the log of calls"
    assert found["token"] not in found["said"], "in the output of the app"
    # While it is loaded, code that was given the token may keep it in its own scratch folder.
    assert [place for place in found["during"] if "hfreg-workers" not in place] == []
    assert found["after"] == []


def test_no_worker_outlives_an_app_that_is_killed() -> None:
    if why := missing():
        pytest.skip(why)
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    try:
        if (python := user.python_for(WITHOUT_RIGHTS, place)) is None:
            pytest.skip("no Python that a user without rights may run")
        folder = user.own_folder(place / "app", WITHOUT_RIGHTS)
        with user.start(python, WITHOUT_RIGHTS, "hold", folder, ATTACK_WALL="1") as app:
            assert app.stdout is not None
            told = json.loads(app.stdout.readline())
            assert len(told["pids"]) == 3, "a zygote and two workers"
            assert alive(told["pids"]) == told["pids"]
            os.kill(app.pid, signal.SIGKILL)
            until = time.monotonic() + GONE_S
            while alive(told["pids"]) and time.monotonic() < until:
                time.sleep(0.005)
            assert alive(told["pids"]) == []
        assert Path(told["scratch"]).exists(), "it had no time to remove it"
        with user.start(python, WITHOUT_RIGHTS, "open and close", folder) as next_app:
            assert next_app.wait(60) == 0
        assert not Path(told["scratch"]).exists(), "the next one does"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def alive(pids: list[int]) -> list[int]:
    """List the processes that still run; one that nobody collected yet does not."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            found.append(pid)
    return found
