"""A small programme to check recipes against: three facts, a timer, four actions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel
from pydantic import Field as PydanticField

from hub.recipes import ActionType, Input, Missing, Names, Type, WhenType, record_of, type_of
from hub.recipes.types import check_of
from hub.sdk.facts import Booking, Review, RowChanged, Sale
from hub.sdk.values import Duration, Moment, Points, PointsMark

Unrounded = Annotated[Decimal, PointsMark()]


class Member(BaseModel):
    id: str
    first_name: str | None = None
    phone: str | None = None
    tier: Literal["Bronze", "Silver", "Gold"] = "Bronze"
    tags: frozenset[str] = frozenset()
    balance: Points = 0
    attributes: dict[str, str] = {}
    last_activity_at: Moment | None = None


class Programme(BaseModel):
    name: str
    currency: str


class Awarded(BaseModel):
    outcome: Literal["done", "capped"]
    points: Points
    balance: Points


class Sent(BaseModel):
    message_id: str


def inputs(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Input]:
    return {
        **{name: Input(name, type_of(kind), required=True, doc=f"The {name}.") for name, kind in required.items()},
        **{name: Input(name, type_of(kind)) for name, kind in optional.items()},
    }


class Shop:
    """A vocabulary as the engine's catalogue would give it."""

    member = record_of(Member)
    programme = record_of(Programme)
    currency = "USD"
    zone: tzinfo = ZoneInfo("America/Chicago")

    def __init__(self) -> None:
        lapsed = {
            "after": Input("after", type_of(Duration), required=True, doc="How long without a visit."),
            "again": Input("again", type_of(bool), default=False),
            "hour": Input("hour", type_of(int), default=9, check=check_of(int, [PydanticField(ge=0, le=23)])),
        }
        self.whens = {
            "sale": WhenType("sale", record_of(Sale), "Somebody bought something.", sample=Sale.sample),
            "review": WhenType("review", record_of(Review), sample=Review.sample),
            "booking": WhenType("booking", record_of(Booking), sample=Booking.sample),
            "square.payment_completed": WhenType("square.payment_completed", record_of(Sale), sample=Sale.sample),
            "lapsed": WhenType("lapsed", Type("record", fields={}, name="Lapsed"), settings=lapsed),
        }
        award = inputs({"points": Unrounded}, {"expires": Duration, "reason": str, "rounding": Literal["floor", "ceil"]})
        self.actions = {
            "award": ActionType("award", award, "Give points.", gives=record_of(Awarded), builtin=True),
            "redeem": ActionType("redeem", inputs({"points": Points}, {}), builtin=True),
            "tag": ActionType("tag", inputs({"tags": list[str]}, {"notes": dict[str, str], "when": Moment}), builtin=True),
            "post": ActionType("post", inputs({}, {"data": Any, "urgent": bool}), builtin=True),
            "twilio.send_sms": ActionType(
                "twilio.send_sms", inputs({"to": str, "body": str}, {}), "Send an SMS.", gives=record_of(Sent), channel="sms"
            ),
        }

    def when(self, name: str) -> WhenType | Missing:
        return self.whens.get(name) or Missing(f"there is no trigger or fact `{name}`")

    def action(self, name: str) -> ActionType | Missing:
        if name == "hubspot.update_contact":
            return Missing("no connection to hubspot is set up", "add one under `connections:` in hub.yaml")
        return self.actions.get(name) or Missing(f"there is no action `{name}`")

    def when_names(self) -> Iterable[str]:
        return self.whens

    def action_names(self) -> Iterable[str]:
        return self.actions


@pytest.fixture(scope="session")
def shop() -> Shop:
    """The vocabulary; nothing changes it."""
    return Shop()


@pytest.fixture(scope="session")
def names(shop: Shop) -> Names:
    """What a condition on a sale may name, after a step called `earned`."""
    types = {
        "event": record_of(Sale),
        "member": shop.member,
        "programme": shop.programme,
        "now": type_of(Moment),
        "today": type_of(date),
        "earned": record_of(Awarded),
        "row": record_of(RowChanged),
        "loose": type_of(Any),
    }
    return Names(types, shop.currency, shop.zone, {"coupon": "a later step gives that name"})


@pytest.fixture(scope="session")
def scope() -> dict[str, Any]:
    """A sale of 120.00 on the evening of 2026-02-06 in Chicago; models and plain dicts mixed, as the engine hands them."""
    lines = [{"net": "100.50", "category": "oil", "quantity": "2"}, {"net": "19.50", "category": "tea", "sku": "T1"}]
    return {
        "event": Sale.model_validate({**Sale.sample, "occurred_at": "2026-02-07T03:27:34Z", "lines": lines}),
        "member": {"id": "mem_1", "first_name": "Ada", "tier": "Gold", "tags": frozenset(["vip"]), "balance": 42},
        "programme": {"name": "Rewards", "currency": "USD"},
        "now": datetime(2026, 2, 7, 4, tzinfo=UTC),
        "today": date(2026, 2, 6),
        "earned": {"points": 7, "outcome": "done"},
        "row": {"fields": {"Points": "50", "Day": "2026-01-31"}},
        "loose": {"deep": [1, {"x": "y"}]},
    }
