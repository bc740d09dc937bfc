"""Timers: each thing that time sets off, in a turn of its own.

One that breaks off is set aside alone: tried again after a while that grows, shown to a person meanwhile. It holds up neither
calls nor other timers, and no moment is lost, for its cursor stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hub import log
from hub.clock import from_text, to_text
from hub.engine.batch import Batch
from hub.engine.events import queries
from hub.store import OutOfReach, Row, Session, Unit

_LOG = log.get(__name__)
_FIRST_DELAY = timedelta(seconds=30)
_DELAY_MOST = timedelta(hours=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timer:
    """due: when it wants to be worked next, None for not in sight. work: does what is due, at most so many; whether it did.

    give_up: holds the first of what is due, with the reason, where each stands for itself and one must not stop the others.
    """

    name: str
    due: Callable[[Unit], datetime | None]
    work: Callable[[Batch, int], bool]
    give_up: Callable[[Batch, str], None] | None = None


@dataclass(frozen=True, slots=True)
class HeldTimer:
    """A timer that is set aside. failures: in a row."""

    name: str
    id: str
    failures: int
    since: datetime
    retry_at: datetime
    note: str


class Timers:
    """All timers of a hub, in the order in which they are worked."""

    def __init__(self, timers: Sequence[Timer]) -> None:
        self._timers = timers

    def begin(self, batch: Batch) -> None:
        """What is said of timers that are there no longer is forgotten."""
        names = {timer.name for timer in self._timers}
        for gone in held_timers(batch.unit.session).keys() - names:
            batch.unit.append(queries.free_timer, (gone,))

    def next_due(self, session: Session) -> datetime | None:
        """When the next one is to be worked; one that is set aside, not before its next try."""
        return min((due for _, due in self._moments(session)), default=None)

    def due(self, session: Session, now: datetime) -> list[Timer]:
        """Those that are to be worked now."""
        return [timer for timer, due in self._moments(session) if due <= now]

    def worked(self, batch: Batch, timer: Timer) -> None:
        """It did what it had to: it is set aside no longer."""
        if timer.name in held_timers(batch.unit.session):
            batch.unit.append(queries.free_timer, (timer.name,))

    def set_aside(self, batch: Batch, timer: Timer, why: str) -> None:
        """It broke off."""
        known = held_timers(batch.unit.session).get(timer.name)
        failures = known.failures + 1 if known is not None else 1
        retry_at = batch.now + delay_after(failures, batch.random)
        fresh = HeldTimer(timer.name, batch.ids.new("tmr"), failures, batch.now, retry_at, why)
        hold(batch.unit, fresh if known is None else replace(known, failures=failures, retry_at=retry_at, note=why))
        _LOG.warning("a timer is set aside", timer=timer.name, failures=failures, retry_at=to_text(retry_at), reason=why)

    def _moments(self, session: Session) -> list[tuple[Timer, datetime]]:
        unit, held = Unit(session), held_timers(session)
        found = []
        for timer in self._timers:
            due = _due(timer, unit)
            if due is not None:
                found.append((timer, max(due, held[timer.name].retry_at) if timer.name in held else due))
        return found


def _due(timer: Timer, unit: Unit) -> datetime | None:
    try:
        return timer.due(unit)
    except OutOfReach:
        raise
    except Exception:  # noqa: BLE001 - then its own turn shows what is wrong with it
        _LOG.exception("a timer cannot say when it is due", timer=timer.name)
        return _LONG_AGO


def held_timers(session: Session) -> dict[str, HeldTimer]:
    """The timers that are set aside, by name."""
    return {row["name"]: _from_row(row) for row in session.rows(queries.held_timers)}


def hold(unit: Unit, timer: HeldTimer) -> None:
    """Keep that it is set aside, until when and why."""
    times = to_text(timer.since), to_text(timer.retry_at)
    unit.append(queries.hold_timer, (timer.name, timer.id, timer.failures, *times, timer.note))


def delay_after(failures: int, random: Random) -> timedelta:
    """How long a timer rests after so many failures in a row, with up to a fifth of jitter."""
    delay: timedelta = min(_FIRST_DELAY * 2 ** min(failures - 1, 20), _DELAY_MOST)
    return delay + delay * random.randrange(200) / 1000


def _from_row(row: Row) -> HeldTimer:
    since, retry_at = from_text(row["since"]), from_text(row["retry_at"])
    return HeldTimer(row["name"], row["id"], row["failures"], since, retry_at, row["note"])
