"""Tally: what loading says of one run of scoring logic — its warnings, its notes, the time that loading took."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """One run's share of what `hfreg.scoring.libraries` does; `depth` counts loads within loads."""

    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load_seconds: float = 0.0
    loading_since: float | None = None
    depth: int = 0
