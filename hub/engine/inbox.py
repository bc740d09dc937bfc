"""Inbox: keeps what reaches the hub, and says so only when it is on the disk.

Many request threads bring deliveries at once. While one of them writes, the next ones gather; whoever came first among those
writes for all of them, in one transaction, and then lets them go. So the price of a durable commit is paid once for many, and
no other thread has to be woken for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub import log
from hub.clock import Clock, from_text, to_text
from hub.engine.vitals import Check
from hub.errors import Unavailable
from hub.ids import Ids
from hub.store import Row, Store, load

Kind = Literal["http", "command", "row", "pulled"]

queries = load("hub.engine", "inbox.sql")
_LOG = log.get(__name__)
_QUEUE_DELIVERIES_MOST = 10_000
_COMMIT_SECONDS_MOST = 10
_READ_BYTES_MOST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """What reached the hub, as it came. seq and id: given by the inbox. path: of a command, its name; of a pulled
    record, the pull's.

    headers: by lower-case name, without what proves identity. An id that is given and known already: it is kept as it was.
    """

    kind: Kind
    body: bytes
    received_at: datetime
    connection: str = ""
    method: str = ""
    path: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that has its id and is yet to be written."""

    id: str
    row: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A delivery without what it said. size: of its body and headers."""

    seq: int
    id: str
    received_at: datetime
    size: int


@dataclass(slots=True)
class _Batch:
    """The deliveries of one commit, and the threads that wait for it. is_given_up: it got no turn; nothing of it is written."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    settled: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    is_given_up: bool = False


class Inbox:
    """The first of the two files. keep and command are for any number of threads.

    ring: called after each commit, to wake the worker.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, ring: Callable[[], None], *, queue_most: int = _QUEUE_DELIVERIES_MOST
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._ring = ring
        self._queue_most = queue_most
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._open = _Batch()
        self._closing = False
        self._trouble: Exception | None = None

    def keep(self, delivery: Delivery) -> str:
        """Its id, once it is on the disk. Unavailable when that cannot be had now."""
        return self.keep_many([delivery])[0]

    def keep_many(self, deliveries: Sequence[Delivery]) -> list[str]:
        """Their ids, in order, once all are on the disk: all of them or none. Unavailable when that cannot be had now."""
        ready = [self.ready(one) for one in deliveries]
        self.keep_ready(ready)
        return [one.id for one in ready]

    def ready(self, delivery: Delivery) -> Ready:
        """The delivery as it will be kept; a value that cannot be is the error of its sender alone."""
        id_ = delivery.id or self._ids.new("dlv")
        return Ready(id_, _row_of(delivery, id_))

    def keep_ready(self, many: Sequence[Ready]) -> None:
        """Return once all are on the disk: all of them or none. Unavailable when that cannot be had now."""
        if not many:
            return
        batch, is_first = self._enqueue([one.row for one in many])
        if is_first:
            self._write_in_turn(batch)
        if not batch.settled.wait(_COMMIT_SECONDS_MOST) or batch.is_given_up:
            raise Unavailable(f"the disk has not confirmed the delivery within {_COMMIT_SECONDS_MOST} seconds; send it again")
        if batch.error is not None:
            raise Unavailable("the delivery could not be written; send it again in a moment") from batch.error

    def command(self, name: str, payload: Mapping[str, Any]) -> str:
        """Ask the worker for something; gives the id under which its answer will be found. payload: JSON-like."""
        body = json.dumps(payload).encode()
        return self.keep(Delivery("command", body, self._clock.now(), path=name))

    def after(self, seq: int, limit: int) -> list[Delivery]:
        """The deliveries that follow this place, in order: at most `limit`, and no more at once than memory should hold."""
        with self._store.read() as session:
            until, size = seq, 0
            for row in session.rows(queries.sizes_after, seq=seq, most=limit):
                size += row["size"]
                if until > seq and size > _READ_BYTES_MOST:
                    break
                until = row["seq"]
            return [_delivery_of(row) for row in session.rows(queries.deliveries_between, seq=seq, until=until)]

    def by_ids(self, ids: Collection[str]) -> list[Delivery]:
        """Those of these that there are, in the order in which they came."""
        with self._store.read() as session:
            return [_delivery_of(row) for row in session.rows(queries.deliveries_by_id, ids=ids)]

    def by_id(self, id_: str) -> Delivery | None:
        """The delivery, or None when the inbox does not have it (any more)."""
        return next(iter(self.by_ids([id_])), None)

    def check(self) -> Check:
        """Whether the last deliveries could be kept; else why not."""
        if self._trouble is None:
            return Check("inbox", ok=True, vital=False)
        told = str(self._trouble) if isinstance(self._trouble, Unavailable) else "the log says why"
        return Check("inbox", ok=False, detail=f"the last deliveries could not be kept: {told}", vital=False)

    def last_seq(self) -> int:
        """The place of the newest delivery, 0 when there is none."""
        with self._store.read() as session:
            row = session.row(queries.last_place)
        return row["seq"] if row else 0

    def oldest_after(self, seq: int) -> datetime | None:
        """When the first delivery after this place came: how far the worker is behind."""
        with self._store.read() as session:
            row = session.row(queries.first_after, seq=seq)
        return from_text(row["received_at"]) if row else None

    def outlines(self, after: int, until: int, most: int) -> list[Outline]:
        """The deliveries that follow a place, up to another, in order: at most so many."""
        with self._store.read() as session:
            rows = session.rows(queries.outlines, after=after, until=until, most=most)
        return [Outline(row["seq"], row["id"], from_text(row["received_at"]), row["size"]) for row in rows]

    def sum_after(self, seq: int, most: int) -> tuple[int, int]:
        """The place of the last of the next deliveries, at most so many, and the size of all of them; 0 when there is none."""
        with self._store.read() as session:
            row = session.row(queries.sum_after, seq=seq, most=most)
        return (int(row["until"]), int(row["size"])) if row is not None and row["until"] is not None else (0, 0)

    def size_bytes(self) -> int:
        """The space that the inbox takes."""
        return self._store.size_bytes()

    def remove(self, groups: Sequence[Sequence[Outline]], at: datetime) -> None:
        """Take these deliveries out for good, with a note for each group of neighbours."""
        if not groups:
            return
        with self._store.write() as session:
            session.run(queries.remove_deliveries, seqs=[one.seq for group in groups for one in group])
            notes = [(min(ids), max(ids), to_text(at), len(ids)) for group in groups if (ids := [one.id for one in group])]
            session.run_many(queries.note_removal, notes)
        self._store.checkpoint()

    def removed_at(self, id_: str) -> datetime | None:
        """When a delivery was removed; None when it was not."""
        return removals(self._store, [id_]).get(id_)

    def close(self) -> None:
        """Take nothing more; return when what has been handed over is written."""
        with self._lock:
            self._closing = True
            last = self._open
        if last.rows:
            last.settled.wait(_COMMIT_SECONDS_MOST)
        with self._turn:  # whoever writes now is let finish
            pass

    def _enqueue(self, rows: list[tuple[Any, ...]]) -> tuple[_Batch, bool]:
        """The batch that these are in now, and whether they are the first in it: then their sender writes it."""
        with self._lock:
            if self._closing:
                raise Unavailable("the hub is stopping; send it again in a moment")
            batch = self._open
            if batch.rows and len(batch.rows) + len(rows) > self._queue_most:
                raise Unavailable(f"{len(batch.rows)} deliveries wait to be written; send it again in a moment")
            is_first = not batch.rows
            batch.rows += rows
            return batch, is_first

    def _write_in_turn(self, batch: _Batch) -> None:
        has_turn = self._turn.acquire(timeout=_COMMIT_SECONDS_MOST)
        with self._lock:
            self._open = _Batch()
        if not has_turn:
            batch.is_given_up = True
            batch.settled.set()
            return
        try:
            self._write(batch)
        finally:
            self._turn.release()
        batch.settled.set()
        if batch.error is None:
            self._ring()

    def _write(self, batch: _Batch) -> None:
        try:
            with self._store.write() as session:
                session.run_many(queries.add_delivery, batch.rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, its senders must hear of it and the next batch be tried
            batch.error = error
            _LOG.error("deliveries could not be written", count=len(batch.rows), reason=log.in_words(error))
        self._trouble = batch.error


def removals(store: Store, ids: Collection[str]) -> dict[str, datetime]:
    """When those of these deliveries were removed that are not in the inbox any more."""
    with store.read() as session:
        there = {row["id"] for row in session.rows(queries.deliveries_by_id, ids=list(ids))}
        rows = {id_: session.row(queries.removal_of, id=id_) for id_ in ids if id_ not in there}
    return {id_: from_text(row["removed_at"]) for id_, row in rows.items() if row is not None}


def _row_of(delivery: Delivery, id_: str) -> tuple[Any, ...]:
    texts = (id_, delivery.kind, delivery.connection, delivery.method, delivery.path, delivery.query)
    for text in texts:
        text.encode()
    return (*texts, json.dumps(dict(delivery.headers)), delivery.body, to_text(delivery.received_at))


def _delivery_of(row: Row) -> Delivery:
    return Delivery(
        kind=row["kind"],
        body=bytes(row["body"]),
        received_at=from_text(row["received_at"]),
        connection=row["connection"],
        method=row["method"],
        path=row["path"],
        query=row["query"],
        headers=json.loads(row["headers"]),
        id=row["id"],
        seq=row["seq"],
    )
