"""Policies: what the house has decided, kept under the home; today which licences may be used.

Every save is a document of its own with who and when, and the newest holds; so what was decided before can be looked
up. What a verdict means is the matter of `hfreg.licences`, holding models to it the registry's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hfreg.errors import SettingsError, StoreCorrupt
from hfreg.licences import POLICY, Policy
from hfreg.store.storage import AtomicStorage

LICENCES = "licences"


@dataclass(frozen=True, slots=True)
class Decided:
    """A licence policy, and by whom and when it was decided; by nobody, it is the delivered one."""

    policy: Policy
    by: str = ""
    at: datetime | None = None


class Policies:
    """The policies of one home."""

    def __init__(self, path: Path) -> None:
        self._storage = AtomicStorage(path, (LICENCES,))

    def licences(self) -> Decided:
        """Return the licence policy that holds; raises StoreCorrupt for one that cannot be read."""
        kept = self._storage.content().tables.get(LICENCES, {})
        return self._read(kept[max(kept, key=int)]) if kept else Decided(POLICY)

    def earlier(self) -> list[Decided]:
        """List every licence policy that was decided, the newest first."""
        kept = self._storage.content().tables.get(LICENCES, {})
        return [self._read(kept[number]) for number in sorted(kept, key=int, reverse=True)]

    def decide(self, policy: Policy, by: str) -> Decided:
        """Keep another licence policy; raises StoreError when it cannot be written."""
        decided = Decided(policy, by, datetime.now(UTC))
        with self._storage.transaction() as database:
            database.table(LICENCES).insert(
                {"rules": dict(policy.rules), "by": by, "at": decided.at.isoformat() if decided.at else ""}
            )
        return decided

    def _read(self, document: dict[str, Any]) -> Decided:
        try:
            return Decided(Policy(document["rules"]), document["by"], datetime.fromisoformat(document["at"]))
        except (KeyError, TypeError, ValueError, AttributeError, SettingsError):
            raise StoreCorrupt(
                f"The licence policy in {self._storage.path} cannot be read. Restore that file, or delete it to begin "
                "with the delivered policy."
            ) from None
