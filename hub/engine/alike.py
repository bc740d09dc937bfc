"""Alike: what two platforms tell of one member, for the same amount at nearly the same time, and what nothing pairs.

It may be one repair, told as a job here and as a payment there; or two purchases. Only a person can say, so the second award is
held with the reason: replayed, it is given; dropped, it is not. Neither is paid twice silently.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal

from hub.engine.batch import Batch
from hub.engine.catalogue import MONEY
from hub.engine.events import Event, name_of, queries
from hub.engine.overlap import related
from hub.ids import since
from hub.programme.clawback import awards_of
from hub.store import Space

_TOLD_LATER = timedelta(days=2)
"""How much later than the other a platform may tell it: one that is asked once a day is late."""

_TOLD: Space[tuple[str, str], tuple[Event, ...]] = Space("money told of late", lambda _session, _keys: {})
"""(member, connection) -> what all other connections told: what a till tells of a company may be thousands."""
_HERE: Space[str, tuple[Event, ...]] = Space("money told here", lambda _session, _members: {}, missing=lambda _: ())
"""What was looked at in this unit, by member."""


def want(batch: Batch, events: Collection[Event]) -> None:
    """Read, in one query for each connection, what the others told of late about the members of these events."""
    asking = [event for event in events if _may_be_alike(batch, event) and not batch.unit.knows(_TOLD, _key(event))]
    if not asking:
        return
    first = min(event.recorded_at for event in asking)
    assert batch.programme.look_alikes is not None
    span = first - batch.programme.look_alikes.before(first, batch.programme.zone) + _TOLD_LATER
    oldest = since(min(event.id for event in asking), by=span)
    told: dict[tuple[str, str], list[Event]] = {_key(event): [] for event in asking}
    for connection in dict.fromkeys(connection for _, connection in told):
        members = sorted(member for member, asks in told if asks == connection)
        for row in batch.unit.session.rows(queries.money_of_members, members=members, since=oldest, except_of=connection):
            told[row["member_id"], connection].append(batch.events.from_row(row))
    for key, found in told.items():
        batch.unit.know(_TOLD, key, tuple(found))


def looks_like(batch: Batch, event: Event) -> str:
    """What an award for this event may be the second for, in a sentence; empty when nothing that has earned looks like it."""
    if not _may_be_alike(batch, event):
        return ""
    if not batch.unit.knows(_TOLD, _key(event)):
        want(batch, [event])
    assert event.member_id is not None
    here = batch.unit.get(_HERE, event.member_id) or ()
    batch.unit.know(_HERE, event.member_id, (*here, event))
    paired: set[str] | None = None
    for other in (*(batch.unit.get(_TOLD, _key(event)) or ()), *here):
        if other.connection == event.connection or not _are_alike(batch, event, other):
            continue
        paired = {one.id for one in related(batch, event)} if paired is None else paired
        if other.id not in paired and awards_of(batch.unit, other.id):
            name, at = name_of(other.connection, other.trigger), other.occurred_at.astimezone(batch.programme.zone)
            return (
                f"it looks like {name} of {at:%Y-%m-%d %H:%M} ({other.id}), which has earned points: the same member and "
                "amount, and nothing pairs the two. Replay it to give the points all the same, drop it if it is one purchase"
            )
    return ""


def _key(event: Event) -> tuple[str, str]:
    assert event.member_id is not None
    return event.member_id, event.connection


def _may_be_alike(batch: Batch, event: Event) -> bool:
    return (
        batch.catalogue.has_several_tellers
        and batch.programme.look_alikes is not None
        and event.member_id is not None
        and isinstance(event.fact, MONEY)
    )


def _are_alike(batch: Batch, one: Event, other: Event) -> bool:
    window, zone = batch.programme.look_alikes, batch.programme.zone
    earlier, later = sorted([one.occurred_at, other.occurred_at])
    is_near = window is not None and later <= window.after(earlier, zone)
    return is_near and _currency(one) == _currency(other) and bool(_amounts(one) & _amounts(other))


def _currency(event: Event) -> str | None:
    return getattr(event.fact, "currency", None)


def _amounts(event: Event) -> set[Decimal]:
    """What it came to, with and without tax: platforms tell one or the other."""
    said = (getattr(event.fact, name, None) for name in ("amount", "total"))
    return {amount for amount in said if amount}
