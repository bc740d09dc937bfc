"""ActiveCampaign: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import requests

from connectors import activecampaign
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Item, Mirrored, Settings, Shown
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/activecampaign"
TOKEN = "b7c1-long-and-random"


def _connection(**settings: Any) -> Connection:
    values = {"api_url": "https://example.api-us1.com", "api_token": "key-7Qd2", "webhook_token": TOKEN, "list_id": "2"}
    read = activecampaign.connector.settings.read(values | settings)
    return Connection("activecampaign", activecampaign.connector, read, webhook_url=URL)


def _request(fields: Mapping[str, str], query: str = f"token={TOKEN}") -> Request:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return Request("POST", "/hooks/activecampaign", query, kind, urlencode(fields).encode(), NOW, f"{URL}?{query}")


def _facts(fields: Mapping[str, str], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection = _connection(**settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer) else answers(200, reply) for reply in replies]))
    facts: list[Fact] = []
    (item,) = activecampaign.connector.items(_request(fields), connection)
    for trigger in activecampaign.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(fields: Mapping[str, str], *replies: Any, **settings: Any) -> Any:
    (fact,), _ = _facts(fields, *replies, **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return activecampaign.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection = activecampaign.connector.actions[name], _connection(**settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


# Proof


@pytest.mark.parametrize("query", ["", "token=", "token=another", "other=" + TOKEN])
def test_the_token_in_the_address_is_the_only_proof(query: str) -> None:
    """ActiveCampaign signs nothing; without the token nothing is taken, and it is not kept."""
    activecampaign.connector.verify(_request(activecampaign.TAGGED), _connection(), NOW)
    with pytest.raises(Refused):
        activecampaign.connector.verify(_request(activecampaign.TAGGED, query), _connection(), NOW)
    kept = activecampaign.connector.strip(_request(activecampaign.TAGGED))
    assert TOKEN not in kept.url and TOKEN not in kept.query


def test_the_answer_never_switches_the_webhook_off() -> None:
    """410 would, for good."""
    assert activecampaign.connector.answer(_request(activecampaign.TAGGED), _connection()).status == 200


# What comes in


def test_a_form_with_brackets_tells_the_contact() -> None:
    """Custom fields by name, tags as one text, the time with the account's offset."""
    fact = _one(activecampaign.TAGGED)
    assert (fact.customer.id, fact.customer.email, fact.tags) == ("3", "Ana@example.com", ("vip", "gold"))
    assert fact.attributes == {"POINTS": "120"} and fact.tag == "gold"
    assert fact.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)


def test_custom_fields_may_be_numbered() -> None:
    """Both are seen; numbers from 0 on look like a list, and a list names nothing."""
    numbered = {name: value for name, value in activecampaign.TAGGED.items() if "fields" not in name}
    assert _one(numbered | {"contact[fields][7]": "120"}).attributes == {"7": "120"}
    assert _one(numbered | {"contact[fields][0]": "120"}).attributes == {}


def test_the_same_tag_at_another_time_is_another_fact() -> None:
    """There is no id of the telling; contact, tag and time tell one from another."""
    first, again = _one(activecampaign.TAGGED), _one(activecampaign.TAGGED | {"contact[tags]": "gold"})
    later = _one(activecampaign.TAGGED | {"date_time": "2026-02-06T15:27:35-06:00"})
    assert _key("tag_added", first) == _key("tag_added", again) != _key("tag_added", later)


@pytest.mark.parametrize("kind", ["contact_tag_added", "contact_tag_removed", "update", "subscribe"])
def test_what_programs_change_is_left_out(kind: str) -> None:
    """The hub is one of them, and would hear itself."""
    told = activecampaign.LEFT | {"type": kind, "tag": "gold", "initiated_from": "api"}
    assert _facts(told)[0] == []
    assert len(_facts(told | {"initiated_from": "system"})[0]) == 1


def test_a_contact_changed_when_its_name_or_addresses_are_new() -> None:
    """Told by webhook or found by asking, at whatever time; a new address is a new state of the same contact."""
    update = activecampaign.TAGGED | {"type": "update", "contact[email]": "ana@example.com"}
    told, later = _one(update), _one(update | {"date_time": "2026-02-07T00:00:00-06:00", "contact[tags]": "gold"})
    moved = _one(update | {"contact[email]": "ana@new.example"})
    assert _key("contact_changed", told) == _key("contact_changed", later) != _key("contact_changed", moved)
    connection = _connection()
    play = Play(one_by_one([answers(200, {"contacts": [activecampaign.ANA]}), answers(200, {"contacts": []})]))
    pull = activecampaign.connector.pulls["changed_contacts"]
    (item,) = pull.items(connection, play.client(connection), NOW)
    (asked,) = activecampaign.connector.triggers["contact_changed"].read(item, connection)
    assert _key("contact_changed", asked) == _key("contact_changed", told)


@pytest.mark.parametrize(
    ("kind", "told", "ours", "heard"),
    [
        ("unsubscribe", "2", "2", True),
        ("unsubscribe", "9", "2", False),
        ("unsubscribe", "0", "2", True),
        ("unsubscribe", "9", None, True),
        ("subscribe", "2", "2", True),
        ("subscribe", "9", "2", False),
        ("subscribe", "9", None, False),
        ("subscribe", "0", "2", False),
    ],
)
def test_only_the_programmes_list_speaks_for_the_programme(kind: str, told: str, ours: str | None, heard: bool) -> None:
    """A no is heard in doubt, a yes is not."""
    facts, _ = _facts(activecampaign.LEFT | {"type": kind, "list": told}, list_id=ours)
    assert [fact.address for fact in facts] == (["ana@example.com"] if heard else [])


def test_a_no_counts_whoever_said_it() -> None:
    """A program may have been asked by the person."""
    assert len(_facts(activecampaign.LEFT | {"initiated_from": "api"})[0]) == 1


def test_no_more_text_messages_is_about_the_phone() -> None:
    """Without a number there is nothing to say no to."""
    told = activecampaign.TAGGED | {"type": "sms_unsub"}
    assert (_one(told).channel, _one(told).address) == ("sms", "+447700900123")
    assert _facts(told | {"contact[phone]": ""})[0] == []


def test_a_campaign_is_opened_once_and_each_of_its_links_followed_once() -> None:
    """By each person; without a campaign there is no message to speak of."""
    first, again = _one(activecampaign.OPENED), _one(activecampaign.OPENED | {"date_time": "2026-02-07T00:00:00-06:00"})
    other = _one(activecampaign.OPENED | {"contact[email]": "ben@example.com"})
    assert _key("message_opened", first) == _key("message_opened", again) != _key("message_opened", other)
    click = activecampaign.OPENED | {"type": "click", "link[url]": "https://shop.example/r"}
    links = [
        _key("message_clicked", _one(click | {"link[url]": url})) for url in ("https://a.example", "https://b.example" * 300)
    ]
    assert links[0] != links[1] and all(len(key) < 100 for key in links)
    with pytest.raises(Unreadable, match="message_id"):
        _key("message_opened", _one(activecampaign.TAGGED | {"type": "open"}))


@pytest.mark.parametrize(
    "kind", ["sent", "forward", "share", "reply", "sms_reply", "subscriber_note", "account_add", "deal_note_add"]
)
def test_what_is_left_out_is_no_fact(kind: str) -> None:
    """As the module says."""
    assert _facts(activecampaign.DEAL_TOLD | {"type": kind})[0] == []


@pytest.mark.parametrize("status", ["0", "2"])
def test_a_deal_that_is_not_won_is_no_fact(status: str) -> None:
    """What counts is how it is when it is looked at; its contact is not even asked for."""
    facts, play = _facts(activecampaign.DEAL_TOLD, {"deal": activecampaign.DEAL | {"status": status}})
    assert (facts, len(play.calls)) == ([], 1)


def test_a_deal_counts_hundredths_and_is_won_once() -> None:
    """Its value is text without a point; a later change is the same deal."""
    won = _one(activecampaign.DEAL_TOLD, {"deal": activecampaign.DEAL}, {"contact": activecampaign.ANA})
    assert (won.amount, won.currency) == (Decimal("1250.50"), "USD")
    dearer = activecampaign.DEAL | {"value": "130000", "mdate": "2026-02-07T00:00:00-06:00"}
    again = _one(activecampaign.DEAL_TOLD | {"type": "deal_add"}, {"deal": dearer}, {"contact": activecampaign.ANA})
    assert _key("deal_won", won) == _key("deal_won", again)


def test_a_deal_without_value_or_contact_is_told_with_what_there_is() -> None:
    """A person adjusts the rest."""
    bare = {"id": "7", "status": "1", "contact": "0", "mdate": None}
    facts, play = _facts(activecampaign.DEAL_TOLD, {"deal": bare})
    (won,) = facts
    assert (won.amount, won.currency, won.customer) == (None, None, None)
    assert won.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC) and len(play.calls) == 1


def test_what_the_hub_wrote_into_fields_is_no_news() -> None:
    """Points that a mirror writes touch a contact's time, and are told neither as a webhook's change nor by asking."""
    assert _facts(activecampaign.TAGGED | {"type": "update", "initiated_from": "api"})[0] == []
    keys = set()
    for points, at in (("120", "2026-02-06T15:27:34-06:00"), ("240", "2026-02-07T03:00:00-06:00")):
        told = {"contact": activecampaign._as_told(activecampaign.ANA) | {"fields": {"POINTS": points}}, "date_time": at}
        trigger = activecampaign.connector.triggers["contact_changed"]
        (fact,) = trigger.read(Item("update", told), _connection())
        keys.add(trigger.key_of(fact))
    assert len(keys) == 1


def test_asking_begins_a_day_before_and_ends_with_an_empty_page() -> None:
    """Days are counted as the account counts them; deep offsets are slow, so ids are followed."""
    connection = _connection()
    pages = [[activecampaign.ANA | {"id": str(number)} for number in numbers] for numbers in (range(1, 21), range(21, 24), ())]
    play = Play(one_by_one([answers(200, {"contacts": page}) for page in pages]))
    since = datetime(2026, 2, 6, 0, 30, tzinfo=UTC)
    items = list(activecampaign.connector.pulls["changed_contacts"].items(connection, play.client(connection), since))
    assert len(items) == 23
    assert "updated_after%5D=2026-02-05" in play.calls[0].url and "id_greater=23" in play.calls[2].url


def test_subscribing_makes_a_new_webhook_for_what_people_do() -> None:
    """One that was switched off stays so for ever, so it is made anew; other people's are let alone."""
    connection = _connection()
    known = [{"id": "1", "url": "https://other.example"}, {"id": "2", "url": f"{URL}?token=old"}]
    play = Play(one_by_one([answers(200, {"webhooks": known}), answers(200, {}), answers(201, {"webhook": {"id": "3"}})]))
    assert activecampaign.connector.subscription is not None
    activecampaign.connector.subscription.call({Client: play.client(connection), Connection: connection})
    assert [str(call) for call in play.calls] == ["GET /api/3/webhooks", "DELETE /api/3/webhooks/2", "POST /api/3/webhooks"]
    made = _sent(play.calls[2])["webhook"]
    assert made["url"] == f"{URL}?token={TOKEN}" and "api" not in made["sources"]
    assert {"contact_tag_added", "deal_update", "unsubscribe", "open"} <= set(made["events"])


# What goes out


def test_custom_fields_are_found_by_tag_title_or_number() -> None:
    """In any case of letters; what the settings name is not looked up, and numbers go as text."""
    for fields, settings, replies in (
        ({"points": "120"}, {}, [activecampaign.FIELDS]),
        ({"Points": "120"}, {}, [activecampaign.FIELDS]),
        ({"7": "120"}, {}, []),
        ({"balance": "120"}, {"custom_fields": {"balance": "7"}}, []),
        ({"balance": "120"}, {"custom_fields": {"balance": "Points"}}, [activecampaign.FIELDS]),
    ):
        done = answers(200, {"contact": activecampaign.ANA})
        _, play = _act("upsert_contact", [activecampaign.POINTS | {"fields": fields}], *replies, done, **settings)
        assert _sent(play.calls[-1])["contact"]["fieldValues"] == [{"field": "7", "value": "120"}]
        assert len(play.calls) == len(replies) + 1


def test_an_unknown_field_is_an_error_and_not_skipped() -> None:
    """ActiveCampaign would say nothing of it."""
    (failure,), play = _act("upsert_contact", [activecampaign.POINTS | {"fields": {"pointz": "1"}}], activecampaign.FIELDS)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "pointz" in str(failure)
    assert len(play.calls) == 1


def test_fields_that_are_not_said_are_left_as_they_are() -> None:
    """No empty list, no null."""
    _, play = _act("upsert_contact", [{"email": "ana@example.com"}], {"contact": activecampaign.ANA})
    assert _sent(play.calls[0]) == {"contact": {"email": "ana@example.com"}}


def _seen(one: Mirrored, *replies: Any) -> tuple[Any, Play]:
    (shown,), play = _seen_all([one], *replies)
    return shown, play


def _seen_all(many: list[Mirrored], *replies: Any) -> tuple[list[Any], Play]:
    mirror, connection = activecampaign.connector.mirroring, _connection()
    assert mirror is not None
    play = Play(one_by_one([reply if isinstance(reply, Answer) else answers(200, reply) for reply in replies]))
    return mirror.look({Client: play.client(connection, repeat="safe"), Settings: connection.settings}, many), play


def _row(number: str, *values: str) -> dict[str, Any]:
    said = [{"contact": number, "field": "7", "value": value} for value in values]
    return {"contacts": [activecampaign.ANA | {"id": number}], "fieldValues": said}


def test_a_contact_that_is_gone_is_looked_for_by_its_address() -> None:
    """It may have been made again; then it has another number."""
    one = Mirrored(Customer(id="3", email="ana@example.com"), {"POINTS": 120})
    shown, play = _seen(one, {"contacts": [], "fieldValues": []}, _row("9", ""), activecampaign.FIELDS)
    assert shown == Shown({"POINTS": ""}, "9")
    shown, play = _seen(Mirrored(Customer(phone="+447700900123"), {"POINTS": 120}))
    assert (shown, play.calls) == (None, [])


def test_many_contacts_are_read_in_one_call() -> None:
    """With their fields; only those whose number is not known are looked for one by one."""
    told = {name: [*_row("3", "120")[name], *_row("4", "7")[name]] for name in ("contacts", "fieldValues")}
    many = [Mirrored(Customer(id=number), {"POINTS": 0}) for number in ("3", "4")]
    seen, play = _seen_all(
        [*many, Mirrored(Customer(email="eva@example.com"), {"POINTS": 0})], told, _row("5"), activecampaign.FIELDS
    )
    assert [(one.id, one.fields["POINTS"]) for one in seen] == [("3", "120"), ("4", "7"), ("5", None)]
    assert "ids%5B%5D=3&ids%5B%5D=4" in play.calls[0].url and len(play.calls) == 3


def test_a_field_that_mirrors_nothing_there_is_an_error() -> None:
    """Else the comparison would find every contact wrong for ever."""
    with pytest.raises(CallFailed, match="`PIONTS`") as failed:
        _seen(Mirrored(Customer(id="3"), {"PIONTS": 120}), _row("3"), activecampaign.FIELDS)
    assert failed.value.verdict == "lasting"


def test_one_row_that_is_not_taken_does_not_fail_the_others() -> None:
    """ActiveCampaign answers 200 and names it; unknown fields are found before."""
    many: list[Mapping[str, Any]] = [
        {"email": "ana@example.com", "fields": {"points": "120"}},
        {"email": "Bad@example", "tags": ["gold"]},
        {"email": "cy@example.com", "fields": {"pointz": "1"}},
    ]
    told = activecampaign.QUEUED | {"failureReasons": [{"contact": "bad@example", "failureReason": "invalid email"}]}
    (ana, bad, unknown), play = _act("import_contacts", many, activecampaign.FIELDS, told)
    assert ana.batch_id == "b-1"
    assert isinstance(bad, CallFailed) and "invalid email" in str(bad)
    assert isinstance(unknown, CallFailed) and "pointz" in str(unknown)
    assert _sent(play.calls[1])["contacts"] == [
        {"email": "ana@example.com", "fields": [{"id": 7, "value": "120"}]},
        {"email": "Bad@example", "tags": ["gold"]},
    ]


def test_an_import_of_nothing_but_errors_is_not_made() -> None:
    """An empty list would be refused."""
    (failure,), play = _act("import_contacts", [{"email": "a@example.com", "fields": {"pointz": "1"}}], activecampaign.FIELDS)
    assert isinstance(failure, CallFailed) and len(play.calls) == 1


def test_a_tag_is_found_by_its_whole_name_on_any_page() -> None:
    """The search finds all that hold the text, twenty at a time; case does not matter."""
    page = [activecampaign.GOLD | {"id": str(100 + number), "tag": f"gold {number}"} for number in range(20)]
    found = {"tags": [activecampaign.GOLD | {"tag": "Gold"}]}
    (result,), play = _act("add_tag", [activecampaign.TAG], {"tags": page}, found, answers(201, {"contactTag": {"id": "88"}}))
    assert result.tagged and "offset=20" in play.calls[1].url
    assert _sent(play.calls[2]) == {"contactTag": {"contact": "3", "tag": "5"}}


def test_a_tag_whose_making_was_lost_is_looked_for_again_and_not_made_twice() -> None:
    """The call as a whole may be repeated."""
    (failure,), play = _act(
        "add_tag", [activecampaign.TAG], {"tags": []}, requests.ReadTimeout("lost"), {"tag": activecampaign.GOLD}
    )
    assert isinstance(failure, CallFailed) and len(play.calls) == 2


@pytest.mark.parametrize("replies", [[{"tags": []}], [{"tags": [activecampaign.GOLD]}, {"contactTags": []}]])
def test_a_tag_that_is_not_there_is_gone_already(replies: list[Any]) -> None:
    """Neither the tag itself nor the contact's."""
    (result,), play = _act("remove_tag", [activecampaign.TAG], *replies)
    assert not result.tagged and all(call.method == "GET" for call in play.calls)


@pytest.mark.parametrize(("asked", "source"), [(False, None), (True, 4)])
def test_nobody_who_left_is_put_back_unless_they_asked(asked: bool, source: int | None) -> None:
    """Only then is it said that they did."""
    _, play = _act("add_to_list", [activecampaign.PLACE | {"has_asked": asked}], {"contactList": {}})
    assert _sent(play.calls[0])["contactList"].get("sourceid") == source


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("add_to_automation", {"contact": "3", "automation": "6"}),
        ("track_event", {"email": "ana@example.com", "event": "earned"}),
    ],
)
def test_what_may_send_a_mail_is_not_done_twice(name: str, inputs: Mapping[str, str], lost: Any) -> None:
    """An automation runs as often as it is begun."""
    (failure,), play = _act(name, [inputs], lost, {"success": 1}, event_key="k", account_number="25512345")
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1


def test_an_event_needs_a_key_of_its_own() -> None:
    """It is sent as a form, to another host; without key and number nothing is."""
    inputs = {"email": "ana@example.com", "event": "earned", "data": "120"}
    (failure,), play = _act("track_event", [inputs])
    assert isinstance(failure, CallFailed) and "event_key" in str(failure) and not play.calls
    _, play = _act("track_event", [inputs], {"success": 1}, event_key="event-7Qd2", account_number="25512345")
    form = parse_qs(play.calls[0].body.decode())
    assert play.calls[0].url == "https://trackcmp.net/event"
    assert (form["key"], form["actid"], json.loads(form["visit"][0])) == (
        ["event-7Qd2"],
        ["25512345"],
        {"email": "ana@example.com"},
    )


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (answers(400, {"message": "Rate limit exceeded"}), "passing"),
        (answers(403, {"message": "You are not authorized to access this file"}), "reconnect"),
        (answers(422, {"errors": [{"title": "The contact was not found", "code": "field_invalid"}]}), "lasting"),
        (answers(404, {"message": "No Result found for Subscriber with id 3"}), "lasting"),
        (answers(402, b"<html>plan</html>"), "lasting"),
        (answers(200, {"Success": 0, "message": "Nothing to import"}), "lasting"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str) -> None:
    """A throttle in the clothes of a bad request, a token that died with its user, and a 200 that is none."""
    (failure,), _ = _act("import_contacts", [{"email": "ana@example.com"}], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict


def test_the_account_has_an_address_of_its_own() -> None:
    """As it is copied, with or without a slash."""
    for address in ("https://example.activehosted.com", "https://example.activehosted.com/"):
        _, play = _act("remove_from_list", [activecampaign.PLACE], {"contactList": {}}, api_url=address)
        assert play.calls[0].url == "https://example.activehosted.com/api/3/contactLists"
        assert play.calls[0].headers["api-token"] == "key-7Qd2"


def test_asking_does_not_end_before_the_last_deal() -> None:
    """A hundred at a time."""
    connection = _connection()
    rows = [activecampaign.DEAL | {"id": str(number)} for number in range(103)]
    play = Play(one_by_one([answers(200, {"deals": rows[:100]}), answers(200, {"deals": rows[100:]})]))
    items = list(
        activecampaign.connector.pulls["won_deals"].items(connection, play.client(connection), NOW - timedelta(days=1))
    )
    assert len(items) == 103 and "offset=100" in play.calls[1].url
