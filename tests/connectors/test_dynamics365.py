"""Dynamics 365: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests

from connectors import dynamics365
from connectors.dynamics365 import ADA, DEAL, HUB, INVOICE, ORG
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import CallKey, Client, Connection, Customer, Fact, Mirrored, Settings
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers
from hub.sdk.tokens import HeldTokens

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/dynamics365"
KEY = "b7c1-long-and-random"
ACCESS = {
    "host": "acme.crm4.dynamics.com",
    "tenant_id": "t-1",
    "client_id": "c-1",
    "client_secret": "shh-7Qd2",
    "webhook_key": KEY,
}
PLAIN = {"records": dynamics365.RECORDS, "tables": dynamics365.TABLES, "currency": "USD", "user_id": HUB}
OPTION = "OptionSetValue:http://schemas.microsoft.com/xrm/2011/Contracts"
BEN = "6d81597f-0f9f-e711-8122-000d3aa23300"


def _connection(mirror: Mapping[str, str] | None = None, **settings: Any) -> Connection:
    read = dynamics365.connector.settings.read({**ACCESS, **PLAIN, **settings})
    return Connection("dynamics365", dynamics365.connector, read, webhook_url=URL, mirror=mirror or {})


def _request(body: Any, query: str = "", **headers: str) -> Request:
    named = {"content-type": "application/json", **headers}
    return Request(
        "POST", "/hooks/dynamics365", query, named, json.dumps(body).encode(), NOW, f"{URL}?{query}" if query else URL
    )


def _play(*replies: Any) -> Play:
    return Play(one_by_one([reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies]))


def _facts(body: Any, *replies: Any, connection: Connection | None = None) -> tuple[list[Any], Play]:
    connection, play = connection or _connection(), _play(*replies)
    facts: list[Fact] = []
    for item in dynamics365.connector.items(_request(body), connection):
        for trigger in dynamics365.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _key(name: str, fact: Fact) -> str:
    return dynamics365.connector.triggers[name].key_of(fact)


def _act(name: str, many: list[Mapping[str, Any]], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = dynamics365.connector.actions[name], _connection(**settings), _play(*replies)
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings, CallKey: CallKey("call_1"), datetime: NOW}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _query(called: Called) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(called.url).query).items()}


def _path(called: Called) -> str:
    return unquote(urlsplit(called.url).path).removeprefix("/api/data/v9.2/")


# Proof


def test_the_key_stands_in_the_address_or_in_a_header() -> None:
    """A webhook sends it as `code`, a flow in a header; what is kept shows neither."""
    for request in (_request({}, f"code={KEY}"), _request({}, **{"x-webhook-key": KEY})):
        dynamics365.connector.verify(request, _connection(), NOW)
        assert KEY not in repr(dynamics365.connector.strip(request))


@pytest.mark.parametrize(("query", "headers"), [("", {}), ("code=other", {}), ("", {"x-webhook-key": "other"})])
def test_without_the_key_nothing_is_taken(query: str, headers: dict[str, str]) -> None:
    """Dataverse signs nothing."""
    with pytest.raises(Refused):
        dynamics365.connector.verify(_request({}, query, **headers), _connection(), NOW)


# What comes in


def test_columns_are_read_as_the_web_api_has_them() -> None:
    """Choices and money by what is in them, lookups by their id, dates without the offset, which is for display."""
    told = dynamics365._context(
        "opportunity",
        DEAL,
        statecode={"__type": OPTION, "Value": 1},
        actualvalue={"__type": "Money:x", "Value": 250.5},
        parentcontactid={"__type": "EntityReference:x", "Id": ADA.upper(), "LogicalName": "contact", "Name": "Ada"},
        parentaccountid=None,
        modifiedon="/Date(1770413254000)/",
        name="Renewal",
    )
    (item,) = dynamics365.connector.items(_request(told), _connection())
    assert item.data["record"] == {
        "statecode": 1,
        "actualvalue": Decimal("250.5"),
        "_parentcontactid_value": ADA.upper(),
        "parentaccountid": None,
        "modifiedon": "2026-02-06T21:27:34+00:00",
        "name": "Renewal",
    }
    assert (item.kind, item.at, item.account) == ("deal", datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC), ORG)


def test_an_image_of_the_row_stands_beside_what_was_changed() -> None:
    """Where one was registered; what was changed counts."""
    told = dynamics365._context("new_visit", ADA, new_minutes=15)
    image = {
        "LogicalName": "new_visit",
        "Attributes": [{"key": "new_minutes", "value": 10}, {"key": "new_done", "value": True}],
    }
    (row,), play = _facts(told | {"PostEntityImages": [{"key": "AsynchronousStepPrimaryName", "value": image}]})
    assert row.fields == {"new_minutes": "15", "new_done": "true"} and not play.calls


def test_a_message_is_known_by_its_job_and_a_synchronous_one_by_what_it_is_about() -> None:
    """The correlation is shared by all that one change sets off."""
    told = dynamics365._context("contact", ADA)
    (first,) = dynamics365.connector.items(_request(told), _connection())
    (second,) = dynamics365.connector.items(
        _request(told | {"OperationId": "00000000-0000-0000-0000-000000000000"}), _connection()
    )
    assert first.id == told["OperationId"] and second.id == f"{told['CorrelationId']}/{ADA}"


def test_a_row_of_another_organisation_is_left_out() -> None:
    """Ids are compared in small letters, with or without braces."""
    for ours, heard in ((f"{{{ORG.upper()}}}", True), (ADA, False)):
        connection = _connection(account_id=ours)
        (item,) = dynamics365.connector.items(_request(dynamics365._context("contact", ADA)), connection)
        assert dynamics365.connector.is_ours(item, connection) is heard


def test_what_a_large_message_leaves_out_is_fetched() -> None:
    """Over 256 KB there is nothing in it but the row's id; related columns come with the row."""
    told = dynamics365._context("opportunity", DEAL.upper())
    for name in ("InputParameters", "PostEntityImages"):
        del told[name]
    (won,), play = _facts(told, dynamics365.WON)
    assert (won.amount, won.currency, won.customer.email) == (Decimal("1250.5"), "USD", "ada@example.com")
    assert _path(play.calls[0]) == f"opportunities({DEAL})"
    assert (
        _query(play.calls[0])["$expand"] == "parentcontactid($select=emailaddress1,mobilephone,telephone1,firstname,lastname)"
    )
    assert play.calls[0].headers["odata-version"] == play.calls[0].headers["odata-maxversion"] == "4.0"


def test_a_webhook_a_flow_and_a_query_tell_the_same_fact() -> None:
    """By the row's id."""
    connection, play = _connection(), _play({"value": [dynamics365.WON]})
    (told,), _ = _facts(dynamics365._context("opportunity", DEAL.upper()), dynamics365.WON)
    (flow,), _ = _facts(dynamics365._flow("opportunity", dynamics365.WON | {"opportunityid": DEAL.upper()}))
    (item,) = dynamics365.connector.pulls["deals_since"].items(connection, play.client(connection), NOW)
    (asked,) = dynamics365.connector.triggers["deal_won"].fetch(item, connection, play.client(connection))
    assert _key("deal_won", told) == _key("deal_won", flow) == _key("deal_won", asked) == DEAL


@pytest.mark.parametrize("state", [0, 2, None])
def test_a_deal_that_is_not_won_is_no_fact(state: int | None) -> None:
    """Lost, or opened again by the time it is looked at."""
    assert _facts(dynamics365._context("opportunity", DEAL), dynamics365.WON | {"statecode": state})[0] == []


def test_a_row_that_is_gone_is_no_fact() -> None:
    """Between the message and the look."""
    gone = answers(404, {"error": {"code": "0x80040217", "message": "opportunity With Id = … Does Not Exist"}})
    assert _facts(dynamics365._context("opportunity", DEAL), gone)[0] == []


@pytest.mark.parametrize("number", [None, "", "42", "1) or (1 eq 1", ADA + "'"])
def test_an_id_that_is_none_is_not_asked_for(number: Any) -> None:
    """It would stand in an address."""
    with pytest.raises(Unreadable, match="no id of Dataverse's"):
        _facts({"table": "opportunity", "row_id": number, "record": {}})


def test_a_table_that_is_none_is_not_asked_for() -> None:
    """It would stand in an address, too; another row of the same delivery is read all the same."""
    bad, good = dynamics365.connector.items(
        _request([{"table": "contacts)/x", "record": {}}, dynamics365._flow("contact", dynamics365.CONTACT)]), _connection()
    )
    assert "table" in bad.problem and not good.problem


def test_the_currency_is_asked_for_where_there_are_several() -> None:
    """By the row's own lookup."""
    row = dynamics365.WON | {"transactioncurrencyid": {"isocurrencycode": "EUR"}}
    (won,), play = _facts(dynamics365._flow("opportunity", dynamics365.WON), row, connection=_connection(currency=None))
    assert won.currency == "EUR" and "transactioncurrencyid($select=isocurrencycode)" in _query(play.calls[0])["$expand"]


def test_a_column_is_one_lookup_away_at_most() -> None:
    """Farther ones cannot be asked for in this way; it is found before anything is asked."""
    far = {"opportunity": {"means": "deal", "email": "parentcontactid.parentcustomerid.emailaddress1"}}
    problems = dynamics365.connector.settings.problems({**ACCESS, "records": far})
    assert len(problems) == 1 and "two lookups" in problems[0].message


def test_a_contact_is_new_or_has_changed_or_is_gone() -> None:
    """Points that the hub writes are not read; a box that is ticked is a no."""
    records = {"contact": {"means": "customer", "attributes": {"points": "new_points"}}}
    connection = _connection({"balance": "new_points"}, records=records)
    row = dynamics365.CONTACT | {"createdon": dynamics365.AT, "modifiedon": dynamics365.AT, "new_points": 1}

    def state(**more: Any) -> Any:
        facts, _ = _facts(dynamics365._flow("contact", row | more), connection=connection)
        return facts[0]

    assert state().created and not state(modifiedon="2026-02-07T00:00:00Z").created
    assert _key("contact_changed", state()) == _key("contact_changed", state(new_points=2))
    assert _key("contact_changed", state()) != _key("contact_changed", state(emailaddress1="ada@new.example"))
    assert state(donotbulkemail=False).customer.consents == {}
    (gone,), play = _facts(dynamics365._context("contact", ADA, message="Delete"), connection=connection)
    assert gone.deleted and gone.customer.id == ADA and not play.calls
    assert _facts(dynamics365._context("opportunity", DEAL, message="Delete"))[0] == []


@pytest.mark.parametrize("user", [HUB, HUB.upper()])
def test_what_the_hub_changes_in_other_rows_is_no_news(user: str) -> None:
    """Told by a webhook, a flow or a query."""
    assert _facts(dynamics365._context("new_visit", ADA, new_minutes=15) | {"InitiatingUserId": user})[0] == []
    assert _facts(dynamics365._flow("new_inspection", dynamics365.SEEN_TO | {"_modifiedby_value": user}))[0] == []
    assert len(_facts(dynamics365._flow("new_inspection", dynamics365.SEEN_TO | {"_modifiedby_value": ADA}))[0]) == 1


def test_a_refund_names_the_sale() -> None:
    """By the rows' ids, in whatever letters."""
    (sale,), _ = _facts(dynamics365._flow("new_repairinvoice", dynamics365.PAID))
    (refund,), _ = _facts(dynamics365._flow("new_creditnote", dynamics365.CREDIT))
    assert ("invoice", INVOICE) in {(one.kind, one.id) for one in sale.references} & {
        (one.kind, one.id) for one in refund.references
    }


def test_a_flow_tells_of_anything_once_a_run() -> None:
    """Its retries have the same run; what it says besides are texts."""
    told = {"run_id": "r1", "event": "vip", "contact_id": ADA.upper(), "fields": {"amount": 250.5, "list": [1]}}
    (first,), _ = _facts(told)
    (other,), _ = _facts(told | {"run_id": "r2"})
    assert (first.customer.id, first.fields) == (ADA, {"amount": "250.5"})
    assert _key("flow_told", first) != _key("flow_told", other)
    (item,) = dynamics365.connector.items(_request({"event": "vip"}), _connection())
    assert "run_id" in item.problem


def _pulled(name: str, *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _play(*replies)
    return list(dynamics365.connector.pulls[name].items(connection, play.client(connection), NOW)), play


def test_asking_begins_a_little_before_and_follows_the_next_pages_address_as_it_is() -> None:
    """A whole address with everything in it; how many a page has is said each time."""
    link = "https://acme.crm4.dynamics.com/api/data/v9.2/opportunities?$skiptoken=%3Ccookie%20pagenumber=%222%22%3E"
    items, play = _pulled("deals_since", {"value": [dynamics365.WON], "@odata.nextLink": link}, {"value": [dynamics365.WON]})
    assert len(items) == 2 and _query(play.calls[0])["$filter"] == "statecode eq 1 and modifiedon ge 2026-02-06T21:25:00Z"
    assert play.calls[1].url == link and "$skip" not in _query(play.calls[0])
    assert [call.headers["prefer"] for call in play.calls] == ["odata.maxpagesize=500"] * 2


def test_conditions_are_written_as_odata_wants_them() -> None:
    """Texts in quotes, doubled within; ids, numbers and boxes bare; related columns behind a slash."""
    where = {"new_kind": ["Owner's", "x"], "_new_shop_value": ADA.upper(), "new_void": False, "new_Contact.statecode": 0}
    _, play = _pulled(
        "sales_since", {"value": []}, records={"new_bill": {"means": "sale", "amount": "new_net", "where": where}}
    )
    assert _query(play.calls[0])["$filter"].startswith(
        f"(new_kind eq 'Owner''s' or new_kind eq 'x') and _new_shop_value eq {ADA} and new_void eq false"
        " and new_Contact/statecode eq 0 and modifiedon ge "
    )


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("opportunity", "opportunities"),
        ("new_box", "new_boxes"),
        ("new_key", "new_keys"),
        ("new_visit", "new_visits"),
        ("new_points", "new_pointses"),
        ("new_match", "new_matches"),
    ],
)
def test_the_plural_is_as_dataverse_makes_it_unless_somebody_says_another(table: str, rows: str) -> None:
    """It stands in addresses."""
    assert dynamics365._rows(table, dynamics365.TableReading(means="other")) == rows
    assert dynamics365._rows(table, dynamics365.TableReading(means="other", rows="things")) == "things"


def test_subscribing_registers_a_step_for_each_change_of_the_tables_that_are_named() -> None:
    """Asynchronous, so that nobody's saving fails when the hub is down; what was there before goes first."""
    filters = [
        {"sdkmessagefilterid": f"f-{name}", "sdkmessageid": {"name": name, "sdkmessageid": f"m-{name}"}}
        for name in ("Create", "Assign", "Update")
    ]
    play = _play(
        {"value": [{"serviceendpointid": "e-0"}]},
        {"value": [{"sdkmessageprocessingstepid": "s-0"}]},
        answers(204),
        answers(204),
        answers(201, {"serviceendpointid": "e-1"}),
        {"value": filters},
        answers(204),
        answers(204),
    )
    connection = _connection(records={"contact": {"means": "customer"}})
    assert dynamics365.connector.subscription is not None
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    dynamics365.connector.subscription.call(handed)
    assert [str(call).replace("/api/data/v9.2/", "") for call in play.calls] == [
        "GET serviceendpoints",
        "GET sdkmessageprocessingsteps",
        "DELETE sdkmessageprocessingsteps(s-0)",
        "DELETE serviceendpoints(e-0)",
        "POST serviceendpoints",
        "GET sdkmessagefilters",
        "POST sdkmessageprocessingsteps",
        "POST sdkmessageprocessingsteps",
    ]
    hook, step = _sent(play.calls[4]), _sent(play.calls[6])
    assert (hook["url"], hook["contract"], hook["authtype"], hook["authvalue"]) == (URL, 8, 4, KEY)
    assert (step["mode"], step["stage"], step["sdkmessagefilterid@odata.bind"]) == (1, 40, "/sdkmessagefilters(f-Create)")
    with pytest.raises(CallFailed, match="webhook_key"):
        bare = _connection(webhook_key=None)
        dynamics365.connector.subscription.call({Client: play.client(bare), Connection: bare, Settings: bare.settings})


# What goes out


def test_a_token_is_asked_for_by_the_tenants_address_for_the_environment() -> None:
    """There is no refresh token: it is asked for anew."""
    connection, tokens = _connection(), HeldTokens(lambda: NOW)
    play = _play({"access_token": "fresh-7Qd2", "expires_in": 3599}, {"value": []})
    client = Client(connection, session=play.session(), monotonic=lambda: 0.0, sleep=play.slept.append, tokens=tokens)
    client.get("/api/data/{api_version}/contacts")
    assert play.calls[0].url == "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"
    asked = parse_qs(play.calls[0].body.decode())
    assert (asked["grant_type"], asked["scope"]) == (["client_credentials"], ["https://acme.crm4.dynamics.com/.default"])
    assert play.calls[1].headers["authorization"] == "Bearer fresh-7Qd2"


def _cards(*keys: str) -> list[Mapping[str, Any]]:
    return [{"key_column": "new_memberid", "key": key, "numbers": {"new_points": number}} for number, key in enumerate(keys)]


def test_many_rows_of_a_table_go_out_as_one() -> None:
    """Each by its key; what is said of one row twice is laid together, and other tables are calls of their own."""
    rows = [*_cards("m-1", "O'Neil"), {**_cards("m-1")[0], "fields": {"new_note": "", "new_town": "Kiel"}}]
    other = {"table": "account", "key_column": "new_memberid", "key": "m-1", "numbers": {"new_points": "1.50"}}
    kept, play = _act("upsert_row", [*rows, other], answers(204), answers(204))
    assert all(not isinstance(one, CallFailed) for one in kept)
    assert [_path(call) for call in play.calls] == [
        "contacts/Microsoft.Dynamics.CRM.UpsertMultiple",
        "accounts(new_memberid='m-1')",
    ]
    contact = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
    assert _sent(play.calls[0])["Targets"] == [
        {**contact, "@odata.id": "contacts(new_memberid='m-1')", "new_points": 0, "new_note": None, "new_town": "Kiel"},
        {**contact, "@odata.id": "contacts(new_memberid='O''Neil')", "new_points": 1},
    ]
    assert b"1.50" in play.calls[1].body and "if-match" not in play.calls[1].headers


def test_the_one_row_that_is_refused_fails_alone() -> None:
    """Dataverse takes all or none, so they are tried in halves, and single ones by an address of their own."""
    wrong = answers(400, {"error": {"code": "0x80048d19", "message": "A value is too large for new_points."}})
    (first, second, third), play = _act("upsert_row", _cards("a", "b", "c"), wrong, answers(204), wrong, wrong, answers(204))
    assert isinstance(second, CallFailed) and "too large" in str(second) and not isinstance(first, CallFailed)
    assert not isinstance(third, CallFailed)
    assert [_path(call) for call in play.calls][1:] == [
        "contacts(new_memberid='a')",
        "contacts/Microsoft.Dynamics.CRM.UpsertMultiple",
        "contacts(new_memberid='b')",
        "contacts(new_memberid='c')",
    ]


@pytest.mark.parametrize("key", ["a/b", "ada+x@example.com", "50%", "a&b", "what?", "a:b", "a\\b", "a<b"])
def test_a_key_that_no_address_can_hold_is_refused_alone(key: str) -> None:
    """Dataverse would not find its row; the others are written."""
    (bad, good), play = _act("upsert_row", _cards(key, "m-1"), answers(204))
    assert isinstance(bad, CallFailed) and bad.verdict == "lasting" and key in str(bad)
    assert not isinstance(good, CallFailed) and len(play.calls) == 1


def test_a_change_by_id_makes_no_row() -> None:
    """Without If-Match a missing row would be made; many are named by the table's own id."""
    (gone,), play = _act(
        "update_row",
        [{"row": ADA.upper(), "numbers": {"new_points": 5}}],
        answers(404, {"error": {"code": "0x80040217", "message": "contact With Id Does Not Exist"}}),
    )
    assert isinstance(gone, CallFailed) and gone.verdict == "lasting" and play.calls[0].headers["if-match"] == "*"
    changes = [{"row": ADA, "numbers": {"new_points": 5}}, {"row": BEN, "numbers": {"new_points": 6}}]
    (ada, ben), play = _act("update_row", changes, answers(204))
    assert (ada.id, ben.id, _path(play.calls[0])) == (ADA, BEN, "contacts/Microsoft.Dynamics.CRM.UpdateMultiple")
    assert [target["contactid"] for target in _sent(play.calls[0])["Targets"]] == [ADA, BEN]


def test_a_choice_is_written_by_its_number() -> None:
    """Recipes and mirrors say its label; one that is unknown fails alone."""
    choices = {"new_tier": {"Silver": 100000000, "Gold": 100000001}}
    changes: list[Mapping[str, Any]] = [
        {"row": ADA, "fields": {"new_tier": "Gold"}},
        {"row": BEN, "fields": {"new_tier": "Platin"}},
    ]
    (ada, ben), play = _act("update_row", changes, answers(204), choices=choices)
    assert ada.id == ADA and isinstance(ben, CallFailed) and "Platin" in str(ben)
    assert _sent(play.calls[0]) == {"new_tier": 100000001}
    (_,), play = _act("update_row", [{"row": ADA, "fields": {"new_tier": ""}}], answers(204), choices=choices)
    assert _sent(play.calls[0]) == {"new_tier": None}


ENTRY = {"table": "entry", "numbers": {"points": 54}, "values": {"reason": "Repair"}, "links": {"contact": ADA.upper()}}


def test_a_row_of_the_add_on_is_one_for_each_step() -> None:
    """By an alternate key that the step gives, so that a lost answer makes no second; or by a key that the recipe names."""
    for row in (None, "2026-02"):
        (kept,), play = _act("write_table_row", [ENTRY | {"row": row}], requests.ReadTimeout("lost"), dynamics365.WRITTEN)
        assert kept.id == ADA and play.calls[0].url == play.calls[1].url
        assert _path(play.calls[0]).startswith("new_pointsentries(new_hubkey='" + (row or ""))
    assert _sent(play.calls[0]) == {"new_reason": "Repair", "new_points": 54, "new_Contact@odata.bind": f"/contacts({ADA})"}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"table": "gift"}, "it has entry"),
        ({"table": "entry", "values": {"colour": "red"}}, "colour"),
        ({"table": "entry", "links": {"shop": ADA}}, "shop"),
    ],
)
def test_a_table_or_column_that_is_not_mapped_is_an_error(inputs: Mapping[str, Any], said: str) -> None:
    """Nothing is sent."""
    (failure,), play = _act("write_table_row", [inputs])
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and said in str(failure) and not play.calls


def test_an_activity_is_put_on_the_timeline_once() -> None:
    """By an id that the step gives; of the kind that the connection names, with its column for points."""
    inputs = {"person": ADA, "subject": "+54 points", "points": 54}
    (first,), play = _act("add_activity", [inputs], requests.ReadTimeout("lost"), answers(204))
    (again,), _ = _act("add_activity", [inputs], answers(204))
    assert first.id == again.id and play.calls[0].url == play.calls[1].url
    assert _sent(play.calls[0]) == {"subject": "+54 points", "regardingobjectid_contact_task@odata.bind": f"/contacts({ADA})"}
    own = {"rows": "new_loyaltyactivities", "table": "new_loyaltyactivity", "points": "new_points"}
    (kept,), play = _act("add_activity", [inputs | {"of": "account"}], answers(204), activity=own)
    assert _path(play.calls[0]) == f"new_loyaltyactivities({kept.id})"
    assert _sent(play.calls[0])["regardingobjectid_account_new_loyaltyactivity@odata.bind"] == f"/accounts({ADA})"
    assert _sent(play.calls[0])["new_points"] == 54


RUN = {"event": "points_earned", "fields": {"event": "other", "town": "Kiel"}}


def test_a_flow_is_started_by_its_address_alone() -> None:
    """Power Automate refuses a call that shows a token beside the signature; escapes of the copied one are undone."""
    (started,), play = _act(
        "start_flow",
        [RUN],
        answers(202, x_ms_workflow_run_id="run-1"),
        flow_url=dynamics365.FLOW,
        flow_signature="a%2Bb",
    )
    assert started.run_id == "run-1" and "authorization" not in play.calls[0].headers
    assert _query(play.calls[0]) == {"api-version": "2016-06-01", "sv": "1.0", "sig": "a+b"}
    assert _sent(play.calls[0]) == {"event": "points_earned", "town": "Kiel", "call_id": "call_1"}


@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_a_flow_is_not_started_twice(lost: Any) -> None:
    """It may write to people."""
    (failure,), play = _act("start_flow", [RUN], lost, answers(202), flow_url=dynamics365.FLOW, flow_signature="s")
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1


def test_without_a_flow_none_is_started_and_all_else_works() -> None:
    """Its address is an address of the platform only where the connection says it."""
    (failure,), play = _act("start_flow", [RUN])
    assert isinstance(failure, CallFailed) and "`flow_url`" in str(failure) and not play.calls
    (kept,), _ = _act("upsert_row", _cards("m-1"), dynamics365.WRITTEN)
    assert kept.id == ADA


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (
            answers(400, {"error": {"code": "0x80048d19", "message": "Invalid property"}}),
            "lasting",
            "Invalid property (0x80048d19)",
        ),
        (answers(403, {"error": {"code": "0x80040220", "message": "no privilege"}}), "lasting", "security role"),
        (answers(403, {"error": {"code": "0x80072560", "message": "not a member"}}), "reconnect", "application user"),
        (
            answers(412, {"error": {"code": "0x80040237", "message": "A record with matching key values"}}),
            "lasting",
            "matching key",
        ),
        (
            answers(429, {"error": {"code": "0x80072322", "message": "Number of requests"}}, retry_after="33"),
            "passing",
            "requests",
        ),
        (answers(503, b"<html>busy</html>"), "passing", "503"),
    ],
)
def test_a_refusal_is_read_as_it_is_meant(reply: Answer, verdict: str, said: str) -> None:
    """Missing rights are one table's affair, a missing user the whole connection's."""
    (failure,), _ = _act("upsert_row", _cards("m-1"), *[reply] * 3)
    assert isinstance(failure, CallFailed) and failure.verdict == verdict and said in str(failure)
    assert failure.retry_after_seconds == (33 if reply.status == 429 else None)


def test_what_contacts_show_is_asked_for_at_once() -> None:
    """By id or, where none is known, by address, the oldest of several; choices are shown by their labels."""
    mirror, choices = dynamics365.connector.mirroring, {"new_tier": {"Gold": 100000001}}
    connection = _connection(choices=choices)
    rows = [
        {"contactid": INVOICE, "emailaddress1": "ben@example.com", "new_points": 7, "new_tier": None},
        {"contactid": BEN, "emailaddress1": "Ben@Example.com", "new_points": 5, "new_tier": 100000001},
        {"contactid": ADA, "emailaddress1": None, "new_points": 120, "new_tier": None},
    ]
    fields = {"new_points": 120, "new_tier": "Gold"}
    people = (Customer(id=ADA.upper()), Customer(id="17", email="Ben@example.com"), Customer(phone="+1"))
    assert mirror is not None
    play = _play({"value": rows})
    handed = {Client: play.client(connection), Settings: connection.settings}
    ada, ben, nobody = mirror.look(handed, [Mirrored(who, fields) for who in people])
    assert ada is not None and ben is not None and nobody is None
    assert (ada.id, ada.fields) == (ADA, {"new_points": "120", "new_tier": ""})
    assert (ben.id, ben.fields) == (BEN, {"new_points": "5", "new_tier": "Gold"})
    assert _query(play.calls[0])["$filter"] == f"contactid eq {ADA} or emailaddress1 eq 'ben@example.com'"
    assert mirror.look(handed, [Mirrored(people[2], fields)]) == [None] and len(play.calls) == 1
    with pytest.raises(CallFailed, match="logical names"):
        mirror.look(handed, [Mirrored(people[0], {"New Points": 1})])
    assert mirror.inputs(handed, Mirrored(people[1], fields)) is None
