"""Tally: counts that grow with what a unit of work writes, so that showing them never reads a large table."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hub.store.queries import load
from hub.store.session import Session
from hub.store.unit import Space, Unit

_SQL = load("hub.store")
Key = tuple[str, str]


def _increments(session: Session, keys: Collection[Key]) -> Mapping[Key, int]:
    return {}  # a unit knows only its own part; the database adds it


_TALLY: Space[Key, int] = Space("tally", _increments, save=_SQL.add_to_tally, row=lambda key, number: (*key, number), adds=True)


def count(unit: Unit, subject: str, name: str) -> None:
    """One more `name` of the subject: `count(unit, "step", "done")`."""
    unit.put(_TALLY, (subject, name), (unit.get(_TALLY, (subject, name)) or 0) + 1)


def tallies(session: Session) -> dict[str, dict[str, int]]:
    """All counts, by subject and name."""
    found: dict[str, dict[str, int]] = {}
    for row in session.rows(_SQL.tallies):
        found.setdefault(row["subject"], {})[row["name"]] = int(row["number"])
    return found
