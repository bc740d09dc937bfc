"""Facts: the hub's own words for what customers do, the same for every platform.

A connector's trigger returns one of these, or a subclass with more fields. Every class is frozen, refuses unknown fields and
floats, and carries a sample of its own that examples and editors start from.
"""

# ruff: noqa: RUF012 - `sample` is a ClassVar of Fact, which the linter cannot see from here
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from hub.sdk.fact import Customer, Fact, Line, Short, Text
from hub.sdk.values import Currency, Moment, Money, Points

_CUSTOMER = {"id": "cus_1", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada", "last_name": "Ng"}
_AT = "2026-02-06T21:27:34Z"


class Sale(Fact):
    """Somebody bought something and has paid.

    amount: what earns, goods after discounts, without tax, tip, shipping and gift cards sold. total: what was paid.
    """

    amount: Money
    currency: Currency
    total: Money | None = None
    tax: Money | None = None
    tip: Money | None = None
    shipping: Money | None = None
    discount: Money | None = None
    payment_id: Short | None = None
    order_id: Short | None = None
    location: Short | None = None
    channel: Literal["pos", "online", "invoice", "unknown"] = "unknown"
    lines: tuple[Line, ...] = ()

    fact = "sale"
    sample = {
        "occurred_at": _AT,
        "customer": _CUSTOMER,
        "amount": "120.00",
        "currency": "USD",
        "total": "129.90",
        "payment_id": "pay_1",
        "order_id": "1042",
        "channel": "pos",
        "references": [{"kind": "payment", "id": "pay_1"}, {"kind": "order", "id": "1042"}],
    }


class Refund(Fact):
    """Money was given back for a sale, in full or in part.

    amount: what no longer earns (as `amount` of the sale). references: the payment or order it gives back. whole: all that is
    left of the sale is given back, and the platform no longer says how much that is (it was voided, or deleted).
    """

    amount: Money
    currency: Currency
    total: Money | None = None
    refund_id: Short
    payment_id: Short | None = None
    order_id: Short | None = None
    reason: Text = ""
    lines: tuple[Line, ...] = ()
    whole: bool = False

    fact = "refund"
    makes_member = False
    sample = {
        "occurred_at": _AT,
        "amount": "20.00",
        "currency": "USD",
        "refund_id": "ref_1",
        "payment_id": "pay_1",
        "references": [{"kind": "payment", "id": "pay_1"}],
    }


class CustomerChanged(Fact):
    """A customer's record was created or changed. deleted: the platform no longer has it."""

    created: bool = False
    deleted: bool = False
    tags: tuple[Short, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)

    fact = "customer_changed"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "created": True}


class CustomersMerged(Fact):
    """Two customer records became one. customer: the one that stays."""

    merged_ids: tuple[Short, ...]

    fact = "customers_merged"
    makes_member = False
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "merged_ids": ["cus_2"]}


class Booking(Fact):
    """An appointment was made, changed, cancelled, missed or kept."""

    booking_id: Short
    status: Literal["requested", "booked", "cancelled", "declined", "no_show", "completed"]
    cancelled_by: Literal["customer", "business", ""] = ""
    starts_at: Moment | None = None
    service: Short | None = None
    location: Short | None = None
    recurring: bool = False

    fact = "booking"
    sample = {
        "occurred_at": _AT,
        "customer": _CUSTOMER,
        "booking_id": "bok_1",
        "status": "booked",
        "starts_at": "2026-02-10T09:00:00Z",
    }


class JobCompleted(Fact):
    """A repair or another piece of work was finished."""

    job_id: Short
    amount: Money | None = None
    currency: Currency | None = None
    title: Short = ""

    fact = "job_completed"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "job_id": "job_1", "amount": "240.00", "currency": "USD"}


class DealWon(Fact):
    """A deal or opportunity was won."""

    deal_id: Short
    amount: Money | None = None
    currency: Currency | None = None
    title: Short = ""

    fact = "deal_won"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "deal_id": "deal_1", "amount": "900.00", "currency": "USD"}


class InvoiceIssued(Fact):
    """An invoice was sent; it has not been paid yet."""

    invoice_id: Short
    amount: Money
    currency: Currency
    due_on: date | None = None

    fact = "invoice_issued"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "invoice_id": "inv_1", "amount": "75.00", "currency": "USD"}


class Review(Fact):
    """Somebody left a review. rating: 1 to 5, None where there are only words."""

    review_id: Short
    rating: int | None = Field(default=None, ge=0, le=5)
    title: Short = ""
    text: Text = ""
    site: Short = ""
    verified: bool | None = None

    fact = "review"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "review_id": "rev_1", "rating": 4, "text": "Quick and friendly."}


class Referral(Fact):
    """A customer brought somebody. customer: who was brought; referrer: who brought them."""

    referral_id: Short
    code: Short | None = None
    referrer: Customer | None = None

    fact = "referral"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "referral_id": "rfl_1", "code": "BOB-7"}


class FormSubmitted(Fact):
    """Somebody sent in a form. answers: by the form's own field name or title."""

    form_id: Short
    response_id: Short
    answers: dict[str, str] = Field(default_factory=dict)

    fact = "form_submitted"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "form_id": "frm_1", "response_id": "rsp_1", "answers": {"how": "Fine"}}


class Ticket(Fact):
    """Something about a question or complaint. channel: how it came in; priority and tags: as the desk has them."""

    ticket_id: Short
    subject: Short = ""
    channel: Short = ""
    priority: Short = ""
    tags: tuple[Short, ...] = ()


class TicketCreated(Ticket):
    """A question or complaint came in. Spam does too: it makes nobody a member."""

    fact = "ticket_created"
    makes_member = False
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "ticket_id": "tic_1", "subject": "Where is my reward?"}


class TicketSolved(Ticket):
    """A question or complaint was dealt with. satisfied: what the customer said of it, where they did."""

    satisfied: bool | None = None

    fact = "ticket_solved"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "ticket_id": "tic_1", "subject": "Where is my reward?"}


class TicketRated(Ticket):
    """A customer said how they were served. It is no review: only the business reads it.

    rating: 1 to 5, None on other scales. satisfied: None where they were neither satisfied nor dissatisfied.
    """

    rating: int | None = Field(default=None, ge=0, le=5)
    satisfied: bool | None = None
    comment: Text = ""

    fact = "ticket_rated"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "ticket_id": "tic_1", "rating": 5, "satisfied": True}


class MessageReceived(Fact):
    """A customer wrote to the business. address: the phone number or e-mail address that wrote.

    command and argument: filled in by the hub when the text is one of the programme's commands (`REDEEM oil-change`).
    """

    message_id: Short
    channel: Literal["sms", "whatsapp", "email", "chat"] = "sms"
    address: Short
    text: Text
    to: Short = ""
    command: Literal["join", "balance", "redeem", "claim", "stop", "start", "help", ""] = ""
    argument: Short = ""

    fact = "message_received"
    sample = {
        "occurred_at": _AT,
        "customer": {"phone": "+14155550123"},
        "message_id": "msg_1",
        "address": "+14155550123",
        "text": "BALANCE",
    }


class Subscribed(Fact):
    """Somebody agreed to get messages on a channel. address: the number or e-mail address that it is about."""

    channel: Literal["sms", "whatsapp", "email", "push"]
    address: Short
    list_id: Short | None = None

    fact = "subscribed"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "channel": "email", "address": "ada@example.com"}


class Unsubscribed(Fact):
    """Somebody no longer wants messages on a channel."""

    channel: Literal["sms", "whatsapp", "email", "push"]
    address: Short
    list_id: Short | None = None
    reason: Short = ""

    fact = "unsubscribed"
    makes_member = False
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "channel": "email", "address": "ada@example.com"}


class MessageDelivered(Fact):
    """A message that was sent arrived."""

    message_id: Short
    channel: Literal["sms", "whatsapp", "email", "push"]
    address: Short = ""

    fact = "message_delivered"
    makes_member = False
    sample = {"occurred_at": _AT, "message_id": "msg_1", "channel": "sms", "address": "+14155550123"}


class MessageOpened(Fact):
    """A message that was sent was opened or a link in it was followed."""

    message_id: Short
    channel: Literal["sms", "whatsapp", "email", "push"]
    address: Short = ""
    link: Text = ""

    fact = "message_opened"
    makes_member = False
    sample = {
        "occurred_at": _AT,
        "customer": _CUSTOMER,
        "message_id": "msg_1",
        "channel": "email",
        "address": "ada@example.com",
    }


class MessageFailed(Fact):
    """A message that was sent did not arrive. lasting: the address cannot be reached at all."""

    message_id: Short
    channel: Literal["sms", "whatsapp", "email", "push"]
    address: Short = ""
    reason: Text = ""
    lasting: bool = False

    fact = "message_failed"
    makes_member = False
    sample = {"occurred_at": _AT, "message_id": "msg_1", "channel": "sms", "address": "+14155550123", "reason": "unreachable"}


class RedemptionRequested(Fact):
    """A member asks for a reward. reward: its id, or what they wrote."""

    request_id: Short
    reward: Short = ""
    channel: Short = ""

    fact = "redemption_requested"
    sample = {"occurred_at": _AT, "customer": _CUSTOMER, "request_id": "req_1", "reward": "oil-change", "channel": "sms"}


class LoyaltyActivity(Fact):
    """Another loyalty programme, for instance the till's own, gave or took points. points: with its sign."""

    activity_id: Short
    kind: Literal["earned", "redeemed", "adjusted", "expired", "other"]
    points: Points = 0
    order_id: Short | None = None
    ours: bool = False

    fact = "loyalty_activity"
    sample = {
        "occurred_at": _AT,
        "customer": _CUSTOMER,
        "activity_id": "lev_1",
        "kind": "earned",
        "points": 18,
        "order_id": "1042",
    }


class RewardOrder(Fact):
    """Something of worth was bought for a member, or what became of it changed: a gift card, a prepaid card, credit at a shop.

    call_key: the `CallKey` of the hub's call that made the order, empty where something else did. state: as it stands now;
    what is `sent` has been paid for. amount: what it is worth to whoever gets it, in `currency`. total: what it cost, with its
    `fees`, and what was `refunded` of that, in `paid_in`.
    """

    order_id: Short
    call_key: Short = ""
    state: Literal["waiting", "sent", "failed", "cancelled"]
    ordered_at: Moment | None = None
    amount: Money | None = None
    currency: Currency | None = None
    total: Money | None = None
    fees: Money | None = None
    refunded: Money = Decimal(0)
    paid_in: Currency | None = None

    fact = "reward_order"
    makes_member = False
    is_turnover = False
    sample = {
        "occurred_at": _AT,
        "order_id": "ORDER1",
        "call_key": "call_1",
        "state": "sent",
        "ordered_at": _AT,
        "amount": "20.00",
        "currency": "EUR",
        "total": "23.10",
        "fees": "0.60",
        "paid_in": "USD",
    }


class RowChanged(Fact):
    """A row of a table or sheet was added or changed. fields: by column name."""

    table: Short
    row_id: Short
    fields: dict[str, str] = Field(default_factory=dict)

    fact = "row_changed"
    sample = {"occurred_at": _AT, "table": "Adjustments", "row_id": "7", "fields": {"Points": "50"}}


class ConnectionRevoked(Fact):
    """The platform took back our access; a person must connect again."""

    reason: Short = ""

    fact = "connection_revoked"
    sample = {"occurred_at": _AT, "reason": "revoked by the merchant"}


FACTS: tuple[type[Fact], ...] = (
    Sale,
    Refund,
    CustomerChanged,
    CustomersMerged,
    Booking,
    JobCompleted,
    DealWon,
    InvoiceIssued,
    Review,
    Referral,
    FormSubmitted,
    TicketCreated,
    TicketSolved,
    TicketRated,
    MessageReceived,
    Subscribed,
    Unsubscribed,
    MessageDelivered,
    MessageOpened,
    MessageFailed,
    RedemptionRequested,
    LoyaltyActivity,
    RewardOrder,
    RowChanged,
    ConnectionRevoked,
)
"""The shared vocabulary; recipes name a fact by its `fact` word (`when: sale`)."""
