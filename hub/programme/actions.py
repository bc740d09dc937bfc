"""Actions: what recipes can do to points and members by themselves; each acts at once, on the unit of work.

A refusal of the business kind is a result that recipes can read (`outcome`), never an error.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.errors import Parked
from hub.errors import Short as NotEnough
from hub.ledger import Posting
from hub.programme.afterwards import release, take_back
from hub.programme.awarding import award
from hub.programme.facts import PointsAdjusted, PointsRedeemed, RewardRedeemed, TagAdded, TagRemoved
from hub.programme.referring import referral_code
from hub.programme.settings import Reward
from hub.programme.terms import USUAL, ExactPoints, Usual
from hub.programme.watches import anniversary, birthday, lapsed, next_look, points_expiring
from hub.programme.work import Work
from hub.sdk.connector import Connector
from hub.sdk.fact import Short, Text
from hub.sdk.values import Duration, Points


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Redeemed(_Result):
    """What a redemption came to.

    outcome: `done`; `short` (too few points, `missing` says how many); `unknown_reward`; `nothing` (no points were asked for);
    `no_member`. points: as spent.
    """

    outcome: Literal["done", "short", "unknown_reward", "nothing", "no_member"]
    points: Points = 0
    balance: Points = 0
    missing: Points = 0
    reward: Short | None = None
    title: Short | None = None
    transaction_id: Short | None = None


class Adjusted(_Result):
    """What an adjustment came to; points: as moved, with their sign."""

    outcome: Literal["done", "short", "nothing", "no_member"]
    points: Points = 0
    balance: Points = 0
    missing: Points = 0
    transaction_id: Short | None = None


class Marked(_Result):
    """Whether a tag or attribute was changed; `unchanged` when it was so already."""

    outcome: Literal["done", "unchanged", "no_member"]


def redeem(work: Work, *, reward: Short | None = None, points: ExactPoints | None = None, reason: Text = "") -> Redeemed:
    """Spend the member's points on a reward, or a number of points.

    reward: its id or title; it costs what the programme says. points: how many, where it is not about a reward.
    """
    if work.member_id is None:
        return Redeemed(outcome="no_member")
    balance = work.book.balance(work.member_id).spendable
    chosen: Reward | None = None
    if reward is not None:
        chosen = work.programme.reward_for(reward)
        if chosen is None:
            return Redeemed(outcome="unknown_reward", balance=balance, reward=reward)
    cost = chosen.cost if chosen else _whole(work, points)
    named = {"reward": chosen.id, "title": chosen.title} if chosen else {}
    if cost <= 0:
        return Redeemed(outcome="nothing", balance=balance)
    context = {"reward": chosen.id} if chosen else None
    try:
        posting = work.book.redeem(work.member_id, cost, key=work.key, source=work.source(reason, context))
    except NotEnough:
        return Redeemed(outcome="short", balance=balance, missing=cost - balance, **named)
    balance = work.book.balance(work.member_id).spendable
    _tell_redeemed(work, posting, chosen, balance, reason)
    return Redeemed(outcome="done", points=cost, balance=balance, transaction_id=posting.txn_id, **named)


_TOLD = (":redeemed", ":reward")


def redeemed_under(told: str) -> str:
    """The ledger's key of a redemption. told: the key of a fact that tells of it."""
    return next((told.removesuffix(end) for end in _TOLD if told.endswith(end)), told)


def _tell_redeemed(work: Work, posting: Posting, reward: Reward | None, balance: int, reason: str) -> None:
    if posting.repeated or work.member_id is None:
        return
    told = {"member_id": work.member_id, "occurred_at": work.now, "points": posting.points, "balance": balance}
    work.emit(PointsRedeemed.model_validate({**told, "key": f"{work.key}{_TOLD[0]}", "reason": reason}))
    if reward is not None:
        fields = {**told, "key": f"{work.key}{_TOLD[1]}", "reward": reward.id, "title": reward.title}
        work.emit(RewardRedeemed.model_validate(fields))


def adjust(work: Work, *, points: ExactPoints, reason: Text = "", expires: Duration | None = USUAL) -> Adjusted:
    """Add points to the member, or take some away, outside of what they earn and spend.

    points: with their sign. expires: how long added points are good, none for ever. Tiers do not count them.
    """
    if work.member_id is None:
        return Adjusted(outcome="no_member")
    moved = _whole(work, points)
    balance = work.book.balance(work.member_id).spendable
    if moved == 0:
        return Adjusted(outcome="nothing", balance=balance)
    expiry = work.programme.expiry if isinstance(expires, Usual) else expires
    expires_at = work.programme.expires_at(work.event.occurred_at, expiry) if moved > 0 else None
    try:
        posting = work.book.adjust(work.member_id, moved, key=work.key, source=work.source(reason), expires_at=expires_at)
    except NotEnough:
        return Adjusted(outcome="short", balance=balance, missing=-moved - balance)
    balance = work.book.balance(work.member_id).spendable
    if not posting.repeated:
        work.emit(
            PointsAdjusted(
                member_id=work.member_id,
                key=f"{work.key}:adjusted",
                occurred_at=work.now,
                points=moved,
                balance=balance,
                reason=reason,
            )
        )
    return Adjusted(outcome="done", points=moved, balance=balance, transaction_id=posting.txn_id)


def tag(work: Work, *, name: Short) -> Marked:
    """Put a tag on the member."""
    if work.member_id is None:
        return Marked(outcome="no_member")
    if not work.roll.tag(work.member_id, name, cause=work.cause()):
        return Marked(outcome="unchanged")
    work.emit(TagAdded(member_id=work.member_id, key=f"{work.key}:tag", occurred_at=work.now, tag=name))
    return Marked(outcome="done")


def untag(work: Work, *, name: Short) -> Marked:
    """Take a tag off the member."""
    if work.member_id is None:
        return Marked(outcome="no_member")
    if not work.roll.untag(work.member_id, name, cause=work.cause()):
        return Marked(outcome="unchanged")
    work.emit(TagRemoved(member_id=work.member_id, key=f"{work.key}:tag", occurred_at=work.now, tag=name))
    return Marked(outcome="done")


def set_attribute(work: Work, *, name: Short, value: Text | None = None) -> Marked:
    """Keep a text about the member under a name (`member.attributes`); without a value, take it away."""
    if work.member_id is None:
        return Marked(outcome="no_member")
    changed = work.roll.set_attribute(work.member_id, name, value, cause=work.cause())
    return Marked(outcome="done" if changed else "unchanged")


def _whole(work: Work, points: ExactPoints | None) -> int:
    if points is None:
        return 0
    try:
        return work.programme.round(points)
    except ValueError as error:
        raise Parked(f"{work.recipe or 'This step'} cannot be posted: {error}.") from error


connector = Connector("hub", title="Programme")
for _action in (award, release, take_back, redeem, adjust, tag, untag, set_attribute, referral_code):
    connector.action(repeat="safe")(_action)
for _watch in (birthday, anniversary, lapsed, points_expiring):
    connector.watch(_watch)
    connector.next_due(_watch)(next_look)
