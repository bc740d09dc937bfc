"""Consent: what was said about an address, and the gate before every message (promise 11).

An address on a channel is `granted`, `declined` (they said no on some occasion, at a till for instance) or `withdrawn` (STOP,
or unsubscribed). Opt-out wins: of two words from the same moment the no holds, and only the person's own later word (START,
JOIN, subscribing) lifts a withdrawal; a record that a platform keeps does not. Nothing passes a withdrawal. An answer to the
member's own request, to the address that asked, passes all else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from hub.clock import from_text, to_text
from hub.programme.identities import address_on
from hub.programme.members import queries
from hub.programme.settings import Programme
from hub.sdk.facts import Customer, Fact, MessageReceived, Subscribed, Unsubscribed
from hub.store import Session, Space, Unit

Status = Literal["granted", "declined", "withdrawn"]
Key = tuple[str, str]
OWN_WORD = frozenset({"start", "join", "subscribed"})
"""Sources that are the person's own act; they lift an earlier withdrawal."""


class Standing(NamedTuple):
    """What holds for an address on a channel. source: `stop`, `join`, `subscribed`, `customer` … at: when it was said."""

    status: Status
    source: str
    at: datetime


class Allowed(NamedTuple):
    """The message may go out."""


class Blocked(NamedTuple):
    """The message may not go out. reason: a sentence for the trace."""

    reason: str


def _load(session: Session, keys: Collection[Key]) -> Mapping[Key, Standing]:
    rows = session.rows(queries.consents_of, addresses=list({address for _, address in keys}))
    return {(row["channel"], row["address"]): Standing(row["status"], row["source"], from_text(row["at"])) for row in rows}


def _row(key: Key, standing: Standing) -> tuple[str, ...]:
    return (*key, standing.status, standing.source, to_text(standing.at))


CONSENTS: Space[Key, Standing] = Space("consent", _load, queries.save_consent, _row)


def record(
    unit: Unit, channel: str, address: str, status: Status, *, source: str, at: datetime, now: datetime, evidence: str
) -> bool:
    """Keep what was said about an address (in its written form); gives whether it changed what holds.

    evidence: the event or delivery that shows it. A person's own word is kept in the history even where a later or stronger
    one stands against it; a platform's record that changes nothing is not.
    """
    own = source in OWN_WORD or status == "withdrawn"
    standing = unit.get(CONSENTS, (channel, address))
    if standing is not None and standing.status == status and (not own or standing.source in OWN_WORD or status == "withdrawn"):
        return False
    prevails = standing is None or _prevails(status, source, at, standing)
    if prevails or own:
        seen = (channel, address, status, source, evidence, to_text(at), to_text(now))
        unit.append(queries.add_consent_change, seen)
    if prevails:
        unit.put(CONSENTS, (channel, address), Standing(status, source, at))
    return prevails


def _prevails(status: Status, source: str, at: datetime, standing: Standing) -> bool:
    if standing.status == "withdrawn":
        return status == "granted" and source in OWN_WORD and at > standing.at
    if status == "granted":
        return at > standing.at
    return at >= standing.at


def gate(
    seen: Unit | Session, channel: str, address: str, programme: Programme, *, answers_own_request: bool
) -> Allowed | Blocked:
    """Whether a message to a member may go out now.

    answers_own_request: the member wrote to us from this very address and this is the answer (see `answers`).
    """
    normal = address_on(channel, address, programme.region)
    if normal is None:
        return Blocked(f"`{address}` is not an address that {channel} can reach; correct it in the member's record.")
    key = (channel, normal)
    standing = seen.get(CONSENTS, key) if isinstance(seen, Unit) else CONSENTS.load(seen, [key]).get(key)
    if standing is not None and standing.status == "withdrawn":
        return Blocked(f"They opted out of {channel} ({standing.source}, {standing.at:%Y-%m-%d}); nothing is sent.")
    if answers_own_request:
        return Allowed()
    if standing is not None and standing.status == "declined":
        return Blocked(f"They said no to {channel} ({standing.at:%Y-%m-%d}); nothing is sent.")
    if standing is None and programme.policy(channel) == "opt_in":
        return Blocked(f"They have not agreed to {channel} yet, which this programme needs (opt-in); nothing is sent.")
    return Allowed()


def answers(fact: Fact, channel: str, address: str, programme: Programme) -> bool:
    """True when a message to this address answers what was written from it: the request of promise 11."""
    if not isinstance(fact, MessageReceived) or fact.channel != channel:
        return False
    asked_from = address_on(channel, fact.address, programme.region)
    return asked_from is not None and asked_from == address_on(channel, address, programme.region)


def want(unit: Unit, facts: Collection[Fact], programme: Programme) -> None:
    """Read in one query what holds for every address that these facts may say something about."""
    unit.want(CONSENTS, [key for fact in facts for key, _, _ in said_in(fact, programme)])


def said_in(fact: Fact, programme: Programme) -> list[tuple[Key, Status, str]]:
    """What a fact says about consent: address, status and source. Addresses that cannot be one are left out."""
    said: list[tuple[Key, Status, str]] = []
    if fact.customer is not None and fact.customer.consents:
        for channel, yes in fact.customer.consents.items():
            said.append(((channel, _address_of(fact.customer, channel)), "granted" if yes else "declined", "customer"))
    if isinstance(fact, Subscribed):
        said.append(((fact.channel, fact.address), "granted", "subscribed"))
    elif isinstance(fact, Unsubscribed):
        said.append(((fact.channel, fact.address), "withdrawn", "unsubscribed"))
    elif isinstance(fact, MessageReceived) and fact.command in {"stop", "start", "join"}:
        said.append(((fact.channel, fact.address), "withdrawn" if fact.command == "stop" else "granted", fact.command))
    return [
        ((channel, normal), status, source)
        for (channel, address), status, source in said
        if (normal := address_on(channel, address, programme.region)) is not None
    ]


def _address_of(customer: Customer, channel: str) -> str:
    known = {"sms": customer.phone, "whatsapp": customer.phone, "email": customer.email}
    return known.get(channel) or ""
