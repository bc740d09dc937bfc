"""Tremendous: send gift cards, prepaid cards and rewards of a member's choice, and hear what becomes of them and of the money.

Setup:
1. Tremendous > Team settings > Developers > Add API key: copy it to `api_key`. Begin in the sandbox
   (app.testflight.tremendous.com, with play money): its keys begin with TEST_ and need `host: testflight.tremendous.com`.
2. `funding_source` is what pays: BALANCE, the balance of the account; INVOICE and INVOICE_THEN_BALANCE, where that was agreed
   with Tremendous; or the id of a source. With `low_balance: 100`, `funds_low` is told once a day while there is less.
3. Campaigns > your campaign: its id (in the address) as `campaign_id` gives mails their look, and members what they choose
   from.
4. Team settings > Developers > Webhooks > Add: paste {webhook_url}, and copy the private key to `webhook_key`. An organisation
   has one webhook: where another address stands already, another program listens, and would hear nothing any more.
   A hub without a public address needs none: it asks for orders and rewards every ten minutes.
5. With `catalogue: {countries: [US], currencies: [USD], least: 5, most: 50}` the hub tells the products that can be sent there
   for some such amount (`product_listed`), when they come and when they change; without it none.

What is told: a notice only says which reward or order it is about; the rest is looked up when the hub hears of it, and counts
as it is then: a failure that was overcome meanwhile is none. Polling finds what became of the orders of the last seven days;
what waits longer for its day, one cancelled reward of several, and rewards that look like fraud are told by webhook alone.
Nobody becomes a member by a reward. `order_changed` tells every order with what it cost; the `external_id` of one that the hub
made is `loy-` and the number of the call, so that what was spent is held against what was sold (`hub spend`). An order whose
money all came back counts as cancelled. That a card was redeemed is not told: Tremendous has no such event.

What goes out: `to` is an e-mail address or a phone number; Tremendous itself sends the reward there. Such a message passes the
hub's consent like any other: who opted out of that channel gets nothing by it. An order is made once, however often the call is
repeated. `EXECUTED` is paid and on its way, not yet delivered; other states wait for somebody's approval. Without money (402)
the connection stops, the owner is told, and orders wait for a day before a person must look. Rewards by link are left out: a
link is money, and what steps give can be read by whoever can read the hub's database.

Not confirmed: the prefixes of keys; what becomes of an order that was refused for want of money (one that failed is never made
anew: a person sends it); what PRODUCTS.REMOVED names; how often calls are allowed; the path of webhooks in the settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Currency,
    Customer,
    Fact,
    Failure,
    Item,
    Money,
    Payload,
    Reference,
    Reply,
    RewardOrder,
    Settings,
    SignedMoney,
    UtcMoment,
    digest,
    field_keys,
    phone,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature, spends
from hub.sdk.fact import Short

Host = Literal["www.tremendous.com", "testflight.tremendous.com"]
PRODUCTION, SANDBOX = get_args(Host)
LOOKED_BACK = timedelta(days=7)
PAGE_SIZE = 100


class Wanted(BaseModel):
    """Which products are told: by country and currency, and that can be sent for an amount from `least` to `most`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    countries: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    least: Money = Decimal(0)
    most: Money | None = None


def _kind(told: Mapping[str, Any]) -> str:
    """Of money and products it only matters that something changed, but for a product that is gone."""
    event = str(told["event"])
    family = event.partition(".")[0]
    return family if family in {"FUNDING_SOURCES", "PRODUCTS"} and event != "PRODUCTS.REMOVED" else event


def _failure(reply: Reply) -> Failure | None:
    if reply.status == 402:
        todo = "Add money to the account, or change `funding_source`; then the reward is sent, and nobody's points are lost."
        return Failure("reconnect", todo=todo)
    if reply.status == 403:
        return Failure("reconnect")
    if reply.status in {400, 422} and (wrong := ", ".join(_leaves(reply.find("errors.payload")))):
        return Failure("lasting", f"{reply.find('errors.message') or 'not accepted'} ({wrong})")
    return None


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """The fields of a refusal: it has what we sent, down to what is wrong with it."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _leaves(child, f"{path}.{name}" if path else str(name))
    elif path:
        yield path


connector = Connector(
    "tremendous",
    title="Tremendous",
    settings=secret("api_key", "Team settings > Developers > API keys")
    + secret("webhook_key", "the webhook's private key", required=False)
    + setting("host", f"{SANDBOX} for the sandbox", Host, default=PRODUCTION)
    + setting(
        "funding_source", "BALANCE, INVOICE, INVOICE_THEN_BALANCE, or the id of what pays", default="BALANCE", example="BALANCE"
    )
    + setting("campaign_id", "the look of mails, and what there is to choose from", default=None, example="IVM0I3WNJJL0")
    + setting("prepaid_card", "the product that send_prepaid_card sends", default=None, example="Q24BD9EZ332JT")
    + setting("custom_fields", "ids of custom fields by name (tier: FIELDID01)", dict[str, str], default={})
    + setting("low_balance", "below which amount funds_low is told", Money, default=None, example="100")
    + setting("catalogue", "which products are told", Wanted, default=None, example={"countries": ["US"], "most": "50"}),
    api="https://{host}/api/v2",
    auth=auth.bearer("api_key"),
    signature=signature.hmac("Tremendous-Webhook-Signature", "webhook_key", prefix="sha256="),
    envelope=envelope(kind=_kind, id=body("uuid"), at=body("created_utc")),
    idempotency=body("external_id"),
    rate=rate("5 per second"),
    failures=_failure,
)


# What comes in --------------------------------------------------------------------------------------------------------


def _within(*path: str, default: Any = None) -> Any:
    """What stands deeper."""
    return Field(default, validation_alias=AliasPath(*path))


class Reward(Payload):
    """A reward as Tremendous keeps it. status: SCHEDULED, PENDING, SUCCEEDED, FAILED, or one that is new."""

    id: str
    order_id: str | None = None
    amount: Money = _within("value", "denomination", default=...)
    currency: str | None = _within("value", "currency_code")
    email: str | None = _within("recipient", "email")
    phone: str | None = _within("recipient", "phone")
    method: str = _within("delivery", "method", default="")
    status: str = _within("delivery", "status", default="")

    def filled(self) -> dict[str, Any]:
        """What every fact about it says."""
        who = Customer(email=self.email, phone=self.phone)
        channel = {"EMAIL": "email", "PHONE": "sms", "LINK": "link"}.get(self.method, "")
        address = self.phone if channel == "sms" else self.email or self.phone
        order = [Reference(kind="reward_order", id=self.order_id)] if self.order_id else []
        return {
            "customer": who if who.is_known() else None,
            "references": (Reference(kind="reward", id=self.id), *order),
            "reward_id": self.id,
            "order_id": self.order_id,
            "amount": self.amount,
            "currency": self.currency,
            "channel": channel,
            "address": address or channel or "unknown",
        }


class Payment(Payload):
    """What an order cost, in the organisation's own currency; there once it has been worked."""

    total: Money
    fees: Money
    paid_in: str = Field(alias="currency_code")
    refunded: Money | None = _within("refund", "total")


class Order(Payload):
    """An order as Tremendous keeps it. status: EXECUTED is sent; others wait, or came to nothing; new ones may come."""

    id: str
    external_id: str | None = None
    status: str
    created_at: UtcMoment | None = None
    payment: Payment | None = None
    rewards: tuple[Reward, ...] | None = None

    @property
    def state(self) -> Literal["waiting", "sent", "failed", "cancelled"]:
        """What came of it, or has not come of it yet."""
        paid = self.payment
        if self.status == "CANCELED" or (paid and paid.refunded and paid.refunded >= paid.total):
            return "cancelled"
        return "sent" if self.status == "EXECUTED" else "failed" if self.status == "FAILED" else "waiting"

    def cost(self) -> dict[str, Any]:
        """What is told of the money that it took."""
        return self.payment.model_dump(exclude={"refunded"}) if self.payment else {}


class Notice(Payload):
    """What a webhook tells: only what it is about. reward, order: that thing itself, where it was listed."""

    id: str = _within("payload", "resource", "id", default=...)
    reward: Reward | None = None
    order: Order | None = None


class RewardFact(Fact):
    """A reward. channel: how it goes to the member; address: where."""

    reward_id: Short
    order_id: Short | None = None
    amount: Money
    currency: Currency | None = None
    channel: Literal["email", "sms", "link", ""] = ""
    address: Short = ""

    makes_member = False
    is_turnover = False
    sample: ClassVar[dict[str, Any]] = {
        "customer": {"email": "ada@example.com"}, "reward_id": "REWARDFIX1", "order_id": "ORDERFIX01", "amount": "20",
        "currency": "EUR", "channel": "email", "address": "ada@example.com",
    }  # fmt: skip


class RewardDelivered(RewardFact):
    """The mail or text message with a reward arrived."""

    fact = "reward_delivered"


class RewardFailed(RewardFact):
    """The mail or text message with a reward did not arrive; it can be sent again, or cancelled."""

    fact = "reward_failed"


class RewardCancelled(RewardFact):
    """A reward was cancelled; its money comes back."""

    fact = "reward_cancelled"


class RewardFlagged(RewardFact):
    """A reward looks like fraud to Tremendous, and somebody must look at it there."""

    fact = "reward_flagged"


def _reward(client: Client, number: str) -> Reward:
    return Reward.model_validate(client.get("/rewards/{id}", at={"id": number})["reward"])


def _order(client: Client, number: str) -> Order:
    return Order.model_validate(client.get("/orders/{id}", at={"id": number})["order"])


@connector.trigger("REWARDS.DELIVERY.SUCCEEDED", key=("reward_id", "address"))
def reward_delivered(notice: Notice, client: Client) -> RewardDelivered | None:
    """The mail or text message with a reward arrived."""
    reward = notice.reward or _reward(client, notice.id)
    return None if reward.status == "FAILED" else RewardDelivered(**reward.filled())


@connector.trigger("REWARDS.DELIVERY.FAILED", key=("reward_id", "address"))
def reward_failed(notice: Notice, client: Client) -> RewardFailed | None:
    """The mail or text message with a reward did not arrive."""
    reward = notice.reward or _reward(client, notice.id)
    return None if reward.status == "SUCCEEDED" else RewardFailed(**reward.filled())


@connector.trigger("REWARDS.CANCELED", key="reward_id")
def reward_cancelled(notice: Notice, client: Client) -> RewardCancelled:
    """A reward was cancelled."""
    return RewardCancelled(**(notice.reward or _reward(client, notice.id)).filled())


@connector.trigger("REWARDS.FLAGGED", key="reward_id")
def reward_flagged(notice: Notice, client: Client) -> RewardFlagged:
    """A reward looks like fraud, and somebody must look at it at Tremendous."""
    return RewardFlagged(**(notice.reward or _reward(client, notice.id)).filled())


class Ordered(RewardOrder):
    """An order of rewards, as it stands. amount: of its rewards; None where they have several currencies.

    status: as Tremendous calls its state. external_id: what it is to whoever made it.
    """

    external_id: Short = ""
    status: Short
    reward_ids: tuple[Short, ...] = ()

    sample: ClassVar[dict[str, Any]] = {
        **RewardOrder.sample, "order_id": "ORDERFIX01", "external_id": "loy-call_1", "status": "EXECUTED",
        "reward_ids": ["REWARDFIX1"],
    }  # fmt: skip


OURS = "loy-"


@connector.trigger(
    "ORDERS.CREATED", "ORDERS.APPROVED", "ORDERS.CANCELED", "ORDERS.FAILED", key=("order_id", "status", "refunded")
)
def order_changed(notice: Notice, client: Client) -> Ordered:
    """An order of rewards was made, approved, cancelled, paid, refunded in part, or failed."""
    order = notice.order or _order(client, notice.id)
    rewards, external_id = order.rewards or (), order.external_id or ""
    currencies = {reward.currency for reward in rewards}
    came_back = order.payment.refunded if order.payment else None
    things = [("reward_order", order.id), *(("reward", reward.id) for reward in rewards)]
    return Ordered(
        references=tuple(Reference(kind=kind, id=number) for kind, number in things),
        order_id=order.id,
        external_id=external_id,
        call_key=external_id.removeprefix(OURS) if external_id.startswith(OURS) else "",
        state=order.state,
        status=order.status,
        ordered_at=order.created_at,
        amount=sum(reward.amount for reward in rewards) if len(currencies) == 1 else None,
        currency=currencies.pop() if len(currencies) == 1 else None,
        **order.cost(),
        refunded=Decimal(f"{came_back.normalize():f}") if came_back else Decimal(0),  # 10.0 and 10 are one amount, and one key
        reward_ids=tuple(reward.id for reward in rewards),
    )


def _orders(client: Client, since: datetime) -> list[Mapping[str, Any]]:
    """The orders of the last days, oldest first: what became of one shows late, and never when."""
    query = {"limit": PAGE_SIZE, "created_at[gte]": since - LOOKED_BACK}
    return list(client.pages("/orders", items="orders", next=pages.offset(size=PAGE_SIZE), query=query))[::-1]


def _listed(kind: str, row: Mapping[str, Any], at: object, **thing: Any) -> Item:
    """As a webhook tells it; the time of the order is older than any notice, which therefore says it better."""
    return Item(kind, {"id": row["id"], **thing}, at=datetime.fromisoformat(str(at)))


def _rewards(client: Client, since: datetime, kind: str, status: str) -> Iterator[Item]:
    for order in _orders(client, since):
        for row in order.get("rewards") or ():
            if (row.get("delivery") or {}).get("status") == status:
                yield _listed(kind, row, order["created_at"], reward=row)


@connector.pull(reward_delivered)
def delivered_rewards(client: Client, since: datetime) -> Iterator[Item]:
    """Rewards of the last days that arrived."""
    return _rewards(client, since, "REWARDS.DELIVERY.SUCCEEDED", "SUCCEEDED")


@connector.pull(reward_failed)
def failed_rewards(client: Client, since: datetime) -> Iterator[Item]:
    """Rewards of the last days that did not arrive."""
    return _rewards(client, since, "REWARDS.DELIVERY.FAILED", "FAILED")


@connector.pull(reward_cancelled)
def cancelled_rewards(client: Client, since: datetime) -> Iterator[Item]:
    """Rewards of the orders of the last days that were cancelled as a whole."""
    for order in _orders(client, since):
        for row in (order.get("rewards") or ()) if order["status"] == "CANCELED" else ():
            yield _listed("REWARDS.CANCELED", row, order["created_at"], reward=row)


@connector.pull(order_changed)
def orders(client: Client, since: datetime) -> Iterator[Item]:
    """Orders of the last days, whoever made them."""
    for row in _orders(client, since):
        yield _listed("ORDERS.CREATED", row, row["created_at"], order=row)


class Band(Payload):
    """Amounts from min to max."""

    min: Money
    max: Money
    currency_code: str | None = None


class Country(Payload):
    abbr: str


class Product(Payload):
    """Something that can be sent. skus: for which amounts; none are said of what takes any."""

    id: str
    name: str
    category: str = ""
    skus: tuple[Band, ...] | None = None
    currency_codes: tuple[str, ...] = ()
    countries: tuple[Country, ...] = ()

    def takes(self, least: Decimal, most: Decimal | None) -> bool:
        """True when it can be sent for some amount between these."""
        return not self.skus or any(band.max >= least and (most is None or band.min <= most) for band in self.skus)

    def shown(self) -> dict[str, Any]:
        """What is told of it."""
        bands = self.skus or ()
        return {
            "name": self.name[:512],
            "category": self.category,
            "countries": tuple(country.abbr for country in self.countries),
            "currencies": self.currency_codes,
            "least": min((band.min for band in bands), default=None),
            "most": max((band.max for band in bands), default=None),
            "amounts_in": next((band.currency_code for band in bands), None),
        }


class ProductListed(Fact):
    """A gift card, prepaid card or the like can be sent, or no longer as it was told. least, most: in `amounts_in`.

    version: of what is told. category: merchant_card, visa_card, charity, paypal, bank transfers and others.
    """

    product_id: Short
    version: Short
    name: Short
    category: Short = ""
    countries: tuple[Short, ...] = ()
    currencies: tuple[Short, ...] = ()
    least: Money | None = None
    most: Money | None = None
    amounts_in: Currency | None = None

    fact = "product_listed"
    makes_member = False
    sample: ClassVar[dict[str, Any]] = {
        "product_id": "OKMHM2X2OHYV", "version": "9f2c", "name": "Amazon.com", "category": "merchant_card", "countries": ["US"],
        "currencies": ["USD"], "least": "1", "most": "2000", "amounts_in": "USD",
    }  # fmt: skip


class ProductRemoved(Fact):
    """A product can no longer be sent."""

    product_id: Short
    notice_id: Short

    fact = "product_removed"
    makes_member = False
    sample: ClassVar[dict[str, Any]] = {"product_id": "OKMHM2X2OHYV", "notice_id": "3f1a6b8c"}


@connector.trigger("PRODUCT", key=("product_id", "version"), polled=True)
def product_listed(product: Product, settings: Settings) -> ProductListed | None:
    """A product can be sent, or can now be sent for other amounts, in other countries or currencies."""
    wanted: Wanted = settings["catalogue"] or Wanted()
    if not product.takes(wanted.least, wanted.most):
        return None
    shown = product.shown()
    version = digest(shown)
    return ProductListed(product_id=product.id, version=version, **shown)


@connector.trigger("PRODUCTS.REMOVED", key=("product_id", "notice_id"))
def product_removed(notice: Notice, item: Item) -> ProductRemoved:
    """A product can no longer be sent."""
    return ProductRemoved(product_id=notice.id, notice_id=item.id or "")


def _products(client: Client, countries: Sequence[str], currencies: Sequence[str]) -> list[Mapping[str, Any]]:
    query = {"country": ",".join(countries) or None, "currency": ",".join(currencies) or None}
    found: list[Mapping[str, Any]] = client.get("/products", query=query)["products"]
    return found


@connector.pull(product_listed, every="1 day")
def products(client: Client, settings: Settings) -> Iterator[Mapping[str, Any]]:
    """The products of the `catalogue`, all of them each time; those that are as they were are known again."""
    wanted: Wanted | None = settings["catalogue"]
    if wanted is not None:
        yield from _products(client, wanted.countries, wanted.currencies)


connector.poke("PRODUCTS", pull=products)


class Source(Payload):
    """Something that pays for rewards. available: what can be spent; balances and invoices alone say so."""

    id: str
    method: str
    available: SignedMoney | None = _within("meta", "available_amount")
    currency: str | None = _within("meta", "currency_code")

    def pays(self, said: str) -> bool:
        """True when it is what the connection says; of two that pay one after the other, the balance is the last."""
        method = {"BALANCE": "balance", "INVOICE": "invoice", "INVOICE_THEN_BALANCE": "balance"}.get(said.upper())
        return self.method == method or self.id == said


class FundsLow(Fact):
    """There is less money for rewards than `least`. day: on which this was seen; it is told once a day."""

    source_id: Short
    available: SignedMoney
    least: Money
    currency: Currency | None = None
    day: date

    fact = "funds_low"
    makes_member = False
    sample: ClassVar[dict[str, Any]] = {
        "source_id": "SOURCEFIX1", "available": "42.50", "least": "100", "currency": "USD", "day": "2026-02-06",
    }  # fmt: skip


class Looked(Payload):
    source: Source
    day: date


@connector.trigger("FUNDS", key=("source_id", "day"), polled=True)
def funds_low(looked: Looked, settings: Settings) -> FundsLow | None:
    """There is less money for rewards than the connection's `low_balance`."""
    source, least = looked.source, settings["low_balance"]
    available = source.available
    if least is None or available is None or available >= least or not source.pays(settings["funding_source"]):
        return None
    return FundsLow(source_id=source.id, available=available, least=least, currency=source.currency, day=looked.day)


@connector.pull(funds_low, every="1 hour")
def low_funds(client: Client, settings: Settings) -> Iterator[Mapping[str, Any]]:
    """What can be spent, where the connection says `low_balance`."""
    if settings["low_balance"] is not None:
        for row in client.get("/funding_sources")["funding_sources"]:
            yield {"source": row, "day": client.now().date()}


connector.poke("FUNDING_SOURCES", pull=low_funds)


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Register our address and give the key that signs; another that stands there is somebody's, and is let alone."""
    there = client.get("/webhooks")["webhooks"]
    if other := next((row["url"].partition("?")[0] for row in there if row["url"] != connection.webhook_url), None):
        said = "take it away there first, if nobody needs it"
        raise CallFailed(f"Tremendous tells {other} what happens, and can tell one address alone; {said}.", "lasting")
    ours = there[0] if there else client.post("/webhooks", json={"url": connection.webhook_url})["webhook"]
    known = connection.settings.secret("webhook_key")
    key = ours["private_key"]
    return {} if known is not None and key in known.values else {"webhook_key": key}


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Take our address back."""
    for row in client.get("/webhooks")["webhooks"]:
        if row["url"] == connection.webhook_url:
            client.delete("/webhooks/{id}", at={"id": row["id"]})


# What goes out --------------------------------------------------------------------------------------------------------

To = Annotated[str, "the member's e-mail address, or their phone number with its country"]
Amount = Annotated[Money, Field(description="what it is worth, such as 20", gt=0)]
In = Annotated[Currency, Field(description="the currency of the amount, such as EUR")]
ProductId = Annotated[str, Field(description="the product's id, such as OKMHM2X2OHYV", pattern="^[A-Z0-9]{4,20}$")]
RewardId = Annotated[str, Field(description="the reward's id, such as {{ event.reward_id }}", pattern="^[A-Z0-9]{4,20}$")]
Name = Annotated[str | None, "the member's name"]
Message = Annotated[str | None, "what the mail or text message says, where it is not the campaign's"]
Language = Annotated[str | None, "the language in which it is redeemed, such as fr"]
Day = Annotated[date | None, "the day on which it goes out, within a year; at once without one"]
Fields = Annotated[dict[str, str], "custom fields by label or id"]
SPENT = spends("amount", "currency", order="order_id")
FIELD_ID = re.compile(r"(?=.*[0-9])[A-Z0-9]{8,20}")


@dataclass(frozen=True, slots=True)
class Wish:
    """A reward as a recipe asks for it. products: of which the member chooses; without any, of the campaign's."""

    to: str
    amount: Decimal
    currency: str
    products: Sequence[str]
    campaign: str | None
    name: str | None
    message: str | None
    language: str | None
    deliver_on: date | None
    fields: Mapping[str, str]


class Sent(BaseModel):
    """An order that was taken. is_sent: paid, and on its way; else it waits for its day, or for somebody's approval.

    total: what it cost with `fees`, in `paid_in`.
    """

    order_id: str
    reward_id: str | None
    external_id: str
    status: str
    is_sent: bool
    total: Money | None = None
    fees: Money | None = None
    paid_in: str | None = None


class Taken(Payload):
    order: Order


def _check_key(connection: Connection) -> None:
    """A key of the sandbox at the real host, or the other way round, would only be called unknown."""
    key, host = connection.settings["api_key"].reveal(), connection.settings["host"]
    for prefix, belongs in (("TEST_", SANDBOX), ("PROD_", PRODUCTION)):
        if key.startswith(prefix) and host != belongs:
            raise CallFailed(f"The `api_key` of {connection.name} is one for {belongs}, and its `host` is {host}.", "reconnect")


def _fields(client: Client, settings: Settings, fields: Mapping[str, str]) -> list[dict[str, str]] | None:
    def listed() -> Mapping[str, str]:
        return {row["label"]: row["id"] for row in client.get("/fields")["fields"]}

    ids = field_keys(fields, settings["custom_fields"], key=FIELD_ID, listed=listed)
    if gone := [name for name in fields if name not in ids]:
        raise CallFailed(f"Tremendous has no custom field `{gone[0]}`; make it there, or say its id.", "lasting")
    return [{"id": ids[name], "value": value} for name, value in fields.items()] or None


def _reached(to: str) -> tuple[str, dict[str, str]]:
    """How a reward goes to an address, and to whom."""
    return ("EMAIL", {"email": to}) if "@" in to else ("PHONE", {"phone": phone(to) or to})


def _send(client: Client, connection: Connection, key: str, wish: Wish) -> Sent:
    _check_key(connection)
    settings = connection.settings
    method, recipient = _reached(wish.to)
    reward = {
        "campaign_id": wish.campaign or settings["campaign_id"],
        "products": list(wish.products) or None,
        "value": {"denomination": wish.amount, "currency_code": wish.currency},
        "recipient": {"name": wish.name, **recipient},
        "delivery": {"method": method, "meta": {"message": wish.message} if wish.message else None},
        "language": wish.language[:2].lower() if wish.language else None,
        "deliver_at": wish.deliver_on,
        "custom_fields": _fields(client, settings, wish.fields),
    }
    asked = {"external_id": OURS + key, "payment": {"funding_source_id": settings["funding_source"]}, "reward": reward}
    order: Order = client.post("/orders", json=asked, into=Taken).order
    if order.status in {"FAILED", "CANCELED"}:
        said = "the hub does not make it anew, so that nobody gets it twice: look there, and send it there"
        raise CallFailed(f"The order {order.id} is {order.status} at Tremendous; {said}.", "lasting")
    return Sent(
        order_id=order.id,
        reward_id=next((one.id for one in order.rewards or ()), None),
        external_id=OURS + key,
        status=order.status,
        is_sent=order.status == "EXECUTED",
        **order.cost(),
    )


@connector.action(repeat="keyed", channel="email or sms", spends=SPENT)
def send_gift_card(
    client: Client,
    connection: Connection,
    key: CallKey,
    *,
    to: To,
    product: ProductId,
    amount: Amount,
    currency: In,
    name: Name = None,
    message: Message = None,
    language: Language = None,
    deliver_on: Day = None,
    fields: Fields = {},  # noqa: B006  # never changed
) -> Sent:
    """Send a gift card of one shop."""
    return _send(
        client, connection, key, Wish(to, amount, currency, [product], None, name, message, language, deliver_on, fields)
    )


@connector.action(repeat="keyed", channel="email or sms", spends=SPENT)
def send_prepaid_card(
    client: Client,
    connection: Connection,
    key: CallKey,
    *,
    to: To,
    amount: Amount,
    currency: In,
    product: Annotated[str | None, "the product's id, where it is not the connection's `prepaid_card`"] = None,
    name: Name = None,
    message: Message = None,
    language: Language = None,
    deliver_on: Day = None,
    fields: Fields = {},  # noqa: B006  # never changed
) -> Sent:
    """Send a prepaid card, which is taken wherever cards are."""
    card = product or connection.settings["prepaid_card"]
    if card is None:
        raise CallFailed(f"{connection.name} has no `prepaid_card`; write the product's id into hub.yaml.", "lasting")
    return _send(client, connection, key, Wish(to, amount, currency, [card], None, name, message, language, deliver_on, fields))


@connector.action(repeat="keyed", channel="email or sms", spends=SPENT)
def send_choice(
    client: Client,
    connection: Connection,
    key: CallKey,
    *,
    to: To,
    amount: Amount,
    currency: In,
    campaign: Annotated[str | None, "the campaign's id, where it is not the connection's `campaign_id`"] = None,
    products: Annotated[list[str], "ids of the products to choose from, where it is not all of the campaign's"] = [],  # noqa: B006
    name: Name = None,
    message: Message = None,
    language: Language = None,
    deliver_on: Day = None,
    fields: Fields = {},  # noqa: B006  # never changed
) -> Sent:
    """Send a reward of which the member chooses what it is."""
    if not products and not campaign and not connection.settings["campaign_id"]:
        raise CallFailed(f"{connection.name} has no `campaign_id`; write it into hub.yaml, or name products.", "lasting")
    return _send(
        client, connection, key, Wish(to, amount, currency, products, campaign, name, message, language, deliver_on, fields)
    )


class Resent(BaseModel):
    """A reward that was sent once more."""

    reward_id: str


@connector.action(repeat="never", channel="email or sms")
def resend_reward(client: Client, *, reward: RewardId, to: To) -> Resent:
    """Send a reward once more that did not arrive, by the way it went before, to this address."""
    _, recipient = _reached(to)
    client.call(
        "POST", "/rewards/{id}/resend", at={"id": reward}, json={f"updated_{kind}": at for kind, at in recipient.items()}
    )
    return Resent(reward_id=reward)


@connector.lookup(resend_reward)
def resent_before(client: Client, *, reward: str) -> Resent | None:
    """A reward that was sent again has failed no more, or not yet; one that has failed again may be sent again."""
    return None if _reward(client, reward).status == "FAILED" else Resent(reward_id=reward)


class Cancelled(BaseModel):
    """A reward that was cancelled."""

    reward_id: str


@connector.action(repeat="never")
def cancel_reward(client: Client, *, reward: RewardId) -> Cancelled:
    """Cancel a reward that did not arrive; its money comes back. One that arrived cannot be cancelled."""
    client.call("POST", "/rewards/{id}/cancel", at={"id": reward})
    return Cancelled(reward_id=reward)


@connector.lookup(cancel_reward)
def cancelled_before(client: Client, *, reward: str) -> Cancelled | None:
    """The order of a reward shows that it was cancelled, as a whole or by what came back of it."""
    number = _reward(client, reward).order_id
    order = _order(client, number) if number else None
    came_back = order is not None and order.payment is not None and order.payment.refunded is not None
    return Cancelled(reward_id=reward) if order is not None and (order.status == "CANCELED" or came_back) else None


class Funds(BaseModel):
    """What can be spent on rewards. is_enough: for what was asked about; always true where nothing tells how much there is."""

    source_id: str
    available: SignedMoney | None
    currency: str | None
    is_enough: bool


@connector.action(repeat="safe")
def check_funds(
    client: Client, settings: Settings, *, needed: Annotated[Money, "how much there should be"] = Decimal(0)
) -> Funds:
    """Look how much money there is for rewards."""
    said = settings["funding_source"]
    sources = [Source.model_validate(row) for row in client.get("/funding_sources")["funding_sources"]]
    source = next((one for one in sources if one.pays(said)), None)
    if source is None:
        there = ", ".join(f"{one.id} ({one.method})" for one in sources) or "none"
        raise CallFailed(f"Tremendous has no funding source {said}; there are: {there}.", "lasting")
    available = source.available
    return Funds(
        source_id=source.id,
        available=available,
        currency=source.currency,
        is_enough=available is None or available >= needed,
    )


# Recorded truth -------------------------------------------------------------------------------------------------------

AT, SINCE = "2026-02-06T21:27:34Z", "2026-02-06T00:00:00+00:00"
GET_REWARD, GET_ORDER, LIST = "GET /api/v2/rewards/REWARDFIX1", "GET /api/v2/orders/ORDERFIX01", "GET /api/v2/orders"
GET_FUNDS, GET_PRODUCTS, POST_ORDER = "GET /api/v2/funding_sources", "GET /api/v2/products", "POST /api/v2/orders"


def _told(event: str, kind: str, number: str) -> dict[str, Any]:
    about = {"resource": {"id": number, "type": kind}}
    return {"uuid": "3f1a6b8c-9d2e-4f0a-8b7c-1d2e3f4a5b6c", "created_utc": AT, "event": event, "payload": about}


def _kept(status: str, **more: Any) -> dict[str, Any]:
    """A reward as Tremendous keeps it."""
    return {
        "id": "REWARDFIX1", "order_id": "ORDERFIX01", "created_at": "2026-02-06T21:20:00Z",
        "value": {"denomination": 20, "currency_code": "EUR"}, "recipient": {"name": "Ada Ng", "email": "ada@example.com"},
        "delivery": {"method": "EMAIL", "status": status}, **more,
    }  # fmt: skip


def _order_of(reward: Mapping[str, Any], status: str = "EXECUTED", **paid: Any) -> dict[str, Any]:
    """An order as Tremendous keeps it."""
    payment = {"subtotal": 23.1, "total": 23.1, "fees": 0, "discount": 0, "currency_code": "USD", **paid}
    return {
        "id": "ORDERFIX01", "external_id": "loy-run_1/step_1", "campaign_id": "IVM0I3WNJJL0", "status": status,
        "created_at": "2026-02-06T21:20:00Z", "payment": payment, "rewards": [reward],
    }  # fmt: skip


def _posted(**reward: Any) -> Any:
    asked = {
        "campaign_id": "IVM0I3WNJJL0", "value": {"denomination": 20, "currency_code": "EUR"},
        "recipient": {"email": "ada@example.com"}, "delivery": {"method": "EMAIL"}, **reward,
    }  # fmt: skip
    payment = {"funding_source_id": "BALANCE"}
    return ask(POST_ORDER, json={"external_id": "loy-run_1/step_1", "payment": payment, "reward": asked})


ARRIVED, LOST = _kept("SUCCEEDED"), _kept("FAILED")
BACK: dict[str, Any] = {"refund": {"total": 23.1, "currency_code": "USD"}}
ORDER = _order_of(ARRIVED)
PRODUCT = {
    "id": "OKMHM2X2OHYV", "name": "Amazon.com", "description": "…", "category": "merchant_card", "disclosure": "",
    "skus": [{"min": 1, "max": 2000, "currency_code": "USD"}], "currency_codes": ["USD"], "countries": [{"abbr": "US"}],
    "images": [],
}  # fmt: skip
TOO_DEAR = PRODUCT | {"id": "TOODEAR001", "skus": [{"min": 500, "max": 900, "currency_code": "USD"}]}
BALANCE = {
    "id": "SOURCEFIX1", "method": "balance", "usage_permissions": ["api_orders"], "status": "active",
    "meta": {"available_amount": 42.5, "available_cents": 4250, "pending_amount": 0, "currency_code": "USD"},
}  # fmt: skip
MAIL = {"to": "ada@example.com", "amount": "20", "currency": "EUR"}
REWARD_ID = {"reward_id": "REWARDFIX1"}

connector.sample(
    reward_delivered, _told("REWARDS.DELIVERY.SUCCEEDED", "rewards", "REWARDFIX1"),
    asks=GET_REWARD, reply={"reward": ARRIVED},
    gives={**REWARD_ID, "order_id": "ORDERFIX01", "amount": "20", "currency": "EUR", "channel": "email",
           "address": "ada@example.com", "customer": {"email": "ada@example.com"}, "occurred_at": AT},
)  # fmt: skip
connector.sample(
    reward_delivered, _told("REWARDS.DELIVERY.SUCCEEDED", "rewards", "REWARDFIX1"),
    asks=GET_REWARD, reply={"reward": LOST}, gives=None, note="sent again since, and lost",
)  # fmt: skip
for heard, event in (
    (reward_failed, "REWARDS.DELIVERY.FAILED"), (reward_cancelled, "REWARDS.CANCELED"), (reward_flagged, "REWARDS.FLAGGED"),
):  # fmt: skip
    told = _told(event, "rewards", "REWARDFIX1")
    connector.sample(heard, told, asks=GET_REWARD, reply={"reward": LOST}, gives=REWARD_ID | {"address": "ada@example.com"})
connector.sample(
    order_changed, _told("ORDERS.APPROVED", "orders", "ORDERFIX01"), asks=GET_ORDER, reply={"order": ORDER},
    gives={"order_id": "ORDERFIX01", "call_key": "run_1/step_1", "state": "sent", "status": "EXECUTED", "amount": "20",
           "ordered_at": "2026-02-06T21:20:00Z", "currency": "EUR", "total": "23.1", "fees": "0", "paid_in": "USD",
           "reward_ids": ["REWARDFIX1"]},
)  # fmt: skip
connector.sample(product_removed, _told("PRODUCTS.REMOVED", "products", "OKMHM2X2OHYV"), gives={"product_id": "OKMHM2X2OHYV"})
for pulled, row, gives in (
    (delivered_rewards, ORDER, REWARD_ID),
    (failed_rewards, _order_of(LOST), REWARD_ID),
    (cancelled_rewards, _order_of(LOST, "CANCELED", **BACK), REWARD_ID),
    (orders, _order_of(LOST, **BACK), {"order_id": "ORDERFIX01", "state": "cancelled", "refunded": "23.1"}),
):
    asked = ask(LIST, query={"limit": "100", "created_at[gte]": "2026-01-30T00:00:00Z"})
    connector.sample(pulled, SINCE, asks=asked, reply={"orders": [row], "total_count": 1}, gives=gives)
connector.sample(
    products, SINCE, asks=ask(GET_PRODUCTS, query={"country": "US"}),
    reply={"products": [PRODUCT, TOO_DEAR]},
    gives={"product_id": "OKMHM2X2OHYV", "countries": ["US"], "currencies": ["USD"], "least": "1", "most": "2000"},
)  # fmt: skip
connector.sample(
    low_funds, SINCE, asks=GET_FUNDS,
    reply={"funding_sources": [BALANCE, {"id": "CARDFIX001", "method": "credit_card", "meta": {"network": "visa"}}]},
    gives={"source_id": "SOURCEFIX1", "available": "42.5", "least": "100", "day": "2026-02-06"},
)  # fmt: skip
connector.sample(
    send_gift_card,
    MAIL | {"product": "OKMHM2X2OHYV", "name": "Ada Ng", "message": "Thank you!", "language": "fr-CA"},
    asks=_posted(
        products=["OKMHM2X2OHYV"],
        recipient={"name": "Ada Ng", "email": "ada@example.com"},
        delivery={"method": "EMAIL", "meta": {"message": "Thank you!"}},
        language="fr",
    ),
    reply={"order": ORDER},
    gives={"order_id": "ORDERFIX01", **REWARD_ID, "is_sent": True, "total": "23.1", "paid_in": "USD"},
)
connector.sample(
    send_gift_card, MAIL | {"product": "OKMHM2X2OHYV"}, asks=POST_ORDER,
    reply=answers(402, {"status": 402, "errors": {"message": "Insufficient funds"}}), fails="reconnect",
)  # fmt: skip
connector.sample(
    send_prepaid_card, MAIL | {"to": "+44 7700 900123", "deliver_on": "2026-02-14"},
    asks=_posted(
        products=["Q24BD9EZ332JT"], recipient={"phone": "+447700900123"}, delivery={"method": "PHONE"}, deliver_at="2026-02-14"
    ),
    reply=answers(201, {"order": ORDER}), gives={"status": "EXECUTED"}, note="201: it was taken before",
)  # fmt: skip
connector.sample(
    send_choice, MAIL | {"fields": {"tier": "gold"}},
    asks=["GET /api/v2/fields", _posted(custom_fields=[{"id": "FIELDID01", "value": "gold"}])],
    reply=[{"fields": [{"id": "FIELDID01", "label": "tier"}]}, {"order": ORDER | {"status": "PENDING APPROVAL"}}],
    gives={"status": "PENDING APPROVAL", "is_sent": False},
)  # fmt: skip
AGAIN = {"reward": "REWARDFIX1", "to": "ada@new.example"}
connector.sample(
    resend_reward, AGAIN, reply={}, gives=REWARD_ID,
    asks=ask("POST /api/v2/rewards/REWARDFIX1/resend", json={"updated_email": "ada@new.example"}),
)  # fmt: skip
connector.sample(resent_before, AGAIN, asks=GET_REWARD, reply={"reward": _kept("PENDING")}, gives=REWARD_ID)
connector.sample(resent_before, AGAIN, asks=GET_REWARD, reply={"reward": LOST}, gives=None)
CANCEL, LOOK = {"reward": "REWARDFIX1"}, [GET_REWARD, GET_ORDER]
connector.sample(cancel_reward, CANCEL, asks="POST /api/v2/rewards/REWARDFIX1/cancel", reply={}, gives=REWARD_ID)
connector.sample(
    cancelled_before, CANCEL, asks=LOOK, reply=[{"reward": LOST}, {"order": _order_of(LOST, **BACK)}], gives=REWARD_ID
)
connector.sample(cancelled_before, CANCEL, asks=LOOK, reply=[{"reward": LOST}, {"order": ORDER}], gives=None)
connector.sample(
    check_funds, {"needed": "20"}, asks=GET_FUNDS, reply={"funding_sources": [BALANCE]},
    gives={"source_id": "SOURCEFIX1", "available": "42.5", "currency": "USD", "is_enough": True},
)  # fmt: skip
