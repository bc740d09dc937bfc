"""Intercom: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from connectors import intercom
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
AT = datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)
URL = "https://points.example.com/hooks/intercom"
SECRET = "client-7Qd2"
ADA: dict[str, Any] = intercom.ADA
LEAD = ADA | {"id": "lead1", "role": "lead", "email": None, "phone": None}
NOBODY = answers(404, {"type": "error.list", "errors": [{"code": "not_found", "message": "User Not Found"}]})


def _connection(**settings: Any) -> Connection:
    values = {"access_token": "dG9r-7Qd2", "client_secret": SECRET, "account_id": "abc123", "admin_id": 814860}
    read = intercom.connector.settings.read(values | {"contact_attributes": ["shop"]} | settings)
    return Connection("intercom", intercom.connector, read, webhook_url=URL)


def _request(told: Any, method: str = "POST") -> Request:
    content = json.dumps(told, ensure_ascii=False).encode()
    return Request(method, "/hooks/intercom", "", {"content-type": "application/json"}, content, NOW, URL)


def _played(replies: tuple[Any, ...]) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(topic: str, item: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _played(replies)
    facts: list[Fact] = []
    (told,) = intercom.connector.items(_request(intercom._told(topic, item)), connection)
    for trigger in intercom.connector.triggers_for(told):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(told, connection, play.client(connection)) if thin else trigger.read(told, connection)
    return facts, play


def _one(topic: str, item: Mapping[str, Any], *replies: Any, **settings: Any) -> Any:
    (fact,), _ = _facts(topic, item, *replies, **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return intercom.connector.triggers[name].key_of(fact)


def _pulled(name: str, *replies: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), _played(replies)
    pull, client = intercom.connector.pulls[name], play.client(connection)
    trigger = intercom.connector.triggers[pull.trigger]
    return [fact for item in pull.items(connection, client, NOW) for fact in trigger.fetch(item, connection, client)], play


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    """The result of an action against these replies, and what was sent."""
    action, connection, play = intercom.connector.actions[name], _connection(**settings), _played(replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, datetime: NOW}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


# Proof


def test_the_secret_of_the_app_signs_the_very_bytes() -> None:
    """With SHA-1, whether letters are escaped or not; the access token signs nothing."""
    plain = _request(intercom._told("contact.user.created", ADA | {"name": "Zoë"}))
    for content in (plain.body, plain.body.replace("ë".encode(), b"\\u00eb")):
        request = replace(plain, body=content)
        for secret, good in ((SECRET, True), ("dG9r-7Qd2", False)):
            signed = request.with_headers({"X-Hub-Signature": "sha1=" + hmac.digest(secret.encode(), content, "sha1").hex()})
            if good:
                intercom.connector.verify(signed, _connection(), NOW)
            else:
                with pytest.raises(Refused):
                    intercom.connector.verify(signed, _connection(), NOW)
    sha256 = "sha256=" + hmac.new(SECRET.encode(), plain.body, hashlib.sha256).hexdigest()
    with pytest.raises(Refused):
        intercom.connector.verify(plain.with_headers({"X-Hub-Signature": sha256}), _connection(), NOW)


def test_the_address_answers_a_look() -> None:
    """Intercom looks with a HEAD, before it keeps the address; nothing is proven by it, and nothing told."""
    answer = intercom.connector.shake(replace(_request({}, "HEAD"), body=b""), _connection())
    assert answer is not None and (answer.status, answer.body) == (200, b"")
    assert intercom.connector.shake(_request({}), _connection()) is None


def test_a_ping_is_taken_and_says_nothing() -> None:
    """It is signed like the rest, and no answer is ever 410, which would end the subscription."""
    facts, _ = _facts("ping", {"type": "ping", "message": "something"})
    assert facts == []
    assert intercom.connector.answer(_request({}), _connection()).status == 200


def test_another_workspace_is_left_out() -> None:
    """All that installed the app send to one address."""
    told = intercom._told("contact.user.created", ADA)
    for app, ours in (("abc123", True), ("other1", False)):
        (item,) = intercom.connector.items(_request(told | {"app_id": app}), _connection())
        assert intercom.connector.is_ours(item, _connection()) is ours


# What comes in


def test_times_are_seconds_or_text() -> None:
    """Contacts in webhooks have the one, the API the other."""
    text = ADA | {"created_at": "2026-02-06T21:27:34.000+00:00", "updated_at": "2026-02-06T21:27:34.000+00:00"}
    assert _one("contact.user.updated", text).occurred_at == _one("contact.user.updated", ADA).occurred_at == AT


def test_a_user_is_created_once() -> None:
    """Whether they came as one, signed up as a lead, or were found by asking."""
    told, signed_up = _one("contact.user.created", ADA), _one("contact.lead.signed_up", ADA)
    (asked,), play = _pulled("new_contacts", {"data": [ADA]})
    assert _key("contact_created", told) == _key("contact_created", signed_up) == _key("contact_created", asked)
    assert intercom.USERS in _sent(play.calls[0])["query"]["value"]


def test_a_user_changed_when_what_is_read_of_them_is_new() -> None:
    """Points that the hub wrote are no news; told or found by asking, it is one change, and leads are none."""
    told = _one("contact.user.updated", ADA)
    written = ADA | {"updated_at": 1770500000, "custom_attributes": {"shop": "Leeds", "points": 999}}
    (asked,), _ = _pulled("changed_contacts", {"data": [written]})
    assert _key("contact_changed", told) == _key("contact_changed", asked)
    for news in ({"custom_attributes": {"shop": "York"}}, {"email": "a@example.com"}, {"unsubscribed_from_emails": True}):
        assert _key("contact_changed", _one("contact.user.updated", ADA | news)) != _key("contact_changed", told)
    assert _facts("contact.email.updated", LEAD)[0] == []


def test_what_mirrors_points_is_no_news() -> None:
    """Even if a recipe may read the attribute."""
    connection = replace(_connection(contact_attributes=["shop", "points"]), mirror={"balance": "points"})
    (item,) = intercom.connector.items(_request(intercom._told("contact.user.updated", ADA)), connection)
    (fact,) = intercom.connector.triggers["contact_changed"].read(item, connection)
    assert getattr(fact, "attributes", None) == {"shop": "Leeds"}


def test_a_lost_no_is_found_by_asking_for_contacts() -> None:
    """Of e-mail and of text messages; that nothing was said is no yes."""
    (fact,), _ = _pulled(
        "changed_contacts", {"data": [ADA | {"unsubscribed_from_emails": True, "unsubscribed_from_sms": True}]}
    )
    assert fact.customer.consents == {"email": False, "sms": False}
    assert _one("contact.user.updated", ADA).customer.consents == {}


@pytest.mark.parametrize(
    ("topic", "ours", "channels"),
    [
        ("contact.unsubscribed", "37846", ["email"]),
        ("contact.unsubscribed_from_sms", "37846", ["sms"]),
        ("granular.unsubscribe", "37846", ["email", "sms"]),
        ("granular.unsubscribe", "11111", []),
        ("granular.unsubscribe", None, ["email", "sms"]),
        ("contact.subscribed", None, ["email"]),
        ("granular.subscribe", "37846", ["email", "sms"]),
        ("granular.subscribe", "11111", []),
        ("granular.subscribe", None, []),
    ],
)
def test_only_the_programmes_messages_speak_for_the_programme(topic: str, ours: str | None, channels: list[str]) -> None:
    """A no is heard in doubt, a yes is not; each channel of a kind has its own address."""
    kind = intercom.KIND | {"content_types": ["email", "sms_message"]}
    facts, _ = _facts(topic, intercom.LEFT | {"subscription_types": {"data": [kind]}}, subscription_type=ours)
    assert [fact.channel for fact in facts] == channels
    assert {fact.address for fact in facts} <= {"ada@example.com", "+447700900123"}
    assert all(fact.occurred_at == AT for fact in facts)


def test_older_apps_tell_the_contact_alone() -> None:
    """Of a no, and call it a user with a tag."""
    assert _one("contact.unsubscribed", ADA).address == "ada@example.com"
    assert _one("contact.user.tag.created", {"type": "user_tag", "tag": {"id": "1", "name": "vip"}, "user": ADA}).tag == "vip"


def test_without_an_address_there_is_nothing_to_say_no_to() -> None:
    """A lead may have none."""
    assert _facts("contact.unsubscribed", {"contact": LEAD, "created_at": 1770413254})[0] == []


def test_the_same_tag_at_another_time_is_another_fact() -> None:
    """A retry has the time of the first telling."""
    first, again = _one("contact.user.tag.created", intercom.TAGGED), _one("contact.user.tag.created", intercom.TAGGED)
    later = first.model_copy(update={"occurred_at": NOW})
    assert _key("tag_added", first) == _key("tag_added", again) != _key("tag_added", later)
    assert first.occurred_at == AT


def test_a_merge_that_does_not_say_who_is_gone_is_none() -> None:
    """Older apps do not tell it."""
    assert _facts("contact.merged", ADA)[0] == []


def test_a_conversation_is_closed_once_however_it_is_heard() -> None:
    """Told, told again after it was opened again, and found by asking; what the rating says comes with it."""
    told = _one("conversation.admin.closed", intercom.CLOSED_CHAT, ADA)
    (asked,), play = _pulled("closed_conversations", {"conversations": [intercom.CLOSED_CHAT]}, ADA)
    later = _one("conversation.admin.closed", intercom.CLOSED_CHAT | {"updated_at": 1770500000}, ADA)
    assert _key("conversation_closed", told) == _key("conversation_closed", asked) == _key("conversation_closed", later)
    assert told.occurred_at == AT and told.customer.phone == "+447700900123"
    assert intercom.CLOSED in _sent(play.calls[0])["query"]["value"]
    assert _facts("conversation.admin.closed", intercom.CLOSED_CHAT | {"state": "open"})[0] == []


def test_an_older_conversation_is_read_too() -> None:
    """With its person beside it and its beginning under another name."""
    old = {
        "type": "conversation",
        "id": "472",
        "user": {"type": "user", "id": ADA["id"], "email": "ada@example.com"},
        "conversation_message": {"id": "331", "subject": "<b>Points</b>", "body": "<p>Hi</p>", "author": {"type": "user"}},
        "conversation_parts": {"conversation_parts": [intercom.CLOSE | {"created_at": 1770413254}]},
        "state": "closed",
    }
    fact, message = _one("conversation.admin.closed", old, ADA), _one("conversation.user.replied", old)
    assert (fact.ticket_id, fact.subject, fact.occurred_at) == ("472", "Points", AT)
    assert message.customer.email == "ada@example.com"


@pytest.mark.parametrize(
    ("found", "known"), [(ADA, True), (LEAD, False), (LEAD | {"email": "lea@example.com"}, True), (NOBODY, False)]
)
def test_a_visitor_without_an_address_is_nobody(found: Any, known: bool) -> None:
    """Else everybody who ever chatted would be a member; the conversation is told all the same."""
    fact = _one("conversation.admin.closed", intercom.CLOSED_CHAT, found)
    assert (fact.customer is not None) is known and fact.ticket_id == "471"


def test_a_conversation_of_the_teams_has_no_customer_to_ask_for() -> None:
    """Nobody is looked up, and nobody wrote."""
    ours = {"id": "473", "source": {"id": "1", "author": {"type": "admin", "id": "8"}, "body": "Hi"}}
    facts, play = _facts("conversation.user.created", ours)
    assert [fact.customer for fact in facts] == [None] and play.calls == []
    assert _pulled("new_conversations", {"conversations": [ours]})[0] == []


@pytest.mark.parametrize(("stars", "satisfied"), [(1, False), (2, False), (3, None), (4, True), (5, True)])
def test_a_rating_in_the_middle_is_neither(stars: int, satisfied: bool | None) -> None:
    """One that was only asked for is none."""
    told = intercom.CLOSED_CHAT | {"conversation_rating": {"rating": stars, "remark": None}}
    rated = _one("conversation.rating.added", told, ADA)
    assert (rated.rating, rated.satisfied, rated.comment) == (stars, satisfied, "")
    assert _facts("conversation.rating.added", intercom.CLOSED_CHAT | {"conversation_rating": {"rating": None}})[0] == []


def test_what_is_written_is_read_as_words() -> None:
    """It comes as HTML; the newest part is what was written, and each is a message of its own."""
    parts = [{"id": str(number), "body": f"<p>BALANCE&nbsp;{number} &amp;<br>more</p>"} for number in (1, 2)]
    told = _one("conversation.user.replied", intercom.CHAT | {"conversation_parts": {"conversation_parts": parts}})
    assert (told.text, told.message_id, told.channel, told.address) == ("BALANCE 2 & more", "471/2", "chat", ADA["id"])
    first = _facts("conversation.user.created", intercom.CHAT, ADA)[0]
    assert [fact.fact for fact in first] == ["ticket_created", "message_received"]
    assert _key("message_received", first[1]) != _key("message_received", told)


def test_an_event_that_the_hub_tracked_is_no_news() -> None:
    """It is marked; what a website tracked is heard, and somebody must have done it."""
    assert _facts("event.created", intercom.TRACKED | {"metadata": {"source": "Loyalty Hub"}})[0] == []
    assert _one("event.created", intercom.TRACKED | {"metadata": None}).event == "took-the-tour"
    with pytest.raises(Unreadable, match="person"):
        _key("event_tracked", _one("event.created", intercom.TRACKED | {"intercom_user_id": None}))


def test_asking_looks_back_and_turns_pages_deep_in_the_body() -> None:
    """Dates are searched by whole days, and an index is late."""
    first = {"data": [ADA], "pages": {"next": {"per_page": 150, "starting_after": "WzE"}}}
    facts, play = _pulled("changed_contacts", first, {"data": [ADA | {"id": "2"}], "pages": {"next": None}})
    assert [fact.customer.id for fact in facts] == [ADA["id"], "2"]
    start = _sent(play.calls[0])["query"]["value"][0]
    assert start == {"field": "updated_at", "operator": ">", "value": int(NOW.timestamp()) - 2 * 86400}
    assert _sent(play.calls[1])["pagination"] == {"per_page": 150, "starting_after": "WzE"}


# What goes out


def test_every_call_names_the_version_and_the_region() -> None:
    """Without a version the app's own counts, and answers change their shape."""
    _, play = _act("update_contact", {"contact": "1", "attributes": {"points": 1}}, ADA, host="api.eu.intercom.io")
    called = play.calls[0]
    assert called.url == "https://api.eu.intercom.io/contacts/1" and called.headers["intercom-version"] == "2.16"
    assert called.headers["authorization"] == "Bearer dG9r-7Qd2"
    by_app = _connection(access_token=None, client_id="4711").auth
    assert isinstance(by_app, OAuth2) and by_app.authorize == "https://app.intercom.com/oauth"


def test_attributes_go_out_as_intercom_keeps_them() -> None:
    """Numbers as numbers, days as times where the name says so, an empty text as null; nothing said is nothing sent."""
    values = {"points": 120, "tier": "", "level": "gold", "expires_at": date(2026, 12, 24), "expires": date(2026, 12, 24)}
    _, play = _act("update_contact", {"contact": "1", "attributes": values}, ADA)
    sent = {"points": 120, "tier": None, "level": "gold", "expires_at": 1798070400, "expires": "2026-12-24"}
    assert _sent(play.calls[0]) == {"custom_attributes": sent}
    _, play = _act("upsert_contact", {"email": "ada@example.com"}, intercom.FOUND_ADA, ADA)
    assert _sent(play.calls[1]) == {"email": "ada@example.com"}


def test_of_two_contacts_with_one_address_the_user_is_meant() -> None:
    """A lead may share it."""
    _, play = _act("upsert_contact", {"email": "Ada@example.com"}, {"data": [LEAD, ADA]}, ADA)
    assert str(play.calls[1]) == f"PUT {intercom.ADA_AT}"
    assert _sent(play.calls[0])["query"]["value"] == "ada@example.com"


def test_a_contact_that_no_search_finds_yet_is_not_made_twice() -> None:
    """Intercom names it when it refuses; another conflict is a failure."""
    conflict = {
        "errors": [{"code": "conflict", "message": f"A contact matching those details already exists with id={ADA['id']}"}]
    }
    kept, play = _act("upsert_contact", {"email": "ada@example.com"}, {"data": []}, answers(409, conflict), ADA)
    assert kept.id == ADA["id"] and str(play.calls[2]) == f"PUT {intercom.ADA_AT}"
    other = answers(409, {"errors": [{"code": "conflict", "message": "Another thing"}]})
    failure, _ = _act("upsert_contact", {"email": "ada@example.com"}, {"data": []}, other)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting"


def test_a_lost_making_is_looked_for_again() -> None:
    """The call as a whole may be repeated, the making alone not."""
    failure, play = _act("upsert_contact", {"email": "ada@example.com"}, {"data": []}, requests.ReadTimeout("lost"), ADA)
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


@pytest.mark.parametrize(("number", "sent"), [("+44 7700 900123", "+447700900123"), ("0770", None), (None, None)])
def test_a_bad_phone_number_does_not_spoil_the_call(number: str | None, sent: str | None) -> None:
    """It would be a bad request as a whole."""
    _, play = _act("upsert_contact", {"email": "ada@example.com", "phone": number}, intercom.FOUND_ADA, ADA)
    assert _sent(play.calls[1]).get("phone") == sent


def test_nobody_is_found_by_nothing() -> None:
    """Neither a contact nor whose event it is."""
    for name, inputs in (
        ("upsert_contact", {"name": "Ada"}),
        ("track_event", {"event": "e", "happened_at": "2026-02-06T21:27:34Z"}),
    ):
        failure, play = _act(name, inputs)
        assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and not play.calls


def test_an_attribute_that_is_not_there_is_an_error() -> None:
    """In Intercom's own words."""
    words = {"errors": [{"code": "parameter_invalid", "message": "Custom attribute 'pointz' does not exist"}]}
    failure, _ = _act("update_contact", {"contact": "1", "attributes": {"pointz": 1}}, answers(400, words))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "pointz" in str(failure)


def _shown(one: Mirrored, *replies: Any) -> Any:
    connection, play = _connection(), _played(replies)
    assert intercom.connector.mirroring is not None
    (shown,) = intercom.connector.mirroring.look({Client: play.client(connection)}, [one])
    return shown


def test_a_mirror_follows_the_contacts_that_there_are() -> None:
    """It makes none; a time is read as its day."""
    mirror = intercom.connector.mirroring
    assert mirror is not None and mirror.inputs({}, Mirrored(Customer(email="ada@example.com"), {"points": 1})) is None
    ada = Mirrored(Customer(id="1", email="ada@example.com"), {"points": 1, "expires_at": date(2026, 12, 24), "level": None})
    dated = ADA | {"custom_attributes": {"points": 120, "expires_at": 1798070400}}
    assert _shown(ada, dated) == Shown({"points": 120, "expires_at": "2026-12-24", "level": None}, ADA["id"])
    assert _shown(ada, NOBODY, {"data": []}) is None


def test_a_tag_is_taken_by_name_whatever_its_case() -> None:
    """One that they do not have is gone already."""
    tags = {"data": [{"id": "7", "name": "Gold"}, {"id": "8", "name": "golden"}]}
    _, play = _act("remove_tag", {"contact": "1", "tag": "gold"}, tags, {"id": "7"})
    assert [str(call) for call in play.calls] == ["GET /contacts/1/tags", "DELETE /contacts/1/tags/7"]
    result, play = _act("remove_tag", {"contact": "1", "tag": "silver"}, tags)
    assert not result.tagged and len(play.calls) == 1


@pytest.mark.parametrize(
    ("who", "sent"),
    [
        ({"contact": "6762"}, {"id": "6762"}),
        ({"external_id": "c-1"}, {"user_id": "c-1"}),
        ({"email": "a@b.co"}, {"email": "a@b.co"}),
    ],
)
def test_an_event_has_its_own_time_in_seconds(who: Mapping[str, str], sent: Mapping[str, str]) -> None:
    """So a repeated call is the same event; your own id is called by its old name."""
    inputs = {**who, "event": "earned-points", "happened_at": "2026-02-06T21:27:34.900Z", "metadata": {"points": 18}}
    _, play = _act("track_event", inputs, answers(503), answers(202))
    assert play.calls[0].body == play.calls[1].body
    marked = {"points": 18, "source": "Loyalty Hub"}
    assert _sent(play.calls[0]) == {"event_name": "earned-points", "created_at": 1770413254, **sent, "metadata": marked}


@pytest.mark.parametrize(
    ("name", "inputs", "before", "channel"),
    [
        ("send_email", intercom.WELCOME | {"to": "ada@example.com"}, [intercom.FOUND_ADA], "email"),
        ("send_chat", {"to": "1", "body": "Hi"}, [ADA], "chat"),
        ("reply", {"to": "1", "conversation": "471", "body": "Hi"}, [], "chat"),
    ],
)
def test_a_message_whose_answer_was_lost_is_not_sent_twice(
    name: str, inputs: Mapping[str, str], before: list[Any], channel: str
) -> None:
    """Intercom keeps no key and cannot be asked; and the gate stands before it."""
    for lost in (answers(503), requests.ReadTimeout("lost")):
        failure, play = _act(name, inputs, *before, lost, {"id": "1"})
        assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == len(before) + 1
    failure, play = _act(name, inputs, *before, admin_id=None)
    assert isinstance(failure, CallFailed) and "admin_id" in str(failure) and len(play.calls) == len(before)
    assert intercom.connector.actions[name].channel == channel


def test_who_is_new_is_written_to_a_while_later() -> None:
    """A contact that was just made cannot be written to yet, so nothing was sent; one that is not there never can."""
    failure, _ = _act("send_chat", {"to": "1", "body": "Hi"}, LEAD, NOBODY)
    assert isinstance(failure, CallFailed) and failure.verdict == "passing"
    failure, play = _act("send_chat", {"to": "1", "body": "Hi"}, NOBODY)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and len(play.calls) == 1
    _, play = _act("send_chat", {"to": "1", "body": "Hi"}, LEAD, intercom.MADE)
    assert _sent(play.calls[1])["to"] == {"type": "lead", "id": "lead1"}


@pytest.mark.parametrize(
    ("consent", "status", "call"),
    [
        ("opt_in", "opt-in", "POST /contacts/1/subscriptions"),
        ("opt_in", "opt-out", "DELETE /contacts/1/subscriptions/37846"),
        ("opt_out", "opt-in", "DELETE /contacts/1/subscriptions/37846"),
        ("opt_out", "opt-out", "POST /contacts/1/subscriptions"),
    ],
)
def test_to_be_on_an_opt_out_list_is_to_be_out(consent: str, status: str, call: str) -> None:
    """Attaching the one kind is a yes, attaching the other a no; who was not on a list is off it."""
    kinds = {"data": [intercom.KIND | {"consent_type": consent}]}
    for reply in (intercom.KIND, *([NOBODY] if call.startswith("DELETE") else [])):
        result, play = _act("record_consent", {"contact": "1", "status": status}, kinds, reply, subscription_type="37846")
        assert result.status == status and str(play.calls[1]) == call


def test_consent_without_a_kind_is_about_all_mail() -> None:
    """And a kind that is not there is an error, not a yes."""
    for status, out in (("opt-out", True), ("opt-in", False)):
        _, play = _act("record_consent", {"contact": "1", "status": status}, ADA)
        assert _sent(play.calls[0]) == {"unsubscribed_from_emails": out}
    failure, play = _act("record_consent", {"contact": "1", "status": "opt-in"}, intercom.TYPES, subscription_type="9")
    assert isinstance(failure, CallFailed) and "37846" in str(failure) and len(play.calls) == 1


@pytest.mark.parametrize(
    ("status", "code", "verdict", "said"),
    [
        (401, "token_unauthorized", "reconnect", ""),
        (403, "forbidden", "reconnect", ""),
        (403, "api_plan_restricted", "lasting", "plan"),
        (400, "intercom_version_invalid", "lasting", "`version`"),
        (429, "rate_limit_exceeded", "passing", ""),
        (404, "not_found", "lasting", ""),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(status: int, code: str, verdict: str, said: str) -> None:
    """A plan without it, and a version that is retired, are no matter of the token."""
    reply = answers(status, {"type": "error.list", "errors": [{"code": code, "message": "No."}]})
    failure, _ = _act("update_contact", {"contact": "1", "attributes": {"points": 1}}, *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)
