"""Tables: every format as a stream of rows, and sentences for what is none."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hfreg.errors import TableError
from hfreg.tables import identify, open_table, text, unchanged

ROWS = [{"text": "good, really", "stars": 5}, {"text": 'a "quoted"\nline', "stars": None}, {"text": "bad", "stars": 1}]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def excel(folder: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "table.xlsx")
    return folder / "table.xlsx"


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), folder / "table.parquet")
    return folder / "table.parquet"


def rows(path: Path) -> list[Any]:
    return list(open_table(path).rows())


def refused(path: Path) -> str:
    with pytest.raises(TableError) as caught:
        open_table(path)
    return str(caught.value)


def test_delimited_text_gives_each_cell_as_text(tmp_path: Path) -> None:
    quoted = 'text,stars\n"good, really",5\n"a ""quoted""\nline",\n\nbad,1\n'
    expected = [{k: "" if v is None else str(v) for k, v in row.items()} for row in ROWS]
    assert rows(written(tmp_path, "table.csv", quoted)) == expected
    assert rows(written(tmp_path, "bom.csv", "\ufeff" + quoted.replace("\n", "\r\n"))) == [
        {**row, "text": row["text"].replace("\n", "\r\n")} for row in expected
    ]
    assert rows(written(tmp_path, "table.tsv", "text\tstars\ngood, really\t5\n"))[0] == expected[0]


def test_other_formats_keep_the_kind_of_a_value(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in ROWS)
    assert rows(written(tmp_path, "table.jsonl", lines + "\n\n")) == ROWS
    assert rows(parquet(tmp_path, {name: [row[name] for row in ROWS] for name in ROWS[0]})) == ROWS
    assert rows(excel(tmp_path, ["text", "stars", None], *[list(row.values()) for row in ROWS])) == ROWS


def test_nested_parquet_becomes_lists_and_dicts_and_bytes_are_told_as_unusable(tmp_path: Path) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            "labels": [["a", "b"]],
            "scores": pa.array([[("x", 1.5)]], pa.map_(pa.string(), pa.float64())),
            "inner": [{"at": at, "nothing": float("nan")}],
            "blob": [b"\x00"],
        },
    )
    table = open_table(path)
    assert dict(table.unusable) == {"blob": "binary"}
    assert list(table.rows()) == [{"labels": ["a", "b"], "scores": {"x": 1.5}, "inner": {"at": at, "nothing": None}}]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", "", "empty: it has no column"),
        ("empty.jsonl", "", "empty: it has no column"),
        ("numbers.csv", "1,2.5\n3,4\n", "no header: its first row is '1'"),
        ("twice.csv", "text,stars,text\na,1,b\n", "two columns `text`, the 1. and the 3."),
        ("unnamed.csv", "text,,stars\na,1,b\n", "column 2 has no name"),
        ("wide.csv", "text\n".encode("utf-16"), "UTF-16. Save it as UTF-8"),
        ("latin.csv", "größe\n1\n".encode("latin-1"), "line 1 is not UTF-8 (byte 0xf6 at 3)"),
        ("array.jsonl", '[{"text": 1}]', "line 1 is no JSON object"),
        ("table.parquet", "no parquet", "damaged or no Parquet file"),
        ("table.xlsx", "no zip", "damaged or no .xlsx file"),
        ("table.xls", "", "has to end in one of .csv"),
        ("table.txt", "text\na\n", "has to end in one of .csv"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path, name: str, content: Any, words: str) -> None:
    assert words in refused(written(tmp_path, name, content))


def test_a_file_that_is_missing_or_unpacks_to_a_bomb_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    assert "There is no file" in refused(tmp_path / "gone.csv")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as packed:
        packed.writestr("readme", "no sheet")
    assert "damaged or no .xlsx file" in refused(tmp_path / "other.xlsx")
    monkeypatch.setattr("hfreg.tables.excel.LARGEST", 10)
    assert "unpacks to" in refused(excel(tmp_path, ["text"]))


def test_a_row_that_cannot_be_read_stops_none_of_the_others(tmp_path: Path) -> None:
    found = rows(written(tmp_path, "table.csv", "text,stars\na,1\nb,2,3\n\xff,4\n".encode("latin-1") + b"c\nd,5,\n"))
    assert [row for row in found if isinstance(row, dict)] == [
        {"text": "a", "stars": "1"},
        {"text": "c", "stars": ""},
        {"text": "d", "stars": "5"},
    ]
    assert [str(row) for row in found if isinstance(row, TableError)] == [
        "Row 2 has 3 cells, but there are 2 columns.",
        "table.csv: line 4 is not UTF-8 (byte 0xff at 1). Save the table as UTF-8.",
    ]
    lines = '{"a": 1}\n{"a": NaN}\n{broken\n[1]\n{"a": 3}\n'
    assert [type(row) for row in rows(written(tmp_path, "t.jsonl", lines))] == [
        dict,
        dict,
        TableError,
        TableError,
        dict,
    ]


def test_a_later_key_of_json_lines_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(text, "LOOKED_AT", 1)
    found = rows(written(tmp_path, "t.jsonl", '{"a": 1, "b": 2}\n{"a": 1}\n{"a": 1, "c": 2}\n'))
    assert found[1] == {"a": 1, "b": None}
    assert "Row 3 has a key `c`" in str(found[2])


def test_one_endless_line_takes_no_memory(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(text, "LONGEST", 2**16)
    path = written(tmp_path, "long.csv", b"text\nfine\n" + b"x" * 2**23 + b"\nalso fine\n")
    tracemalloc.start()
    found = rows(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert [found[0], found[2]] == [{"text": "fine"}, {"text": "also fine"}]
    assert "line 3 is longer than" in str(found[1])


def test_a_quote_that_is_never_closed_ends_somewhere(tmp_path: Path) -> None:
    path = written(tmp_path, "open.csv", 'text,stars\n"never closed,1\nb,2\n')
    assert [type(row) for row in rows(path)] == [dict]


def test_cells_behind_the_last_column_of_a_sheet_and_empty_rows(tmp_path: Path) -> None:
    found = rows(excel(tmp_path, ["text", "on"], ["a", datetime(2026, 1, 2)], [None, None], ["b", True, "more"]))
    assert found[0] == {"text": "a", "on": datetime(2026, 1, 2)}
    assert len(found) == 2
    assert "cell behind the last of 2 columns" in str(found[1])


def test_a_file_is_the_same_while_its_content_is(tmp_path: Path) -> None:
    path = written(tmp_path, "table.csv", "text\na\n")
    known = identify(path)
    path.touch()
    assert unchanged(known)
    written(tmp_path, "table.csv", "text\nb\n")
    assert not unchanged(known)
    path.unlink()
    assert not unchanged(known)
