"""Retrains every starter: `python -m training.train [--out DIR] [--only NAME …] [--scale 1.0]`.

Covers: seeds, steps, and folders. Does not cover: the held-out evaluation (`python -m training.evaluate`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from training import build

SEED = 20
ROOT = Path(__file__).resolve().parent.parent
STARTERS = ROOT / "data" / "starter"
STEPS = {
    "starter-sentiment": 6000,
    "starter-prompt-guard": 900,
    "starter-embedder": 1000,
    "starter-generator": 1400,
}


def retrain(
    out: Path, only: Iterable[str] = (), scale: float = 1.0, threads: int = 1, seed: int = SEED
) -> dict[str, float]:
    """Train the starters into `out` and return the last training loss of each; `scale` shortens the training."""
    chosen = set(only) or set(STEPS)
    trainers: dict[str, Callable[[Path, int], float]] = {
        "starter-sentiment": lambda f, n: build.build_sentiment(f, n, seed, threads),
        "starter-prompt-guard": lambda f, n: build.build_guard(f, n, seed, threads),
        "starter-embedder": lambda f, n: build.build_embedder(f, n, seed, threads),
        "starter-generator": lambda f, n: build.build_generator(f, n, seed, threads),
    }
    losses = {}
    for name, trainer in trainers.items():
        if name in chosen:
            start = time.perf_counter()
            losses[name] = trainer(out / name, max(1, round(STEPS[name] * scale)))
            print(f"{name}: loss {losses[name]:.3f} after {time.perf_counter() - start:.0f} s", flush=True)
    return losses


def main() -> None:
    """Read the command line and retrain."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description="Retrain the starter models.")
    parser.add_argument("--out", type=Path, default=STARTERS, help="folder to write to (default: data/starter)")
    parser.add_argument("--only", nargs="*", default=(), choices=sorted(STEPS), help="train only these")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of steps")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    options = parser.parse_args()
    retrain(options.out, options.only, options.scale, options.threads)


if __name__ == "__main__":
    main()
