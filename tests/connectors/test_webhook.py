"""Webhook: what it takes from a program and what it sends, case by case. What every connector promises is tried elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors import webhook
from hub.cli.letter import letter_of
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Booking, CallKey, Client, Connection, CustomerChanged, Fact, Refund, Sale, Settings
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 22, tzinfo=UTC)
KEY = base64.b64encode(b"a secret of four and twenty").decode()
SECRET = f"whsec_{KEY}"
URL = "https://partner.example.com/hooks/points?shop=7"


def _connection(**settings: Any) -> Connection:
    values = {"webhook_secret": SECRET, "url": URL, "signing_secret": SECRET, **settings}
    values = {name: value for name, value in values.items() if value is not None}
    return Connection("partner", webhook.connector, webhook.connector.settings.read(values))


def _signature(body: bytes, stamp: int, *, key: str = KEY, message: str = "msg_1") -> str:
    """As Standard Webhooks describes it, worked out here."""
    signed = f"{message}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(base64.b64decode(key), signed, hashlib.sha256).digest()).decode()


def _request(body: bytes, headers: Mapping[str, str] | None = None) -> Request:
    url = "https://points.example.com/hooks/partner"
    return Request("POST", "/hooks/partner", "", {"content-type": "application/json", **(headers or {})}, body, NOW, url)


def _signed(body: bytes, *, at: datetime = NOW, **said: str) -> Request:
    stamp = int(at.timestamp())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": _signature(body, stamp, **said)}
    return _request(body, headers)


def _facts(told: Any) -> list[Fact]:
    connection = _connection()
    items = webhook.connector.items(_request(json.dumps(told).encode()), connection)
    return [
        fact for item in items for trigger in webhook.connector.triggers_for(item) for fact in trigger.read(item, connection)
    ]


def _fact(kind: str, number: str = "n_1", /, **data: Any) -> Fact:
    (fact,) = _facts({"type": kind, "id": number, "data": data})
    return fact


def _key(kind: str, fact: Fact) -> str:
    return webhook.connector.triggers[kind].key_of(fact)


def _send(*replies: Answer | Exception, key: str = "call_1", at: datetime = NOW, **settings: Any) -> tuple[Any, Play]:
    """The result of send_webhook (or how it failed) against these replies, and what was sent."""
    action, play, connection = webhook.connector.actions["send_webhook"], Play(one_by_one(replies)), _connection(**settings)
    client = play.client(connection, call_key=key, repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey(key), datetime: at}
    told = {"type": "points.earned", "data": {"points": 18, "note": None, "who": ["é"]}}
    try:
        return action.call(handed, action.inputs.model_validate(told)), play
    except CallFailed as failure:
        return failure, play


# Proof


def test_the_published_example_of_the_standard_is_genuine() -> None:
    """The test vector of the Standard Webhooks specification is accepted, at its own time."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body, key = b'{"test": 2432232314}', "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert headers["webhook-signature"] == _signature(body, 1614265330, key=key, message=headers["webhook-id"])
    then = datetime.fromtimestamp(1614265330, UTC)
    webhook.connector.verify(_request(body, headers), _connection(webhook_secret=f"whsec_{key}"), then)


def test_both_secrets_hold_while_one_is_changed() -> None:
    """While a secret is being changed, what either signed is accepted, and what a third signed is not."""
    new, stranger = base64.b64encode(b"n" * 24).decode(), base64.b64encode(b"s" * 24).decode()
    connection = _connection(webhook_secret=[f"whsec_{new}", SECRET])
    for key in (new, KEY):
        webhook.connector.verify(_signed(b"{}", key=key), connection, NOW)
    with pytest.raises(Refused, match="does not fit"):
        webhook.connector.verify(_signed(b"{}", key=stranger), connection, NOW)


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_what_is_stale_or_from_the_future_is_refused(away: timedelta) -> None:
    """More than five minutes away in time, a delivery is refused."""
    with pytest.raises(Refused, match="300 seconds are allowed"):
        webhook.connector.verify(_signed(b"{}", at=NOW - away), _connection(), NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_of_the_standard_is_needed(missing: str) -> None:
    """Without one of the three headers a delivery is refused, and the header is named."""
    signed = _signed(b"{}")
    headers = {name: value for name, value in signed.headers.items() if name != missing}
    with pytest.raises(Refused, match=missing):
        webhook.connector.verify(_request(b"{}", headers), _connection(), NOW)


def test_an_altered_body_or_id_is_refused() -> None:
    """The signature covers the body and the id of the message."""
    signed = _signed(b'{"points":1}')
    for request in (_request(b'{"points":9}', signed.headers), signed.with_headers({"webhook-id": "msg_2"})):
        with pytest.raises(Refused):
            webhook.connector.verify(request, _connection(), NOW)


def test_a_token_stands_in_where_a_program_cannot_sign() -> None:
    """Only where a token is set, and only with that token, a delivery without a signature is accepted; it is not kept."""
    request = _request(b"{}", {"x-webhook-token": "long and random"})
    webhook.connector.verify(request, _connection(webhook_token="long and random"), NOW)
    assert "long and random" not in str(webhook.connector.strip(request))
    for connection in (_connection(), _connection(webhook_token="another")):
        with pytest.raises(Refused):
            webhook.connector.verify(request, connection, NOW)


def test_a_refusal_speaks_only_of_what_the_connection_has() -> None:
    """Who signs is not told of a token that nobody set, and who sends a token is not told of a signature."""
    with pytest.raises(Refused) as signing:
        webhook.connector.verify(_signed(b"{}", message="msg_2"), _connection(), NOW)
    with pytest.raises(Refused) as telling:
        token = _connection(webhook_secret=None, webhook_token="long and random")
        webhook.connector.verify(_request(b"{}", {"x-webhook-token": "guessed"}), token, NOW)
    assert "token" not in str(signing.value).lower()
    assert "signature" not in str(telling.value).lower()


def test_a_connection_without_secrets_takes_nothing() -> None:
    """A connection that only sends refuses every delivery."""
    with pytest.raises(Refused, match="is not set"):
        webhook.connector.verify(_signed(b"{}"), _connection(webhook_secret=None), NOW)


# What comes in


def test_a_sale_is_what_the_hub_knows_of_sales() -> None:
    """Money is exact whether it is text or a number, the id is the payment's, and the time is the message's."""
    told = {"type": "sale", "id": "p9", "timestamp": "2026-02-06T21:27:34+01:00", "data": {"amount": 18.5, "currency": "USD"}}
    (fact,) = _facts(told)
    assert isinstance(fact, Sale)
    assert (fact.amount, fact.payment_id, _key("sale", fact)) == (Decimal("18.5"), "p9", "p9")
    assert fact.occurred_at == datetime(2026, 2, 6, 20, 27, 34, tzinfo=UTC)


def test_a_time_in_the_data_goes_first() -> None:
    """`occurred_at` of the data stands before the message's timestamp."""
    data = {"amount": "1", "currency": "USD", "occurred_at": "2026-01-01T00:00:00Z"}
    (fact,) = _facts({"type": "sale", "id": "p9", "timestamp": "2026-02-06T21:27:34Z", "data": data})
    assert fact.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_number_in_the_data_goes_before_the_id() -> None:
    """A payment told in two messages is one sale, for its own number is its key."""
    first, second = (_fact("sale", name, amount="1", currency="USD", payment_id="p9") for name in ("msg_1", "msg_2"))
    assert _key("sale", first) == _key("sale", second) == "p9"


def test_a_refund_refers_to_its_sale() -> None:
    """A refund has the references by which the hub finds the sale, added to those that the program gave itself."""
    sale = _fact("sale", "p9", amount="9", currency="USD", order_id="1042")
    given = [{"kind": "order", "id": "1042"}]
    refund = _fact("refund", amount="5", currency="USD", payment_id="p9", order_id="1042", references=given)
    assert isinstance(refund, Refund)
    assert refund.refund_id == "n_1"
    assert set(refund.references) == set(sale.references)
    assert len(refund.references) == 2


def test_a_booking_is_a_new_fact_with_each_status() -> None:
    """Booked and kept are two facts of one booking."""
    booked, kept = (_fact("booking", "b1", status=status) for status in ("booked", "completed"))
    assert isinstance(booked, Booking)
    assert _key("booking", booked) != _key("booking", kept)
    assert booked.references == kept.references


def test_a_customer_changes_more_than_once() -> None:
    """Each change of one customer is a fact of its own; `customer` is another word for the type."""
    customer = {"id": "c_7", "email": "ada@example.com"}
    facts = [_fact("customer", "v1", customer=customer), _fact("customer_changed", "v2", customer=customer)]
    assert all(isinstance(fact, CustomerChanged) for fact in facts)
    assert len({_key("customer_changed", fact) for fact in facts}) == 2


def test_what_the_hub_does_not_know_is_left_out_at_every_depth() -> None:
    """Fields beside those of the fact change nothing, in the customer and the lines too."""
    plain = {"amount": "9", "currency": "USD", "customer": {"id": "c"}, "lines": [{"net": "9"}]}
    more = {**plain, "x": 1, "customer": {"id": "c", "shoe": 43}, "lines": [{"net": "9", "y": {"z": 1}}]}
    assert _fact("sale", **plain) == _fact("sale", **more)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"type": "sale", "id": "1", "data": {"currency": "USD"}}, "`data.amount` is missing"),
        ({"type": "sale", "id": "1", "data": {"amount": "NaN", "currency": "USD"}}, "`data.amount` is 'NaN'"),
        ({"type": "sale", "id": "1", "data": {"amount": "-1", "currency": "USD"}}, "`data.amount` is '-1'"),
        ({"type": "sale", "id": "1", "data": {"amount": 10**30, "currency": "USD"}}, "`data.amount` is 10000"),
        ({"type": "sale", "id": "1", "data": {"amount": "1", "currency": "dollars"}}, "`data.currency`"),
        (
            {"type": "sale", "id": "1", "data": {"amount": "1", "currency": "USD", "lines": [{"net": "1"}, {}]}},
            "`data.lines.1.net` is missing",
        ),
        ({"type": "booking", "id": "1", "data": {"status": "maybe"}}, "`data.status` is 'maybe'"),
        ({"type": "form_submitted", "id": "1", "data": {}}, "`data.form_id` is missing"),
        ({"type": "slae", "id": "1", "data": {}}, "`type` is 'slae', which the hub does not know; it knows sale, refund"),
        ({"type": "sale", "data": {}}, "`id` is missing"),
        ({"type": "sale", "id": "", "data": {}}, "`id` is ''"),
        ({"type": "sale", "id": "1"}, "`data` is missing"),
        ({"type": "sale", "id": "1", "data": []}, "`data` is []"),
        ({"type": "sale", "id": "1", "data": {}, "timestamp": "yesterday"}, "`timestamp` is 'yesterday'"),
        ([], "not as it should be"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_path(told: Any, said: str) -> None:
    """Each fault is named with the path of the field and the value that stands there."""
    with pytest.raises(Unreadable) as caught:
        _facts(told)
    assert said in str(caught.value)


# What goes out


def test_it_signs_what_it_sends() -> None:
    """The receiver, who has the secret, can check the bytes that came, their id and their time."""
    result, play = _send(answers(204))
    (call,) = play.calls
    stamp, name = call.headers["webhook-timestamp"], call.headers["webhook-id"]
    assert (result.status, result.id, call.url, stamp) == (204, name, URL, str(int(NOW.timestamp())))
    assert call.headers["webhook-signature"] == _signature(call.body, int(stamp), message=name)
    assert call.headers["content-type"] == "application/json"
    data = {"points": 18, "who": ["é"]}
    assert json.loads(call.body) == {"type": "points.earned", "timestamp": "2026-02-06T22:00:00Z", "data": data}


def test_a_repetition_carries_the_same_id_and_its_own_time() -> None:
    """Attempts of one call have one id, also hours later; another call has another."""
    _, first = _send(answers(503), requests.ReadTimeout("lost"), answers(200))
    _, later = _send(answers(200), at=NOW + timedelta(hours=5))
    _, other = _send(answers(200), key="call_2")
    names = [call.headers["webhook-id"] for call in first.calls]
    assert (len(names), set(names)) == (3, {later.calls[0].headers["webhook-id"]})
    assert other.calls[0].headers["webhook-id"] not in names
    assert later.calls[0].headers["webhook-timestamp"] != first.calls[0].headers["webhook-timestamp"]


@pytest.mark.parametrize("reply", [answers(200, b"OK"), answers(202, {"queued": True}), answers(204)])
def test_every_2xx_is_done_whatever_it_says(reply: Answer) -> None:
    """A receiver answers as it likes; 2xx is done."""
    result, _ = _send(reply)
    assert result.status == reply.status


@pytest.mark.parametrize(
    ("status", "verdict", "calls"),
    [
        (410, "lasting", 1),
        (404, "lasting", 1),
        (302, "lasting", 1),
        (401, "reconnect", 1),
        (429, "passing", 3),
        (500, "passing", 3),
    ],
)
def test_what_is_not_done_is_judged(status: int, verdict: str, calls: int) -> None:
    """Gone is for good; what may pass is tried again, within the call and later."""
    replies = [answers(status, {"message": "no"}, location="https://elsewhere.example.com/")] * 3
    failure, play = _send(*replies)
    assert isinstance(failure, CallFailed)
    assert (failure.verdict, len(play.calls)) == (verdict, calls)


@pytest.mark.parametrize("missing", ["url", "signing_secret"])
def test_it_says_which_setting_it_needs_to_send(missing: str) -> None:
    """Without an address or a secret nothing is sent; a person must set it, then it goes out."""
    failure, play = _send(answers(200), **{missing: None})
    assert isinstance(failure, CallFailed)
    assert (failure.verdict, play.calls) == ("reconnect", [])
    assert f"`{missing}`" in str(failure)


@pytest.mark.parametrize(
    "url", ["partner.example.com", "ftp://a.example.com/x", "https://user:pw@a.example.com/x", "https:///x"]
)
def test_an_address_that_is_none_is_found_when_it_is_read(url: str) -> None:
    """The address is checked with the settings, not when the first message is due."""
    (problem,) = webhook.connector.settings.problems({"url": url})
    assert (problem.name, "write the whole address" in problem.message) == ("url", True)


@pytest.mark.parametrize("kind", list(webhook.connector.triggers))
def test_hub_send_can_speak_like_a_program(kind: str) -> None:
    """Of every type a new letter can be written from its sample: signed, readable, and another fact each time."""
    connection = _connection()
    first, second = (letter_of(connection, kind, {}, NOW, salt) for salt in ("1", "2"))
    webhook.connector.verify(first.request, connection, NOW)
    assert first.key
    assert first.key != second.key
