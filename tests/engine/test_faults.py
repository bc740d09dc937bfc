"""Faults: what becomes of every connector's calls when its platform fails, in a hub at work; and that it costs nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from hub.sdk import client, network
from hub.sdk.encode import json_text
from hub.sdk.play import Called, difference
from hub.sdk.sample import Ask, Sample
from hub.store import Query
from hub.store.wake import ThreadBell
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
PLAYED = [
    sample
    for connector in CONNECTORS.values()
    for sample in connector.samples
    if sample.kind in {"action", "lookup"} and not sample.fails and len(sample.asks) == len(sample.replies)
]
# Each call that is tried again is due at a moment of its own, and so are the polls of two days.
_ROUNDS_MOST = 60 + len(SAMPLES)
LETTERS = ("send_safe", "send_keyed", "send_once", "send_checked")


class Shop:
    """A hub with a connection for each connector, all played by one server, and one more that is well."""

    def __init__(self, folder: Path, url: str, well: str, *, allow_private: bool = True) -> None:
        self.clock = VirtualClock(NOON)
        played = {"base_url": url, "allow_private": allow_private}
        connections: dict[str, Any] = {"letters": {"key": "k-7Qd2", **played}}
        connections |= {"well": {"connector": "letters", "key": "k", "base_url": well, "allow_private": True}}
        for name, connector in CONNECTORS.items():
            sample = next((one for key, one in SAMPLES.items() if key.startswith(f"{name}.")), None)
            connections[name] = {**Trial(connector, sample).values(), **played}
        folder.mkdir()
        text = f"{PROGRAMME}public_url: https://points.example.com\nconnections: {to_json(connections).decode()}\n"
        (folder / "hub.yaml").write_text(text, "utf-8")
        known = {one.name: one for one in (built_in, till, letters)} | CONNECTORS
        self.hub = bootstrap.open_hub(config.load(folder, {}), clock=self.clock, connectors=known)
        self.worker = self.hub.worker(ThreadBell())
        self.worker.drain()

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


def _plays(server: Faulty, heard: Heard) -> bytes:
    """What the samples say, for whichever of them this is; and a token for whoever asks."""
    path = heard.path.partition("?")[0]
    if "token" in path:
        return reply(200, b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}')
    if path == "/letters":
        return reply(200, b'{"id": "ltr_1", "letters": []}')
    called = Called(heard.method, server.url + heard.path, heard.headers, heard.body)
    known = [pair for one in PLAYED for pair in zip(one.asks, one.replies, strict=True)]
    # What was asked with a key or a time of its own in it is known by its path alone.
    for asked in (lambda asked: asked, lambda asked: replace(asked, json=None, form=None, query=None)):
        for one, answer in known:
            if not _apart(asked(one), called):
                return reply(answer.status, answer.body, *(f"{name}: {value}" for name, value in answer.headers.items()))
    return reply(404, b"{}")


def _apart(asked: Ask, called: Called) -> str:
    path = asked.path if asked.path.startswith("/") else "/" + asked.path.split("/", 3)[3]
    try:
        return difference(replace(asked, path=path, headers=None), called)
    except HubError:
        return "what cannot be read is not the same"


@pytest.fixture
def well() -> Iterator[Faulty]:
    with faulty() as server:
        server.well = _plays
        yield server


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in TRIED], ids=lambda fault: fault.name)
def test_each_call_ends_as_its_action_promises_and_goes_on_when_the_platform_is_well(
    fault: Fault, well: Faulty, tmp_path: Path
) -> None:
    """Again later, held, or held as "may have been done"; a person reads why; nobody else's call is concerned."""
    with faulty(fault, folder=tmp_path) as server:
        server.well = _plays
        shop = Shop(tmp_path / "w", server.url, well.url)
        text = {"to": "+14155550101", "text": "hello"}
        names = {shop.ask("letters", action, text): f"letters.{action}" for action in LETTERS}
        for key, sample in SAMPLES.items():
            connection, _, action = key.partition(".")
            names[shop.ask(connection, action, json.loads(json_text(sample.given)))] = key
        other = shop.ask("well", "send_once", text)
        shop.worker.drain()
        assert shop.call(other).state == DONE
        for name, key in names.items():
            _prove(shop, shop.call(name), key, fault)
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
        shop = Shop(tmp_path / "w", server.url, well.url, allow_private=False)
        names = {}
        for key, sample in SAMPLES.items():
            connection, _, action = key.partition(".")
            names[shop.ask(connection, action, json.loads(json_text(sample.given)))] = key
        shop.worker.drain()
        assert not server.asked
        for name, key in names.items():
            call = shop.call(name)
            assert call.state == HELD, key
            assert "allow_private: true" in call.note, f"{key}: {call.note}"
        shop.hub.close()


def test_an_access_that_is_renewed_in_time_is_not_noticed(well: Faulty, tmp_path: Path) -> None:
    """One 401 is answered by a new token and the same call; 401 for ever asks a person to connect again."""
    with faulty() as server:
        refused: list[str] = []

        def once(server: Faulty, heard: Heard) -> bytes:
            if heard.path.startswith("/v4") and not refused:
                refused.append(heard.path)
                return reply(401, b"{}")
            return _plays(server, heard)

        server.well = once
        shop = Shop(tmp_path / "w", server.url, well.url)
        key = next(key for key in SAMPLES if key.startswith("google_sheets."))
        name = shop.ask("google_sheets", key.partition(".")[2], json.loads(json_text(SAMPLES[key].given)))
        shop.worker.drain()
        assert shop.call(name).state == DONE, shop.call(name).note
        assert len(refused) == 1
        assert sum("token" in heard.path for heard in server.asked) == 2
        server.well = lambda server, heard: _plays(server, heard) if "token" in heard.path else reply(401, b"{}")
        later = shop.ask("google_sheets", key.partition(".")[2], json.loads(json_text(SAMPLES[key].given)))
        shop.worker.drain()
        assert shop.call(later).state == DUE
        with shop.hub.store.read() as session:
            unit = shop.hub.begin(session).unit
            unit.want(HEALTH, ["google_sheets"])
            assert health_of(unit, "google_sheets").state == "needs_reconnecting"
        shop.hub.close()
