"""Showing: what the fields of a platform should say of members at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from hub.engine.batch import Batch
from hub.engine.mirrors.rows import Image
from hub.ledger import Standing, standings
from hub.programme.members import MEMBERS, Member
from hub.programme.members import queries as member_queries
from hub.programme.settings import Programme
from hub.sdk import Connection, Customer, Mirrored
from hub.sdk.mirror import MirrorValue
from hub.store import Session

_INSTANT = timedelta(microseconds=1)


def shown_at(batch: Batch, connection: Connection, images: Mapping[str, Image]) -> dict[str, Mirrored]:
    """What a platform should show of these members, by member; read as it stands, holding nobody's lane."""
    session, members = batch.unit.session, list(images)
    if not members:
        return {}
    standing = standings(session, members, batch.now)
    ids = _platform_ids(session, connection.name, members)
    shown = {}
    for member_id, member in MEMBERS.load(session, members).items():
        values = _values(member, standing[member_id], batch.programme)
        customer = Customer(
            id=images[member_id].platform_id or ids.get(member_id),
            email=member.email,
            phone=member.phone,
            first_name=member.first_name,
            last_name=member.last_name,
        )
        shown[member_id] = Mirrored(customer, {field: values[what] for what, field in connection.mirror.items()})
    return shown


def _values(member: Member, standing: Standing, programme: Programme) -> dict[str, MirrorValue]:
    days: defaultdict[date, int] = defaultdict(int)
    for moment, points in standing.ends:
        days[_last_day(moment, programme)] += points
    first = min(days, default=None)
    return {
        "balance": standing.balance.spendable,
        "tier": member.tier,
        "expires": first,
        "expiring": days[first] if first is not None else 0,
        "lifetime": member.lifetime_points,
        "joined": member.joined_on,
    }


def _last_day(moment: datetime, programme: Programme) -> date:
    """The last day on which points can be spent that expire at a moment, such as the midnight after it."""
    return (moment - _INSTANT).astimezone(programme.zone).date()


def _platform_ids(session: Session, connection: str, members: list[str]) -> dict[str, str]:
    """The platform's own ids of these members; of several the one that was told last."""
    prefix = f"id:{connection}:"
    rows = [row for row in session.rows(member_queries.identities_of, ids=members) if row["identity"].startswith(prefix)]
    rows.sort(key=lambda row: row["added_at"])
    return {row["member_id"]: row["identity"].removeprefix(prefix) for row in rows}
