"""Airtable: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors import airtable
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Answer, Client, Connection, Customer, Fact, Mirrored, Request, Settings, Shown
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.sample import SAMPLE_NOW, answers

NOW = SAMPLE_NOW
BASE, MEMBERS, REFERRALS = airtable.BASE, airtable.MEMBERS, airtable.REFERRALS
APPROVED, CHANGE, SCRIPT = airtable.APPROVED, airtable.CHANGE, airtable.SCRIPT
URL = "https://points.example.com/hooks/airtable"
MAC, TOKEN = base64.b64encode(b"a key of Airtable's own").decode(), "b7c1-long-and-random"
HOOK = airtable.HOOK | {"notificationUrl": URL}
PING = {"base": {"id": BASE}, "webhook": {"id": HOOK["id"]}, "timestamp": "2026-02-06T21:27:30.663Z"}


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    values = {"access_token": "pat7Qd2.example", "base_id": BASE, "members_table": "Members", "webhook_secret": MAC}
    tables = {"Members": MEMBERS, "Referrals": REFERRALS}
    read = airtable.connector.settings.read({**values, "script_token": TOKEN, "tables": tables, **settings})
    return Connection("airtable", airtable.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: Any, **headers: str) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request("POST", "/hooks/airtable", "", named, raw, NOW, URL)


def _mac(body: Any, key: bytes = b"a key of Airtable's own") -> str:
    return "hmac-sha256=" + hmac.new(key, json.dumps(body).encode(), hashlib.sha256).hexdigest()


def _play(replies: tuple[Any, ...]) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _told(body: Mapping[str, Any], **said: Any) -> Any:
    connection = _connection(**said)
    (item,) = airtable.connector.items(_request(body), connection)
    (fact,) = airtable.connector.triggers["record_changed"].read(item, connection)
    return fact


def _pulled(*replies: Any, since: datetime = NOW - timedelta(hours=1), **said: Any) -> tuple[list[Any], Play]:
    """The facts that asking brings, and what was asked."""
    connection, play, facts = _connection(**said), _play(replies), list[Fact]()
    for item in airtable.connector.pulls["changed_records"].items(connection, play.client(connection, repeat="safe"), since):
        facts += airtable.connector.triggers["record_changed"].read(item, connection)
    return facts, play


def _key(fact: Fact) -> str:
    return airtable.connector.triggers["record_changed"].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **said: Any) -> tuple[list[Any], Play]:
    action, connection, play = airtable.connector.actions[name], _connection(**said), _play(replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _calls(play: Play) -> list[str]:
    return [f"{call.method} {call.url.partition('airtable.com')[2]}" for call in play.calls]


# Proof


def test_the_mac_is_hex_over_the_raw_body_with_the_decoded_secret() -> None:
    """Many receivers take the secret as it stands, or base64 of the hash: both are wrong."""
    good = _mac(PING)
    airtable.connector.verify(_request(PING, x_airtable_content_mac=good), _connection(), NOW)
    digest = base64.b64encode(bytes.fromhex(good.partition("=")[2])).decode()
    for bad in (_mac(PING, MAC.encode()), f"hmac-sha256={digest}", good.partition("=")[2], "hmac-sha256="):
        with pytest.raises(Refused):
            airtable.connector.verify(_request(PING, x_airtable_content_mac=bad), _connection(), NOW)


def test_a_script_shows_its_token() -> None:
    """It signs nothing; the token is not kept with the delivery. Either way works without the secret of the other."""
    airtable.connector.verify(_request(SCRIPT, x_hub_token=TOKEN), _connection(webhook_secret=None), NOW)
    for headers in ({}, {"x_hub_token": "another"}):
        with pytest.raises(Refused):
            airtable.connector.verify(_request(SCRIPT, **headers), _connection(), NOW)
    assert TOKEN not in str(airtable.connector.strip(_request(SCRIPT, x_hub_token=TOKEN)).headers)
    airtable.connector.verify(_request(PING, x_airtable_content_mac=_mac(PING)), _connection(script_token=None), NOW)


def test_the_answer_to_a_ping_is_empty() -> None:
    """With a body Airtable takes it for a failure."""
    assert airtable.connector.answer(_request(PING), _connection()) == Answer(200)


# Pings


def test_a_ping_is_no_event_but_makes_the_hub_ask() -> None:
    """It stands for many changes, or for none. Of another base nothing is asked."""
    connection = _connection()
    (item,) = airtable.connector.items(_request(PING), connection)
    assert [trigger.poke for trigger in airtable.connector.triggers_for(item)] == [True]
    assert airtable.connector.is_ours(item, connection)
    (foreign,) = airtable.connector.items(_request(PING | {"base": {"id": "appOther"}}), connection)
    assert not airtable.connector.is_ours(foreign, connection)
    with pytest.raises(Unreadable):
        airtable.connector.items(_request({"hello": "you"}), connection)


def _payloads(*payloads: Mapping[str, Any]) -> dict[str, Any]:
    return {"payloads": list(payloads), "cursor": 99, "mightHaveMore": False}


def _at(minute: int, *records: str, table: str = REFERRALS, kind: str = "changedRecordsById") -> dict[str, Any]:
    changes = {table: {kind: {record: {} for record in records}, "destroyedRecordIds": ["recGone"]}}
    return {"timestamp": f"2026-02-06T21:{minute:02}:00.000Z", "baseTransactionNumber": minute, "changedTablesById": changes}


def test_payloads_are_read_from_the_newest_back_to_the_last_look() -> None:
    """No place in them is kept: fifty at a time, until one is older. Each record is read once, as it is now."""
    hook = {"webhooks": [HOOK | {"cursorForNextPayload": 120}]}
    newest = _payloads(_at(20, "recA"), _at(25, "recB", kind="createdRecordsById"))
    older = _payloads(_at(10, "recC"), _at(15, "recA"))
    rows = {"records": [APPROVED | {"id": name} for name in ("recA", "recB")]}
    facts, play = _pulled(hook, {}, newest, older, rows, since=datetime(2026, 2, 6, 21, 12, tzinfo=UTC))
    assert [call.url.partition("?")[2] for call in play.calls[2:4]] == ["cursor=70&limit=50", "cursor=20&limit=50"]
    assert _sent(play.calls[4])["filterByFormula"] == 'OR(RECORD_ID()="recA", RECORD_ID()="recB")'
    assert [(fact.row_id, fact.occurred_at.minute) for fact in facts] == [("recA", 20), ("recB", 25)]


def test_the_first_payload_is_number_one() -> None:
    """A webhook that was never used has none; nothing before it is asked for."""
    _, play = _pulled({"webhooks": [HOOK | {"cursorForNextPayload": 1}]}, {})
    assert len(play.calls) == 2
    _, play = _pulled({"webhooks": [HOOK | {"cursorForNextPayload": 30}]}, {}, _payloads())
    assert play.calls[2].url.endswith("cursor=1&limit=50") and len(play.calls) == 3


def test_a_payload_that_tells_of_an_error_is_passed_over() -> None:
    """Airtable puts it among the others."""
    broken = {"error": True, "code": "INVALID_FILTERS"}
    facts, _ = _pulled({"webhooks": [HOOK]}, {}, _payloads(broken, _at(20, "recRef0000000001")), {"records": [APPROVED]})
    assert [fact.row_id for fact in facts] == ["recRef0000000001"]


def test_many_records_are_read_a_hundred_at_a_time() -> None:
    """And one that was deleted meanwhile is not there."""
    names = [f"rec{number:03}" for number in range(130)]
    pages = [{"records": [APPROVED | {"id": name} for name in some]} for some in (names[:100], names[101:])]
    facts, play = _pulled({"webhooks": [HOOK]}, {}, _payloads(_at(20, *names)), *pages)
    assert len(facts) == 129 and len(play.calls) == 5


def test_asking_keeps_the_channel_alive() -> None:
    """It ends after seven days; and where Airtable gave up pinging, it is asked to begin again."""
    _, play = _pulled({"webhooks": [HOOK | {"areNotificationsEnabled": False}]}, {}, answers(200), _payloads())
    assert _calls(play)[1:3] == [
        f"POST /v0/bases/{BASE}/webhooks/{HOOK['id']}/refresh",
        f"POST /v0/bases/{BASE}/webhooks/{HOOK['id']}/enableNotifications",
    ]
    assert _sent(play.calls[2]) == {"enable": True}


@pytest.mark.parametrize(
    "hooks", [[], [HOOK | {"notificationUrl": "https://other.example"}], [HOOK | {"isHookEnabled": False}]]
)
def test_without_a_webhook_of_ours_what_was_changed_is_listed(hooks: list[Any]) -> None:
    """Other people's webhooks are let alone; one that Airtable switched off for good tells nothing."""
    alive = [{}] if hooks and hooks[0]["notificationUrl"] == URL else []
    facts, play = _pulled({"webhooks": hooks}, *alive, {"records": []}, {"records": [APPROVED]})
    assert [fact.table for fact in facts] == ["Referrals"]
    assert "LAST_MODIFIED_TIME()" in _sent(play.calls[-1])["filterByFormula"]


def test_the_past_is_listed_though_there_is_a_webhook() -> None:
    """Payloads are kept for seven days."""
    facts, play = _pulled({"webhooks": [HOOK]}, {}, {"records": []}, {"records": [APPROVED]}, since=NOW - timedelta(days=90))
    assert len(facts) == 1 and "2025-11-08T21:30:00+00:00" in _sent(play.calls[-1])["filterByFormula"]


def test_a_state_that_is_pinged_listed_or_past_is_one_event() -> None:
    """Whatever the way, the record is read alike; another state is another event."""
    pinged, _ = _pulled({"webhooks": [HOOK]}, {}, airtable.PAYLOADS, {"records": [APPROVED]})
    listed, _ = _pulled({"webhooks": []}, {"records": []}, {"records": [APPROVED]})
    assert _key(pinged[0]) == _key(listed[0])
    other = APPROVED | {"fields": APPROVED["fields"] | {"Status": "Declined"}}
    declined, _ = _pulled({"webhooks": []}, {"records": []}, {"records": [other]})
    assert _key(declined[0]) != _key(listed[0])


def test_nothing_is_asked_where_no_tables_are_named() -> None:
    """A base that is only written to."""
    facts, play = _pulled(tables={})
    assert (facts, play.calls) == ([], [])


# Records


def test_cells_are_told_as_people_read_them() -> None:
    """Of choices, people and files the names, of links the ids; empty cells and unticked boxes are not there."""
    cells = {
        "Text": "Lovely",
        "Amount": 42.5,
        "Count": 3,
        "Paid": True,
        "Open": False,
        "Empty": None,
        "Tags": ["vip", "fleet"],
        "Choice": {"id": "sel1", "name": "Approved", "color": "green"},
        "By": {"id": "usr1", "email": "bob@example.com"},
        "Files": [{"id": "att1", "url": "https://x.example/a.png", "filename": "a.png"}],
        "Member": ["recAda0000000001"],
    }
    assert _told(SCRIPT | {"fields": cells}).fields == {
        "Text": "Lovely",
        "Amount": "42.5",
        "Count": "3",
        "Paid": "yes",
        "Tags": "vip, fleet",
        "Choice": "Approved",
        "By": "bob@example.com",
        "Files": "a.png",
        "Member": "recAda0000000001",
    }


def test_what_the_hub_writes_is_neither_told_nor_news() -> None:
    """Else every balance that is written would be a change."""
    first, _ = _pulled(
        {"webhooks": []}, {"records": [airtable.ADA]}, {"records": []}, mirror={"balance": "Points"}, own_columns=["Tier"]
    )
    written = airtable.ADA | {"fields": airtable.ADA["fields"] | {"Points": 7, "Tier": "Silver"}}
    later, _ = _pulled(
        {"webhooks": []}, {"records": [written]}, {"records": []}, mirror={"balance": "Points"}, own_columns=["Tier"]
    )
    assert _key(first[0]) == _key(later[0]) and first[0].fields == {"Email": "Ada@example.com", "First name": "Ada"}


def test_every_run_of_a_script_counts() -> None:
    """What it sends may be the same every time, a visit for instance; without a run it is the state that counts."""
    again = _told(SCRIPT | {"automation_run": "2026-02-06T22:00:00Z"})
    assert _key(_told(SCRIPT)) == _key(_told(SCRIPT)) != _key(again)
    bare = {name: value for name, value in SCRIPT.items() if name != "automation_run"}
    assert _key(_told(bare)) == _key(_told(bare | {"event": "record_created"})) != _key(_told(bare | {"fields": {"a": "b"}}))


def test_people_are_found_in_the_columns_that_are_named() -> None:
    """In the table of members the record is theirs; elsewhere a link says whose it is. The first that is filled in counts."""
    assert _told(SCRIPT | {"table": "Members"}).customer == Customer(id="recRef0000000001", email="ada@example.com")
    linked = SCRIPT | {"fields": {"Friend of": ["recBob0000000001"], "Mail": "", "E-mail": "ada@example.com"}}
    columns = {"member": "Friend of", "email": ["Mail", "E-mail"]}
    assert _told(linked, columns=columns).customer == Customer(id="recBob0000000001", email="ada@example.com")
    assert _told(SCRIPT | {"fields": {"Status": "Approved"}}).customer is None
    with pytest.raises(ValueError, match="colums"):
        _connection(columns={"colums": ["Email"]})


# Subscribing


def _tell(*replies: Any, **said: Any) -> tuple[Any, Play]:
    connection, play = _connection(**said), _play(replies)
    return tell_address(connection, play.client(connection, repeat="safe")), play


def test_the_webhook_is_made_for_what_people_do_and_its_secret_kept() -> None:
    """It is told only once; without publicApi the hub does not hear itself."""
    told, play = _tell({"webhooks": []}, {"webhooks": []}, {"id": "ach2", "macSecretBase64": MAC}, webhook_secret=None)
    assert told == {"webhook_secret": MAC}
    made = _sent(play.calls[-1])
    assert made["notificationUrl"] == URL
    filters = made["specification"]["options"]["filters"]
    assert "publicApi" not in filters["fromSources"] and "formSubmission" in filters["fromSources"]
    assert filters["changeTypes"] == ["add", "update"]


def test_a_webhook_whose_secret_we_have_is_renewed() -> None:
    """And not made a second time; one whose secret nobody knows is made anew."""
    told, play = _tell({"webhooks": [HOOK]}, {})
    assert told == {} and _calls(play)[1].endswith("/refresh") and len(play.calls) == 2
    lost = ({"webhooks": [HOOK]}, {"webhooks": [HOOK]}, answers(204), {"id": "ach2", "macSecretBase64": MAC})
    told, play = _tell(*lost, webhook_secret=None)
    assert told == {"webhook_secret": MAC} and _calls(play)[2] == f"DELETE /v0/bases/{BASE}/webhooks/{HOOK['id']}"
    assert airtable.connector.subscription is not None
    assert str(airtable.connector.subscription.every) == "6 days"


def test_taking_the_address_back_leaves_others_alone() -> None:
    """By our own address alone."""
    connection, play = _connection(), _play(({"webhooks": [HOOK | {"id": "ach9", "notificationUrl": "https://x.example"}]},))
    take_address_back(connection, play.client(connection, repeat="safe"))
    assert len(play.calls) == 1


# What goes out

BALANCE = airtable.BALANCE


def _ada(number: int, **fields: str) -> dict[str, Any]:
    return BALANCE | {"fields": {"Email": f"ada{number}@example.com", "Points": "1"} | fields}


def test_ten_at_a_time_and_each_table_and_key_alone() -> None:
    """More than ten Airtable refuses; results come in the order of the request."""
    assert airtable.connector.actions["upsert_record"].batch == airtable.connector.actions["update_record"].batch == 10
    many = [_ada(1), BALANCE | {"table": "tblOther000000001"}, _ada(2)]
    rows = {"records": [{"id": "recA", "fields": {}}, {"id": "recB", "fields": {}}], "createdRecords": ["recB"]}
    outcomes, play = _act("upsert_record", many, rows, {"records": [{"id": "recC", "fields": {}}]})
    assert [(one.record_id, one.created) for one in outcomes] == [("recA", False), ("recC", False), ("recB", True)]
    assert _calls(play) == [f"PATCH /v0/{BASE}/{MEMBERS}", f"PATCH /v0/{BASE}/tblOther000000001"]


def test_the_same_key_twice_is_one_record() -> None:
    """The later cells lie on top."""
    rows = {"records": [{"id": "recA", "fields": {}}]}
    outcomes, play = _act("upsert_record", [_ada(1), _ada(1, Points="7", Tier="Gold")], rows)
    assert [one.record_id for one in outcomes] == ["recA", "recA"]
    assert _sent(play.calls[0])["records"] == [{"fields": {"Email": "ada1@example.com", "Points": "7", "Tier": "Gold"}}]


def test_a_record_without_its_key_is_not_sent() -> None:
    """Airtable would refuse the others with it."""
    nobody = BALANCE | {"fields": {"Email": "", "Points": "1"}}
    outcomes, play = _act("upsert_record", [nobody, _ada(1)], {"records": [{"id": "recA", "fields": {}}]})
    assert isinstance(outcomes[0], CallFailed) and "Email" in str(outcomes[0]) and outcomes[1].record_id == "recA"
    assert len(_sent(play.calls[0])["records"]) == 1


def test_one_record_that_is_refused_spoils_no_batch() -> None:
    """422 is the answer to all ten, and nothing was written: so they are tried in halves."""
    ok = [{"records": [{"id": name, "fields": {}}]} for name in ("recA", "recC")]
    refused = airtable.REFUSED
    outcomes, _ = _act("upsert_record", [_ada(1), _ada(2), _ada(3)], refused, ok[0], refused, refused, ok[1])
    assert isinstance(outcomes[1], CallFailed) and "cannot accept" in str(outcomes[1])
    assert [outcomes[0].record_id, outcomes[2].record_id] == ["recA", "recC"]


def test_tables_go_by_their_names_or_ids() -> None:
    """A name that `tables` has is its id; others are Airtable's own."""
    for said, path in (("Members", MEMBERS), (REFERRALS, REFERRALS), ("Old table", "Old%20table")):
        _, play = _act("create_record", [{"table": said, "fields": {"a": "b"}}], {"records": [{"id": "recA", "fields": {}}]})
        assert _calls(play) == [f"POST /v0/{BASE}/{path}"]


@pytest.mark.parametrize("lost", [answers(502), requests.ReadTimeout("lost")])
def test_a_new_record_whose_answer_was_lost_is_looked_for(lost: Any) -> None:
    """A second one would stay; it is known by what it says, in whatever form the columns have."""
    reward = {"table": "Referrals", "fields": {"Amount": "42.50", "Paid": "true", "On": "2026-02-06T21:00:00Z", "Note": ""}}
    (failure,), play = _act("create_record", [reward], lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    cells = {"Amount": 42.5, "Paid": True, "On": "2026-02-06T21:00:00.000Z"}
    action, connection = airtable.connector.actions["create_record"], _connection()
    for row, found in ((cells, True), (cells | {"Amount": 42}, False), (cells | {"Note": "x"}, False), ({}, False)):
        play = _play(({"records": [{"id": "recA", "fields": row}]},))
        handed = {Client: play.client(connection), Settings: connection.settings, datetime: NOW - timedelta(minutes=5)}
        assert (action.find_done(handed, action.inputs.model_validate(reward), "call_1") is not None) == found
        assert _sent(play.calls[0])["filterByFormula"].startswith("IS_AFTER(CREATED_TIME(), DATETIME_PARSE(")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (answers(403, {"error": {"type": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "message": "No"}}), "lasting"),
        (answers(403, {"error": {"type": "NOT_AUTHORIZED", "message": "No"}}), "reconnect"),
        (answers(404, {"error": "NOT_FOUND"}), "lasting"),
        (answers(422, {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "message": "No"}}), "passing"),
        (airtable.REFUSED, "lasting"),
        (answers(429, {"error": {"type": "TOO_MANY", "message": "No"}}), "passing"),
        (answers(503), "passing"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str) -> None:
    """A table's name that is misspelt does not cut the connection off; a page that came too late is begun anew."""
    (failure,), _ = _act("update_record", [{"table": "Members", "record": "recA", "fields": {"a": "b"}}], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict


def test_a_throttle_lasts_thirty_seconds() -> None:
    """Airtable may not say so; what it says counts more."""
    known = [{"table": "Members", "record": "recA", "fields": {"a": "b"}}]
    (failure,), _ = _act("update_record", known, answers(429))
    assert failure.retry_after_seconds == 30
    (failure,), _ = _act("update_record", known, answers(429, None, retry_after="90"))
    assert failure.retry_after_seconds == 90


def test_an_access_may_be_a_token_or_an_integrations() -> None:
    """What the connection has is used."""
    known = [{"table": "Members", "record": "recA", "fields": {"a": "b"}}]
    done = {"records": [{"id": "recA", "fields": {}}]}
    _, play = _act("update_record", known, done)
    assert play.calls[0].headers["authorization"] == "Bearer pat7Qd2.example"
    _, play = _act("update_record", known, done, access_token=None, client_id="c1", client_secret="s3cret")
    assert play.calls[0].headers["authorization"] == "Bearer played-access-7Qd2"


# The mirror


def _seen(many: list[Mirrored], *replies: Any, **said: Any) -> tuple[list[Any], Play]:
    mirror, connection, play = airtable.connector.mirroring, _connection(**said), _play(replies)
    assert mirror is not None
    return mirror.look({Client: play.client(connection, repeat="safe"), Settings: connection.settings}, many), play


def test_members_are_found_by_record_or_address_in_one_question() -> None:
    """Whatever the case of letters; quotes in an address end nothing, and who is not there is left out."""
    fields = {"Points": 120, "Until": date(2026, 12, 24)}
    who = (
        Customer(id="recA"),
        Customer(id="recGone", email='BEN"x@example.com'),
        Customer(email="cy@example.com"),
        Customer(phone="1"),
    )
    rows = [
        {"id": "recA", "fields": {"Points": 120, "Until": "2026-12-24"}},
        {"id": "recB", "fields": {"Mail": 'Ben"X@example.com'}},
    ]
    shown, play = _seen([Mirrored(one, fields) for one in who], {"records": rows}, columns={"email": "Mail"})
    assert shown == [
        Shown({"Points": "120", "Until": "2026-12-24"}, "recA"),
        Shown({"Points": "", "Until": ""}, "recB"),
        None,
        None,
    ]
    formula = _sent(play.calls[0])["filterByFormula"]
    assert 'LOWER({Mail})="ben\\"x@example.com"' in formula and formula.startswith('OR(RECORD_ID()="recA"')
    nobody, play = _seen([Mirrored(Customer(phone="1"), fields)])
    assert (nobody, play.calls) == ([None], [])


@pytest.mark.parametrize("table", [None, "Staff"])
def test_a_mirror_needs_a_table_of_members(table: str | None) -> None:
    """It is said so, and nobody is left out in silence."""
    mirror, connection = airtable.connector.mirroring, _connection(members_table=table)
    assert mirror is not None
    one = Mirrored(Customer(id="recA"), {"Points": 120})
    with pytest.raises(CallFailed, match="members_table"):
        mirror.inputs({Settings: connection.settings}, one)
    with pytest.raises(CallFailed, match="members_table"):
        _seen([one], members_table=table)
