"""Salesforce: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import salesforce
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Customer, Fact, Mirrored, Settings
from hub.sdk.play import Called, Play, PlayedTokens, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/salesforce"
TOKEN = "b7c1-long-and-random"
ACCESS = {"domain": "acme.my.salesforce.com", "client_id": "3MVG9", "client_secret": "shh-7Qd2", "webhook_token": TOKEN}
PLAIN = {"account_id": salesforce.ORG, "records": salesforce.RECORDS, "currency": "USD", "loyalty": salesforce.PROGRAM}


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    read = salesforce.connector.settings.read({**ACCESS, **PLAIN, **settings})
    return Connection("salesforce", salesforce.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: Any, token: str | None = None, **headers: str) -> Request:
    path = "/hooks/salesforce" + (f"/{token}" if token else "")
    is_xml = isinstance(body, bytes)
    named = {"content-type": "text/xml; charset=utf-8" if is_xml else "application/json", **headers}
    return Request("POST", path, "", named, body if is_xml else json.dumps(body).encode(), NOW, URL + path[17:])


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(body: Any, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _play(*replies)
    facts: list[Fact] = []
    for item in salesforce.connector.items(_request(body), connection):
        for trigger in salesforce.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _told(name: str, row: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"object": name, "record": dict(row), **more}


def _key(name: str, fact: Fact) -> str:
    return salesforce.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = salesforce.connector.actions[name], _connection(**settings), _play(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1"), datetime: NOW}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _soql(called: Called) -> str:
    return parse_qs(urlsplit(called.url).query)["q"][0]


def _rows(*rows: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"totalSize": len(rows), "done": True, "records": list(rows), **more}


# Proof


def test_the_token_stands_in_a_header_or_at_the_end_of_the_address() -> None:
    """A Flow can send headers, an outbound message cannot; what is kept shows neither."""
    connection, deal = _connection(), salesforce.WON
    for request in (_request(_told("Opportunity", deal), **{"x-hub-token": TOKEN}), _request(b"<a/>", TOKEN)):
        salesforce.connector.verify(request, connection, NOW)
        kept = salesforce.connector.strip(request)
        assert TOKEN not in repr(kept) and kept.path == "/hooks/salesforce"


@pytest.mark.parametrize(("token", "headers"), [(None, {}), ("other", {}), (None, {"x-hub-token": "other"})])
def test_without_the_token_nothing_is_taken(token: str | None, headers: dict[str, str]) -> None:
    """Salesforce signs nothing."""
    with pytest.raises(Refused):
        salesforce.connector.verify(_request(b"<a/>", token, **headers), _connection(), NOW)


def test_an_outbound_message_wants_its_ack() -> None:
    """Whatever is in it: without one all of it is sent again; a Flow wants JSON."""
    answer = salesforce.connector.answer(_request(b"<torn"), _connection())
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert b"<Ack>true</Ack>" in answer.body and b"http://soap.sforce.com/2005/09/outbound" in answer.body
    told = salesforce.connector.answer(_request({}), _connection())
    assert told.status == 200 and json.loads(told.body) == {"kept": True}


# What comes in


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (b"<a><Body/></a>", "no `notifications`"),
        (b"<torn", "not XML"),
    ],
)
def test_a_document_that_is_no_outbound_message_is_explained(document: bytes, why: str) -> None:
    """Nothing outside of it is looked at."""
    with pytest.raises(Unreadable, match=why):
        _facts(document)


def test_an_outbound_message_tells_of_many_records_and_one_that_is_torn_spoils_no_other() -> None:
    """Fields are found by their local names; what is empty is left out or nil."""
    deal = {name: str(salesforce.WON[name]).lower() for name in ("IsWon", "Amount")} | {"Id": salesforce.DEAL}
    one = salesforce._soap("Opportunity", deal).decode()
    start, end = one.index("<Notification>"), one.index("</notifications>")
    bare = "<Notification><Id>04l5g00000XyZabAAG</Id></Notification>"
    nil = one[start:end].replace("<sf:Amount>1250.5</sf:Amount>", '<sf:Amount xsi:nil="true"/>')
    told = (one[:end] + bare + nil + one[end:]).encode()
    first, torn, second = salesforce.connector.items(_request(told), _connection())
    assert first.data["record"] == {"Id": salesforce.DEAL, "IsWon": "true", "Amount": "1250.5"}
    assert "object" in torn.problem and "Amount" not in second.data["record"]
    assert (first.kind, first.id, first.account) == ("deal", "04l5g00000XyZabAAF", salesforce.ORG)


def test_a_record_of_another_organisation_is_left_out() -> None:
    """A sandbox has another id; ids of 15 letters mind case, and are compared in their long form."""
    for ours in (salesforce.ORG, salesforce.ORG[:15]):
        connection = _connection(account_id=ours)
        for org, heard in (
            (salesforce.ORG, True),
            (salesforce.ORG[:15], True),
            ("00D5g000008ABCDEAA", False),
            (None, True),
        ):
            (item,) = salesforce.connector.items(_request(_told("Contact", {}, org_id=org)), connection)
            assert salesforce.connector.is_ours(item, connection) is heard


def test_a_message_that_comes_again_and_a_query_tell_the_same_fact() -> None:
    """By the record's id, whether it has 15 letters or 18; the notification's id is another each time."""
    soap = salesforce._soap("Opportunity", {"Id": salesforce.DEAL[:15]})
    (told,), _ = _facts(soap, _rows(salesforce.WON))
    (again,), _ = _facts(soap.replace(b"XyZabAAF", b"XyZabAAG"), _rows(salesforce.WON | {"Amount": 1300}))
    connection, play = _connection(), _play(_rows(salesforce.WON))
    (item,) = salesforce.connector.pulls["deals_since"].items(connection, play.client(connection), NOW)
    (asked,) = salesforce.connector.triggers["deal_won"].fetch(item, connection, play.client(connection))
    assert _key("deal_won", told) == _key("deal_won", again) == _key("deal_won", asked) == salesforce.DEAL
    assert (told.amount, told.currency, told.customer.email) == (Decimal("1250.5"), "USD", "ada@example.com")


def test_what_is_left_out_is_asked_for_in_one_query() -> None:
    """With fields of related records, which an outbound message cannot have; nothing is asked for where all is there."""
    facts, play = _facts(_told("Opportunity", {"Id": salesforce.DEAL, "IsWon": True}), _rows(salesforce.WON))
    assert len(facts) == 1 and len(play.calls) == 1 and "Contact.Email" in _soql(play.calls[0])
    facts, play = _facts(_told("Opportunity", salesforce.WON))
    assert len(facts) == 1 and not play.calls


def test_nothing_is_asked_for_where_the_connection_says_so() -> None:
    """Then what was told has to do."""
    connection = _connection(fetch_missing=False)
    (won,), play = _facts(_told("Opportunity", {"Id": salesforce.DEAL, "IsWon": True, "Amount": "5"}), connection=connection)
    assert won.amount == Decimal(5) and not play.calls


@pytest.mark.parametrize("row", [{"IsWon": False}, {"IsWon": "false"}, {"IsWon": None}])
def test_a_deal_that_is_not_won_is_no_fact(row: dict[str, Any]) -> None:
    """Messages come in any order; what it was when it was sent counts, or what it is when it is asked for."""
    assert _facts(_told("Opportunity", salesforce.WON | row))[0] == []
    assert _facts(_told("Opportunity", {"Id": salesforce.DEAL}), _rows(salesforce.WON | row))[0] == []


def test_a_record_that_is_gone_is_no_fact() -> None:
    """The query finds nothing, and what was told is not enough."""
    assert _facts(_told("Opportunity", {"Id": salesforce.DEAL}), _rows())[0] == []


@pytest.mark.parametrize("number", [None, "", "42", "' OR Name LIKE '%", "0065g00000AbCd-AAV"])
def test_an_id_that_is_none_is_not_asked_for(number: Any) -> None:
    """It would stand in a query."""
    with pytest.raises(Unreadable, match=r"record\.Id"):
        _facts(_told("Opportunity", {"Id": number}))


def test_a_name_that_is_no_object_is_not_asked_for() -> None:
    """It would stand in a query, too."""
    (item,) = salesforce.connector.items(_request(_told("Opportunity WHERE Id != null", {})), _connection())
    assert "object" in item.problem


def test_a_won_deal_may_mean_a_sale() -> None:
    """What the connection says is laid over what is known of the object."""
    connection = _connection(records={"Opportunity": {"means": "sale", "where": {"StageName": ["Paid", "Closed Won"]}}})
    (sale,), _ = _facts(_told("Opportunity", salesforce.WON | {"StageName": "Paid"}), connection=connection)
    assert (sale.fact, sale.amount, sale.record_id) == ("sale", Decimal("1250.5"), salesforce.DEAL)
    assert _facts(_told("Opportunity", salesforce.WON | {"StageName": "Lost"}), connection=connection)[0] == []


def test_a_refund_names_the_sale_and_a_sale_its_job() -> None:
    """By the records' ids."""
    (sale,), _ = _facts(_told("Repair_Invoice__c", salesforce.PAID | salesforce.SEEN))
    (refund,), _ = _facts(_told("Credit_Note__c", salesforce.CREDIT))
    assert ("job", salesforce.JOB) in [(one.kind, one.id) for one in sale.references]
    assert ("invoice", salesforce.INVOICE) in {(one.kind, one.id) for one in sale.references} & {
        (one.kind, one.id) for one in refund.references
    }


def test_the_currency_is_asked_for_only_where_there_are_several() -> None:
    """Elsewhere there is no such field; one that is missed is explained."""
    row = salesforce.WON | {"CurrencyIsoCode": "EUR"}
    several = _connection(currency=None)
    (won,), play = _facts(_told("Opportunity", salesforce.WON), _rows(row), connection=several)
    assert won.currency == "EUR" and "CurrencyIsoCode" in _soql(play.calls[0])
    refused = [{"message": "No such column 'CurrencyIsoCode' on entity 'Opportunity'.", "errorCode": "INVALID_FIELD"}]
    with pytest.raises(CallFailed, match="`currency` into the connection"):
        _facts(_told("Opportunity", salesforce.WON), answers(400, refused), connection=several)


def test_a_business_buys_where_no_person_is_named() -> None:
    """The primary contact of a deal is often empty."""
    (won,), _ = _facts(_told("Opportunity", salesforce.WON | {"ContactId": None, "Contact": None}))
    assert (won.customer.id, won.customer.email) == (salesforce.ACME, None)


def test_a_person_account_is_a_person() -> None:
    """Its addresses are fields of the account."""
    means = {"means": "customer", "email": "PersonEmail", "phone": "PersonMobilePhone", "first_name": "FirstName"}
    connection = _connection(records={"Account": means})
    row = {"Id": salesforce.ACME, "PersonEmail": "ada@example.com", "PersonMobilePhone": "+14155550123", "FirstName": "Ada"}
    (changed,), play = _facts(_told("Account", row | {"Name": "Ada Ng"}), connection=connection)
    assert (changed.customer.id, changed.customer.email, changed.customer.first_name) == (
        salesforce.ACME,
        "ada@example.com",
        "Ada",
    )
    assert not play.calls


def test_a_contact_is_new_or_has_changed() -> None:
    """Both times are the same on the first day; points that the hub writes are not read."""
    row = {"Id": salesforce.ADA, **salesforce.WHO, "HasOptedOutOfEmail": False, "CreatedDate": salesforce.AT}
    connection = _connection(
        {"balance": "Points__c"}, records={"Contact": {"means": "customer", "attributes": {"p": "Points__c"}}}
    )

    def state(**more: Any) -> Any:
        facts, _ = _facts(
            _told("Contact", {**row, "Points__c": 1, "LastModifiedDate": salesforce.AT, **more}), connection=connection
        )
        return facts[0]

    assert state().created and not state(LastModifiedDate="2026-02-07T00:00:00Z").created
    assert _key("contact_changed", state()) == _key("contact_changed", state(Points__c=2))
    assert _key("contact_changed", state()) != _key("contact_changed", state(Email="ada@new.example"))
    assert state().customer.consents == {} and state(HasOptedOutOfEmail="true").customer.consents == {"email": False}


def test_what_the_hub_changes_in_other_records_is_no_news() -> None:
    """Its own user is known by either form of the id."""
    row = salesforce.SEEN_TO | {"LastModifiedById": salesforce.OUR_USER[:15]}
    connection = _connection(user_id=salesforce.OUR_USER[:15])
    assert _facts(_told("Inspection__c", row), connection=connection)[0] == []
    assert len(_facts(_told("Inspection__c", row))[0]) == 1


def test_an_object_that_nobody_named_is_heard_as_it_is() -> None:
    """With all fields that were sent; nothing is asked for."""
    facts, play = _facts(
        _told("Visit__c", {"Id": "a095g00000ViSiTAAV", "Minutes__c": 15.5, "Done__c": True, "Who__r": {"A": 1}})
    )
    assert facts[0].table == "Visit__c" and facts[0].fields == {
        "Id": "a095g00000ViSiTAAV",
        "Minutes__c": "15.5",
        "Done__c": "true",
    }
    assert not play.calls


def test_apex_may_tell_of_many_at_once() -> None:
    """As a list."""
    facts, _ = _facts([_told("Opportunity", salesforce.WON), _told("Visit__c", {"Id": "a095g00000ViSiTAAV"})])
    assert [fact.fact for fact in facts] == ["deal_won", "row_changed"]


def test_a_journal_is_told_with_its_points_once_it_is_processed() -> None:
    """Debits are below zero whatever their sign there, and parts of a point are left out."""
    moves = [{"Points": -200.0, "EventType": "Debit"}, {"Points": 10.9, "EventType": "Credit"}]
    spent = salesforce.ENTRY | {"JournalType": {"Name": "Redemption"}, "ExternalTransactionNumber": "till-7"}
    (journal,), play = _facts(_told("TransactionJournal", spent), _rows(*moves))
    assert (journal.kind, journal.points, journal.ours, journal.membership) == ("redeemed", -190, False, "M-1001")
    assert journal.customer.email == "ada@example.com" and "LoyaltyProgramCurrency" not in _soql(play.calls[0])
    facts, play = _facts(_told("TransactionJournal", salesforce.ENTRY | {"Status": "Pending"}))
    assert facts == [] and not play.calls


def test_of_several_currencies_of_points_one_counts() -> None:
    """Or points for the tier would be counted beside those to spend; names of types are the program's own."""
    loyalty = salesforce.PROGRAM | {"currency": "O'Points", "accrual": "Earn"}
    entry = salesforce.ENTRY | {"JournalType": {"Name": "Earn"}}
    (journal,), play = _facts(_told("TransactionJournal", entry), _rows(), connection=_connection(loyalty=loyalty))
    assert journal.kind == "earned" and _soql(play.calls[0]).endswith("LoyaltyProgramCurrency.Name = 'O\\'Points'")


@pytest.mark.parametrize(("name", "kind"), [("Manual Points Adjustment", "adjusted"), ("Referral", "other")])
def test_other_journals_say_what_they_are(name: str, kind: str) -> None:
    """By the name of their type."""
    (journal,), _ = _facts(_told("TransactionJournal", salesforce.ENTRY | {"JournalType": {"Name": name}}), _rows())
    assert (journal.kind, journal.journal_type) == (kind, name)


def _pulled(name: str, *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _play(*replies)
    return list(salesforce.connector.pulls[name].items(connection, play.client(connection), NOW)), play


def test_asking_begins_a_little_before_and_turns_pages() -> None:
    """Records that are written for long show late; the next page has an address of its own."""
    more = _rows(salesforce.WON, done=False, nextRecordsUrl="/services/data/v67.0/query/01g5g00000AbC-2000")
    items, play = _pulled("deals_since", more, _rows(salesforce.WON))
    assert len(items) == 2 and "SystemModstamp >= 2026-02-06T21:25:00Z" in _soql(play.calls[0])
    assert urlsplit(play.calls[1].url).path.endswith("/query/01g5g00000AbC-2000") and not urlsplit(play.calls[1].url).query


def test_only_objects_that_are_named_are_asked_for() -> None:
    """Others may not be there in this edition."""
    items, play = _pulled("journals_since", records={"Opportunity": {"means": "deal"}})
    assert items == [] and not play.calls


def test_conditions_are_written_as_queries_want_them() -> None:
    """Text in quotes, and quotes in it escaped; boxes and numbers bare; several values as a list."""
    where = {"Status__c": ["Paid", "Owner's"], "Is_Void__c": False, "Rank__c": 3, "Name": "a\\b"}
    _, play = _pulled("sales_since", _rows(), records={"Bill__c": {"means": "sale", "amount": "Total__c", "where": where}})
    assert "WHERE Status__c IN ('Paid', 'Owner\\'s') AND Is_Void__c = false AND Rank__c = 3 AND Name = 'a\\\\b' AND" in _soql(
        play.calls[0]
    )


# What goes out


def test_a_token_that_ran_out_is_asked_for_again_and_names_the_address() -> None:
    """Salesforce does not say how long it lives, so a 401 says it; calls go to the organisation's own host."""
    token = {"access_token": "fresh-7Qd2", "instance_url": "https://acme--two.my.salesforce.com", "token_type": "Bearer"}
    gone = answers(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
    connection, tokens = _connection(), PlayedTokens()
    play = _play(gone, answers(200, token), _rows(), _rows())
    for _ in range(2):
        client = Client(connection, session=play.session(), monotonic=lambda: 0.0, sleep=play.slept.append, tokens=tokens)
        client.get("/services/data/{api_version}/query", query={"q": "SELECT Id FROM Contact"})
    asked = parse_qs(play.calls[1].body.decode())
    assert play.calls[1].url == "https://acme.my.salesforce.com/services/oauth2/token"
    assert asked == {"grant_type": ["client_credentials"], "client_id": ["3MVG9"], "client_secret": ["shh-7Qd2"]}
    assert [call.headers["authorization"] for call in play.calls[2:]] == ["Bearer fresh-7Qd2"] * 2
    assert play.calls[3].url.startswith("https://acme--two.my.salesforce.com/services/data/v67.0/query?")


def test_records_are_kept_by_their_key_which_is_no_part_of_an_address() -> None:
    """E-mail addresses with some endings are not found in one; of two that are one the later values count."""
    rows: list[Mapping[str, Any]] = [
        {"key_field": "Email__c", "key": "ada@acme.inc", "numbers": {"Points__c": 1}, "fields": {"Tier__c": "Gold"}},
        {"key_field": "Email__c", "key": "ben@acme.inc", "numbers": {"Points__c": "1.50"}, "fields": {"Note__c": ""}},
        {"key_field": "Email__c", "key": "ada@acme.inc", "numbers": {"Points__c": 2}},
        {"object": "Lead", "key_field": "Email__c", "key": "cy@acme.inc", "numbers": {"Points__c": 3}},
    ]
    refused = {"success": False, "errors": [{"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?"}]}
    locked = {
        "success": False,
        "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}],
    }
    kept = {"id": salesforce.ADA, "success": True, "created": False, "errors": []}
    (ada, ben, again, cy), play = _act("upsert_record", rows, [kept, refused], [locked])
    assert ada == again and not ada.is_new
    assert isinstance(ben, CallFailed) and ben.verdict == "lasting" and "Use one of these records?" in str(ben)
    assert isinstance(cy, CallFailed) and cy.verdict == "passing"
    assert [urlsplit(call.url).path.rpartition("/sobjects/")[2] for call in play.calls] == ["Contact/Email__c", "Lead/Email__c"]
    assert _sent(play.calls[0])["records"] == [
        {"attributes": {"type": "Contact"}, "Email__c": "ada@acme.inc", "Tier__c": "Gold", "Points__c": 2},
        {"attributes": {"type": "Contact"}, "Email__c": "ben@acme.inc", "Note__c": None, "Points__c": 1.5},
    ]
    assert b'"Points__c":1.50' in play.calls[0].body


def test_one_object_that_is_not_there_does_not_fail_the_others() -> None:
    """Each object is a call of its own."""
    rows: list[Mapping[str, Any]] = [
        {"object": "Pet__c", "key_field": "K__c", "key": "1"},
        {"key_field": "K__c", "key": "1"},
    ]
    missing = answers(404, [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}])
    (pet, contact), _ = _act("upsert_record", rows, missing, [{"id": salesforce.ADA, "success": True}])
    assert isinstance(pet, CallFailed) and contact.id == salesforce.ADA


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (answers(200, {"status": False, "message": "MemberId is not valid"}), "lasting", "MemberId is not valid"),
        (answers(200, {"status": False, "message": "UNABLE_TO_LOCK_ROW: try again"}), "passing", "try again"),
        (answers(200, {"status": False}), "lasting", "says no more"),
        (answers(400, [{"message": "locked", "errorCode": "UNABLE_TO_LOCK_ROW"}]), "passing", "locked"),
        (
            answers(400, [{"message": "Subject: required", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}]),
            "lasting",
            "Subject",
        ),
        (
            answers(403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]),
            "passing",
            "Limit",
        ),
        (answers(403, [{"message": "no rights", "errorCode": "INSUFFICIENT_ACCESS"}]), "lasting", "no rights"),
        (answers(403, [{"message": "off", "errorCode": "API_DISABLED_FOR_ORG"}]), "reconnect", "off"),
        (answers(300, ["/services/data/v67.0/sobjects/Contact/003"]), "lasting", "several records"),
        (answers(503, [{"message": "busy", "errorCode": "SERVER_UNAVAILABLE"}]), "passing", "busy"),
        (answers(500, [{"message": "oops", "errorCode": "UNKNOWN_EXCEPTION"}]), "uncertain", "oops"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """A 200 that is none, a used-up day in the clothes of missing rights, a lock that is gone in a moment."""
    (failure,), _ = _act("credit_points", [salesforce.EARN], *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)


def test_a_journal_carries_the_steps_key_and_the_programs_own_names() -> None:
    """Names have blanks, and stand in the address."""
    loyalty = {"program": "Acme & Co", "debit_process": "Take Points", "debit_parameter": "Points", "redemption": "Spend"}
    (done,), play = _act("debit_points", [salesforce.SPEND], salesforce.DONE, loyalty=loyalty)
    assert done.number == "hub-call_1"
    assert play.calls[0].url.endswith("/connect/loyalty/programs/Acme%20%26%20Co/program-processes/Take%20Points")
    (sent,) = _sent(play.calls[0])["processParameters"]
    assert sent["Points"] == 200 and sent["TransactionJournal"]["JournalTypeName"] == "Spend"
    assert (
        sent["TransactionJournal"]["ActivityDate"] == "2026-02-06T21:30:00Z"
        and "TransactionAmount" not in sent["TransactionJournal"]
    )


@pytest.mark.parametrize("name", ["credit_points", "debit_points", "post_journal"])
def test_a_journal_whose_answer_was_lost_is_not_posted_twice(name: str) -> None:
    """It is looked for by its number first."""
    inputs = {"member": "M-1001"} if name == "post_journal" else salesforce.SPEND
    (failure,), play = _act(name, [inputs], requests.ReadTimeout("lost"), salesforce.DONE)
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    action, connection = salesforce.connector.actions[name], _connection()
    for rows, found in ((_rows({"Id": salesforce.JOURNAL}), True), (_rows(), False)):
        looked = _play(rows)
        handed = {Client: looked.client(connection), Settings: connection.settings, datetime: NOW}
        assert (action.find_done(handed, action.inputs.model_validate(inputs), "call_1") is not None) is found
        assert _soql(looked.calls[0]).endswith("ExternalTransactionNumber = 'hub-call_1'")


@pytest.mark.parametrize("loyalty", [None, {"program": "Acme"}])
def test_without_a_program_and_its_process_no_journal_is_posted(loyalty: Any) -> None:
    """Loyalty Management is an add-on, and its names are each organisation's own."""
    (failure,), play = _act("credit_points", [salesforce.EARN], loyalty=loyalty)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "`loyalty`" in str(failure) and not play.calls


def test_a_task_is_found_again_by_what_it_says() -> None:
    """Quotes are escaped; comments cannot be asked for, so they are compared."""
    inputs = {"subject": "Ada's \\ free oil change", "who": salesforce.ADA, "text": "At  the counter"}
    action, connection = salesforce.connector.actions["create_task"], _connection()
    play = _play(_rows({"Id": "00T1", "Description": None}, {"Id": "00T2", "Description": "At the\ncounter"}))
    handed = {Client: play.client(connection), Settings: connection.settings, datetime: NOW}
    found: Any = action.find_done(handed, action.inputs.model_validate(inputs), "call_1")
    assert found.id == "00T2"
    assert _soql(play.calls[0]) == (
        "SELECT Id, Description FROM Task WHERE Subject = 'Ada\\'s \\\\ free oil change' AND WhoId = "
        f"'{salesforce.ADA}' AND CreatedDate >= 2026-02-06T21:30:00Z"
    )


def _mirrored(**customer: Any) -> Mirrored:
    return Mirrored(Customer(**customer), {"Points__c": 120, "Tier__c": None})


def _looked(many: list[Mirrored], *replies: Any, **settings: Any) -> Iterator[Any]:
    mirror, connection, play = salesforce.connector.mirroring, _connection(**settings), _play(*replies)
    assert mirror is not None
    yield mirror.look({Client: play.client(connection), Settings: connection.settings}, many)
    yield play


def test_points_are_shown_by_the_object_that_is_a_person() -> None:
    """A deal of a business has the account's id: that is no contact, and is not written to as one."""
    mirror, connection = salesforce.connector.mirroring, _connection()
    assert mirror is not None
    for settings, number, written in (
        ({}, salesforce.ADA, "Contact"),
        ({}, salesforce.ACME, None),
        ({"member_object": "Account"}, salesforce.ACME, "Account"),
        ({}, "17", None),
    ):
        connection = _connection(**settings)
        inputs: Any = mirror.inputs({Settings: connection.settings}, _mirrored(id=number))
        assert (inputs and inputs.object) == written
        if inputs:
            assert (inputs.fields, inputs.numbers) == ({"Tier__c": ""}, {"Points__c": 120})


def test_what_contacts_show_is_asked_for_at_once() -> None:
    """By id or, where none is known, by address; of several with one address the oldest, which comes last."""
    rows = [
        {"Id": "0035g00000YoUnGAAV", "Email": "ben@example.com", "Points__c": 7, "Tier__c": None},
        {"Id": "0035g00000BeNBeAAN", "Email": "Ben@Example.com", "Points__c": 5, "Tier__c": "Gold"},
        {"Id": salesforce.ADA, "Email": None, "Points__c": 120.0, "Tier__c": None},
    ]
    many = [_mirrored(id=salesforce.ADA[:15]), _mirrored(id=salesforce.ACME, email="ben@example.com"), _mirrored(phone="+1")]
    (ada, ben, nobody), play = _looked(many, _rows(*rows))
    assert (ada.id, ada.fields) == (salesforce.ADA, {"Points__c": "120.0", "Tier__c": ""})
    assert (ben.id, ben.fields["Points__c"], nobody) == ("0035g00000BeNBeAAN", "5", None)
    assert "FROM Contact WHERE Id IN (" in _soql(play.calls[0]) and "OR Email IN ('ben@example.com')" in _soql(play.calls[0])
    seen, play = _looked([_mirrored(phone="+1")])
    assert seen == [None] and not play.calls


def test_a_field_that_is_no_name_is_not_asked_for() -> None:
    """It would stand in a query."""
    mirror, connection, play = salesforce.connector.mirroring, _connection(), _play()
    assert mirror is not None
    with pytest.raises(CallFailed, match="API names"):
        mirror.look({Client: play.client(connection), Settings: connection.settings}, [Mirrored(Customer(id="1"), {"a b": 1})])
    assert not play.calls
