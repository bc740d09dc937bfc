"""Platforms: a till and a messenger of nobody's, made with the kit, and what plays their side without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any, Literal

import requests
from pydantic import BaseModel
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from hub.sdk import (
    Booking,
    CallFailed,
    CallKey,
    Client,
    Connection,
    ConnectionRevoked,
    Connector,
    Customer,
    CustomerChanged,
    InvoiceIssued,
    Item,
    JobCompleted,
    Line,
    LoyaltyActivity,
    MessageDelivered,
    MessageReceived,
    Money,
    Payload,
    Reference,
    Referral,
    Refund,
    Review,
    Sale,
)
from hub.sdk.declare import body, envelope, header, secret, secrets, setting, signature

KEY = "till-key-7Qd2"


def _signed(prefix: str) -> Any:
    return {
        "signature": signature.hmac(f"X-{prefix}-Signature", "key"),
        "envelope": envelope(kind=body("type"), id=body("id"), account=body("account"), data=body("data")),
    }


till = Connector(
    "till",
    title="Till",
    settings=secrets("key") + setting("account_id", "whose till", default=None),
    api="https://till.example.com",
    **_signed("Till"),
)


class Buyer(Payload):
    id: str | None = None
    email: str | None = None
    phone: str | None = None
    birthday: date | None = None
    sms: bool | None = None

    def known(self) -> Customer:
        consents = {} if self.sms is None else {"sms": self.sms}
        return Customer(id=self.id, email=self.email, phone=self.phone, birthday=self.birthday, consents=consents)


class Payment(Payload):
    id: str
    amount: Money
    tax: Money | None = None
    currency: str = "USD"
    at: datetime
    order: str | None = None
    order_of: str | None = None
    invoice: str | None = None
    buyer: Buyer | None = None
    lines: tuple[Line, ...] = ()


class Work(Payload):
    id: str
    amount: Money
    currency: str = "USD"
    at: datetime
    job: str | None = None
    buyer: Buyer


class Return(Payload):
    id: str
    amount: Money
    currency: str = "USD"
    at: datetime
    payment: str | None = None
    order: str | None = None
    buyer: Buyer | None = None
    lines: tuple[Line, ...] = ()
    whole: bool = False


class Person(Payload):
    version: str
    at: datetime
    buyer: Buyer
    tags: tuple[str, ...] = ()


class Visit(Payload):
    id: str
    kind: Literal["earned", "other"] = "other"
    ours: bool = False
    at: datetime
    order: str | None = None
    buyer: Buyer | None = None


class Appointment(Payload):
    id: str
    at: datetime
    buyer: Buyer | None = None
    status: Literal["booked", "no_show", "cancelled", "completed"]
    recurring: bool = False
    product: str | None = None


class Brought(Payload):
    id: str
    at: datetime
    buyer: Buyer
    by: Buyer | None = None
    code: str | None = None


class Changed(CustomerChanged):
    version: str


def _about(**things: str | None) -> tuple[Reference, ...]:
    return tuple(Reference(kind=kind, id=name) for kind, name in things.items() if name)


@till.trigger("payment", key="payment_id")
def payment(told: Payment) -> Sale:
    """Somebody paid."""
    return Sale(
        occurred_at=told.at,
        customer=told.buyer.known() if told.buyer else None,
        amount=told.amount,
        tax=told.tax,
        currency=told.currency,
        payment_id=told.id,
        order_id=told.order,
        lines=told.lines,
        references=_about(payment=told.id, order=None if told.order_of else told.order, invoice=told.invoice)
        + ((Reference(connection=told.order_of, kind="order", id=told.order),) if told.order_of and told.order else ()),
    )


@till.trigger("job", key="job_id")
def job_done(told: Work) -> JobCompleted:
    """A repair was finished."""
    return JobCompleted(
        occurred_at=told.at,
        customer=told.buyer.known(),
        job_id=told.id,
        amount=told.amount,
        currency=told.currency,
        references=_about(job=told.id),
    )


@till.trigger("invoice", key="invoice_id")
def invoiced(told: Work) -> InvoiceIssued:
    """It was invoiced."""
    return InvoiceIssued(
        occurred_at=told.at,
        customer=told.buyer.known(),
        invoice_id=told.id,
        amount=told.amount,
        currency=told.currency,
        references=_about(invoice=told.id, job=told.job),
    )


@till.trigger("refund", key="refund_id")
def refund(told: Return) -> Refund:
    """Money was given back."""
    return Refund(
        occurred_at=told.at,
        customer=told.buyer.known() if told.buyer else None,
        amount=told.amount,
        currency=told.currency,
        refund_id=told.id,
        lines=told.lines,
        whole=told.whole,
        references=_about(payment=told.payment, order=told.order),
    )


@till.trigger("customer", key=("customer.id", "version"))
def customer(told: Person) -> Changed:
    """A record was changed."""
    return Changed(occurred_at=told.at, customer=told.buyer.known(), version=told.version, tags=told.tags)


@till.trigger("activity", key="activity_id")
def activity(told: Visit) -> LoyaltyActivity:
    """The till's own programme did something about an order."""
    who = told.buyer.known() if told.buyer else None
    return LoyaltyActivity(
        occurred_at=told.at,
        customer=who,
        activity_id=told.id,
        kind=told.kind,
        ours=told.ours,
        references=_about(order=told.order),
    )


@till.trigger("visit", key="booking_id")
def visit(item: Item, client: Client) -> Booking:
    """A thin notice: only the id of an appointment."""
    told = client.get("/visits/{id}", at={"id": item.data["id"]}, into=Visit)
    return Booking(
        occurred_at=told.at, customer=told.buyer.known() if told.buyer else None, booking_id=told.id, status="completed"
    )


@till.trigger("appointment", key=("booking_id", "status"))
def appointment(told: Appointment) -> Booking:
    """An appointment was made, or something became of it."""
    who, about = told.buyer.known() if told.buyer else None, _about(booking=told.id, product=told.product)
    return Booking(
        occurred_at=told.at, customer=who, booking_id=told.id, status=told.status, recurring=told.recurring, references=about
    )


@till.trigger("brought", key="referral_id")
def brought(told: Brought) -> Referral:
    """Somebody named whoever brought them."""
    by = told.by.known() if told.by else None
    return Referral(occurred_at=told.at, customer=told.buyer.known(), referral_id=told.id, code=told.code, referrer=by)


@till.trigger("opinion", key="review_id")
def opinion(told: Visit) -> Review:
    """What somebody thinks of an order."""
    who = told.buyer.known() if told.buyer else None
    return Review(occurred_at=told.at, customer=who, review_id=told.id, references=_about(order=told.order))


@till.trigger("revoked", key="reason")
def revoked(item: Item) -> ConnectionRevoked:
    """The access was taken back."""
    return ConnectionRevoked(reason=str(item.data["id"]))


@till.pull(payment, every="30 days")
def payments(client: Client, since: datetime) -> Iterator[Any]:
    """Payments since then."""
    yield from client.get("/payments", query={"since": since.isoformat()})["payments"]


till.poke("changed", pull=payments)


letters = Connector(
    "letters",
    title="Letters",
    settings=secrets("key") + secret("told_key", "what Letters tells when it is told our address", required=False),
    api="https://letters.example.com",
    idempotency=header("Idempotency-Key"),
    **_signed("Letters"),
)


class Word(Payload):
    id: str
    sender: str
    text: str
    at: datetime


class Sent(BaseModel):
    letter_id: str


class Mark(BaseModel):
    member: str
    mark: str


@letters.trigger("message", key="message_id")
def message(told: Word) -> MessageReceived:
    """Somebody wrote."""
    return MessageReceived(occurred_at=told.at, message_id=told.id, address=told.sender, text=told.text)


@letters.trigger("arrived", key=("message_id", "address"))
def arrived(told: Word) -> MessageDelivered:
    """A letter arrived."""
    return MessageDelivered(occurred_at=told.at, message_id=told.id, channel="sms", address=told.sender)


def _send(client: Client, to: str, text: str) -> Sent:
    answer = client.post("/letters", json={"to": to, "text": text})
    return Sent(letter_id=answer["id"])


@letters.subscribe(renew="6 days")
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Tell it our address; it answers with a key when that is new."""
    told: dict[str, str] = client.put("/webhook", json={"url": connection.webhook_url})
    return told


@letters.unsubscribe
def unsubscribe(client: Client) -> None:
    """Take our address back."""
    client.delete("/webhook")


@letters.action(repeat="safe", channel="sms")
def send_safe(client: Client, *, to: str, text: str) -> Sent:
    """Send where twice is once."""
    return _send(client, to, text)


@letters.action(repeat="keyed", channel="sms")
def send_keyed(client: Client, *, to: str, text: str) -> Sent:
    """Send where the platform keeps the key."""
    return _send(client, to, text)


@letters.action(repeat="never", channel="sms")
def send_once(client: Client, *, to: str, text: str) -> Sent:
    """Send where nobody can say whether it was done."""
    return _send(client, to, text)


@letters.action(repeat="never", channel="sms")
def send_checked(client: Client, *, to: str, text: str) -> Sent:
    """Send where one can look whether it was done."""
    return _send(client, to, text)


@letters.action(repeat="safe", channel="email or sms")
def send_either_way(client: Client, *, to: str, text: str) -> Sent:
    """Send by e-mail or SMS, as the address is."""
    return _send(client, to, text)


@letters.lookup(send_checked)
def find_letter(client: Client, key: CallKey, *, to: str) -> Sent | None:
    """Whether it was sent."""
    found = client.get("/letters", query={"to": to})["letters"]
    return Sent(letter_id=found[0]) if found else None


@letters.action(repeat="safe", batch=3)
def mark(client: Client, marks: list[Mark]) -> list[Mark | Exception]:
    """Mark up to three members in one call."""
    answers = client.post("/marks", json={"marks": [one.model_dump() for one in marks]})["answers"]
    return [
        one if answer == "ok" else CallFailed(f"no mark for {one.member}: {answer}", "lasting")
        for one, answer in zip(marks, answers, strict=True)
    ]


@letters.action(repeat="safe")
def look(client: Client, *, what: str) -> Sent:
    """Ask for something that speaks to nobody."""
    return Sent(letter_id=client.get("/things/{what}", at={"what": what})["id"])


class Quote(BaseModel):
    price: Money
    good_until: date


@letters.action(repeat="safe")
def quote(client: Client, *, what: str) -> Quote:
    """Ask what something costs."""
    client.get("/things/{what}", at={"what": what})
    return Quote(price="12.50", good_until=date(2026, 3, 1))


@dataclass(frozen=True)
class Asked:
    """A call as it reached the platform."""

    method: str
    path: str
    body: Any
    key: str | None


@dataclass
class Answered:
    """What the platform says to a call."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Play = Callable[[Asked], "Answered | Exception | None"]


class Platform(BaseAdapter):
    """Both platforms. asked: every call, in order. sent: what was written, as (to, text). script: answers before anything else.

    A script that answers None leaves the call to the platform's usual answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.sent: list[tuple[str, str]] = []
        self.payments: list[dict[str, Any]] = []
        self.visits: dict[str, dict[str, Any]] = {}
        self.script: Play = lambda asked: None

    def open(self, connection: object) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self)
        return session

    def paths(self) -> list[str]:
        return [asked.path.partition("?")[0] for asked in self.asked]

    def keys(self) -> list[str | None]:
        return [asked.key for asked in self.asked]

    def send(self, request: requests.PreparedRequest, **said: Any) -> requests.Response:  # type: ignore[override]
        asked = Asked(
            request.method or "",
            request.path_url,
            json.loads(request.body) if request.body else None,
            request.headers.get("Idempotency-Key"),
        )
        self.asked.append(asked)
        answer = self.script(asked) or self._usual(asked)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update({"Content-Type": "application/json", **answer.headers})
        response.raw = HTTPResponse(BytesIO(json.dumps(answer.body, default=str).encode()), preload_content=False)
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """There is nothing to close."""

    def _usual(self, asked: Asked) -> Answered:
        path = asked.path.partition("?")[0]
        if asked.method == "POST" and path == "/letters":
            self.sent.append((asked.body["to"], asked.body["text"]))
            return Answered(body={"id": f"ltr_{len(self.sent)}"})
        if path == "/letters":
            return Answered(body={"letters": [f"ltr_{number}" for number, _ in enumerate(self.sent, start=1)]})
        if path == "/marks":
            return Answered(body={"answers": ["ok"] * len(asked.body["marks"])})
        if path == "/payments":
            return Answered(body={"payments": self.payments})
        if path.startswith("/visits/"):
            told = self.visits.get(path.rpartition("/")[2])
            return Answered(body=told) if told else Answered(404, {"message": "no such visit"})
        return Answered(body={"id": path.rpartition("/")[2]})
