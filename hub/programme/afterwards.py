"""Afterwards: what recipes do with points that were earned before: let them be spent, or take them back."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.clock import from_text
from hub.programme.awarding import UNTIL, Awarded, last_day, tell
from hub.programme.clawback import Earned, awards_of, take
from hub.programme.clawback import tell as tell_taken
from hub.programme.work import Work
from hub.sdk.fact import Short, Text
from hub.sdk.values import Points


class Released(BaseModel):
    """What can be spent now. outcome: `nothing` when no points were pending, or all were taken back meanwhile."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "nothing", "no_member"]
    points: Points = 0
    balance: Points = 0
    expires_on: date | None = None


class TakenBack(BaseModel):
    """What was taken back. outcome: `nothing` when there was nothing to take."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "nothing"]
    points: Points = 0
    balance: Points = 0


def release(work: Work) -> Released:
    """Let the member spend what this recipe gave as `pending`; what was taken back meanwhile is not among it."""
    if work.member_id is None:
        return Released(outcome="no_member")
    given = [
        (earned, points)
        for earned in awards_of(work.unit, work.event.id)
        if earned.recipe == work.recipe and earned.member_id == work.member_id
        if UNTIL in earned.context and (points := work.book.pending_of(earned.transaction_id))
    ]
    ends = [_release(work, earned) for earned, _ in given]
    balance = work.book.balance(work.member_id).spendable
    if not given:
        return Released(outcome="nothing", balance=balance)
    total, expires_on = sum(points for _, points in given), min((day for day in ends if day is not None), default=None)
    reason = given[0][0].reason
    tell(work, Awarded(outcome="done", points=total, balance=balance, expires_on=expires_on, reason=reason), work.member_id)
    return Released(outcome="done", points=total, balance=balance, expires_on=expires_on)


def _release(work: Work, earned: Earned) -> date | None:
    """Post it; gives the last good day of the points."""
    until = earned.context[UNTIL]
    expires_at = None if until is None else from_text(until)
    key, source = f"{work.key}:release:{earned.transaction_id}", work.source(earned.reason)
    work.book.release(earned.transaction_id, key=key, source=source, expires_at=expires_at)
    return last_day(work.programme, expires_at)


def take_back(work: Work, *, recipe: Short | None = None, reason: Text = "") -> TakenBack:
    """Take back what earlier facts about the same thing earned: what a booking earned, when nobody came.

    recipe: only what this recipe gave. Points that are spent already leave a debt, which later awards repay. A fact that names
    nobody (a review was deleted) takes them from whoever got them.
    """
    taken: dict[str, int] = {}
    for earned in awards_of(work.unit, *work.about()):
        left = earned.points - work.book.clawed_back_of(earned.transaction_id)
        is_theirs = work.member_id in (None, earned.member_id)
        if is_theirs and recipe in (None, earned.recipe) and left > 0:
            took = take(work, earned, left, work.source(reason))
            taken[earned.member_id] = taken.get(earned.member_id, 0) + took
    for member_id, points in taken.items():
        tell_taken(work, member_id, points, reason=reason)
    balance = 0 if work.member_id is None else work.book.balance(work.member_id).spendable
    return TakenBack(outcome="done" if taken else "nothing", points=sum(taken.values()), balance=balance)
