"""Records: rows of tables that are each account's own become facts, as the connection says what they mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import Unreadable
from hub.sdk import Client, Connection, Connector, Item, Payload, Reference, Settings, records
from hub.sdk.play import Play, one_by_one
from hub.sdk.reading import Reading, moment_of, reading_of, readings, text_of
from hub.sdk.record_triggers import KINDS, hear_records
from hub.sdk.records import Record
from hub.sdk.settings import setting

STANDARD = {"Deal": {"means": "deal", "where": {"IsWon": True}, "amount": "Amount", "title": "Name"}}
FORM = setting("tables", kind=readings(Reading, STANDARD), default={})
TOLD = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)


def _record(reading: dict[str, Any], columns: dict[str, Any], **more: Any) -> Record:
    return Record("Repair", "r1", columns, Reading.model_validate(reading), **{"told_at": TOLD, "currency": "USD", **more})


def test_what_a_connection_says_is_laid_over_what_is_known():
    """A standard table needs no more than its name and its meaning, and may say something else."""
    said = FORM.read({"tables": {"Deal": {"means": "sale", "title": "Label"}}})["tables"]
    assert said["Deal"] == Reading(means="sale", where={"IsWon": True}, amount="Amount", title="Label")
    assert reading_of("Deal", {}, Reading, STANDARD).means == "deal"
    assert reading_of("Pets", {}, Reading, STANDARD).means == "other"


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"Bill": {"means": "sale"}}, "`tables` says of `Bill` that it means sale, but not which column is the `amount`"),
        ({"Bill": {"means": "gift"}}, "Bill.means"),
        ({"Bill": {"means": "job", "amuont": "Total"}}, "Bill.amuont"),
        ({"Bill": {"means": "job", "title": "Name FROM Users"}}, "Bill.title"),
        ({"Bill; DROP": {"means": "job"}}, "Bill; DROP"),
    ],
)
def test_a_wrong_reading_is_found_before_it_is_used(tables, why):
    """The table and the word are named; nothing but names of columns goes into queries."""
    [problem] = FORM.problems({"tables": tables})
    assert why in problem.message


def test_a_place_may_be_deep_in_lists_and_have_hyphens():
    """As JSON has it; the record is read there."""
    record = _record({"means": "job", "title": "lines.0.long-name"}, {"lines": [{"long-name": "Oil"}]})
    assert record.said(record.reading.title) == "Oil"


def test_a_sale_earns_what_is_left_after_its_discount():
    """Where the platform keeps it apart from the amount; never less than nothing."""
    reading = {"means": "sale", "amount": "Sum", "discount": "Off"}
    for row, amount in (({"Sum": "110", "Off": "10.50"}, "99.50"), ({"Sum": "5", "Off": 7}, "0"), ({"Sum": "5"}, "5")):
        sold = records.sale(_record(reading, row))
        assert sold is not None and sold.amount == Decimal(amount)
    assert "Off" in Reading.model_validate(reading).places("USD")


def test_columns_are_read_as_text_whatever_they_are():
    """Exact numbers, ticked boxes, blanks at the ends; what has parts is no text."""
    values = [True, False, 12, Decimal("12.50"), " x ", None, {"a": 1}, ["a"]]
    assert list(map(text_of, values)) == ["true", "false", "12", "12.50", "x", "", "", ""]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-13T16:20:05.000+0000", datetime(2026, 2, 13, 16, 20, 5, tzinfo=UTC)),
        ("2026-02-13T17:20:05+01:00", datetime(2026, 2, 13, 16, 20, 5, tzinfo=UTC)),
        ("2026-02-13", datetime(2026, 2, 13, 12, tzinfo=UTC)),
        ("2026-02-13T16:20:05", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_moment_has_a_zone_and_a_day_its_noon(text, moment):
    """A time without a zone could be any."""
    assert moment_of(text) == moment


@pytest.mark.parametrize(
    ("where", "columns", "holds"),
    [
        ({"Status": "Paid"}, {"Status": "paid"}, True),
        ({"Status": ["Paid", "Closed"]}, {"Status": "Closed"}, True),
        ({"Status": "Paid"}, {"Status": "Sent"}, False),
        ({"Status": "Paid"}, {}, False),
        ({"IsWon": True}, {"IsWon": "true"}, True),
        ({"IsWon": True}, {"IsWon": False}, False),
        ({"State": 1}, {"State": Decimal(1)}, True),
        ({"Type.Name": "Repair"}, {"Type": {"Name": "Repair"}}, True),
        ({}, {}, True),
    ],
)
def test_a_record_counts_when_it_is_what_its_reading_asks_for(where, columns, holds):
    """Whatever form the platform gives its values; all conditions must hold."""
    assert _record({"means": "job", "where": where}, columns).holds() is holds


def test_what_a_record_lacks_is_known():
    """A column that is empty is there, and so is a related record. The currency is asked for where there are several."""
    reading = {"means": "sale", "amount": "Total", "currency": "Money", "email": "Owner.Email", "at": "Paid"}
    record = _record(reading, {"Total": None, "Owner": {}})
    assert record.lacks() == ["Paid"]
    assert _record(reading, {"Paid": "", "Owner": None}, currency=None).lacks() == ["Total", "Money"]


def test_a_sale_has_its_amount_currency_number_and_references():
    """The record itself is an invoice to refunds; of several columns the first that says anything counts."""
    reading = {
        "means": "sale",
        "amount": "Total",
        "number": "No",
        "customer": ["Contact", "Firm"],
        "references": {"job": "Job"},
    }
    columns = {"Total": "240.50", "No": "RI-7", "Contact": "", "Firm": "F1", "Job": "J1"}
    sale = records.sale(_record(reading, columns))
    assert sale is not None and (sale.amount, sale.currency) == (Decimal("240.50"), "USD")
    assert (sale.record_id, sale.order_id, sale.customer and sale.customer.id, sale.occurred_at) == ("r1", "RI-7", "F1", TOLD)
    assert sale.references == (Reference(kind="invoice", id="r1"), Reference(kind="job", id="J1"))
    refund = records.refund(_record({"means": "refund", "amount": "Total", "of": "Sale"}, {"Total": 20, "Sale": "r1"}))
    assert refund is not None and Reference(kind="invoice", id="r1") in refund.references


@pytest.mark.parametrize(
    ("columns", "more", "why"),
    [
        ({"Total": ""}, {}, "`Total` is empty"),
        ({"Total": 5}, {"currency": None}, "names no currency"),
        ({"Total": "free"}, {}, "amount"),
        ({"Total": -5}, {}, "below zero"),
    ],
)
def test_money_that_is_none_is_explained(columns, more, why):
    """A sale without an amount is no sale of nothing."""
    with pytest.raises((Unreadable, ValueError), match=why):
        records.sale(_record({"means": "sale", "amount": "Total"}, columns, **more))


def test_a_deal_may_have_no_amount():
    """Then it has no currency either."""
    deal = records.deal(_record({"means": "deal", "amount": "Amount", "currency": "Money"}, {"Money": "eur"}, currency=None))
    assert deal is not None and (deal.amount, deal.currency) == (None, None)


def test_it_happened_when_it_says_but_not_later_than_it_was_written():
    """The day of a deal is planned beforehand."""
    reading = {"means": "deal", "at": "Close", "changed": "Changed"}
    changed = "2026-02-06T21:00:00Z"
    for close, day in (("2026-02-01", 1), ("2026-03-31", 6), ("", 6)):
        deal = records.deal(_record(reading, {"Close": close, "Changed": changed}))
        assert deal is not None and deal.occurred_at is not None and (deal.occurred_at.month, deal.occurred_at.day) == (2, day)


def test_a_person_is_a_new_state_when_what_is_read_is_new():
    """Columns that the hub writes are not read; a ticked box is a no, an empty one is no yes."""
    reading = {
        "means": "customer",
        "email": "Mail",
        "no_email": ["Out", "NoBulk"],
        "attributes": {"tier": "Tier", "town": "Town"},
    }
    reading |= {"created": "Made", "changed": "Changed"}
    columns = {"Mail": "ada@example.com", "Tier": "Gold", "Town": "Kiel", "Made": "2026-02-06", "Changed": "2026-02-06"}

    def state(**more: Any) -> Any:
        return records.person(_record(reading, columns | more, ours=["Tier"]))

    first = state()
    assert first.attributes == {"town": "Kiel"} and first.customer.id == "r1" and first.created
    assert state(Tier="Silver", Other="x").version == first.version != state(Town="Ulm").version
    assert first.customer.consents == {} and state(NoBulk=True).customer.consents == {"email": False}
    assert not state(Changed="2026-02-07").created


def test_a_row_tells_what_its_reading_names_or_all_of_it():
    """Related records and what the hub writes are left out."""
    columns = {"A": 1, "B": {"C": "x"}, "Points": 5}
    row = records.row(_record({"means": "other"}, columns, ours=["Points"]))
    assert row is not None and (row.table, row.row_id, row.fields) == ("Repair", "r1", {"A": "1"})
    named = records.row(_record({"means": "other", "attributes": {"c": "B.C"}}, columns))
    assert named is not None and named.fields == {"c": "x"}


@pytest.mark.parametrize(("points", "kind", "whole"), [("54.9", "earned", 54), (-20, "redeemed", -20), (None, "other", 0)])
def test_points_elsewhere_have_a_sign(points, kind, whole):
    """Parts of a point are left out."""
    activity = records.activity(_record({"means": "activity", "points": "Points"}, {"Points": points}))
    assert activity is not None and (activity.kind, activity.points) == (kind, whole)


def test_points_that_are_none_are_explained():
    """With the column's name."""
    for wrong in ("many", "NaN", "Infinity"):
        with pytest.raises(Unreadable, match="`Points`"):
            records.activity(_record({"means": "activity", "points": "Points"}, {"Points": wrong}))


def test_invoices_jobs_and_cases_are_what_they_are_called():
    """Each with the record's id, and its own columns."""
    invoice = records.invoice(_record({"means": "invoice", "amount": "Sum", "due_on": "Due"}, {"Sum": 75, "Due": "2026-03-01"}))
    assert invoice is not None and (invoice.invoice_id, invoice.due_on) == ("r1", date(2026, 3, 1))
    job = records.job(_record({"means": "job", "title": "Name"}, {"Name": "Brakes"}))
    assert job is not None and (job.job_id, job.title, job.amount) == ("r1", "Brakes", None)
    case = records.case(_record({"means": "case", "title": "Name"}, {"Name": "Where?"}))
    assert case is not None and (case.ticket_id, case.subject) == ("r1", "Where?")


def test_of_no_record_no_fact_is_made():
    """So that what is not (yet) what it should be ends there."""
    makers = (records.sale, records.refund, records.invoice, records.job, records.deal, records.case, records.person)
    assert not any(make(None) for make in (*makers, records.activity, records.row))


def test_ids_are_compared_in_one_form():
    """The platform says in which; so a webhook's id and a query's are the same."""
    record = _record({"means": "job", "customer": "Who", "references": {"deal": "Of"}}, {"Who": "A", "Of": "B"}, same=str.lower)
    job = records.job(record)
    assert job is not None and job.customer is not None and job.customer.id == "a"
    assert job.references[1] == Reference(kind="deal", id="b")


class Told(Payload):
    """What the test's platform tells."""

    id: str
    total: str = ""


def test_a_trigger_and_a_pull_are_declared_for_each_meaning():
    """But for those that the connector has of its own; an item is read by its meaning alone."""
    connector = Connector("crm", title="CRM", settings=setting("fetch", kind=bool, default=True), api="https://crm.example")

    def bring(told: Told, connection: Connection, client: Client | None) -> Record | None:
        return _record({"means": "sale", "amount": "total"}, {"total": told.total}) if told.total else None

    def listed(client: Client, settings: Settings, since: datetime, means: str) -> Any:
        return iter([{"id": means, "total": "5"}])

    told = hear_records(connector, Told, bring, listed, fetch_if="fetch", without=("case",))
    assert len(told) == 2 * (len(KINDS) - 1) and "case_closed" not in connector.triggers
    connection = Connection("crm", connector, connector.settings.read({}))
    client = Play(one_by_one([])).client(connection)
    [trigger] = connector.triggers_for(Item("sale", {}))
    assert (trigger.name, trigger.key, trigger.thin_for(connection)) == ("sale_made", ("record_id",), True)
    [sale] = trigger.fetch(Item("sale", {"id": "1", "total": "7"}), connection, client)
    assert sale.fact == "sale" and trigger.fetch(Item("sale", {"id": "1"}), connection, client) == []
    with pytest.raises(Unreadable, match="`id` is missing"):
        trigger.fetch(Item("sale", {}), connection, client)
    [item] = connector.pulls["sales_since"].items(connection, client, TOLD)
    assert (item.kind, item.data["id"]) == ("sale", "sale")
    assert all(thing.doc.endswith(".") for thing in (*connector.triggers.values(), *connector.pulls.values()))
