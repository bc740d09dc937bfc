"""Payloads: what Square and Twilio would say about the shop's happenings and people.

They are laid over the sample of the connector's own trigger, so a field of the sample that would be somebody else's is taken
out by None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.demo import shop
from hub.demo.shop import Happening

SHOP_PHONE = "+13125559000"
ACCOUNT = "AC00000000000000000000000000diesel"
MERCHANT = "M-DEMO-DIESEL"
LOCATION = "L-DEMO-SHOP"
_ZONE = ZoneInfo(shop.ZONE)
_FACTS = {"payment": "sale", "refund": "refund", "customer": "customer_changed"}
_OPENS, _PAID, _REFUNDED = time(9), time(10), time(14)

# fmt: off
_FIRST_NAMES = (
    "Ada", "Ben", "Carla", "Dev", "Elena", "Finn", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Liam", "Mina", "Noah", "Olga",
    "Paul", "Quinn", "Rosa", "Sam", "Tara", "Uma", "Vera", "Will", "Xena", "Yusuf", "Zoe", "Amir", "Bella", "Cole", "Dana",
    "Emil", "Fay", "Gus", "Hana", "Ivan", "Jade", "Karl", "Lena", "Max", "Nora", "Omar", "Pia", "Ravi", "Sara", "Theo",
    "Ursula", "Victor", "Wanda",
)
_LAST_NAMES = (
    "Adams", "Baker", "Cole", "Diaz", "Evans", "Foster", "Gray", "Hayes", "Ito", "Jones", "Kelly", "Lopez", "Meyer", "Nash",
    "Ortiz", "Park", "Quist", "Reed", "Stone", "Tran", "Ueda", "Vance", "Ward", "Xu", "Young", "Zimmer", "Abbot", "Brandt",
    "Cruz", "Dunn", "Ellis", "Frost", "Green", "Hahn", "Irwin", "Jung", "Klein", "Lang", "Moore", "Novak", "Olsen", "Price",
    "Ruiz", "Scott", "Turner", "Unger", "Vogel", "Wolf", "York", "Zane",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Told:
    """What a platform posts. fact: what it tells of; the sample of the connector's trigger for it lies under `values`."""

    connection: str
    fact: str
    values: Mapping[str, Any]


def tell(happening: Happening) -> Told:
    """The happening in the words of its platform."""
    return _TELLERS[happening.kind](happening)


def customer_id(customer: int) -> str:
    """The customer's id at the till, as in the file: 7 is `c0007`."""
    return f"c{customer:04}"


def order_id(order: int) -> str:
    """The order's id as in the file: 12 is `o000012`."""
    return f"o{order:06}"


def phone(customer: int) -> str:
    """The customer's number, from the range that is kept for stories."""
    return f"+1312555{customer:04}"


def square_customer(customer: int, first_day: date) -> dict[str, Any]:
    """A Customer object; who left no record has nothing but an id."""
    at = _utc(first_day, _OPENS)
    born = shop.birthday(customer)
    whole: dict[str, Any] = {
        "id": customer_id(customer),
        "given_name": _FIRST_NAMES[customer % len(_FIRST_NAMES)],
        "family_name": _LAST_NAMES[customer // len(_FIRST_NAMES)],
        "email_address": f"{customer_id(customer)}@example.com",
        "phone_number": phone(customer) if shop.has_phone(customer) else None,
        "birthday": born.isoformat() if born else None,
        "creation_source": "INSTANT_PROFILE",
        "version": 0,
        "created_at": at,
        "updated_at": at,
    }
    return whole if shop.has_record(customer) else {key: whole[key] for key in ("id", "created_at", "updated_at")}


def square_order(order: int, customer: int, quantity: int, cents: int) -> dict[str, Any]:
    """An Order object with one line."""
    money = _money(cents)
    line = {"uid": "1", "name": "Repair", "quantity": str(quantity), "item_type": "ITEM", "total_money": money}
    return {
        "id": order_id(order),
        "location_id": LOCATION,
        "customer_id": customer_id(customer),
        "state": "COMPLETED",
        "line_items": [{**line, "gross_sales_money": money, "total_discount_money": _money(0), "total_tax_money": _money(0)}],
        "total_money": money,
    }


def _customer_created(happening: Happening) -> Told:
    at = _utc(happening.happened, _OPENS)
    return _square("customer.created", "customer", square_customer(happening.customer, happening.happened), at, mark="record")


def _payment(happening: Happening, status: str, kind: str) -> Told:
    made = _utc(happening.happened, _PAID, happening.order)
    # What a platform says later about the same payment is newer.
    changed = _utc(happening.happened, _PAID, happening.order, minutes=1 + 24 * 60 * (happening.again == 2))
    payment_id = "p" + order_id(happening.order)
    body: dict[str, Any] = {
        "id": payment_id,
        "created_at": made,
        "updated_at": made if kind == "payment.created" else changed,
        "status": status,
        "amount_money": _money(happening.cents),
        "total_money": _money(happening.cents),
        "approved_money": _money(happening.cents),
        "tip_money": None,
        "app_fee_money": None,
        "processing_fee": None,
        "refunded_money": None,
        "refund_ids": None,
        "buyer_email_address": None,
        "location_id": LOCATION,
        "order_id": order_id(happening.order),
        "customer_id": customer_id(happening.customer) if happening.named else None,
        "receipt_number": order_id(happening.order),
    }
    return _square(kind, "payment", body, body["updated_at"], mark=f"{status}:{happening.again}")


def _payment_completed(happening: Happening) -> Told:
    return _payment(happening, "COMPLETED", "payment.updated" if happening.again else "payment.created")


def _payment_approved(happening: Happening) -> Told:
    return _payment(happening, "APPROVED", "payment.created")


def _refund(happening: Happening, status: str, kind: str) -> Told:
    at = _utc(happening.happened, _REFUNDED, happening.order)
    payment_id = "p" + order_id(happening.order)
    refund_id = f"{payment_id}_R{happening.again + 1}"
    body = {
        "id": refund_id,
        "status": status,
        "payment_id": payment_id,
        "order_id": f"r{happening.again + 1}{order_id(happening.order)}",
        "location_id": LOCATION,
        "amount_money": _money(happening.cents),
        "app_fee_money": None,
        "processing_fee": None,
        "reason": "Returned",
        "created_at": at,
        "updated_at": at,
    }
    return _square(kind, "refund", body, at, mark=status)


def _refund_completed(happening: Happening) -> Told:
    return _refund(happening, "COMPLETED", "refund.updated")


def _refund_pending(happening: Happening) -> Told:
    return _refund(happening, "PENDING", "refund.created")


def _text(happening: Happening) -> Told:
    number = f"{happening.rank}{happening.customer:04}{happening.order:06}"
    sid = f"SM{number:0>32}"
    values = {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": ACCOUNT,
        "MessagingServiceSid": None,
        "From": phone(happening.customer),
        "To": SHOP_PHONE,
        "Body": happening.words,
        "OptOutType": None,
        "FromCountry": "US",
        "ToCountry": "US",
    }
    return Told("twilio", "message_received", values)


def _square(kind: str, thing: str, body: Mapping[str, Any], at: str, *, mark: str) -> Told:
    values = {
        "merchant_id": MERCHANT,
        "location_id": LOCATION,
        "type": kind,
        "event_id": f"{kind}:{body['id']}:{mark}",
        "created_at": at,
        "data": {"type": thing, "id": body["id"], "object": {thing: body}},
    }
    return Told("square", _FACTS[thing], values)


def _money(cents: int) -> dict[str, Any]:
    return {"amount": cents, "currency": "USD"}


def _utc(day: date, hour: time, seconds: int = 0, *, minutes: int = 0) -> str:
    moment = datetime.combine(day, hour, _ZONE).astimezone(UTC) + timedelta(seconds=seconds, minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_TELLERS: dict[str, Callable[[Happening], Told]] = {
    "customer": _customer_created,
    "approved": _payment_approved,
    "payment": _payment_completed,
    "refund_pending": _refund_pending,
    "refund": _refund_completed,
    "text": _text,
}
