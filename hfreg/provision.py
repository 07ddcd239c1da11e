"""Provision: what the registry gives an engine on behalf of one version.

Files of pinned commits with their progress, the token where the definition asks for it, and other
registered models. It implements `hfreg.engine.Platform`; an engine knows nothing else of the platform.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfreg.engine import Event, OnEvent
from hfreg.errors import LifecycleError, UnknownModel, UnsafeFolder
from hfreg.lifecycle import State
from hfreg.recording import calling_user
from hfreg.settings import STARTERS
from hfreg.version import Pin, Source, Version, called_by

if TYPE_CHECKING:
    from hfreg.hub.flight import Progress
    from hfreg.hub.provenance import PinnedResolver
    from hfreg.registry import Registry


class Provision:
    """The platform as an engine sees it, over one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def resolver(self, version: Version, on_event: OnEvent, cancel: threading.Event) -> PinnedResolver:
        """Return the Resolver that knows the pins of this version and adds what it resolves to them."""
        from hfreg.licensed import LicensedResolver

        def on_pin(pin: Pin) -> None:
            if version.number:  # what Test Code runs is not saved, and neither are its pins
                self._registry.definitions.add_pin(version.alias, version.number, pin)

        def on_record(source: Source) -> None:
            if version.number:
                with suppress(LifecycleError, UnknownModel):  # approved or deleted while it loads
                    self._registry.definitions.add_source(version.alias, version.number, source)

        def on_progress(progress: Progress) -> None:
            data = {"repo": progress.repo, "file": progress.file, "done": progress.done, "total": progress.total}
            on_event(Event("download", data))

        def admit(repo: str, commit: str) -> None:
            self._registry.licensing.admit(version.definition, repo, commit)

        return LicensedResolver(
            self._registry.fetcher,
            version.pins,
            starters=STARTERS,
            frozen=version.state is State.APPROVED,
            pickles=version.definition.pickled_weights,
            on_pin=on_pin,
            sources=version.sources,
            on_record=on_record,
            on_progress=on_progress,
            cancel=cancel,
            admit=admit,
        )

    def folder(self, version: Version) -> Path:
        """Return the uploaded folder that the definition names; raises StoreError when it is not what was uploaded."""
        folder = self._registry.folders.get(version.definition.folder)
        if folder.pickles and not version.definition.pickled_weights:
            raise UnsafeFolder(
                f"The model folder of {version.alias} holds pickles ({folder.pickles[0]}), and its definition does not "
                "allow pickled weights."
            )
        self._registry.licensing.admit_folder(version.definition, folder.path)
        return folder.path

    def environment(self, version: Version) -> Mapping[str, str]:
        """Return the token's variables when the definition asks for the token, else nothing."""
        from hfreg.hub import token

        return token.environment(self._registry.token()) if version.definition.token else {}

    def weight_bytes(self, version: Version) -> int:
        """Return the bytes of the pinned weights that are on this disk; 0 when nothing is known."""
        from hfreg.hub.provenance import weight_bytes

        saved = self._registry.definitions.find(version.alias, version.number) if version.number else None
        folder = self._registry.folders.find(version.definition.folder)
        pinned = weight_bytes((saved or version).pins, self._registry.fetcher, STARTERS)
        return pinned + (folder.size if folder else 0)

    def resources(self, version: Version) -> tuple[Version, ...]:
        """Return every version that a call of this one may run besides itself, as they stand now."""
        return called_by(version, self._registry.get)

    def call(self, caller: Version, alias: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call another registered model as scoring logic would, and return its value."""
        registry = self._registry
        user = calling_user()
        return registry.call(registry.get(alias), positional, named, source="resource", user=user).result()
