"""Telling: the timer that sees what is the matter, keeps it as alerts, and sends the owner few messages about it.

A trouble that lasts a minute is told; then one message at most goes out in each while (an hour, unless hub.yaml says otherwise)
with all that is new and all that is over. So a thousand parked lanes are one line with a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hub.clock import from_text, to_text
from hub.engine import calls
from hub.engine.alerts.letter import heading, letter, test_letter
from hub.engine.alerts.owner import Owner, Way
from hub.engine.alerts.rows import ALERTS, Alert, queries, unsettled
from hub.engine.alerts.silence import Hearing, Silence
from hub.engine.alerts.troubles import KINDS, Key, Lookout, Trouble, found
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.timers import Timer
from hub.errors import HubError
from hub.programme.settings import Programme
from hub.store import Row, Session, Unit

MESSAGES_A_DAY_MOST = 24

_SETTLES = timedelta(minutes=1)
_DAY = timedelta(days=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SILENT = "silent"


@dataclass(frozen=True, slots=True)
class _View:
    """What stands in the database. known: the alerts by what they are about. messages: the last ones, newest first."""

    troubles: Mapping[Key, Trouble]
    silences: Mapping[str, Silence]
    known: Mapping[Key, Alert]
    messages: Sequence[Row]


@dataclass(frozen=True, slots=True)
class _Telling:
    """A message that can go out from a moment on."""

    at: datetime
    way: Way
    alerts: tuple[Alert, ...]


class Alerts:
    """What one owner is told. ways: how, best first."""

    def __init__(self, owner: Owner, ways: Sequence[Way], lookout: Lookout, programme: Programme) -> None:
        self._owner = owner
        self._ways = ways
        self._lookout = lookout
        self._programme = programme
        self._hearing = Hearing(lookout.connections)

    @property
    def reaches(self) -> tuple[str, ...]:
        """Where the owner is told, and through what."""
        return tuple(way.shown for way in self._ways)

    @property
    def timer(self) -> Timer:
        """What the schedule works."""
        return Timer("alerts", self.due, self.work)

    def due(self, unit: Unit) -> datetime | None:
        """When there is something to note or to tell."""
        view = self._look(unit.session)
        telling = self._telling(view.known.values(), view)
        moments = [*self._changes(view), *([telling.at] if telling is not None else [])]
        return min(moments, default=None)

    def work(self, batch: Batch, most: int) -> bool:
        """Note what has changed, and tell the owner when it is time to."""
        view = self._look(batch.unit.session)
        alerts = self._noted(batch, view)
        telling = self._telling(alerts, view)
        if telling is not None and telling.at <= batch.now:
            self._tell(batch, telling)
        return True

    def test(self, batch: Batch) -> list[str]:
        """Send a message on every way; gives what the ways are called. HubError when there were too many messages."""
        if self._cap_ends(_messages(batch.unit.session)) > batch.now:
            raise HubError(f"{MESSAGES_A_DAY_MOST} messages went to the owner within a day, and that is the most; try later")
        for way in self._ways:
            self._send(batch, way, heading(self._programme.name, ()), test_letter(self._programme.name), is_test=True)
        return list(self.reaches)

    def _look(self, session: Session) -> _View:
        known = {(alert.kind, alert.subject): alert for alert in unsettled(session)}
        return _View(found(session, self._lookout), self._hearing.expected(session), known, _messages(session))

    # What has changed -------------------------------------------------------------------------------------------------------

    def _changes(self, view: _View) -> Iterator[datetime]:
        """The moments from which on the alerts do not say what is the matter."""
        standing = {key: alert for key, alert in view.known.items() if alert.closed_at is None}
        for key, trouble in view.troubles.items():
            if key not in standing or _differs(standing[key], trouble):
                yield _LONG_AGO
        for key in standing.keys() - view.troubles.keys():
            if key[0] != _SILENT or key[1] not in view.silences:
                yield _LONG_AGO
        for name, quiet in view.silences.items():
            alert = standing.get((_SILENT, name))
            if alert is None:
                yield quiet.due
            elif alert.newest_at != quiet.heard_at:
                yield _LONG_AGO

    def _noted(self, batch: Batch, view: _View) -> list[Alert]:
        """The alerts as they are from now on."""
        silent = {quiet.connection: quiet for quiet in view.silences.values() if quiet.due <= batch.now}
        troubles = {**view.troubles, **{(_SILENT, name): self._silent(quiet) for name, quiet in silent.items()}}
        alerts = dict(view.known)
        for key, trouble in troubles.items():
            alerts[key] = _as_it_is(batch, alerts.get(key), trouble)
        for key, alert in view.known.items():
            if key not in troubles and alert.closed_at is None:
                alerts[key] = replace(alert, closed_at=batch.now, settled=alert.told_at is None)
        for key, alert in alerts.items():
            if alert != view.known.get(key):
                batch.unit.put(ALERTS, alert.id, alert)
        return [alert for alert in alerts.values() if not alert.settled]

    def _silent(self, quiet: Silence) -> Trouble:
        since = quiet.heard_at.astimezone(self._programme.zone)
        usual = int(quiet.usual.total_seconds()) // 3600
        why = f"nothing was heard of it since {since:%Y-%m-%d %H:%M}; its longest pause before was {usual} hours"
        return Trouble(_SILENT, quiet.connection, newest_at=quiet.heard_at, why=why)

    # What is told -----------------------------------------------------------------------------------------------------------

    def _telling(self, alerts: Collection[Alert], view: _View) -> _Telling | None:
        chosen = self._way(view)
        if chosen is None:
            return None
        way, not_before = chosen
        wanted = [alert for alert in alerts if self._is_wanted(alert, way)]
        if not wanted:
            return None
        told = next((from_text(row["sent_at"]) for row in view.messages if not row["is_test"]), None)
        pause = self._owner.every.after(told, self._programme.zone) if told is not None else _LONG_AGO
        at = max(min(map(_ready_at, wanted)), not_before, pause, self._cap_ends(view.messages))
        quiet = self._owner.quiet_hours
        return _Telling(at if quiet is None else quiet.over(at, self._programme.zone), way, tuple(wanted))

    def _is_wanted(self, alert: Alert, way: Way) -> bool:
        """Whether there is something to tell of it by this way; that a way is out of order is told by another."""
        kind = KINDS[alert.kind]
        if alert.closed_at is not None:
            return True  # one that was never told is settled as soon as it is over
        if kind.severity != "problem" and self._owner.tell == "problems":
            return False
        return alert.has_news and not (kind.is_outbound and alert.subject == way.connection)

    def _way(self, view: _View) -> tuple[Way, datetime] | None:
        """The way that a message can take soonest, and from when on; one that is out of order only where no other is left."""
        usable = []
        for number, way in enumerate(self._ways):
            state, changed_at = _last_call(view.messages, way.connection)
            if way.connection in self._lookout.incomplete or state in (calls.DUE, calls.BEGUN):
                continue
            not_before = changed_at + _DAY if state == calls.HELD else _LONG_AGO
            is_out = any((kind, way.connection) in view.troubles for kind in ("open", "needs_reconnecting"))
            usable.append((not_before, is_out, number))
        if not usable:
            return None
        not_before, _, number = min(usable)
        return self._ways[number], not_before

    def _cap_ends(self, messages: Sequence[Row]) -> datetime:
        if len(messages) < MESSAGES_A_DAY_MOST:
            return _LONG_AGO
        return from_text(messages[MESSAGES_A_DAY_MOST - 1]["sent_at"]) + _DAY

    def _tell(self, batch: Batch, telling: _Telling) -> None:
        ready = [alert for alert in telling.alerts if _ready_at(alert) <= batch.now]
        new = [alert for alert in ready if alert.closed_at is None]
        over = [alert for alert in ready if alert.closed_at is not None]
        name, way = self._programme.name, telling.way
        self._send(batch, way, heading(name, new), letter(name, new, over, way.longest))
        for alert in ready:
            told = replace(alert, told_at=batch.now, told_number=alert.number, settled=alert.closed_at is not None)
            batch.unit.put(ALERTS, alert.id, told)

    def _send(self, batch: Batch, way: Way, subject: str, text: str, *, is_test: bool = False) -> None:
        call = Call(
            id=batch.ids.new("call"),
            kind="alert",
            connection=way.connection,
            name=way.action,
            lane=way.connection,
            input=way.input(subject, text),
            due_at=batch.now,
            created_at=batch.now,
            changed_at=batch.now,
        )
        batch.unit.put(CALLS, call.id, call)
        batch.unit.append(queries.add_message, (call.id, way.connection, to_text(batch.now), int(is_test), text))


def _messages(session: Session) -> Sequence[Row]:
    return list(session.rows(queries.last_messages, most=MESSAGES_A_DAY_MOST))


def _last_call(messages: Sequence[Row], connection: str) -> tuple[int | None, datetime]:
    """How the call of the last message through a connection is, and since when."""
    for row in messages:
        if row["connection"] == connection and row["state"] is not None:
            return row["state"], from_text(row["changed_at"])
    return None, _LONG_AGO


def _differs(alert: Alert, trouble: Trouble) -> bool:
    return (alert.number, alert.newest_at) != (trouble.number, trouble.newest_at)


def _as_it_is(batch: Batch, known: Alert | None, trouble: Trouble) -> Alert:
    """The alert of a trouble. One that comes back before its end was told has not ended for the owner."""
    if known is None:
        id_ = batch.ids.new("alr")
        return Alert(id_, trouble.kind, trouble.subject, batch.now, trouble.number, trouble.newest_at, trouble.text)
    if known.closed_at is None and not _differs(known, trouble):
        return known
    return replace(known, number=trouble.number, newest_at=trouble.newest_at, text=trouble.text, closed_at=None)


def _ready_at(alert: Alert) -> datetime:
    """When it has lasted long enough to be told."""
    if alert.closed_at is not None:
        return alert.closed_at + _SETTLES
    if alert.told_at is None:
        return alert.opened_at + _SETTLES
    return max(alert.newest_at or alert.told_at, alert.told_at) + _SETTLES
