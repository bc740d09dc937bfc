"""Stories: what lineage finds, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.engine.runs import Entry
from hub.insight.rules import Rule
from hub.ledger import Balance, StatementLine


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it was recorded. what: `connection.trigger`. cause: the event in whose work it arose."""

    id: str
    what: str
    fact: str
    key: str
    member_id: str | None
    lane: str
    state: str
    occurred_at: datetime
    recorded_at: datetime
    note: str
    delivery_id: str | None
    data: Mapping[str, Any]
    cause: Heard | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """What happened afterwards to points. points: taken (below zero) or given back. follows: it corrects the transaction."""

    txn_id: str
    kind: str
    points: int
    at: datetime
    reason: str
    follows: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """One transaction of the ledger, with where it comes from and what became of it.

    line: as the statement has it. rule: the recipe's step, where it was one. later: what was drawn from its lot, and what
    corrects it.
    """

    line: StatementLine
    member_id: str
    heard: Heard | None
    rule: Rule | None
    later: tuple[Later, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asks of a platform and what is not done yet."""

    connection: str
    name: str
    state: str
    attempts: int
    note: str


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a recipe; journal: what each finished step was given and gave. rule: the step at which it stands."""

    id: str
    recipe: str
    version: str
    state: str
    position: int
    note: str
    wakes_at: datetime | None
    awaits: str | None
    journal: tuple[Entry, ...]
    asked: tuple[Asked, ...]
    rule: Rule


@dataclass(frozen=True, slots=True)
class Silence:
    """A recipe that heard of an event and did nothing."""

    recipe: str
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class EventStory:
    """All that came of an event. blocked_by: (event, reason, since) where its lane stands still for another one."""

    heard: Heard
    runs: tuple[Ran, ...]
    silent: tuple[Silence, ...]
    moved: tuple[Moved, ...]
    blocked_by: tuple[str, str, datetime] | None


@dataclass(frozen=True, slots=True)
class MemberStory:
    """Where a member's points come from.

    holding: the credits of which something is left. sums: all points ever, by kind. blocked_by: as of an EventStory.
    """

    member_id: str
    name: str
    tier: str | None
    balance: Balance
    holding: tuple[Moved, ...]
    sums: Mapping[str, int]
    blocked_by: tuple[str, str, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """A delivery that became no event, or a notice whose rest is not fetched yet. state: unreadable, ignored …"""

    id: str
    connection: str
    state: str
    note: str


Story = Moved | EventStory | MemberStory | Unheard
