"""Tremendous: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

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

from connectors import tremendous
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Fact, Settings
from hub.sdk.address import tell_address
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import SAMPLE_NOW, answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/tremendous"
KEY = "private-key-7Qd2"
GIFT = {"to": "ada@example.com", "product": "OKMHM2X2OHYV", "amount": "20", "currency": "EUR"}
ARRIVED, LOST = tremendous.ARRIVED, tremendous.LOST


def _connection(**settings: Any) -> Connection:
    values = {"api_key": "key-7Qd2", "webhook_key": KEY, "campaign_id": "IVM0I3WNJJL0", **settings}
    read = tremendous.connector.settings.read(values)
    return Connection("tremendous", tremendous.connector, read, webhook_url=URL)


def _request(body: bytes, **headers: str) -> Request:
    return Request("POST", "/hooks/tremendous", "", headers, body, NOW, URL)


def _told(event: str, number: str = "REWARDFIX1", **more: Any) -> dict[str, Any]:
    return tremendous._told(event, "rewards", number) | more


def _facts(told: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection = _connection(**settings)
    play = Play(one_by_one([answers(200, reply) for reply in replies]))
    facts: list[Fact] = []
    (item,) = tremendous.connector.items(_request(json.dumps(told).encode()), connection)
    for trigger in tremendous.connector.triggers_for(item):
        if not trigger.poke:
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(event: str, *replies: Any) -> Any:
    (fact,), _ = _facts(_told(event), *replies)
    return fact


def _key(name: str, fact: Fact) -> str:
    return tremendous.connector.triggers[name].key_of(fact)


def _pulled(name: str, *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """What a pull brings, read by its trigger, and what was asked."""
    connection, play = _connection(**settings), Play(one_by_one([answers(200, reply) for reply in replies]))
    pull, client = tremendous.connector.pulls[name], play.client(connection)
    trigger, facts = tremendous.connector.triggers[pull.trigger], []
    for item in pull.items(connection, client, NOW):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, client) if thin else trigger.read(item, connection)
    return facts, play


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, key: str = "call_1", **settings: Any) -> tuple[Any, Play]:
    """The result of an action (or how it failed) against these replies, and what was sent."""
    action, connection = tremendous.connector.actions[name], _connection(**settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    client = play.client(connection, call_key=key, repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey(key)}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _task(name: str, *replies: Any, **settings: Any) -> list[Called]:
    """The calls of `subscription` or `unsubscription`."""
    connection, play = _connection(**settings), Play(one_by_one([answers(200, reply) for reply in replies]))
    getattr(tremendous.connector, name).call({Client: play.client(connection), Connection: connection})
    return play.calls


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _order(status: str = "EXECUTED", **paid: Any) -> dict[str, Any]:
    return {"order": tremendous._order_of(ARRIVED, status, **paid)}


# Proof


def test_the_signature_is_hex_of_the_raw_body_under_the_private_key_as_text() -> None:
    """As the vendor's page says; not base64, and without a time."""
    body = b'{"event": "ORDERS.CREATED"}'
    digest = hmac.new(KEY.encode(), body, hashlib.sha256)
    good = f"sha256={digest.hexdigest()}"
    tremendous.connector.verify(_request(body, **{"tremendous-webhook-signature": good}), _connection(), NOW)
    for wrong in (digest.hexdigest(), "sha256=" + base64.b64encode(digest.digest()).decode(), f"t=1,v1={digest.hexdigest()}"):
        with pytest.raises(Refused):
            tremendous.connector.verify(_request(body, **{"tremendous-webhook-signature": wrong}), _connection(), NOW)


# What comes in


def test_a_notice_told_twice_is_one_delivery_and_another_address_is_another() -> None:
    """A retry has the same reward and address, whatever its id; sent again elsewhere, it can arrive, or be lost, once more."""
    first, again = (_one("REWARDS.DELIVERY.FAILED", {"reward": LOST}) for _ in range(2))
    elsewhere = _one("REWARDS.DELIVERY.FAILED", {"reward": LOST | {"recipient": {"email": "ada@new.example"}}})
    assert _key("reward_failed", first) == _key("reward_failed", again) != _key("reward_failed", elsewhere)


@pytest.mark.parametrize(
    ("event", "status", "heard"),
    [
        ("REWARDS.DELIVERY.FAILED", "SUCCEEDED", False),
        ("REWARDS.DELIVERY.FAILED", "PENDING", True),
        ("REWARDS.DELIVERY.FAILED", "SOMETHING NEW", True),
        ("REWARDS.DELIVERY.SUCCEEDED", "FAILED", False),
        ("REWARDS.DELIVERY.SUCCEEDED", "PENDING", True),
        ("REWARDS.CANCELED", "FAILED", True),
        ("REWARDS.FLAGGED", "PENDING", True),
    ],
)
def test_a_reward_counts_as_it_is_when_it_is_looked_at(event: str, status: str, heard: bool) -> None:
    """Only what says the opposite by then is left out; states that nobody knows are taken for what the notice says."""
    facts, _ = _facts(_told(event), {"reward": tremendous._kept(status)})
    assert len(facts) == heard


def test_a_reward_tells_where_it_went() -> None:
    """By SMS to the number, by link to nobody that is known; nobody becomes a member by it."""
    sms = {"delivery": {"method": "PHONE", "status": "SUCCEEDED"}, "recipient": {"email": None, "phone": "+447700900123"}}
    link = {"delivery": {"method": "LINK", "status": "SUCCEEDED"}, "recipient": {"name": "Ada"}}
    texted = _one("REWARDS.DELIVERY.SUCCEEDED", {"reward": ARRIVED | sms})
    linked = _one("REWARDS.DELIVERY.SUCCEEDED", {"reward": ARRIVED | link})
    assert (texted.channel, texted.address, texted.customer.phone) == ("sms", "+447700900123", "+447700900123")
    assert (linked.channel, linked.address, linked.customer) == ("link", "link", None)
    assert not texted.makes_member and _key("reward_delivered", linked)


def test_money_is_exact_and_keeps_its_currencies() -> None:
    """What a reward is worth and what it cost may be in two currencies."""
    reward = ARRIVED | {"value": {"denomination": 19.99, "currency_code": "EUR"}}
    order = tremendous._order_of(reward, total=23.07, fees=0.42)
    fact = _one("ORDERS.CREATED", {"order": order})
    assert (fact.amount, fact.currency) == (Decimal("19.99"), "EUR")
    assert (fact.total, fact.fees, fact.paid_in) == (Decimal("23.07"), Decimal("0.42"), "USD")


def test_an_order_of_several_rewards_is_told_as_one() -> None:
    """Made in the dashboard, say: not ours; of several currencies no sum is made."""
    other = ARRIVED | {"id": "REWARDFIX2"}
    order = tremendous._order_of(ARRIVED) | {"external_id": None, "rewards": [ARRIVED, other]}
    fact = _one("ORDERS.CREATED", {"order": order})
    assert (fact.amount, fact.reward_ids, fact.call_key) == (Decimal(40), ("REWARDFIX1", "REWARDFIX2"), "")
    mixed = order | {"rewards": [ARRIVED, other | {"value": {"denomination": 5, "currency_code": "USD"}}]}
    fact = _one("ORDERS.CREATED", {"order": mixed})
    assert (fact.amount, fact.currency) == (None, None)


def test_an_order_is_told_again_with_each_state_and_each_refund() -> None:
    """So spending can be held against it; a refund is one, whether it is written 10.0 or 10."""
    back = [{"refund": {"total": total, "currency_code": "USD"}} for total in (10.0, 10)]
    facts = [_one("ORDERS.APPROVED", _order(**said)) for said in ({}, *back)]
    waiting = _one(
        "ORDERS.CREATED", {"order": _order()["order"] | {"status": "PENDING INTERNAL PAYMENT APPROVAL", "payment": None}}
    )
    keys = [_key("order_changed", fact) for fact in (*facts, waiting)]
    assert keys[1] == keys[2] and len(set(keys)) == 3
    assert (waiting.total, waiting.status) == (None, "PENDING INTERNAL PAYMENT APPROVAL")


@pytest.mark.parametrize(
    ("status", "refunded", "state"),
    [
        ("EXECUTED", None, "sent"),
        ("EXECUTED", "3.10", "sent"),
        ("EXECUTED", "23.1", "cancelled"),
        ("CANCELED", None, "cancelled"),
        ("FAILED", None, "failed"),
        ("PENDING APPROVAL", None, "waiting"),
        ("SOMETHING NEW", None, "waiting"),
    ],
)
def test_what_came_of_an_order_is_told_in_the_words_of_all_providers(status: str, refunded: str | None, state: str) -> None:
    """What was paid back whole came to nothing; what nobody knows waits."""
    paid = {"refund": {"total": float(refunded), "currency_code": "USD"}} if refunded else {}
    assert _one("ORDERS.CREATED", _order(status, **paid)).state == state
    assert _one("ORDERS.CREATED", {"order": _order(status)["order"] | {"payment": None}}).state in {state, "sent"}


@pytest.mark.parametrize(
    ("external_id", "call_key"), [("loy-call_1", "call_1"), ("loyal-1", ""), ("payroll-7", ""), ("", ""), (None, "")]
)
def test_an_order_of_the_hubs_is_known_by_its_key(external_id: str | None, call_key: str) -> None:
    """Whatever else buys at the same account names its orders otherwise, or not at all."""
    order = _order()["order"] | {"external_id": external_id}
    fact = _one("ORDERS.CREATED", {"order": order})
    assert (fact.call_key, fact.external_id) == (call_key, external_id or "")
    assert fact.ordered_at == datetime(2026, 2, 6, 21, 20, tzinfo=UTC)


@pytest.mark.parametrize("name", ["send_gift_card", "send_prepaid_card", "send_choice"])
def test_what_is_sent_says_what_it_costs_and_under_which_order(name: str) -> None:
    """The worth that the member gets, in its currency; what it cost in another is the order's to tell."""
    more = {"product": "OKMHM2X2OHYV"} if name != "send_choice" else {}
    result, _ = _act(name, {"to": "ada@example.com", "amount": "12.50", "currency": "CAD", **more}, _order())
    action = tremendous.connector.actions[name]
    inputs = action.inputs.model_validate({"to": "ada@example.com", "amount": "12.50", "currency": "CAD", **more})
    assert action.spends is not None
    assert action.spends.of(inputs, result.model_dump(mode="json")) == (Decimal("12.50"), "CAD", "ORDERFIX01")


def test_a_webhook_and_polling_meet_in_one_event() -> None:
    """The same reward, order and refund have the same key, and the same content but for the time."""
    listed = {"orders": [_order()["order"]], "total_count": 1}
    for name, event, reply in (
        ("delivered_rewards", "REWARDS.DELIVERY.SUCCEEDED", {"reward": ARRIVED}),
        ("orders", "ORDERS.CREATED", _order()),
    ):
        trigger = tremendous.connector.pulls[name].trigger
        (pulled,), _ = _pulled(name, listed)
        told = _one(event, reply)
        assert _key(trigger, pulled) == _key(trigger, told)
        assert pulled.model_copy(update={"occurred_at": told.occurred_at}) == told


def test_polling_goes_back_days_and_through_all_pages_oldest_first() -> None:
    """What becomes of an order shows late; a hundred are listed at once, the newest first."""
    rows = [_order()["order"] | {"id": f"ORDER{number:04d}"} for number in range(103)]
    facts, play = _pulled("orders", {"orders": rows[:100]}, {"orders": rows[100:]})
    assert [fact.order_id for fact in facts] == [row["id"] for row in rows[::-1]]
    asked = [parse_qs(urlsplit(call.url).query) for call in play.calls]
    assert asked[0]["created_at[gte]"] == ["2026-01-30T21:30:00Z"] and asked[1]["offset"] == ["100"]


def test_polling_brings_only_what_it_is_for() -> None:
    """What arrived, what was lost, and the rewards of orders that were cancelled as a whole."""
    orders = {
        "orders": [_order()["order"], tremendous._order_of(LOST), tremendous._order_of(LOST, "CANCELED") | {"rewards": None}]
    }
    counts = {name: len(_pulled(name, orders)[0]) for name in ("delivered_rewards", "failed_rewards", "cancelled_rewards")}
    assert counts == {"delivered_rewards": 1, "failed_rewards": 1, "cancelled_rewards": 0}


@pytest.mark.parametrize(("event", "pull"), [("FUNDING_SOURCES.UPDATED", "low_funds"), ("PRODUCTS.ADDED", "products")])
def test_notices_of_money_and_products_only_say_that_something_changed(event: str, pull: str) -> None:
    """Whatever the event's last word is; then it is looked at."""
    (item,) = tremendous.connector.items(_request(json.dumps(_told(event)).encode()), _connection())
    (trigger,) = tremendous.connector.triggers_for(item)
    assert trigger.poke and trigger.pull is not None and trigger.pull.name == pull


def test_a_product_that_is_gone_is_told_by_its_notice() -> None:
    """A list cannot say what is not in it; gone twice, it is told twice."""
    facts = [_facts(_told("PRODUCTS.REMOVED", "OKMHM2X2OHYV", uuid=name))[0][0] for name in ("n1", "n2")]
    assert {fact.product_id for fact in facts} == {"OKMHM2X2OHYV"}
    assert len({_key("product_removed", fact) for fact in facts}) == 2


@pytest.mark.parametrize(
    "event", ["INVOICES.CREATED", "CAMPAIGNS.UPDATED", "MEMBERS.CREATED", "REPORTS.GENERATED", "REWARDS.REDEEMED"]
)
def test_other_events_are_no_facts(event: str) -> None:
    """Also the one that is said to tell of redemptions: the vendor's list does not have it."""
    assert _facts(_told(event))[0] == []


def test_products_are_asked_for_where_members_live_and_told_when_they_change() -> None:
    """Without a catalogue nobody asks; the same product is the same fact until something that is told of it is new."""
    assert _pulled("products")[1].calls == []
    catalogue = {"countries": ["US", "CA"], "currencies": ["USD"]}
    dearer = tremendous.PRODUCT | {"skus": [{"min": 5, "max": 2000, "currency_code": "USD"}]}
    reworded = tremendous.PRODUCT | {"description": "New words", "images": [{"src": "x"}]}
    facts, play = _pulled("products", {"products": [tremendous.PRODUCT, reworded, dearer]}, catalogue=catalogue)
    assert parse_qs(urlsplit(play.calls[0].url).query) == {"country": ["US,CA"], "currency": ["USD"]}
    keys = [_key("product_listed", fact) for fact in facts]
    assert keys[0] == keys[1] != keys[2]
    assert (facts[0].least, facts[0].most, facts[0].amounts_in) == (Decimal(1), Decimal(2000), "USD")


@pytest.mark.parametrize(
    ("skus", "wanted", "told"),
    [
        ([(1, 10), (50, 50)], {"least": 20, "most": 40}, False),
        ([(1, 10), (25, 25)], {"least": 20, "most": 40}, True),
        ([(40, 90)], {"most": 40}, True),
        ([(41, 90)], {"most": 40}, False),
        ([(1, 5)], {"least": 6}, False),
        ([], {"least": 6}, True),
    ],
)
def test_a_product_is_told_where_it_takes_one_of_the_amounts(
    skus: list[tuple[int, int]], wanted: Mapping[str, int], told: bool
) -> None:
    """Some take only certain amounts; what says none takes any."""
    bands = [{"min": low, "max": high, "currency_code": "USD"} for low, high in skus]
    facts, _ = _pulled("products", {"products": [tremendous.PRODUCT | {"skus": bands}]}, catalogue=wanted)
    assert len(facts) == told


@pytest.mark.parametrize(
    ("source", "settings", "told"),
    [
        ({}, {"low_balance": 100}, True),
        ({}, {"low_balance": "42.50"}, False),
        ({"meta": {"available_amount": None}}, {"low_balance": 100}, False),
        ({"meta": {"available_amount": -5}}, {"low_balance": 0}, True),
        ({"method": "invoice"}, {"low_balance": 100}, False),
        ({"method": "invoice"}, {"low_balance": 100, "funding_source": "INVOICE"}, True),
        ({}, {"low_balance": 100, "funding_source": "invoice_then_balance"}, True),
        ({"method": "bank_account"}, {"low_balance": 100, "funding_source": "SOURCEFIX1"}, True),
        ({}, {"low_balance": 100, "funding_source": "ANOTHER001"}, False),
    ],
)
def test_little_money_is_told_of_what_pays(source: Mapping[str, Any], settings: Mapping[str, Any], told: bool) -> None:
    """Of nothing else, and of nothing that does not say how much there is."""
    facts, _ = _pulled("low_funds", {"funding_sources": [tremendous.BALANCE | source]}, **settings)
    assert len(facts) == told


def test_little_money_is_told_once_a_day() -> None:
    """However often it is looked; without `low_balance` nobody looks."""
    assert _pulled("low_funds")[1].calls == []
    poorer = tremendous.BALANCE | {"meta": {"available_amount": 1}}
    facts = [_pulled("low_funds", {"funding_sources": [one]}, low_balance=100)[0][0] for one in (tremendous.BALANCE, poorer)]
    assert _key("funds_low", facts[0]) == _key("funds_low", facts[1])
    assert facts[0].day == SAMPLE_NOW.date()


def test_an_organisation_has_one_webhook_which_is_not_taken_from_anybody() -> None:
    """Telling ours would overwrite another's; its address is named without what may be secret in it."""
    other = {"id": "W1", "url": "https://other.example/hook?token=s3cret"}
    with pytest.raises(CallFailed, match=r"https://other\.example/hook what") as caught:
        _task("subscription", {"webhooks": [other]})
    assert "s3cret" not in str(caught.value)


def test_subscribing_registers_our_address_once_and_gives_the_key() -> None:
    """There already, it stays; the key that signs is another with each registration, and is given where it is not known."""
    ours = {"id": "W1", "url": URL, "private_key": KEY}
    assert [str(call) for call in _task("subscription", {"webhooks": [ours]})] == ["GET /api/v2/webhooks"]
    calls = _task("subscription", {"webhooks": []}, {"webhook": ours})
    assert _sent(calls[1]) == {"url": URL}
    for key, told in ((KEY, {}), ("another", {"webhook_key": KEY}), (None, {"webhook_key": KEY})):
        connection = _connection(webhook_key=key)
        play = Play(one_by_one([answers(200, {"webhooks": [ours]})]))
        assert tell_address(connection, play.client(connection)) == told


def test_unsubscribing_takes_only_our_address_back() -> None:
    """Another's is let alone."""
    rows = [{"id": "W1", "url": URL}, {"id": "W2", "url": "https://other.example"}]
    assert [str(call) for call in _task("unsubscription", {"webhooks": rows}, {})] == [
        "GET /api/v2/webhooks",
        "DELETE /api/v2/webhooks/W1",
    ]


# What goes out


def test_a_reward_that_was_lost_on_its_way_is_asked_for_again_under_the_same_number() -> None:
    """Within the call and hours later; 201 is the order that there was before. Another call is another reward."""
    again, play = _act("send_gift_card", GIFT, answers(503), requests.ReadTimeout("lost"), answers(201, _order()))
    _, later = _act("send_gift_card", GIFT, answers(201, _order()))
    _, other = _act("send_gift_card", GIFT, _order(), key="call_2")
    assert again.is_sent
    numbers = [_sent(call)["external_id"] for call in (*play.calls, *later.calls)]
    assert set(numbers) == {"loy-call_1"} and len(numbers) == 4
    assert _sent(other.calls[0])["external_id"] == "loy-call_2"


@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
def test_an_order_that_came_to_nothing_is_no_success_and_not_made_anew(status: str) -> None:
    """It is answered with 200; a person looks, so that nobody gets it twice."""
    failure, play = _act("send_gift_card", GIFT, _order(status))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting"
    assert "ORDERFIX01" in str(failure) and len(play.calls) == 1


@pytest.mark.parametrize("status", ["OPEN", "CART", "PENDING APPROVAL", "PENDING SETTLEMENT", "SOMETHING NEW"])
def test_only_an_executed_order_is_sent(status: str) -> None:
    """Others wait, and have no payment yet; new words are no error."""
    order = {"order": _order(status)["order"] | {"payment": None}}
    result, _ = _act("send_gift_card", GIFT, order)
    assert (result.status, result.is_sent, result.total) == (status, False, None)


def test_without_money_the_order_waits_and_the_owner_is_told() -> None:
    """The connection stops, so that no more are refused; it is not given up, and no access must be renewed."""
    failure, play = _act("send_gift_card", GIFT, answers(402, {"errors": {"message": "Insufficient funds"}}))
    assert isinstance(failure, CallFailed) and (failure.verdict, len(play.calls)) == ("reconnect", 1)
    assert "Insufficient funds. Add money" in str(failure) and "renew" not in str(failure)


def test_a_refusal_names_the_fields() -> None:
    """They mirror what was sent, which is not repeated: it may be somebody's address."""
    payload = {"reward": {"value": {"denomination": 1}, "recipient": {"email": "ada@example.com"}}}
    reply = answers(422, {"status": 422, "errors": {"message": "Invalid order", "payload": payload}})
    failure, _ = _act("send_gift_card", GIFT, reply)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting"
    assert "Invalid order (reward.value.denomination, reward.recipient.email)" in str(failure)
    assert "ada@example.com" not in str(failure)


def test_the_address_says_by_which_way_a_reward_goes() -> None:
    """A number as it can be called, one that is none as it came; the gate is asked about that channel."""
    for to, method, recipient, channel in (
        ("ada@example.com", "EMAIL", {"email": "ada@example.com"}, "email"),
        ("+44 7700 900123", "PHONE", {"phone": "+447700900123"}, "sms"),
        ("555", "PHONE", {"phone": "555"}, "sms"),
    ):
        _, play = _act("send_gift_card", GIFT | {"to": to}, _order())
        reward = _sent(play.calls[0])["reward"]
        assert (reward["delivery"], reward["recipient"]) == ({"method": method}, recipient)
        assert tremendous.connector.actions["send_gift_card"].channel_to(to) == channel


def test_amounts_go_out_digit_by_digit() -> None:
    """In major units, as a number, in the currency that the recipe says."""
    _, play = _act("send_gift_card", GIFT | {"amount": "12.50", "currency": "CAD"}, _order())
    assert b'"value":{"denomination":12.50,"currency_code":"CAD"}' in play.calls[0].body


@pytest.mark.parametrize(
    ("inputs", "settings", "chosen"),
    [
        ({}, {}, {"campaign_id": "IVM0I3WNJJL0"}),
        ({"campaign": "OTHERFIX01"}, {}, {"campaign_id": "OTHERFIX01"}),
        ({"products": ["AAAA1", "BBBB2"]}, {}, {"campaign_id": "IVM0I3WNJJL0", "products": ["AAAA1", "BBBB2"]}),
        ({"products": ["AAAA1"]}, {"campaign_id": None}, {"products": ["AAAA1"]}),
        ({}, {"campaign_id": None}, None),
    ],
)
def test_a_member_chooses_from_the_campaign_or_the_products(
    inputs: Mapping[str, Any], settings: Mapping[str, Any], chosen: Mapping[str, Any] | None
) -> None:
    """With neither there is nothing to choose from, and nothing is sent."""
    wish = {"to": "ada@example.com", "amount": "20", "currency": "EUR", **inputs}
    result, play = _act("send_choice", wish, _order(), **settings)
    if chosen is None:
        assert isinstance(result, CallFailed) and "campaign_id" in str(result) and not play.calls
        return
    reward = _sent(play.calls[0])["reward"]
    assert {name: reward[name] for name in ("campaign_id", "products") if name in reward} == chosen


def test_a_prepaid_card_is_the_connections_unless_the_recipe_names_one() -> None:
    """Without either nothing is sent."""
    wish = {"to": "ada@example.com", "amount": "20", "currency": "EUR"}
    _, play = _act("send_prepaid_card", wish, _order(), prepaid_card="VISAFIX001")
    _, other = _act("send_prepaid_card", wish | {"product": "VISAFIX002"}, _order(), prepaid_card="VISAFIX001")
    assert [_sent(one.calls[0])["reward"]["products"] for one in (play, other)] == [["VISAFIX001"], ["VISAFIX002"]]
    failure, play = _act("send_prepaid_card", wish)
    assert isinstance(failure, CallFailed) and "prepaid_card" in str(failure) and not play.calls


def test_custom_fields_are_found_by_the_settings_by_id_or_by_label() -> None:
    """Only a label is looked up; an unknown one is an error, and nothing is sent."""
    listed = {"fields": [{"id": "FIELDID01", "label": "TIER"}]}
    for name, settings, replies in (
        ("FIELDID01", {}, []),
        ("tier", {"custom_fields": {"tier": "FIELDID01"}}, []),
        ("TIER", {}, [listed]),
        ("tier", {"custom_fields": {"tier": "TIER"}}, [listed]),
    ):
        _, play = _act("send_gift_card", GIFT | {"fields": {name: "gold"}}, *replies, _order(), **settings)
        assert _sent(play.calls[-1])["reward"]["custom_fields"] == [{"id": "FIELDID01", "value": "gold"}]
        assert len(play.calls) == len(replies) + 1
    failure, play = _act("send_gift_card", GIFT | {"fields": {"teir": "gold"}}, listed)
    assert isinstance(failure, CallFailed) and "`teir`" in str(failure) and len(play.calls) == 1


@pytest.mark.parametrize(
    ("key", "host", "calls"),
    [
        ("TEST_7Qd2", "testflight.tremendous.com", 1),
        ("PROD_7Qd2", "www.tremendous.com", 1),
        ("anything", "www.tremendous.com", 1),
        ("TEST_7Qd2", "www.tremendous.com", 0),
        ("PROD_7Qd2", "testflight.tremendous.com", 0),
    ],
)
def test_a_key_of_the_sandbox_and_the_real_host_do_not_go_together(key: str, host: str, calls: int) -> None:
    """It is said before anything is sent, and without the key; where the key does not show it, it is tried."""
    result, play = _act("send_gift_card", GIFT, _order(), api_key=key, host=host)
    assert len(play.calls) == calls
    if calls:
        assert urlsplit(play.calls[0].url).netloc == host
    else:
        assert isinstance(result, CallFailed) and result.verdict == "reconnect" and key not in str(result)


@pytest.mark.parametrize(
    ("to", "body"),
    [("ada@new.example", {"updated_email": "ada@new.example"}), ("+447700900123", {"updated_phone": "+447700900123"})],
)
def test_a_reward_is_sent_again_to_one_address(to: str, body: Mapping[str, str]) -> None:
    """Tremendous takes one of the two; a lost answer is looked up, not repeated."""
    _, play = _act("resend_reward", {"reward": "REWARDFIX1", "to": to}, {})
    assert _sent(play.calls[0]) == body
    failure, play = _act("resend_reward", {"reward": "REWARDFIX1", "to": to}, requests.ReadTimeout("lost"))
    assert isinstance(failure, CallFailed) and (failure.verdict, len(play.calls)) == ("uncertain", 1)


@pytest.mark.parametrize(
    ("order", "done"),
    [
        (tremendous._order_of(LOST), False),
        (tremendous._order_of(LOST, "CANCELED"), True),
        (tremendous._order_of(LOST, **tremendous.BACK), True),
    ],
)
def test_whether_a_reward_was_cancelled_shows_in_its_order(order: Mapping[str, Any], done: bool) -> None:
    """For a second call would be refused, as if it had not been done."""
    action, connection = tremendous.connector.actions["cancel_reward"], _connection()
    play = Play(one_by_one([answers(200, {"reward": LOST}), answers(200, {"order": order})]))
    inputs = action.inputs.model_validate({"reward": "REWARDFIX1"})
    assert (action.find_done({Client: play.client(connection)}, inputs, "call_1") is not None) is done


def test_funds_are_looked_at_where_the_orders_are_paid() -> None:
    """Enough, too little, or nobody knows; a source that is not there is named with those that are."""
    replies = {"funding_sources": [tremendous.BALANCE, {"id": "CARDFIX001", "method": "credit_card", "meta": {}}]}
    enough, _ = _act("check_funds", {"needed": "42.50"}, replies)
    little, _ = _act("check_funds", {"needed": "42.51"}, replies)
    unknown, _ = _act("check_funds", {"needed": "42.51"}, replies, funding_source="CARDFIX001")
    assert [one.is_enough for one in (enough, little, unknown)] == [True, False, True]
    gone, _ = _act("check_funds", {}, replies, funding_source="INVOICE")
    assert isinstance(gone, CallFailed) and "SOURCEFIX1 (balance)" in str(gone)


def test_a_notice_of_nothing_is_unreadable() -> None:
    """With the path of what is missing."""
    with pytest.raises(Unreadable, match=r"payload\.resource\.id"):
        _facts(_told("REWARDS.CANCELED") | {"payload": {}})
