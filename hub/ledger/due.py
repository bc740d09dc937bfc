"""Due: what time brings to lots and holds."""

from __future__ import annotations

from datetime import datetime

from hub.clock import from_text, to_text
from hub.ledger.postings import Hold, Lot
from hub.ledger.spaces import hold_of
from hub.ledger.sql import SQL
from hub.store import Session


def lots_due(session: Session, until: datetime, limit: int) -> list[Lot]:
    """At most `limit` lots with points left whose time is over by `until`, the earliest first."""
    return [
        Lot(
            row["lot_id"],
            row["member_id"],
            row["points"],
            row["points_left"],
            from_text(row["expires_at"]),
            from_text(row["effective_at"]),
        )
        for row in session.rows(SQL.lots_due, until=to_text(until), most=limit)
    ]


def lots_expiring(session: Session, after: datetime, until: datetime) -> list[tuple[str, datetime, int]]:
    """Member, moment and points of what expires after one moment and not later than another."""
    rows = session.rows(SQL.lots_expiring, after=to_text(after), until=to_text(until))
    return [(row["member_id"], from_text(row["expires_at"]), int(row["points"])) for row in rows]


def next_expiry(session: Session) -> datetime | None:
    """When the next points expire; None when none do."""
    row = session.row(SQL.next_expiry)
    return None if row is None else from_text(row["expires_at"])


def holds_due(session: Session, until: datetime, limit: int) -> list[Hold]:
    """At most `limit` open holds whose time is over by `until`, the earliest first."""
    return [hold_of(row) for row in session.rows(SQL.holds_due, until=to_text(until), most=limit)]
