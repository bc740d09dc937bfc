"""Clocks: business time that can be handed in, and the steady time of time-outs.

Business time (`Clock`) decides what is due. Rate limits, breakers and leases inside one process use `monotonic`, which no
virtual clock moves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

Monotonic = Callable[[], float]
monotonic: Monotonic = time.monotonic


class Clock(Protocol):
    """Where the hub learns what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock, moved by an offset when the workspace was left on virtual time."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


class VirtualClock:
    """A clock that stands still until it is moved; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Let time pass until `moment`; an earlier one changes nothing."""
        with self._lock:
            self._now = max(self._now, moment.astimezone(UTC))


# A batch writes and reads few moments, each of them many times.
@lru_cache(maxsize=4096)
def to_text(moment: datetime) -> str:
    """The form in which tables keep an instant: UTC, always with microseconds, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=4096)
def from_text(text: str) -> datetime:
    """An instant as tables keep it."""
    return datetime.fromisoformat(text)
