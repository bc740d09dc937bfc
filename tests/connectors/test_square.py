"""Square: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors import square
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Booking, CallKey, Client, Connection, CustomerChanged, Fact, Item, LoyaltyActivity, Refund, Sale, Settings
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 22, tzinfo=UTC)
URL = "https://points.example.com/hooks/square"


def _connection(base_url: str | None = None, **settings: Any) -> Connection:
    values = {"access_token": "EAAA-token", "webhook_signature_key": "sig-key", **settings}
    return Connection("square", square.connector, square.connector.settings.read(values), base_url=base_url, webhook_url=URL)


def _request(body: bytes, **headers: str) -> Request:
    named = {"content-type": "application/json", **headers}
    return Request("POST", "/hooks/square", "", named, body, NOW, URL)


def _item(kind: str, name: str, thing: Mapping[str, Any], **beside: Any) -> Item:
    """What a delivery tells, taken through its bytes as the door does."""
    body = json.dumps(square._notice(kind, name, thing, **beside)).encode()
    return square.connector.items(_request(body), _connection())[0]


def _facts(item: Item, *replies: Any, **settings: Any) -> list[Fact]:
    """All facts that the connector's triggers make of an item."""
    connection, facts = _connection(**settings), []
    play = Play(one_by_one([answers(200, reply) for reply in replies]))
    for trigger in square.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts


def _sale(payment: Mapping[str, Any], *replies: Any, **settings: Any) -> Sale:
    (fact,) = _facts(_item("payment.updated", "payment", payment), *replies, **settings)
    assert isinstance(fact, Sale)
    return fact


def _refund(refund: Mapping[str, Any], *replies: Any, **settings: Any) -> Refund:
    (fact,) = _facts(_item("refund.updated", "refund", refund), *replies, **settings)
    assert isinstance(fact, Refund)
    return fact


def _act(
    name: str, inputs: Mapping[str, Any], *replies: Answer | Exception, connection: Connection | None = None
) -> tuple[Any, Play]:
    """The result of an action (or how it failed) against these replies, and what was sent."""
    action, play, connection = square.connector.actions[name], Play(one_by_one(replies)), connection or _connection()
    client = play.client(connection, call_key="run_1/0", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("run_1/0")}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _sent(play: Play) -> list[dict[str, Any]]:
    return [json.loads(call.body) if call.body else {} for call in play.calls]


# Proof


def _signature(url: str, body: bytes, key: str = "sig-key") -> str:
    return base64.b64encode(hmac.new(key.encode(), url.encode() + body, hashlib.sha256).digest()).decode()


def test_the_signature_covers_the_configured_url_and_the_body() -> None:
    """Base64 of HMAC-SHA256 over the notification URL and the raw body, with the key as text."""
    body = b'{"merchant_id":"M1","type":"payment.updated"}'
    genuine = _request(body, **{"x-square-hmacsha256-signature": _signature(URL, body)})
    square.connector.verify(genuine, _connection(), NOW)
    assert square.connector.sign(_request(body), _connection(), NOW).headers == genuine.headers


@pytest.mark.parametrize("url", [URL + "/", "http://points.example.com/hooks/square", URL + "?a=1", ""])
def test_a_signature_over_another_url_is_refused(url: str) -> None:
    """A slash more, another scheme or a query is another URL, however the request reached us."""
    body = b"{}"
    with pytest.raises(Refused, match="webhook_signature_key"):
        square.connector.verify(_request(body, **{"x-square-hmacsha256-signature": _signature(url, body)}), _connection(), NOW)


def test_both_keys_hold_while_a_key_is_rotated() -> None:
    """Several subscriptions on one URL have a key each; every one of them is tried."""
    body = b"{}"
    connection = _connection(webhook_signature_key=["new-key", "old-key"])
    for key in ("new-key", "old-key"):
        square.connector.verify(
            _request(body, **{"x-square-hmacsha256-signature": _signature(URL, body, key)}), connection, NOW
        )


def test_without_a_key_every_webhook_is_refused() -> None:
    """A shop without a public address polls and has no key; then nobody can post to it either."""
    body = b"{}"
    with pytest.raises(Refused, match="webhook_signature_key"):
        request = _request(body, **{"x-square-hmacsha256-signature": _signature(URL, body, "")})
        square.connector.verify(request, _connection(webhook_signature_key=None), NOW)


def test_events_of_another_seller_are_not_ours() -> None:
    """One subscription serves every seller of the application; `merchant_id` says which is ours."""
    item = _item("payment.updated", "payment", square.PAYMENT)
    assert square.connector.is_ours(item, _connection(merchant_id="ML4QPKMGXY82H"))
    assert not square.connector.is_ours(item, _connection(merchant_id="ANOTHER"))
    assert square.connector.is_ours(item, _connection())


# Payments


@pytest.mark.parametrize("kind", ["payment.created", "payment.updated"])
def test_a_completed_payment_is_a_sale_in_either_event(kind: str) -> None:
    """Cash arrives COMPLETED in payment.created; a card in payment.updated."""
    (sale,) = _facts(_item(kind, "payment", square.PAYMENT))
    assert isinstance(sale, Sale)
    assert (sale.amount, sale.tip, sale.total) == (Decimal("18.50"), Decimal("1.50"), Decimal("20.00"))


@pytest.mark.parametrize("status", ["APPROVED", "PENDING", "CANCELED", "FAILED"])
def test_a_payment_in_another_state_is_no_sale(status: str) -> None:
    """Nothing is earned by what was not paid."""
    assert _facts(_item("payment.updated", "payment", square.PAYMENT | {"status": status})) == []


def test_a_buyer_who_is_known_later_is_a_revision_of_the_same_sale() -> None:
    """customer_id is filled in later, in an update that is newer than what was told first."""
    first = _item("payment.created", "payment", square.UNKNOWN | {"updated_at": "2026-02-06T21:27:31Z"})
    second = _item("payment.updated", "payment", square.PAYMENT)
    trigger = square.connector.triggers["payment_completed"]
    (unclaimed,), (claimed,) = _facts(first), _facts(second)
    assert trigger.key_of(unclaimed) == trigger.key_of(claimed) == square.PAYMENT_ID
    assert unclaimed.customer is None
    assert claimed.customer is not None and claimed.customer.id == square.CUSTOMER_ID
    assert first.at is not None and second.at is not None and first.at < second.at


def test_money_without_minor_units_keeps_its_size() -> None:
    """1850 yen are 1850 yen."""
    yen = {"amount": 1850, "currency": "JPY"}
    assert _sale(square.PAYMENT | {"amount_money": yen, "tip_money": None, "total_money": yen}).amount == Decimal(1850)


@pytest.mark.parametrize(
    "money",
    [
        *({"amount": amount, "currency": "USD"} for amount in (-1, 10**30, True, "1850", 18.5, None)),
        {"amount": 1850},
        {"amount": 1850, "currency": "dollars"},
        None,
    ],
)
def test_impossible_money_is_unreadable(money: Any) -> None:
    """Negative, beyond all measure, of the wrong type or incomplete: kept and shown, never counted."""
    with pytest.raises(Unreadable, match=r"amount|currency"):
        _facts(_item("payment.updated", "payment", square.PAYMENT | {"amount_money": money}))


def test_times_with_nine_digits_are_read() -> None:
    """RFC 3339 with up to nine fractional digits; microseconds are kept, in UTC."""
    sale = _sale(square.PAYMENT | {"created_at": "2026-02-06T16:27:30.792123456-05:00"})
    assert sale.occurred_at == datetime(2026, 2, 6, 21, 27, 30, 792123, tzinfo=UTC)


@pytest.mark.parametrize(
    ("product", "channel"),
    [("RETAIL", "pos"), ("ECOMMERCE_API", "online"), ("INVOICES", "invoice"), ("OTHER", "unknown"), (None, "unknown")],
)
def test_the_product_says_the_channel(product: str | None, channel: str) -> None:
    """An invoice's money comes as a payment, and is counted once, as that."""
    assert _sale(square.PAYMENT | {"application_details": {"square_product": product}}).channel == channel
    assert square.connector.triggers_for(Item("invoice.payment_made", {})) == ()


def test_without_lines_nothing_is_fetched() -> None:
    """The sale is read in the batch unless the connection asks for lines."""
    trigger = square.connector.triggers["payment_completed"]
    assert not trigger.thin_for(_connection())
    assert trigger.thin_for(_connection(lines=True))
    assert _facts(_item("payment.updated", "payment", {**square.PAYMENT, "order_id": None}), lines=True) != []


def test_with_lines_only_the_goods_earn() -> None:
    """20.00 paid, less 1.50 tip, 0.50 tax and a gift card of 10.00: 8.00 earn."""
    sale = _sale(square.PAYMENT, {"order": square.ORDER}, lines=True)
    assert (sale.amount, sale.tax, sale.discount, sale.total) == (Decimal(8), Decimal("0.5"), Decimal(1), Decimal(20))
    assert sum(line.net * 1 for line in sale.lines) == sale.amount


def test_a_service_charge_does_not_earn() -> None:
    """Delivery is a service charge at Square; it is told as shipping."""
    amounts = square.ORDER["net_amounts"] | {"service_charge_money": square._usd(200)}
    sale = _sale(square.PAYMENT, {"order": square.ORDER | {"net_amounts": amounts}}, lines=True)
    assert (sale.amount, sale.shipping) == (Decimal(6), Decimal(2))


def test_the_shares_of_a_split_bill_add_up() -> None:
    """Two payments of one order earn what the order earns, and neither claims the lines."""
    parts = [
        _sale(square.PAYMENT | {"amount_money": square._usd(cents)}, {"order": square.ORDER}, lines=True)
        for cents in (617, 1233)
    ]
    assert sum(part.amount for part in parts) == Decimal(8)
    assert all(part.lines == () and part.tax is None for part in parts)


def test_the_order_may_name_the_buyer() -> None:
    """Where the payment does not; the e-mail address of the receipt stays."""
    sale = _sale(square.UNKNOWN | {"buyer_email_address": "ada@example.com"}, {"order": square.ORDER}, lines=True)
    assert sale.customer is not None
    assert (sale.customer.id, sale.customer.email) == (square.CUSTOMER_ID, "ada@example.com")


# Refunds


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "FAILED", None])
def test_a_refund_counts_when_it_is_completed(status: str | None) -> None:
    """It may yet be rejected."""
    assert _facts(_item("refund.created", "refund", square.REFUND | {"status": status})) == []


def test_the_order_of_a_refund_is_not_the_order_of_the_sale() -> None:
    """order_id of a refund is the return; the sale's is known only when the return was fetched."""
    assert _refund(square.REFUND).order_id is None
    refund = _refund(square.REFUND, {"order": square.RETURN}, lines=True)
    assert refund.order_id == square.ORDER_ID
    assert [(one.kind, one.id) for one in refund.references] == [("payment", square.PAYMENT_ID), ("order", square.ORDER_ID)]


def test_a_refund_gives_back_no_points_for_tax() -> None:
    """As the sale earned none for it."""
    refund = _refund(square.REFUND, {"order": square.RETURN}, lines=True)
    assert (refund.amount, refund.total) == (Decimal("4.75"), Decimal(5))


def test_a_refund_without_an_itemised_return_is_its_whole_amount() -> None:
    """Where Square does not say what was returned, nothing is guessed."""
    assert _refund(square.REFUND, {"order": {"location_id": "L1"}}, lines=True).amount == Decimal(5)


def test_an_unlinked_refund_points_at_nothing() -> None:
    """It names no payment, so it cannot take a sale's points."""
    refund = _refund({name: value for name, value in square.REFUND.items() if name != "payment_id"} | {"unlinked": True})
    assert refund.references == () and refund.payment_id is None


# Bookings


@pytest.mark.parametrize(
    ("told", "status", "by"),
    [
        ("PENDING", "requested", ""),
        ("ACCEPTED", "booked", ""),
        ("DECLINED", "declined", ""),
        ("CANCELLED_BY_CUSTOMER", "cancelled", "customer"),
        ("CANCELLED_BY_SELLER", "cancelled", "business"),
        ("NO_SHOW", "no_show", ""),
    ],
)
def test_every_status_of_a_booking_has_a_word(told: str, status: str, by: str) -> None:
    """All six that Square has."""
    (booking,) = _facts(_item("booking.updated", "booking", square.BOOKING | {"status": told}))
    assert isinstance(booking, Booking)
    assert (booking.status, booking.cancelled_by) == (status, by)


def test_a_booking_at_a_new_time_is_the_same_booking() -> None:
    """The key is the booking and its status: moving it earns nothing again, cancelling it is a fact of its own."""
    key_of = square.connector.triggers["booking_changed"].key_of
    booked = square.BOOKING | {"status": "ACCEPTED"}
    changes = [booked, booked | {"start_at": "2026-02-11T09:00:00Z", "version": 2}, square.BOOKING]
    first, moved, cancelled = [key_of(_facts(_item("booking.updated", "booking", one))[0]) for one in changes]
    assert first == moved != cancelled


# Customers


def test_a_merge_is_told_once_and_deletes_nobody() -> None:
    """The record that went and the record that came both tell the merge; neither is a goodbye or a welcome."""
    gone = _item("customer.deleted", "customer", square.CUSTOMER | {"id": "OLD1"}, event_context=square.MERGE)
    made = _item("customer.created", "customer", square.CUSTOMER, event_context=square.MERGE)
    (merge,) = _facts(gone)
    changed, again = _facts(made)
    key_of = square.connector.triggers["customers_merged"].key_of
    assert key_of(merge) == key_of(again)
    assert isinstance(changed, CustomerChanged) and not changed.created and not changed.deleted


def test_a_deletion_without_the_object_is_read() -> None:
    """Square may send the id alone."""
    notice = square._notice("customer.deleted", "customer", square.CUSTOMER)
    notice["data"] = {"type": "customer", "id": "GONE", "deleted": True}
    (item,) = square.connector.items(_request(json.dumps(notice).encode()), _connection())
    (fact,) = _facts(item)
    assert isinstance(fact, CustomerChanged) and fact.deleted and fact.customer is not None and fact.customer.id == "GONE"


def test_each_version_of_a_customer_is_a_fact() -> None:
    """And the same version, told by webhook and by poll, is one."""
    key_of = square.connector.triggers["customer_changed"].key_of
    keys = [key_of(_facts(_item("customer.updated", "customer", square.CUSTOMER | {"version": n}))[0]) for n in (1, 2, 2)]
    assert keys[0] != keys[1] == keys[2]


@pytest.mark.parametrize(
    ("told", "read"), [("0000-02-29", "0004-02-29"), ("1990-05-30", "1990-05-30"), (None, None), ("", None)]
)
def test_a_birthday_may_lack_its_year(told: str | None, read: str | None) -> None:
    """Square writes 0000 for it."""
    (fact,) = _facts(_item("customer.updated", "customer", square.CUSTOMER | {"birthday": told}))
    assert fact.customer is not None
    assert (fact.customer.birthday and fact.customer.birthday.isoformat()) == read


def test_an_unsubscribed_customer_wants_no_mail() -> None:
    """A no is taken over; the lack of a no is no yes."""
    for told, consents in ((True, {"email": False}), (False, {}), (None, {})):
        (fact,) = _facts(_item("customer.updated", "customer", square.CUSTOMER | {"preferences": {"email_unsubscribed": told}}))
        assert fact.customer is not None and fact.customer.consents == consents


# The till's loyalty programme


@pytest.mark.parametrize(
    ("kind", "detail", "activity", "points"),
    [
        ("ACCUMULATE_POINTS", {"points": 18, "order_id": "o1"}, "earned", 18),
        ("ACCUMULATE_PROMOTION_POINTS", {"points": 5, "order_id": "o1"}, "earned", 5),
        ("CREATE_REWARD", {"points": -10}, "redeemed", -10),
        ("CREATE_REWARD", {"points": 10}, "redeemed", -10),
        ("REDEEM_REWARD", {"order_id": "o1"}, "other", 0),
        ("DELETE_REWARD", {"points": 10}, "adjusted", 10),
        ("ADJUST_POINTS", {"points": -3}, "adjusted", -3),
        ("EXPIRE_POINTS", {"points": 7}, "expired", -7),
    ],
)
def test_every_loyalty_event_moves_points_once(kind: str, detail: Mapping[str, Any], activity: str, points: int) -> None:
    """Points go when a reward is made, so its redemption moves none."""
    event = {name: value for name, value in square.EARNED.items() if name != "accumulate_points"} | {
        "type": kind,
        kind.lower(): detail,
    }
    (fact,) = _facts(
        _item("loyalty.event.created", "loyalty_event", event), {"loyalty_account": square.ACCOUNT}, till_loyalty=True
    )
    assert isinstance(fact, LoyaltyActivity)
    assert (fact.kind, fact.points, fact.order_id) == (activity, points, detail.get("order_id"))


def test_what_was_done_by_api_is_ours() -> None:
    """What the hub wrote itself comes back, and must not be taken for the till's."""
    for source, ours in (("LOYALTY_API", True), ("SQUARE", False)):
        item = _item("loyalty.event.created", "loyalty_event", square.EARNED | {"source": source})
        (fact,) = _facts(item, {"loyalty_account": square.ACCOUNT}, till_loyalty=True)
        assert isinstance(fact, LoyaltyActivity) and fact.ours is ours


def test_without_till_loyalty_nothing_of_it_is_read_or_asked() -> None:
    """The hub alone keeps the books."""
    assert _facts(_item("loyalty.event.created", "loyalty_event", square.EARNED)) == []
    play = Play(one_by_one([]))
    connection = _connection()
    assert list(square.connector.pulls["loyalty_events_since"].items(connection, play.client(connection), NOW)) == []


def test_points_that_the_till_gave_are_not_given_again() -> None:
    """accumulate_points asks for the order first, and sends nothing when the till was faster."""
    inputs = {"account_id": "A1", "location_id": "L1", "order_id": square.ORDER_ID, "points": 20}
    result, play = _act("accumulate_points", inputs, answers(200, {"events": [square.EARNED]}))
    assert (result.outcome, result.points, len(play.calls)) == ("already_given", 18, 1)


def test_points_that_the_hub_gave_do_not_stop_a_second_attempt() -> None:
    """After a lost answer our own event is there; the same key makes the repetition harmless."""
    ours = square.EARNED | {"source": "LOYALTY_API"}
    inputs = {"account_id": "A1", "location_id": "L1", "order_id": square.ORDER_ID, "points": 18}
    result, play = _act("accumulate_points", inputs, answers(200, {"events": [ours]}), answers(200, {"events": [ours]}))
    assert (result.outcome, result.points, len(play.calls)) == ("done", 18, 2)


def test_points_for_nothing_are_refused() -> None:
    """Neither an order nor a number: nothing is sent."""
    result, play = _act("accumulate_points", {"account_id": "A1", "location_id": "L1"})
    assert isinstance(result, CallFailed) and result.verdict == "lasting" and play.calls == []


def test_a_known_phone_number_is_not_enrolled_again() -> None:
    """An account that exists is found, and nothing is made."""
    result, play = _act("enrol_member", {"phone": "+14155551234"}, answers(200, {"loyalty_accounts": [square.ACCOUNT]}))
    assert (result.account_id, result.balance, len(play.calls)) == (square.ACCOUNT_ID, 18, 1)


# Calls


def test_keys_go_into_the_body_of_what_is_made_and_nowhere_else() -> None:
    """Square wants them there; a search, a change of a customer and a link take none."""
    made, play = _act(
        "create_gift_card",
        {"location_id": "L1", "amount": "10.00", "currency": "USD", "customer_id": "C1"},
        *(answers(200, body) for body in ({"gift_card": square.CARD}, {"gift_card_activity": square.ACTIVITY}, {})),
    )
    card, activity, link = _sent(play)
    assert card["idempotency_key"] != activity["idempotency_key"]
    assert len(card["idempotency_key"]) <= 45 and link == {"customer_id": "C1"}
    assert made.balance == Decimal(10)
    _, play = _act(
        "upsert_customer", {"email": "a@example.com"}, answers(200, {"customers": [square.CUSTOMER]}), answers(200, {})
    )
    assert [("idempotency_key" in body) for body in _sent(play)] == [False, False]


def test_the_key_is_the_same_on_every_attempt() -> None:
    """A repetition after a lost answer is the same request to Square."""
    replies = [answers(503), answers(200, {"event": square.ADJUSTED})]
    _, play = _act("adjust_points", {"account_id": "A1", "points": -5}, *replies)
    first, second = _sent(play)
    assert first == second and first["idempotency_key"]


def test_a_customer_is_found_by_phone_when_not_by_email() -> None:
    """Then the record gets the new e-mail address instead of a twin."""
    replies = [{}, {"customers": [square.CUSTOMER]}, {"customer": square.CUSTOMER}]
    result, play = _act(
        "upsert_customer", {"email": "new@example.com", "phone": "+14155551234"}, *(answers(200, one) for one in replies)
    )
    assert [call.method for call in play.calls] == ["POST", "POST", "PUT"]
    assert not result.created and _sent(play)[2] == {"email_address": "new@example.com", "phone_number": "+14155551234"}


@pytest.mark.parametrize(("value", "sent"), [("Gold", "Gold"), (7, "7"), (Decimal("7.50"), "7.50"), (True, True)])
def test_numbers_of_custom_attributes_are_text(value: Any, sent: Any) -> None:
    """As Square keeps them; true and false stay."""
    _, play = _act("set_custom_attribute", {"customer_id": "C1", "attribute": "tier", "value": value}, answers(200, {}))
    assert _sent(play)[0]["custom_attribute"] == {"value": sent}


def test_an_amount_that_the_currency_does_not_have_is_not_sent() -> None:
    """Half a cent is no gift."""
    result, play = _act("load_gift_card", {"gift_card_id": "G1", "location_id": "L1", "amount": "1.005", "currency": "USD"})
    assert isinstance(result, CallFailed) and result.verdict == "lasting" and play.calls == []


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (401, "UNAUTHORIZED", "reconnect"),
        (401, "ACCESS_TOKEN_EXPIRED", "reconnect"),
        (401, "ACCESS_TOKEN_REVOKED", "reconnect"),
        (403, "FORBIDDEN", "reconnect"),
        (403, "INSUFFICIENT_SCOPES", "reconnect"),
        (403, "MERCHANT_SUBSCRIPTION_NOT_FOUND", "lasting"),
        (400, "IDEMPOTENCY_KEY_REUSED", "lasting"),
        (404, "NOT_FOUND", "lasting"),
        (409, "CONFLICT", "passing"),
        (429, "RATE_LIMITED", "passing"),
        (500, "INTERNAL_SERVER_ERROR", "passing"),
    ],
)
def test_each_error_has_its_verdict(status: int, code: str, verdict: str) -> None:
    """And says what Square said."""
    refused = answers(status, {"errors": [{"category": "API_ERROR", "code": code, "detail": "No such luck."}]})
    failure, _ = _act("adjust_points", {"account_id": "A1", "points": 5}, refused, refused, refused)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict
    assert "No such luck." in str(failure)


def test_every_call_names_the_version_and_may_go_to_the_sandbox() -> None:
    """Without the header the application's own default would hold."""
    connection = _connection("https://connect.squareupsandbox.com", square_version="2026-01-22")
    _, play = _act(
        "adjust_points", {"account_id": "A1", "points": 5}, answers(200, {"event": square.ADJUSTED}), connection=connection
    )
    (call,) = play.calls
    assert call.url.startswith("https://connect.squareupsandbox.com/v2/loyalty/")
    assert (call.headers["square-version"], call.headers["authorization"]) == ("2026-01-22", "Bearer EAAA-token")


# Pulls


def test_payments_are_pulled_from_every_location_by_their_change() -> None:
    """Without a location Square lists the main one alone; by date of change, for offline sales come late with an old date."""
    pages = [{"locations": [{"id": "L1"}, {"id": "L2"}]}, {}, {"payments": [square.PAYMENT]}]
    play, connection = Play(one_by_one([answers(200, page) for page in pages])), _connection()
    items = list(square.connector.pulls["payments_since"].items(connection, play.client(connection), NOW))
    asked = [call.url.partition("?")[2] for call in play.calls[1:]]
    assert "location_id=L1" in asked[0] and "location_id=L2" in asked[1]
    assert all("updated_at_begin_time=2026-02-06T22%3A00%3A00Z" in query and "begin_time=" in query for query in asked)
    told = _item("payment.updated", "payment", square.PAYMENT)
    assert [(replace(item, id=None).at, _facts(item)) for item in items] == [(told.at, _facts(told))]


def test_a_pulled_customer_is_new_only_since_then() -> None:
    """A backfill welcomes nobody who has been there for years."""
    old = square.CUSTOMER | {"id": "OLD", "created_at": "2020-01-01T00:00:00Z", "updated_at": "2026-02-06T23:00:00Z"}
    new = square.CUSTOMER | {"created_at": "2026-02-06T22:30:00Z"}
    play, connection = Play(one_by_one([answers(200, {"customers": [old, new]})])), _connection()
    items = square.connector.pulls["customers_since"].items(connection, play.client(connection), NOW)
    assert [fact.created for item in items for fact in _facts(item) if isinstance(fact, CustomerChanged)] == [False, True]


def test_an_attribute_without_a_value_is_taken_away() -> None:
    """Square keeps no empty text; one that is not there is not there already."""
    given = {"customer_id": square.CUSTOMER_ID, "attributes": {"square:1": "", "square:2": ""}}
    there = answers(200, {"custom_attribute": {"key": "square:1", "value": "Gold"}})
    _, play = _act("set_custom_attributes", given, there, answers(200, {}), answers(404, {}))
    assert [call.method for call in play.calls] == ["GET", "DELETE", "GET"]
