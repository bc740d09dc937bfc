"""Every connector, driven through a hub that runs: its signed samples by HTTP in, what it fetches by HTTP out to a stand-in."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic_core import to_json

from hub import bootstrap, config, plugins
from hub.promises.trial import Trial
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, PlayedTokens, difference
from hub.sdk.request import Answer
from hub.store import Query, database
from hub.vault import KeptTokens

ROOT = Path(__file__).parents[1]
SECONDS_MOST = 40
TRIALS: Mapping[str, Trial] = {
    f"{name.replace('_', '-')}-{number}": Trial(connector, sample)
    for name, connector in plugins.discover().items()
    for number, sample in enumerate(one for one in connector.samples if one.kind == "trigger" and one.fails is None)
}


class StandIn(ThreadingHTTPServer):
    """All platforms at one address: the first part of the path says whose samples answer."""

    daemon_threads = True
    request_queue_size = 512

    def answer(self, called: Called) -> Answer:
        name, _, path = called.url.partition("://")[2].partition("/")[2].partition("/")
        trial = TRIALS.get(name)
        if "token" in path or trial is None:
            return Answer(200, b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}', "application/json")
        asked = replace(called, url=f"https://platform.example/{path}")
        for one, reply in zip(trial.told.asks, trial.told.replies, strict=True):
            if any(not difference(replace(one, path=there, headers=None), asked) for there in _paths(trial, one.path)):
                return reply
        return Answer(422, b"{}", "application/json")


def _paths(trial: Trial, path: str) -> list[str]:
    """The path of a sample's call, whole and without what stands in the connector's own address."""
    whole = path if path.startswith("/") else urlsplit(path).path
    fixed = [urlsplit(api.replace("{", "").replace("}", "")).path.rstrip("/") for api in trial.connector.api]
    return [whole, *(whole.removeprefix(prefix) for prefix in fixed if prefix and whole.startswith(prefix))]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.answer(Called(self.command, f"http://{headers['host']}{self.path}", headers, body))
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type or "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the library's names

    def log_message(self, *said: Any) -> None:
        """Nobody reads it."""


@dataclass(frozen=True)
class Running:
    """A workspace whose hub runs."""

    folder: Path
    url: str

    def open(self) -> bootstrap.Hub:
        return bootstrap.open_hub(config.load(self.folder, {}))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        store = database.at("sqlite:///data", self.folder / "data").find("hub")
        assert store is not None
        try:
            with store.read() as session:
                return [dict(row) for row in session.rows(Query("test", "", sql, ()))]
        finally:
            store.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One hub for all: a connection for each sample, with the settings of that sample."""
    folder = tmp_path_factory.mktemp("driven") / "shop"
    folder.mkdir()
    platforms = StandIn(("127.0.0.1", 0), Handler)
    threading.Thread(target=platforms.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{platforms.server_port}"
    connections = {
        name: {"connector": trial.connector.name, "base_url": f"{there}/{name}", "allow_private": True, **trial.values()}
        for name, trial in TRIALS.items()
    }
    (folder / "hub.yaml").write_text(
        "programme: {name: Driven, timezone: UTC, currency: USD, region: US}\npublic_url: https://hub.example.com\n"
        f"connections: {to_json(connections).decode()}\n",
        "utf-8",
    )
    _authorise(Running(folder, ""))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _process("run", "--port", str(port), "-w", str(folder)):
        url = f"http://127.0.0.1:{port}"
        _until(lambda: _is_up(url), lambda: "the hub does not come up")
        yield Running(folder, url)
    platforms.shutdown()
    platforms.server_close()


def _authorise(place: Running) -> None:
    """Give each connection the token that a person would have agreed to."""
    hub = place.open()
    try:
        kept = KeptTokens(hub.store, hub.vault, hub.leases, hub.clock)
        for name, connection in hub.connections.items():
            if isinstance(connection.auth, OAuth2):
                token = PlayedTokens().token
                kept.save(name, replace(token, expires_at=datetime(2100, 1, 1, tzinfo=UTC)))
    finally:
        hub.close()


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "hub", *words], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def _until(holds: Callable[[], bool], why: Callable[[], object]) -> None:
    pause, end = threading.Event(), monotonic() + SECONDS_MOST
    while not holds():
        if monotonic() > end:
            raise AssertionError(why())
        pause.wait(0.2)


def _expected(trial: Trial) -> int:
    """How many facts the sample's trigger makes of it."""
    whole = replace(trial, connector=trial.connector.fitted(trial.connection().settings))
    return sum(len(whole.facts(item)) for item in whole.items())


def test_every_signed_sample_is_taken_by_http_and_becomes_its_facts(running: Running) -> None:
    """Taken with 2xx and worked, what is thin is fetched; delivered twice it is the same event; forged it is answered 401."""
    hub = running.open()
    now, statuses = datetime.now(UTC), defaultdict(list)
    with requests.Session() as session:
        for name, trial in TRIALS.items():
            connection = hub.connections[name]
            signed = trial.signed(connection, now=now)
            forged = trial.told.request(connection, now)
            for request in (signed, signed, forged):
                path = request.url.partition("hub.example.com")[2]
                headers = {key: value for key, value in request.headers.items() if key != "content-length"}
                answer = session.post(f"{running.url}{path}", data=request.body, headers=headers, timeout=30)
                statuses[name].append(answer.status_code)
            if forged == signed:
                statuses[name][2] = 401
    hub.close()
    wrong = {name: said for name, said in statuses.items() if [code // 100 for code in said[:2]] != [2, 2] or said[2] != 401}
    assert wrong == {}
    expected = {name: _expected(trial) for name, trial in TRIALS.items()}
    _until(lambda: _told(running, expected) == {}, lambda: json.dumps(_told(running, expected), indent=1))


def _told(running: Running, expected: Mapping[str, int]) -> dict[str, Sequence[Any]]:
    """The samples that have not become their facts; of each how many there are, how many there should be, and why."""
    found = {}
    rows = running.rows("SELECT connection, kind FROM event WHERE connection <> 'hub'")
    notes = running.rows("SELECT connection, note FROM call WHERE note <> ''")
    for name, trial in TRIALS.items():
        number = sum(row["connection"] == name and row["kind"] == trial.told.of for row in rows)
        if number != expected[name]:
            why = [row["note"] for row in notes if row["connection"] == name]
            found[name] = (number, expected[name], json.dumps(why)[:300])
    return found
