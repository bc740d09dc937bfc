"""PostgreSQL in trouble: stopped, crashed, cut off, full. What was acknowledged earns once, and the hub goes on by itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import Signals

import pytest
import requests

from hub import bootstrap, config
from hub.engine import worker
from hub.errors import Unavailable
from hub.programme.actions import connector as built_in
from hub.store import OutOfReach, Unit
from hub.web.app import create_app
from hub.web.server import threaded_server
from tests.engine.platforms import KEY, Platform, letters, till
from tests.engine.world import POINTS, World
from tests.store.own_postgres import CRASH, FAST, OwnServer, own_server, until
from tests.store.wire import Wire

FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$;
CREATE TRIGGER full_inbox BEFORE INSERT ON delivery EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_hub BEFORE INSERT ON event EXECUTE FUNCTION full_disk()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr(worker, "_TROUBLE_SECONDS_MOST", 0.4)


@pytest.fixture
def world(server: OwnServer, tmp_path: Path) -> Iterator[World]:
    """A workspace with tables, and nobody who works it."""
    world = World(tmp_path / "w", POINTS, database=server.database())
    world.close()
    yield world


class Till:
    """Posts payments, each again and again until it is acknowledged. refused: the answers that were a no."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._at = datetime.now(UTC).isoformat()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._made = 0
        self.acknowledged: list[str] = []
        self.refused: list[requests.Response] = []
        self._threads = [threading.Thread(target=self._sell) for _ in range(3)]

    def __enter__(self) -> Till:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def sells(self, more: int) -> None:
        """Wait until so many more payments were acknowledged."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) >= before + more, f"{more} more payments were taken")

    def post(self, name: str) -> requests.Response:
        told = {"id": name, "amount": "10.00", "at": self._at, "buyer": {"id": f"c{int(name[1:]) % 5}"}}
        body = json.dumps({"type": "payment", "data": told}).encode()
        headers = {
            "X-Till-Signature": hmac.digest(KEY.encode(), body, hashlib.sha256).hex(),
            "Content-Type": "application/json",
        }
        return requests.post(f"{self._url}/hooks/till", body, headers=headers, timeout=30)

    def _sell(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._made += 1
                name = f"p{self._made}"
            while (answer := self.post(name)).status_code != 200:
                self.refused.append(answer)
            self.acknowledged.append(name)


@contextmanager
def running(world: World) -> Iterator[str]:
    """Web and worker on the workspace, as `hub run` has them; the worker must never end by itself. Gives their address."""
    connectors = {one.name: one for one in (built_in, till, letters)}
    hub = bootstrap.open_hub(config.load(world.folder, {}), open_http=Platform().open, connectors=connectors)
    stop = threading.Event()
    working = threading.Thread(target=hub.worker().run, args=(stop,))
    working.start()
    try:
        with threaded_server(create_app(hub.door, hub.checks, hub.snapshot)) as served:
            yield served.url
            assert working.is_alive()
    finally:
        stop.set()
        hub.waker.ring()
        working.join()
        hub.close()


def worked(server: OwnServer, world: World, number: int) -> None:
    """Wait until so many payments have been worked by whoever runs."""
    asked = "SELECT COUNT(*) FROM event WHERE kind = 'payment' AND state = 1"
    until(lambda: server.say(asked, world.database) == [(number,)], f"{number} payments were worked")


def prove(world: World, names: list[str]) -> None:
    """These payments, and no others, have earned, each once; nobody has to look at anything."""
    world.clock.move_to(datetime.now(UTC) + timedelta(hours=1))
    world.open()
    try:
        assert sorted(row["key"] for row in world.events("payment")) == sorted(names)
        assert world.rows("SELECT * FROM receipt WHERE state <> 'ignored'") == []
        assert world.postings("award") == len(names)
        assert world.totals().issued == 10 * len(names)
        world.prove()
    finally:
        world.close()


@pytest.mark.parametrize("how", [FAST, CRASH], ids=["stopped", "crashed"])
def test_the_server_may_be_started_anew_while_all_are_at_work(how: Signals, server: OwnServer, world: World) -> None:
    """Senders are told to come again, and everything goes on by itself."""
    with running(world) as url:
        with Till(url) as sales:
            sales.sells(20)
            server.stop(how)
            before = len(sales.refused)
            until(lambda: len(sales.refused) > before, "a payment was refused")
            server.start()
            sales.sells(20)
        for refused in sales.refused:
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5"), refused.text
        worked(server, world, len(sales.acknowledged))
    prove(world, sales.acknowledged)


def test_connections_may_be_cut_at_any_moment(server: OwnServer, world: World) -> None:
    """All of them, again and again: the door's, the worker's, those that hold its lock and ring its bell."""
    chance = Random(5)
    with running(world) as url:
        with Till(url) as sales:
            for _ in range(25):
                sales.sells(chance.randrange(5))
                server.cut()
            sales.sells(5)
        worked(server, world, len(sales.acknowledged))
    prove(world, sales.acknowledged)


def _turn_away(server: OwnServer, world: World) -> Callable[[], None]:
    server.say("ALTER ROLE hub CONNECTION LIMIT 0")
    server.cut()
    return lambda: server.say("ALTER ROLE hub CONNECTION LIMIT -1") and None


def _fill_up(server: OwnServer, world: World) -> Callable[[], None]:
    server.say(FULL, world.database)
    return lambda: server.say("DROP FUNCTION full_disk CASCADE", world.database) and None


def _stand_by(server: OwnServer, world: World) -> Callable[[], None]:
    name = world.database.rpartition("/")[2]
    server.say(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    server.cut()

    def lead() -> None:
        server.say(f"SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only")
        server.cut()

    return lead


@pytest.mark.parametrize(
    ("refuse", "why"),
    [(_turn_away, "too many connections"), (_fill_up, "No space left on device"), (_stand_by, "read-only transaction")],
    ids=["no more connections", "disk full", "read only"],
)
def test_a_server_that_refuses_is_waited_for(
    refuse: Callable[[OwnServer, World], Callable[[], None]], why: str, server: OwnServer, world: World
) -> None:
    """The door says so and when to come again, the check says why, and what was kept is worked when it is over."""
    with running(world) as url:
        sales = Till(url)
        assert sales.post("p1").status_code == 200
        allow = refuse(server, world)
        until(lambda: (no := sales.post("p2")).status_code == 503 and no.headers["Retry-After"] == "5", "the door refused")
        until(lambda: why in requests.get(f"{url}/readyz", timeout=30).text, f"the check says {why}")
        allow()
        until(lambda: sales.post("p2").status_code == 200, "the door took it")
        worked(server, world, 2)
        until(lambda: why not in requests.get(f"{url}/readyz", timeout=30).text, "the check says that it is over")
    prove(world, ["p1", "p2"])


def test_nothing_is_blamed_for_the_trouble_of_the_database(
    server: OwnServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is cut off is tried again one by one; what is cut off then is no mistake of the delivery or the call."""
    flush, cuts = Unit.flush, [0]

    def cut_off(unit: Unit) -> None:
        cuts[0] -= 1
        if cuts[0] >= 0:
            server.cut()
        flush(unit)

    world.open()
    world.work()
    monkeypatch.setattr(Unit, "flush", cut_off)
    for number in range(3):
        world.pay(f"p{number}", "10.00", "c1")
        cuts[0] = 2
        with pytest.raises(OutOfReach):
            world.work()
        assert cuts[0] <= 0
    world.work()
    world.close()
    prove(world, ["p0", "p1", "p2"])


def test_a_delivery_whose_commit_is_not_answered_may_be_kept_twice_but_earns_once(server: OwnServer, world: World) -> None:
    """Its sender is told to send it again."""
    wire = Wire(world.database)
    world.database = wire.url
    world.configure()
    world.open()
    wire.cut_commits = 1
    with pytest.raises(Unavailable):
        world.pay("p1", "10.00", "c1", at=datetime(2026, 3, 2, 18, tzinfo=UTC))
    world.pay("p1", "10.00", "c1", at=datetime(2026, 3, 2, 18, tzinfo=UTC))
    assert server.say("SELECT COUNT(*) FROM delivery", world.database) == [(2,)]
    world.work()
    world.close()
    prove(world, ["p1"])
    wire.close()


def test_any_commit_of_the_worker_may_go_unanswered(server: OwnServer, world: World) -> None:
    """It was made or it was not: the worker looks again, and nothing is done twice."""
    wire = Wire(world.database)
    world.database = wire.url
    world.configure()
    world.open()
    for number in range(8):
        world.pay(f"p{number}", "10.00", "c1")
        wire.commits_before_cut = number
        wire.cut_commits = 1
        with suppress(OutOfReach):
            world.work()
        wire.cut_commits = 0
        world.work()
    world.close()
    prove(world, [f"p{number}" for number in range(8)])
    wire.close()
