"""Comparisons: what was saved of simulations beside each other, a small JSON file each under the home.

A file is written as a whole or not at all. One that cannot be read is told when it is opened, and passed over in the
list, so that it takes no other with it. What is compared, and how, is the registry's matter.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import TypeAdapter

from hfreg.errors import EvaluationError, StoreCorrupt
from hfreg.metrics.run_comparison import RunComparison
from hfreg.store.files import write_atomically

_ID = re.compile(r"[0-9A-Za-z]{8,40}")


class Comparisons:
    """The saved comparisons of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._form = TypeAdapter(RunComparison)

    def all(self) -> list[RunComparison]:
        """List what was saved, the newest first."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(self._read(path))
            except (EvaluationError, StoreCorrupt):
                continue
        return sorted(found, key=lambda one: one.at, reverse=True)

    def get(self, comparison_id: str) -> RunComparison:
        """Return one; raises EvaluationError when there is none, StoreCorrupt when it cannot be read."""
        return self._read(self._path(comparison_id))

    def keep(self, comparison: RunComparison) -> None:
        """Keep one in the place of what has its id."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(comparison.id)
        write_atomically(
            path, json.dumps(comparison.as_json(), ensure_ascii=False, default=str).encode("utf-8", "replace")
        )

    def delete(self, comparison_id: str) -> RunComparison:
        """Delete one and return it; raises EvaluationError when there is none."""
        found = self.get(comparison_id)
        self._path(comparison_id).unlink(missing_ok=True)
        return found

    def _path(self, comparison_id: str) -> Path:
        if not _ID.fullmatch(comparison_id):
            raise EvaluationError(f"`{comparison_id[:60]}` is no id of a comparison.")
        return self._folder / f"{comparison_id}.json"

    def _read(self, path: Path) -> RunComparison:
        try:
            return self._form.validate_json(path.read_bytes())
        except FileNotFoundError:
            raise EvaluationError(f"There is no saved comparison `{path.stem}` in this home.") from None
        except (OSError, ValueError) as error:
            raise StoreCorrupt(f"{path} of a comparison cannot be read: {str(error)[:200]}.") from error
