"""Licensed: a resolver that gives out files only when the licence policy lets them be loaded.

What is resolved and pinned is the matter of `hfreg.hub.provenance`, what the policy says of `hfreg.licensing`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hfreg.hub.provenance import PinnedResolver

Admit = Callable[[str, str], None]


class LicensedResolver(PinnedResolver):
    """A PinnedResolver that asks `admit(repo, commit)`, which may raise, before it gives out a folder."""

    def __init__(self, *given: Any, admit: Admit, **options: Any) -> None:
        super().__init__(*given, **options)
        self._admit = admit

    def resolve(self, repo: str, revision: str | None = None) -> Path:
        """Return the folder of the pinned commit; raises what `admit` raises, and what PinnedResolver does."""
        folder = super().resolve(repo, revision)
        self._admit(str(repo), self.pins.get(str(repo), ""))  # a folder of this machine has no commit
        return folder
