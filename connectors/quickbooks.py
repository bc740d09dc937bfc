"""QuickBooks Online: hear of receipts, payments, invoices, refunds and customers, and keep notes, credit memos and customers.

Setup:
1. developer.intuit.com > My Hub > App dashboard: make an app (QuickBooks Online and Payments; scope Accounting). Its settings >
   Redirect URIs: add the address that `hub connections authorize` shows. Keys and credentials > Production: copy the two to
   `client_id` and `client_secret`. Production keys are given once Intuit's questions about the app are answered; a sandbox
   company has keys of its own and `host: sandbox-quickbooks.api.intuit.com`.
2. QuickBooks > Account and settings > Billing: copy the Company ID, without spaces, to `account_id` (it is the `realmId` in the
   address to which step 4 leads, too). Write the company's home currency into `currency`.
3. In the app > Webhooks > Production: paste {webhook_url} as the endpoint, and choose Sales receipt, Payment, Invoice, Refund
   receipt, Credit memo, Estimate and Customer with all their operations. Copy the verifier token to `verifier_token`. The
   webhook tells of every company that connected the app; those of others are left out. A hub without a public address needs
   none of this: it asks QuickBooks every ten minutes.
4. Run `hub connections authorize quickbooks`. The access ends after 100 days in which it was not used, and after five years.

What earns is money that came in: a sales receipt, or a payment of invoices; never the invoice itself, which is told as
`invoice_issued`. Tax, shipping and `excluded_items` (gift cards, deposits) earn nothing: of a payment they are known from its
invoices, each of which is fetched, and of an invoice that is paid in parts each part earns its share. What is paid by a credit
is no money, and earns nothing. Money that is on account, for no invoice yet, earns when it is paid, all of it; which invoice it
pays later is shown beside the event. Records are dated back to the day that the bookkeeper chose.

What takes points back: a receipt or payment that was voided or deleted, all that it earned. Of a refund receipt or credit memo
QuickBooks does not say which sale it is for, so the ledger takes nothing back by itself: a recipe may, by `adjust`. Beware of
counting a credit memo twice: what is paid by it later earns nothing already. A credit memo that the hub made is not told.

What is told is thin, so each record is fetched, and counts as it is then; one that is gone again is no fact. Reading is metered
(500,000 calls a month are free). A customer counts as changed when a name or an address is new, so that the hub's own notes
never come back as news; one who was made inactive is `deleted`. A customer on whom a till books the day's takings is named in
`walk_in_customers`, for those sales are nobody's.

What goes out: customers of QuickBooks have no custom fields, so points stand in their notes, each in a line of its own that
begins with a name and a colon; other lines are not touched. `mirror: {balance: Loyalty points, tier: Loyalty tier}` keeps such
lines in step for the customers that there are. A credit memo posts to the books, so it needs a `credit_item`.

Not confirmed: what tells a throttle (code 3001) and a bad token (3200); how long a `requestid` may be; that shipping is the
item SHIPPING_ITEM_ID; that changes are listed oldest first (of more than 1,000 at once); the end of `minor_version` 75.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AliasPath, AwareDatetime, BaseModel, Field, ValidationError

from hub.sdk import (
    CallFailed,
    Client,
    Connector,
    Currency,
    Customer,
    CustomerChanged,
    CustomersMerged,
    DealWon,
    Failure,
    InvoiceIssued,
    Item,
    Line,
    Mirrored,
    Moment,
    Money,
    Payload,
    Reference,
    Refund,
    Reply,
    Request,
    Sale,
    Settings,
    Shown,
    Unreadable,
    digest,
    share,
    to_minor,
)
from hub.sdk.declare import ask, auth, query, rate, secret, setting, signature, spends
from hub.sdk.fact import Short
from hub.sdk.parameters import findings

OPERATIONS = {"create": "created", "update": "updated", "delete": "deleted", "merge": "merged", "void": "voided"}
AS_IT_IS_NOW = {"created", "updated", "emailed"}
KIND = re.compile(r"qbo\.([a-z]+)\.([a-z]+)(\.|$)")


class CloudEvent(Payload):
    """A notice in the newer form."""

    id: str = ""
    type: str
    entity: str = Field(alias="intuitentityid")
    company: str = Field(alias="intuitaccountid")
    at: Moment | None = Field(alias="time", default=None)
    data: dict[str, Any] | None = None

    def item(self) -> Item:
        match = KIND.match(self.type.lower())
        told = {"id": self.entity, "deleted_id": (self.data or {}).get("deletedid")}
        return Item(f"{match[1]}.{match[2]}" if match else self.type, told, self.id, self.company, self.at)


class Change(Payload):
    """A notice in the older form."""

    name: str
    id: str
    operation: str
    at: Moment | None = Field(alias="lastUpdated", default=None)
    deleted_id: str | None = Field(alias="deletedId", default=None)

    def item(self, company: str) -> Item:
        done = self.operation.lower()
        kind = f"{self.name.lower()}.{OPERATIONS.get(done, done)}"
        return Item(kind, {"id": self.id, "deleted_id": self.deleted_id}, None, company, self.at)


def _items(request: Request) -> Iterator[Item]:
    """Notices of several companies at once, in either form; of one record that is fetched anyway the last is enough."""
    told = request.content()
    if not isinstance(told, list | Mapping):
        raise Unreadable(f"The body should be a list of events, or eventNotifications, and is {str(told)[:40]!r}.")
    last: dict[Any, Item] = {}
    for number, item in enumerate(_cloud_events(told) if isinstance(told, list) else _changes(told)):
        entity, _, done = item.kind.partition(".")
        now = done in AS_IT_IS_NOW and not item.problem
        last[(item.account, entity, item.data["id"]) if now else number] = item
    yield from last.values()


def _cloud_events(told: list[Any]) -> Iterator[Item]:
    for event in told:
        try:
            yield CloudEvent.model_validate(event).item()
        except ValidationError as error:
            yield Item("", event, problem=f"This event cannot be read: {findings(error)}.")


def _changes(told: Mapping[str, Any]) -> Iterator[Item]:
    for company in told["eventNotifications"]:
        for change in company["dataChangeEvent"]["entities"]:
            try:
                yield Change.model_validate(change).item(str(company["realmId"]))
            except ValidationError as error:
                yield Item("", change, problem=f"This change cannot be read: {findings(error)}.")


GONE, THROTTLED, BAD_TOKEN, STALE, LAPSED, TAKEN = 610, 3001, 3200, 5010, 6190, 6240
ACCESS_CODES, SYSTEM_CODES = range(1, 500), range(10_000, 100_000)


def _failure(reply: Reply) -> Failure | None:
    """A fault has a code, and may come with any status, 200 too."""
    fault = reply.find("Fault.Error.0") if b'"Fault"' in reply.body else None
    code, words = _fault(fault) if isinstance(fault, Mapping) else (0, "")
    if words and (trace := reply.headers.get("intuit_tid")):
        words += f" intuit_tid {trace}"
    if reply.status == 429 or code == THROTTLED:
        told = "retry-after" in reply.headers
        return Failure("passing", words, retry_after_seconds=None if told else 60)
    if code == LAPSED:
        return Failure("reconnect", words, todo="Renew the company's QuickBooks subscription.")
    if reply.status in {401, 403} or code == BAD_TOKEN or code in ACCESS_CODES:
        return Failure("reconnect", words)
    if reply.status >= 500 or not words:
        return None
    return Failure("passing" if code in SYSTEM_CODES else "lasting", words)


def _fault(fault: Mapping[str, Any]) -> tuple[int, str]:
    code = str(fault.get("code"))
    return int(code) if code.isdecimal() else 0, f"{fault.get('Detail') or fault.get('Message')} ({code})"


def _says(failure: CallFailed, code: int) -> bool:
    return f" ({code})" in str(failure)


connector = Connector(
    "quickbooks",
    title="QuickBooks Online",
    settings=setting("client_id", "your app > Keys and credentials: the Client ID", example="ABexample")
    + secret("client_secret", "your app > Keys and credentials: the Client Secret")
    + setting("account_id", "Account and settings > Billing: the Company ID (realm ID)", example="9130350000000001")
    + setting("currency", "the company's home currency", Currency, example="USD")
    + secret("verifier_token", "your app > Webhooks: the verifier token", required=False)
    + setting("excluded_items", "ids or names of products that earn nothing", list[str], default=[], example=["Gift card"])
    + setting("walk_in_customers", "ids of customers that stand for many people", list[str], default=[], example=["1"])
    + setting("credit_item", "the id of the product on which reward credits are booked", default=None, example="21")
    + setting("host", "the address of the API", default="quickbooks.api.intuit.com")
    + setting("minor_version", "the minor version of the API", default="75", example="75"),
    api="https://{host}",
    auth=auth.oauth2(
        "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        authorize="https://appcenter.intuit.com/connect/oauth2",
        scopes="com.intuit.quickbooks.accounting",
        client="basic",
    ),
    signature=signature.hmac("intuit-signature", "verifier_token", encoding="base64"),
    envelope=_items,
    idempotency=query("requestid"),
    failures=_failure,
    rate=rate("8 per second"),  # 500 a minute and 10 a second are allowed
)

COMPANY = "/v3/company/{account_id}"
QUERY = f"{COMPANY}/query"
PAGE_SIZE = 500
CHANGES_MOST, CHANGES_KEPT = 1000, timedelta(days=30, hours=-1)
NOTES_MOST = 2000
OURS = "[loyalty hub]"


# What comes in --------------------------------------------------------------------------------------------------------


class Notice(Payload):
    """What is told of a record: no more than its id. found: the record itself, where a search brought it."""

    id: str
    deleted_id: str | None = None
    found: dict[str, Any] | None = None


Model = TypeVar("Model", bound=Payload)


def _version(client: Client) -> dict[str, Any]:
    return {"minorversion": client.connection.settings["minor_version"]}


def _asked(client: Client, entity: str, *words: str) -> dict[str, Any]:
    return {**_version(client), "query": " ".join(("select * from", entity, *words))}


def _read(client: Client, entity: str, number: str) -> dict[str, Any]:
    path = f"{COMPANY}/{entity.lower()}/{{id}}"
    row: dict[str, Any] = client.get(path, at={"id": number}, query=_version(client))[entity]
    return row


def _record(client: Client, notice: Notice, entity: str, into: type[Model]) -> Model | None:
    """The record as it is now; None when it is gone again."""
    try:
        return into.model_validate(notice.found or _read(client, entity, notice.id))
    except CallFailed as failure:
        if _says(failure, GONE):
            return None
        raise


def _in(first: str, *deeper: str | int) -> Any:
    """A field that stands deeper; None where it does not."""
    return Field(None, validation_alias=AliasPath(first, *deeper))


class Row(Payload):
    """A line of a record. inside: those of a bundle; links: what is paid by it."""

    amount: Decimal = Field(alias="Amount", default=Decimal(0))
    kind: str = Field(alias="DetailType", default="")
    title: str | None = Field(alias="Description", default=None)
    item: str | None = _in("SalesItemLineDetail", "ItemRef", "value")
    item_name: str | None = _in("SalesItemLineDetail", "ItemRef", "name")
    quantity: Decimal | None = _in("SalesItemLineDetail", "Qty")
    inside: tuple[Row, ...] | None = _in("GroupLineDetail", "Line")
    links: tuple[dict[str, str], ...] = Field(alias="LinkedTxn", default=())

    def paid_invoice(self) -> str | None:
        return next((link["TxnId"] for link in self.links if link["TxnType"] == "Invoice"), None)


class Record(Payload):
    """A receipt, invoice, payment, refund, credit memo or estimate. paid_on: the day that the bookkeeper chose."""

    id: str = Field(alias="Id")
    number: str | None = Field(alias="DocNumber", default=None)
    total: Money = Field(alias="TotalAmt")
    unapplied: Decimal = Field(alias="UnappliedAmt", default=Decimal(0))
    tax: Decimal | None = _in("TxnTaxDetail", "TotalTax")
    paid_on: date | None = Field(alias="TxnDate", default=None)
    due_on: date | None = Field(alias="DueDate", default=None)
    created_at: AwareDatetime | None = _in("MetaData", "CreateTime")
    buyer: str | None = _in("CustomerRef", "value")
    address: str | None = _in("BillEmail", "Address")
    told_currency: str | None = _in("CurrencyRef", "value")
    location: str | None = _in("DepartmentRef", "name")
    note: str = Field(alias="PrivateNote", default="")
    status: str = Field(alias="TxnStatus", default="")
    rows: tuple[Row, ...] = Field(alias="Line", default=())

    @property
    def is_void(self) -> bool:
        return not self.total and self.note.startswith("Voided")

    def at(self) -> datetime | None:
        """When it was entered, or at that time on an earlier day where it was dated back."""
        if self.created_at is None or self.paid_on is None or self.paid_on >= self.created_at.date():
            return self.created_at
        return datetime.combine(self.paid_on, self.created_at.timetz())

    def currency(self, settings: Settings) -> str:
        """Companies with one currency do not name it."""
        return self.told_currency or str(settings["currency"])

    def sold(self) -> Iterator[Row]:
        """The lines that name a product, those within bundles too."""
        for row in self.rows:
            yield from (one for one in row.inside or (row,) if one.kind == "SalesItemLineDetail")


class Goods:
    """What of a record earns. amount: without tax, shipping and what is excluded; each line after the discount."""

    def __init__(self, record: Record, settings: Settings) -> None:
        excluded = {name.casefold() for name in settings["excluded_items"]}
        sold = [row for row in record.sold() if row.item != "SHIPPING_ITEM_ID"]
        shipping = [row.amount for row in record.sold() if row.item == "SHIPPING_ITEM_ID"]
        discount = [row.amount for row in record.rows if row.kind == "DiscountLineDetail"]
        self.shipping, self.discount = sum(shipping, Decimal(0)), sum(discount, Decimal(0))
        before = sum((row.amount for row in sold), Decimal(0))
        self.lines: list[Line] = []
        apart = (record.tax or Decimal(0)) + self.shipping
        for row in sold:
            net = share(row.amount, before - self.discount, before, record.currency(settings))
            if excluded & {(row.item or "").casefold(), (row.item_name or "").casefold()}:
                apart += net
            else:
                title = (row.item_name or row.title or "")[:512]
                self.lines.append(Line(title=title, sku=row.item, quantity=row.quantity or Decimal(1), net=net))
        self.amount = max(record.total - apart, Decimal(0))


class Person(Payload):
    """A customer."""

    id: str = Field(alias="Id")
    first_name: str | None = Field(alias="GivenName", default=None)
    last_name: str | None = Field(alias="FamilyName", default=None)
    address: str | None = _in("PrimaryEmailAddr", "Address")
    mobile: str | None = _in("Mobile", "FreeFormNumber")
    phone: str | None = _in("PrimaryPhone", "FreeFormNumber")
    active: bool = Field(alias="Active", default=True)
    created_at: Moment | None = _in("MetaData", "CreateTime")
    updated_at: Moment | None = _in("MetaData", "LastUpdatedTime")

    def customer(self) -> Customer:
        named = {"first_name": self.first_name or None, "last_name": self.last_name or None}
        return Customer(id=self.id, email=_first(self.address), phone=self.mobile or self.phone or None, **named)


def _first(addresses: str | None) -> str | None:
    """QuickBooks keeps several e-mail addresses in one field, with commas between."""
    return re.split("[,;]", addresses or "")[0].strip() or None


def _buyer(client: Client, settings: Settings, record: Record) -> Customer | None:
    """Whose record it is, with the address by which other platforms know them."""
    if record.buyer is None or record.buyer in settings["walk_in_customers"]:
        return Customer(email=_first(record.address)) if _first(record.address) else None
    if address := _first(record.address):
        return Customer(id=record.buyer, email=address)
    person = _record(client, Notice(id=record.buyer), "Customer", Person)
    return person.customer() if person else Customer(id=record.buyer)


def _about(record: Record, settings: Settings, client: Client) -> dict[str, Any]:
    """What every fact about a record says."""
    who = _buyer(client, settings, record)
    return {"occurred_at": record.at(), "customer": who, "currency": record.currency(settings)}


def _references(**named: str | None) -> tuple[Reference, ...]:
    return tuple(Reference(kind=kind, id=name) for kind, name in named.items() if name)


@connector.trigger("salesreceipt.created", "salesreceipt.updated", "salesreceipt.emailed", key="payment_id")
def receipt_paid(notice: Notice, settings: Settings, client: Client) -> Sale | None:
    """Somebody bought something and paid at once."""
    receipt = _record(client, notice, "SalesReceipt", Record)
    if receipt is None or not receipt.total:
        return None
    goods = Goods(receipt, settings)
    return Sale(
        **_about(receipt, settings, client),
        references=_references(sales_receipt=receipt.id),
        amount=goods.amount,
        total=receipt.total,
        tax=receipt.tax,
        shipping=goods.shipping,
        discount=goods.discount,
        payment_id=receipt.id,
        order_id=receipt.number,
        location=receipt.location,
        lines=tuple(goods.lines),
    )


@connector.trigger("payment.created", "payment.updated", "payment.emailed", key="payment_id")
def payment_received(notice: Notice, settings: Settings, client: Client) -> Sale | None:
    """Somebody paid invoices, or money on account."""
    payment = _record(client, notice, "Payment", Record)
    if payment is None or not payment.total:
        return None
    currency = payment.currency(settings)
    paid = {number: row.amount for row in payment.rows if (number := row.paid_invoice())}
    found = {number: _record(client, Notice(id=number), "Invoice", Record) for number in paid}
    invoices = {number: invoice for number, invoice in found.items() if invoice is not None}
    goods = {number: Goods(invoice, settings) for number, invoice in invoices.items()}
    parts = [share(goods[number].amount, paid[number], invoice.total, currency) for number, invoice in invoices.items()]
    # A credit may have paid a part of the invoices; only the money counts.
    whole, money = sum(paid.values(), Decimal(0)), payment.total - payment.unapplied
    in_full = money >= whole and all(paid[number] >= invoice.total for number, invoice in invoices.items())
    only = next(iter(invoices.values())) if len(invoices) == 1 else None
    return Sale(
        occurred_at=payment.at(),
        customer=_buyer(client, settings, only or payment),
        references=(*_references(payment=payment.id), *(Reference(kind="invoice", id=number) for number in paid)),
        amount=share(sum(parts, Decimal(0)), money, whole, currency) + payment.unapplied,
        currency=currency,
        total=payment.total,
        tax=only.tax if only and in_full else None,
        payment_id=payment.id,
        order_id=only.number if only else None,
        location=only.location if only else None,
        channel="invoice",
        lines=tuple(line for one in goods.values() for line in one.lines) if in_full else (),
    )


class Invoice(InvoiceIssued):
    """An invoice. total: with tax. number: as people call it."""

    total: Money | None = None
    number: Short = ""


@connector.trigger("invoice.created", "invoice.updated", "invoice.emailed", key="invoice_id")
def invoice_issued(notice: Notice, settings: Settings, client: Client) -> Invoice | None:
    """An invoice was written."""
    invoice = _record(client, notice, "Invoice", Record)
    if invoice is None or invoice.is_void:
        return None
    return Invoice(
        **_about(invoice, settings, client),
        references=_references(invoice=invoice.id),
        invoice_id=invoice.id,
        amount=Goods(invoice, settings).amount,
        due_on=invoice.due_on,
        total=invoice.total,
        number=invoice.number or "",
    )


def _given_back(notice: Notice, entity: str, settings: Settings, client: Client) -> Refund | None:
    record = _record(client, notice, entity, Record)
    if record is None or not record.total or OURS in record.note:
        return None
    goods = Goods(record, settings)
    return Refund(
        **_about(record, settings, client),
        amount=goods.amount,
        total=record.total,
        refund_id=record.id,
        reason=record.note[:10_000],
        lines=tuple(goods.lines),
    )


@connector.trigger("refundreceipt.created", "refundreceipt.updated", key="refund_id")
def refund_given(notice: Notice, settings: Settings, client: Client) -> Refund | None:
    """Money was given back; for which sale, QuickBooks does not say."""
    return _given_back(notice, "RefundReceipt", settings, client)


@connector.trigger("creditmemo.created", "creditmemo.updated", key="refund_id")
def credit_memo_created(notice: Notice, settings: Settings, client: Client) -> Refund | None:
    """A customer was given credit for what they will pay later, by somebody else than the hub."""
    return _given_back(notice, "CreditMemo", settings, client)


VOIDED = {"salesreceipt": "sales_receipt", "payment": "payment"}


@connector.trigger("salesreceipt.voided", "salesreceipt.deleted", "payment.voided", "payment.deleted", key="refund_id")
def sale_voided(notice: Notice, item: Item, settings: Settings) -> Refund:
    """A receipt or payment was taken out of the books; all that it earned is taken back."""
    kind = VOIDED[item.kind.partition(".")[0]]
    return Refund(
        references=_references(**{kind: notice.id}),
        amount=Decimal(0),
        currency=settings["currency"],
        refund_id=f"{kind}-{notice.id}",
        payment_id=notice.id,
        reason="taken out of the books",
        whole=True,
    )


@connector.trigger("estimate.created", "estimate.updated", key="deal_id")
def estimate_accepted(notice: Notice, settings: Settings, client: Client) -> DealWon | None:
    """A customer accepted an estimate."""
    estimate = _record(client, notice, "Estimate", Record)
    if estimate is None or estimate.status not in {"Accepted", "Closed"}:
        return None
    return DealWon(
        customer=_buyer(client, settings, estimate),
        references=_references(estimate=estimate.id),
        deal_id=estimate.id,
        amount=Goods(estimate, settings).amount,
        currency=estimate.currency(settings),
        title=estimate.number or "",
    )


class CustomerVersion(CustomerChanged):
    """A customer as they are now. version: of what is read, or `deleted`."""

    version: Short


@connector.trigger("customer.created", "customer.updated", "customer.deleted", key=("customer.id", "version"))
def customer_changed(notice: Notice, item: Item, client: Client) -> CustomerVersion | None:
    """A customer's name or addresses have changed, or they were made inactive."""
    person = _record(client, notice, "Customer", Person)
    if person is None or not person.active or item.kind == "customer.deleted":
        return CustomerVersion(customer=Customer(id=notice.id), deleted=True, version="deleted")
    return CustomerVersion(
        occurred_at=person.updated_at,
        customer=person.customer(),
        created=person.created_at is not None and person.created_at == person.updated_at,
        version=digest(person.customer()),
    )


@connector.trigger("customer.merged", key=("customer.id", "merged_ids"))
def customers_merged(notice: Notice) -> CustomersMerged | None:
    """Two customers became one."""
    return CustomersMerged(customer=Customer(id=notice.id), merged_ids=(notice.deleted_id,)) if notice.deleted_id else None


def _moment(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])


def _changed(client: Client, entity: str, since: datetime) -> Iterator[Item]:
    """The records of a kind that were changed since a moment, oldest first; inactive customers too."""
    also = "Active in (true, false) and " if entity == "Customer" else ""
    changed = f"where {also}MetaData.LastUpdatedTime >= '{since.isoformat(timespec='seconds')}'"
    start = 1

    def asked() -> dict[str, Any]:
        place = f"startposition {start} maxresults {PAGE_SIZE}"
        return {"query": _asked(client, entity, changed, "orderby MetaData.LastUpdatedTime", place)}

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> tuple[str, Mapping[str, Any]] | None:
        nonlocal start
        start += len(items)
        return (path, asked()) if len(items) >= PAGE_SIZE else None

    for row in client.pages(QUERY, items=f"QueryResponse.{entity}", next=after, **asked()):
        yield Item(f"{entity.lower()}.updated", {"id": row["Id"], "found": row}, at=_moment(row))


@connector.pull(receipt_paid)
def receipts_since(client: Client, since: datetime) -> Iterator[Item]:
    """Sales receipts that are new or were changed since a moment."""
    return _changed(client, "SalesReceipt", since)


@connector.pull(payment_received)
def payments_since(client: Client, since: datetime) -> Iterator[Item]:
    """Payments that are new or were changed since a moment."""
    return _changed(client, "Payment", since)


@connector.pull(invoice_issued)
def invoices_since(client: Client, since: datetime) -> Iterator[Item]:
    """Invoices that are new or were changed since a moment."""
    return _changed(client, "Invoice", since)


@connector.pull(refund_given)
def refunds_since(client: Client, since: datetime) -> Iterator[Item]:
    """Refund receipts that are new or were changed since a moment."""
    return _changed(client, "RefundReceipt", since)


@connector.pull(credit_memo_created)
def credit_memos_since(client: Client, since: datetime) -> Iterator[Item]:
    """Credit memos that are new or were changed since a moment."""
    return _changed(client, "CreditMemo", since)


@connector.pull(estimate_accepted, every="1 hour")
def estimates_since(client: Client, since: datetime) -> Iterator[Item]:
    """Estimates that are new or were changed since a moment."""
    return _changed(client, "Estimate", since)


@connector.pull(customer_changed, every="1 hour")
def customers_since(client: Client, since: datetime) -> Iterator[Item]:
    """Customers who are new or were changed since a moment."""
    return _changed(client, "Customer", since)


@connector.pull(sale_voided, every="1 hour")
def voided_since(client: Client, since: datetime) -> Iterator[Item]:
    """Receipts and payments that were voided or deleted since a moment, within the 30 days for which QuickBooks knows them."""
    moment: datetime | None = max(since, client.now() - CHANGES_KEPT)  # asked for more it refuses
    while moment is not None:
        asked = {**_version(client), "entities": "SalesReceipt,Payment", "changedSince": moment.isoformat(timespec="seconds")}
        told = client.get(f"{COMPANY}/cdc", query=asked)["CDCResponse"][0]["QueryResponse"]
        rows = [(kind, row) for part in told for kind in ("SalesReceipt", "Payment") for row in part.get(kind, ())]
        for kind, row in rows:
            if row.get("status") == "Deleted" or Record.model_validate(row).is_void:
                yield Item(f"{kind.lower()}.voided", {"id": row["Id"]}, at=_moment(row))
        newest = max((_moment(row) for _, row in rows), default=moment)
        moment = newest if len(rows) >= CHANGES_MOST and newest > moment else None


# What goes out --------------------------------------------------------------------------------------------------------

CustomerId = Annotated[str, Field(description="the customer's id, such as {{ event.customer.id }}", pattern="^[0-9]+$")]


class Kept(BaseModel):
    """A customer as QuickBooks keeps them. created: there was none before."""

    customer_id: str
    created: bool = False


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join("'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in texts)


def _customers(client: Client, *words: str) -> list[dict[str, Any]]:
    found = client.get(QUERY, query=_asked(client, "Customer", *words))["QueryResponse"]
    return list(found.get("Customer", ()))


def _post(client: Client, entity: str, content: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = client.post(f"{COMPANY}/{entity.lower()}", query=_version(client), json=content)[entity]
    return row


def _update(client: Client, row: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """Without `sparse` all that is not said would be blanked. Where somebody wrote since we read, we read again, once."""
    try:
        _post(client, "Customer", {"Id": row["Id"], "SyncToken": row["SyncToken"], "sparse": True, **changed})
    except CallFailed as failure:
        if not _says(failure, STALE):
            raise
        token = _read(client, "Customer", row["Id"])["SyncToken"]
        _post(client, "Customer", {"Id": row["Id"], "SyncToken": token, "sparse": True, **changed})


@connector.action(repeat="keyed")
def upsert_customer(
    client: Client,
    *,
    email: Annotated[str, Field(description="the e-mail address by which they are found, or made", pattern=r"^\S+@\S+$")],
    first_name: Annotated[str | None, Field(description="the first name", max_length=100)] = None,
    last_name: Annotated[str | None, Field(description="the last name", max_length=100)] = None,
    phone: Annotated[str | None, "the mobile number, with its country"] = None,
) -> Kept:
    """Set the name and number of the customer with an e-mail address; makes the customer where there is none."""
    said = {"GivenName": first_name, "FamilyName": last_name, "Mobile": {"FreeFormNumber": phone} if phone else None}
    wanted = {name: value for name, value in said.items() if value}
    found = _customers(client, f"where PrimaryEmailAddr = {_quoted([email])}")
    if found:
        changed = {name: value for name, value in wanted.items() if found[0].get(name) != value}
        if changed:
            _update(client, found[0], changed)
        return Kept(customer_id=found[0]["Id"])
    name = _displayed(" ".join(filter(None, (first_name, last_name))) or email)
    new = {**wanted, "DisplayName": name, "PrimaryEmailAddr": {"Address": email}}
    try:
        made = _post(client, "Customer", new)
    except CallFailed as failure:  # customers, suppliers and employees share their names
        if not _says(failure, TAKEN):
            raise
        made = _post(client, "Customer", {**new, "DisplayName": _displayed(f"{name} ({email})")})
    return Kept(customer_id=made["Id"], created=True)


def _displayed(name: str) -> str:
    """A colon would make a customer of a customer."""
    return re.sub(r"[:\s]+", " ", name).strip()[:500]


class Notes(BaseModel):
    """What lines in a customer's notes should say."""

    customer: CustomerId
    lines: Annotated[
        dict[Annotated[str, Field(pattern=r"^[^:\n]+$")], str],
        Field(description="what each line says by the name that it begins with; an empty text takes it away", min_length=1),
    ]


class Noted(BaseModel):
    """Whether a customer's notes are others now."""

    changed: bool


@connector.action(repeat="safe", batch=30)
def set_customer_notes(client: Client, many: list[Notes]) -> list[Noted | CallFailed]:
    """Set lines in a customer's notes, such as `Loyalty points: 120`; other lines stay as they are."""
    wanted: dict[str, dict[str, str]] = {}
    for one in many:
        wanted.setdefault(one.customer, {}).update(one.lines)
    outcomes = _noted(client, wanted, tries=2)
    return [outcomes[one.customer] for one in many]


def _noted(client: Client, wanted: Mapping[str, Mapping[str, str]], tries: int) -> dict[str, Noted | CallFailed]:
    outcomes: dict[str, Noted | CallFailed] = {}
    rows = _with_ids(client, wanted)
    changes: list[dict[str, Any]] = []
    for number, lines in wanted.items():
        before = rows.get(number, {}).get("Notes") or ""
        after = _with_lines(before, lines)
        if number not in rows:
            outcomes[number] = CallFailed(f"QuickBooks knows no customer {number}.", "lasting")
        elif len(after) > NOTES_MOST:
            outcomes[number] = CallFailed(f"The notes of customer {number} are full; shorten them in QuickBooks.", "lasting")
        else:
            outcomes[number] = Noted(changed=after != before)
            new = {"Id": number, "SyncToken": rows[number]["SyncToken"], "sparse": True, "Notes": after}
            changes += [{"bId": number, "operation": "update", "Customer": new}] if after != before else []
    if not changes:
        return outcomes
    told = client.post(f"{COMPANY}/batch", query=_version(client), json={"BatchItemRequest": changes})
    faults = {row["bId"]: _fault(row["Fault"]["Error"][0]) for row in told["BatchItemResponse"] if "Fault" in row}
    for number, (_, words) in faults.items():
        outcomes[number] = CallFailed(f"QuickBooks did not keep the notes of customer {number}: {words}", "lasting")
    stale = {number: wanted[number] for number, (code, _) in faults.items() if code == STALE and tries > 1}
    return outcomes | (_noted(client, stale, tries - 1) if stale else {})


def _with_ids(client: Client, numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The customers with these ids, inactive ones too."""
    found = _customers(client, f"where Id in ({_quoted(numbers)}) and Active in (true, false)")
    return {row["Id"]: row for row in found}


def _with_lines(notes: str, said: Mapping[str, str]) -> str:
    """The notes with these lines in the place of those before, else at their end."""
    lines = notes.splitlines()
    for name, text in said.items():
        mine = [f"{name}: {' '.join(text.split())}"] if text.strip() else []
        place = next((number for number, line in enumerate(lines) if line.startswith(f"{name}:")), len(lines))
        lines[place : place + 1] = mine
    return "\n".join(lines)


@connector.mirror(set_customer_notes)
def as_notes(one: Mirrored) -> dict[str, Any] | None:
    """The notes that show a member's points."""
    return {"customer": one.customer.id, "lines": one.texts} if one.customer.id else None


@connector.mirrored(batch=30)
def customer_notes(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What customers' notes say; a customer whose id is not known is found by the address."""
    ids = [one.customer.id for one in many if one.customer.id]
    known = _with_ids(client, ids) if ids else {}
    addresses = [one.customer.email for one in many if one.customer.email and one.customer.id not in known]
    found = _customers(client, f"where PrimaryEmailAddr in ({_quoted(addresses)})") if addresses else []
    at = {(row.get("PrimaryEmailAddr") or {}).get("Address", "").casefold(): row for row in found}
    rows = (known.get(one.customer.id or "") or at.get((one.customer.email or "-").casefold()) for one in many)
    return [_shown(row.get("Notes") or "", one, row["Id"]) if row else None for one, row in zip(many, rows, strict=True)]


def _shown(notes: str, one: Mirrored, number: str) -> Shown:
    said = {name: text.strip() for name, _, text in (line.partition(":") for line in notes.splitlines())}
    return Shown({name: said.get(name) for name in one.fields}, number)


class Credit(BaseModel):
    """A credit memo. remaining: how much of it is left to be used."""

    credit_memo_id: str
    number: str
    remaining: Money
    given_in: Currency


@connector.action(repeat="keyed", spends=spends("amount", "given_in", order="credit_memo_id"))
def create_credit_memo(
    client: Client,
    settings: Settings,
    *,
    customer: CustomerId,
    amount: Annotated[Money, Field(description="how much credit", gt=0)],
    reason: Annotated[str, Field(description="what for; it stands on the memo", min_length=1, max_length=1000)],
    currency: Annotated[Currency | None, "the customer's currency, where it is not the company's"] = None,
) -> Credit:
    """Give a customer credit for what they will pay later. It posts to the books, so the connection must name `credit_item`."""
    item = settings["credit_item"]
    if not item:
        said = "Credit memos post to the books. Make a product for reward credits and write its id into `credit_item` first."
        raise CallFailed(said, "lasting")
    given_in = currency or settings["currency"]
    to_minor(amount, given_in)  # more places than the currency has would be rounded
    line = {"Amount": amount, "Description": reason, "DetailType": "SalesItemLineDetail"}
    memo = {
        "CustomerRef": {"value": customer},
        "CurrencyRef": {"value": currency} if currency else None,
        "Line": [{**line, "SalesItemLineDetail": {"ItemRef": {"value": item}}}],
        "PrivateNote": f"{reason} {OURS}",
    }
    made = _post(client, "CreditMemo", memo)
    told = {"number": made.get("DocNumber") or "", "remaining": made.get("RemainingCredit", amount)}
    return Credit(credit_memo_id=made["Id"], given_in=given_in, **told)


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

REALM = "9130350000000001"
BOOKS = f"/v3/company/{REALM}"
TIMES = {"CreateTime": "2026-02-06T13:27:34-08:00", "LastUpdatedTime": "2026-02-06T13:27:34-08:00"}


def _event(kind: str, number: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": "0b1f9c1e-6a7e-4a8e-9f0e-0a2f6b1d7c01", "source": "intuit.dsnBgb0Example=",
        "type": f"qbo.{kind}.v1", "datacontenttype": "application/json", "time": "2026-02-06T21:27:35.179851517Z",
        "intuitentityid": number, "intuitaccountid": REALM, "data": data,
    }


def _older(name: str, number: str, operation: str) -> dict[str, Any]:
    change = {"name": name, "id": number, "operation": operation, "lastUpdated": "2026-02-06T13:27:34-0800"}
    return {"eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": [change]}}]}


def _item_line(amount: float, value: str, name: str, quantity: int = 1) -> dict[str, Any]:
    detail = {"ItemRef": {"value": value, "name": name}, "Qty": quantity, "UnitPrice": amount / quantity}
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


MUGS, CARD = _item_line(50, "11", "Mug", 2), _item_line(25, "12", "Gift card")
SHIPPING = _item_line(5, "SHIPPING_ITEM_ID", "Shipping")
SUBTOTAL = {"Amount": 80, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
DISCOUNT = {"Amount": 7.5, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True}}
RECEIPT = {
    "Id": "150", "SyncToken": "0", "DocNumber": "1042", "TxnDate": "2026-02-06", "TotalAmt": 76.7, "Balance": 0,
    "CurrencyRef": {"value": "USD"}, "CustomerRef": {"value": "58", "name": "Ada Ng"}, "MetaData": TIMES,
    "BillEmail": {"Address": "ada@example.com"}, "TxnTaxDetail": {"TotalTax": 4.2},
    "Line": [MUGS, CARD, SHIPPING, SUBTOTAL, DISCOUNT],
}
INVOICE = {
    "Id": "130", "SyncToken": "1", "DocNumber": "2001", "TxnDate": "2026-02-01", "DueDate": "2026-03-03", "TotalAmt": 129.6,
    "Balance": 0, "CustomerRef": {"value": "58", "name": "Ada Ng"}, "TxnTaxDetail": {"TotalTax": 9.6}, "MetaData": TIMES,
    "BillEmail": {"Address": "ada@example.com"}, "Line": [_item_line(120, "13", "Brake service")],
}
PAYMENT = {
    "Id": "163", "SyncToken": "0", "TotalAmt": 129.6, "UnappliedAmt": 0, "CurrencyRef": {"value": "USD"},
    "TxnDate": "2026-02-06", "CustomerRef": {"value": "58", "name": "Ada Ng"}, "MetaData": TIMES,
    "Line": [{"Amount": 129.6, "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]}],
}
ADA = {
    "Id": "58", "SyncToken": "3", "DisplayName": "Ada Ng", "GivenName": "Ada", "FamilyName": "Ng", "Active": True,
    "PrimaryEmailAddr": {"Address": "ada@example.com, ng@example.com"}, "Mobile": {"FreeFormNumber": "(415) 555-0123"},
    "Notes": "Prefers mornings", "MetaData": TIMES,
}
REFUND = {
    "Id": "151", "TotalAmt": 54, "TxnTaxDetail": {"TotalTax": 4}, "CustomerRef": {"value": "58"}, "MetaData": TIMES,
    "PrivateNote": "Broken on arrival", "Line": [MUGS],
}
MEMO = REFUND | {"Id": "155", "DocNumber": "CM-1", "RemainingCredit": 10}
OUR_MEMO = MEMO | {"PrivateNote": "100 points [loyalty hub]"}
ESTIMATE = INVOICE | {"Id": "140", "DocNumber": "E-7", "TxnStatus": "Accepted"}
SINCE = "2026-02-06T00:00:00+00:00"
GET_ADA, GET_INVOICE = f"GET {BOOKS}/customer/58", f"GET {BOOKS}/invoice/130"
SELECT, BATCH = f"GET {BOOKS}/query", f"POST {BOOKS}/batch"
VERSION = {"minorversion": "75"}
BALANCE = {"customer": "58", "lines": {"Loyalty points": "120"}}
SAYS_120 = "Prefers mornings\nLoyalty points: 120"
KEPT = {"bId": "58", "operation": "update", "Customer": {"Id": "58", "SyncToken": "3", "sparse": True, "Notes": SAYS_120}}
ADA_SHOWN = {"customer": {"id": "58"}, "fields": {"Loyalty points": 120}}
NAMES = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Ng"}
OF_ADA = "select * from Customer where PrimaryEmailAddr = 'ada@example.com'"
IS_ADA = "select * from Customer where Id in ('58') and Active in (true, false)"
TAKEN_NAME = {"Fault": {"Error": [{"Message": "Duplicate Name Exists Error", "Detail": "The name is taken", "code": "6240"}],
                   "type": "ValidationFault"}, "time": "2026-02-06T13:30:00.000-08:00"}


connector.sample(
    receipt_paid, [_event("salesreceipt.created", "150")],
    asks=ask(f"GET {BOOKS}/salesreceipt/150", query=VERSION), reply={"SalesReceipt": RECEIPT},
    gives={"amount": "45.00", "total": "76.70", "tax": "4.20", "shipping": "5.00", "discount": "7.50", "order_id": "1042",
           "customer": {"id": "58", "email": "ada@example.com"}, "lines": [{"title": "Mug", "quantity": "2", "net": "45.00"}],
           "references": [{"kind": "sales_receipt", "id": "150"}]},
)
connector.sample(
    payment_received, [_event("payment.created", "163")], asks=[f"GET {BOOKS}/payment/163", GET_INVOICE],
    reply=[{"Payment": PAYMENT}, {"Invoice": INVOICE}],
    gives={"amount": "120.00", "total": "129.60", "tax": "9.60", "channel": "invoice", "customer": {"email": "ada@example.com"},
           "references": [{"kind": "payment", "id": "163"}, {"kind": "invoice", "id": "130"}]},
)
connector.sample(
    invoice_issued, [_event("invoice.created", "130"), _event("invoice.emailed", "130")], asks=GET_INVOICE,
    reply={"Invoice": INVOICE},
    gives={"invoice_id": "130", "number": "2001", "amount": "120.00", "total": "129.60", "due_on": "2026-03-03",
           "occurred_at": "2026-02-01T21:27:34Z"},
)
connector.sample(
    refund_given, _older("RefundReceipt", "151", "Create"), asks=[f"GET {BOOKS}/refundreceipt/151", GET_ADA],
    reply=[{"RefundReceipt": REFUND}, {"Customer": ADA}],
    gives={"refund_id": "151", "amount": "50.00", "total": "54.00", "references": [], "reason": "Broken on arrival"},
)
connector.sample(
    credit_memo_created, [_event("creditmemo.created", "155")], asks=[f"GET {BOOKS}/creditmemo/155", GET_ADA],
    reply=[{"CreditMemo": MEMO}, {"Customer": ADA}], gives={"refund_id": "155", "amount": "50.00", "customer": {"id": "58"}},
)
connector.sample(
    sale_voided, [_event("salesreceipt.voided", "150")],
    gives={"refund_id": "sales_receipt-150", "whole": True, "references": [{"kind": "sales_receipt", "id": "150"}]},
)
connector.sample(sale_voided, _older("Payment", "163", "Delete"), gives={"references": [{"kind": "payment", "id": "163"}]})
connector.sample(
    estimate_accepted, _older("Estimate", "140", "Update"), asks=f"GET {BOOKS}/estimate/140", reply={"Estimate": ESTIMATE},
    gives={"deal_id": "140", "amount": "120.00", "title": "E-7"},
)
connector.sample(
    customer_changed, [_event("customer.updated", "58")], asks=GET_ADA, reply={"Customer": ADA},
    gives={"customer": {"email": "ada@example.com", "phone": "(415) 555-0123", "first_name": "Ada"}, "created": True},
)
connector.sample(
    customers_merged, [_event("customer.merged", "58", deletedid="61")], gives={"customer": {"id": "58"}, "merged_ids": ["61"]}
)
for pull, entity, row, fetched, fact in (
    (receipts_since, "SalesReceipt", RECEIPT, None, {"payment_id": "150", "amount": "45.00"}),
    (payments_since, "Payment", PAYMENT, (GET_INVOICE, {"Invoice": INVOICE}), {"payment_id": "163", "amount": "120.00"}),
    (invoices_since, "Invoice", INVOICE, None, {"invoice_id": "130"}),
    (refunds_since, "RefundReceipt", REFUND, (GET_ADA, {"Customer": ADA}), {"refund_id": "151"}),
    (credit_memos_since, "CreditMemo", MEMO, (GET_ADA, {"Customer": ADA}), {"refund_id": "155"}),
    (estimates_since, "Estimate", ESTIMATE, None, {"deal_id": "140"}),
    (customers_since, "Customer", ADA, None, {"customer": {"id": "58"}}),
):
    also = "Active in (true, false) and " if entity == "Customer" else ""
    when = f"where {also}MetaData.LastUpdatedTime >= '{SINCE}' orderby MetaData.LastUpdatedTime"
    words = " ".join(("select * from", entity, when, "startposition 1 maxresults 500"))
    connector.sample(
        pull, SINCE, asks=[ask(SELECT, query={**VERSION, "query": words}), *(fetched or ())[:1]],
        reply=[{"QueryResponse": {entity: [row]}}, *(fetched or ())[1:]], gives=fact,
    )
connector.sample(
    voided_since, SINCE,
    asks=ask(f"GET {BOOKS}/cdc", query={**VERSION, "entities": "SalesReceipt,Payment", "changedSince": SINCE}),
    reply={"CDCResponse": [{"QueryResponse": [
        {"SalesReceipt": [RECEIPT, RECEIPT | {"Id": "152", "TotalAmt": 0, "PrivateNote": "Voided"}]},
        {"Payment": [{"Id": "164", "status": "Deleted", "MetaData": TIMES}]}]}]},
    gives=[{"refund_id": "sales_receipt-152"}, {"refund_id": "payment-164", "whole": True}],
)
connector.sample(
    upsert_customer, NAMES,
    asks=[ask(SELECT, query={"query": OF_ADA}),
          ask(f"POST {BOOKS}/customer", json={"DisplayName": "Ada Ng", "PrimaryEmailAddr": {"Address": "ada@example.com"}})],
    reply=[{"QueryResponse": {}}, {"Customer": ADA}], gives={"customer_id": "58", "created": True},
)
connector.sample(
    set_customer_notes, BALANCE, asks=[ask(SELECT, query={"query": IS_ADA}), ask(BATCH, json={"BatchItemRequest": [KEPT]})],
    reply=[{"QueryResponse": {"Customer": [ADA]}}, {"BatchItemResponse": [{"bId": "58", "Customer": ADA}]}],
    gives={"changed": True},
)
connector.sample(
    as_notes, ADA_SHOWN, asks=[SELECT, ask(BATCH, json={"BatchItemRequest": [KEPT]})],
    reply=[{"QueryResponse": {"Customer": [ADA]}}, {"BatchItemResponse": [{"bId": "58", "Customer": ADA}]}], gives=BALANCE,
)
connector.sample(as_notes, {"customer": {"email": "ada@example.com"}, "fields": {"Loyalty points": 120}}, gives=None)
connector.sample(
    customer_notes, ADA_SHOWN, asks=ask(SELECT, query={"query": IS_ADA}),
    reply={"QueryResponse": {"Customer": [ADA | {"Notes": SAYS_120}]}}, gives={"id": "58", "fields": {"Loyalty points": "120"}},
)
connector.sample(
    customer_notes, {"customer": {"email": "ada@example.com"}, "fields": {"Loyalty tier": "Gold"}},
    asks=ask(SELECT, query={"query": OF_ADA.replace("= 'ada@example.com'", "in ('ada@example.com')")}),
    reply={"QueryResponse": {"Customer": [ADA | {"PrimaryEmailAddr": {"Address": "Ada@example.com"}}]}},
    gives={"id": "58", "fields": {"Loyalty tier": None}}, note="whose id is not known yet",
)
connector.sample(customer_notes, ADA_SHOWN, asks=SELECT, reply={"QueryResponse": {}}, gives=None, note="nobody there")
connector.sample(
    create_credit_memo, {"customer": "58", "amount": "10.00", "reason": "100 points"},
    asks=ask(f"POST {BOOKS}/creditmemo",
             json={"CustomerRef": {"value": "58"}, "PrivateNote": "100 points [loyalty hub]",
                   "Line": [{"Amount": Decimal("10.00"), "SalesItemLineDetail": {"ItemRef": {"value": "21"}}}]}),
    reply={"CreditMemo": OUR_MEMO}, gives={"credit_memo_id": "155", "remaining": "10", "given_in": "USD"},
)
connector.sample(
    create_credit_memo, {"customer": "58", "amount": "10.00", "reason": "100 points"}, asks=f"POST {BOOKS}/creditmemo",
    reply=TAKEN_NAME, fails="lasting", note="200, and yet a fault",
)
