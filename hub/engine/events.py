"""Events: facts as the hub keeps them, with their identity, lane and state.

States: ready, done; parked (a person must look, the lane waits), waiting (what it refers to has not come yet), unclaimed (a
sale whose buyer is not known yet).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from hub.clock import from_text, to_text
from hub.ids import Ids
from hub.sdk.fact import Fact, Reference
from hub.store import Row, Session, Space, Unit, load

queries = load("hub.engine")

READY, DONE, PARKED, WAITING, UNCLAIMED = range(5)
STATES = ("ready", "done", "parked", "waiting", "unclaimed")

Identity = tuple[str, str, str]
"""(connection, trigger, key): what makes an event the same fact."""
Thing = tuple[str, str, str]
"""(connection, kind, id): what a fact can be about."""


class Event(NamedTuple):
    """A fact recorded once. told_at: the platform's own time of the state that is kept, where it says one."""

    id: str
    connection: str
    trigger: str
    key: str
    fact: Fact
    lane: str
    member_id: str | None
    state: int
    occurred_at: datetime
    recorded_at: datetime
    told_at: datetime | None = None
    delivery_id: str | None = None
    cause_id: str | None = None
    depth: int = 0
    note: str = ""

    @property
    def identity(self) -> Identity:
        return self.connection, self.trigger, self.key

    @property
    def things(self) -> list[Thing]:
        """What the fact is about; the event's own connection stands where the fact names none."""
        own = self.connection
        return [(one.connection or own, one.kind, one.id) for one in self.fact.references]


def thing(reference: Reference, connection: str) -> Thing:
    """The thing that a reference of a connection's fact points to."""
    return reference.connection or connection, reference.kind, reference.id


def name_of(connection: str, trigger: str) -> str:
    """What people call what was heard: `square.payment_completed`; the hub's own facts say already whose they are."""
    return trigger if trigger.startswith(f"{connection}.") else f"{connection}.{trigger}"


def effect_key(event: Event, recipe: str, step: int) -> str:
    """What makes the effect of a built-in step the same one, however often it is tried: the fact, the recipe and the step."""
    return f"{event.connection}/{event.trigger}/{event.key}/{recipe}/{step}"


class FactTypes:
    """The classes of facts by the word under which they are kept."""

    def __init__(self, types: Collection[type[Fact]]) -> None:
        self._by_place: dict[tuple[str, str], type[Fact]] = {}
        self._by_word: dict[str, type[Fact]] = {}
        for fact_type in types:
            self._by_word.setdefault(fact_type.fact, fact_type)

    def learn(self, connection: str, trigger: str, fact_type: type[Fact]) -> None:
        """A trigger gives its own subclass, with more fields than the shared word has."""
        self._by_place[connection, trigger] = fact_type

    def word(self, word: str) -> type[Fact] | None:
        """The class of a word of the vocabulary."""
        return self._by_word.get(word)

    def read(self, row: Row) -> Fact:
        """The fact of an event's row."""
        by_word = self._by_word.get(row["fact"], Fact)
        own = self._by_place.get((row["connection"], row["kind"]))
        fact_type = own if own is not None and own.fact == row["fact"] else by_word
        return fact_type.model_validate(json.loads(row["data"]))


def fact_text(fact: Fact) -> str:
    """The fact as it is kept and compared."""
    return fact.model_dump_json(exclude_defaults=True)


class Events:
    """The events of one unit of work."""

    def __init__(self, unit: Unit, types: FactTypes, ids: Ids, now: datetime) -> None:
        self._unit, self._types, self._ids, self._now = unit, types, ids, now
        self._named: dict[str, list[str]] = {}
        self._fresh: set[str] = set()
        self._held: set[str] = set()
        self._as_kept: dict[str, Event] = {}

    def want(self, identities: Collection[Identity], things: Collection[Thing]) -> None:
        """Read in sets what the batch will ask for."""
        self._unit.want(KNOWN, identities)
        self._unit.want(ABOUT, things)
        self._unit.want(AWAITED, things)

    def known(self, identity: Identity) -> Event | None:
        """The event of this identity, if the fact has been recorded."""
        found = self._unit.get(KNOWN, identity)
        return found if found is None or isinstance(found, Event) else self.from_row(found)

    def from_row(self, row: Row) -> Event:
        """An event from its row."""
        event = self._as_kept[row["id"]] = Event(
            id=row["id"],
            connection=row["connection"],
            trigger=row["kind"],
            key=row["key"],
            fact=self._types.read(row),
            lane=row["lane"],
            member_id=row["member_id"],
            state=row["state"],
            occurred_at=from_text(row["occurred_at"]),
            recorded_at=from_text(row["recorded_at"]),
            told_at=from_text(row["told_at"]) if row["told_at"] else None,
            delivery_id=row["delivery_id"],
            cause_id=row["cause_id"],
            depth=row["depth"],
            note=row["note"],
        )
        return event

    def by_id(self, event_id: str) -> Event | None:
        """The event with this id."""
        saved = self._unit.get(CHANGED, event_id)
        if saved is not None:
            return saved
        row = self._unit.get(ROWS, event_id)
        return self.from_row(row) if row is not None else None

    def held(self, event: Event) -> Event:
        """The event as it stands, in a lane that is ours: so it stays until this unit is written, whoever else works."""
        if event.id in self._held or self._unit.get(CHANGED, event.id) is not None:
            return event
        lane = ""
        while event.lane != lane:  # it may have moved on while we waited
            lane = event.lane
            self._unit.session.lock([lane])
            [row] = self._unit.session.rows(queries.events_by_id, ids=[event.id])
            event = self.from_row(row)
        self._held.add(event.id)
        self._unit.know(ROWS, event.id, row)
        self._unit.know(KNOWN, event.identity, event)
        return event

    def want_ids(self, ids: Collection[str]) -> None:
        """Read these events in one query."""
        self._unit.want(ROWS, ids)

    def new_id(self) -> str:
        """The id of an event that comes about in this unit."""
        event_id = self._ids.new("evt")
        self._fresh.add(event_id)
        return event_id

    def is_fresh(self, event_id: str) -> bool:
        """Whether the event came about in this unit, so that nothing can have been done for it before."""
        return event_id in self._fresh

    def record(self, event: Event) -> None:
        """Keep a new event and what it is about."""
        self.save(event)
        for about in dict.fromkeys(event.things):
            known = self._unit.get(ABOUT, about) or ()
            self._unit.know(ABOUT, about, (*known, event.id))
            self._unit.append(queries.add_reference, (*about, event.id))
            self._named.setdefault(about[2].casefold(), []).append(event.id)

    def named(self, code: str) -> list[str]:
        """The ids of the events that are about anything with this id, whatever it is and of whatever connection, in order."""
        rows = self._unit.session.rows(queries.references_to, ref_ids=list({code, code.lower(), code.upper()}))
        return sorted({row["event_id"] for row in rows}.union(self._named.get(code.casefold(), ())))

    def save(self, event: Event) -> None:
        """Keep an event's new state or content."""
        self._unit.put(CHANGED, event.id, event)
        self._unit.know(KNOWN, event.identity, event)

    def settle(self, event: Event, state: int, note: str = "") -> Event:
        """Keep that the event is now in this state."""
        settled = event._replace(state=state, note=note)
        if self._as_kept.get(event.id) is not event or self._unit.get(CHANGED, event.id) is not None:
            self.save(settled)
            return settled
        # Whoever admitted it has written all the rest of it.
        self._unit.append(queries.settle_event, (state, note, event.id))
        self._unit.know(CHANGED, event.id, settled)
        self._unit.know(KNOWN, event.identity, settled)
        return settled

    def about(self, things: Collection[Thing]) -> list[str]:
        """The ids of the events that are about one of these things, in order."""
        found: dict[str, None] = {}
        for about in things:
            known = self._unit.get(ABOUT, about)
            found.update(dict.fromkeys(known or ()))
        return sorted(found)

    def wait_for(self, event: Event, things: Collection[Thing]) -> None:
        """Keep the event until a fact about one of these things has been worked."""
        self.settle(
            event, WAITING, "what it refers to has not come yet: " + ", ".join(f"{kind} {ref}" for _, kind, ref in things)
        )
        for about in things:
            known = self._unit.get(AWAITED, about) or ()
            self._unit.know(AWAITED, about, (*known, event.id))
            self._unit.append(queries.add_awaited_reference, (*about, event.id))

    def awaiting(self, event: Event) -> list[Event]:
        """The events that wait for a fact about what this one is about."""
        ids: dict[str, None] = {}
        for about in event.things:
            known = self._unit.get(AWAITED, about)
            ids.update(dict.fromkeys(known or ()))
        found = [self.by_id(event_id) for event_id in sorted(ids)]
        return [one for one in found if one is not None and one.state == WAITING]

    def wake(self, event: Event, *, lane: str, member_id: str | None) -> Event:
        """What the event waited for has come: it waits no longer, and goes on in that lane."""
        self._unit.append(queries.drop_awaited_references, (event.id,))
        woken = event._replace(lane=lane, member_id=member_id, state=READY, note="")
        self.save(woken)
        return woken


def row_of(event: Event) -> tuple[Any, ...]:
    """An event as its row, in the order of `save_event`."""
    return (
        event.id, event.connection, event.trigger, event.key, event.fact.fact, event.lane, event.member_id, event.state,
        to_text(event.occurred_at), to_text(event.recorded_at), to_text(event.told_at) if event.told_at else None,
        event.delivery_id, event.cause_id, event.depth, fact_text(event.fact), event.note,
    )  # fmt: skip


def _by_identity(session: Session, identities: Collection[Identity]) -> dict[Identity, Row]:
    rows = session.rows(queries.events_by_key, keys=[key for _, _, key in identities])
    return {(row["connection"], row["kind"], row["key"]): row for row in rows}


def _about(session: Session, things: Collection[Thing]) -> dict[Thing, tuple[str, ...]]:
    return _grouped(session.rows(queries.references_to, ref_ids=[ref for _, _, ref in things]))


def _awaited(session: Session, things: Collection[Thing]) -> dict[Thing, tuple[str, ...]]:
    return _grouped(session.rows(queries.awaiting_references, ref_ids=[ref for _, _, ref in things]))


def _grouped(rows: list[Row]) -> dict[Thing, tuple[str, ...]]:
    found: dict[Thing, tuple[str, ...]] = {}
    for row in rows:
        about = (row["connection"], row["kind"], row["ref_id"])
        found[about] = (*found.get(about, ()), row["event_id"])
    return found


def _by_id(session: Session, ids: Collection[str]) -> dict[str, Row]:
    return {row["id"]: row for row in session.rows(queries.events_by_id, ids=list(ids))}


def _nothing(session: Session, keys: Collection[str]) -> dict[str, Event]:
    return {}


KNOWN: Space[Identity, Row | Event] = Space("event_known", _by_identity)
ROWS: Space[str, Row] = Space("event_row", _by_id)
ABOUT: Space[Thing, tuple[str, ...]] = Space("event_about", _about)
AWAITED: Space[Thing, tuple[str, ...]] = Space("event_awaited", _awaited)
CHANGED: Space[str, Event] = Space("event", _nothing, save=queries.save_event, row=lambda _, event: row_of(event))
