"""Echo: what a platform tells of the fields that mirror a member's points is the hub's own word, and no news."""

from __future__ import annotations

from hub.sdk import Connection, CustomerChanged, Fact


def without_our_word(fact: Fact, connection: Connection | None) -> Fact:
    """The fact without the attributes that the connection mirrors, whatever their case."""
    if connection is None or not connection.mirror or not isinstance(fact, CustomerChanged):
        return fact
    ours = {field.casefold() for field in connection.mirror.values()}
    theirs = {name: value for name, value in fact.attributes.items() if name.casefold() not in ours}
    return fact if len(theirs) == len(fact.attributes) else fact.model_copy(update={"attributes": theirs})
