"""The programme's own facts: what happened in the ledger and to members, for recipes and metrics to hear.

In recipes: `when: hub.points_awarded`; those of the watches stand bare: `when: birthday`. Each carries a key of its own, so
that one occurrence is recorded once however often it is told.
"""

# ruff: noqa: RUF012 - `sample` is a ClassVar of Fact, which the linter cannot see from here
from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from hub.sdk.fact import Fact, Short, Text
from hub.sdk.values import Currency, Moment, Money, Points

_MEMBER = "mem_0190b2c4d5e67f8090a1b2c3d4e5f607"
_FRIEND = "mem_0190b2c4d5e67f8090a1b2c3d4e5f608"
_AT = "2026-02-06T21:27:34Z"


class HubFact(Fact):
    """Something that the hub did or saw about a member. key: the same for the same occurrence.

    told_once: several events may cause it, and only the first does.
    """

    member_id: Short
    key: Short

    told_once: ClassVar[bool] = False


class MemberJoined(HubFact):
    """Somebody became a member. tier: the one that everybody starts in."""

    tier: Short | None = None

    fact = "hub.member_joined"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": f"joined:{_MEMBER}", "tier": "Bronze"}


class PointsMoved(HubFact):
    """Points that can be spent came or went. what: earned, spent, adjusted, taken back or expired. balance: what is left."""

    points: Points
    balance: Points
    what: Short = ""
    reason: Text = ""


class PointsAwarded(PointsMoved):
    """A member earned points. balance: what can be spent now; lifetime_points: all that was earned for good."""

    lifetime_points: Points
    recipe: Short = ""
    what: Short = "earned"
    expires_on: date | None = None

    fact = "hub.points_awarded"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": "run_1:1:awarded",
        "points": 120,
        "balance": 420,
        "lifetime_points": 620,
        "recipe": "purchase-points",
        "reason": "Order 1042",
        "expires_on": "2027-02-06",
    }


class PointsPending(HubFact):
    """A member earned points that cannot be spent yet. pending: all that are so."""

    points: Points
    pending: Points
    recipe: Short = ""
    reason: Text = ""

    fact = "hub.points_pending"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": "run_1:1:pending",
        "points": 120,
        "pending": 120,
        "recipe": "order-points",
        "reason": "Order 1042",
    }


class PointsRedeemed(PointsMoved):
    """A member spent points."""

    what: Short = "spent"

    fact = "hub.points_redeemed"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "run_2:1:redeemed", "points": 500, "balance": 20}


class RewardRedeemed(HubFact):
    """A member took a reward of the programme."""

    reward: Short
    title: Short
    points: Points
    balance: Points

    fact = "hub.reward_redeemed"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": "run_2:1:reward",
        "reward": "oil-change",
        "title": "Free oil change",
        "points": 500,
        "balance": 20,
    }


class PointsAdjusted(PointsMoved):
    """Points were added or taken by hand or by a rule. points: with their sign."""

    what: Short = "adjusted"

    fact = "hub.points_adjusted"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "run_3:1:adjusted", "points": -20, "balance": 400}


class PointsClawedBack(PointsMoved):
    """Points that were earned were taken back: by a refund (refund_id), or by a recipe, which says the reason."""

    refund_id: Short = ""
    what: Short = "taken back"

    fact = "hub.points_clawed_back"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "evt_1:clawed_back", "points": 20, "balance": 400}


class PointsExpired(PointsMoved):
    """Points of a member passed their last good day."""

    what: Short = "expired"

    fact = "hub.points_expired"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "expired:lot_1", "points": 80, "balance": 340}


class TierChanged(HubFact):
    """A member is in another tier. was: the former one, None when there was none."""

    tier: Short
    was: Short | None = None
    direction: Literal["up", "down"]
    lifetime_points: Points

    fact = "hub.tier_changed"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": "run_1:1:tier",
        "tier": "Silver",
        "was": "Bronze",
        "direction": "up",
        "lifetime_points": 620,
    }


class TagAdded(HubFact):
    """A member got a tag."""

    tag: Short

    fact = "hub.tag_added"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "run_4:1:tag", "tag": "vip"}


class TagRemoved(HubFact):
    """A member lost a tag."""

    tag: Short

    fact = "hub.tag_removed"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "run_4:2:tag", "tag": "vip"}


class ClaimAnswered(HubFact):
    """A member claimed a purchase by its code. outcome: attached to them, unknown, or taken by somebody before."""

    code: Short
    outcome: Literal["attached", "unknown", "taken"]

    fact = "hub.claim_answered"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": "claim:msg_1", "code": "1042", "outcome": "attached"}


class FriendJoined(HubFact):
    """Somebody whom a member brought is a member too. member: who brought them; friend_id: who was brought."""

    friend_id: Short

    fact = "hub.friend_joined"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": f"friend:{_FRIEND}", "friend_id": _FRIEND}


class FriendBought(HubFact):
    """Somebody whom a member brought bought for the first time; told once of each. amount: what earns of it."""

    friend_id: Short
    amount: Money
    currency: Currency

    fact = "hub.friend_bought"
    told_once = True
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": f"friend_bought:{_FRIEND}",
        "friend_id": _FRIEND,
        "amount": "60.00",
        "currency": "USD",
    }


class Birthday(HubFact):
    """It is a member's birthday; February 29 is kept on the 28th in common years."""

    on: date

    fact = "birthday"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": f"bday:{_MEMBER}:2026", "on": "2026-02-06"}


class Anniversary(HubFact):
    """It is years since a member joined. years: how many."""

    on: date
    years: int = Field(ge=1)

    fact = "anniversary"
    sample = {"occurred_at": _AT, "member_id": _MEMBER, "key": f"anniversary:{_MEMBER}:2", "on": "2026-02-06", "years": 2}


class Lapsed(HubFact):
    """A member has not been active for the time that the recipe names. last_activity_on: the last time they were."""

    last_activity_on: date

    fact = "lapsed"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": f"lapsed:{_MEMBER}:2025-11-08T10:00:00.000000Z:90 days",
        "last_activity_on": "2025-11-08",
    }


class PointsExpiring(HubFact):
    """Points of a member will expire. points: those still left. last_good_day: the last on which they can be spent."""

    points: Points
    expires_at: Moment
    last_good_day: date

    fact = "points_expiring"
    sample = {
        "occurred_at": _AT,
        "member_id": _MEMBER,
        "key": f"expiring:{_MEMBER}:2026-02-21T06:00:00.000000Z:14 days",
        "points": 80,
        "expires_at": "2026-02-21T06:00:00Z",
        "last_good_day": "2026-02-20",
    }


HUB_FACTS: tuple[type[HubFact], ...] = (
    MemberJoined,
    PointsAwarded,
    PointsPending,
    PointsRedeemed,
    RewardRedeemed,
    PointsAdjusted,
    PointsClawedBack,
    PointsExpired,
    TierChanged,
    TagAdded,
    TagRemoved,
    ClaimAnswered,
    FriendJoined,
    FriendBought,
)
"""What the programme tells as `hub.*`; the facts of watches come with the watches."""
