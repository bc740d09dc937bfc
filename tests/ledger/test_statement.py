"""What members and other programs read: statement, export, totals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hub.ledger import Balance, Source, StatementLine, Totals, export, statement, totals


def lines_of(desk: Any, member: str = "mem_1") -> list[StatementLine]:
    with desk.read() as session:
        return statement(session, member)


def totals_of(desk: Any) -> Totals:
    with desk.read() as session:
        return totals(session)


def test_a_statement_says_where_every_point_came_from(desk: Any) -> None:
    """ "Why 37?": event, recipe, version, run, step, context, lot; spent points name the award that they come from."""
    source = Source("evt_1", "purchase-points", "v1", "run_1", "0", "Repair 12", "Ann", {"base": "37.50", "rounding": "floor"})
    award = desk.award(37, days=10, source=source)
    desk.do("redeem", "mem_1", 30, source=Source(event_id="evt_2"))
    earned, spent = lines_of(desk)
    assert (earned.kind, earned.points, earned.balance, earned.source) == ("award", 37, Balance(37), source)
    assert earned.lot is not None
    assert (earned.lot.id, earned.lot.points, earned.lot.left) == (award.lot_id, 37, 7)
    assert earned.lot.expires_at == desk.clock.now() + timedelta(days=10)
    assert (spent.seq, spent.points, spent.balance.available, spent.source.event_id) == (2, -30, 7, "evt_2")
    [drawn] = spent.drawn
    assert (drawn.lot_id, drawn.points, drawn.earned_by, drawn.source) == (award.lot_id, -30, award.txn_id, source)


def test_a_statement_follows_debt_and_pending_points(desk: Any) -> None:
    """The change of what can be spent, and all four balances after each line."""
    award = desk.award(10)
    desk.do("redeem", "mem_1", 10)
    desk.do("claw_back", award.txn_id, 10)
    desk.award(4)
    desk.award(9, pending=True)
    hold = desk.award(20)
    desk.do("hold", "mem_1", 5)
    assert [(line.kind, line.points, line.balance) for line in lines_of(desk)] == [
        ("award", 10, Balance(10)),
        ("redeem", -10, Balance()),
        ("clawback", -10, Balance(debt=10)),
        ("award", 4, Balance(debt=6)),
        ("award", 6, Balance(pending=3)),
        ("award", 20, Balance(20, 3)),
        ("hold", -5, Balance(15, 3, 5)),
    ]
    assert lines_of(desk)[2].follows == award.txn_id
    assert hold.points == 20


def test_a_member_without_postings_has_an_empty_statement(desk: Any) -> None:
    """Not an error: somebody who joined and bought nothing."""
    desk.award(1)
    assert lines_of(desk, "mem_9") == []


def test_the_export_has_every_entry_once_as_plain_values(desk: Any) -> None:
    """One entry a line; the amounts of all lines sum to zero; accounts carry their full name."""
    desk.do("fund", "spring", 50)
    desk.award(37, source=Source(event_id="evt_1", recipe="r", version="v", run_id="run_1", step="2"))
    desk.award(5, member="mem_2", campaign="spring")
    desk.do("redeem", "mem_1", 7)
    with desk.read() as session:
        lines = list(export(session))
    assert [json.loads(json.dumps(line)) for line in lines] == lines
    assert sum(line["amount"] for line in lines) == 0
    assert [(line["account"], line["amount"], line["balance_after"]) for line in lines] == [
        ("issuance", -50, None),
        ("campaign:spring", 50, None),
        ("issuance", -37, None),
        ("member:mem_1:available", 37, 37),
        ("campaign:spring", -5, None),
        ("member:mem_2:available", 5, 5),
        ("redeemed", 7, None),
        ("member:mem_1:available", -7, 30),
    ]
    line = lines[3]
    assert (line["event"], line["recipe"], line["version"], line["run"], line["step"]) == ("evt_1", "r", "v", "run_1", "2")
    assert line["effective_at"] == line["recorded_at"] == "2026-01-01T12:00:00.000000Z"


def test_the_export_reads_on_over_its_pages(desk: Any) -> None:
    """More transactions than one page holds."""
    with desk.book() as book:
        for n in range(2_100):
            book.award(f"mem_{n % 7}", 1, key=f"k{n}", source=Source(), expires_at=None, effective_at=desk.clock.now())
    with desk.read() as session:
        assert len({(line["transaction"], line["n"]) for line in export(session)}) == 4_200


def test_totals_tell_where_all_points_are(desk: Any) -> None:
    """issued + adjusted + written_off = redeemed + expired + clawed_back + outstanding."""
    assert totals_of(desk) == Totals(0, 0, 0, 0, 0, 0, 0, {})
    desk.do("fund", "spring", 50)
    base = desk.award(100, days=10, source=Source(recipe="base"))
    desk.award(20, campaign="spring", source=Source(recipe="bonus"))
    wrong = desk.award(9, source=Source(recipe="bonus"))
    desk.do("reverse", wrong.txn_id, source=Source(actor="Ann"))
    desk.award(3, member="mem_2", pending=True)
    desk.do("redeem", "mem_1", 60)
    desk.do("claw_back", base.txn_id, 70)
    last = desk.award(40, days=30, source=Source(recipe="base"))
    desk.do("hold", "mem_1", 5)
    desk.do("adjust", "mem_1", 7, expires_at=desk.clock.now() + timedelta(days=1))
    desk.do("adjust", "mem_1", -2)
    desk.wait(days=1)
    desk.sweep()
    desk.do("redeem", "mem_1", 20)
    desk.do("claw_back", last.txn_id, 40, on_short="write_off")
    found = totals_of(desk)
    assert found == Totals(
        issued=163, redeemed=80, expired=5, clawed_back=110, adjusted=5, written_off=35, outstanding=8,
        by_recipe={"base": 140, "bonus": 20},
    )  # fmt: skip
    assert 163 + 5 + 35 == 80 + 5 + 110 + 8
