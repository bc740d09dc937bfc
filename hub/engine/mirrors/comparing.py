"""Comparing: each night, member by member, what a platform shows with what it should; drift is repaired like any change.

A comparison is a chain of looks, each at the next few members, made with so much rest between them that a platform has time
for others. How far it has come is kept with what each look found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from hub.clock import to_text
from hub.engine import calls
from hub.engine.batch import Batch
from hub.engine.calls import Call
from hub.engine.mirrors.raising import HELD_MOST, ask_look
from hub.engine.mirrors.rows import COMPARISONS, IMAGES, Comparison, Image, drop_call, newest_comparison, queries
from hub.engine.timers import Timer
from hub.programme.settings import Programme
from hub.sdk import Connection
from hub.sdk.mirror import Mirror
from hub.store import Unit

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NIGHT = time(3)
_DRIFT_KEPT = timedelta(days=90)
_SHARE = 2
"""A comparison asks for one call of so many that the platform allows."""


class Comparing:
    """The comparisons of one connection's mirror."""

    def __init__(self, connection: Connection, mirror: Mirror, programme: Programme) -> None:
        self._name = connection.name
        self._mirror = mirror
        self._programme = programme
        self.terms = json.dumps(connection.mirror, ensure_ascii=False, sort_keys=True)
        rate = connection.connector.rate
        self._rest = timedelta() if rate is None else timedelta(seconds=_SHARE * rate.seconds / rate.calls)

    @property
    def timer(self) -> Timer:
        """What the schedule works."""
        return Timer(f"compare:{self._name}", self.due, self._work)

    def due(self, unit: Unit) -> datetime | None:
        """The next night; at once where nothing was compared yet, or where other fields show a member now."""
        last = newest_comparison(unit.session, self._name)
        if last is not None and last.finished_at is None and last.terms == self.terms:
            return None
        return _LONG_AGO if last is None or last.terms != self.terms else self._night_after(last.started_at)

    def under_way(self, batch: Batch) -> Comparison | None:
        """The comparison that has begun and not ended."""
        last = newest_comparison(batch.unit.session, self._name)
        return last if last is not None and last.finished_at is None else None

    def begin(self, batch: Batch) -> Comparison:
        """Compare everybody, from now on; one that is under way ends here, and what was held is tried again."""
        batch.unit.session.lock([calls.lane_of(self._name)])
        if (last := self.under_way(batch)) is not None:
            self.break_off(batch, last, "another one was begun before it had ended")
        self._free_held(batch)
        batch.unit.append(queries.forget_drift, (self._name, to_text(batch.now - _DRIFT_KEPT)))
        fresh = Comparison(batch.ids.new("cmp"), self._name, self.terms, batch.now)
        batch.unit.put(COMPARISONS, fresh.id, fresh)
        ask_look(batch, self._name, self._mirror, comparison=fresh.id)
        return fresh

    def portion(self, batch: Batch, call: Call) -> Sequence[str]:
        """The members that a look of a comparison is about: the next ones."""
        comparison = batch.unit.get(COMPARISONS, str(call.input["comparison"]))
        if comparison is None or comparison.finished_at is not None:
            return ()
        rows = batch.unit.session.rows(queries.members_after, after=comparison.after, most=self._mirror.batch)
        return [row["id"] for row in rows]

    def go_on(self, batch: Batch, comparison: Comparison, members: Sequence[str]) -> None:
        """These members are compared; the next ones, where there are any, have their turn after a rest."""
        if comparison.finished_at is not None:
            batch.unit.put(COMPARISONS, comparison.id, comparison)
            return
        comparison = comparison._replace(after=max(members, default=comparison.after))
        held = batch.unit.session.row(queries.count_held, connection=self._name, most=HELD_MOST)
        if held is not None and held["number"] >= HELD_MOST:
            self.break_off(batch, comparison, f"{HELD_MOST} calls are held; see `hub held`")
            return
        batch.unit.put(COMPARISONS, comparison.id, comparison)
        ask_look(batch, self._name, self._mirror, due_at=batch.now + self._rest, comparison=comparison.id)

    def break_off(self, batch: Batch, comparison: Comparison, why: str = "") -> None:
        """A comparison ends, before its end where there is a reason."""
        batch.unit.put(COMPARISONS, comparison.id, comparison._replace(finished_at=batch.now, note=why))

    def _work(self, batch: Batch, most: int) -> bool:
        due = self.due(batch.unit)
        if due is None or due > batch.now:
            return False
        self.begin(batch)
        return True

    def _free_held(self, batch: Batch) -> None:
        """The calls that wait are made anew, and the looks of an earlier comparison are not made at all."""
        session, unit = batch.unit.session, batch.unit
        rows = [
            *session.rows(queries.calls_held, connection=self._name),
            *session.rows(queries.open_looks, connection=self._name),
        ]
        for call in {row["id"]: calls.from_row(row) for row in rows}.values():
            is_first_look = call.kind == "look" and "comparison" not in call.input
            if is_first_look and call.state == calls.DUE:
                continue
            drop_call(unit, call.id)
            for member_id in [*filter(None, [call.member_id]), *call.input.get("members", ())]:
                image = unit.get(IMAGES, (self._name, member_id)) or Image(self._name, member_id)
                if image.call_id == call.id:
                    unit.put(IMAGES, image.key, image.freed().due())

    def _night_after(self, moment: datetime) -> datetime:
        local = moment.astimezone(self._programme.zone)
        day = local.date() if local.time() < _NIGHT else local.date() + timedelta(days=1)
        return datetime.combine(day, _NIGHT, self._programme.zone).astimezone(UTC)
