"""Shopify: hear of orders, refunds, cancellations, customers and consent, and give metafields, tags, codes, cards and credit.

Setup:
1. dev.shopify.com > Apps > Create app, for a shop of your own organisation. Versions > Scopes: read_orders, read_customers,
   write_customers, write_discounts, write_gift_cards, read_store_credit_accounts, write_store_credit_account_transactions,
   read_locations (and read_all_orders, to read orders older than 60 days). Release it, install it in the shop, and copy
   Settings > Client ID and Secret to `client_id` and `client_secret`; the hub gets tokens by itself. An app that was made in
   the shop's admin has a token (shpat_…) instead: copy it to `access_token`, its API secret key to `client_secret`. For a shop
   of another organisation write `grant: authorization_code`, and ask it with `hub connections authorize`. `shop` is the shop's
   own address (example.myshopify.com).
2. `hub connections subscribe NAME` registers the webhooks, again each day, for Shopify deletes what has failed eight times; the
   app's secret signs them. By hand: Settings > Notifications > Webhooks > Create webhook, format JSON, URL {webhook_url}, for
   Order payment, Order update, Order cancellation, Refund create, Customer creation and update; these are signed with the text
   that is shown below them: put it into `client_secret`, in a list beside the app's. A hub without a public address asks.
3. Settings > Custom data > Customers > Add definition: `loyalty.points` (integer), `loyalty.tier` (text) and what else the hub
   is to write. Staff see them then, and themes (customer.metafields.loyalty.points): `mirror: {balance: points, tier: tier}`.
4. Another loyalty app in the same shop? Say in `other_app_awards` what it gives points for: `online`, `pos`, `unknown` (orders
   of that channel, and their refunds), `sign_ups`. The hub leaves those out, and awards the rest.

What is told: an order earns once, when it is paid: its goods after discounts, without tax (also where prices include it), tips,
shipping and gift cards sold, in the shop's currency. The channel is `pos`, `online`, or else `unknown` (drafts, other apps);
tests are left out. A buyer who is added later is found in `orders/updated`, in the same sale; goods that are added to a paid
order earn nothing. A refund is looked up and counts when money went back: for its lines, or in proportion where it has none.
A cancelled order gives back all that is left of it. A customer counts as changed when a name, an address or the state of the
account is new, so what the hub writes is no news. Shopify sends no message for what the hub gives: tell the customer.

Not confirmed: that a gift card code that is there already is refused as TAKEN; the newer headers (`shopify-…`) with these
payloads. Store credit takes neither key nor note: when an answer is lost, one of the same amount since then counts as ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, BeforeValidator, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    CustomersMerged,
    Failure,
    GraphQL,
    Item,
    Line,
    Mirrored,
    Payload,
    Reference,
    Refund,
    Reply,
    Sale,
    Settings,
    Shown,
    Subscribed,
    Unsubscribed,
    digest,
    email,
    json_text,
    made_once,
    share,
    tell_apart,
)
from hub.sdk.declare import ask, auth, envelope, header, rate, secret, setting, signature, spends
from hub.sdk.fact import Short
from hub.sdk.graphql import listing, mutation, query
from hub.sdk.values import Currency, Moment, Money, Number

SHOP = GraphQL("/admin/api/{api_version}/graphql.json")
REFUSED, REFUSED_PLAINLY = "userErrors { field message code }", "userErrors { field message }"
TAKEN = "(TAKEN"  # the code of a refusal
SCOPES = (
    "read_orders,read_customers,write_customers,write_discounts,write_gift_cards,read_store_credit_accounts,"
    "write_store_credit_account_transactions,read_locations"
)
HUBS = "loyalty"  # the namespace of the hub's metafields
Shop = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")]
Elsewhere = Literal["online", "pos", "unknown", "sign_ups"]


def _failure(reply: Reply) -> Failure | None:
    code = reply.find("errors.0.extensions.code")
    if code == "THROTTLED":
        cost, status = reply.find("extensions.cost") or {}, reply.find("extensions.cost.throttleStatus") or {}
        missing = cost.get("requestedQueryCost", 0) - status.get("currentlyAvailable", 0)
        wait = max(0.0, float(missing / status["restoreRate"])) if status.get("restoreRate") else None
        return Failure("passing", retry_after_seconds=wait)
    if code == "ACCESS_DENIED" or reply.status in {402, 403, 404, 423}:  # unpaid; a right is missing; no such shop; locked
        return Failure("reconnect")
    return Failure("uncertain") if reply.ok and code == "INTERNAL_SERVER_ERROR" else SHOP.failure(reply)


connector = Connector(
    "shopify",
    title="Shopify",
    settings=setting("shop", "the shop's own address (example.myshopify.com)", Shop, example="example.myshopify.com")
    + setting("client_id", "Dev Dashboard > your app > Settings: the client ID", default=None)
    + secret("client_secret", "the app's secret, which signs webhooks too; a list while it is rotated", required=False)
    + secret("access_token", "the token of an app that was made in the shop's admin (shpat_…)", required=False)
    + setting("grant", "authorization_code for a shop of another organisation", default="client_credentials")
    + setting("other_app_awards", "what another loyalty app gives points for", list[Elsewhere], default=[])
    + setting("api_version", "the version of Shopify's API", default="2026-10", example="2026-10"),
    api="https://{shop}",
    auth=auth.header("X-Shopify-Access-Token", "access_token")
    | auth.oauth2(
        "https://{shop}/admin/oauth/access_token",
        authorize="https://{shop}/admin/oauth/authorize",
        grant="{grant}",
        header="X-Shopify-Access-Token",
        prefix="",
        more={"scope": SCOPES},
        with_code={"expiring": "1"},
    ),
    signature=signature.hmac("X-Shopify-Hmac-Sha256", "client_secret", encoding="base64", others=("shopify-hmac-sha256",)),
    envelope=envelope(
        kind=header("X-Shopify-Topic", "shopify-topic"),
        id=header("X-Shopify-Webhook-Id", "shopify-event-id"),
        account=header("X-Shopify-Shop-Domain", "shopify-shop-domain"),
        account_setting="shop",
        # No order is promised: the object's own time says which state is the newer one.
        at=lambda told: told.get("updated_at") or told.get("created_at"),
    ),
    failures=_failure,
    rate=rate("10 per second"),
)


def _gid(kind: str, number: str) -> str:
    return number if number.startswith("gid:") else f"gid://shopify/{kind}/{number}"


def _number(gid: str) -> str:
    return gid.rpartition("/")[2]


# What comes in --------------------------------------------------------------------------------------------------------

# What is asked for is given the names that webhooks use; there money, addresses and lists stand one deeper.
SUM = "{ shopMoney { amount } }"
BUYER = """id: legacyResourceId first_name: firstName last_name: lastName
  email: defaultEmailAddress { emailAddress state: marketingState consent_updated_at: marketingUpdatedAt }
  phone: defaultPhoneNumber { phoneNumber state: marketingState consent_updated_at: marketingUpdatedAt }"""
HEAD = f"""id: legacyResourceId name source_name: sourceName test currency: currencyCode taxes_included: taxesIncluded
  financial_status: displayFinancialStatus processed_at: processedAt updated_at: updatedAt email phone
  cancelled_at: cancelledAt cancel_reason: cancelReason location_id: retailLocation {{ legacyResourceId }}
  subtotal_price: subtotalPriceSet {SUM} total_price: totalPriceSet {SUM} total_tax: totalTaxSet {SUM}
  total_discounts: totalDiscountsSet {SUM} total_tip_received: totalTipReceivedSet {SUM}
  total_shipping_price_set: totalShippingPriceSet {SUM} discount_codes: discountCodes customer {{ {BUYER} }}"""
LINES = f"""title sku quantity gift_card: isGiftCard price: originalUnitPriceSet {SUM}
  discount_allocations: discountAllocations {{ amount: allocatedAmountSet {SUM} }}
  tax_lines: taxLines {{ price: priceSet {SUM} }}"""
ORDER = query(
    "order", f"{HEAD} line_items: lineItems(first: 100) {{ nodes {{ {LINES} }} pageInfo {{ hasNextPage }} }}", id="ID!"
)
BACK = f"""id: legacyResourceId created_at: createdAt note order {{ {HEAD} }}
  lines: refundLineItems(first: 100) {{ nodes {{
    quantity subtotal: subtotalSet {SUM} tax: totalTaxSet {SUM} of: lineItem {{ title sku isGiftCard }}
  }} pageInfo {{ hasNextPage }} }}
  shipping: refundShippingLines(first: 10) {{ nodes {{ subtotal: subtotalAmountSet {SUM} tax: taxAmountSet {SUM} }} }}
  transactions(first: 20) {{ nodes {{ kind status amount: amountSet {SUM} }} }}"""
REFUND = query("refund", BACK, id="ID!")
SEARCH = {"first": "Int", "query": "String"}
ORDERS = listing("orders", "id status: displayFinancialStatus", **SEARCH, sortKey="OrderSortKeys")
GIVEN_BACK = listing("orders", "refunds(first: 20) { id: legacyResourceId }", **SEARCH, sortKey="OrderSortKeys")
CUSTOMERS = listing(
    "customers", f"{BUYER} state created_at: createdAt updated_at: updatedAt", **SEARCH, sortKey="CustomerSortKeys"
)
INNER = ("shop_money", "shopMoney", "code", "amount", "emailAddress", "phoneNumber", "legacyResourceId", "nodes")


def _inner(value: Any) -> Any:
    """What stands deeper; of a list that goes on None, so that no part of it is taken for the whole."""
    while isinstance(value, Mapping):
        goes_on = isinstance(value.get("pageInfo"), Mapping) and value["pageInfo"].get("hasNextPage")
        value = None if goes_on else next((value[name] for name in INNER if name in value), None)
    return value


def _alike(value: Decimal) -> Decimal:
    """With two places at least: webhooks say 25.00 where answers say 25.0, and both tell the same."""
    places = -int(value.normalize().as_tuple().exponent)
    return value.quantize(Decimal(1).scaleb(-max(places, 2)))


Sum = Annotated[Money, BeforeValidator(_inner), AfterValidator(_alike)]
Inner = Annotated[str | None, BeforeValidator(_inner)]
NOTHING = Decimal(0)


class Amount(Payload):
    """A tax, a discount, or a payment: whatever has an amount."""

    amount: Sum = Field(validation_alias=AliasChoices("amount", "price"))
    kind: str = ""
    status: str = ""


def _total(amounts: Sequence[Amount]) -> Decimal:
    return sum((one.amount for one in amounts), NOTHING)


class OrderLine(Payload):
    """A line of an order. price: of one, before discounts."""

    title: str = ""
    sku: str | None = None
    quantity: Number
    price: Sum
    gift_card: bool = False
    discount_allocations: tuple[Amount, ...] = ()
    tax_lines: tuple[Amount, ...] = ()

    def net(self, taxes_included: bool) -> Decimal:
        # `total_discount` of a line does not know what was taken off the whole order.
        discounted = self.price * self.quantity - _total(self.discount_allocations)
        return discounted - _total(self.tax_lines) if taxes_included else discounted


class ReturnedLine(Payload):
    """A line of a refund, or the shipping of it."""

    quantity: Number = Decimal(1)
    subtotal: Sum
    tax: Sum = NOTHING
    title: str = Field("", validation_alias=AliasPath("of", "title"))
    sku: str | None = Field(None, validation_alias=AliasPath("of", "sku"))
    gift_card: bool = Field(False, validation_alias=AliasPath("of", "isGiftCard"))

    def net(self, taxes_included: bool) -> Decimal:
        return self.subtotal - self.tax if taxes_included else self.subtotal


def _lines(lines: Sequence[OrderLine | ReturnedLine] | None, taxes_included: bool) -> tuple[Line, ...]:
    return tuple(
        Line(title=one.title[:512], sku=one.sku or None, quantity=one.quantity, net=one.net(taxes_included))
        for one in lines or ()
        if not one.gift_card
    )


class Buyer(Payload):
    id: str | None = None
    email: Inner = None
    phone: Inner = None
    first_name: str | None = None
    last_name: str | None = None

    def customer(self) -> Customer:
        named = {"first_name": self.first_name or None, "last_name": self.last_name or None}
        return Customer(id=self.id, email=self.email or None, phone=self.phone or None, **named)


Channel = Literal["online", "pos", "unknown"]
CHANNELS: dict[str, Channel] = {"web": "online", "pos": "pos"}
PAID = {"paid", "partially_refunded", "refunded"}
Lower = Annotated[str, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value or "")]


class Order(Payload):
    """An order, as webhooks tell it. line_items: None where there are more than were asked for."""

    id: str
    name: str = ""
    source_name: str | None = None
    location_id: Inner = None
    test: bool = False
    financial_status: Lower = ""
    processed_at: Moment | None = None
    cancelled_at: Moment | None = None
    cancel_reason: Lower = ""
    currency: Currency
    taxes_included: bool = False
    subtotal_price: Sum
    total_price: Sum
    total_tax: Sum = NOTHING
    total_discounts: Sum = NOTHING
    total_tip_received: Sum = NOTHING
    shipping: Sum = Field(NOTHING, validation_alias="total_shipping_price_set")
    email: str | None = None
    phone: str | None = None
    customer: Buyer | None = None
    discount_codes: tuple[Annotated[str, BeforeValidator(_inner)], ...] = ()
    line_items: Annotated[tuple[OrderLine, ...] | None, BeforeValidator(_inner)] = None

    @property
    def channel(self) -> Channel:
        return CHANNELS.get(self.source_name or "", "unknown")

    def earns(self, settings: Settings) -> bool:
        """False for a test, and for what another app gives points for."""
        return not self.test and self.channel not in settings["other_app_awards"]

    @property
    def goods(self) -> Decimal:
        """What earns of the subtotal: that has gift cards sold in it and, where prices include it, tax."""
        lines = self.line_items or ()
        cards = sum((one.net(self.taxes_included) for one in lines if one.gift_card), NOTHING)
        tax = sum((_total(one.tax_lines) for one in lines), NOTHING) if lines else self.total_tax
        return max(self.subtotal_price - cards - (tax if self.taxes_included else NOTHING), NOTHING)

    def about(self) -> dict[str, Any]:
        """What every fact about the order says. customer: None for somebody at the till whom nobody asked."""
        who = (self.customer or Buyer()).customer()
        more = {"email": who.email or self.email or None, "phone": who.phone or self.phone or None}
        who = who.model_copy(update=more)
        references = (Reference(kind="order", id=self.id),)
        buyer = who if who.is_known() else None
        return {"customer": buyer, "references": references, "order_id": self.id, "currency": self.currency}


class OrderPaid(Sale):
    """An order that was paid. order_name: the number that people see; source: the sales channel in Shopify's words."""

    order_name: Short = ""
    source: Short = ""
    discount_codes: tuple[Short, ...] = ()


@connector.trigger("orders/paid", "orders/updated", key="order_id")
def order_paid(order: Order, item: Item, settings: Settings) -> OrderPaid | None:
    """An order was paid, at a till or online."""
    is_paid = item.kind == "orders/paid" or order.financial_status in PAID
    if not is_paid or not order.earns(settings):
        return None
    return OrderPaid(
        **order.about(),
        occurred_at=order.processed_at,
        amount=order.goods,
        total=order.total_price,
        tax=order.total_tax,
        tip=order.total_tip_received,
        shipping=order.shipping,
        discount=order.total_discounts,
        location=order.location_id,
        channel=order.channel,
        lines=_lines(order.line_items, order.taxes_included),
        order_name=order.name,
        source=order.source_name or "",
        discount_codes=order.discount_codes,
    )


@connector.trigger("orders/cancelled", key="refund_id")
def order_cancelled(order: Order, settings: Settings) -> Refund | None:
    """A paid order was cancelled; what is left of it earns no more."""
    if not order.cancelled_at or order.financial_status not in PAID - {"refunded"} or not order.earns(settings):
        return None  # of one that is refunded the refunds tell it
    said = {"refund_id": f"cancelled-{order.id}", "reason": f"cancelled: {order.cancel_reason or 'other'}", "whole": True}
    return Refund(**order.about(), **said, occurred_at=order.cancelled_at, amount=order.goods)


class Returned(Payload):
    """A refund. lines: None where there are more than were asked for."""

    id: str
    created_at: Moment | None = None
    note: str | None = None
    order: Order
    lines: Annotated[tuple[ReturnedLine, ...] | None, BeforeValidator(_inner)] = None
    shipping: Annotated[tuple[ReturnedLine, ...], BeforeValidator(_inner)] = ()
    transactions: Annotated[tuple[Amount, ...], BeforeValidator(_inner)] = ()

    @property
    def total(self) -> Decimal:
        """The money that went back."""
        return _total([one for one in self.transactions if (one.kind, one.status) == ("REFUND", "SUCCESS")])

    @property
    def goods(self) -> Decimal:
        """What no longer earns: the lines, but no more than went back; without lines a share of what earned."""
        if self.lines:
            kept = sum((one.net(self.order.taxes_included) for one in self.lines if not one.gift_card), NOTHING)
            return min(kept, self.total)
        back = self.total - sum((one.subtotal + one.tax for one in self.shipping), NOTHING)
        whole = self.order.total_price - self.order.shipping
        return share(self.order.goods, max(back, NOTHING), whole, self.order.currency)


class RefundNotice(Payload):
    """What is read of a refund in a webhook: whose it is, and whether the money went, is known only when it is looked up."""

    id: str


@connector.trigger("refunds/create", key="refund_id")
def order_refunded(notice: RefundNotice, settings: Settings, client: Client) -> Refund | None:
    """Money went back to a buyer, for all of an order or a part of it."""
    found = SHOP.ask(client, REFUND, id=_gid("Refund", notice.id))
    refund = Returned.model_validate(found) if found else None
    if refund is None or not refund.total or not refund.order.earns(settings):
        return None
    lines = _lines(refund.lines, refund.order.taxes_included)
    return Refund(
        **refund.order.about(),
        occurred_at=refund.created_at,
        amount=refund.goods,
        total=refund.total,
        refund_id=refund.id,
        reason=refund.note or "",
        lines=lines if sum((one.net for one in lines), NOTHING) == refund.goods else (),
    )


class Profile(Buyer):
    id: str
    state: Lower = ""
    created_at: Moment | None = None


class CustomerVersion(CustomerChanged):
    """A customer as they were made or changed. version: of what is read, or `created`. state: `enabled` with an account."""

    version: Short = ""


@connector.trigger("customers/create", "customers/update", key=("customer.id", "version"))
def customer_changed(profile: Profile, item: Item, settings: Settings) -> CustomerVersion:
    """A customer is new (by an account, at the till, by a first order), or a name, an address or the account has changed."""
    is_new = item.kind == "customers/create"
    known = {"customer": profile.customer(), "attributes": {"state": profile.state} if profile.state else {}}
    version = "created" if is_new else digest(known)
    created = is_new and "sign_ups" not in settings["other_app_awards"]
    return CustomerVersion(**known, occurred_at=profile.created_at if is_new else None, created=created, version=version)


class Merge(Payload):
    stays: str = Field(alias="admin_graphql_api_customer_kept_id")
    goes: str = Field(alias="admin_graphql_api_customer_deleted_id")
    status: Lower


@connector.trigger("customers/merge", key=("customer.id", "merged_ids"))
def customers_merged(merge: Merge) -> CustomersMerged | None:
    """Two customers became one."""
    if merge.status != "completed":  # it is under way, or failed
        return None
    return CustomersMerged(customer=Customer(id=_number(merge.stays)), merged_ids=(_number(merge.goes),))


MAIL, TEXTS = "customers_email_marketing_consent/update", "customers_marketing_consent/update"


def _consent(name: str) -> AliasChoices:
    return AliasChoices(AliasPath("email_marketing_consent", name), AliasPath("sms_marketing_consent", name))


class Consent(Payload):
    customer: str = Field(validation_alias=AliasChoices("customer_id", "id"))
    address: str | None = Field(None, validation_alias=AliasChoices("email_address", "phone"))
    state: Lower = Field("", validation_alias=_consent("state"))
    at: Moment | None = Field(None, validation_alias=_consent("consent_updated_at"))

    def word(self, item: Item) -> dict[str, Any]:
        """What is said, and about which address."""
        channel, name = ("email", "email") if item.kind == MAIL else ("sms", "phone")
        customer = Customer.model_validate({"id": self.customer, name: self.address})
        return {"occurred_at": self.at, "customer": customer, "channel": channel, "address": self.address}


@connector.trigger(MAIL, TEXTS, key=("channel", "address", "occurred_at"))
def subscribed(consent: Consent, item: Item) -> Subscribed | None:
    """Somebody agreed to get e-mails or text messages."""
    return Subscribed(**consent.word(item)) if consent.address and consent.state == "subscribed" else None


@connector.trigger(MAIL, TEXTS, key=("channel", "address", "occurred_at"))
def unsubscribed(consent: Consent, item: Item) -> Unsubscribed | None:
    """Somebody wants no more e-mails or text messages."""
    return Unsubscribed(**consent.word(item)) if consent.address and consent.state == "unsubscribed" else None


def _changed(client: Client, document: str, since: datetime, more: str = "") -> Iterator[Any]:
    """Those of a list that were changed since a moment."""
    query = f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}'{more}"
    return SHOP.nodes(client, document, first=30, query=query, sortKey="UPDATED_AT")


def _told(kind: str, thing: Mapping[str, Any]) -> Item:
    return Item(kind, thing, at=datetime.fromisoformat(thing["updated_at"]))


@connector.pull(order_paid)
def paid_orders(client: Client, since: datetime) -> Iterator[Item]:
    """Paid orders that were changed since a moment; of the last 60 days, unless Shopify granted more."""
    for row in _changed(client, ORDERS, since):
        if (row["status"] or "").lower() in PAID:
            yield _told("orders/updated", SHOP.ask(client, ORDER, id=row["id"]))


@connector.pull(order_cancelled)
def cancelled_orders(client: Client, since: datetime) -> Iterator[Item]:
    """Cancelled orders that were changed since a moment."""
    for row in _changed(client, ORDERS, since, " status:cancelled"):
        yield _told("orders/cancelled", SHOP.ask(client, ORDER, id=row["id"]))


@connector.pull(order_refunded)
def refunds(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Refunds of orders that were changed since a moment: money may go back days after it was said."""
    some = " (financial_status:partially_refunded OR financial_status:refunded)"
    for row in _changed(client, GIVEN_BACK, since, some):
        yield from row["refunds"]


@connector.pull(customer_changed)
def changed_customers(client: Client, since: datetime) -> Iterator[Item]:
    """Customers that were made or changed since a moment."""
    for row in _changed(client, CUSTOMERS, since):
        is_new = datetime.fromisoformat(row["created_at"]) >= since
        yield _told("customers/create" if is_new else "customers/update", row)


def _words(client: Client, since: datetime) -> Iterator[Item]:
    for row in _changed(client, CUSTOMERS, since):
        mail, phone = row["email"] or {}, row["phone"] or {}
        address, number = mail.get("emailAddress"), phone.get("phoneNumber")
        yield Item(MAIL, {"customer_id": row["id"], "email_address": address, "email_marketing_consent": mail})
        yield Item(TEXTS, {"id": row["id"], "phone": number, "sms_marketing_consent": phone})


@connector.pull(subscribed)
def opt_ins(client: Client, since: datetime) -> Iterator[Item]:
    """What customers who were changed since a moment have agreed to."""
    return _words(client, since)


@connector.pull(unsubscribed)
def opt_outs(client: Client, since: datetime) -> Iterator[Item]:
    """What customers who were changed since a moment want no more."""
    return _words(client, since)


TOPICS = {kind.upper().replace("/", "_") for trigger in connector.triggers.values() for kind in trigger.kinds}
HOOKS = listing("webhookSubscriptions", "id topic", first="Int", uri="String")
HOOKED = {"topic": "WebhookSubscriptionTopic!", "webhookSubscription": "WebhookSubscriptionInput!"}
HOOK = mutation("webhookSubscriptionCreate", REFUSED_PLAINLY, **HOOKED)
UNHOOK = mutation("webhookSubscriptionDelete", REFUSED_PLAINLY, id="ID!")


@connector.subscribe(renew="1 day")
def subscribe(client: Client, connection: Connection) -> None:
    """Registers the webhook for every topic for which it is not registered (any more)."""
    there = {row["topic"] for row in SHOP.nodes(client, HOOKS, first=100, uri=connection.webhook_url)}
    for topic in sorted(TOPICS - there):
        SHOP.ask(client, HOOK, topic=topic, webhookSubscription={"uri": connection.webhook_url})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back."""
    for row in list(SHOP.nodes(client, HOOKS, first=100, uri=connection.webhook_url)):
        SHOP.ask(client, UNHOOK, id=row["id"])


# What goes out --------------------------------------------------------------------------------------------------------

Owner = r"^(gid://shopify/Customer/)?[0-9]+$"
CustomerId = Annotated[str, Field(description="the customer's id in Shopify, such as {{ event.customer.id }}", pattern=Owner)]
ShopMoney = Annotated[Money, "how much, in the currency of the shop"]
ShopCurrency = Annotated[Currency, "the currency of the shop"]
FIELDS = "values by the metafield's name (points, or namespace.points); an empty text takes it away"


def _place(name: str) -> dict[str, str]:
    namespace, _, key = name.rpartition(".")
    return {"namespace": namespace or HUBS, "key": key}


class Fields(BaseModel):
    """A customer, and what their metafields should say."""

    customer: CustomerId
    fields: Annotated[dict[str, str], Field(description=FIELDS, min_length=1, max_length=6)]


SET = mutation("metafieldsSet", REFUSED, metafields="[MetafieldsSetInput!]!")
UNSET = mutation("metafieldsDelete", REFUSED_PLAINLY, metafields="[MetafieldIdentifierInput!]!")


@connector.action(repeat="safe", batch=4)  # Shopify takes 25 values at once
def set_metafields(client: Client, many: list[Fields]) -> list[CallFailed | None]:
    """Write metafields of a customer, such as points and tier, which staff, themes and other apps can read."""
    wanted: dict[str, dict[str, str]] = {}
    for one in many:
        wanted.setdefault(_gid("Customer", one.customer), {}).update(one.fields)
    kept = tell_apart(wanted, lambda some: _kept(client, some))
    return [kept[_gid("Customer", one.customer)] for one in many]


def _kept(client: Client, some: Mapping[str, Mapping[str, str]]) -> dict[str, CallFailed | None]:
    """Writes all or none of them, and takes away those that have no value."""
    rows = [
        {"ownerId": owner, **_place(name), "value": fields[name] or None} for owner, fields in some.items() for name in fields
    ]
    for document, said in (SET, [row for row in rows if row["value"]]), (UNSET, [row for row in rows if not row["value"]]):
        if said:
            SHOP.ask(client, document, metafields=said)
    return dict.fromkeys(some)


@connector.mirror(set_metafields)
def as_fields(one: Mirrored) -> dict[str, Any] | None:
    """The customer whose metafields show a member's points."""
    return {"customer": one.customer.id, "fields": one.texts} if one.customer.id else None


@connector.mirrored(batch=25)
def shown_fields(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What customers' metafields say; a customer whose id is not known is found by the e-mail address."""
    names = list(dict.fromkeys(name for one in many for name in one.fields))
    places = [", ".join(f"{part}: {json_text(text)}" for part, text in _place(name).items()) for name in names]
    fields = " ".join(f"f{number}: metafield({place}) {{ value }}" for number, place in enumerate(places))
    who = [(one.customer.id, email(one.customer.email)) for one in many]
    some = " OR ".join(
        f"id:{number}" if number else f"email:{json_text(address)}" for number, address in who if number or address
    )
    known: dict[str | None, Shown] = {}
    for row in SHOP.nodes(client, listing("customers", f"{BUYER} {fields}", **SEARCH), first=50, query=some) if some else ():
        values = {name: (row[f"f{number}"] or {}).get("value") for number, name in enumerate(names)}
        known[row["id"]] = known[email((row["email"] or {}).get("emailAddress"))] = Shown(values, id=row["id"])
    return [known.get(number or address) for number, address in who]


TAGS = {"id": "ID!", "tags": "[String!]!"}
ADD_TAGS, REMOVE_TAGS = mutation("tagsAdd", REFUSED_PLAINLY, **TAGS), mutation("tagsRemove", REFUSED_PLAINLY, **TAGS)


@connector.action(repeat="safe")
def change_tags(
    client: Client,
    *,
    customer: CustomerId,
    add: Annotated[list[str], "tags to give, such as loyalty-gold; other tags stay"] = [],  # noqa: B006  # never changed
    remove: Annotated[list[str], "tags to take away"] = [],  # noqa: B006
) -> None:
    """Give a customer tags, and take others away."""
    for document, tags in ((ADD_TAGS, add), (REMOVE_TAGS, remove)):
        if tags:
            SHOP.ask(client, document, id=_gid("Customer", customer), tags=tags)


WHO = {"identifier": "CustomerSetIdentifiers", "input": "CustomerSetInput!"}
UPSERT = mutation("customerSet", f"customer {{ id }} {REFUSED}", **WHO)


@connector.action(repeat="safe")
def upsert_customer(
    client: Client,
    *,
    email: Annotated[str, "the e-mail address by which the customer is found, or made"],
    phone: Annotated[str | None, "the phone number, with its country"] = None,
    first_name: Annotated[str | None, "the first name"] = None,
    last_name: Annotated[str | None, "the last name"] = None,
) -> Customer:
    """Set a customer's name and number, or make the customer; tags and all else stay as they are."""
    said = {"email": email, "phone": phone, "firstName": first_name, "lastName": last_name}
    told = SHOP.ask(client, UPSERT, identifier={"email": email}, input=said)
    return Customer(id=_number(told["customer"]["id"]), email=email)


class Coded(BaseModel):
    """A discount or a gift card. code: what the customer types in, or shows at the till."""

    id: str
    code: str


MADE_OFF = f"codeDiscountNode {{ id }} {REFUSED}"
OFF = mutation("discountCodeBasicCreate", MADE_OFF, basicCodeDiscount="DiscountCodeBasicInput!")
BY_CODE = query("codeDiscountNodeByCode", "id codeDiscount { ... on DiscountCodeBasic { title } }", code="String!")


@connector.action(repeat="safe")
def create_discount_code(
    client: Client,
    key: CallKey,
    *,
    percent: Annotated[Number | None, Field(description="how many per cent it takes off", gt=0, le=100)] = None,
    amount: Annotated[Money | None, "or how much it takes off the order, in the currency of the shop"] = None,
    products: Annotated[list[str] | None, "the ids of the only products from which it takes something off"] = None,
    customer: Annotated[CustomerId | None, "the only customer who may use it; without it whoever has the code"] = None,
    code: Annotated[str | None, Field(description="the code; without it one is made up", pattern="^[A-Za-z0-9_-]+$")] = None,
    prefix: Annotated[str, Field(description="what a code that is made up begins with", pattern="^[A-Z0-9-]*$")] = "",
    expires: Annotated[Moment | None, "until when it may be used"] = None,
    minimum: Annotated[Money | None, "the smallest subtotal of an order that takes it"] = None,
    uses: Annotated[int | None, Field(description="how often it may be used, by all together", ge=1)] = 1,
    combines: Annotated[bool, "whether it may be used together with other discounts"] = False,
) -> Coded:
    """Make a discount code."""
    if (percent is None) == (amount is None):
        raise ValueError("say `percent` or `amount`, and not both")
    off: dict[str, Any] = {"discountAmount": {"amount": f"{amount or NOTHING:f}", "appliesOnEachItem": False}}
    if percent is not None:
        off = {"percentage": percent / 100}
    some = {"products": {"productsToAdd": [_gid("Product", one) for one in products]}} if products else {"all": True}
    said = {
        "title": f"Loyalty reward {key.mark()}",
        "code": code or prefix + key.mark(),
        "startsAt": client.now(),
        "endsAt": expires,
        "usageLimit": uses,
        "context": {"customers": {"add": [_gid("Customer", customer)]}} if customer else {"all": "ALL"},
        "minimumRequirement": {"subtotal": {"greaterThanOrEqualToSubtotal": f"{minimum:f}"}} if minimum else None,
        "combinesWith": dict.fromkeys(("orderDiscounts", "productDiscounts", "shippingDiscounts"), combines),
        "customerGets": {"value": off, "items": some},
    }

    def find() -> Any:
        there = SHOP.ask(client, BY_CODE, code=said["code"])
        return there if there and there["codeDiscount"].get("title") == said["title"] else None

    made = made_once(lambda: SHOP.ask(client, OFF, basicCodeDiscount=said)["codeDiscountNode"], find, refused=TAKEN)
    return Coded(id=made["id"], code=str(said["code"]))


class Card(Coded):
    """A gift card. given_in: the currency of the shop, in which it holds its amount."""

    given_in: Currency


WORTH = "initialValue { currencyCode }"
CARD = mutation("giftCardCreate", f"giftCard {{ id {WORTH} }} {REFUSED}", input="GiftCardCreateInput!")
CARDS = listing("giftCards", f"id note {WORTH}", **SEARCH)


@connector.action(repeat="safe", spends=spends("amount", "given_in", order="id"))
def create_gift_card(
    client: Client,
    key: CallKey,
    *,
    amount: ShopMoney,
    customer: Annotated[CustomerId | None, "whose it is"] = None,
    expires_on: Annotated[date | None, "the last day on which it can be used"] = None,
    note: Annotated[str, "what staff read about it"] = "Loyalty reward",
) -> Card:
    """Make a gift card; tell the customer its code, for Shopify does not."""
    code, named = key.mark(16), f"{note} {key.mark()}"
    whose = _gid("Customer", customer) if customer else None
    said = {"initialValue": f"{amount:f}", "code": code, "customerId": whose, "expiresOn": expires_on, "note": named}
    query = f"created_at:>='{client.now() - timedelta(days=7):%Y-%m-%d}'"
    cards = (row for row in SHOP.nodes(client, CARDS, first=250, query=query) if row["note"] == named)
    card = made_once(lambda: SHOP.ask(client, CARD, input=said)["giftCard"], lambda: next(cards, None), refused=TAKEN)
    return Card(id=card["id"], code=code, given_in=card["initialValue"]["currencyCode"])


class StoreCredit(BaseModel):
    """What was added to a customer's store credit, and what there is now."""

    transaction_id: str
    balance: Money


CREDITED = "id balanceAfterTransaction { amount }"
ADD = {"id": "ID!", "creditInput": "StoreCreditAccountCreditInput!"}
CREDIT = mutation("storeCreditAccountCredit", f"storeCreditAccountTransaction {{ {CREDITED} }} {REFUSED}", **ADD)
MOVED = f"createdAt amount {{ amount currencyCode }} ... on StoreCreditAccountCreditTransaction {{ {CREDITED} }}"
MOVES = f"transactions(first: 20, reverse: true, sortKey: CREATED_AT) {{ nodes {{ {MOVED} }} }}"
CREDITS = query("customer", f"storeCreditAccounts(first: 5) {{ nodes {{ {MOVES} }} }}", id="ID!")


@connector.action(repeat="never", spends=spends("amount", "currency", order="transaction_id"))
def add_store_credit(
    client: Client,
    *,
    customer: CustomerId,
    amount: ShopMoney,
    currency: ShopCurrency,
    expires: Annotated[Moment | None, "until when it can be used"] = None,
) -> StoreCredit:
    """Give a customer store credit, which pays at checkout and at the till."""
    said = {"creditAmount": {"amount": f"{amount:f}", "currencyCode": currency}, "expiresAt": expires, "notify": False}
    return _credit(SHOP.ask(client, CREDIT, id=_gid("Customer", customer), creditInput=said)["storeCreditAccountTransaction"])


def _credit(told: Mapping[str, Any]) -> StoreCredit:
    return StoreCredit(transaction_id=told["id"], balance=Decimal(told["balanceAfterTransaction"]["amount"]))


@connector.lookup(add_store_credit)
def added_before(
    client: Client, started: datetime, *, customer: CustomerId, amount: ShopMoney, currency: ShopCurrency
) -> StoreCredit | None:
    """Shopify takes neither key nor note; what tells a credit is whose it is, since when, and how much."""
    found = SHOP.ask(client, CREDITS, id=_gid("Customer", customer)) or {"storeCreditAccounts": {"nodes": []}}
    for row in (row for account in found["storeCreditAccounts"]["nodes"] for row in account["transactions"]["nodes"]):
        said = (Decimal(row["amount"]["amount"]), row["amount"]["currencyCode"])
        is_new = datetime.fromisoformat(row["createdAt"]) >= started.replace(microsecond=0)
        if "id" in row and is_new and said == (amount, currency):  # only of those that add something the id was asked for
            return _credit(row)
    return None


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

CALL = "POST /admin/api/2026-10/graphql.json"
ORDER_GID, REFUND_GID = "gid://shopify/Order/5903124430871", "gid://shopify/Refund/509562969"
ADA_GID, CODE_GID = "gid://shopify/Customer/207119551", "gid://shopify/DiscountCodeNode/1"
SINCE = "2026-02-06T20:00:00+00:00"
LISTED = {"query": "updated_at:>='2026-02-06T20:00:00Z'", "sortKey": "UPDATED_AT"}


def _heard(topic: str) -> dict[str, Any]:
    return {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": "example.myshopify.com", "X-Shopify-Webhook-Id": "b54557e4"}


def _call(document: str, variables: Mapping[str, Any]) -> Any:
    return ask(CALL, json={"query": document, "variables": variables})


def _given(field: str, value: Any) -> dict[str, Any]:
    return {"data": {field: value}, "extensions": {"cost": {"requestedQueryCost": 10, "actualQueryCost": 10}}}


def _page(field: str, *rows: Any, cursor: str | None = None) -> dict[str, Any]:
    return _given(field, {"nodes": list(rows), "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}})


def _usd(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount}}


ADA = {"id": 207119551, "email": "ada@example.com", "phone": "+14155551234", "first_name": "Ada", "last_name": "Ng"}
CUP = {"id": 466157049, "title": "Cup", "sku": "CUP-1", "quantity": 2, "price": "25.00", "gift_card": False,
       "total_discount": "0.00", "discount_allocations": [{"amount": "5.00"}], "tax_lines": [{"price": "3.60"}]}
CARD_SOLD = {"id": 466157050, "title": "Gift card", "sku": None, "quantity": 1, "price": "20.00", "gift_card": True}
BOUGHT = {
    "id": 5903124430871, "admin_graphql_api_id": ORDER_GID, "name": "#1042", "source_name": "pos", "location_id": 655441491,
    "created_at": "2026-02-06T16:27:30-05:00", "processed_at": "2026-02-06T16:27:30-05:00", "currency": "USD",
    "updated_at": "2026-02-06T16:27:33-05:00", "financial_status": "paid", "taxes_included": False, "test": False,
    "subtotal_price": "65.00", "total_tax": "3.60", "total_discounts": "5.00", "total_tip_received": "2.00",
    "total_shipping_price_set": {"shop_money": {"amount": "4.00", "currency_code": "USD"}}, "total_price": "74.60",
    "email": "ada@example.com", "phone": None, "customer": ADA, "line_items": [CUP, CARD_SOLD],
    "discount_codes": [{"code": "WELCOME", "amount": "5.00", "type": "fixed_amount"}], "refunds": [],
}
CANCELLED = BOUGHT | {"cancelled_at": "2026-02-07T09:00:00-05:00", "cancel_reason": "customer"}
YES = {"emailAddress": "ada@example.com", "state": "SUBSCRIBED", "consent_updated_at": "2026-02-06T21:00:00Z"}
NO = {"phoneNumber": "+14155551234", "state": "UNSUBSCRIBED", "consent_updated_at": "2026-02-06T21:10:00Z"}
ADA_SEEN = ADA | {"id": "207119551", "email": YES, "phone": NO}
HEAD_SEEN = {
    "id": "5903124430871", "name": "#1042", "source_name": "pos", "location_id": {"legacyResourceId": "655441491"},
    "processed_at": "2026-02-06T21:27:30Z", "currency": "USD", "updated_at": "2026-02-06T21:27:33Z", "test": False,
    "financial_status": "PAID", "taxes_included": False, "subtotal_price": _usd("65.0"), "total_tax": _usd("3.6"),
    "total_discounts": _usd("5.0"), "total_tip_received": _usd("2.0"), "total_shipping_price_set": _usd("4.0"),
    "total_price": _usd("74.6"), "email": "ada@example.com", "phone": None, "customer": ADA_SEEN,
    "discount_codes": ["WELCOME"], "cancelled_at": None, "cancel_reason": None,
}
CUP_SEEN = {"title": "Cup", "sku": "CUP-1", "quantity": 2, "price": _usd("25.0"), "gift_card": False,
            "discount_allocations": [{"amount": _usd("5.0")}], "tax_lines": [{"price": _usd("3.6")}]}
CARD_SEEN = CUP_SEEN | {"title": "Gift card", "sku": None, "quantity": 1, "price": _usd("20.0"), "gift_card": True}
CARD_SEEN |= {"discount_allocations": [], "tax_lines": []}
BOUGHT_SEEN = HEAD_SEEN | {"line_items": {"nodes": [CUP_SEEN, CARD_SEEN], "pageInfo": {"hasNextPage": False}}}
REFUND_TOLD = {"id": 509562969, "order_id": 5903124430871, "created_at": "2026-02-07T10:00:58-05:00", "note": "broken"}
CUP_BACK = {"quantity": 1, "subtotal": _usd("22.5"), "tax": _usd("1.8"),
            "of": {"title": "Cup", "sku": "CUP-1", "isGiftCard": False}}
REFUND_SEEN = {
    "id": "509562969", "created_at": "2026-02-07T15:00:58Z", "note": "broken", "order": HEAD_SEEN,
    "lines": {"nodes": [CUP_BACK], "pageInfo": {"hasNextPage": False}}, "shipping": {"nodes": []},
    "transactions": {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amount": _usd("24.3")}]},
}
NEW = ADA | {"state": "disabled", "created_at": "2026-02-06T15:00:00-05:00", "updated_at": "2026-02-06T16:27:33-05:00"}
NEW_SEEN = ADA_SEEN | {"state": "DISABLED", "created_at": "2026-02-06T20:00:00Z", "updated_at": "2026-02-06T21:27:33Z"}
SAID_YES = {"customer_id": 207119551, "email_address": "ada@example.com", "email_marketing_consent": {
    "state": "subscribed", "consent_updated_at": "2026-02-06T16:00:00-05:00"}}
SAID_NO = {"id": 207119551, "phone": "+14155551234", "sms_marketing_consent": {
    "state": "unsubscribed", "consent_updated_at": "2026-02-06T16:10:00-05:00"}}
MERGED = {"admin_graphql_api_customer_kept_id": ADA_GID, "status": "completed", "errors": [],
          "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2"}
DONE: dict[str, Any] = {"userErrors": []}
POINTS = {"ownerId": ADA_GID, "namespace": "loyalty", "key": "points", "value": "120"}
MADE = DONE | {"codeDiscountNode": {"id": CODE_GID}}
FIVE = {"customer": "207119551", "amount": "5.00", "currency": "USD"}
ADDED = {
    "id": "gid://shopify/StoreCreditAccountCreditTransaction/7", "amount": {"amount": "5.0", "currencyCode": "USD"},
    "balanceAfterTransaction": {"amount": "12.5"}, "createdAt": "2026-02-06T21:27:34Z",
}

connector.sample(
    order_paid, BOUGHT, headers=_heard("orders/paid"),
    gives={"amount": "45.00", "total": "74.60", "tax": "3.60", "tip": "2.00", "shipping": "4.00", "channel": "pos",
           "location": "655441491", "order_name": "#1042", "customer": {"id": "207119551", "last_name": "Ng"},
           "discount_codes": ["WELCOME"], "lines": [{"sku": "CUP-1", "quantity": "2", "net": "45.00"}]},
)
connector.sample(
    order_cancelled, CANCELLED, headers=_heard("orders/cancelled"),
    gives={"refund_id": "cancelled-5903124430871", "whole": True, "amount": "45.00", "reason": "cancelled: customer"},
)
connector.sample(
    order_refunded, REFUND_TOLD, headers=_heard("refunds/create"), asks=_call(REFUND, {"id": REFUND_GID}),
    reply=_given("refund", REFUND_SEEN),
    gives={"amount": "22.50", "total": "24.30", "refund_id": "509562969", "order_id": "5903124430871", "reason": "broken",
           "references": [{"kind": "order", "id": "5903124430871"}], "lines": [{"sku": "CUP-1", "net": "22.50"}]},
)
connector.sample(
    customer_changed, NEW, headers=_heard("customers/create"),
    gives={"customer": {"id": "207119551", "phone": "+14155551234"}, "created": True, "attributes": {"state": "disabled"}},
)
connector.sample(customer_changed, NEW, headers=_heard("customers/update"), gives={"customer": {"first_name": "Ada"}})
connector.sample(
    customers_merged, MERGED, headers=_heard("customers/merge"), gives={"customer": {"id": "207119551"}, "merged_ids": ["2"]}
)
connector.sample(subscribed, SAID_YES, headers=_heard(MAIL), gives={"channel": "email", "address": "ada@example.com"})
connector.sample(unsubscribed, SAID_NO, headers=_heard(TEXTS), gives={"channel": "sms", "address": "+14155551234"})
connector.sample(
    paid_orders, SINCE, asks=[_call(ORDERS, LISTED), _call(ORDERS, {"after": "c1"}), _call(ORDER, {"id": ORDER_GID})],
    reply=[_page("orders", {"id": "gid://shopify/Order/1", "status": "PENDING"}, cursor="c1"),
           _page("orders", {"id": ORDER_GID, "status": "PAID"}), _given("order", BOUGHT_SEEN)],
    gives={"amount": "45.00", "order_id": "5903124430871"},
)
connector.sample(
    cancelled_orders, SINCE, asks=[_call(ORDERS, {"first": 30}), _call(ORDER, {"id": ORDER_GID})],
    reply=[_page("orders", {"id": ORDER_GID, "status": "PAID"}),
           _given("order", BOUGHT_SEEN | {"cancelled_at": "2026-02-07T14:00:00Z", "cancel_reason": "CUSTOMER"})],
    gives={"refund_id": "cancelled-5903124430871", "reason": "cancelled: customer"},
)
connector.sample(
    refunds, SINCE, asks=[_call(GIVEN_BACK, {"first": 30}), _call(REFUND, {"id": REFUND_GID})],
    reply=[_page("orders", {"refunds": [{"id": "509562969"}]}), _given("refund", REFUND_SEEN)],
    gives={"amount": "22.50", "refund_id": "509562969"},
)
for pulled, gives in (
    (changed_customers, {"customer": {"email": "ada@example.com"}, "created": True, "version": "created"}),
    (opt_ins, {"channel": "email", "address": "ada@example.com", "occurred_at": "2026-02-06T21:00:00Z"}),
    (opt_outs, {"channel": "sms", "address": "+14155551234", "occurred_at": "2026-02-06T21:10:00Z"}),
):
    connector.sample(pulled, SINCE, asks=[_call(CUSTOMERS, LISTED)], reply=[_page("customers", NEW_SEEN)], gives=gives)
connector.sample(
    set_metafields, {"customer": "207119551", "fields": {"points": "120"}}, asks=_call(SET, {"metafields": [POINTS]}),
    reply=_given("metafieldsSet", DONE),
)
MEMBER = {"customer": {"id": "207119551", "email": "ada@example.com"}, "fields": {"points": 120, "tier": None}}
connector.sample(
    as_fields, MEMBER, asks=[_call(SET, {"metafields": [POINTS]}), _call(UNSET, {"metafields": [{"key": "tier"}]})],
    reply=[_given("metafieldsSet", DONE), _given("metafieldsDelete", DONE)], gives={"fields": {"points": "120", "tier": ""}},
)
connector.sample(as_fields, {"customer": {"phone": "+14155551234"}, "fields": {"points": 120}}, gives=None)
connector.sample(
    shown_fields, MEMBER, asks=ask(CALL, json={"variables": {"query": "id:207119551"}}),
    reply=_page("customers", ADA_SEEN | {"f0": {"value": "120"}, "f1": None}),
    gives={"id": "207119551", "fields": {"points": "120", "tier": None}},
)
connector.sample(
    shown_fields, {"customer": {"email": "Ada@example.com"}, "fields": {"points": 120}},
    asks=ask(CALL, json={"variables": {"query": 'email:"ada@example.com"'}}),
    reply=_page("customers", ADA_SEEN | {"f0": None}), gives={"id": "207119551", "fields": {"points": None}},
)
connector.sample(
    change_tags, {"customer": "207119551", "add": ["loyalty-gold"], "remove": ["loyalty-silver"]},
    asks=[_call(ADD_TAGS, {"id": ADA_GID, "tags": ["loyalty-gold"]}), _call(REMOVE_TAGS, {"tags": ["loyalty-silver"]})],
    reply=[_given("tagsAdd", DONE), _given("tagsRemove", DONE)],
)
connector.sample(
    upsert_customer, {"email": "ada@example.com", "first_name": "Ada"},
    asks=_call(UPSERT, {"identifier": {"email": "ada@example.com"}, "input": {"firstName": "Ada"}}),
    reply=_given("customerSet", DONE | {"customer": {"id": ADA_GID}}), gives={"id": "207119551"},
)
connector.sample(
    create_discount_code, {"percent": 10, "customer": "207119551", "prefix": "GOLD-", "minimum": "20.00"},
    asks=_call(OFF, {"basicCodeDiscount": {
        "code": "GOLD-74G2FFJK75", "usageLimit": 1, "context": {"customers": {"add": [ADA_GID]}},
        "customerGets": {"value": {"percentage": Decimal("0.1")}, "items": {"all": True}}}}),
    reply=_given("discountCodeBasicCreate", MADE), gives={"id": CODE_GID, "code": "GOLD-74G2FFJK75"},
)
connector.sample(
    create_gift_card, {"amount": "10.00", "customer": "207119551", "expires_on": "2027-02-06"},
    asks=_call(CARD, {"input": {"initialValue": "10.00", "customerId": ADA_GID, "expiresOn": "2027-02-06"}}),
    reply=_given("giftCardCreate", DONE | {
        "giftCard": {"id": "gid://shopify/GiftCard/1", "initialValue": {"currencyCode": "USD"}}}),
    gives={"id": "gid://shopify/GiftCard/1", "code": "74G2FFJK75RV5QH2", "given_in": "USD"},
)
connector.sample(
    add_store_credit, FIVE,
    asks=_call(CREDIT, {"id": ADA_GID, "creditInput": {"creditAmount": {"amount": "5.00", "currencyCode": "USD"}}}),
    reply=_given("storeCreditAccountCredit", DONE | {"storeCreditAccountTransaction": ADDED}), gives={"balance": "12.5"},
)
connector.sample(
    added_before, FIVE, asks=_call(CREDITS, {"id": ADA_GID}),
    reply=_given("customer", {"storeCreditAccounts": {"nodes": [{"transactions": {"nodes": [ADDED]}}]}}),
    gives={"transaction_id": ADDED["id"], "balance": "12.5"},
)
