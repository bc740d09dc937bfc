"""Work: what a built-in action is handed, and all that it may touch.

The engine makes one for each step: the unit of work, the ledger and the members as that unit sees them, the event, and where
the step stands. What the step causes carries `key`, so that doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.ids import Ids
from hub.ledger import Book, Source
from hub.programme.members import Member
from hub.programme.roll import Roll
from hub.programme.settings import Programme
from hub.sdk.fact import Fact
from hub.store import Unit


class EventInfo(NamedTuple):
    """The event that is worked. occurred_at: by the platform; depth: how many of the hub's own facts led to it."""

    id: str
    key: str
    fact: Fact
    occurred_at: datetime
    depth: int
    connection: str
    trigger: str


def _somebody(fact: str) -> bool:
    return True


class Work(NamedTuple):
    """One step at work.

    key: a text that no other step shares and that a repetition of this step keeps. emit: records a fact of the hub's own in
    the same transaction, if somebody listens; `listens` says so beforehand, where making the fact is work. about: the ids of
    the events about the same things as this one, itself among them, in order. actor: the person who asked, where it was one.
    """

    unit: Unit
    book: Book
    roll: Roll
    programme: Programme
    ids: Ids
    now: datetime
    event: EventInfo
    member_id: str | None
    run_id: str | None
    recipe: str | None
    version: str | None
    step: str | None
    key: str
    emit: Callable[[Fact], None]
    listens: Callable[[str], bool] = _somebody
    about: Callable[[], Sequence[str]] = tuple
    actor: str = ""

    def member(self) -> Member | None:
        """The member whom the event is about, if any."""
        return None if self.member_id is None else self.roll.get(self.member_id)

    def cause(self) -> str:
        """What the history of members names as the reason of a change: the recipe's step, or the event."""
        return f"{self.event.id} {self.recipe}" if self.recipe else self.event.id

    def source(self, reason: str = "", context: Mapping[str, Any] | None = None) -> Source:
        """Where a posting of this step comes from."""
        return Source(self.event.id, self.recipe, self.version, self.run_id, self.step, reason, self.actor, context)
