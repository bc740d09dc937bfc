"""Retention: raw deliveries that were worked are kept for a time and up to a size, and then removed, oldest first.

What they said stays in the events, runs and postings that they led to. A delivery that a person may still need is kept: one
that could not be read, or whose event is parked or has a run that is held. A note of each removal stays, for who asks later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from hub.clock import to_text
from hub.document import Node, Section
from hub.engine.batch import Batch
from hub.engine.cursors import CURSORS, inbox_place, move_time, time_of
from hub.engine.inbox import Inbox, Outline
from hub.engine.timers import Timer
from hub.errors import ConfigError, Problem
from hub.sdk.values import Duration
from hub.store import Session, Unit, load

queries = load("hub.engine", "retention.sql")

_AGE = Duration(days=90)
_SIZE_MOST = 10 * 10**9
_NEXT_LOOK = "retention"
_PLACE = "retention:place"
_EVERY = timedelta(days=1)
_EVERY_WHEN_NEARLY_FULL = timedelta(hours=1)
# However full it is: a backup copies the hub first and then its inbox, which must still have what was not worked by then.
_KEPT_AT_LEAST = timedelta(hours=1)
_MEASURED_MOST = 20_000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.ASCII | re.IGNORECASE)
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True, slots=True)
class Limits:
    """The section `retention` of hub.yaml. age: how long deliveries are kept, None for ever. size: in bytes, None for any."""

    age: Duration | None = _AGE
    size: int | None = _SIZE_MOST

    @classmethod
    def from_node(cls, node: Node | None) -> Limits:
        """The section, or what holds without one. ConfigError with all that is wrong."""
        if node is None:
            return cls()
        problems: list[Problem] = []
        section = Section(node, "retention", ("deliveries", "size"), problems)
        age: Duration | None = _AGE
        size: int | None = _SIZE_MOST
        age, size = section.parsed("deliveries", _age, age), section.parsed("size", _size, size)
        if problems:
            raise ConfigError(problems)
        return cls(age, size)

    def __str__(self) -> str:
        age = f"for {self.age}" if self.age is not None else "for ever"
        return age if self.size is None else f"{age}, and {Decimal(self.size) / 10**9:f} GB at most"


def _age(text: str) -> Duration | None:
    if text == "for ever":
        return None
    length = Duration.parse(text)
    if not length.months and not length.days:
        raise ValueError(f"{text!r} is too short; keep deliveries for a day at least, or `for ever`")
    return length


def _size(text: str) -> int | None:
    if text == "unlimited":
        return None
    found = _SIZE.fullmatch(text)
    size = int(Decimal(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if not size:
        raise ValueError(f"{text!r} is not a size such as `500 MB` or `10 GB`, nor `unlimited`")
    return size


class Retention:
    """Removes what need not be kept, a portion a turn. `timer` says when it wants a turn."""

    def __init__(self, limits: Limits, inbox: Inbox, zone: tzinfo) -> None:
        self._limits = limits
        self._inbox = inbox
        self._zone = zone
        self._measured_until = 0
        self._measured = 0
        self.timer = Timer(_NEXT_LOOK, self._due, self._work)

    def _due(self, unit: Unit) -> datetime | None:
        """The first look is when the first delivery is a day old."""
        next_look = time_of(unit, _NEXT_LOOK)
        oldest = self._inbox.oldest_after(0) if next_look is None else None
        return oldest + _EVERY if oldest is not None else next_look

    def _work(self, batch: Batch, most: int) -> bool:
        if self._limits.size is not None and self._inbox.size_bytes() > self._limits.size and self._measure():
            return True
        unit, at = batch.unit, batch.now
        place = int(unit.get(CURSORS, _PLACE) or 0)
        worked = min(inbox_place(unit), self._inbox.last_seq() - 1)  # the newest stays: it says how far the numbers go
        found = self._too_old(self._inbox.outlines(after=place, until=worked, most=most), at)
        gone = self._dispensable(unit.session, found)
        if found:
            unit.put(CURSORS, _PLACE, str(found[-1].seq))
            self._inbox.remove([gone] if gone else [], at)
            self._measured -= sum(one.size for one in gone)
            unit.append(queries.forget_receipts, (found[-1].seq,))
            unit.append(queries.forget_answers, (max(one.id for one in found),))
        if len(found) < most:
            self._free_of_need(unit.session, place, at, most)
            move_time(unit, _NEXT_LOOK, at + self._interval())
        return True

    def _free_of_need(self, session: Session, place: int, at: datetime, most: int) -> None:
        """What was passed over because somebody needed it, and nobody does any more; each has a note of its own."""
        self._inbox.remove([[one] for one in self._dispensable(session, self._inbox.outlines(0, place, most))], at)

    def _too_old(self, outlines: Sequence[Outline], now: datetime) -> list[Outline]:
        """Those at the beginning that are beyond a limit."""
        age, size = self._limits.age, self._limits.size
        until = age.before(now, self._zone) if age is not None else datetime.min.replace(tzinfo=UTC)
        over = self._measured - size if size is not None else 0
        found = []
        for one in outlines:
            if one.received_at > until and (over <= 0 or one.received_at > now - _KEPT_AT_LEAST):
                break
            found.append(one)
            over -= one.size
        return found

    def _dispensable(self, session: Session, outlines: Sequence[Outline]) -> list[Outline]:
        needed = _needed(session, [one.id for one in outlines]) if outlines else set()
        return [one for one in outlines if one.id not in needed]

    def _measure(self) -> bool:
        """Sum up some more of the inbox; True while there is more."""
        until, size = self._inbox.sum_after(self._measured_until, _MEASURED_MOST)
        self._measured_until, self._measured = max(until, self._measured_until), self._measured + size
        return until > 0

    def _interval(self) -> timedelta:
        size = self._limits.size
        is_nearly_full = size is not None and self._inbox.size_bytes() > size * 4 // 5
        return _EVERY_WHEN_NEARLY_FULL if is_nearly_full else _EVERY


def _needed(session: Session, ids: Collection[str]) -> set[str]:
    return {row["delivery_id"] for row in session.rows(queries.needed_deliveries, ids=list(ids))}


def told(delivery_id: str, removed_at: datetime) -> str:
    """What to say to somebody who asks for a delivery that is not there any more."""
    return f"The raw delivery {delivery_id} was removed on {to_text(removed_at)[:10]} by retention (`retention` in hub.yaml)."
