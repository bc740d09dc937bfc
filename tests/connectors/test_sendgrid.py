"""SendGrid: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from connectors import sendgrid
from hub import document
from hub.engine.alerts.owner import read as read_owner
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Fact, Item, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/sendgrid"
# A delivery that SendGrid's own library is tested with, its key, its time and its signature. The body ends in CRLF.
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F"
    "+g=="
)
SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
STAMP = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def _connection(**settings: Any) -> Connection:
    values = {"api_key": "SG.a.7Qd2", "webhook_public_key": KEY, "sender": "points@example.com", "unsubscribe_group": 42}
    read = sendgrid.connector.settings.read(values | settings)
    return Connection("sendgrid", sendgrid.connector, read, webhook_url=URL)


def _request(body: Any, **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/hooks/sendgrid", "", {"content-type": "application/json", **headers}, raw, NOW, URL)


def _published(body: bytes = BODY, stamp: str = STAMP) -> Request:
    names = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
    return _request(body, **dict(zip(names, (SIGNATURE, stamp), strict=True)))


def _facts(*events: Mapping[str, Any] | Item, **settings: Any) -> list[Any]:
    connection = _connection(**settings)
    told = [event for event in events if not isinstance(event, Item)]
    items = [
        *(sendgrid.connector.items(_request(told), connection) if told else ()),
        *(e for e in events if isinstance(e, Item)),
    ]
    return [
        fact for item in items for trigger in sendgrid.connector.triggers_for(item) for fact in trigger.read(item, connection)
    ]


def _key(name: str, fact: Fact) -> str:
    return sendgrid.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection = sendgrid.connector.actions[name], _connection(**settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1")}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body, parse_float=Decimal)


def _error(status: int, message: str, field: str | None = None) -> Answer:
    return answers(status, {"errors": [{"message": message, "field": field, "help": None}]})


# Proof


def test_the_published_delivery_verifies() -> None:
    """The time's text and the body's very bytes, CRLF and all; years later too, because retries come late."""
    sendgrid.connector.verify(_published(), _connection(), NOW)


@pytest.mark.parametrize(
    "request_", [_published(BODY.rstrip()), _published(stamp="1600112503"), _published(BODY.replace(b"}]", b"},{}]"))]
)
def test_a_byte_more_or_less_is_refused(request_: Request) -> None:
    """The line's end, the time and the events are all signed."""
    with pytest.raises(Refused):
        sendgrid.connector.verify(request_, _connection(), NOW)


def test_without_the_key_nothing_is_taken() -> None:
    """A connection that only sends has no key, and hears nothing."""
    with pytest.raises(Refused, match="webhook_public_key"):
        sendgrid.connector.verify(_published(), _connection(webhook_public_key=None), NOW)


# What comes in


def test_one_bad_event_does_not_fail_its_batch() -> None:
    """Each stands for itself; what is wrong with one is said of it."""
    bad = {"event": "open", "email": "ana@example.com"}
    items = sendgrid.connector.items(_request([sendgrid.DELIVERED, bad, 7, sendgrid.CLICKED]), _connection())
    assert [item.kind for item in items] == ["delivered", "open", "", "click"]
    assert items[2].problem
    with pytest.raises(Unreadable, match="`timestamp` is missing"):
        sendgrid.connector.triggers["message_opened"].read(items[1], _connection())
    assert len(_facts(sendgrid.DELIVERED, sendgrid.CLICKED)) == 2


def test_a_batch_may_tell_of_thousands_of_messages() -> None:
    """As many as go into what SendGrid collects before it sends."""
    many = [{"event": "delivered", "email": f"m{number}@example.com", "timestamp": 1770413254} for number in range(5_000)]
    assert len(sendgrid.connector.items(_request(many), _connection())) == 5_000


@pytest.mark.parametrize(
    ("told", "message_id"),
    [
        ("a1.filter01.1.0", "a1"),
        ("14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "14c5d75ce93.dfd.64b469"),
        ("LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-9.0", "LRzXl_NHStOGhQ4kofSm_A"),
        ("a1.recvd-canary-5d9b-1-0.0", "a1"),
        ("a1", "a1"),
    ],
)
def test_a_message_is_known_by_the_id_that_its_sending_gave(told: str, message_id: str) -> None:
    """Dots and all; where the message was sorted comes after it."""
    (fact,) = _facts(sendgrid.DELIVERED | {"sg_message_id": told})
    assert fact.message_id == message_id


def test_events_without_ids_can_still_be_told_apart() -> None:
    """Some old ones have neither; then kind, time and address tell them."""
    bare = {"event": "bounce", "email": "ana@example.com", "timestamp": 1770413254}
    first, other, same = _facts(bare, bare | {"timestamp": 1770413255}, bare)
    assert _key("message_failed", first) == _key("message_failed", same) != _key("message_failed", other)


@pytest.mark.parametrize(("category", "categories"), [("loyalty", ("loyalty",)), (["a", "b"], ("a", "b"))])
def test_a_category_is_a_text_or_a_list(category: Any, categories: tuple[str, ...]) -> None:
    """As it pleases; what was sent along comes back too."""
    (fact,) = _facts(sendgrid.DELIVERED | {"category": category, "singlesend_name": "February"})
    assert (fact.categories, fact.campaign, fact.call) == (categories, "February", "call_1")


def test_a_message_is_opened_once_and_by_a_person() -> None:
    """Apple opens everything itself; that is no opening, and does not keep a later one from being heard."""
    machine = sendgrid.OPENED | {"sg_machine_open": True}
    again = sendgrid.OPENED | {"timestamp": 1770413999, "sg_event_id": "another"}
    first, second = _facts(machine, sendgrid.OPENED, again)
    assert _key("message_opened", first) == _key("message_opened", second)
    (other,) = _facts(sendgrid.OPENED | {"email": "ben@example.com"})
    assert _key("message_opened", other) != _key("message_opened", first)


def test_each_link_of_a_message_counts_once() -> None:
    """However long it is."""
    long = "https://shop.example/" + "x" * 5_000
    first, again, other = _facts(
        sendgrid.CLICKED, sendgrid.CLICKED | {"timestamp": 1770413999}, sendgrid.CLICKED | {"url": long}
    )
    keys = [_key("message_clicked", fact) for fact in (first, again, other)]
    assert keys[0] == keys[1] != keys[2] and len(keys[2]) < 200
    assert other.link == long


@pytest.mark.parametrize(
    ("changed", "kind", "lasting"),
    [
        ({}, "bounced", True),
        ({"type": "blocked", "status": "4.7.1"}, "blocked", False),
        ({"event": "dropped", "reason": "Bounced Address"}, "dropped", True),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "dropped", True),
        ({"event": "dropped", "reason": "Spam Content"}, "dropped", False),
        ({"event": "dropped", "reason": None}, "dropped", False),
    ],
)
def test_a_failure_says_whether_the_address_is_lost(changed: Mapping[str, Any], kind: str, lasting: bool) -> None:
    """A block is of this message alone; what is dropped was not sent at all."""
    (fact,) = _facts(sendgrid.BOUNCED | changed)
    assert (fact.kind, fact.lasting) == (kind, lasting)


@pytest.mark.parametrize("kind", ["processed", "deferred", "account_status_change"])
def test_what_is_no_last_word_is_no_fact(kind: str) -> None:
    """It comes in between, or is about the account."""
    assert _facts(sendgrid.DELIVERED | {"event": kind}) == []


@pytest.mark.parametrize(
    ("kind", "group", "ours", "heard"),
    [
        ("unsubscribe", None, 42, True),
        ("unsubscribe", None, None, True),
        ("group_unsubscribe", 42, 42, True),
        ("group_unsubscribe", 7, 42, False),
        ("group_unsubscribe", 7, None, True),
        ("group_resubscribe", 42, 42, True),
        ("group_resubscribe", 7, 42, False),
        ("group_resubscribe", 7, None, False),
        ("group_resubscribe", None, None, False),
        ("spamreport", 7, 42, True),
    ],
)
def test_only_the_programmes_group_speaks_for_the_programme(
    kind: str, group: int | None, ours: int | None, heard: bool
) -> None:
    """A no is heard in doubt, a yes is not."""
    event = sendgrid.DELIVERED | {"event": kind, "asm_group_id": group}
    facts = _facts(event, unsubscribe_group=ours)
    assert [fact.address for fact in facts] == (["ana@example.com"] if heard else [])


def test_a_no_is_one_by_webhook_and_by_polling() -> None:
    """Neither the event's id nor the case of the address is in both; a later no is another."""
    connection = _connection()
    play = Play(
        one_by_one(
            [
                answers(200, [{"created": 1770413255, "email": "ana@example.com"}]),
                answers(200, [{"email": "ana@example.com", "group_id": 42, "created_at": 1770413253}]),
            ]
        )
    )
    since = datetime(2026, 2, 6, tzinfo=UTC)
    polled = _facts(*sendgrid.connector.pulls["unsubscribes"].items(connection, play.client(connection), since))
    told = _facts(sendgrid.DELIVERED | {"event": "unsubscribe"}, sendgrid.LEFT)
    assert [_key("unsubscribed", fact) for fact in polled] == [_key("unsubscribed", fact) for fact in told]
    (later,) = _facts(sendgrid.LEFT | {"timestamp": 1770413254 + 60})
    assert _key("unsubscribed", later) != _key("unsubscribed", told[1])


def test_polling_goes_through_all_pages() -> None:
    """Five hundred addresses each."""
    connection = _connection()
    full = [{"created": 1770413254, "email": f"m{number}@example.com"} for number in range(500)]
    play = Play(one_by_one([answers(200, full), answers(200, full[:3])]))
    items = list(sendgrid.connector.pulls["spam_reports"].items(connection, play.client(connection), NOW - timedelta(days=1)))
    assert len(items) == 503
    assert "offset=500" in play.calls[1].url and "start_time=1770327000" in play.calls[1].url


def test_subscribing_takes_the_webhook_that_is_there_and_has_it_signed() -> None:
    """A second one would tell everything twice; the key that verifies it is kept."""
    connection = _connection()
    ours = {"id": "w-2", "url": URL}
    for known, first in (([{"id": "w-1", "url": "https://other.example"}], "POST"), ([ours], "PATCH")):
        signed = answers(200, {"id": "w-2", "public_key": KEY})
        play = Play(one_by_one([answers(200, {"max_allowed": 5, "webhooks": known}), answers(200, ours), signed]))
        handed = {Client: play.client(connection), Connection: connection}
        assert sendgrid.connector.subscription is not None
        assert sendgrid.connector.subscription.call(handed) == {"webhook_public_key": KEY}
        assert [call.method for call in play.calls] == ["GET", first, "PATCH"]
        assert _sent(play.calls[1])["url"] == URL and "processed" not in _sent(play.calls[1])
        assert play.calls[2].url.endswith("/v3/user/webhooks/event/settings/signed/w-2")


@pytest.mark.parametrize(("known", "calls"), [([{"id": "w-2", "url": URL}], 2), ([], 1)])
def test_unsubscribing_switches_only_our_webhook_off(known: list[Any], calls: int) -> None:
    """Where there is one."""
    connection = _connection()
    play = Play(one_by_one([answers(200, {"webhooks": known}), answers(200, {})]))
    assert sendgrid.connector.unsubscription is not None
    sendgrid.connector.unsubscription.call({Client: play.client(connection), Connection: connection})
    assert len(play.calls) == calls
    assert all(_sent(call) == {"url": URL, "enabled": False} for call in play.calls[1:])


# What goes out


def test_a_message_carries_its_call_and_never_overrides_an_opt_out() -> None:
    """What becomes of it can be told apart by the call; lists of suppressions hold."""
    (sent,), play = _act("send_email", [sendgrid.THANKS], answers(202, None, x_message_id="14c5d75ce93.dfd.64b469"))
    mail = _sent(play.calls[0])
    assert sent.message_id == "14c5d75ce93.dfd.64b469"
    assert mail["personalizations"] == [{"to": [{"email": "ana@example.com"}], "custom_args": {"hub_call": "call_1"}}]
    assert (mail["asm"], mail["from"]) == ({"group_id": 42}, {"email": "points@example.com"})
    assert "mail_settings" not in mail and "headers" not in mail


def test_the_text_comes_before_the_html() -> None:
    """SendGrid refuses them the other way round."""
    _, play = _act("send_email", [sendgrid.THANKS | {"html": "<p>Hi</p>"}], sendgrid.ACCEPTED, unsubscribe_group=None)
    assert [part["type"] for part in _sent(play.calls[0])["content"]] == ["text/plain", "text/html"]
    assert "asm" not in _sent(play.calls[0])


def test_leaving_takes_one_click_at_an_address_that_is_safe() -> None:
    """Both headers, over TLS only; nothing can be added to them."""
    inputs = {"to": "ana@example.com", "template_id": "d-1", "data": {}, "unsubscribe_url": "https://points.example.com/leave"}
    _, play = _act("send_template", [inputs], sendgrid.ACCEPTED)
    assert _sent(play.calls[0])["headers"] == {
        "List-Unsubscribe": "<https://points.example.com/leave>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    model = sendgrid.connector.actions["send_template"].inputs
    for wrong in ("http://points.example.com", "https://a>, <mailto:x@example.com", "https://a\r\nBcc: b@example.com"):
        with pytest.raises(ValidationError, match="unsubscribe_url"):
            model.model_validate(inputs | {"unsubscribe_url": wrong})


def test_a_template_gets_exact_amounts() -> None:
    """Digit by digit."""
    inputs = {"to": "ana@example.com", "template_id": "d-1", "data": {"spent": Decimal("18.50"), "tier": "Gold"}}
    _, play = _act("send_template", [inputs], sendgrid.ACCEPTED)
    assert b'"spent":18.50' in play.calls[0].body and _sent(play.calls[0])["template_id"] == "d-1"


@pytest.mark.parametrize("lost", [answers(500), answers(503), requests.ReadTimeout("lost"), requests.ConnectionError("reset")])
@pytest.mark.parametrize("name", ["send_email", "send_template"])
def test_a_message_whose_answer_was_lost_is_not_sent_again(name: str, lost: Any) -> None:
    """SendGrid keeps no key and cannot be asked: it may have been sent."""
    inputs = sendgrid.THANKS if name == "send_email" else {"to": "ana@example.com", "template_id": "d-1", "data": {}}
    (failure,), play = _act(name, [inputs], lost, sendgrid.ACCEPTED)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (_error(400, "Does not contain a valid address.", "personalizations.0.to.0.email"), "lasting", "personalizations.0.to"),
        (_error(401, "The provided authorization grant is invalid, expired, or revoked"), "reconnect", "revoked"),
        (_error(401, "Maximum credits exceeded"), "passing", "credits"),
        (_error(403, "access forbidden"), "reconnect", "forbidden"),
        (_error(403, "It does not match a verified Sender Identity.", "from"), "lasting", "Sender Identity"),
        (_error(413, "Request is too large"), "lasting", "too large"),
    ],
)
def test_a_refusal_says_what_is_to_be_done(reply: Answer, verdict: str, said: str) -> None:
    """A plan whose mails are used up answers 401, and mends itself; a sender that is not verified answers 403, and does not."""
    (failure,), _ = _act("send_email", [sendgrid.THANKS], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)


def test_the_owner_can_be_told_by_e_mail() -> None:
    """By the plain message, not by the template."""
    node = document.load("owner: {email: Owner@example.com}\n", "hub.yaml").get("owner")  # type: ignore[attr-defined]
    [way] = read_owner(node, {"mail": _connection()}, "US")[1]
    assert way.shown == "owner@example.com through mail.send_email"
    inputs = way.input("1 call is held", "Look at it.")
    assert inputs == {"to": "owner@example.com", "subject": "1 call is held", "body": "Look at it."}
    (sent,), _ = _act("send_email", [inputs], sendgrid.ACCEPTED)
    assert sent.message_id == "a1"
    with pytest.raises(Exception, match="no connection"):
        read_owner(
            document.load("owner: {email: a@example.com, through: mail.send_template}\n", "hub.yaml").get("owner"),  # type: ignore[attr-defined]
            {"mail": _connection()},
            "US",
        )


@pytest.mark.parametrize(
    ("changed", "settings", "said"),
    [
        ({"segment_ids": []}, {}, "segment_ids"),
        ({"html": "<p>Hi</p>"}, {}, "design_id"),
        ({"design_id": None}, {}, "design_id"),
        ({"design_id": None, "html": "<p>Hi</p>"}, {}, "subject"),
        ({}, {"sender_id": None}, "sender_id"),
        ({}, {"unsubscribe_group": None}, "unsubscribe_group"),
    ],
)
def test_a_campaign_that_would_not_go_out_is_not_begun(
    changed: Mapping[str, Any], settings: Mapping[str, Any], said: str
) -> None:
    """No draft is left behind, and above all none without a way to leave."""
    (failure,), play = _act("send_campaign", [sendgrid.NEWS | changed], **{"sender_id": 77, **settings})
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and said in str(failure)
    assert play.calls == []


def test_a_campaign_may_bring_its_own_text_and_time() -> None:
    """To lists as well as to segments, with a URL in place of the group."""
    said = {"design_id": None, "subject": "Hi", "html": "<p>Hi</p>", "list_ids": [sendgrid.LIST], "send_at": NOW}
    inputs = sendgrid.NEWS | said | {"unsubscribe_url": "https://points.example.com/leave"}
    replies = answers(201, sendgrid.DRAFT), answers(201, {"status": "scheduled"})
    (campaign,), play = _act("send_campaign", [inputs], *replies, sender_id=77)
    draft = _sent(play.calls[0])
    assert campaign.status == "scheduled"
    assert draft["email_config"] == {
        "subject": "Hi",
        "html_content": "<p>Hi</p>",
        "sender_id": 77,
        "custom_unsubscribe_url": "https://points.example.com/leave",
    }
    assert draft["send_to"] == {"segment_ids": [sendgrid.SEGMENT], "list_ids": [sendgrid.LIST]}
    assert _sent(play.calls[1]) == {"send_at": "2026-02-06T21:30:00Z"}


def test_custom_fields_are_found_by_name_and_have_types() -> None:
    """A number goes as one, an empty text clears; what the settings name is not looked up."""
    fields = {"points": "120.50", "tier": ""}
    named = {"points": "e1_N", "tier": "e2_T"}
    for settings, replies in (({}, [sendgrid.DEFINED]), ({"custom_fields": named}, [])):
        _, play = _act(
            "upsert_contact", [sendgrid.POINTS | {"fields": fields}], *replies, answers(202, {"job_id": "j"}), **settings
        )
        assert len(play.calls) == len(replies) + 1
        (row,) = _sent(play.calls[-1])["contacts"]
        assert row == {"email": "ana@example.com", "custom_fields": {"e1_N": Decimal("120.50"), "e2_T": None}}


def test_one_contact_that_cannot_be_written_does_not_fail_the_others() -> None:
    """Unknown fields and odd numbers are found before, what SendGrid refuses by halves."""
    many = [
        sendgrid.POINTS,
        {"email": "ben@example.com", "fields": {"pointz": "1"}},
        {"email": "cy@example.com", "fields": {"points": "many"}},
        {"email": "odd@example", "first_name": "Odd"},
    ]
    job = answers(202, {"job_id": "j"})
    replies = (
        sendgrid.DEFINED,
        _error(400, "is not valid", "contacts[1].email"),
        job,
        _error(400, "is not valid", "contacts[0].email"),
    )
    (good, unknown, odd, refused), play = _act("upsert_contact", many, *replies)
    assert good.job_id == "j" and len(play.calls) == 4
    for failure, said in ((unknown, "pointz"), (odd, "'many'"), (refused, "is not valid")):
        assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and said in str(failure)


def test_a_contact_that_is_named_twice_is_written_once() -> None:
    """With what both say, the later last; addresses are lower case to SendGrid."""
    many = [sendgrid.POINTS, {"email": "ANA@example.com", "first_name": "Ana", "external_id": "m1", "fields": {"e1_N": "130"}}]
    results, play = _act("upsert_contact", many, sendgrid.DEFINED, answers(202, {"job_id": "j"}))
    assert [result.job_id for result in results] == ["j", "j"]
    (row,) = _sent(play.calls[1])["contacts"]
    assert row == {
        "email": "ana@example.com",
        "first_name": "Ana",
        "external_id": "m1",
        "custom_fields": {"e1_N": 130, "e2_T": "Gold"},
    }


@pytest.mark.parametrize("changed", [{"status": "failed"}, {"status": "errored"}, {"results": {"errored_count": 2}}])
def test_what_was_taken_may_still_not_be_written(changed: Mapping[str, Any]) -> None:
    """A job with rows that failed has failed, whatever its status."""
    (failure,), _ = _act("check_import", [{"job_id": "j-1"}], sendgrid.WRITTEN | changed)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "j-1" in str(failure)


def test_a_job_that_is_not_done_yet_is_no_failure() -> None:
    """Five failures in a row would hold up all mail; a recipe waits and asks again."""
    (job,), play = _act("check_import", [{"job_id": "j-1"}], {"id": "j-1", "status": "pending"})
    assert job.status == "pending" and len(play.calls) == 1


def test_only_contacts_that_are_there_are_taken_off_a_list() -> None:
    """The others fail alone; without one nothing is removed."""
    found = {"result": {"ana@example.com": sendgrid.ANA, "ben@example.com": {"error": "not found"}}}
    many = [sendgrid.VIP, sendgrid.VIP | {"email": "ben@example.com"}, sendgrid.VIP | {"email": "Ana@example.com"}]
    (ana, ben, again), play = _act("remove_from_list", many, found, answers(202, {"job_id": "j"}))
    assert ana.job_id == again.job_id == "j" and isinstance(ben, CallFailed)
    assert "contact_ids=c-1" in play.calls[1].url
    (nobody,), play = _act("remove_from_list", [sendgrid.VIP], {"result": {}})
    assert isinstance(nobody, CallFailed) and len(play.calls) == 1


def test_an_unknown_group_does_not_stop_all_mail() -> None:
    """SendGrid would put the address on the list of those who want no mail at all."""
    many = [{"email": "ana@example.com", "group_id": 42}, {"email": "ben@example.com", "group_id": 43}]
    (ana, ben), play = _act("suppress", many, sendgrid.GROUPS, answers(201, {"recipient_emails": ["ana@example.com"]}))
    assert ana.email == "ana@example.com"
    assert isinstance(ben, CallFailed) and "no unsubscribe group 43" in str(ben)
    assert [str(call) for call in play.calls] == ["GET /v3/asm/groups", "POST /v3/asm/groups/42/suppressions"]


def test_a_subuser_in_the_eu_is_called_there() -> None:
    """And nowhere else that a setting could name."""
    _, play = _act("unsuppress", [{"email": "ana@example.com", "group_id": 42}], answers(204), host="api.eu.sendgrid.com")
    assert play.calls[0].url == "https://api.eu.sendgrid.com/v3/asm/groups/42/suppressions/ana%40example.com"
    with pytest.raises(ValueError, match="host"):
        _connection(host="api.example.com")
