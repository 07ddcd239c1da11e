"""Proxies: stand-ins for modules and classes, so that a name can mean something else to one function only.

Load-once never patches a library: other code in the process keeps the real one. A ModuleProxy hands out
the real module's attributes except for those that a `Replace` callback exchanges; a ClassProxy looks and
tests like its class (`isinstance`, `match`, subclassing, attributes) but gives its own `from_pretrained`, or
is itself called in place of the class. Pure Python: nothing here knows transformers.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType, new_class
from typing import Any

Read = Callable[[ModuleType, str], Any]
"""(real module, attribute) -> its value, which may have to be imported first."""
Replace = Callable[[str, str, Any], Any]
"""(module name, attribute, real value) -> the value to hand out."""


class ModuleProxy(ModuleType):
    """A module as one function sees it; attributes are exchanged once and then cached here."""

    def __init__(self, name: str, read: Read, replace: Replace) -> None:
        super().__init__(name)
        self.__dict__["__hfreg_read__"] = read
        self.__dict__["__hfreg_replace__"] = replace

    def __getattr__(self, attribute: str) -> Any:
        # Looked up by name each time: transformers swaps itself in sys.modules on the first deep import.
        value = self.__dict__["__hfreg_read__"](sys.modules[self.__name__], attribute)
        if attribute.startswith("__"):
            return value
        value = self.__dict__["__hfreg_replace__"](self.__name__, attribute, value)
        self.__dict__[attribute] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(sys.modules[self.__name__])

    def __repr__(self) -> str:
        return repr(sys.modules[self.__name__])


class ClassProxy(ABCMeta):
    """A class as one function sees it, with some attributes or the call exchanged; `class_proxy` makes one.

    It is a class, because `case BertModel():` takes nothing else, and its own metaclass, so that whatever is asked of
    it is asked of the real one. ABCMeta is the base because a subclass may have an abstract class beside it.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **given: Any) -> Any:
        """Make what a `class` statement with a proxy among its bases means: a subclass of the real one."""
        return new_class(name, tuple(real_class(base) for base in bases), given, lambda made: made.update(body))

    def mro(cls) -> list[type]:
        """Return what is above it to `issubclass`."""
        real = _own(cls).get("__wrapped__")
        return [cls, *real.__mro__] if real else [cls, *_Plain.__mro__]

    def __getattribute__(cls, attribute: str) -> Any:
        exchanged: dict[str, Any] = _own(cls)["__hfreg_attributes__"]
        return exchanged[attribute] if attribute in exchanged else getattr(_own(cls)["__wrapped__"], attribute)

    def __setattr__(cls, attribute: str, value: Any) -> None:
        setattr(cls.__wrapped__, attribute, value)

    def __delattr__(cls, attribute: str) -> None:
        delattr(cls.__wrapped__, attribute)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.__hfreg_call__(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__wrapped__)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(real_class(subclass), cls.__wrapped__)

    def __or__(cls, other: Any) -> Any:
        return cls.__wrapped__ | real_class(other)

    def __ror__(cls, other: Any) -> Any:
        return other | cls.__wrapped__

    def __eq__(cls, other: object) -> bool:
        return cls.__wrapped__ is real_class(other)

    def __hash__(cls) -> int:
        return hash(cls.__wrapped__)

    def __dir__(cls) -> list[str]:
        return dir(cls.__wrapped__)

    def __repr__(cls) -> str:
        return repr(cls.__wrapped__)


class _Plain:
    """What a proxy is made from."""


_own = type.__dict__["__dict__"].__get__
_set_bases = type.__dict__["__bases__"].__set__


def class_proxy(real: type, attributes: dict[str, Any], call: Callable[..., Any] | None = None) -> Any:
    """Return a stand-in for a class that gives these attributes, and calls `call` in place of the class."""
    own = {**attributes, "__wrapped__": real, "__hfreg_call__": call or real}
    made = type.__new__(ClassProxy, real.__name__, (_Plain,), {"__hfreg_attributes__": own})
    type.__setattr__(made, "__wrapped__", real)
    with suppress(TypeError):  # of a class over dict, say, it cannot be a subclass
        # Python asks for the order of the bases again only when they are set. Before, it would have told the real class
        # that it has a subclass (`__init_subclass__`), which some of transformers take for a new model.
        _set_bases(made, (_Plain,))
    return made


def real_class(given: Any) -> Any:
    """Return the class that a proxy stands for, and anything else as it is."""
    return given.__wrapped__ if type(given) is ClassProxy else given
