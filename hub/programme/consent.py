"""Consent: what was said about an address, and the gate before every message (promise 11).

Two things are kept of an address on a channel: the person's own last word (JOIN, START or subscribing against STOP or
unsubscribing) and what platforms noted last (a box ticked at a till, or not). Each is the latest by the time at which it was
said, so deliveries may come in any order; of two from the same moment the no holds. From them follows what holds: `withdrawn`
by their own word, which nothing passes and no platform's note lifts; `declined` by a later note, which an answer to the
member's own request passes; `granted`; or nothing yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from hub.clock import from_text, to_text
from hub.programme.identities import address_on
from hub.programme.members import queries
from hub.programme.settings import Programme
from hub.sdk.fact import Customer, Fact
from hub.sdk.facts import MessageReceived, Subscribed, Unsubscribed
from hub.store import Session, Space, Unit

Status = Literal["granted", "declined", "withdrawn"]
Key = tuple[str, str]
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_PLATFORM = "customer"


class Standing(NamedTuple):
    """What was said about an address. own: the person's own word, its source (`stop`, `join` …) and when it was said.

    noted: what a platform noted, and when.
    """

    own: Status | None = None
    own_source: str = ""
    own_at: datetime = _NEVER
    noted: Status | None = None
    noted_at: datetime = _NEVER

    @property
    def status(self) -> Status | None:
        """What holds; None when nothing was said."""
        if self.own == "granted" and self.noted == "declined" and self.noted_at > self.own_at:
            return "declined"
        return self.own or self.noted

    @property
    def at(self) -> datetime:
        """When what holds was said."""
        return self.own_at if self.status == self.own else self.noted_at


class Allowed(NamedTuple):
    """The message may go out."""


class Blocked(NamedTuple):
    """The message may not go out. reason: a sentence for the trace."""

    reason: str


def _load(session: Session, keys: Collection[Key]) -> Mapping[Key, Standing]:
    rows = session.rows(queries.consents_of, addresses=list({address for _, address in keys}))
    return {
        (row["channel"], row["address"]): Standing(
            row["own"], row["own_source"], from_text(row["own_at"]), row["noted"], from_text(row["noted_at"])
        )
        for row in rows
    }


def _row(key: Key, standing: Standing) -> tuple[str | None, ...]:
    own_at, noted_at = to_text(standing.own_at), to_text(standing.noted_at)
    return (*key, standing.own, standing.own_source, own_at, standing.noted, noted_at)


CONSENTS: Space[Key, Standing] = Space(
    "consent", _load, queries.save_consent, _row, lambda _: Standing(), lane=lambda key: f"consent:{key[1]}"
)


def record(
    unit: Unit, channel: str, address: str, status: Status, *, source: str, at: datetime, now: datetime, evidence: str
) -> bool:
    """Keep what was said about an address (in its written form); gives whether it changed what holds.

    source: `customer` for what a platform noted, else the person's own word. evidence: the event that shows it. The history
    keeps every word of their own that says something new, and every note that changes what holds.
    """
    before = unit.get(CONSENTS, (channel, address)) or Standing()
    no = status != "granted"
    if source == _PLATFORM:
        if at < before.noted_at or (at == before.noted_at and not no):
            return False
        after = before._replace(noted=status, noted_at=at)
    else:
        if at < before.own_at or (at == before.own_at and not no):
            return False
        after = before._replace(own=status, own_source=source, own_at=at)
    unit.put(CONSENTS, (channel, address), after)
    changed = after.status != before.status
    if changed or after.own != before.own:
        row = (channel, address, status, source, evidence, to_text(at), to_text(now))
        unit.append(queries.add_consent_change, row)
    return changed


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
    if isinstance(seen, Unit):
        standing = seen.get(CONSENTS, key) or Standing()
    else:
        standing = CONSENTS.load(seen, [key]).get(key) or Standing()
    if standing.status == "withdrawn":
        return Blocked(f"They opted out of {channel} ({standing.own_source}, {standing.at:%Y-%m-%d}); nothing is sent.")
    if answers_own_request:
        return Allowed()
    if standing.status == "declined":
        return Blocked(f"They said no to {channel} ({standing.at:%Y-%m-%d}); nothing is sent.")
    if standing.status is None and programme.policy(channel) == "opt_in":
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


def want_standing(unit: Unit, spoken_to: Collection[tuple[str, str]], programme: Programme) -> None:
    """Read in one query what holds for these (channel, address) before `gate` is asked about each."""
    found = [(channel, address_on(channel, address, programme.region)) for channel, address in spoken_to]
    unit.want(CONSENTS, [(channel, normal) for channel, normal in found if normal is not None])


def said_in(fact: Fact, programme: Programme) -> list[tuple[Key, Status, str]]:
    """What a fact says about consent: address, status and source. Addresses that cannot be one are left out."""
    said: list[tuple[Key, Status, str]] = []
    if fact.customer is not None and fact.customer.consents:
        for channel, yes in fact.customer.consents.items():
            said.append(((channel, _address_of(fact.customer, channel)), "granted" if yes else "declined", _PLATFORM))
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
