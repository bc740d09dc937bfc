"""WooCommerce: hear of paid and refunded orders and of customers, and give coupons, customers' fields and notes on orders.

Setup:
1. WooCommerce > Settings > Advanced > REST API > Add key, for a user who manages the shop, permissions Read/Write. Copy the
   two to `consumer_key` and `consumer_secret`; `store_url` is the shop's address (https://shop.example.com). Settings >
   Permalinks must not be Plain. If right keys are answered with 401, the server drops the header they stand in:
   `keys_in_address: true`.
2. `hub connections subscribe NAME` makes the webhooks, with a secret of their own, and looks each day whether the shop has
   switched them off, as it does after five failures. By hand: WooCommerce > Settings > Advanced > Webhooks > Add webhook, one
   for each of Order created, Order updated, Customer created, Customer updated and Customer deleted: delivery URL
   {webhook_url}, API version v3, and as Secret the text in `webhook_secret` (letters and digits alone). A hub without a public
   address asks.
3. An order counts as paid when it has a date of payment and one of the `paid_statuses` (processing, completed). With
   `paid_statuses: [completed]` it earns when it is completed; name the statuses that plugins add, if they mean as much.
4. Does a points plugin run in the shop? Say which in `points_plugin` (woocommerce, wp_swings or yith). Balances are told then
   as `points_kept`: let a recipe take them over, once for each customer (`once_per: event.customer.id`). After that let the
   hub be the only one who gives points: switch the plugin's points for orders off, and say `plugin_awards: false`. Until then
   `hub check` warns of recipes that award the same orders, and each order for which a plugin gave points is told as
   `plugin_awarded`. The plugins of WP Swings and YITH can go on showing the balance (`mirror: {balance: wps_wpr_points}`, or
   `_ywpar_user_total_points`), but not take points at checkout, for the hub would not hear of it: give coupons. WooCommerce's
   own plugin keeps its balances where no API reaches.
5. Other plugins and themes can show any field of a customer: `mirror: {balance: loyalty_points, tier: loyalty_tier}`.

What is told: the shop sends each delivery once, late, and in any order, as the order is by then: what is lost is asked for
every ten minutes, also where deliveries come. Goods earn after discounts, without tax, shipping and fees; name the products
that are gift cards in `gift_cards`. A refund is looked up for its lines, which say what no longer earns. A paid order that is
cancelled or fails gives back all that it earned; one in the trash does not. Guests are known by e-mail and phone alone. A
customer counts as changed when a name, an address or the role is new, so what the hub writes is no news; only new customers
can be asked for.

What goes out: coupons, and fields by their keys. `add_order_note` is for staff; `mail_order_note` sends the buyer an e-mail,
and asks the gate for messages first. The hub gives no money back.

Not confirmed: that a field is found by its key alone; which order of orders older shops know; how plugins mark orders.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AliasPath, BaseModel, BeforeValidator, Field

from hub.sdk import (
    Answer,
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
    Item,
    Line,
    LoyaltyActivity,
    Mirrored,
    Payload,
    Reference,
    Refund,
    Reply,
    Request,
    Sale,
    Settings,
    Shown,
    Unreadable,
    UtcMoment,
    digest,
    email,
    made_once,
    phone,
    share,
    utc,
)
from hub.sdk.auth import Auth
from hub.sdk.declare import answers, ask, auth, pages, rate, reply, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.values import Currency, Money, Number, Points, SignedMoney

V3 = "/wp-json/wc/v3"
ORDER = f"{V3}/orders/{{id}}"

PluginName = Literal["woocommerce", "wp_swings", "yith"]


class Plugin(NamedTuple):
    """balance: the customers' field in which it keeps points. marks: fields of an order for which it gave points."""

    balance: str
    marks: tuple[str, ...]


PLUGINS = {
    "woocommerce": Plugin("wc_points_balance", ("_wc_points_earned",)),
    "wp_swings": Plugin("wps_wpr_points", ("{id}#item_conversion_id", "{id}#points_assignedon_order_total")),
    "yith": Plugin("_ywpar_user_total_points", ("_ywpar_points_earned",)),
}


class Keys(Auth):
    """The keys as HTTP basic authentication, or in the address, for servers that drop the header."""

    needs = ("consumer_key", "consumer_secret")

    def headers(self, connection: Connection) -> Mapping[str, str]:
        return {} if connection.settings["keys_in_address"] else auth.basic(*self.needs).headers(connection)

    def query(self, connection: Connection) -> Mapping[str, str]:
        if not connection.settings["keys_in_address"]:
            return {}
        return {name: key.reveal() for name in self.needs if (key := connection.settings.secret(name))}


def _items(request: Request) -> Iterator[Item]:
    topic = request.header("X-WC-Webhook-Topic")
    if not topic:
        raise Unreadable("The header X-WC-Webhook-Topic is missing; it says what the delivery is about.")
    yield from _told(topic, request.content(), request.header("X-WC-Webhook-Delivery-ID"))


def _told(topic: str, thing: Any, number: str | None = None) -> Iterator[Item]:
    """A thing, and its refunds: no topic is about them, they are told with their order."""
    moment = thing.get("date_modified_gmt")
    yield Item(topic, thing, number, at=utc(moment) if moment else None)
    for refund in thing.get("refunds") or () if topic.startswith("order.") else ():
        yield Item("refund", {"order": thing, "id": refund["id"]})


def _failure(told: Reply) -> Failure | None:
    code = told.find("code")
    if code == "rest_no_route":
        return Failure("lasting", todo="Choose other permalinks than Plain under Settings > Permalinks of the shop.")
    if told.status == 403:  # the key's user may not; or it is the page of a firewall
        return Failure("reconnect" if code else "passing")
    return None


def _also_awards(settings: Settings) -> str:
    plugin = settings["points_plugin"] if settings["plugin_awards"] else None
    return f"the points plugin (`points_plugin: {plugin}`, while `plugin_awards` is not false)" if plugin else ""


Address = Annotated[str, Field(pattern=r"^https://[^\s/?#]+(/[^\s?#]*)?$")]

connector = Connector(
    "woocommerce",
    title="WooCommerce",
    settings=setting("store_url", "the shop's address (https://…)", Address, example="https://shop.example.com")
    + secret("consumer_key", "WooCommerce > Settings > Advanced > REST API: the consumer key (ck_…)")
    + secret("consumer_secret", "the consumer secret beside it (cs_…)")
    + setting("keys_in_address", "the server drops the header with the keys", bool, default=False)
    + secret("webhook_secret", "with which the shop signs its webhooks; letters and digits", required=False)
    + setting("paid_statuses", "in which an order counts as paid", list[str], default=["processing", "completed"])
    + setting("gift_cards", "ids of the products that are gift cards", list[str], default=[], example=["99"])
    + setting("points_plugin", "the points plugin of the shop: woocommerce, wp_swings or yith", PluginName | None, default=None)
    + setting("plugin_awards", "the points plugin gives points for orders", bool, default=True),
    api="{store_url}",
    auth=Keys(),
    signature=signature.hmac("X-WC-Webhook-Signature", "webhook_secret", encoding="base64"),
    envelope=_items,
    failures=_failure,
    rate=rate("5 per second"),
    also_awards=_also_awards,
)


@connector.handshake
def ping(request: Request) -> Answer | None:
    """A webhook that is saved is tried with a form that nobody signed; 200 is all that the shop takes for an answer."""
    is_ping = request.is_form and re.fullmatch(rb"webhook_id=[0-9]+", request.body.strip())
    return reply.empty() if is_ping and request.header("X-WC-Webhook-Signature") is None else None


# What comes in --------------------------------------------------------------------------------------------------------

NOTHING = Decimal(0)
Sum = Annotated[Money, BeforeValidator(lambda value: NOTHING if value in ("", None) else value)]
Upper = Annotated[Currency, BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)]


class Billing(Payload):
    address: str = Field("", alias="email")
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    country: str = ""

    def customer(self, number: str | None) -> Customer:
        """Who it is; a phone number is read as one of their country."""
        return Customer(
            id=number,
            email=self.address or None,
            phone=phone(self.phone, self.country or None) or self.phone or None,
            first_name=self.first_name or None,
            last_name=self.last_name or None,
        )


class Meta(Payload):
    key: str
    value: Any = None


class OrderLine(Payload):
    """A line of an order or, with negative numbers, of a refund. total: after discounts, without tax."""

    name: str = ""
    sku: str | None = None
    product: str = Field("0", alias="product_id")
    quantity: Number = Decimal(1)
    total: SignedMoney = NOTHING
    tax: SignedMoney = Field(NOTHING, alias="total_tax")

    def line(self) -> Line:
        return Line(title=self.name[:512], sku=self.sku or None, quantity=abs(self.quantity), net=abs(self.total))


class Coupon(Payload):
    code: str


class Given(Payload):
    """A refund, as its order names it."""

    id: str
    total: SignedMoney = NOTHING


class Order(Payload):
    id: str
    number: str = ""
    status: str
    source: str | None = Field(None, alias="created_via")
    customer: str = Field("0", alias="customer_id")
    currency: Upper
    paid_at: UtcMoment | None = Field(None, alias="date_paid_gmt")
    completed_at: UtcMoment | None = Field(None, alias="date_completed_gmt")
    modified_at: UtcMoment | None = Field(None, alias="date_modified_gmt")
    total: Sum
    tax: Sum = Field(NOTHING, alias="total_tax")
    shipping: Sum = Field(NOTHING, alias="shipping_total")
    shipping_tax: Sum = NOTHING
    discount: Sum = Field(NOTHING, alias="discount_total")
    billing: Billing = Billing()
    line_items: tuple[OrderLine, ...] = ()
    coupons: tuple[Coupon, ...] = Field((), alias="coupon_lines")
    refunds: tuple[Given, ...] = ()
    meta: tuple[Meta, ...] = Field((), alias="meta_data")

    def was_paid(self, settings: Settings) -> bool:
        """Whether it has counted as paid, however it is now."""
        early = "processing" in settings["paid_statuses"]
        return self.paid_at is not None and (early or self.completed_at is not None)

    def sold(self, settings: Settings) -> list[OrderLine]:
        return [line for line in self.line_items if line.product not in settings["gift_cards"]]

    def goods(self, settings: Settings) -> Decimal:
        return max(sum((line.total for line in self.sold(settings)), NOTHING), NOTHING)

    def about(self) -> dict[str, Any]:
        """What every fact about the order says. A customer whose number is 0 is a guest."""
        who = self.billing.customer(self.customer if self.customer != "0" else None)
        references = (Reference(kind="order", id=self.id),)
        known = who if who.is_known() else None
        return {"customer": known, "references": references, "order_id": self.id}


class OrderPaid(Sale):
    """An order that was paid. order_number: as people see it."""

    order_number: Short = ""
    coupons: tuple[Short, ...] = ()

    sample: ClassVar[dict[str, Any]] = {**Sale.sample, "channel": "online"}


CHANNELS: dict[str | None, Literal["pos", "online"]] = {"checkout": "online", "store-api": "online", "pos-rest-api": "pos"}
ORDERS = ("order.updated", "order.created", "order.restored")
UNDONE = {"cancelled", "failed", "refunded"}


@connector.trigger(*ORDERS, key="order_id")
def order_paid(order: Order, settings: Settings) -> OrderPaid | None:
    """An order was paid."""
    if order.paid_at is None or order.status not in settings["paid_statuses"]:
        return None
    return OrderPaid(
        **order.about(),
        occurred_at=order.paid_at,
        amount=order.goods(settings),
        currency=order.currency,
        total=order.total,
        tax=order.tax,
        shipping=order.shipping,
        discount=order.discount,
        channel=CHANNELS.get(order.source, "unknown"),
        lines=tuple(line.line() for line in order.sold(settings)),
        order_number=order.number,
        coupons=tuple(coupon.code for coupon in order.coupons),
    )


@connector.trigger(*ORDERS, key="refund_id")
def order_undone(order: Order, settings: Settings) -> Refund | None:
    """A paid order was cancelled, or has failed; what is left of it earns no more."""
    given_back = -sum((refund.total for refund in order.refunds), NOTHING)
    if order.status not in UNDONE or not order.was_paid(settings) or given_back >= order.total > 0:
        return None  # of what was given back in full the refunds tell it
    said = {"refund_id": f"undone-{order.id}", "reason": order.status, "whole": True}
    return Refund(**order.about(), **said, amount=order.goods(settings), currency=order.currency)


class Row(Payload):
    """A refund, as it is looked up."""

    id: str
    created_at: UtcMoment | None = Field(None, alias="date_created_gmt")
    amount: Money
    reason: str | None = None
    line_items: tuple[OrderLine, ...] = ()
    shipping_lines: tuple[OrderLine, ...] = ()


class RefundNotice(Payload):
    id: str
    order: Order


@connector.trigger("refund", key="refund_id")
def order_refunded(notice: RefundNotice, settings: Settings, client: Client) -> Refund | None:
    """Money went back to a buyer, for all of an order or a part of it."""
    order = notice.order
    if not order.was_paid(settings):
        return None
    rows = client.get(f"{ORDER}/refunds", at={"id": order.id}, query={"per_page": 100})
    found = next((row for row in map(Row.model_validate, rows) if row.id == notice.id), None)
    if found is None:  # taken back meanwhile
        return None
    lines = [line.line() for line in found.line_items if line.product not in settings["gift_cards"]]
    return Refund(
        **order.about(),
        occurred_at=found.created_at,
        amount=sum((line.net for line in lines), NOTHING) if found.line_items else _share(order, found, settings),
        currency=order.currency,
        total=found.amount,
        refund_id=found.id,
        reason=found.reason or "",
        lines=tuple(lines),
    )


def _share(order: Order, given: Row, settings: Settings) -> Decimal:
    """What a refund that names no goods gives back of them: in proportion, what was for shipping left aside."""
    shipping = sum((abs(line.total) + abs(line.tax) for line in given.shipping_lines), NOTHING)
    whole = order.total - order.shipping - order.shipping_tax
    return share(order.goods(settings), max(given.amount - shipping, NOTHING), whole, order.currency)


@connector.trigger(*ORDERS, key="activity_id")
def plugin_awarded(order: Order) -> LoyaltyActivity | None:
    """A points plugin of the shop gave points for an order, for which recipes here may give some too."""
    marks = {mark.format(id=order.id) for plugin in PLUGINS.values() for mark in plugin.marks}
    marked = [one.value for one in order.meta if one.key in marks]
    if not marked or str(marked[0]) in {"", "0"}:  # it has looked at the order, and gave none
        return None
    about, points = order.about(), _points(marked[0]) or 0
    return LoyaltyActivity(**about, occurred_at=order.paid_at, activity_id=f"plugin-{order.id}", kind="earned", points=points)


def _points(value: Any) -> int | None:
    try:
        return int(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError):  # some write words
        return None


class Profile(Payload):
    id: str
    address: str = Field("", alias="email")
    first_name: str = ""
    last_name: str = ""
    role: str = ""
    created_at: UtcMoment | None = Field(None, alias="date_created_gmt")
    phone: str = Field("", validation_alias=AliasPath("billing", "phone"))
    country: str = Field("", validation_alias=AliasPath("billing", "country"))
    meta: tuple[Meta, ...] = Field((), alias="meta_data")

    def customer(self) -> Customer:
        told = self.model_dump(include={"first_name", "last_name", "phone", "country"})
        return Billing(address=self.address, **told).customer(self.id)


class CustomerVersion(CustomerChanged):
    """A customer as they were made or changed. version: of what is read, or `created`."""

    version: Short = ""


@connector.trigger("customer.created", "customer.updated", key=("customer.id", "version"))
def customer_changed(profile: Profile, item: Item) -> CustomerVersion:
    """A customer is new, or a name, an address or the role has changed."""
    is_new = item.kind == "customer.created"
    known = {"customer": profile.customer(), "attributes": {"role": profile.role} if profile.role else {}}
    version = "created" if is_new else digest(known)
    return CustomerVersion(**known, occurred_at=profile.created_at if is_new else None, created=is_new, version=version)


class Gone(Payload):
    id: str


@connector.trigger("customer.deleted", key="customer.id")
def customer_deleted(gone: Gone) -> CustomerChanged:
    """A customer was deleted."""
    return CustomerChanged(customer=Customer(id=gone.id), deleted=True)


class PointsKept(Fact):
    """What a points plugin of the shop keeps for a customer; a recipe may take it over, once."""

    points: Points

    fact = "points_kept"
    sample: ClassVar[dict[str, Any]] = {"customer": Sale.sample["customer"], "points": 120}


@connector.trigger("customer.points", key=("customer.id", "points"), polled=True)
def points_kept(profile: Profile, settings: Settings) -> PointsKept | None:
    """A points plugin of the shop keeps points for a customer."""
    balance = PLUGINS[settings["points_plugin"]].balance if settings["points_plugin"] else None
    points = next((_points(one.value) for one in profile.meta if one.key == balance), None)
    return PointsKept(customer=profile.customer(), points=points) if points and points > 0 else None


def _listed(client: Client, what: str, **query: Any) -> Iterator[Any]:
    asked = {**query, "per_page": 100}
    return client.pages(f"{V3}/{what}", items="", next=pages.page_number(size=100), query=asked)


def _orders(client: Client, since: datetime) -> Iterator[Item]:
    """Orders that were changed since a moment, with their refunds."""
    asked = {"modified_after": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", "dates_are_gmt": "true", "order": "asc"}
    try:
        for order in _listed(client, "orders", **asked, orderby="modified"):
            yield from _told("order.updated", order)
    except CallFailed as failure:
        if failure.status != 400:  # older shops know no such order
            raise
        for order in _listed(client, "orders", **asked, orderby="date"):
            yield from _told("order.updated", order)


@connector.pull(order_paid, always=True)
def paid_orders(client: Client, since: datetime) -> Iterator[Item]:
    """Orders that were changed since a moment."""
    return (item for item in _orders(client, since) if item.kind != "refund")


@connector.pull(order_undone)
def undone_orders(client: Client, since: datetime) -> Iterator[Item]:
    """Cancelled and failed orders that were changed since a moment."""
    return (item for item in _orders(client, since) if item.kind != "refund" and item.data["status"] in UNDONE)


@connector.pull(order_refunded, always=True)
def refunds(client: Client, since: datetime) -> Iterator[Item]:
    """Refunds of orders that were changed since a moment."""
    return (item for item in _orders(client, since) if item.kind == "refund")


@connector.pull(plugin_awarded)
def awarded_orders(client: Client, since: datetime) -> Iterator[Item]:
    """Orders that were changed since a moment, of which a plugin may have marked some."""
    return paid_orders(client, since)


@connector.pull(customer_changed)
def new_customers(client: Client, since: datetime) -> Iterator[Item]:
    """Customers that were made since a moment; shops cannot be asked for those that were changed."""
    for row in _listed(client, "customers", role="all", orderby="registered_date", order="desc"):
        if row["date_created_gmt"] and utc(row["date_created_gmt"]) < since:
            return
        yield Item("customer.created", row)


@connector.pull(points_kept, every="1 day")
def all_points(client: Client, connection: Connection, since: datetime) -> Iterator[Item]:
    """All customers, of whom a points plugin keeps something; not once its field is the hub's own word."""
    plugin = PLUGINS.get(connection.settings["points_plugin"] or "")
    if plugin is None or plugin.balance in connection.mirror.values():
        return
    for row in _listed(client, "customers", role="all", orderby="id", order="asc"):
        if any(one["key"] == plugin.balance for one in row["meta_data"]):
            yield Item("customer.points", row)


TOPICS = ("order.created", "order.updated", "customer.created", "customer.updated", "customer.deleted")


@connector.subscribe(renew="1 day")
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Makes the webhooks, and switches those on again that the shop has switched off."""
    known = connection.settings.secret("webhook_secret")
    key = known.reveal() if known else secrets.token_urlsafe(32)
    ours = {row["topic"]: row for row in _listed(client, "webhooks") if row["delivery_url"] == connection.webhook_url}
    for topic in TOPICS:
        wanted = {"topic": topic, "delivery_url": connection.webhook_url, "secret": key, "status": "active"}
        if topic not in ours:
            client.post(f"{V3}/webhooks", json={**wanted, "name": f"Loyalty hub {connection.name}: {topic}"})
        elif known is None or ours[topic]["status"] != "active":
            client.put(f"{V3}/webhooks/{{id}}", at={"id": ours[topic]["id"]}, json=wanted)
    return {} if known else {"webhook_secret": key}


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back."""
    for row in list(_listed(client, "webhooks")):
        if row["delivery_url"] == connection.webhook_url:
            client.delete(f"{V3}/webhooks/{{id}}", at={"id": row["id"]}, query={"force": "true"})


# What goes out --------------------------------------------------------------------------------------------------------

CustomerId = Annotated[
    str, Field(description="the customer's number, such as {{ event.customer.id }}", pattern="^[1-9][0-9]*$")
]
OrderId = Annotated[str, Field(description="the order's number, such as {{ event.order_id }}", pattern="^[0-9]+$")]


class Made(BaseModel):
    """A coupon. code: what the customer types in; shops write it in small letters."""

    id: str
    code: str


@connector.action(repeat="safe")
def create_coupon(
    client: Client,
    key: CallKey,
    *,
    percent: Annotated[Number | None, Field(description="how many per cent it takes off", gt=0, le=100)] = None,
    amount: Annotated[Money | None, "or how much it takes off the cart, in the currency of the shop"] = None,
    free_shipping: Annotated[bool, "whether shipping is free; alone, or beside the discount"] = False,
    products: Annotated[list[int] | None, "the ids of the only products from which it takes something off"] = None,
    only_for: Annotated[str | None, "the e-mail address of the only customer who may use it"] = None,
    code: Annotated[str | None, Field(description="the code; without it one is made up", min_length=1)] = None,
    prefix: Annotated[str, "what a code that is made up begins with"] = "",
    expires: Annotated[UtcMoment | None, "until when it may be used"] = None,
    minimum: Annotated[Money | None, "the smallest subtotal of an order that takes it"] = None,
    uses: Annotated[int | None, Field(description="how often it may be used, by all together", ge=1)] = 1,
    alone: Annotated[bool, "whether no other coupon may be used beside it"] = False,
) -> Made:
    """Make a coupon: so many per cent, an amount, free shipping, or both."""
    if (percent is None) == (amount is None) and not (free_shipping and percent is None):
        raise ValueError("say `percent` or `amount`, or `free_shipping` alone")
    mark = key.mark()
    said = {
        "code": (code or prefix + mark).lower(),
        "discount_type": "fixed_cart" if percent is None else "percent",
        "amount": f"{amount or percent or NOTHING:f}",
        "description": f"Loyalty reward {mark}",
        "date_expires_gmt": f"{expires:%Y-%m-%dT%H:%M:%S}" if expires else None,
        "minimum_amount": f"{minimum:f}" if minimum else None,
        "usage_limit": uses,
        "individual_use": alone,
        "free_shipping": free_shipping,
        "product_ids": products,
        "email_restrictions": [only_for] if only_for else None,
    }

    def find() -> Any:
        rows = client.get(f"{V3}/coupons", query={"code": said["code"]})
        return next((row for row in rows if row["description"] == said["description"]), None)

    made = made_once(lambda: client.post(f"{V3}/coupons", json=said), find, refused="coupon_code_already_exists")
    return Made(id=str(made["id"]), code=made["code"])


@connector.action(repeat="safe")
def delete_coupon(client: Client, *, coupon: Annotated[str, "the coupon's id, from create_coupon"]) -> None:
    """Take a coupon away, so that it can no longer be used."""
    try:
        client.delete(f"{V3}/coupons/{{id}}", at={"id": coupon}, query={"force": "true"})
    except CallFailed as failure:
        if failure.status != 404:  # it is gone already
            raise


class Fields(BaseModel):
    """A customer, and what their fields should say."""

    customer: CustomerId
    fields: Annotated[dict[str, str], Field(description="values by key; keys that begin with _ are hidden", min_length=1)]


@connector.action(repeat="safe", batch=50)
def set_customer_fields(client: Client, many: list[Fields]) -> list[CallFailed | None]:
    """Write fields (meta data) of a customer, such as points and tier, which plugins and themes can show."""
    wanted: dict[str, dict[str, str]] = {}
    for one in many:
        wanted.setdefault(one.customer, {}).update(one.fields)
    rows = [
        {"id": int(number), "meta_data": [{"key": key, "value": value} for key, value in fields.items()]}
        for number, fields in wanted.items()
    ]
    told = client.post(f"{V3}/customers/batch", json={"update": rows})["update"]
    failed = {str(row["id"]): row["error"] for row in told if "error" in row}
    return [_refused(failed.get(one.customer)) for one in many]


def _refused(error: Mapping[str, Any] | None) -> CallFailed | None:
    said = error and f"WooCommerce did not keep the fields: {error.get('message')} ({error.get('code')})."
    return CallFailed(said, "lasting") if said else None


@connector.mirror(set_customer_fields)
def as_fields(one: Mirrored) -> dict[str, Any] | None:
    """The customer whose fields show a member's points; guests have none."""
    return {"customer": one.customer.id, "fields": one.texts} if one.customer.id else None


@connector.mirrored(batch=50)
def shown_fields(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What customers' fields say; a customer whose number is not known is found by the e-mail address."""
    numbers = [one.customer.id for one in many if one.customer.id]
    asked = {"include": ",".join(numbers), "role": "all", "per_page": 100}
    rows = client.get(f"{V3}/customers", query=asked) if numbers else []
    by_number = {str(row["id"]): row for row in rows}
    found = [by_number.get(one.customer.id) if one.customer.id else _known(client, one.customer.email) for one in many]
    return [_shown(row, one) if row else None for row, one in zip(found, many, strict=True)]


def _shown(row: Mapping[str, Any], one: Mirrored) -> Shown:
    said = {meta["key"]: meta["value"] for meta in row["meta_data"]}
    return Shown({name: said.get(name) for name in one.fields}, id=str(row["id"]))


def _known(client: Client, address: str | None) -> Any:
    rows = client.get(f"{V3}/customers", query={"email": address, "role": "all"}) if address else []
    return rows[0] if rows else None


class ShopCustomer(BaseModel):
    """created: there was none before."""

    customer_id: str
    created: bool = False


@connector.action(repeat="safe")
def upsert_customer(
    client: Client,
    *,
    email: Annotated[str, Field(description="the e-mail address by which the customer is found, or made", min_length=3)],
    first_name: Annotated[str | None, "the first name"] = None,
    last_name: Annotated[str | None, "the last name"] = None,
    phone: Annotated[str | None, "the phone number"] = None,
) -> ShopCustomer:
    """Set a customer's name and number, or make the customer; all else stays as it is."""
    said = {"first_name": first_name, "last_name": last_name, "billing": {"phone": phone} if phone else None}
    known = _known(client, email)
    if known is not None:
        client.put(f"{V3}/customers/{{id}}", at={"id": known["id"]}, json=said)
        return ShopCustomer(customer_id=str(known["id"]))
    made = made_once(
        lambda: client.post(f"{V3}/customers", json={"email": email, **said}),
        lambda: _known(client, email),
        refused="registration-error-email-exists",
    )
    return ShopCustomer(customer_id=str(made["id"]), created=True)


class Noted(BaseModel):
    """A note on an order."""

    id: str


Note = Annotated[str, Field(description="what to write", min_length=1)]


@connector.action(repeat="never")
def add_order_note(client: Client, *, order: OrderId, note: Note) -> Noted:
    """Write a note on an order, for staff."""
    return _noted(client, order, note, for_buyer=False)


@connector.action(repeat="never", channel="email")
def mail_order_note(
    client: Client, *, to: Annotated[str, "the buyer's e-mail address, as the order has it"], order: OrderId, note: Note
) -> Noted:
    """Write a note on an order, which the shop sends to the buyer by e-mail."""
    told = client.get(ORDER, at={"id": order})
    if email(told["billing"]["email"]) != email(to):  # the shop asks nobody where it should go
        raise CallFailed(f"Order {order} has another e-mail address than `to`; its note would go there.", "lasting")
    return _noted(client, order, note, for_buyer=True)


def _noted(client: Client, order: str, note: str, *, for_buyer: bool) -> Noted:
    made = client.post(f"{ORDER}/notes", at={"id": order}, json={"note": note, "customer_note": for_buyer})
    return Noted(id=str(made["id"]))


@connector.lookup(add_order_note)
def added_before(client: Client, started: datetime, *, order: OrderId, note: Note) -> Noted | None:
    """A shop takes no key; what tells a note is its order, since when, and what it says."""
    return _noted_since(client, started, order, note, for_buyer=False)


@connector.lookup(mail_order_note)
def mailed_before(client: Client, started: datetime, *, order: OrderId, note: Note) -> Noted | None:
    """As for a note for staff."""
    return _noted_since(client, started, order, note, for_buyer=True)


def _noted_since(client: Client, started: datetime, order: str, note: str, *, for_buyer: bool) -> Noted | None:
    for row in client.get(f"{ORDER}/notes", at={"id": order}):
        is_new = utc(row["date_created_gmt"]) >= started.replace(microsecond=0)
        if is_new and row["customer_note"] is for_buyer and html.unescape(row["note"]).split() == note.split():
            return Noted(id=str(row["id"]))
    return None


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

BILLING = {"first_name": "Ada", "last_name": "Ng", "email": "ada@example.com", "phone": "(415) 555-1234", "country": "US"}
MUG = {
    "id": 315, "name": "Mug", "product_id": 93, "variation_id": 0, "sku": "MUG", "quantity": 2, "subtotal": "55.00",
    "total": "50.00", "total_tax": "4.20", "price": 25,
}
PAID: dict[str, Any] = {
    "id": 727, "number": "727", "status": "processing", "currency": "USD", "created_via": "checkout", "customer_id": 25,
    "date_created_gmt": "2026-02-06T16:20:01", "date_modified_gmt": "2026-02-06T16:20:05", "date_completed_gmt": None,
    "date_paid_gmt": "2026-02-06T16:20:05", "total": "60.20", "total_tax": "4.20", "discount_total": "5.00",
    "shipping_total": "6.00", "shipping_tax": "0.00", "payment_method": "stripe", "transaction_id": "pi_3Sx1",
    "billing": BILLING, "line_items": [MUG], "coupon_lines": [{"id": 20, "code": "loy5", "discount": "5.00"}], "refunds": [],
    "meta_data": [{"id": 901, "key": "_loyalty_id", "value": "loy-1001"}],
}
AWARDED = PAID | {"meta_data": [{"id": 902, "key": "_wc_points_earned", "value": "50"}]}
GIVEN_BACK = PAID | {
    "date_modified_gmt": "2026-02-07T09:00:00", "refunds": [{"id": 731, "reason": "damaged", "total": "-27.10"}]
}
ROW = {
    "id": 731, "date_created_gmt": "2026-02-07T09:00:00", "amount": "27.10", "reason": "damaged", "shipping_lines": [],
    "line_items": [MUG | {"id": 400, "quantity": -1, "subtotal": "-25.00", "total": "-25.00", "total_tax": "-2.10"}],
}
ADA = {
    "id": 25, "email": "ada@example.com", "first_name": "Ada", "last_name": "Ng", "role": "customer", "username": "ada",
    "date_created_gmt": "2026-02-06T16:00:00", "date_modified_gmt": "2026-02-06T16:00:00", "billing": BILLING,
    "is_paying_customer": False, "meta_data": [{"id": 7, "key": "wps_wpr_points", "value": "120"}],
}
SINCE = "2026-02-06T16:00:00+00:00"
ASKED = ask(f"GET {V3}/orders", query={
    "modified_after": "2026-02-06T16:00:00", "dates_are_gmt": "true", "orderby": "modified", "order": "asc", "per_page": "100"})
GET_REFUNDS = ask(f"GET {V3}/orders/727/refunds", query={"per_page": "100"})
COUPON = {"id": 9, "code": "gold-74g2ffjk75", "amount": "10.00", "description": "Loyalty reward 74G2FFJK75", "usage_count": 0}
POINTS = {"customer": "25", "fields": {"loyalty_points": "120"}}
SAID = [{"key": "loyalty_points", "value": "120"}, {"key": "loyalty_tier", "value": ""}]
MEMBER = {"customer": {"id": "25", "email": "ada@example.com"}, "fields": {"loyalty_points": 120, "loyalty_tier": None}}
SHOWN = ADA | {"meta_data": [{"id": 8, "key": "loyalty_points", "value": "120"}]}
NOTE = {"order": "727", "note": "Redeemed: oil change"}
NOTES = [
    {"id": 280, "date_created_gmt": "2026-02-06T16:20:05", "note": "Redeemed: oil change", "customer_note": False},
    {"id": 281, "date_created_gmt": "2026-02-06T21:27:00", "note": "Redeemed: oil change", "customer_note": True},
    {"id": 282, "date_created_gmt": "2026-02-06T21:28:00", "note": "Redeemed: oil change", "customer_note": False},
]


def _heard(topic: str) -> dict[str, Any]:
    return {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Source": "https://shop.example.com/", "X-WC-Webhook-Delivery-ID": "7c1"}


connector.sample(
    order_paid, PAID, headers=_heard("order.updated"),
    gives={"amount": "50.00", "total": "60.20", "tax": "4.20", "shipping": "6.00", "discount": "5.00", "channel": "online",
           "order_id": "727", "occurred_at": PAID["date_paid_gmt"] + "Z", "coupons": ["loy5"],
           "lines": [{"sku": "MUG", "quantity": "2", "net": "50.00"}], "references": [{"kind": "order", "id": "727"}],
           "customer": {"id": "25", "phone": "+14155551234"}},
)
connector.sample(order_paid, PAID | {"status": "on-hold", "date_paid_gmt": None}, headers=_heard("order.created"), gives=None)
connector.sample(
    order_undone, PAID | {"status": "cancelled"}, headers=_heard("order.updated"),
    gives={"refund_id": "undone-727", "whole": True, "amount": "50.00", "reason": "cancelled"},
)
connector.sample(
    order_refunded, GIVEN_BACK, headers=_heard("order.updated"), asks=GET_REFUNDS, reply=[ROW],
    gives={"amount": "25.00", "total": "27.10", "refund_id": "731", "order_id": "727", "reason": "damaged",
           "occurred_at": "2026-02-07T09:00:00Z", "lines": [{"sku": "MUG", "quantity": "1", "net": "25.00"}]},
)
connector.sample(
    plugin_awarded, AWARDED, headers=_heard("order.updated"),
    gives={"activity_id": "plugin-727", "kind": "earned", "points": 50, "order_id": "727", "ours": False},
)
connector.sample(
    customer_changed, ADA, headers=_heard("customer.created"),
    gives={"customer": {"id": "25", "last_name": "Ng"}, "created": True, "attributes": {"role": "customer"}},
)
connector.sample(customer_changed, ADA, headers=_heard("customer.updated"), gives={"created": False})
connector.sample(customer_deleted, {"id": 25}, headers=_heard("customer.deleted"), gives={"deleted": True})
connector.sample(paid_orders, SINCE, asks=[ASKED], reply=[[PAID]], gives={"amount": "50.00", "order_id": "727"})
connector.sample(
    undone_orders, SINCE, asks=[ASKED], reply=[[PAID, PAID | {"id": 728, "status": "failed"}]],
    gives={"refund_id": "undone-728"},
)
connector.sample(refunds, SINCE, asks=[ASKED, GET_REFUNDS], reply=[[GIVEN_BACK], [ROW]], gives={"amount": "25.00"})
connector.sample(awarded_orders, SINCE, asks=[ASKED], reply=[[AWARDED]], gives={"points": 50})
connector.sample(
    new_customers, SINCE, asks=[ask(f"GET {V3}/customers", query={"role": "all", "orderby": "registered_date"})],
    reply=[[ADA, ADA | {"id": 24, "date_created_gmt": "2026-02-05T00:00:00"}]],
    gives={"customer": {"id": "25"}, "created": True},
)
connector.sample(
    all_points, SINCE, settings={"points_plugin": "wp_swings"},
    asks=[ask(f"GET {V3}/customers", query={"role": "all", "orderby": "id"})], reply=[[ADA, ADA | {"id": 26, "meta_data": []}]],
    gives={"customer": {"id": "25"}, "points": 120},
)
connector.sample(
    create_coupon, {"percent": 10, "prefix": "GOLD-", "only_for": "ada@example.com", "expires": "2026-03-06T00:00:00Z"},
    asks=ask(f"POST {V3}/coupons", json={
        "code": "gold-74g2ffjk75", "discount_type": "percent", "amount": "10", "usage_limit": 1, "date_expires_gmt":
        "2026-03-06T00:00:00", "email_restrictions": ["ada@example.com"], "description": "Loyalty reward 74G2FFJK75"}),
    reply=answers(201, COUPON), gives={"id": "9", "code": "gold-74g2ffjk75"},
)
connector.sample(
    create_coupon, {"free_shipping": True, "code": "SHIPS-FREE"},
    asks=ask(f"POST {V3}/coupons", json={"code": "ships-free", "amount": "0", "free_shipping": True}),
    reply=answers(201, COUPON | {"code": "ships-free"}), gives={"code": "ships-free"},
)
connector.sample(
    delete_coupon, {"coupon": "9"}, asks=ask(f"DELETE {V3}/coupons/9", query={"force": "true"}), reply=COUPON
)
connector.sample(
    set_customer_fields, POINTS,
    asks=ask(f"POST {V3}/customers/batch", json={"update": [{"id": 25, "meta_data": SAID[:1]}]}),
    reply={"update": [SHOWN]},
)
connector.sample(
    set_customer_fields, POINTS, asks=f"POST {V3}/customers/batch", fails="lasting",
    reply={"update": [{"id": 25, "error": {"code": "woocommerce_rest_invalid_id", "message": "Invalid ID."}}]},
)
connector.sample(
    as_fields, MEMBER, asks=ask(f"POST {V3}/customers/batch", json={"update": [{"id": 25, "meta_data": SAID}]}),
    reply={"update": [SHOWN]}, gives={"customer": "25", "fields": {"loyalty_points": "120", "loyalty_tier": ""}},
)
connector.sample(as_fields, {"customer": {"email": "guest@example.com"}, "fields": {"loyalty_points": 120}}, gives=None)
connector.sample(
    shown_fields, MEMBER, asks=ask(f"GET {V3}/customers", query={"include": "25", "role": "all"}), reply=[SHOWN],
    gives={"id": "25", "fields": {"loyalty_points": "120", "loyalty_tier": None}},
)
connector.sample(
    shown_fields, {"customer": {"email": "ada@example.com"}, "fields": {"loyalty_points": 120}},
    asks=ask(f"GET {V3}/customers", query={"email": "ada@example.com", "role": "all"}), reply=[SHOWN],
    gives={"id": "25", "fields": {"loyalty_points": "120"}},
)
connector.sample(
    upsert_customer, {"email": "ada@example.com", "first_name": "Ada", "phone": "+14155551234"},
    asks=[ask(f"GET {V3}/customers", query={"email": "ada@example.com", "role": "all"}),
          ask(f"POST {V3}/customers", json={"email": "ada@example.com", "billing": {"phone": "+14155551234"}})],
    reply=[[], answers(201, ADA)], gives={"customer_id": "25", "created": True},
)
connector.sample(
    upsert_customer, {"email": "ada@example.com", "last_name": "Ng"},
    asks=[ask(f"GET {V3}/customers"), ask(f"PUT {V3}/customers/25", json={"last_name": "Ng"})], reply=[[ADA], ADA],
    gives={"customer_id": "25", "created": False},
)
connector.sample(
    add_order_note, NOTE, asks=ask(f"POST {V3}/orders/727/notes", json={"note": NOTE["note"], "customer_note": False}),
    reply=answers(201, NOTES[0]), gives={"id": "280"},
)
connector.sample(added_before, NOTE, asks=f"GET {V3}/orders/727/notes", reply=NOTES, gives={"id": "282"})
connector.sample(
    mail_order_note, NOTE | {"to": "Ada@example.com"},
    asks=[ask(f"GET {V3}/orders/727"), ask(f"POST {V3}/orders/727/notes", json={"customer_note": True})],
    reply=[PAID, answers(201, NOTES[1])], gives={"id": "281"},
)
connector.sample(
    mailed_before, NOTE | {"to": "ada@example.com"}, asks=f"GET {V3}/orders/727/notes", reply=NOTES, gives={"id": "281"}
)
