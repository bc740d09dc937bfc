"""Stripe: hear of payments, subscriptions, refunds, lost disputes and customers, and give coupons, codes and credit.

Setup:
1. dashboard.stripe.com > Developers > API keys > Create restricted key, for this hub alone. Read: PaymentIntents, Charges and
   Refunds, Checkout Sessions, Invoices, Events. Write: Customers, Customer balance, Coupons, Promotion codes. Copy it
   (`rk_live_…`) to `api_key`.
   A sandbox has keys (`rk_test_…`), webhooks and secrets of its own; a connection hears the mode of its key alone.
2. Developers > Webhooks (in Workbench: Event destinations) > Add destination. Events: snapshot, not thin; API version: that of
   `api_version`, for it is fixed from then on; Endpoint URL: {webhook_url}. Choose payment_intent.succeeded, invoice.paid,
   refund.created, refund.updated, refund.failed, charge.dispute.closed, customer.created, customer.updated, customer.deleted;
   on a platform also account.application.deauthorized.
3. Open the destination, Signing secret > Reveal: copy it (`whsec_…`) to `webhook_secret`; both in a list while it is rolled.
   A hub without a public address needs neither 2 nor 3: it asks Stripe every ten minutes.
4. A platform (Connect) makes a connection for each of its accounts, with its own key, and with the account (`acct_…`) in
   `account_id`: events of other accounts are left out, and calls are made for this one.

What is a sale: each PaymentIntent that succeeded, once, under its id: at a till (Terminal), online, or for an invoice.
Checkout and charge events tell of the same money and are not read. An invoice that was settled without one (out of band) is a
sale of its own; one of 0, or that credit alone has paid, is none. The hub fetches what was paid for, the invoice or else the
Checkout session: so tax, shipping and tips earn nothing, `recurring` and `billing_reason` (`subscription_cycle`: a renewal) are
known, and of what is paid in parts each part earns its share. That a PaymentIntent names its invoice in `payment_details` is
what Stripe sends, but not what it promises (unverified); where it does not, all that was paid earns, still once. What old
integrations charge without a PaymentIntent is not told.

What takes points back: each refund, once it has succeeded, for its share of what earned; and a dispute, once it is lost. While
it is open, or when it is won, nothing is taken, so nothing has to come back. A refund may still fail weeks later (the bank
account was closed): what the ledger took it does not give back by itself, so `refund_failed` tells it, and a recipe asks
somebody, or awards the points anew.

Polling finds payments, refunds and new customers of any age, the rest within the 30 days for which Stripe keeps events. Codes
work at Checkout and on invoices, credit on the next invoice; neither does anything to bare PaymentIntents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, AliasPath, BaseModel, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    ConnectionRevoked,
    Connector,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
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
    json_text,
    names,
)
from hub.sdk.declare import ask, auth, body, envelope, header, pages, rate, secret, setting, signature, spends
from hub.sdk.decode import pairs
from hub.sdk.fact import Short
from hub.sdk.values import Currency, Moment, Money, Number, Points, exponent, share


def _told(event: Mapping[str, Any]) -> dict[str, Any]:
    """The object as of the event, with what stands beside it: whose it is, in which mode, and what it was before."""
    data = event["data"]
    beside = {"account": event.get("account"), "before": data.get("previous_attributes") or {}}
    return {**data["object"], "livemode": event.get("livemode"), **beside}


def _failure(reply: Reply) -> Failure | None:
    if reply.ok:
        return None
    if reply.status == 403:  # a restricted key lacks a permission
        return Failure("reconnect")
    again = reply.headers.get("stripe-should-retry")
    if reply.status >= 500 and again == "false":  # the key would only bring this very answer again
        return Failure("uncertain")
    # 409: our key is still at work, or another call holds the object; either way nothing was done.
    return Failure("passing") if again == "true" or (reply.status == 409 and again != "false") else None


connector = Connector(
    "stripe",
    title="Stripe",
    settings=secret("api_key", "API keys > Restricted keys (rk_live_… or rk_test_…)", example="rk_test_example-7Qd2")
    + secret("webhook_secret", "Webhooks > your destination > Signing secret (whsec_…)", required=False)
    + setting("account_id", "Connect: the account (acct_…) that this connection is for", default=None)
    + setting("api_version", "The version of Stripe's API (Stripe-Version)", default="2026-10-28.endive"),
    api="https://api.stripe.com",
    auth=auth.bearer("api_key"),
    headers={"Stripe-Version": "{api_version}"},
    signature=signature.timestamped("Stripe-Signature", "webhook_secret"),
    envelope=envelope(kind=body("type"), id=body("id"), account=body("account"), data=_told, at=body("created")),
    idempotency=header("Idempotency-Key"),
    failures=_failure,
    rate=rate("25 per second"),
)

# Money: Stripe counts in the smallest coins, but not all of them are those of ISO 4217; and some amounts must be round.
_PLACES = {"ISK": 2, "UGX": 2, "MGA": 0}
_ROUND = {"ISK": 100, "UGX": 100, **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 10)}

Minor = Annotated[int, Field(strict=True)]
Code = Annotated[str, AfterValidator(str.upper)]


def _exact(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-_PLACES.get(currency, exponent(currency)))


def _minor(amount: Decimal, currency: str) -> int:
    scaled = amount.scaleb(_PLACES.get(currency, exponent(currency)))
    if scaled % _ROUND.get(currency, 1):
        raise ValueError(f"{amount} {currency} cannot be paid at Stripe; give fewer decimal places")
    return int(scaled)


def _in(first: str, *deeper: str | int) -> Any:
    """A field that stands deeper; None where it does not. Its own name must be none of Stripe's, for that is looked at too."""
    return Field(None, validation_alias=AliasPath(first, *deeper))


# What comes in --------------------------------------------------------------------------------------------------------


class Told(Payload):
    """An object of an event."""

    id: str
    status: str = ""
    livemode: bool | None = None
    account: str | None = None
    before: dict[str, Any] = Field(default_factory=dict)

    def is_ours(self, settings: Settings) -> bool:
        """False for the other mode, and for a platform's account that is not this connection's: it hears of all of them."""
        key = settings.secret("api_key")
        mode_fits = self.livemode is None or key is None or self.livemode == ("_live_" in key.reveal())
        return mode_fits and self.account in {None, settings["account_id"]}


class Priced(Told):
    """An object with amounts."""

    currency: Code

    def money(self, minor: int | None) -> Decimal:
        return _exact(minor or 0, self.currency)


class Contact(Payload):
    email: str | None = None
    phone: str | None = None
    name: str | None = None


class Charge(Payload):
    created: Moment
    receipt_email: str | None = None
    buyer: Contact | None = Field(None, validation_alias="billing_details")
    method: str | None = _in("payment_method_details", "type")


class Intent(Priced):
    """A PaymentIntent, with its charge expanded. invoice: in versions of the API before 2025-03-31."""

    amount: Minor
    amount_received: Minor
    created: Moment
    charge: Charge | None = Field(None, validation_alias="latest_charge")
    customer: str | None = None
    customer_account: str | None = None
    receipt_email: str | None = None
    tip: Minor | None = _in("amount_details", "tip", "amount")
    tax_part: Minor | None = _in("amount_details", "tax", "total_tax_amount")
    shipping_part: Minor | None = _in("amount_details", "shipping", "amount")
    discount_part: Minor | None = _in("amount_details", "discount_amount")
    metadata: dict[str, str] = Field(default_factory=dict)
    invoice: str | None = None
    order_reference: str | None = _in("payment_details", "order_reference")

    @property
    def invoice_id(self) -> str | None:
        named = self.order_reference or ""
        return self.invoice or (named if named.startswith("in_") else None)


class Part(Payload):
    amount: Minor


class Row(Payload):
    """A line of a Checkout session (after discounts, with tax) or of an invoice (before both)."""

    description: str | None = None
    quantity: Decimal | None = None
    amount: Minor = Field(validation_alias=AliasChoices("amount_total", "amount"))
    tax: Minor = Field(0, validation_alias="amount_tax")
    reductions: tuple[Part, ...] | None = Field(None, validation_alias="discount_amounts")
    product: str | None = Field(
        None, validation_alias=AliasChoices(AliasPath("price", "product"), AliasPath("pricing", "price_details", "product"))
    )

    def line(self, currency: str) -> Line:
        net = self.amount - self.tax - sum(part.amount for part in self.reductions or ())
        quantity = Decimal(1) if self.quantity is None else self.quantity
        return Line(title=(self.description or "")[:512], sku=self.product, quantity=quantity, net=_exact(net, currency))


class Rows(Payload):
    """The lines that came along; where there are more than that, none is told rather than some."""

    data: tuple[Row, ...] = ()
    has_more: bool = False

    def lines(self, currency: str) -> tuple[Line, ...]:
        return () if self.has_more else tuple(row.line(currency) for row in self.data)


class Session(Payload):
    """A Checkout session."""

    currency: Code
    amount_total: Minor
    tax_part: Minor | None = _in("total_details", "amount_tax")
    shipping_part: Minor | None = _in("total_details", "amount_shipping")
    discount_part: Minor | None = _in("total_details", "amount_discount")
    buyer: Contact | None = Field(None, validation_alias="customer_details")
    client_reference_id: str | None = None
    line_items: Rows = Field(default_factory=Rows)


class InvoicePayment(Payload):
    status: str
    amount_paid: Minor | None = None
    payment_id: str | None = Field(
        None,
        validation_alias=AliasChoices(*(AliasPath("payment", kind) for kind in ("payment_intent", "payment_record", "charge"))),
    )
    paid_at: Moment | None = _in("status_transitions", "paid_at")


class Invoice(Priced):
    total: Minor
    without_tax: Minor | None = Field(None, validation_alias="total_excluding_tax")
    shipping: Minor = Field(0, validation_alias="amount_shipping")
    reductions: tuple[Part, ...] | None = Field(None, validation_alias="total_discount_amounts")
    amount_paid: Minor
    number: str | None = None
    billing_reason: str | None = None
    subscription: str | None = _in("parent", "subscription_details", "subscription")
    customer: str | None = None
    customer_account: str | None = None
    email: str | None = Field(None, validation_alias="customer_email")
    phone: str | None = Field(None, validation_alias="customer_phone")
    name: str | None = Field(None, validation_alias="customer_name")
    paid_at: Moment | None = _in("status_transitions", "paid_at")
    rows: Rows = Field(default_factory=Rows, validation_alias="lines")
    paid_by: tuple[InvoicePayment, ...] | None = _in("payments", "data")


class Payment(Sale):
    """A payment. recurring: it pays for a subscription. billing_reason: why there was an invoice (`subscription_cycle`).

    client_reference_id: what the shop wrote into the Checkout session, for instance its own number of the customer.
    """

    recurring: bool = False
    billing_reason: Short = ""
    invoice_id: Short | None = None
    subscription_id: Short | None = None
    client_reference_id: Short | None = None

    sample: ClassVar[dict[str, Any]] = {**Sale.sample, "recurring": True, "billing_reason": "subscription_cycle"}


def _person(customer_id: str | None, email: str | None, phone: str | None = None, name: str | None = None) -> Customer | None:
    who = Customer(id=customer_id or None, email=email or None, phone=phone or None, **names(name))
    return who if who.is_known() else None


def _references(**named: str | None) -> tuple[Reference, ...]:
    return tuple(Reference(kind=kind, id=name) for kind, name in named.items() if name)


def _account(client: Client) -> Mapping[str, str]:
    account = client.connection.settings["account_id"]
    return {"Stripe-Account": account} if account else {}


def _get(client: Client, path: str, number: str, expand: str) -> Any:
    return client.get(path, at={"id": number}, query={"expand[]": expand}, headers=_account(client))


def _intent(client: Client, number: str, told: Mapping[str, Any] | None = None) -> Intent:
    """The PaymentIntent as the version of our calls tells it; what an old destination sends has another shape."""
    expanded = told and isinstance(told.get("latest_charge"), Mapping)
    return Intent.model_validate(told if expanded else _get(client, "/v1/payment_intents/{id}", number, "latest_charge"))


def _payment(client: Client, intent: Intent) -> Payment:
    """What was paid, with what it was paid for: the invoice, or else the Checkout session, unless it was paid at a till."""
    charge = intent.charge
    if intent.invoice_id:
        invoice = Invoice.model_validate(_get(client, "/v1/invoices/{id}", intent.invoice_id, "payments"))
        # It may not know yet that this part of it was paid.
        known = next((one for one in invoice.paid_by or () if one.payment_id == intent.id and one.amount_paid), None)
        at = (known and known.paid_at) or (charge.created if charge else intent.created)
        return _of_invoice(invoice, intent.id, (known and known.amount_paid) or intent.amount_received, at)
    if charge and charge.method in {"card_present", "interac_present"}:
        return _of_intent(intent, None, "pos")
    asked = {"payment_intent": intent.id, "limit": 1, "expand[]": "data.line_items"}
    found = client.get("/v1/checkout/sessions", query=asked, headers=_account(client))["data"]
    session = Session.model_validate(found[0]) if found else None
    return _of_intent(intent, session, "online" if session else "unknown")


def _of_intent(intent: Intent, session: Session | None, channel: Literal["pos", "online", "unknown"]) -> Payment:
    charge = intent.charge
    whole, paid, tip = intent.money(intent.amount), intent.money(intent.amount_received), intent.money(intent.tip)
    # In a session of another currency the amounts are not those that were paid.
    apart = session if session and (session.currency, session.amount_total) == (intent.currency, intent.amount) else intent
    goods = max(whole - tip - intent.money(apart.tax_part) - intent.money(apart.shipping_part), Decimal(0))
    parts: dict[str, Any] = {}
    if paid >= whole:
        told = {"tax": apart.tax_part, "shipping": apart.shipping_part, "discount": apart.discount_part, "tip": intent.tip}
        parts = {name: intent.money(minor) for name, minor in told.items() if minor is not None}
        parts["lines"] = apart.line_items.lines(apart.currency) if isinstance(apart, Session) else ()
    typed, card = (one.buyer if one and one.buyer else Contact() for one in (session, charge))
    email = typed.email or card.email or intent.receipt_email or (charge.receipt_email if charge else None)
    return Payment(
        occurred_at=charge.created if charge else intent.created,
        customer=_person(intent.customer or intent.customer_account, email, typed.phone or card.phone, typed.name or card.name),
        references=_references(payment=intent.id),
        amount=share(goods, paid, whole, intent.currency),
        currency=intent.currency,
        total=paid,
        payment_id=intent.id,
        order_id=intent.metadata.get("order_id") or None,
        channel=channel,
        client_reference_id=session.client_reference_id if session else None,
        **parts,
    )


def _of_invoice(invoice: Invoice, payment_id: str, paid_minor: int, at: datetime | None) -> Payment:
    whole, paid = invoice.money(invoice.total), invoice.money(paid_minor)
    net = invoice.money(invoice.total if invoice.without_tax is None else invoice.without_tax)
    shipping = invoice.money(invoice.shipping)
    parts: dict[str, Any] = {}
    if paid >= whole:
        discount = invoice.money(sum(part.amount for part in invoice.reductions or ()))
        parts = {"tax": whole - net, "shipping": shipping, "discount": discount, "lines": invoice.rows.lines(invoice.currency)}
    return Payment(
        occurred_at=at,
        customer=_person(invoice.customer or invoice.customer_account, invoice.email, invoice.phone, invoice.name),
        references=_references(payment=payment_id, invoice=invoice.id),
        amount=share(max(net - shipping, Decimal(0)), paid, whole, invoice.currency),
        currency=invoice.currency,
        total=paid,
        payment_id=payment_id,
        order_id=invoice.number,
        channel="invoice",
        recurring=invoice.subscription is not None,
        billing_reason=invoice.billing_reason or "",
        invoice_id=invoice.id,
        subscription_id=invoice.subscription,
        **parts,
    )


@connector.trigger("payment_intent.succeeded", "invoice.paid", key="payment_id")
def payment_succeeded(paid: Told, item: Item, settings: Settings, client: Client) -> list[Payment]:
    """Somebody paid: at a till, online, an invoice or a subscription."""
    if not paid.is_ours(settings) or paid.status not in {"succeeded", "paid"}:
        return []
    if item.kind != "invoice.paid":
        return [_payment(client, _intent(client, paid.id, item.data))]
    invoice = Invoice.model_validate(_get(client, "/v1/invoices/{id}", paid.id, "payments"))
    made = [one for one in invoice.paid_by or () if one.status == "paid" and one.amount_paid]
    sales = [_of_invoice(invoice, one.payment_id or invoice.id, one.amount_paid or 0, one.paid_at) for one in made]
    if not sales and invoice.amount_paid:  # out of band: there is no payment that Stripe knows of
        sales = [_of_invoice(invoice, invoice.id, invoice.amount_paid, invoice.paid_at)]
    return sales


class Return(Priced):
    """A refund or a dispute."""

    amount: Minor
    created: Moment
    payment_intent: str | None = None
    charge: str | None = None
    reason: str | None = None
    failure_reason: str | None = None


def _given_back(returned: Return, client: Client) -> Refund:
    sale = _payment(client, _intent(client, returned.payment_intent)) if returned.payment_intent else None
    total = returned.money(returned.amount)
    return Refund(
        customer=sale.customer if sale else None,
        references=_references(payment=returned.payment_intent) if sale else _references(charge=returned.charge),
        amount=share(sale.amount, total, sale.total or total, sale.currency) if sale else total,
        currency=returned.currency,
        total=total,
        refund_id=returned.id,
        payment_id=returned.payment_intent,
        order_id=sale.order_id if sale else None,
        reason=returned.reason or "",
    )


@connector.trigger("refund.created", "refund.updated", key="refund_id")
def refund_completed(refund: Return, settings: Settings, client: Client) -> Refund | None:
    """Money went back to a buyer, for all of a payment or a part of it."""
    if not refund.is_ours(settings) or refund.status != "succeeded":
        return None
    return _given_back(refund, client).model_copy(update={"occurred_at": refund.created})


class RefundFailed(Fact):
    """A refund did not arrive; if it had succeeded before, points went for it. amount: what had earned, as in the refund."""

    amount: Money
    currency: Currency
    refund_id: Short
    payment_id: Short | None = None
    reason: Short = ""

    fact = "refund_failed"
    sample: ClassVar[dict[str, Any]] = {name: Refund.sample[name] for name in ("amount", "currency", "refund_id", "payment_id")}


@connector.trigger("refund.failed", "refund.updated", key="refund_id")
def refund_failed(refund: Return, settings: Settings, client: Client) -> RefundFailed | None:
    """A refund did not reach the buyer; the money came back to the shop."""
    if not refund.is_ours(settings) or refund.status != "failed":
        return None
    meant = dict(_given_back(refund, client))
    kept = {name: meant[name] for name in ("customer", "amount", "currency", "refund_id", "payment_id")}
    return RefundFailed(**kept, reason=refund.failure_reason or "")


@connector.trigger("charge.dispute.closed", key="refund_id")
def dispute_lost(dispute: Return, settings: Settings, client: Client) -> Refund | None:
    """A buyer took a payment back through the bank, and the bank said so for good."""
    if not dispute.is_ours(settings) or dispute.status != "lost":
        return None
    return _given_back(dispute, client).model_copy(update={"reason": f"dispute lost: {dispute.reason or 'general'}"})


HUBS = "loyalty_"


class Profile(Told):
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    languages: tuple[str, ...] | None = Field(None, validation_alias="preferred_locales")
    metadata: dict[str, str] = Field(default_factory=dict)

    def is_echo(self, mirrored: Collection[str]) -> bool:
        """True for a change of nothing but what the hub writes."""
        changed = self.before.get("metadata")
        only = set(self.before) == {"metadata"} and isinstance(changed, dict)
        return only and all(name.startswith(HUBS) or name in mirrored for name in changed or ())


def _change(item: Item) -> str:
    """What tells this change from others: objects have no version, so of an update it is the event."""
    return item.id or "" if item.kind == "customer.updated" else item.kind.removeprefix("customer.")


class CustomerVersion(CustomerChanged):
    """A customer's record as it was created, changed or deleted. attributes: the metadata that is not the hub's own."""

    change_id: Short

    sample: ClassVar[dict[str, Any]] = {**CustomerChanged.sample, "change_id": "created"}


@connector.trigger("customer.created", "customer.updated", "customer.deleted", key=("customer.id", "change_id"))
def customer_changed(profile: Profile, item: Item, connection: Connection) -> CustomerVersion | None:
    """A customer's record was created, changed or deleted; points and tier, as the hub itself writes them, are no change."""
    if not profile.is_ours(connection.settings) or profile.is_echo(connection.mirror.values()):
        return None
    change = _change(item)
    if change == "deleted":
        return CustomerVersion(customer=Customer(id=profile.id), deleted=True, change_id=change)
    who = _person(profile.id, profile.email, profile.phone, profile.name)
    return CustomerVersion(
        customer=who and who.model_copy(update={"language": next(iter(profile.languages or ()), None)}),
        created=change == "created",
        attributes={name: value for name, value in profile.metadata.items() if not name.startswith(HUBS)},
        change_id=change,
    )


@connector.trigger("account.application.deauthorized", key="occurred_at")
def access_revoked(application: Told, settings: Settings) -> ConnectionRevoked | None:
    """An account took a platform's access back; a person must connect it again."""
    return ConnectionRevoked(reason="revoked by the account") if application.account and application.is_ours(settings) else None


# Reading goes by the kit and not by the SDK, which makes floats of numbers and turns pages without end.


def _listed(client: Client, path: str, since: datetime, **said: Any) -> list[dict[str, Any]]:
    """What was created since then, oldest first; Stripe lists the newest first."""
    query = {"created[gte]": int(since.timestamp()), "limit": 100, **said}
    after = pages.last_id("starting_after")
    return list(client.pages(path, items="data", next=after, query=query, headers=_account(client)))[::-1]


def _moment(thing: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(thing["created"], UTC)


def _since(client: Client, since: datetime, kinds: tuple[str, ...], path: str = "", **said: Any) -> Iterator[Item]:
    """What was created since then, and what events tell of what was created before: a payment may take days to succeed."""
    listed = _listed(client, path, since, **said) if path else []
    yield from (Item(kinds[0], thing, at=_moment(thing)) for thing in listed)
    known = {(kinds[0], thing["id"]) for thing in listed}
    for event in _listed(client, "/v1/events", since, **{"types[]": list(kinds)}):
        if (event["type"], event["data"]["object"]["id"]) not in known:
            yield Item(event["type"], _told(event), event["id"], event.get("account"), _moment(event))


@connector.pull(payment_succeeded, every="10 minutes")
def payments_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every payment that was made or succeeded since then, and every invoice that was paid."""
    kinds = ("payment_intent.succeeded", "invoice.paid")
    return _since(client, since, kinds, "/v1/payment_intents", **{"expand[]": "data.latest_charge"})


@connector.pull(refund_completed, every="10 minutes")
def refunds_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every refund that was made or succeeded since then."""
    return _since(client, since, ("refund.updated",), "/v1/refunds")


@connector.pull(refund_failed, every="1 hour")
def failed_refunds_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every refund that failed since then."""
    return _since(client, since, ("refund.failed",))


@connector.pull(dispute_lost, every="1 hour")
def disputes_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every dispute that was closed since then."""
    return _since(client, since, ("charge.dispute.closed",))


@connector.pull(customer_changed, every="1 hour")
def customers_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every customer that was created, changed or deleted since then."""
    kinds = ("customer.created", "customer.updated", "customer.deleted")
    return _since(client, since, kinds, "/v1/customers")


# What goes out --------------------------------------------------------------------------------------------------------


class _Carrier:
    """The SDK's HTTP client: what the SDK would send goes out by the kit, with its guard, key, retries and verdicts.

    Of the SDK's own headers none is kept: they have a new idempotency key for every call, and tell of this machine.
    """

    name = "loyalty-hub"

    def __init__(self, client: Client) -> None:
        self._client = client

    def request_with_retries(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str = "", *_: Any, **__: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """Posts a form to a whole URL; the text, the status and the headers of the answer."""
        answer = self._client.post(url, form=pairs(post_data.encode()), headers=_account(self._client))
        return json_text(answer), 200, {}


def _sdk(client: Client) -> Any:
    """Stripe's SDK, imported when it is used: only a hub with this connection should pay its megabytes. It leaves out None."""
    import stripe  # noqa: PLC0415

    stripe.enable_telemetry = False  # else it writes an id of its own into the home folder
    carrier: Any = _Carrier(client)
    return stripe.StripeClient("the kit shows the key", http_client=carrier).v1


def _mark(key: str) -> str:
    """A name of the step for Stripe, which forgets idempotency keys after a day; a replay may come later than that."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _was_done(failure: CallFailed) -> bool:
    return failure.verdict == "lasting" and re.search("already.exists", str(failure)) is not None


CustomerId = Annotated[str, Field(description="the customer's id at Stripe (cus_…)", min_length=1)]
CouponId = Annotated[str, Field(description="the coupon's id, for instance from create_coupon", min_length=1)]
CodeId = Annotated[str, Field(description="the promotion code's id (promo_…)", min_length=1)]


class StripeCustomer(BaseModel):
    """created: there was none before."""

    customer_id: str
    created: bool = False


class Coupon(BaseModel):
    """What codes are made of."""

    coupon_id: str
    valid: bool


class Promotion(BaseModel):
    """code: what the customer types in."""

    promotion_code_id: str
    code: str
    active: bool


class Credit(BaseModel):
    """credit: how much the customer has now; below zero it is owed."""

    transaction_id: str
    credit: Decimal


@connector.action(repeat="safe")
def update_customer(
    client: Client,
    *,
    customer_id: CustomerId,
    points: Annotated[Points | None, "the points that the customer has; kept as loyalty_points"] = None,
    tier: Annotated[str | None, Field(description="the tier; kept as loyalty_tier", max_length=500)] = None,
    metadata: Annotated[dict[str, str] | None, "more fields; an empty text erases one, loyalty_… is never told back"] = None,
) -> StripeCustomer:
    """Write points and tier into a customer's metadata, where staff, reports and other programs see them."""
    if points is None and tier is None and not metadata:
        raise ValueError("say `points`, `tier` or `metadata`")
    told = {"loyalty_points": points, "loyalty_tier": tier, **(metadata or {})}
    return StripeCustomer(customer_id=_sdk(client).customers.update(customer_id, params={"metadata": told}).id)


@connector.mirror(update_customer)
def as_customer(one: Mirrored) -> dict[str, Any] | None:
    """The customer whose metadata shows a member's points."""
    return {"customer_id": one.customer.id, "metadata": one.texts} if one.customer.id else None


@connector.mirrored
def customer_metadata(client: Client, one: Mirrored) -> Shown | None:
    """What a customer's metadata says; a customer whose id is not known is found by the e-mail address."""
    if one.customer.id:
        known = client.find("/v1/customers/{id}", at={"id": one.customer.id}, headers=_account(client))
        rows = [known] if known is not None and not known.get("deleted") else []
    else:
        query = {"email": one.customer.email, "limit": 1}
        rows = client.get("/v1/customers", query=query, headers=_account(client))["data"] if one.customer.email else []
    return Shown(rows[0].get("metadata") or {}, rows[0]["id"]) if rows else None


@connector.action(repeat="keyed")
def find_or_create_customer(
    client: Client,
    *,
    email: Annotated[str, Field(description="the e-mail address; Stripe finds it letter by letter", min_length=1)],
    name: Annotated[str | None, "the name of a new customer"] = None,
    phone: Annotated[str | None, "the phone number of a new customer, with its country: +14155550123"] = None,
) -> StripeCustomer:
    """Find the customer with this e-mail address, the newest if there are several, or make one."""
    known = client.get("/v1/customers", query={"email": email, "limit": 1}, headers=_account(client))["data"]
    if known:
        return StripeCustomer(customer_id=known[0]["id"])
    new = {"email": email, "name": name, "phone": phone}
    made = _sdk(client).customers.create(params=new)
    return StripeCustomer(customer_id=made.id, created=True)


@connector.action(repeat="keyed")
def create_coupon(
    client: Client,
    key: CallKey,
    *,
    percent_off: Annotated[Number | None, "how many per cent it takes off"] = None,
    amount_off: Annotated[Money | None, "or how much it takes off"] = None,
    currency: Annotated[Currency | None, "the currency of the amount"] = None,
    name: Annotated[str | None, Field(description="what customers read on the invoice", max_length=40)] = None,
    duration: Annotated[Literal["once", "repeating", "forever"], "for how long it works on a subscription"] = "once",
    duration_in_months: Annotated[int | None, "for how many months, when it is repeating"] = None,
    max_redemptions: Annotated[int | None, "how often it may be used, by all together"] = None,
    redeem_by: Annotated[Moment | None, "until when it may be used"] = None,
) -> Coupon:
    """Make a coupon; customers need a promotion code of it."""
    if (percent_off is None) == (amount_off is None) or (amount_off is None) != (currency is None):
        raise ValueError("say either `percent_off`, or `amount_off` with its `currency`")
    wanted = {
        "id": _mark(key),
        "percent_off": None if percent_off is None else format(percent_off, "f"),
        "amount_off": _minor(amount_off, currency) if amount_off is not None and currency else None,
        "currency": currency and currency.lower(),
        "name": name,
        "duration": duration,
        "duration_in_months": duration_in_months,
        "max_redemptions": max_redemptions,
        "redeem_by": redeem_by and int(redeem_by.timestamp()),
    }
    try:
        made = _sdk(client).coupons.create(params=wanted)
    except CallFailed as failure:
        if not _was_done(failure):
            raise
        known = client.get("/v1/coupons/{id}", at={"id": wanted["id"]}, headers=_account(client))
        return Coupon(coupon_id=known["id"], valid=known["valid"])
    return Coupon(coupon_id=made.id, valid=made.valid)


@connector.action(repeat="keyed")
def create_promotion_code(
    client: Client,
    key: CallKey,
    *,
    coupon_id: CouponId,
    code: Annotated[str | None, Field(description="what to type in; made up when left out", pattern="^[A-Za-z0-9-]+$")] = None,
    customer_id: Annotated[str | None, "the customer (cus_…) who alone may use it"] = None,
    max_redemptions: Annotated[int | None, "how often it may be used"] = 1,
    expires_at: Annotated[Moment | None, "until when it may be used"] = None,
    minimum_amount: Annotated[Money | None, "how much must be bought"] = None,
    minimum_currency: Annotated[Currency | None, "the currency of that"] = None,
    first_purchase: Annotated[bool, "whether it is for a first purchase only"] = False,
) -> Promotion:
    """Make a code of a coupon, which a customer types in at Checkout."""
    if (minimum_amount is None) != (minimum_currency is None):
        raise ValueError("say `minimum_amount` and `minimum_currency` together")
    restrictions = {
        "first_time_transaction": first_purchase or None,
        "minimum_amount": _minor(minimum_amount, minimum_currency) if minimum_amount is not None and minimum_currency else None,
        "minimum_amount_currency": minimum_currency and minimum_currency.lower(),
    }
    wanted = {
        "promotion": {"type": "coupon", "coupon": coupon_id},
        "code": code or f"LOYAL-{_mark(key)[:12].upper()}",
        "customer": customer_id,
        "max_redemptions": max_redemptions,
        "expires_at": expires_at and int(expires_at.timestamp()),
        "restrictions": restrictions,
        "metadata": {"loyalty_call": _mark(key)},
    }
    try:
        made = _sdk(client).promotion_codes.create(params=wanted)
    except CallFailed as failure:
        query = {"code": wanted["code"], "limit": 100}
        known = client.get("/v1/promotion_codes", query=query, headers=_account(client))["data"] if _was_done(failure) else ()
        ours = next((one for one in known if one["metadata"].get("loyalty_call") == _mark(key)), None)
        if ours is None:  # the code is somebody else's
            raise
        return Promotion(promotion_code_id=ours["id"], code=ours["code"], active=ours["active"])
    return Promotion(promotion_code_id=made.id, code=made.code, active=made.active)


@connector.action(repeat="safe")
def deactivate_promotion_code(client: Client, *, promotion_code_id: CodeId) -> Promotion:
    """Take back a promotion code that was not used."""
    made = _sdk(client).promotion_codes.update(promotion_code_id, params={"active": False})
    return Promotion(promotion_code_id=made.id, code=made.code, active=made.active)


@connector.action(repeat="keyed", spends=spends("amount", "currency", order="transaction_id"))
def add_customer_credit(
    client: Client,
    key: CallKey,
    *,
    customer_id: CustomerId,
    amount: Annotated[Money, "how much the customer gets"],
    currency: Annotated[Currency, "the currency in which the customer is billed"],
    description: Annotated[str | None, Field(description="why; it stands on the invoice", max_length=350)] = None,
) -> Credit:
    """Give a customer credit, which pays the next invoice; a payment without an invoice it does not pay."""
    path = "/v1/customers/{id}/balance_transactions"
    made = client.get(path, at={"id": customer_id}, query={"limit": 100}, headers=_account(client))["data"]
    done = next((one for one in made if (one.get("metadata") or {}).get("loyalty_call") == _mark(key)), None)
    if done is None:
        # Below zero is what the customer has, above what the customer owes.
        wanted = {"amount": -_minor(amount, currency), "currency": currency.lower(), "description": description}
        marked = {**wanted, "metadata": {"loyalty_call": _mark(key)}}
        done = _sdk(client).customers.balance_transactions.create(customer_id, params=marked).to_dict()
    return Credit(transaction_id=done["id"], credit=-_exact(done["ending_balance"], currency))


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

AT, AT_TEXT = 1770413254, "2026-02-06T21:27:34Z"
SINCE, SINCE_UNIX = "2026-02-06T20:00:00Z", 1770408000


def _notice(kind: str, thing: Mapping[str, Any], before: Mapping[str, Any] | None = None, **beside: Any) -> dict[str, Any]:
    data = {"object": thing, **({"previous_attributes": before} if before else {})}
    event = {"id": "evt_3SxA1", "object": "event", "api_version": "2026-10-28.endive", "created": AT, "livemode": False}
    return {**event, "type": kind, "request": {"id": None, "idempotency_key": None}, **beside, "data": data}


def _list(*rows: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/things", "has_more": False, "data": list(rows)}


CHARGE = {
    "id": "ch_3Sx1", "object": "charge", "created": AT, "receipt_email": None,
    "billing_details": {"email": "ada@example.com", "name": "Ada Ng", "phone": None},
    "payment_method_details": {"type": "card"},
}
INTENT = {
    "id": "pi_3Sx1", "object": "payment_intent", "amount": 5420, "amount_received": 5420, "currency": "usd", "created": AT - 60,
    "customer": "cus_Q1", "customer_account": None, "latest_charge": "ch_3Sx1", "livemode": False, "receipt_email": None,
    "metadata": {}, "shipping": {"name": "Ada Ng"}, "status": "succeeded", "amount_details": {"tip": {}},
    "payment_details": {"customer_reference": None, "order_reference": None},
}
FETCHED = INTENT | {"latest_charge": CHARGE}
AT_TILL = FETCHED | {
    "amount": 2000, "amount_received": 2000, "amount_details": {"tip": {"amount": 150}}, "metadata": {"order_id": "1042"},
    "latest_charge": CHARGE | {"payment_method_details": {"type": "card_present"}},
}
OF_INVOICE = FETCHED | {
    "id": "pi_3Sx2", "amount": 1605, "amount_received": 1605, "payment_details": {"order_reference": "in_1Sx1"},
}
SESSION = {
    "id": "cs_test_a1", "object": "checkout.session", "mode": "payment", "payment_status": "paid", "payment_intent": "pi_3Sx1",
    "currency": "usd", "amount_subtotal": 5000, "amount_total": 5420, "client_reference_id": "loy-1001",
    "customer_details": {"email": "ada@example.com", "name": "Ada Ng", "phone": "+14155551234"},
    "total_details": {"amount_discount": 500, "amount_shipping": 500, "amount_tax": 420},
    "line_items": {"object": "list", "has_more": False, "data": [
        {"id": "li_1", "description": "Teapot", "quantity": 2, "amount_discount": 500, "amount_subtotal": 5000,
         "amount_tax": 420, "amount_total": 4920, "price": {"id": "price_1", "product": "prod_1"}}]},
}
INVOICE = {
    "id": "in_1Sx1", "object": "invoice", "status": "paid", "billing_reason": "subscription_cycle", "currency": "usd",
    "subtotal": 1600, "total": 1605, "total_excluding_tax": 1500, "amount_paid": 1605, "amount_shipping": 0, "livemode": False,
    "customer": "cus_Q1", "customer_email": "ada@example.com", "customer_name": "Ada Ng", "customer_phone": None,
    "number": "A1-0002", "created": AT - 3600, "status_transitions": {"paid_at": AT}, "discounts": ["di_1"],
    "total_discount_amounts": [{"amount": 100, "discount": "di_1"}],
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
    "lines": {"object": "list", "has_more": False, "data": [
        {"id": "il_1", "amount": 1600, "description": "Gold plan", "quantity": 1, "discounts": ["di_1"],
         "discount_amounts": [{"amount": 100, "discount": "di_1"}], "pricing": {"price_details": {"product": "prod_2"}}}]},
}
PAID_BY = {"payments": _list({
    "id": "inpay_1", "object": "invoice_payment", "status": "paid", "amount_paid": 1605, "invoice": "in_1Sx1",
    "payment": {"type": "payment_intent", "payment_intent": "pi_3Sx2"}, "status_transitions": {"paid_at": AT},
})}
REFUND = {
    "id": "re_3Sx1", "object": "refund", "amount": 2710, "currency": "usd", "charge": "ch_3Sx1", "payment_intent": "pi_3Sx1",
    "reason": "requested_by_customer", "status": "succeeded", "created": AT, "metadata": {},
}
DISPUTE = {
    "id": "dp_1Sx1", "object": "dispute", "amount": 2000, "currency": "usd", "charge": "ch_3Sx1", "payment_intent": "pi_3Sx1",
    "reason": "fraudulent", "status": "lost", "created": AT - 86400, "livemode": False,
}
CUSTOMER = {
    "id": "cus_Q1", "object": "customer", "email": "ada@example.com", "name": "Ada Ng", "phone": "+14155551234", "created": AT,
    "livemode": False, "metadata": {"vip": "yes", "loyalty_points": "37"}, "preferred_locales": ["de"],
}
PROMOTION = {
    "id": "promo_1Sx1", "object": "promotion_code", "code": "LOYAL-7QD2", "active": False, "customer": "cus_Q1",
    "promotion": {"type": "coupon", "coupon": "gold10"}, "times_redeemed": 1, "livemode": False, "metadata": {},
}
MARK = _mark("run_1/step_1")
COUPON = {"id": MARK, "object": "coupon", "valid": True, "amount_off": 500, "percent_off": None, "currency": "usd"}
CREDITED = {
    "id": "cbtxn_1", "object": "customer_balance_transaction", "amount": -500, "currency": "usd", "ending_balance": -750,
    "metadata": {"loyalty_call": MARK},
}
FETCH = ask("GET /v1/payment_intents/pi_3Sx1", query={"expand[]": "latest_charge"})
SESSIONS = ask("GET /v1/checkout/sessions", query={"payment_intent": "pi_3Sx1", "expand[]": "data.line_items"})
FETCH_INVOICE = ask("GET /v1/invoices/in_1Sx1", query={"expand[]": "payments"})
RENEWED = {
    "amount": "15.00", "total": "16.05", "tax": "1.05", "discount": "1.00", "payment_id": "pi_3Sx2", "invoice_id": "in_1Sx1",
    "recurring": True, "billing_reason": "subscription_cycle", "subscription_id": "sub_1", "channel": "invoice",
    "occurred_at": AT_TEXT, "order_id": "A1-0002", "lines": [{"title": "Gold plan", "net": "15.00", "sku": "prod_2"}],
}
PAGE = {"created[gte]": SINCE_UNIX, "limit": 100}
SHOWN: dict[str, Any] = {"customer": {"id": "cus_Q1"}, "fields": {"points": 37, "tier": None}}
CREDITS = "/v1/customers/cus_Q1/balance_transactions"

connector.sample(
    payment_succeeded, _notice("payment_intent.succeeded", INTENT), asks=[FETCH, SESSIONS], reply=[FETCHED, _list(SESSION)],
    gives={"amount": "45.00", "total": "54.20", "tax": "4.20", "shipping": "5.00", "discount": "5.00", "channel": "online",
           "customer": {"id": "cus_Q1", "phone": "+14155551234", "first_name": "Ada"}, "client_reference_id": "loy-1001",
           "recurring": False, "lines": [{"title": "Teapot", "quantity": "2", "net": "45.00"}]},
)
connector.sample(
    payment_succeeded, _notice("payment_intent.succeeded", INTENT), asks=[FETCH], reply=[AT_TILL],
    gives={"amount": "18.50", "tip": "1.50", "channel": "pos", "order_id": "1042"}, note="at a till",
)
connector.sample(
    payment_succeeded, _notice("payment_intent.succeeded", OF_INVOICE | {"latest_charge": "ch_3Sx1"}),
    asks=[ask("GET /v1/payment_intents/pi_3Sx2"), FETCH_INVOICE], reply=[OF_INVOICE, INVOICE | PAID_BY],
    gives=RENEWED, note="of an invoice: the same sale as that of invoice.paid",
)
connector.sample(
    payment_succeeded, _notice("invoice.paid", INVOICE), asks=[FETCH_INVOICE], reply=[INVOICE | PAID_BY], gives=RENEWED
)
connector.sample(
    refund_completed, _notice("refund.created", REFUND), asks=[FETCH, SESSIONS], reply=[FETCHED, _list(SESSION)],
    gives={"amount": "22.50", "total": "27.10", "refund_id": "re_3Sx1", "payment_id": "pi_3Sx1", "occurred_at": AT_TEXT},
)
connector.sample(
    refund_failed, _notice("refund.failed", REFUND | {"status": "failed", "failure_reason": "lost_or_stolen_card"}),
    asks=[FETCH, SESSIONS], reply=[FETCHED, _list(SESSION)],
    gives={"amount": "22.50", "refund_id": "re_3Sx1", "customer": {"id": "cus_Q1"}, "reason": "lost_or_stolen_card"},
)
connector.sample(
    dispute_lost, _notice("charge.dispute.closed", DISPUTE), asks=[FETCH], reply=[AT_TILL],
    gives={"amount": "18.50", "refund_id": "dp_1Sx1", "reason": "dispute lost: fraudulent", "occurred_at": AT_TEXT},
)
connector.sample(dispute_lost, _notice("charge.dispute.closed", DISPUTE | {"status": "won"}), gives=None)
connector.sample(
    customer_changed, _notice("customer.created", CUSTOMER),
    gives={"customer": {"email": "ada@example.com", "last_name": "Ng", "language": "de"}, "created": True,
           "attributes": {"vip": "yes"}, "change_id": "created"},
)
connector.sample(
    customer_changed, _notice("customer.updated", CUSTOMER, {"email": "a@example.com"}), gives={"change_id": "evt_3SxA1"}
)
connector.sample(
    customer_changed, _notice("customer.updated", CUSTOMER, {"metadata": {"loyalty_points": "12"}}), gives=None,
    note="what the hub itself wrote",
)
connector.sample(customer_changed, _notice("customer.deleted", CUSTOMER), gives={"deleted": True, "change_id": "deleted"})
connector.sample(
    access_revoked, _notice("account.application.deauthorized", {"id": "ca_1", "object": "application"}, account="acct_1"),
    settings={"account_id": "acct_1"}, gives={"occurred_at": AT_TEXT},
)
connector.sample(
    payments_since, SINCE,
    asks=[ask("GET /v1/payment_intents", query={**PAGE, "expand[]": "data.latest_charge"}),
          ask("GET /v1/events", query={**PAGE, "types[]": ["payment_intent.succeeded", "invoice.paid"]}),
          SESSIONS, FETCH_INVOICE],
    reply=[_list(FETCHED), _list(_notice("invoice.paid", INVOICE), _notice("payment_intent.succeeded", INTENT)),
           _list(SESSION), INVOICE | PAID_BY],
    gives=[{"payment_id": "pi_3Sx1", "amount": "45.00"}, RENEWED],
)
connector.sample(
    refunds_since, SINCE, asks=[ask("GET /v1/refunds", query=PAGE), "GET /v1/events", FETCH, SESSIONS],
    reply=[_list(REFUND), _list(_notice("refund.updated", REFUND)), FETCHED, _list(SESSION)], gives=[{"amount": "22.50"}],
)
connector.sample(
    failed_refunds_since, SINCE, asks=[ask("GET /v1/events", query={**PAGE, "types[]": "refund.failed"}), FETCH, SESSIONS],
    reply=[_list(_notice("refund.failed", REFUND | {"status": "failed"})), FETCHED, _list(SESSION)],
    gives=[{"amount": "22.50"}],
)
connector.sample(
    disputes_since, SINCE, asks=[ask("GET /v1/events", query={**PAGE, "types[]": "charge.dispute.closed"}), FETCH],
    reply=[_list(_notice("charge.dispute.closed", DISPUTE)), AT_TILL], gives=[{"amount": "18.50", "occurred_at": AT_TEXT}],
)
connector.sample(
    customers_since, SINCE, asks=[ask("GET /v1/customers", query=PAGE), ask("GET /v1/events", query=PAGE)],
    reply=[_list(CUSTOMER), _list(_notice("customer.deleted", CUSTOMER), _notice("customer.created", CUSTOMER))],
    gives=[{"created": True, "change_id": "created"}, {"deleted": True}],
)
connector.sample(
    update_customer, {"customer_id": "cus_Q1", "points": 37, "tier": "Gold"},
    asks=ask("POST /v1/customers/cus_Q1", form={"metadata[loyalty_points]": "37", "metadata[loyalty_tier]": "Gold"}),
    reply=CUSTOMER, gives={"customer_id": "cus_Q1"},
)
connector.sample(
    as_customer, SHOWN, gives={"customer_id": "cus_Q1", "metadata": {"points": "37", "tier": ""}},
    asks=ask("POST /v1/customers/cus_Q1", form={"metadata[points]": "37", "metadata[tier]": ""}), reply=CUSTOMER,
)
connector.sample(as_customer, SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    customer_metadata, SHOWN, asks="GET /v1/customers/cus_Q1", reply=CUSTOMER,
    gives={"id": "cus_Q1", "fields": {"loyalty_points": "37"}},
)
connector.sample(
    customer_metadata, SHOWN, asks="GET /v1/customers/cus_Q1", gives=None,
    reply={"id": "cus_Q1", "object": "customer", "deleted": True}, note="a customer who was deleted",
)
connector.sample(
    customer_metadata, SHOWN | {"customer": {"email": "ada@example.com"}}, gives={"id": "cus_Q1"},
    asks=ask("GET /v1/customers", query={"email": "ada@example.com", "limit": 1}), reply=_list(CUSTOMER),
)
connector.sample(
    find_or_create_customer, {"email": "ada@example.com", "name": "Ada Ng"},
    asks=["GET /v1/customers", ask("POST /v1/customers", form={"email": "ada@example.com", "name": "Ada Ng"})],
    reply=[_list(), CUSTOMER], gives={"customer_id": "cus_Q1", "created": True},
)
connector.sample(
    create_coupon, {"amount_off": "5.00", "currency": "USD", "name": "Thank you", "redeem_by": "2026-03-06T20:00:00Z"},
    asks=ask("POST /v1/coupons", form={"id": MARK, "amount_off": 500, "currency": "usd", "duration": "once",
                                       "name": "Thank you", "redeem_by": 1772827200}),
    reply=COUPON, gives={"coupon_id": MARK, "valid": True},
)
connector.sample(
    create_promotion_code,
    {"coupon_id": "gold10", "customer_id": "cus_Q1", "minimum_amount": "20", "minimum_currency": "USD", "first_purchase": True},
    asks=ask("POST /v1/promotion_codes", form={
        "promotion[type]": "coupon", "promotion[coupon]": "gold10", "customer": "cus_Q1", "max_redemptions": 1,
        "code": f"LOYAL-{MARK[:12].upper()}", "restrictions[minimum_amount]": 2000,
        "restrictions[minimum_amount_currency]": "usd", "restrictions[first_time_transaction]": "true",
        "metadata[loyalty_call]": MARK}),
    reply=PROMOTION | {"active": True}, gives={"promotion_code_id": "promo_1Sx1", "code": "LOYAL-7QD2", "active": True},
)
connector.sample(
    deactivate_promotion_code, {"promotion_code_id": "promo_1Sx1"},
    asks=ask("POST /v1/promotion_codes/promo_1Sx1", form={"active": "false"}), reply=PROMOTION, gives={"active": False},
)
connector.sample(
    add_customer_credit, {"customer_id": "cus_Q1", "amount": "5.00", "currency": "USD", "description": "500 points"},
    asks=["GET " + CREDITS, ask("POST " + CREDITS, form={"amount": -500, "currency": "usd", "description": "500 points",
                                                         "metadata[loyalty_call]": MARK})],
    reply=[_list(), CREDITED], gives={"transaction_id": "cbtxn_1", "credit": "7.50"},
)
