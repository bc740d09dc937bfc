"""Shopify: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from pydantic import BaseModel

from connectors import shopify
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Customer, Fact, Item, Mirrored, Refund, Settings
from hub.sdk.auth import OAuth2
from hub.sdk.authorization import Authorization
from hub.sdk.mirror import Shown
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers
from hub.sdk.spending import Spent
from hub.sdk.tokens import HeldTokens

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/shop"
KEY = "run_1/step_1"


def _connection(**settings: Any) -> Connection:
    values = {"shop": "example.myshopify.com", "access_token": "shpat-7Qd2", "client_secret": "hush"}
    read = shopify.connector.settings.read(values | settings)
    return Connection("shop", shopify.connector, read, webhook_url=URL)


def _request(body: bytes, **headers: str) -> Request:
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request("POST", "/hooks/shop", "", named, body, NOW, URL)


def _item(topic: str, told: Mapping[str, Any]) -> Item:
    """What a delivery tells, taken through its bytes as the door does."""
    request = _request(json.dumps(told).encode(), x_shopify_topic=topic, x_shopify_shop_domain="example.myshopify.com")
    (item,) = shopify.connector.items(request, _connection())
    return item


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(item: Item, *replies: Any, **settings: Any) -> list[Any]:
    """All facts that the connector's triggers make of an item."""
    connection, play, facts = _connection(**settings), _play(*replies), list[Fact]()
    for trigger in shopify.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts


def _sale(order: Mapping[str, Any], topic: str = "orders/paid", **settings: Any) -> Any:
    (fact,) = _facts(_item(topic, order), **settings)
    return fact


def _refund(seen: Mapping[str, Any], **settings: Any) -> Any:
    (fact,) = _facts(_item("refunds/create", shopify.REFUND_TOLD), shopify._given("refund", seen), **settings)
    assert isinstance(fact, Refund)
    return fact


def _key(name: str, fact: Fact) -> str:
    return shopify.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = shopify.connector.actions[name], _connection(), _play(*replies)
    client = play.client(connection, call_key=KEY, repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey(KEY)}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)["variables"]


def _refused(field: str, code: str | None, message: str = "No.") -> dict[str, Any]:
    return {"data": {field: {"userErrors": [{"field": ["input"], "message": message, "code": code}]}}}


# Proof


def _signed(body: bytes, secret: str = "hush") -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("header", ["x_shopify_hmac_sha256", "shopify_hmac_sha256"])
def test_the_signature_covers_the_raw_body_in_either_header(header: str) -> None:
    """Base64 of HMAC-SHA256; the newer events webhooks name it anew. A letter more is another body."""
    body = b'{"id": 1, "note": "\xc3\xa9"}'
    shopify.connector.verify(_request(body, **{header: _signed(body)}), _connection(), NOW)
    with pytest.raises(Refused):
        shopify.connector.verify(_request(body + b" ", **{header: _signed(body)}), _connection(), NOW)


def test_the_secrets_of_the_app_and_of_the_shops_own_webhooks_both_hold() -> None:
    """And the old one for an hour while it is rotated."""
    for secret in ("app", "shop"):
        request = _request(b"{}", x_shopify_hmac_sha256=_signed(b"{}", secret))
        shopify.connector.verify(request, _connection(client_secret=["app", "shop"]), NOW)


def test_of_an_app_for_many_shops_only_ours_is_heard() -> None:
    """Their webhooks may all come to one address; what names no shop is ours."""
    request = _request(b'{"id": 1}', x_shopify_topic="orders/paid", x_shopify_shop_domain="another.myshopify.com")
    (item,) = shopify.connector.items(request, _connection())
    assert not shopify.connector.is_ours(item, _connection())
    assert shopify.connector.is_ours(_item("orders/paid", {}), _connection())


def test_the_newer_headers_name_topic_shop_and_event() -> None:
    """In the family `shopify-…`."""
    headers = {"shopify_topic": "orders/paid", "shopify_shop_domain": "example.myshopify.com", "shopify_event_id": "e-1"}
    (item,) = shopify.connector.items(_request(b"{}", **headers), _connection())
    assert (item.kind, item.account, item.id) == ("orders/paid", "example.myshopify.com", "e-1")


@pytest.mark.parametrize("shop", ["example", "https://example.myshopify.com", "example.myshopify.com.evil.example", "a.b"])
def test_a_shop_is_its_own_address_and_nothing_else(shop: str) -> None:
    """A token must not go elsewhere."""
    assert shopify.connector.settings.problems({"shop": shop})


# Access


def test_an_own_app_gets_its_tokens_by_itself() -> None:
    """By client credentials, for a day; the token goes into Shopify's own header."""
    connection = _connection(access_token=None, client_id="id-1", client_secret="cs-1")
    play = _play({"access_token": "shpat-new", "expires_in": 86399}, shopify._given("tagsAdd", shopify.DONE))
    tokens = HeldTokens(lambda: NOW)
    client = Client(connection, session=play.session(), monotonic=lambda: 0, sleep=play.slept.append, tokens=tokens)
    shopify.SHOP.ask(client, shopify.ADD_TAGS, id="1", tags=["a"])
    asked, call = play.calls
    assert asked.url == "https://example.myshopify.com/admin/oauth/access_token"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id-1"],
        "client_secret": ["cs-1"],
    }
    assert call.headers["x-shopify-access-token"] == "shpat-new" and "authorization" not in call.headers


def test_another_organisations_shop_is_asked_and_its_token_expires() -> None:
    """The address has the scopes; the code is changed for a token that ends, as new apps must."""
    connection = _connection(access_token=None, client_id="id-1", client_secret="cs-1", grant="authorization_code")
    way, asked = connection.auth, Authorization("https://points.example.com/oauth/callback")
    assert isinstance(way, OAuth2) and way.asks_a_person(connection)
    address = way.authorize_url(connection, asked)
    assert address.startswith("https://example.myshopify.com/admin/oauth/authorize?") and "write_discounts" in address
    play = _play({"access_token": "shpat-1", "expires_in": 3600, "refresh_token": "shprt-1"})
    token = play.client(connection).exchange("c0de", asked, NOW)
    assert parse_qs(play.calls[0].body.decode())["expiring"] == ["1"]
    assert token.refresh is not None and token.expires_at is not None


# Orders


def test_only_the_goods_earn() -> None:
    """74.60 paid, less tax, tip, shipping and a gift card of 20.00: 45.00 earn, after what was taken off the whole order."""
    sale = _sale(shopify.BOUGHT)
    assert (sale.amount, sale.total, sale.tax, sale.tip) == (Decimal(45), Decimal("74.6"), Decimal("3.6"), Decimal(2))
    assert [(line.sku, line.net) for line in sale.lines] == [("CUP-1", Decimal(45))]


def test_where_prices_include_tax_it_does_not_earn_either() -> None:
    """The subtotal has it within, and so has each line."""
    sale = _sale(shopify.BOUGHT | {"taxes_included": True, "total_price": "71.00"})
    assert (sale.amount, sale.lines[0].net) == (Decimal("41.40"), Decimal("41.40"))


def test_an_order_that_is_told_and_one_that_is_asked_for_are_the_same_fact() -> None:
    """Money with one place or two, addresses that stand deeper, times in other zones: a poll brings no news."""
    play = _play(
        shopify._page("orders", {"id": shopify.ORDER_GID, "status": "PAID"}), shopify._given("order", shopify.BOUGHT_SEEN)
    )
    connection = _connection()
    (item,) = shopify.connector.pulls["paid_orders"].items(connection, play.client(connection), NOW)
    (seen,), told = _facts(item), _sale(shopify.BOUGHT)
    assert seen.model_dump_json() == told.model_dump_json()
    assert item.at == _item("orders/paid", shopify.BOUGHT).at


def test_a_cart_and_its_updates_are_one_sale() -> None:
    """orders/paid and orders/updated tell of one order; it earns once."""
    paid, updated = _sale(shopify.BOUGHT), _sale(shopify.BOUGHT, "orders/updated")
    assert _key("order_paid", paid) == _key("order_paid", updated) == "5903124430871"


@pytest.mark.parametrize("status", ["pending", "authorized", "partially_paid", "voided", "expired", None])
def test_what_is_not_paid_earns_nothing(status: str | None) -> None:
    """An update tells of every state."""
    assert _facts(_item("orders/updated", shopify.BOUGHT | {"financial_status": status})) == []


def test_an_order_that_was_given_back_meanwhile_was_paid_all_the_same() -> None:
    """Its refunds take the points back; so what comes late adds up."""
    assert _sale(shopify.BOUGHT | {"financial_status": "refunded"}, "orders/updated").amount == Decimal(45)


def test_a_buyer_who_is_added_at_the_till_later_is_found() -> None:
    """First nobody, then a customer, in an update that is newer."""
    nobody = shopify.BOUGHT | {"customer": None, "email": None, "updated_at": "2026-02-06T16:27:30-05:00"}
    first, second = _item("orders/paid", nobody), _item("orders/updated", shopify.BOUGHT)
    (unclaimed,), (claimed,) = _facts(first), _facts(second)
    assert unclaimed.customer is None and claimed.customer.id == "207119551"
    assert first.at is not None and second.at is not None and first.at < second.at


def test_a_guest_is_known_by_the_address_on_the_order() -> None:
    """Where there is no customer, or one without an address."""
    assert _sale(shopify.BOUGHT | {"customer": None}).customer == Customer(email="ada@example.com")
    bare = shopify.BOUGHT | {"customer": {"id": 5, "email": None, "phone": ""}}
    assert _sale(bare).customer == Customer(id="5", email="ada@example.com")


@pytest.mark.parametrize(
    ("source", "channel"),
    [("pos", "pos"), ("web", "online"), ("shopify_draft_order", "unknown"), ("580111", "unknown"), (None, "unknown")],
)
def test_the_source_says_the_channel(source: str | None, channel: str) -> None:
    """The till and the online store are told apart."""
    sale = _sale(shopify.BOUGHT | {"source_name": source})
    assert (sale.channel, sale.source) == (channel, source or "")


def test_a_test_order_earns_nothing() -> None:
    """Nor is it cancelled."""
    assert _facts(_item("orders/paid", shopify.BOUGHT | {"test": True})) == []
    assert _facts(_item("orders/cancelled", shopify.CANCELLED | {"test": True})) == []


def test_beside_another_app_only_what_it_does_not_award_is_told() -> None:
    """Its channels are left out, with their refunds and cancellations; sign-ups are told, but not as new."""
    elsewhere = {"other_app_awards": ["pos", "sign_ups"]}
    assert _facts(_item("orders/paid", shopify.BOUGHT), **elsewhere) == []
    assert _facts(_item("orders/cancelled", shopify.CANCELLED), **elsewhere) == []
    refund = shopify._given("refund", shopify.REFUND_SEEN)
    assert _facts(_item("refunds/create", shopify.REFUND_TOLD), refund, **elsewhere) == []
    assert _sale(shopify.BOUGHT | {"source_name": "web"}, **elsewhere).amount == Decimal(45)
    (profile,) = _facts(_item("customers/create", shopify.NEW), **elsewhere)
    assert profile.customer.id == "207119551" and not profile.created


def test_an_order_with_more_lines_than_were_asked_for_tells_none_of_them() -> None:
    """Some would be taken for all."""
    many = shopify.BOUGHT_SEEN | {"line_items": {"nodes": [shopify.CUP_SEEN], "pageInfo": {"hasNextPage": True}}}
    (sale,) = _facts(Item("orders/updated", many))
    assert sale.lines == () and sale.amount == Decimal(65)


@pytest.mark.parametrize(
    "wrong", [{"subtotal_price": "-1"}, {"subtotal_price": "x"}, {"total_price": None}, {"currency": "usd"}]
)
def test_impossible_money_is_unreadable(wrong: Mapping[str, Any]) -> None:
    """Kept and shown, never counted."""
    with pytest.raises(Unreadable, match=next(iter(wrong))):
        _sale(shopify.BOUGHT | wrong)


def test_money_without_minor_units_keeps_its_size() -> None:
    """1850 yen are 1850 yen."""
    yen = {"currency": "JPY", "subtotal_price": "1850", "total_price": "1850", "line_items": []}
    assert _sale(shopify.BOUGHT | yen).amount == Decimal(1850)


# Cancellations and refunds


@pytest.mark.parametrize(
    ("status", "told"), [("paid", 1), ("partially_refunded", 1), ("refunded", 0), ("voided", 0), ("pending", 0)]
)
def test_a_cancelled_order_gives_back_what_it_earned(status: str, told: int) -> None:
    """What was never paid earned nothing; what was refunded is told by its refunds."""
    facts = _facts(_item("orders/cancelled", shopify.CANCELLED | {"financial_status": status}))
    assert [fact.whole for fact in facts] == [True] * told
    assert all((one.kind, one.id) == ("order", "5903124430871") for fact in facts for one in fact.references)


def test_a_refund_finds_its_order_and_its_buyer() -> None:
    """The webhook names neither the customer nor whether money went."""
    refund = _refund(shopify.REFUND_SEEN)
    assert (refund.amount, refund.total, refund.customer.id) == (Decimal("22.5"), Decimal("24.3"), "207119551")
    assert [(line.sku, line.net) for line in refund.lines] == [("CUP-1", Decimal("22.5"))]


@pytest.mark.parametrize("status", ["PENDING", "FAILURE", "ERROR"])
def test_money_that_did_not_go_back_is_no_refund(status: str) -> None:
    """Goods that come back for nothing, or a bank that has not paid yet: the poll looks again."""
    for moves in ([], [{"kind": "REFUND", "status": status, "amount": shopify._usd("24.3")}]):
        seen = shopify._given("refund", shopify.REFUND_SEEN | {"transactions": {"nodes": moves}})
        assert _facts(_item("refunds/create", shopify.REFUND_TOLD), seen) == []


def _back(amount: str, **more: Any) -> dict[str, Any]:
    money = {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amount": shopify._usd(amount)}]}
    return shopify.REFUND_SEEN | {"transactions": money} | more


def test_a_refund_without_lines_gives_back_its_share() -> None:
    """7.06 of the 70.60 that were not shipping: a tenth of the goods (which without lines hold the gift card too)."""
    assert _refund(_back("7.06", lines={"nodes": []})).amount == Decimal("6.50")


def test_a_refund_of_shipping_alone_takes_no_points() -> None:
    """It is told all the same."""
    shipping = {"nodes": [{"subtotal": shopify._usd("4.0"), "tax": shopify._usd("0.3")}]}
    refund = _refund(_back("4.3", lines={"nodes": []}, shipping=shipping))
    assert (refund.amount, refund.total) == (0, Decimal("4.3"))


def test_a_refund_takes_no_more_than_went_back() -> None:
    """A fee may be kept; then the lines do not say what is left, and are not told."""
    refund = _refund(_back("10.0"))
    assert (refund.amount, refund.lines) == (Decimal(10), ())


def test_a_gift_card_that_comes_back_takes_no_points() -> None:
    """As it gave none."""
    card = {"quantity": 1, "subtotal": shopify._usd("20.0"), "of": {"title": "Gift card", "isGiftCard": True}}
    assert _refund(_back("20.0", lines={"nodes": [card]})).amount == 0


def test_with_tax_in_the_prices_a_refund_gives_back_none_for_it() -> None:
    """As the sale earned none."""
    head = shopify.HEAD_SEEN | {"taxes_included": True}
    assert _refund(shopify.REFUND_SEEN | {"order": head}).amount == Decimal("20.70")


def test_a_refund_that_is_gone_is_none() -> None:
    """Shopify answers null."""
    assert _facts(_item("refunds/create", shopify.REFUND_TOLD), shopify._given("refund", None)) == []


# Customers


def test_a_customer_changed_when_what_is_read_is_new() -> None:
    """Order totals, notes and metafields change the record all the time, and the hub's own writing does too: no news."""
    (first,) = _facts(_item("customers/update", shopify.NEW))
    (again,) = _facts(_item("customers/update", shopify.NEW | {"note": "likes tea", "updated_at": "2026-02-07T00:00:00Z"}))
    (moved,) = _facts(_item("customers/update", shopify.NEW | {"email": "ada@new.example"}))
    (opened,) = _facts(_item("customers/update", shopify.NEW | {"state": "enabled"}))
    keys = [_key("customer_changed", fact) for fact in (first, again, moved, opened)]
    assert keys[0] == keys[1] and len(set(keys)) == 3


def test_a_customer_who_is_asked_for_is_the_one_that_was_told() -> None:
    """New since then, or changed: in both ways under one key."""
    connection = _connection()
    for since, topic in ((datetime(2026, 2, 6, tzinfo=UTC), "customers/create"), (NOW, "customers/update")):
        play = _play(shopify._page("customers", shopify.NEW_SEEN))
        (item,) = shopify.connector.pulls["changed_customers"].items(connection, play.client(connection), since)
        (seen,), (told,) = _facts(item), _facts(_item(topic, shopify.NEW))
        assert _key("customer_changed", seen) == _key("customer_changed", told)
        assert (seen.created, seen.customer) == (told.created, told.customer)


@pytest.mark.parametrize("status", ["failed", "in_progress", "requested"])
def test_customers_are_merged_when_it_is_done(status: str) -> None:
    """A merge that fails is told in the same words."""
    assert _facts(_item("customers/merge", shopify.MERGED | {"status": status})) == []


@pytest.mark.parametrize("state", ["not_subscribed", "pending", "invalid", "redacted", None])
def test_only_a_yes_and_a_no_are_words(state: str | None) -> None:
    """Who was never asked, or has not confirmed, has said nothing."""
    consent = {"state": state, "consent_updated_at": "2026-02-06T16:00:00-05:00"}
    assert _facts(_item(shopify.MAIL, shopify.SAID_YES | {"email_marketing_consent": consent})) == []
    assert _facts(_item(shopify.TEXTS, shopify.SAID_NO | {"phone": None})) == []


def test_consent_that_is_asked_for_is_known_again() -> None:
    """Each word under the address, the channel and the moment."""
    connection, play = _connection(), _play(shopify._page("customers", shopify.NEW_SEEN | {"phone": None}))
    items = list(shopify.connector.pulls["opt_ins"].items(connection, play.client(connection), NOW))
    (seen,) = [fact for item in items for fact in shopify.connector.triggers["subscribed"].read(item, connection)]
    (told,) = _facts(_item(shopify.MAIL, shopify.SAID_YES))
    assert _key("subscribed", seen) == _key("subscribed", told)


def test_only_missing_topics_are_registered_and_only_ours_are_taken_back() -> None:
    """Shopify deletes a subscription that failed eight times; asked by address, it names none of other programs."""
    connection, known = _connection(), sorted(shopify.TOPICS - {"ORDERS_PAID"})
    made = shopify._given("webhookSubscriptionCreate", shopify.DONE)
    rows = [{"id": f"gid://shopify/WebhookSubscription/{number}", "topic": topic} for number, topic in enumerate(known)]
    play = _play(shopify._page("webhookSubscriptions", *rows), made)
    assert shopify.connector.subscription is not None and shopify.connector.unsubscription is not None
    shopify.connector.subscription.call({Client: play.client(connection), Connection: connection})
    assert _sent(play.calls[0])["uri"] == URL
    assert _sent(play.calls[1]) == {"topic": "ORDERS_PAID", "webhookSubscription": {"uri": URL}} and len(play.calls) == 2
    gone = shopify._given("webhookSubscriptionDelete", shopify.DONE)
    play = _play(shopify._page("webhookSubscriptions", *rows[:2]), gone, gone)
    shopify.connector.unsubscription.call({Client: play.client(connection), Connection: connection})
    assert [_sent(call).get("id") for call in play.calls[1:]] == [row["id"] for row in rows[:2]]
    assert {"REFUNDS_CREATE", "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE"} <= shopify.TOPICS


# What goes out


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ({"errors": [{"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}]}, "reconnect"),
        ({"errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, "uncertain"),
        ({"errors": [{"message": "Field 'x' doesn't exist"}]}, "lasting"),
        (_refused("tagsAdd", None, "Customer does not exist"), "lasting"),
        (answers(402, {"errors": "Unavailable Shop"}), "reconnect"),
        (answers(403, {"errors": "Forbidden"}), "reconnect"),
        (answers(404, {"errors": "Not Found"}), "reconnect"),
        (answers(423, {"errors": "Locked"}), "reconnect"),
        (answers(401, {"errors": "[API] Invalid API key or access token"}), "reconnect"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Any, verdict: str) -> None:
    """Most of them come with 200."""
    (failure,), _ = _act("change_tags", [{"customer": "1", "add": ["a"]}], reply)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict


def test_a_throttled_call_waits_until_there_are_points_enough() -> None:
    """They are restored so many a second: (60 - 10) / 10."""
    status = {"maximumAvailable": 2000, "currentlyAvailable": 10, "restoreRate": 10.0}
    cost = {"requestedQueryCost": 60, "actualQueryCost": None, "throttleStatus": status}
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": {"cost": cost}}
    _, play = _act("change_tags", [{"customer": "1", "add": ["a"]}], throttled, shopify._given("tagsAdd", shopify.DONE))
    assert play.slept == [5.0] and len(play.calls) == 2
    (failure,), _ = _act("change_tags", [{"customer": "1", "add": ["a"]}], *[{**throttled, "extensions": {}}] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == "passing"


def test_one_wrong_value_does_not_fail_the_other_customers() -> None:
    """Shopify writes all or none of what goes as one; of one customer named twice the last word counts."""
    ok, bad = shopify._given("metafieldsSet", shopify.DONE), _refused("metafieldsSet", "INVALID_VALUE")
    many = [
        {"customer": "1", "fields": {"points": "120"}},
        {"customer": "2", "fields": {"points": "many"}},
        {"customer": "gid://shopify/Customer/1", "fields": {"points": "130", "shop.tier": "Gold"}},
    ]
    (one, two, three), play = _act("set_metafields", many, bad, ok, bad)
    assert one is None and three is None and isinstance(two, CallFailed) and "INVALID_VALUE" in str(two)
    assert _sent(play.calls[1])["metafields"] == [
        {"ownerId": "gid://shopify/Customer/1", "namespace": "loyalty", "key": "points", "value": "130"},
        {"ownerId": "gid://shopify/Customer/1", "namespace": "shop", "key": "tier", "value": "Gold"},
    ]


def test_no_more_goes_as_one_than_shopify_takes() -> None:
    """Twenty-five values: four customers with six each."""
    action = shopify.connector.actions["set_metafields"]
    assert action.batch * 6 <= 25
    with pytest.raises(ValueError, match="at most 6"):
        action.inputs.model_validate({"customer": "1", "fields": {str(number): "1" for number in range(7)}})


def test_a_member_is_found_by_id_or_address_and_shown_what_stands_there() -> None:
    """All in one call; who is not there is None, and what is not written shows nothing."""
    mirror, connection = shopify.connector.mirroring, _connection()
    assert mirror is not None
    ben = {"id": "9", "first_name": "Ben", "email": {"emailAddress": "Ben@example.com"}, "phone": None, "f0": None}
    play = _play(shopify._page("customers", shopify.ADA_SEEN | {"f0": {"value": "120"}}, ben))
    wanted = [
        Mirrored(Customer(id="207119551"), {"points": 120}),
        Mirrored(Customer(email="ben@Example.com"), {"points": 5}),
        Mirrored(Customer(email="cy@example.com"), {"points": 5}),
        Mirrored(Customer(phone="+14155550100"), {"points": 5}),
    ]
    seen = mirror.look({Client: play.client(connection)}, wanted)
    assert seen == [Shown({"points": "120"}, "207119551"), Shown({"points": None}, "9"), None, None]
    assert _sent(play.calls[0])["query"] == 'id:207119551 OR email:"ben@example.com" OR email:"cy@example.com"'
    assert 'f0: metafield(namespace: "loyalty", key: "points")' in json.loads(play.calls[0].body)["query"]


def test_nobody_who_can_be_found_is_not_asked_for() -> None:
    """An empty search would find everybody."""
    mirror, connection, play = shopify.connector.mirroring, _connection(), _play()
    assert mirror is not None
    assert mirror.look({Client: play.client(connection)}, [Mirrored(Customer(phone="+1"), {"points": 1})]) == [None]
    assert not play.calls


def test_making_a_customer_replaces_no_list() -> None:
    """Tags and postal addresses would be replaced by what is sent; what is not said is left out."""
    made = shopify._given("customerSet", {"customer": {"id": shopify.ADA_GID}, "userErrors": []})
    _, play = _act("upsert_customer", [{"email": "ada@example.com"}], made)
    assert _sent(play.calls[0]) == {"identifier": {"email": "ada@example.com"}, "input": {"email": "ada@example.com"}}


TAKEN = _refused("discountCodeBasicCreate", "TAKEN", "Code must be unique")


def test_a_code_whose_answer_was_lost_is_made_once() -> None:
    """It is made of the step, so the second attempt finds it taken, by this very step."""
    there = {"id": shopify.CODE_GID, "codeDiscount": {"title": "Loyalty reward 74G2FFJK75"}}
    lost = requests.ReadTimeout("lost")
    (code,), play = _act(
        "create_discount_code", [{"percent": 10}], lost, TAKEN, shopify._given("codeDiscountNodeByCode", there)
    )
    assert (code.id, code.code) == (shopify.CODE_GID, "74G2FFJK75")
    first, second = _sent(play.calls[0]), _sent(play.calls[1])
    assert first == second and first["basicCodeDiscount"]["context"] == {"all": "ALL"}


@pytest.mark.parametrize(
    "there",
    [None, {"id": "gid://shopify/DiscountCodeNode/9", "codeDiscount": {"title": "Summer"}}, {"id": "1", "codeDiscount": {}}],
)
def test_a_code_of_somebody_else_is_not_given_away(there: Any) -> None:
    """It is taken, and not by this step."""
    found = shopify._given("codeDiscountNodeByCode", there)
    (failure,), _ = _act("create_discount_code", [{"amount": "5.00", "code": "SUMMER"}], TAKEN, found)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "must be unique" in str(failure)


def test_a_code_takes_off_an_amount_or_per_cent_and_not_both() -> None:
    """Per cent go as a part of one, amounts as exact text; a product is named by its id."""
    made = shopify._given("discountCodeBasicCreate", shopify.MADE)
    _, play = _act("create_discount_code", [{"amount": "5.50", "products": ["77"]}], made)
    gets = _sent(play.calls[0])["basicCodeDiscount"]["customerGets"]
    assert gets["value"] == {"discountAmount": {"amount": "5.50", "appliesOnEachItem": False}}
    assert gets["items"] == {"products": {"productsToAdd": ["gid://shopify/Product/77"]}}
    for wrong in ({}, {"percent": 10, "amount": "5.00"}):
        (failure,), play = _act("create_discount_code", [wrong])
        assert isinstance(failure, CallFailed) and "`percent` or `amount`" in str(failure) and not play.calls


def _spent(name: str, given: dict[str, Any], gave: BaseModel) -> Spent | None:
    action = shopify.connector.actions[name]
    assert action.spends is not None
    return action.spends.of(action.inputs.model_validate(given), gave.model_dump(mode="json"))


def test_a_gift_card_whose_answer_was_lost_is_made_once() -> None:
    """Its code is made of the step and not shown again; the note tells which card it is, on whatever page."""
    taken = _refused("giftCardCreate", "TAKEN", "Code has already been taken")
    euros = {"initialValue": {"currencyCode": "EUR"}}
    others = shopify._page("giftCards", {"id": "gid://shopify/GiftCard/8", "note": "Birthday"}, cursor="c1")
    ours = shopify._page("giftCards", {"id": "gid://shopify/GiftCard/9", "note": "Loyalty reward 74G2FFJK75"} | euros)
    (card,), play = _act("create_gift_card", [{"amount": "10.00"}], answers(503), taken, others, ours)
    assert (card.id, card.code) == ("gid://shopify/GiftCard/9", "74G2FFJK75RV5QH2")
    assert _spent("create_gift_card", {"amount": "10.00"}, card) == (Decimal("10.00"), "EUR", "gid://shopify/GiftCard/9")
    assert _sent(play.calls[2])["query"] == "created_at:>='2026-01-30'"
    (failure,), _ = _act("create_gift_card", [{"amount": "10.00"}], taken, shopify._page("giftCards"))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting"


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_store_credit_is_not_given_twice(lost: Any) -> None:
    """Shopify takes no key for it; it is looked up instead."""
    (failure,), play = _act("add_store_credit", [shopify.FIVE], lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    assert _sent(play.calls[0])["creditInput"]["notify"] is False


@pytest.mark.parametrize(
    ("move", "found"),
    [
        ({}, True),
        ({"createdAt": "2026-02-06T21:20:00Z"}, False),
        ({"amount": {"amount": "5.01", "currencyCode": "USD"}}, False),
        ({"amount": {"amount": "5.0", "currencyCode": "CAD"}}, False),
        ({"amount": {"amount": "-5.0", "currencyCode": "USD"}}, False),
    ],
)
def test_a_credit_is_known_by_whose_when_and_how_much(move: Mapping[str, Any], found: bool) -> None:
    """What was there before, another sum, another currency, or what was spent is another."""
    action, connection = shopify.connector.actions["add_store_credit"], _connection()
    accounts = {"storeCreditAccounts": {"nodes": [{"transactions": {"nodes": [shopify.ADDED | move]}}]}}
    play = _play(shopify._given("customer", accounts))
    started = datetime(2026, 2, 6, 21, 27, 34, 500000, tzinfo=UTC)
    handed = {Client: play.client(connection), datetime: started}
    done = action.find_done(handed, action.inputs.model_validate(shopify.FIVE), KEY)
    assert (done is not None) is found
    assert done is None or _spent("add_store_credit", shopify.FIVE, done) == (Decimal("5.00"), "USD", shopify.ADDED["id"])


def test_the_version_of_the_api_is_a_setting() -> None:
    """Each lives a year."""
    connection, play = _connection(api_version="2027-01"), _play(shopify._given("tagsAdd", shopify.DONE))
    shopify.SHOP.ask(play.client(connection), shopify.ADD_TAGS, id="1", tags=["a"])
    assert play.calls[0].url == "https://example.myshopify.com/admin/api/2027-01/graphql.json"
