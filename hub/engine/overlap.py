"""Overlap: an order that the till tells twice, as a sale and as points of its own programme, earns once here."""

from __future__ import annotations

from hub.engine.batch import Batch
from hub.engine.events import Event
from hub.programme.clawback import awards_of
from hub.sdk.facts import Fact, LoyaltyActivity, Sale


def earned_already(batch: Batch, event: Event) -> str:
    """Why an award for this event would be the second for its order; empty when it would not.

    Whichever of the two is worked first earns; several payments of one order are no overlap.
    """
    if not _is_sale(event.fact) and not _is_from_the_till(event.fact):
        return ""
    for name in batch.events.about([thing for thing in event.things if thing[1] == "order"]):
        other = batch.events.by_id(name) if name != event.id else None
        if other is None or not _are_two_sides(event.fact, other.fact) or not awards_of(batch.unit, other.id):
            continue
        return f"its order has earned points already, by {other.connection}.{other.trigger} ({other.id})"
    return ""


def lanes(event: Event) -> list[str]:
    """What is held while the event is worked, so that the two sides are not worked at once."""
    if not _is_sale(event.fact) and not _is_from_the_till(event.fact):
        return []
    return [f"order:{connection}:{name}" for connection, kind, name in event.things if kind == "order"]


def _are_two_sides(one: Fact, other: Fact) -> bool:
    return (_is_sale(one) and _is_from_the_till(other)) or (_is_from_the_till(one) and _is_sale(other))


def _is_sale(fact: Fact) -> bool:
    return isinstance(fact, Sale)


def _is_from_the_till(fact: Fact) -> bool:
    return isinstance(fact, LoyaltyActivity) and fact.kind == "earned" and not fact.ours
