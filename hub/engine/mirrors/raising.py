"""Raising: makes calls of what is out of date, a few at a time, so that many changes of a member become one call.

A member who has not been seen at a platform is looked at first: what is right there already is not written, and nobody is made
a contact whom the platform does not know. While a person has to look at many of its calls, a mirror makes no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hub.engine import calls
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.mirrors.rows import IMAGES, KNOWN, Image, image_from, queries
from hub.engine.timers import Timer
from hub.sdk import Connection
from hub.sdk.mirror import Mirror
from hub.sdk.rate import Rate
from hub.store import Session, Unit

HELD_MOST = 20

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_OPEN_MOST = 128
_SECONDS_AHEAD = 4
"""A platform is given no more to do than takes it so long: what others ask of it must not wait behind a crowd."""


class Raising:
    """The calls of one connection's mirror."""

    def __init__(self, connection: Connection, mirror: Mirror) -> None:
        self._name = connection.name
        self._mirror = mirror
        self._most = _open_most(connection.connector.rate, mirror)

    @property
    def timer(self) -> Timer:
        """What the schedule works."""
        return Timer(f"mirror:{self._name}", self.due, self.work)

    def due(self, unit: Unit) -> datetime | None:
        """When there is something to ask for: at once, where there is room for it."""
        is_due = unit.session.row(queries.any_due, connection=self._name) is not None
        return _LONG_AGO if is_due and self._room(unit.session) else None

    def work(self, batch: Batch, most: int) -> bool:
        """Make calls of what has waited longest."""
        session = batch.unit.session
        session.lock([calls.lane_of(self._name)])
        images = self._due(session, min(most, self._room(session)))
        batch.unit.want(CALLS, [image.call_id for image in images if image.call_id])
        fresh = [image for image in images if not self._revived(batch, image)]
        for group in self._groups(fresh):
            call = self._call(batch, group)
            for image in group:
                batch.unit.put(IMAGES, image.key, image._replace(busy=True, call_id=call.id))
        return bool(images)

    def _room(self, session: Session) -> int:
        busy = session.row(queries.count_busy, connection=self._name, most=self._most)
        held = session.row(queries.count_held, connection=self._name, most=HELD_MOST)
        assert busy is not None and held is not None
        return 0 if held["number"] >= HELD_MOST else self._most - int(busy["number"])

    def _due(self, session: Session, most: int) -> list[Image]:
        if most <= 0:
            return []
        return list(map(image_from, session.rows(queries.images_due, connection=self._name, most=most)))

    def _revived(self, batch: Batch, image: Image) -> bool:
        """Whether a call about the image, which was held or has been taken up by a person, does it."""
        call = batch.unit.get(CALLS, image.call_id) if image.call_id else None
        if call is None or call.state not in (calls.HELD, calls.DUE, calls.BEGUN):
            return False
        if call.state == calls.HELD:
            again = call._replace(state=calls.DUE, attempts=0, due_at=batch.now, note="", changed_at=batch.now)
            batch.unit.put(CALLS, call.id, again)
        batch.unit.put(IMAGES, image.key, image._replace(busy=True))
        return True

    def _groups(self, images: Sequence[Image]) -> Iterator[Sequence[Image]]:
        """Who is known is written alone (the outbox makes batches of writes), others are looked at together."""
        to_look = [image for image in images if image.state != KNOWN and self._mirror.reading is not None]
        for start in range(0, len(to_look), self._mirror.batch):
            yield to_look[start : start + self._mirror.batch]
        yield from ([image] for image in images if image.state == KNOWN or self._mirror.reading is None)

    def _call(self, batch: Batch, group: Sequence[Image]) -> Call:
        if group[0].state != KNOWN and self._mirror.reading is not None:
            return ask_look(batch, self._name, self._mirror, members=[image.member_id for image in group])
        call = _new(batch, self._name, "mirror", self._mirror.action.name)
        call = call._replace(member_id=group[0].member_id)
        batch.unit.put(CALLS, call.id, call)
        return call


def ask_look(batch: Batch, connection: str, mirror: Mirror, *, due_at: datetime | None = None, **of: object) -> Call:
    """Have it looked at what the platform shows: of these `members`, or of the next ones of a `comparison`."""
    assert mirror.reading is not None
    call = _new(batch, connection, "look", mirror.reading.name)._replace(input=of, due_at=due_at or batch.now)
    batch.unit.put(CALLS, call.id, call)
    return call


def _new(batch: Batch, connection: str, kind: calls.Kind, name: str) -> Call:
    now, id_ = batch.now, batch.ids.new("call")
    return Call(id_, kind, connection, name, lane=connection, input={}, due_at=now, created_at=now, changed_at=now)


def _open_most(rate: Rate | None, mirror: Mirror) -> int:
    together = max(mirror.batch, mirror.action.batch)
    allowed = _OPEN_MOST if rate is None else int(_SECONDS_AHEAD * rate.calls / rate.seconds)
    return max(1, min(_OPEN_MOST, allowed * together))
