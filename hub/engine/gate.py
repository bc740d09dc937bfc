"""Gate: the one place before every message to a member, asked when it is sent (promise 11)."""

from __future__ import annotations

from collections.abc import Collection

from hub.engine.batch import DEPTH_MOST, Batch
from hub.engine.calls import Call
from hub.programme import consent


def why_not(batch: Batch, call: Call, channel: str | None, address: str | None) -> str:
    """Why a message may not go out now; empty when it may, or when the call speaks to no member."""
    if channel is None:
        return ""
    if not address:
        return f"there is no address to send the {channel} to"
    asked = _answers_own_request(batch, call, channel, address)
    verdict = consent.gate(batch.unit, channel, address, batch.programme, answers_own_request=asked)
    return verdict.reason if isinstance(verdict, consent.Blocked) else ""


def want(batch: Batch, spoken_to: Collection[tuple[str | None, str | None]]) -> None:
    """Read in one query what `why_not` will ask for these (channel, address)."""
    known = [(channel, address) for channel, address in spoken_to if channel is not None and address]
    consent.want_standing(batch.unit, known, batch.programme)


def _answers_own_request(batch: Batch, call: Call, channel: str, address: str) -> bool:
    """True when the chain of causes of this call begins with a message from this very address."""
    event_id = call.event_id
    for _ in range(DEPTH_MOST + 1):
        event = batch.events.by_id(event_id) if event_id else None
        if event is None:
            return False
        if consent.answers(event.fact, channel, address, batch.programme):
            return True
        event_id = event.cause_id
    return False
