"""Form draft: what one person has typed into the form of a model, as a plain dict that JSON can hold.

Covers the way from a Definition to the form and back, and the rows of arguments with ids of their own. A draft
may say anything: what is wrong with it is said by the registry. Knows nothing of Streamlit and keeps nothing.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from hfreg import types
from hfreg.argument import Argument
from hfreg.argument_limits import FIELDS as LIMIT_FIELDS
from hfreg.argument_limits import Written
from hfreg.definition import Definition, Limits
from hfreg.endpoint import Endpoint
from hfreg.errors import DefinitionError, TypeNotationError
from hfreg.input_types import OWN_FIELDS
from hfreg.options import Options
from hfreg.templates import BLANK
from hfreg.ui.form_words import LABELS
from hfreg.values import Finding
from hfreg.version import Version


class Row(TypedDict):
    """One argument as typed; `id` keeps its widgets apart from those of its neighbours when it moves."""

    id: int
    alias: str
    type: str
    optional: bool
    default: str
    usage: str
    minimum: str
    maximum: str
    choices: list[str]
    max_length: str


class Draft(TypedDict):
    """One form. `target` is the alias that is edited, empty for a new model; `rev` grows when we change the code.

    `saved` is the form as last saved or begun, so that a change can be told; `counter` is that of the autosave.
    """

    key: str
    target: str
    number: int
    snapshot: int | None
    rev: int
    counter: int
    fields: dict[str, Any]
    rows: list[Row]
    rows_made: int
    note: str
    test_call: str | None
    tried: bool
    saved: dict[str, Any]


FIELDS = tuple(name for name in Definition.model_fields if name not in {"arguments", "limits", "endpoint", "options"})
LIMITS = tuple(Limits.model_fields)
OPTIONS = tuple(Options.model_fields)
ENDPOINT = {f"endpoint_{name}": name for name in Endpoint.model_fields}
"""The fields of the form that make the endpoint, and those of the endpoint that they are."""


def new(definition: Definition) -> Draft:
    """Begin a model that is not registered yet, with what a definition says."""
    return _draft(f"new-{uuid.uuid4().hex[:12]}", definition)


def edit(version: Version) -> Draft:
    """Open the Draft version of a registered model."""
    draft = _draft(edit_key(version.alias), version.definition)
    draft["target"], draft["number"], draft["snapshot"] = version.alias, version.number, version.snapshot
    return draft


def restore(data: Mapping[str, Any]) -> Draft | None:
    """Return a draft as it was autosaved, or None when no form can be made of it."""
    draft = _draft("", BLANK)
    try:
        draft["fields"].update({k: v for k, v in data["fields"].items() if k in draft["fields"]})
        draft.update({k: data[k] for k in data if k in Draft.__annotations__ and k != "fields"})  # type: ignore[typeddict-item]
        draft["rows"] = [_complete(row) for row in draft["rows"]]
        saved = draft["saved"]
        rows = [_complete(row) for row in saved.get("rows", ())]
        draft["saved"] = {**saved, "fields": {**_fields(BLANK), **saved.get("fields", {})}, "rows": rows}
        definition(draft)
    except (DefinitionError, KeyError, TypeError, AttributeError):
        return None
    return draft


def edit_key(alias: str) -> str:
    """Return the key under which the edits of a registered model are autosaved."""
    return f"edit-{alias}"


def is_new(draft: Draft) -> bool:
    """Say whether the form is that of a model that is not registered yet."""
    return not draft["target"]


def changed(draft: Draft) -> bool:
    """Say whether the form differs from what was saved or begun."""
    return content(draft) != draft["saved"]


def content(draft: Draft) -> dict[str, Any]:
    """Return what the form says of the model, without what belongs to the form alone."""
    rows = [{k: v for k, v in row.items() if k != "id"} for row in draft["rows"]]
    return copy.deepcopy({"fields": draft["fields"], "rows": rows})


def fill(draft: Draft, definition: Definition) -> None:
    """Replace what the form says by another definition; whose form it is stays."""
    draft["fields"], draft["rows"] = _fields(definition), _rows(definition.arguments, draft["rows_made"] + 1)
    draft["rows_made"] += len(draft["rows"])
    draft["test_call"] = None
    draft["rev"] += 1


def definition(draft: Draft) -> Definition:
    """Return what the form says, as a Definition; spaces around names are dropped."""
    fields = dict(draft["fields"])
    limits = Limits(**{name: fields.pop(name) for name in LIMITS})
    options = Options(**{name: fields.pop(name) for name in OPTIONS})
    given = {name: fields.pop(field) for field, name in ENDPOINT.items()}
    endpoint = Endpoint(**{name: value for name, value in given.items() if value is not None})
    kind = fields["input_type"]
    fields.update({name: "" for name, owner in OWN_FIELDS.items() if name in fields and kind != owner})
    fields["alias"] = fields["alias"].strip()
    arguments = [
        Argument(
            row["alias"].strip(),
            row["type"].strip(),
            optional=row["optional"],
            default=row["default"] or None,
            usage=row["usage"],
            minimum=row["minimum"],
            maximum=row["maximum"],
            choices=row["choices"],
            max_length=row["max_length"],
        )
        for row in draft["rows"]
    ]
    return Definition(
        **fields,
        limits=limits,
        arguments=arguments,
        options=options,
        endpoint=endpoint if kind == OWN_FIELDS["endpoint"] else None,
    )


def completed(text: str, known: Iterable[str]) -> str:
    """Complete the beginning of a known type (`num` → `Numerical`); what is a type already, or none, stays."""
    near = [one for one in known if text and one.lower().startswith(text.lower())]
    try:
        types.parse(text)
    except TypeNotationError:
        return near[0] if near else text
    return text


def add_row(draft: Draft) -> Row:
    """Add an empty argument at the end."""
    draft["rows_made"] += 1
    row = _row(draft["rows_made"], Argument(""))
    draft["rows"].append(row)
    return row


def take_row(draft: Draft, row_id: int) -> tuple[int, Row]:
    """Take an argument out and return its place with it."""
    place = place_of(draft, row_id)
    return place, draft["rows"].pop(place)


def put_row(draft: Draft, place: int, row: Row) -> None:
    """Put an argument back to its place, or to the end when there are fewer by now."""
    draft["rows"].insert(place, row)


def move_row(draft: Draft, row_id: int, by: int) -> None:
    """Move an argument up (-1) or down (1); at the edge it stays."""
    rows, place = draft["rows"], place_of(draft, row_id)
    rows.insert(max(0, place + by), rows.pop(place))


def place_of(draft: Draft, row_id: int) -> int:
    """Return where an argument stands; raises StopIteration when it is gone."""
    return next(i for i, row in enumerate(draft["rows"]) if row["id"] == row_id)


def field_of(field: str) -> str:
    """Return the field of the form that a finding's is: `endpoint.task` is `endpoint_task`, `options.dtype` `dtype`."""
    return field.replace("endpoint.", "endpoint_", 1).removeprefix("options.")


def place_name(field: str, draft: Draft) -> str:
    """Return the name of a finding's field as the screen shows it: `Arguments · threshold · Default Value`."""
    head, _, rest = field.partition(".")
    if head.startswith("arguments[") and head[10:-1].isdigit():
        place = int(head[10:-1])
        row = draft["rows"][place]["alias"] if place < len(draft["rows"]) else ""
        return " · ".join(filter(None, ("Arguments", row or f"row {place + 1}", LABELS.get(rest, rest))))
    if rest:
        return f"{LABELS.get(head, head)} · {LABELS.get(rest, rest)}"
    return LABELS.get(head.partition("[")[0], head)


def taken(draft: Draft, alias: str, known: Iterable[str]) -> list[Finding]:
    """List that the alias belongs to another model, case aside, if it does."""
    other = next((k for k in known if k.casefold() == alias.casefold() and k != draft["target"]), None)
    if other is None or not alias:
        return []
    return [Finding("error", "alias", None, f"The alias `{other}` is taken. Choose another, or edit that model.")]


def _draft(key: str, definition: Definition) -> Draft:
    draft = Draft(
        key=key,
        target="",
        number=0,
        snapshot=None,
        rev=0,
        counter=0,
        fields=_fields(definition),
        rows=_rows(definition.arguments, 1),
        rows_made=len(definition.arguments),
        note="",
        test_call=None,
        tried=False,
        saved={},
    )
    draft["saved"] = content(draft)
    return draft


def _fields(definition: Definition) -> dict[str, Any]:
    unsaid = {"initialization_logic": "", "folder": "", "licence_reason": ""}  # left out where not used
    plain = {**unsaid, **definition.model_dump(mode="json", include={*FIELDS, "limits"})}
    endpoint = (definition.endpoint or Endpoint()).model_dump(mode="json")
    return {
        **{name: plain[name] for name in FIELDS},
        **plain["limits"],
        **definition.options.model_dump(mode="json"),
        **{field: endpoint[name] for field, name in ENDPOINT.items()},
    }


def _rows(arguments: Iterable[Argument], first: int) -> list[Row]:
    return [_row(n, a) for n, a in enumerate(arguments, first)]


def _row(number: int, a: Argument) -> Row:
    return Row(
        id=number,
        alias=a.alias,
        type=a.type,
        optional=a.optional,
        default=a.default or "",
        usage=a.usage,
        minimum=_typed(a.minimum),
        maximum=_typed(a.maximum),
        choices=[_typed(choice) for choice in a.choices],
        max_length=_typed(a.max_length),
    )


def _complete(row: Any) -> Any:
    """Return a row as it is now, of one that may have been autosaved before arguments had limits."""
    return {**_NO_LIMITS, **row}


def _typed(limit: Written) -> str:
    return "" if limit is None else str(limit)


_NO_LIMITS: dict[str, Any] = {k: v for k, v in _row(0, Argument("")).items() if k in LIMIT_FIELDS}
