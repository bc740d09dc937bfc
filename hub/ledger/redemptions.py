"""Redemptions: points that were spent, and how many of them were given back; read in sets, holding nobody's lane."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from hub.ledger.sql import SQL
from hub.store import Row, Session

_SPENT = ("redeem", "capture")


class Redemption(NamedTuple):
    """Points that a member spent. left: those that were not given back. context: what the posting says of itself."""

    txn_id: str
    key: str
    points: int
    left: int
    context: Mapping[str, Any]


def redemptions(session: Session, *, ids: Collection[str] = (), keys: Collection[str] = ()) -> list[Redemption]:
    """The redemptions among these transactions, and among those that were posted under these keys."""
    rows = [*session.rows(SQL.txns_by_id, ids=list(ids)), *session.rows(SQL.txns_by_key, keys=list(keys))]
    spent = {row["id"]: row for row in rows if row["kind"] in _SPENT}
    back: Counter[str] = Counter()
    for row in session.rows(SQL.txns_following, ids=list(spent)):
        back[row["follows"]] += int(row["points"])
    return [_redemption(row, back[txn_id]) for txn_id, row in sorted(spent.items())]


def _redemption(row: Row, back: int) -> Redemption:
    points, context = int(row["points"]), json.loads(row["context"]) if row["context"] else {}
    return Redemption(row["id"], row["key"], points, points - back, context)
