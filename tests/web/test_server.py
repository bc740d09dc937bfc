"""Servers: both speak HTTP/1.1 with the same application, and finish what they are answering before they stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from hub.web.server import Served, threaded_server

if TYPE_CHECKING:
    from tests.web.conftest import Site, World

ROOT = Path(__file__).parents[2]


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with threaded_server(world.app()) as found:
        yield found


@contextmanager
def spoken_to(served: Served) -> Iterator[socket.socket]:
    with socket.create_connection((served.host, served.port), timeout=10) as connection:
        yield connection


def answers(connection: socket.socket, sent: bytes) -> bytes:
    """All that the server says until it hangs up, when we have sent this and say no more."""
    connection.sendall(sent)
    connection.shutdown(socket.SHUT_WR)
    said = b""
    while part := connection.recv(65_536):
        said += part
    return said


def test_a_genuine_delivery_over_the_wire_is_kept(served: Served, sender: Site) -> None:
    """The real port, the real bytes."""
    body = b'{"amount": 1850}'
    heard = requests.post(f"{served.url}/hooks/shop?a=1", body, headers=sender.signed(body, "/hooks/shop?a=1"), timeout=10)
    assert (heard.status_code, heard.json()) == (200, {"thanks": "/hooks/shop"})
    assert [one.body for one in sender.world.kept()] == [body]


def test_a_connection_is_kept_open(served: Served, sender: Site) -> None:
    """Many deliveries go over one connection, also after one that was refused before its body was read."""
    with requests.Session() as session:
        pools = session.get_adapter(served.url).poolmanager.pools
        for number in range(3):
            body = b"%d" % number
            assert session.post(f"{served.url}/hooks/shop", body, headers=sender.signed(body), timeout=10).status_code == 200
            assert session.post(f"{served.url}/hooks/nobody", b"x" * 50_000, timeout=10).status_code == 404
        hosts = pools.keys()
        assert [pools[key].num_connections for key in hosts] == [1]
    assert [one.body for one in sender.world.kept()] == [b"0", b"1", b"2"]


def test_many_connections_are_served_at_once(served: Served, sender: Site) -> None:
    """Threads deliver side by side, and each gets its answer."""
    statuses: list[int] = []

    def deliver(number: int) -> None:
        body = b"%d" % number
        statuses.append(requests.post(f"{served.url}/hooks/shop", body, headers=sender.signed(body), timeout=30).status_code)

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 16
    assert len(sender.world.kept()) == 16


def test_a_huge_body_gets_its_answer(served: Served) -> None:
    """Who sends far too much hears 413, and not a broken connection."""
    assert requests.post(f"{served.url}/hooks/shop", b"x" * 3_000_000, timeout=10).status_code == 413


def test_a_chunked_body_is_read_to_its_end(served: Served, sender: Site) -> None:
    """A body without a length is taken whole, and cut off when it goes on too long."""
    headers = sender.signed(b"abcdef")

    def parts(*given: bytes) -> Iterable[bytes]:
        yield from given

    assert requests.post(f"{served.url}/hooks/shop", parts(b"abc", b"def"), headers=headers, timeout=10).status_code == 200
    assert requests.post(f"{served.url}/hooks/shop", parts(*[b"x" * 9_000] * 4), timeout=10).status_code == 413
    assert [one.body for one in sender.world.kept()] == [b"abcdef"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 50\r\n\r\nshort", b"400"),
        (b"Content-Length: -5\r\n\r\nshort", b"400"),
        (b"Content-Length: five\r\n\r\nshort", b"400"),
        (b"Content-Length: 99999999999999999\r\n\r\n", b"413"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n", b"400"),
        (b"\r\n", b"401"),
    ],
    ids=["short", "negative", "a word", "huge", "broken chunks", "no body"],
)
def test_lies_about_the_length_get_a_clear_answer(served: Served, world: World, head: bytes, status: bytes) -> None:
    """A request whose length is a lie is answered and leaves no row."""
    with spoken_to(served) as connection:
        said = answers(connection, b"POST /hooks/shop HTTP/1.1\r\nHost: x\r\n" + head)
    assert said.startswith(b"HTTP/1.1 " + status)
    assert world.kept() == []


def test_a_request_hidden_in_a_body_is_not_taken_for_one(served: Served) -> None:
    """What follows a body of unclear length is not read as the next request."""
    hidden = b"POST /hooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with spoken_to(served) as connection:
        assert answers(connection, hidden).count(b"HTTP/1.1 ") == 1


def test_head_has_no_body(served: Served) -> None:
    """After a HEAD the next answer on the connection is not mistaken."""
    with requests.Session() as session:
        assert session.head(f"{served.url}/hooks/shop?challenge=abc", timeout=10).headers["Content-Length"] == "0"
        assert session.head(f"{served.url}/healthz", timeout=10).status_code == 200
        assert session.get(f"{served.url}/healthz", timeout=10).json() == {"status": "ok"}


def test_stopping_finishes_what_is_being_answered_and_ends_idle_connections() -> None:
    """A request that is being worked when the server stops still gets its answer; one that only waits is hung up on."""
    working, may_go_on = threading.Event(), threading.Event()
    heard: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        working.set()
        may_go_on.wait(10)
        start_response("204 No Content", [])
        return []

    with threaded_server(app) as served:
        idle = socket.create_connection((served.host, served.port), timeout=10)
        caller = threading.Thread(target=lambda: heard.append(requests.get(served.url, timeout=10).status_code))
        caller.start()
        working.wait(10)
        threading.Timer(0.05, may_go_on.set).start()
    assert idle.recv(1) == b""
    idle.close()
    caller.join(10)
    assert heard == [204]
    with pytest.raises(requests.ConnectionError):
        requests.get(served.url, timeout=1)


def test_a_port_that_is_taken_is_a_plain_error(served: Served) -> None:
    """The caller can say so in its own words."""
    with pytest.raises(OSError, match="in use"), threaded_server(lambda *_: [], port=served.port):
        pass


APP = """
import asyncio
from functools import partial
import os
import signal
import sys
from hub.web.server import serve

async def answer(word, scope, receive, send):
    body = (await receive())["body"] + word
    if scope["path"] == "/stop":
        os.kill(os.getppid(), signal.SIGTERM)
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})

def load(word):
    return partial(answer, word)

if __name__ == "__main__":
    serve(partial(load, b"!"), "127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture
def granian(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The real server with a small application: its address and its process."""
    (tmp_path / "served_app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(tmp_path / "served_app.py"), str(port)], env=environment)
    yield f"http://127.0.0.1:{port}", process
    process.kill()
    process.wait(30)


def test_granian_serves_and_stops_gracefully(granian: tuple[str, subprocess.Popen[bytes]]) -> None:
    """The application is made in the serving process; SIGTERM ends it with success."""
    url, process = granian
    assert _post_when_up(url, b"hello") == b"hello!"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_granian_answers_what_it_has_begun_before_it_stops(granian: tuple[str, subprocess.Popen[bytes]]) -> None:
    """A request during which SIGTERM comes gets its answer."""
    url, process = granian
    assert _post_when_up(url, b"hello") == b"hello!"
    assert requests.post(f"{url}/stop", b"last", timeout=10).content == b"last!"
    assert process.wait(30) == 0


def _post_when_up(url: str, body: bytes) -> bytes:
    for _ in range(300):
        try:
            return requests.post(url, body, timeout=10).content
        except requests.ConnectionError:
            threading.Event().wait(0.05)
    raise AssertionError("the server did not come up")
