"""Leases: what one caller does at a time, under a name, with no transaction open meanwhile."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Leases(Protocol):
    """Hands names out, each to one caller at a time. For any number of threads."""

    def lease(self, name: str) -> AbstractContextManager[None]:
        """Held while the block lasts; given free when its holder ends, however it ends."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class ProcessLeases:
    """Leases within one process: enough where only one process may write."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """Held by one thread at a time."""
        with self._locks[name]:
            yield

    def close(self) -> None:
        """There is nothing to give back."""
