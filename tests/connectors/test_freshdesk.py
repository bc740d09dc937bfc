"""Freshdesk: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import freshdesk
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.action import CallKey
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/freshdesk"
TOKEN = "b7c1-long-and-random"
GONE = answers(404)


def _connection(**settings: Any) -> Connection:
    values = {"domain": "acme", "api_key": "key-7Qd2", "webhook_token": TOKEN}
    read = freshdesk.connector.settings.read(values | settings)
    return Connection("freshdesk", freshdesk.connector, read, webhook_url=URL)


def _request(body: Any, query: str = "", **headers: str) -> Request:
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/hooks/freshdesk", query, named, raw, NOW, f"{URL}?{query}" if query else URL)


def _played(*replies: Any) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _facts(body: Any, *replies: Any, query: str = "", **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _played(*replies)
    facts: list[Fact] = []
    for item in freshdesk.connector.items(_request(body, query), connection):
        for trigger in freshdesk.connector.triggers_for(item):
            facts += trigger.fetch(item, connection, play.client(connection))
    return facts, play


def _one(body: Any, *replies: Any, query: str = "", **settings: Any) -> Any:
    (fact,), _ = _facts(body, *replies, query=query, **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return freshdesk.connector.triggers[name].key_of(fact)


def _rated(*ratings: tuple[int, str]) -> Any:
    rows = [freshdesk.SAID | {"ratings": {"default_question": score}, "created_at": at} for score, at in ratings]
    return _one(freshdesk.RATED, freshdesk.FOUND, freshdesk.ADA, rows)


def _act(name: str, inputs: Mapping[str, Any], *replies: Any) -> tuple[Any, Play]:
    """The result of an action against these replies, and what was sent."""
    action, connection, play = freshdesk.connector.actions[name], _connection(), _played(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1")}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _found_done(name: str, inputs: Mapping[str, Any], *replies: Any) -> Any:
    action, connection = freshdesk.connector.actions[name], _connection()
    handed = {Client: _played(*replies).client(connection), datetime: NOW - timedelta(minutes=5)}
    return action.find_done(handed, action.inputs.model_validate(inputs), "call_1")


def _pull(name: str, *pages: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _played(*pages)
    since = NOW + timedelta(microseconds=942_163)
    return list(freshdesk.connector.pulls[name].items(connection, play.client(connection), since)), play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _query(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


# Proof


@pytest.mark.parametrize("headers", [{}, {"x_webhook_token": "another"}, {"authorization": f"Basic {TOKEN}"}])
def test_the_token_in_the_header_is_the_only_proof(headers: dict[str, str]) -> None:
    """Freshdesk signs nothing; without the token nothing is taken, and it is not kept."""
    genuine = _request(freshdesk.SOLVED, x_webhook_token=TOKEN)
    freshdesk.connector.verify(genuine, _connection(), NOW)
    with pytest.raises(Refused):
        freshdesk.connector.verify(_request(freshdesk.SOLVED, **headers), _connection(), NOW)
    assert TOKEN not in repr(freshdesk.connector.strip(genuine))


# What comes in: tickets


def test_whatever_the_rule_sends_is_one_fact() -> None:
    """Own content or ticked fields, a number or a text, the event in the body or the address; a poll says the same."""
    replies = freshdesk.FOUND, freshdesk.ADA
    told = _one(freshdesk.SOLVED, *replies)
    ticked = {"freshdesk_webhook": {"ticket_id": 4711, "ticket_requester_email": "ada@example.com"}}
    assert told == _one(freshdesk.SIMPLE, *replies) == _one(ticked, *replies, query="event=ticket_solved")
    (item,), _ = _pull("solved_tickets", [freshdesk.FOUND])
    connection = _connection()
    client = _played(*replies).client(connection)
    assert freshdesk.connector.triggers["ticket_solved"].fetch(item, connection, client) == [told]


@pytest.mark.parametrize(
    "body", [{"ticket_id": "4711"}, {"freshdesk_webhook": {"ticket_id": 1}}, {"event": 7, "ticket_id": "1"}]
)
def test_a_body_that_names_no_event_says_what_to_write(body: Any) -> None:
    """It is genuine, so it is kept; nothing is guessed."""
    with pytest.raises(Unreadable, match="names no event"):
        _facts(body)


def test_words_in_the_helpdesks_language_decide_nothing() -> None:
    """The number of the status does, as it is by the time of the look; own statuses can be named."""
    german = {"event": "ticket_solved", "ticket_id": "4711", "status": "Gelöst"}
    assert _facts(german, freshdesk.FOUND | {"status": 3}, freshdesk.ADA)[0] == []
    shipped = freshdesk.FOUND | {"status": 9}
    assert _facts(german, shipped, freshdesk.ADA)[0] == []
    assert len(_facts(german, shipped, freshdesk.ADA, solved_statuses=[4, 5, 9])[0]) == 1


def test_a_ticket_is_solved_once_however_often_it_is_reopened() -> None:
    """A ticket that is solved again earns nothing again."""
    first = _one(freshdesk.SOLVED, freshdesk.FOUND, freshdesk.ADA)
    assert first.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)
    again = _one(freshdesk.SOLVED, freshdesk.FOUND | {"status": 5, "stats": {}}, freshdesk.ADA)
    assert again.occurred_at == datetime(2026, 2, 6, 21, 28, tzinfo=UTC)
    assert _key("ticket_solved", first) == _key("ticket_solved", again)


@pytest.mark.parametrize("body", [freshdesk.CREATED, freshdesk.SOLVED, freshdesk.RATED])
def test_tickets_of_agents_spam_and_what_is_gone_are_nothing(body: Any) -> None:
    """An agent is no contact; a ticket that was merged or deleted is not there."""
    assert _facts(body, freshdesk.FOUND, GONE)[0] == []
    for ticket in (freshdesk.FOUND | {"spam": True}, freshdesk.FOUND | {"deleted": True}, GONE):
        facts, play = _facts(body, ticket)
        assert facts == [] and len(play.calls) == 1


def test_tickets_that_the_hub_made_are_not_news_but_may_be_rated() -> None:
    """They are known by their tag; what a customer says of one counts."""
    ours = freshdesk.FOUND | {"tags": ["mug", "loyalty-hub"]}
    assert _facts(freshdesk.CREATED, ours, freshdesk.ADA)[0] == _facts(freshdesk.SOLVED, ours, freshdesk.ADA)[0] == []
    assert _one(freshdesk.RATED, ours, freshdesk.ADA, [freshdesk.SAID]).satisfied is True


@pytest.mark.parametrize(
    ("score", "satisfied"),
    [
        (103, True),
        (102, True),
        (101, True),
        (100, None),
        (-101, False),
        (-102, False),
        (-103, False),
        (1, True),
        (2, None),
        (3, False),
    ],
)
def test_a_rating_is_good_bad_or_neither(score: int, satisfied: bool | None) -> None:
    """Old surveys count the other way round; the number is told too, but is none of five."""
    fact = _rated((score, "2026-02-06T21:28:00Z"))
    assert (fact.score, fact.satisfied, fact.rating, fact.comment) == (score, satisfied, None, "Great support!")


def test_of_several_ratings_the_newest_counts_and_the_ticket_is_rated_once() -> None:
    """In whatever order they are listed; a mind that changes makes no second rating."""
    first = _rated((103, "2026-02-06T21:28:00Z"))
    changed = _rated((103, "2026-02-06T21:28:00Z"), (-103, "2026-02-07T09:00:00Z"), (100, "2026-02-06T22:00:00Z"))
    assert (changed.score, changed.occurred_at) == (-103, datetime(2026, 2, 7, 9, tzinfo=UTC))
    assert _key("ticket_rated", first) == _key("ticket_rated", changed)
    assert _facts(freshdesk.RATED, freshdesk.FOUND, freshdesk.ADA, [])[0] == []


def test_numbers_are_told_in_words() -> None:
    """Priority and source have numbers at Freshdesk; one that we do not know stays a number."""
    fact = _one(freshdesk.CREATED, freshdesk.FOUND | {"priority": 4, "source": 13}, freshdesk.ADA)
    assert (fact.priority, fact.channel) == ("urgent", "13")
    bare = _one(freshdesk.CREATED, freshdesk.FOUND | {"priority": None, "source": None, "subject": None}, freshdesk.ADA)
    assert (bare.priority, bare.channel, bare.subject) == ("", "", "")


# What comes in: contacts


def _contact(connection: Connection, **more: Any) -> list[Fact]:
    play = _played([freshdesk.ADA | more])
    (item,) = freshdesk.connector.pulls["changed_contacts"].items(connection, play.client(connection), NOW)
    return freshdesk.connector.triggers["contact_changed"].read(item, connection)


def test_what_is_not_read_of_a_contact_makes_it_no_other() -> None:
    """Points that the hub writes come back in the list, and are not news; a new address is."""
    connection = _connection(contact_fields=["car"])

    def version(**more: Any) -> str:
        (fact,) = _contact(connection, **more)
        return _key("contact_changed", fact)

    paid = {"car": "Diesel van", "loyalty_points": 240}
    assert version() == version(custom_fields=paid, tags=["gold"], updated_at="2026-02-07T00:00:00Z")
    assert len({version(), version(email="ada@new.example"), version(custom_fields={"car": "Bike"})}) == 3


def test_what_mirrors_points_is_never_news() -> None:
    """Even if a recipe may read it."""
    connection = replace(_connection(contact_fields=["car", "loyalty_points"]), mirror={"balance": "loyalty_points"})
    keys = set()
    for points in (120, 240):
        (fact,) = _contact(connection, custom_fields={"car": "Diesel van", "loyalty_points": points})
        assert fact.attributes == {"external_id": "loy-1001", "car": "Diesel van"}  # type: ignore[attr-defined]
        keys.add(_key("contact_changed", fact))
    assert len(keys) == 1


def test_a_mobile_number_is_better_than_a_phone_and_a_deleted_contact_is_none() -> None:
    """Text messages go to the mobile one."""
    connection = _connection()
    for numbers, phone in (({"phone": "+1 555"}, "+14155550123"), ({"phone": "+1 555", "mobile": None}, "+1 555")):
        (fact,) = _contact(connection, **numbers)
        assert fact.customer is not None and fact.customer.phone == phone
    assert _contact(connection, deleted=True) == []


# Asking


def test_only_what_the_trigger_would_tell_is_looked_up() -> None:
    """The list has all that was touched. It begins five minutes before, at a whole second."""
    new = {"id": 7, "created_at": "2026-02-06T21:29:00Z", "status": 2}
    rows = [freshdesk.FOUND, new, new | {"id": 8, "status": 5}, new | {"id": 9, "status": 9}]
    items, play = _pull("solved_tickets", rows, solved_statuses=[4, 5, 9])
    assert [item.data["ticket_id"] for item in items] == [4711, 8, 9]
    assert [item.data["ticket_id"] for item in _pull("created_tickets", rows)[0]] == [7, 8, 9]
    assert _query(play.calls[0])["updated_since"] == ["2026-02-06T21:25:00Z"]


def test_a_list_of_tickets_goes_on_after_three_hundred_pages() -> None:
    """Freshdesk ends there: the next list begins with the last change that was seen."""

    def respond(called: Called, before: int) -> Answer:
        asked.append(_query(called))
        at = f"2026-02-06T22:{before // 60:02}:{before % 60:02}Z"
        rows = [freshdesk.FOUND | {"id": before * 100 + row, "updated_at": at} for row in range(100 if before < 301 else 1)]
        return answers(200, rows)

    asked: list[dict[str, list[str]]] = []
    connection = _connection()
    client = Play(respond).client(connection)
    assert len(list(freshdesk.connector.pulls["solved_tickets"].items(connection, client, NOW))) == 30_101
    assert asked[299]["page"] == ["300"] and asked[299]["updated_since"] == ["2026-02-06T21:25:00Z"]
    assert asked[300]["page"] == ["1"] and asked[300]["updated_since"] == ["2026-02-06T22:04:59Z"]


def test_contacts_and_ratings_are_asked_for_page_by_page() -> None:
    """A hundred at a time; the last page is shorter."""
    for name, row in (("changed_contacts", freshdesk.ADA), ("rated_tickets", freshdesk.SAID)):
        items, play = _pull(name, [row] * 100, [row])
        assert len(items) == 101 and _query(play.calls[1])["page"] == ["2"]


# What goes out: contacts


def test_a_contact_is_found_by_our_id_and_then_by_address() -> None:
    """Freshdesk has no such call; one who is there keeps their name, and nothing is written where there is nothing to write."""
    inputs = {"email": "ada@example.com", "external_id": "loy-1001", "numbers": {"loyalty_points": 120}}
    _, play = _act("upsert_contact", inputs, [freshdesk.ADA], freshdesk.ADA)
    assert _query(play.calls[0]) == {"unique_external_id": ["loy-1001"]}
    assert _sent(play.calls[1]) == {"unique_external_id": "loy-1001", "custom_fields": {"loyalty_points": 120}}
    kept, play = _act("upsert_contact", {"email": "ada@example.com"}, [freshdesk.ADA])
    assert kept.id == "42" and len(play.calls) == 1


def test_a_contact_whose_making_was_lost_is_looked_for_again_and_not_made_twice() -> None:
    """The call as a whole may be repeated."""
    failure, play = _act("upsert_contact", {"email": "ada@example.com"}, [], requests.ReadTimeout("lost"), freshdesk.ADA)
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


def test_numbers_go_as_numbers_and_an_empty_text_clears() -> None:
    """A number field takes no text; what is not named stays as it is."""
    inputs = {"contact": "42", "fields": {"loyalty_tier": ""}, "numbers": {"loyalty_points": "120", "height": "1.50"}}
    _, play = _act("update_contact", inputs, freshdesk.ADA)
    assert play.calls[0].body == b'{"custom_fields":{"loyalty_tier":null,"loyalty_points":120,"height":1.50}}'


@pytest.mark.parametrize(
    ("known", "replies", "number"),
    [
        ({"id": "42"}, [freshdesk.ADA], "42"),
        ({"id": "8", "email": "ada@example.com"}, [GONE, [freshdesk.ADA]], "42"),
        ({"id": "8", "email": "ada@example.com"}, [freshdesk.ADA | {"id": 8, "deleted": True}, [freshdesk.ADA]], "42"),
        ({"id": "8"}, [GONE], None),
        ({"email": "ben@example.com"}, [[]], None),
        ({"phone": "+14155550123"}, [], None),
    ],
)
def test_a_contact_is_seen_by_number_or_else_by_address(known: Any, replies: list[Any], number: str | None) -> None:
    """One that was merged or deleted leads on by its address, and nobody to nobody."""
    mirror, connection = freshdesk.connector.mirroring, _connection()
    assert mirror is not None
    one = Mirrored(Customer(**known), {"loyalty_points": 120})
    (shown,) = mirror.look({Client: _played(*replies).client(connection)}, [one])
    assert (shown.id if isinstance(shown, Shown) else shown) == number


# What goes out: tickets


def test_a_new_ticket_has_status_priority_and_our_mark() -> None:
    """Some accounts refuse one without; the text is HTML there."""
    made, play = _act("create_ticket", freshdesk.MUG | {"text": "<b>\n2 & 3"}, answers(201, freshdesk.MADE))
    ticket = _sent(play.calls[0])
    assert made.id == "4712" and (ticket["status"], ticket["priority"]) == (2, 1)
    assert ticket["tags"] == ["loyalty-hub", "mug"]
    assert ticket["description"] == "&lt;b&gt;<br>2 &amp; 3<br><br>(loyalty-hub call_1)"


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_a_ticket_whose_making_was_lost_is_looked_for_by_our_key(lost: Any) -> None:
    """A ticket of the same subject, made by the hub for another reason, is not it."""
    failure, play = _act("create_ticket", freshdesk.MUG, lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    rows = [freshdesk.FOUND, freshdesk.MADE | {"id": 8}, freshdesk.MADE | {"id": 9}]
    texts = [{"description_text": f"Her reward (loyalty-hub {key})"} for key in ("call_10", "call_1")]
    assert _found_done("create_ticket", freshdesk.MUG, rows, *texts).id == "9"
    assert _found_done("create_ticket", freshdesk.MUG, rows[:2], texts[0]) is None


def test_a_note_is_private_in_so_many_words() -> None:
    """It is the default, and nobody wants to learn otherwise from a customer."""
    _, play = _act("add_note", freshdesk.NOTE, answers(201, freshdesk.NOTED))
    assert _sent(play.calls[0]) == {"body": freshdesk.BODY, "private": True}


def test_an_answer_goes_to_the_one_who_is_asked_at_the_gate() -> None:
    """Freshdesk sends it to the requester; `to` is whose consent was looked at."""
    ticket = freshdesk.FOUND | {"requester": freshdesk.ADA}
    _, play = _act("reply_to_ticket", freshdesk.NOTE | {"to": "ADA@example.com"}, ticket, answers(201, {"id": 89}))
    assert str(play.calls[1]) == "POST /api/v2/tickets/4711/reply"
    failure, play = _act("reply_to_ticket", freshdesk.NOTE | {"to": "ben@example.com"}, ticket)
    assert isinstance(failure, CallFailed) and "somebody else" in str(failure) and len(play.calls) == 1
    assert freshdesk.connector.actions["reply_to_ticket"].channel == "email"


def test_what_was_written_is_found_by_its_words_and_since_when() -> None:
    """On any page; not the same words of last week, nor those that the customer can read."""
    old = freshdesk.NOTED | {"created_at": "2026-01-30T10:00:00Z"}
    others = [old, freshdesk.NOTED | {"private": False}] * 50
    assert _found_done("add_note", freshdesk.NOTE, others, [freshdesk.NOTED]).id == "88"
    assert _found_done("add_note", freshdesk.NOTE, others, []) is None


@pytest.mark.parametrize(
    ("name", "there", "written"),
    [
        ("tag_ticket", ["vip"], ["vip", "gold"]),
        ("tag_ticket", ["vip", "gold"], None),
        ("tag_ticket", [], ["gold"]),
        ("untag_contact", ["vip", "Gold"], ["vip"]),
        ("untag_contact", ["vip"], None),
    ],
)
def test_tags_are_read_changed_and_written(name: str, there: list[str], written: list[str] | None) -> None:
    """Freshdesk replaces the whole list: all others stay in it, and nothing is written where nothing changes."""
    whose = name.partition("tag_")[2]
    result, play = _act(name, {whose: "42", "tags": ["gold"]}, {"id": 42, "tags": there}, {"id": 42})
    assert [_sent(call)["tags"] for call in play.calls[1:]] == ([written] if written else [])
    assert result.tags == (written or there)


def test_statuses_and_priorities_are_numbers_there() -> None:
    """What is not said is left as it is."""
    _, play = _act("update_ticket", {"ticket": "4711", "status": "closed", "priority": "urgent"}, freshdesk.FOUND)
    assert _sent(play.calls[0]) == {"status": 5, "priority": 4}


# Access and refusals


def test_the_key_is_the_users_name() -> None:
    """The password says nothing."""
    _, play = _act("update_ticket", {"ticket": "4711"}, freshdesk.FOUND)
    assert base64.b64decode(play.calls[0].headers["authorization"].removeprefix("Basic ")) == b"key-7Qd2:X"
    assert play.calls[0].url == "https://acme.freshdesk.com/api/v2/tickets/4711"


INVALID = {
    "description": "Validation failed",
    "errors": [
        {"field": "loyalty_points", "message": "It should be a/an Integer", "code": "datatype_mismatch"},
        {"field": "tier", "message": "Unexpected/invalid field in request", "code": "invalid_field"},
    ],
}
TAKEN = {"description": "Validation failed", "errors": [{"field": "email", "message": "It should be a unique value"}]}


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (answers(400, INVALID), "lasting", "loyalty_points: It should be a/an Integer; tier: Unexpected/invalid field"),
        (answers(409, TAKEN), "lasting", "email: It should be a unique value. It is an agent's"),
        (answers(403, {"code": "access_denied", "message": "You are not authorized"}), "reconnect", "not authorized"),
        (answers(401, {"code": "invalid_credentials", "message": "You have to be logged in"}), "reconnect", "logged in"),
        (answers(429, {"message": "You have exceeded the limit"}, retry_after="40"), "passing", "exceeded"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """With the field that is wrong: an unknown one, a text for a number, an address that an agent has."""
    failure, _ = _act("update_contact", {"contact": "42", "fields": {"tier": "gold"}}, *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)
