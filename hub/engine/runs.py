"""Runs: one recipe on one event, with what each of its steps was given and gave.

A run is ready, waiting (for a call, a time, a fact or a person), done, held or stopped. Only the moves of `MOVES` are made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from hub.clock import from_text, to_text
from hub.engine.events import queries
from hub.store import Row, Session, Space, as_json

READY, WAITING, DONE, HELD, STOPPED = range(5)
STATES = ("ready", "waiting", "done", "held", "stopped")
MOVES = {
    READY: {WAITING, DONE, HELD, STOPPED},
    WAITING: {READY, WAITING, DONE, HELD, STOPPED},
    HELD: {READY, STOPPED},
    DONE: set[int](),
    STOPPED: set[int](),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one step did.

    outcome: done, skipped, blocked, failed or the action's own word. gave: what later steps read by `name`.
    """

    step: int
    action: str
    outcome: str
    name: str | None = None
    given: Mapping[str, Any] | None = None
    gave: Mapping[str, Any] | None = None
    why: str = ""


class Run(NamedTuple):
    """How far a recipe has come with an event; `version` stays the recipe's text at the start.

    seen: the member as the recipe saw them, as JSON, where it may give points for a sale; else empty.
    """

    id: str
    event_id: str
    recipe: str
    version: str
    member_id: str | None
    lane: str
    depth: int
    state: int
    position: int
    started_at: datetime
    changed_at: datetime
    journal: tuple[Entry, ...] = ()
    wake_at: datetime | None = None
    awaits: str | None = None
    seen: str = ""
    note: str = ""

    def moved(self, state: int, now: datetime, **changes: Any) -> Run:
        """The run in its next state; a move that is not among `MOVES` is a fault of the engine."""
        if state != self.state and state not in MOVES[self.state]:
            raise AssertionError(f"run {self.id} cannot go from {STATES[self.state]} to {STATES[state]}")
        if state != WAITING:
            changes = {"wake_at": None, "awaits": None, **changes}
        return self._replace(state=state, changed_at=now, **changes)

    def noted(self, entry: Entry) -> Run:
        """The run after a step, at the next one."""
        return self._replace(journal=(*self.journal, entry), position=entry.step + 1)

    def named(self, as_given: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """What finished steps gave, by their names. as_given: reads back what an action of this name gave."""
        return {
            entry.name: as_given(entry.action, entry.gave) for entry in self.journal if entry.name and entry.gave is not None
        }


def from_row(row: Row) -> Run:
    """A run from its row."""
    return Run(
        id=row["id"],
        event_id=row["event_id"],
        recipe=row["recipe"],
        version=row["version"],
        member_id=row["member_id"],
        lane=row["lane"],
        depth=row["depth"],
        state=row["state"],
        position=row["position"],
        journal=journal_from(row["journal"]),
        wake_at=from_text(row["wake_at"]) if row["wake_at"] else None,
        awaits=row["awaits"],
        seen=row["seen"],
        note=row["note"],
        started_at=from_text(row["started_at"]),
        changed_at=from_text(row["changed_at"]),
    )


def row_of(run: Run) -> tuple[Any, ...]:
    """A run as its row, in the order of `save_run`."""
    return (
        run.id, run.event_id, run.recipe, run.version, run.member_id, run.lane, run.depth, run.state, run.position,
        journal_text(run.journal), to_text(run.wake_at) if run.wake_at else None, run.awaits, run.seen, run.note,
        to_text(run.started_at), to_text(run.changed_at),
    )  # fmt: skip


def journal_text(journal: tuple[Entry, ...]) -> str:
    """The journal as it is kept: a list of objects without empty fields."""
    return as_json([_kept(entry) for entry in journal])


def _kept(entry: Entry) -> dict[str, Any]:
    kept: dict[str, Any] = {"step": entry.step, "action": entry.action, "outcome": entry.outcome}
    if entry.name:
        kept["name"] = entry.name
    if entry.given is not None:
        kept["given"] = entry.given
    if entry.gave is not None:
        kept["gave"] = entry.gave
    if entry.why:
        kept["why"] = entry.why
    return kept


def journal_from(text: str) -> tuple[Entry, ...]:
    """The journal of a row."""
    return tuple(Entry(**entry) for entry in json.loads(text, parse_float=Decimal))


def _by_id(session: Session, ids: Collection[str]) -> dict[str, Run]:
    return {row["id"]: from_row(row) for row in session.rows(queries.runs_by_id, ids=list(ids))}


def _awaiting(session: Session, members: Collection[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in session.rows(queries.runs_awaiting, member_ids=list(members)):
        found[row["member_id"]] = (*found.get(row["member_id"], ()), row["id"])
    return found


RUNS: Space[str, Run] = Space(
    "run", _by_id, save=queries.save_run, row=lambda _, run: row_of(run), lane_of=lambda run: run.lane
)
AWAITING: Space[str, tuple[str, ...]] = Space("runs_awaiting", _awaiting, lane=str)
"""The runs of a member that wait for a fact."""


def _once(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    rows = session.rows(queries.once_keys, keys=[key for _, key in keys])
    return {(row["recipe"], row["key"]): row["event_id"] for row in rows}


ONCE: Space[tuple[str, str], str] = Space("once_per", _once)
"""(recipe, value of its `once_per`) -> the event that used it up."""
