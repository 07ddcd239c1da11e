"""The Usage page: that its numbers agree, what its address means, how rows narrow it, one call, the CSV.

Drawing a period, clicking rows and the dialog itself are in tests/browser/test_usage.py.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg.metrics import STATUSES, Bin, Bucket
from hfreg.store.calls import Call, CallFilter, new_call_id
from hfreg.ui import call_log, charts, usage, usage_numbers
from hfreg.ui.usage import View

NOW = datetime.now(UTC)
ROOT = Path(__file__).parents[2]
PAGE = "pages/monitor/usage.py"


@pytest.fixture
def log(home: Path) -> Iterator[hfreg.Registry]:
    """A registry with one model and an empty log, as the server opens it."""
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(
        hfreg.Definition(alias="guard", name="Guard", output_type="String", scoring_logic='return "x"', arguments=[])
    )
    yield registry
    st.cache_resource.clear()


def add(registry: hfreg.Registry, minutes: float, alias: str = "guard", status: str = "ok", **changes: object) -> Call:
    """Log a call of so many minutes ago."""
    kind = "" if status == "ok" else "ValueError"
    plain = Call(
        new_call_id(), NOW - timedelta(minutes=minutes), alias, 1, "Draft", "python", "ada", status, kind,
        error="no" if kind else "", run_ms=4.0, total_ms=5.0,
    )  # fmt: skip
    call = replace(plain, **changes)  # type: ignore[arg-type]
    registry.events.record(call)
    return call


def some(registry: hfreg.Registry) -> None:
    """Log 30 calls of today in a known mixture, and 4 of the day before."""
    for n in range(20):
        add(registry, 10 + n, cold=n == 0, total_ms=float(n + 1))
    for n in range(6):
        add(registry, 100 + n, "embedder", source="cli", user="grace")
    for n in range(3):
        add(registry, 200 + n, "embedder", "error")
    add(registry, 300, "guard", "cancelled", error_kind="ScoringCancelled")
    for n in range(4):
        add(registry, 25 * 60 + n)


def opened(**address: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    at.switch_page(PAGE)
    for name, value in address.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def tile(at: AppTest, label: str) -> str:
    return next(m.value for m in at.metric if m.label == label)


def table(at: AppTest, column: str) -> dict[str, list[object]]:
    """Return the table that has a column of that name."""
    found = next(d.value for d in at.dataframe if column in d.value.columns)
    return {name: list(found[name]) for name in found.columns}


def said(at: AppTest) -> str:
    return "\n".join(e.value for kind in (at.caption, at.markdown, at.info, at.error, at.warning) for e in kind)


def address_of(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def select(at: AppTest, name: str, row: int) -> None:
    """Select a row of a table, as a click does."""
    key = next(d.key for d in at.dataframe if d.key and d.key.startswith(f"usage.{name}."))
    at.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    at.run()
    assert not at.exception, at.exception


def test_an_empty_log_says_what_to_do(log: hfreg.Registry) -> None:
    at = opened()
    assert "No calls yet. Run a model in the Playground" in said(at)
    assert not at.metric


def test_the_numbers_of_the_page_add_up(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    assert tile(at, "Calls") == "30"
    assert tile(at, "Success") == "86.7 %"
    assert tile(at, "Users") == "2"
    assert tile(at, "Cold loads") == "1"
    assert table(at, "Model")["Calls"] == [21, 9]
    for column in ("Model", "User", "Source"):
        assert sum(table(at, column)["Calls"]) == 30
    assert table(at, "Latest message")["Calls"] == [3, 1]
    assert len(table(at, "When")["When"]) == 25
    assert "1–25 of 30" in said(at)


def test_tokens_and_cost_are_shown_only_where_a_reply_told_them(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    assert not {"Tokens in", "Tokens out", "Cost"} & {m.label for m in at.metric}
    assert "Tokens in" not in table(at, "Model")

    call = add(log, 5, "embedder", tokens_in=1200, tokens_out=30, cost=0.0005)
    at = opened(call=call.id)
    assert [tile(at, name) for name in ("Tokens in", "Tokens out", "Cost")] == ["1,200", "30", "0.0005"]
    assert table(at, "Model")["Tokens in"][1] == 1200
    assert "Cost" not in table(at, "User")
    assert "Tokens in: 1,200  \nTokens out: 30  \nCost: 0.0005" in said(at)


def test_each_tile_has_its_change_to_the_period_before(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    changes = {m.label: m.delta for m in at.metric}
    assert changes["Calls"] == "+650 %"
    assert changes["Success"] == "-13.3 points"
    assert changes["Cold loads"] == ""  # none before: nothing to compare with
    assert changes["p50"] == "+50 %"
    assert changes["Users"] == "+100 %"
    assert "(4 calls)" in said(at)


def test_a_change_beyond_ten_times_and_none_at_all_are_said_in_words(log: hfreg.Registry) -> None:
    for n in range(24):
        add(log, 5 + n)
    for n in range(2):
        add(log, 25 * 60 + n)
    changes = {m.label: m.delta for m in opened().metric}
    assert (changes["Calls"], changes["p95"], changes["Success"]) == ("× 12", "no change", "no change")


def test_calls_without_an_answer_have_no_latency_to_draw(log: hfreg.Registry) -> None:
    add(log, 5, status="refused")
    at = opened()
    assert [t.value for t in at.text] == ["No call was answered."] * 2
    assert tile(at, "p50") == "–"


def test_the_address_sets_range_and_filters_and_the_widgets_write_it(log: hfreg.Registry) -> None:
    some(log)
    at = opened(range="7d", alias="embedder", status="error")
    assert tile(at, "Calls") == "3"
    assert at.selectbox(key="usage.range").value == "7d"
    assert at.multiselect(key="usage.alias").value == ["embedder"]
    at.multiselect(key="usage.status").set_value([]).run()
    at.multiselect(key="usage.source").set_value(["cli"]).run()
    assert tile(at, "Calls") == "6"
    assert address_of(at)["source"] == "cli"
    assert "status" not in at.query_params
    at.selectbox(key="usage.range").set_value("1h").run()
    assert address_of(at)["range"] == "1h"


def test_an_address_that_changes_under_the_page_wins_over_its_widgets(log: hfreg.Registry) -> None:
    some(log)
    at = opened(alias="embedder")
    at.query_params["alias"] = "guard"
    at.run()
    assert at.multiselect(key="usage.alias").value == ["guard"]
    assert tile(at, "Calls") == "21"


def test_a_custom_range_begins_with_what_was_shown_and_takes_its_ends_from_the_address(log: hfreg.Registry) -> None:
    some(log)
    at = opened(range="7d")
    at.selectbox(key="usage.range").set_value("custom").run()
    assert tile(at, "Calls") == "34"
    ends = [NOW - timedelta(minutes=130), NOW - timedelta(minutes=90)]
    since, until = (end.strftime("%Y-%m-%dT%H:%MZ") for end in ends)
    at = opened(range="custom", since=since, until=until)
    assert tile(at, "Calls") == "6"
    since_widget = at.datetime_input(key="usage.since")
    assert since_widget.value.strftime("%Y-%m-%dT%H:%MZ") == since
    since_widget.set_value(since_widget.value - timedelta(hours=2)).run()
    assert tile(at, "Calls") == "9"


def test_nonsense_in_the_address_is_left_out(log: hfreg.Registry) -> None:
    some(log)
    at = opened(range="forever", status="fine", source="=1+1", since="yesterday")
    assert tile(at, "Calls") == "30"
    assert set(at.query_params) == set()


def test_a_filter_that_nothing_passes_offers_the_way_back(log: hfreg.Registry) -> None:
    some(log)
    at = opened(range="1h", alias="embedder")
    assert "No calls in the last hour that pass these filters" in said(at)
    at.button(key="usage.widen").click().run()
    assert tile(at, "Calls") == "34"
    assert address_of(at)["range"] == "30d"


@pytest.mark.parametrize(
    ("name", "calls", "address"),
    [
        ("alias", "21", {"alias": "guard"}),
        ("user", "24", {"user": "ada"}),
        ("source", "24", {"source": "python"}),
        ("failures", "3", {"alias": "embedder", "status": "error", "kind": "ValueError"}),
    ],
)
def test_selecting_a_row_narrows_the_page_to_it(
    log: hfreg.Registry, name: str, calls: str, address: dict[str, str]
) -> None:
    some(log)
    at = opened()
    select(at, name, 0)
    assert tile(at, "Calls") == calls
    assert address_of(at) == address
    at.button(key="usage.clear").click().run()
    assert tile(at, "Calls") == "30"


def test_a_user_and_a_kind_of_error_can_be_taken_out_again(log: hfreg.Registry) -> None:
    some(log)
    at = opened(user="grace", kind="KeyError")
    at.button(key="usage.chip.kind").click().run()
    assert tile(at, "Calls") == "6"
    at.button(key="usage.chip.user.grace").click().run()
    assert tile(at, "Calls") == "30"


def test_the_list_turns_its_pages_and_begins_anew_with_another_filter(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    at.button(key="usage.older").click().run()
    assert "26–30 of 30" in said(at)
    assert table(at, "When")["Model"] == [*["embedder"] * 4, "guard"]
    assert at.button(key="usage.older").disabled
    at.button(key="usage.newer").click().run()
    assert "1–25 of 30" in said(at)
    at.button(key="usage.older").click().run()
    at.multiselect(key="usage.alias").set_value(["guard"]).run()
    assert "1–21 of 21" in said(at)


def test_refresh_takes_in_calls_of_the_last_second(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    add(log, 0.001)
    at.button(key="usage.refresh").click().run()
    assert tile(at, "Calls") == "31"


def test_one_call_shows_every_field_and_that_its_texts_are_not_stored(log: hfreg.Registry) -> None:
    call = add(
        log, 5, status="error", error="the *text* is `missing`", queue_ms=1.0, load_ms=2.0, total_ms=9.5, warnings=3,
        input_bytes=120, output_bytes=0, tier="inline", network=True, token=True, cold=True,
    )  # fmt: skip
    at = opened(call=call.id)
    text = said(at)
    for part in ("version 1", ":red-badge[error]", "cold", "ada", "python", "ValueError", "\\*text\\*", "`missing`",
                 call.id, "inline", "network allowed", "token allowed", "120 bytes", "Warnings: 3"):  # fmt: skip
        assert part in text, part
    assert [tile(at, name) for name in ("Total", "Queue", "Load", "Scoring logic", "Platform")] == [
        "9.5 ms", "1.0 ms", "2.0 ms", "4.0 ms", "2.5 ms",
    ]  # fmt: skip
    assert "are not stored" in text
    assert "Store texts and answers of each call" in text
    assert not at.get("code")


def test_one_call_shows_its_arguments_and_answer_where_they_are_stored(log: hfreg.Registry) -> None:
    call = add(log, 5, arguments='{"text": "grüß <b>dich</b>"}', answer='{"label": "x"}')
    at = opened(call=call.id)
    assert [c.value for c in at.get("code")] == ['{\n  "text": "grüß <b>dich</b>"\n}', '{\n  "label": "x"\n}']
    assert "are not stored" not in said(at)


def test_the_switch_that_one_call_names_is_in_the_form() -> None:
    form = (ROOT / "hfreg" / "ui" / "forms.py").read_text(encoding="utf-8")
    assert "Store texts and answers of each call" in form
    assert "Store texts and answers of each call" in call_log.NOT_STORED


def test_selecting_a_call_opens_it_and_puts_it_into_the_address(log: hfreg.Registry) -> None:
    some(log)
    at = opened()
    select(at, "calls", 2)
    call_id = address_of(at)["call"]
    assert log.events.get(call_id) == log.events.calls()[2]
    assert call_id in said(at)


def test_an_unknown_call_is_told(log: hfreg.Registry) -> None:
    some(log)
    assert "holds no call `nonesuch`" in said(opened(call="nonesuch"))


def test_a_log_that_cannot_be_read_is_told_without_a_traceback(log: hfreg.Registry, home: Path) -> None:
    some(log)
    log.events.flush()
    log.events.close()
    for path in home.glob("events.sqlite*"):
        path.unlink()
    (home / "events.sqlite").write_bytes(b"this is no database" * 100)
    at = opened()
    assert "The call log cannot be read." in said(at)
    assert "events.sqlite" in said(at).replace("\\", "")
    (home / "events.sqlite").unlink()
    at.button(key="usage.again").click().run()
    assert "No calls yet" in said(at)


def test_texts_of_users_are_shown_as_written_and_are_no_formulas(log: hfreg.Registry) -> None:
    add(log, 5, status="error", user="=HYPERLINK(1)", error="@SUM(1)", error_kind="+Oops")
    at = opened(user="=HYPERLINK(1)")
    assert table(at, "User")["User"] == ["'=HYPERLINK(1)"] or table(at, "When")["User"] == ["'=HYPERLINK(1)"]
    assert table(at, "Latest message")["Latest message"] == ["'@SUM(1)"]
    assert table(at, "Latest message")["Error"] == ["'+Oops"]
    assert at.button(key="usage.chip.user.=HYPERLINK(1)").label == "User: =HYPERLINK\\(1\\)"


def test_the_csv_is_bounded_agrees_with_the_page_and_holds_no_formula(
    log: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    some(log)
    add(log, 1, user="=1+1")
    at = opened()
    assert "All 31 calls" in at.get("download_button")[0].help
    page = log.events.usage(CallFilter(), UTC)
    make = call_log.csv_of(log, CallFilter(), page.last_seq)
    add(log, 0.001)  # later than the page
    rows = list(csv.DictReader(io.StringIO(make().decode())))
    assert len(rows) == 35
    assert rows[0]["user"] == "'=1+1"
    monkeypatch.setattr(call_log, "MOST_ROWS_CSV", 10)
    assert len(list(csv.DictReader(io.StringIO(make().decode())))) == 10
    assert "The newest 10 of 32 calls" in opened().get("download_button")[0].help


def test_a_view_survives_its_address() -> None:
    view = View(
        "custom", "2026-11-01T00:00Z", "2026-11-02T00:00Z", ("a", "b"), ("cli",), ("error",), ("a, b@c d",), "E"
    )
    assert View.read(view.address()) == view
    assert View.read({}) == View()


def test_a_period_drawn_in_a_chart_becomes_whole_minutes_around_it() -> None:
    low = datetime(2026, 11, 23, 10, 0, 31, tzinfo=UTC)
    view = usage.between(View("7d", alias=("guard",)), low, low + timedelta(minutes=3))
    assert (view.range, view.since, view.until) == ("custom", "2026-11-23T10:00Z", "2026-11-23T10:04Z")
    assert view.alias == ("guard",)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("ground", ["#ffffff", "#14161a"])
def test_the_colours_of_marks_stand_out_from_light_and_dark(ground: str) -> None:
    colours = [*charts.COLOURS.values(), *(colour for colour, _ in charts.PERCENTILES.values())]
    for colour in colours:
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, colour
    assert set(charts.COLOURS) == set(STATUSES)


def test_the_bars_of_a_chart_stack_to_the_calls_of_their_bucket() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 11, 23, 10, tzinfo=berlin)
    buckets = [
        Bucket(start + timedelta(hours=n), start + timedelta(hours=n + 1), {"ok": 3, "error": 0, "timeout": n}, 1, 2, 3)
        for n in range(2)
    ]
    spec = charts.over_time_spec(buckets, (start, start + timedelta(hours=2)))
    rows = spec["data"]["values"]
    assert [(r["status"], r["base"], r["top"]) for r in rows] == [("ok", 0, 3), ("ok", 0, 3), ("timeout", 3, 4)]
    assert rows[0]["when"] == "Mon 23 Nov 10:00 – 11:00"


def test_marks_of_versions_outside_of_the_period_are_not_drawn() -> None:
    start = datetime(2026, 11, 23, 10, tzinfo=UTC)
    bucket = Bucket(start, start + timedelta(hours=1), {"ok": 1}, 0.0, None, 3.0)
    period = (start, bucket.end)
    inside = charts.latency_spec([bucket], period, [(start, "version 2"), (bucket.end, "version 3")])
    assert [row["label"] for row in inside["layer"][1]["data"]["values"]] == ["version 2"]
    assert [row["ms"] for row in inside["data"]["values"]] == [charts.SHORTEST_MS, None, 3.0]
    assert len(charts.latency_spec([bucket], period, [])["layer"]) == 1


def test_the_histogram_and_the_hours_show_each_call_once() -> None:
    bins = [Bin(1.0, 1.585, 4), Bin(1.585, 2.512, 0)]
    assert sum(row["calls"] for row in charts.histogram_spec(bins)["data"]["values"]) == 4
    hours = [[0] * 24 for _ in range(7)]
    hours[6][23] = 5
    (cell,) = charts.hours_spec(hours)["data"]["values"]
    assert (cell["day"], cell["hour"], cell["calls"]) == ("Sun", 23, 5)


@pytest.mark.parametrize(("share", "shown"), [(0.99999, "99.9 %"), (1.0, "100 %"), (0.0, "0.0 %")])
def test_success_never_rounds_a_failure_away(share: float, shown: str) -> None:
    assert usage_numbers._percent(share) == shown
