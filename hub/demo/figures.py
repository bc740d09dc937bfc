"""Figures: what the demo has come to so far, read from the hub's own books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.ledger import Totals, totals
from hub.store import Session, load

queries = load("hub.demo")


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of what has been worked. events: facts of every kind, the hub's own included. tiers: members by tier."""

    events: int
    purchases: int
    refunds: int
    texts: int
    members: int
    points: Totals
    tiers: Mapping[str, int]

    def as_json(self, *, verified: bool) -> dict[str, Any]:
        """The object that `hub demo --json` prints."""
        points = self.points
        return {
            "purchases": self.purchases,
            "refunds": self.refunds,
            "members": self.members,
            "points": {
                "issued": points.issued,
                "redeemed": points.redeemed,
                "expired": points.expired,
                "clawed_back": points.clawed_back,
                "outstanding": points.outstanding,
                "by_recipe": dict(points.by_recipe),
            },
            "tiers": dict(self.tiers),
            "verified": verified,
        }


def read(session: Session, tier_names: list[str]) -> Figures:
    """The figures as of now. tier_names: lowest first; a tier without members stands there with 0."""
    facts: dict[str, int] = {row["fact"]: int(row["number"]) for row in session.rows(queries.worked_facts)}
    tiers = {row["tier"]: int(row["number"]) for row in session.rows(queries.members_by_tier)}
    return Figures(
        events=sum(facts.values()),
        purchases=facts.get("sale", 0),
        refunds=facts.get("refund", 0),
        texts=facts.get("message_received", 0),
        members=sum(tiers.values()),
        points=totals(session),
        tiers={name: tiers.get(name, 0) for name in tier_names},
    )
