"""Watches: birthdays, anniversaries, silences and points about to expire, told once each.

Each looks once a local day, at an hour of the programme's time zone (nine, unless the recipe says otherwise): an hour that the
change to summer time skips is an hour later, one that comes twice counts the first time. What fell due while the hub was down
is told when it is back; a birthday or anniversary only within a week. The key of each fact makes it one, however often a
window is swept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field

from hub.clock import from_text, to_text
from hub.ledger import lots_expiring
from hub.programme.facts import Anniversary, Birthday, Lapsed, PointsExpiring
from hub.programme.members import queries
from hub.programme.settings import Programme
from hub.programme.terms import Days
from hub.sdk.values import Duration, add_months
from hub.sdk.watch import Window
from hub.store import Session

Hour = Annotated[int, Field(ge=0, le=23, description="the local hour at which it is told")]
_CATCH_UP = timedelta(days=7)
_DAY = timedelta(days=1)
_MONTHS_DIFFER_BY = timedelta(days=4)


def birthday(session: Session, programme: Programme, window: Window, *, hour: Hour = 9) -> list[Birthday]:
    """A member's birthday, each year; February 29 is kept on the 28th in common years."""
    due = _days_of_the_year(window, hour, programme.zone)
    return [
        Birthday(member_id=row["id"], key=f"bday:{row['id']}:{day.year}", occurred_at=_tick(day, hour, programme.zone), on=day)
        for row in session.rows(queries.born_on, days=list(due))
        for day in [due[row["birthday"][5:]]]
    ]


def anniversary(session: Session, programme: Programme, window: Window, *, hour: Hour = 9) -> list[Anniversary]:
    """The day on which a member joined, each year after."""
    due = _days_of_the_year(window, hour, programme.zone)
    told = []
    for row in session.rows(queries.joined_on, days=list(due)):
        day = due[row["joined_on"][5:]]
        years = day.year - int(row["joined_on"][:4])
        if years > 0:
            key = f"anniversary:{row['id']}:{years}"
            at = _tick(day, hour, programme.zone)
            told.append(Anniversary(member_id=row["id"], key=key, occurred_at=at, on=day, years=years))
    return told


def lapsed(session: Session, programme: Programme, window: Window, *, after: Days, hour: Hour = 9) -> list[Lapsed]:
    """A member was not active for so long; told once for each silence.

    after: the length of the silence, in days or months, such as `90 days`.
    """
    zone = programme.zone
    span = _preimage(_days(window, hour, zone), lambda day: _later(day, after), after)
    if span is None:
        return []
    since, until = _start(span[0], zone), _start(span[1] + _DAY, zone)
    told = []
    for row in session.rows(queries.silent_since, since=to_text(since), until=to_text(until)):
        last = from_text(row["last_activity_at"]).astimezone(zone).date()
        told.append(
            Lapsed(
                member_id=row["id"],
                key=f"lapsed:{row['id']}:{row['last_activity_at']}:{after}",
                occurred_at=_tick(_later(last, after), hour, zone),
                last_activity_on=last,
            )
        )
    return told


def points_expiring(
    session: Session, programme: Programme, window: Window, *, before: Days, hour: Hour = 9
) -> list[PointsExpiring]:
    """Points of a member will expire; one fact for a member and a moment of expiry, with the points still left.

    before: how long before their last good day, in days or months, such as `14 days`. Points that are given for a shorter time
    than this are not told of.
    """
    zone, ahead = programme.zone, Duration(-before.months, -before.days)
    span = _preimage(_days(window, hour, zone), lambda day: _later(day, ahead), ahead)
    if span is None:
        return []
    told = []
    for member_id, expires_at, points in lots_expiring(session, _start(span[0], zone), _start(span[1] + _DAY, zone)):
        last = (expires_at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone).date()
        told.append(
            PointsExpiring(
                member_id=member_id,
                key=f"expiring:{member_id}:{to_text(expires_at)}:{before}",
                occurred_at=_tick(_later(last, ahead), hour, zone),
                points=points,
                expires_at=expires_at,
                last_good_day=last,
            )
        )
    return told


def next_look(programme: Programme, since: datetime, *, hour: Hour = 9) -> datetime:
    """When the next local day has come to its hour."""
    day = since.astimezone(programme.zone).date()
    tick = _tick(day, hour, programme.zone)
    return tick if tick > since else _tick(day + _DAY, hour, programme.zone)


def _days(window: Window, hour: int, zone: tzinfo) -> list[date]:
    """The local days whose hour falls into the window, one after another."""
    day, last = window.start.astimezone(zone).date(), window.end.astimezone(zone).date()
    count = (last - day).days + 1
    return [due for n in range(count) if _tick(due := day + n * _DAY, hour, zone) in window]


def _days_of_the_year(window: Window, hour: int, zone: tzinfo) -> dict[str, date]:
    """What is kept on the days of the window's last week, by month and day (`02-29`)."""
    recent = Window(max(window.start, window.end - _CATCH_UP), window.end)
    due: dict[str, date] = {}
    for day in _days(recent, hour, zone):
        due[f"{day:%m-%d}"] = day
        if (day.month, day.day) == (2, 28) and (day + _DAY).day == 1:
            due["02-29"] = day
    return due


def _preimage(days: list[date], move: Callable[[date], date], by: Duration) -> tuple[date, date] | None:
    """The first and the last day that `move`, which never turns two days round, takes into these days; None when none is."""
    if not days:
        return None
    back = Duration(-by.months, -by.days)
    first, last = _later(days[0], back) - _MONTHS_DIFFER_BY, _later(days[-1], back) + _MONTHS_DIFFER_BY
    while move(first) < days[0]:
        first += _DAY
    while move(last) > days[-1]:
        last -= _DAY
    return (first, last) if first <= last else None


def _later(day: date, by: Duration) -> date:
    return add_months(day, by.months) + by.days * _DAY


def _tick(day: date, hour: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def _start(day: date, zone: tzinfo) -> datetime:
    return _tick(day, 0, zone)
