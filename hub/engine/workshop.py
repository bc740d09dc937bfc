"""Workshop: works admitted events in order, each with all that it causes, and parks the one that cannot be worked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from hub import log
from hub.clock import to_text
from hub.engine import alike, effects, overlap
from hub.engine.batch import Batch
from hub.engine.events import DONE, PARKED, WAITING, Event, effect_key, queries
from hub.engine.hindsight import AWARDING
from hub.engine.refunds import RETURNED, gives_back
from hub.engine.runner import Runner
from hub.engine.runs import AWAITING
from hub.errors import HubError
from hub.programme import consent
from hub.sdk.facts import Sale
from hub.store import Session, Space
from hub.store.tally import count

_LOG = log.get(__name__)


class Workshop:
    """Works events within one batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._runner = Runner(batch)
        self._lanes: set[str] = set()
        self._elsewhere: list[Event] = []

    def work(self, events: Iterable[Event]) -> int:
        """Work these events and what they cause in their lanes; gives how many were worked.

        Those in a parked lane stay where they are.
        """
        events = list(events)
        self._lanes.update(event.lane for event in events)
        self._preload(events)
        return sum(self._work_with_causes(event) for event in events)

    def work_emitted(self) -> int:
        """Work the hub's own facts that are left: those of timers, of runs that went on, and in other lanes."""
        number = 0
        for event in self._elsewhere:
            self._lanes.add(event.lane)
            number += self._work_with_causes(event)
        self._elsewhere.clear()
        while self._batch.causes:
            cause_id = next(iter(self._batch.causes))  # in the order in which they came about
            del self._batch.causes[cause_id]
            emitted = self._batch.emitted(cause_id)
            self._preload(emitted)
            for event in emitted:
                self._lanes.add(event.lane)
                number += self._work_with_causes(event)
        return number

    def _work_with_causes(self, event: Event) -> int:
        """The event first, then the hub's own facts that it caused, then the refunds that waited for it."""
        events = self._batch.events
        worked = self._work_one(event)
        number = int(worked)
        for caused in self._batch.emitted(event.id):
            if caused.lane in self._lanes:
                number += self._work_with_causes(caused)
            else:
                self._elsewhere.append(caused)
        if worked and isinstance(event.fact, Sale):
            for refund in [events.held(one) for one in events.awaiting(event) if gives_back(one, event)]:
                if refund.state == WAITING:
                    number += self._work_with_causes(events.wake(refund, lane=event.lane, member_id=event.member_id))
        return number

    def _work_one(self, event: Event) -> bool:
        batch = self._batch
        if batch.unit.get(PARKED_LANES, event.lane) is not None:
            return False
        try:
            with batch.unit.savepoint():
                effects.apply(batch, event)
                self._runner.start(event)
                batch.events.settle(event, DONE)
                count(batch.unit, "event", "done")
        except HubError as error:
            self.park(event, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, it parks its own lane alone
            _LOG.exception("an event cannot be worked", event=event.id, trigger=event.trigger)
            self.park(event, f"unexpected {log.in_words(error)}")
            return False
        return True

    def park(self, event: Event, why: str) -> None:
        """Set the event aside for a person; its lane waits."""
        batch = self._batch
        batch.events.settle(event, PARKED, why)
        batch.unit.append(queries.park_lane, (event.lane, event.id, why, to_text(batch.now)))
        batch.unit.know(PARKED_LANES, event.lane, event.id)
        _LOG.warning("an event is parked", event=event.id, lane=event.lane, reason=why)

    def _preload(self, events: Collection[Event]) -> None:
        batch = self._batch
        members = [event.member_id for event in events if event.member_id]
        batch.unit.session.lock([name for event in events for name in overlap.lanes(event)])
        consent.want(batch.unit, [event.fact for event in events], batch.programme)
        batch.events.want([], [about for event in events for about in event.things])
        batch.unit.want(PARKED_LANES, [event.lane for event in events])
        batch.roll.want_members(members)
        batch.book.want_balances(members)
        batch.unit.want(AWAITING, members)
        sales = [event.id for event in events if isinstance(event.fact, Sale)]
        batch.unit.want(RETURNED, sales)
        batch.unit.want(AWARDING, sales)
        alike.want(batch, events)
        batch.book.want_keys([key for event in events if not batch.events.is_fresh(event.id) for key in self._keys(event)])

    def _keys(self, event: Event) -> Iterator[str]:
        """The keys of what the event's recipes may post."""
        topics = self._batch.catalogue.topics(event.connection, event.trigger, event.fact)
        for plan in self._batch.plans.listening(topics):
            for step in plan.steps:
                if step.type.builtin:
                    yield effect_key(event, plan.recipe.name, step.index)


def _parked(session: Session, lanes: Collection[str]) -> Mapping[str, str]:
    return {row["lane"]: row["event_id"] for row in session.rows(queries.parked_lanes, lanes=list(lanes))}


PARKED_LANES: Space[str, str | None] = Space("parked_lane", _parked, lane=str)
