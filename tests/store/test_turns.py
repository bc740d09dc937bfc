"""Turns on PostgreSQL: the places of workers, and how they are woken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from hub.store.lock import WORKER
from hub.store.server import Server as Database
from hub.store.turns import ListenBell, NotifyWaker, SessionPlaces
from tests.databases import Corner, Server


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


def test_a_place_has_one_owner_until_that_ends(postgres: Corner) -> None:
    """However it ends: the place is the connection's."""
    first, second = SessionPlaces(postgres.url), SessionPlaces(postgres.url)
    assert first.join()
    assert second.join()
    assert set(first.take(["a", "b"])) == {"a", "b"}
    assert set(first.take(["a", "b"])) == set()
    assert set(second.take(["a", "c"])) == {"c"}
    first.leave()
    assert set(second.take(["a", "b"])) == {"a", "b"}
    assert set(second.held) == {"a", "b", "c"}
    second.leave()


def test_a_cut_connection_loses_its_places_and_they_are_new_when_taken_again(postgres: Corner) -> None:
    """So that whoever takes them looks for what another has left there meanwhile."""
    first, second = SessionPlaces(postgres.url), SessionPlaces(postgres.url)
    first.take(["a", "b"])
    postgres.cut()
    assert set(second.take(["a"])) == {"a"}
    assert set(first.take(["a", "b"])) == {"b"}
    assert set(first.held) == {"b"}
    for places in (first, second):
        places.leave()


def test_without_a_server_nobody_has_a_place(postgres: Corner) -> None:
    """And nobody fails for it: the next look finds it back."""
    nowhere = SessionPlaces("postgresql://postgres@127.0.0.1:1/nowhere")
    assert set(nowhere.take(["a"])) == set(nowhere.held) == set()
    nowhere.leave()


def test_one_may_work_alone_only_where_nobody_works(postgres: Corner) -> None:
    """As the command line does."""
    worker, visitor = SessionPlaces(postgres.url), SessionPlaces(postgres.url)
    worker.take([WORKER])
    assert not visitor.join_if_idle()
    worker.leave()
    assert visitor.join_if_idle()
    visitor.leave()


def test_hubs_in_two_schemas_have_places_of_their_own(postgres: Corner, postgres_server: Server) -> None:
    """One database may hold several."""
    both = SessionPlaces(postgres.url), SessionPlaces(postgres_server.bare().url)
    assert [set(places.take(["a"])) for places in both] == [{"a"}, {"a"}]
    for places in both:
        places.leave()


def test_the_database_is_named_without_its_password() -> None:
    """People see where it is."""
    shown = Database("postgresql://hub:hunter2@db.example.com/points").shown
    assert shown == "the database points on db.example.com"
