"""Network: the sessions through which the hub calls out; they cannot be led to addresses inside the house.

A name is resolved once, every address it has is checked, and the connection is made to the very address that was checked, while
the Host header, SNI and the certificate keep the name. So no second answer of a name server can move the call elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from hub.errors import CallFailed

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host, as text."""

# Prefixes under which IPv6 carries an IPv4 address that must be looked at itself.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """True when the address is out on the internet: not loopback, private, link-local, shared, reserved or multicast."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip.sixtofour:
            ip = ip.sixtofour
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast


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


class _Pinned(HTTPConnection):
    """A connection to the addresses that were checked; everything above the socket keeps the name."""

    resolver: Resolve = staticmethod(resolve)

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = checked(self.host.strip("[]"), self.port, self.resolver)
        except (socket.gaierror, UnicodeError) as error:
            raise NewConnectionError(self, f"{self.host} cannot be found: {error}") from error
        failure: Exception = NewConnectionError(self, f"{name} has no address")
        try:
            for address in addresses:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
        finally:
            self._dns_host = name
        raise failure


def _pools(resolver: Resolve) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose connections go only to checked addresses."""
    said = {"resolver": staticmethod(resolver)}
    plain = type("PinnedHTTP", (_Pinned,), said)
    secure = type("PinnedHTTPS", (_Pinned, HTTPSConnection), said)
    return {
        "http": type("HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class GuardedAdapter(HTTPAdapter):
    """Sends as requests does, but only to public addresses."""

    def __init__(self, resolver: Resolve) -> None:
        self._resolver = resolver
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **said: Any) -> None:
        super().init_poolmanager(*args, **said)
        self.poolmanager.pool_classes_by_scheme = _pools(self._resolver)


def open_session(*, allow_private: bool = False, resolver: Resolve = resolve) -> requests.Session:
    """A session for one connection. It reads no proxies or netrc from the machine, which would lead around the guard."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = "loyalty-hub"
    if not allow_private:
        session.mount("http://", GuardedAdapter(resolver))
        session.mount("https://", GuardedAdapter(resolver))
    return session
