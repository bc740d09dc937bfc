"""A hub with a few odd shops connected to it, and both ways in: through Flask, and in front of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import Client

from hub.clock import VirtualClock
from hub.engine.door import Door
from hub.engine.inbox import Delivery, Inbox
from hub.engine.vitals import Check, Snapshot
from hub.ids import Ids
from hub.sdk import Answer, Connection, Connector, Request, Secret, Settings, reply, signature
from hub.sdk.proof import Proof
from hub.sdk.settings import secret, setting
from hub.store.sqlite import SqliteStore
from hub.web.app import create_app, front_of
from tests.web.asgi import as_wsgi

NOW = datetime(2026, 2, 6, 12, 0, tzinfo=UTC)
PUBLIC_URL = "https://points.example.com/shop"
SECRET = "s3cret/of+the=shop"
PATH_TOKEN = "till-4f9a-token"


def _connector(name: str, proof: Proof) -> Connector:
    """A platform with a handshake, and thanks of its own."""
    connector = Connector(
        name, title=name.title(), settings=SETTINGS, signature=proof, reply=lambda request: reply.json({"thanks": request.path})
    )

    @connector.handshake
    def greet(request: Request) -> Answer | None:
        """Echoes a challenge."""
        challenge = request.asked("challenge")
        if challenge is None:
            return None
        return reply.empty() if request.method == "HEAD" else reply.text(challenge)

    return connector


SETTINGS = secret("secret", required=False) + secret("token", required=False) + setting("user", default="ada")
PROOF = signature.hmac("X-Shop-Signature", "secret", signed="{url}.{timestamp}.{body}", timestamp="X-Shop-Time")


def _connection(name: str, proof: Proof, **secrets: str) -> Connection:
    connector = _connector(name, proof)
    return Connection(name, connector, connector.settings.read(secrets))


@dataclass
class World:
    """The hub's door with all around it, as far as the web needs it."""

    store: SqliteStore
    inbox: Inbox
    clock: VirtualClock
    connections: dict[str, Connection]
    door: Door
    checks: list[Check] = field(default_factory=lambda: [Check("store", ok=True), Check("migrations", ok=True)])
    snapshot: Snapshot = field(default_factory=Snapshot)
    operator_token: str | None = None

    def kept(self) -> list[Delivery]:
        return self.inbox.after(0, 1_000)

    def break_at(self, step: str, error: Exception) -> None:
        """Let the shop's connector make a mistake."""

        def fail(*_: Any) -> None:
            raise error

        setattr(self.connections["shop"].connector, step, fail)

    def app(self) -> Flask:
        return create_app(self.door, lambda: self.checks, lambda: self.snapshot, operator_token=self.operator_token)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = SqliteStore(tmp_path / "inbox.db", "inbox")
    store.migrate()
    clock = VirtualClock(NOW)
    inbox = Inbox(store, clock, Ids(clock, random.Random(1)), lambda: None)
    connected = [
        _connection("shop", PROOF, secret=SECRET),
        _connection("till", signature.token("token", path=True), token=PATH_TOKEN),
        _connection("asker", signature.token("token", query="key"), token=SECRET),
        _connection("basic", signature.basic("user", "secret"), secret=SECRET),
    ]
    connections = {one.name: one for one in connected}
    yield World(store, inbox, clock, connections, Door(inbox, connections, clock, PUBLIC_URL, 20_000, ["shop"]))
    inbox.close()
    store.close()


@dataclass
class Heard:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """Speaks to the hub as a platform would."""

    world: World
    client: Client

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, **options: Any
    ) -> Heard:
        options["environ_overrides"] = {"REMOTE_ADDR": "127.0.0.1"} | options.get("environ_overrides", {})
        answer = self.client.open(path, method=method, data=body, headers=dict(headers or {}), **options)
        heard = Heard(answer.status_code, answer.headers, answer.get_data())
        answer.close()
        return heard

    def signed(self, body: bytes, path: str = "/hooks/shop", at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
        """The headers with which the shop would send this."""
        settings = Settings({"secret": Secret(secret)})
        plain, _, query = path.partition("?")
        request = Request("POST", plain, query, {}, body, at, PUBLIC_URL + path)
        return dict(PROOF.sign(request, settings, at).headers)

    def deliver(self, body: bytes, path: str = "/hooks/shop", **options: Any) -> Heard:
        """A genuine delivery of the shop."""
        return self.call("POST", path, body, self.signed(body, path), **options)


@pytest.fixture(params=["flask", "front"])
def site(request: pytest.FixtureRequest, world: World) -> Site:
    """The same hub, spoken to through Flask's route and through the application in front of it."""
    app = world.app()
    return Site(world, Client(app if request.param == "flask" else as_wsgi(front_of(app)), use_cookies=False))


@pytest.fixture
def sender(world: World) -> Site:
    """Signs like the shop, for tests that send over the wire."""
    return Site(world, Client(world.app()))


@pytest.fixture
def ask() -> Callable[..., Heard]:
    """Calls one address of an application, from this machine unless `REMOTE_ADDR` says otherwise."""

    def call(app: Flask, path: str, headers: Mapping[str, str] | None = None, **environ: Any) -> Heard:
        site = Site(cast(World, None), Client(app))
        return site.call("GET", path, headers=headers, environ_overrides=environ)

    return call


@pytest.fixture
def refuses(world: World) -> Callable[..., None]:
    """Checks what every refusal has in common: a problem of this status that explains itself, no secret in it, and no row."""

    def check(heard: Heard, status: int, *words: str) -> None:
        assert heard.status == status, heard.body
        assert heard.headers["Content-Type"] == "application/problem+json"
        said = heard.json
        assert said["status"] == status
        assert said["title"]
        assert said["detail"]
        for word in words:
            assert word in said["detail"], said
        for hidden in (SECRET, PATH_TOKEN):
            assert hidden not in heard.body.decode()
        assert world.kept() == []

    return check
