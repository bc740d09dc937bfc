"""Doom: where and when a process kills itself: at the n-th time that it comes to a point, at the edge of what it commits.

Everything here is laid around the hub's own functions in a process of the tests; the hub knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

from urllib3.connection import HTTPConnection

from hub.engine.inbox import Inbox
from hub.engine.outbox import Outbox
from hub.engine.performer import Performer
from hub.store import Unit
from hub.store.postgres import PostgresSession, PostgresStore
from hub.store.sqlite import SqliteSession, SqliteStore

WORKER_POINTS = (
    "transaction begun", "flush begun", "row written", "flush done", "commit", "committed",
    "launch", "launched", "request sent", "answer read", "answer noted",
)  # fmt: skip
WEB_POINTS = ("transaction begun", "row written", "commit", "committed", "kept")


def die() -> NoReturn:
    """SIGKILL for this process and all that belong to it."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("still alive")


class Doom:
    """Kills this process when `point` is reached for the `number`-th time. tell: hears of it just before."""

    def __init__(self, point: str, number: int, tell: Callable[[str], None]) -> None:
        self._point, self._number, self._tell = point, number, tell
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def at(self, point: str) -> None:
        """Here we are."""
        if point != self._point:
            return
        with self._lock:
            self._seen[point] += 1
            if self._seen[point] >= self._number:
                self._tell(f"struck {point}\n")
                die()

    def lay(self) -> None:
        """Lay the points around the functions of the hub."""
        for store in (SqliteStore, PostgresStore):
            store.write = self._transaction(store.write)  # type: ignore[method-assign]
        for session in (SqliteSession, PostgresSession):
            session.run_many = self._after(session.run_many, "row written")  # type: ignore[method-assign]
        Unit.flush = self._around(Unit.flush, "flush begun", "flush done")  # type: ignore[method-assign]
        Outbox.launch = self._around(Outbox.launch, "launch", "launched")  # type: ignore[method-assign]
        Outbox.record = self._after(Outbox.record, "answer noted")  # type: ignore[method-assign]
        Performer.perform = self._after(Performer.perform, "answer read")  # type: ignore[method-assign]
        Inbox.keep_many = self._after(Inbox.keep_many, "kept")  # type: ignore[method-assign]
        HTTPConnection.getresponse = self._around(HTTPConnection.getresponse, "request sent", "")  # type: ignore[method-assign]

    def _around(self, function: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
        def laid(*given: Any, **said: Any) -> Any:
            self.at(before)
            result = function(*given, **said)
            self.at(after)
            return result

        return laid

    def _after(self, function: Callable[..., Any], after: str) -> Callable[..., Any]:
        return self._around(function, "", after)

    def _transaction(self, write: Callable[..., AbstractContextManager[Any]]) -> Callable[..., AbstractContextManager[Any]]:
        @contextmanager
        def laid(store: Any) -> Iterator[Any]:
            with write(store) as session:
                self.at("transaction begun")
                yield session
                self.at("commit")
            self.at("committed")

        return laid
