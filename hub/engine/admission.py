"""Admission: makes events of deliveries, each business fact once, in its member's lane.

Nothing here asks a platform: a thin notice becomes a call, and what the call brings comes back through the same door.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub import log
from hub.clock import to_text
from hub.engine.alerts import silence
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.events import DONE, PARKED, READY, UNCLAIMED, Event, fact_text, queries, thing
from hub.engine.inbox import Delivery
from hub.engine.mirrors.echo import without_our_word
from hub.engine.pulled import item_of
from hub.engine.refunds import sale_of
from hub.engine.spend import orders
from hub.engine.told import Told
from hub.errors import Unreadable
from hub.programme import arrival
from hub.programme.messages import recognise
from hub.sdk import Connection, Item, Request
from hub.sdk import facts as words
from hub.sdk.fact import Fact
from hub.sdk.trigger import Trigger

_LOG = log.get(__name__)


class Reading(NamedTuple):
    """A fact as it was read, before the hub knows whether it is new."""

    connection: str
    trigger: str
    key: str
    fact: Fact
    delivery_id: str | None
    received_at: datetime
    told_at: datetime | None = None
    is_stamped: bool = False
    """Whether the platform said no time, so that the hub's own stands in the fact."""
    stood_at: datetime | None = None
    """When it was so, where the platform was asked; else when it was received."""


class Admission:
    """Reads deliveries and places their facts, within one batch."""

    def __init__(self, batch: Batch, connections: dict[str, Connection]) -> None:
        self._batch = batch
        self._connections = connections
        self.unreadable: dict[str, str] = {}
        """Why deliveries, by id, could not be read, or not all of them."""
        self.new: list[Event] = []
        """The facts that were told for the first time."""

    def admit(self, deliveries: Sequence[Delivery]) -> list[Event]:
        """The events that can be worked now, in order. Every delivery leaves events, calls or a receipt behind."""
        told = [(one.connection, one.received_at) for one in deliveries if one.kind == "http"]
        silence.note(self._batch.unit, told)
        return self.place([reading for delivery in deliveries for reading in self._read(delivery)])

    def place(self, readings: Sequence[Reading]) -> list[Event]:
        """Record what is new; the events that can be worked now, in order."""
        self._preload(readings)
        sold = [
            orders.Heard(one.connection, one.fact, one.stood_at or one.received_at)
            for one in readings
            if isinstance(one.fact, words.RewardOrder)
        ]
        orders.keep(self._batch.unit, sold)
        placed = [event.id for reading in readings if (event := self._place(reading)) is not None]
        # As they stand at the end: a later reading may have brought newer content of an earlier one.
        return [event for event in map(self._batch.events.by_id, placed) if event is not None]

    def place_told(
        self, connection: str, told: Sequence[Told], delivery_id: str | None, received_at: datetime, asked_at: datetime
    ) -> list[Event]:
        """Place what a platform told when it was asked; the events that can be worked now."""
        readings = [self._reading(connection, one, delivery_id, received_at) for one in told]
        return self.place([one._replace(stood_at=asked_at) for one in readings])

    def _read(self, delivery: Delivery) -> list[Reading]:
        if delivery.kind == "row":
            return self._read_row(delivery)
        if delivery.kind == "pulled":
            return self._read_pulled(delivery)
        connection = self._connections.get(delivery.connection)
        if connection is None:
            return self._receipt(delivery, "unreadable", f"there is no connection `{delivery.connection}` any more")
        try:
            items = connection.connector.items(_request(delivery, connection), connection)
        except Unreadable as error:
            return self._receipt(delivery, "unreadable", str(error))
        readings: list[Reading] = []
        problems: list[str] = []
        quiet: list[str] = []
        for item in items:
            try:
                found = self._read_item(connection, item, delivery.id, delivery.received_at)
            except Unreadable as error:
                problems.append(str(error))
                continue
            readings += found
            if not found:
                quiet.append(item.kind)
        if problems:
            self._receipt(delivery, "unreadable", "; ".join(problems))
        elif quiet and not readings:
            self._receipt(delivery, "ignored", f"nothing to do for {', '.join(dict.fromkeys(quiet))}")
        return readings

    def _read_row(self, delivery: Delivery) -> list[Reading]:
        """A row of an imported file; it was checked before it was kept."""
        row = json.loads(delivery.body)
        fact_type = self._batch.catalogue.types.word(row["fact"])
        if fact_type is None:
            return self._receipt(delivery, "unreadable", f"there is no fact `{row['fact']}`")
        fact = self._stamped(fact_type.model_validate(row["data"]), delivery.received_at)
        return [Reading(delivery.connection, fact.fact, row["key"], fact, delivery.id, delivery.received_at)]

    def _read_pulled(self, delivery: Delivery) -> list[Reading]:
        """A record that a pull brought and that could not be read then."""
        connection = self._connections.get(delivery.connection)
        pull = connection.connector.pulls.get(delivery.path) if connection is not None else None
        if connection is None or pull is None:
            gone = f"there is no pull `{delivery.path}` of a connection `{delivery.connection}` any more"
            return self._receipt(delivery, "unreadable", gone)
        try:
            trigger = connection.connector.triggers[pull.trigger]
            return self._read_by(trigger, connection, item_of(delivery), delivery.id, delivery.received_at)
        except Unreadable as error:
            return self._receipt(delivery, "unreadable", str(error))

    def _read_item(self, connection: Connection, item: Item, delivery_id: str | None, received_at: datetime) -> list[Reading]:
        if item.problem:
            raise Unreadable(item.problem)
        if not connection.connector.is_ours(item, connection):
            return []
        heard = connection.connector.triggers_for(item)
        return [one for trigger in heard for one in self._read_by(trigger, connection, item, delivery_id, received_at)]

    def _read_by(
        self, trigger: Trigger, connection: Connection, item: Item, delivery_id: str | None, received_at: datetime
    ) -> list[Reading]:
        if item.problem:
            raise Unreadable(item.problem)
        if trigger.thin_for(connection) or trigger.poke:
            self._call_for(connection, trigger, item, delivery_id)
            return []
        told = [Told(trigger, fact, item.at) for fact in trigger.read(item, connection)]
        return [self._reading(connection.name, one, delivery_id, received_at) for one in told]

    def _reading(self, connection: str, told: Told, delivery_id: str | None, received_at: datetime) -> Reading:
        fact = without_our_word(self._stamped(told.fact, told.at or received_at), self._connections.get(connection))
        key, is_stamped = told.trigger.key_of(fact), told.at is None and told.fact.occurred_at is None
        return Reading(connection, told.trigger.name, key, fact, delivery_id, received_at, told.at, is_stamped)

    def _stamped(self, fact: Fact, at: datetime) -> Fact:
        """With the time of receipt where the platform says none, and the command where a message is one."""
        if fact.occurred_at is None:
            fact = fact.model_copy(update={"occurred_at": at})
        return recognise(fact, self._batch.programme) if isinstance(fact, words.MessageReceived) else fact

    def _call_for(self, connection: Connection, trigger: Trigger, item: Item, delivery_id: str | None) -> None:
        batch, now = self._batch, self._batch.now
        call = Call(
            id=batch.ids.new("call"),
            kind="pull" if trigger.pull is not None else "fetch",
            connection=connection.name,
            name=trigger.pull.name if trigger.pull is not None else trigger.name,
            lane=connection.name,
            input=_told_later(trigger, item, delivery_id),
            due_at=now,
            created_at=now,
            changed_at=now,
        )
        batch.unit.put(CALLS, call.id, call)

    def _receipt(self, delivery: Delivery, state: str, note: str) -> list[Reading]:
        if state == "unreadable":
            _LOG.warning("a delivery cannot be read", connection=delivery.connection, delivery=delivery.id, reason=note)
            self.unreadable[delivery.id] = note
        row = (delivery.id, delivery.seq, delivery.connection, state, note, to_text(self._batch.now))
        self._batch.unit.append(queries.add_receipt, row)
        return []

    def _preload(self, readings: Sequence[Reading]) -> None:
        batch = self._batch
        things = [thing(ref, reading.connection) for reading in readings for ref in reading.fact.references]
        batch.events.want([(one.connection, one.trigger, one.key) for one in readings], things)
        named = ((arrival.customer_of(one.fact), one.connection) for one in readings)
        batch.roll.want([(customer, connection) for customer, connection in named if customer is not None])

    def _place(self, reading: Reading) -> Event | None:
        batch, fact = self._batch, reading.fact
        known = batch.events.known((reading.connection, reading.trigger, reading.key))
        if known is not None:
            return self._revise(known, reading)
        event = Event(
            id=batch.events.new_id(),
            connection=reading.connection,
            trigger=reading.trigger,
            key=reading.key,
            fact=fact,
            lane="",
            member_id=None,
            state=READY,
            occurred_at=fact.occurred_at or reading.received_at,
            recorded_at=batch.now,
            told_at=reading.told_at,
            delivery_id=reading.delivery_id,
        )
        self.new.append(event)
        return self._settle_lane(event)

    def _settle_lane(self, event: Event) -> Event | None:
        """Give the event its member and lane, and keep it; None when it has to wait."""
        batch = self._batch
        if isinstance(event.fact, words.Refund) and event.things:
            return self._place_refund(event)
        member_id = self._member_of(event)
        if member_id is None and isinstance(event.fact, words.Sale):
            batch.events.record(event._replace(lane=event.id, state=UNCLAIMED, note="the buyer is not known yet"))
            return None
        placed = event._replace(lane=member_id or event.id, member_id=member_id, state=READY, note="")
        batch.events.record(placed)
        return placed

    def _place_refund(self, event: Event) -> Event | None:
        batch = self._batch
        sale = sale_of(batch, event)
        if sale is not None and sale.state == UNCLAIMED:
            sale = batch.events.held(sale)  # somebody may be claiming it now
        placed = event._replace(lane=event.id, member_id=None, state=READY, note="")
        if sale is not None:
            placed = placed._replace(lane=sale.lane, member_id=sale.member_id)
        batch.events.record(placed)
        if sale is None or sale.state == UNCLAIMED:
            batch.events.wait_for(placed, event.things)
            return None
        return placed

    def _member_of(self, event: Event) -> str | None:
        batch = self._batch
        found = arrival.whose(batch.roll, event.fact, event.connection, event.occurred_at, cause=event.id)
        if found.member_id is not None and found.created:
            fact = arrival.joined(batch.roll.get(found.member_id), event.occurred_at)
            batch.emit(fact, occurred_at=event.occurred_at, cause=event)
        return found.member_id or self._buyer(event)

    def _buyer(self, event: Event) -> str | None:
        """Who bought what a review is about, where it does not say who wrote it."""
        if not isinstance(event.fact, words.Review):
            return None
        about = map(self._batch.events.by_id, self._batch.events.about(event.things))
        sales = (one for one in about if one is not None and isinstance(one.fact, words.Sale))
        return next((sale.member_id for sale in sales if sale.member_id), None)

    def _revise(self, known: Event, reading: Reading) -> Event | None:
        """The same key again: an event that was not worked yet adopts newer content, a worked one shows it.

        Platforms promise no order: an older state that comes late changes nothing.
        """
        fact = reading.fact
        if reading.is_stamped:  # our own clock is no news
            fact = fact.model_copy(update={"occurred_at": known.fact.occurred_at})
        if known.told_at is not None and reading.told_at is not None and reading.told_at < known.told_at:
            return None
        if fact_text(fact) == fact_text(known.fact):
            return None
        known = self._batch.events.held(known)
        if known.state == DONE:
            changed = [name for name, value in fact if value != getattr(known.fact, name, None)]
            note = f"a later delivery says otherwise about {', '.join(changed)}; it came after the event was worked"
            self._batch.events.settle(known, DONE, note)
            return None
        occurred_at = fact.occurred_at or known.occurred_at
        newer = known._replace(fact=fact, occurred_at=occurred_at, told_at=reading.told_at or known.told_at)
        if known.state in (PARKED, READY):
            self._batch.events.record(newer)
            return None
        return self._settle_lane(newer)


def _request(delivery: Delivery, connection: Connection) -> Request:
    return Request(
        method=delivery.method,
        path=delivery.path,
        query=delivery.query,
        headers=json.loads(delivery.headers) if isinstance(delivery.headers, str) else delivery.headers,
        body=delivery.body,
        received_at=delivery.received_at,
        url=connection.webhook_url,
    )


def _told_later(trigger: Trigger, item: Item, delivery_id: str | None) -> dict[str, Any]:
    """What a call has to know of the notice that asks for it."""
    if trigger.pull is not None:
        return {"delivery": delivery_id}
    at = item.at.isoformat() if item.at else None
    return {
        "kind": item.kind, "data": item.data, "id": item.id, "account": item.account, "at": at, "delivery": delivery_id,
    }  # fmt: skip
