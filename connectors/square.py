"""Square: hear of payments, refunds, bookings, customers and the till's own loyalty programme, and work that programme.

Setup:
1. developer.squareup.com > Applications > your application (make one; its name does not matter). Choose Production at the top.
   Sandbox has a token and a signature key of its own, and needs `base_url: https://connect.squareupsandbox.com`.
2. Credentials > Production access token: copy it to `access_token`.
3. Webhooks > Subscriptions > Add subscription. Notification URL: {webhook_url}, API version: 2025-08-20 or newer; the events
   payment.created, payment.updated, refund.created, refund.updated, customer.created, customer.updated, customer.deleted,
   booking.created, booking.updated, loyalty.event.created, oauth.authorization.revoked.
4. Open the subscription, Signature key > Show: copy it to `webhook_signature_key`. It signs that very URL: when a letter of the
   URL changes, change it at Square too.
   A hub without a public address needs neither 3 nor 4: it asks Square every ten minutes (bookings are told by webhook alone).
5. Does one application serve several sellers? Write the seller's id into `merchant_id`: events of others are left out.
6. Points at the till: make custom fields (Customers > Settings > Configure profiles), numbers and texts, and name them under
   `mirror:`, such as `{balance: Points}`: the hub keeps them in step in the customers that there are.

What earns: with a payment Square tells only what was paid, with tax and without the tip. With `lines: true` the hub fetches the
order of every payment and refund: then tax, service charges (delivery is one) and gift cards sold earn nothing, and lines,
discount, and a buyer whom only the order names are known. Of a bill that is split, each payment earns its share.
A payment may come before its buyer: Square finds out later and says so in another payment.updated, which is the same sale.
Invoices (invoice.payment_made) are not read, for their money comes as a payment, on the channel `invoice`. Bookings have no end
at Square: none is ever `completed`. An unlinked refund names no payment: it is told, and belongs to no sale.

Which side keeps the books: one alone may give points for an order. Without `till_loyalty` that is the hub: nothing of Square
Loyalty is read, recipes hear `sale`, and `adjust_points` shows the result at the till. With `till_loyalty: true` the till does:
each change there is told as `loyalty_event` with the order that earned it; let recipes hear that (`if: event.kind == "earned"
and not event.ours`) in place of Square's sales, and send none of it back. `ours` is what was done by API, as the hub does it.
`accumulate_points` looks whether the till gave the order its points first, and then gives none. Where recipes hear both sides
all the same, the hub awards one order once: for the side that it worked first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, AliasPath, BaseModel, Field

from hub.sdk import (
    Booking,
    Client,
    ConnectionRevoked,
    Connector,
    Customer,
    CustomerChanged,
    CustomersMerged,
    Failure,
    Item,
    Line,
    LoyaltyActivity,
    Mirrored,
    Payload,
    Reference,
    Refund,
    Reply,
    Sale,
    Settings,
    Shown,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, secret, setting, signature, spends
from hub.sdk.values import Currency, Moment, Money, Points, from_minor, share, to_minor


def _told(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """The object that the notice is about, with what stands beside it: the id, whether it is gone, who was merged into whom."""
    data = delivery["data"]
    things = data.get("object") or {}
    beside = {"deleted": bool(data.get("deleted")), "merge": (things.get("event_context") or {}).get("merge")}
    return {"id": data.get("id"), **(things.get(data.get("type")) or {}), **beside}


def _failure(reply: Reply) -> Failure | None:
    code = reply.find("errors.0.code")
    if reply.status == 403 and code in {"FORBIDDEN", "INSUFFICIENT_SCOPES", "INSUFFICIENT_PERMISSIONS"}:
        return Failure("reconnect")
    # Two writers met, and ours was not done.
    return Failure("passing") if reply.status == 409 and code == "CONFLICT" else None


connector = Connector(
    "square",
    title="Square",
    settings=secret("access_token", "Applications > your application > Credentials > access token")
    + secret("webhook_signature_key", "Webhooks > Subscriptions > your subscription > Signature key", required=False)
    + setting("merchant_id", "The seller's id; events of other sellers are left out", default=None, example="ML4QPKMGXY82H")
    + setting("lines", "Fetch the order of every payment and refund, for tax, discounts and lines", bool, default=False)
    + setting("till_loyalty", "Square Loyalty gives points at the till; tell what it gives", bool, default=False)
    + setting("square_version", "The version of Square's API (Square-Version)", default="2025-08-20"),
    api="https://connect.squareup.com",
    auth=auth.bearer("access_token"),
    headers={"Square-Version": "{square_version}"},
    signature=signature.hmac("x-square-hmacsha256-signature", "webhook_signature_key", encoding="base64", signed="{url}{body}"),
    envelope=envelope(
        kind=body("type"),
        id=body("event_id"),
        account=body("merchant_id"),
        account_setting="merchant_id",
        data=_told,
        # Notices come in any order: the object's own time says which state is the newer one.
        at=lambda delivery: _told(delivery).get("updated_at") or delivery.get("created_at"),
    ),
    idempotency=body("idempotency_key"),
    failures=_failure,
    also_awards=lambda settings: "Square Loyalty (`till_loyalty`)" if settings["till_loyalty"] else "",
)


class Cents(Payload):
    amount: int = Field(strict=True)
    currency: str

    def exact(self) -> Decimal:
        return from_minor(self.amount, self.currency)


def _exact(cents: Cents | None) -> Decimal:
    return cents.exact() if cents else Decimal(0)


def _in(first: str, *deeper: str | int) -> Any:
    """A field that stands deeper; None where it does not."""
    return Field(None, validation_alias=AliasPath(first, *deeper))


class Payment(Payload):
    id: str
    status: str
    created_at: Moment
    amount_money: Cents
    tip_money: Cents | None = None
    total_money: Cents | None = None
    order_id: str | None = None
    location_id: str | None = None
    customer_id: str | None = None
    buyer_email_address: str | None = None
    product: str | None = _in("application_details", "square_product")


class OrderLine(Payload):
    name: str | None = None
    catalog_object_id: str | None = None
    quantity: Decimal
    item_type: str | None = None
    total_money: Cents | None = None
    total_tax_money: Cents | None = None

    @property
    def net(self) -> Decimal:
        return _exact(self.total_money) - _exact(self.total_tax_money)


class Amounts(Payload):
    total_money: Cents | None = None
    tax_money: Cents | None = None
    tip_money: Cents | None = None
    service_charge_money: Cents | None = None
    discount_money: Cents | None = None


class Order(Payload):
    net_amounts: Amounts | None = None
    return_amounts: Amounts | None = None
    line_items: tuple[OrderLine, ...] | None = None
    return_line_items: tuple[OrderLine, ...] | None = _in("returns", 0, "return_line_items")
    source_order_id: str | None = _in("returns", 0, "source_order_id")
    customer_id: str | None = None
    tender_customer_id: str | None = _in("tenders", 0, "customer_id")


def _order(client: Client | None, order_id: str | None) -> Order | None:
    if client is None or not order_id:
        return None
    return Order.model_validate(client.get("/v2/orders/{id}", at={"id": order_id})["order"])


def _goods(of: Amounts, lines: Sequence[OrderLine] | None) -> Decimal:
    """What earns of it: without tax, tip, service charges and gift cards sold."""
    cards = sum((line.net for line in lines or () if line.item_type == "GIFT_CARD"), Decimal(0))
    apart = _exact(of.tax_money) + _exact(of.tip_money) + _exact(of.service_charge_money)
    return max(_exact(of.total_money) - apart - cards, Decimal(0))


def _lines(lines: Sequence[OrderLine] | None) -> tuple[Line, ...]:
    sold = [line for line in lines or () if line.item_type != "GIFT_CARD"]
    return tuple(Line(title=one.name or "", sku=one.catalog_object_id, quantity=one.quantity, net=one.net) for one in sold)


def _person(customer_id: str | None, email: str | None = None, phone: str | None = None) -> Customer | None:
    customer = Customer(id=customer_id or None, email=email or None, phone=phone or None)
    return customer if customer.is_known() else None


def _references(**named: str | None) -> tuple[Reference, ...]:
    return tuple(Reference(kind=kind, id=name) for kind, name in named.items() if name)


_CHANNELS: dict[str | None, Literal["pos", "online", "invoice"]] = {
    "SQUARE_POS": "pos",
    "RETAIL": "pos",
    "RESTAURANTS": "pos",
    "TERMINAL_API": "pos",
    "APPOINTMENTS": "pos",
    "VIRTUAL_TERMINAL": "pos",
    "ONLINE_STORE": "online",
    "ECOMMERCE_API": "online",
    "INVOICES": "invoice",
}


@connector.trigger("payment.created", "payment.updated", key="payment_id", fetch_if="lines")
def payment_completed(payment: Payment, client: Client | None) -> Sale | None:
    """Somebody paid: at the till, online, or an invoice."""
    if payment.status != "COMPLETED":
        return None
    sale = Sale(
        occurred_at=payment.created_at,
        customer=_person(payment.customer_id, payment.buyer_email_address),
        references=_references(payment=payment.id, order=payment.order_id),
        amount=payment.amount_money.exact(),
        currency=payment.amount_money.currency,
        total=payment.total_money and payment.total_money.exact(),
        tip=payment.tip_money and payment.tip_money.exact(),
        payment_id=payment.id,
        order_id=payment.order_id,
        location=payment.location_id,
        channel=_CHANNELS.get(payment.product, "unknown"),
    )
    order = _order(client, payment.order_id)
    return _itemised(sale, order, order.net_amounts) if order and order.net_amounts else sale


def _itemised(sale: Sale, order: Order, amounts: Amounts) -> Sale:
    whole = _exact(amounts.total_money) - _exact(amounts.tip_money)
    more: dict[str, Any] = {"amount": share(_goods(amounts, order.line_items), sale.amount, whole, sale.currency)}
    if not (sale.customer and sale.customer.id):
        buyer = order.customer_id or order.tender_customer_id
        more["customer"] = _person(buyer, sale.customer.email if sale.customer else None)
    if sale.amount >= whole:  # of a split bill nobody knows who paid for which line
        more |= {"tax": _exact(amounts.tax_money), "shipping": _exact(amounts.service_charge_money)}
        more |= {"discount": _exact(amounts.discount_money), "lines": _lines(order.line_items)}
    return Sale.model_validate(dict(sale) | more)


class PaymentRefund(Payload):
    id: str
    status: str | None = None
    created_at: Moment | None = None
    amount_money: Cents
    payment_id: str | None = None
    order_id: str | None = None
    reason: str | None = None


@connector.trigger("refund.created", "refund.updated", key="refund_id", fetch_if="lines")
def refund_completed(refund: PaymentRefund, client: Client | None) -> Refund | None:
    """Money went back to a buyer, for all of a payment or a part of it."""
    if refund.status != "COMPLETED":
        return None
    made = Refund(
        occurred_at=refund.created_at,
        references=_references(payment=refund.payment_id),
        amount=refund.amount_money.exact(),
        currency=refund.amount_money.currency,
        total=refund.amount_money.exact(),
        refund_id=refund.id,
        payment_id=refund.payment_id or None,
        reason=refund.reason or "",
    )
    # order_id is the order of the return; only that order names the one in which the goods were sold.
    order = _order(client, refund.order_id)
    return _returned(made, order) if order else made


def _returned(refund: Refund, order: Order) -> Refund:
    more: dict[str, Any] = {"order_id": order.source_order_id}
    more["references"] = refund.references + _references(order=order.source_order_id)
    whole = _exact(order.return_amounts.total_money) if order.return_amounts else Decimal(0)
    if order.return_amounts and whole:
        goods = _goods(order.return_amounts, order.return_line_items)
        more["amount"] = share(goods, refund.amount, whole, refund.currency)
    if refund.amount >= whole:
        more["lines"] = _lines(order.return_line_items)
    return Refund.model_validate(dict(refund) | more)


class Appointment(Payload):
    id: str
    status: Literal["PENDING", "ACCEPTED", "DECLINED", "CANCELLED_BY_CUSTOMER", "CANCELLED_BY_SELLER", "NO_SHOW"]
    start_at: Moment | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    customer_id: str | None = None
    location_id: str | None = None
    service: str | None = _in("appointment_segments", 0, "service_variation_id")


_STATUSES: dict[str, dict[str, Any]] = {
    "PENDING": {"status": "requested"},
    "ACCEPTED": {"status": "booked"},
    "DECLINED": {"status": "declined"},
    "CANCELLED_BY_CUSTOMER": {"status": "cancelled", "cancelled_by": "customer"},
    "CANCELLED_BY_SELLER": {"status": "cancelled", "cancelled_by": "business"},
    "NO_SHOW": {"status": "no_show"},
}


@connector.trigger("booking.created", "booking.updated", key=("booking_id", "status"))
def booking_changed(booking: Appointment) -> Booking:
    """An appointment was asked for, booked, declined or cancelled, or nobody came; at a new time it is the same booking."""
    return Booking(
        occurred_at=booking.updated_at or booking.created_at,
        customer=_person(booking.customer_id),
        references=_references(booking=booking.id),
        booking_id=booking.id,
        starts_at=booking.start_at,
        service=booking.service,
        location=booking.location_id,
        **_STATUSES[booking.status],
    )


class Merge(Payload):
    from_customer_ids: tuple[str, ...]
    to_customer_id: str


class Profile(Payload):
    id: str
    version: int = 0
    created_at: Moment | None = None
    updated_at: Moment | None = None
    creation_source: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    birthday: str | None = None
    group_ids: tuple[str, ...] | None = None
    reference_id: str | None = None
    no_mail: bool | None = _in("preferences", "email_unsubscribed")
    deleted: bool = False
    merge: Merge | None = None

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=self.email_address or None,
            phone=self.phone_number or None,
            first_name=self.given_name or None,
            last_name=self.family_name or None,
            # 0000 is a year that Square was not told; year 4 stands for it here: nobody's, and a leap year.
            birthday=date.fromisoformat(self.birthday.replace("0000-", "0004-", 1)) if self.birthday else None,
            consents={"email": False} if self.no_mail else {},
        )


class CustomerVersion(CustomerChanged):
    """A customer's record as it was created, changed or deleted. version: Square's number of it, or `deleted`."""

    version: str

    sample: ClassVar[dict[str, Any]] = {**CustomerChanged.sample, "version": "3"}


@connector.trigger("customer.created", "customer.updated", "customer.deleted", key=("customer.id", "version"))
def customer_changed(profile: Profile, item: Item) -> CustomerVersion | None:
    """A customer's record was created, changed or deleted; of one that went into another, `customers_merged` tells."""
    if profile.deleted or item.kind == "customer.deleted":
        gone = CustomerVersion(customer=Customer(id=profile.id), deleted=True, version="deleted")
        return None if profile.merge else gone
    merged = profile.merge or profile.creation_source == "MERGE"
    return CustomerVersion(
        occurred_at=profile.updated_at or profile.created_at,
        customer=profile.customer(),
        created=item.kind == "customer.created" and not merged,
        tags=profile.group_ids or (),
        attributes={"reference_id": profile.reference_id} if profile.reference_id else {},
        version=str(profile.version),
    )


@connector.trigger("customer.created", "customer.deleted", key=("customer.id", "merged_ids"))
def customers_merged(profile: Profile) -> CustomersMerged | None:
    """Two or more customer records became one."""
    if profile.merge is None:
        return None
    ids = tuple(sorted(profile.merge.from_customer_ids))
    return CustomersMerged(customer=Customer(id=profile.merge.to_customer_id), merged_ids=ids)


_ACTIVITIES: dict[str, Literal["earned", "redeemed", "adjusted", "expired"]] = {
    "ACCUMULATE_POINTS": "earned",
    "ACCUMULATE_PROMOTION_POINTS": "earned",
    "CREATE_REWARD": "redeemed",  # points go when a reward is made, not when it is used,
    "DELETE_REWARD": "adjusted",  # and come back when it is deleted
    "ADJUST_POINTS": "adjusted",
    "EXPIRE_POINTS": "expired",
}
_DETAILS = (*(name.lower() for name in _ACTIVITIES), "redeem_reward", "other_event")


class LoyaltyEvent(Payload):
    id: str
    type: str
    source: str
    created_at: Moment
    loyalty_account_id: str
    points: int | None = Field(None, validation_alias=AliasChoices(*(AliasPath(name, "points") for name in _DETAILS)))
    order_id: str | None = Field(None, validation_alias=AliasChoices(*(AliasPath(name, "order_id") for name in _DETAILS)))


@connector.trigger("loyalty.event.created", key="activity_id", fetch_if="till_loyalty")
def loyalty_event(event: LoyaltyEvent, client: Client | None) -> LoyaltyActivity | None:
    """Square Loyalty gave or took points; `ours` when it was done by API, as the hub does it, and not at the till."""
    if client is None:
        return None
    account = client.get("/v2/loyalty/accounts/{id}", at={"id": event.loyalty_account_id})["loyalty_account"]
    kind, points = _ACTIVITIES.get(event.type, "other"), event.points or 0
    return LoyaltyActivity(
        occurred_at=event.created_at,
        customer=_person(account.get("customer_id"), phone=(account.get("mapping") or {}).get("phone_number")),
        references=_references(order=event.order_id, loyalty_account=event.loyalty_account_id),
        activity_id=event.id,
        kind=kind,
        points=-abs(points) if kind in {"redeemed", "expired"} else points,
        order_id=event.order_id,
        ours=event.source == "LOYALTY_API",
    )


class Revocation(Payload):
    revoked_at: Moment | None = None
    revoker_type: str = "somebody"


@connector.trigger("oauth.authorization.revoked", key="occurred_at")
def authorization_revoked(revocation: Revocation) -> ConnectionRevoked:
    """Square took the hub's access back; a person must connect it again."""
    return ConnectionRevoked(occurred_at=revocation.revoked_at, reason=f"revoked by the {revocation.revoker_type.lower()}")


def _pulled(kind: str, thing: dict[str, Any]) -> Item:
    return Item(kind, thing, at=datetime.fromisoformat(thing.get("updated_at") or thing["created_at"]))


@connector.pull(payment_completed, every="10 minutes")
def payments_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every payment that changed since then, in all locations; one taken offline may come days late, so not by its date."""
    query = {"updated_at_begin_time": since, "sort_field": "UPDATED_AT", "sort_order": "ASC", "limit": 100}
    for location in client.get("/v2/locations").get("locations", ()):
        where = {**query, "location_id": location["id"]}
        for payment in client.pages("/v2/payments", items="payments", next=pages.cursor("cursor"), query=where):
            yield _pulled("payment.updated", payment)


@connector.pull(refund_completed, every="10 minutes")
def refunds_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every refund that changed since then."""
    query = {"updated_at_begin_time": since, "sort_field": "UPDATED_AT", "sort_order": "ASC", "limit": 100}
    for refund in client.pages("/v2/refunds", items="refunds", next=pages.cursor("cursor"), query=query):
        yield _pulled("refund.updated", refund)


@connector.pull(customer_changed, every="1 hour")
def customers_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every customer whose record was created or changed since then; deleted ones are told by webhook alone."""
    asked = {"query": {"filter": {"updated_at": {"start_at": since}}}, "limit": 100}
    after = pages.cursor("cursor", into="json")
    for customer in client.pages("/v2/customers/search", items="customers", next=after, method="POST", json=asked):
        is_new = datetime.fromisoformat(customer["created_at"]) >= since
        yield _pulled("customer.created" if is_new else "customer.updated", customer)


@connector.pull(loyalty_event, every="10 minutes")
def loyalty_events_since(client: Client, settings: Settings, since: datetime) -> Iterator[Item]:
    """Every change that Square Loyalty made since then, where the till gives points."""
    if settings["till_loyalty"]:
        asked = {"query": {"filter": {"date_time_filter": {"created_at": {"start_at": since}}}}, "limit": 30}
        after = pages.cursor("cursor", into="json")
        for event in client.pages("/v2/loyalty/events/search", items="events", next=after, method="POST", json=asked):
            yield _pulled("loyalty.event.created", event)


AccountId = Annotated[str, "the loyalty account's id, for instance from enrol_member"]
CustomerId = Annotated[str, "the customer's id at Square"]
GroupId = Annotated[str, "the group's id: Customers > Groups"]
LocationId = Annotated[str, "the location where it counts, for instance event.location"]
TierId = Annotated[str, "the id of the reward tier in the Square Loyalty programme"]
RewardId = Annotated[str, "the reward's id, from create_reward"]
HowMany = Annotated[Points | None, "how many; without it Square works them out by its own rules, from the order"]
OrderId = Annotated[str | None, "the order's id, for instance event.order_id"]
Owner = Annotated[str | None, "the id at Square of the customer whose it is"]
Amount = Annotated[Money, "how much is put on it; nobody pays for it"]
CardId = Annotated[str, "the gift card's id, from create_gift_card"]
CardCurrency = Annotated[Currency, "the currency of the location"]


class LoyaltyPoints(BaseModel):
    """points: what Square gave or took. outcome: `already_given` when the till had given points for the order before."""

    points: Points
    outcome: Literal["done", "already_given"] = "done"


class LoyaltyAccount(BaseModel):
    """A member's account in Square Loyalty."""

    account_id: str
    balance: Points = 0
    customer_id: str | None = None


class Reward(BaseModel):
    """A reward of Square Loyalty."""

    reward_id: str
    status: Literal["ISSUED", "REDEEMED", "DELETED"]


class SquareCustomer(BaseModel):
    """created: there was none before."""

    customer_id: str
    created: bool = False


class GiftCard(BaseModel):
    """gan: the number that the customer shows or types in."""

    gift_card_id: str
    gan: str
    balance: Money


@connector.action(repeat="keyed")
def accumulate_points(
    client: Client, *, account_id: AccountId, location_id: LocationId, points: HowMany = None, order_id: OrderId = None
) -> LoyaltyPoints:
    """Give Square Loyalty points for a sale, unless the till gave the order some; without `points` Square works them out."""
    if not (points or order_id):
        raise ValueError("say `points`, `order_id`, or both")
    if order_id:
        asked = {"query": {"filter": {"order_filter": {"order_id": order_id}}}, "limit": 30}
        told = client.post("/v2/loyalty/events/search", json=asked, safe=True).get("events", ())
        at_till = [event for event in _events(told) if event.source == "SQUARE" and _ACTIVITIES.get(event.type) == "earned"]
        if at_till:
            return LoyaltyPoints(points=sum(event.points or 0 for event in at_till), outcome="already_given")
    given = {"location_id": location_id, "accumulate_points": {"points": points} if points else {"order_id": order_id}}
    answer = client.post("/v2/loyalty/accounts/{id}/accumulate", at={"id": account_id}, json=given)
    return LoyaltyPoints(points=sum(event.points or 0 for event in _events(answer["events"])))


def _events(told: Sequence[Any]) -> list[LoyaltyEvent]:
    return [LoyaltyEvent.model_validate(event) for event in told]


@connector.action(repeat="keyed")
def adjust_points(
    client: Client,
    *,
    account_id: AccountId,
    points: Annotated[Points, "how many to add, or, below zero, to take"],
    reason: Annotated[str, "why; staff see it at Square"] = "",
    allow_negative: Annotated[bool, "whether the balance may fall below zero"] = False,
) -> LoyaltyPoints:
    """Add or take Square Loyalty points: so the till shows what the hub's ledger says."""
    asked = {"adjust_points": {"points": points, "reason": reason[:3500] or None}, "allow_negative_balance": allow_negative}
    answer = client.post("/v2/loyalty/accounts/{id}/adjust", at={"id": account_id}, json=asked)
    return LoyaltyPoints(points=_events([answer["event"]])[0].points or 0)


@connector.action(repeat="keyed")
def enrol_member(
    client: Client, *, phone: Annotated[str, "the phone number, with its country: +14155550123"], customer_id: Owner = None
) -> LoyaltyAccount:
    """Find the Square Loyalty account of a phone number, which is all that Square knows members by, or open one."""
    asked = {"query": {"mappings": [{"phone_number": phone}]}, "limit": 1}
    known = client.post("/v2/loyalty/accounts/search", json=asked, safe=True).get("loyalty_accounts")
    if not known:
        programme = client.get("/v2/loyalty/programs/main")["program"]["id"]
        new = {"program_id": programme, "mapping": {"phone_number": phone}, "customer_id": customer_id}
        known = [client.post("/v2/loyalty/accounts", json={"loyalty_account": new})["loyalty_account"]]
    return LoyaltyAccount(
        account_id=known[0]["id"], balance=known[0].get("balance", 0), customer_id=known[0].get("customer_id")
    )


@connector.action(repeat="keyed")
def create_reward(client: Client, *, account_id: AccountId, reward_tier_id: TierId, order_id: OrderId = None) -> Reward:
    """Make a reward of Square Loyalty; its points leave the account now."""
    new = {"loyalty_account_id": account_id, "reward_tier_id": reward_tier_id, "order_id": order_id}
    return _reward(client.post("/v2/loyalty/rewards", json={"reward": new}))


def _reward(answer: Mapping[str, Any]) -> Reward:
    return Reward(reward_id=answer["reward"]["id"], status=answer["reward"]["status"])


@connector.action(repeat="keyed")
def redeem_reward(client: Client, *, reward_id: RewardId, location_id: LocationId) -> Reward:
    """Mark a reward of Square Loyalty as used."""
    client.post("/v2/loyalty/rewards/{id}/redeem", at={"id": reward_id}, json={"location_id": location_id})
    return Reward(reward_id=reward_id, status="REDEEMED")


@connector.action
def delete_reward(client: Client, *, reward_id: RewardId) -> Reward:
    """Take back a reward of Square Loyalty that was not used; its points return to the account."""
    client.delete("/v2/loyalty/rewards/{id}", at={"id": reward_id})
    return Reward(reward_id=reward_id, status="DELETED")


@connector.lookup(delete_reward)
def deleted_before(client: Client, *, reward_id: RewardId) -> Reward | None:
    """Square takes no key for a deletion, but remembers what was deleted."""
    reward = _reward(client.get("/v2/loyalty/rewards/{id}", at={"id": reward_id}))
    return reward if reward.status == "DELETED" else None


@connector.action(repeat="keyed")
def upsert_customer(
    client: Client,
    *,
    customer_id: Annotated[
        str | None, "the customer's id at Square; without it, who has this e-mail or else this phone"
    ] = None,
    email: Annotated[str | None, "the e-mail address"] = None,
    phone: Annotated[str | None, "the phone number, with its country: +14155550123"] = None,
    first_name: Annotated[str | None, "the first name"] = None,
    last_name: Annotated[str | None, "the last name"] = None,
    note: Annotated[str | None, "a note that staff see at the till"] = None,
) -> SquareCustomer:
    """Change a customer's record, or make one where there is none; what is left out stays as it is."""
    wanted = {"email_address": email, "phone_number": phone, "given_name": first_name, "family_name": last_name, "note": note}
    # The search lags up to a minute behind: of two calls for one new customer within it, each may make a record.
    known = customer_id or _found(client, "email_address", email) or _found(client, "phone_number", phone)
    if known:  # the same change twice is one, and Square takes no key for it
        client.put("/v2/customers/{id}", at={"id": known}, json=wanted, safe=True)
        return SquareCustomer(customer_id=known)
    return SquareCustomer(customer_id=client.post("/v2/customers", json=wanted)["customer"]["id"], created=True)


def _found(client: Client, name: str, value: str | None) -> str | None:
    asked = {"query": {"filter": {name: {"exact": value}}}, "limit": 1}
    found = client.post("/v2/customers/search", json=asked, safe=True).get("customers") if value else None
    return str(found[0]["id"]) if found else None


ATTRIBUTE = "/v2/customers/{id}/custom-attributes/{key}"


@connector.action(repeat="keyed")
def set_custom_attribute(
    client: Client,
    *,
    customer_id: CustomerId,
    attribute: Annotated[str, "the attribute's key, as it was defined"],
    value: Annotated[Any, "text, a number, true or false: as the attribute was defined"],
) -> None:
    """Set a custom attribute of a customer, for instance the tier."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)  # Square's numbers are text
    asked = {"custom_attribute": {"value": value}}
    client.post(ATTRIBUTE, at={"id": customer_id, "key": attribute}, json=asked)


def _keys(client: Client, names: Collection[str]) -> dict[str, str]:
    """Attributes' keys by the names that they have in the Dashboard; what is no name there is a key."""
    asked = [name for name in names if ":" not in name]
    path, told = "/v2/customers/custom-attribute-definitions", pages.cursor("cursor")
    rows = client.pages(path, items="custom_attribute_definitions", next=told, query={"limit": 100}) if asked else ()
    named = {row.get("name"): row["key"] for row in rows}
    return {name: named.get(name, name) for name in names}


@connector.action(repeat="safe")
def set_custom_attributes(
    client: Client,
    *,
    customer_id: CustomerId,
    attributes: Annotated[dict[str, str], "texts and numbers by the attributes' names or keys; an empty text takes one away"],
) -> None:
    """Set several custom attributes of a customer, which staff see at the till."""
    for name, key in _keys(client, attributes).items():
        at = {"id": customer_id, "key": key}
        if attributes[name]:
            client.post(ATTRIBUTE, at=at, json={"custom_attribute": {"value": attributes[name]}})
        elif client.find(ATTRIBUTE, at=at) is not None:
            client.delete(ATTRIBUTE, at=at)


@connector.mirror(set_custom_attributes)
def as_customer(one: Mirrored) -> dict[str, Any] | None:
    """The customer whose attributes show a member's points."""
    return {"customer_id": one.customer.id, "attributes": one.texts} if one.customer.id else None


@connector.mirrored
def customer_attributes(client: Client, one: Mirrored) -> Shown | None:
    """What a customer's attributes say; a customer whose id is not known is found by e-mail, or else by phone."""
    who = one.customer
    number = who.id or _found(client, "email_address", who.email) or _found(client, "phone_number", who.phone)
    if number is None or client.find("/v2/customers/{id}", at={"id": number}) is None:
        return None
    keys = _keys(client, one.fields)
    found = {name: client.find(ATTRIBUTE, at={"id": number, "key": key}) for name, key in keys.items()}
    return Shown({name: told["custom_attribute"]["value"] if told else None for name, told in found.items()}, number)


@connector.action(repeat="safe")
def add_to_group(client: Client, *, customer_id: CustomerId, group_id: GroupId) -> None:
    """Put a customer into a group, for instance that of a tier."""
    client.put("/v2/customers/{id}/groups/{group}", at={"id": customer_id, "group": group_id})


@connector.action(repeat="safe")
def remove_from_group(client: Client, *, customer_id: CustomerId, group_id: GroupId) -> None:
    """Take a customer out of a group."""
    client.delete("/v2/customers/{id}/groups/{group}", at={"id": customer_id, "group": group_id})


@connector.action(repeat="keyed", spends=spends("amount", "currency", order="gift_card_id"))
def create_gift_card(
    client: Client, *, location_id: LocationId, amount: Amount, currency: CardCurrency, customer_id: Owner = None
) -> GiftCard:
    """Make a digital gift card with an amount on it, as a present."""
    new = {"location_id": location_id, "gift_card": {"type": "DIGITAL"}}
    card = client.post("/v2/gift-cards", json=new)["gift_card"]["id"]
    # Square wants to hear with what it was paid; for a present a word of our own stands there (unverified).
    details = {"amount_money": _cents(amount, currency), "buyer_payment_instrument_ids": ["loyalty-reward"]}
    made = _card_activity(client, card, location_id, {"type": "ACTIVATE", "activate_activity_details": details})
    if customer_id:
        client.post("/v2/gift-cards/{id}/link-customer", at={"id": card}, json={"customer_id": customer_id}, safe=True)
    return made


@connector.action(repeat="keyed", spends=spends("amount", "currency"))
def load_gift_card(
    client: Client, *, gift_card_id: CardId, location_id: LocationId, amount: Amount, currency: CardCurrency
) -> GiftCard:
    """Add an amount to a gift card that is active, as a present."""
    details = {"amount_money": _cents(amount, currency), "reason": "COMPLIMENTARY"}
    asked = {"type": "ADJUST_INCREMENT", "adjust_increment_activity_details": details}
    return _card_activity(client, gift_card_id, location_id, asked)


def _cents(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"amount": to_minor(amount, currency), "currency": currency}


def _card_activity(client: Client, card: str, location_id: str, asked: Mapping[str, Any]) -> GiftCard:
    activity = {**asked, "location_id": location_id, "gift_card_id": card}
    done = client.post("/v2/gift-cards/activities", json={"gift_card_activity": activity})["gift_card_activity"]
    balance = Cents.model_validate(done["gift_card_balance_money"]).exact()
    return GiftCard(gift_card_id=card, gan=done["gift_card_gan"], balance=balance)


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

ORDER_ID, PAYMENT_ID = "03O3USaPaAaFnI6kkwB1JxGgBsUZY", "hYy9pRFVxpDsO1FB05SunFWUe9JZY"
CUSTOMER_ID, LOCATION_ID = "QPTXM8PQNX3Q726ZYHPMNP46XC", "S8GWD5R9QB376"
ACCOUNT_ID, PROGRAM_ID = "5adcb100-07f1-4ee7-b8c6-6bb9ebc474bd", "d619f755-2d17-41f3-990d-c04ecedd64dd"
REWARD_ID, TIER_ID = "a8f43ebe-2ad6-3001-bdd5-7d7c2da08943", "e1b39225-9da5-43d1-a5db-782cdd8ad94f"
CARD_ID, GAN = "gftc:6cbacbb64cf54e2ca9f573d619038059", "7783320001001635"
AT = {"created_at": "2026-02-06T21:27:30.792Z", "updated_at": "2026-02-06T21:27:34.308Z"}


def _usd(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "USD"}


def _notice(kind: str, name: str, thing: Mapping[str, Any], **beside: Any) -> dict[str, Any]:
    told = {"type": name, "id": thing.get("id"), "object": {name: thing, **beside}}
    event = {"merchant_id": "ML4QPKMGXY82H", "event_id": "6a8f5f28-54a1-4eb0-a98a-3111513fd4fc", "type": kind}
    return {**event, "created_at": AT["updated_at"], "data": told}


PAYMENT = {
    **AT, "id": PAYMENT_ID, "status": "COMPLETED", "source_type": "CARD", "amount_money": _usd(1850), "tip_money": _usd(150),
    "total_money": _usd(2000), "location_id": LOCATION_ID, "order_id": ORDER_ID, "customer_id": CUSTOMER_ID,
    "application_details": {"square_product": "SQUARE_POS"},
}
UNKNOWN = {name: value for name, value in PAYMENT.items() if name != "customer_id"}
LINE = {
    "uid": "1", "name": "Flat white", "catalog_object_id": "W62UWFY35CWMYGVWK6TWJDNI", "quantity": "2", "item_type": "ITEM",
    "gross_sales_money": _usd(900), "total_discount_money": _usd(100), "total_tax_money": _usd(50), "total_money": _usd(850),
}
CARD_LINE = {"uid": "2", "name": "Gift card", "quantity": "1", "item_type": "GIFT_CARD", "total_money": _usd(1000)}
ORDER = {
    **AT, "id": ORDER_ID, "location_id": LOCATION_ID, "state": "COMPLETED", "line_items": [LINE, CARD_LINE],
    "tenders": [{"type": "CARD", "customer_id": CUSTOMER_ID}],
    "net_amounts": {"total_money": _usd(2000), "tax_money": _usd(50), "tip_money": _usd(150), "discount_money": _usd(100)},
}
REFUND = {
    "id": f"{PAYMENT_ID}_R1", "status": "COMPLETED", "payment_id": PAYMENT_ID, "order_id": "tKpLwd9lLd0gEBE3aQ",
    "location_id": LOCATION_ID, "amount_money": _usd(500), "reason": "Broken cup", "created_at": "2026-02-07T10:00:58Z",
    "updated_at": "2026-02-07T10:01:02Z",
}
RETURN = {
    "location_id": LOCATION_ID, "return_amounts": {"total_money": _usd(500), "tax_money": _usd(25)},
    "returns": [{"source_order_id": ORDER_ID, "return_line_items": [
        {"name": "Flat white", "quantity": "1", "total_tax_money": _usd(25), "total_money": _usd(500)}]}],
}
BOOKING = {
    **AT, "id": "zkras0xv0xwswx", "version": 1, "status": "CANCELLED_BY_CUSTOMER", "start_at": "2026-02-10T09:00:00Z",
    "location_id": LOCATION_ID, "customer_id": CUSTOMER_ID,
    "appointment_segments": [{"team_member_id": "TMXUrsBWWcHTt79t", "service_variation_id": "RU3PBTZTK7DXZDQFCJHOK2MC"}],
}
CUSTOMER = {
    "id": CUSTOMER_ID, "given_name": "Ada", "family_name": "Ng", "email_address": "ada@example.com", "birthday": "0000-12-10",
    "phone_number": "+14155551234", "creation_source": "INSTANT_PROFILE", "version": 0, "created_at": "2026-02-06T20:00:00Z",
}
MERGE = {"merge": {"from_customer_ids": ["OLD2", "OLD1"], "to_customer_id": CUSTOMER_ID}}
EARNED = {
    "id": "ee46aafd-1af6-3695-a385-276e2ef0be26", "type": "ACCUMULATE_POINTS", "source": "SQUARE", "location_id": LOCATION_ID,
    "loyalty_account_id": ACCOUNT_ID, "created_at": "2026-02-06T21:27:39Z",
    "accumulate_points": {"loyalty_program_id": PROGRAM_ID, "order_id": ORDER_ID, "points": 18},
}
ADJUSTED = {
    "id": "3a2b1c00-1af6-3695-a385-276e2ef0be27", "type": "ADJUST_POINTS", "source": "LOYALTY_API",
    "loyalty_account_id": ACCOUNT_ID, "created_at": "2026-02-06T21:27:39Z",
    "adjust_points": {"loyalty_program_id": PROGRAM_ID, "points": -5, "reason": "Mirror"},
}
ACCOUNT = {
    "id": ACCOUNT_ID, "program_id": PROGRAM_ID, "balance": 18, "lifetime_points": 18, "customer_id": CUSTOMER_ID,
    "mapping": {"phone_number": "+14155551234"},
}
REWARD = {"id": REWARD_ID, "status": "ISSUED", "loyalty_account_id": ACCOUNT_ID, "reward_tier_id": TIER_ID, "points": 10}
CARD = {"id": CARD_ID, "type": "DIGITAL", "gan": GAN, "state": "PENDING", "balance_money": _usd(0)}
ACTIVITY = {
    "id": "gcact_c8f8cbf1f24b448d8ecf39ed03f97864", "type": "ACTIVATE", "location_id": LOCATION_ID, "gift_card_id": CARD_ID,
    "gift_card_gan": GAN, "gift_card_balance_money": _usd(1000), "created_at": "2026-02-06T21:27:39Z",
}
REVOKED = {"revoked_at": "2026-02-06T21:27:34.246373287Z", "revoker_type": "MERCHANT"}
KNOWN = {"query": {"filter": {"email_address": {"exact": "ada@example.com"}}}, "limit": 1}
OF_ORDER = {"query": {"filter": {"order_filter": {"order_id": ORDER_ID}}}}
DETAILED = {"settings": {"lines": True}, "asks": [f"GET /v2/orders/{ORDER_ID}"]}
SINCE = "2026-02-06T20:00:00Z"
CHANGED = {"updated_at_begin_time": SINCE, "sort_field": "UPDATED_AT", "sort_order": "ASC", "limit": "100"}

connector.sample(
    payment_completed, _notice("payment.updated", "payment", PAYMENT),
    gives={"amount": "18.50", "tip": "1.50", "total": "20.00", "payment_id": PAYMENT_ID, "channel": "pos"},
)
connector.sample(payment_completed, _notice("payment.created", "payment", PAYMENT | {"status": "APPROVED"}), gives=None)
connector.sample(
    payment_completed, _notice("payment.created", "payment", UNKNOWN), **DETAILED,
    reply=[{"order": ORDER}],
    gives={"amount": "8.00", "tax": "0.50", "discount": "1.00", "customer": {"id": CUSTOMER_ID},
           "lines": [{"title": "Flat white", "quantity": "2", "net": "8.00"}]},
)
connector.sample(
    payment_completed, _notice("payment.created", "payment", PAYMENT | {"amount_money": _usd(925)}), **DETAILED,
    reply=[{"order": ORDER}], gives={"amount": "4.00", "tax": None, "lines": []}, note="half of a bill that was split",
)
connector.sample(
    refund_completed, _notice("refund.updated", "refund", REFUND),
    gives={"amount": "5.00", "order_id": None, "references": [{"kind": "payment", "id": PAYMENT_ID}]},
)
connector.sample(refund_completed, _notice("refund.created", "refund", REFUND | {"status": "PENDING"}), gives=None)
connector.sample(
    refund_completed, _notice("refund.updated", "refund", REFUND), settings={"lines": True},
    asks=["GET /v2/orders/tKpLwd9lLd0gEBE3aQ"], reply=[{"order": RETURN}],
    gives={"amount": "4.75", "total": "5.00", "order_id": ORDER_ID, "lines": [{"net": "4.75"}]},
)
connector.sample(
    refund_completed, _notice("refund.updated", "refund", REFUND | {"payment_id": None, "unlinked": True}),
    gives={"payment_id": None, "references": []}, note="belongs to no sale",
)
connector.sample(
    booking_changed, _notice("booking.updated", "booking", BOOKING),
    gives={"booking_id": "zkras0xv0xwswx", "status": "cancelled", "cancelled_by": "customer", "starts_at": BOOKING["start_at"]},
)
connector.sample(
    booking_changed, _notice("booking.updated", "booking", BOOKING | {"status": "NO_SHOW"}), gives={"status": "no_show"}
)
connector.sample(
    customer_changed, _notice("customer.created", "customer", CUSTOMER),
    gives={"customer": {"phone": "+14155551234", "birthday": "0004-12-10"}, "created": True, "version": "0"},
)
connector.sample(
    customer_changed, _notice("customer.deleted", "customer", CUSTOMER), gives={"version": "deleted", "deleted": True}
)
connector.sample(
    customers_merged, _notice("customer.deleted", "customer", CUSTOMER | {"id": "OLD1"}, event_context=MERGE),
    gives={"customer": {"id": CUSTOMER_ID}, "merged_ids": ["OLD1", "OLD2"]},
)
connector.sample(
    loyalty_event, _notice("loyalty.event.created", "loyalty_event", EARNED), settings={"till_loyalty": True},
    asks=f"GET /v2/loyalty/accounts/{ACCOUNT_ID}", reply={"loyalty_account": ACCOUNT},
    gives={"kind": "earned", "points": 18, "order_id": ORDER_ID, "ours": False, "customer": {"phone": "+14155551234"}},
)
connector.sample(
    loyalty_event, _notice("loyalty.event.created", "loyalty_event", ADJUSTED), settings={"till_loyalty": True},
    asks=f"GET /v2/loyalty/accounts/{ACCOUNT_ID}", reply={"loyalty_account": ACCOUNT},
    gives={"kind": "adjusted", "points": -5, "order_id": None, "ours": True},
)
connector.sample(
    authorization_revoked, _notice("oauth.authorization.revoked", "revocation", REVOKED),
    gives={"occurred_at": "2026-02-06T21:27:34.246373Z", "reason": "revoked by the merchant"},
)
connector.sample(
    payments_since, SINCE,
    asks=["GET /v2/locations", ask("GET /v2/payments", query={**CHANGED, "location_id": LOCATION_ID}),
          ask("GET /v2/payments", query={**CHANGED, "location_id": LOCATION_ID, "cursor": "next"})],
    reply=[{"locations": [{"id": LOCATION_ID}]}, {"payments": [PAYMENT], "cursor": "next"}, {}], gives=[{"amount": "18.50"}],
)
connector.sample(
    refunds_since, SINCE, asks=[ask("GET /v2/refunds", query=CHANGED)], reply=[{"refunds": [REFUND]}],
    gives=[{"amount": "5.00"}],
)
connector.sample(
    customers_since, SINCE,
    asks=[ask("POST /v2/customers/search", json={"query": {"filter": {"updated_at": {"start_at": SINCE}}}, "limit": 100})],
    reply=[{"customers": [CUSTOMER]}], gives=[{"created": True}],
)
connector.sample(
    loyalty_events_since, SINCE, settings={"till_loyalty": True},
    asks=[ask("POST /v2/loyalty/events/search",
              json={"query": {"filter": {"date_time_filter": {"created_at": {"start_at": SINCE}}}}}),
          f"GET /v2/loyalty/accounts/{ACCOUNT_ID}"],
    reply=[{"events": [EARNED]}, {"loyalty_account": ACCOUNT}], gives=[{"points": 18, "ours": False}],
)
connector.sample(
    accumulate_points, {"account_id": ACCOUNT_ID, "location_id": LOCATION_ID, "points": 18, "order_id": ORDER_ID},
    asks=[ask("POST /v2/loyalty/events/search", json=OF_ORDER),
          ask(f"POST /v2/loyalty/accounts/{ACCOUNT_ID}/accumulate",
              json={"location_id": LOCATION_ID, "accumulate_points": {"points": 18}})],
    reply=[{}, {"events": [EARNED | {"source": "LOYALTY_API"}]}], gives={"points": 18, "outcome": "done"},
)
connector.sample(
    accumulate_points, {"account_id": ACCOUNT_ID, "location_id": LOCATION_ID, "order_id": ORDER_ID},
    asks=[ask("POST /v2/loyalty/events/search", json=OF_ORDER)], reply=[{"events": [EARNED]}],
    gives={"points": 18, "outcome": "already_given"}, note="the till was first",
)
connector.sample(
    adjust_points, {"account_id": ACCOUNT_ID, "points": -5, "reason": "Mirror"},
    asks=ask(f"POST /v2/loyalty/accounts/{ACCOUNT_ID}/adjust", json={"adjust_points": {"points": -5, "reason": "Mirror"}}),
    reply={"event": ADJUSTED}, gives={"points": -5},
)
connector.sample(
    enrol_member, {"phone": "+14155551234", "customer_id": CUSTOMER_ID},
    asks=[ask("POST /v2/loyalty/accounts/search", json={"query": {"mappings": [{"phone_number": "+14155551234"}]}}),
          "GET /v2/loyalty/programs/main",
          ask("POST /v2/loyalty/accounts", json={"loyalty_account": {"program_id": PROGRAM_ID, "customer_id": CUSTOMER_ID}})],
    reply=[{}, {"program": {"id": PROGRAM_ID}}, {"loyalty_account": ACCOUNT}], gives={"account_id": ACCOUNT_ID, "balance": 18},
)
connector.sample(
    create_reward, {"account_id": ACCOUNT_ID, "reward_tier_id": TIER_ID},
    asks=ask("POST /v2/loyalty/rewards", json={"reward": {"loyalty_account_id": ACCOUNT_ID, "reward_tier_id": TIER_ID}}),
    reply={"reward": REWARD}, gives={"reward_id": REWARD_ID, "status": "ISSUED"},
)
connector.sample(
    redeem_reward, {"reward_id": REWARD_ID, "location_id": LOCATION_ID},
    asks=ask(f"POST /v2/loyalty/rewards/{REWARD_ID}/redeem", json={"location_id": LOCATION_ID}), reply={"event": ADJUSTED},
    gives={"status": "REDEEMED"},
)
connector.sample(delete_reward, {"reward_id": REWARD_ID}, asks=f"DELETE /v2/loyalty/rewards/{REWARD_ID}", reply={})
connector.sample(
    deleted_before, {"reward_id": REWARD_ID}, asks=f"GET /v2/loyalty/rewards/{REWARD_ID}",
    reply={"reward": REWARD | {"status": "DELETED"}}, gives={"status": "DELETED"},
)
connector.sample(
    upsert_customer, {"email": "ada@example.com", "first_name": "Ada"},
    asks=[ask("POST /v2/customers/search", json=KNOWN), ask("POST /v2/customers", json={"given_name": "Ada"})],
    reply=[{}, {"customer": CUSTOMER}], gives={"customer_id": CUSTOMER_ID},
)
connector.sample(
    upsert_customer, {"email": "ada@example.com", "last_name": "Ng"},
    asks=[ask("POST /v2/customers/search", json=KNOWN), ask(f"PUT /v2/customers/{CUSTOMER_ID}", json={"family_name": "Ng"})],
    reply=[{"customers": [CUSTOMER]}, {"customer": CUSTOMER}], gives={"customer_id": CUSTOMER_ID},
)
connector.sample(
    set_custom_attribute, {"customer_id": CUSTOMER_ID, "attribute": "tier", "value": "Gold"},
    asks=ask(f"POST /v2/customers/{CUSTOMER_ID}/custom-attributes/tier", json={"custom_attribute": {"value": "Gold"}}),
    reply={"custom_attribute": {"key": "tier", "value": "Gold"}},
)
ATTRIBUTES = f"/v2/customers/{CUSTOMER_ID}/custom-attributes"
DEFINED = {"custom_attribute_definitions": [{"key": "square:7f3a", "name": "Points"}, {"key": "square:9c1b", "name": "Tier"}]}
DEFINITIONS = "GET /v2/customers/custom-attribute-definitions"
SHOWN: dict[str, Any] = {"customer": {"id": CUSTOMER_ID}, "fields": {"Points": 120, "square:9c1b": None}}
SAYS_120 = {"custom_attribute": {"key": "square:7f3a", "value": "120"}}
NO_ATTRIBUTE = answers(404, {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "NOT_FOUND"}]})
connector.sample(
    set_custom_attributes, {"customer_id": CUSTOMER_ID, "attributes": {"Points": "120", "tier": ""}},
    asks=[DEFINITIONS, ask(f"POST {ATTRIBUTES}/square:7f3a", json={"custom_attribute": {"value": "120"}}),
          f"GET {ATTRIBUTES}/tier", f"DELETE {ATTRIBUTES}/tier"],
    reply=[DEFINED, SAYS_120, {"custom_attribute": {"key": "tier", "value": "Gold"}}, {}],
)
connector.sample(
    as_customer, SHOWN, gives={"customer_id": CUSTOMER_ID, "attributes": {"Points": "120", "square:9c1b": ""}},
    asks=[DEFINITIONS, f"POST {ATTRIBUTES}/square:7f3a", f"GET {ATTRIBUTES}/square:9c1b"],
    reply=[DEFINED, SAYS_120, NO_ATTRIBUTE],
)
connector.sample(as_customer, SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    customer_attributes, SHOWN, gives={"id": CUSTOMER_ID, "fields": {"Points": "120", "square:9c1b": None}},
    asks=[f"GET /v2/customers/{CUSTOMER_ID}", DEFINITIONS, f"GET {ATTRIBUTES}/square:7f3a", f"GET {ATTRIBUTES}/square:9c1b"],
    reply=[{"customer": {"id": CUSTOMER_ID}}, DEFINED, SAYS_120, NO_ATTRIBUTE],
)
connector.sample(
    customer_attributes, SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None,
    asks="POST /v2/customers/search", reply={}, note="nobody of this address",
)
connector.sample(
    add_to_group, {"customer_id": CUSTOMER_ID, "group_id": "GOLD"},
    asks=f"PUT /v2/customers/{CUSTOMER_ID}/groups/GOLD", reply={},
)
connector.sample(
    remove_from_group, {"customer_id": CUSTOMER_ID, "group_id": "GOLD"},
    asks=f"DELETE /v2/customers/{CUSTOMER_ID}/groups/GOLD", reply={},
)
connector.sample(
    create_gift_card, {"location_id": LOCATION_ID, "amount": "10.00", "currency": "USD", "customer_id": CUSTOMER_ID},
    asks=[ask("POST /v2/gift-cards", json={"location_id": LOCATION_ID, "gift_card": {"type": "DIGITAL"}}),
          ask("POST /v2/gift-cards/activities", json={"gift_card_activity": {"type": "ACTIVATE", "gift_card_id": CARD_ID}}),
          ask("POST /v2/gift-cards/gftc%3A6cbacbb64cf54e2ca9f573d619038059/link-customer", json={"customer_id": CUSTOMER_ID})],
    reply=[{"gift_card": CARD}, {"gift_card_activity": ACTIVITY}, {"gift_card": CARD}],
    gives={"gift_card_id": CARD_ID, "gan": GAN, "balance": "10.00"},
)
connector.sample(
    load_gift_card, {"gift_card_id": CARD_ID, "location_id": LOCATION_ID, "amount": "2.50", "currency": "USD"},
    asks=ask("POST /v2/gift-cards/activities", json={"gift_card_activity": {
        "adjust_increment_activity_details": {"amount_money": _usd(250), "reason": "COMPLIMENTARY"}}}),
    reply={"gift_card_activity": ACTIVITY | {"type": "ADJUST_INCREMENT"}}, gives={"balance": "10.00"},
)
