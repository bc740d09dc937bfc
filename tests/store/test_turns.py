"""Turns on PostgreSQL: one worker at a time, and how it is woken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from hub.errors import HubError
from hub.store.lock import LockLost
from hub.store.server import Server as Database
from hub.store.turns import ListenBell, NotifyWaker, SessionLock
from tests.databases import Corner, Server, ask


@pytest.fixture
def bell(postgres: Corner) -> Iterator[ListenBell]:
    made = ListenBell(postgres.url)
    assert made.wait(0)  # it begins to listen; what was rung before may have been missed
    yield made
    made.close()


@pytest.fixture
def waker(postgres: Corner) -> Iterator[NotifyWaker]:
    made = NotifyWaker(postgres.url)
    yield made
    made.close()


def test_a_ring_ends_a_wait(bell: ListenBell, waker: NotifyWaker) -> None:
    """From another process, too: it goes through the server."""
    ringer = threading.Timer(0.05, waker.ring)
    ringer.start()
    began = time.monotonic()
    assert bell.wait(10)
    assert time.monotonic() - began < 5
    ringer.join()


def test_a_ring_before_the_wait_is_not_lost(bell: ListenBell, waker: NotifyWaker) -> None:
    """The connection keeps it; many rings may be heard as one."""
    for _ in range(100):
        waker.ring()
    assert bell.wait(10)
    while bell.wait(0.2):
        pass
    assert not bell.wait(0)


def test_a_hub_in_another_schema_is_not_woken(bell: ListenBell, postgres_server: Server) -> None:
    """Each has a channel of its own."""
    other = NotifyWaker(postgres_server.bare().url)
    other.ring()
    other.close()
    assert not bell.wait(0.2)


def test_ringing_never_fails(postgres: Corner) -> None:
    """Where no server is, where the connection was cut, and when it is closed."""
    nowhere = NotifyWaker("postgresql://postgres@127.0.0.1:1/nowhere")
    nowhere.ring()
    nowhere.close()
    nowhere.ring()
    bell, waker = ListenBell(postgres.url), NotifyWaker(postgres.url)
    bell.wait(0)
    waker.ring()
    assert bell.wait(10)
    postgres.cut()
    heard = False
    for _ in range(20):
        waker.ring()
        heard = heard or bell.wait(0.2)
    assert heard
    waker.close()
    bell.close()


def test_a_bell_without_a_server_waits(postgres: Corner) -> None:
    """The worker looks on its timer, and does not spin."""
    bell = ListenBell("postgresql://postgres@127.0.0.1:1/nowhere")
    began = time.monotonic()
    assert not bell.wait(0.2)
    assert time.monotonic() - began >= 0.2
    bell.close()


def test_one_worker_has_the_lock_until_it_ends(postgres: Corner) -> None:
    """However it ends: the lock is the connection's."""
    first, second = SessionLock(postgres.url), SessionLock(postgres.url)
    first.acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    with pytest.raises(HubError, match="another worker serves this database"):
        second.acquire()
    first.release()
    assert second.try_acquire()
    postgres.cut()
    assert first.try_acquire()
    for lock in (first, second):
        lock.release()


def test_hubs_in_two_schemas_have_two_locks(postgres: Corner, postgres_server: Server) -> None:
    """One database may hold several."""
    locks = SessionLock(postgres.url), SessionLock(postgres_server.bare().url)
    assert all(lock.try_acquire() for lock in locks)
    for lock in locks:
        lock.release()


def test_whoever_lost_the_lock_writes_no_more(postgres: Corner) -> None:
    """The connection that held it was cut, and another worker was faster; until then the lock is simply taken again."""
    mine, other = Database(postgres.url), Database(postgres.url)
    store, inbox = mine.open("hub"), mine.open("inbox")
    mine.lock.acquire()
    postgres.cut("query LIKE '%pg_try_advisory_lock%'")
    with store.write() as session:
        ask(session, "INSERT INTO cursor VALUES ('a', '1')")
    assert not other.lock.try_acquire()
    postgres.cut("query LIKE '%pg_try_advisory_lock%'")
    assert other.lock.try_acquire()
    with pytest.raises(LockLost, match="another worker has taken over"), store.write() as session:
        ask(session, "INSERT INTO cursor VALUES ('b', '1')")
    with inbox.write(), store.read() as session:
        assert ask(session, "SELECT name FROM cursor") == [("a",)]
    other.lock.release()
    store.close()
    inbox.close()


def test_the_database_is_named_without_its_password() -> None:
    """People see where it is."""
    shown = Database("postgresql://hub:hunter2@db.example.com/points").shown
    assert shown == "the database points on db.example.com"
