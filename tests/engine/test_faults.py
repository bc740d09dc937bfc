"""Faults: what becomes of every connector's calls when its platform fails, in a hub at work; and that it costs nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from hub import bootstrap, config, plugins
from hub.clock import VirtualClock
from hub.engine import calls, gate, health
from hub.engine.calls import BEGUN, CALLS, DONE, DUE, HELD, UNCERTAIN, Call
from hub.engine.events import queries
from hub.engine.health import HEALTH, health_of
from hub.engine.performer import Performer
from hub.errors import HubError
from hub.programme.actions import connector as built_in
from hub.promises.trial import Trial, shown
from hub.sdk import Connector, client, network
from hub.sdk.auth import OAuth2
from hub.sdk.encode import json_text
from hub.sdk.play import Called, PlayedTokens, difference
from hub.sdk.request import Answer
from hub.sdk.sample import Ask, Sample
from hub.store import Query
from hub.store.wake import ThreadBell
from hub.vault import KeptTokens
from tests.engine.platforms import letters, till
from tests.engine.world import NOON, PROGRAMME
from tests.faulty import FAULTS, Fault, Faulty, Heard, faulty, reply

CONNECTORS = {name: one for name, one in plugins.discover().items() if name != built_in.name}
TRIED = (
    "silent", "drips a header", "hangs up at once", "cuts the headers", "cuts the body", "shows a page", "sends half of it",
    "floods", "sends a bomb", "429, an hour", "503", "401", "404 with a page", "leads into the house",
    "has no valid certificate",
)  # fmt: skip
"""One of each kind; the kit's own test tries all of them."""


def _samples() -> dict[str, Sample]:
    """A sample of each action that can be played, by the name of its call."""
    found: dict[str, Sample] = {}
    for connector in CONNECTORS.values():
        for sample in connector.samples:
            if sample.kind == "action" and not sample.fails and sample.asks:
                found.setdefault(f"{connector.name}.{sample.of}", sample)
    return found


SAMPLES = _samples()
LETTERS = ("send_safe", "send_keyed", "send_once", "send_checked")
# Each call that is tried again is due at a moment of its own.
_ROUNDS_MOST = 60 + len(SAMPLES)


class Shop:
    """A hub with a connection for each action, and one more that is well. url: where the platform of an action is played."""

    def __init__(self, folder: Path, url: Callable[[str], str], well: str, *, allow_private: bool = True) -> None:
        self.clock = VirtualClock(NOON)
        allowed = {"allow_private": allow_private}
        connections: dict[str, Any] = {"letters": {"key": "k-7Qd2", "base_url": url("letters"), **allowed}}
        connections |= {"well": {"connector": "letters", "key": "k", "base_url": well, "allow_private": True}}
        for key, sample in SAMPLES.items():
            connector = CONNECTORS[key.partition(".")[0]]
            played = {"connector": connector.name, "base_url": url(key), **allowed}
            connections[_place(key)] = {**Trial(connector, sample).values(), **played}
        folder.mkdir()
        text = f"{PROGRAMME}public_url: https://points.example.com\nconnections: {to_json(connections).decode()}\n"
        (folder / "hub.yaml").write_text(text, "utf-8")
        known = {one.name: one for one in (built_in, till, letters)} | {name: _mute(one) for name, one in CONNECTORS.items()}
        self.hub = bootstrap.open_hub(config.load(folder, {}), clock=self.clock, connectors=known)
        tokens = KeptTokens(self.hub.store, self.hub.vault, self.hub.leases, self.clock)
        for name, one in self.hub.connections.items():
            if isinstance(one.auth, OAuth2) and one.auth.asks_a_person(one):
                tokens.save(name, PlayedTokens().token)
        self.worker = self.hub.worker(ThreadBell())
        self.worker.drain()

    def ask_all(self) -> dict[str, str]:
        """Put a call of each action into the outbox; gives what they are called by their ids."""
        return {self.ask(_place(key), one.of, json.loads(json_text(one.given))): key for key, one in SAMPLES.items()}

    def ask(self, connection: str, action: str, given: dict[str, Any]) -> str:
        """Put a call into the outbox; gives its id."""
        now = self.clock.now()
        with self.hub.store.write() as session:
            batch = self.hub.begin(session)
            call = Call(batch.ids.new("call"), "action", connection, action, "x", given, now, now, now)
            batch.unit.put(CALLS, call.id, call)
            batch.unit.flush()
        return call.id

    def call(self, name: str) -> Call:
        with self.hub.store.read() as session:
            [row] = session.rows(queries.calls_by_id, ids=[name])
        return calls.from_row(row)

    def later(self) -> None:
        """Let time pass until nothing is due any more, two days at the most."""
        until = self.clock.now() + timedelta(days=2)
        for _ in range(_ROUNDS_MOST):
            self.worker.drain()
            due = self.worker.next_due()
            if due is None or due > until:
                return
            self.clock.move_to(due)
        raise AssertionError("it never comes to rest")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.hub.store.read() as session:
            return [dict(row) for row in session.rows(Query("test", "", sql, ()))]


def _place(key: str) -> str:
    """The name of an action's connection."""
    return key.replace(".", "-")


def _mute(connector: Connector) -> Connector:
    """The connector without its polls, which are due again and again, whatever becomes of calls."""
    mute = copy(connector)
    mute.pulls = {}
    return mute


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds elsewhere takes tenths here; no breaker, rate or consent stands between a call and the fault."""
    monkeypatch.setattr(client, "READ_SECONDS", 2.0)
    monkeypatch.setattr(client, "ATTEMPTS_MOST", 1)
    monkeypatch.setattr(client, "REPLY_BYTES_MOST", 512 * 1024)
    monkeypatch.setattr(network, "ANSWER_SECONDS_MOST", 2.0)
    monkeypatch.setattr(health, "_FAILURES_MOST", 10**6)
    monkeypatch.setattr(gate, "why_not", lambda *given: "")
    monkeypatch.setattr(Performer, "rate_of", lambda performer, connection: None)


class Platform:
    """Plays one action: what its sample says, and those of its lookup, in their order; and a token for whoever asks."""

    def __init__(self, key: str) -> None:
        samples = [SAMPLES[key], *_lookups(key)] if key in SAMPLES else []
        self._script = [pair for one in samples for pair in zip(one.asks, one.replies, strict=False)]
        self._at = 0

    def __call__(self, server: Faulty, heard: Heard) -> bytes:
        """The answer to a request."""
        path = heard.path.partition("?")[0]
        if "token" in path:
            return reply(200, b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}')
        if path == "/letters":
            return reply(200, b'{"id": "ltr_1", "letters": []}')
        answer = self._answer(Called(heard.method, server.url + heard.path, heard.headers, heard.body))
        return reply(answer.status, answer.body, *(f"{name}: {value}" for name, value in answer.headers.items()))

    def _answer(self, called: Called) -> Answer:
        places = [*range(self._at, len(self._script)), *range(self._at)]
        for alike in (_same, _same_but_for_what_it_says, _same_but_for_where_it_goes):
            for place in places:
                asked, answer = self._script[place]
                if alike(asked, called):
                    self._at = place + 1
                    return answer
        return Answer(404, b"{}")


def _lookups(key: str) -> list[Sample]:
    connector = CONNECTORS[key.partition(".")[0]]
    action = connector.actions.get(SAMPLES[key].of)  # not there where a connection's settings declare it
    lookup = action.lookup if action is not None else None
    return [one for one in connector.samples if lookup is not None and one.of == lookup.name and not one.fails]


def _same(asked: Ask, called: Called) -> bool:
    path = asked.path if asked.path.startswith("/") else "/" + asked.path.split("/", 3)[3]
    try:
        return not difference(replace(asked, path=path, headers=None), called)
    except HubError:
        return False  # what cannot be read is not the same


def _same_but_for_what_it_says(asked: Ask, called: Called) -> bool:
    """It has a key or a time of its own in it."""
    return _same(replace(asked, json=None, form=None, query=None), called)


def _same_but_for_where_it_goes(asked: Ask, called: Called) -> bool:
    """Its path has the path of the platform's address before it, which is not played, or is made of the call's key."""
    return asked.method == called.method


@contextmanager
def _platforms(fault: Fault | None = None, folder: Path | None = None) -> Iterator[dict[str, Faulty]]:
    """A server for each action, and one for letters."""
    with ExitStack() as open_ones:
        servers = {key: open_ones.enter_context(faulty(fault, folder=folder)) for key in ("letters", *SAMPLES)}
        for key, server in servers.items():
            server.well = Platform(key)
        yield servers


@pytest.fixture
def well() -> Iterator[Faulty]:
    with faulty() as server:
        server.well = Platform("letters")
        yield server


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in TRIED], ids=lambda fault: fault.name)
def test_each_call_ends_as_its_action_promises_and_goes_on_when_the_platform_is_well(
    fault: Fault, well: Faulty, tmp_path: Path
) -> None:
    """Again later, held, or held as "may have been done"; a person reads why; nobody else's call is concerned."""
    with _platforms(fault, tmp_path) as servers:
        shop = Shop(tmp_path / "w", lambda key: servers[key].url, well.url)
        text = {"to": "+14155550101", "text": "hello"}
        names = {shop.ask("letters", action, text): f"letters.{action}" for action in LETTERS}
        names |= shop.ask_all()
        other = shop.ask("well", "send_once", text)
        shop.worker.drain()
        assert shop.call(other).state == DONE
        for name, key in names.items():
            _prove(shop, shop.call(name), key, fault)
        for server in servers.values():
            server.fault = None
        if fault.tls:
            shop.hub.close()
            return
        unsure = {name for name in names if shop.call(name).state == HELD}
        shop.later()
        for name, key in names.items():
            call = shop.call(name)
            assert call.state == (HELD if name in unsure else DONE), f"{key}: {call.note}"
        shop.hub.close()


def _prove(shop: Shop, call: Call, key: str, fault: Fault) -> None:
    connection = shop.hub.connections[call.connection]
    action = connection.connector.actions[call.name]
    assert call.state != BEGUN, key
    if call.state == DONE or call.attempts == 0:  # it reads no answer; or the connection waits to be connected again
        return
    assert call.note, key
    assert not shown(call.note, connection), key
    assert call.state in {DUE, HELD}, key
    if call.state == DUE:
        assert call.due_at > shop.clock.now(), key
    sample = SAMPLES.get(key)
    begins_with_a_look = sample is not None and _is_a_look(sample.asks[0])
    doubt = fault.sent and fault.reads and not begins_with_a_look
    may_repeat = action.repeat != "never" or action.lookup is not None
    if doubt and not may_repeat:
        assert call.state == HELD, f"{key}: {call.note}"
        assert call.note.startswith(UNCERTAIN), f"{key}: {call.note}"
    elif not fault.sent and fault.end == "passing":
        assert call.state == DUE, f"{key}: {call.note}"
        assert not call.note.startswith(UNCERTAIN), f"{key}: {call.note}"
    elif may_repeat and fault.end == "passing":
        assert call.state == DUE, f"{key}: {call.note}"


def _is_a_look(asked: Ask) -> bool:
    """It changes nothing, so that it does no harm to ask again: some platforms search by POST."""
    return asked.method == "GET" or asked.path.endswith("/search")


def test_no_action_reaches_into_the_house_unless_the_connection_allows_it(well: Faulty, tmp_path: Path) -> None:
    """Whatever library makes the call, it goes through the guard: nothing arrives, and the note says what to write."""
    with faulty() as server:
        shop = Shop(tmp_path / "w", lambda key: server.url, well.url, allow_private=False)
        names = shop.ask_all()
        shop.worker.drain()
        assert not server.asked
        for name, key in names.items():
            call = shop.call(name)
            assert call.state == HELD, key
            assert "allow_private: true" in call.note, f"{key}: {call.note}"
        shop.hub.close()


def test_an_access_that_is_renewed_in_time_is_not_noticed(well: Faulty, tmp_path: Path) -> None:
    """One 401 is answered by a new token and the same call; 401 for ever asks a person to connect again."""
    key = next(key for key in SAMPLES if key.startswith("google_sheets."))
    with _platforms() as servers:
        server, plays = servers[key], Platform(key)
        refused: list[str] = []

        def once(server: Faulty, heard: Heard) -> bytes:
            if heard.path.startswith("/v4") and not refused:
                refused.append(heard.path)
                return reply(401, b"{}")
            return plays(server, heard)

        server.well = once
        shop = Shop(tmp_path / "w", lambda key: servers[key].url, well.url)
        name = shop.ask(_place(key), key.partition(".")[2], json.loads(json_text(SAMPLES[key].given)))
        shop.worker.drain()
        assert shop.call(name).state == DONE, shop.call(name).note
        assert len(refused) == 1
        assert sum("token" in heard.path for heard in server.asked) == 2
        server.well = lambda server, heard: plays(server, heard) if "token" in heard.path else reply(401, b"{}")
        later = shop.ask(_place(key), key.partition(".")[2], json.loads(json_text(SAMPLES[key].given)))
        shop.worker.drain()
        assert shop.call(later).state == DUE
        with shop.hub.store.read() as session:
            unit = shop.hub.begin(session).unit
            unit.want(HEALTH, [_place(key)])
            assert health_of(unit, _place(key)).state == "needs_reconnecting"
        shop.hub.close()
