"""Verify finds every change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hub.ledger import Source, seal, verify
from hub.store import Query, Unit
from hub.store.session import Collided
from tests.databases import ask

TABLES = (
    "txn",
    "entry",
    "lot",
    "allocation",
    "link",
    "block",
    "block_head",
    "block_txn",
    "balance",
    "lot_left",
    "hold",
    "budget",
)
POSTED = TABLES[:8]
KEYS = {
    "entry": ("txn_id", "n"), "allocation": ("txn_id", "n"), "link": ("member_id", "seq"), "block": ("seq",),
    "block_head": ("block", "member_id"), "block_txn": ("block", "txn_id"), "balance": ("member_id",),
    "lot_left": ("member_id", "lot_id"), "budget": ("campaign",),
}  # fmt: skip
REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError, Collided)
REST = "points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step, context, reason, actor"
UNPROVED = {("txn", "reason"), ("txn", "actor")}


class Undo(Exception):
    """Ends a transaction without keeping it."""


def seal_now(desk: Any) -> int:
    with desk.store.write() as session:
        unit = Unit(session)
        number = seal(unit, desk.clock.now())
        unit.flush()
        return number


@pytest.fixture
def busy(desk: Any) -> Any:
    """A ledger with something in every table and every column."""
    source = Source("evt_1", "recipe", "v1", "run_1", "0", "because", "Ann", {"base": "1.50"})
    desk.do("fund", "spring", 100, source=source)
    award = desk.award(30, days=3, source=source)
    desk.award(20, member="mem_2", campaign="spring", source=source)
    hold = desk.do("hold", "mem_1", 5, until=desk.clock.now(), source=source)
    spend = desk.do("redeem", "mem_1", 12)
    desk.do("restore", spend.txn_id, 4)
    assert seal_now(desk) == 1
    desk.do("capture", hold.id, points=2)
    desk.do("claw_back", award.txn_id, 30)
    desk.award(9, days=None)
    desk.award(9, member="mem_2", pending=True)
    desk.do("hold", "mem_2", 3)
    desk.do("fund", "summer", 5)
    assert seal_now(desk) == 2
    desk.award(2, member="mem_3")
    return desk


def tampered(desk: Any, *statements: str) -> tuple[str, ...]:
    """What is found after a change by somebody with full access to the database."""
    found: tuple[str, ...] = ()
    with pytest.raises(Undo), desk.store.write() as session:
        if desk.is_sqlite:
            ask(session, "PRAGMA ignore_check_constraints = ON")
            for (trigger,) in ask(session, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                ask(session, f"DROP TRIGGER {trigger}")
        else:
            ask(session, "SET LOCAL session_replication_role = replica")
        for statement in statements:
            assert session.run(Query("tamper", "", statement, ())) > 0, statement
        found = verify(session).findings
        raise Undo
    return found


def rows_of(desk: Any, table: str) -> list[dict[str, Any]]:
    with desk.read() as session:
        return [dict(row) for row in session.rows(Query("all", "", f"SELECT * FROM {table}", ()))]


def literal(desk: Any, value: Any) -> str:
    """The value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'" if desk.is_sqlite else f"decode('{value.hex()}', 'hex')"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def this(desk: Any, table: str, row: dict[str, Any]) -> str:
    """The condition that only this row meets."""
    return " AND ".join(f"{key} = {literal(desk, row[key])}" for key in KEYS.get(table, ("id",)))


def changes(desk: Any, table: str) -> Iterator[str]:
    """For every column of every row: a statement that changes it a little."""
    for row in rows_of(desk, table):
        for name, value in row.items():
            if (table, name) not in UNPROVED:
                yield f"UPDATE {table} SET {name} = {literal(desk, changed(value))} WHERE {this(desk, table, row)}"


def changed(value: Any) -> Any:
    """One bit or one character is another."""
    if value is None:
        return "2026-01-01T12:00:00.000000Z"
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return value ^ 1 if isinstance(value, int) else value[:-1] + chr(ord(value[-1]) ^ 1)


def test_books_in_order_have_no_findings(busy: Any) -> None:
    """Everything is counted, and progress is told."""
    told: list[tuple[int, int]] = []
    with busy.read() as session:
        found = verify(session, lambda done, total: told.append((done, total)))
    assert found.ok
    assert (found.members, found.txns, found.blocks) == (3, 13, 2)
    assert told[-1] == (13, 13)


@pytest.mark.parametrize("table", TABLES)
def test_a_changed_byte_is_found(busy: Any, table: str) -> None:
    """Any column of any row, except reason and actor, which may be personal."""
    statements = list(changes(busy, table))
    if not busy.is_sqlite:
        statements = statements[::7]  # the same code has looked at all of them on SQLite, which answers faster
    assert statements
    missed = [statement for statement in statements if not survives(busy, statement)]
    assert missed == []


def survives(desk: Any, statement: str) -> bool:
    try:
        return bool(tampered(desk, statement))
    except (*REFUSED, psycopg.DataError, psycopg.ProgrammingError):  # a taken key, another type: the database refuses it
        return True


@pytest.mark.parametrize("column", ["reason", "actor"])
def test_a_person_can_be_erased(busy: Any, column: str) -> None:
    """Reason and actor may be emptied."""
    assert tampered(busy, f"UPDATE txn SET {column} = ''") == ()


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_row_is_found(busy: Any, table: str) -> None:
    """Any row of any table, the last one too."""
    for row in rows_of(busy, table):
        unbound = table == "block" and row["seq"] == 2
        assert tampered(busy, f"DELETE FROM {table} WHERE {this(busy, table, row)}") or unbound, row


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO txn SELECT 'txn_ff', 'new key', payload, kind, member_id, {REST} FROM txn LIMIT 1",
        f"INSERT INTO txn SELECT 'txn_ff', 'new key', payload, kind, 'mem_1', {REST} FROM txn LIMIT 1",
        f"INSERT INTO txn SELECT 'txn_ff', 'new key', payload, kind, 'mem_9', {REST} FROM txn LIMIT 1",
        "INSERT INTO entry SELECT txn_id, 9, member_id, account, amount, balance_after FROM entry LIMIT 1",
        "INSERT INTO entry VALUES ('txn_ff', 1, NULL, 'issuance', -5, NULL)",
        "INSERT INTO lot SELECT 'lot_ff', txn_id, member_id, points, expires_at, effective_at FROM lot LIMIT 1",
        "INSERT INTO lot SELECT 'lot_ff', 'txn_ff', member_id, points, expires_at, effective_at FROM lot LIMIT 1",
        "INSERT INTO allocation SELECT 'txn_ff', n, lot_id, points FROM allocation LIMIT 1",
        "INSERT INTO link SELECT member_id, 99, txn_id, hash FROM link LIMIT 1",
        "INSERT INTO link SELECT 'mem_9', 1, txn_id, hash FROM link LIMIT 1",
        "INSERT INTO balance SELECT 'mem_9', 5, 0, 0, 0, 0, head FROM balance LIMIT 1",
        "INSERT INTO lot_left SELECT member_id, 'lot_ff', expires_at, effective_at, 5 FROM lot_left LIMIT 1",
        "INSERT INTO hold SELECT 'hold_ff', txn_id, member_id, points, until, resolved_by FROM hold LIMIT 1",
        "INSERT INTO budget VALUES ('autumn', 7)",
        "INSERT INTO block_txn VALUES (9, 'txn_ff')",
        "INSERT INTO block_head SELECT 9, member_id, seq FROM block_head LIMIT 1",
    ],
)
def test_an_added_row_is_found(busy: Any, statement: str) -> None:
    """A row that nothing was posted for, in any table."""
    assert tampered(busy, statement)


def test_findings_name_the_place(busy: Any) -> None:
    """Which member, which link, which transaction: where a person must look."""
    [(txn_id,)] = busy.sql("SELECT txn_id FROM link WHERE member_id = 'mem_1' AND seq = 2")
    gap = tampered(busy, "DELETE FROM link WHERE member_id = 'mem_1' AND seq = 2")
    assert "The chain of member mem_1 has a gap: link 3 comes after 1." in gap
    assert f"Transaction {txn_id} of a member stands in no chain: it was added, or its link was removed." in gap
    [changed_one] = tampered(busy, f"UPDATE txn SET recipe = 'other' WHERE id = '{txn_id}'")
    assert changed_one.startswith(f"Transaction {txn_id} of member mem_1 does not fit link 2 of the chain")
    [balance] = tampered(busy, "UPDATE balance SET available = available + 1 WHERE member_id = 'mem_2'")
    assert balance.startswith("The balance of member mem_2 is 18 available")


def test_a_tail_that_was_cut_off_with_its_balance_is_found_once_it_was_sealed(busy: Any) -> None:
    """Somebody who knows the tables undoes the last posting of a member everywhere; the block remembers it."""
    [(seq, txn_id)] = busy.sql("SELECT seq, txn_id FROM link WHERE member_id = 'mem_2' ORDER BY seq DESC LIMIT 1")
    found = tampered(
        busy,
        f"DELETE FROM txn WHERE id = '{txn_id}'",
        f"DELETE FROM entry WHERE txn_id = '{txn_id}'",
        f"DELETE FROM link WHERE txn_id = '{txn_id}'",
        f"DELETE FROM hold WHERE txn_id = '{txn_id}'",
        f"UPDATE lot_left SET points = points - (SELECT SUM(points) FROM allocation WHERE txn_id = '{txn_id}') "
        f"WHERE lot_id = (SELECT lot_id FROM allocation WHERE txn_id = '{txn_id}')",
        f"DELETE FROM allocation WHERE txn_id = '{txn_id}'",
        f"UPDATE balance SET available = available + held, held = 0, seq = {seq - 1}, "
        f"head = (SELECT hash FROM link WHERE member_id = 'mem_2' AND seq = {seq - 1}) WHERE member_id = 'mem_2'",
    )
    assert len(found) == 1
    assert "Block 2" in found[0]


def test_a_value_of_another_type_is_a_finding_and_no_crash(busy: Any) -> None:
    """SQLite lets text into a column of numbers; PostgreSQL refuses it."""
    for statement in (
        "UPDATE entry SET amount = 'x'",
        "UPDATE txn SET payload = 'x'",
        "UPDATE link SET hash = 'x'",
        "UPDATE lot_left SET points = 'x'",
        "UPDATE allocation SET points = 'x'",
        "UPDATE block SET hash = 1",
    ):
        assert survives(busy, statement)


@pytest.mark.parametrize("table", POSTED)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_what_was_posted_cannot_be_changed_or_deleted(busy: Any, table: str, verb: str) -> None:
    """The database itself refuses it."""
    column = next(iter(rows_of(busy, table)[0]))
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match=f"{table} is append only"):
        busy.sql(f"UPDATE {table} SET {column} = {column}" if verb == "UPDATE" else f"DELETE FROM {table}")


def test_sealing_again_without_new_postings_makes_no_block(busy: Any) -> None:
    """And a stretch is cut where `most` says."""
    assert seal_now(busy) == 3
    assert seal_now(busy) == 0
    for n in range(3):
        busy.award(1, member=f"mem_new_{n}")
    with busy.store.write() as session:
        for number in (4, 5, 0):
            unit = Unit(session)
            assert seal(unit, busy.clock.now(), most=2) == number
            unit.flush()
    assert busy.verify().ok


def test_a_stretch_whose_heads_are_sealed_does_not_hide_the_next(busy: Any) -> None:
    """A block binds the newest link of each member, so it may be ahead of the stretch in which it was found."""
    seal_now(busy)
    for member in ("mem_0", "mem_0", "mem_0", "mem_new"):
        busy.award(1, member=member)
    with busy.store.write() as session:
        for number in (4, 5, 0):
            unit = Unit(session)
            assert seal(unit, busy.clock.now(), most=1) == number
            unit.flush()
    heads = [(row["block"], row["member_id"]) for row in rows_of(busy, "block_head")]
    assert sorted(heads)[-2:] == [(4, "mem_0"), (5, "mem_new")]
