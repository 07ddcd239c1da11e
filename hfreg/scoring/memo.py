"""Memo: what load-once keeps of one loaded model, and under which key.

Two kinds of key: an *object* key is everything that changes what a load returns (the callable, the pinned
folder and every keyword argument); a *weights* key leaves out what only changes how the weights are used
(`top_k`, `max_length`), so that two pipelines over one checkpoint hold its weights once. A key never holds
a token. Arguments that are no plain values have no key, and such a load is not kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

Key = Hashable

TOKEN_ARGUMENTS = frozenset({"token", "use_auth_token", "api_key"})
PARTS = ("model", "tokenizer", "feature_extractor", "image_processor", "video_processor", "processor")


class NotPlain(Exception):
    """An argument has no key; the message names it."""


class Memo:
    """Loaded objects by key. One lock: a second asker waits for the first load rather than load again.

    `on_new` hears of each object that is kept.
    """

    def __init__(self) -> None:
        self._objects: dict[Key, Any] = {}
        self._names: dict[int, str] = {}
        self.on_new: Callable[[Any], None] | None = None
        self._lock = threading.RLock()

    def find(self, key: Key) -> Any | None:
        """Return what was loaded under this key, or None."""
        return self._objects.get(key)

    def get_or_load(self, key: Key, load: Callable[[], Any]) -> Any:
        """Return what was loaded under this key, loading it first when nobody has."""
        with self._lock:
            if (value := self._objects.get(key)) is None:
                value = load()
                self._objects[key] = value
                self._name(value)
                if self.on_new is not None:
                    self.on_new(value)
            return value

    def clear(self) -> None:
        """Forget everything, so that memory can return."""
        self._objects.clear()
        self._names.clear()

    def values(self) -> list[Any]:
        """Return what was loaded."""
        return list(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def key(self, name: str, positional: tuple[Any, ...], named: Mapping[str, Any]) -> Key:
        """Return the object key of a load; raises NotPlain naming the argument that has none."""
        return (
            name,
            tuple(self.plain(f"argument {i + 1}", v) for i, v in enumerate(positional)),
            tuple((n, self.plain(n, named[n])) for n in sorted(named) if n not in TOKEN_ARGUMENTS),
        )

    def plain(self, name: str, value: Any) -> Hashable:
        """Return a hashable stand-in for a value; raises NotPlain."""
        if value is None or isinstance(value, (str, int, float, bool)):
            return (type(value).__name__, value)
        # A configuration is what it says now, also one that was loaded here: it may have been changed since.
        if hasattr(value, "to_dict") and not isinstance(value, type) and not hasattr(value, "parameters"):
            return (type(value).__module__, type(value).__qualname__, self.plain(name, value.to_dict()))
        if known := self._names.get(id(value)):
            return ("loaded", known)
        if isinstance(value, (list, tuple)):
            return (type(value).__name__, *(self.plain(name, v) for v in value))
        if isinstance(value, Mapping):
            items = sorted(((str(k), self.plain(name, v)) for k, v in value.items()), key=lambda item: item[0])
            return ("dict", *items)
        if type(value).__module__ == "torch" and type(value).__name__ in {"dtype", "device"}:
            return (type(value).__name__, str(value))
        raise NotPlain(f"`{name}` is a {type(value).__qualname__}")

    def memory_bytes(self) -> int:
        """Measure what the loaded weights take: parameters and buffers, each storage counted once."""
        sizes: dict[int, int] = {}
        for module in self._modules():
            for tensor in (*module.parameters(), *module.buffers()):
                sizes[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return sum(sizes.values())

    def _modules(self) -> Iterator[Any]:
        for value in self.values():
            for candidate in (value, getattr(value, "model", None)):
                if hasattr(candidate, "parameters") and hasattr(candidate, "buffers"):
                    yield candidate

    def _name(self, value: Any) -> None:
        # What was loaded here counts as plain in later keys: pipeline(model=model, tokenizer=tokenizer).
        # The objects live as long as this memo, so their ids are not used again.
        serial = len(self._names)
        self._names.setdefault(id(value), f"#{serial}")
        for part in PARTS:
            if (held := getattr(value, part, None)) is not None and not callable(getattr(value, "parameters", None)):
                self._names.setdefault(id(held), f"#{serial}.{part}")
