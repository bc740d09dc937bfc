"""Standing: how many differences there are with each provider now, for alerts and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from hub.clock import from_text
from hub.engine.spend.rows import queries
from hub.store import Session


class Differing(NamedTuple):
    """What is not settled with one provider. points: that stay redeemed for nothing. found_at: when the newest was found."""

    number: int
    points: int
    found_at: datetime
    kinds: Mapping[str, int]


def differing_now(session: Session) -> dict[str, Differing]:
    """The differences that are not settled, by connection."""
    found: dict[str, Differing] = {}
    for row in session.rows(queries.count_open):
        number, points, found_at = int(row["number"]), int(row["points"]), from_text(row["found_at"])
        before = found.get(row["connection"], Differing(0, 0, found_at, {}))
        kinds = {**before.kinds, row["kind"]: number}
        newest = max(before.found_at, found_at)
        found[row["connection"]] = Differing(before.number + number, before.points + points, newest, kinds)
    return found
