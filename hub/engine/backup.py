"""Backup: what a copy of the hub says of itself, and what a restored one must not take for its own."""

from __future__ import annotations

from typing import Any

from hub.engine.calls import RESTORED
from hub.engine.cursors import INBOX
from hub.engine.events import queries as engine_queries
from hub.engine.inbox import queries as inbox_queries
from hub.ledger import newest_block
from hub.store import Session, load

queries = load("hub.engine", "backup.sql")


def facts(hub: Session, inbox: Session) -> dict[str, Any]:
    """What its maker can write down of a copy: the ledger's newest block, and how many deliveries were not worked yet."""
    block = newest_block(hub)
    return {
        "newest_block": None if block is None else {"seq": block[0], "hash": block[1]},
        "deliveries_to_work": waiting(hub, inbox),
    }


def waiting(hub: Session, inbox: Session) -> int:
    """How many deliveries of the inbox the hub has not worked."""
    place = hub.row(engine_queries.cursors, names=[INBOX])
    counted = inbox.row(inbox_queries.count_after, seq=int(place["value"]) if place is not None else 0)
    return int(counted["number"]) if counted is not None else 0


def is_used(hub: Session, inbox: Session) -> bool:
    """Whether anything has reached a hub, or happened in it."""
    return inbox.row(inbox_queries.last_place) is not None or hub.row(queries.anything_recorded) is not None


def forget_the_past(hub: Session, taken_at: str, *, hold_calls: bool) -> int:
    """Put a restored hub into the present; gives how many calls will be held.

    A worker that was at work then is not now. hold_calls: the calls that waited may have been made since, with nothing left
    to tell us so: a person looks at each. Otherwise nothing was worked since, and what was being made counts as cut off.
    """
    hub.run(queries.forget_workers)
    hub.run(queries.compare_mirrors)
    hub.run(queries.match_spend)
    return hub.run(queries.doubt_open_calls, note=f"{RESTORED}{taken_at}") if hold_calls else 0
