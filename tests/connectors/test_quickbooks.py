"""QuickBooks: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import quickbooks
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Answer, Client, Connection, Customer, Fact, Item, Mirrored, Request, Settings, Shown
from hub.sdk.action import CallKey
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.sample import SAMPLE_NOW, answers

NOW = SAMPLE_NOW
REALM, TOKEN = quickbooks.REALM, "f4b2-verifier"
ADA, INVOICE, PAYMENT, RECEIPT = quickbooks.ADA, quickbooks.INVOICE, quickbooks.PAYMENT, quickbooks.RECEIPT


def _connection(**settings: Any) -> Connection:
    values = {"client_id": "AB12", "client_secret": "s3cret-7Qd2", "account_id": REALM, "currency": "USD"}
    more = {"verifier_token": TOKEN, "walk_in_customers": ["1"], "excluded_items": ["gift card"], "credit_item": "21"}
    read = quickbooks.connector.settings.read(values | more | settings)
    return Connection("quickbooks", quickbooks.connector, read)


def _request(body: Any, signature: str | None = None) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = base64.b64encode(hmac.digest(TOKEN.encode(), raw, hashlib.sha256)).decode()
    headers = {"content-type": "application/json", "intuit-signature": made if signature is None else signature}
    return Request("POST", "/hooks/quickbooks", "", headers, raw, NOW, "https://points.example.com/hooks/quickbooks")


def _items(body: Any) -> list[Item]:
    return quickbooks.connector.items(_request(body), _connection())


def _play(replies: Iterable[Any]) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _facts(body: Any, *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _play(replies)
    facts: list[Fact] = []
    for item in quickbooks.connector.items(_request(body), connection):
        for trigger in quickbooks.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(body: Any, *replies: Any, **settings: Any) -> Any:
    (fact,), _ = _facts(body, *replies, **settings)
    return fact


def _event(kind: str, number: str = "150", **laid_over: Any) -> dict[str, Any]:
    return quickbooks._event(kind, number) | laid_over


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = quickbooks.connector.actions[name], _connection(**settings), _play(replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1")}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _asked(called: Called, name: str = "query") -> str:
    return parse_qs(urlsplit(called.url).query)[name][0]


def _fault(code: str, kind: str = "ValidationFault", status: int = 200) -> Answer:
    error = {"Message": "No", "Detail": "It is not so", "code": code}
    return answers(status, {"Fault": {"Error": [error], "type": kind}, "time": "2026-02-06T13:30:00-08:00"})


# Proof and telling


@pytest.mark.parametrize("signature", ["", "bm8=", "not base64 at all", "0b1f9c1e"])
def test_only_what_the_verifier_token_signs_is_taken(signature: str) -> None:
    """Base64 of the raw bytes' HMAC; in either form of body."""
    for body in ([quickbooks._event("payment.created", "163")], quickbooks._older("Payment", "163", "Create")):
        quickbooks.connector.verify(_request(body), _connection(), NOW)
        with pytest.raises(Refused):
            quickbooks.connector.verify(_request(body, signature), _connection(), NOW)


def test_nothing_is_fetched_before_the_answer() -> None:
    """Three seconds are all there is: every trigger that needs more than the notice runs in the worker."""
    connection = _connection()
    for trigger in quickbooks.connector.triggers.values():
        assert trigger.thin_for(connection) or trigger.name in {"sale_voided", "customers_merged"}
    assert quickbooks.connector.answer(_request([]), connection) == Answer(200)


def test_both_forms_tell_the_same() -> None:
    """In the same words, with times of nine digits and of offsets without a colon."""
    (new,) = _items([quickbooks._event("salesreceipt.created", "150")])
    (old,) = _items(quickbooks._older("SalesReceipt", "150", "Create"))
    assert (new.kind, new.account, new.data) == (old.kind, old.account, old.data)
    assert new.at == datetime(2026, 2, 6, 21, 27, 35, 179851, tzinfo=UTC)
    assert old.at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)


@pytest.mark.parametrize(("told", "kind"), [("Void", "voided"), ("Merge", "merged"), ("Emailed", "emailed")])
def test_operations_of_the_older_form_have_the_words_of_the_newer(told: str, kind: str) -> None:
    """One trigger reads both."""
    (item,) = _items(quickbooks._older("Customer", "58", told))
    assert item.kind == f"customer.{kind}"


def test_other_companies_are_left_out_and_spoil_nothing() -> None:
    """One webhook tells of all companies, and the portal's test sends companies that there are not."""
    ours, foreign = _event("payment.created", "163"), _event("payment.created", "163", intuitaccountid="310687")
    items = _items([foreign, {"id": "broken"}, ours])
    connection = _connection()
    assert [quickbooks.connector.is_ours(item, connection) for item in items if not item.problem] == [False, True]
    assert [item.problem for item in items if item.problem] == [
        "This event cannot be read: `type` is missing; `intuitentityid` is missing; `intuitaccountid` is missing."
    ]


def test_a_record_is_fetched_once_however_often_one_delivery_speaks_of_it() -> None:
    """It is fetched as it is now; that it was voided is another thing, and so is the same id of another kind or company."""
    told = [
        _event("invoice.created", "130"),
        _event("invoice.updated", "130"),
        _event("invoice.voided", "130"),
        _event("payment.created", "130"),
        _event("invoice.emailed", "130"),
        _event("invoice.created", "130", intuitaccountid="310687"),
    ]
    assert sorted(item.kind for item in _items(told)) == [
        "invoice.created", "invoice.emailed", "invoice.voided", "payment.created",
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"eventNotifications": 7}, "text", 7])
def test_what_has_neither_form_is_explained(body: Any) -> None:
    """It is kept, and a person sees why it could not be read."""
    with pytest.raises(Unreadable):
        _items(body)


# Sales


def test_tax_shipping_and_what_is_excluded_earn_nothing() -> None:
    """75 less a tenth of discount, of which two thirds are mugs; the gift card is named in the settings, by name or id."""
    for excluded in (["Gift card"], ["12"]):
        sale = _one([_event("salesreceipt.created")], {"SalesReceipt": RECEIPT}, excluded_items=excluded)
        assert (sale.amount, [line.net for line in sale.lines]) == (Decimal("45.00"), [Decimal("45.00")])
    with_card = _one([_event("salesreceipt.created")], {"SalesReceipt": RECEIPT}, excluded_items=[])
    assert (with_card.amount, [line.net for line in with_card.lines]) == (Decimal("67.5"), [Decimal("45.00"), Decimal("22.50")])


def test_lines_of_a_bundle_are_lines() -> None:
    """The bundle's own amount is their sum, and counts no second time."""
    bundle = {"Amount": 50, "DetailType": "GroupLineDetail", "GroupLineDetail": {"Line": [quickbooks.MUGS]}}
    sale = _one([_event("salesreceipt.created")], {"SalesReceipt": RECEIPT | {"Line": [bundle], "TotalAmt": 54.2}})
    assert (sale.amount, [line.title for line in sale.lines]) == (Decimal("50.0"), ["Mug"])


def test_a_customer_of_the_till_is_nobody() -> None:
    """What was sold to them is kept for whoever claims it; an address on the receipt still says who it was."""
    receipt = RECEIPT | {"CustomerRef": {"value": "1"}}
    assert _one([_event("salesreceipt.created")], {"SalesReceipt": receipt}).customer == Customer(email="ada@example.com")
    assert _one([_event("salesreceipt.created")], {"SalesReceipt": receipt | {"BillEmail": {}}}).customer is None
    assert (
        _one([_event("salesreceipt.created")], {"SalesReceipt": receipt | {"CustomerRef": None, "BillEmail": {}}}).customer
        is None
    )


def test_a_buyer_without_an_address_on_the_receipt_is_looked_up() -> None:
    """Of several addresses in one field the first is taken; one who is gone is known by the id alone."""
    bare = {"SalesReceipt": RECEIPT | {"BillEmail": None}}
    assert _one([_event("salesreceipt.created")], bare, {"Customer": ADA}).customer.email == "ada@example.com"
    assert _one([_event("salesreceipt.created")], bare, _fault("610", status=400)).customer == Customer(id="58")


@pytest.mark.parametrize(
    ("dated", "told"),
    [("2026-02-06", "2026-02-06T21:27:34"), ("2026-01-31", "2026-01-31T21:27:34"), ("2026-03-01", "2026-02-06T21:27:34")],
)
def test_what_is_dated_back_happened_then(dated: str, told: str) -> None:
    """Books that are entered late, or taken over from elsewhere, are not of today; nothing happens in the future."""
    sale = _one([_event("salesreceipt.created")], {"SalesReceipt": RECEIPT | {"TxnDate": dated}})
    assert sale.occurred_at == datetime.fromisoformat(f"{told}+00:00")


def test_the_day_is_that_of_the_books_and_not_of_utc() -> None:
    """Late in the evening it is tomorrow already in Greenwich."""
    late = RECEIPT | {"MetaData": {"CreateTime": "2026-02-06T20:00:00-08:00"}}
    assert _one([_event("salesreceipt.created")], {"SalesReceipt": late}).occurred_at == datetime(2026, 2, 7, 4, tzinfo=UTC)


def test_a_company_with_one_currency_does_not_name_it() -> None:
    """Then it is the home currency; amounts are exact, though they come as numbers."""
    told = json.dumps({"SalesReceipt": {name: value for name, value in RECEIPT.items() if name != "CurrencyRef"}})
    sale = _one([_event("salesreceipt.created")], Answer(200, told.replace("76.7", "76.700000001").encode()), currency="CAD")
    assert (sale.currency, sale.total) == ("CAD", Decimal("76.700000001"))


def _paid(total: float, *lines: tuple[float, str, str], unapplied: float = 0) -> dict[str, Any]:
    linked = [{"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": kind}]} for amount, number, kind in lines]
    return {"Payment": PAYMENT | {"TotalAmt": total, "UnappliedAmt": unapplied, "Line": linked}}


PAID = [_event("payment.created", "163")]


def test_of_an_invoice_that_is_paid_in_parts_each_part_earns_its_share() -> None:
    """Without its share of the tax; lines and tax are told where it was paid at once."""
    sale = _one(PAID, _paid(32.4, (32.4, "130", "Invoice")), {"Invoice": INVOICE})
    assert (sale.amount, sale.total, sale.tax, sale.lines) == (Decimal("30.00"), Decimal("32.4"), None, ())
    assert sale.order_id == "2001"


def test_a_payment_of_several_invoices_is_one_sale() -> None:
    """It refers to all of them, and has all their lines."""
    other = INVOICE | {"Id": "131", "DocNumber": "2002", "TotalAmt": 50, "TxnTaxDetail": {}, "Line": [quickbooks.MUGS]}
    both = _paid(179.6, (129.6, "130", "Invoice"), (50, "131", "Invoice"))
    sale = _one(PAID, both, {"Invoice": INVOICE}, {"Invoice": other}, {"Customer": ADA})
    assert (sale.amount, len(sale.lines), sale.order_id) == (Decimal("170.0"), 2, None)
    assert [one.id for one in sale.references] == ["163", "130", "131"]


def test_what_a_credit_pays_is_no_money() -> None:
    """Half of it is a credit memo: half earns; all of it: nobody paid anything."""
    half = _paid(64.8, (129.6, "130", "Invoice"), (64.8, "155", "CreditMemo"))
    assert _one(PAID, half, {"Invoice": INVOICE}).amount == Decimal("60.00")
    assert _facts(PAID, _paid(0, (129.6, "130", "Invoice"), (129.6, "155", "CreditMemo")))[0] == []


def test_money_on_account_earns_when_it_is_paid() -> None:
    """Beside what an invoice took of it; that it is used later is the same payment."""
    sale = _one(PAID, _paid(150, (129.6, "130", "Invoice"), unapplied=20.4), {"Invoice": INVOICE})
    assert sale.amount == Decimal("140.4")
    later = _one(PAID, _paid(150, (129.6, "130", "Invoice"), (20.4, "131", "Invoice")), {"Invoice": INVOICE}, _fault("610"))
    key = quickbooks.connector.triggers["payment_received"].key_of
    assert key(sale) == key(later)


def test_an_invoice_that_was_voided_is_not_issued() -> None:
    """Its amounts are 0 then, and its note says so; one that is free is an invoice all the same."""
    void = INVOICE | {"TotalAmt": 0, "TxnTaxDetail": {}, "PrivateNote": "Voided"}
    told = [_event("invoice.updated", "130")]
    assert _facts(told, {"Invoice": void})[0] == []
    assert _one(told, {"Invoice": void | {"PrivateNote": "A present"}}).amount == 0
    assert _facts([_event("invoice.voided", "130")])[0] == []


def test_a_record_that_is_gone_again_is_no_fact() -> None:
    """It was deleted before it was fetched: 400 with code 610, or a fault with 200. Other refusals are told."""
    for gone in (_fault("610", status=400), _fault("610")):
        assert _facts([_event("salesreceipt.created")], gone)[0] == []
    with pytest.raises(CallFailed):
        _facts([_event("salesreceipt.created")], _fault("2500", status=400))


# What takes back


@pytest.mark.parametrize("kind", ["salesreceipt.voided", "salesreceipt.deleted", "payment.voided", "payment.deleted"])
def test_what_is_voided_or_deleted_gives_back_all_that_it_earned(kind: str) -> None:
    """Its amounts are 0 by then, so none is needed, and nothing is fetched. Voided and then deleted is once."""
    refund, play = _facts([_event(kind, "163")])
    assert (refund[0].whole, play.calls) == (True, [])
    name = "payment" if kind.startswith("payment") else "sales_receipt"
    assert [(one.kind, one.id) for one in refund[0].references] == [(name, "163")]
    key = quickbooks.connector.triggers["sale_voided"].key_of
    assert key(refund[0]) == key(_one([_event(kind.replace("voided", "deleted"), "163")]))


def test_a_receipt_and_its_voiding_name_the_same_thing() -> None:
    """Else the ledger would not find the sale."""
    sale = _one([_event("salesreceipt.created")], {"SalesReceipt": RECEIPT})
    assert sale.references == _one([_event("salesreceipt.voided")]).references


def test_the_hubs_own_credit_memo_is_no_news() -> None:
    """It has the hub's mark on it; what a bookkeeper writes is told, with the customer whose it is."""
    told = [_event("creditmemo.created", "155")]
    _, play = _act("create_credit_memo", [MEMO], {"CreditMemo": quickbooks.MEMO})
    made = {"Id": "155", "TotalAmt": 10, "PrivateNote": _sent(play.calls[0])["PrivateNote"]}
    assert _facts(told, {"CreditMemo": quickbooks.MEMO | made})[0] == []
    assert _one(told, {"CreditMemo": quickbooks.MEMO}, {"Customer": ADA}).customer.id == "58"


def test_a_refund_names_no_sale() -> None:
    """QuickBooks does not say which one; a wrong guess would take somebody's points."""
    linked = quickbooks.REFUND | {"LinkedTxn": [{"TxnId": "150", "TxnType": "SalesReceipt"}]}
    refund = _one([_event("refundreceipt.created", "151")], {"RefundReceipt": linked}, {"Customer": ADA})
    assert (refund.references, refund.whole, refund.amount) == ((), False, Decimal(50))


# People and estimates


def test_a_customer_changed_when_a_name_or_an_address_is_new() -> None:
    """The hub's own lines in the notes are not read, so they never come back as news."""
    told, key = [_event("customer.updated", "58")], quickbooks.connector.triggers["customer_changed"].key_of
    first = key(_one(told, {"Customer": ADA}))
    assert first == key(_one(told, {"Customer": ADA | {"Notes": "Loyalty points: 7", "SyncToken": "4"}}))
    assert first != key(_one(told, {"Customer": ADA | {"Mobile": {"FreeFormNumber": "(415) 555-0199"}}}))
    phoned = _one(told, {"Customer": ADA | {"Mobile": None, "PrimaryPhone": {"FreeFormNumber": "555-0100"}}})
    assert phoned.customer.phone == "555-0100"


def test_deleted_is_inactive() -> None:
    """However it is found out: by the notice, by the record, or because it is gone."""
    for kind, reply in (
        ("customer.deleted", {"Customer": ADA}),
        ("customer.updated", {"Customer": ADA | {"Active": False}}),
        ("customer.updated", _fault("610", status=400)),
    ):
        fact = _one([_event(kind, "58")], reply)
        assert (fact.deleted, fact.version, fact.customer) == (True, "deleted", Customer(id="58"))


def test_a_merge_moves_points_from_the_one_that_is_gone() -> None:
    """Both forms name it, in their own way."""
    change = {"name": "Customer", "id": "58", "operation": "Merge", "deletedId": "61", "lastUpdated": "2026-02-06T21:27:34Z"}
    old = {"eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": [change]}}]}
    for body in ([quickbooks._event("customer.merged", "58", deletedid="61")], old):
        merged = _one(body)
        assert (merged.customer.id, merged.merged_ids) == ("58", ("61",))


@pytest.mark.parametrize(("status", "won"), [("Accepted", 1), ("Closed", 1), ("Pending", 0), ("Rejected", 0), (None, 0)])
def test_an_estimate_is_won_when_it_is_accepted(status: str | None, won: int) -> None:
    """Or made into an invoice, which closes it."""
    told = {name: value for name, value in (quickbooks.ESTIMATE | {"TxnStatus": status}).items() if value is not None}
    assert len(_facts([_event("estimate.updated", "140")], {"Estimate": told})[0]) == won


# Asking


def _pulled(name: str, since: datetime, respond: Callable[[Called, int], Answer]) -> tuple[list[Item], Play]:
    connection, play = _connection(), Play(respond)
    return list(quickbooks.connector.pulls[name].items(connection, play.client(connection), since)), play


def test_asking_turns_pages_and_fetches_nothing_again() -> None:
    """By place in the whole; the last page is shorter. What is found is as good as what is fetched, and has its own time."""
    pages = [[RECEIPT | {"Id": str(number)} for number in range(500)], [RECEIPT | {"Id": "500"}]]
    replies = [answers(200, {"QueryResponse": {"SalesReceipt": rows}}) for rows in pages]
    items, play = _pulled("receipts_since", NOW - timedelta(days=400), one_by_one(replies))
    assert len(items) == 501 and items[0].at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)
    assert _asked(play.calls[0]).endswith("startposition 1 maxresults 500")
    assert _asked(play.calls[1]).endswith("startposition 501 maxresults 500")
    connection = _connection()
    (sale,) = quickbooks.connector.triggers["receipt_paid"].fetch(items[500], connection, play.client(connection))
    key = quickbooks.connector.triggers["receipt_paid"].key_of
    assert key(sale) == key(_one([_event("salesreceipt.created", "500")], {"SalesReceipt": RECEIPT | {"Id": "500"}}))
    assert len(play.calls) == 2


def test_inactive_customers_are_asked_for_by_name() -> None:
    """QuickBooks leaves them out of what it finds."""
    _, play = _pulled("customers_since", NOW, one_by_one([answers(200, {"QueryResponse": {}})]))
    assert "where Active in (true, false) and MetaData.LastUpdatedTime >= '2026-02-06T21:30:00+00:00'" in _asked(play.calls[0])


def test_changes_are_asked_for_within_thirty_days() -> None:
    """Older ones QuickBooks refuses to tell, and a whole backfill would fail for it."""
    told = answers(200, {"CDCResponse": [{"QueryResponse": [{}]}]})
    _, play = _pulled("voided_since", NOW - timedelta(days=400), one_by_one([told]))
    asked = datetime.fromisoformat(_asked(play.calls[0], "changedSince"))
    assert timedelta(days=29) < NOW - asked < timedelta(days=30)


def test_more_changes_than_fit_into_one_answer_are_asked_for_again() -> None:
    """From the newest that was told."""
    rows = [{"Id": str(n), "status": "Deleted", "MetaData": {"LastUpdatedTime": f"2026-02-06T{n // 60:02}:{n % 60:02}:00Z"}}
            for n in range(1000)]  # fmt: skip
    many, rest = ({"CDCResponse": [{"QueryResponse": [{"Payment": some}]}]} for some in (rows, rows[:1]))
    items, play = _pulled("voided_since", NOW - timedelta(days=1), one_by_one([answers(200, many), answers(200, rest)]))
    assert len(items) == 1001 and _asked(play.calls[1], "changedSince") == "2026-02-06T16:39:00+00:00"


# What goes out

NAMES = quickbooks.NAMES
MEMO = {"customer": "58", "amount": "10.00", "reason": "100 points"}
NOBODY = {"QueryResponse": {}}


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (_fault("6240"), "lasting"),
        (_fault("610", status=400), "lasting"),
        (_fault("120", "AuthorizationFault", 401), "reconnect"),
        (_fault("3200", "AuthenticationFault", 200), "reconnect"),
        (_fault("6190"), "reconnect"),
        (answers(403), "reconnect"),
        (_fault("3001"), "passing"),
        (answers(429, {"message": "slow"}), "passing"),
        (_fault("10000", "SystemFault"), "passing"),
        (answers(500, b"<html>"), "passing"),
        (answers(400, b"<IntuitResponse/>"), "lasting"),
    ],
)
def test_a_fault_counts_whatever_its_status(reply: Answer, verdict: str) -> None:
    """200 with a fault is a failure, and its code says of which kind; its words and number are told."""
    (failure,), _ = _act("create_credit_memo", [MEMO], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict
    if b'"Fault"' in reply.body:
        assert "It is not so" in str(failure)


def test_a_throttle_says_nothing_of_when() -> None:
    """A minute is what Intuit's pages say; what a header says counts more. A lapsed subscription has another remedy."""
    (failure,), _ = _act("create_credit_memo", [MEMO], answers(429))
    assert failure.retry_after_seconds == 60
    (failure,), _ = _act("create_credit_memo", [MEMO], answers(429, None, retry_after="300"))
    assert failure.retry_after_seconds == 300
    (failure,), _ = _act("create_credit_memo", [MEMO], _fault("6190"))
    assert str(failure).endswith("Renew the company's QuickBooks subscription.")


def test_the_trace_of_a_fault_is_kept_for_intuits_support() -> None:
    """They ask for it first."""
    fault = _fault("2500")
    (failure,), _ = _act("create_credit_memo", [MEMO], Answer(400, fault.body, fault.content_type, {"intuit_tid": "1-65-ab"}))
    assert str(failure).endswith("It is not so (2500) intuit_tid 1-65-ab")


def test_every_call_names_its_version_and_a_write_its_key() -> None:
    """A write whose answer was lost is sent again with the same key, and QuickBooks gives the first answer."""
    _, play = _act("create_credit_memo", [MEMO], requests.ReadTimeout("lost"), {"CreditMemo": quickbooks.MEMO})
    first, again = play.calls
    assert first.url == again.url and _asked(first, "minorversion") == "75"
    assert 0 < len(_asked(first, "requestid")) <= 50
    assert first.headers["accept"] == "application/json"


def test_credit_posts_to_the_books_only_where_that_is_wanted() -> None:
    """Without a product for it nothing is sent; nor what the currency cannot say."""
    (failure,), play = _act("create_credit_memo", [MEMO], credit_item=None)
    assert isinstance(failure, CallFailed) and "credit_item" in str(failure) and not play.calls
    (failure,), play = _act("create_credit_memo", [MEMO | {"amount": "10.005"}])
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and not play.calls
    _, play = _act("create_credit_memo", [MEMO | {"currency": "EUR"}], {"CreditMemo": quickbooks.MEMO})
    assert b'"Amount":10.00,' in play.calls[0].body and _sent(play.calls[0])["CurrencyRef"] == {"value": "EUR"}


def test_an_address_is_quoted() -> None:
    """An apostrophe in it ends nothing."""
    _, play = _act("upsert_customer", [NAMES | {"email": r"o'neil\x@example.com"}], NOBODY, {"Customer": ADA})
    assert _asked(play.calls[0]) == r"select * from Customer where PrimaryEmailAddr = 'o\'neil\\x@example.com'"


@pytest.mark.parametrize(("first", "shown"), [("Ada:\tNg", "Ada Ng"), ("  Ada ", "Ada"), (None, "ada@example.com")])
def test_a_name_makes_no_customer_of_a_customer(first: str | None, shown: str) -> None:
    """Colons, tabs and line breaks may not be in it; without a name the address is shown."""
    _, play = _act("upsert_customer", [{"email": "ada@example.com", "first_name": first}], NOBODY, {"Customer": ADA})
    assert _sent(play.calls[1])["DisplayName"] == shown


def test_a_name_that_somebody_has_gets_the_address_behind_it() -> None:
    """Suppliers and employees share the names of customers; another fault stays one."""
    (kept,), play = _act("upsert_customer", [NAMES], NOBODY, quickbooks.TAKEN_NAME, {"Customer": ADA})
    assert kept.created and _sent(play.calls[2])["DisplayName"] == "Ada Ng (ada@example.com)"
    assert _asked(play.calls[1], "requestid") != _asked(play.calls[2], "requestid")
    (failure,), play = _act("upsert_customer", [NAMES], NOBODY, _fault("2020"))
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


def test_a_customer_who_is_so_already_is_not_written() -> None:
    """Every write would come back as a notice."""
    found = {"QueryResponse": {"Customer": [ADA]}}
    (kept,), play = _act("upsert_customer", [NAMES | {"phone": "(415) 555-0123"}], found)
    assert kept.customer_id == "58" and not kept.created and len(play.calls) == 1
    _, play = _act("upsert_customer", [NAMES | {"last_name": "Ng-Lee"}], found, {"Customer": ADA})
    assert _sent(play.calls[1]) == {"Id": "58", "SyncToken": "3", "sparse": True, "FamilyName": "Ng-Lee"}


def test_a_stale_record_is_read_again_once() -> None:
    """Somebody wrote in between; the second time it is told."""
    renamed, found = NAMES | {"last_name": "Ng-Lee"}, {"QueryResponse": {"Customer": [ADA]}}
    fresh = {"Customer": ADA | {"SyncToken": "9"}}
    (kept,), play = _act("upsert_customer", [renamed], found, _fault("5010", status=400), fresh, fresh)
    assert kept.customer_id == "58"
    assert _sent(play.calls[3]) == {"Id": "58", "SyncToken": "9", "sparse": True, "FamilyName": "Ng-Lee"}
    assert _asked(play.calls[1], "requestid") != _asked(play.calls[3], "requestid")
    (failure,), _ = _act("upsert_customer", [renamed], found, _fault("5010"), fresh, _fault("5010"))
    assert isinstance(failure, CallFailed)


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("", {"Points": "120"}, "Points: 120"),
        ("Prefers mornings", {"Points": "120", "Tier": "Gold"}, "Prefers mornings\nPoints: 120\nTier: Gold"),
        ("Points: 7\nPrefers mornings", {"Points": "120"}, "Points: 120\nPrefers mornings"),
        ("Points: 7\nPoints of sale: 2", {"Points": ""}, "Points of sale: 2"),
        ("Prefers mornings", {"Points": ""}, "Prefers mornings"),
        ("Tier: Gold", {"Tier": "Silver\nor more"}, "Tier: Silver or more"),
    ],
)
def test_only_the_hubs_own_lines_of_the_notes_are_written(before: str, lines: dict[str, str], after: str) -> None:
    """What staff write stays where it is."""
    found = {"QueryResponse": {"Customer": [ADA | {"Notes": before}]}}
    kept = {"BatchItemResponse": [{"bId": "58", "Customer": ADA}]}
    (noted,), play = _act("set_customer_notes", [{"customer": "58", "lines": lines}], found, kept)
    sent = _sent(play.calls[1])["BatchItemRequest"][0]["Customer"]["Notes"] if noted.changed else before
    assert sent == after


def test_one_customer_who_cannot_be_written_spoils_no_batch() -> None:
    """One is unknown, one's notes are full, one is refused, one is stale and written at the second try, one is fine."""
    rows = [ADA | {"Id": number, "Notes": "x" * 1995 if number == "2" else ""} for number in ("2", "3", "4", "5")]
    said = [{"customer": number, "lines": {"Points": "120"}} for number in ("1", "2", "3", "4", "5", "5")]
    told = {"BatchItemResponse": [
        {"bId": "3", "Fault": {"Error": [{"Message": "Business rule", "code": "6000"}], "type": "ValidationFault"}},
        {"bId": "4", "Fault": {"Error": [{"Message": "Stale", "code": "5010"}], "type": "ValidationFault"}},
        {"bId": "5", "Customer": ADA},
    ]}  # fmt: skip
    again = {"BatchItemResponse": [{"bId": "4", "Customer": ADA}]}
    found = [{"QueryResponse": {"Customer": some}} for some in (rows, rows[2:3])]
    outcomes, play = _act("set_customer_notes", said, found[0], told, found[1], again)
    assert [getattr(one, "changed", None) or str(one).split(":")[0] for one in outcomes] == [
        "QuickBooks knows no customer 1.",
        "The notes of customer 2 are full; shorten them in QuickBooks.",
        "QuickBooks did not keep the notes of customer 3",
        True,
        True,
        True,
    ]
    assert len(play.calls) == 4


# The mirror


def _seen(many: list[Mirrored], *replies: Any) -> tuple[list[Any], Play]:
    mirror, connection, play = quickbooks.connector.mirroring, _connection(), _play(replies)
    assert mirror is not None
    return mirror.look({Client: play.client(connection, repeat="safe"), Settings: connection.settings}, many), play


def test_customers_are_found_by_id_or_else_by_address() -> None:
    """In two questions for all of them; who is not there is left out, and what a note does not say is empty."""
    fields = {"Loyalty points": 120, "Until": date(2026, 12, 24)}
    asked = (
        Customer(id="58"),
        Customer(id="99", email="BEN@example.com"),
        Customer(email="cy@example.com"),
        Customer(phone="1"),
    )
    ben = {"Id": "60", "PrimaryEmailAddr": {"Address": "ben@example.com"}}
    known = {"QueryResponse": {"Customer": [ADA | {"Notes": "Loyalty points: 120\nAllergic: nuts"}]}}
    shown, play = _seen([Mirrored(one, fields) for one in asked], known, {"QueryResponse": {"Customer": [ben]}})
    assert shown == [
        Shown({"Loyalty points": "120", "Until": None}, "58"),
        Shown({"Loyalty points": None, "Until": None}, "60"),
        None,
        None,
    ]
    assert "in ('BEN@example.com', 'cy@example.com')" in _asked(play.calls[1])
    assert _seen([Mirrored(Customer(phone="1"), fields)])[0] == [None]


def test_what_the_mirror_writes_is_what_it_reads() -> None:
    """Also a day, and what is no more."""
    mirror = quickbooks.connector.mirroring
    assert mirror is not None
    one = Mirrored(Customer(id="58"), {"Points": 120, "Until": date(2026, 12, 24), "Tier": None})
    inputs = mirror.inputs({}, one)
    assert inputs is not None
    notes = quickbooks._with_lines("Tier: Gold", inputs.model_dump()["lines"])
    assert notes == "Points: 120\nUntil: 2026-12-24"
    assert quickbooks._shown(notes, one, "58").fields == {"Points": "120", "Until": "2026-12-24", "Tier": None}
