"""The rows of CSV files become facts, or complaints with their line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.engine.rows import Bad, Good, Reader
from hub.errors import HubError

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 2, 6, 12, tzinfo=UTC)
AS_SALES = {"member": "customer", "occurred_at": "date"}


def read(text: str, kind: str = "sales", mapping: dict[str, str] | None = None) -> list[Any]:
    given = AS_SALES if mapping is None else mapping
    return list(Reader(kind, text.splitlines(keepends=True), given, currency="USD", zone=CHICAGO, now=NOW))


def test_a_row_becomes_a_sale():
    """Columns go where the map says, or where their own name says; the currency is the programme's."""
    (row,) = read("order_id,customer,date,amount\n7,c1,2026-01-02,18.50\n")
    assert (row.line, row.key) == (2, "7")
    assert (row.fact.amount, row.fact.currency, row.fact.order_id) == (Decimal("18.50"), "USD", "7")
    assert row.fact.customer.id == "c1"
    assert [(one.kind, one.id) for one in row.fact.references] == [("order", "7")]


def test_a_day_begins_in_the_programmes_time_zone():
    """A day is its midnight, a time without a zone is local, one with a zone is itself."""
    rows = read("customer,date,amount\nc,2026-01-02,1\nc,2026-01-02T18:30,1\nc,2026-01-02T18:30:00Z,1\n")
    assert [row.fact.occurred_at.astimezone(UTC).isoformat() for row in rows] == [
        "2026-01-02T06:00:00+00:00",
        "2026-01-03T00:30:00+00:00",
        "2026-01-02T18:30:00+00:00",
    ]


def test_rows_without_a_number_of_their_own_are_told_apart():
    """Two equal purchases are two; read again, each has the key that it had."""
    text = "customer,date,amount\nc,2026-01-02,1\nc,2026-01-02,1\nd,2026-01-02,1\n"
    keys = [row.key for row in read(text)]
    assert len(set(keys)) == 3
    assert [row.key for row in read(text)] == keys


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c,2026-01-02,", "line 2: has nothing in `amount`"),
        ("c,2026-01-02,abc", "line 2: `amount` is 'abc'"),
        ("c,2026-01-02,-1", "line 2: `amount` is '-1'"),
        ("c,2026-01-02,NaN", "line 2: `amount` is 'NaN'"),
        ("c,2026-01-02,1e30", "line 2: `amount` is '1e30'"),
        ("c,01/02/2026,1", "line 2: `occurred_at` is '01/02/2026'"),
        ("c,2026-01-02,1,2", "line 2: has another number of columns"),
        ("c,2026-01-02", "line 2: has another number of columns"),
    ],
)
def test_a_bad_row_is_left_out_with_its_line(line, said):
    """A bad row says what is wrong with it; the rows after it are read."""
    bad, good = read(f"customer,date,amount\n{line}\nc,2026-01-03,2\n")
    assert isinstance(bad, Bad)
    assert f"line {bad.line}: {bad.why}".startswith(said)
    assert isinstance(good, Good)


def test_members_and_balances_are_read_too():
    """People with what is known of them, and the points that they bring along."""
    text = 'email,first_name,birthday,tags\nada@example.com,Ada,1990-05-17,"fleet, gold"\n'
    (ada,) = read(text, "members", {})
    assert (ada.fact.customer.email, ada.fact.customer.birthday) == ("ada@example.com", date(1990, 5, 17))
    assert ada.fact.tags == ("fleet", "gold")
    (balance,) = read("phone,points\n+14155550123,250\n", "balances", {})
    assert (balance.fact.points, balance.fact.occurred_at) == (250, NOW)
    assert isinstance(read("phone,points\n+14155550123,2.5\n", "balances", {})[0], Bad)


def test_reviews_are_read_too():
    """By their own number; a rating that is none, of five or at all, leaves the words."""
    rows = read(
        "review_id,email,rating,text,verified,occurred_at\n7,ada@example.com,4,Nice,yes,2026-01-02\n8,bob@example.com,good,Hm,,\n",
        "reviews",
        {},
    )
    assert [(row.key, row.fact.rating, row.fact.text, row.fact.verified) for row in rows] == [
        ("7", 4, "Nice", True),
        ("8", None, "Hm", None),
    ]
    (bad,) = read("review_id,email\n,ada@example.com\n", "reviews", {})
    assert bad.why == "has nothing in `review_id`"


@pytest.mark.parametrize(
    ("text", "mapping", "said"),
    [
        ("customer,date,amount\n", {**AS_SALES, "sum": "amount"}, "`sum` is no field of sales"),
        ("customer,date,amount\n", {**AS_SALES, "amount": "sum"}, "There is no column `sum`; the file has `customer`"),
        ("customer,date\n", AS_SALES, "Which column is `amount`"),
        ("date,amount\n", {"occurred_at": "date"}, "Which column says who it was"),
        ("", {}, "no first line with names"),
    ],
)
def test_columns_that_do_not_fit_are_named(text, mapping, said):
    """Before any row is read, the columns are checked, and what there is is listed."""
    with pytest.raises(HubError, match=said):
        read(text, "sales", mapping)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    """Whatever a file holds, it ends in rows or in complaints."""
    for row in read("customer,date,amount\n" + text):
        assert isinstance(row, Good | Bad)
