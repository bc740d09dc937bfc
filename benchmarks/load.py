"""Load: sends prepared requests over kept connections, from one thread and with raw sockets, so that it costs little itself.

`closed` sends the next request as soon as a connection is free: how much can be taken. `steady` sends at a fixed rate, and a
request that has to wait for a connection has waited since it was due: how long a platform waits.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_ANSWER_BYTES_MOST = 65_536


@dataclass(slots=True)
class Answers:
    """What came of a load. seconds: from the first request to the last answer; waits: seconds to each answer.

    at: when each request was answered, by its place; of a steady load alone. The clock is one for all processes of the machine.
    """

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    at: dict[int, float] = field(default_factory=dict)
    refused: int = 0

    @property
    def per_second(self) -> float:
        """Good answers in a second."""
        return (len(self.waits) - self.refused) / self.seconds

    def percentile(self, share: float) -> float:
        """The wait, in seconds, that this share of the answers did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def closed(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Answers:
    """Keep so many connections busy for so long, or until there are no more requests."""
    found = Answers()
    waiting = iter(requests)
    with _opened(port, connections) as (selector, sockets):
        began = now = time.perf_counter()
        until = began + seconds
        sent = {}
        for one in sockets:
            one.sendall(next(waiting))
            sent[one] = time.perf_counter()
        while sent:
            for key, _ in selector.select():
                one = key.fileobj
                assert isinstance(one, socket.socket)
                _read(one, found)
                now = time.perf_counter()
                found.waits.append(now - sent.pop(one))
                following = next(waiting, None) if now < until else None
                if following is not None:
                    one.sendall(following)
                    sent[one] = now
        found.seconds = now - began
    return found


def steady(port: int, requests: Sequence[bytes], rate: float, connections: int = 64) -> Answers:
    """Send all requests at this rate a second; waits count from when each was due."""
    found = Answers()
    with _opened(port, connections) as (selector, sockets):
        free = deque(sockets)
        waiting: dict[socket.socket, int] = {}
        began = now = time.perf_counter()
        place, number = 0, len(requests)
        while place < number or waiting:
            now = time.perf_counter()
            while free and place < number and now >= began + place / rate:
                one = free.popleft()
                one.sendall(requests[place])
                waiting[one] = place
                place += 1
            left = began + place / rate - time.perf_counter() if free and place < number else 1.0
            for key, _ in selector.select(max(0.0, left)):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                _read(one, found)
                now = time.perf_counter()
                answered = waiting.pop(one)
                found.waits.append(now - began - answered / rate)
                found.at[answered] = now
                free.append(one)
        found.seconds = now - began
    return found


@contextmanager
def _opened(port: int, connections: int) -> Iterator[tuple[selectors.BaseSelector, list[socket.socket]]]:
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(one, selectors.EVENT_READ)
        try:
            yield selector, sockets
        finally:
            for one in sockets:
                one.close()


def _read(one: socket.socket, found: Answers) -> None:
    """One whole answer. ConnectionError when the server hangs up."""
    answer = one.recv(_ANSWER_BYTES_MOST)
    while b"\r\n\r\n" not in answer:
        part = one.recv(_ANSWER_BYTES_MOST)
        if not part:
            raise ConnectionError("the server hung up")
        answer += part
    if not answer.startswith(b"HTTP/1.1 2"):
        found.refused += 1
        head, _, body = answer.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        left = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
        while left > 0:
            left -= len(one.recv(_ANSWER_BYTES_MOST))
