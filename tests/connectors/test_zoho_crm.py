"""Zoho CRM: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from connectors import zoho_crm
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Mirrored, Settings
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.auth import OAuth2
from hub.sdk.authorization import Authorization
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/zoho_crm"
TOKEN = "b7c1longandrandom"
ADA = {"data": [zoho_crm.ADA]}
NOTHING = Answer(204)


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    values = {"client_id": "1000.X", "client_secret": "shh-7Qd2", "webhook_token": TOKEN, "currency": "USD"}
    read = zoho_crm.connector.settings.read({**values, "records": zoho_crm.RECORDS, **settings})
    return Connection("zoho_crm", zoho_crm.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: Any, token: str = TOKEN, *, form: bool = False) -> Request:
    path = f"/{token}" if token else ""
    kind = {"content-type": "application/x-www-form-urlencoded" if form else "application/json"}
    raw = urlencode(body).encode() if form else json.dumps(body).encode()
    return Request("POST", "/hooks/zoho_crm" + path, "", kind, raw, NOW, URL + path)


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(told: Any, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _play(*replies)
    facts: list[Fact] = []
    for item in zoho_crm.connector.items(told if isinstance(told, Request) else _request(told), connection):
        for trigger in zoho_crm.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(told: Any, *replies: Any, connection: Connection | None = None) -> Any:
    (fact,), _ = _facts(told, *replies, connection=connection)
    return fact


def _pulled(name: str, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _play(*replies)
    return list(zoho_crm.connector.pulls[name].items(connection, play.client(connection), NOW - timedelta(days=1))), play


def _key(name: str, fact: Fact) -> str:
    return zoho_crm.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = zoho_crm.connector.actions[name], _connection(**settings), _play(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _asked(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query)


def _told(module: str, *ids: str, **more: Any) -> dict[str, Any]:
    return zoho_crm.NOTIFIED | {"module": module, "ids": list(ids), "affected_fields": [], **more}


# Proof


@pytest.mark.parametrize("token", ["", "another", TOKEN[:-1], "é"])
def test_the_token_in_the_address_is_the_only_proof(token: str) -> None:
    """Zoho signs nothing; without the token nothing is taken, whatever the body says, and it is not kept."""
    zoho_crm.connector.verify(_request(zoho_crm.NOTIFIED), _connection(), NOW)
    with pytest.raises(Refused):
        zoho_crm.connector.verify(_request(zoho_crm.NOTIFIED | {"token": TOKEN}, token), _connection(), NOW)
    kept = zoho_crm.connector.strip(_request(zoho_crm.NOTIFIED))
    assert TOKEN not in repr(kept) and kept.path == "/hooks/zoho_crm"


# What comes in


def test_one_notice_tells_of_many_records_and_one_that_is_none_spoils_no_other() -> None:
    """Only their numbers are taken from it."""
    told = _told("Contacts", "501", "${Contacts.Contact Id}", "502")
    first, wrong, second = zoho_crm.connector.items(_request(told), _connection())
    assert (first.data["id"], second.data["id"], first.problem) == ("501", "502", "")
    assert "${Contacts.Contact Id}" in wrong.problem
    assert first.at == datetime(2026, 2, 6, 21, 27, 34, 123000, tzinfo=UTC)


def test_numbers_of_64_bits_stay_what_they_are() -> None:
    """A function may send them as numbers, in a list or alone, a webhook as a form."""
    number = "5437000000456789123"
    for told in (
        _request({"module": "Deals", "ids": [int(number)]}),
        _request({"module": "Deals", "ids": int(number)}),
        _request({"module": "Deals", "ids": f"{number}, 7"}, form=True),
    ):
        item, *_ = zoho_crm.connector.items(told, _connection())
        assert (item.kind, item.data["id"]) == ("deal", number)


def test_what_was_changed_in_other_fields_alone_is_not_even_fetched() -> None:
    """The hub's own points come back in every notice; where it is not told what was changed, the record is looked at."""
    connection = _connection(mirror={"balance": "Loyalty_Points"})
    for fields in (["Loyalty_Points"], ["Loyalty_Points", "Description"]):
        facts, play = _facts(_told("Contacts", "501", affected_fields=[{"501": fields}]), connection=connection)
        assert (facts, play.calls) == ([], [])
    for told in ([], [{"502": ["Description"]}], [{"501": ["Description", "Email"]}]):
        assert len(_facts(_told("Contacts", "501", affected_fields=told), ADA, connection=connection)[0]) == 1


def test_a_contact_is_changed_only_when_what_is_read_of_it_is_new() -> None:
    """By whatever way it is found out, at whatever time; fields that the hub writes are no news, though they are named."""
    contacts = {"Contacts": {"means": "customer", "attributes": {"fleet": "Fleet_Size", "points": "Loyalty_Points"}}}
    connection = _connection(mirror={"balance": "Loyalty_Points"}, records=contacts)
    row = zoho_crm.ADA | {"Fleet_Size": 6, "Loyalty_Points": 10}
    later = row | {"Modified_Time": "2026-02-07T08:00:00+00:00", "Loyalty_Points": 20}
    told = _told("Contacts", "501")
    first, again, moved = (
        _one(told, {"data": [one]}, connection=connection) for one in (row, later, later | {"Email": "ada@new.example"})
    )
    assert _key("contact_changed", first) == _key("contact_changed", again) != _key("contact_changed", moved)
    assert first.attributes == {"fleet": "6"}
    (item,), _ = _pulled("contacts_since", {"data": [later], "info": zoho_crm.LAST}, connection=connection)
    (found,) = zoho_crm.connector.triggers["contact_changed"].fetch(item, connection, _play().client(connection))
    assert _key("contact_changed", found) == _key("contact_changed", first)


def test_what_the_hubs_own_user_makes_is_no_news() -> None:
    """A contact that the hub has made does not come back as a new one.

    What others change in it does, though the hub may have written to it since: by then it stands as who changed it last.
    """
    connection, hub = _connection(user_id="100009"), {"id": "100009", "name": "Hub"}
    made = zoho_crm.ADA | {"Created_By": hub, "Modified_By": hub, "Modified_Time": zoho_crm.TIMES["Created_Time"]}
    told = _told("Contacts", "501", operation="insert")
    assert _facts(told, {"data": [made]}, connection=connection)[0] == []
    assert len(_facts(told, {"data": [made]})[0]) == 1
    changed = made | {"Email": "ada@new.example", "Modified_Time": "2026-02-07T08:00:00+00:00"}
    assert len(_facts(told, {"data": [changed]}, connection=connection)[0]) == 1


def test_a_new_contact_is_told_as_new() -> None:
    """It was never changed since it was made."""
    row = zoho_crm.ADA | {"Modified_Time": zoho_crm.TIMES["Created_Time"]}
    assert _one(_told("Contacts", "501", operation="insert"), {"data": [row]}).created
    assert not _one(_told("Contacts", "501"), ADA).created


def test_a_mobile_number_comes_before_a_switchboard() -> None:
    """All contacts of a company may share its Phone; who wants no mail has said no."""
    bare = zoho_crm.ADA | {"Mobile": None, "Email": None, "Secondary_Email": "ada@home.example", "Email_Opt_Out": True}
    told = _told("Contacts", "501")
    assert _one(told, ADA).customer.phone == "+14155550123"
    customer = _one(told, {"data": [bare]}).customer
    assert (customer.phone, customer.email, customer.consents) == ("+14155550100", "ada@home.example", {"email": False})


def test_a_record_that_is_gone_by_then_is_no_fact() -> None:
    """Zoho answers with 204 and nothing at all; a contact that is gone leaves its number."""
    assert _facts(_told("Deals", "9001"), NOTHING)[0] == []
    won = _one(_told("Deals", "9001"), {"data": [zoho_crm.DEAL]}, NOTHING)
    assert (won.customer.id, won.customer.email) == ("501", None)


@pytest.mark.parametrize("stage", ["Negotiation", "Closed Lost", "", None])
def test_a_deal_that_is_not_won_is_no_fact(stage: str | None) -> None:
    """What counts is how it is when it is looked at; its contact is not even asked for."""
    facts, play = _facts(_told("Deals", "9001"), {"data": [zoho_crm.DEAL | {"Stage": stage}]})
    assert (facts, len(play.calls)) == ([], 1)


def test_a_deal_is_won_once_and_its_stages_are_the_organisations_own() -> None:
    """A later amount is the same deal; amounts are exact."""
    connection = _connection(records={"Deals": {"means": "deal", "where": {"Stage": ["Gewonnen", "Closed Won"]}}})
    row = zoho_crm.DEAL | {"Stage": "Gewonnen"}
    first = _one(_told("Deals", "9001"), {"data": [row]}, ADA, connection=connection)
    raw = json.dumps({"data": [row]}).replace("1250.5", "1250.10").encode()
    second = _one(_told("Deals", "9001", operation="insert"), answers(200, raw), ADA, connection=connection)
    assert (first.amount, str(second.amount)) == (Decimal("1250.5"), "1250.10")
    assert _key("deal_won", first) == _key("deal_won", second)


def test_a_deal_without_contact_or_amount_is_told_with_what_there_is() -> None:
    """A person adjusts the rest."""
    won = _one(_told("Deals", "9001"), {"data": [zoho_crm.DEAL | {"Contact_Name": None, "Amount": None}]})
    assert (won.customer, won.amount, won.currency) == (None, None, None)
    assert won.occurred_at == datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC)


def test_a_deal_was_won_on_its_closing_date_unless_that_lies_ahead() -> None:
    """A date that was planned and never mended is none on which anything happened."""
    for day, month in (("2026-01-31", 1), ("2026-12-24", 2)):
        assert _one(_told("Deals", "9001"), {"data": [zoho_crm.DEAL | {"Closing_Date": day}]}, ADA).occurred_at.month == month


def test_an_organisation_of_several_currencies_names_them() -> None:
    """Without either nothing is guessed, and it is said what to write."""
    connection = _connection(currency=None)
    euros = {"data": [zoho_crm.DEAL | {"Currency": "EUR"}]}
    assert _one(_told("Deals", "9001"), euros, ADA, connection=connection).currency == "EUR"
    with pytest.raises(Unreadable, match="Write `currency`"):
        _facts(_told("Deals", "9001"), {"data": [zoho_crm.DEAL]}, ADA, connection=connection)


def test_an_invoice_earns_what_the_goods_cost() -> None:
    """After the discount, without tax; it is known by its number to the refund that takes it back."""
    sale = _one(_told("Invoices", "801"), {"data": [zoho_crm.INVOICE]}, ADA)
    assert (sale.amount, sale.discount, sale.tax, sale.total) == (Decimal(100), Decimal(10), Decimal("9.5"), Decimal("109.5"))
    named = {(one.kind, one.id) for one in sale.references}
    assert named == {("invoice", "801"), ("order", "810")}
    refund = _one(_told("Credit_Memos", "851"), {"data": [zoho_crm.MEMO]}, ADA)
    assert ("invoice", "801") in {(one.kind, one.id) for one in refund.references}


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("Scheduled", None, ("booked", "")),
        ("Completed", "By Customer", ("completed", "")),
        ("Cancelled", "By Customer", ("cancelled", "customer")),
        ("Cancelled", "By Team", ("cancelled", "business")),
        ("Cancelled", None, ("cancelled", "")),
    ],
)
def test_an_appointment_says_what_became_of_it(status: str, reason: str | None, told: tuple[str, str]) -> None:
    """At a new time it is the same booking."""
    row = zoho_crm.BOOKED | {"Status": status, "Cancellation_Reason": reason}
    booking = _one(_told("Appointments__s", "701"), {"data": [row]}, ADA)
    assert (booking.status, booking.cancelled_by) == told
    moved = _one(_told("Appointments__s", "701"), {"data": [row | {"Appointment_Start_Time": "2026-03-01T10:00:00Z"}]}, ADA)
    assert _key("booking_changed", booking) == _key("booking_changed", moved)


def test_an_appointment_that_is_overdue_is_no_fact() -> None:
    """Nobody has said yet what became of it."""
    assert _facts(_told("Appointments__s", "701"), {"data": [zoho_crm.BOOKED | {"Status": "Overdue"}]})[0] == []


def test_an_appointment_may_be_a_leads() -> None:
    """The field says of which module its record is."""
    for module in ("Leads", {"api_name": "Leads", "id": "9"}):
        row = zoho_crm.BOOKED | {"Appointment_For": {"id": "77", "name": "Bo", "module": module}}
        facts, play = _facts(_told("Appointments__s", "701"), {"data": [row]}, {"data": [zoho_crm.ADA | {"id": "77"}]})
        assert str(play.calls[1]) == "GET /crm/v8/Leads/77"
        assert (facts[0].customer.id, facts[0].customer.email) == ("77", "ada@example.com")


def test_a_workflow_is_known_again_by_what_it_sends() -> None:
    """Told twice it is one, though the record was changed meanwhile; at another time it is another one."""
    later = {"data": [zoho_crm.ADA | {"Modified_Time": "2026-02-07T08:00:00+00:00"}]}
    first, again = _one(zoho_crm.REACHED, ADA), _one(zoho_crm.REACHED, later)
    other = _one(zoho_crm.REACHED | {"version": "2026-02-08T00:00:00+00:00"}, ADA)
    assert _key("workflow_reached", first) == _key("workflow_reached", again) != _key("workflow_reached", other)
    assert (first.attributes["Last_Name"], first.attributes["Modified_By"]) == ("Ng", "Sam")


def test_a_workflow_may_send_any_record_with_its_contact() -> None:
    """A module that nobody has named is read as it is."""
    row = {"data": [zoho_crm.TIMES | {"id": "7", "Rating": 5, "Contact_Name": {"id": "501", "name": "Ada Ng"}}]}
    reached = _one(zoho_crm.REACHED | {"module": "Surveys", "ids": "7"}, row, ADA)
    assert (reached.module, reached.object_id, reached.customer.email) == ("Surveys", "7", "ada@example.com")
    assert reached.attributes["Rating"] == "5"


@pytest.mark.parametrize("told", [{"ids": ["1"]}, {"module": "Deals"}, {"module": "../org", "ids": ["1"]}, [1], "text"])
def test_a_notice_that_names_no_record_says_what_is_missing(told: Any) -> None:
    """And it leads to no other address."""
    with pytest.raises(Unreadable):
        zoho_crm.connector.items(_request(told), _connection())


# Asking


def test_asking_names_the_fields_and_turns_pages_by_token() -> None:
    """Lists want their fields named and pages past 2,000 records want a token; what the hub writes is not asked for."""
    connection = _connection(mirror={"balance": "Loyalty_Points"}, currency=None)
    info = zoho_crm.LAST | {"more_records": True, "next_page_token": "t-2"}
    items, play = _pulled(
        "deals_since", {"data": [zoho_crm.DEAL], "info": info}, {"data": [], "info": zoho_crm.LAST}, connection=connection
    )
    assert [item.data["id"] for item in items] == ["9001"]
    fields = _asked(play.calls[0])["fields"][0].split(",")
    assert {"Stage", "Amount", "Currency", "Contact_Name", "Modified_Time"} <= set(fields) and len(fields) == len(set(fields))
    assert _asked(play.calls[1])["page_token"] == ["t-2"]
    assert play.calls[0].headers["if-modified-since"] == "2026-02-05T21:30:00+00:00"


@pytest.mark.parametrize("nothing", [Answer(304), NOTHING])
def test_nothing_new_is_no_failure(nothing: Answer) -> None:
    """Zoho says so with a 304, or with a 204 and no body."""
    for pull in ("deals_since", "contacts_since", "appointments_since", "deletions_since"):
        assert _pulled(pull, nothing)[0] == []


def test_only_modules_that_are_named_are_asked_for() -> None:
    """Those that an edition does not have would be refused."""
    connection = _connection(records={"Contacts": {"means": "customer"}}, appointments=False)
    for pull in ("deals_since", "sales_since", "jobs_since", "appointments_since"):
        items, play = _pulled(pull, connection=connection)
        assert (items, play.calls) == ([], [])


# The channel


def test_a_channel_is_opened_for_most_of_a_week_and_renewed_every_day() -> None:
    """Its number is ours: the same when it is renewed, below 2^53, and no other hub's."""
    connection, play = _connection(), _play(*[answers(201, {"watch": [zoho_crm.DONE]})] * 2)
    for _ in range(2):
        tell_address(connection, play.client(connection))
    first, second = (_sent(called)["watch"][0] for called in play.calls)
    assert first == second and first["channel_id"] < 2**53
    assert first["notify_url"] == f"{URL}/{TOKEN}" and first["notify_on_related_action"] is False
    ends = datetime.fromisoformat(first["channel_expiry"]) - NOW
    assert timedelta(days=5) < ends < timedelta(days=7)
    assert set(first["events"]) == {f"{module}.all" for module in (*zoho_crm.RECORDS, "Appointments__s")}
    task = zoho_crm.connector.subscription
    assert task is not None and str(task.every) == "1 day"
    other = Connection("other", zoho_crm.connector, connection.settings, webhook_url="https://points.example.com/hooks/other")
    assert zoho_crm._channel(other) != first["channel_id"]


def test_a_channel_that_is_refused_is_an_error_though_zoho_says_202() -> None:
    """So that nobody waits for what will never come; without a token none is opened."""
    refused = {"code": "INVALID_DATA", "status": "error", "message": "invalid module", "details": {"api_name": "events"}}
    play = _play(answers(202, {"watch": [refused]}))
    with pytest.raises(CallFailed, match=r"invalid module \(INVALID_DATA, events\)"):
        tell_address(_connection(), play.client(_connection()))
    for token in (None, "short", "long enough but no part of an address"):
        with pytest.raises(CallFailed, match="webhook_token"):
            tell_address(_connection(webhook_token=token), _play().client(_connection()))


def test_a_channel_is_closed_by_its_number() -> None:
    """The same one."""
    connection, play = _connection(), _play({"watch": [zoho_crm.DONE]})
    take_address_back(connection, play.client(connection))
    assert play.calls[0].method == "DELETE" and _asked(play.calls[0])["channel_ids"] == [str(zoho_crm._channel(connection))]


# Access


def test_a_person_agrees_at_the_server_of_their_data_centre() -> None:
    """Away from keyboard, or no refresh token would come; other servers are not called with the secret."""
    connection = _connection(accounts_server="https://accounts.zoho.eu")
    assert isinstance(connection.auth, OAuth2)
    url = connection.auth.authorize_url(connection, Authorization("https://points.example.com/back"))
    assert url.startswith("https://accounts.zoho.eu/oauth/v2/auth?") and "access_type=offline" in url
    with pytest.raises(ValueError, match="accounts_server"):
        _connection(accounts_server="https://accounts.zoho.example")


def test_a_token_that_is_refused_with_200_is_none() -> None:
    """And each account has an address of its own for calls."""
    connection = _connection(accounts_server="https://accounts.zoho.eu")
    assert isinstance(connection.auth, OAuth2)
    asked = Authorization("https://points.example.com/back")
    with pytest.raises(CallFailed, match="invalid_code"):
        connection.auth.exchange(connection, "c0de", asked, NOW, lambda *_: {"error": "invalid_code"})
    told = {"access_token": "a", "refresh_token": "r", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600}
    token = connection.auth.exchange(connection, "c0de", asked, NOW, lambda *_: told)
    assert token.base_url == "https://www.zohoapis.eu"
    assert connection.auth.bearer(token) == {"Authorization": "Zoho-oauthtoken a"}


# What goes out


def test_of_a_batch_each_record_has_its_own_result() -> None:
    """Whatever the status of the whole: a 200 may hold nothing but refusals."""
    many = [{"email": f"{name}@example.com", "last_name": name} for name in ("ada", "bo", "cy")]
    locked = {"code": "RECORD_LOCKED", "status": "error", "message": "locked", "details": {}}
    for status in (200, 201, 202, 207):
        reply = answers(status, {"data": [zoho_crm.DONE | {"action": "update"}, zoho_crm.NO_NAME, locked]})
        (ada, bo, cy), play = _act("upsert_contact", many, reply)
        assert (ada.id, ada.is_new) == ("501", False)
        assert bo.verdict == "lasting" and "Last_Name" in str(bo) and "MANDATORY_NOT_FOUND" in str(bo)
        assert cy.verdict == "passing" and len(play.calls) == 1


def test_an_answer_for_fewer_records_than_were_sent_is_no_success() -> None:
    """Nobody knows which one is missing."""
    many = [{"record": number, "numbers": {"Loyalty_Points": 1}} for number in ("501", "502")]
    results, _ = _act("update_record", many, {"data": [zoho_crm.DONE]})
    assert all(isinstance(result, CallFailed) and result.verdict == "uncertain" for result in results)


def test_numbers_go_as_numbers_and_an_empty_text_clears() -> None:
    """Zoho refuses a number in quotes; money keeps its digits."""
    change = {"record": "501", "fields": {"Loyalty_Tier": ""}, "numbers": {"Loyalty_Points": 120, "Spent": "1250.10"}}
    _, play = _act("update_record", [change], {"data": [zoho_crm.DONE]})
    assert b'"Loyalty_Tier":null' in play.calls[0].body and b'"Spent":1250.10' in play.calls[0].body
    assert b'"Loyalty_Points":120' in play.calls[0].body


def test_records_of_one_module_go_out_together_and_one_record_once() -> None:
    """The later value counts."""
    many: list[Mapping[str, Any]] = [
        {"record": "501", "numbers": {"Loyalty_Points": 1}, "fields": {"Loyalty_Tier": "Gold"}},
        {"record": "9001", "module": "Deals", "numbers": {"Loyalty_Points": 5}},
        {"record": "501", "numbers": {"Loyalty_Points": 2}},
    ]
    results, play = _act("update_record", many, {"data": [zoho_crm.DONE]}, {"data": [zoho_crm.NO_NAME]})
    assert [str(called) for called in play.calls] == ["PUT /crm/v8/Contacts", "PUT /crm/v8/Deals"]
    assert _sent(play.calls[0])["data"] == [{"id": "501", "Loyalty_Points": 2, "Loyalty_Tier": "Gold"}]
    assert results[0].id == results[2].id == "501" and isinstance(results[1], CallFailed)


@pytest.mark.parametrize(("runs", "trigger"), [(False, []), (True, None)])
def test_workflow_rules_run_only_where_the_connection_says_so(runs: bool, trigger: list[str] | None) -> None:
    """An empty list keeps them still; left out, all of them run."""
    _, play = _act("update_record", [zoho_crm.POINTS], {"data": [zoho_crm.DONE]}, run_workflows=runs)
    assert _sent(play.calls[0]).get("trigger") == trigger


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (answers(200, {"data": [zoho_crm.NO_NAME]}), "lasting"),
        (answers(202, {"code": "INVALID_MODULE", "status": "error", "message": "no such module", "details": {}}), "lasting"),
        (answers(400, {"data": [zoho_crm.NO_NAME]}), "lasting"),
        (answers(200, {"data": [{"code": "RECORD_LOCKED", "status": "error", "message": "m", "details": {}}]}), "passing"),
        (answers(200, {"data": [{"code": "INTERNAL_ERROR", "status": "error", "message": "m", "details": {}}]}), "uncertain"),
        (answers(401, {"code": "INVALID_TOKEN", "status": "error", "message": "m", "details": {}}), "reconnect"),
        (answers(403, {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}), "lasting"),
        (answers(401, {"code": "OAUTH_SCOPE_MISMATCH", "status": "error", "message": "m", "details": {}}), "reconnect"),
        (answers(429, {"code": "TOO_MANY_REQUESTS", "status": "error", "message": "m", "details": {}}), "passing"),
        (answers(500, {"code": "INTERNAL_ERROR", "status": "error", "message": "m", "details": {}}), "uncertain"),
        (answers(502, b"<html>"), "uncertain"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str) -> None:
    """By the status of the record and by that of the call; a note that may have been written is not written again."""
    (failure,), _ = _act("add_note", [zoho_crm.NOTE], *[reply] * 4)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
@pytest.mark.parametrize(("name", "inputs"), [("add_note", zoho_crm.NOTE), ("call_function", zoho_crm.RUN)])
def test_what_zoho_would_do_twice_is_not_sent_twice(name: str, inputs: Mapping[str, Any], lost: Any) -> None:
    """Zoho takes no keys."""
    (failure,), play = _act(name, [inputs], lost, {"data": [zoho_crm.NOTED]})
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1


def test_a_function_is_called_by_key_or_by_oauth() -> None:
    """The key shows in no error, though Zoho repeats it."""
    done = {"code": "success", "details": {"output": "V-7"}, "message": "function executed successfully"}
    _, play = _act("call_function", [zoho_crm.RUN], done)
    assert _asked(play.calls[0]) == {"auth_type": ["oauth"]}
    failed = {"code": "error", "message": "line 7 of zapikey-7Qd2"}
    (failure,), play = _act("call_function", [zoho_crm.RUN], failed, function_key="zapikey-7Qd2")
    assert _asked(play.calls[0]) == {"auth_type": ["apikey"], "zapikey": ["zapikey-7Qd2"]}
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "line 7" in str(failure)
    assert "zapikey-7Qd2" not in str(failure)


def test_a_function_may_write_an_answer_of_its_own() -> None:
    """It is given as it is, but for the key with which it was called."""
    (returned,), _ = _act("call_function", [zoho_crm.RUN], {"voucher": "V-7"})
    assert json.loads(returned.output) == {"voucher": "V-7"}
    (returned,), _ = _act("call_function", [zoho_crm.RUN], {"heard": "zapikey-7Qd2"}, function_key="zapikey-7Qd2")
    assert json.loads(returned.output) == {"heard": "***"}


def test_the_version_is_a_setting() -> None:
    """Zoho serves several."""
    _, play = _act("add_tag", [zoho_crm.TAG], zoho_crm.TAGGED, api_version="v9")
    assert str(play.calls[0]) == "POST /crm/v9/Contacts/501/actions/add_tags"


# The mirror


def _shown(many: list[Customer], *rows: Mapping[str, Any]) -> tuple[list[Any], Play]:
    connection, play = _connection(), _play({"data": list(rows)} if rows else NOTHING)
    mirror = zoho_crm.connector.mirroring
    assert mirror is not None
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    return mirror.look(handed, [Mirrored(one, {"Loyalty_Points": 7}) for one in many]), play


def test_contacts_are_looked_at_together_by_number_or_address() -> None:
    """Of several contacts with one address the oldest is taken; a quote in an address ends no text."""
    many = [Customer(id="501"), Customer(email="O'Hara@example.com"), Customer(email="cy@example.com"), Customer(phone="+1")]
    rows = [
        {"id": "509", "Email": "o'hara@example.com", "Loyalty_Points": 1},
        {"id": "502", "Email": "O'Hara@example.com", "Loyalty_Points": 2},
        {"id": "501", "Email": None, "Loyalty_Points": None},
    ]
    (ada, ohara, cy, nobody), play = _shown(many, *rows)
    assert (ada.id, ada.fields) == ("501", {"Loyalty_Points": None})
    assert (ohara.id, ohara.fields) == ("502", {"Loyalty_Points": 2})
    assert (cy, nobody) == (None, None)
    where = "where (id in ('501')) or (Email in ('o\\'hara@example.com', 'cy@example.com'))"
    assert where in _sent(play.calls[0])["select_query"]


def test_nobody_known_is_nobody_asked_for() -> None:
    """And none found is answered with nothing at all."""
    assert _shown([Customer(phone="+14155550123")])[1].calls == []
    assert _shown([Customer(id="501")])[0] == [None]


def test_a_field_that_is_none_is_not_put_into_a_query() -> None:
    """It is said which one."""
    mirror, connection = zoho_crm.connector.mirroring, _connection()
    assert mirror is not None
    with pytest.raises(CallFailed, match="Loyalty Points"):
        mirror.look({Client: _play().client(connection)}, [Mirrored(Customer(id="501"), {"Loyalty Points": 7})])
