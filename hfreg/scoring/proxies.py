"""Proxies: stand-ins for modules and classes, so that a name can mean something else to one function only.

Load-once never patches a library: other code in the process keeps the real one. A ModuleProxy hands out
the real module's attributes except for those that a `Replace` callback exchanges; a ClassProxy looks and
tests like its class (`isinstance`, subclassing, attributes) but gives its own `from_pretrained`, or is
itself called in place of the class. Pure Python: nothing here knows transformers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Replace = Callable[[str, str, Any], Any]
"""(module name, attribute, real value) -> the value to hand out."""


class ModuleProxy(ModuleType):
    """A module as one function sees it; attributes are exchanged once and then cached here."""

    def __init__(self, name: str, replace: Replace) -> None:
        super().__init__(name)
        self.__dict__["__hfreg_replace__"] = replace

    def __getattr__(self, attribute: str) -> Any:
        # Looked up by name each time: transformers swaps itself in sys.modules on the first deep import.
        value = getattr(sys.modules[self.__name__], attribute)
        if attribute.startswith("__"):
            return value
        value = self.__dict__["__hfreg_replace__"](self.__name__, attribute, value)
        self.__dict__[attribute] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(sys.modules[self.__name__])

    def __repr__(self) -> str:
        return repr(sys.modules[self.__name__])


class ClassProxy:
    """A class as one function sees it, with some attributes or the call exchanged."""

    def __init__(self, real: type, attributes: dict[str, Any], call: Callable[..., Any] | None = None) -> None:
        self.__dict__.update(attributes)
        self.__dict__["__wrapped__"] = real
        self.__dict__["__hfreg_call__"] = call or real
        self.__dict__["__doc__"] = real.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__["__hfreg_call__"](*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(self.__dict__["__wrapped__"], attribute, value)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self.__dict__["__wrapped__"])

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(getattr(subclass, "__wrapped__", subclass), self.__dict__["__wrapped__"])

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.__dict__["__wrapped__"],)

    def __or__(self, other: Any) -> Any:
        return self.__dict__["__wrapped__"] | getattr(other, "__wrapped__", other)

    def __ror__(self, other: Any) -> Any:
        return other | self.__dict__["__wrapped__"]

    def __eq__(self, other: object) -> bool:
        return self.__dict__["__wrapped__"] is getattr(other, "__wrapped__", other)

    def __hash__(self) -> int:
        return hash(self.__dict__["__wrapped__"])

    def __repr__(self) -> str:
        return repr(self.__dict__["__wrapped__"])
