"""Batch: what is at hand while one transaction is worked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any

from hub.engine.catalogue import BUILT_IN, Catalogue
from hub.engine.events import READY, Event, Events
from hub.engine.plans import Plans
from hub.errors import HubError
from hub.ids import Ids
from hub.ledger import Book
from hub.programme.facts import HubFact
from hub.programme.roll import Roll
from hub.programme.settings import Programme
from hub.programme.work import EventInfo, Work
from hub.sdk.fact import Fact
from hub.store import Session, Space, Unit

DEPTH_MOST = 8
_IN_COMMON = frozenset(["customer", "product", "location", "loyalty_account"])
"""The kinds of things that facts may name which have nothing to do with one another."""
_MONEY = ("amount", "total", "tax", "tip", "shipping", "discount")


@dataclass(slots=True)
class Batch:
    """One unit of work with the rooms that write to it. causes: the events that may have caused facts of the hub's own."""

    unit: Unit
    now: datetime
    ids: Ids
    random: Random
    programme: Programme
    catalogue: Catalogue
    plans: Plans
    book: Book
    roll: Roll
    events: Events
    causes: dict[str | None, None] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        session: Session,
        *,
        now: datetime,
        ids: Ids,
        random: Random,
        programme: Programme,
        catalogue: Catalogue,
        plans: Plans,
    ) -> Batch:
        """A batch on a fresh unit."""
        unit = Unit(session)
        book = Book(unit, ids, now)
        roll = Roll(unit, programme, ids, now)
        events = Events(unit, catalogue.types, ids, now)
        return cls(unit, now, ids, random, programme, catalogue, plans, book, roll, events)

    @property
    def today(self) -> date:
        """The date in the programme's time zone."""
        return self.now.astimezone(self.programme.zone).date()

    def emit(self, fact: Fact, *, occurred_at: datetime, cause: Event | None) -> None:
        """Record a fact that arose here, if an enabled recipe listens; it is worked after its cause.

        HubError when the chain is too long: then two recipes feed each other.
        """
        if self.plans.listens(fact.fact):
            self.record_own(fact, trigger=fact.fact, occurred_at=occurred_at, cause=cause)

    def tell(self, fact: Fact) -> None:
        """Record a fact that no event caused, if an enabled recipe listens."""
        self.emit(fact, occurred_at=fact.occurred_at or self.now, cause=None)

    def record_own(self, fact: Fact, *, trigger: str, occurred_at: datetime, cause: Event | None = None) -> bool:
        """Record a fact that arose here; False when its key is known."""
        depth = cause.depth + 1 if cause is not None else 0
        if depth > DEPTH_MOST:
            raise HubError(
                f"{fact.fact} would be link {depth} of a chain of the hub's own facts; more than {DEPTH_MOST} are not worked. "
                "Two recipes probably feed each other: give one of them a condition or `once_per`."
            )
        key = fact.key if isinstance(fact, HubFact) else f"{cause.id if cause else ''}/{fact.fact}"
        # What an event causes is caused once, with it; what timers tell, and what says so, can have been told before.
        may_be_known = cause is None or (isinstance(fact, HubFact) and fact.told_once)
        if may_be_known and self.events.known((BUILT_IN, trigger, key)) is not None:
            return False
        event_id = self.events.new_id()
        member_id = (fact.member_id or None) if isinstance(fact, HubFact) else cause.member_id if cause else None
        event = Event(
            id=event_id,
            connection=BUILT_IN,
            trigger=trigger,
            key=key,
            fact=fact,
            lane=member_id or (cause.lane if cause else event_id),
            member_id=member_id,
            state=READY,
            occurred_at=occurred_at,
            recorded_at=self.now,
            cause_id=cause.id if cause is not None else None,
            depth=depth,
        )
        self.events.record(event)
        self.causes[event.cause_id] = None
        self.unit.know(EMITTED, event.cause_id, (*(self.unit.get(EMITTED, event.cause_id) or ()), event))
        return True

    def emitted(self, cause_id: str | None) -> tuple[Event, ...]:
        """The hub's own facts that this event caused (None: that no event caused) and that are still to be worked; once."""
        found = self.unit.get(EMITTED, cause_id) or ()
        if found:
            self.unit.know(EMITTED, cause_id, ())
        return found

    def in_own_currency(self, event: Event) -> Event:
        """The event as recipes see it, with what was turned over in the programme's currency; what came stays in its row.

        Other amounts of a connector's own facts stay as they are, in their currency. Parked when there is no exchange rate.
        """
        currency = getattr(event.fact, "currency", None)
        amounts = {name: amount for name in _MONEY if (amount := getattr(event.fact, name, None)) is not None}
        if currency in (None, self.programme.currency) or not event.fact.is_turnover or not amounts:
            return event
        changed: dict[str, object] = {"currency": self.programme.currency}
        for name, amount in amounts.items():
            changed[name] = self.programme.in_own_currency(amount, currency)
        return event._replace(fact=event.fact.model_copy(update=changed))

    def view_of(self, member_id: str | None) -> Mapping[str, Any] | None:
        """The member as recipes see them at this moment of the work."""
        if member_id is None:
            return None
        member = self.roll.get(member_id)
        return member.view(self.book.balance(member_id), self.programme)

    def work_for(
        self,
        event: Event,
        *,
        key: str,
        step: str | None = None,
        run_id: str | None = None,
        recipe: str | None = None,
        version: str | None = None,
    ) -> Work:
        """What a built-in step on this event may use."""

        def emit(fact: Fact) -> None:
            self.emit(fact, occurred_at=fact.occurred_at or self.now, cause=event)

        return Work(
            unit=self.unit,
            book=self.book,
            roll=self.roll,
            programme=self.programme,
            ids=self.ids,
            now=self.now,
            event=EventInfo(event.id, event.key, event.fact, event.occurred_at, event.depth, event.connection, event.trigger),
            member_id=event.member_id,
            run_id=run_id,
            recipe=recipe,
            version=version,
            step=step,
            key=key,
            emit=emit,
            listens=self.plans.listens,
            about=lambda: self.events.about([thing for thing in event.things if thing[1] not in _IN_COMMON]),
        )


def _none(session: Session, causes: Collection[str | None]) -> dict[str | None, tuple[Event, ...]]:
    return {}


EMITTED: Space[str | None, tuple[Event, ...]] = Space("emitted", _none)
"""The hub's own facts of this batch by their cause; kept in the unit, so that what a failed step emitted is undone with it."""
