"""The shop of the demo: turns the real purchases into what happens at its till and on its phone, day by day.

Pure: the same file gives the same script. The rules are those of `docs/demo.md`; `tests/demo/plain_model.py` follows the same
page on its own, so that neither can be wrong alone.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Literal

FIRST_DAY = date(1997, 1, 1)
LAST_DAY = date(1998, 6, 30)
ZONE = "America/Chicago"
REWARDS = ("wiper-blades", "oil-change", "brake-check")
TWICE_EVERY = 50

Kind = Literal["customer", "approved", "payment", "refund_pending", "refund", "text"]


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the file. nth: it is the customer's nth purchase, counting from 1."""

    order: int
    customer: int
    day: date
    quantity: int
    cents: int
    nth: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that a platform tells the hub. day: when it is told; happened: when it was.

    rank: its place among the day's happenings. again: the how-manyeth telling of the same fact it is, from 0. lost: its webhook
    never arrives; the platform knows of it all the same.
    """

    day: date
    rank: int
    kind: Kind
    customer: int
    happened: date
    order: int = 0
    cents: int = 0
    quantity: int = 0
    named: bool = True
    again: int = 0
    words: str = ""
    lost: bool = False


def read_purchases(text: str | None = None) -> list[Purchase]:
    """The purchases of the file that ships with the hub, or of `text` in the same form."""
    if text is None:
        packed = files("hub.demo").joinpath("cdnow_sample.csv.gz").read_bytes()
        text = gzip.decompress(packed).decode("ascii")
    bought: dict[str, int] = {}
    purchases = []
    for row in csv.DictReader(io.StringIO(text)):
        bought[row["customer"]] = bought.get(row["customer"], 0) + 1
        purchases.append(
            Purchase(
                order=int(row["order_id"][1:]),
                customer=int(row["customer"][1:]),
                day=date.fromisoformat(row["date"]),
                quantity=int(row["quantity"]),
                cents=int(Decimal(row["amount"]).scaleb(2)),
                nth=bought[row["customer"]],
            )
        )
    return purchases


def has_record(customer: int) -> bool:
    """Whether the customer left a name and an e-mail address at the till."""
    return customer % 10 != 0


def has_phone(customer: int) -> bool:
    """Whether the record has a phone number."""
    return has_record(customer) and (customer % 2 == 0 or customer % 8 == 1)


def birthday(customer: int) -> date | None:
    """The birthday on the record, if there is one."""
    if not has_record(customer) or customer % 3:
        return None
    if customer % 111 == 0:
        return date(1960, 2, 29)
    third = customer // 3
    return date(1930 + third % 50, 1 + third % 12, 1 + third % 28)


def joins(customer: int) -> bool:
    """Whether the customer joins by SMS; every even customer with a record has a phone."""
    return has_record(customer) and customer % 2 == 0


def script(purchases: Iterable[Purchase]) -> Iterator[tuple[date, list[Happening]]]:
    """Every day from the first to the last with its happenings in order; every 50th webhook comes twice."""
    by_day: dict[date, list[Happening]] = {}
    for happening in _happenings(list(purchases)):
        if happening.day <= LAST_DAY:
            by_day.setdefault(happening.day, []).append(happening)
    told = 0
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=offset)
        today = []
        for happening in sorted(by_day.get(day, ()), key=_place):
            told += not happening.lost
            today += [happening] * (2 if told % TWICE_EVERY == 0 and not happening.lost else 1)
        yield day, today


def _happenings(purchases: list[Purchase]) -> Iterator[Happening]:
    for purchase in purchases:
        if purchase.nth == 1:
            yield from _person(purchase)
        yield from _payment(purchase)
        yield from _refunds(purchase)
        if joins(purchase.customer):
            yield from _requests(purchase)


def _place(happening: Happening) -> tuple[int, int, int, int]:
    texts = happening.kind == "text"
    number = happening.customer if texts or happening.kind == "customer" else happening.order
    return (_KINDS[happening.kind], number, happening.rank, happening.order)


_KINDS: dict[Kind, int] = {"customer": 0, "approved": 1, "payment": 1, "refund_pending": 2, "refund": 2, "text": 3}


def _later(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _person(first: Purchase) -> Iterator[Happening]:
    customer, day = first.customer, first.day
    if has_record(customer):
        yield Happening(day, 0, "customer", customer, day)
    if not joins(customer):
        return
    said: list[tuple[bool, int, str]] = [
        (True, 1, "JOIN"),
        (customer % 30 == 4, 2, "HELP"),
        (customer % 26 == 6, 30, "STOP"),
        (customer % 52 == 6, 90, "START"),
    ]
    for rank, (does, days, words) in enumerate(said):
        if does:
            yield Happening(_later(day, days), rank, "text", customer, _later(day, days), words=words)


def _payment(purchase: Purchase) -> Iterator[Happening]:
    tell = _telling(purchase)
    order, day = purchase.order, purchase.day
    if order % 25 == 4:
        yield tell(day, 0, "approved")
    if order % 25 == 14:
        yield tell(day, 1, "payment")
    arrives = min(_later(day, 2), LAST_DAY) if order % 100 == 37 else day
    named = order % 60 != 11
    lost = order % 100 == 83 and day < LAST_DAY
    yield replace(tell(arrives, 2, "payment", named=named, again=1), lost=lost)
    if not named and not claims(purchase):
        yield tell(min(_later(day, 1), LAST_DAY), 3, "payment", again=2)


def claims(purchase: Purchase) -> bool:
    """Whether the member texts the order number to get a sale that came without its customer."""
    known = joins(purchase.customer) and purchase.nth > 1
    return purchase.order % 120 == 71 and known and purchase.day < LAST_DAY


def _refunds(purchase: Purchase) -> Iterator[Happening]:
    tell = _telling(purchase)
    order, cents = purchase.order, purchase.cents
    if cents == 0:
        return
    soon = _later(purchase.day, 5 + order % 9)
    if order % 40 == 9:
        yield tell(soon, 0, "refund", cents=cents)
    if order % 40 == 29:
        yield tell(soon, 0, "refund_pending", cents=cents * 40 // 100)
        yield tell(soon, 1, "refund", cents=cents * 40 // 100)
    if order % 80 == 29:
        yield tell(_later(soon, 3), 0, "refund", cents=cents * 25 // 100, again=1)
    if order % 300 == 37:
        yield tell(_later(purchase.day, 1), 0, "refund", cents=cents)


def _requests(purchase: Purchase) -> Iterator[Happening]:
    tell = _telling(purchase)
    order, next_day = purchase.order, _later(purchase.day, 1)
    if purchase.nth % 3 == 0:
        yield tell(next_day, 4, "text", words="BALANCE")
    if purchase.nth % 2 == 0:
        reward = "free-truck" if order % 70 == 6 else REWARDS[order % 3]
        yield tell(next_day, 5, "text", words=f"REDEEM {reward}")
    if order % 60 == 11 and claims(purchase):
        yield tell(next_day, 6, "text", words=f"CLAIM o{order:06}")


def _telling(purchase: Purchase) -> Callable[..., Happening]:
    def tell(
        day: date, rank: int, kind: Kind, *, cents: int | None = None, named: bool = True, again: int = 0, words: str = ""
    ) -> Happening:
        happened = purchase.day if kind in ("payment", "approved") else day
        money = purchase.cents if cents is None else cents
        return Happening(
            day, rank, kind, purchase.customer, happened, purchase.order, money, purchase.quantity, named, again, words
        )

    return tell
