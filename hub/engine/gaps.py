"""Gaps: facts that a webhook should have told and did not, found when the platform is asked.

The asking heals them: what it brings is an event like any other. Here it is only noted that it was the first to bring it, so
that people see which webhooks lose something. What may still be on its way, and what came about before the connection was ever
heard of, is no gap; nor is history that somebody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.clock import from_text, to_text
from hub.engine.batch import Batch
from hub.engine.calls import Call
from hub.engine.events import Event, queries
from hub.sdk import Connection
from hub.store import Row, Session
from hub.store.tally import count

_ON_ITS_WAY = timedelta(minutes=10)


class Missed(NamedTuple):
    """What a connection's webhooks left out. number: of facts. kinds: the triggers that should have told them."""

    number: int
    found_at: datetime
    kinds: tuple[str, ...]


def note(batch: Batch, call: Call, connection: Connection | None, brought: Sequence[Event]) -> None:
    """Note what a pull was the first to bring, of what a webhook tells; or that it was nothing."""
    if connection is None or call.input.keys() & {"delivery", "is_history"}:
        return
    pull = connection.connector.pulls.get(call.name)
    if pull is None or not connection.connector.hears(pull.trigger, connection.settings):
        return
    heard = batch.unit.session.row(queries.first_heard, connection=connection.name)
    if heard is None or heard["hour"] is None:
        return
    since, until = from_text(heard["hour"]), call.changed_at - _ON_ITS_WAY
    missed = [event for event in brought if since <= event.occurred_at <= until]
    if not missed:
        batch.unit.append(queries.close_gaps, (to_text(batch.now), connection.name, pull.trigger))
        return
    times = sorted(event.occurred_at for event in missed)
    row = (
        batch.ids.new("gap"), connection.name, pull.trigger, to_text(batch.now), len(missed), to_text(times[0]),
        to_text(times[-1]), missed[0].id,
    )  # fmt: skip
    batch.unit.append(queries.add_gap, row)
    for _ in missed:
        count(batch.unit, "missed", connection.name)


def missed_of_late(session: Session) -> Mapping[str, Missed]:
    """What the webhooks of each connection left out when the platform was asked last."""
    return _by_connection(session.rows(queries.open_gaps))


def missed_since(session: Session, moment: datetime) -> Mapping[str, Missed]:
    """What the webhooks of each connection left out, as far as it was found after a moment."""
    return _by_connection(session.rows(queries.gaps_since, moment=to_text(moment)))


def _by_connection(rows: Iterable[Row]) -> dict[str, Missed]:
    found: dict[str, Missed] = {}
    for row in rows:
        number, found_at = int(row["number"]), from_text(row["found_at"])
        before = found.get(row["connection"], Missed(0, found_at, ()))
        found[row["connection"]] = Missed(before.number + number, max(before.found_at, found_at), (*before.kinds, row["kind"]))
    return found
