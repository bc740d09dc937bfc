"""Checking: each night a provider is asked for its orders, and when it has told them all, they are matched with the calls.

Asking and matching are two turns of one timer: between them stands a pull like any other, with its repeats, its breaker and,
where nothing helps, a person. What was found is kept until it is no longer so, or until a person says that it is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from hub import log
from hub.clock import from_text, to_text
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.cursors import CURSORS, move_time, time_of
from hub.engine.schedule import ask_pull
from hub.engine.spend.bought import Bought, bought, calls_of, ended
from hub.engine.spend.matching import Found, Terms, differences, key_of
from hub.engine.spend.orders import Heard, keep
from hub.engine.spend.rows import DIFFERENCES, Difference, Order, difference_from, lane_of, order_from, queries
from hub.engine.timers import Timer
from hub.engine.told import Told
from hub.programme.settings import Programme
from hub.sdk import Connection, RewardOrder
from hub.sdk.trigger import Pull
from hub.store import Session, Unit

_LOG = log.get(__name__)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NIGHT = time(4)
_LOOKED_BACK = timedelta(days=31)
_WAITED_FOR = timedelta(days=400)
"""An order can be asked for a year ahead; whatever waits longer is asked about no more."""
_ON_ITS_WAY = timedelta(minutes=10)
_MARK = "check"


class Checking:
    """The matching of one connection. pull: brings its orders."""

    def __init__(self, connection: Connection, pull: Pull, programme: Programme) -> None:
        self._connection = connection
        self._name = connection.name
        self._pull = pull
        self._programme = programme

    @property
    def timer(self) -> Timer:
        """What the schedule works."""
        return Timer(_asked(self._name), self.due, self._work)

    def due(self, unit: Unit) -> datetime | None:
        """At once, where orders were listed that are not matched, or where nobody ever asked; else in the next night."""
        asked, listing = time_of(unit, _asked(self._name)), unit.get(CURSORS, _listed(self._name))
        return _LONG_AGO if asked is None or listing else self._night_after(asked)

    def begin(self, batch: Batch, since: datetime | None = None) -> Call:
        """Ask for the orders since a moment: by default those of a month, and as far back as one waits."""
        move_time(batch.unit, _asked(self._name), batch.now)
        if time_of(batch.unit, _watched(self._name)) is None:
            move_time(batch.unit, _watched(self._name), batch.now)
        call = ask_pull(batch, self._name, self._pull.name, since or self._since(batch))
        marked = call._replace(input={**call.input, _MARK: True})
        batch.unit.put(CALLS, call.id, marked)
        return marked

    def _work(self, batch: Batch, most: int) -> bool:
        due = self.due(batch.unit)
        if due is None or due > batch.now:
            return False
        if listed := batch.unit.get(CURSORS, _listed(self._name)):
            since, until = map(from_text, listed.split())
            batch.unit.put(CURSORS, _listed(self._name), "")
            self._match(batch, since, until)
        else:
            self.begin(batch)
        return True

    def _match(self, batch: Batch, since: datetime, until: datetime) -> None:
        session = batch.unit.session
        session.lock([lane_of(self._name)])
        known = [difference_from(row) for row in session.rows(queries.differences_open, connection=self._name)]
        orders, calls = self._read(session, known, since)
        terms = Terms(
            listed=(since, until - _ON_ITS_WAY),
            doubted={one.call_id for one in known if one.kind == "unknown_order"},
            watched_since=None if self._connection.shared else time_of(batch.unit, _watched(self._name)),
        )
        self._keep(batch, known, differences(calls, orders, terms))
        move_time(batch.unit, _matched(self._name), until)

    def _read(self, session: Session, known: list[Difference], since: datetime) -> tuple[list[Order], list[Bought]]:
        """What is to be compared: all since a moment, and whatever the differences are about that are known."""
        name, end = self._name, datetime.max.replace(tzinfo=UTC)
        rows = list(session.rows(queries.orders_made, connection=name, since=to_text(since), until=to_text(end)))
        calls = {call.id: call for call in ended(session, self._connection, since, end)}
        named = {*(row["call_id"] for row in rows), *(one.call_id for one in known)} - {"", *calls}
        calls |= {call.id: call for call in calls_of(session, named)}
        found = bought(session, self._connection, list(calls.values()))
        ids = {*(one.order_id for one in known), *(one.order_id for one in found)} - {""}
        rows += session.rows(queries.orders_of, connection=name, order_ids=list(ids))
        rows += session.rows(queries.orders_of_calls, connection=name, call_ids=list(calls))
        orders = {order.order_id: order for order in map(order_from, rows)}
        return list(orders.values()), found

    def _keep(self, batch: Batch, known: list[Difference], found: list[Found]) -> None:
        rows = batch.unit.session.rows(queries.settled_by_hand, connection=self._name)
        settled = {(row["kind"], row["call_id"], row["order_id"]) for row in rows}
        open_ones, current = {key_of(one): one for one in known}, {one.key: one for one in found}
        for key, one in current.items():
            before = open_ones.get(key)
            if before is None and key in settled:
                continue
            fresh = before or Difference(
                batch.ids.new("dif"), self._name, one.kind, one.call_id, one.order_id, None, None, 0, batch.now
            )
            now = fresh._replace(ours=one.ours, theirs=one.theirs, points=one.points)
            if now != before:
                batch.unit.put(DIFFERENCES, now.id, now)
        for key, gone in open_ones.items():
            if key not in current:
                batch.unit.put(DIFFERENCES, gone.id, gone._replace(settled_at=batch.now))
        new = len(current.keys() - open_ones.keys() - settled)
        if new:
            _LOG.warning("what was bought is not what the provider says it sold", connection=self._name, differences=new)

    def _since(self, batch: Batch) -> datetime:
        row = batch.unit.session.row(queries.oldest_waiting, connection=self._name)
        waiting = from_text(row["ordered_at"]) if row is not None else batch.now
        return min(batch.now - _LOOKED_BACK, max(waiting, batch.now - _WAITED_FOR))

    def _night_after(self, moment: datetime) -> datetime:
        local = moment.astimezone(self._programme.zone)
        day = local.date() if local.time() < _NIGHT else local.date() + timedelta(days=1)
        return datetime.combine(day, _NIGHT, self._programme.zone).astimezone(UTC)


def listed(unit: Unit, call: Call, told: Sequence[Told]) -> bool:
    """Keep what a check was told: all orders since a moment, which can be matched now. False for all other calls.

    Recipes hear nothing of it: a month of orders that are none of theirs would be news to them.
    """
    if _MARK not in call.input:
        return False
    keep(unit, [Heard(call.connection, one.fact, call.changed_at) for one in told if isinstance(one.fact, RewardOrder)])
    since = datetime.fromisoformat(str(call.input["since"]))
    unit.put(CURSORS, _listed(call.connection), f"{to_text(since)} {to_text(call.changed_at)}")
    return True


def matched_at(unit: Unit, connection: str) -> datetime | None:
    """Until when the orders of a connection are matched; None where they never were."""
    return time_of(unit, _matched(connection))


def _asked(connection: str) -> str:
    return f"spend:{connection}"


def _listed(connection: str) -> str:
    return f"spend_listed:{connection}"


def _matched(connection: str) -> str:
    return f"spend_matched:{connection}"


def _watched(connection: str) -> str:
    return f"spend_watched:{connection}"
