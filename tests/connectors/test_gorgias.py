"""Gorgias: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import gorgias
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.action import CallKey
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/gorgias"
TOKEN = "b7c1-long-and-random"
GONE = answers(404, {"error": {"msg": "Not found"}})


def _connection(**settings: Any) -> Connection:
    values = {"account": "acme", "email": "hub@example.com", "api_key": "key-7Qd2", "webhook_token": TOKEN}
    values["from_address"] = "help@example.com"
    read = gorgias.connector.settings.read({name: value for name, value in (values | settings).items() if value is not None})
    return Connection("gorgias", gorgias.connector, read, webhook_url=URL)


def _request(body: Any, **headers: str) -> Request:
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request("POST", "/hooks/gorgias", "", named, json.dumps(body).encode(), NOW, URL)


def _played(*replies: Any) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _facts(body: Any, *replies: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), _played(*replies)
    facts: list[Fact] = []
    for item in gorgias.connector.items(_request(body), connection):
        for trigger in gorgias.connector.triggers_for(item):
            facts += trigger.fetch(item, connection, play.client(connection))
    return facts, play


def _one(body: Any, *replies: Any) -> Any:
    (fact,), _ = _facts(body, *replies)
    return fact


def _key(name: str, fact: Fact) -> str:
    return gorgias.connector.triggers[name].key_of(fact)


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    """The result of an action against these replies, and what was sent."""
    action, connection, play = gorgias.connector.actions[name], _connection(**settings), _played(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Settings: connection.settings, CallKey: CallKey("call_1"), datetime: NOW}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _found_done(name: str, inputs: Mapping[str, Any], *replies: Any) -> Any:
    action, connection = gorgias.connector.actions[name], _connection()
    handed = {Client: _played(*replies).client(connection)}
    return action.find_done(handed, action.inputs.model_validate(inputs), "call_1")


def _pull(name: str, *pages: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), _played(*pages)
    return list(gorgias.connector.pulls[name].items(connection, play.client(connection), NOW)), play


def _page(*rows: Any, cursor: str | None = None) -> dict[str, Any]:
    return {"data": list(rows), "meta": {"next_cursor": cursor, "prev_cursor": None}}


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _query(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


# Proof


@pytest.mark.parametrize("headers", [{}, {"x_webhook_token": "another"}, {"x_gorgias_signature": TOKEN}])
def test_the_token_in_the_header_is_the_only_proof(headers: dict[str, str]) -> None:
    """What Gorgias signs nobody could tell; without the token nothing is taken, and it is not kept."""
    genuine = _request(gorgias.SOLVED, x_webhook_token=TOKEN)
    gorgias.connector.verify(genuine, _connection(), NOW)
    with pytest.raises(Refused):
        gorgias.connector.verify(_request(gorgias.SOLVED, **headers), _connection(), NOW)
    assert TOKEN not in repr(gorgias.connector.strip(genuine))


# What comes in: tickets


def test_whatever_the_integration_sends_is_one_fact() -> None:
    """All values are texts; our name for it or Gorgias's, alone or with more besides; a poll says the same."""
    replies = gorgias.FOUND, gorgias.ADA
    told = _one(gorgias.SOLVED, *replies)
    more = {"event": "ticket-status-updated", "ticket_id": 90210, "status": "closed", "customer_email": "", "updated": "now"}
    assert told == _one(more, *replies)
    (item,), _ = _pull("solved_tickets", _page(gorgias.FOUND))
    connection = _connection()
    assert gorgias.connector.triggers["ticket_solved"].fetch(item, connection, _played(*replies).client(connection)) == [told]


def test_a_variable_that_is_missing_is_an_empty_text() -> None:
    """Then there is no ticket to look up."""
    with pytest.raises(Unreadable, match="ticket_id"):
        _facts({"event": "ticket_solved", "ticket_id": ""})


def test_a_ticket_is_solved_once_however_often_it_is_reopened() -> None:
    """What counts is how it is when it is looked at; times without a zone are UTC."""
    first = _one(gorgias.SOLVED, gorgias.FOUND, gorgias.ADA)
    assert first.occurred_at == datetime(2026, 2, 6, 21, 27, 34, 123456, tzinfo=UTC)
    again = _one(gorgias.SOLVED, gorgias.FOUND | {"closed_datetime": None, "tags": []}, gorgias.ADA)
    assert _key("ticket_solved", first) == _key("ticket_solved", again)
    assert _facts(gorgias.SOLVED, gorgias.FOUND | {"status": "open"}, gorgias.ADA)[0] == []


@pytest.mark.parametrize("body", [gorgias.CREATED, gorgias.SOLVED, gorgias.RATED])
def test_spam_the_bin_and_what_is_gone_are_nothing(body: Any) -> None:
    """Lists have what lies in the bin too; a customer that is gone asks nothing."""
    for more in ({"spam": True}, {"trashed_datetime": "2026-02-06T21:00:00"}, {"customer": None}):
        facts, play = _facts(body, gorgias.FOUND | more)
        assert facts == [] and len(play.calls) == 1
    assert _facts(body, GONE)[0] == _facts(body, gorgias.FOUND, GONE)[0] == []


@pytest.mark.parametrize("more", [{"tags": [{"name": "loyalty-hub"}]}, {"from_agent": True}])
def test_tickets_that_nobody_asked_are_not_news_but_may_be_rated(more: Any) -> None:
    """The hub made them, or an agent wrote first; what a customer says of one counts."""
    ours = gorgias.FOUND | more
    assert _facts(gorgias.CREATED, ours, gorgias.ADA)[0] == _facts(gorgias.SOLVED, ours, gorgias.ADA)[0] == []
    assert _one(gorgias.RATED, ours, gorgias.ADA).satisfied is True


@pytest.mark.parametrize(("score", "satisfied"), [(5, True), (4, True), (3, None), (2, False), (1, False)])
def test_a_rating_is_of_five(score: int, satisfied: bool | None) -> None:
    """The middle is neither; a survey that was sent and not answered is nothing."""
    survey = gorgias.SURVEY | {"score": score}
    fact = _one(gorgias.RATED, gorgias.FOUND | {"satisfaction_survey": survey}, gorgias.ADA)
    assert (fact.rating, fact.satisfied, fact.comment) == (score, satisfied, "Such speed!")
    assert fact.occurred_at == datetime(2026, 2, 6, 21, 28, 0, 500_000, tzinfo=UTC)
    for nothing in (None, {"score": None, "scored_datetime": None}):
        assert _facts(gorgias.RATED, gorgias.FOUND | {"satisfaction_survey": nothing}, gorgias.ADA)[0] == []


def test_ratings_are_asked_for_though_tickets_are_told() -> None:
    """No trigger of an integration tells them, and a rule need not be there."""
    assert not gorgias.connector.hears("ticket_rated", _connection().settings)
    assert gorgias.connector.hears("ticket_solved", _connection().settings)


# What comes in: customers


def _changed(**more: Any) -> Any:
    (item,), _ = _pull("changed_customers", _page(gorgias.ADA | more))
    (fact,) = gorgias.connector.triggers["customer_changed"].read(item, _connection())
    return fact


def test_what_is_not_read_of_a_customer_makes_them_no_other() -> None:
    """Fields and data that the hub writes come back in the list, and are not news; a new number is."""

    def version(**more: Any) -> str:
        return _key("customer_changed", _changed(**more))

    assert version() == version(data={"loyalty": {"points": 240}}, updated_datetime="2026-02-06T21:29:00", note="x")
    assert len({version(), version(email="ada@new.example"), version(channels=[]), version(external_id=None)}) == 4


def test_the_preferred_number_is_taken_and_a_name_may_be_one() -> None:
    """Other networks are no phones."""
    two = [
        {"type": "phone", "address": "+1 1"},
        {"type": "phone", "address": "+1 2", "preferred": True},
        {"type": "twitter", "address": "ada"},
    ]
    assert _changed(channels=two).customer.phone == "+1 2"
    who = _changed(channels=two[2:], firstname="", lastname=None, name="Ada King of Lovelace").customer
    assert (who.phone, who.first_name, who.last_name) == (None, "Ada", "King of Lovelace")


# Asking


def test_lists_are_read_from_the_newest_to_five_minutes_before() -> None:
    """Gorgias lists all that ever was; what comes of it is in the order in which it happened."""
    rows = [gorgias.FOUND | {"id": n, "updated_datetime": f"2026-02-06T21:2{n}:00"} for n in (9, 7, 5)]
    old = gorgias.FOUND | {"id": 4, "updated_datetime": "2026-02-06T21:24:59.999999"}
    items, play = _pull("solved_tickets", _page(rows[0], cursor="c2"), _page(*rows[1:], old, cursor="c3"))
    assert [item.data["ticket_id"] for item in items] == [5, 7, 9] and len(play.calls) == 2
    assert _query(play.calls[1])["cursor"] == ["c2"] and _query(play.calls[0])["order_by"] == ["updated_datetime:desc"]


def test_a_survey_may_be_answered_weeks_after_it_was_made() -> None:
    """So the list is read for thirty days; what was answered before the last look is left."""
    survey = gorgias.SURVEY | {"created_datetime": "2026-01-10T10:00:00"}
    before = survey | {"ticket_id": 8, "scored_datetime": "2026-02-06T21:00:00"}
    none = survey | {"ticket_id": 9, "scored_datetime": None}
    ancient = survey | {"ticket_id": 7, "created_datetime": "2026-01-01T10:00:00"}
    items, _ = _pull("rated_tickets", _page(none, before, survey, ancient, survey))
    assert [item.data["ticket_id"] for item in items] == [90210]


# Webhooks


def _tell(*replies: Any, **settings: Any) -> tuple[Mapping[str, str], list[Called]]:
    connection, play = _connection(**settings), _played(*replies)
    return tell_address(connection, play.client(connection, repeat="safe")), play.calls


def test_subscribing_makes_an_integration_for_each_trigger() -> None:
    """The body says what the request does not: which trigger it was. The token goes in a header."""
    told, calls = _tell(_page(), answers(201, {"id": 1}), answers(201, {"id": 2}))
    assert told == {}
    made = [_sent(call) for call in calls[1:]]
    assert [one["http"]["triggers"] for one in made] == [{"ticket-created": True}, {"ticket-status-updated": True}]
    for one in made:
        assert one["http"]["url"] == URL and one["http"]["headers"] == {"X-Webhook-Token": TOKEN}
        body = json.loads(json.dumps(one["http"]["form"]).replace("{{ticket.id}}", "90210"))
        assert _facts(body, gorgias.FOUND, gorgias.ADA)[0][0].ticket_id == "90210"


def test_a_token_that_is_not_set_is_made_and_kept() -> None:
    """A long one, another each time."""
    made = [_tell(_page(), answers(201, {"id": 1}), answers(201, {"id": 2}), webhook_token=None) for _ in range(2)]
    tokens = [told["webhook_token"] for told, _ in made]
    assert len(set(tokens)) == 2 and all(len(token) > 40 for token in tokens)
    assert {_sent(call)["http"]["headers"]["X-Webhook-Token"] for call in made[0][1][1:]} == {tokens[0]}


def test_subscribing_again_changes_what_there_is_and_adds_nothing() -> None:
    """Integrations of others are let alone."""
    mine = {"id": 5, "name": "Loyalty hub gorgias: ticket_solved", "http": {"url": URL}}
    other = {"id": 6, "name": "Loyalty hub gorgias: ticket_created", "http": {"url": "https://crm.example"}}
    _, calls = _tell(_page(other, {"id": 7, "name": "x", "http": None}, mine), answers(201, {"id": 8}), answers(202, {}))
    assert [str(call) for call in calls[1:]] == ["POST /api/integrations", "PUT /api/integrations/5"]
    connection, play = _connection(), _played(_page(other, mine), answers(204))
    take_address_back(connection, play.client(connection, repeat="safe"))
    assert [str(call) for call in play.calls[1:]] == ["DELETE /api/integrations/5"]


# What goes out: customers


def test_fields_are_found_by_name_or_number() -> None:
    """In any case of letters; what the settings name is not looked up. The body is a bare list."""
    for numbers, settings, replies in (
        ({"points": 120}, {}, [gorgias.DEFINED]),
        ({"123": 120}, {}, []),
        ({"balance": 120}, {"custom_fields": {"balance": "123"}}, []),
        ({"balance": 120}, {"custom_fields": {"balance": "Points"}}, [gorgias.DEFINED]),
    ):
        _, play = _act("update_customer", {"customer": "5501", "numbers": numbers}, *replies, answers(202, {}), **settings)
        assert _sent(play.calls[-1]) == [{"id": 123, "value": 120}] and len(play.calls) == len(replies) + 1


def test_an_unknown_field_is_an_error_before_anything_is_written() -> None:
    """It says where to make it."""
    inputs = {"email": "ada@example.com", "fields": {"Points": "1", "Rank": "x"}}
    failure, play = _act("upsert_customer", inputs, gorgias.DEFINED)
    assert isinstance(failure, CallFailed) and "no customer field `Rank`" in str(failure) and len(play.calls) == 1


def test_numbers_go_as_numbers_and_an_empty_text_clears() -> None:
    """Digit by digit."""
    inputs = {"customer": "5501", "fields": {"124": ""}, "numbers": {"123": "120", "125": "1.50"}}
    _, play = _act("update_customer", inputs, answers(202, {}))
    assert play.calls[0].body == b'[{"id":124,"value":null},{"id":123,"value":120},{"id":125,"value":1.50}]'
    kept, play = _act("update_customer", {"customer": "5501"})
    assert kept.id == "5501" and play.calls == []


def test_a_customer_is_found_by_our_id_and_then_by_address_in_any_case() -> None:
    """Capitals count at Gorgias; one who is there keeps their name, and all their ways to be reached."""
    inputs = {"email": "Ada@Example.com", "external_id": "loy-1001", "numbers": {"123": 1}}
    _, play = _act("upsert_customer", inputs, _page(), _page(), _page(gorgias.ADA), answers(202, {}), answers(202, {}))
    assert [_query(call) for call in play.calls[1:3]] == [{"email": ["Ada@Example.com"]}, {"email": ["ada@example.com"]}]
    assert _sent(play.calls[3]) == {"external_id": "loy-1001"}
    kept, play = _act("upsert_customer", {"email": "ada@example.com"}, _page(gorgias.ADA))
    assert kept.id == "5501" and len(play.calls) == 1


def test_a_customer_whose_making_was_lost_is_looked_for_again_and_not_made_twice() -> None:
    """The call as a whole may be repeated."""
    failure, play = _act("upsert_customer", {"email": "ada@example.com"}, _page(), requests.ReadTimeout("lost"), gorgias.ADA)
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


@pytest.mark.parametrize(
    ("known", "replies", "number"),
    [
        ({"id": "5501"}, [gorgias.SAID, gorgias.DEFINED], "5501"),
        ({"id": "8", "email": "ada@example.com"}, [GONE, _page(gorgias.ADA), gorgias.SAID, gorgias.DEFINED], "5501"),
        ({"id": "8"}, [GONE], None),
        ({"email": "ben@example.com"}, [_page()], None),
        ({"phone": "+14155550123"}, [], None),
    ],
)
def test_a_customer_is_seen_by_number_or_else_by_address(known: Any, replies: list[Any], number: str | None) -> None:
    """One that was merged leads on by the address, and nobody to nobody; a field's number may stand within or beside."""
    mirror, connection = gorgias.connector.mirroring, _connection()
    assert mirror is not None
    one = Mirrored(Customer(**known), {"Points": 120, "tier": None})
    handed = {Client: _played(*replies).client(connection), Settings: connection.settings}
    (shown,) = mirror.look(handed, [one])
    assert (shown.id if isinstance(shown, Shown) else shown) == number
    if isinstance(shown, Shown):
        assert shown.fields == {"Points": 120, "tier": None}


@pytest.mark.parametrize(
    ("there", "whole"),
    [
        ({"orders": 3, "loyalty": {"points": 7}}, {"orders": 3, "loyalty": {"points": 120}}),
        (None, {"loyalty": {"points": 120}}),
        ("text", {"loyalty": {"points": 120}}),
    ],
)
def test_data_of_other_programs_stays(there: Any, whole: Any) -> None:
    """Gorgias replaces all of it; the time tells it what is older."""
    inputs = {"customer": "5501", "data": {"loyalty": {"points": 120}}}
    _, play = _act("set_customer_data", inputs, gorgias.ADA | {"data": there}, answers(202))
    assert _sent(play.calls[1]) == {"data": whole, "version": "2026-02-06T21:30:00"}


# What goes out: tickets


def test_tags_are_added_and_never_replaced() -> None:
    """PUT wipes all others, and so do tags in a ticket's update; DELETE has a body."""
    _, play = _act("tag_ticket", gorgias.TAGS, answers(201))
    assert (play.calls[0].method, _sent(play.calls[0])) == ("POST", {"names": ["gold"]})
    _, play = _act("untag_ticket", gorgias.TAGS, answers(204))
    assert (play.calls[0].method, _sent(play.calls[0])) == ("DELETE", {"names": ["gold"]})
    _, play = _act("update_ticket", {"ticket": "90210", "priority": "high"}, answers(202, gorgias.FOUND))
    assert _sent(play.calls[0]) == {"priority": "high"}


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_what_was_lost_is_looked_for_by_our_key(lost: Any) -> None:
    """Tickets and messages bear it, for Gorgias would do it twice; one that is nearly ours is not it."""
    failure, play = _act("create_ticket", gorgias.MUG, lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    assert _sent(play.calls[0])["external_id"] == "call_1"
    near, ours = gorgias.MADE | {"external_id": "call_10"}, gorgias.MADE | {"external_id": "call_1"}
    assert _found_done("create_ticket", gorgias.MUG, _page(near, ours)).id == "90211"
    assert _found_done("create_ticket", gorgias.MUG, _page(near)) is None
    failure, play = _act("add_note", gorgias.NOTE, lost)
    assert (
        isinstance(failure, CallFailed) and failure.verdict == "uncertain" and _sent(play.calls[0])["external_id"] == "call_1"
    )
    messages = [{"id": 87, "external_id": "call_10"}, {"id": 88, "external_id": "call_1"}]
    assert _found_done("add_note", gorgias.NOTE, gorgias.FOUND | {"messages": messages}).id == "88"
    assert _found_done("add_note", gorgias.NOTE, gorgias.FOUND | {"messages": None}) is None


def test_a_note_is_seen_by_agents_alone() -> None:
    """By its channel and in so many words; without a user's address Gorgias takes the app's own user."""
    _, play = _act("add_note", gorgias.NOTE, answers(201, {"id": 88}))
    note = _sent(play.calls[0])
    assert (note["channel"], note["public"], note["sender"]) == ("internal-note", False, {"email": "hub@example.com"})
    app = {"email": None, "api_key": None, "client_id": "hub", "client_secret": "s3cret-7Qd2"}
    _, play = _act("add_note", gorgias.NOTE, answers(201, {"id": 88}), **app)
    assert "sender" not in _sent(play.calls[0]) and play.calls[0].headers["authorization"].startswith("Bearer ")


def test_an_answer_is_sent_because_no_time_of_sending_is_said() -> None:
    """With one, Gorgias would only note it down. It needs a mailbox, and passes the consent gate."""
    inputs = gorgias.NOTE | {"to": "ada@example.com"}
    _, play = _act("reply_to_ticket", inputs, answers(201, {"id": 89}))
    assert "sent_datetime" not in _sent(play.calls[0])
    failure, play = _act("reply_to_ticket", inputs, from_address=None)
    assert isinstance(failure, CallFailed) and "from_address" in str(failure) and play.calls == []
    assert gorgias.connector.actions["reply_to_ticket"].channel == "email"


# Access and refusals


def test_the_key_goes_with_its_users_address() -> None:
    """To the account's own host."""
    _, play = _act("update_ticket", {"ticket": "90210"}, answers(202, gorgias.FOUND))
    assert base64.b64decode(play.calls[0].headers["authorization"].removeprefix("Basic ")) == b"hub@example.com:key-7Qd2"
    assert play.calls[0].url == "https://acme.gorgias.com/api/tickets/90210"


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (
            answers(400, {"error": {"msg": "Failed to validate", "data": {"status": ["Not a valid choice."]}}}),
            "lasting",
            'Failed to validate {"status":["Not a valid choice."]}',
        ),
        (answers(409, {"error": {"msg": "The resource already exists."}}), "lasting", "already exists. Another customer"),
        (answers(403, {"error": {"msg": "Forbidden"}}), "reconnect", "Forbidden. Check or renew"),
        (GONE, "lasting", "Not found"),
        (answers(429, {"error": {"msg": "Slow down"}}, retry_after="21"), "passing", "Slow down"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """In Gorgias's words, with the field that is wrong."""
    failure, _ = _act("update_ticket", {"ticket": "90210", "status": "open"}, *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)


def test_pages_of_definitions_are_turned() -> None:
    """An account may have more than a hundred."""
    first = _page({"id": 1, "label": "Colour"}, cursor="c2")
    _, play = _act("update_customer", {"customer": "5501", "fields": {"tier": "x"}}, first, gorgias.DEFINED, answers(202, {}))
    assert _query(play.calls[1])["cursor"] == ["c2"] and _sent(play.calls[2]) == [{"id": 124, "value": "x"}]


def test_five_minutes_are_looked_at_twice() -> None:
    """Clocks differ, and lists may be late."""
    late = gorgias.FOUND | {"created_datetime": (NOW - timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S")}
    assert len(_pull("created_tickets", _page(late))[0]) == 1
