"""Remains: what is left when models were loaded and unloaded many times, and where a secret turns up.

Runs within `driver.py`. The cycles count what a leak would add to; the canary is the token saved in Settings, which
models with and without the right to it try to leave in answers, errors, output, files and the log of calls.
"""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any

import hfreg
from tests.attacks.world import World, children_of, state_of, workers, zygotes

CYCLES = 20
WITHOUT = 4
"""How many of the leaks are tried by a model without the right to the token as well: it has nothing to leave."""

LEAKS = {
    "answers with it": "return [token, {token: token}]",
    "answers with its environment": "return dict(os.environ)",
    "raises it": "raise ValueError(token)",
    "raises it in a chain": "raise KeyError(token) from ValueError(token)",
    "names an error after it": "raise type(token, (Exception,), {})(token)",
    "prints it": "print(token)\nreturn 1",
    "prints it in two parts": "sys.stdout.write(token[:9])\nsys.stdout.write(token[9:])\nreturn 1",
    "streams it": "yield token\nyield token",
    "warns of it": "warnings.warn(token)\nreturn 1",
    "logs it": "logging.getLogger('hfreg').error(token)\nreturn 1",
    "says it and leaves": "os.write(2, token.encode())\nos._exit(1)",
    "says it and crashes": "os.write(1, token.encode())\nctypes.string_at(0)",
    "writes it down": "open('kept', 'w').write(token)\nreturn 1",
    "caches it": "cache['token'] = token\nreturn 1",
    "asks for a repository of that name": "transformers.pipeline(model='org/' + token)",
    "logs in with it": "huggingface_hub.login(token=token)\nreturn 1",
    "runs out of time with it": "print(token)\nwhile True: pass",
    "is not what was promised": "return token",
}
BEFORE = """\
import ctypes, logging, os, sys, warnings
import huggingface_hub, transformers
token = os.environ.get("HF_TOKEN") or "none"
"""


def cycles(world: World) -> dict[str, Any]:
    """Load, call and unload a model again and again."""
    registry = world.registry
    registry.register(hfreg.Definition(alias="cycled", scoring_logic="open('kept', 'w').write('x')\nreturn 1"))
    count = int(os.environ.get("ATTACK_CYCLES", CYCLES))
    states = []
    for number in range(count + 3):
        if number == 3:  # what is made once is made
            states.append(settled(world))
        assert registry.model("cycled")() == 1
        assert registry.unload("cycled") == 1
    return {"before": states[0], "after": settled(world), "cycles": count}


def settled(world: World) -> dict[str, Any]:
    """Wait until what goes in the background has gone, then count."""
    until = time.monotonic() + 5
    while len(workers(world)) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    gc.collect()
    (zygote,) = zygotes()
    open_there = len(list(Path(f"/proc/{zygote}/fd").iterdir()))
    return {**state_of(world), "zygote": open_there, "children": len(children_of(zygote))}


def canary(world: World) -> dict[str, Any]:
    """Have models leave the token wherever they can, then tell where it is."""
    registry = world.registry
    said: list[str] = []
    follow = lambda event: said.append(repr(event))  # noqa: E731
    for number, (name, logic) in enumerate(LEAKS.items()):
        for given in (True, False) if number < WITHOUT else (True,):
            definition = hfreg.Definition(
                alias=f"leak_{number}_{given}".lower(), name=name, scoring_logic=BEFORE + logic, token=given,
                limits=hfreg.Limits(time_s=1), store_payloads=True,
                output_type="Numerical" if "promised" in name else "Any",
            )  # fmt: skip
            registry.register(definition)
            run = registry.start(registry.get(definition.alias), [{}], on_event=follow)
            for outcome in run:
                said += [repr(outcome), str(outcome.error), repr(outcome.error), repr(outcome.value), outcome.stdout]
                said += [*outcome.warnings, *outcome.notes]
            said.append(registry.export(definition.alias))
    registry.events.flush()
    said += [repr(call) for call in registry.events.calls()]
    during = places(world)
    world.close()
    return {
        "told": sorted({text[:200] for text in said if world.token in text}),
        "count": len(said),
        "during": during,
        "after": places(world),
        "token": world.token,
    }


def places(world: World) -> list[str]:
    """List the files of the app that hold the token, in folders of workers too; where it is saved does not count."""
    found = []
    for folder, _, names in os.walk(world.folder):
        for name in names:
            path = Path(folder, name)
            if path.name != "huggingface_token" and path.is_file() and world.token.encode() in path.read_bytes():
                found.append(str(path.relative_to(world.folder)))
    return found
