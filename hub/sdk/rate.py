"""Rate: how often a platform may be called; the outbox keeps to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many calls in so many seconds, for one connection."""

    calls: int
    seconds: int


def rate(text: str) -> Rate:
    """`100 per 10 seconds`, `5 per second`."""
    match = re.fullmatch(r"(\d+) per (?:(\d+) )?(second|minute|hour|day)s?", text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a rate such as `100 per 10 seconds`")
    return Rate(int(match[1]), int(match[2] or 1) * _SECONDS[match[3]])
