"""Twilio: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import requests

from connectors import twilio
from hub.errors import CallFailed, Refused
from hub.sdk import CallKey, Client, Connection, Fact, MessageDelivered, MessageReceived, Settings
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 22, tzinfo=UTC)
URL = "https://points.example.com/hooks/twilio"
TOKEN = "12345"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"


def _connection(**settings: Any) -> Connection:
    values = {"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+15005550006", **settings}
    return Connection("twilio", twilio.connector, twilio.connector.settings.read(values), webhook_url=URL)


def _signature(url: str, fields: str = "") -> str:
    """As Twilio describes it; fields: names and values, sorted, with nothing between."""
    return base64.b64encode(hmac.new(TOKEN.encode(), (url + fields).encode(), hashlib.sha1).digest()).decode()


def _request(body: str, signature: str, *, url: str = URL, kind: str = "application/x-www-form-urlencoded") -> Request:
    headers = {"content-type": kind, "x-twilio-signature": signature}
    return Request("POST", "/hooks/twilio", url.partition("?")[2], headers, body.encode(), NOW, url)


def _facts(fields: Mapping[str, Any]) -> list[Fact]:
    connection = _connection()
    (item,) = twilio.connector.items(_request(urlencode(fields), ""), connection)
    return [fact for trigger in twilio.connector.triggers_for(item) for fact in trigger.read(item, connection)]


def _received(**changed: str) -> MessageReceived:
    (fact,) = _facts(twilio.INBOUND | changed)
    assert isinstance(fact, MessageReceived)
    return fact


def _act(name: str, inputs: Mapping[str, Any], *replies: Answer | Exception, **settings: Any) -> tuple[Any, Play]:
    """The result of an action (or how it failed) against these replies, and what was sent."""
    action, play, connection = twilio.connector.actions[name], Play(one_by_one(replies)), _connection(**settings)
    client = play.client(connection, call_key="run_1/0", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("run_1/0")}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _form(play: Play, number: int = 0) -> dict[str, list[str]]:
    return parse_qs(play.calls[number].body.decode(), keep_blank_values=True)


# Proof


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        ("To=%2B1&From=%2B2&Body=Hi", "BodyHiFrom+2To+1"),
        ("Body=&FromCity=&MessageSid=SM1", "BodyFromCityMessageSidSM1"),
        ("Body=+two++blanks+&a=1&B=2", "B2Body two  blanks a1"),
        ("Body=%F0%9F%8E%81+caf%C3%A9&Brand=New", "Body🎁 caféBrandNew"),
        ("MediaUrl=b&MediaUrl=a&MediaUrl=b", "MediaUrlaMediaUrlb"),
    ],
)
def test_the_signature_covers_the_url_and_all_fields(body: str, signed: str) -> None:
    """Sorted by name, upper case first; blanks, emoji and unknown fields count; of a repeated one each value once."""
    twilio.connector.verify(_request(body, _signature(URL, signed)), _connection(), NOW)


@pytest.mark.parametrize("signed_url", [URL.replace(".com/", ".com:443/"), URL])
@pytest.mark.parametrize("called_url", [URL.replace(".com/", ".com:443/"), URL])
def test_the_port_may_stand_in_the_url_or_not(signed_url: str, called_url: str) -> None:
    """Twilio is of two minds about it."""
    twilio.connector.verify(_request("Body=Hi", _signature(signed_url, "BodyHi"), url=called_url), _connection(), NOW)


@pytest.mark.parametrize(
    "url", [URL + "/", URL + "?tenant=1", URL.replace("https", "http"), "https://other.example.com/hooks/twilio"]
)
def test_another_url_is_refused(url: str) -> None:
    """A slash, a query, a scheme or a host that Twilio was not told."""
    with pytest.raises(Refused, match="public URL"):
        twilio.connector.verify(_request("Body=Hi", _signature(url, "BodyHi")), _connection(), NOW)


def test_a_body_of_json_is_covered_by_its_digest() -> None:
    """Then the URL is signed, and it holds the digest of the body."""
    body = '{"MessageSid":"SM1"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    genuine = _request(body, _signature(url), url=url, kind="application/json")
    twilio.connector.verify(genuine, _connection(), NOW)
    for forged in (replace(genuine, body=b'{"MessageSid":"SM2"}'), _request(body, _signature(URL), kind="application/json")):
        with pytest.raises(Refused):
            twilio.connector.verify(forged, _connection(), NOW)


def test_the_reply_is_an_empty_twiml_document() -> None:
    """Anything else is an error to Twilio, or goes to the member as a message."""
    answer = twilio.connector.answer(_request("", ""), _connection())
    assert (answer.status, answer.body, answer.content_type) == (200, b"<Response/>", "text/xml; charset=utf-8")


def test_messages_of_another_account_are_not_ours() -> None:
    """Sub-accounts have a token and an id of their own."""
    (item,) = twilio.connector.items(_request(urlencode(twilio.INBOUND), ""), _connection())
    assert twilio.connector.is_ours(item, _connection())
    assert not twilio.connector.is_ours(item, _connection(account_sid="AC99999999999999999999999999999999"))


# What comes in


def test_a_message_is_told_as_it_was_written() -> None:
    """With its blanks and its signs; it says no time, so the hub stamps it."""
    message = _received(Body="  balance 🎁 ")
    assert message.text == "  balance 🎁 "
    assert message.occurred_at is None
    assert message.customer is not None and message.customer.phone == message.address == "+447700900123"


def test_a_picture_alone_is_a_message_without_words() -> None:
    """Body is empty or missing where only media came."""
    assert _received(Body="").text == ""
    (fact,) = _facts({name: value for name, value in twilio.INBOUND.items() if name != "Body"})
    assert isinstance(fact, MessageReceived) and fact.text == ""


@pytest.mark.parametrize(("told", "command"), [("STOP", "stop"), ("START", "start"), ("HELP", "help"), ("", ""), ("NEW", "")])
def test_the_opt_out_that_twilio_understood_is_taken_over(told: str, command: str) -> None:
    """Whatever word it was in; without Advanced Opt-Out the field is missing and the programme's own words decide."""
    assert _received(Body="Pare", OptOutType=told).command == command
    assert _received(Body="STOP").command == ""


def test_whatsapp_is_a_channel_and_no_part_of_the_number() -> None:
    """`whatsapp:+44…`, on both ends."""
    message = _received(From="whatsapp:+447700900123", To="whatsapp:+447700900200")
    assert (message.channel, message.address, message.to) == ("whatsapp", "+447700900123", "+447700900200")


@pytest.mark.parametrize("status", ["accepted", "scheduled", "queued", "sending", "sent", "canceled", "partially_delivered"])
def test_only_final_words_are_facts(status: str) -> None:
    """Reports come late and out of order: a `sent` after `delivered` moves nothing."""
    assert _facts(twilio.REPORT | {"MessageStatus": status}) == []


def test_delivered_and_read_are_one_arrival() -> None:
    """The message's id is the key."""
    key_of = twilio.connector.triggers["message_delivered"].key_of
    (delivered,), (read,) = (_facts(twilio.REPORT | {"MessageStatus": status}) for status in ("delivered", "read"))
    assert isinstance(delivered, MessageDelivered)
    assert key_of(delivered) == key_of(read)


@pytest.mark.parametrize(
    ("code", "lasting"), [("21610", True), ("30005", True), ("30006", True), ("30003", False), ("30008", False), ("", False)]
)
def test_a_failure_says_whether_the_number_is_lost(code: str, lasting: bool) -> None:
    """A handset that is switched off may be on tomorrow; a landline never takes a message."""
    (fact,) = _facts(twilio.REPORT | {"MessageStatus": "failed", "ErrorCode": code})
    assert isinstance(fact, twilio.SmsFailed)
    assert (fact.code, fact.lasting) == (code, lasting) and fact.reason


# What goes out


@pytest.mark.parametrize(
    ("sender", "field"),
    [("+15005550006", "From"), ("MG0123456789abcdef0123456789abcdef", "MessagingServiceSid"), ("Shop", "From")],
)
def test_a_sender_is_a_number_a_name_or_a_service(sender: str, field: str) -> None:
    """Each in the field that Twilio has for it."""
    _, play = _act("send_sms", twilio.THANKS, answers(201, twilio.QUEUED), sender=sender)
    form = _form(play)
    assert form[field] == [sender]
    assert {"From", "MessagingServiceSid"} & set(form) == {field}
    assert form["StatusCallback"] == [URL]


@pytest.mark.parametrize("lost", [answers(500), answers(503), requests.ReadTimeout("lost"), requests.ConnectionError("reset")])
def test_a_message_whose_answer_was_lost_is_not_sent_again(lost: Any) -> None:
    """Twilio keeps no key: it may have been sent."""
    failure, play = _act("send_sms", twilio.THANKS, lost, answers(201, twilio.QUEUED))
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain"
    assert len(play.calls) == 1


def test_a_message_that_was_too_many_is_sent_again() -> None:
    """Twilio does not process what it answers with 429."""
    sent, play = _act("send_sms", twilio.THANKS, answers(429, {"code": 20429}), answers(201, twilio.QUEUED))
    assert (sent.sid, len(play.calls)) == (twilio.QUEUED["sid"], 2)


@pytest.mark.parametrize("code", [21211, 21408, 21610, 21612, 21614, 21617])
def test_a_number_that_cannot_be_written_to_is_lasting(code: int) -> None:
    """And it is said why, in Twilio's words."""
    failure, _ = _act("send_sms", twilio.THANKS, answers(400, {"code": code, "message": "It cannot be done.", "status": 400}))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "It cannot be done." in str(failure)


@pytest.mark.parametrize(
    ("changed", "was_sent"),
    [
        ({}, True),
        ({"date_created": "Fri, 06 Feb 2026 21:27:30 +0000"}, True),
        ({"date_created": "Fri, 06 Feb 2026 21:27:28 +0000"}, False),
        ({"date_created": "Thu, 05 Feb 2026 23:00:00 +0000"}, False),
        ({"body": "Thanks! +13 points."}, False),
        ({"direction": "inbound"}, False),
    ],
)
def test_a_lost_answer_is_looked_up(changed: Mapping[str, str], was_sent: bool) -> None:
    """By number, text and time: not the same words of yesterday, nor what the member wrote."""
    action, connection = twilio.connector.actions["send_sms"], _connection()
    play = Play(one_by_one([answers(200, {"messages": [twilio.QUEUED | changed]})]))
    started = datetime(2026, 2, 6, 21, 27, 30, 500_000, tzinfo=UTC)
    handed = {Client: play.client(connection), datetime: started}
    found = action.find_done(handed, action.inputs.model_validate(twilio.THANKS), "run_1/0")
    assert (found is not None) is was_sent
    assert "To=%2B447700900123" in play.calls[0].url


@pytest.mark.parametrize("body", ["", "x" * 1601])
def test_a_text_has_a_length(body: str) -> None:
    """Neither nothing nor more than Twilio takes."""
    action = twilio.connector.actions["send_sms"]
    with pytest.raises(ValueError, match="body"):
        action.inputs.model_validate(twilio.THANKS | {"body": body})


def test_a_scheduled_message_says_when_in_utc() -> None:
    """With a service; the time in the form that Twilio takes."""
    when = NOW.astimezone() + timedelta(hours=1)
    _, play = _act(
        "send_sms", twilio.THANKS | {"send_at": when}, answers(201, twilio.QUEUED), sender="MG0123456789abcdef0123456789abcdef"
    )
    form = _form(play)
    assert (form["ScheduleType"], form["SendAt"]) == (["fixed"], ["2026-02-06T23:00:00Z"])


def test_one_consent_that_is_refused_does_not_fail_the_others() -> None:
    """Many go out as one call; each gets its own result."""
    action, connection = twilio.connector.actions["record_consent"], _connection()
    refused = {"correlation_id": f"{1:032d}", "error_code": 25001, "error_messages": ["no such sender"]}
    reply = {"items": [{"correlation_id": f"{0:032d}", "error_code": 0, "error_messages": []}, refused]}
    play = Play(one_by_one([answers(201, reply)]))
    many = [action.inputs.model_validate({"phone": phone, "status": "opt-out"}) for phone in ("+447700900123", "+447700900124")]
    handed = {Client: play.client(connection, repeat=action.repeat), Settings: connection.settings}
    good, bad = action.call_many(handed, many)
    assert isinstance(good, twilio.Recorded) and good.phone == "+447700900123"
    assert isinstance(bad, CallFailed) and "no such sender" in str(bad)
    assert [json.loads(one)["contact_id"] for one in _form(play)["Items"]] == ["+447700900123", "+447700900124"]
    assert play.calls[0].url.startswith("https://accounts.twilio.com/")
