"""Members: the record of a person in the programme, and how it is kept.

The ledger knows a member only by a random id; what is personal stands in these tables alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from hub.clock import from_text, to_text
from hub.ledger import Balance
from hub.programme.settings import Programme
from hub.sdk.values import Money, Points, from_minor
from hub.store import Row, Session, Space, load

queries = load("hub.programme")

_NO_TAGS: frozenset[str] = frozenset()
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


class Member(NamedTuple):
    """A person in the programme as of now.

    joined_on: the local date of joining. lifetime_points: what was earned for good, awards less clawbacks; never lowered by
    spending or expiry. last_activity_at: of the last purchase, visit or the like. purchases, spent: what was bought and not
    given back, spent in minor units of the programme's currency. referred_by: the member who brought them.
    """

    id: str
    joined_at: datetime
    joined_on: date
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    birthday: date | None = None
    language: str | None = None
    tier: str | None = None
    tags: frozenset[str] = _NO_TAGS
    attributes: Mapping[str, str] = _NO_ATTRIBUTES
    last_activity_at: datetime | None = None
    lifetime_points: int = 0
    purchases: int = 0
    spent: int = 0
    referred_by: str | None = None

    def view(self, balance: Balance, programme: Programme) -> dict[str, Any]:
        """What recipes see as `member`; the fields of MemberView."""
        last = self.last_activity_at
        return {
            "id": self.id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "phone": self.phone,
            "birthday": self.birthday,
            "language": self.language,
            "joined_on": self.joined_on,
            "tier": self.tier,
            "tags": sorted(self.tags),
            "attributes": self.attributes,
            "balance": balance.spendable,
            "pending": balance.pending,
            "lifetime_points": self.lifetime_points,
            "last_activity_on": None if last is None else last.astimezone(programme.zone).date(),
            "purchases": self.purchases,
            "spent": from_minor(self.spent, programme.currency),
            "referred_by": self.referred_by,
        }


class MemberView(BaseModel):
    """`member` in recipes: the types for the checker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    birthday: date | None = None
    language: str | None = None
    joined_on: date
    tier: str | None = None
    tags: list[str]
    attributes: dict[str, str]
    balance: Points
    pending: Points = 0
    lifetime_points: Points
    last_activity_on: date | None = None
    purchases: int = 0
    spent: Money = Decimal(0)
    referred_by: str | None = None


def _load_members(session: Session, ids: Collection[str]) -> dict[str, Member]:
    return {row["id"]: _member(row) for row in session.rows(queries.members_of, ids=list(ids))}


def _member(row: Row) -> Member:
    birthday, last = row["birthday"], row["last_activity_at"]
    return Member(
        row["id"],
        from_text(row["joined_at"]),
        date.fromisoformat(row["joined_on"]),
        row["first_name"],
        row["last_name"],
        row["email"],
        row["phone"],
        date.fromisoformat(birthday) if birthday else None,
        row["language"],
        row["tier"],
        _NO_TAGS if row["tags"] == "[]" else frozenset(json.loads(row["tags"])),
        _NO_ATTRIBUTES if row["attributes"] == "{}" else MappingProxyType(json.loads(row["attributes"])),
        from_text(last) if last else None,
        row["lifetime_points"],
        row["purchases"],
        row["spent"],
        row["referred_by"],
    )


def _member_row(_: str, member: Member) -> tuple[Any, ...]:
    birthday, last = member.birthday, member.last_activity_at
    return (
        member.id,
        to_text(member.joined_at),
        member.joined_on.isoformat(),
        member.joined_on.strftime("%m-%d"),
        member.first_name,
        member.last_name,
        member.email,
        member.phone,
        birthday.isoformat() if birthday else None,
        birthday.strftime("%m-%d") if birthday else None,
        member.language,
        member.tier,
        json.dumps(sorted(member.tags), ensure_ascii=False) if member.tags else "[]",
        json.dumps(dict(member.attributes), ensure_ascii=False, sort_keys=True) if member.attributes else "{}",
        to_text(last) if last else None,
        member.lifetime_points,
        member.purchases,
        member.spent,
        member.referred_by,
    )


def _load_identities(session: Session, identities: Collection[str]) -> dict[str, str]:
    rows = session.rows(queries.members_by_identity, identities=list(identities))
    return {row["identity"]: row["member_id"] for row in rows}


MEMBERS: Space[str, Member] = Space("member", _load_members, queries.save_member, _member_row, lane=str)
IDENTITIES: Space[str, str] = Space("identity", _load_identities)
