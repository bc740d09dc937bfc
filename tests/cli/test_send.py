"""`hub send` speaks like a platform: signed, new every time, or the very same again."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from hub import bootstrap, config
from hub.cli.letter import letter_of
from hub.engine.connecting import open_connections
from hub.errors import HubError, Refused
from hub.sdk.play import Play
from hub.sdk.request import Answer
from hub.web.app import create_app
from hub.web.server import threaded_server

NOW = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
SQUARE = """public_url: https://points.example.com
connections:
  square: {access_token: token, webhook_signature_key: "${KEY}", merchant_id: ML4QPKMGXY82H}
  twilio: {account_sid: AC0123456789abcdef0123456789abcdef, auth_token: twilio-auth-token, sender: "+15005550006"}
"""


@pytest.fixture
def connected(shop):
    """The workspace with Square and Twilio connected."""
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + SQUARE, "utf-8")
    (shop / ".env").write_text("KEY=signature-key\n", "utf-8")
    return shop


@pytest.fixture
def connections(connected):
    return open_connections(config.load(connected), bootstrap.discover())


@contextmanager
def serving(folder, environ=None):
    """The hub of a workspace, web and worker, its platforms played; gives its address."""
    settings = config.load(folder, environ)
    played = Play(lambda called, before: Answer(200, b"{}", "application/json"))
    hub = bootstrap.open_hub(settings, open_http=lambda connection: played.session())
    stop = threading.Event()
    worker = hub.worker()
    working = threading.Thread(target=worker.run, args=(stop,))
    working.start()
    try:
        with threaded_server(create_app(hub.door, hub.checks, hub.snapshot)) as served:
            yield served.url
    finally:
        stop.set()
        hub.waker.ring()
        working.join()
        hub.close()


def test_a_delivery_is_taken_and_earns(hub, connected):
    """What is sent is accepted as genuine, worked, and what came of it is shown."""
    with serving(connected) as url:
        shown = hub("send", "square", "payment_completed", "--to", url, "-w", connected).stdout
    assert "Accepted" in shown
    assert "Run of points" in shown
    assert "18" in shown


def test_each_delivery_is_new_unless_it_shall_be_the_same(hub, ask, connected):
    """Several deliveries are several sales; with --same they are one."""
    with serving(connected) as url:
        told = ask("send", "square", "payment_completed", "--times", 3, "--to", url, "-w", connected)
        assert (told["sent"], told["accepted"]) == (3, 3)
        ask("send", "square", "payment_completed", "--times", 3, "--same", "--to", url, "-w", connected)
    hub("worker", "--drain", "-w", connected)
    assert len([one for one in ask("events", "-w", connected) if one["fact"] == "sale"]) == 4


def test_a_hub_with_another_secret_refuses(hub, connected):
    """When the hub knows another secret, its answer is shown, and the exit code is 1."""
    with serving(connected, {"KEY": "another-key"}) as url:
        assert "401" in hub("send", "square", "payment_completed", "--to", url, "-w", connected, code=1).stderr


def test_nobody_at_home_is_a_sentence(hub, connected):
    """Where nothing listens, it says how to start the hub."""
    said = hub("send", "square", "payment_completed", "--to", "http://127.0.0.1:9", "-w", connected, code=1).stderr
    assert "hub run" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["squar", "payment_completed"], "no connection 'squar'; there are square, twilio"),
        (["square", "payment_complete"], "did you mean `payment_completed`?"),
        (["square", "payment_completed", "--set", "nothing=1"], "no field `nothing`"),
        (["square", "payment_completed", "--set", "amount=1"], "can be 3 fields"),
        (["square", "payment_completed", "--set", "amount_money.amount=much"], "not of that kind"),
    ],
)
def test_what_cannot_be_sent_is_said(hub, connected, words, said):
    """A wrong name or field is named with what there is."""
    assert said in hub("send", *words, "-w", connected, code=1).stderr.replace("\n", " ")


def test_a_connection_that_waits_says_for_what(hub, connected):
    """A secret that is not set is named."""
    (connected / ".env").unlink()
    assert "KEY" in hub("send", "square", "payment_completed", "-w", connected, code=1).stderr


def test_a_letter_is_signed_new_and_of_now(connections):
    """Ids of the sale are new, the customer and the times' form stay, times are of now, the signature fits."""
    square = connections["square"]
    first, second = (letter_of(square, "payment_completed", {}, NOW, salt) for salt in ("a", "b"))
    square.connector.verify(first.request, square, NOW)
    assert first.key != second.key
    bodies = [json.loads(letter.request.body)["data"]["object"]["payment"] for letter in (first, second)]
    assert bodies[0]["order_id"] != bodies[1]["order_id"]
    assert bodies[0]["customer_id"] == bodies[1]["customer_id"]
    assert bodies[0]["created_at"].startswith("2027-03-0")
    assert bodies[0]["created_at"].endswith("Z")


def test_the_same_letter_is_the_sample_itself(connections):
    """Without a salt nothing is changed but what is asked for."""
    square = connections["square"]
    letter = letter_of(square, "payment_completed", {"amount_money.amount": "5000"}, NOW, None)
    again = letter_of(square, "payment_completed", {}, NOW, None)
    assert letter.key == again.key
    assert json.loads(letter.request.body)["data"]["object"]["payment"]["amount_money"]["amount"] == 5000


def test_a_form_is_sent_as_a_form(connections):
    """A platform that posts forms is spoken like, too."""
    twilio = connections["twilio"]
    letter = letter_of(twilio, "message_received", {"Body": "BALANCE"}, NOW, "a")
    twilio.connector.verify(letter.request, twilio, NOW)
    assert letter.request.is_form
    assert dict(letter.request.fields())["Body"] == "BALANCE"


def test_a_change_is_signed_too(connections):
    """What was changed on the command line is covered by the signature; what was changed on the way is refused."""
    square = connections["square"]
    request = letter_of(square, "payment_completed", {}, NOW, "a").request
    altered = type(request)(**{**{name: getattr(request, name) for name in request.__slots__}, "body": request.body + b" "})
    with pytest.raises(Refused):
        square.connector.verify(altered, square, NOW)


def test_an_unknown_trigger_is_named(connections):
    """A trigger that there is not is answered with those that there are."""
    with pytest.raises(HubError, match="payment_completed"):
        letter_of(connections["square"], "payed", {}, NOW, None)


def test_a_fact_that_has_to_wait_is_shown_too(hub, connected):
    """A refund of a sale that nobody knows waits for it, and says so."""
    with serving(connected) as url:
        shown = hub("send", "square", "refund_completed", "--to", url, "-w", connected).stdout
    assert "waiting" in shown
