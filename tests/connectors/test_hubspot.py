"""HubSpot: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from hubspot.utils.signature import Signature

from connectors import hubspot
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings, Shown
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/hubspot"
KEY = "e6d2f5c1-client-secret"


def _connection(**settings: Any) -> Connection:
    values = {"access_token": "pat-na1-7Qd2", "client_secret": KEY, **settings}
    return Connection("hubspot", hubspot.connector, hubspot.connector.settings.read(values), webhook_url=URL)


def _request(body: Any, *, url: str = URL, headers: Mapping[str, str] | None = None) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Request("POST", "/hooks/hubspot", url.partition("?")[2], dict(headers or {}), raw, NOW, url)


def _signed(body: str, *, url: str = URL, at: datetime = NOW, signed_url: str = "") -> Request:
    """As HubSpot's own library signs."""
    stamp = str(int(at.timestamp() * 1000))
    made = Signature.get_signature(KEY, body, "v3", signed_url or url, "POST", stamp)
    return _request(body.encode(), url=url, headers={"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": stamp})


def _facts(event: Any, *replies: Any, **settings: Any) -> tuple[list[Fact], Play]:
    """What comes of one event (or of a workflow's body), with HubSpot's replies to what is fetched."""
    connection = _connection(**settings)
    play = Play(one_by_one([reply if isinstance(reply, Answer) else answers(200, reply) for reply in replies]))
    (item,) = hubspot.connector.items(_request(event if "body" in event else [event]), connection)
    facts = []
    for trigger in hubspot.connector.triggers_for(item):
        thin = trigger.thin_for(connection)
        facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _reached(body: Mapping[str, Any], query: str = "workflow=vip") -> hubspot.WorkflowReached:
    (item,) = hubspot.connector.items(_request(body, url=f"{URL}?{query}"), _connection())
    (fact,) = hubspot.connector.triggers["workflow_reached"].read(item, _connection())
    assert isinstance(fact, hubspot.WorkflowReached)
    return fact


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection = hubspot.connector.actions[name], _connection()
    play = Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))
    client = play.client(connection, call_key="run_1/0", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, datetime: NOW}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


# Proof


@pytest.mark.parametrize("body", ["[]", '[{"propertyValue": "Zoë 🎁"}]', '{"a": "b c"}'])
def test_signatures_of_the_vendors_library_hold(body: str) -> None:
    """Version 3 over method, URL, text and time; version 2, as workflows sign, over method, URL and text."""
    hubspot.connector.verify(_signed(body), _connection(), NOW)
    v2 = Signature.get_signature(KEY, body, "v2", URL, "POST")
    hubspot.connector.verify(_request(body.encode(), headers={"x-hubspot-signature": v2}), _connection(), NOW)


def test_escapes_in_the_url_are_undone_before_it_is_signed() -> None:
    """Some of them: a slash and a colon, not a blank; the library leaves that to its caller."""
    called = f"{URL}?workflow=a%3Ab%2Fc%20d"
    hubspot.connector.verify(_signed("[]", url=called, signed_url=f"{URL}?workflow=a:b/c%20d"), _connection(), NOW)


@pytest.mark.parametrize("minutes", [6, -6])
def test_an_old_signature_is_refused_and_one_from_the_future(minutes: int) -> None:
    """Five minutes are allowed, either way."""
    with pytest.raises(Refused, match="300 seconds are allowed"):
        hubspot.connector.verify(_signed("[]", at=NOW - timedelta(minutes=minutes)), _connection(), NOW)


def test_an_altered_body_is_refused_by_both_versions() -> None:
    """And so is version 1, which covers neither the address nor the time."""
    v2 = Signature.get_signature(KEY, "[]", "v2", URL, "POST")
    v1 = Signature.get_signature(KEY, "[]", "v1")
    for forged in (
        replace(_signed("[]"), body=b"[{}]"),
        _request(b"[{}]", headers={"x-hubspot-signature": v2}),
        _request(b"[]", headers={"x-hubspot-signature": v1, "x-hubspot-signature-version": "v1"}),
    ):
        with pytest.raises(Refused):
            hubspot.connector.verify(forged, _connection(), NOW)


# What comes in


def test_one_delivery_tells_of_many_portals_in_any_order() -> None:
    """The oldest comes first, and what is not ours is left out."""
    late = hubspot.RENAMED | {"occurredAt": hubspot.STAGE["occurredAt"] + 5}
    items = hubspot.connector.items(_request([late, hubspot.STAGE | {"portalId": 44}]), _connection(account_id="33001"))
    assert [(item.kind, item.account) for item in items] == [("deal.propertyChange", "44"), ("contact.propertyChange", "33001")]
    assert [hubspot.connector.is_ours(item, _connection(account_id="33001")) for item in items] == [False, True]
    assert all(hubspot.connector.is_ours(item, _connection()) for item in items)


def test_one_bad_event_does_not_fail_the_others() -> None:
    """It is shown with what is wrong."""
    bad, good = hubspot.connector.items(_request([{"subscriptionType": "deal.creation"}, hubspot.STAGE]), _connection())
    assert "`objectId` is missing" in bad.problem
    assert (good.kind, good.problem) == ("deal.propertyChange", "")


def test_generic_events_are_those_of_their_object() -> None:
    """The new platform says object.creation, and of what kind the object is."""
    for number, kind in {"0-1": "contact.creation", "0-3": "deal.creation", "2-77": "object.creation"}.items():
        event = hubspot.STAGE | {"subscriptionType": "object.creation", "objectTypeId": number}
        (item,) = hubspot.connector.items(_request([event]), _connection())
        assert item.kind == kind


def test_a_retry_is_the_same_telling() -> None:
    """Event ids are not promised to be unique: portal, subscription, event and time together are; the attempt is not."""
    again = hubspot.STAGE | {"attemptNumber": 3}
    other = hubspot.STAGE | {"subscriptionId": 25009}
    first, second, third = hubspot.connector.items(_request([hubspot.STAGE, again, other]), _connection())
    assert first.id == second.id != third.id


def test_a_deal_is_won_whatever_its_pipeline_calls_the_stage() -> None:
    """Stages have ids of their own; HubSpot says which of them win."""
    (won,), play = _facts(hubspot.STAGE | {"propertyValue": "128837462"}, hubspot.DEAL, hubspot.ADA)
    assert (won.deal_id, won.amount, won.currency) == ("9001", Decimal("1250.50"), "USD")  # type: ignore[attr-defined]
    assert won.customer is not None and won.customer.phone == "+14155550123"
    assert "properties=amount%2Cdeal_currency_code" in play.calls[0].url


@pytest.mark.parametrize("value", ["false", None])
def test_a_deal_that_is_not_won_is_no_fact(value: str | None) -> None:
    """It moved on, or was opened again before it was looked at: what counts is how it is now."""
    facts, play = _facts(hubspot.STAGE, hubspot.DEAL | {"properties": {"hs_is_closed_won": value}})
    assert (facts, len(play.calls)) == ([], 1)


def test_a_property_of_no_interest_asks_nothing() -> None:
    """One event comes for each property that is subscribed."""
    assert _facts(hubspot.STAGE | {"propertyName": "dealname"})[1].calls == []


def test_a_changed_amount_is_the_same_deal() -> None:
    """It is shown beside the event, and earns nothing a second time."""
    key_of = hubspot.connector.triggers["deal_won"].key_of
    (first,), _ = _facts(hubspot.STAGE, hubspot.DEAL, hubspot.ADA)
    dearer = hubspot.DEAL | {"properties": hubspot.DEAL["properties"] | {"amount": "1400"}}  # type: ignore[operator]
    (second,), _ = _facts(hubspot.STAGE | {"propertyName": "amount", "propertyValue": "1400"}, dearer, hubspot.ADA)
    assert key_of(first) == key_of(second)


def test_a_deal_without_amount_currency_or_contact_is_told_with_what_there_is() -> None:
    """Missing properties are null, or not there at all; the portal's currency stands for the deal's."""
    bare = hubspot.TIMES | {"id": "9001", "properties": {"hs_is_closed_won": "true", "amount": None}}
    (won,), play = _facts(hubspot.STAGE, bare, currency="EUR")
    assert (won.amount, won.currency, won.customer) == (None, "EUR", None)  # type: ignore[attr-defined]
    assert won.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)
    assert len(play.calls) == 1


def test_the_time_of_closing_may_be_in_milliseconds() -> None:
    """Or ISO, as it pleases."""
    deal = hubspot.DEAL | {"properties": hubspot.DEAL["properties"] | {"closedate": "1770413254123"}}  # type: ignore[operator]
    (won,), _ = _facts(hubspot.STAGE, deal, hubspot.ADA)
    assert won.occurred_at == datetime(2026, 2, 6, 21, 27, 34, 123000, tzinfo=UTC)


@pytest.mark.parametrize("source", ["INTEGRATION", "API"])
@pytest.mark.parametrize("source_id", ["1160452", "appId:1160452"])
def test_our_own_writing_does_not_come_back(source: str, source_id: str) -> None:
    """Nothing is even fetched; what another integration writes is news."""
    for event in (hubspot.RENAMED, hubspot.CREATED):
        facts, play = _facts(event | {"changeSource": source, "sourceId": source_id})
        assert (facts, play.calls) == ([], [])
    facts, _ = _facts(hubspot.RENAMED | {"changeSource": source, "sourceId": "7"}, hubspot.ADA)
    assert len(facts) == 1


def test_a_contact_is_changed_only_when_what_is_read_of_it_is_new() -> None:
    """An import of one contact makes many events, and the hub's points touch its time: both are the same contact."""
    key_of = hubspot.connector.triggers["contact_changed"].key_of
    touched = hubspot.ADA | {"updatedAt": "2026-02-07T08:00:00Z"}
    renamed = hubspot.ADA | {"properties": hubspot.ADA["properties"] | {"lastname": "Lee"}}  # type: ignore[operator]
    first, second, third = (_facts(hubspot.RENAMED, contact)[0][0] for contact in (hubspot.ADA, touched, renamed))
    assert key_of(first) == key_of(second) != key_of(third)


def test_a_contact_without_mail_is_a_contact() -> None:
    """A mobile number stands for a missing phone; an old id leads to the one that stayed."""
    contact = hubspot.ADA | {"id": "777", "properties": {"mobilephone": "+14155550199", "email": None}}
    (changed,), _ = _facts(hubspot.RENAMED, contact)
    assert changed.customer is not None
    assert (changed.customer.id, changed.customer.email, changed.customer.phone) == ("777", None, "+14155550199")


def test_more_properties_are_read_where_the_connection_names_them() -> None:
    """HubSpot gives only those that are asked for."""
    contact = hubspot.ADA | {"properties": {"fleet_size": "6"}}
    (changed,), play = _facts(hubspot.RENAMED, contact, contact_properties=["fleet_size"])
    assert changed.attributes == {"fleet_size": "6"}  # type: ignore[attr-defined]
    assert "fleet_size" in play.calls[0].url


@pytest.mark.parametrize(("stays", "gone"), [(777, ("499", "501")), (501, ("499",))])
def test_merged_contacts_may_live_on_under_a_third_id(stays: int, gone: tuple[str, ...]) -> None:
    """Then the primary one is gone, too."""
    (merged,), _ = _facts(hubspot.MERGED | {"newObjectId": stays})
    assert merged.customer is not None
    assert (merged.customer.id, merged.merged_ids) == (str(stays), gone)  # type: ignore[attr-defined]


def test_a_ticket_is_solved_in_the_stages_that_the_connection_names() -> None:
    """Each pipeline has stages of its own."""
    stage = hubspot.TICKET | {"properties": {"subject": "Hello", "hs_pipeline_stage": "77"}}
    assert _facts(hubspot.SOLVED, stage)[0] == []
    (solved,), _ = _facts(hubspot.SOLVED, stage, hubspot.ADA, closed_ticket_stages=["4", "77"])
    assert solved.ticket_id == "31"  # type: ignore[attr-defined]


def test_a_workflow_sends_properties_flat_or_with_their_values() -> None:
    """Both say who it was; the address says which workflow."""
    flat = {
        "hs_object_id": 501,
        "email": "ada@example.com",
        "points": 7,
        "lastmodifieddate": "1770413254123",
    }
    for reached in (_reached(flat), _reached(hubspot.ENROLLED)):
        assert (reached.workflow, reached.object_id, reached.version) == ("vip", "501", "1770413254123")
        assert reached.customer is not None and (reached.customer.id, reached.customer.email) == ("501", "ada@example.com")
    assert _reached(flat).attributes["points"] == "7"


def test_a_workflow_of_deals_names_no_contact() -> None:
    """A deal's id must not become a customer's."""
    reached = _reached({"hs_object_id": "9001", "dealname": "Fleet"}, query="")
    assert (reached.customer, reached.object_id, reached.workflow) == (None, "9001", "workflow")


def test_an_enrolment_is_known_again_by_what_it_sends() -> None:
    """Told twice it is one; with other values, or another time of change, it is another one."""
    key_of = hubspot.connector.triggers["workflow_reached"].key_of
    body = {"hs_object_id": "501", "email": "ada@example.com", "tier": "Gold"}
    first, again, other = (key_of(_reached(one)) for one in (body, dict(body), body | {"tier": "Silver"}))
    assert first == again != other


def test_a_step_that_does_not_say_whose_it_is_is_unreadable() -> None:
    """It says what to add."""
    with pytest.raises(Unreadable, match="hs_object_id"):
        _reached({"email": "ada@example.com"})


# Pulls


def _pulled(name: str, respond: Any) -> list[Any]:
    connection, play = _connection(), Play(respond)
    return list(hubspot.connector.pulls[name].items(connection, play.client(connection), NOW - timedelta(days=1)))


def test_a_search_goes_on_behind_its_ten_thousandth_result() -> None:
    """There HubSpot ends it: another one begins at the last moment that was seen."""
    asked: list[Any] = []

    def respond(called: Called, before: int) -> Answer:
        asked.append(_sent(called))
        contact = hubspot.ADA | {"id": str(before), "properties": {"lastmodifieddate": f"2026-02-06T10:00:0{before}.000Z"}}
        after = {0: "9800", 1: "10000"}.get(before)
        return answers(200, {"total": 3, "results": [contact], "paging": {"next": {"after": after}} if after else None})

    assert [item.data["objectId"] for item in _pulled("changed_contacts", respond)] == ["0", "1", "2"]
    assert [said.get("after") for said in asked] == [None, "9800", None]
    starts = [said["filterGroups"][0]["filters"][0]["value"] for said in asked]
    assert starts == ["1770327000000", "1770327000000", "1770372001000"]
    assert asked[2]["properties"] == asked[0]["properties"]


def test_ten_thousand_of_one_moment_end_with_an_error() -> None:
    """And not for ever at the same page."""
    contact = hubspot.ADA | {"properties": {"lastmodifieddate": "2026-02-05T21:30:00.000Z"}}
    page = answers(200, {"total": 20_000, "results": [contact], "paging": {"next": {"after": "10000"}}})
    with pytest.raises(CallFailed) as failed:
        _pulled("changed_contacts", lambda called, before: page)
    assert failed.value.verdict == "lasting"


def test_what_mirrors_points_is_never_news() -> None:
    """A property that the hub itself keeps in step makes no contact another one, and no attribute of a member."""
    connection = replace(_connection(contact_properties=["fleet_size", "points"]), mirror={"balance": "points"})
    trigger, keys = hubspot.connector.triggers["contact_changed"], set()
    for points in ("120", "240"):
        contact = hubspot.ADA | {"properties": {"fleet_size": "6", "points": points}}
        (item,) = hubspot.connector.items(_request([hubspot.RENAMED | {"changeSource": "CRM_UI"}]), connection)
        play = Play(one_by_one([answers(200, contact)]))
        (changed,) = trigger.fetch(item, connection, play.client(connection))
        assert changed.attributes == {"fleet_size": "6"}  # type: ignore[attr-defined]
        assert "points" not in play.calls[0].url
        keys.add(trigger.key_of(changed))
    assert len(keys) == 1


# What goes out


@pytest.mark.parametrize("known", ["501", None])
def test_a_contact_is_seen_by_its_id_or_else_by_its_address(known: str | None) -> None:
    """An id that is gone (merged and forgotten) leads to nobody; then the address does."""
    mirror = hubspot.connector.mirroring
    assert mirror is not None
    connection, found = _connection(), hubspot.ADA | {"properties": {"email": "ada@example.com", "points": "7"}}
    replies = [{"results": []}] * bool(known) + [{"results": [found]}]
    play = Play(one_by_one([answers(200, hubspot.COMPLETE | reply) for reply in replies]))
    many = [
        Mirrored(Customer(id=known, email="Ada@Example.com"), {"points": 7}),
        Mirrored(Customer(phone="+14155550123"), {"points": 9}),
    ]
    ada, nobody = mirror.look({Client: play.client(connection, repeat="safe")}, many)
    assert isinstance(ada, Shown) and (ada.id, ada.fields["points"], nobody) == ("501", "7", None)
    assert _sent(play.calls[-1])["idProperty"] == "email"


def test_one_contact_twice_in_a_batch_goes_out_once() -> None:
    """HubSpot lower-cases addresses, and refuses a batch that names a contact twice; the later value counts."""
    kept = hubspot.COMPLETE | {"results": [hubspot.ADA | {"new": False}]}
    many = [
        {"email": "Ada@Example.com", "properties": {"loyalty_points": "1", "tier": "Gold"}},
        {"email": "ada@example.com", "properties": {"loyalty_points": "2"}},
    ]
    results, play = _act("upsert_contact", many, kept)
    assert [result.id for result in results] == ["501", "501"]
    (only,) = _sent(play.calls[0])["inputs"]
    assert only["properties"] == {"email": "ada@example.com", "loyalty_points": "2", "tier": "Gold"}


def test_of_a_batch_that_is_done_in_part_each_has_its_own_result() -> None:
    """A 207 names what was refused."""
    error = {"message": "Property values were not valid", "context": {"ids": ["bob@example.com"]}}
    reply = hubspot.COMPLETE | {"results": [hubspot.ADA | {"new": True}], "errors": [error]}
    many = [{"email": f"{name}@example.com", "properties": {"tier": "Gold"}} for name in ("bob", "ada")]
    (bob, ada), _ = _act("upsert_contact", many, answers(207, reply))
    assert isinstance(bob, CallFailed) and bob.verdict == "lasting" and "not valid" in str(bob)
    assert ada.is_new


def test_a_batch_that_is_refused_goes_out_one_by_one() -> None:
    """One contact that is wrong spoils it for all."""
    many = [{"email": f"{name}@example.com", "properties": {"tier": "Gold"}} for name in ("bob", "ada")]
    refused = answers(400, {"status": "error", "message": "Invalid email", "category": "VALIDATION_ERROR"})
    kept = hubspot.COMPLETE | {"results": [hubspot.ADA | {"new": True}]}
    (bob, ada), play = _act("upsert_contact", many, refused, refused, kept)
    assert isinstance(bob, CallFailed) and "Invalid email" in str(bob)
    assert (ada.id, len(play.calls)) == ("501", 3)


@pytest.mark.parametrize("trouble", [answers(423), answers(477, retry_after="2"), answers(502), answers(521, b"<html>")])
def test_what_passes_is_asked_again(trouble: Answer) -> None:
    """Locked, moving, or an error page from the edge: setting a value twice is setting it once."""
    kept = hubspot.COMPLETE | {"results": [hubspot.ADA]}
    (result,), play = _act("update_contact", [{"contact": "501", "properties": {"a": "1"}}], trouble, kept)
    assert (result.id, len(play.calls)) == ("501", 2)


@pytest.mark.parametrize(
    ("status", "category", "verdict"),
    [
        (403, "MISSING_SCOPES", "reconnect"),
        (403, "OTHER", "lasting"),
        (404, "OBJECT_NOT_FOUND", "lasting"),
        (409, "CONFLICT", "lasting"),
    ],
)
def test_a_refusal_says_why(status: int, category: str, verdict: str) -> None:
    """In HubSpot's words; a scope that is missing is a person's to give."""
    reply = answers(status, {"status": "error", "message": "It cannot be done.", "category": category})
    (failure,), play = _act("update_contact", [{"contact": "501", "properties": {"a": "1"}}], reply)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and "It cannot be done." in str(failure)
    assert len(play.calls) == 1


def test_a_throttled_call_waits() -> None:
    """HubSpot seldom says for how long: a short pause, and then the outbox's turn, ten seconds later."""
    throttled = answers(429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"})
    (failure,), play = _act("update_contact", [{"contact": "501", "properties": {"a": "1"}}], *[throttled] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == "passing"
    assert len(play.calls) == 3 and hubspot.connector.rate is not None
    assert (hubspot.connector.rate.calls, hubspot.connector.rate.seconds) == (100, 10)


@pytest.mark.parametrize("before", [None, "", "0"])
def test_a_number_that_is_not_there_counts_from_zero(before: str | None) -> None:
    """A number property that was emptied is none, and not zero."""
    found = hubspot.ADA | {"properties": {"visits": before}}
    (counted,), play = _act("increment_property", [{"contact": "501", "name": "visits"}], found, hubspot.ADA)
    assert counted.value == 1
    assert _sent(play.calls[1]) == {"properties": {"visits": "1"}}


@pytest.mark.parametrize("lost", [answers(500), requests.ReadTimeout("lost")])
def test_an_addition_whose_answer_was_lost_is_not_made_again(lost: Any) -> None:
    """It may have been made: a person decides."""
    found = hubspot.ADA | {"properties": {"visits": "7"}}
    (failure,), play = _act("increment_property", [{"contact": "501", "name": "visits"}], found, lost)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain"
    assert [called.method for called in play.calls] == ["GET", "PATCH"]


def test_nothing_is_added_to_a_text() -> None:
    """It is said what stands there, and nothing is written."""
    found = hubspot.ADA | {"properties": {"tier": "Gold"}}
    (failure,), play = _act("increment_property", [{"contact": "501", "name": "tier"}], found)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "'Gold'" in str(failure)
    assert len(play.calls) == 1


def test_a_note_says_what_was_written_and_no_html() -> None:
    """What members write must not become a page; it is linked to its contact."""
    _, play = _act("add_note", [{"contact": "501", "text": "<b>Ada</b> & co\nsaid hi"}], answers(201, hubspot.NOTED))
    sent = _sent(play.calls[0])
    assert sent["properties"]["hs_note_body"] == "&lt;b&gt;Ada&lt;/b&gt; &amp; co<br>said hi"
    assert sent["associations"][0]["to"] == {"id": "501"}


def test_lists_are_changed_one_call_each_and_fail_alone() -> None:
    """A contact that HubSpot does not know, and a list that is no static one, keep no other from it."""
    many = [
        {"contact": contact, "list_id": number}
        for contact, number in (("501", "12"), ("9", "12"), ("501", "13"), ("502", "12"))
    ]
    first = {"recordsIdsAdded": ["501"], "recordIdsMissing": ["9"]}
    refused = answers(400, {"message": "List 13 is dynamic"})
    (ada, unknown, dynamic, there), play = _act("add_to_list", many, first, refused)
    assert (ada.changed, there.changed) == (True, False)
    assert isinstance(unknown, CallFailed) and "no contact 9" in str(unknown)
    assert isinstance(dynamic, CallFailed) and "List 13 is dynamic" in str(dynamic)
    assert [_sent(called) for called in play.calls] == [["501", "9", "502"], ["501"]]


def test_the_version_is_a_setting() -> None:
    """HubSpot makes a new one each half year and serves it for eighteen months."""
    connection = _connection(api_version="2027-03")
    play = Play(one_by_one([answers(200, hubspot.COMPLETE | {"results": [hubspot.ADA]})]))
    action = hubspot.connector.actions["update_contact"]
    inputs = action.inputs.model_validate({"contact": "501", "properties": {"a": "1"}})
    action.call({Client: play.client(connection, repeat="safe")}, inputs)
    assert play.calls[0].url == "https://api.hubapi.com/crm/objects/2027-03/contacts/batch/update"
