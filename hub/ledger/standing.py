"""Standing: what members have at a moment, for those who only show it: read in sets, holding nobody's lane."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from hub.clock import from_text, to_text
from hub.ledger.postings import Balance
from hub.ledger.spaces import ACCOUNTS, Account, dead_at
from hub.ledger.sql import SQL
from hub.store import Session


class Standing(NamedTuple):
    """A member's points. ends: when which of those that can be spent expire, the earliest first."""

    balance: Balance = Balance()
    ends: tuple[tuple[datetime, int], ...] = ()


def standings(session: Session, members: Collection[str], now: datetime) -> dict[str, Standing]:
    """How these members stand, in three queries."""
    accounts, dead = ACCOUNTS.load(session, members), dead_at(to_text(now)).load(session, members)
    ends: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for row in session.rows(SQL.ends_of, members=list(members), now=to_text(now)):
        ends[row["member_id"]].append((from_text(row["expires_at"]), int(row["points"])))
    return {one: Standing(_balance(accounts.get(one), dead.get(one, 0)), tuple(ends[one])) for one in members}


def _balance(account: Account | None, dead: int) -> Balance:
    return Balance() if account is None else Balance(account.available - dead, account.pending, account.held, account.debt)
