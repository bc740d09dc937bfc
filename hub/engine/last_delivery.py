"""Last delivery: the built-in action that says what went out to a member last, and whether it arrived: for notes to staff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from hub.engine import calls
from hub.engine.calls import Call
from hub.engine.catalogue import Catalogue
from hub.engine.events import queries
from hub.programme.actions import connector
from hub.programme.work import Work
from hub.recipes.vocabulary import Missing
from hub.sdk.fact import Short, Text
from hub.sdk.values import Moment

_LOOKED_THROUGH = 50
_STATES = {calls.DUE: "waiting", calls.BEGUN: "waiting", calls.DONE: "sent", calls.HELD: "held", calls.REFUSED: "refused"}
_TOLD = {"_delivered": "arrived", "_failed": "failed"}
"""How the word of a fact ends by which a platform says what became of what it sent (`message_failed`, `reward_delivered`)."""


class LastDelivery(BaseModel):
    """The message or reward that went out last.

    outcome: `arrived` or `failed` where the platform told; else `sent`, `waiting`, `held` (a person must look) or `refused`
    (the member did not want it); `nothing` where nothing ever went out. through: the platform. note: why it did not arrive.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["arrived", "failed", "sent", "waiting", "held", "refused", "nothing", "no_member"]
    through: Short = ""
    channel: Short = ""
    action: Short = ""
    at: Moment | None = None
    on: date | None = None
    note: Text = ""


@connector.action(repeat="safe")
def last_delivery(work: Work, catalogue: Catalogue) -> LastDelivery:
    """Say what went out to the member last, and what became of it."""
    if work.member_id is None:
        return LastDelivery(outcome="no_member")
    rows = work.unit.session.rows(queries.calls_about, member_id=work.member_id, most=_LOOKED_THROUGH)
    for call in map(calls.from_row, rows):
        doing = catalogue.doing(f"{call.connection}.{call.name}")
        if isinstance(doing, Missing) or doing.connection is None or doing.action.channel is None:
            continue
        channel = doing.action.channel_to(str(call.input.get("to") or "")) or ""
        outcome, note = _became(work, call)
        at = call.changed_at
        return LastDelivery.model_validate({
            "outcome": outcome,
            "through": doing.connection.connector.title,
            "channel": channel,
            "action": call.name,
            "at": at,
            "on": at.astimezone(work.programme.zone).date(),
            "note": note,
        })  # fmt: skip
    return LastDelivery(outcome="nothing")


def _became(work: Work, call: Call) -> tuple[str, str]:
    """The state of a call, and what the platform told of it later, with the reason."""
    if call.state == calls.DONE:
        for row in work.unit.session.rows(queries.events_by_key, keys=list(_keys(call))):
            outcome = next((word for ending, word in _TOLD.items() if row["fact"].endswith(ending)), None)
            if row["connection"] == call.connection and outcome is not None:
                return outcome, json.loads(row["data"]).get("reason", "")
    return _STATES[call.state], call.note


def _keys(call: Call) -> Iterator[str]:
    """Under which keys a platform may tell of what it sent: by the ids that it gave, alone or with the address."""
    address = quote(str(call.input.get("to") or ""), safe="")
    for value in (call.result or {}).values():
        if isinstance(value, str) and value:
            yield quote(value, safe="")
            yield f"{quote(value, safe='')}/{address}"
