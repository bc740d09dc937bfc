"""Whole: a transaction with everything that belongs to it, as its tables keep it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from hub.ledger.chain import digest
from hub.ledger.lots import lot_of
from hub.ledger.sql import SQL
from hub.store import Row, Session

_HASHED = (
    "kind", "member_id", "points", "effective_at", "recorded_at", "follows", "until", "event_id", "recipe", "version", "run_id",
    "step", "context",
)  # fmt: skip
_ENTRY = ("member_id", "account", "amount", "balance_after")
_LOT = ("id", "points", "expires_at", "effective_at")
_ALLOCATION = ("lot_id", "points")


def raw(value: Any) -> bytes:
    """The bytes of a column; a value of another type, which somebody put there, gives other bytes."""
    return value if isinstance(value, bytes) else repr(value).encode()


class Whole(NamedTuple):
    """The rows of one transaction; entries and allocations in their order."""

    txn: Row
    entries: list[Row]
    lot: Row | None
    allocations: list[Row]

    def digest(self) -> bytes:
        """What the chain says about it."""
        txn = self.txn
        return digest(
            (txn["id"], txn["key"], raw(txn["payload"]).hex(), *(txn[name] for name in _HASHED)),
            [tuple(entry[name] for name in _ENTRY) for entry in self.entries],
            None if self.lot is None else tuple(self.lot[name] for name in _LOT),
            [tuple(allocation[name] for name in _ALLOCATION) for allocation in self.allocations],
        )


def completed(session: Session, txns: Sequence[Row]) -> list[Whole]:
    """These rows of `txn` with what belongs to them, in three queries."""
    if not txns:
        return []
    ids = [txn["id"] for txn in txns]
    entries: defaultdict[str, list[Row]] = defaultdict(list)
    for row in session.rows(SQL.entries_of, ids=ids):
        entries[row["txn_id"]].append(row)
    allocations: defaultdict[str, list[Row]] = defaultdict(list)
    for row in session.rows(SQL.allocations_of, ids=ids):
        allocations[row["txn_id"]].append(row)
    lots = {row["txn_id"]: row for row in session.rows(SQL.lots_by_id, ids=[lot_of(txn_id) for txn_id in ids])}
    return [Whole(txn, entries[txn["id"]], lots.get(txn["id"]), allocations[txn["id"]]) for txn in txns]


def by_ids(session: Session, ids: Sequence[str]) -> dict[str, Whole]:
    """The transactions with these ids, so far as there are."""
    return {whole.txn["id"]: whole for whole in completed(session, session.rows(SQL.txns_by_id, ids=list(ids)))}
