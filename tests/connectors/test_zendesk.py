"""Zendesk: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import zendesk
from hub.errors import CallFailed, Refused
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.action import CallKey
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/zendesk"
SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
ACCESS = {"subdomain": "acme", "email": "hub@example.com", "api_token": "key-7Qd2"}
STAFF = zendesk.ADA | {"role": "agent"}


def _connection(**settings: Any) -> Connection:
    values = ACCESS | {"webhook_secret": SECRET}
    read = zendesk.connector.settings.read({name: value for name, value in (values | settings).items() if value is not None})
    return Connection("zendesk", zendesk.connector, read, webhook_url=URL)


def _request(body: Any, **headers: str) -> Request:
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/hooks/zendesk", "", named, raw, NOW, URL)


def _played(*replies: Any) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _facts(body: Any, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _played(*replies)
    facts: list[Fact] = []
    for item in zendesk.connector.items(_request(body), connection):
        for trigger in zendesk.connector.triggers_for(item):
            facts += trigger.fetch(item, connection, play.client(connection))
    return facts, play


def _one(body: Any, *replies: Any, connection: Connection | None = None) -> Any:
    (fact,), _ = _facts(body, *replies, connection=connection)
    return fact


def _key(name: str, fact: Fact) -> str:
    return zendesk.connector.triggers[name].key_of(fact)


def _asked(**more: Any) -> dict[str, Any]:
    """A ticket as it is looked up, some of it changed."""
    return {"ticket": zendesk.FOUND | more, "users": [zendesk.ADA]}


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    """The result of an action against these replies, and what was sent."""
    action, connection, play = zendesk.connector.actions[name], _connection(**settings), _played(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1")}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _found_done(name: str, inputs: Mapping[str, Any], *replies: Any) -> Any:
    action, connection = zendesk.connector.actions[name], _connection()
    handed = {Client: _played(*replies).client(connection), datetime: NOW - timedelta(minutes=5)}
    return action.find_done(handed, action.inputs.model_validate(inputs), "call_1")


def _pull(name: str, *pages: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), _played(*pages)
    return list(zendesk.connector.pulls[name].items(connection, play.client(connection), NOW)), play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _query(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


# Proof


def _signed(body: bytes, stamp: str, key: bytes = SECRET.encode()) -> dict[str, str]:
    made = base64.b64encode(hmac.new(key, stamp.encode() + body, hashlib.sha256).digest()).decode()
    return {"x_zendesk_webhook_signature": made, "x_zendesk_webhook_signature_timestamp": stamp}


def test_the_secret_is_text_and_signs_time_and_body_without_anything_between() -> None:
    """It looks like base64, and is not decoded; what was signed otherwise is refused."""
    body, stamp = json.dumps(zendesk.STATUS).encode(), "2026-02-06T21:29:00Z"
    connection = _connection()
    zendesk.connector.verify(_request(body, **_signed(body, stamp)), connection, NOW)
    for headers in (
        _signed(body, stamp, base64.b64decode(SECRET)),
        _signed(body + b" ", stamp),
        _signed(body, stamp) | {"x_zendesk_webhook_signature_timestamp": "2026-02-06T21:29:01Z"},
        _signed(body, "2026-02-06T20:29:00Z"),
    ):
        with pytest.raises(Refused):
            zendesk.connector.verify(_request(body, **headers), connection, NOW)


def test_two_webhooks_have_two_secrets() -> None:
    """One for Zendesk's own events, one for triggers; a delivery fits either."""
    body, stamp = b"{}", "2026-02-06T21:29:00Z"
    both = _connection(triggers_secret="another")
    zendesk.connector.verify(_request(body, **_signed(body, stamp)), both, NOW)
    zendesk.connector.verify(_request(body, **_signed(body, stamp, b"another")), both, NOW)
    with pytest.raises(Refused):
        zendesk.connector.verify(_request(body, **_signed(body, stamp, b"another")), _connection(), NOW)


def test_events_of_another_account_are_left_out() -> None:
    """The header names the account in both kinds of webhook."""
    for body in (zendesk.STATUS, zendesk.RATED):
        for account, ours in (("22129848", True), ("1", False)):
            (item,) = zendesk.connector.items(_request(body, x_zendesk_account_id=account), _connection())
            assert zendesk.connector.is_ours(item, _connection(account_id="22129848")) is ours


# What comes in: tickets


def test_event_trigger_and_pull_tell_one_fact() -> None:
    """The same in every word, so that none of them looks like news."""
    told = _one(zendesk.STATUS, zendesk.ASKED)
    by_trigger = _one({"event": "ticket_solved", "ticket_id": "5158"}, zendesk.ASKED)
    (item,), _ = _pull("solved_tickets", {"tickets": [zendesk.FOUND], "end_of_stream": True})
    play = _played(zendesk.ASKED)
    (pulled,) = zendesk.connector.triggers["ticket_solved"].fetch(item, _connection(), play.client(_connection()))
    assert told == by_trigger == pulled


def test_a_ticket_is_solved_once_however_often_it_is_reopened() -> None:
    """A ticket that is solved again earns nothing again."""
    first = _one(zendesk.STATUS, zendesk.ASKED)
    again = _one(zendesk.STATUS, _asked(dates={"solved_at": "2026-02-09T10:00:00Z"}, tags=[]))
    assert _key("ticket_solved", first) == _key("ticket_solved", again)


@pytest.mark.parametrize(
    ("before", "now", "calls"),
    [
        ("OPEN", "SOLVED", 1),
        ("OPEN", "CLOSED", 1),
        ("SOLVED", "CLOSED", 0),
        ("SOLVED", "OPEN", 0),
        ("NEW", "PENDING", 0),
    ],
)
def test_only_a_ticket_that_was_solved_just_now_is_looked_up(before: str, now: str, calls: int) -> None:
    """Four days later Zendesk closes it by itself, and that is no news; status is in capitals here and small there."""
    facts, play = _facts(zendesk.STATUS | {"event": {"current": now, "previous": before}}, zendesk.ASKED)
    assert (len(facts), len(play.calls)) == (calls, calls)


@pytest.mark.parametrize(
    ("trigger", "body"),
    [("ticket_created", zendesk.CREATED), ("ticket_solved", zendesk.STATUS), ("ticket_rated", zendesk.RATED)],
)
def test_tickets_of_staff_and_tickets_that_are_gone_are_nothing(trigger: str, body: Any) -> None:
    """Agents are no customers."""
    assert _facts(body, zendesk.ASKED)[0][0].ticket_id == "5158"
    assert _facts(body, {"ticket": zendesk.FOUND, "users": [STAFF]})[0] == []
    assert _facts(body, answers(404, {"error": "RecordNotFound"}))[0] == []


def test_tickets_that_the_hub_made_are_not_news_but_may_be_rated() -> None:
    """They are known by their tag; what a customer says of one counts."""
    ours = _asked(tags=["mug", "loyalty-hub"])
    assert _facts(zendesk.CREATED, ours)[0] == _facts(zendesk.STATUS, ours)[0] == []
    assert _one(zendesk.RATED, ours).satisfied is True


def test_a_requester_who_does_not_stand_beside_the_ticket_is_asked_for() -> None:
    """Numbers are numbers there, and texts here."""
    facts, play = _facts(zendesk.STATUS, {"ticket": zendesk.FOUND}, {"user": zendesk.ADA})
    assert [str(call) for call in play.calls] == ["GET /api/v2/tickets/5158", "GET /api/v2/users/360001"]
    assert (facts[0].customer.email, facts[0].customer.last_name) == ("ada@example.com", "Ng")


@pytest.mark.parametrize(
    ("score", "satisfied"), [("good", True), ("good_with_comment", True), ("bad", False), ("bad_with_comment", False)]
)
def test_a_rating_is_good_or_bad(score: str, satisfied: bool) -> None:
    """Beside it stands the comment, which is not sent with the trigger: a quotation mark would break the body."""
    fact = _one(zendesk.RATED, _asked(satisfaction_rating={"score": score, "comment": 'So "quick"'}))
    assert (fact.satisfied, fact.rating, fact.comment) == (satisfied, None, 'So "quick"')
    assert fact.occurred_at == datetime(2026, 2, 6, 21, 28, tzinfo=UTC)


def test_a_survey_that_was_only_offered_is_no_rating() -> None:
    """But what Zendesk itself says was answered counts, though the ticket does not show how."""
    offered = _asked(satisfaction_rating={"score": "offered"})
    assert _facts(zendesk.RATED, offered)[0] == []
    answered = zendesk.STATUS | {"type": "zen:event-type:ticket.csat_received", "event": {"survey_response": {"id": "01"}}}
    assert _one(answered, offered).satisfied is None
    assert _key("ticket_rated", _one(answered, offered)) == _key("ticket_rated", _one(zendesk.RATED, zendesk.ASKED))


def test_a_body_that_an_admin_wrote_may_have_any_time_and_more_besides() -> None:
    """A time in words is no reason to lose the event; nine digits of a second are too many for most."""
    body = {"event": "ticket_rated", "ticket_id": 5158, "updated_at": "February 6", "requester_email": ""}
    assert _one(body, zendesk.ASKED).occurred_at is None
    created = _asked(created_at=None)
    assert _one(zendesk.CREATED, created).occurred_at == datetime(2026, 2, 6, 21, 27, 34, 987654, tzinfo=UTC)


# What comes in: users


def test_what_is_not_read_of_a_user_makes_them_no_other() -> None:
    """Points that the hub writes come back as an event, and are not news; a new address is."""
    change = zendesk.RENAMED | {"type": "zen:event-type:user.custom_field_changed"}
    connection = _connection(user_fields=["car"])

    def version(**more: Any) -> str:
        return _key("user_changed", _one(change, {"user": zendesk.ADA | more}, connection=connection))

    paid = {"car": "Diesel van", "loyalty_points": 240}
    assert version() == version(user_fields=paid, tags=["gold"], updated_at="2026-02-07T00:00:00Z")
    assert len({version(), version(email="ada@new.example"), version(user_fields={"car": "Bike"})}) == 3


def test_what_mirrors_points_is_never_news() -> None:
    """Even if a recipe may read it."""
    connection = replace(_connection(user_fields=["car", "loyalty_points"]), mirror={"balance": "loyalty_points"})
    keys = set()
    for points in (120, 240):
        fields = {"car": "Diesel van", "loyalty_points": points}
        fact = _one(zendesk.RENAMED, {"user": zendesk.ADA | {"user_fields": fields}}, connection=connection)
        assert fact.attributes == {"external_id": "loy-1001", "car": "Diesel van"}
        keys.add(_key("user_changed", fact))
    assert len(keys) == 1


def test_fields_of_users_are_told_in_words() -> None:
    """Exact numbers, yes and no; an empty one is not there."""
    fields = {"age": 42, "height": "1.80", "fleet": True, "card": None}
    connection = _connection(user_fields=[*fields, "unheard_of"])
    body = json.dumps({"user": zendesk.ADA | {"user_fields": fields, "external_id": None}}).replace('"1.80"', "1.80")
    fact = _one(zendesk.RENAMED, Answer(200, body.encode(), "application/json"), connection=connection)
    assert fact.attributes == {"age": "42", "height": "1.80", "fleet": "yes"}


def test_a_phone_number_that_users_share_is_nobodys() -> None:
    """By it two people would become one member."""
    assert _one(zendesk.RENAMED, {"user": zendesk.ADA | {"shared_phone_number": True}}).customer.phone is None


@pytest.mark.parametrize("kind", ["created", "name_changed", "deleted"])
def test_staff_are_no_customers(kind: str) -> None:
    """Where the event says so, nobody is asked for; where it does not, the user does."""
    told = zendesk.RENAMED | {"type": f"zen:event-type:user.{kind}"}
    facts, play = _facts(told | {"detail": told["detail"] | {"role": "admin"}})
    assert (facts, play.calls) == ([], [])
    if kind != "deleted":
        assert _facts(told, {"user": STAFF})[0] == _facts(told, answers(404, {}))[0] == []


# Asking


def test_an_export_is_read_to_its_end_from_five_minutes_before() -> None:
    """Its last page has a cursor too; a time and a cursor are not said together."""
    pages = [{"users": [zendesk.ADA], "after_cursor": cursor, "end_of_stream": cursor == "c3"} for cursor in ("c1", "c2", "c3")]
    items, play = _pull("changed_users", *pages)
    assert len(items) == 3
    assert [_query(call) for call in play.calls] == [{"start_time": ["1770413100"]}, {"cursor": ["c1"]}, {"cursor": ["c2"]}]
    (fact,) = zendesk.connector.triggers["user_changed"].fetch(items[0], _connection(), _played().client(_connection()))
    assert fact.customer is not None and fact.customer.id == "360001"


def test_only_what_the_trigger_would_tell_is_looked_up() -> None:
    """An export has all that was touched: other statuses, and old tickets that were changed."""
    new = {"id": 7, "created_at": "2026-02-06T21:29:00Z", "status": "new"}
    page = {"tickets": [zendesk.FOUND, new, new | {"id": 8, "status": "closed"}], "end_of_stream": True}
    assert [item.data["id"] for item in _pull("solved_tickets", page)[0]] == [5158, 8]
    assert [item.data["id"] for item in _pull("created_tickets", page)[0]] == [7, 8]


def test_pages_of_ratings_are_turned_while_there_are_more() -> None:
    """The last page has a cursor as well."""
    first = {"satisfaction_ratings": [zendesk.RATING], "meta": {"has_more": True, "after_cursor": "c1"}}
    last = {"satisfaction_ratings": [zendesk.RATING], "meta": {"has_more": False, "after_cursor": "c2"}}
    items, play = _pull("rated_tickets", first, last)
    assert len(items) == 2 and _query(play.calls[1])["page[after]"] == ["c1"]


# Webhooks


def _told_address(*replies: Any) -> tuple[Mapping[str, str], list[Called]]:
    connection, play = _connection(), _played(*replies)
    return tell_address(connection, play.client(connection, repeat="safe")), play.calls


EVENTS_HOOK = {"id": "01E", "endpoint": URL, "subscriptions": ["zen:event-type:user.created"]}
RULES_HOOK = {"id": "01T", "endpoint": URL, "subscriptions": ["conditional_ticket_events"]}
OTHER_HOOK = {"id": "01X", "endpoint": "https://crm.example", "subscriptions": ["conditional_ticket_events"]}
SECRETS = [{"signing_secret": {"algorithm": "SHA256", "secret": secret}} for secret in ("s1==", "s2==")]


def _rule(number: int, webhook: str) -> dict[str, Any]:
    return {"id": number, "actions": [{"field": "status", "value": "open"}, _notifies(webhook)]}


def _notifies(webhook: str) -> dict[str, Any]:
    return {"field": "notification_webhook", "value": [webhook, "{}"]}


def test_subscribing_makes_two_webhooks_and_three_triggers_and_keeps_what_signs() -> None:
    """Events and triggers are never mixed in one webhook; the hub's own tickets are left out."""
    made = [answers(201, {"webhook": hook}) for hook in (EVENTS_HOOK, RULES_HOOK)]
    told, calls = _told_address({"webhooks": [OTHER_HOOK]}, *made, {"triggers": []}, *[answers(201, {})] * 3, *SECRETS)
    assert told == {"webhook_secret": "s1==", "triggers_secret": "s2=="}
    first, second = [_sent(call)["webhook"] for call in calls[1:3]]
    assert second["subscriptions"] == ["conditional_ticket_events"] and second["endpoint"] == URL
    assert {"zen:event-type:user.name_changed", "zen:event-type:ticket.csat_received"} < set(first["subscriptions"])
    rules = [_sent(call)["trigger"] for call in calls[4:7]]
    for rule in rules:
        (action,) = rule["actions"]
        webhook, body = action["value"]
        assert (action["field"], webhook) == ("notification_webhook", "01T")
        assert _facts(json.loads(body.replace("{{ticket.id}}", "5158")), zendesk.ASKED)[0][0].ticket_id == "5158"
    (solved,) = [rule for rule in rules if "solved" in rule["title"]]
    assert {"field": "current_tags", "operator": "not_includes", "value": "loyalty-hub"} in solved["conditions"]["all"]


def test_subscribing_again_changes_what_there_is_and_adds_nothing() -> None:
    """The secrets stay; triggers are made anew, and only ours."""
    rules = {"triggers": [_rule(1, "01T"), _rule(2, "01X")]}
    done = [answers(204), answers(204), rules, answers(204)]
    told, calls = _told_address({"webhooks": [EVENTS_HOOK, RULES_HOOK]}, *done, *[answers(201, {})] * 3, *SECRETS)
    assert told["triggers_secret"] == "s2=="
    assert [str(call) for call in calls[1:5]] == [
        "PATCH /api/v2/webhooks/01E",
        "PATCH /api/v2/webhooks/01T",
        "GET /api/v2/triggers",
        "DELETE /api/v2/triggers/1",
    ]
    assert [call.method for call in calls].count("POST") == 3


def test_unsubscribing_takes_our_triggers_away_before_their_webhook() -> None:
    """A webhook that a trigger uses stays; other people's are let alone, and with none of ours nothing is done."""
    connection = _connection()
    play = _played(
        {"webhooks": [RULES_HOOK, OTHER_HOOK]}, {"triggers": [_rule(1, "01T"), _rule(2, "01X")]}, *[answers(204)] * 2
    )
    take_address_back(connection, play.client(connection, repeat="safe"))
    assert [str(call) for call in play.calls[2:]] == ["DELETE /api/v2/triggers/1", "DELETE /api/v2/webhooks/01T"]
    play = _played({"webhooks": [OTHER_HOOK]})
    take_address_back(connection, play.client(connection, repeat="safe"))
    assert len(play.calls) == 1


# What goes out: users


def test_a_user_who_is_there_keeps_their_name() -> None:
    """Only a new one, whom Zendesk refuses without a name, is given what stands before the @."""
    there, play = _act("upsert_user", {"email": "ada@example.com"}, {"user": zendesk.ADA})
    assert there.id == "360001" and "name" not in _sent(play.calls[0])["user"]
    refused = answers(422, {"error": "RecordInvalid", "details": {"name": [{"description": "Name: is too short"}]}})
    _, play = _act("upsert_user", {"email": "ada@example.com"}, refused, answers(201, {"user": zendesk.ADA}))
    assert _sent(play.calls[1])["user"] == {"email": "ada@example.com", "name": "ada", "skip_verify_email": True}
    failure, play = _act("upsert_user", {"email": "ada@example.com", "name": "Ada"}, refused)
    assert len(play.calls) == 1 and "Name: is too short" in str(failure) and failure.verdict == "lasting"


def test_a_field_that_zendesk_would_drop_is_an_error() -> None:
    """It answers 200 and says nothing of it."""
    failure, _ = _act("upsert_user", {"email": "ada@example.com", "fields": {"tier": "gold"}}, {"user": zendesk.ADA})
    assert isinstance(failure, CallFailed) and "no user field `tier`" in str(failure) and failure.verdict == "lasting"


def test_numbers_go_as_numbers_and_an_empty_text_clears() -> None:
    """Digit by digit; what is not named stays as it is."""
    inputs = {"user": "360001", "fields": {"loyalty_tier": ""}, "numbers": {"loyalty_points": "120", "car": "1.50"}}
    _, play = _act("update_user", inputs, {"user": zendesk.ADA})
    assert b'"loyalty_tier":null' in play.calls[0].body
    assert b'"loyalty_points":120,"car":1.50' in play.calls[0].body


def test_users_are_seen_by_number_or_else_by_address() -> None:
    """All in one call; one who was merged into another leads there by the address, and nobody to nobody."""
    mirror, connection = zendesk.connector.mirroring, _connection()
    assert mirror is not None
    ben = zendesk.ADA | {"id": 9, "email": "ben@example.com", "user_fields": {"loyalty_points": 7}}
    gone = zendesk.ADA | {"id": 8, "active": False}
    play = _played({"users": [zendesk.ADA, gone]}, {"users": [ben | {"email": "ben@example.com.au"}, ben]})
    many = [
        Mirrored(Customer(id="360001"), {"loyalty_points": 120}),
        Mirrored(Customer(id="8", email="Ben@example.com"), {"loyalty_points": 7}),
        Mirrored(Customer(phone="+14155550123"), {"loyalty_points": 9}),
    ]
    ada, found, nobody = mirror.look({Client: play.client(connection)}, many)
    assert isinstance(ada, Shown) and isinstance(found, Shown) and nobody is None
    assert (ada.fields["loyalty_points"], found.id, found.fields["loyalty_points"]) == (120, "9", 7)
    assert _query(play.calls[0]) == {"ids": ["360001,8"]} and len(play.calls) == 2


# What goes out: tickets


def test_tags_are_added_and_never_replaced() -> None:
    """PUT adds and DELETE removes; POST would wipe all others, and so would tags in a ticket's update."""
    for name, whose in (("tag_ticket", "ticket"), ("untag_ticket", "ticket"), ("tag_user", "user"), ("untag_user", "user")):
        result, play = _act(name, {whose: "5158", "tags": ["gold"]}, {"tags": ["vip", "gold"]})
        assert play.calls[0].method in {"PUT", "DELETE"} and play.calls[0].url.endswith(f"/{whose}s/5158/tags")
        assert result.tags == ["vip", "gold"]
    _, play = _act("update_ticket", {"ticket": "5158", "priority": "high"}, {"ticket": zendesk.FOUND})
    assert _sent(play.calls[0]) == {"ticket": {"priority": "high"}}


def test_a_tag_with_a_space_would_be_two() -> None:
    """So it is none."""
    with pytest.raises(ValueError, match="tags"):
        _act("tag_ticket", {"ticket": "5158", "tags": ["very important"]})


def test_a_new_ticket_is_for_agents_and_has_our_mark_and_key() -> None:
    """Its first comment is an internal one, so that Zendesk writes to nobody."""
    made, play = _act("create_ticket", zendesk.MUG, {"user": zendesk.ADA}, answers(201, {"ticket": zendesk.MADE}))
    ticket = _sent(play.calls[1])["ticket"]
    assert made.id == "5160" and ticket["comment"]["public"] is False and ticket["tags"] == ["loyalty-hub", "mug"]
    assert ticket["external_id"] == play.calls[1].headers["idempotency-key"] == "call_1"
    assert "email" not in ticket and ticket["requester_id"] == 360001


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_a_ticket_whose_making_was_lost_is_looked_for(lost: Any) -> None:
    """By our key, letter by letter: the search finds what resembles it too."""
    failure, play = _act("create_ticket", zendesk.MUG, {"user": zendesk.ADA}, lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 2
    near = zendesk.FOUND | {"external_id": "call_10"}
    assert _found_done("create_ticket", zendesk.MUG, {"results": [near]}) is None
    done = _found_done("create_ticket", zendesk.MUG, {"results": [near, zendesk.MADE | {"external_id": "call_1"}]})
    assert done is not None and done.id == "5160"


def test_an_answer_goes_to_the_one_who_is_asked_at_the_gate() -> None:
    """Zendesk sends it to the requester; `to` is whose consent was looked at."""
    users = {"ticket": zendesk.FOUND, "users": [STAFF | {"id": 1, "email": "ben@example.com"}, zendesk.ADA]}
    _, play = _act("reply_to_ticket", zendesk.NOTE | {"to": "ADA@example.com"}, users, {"ticket": zendesk.FOUND})
    assert _sent(play.calls[1])["ticket"]["comment"]["public"] is True
    failure, play = _act("reply_to_ticket", zendesk.NOTE | {"to": "ben@example.com"}, users)
    assert isinstance(failure, CallFailed) and "somebody else" in str(failure) and len(play.calls) == 1
    assert zendesk.connector.actions["reply_to_ticket"].channel == "email"


def test_a_comment_is_found_by_its_words_and_since_when() -> None:
    """On any page; not the same words of last week, nor those that the customer can read."""
    note = zendesk.INSIDE | zendesk.WHEN
    old = note | {"created_at": "2026-01-30T10:00:00Z"}
    more = {"comments": [old, zendesk.OUTSIDE | zendesk.WHEN], "meta": {"has_more": True, "after_cursor": "c1"}}
    assert (
        _found_done("add_note", zendesk.NOTE, more, {"comments": [note | {"body": "Redeemed an  oil change\n"}]}).id == "5158"
    )
    assert _found_done("add_note", zendesk.NOTE, more, {"comments": []}) is None


def test_side_conversations_are_told_apart_by_our_key() -> None:
    """Others beside it have none."""
    rows = [{"id": "a", "external_ids": None}, {"id": "b", "external_ids": {"loyalty-hub": "call_1"}}]
    assert _found_done("start_side_conversation", zendesk.SIDE, {"side_conversations": rows}).id == "b"
    assert _found_done("start_side_conversation", zendesk.SIDE, {"side_conversations": rows[:1]}) is None


# Access and refusals


def test_an_agents_token_is_named_as_such() -> None:
    """`/token` is a part of the user name; an OAuth client is used where there is no token."""
    _, play = _act("update_ticket", {"ticket": "5158"}, {"ticket": zendesk.FOUND})
    pair = base64.b64decode(play.calls[0].headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "hub@example.com/token:key-7Qd2" and play.calls[0].url.startswith("https://acme.zendesk.com/")
    oauth = {"email": None, "api_token": None, "client_id": "hub", "client_secret": "s3cret-7Qd2"}
    _, play = _act("update_ticket", {"ticket": "5158"}, {"ticket": zendesk.FOUND}, **oauth)
    assert play.calls[0].headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (answers(409, {"error": "DatabaseConflict", "description": "Database collision"}), "passing", "DatabaseConflict"),
        (
            answers(403, {"error": {"title": "Forbidden", "message": "You do not have access"}}),
            "reconnect",
            "do not have access",
        ),
        (
            answers(
                422, {"error": "RecordInvalid", "details": {"status": [{"description": "Status: closed prevents update"}]}}
            ),
            "lasting",
            "closed prevents update",
        ),
        (answers(429, {"error": "APIRateLimitExceeded"}, retry_after="93"), "passing", "APIRateLimitExceeded"),
        (answers(400, {"error": "IdempotentRequestError"}), "lasting", "IdempotentRequestError"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """Two changes at once, an agent without the right, and a ticket that is closed for good."""
    failure, _ = _act("update_ticket", {"ticket": "5158", "status": "open"}, *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)
