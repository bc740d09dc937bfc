"""Calls: what waits to be asked of a platform, kept until it is done or a person has looked.

Its kinds: `action` (a step of a run), `fetch` (the rest of a thin notice), `pull` (records since a moment), `alert` (an action
that tells the owner something), `subscribe` (our webhook address, told again), `mirror` (an action that has a platform's fields
show a member's points) and `look` (what those fields say). All are made by the same pool, under the same limits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal, NamedTuple

from hub.clock import from_text, to_text
from hub.engine.events import queries
from hub.store import Row, Session, Space, as_json

DUE, BEGUN, DONE, HELD, REFUSED = range(5)
STATES = ("due", "begun", "done", "held", "refused")
Kind = Literal["action", "fetch", "pull", "alert", "subscribe", "mirror", "look"]

# Attempts spread over about a day: enough for an outage, short enough that an answer still means something.
_DELAYS = tuple(timedelta(seconds=s) for s in (10, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 28800))
ATTEMPTS_MOST = len(_DELAYS) + 1

UNCERTAIN = "may have been done: "
"""How the note of a call begins whose answer was lost."""
RESTORED = f"{UNCERTAIN}the hub was restored from the backup of "
"""How the note of a call begins that waited when the backup was taken: it may have been made at any time since."""


class Call(NamedTuple):
    """One thing to ask of one connection; its id is the key under which the platform sees it."""

    id: str
    kind: Kind
    connection: str
    name: str
    lane: str
    input: Mapping[str, Any]
    due_at: datetime
    created_at: datetime
    changed_at: datetime
    run_id: str | None = None
    step: int | None = None
    event_id: str | None = None
    member_id: str | None = None
    state: int = DUE
    attempts: int = 0
    result: Mapping[str, Any] | None = None
    note: str = ""

    @property
    def is_action(self) -> bool:
        """True when it does something; what it gives is a result, not facts."""
        return self.kind in ("action", "alert", "mirror")

    def begun(self, now: datetime) -> Call:
        """Somebody makes the call now; noted before it is made, so that a crash in between is seen."""
        return self._replace(state=BEGUN, attempts=self.attempts + 1, changed_at=now)

    def done(self, now: datetime, result: Mapping[str, Any] | None) -> Call:
        return self._replace(state=DONE, result=result, note="", changed_at=now)

    def held(self, now: datetime, note: str) -> Call:
        return self._replace(state=HELD, note=note, changed_at=now)

    def refused(self, now: datetime, note: str) -> Call:
        return self._replace(state=REFUSED, note=note, changed_at=now)

    def again(self, now: datetime, due_at: datetime, note: str) -> Call:
        return self._replace(state=DUE, due_at=due_at, note=note, changed_at=now)


def delay_after(attempts: int, random: Random, asked_seconds: float | None = None) -> timedelta | None:
    """How long to wait after so many attempts, with up to a fifth of jitter; None when it is a person's turn.

    asked_seconds: what the platform asked for; it is never undercut.
    """
    if attempts >= ATTEMPTS_MOST:
        return None
    delay = _DELAYS[attempts - 1]
    jittered = delay + delay * random.randrange(200) / 1000
    return max(jittered, timedelta(seconds=asked_seconds or 0))


def from_row(row: Row) -> Call:
    """A call from its row."""
    return Call(
        id=row["id"],
        kind=row["kind"],
        connection=row["connection"],
        name=row["name"],
        run_id=row["run_id"],
        step=row["step"],
        event_id=row["event_id"],
        member_id=row["member_id"],
        lane=row["lane"],
        input=json.loads(row["input"], parse_float=Decimal),
        state=row["state"],
        attempts=row["attempts"],
        due_at=from_text(row["due_at"]),
        result=json.loads(row["result"], parse_float=Decimal) if row["result"] else None,
        note=row["note"],
        created_at=from_text(row["created_at"]),
        changed_at=from_text(row["changed_at"]),
    )


def row_of(call: Call) -> tuple[Any, ...]:
    """A call as its row, in the order of `save_call`."""
    return (
        call.id, call.kind, call.connection, call.name, call.run_id, call.step, call.event_id, call.member_id, call.lane,
        as_json(call.input), call.state, call.attempts, to_text(call.due_at),
        "" if call.result is None else as_json(call.result), call.note, to_text(call.created_at), to_text(call.changed_at),
    )  # fmt: skip


def lane_of(connection: str) -> str:
    """The lane in which the calls of a connection are begun, recorded and taken up."""
    return f"calls:{connection}"


def _by_id(session: Session, ids: Collection[str]) -> dict[str, Call]:
    return {row["id"]: from_row(row) for row in session.rows(queries.calls_by_id, ids=list(ids))}


CALLS: Space[str, Call] = Space(
    "call", _by_id, save=queries.save_call, row=lambda _, call: row_of(call), lane_of=lambda call: lane_of(call.connection)
)
