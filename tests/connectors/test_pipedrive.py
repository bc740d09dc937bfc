"""Pipedrive: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import pipedrive
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Item, Mirrored, Settings
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, Play, PlayedTokens, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/pipedrive"
PASSWORD = "b7c1-long-and-random"
ADA = pipedrive._ok(pipedrive.ADA)
FOUND = pipedrive._ok({"items": [{"item": {"id": 501, "emails": ["ada@example.com"]}}]})
NOBODY = pipedrive._ok({"items": []})


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    values = {"api_token": "token-7Qd2", "company": "acme", "webhook_password": PASSWORD, "user_id": "12941358"}
    more = {"custom_fields": {"fleet": pipedrive.FLEET}, "job_types": ["repair"]}
    read = pipedrive.connector.settings.read({**values, **more, **settings})
    return Connection("pipedrive", pipedrive.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: Any, access: str | None = f"hub:{PASSWORD}") -> Request:
    headers = {"content-type": "application/json"}
    if access is not None:
        headers["authorization"] = "Basic " + base64.b64encode(access.encode()).decode()
    return Request("POST", "/hooks/pipedrive", "", headers, json.dumps(body).encode(), NOW, URL)


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(told: Any, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _play(*replies)
    facts: list[Fact] = []
    (item,) = pipedrive.connector.items(_request(told), connection)
    for trigger in pipedrive.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(told: Any, *replies: Any, connection: Connection | None = None) -> Any:
    (fact,), _ = _facts(told, *replies, connection=connection)
    return fact


def _pulled(name: str, *replies: Any, connection: Connection | None = None) -> tuple[list[Item], Play]:
    connection, play = connection or _connection(), _play(*replies)
    return list(pipedrive.connector.pulls[name].items(connection, play.client(connection), NOW - timedelta(days=1))), play


def _key(name: str, fact: Fact) -> str:
    return pipedrive.connector.triggers[name].key_of(fact)


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    """The result of one call of an action against these replies, and what was sent."""
    action, connection, play = pipedrive.connector.actions[name], _connection(**settings), _play(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings}
    try:
        return action.call(handed, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _asked(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


def _deal(status: str, previous: Any, action: str = "change", **more: Any) -> dict[str, Any]:
    return pipedrive._told("deal", action, pipedrive.DEAL_ROW | {"status": status} | more, previous)


def _renamed(previous: Any = None, person: Any = pipedrive.ADA, **meta: Any) -> dict[str, Any]:
    return pipedrive._told("person", "change", person, previous or {"last_name": "Lee"}, **meta)


# Proof


@pytest.mark.parametrize("access", [None, "", "hub", "hub:", "hub:another", f"other:{PASSWORD}", f":{PASSWORD}"])
def test_user_and_password_are_the_only_proof(access: str | None) -> None:
    """Pipedrive signs nothing; without both nothing is taken, and neither is kept."""
    pipedrive.connector.verify(_request(pipedrive.WON), _connection(), NOW)
    with pytest.raises(Refused):
        pipedrive.connector.verify(_request(pipedrive.WON, access), _connection(), NOW)
    assert "authorization" not in pipedrive.connector.strip(_request(pipedrive.WON)).headers


def test_without_a_password_nothing_is_taken() -> None:
    """A user name alone is no proof."""
    with pytest.raises(Refused):
        pipedrive.connector.verify(_request(pipedrive.WON, "hub:"), _connection(webhook_password=None), NOW)


# What comes in


@pytest.mark.parametrize(
    "told",
    [
        {"v": 1, "meta": {"action": "updated", "object": "deal", "id": 7, "v": 1}, "current": {"id": 7}, "previous": None},
        {"meta": {"version": "1.0", "entity": "deal", "action": "change"}},
    ],
)
def test_a_webhook_of_version_1_is_told_apart(told: Any) -> None:
    """It has the same in another form, and must be made again."""
    with pytest.raises(Unreadable, match=r"version 2\.0"):
        pipedrive.connector.items(_request(told), _connection())


def test_another_companys_webhook_is_left_out() -> None:
    """Where the connection says which one is ours."""
    connection = _connection(account_id="6083095")
    (ours,) = pipedrive.connector.items(_request(pipedrive.WON), connection)
    (theirs,) = pipedrive.connector.items(
        _request(pipedrive._told("deal", "change", {"id": 1}, {}, company_id="7")), connection
    )
    assert pipedrive.connector.is_ours(ours, connection) and not pipedrive.connector.is_ours(theirs, connection)


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        (_deal("won", {"status": "open"}), ["won"]),
        (_deal("won", {"status": "lost"}), ["won"]),
        (_deal("won", None, "create"), ["won"]),
        (_deal("open", None, "create"), []),
        (_deal("won", {"value": 900}), []),
        (_deal("won", {}), []),
        (_deal("won", {"status": "won"}), []),
        (_deal("open", {"status": "won"}), ["open"]),
        (_deal("lost", {"status": "won"}), ["lost"]),
        (_deal("lost", {"status": "open"}), []),
        (pipedrive._told("deal", "delete", None, pipedrive.DEAL_ROW), ["deleted"]),
        (pipedrive._told("deal", "delete", None, pipedrive.DEAL_ROW | {"status": "open"}), []),
        (pipedrive._told("deal", "delete", None, pipedrive.DEAL_ROW, merged_to_id="9002"), []),
    ],
)
def test_what_counts_is_that_a_deal_becomes_won_or_is_no_longer(told: Any, heard: list[str]) -> None:
    """A change of a deal that was won long ago is no news, and nobody is asked for; merged deals live on in another."""
    facts, play = _facts(told, ADA)
    assert [getattr(fact, "status", "won") for fact in facts] == heard
    assert len(play.calls) == len(heard)


def test_a_deal_is_won_once() -> None:
    """Opened again and won again it is the same deal; each time that it is taken back is another."""
    first, again = _one(pipedrive.WON, ADA), _one(_deal("won", {"status": "open"}, won_time="2026-03-01T10:00:00Z"), ADA)
    assert _key("deal_won", first) == _key("deal_won", again)
    later = _deal("open", {"status": "won"}) | {"meta": pipedrive.REOPENED["meta"] | {"timestamp": "2026-03-02T10:00:00Z"}}
    back, once_more = _one(pipedrive.REOPENED, ADA), _one(later, ADA)
    assert _key("deal_taken_back", back) != _key("deal_taken_back", once_more)
    assert _key("deal_taken_back", back) == _key("deal_taken_back", _one(pipedrive.REOPENED, ADA))


def test_a_deal_found_by_asking_is_the_one_that_was_told() -> None:
    """Amounts are exact, times may have no zone."""
    told = _one(pipedrive.WON, ADA)
    row = pipedrive.DEAL_ROW | {"won_time": "2026-02-06 21:27:34"}
    raw = json.dumps(pipedrive._page(row)).replace("1250.5", "1250.10").encode()
    (item,), _ = _pulled("won_deals", answers(200, raw))
    connection = _connection()
    (found,) = pipedrive.connector.triggers["deal_won"].fetch(item, connection, _play(ADA).client(connection))
    assert _key("deal_won", found) == _key("deal_won", told)
    assert (str(found.amount), found.occurred_at, told.amount) == ("1250.10", told.occurred_at, Decimal("1250.5"))  # type: ignore[attr-defined]


def test_a_deal_without_person_or_currency_is_told_with_what_there_is() -> None:
    """One of an organisation alone has nobody; a person who is gone leaves the number."""
    won, play = _facts(_deal("won", {"status": "open"}, person_id=None, currency=None))
    assert (won[0].customer, won[0].amount, won[0].currency, play.calls) == (None, None, None, [])
    gone = _one(pipedrive.WON, answers(404, {"success": False, "error": "Person not found"}))
    assert (gone.customer.id, gone.customer.email) == ("501", None)


@pytest.mark.parametrize(
    ("previous", "done", "heard"),
    [({"done": False}, True, 1), (None, True, 1), ({"subject": "x"}, True, 0), ({}, True, 0), ({"done": True}, False, 0)],
)
def test_an_activity_counts_when_it_is_done(previous: Any, done: bool, heard: int) -> None:
    """And not whenever one that was done is changed."""
    told = pipedrive._told("activity", "change", pipedrive.CALL | {"done": done}, previous)
    assert len(_facts(told, ADA)[0]) == heard


def test_an_activity_is_a_job_where_the_connection_says_so() -> None:
    """One activity is never both."""
    (call,), _ = _facts(pipedrive.CALLED, ADA)
    (repair,), _ = _facts(pipedrive.REPAIRED, ADA)
    assert (type(call).fact, type(repair).fact) == ("activity_done", "job_completed")
    assert call.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)
    assert ("deal", "9001") in {(one.kind, one.id) for one in repair.references}


def test_an_activity_is_about_who_takes_part_or_whose_deal_it_is() -> None:
    """The first of those who take part, else the deal's person; with neither it is nobody's."""
    two = [{"person_id": 7, "primary": False}, {"person_id": 501, "primary": True}]
    for row, replies, calls in (
        (pipedrive.CALL | {"participants": two}, [ADA], ["persons/501"]),
        (pipedrive.CALL | {"participants": [], "person_id": 501}, [ADA], ["persons/501"]),
        (pipedrive.CALL | {"participants": []}, [pipedrive._ok(pipedrive.DEAL_ROW), ADA], ["deals/9001", "persons/501"]),
        (pipedrive.CALL | {"participants": [], "deal_id": None}, [], []),
    ):
        (done,), play = _facts(pipedrive._told("activity", "change", row, {"done": False}), *replies)
        assert [str(called) for called in play.calls] == [f"GET /api/v2/{path}" for path in calls]
        assert (done.customer and done.customer.email) == ("ada@example.com" if calls else None)


def test_a_person_is_changed_only_when_what_is_read_is_new() -> None:
    """Told or found by asking, with values as they are or with their type; what mirrors points is our own word."""
    typed = pipedrive.ADA | {"custom_fields": {pipedrive.FLEET: {"type": "double", "value": 6}}}
    moved = typed | {"emails": [{"value": "ada@new.example", "primary": True}]}
    first, again, other = (_one(_renamed(person=row)) for row in (pipedrive.ADA, typed, moved))
    assert _key("person_changed", first) == _key("person_changed", again) != _key("person_changed", other)
    (item,), _ = _pulled("changed_persons", pipedrive._page(pipedrive.ADA | {"update_time": "2026-02-07T00:00:00Z"}))
    (found,) = pipedrive.connector.triggers["person_changed"].read(item, _connection())
    assert _key("person_changed", found) == _key("person_changed", first)
    for mirror in ({"balance": "Fleet"}, {"balance": pipedrive.FLEET}):
        assert _one(_renamed(), connection=_connection(mirror)).attributes == {}


@pytest.mark.parametrize(
    ("meta", "heard"),
    [
        ({"change_source": "api", "user_id": "12941358"}, 0),
        ({"change_source": "app", "user_id": "12941358"}, 1),
        ({"change_source": "api", "user_id": "7"}, 1),
    ],
)
def test_our_own_writing_does_not_come_back(meta: Mapping[str, str], heard: int) -> None:
    """What the same person does in the app, and what other programs do, is news."""
    assert len(_facts(_renamed(**meta))[0]) == heard


def test_a_change_elsewhere_is_no_news() -> None:
    """Of what it was before only what is another now is told."""
    assert _facts(_renamed({"open_deals_count": 1, "update_time": "2026-02-06T21:00:00Z"}))[0] == []
    assert len(_facts(_renamed({"custom_fields": {pipedrive.FLEET: 5}}))[0]) == 1


def test_a_new_person_is_told_as_new() -> None:
    """Their primary address counts; who wants no mail has said no."""
    row = pipedrive.ADA | {"update_time": "2026-02-06T21:20:00Z", "marketing_status": "unsubscribed"}
    person = _one(pipedrive._told("person", "create", row, None))
    assert person.created and person.customer.email == "ada@example.com"
    assert person.customer.consents == {"email": False}
    assert not _one(_renamed()).created and _one(_renamed()).customer.consents == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("vans", "vans"),
        (6.5, "6.5"),
        ({"type": "varchar", "value": "vans"}, "vans"),
        ({"type": "enum", "id": 27}, "27"),
        ({"type": "set", "values": [{"id": 27}, {"id": 28}]}, "27, 28"),
        ({"type": "monetary", "value": 5, "currency": "EUR"}, "5"),
        ({"type": "varchar", "value": None}, ""),
        ([27, 28], "27, 28"),
    ],
)
def test_values_of_custom_fields_have_two_forms(value: Any, text: str) -> None:
    """As they are, and with their type; empty ones are null."""
    told = _one(_renamed(person=pipedrive.ADA | {"custom_fields": {pipedrive.FLEET: value}}))
    assert told.attributes.get("fleet", "") == text


def test_a_merged_person_lives_on_in_another() -> None:
    """Then nobody was deleted."""
    (merged,), _ = _facts(pipedrive._told("person", "delete", None, pipedrive.ADA, merged_to_id="499"))
    (deleted,), _ = _facts(pipedrive.DELETED)
    assert (merged.customer.id, merged.merged_ids) == ("499", ("501",))
    assert (deleted.customer.id, deleted.deleted) == ("501", True)


@pytest.mark.parametrize("entity", ["note", "organization", "lead", "product", "user"])
def test_what_is_left_out_is_no_fact(entity: str) -> None:
    """It may be told all the same."""
    assert _facts(pipedrive._told(entity, "change", {"id": 1}, {}))[0] == []


# Asking


def test_asking_follows_the_cursor_to_the_end() -> None:
    """Which is null, or not there; five hundred at a time."""
    first = pipedrive._page(pipedrive.CALL) | {"additional_data": {"next_cursor": "c-2"}}
    last = pipedrive._page(pipedrive.CALL | {"id": 9}) | {"additional_data": {"next_cursor": None}}
    items, play = _pulled("done_activities", first, last)
    assert [item.data["data"]["id"] for item in items] == [8, 9]
    asked = _asked(play.calls[1])
    assert (asked["cursor"], asked["limit"], asked["done"]) == (["c-2"], ["500"], ["true"])
    assert asked["updated_since"] == ["2026-02-05T21:30:00Z"]


@pytest.mark.parametrize(
    ("pull", "row", "field"),
    [("won_deals", pipedrive.DEAL_ROW, "won_time"), ("done_activities", pipedrive.CALL, "marked_as_done_time")],
)
def test_what_happened_long_ago_and_was_changed_since_is_not_brought_as_new(pull: str, row: Any, field: str) -> None:
    """A deal of last year whose title was mended would earn."""
    times = ["2025-02-06T21:27:34Z", "2026-02-04T22:00:00Z", "2026-02-06T21:00:00Z", None]
    items, _ = _pulled(pull, pipedrive._page(*({**row, "id": number, field: at} for number, at in enumerate(times))))
    assert [item.data["data"]["id"] for item in items] == [1, 2, 3]


def test_jobs_are_asked_for_only_where_there_are_any() -> None:
    """Each look costs."""
    items, play = _pulled("completed_jobs", connection=_connection(job_types=[]))
    assert (items, play.calls) == ([], [])


# The webhooks


def _hook(entity: str, **more: Any) -> dict[str, Any]:
    return {"id": len(entity), "event_object": entity, "subscription_url": URL, "is_active": 1, "name": "old", **more}


def test_three_webhooks_are_made_and_those_of_others_let_alone() -> None:
    """Of version 2, with user and password; old ones of ours are taken away."""
    connection = _connection()
    listed = pipedrive._ok([_hook("deal"), _hook("person", subscription_url="https://other.example")])
    made = [answers(201, pipedrive._ok({"id": number})) for number in (1, 2, 3)]
    play = _play(listed, pipedrive._ok(None), *made)
    tell_address(connection, play.client(connection))
    assert [called.method for called in play.calls] == ["GET", "DELETE", "POST", "POST", "POST"]
    sent = [_sent(called) for called in play.calls[2:]]
    assert [body["event_object"] for body in sent] == ["deal", "activity", "person"]
    same = {
        "subscription_url": URL,
        "event_action": "*",
        "version": "2.0",
        "http_auth_user": "hub",
        "http_auth_password": PASSWORD,
    }
    assert all(body.items() >= same.items() and PASSWORD not in body["name"] for body in sent)


def test_webhooks_that_are_well_are_left_as_they_are() -> None:
    """One that Pipedrive switched off is made again, and all of them when the password is another."""
    connection = _connection()
    play = _play(pipedrive._ok([]), *[answers(201, pipedrive._ok({"id": 1}))] * 3)
    tell_address(connection, play.client(connection))
    name = _sent(play.calls[1])["name"]
    there = [_hook(entity, name=name) for entity in ("deal", "activity", "person")]
    for rows, with_, methods in (
        (there, connection, ["GET"]),
        ([*there[:2], there[2] | {"is_active": 0}], connection, ["GET", "DELETE", "POST"]),
        (there, _connection(webhook_password="another-long-text"), ["GET", *["DELETE"] * 3, *["POST"] * 3]),
    ):
        play = _play(pipedrive._ok(rows), *[pipedrive._ok({"id": 1})] * 6)
        tell_address(with_, play.client(with_))
        assert [called.method for called in play.calls] == methods
    assert pipedrive.connector.subscription is not None and str(pipedrive.connector.subscription.every) == "1 day"


def test_webhooks_need_a_password_and_are_taken_back() -> None:
    """Without one, nothing would prove them."""
    with pytest.raises(CallFailed, match="webhook_password"):
        tell_address(_connection(webhook_password=None), _play().client(_connection()))
    play = _play(pipedrive._ok([_hook("deal"), _hook("x", subscription_url=None)]), pipedrive._ok(None))
    take_address_back(_connection(), play.client(_connection()))
    assert [called.method for called in play.calls] == ["GET", "DELETE"]


# Access


def test_a_token_goes_in_a_header_and_an_app_may_stand_in_for_it() -> None:
    """Each company has an address of its own."""
    _, play = _act("update_person", {"person": "501", "numbers": {"fleet": 7}}, ADA)
    assert play.calls[0].url == "https://acme.pipedrive.com/api/v2/persons/501"
    assert play.calls[0].headers["x-api-token"] == "token-7Qd2"
    app = {"api_token": None, "client_id": "app", "client_secret": "shh-7Qd2"}
    _, play = _act("update_person", {"person": "501", "numbers": {"fleet": 7}}, ADA, **app)
    assert play.calls[0].headers["authorization"] == f"Bearer {PlayedTokens().token.access.reveal()}"
    scheme = _connection(**app).auth
    assert isinstance(scheme, OAuth2) and (scheme.client, scheme.base) == ("basic", "api_domain")


# What goes out


def test_custom_fields_are_found_by_name_or_key() -> None:
    """In any case of letters; what the settings name is not looked up, and numbers go as numbers, exactly."""
    for numbers, listed in (
        ({"loyalty POINTS": "120.50"}, True),
        ({pipedrive.POINTS: "120.50"}, False),
        ({"fleet": "120.50"}, False),
    ):
        _, play = _act("update_person", {"person": "501", "numbers": numbers}, *([pipedrive.LISTED] if listed else []), ADA)
        key = pipedrive.FLEET if "fleet" in numbers else pipedrive.POINTS
        assert play.calls[-1].body == f'{{"custom_fields":{{"{key}":120.50}}}}'.encode()
        assert len(play.calls) == 1 + listed


@pytest.mark.parametrize(("text", "sent"), [("Gold", 27), ("silver", 28), ("", None)])
def test_an_option_goes_as_its_number(text: str, sent: int | None) -> None:
    """And an empty text clears the field."""
    _, play = _act("update_person", {"person": "501", "fields": {"Tier": text}}, pipedrive.LISTED, ADA)
    assert _sent(play.calls[1]) == {"custom_fields": {pipedrive.TIER: sent}}


def test_several_options_go_as_a_list_and_none_as_null() -> None:
    """An empty list would be refused."""
    field = pipedrive.KNOWN | pipedrive.OPTIONS | {"field_name": "Likes", "field_code": pipedrive.TIER, "field_type": "set"}
    for text, sent in (("Silver, gold", [28, 27]), ("", None)):
        _, play = _act("update_person", {"person": "501", "fields": {"Likes": text}}, pipedrive._page(field), ADA)
        assert _sent(play.calls[1]) == {"custom_fields": {pipedrive.TIER: sent}}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Teir": "Gold"}, "no person field `Teir`"),
        ({"Tier": "Platinum"}, "no option `Platinum`; it has Gold, Silver"),
        ({"Name": "x"}, "no person field `Name`"),
    ],
)
def test_an_unknown_field_or_option_is_an_error_that_says_so(fields: Mapping[str, str], said: str) -> None:
    """Nothing is written; what is no custom field cannot be set so."""
    failure, play = _act("update_person", {"person": "501", "fields": fields}, pipedrive.LISTED)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and said in str(failure)
    assert len(play.calls) == 1


def test_a_person_is_found_by_the_whole_address_the_oldest_of_several() -> None:
    """A search brings more than was asked for, in any case of letters."""
    rows = [(777, ["ada@example.com"]), (502, ["Ada@Example.com", "x@example.com"]), (4, ["ada@example.com.au"]), (3, None)]
    found = pipedrive._ok({"items": [{"item": {"id": number, "emails": emails}} for number, emails in rows]})
    kept, play = _act("upsert_person", {"address": "ADA@example.com", "name": "Ada Ng"}, found, ADA)
    assert str(play.calls[1]) == "PATCH /api/v2/persons/502" and not kept.is_new


def test_phone_numbers_of_a_person_who_is_there_are_left_as_they_are() -> None:
    """A list that is sent takes the place of the one that is there; without a name the address stands for it."""
    inputs = {"address": "ada@example.com", "phone": "+14155550123"}
    _, play = _act("upsert_person", inputs | {"numbers": {"fleet": 7}}, FOUND, ADA)
    assert _sent(play.calls[1]) == {"custom_fields": {pipedrive.FLEET: 7}}
    kept, play = _act("upsert_person", inputs, NOBODY, ADA)
    sent = _sent(play.calls[1])
    assert (sent["name"], sent["phones"]) == ("ada@example.com", [{"value": "+14155550123", "primary": True}])
    assert kept.is_new and "custom_fields" not in sent


def test_persons_are_looked_for_and_made_by_one_call_at_a_time() -> None:
    """Else two would make the same one."""
    connection, play, order = _connection(), _play(NOBODY, ADA), []
    client = play.client(connection, repeat="safe")

    @contextmanager
    def alone(what: str) -> Any:
        order.append((what, len(play.calls)))
        yield
        order.append(("done", len(play.calls)))

    client.alone = alone  # type: ignore[method-assign]
    action = pipedrive.connector.actions["upsert_person"]
    action.call({Client: client, Settings: connection.settings}, action.inputs.model_validate({"address": "a@example.com"}))
    assert order == [("persons", 0), ("done", 2)]


def test_a_person_whose_making_was_lost_is_looked_for_again() -> None:
    """The call as a whole may be repeated, and not the making."""
    failure, play = _act("upsert_person", {"address": "ada@example.com"}, NOBODY, requests.ReadTimeout("lost"), ADA)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 2


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
@pytest.mark.parametrize(("name", "inputs"), [("add_note", pipedrive.NOTE), ("create_activity", pipedrive.THANK)])
def test_what_pipedrive_would_do_twice_is_not_sent_twice(name: str, inputs: Mapping[str, Any], lost: Any) -> None:
    """It takes no keys; whether it was done is looked up."""
    failure, play = _act(name, inputs, lost, ADA)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    assert pipedrive.connector.actions[name].lookup is not None


@pytest.mark.parametrize("name", ["add_note", "create_activity"])
def test_a_note_or_activity_is_about_somebody(name: str) -> None:
    """It would be nobody's and never be seen."""
    inputs = {"text": "x"} if name == "add_note" else {"subject": "x"}
    failure, play = _act(name, inputs)
    assert isinstance(failure, CallFailed) and "neither `person` nor `deal`" in str(failure) and not play.calls
    _, play = _act(name, inputs | {"deal": "9001"}, ADA)
    assert _sent(play.calls[0])["deal_id"] == 9001 and "participants" not in _sent(play.calls[0])


def test_what_is_written_is_no_html() -> None:
    """What members write must not become a page."""
    _, play = _act("create_activity", pipedrive.THANK | {"note": "<b>Ada</b> & co\nsaid hi"}, ADA)
    assert _sent(play.calls[0])["note"] == "&lt;b&gt;Ada&lt;/b&gt; &amp; co<br>said hi"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (answers(200, {"success": False, "error": "Scope and URL mismatch"}), "lasting"),
        (answers(400, {"success": False, "error": "Bad request", "code": "ERR_SCHEMA_VALIDATION_FAILED"}), "lasting"),
        (answers(401, {"success": False, "error": "unauthorized access", "errorCode": 401}), "reconnect"),
        (answers(403, {"success": False, "error": "Forbidden"}), "lasting"),
        (answers(403, b"<html>cloud</html>"), "passing"),
        (answers(404, {"success": False, "error": "Person not found"}), "lasting"),
        (answers(410, {"success": False, "error": "Person is deleted"}), "lasting"),
        (answers(429, {"success": False, "error": "request over limit"}), "passing"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str) -> None:
    """A 200 that is none, and a page of the network for who asked too often; in Pipedrive's words."""
    failure, _ = _act("update_person", {"person": "501", "numbers": {"fleet": 7}}, *[reply] * 4)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict
    said = json.loads(reply.body)["error"] if reply.body.startswith(b"{") else ""
    assert said in str(failure)


def test_a_throttled_call_waits_as_long_as_it_is_told() -> None:
    """In a header of Pipedrive's own."""
    kept, play = _act("update_person", {"person": "501", "numbers": {"fleet": 7}}, answers(429, {}, x_ratelimit_reset="2"), ADA)
    assert kept.id == "501" and 2.0 in play.slept


# The mirror


def _shown(many: list[Customer], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play, mirror = _connection(**settings), _play(*replies), pipedrive.connector.mirroring
    assert mirror is not None
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    return mirror.look(handed, [Mirrored(one, {"Loyalty points": 7, "Tier": "Gold"}) for one in many]), play


def test_persons_are_looked_at_together_and_options_by_name() -> None:
    """A hundred cost as much as one; who is gone is nobody."""
    row = pipedrive.ADA | {"custom_fields": {pipedrive.POINTS: 7, pipedrive.TIER: 28}}
    bare = pipedrive.ADA | {"id": 502, "custom_fields": {pipedrive.POINTS: None}}
    many = [Customer(id=number) for number in ("501", "502", "503", "501")]
    (ada, bo, gone, again), play = _shown(many, pipedrive.LISTED, pipedrive._page(row, bare))
    assert (ada.fields, ada.id, again) == ({"Loyalty points": "7", "Tier": "Silver"}, "501", ada)
    assert (bo.fields, gone) == ({"Loyalty points": "", "Tier": ""}, None)
    assert _asked(play.calls[1])["ids"] == ["501,502,503"] and len(play.calls) == 2


def test_persons_are_looked_for_by_address_only_where_the_connection_says_so() -> None:
    """Each search costs four times what a write does."""
    ada = Customer(email="Ada@example.com")
    assert _shown([ada])[1].calls == []
    row = pipedrive.ADA | {"custom_fields": {pipedrive.POINTS: 7}}
    (shown,), _ = _shown([ada], FOUND, pipedrive.LISTED, pipedrive._page(row), find_by_address=True)
    assert (shown.id, shown.fields["Loyalty points"]) == ("501", "7")
    (nobody,), play = _shown([ada], NOBODY, find_by_address=True)
    assert nobody is None and len(play.calls) == 1
