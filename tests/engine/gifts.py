"""Gifts: providers of rewards: one whose orders have the key of whoever made them, and one that has only ids of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel

from hub.programme.actions import connector as built_in
from hub.sdk import CallKey, Client, Connector, Currency, Money, Payload, RewardOrder, UtcMoment
from hub.sdk.declare import body, envelope, secrets, signature, spends
from tests.engine.platforms import KEY, Answered, Asked, Platform, letters, till
from tests.engine.world import JOINED, World, recipe

GIVING = f"""\
public_url: https://points.example.com
connections:
  till: {{key: {KEY}}}
  letters: {{key: {KEY}}}
  gifts: {{key: {KEY}}}
  vouchers: {{key: {KEY}}}
"""
SHARED = GIVING.replace(f"gifts: {{key: {KEY}}}", f"gifts: {{key: {KEY}, shared: true}}")
WORTH = {"wipers": 20, "oil-change": 40}
CARDS = recipe(
    "cards",
    'when: message_received\nif: event.command == "redeem"\ndo:\n'
    '  - redeem: {reward: "{{ event.argument }}"}\n    as: got\n'
    '  - gifts.send_card: {to: "{{ event.address }}", amount: 40 if got.points > 100 else 20, currency: EUR}\n'
    '    if: got.outcome == "done"\n    on_failure: continue\n',
)
BONUS = recipe(
    "bonus", "when: sale\nif: event.amount == 7\ndo:\n  - vouchers.send_voucher: {amount: event.amount, currency: USD}\n"
)


def _made(name: str) -> Connector:
    return Connector(
        name,
        title=name.capitalize(),
        settings=secrets("key"),
        api=f"https://{name}.example.com",
        signature=signature.hmac("X-Signature", "key"),
        envelope=envelope(kind=body("type"), id=body("id"), data=body("data")),
        idempotency=body("key"),
    )


gifts, vouchers = _made("gifts"), _made("vouchers")


class Sold(BaseModel):
    order_id: str


class Row(Payload):
    """An order as these platforms list it."""

    id: str
    key: str = ""
    state: Any
    at: UtcMoment
    amount: Money | None = None
    currency: Currency | None = None
    total: Money | None = None
    fees: Money | None = None
    refunded: Money = Decimal(0)

    def told(self) -> RewardOrder:
        return RewardOrder(
            order_id=self.id,
            call_key=self.key if self.key.startswith("call_") else "",
            state=self.state,
            ordered_at=self.at,
            amount=self.amount,
            currency=self.currency,
            total=self.total,
            fees=self.fees,
            refunded=self.refunded,
            paid_in="USD" if self.total is not None else None,
        )


@gifts.trigger("order", key=("order_id", "state", "refunded"))
def ordered(row: Row) -> RewardOrder:
    """An order was made, or is another."""
    return row.told()


@gifts.pull(ordered, every="30 days")
def orders(client: Client, since: datetime) -> Iterator[Any]:
    """Orders that were made since then."""
    yield from client.get("/orders", query={"since": since.isoformat()})["orders"]


@gifts.action(repeat="keyed", channel="email or sms", spends=spends("amount", "currency"))
def send_card(
    client: Client,
    key: CallKey,
    *,
    to: Annotated[str, "whom"],
    amount: Annotated[Money, "how much"],
    currency: Annotated[Currency, "of what"],
) -> Sold:
    """Send a gift card."""
    asked = {"key": key, "to": to, "amount": f"{amount:f}", "currency": currency}
    return Sold(order_id=client.post("/orders", json=asked)["id"])


@vouchers.trigger("order", key=("order_id", "state"))
def voucher_ordered(row: Row) -> RewardOrder:
    """An order was made, or is another."""
    return row.told()


@vouchers.pull(voucher_ordered, every="30 days")
def voucher_orders(client: Client, since: datetime) -> Iterator[Any]:
    """Orders that were made since then."""
    yield from client.get("/vouchers", query={"since": since.isoformat()})["orders"]


@vouchers.action(repeat="keyed", spends=spends("amount", "currency", order="order_id"))
def send_voucher(
    client: Client, *, amount: Annotated[Money, "how much"], currency: Annotated[Currency, "of what"] = "USD"
) -> Sold:
    """Send a voucher."""
    return Sold(order_id=client.post("/vouchers", json={"amount": f"{amount:f}", "currency": currency})["id"])


@dataclass
class GiftPlatform(Platform):
    """Also keeps orders. there: by platform and id. comes_to: the state of the next order. now: the time at the platforms."""

    there: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"orders": {}, "vouchers": {}})
    comes_to: str = "sent"
    now: Any = None

    def __post_init__(self) -> None:
        Platform.__init__(self)

    def add(self, name: str, amount: str, currency: str, key: str = "", place: str = "orders", **more: Any) -> dict[str, Any]:
        """An order, whoever made it."""
        row = {"id": name, "key": key, "state": self.comes_to, "at": self.now().isoformat(), "amount": amount}
        self.there[place][name] = {**row, "currency": currency, **more}
        return self.there[place][name]

    def _usual(self, asked: Asked) -> Answered:
        url = urlsplit(asked.path)
        place = url.path.lstrip("/")
        if place not in self.there:
            return super()._usual(asked)
        known = self.there[place]
        if asked.method == "GET":
            since = parse_qs(url.query)["since"][0]
            listed = [row for row in known.values() if datetime.fromisoformat(row["at"]) >= datetime.fromisoformat(since)]
            shown = [row if place == "orders" else {**row, "key": ""} for row in listed]
            return Answered(body={"orders": shown})
        again = next((row for row in known.values() if row["key"] == asked.body["key"]), None)
        return Answered(201, again or self._buy(place, asked))

    def _buy(self, place: str, asked: Asked) -> Mapping[str, Any]:
        amount = Decimal(asked.body["amount"])
        paid = {"total": f"{amount * 11 / 10 + Decimal('0.50'):.2f}", "fees": "0.50"}
        name = f"{place[0]}{len(self.there[place]) + 1}"
        return self.add(name, asked.body["amount"], asked.body["currency"], asked.body["key"], place, **paid)


class GiftWorld(World):
    """A world with providers of rewards, and one member with points."""

    connectors = (built_in, till, letters, gifts, vouchers)
    platform: GiftPlatform

    def make_platform(self) -> Platform:
        return GiftPlatform(now=self.clock.now)

    def join(self, points: int = 1000, phone: str = JOINED) -> None:
        """Somebody with points, who can be reached."""
        self.pay(f"join{self.number()}", points, {"id": phone, "phone": phone})
        self.work()

    def redeem(self, reward: str = "wipers", phone: str = JOINED) -> None:
        self.write_sms(f"REDEEM {reward}", phone)
        self.work()

    def check(self, **said: Any) -> None:
        """Match now; the orders of just now are looked at when they are some minutes old."""
        self.sleep(minutes=15)
        self.do("check_spend", **said)
        self.work()

    def order(self, place: str = "orders") -> dict[str, Any]:
        """The order that was made last."""
        return list(self.platform.there[place].values())[-1]

    def differences(self, *, settled: bool = False) -> list[dict[str, Any]]:
        which = "NOT NULL" if settled else "NULL"
        return self.rows(f"SELECT * FROM spend_difference WHERE settled_at IS {which} ORDER BY id")

    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.differences()]
