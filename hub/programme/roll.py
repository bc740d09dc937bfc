"""The roll: finds, makes and changes members inside one unit of work.

Facts fill what is missing in a member's record; only a platform's own "customer changed" replaces what is there, so that two
platforms that disagree do not take turns. A member's row is the current state, `member_change` is how it came about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from hub.clock import to_text
from hub.ids import Ids
from hub.programme.identities import Names, names_of
from hub.programme.members import IDENTITIES, MEMBERS, Member, queries
from hub.programme.settings import Programme
from hub.sdk.fact import Customer
from hub.sdk.facts import CustomerChanged
from hub.sdk.values import email, phone
from hub.store import Unit

_COPIED = ("first_name", "last_name", "birthday", "language")


class Found(NamedTuple):
    """Whom a customer record is about, if anybody, and whether this record made them a member."""

    member_id: str | None
    created: bool


class Roll:
    """The members as one unit of work sees and changes them. cause: the event or command behind a change, for the history."""

    def __init__(self, unit: Unit, programme: Programme, ids: Ids, now: datetime) -> None:
        self._unit = unit
        self._programme = programme
        self._region = programme.region
        self._ids = ids
        self._now = now

    def want(self, customers: Iterable[tuple[Customer, str]]) -> None:
        """Read in one query whom these records (each with its connection) are about."""
        identities = [name for customer, place in customers for name in names_of(customer, place, self._region).identities]
        self._unit.want(IDENTITIES, identities)

    def want_members(self, ids: Collection[str]) -> None:
        """Read these members in one query."""
        self._unit.want(MEMBERS, ids)

    def get(self, member_id: str) -> Member:
        """The member as this unit sees them. KeyError when there is none."""
        member = self._unit.get(MEMBERS, member_id)
        if member is None:
            raise KeyError(member_id)
        return member

    def find(self, customer: Customer, connection: str) -> str | None:
        """Whom a customer record is about, by its strongest known identity; changes nothing."""
        for identity in names_of(customer, connection, self._region).identities:
            owner = self._unit.get(IDENTITIES, identity)
            if owner is not None:
                return owner
        return None

    def owner_of(self, identity: str) -> str | None:
        """Whom an identity finds."""
        return self._unit.get(IDENTITIES, identity)

    def give_identity(self, member_id: str, identity: str) -> bool:
        """Let an identity find this member; False when it finds somebody else."""
        holder = self.owner_of(identity)
        if holder is None:
            self._add_identity(member_id, identity)
        return holder in (None, member_id)

    def find_or_create(self, customer: Customer, connection: str, at: datetime, *, cause: str) -> Found:
        """The member that a customer record is about; made when nobody is known by any of its identities.

        New identities are added; those that belong to somebody else stay theirs, and a note is kept. Nothing else of a known
        member is read or changed: `fill` does that, when it is the turn of their lane.
        """
        names = names_of(customer, connection, self._region)
        owner: str | None = None
        fresh: list[str] = []
        foreign: list[tuple[str, str]] = []
        for identity in names.identities:
            holder = self._unit.get(IDENTITIES, identity)
            if holder is None:
                fresh.append(identity)
            elif owner is None:
                owner = holder
            elif holder != owner:
                foreign.append((identity, holder))
        if owner is None and not fresh:
            return Found(None, False)
        member_id = owner or self._create(at, cause).id
        for identity in fresh:
            self._add_identity(member_id, identity)
        for identity, holder in foreign:
            self._note(identity, member_id, holder, cause)
        return Found(member_id, owner is None)

    def fill(self, member_id: str, customer: Customer, connection: str, *, cause: str, replace: bool = False) -> Member:
        """Fill what is missing in a member's record. replace: the platform's newest word also replaces what is there.

        An address by which somebody else is known is not taken over.
        """
        member, names = self.get(member_id), names_of(customer, connection, self._region)
        said = {field: getattr(customer, field) for field in _COPIED}
        changed = {field: new for field, new in said.items() if new and _is_news(getattr(member, field), new, replace)}
        if _better(member.email, names.email, "email:", names, replace) and self._is_theirs(member_id, f"email:{names.email}"):
            changed["email"] = names.email
        if _better(member.phone, names.phone, "phone:", names, replace) and self._is_theirs(member_id, f"phone:{names.phone}"):
            changed["phone"] = names.phone
        if not changed:
            return member
        for field, new in changed.items():
            self._write_change(member_id, field, getattr(member, field), new, cause)
        return self._put(member._replace(**changed))

    def adopt(self, member_id: str, changed: CustomerChanged, *, cause: str) -> Member:
        """Take over the tags and attributes that a platform has for a customer; its tags are added, none is removed."""
        for tag in changed.tags:
            self.tag(member_id, tag, cause=cause)
        for name, value in changed.attributes.items():
            self.set_attribute(member_id, name, value, cause=cause)
        return self.get(member_id)

    def join_identities(self, member_id: str, connection: str, platform_ids: Iterable[str], *, cause: str) -> None:
        """A platform made one customer of several: its old ids find this member from now on.

        An id that belongs to another member stays theirs and is noted; balances are not moved.
        """
        for platform_id in platform_ids:
            identity = f"id:{connection}:{platform_id}"
            if not self.give_identity(member_id, identity):
                self._note(identity, member_id, self.owner_of(identity) or "", cause)

    def change(self, member_id: str, field: str, value: Any, *, cause: str) -> Member:
        """Give one field a new value; the same value changes nothing."""
        member = self.get(member_id)
        old = getattr(member, field)
        if old == value:
            return member
        self._write_change(member_id, field, old, value, cause)
        return self._put(member._replace(**{field: value}))

    def tag(self, member_id: str, tag: str, *, cause: str) -> bool:
        """Put a tag on a member; False when it was there."""
        member = self.get(member_id)
        if tag in member.tags:
            return False
        self._write_change(member_id, "tags", None, tag, cause)
        self._put(member._replace(tags=member.tags | {tag}))
        return True

    def untag(self, member_id: str, tag: str, *, cause: str) -> bool:
        """Take a tag off a member; False when it was not there."""
        member = self.get(member_id)
        if tag not in member.tags:
            return False
        self._write_change(member_id, "tags", tag, None, cause)
        self._put(member._replace(tags=member.tags - {tag}))
        return True

    def set_attribute(self, member_id: str, name: str, value: str | None, *, cause: str) -> bool:
        """Give an attribute a value, or take it away with None; False when it was so."""
        member = self.get(member_id)
        old = member.attributes.get(name)
        if old == value:
            return False
        kept = {key: held for key, held in member.attributes.items() if key != name}
        if value is not None:
            kept[name] = value
        self._write_change(member_id, f"attributes.{name}", old, value, cause)
        self._put(member._replace(attributes=MappingProxyType(kept)))
        return True

    def count_points(self, member_id: str, points: int) -> Member:
        """Add to the points earned for good, or take off what was clawed back; the ledger is their history."""
        member = self.get(member_id)
        return self._put(member._replace(lifetime_points=max(0, member.lifetime_points + points)))

    def count_purchases(self, member_id: str, purchases: int, spent: int, *, at: datetime | None = None) -> Member:
        """Add to what the member has bought, or take off what came back. spent: minor units of the programme's currency.

        at: when they bought; then they were active.
        """
        member = self.get(member_id)
        last = member.last_activity_at
        active = at if last is None or (at is not None and last < at) else last
        counted = max(0, member.purchases + purchases), max(0, member.spent + spent)
        return self._put(member._replace(purchases=counted[0], spent=counted[1], last_activity_at=active))

    def touch(self, member_id: str, at: datetime) -> Member:
        """The member was active at this moment; an earlier one than the last changes nothing."""
        member = self.get(member_id)
        if member.last_activity_at is not None and member.last_activity_at >= at:
            return member
        return self._put(member._replace(last_activity_at=at))

    def touched(self) -> Collection[str]:
        """The members who were made, changed or given another identity here."""
        return {*self._unit.changed(MEMBERS), *(member_id for _, member_id, _ in self._unit.appended(queries.add_identity))}

    def _create(self, at: datetime, cause: str) -> Member:
        local = at.astimezone(self._programme.zone).date()
        member = Member(self._ids.new("mem"), at, local, tier=self._programme.tier_for(0))
        self._write_change(member.id, "joined_at", None, at, cause)
        if member.tier is not None:
            self._write_change(member.id, "tier", None, member.tier, cause)
        return self._put(member)

    def _add_identity(self, member_id: str, identity: str) -> None:
        self._unit.append(queries.add_identity, (identity, member_id, to_text(self._now)))
        self._unit.know(IDENTITIES, identity, member_id)

    def _is_theirs(self, member_id: str, identity: str) -> bool:
        return self._unit.get(IDENTITIES, identity) in (None, member_id)

    def _note(self, identity: str, member_id: str, owner_id: str, cause: str) -> None:
        self._unit.append(queries.add_identity_conflict, (identity, member_id, owner_id, cause, to_text(self._now)))

    def _write_change(self, member_id: str, field: str, old: Any, new: Any, cause: str) -> None:
        self._unit.append(queries.add_member_change, (member_id, field, _text(old), _text(new), cause, to_text(self._now)))

    def _put(self, member: Member) -> Member:
        self._unit.put(MEMBERS, member.id, member)
        return member


def _is_news(old: Any, new: Any, replace: bool) -> bool:
    return old is None or (replace and old != new)


def _better(old: str | None, new: str | None, kind: str, names: Names, replace: bool) -> bool:
    """True when `new` should stand in the record: nothing does, or it is newer, or it can be reached and the old cannot."""
    if new is None or new == old:
        return False
    usable = kind + new in names.identities
    if old is None or (replace and usable):
        return True
    return usable and (email(old) if kind == "email:" else phone(old)) is None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return to_text(value) if isinstance(value, datetime) else str(value)
