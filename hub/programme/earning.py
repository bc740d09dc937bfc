"""Earning: how many points an award is, as a sum that needs nothing but its terms.

Rates times what earns; multipliers pooled; fixed bonuses, which nothing multiplies; one rounding; the cap. Exact throughout.

Awards of one event in one group share one sum. Each posts what the group's sum has grown by since the one before, so the
group as a whole earns what it would in one posting, in whatever order its recipes run; multipliers and caps are those of the
whole group, and of several caps and ways of stacking the strictest holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from hub.programme.settings import Programme

Stacking = Literal["additive", "max", "multiplicative"]
_STRICTEST: tuple[Stacking, ...] = ("max", "additive", "multiplicative")


class Terms(NamedTuple):
    """What one award brings. base: what is multiplied (a rate times what earns, or points in their finished form).

    multiply: 1 for none. bonus: whole points. cap: the most that the event may earn, None for no cap of its own.
    """

    base: Fraction
    multiply: Fraction = Fraction(1)
    bonus: int = 0
    cap: int | None = None
    stacking: Stacking = "additive"

    def to_json(self) -> list[Any]:
        """As kept in a table: fractions as text."""
        return [str(self.base), str(self.multiply), self.bonus, self.cap, self.stacking]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Terms:
        """As `to_json` gave it."""
        return cls(Fraction(kept[0]), Fraction(kept[1]), kept[2], kept[3], kept[4])


class Sum(NamedTuple):
    """What terms come to. exact: before rounding. whole: rounded, never below zero. points: after the cap."""

    exact: Fraction | Decimal
    factor: Fraction
    whole: int
    points: int


def add_up(pool: Sequence[Terms], programme: Programme) -> Sum:
    """The points of all terms together. ValueError beyond what an account can hold."""
    factor = multiplier([terms.multiply for terms in pool], min((terms.stacking for terms in pool), key=_STRICTEST.index))
    exact = sum((terms.base for terms in pool), Fraction(0)) * factor + sum(terms.bonus for terms in pool)
    return _capped(exact, factor, pool, programme)


def finished(points: Decimal, cap: int | None, programme: Programme) -> Sum:
    """Points that a recipe worked out by itself: rounded and capped, nothing else."""
    whole = max(0, programme.round(points))
    most = programme.cap_per_event if cap is None else cap
    return Sum(points, Fraction(1), whole, whole if most is None else min(whole, most))


def multiplier(factors: Sequence[Fraction], stacking: Stacking) -> Fraction:
    """Several multipliers as one: additive 1 + sum(m - 1), the greatest, or their product; never below zero."""
    if stacking == "max":
        lively = [factor for factor in factors if factor != 1]
        return max(lively, default=Fraction(1))
    pooled = Fraction(1)
    for factor in factors:
        pooled = pooled * factor if stacking == "multiplicative" else pooled + factor - 1
    return max(Fraction(0), pooled)


def _capped(exact: Fraction, factor: Fraction, pool: Sequence[Terms], programme: Programme) -> Sum:
    whole = max(0, programme.round(exact))
    caps = [terms.cap for terms in pool if terms.cap is not None]
    if not caps and programme.cap_per_event is not None:
        caps = [programme.cap_per_event]
    return Sum(exact, factor, whole, min([whole, *caps]))
