"""A stand-in for a class is that class to whatever Python asks, but for what was exchanged."""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from typing import Any

from hfreg.scoring.proxies import class_proxy, real_class

told: list[str] = []


class Base:
    """A class that hears of its subclasses, as models of transformers do."""

    def __init_subclass__(cls) -> None:
        told.append(cls.__name__)


class Real(Base):
    """The real one."""

    __match_args__ = ("size",)

    def __init__(self, size: int = 1) -> None:
        self.size = size

    @classmethod
    def from_pretrained(cls, name: str) -> Real:
        return cls(len(name))

    @classmethod
    def itself(cls) -> type:
        return cls


def proxy() -> Any:
    return class_proxy(Real, {"from_pretrained": lambda name: ("exchanged", name)})


def test_a_class_pattern_takes_it_and_matches_the_real_instances() -> None:
    seen, other = proxy(), class_proxy(Base, {})
    match Real(5):
        case seen(4):
            found = "four"
        case seen(size=5):
            found = "five"
    assert found == "five"
    match Base():
        case seen():
            found = "real"
        case other():
            found = "base"
    assert found == "base"


def test_it_has_the_attributes_of_the_class_and_those_exchanged() -> None:
    seen = proxy()
    assert seen.from_pretrained("abc") == ("exchanged", "abc") and Real.from_pretrained("abc").size == 3
    assert seen.itself() is Real and seen.__mro__ == Real.__mro__ and dir(seen) == dir(Real)
    assert (seen.__name__, seen.__module__, seen.__doc__) == ("Real", __name__, "The real one.")
    assert repr(seen) == repr(Real) and str(inspect.signature(seen)) == str(inspect.signature(Real))
    seen.extra = 1
    assert Real.extra == 1  # type: ignore[attr-defined]
    del seen.extra
    assert not hasattr(Real, "extra") and not hasattr(seen, "extra")


def test_it_is_equal_to_the_class_and_makes_its_instances() -> None:
    seen = proxy()
    assert seen == Real and Real == seen and {Real: 1}[seen] == 1 and real_class(seen) is Real
    assert type(seen(3)) is Real and seen(3).size == 3
    assert copy.deepcopy(seen) is seen
    assert (seen | None) == (Real | None) == (None | seen)
    assert class_proxy(Real, {}, lambda size: size + 1)(1) == 2


def test_it_stands_among_the_classes_where_the_real_one_does() -> None:
    seen = proxy()
    assert isinstance(Real(), seen) and not isinstance(Base(), seen) and isinstance(seen, type)
    assert issubclass(Real, seen) and issubclass(seen, Real) and issubclass(seen, Base)
    assert issubclass(seen, class_proxy(Base, {})) and not issubclass(Base, seen)
    assert not issubclass(seen, dict) and issubclass(class_proxy(Mapped, {}), class_proxy(dict, {}))


def test_a_class_statement_makes_a_subclass_of_the_real_one() -> None:
    class Abstract(ABC):
        @abstractmethod
        def act(self) -> None: ...

    class Mine(proxy(), Abstract):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(7)

        def act(self) -> None: ...

    assert Mine.__mro__[:3] == (Mine, Real, Base) and Mine().size == 7
    assert Mine.from_pretrained.__func__ is Real.from_pretrained.__func__  # type: ignore[attr-defined]


class Mapped(dict[str, int]):
    """A class whose instances Python lays out otherwise."""


def test_the_real_class_does_not_hear_of_it() -> None:
    told.clear()
    subclasses = Real.__subclasses__()
    proxy()
    assert told == [] and Real.__subclasses__() == subclasses
