"""Webhook: take facts from any program that can sign JSON, and tell any program what the hub did.

Setup:
1. Which program is it? Give the connection its name in hub.yaml: `partner: {connector: webhook, …}`. Each program is a
   connection of its own, with its own secrets; what one tells is never mistaken for what another tells. A program that has
   JSON of its own and cannot be taught this one is a connection of `rest`, or of `reviews` where it tells reviews.
2. To hear: make a secret (`whsec_` and the base64 of 24 to 64 random bytes) and write it into `webhook_secret`; two of them in
   a list while it is being changed. Tell the program this secret and the address {webhook_url}. It signs as Standard Webhooks
   says (headers webhook-id, webhook-timestamp, webhook-signature; most languages have a library).
   A tool that cannot sign, such as an automation service, sends `webhook_token` in the header X-Webhook-Token instead.
3. To tell: write the address into `url` and a secret of that program into `signing_secret`; recipes then say
   `partner.send_webhook`. An address inside the house needs `allow_private: true`.

What is posted, one fact at a time: `{"type": "sale", "id": "pay_1", "timestamp": "2026-02-06T21:27:34Z", "data": {…}}`
- `type`: sale, refund, customer_changed (or customer), booking, job_completed, deal_won, invoice_issued, review, referral,
  form_submitted, ticket_created, ticket_solved, ticket_rated, message_received, subscribed, unsubscribed or
  redemption_requested.
- `id`: what makes it this fact, told once or ten times; the same id with other data is a newer state of it. It stands for the
  number in the data (`payment_id` of a sale, `refund_id`, `booking_id` …) where the data has none. A booking is a new fact with
  each status.
- `timestamp`: when it happened, where the data has no `occurred_at`; left out, it is when the hub hears of it.
- `data`: the fields of the hub's own fact, as recipes read them. Money is text or a number with at most the currency's decimals
  (`"amount": "12.50", "currency": "USD"`); `customer` has id, email, phone, first_name, last_name, birthday. A field that the
  fact does not have is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from hub.sdk import (
    Booking,
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    CustomerChanged,
    DealWon,
    Fact,
    FormSubmitted,
    InvoiceIssued,
    Item,
    JobCompleted,
    MessageReceived,
    Moment,
    Payload,
    RedemptionRequested,
    Reference,
    Referral,
    Refund,
    Request,
    Review,
    Sale,
    Subscribed,
    TicketCreated,
    TicketRated,
    TicketSolved,
    Unreadable,
    Unsubscribed,
    json_text,
)
from hub.sdk.declare import answers, ask, header, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.parameters import findings


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?/[^\s{}\\#]*", text):
        raise ValueError("write the whole address, such as https://partner.example.com/hooks/points")
    return text


class Told(Payload):
    """What is posted; every type has this form."""

    type: Annotated[str, Field(min_length=1)]
    id: Annotated[Short, Field(min_length=1)]
    timestamp: Moment | None = None
    data: dict[str, Any]


def _items(request: Request) -> Iterator[Item]:
    try:
        told = Told.model_validate(request.content())
    except ValidationError as error:
        raise Unreadable(f"The body is not as it should be: {findings(error)}. {_FORM}") from None
    if told.type not in KINDS:
        raise Unreadable(f"`type` is {told.type[:60]!r}, which the hub does not know; it knows {', '.join(KINDS)}.")
    yield Item(told.type, told.data, id=told.id, at=told.timestamp)


_FORM = 'It is {"type": …, "id": …, "data": {…}}.'

connector = Connector(
    "webhook",
    title="Webhook",
    settings=secret("webhook_secret", "the program signs with it (whsec_…, as Standard Webhooks says)", required=False)
    + secret("webhook_token", "a program that cannot sign sends it in X-Webhook-Token", required=False)
    + setting(
        "url",
        "the address to which send_webhook posts",
        Annotated[str, AfterValidator(_address)],
        default=None,
        example="https://partner.example.com/hooks/points",
    )
    + secret(
        "signing_secret", "the hub signs with it what it posts (whsec_…)", required=False, example="whsec_c2VudCBieSB0aGUgaHVi"
    ),
    api="{url}",
    signature=signature.standard_webhooks("webhook_secret") | signature.token("webhook_token", header="X-Webhook-Token"),
    envelope=_items,
    # The id of a message is its key: by the standard a receiver does once what it is told twice.
    idempotency=header("webhook-id"),
)


# What comes in --------------------------------------------------------------------------------------------------------

AnyFact = TypeVar("AnyFact", bound=Fact)

# What a fact is about is told by its numbers: so a refund finds its sale, and a claim its order.
_THINGS = {
    "payment_id": "payment",
    "order_id": "order",
    "booking_id": "booking",
    "job_id": "job",
    "deal_id": "deal",
    "invoice_id": "invoice",
}


def _fact(kind: type[AnyFact], item: Item, number: str) -> AnyFact:
    """The fact that the data says. number: the field for which the id stands. Unreadable with the path of the field."""
    data = dict(item.data)
    if data.get(number) in (None, ""):
        data[number] = item.id
    try:
        fact = kind.model_validate(data, extra="ignore")  # a program may send more than we know
    except ValidationError as error:
        raise Unreadable(f"This {item.kind} cannot be read: {findings(error, 'data')}.") from None
    said = fact.__dict__
    about = [Reference(kind=kind, id=said[field]) for field, kind in _THINGS.items() if said.get(field)]
    more = tuple(reference for reference in about if reference not in fact.references)
    return fact.model_copy(update={"references": fact.references + more}) if more else fact


class Change(CustomerChanged):
    """change_id: of this change, for the same customer changes many times."""

    change_id: Short


class Consent(Subscribed):
    """change_id: of this change, for people change their minds."""

    change_id: Short


class Refusal(Unsubscribed):
    """change_id: of this change, for people change their minds."""

    change_id: Short


@connector.trigger("sale", key="payment_id")
def sale(item: Item) -> Sale:
    """Somebody bought something and has paid; `id` is the payment's."""
    return _fact(Sale, item, "payment_id")


@connector.trigger("refund", key="refund_id")
def refund(item: Item) -> Refund:
    """Money was given back; `payment_id` or `order_id` says for which sale."""
    return _fact(Refund, item, "refund_id")


@connector.trigger("customer_changed", "customer", key="change_id")
def customer_changed(item: Item) -> Change:
    """A customer's record was created or changed; `id` is the change's."""
    return _fact(Change, item, "change_id")


@connector.trigger("booking", key=("booking_id", "status"))
def booking(item: Item) -> Booking:
    """An appointment was made, changed, cancelled, missed or kept."""
    return _fact(Booking, item, "booking_id")


@connector.trigger("job_completed", key="job_id")
def job_completed(item: Item) -> JobCompleted:
    """A repair or another piece of work was finished."""
    return _fact(JobCompleted, item, "job_id")


@connector.trigger("deal_won", key="deal_id")
def deal_won(item: Item) -> DealWon:
    """A deal or opportunity was won."""
    return _fact(DealWon, item, "deal_id")


@connector.trigger("invoice_issued", key="invoice_id")
def invoice_issued(item: Item) -> InvoiceIssued:
    """An invoice was sent; it has not been paid yet."""
    return _fact(InvoiceIssued, item, "invoice_id")


@connector.trigger("review", key="review_id")
def review(item: Item) -> Review:
    """Somebody left a review."""
    return _fact(Review, item, "review_id")


@connector.trigger("referral", key="referral_id")
def referral(item: Item) -> Referral:
    """A customer brought somebody."""
    return _fact(Referral, item, "referral_id")


@connector.trigger("form_submitted", key=("form_id", "response_id"))
def form_submitted(item: Item) -> FormSubmitted:
    """Somebody sent in a form; `id` is the response's."""
    return _fact(FormSubmitted, item, "response_id")


@connector.trigger("ticket_created", key="ticket_id")
def ticket_created(item: Item) -> TicketCreated:
    """A question or complaint came in."""
    return _fact(TicketCreated, item, "ticket_id")


@connector.trigger("ticket_solved", key="ticket_id")
def ticket_solved(item: Item) -> TicketSolved:
    """A question or complaint was dealt with."""
    return _fact(TicketSolved, item, "ticket_id")


@connector.trigger("ticket_rated", key="ticket_id")
def ticket_rated(item: Item) -> TicketRated:
    """A customer said how they were served."""
    return _fact(TicketRated, item, "ticket_id")


@connector.trigger("message_received", key="message_id")
def message_received(item: Item) -> MessageReceived:
    """A customer wrote to the business; the programme's words (JOIN, STOP …) are understood."""
    return _fact(MessageReceived, item, "message_id")


@connector.trigger("subscribed", key="change_id")
def subscribed(item: Item) -> Consent:
    """Somebody agreed to get messages on a channel; `id` is the change's."""
    return _fact(Consent, item, "change_id")


@connector.trigger("unsubscribed", key="change_id")
def unsubscribed(item: Item) -> Refusal:
    """Somebody no longer wants messages on a channel; `id` is the change's."""
    return _fact(Refusal, item, "change_id")


@connector.trigger("redemption_requested", key="request_id")
def redemption_requested(item: Item) -> RedemptionRequested:
    """A member asks for a reward; `id` is the request's."""
    return _fact(RedemptionRequested, item, "request_id")


KINDS = tuple(kind for trigger in connector.triggers.values() for kind in trigger.kinds)


# What goes out --------------------------------------------------------------------------------------------------------

_SIGNED = signature.standard_webhooks("signing_secret")


class Sent(Payload):
    """A message that was taken. id: its webhook-id. status: what the other side answered."""

    id: str
    status: int


@connector.action(repeat="keyed")
def send_webhook(
    client: Client,
    connection: Connection,
    key: CallKey,
    now: datetime,
    *,
    type: Annotated[str, Field(description="what happened, such as points.earned", min_length=1, max_length=200)],  # noqa: A002
    data: Annotated[dict[str, Any], "what is told of it; exact amounts go out as text"],
) -> Sent:
    """Post signed JSON to the connection's address.

    A repetition carries the same webhook-id, with the time of that attempt: the receiver does it once by that id.
    """
    missing = [name for name in ("url", "signing_secret") if not connection.settings.get(name)]
    if missing:
        raise CallFailed(f"The connection {connection.name} has no `{missing[0]}`; write it into hub.yaml.", "reconnect")
    told = {"type": type, "timestamp": now, "data": data}
    request = Request("POST", "", "", {"webhook-id": _webhook_id(key)}, json_text(told).encode(), now, "")
    signed = _SIGNED.sign(request, connection.settings, now)
    reply = client.call("POST", "{url}", json=told, headers=signed.headers)
    return Sent(id=signed.headers["webhook-id"], status=reply.status)


def _webhook_id(key: str) -> str:
    return "msg_" + hashlib.sha256(key.encode()).hexdigest()[:32]


# Recorded truth -------------------------------------------------------------------------------------------------------

ADA = {"id": "c_7", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada"}
AT = "2026-02-06T21:27:34Z"


def _told(kind: str, number: str, **data: Any) -> Mapping[str, Any]:
    return {"type": kind, "id": number, "timestamp": AT, "data": {"customer": ADA, **data}}


SALE = _told(
    "sale", "pay_1", amount="18.50", currency="USD", order_id="1042", channel="online",
    lines=[{"title": "Flat white", "quantity": 2, "net": "18.50"}],
)  # fmt: skip
REFUND = {"type": "refund", "id": "ref_1", "data": {"amount": "5.00", "currency": "USD", "payment_id": "pay_1"}}
EARNED = {"type": "points.earned", "data": {"member": "c_7", "points": 18}}
POSTED = ask(
    "POST https://partner.example.com/hooks/points",
    json=EARNED | {"timestamp": "2026-02-06T21:30:00Z"},
    headers={"webhook-id": _webhook_id("run_1/step_1")},
)

connector.sample(
    sale, SALE,
    gives={"amount": "18.50", "payment_id": "pay_1", "occurred_at": AT,
           "references": [{"kind": "payment", "id": "pay_1"}, {"kind": "order", "id": "1042"}]},
)  # fmt: skip
connector.sample(
    refund, REFUND, gives={"amount": "5.00", "refund_id": "ref_1", "references": [{"kind": "payment", "id": "pay_1"}]}
)
connector.sample(
    customer_changed, _told("customer", "c_7 v3", tags=["fleet"]), gives={"change_id": "c_7 v3", "customer": {"id": "c_7"}}
)
connector.sample(
    booking, _told("booking", "bok_1", status="booked", starts_at=AT), gives={"booking_id": "bok_1", "status": "booked"}
)
connector.sample(
    job_completed,
    _told("job_completed", "job_1", amount="240.00", currency="USD", title="New clutch"),
    gives={"job_id": "job_1"},
)
connector.sample(deal_won, _told("deal_won", "deal_1", amount="900", currency="USD"), gives={"amount": "900"})
connector.sample(
    invoice_issued,
    _told("invoice_issued", "inv_1", amount="75.00", currency="USD", due_on="2026-03-06"),
    gives={"invoice_id": "inv_1"},
)
connector.sample(review, _told("review", "rev_1", rating=5, text="Quick and friendly.", site="own"), gives={"rating": 5})
connector.sample(
    referral, _told("referral", "rfl_1", code="BOB-7", referrer={"email": "bob@example.com"}),
    gives={"referral_id": "rfl_1", "referrer": {"email": "bob@example.com"}},
)  # fmt: skip
connector.sample(
    form_submitted, _told("form_submitted", "rsp_1", form_id="frm_1", answers={"how": "Fine"}), gives={"response_id": "rsp_1"}
)
connector.sample(ticket_created, _told("ticket_created", "tic_1", subject="Where is my reward?"), gives={"ticket_id": "tic_1"})
connector.sample(
    ticket_solved, _told("ticket_solved", "tic_1", satisfied=True), gives={"ticket_id": "tic_1", "satisfied": True}
)
connector.sample(ticket_rated, _told("ticket_rated", "tic_1", rating=2, satisfied=False), gives={"rating": 2})
connector.sample(
    message_received, _told("message_received", "m_1", address="+14155550123", text="BALANCE"), gives={"message_id": "m_1"}
)
connector.sample(subscribed, _told("subscribed", "s_1", channel="email", address="ada@example.com"), gives={"change_id": "s_1"})
connector.sample(
    unsubscribed, _told("unsubscribed", "s_2", channel="email", address="ada@example.com"), gives={"change_id": "s_2"}
)
connector.sample(
    redemption_requested, _told("redemption_requested", "req_1", reward="oil-change"), gives={"reward": "oil-change"}
)
connector.sample(send_webhook, EARNED, asks=POSTED, reply=answers(204), gives={"status": 204})
connector.sample(send_webhook, EARNED, asks=POSTED, reply=answers(410, {"message": "no longer here"}), fails="lasting")
