"""WooCommerce: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import woocommerce as woo
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Customer, Fact, Item, Mirrored, Refund, Settings
from hub.sdk.mirror import Shown
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/shop"
SECRET = "hush7Qd2"
KEY = "run_1/step_1"


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    values = {"store_url": "https://shop.example.com", "consumer_key": "ck_7Qd2", "consumer_secret": "cs_7Qd2"}
    read = woo.connector.settings.read(values | {"webhook_secret": SECRET} | settings)
    return Connection("shop", woo.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: bytes, kind: str = "application/json", **headers: str) -> Request:
    named = {"content-type": kind, **{f"x-wc-webhook-{name.replace('_', '-')}": value for name, value in headers.items()}}
    return Request("POST", "/hooks/shop", "", named, body, NOW, URL)


def _items(topic: str, told: Mapping[str, Any]) -> list[Item]:
    """What a delivery tells, taken through its bytes as the door does."""
    return woo.connector.items(_request(json.dumps(told).encode(), topic=topic), _connection())


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(items: list[Item], *replies: Any, **settings: Any) -> list[Any]:
    """All facts that the connector's triggers make of these items."""
    connection, play, facts = _connection(**settings), _play(*replies), list[Fact]()
    for item in items:
        for trigger in woo.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts


def _order(order: Mapping[str, Any], *replies: Any, topic: str = "order.updated", **settings: Any) -> list[Any]:
    return _facts(_items(topic, order), *replies, **settings)


def _refund(row: Mapping[str, Any], order: Mapping[str, Any] | None = None, **settings: Any) -> Any:
    (refund,) = [one for one in _order(order or woo.GIVEN_BACK, [row], **settings) if isinstance(one, Refund)]
    return refund


def _key(name: str, fact: Fact) -> str:
    return woo.connector.triggers[name].key_of(fact)


def _pulled(name: str, *replies: Any, connection: Connection | None = None) -> tuple[list[Item], Play]:
    play, connection = _play(*replies), connection or _connection()
    return list(woo.connector.pulls[name].items(connection, play.client(connection), NOW)), play


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = woo.connector.actions[name], _connection(**settings), _play(*replies)
    client = play.client(connection, call_key=KEY, repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey(KEY)}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _asked(called: Called) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(called.url).query).items()}


# Proof


def test_the_signature_covers_the_raw_body() -> None:
    """Base64 of HMAC-SHA256; PHP escapes slashes and letters, so what is written anew is another body."""
    body = rb'{"id":1,"url":"https:\/\/shop.example.com","name":"\u00e9"}'
    signed = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    woo.connector.verify(_request(body, signature=signed), _connection(), NOW)
    with pytest.raises(Refused):
        woo.connector.verify(_request(body.replace(rb"\/", b"/"), signature=signed), _connection(), NOW)


def test_the_ping_of_a_new_webhook_is_answered_200() -> None:
    """A form that nobody signed; the shop takes any other answer for an error."""
    form = "application/x-www-form-urlencoded"
    answer = woo.connector.shake(_request(b"webhook_id=12", form), _connection())
    assert answer is not None and answer.status == 200
    for other in (
        _request(b"webhook_id=12", form, signature="x"),
        _request(b"webhook_id=12&order=1", form),
        _request(b"webhook_id=x", form),
        _request(b'{"webhook_id": 12}'),
    ):
        assert woo.connector.shake(other, _connection()) is None


def test_a_delivery_without_a_topic_is_explained() -> None:
    """It is kept, and a person sees why."""
    with pytest.raises(Unreadable, match="X-WC-Webhook-Topic"):
        woo.connector.items(_request(b'{"id": 1}'), _connection())


# Access


def test_a_shop_is_called_by_https_at_its_own_address() -> None:
    """Its keys go over the line as they are; a shop may lie in a folder."""
    for wrong in ("http://shop.example.com", "shop.example.com", "https://shop.example.com?x=1"):
        assert woo.connector.settings.problems({"store_url": wrong, "consumer_key": "k", "consumer_secret": "s"})
    connection, play = _connection(store_url="https://example.com/shop/"), _play([])
    play.client(connection).get(f"{woo.V3}/orders")
    assert play.calls[0].url == "https://example.com/shop/wp-json/wc/v3/orders"


def test_the_keys_may_stand_in_the_address() -> None:
    """Some servers drop the header that they stand in otherwise; no message shows them."""
    _, play = _act("delete_coupon", [{"coupon": "9"}], woo.COUPON)
    assert play.calls[0].headers["authorization"] == "Basic " + base64.b64encode(b"ck_7Qd2:cs_7Qd2").decode()
    (failure,), play = _act("delete_coupon", [{"coupon": "9"}], answers(401, {"message": "no"}), keys_in_address=True)
    assert "authorization" not in play.calls[0].headers
    assert _asked(play.calls[0]) == {"force": "true", "consumer_key": "ck_7Qd2", "consumer_secret": "cs_7Qd2"}
    assert isinstance(failure, CallFailed) and "7Qd2" not in str(failure)


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (answers(401, {"code": "woocommerce_rest_cannot_edit", "message": "Sorry"}), "reconnect", "Sorry"),
        (answers(403, {"code": "woocommerce_rest_cannot_edit", "message": "Sorry"}), "reconnect", "Sorry"),
        (answers(403, b"<html>Access denied by firewall</html>"), "passing", "403"),
        (answers(503, b"<html>Briefly unavailable for maintenance</html>"), "passing", "503"),
        (answers(404, {"code": "rest_no_route", "message": "No route was found"}), "lasting", "Permalinks"),
        (answers(400, {"code": "rest_invalid_param", "message": "Invalid parameter(s): amount"}), "lasting", "amount"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """Hosts and firewalls answer with pages of their own."""
    (failure,), _ = _act("set_customer_fields", [woo.POINTS], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)


# Orders


@pytest.mark.parametrize(
    ("status", "paid", "statuses", "heard"),
    [
        ("processing", True, ["processing", "completed"], True),
        ("completed", True, ["processing", "completed"], True),
        ("processing", False, ["processing", "completed"], False),
        ("on-hold", True, ["processing", "completed"], False),
        ("pending", False, ["processing", "completed"], False),
        ("processing", True, ["completed"], False),
        ("completed", True, ["completed"], True),
        ("shipped", True, ["processing", "completed"], False),
        ("shipped", True, ["processing", "completed", "shipped"], True),
    ],
)
def test_an_order_earns_when_it_is_paid_in_a_status_that_counts(
    status: str, paid: bool, statuses: list[str], heard: bool
) -> None:
    """Cash on delivery is paid when it is completed; a setting says which statuses mean as much."""
    order = woo.PAID | {"status": status, "date_paid_gmt": "2026-02-06T16:20:05" if paid else None}
    assert len(_order(order, paid_statuses=statuses)) == heard


def test_only_the_goods_earn_and_times_are_in_utc() -> None:
    """60.20 paid, less tax and shipping: 50.00, after the coupon; the times have no zone."""
    (sale,) = _order(woo.PAID)
    assert (sale.amount, sale.total, sale.tax, sale.shipping) == (Decimal(50), Decimal("60.2"), Decimal("4.2"), Decimal(6))
    assert sale.occurred_at == datetime(2026, 2, 6, 16, 20, 5, tzinfo=UTC)


def test_a_gift_card_that_is_sold_earns_nothing() -> None:
    """Shops sell them as products: the connection names which."""
    card = woo.MUG | {"id": 316, "product_id": 99, "sku": "CARD", "total": "20.00"}
    (sale,) = _order(woo.PAID | {"line_items": [woo.MUG, card], "total": "80.20"}, gift_cards=["99"])
    assert (sale.amount, [line.sku for line in sale.lines]) == (Decimal(50), ["MUG"])


def test_an_order_that_is_told_four_times_is_one_sale() -> None:
    """order.created and order.updated may show the same state, and two deliveries of one second share an id."""
    first, second = _order(woo.PAID, topic="order.created"), _order(woo.PAID | {"date_modified_gmt": "2026-02-06T17:00:00"})
    assert [_key("order_paid", one) for one in (*first, *second)] == ["727", "727"]
    (item,), (later,) = _items("order.created", woo.PAID), _items("order.updated", woo.GIVEN_BACK | {"refunds": []})
    assert item.at is not None and later.at is not None and item.at < later.at


def test_a_guest_is_known_by_address_and_phone() -> None:
    """Their customer number is 0; the phone number is one of their country, and what is none stays as it came."""
    (sale,) = _order(woo.PAID | {"customer_id": 0})
    assert sale.customer == Customer(email="ada@example.com", phone="+14155551234", first_name="Ada", last_name="Ng")
    (sale,) = _order(woo.PAID | {"billing": woo.BILLING | {"phone": "ring the bell", "country": ""}})
    assert sale.customer.phone == "ring the bell"
    (sale,) = _order(woo.PAID | {"customer_id": 0, "billing": {}})
    assert sale.customer is None


@pytest.mark.parametrize(
    ("source", "channel"),
    [("checkout", "online"), ("store-api", "online"), ("pos-rest-api", "pos"), ("admin", "unknown"), ("", "unknown")],
)
def test_the_source_says_the_channel(source: str, channel: str) -> None:
    """The till's app and the checkout are told apart."""
    (sale,) = _order(woo.PAID | {"created_via": source})
    assert sale.channel == channel


@pytest.mark.parametrize("wrong", [{"total": "-1"}, {"total": "x"}, {"currency": "dollars"}])
def test_impossible_money_is_unreadable(wrong: Mapping[str, Any]) -> None:
    """Kept and shown, never counted; an empty text is nothing."""
    with pytest.raises(Unreadable, match=next(iter(wrong))):
        _order(woo.PAID | wrong)
    assert _order(woo.PAID | {"discount_total": "", "currency": "usd"})[0].discount == 0


@pytest.mark.parametrize("topic", ["order.deleted", "coupon.updated", "product.updated", "action.woocommerce_thankyou"])
def test_other_topics_are_left_out(topic: str) -> None:
    """A deletion names no more than the id."""
    assert _facts(_items(topic, {"id": 727})) == []


# Refunds


def test_a_refund_is_told_with_its_order_and_looked_up_for_its_lines() -> None:
    """The order has nothing but a negative total; tax gave no points, so it takes none."""
    refund = _refund(woo.ROW)
    assert (refund.amount, refund.total, refund.lines[0].net) == (Decimal(25), Decimal("27.1"), Decimal(25))
    assert (refund.order_id, refund.references[0].id, refund.customer.id) == ("727", "727", "25")


def test_each_refund_of_an_order_is_one_fact() -> None:
    """However often the order is told."""
    second = woo.GIVEN_BACK | {"refunds": [*woo.GIVEN_BACK["refunds"], {"id": 732, "reason": "", "total": "-5.00"}]}
    rows = [woo.ROW, woo.ROW | {"id": 732, "amount": "5.00"}]
    facts = [one for one in _order(second, rows, rows) if isinstance(one, Refund)]
    assert [_key("order_refunded", one) for one in facts] == ["731", "732"]
    assert _key("order_refunded", _refund(woo.ROW)) == "731"


def test_a_refund_without_goods_gives_back_its_share() -> None:
    """5.42 of the 54.20 that were not shipping; what was shipping takes no points."""
    bare = woo.ROW | {"amount": "5.42", "line_items": []}
    assert _refund(bare).amount == Decimal("5.00")
    shipping = {"id": 401, "method_title": "Post", "total": "-6.00", "total_tax": "0.00"}
    assert _refund(bare | {"amount": "6.00", "shipping_lines": [shipping]}).amount == 0
    assert _refund(bare | {"amount": "11.42", "shipping_lines": [shipping]}).amount == Decimal("5.00")


def test_a_gift_card_that_comes_back_takes_no_points() -> None:
    """As it gave none."""
    card = woo.ROW["line_items"][0] | {"product_id": 99}
    assert _refund(woo.ROW | {"line_items": [card]}, gift_cards=["99"]).amount == 0


def test_a_refund_that_was_taken_back_or_gave_back_nothing_paid_is_none() -> None:
    """It is looked up as it is now."""
    assert not [one for one in _order(woo.GIVEN_BACK, []) if isinstance(one, Refund)]
    assert _order(woo.GIVEN_BACK | {"date_paid_gmt": None, "status": "pending"}) == []


@pytest.mark.parametrize(
    ("change", "statuses", "told"),
    [
        ({"status": "cancelled"}, ["processing", "completed"], True),
        ({"status": "failed"}, ["processing", "completed"], True),
        ({"status": "refunded"}, ["processing", "completed"], True),
        ({"status": "cancelled", "date_paid_gmt": None}, ["processing", "completed"], False),
        ({"status": "cancelled"}, ["completed"], False),
        ({"status": "cancelled", "date_completed_gmt": "2026-02-06T18:00:00"}, ["completed"], True),
        ({"status": "on-hold"}, ["processing", "completed"], False),
    ],
)
def test_a_paid_order_that_is_undone_gives_back_all(change: Mapping[str, Any], statuses: list[str], told: bool) -> None:
    """What never counted as paid earned nothing, and takes nothing."""
    facts = _order(woo.PAID | change, paid_statuses=statuses)
    assert [fact.whole for fact in facts] == [True] * told


def test_what_was_refunded_in_full_is_told_by_its_refunds() -> None:
    """Once, and not by the status too."""
    whole = {"id": 731, "reason": "", "total": "-60.20"}
    order = woo.PAID | {"status": "refunded", "refunds": [whole]}
    (refund,) = _order(order, [woo.ROW | {"amount": "60.20"}])
    assert (refund.refund_id, refund.whole) == ("731", False)


# A points plugin


@pytest.mark.parametrize(
    ("key", "value", "points"),
    [
        ("_wc_points_earned", "50", 50),
        ("_wc_points_earned", 50, 50),
        ("_ywpar_points_earned", "50.00", 50),
        ("727#item_conversion_id", "set", 0),
        ("727#points_assignedon_order_total", "yes", 0),
        ("_wc_points_earned", "0", None),
        ("_wc_points_earned", "", None),
        ("728#item_conversion_id", "set", None),
        ("points", "50", None),
    ],
)
def test_an_order_for_which_a_plugin_gave_points_is_told(key: str, value: Any, points: int | None) -> None:
    """Beside the sale, under its order: who awards both is warned, and a recipe may hear which."""
    facts = _order(woo.PAID | {"meta_data": [{"id": 1, "key": key, "value": value}]})
    told = [fact for fact in facts if fact.fact == "loyalty_activity"]
    assert [fact.points for fact in told] == ([] if points is None else [points])
    assert all(fact.references == facts[0].references and not fact.ours for fact in told)


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, False),
        ({"points_plugin": "yith"}, True),
        ({"points_plugin": "yith", "plugin_awards": False}, False),
    ],
)
def test_who_lets_both_award_is_warned(settings: Mapping[str, Any], warned: bool) -> None:
    """Until the plugin gives no more points for orders."""
    assert woo.connector.also_awards is not None
    assert ("yith" in woo.connector.also_awards(_connection(**settings).settings)) is warned


@pytest.mark.parametrize(
    ("value", "points"), [("120", 120), (120, 120), ("12.5", 12), ("0", None), ("-3", None), ("", None), ("many", None)]
)
def test_the_balance_that_a_plugin_keeps_is_told(value: Any, points: int | None) -> None:
    """In whole points; who has none is left out."""
    row = woo.ADA | {"meta_data": [{"id": 7, "key": "_ywpar_user_total_points", "value": value}]}
    items, _ = _pulled("all_points", [row], connection=_connection(points_plugin="yith"))
    facts = [
        fact for item in items for fact in woo.connector.triggers["points_kept"].read(item, _connection(points_plugin="yith"))
    ]
    assert [fact.points for fact in facts] == ([] if points is None else [points])


def test_without_a_plugin_nobody_is_asked_for_balances() -> None:
    """All customers would have to be read."""
    items, play = _pulled("all_points")
    assert items == [] and not play.calls


def test_what_the_hub_writes_into_a_plugins_field_is_not_taken_over() -> None:
    """Else it would be given twice."""
    mirrored = _connection({"balance": "wps_wpr_points"}, points_plugin="wp_swings")
    items, play = _pulled("all_points", connection=mirrored)
    assert items == [] and not play.calls


# Asking


def test_lost_deliveries_are_asked_for_where_deliveries_come_too() -> None:
    """A shop sends each once."""
    assert woo.connector.pulls["paid_orders"].always and woo.connector.pulls["refunds"].always


def test_an_order_that_is_asked_for_is_the_one_that_was_told() -> None:
    """The same fact, at the same moment."""
    (item,), _ = _pulled("paid_orders", [woo.PAID])
    (told,) = _items("order.updated", woo.PAID)
    assert item == Item("order.updated", woo.PAID, at=told.at)


def test_an_old_shop_is_asked_in_another_order() -> None:
    """It answers 400 to one that it does not know; other refusals stay what they are."""
    old = answers(400, {"code": "rest_invalid_param", "message": "Invalid parameter(s): orderby"})
    items, play = _pulled("paid_orders", old, [woo.PAID])
    assert len(items) == 1 and _asked(play.calls[1])["orderby"] == "date"
    with pytest.raises(CallFailed):
        _pulled("paid_orders", answers(403, {"code": "x", "message": "no"}))


def test_pages_are_turned_to_the_end() -> None:
    """A hundred at a time."""
    many = [woo.PAID | {"id": number} for number in range(100)]
    items, play = _pulled("paid_orders", many, [woo.PAID])
    assert len(items) == 101 and [_asked(call).get("page") for call in play.calls] == [None, "2"]


def test_new_customers_are_read_until_an_old_one_comes() -> None:
    """The newest first; one without a date is no end."""
    since = datetime(2026, 2, 6, tzinfo=UTC)
    rows = [
        woo.ADA,
        woo.ADA | {"id": 24, "date_created_gmt": None},
        woo.ADA | {"id": 23, "date_created_gmt": "2026-02-05T23:59:59"},
    ]
    connection, play = _connection(), _play([*rows, woo.ADA | {"id": 22}])
    items = list(woo.connector.pulls["new_customers"].items(connection, play.client(connection), since))
    assert [item.data["id"] for item in items] == [25, 24]


# Customers


def test_a_customer_changed_when_what_is_read_is_new() -> None:
    """Fields that the hub itself writes, orders and sessions change the record too: no news."""
    own = {"meta_data": [{"id": 8, "key": "loyalty_points", "value": "120"}], "is_paying_customer": True}
    changes: list[dict[str, Any]] = [{}, own, {"email": "ada@new.example"}, {"role": "wholesale"}]
    keys = [_key("customer_changed", _facts(_items("customer.updated", woo.ADA | change))[0]) for change in changes]
    assert keys[0] == keys[1] and len(set(keys)) == 3
    (created,) = _facts(_items("customer.created", woo.ADA))
    assert _key("customer_changed", created) == "25/created" and created.created


# Webhooks


def _hook(topic: str, **more: Any) -> dict[str, Any]:
    return {"id": 5, "topic": topic, "delivery_url": URL, "status": "active", **more}


def _subscribed(rows: list[dict[str, Any]], **settings: Any) -> tuple[Any, Play]:
    connection = _connection(**settings)
    play = _play(rows, *[woo.COUPON] * 5)
    assert woo.connector.subscription is not None
    return woo.connector.subscription.call({Client: play.client(connection), Connection: connection}), play


def test_webhooks_are_made_with_a_secret_of_their_own() -> None:
    """Left alone the shop would make a weak one; those of other programs are let alone."""
    told, play = _subscribed([_hook("order.updated", delivery_url="https://other.example")], webhook_secret=None)
    made = [_sent(call) for call in play.calls[1:]]
    assert [one["topic"] for one in made] == list(woo.TOPICS) and {one["delivery_url"] for one in made} == {URL}
    assert {one["secret"] for one in made} == {told["webhook_secret"]}
    assert not set(told["webhook_secret"]) & set("&<>\"'") and len(told["webhook_secret"]) > 30


def test_webhooks_that_the_shop_switched_off_are_switched_on_again() -> None:
    """It does so after five failures, and tells nobody; those that work are let alone."""
    rows = [_hook(topic, id=number) for number, topic in enumerate(woo.TOPICS)]
    rows[1] |= {"status": "disabled"}
    told, play = _subscribed(rows)
    assert told == {} and [str(call) for call in play.calls[1:]] == ["PUT /wp-json/wc/v3/webhooks/1"]
    assert _sent(play.calls[1])["status"] == "active" and woo.connector.subscription is not None
    assert str(woo.connector.subscription.every) == "1 day"


def test_only_our_webhooks_are_taken_back() -> None:
    """For good, not into the trash."""
    connection = _connection()
    play = _play([_hook("order.updated"), _hook("order.updated", id=6, delivery_url="https://other.example")], {})
    assert woo.connector.unsubscription is not None
    woo.connector.unsubscription.call({Client: play.client(connection), Connection: connection})
    assert [str(call) for call in play.calls[1:]] == ["DELETE /wp-json/wc/v3/webhooks/5"]


# What goes out

THERE = answers(400, {"code": "woocommerce_rest_coupon_code_already_exists", "message": "The coupon code already exists"})


def test_a_coupon_whose_answer_was_lost_is_made_once() -> None:
    """It is made of the step, so the second attempt finds it there, made by this very step."""
    lost = requests.ReadTimeout("lost")
    (made,), play = _act("create_coupon", [{"percent": 10, "prefix": "GOLD-"}], lost, THERE, [woo.COUPON])
    assert (made.id, made.code) == ("9", "gold-74g2ffjk75")
    assert play.calls[0].body == play.calls[1].body and _asked(play.calls[2]) == {"code": "gold-74g2ffjk75"}


@pytest.mark.parametrize("rows", [[], [woo.COUPON | {"description": "Summer"}]])
def test_a_coupon_of_somebody_else_is_not_given_away(rows: list[Any]) -> None:
    """It is there, and not made by this step."""
    (failure,), _ = _act("create_coupon", [{"amount": "5.00", "code": "SUMMER"}], THERE, rows)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "already exists" in str(failure)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"percent": 10}, {"discount_type": "percent", "amount": "10"}),
        ({"amount": "5.50", "minimum": "20.00"}, {"discount_type": "fixed_cart", "amount": "5.50", "minimum_amount": "20.00"}),
        ({"free_shipping": True}, {"amount": "0", "free_shipping": True}),
        (
            {"percent": 10, "free_shipping": True, "products": [93]},
            {"amount": "10", "free_shipping": True, "product_ids": [93]},
        ),
        ({}, None),
        ({"percent": 10, "amount": "5.00"}, None),
        ({"percent": 10, "amount": "5.00", "free_shipping": True}, None),
    ],
)
def test_a_coupon_takes_off_one_thing(given: Mapping[str, Any], sent: Mapping[str, Any] | None) -> None:
    """Amounts are exact text; free shipping goes beside either, or alone."""
    (result,), play = _act("create_coupon", [given], answers(201, woo.COUPON))
    if sent is None:
        assert isinstance(result, CallFailed) and not play.calls
    else:
        assert sent.items() <= _sent(play.calls[0]).items()


def test_a_coupon_that_is_gone_is_taken_away() -> None:
    """Twice is once; another refusal is one."""
    gone = answers(404, {"code": "woocommerce_rest_coupon_invalid_id", "message": "Invalid ID."})
    assert _act("delete_coupon", [{"coupon": "9"}], gone)[0] == [None]
    (failure,), _ = _act("delete_coupon", [{"coupon": "9"}], answers(400, {"code": "x", "message": "no"}))
    assert isinstance(failure, CallFailed)


def test_one_customer_who_is_gone_does_not_fail_the_others() -> None:
    """Each has an answer of its own; of one who is named twice the last word counts, in one row."""
    error = {"id": 26, "error": {"code": "woocommerce_rest_invalid_id", "message": "Invalid ID.", "data": {"status": 400}}}
    many = [
        woo.POINTS,
        {"customer": "26", "fields": {"loyalty_points": "1"}},
        {"customer": "25", "fields": {"loyalty_points": "130"}},
    ]
    (one, two, three), play = _act("set_customer_fields", many, {"update": [woo.SHOWN, error]})
    assert one is None and three is None and isinstance(two, CallFailed) and "Invalid ID." in str(two)
    assert _sent(play.calls[0])["update"][0] == {"id": 25, "meta_data": [{"key": "loyalty_points", "value": "130"}]}


def test_members_are_looked_at_all_at_once_and_guests_by_their_address() -> None:
    """A customer who is gone, and somebody without an address, are None; a field that is not there shows nothing."""
    mirror, connection = woo.connector.mirroring, _connection()
    assert mirror is not None
    play = _play([woo.SHOWN], [woo.ADA | {"id": 31}], [])
    points = {"loyalty_points": 120}
    who = [
        Customer(id="25"),
        Customer(id="26"),
        Customer(email="ben@example.com"),
        Customer(email="x@example.com"),
        Customer(phone="+1"),
    ]
    seen = mirror.look({Client: play.client(connection)}, [Mirrored(one, points) for one in who])
    assert seen == [Shown({"loyalty_points": "120"}, "25"), None, Shown({"loyalty_points": None}, "31"), None, None]
    assert _asked(play.calls[0])["include"] == "25,26" and all(_asked(call)["role"] == "all" for call in play.calls)


def test_an_address_that_is_there_already_is_found() -> None:
    """Made by an attempt whose answer was lost, or by somebody in between; the default search leaves subscribers out."""
    exists = answers(400, {"code": "registration-error-email-exists", "message": "An account is already registered"})
    (result,), play = _act("upsert_customer", [{"email": "ada@example.com"}], [], answers(503), exists, [woo.ADA])
    assert result.customer_id == "25" and _asked(play.calls[0])["role"] == "all"


def test_a_note_goes_to_the_buyer_of_the_order_alone() -> None:
    """The shop mails it to the address on the order, whatever the gate was asked about."""
    (note,), play = _act("mail_order_note", [woo.NOTE | {"to": "ADA@example.com"}], woo.PAID, answers(201, woo.NOTES[1]))
    assert note.id == "281" and _sent(play.calls[1])["customer_note"] is True
    (failure,), play = _act("mail_order_note", [woo.NOTE | {"to": "ben@example.com"}], woo.PAID)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and len(play.calls) == 1
    assert woo.connector.actions["mail_order_note"].channel == "email"
    assert woo.connector.actions["add_order_note"].channel is None


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_a_note_is_not_written_twice(lost: Any) -> None:
    """A shop takes no key; it is looked up instead."""
    (failure,), play = _act("add_order_note", [woo.NOTE], lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, True),
        ({"note": "Redeemed:&nbsp;oil  change"}, True),
        ({"note": "Another"}, False),
        ({"customer_note": True}, False),
        ({"date_created_gmt": "2026-02-06T21:00:00"}, False),
    ],
)
def test_a_note_is_known_by_what_it_says_and_since_when(row: Mapping[str, Any], found: bool) -> None:
    """One for the buyer is another than one for staff."""
    action, connection, play = woo.connector.actions["add_order_note"], _connection(), _play([woo.NOTES[2] | row])
    handed = {Client: play.client(connection), datetime: datetime(2026, 2, 6, 21, 28, 0, 900000, tzinfo=UTC)}
    assert (action.find_done(handed, action.inputs.model_validate(woo.NOTE), KEY) is not None) is found
