"""The stand-in: plays the vendors as the connectors expect them, and keeps what it was asked."""

import pytest
import requests

from hub.clock import SystemClock
from hub.demo import payloads, shop
from hub.demo.stand_in import StandIn
from hub.demo.vendors import SquareApi, TwilioApi

MESSAGES = "/twilio/2010-04-01/Accounts/AC1/Messages.json"


TEXT = "order_id,customer,date,quantity,amount\no000001,c0001,1997-01-01,2,29.33\no000002,c0010,1997-01-02,1,5.00\n"


@pytest.fixture
def square():
    return SquareApi(shop.read_purchases(TEXT))


@pytest.fixture
def stand_in(square):
    with StandIn(square, TwilioApi(SystemClock())) as running:
        yield running


def test_a_text_is_accepted_and_kept(stand_in):
    """Twilio answers 201 with a sid, and the text can be looked at afterwards."""
    form = {"To": "+13125550001", "From": "+13125559000", "Body": "Hello & welcome"}
    reply = requests.post(stand_in.url + MESSAGES, data=form, auth=("AC1", "secret"), timeout=5)
    assert reply.status_code == 201 and reply.json()["sid"].startswith("SM")
    assert [kept.body["Body"] for kept in stand_in.messages()] == ["Hello & welcome"]
    assert requests.get(stand_in.url, timeout=5).json()["asked"] == {"twilio POST": 1}


def test_an_impossible_number_is_refused_as_twilio_does(stand_in):
    """The error has Twilio's code 21211 and the text is not counted as sent."""
    reply = requests.post(stand_in.url + MESSAGES, data={"To": "nobody", "Body": "x"}, auth=("AC1", "secret"), timeout=5)
    assert reply.status_code == 400 and reply.json()["code"] == 21211
    assert stand_in.messages() == []


@pytest.mark.parametrize(("vendor", "path"), [("square", "/square/v2/orders/o000001"), ("twilio", MESSAGES)])
def test_nobody_gets_in_without_credentials(stand_in, vendor, path):
    """Both vendors answer 401 in their own words."""
    reply = requests.get(stand_in.url + path, timeout=5)
    assert reply.status_code == 401
    assert ("errors" if vendor == "square" else "code") in reply.json()


def _get(stand_in, path):
    return requests.get(stand_in.url + "/square/v2" + path, headers={"Authorization": "Bearer token"}, timeout=5)


def test_square_knows_the_shops_orders(stand_in):
    """Orders have their line; what is not there is a 404 in Square's words."""
    order = _get(stand_in, "/orders/o000001").json()["order"]
    assert order["line_items"][0]["total_money"] == {"amount": 2933, "currency": "USD"}
    assert _get(stand_in, "/orders/o9").json()["errors"][0]["code"] == "NOT_FOUND"


def test_square_lists_page_by_page_what_it_has_learned(stand_in, square):
    """Payments that were told are listed by their time of change, without what their telling left out; others are not."""
    for _, happenings in shop.script(shop.read_purchases(TEXT)):
        for happening in happenings:
            square.learn(payloads.tell(happening))
    first = _get(stand_in, "/payments?updated_at_begin_time=1997-01-01T00:00:00Z&limit=1").json()
    assert [payment["order_id"] for payment in first["payments"]] == ["o000001"]
    assert None not in first["payments"][0].values()
    rest = _get(stand_in, f"/payments?updated_at_begin_time=1997-01-01T00:00:00Z&limit=1&cursor={first['cursor']}").json()
    assert [payment["order_id"] for payment in rest["payments"]] == ["o000002"] and "cursor" not in rest
    assert _get(stand_in, "/payments?updated_at_begin_time=1997-02-01T00:00:00Z&limit=1").json() == {"payments": []}
    assert _get(stand_in, "/customers/c0001").json()["customer"]["given_name"] == "Ben"
