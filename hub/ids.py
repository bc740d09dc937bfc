"""Ids: names that sort by time and say what they are (`evt_0190…`), made as UUIDv7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import random
import struct
import threading
from datetime import timedelta

from hub.clock import Clock

_RANDOM_BITS = 74
_LOW = (1 << 62) - 1
_RANDOM_LIMIT = 1 << _RANDOM_BITS
_STEPS = struct.Struct("<256I")


class Ids:
    """Makes ids; within one process each is greater than the one before, also within a millisecond."""

    def __init__(self, clock: Clock, source: random.Random | None = None) -> None:
        self._clock = clock
        self._random = source or random.SystemRandom()
        self._lock = threading.Lock()
        self._last_ms = 0
        self._last_tail = 0
        self._steps: list[int] = []

    def pass_by(self, known: str) -> None:
        """From now on every id is greater than this one, which another process, with another clock, may have made."""
        number = int(known.rpartition("_")[2], 16)
        ms, tail = number >> 80, ((number >> 64) & 0xFFF) << 62 | (number & _LOW)
        with self._lock:
            self._last_ms, self._last_tail = max((ms, tail), (self._last_ms, self._last_tail))

    def new(self, prefix: str) -> str:
        """A new id such as `evt_0190b2c4…`: the prefix, an underscore and 32 hexadecimal digits."""
        now_ms = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            if now_ms > self._last_ms:
                self._last_ms = now_ms
                self._last_tail = self._random.getrandbits(_RANDOM_BITS - 1)
            else:
                self._last_tail += self._step()
                if self._last_tail >= _RANDOM_LIMIT:
                    self._last_ms += 1
                    self._last_tail = self._random.getrandbits(_RANDOM_BITS - 1)
            ms, tail = self._last_ms, self._last_tail
        high, low = tail >> 62, tail & ((1 << 62) - 1)
        number = (ms << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
        return f"{prefix}_{number:032x}"

    def _step(self) -> int:
        """How far the next id of a millisecond is from the one before; drawn many at once, for each draw asks the system."""
        if not self._steps:
            drawn = self._random.getrandbits(_STEPS.size * 8).to_bytes(_STEPS.size, "little")
            self._steps = [1 + step for step in _STEPS.unpack(drawn)]
        return self._steps.pop()


def since(known: str, by: timedelta) -> str:
    """The least text that an id of this kind may have which was made so long before this one, or later."""
    prefix, _, digits = known.rpartition("_")
    ms = max(0, (int(digits, 16) >> 80) - by // timedelta(milliseconds=1))
    return f"{prefix}_{ms << 80:032x}"
