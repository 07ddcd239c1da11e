"""Driver: one process with one app and one zygote that runs a whole group of attacks and writes down what came of them.

    python -m tests.attacks.driver PART FOLDER

It is started as the user that the attacks run as (`user.py`), with a home, a cache and temporary files of its own in
FOLDER, and writes FOLDER/result.json. The tests judge.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import hfreg
from hfreg.engine.isolated import namespaces
from tests.attacks.catalogue import HARM, REACH
from tests.attacks.damage import damage
from tests.attacks.world import ATTACK, World, control, ended


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
    """Do the harm of `make test`, or with ALL in the environment all that there is."""
    names = HARM if "ATTACK_ALL" in os.environ else [name for name, one in HARM.items() if one.quick]
    return damage(world, names)


PARTS = {"reach": reach, "harm": harm}


def main(part: str, folder: Path) -> None:
    if "ATTACK_WALL" not in os.environ:
        namespaces.PROGRAM = "no-such-program"  # what workers are made of has to hold without it
    world = World(folder)
    try:
        result = PARTS[part](world)
    finally:
        world.close()
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
