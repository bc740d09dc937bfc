"""No secret gets out: every connector's secrets, through everything that a platform, a person or a mishap can do with them."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from click.testing import CliRunner
from werkzeug.test import Client as Browser

from hub import bootstrap, config, log, plugins
from hub.cli.app import main
from hub.engine.calls import CALLS, Call
from hub.errors import Refused
from hub.sdk import Connector, client
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, Play
from hub.sdk.request import Answer, Request
from hub.sdk.sample import SAMPLE_NOW, Sample
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token
from hub.vault.keys import new_key
from hub.vault.tokens import KeptTokens
from hub.web.app import create_app
from tests.canaries import canary, escaped, kept_in_files, kept_in_postgres, kept_in_sqlite, secrets_in, settings_of
from tests.databases import ENGINES, Server

CONNECTORS = plugins.discover()
PROGRAMME = (
    "programme: {name: Corner Garage, timezone: America/Chicago, currency: USD}\npublic_url: https://points.example.com\n"
)
POINTS = "recipe: points\nwhen: sale\ndo:\n  - award: {points: event.amount, reason: Thanks}\n"
TOKEN: Mapping[str, Any] = {"access_token": canary("access"), "refresh_token": canary("refresh"), "expires_in": 3600}
"""What the platforms' token addresses give."""
NOWHERE = "http://127.0.0.1:9"
"""Where the commands' own calls end: no platform is asked for real, and the guard lets nothing through to this machine."""
# Commands that only look; what they need besides, and how they may end.
LOOKS = (
    ["check"], ["connections"], ["connections", "list"], ["connections", "setup", "mine"], ["events"], ["runs"], ["held"],
    ["members"], ["members", "nobody"], ["why", "37"], ["why", "nothing"], ["ledger", "totals"], ["ledger", "export"],
    ["ledger", "verify"], ["spend"], ["db", "size"], ["keys", "list"], ["send", "mine", "nothing"], ["replay", "call_1"],
)  # fmt: skip


def _echo(called: Called) -> str:
    """Everything that we sent, as a platform might repeat it."""
    headers = "; ".join(f"{name}: {value}" for name, value in called.headers.items())
    return f"your call {called.method} {called.url} with {headers} and {called.body.decode('utf-8', 'replace')} was bad"


def _says(status: int) -> Callable[[Called], Answer]:
    def answer(called: Called) -> Answer:
        echo = _echo(called)
        said = {"message": echo, "detail": echo, "error": {"message": echo}, "errors": [{"detail": echo, "message": echo}]}
        return Answer(status, json.dumps(said).encode(), "application/json", {"X-Echo": quote(echo)})

    return answer


def _broken(called: Called) -> Answer:
    return Answer(200, b'{"half": "' + _echo(called).encode(), "application/json")


def _elsewhere(called: Called) -> Answer:
    return Answer(302, b"", None, {"Location": f"https://{quote(_echo(called)[:20])}.evil.example.com/?{quote(_echo(called))}"})


def _cut(called: Called) -> Exception:
    return requests.ConnectionError(_echo(called))


def _mishap(called: Called) -> Exception:
    return ValueError(_echo(called))


def _unreachable(called: Called) -> Exception:
    return requests.exceptions.SSLError(f"HTTPSConnectionPool: Max retries exceeded with url: {called.url} {_echo(called)}")


WAYS: Mapping[str, Callable[[Called], Answer | Exception]] = {
    **{f"s{status}": _says(status) for status in (200, 400, 401, 404, 429, 500)},
    "broken": _broken,
    "elsewhere": _elsewhere,
    "cut": _cut,
    "mishap": _mishap,
    "unreachable": _unreachable,
}
"""How a platform can fail, each for a connection of its own; `mine` is answered as the samples say."""


def _answered(way: str, samples: Mapping[str, Answer]) -> Callable[[Called, int], Answer | Exception]:
    def respond(called: Called, before: int) -> Answer | Exception:
        if b"grant_type" in called.body and way != "s401":
            return Answer(200, json.dumps(TOKEN).encode(), "application/json")
        if way in WAYS:
            return WAYS[way](called)
        return samples.get(called.method, Answer(200, b"{}", "application/json"))

    return respond


class House:
    """A workspace whose every secret is a canary."""

    def __init__(self, folder: Path, connector: Connector, database: str) -> None:
        self.folder, self.connector, self.database = folder, connector, database
        self.values = settings_of(connector)
        self.canaries = secrets_in(connector, self.values)
        if isinstance(connector.auth, OAuth2):
            self.canaries |= {f"OAuth {name}": str(TOKEN[name]) for name in ("access_token", "refresh_token")}
        self.heard: dict[str, bytes] = {}
        self.log = io.StringIO()
        (folder / "recipes").mkdir(parents=True)
        (folder / "recipes" / "points.yaml").write_text(POINTS, "utf-8")
        lines = [PROGRAMME, f"database: {database}\n" if database.startswith("sqlite") else "", "connections:\n"]
        for name in ("mine", *WAYS):
            said = json.dumps(
                {
                    "connector": connector.name,
                    "base_url": NOWHERE,
                    **{key: one for key, one in self.values.items() if one is not None},
                }
            )
            lines.append(f"  {name}: {said}\n")
        (folder / "hub.yaml").write_text("".join(lines), "utf-8")

    def guard(self, name: str, secret: str) -> str:
        """One more canary."""
        self.canaries[name] = secret
        return secret

    def open(self) -> bootstrap.Hub:
        samples = {
            ask.method: reply for one in self.connector.samples for ask, reply in zip(one.asks, one.replies, strict=False)
        }
        sessions = {name: Play(_answered(name, samples)) for name in ("mine", *WAYS)}
        return bootstrap.open_hub(config.load(self.folder), open_http=lambda connection: sessions[connection.name].session())

    def hear(self, place: str, text: str | bytes) -> None:
        """Something that left the hub."""
        self.heard[place] = self.heard.get(place, b"") + (text if isinstance(text, bytes) else text.encode())

    def silent(self) -> None:
        """Nothing of what was heard, and nothing that is kept, gives a secret away."""
        self.hear("log", self.log.getvalue())
        kept = kept_in_files(self.folder / "data", apart={"secret.key"})
        kept |= kept_in_sqlite(self.folder / "data") if self.database.startswith("sqlite") else kept_in_postgres(self.database)
        assert len(kept) > 20
        assert len(self.heard["log"]) > 1_000
        found = escaped(self.canaries, {**self.heard, **kept})
        assert not found, "\n".join(found[:40])


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the workspace keeps everything; its address has a password that the server does not ask for."""
    if request.param == "sqlite":
        yield "sqlite:///data"
        return
    server: Server = request.getfixturevalue("postgres_server")
    corner = server.take()
    yield corner.url
    server.give_back(corner)


@pytest.fixture(params=list(CONNECTORS))
def house(request: pytest.FixtureRequest, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    made = House(tmp_path / "house", CONNECTORS[request.param], database)
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(log.redact, "_known", set())
    monkeypatch.setattr(log.redact, "_passing", {})
    monkeypatch.setattr(log.redact, "_forms", None)
    monkeypatch.setenv("HUB_SECRET_KEY", made.guard("HUB_SECRET_KEY", new_key()))
    monkeypatch.setenv("HUB_METRICS_TOKEN", made.guard("HUB_METRICS_TOKEN", canary("metrics")))
    if not database.startswith("sqlite"):
        password = quote(made.guard("the database's password", canary("database")), safe="")
        monkeypatch.setenv("DATABASE_URL", database.replace("@", f":{password}@", 1))
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("hub", "connectors")]
    before = (list(root.handlers), root.level, [one.level for one in ours])
    log.setup(made.log, logging.DEBUG)
    root.setLevel(logging.DEBUG)  # the libraries too, as nobody should run it
    yield made
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for one, level in zip(ours, before[2], strict=True):
        one.setLevel(level)


def _deliver(house: House, hub: bootstrap.Hub) -> None:
    """Good, forged and malformed deliveries, and every address that the hub has."""
    browser = Browser(create_app(hub.door, hub.checks, hub.snapshot, operator_token=hub.settings.metrics_token))
    there = hub.connections["mine"]
    taken = [sample for sample in house.connector.samples if sample.kind == "trigger"]
    for sample in taken if house.connector.signature else []:
        for body in (None, b"{", b"\xff\xfe\x00"):
            with suppress(Refused):  # a body that cannot even be signed
                _post(
                    house, browser, house.connector.sign(sample.request(there, hub.clock.now(), body), there, hub.clock.now())
                )
    for name, secret in house.canaries.items():
        basic = b64encode(f"hub:{secret}".encode()).decode()
        line = secret if secret.isprintable() else "x"
        for headers in ({"authorization": f"Bearer {line}", "x-api-key": line}, {"authorization": f"Basic {basic}"}):
            shown = {**headers, "x-webhook-token": line, "cookie": f"session={line}", "x-of": name}
            query = f"key={quote(secret, safe='')}&token={quote(secret)}"
            _post(house, browser, Request("POST", "/hooks/mine", query, shown, b'{"a": 1}', hub.clock.now(), ""))
        if "/" in secret:  # then it is not one part of a path
            continue
        for path in (f"/hooks/mine/{quote(secret, safe='')}", f"/hooks/{quote(secret, safe='')}"):
            _post(house, browser, Request("POST", path, "", {}, b"{}", hub.clock.now(), ""))
        for path in ("/metrics", "/healthz", "/readyz", f"/{quote(secret, safe='')}"):
            for token in ("", f"Bearer {line}", f"Bearer {hub.settings.metrics_token}"):
                answer = browser.get(path, headers={"authorization": token})
                house.hear(f"GET {path[:9]}", f"{answer.headers}".encode() + answer.get_data())


def _post(house: House, browser: Browser, request: Request) -> None:
    answer = browser.post(request.path, query_string=request.query, headers=dict(request.headers), data=request.body)
    house.hear("answers to deliveries", f"{answer.status} {answer.headers}".encode() + answer.get_data())


def _call(house: House, hub: bootstrap.Hub) -> None:
    """Every action, pull and fetch, on a connection for each way in which the platform can answer."""
    now = hub.clock.now()
    for name, connection in hub.connections.items():
        if isinstance(connection.auth, OAuth2) and connection.auth.asks_a_person(connection):
            agreed = Token(Secret(TOKEN["access_token"]), Secret(TOKEN["refresh_token"]), now)
            KeptTokens(hub.store, hub.vault, hub.leases, hub.clock).save(name, agreed)
    with hub.store.write() as session:
        batch = hub.begin(session)
        for connection in ("mine", *WAYS):
            for sample in house.connector.samples:
                asked = _asked(house.connector, sample)
                if asked is not None:
                    id_ = batch.ids.new("call")
                    call = Call(id_, asked[0], connection, asked[1], id_, asked[2], now, now, now)
                    batch.unit.put(CALLS, id_, call)
        batch.unit.flush()
    hub.settle()


def _asked(connector: Connector, sample: Sample) -> tuple[Any, str, dict[str, Any]] | None:
    if sample.kind == "action":
        return "action", sample.of, dict(sample.given)
    if sample.kind == "pull":
        return "pull", sample.of, {"since": SAMPLE_NOW.isoformat()}
    return None


def _command(house: House, *words: str) -> str:
    """What a command prints, for people and for programs; gives the latter."""
    for more in ((), ("--json",)):
        result = CliRunner().invoke(main, [*words, "-w", str(house.folder), *more])
        house.hear(f"hub {' '.join(words[:2])}", result.output + repr(result.exception))
    return result.stdout


def _mishaps(house: House) -> None:
    """The log at every level, with every secret in messages, fields and tracebacks, and an exception that nobody foresaw."""
    speaker = log.get("hub.canaries")
    for secret in house.canaries.values():
        try:
            raise ValueError(secret, secret.encode(), {"url": f"https://x/?k={quote(secret, safe='')}"})
        except ValueError:
            speaker.exception("broke at %s", secret, where=secret, header=b64encode(f"hub:{secret}".encode()).decode())
        for say in (speaker.debug, speaker.info, speaker.warning, speaker.error):
            say(f"{secret} and %r", {"token": secret}, url=quote(secret), detail=[secret])
        logging.getLogger("urllib3").debug("GET %s", f"https://x/?k={quote(secret, safe='')}")


def test_no_secret_gets_out(house: House, tmp_path: Path) -> None:
    """Not into logs, errors, answers, tables, files, metrics, exports or a backup, in whatever form."""
    hub = house.open()
    try:
        _call(house, hub)
        _deliver(house, hub)
        hub.settle()
        _mishaps(house)
    finally:
        hub.close()
    for words in LOOKS:
        _command(house, *words)
    for event in json.loads(_command(house, "events", "-n", "5")):
        _command(house, "events", event["id"])
        _command(house, "why", event["id"])
    _command(house, "db", "backup", str(tmp_path / "backup"))
    house.heard |= kept_in_files(tmp_path, apart={"hub.yaml", "secret.key"})
    house.silent()
