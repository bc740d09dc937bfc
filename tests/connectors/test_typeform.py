"""Typeform: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import typeform
from connectors.typeform import Filled, FormReview, Submission
from hub.errors import CallFailed, Refused
from hub.sdk import Client, Connection, Customer, Fact, Item, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/typeform"
FORMS = typeform.connector.settings.example()["forms"]


def _connection(**settings: Any) -> Connection:
    values = {"access_token": "tfp_7Qd2", "webhook_secret": "long-random-text", "forms": FORMS, **settings}
    return Connection("typeform", typeform.connector, typeform.connector.settings.read(values), webhook_url=URL)


def _request(body: bytes, **headers: str) -> Request:
    return Request("POST", "/hooks/typeform", "", headers, body, NOW, URL)


def _facts(told: Mapping[str, Any], **settings: Any) -> dict[str, Fact]:
    """What every trigger makes of a delivery, by the trigger's name."""
    connection = _connection(**settings)
    (item,) = typeform.connector.items(_request(json.dumps(told).encode()), connection)
    return {trigger.name: fact for trigger in typeform.connector.triggers_for(item) for fact in trigger.read(item, connection)}


def _filled(form: Mapping[str, Any], *given: Mapping[str, Any], **more: Any) -> Filled:
    """The fact of a form with these answers."""
    (fact,) = _facts(typeform._told("f1", *given, **more), forms={"f1": form}).values()
    assert isinstance(fact, Filled)
    return fact


def _who(form: Mapping[str, Any], *given: Mapping[str, Any], **more: Any) -> Customer:
    customer = _filled(form, *given, **more).customer
    assert customer is not None
    return customer


def _pull(name: str, *replies: Any, **settings: Any) -> tuple[list[Item], list[Called]]:
    connection, play = _connection(**settings), Play(one_by_one([answers(200, {"items": rows}) for rows in replies]))
    items = list(typeform.connector.pulls[name].items(connection, play.client(connection), NOW))
    return items, play.calls


def _task(name: str, *replies: Any, **settings: Any) -> list[Called]:
    """The calls of `subscription` or `unsubscription`."""
    connection, play = _connection(**settings), Play(one_by_one(replies))
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    getattr(typeform.connector, name).call(handed)
    return play.calls


def _mail(ref: str, address: str) -> dict[str, Any]:
    return typeform._answer(ref, "email", address)


def _phone(number: str) -> dict[str, Any]:
    return typeform._answer("phone", "phone_number", number)


# Proof


def test_the_signature_is_base64_over_the_raw_body() -> None:
    """With the secret as text and `sha256=` before it; the same in hex is refused, and so is another body."""
    body = '{"event_type": "form_response", "x": "Zoë 🎁"}'.encode()
    made = hmac.digest(b"long-random-text", body, hashlib.sha256)
    genuine = "sha256=" + base64.b64encode(made).decode()
    typeform.connector.verify(_request(body, **{"typeform-signature": genuine}), _connection(), NOW)
    for forged in (
        _request(body, **{"typeform-signature": "sha256=" + made.hex()}),
        _request(body, **{"typeform-signature": base64.b64encode(made).decode()}),
        _request(body + b" ", **{"typeform-signature": genuine}),
        _request(body),
    ):
        with pytest.raises(Refused):
            typeform.connector.verify(forged, _connection(), NOW)


# What a form means


@pytest.mark.parametrize(
    ("told", "trigger"),
    [
        (typeform.REVIEW, "review"),
        (typeform.REFERRAL, "referral"),
        (typeform.SIGN_UP, "signed_up"),
        (typeform.REDEMPTION, "redemption_requested"),
        (typeform.OTHER, "form_submitted"),
    ],
)
def test_one_response_is_one_fact(told: Mapping[str, Any], trigger: str) -> None:
    """The settings say which, by the form's id; where they say nothing, a form was submitted."""
    assert list(_facts(told)) == [trigger]
    assert list(_facts(told, forms={})) == ["form_submitted"]


def test_an_unfinished_form_is_nothing() -> None:
    """Nobody has sent it in."""
    assert _facts({**typeform.REVIEW, "event_type": "form_response_partial"}) == {}


@pytest.mark.parametrize("pull", ["reviews_since", "sign_ups_since", "redemptions_since", "referrals_since", "forms_since"])
def test_a_response_is_the_same_fact_in_a_webhook_and_in_a_list(pull: str) -> None:
    """So a list never looks like news: the title and what else only one of both tells is not taken."""
    reader = typeform.connector.triggers[typeform.connector.pulls[pull].trigger]
    told = next(sample.given for sample in typeform.connector.samples if sample.of == reader.name and sample.gives)
    row = {name: value for name, value in told["form_response"].items() if name not in {"definition", "form_id"}}
    (item,), _ = _pull(pull, [{**row, "response_id": row["token"], "metadata": {"browser": "touch"}}])
    assert reader.read(item, _connection()) == [_facts(told)[reader.name]]


def test_a_meaning_that_is_none_is_named_with_its_form() -> None:
    """And so is a field that forms of this meaning do not have; an asked-for reward must be named."""
    problems = typeform.connector.settings.problems
    for form, said in (
        ({"means": "reveiw"}, "`forms` has in `f1`"),
        ({"means": "referral", "rating": "stars"}, "`forms` has in `f1.referral.rating` 'stars'"),
        ({"means": "redemption"}, "`f1.redemption.reward`"),
        ({"means": "review", "out_of": 100}, "`f1.review.out_of` 100"),
    ):
        (problem,) = problems({"access_token": "t", "forms": {"f1": form}})
        assert said in problem.message


# What was answered


def test_answers_are_read_by_reference_whatever_their_type() -> None:
    """Exact numbers, the chosen labels with what was written beside them, and a type that is new as text."""
    given = [
        typeform._answer("score", "number", 7),
        typeform._answer("agree", "boolean", False),
        typeform._answer("one", "choice", {"label": "Beans", "ref": "b"}),
        typeform._answer("other", "choice", {"other": "Tea"}),
        typeform._answer("many", "choices", {"labels": ["Beans", "Cups"], "other": "Tea"}),
        typeform._answer("day", "date", "2026-02-06"),
        typeform._answer("paid", "payment", {"amount": "12.50", "last4": "1234", "name": "Ada"}),
        typeform._answer("new", "hologram", {"shape": "cube"}),
        {"type": "text", "text": "by id", "field": {"id": "Q9"}},
        {"type": "text", "field": {"id": "Q10", "ref": "empty"}},
    ]
    assert _filled({"means": "other"}, *given).answers == {
        "score": "7",
        "agree": "no",
        "one": "Beans",
        "other": "Tea",
        "many": "Beans, Cups, Tea",
        "day": "2026-02-06",
        "paid": "12.50",
        "new": '{"shape":"cube"}',
        "Q9": "by id",
        "empty": "",
    }


def test_hidden_fields_variables_and_the_score_can_be_named() -> None:
    """A link may bring the reward's id, a calculation its number; scores keep their digits."""
    form = {"means": "redemption", "reward": "hidden.reward", "id": "variables.card", "first_name": "score"}
    variables = [{"key": "card", "type": "number", "number": 77}, {"key": "shop", "type": "text", "text": "Kiel"}]
    body = json.dumps(typeform._told("f1", hidden={"reward": "oil-change"}, variables=variables, calculated={"score": 0}))
    connection = _connection(forms={"f1": form})
    (item,) = typeform.connector.items(_request(body.replace('"score": 0', '"score": 8.10').encode()), connection)
    (fact,) = typeform.connector.triggers["redemption_requested"].read(item, connection)
    assert isinstance(fact, typeform.FormRedemption)
    assert fact.customer is not None
    assert (fact.reward, fact.customer.id, fact.customer.first_name) == ("oil-change", "77", "8.10")
    assert (fact.hidden, fact.variables) == ({"reward": "oil-change"}, {"card": "77", "shop": "Kiel"})
    assert fact.score == Decimal("8.10")


def test_skipped_questions_are_simply_absent() -> None:
    """Then the fact has less, and still counts."""
    fact = _filled({"means": "review", "rating": "stars", "text": "words"}, answers=None, hidden=None, calculated=None)
    assert isinstance(fact, FormReview)
    assert (fact.rating, fact.text, fact.score) == (None, "", None)
    assert fact.customer == Customer()


@pytest.mark.parametrize(
    ("given", "out_of", "stars"),
    [(5, 5, 5), (1, 5, 1), (10, 10, 5), (9, 10, 5), (1, 10, 1), (0, 10, 0), (2, 3, 3), (9, 5, None), (-1, 5, None)],
)
def test_a_rating_on_another_scale_becomes_one_of_five(given: int, out_of: int, stars: int | None) -> None:
    """Halves are rounded up; a rating beyond its scale stays as it came, among the answers."""
    form = {"means": "review", "rating": "stars", "out_of": out_of}
    fact = _filled(form, typeform._answer("stars", "number", given, "opinion_scale"))
    assert isinstance(fact, FormReview)
    assert (fact.rating, fact.answers["stars"]) == (stars, str(given))


def test_a_rating_in_words_is_no_number() -> None:
    """The review counts all the same."""
    fact = _filled({"means": "review", "rating": "stars"}, typeform._answer("stars", "choice", {"label": "Great"}))
    assert isinstance(fact, FormReview)
    assert (fact.rating, fact.answers) == (None, {"stars": "Great"})


def test_long_words_are_cut_where_a_fact_is_short() -> None:
    """Nobody's review is refused because they wrote much."""
    form = {"means": "review", "title": "words", "text": "words", "first_name": "words"}
    fact = _filled(form, typeform._answer("words", "text", "x" * 20_000))
    assert isinstance(fact, FormReview)
    assert fact.customer is not None
    assert (len(fact.title), len(fact.text), len(fact.customer.first_name or "")) == (512, 10_000, 512)
    assert len(fact.answers["words"]) == 20_000


# Who it was


def test_the_only_address_is_whose_it_is() -> None:
    """An answer before a hidden field; the same address twice is one."""
    ada, shout = _mail("a", "ada@example.com"), _mail("b", "Ada@Example.com")
    assert _who({"means": "review"}, ada, hidden={"email": "bob@example.com"}).email == "ada@example.com"
    assert _who({"means": "review"}, ada, shout).email == "Ada@Example.com"
    assert _who({"means": "review"}, hidden={"email": "bob@example.com"}).email == "bob@example.com"
    assert _who({"means": "review"}, _phone("+14155550123")).phone == "+14155550123"


def test_of_several_addresses_none_is_guessed() -> None:
    """The settings must say which; an answer that they name and that is missing is not replaced by another."""
    two = _mail("mine", "ada@example.com"), _mail("friend", "bob@example.com")
    assert _who({"means": "other"}, *two).email is None
    assert _who({"means": "other", "email": "mine"}, *two).email == "ada@example.com"
    assert _who({"means": "other", "email": "mine"}, two[1]).email is None


def test_of_a_referral_nothing_is_guessed() -> None:
    """The one who fills it in may be the friend or the referrer; points for the wrong one are hard to take back."""
    fact = _filled({"means": "referral", "referrer_email": "mine"}, _mail("mine", "ada@example.com"), _phone("+14155550123"))
    assert isinstance(fact, typeform.FormReferral)
    assert (fact.customer, fact.referrer) == (Customer(), Customer(email="ada@example.com"))
    nobody = _filled({"means": "referral", "email": "friend", "code": "code"}, _mail("friend", "bob@example.com"))
    assert isinstance(nobody, typeform.FormReferral)
    assert (nobody.referrer, nobody.code) == (None, None)


def test_two_addresses_are_one_person_only_on_a_sign_up() -> None:
    """Else whoever writes another's address beside a number of their own would take over the other's account."""
    both = _mail("email", "ada@example.com"), _phone("+14155550199")
    for means in ({"means": "review"}, {"means": "other"}, {"means": "redemption", "reward": "r"}):
        who = _who(means, *both)
        assert (who.email, who.phone) == ("ada@example.com", None)
    signed_up = _who({"means": "sign_up"}, *both)
    assert (signed_up.email, signed_up.phone) == ("ada@example.com", "+14155550199")


def test_consent_is_a_yes_or_a_no() -> None:
    """A question that was skipped, or answered otherwise, is neither."""
    form = {"means": "sign_up", "email_consent": "news", "sms_consent": "texts"}
    yes, no = typeform._answer("news", "boolean", True, "legal"), typeform._answer("texts", "choice", {"label": "No"})
    assert _who(form, yes, no).consents == {"email": True, "sms": False}
    assert _who(form, typeform._answer("news", "text", "perhaps")).consents == {}


def test_a_birthday_that_is_no_day_is_left_out() -> None:
    """The answer stays as it came."""
    form = {"means": "sign_up", "birthday": "born"}
    assert _who(form, typeform._answer("born", "date", "1990-05-17")).birthday == date(1990, 5, 17)
    odd = _filled(form, typeform._answer("born", "text", "in May"))
    assert odd.customer is not None
    assert (odd.customer.birthday, odd.answers["born"]) == (None, "in May")


def test_a_sign_up_keeps_what_the_settings_want_of_it() -> None:
    """As attributes of the member; a question that was skipped clears nothing."""
    form = {"means": "sign_up", "attributes": {"car": "model", "colour": "paint"}}
    fact = _filled(form, typeform._answer("model", "text", "Diesel van"))
    assert isinstance(fact, typeform.SignedUp)
    assert (fact.created, fact.attributes) == (True, {"car": "Diesel van"})


# Asking


def test_a_pull_reaches_back_an_hour_and_turns_pages_by_the_last_response() -> None:
    """The newest are listed late and first; what comes of it is in the order in which it was sent in."""
    size = typeform.PAGE_SIZE
    rows = [{"token": f"t{number}", "submitted_at": typeform.AT} for number in range(size + 1, 0, -1)]
    items, calls = _pull("reviews_since", rows[:size], rows[size:])
    assert [item.data["token"] for item in items] == [f"t{number}" for number in range(1, size + 2)]
    first, second = [parse_qs(urlsplit(call.url).query) for call in calls]
    assert first == {"page_size": [str(size)], "since": ["2026-02-06T20:30:00Z"], "completed": ["true"]}
    assert second == {**first, "before": ["t2"]}


def test_only_forms_that_are_named_are_asked_for() -> None:
    """Each by the pull of its meaning, with its own id."""
    forms = {"f1": {"means": "review"}, "f2": {"means": "other"}, "f3": {"means": "review"}}
    row = {"token": "t1", "submitted_at": typeform.AT}
    items, calls = _pull("reviews_since", [row], [row], forms=forms)
    assert [urlsplit(call.url).path for call in calls] == ["/forms/f1/responses", "/forms/f3/responses"]
    assert [item.data["form_id"] for item in items] == ["f1", "f3"]
    assert _pull("redemptions_since", forms=forms) == ([], [])


def test_an_account_in_europe_is_asked_at_its_own_address() -> None:
    """`host` says where it is."""
    _, calls = _pull("reviews_since", [], host="api.eu.typeform.com")
    assert urlsplit(calls[0].url).netloc == "api.eu.typeform.com"


@pytest.mark.parametrize(("status", "verdict"), [(401, "reconnect"), (403, "reconnect"), (404, "lasting"), (429, "passing")])
def test_a_refused_call_says_what_to_do(status: int, verdict: str) -> None:
    """A token without the scope needs a person; a form that is gone is named in Typeform's words."""
    connection = _connection()
    refusal = answers(status, {"code": "NO", "description": "Not this form"}, retry_after="120")
    client = Play(one_by_one([refusal])).client(connection)
    with pytest.raises(CallFailed, match=r"Not this form \(NO\)") as failed:
        list(typeform.connector.pulls["reviews_since"].items(connection, client, NOW))
    assert (failed.value.verdict, failed.value.retry_after_seconds) == (verdict, 120)


# Webhooks


def test_subscribing_tells_each_form_our_address_under_one_name() -> None:
    """Switched on, signed, over checked certificates, and for finished forms alone; again, it changes what is there."""
    calls = _task(
        "subscription", answers(200, {}), answers(200, {}), forms={"f1": {"means": "review"}, "f2": {"means": "other"}}
    )
    assert [str(call) for call in calls] == [f"PUT /forms/{form}/webhooks/loyalty-hub-typeform" for form in ("f1", "f2")]
    assert json.loads(calls[0].body) == {
        "url": URL,
        "enabled": True,
        "secret": "long-random-text",
        "verify_ssl": True,
        "event_types": {"form_response": True, "form_response_partial": False},
    }


def test_nothing_is_subscribed_without_a_secret() -> None:
    """Typeform would send without a signature, and the hub refuse it."""
    with pytest.raises(CallFailed, match="no `webhook_secret`") as failed:
        _task("subscription", webhook_secret=None)
    assert failed.value.verdict == "reconnect"


def test_unsubscribing_takes_away_our_webhook_and_no_other() -> None:
    """A form that has none of ours is left alone, so that it can be done twice."""
    ours = answers(200, {"items": [{"tag": "loyalty-hub-shop2"}, {"tag": "loyalty-hub-typeform"}]})
    other = answers(200, {"items": [{"tag": "crm"}]})
    calls = _task("unsubscription", ours, answers(204), other, forms={"f1": {"means": "review"}, "f2": {"means": "other"}})
    assert [str(call) for call in calls] == [
        "GET /forms/f1/webhooks",
        "DELETE /forms/f1/webhooks/loyalty-hub-typeform",
        "GET /forms/f2/webhooks",
    ]


def test_what_only_a_form_that_means_nothing_else_is_has_its_answers_too() -> None:
    """Submissions are the shared fact, with the form's own fields beside it."""
    (fact,) = _facts(typeform.OTHER).values()
    assert isinstance(fact, Submission)
    assert (fact.fact, fact.form_id, fact.response_id) == ("form_submitted", "nB5t2v", typeform.RESPONSE_ID)
