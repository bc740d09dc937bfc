"""Silence: when a connection that usually speaks has not spoken for unusually long; learned from its own last two weeks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hub.clock import from_text, to_text
from hub.engine.alerts.rows import queries
from hub.store import Session, Unit

_HOUR = timedelta(hours=1)
_LEARNED_FROM = timedelta(days=14)
_SILENT_LEAST = timedelta(hours=24)
_TIMES_THE_USUAL = 3
_HOURS_LEAST = 5
_SPAN_LEAST = timedelta(days=3)
_SLOTS = 24 * 21


@dataclass(frozen=True, slots=True)
class Silence:
    """heard_at: the end of the hour in which it last spoke. usual: its longest pause of late. due: when it is silent."""

    connection: str
    heard_at: datetime
    usual: timedelta
    due: datetime


def note(unit: Unit, heard: Collection[tuple[str, datetime]]) -> None:
    """Note in which hours connections spoke. heard: (connection, when a delivery of it came).

    Three weeks are kept of each: an hour takes the place of the one three weeks before.
    """
    hours: dict[tuple[str, int], datetime] = {}
    for connection, at in heard:
        hour, slot = at.replace(minute=0, second=0, microsecond=0), int(at.timestamp()) // 3600 % _SLOTS
        hours[connection, slot] = max(hour, hours.get((connection, slot), hour))
    for (connection, slot), hour in hours.items():
        unit.append(queries.note_heard, (connection, slot, to_text(hour)))


class Hearing:
    """When these connections would be silent. What was learned of one holds until it is heard in another hour."""

    def __init__(self, connections: Collection[str]) -> None:
        self._connections = list(connections)
        self._learned: dict[str, tuple[str, Silence | None]] = {}

    def expected(self, session: Session) -> Mapping[str, Silence]:
        """Those that usually speak, each with the moment from which on it is silent."""
        last = {row["connection"]: row["hour"] for row in session.rows(queries.last_heard, connections=self._connections)}
        news = [name for name, hour in last.items() if self._learned.get(name, ("", None))[0] != hour]
        hours: dict[str, list[datetime]] = {name: [] for name in news}
        for row in session.rows(queries.heard_of, connections=news) if news else ():
            hours[row["connection"]].append(from_text(row["hour"]))
        for name, known in hours.items():
            self._learned[name] = (last[name], silence_after(name, sorted(known)))
        return {name: found for name in last if (found := self._learned[name][1]) is not None}


def silence_after(connection: str, hours: Sequence[datetime]) -> Silence | None:
    """Three times its longest pause of the last 14 days, and 24 hours at least; None where too little was heard to say so.

    hours: the beginnings of those in which it spoke, oldest first.
    """
    last = hours[-1]
    known = [hour for hour in hours if hour >= last - _LEARNED_FROM]
    if len(known) < _HOURS_LEAST or last - known[0] < _SPAN_LEAST:
        return None
    usual = max(later - earlier for earlier, later in pairwise(known))
    heard_at = last + _HOUR
    return Silence(connection, heard_at, usual, heard_at + max(_SILENT_LEAST, _TIMES_THE_USUAL * usual))
