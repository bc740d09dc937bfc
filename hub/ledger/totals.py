"""Totals: the programme's points in one view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ledger import accounts
from hub.ledger.sql import SQL
from hub.store import Session


@dataclass(frozen=True, slots=True)
class Totals:
    """Points; issued + adjusted + written_off = redeemed + expired + clawed_back + outstanding.

    issued: by awards. adjusted: given by hand, less what was taken. written_off: clawed back from the programme itself, because
    the member had no points left. outstanding: available + pending + held - debt of all members.
    by_recipe: issued, by recipe, so far as a recipe did it.
    """

    issued: int
    redeemed: int
    expired: int
    clawed_back: int
    adjusted: int
    written_off: int
    outstanding: int
    by_recipe: Mapping[str, int]


def totals(session: Session) -> Totals:
    """The sums over all entries."""
    sums: dict[str, int] = {row["account"]: int(row["amount"]) for row in session.rows(SQL.totals)}
    return Totals(
        issued=-sum(amount for account, amount in sums.items() if accounts.pays_awards(account)),
        redeemed=sums.get(accounts.REDEEMED, 0),
        expired=sums.get(accounts.EXPIRED, 0),
        clawed_back=sums.get(accounts.CLAWED_BACK, 0),
        adjusted=-sums.get(accounts.ADJUSTED, 0),
        written_off=-sums.get(accounts.WRITTEN_OFF, 0),
        outstanding=sum(sums.get(account, 0) for account in accounts.OF_MEMBERS),
        by_recipe={row["recipe"]: int(row["points"]) for row in session.rows(SQL.issued_by_recipe)},
    )
