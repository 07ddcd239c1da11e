"""Row table: rows as a table on a page, whatever is in their cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import streamlit as st

from hfreg.store.calls import csv_cell

LONGEST_CELL = 500


def table(rows: Sequence[Mapping[str, Any]], key: str, *, chosen: bool = False) -> list[int]:
    """Draw rows as they are: text stays text, containers are their JSON, nothing is a formula to a spreadsheet.

    With `chosen` rows can be selected; returns the places of those that are.
    """
    names = list(rows[0]) if rows else []
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    drawn = pa.table({str(csv_cell(name)): cells for name, cells in columns.items()})
    if not chosen:
        st.dataframe(drawn, hide_index=True, key=key)
        return []
    state = st.dataframe(drawn, hide_index=True, key=key, on_select="rerun", selection_mode="multi-row")
    places: list[int] = state["selection"]["rows"]
    return [place for place in places if place < len(rows)]


def _column(values: list[Any]) -> list[Any]:
    """Return cells of one kind: what is mixed becomes text."""
    cells = [json.dumps(v, ensure_ascii=False, default=str) if isinstance(v, (list, dict)) else v for v in values]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {bool} or (kinds <= {float, int} and not any(_is_huge(cell) for cell in cells)):
        return [float(cell) if float in kinds and cell is not None else cell for cell in cells]
    return [None if cell is None else str(csv_cell(_cut(str(cell)))) for cell in cells]


def _is_huge(cell: Any) -> bool:
    return isinstance(cell, int) and not -(2**53) < cell < 2**53  # beyond what a browser tells apart


def _cut(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
