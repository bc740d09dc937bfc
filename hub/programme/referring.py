"""Referring: the codes by which members bring others, and what follows when somebody whom they brought joins and buys.

Somebody is brought once, by one other member, and before they buy: who is a customer already cannot be brought.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.programme.facts import FriendBought, FriendJoined
from hub.programme.roll import Roll
from hub.programme.work import Work
from hub.sdk.fact import Short
from hub.sdk.facts import MessageReceived, Referral, Sale

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without those that are taken for one another
_LENGTH = 6


class Code(BaseModel):
    """The member's own code; the same whenever it is asked for."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "no_member"]
    code: Short = ""


def referral_code(work: Work) -> Code:
    """Give the code by which the member brings others: who joins with it (`JOIN K7QM2X` by SMS, a form, a shop) was brought."""
    if work.member_id is None:
        return Code(outcome="no_member")
    codes = (code for code in _codes(work.member_id) if work.roll.give_identity(work.member_id, f"code:{code}"))
    return Code(outcome="done", code=next(codes))


def take_note(work: Work, member_id: str) -> None:
    """What a fact about this member says of who brought them."""
    fact = work.event.fact
    if isinstance(fact, Referral):
        known = work.roll.find(fact.referrer, work.event.connection) if fact.referrer is not None else None
        _bring(work, member_id, known or _owner(work.roll, fact.code or ""))
    elif isinstance(fact, MessageReceived) and fact.command == "join":
        _bring(work, member_id, _owner(work.roll, fact.argument))
    elif isinstance(fact, Sale):
        _tell_first_purchase(work, member_id, fact)


def _bring(work: Work, member_id: str, referrer_id: str | None) -> None:
    member = work.roll.get(member_id)
    if referrer_id in (None, member_id) or member.referred_by is not None or member.purchases:
        return
    assert referrer_id is not None
    work.roll.change(member_id, "referred_by", referrer_id, cause=work.cause())
    work.emit(
        FriendJoined(member_id=referrer_id, key=f"friend:{member_id}", occurred_at=work.event.occurred_at, friend_id=member_id)
    )


def _tell_first_purchase(work: Work, member_id: str, sale: Sale) -> None:
    member = work.roll.get(member_id)
    if member.referred_by is None or member.purchases != 1 or not sale.amount:
        return
    work.emit(
        FriendBought(
            member_id=member.referred_by,
            key=f"friend_bought:{member_id}",
            occurred_at=work.event.occurred_at,
            friend_id=member_id,
            amount=sale.amount,
            currency=sale.currency,
        )
    )


def _owner(roll: Roll, code: str) -> str | None:
    plain = "".join(code.split()).replace("-", "").upper()
    return roll.owner_of(f"code:{plain}") if plain else None


def _codes(member_id: str) -> Iterator[str]:
    """Codes of this member, the same ones each time: the next is taken where somebody else has the first."""
    number = int.from_bytes(hashlib.sha256(member_id.encode()).digest(), "big")
    while True:
        letters = []
        for _ in range(_LENGTH):
            number, place = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[place])
        yield "".join(letters)
        number = number or int.from_bytes(hashlib.sha256("".join(letters).encode()).digest(), "big")
