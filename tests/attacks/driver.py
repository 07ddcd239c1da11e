"""Driver: one process with one app and one zygote that runs a whole group of attacks and writes down what came of them.

    python -m tests.attacks.driver PART FOLDER

It is started as the user that the attacks run as (`user.py`), with a home, a cache and temporary files of its own in
FOLDER, and writes FOLDER/result.json. The tests judge.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import hfreg
from hfreg.engine.isolated import namespaces
from tests.attacks.catalogue import HARM, QUICK, REACH
from tests.attacks.damage import damage
from tests.attacks.remains import canary, cycles
from tests.attacks.world import ATTACK, World, control, ended, workers, zygotes


def reach(world: World) -> dict[str, Any]:
    """Try every attack of the catalogue in a worker, then its control."""
    arguments = [hfreg.Argument("source", "String"), hfreg.Argument("facts", "Map[String, Any]")]
    definition = hfreg.Definition(alias="attack", arguments=arguments, scoring_logic=ATTACK)
    world.registry.register(definition)
    model = world.registry.model("attack")
    facts = world.facts()
    results: dict[str, Any] = {}
    spares = {name: world.spare() for name in REACH}
    for name, attack in REACH.items():
        if attack.fresh:
            world.registry.unload("attack")
        began = time.perf_counter()
        outcome = model.run(attack.source, {**facts, "spare": spares[name]})
        results[name] = {"end": ended(outcome), "said": str(outcome.error or "")[:300], "tier": outcome.tier}
        results[name]["s"] = time.perf_counter() - began
    spoiled = [name for name, spare in spares.items() if Path(spare).read_text() != "of the app"]
    sources = {name: attack.source for name, attack in REACH.items()}
    controls = control(world, {**facts, "spares": spares}, sources)
    return {"results": results, "controls": controls, "spoiled": spoiled}


def harm(world: World) -> dict[str, Any]:
    """Do the harm of `make test`, or with ATTACK_ONLY all whose names begin so."""
    only = os.environ.get("ATTACK_ONLY", "")
    names = [name for name in HARM if (name.startswith(only) if only else name in QUICK)]
    return damage(world, names)


def hold(world: World) -> dict[str, Any]:
    """Load models, one of them busy for ever, tell of all processes, and wait to be killed."""
    registry = world.registry
    registry.register(hfreg.Definition(alias="busy", scoring_logic="while True: pass"))
    running = threading.Event()
    follow = lambda event: running.set() if event.kind == "running" else None  # noqa: E731
    run = registry.start(registry.get("busy"), [{}], on_event=follow)
    assert running.wait(60)
    pids = [*zygotes(), *workers(world)]
    sys.stdout.write(json.dumps({"pids": pids, "scratch": str(registry.engine._scratch.folder)}) + "\n")
    sys.stdout.flush()
    list(run)
    return {}


PARTS = {"reach": reach, "harm": harm, "cycles": cycles, "canary": canary, "hold": hold}


def main(part: str, folder: Path) -> None:
    if "ATTACK_WALL" not in os.environ:
        namespaces.PROGRAM = "no-such-program"  # what workers are made of has to hold without it
    if part == "open and close":
        with hfreg.open(folder / "home") as registry:
            assert registry.engine.tier
        return
    world = World(folder)
    try:
        result = PARTS[part](world)
    finally:
        world.close()
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
