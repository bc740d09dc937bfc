"""Inbox: acknowledged means kept, one commit for many, and a clear no when it cannot be had."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.clock import VirtualClock
from hub.engine import inbox as inbox_module
from hub.engine.inbox import Delivery, Inbox
from hub.errors import Unavailable
from hub.ids import Ids
from hub.store import OutOfReach
from hub.store.sqlite import SqliteSession, SqliteStore
from tests.databases import Place

NOON = datetime(2026, 2, 6, 12, 0, 0, 123456, UTC)


class Watched(SqliteStore):
    """A store that counts its commits and can be told to wait before, or fail at, the next."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "inbox")
        self.commits = 0
        self.may_write = threading.Event()
        self.may_write.set()
        self.began = threading.Semaphore(0)
        self.failure: Exception | None = None

    @contextmanager
    def write(self) -> Iterator[SqliteSession]:
        self.began.release()
        self.may_write.wait(20)
        if self.failure is not None:
            raise self.failure
        with super().write() as session:
            yield session
        self.commits += 1


class World:
    """An inbox with all that it needs."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.store = Watched(folder / "inbox.db")
        self.store.migrate()
        self.rings = 0
        clock = VirtualClock(NOON)
        self.inbox = Inbox(self.store, clock, Ids(clock, random.Random(1)), self.ring, **options)

    def ring(self) -> None:
        self.rings += 1

    def close(self) -> None:
        self.store.may_write.set()
        self.inbox.close()
        self.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def delivery(body: bytes = b"{}", **fields: Any) -> Delivery:
    return Delivery("http", body, NOON, **{"connection": "square", "method": "POST", "path": "/hooks/square", **fields})


def test_what_was_kept_is_read_as_it_came(world: World) -> None:
    """Raw bytes, headers, times and all come back unchanged, with an id and a place."""
    raw = bytes(range(256))
    sent = delivery(raw, query="a=%C3%A4", headers={"x-sign": "ünï", "content-type": "application/json"})
    id_ = world.inbox.keep(sent)
    assert id_.startswith("dlv_")
    assert world.inbox.by_id(id_) == Delivery(
        "http", raw, NOON, "square", "POST", "/hooks/square", "a=%C3%A4", sent.headers, id_, 1
    )


def test_the_worker_reads_on_from_its_place(world: World) -> None:
    """Deliveries come in the order in which they were kept, after a place, at most so many."""
    ids = [world.inbox.keep(delivery(str(number).encode())) for number in range(5)]
    first = world.inbox.after(0, 3)
    assert [one.id for one in first] == ids[:3]
    assert [one.id for one in world.inbox.after(first[-1].seq, 3)] == ids[3:]
    assert world.inbox.after(5, 3) == []
    assert world.inbox.last_seq() == 5


def test_large_deliveries_are_read_a_few_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One read takes no more than memory should hold, but always at least one delivery."""
    monkeypatch.setattr(inbox_module, "_READ_BYTES_MOST", 2_500)
    world.inbox.keep_many([delivery(b"x" * size) for size in (1_000, 1_000, 1_000, 5_000)])
    assert [one.seq for one in world.inbox.after(0, 10)] == [1, 2]
    assert [one.seq for one in world.inbox.after(2, 10)] == [3]
    assert [one.seq for one in world.inbox.after(3, 10)] == [4]


def test_the_inbox_says_how_far_the_worker_is_behind(world: World) -> None:
    """The lag is counted from the oldest delivery that was not read."""
    assert world.inbox.oldest_after(0) is None
    world.inbox.keep(Delivery("http", b"", NOON - timedelta(hours=1)))
    world.inbox.keep(delivery())
    assert world.inbox.oldest_after(0) == NOON - timedelta(hours=1)
    assert world.inbox.oldest_after(1) == NOON
    assert world.inbox.oldest_after(2) is None


def test_a_command_is_a_delivery_like_any_other(world: World) -> None:
    """What a person asks of the hub stands in the same row, with its name and payload."""
    id_ = world.inbox.command("replay", {"run": "run_1", "note": "Grüße \ud800"})
    kept = world.inbox.by_id(id_)
    assert kept is not None
    assert (kept.kind, kept.path, kept.received_at) == ("command", "replay", NOON)
    assert kept.body == b'{"run": "run_1", "note": "Gr\\u00fc\\u00dfe \\ud800"}'


def test_many_threads_share_one_commit(world: World) -> None:
    """All that waits while the disk is busy is written by one commit, and every thread gets its own id."""
    world.store.may_write.clear()
    with ThreadPoolExecutor(33) as pool:
        first = pool.submit(world.inbox.keep, delivery(b"first"))
        assert world.store.began.acquire(timeout=10)
        others = [pool.submit(world.inbox.keep, delivery(str(number).encode())) for number in range(32)]
        while len(world.inbox._open.rows) < 32:
            threading.Event().wait(0.001)
        assert not first.done()
        assert not any(one.done() for one in others)
        world.store.may_write.set()
        ids = {one.result(10): str(number).encode() for number, one in enumerate(others)}
    assert world.store.commits == 2
    assert {one.id: one.body for one in world.inbox.by_ids(ids)} == ids


def test_the_bell_rings_after_each_commit(world: World) -> None:
    """The worker is woken when there is something to read, not before."""
    seen: list[int] = []
    world.inbox._ring = lambda: seen.append(world.inbox.last_seq())
    world.inbox.keep_many([delivery(), delivery()])
    world.inbox.keep(delivery())
    world.inbox.close()
    assert seen == [2, 3]


@pytest.mark.parametrize("failure", [sqlite3.OperationalError("disk I/O error"), OSError("gone"), MemoryError()])
def test_a_disk_error_is_said_to_the_sender_and_the_next_one_is_tried(world: World, failure: Exception) -> None:
    """Nothing is acknowledged that was not written; when the trouble is over the inbox goes on by itself."""
    world.store.failure = failure
    with pytest.raises(Unavailable, match="send it again"):
        world.inbox.keep(delivery(b"lost"))
    world.store.failure = None
    world.inbox.keep(delivery(b"kept"))
    assert [one.body for one in world.inbox.after(0, 10)] == [b"kept"]


def test_a_full_disk_refuses_and_loses_nothing(world: World) -> None:
    """When the database cannot grow, senders are told; all that was acknowledged is there."""
    with world.store.read() as session:
        pages = session._connection.execute("PRAGMA page_count").fetchone()[0]
    world.store._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
    acknowledged: list[str] = []
    with pytest.raises(Unavailable) as refused:
        acknowledged.extend(world.inbox.keep(delivery(b"x" * 4_000)) for _ in range(100))
    assert isinstance(refused.value.__cause__, OutOfReach)
    assert "disk is full" in world.inbox.check().detail
    assert acknowledged
    assert [one.id for one in world.inbox.after(0, 200)] == acknowledged


def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    """When more waits than may wait, the sender is told to come again, with a number of seconds."""
    world = World(tmp_path, queue_most=2)
    world.store.may_write.clear()
    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(world.inbox.keep, delivery())
        assert world.store.began.acquire(timeout=10)
        waiting = pool.submit(world.inbox.keep_many, [delivery(), delivery()])
        while len(world.inbox._open.rows) < 2:
            threading.Event().wait(0.001)
        with pytest.raises(Unavailable, match="2 deliveries wait") as refused:
            world.inbox.keep(delivery())
        assert refused.value.retry_after_seconds > 0
        world.store.may_write.set()
        assert writing.result(10)
        assert waiting.result(10)
    assert world.inbox.last_seq() == 3
    world.close()


def test_a_disk_that_hangs_is_not_waited_for_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gets no turn in time is told to send again, and is not kept; when the disk answers again, the inbox goes on."""
    monkeypatch.setattr(inbox_module, "_COMMIT_SECONDS_MOST", 0)
    world.store.may_write.clear()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(world.inbox.keep, delivery(b"first"))
        assert world.store.began.acquire(timeout=10)
        for _ in range(2):
            with pytest.raises(Unavailable, match="not confirmed"):
                world.inbox.keep(delivery(b"in vain"))
        world.store.may_write.set()
        assert writing.result(10)
    world.inbox.keep(delivery(b"next"))
    assert [one.body for one in world.inbox.after(0, 10)] == [b"first", b"next"]


def test_who_waits_for_another_ones_commit_is_told_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody in a batch that gets no turn in time hears of it from its first sender."""
    monkeypatch.setattr(inbox_module, "_COMMIT_SECONDS_MOST", 0.5)
    world.store.may_write.clear()
    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(world.inbox.keep, delivery())
        assert world.store.began.acquire(timeout=10)
        waiting = [pool.submit(world.inbox.keep, delivery()) for _ in range(2)]
        for one in waiting:
            with pytest.raises(Unavailable, match="not confirmed"):
                one.result(10)
        world.store.may_write.set()
        assert writing.result(10)
    assert world.inbox.last_seq() == 1


def test_a_value_that_cannot_be_stored_fails_its_sender_alone(world: World) -> None:
    """Text that is no Unicode does not spoil the commit of the others."""
    with pytest.raises(UnicodeEncodeError):
        world.inbox.keep(delivery(query="\ud800"))
    assert world.store.commits == 0
    world.inbox.keep(delivery(headers={"x": "\ud800"}))
    assert world.inbox.after(0, 1)[0].headers == {"x": "\ud800"}


def test_closing_writes_what_was_handed_over_and_takes_nothing_more(world: World) -> None:
    """A graceful stop keeps its word to those who wait, and refuses those who come after."""
    world.store.may_write.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(world.inbox.keep, delivery())
        assert world.store.began.acquire(timeout=10)
        second = pool.submit(world.inbox.keep, delivery())
        while not world.inbox._open.rows:
            threading.Event().wait(0.001)
        closing = pool.submit(world.inbox.close)
        while not world.inbox._closing:
            threading.Event().wait(0.001)
        world.store.may_write.set()
        closing.result(10)
        assert first.result(10)
        assert second.result(10)
    with pytest.raises(Unavailable, match="stopping"):
        world.inbox.keep(delivery())
    assert world.inbox.last_seq() == 2


def test_nothing_to_keep_is_kept_at_once(world: World) -> None:
    """An import whose last part is empty does not wait."""
    assert world.inbox.keep_many([]) == []


SENDER = """
import sys, threading
from pathlib import Path
from hub.clock import SystemClock
from hub.engine.inbox import Delivery, Inbox
from hub.ids import Ids
from hub.store import database

store, clock = database.at(sys.argv[1], Path(sys.argv[1].removeprefix("sqlite:///"))).open("inbox"), SystemClock()
inbox = Inbox(store, clock, Ids(clock), lambda: None)

def send():
    while True:
        id_ = inbox.keep(Delivery("http", b"x" * 500, clock.now()))
        sys.stdout.write(id_ + "\\n")
        sys.stdout.flush()

for _ in range(8):
    threading.Thread(target=send).start()
"""


def test_a_kill_loses_nothing_that_was_acknowledged(place: Place) -> None:
    """After `kill -9` of two processes in the middle of many commits, every id that was given out is in the database."""
    senders = [subprocess.Popen([sys.executable, "-c", SENDER, place.url], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    acknowledged = []
    for sender in senders:
        assert sender.stdout is not None
        acknowledged += [sender.stdout.readline().strip() for _ in range(200)]
    for sender in senders:
        sender.send_signal(signal.SIGKILL)
        assert sender.stdout is not None
        rest = sender.stdout.read().split("\n")
        sender.stdout.close()
        sender.wait(10)
        acknowledged += [line for line in rest[:-1] if line]
    store, clock = place.open("inbox"), VirtualClock(NOON)
    inbox = Inbox(store, clock, Ids(clock, random.Random(1)), lambda: None)
    kept = {one.id for one in inbox.after(0, 1_000_000)}
    inbox.close()
    store.close()
    assert len(acknowledged) >= 400
    assert set(acknowledged) <= kept
