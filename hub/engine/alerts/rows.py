"""Rows: alerts as they are kept: one row for each occurrence of a trouble, from when it was seen until its end was told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.clock import from_text, to_text
from hub.store import Row, Session, Space, load

queries = load("hub.engine.alerts")


@dataclass(frozen=True, slots=True)
class Alert:
    """A trouble that was seen. number, newest_at: as they are now; told_number: as the owner was told at `told_at`."""

    id: str
    kind: str
    subject: str
    opened_at: datetime
    number: int
    newest_at: datetime | None
    text: str
    told_at: datetime | None = None
    told_number: int = 0
    closed_at: datetime | None = None
    settled: bool = False

    @property
    def has_news(self) -> bool:
        """True when there is more of it than the owner knows."""
        if self.told_at is None:
            return True
        return self.number > self.told_number or (self.newest_at is not None and self.newest_at > self.told_at)


def unsettled(session: Session) -> list[Alert]:
    """The alerts of which there may be something to tell, oldest first."""
    return [from_row(row) for row in session.rows(queries.alerts_open)]


def from_row(row: Row) -> Alert:
    """An alert from its row."""
    return Alert(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        opened_at=from_text(row["opened_at"]),
        number=row["number"],
        newest_at=_moment(row["newest_at"]),
        text=row["text"],
        told_at=_moment(row["told_at"]),
        told_number=row["told_number"],
        closed_at=_moment(row["closed_at"]),
        settled=bool(row["settled"]),
    )


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return to_text(moment) if moment is not None else None


def _row(_: str, alert: Alert) -> tuple[object, ...]:
    return (
        alert.id, alert.kind, alert.subject, to_text(alert.opened_at), alert.number, _text(alert.newest_at), alert.text,
        _text(alert.told_at), alert.told_number, _text(alert.closed_at), int(alert.settled),
    )  # fmt: skip


def _by_id(session: Session, ids: Collection[str]) -> Mapping[str, Alert]:
    return {row["id"]: from_row(row) for row in session.rows(queries.alerts_by_id, ids=list(ids))}


ALERTS: Space[str, Alert] = Space("alert", _by_id, save=queries.save_alert, row=_row)
