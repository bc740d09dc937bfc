"""Reviews: whatever a source calls their parts. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import reviews
from hub.errors import Refused, Unreadable
from hub.sdk import Connection, Fact
from hub.sdk.request import Request

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/feedback"
CSV = {"content-type": "text/csv"}


def _connection(**settings: Any) -> Connection:
    read = reviews.connector.settings.read({"signing_key": "k3y", **settings})
    return Connection("feedback", reviews.connector, read, webhook_url=URL)


def _request(body: bytes, query: str = "", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "/hooks/feedback", query, named, body, NOW, f"{URL}?{query}")


def _facts(body: Any, headers: Mapping[str, str] = {}, **settings: Any) -> list[Any]:
    connection = _connection(**settings)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    facts: list[Fact] = []
    for item in reviews.connector.items(_request(raw, **headers), connection):
        facts += reviews.connector.triggers["review"].read(item, connection)
    return facts


def _one(row: Mapping[str, Any], **settings: Any) -> Any:
    (fact,) = _facts(row, **settings)
    return fact


# Proof


def test_a_source_signs_or_shows_a_token() -> None:
    """In the header of its kind, or at the end of the address; each only where the connection has it."""
    body = b'{"id": "1"}'
    signed = "sha256=" + hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
    reviews.connector.verify(_request(body, x_hub_signature_256=signed), _connection(), NOW)
    for request in (_request(body, x_webhook_token="long"), _request(body, "key=long")):
        reviews.connector.verify(request, _connection(signing_key=None, webhook_token="long"), NOW)
        assert "long" not in str(reviews.connector.strip(request))
        with pytest.raises(Refused):
            reviews.connector.verify(request, _connection(), NOW)
    with pytest.raises(Refused):
        reviews.connector.verify(_request(body + b" ", x_hub_signature_256=signed), _connection(), NOW)


# What comes in


def test_every_field_may_stand_anywhere() -> None:
    """By a path, by a name with dots, or under the hub's own name; numbers and booleans as they are."""
    places = {"rating": "score.value", "text": "Review.Text", "verified": "buyer", "email": "people.0.mail"}
    row = {
        "id": 7,
        "score": {"value": 3},
        "Review.Text": "Nice",
        "buyer": True,
        "people": [{"mail": "ada@example.com"}],
        "title": "Hm",
    }
    fact = _one(row, fields=places)
    assert (fact.review_id, fact.rating, fact.text, fact.verified, fact.title) == ("7", 3, "Nice", True, "Hm")
    assert fact.customer.email == "ada@example.com"


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"stars": "score"}, "`fields` has in `stars`"), ({"rating": 5}, None), ({"rating": ["a"]}, "`fields` has in `rating`")],
)
def test_a_field_that_there_is_not_is_found_with_the_settings(fields: Mapping[str, Any], why: str | None) -> None:
    """Not when the first review comes."""
    found = [problem.message for problem in reviews.connector.settings.problems({"fields": fields})]
    assert bool(found) and (why or "fields") in found[0]


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_a_review_counts_whatever_its_stars(rating: int) -> None:
    """There is nowhere to say otherwise."""
    assert _one({"id": "1", "rating": rating}).rating == rating


@pytest.mark.parametrize(
    ("given", "out_of", "rating"), [("9", 10, 5), (4.4, 5, 4), ("4,6", 5, 5), (85, 100, 4), ("good", 5, None), (9, 5, None)]
)
def test_ratings_become_stars_of_five(given: object, out_of: int, rating: int | None) -> None:
    """What is none leaves the words, which count."""
    fact = _one({"id": "1", "text": "x", "rating": given}, out_of=out_of)
    assert (fact.rating, fact.text) == (rating, "x")


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ({"id": "1", "text": "a"}, {}),
        ([{"id": "1", "text": "a"}], {}),
        ({"data": {"reviews": [{"id": "1", "text": "a"}]}}, {"reviews_in": "data.reviews"}),
        ({"data": {"review": {"id": "1", "text": "a"}}}, {"reviews_in": "data.review"}),
    ],
)
def test_a_delivery_is_one_review_or_a_list_of_them(body: Any, settings: Mapping[str, Any]) -> None:
    """Wherever it stands."""
    assert [fact.review_id for fact in _facts(body, **settings)] == ["1"]


@pytest.mark.parametrize("body", [{"data": {}}, {"data": None}, [], b"", b"null"])
def test_a_delivery_without_its_list_is_unreadable(body: Any) -> None:
    """The place is named, where the connection names one."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Unreadable):
        reviews.connector.items(_request(raw), _connection(reviews_in="data.reviews"))


def test_one_that_cannot_be_read_spoils_no_other() -> None:
    """Neither in JSON nor in a table; each is told for itself."""
    connection = _connection()
    items = reviews.connector.items(_request(json.dumps([7, {"id": "1", "text": "a"}, {"id": "2"}]).encode()), connection)
    assert [bool(item.problem) for item in items] == [True, False, False]
    with pytest.raises(Unreadable, match="Nothing of a review stands"):
        reviews.connector.triggers["review"].read(items[2], connection)
    items = reviews.connector.items(_request(b"id,text\n1,a\n2\n3,c\n", content_type="text/csv"), connection)
    assert [item.problem for item in items] == ["", "Line 3 has another number of cells than the first line.", ""]


def test_a_table_is_read_by_its_columns() -> None:
    """As people save it, with semicolons, a byte order mark and their own names of columns."""
    table = '\ufeffNummer;Sterne;Text;E-Mail\r\n7;4,5;"Gut; schnell";ada@example.com\r\n'.encode()
    places = {"id": "Nummer", "rating": "Sterne", "text": "Text", "email": "E-Mail"}
    (fact,) = _facts(table, {"content_type": "text/csv; charset=utf-8"}, fields=places)
    assert (fact.review_id, fact.rating, fact.text, fact.customer.email) == ("7", 5, "Gut; schnell", "ada@example.com")


def test_a_source_without_numbers_tells_each_review_once() -> None:
    """It is known by who wrote what and when; the same words by another are another review."""
    row = {"email": "ada@example.com", "text": "Nice", "written_at": "2026-02-06"}
    keys = [_one(one).review_id for one in (row, row | {"site": "elsewhere"}, row | {"email": "bob@example.com"})]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("2026-02-06T21:27:34+01:00", None, datetime(2026, 2, 6, 20, 27, 34, tzinfo=UTC)),
        ("2026-02-06T21:27:34", None, datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)),
        ("2026-02-06", None, datetime(2026, 2, 6, 12, tzinfo=UTC)),
        ("06.02.2026", "%d.%m.%Y", datetime(2026, 2, 6, 12, tzinfo=UTC)),
        ("02/06/2026 00:00", "%m/%d/%Y %H:%M", datetime(2026, 2, 6, tzinfo=UTC)),
        ("", None, None),
    ],
)
def test_times_are_read_as_the_source_writes_them(text: str, form: str | None, moment: datetime | None) -> None:
    """Of a day it is noon, which is that day nearly everywhere; where nothing is said, the hub stamps it."""
    assert _one({"id": "1", "text": "x", "written_at": text}, date_format=form).occurred_at == moment


@pytest.mark.parametrize(
    ("form", "why"), [(None, "say how it is written in `date_format`"), ("%d.%m.%Y", "not of the form '%d.%m.%Y'")]
)
def test_a_time_in_another_form_is_explained(form: str | None, why: str) -> None:
    """With the value, and what to do; no day is guessed from 02/06."""
    with pytest.raises(Unreadable, match="`written_at` is '02/06/2026'") as caught:
        _one({"id": "1", "text": "x", "written_at": "02/06/2026"}, date_format=form)
    assert why in str(caught.value)


def test_a_name_alone_is_nobody_and_an_order_is_its_buyers() -> None:
    """Names are many people's; the order's connection is the one that hub.yaml names."""
    fact = _one({"id": "1", "text": "x", "name": "Ada Ng", "order_id": 1042}, orders_of="square")
    assert (fact.customer, fact.writer) == (None, "Ada Ng")
    assert [(one.kind, one.id, one.connection) for one in fact.references] == [("review", "1", ""), ("order", "1042", "square")]


@pytest.mark.parametrize(("said", "verified"), [("Yes", True), ("verified", True), (0, False), ("maybe", None), (None, None)])
def test_verified_is_yes_no_or_unknown(said: object, verified: bool | None) -> None:
    """In the words that sources use."""
    assert _one({"id": "1", "text": "x", "verified": said}).verified is verified


def test_the_site_is_the_connections_name_unless_it_says_another() -> None:
    """So that recipes can tell sources apart."""
    assert [_one({"id": "1", "text": "x"}, site=site).site for site in (None, "shopvoice")] == ["feedback", "shopvoice"]
