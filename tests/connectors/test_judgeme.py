"""Judge.me: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import judgeme
from hub.errors import CallFailed, Refused
from hub.sdk import Client, Connection, Fact, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/judgeme"
TOKEN = "private-token-7Qd2"
SHOP = "example.myshopify.com"


def _connection(**settings: Any) -> Connection:
    read = judgeme.connector.settings.read({"api_token": TOKEN, "shop_domain": SHOP, **settings})
    return Connection("judgeme", judgeme.connector, read, webhook_url=URL)


def _request(body: bytes, **headers: str) -> Request:
    return Request("POST", "/hooks/judgeme", "", headers, body, NOW, URL)


def _facts(event: str, *, shop_domain: str = SHOP, settings: Mapping[str, Any] = {}, **review: Any) -> dict[str, Any]:
    """What every trigger makes of a delivery, by the trigger's name."""
    connection = _connection(**settings)
    body = json.dumps(judgeme._told(event, **review) | {"shop_domain": shop_domain}).encode()
    (item,) = judgeme.connector.items(_request(body), connection)
    if not judgeme.connector.is_ours(item, connection):
        return {}
    return {trigger.name: fact for trigger in judgeme.connector.triggers_for(item) for fact in trigger.read(item, connection)}


def _review(**review: Any) -> Any:
    return _facts("review/published", **review)["review"]


def _key(name: str, fact: Fact) -> str:
    return judgeme.connector.triggers[name].key_of(fact)


def _pulled(name: str, *pages: list[Mapping[str, Any]]) -> tuple[list[Any], list[Called]]:
    connection, play = _connection(), Play(one_by_one([answers(200, {"reviews": page}) for page in pages]))
    items = list(judgeme.connector.pulls[name].items(connection, play.client(connection), NOW))
    return [item.data for item in items], play.calls


def _act(name: str, inputs: Mapping[str, Any], *replies: Any) -> tuple[Any, Play]:
    action, connection = judgeme.connector.actions[name], _connection()
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    handed = {Client: play.client(connection, call_key="call_1", repeat=action.repeat), Settings: connection.settings}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _task(name: str, *replies: Any) -> list[Called]:
    connection, play = _connection(), Play(one_by_one([answers(200, reply) for reply in replies]))
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    getattr(judgeme.connector, name).call(handed)
    return play.calls


def _sent(called: Called) -> Any:
    return json.loads(called.body)


# Proof


@pytest.mark.parametrize("header", ["judgeme-hmac-sha256", "x-judgeme-hmac-sha256", "http-x-judgeme-hmac-sha256"])
@pytest.mark.parametrize("key", [TOKEN, "app-secret-7Qd2"])
def test_the_signature_is_hex_under_the_token_or_the_apps_secret_in_any_spelling_of_its_header(header: str, key: str) -> None:
    """It depends on who registered the webhook; proxies rename the header."""
    body = b'{"event": "review/created"}'
    digest = hmac.new(key.encode(), body, hashlib.sha256)
    connection = _connection(app_secret="app-secret-7Qd2")
    judgeme.connector.verify(_request(body, **{header: digest.hexdigest()}), connection, NOW)
    for wrong in (base64.b64encode(digest.digest()).decode(), hmac.new(b"other", body, hashlib.sha256).hexdigest()):
        with pytest.raises(Refused):
            judgeme.connector.verify(_request(body, **{header: wrong}), connection, NOW)


def test_the_apps_secret_counts_only_where_it_is_set() -> None:
    """Without one, the token alone; the refusal speaks of nothing else."""
    body = b"{}"
    signed = hmac.new(b"app-secret-7Qd2", body, hashlib.sha256).hexdigest()
    with pytest.raises(Refused) as caught:
        judgeme.connector.verify(_request(body, **{"judgeme-hmac-sha256": signed}), _connection(), NOW)
    assert "api_token" in str(caught.value) and "app_secret" not in str(caught.value)


# What comes in


def test_another_shops_reviews_are_left_out() -> None:
    """One app may hear of several shops."""
    assert _facts("review/created", shop_domain="other.myshopify.com") == {}


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_a_review_counts_whatever_its_rating(rating: int) -> None:
    """Judge.me's widget shows all of them alike."""
    assert _review(rating=rating).rating == rating


@pytest.mark.parametrize(("rating", "kept"), [(None, None), (0, None), (6, None), (5, 5)])
def test_a_rating_that_is_none_costs_no_review(rating: int | None, kept: int | None) -> None:
    """The words are there all the same."""
    assert _review(rating=rating).rating == kept


@pytest.mark.parametrize(
    ("state", "published_only", "heard"),
    [
        ({}, True, True),
        ({"published": False}, True, False),
        ({"hidden": True}, True, False),
        ({"curated": "not-yet"}, True, False),
        ({"curated": "spam"}, True, False),
        ({"published": False, "curated": "not-yet"}, False, True),
        ({"hidden": True}, False, True),
        ({"curated": "spam"}, False, False),
    ],
)
def test_what_is_published_counts_or_all_but_spam(state: Mapping[str, Any], published_only: bool, heard: bool) -> None:
    """As the connection says: who publishes by stars must not reward by stars."""
    facts = _facts("review/created", settings={"published_only": published_only}, **state)
    assert ("review" in facts) is heard


def test_a_review_counts_once_through_all_its_changes() -> None:
    """Created, published and updated, told or found, it is one fact; another review is another."""
    facts = [_facts(event)["review"] for event in ("review/created", "review/published", "review/updated")]
    facts.append(_facts("review/updated", body="Better words", updated_at="2026-02-07T00:00:00+00:00")["review"])
    assert {_key("review", fact) for fact in facts} == {"465077653"}
    assert _key("review", _review(id=465077654)) == "465077654"


def test_a_review_that_is_published_later_is_heard_then() -> None:
    """At first it is no fact at all, and later the first of its key."""
    assert "review" not in _facts("review/created", published=False, curated="not-yet")
    assert _facts("review/published")["review"].is_published


def test_pictures_are_told_once_and_may_come_later() -> None:
    """Beside the review, under a key of their own; videos count too, and neither without being shown."""
    assert "pictures_added" not in _facts("review/created", pictures=[{"hidden": True}])
    later, film = _facts("review/updated", has_published_pictures=True), _facts("review/updated", has_published_videos=True)
    assert _key("pictures_added", later["pictures_added"]) == _key("pictures_added", film["pictures_added"])
    assert film["pictures_added"].has_videos and later["review"].has_pictures
    assert later["pictures_added"].fact != "review"


@pytest.mark.parametrize(
    ("said", "verified"),
    [
        ("buyer", True),
        ("verified-purchase", True),
        ("not-yet", False),
        ("nothing", False),
        ("something new", False),
        (None, None),
    ],
)
def test_only_a_buyer_is_verified(said: str | None, verified: bool | None) -> None:
    """Words that nobody knows prove nothing."""
    assert _review(verified=said).verified is verified


@pytest.mark.parametrize(
    ("said", "consents"),
    [
        ({"accepts_marketing": True, "unsubscribed_at": None}, {"email": True}),
        ({"accepts_marketing": False, "unsubscribed_at": None}, {}),
        ({"accepts_marketing": True, "unsubscribed_at": "2026-01-01T00:00:00+00:00"}, {"email": False}),
        ({}, {}),
    ],
)
def test_a_no_to_mail_is_heard_and_silence_is_none(said: Mapping[str, Any], consents: Mapping[str, bool]) -> None:
    """Who unsubscribed said no, whatever the box says; who did not tick it said nothing."""
    reviewer = {"id": 1, "email": "ada@example.com", **said}
    assert _review(reviewer=reviewer).customer.consents == consents


def test_the_reviewer_and_the_product_may_be_missing() -> None:
    """A review of the shop by somebody of whom nothing is told is still a review."""
    bare = _review(reviewer={"id": None, "email": None, "name": None}, product_external_id=None, product_title=None, title=None)
    assert (bare.customer.is_known(), bare.product_id, bare.product, bare.title) == (False, None, "", "")
    assert [reference.kind for reference in bare.references] == ["review"]
    assert _review(body="x" * 20_000).text == "x" * 10_000


def test_each_time_a_review_is_taken_off_is_told() -> None:
    """It is no review: nobody earns by it, and no stranger becomes a member."""
    first = _facts("review/unpublished", published=False)
    again = _facts("review/unpublished", published=False, updated_at="2026-03-01T00:00:00+00:00")
    assert list(first) == ["review_unpublished"] and not first["review_unpublished"].makes_member
    assert _key("review_unpublished", first["review_unpublished"]) != _key("review_unpublished", again["review_unpublished"])


def _row(number: int, changed: datetime) -> dict[str, Any]:
    return judgeme.WRITTEN | {"id": number, "created_at": "2025-01-01T00:00:00Z", "updated_at": changed.isoformat()}


def test_polling_reads_until_a_hundred_in_a_row_are_old() -> None:
    """An old review may have been published now; what stands behind many old ones is old too."""
    new, old = NOW - timedelta(days=29), NOW - timedelta(days=31)
    first = [_row(1, new), *(_row(number, old) for number in range(2, 100)), _row(100, new)]
    second = [_row(number, old) for number in range(101, 201)]
    rows, calls = _pulled("reviews_since", first, second)
    assert [row["id"] for row in rows] == [100, 1]
    assert [parse_qs(urlsplit(call.url).query)["page"] for call in calls] == [["1"], ["2"]]


def test_polling_ends_with_a_short_page() -> None:
    """There is no next one."""
    rows, calls = _pulled("reviews_since", [_row(1, NOW)])
    assert (len(rows), len(calls)) == (1, 1)


def test_a_review_that_is_found_is_the_one_that_was_told() -> None:
    """The list has the same fields."""
    connection = _connection()
    play = Play(one_by_one([answers(200, {"reviews": [judgeme.WRITTEN]})]))
    (item,) = judgeme.connector.pulls["reviews_since"].items(connection, play.client(connection), NOW)
    (found,) = judgeme.connector.triggers["review"].read(item, connection)
    assert found == _review()


def test_subscribing_registers_what_is_missing() -> None:
    """One event a webhook; what is there already, and other addresses, are let alone."""
    there = {"webhooks": [{"key": "review/created", "url": URL}, {"key": "review/updated", "url": "https://other.example"}]}
    calls = _task("subscription", there, {}, {}, {})
    assert [_sent(call)["webhook"] for call in calls[1:]] == [
        {"key": key, "url": URL} for key in ("review/updated", "review/published", "review/unpublished")
    ]
    assert all(_sent(call)["api_token"] == TOKEN for call in calls[1:])


def test_unsubscribing_takes_back_only_our_address() -> None:
    """Event by event."""
    there = {"webhooks": [{"key": "review/created", "url": URL}, {"key": "review/updated", "url": "https://other.example"}]}
    calls = _task("unsubscription", there, {})
    assert [(call.method, _sent(call)["key"]) for call in calls[1:]] == [("DELETE", "review/created")]


# What goes out


def test_a_public_answer_sends_no_mail() -> None:
    """Judge.me would by itself, past the hub's consent."""
    _, play = _act("reply_review", {"review": "465077653", "text": "Thank you!"}, {})
    assert _sent(play.calls[0])["send_reply_email"] is False
    assert judgeme.connector.actions["reply_review"].channel is None


@pytest.mark.parametrize("name", ["reply_privately", "request_review"])
def test_what_is_mailed_passes_the_gate(name: str) -> None:
    """Under the address that it is asked about."""
    action = judgeme.connector.actions[name]
    assert action.channel == "email" and action.inputs.model_fields["to"].is_required()


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("reply_review", {"review": "1", "text": "Thank you!"}),
        ("reply_privately", {"to": "ada@example.com", "review": "1", "subject": "s", "text": "t"}),
        ("request_review", {"to": "ada@example.com", "name": "Ada", "fulfilled_on": "2026-02-06", "product": "8"}),
    ],
)
def test_nothing_is_said_twice(name: str, inputs: Mapping[str, Any], lost: Any) -> None:
    """Judge.me has no key against doubles."""
    failure, play = _act(name, inputs, lost, {})
    assert isinstance(failure, CallFailed) and (failure.verdict, len(play.calls)) == ("uncertain", 1)


def test_a_request_names_a_product_and_writes_days_as_judgeme_reads_them() -> None:
    """Day first; without a product nothing is sent."""
    inputs = {"to": "ada@example.com", "name": "Ada", "fulfilled_on": "2026-02-06", "send_on": "2026-02-14"}
    _, play = _act("request_review", inputs | {"product_handle": "board"}, {"message": "success"})
    sent = _sent(play.calls[0])
    assert (sent["fulfilled_at"], sent["processed_at"], sent["product_handle"]) == ("06/02/2026", "14/02/2026", "board")
    failure, play = _act("request_review", inputs)
    assert isinstance(failure, CallFailed) and "product_handle" in str(failure) and not play.calls


@pytest.mark.parametrize(("status", "verdict"), [(401, "reconnect"), (403, "reconnect"), (404, "lasting"), (422, "lasting")])
def test_a_refusal_shows_no_token(status: int, verdict: str) -> None:
    """It stands in what is sent, and may come back."""
    failure, _ = _act("reply_review", {"review": "1", "text": "x"}, answers(status, {"error": f"bad {TOKEN}"}))
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and TOKEN not in str(failure)
