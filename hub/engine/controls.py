"""Controls: built-in actions that steer their own run. They return what the runner shall do; it does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hub import log as logs
from hub.programme.actions import connector
from hub.programme.work import Work
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
