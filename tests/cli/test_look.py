"""Import, look and ledger: a file of sales comes in once, and every view of it is right."""

from __future__ import annotations

import json
import sqlite3

import pytest

from hub.engine.events import name_of

ROWS = ["o1,ada,1997-01-01,29.33", "o2,ada,1997-01-18,10.00", "o3,bob,1997-02-01,0.99"]


@pytest.fixture
def traded(ask, shop, sales):
    """A workspace in which three sales of two people have been worked."""
    assert ask("import", "sales", sales(*ROWS), "-w", shop) == {
        "file": str(sales(*ROWS)),
        "kept": 3,
        "left_out": [],
        "worked": True,
    }
    return shop


def test_rows_become_points(ask, traded):
    """Every row is worked by the recipes, like any sale."""
    totals = ask("ledger", "totals", "-w", traded)
    assert (totals["issued"], totals["outstanding"], totals["by_recipe"]) == (39, 39, {"points": 39})
    assert sorted(one["points"] for one in ask("members", "-w", traded)) == [0, 39]


def test_a_file_that_comes_again_changes_nothing(ask, hub, traded, sales):
    """An import can be started again: rows that are known earn nothing more, new ones do."""
    hub("import", "sales", sales(*ROWS, "o4,bob,1997-02-02,5"), "-w", traded)
    assert ask("ledger", "totals", "-w", traded)["issued"] == 44
    assert len([one for one in ask("events", "-w", traded) if one["fact"] == "sale"]) == 4


def test_bad_rows_are_told_and_left_out(hub, ask, shop, sales):
    """Bad rows are named with their line, the rest is kept; exit code 1."""
    path = sales("o1,ada,1997-01-01,29.33", "o2,ada,tomorrow,1", "o3,ada,1997-01-01,-4")
    told = ask("import", "sales", path, "-w", shop, code=1)
    assert told["kept"] == 1
    assert [row["line"] for row in told["left_out"]] == [3, 4]
    assert "tomorrow" in hub("import", "sales", path, "-w", shop, code=1).stdout


def test_columns_are_mapped(ask, hub, shop, sales):
    """--map says which column is which; a wrong one is named."""
    path = sales("7,ada,1997-01-01,5", columns="Order,Who,Day,Sum")
    words = ["--map", "member=Who", "--map", "amount=Sum", "--map", "occurred_at=Day", "--map", "order_id=Order"]
    assert ask("import", "sales", path, *words, "-w", shop)["kept"] == 1
    assert "no column `Nobody`" in hub("import", "sales", path, *words[:-1], "order_id=Nobody", "-w", shop, code=1).stderr
    assert "FIELD=COLUMN" in hub("import", "sales", path, "--map", "member", "-w", shop, code=2).stderr


def test_members_and_balances_come_in(ask, hub, shop, tmp_path):
    """Members and the points that they bring along are imported, once."""
    people, points = tmp_path / "people.csv", tmp_path / "points.csv"
    people.write_text("email,first_name,phone\nada@example.com,Ada,+14155550123\n", "utf-8")
    points.write_text("email,points\nada@example.com,250\n", "utf-8")
    for _ in range(2):
        hub("import", "members", people, "-w", shop)
        hub("import", "balances", points, "-w", shop)
    ada = ask("members", "ada@example.com", "-w", shop)
    assert (ada["name"], ada["points"], ada["phone"]) == ("Ada", 250, "+14155550123")
    assert ask("ledger", "verify", "-w", shop)["verified"]


def test_an_order_is_found_with_everything_about_it(hub, ask, traded):
    """`hub events` with an order's number says what it earned and why; with a word that fits nothing it says so."""
    story = ask("events", "o1", "-w", traded)
    assert (story["fact"], story["state"], story["data"]["amount"]) == ("sale", "done", "29.33")
    assert [posting["points"] for posting in story["postings"]] == [29]
    assert story["runs"][0]["recipe"] == "points"
    shown = hub("events", "o1", "-w", traded).stdout
    assert "Order o1" in shown
    assert "Nobody" not in shown
    assert "o99" in hub("events", "o99", "-w", traded, code=1).stderr


def test_why_nothing_was_earned_is_told(ask, shop, recipe, sales):
    """A sale for which a recipe did nothing says which part of its condition was false."""
    recipe("recipe: big\nwhen: sale\nif: event.amount >= 20\ndo:\n  - award: {points: 5}\n")
    ask("import", "sales", sales("o1,ada,1997-01-01,12.50"), "-w", shop)
    assert "12.50" in json.dumps(ask("events", "o1", "-w", shop)["did_nothing"])


@pytest.mark.parametrize(
    ("connection", "trigger", "name"),
    [("square", "sale", "square.sale"), ("hub", "birthday", "hub.birthday"), ("hub", "hub.tier_changed", "hub.tier_changed")],
)
def test_what_was_heard_has_the_name_that_recipes_use(connection, trigger, name):
    """The hub's own facts say already whose they are."""
    assert name_of(connection, trigger) == name


def test_lists_are_narrowed(ask, traded):
    """Events and runs are filtered by member, connection, recipe and state, and cut to a number."""
    assert len(ask("events", "-w", traded, "-n", 2)) == 2
    assert {one["fact"] for one in ask("events", "-w", traded, "--connection", "csv")} == {"sale"}
    assert len(ask("events", "-w", traded, "--connection", "csv", "--member", "csv:ada")) == 2
    assert ask("events", "-w", traded, "--state", "parked") == []
    runs = ask("runs", "-w", traded, "--recipe", "points", "--state", "done")
    assert ask("runs", runs[0]["id"], "-w", traded)["steps"][0]["action"] == "award"
    assert ask("runs", "-w", traded, "--recipe", "other") == []


def test_a_statement_explains_every_point(hub, ask, traded):
    """The statement of a member has a line for each posting, with its reason, recipe and event."""
    lines = ask("ledger", "statement", "csv:ada", "-w", traded)
    assert [line["points"] for line in lines] == [29, 10]
    assert lines[1]["balance"]["spendable"] == 39
    assert (lines[0]["source"]["recipe"], lines[0]["source"]["reason"]) == ("points", "Order o1")
    shown = hub("ledger", "statement", "csv:ada", "-w", traded).stdout
    assert "Order o2" in shown
    assert "+10" in shown


def test_the_export_has_every_entry(hub, traded):
    """The export is one JSON object a line, and its amounts sum to zero."""
    entries = [json.loads(line) for line in hub("ledger", "export", "--json", "-w", traded).stdout.splitlines()]
    assert sum(entry["amount"] for entry in entries) == 0
    assert {"issuance"} < {entry["account"] for entry in entries}
    assert [
        entry for entry in entries if entry["account"].startswith("member:mem_") and entry["account"].endswith(":available")
    ]


def test_a_changed_byte_is_found(hub, ask, traded):
    """`hub ledger verify` ends with 0 while the books are right, and with 1 when somebody changed them."""
    assert ask("ledger", "verify", "-w", traded)["verified"]
    with sqlite3.connect(traded / "data" / "hub.db") as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entry'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE entry SET amount = amount + 1 WHERE amount = 29")
    connection.close()
    assert "wrong" in hub("ledger", "verify", "-w", traded, code=1).stdout
    assert not ask("ledger", "verify", "-w", traded, code=1)["verified"]


def test_people_are_found_by_what_one_knows(hub, ask, traded):
    """A member is found by connection and id; several or nobody is said."""
    ada = ask("members", "csv:ada", "-w", traded)
    assert ask("members", ada["id"], "-w", traded) == ada
    assert "id:csv:ada" in ada["identities"]
    assert "Last changes" in hub("members", "csv:ada", "-w", traded).stdout
    assert "Nobody is called" in hub("members", "carol", "-w", traded, code=1).stderr


def test_the_database_is_measured_and_migrated(hub, ask, shop):
    """The tables can be made beforehand; sizes are told; a database of an older version is named."""
    assert "nothing in" in hub("db", "size", "-w", shop, code=1).stderr
    assert ask("db", "migrate", "-w", shop)["hub"]
    assert ask("db", "migrate", "-w", shop) == {"inbox": [], "hub": []}
    size = ask("db", "size", "-w", shop)
    assert set(size["bytes"]) == {"inbox.db", "hub.db"}
    assert (size["oldest_delivery"], size["kept"]) == (None, "for 90 days, and 10 GB at most")
    with sqlite3.connect(shop / "data" / "hub.db") as connection:
        connection.execute("DELETE FROM migration WHERE name LIKE '0003%'")
    connection.close()
    assert "hub db migrate" in hub("events", "-w", shop, code=1).stderr
