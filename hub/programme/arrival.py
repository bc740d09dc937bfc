"""Arrival: what a fact does to its member by being there, before any recipe is asked.

`whose` at admission: which member a fact is about, made if need be. `take_note` when the event is worked: consent, activity,
who brought whom, what the platform says of the member, and the commands that members write.
"""

from __future__ import annotations

from datetime import datetime

from hub.programme import consent, messages, referring
from hub.programme.facts import HubFact, MemberJoined
from hub.programme.identities import PHONE_CHANNELS
from hub.programme.members import Member
from hub.programme.roll import Found, Roll
from hub.programme.work import Work
from hub.sdk.fact import Customer, Fact
from hub.sdk.facts import Booking, CustomerChanged, CustomersMerged, DealWon, JobCompleted, MessageReceived, Sale

_ACTIVITY = (Sale, JobCompleted, DealWon)


def whose(roll: Roll, fact: Fact, connection: str, at: datetime, *, cause: str) -> Found:
    """The member whom a fact is about. Facts that are no reason to join (a refund, a stranger's message) make nobody."""
    if isinstance(fact, HubFact):
        return Found(fact.member_id or None, False)
    customer = customer_of(fact)
    if customer is None:
        return Found(None, False)
    if not makes_member(fact):
        return Found(roll.find(customer, connection), False)
    return roll.find_or_create(customer, connection, at, cause=cause)


def customer_of(fact: Fact) -> Customer | None:
    """Whom a fact names, when that tells one person from another."""
    customer = fact.customer or _writer(fact)
    return customer if customer is not None and customer.is_known() else None


def makes_member(fact: Fact) -> bool:
    """True when an unknown customer of this fact becomes a member."""
    if isinstance(fact, MessageReceived):
        return fact.command == "join"
    if isinstance(fact, CustomerChanged):
        return not fact.deleted
    return fact.makes_member


def is_activity(fact: Fact) -> bool:
    """True when the fact ends a member's silence: a purchase, a finished job, a won deal, an appointment made or kept."""
    if isinstance(fact, Booking):
        return fact.status in {"booked", "completed"}
    return isinstance(fact, _ACTIVITY)


def joined(member: Member, at: datetime) -> MemberJoined:
    """The fact that somebody became a member."""
    return MemberJoined(member_id=member.id, key=f"joined:{member.id}", occurred_at=at, tier=member.tier)


def take_note(work: Work, claim: messages.Claim) -> None:
    """Do what the event's fact says by itself. claim: attaches a sale, see `hub.programme.messages`."""
    fact, programme = work.event.fact, work.programme
    for (channel, address), status, source in consent.said_in(fact, programme):
        consent.record(
            work.unit,
            channel,
            address,
            status,
            source=source,
            at=work.event.occurred_at,
            now=work.now,
            evidence=work.event.id,
        )
    messages.answer(work, claim)
    if work.member_id is None:
        return
    _fill(work, work.member_id)
    referring.take_note(work, work.member_id)
    if is_activity(fact):
        work.roll.touch(work.member_id, work.event.occurred_at)
    elif isinstance(fact, CustomerChanged):
        work.roll.adopt(work.member_id, fact, cause=work.event.id)
    elif isinstance(fact, CustomersMerged):
        work.roll.join_identities(work.member_id, work.event.connection, fact.merged_ids, cause=work.event.id)


def _fill(work: Work, member_id: str) -> None:
    """Take over what a platform's fact says of its member; the hub's own, which others caused, say nothing new."""
    event, customer = work.event, customer_of(work.event.fact)
    if customer is not None and event.depth == 0 and makes_member(event.fact):
        replace = isinstance(event.fact, CustomerChanged)
        work.roll.fill(member_id, customer, event.connection, cause=event.id, replace=replace)


def _writer(fact: Fact) -> Customer | None:
    """Who wrote a message, where the connector names nobody."""
    if not isinstance(fact, MessageReceived):
        return None
    return Customer(phone=fact.address) if fact.channel in PHONE_CHANNELS else Customer(email=fact.address)
