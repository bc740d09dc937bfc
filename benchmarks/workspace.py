"""Workspace: the hub that is measured: its folder, its database, the deliveries that it gets, and its processes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgresql://postgres@127.0.0.1/postgres"
KEY = b"the key of the benchmark's shop."
BODY_BYTES = 1024
START_SECONDS_MOST = 30
STOP_SECONDS_MOST = 60
_LOG_SHOWN = 4_000

_SECRET = "whsec_" + base64.b64encode(KEY).decode()
# Every connector is connected. Nothing listens at the addresses of the platforms: nothing leaves the machine.
_HUB_YAML = """\
programme: {{name: Bench, timezone: America/Chicago, currency: USD, expiry: 12 months}}
public_url: https://points.example.com
database: {database}
connections:
  webhook: {{webhook_secret: {secret}}}
  partner: {{connector: webhook, url: "{partner}", signing_secret: {secret}, allow_private: true}}
"""
_PLATFORM = '  {name}: {{{settings}, base_url: "http://127.0.0.1:9", allow_private: true}}\n'
_PLATFORMS = {
    "square": "access_token: example, webhook_signature_key: example",
    "stripe": "api_key: rk_test_example, webhook_secret: whsec_example",
    "twilio": 'account_sid: AC0123456789abcdef0123456789abcdef, auth_token: example, sender: "+15005550006"',
    "hubspot": "access_token: example",
    "google_sheets": "service_account: example, spreadsheet_id: example",
}
POINTS = """\
recipe: points
when: sale
if: event.amount >= 5
do:
  - award: {points: event.amount, reason: "Order {{ event.order_id }}"}
"""
POINTS_AND_CALL = (
    POINTS
    + """\
    as: earned
  - partner.send_webhook: {type: points.earned, data: {order: "{{ event.order_id }}"}}
"""
)
NOBODY = "http://127.0.0.1:9/"
"""Where nothing listens: calls to it fail, its breaker opens, and what follows stays in the outbox."""


def make(folder: Path, recipes: Sequence[str], *, database: str = "sqlite:///data", partner: str = NOBODY) -> Path:
    """A workspace with every connector, these recipes, and a partner at this address."""
    (folder / "recipes").mkdir(parents=True)
    text = _HUB_YAML.format(database=database, secret=_SECRET, partner=partner)
    text += "".join(_PLATFORM.format(name=name, settings=settings) for name, settings in _PLATFORMS.items())
    (folder / "hub.yaml").write_text(text, "utf-8")
    for number, recipe in enumerate(recipes):
        (folder / "recipes" / f"{number:04}.yaml").write_text(recipe, "utf-8")
    return folder


def sale(number: int, members: int, stamp: str = "") -> bytes:
    """A sale of one of so many members: JSON of 1 KB, each with numbers of its own. stamp: goes before all its numbers."""
    told = {
        "type": "sale",
        "id": f"pay_{stamp}{number:08}",
        "data": {
            "customer": {"id": f"cus_{stamp}{number % members:08}"},
            "amount": "18.50",
            "currency": "USD",
            "order_id": f"ord_{stamp}{number:08}",
            "channel": "online",
            "note": "",
        },
    }
    short = BODY_BYTES - len(json.dumps(told))
    told["data"]["note"] = "x" * short  # type: ignore[index]
    return json.dumps(told).encode()


def sales(number: int, members: int, *, first: int = 0, stamp: str = "") -> list[bytes]:
    """So many requests, whole and signed, as a platform sends them over one connection."""
    now = str(int(datetime.now(UTC).timestamp()))
    return [_request(f"msg_{stamp}{n:08}", now, sale(n, members, stamp)) for n in range(first, first + number)]


def signature(id_: str, sent_at: str, body: bytes) -> str:
    """What Standard Webhooks puts into webhook-signature."""
    return "v1," + base64.b64encode(hmac.digest(KEY, f"{id_}.{sent_at}.".encode() + body, hashlib.sha256)).decode()


def _request(id_: str, sent_at: str, body: bytes) -> bytes:
    head = (
        "POST /hooks/webhook HTTP/1.1",
        "host: points.example.com",
        "user-agent: Shop/1.0",
        "accept: */*",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"webhook-id: {id_}",
        f"webhook-timestamp: {sent_at}",
        f"webhook-signature: {signature(id_, sent_at, body)}",
    )
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def process(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process of this project while the block lasts, with pipes to it; then it is told to stop."""
    command = [sys.executable, *map(str, words)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as started,
    ):
        try:
            yield started
        except Exception as error:
            log.seek(0)
            error.add_note(f"{' '.join(command)} said:\n{log.read()[-_LOG_SHOWN:]}")
            raise
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(STOP_SECONDS_MOST)
            except subprocess.TimeoutExpired:
                started.kill()


@contextmanager
def hub(*words: object, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of the hub: `run`, `web` or `worker` on a workspace."""
    with process("-m", "hub", *words, "--workspace", folder) as started:
        yield started


def await_answer(port: int, server: subprocess.Popen[str], path: str = "/healthz") -> None:
    """Wait until a server answers. RuntimeError when it ends instead, TimeoutError when it does not come up."""
    request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
    until = time.monotonic() + START_SECONDS_MOST
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"{server.args} ended with {server.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as found:
                found.sendall(request)
                if found.recv(64).startswith(b"HTTP/1.1 "):
                    return
        except OSError:
            time.sleep(0.005)
    raise TimeoutError(f"nothing answers on port {port}")


def postgres_address() -> str:
    """Where the PostgreSQL server is: HUB_TEST_POSTGRES says it, as for the tests."""
    return os.environ.get("HUB_TEST_POSTGRES", POSTGRES)


def setups(say: Callable[[str], None]) -> Iterator[tuple[str, str, int]]:
    """What is measured on both engines: a name, the engine, and how many workers. SQLite alone where no PostgreSQL answers."""
    yield "SQLite", "sqlite", 1
    try:
        with psycopg.connect(postgres_address()):
            pass
    except psycopg.OperationalError:
        say("no PostgreSQL answers: it is left out (HUB_TEST_POSTGRES says where one is)")
        return
    yield "PostgreSQL, 1 worker", "postgresql", 1
    yield "PostgreSQL, 2 workers", "postgresql", 2


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards. psycopg.OperationalError where no server is."""
    address = postgres_address()
    name = f"hub_bench_{secrets.token_hex(6)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield address.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
