"""The guard: calls that would lead into the house are refused, whatever a name server says."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from hub.errors import CallFailed
from hub.sdk import network
from tests.faulty import certificate

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:169.254.169.254", "::ffff:100.64.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:a9fe:a9fe::", "2001:0:7f00:1::", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "fec0::1", "5f00::1", "100::1", "192.0.0.192", "198.18.0.1", "100.100.100.200", "168.63.129.16",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_the_house_are_known(address):
    """Loopback, private, link-local, shared, reserved, multicast, and IPv4 dressed up as IPv6."""
    assert not network.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_outside_are_free(address):
    """Public addresses are called."""
    assert network.is_public(address)


class Handler(BaseHTTPRequestHandler):
    """Answers with the Host header that it was given."""

    def do_GET(self):
        host = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(host)))
        self.end_headers()
        self.wfile.write(host)

    def log_message(self, *said):
        """Says nothing."""


@pytest.fixture
def serve():
    """Starts a server on a free port of this machine; gives the port."""
    servers = []

    def start(context=None):
        server = HTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Names:
    """A name server that gives each of its answers once, and counts."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, host, port):
        self.asked.append(host)
        return self.answers.pop(0)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1"])
def test_a_name_that_leads_into_the_house_is_refused(address):
    """The error says where it leads and what to write if that is meant."""
    with (
        network.open_session(resolver=Names([address])) as session,
        pytest.raises(CallFailed, match="allow_private: true") as caught,
    ):
        session.get("http://shop.example/x")
    assert caught.value.verdict == "lasting"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "2130706433", "localhost", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "shop.example@127.0.0.1", "127.0.0.1:80@127.0.0.1",
    ],
)  # fmt: skip
def test_an_address_in_the_url_is_looked_at_too(host):
    """Written as a number, in another base, in other digits or as a local name, it is refused all the same."""
    with network.open_session() as session, pytest.raises(CallFailed, match="private network"):
        session.get(f"http://{host}:9/")


def test_one_private_address_among_public_ones_is_enough():
    """A name with both kinds of addresses is not called at all."""
    with network.open_session(resolver=Names(["8.8.8.8", "10.0.0.1"])) as session, pytest.raises(CallFailed):
        session.get("http://shop.example/x")


def test_the_checked_address_is_the_one_that_is_called(serve, monkeypatch):
    """The name is asked for once; a second answer, which would lead elsewhere, is never wanted. The Host header stays."""
    port, names = serve(), Names(["127.0.0.1"], ["10.0.0.1"])
    monkeypatch.setattr(network, "is_public", lambda address: True)
    with network.open_session(resolver=names) as session:
        assert session.get(f"http://shop.example:{port}/x").text == f"shop.example:{port}"
    assert names.asked == ["shop.example"]


def test_the_certificate_is_checked_against_the_name(serve, monkeypatch, tmp_path):
    """Pinned to an address, TLS still asks for the name's certificate."""
    monkeypatch.setattr(network, "is_public", lambda address: True)
    cert, key = certificate(tmp_path, "shop.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    port = serve(context)
    with network.open_session(resolver=lambda host, port: ["127.0.0.1"]) as session:
        session.verify = str(cert)
        assert session.get(f"https://shop.example:{port}/x").text == f"shop.example:{port}"
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://other.example:{port}/x")


def test_an_own_server_is_called_when_the_connection_allows_it(serve):
    """allow_private opens the way into the house, for this connection."""
    port = serve()
    with network.open_session(allow_private=True) as session:
        assert session.get(f"http://127.0.0.1:{port}/").text == f"127.0.0.1:{port}"


def test_a_name_that_does_not_exist_is_a_failure_of_the_line():
    """An unknown name is no crash, and nothing was sent."""

    def unknown(host, port):
        raise socket.gaierror("no such name")

    with network.open_session(resolver=unknown) as session, pytest.raises(requests.ConnectionError, match="NewConnectionError"):
        session.get("http://shop.example/x")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_the_machines_proxies_are_not_used(monkeypatch, name):
    """A proxy from the environment would lead around the guard."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    with network.open_session(resolver=Names(["10.0.0.1"])) as session, pytest.raises(CallFailed):
        session.get("http://shop.example/x")


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:25/x", "unix:///run/x"])
def test_only_http_is_spoken(scheme):
    """Any other scheme is no address."""
    with network.open_session() as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get(scheme)


def test_a_redirect_is_never_followed_by_the_session_itself(serve):
    """Not even to say where it leads: its body would be read to the end."""
    port = serve()
    with network.open_session(allow_private=True) as session:
        answer = session.get(f"http://127.0.0.1:{port}/", allow_redirects=True)
        assert session.get_redirect_target(answer) is None


def test_each_call_in_the_air_keeps_its_line():
    """A line that is given up after its call costs the next one a handshake."""
    with network.open_session() as session:
        adapter = session.get_adapter("https://api.example.com")
        assert adapter.poolmanager.connection_pool_kw["maxsize"] == network.CALLS_AT_ONCE


def test_of_many_addresses_a_few_are_tried(monkeypatch):
    """A name with a hundred dead addresses does not hold a call for a hundred time-outs."""
    tried = []

    def refuses(address, *said, **more):
        tried.append(address[0])
        raise OSError("nobody there")

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuses)
    many = [f"8.8.{number}.8" for number in range(100)]
    with network.open_session(resolver=Names(many)) as session, pytest.raises(requests.ConnectionError) as caught:
        session.get("http://shop.example/x")
    assert tried == many[: network.ADDRESSES_TRIED_MOST]
    assert network.not_sent(caught.value) == "OSError"
