"""Tokens in the database: renewed once for all who need one, kept before they are used, and no answer lost in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests

from hub.clock import VirtualClock
from hub.errors import CallFailed
from hub.sdk import Client, Connection, Connector
from hub.sdk.declare import answers, auth, secrets, setting
from hub.sdk.play import Called, Play
from hub.sdk.request import Answer
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token
from hub.store import Store, database
from hub.vault import KeptTokens, Vault, key_in_use
from hub.vault.key_file import KeyFile
from tests.databases import Place, ask

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BOOKS = Connector(
    "books",
    title="Books",
    settings=setting("client_id") + secrets("client_secret"),
    api="https://books.example.com",
    auth=auth.oauth2("https://id.example.com/token", authorize="https://id.example.com/authorize", pkce=True),
)
CONNECTION = Connection("books", BOOKS, BOOKS.settings.read({"client_id": "hub", "client_secret": "cs-7Qd2"}))


@dataclass
class Platform:
    """A platform with OAuth: every refresh token is good for one use. trouble: what happens to the next answer."""

    access: str = "access-0"
    refresh: str = "refresh-0"
    renewals: int = 0
    asked: int = 0
    trouble: Callable[[], Answer | Exception | None] = lambda: None
    before_call: Callable[[str], None] = lambda access: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, called: Called, before: int) -> Answer | Exception:
        with self._lock:
            return self._token(called) if called.url.endswith("/token") else self._api(called)

    def _token(self, called: Called) -> Answer | Exception:
        given = {name: values[0] for name, values in parse_qs(called.body.decode()).items()}
        self.asked += 1
        if given["refresh_token"] != self.refresh:
            return answers(400, {"error": "invalid_grant"})
        self.renewals += 1
        self.access, self.refresh = f"access-{self.renewals}", f"refresh-{self.renewals}"
        told = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": 3600}
        return self.trouble() or answers(200, told)

    def _api(self, called: Called) -> Answer:
        given = called.headers["authorization"].removeprefix("Bearer ")
        self.before_call(given)
        return answers(200, {}) if given == self.access else answers(401, {"message": "expired"})


@dataclass
class Process:
    """One of several processes on a database."""

    store: Store
    vault: Vault
    tokens: KeptTokens
    clock: VirtualClock

    def call(self, platform: Platform) -> None:
        play = Play(platform.respond)
        with play.session() as session:
            Client(CONNECTION, session=session, monotonic=lambda: 0, sleep=play.slept.append, tokens=self.tokens).get("/a")


@pytest.fixture
def start(place: Place, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts processes on one database."""
    place.open("hub").close()
    clock, made = VirtualClock(NOON), []

    def one() -> Process:
        at = database.at(place.url, tmp_path)
        store, leases = at.open("hub"), at.leases()
        vault = Vault(None, KeyFile(tmp_path / "keys" / "secret.key"))
        made.append((store, leases))
        return Process(store, vault, KeptTokens(store, vault, leases, clock), clock)

    yield one
    for store, leases in made:
        leases.close()
        store.close()


@pytest.fixture
def process(start: Callable[[], Process]) -> Process:
    """A process whose connection was authorised a while ago: its token has an hour to go."""
    made = start()
    made.tokens.save("books", Token(Secret("access-0"), Secret("refresh-0"), NOON + timedelta(hours=1)))
    return made


def at_once(*works: Callable[[], None]) -> list[Exception]:
    """Do all of it at the same time; gives what failed."""
    failed: list[Exception] = []
    together = threading.Barrier(len(works))

    def guarded(work: Callable[[], None]) -> None:
        try:
            together.wait(60)
            work()
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


def test_a_token_outlives_the_process(process: Process, start: Callable[[], Process]) -> None:
    """The next one calls with it, and asks for none."""
    platform = Platform()
    start().call(platform)
    assert platform.renewals == 0


def test_an_expired_token_is_renewed_once_for_sixteen_callers(process: Process) -> None:
    """One asks, the others wait and use what it got."""
    platform = Platform()
    process.clock.move_to(NOON + timedelta(hours=2))
    assert at_once(*[lambda: process.call(platform)] * 16) == []
    assert (platform.renewals, platform.asked) == (1, 1)


def test_a_token_that_is_refused_in_mid_run_is_renewed_once_for_sixteen_callers(process: Process) -> None:
    """Its time was not over, but the platform takes it no more."""
    platform = Platform(access="access-other")
    assert at_once(*[lambda: process.call(platform)] * 16) == []
    assert (platform.renewals, platform.asked) == (1, 1)


def test_processes_take_turns(process: Process, start: Callable[[], Process]) -> None:
    """A refresh token that is good for one use is used once, whoever comes first."""
    if process.store.__class__.__name__ == "SqliteStore":
        pytest.skip("on SQLite one process alone calls platforms")
    platform = Platform()
    process.clock.move_to(NOON + timedelta(hours=2))
    others = [start() for _ in range(3)]
    assert at_once(*[lambda one=one: one.call(platform) for one in (process, *others) for _ in range(4)]) == []
    assert (platform.renewals, platform.asked) == (1, 1)


def test_a_new_refresh_token_is_kept_before_the_new_access_is_used(process: Process, start: Callable[[], Process]) -> None:
    """Whatever happens from then on, the next process can go on."""
    other, seen = start(), []
    platform = Platform(before_call=lambda access: seen.append((access, other.tokens.load("books").refresh.reveal())))
    process.clock.move_to(NOON + timedelta(hours=2))
    process.call(platform)
    assert seen == [("access-1", "refresh-1")]


def test_a_refused_renewal_asks_for_a_person(process: Process) -> None:
    """The access was revoked; nothing was lost on the way, and nothing is said of that."""
    process.clock.move_to(NOON + timedelta(hours=2))
    with pytest.raises(CallFailed, match="invalid_grant") as failed:
        process.call(Platform(refresh="another"))
    assert failed.value.verdict == "reconnect"


def test_an_answer_that_was_cut_off_is_told_when_the_old_token_is_refused(
    process: Process, start: Callable[[], Process]
) -> None:
    """The platform may have given a new one that nobody has: it is tried again, and then a person hears why."""
    cut = iter([requests.ConnectionError("cut")] * 3)
    platform = Platform(trouble=lambda: next(cut, None))
    process.clock.move_to(NOON + timedelta(hours=2))
    with pytest.raises(CallFailed) as failed:
        process.call(platform)
    assert failed.value.verdict in {"passing", "reconnect"}
    with pytest.raises(CallFailed, match="asked for at 2026-03-02 14:00 UTC, and the answer did not arrive") as failed:
        start().call(platform)
    assert failed.value.verdict == "reconnect"


def test_a_token_that_another_process_renewed_meanwhile_is_used(process: Process, start: Callable[[], Process]) -> None:
    """The lease was lost with its connection, and the other one was faster: its answer counts."""
    platform, other = Platform(), start()
    process.clock.move_to(NOON + timedelta(hours=2))
    process.tokens.lease = _no_lease
    loaded = process.tokens.load

    def load_before_the_other(connection: str) -> Token | None:
        found = loaded(connection)
        if platform.renewals == 0:
            other.call(platform)
        return found

    process.tokens.load = load_before_the_other
    process.call(platform)
    assert platform.renewals == 1


@contextmanager
def _no_lease(name: str) -> Iterator[None]:
    yield


def test_no_table_holds_a_token(process: Process) -> None:
    """They are encrypted with the key in use."""
    with closing(process.store), process.store.read() as session:
        [row] = ask(session, "SELECT * FROM token")
        assert "access-0" not in str(row)
        assert "refresh-0" not in str(row)
        assert key_in_use(session) == process.vault.ring.newest.id


def test_a_token_whose_key_is_lost_has_to_be_got_anew(process: Process, start: Callable[[], Process]) -> None:
    """Nothing breaks: the connection has to be authorised again, and the log says why."""
    process.vault.file.path.unlink()
    with pytest.raises(CallFailed, match="hub connections authorize books") as failed:
        start().call(Platform())
    assert failed.value.verdict == "reconnect"
