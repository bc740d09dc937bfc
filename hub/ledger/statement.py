"""Statement: a member's postings with their lineage, and the whole ledger for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from hub.clock import from_text
from hub.ledger.accounts import AVAILABLE, DEBT, HELD, OF_MEMBERS, PENDING, full_name
from hub.ledger.postings import Balance, Lot, Source
from hub.ledger.sql import SQL
from hub.ledger.whole import Whole, by_ids, completed
from hub.store import Row, Session

_PAGE = 2_000


class Drawn(NamedTuple):
    """Points taken from a lot (below zero) or given back to it, and where the lot's points were earned."""

    lot_id: str
    points: int
    earned_by: str
    source: Source


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting. points: the change of what the member can spend. balance: after it, before any sweep of expired lots."""

    seq: int
    txn_id: str
    kind: str
    points: int
    effective_at: datetime
    recorded_at: datetime
    balance: Balance
    source: Source
    follows: str | None
    lot: Lot | None
    drawn: tuple[Drawn, ...]


def statement(session: Session, member_id: str) -> list[StatementLine]:
    """Everything that was posted for the member, the first posting first."""
    links = session.rows(SQL.links_of, member_id=member_id)
    wholes = {whole.txn["id"]: whole for whole in completed(session, session.rows(SQL.txns_of_member, member_id=member_id))}
    lot_ids = {row["lot_id"] for whole in wholes.values() for row in whole.allocations}
    opened = {row["id"]: row["txn_id"] for row in session.rows(SQL.lots_by_id, ids=sorted(lot_ids))}
    earlier = by_ids(session, [txn_id for txn_id in opened.values() if txn_id not in wholes])
    earned = {lot_id: wholes.get(txn_id) or earlier[txn_id] for lot_id, txn_id in opened.items()}
    own = [whole.lot["id"] for whole in wholes.values() if whole.lot]
    left = {row["lot_id"]: row["points"] for row in session.rows(SQL.lots_left, ids=own)}
    running = dict.fromkeys(OF_MEMBERS, 0)
    lines = []
    for link in links:
        whole = wholes[link["txn_id"]]
        before = running[AVAILABLE] + running[DEBT]
        for entry in whole.entries:
            if entry["member_id"] == member_id:
                running[entry["account"]] += entry["amount"]
        txn = whole.txn
        lines.append(
            StatementLine(
                seq=link["seq"],
                txn_id=txn["id"],
                kind=txn["kind"],
                points=running[AVAILABLE] + running[DEBT] - before,
                effective_at=from_text(txn["effective_at"]),
                recorded_at=from_text(txn["recorded_at"]),
                balance=Balance(running[AVAILABLE], running[PENDING], running[HELD], -running[DEBT]),
                source=_source(txn),
                follows=txn["follows"],
                lot=_lot(whole.lot, left) if whole.lot else None,
                drawn=tuple(_drawn(row, earned[row["lot_id"]]) for row in whole.allocations),
            )
        )
    return lines


def export(session: Session) -> Iterator[dict[str, Any]]:
    """Every entry, in the order in which they were recorded; plain values, ready for JSON."""
    after = ""
    while page := completed(session, session.rows(SQL.txns_after, after=after, most=_PAGE)):
        for whole in page:
            for entry in whole.entries:
                yield _exported(whole, entry)
        after = page[-1].txn["id"]


def _exported(whole: Whole, entry: Row) -> dict[str, Any]:
    txn = whole.txn
    return {
        "transaction": txn["id"],
        "n": entry["n"],
        "kind": txn["kind"],
        "account": full_name(entry["member_id"], entry["account"]),
        "amount": entry["amount"],
        "balance_after": entry["balance_after"],
        "effective_at": txn["effective_at"],
        "recorded_at": txn["recorded_at"],
        "key": txn["key"],
        "follows": txn["follows"],
        "event": txn["event_id"],
        "recipe": txn["recipe"],
        "version": txn["version"],
        "run": txn["run_id"],
        "step": txn["step"],
        "reason": txn["reason"],
        "actor": txn["actor"],
    }


def _source(txn: Row) -> Source:
    return Source(
        event_id=txn["event_id"],
        recipe=txn["recipe"],
        version=txn["version"],
        run_id=txn["run_id"],
        step=txn["step"],
        reason=txn["reason"],
        actor=txn["actor"],
        context=None if txn["context"] is None else json.loads(txn["context"]),
    )


def _lot(row: Row, left: dict[str, int]) -> Lot:
    expires_at = from_text(row["expires_at"]) if row["expires_at"] else None
    effective_at = from_text(row["effective_at"])
    return Lot(row["id"], row["member_id"], row["points"], left.get(row["id"], 0), expires_at, effective_at)


def _drawn(row: Row, earned: Whole) -> Drawn:
    return Drawn(row["lot_id"], row["points"], earned.txn["id"], _source(earned.txn))
