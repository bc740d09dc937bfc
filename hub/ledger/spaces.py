"""Spaces: what the ledger keeps of members, lots, holds, budgets and earlier transactions in a unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from hub.clock import from_text, to_text
from hub.ledger.chain import GENESIS
from hub.ledger.lots import Left, Lots, spend_order
from hub.ledger.postings import Allocation, Entry, Hold, Posting
from hub.ledger.sql import SQL
from hub.ledger.whole import Whole, completed
from hub.store import Row, Session, Space


class Account(NamedTuple):
    """A member's balances, and where the chain stands."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    seq: int = 0
    head: bytes = GENESIS


class Kept(NamedTuple):
    """A posting and the hash of what was asked for."""

    payload: bytes
    posting: Posting


def postings(session: Session, rows: Iterable[Row]) -> list[Kept]:
    """The transactions of these rows."""
    return [_kept(whole) for whole in completed(session, list(rows))]


def _kept(whole: Whole) -> Kept:
    txn = whole.txn
    posting = Posting(
        txn["id"],
        txn["key"],
        txn["kind"],
        txn["member_id"],
        txn["points"],
        tuple(Entry(row["member_id"], row["account"], row["amount"], row["balance_after"]) for row in whole.entries),
        whole.lot["id"] if whole.lot else None,
        tuple(Allocation(row["lot_id"], row["points"]) for row in whole.allocations),
        from_text(txn["effective_at"]),
        txn["follows"],
        from_text(txn["until"]) if txn["until"] else None,
    )
    return Kept(txn["payload"], posting)


def _accounts(session: Session, members: Collection[str]) -> dict[str, Account]:
    rows = session.rows(SQL.balances, members=list(members))
    return {
        row["member_id"]: Account(row["available"], row["pending"], row["held"], row["debt"], row["seq"], row["head"])
        for row in rows
    }


def _left(row: Row) -> Left:
    return Left(row["lot_id"], row["member_id"], row["expires_at"], row["effective_at"], row["points"])


def _open_lots(session: Session, members: Collection[str]) -> dict[str, Lots]:
    lots: defaultdict[str, list[Left]] = defaultdict(list)
    for row in session.rows(SQL.open_lots, members=list(members)):
        lots[row["member_id"]].append(_left(row))
    return {member_id: tuple(sorted(found, key=spend_order)) for member_id, found in lots.items()}


def _lots_left(session: Session, ids: Collection[str]) -> dict[str, Left]:
    return {row["lot_id"]: _left(row) for row in session.rows(SQL.lots_left, ids=list(ids))}


def hold_of(row: Row) -> Hold:
    """A hold as its table keeps it."""
    until = from_text(row["until"]) if row["until"] else None
    return Hold(row["id"], row["member_id"], row["txn_id"], row["points"], until, row["resolved_by"])


def _holds(session: Session, ids: Collection[str]) -> dict[str, Hold]:
    return {row["id"]: hold_of(row) for row in session.rows(SQL.holds, ids=list(ids))}


def _hold_row(hold_id: str, hold: Hold) -> tuple[str | int | None, ...]:
    until = to_text(hold.until) if hold.until else None
    return (hold_id, hold.txn_id, hold.member_id, hold.points, until, hold.resolved_by)


def _budgets(session: Session, campaigns: Collection[str]) -> dict[str, int]:
    return {row["campaign"]: row["points"] for row in session.rows(SQL.budgets, campaigns=list(campaigns))}


def _by_key(session: Session, keys: Collection[str]) -> dict[str, Kept]:
    return {kept.posting.key: kept for kept in postings(session, session.rows(SQL.txns_by_key, keys=list(keys)))}


def _by_id(session: Session, ids: Collection[str]) -> dict[str, Posting]:
    return {kept.posting.txn_id: kept.posting for kept in postings(session, session.rows(SQL.txns_by_id, ids=list(ids)))}


def _following(session: Session, ids: Collection[str]) -> dict[str, tuple[Posting, ...]]:
    found: defaultdict[str, list[Posting]] = defaultdict(list)
    for kept in postings(session, session.rows(SQL.txns_following, ids=list(ids))):
        assert kept.posting.follows is not None
        found[kept.posting.follows].append(kept.posting)
    return {txn_id: tuple(followers) for txn_id, followers in found.items()}


ACCOUNTS = Space(
    "balance", _accounts, SQL.save_balance, lambda member_id, account: (member_id, *account), lambda _: Account(), lane=str
)
"""Balances by member."""
OPEN_LOTS: Space[str, Lots] = Space("open lots", _open_lots, missing=lambda _: (), lane=str)
"""The lots with points left by member, in spend order, as they were read: a view of LEFT, never written itself.

Who gives points needs none of them, and a member may have very many.
"""
OPENED: Space[str, Lots] = Space("lots opened here", lambda _session, _members: {}, missing=lambda _: ())
"""The lots that this unit opened, by member, in spend order."""
MOVED: Space[str, Lots] = Space("lots moved here", lambda _session, _members: {}, missing=lambda _: ())
"""What is left in the lots that this unit took points from or gave them back to, by member; the last word stands last."""


def dead_at(now: str) -> Space[str, int]:
    """The points by member whose time is over by then, as they were read."""

    def load(session: Session, members: Collection[str]) -> dict[str, int]:
        return {row["member_id"]: int(row["points"]) for row in session.rows(SQL.dead_points, members=list(members), now=now)}

    return Space("dead points", load, missing=lambda _: 0, lane=str)


LEFT = Space("lot_left", _lots_left, SQL.save_left, lambda _, left: left, lane_of=lambda left: left.member_id)
"""What is left by lot."""
HOLDS = Space("hold", _holds, SQL.save_hold, _hold_row, lane_of=lambda hold: hold.member_id)
"""Holds by id."""
BUDGETS = Space(
    "budget", _budgets, SQL.save_budget, lambda campaign, points: (campaign, points), lambda _: 0, lane="budget:{}".format
)
"""What is left of campaigns' budgets."""
KEYS: Space[str, Kept | None] = Space("keys", _by_key)
"""What was posted, by idempotency key."""
POSTINGS: Space[str, Posting] = Space("postings", _by_id, lane_of=lambda posting: posting.member_id or posting.txn_id)
"""What was posted, by id."""
FOLLOWING: Space[str, tuple[Posting, ...]] = Space("following", _following, missing=lambda _: ())
"""What follows a transaction, by its id."""


def again(posting: Posting) -> Posting:
    """The posting as a repeated request gets it."""
    return posting._replace(repeated=True)
