"""Clawback: what the ledger does on a refund, by itself, to the points that the sale earned.

Of an award E on an amount B, of which R has been given back in all refunds so far, `proportional` takes E x R / B, rounded down
over the whole and not for each refund, and all of E at the full refund: so any split into refunds takes the same. Where the
engine can work the recipe again on what is left of the sale (`reevaluate`), the award comes down to what that earns
(`counterfactual`). Points that are spent already leave a debt, which later awards repay.

The points that count for tiers come down too. The tier does not: with lifetime points there is no end of a period at which it
would be reviewed. Caps and limits are not given back, so that buying and returning gains nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from hub.ledger import Source
from hub.ledger.accounts import PENDING
from hub.programme.facts import PointsClawedBack
from hub.programme.members import queries
from hub.programme.work import Work
from hub.sdk.values import Points
from hub.store import Row, Space, Unit


class Earned(NamedTuple):
    """An award as it was posted.

    context: what it was computed in; `amount` is the part of the sale's money that earned. recipe: whose step it was.
    """

    transaction_id: str
    member_id: str
    points: int
    context: Mapping[str, Any]
    recipe: str = ""
    reason: str = ""


class ClawedBack(BaseModel):
    """What a refund took back, over all awards of the sale."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "nothing"]
    points: Points = 0


Reevaluate = Callable[[Earned], int | None]
"""What an award would have been on what is left of the sale, in its stored context; None where that cannot be said."""

EARNED_HERE: Space[str, tuple[Earned, ...]] = Space("awards of this unit", lambda _session, _keys: {}, missing=lambda _: ())


def remember(unit: Unit, event_id: str, earned: Earned) -> None:
    """Take note of an award that this unit posts, so that a refund in the same unit finds it."""
    unit.know(EARNED_HERE, event_id, (*(unit.get(EARNED_HERE, event_id) or ()), earned))


def awards_of(unit: Unit, *event_ids: str) -> list[Earned]:
    """What these events (a sale) earned, written already or in this unit."""
    written = [_earned(row) for row in unit.session.rows(queries.awards_of, events=list(event_ids))]
    known = {earned.transaction_id for earned in written}
    here = [earned for event_id in event_ids for earned in unit.get(EARNED_HERE, event_id) or ()]
    return written + [earned for earned in here if earned.transaction_id not in known]


def _earned(row: Row) -> Earned:
    context = json.loads(row["context"] or "{}")
    return Earned(row["id"], row["member_id"], row["points"], context, row["recipe"] or "", row["reason"])


def proportional(points: int, returned: Decimal, amount: Decimal) -> int:
    """What is to be taken back in all when `returned` of `amount` has been given back in all."""
    if returned >= amount:
        return points
    return points * Fraction(returned) // Fraction(amount)


def claw_back(
    work: Work, refund_id: str, awards: Sequence[Earned], returned: Decimal, reevaluate: Reevaluate | None = None
) -> ClawedBack:
    """Take back what the refunds of a sale so far, this one included, no longer earn.

    returned: the sum of `amount` of all its refunds, in the currency of the sale. An award that was not about money stays.
    """
    taken: dict[str, int] = {}
    for earned in awards:
        target, method = _target(earned, returned, reevaluate)
        clawed = work.book.clawed_back_of(earned.transaction_id)
        points = min(target - clawed, earned.points - clawed)
        if points <= 0:
            continue
        context = {"method": method, "returned": str(returned), "of": earned.context.get("amount"), "target": target}
        took = take(work, earned, points, work.source(f"Refund {refund_id}", context))
        taken[earned.member_id] = taken.get(earned.member_id, 0) + took
    for member_id, points in taken.items():
        tell(work, member_id, points, refund_id=refund_id)
    total = sum(taken.values())
    return ClawedBack(outcome="done" if total else "nothing", points=total)


def _target(earned: Earned, returned: Decimal, reevaluate: Reevaluate | None) -> tuple[int, str]:
    left = reevaluate(earned) if reevaluate is not None else None
    if left is not None:
        return max(0, earned.points - left), "counterfactual"
    amount = earned.context.get("amount")
    return (0 if amount is None else proportional(earned.points, returned, Decimal(amount))), "proportional"


def take(work: Work, earned: Earned, points: int, source: Source) -> int:
    """Take back so many points of an award; gives how many were taken, none where the step is repeated."""
    key = f"{work.key}:clawback:{earned.transaction_id}"
    posting = work.book.claw_back(earned.transaction_id, points, key=key, source=source)
    if posting.repeated:
        return 0
    work.roll.count_points(earned.member_id, -(posting.points + posting.on(PENDING)))  # what was pending never counted
    return posting.points


def tell(work: Work, member_id: str, points: int, *, refund_id: str = "", reason: str = "") -> None:
    """Say that points were taken back, where any were."""
    if points <= 0:
        return
    work.emit(
        PointsClawedBack(
            member_id=member_id,
            key=f"{work.key}:clawed_back:{member_id}",
            occurred_at=work.now,
            points=points,
            balance=work.book.balance(member_id).spendable,
            refund_id=refund_id,
            reason=reason,
        )
    )
