"""Benchmarks: each measurement still works, in a size whose figures mean nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks import acknowledged, alone, answered, footprint, growth, many_recipes, report, sustained
from benchmarks.report import Goal, Row
from benchmarks.scale import tiny


def _quiet(said: str) -> None:
    """Nobody listens."""


@pytest.mark.parametrize(("measurement", "number", "rows"), [(acknowledged, 1, 3), (many_recipes, 5, 2), (footprint, 6, 3)])
def test_a_measurement_gives_its_rows(measurement, number, rows, tmp_path):
    """Every row has a figure and is of the measurement's number; what is wrong on the way is an error of the measurement."""
    found = measurement.measure(tiny(tmp_path), _quiet)
    assert len(found) == rows
    assert {row.number for row in found} == {number}
    assert all(row.figure > 0 for row in found)
    assert all(row.beside_figure is None or row.beside_figure > 0 for row in found)


def test_growth_is_measured_on_tables_that_are_filled_once(tmp_path, monkeypatch):
    """Few and many entries, one and many recipes; what takes long to fill is kept."""
    found = growth.measure(tiny(tmp_path), _quiet)
    assert [row.ratio is None for row in found] == [True, False, False, False]
    monkeypatch.delattr(growth, "_copy")
    with closing(sqlite3.connect(growth.filled(tmp_path, 400, _quiet) / "data" / "hub.db")) as kept:
        assert kept.execute("SELECT COUNT(*) FROM entry").fetchone()[0] == 400 + 2 * 2 * 60
        assert kept.execute("SELECT COUNT(*) FROM txn WHERE member_id NOT IN (SELECT id FROM member)").fetchone()[0] == 0


def test_every_call_is_answered(tmp_path):
    """A vendor hears of every sale, and the time until then is measured."""
    half, nearly_all = answered.measure(tiny(tmp_path), _quiet)
    assert 0 < half.figure <= nearly_all.figure


def test_a_rate_is_proven_on_sqlite():
    """Every sale that was accepted has its points, and its call waits, when a rate has been tried."""
    assert sustained.tried("sqlite", 1, 20, 0.5).answer_ms > 0


def test_a_rate_is_proven_on_postgresql(postgres_server):
    """The same with a process for the web and one for the work."""
    assert sustained.tried("postgresql", 1, 20, 0.5).answer_ms > 0


def test_a_rate_that_is_not_kept_is_lowered(tmp_path):
    """The search goes up while the rate is kept, and back down until it is kept for long."""
    kept = {(20, 1): True, (40, 1): True, (80, 1): False, (40, 9): False, (36, 9): True}
    scale = replace(tiny(tmp_path), tried_seconds=1, kept_seconds=9, rates_most=5)
    found = sustained.highest(lambda rate, seconds: sustained.Kept(rate, 1 if kept[rate, seconds] else 99, 0), scale, _quiet)
    assert found == sustained.Kept(36, 1, 0)


def test_a_slow_machine_is_asked_for_less(tmp_path):
    """Where not even the first rate is kept, the search goes down until one is."""
    kept = {(20, 1): False, (10, 1): False, (5, 1): True, (5, 9): True}
    scale = replace(tiny(tmp_path), tried_seconds=1, kept_seconds=9, rates_most=5)
    found = sustained.highest(lambda rate, seconds: sustained.Kept(rate, 1 if kept[rate, seconds] else 99, 0), scale, _quiet)
    assert found == sustained.Kept(5, 1, 0)


def test_working_alone_is_measured_beside_the_bare_database(postgres_server, tmp_path):
    """SQLite, and PostgreSQL with one and with two workers, each with its own floor."""
    found = alone.measure(tiny(tmp_path), _quiet)
    assert [row.what.partition(", ")[2] for row in found] == ["SQLite", "PostgreSQL, 1 worker", "PostgreSQL, 2 workers"]
    assert all(row.ratio for row in found)


ROWS = [
    Row(1, "acknowledged", 6_000, "/s", "plain WSGI", 9_000, Goal("ratio", 0.6, is_least=True)),
    Row(6, "start", 2.5, "s", goal=Goal("figure", 1.5)),
    Row(6, "memory", 120, "MB"),
]


def test_a_row_says_whether_its_goal_was_reached():
    """By the figure or by the ratio, from above or from below."""
    assert [row.reached for row in ROWS] == [True, False, None]
    assert ROWS[0].cells()[2:] == ("6,000 /s", "plain WSGI: 9,000", "0.67", "ratio ≥ 0.6", "yes")


def test_the_table_is_written_between_its_marks(tmp_path):
    """The rest of the page stays as it is, and writing again replaces what was written."""
    page = tmp_path / "README.md"
    page.write_text(f"Before.\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter.\n", "utf-8")
    for _ in range(2):
        report.write(page, report.as_markdown(ROWS, {"Cores": "2"}))
    text = page.read_text("utf-8")
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert text.count("| (1) | acknowledged | 6,000 /s | plain WSGI: 9,000 | 0.67 | ratio ≥ 0.6 | yes |") == 1
    assert "- Cores: 2" in text
    assert "old" not in text


def test_a_page_without_marks_is_left_alone(tmp_path):
    """Nothing is written where nobody said where."""
    page = tmp_path / "README.md"
    page.write_text("Before.", "utf-8")
    with pytest.raises(ValueError, match="README"):
        report.write(page, "text")
    assert page.read_text("utf-8") == "Before."


def test_programs_can_read_the_table():
    """JSON holds machine and rows, with ratio and goal."""
    told = json.loads(report.as_json(ROWS, {"Cores": "2"}))
    assert told["machine"] == {"Cores": "2"}
    assert told["rows"][0]["reached"] is True
    assert round(told["rows"][0]["ratio"], 2) == 0.67
    assert told["rows"][1]["goal"] == "< 1.5"
