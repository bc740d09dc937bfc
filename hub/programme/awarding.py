"""Awarding: the `award` action. What it was computed in stays with the posting, for "why 37?" and for refunds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from hub.clock import to_text
from hub.errors import Parked
from hub.ledger.accounts import PENDING
from hub.programme import tiers
from hub.programme.clawback import Earned, remember
from hub.programme.earning import Stacking, Sum, Terms, add_up, finished
from hub.programme.facts import PointsAwarded, PointsPending
from hub.programme.members import queries
from hub.programme.settings import Programme
from hub.programme.terms import USUAL, ExactPoints, Usual
from hub.programme.work import Work
from hub.sdk.fact import Fact, Short, Text
from hub.sdk.values import Duration, Moment, Number, Points
from hub.store import Session, Space, as_json

PoolKey = tuple[str, str]
UNTIL = "expires_at"
"""In the context of a pending award: when its points end, once they can be spent; None for never."""


class Said(NamedTuple):
    """What a recipe says of an award's size; the fields of the action's own inputs."""

    points: Decimal | None
    rate: Decimal | None
    multiply: Decimal
    bonus: int
    cap: int | None
    stacking: Stacking
    group: str | None


Outcome = Literal["done", "capped", "nothing", "no_member"]


class Share(NamedTuple):
    """What one step brought to its group's pool, and what it posted."""

    key: str
    terms: Terms
    points: int


def _load_pools(session: Session, keys: Collection[PoolKey]) -> Mapping[PoolKey, tuple[Share, ...]]:
    rows = session.rows(queries.pools_of, events=[event for event, _ in keys])
    return {
        (row["event_id"], row["name"]): tuple(
            Share(key, Terms.from_json(terms), points) for key, terms, points in json.loads(row["terms"])
        )
        for row in rows
    }


def _pool_row(key: PoolKey, shares: tuple[Share, ...]) -> tuple[Any, ...]:
    kept = [[share.key, share.terms.to_json(), share.points] for share in shares]
    return (*key, as_json(kept), sum(share.points for share in shares))


POOLS: Space[PoolKey, tuple[Share, ...]] = Space("award_pool", _load_pools, queries.save_pool, _pool_row)


class Awarded(BaseModel):
    """What an award came to.

    outcome: `done`; `capped` (less than the sum, by a cap); `nothing` (no points came out); `no_member`. points: as posted.
    pending: how many of them cannot be spent yet. expires_on: the last good day of the points, None for never.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    points: Points = 0
    pending: Points = 0
    balance: Points = 0
    expires_at: Moment | None = None
    expires_on: date | None = None
    reason: Text = ""
    transaction_id: Short | None = None


def award(
    work: Work,
    *,
    points: ExactPoints | None = None,
    rate: Number | None = None,
    multiply: Number = Decimal(1),
    bonus: Points = 0,
    cap: Points | None = None,
    stacking: Stacking = "additive",
    group: Short | None = None,
    expires: Duration | None = USUAL,
    pending: bool = False,
    reason: Text = "",
) -> Awarded:
    """Give the member points.

    points: in their finished form. rate: points for each unit of the programme's currency that earns. multiply: times so much;
    several in one group are pooled by `stacking`. bonus: added, never multiplied. cap: the most that this award, or its group,
    may come to, in place of the programme's. group: awards of one event in one group are one sum. expires: how long the points
    are good, none for ever. pending: they cannot be spent, and count for no tier, until the recipe says `release`.
    """
    member = work.member()
    if member is None:
        return Awarded(outcome="no_member", reason=reason)
    said = Said(points, rate, multiply, bonus, cap, stacking, group)
    terms = _terms(said, work.event.fact, work.programme)
    try:
        came_to, posted = _sum(work, points, cap, terms, group)
    except ValueError as error:
        raise Parked(f"{work.recipe or 'An award'} cannot be posted: {error}. Give it a `cap`, then replay.") from error
    if posted <= 0:
        return Awarded(outcome="nothing", balance=work.book.balance(member.id).spendable, reason=reason)
    context = _context(work, came_to, terms, group, member.tier)
    expiry = work.programme.expiry if isinstance(expires, Usual) else expires
    outcome: Outcome = "done" if came_to.points == came_to.whole else "capped"
    earned = Earned("", member.id, posted, context, work.recipe or "", reason)
    return _post(work, earned, outcome=outcome, expiry=expiry, pending=pending)


def _post(work: Work, earned: Earned, *, outcome: Outcome, expiry: Duration | None, pending: bool) -> Awarded:
    """Post the points and tell what follows from them; a repeated posting has had that."""
    earned_at = work.event.occurred_at
    expires_at = work.programme.expires_at(earned_at, expiry)
    context = dict(earned.context)
    if pending:
        context |= {"pending": earned.points, UNTIL: None if expires_at is None else to_text(expires_at)}
    posting = work.book.award(
        earned.member_id,
        earned.points,
        key=work.key,
        source=work.source(earned.reason, context),
        expires_at=expires_at,
        effective_at=earned_at,
        pending=pending,
    )
    awarded = Awarded(
        outcome=outcome,
        points=earned.points,
        pending=posting.on(PENDING),
        balance=work.book.balance(earned.member_id).spendable,
        expires_at=expires_at,
        expires_on=last_day(work.programme, expires_at),
        reason=earned.reason,
        transaction_id=posting.txn_id,
    )
    if not posting.repeated:
        remember(work.unit, work.event.id, earned._replace(transaction_id=posting.txn_id, context=context))
        if awarded.pending:
            _tell_pending(work, awarded, earned.member_id)
        else:
            tell(work, awarded, earned.member_id)
    return awarded


def last_day(programme: Programme, expires_at: datetime | None) -> date | None:
    """The last good day of points that end at a moment."""
    return None if expires_at is None else (expires_at.astimezone(programme.zone) - timedelta(microseconds=1)).date()


def _sum(work: Work, points: Decimal | None, cap: int | None, terms: Terms | None, group: str | None) -> tuple[Sum, int]:
    """What the terms come to, and how much of it this step posts."""
    if terms is None:
        came_to = finished(Decimal(0) if points is None else points, cap, work.programme)
        return came_to, came_to.points
    if group is None:
        came_to = add_up((terms,), work.programme)
        return came_to, came_to.points
    pool = work.unit.get(POOLS, (work.event.id, group)) or ()
    before = next((place for place, share in enumerate(pool) if share.key == work.key), len(pool))
    earlier = pool[:before]
    came_to = add_up([*(share.terms for share in earlier), terms], work.programme)
    posted = max(0, came_to.points - sum(share.points for share in earlier))
    if before == len(pool):
        work.unit.put(POOLS, (work.event.id, group), (*pool, Share(work.key, terms, posted)))
    return came_to, posted


def worth(said: Said, fact: Fact, programme: Programme) -> int | None:
    """What an award comes to on a fact; None where it is part of a group's sum, which this award alone does not tell."""
    if said.group is not None:
        return None
    terms = _terms(said, fact, programme)
    if terms is not None:
        return add_up((terms,), programme).points
    return finished(Decimal(0) if said.points is None else said.points, said.cap, programme).points


def _terms(said: Said, fact: Fact, programme: Programme) -> Terms | None:
    """What the inputs of an award bring to a sum; None for points in their finished form."""
    if said.rate is None and said.group is None and not said.bonus and said.multiply == 1:
        return None
    base = Fraction(0) if said.points is None else Fraction(said.points)
    if said.rate is not None and (earning := eligible(fact, programme)) is not None:
        base += Fraction(said.rate) * Fraction(earning)
    return Terms(base, Fraction(said.multiply), said.bonus, said.cap, said.stacking)


def eligible(fact: Fact, programme: Programme) -> Decimal | None:
    """What earns in a fact, in the programme's currency; None when it is not about money."""
    amount, currency = getattr(fact, "amount", None), getattr(fact, "currency", None)
    if not isinstance(amount, Decimal) or currency is None:
        return None
    return programme.in_own_currency(amount, currency)


def _context(work: Work, came_to: Sum, terms: Terms | None, group: str | None, tier: str | None) -> dict[str, Any]:
    """What the award was computed in: JSON-able, and nothing personal."""
    context: dict[str, Any] = {"exact": str(came_to.exact), "rounding": work.programme.points.rounding, "tier": tier}
    fact = work.event.fact
    amount, currency = getattr(fact, "amount", None), getattr(fact, "currency", None)
    if isinstance(amount, Decimal) and currency is not None:
        context["amount"] = str(amount)
        context["currency"] = currency
        if currency != work.programme.currency:
            context["base"] = str(work.programme.in_own_currency(amount, currency))
    if came_to.points != came_to.whole:
        context["uncapped"] = came_to.whole
    if terms is not None:
        context["base_points"] = str(terms.base)
        context["factor"] = str(came_to.factor)
        context["bonus"] = terms.bonus
    if group is not None:
        context["group"] = group
        context["group_points"] = came_to.points
    return context


def _tell_pending(work: Work, awarded: Awarded, member_id: str) -> None:
    """What follows from points that cannot be spent yet; those that repaid a debt count at once."""
    work.roll.count_points(member_id, awarded.points - awarded.pending)
    if work.listens(PointsPending.fact):
        told = {"points": awarded.pending, "pending": work.book.balance(member_id).pending, "reason": awarded.reason}
        own = {"member_id": member_id, "key": f"{work.key}:pending", "occurred_at": work.now, "recipe": work.recipe or ""}
        work.emit(PointsPending.model_validate({**told, **own}))


def tell(work: Work, awarded: Awarded, member_id: str) -> None:
    """What follows from points that can be spent from now on."""
    member = work.roll.count_points(member_id, awarded.points)
    if work.listens(PointsAwarded.fact):
        work.emit(
            PointsAwarded(
                member_id=member_id,
                key=f"{work.key}:awarded",
                occurred_at=work.now,
                points=awarded.points,
                balance=awarded.balance,
                lifetime_points=member.lifetime_points,
                recipe=work.recipe or "",
                reason=awarded.reason,
                expires_on=awarded.expires_on,
            )
        )
    tiers.evaluate(work)
