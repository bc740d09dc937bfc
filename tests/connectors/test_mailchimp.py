"""Mailchimp: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from connectors import mailchimp
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/mailchimp"
TOKEN = "b7c1-long-and-random"
SECRET = "whs-7Qd2"
ANA = mailchimp.ANA
BEN = ANA | {"contact_id": "b2", "email_address": "ben@example.com"}


def _connection(**settings: Any) -> Connection:
    values = {"api_key": "key-us21", "server": "us21", "list_id": "a6b5da1054", "webhook_token": TOKEN}
    sender = {"from_name": "Example Points", "reply_to": "points@example.com", "profile_fields": ["SHOP"]}
    read = mailchimp.connector.settings.read(values | sender | settings)
    return Connection("mailchimp", mailchimp.connector, read, webhook_url=URL)


def _request(fields: Mapping[str, str], query: str = f"token={TOKEN}") -> Request:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return Request("POST", "/hooks/mailchimp", query, kind, urlencode(fields).encode(), NOW, f"{URL}?{query}")


def _played(replies: tuple[Any, ...]) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(fields: Mapping[str, str], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _played(replies)
    facts: list[Fact] = []
    (item,) = mailchimp.connector.items(_request(fields), connection)
    for trigger in mailchimp.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(fields: Mapping[str, str], *replies: Any, **settings: Any) -> Any:
    (fact,), _ = _facts(fields, *replies, **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return mailchimp.connector.triggers[name].key_of(fact)


def _pulled(name: str, *replies: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), _played(replies)
    pull = mailchimp.connector.pulls[name]
    client = play.client(connection)
    trigger = mailchimp.connector.triggers[pull.trigger]
    items = list(pull.items(connection, client, NOW - timedelta(days=1) + timedelta(milliseconds=7)))
    return [fact for item in items for fact in trigger.fetch(item, connection, client)], play


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = mailchimp.connector.actions[name], _connection(**settings), _played(replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, datetime: NOW}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _asked(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


# Proof


def _signed(request: Request, *secrets: str, at: datetime = NOW) -> Request:
    """As Mailchimp signs; with several secrets while they are changed."""
    stamp = str(int(at.timestamp()))
    signatures = [hmac.digest(key.encode(), f"{stamp}.".encode() + request.body, "sha256").hex() for key in secrets]
    return request.with_headers({"X-Mailchimp-Signature": f"t={stamp}," + ",".join(f"v1={one}" for one in signatures)})


@pytest.mark.parametrize("query", ["", "token=", "token=another", "other=" + TOKEN])
def test_the_token_in_the_address_is_asked_for_signed_or_not(query: str) -> None:
    """Webhooks that are older than signing have nothing else; and the token is not kept."""
    mailchimp.connector.verify(_request(mailchimp.LEFT), _connection(), NOW)
    for connection in (_connection(), _connection(signing_secret=SECRET)):
        with pytest.raises(Refused):
            mailchimp.connector.verify(_signed(_request(mailchimp.LEFT, query), SECRET), connection, NOW)
    kept = mailchimp.connector.strip(_request(mailchimp.LEFT))
    assert TOKEN not in kept.url and TOKEN not in kept.query


def test_where_a_signature_is_known_it_is_asked_for() -> None:
    """Over the time and the very bytes of the form; any of several will do."""
    connection, plain = _connection(signing_secret=SECRET), _request(mailchimp.LEFT)
    mailchimp.connector.verify(_signed(plain, SECRET), connection, NOW)
    mailchimp.connector.verify(_signed(plain, "new", SECRET), connection, NOW)
    respelt = replace(_signed(plain, SECRET), body=plain.body.replace(b"+", b"%20"))
    for forged in (plain, _signed(plain, "another"), respelt, _signed(plain, SECRET, at=NOW - timedelta(minutes=6))):
        with pytest.raises(Refused):
            mailchimp.connector.verify(forged, connection, NOW)


def test_the_address_answers_a_look_before_anything_is_proven() -> None:
    """Mailchimp looks with a GET without token, body or signature; what it posts is no look."""
    look = Request("GET", "/hooks/mailchimp", "", {"user-agent": "MailChimp.com WebHook Validator"}, b"", NOW, URL)
    answer = mailchimp.connector.shake(look, _connection())
    assert answer is not None and (answer.status, answer.body) == (200, b"")
    assert mailchimp.connector.shake(_request(mailchimp.LEFT), _connection()) is None


# What comes in


def test_another_audience_of_the_account_is_left_out() -> None:
    """One address may be told of all of them."""
    connection = _connection()
    for number, ours in (("a6b5da1054", True), ("ffffffffff", False)):
        (item,) = mailchimp.connector.items(_request(mailchimp.LEFT | {"data[list_id]": number}), connection)
        assert mailchimp.connector.is_ours(item, connection) is ours


def test_who_subscribed_is_looked_up_by_the_address_in_small_letters() -> None:
    """The id in a webhook is not the one by which the API knows them."""
    facts, play = _facts(mailchimp.SUBSCRIBED, ANA)
    (fact,) = facts
    assert urlsplit(play.calls[0].url).path.endswith(hashlib.md5(b"ana@example.com", usedforsecurity=False).hexdigest())
    assert (fact.customer.id, fact.address) == (ANA["contact_id"], "ana@example.com")


@pytest.mark.parametrize("status", ["unsubscribed", "pending", "cleaned", "transactional", "archived"])
def test_a_yes_counts_if_it_still_holds(status: str) -> None:
    """Webhooks come late and in any order."""
    assert _facts(mailchimp.SUBSCRIBED, ANA | {"status": status})[0] == []
    assert _facts(mailchimp.SUBSCRIBED, answers(404, {"title": "Resource Not Found", "status": 404}))[0] == []


def test_a_yes_is_one_however_it_is_heard() -> None:
    """Told again, or found by asking; another yes, after a no, is another one."""
    told, again = _one(mailchimp.SUBSCRIBED, ANA), _one(mailchimp.SUBSCRIBED | {"fired_at": "2026-02-06 21:40:00"}, ANA)
    (asked,), _ = _pulled("new_subscribers", {"members": [ANA]})
    later = _one(mailchimp.SUBSCRIBED, ANA | {"timestamp_opt": "2026-03-01T00:00:00+00:00"})
    assert _key("subscribed", told) == _key("subscribed", again) == _key("subscribed", asked) != _key("subscribed", later)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "manual"),
        ({"data[reason]": "abuse"}, "spam report"),
        ({"data[action]": "delete"}, "deleted"),
        ({"type": "cleaned", "data[reason]": "abuse"}, "spam report"),
    ],
)
def test_a_no_is_heard_in_whatever_form_it_comes(told: Mapping[str, str], reason: str) -> None:
    """Nobody has to be asked for it, and its time is taken as UTC."""
    facts, play = _facts(mailchimp.LEFT | told)
    (left,) = [fact for fact in facts if fact.fact == "unsubscribed"]
    assert (left.address, left.reason, left.channel) == ("ana@example.com", reason, "email")
    assert left.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC) and play.calls == []


def test_a_retry_is_the_same_no_and_a_later_one_another() -> None:
    """There is no id of the delivery; without a time nothing tells one no from another."""
    first, later = _one(mailchimp.LEFT), _one(mailchimp.LEFT | {"fired_at": "2026-02-06 21:27:35"})
    (asked,), _ = _pulled("unsubscribes", {"members": [ANA | {"unsubscribe_reason": "too many"}]})
    assert _key("unsubscribed", first) == _key("unsubscribed", asked) != _key("unsubscribed", later)
    with pytest.raises(Unreadable, match="occurred_at"):
        _key("unsubscribed", _one({name: text for name, text in mailchimp.LEFT.items() if name != "fired_at"}))


def test_an_address_that_bounced_is_no_word_of_a_person() -> None:
    """It says neither yes nor no, but mail does not arrive any more."""
    (failed,), _ = _facts(mailchimp.CLEANED)
    assert failed.fact == "message_failed" and failed.lasting
    assert [fact.fact for fact in _facts(mailchimp.CLEANED | {"data[reason]": "abuse"})[0]] == ["unsubscribed"]


def test_a_profile_changed_when_what_is_read_of_it_is_new() -> None:
    """Points that the hub wrote itself are no news, nor are tags; told by webhook or found by asking, it is one change."""
    profile = mailchimp.SUBSCRIBED | {"type": "profile"}
    told = _one(profile, ANA)
    fields: dict[str, Any] = ANA["merge_fields"]  # type: ignore[assignment]
    written = ANA | {"merge_fields": fields | {"POINTS": 180}, "last_changed": "2026-02-07T00:00:00+00:00", "tags": []}
    (asked,), _ = _pulled("changed_profiles", {"members": [written]})
    assert _key("profile_changed", told) == _key("profile_changed", asked)
    for news in ({"merge_fields": fields | {"SHOP": "York"}}, {"email_address": "new@example.com"}, {"status": "unsubscribed"}):
        assert _key("profile_changed", _one(profile, ANA | news)) != _key("profile_changed", told)


@pytest.mark.parametrize(
    ("status", "consents"),
    [("subscribed", {"email": True}), ("unsubscribed", {"email": False}), ("cleaned", {}), ("pending", {})],
)
def test_a_profile_says_whether_it_may_be_mailed(status: str, consents: Mapping[str, bool]) -> None:
    """So a no whose webhook was lost is heard."""
    (fact,), _ = _pulled("changed_profiles", {"members": [ANA | {"status": status}]})
    assert (fact.customer.consents, fact.status) == (consents, status)


def test_a_new_address_is_asked_for_by_itself() -> None:
    """The id of a contact stays, by which the hub knows who it is; who is gone again is no change."""
    facts, play = _facts(mailchimp.MOVED, ANA)
    assert facts[0].customer.id == ANA["contact_id"] and str(play.calls[0]) == mailchimp.READ_ANA
    assert _facts(mailchimp.MOVED, answers(404, {"title": "Resource Not Found"}))[0] == []


def test_what_a_profile_says_is_kept_exactly() -> None:
    """Numbers are not rounded, times that never were are none."""
    fields = b'{"FNAME": " Ana ", "LNAME": "", "PHONE": "(555) 0100", "SHOP": 12.50, "ADDRESS": {"city": "Leeds"}}'
    row = (
        json.dumps(ANA | {"merge_fields": 0, "timestamp_opt": ""})
        .encode()
        .replace(b'"merge_fields": 0', b'"merge_fields": ' + fields)
    )
    fact = _one(mailchimp.SUBSCRIBED | {"type": "profile"}, answers(200, row))
    assert (fact.customer.first_name, fact.customer.last_name, fact.customer.phone) == ("Ana", None, "(555) 0100")
    assert fact.attributes == {"SHOP": "12.50"}


def test_a_campaign_counts_once_it_was_sent() -> None:
    """Told or found by asking, it is one."""
    told = _one(mailchimp.SENT)
    (asked,), _ = _pulled("sent_campaigns", {"campaigns": [mailchimp.SENT_CAMPAIGN]})
    assert _key("campaign_sent", told) == _key("campaign_sent", asked)
    assert _facts(mailchimp.SENT | {"data[status]": "canceled"})[0] == []


def test_asking_turns_pages_from_the_newest_and_gives_the_oldest_first() -> None:
    """What changes while pages are turned moves to the front; from the back it would push others out of sight."""
    rows = [ANA | {"contact_id": str(number)} for number in range(503)]
    facts, play = _pulled("changed_profiles", {"members": rows[:500]}, {"members": rows[500:]})
    assert _asked(play.calls[0])["since_last_changed"] == ["2026-02-05T21:30:00Z"]
    assert [fact.customer.id for fact in facts] == [str(number) for number in reversed(range(503))]
    assert _asked(play.calls[0])["sort_dir"] == ["DESC"] and _asked(play.calls[1])["offset"] == ["500"]


@pytest.mark.parametrize("known", [[], [{"id": "w1", "url": f"{URL}?token=old"}, {"id": "w2", "url": "https://other.example"}]])
def test_subscribing_makes_a_webhook_that_does_not_echo(known: list[Any]) -> None:
    """Its signing secret is told once, so one whose secret is not known is made anew; other people's are let alone."""
    connection = _connection()
    gone = [answers(204)] * len(known[:1])
    play = _played(({"webhooks": known}, {"webhooks": known}, *gone, {"id": "w3", "signing_secret": "new-secret"}))
    assert mailchimp.connector.subscription is not None
    told = mailchimp.connector.subscription.call({Client: play.client(connection), Connection: connection})
    written = [call.method for call in play.calls if call.method != "GET"]
    assert told == {"signing_secret": "new-secret"} and written == ["DELETE"] * len(gone) + ["POST"]
    made = _sent(play.calls[-1])
    assert made["url"] == f"{URL}?token={TOKEN}" and made["sources"] == {"user": True, "admin": True, "api": False}
    assert made["events"] == dict.fromkeys(["subscribe", "unsubscribe", "cleaned", "profile", "upemail", "campaign"], True)


def test_a_webhook_whose_secret_is_known_is_only_brought_up_to_date() -> None:
    """The same address cannot be registered twice."""
    connection = _connection(signing_secret=SECRET)
    play = _played(({"webhooks": [{"id": "w1", "url": f"{URL}?token=old"}]}, {"id": "w1"}))
    assert mailchimp.connector.subscription is not None
    told = mailchimp.connector.subscription.call({Client: play.client(connection), Connection: connection})
    assert told == {} and str(play.calls[1]) == "PATCH /3.0/lists/a6b5da1054/webhooks/w1"


def test_a_webhook_has_a_token_even_if_nobody_thought_of_one() -> None:
    """Signing alone is not enough: webhooks may come without, and the token is asked for in any case."""
    connection = _connection(webhook_token=None)
    play = _played(({"webhooks": []}, {"webhooks": []}, {"id": "w3"}))
    assert mailchimp.connector.subscription is not None
    told = mailchimp.connector.subscription.call({Client: play.client(connection), Connection: connection})
    assert _sent(play.calls[2])["url"] == f"{URL}?token={told['webhook_token']}" and len(told["webhook_token"]) > 30


# What goes out


def test_nobody_is_subscribed_by_writing_points() -> None:
    """Only who is new is given a status, and none that campaigns go to unless the recipe says so."""
    _, play = _act("upsert_member", [{"email": "Ana@example.com", "fields": {"points": 120}}], ANA)
    sent = _sent(play.calls[0])
    assert sent == {"email_address": "Ana@example.com", "status_if_new": "transactional", "merge_fields": {"POINTS": 120}}
    assert str(play.calls[0]) == f"PUT {mailchimp.ANA_AT}"


def test_a_field_that_the_audience_lacks_is_an_error() -> None:
    """Mailchimp drops it and says nothing; one that it has, though it is empty, is kept."""
    (failure,), _ = _act("upsert_member", [{"email": "ana@example.com", "fields": {"POINTZ": 1}}], ANA)
    assert isinstance(failure, CallFailed) and "POINTZ" in str(failure)
    (kept,), _ = _act("upsert_member", [{"email": "ana@example.com", "fields": {"TIER": "gold"}}], ANA)
    assert kept.status == "subscribed"


def test_what_mirrors_points_is_no_news() -> None:
    """Even if a recipe may read the field."""
    profile = mailchimp.SUBSCRIBED | {"type": "profile"}
    connection = replace(_connection(profile_fields=["SHOP", "POINTS"]), mirror={"balance": "POINTS"})
    trigger, (item,) = mailchimp.connector.triggers["profile_changed"], mailchimp.connector.items(_request(profile), connection)
    facts = []
    for points in (120, 180):
        fields: dict[str, Any] = {"SHOP": "Leeds", "POINTS": points}
        facts += trigger.fetch(item, connection, _played((ANA | {"merge_fields": fields},)).client(connection))
    assert facts[0].attributes == {"SHOP": "Leeds"} and trigger.key_of(facts[0]) == trigger.key_of(facts[1])


def _shown(one: Mirrored, *replies: Any) -> Any:
    connection, play = _connection(), _played(replies)
    assert mailchimp.connector.mirroring is not None
    (shown,) = mailchimp.connector.mirroring.look({Client: play.client(connection)}, [one])
    return shown


def test_a_mirror_follows_the_contacts_that_there_are() -> None:
    """Nobody is made a contact by it, and an archived one is none any more; a field that the audience lacks is an error."""
    mirror, gone = mailchimp.connector.mirroring, answers(404, {"title": "Resource Not Found"})
    assert mirror is not None and mirror.inputs({}, Mirrored(Customer(email="ana@example.com"), {"POINTS": 1})) is None
    ana = Mirrored(Customer(id="a1", email="ana@example.com"), {"points": 1, "TIER": None})
    assert _shown(ana, ANA) == Shown({"points": 120, "TIER": ""}, ANA["contact_id"])
    assert _shown(ana, gone, gone) is None and _shown(ana, ANA | {"status": "archived"}, gone) is None
    failure = _shown(Mirrored(Customer(id="a1"), {"POINTZ": 1}), ANA)
    assert isinstance(failure, CallFailed) and "POINTZ" in str(failure)


def test_a_member_is_found_by_id_or_address() -> None:
    """One that is not there is not made."""
    for who, path in (("a1b2", f"{mailchimp.MEMBERS_AT}/a1b2"), ("Ana@example.com", mailchimp.ANA_AT)):
        _, play = _act("update_member", [{"member": who, "fields": {"TIER": ""}}], ANA)
        assert str(play.calls[0]) == f"PATCH {path}" and _sent(play.calls[0]) == {"merge_fields": {"TIER": ""}}
    (failure,), _ = _act("update_member", [{"member": "a1b2", "fields": {}}], answers(404, {"title": "Resource Not Found"}))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting"


def test_a_registered_app_may_stand_in_for_a_key() -> None:
    """A person agrees then; the token stays good."""
    by_app = _connection(api_key=None, client_id="4711", client_secret="app-7Qd2").auth
    assert isinstance(by_app, OAuth2) and by_app.authorize == "https://login.mailchimp.com/oauth2/authorize"
    _, play = _act("add_tag", [{"email": "ana@example.com", "tag": "gold"}], answers(204))
    assert play.calls[0].headers["authorization"] == "Bearer key-us21"


def test_an_answer_of_200_may_hold_rows_that_failed() -> None:
    """Each row has its own success or failure, and one does not fail the others."""
    many = [{"email": address} for address in ("ana@example.com", "Bad@example.com", "cy@example.com", "dee@example.com")]
    fake = {"email_address": "bad@example.com", "error": "looks fake or invalid", "error_code": "ERROR_GENERIC"}
    field = {
        "email_address": "cy@example.com",
        "error": "Your merge fields were invalid.",
        "field": "ZIP",
        "field_message": "is short",
    }
    (ana, bad, cy, dee), play = _act(
        "import_members", many, mailchimp.IMPORTED | {"new_members": [ANA], "errors": [fake, field]}
    )
    assert ana.email == "ana@example.com"
    assert [isinstance(one, CallFailed) and one.verdict for one in (bad, cy, dee)] == ["lasting"] * 3
    assert "looks fake" in str(bad) and "ZIP: is short" in str(cy) and "does not say why" in str(dee)
    assert len(play.calls) == 1


def test_an_import_leaves_the_status_of_those_who_are_there() -> None:
    """Who is new is made first; who is there is written to without a status, so that nobody who left is subscribed again."""
    many = [{"email": "ana@example.com", "fields": {"POINTS": 1}, "if_new": "subscribed"}, {"email": "ben@example.com"}]
    first = mailchimp.IMPORTED | {"new_members": [BEN], "errors": [mailchimp.EXISTS]}
    (ana, ben), play = _act("import_members", many, first, mailchimp.IMPORTED | {"updated_members": [ANA]})
    assert (ana.email, ben.email) == ("ana@example.com", "ben@example.com")
    made, changed = map(_sent, play.calls)
    assert made["update_existing"] is False and [row["status"] for row in made["members"]] == ["subscribed", "transactional"]
    assert changed == {
        "members": [{"email_address": "ana@example.com", "merge_fields": {"POINTS": 1}}],
        "update_existing": True,
    }


def test_an_address_that_comes_twice_is_one_row() -> None:
    """Mailchimp would refuse the second; of two values the later counts."""
    many = [
        {"email": "ana@example.com", "fields": {"POINTS": 1, "TIER": "gold"}},
        {"email": "Ana@example.com", "fields": {"POINTS": 2}},
    ]
    results, play = _act("import_members", many, mailchimp.IMPORTED | {"new_members": [ANA]})
    assert [one.email for one in results] == ["ana@example.com"] * 2
    assert [row["merge_fields"] for row in _sent(play.calls[0])["members"]] == [{"POINTS": 2, "TIER": "gold"}]


def test_one_row_for_which_all_are_refused_is_found() -> None:
    """A text in a number field is a bad request as a whole."""
    many = [{"email": "ana@example.com"}, {"email": "ben@example.com", "fields": {"POINTS": "many"}}]
    invalid = answers(
        400, {"status": 400, "errors": [{"field": "members.1.merge_fields", "message": "Schema describes number"}]}
    )
    (ana, ben), play = _act("import_members", many, invalid, mailchimp.IMPORTED | {"new_members": [ANA]}, invalid)
    assert ana.email == "ana@example.com" and isinstance(ben, CallFailed) and "Schema describes number" in str(ben)
    assert len(play.calls) == 3


def test_who_had_left_is_asked_to_confirm_a_new_yes() -> None:
    """They cannot be subscribed by a program; another refusal is one."""
    yes = [{"email": "ana@example.com", "status": "opt-in"}]
    (kept,), play = _act("record_consent", yes, answers(400, mailchimp.COMPLIANCE), ANA | {"status": "pending"})
    assert kept.status == "pending" and _sent(play.calls[1])["status"] == "pending"
    (failure,), play = _act("record_consent", yes, answers(400, {"title": "Invalid Resource", "detail": "looks fake"}))
    assert isinstance(failure, CallFailed) and len(play.calls) == 1


def test_a_tag_may_be_given_without_starting_journeys() -> None:
    """Only if it is said."""
    tag = {"email": "ana@example.com", "tag": "gold"}
    for quietly in (False, True):
        _, play = _act("add_tag", [tag | {"quietly": quietly}], answers(204))
        assert _sent(play.calls[0])["is_syncing"] is quietly


def test_rows_of_a_segment_fail_one_by_one() -> None:
    """The answer is 200 all the same; who is in it already is in it."""
    many = [{"email": address, "segment": "gold"} for address in ("ana@example.com", "Ben@example.com", "cy@example.com")]
    errors = [
        {"email_addresses": ["ben@example.com"], "error": "is not in the audience"},
        {"email_addresses": ["cy@example.com"], "error": "is already in the segment"},
    ]
    (ana, ben, cy), play = _act("add_to_segment", many, {"segments": [mailchimp.GOLD]}, {"errors": errors, "error_count": 2})
    assert ana.in_segment and cy.in_segment and isinstance(ben, CallFailed) and "not in the audience" in str(ben)
    assert _sent(play.calls[1]) == {"members_to_add": ["ana@example.com", "ben@example.com", "cy@example.com"]}


def test_a_segment_with_conditions_is_not_for_us_to_fill() -> None:
    """The members of another segment are not kept waiting by it."""
    segments = {"segments": [mailchimp.GOLD, {"id": 7, "name": "Big spenders", "type": "saved"}]}
    many = [{"email": "ana@example.com", "segment": name} for name in ("Big spenders", "Gold")]
    (spender, gold), play = _act("add_to_segment", many, segments, segments, {"errors": []})
    assert isinstance(spender, CallFailed) and "conditions" in str(spender) and gold.in_segment
    assert len(play.calls) == 3


def test_who_is_not_in_a_segment_is_out_of_it() -> None:
    """Whether the segment is not there, or they are not in it."""
    (result,), play = _act("remove_from_segment", [mailchimp.PLACE], {"segments": []})
    assert not result.in_segment and len(play.calls) == 1
    gone = {"errors": [{"email_addresses": ["ana@example.com"], "error": "is not in the segment"}]}
    (result,), _ = _act("remove_from_segment", [mailchimp.PLACE], {"segments": [mailchimp.GOLD]}, gone)
    assert not result.in_segment


def test_a_segment_whose_making_was_lost_is_not_made_twice() -> None:
    """It is looked for again; the call as a whole may be repeated."""
    (failure,), play = _act("add_to_segment", [mailchimp.PLACE], {"segments": []}, requests.ReadTimeout("lost"), mailchimp.GOLD)
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


def test_the_same_title_is_the_same_campaign() -> None:
    """A draft is finished, one that went out is left as it is; lost answers make no second one."""
    lost = _act(
        "create_campaign",
        [mailchimp.STATEMENT],
        {"campaigns": []},
        {"segments": [mailchimp.GOLD]},
        requests.ReadTimeout("lost"),
    )
    assert isinstance(lost[0][0], CallFailed) and len(lost[1].calls) == 3
    other = mailchimp.DRAFT | {"id": "other", "settings": {"title": "Statement 2026-01"}}
    (found,), play = _act("create_campaign", [mailchimp.STATEMENT], {"campaigns": [other, mailchimp.DRAFT]}, {})
    assert found.id == "5aa2102003" and str(play.calls[1]) == "PUT /3.0/campaigns/5aa2102003/content"
    assert _asked(play.calls[0])["since_create_time"] == ["2025-11-08T21:30:00Z"]
    (found,), play = _act("create_campaign", [mailchimp.STATEMENT], {"campaigns": [mailchimp.DRAFT | {"status": "sent"}]})
    assert found.status == "sent" and len(play.calls) == 1


def test_a_campaign_to_a_segment_that_is_not_there_goes_to_nobody() -> None:
    """Without a segment Mailchimp would mail the whole audience; only who names none wants that."""
    (failure,), play = _act("create_campaign", [mailchimp.STATEMENT], {"campaigns": []}, {"segments": []})
    assert isinstance(failure, CallFailed) and all(call.method == "GET" for call in play.calls)
    everybody = mailchimp.STATEMENT | {"segment": None}
    _, play = _act("create_campaign", [everybody], {"campaigns": []}, mailchimp.DRAFT, {})
    assert _sent(play.calls[1])["recipients"] == {"list_id": "a6b5da1054"}


@pytest.mark.parametrize(
    ("said", "settings"),
    [({"html": None}, {}), ({"template": 7}, {}), ({}, {"from_name": None}), ({}, {"reply_to": None})],
)
def test_half_a_campaign_is_not_made(said: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """A draft that can never be sent would stand in the way of its title."""
    (failure,), play = _act("create_campaign", [mailchimp.STATEMENT | said], **settings)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and not play.calls


def test_a_campaign_may_be_a_template() -> None:
    """Its editable sections are filled by name."""
    wanted = {"title": "T", "subject": "S", "template": 7, "sections": {"body": "Hi"}}
    _, play = _act("create_campaign", [wanted], {"campaigns": []}, mailchimp.DRAFT, {})
    assert _sent(play.calls[2]) == {"template": {"id": 7, "sections": {"body": "Hi"}}}


@pytest.mark.parametrize("name", ["send_campaign", "schedule_campaign"])
def test_a_campaign_is_sent_once(name: str) -> None:
    """It is looked at first; where the answer is lost it is looked at again before anything else is done."""
    inputs = {"campaign": "5aa2102003"} | ({"at": "2026-03-01T08:00:00Z"} if name == "schedule_campaign" else {})
    for status in ("schedule", "sending", "sent", "paused", "canceled"):
        (found,), play = _act(name, [inputs], mailchimp.DRAFT | {"status": status})
        assert found.status == status and len(play.calls) == 1
    for lost in (answers(503), requests.ReadTimeout("lost")):
        (failure,), play = _act(name, [inputs], mailchimp.DRAFT, lost, answers(204))
        assert isinstance(failure, CallFailed) and len(play.calls) == 2


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z"),
        ("2026-03-01T08:00:01Z", "2026-03-01T08:15:00Z"),
        ("2026-03-01T10:31:00+01:00", "2026-03-01T09:45:00Z"),
        ("2026-03-01T23:59:00Z", "2026-03-02T00:00:00Z"),
    ],
)
def test_campaigns_go_out_on_a_quarter_of_an_hour(wanted: str, told: str) -> None:
    """Mailchimp takes no other time; it is never earlier than was said."""
    _, play = _act("schedule_campaign", [{"campaign": "5aa2102003", "at": wanted}], mailchimp.DRAFT, answers(204))
    assert _sent(play.calls[1]) == {"schedule_time": told}


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_a_journey_is_not_started_twice(lost: Any) -> None:
    """It runs as often as it is begun, and mails; so the gate stands before it too."""
    (failure,), play = _act("start_journey", [{"to": "ana@example.com", "journey": "394", "step": "1"}], lost, answers(204))
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    assert mailchimp.connector.actions["start_journey"].channel == "email"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (answers(403, b"<html>Access Denied</html>"), "passing"),
        (answers(403, {"title": "Forbidden", "status": 403}), "reconnect"),
        (answers(429, {"title": "Too Many Requests", "status": 429}), "passing"),
        (answers(401, {"title": "API Key Invalid", "status": 401}), "reconnect"),
        (answers(400, {"title": "Forgotten Email Not Subscribed", "status": 400}), "lasting"),
        (answers(404, {"title": "Resource Not Found", "status": 404}), "lasting"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str) -> None:
    """The edge throttles with a bare 403, and says no time to wait."""
    (failure,), _ = _act("upsert_member", [mailchimp.POINTS], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict


def test_a_refused_field_is_named() -> None:
    """`The resource submitted could not be validated` helps nobody."""
    invalid = {
        "status": 400,
        "detail": "could not be validated",
        "errors": [{"field": "merge_fields.ZIP", "message": "is short"}],
    }
    (failure,), _ = _act("upsert_member", [mailchimp.POINTS], answers(400, invalid))
    assert "merge_fields.ZIP: is short" in str(failure)
