"""Values: what every frozen object of the product is built on, and Finding, which names what is wrong with one.

`Frozen` turns pydantic's validation errors into DefinitionError sentences. It holds no rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hfreg.errors import DefinitionError, did_you_mean

Level = Literal["error", "warning", "hint"]


class Frozen(BaseModel):
    """Base of the product's values: immutable, strict about unknown fields, errors in our words."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise DefinitionError(_sentence(type(self), error)) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a new value with some fields changed: checked again, and with nothing cached from the old one."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **(update or {})})


class Finding(Frozen):
    """One thing that `check` has to say; an `error` blocks registering."""

    level: Level
    field: str
    line: int | None
    message: str

    def __init__(self, level: Level, field: str, line: int | None, message: str) -> None:
        super().__init__(level=level, field=field, line=line, message=message)

    def __str__(self) -> str:
        place = self.field if self.line is None else f"{self.field}, line {self.line}"
        return f"{self.level}: {place}: {self.message}"


def _sentence(cls: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or cls.__name__
    if first["type"] == "extra_forbidden":
        return f"{cls.__name__} has no field `{field}`.{did_you_mean(field, cls.model_fields)}"
    return f"{cls.__name__}.{field}: {first['msg']} (got {first['input']!r:.60})."
