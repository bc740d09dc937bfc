"""Faults: whatever a platform does to a call over a real line, it ends in time, with the verdict that was promised."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hub.errors import CallFailed
from hub.sdk import Client, Connection, Connector, client, network
from hub.sdk.declare import auth, header, secrets
from tests.faulty import FAULTS, Fault, Faulty, Heard, faulty, reply

SECRET = "k3y-7Qd2-secret"
SECONDS_MOST = 8.0
SHOP = Connector(
    "shop",
    title="Shop",
    settings=secrets("api_key"),
    api="https://shop.example.com",
    auth=auth.bearer("api_key"),
    idempotency=header("Idempotency-Key"),
)


@pytest.fixture(autouse=True)
def short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds elsewhere takes tenths here, and what fills megabytes kilobytes."""
    fault = getattr(request.node, "callspec", None) and request.node.callspec.params.get("fault")
    if fault and fault.slow:
        monkeypatch.setattr(client, "READ_SECONDS", 0.2)
        monkeypatch.setattr(network, "ANSWER_SECONDS_MOST", 0.4)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(client, "ATTEMPTS_MOST", 2)
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(client, "REPLY_BYTES_MOST", 512 * 1024)


def client_of(url: str, repeat: str, *, allow_private: bool = True) -> Client:
    """A client of the shop, played at this address."""
    connection = Connection("shop", SHOP, SHOP.settings.read({"api_key": SECRET}), url, allow_private)
    session = network.open_session(allow_private=allow_private)
    slept: list[float] = []
    return Client(connection, session=session, monotonic=time.monotonic, sleep=slept.append, call_key="run_1/1", repeat=repeat)


def ending(fault: Fault, *, reads: bool, repeat: str) -> str:
    """The verdict that is promised."""
    if fault.end == "not read":
        return "passing" if reads else "uncertain"
    return fault.end if reads or repeat != "never" or not fault.sent else "uncertain"


@pytest.mark.parametrize("repeat", ["safe", "keyed", "never"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_write_ends_in_time_with_the_verdict_of_its_promise(fault: Fault, repeat: str, tmp_path: Path) -> None:
    """Only what may be repeated is, under one key; the rest is uncertain unless nothing can have been done."""
    with faulty(fault, folder=tmp_path) as server:
        began = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            client_of(server.url, repeat).post("/letters", json={"text": "x" * 100})
        assert time.monotonic() - began < SECONDS_MOST
        assert caught.value.verdict == ending(fault, reads=False, repeat=repeat), caught.value
        assert fault.says in str(caught.value)
        assert SECRET not in str(caught.value)
        if repeat == "never" and fault.sent:
            assert len(server.asked) <= 1
        assert len({heard.headers.get("idempotency-key") for heard in server.asked}) <= 1
        assert (caught.value.retry_after_seconds or 0) <= 24 * 3600


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_read_ends_in_time_and_may_always_be_repeated(fault: Fault, tmp_path: Path) -> None:
    """It is never uncertain: reading twice is reading once."""
    with faulty(fault, folder=tmp_path) as server:
        began = time.monotonic()
        with pytest.raises(CallFailed) as caught:
            client_of(server.url, "never").get("/letters")
        assert time.monotonic() - began < SECONDS_MOST
        assert caught.value.verdict == ending(fault, reads=True, repeat="never"), caught.value


def test_a_refused_line_was_never_asked() -> None:
    """Nobody listens: even what must not be repeated may be tried again, and the note says what the machine said."""
    with faulty() as server:
        closed = server.url
    with pytest.raises(CallFailed, match=r"Shop could not be reached \(POST /letters\): Connection refused") as caught:
        client_of(closed, "never").post("/letters", json={})
    assert caught.value.verdict == "passing"


def test_a_server_that_speaks_no_tls_was_never_asked() -> None:
    """The handshake fails before anything is sent."""
    with faulty() as server, pytest.raises(CallFailed, match="TLS connection was not made") as caught:
        client_of(server.url.replace("http://", "https://"), "never").post("/letters", json={})
    assert caught.value.verdict == "passing"
    assert not server.asked


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=nonsense", ""])
def test_what_is_json_is_read_whatever_it_is_called(kind: str) -> None:
    """A wrong content type does no harm."""
    with faulty() as server:
        server.well = lambda server, heard: reply(200, b'{"id": 1.10}', kind=kind)
        assert str(client_of(server.url, "never").post("/letters", json={})) == "{'id': Decimal('1.10')}"


def test_patience_ends_with_the_first_answer_that_lets_us_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick repeats are for quick failures: after twenty seconds the call is left to the outbox."""
    times = iter([0.0, 21.0, 21.0])
    with faulty(next(fault for fault in FAULTS if fault.name == "503")) as server:
        impatient = client_of(server.url, "safe")
        monkeypatch.setattr(impatient, "_monotonic", lambda: next(times))
        with pytest.raises(CallFailed):
            impatient.post("/letters", json={})
        assert len(server.asked) == 1


def test_cookies_are_not_kept() -> None:
    """What one call was given is not sent with the next."""
    with faulty() as server:
        server.well = lambda server, heard: reply(200, b"{}", "Set-Cookie: session=abc; Path=/")
        asking = client_of(server.url, "never")
        asking.get("/a")
        asking.get("/b")
        assert not [heard for heard in server.asked if "cookie" in heard.headers]


def test_a_redirect_shows_nobody_else_the_key(tmp_path: Path) -> None:
    """Another host gets no call at all; a redirect on the same host is followed with the key, a few times."""
    with faulty() as other, faulty() as server:
        server.well = lambda server, heard: reply(302, b"", f"Location: {other.url}/x")
        with pytest.raises(CallFailed, match="other hosts are not followed"):
            client_of(server.url, "never").get("/a")
        assert not other.asked

        def twice(server: Faulty, heard: Heard) -> bytes:
            return reply(302, b"", "Location: /b") if heard.path == "/a" else reply(200, b'{"id": 1}')

        server.well = twice
        assert client_of(server.url, "never").get("/a") == {"id": 1}
        assert [heard.headers["authorization"] for heard in server.asked] == [f"Bearer {SECRET}"] * 3


@pytest.mark.parametrize("value", ["line\nbreak", "–"])
def test_a_secret_that_cannot_be_sent_is_no_doubt(value: str) -> None:
    """A key with a line break or a dash of typographers never left; the message does not show it."""
    connection = Connection("shop", SHOP, SHOP.settings.read({"api_key": value}), "http://127.0.0.1:9", True)
    asking = Client(connection, session=network.open_session(allow_private=True), monotonic=lambda: 0.0, sleep=lambda _: None)
    with pytest.raises(CallFailed, match="was not asked") as caught:
        asking.post("/letters", json={})
    assert caught.value.verdict == "lasting"
    assert value not in str(caught.value)
