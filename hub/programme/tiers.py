"""Tiers: levels of membership by the points earned for good.

A member rises at once, over several tiers if need be. Spending and expiry do not count, so nobody falls by redeeming. A refund
lowers the points that count, but not the tier: with lifetime points there is no end of a period at which tiers are reviewed.
"""

from __future__ import annotations

from hub.programme.facts import TierChanged
from hub.programme.work import Work


def evaluate(work: Work) -> str | None:
    """Lift the member to the tier that their points reach; gives the tier that they are in now."""
    member = work.member()
    if member is None:
        return None
    programme = work.programme
    reached = programme.tier_for(member.lifetime_points)
    if reached is None or programme.tier_rank(reached) <= programme.tier_rank(member.tier):
        return member.tier
    work.roll.change(member.id, "tier", reached, cause=work.cause())
    work.emit(
        TierChanged(
            member_id=member.id,
            key=f"{work.key}:tier",
            occurred_at=work.now,
            tier=reached,
            was=member.tier,
            direction="up",
            lifetime_points=member.lifetime_points,
        )
    )
    return reached
