"""Embedded: a bench that is a whole hub, in a folder of its own that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from hub import bootstrap, document
from hub.clock import VirtualClock
from hub.config import ConnectionConfig, Settings, Values
from hub.engine.door import Knock, TurnedAway
from hub.errors import Refused, Unavailable
from hub.programme.actions import connector as built_in
from hub.sdk.auth import OAuth2
from hub.sdk.connection import Connection
from hub.sdk.play import Play, PlayedTokens
from hub.sdk.request import Request
from hub.sdk.sample import SAMPLE_NOW
from hub.store import load
from hub.store.blank import lay_files
from hub.vault import KeptTokens

_QUERIES = load("hub.promises")
_PROGRAMME = "name: Promises\ntimezone: UTC\ncurrency: USD\n"


class EmbeddedBench:
    """A hub with the one connection that is tried; no recipes."""

    def __init__(self, hub: bootstrap.Hub) -> None:
        self._hub = hub

    def receive(self, request: Request) -> int:
        """Takes a request in at the door; gives the HTTP status of the answer."""
        name, _, token = request.path.partition("/hooks/")[2].partition("/")
        body = BytesIO(request.body)
        knock = Knock(request.method, name, token or None, request.query, request.headers, len(request.body), body.read)
        try:
            return self._hub.door.receive(knock).answer.status
        except Refused:
            return 401
        except TurnedAway as error:
            return error.status
        except Unavailable:
            return 503

    def work(self) -> None:
        """Works until nothing is left to do."""
        self._hub.settle()

    def events(self) -> int:
        """How many events were recorded."""
        with self._hub.store.read() as session:
            return _number(session.row(_QUERIES.count_events))

    def deliveries(self) -> int:
        """How many deliveries were kept."""
        with self._hub.inbox_store.read() as session:
            return _number(session.row(_QUERIES.count_deliveries))


@contextmanager
def open_bench(connection: Connection, play: Play) -> Iterator[EmbeddedBench]:
    """A hub with this connection, whose platform is played, at the samples' time."""
    with tempfile.TemporaryDirectory(prefix="hub-promises-") as folder:
        settings = _settings(Path(folder), connection)
        lay_files(settings.data_folder)
        hub = bootstrap.open_hub(
            settings,
            clock=VirtualClock(SAMPLE_NOW),
            open_http=lambda _: play.session(),
            connectors={built_in.name: built_in, connection.connector.name: connection.connector},
        )
        if isinstance(hub.connections[connection.name].auth, OAuth2):
            KeptTokens(hub.store, hub.vault, hub.leases, hub.clock).save(connection.name, PlayedTokens().token)
        try:
            yield EmbeddedBench(hub)
        finally:
            hub.close()


def _settings(folder: Path, connection: Connection) -> Settings:
    programme = document.load(_PROGRAMME, "programme")
    config = ConnectionConfig(
        name=connection.name,
        connector=connection.connector.name,
        values=Values(connection.settings),
        base_url=connection.base_url,
        allow_private=connection.allow_private,
        lacking={},
        node=programme,
    )
    url = connection.webhook_url.partition("/hooks/")[0] or "https://hub.example.com"
    return Settings(
        folder=folder,
        path=folder / "hub.yaml",
        programme_node=programme,
        database="sqlite:///data",
        data_folder=folder / "data",
        recipes_folder=folder / "recipes",
        public_url=url,
        is_public=True,
        host="127.0.0.1",
        port=0,
        owner_node=None,
        connections=(config,),
        secret_key=None,
        metrics_token=None,
    )


def _number(row: object) -> int:
    return int(row["number"]) if row is not None else 0  # type: ignore[index]
