"""How the databases answer: by their indexes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.ledger.sql import SQL
from hub.store.postgres import _numbered
from hub.store.sqlite import _named
from tests.databases import Corner, Folder, ask

WHOLE_TABLE = {
    "counts", "unlinked_txns", "stray_entries", "stray_allocations", "stray_lots", "stray_balances", "stray_remainders",
    "all_holds", "all_budgets", "totals", "issued_by_recipe",
}  # fmt: skip
"""Proof and totals read everything; all other queries are as fast in a large ledger as in a small one."""
NEEDED = {
    "open_lots": "lot_left USING PRIMARY KEY (member_id=?)",
    "dead_points": "lot_left USING PRIMARY KEY (member_id=?)",
    "balances": "balance USING PRIMARY KEY (member_id=?)",
    "txns_by_key": "txn USING INDEX sqlite_autoindex_txn_2 (key=?)",
    "txns_following": "txn USING INDEX txn_follows (follows=?)",
    "lots_left": "lot_left USING PRIMARY KEY (member_id=? AND lot_id=?)",
    "entries_of": "entry USING PRIMARY KEY (txn_id=?)",
    "lots_due": "lot_left USING INDEX lot_left_due",
    "lots_expiring": "lot_left USING INDEX lot_left_due",
    "next_expiry": "lot_left USING INDEX lot_left_due",
    "holds_due": "hold USING INDEX hold_due",
    "memberless_unsealed": "txn USING INDEX txn_memberless",
}


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    """Of SQLite the plan says all; what PostgreSQL can do without reading a table is asked below."""
    return Folder(tmp_path)


def plan(session: Any, query: Any) -> list[str]:
    values = dict.fromkeys(query.parameters, "[]")
    return [row[3] for row in session._connection.execute("EXPLAIN QUERY PLAN " + _named(query), values)]


def test_no_query_of_daily_work_reads_a_whole_table(desk: Any) -> None:
    """A full scan would make a posting dearer with every posting before it."""
    with desk.read() as session:
        for query in SQL:
            if query.sql.startswith("SELECT") and query.name not in WHOLE_TABLE:
                bare = [
                    step
                    for step in plan(session, query)
                    if step.startswith("SCAN") and "json_each" not in step and "touched" not in step and " USING " not in step
                ]
                assert bare == [], query.name


def test_hot_queries_use_the_index_that_was_made_for_them(desk: Any) -> None:
    """A partial index is easily missed by a query that says its condition in other words."""
    with desk.read() as session:
        for name, index in NEEDED.items():
            assert any(index in step for step in plan(session, getattr(SQL, name))), plan(session, getattr(SQL, name))


def test_due_lots_are_read_in_the_order_of_the_index(desk: Any) -> None:
    """No sort of everything that is due for the sake of the first hundred."""
    with desk.read() as session:
        assert not any("TEMP B-TREE" in step for step in plan(session, SQL.lots_due))


def test_postgres_can_answer_daily_work_by_indexes(postgres: Corner) -> None:
    """Where reading a table is made dear, no query of daily work does it."""
    store = postgres.open("hub")
    with store.read() as session:
        ask(
            session,
            "SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
        )
        for query in SQL:
            if query.sql.startswith("SELECT") and query.name not in WHOLE_TABLE | {"blocks"}:
                session._connection.execute(b"PREPARE tried AS " + _numbered(query), prepare=False)
                nothing = f"({', '.join(['NULL'] * len(query.parameters))})" if query.parameters else ""
                steps = [step for (step,) in ask(session, f"EXPLAIN EXECUTE tried{nothing}")]
                assert [step for step in steps if "Seq Scan" in step] == [], query.name
                session._connection.execute("DEALLOCATE tried", prepare=False)
    store.close()
