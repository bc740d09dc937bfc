"""Cron: the triggers that come at times which a recipe names: `schedule` once, `each_member` for every member."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

from croniter import croniter
from pydantic import AfterValidator

from hub.clock import to_text
from hub.engine.cursors import CURSORS
from hub.engine.events import queries
from hub.engine.own_facts import EachMember, Scheduled
from hub.programme.actions import connector
from hub.programme.settings import Programme
from hub.sdk import Window
from hub.store import Unit

_MEMBERS_MOST = 500


def _cron(text: str) -> str:
    if not croniter.is_valid(text):
        raise ValueError(f"`{text}` is not a time such as `0 9 * * 1` (minute, hour, day, month, weekday)")
    return text


Cron = Annotated[str, AfterValidator(_cron), "When, as `minute hour day month weekday` in the programme's time zone."]


@connector.watch
def schedule(programme: Programme, window: Window, *, cron: Cron) -> Iterator[Scheduled]:
    """A time that the recipe names has come; after a downtime the latest one is made up for."""
    latest = _latest(programme, window, cron)
    if latest is not None:
        yield Scheduled(occurred_at=latest, key=f"schedule:{cron}:{to_text(latest)}")


@connector.next_due(schedule)
def next_schedule(programme: Programme, since: datetime, *, cron: str) -> datetime | None:
    """The next time that the cron line names."""
    return _next(programme, cron, since)


@connector.watch
def each_member(unit: Unit, programme: Programme, window: Window, *, cron: Cron) -> Iterator[EachMember | None]:
    """A time that the recipe names has come, told of each member by themselves; after a downtime the latest is made up for.

    Some hundreds at a time, so that nothing waits behind a crowd; who has been told stands in a cursor.
    """
    latest = _latest(programme, window, cron)
    if latest is None:
        return
    place, at = f"each_member:{cron}", to_text(latest)
    told_at, _, last = (unit.get(CURSORS, place) or "").partition(" ")
    after = last if told_at == at else ""
    members = [row["id"] for row in unit.session.rows(queries.members_after, after=after, most=_MEMBERS_MOST)]
    for member_id in members:
        yield EachMember(member_id=member_id, occurred_at=latest, key=f"each_member:{cron}:{at}:{member_id}")
    if members:
        unit.put(CURSORS, place, f"{at} {members[-1]}")
        yield None


@connector.next_due(each_member)
def next_round(programme: Programme, since: datetime, *, cron: str) -> datetime | None:
    """The next time that the cron line names."""
    return _next(programme, cron, since)


def _latest(programme: Programme, window: Window, cron: str) -> datetime | None:
    """The latest time in the window that the cron line names."""
    return next((moment for start in _starts(window) if (moment := _last(programme, cron, start, window.end))), None)


def _starts(window: Window) -> Iterator[datetime]:
    """From where to look for the latest time: near the window's end first, so that a long downtime is not counted through."""
    for days in (1, 31, 366):
        if window.end - timedelta(days=days) > window.start:
            yield window.end - timedelta(days=days)
    yield window.start


def _last(programme: Programme, cron: str, start: datetime, end: datetime) -> datetime | None:
    """The last time after `start` and not after `end`."""
    found, moment = None, _next(programme, cron, start)
    while moment <= end:
        found, moment = moment, _next(programme, cron, moment)
    return found


def _next(programme: Programme, cron: str, after: datetime) -> datetime:
    found: datetime = croniter(cron, after.astimezone(programme.zone)).get_next(datetime)
    return found.astimezone(after.tzinfo)
