"""Trustpilot: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import trustpilot
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Fact, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers
from hub.sdk.tokens import HeldTokens

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/trustpilot"
TOKEN = "long-random-text-7Qd2"
WITH_API = {"api_key": "key-7Qd2", "api_secret": "secret-7Qd2", "business_unit_id": "46d6a890000064000500e0c3"}


def _connection(**settings: Any) -> Connection:
    read = trustpilot.connector.settings.read({"webhook_token": TOKEN, **settings})
    return Connection("trustpilot", trustpilot.connector, read, webhook_url=URL)


def _request(body: Any, query: str = f"key={TOKEN}") -> Request:
    return Request("POST", "/hooks/trustpilot", query, {}, json.dumps(body).encode(), NOW, f"{URL}?{query}")


def _facts(body: Any, *replies: Answer, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), Play(one_by_one(replies))
    facts: list[Fact] = []
    for item in trustpilot.connector.items(_request(body), connection):
        for trigger in trustpilot.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(written: Mapping[str, Any], event: str = "service-review-created", **settings: Any) -> Any:
    (fact,), _ = _facts(trustpilot._told(event, written), **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return trustpilot.connector.triggers[name].key_of(fact)


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    action, connection = trustpilot.connector.actions[name], _connection(**WITH_API | settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    handed = {Client: play.client(connection, call_key="call_1", repeat=action.repeat), Settings: connection.settings}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


# Proof


@pytest.mark.parametrize("query", ["", "key=", "key=another", f"token={TOKEN}"])
def test_the_text_in_the_address_is_the_only_proof(query: str) -> None:
    """Trustpilot signs nothing; a header that looks like a signature proves nothing, and the text is not kept."""
    body = trustpilot._told("service-review-created")
    trustpilot.connector.verify(_request(body), _connection(), NOW)
    with pytest.raises(Refused):
        trustpilot.connector.verify(_request(body, query).with_headers({"x-trustpilot-signature": TOKEN}), _connection(), NOW)
    kept = trustpilot.connector.strip(_request(body))
    assert TOKEN not in kept.url and TOKEN not in kept.query


# What comes in


def test_every_review_of_a_delivery_is_read_and_a_torn_one_spoils_no_other() -> None:
    """A delivery is a list."""
    other = trustpilot.WRITTEN | {"id": "53bffd360000640002975388"}
    told = trustpilot._told("service-review-created")["events"] + trustpilot._told("service-review-created", other)["events"]
    facts, _ = _facts({"events": told})
    assert [fact.review_id for fact in facts] == [trustpilot.ID, "53bffd360000640002975388"]
    connection = _connection()
    items = trustpilot.connector.items(_request({"events": [{"eventName": "service-review-created"}, *told]}), connection)
    assert [bool(item.problem) for item in items] == [True, False, False]
    with pytest.raises(Unreadable, match="events"):
        trustpilot.connector.items(_request({"events": "none"}), connection)


@pytest.mark.parametrize("stars", [1, 2, 3, 4, 5])
def test_a_review_counts_whatever_its_stars(stars: int) -> None:
    """Trustpilot forbids anything else."""
    assert _one(trustpilot.WRITTEN | {"stars": stars}).rating == stars


def test_created_updated_and_found_are_one_review() -> None:
    """It is known by its own id; what was changed is another state of it."""
    facts = [_one(trustpilot.WRITTEN, event) for event in ("service-review-created", "service-review-updated")]
    facts.append(_one(trustpilot.WRITTEN | {"text": "Slow after all.", "stars": 2}, "service-review-updated"))
    connection = _connection(**WITH_API)
    play = Play(one_by_one([answers(200, {"reviews": [trustpilot.KEPT]})]))
    client = play.client(connection)
    (item,) = trustpilot.connector.pulls["reviews_since"].items(connection, client, NOW)
    facts += trustpilot.connector.triggers["review"].fetch(item, connection, client)
    assert {_key("review", fact) for fact in facts} == {trustpilot.ID}
    assert len(play.calls) == 1


def test_with_a_key_nothing_is_believed_that_was_only_told() -> None:
    """What Trustpilot has of it counts: stars, words and the address of whoever was invited."""
    kept = trustpilot.KEPT | {"stars": 1, "text": "Never came."}
    (fact,), play = _facts(trustpilot._told("service-review-created"), answers(200, kept), **WITH_API)
    assert (fact.rating, fact.text, fact.customer.email) == (1, "Never came.", "ada@example.com")
    assert play.calls[0].headers["apikey"] == "key-7Qd2" and "authorization" in play.calls[0].headers


@pytest.mark.parametrize("forged", [{"listed": trustpilot.KEPT}, {"told": {}, "listed": trustpilot.KEPT}])
def test_nobody_can_say_that_a_review_was_looked_up(forged: Mapping[str, Any]) -> None:
    """What a delivery says of itself stands apart from what the hub found."""
    facts, play = _facts(trustpilot._told("service-review-created", trustpilot.WRITTEN | forged), answers(404), **WITH_API)
    assert (facts, len(play.calls)) == ([], 1)
    told = {"events": [{"eventName": "service-review-created", "eventData": trustpilot.WRITTEN, **forged}]}
    assert _facts(told, answers(404), **WITH_API)[0] == []


def test_a_review_that_is_not_there_is_no_fact() -> None:
    """It was taken away meanwhile, or never written; but that Trustpilot is in trouble is no such answer."""
    told = trustpilot._told("service-review-created")
    assert _facts(told, answers(404), **WITH_API)[0] == []
    with pytest.raises(CallFailed):
        _facts(told, *[answers(503)] * 3, **WITH_API)


def test_without_an_address_a_review_is_linked_by_its_reference() -> None:
    """An order of the connection that is named, or the address that was put there; the chosen name proves nobody."""
    bare = _one(trustpilot.WRITTEN, orders_of="shop2")
    assert bare.customer is None and bare.writer == "Ada Ng"
    assert [(one.kind, one.id, one.connection) for one in bare.references] == [
        ("review", trustpilot.ID, ""),
        ("order", "ORDER-1001", "shop2"),
    ]
    mailed = _one(trustpilot.WRITTEN | {"referenceId": "Ada@Example.com"})
    assert mailed.customer.email == "ada@example.com" and [one.kind for one in mailed.references] == ["review"]
    assert [one.kind for one in _one(trustpilot.WRITTEN | {"referenceId": None}).references] == ["review"]


def test_a_review_of_a_product_has_words_and_an_address_of_its_own() -> None:
    """It is not asked for at the place of the others; one that is not published yet is none."""
    told = trustpilot._told("product-review-created", trustpilot.RATED)
    (fact,), play = _facts(told, **WITH_API)
    assert (fact.text, fact.product, fact.customer.email, play.calls) == ("Wobbles.", "Board", "ada@example.com", [])
    pending = trustpilot._told("product-review-created", trustpilot.RATED | {"state": "pending"})
    assert _facts(pending)[0] == []


@pytest.mark.parametrize("event", ["service-review-deleted", "product-review-deleted"])
def test_a_deletion_is_told_and_not_looked_up(event: str) -> None:
    """There is nothing any more to look at; it is no review."""
    (fact,), play = _facts(trustpilot._told(event), **WITH_API)
    assert (fact.fact, fact.review_id, play.calls) == ("review_deleted", trustpilot.ID, [])


@pytest.mark.parametrize("event", ["service-review-reported", "conversation-created"])
def test_other_events_are_no_facts(event: str) -> None:
    """As the module says."""
    assert _facts(trustpilot._told(event))[0] == []


def test_polling_turns_pages_from_the_oldest_on() -> None:
    """In the time that Trustpilot counts in; a hundred at once."""
    connection = _connection(**WITH_API)
    rows = [trustpilot.KEPT | {"id": f"r{number}"} for number in range(101)]
    play = Play(one_by_one([answers(200, {"reviews": rows[:100]}), answers(200, {"reviews": rows[100:]})]))
    items = list(trustpilot.connector.pulls["reviews_since"].items(connection, play.client(connection), NOW))
    asked = [parse_qs(urlsplit(call.url).query) for call in play.calls]
    assert len(items) == 101 and [one["page"] for one in asked] == [["1"], ["2"]]
    assert asked[0]["startDateTime"] == ["2026-02-06T21:30:00"] and asked[0]["orderBy"] == ["createdat.asc"]


@pytest.mark.parametrize("settings", [{}, WITH_API | {"business_unit_id": None}])
def test_nobody_asks_who_may_not(settings: Mapping[str, Any]) -> None:
    """Webhooks alone are enough."""
    connection, play = _connection(**settings), Play(one_by_one(()))
    assert list(trustpilot.connector.pulls["reviews_since"].items(connection, play.client(connection), NOW)) == []


def test_the_token_is_asked_for_with_key_and_secret_and_used_while_it_is_good() -> None:
    """By basic authentication and a form, once; its length of life is text."""
    connection = _connection(**WITH_API)
    token = {"access_token": "token-7Qd2", "expires_in": "359999", "refresh_token": "r"}
    play = Play(one_by_one([answers(200, token), answers(200, {"reviews": []}), answers(200, {"reviews": []})]))
    store = HeldTokens(lambda: NOW)
    client = Client(connection, session=play.session(), monotonic=lambda: 0.0, sleep=play.slept.append, tokens=store)
    for _ in range(2):
        list(trustpilot.connector.pulls["reviews_since"].items(connection, client, NOW))
    asked, first, second = play.calls
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"]}
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"key-7Qd2:secret-7Qd2").decode()
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer token-7Qd2"
    held = store.load("trustpilot")
    assert held is not None and held.expires_at == NOW + timedelta(seconds=359999)


# What goes out


def test_an_answer_is_signed_by_a_person_and_not_given_twice() -> None:
    """One that was lost is looked for in the review."""
    inputs = {"review": trustpilot.ID, "text": "Thank you!"}
    _, play = _act("reply_review", inputs, answers(204), business_user_id="u1")
    assert _sent(play.calls[0]) == {"message": "Thank you!", "authorBusinessUserId": "u1"}
    _, play = _act("reply_review", inputs, answers(204))
    assert _sent(play.calls[0]) == {"message": "Thank you!"}
    failure, play = _act("reply_review", inputs, requests.ReadTimeout("lost"))
    assert isinstance(failure, CallFailed) and (failure.verdict, len(play.calls)) == ("uncertain", 1)


def test_an_invitation_passes_the_gate_and_is_sent_once() -> None:
    """To the address that the gate is asked about; a lost answer waits for a person."""
    action = trustpilot.connector.actions["send_invitation"]
    assert action.channel == "email" and action.lookup is None
    inputs = {"to": "ada@example.com", "name": "Ada", "template": "t9"}
    _, play = _act("send_invitation", inputs, answers(202), template_id="t1")
    assert _sent(play.calls[0])["consumerEmail"] == "ada@example.com"
    assert _sent(play.calls[0])["serviceReviewInvitation"] == {"templateId": "t9"}
    failure, play = _act("send_invitation", inputs, answers(503))
    assert isinstance(failure, CallFailed) and (failure.verdict, len(play.calls)) == ("uncertain", 1)


@pytest.mark.parametrize("missing", ["api_key", "business_unit_id"])
def test_what_is_missing_is_named(missing: str) -> None:
    """Nothing is sent, and a person must set it."""
    failure, play = _act("send_invitation", {"to": "ada@example.com", "name": "Ada"}, **{missing: None})
    assert isinstance(failure, CallFailed) and failure.verdict == "reconnect" and f"`{missing}`" in str(failure)
    assert not play.calls


@pytest.mark.parametrize(("status", "verdict"), [(401, "reconnect"), (403, "reconnect"), (404, "lasting"), (422, "lasting")])
def test_a_refusal_is_read_as_it_is_meant(status: int, verdict: str) -> None:
    """In Trustpilot's own words."""
    said = {"message": "The review was not found", "errorCode": 1200, "correlationId": "c"}
    failure, _ = _act("reply_review", {"review": trustpilot.ID, "text": "x"}, *[answers(status, said)] * 2)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and "was not found" in str(failure)
