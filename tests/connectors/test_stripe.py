"""Stripe: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe as sdk

from connectors import stripe
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Fact, Item, Refund, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 22, tzinfo=UTC)
SECRET = "whsec_7Qd2example"
KEY = "rk_test_example-7Qd2"
BODY = json.dumps(stripe._notice("customer.created", stripe.CUSTOMER)).encode()


def _connection(base_url: str | None = None, **settings: Any) -> Connection:
    values = {"api_key": KEY, "webhook_secret": SECRET, **settings}
    return Connection("stripe", stripe.connector, stripe.connector.settings.read(values), base_url=base_url)


def _hash(message: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _request(header: str, body: bytes = BODY) -> Request:
    return Request("POST", "/hooks/stripe", "", {"stripe-signature": header}, body, NOW, "https://hub.example.com/hooks/stripe")


def _read(
    kind: str, thing: Mapping[str, Any], *replies: Any, before: Any = None, **said: Any
) -> tuple[list[Fact], list[Called]]:
    """The facts in an event when the platform answers so, and what it was asked."""
    beside = {name: said.pop(name) for name in ("account", "livemode", "id") if name in said}
    body = json.dumps(stripe._notice(kind, thing, before, **beside)).encode()
    return _facts(stripe.connector.items(_request("", body), _connection(**said))[0], *replies, **said)


def _facts(item: Item, *replies: Any, **said: Any) -> tuple[list[Fact], list[Called]]:
    connection, play = _connection(**said), Play(one_by_one([answers(200, reply) for reply in replies]))
    found: list[Fact] = []
    for trigger in stripe.connector.triggers_for(item):
        fetched = trigger.thin_for(connection)
        found += trigger.fetch(item, connection, play.client(connection)) if fetched else trigger.read(item, connection)
    return found, play.calls


def _paid(intent: Mapping[str, Any], *replies: Any, **said: Any) -> stripe.Payment:
    (fact,), _ = _read("payment_intent.succeeded", stripe.INTENT | {"id": intent["id"]}, intent, *replies, **said)
    assert isinstance(fact, stripe.Payment)
    return fact


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, connection: Connection | None = None) -> tuple[Any, Play]:
    """The result of an action (or how it failed) against these replies, and what was sent."""
    told = [answers(200, reply) if isinstance(reply, dict) else reply for reply in replies]
    action, play, connection = stripe.connector.actions[name], Play(one_by_one(told)), connection or _connection()
    client = play.client(connection, call_key="run_1/step_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("run_1/step_1")}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _form(called: Called) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(called.body.decode(), keep_blank_values=True).items()}


TIER = {"customer_id": "cus_Q1", "tier": "Gold"}
CREDIT = {"customer_id": "cus_Q1", "amount": "5.00", "currency": "USD"}


# Proof


def test_our_signature_is_stripes() -> None:
    """What the vendor's own library signs we take, and what we sign it takes."""
    stamp = int(NOW.timestamp())
    theirs = sdk.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, stamp)
    stripe.connector.verify(_request(theirs), _connection(), NOW)
    ours = stripe.connector.sign(_request(""), _connection(), NOW).headers["stripe-signature"]
    assert sdk.WebhookSignature.verify_header(BODY.decode(), ours, SECRET)


def test_one_good_signature_of_several_is_enough() -> None:
    """While a secret is rolled there are two; the test scheme v0 counts for nothing."""
    stamp = str(int(NOW.timestamp()))
    good = _hash(f"{stamp}.".encode() + BODY)
    stripe.connector.verify(_request(f"t={stamp},v1={'0' * 64},v1={good}"), _connection(), NOW)
    with pytest.raises(Refused):
        stripe.connector.verify(_request(f"t={stamp},v1={'0' * 64},v0={good}"), _connection(), NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_recorded_delivery_is_refused_after_five_minutes(seconds: int) -> None:
    """And one from the future too; the time is signed, so it cannot be written anew."""
    stamp = str(int(NOW.timestamp()) + seconds)
    with pytest.raises(Refused, match="300 seconds"):
        stripe.connector.verify(_request(f"t={stamp},v1={_hash(f'{stamp}.'.encode() + BODY)}"), _connection(), NOW)
    with pytest.raises(Refused, match="does not fit"):
        now = str(int(NOW.timestamp()))
        stripe.connector.verify(_request(f"t={now},v1={_hash(f'{stamp}.'.encode() + BODY)}"), _connection(), NOW)


def test_the_raw_bytes_are_signed() -> None:
    """The same JSON written in another way is another body."""
    stamp = str(int(NOW.timestamp()))
    genuine = _request(f"t={stamp},v1={_hash(f'{stamp}.'.encode() + BODY)}")
    with pytest.raises(Refused):
        stripe.connector.verify(replace(genuine, body=json.dumps(json.loads(BODY), indent=1).encode()), _connection(), NOW)


def test_a_thin_event_is_unreadable_and_says_so() -> None:
    """A destination of the wrong kind tells no data; it is kept, and a person sees why."""
    thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.charge.refunded", "created": "2026-02-06T21:27:34Z"}
    with pytest.raises(Unreadable, match=r"v1\.charge\.refunded"):
        stripe.connector.items(_request("", json.dumps(thin).encode()), _connection())


# Whose it is


@pytest.mark.parametrize(
    ("key", "livemode", "heard"), [(KEY, False, 1), (KEY, True, 0), ("sk_live_1", True, 1), ("rk_live_1", False, 0)]
)
def test_a_connection_hears_the_mode_of_its_key(key: str, livemode: bool, heard: int) -> None:
    """A platform's live endpoint is told of tests too; nobody earns by a test."""
    facts, _ = _read("customer.created", stripe.CUSTOMER, livemode=livemode, api_key=key)
    assert len(facts) == heard


@pytest.mark.parametrize(
    ("account", "ours", "heard"), [("acct_1", "acct_1", 1), ("acct_2", "acct_1", 0), ("acct_2", None, 0), (None, None, 1)]
)
def test_other_accounts_of_a_platform_are_not_ours(account: str | None, ours: str | None, heard: int) -> None:
    """Not even when the connection is for the platform itself."""
    settings = {"account_id": ours} if ours else {}
    facts, calls = _read("refund.created", stripe.REFUND, stripe.AT_TILL, account=account, **settings)
    assert (len(facts), len(calls)) == (heard, heard)


def test_calls_are_made_for_the_account() -> None:
    """Reading and writing, with the platform's key."""
    connection = _connection(account_id="acct_1")
    _, play = _act(
        "find_or_create_customer", {"email": "a@example.com"}, stripe._list(), stripe.CUSTOMER, connection=connection
    )
    assert [call.headers["stripe-account"] for call in play.calls] == ["acct_1", "acct_1"]
    _, play = _act("update_customer", TIER, stripe.CUSTOMER)
    assert "stripe-account" not in play.calls[0].headers


# One sale


@pytest.mark.parametrize(
    "kind", ["checkout.session.completed", "charge.succeeded", "charge.refunded", "invoice.payment_succeeded"]
)
def test_what_tells_of_the_same_money_is_not_read(kind: str) -> None:
    """One payment sets off several events; one of them is the sale."""
    assert stripe.connector.triggers_for(Item(kind, {})) == ()


def test_an_invoice_and_its_payment_are_one_sale() -> None:
    """Whichever is told first: one trigger, one key, and the same in every field."""
    by_payment = _paid(stripe.OF_INVOICE, stripe.INVOICE | stripe.PAID_BY)
    (by_invoice,), _ = _read("invoice.paid", stripe.INVOICE, stripe.INVOICE | stripe.PAID_BY)
    assert by_payment == by_invoice
    assert stripe.connector.triggers["payment_succeeded"].key_of(by_invoice) == "pi_3Sx2"


def test_a_payment_may_be_told_before_its_invoice_knows() -> None:
    """Then what the payment says is what was paid."""
    early = _paid(stripe.OF_INVOICE, stripe.INVOICE | {"status": "open", "amount_paid": 0, "payments": stripe._list()})
    assert (early.amount, early.payment_id, early.recurring) == (Decimal("15.00"), "pi_3Sx2", True)


def test_old_destinations_send_old_shapes() -> None:
    """Only the id is taken from the event; the rest is asked for in the version that we know, or named as it was before."""
    old = {"id": "pi_3Sx2", "object": "payment_intent", "status": "succeeded", "charges": {"data": [{"id": "ch_1"}]}}
    (sale,), calls = _read("payment_intent.succeeded", old, stripe.AT_TILL)
    assert isinstance(sale, stripe.Payment) and sale.channel == "pos"
    assert calls[0].headers["stripe-version"] == "2026-10-28.endive"
    before_basil = stripe.OF_INVOICE | {"payment_details": None, "invoice": "in_1Sx1"}
    assert _paid(before_basil, stripe.INVOICE | stripe.PAID_BY).invoice_id == "in_1Sx1"


def test_a_reference_of_the_shops_own_is_no_invoice() -> None:
    """Shops write their order numbers there."""
    own = stripe.FETCHED | {"payment_details": {"order_reference": "1042"}}
    assert _paid(own, stripe._list()).channel == "unknown"


def test_an_invoice_paid_in_parts_earns_in_parts() -> None:
    """Each payment its share of the goods; of a part nobody knows the lines."""

    def part(number: str, paid: int) -> dict[str, Any]:
        return {
            "status": "paid",
            "amount_paid": paid,
            "payment": {"payment_intent": number},
            "status_transitions": {"paid_at": stripe.AT},
        }

    several = stripe._list(part("pi_1", 535), part("pi_2", 1070), part("pi_3", 0) | {"status": "canceled"})
    facts, _ = _read("invoice.paid", stripe.INVOICE, stripe.INVOICE | {"payments": several})
    told = [(fact.payment_id, fact.amount, fact.tax, fact.lines) for fact in facts if isinstance(fact, stripe.Payment)]
    assert told == [("pi_1", Decimal("5.00"), None, ()), ("pi_2", Decimal("10.00"), None, ())]


def test_what_credit_paid_is_no_sale() -> None:
    """An invoice of nothing, such as a trial's, or one that the customer's credit has covered."""
    assert _read("invoice.paid", stripe.INVOICE, stripe.INVOICE | {"amount_paid": 0, "payments": stripe._list()})[0] == []


def test_an_invoice_that_was_settled_elsewhere_is_a_sale_of_its_own() -> None:
    """Cash or a transfer (out of band): no payment is known, so the invoice's id stands for it."""
    (sale,), _ = _read("invoice.paid", stripe.INVOICE, stripe.INVOICE | {"payments": stripe._list()})
    assert isinstance(sale, stripe.Payment) and (sale.payment_id, sale.amount) == ("in_1Sx1", Decimal("15.00"))


def test_a_guest_is_known_by_what_was_typed_in() -> None:
    """Without a customer there is the session's e-mail, the card's, or that of the receipt."""
    guest = stripe.FETCHED | {"customer": None}
    customer = _paid(guest, stripe._list(stripe.SESSION)).customer
    assert customer and (customer.id, customer.email) == (None, "ada@example.com")
    silent = guest | {"latest_charge": stripe.CHARGE | {"billing_details": {"email": None, "name": "", "phone": None}}}
    assert _paid(silent, stripe._list()).customer is None
    customer = _paid(silent | {"receipt_email": "bob@example.com"}, stripe._list()).customer
    assert customer and customer.email == "bob@example.com"


def test_a_customer_may_be_an_account() -> None:
    """Accounts v2 stand in `customer_account`."""
    customer = _paid(stripe.AT_TILL | {"customer": None, "customer_account": "acct_9"}).customer
    assert customer and customer.id == "acct_9"


def test_a_payment_that_was_captured_in_part_earns_in_part() -> None:
    """Half was taken, so half earns, and no line of it."""
    half = _paid(stripe.FETCHED | {"amount_received": 2710}, stripe._list(stripe.SESSION))
    assert (half.amount, half.total, half.tax, half.lines) == (Decimal("22.50"), Decimal("27.10"), None, ())


def test_a_session_in_another_currency_tells_the_buyer_alone() -> None:
    """Its amounts are not those that were paid."""
    sale = _paid(stripe.FETCHED, stripe._list(stripe.SESSION | {"currency": "eur", "amount_total": 5000}))
    assert (sale.amount, sale.currency, sale.tax) == (Decimal("54.20"), "USD", None)
    assert sale.customer and sale.customer.phone == "+14155551234"


def test_of_a_long_bill_no_lines_are_told_rather_than_some() -> None:
    """Stripe sends the first ten."""
    long = stripe.SESSION | {"line_items": {"data": stripe.SESSION["line_items"]["data"], "has_more": True}}
    assert _paid(stripe.FETCHED, stripe._list(long)).lines == ()


def test_new_words_of_the_platform_do_no_harm() -> None:
    """Methods, reasons and states are open lists."""
    strange = stripe.FETCHED | {"latest_charge": stripe.CHARGE | {"payment_method_details": {"type": "shells"}}}
    assert _paid(strange, stripe._list()).channel == "unknown"
    invoice = stripe.INVOICE | stripe.PAID_BY | {"billing_reason": "whim"}
    assert _paid(stripe.OF_INVOICE, invoice).billing_reason == "whim"
    assert _read("refund.updated", stripe.REFUND | {"status": "pondering"})[0] == []


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [("usd", 5000, "50.00"), ("jpy", 5000, "5000"), ("vnd", 5000, "5000"), ("kwd", 5120, "5.120"), ("isk", 500, "5"),
     ("ugx", 500, "5"), ("mga", 500, "500"), ("huf", 500, "5.00")],
)  # fmt: skip
def test_amounts_are_counted_as_stripe_counts(currency: str, minor: int, amount: str) -> None:
    """Some currencies have no decimals, some three; and of some Stripe has its own opinion. Both ways."""
    bare = {"amount": minor, "amount_received": minor, "currency": currency, "amount_details": {}}
    sale = _paid(stripe.AT_TILL | bare)
    assert (sale.amount, sale.currency) == (Decimal(amount), currency.upper())
    assert stripe._minor(Decimal(amount), currency.upper()) == minor


@pytest.mark.parametrize(("amount", "currency"), [("5.124", "KWD"), ("0.5", "JPY"), ("5.50", "UGX"), ("0.005", "USD")])
def test_amounts_that_cannot_be_paid_are_refused(amount: str, currency: str) -> None:
    """Nothing is rounded behind anybody's back."""
    with pytest.raises(ValueError, match="fewer decimal places"):
        stripe._minor(Decimal(amount), currency)


# What takes back


def test_parts_of_a_payment_come_back_one_by_one() -> None:
    """Each refund by its own id and amount, in its share of what earned: tax and shipping never did."""
    replies = stripe.FETCHED, stripe._list(stripe.SESSION)
    (first,), _ = _read("refund.created", stripe.REFUND | {"amount": 1084}, *replies)
    (rest,), _ = _read("refund.updated", stripe.REFUND | {"id": "re_2", "amount": 4336}, *replies)
    assert isinstance(first, Refund) and isinstance(rest, Refund)
    assert (first.amount, rest.amount) == (Decimal("9.00"), Decimal("36.00"))
    assert (first.refund_id, first.total) == ("re_3Sx1", Decimal("10.84"))


@pytest.mark.parametrize("status", ["pending", "requires_action", "failed", "canceled"])
def test_only_money_that_went_back_takes_points(status: str) -> None:
    """A bank transfer is pending for days; the update tells when it succeeded."""
    facts, _ = _read("refund.updated", stripe.REFUND | {"status": status}, stripe.AT_TILL)
    assert [fact.fact for fact in facts] == (["refund_failed"] if status == "failed" else [])


def test_a_refund_without_a_payment_intent_is_told_for_its_charge() -> None:
    """It belongs to a sale that was never told."""
    (refund,), calls = _read("refund.created", stripe.REFUND | {"payment_intent": None})
    assert isinstance(refund, Refund) and (refund.amount, calls) == (Decimal("27.10"), [])
    assert [(one.kind, one.id) for one in refund.references] == [("charge", "ch_3Sx1")]


@pytest.mark.parametrize("status", ["won", "warning_closed", "under_review", "prevented"])
def test_a_dispute_takes_points_when_it_is_lost_and_not_before(status: str) -> None:
    """So nothing has to come back when it is won."""
    assert _read("charge.dispute.closed", stripe.DISPUTE | {"status": status})[0] == []
    assert stripe.connector.triggers_for(Item("charge.dispute.created", {})) == ()


# Who they are


@pytest.mark.parametrize(
    ("before", "heard"),
    [
        ({"metadata": {"loyalty_points": None, "loyalty_tier": "Silver"}}, 0),
        ({"metadata": {"vip": "no"}}, 1),
        ({"metadata": {"loyalty_points": "1"}, "email": "b@example.com"}, 1),
        ({"metadata": {"loyalty_points": "1", "vip": None}}, 1),
    ],
)
def test_our_own_writes_come_back_and_are_not_heard(before: Mapping[str, Any], heard: int) -> None:
    """Else a recipe that writes on every change would never end."""
    assert len(_read("customer.updated", stripe.CUSTOMER, before=before)[0]) == heard


def test_metadata_that_mirrors_points_is_our_own_word_whatever_its_name() -> None:
    """A change of nothing else is not heard."""
    connection = replace(_connection(), mirror={"balance": "points"})
    trigger = stripe.connector.triggers["customer_changed"]
    for before, heard in (({"metadata": {"points": "36"}}, 0), ({"metadata": {"points": "36", "vip": "no"}}, 1)):
        told = stripe._notice("customer.updated", stripe.CUSTOMER, before)
        assert len(trigger.read(Item("customer.updated", stripe._told(told)), connection)) == heard


def test_each_change_of_a_customer_is_one_of_its_own() -> None:
    """Customers have no version: the event tells changes apart; told by a list or by events, a creation is one."""
    trigger = stripe.connector.triggers["customer_changed"]
    (first,), _ = _read("customer.updated", stripe.CUSTOMER, before={"email": "a@example.com"})
    (second,), _ = _read("customer.updated", stripe.CUSTOMER, before={"email": "a@example.com"}, id="evt_2")
    assert trigger.key_of(first) != trigger.key_of(second)
    (told,), _ = _read("customer.created", stripe.CUSTOMER)
    (listed,), _ = _facts(Item("customer.created", stripe.CUSTOMER, at=datetime.fromtimestamp(stripe.AT, UTC)))
    assert trigger.key_of(told) == trigger.key_of(listed) and told == listed


# Asking


def _pull(name: str, *replies: Any) -> tuple[list[Item], list[Called]]:
    play, connection = Play(one_by_one([answers(200, reply) for reply in replies])), _connection()
    return list(stripe.connector.pulls[name].items(connection, play.client(connection), NOW - timedelta(hours=2))), play.calls


def test_pages_come_newest_first_and_are_told_oldest_first() -> None:
    """The next page begins after the last id; the whole list is turned round."""

    def row(number: int) -> dict[str, Any]:
        return stripe.FETCHED | {"id": f"pi_{number}", "created": stripe.AT + number}

    items, calls = _pull(
        "payments_since", stripe._list(row(3), row(2)) | {"has_more": True}, stripe._list(row(1)), stripe._list()
    )
    assert [item.data["id"] for item in items] == ["pi_1", "pi_2", "pi_3"]
    assert parse_qs(urlsplit(calls[1].url).query)["starting_after"] == ["pi_2"]
    assert parse_qs(urlsplit(calls[0].url).query)["created[gte]"] == [str(int((NOW - timedelta(hours=2)).timestamp()))]


def test_a_payment_that_took_days_to_succeed_is_not_missed() -> None:
    """It was created before the moment asked for; its event tells. One that is in both is told once."""
    late = stripe._notice("payment_intent.succeeded", stripe.INTENT | {"id": "pi_late"})
    both = stripe._notice("payment_intent.succeeded", stripe.INTENT)
    items, _ = _pull("payments_since", stripe._list(stripe.FETCHED), stripe._list(late, both))
    assert [item.data["id"] for item in items] == ["pi_3Sx1", "pi_late"]


def test_payments_that_did_not_succeed_are_passed_over() -> None:
    """Lists hold the abandoned ones too; nothing is fetched for them."""
    assert _facts(Item("payment_intent.succeeded", stripe.FETCHED | {"status": "requires_payment_method"})) == ([], [])


def test_no_float_comes_out_of_a_list() -> None:
    """Percentages stand in invoices, and what is pulled is kept."""
    rate = b'{"object":"list","has_more":false,"data":[{"id":"cus_1","created":1770413254,"tax":{"percent":7.1}}]}'
    play, connection = Play(one_by_one([Answer(200, rate, "application/json"), answers(200, stripe._list())])), _connection()
    (item,) = stripe.connector.pulls["customers_since"].items(connection, play.client(connection), NOW)
    assert item.data["tax"]["percent"] == Decimal("7.1")


# What goes out


def test_the_library_is_imported_when_it_is_used_and_is_the_vendors() -> None:
    """A hub that only knows the connector does not pay for it; the name is shared with our module, and each is itself."""
    told = "import sys, connectors.stripe as ours; early = 'stripe' in sys.modules; import stripe; print(early, stripe is ours)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


def test_the_kit_shows_the_key_and_nothing_of_this_machine_goes_out() -> None:
    """Of the library's own headers none is kept, and it writes no id into the home folder."""
    _, play = _act("update_customer", TIER, stripe.CUSTOMER)
    headers = play.calls[0].headers
    assert headers["authorization"] == f"Bearer {KEY}" and headers["stripe-version"] == "2026-10-28.endive"
    assert not [name for name in headers if name.startswith("x-stripe")] and "bindings" not in headers["user-agent"].lower()
    assert sdk.enable_telemetry is False


def test_the_library_goes_where_the_connection_leads() -> None:
    """A stand-in plays Stripe."""
    _, play = _act("update_customer", TIER, stripe.CUSTOMER, connection=_connection("http://127.0.0.1:8099"))
    assert play.calls[0].url == "http://127.0.0.1:8099/v1/customers/cus_Q1"


def test_the_key_of_a_call_is_the_steps() -> None:
    """The same on every attempt, where the library would make up a new one; each call of a step has its own."""
    _, first = _act("create_coupon", {"percent_off": "10"}, answers(500), stripe.COUPON)
    _, later = _act("create_coupon", {"percent_off": "10"}, stripe.COUPON)
    keys = {call.headers["idempotency-key"] for call in (*first.calls, *later.calls)}
    assert len(first.calls) == 2 and len(keys) == 1
    _, other = _act("create_promotion_code", {"coupon_id": "gold10"}, stripe.PROMOTION)
    assert other.calls[0].headers["idempotency-key"] not in keys


def _no(status: int, kind: str, code: str = "", **headers: str) -> Answer:
    return answers(status, {"error": {"type": kind, "code": code, "message": "It cannot be done."}}, **headers)


@pytest.mark.parametrize(
    ("reply", "verdict", "calls"),
    [
        (_no(400, "idempotency_error"), "lasting", 1),
        (_no(402, "card_error", "card_declined", stripe_should_retry="false"), "lasting", 1),
        (_no(403, "invalid_request_error"), "reconnect", 1),
        (_no(404, "invalid_request_error", "resource_missing"), "lasting", 1),
        (_no(409, "idempotency_error", "idempotency_key_in_use"), "passing", 3),
        (_no(409, "invalid_request_error", stripe_should_retry="false"), "lasting", 1),
        (_no(429, "invalid_request_error", "rate_limit"), "passing", 3),
        (_no(500, "api_error"), "passing", 3),
        (_no(500, "api_error", stripe_should_retry="false"), "uncertain", 1),
        (_no(400, "invalid_request_error", "lock_timeout", stripe_should_retry="true"), "passing", 3),
    ],
)
def test_each_failure_ends_as_stripe_means_it(reply: Answer, verdict: str, calls: int) -> None:
    """And is told in its words; the library's own retries are out of the way."""
    failure, play = _act("create_coupon", {"percent_off": "10"}, reply, reply, reply, reply)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and "It cannot be done." in str(failure)
    assert len(play.calls) == calls


@pytest.mark.parametrize("lost", [b"", b"<html>", b"[1]", requests.ReadTimeout("lost")])
def test_an_answer_that_cannot_be_read_is_no_crash(lost: Any) -> None:
    """Whatever comes back ends in a verdict."""
    replies = [lost if isinstance(lost, Exception) else Answer(200, lost, "application/json")] * 3
    failure, _ = _act("create_coupon", {"percent_off": "10"}, *replies)
    assert isinstance(failure, CallFailed)


@pytest.mark.parametrize("number", ["../coupons/x", "..", "cus_1?expand[]=x", "{api_key}", "cus 1"])
def test_an_id_cannot_lead_elsewhere(number: str) -> None:
    """It is quoted, or refused; no secret gets into an address."""
    _, play = _act("update_customer", {"customer_id": number, "points": 1}, stripe.CUSTOMER)
    for call in play.calls:
        assert urlsplit(call.url).path.count("/") == 3 and not urlsplit(call.url).query and KEY not in call.url


@pytest.mark.parametrize("action", ["update_customer", "add_customer_credit", "deactivate_promotion_code"])
def test_an_empty_id_is_refused(action: str) -> None:
    """It would make a new customer in place of changing one."""
    given = {"update_customer": TIER, "add_customer_credit": CREDIT, "deactivate_promotion_code": {"promotion_code_id": "p"}}[
        action
    ]
    name = next(name for name in given if name.endswith("_id"))
    with pytest.raises(ValueError, match=name):
        stripe.connector.actions[action].inputs.model_validate(given | {name: ""})


def test_metadata_is_text_and_merged() -> None:
    """What is left out stays, an empty text erases, and with nothing to say nothing is called."""
    _, play = _act("update_customer", {"customer_id": "cus_Q1", "points": 0, "metadata": {"old": ""}}, stripe.CUSTOMER)
    assert _form(play.calls[0]) == {"metadata[loyalty_points]": "0", "metadata[old]": ""}
    failure, play = _act("update_customer", {"customer_id": "cus_Q1"})
    assert isinstance(failure, CallFailed) and play.calls == []


def test_credit_is_below_zero_at_stripe_and_given_once() -> None:
    """Idempotency keys are forgotten after a day; the mark in the metadata is not."""
    credit, play = _act("add_customer_credit", CREDIT, stripe._list(stripe.CREDITED | {"metadata": {}}), stripe.CREDITED)
    assert _form(play.calls[1])["amount"] == "-500" and credit.credit == Decimal("7.50")
    _, play = _act("add_customer_credit", CREDIT, stripe._list(stripe.CREDITED))
    assert [call.method for call in play.calls] == ["GET"]


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"percent_off": "5", "amount_off": "5", "currency": "USD"},
        {"amount_off": "5"},
        {"percent_off": "5", "currency": "USD"},
    ],
)
def test_a_coupon_takes_off_a_part_or_an_amount(inputs: Mapping[str, Any]) -> None:
    """One of them, and an amount with its currency; nothing is called otherwise."""
    failure, play = _act("create_coupon", inputs)
    assert isinstance(failure, CallFailed) and (failure.verdict, play.calls) == ("lasting", [])


TAKEN = _no(400, "invalid_request_error", "resource_already_exists")


def test_a_coupon_that_was_made_before_is_found() -> None:
    """Its id is made of the step's key, so a replay after days meets the same one."""
    coupon, play = _act("create_coupon", {"percent_off": "12.5"}, TAKEN, stripe.COUPON)
    assert coupon.coupon_id == _form(play.calls[0])["id"] == stripe.MARK
    assert _form(play.calls[0])["percent_off"] == "12.5"
    assert urlsplit(play.calls[1].url).path == f"/v1/coupons/{stripe.MARK}"


@pytest.mark.parametrize(("mark", "found"), [(stripe.MARK, True), ("another", False)])
def test_a_code_that_exists_is_ours_or_somebody_elses(mark: str, found: bool) -> None:
    """A replay finds its own; a code that another has is not given away twice."""
    there = stripe._list(stripe.PROMOTION | {"metadata": {"loyalty_call": mark}})
    taken = _no(400, "invalid_request_error")
    taken = replace(taken, body=taken.body.replace(b"It cannot be done.", b"An active promotion code `ADA-10` already exists."))
    for refusal in (TAKEN, taken):
        result, play = _act("create_promotion_code", {"coupon_id": "gold10", "code": "ADA-10"}, refusal, there)
        assert isinstance(result, stripe.Promotion if found else CallFailed)
        assert parse_qs(urlsplit(play.calls[1].url).query)["code"] == ["ADA-10"]


def test_another_refusal_of_a_code_is_told_as_it_is() -> None:
    """Nothing is looked for when the coupon does not exist."""
    failure, play = _act("create_promotion_code", {"coupon_id": "none"}, _no(404, "invalid_request_error", "resource_missing"))
    assert isinstance(failure, CallFailed) and len(play.calls) == 1
