"""Controls: built-in actions that steer their own run, and the trigger `schedule`.

The actions return what the runner shall do; it does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hub import log as logs
from hub.clock import to_text
from hub.engine.own_facts import Scheduled
from hub.programme.actions import connector
from hub.programme.settings import Programme
from hub.programme.work import Work
from hub.sdk import Window
from hub.sdk.values import Duration, Moment

_LOG = logs.get(__name__)
_WAIT_DAYS_MOST = 3660
_THREE_DAYS = Duration(days=3)


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on at `until`, or earlier when the fact `fact` comes for the same member."""

    until: datetime
    fact: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ends here, as it should."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person answers, or `otherwise` is the answer at `until`."""

    question: str
    choices: tuple[str, ...]
    otherwise: str
    until: datetime


class Waited(BaseModel):
    """outcome: `done` (the time came), `fact` (the fact came) or `timeout` (it did not)."""

    model_config = ConfigDict(frozen=True)

    outcome: str


class Answered(BaseModel):
    """outcome: `done`, or `timeout` when nobody answered in time. answer: one of the choices. by: who gave it."""

    model_config = ConfigDict(frozen=True)

    outcome: str
    answer: str
    by: str = ""


@connector.action
def wait(
    work: Work,
    *,
    time: Annotated[Duration | None, "How long, for instance `2 days`; with `fact`, how long at the most."] = None,
    until: Annotated[Moment | None, "Or until this moment."] = None,
    fact: Annotated[str | None, "Go on earlier when this fact (`sale`, `review` …) comes for the same member."] = None,
) -> Waited | Wait:
    """Wait for a time, or for a fact and at most so long; the run sleeps in the database meanwhile."""
    if time is not None and until is None:
        end = time.after(work.now, work.programme.zone)
    elif until is not None and time is None:
        end = max(until, work.now)
    else:
        raise ValueError("`wait` takes either `time` (how long) or `until` (a moment)")
    if (end - work.now).days > _WAIT_DAYS_MOST:
        raise ValueError(f"{end.isoformat()} is more than ten years away")
    return Wait(end, fact)


@connector.action
def stop(work: Work, *, reason: Annotated[str, "What the trace shall say."] = "") -> Stop:
    """End the run; what it has done so far stays."""
    return Stop(reason)


@connector.action
def ask_staff(
    work: Work,
    *,
    question: Annotated[str, "What a person shall decide, with what they need to know."],
    choices: Annotated[tuple[str, ...], Field(description="The answers to choose from.", min_length=1)] = ("yes", "no"),
    within: Annotated[Duration, "How long to wait for an answer."] = _THREE_DAYS,
    otherwise: Annotated[str | None, "The answer when nobody gives one; the last choice by default."] = None,
) -> Answered | Ask:
    """Ask a person and wait; later steps can read the answer."""
    default = choices[-1] if otherwise is None else otherwise
    if default not in choices:
        raise ValueError(f"`otherwise: {default}` is not one of the choices ({', '.join(choices)})")
    return Ask(question, choices, default, within.after(work.now, work.programme.zone))


@connector.action
def log(work: Work, *, text: Annotated[str, "What to write."]) -> None:
    """Write a line into the log."""
    _LOG.info(text, recipe=work.recipe, event=work.event.id)


def _cron(text: str) -> str:
    if not croniter.is_valid(text):
        raise ValueError(f"`{text}` is not a time such as `0 9 * * 1` (minute, hour, day, month, weekday)")
    return text


@connector.watch
def schedule(
    programme: Programme,
    window: Window,
    *,
    cron: Annotated[str, AfterValidator(_cron), "When, as `minute hour day month weekday` in the programme's time zone."],
) -> Iterator[Scheduled]:
    """A time that the recipe names has come; after a downtime the latest one is made up for."""
    latest = next((moment for start in _starts(window) if (moment := _last(programme, cron, start, window.end))), None)
    if latest is not None:
        yield Scheduled(occurred_at=latest, key=f"schedule:{cron}:{to_text(latest)}")


@connector.next_due(schedule)
def next_schedule(programme: Programme, since: datetime, *, cron: str) -> datetime | None:
    """The next time that the cron line names."""
    return _next(programme, cron, since)


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
