"""Poster: speaks to the hub as the platforms do, signed, over several HTTP connections that stay open."""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hub.clock import Clock
from hub.demo.payloads import Told
from hub.errors import HubError
from hub.sdk import Connection
from hub.sdk.request import Request
from hub.sdk.sample import Sample

_LINES = 8
_SECONDS_MOST = 60


class Poster:
    """Posts to the hub at `address`; what is about one customer goes over one line, in order. Use it as a context manager."""

    def __init__(self, address: str, connections: Mapping[str, Connection], clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._samples: dict[tuple[str, str], Sample] = {}
        netloc = urlsplit(address).netloc
        self._lines = [http.client.HTTPConnection(netloc, timeout=_SECONDS_MOST) for _ in range(_LINES)]
        self._pool = ThreadPoolExecutor(_LINES, thread_name_prefix="platform")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown()
        for line in self._lines:
            line.close()

    def post(self, posts: Sequence[tuple[int, Told]]) -> int:
        """Post everything, each with its customer, until all is acknowledged; gives how many. HubError when one is refused."""
        shares: list[list[Request]] = [[] for _ in self._lines]
        for customer, told in posts:
            shares[customer % _LINES].append(self._request(told))
        sent = [self._pool.submit(_send, line, share) for line, share in zip(self._lines, shares, strict=True) if share]
        return sum(one.result() for one in sent)

    def _request(self, told: Told) -> Request:
        connection, now = self._connections[told.connection], self._clock.now()
        sample = self._sample(connection, told.fact)
        request = sample.request(connection, now, laid_over(sample.given, told.values))
        return connection.connector.sign(request, connection, now)

    def _sample(self, connection: Connection, fact: str) -> Sample:
        """The sample of the connector's first trigger that tells such a fact."""
        key = (connection.name, fact)
        if key not in self._samples:
            triggers = connection.connector.triggers
            told = (one for one in connection.connector.samples if one.kind == "trigger" and one.gives is not None)
            self._samples[key] = next(one for one in told if triggers[one.of].gives.fact == fact)
        return self._samples[key]


def laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`under` with the values of `over` in it, mapping by mapping; None takes a name out."""
    laid = dict(under)
    for name, value in over.items():
        below = laid.get(name)
        if value is None:
            laid.pop(name, None)
        elif isinstance(value, Mapping):
            laid[name] = laid_over(below if isinstance(below, Mapping) else {}, value)
        else:
            laid[name] = value
    return laid


def _send(line: http.client.HTTPConnection, requests: Sequence[Request]) -> int:
    for request in requests:
        target = f"{request.path}?{request.query}" if request.query else request.path
        line.request(request.method, target, body=request.body, headers=dict(request.headers))
        response = line.getresponse()
        body = response.read()
        if not 200 <= response.status < 300:
            raise HubError(
                f"The hub answered {response.status} to a webhook at {request.path}: {body[:300].decode(errors='replace')}"
            )
    return len(requests)
