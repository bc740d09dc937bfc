"""Overlap: one business fact that is told more than once earns once.

An order that the till tells as a sale and as points of its own programme; a job, its invoice and its payment, which refer to
one another; one order at two platforms, where a field of the one names the order of the other. What only looks alike is another
matter (hub/engine/alike.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.engine.batch import Batch
from hub.engine.events import Event, Thing, effect_key, name_of
from hub.programme.clawback import awards_of
from hub.sdk.fact import Fact
from hub.sdk.facts import LoyaltyActivity, Sale

_BUSINESS = frozenset(["order", "payment", "invoice", "job", "deal", "booking"])
"""The kinds of things that name one piece of business; a customer or a product does not."""
_STEPS_MOST = 3
"""From a payment to its invoice, to its job, to its deal."""
_EVENTS_MOST = 50


def earned_already(batch: Batch, event: Event, recipe: str, step: int) -> str:
    """Why an award for this event would be the second for one business fact; empty when it would not.

    Whichever is worked first earns; several payments of one order, told alike, are no overlap.
    """
    for other in related(batch, event):
        name = name_of(other.connection, other.trigger)
        if _are_two_sides(event, other) and awards_of(batch.unit, other.id):
            return f"its order has earned points already, by {name} ({other.id})"
        if is_told_otherwise(event, other) and batch.book.is_used(effect_key(other, recipe, step)):
            return f"what it is about has earned points already, by {name} ({other.id})"
    return ""


def lanes(event: Event) -> list[str]:
    """What is held while the event is worked, so that two that are about one thing are not worked at once."""
    return [f"{kind}:{connection}:{name}" for connection, kind, name in _business(event)]


def related(batch: Batch, event: Event) -> Iterator[Event]:
    """The other events about the same piece of business, nearest first."""
    seen, things = {event.id}, _business(event)
    for _ in range(_STEPS_MOST):
        names = [name for name in batch.events.about(things) if name not in seen]
        if not names or len(seen) > _EVENTS_MOST:
            return
        seen.update(names)
        batch.events.want_ids(names)
        found = [other for other in map(batch.events.by_id, names) if other is not None]
        yield from found
        things = list(dict.fromkeys(thing for other in found for thing in _business(other)))
        batch.events.want([], things)


def _business(event: Event) -> list[Thing]:
    return [thing for thing in event.things if thing[1] in _BUSINESS]


def is_told_otherwise(one: Event, other: Event) -> bool:
    """Whether two events are of different platforms, or of different kinds: of one kind, each is a thing of its own."""
    return (one.connection, one.trigger) != (other.connection, other.trigger)


def _are_two_sides(event: Event, other: Event) -> bool:
    """A sale and the till's own points for it. They must share the order itself."""
    one, two = event.fact, other.fact
    if not ((_is_sale(one) and _is_from_the_till(two)) or (_is_from_the_till(one) and _is_sale(two))):
        return False
    return bool({thing for thing in event.things if thing[1] == "order"} & set(other.things))


def _is_sale(fact: Fact) -> bool:
    return isinstance(fact, Sale)


def _is_from_the_till(fact: Fact) -> bool:
    return isinstance(fact, LoyaltyActivity) and fact.kind == "earned" and not fact.ours
