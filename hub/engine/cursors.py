"""Cursors: how far each reader has come, kept in the transaction that stores what it read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from hub.clock import from_text, to_text
from hub.engine.events import queries
from hub.store import Session, Space, Unit

INBOX = "inbox"


def _load(session: Session, names: Collection[str]) -> Mapping[str, str]:
    return {row["name"]: row["value"] for row in session.rows(queries.cursors, names=list(names))}


CURSORS: Space[str, str] = Space("cursor", _load, save=queries.save_cursor, row=lambda name, value: (name, value))


def inbox_place(unit: Unit) -> int:
    """The last delivery that was admitted."""
    return int(unit.get(CURSORS, INBOX) or 0)


def move_inbox(unit: Unit, seq: int) -> None:
    """Every delivery up to this one has been admitted."""
    unit.put(CURSORS, INBOX, str(seq))


def time_of(unit: Unit, name: str) -> datetime | None:
    """The moment that a timer has come to; None when it never ran."""
    value = unit.get(CURSORS, name)
    return from_text(value) if value else None


def move_time(unit: Unit, name: str, moment: datetime) -> None:
    """Everything up to this moment has been looked at."""
    unit.put(CURSORS, name, to_text(moment))
