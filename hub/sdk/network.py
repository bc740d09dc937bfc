"""Network: the sessions through which the hub calls out; they cannot be led to addresses inside the house, nor kept waiting.

A name is resolved once, every address it has is checked, and the connection is made to the very address that was checked, while
the Host header, SNI and the certificate keep the name. So no second answer of a name server can move the call elsewhere. An
answer has so many seconds in all: a time-out of a socket alone begins anew with every byte.
"""

from __future__ import annotations

import io
import ipaddress
import socket
from collections.abc import Callable
from http.client import HTTPResponse, IncompleteRead
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from hub.clock import monotonic
from hub.errors import CallFailed

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host, as text."""

CALLS_AT_ONCE = 24
"""In the air for one connection, each on a line that is kept: enough for 200 a second of a platform that answers in a tenth."""

ANSWER_SECONDS_MOST = 60.0
ADDRESSES_TRIED_MOST = 4

# Prefixes under which IPv6 carries an IPv4 address that must be looked at itself.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that IPv6 has on the internet, and where clouds keep, under addresses that look public, what only their machines may ask.
_ON_THE_INTERNET = ipaddress.ip_network("2000::/3")
_OF_CLOUDS = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32"))


class NoHandshake(SSLError):
    """TLS did not come about, so nothing was sent."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """True when the address is out on the internet: not loopback, private, link-local, shared, reserved or multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if carried is None and ip not in _ON_THE_INTERNET:
            return False
        ip = carried or ip
    return ip.is_global and not ip.is_multicast and not any(ip in cloud for cloud in _OF_CLOUDS)


def checked(host: str, port: int, resolver: Resolve) -> list[str]:
    """The addresses of a host, all public. CallFailed(lasting) when one is not."""
    addresses = resolver(host, port)
    for address in addresses:
        if not is_public(address):
            raise CallFailed(
                f"{host} is at {address}, an address inside a private network, where no connection may lead. "
                "If it is your own server, write `allow_private: true` into the connection.",
                "lasting",
            )
    return addresses


def not_sent(error: Exception) -> str | None:
    """Why nothing was sent, when that is what the failure of a session says; None when something may have been."""
    reason = error.args[0] if error.args else None
    reason = getattr(reason, "reason", reason)
    if not isinstance(reason, NewConnectionError | NoHandshake):
        return "no connection was made in time" if isinstance(error, requests.ConnectTimeout) else None
    cause = reason.__cause__
    said = getattr(cause, "verify_message", "") or getattr(cause, "strerror", None) or type(cause or reason).__name__
    return f"the TLS connection was not made: {said}" if isinstance(reason, NoHandshake) else str(said)


class _Timely(io.RawIOBase):
    """What comes from a socket, until a moment of the steady clock; TimeoutError then. has_ended: nothing more will come."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self._raw, self._sock, self._until = raw, sock, until
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        patience = self._sock.gettimeout()
        self._sock.settimeout(left if patience is None else min(patience, left))
        size = self._raw.readinto(buffer)
        self.has_ended = size == 0
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimelyAnswer(HTTPResponse):
    """An answer whose status, headers and body come within `ANSWER_SECONDS_MOST`, all in all."""

    def __init__(self, sock: socket.socket, *given: Any, **said: Any) -> None:
        super().__init__(sock, *given, **said)
        self._coming = _Timely(self.fp.detach(), sock, monotonic() + ANSWER_SECONDS_MOST)
        self.fp = io.BufferedReader(self._coming)

    def begin(self) -> None:
        super().begin()
        if self._coming.has_ended:  # the library takes headers that were cut off for an answer without a body
            raise IncompleteRead(b"")


class _Pinned(HTTPConnection):
    """A connection to the addresses that were checked; everything above the socket keeps the name."""

    response_class = _TimelyAnswer
    addresses: Callable[[str, int], list[str]] = staticmethod(resolve)

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, SSLError) as error:
            raise NoHandshake(error) from error

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = self.addresses(self.host.strip("[]"), self.port)
        except (socket.gaierror, UnicodeError) as error:
            raise NewConnectionError(self, f"{self.host} cannot be found: {error}") from error
        failure: Exception = NewConnectionError(self, f"{name} has no address")
        try:
            for address in addresses[:ADDRESSES_TRIED_MOST]:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
        finally:
            self._dns_host = name
        raise failure


def _pools(addresses: Resolve) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose connections go only to these addresses."""
    said = {"addresses": staticmethod(addresses)}
    plain = type("PinnedHTTP", (_Pinned,), said)
    secure = type("PinnedHTTPS", (_Pinned, HTTPSConnection), said)
    return {
        "http": type("HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class GuardedAdapter(HTTPAdapter):
    """Sends as requests does, but only to addresses that `addresses` gives, and with an end to every answer."""

    def __init__(self, addresses: Resolve) -> None:
        self._addresses = addresses
        super().__init__(pool_maxsize=CALLS_AT_ONCE, max_retries=0)

    def init_poolmanager(self, *args: Any, **said: Any) -> None:
        super().init_poolmanager(*args, **said)
        self.poolmanager.pool_classes_by_scheme = _pools(self._addresses)


class _Session(requests.Session):
    """Follows no redirect by itself: whoever calls decides where to go, and reads the answer no further than it wants."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def open_session(*, allow_private: bool = False, resolver: Resolve = resolve) -> requests.Session:
    """A session for one connection.

    It reads no proxies or netrc from the machine, which would lead around the guard, and keeps no cookies.
    """
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "loyalty-hub"
    adapter = GuardedAdapter(resolver if allow_private else lambda host, port: checked(host, port, resolver))
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session
