"""How the databases answer the looks of a worker: by their indexes, however much waits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.engine.events import queries
from hub.engine.mirrors.rows import queries as mirror_queries
from hub.engine.spend.rows import queries as spend_queries
from hub.store import Session, Store
from hub.store.postgres import _numbered
from hub.store.queries import Queries
from hub.store.sqlite import _named
from tests.databases import Corner, Folder, ask

NOW = "2026-02-06T22:00:00.000000Z"
ASKED: dict[str, dict[str, Any]] = {
    "next_calls": {},
    "calls_due": {"connection": "open", "now": NOW, "most": 64},
}


def _queue(store: Store, closed: int) -> None:
    """Calls that wait for a connection that is closed, and one for another, due after them."""
    rows = [_call(f"call_{n:06}", "closed", "2026-02-06T21:00:00.000000Z") for n in range(closed)]
    with store.write() as session:
        session.run_many(queries.save_call, [*rows, _call("call_open", "open", NOW)])
        ask(session, "ANALYZE call")


def _call(id_: str, connection: str, due_at: str, name: str = "tell", **more: Any) -> tuple[Any, ...]:
    given = {
        "id": id_,
        "kind": "action",
        "connection": connection,
        "name": name,
        "lane": id_,
        "input": "{}",
        "due_at": due_at,
    }
    given |= {"state": 0, "attempts": 0, "result": "", "note": "", "created_at": NOW, "changed_at": NOW, **more}
    return tuple(given.get(parameter) for parameter in queries.save_call.parameters)


def _steps(session: Any, name: str, of: Queries = queries, asked: Mapping[str, Any] | None = None) -> int:
    """How many steps SQLite takes for an answer."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    session._connection.set_progress_handler(count, 1)
    session.rows(getattr(of, name), **(ASKED[name] if asked is None else asked))
    session._connection.set_progress_handler(None, 1)
    return counted


@pytest.mark.parametrize("name", ASKED)
def test_a_look_for_calls_costs_the_same_with_ten_and_with_ten_thousand_that_cannot_be_made(name: str, tmp_path: Path) -> None:
    """An outage of one platform for an hour makes nothing else slow."""
    taken = []
    for number in (10, 10_000):
        (tmp_path / str(number)).mkdir()
        store = Folder(tmp_path / str(number)).open("hub")
        _queue(store, number)
        with store.read() as session:
            taken.append(_steps(session, name))
        store.close()
    assert taken[0] == taken[1]


@pytest.mark.parametrize("name", ASKED)
def test_postgres_reads_as_few_pages_for_ten_thousand_calls(name: str, postgres: Corner) -> None:
    """Each part of the answer comes from the index, and of it only the ends are read."""
    store = postgres.open("hub")
    _queue(store, 10_000)
    with store.read() as session:
        assert _rows_read(session, name) <= 10
    store.close()


def _rows_read(session: Any, name: str, of: Queries = queries, asked: Mapping[str, Any] | None = None) -> float:
    """The rows that PostgreSQL takes from tables and indexes for an answer, those that it leaves out too."""
    query = getattr(of, name)
    values = [(ASKED[name] if asked is None else asked)[parameter] for parameter in query.parameters]
    explained = b"EXPLAIN (ANALYZE, FORMAT JSON) " + _numbered(query)
    [row] = session._connection.execute(explained, values).fetchall()
    return _read_in(row["QUERY PLAN"][0]["Plan"])


def _read_in(step: dict[str, Any]) -> float:
    own = sum(step.get(key, 0) for key in ("Actual Rows", "Rows Removed by Filter")) * step["Actual Loops"]
    return (own if "Relation Name" in step else 0) + sum(map(_read_in, step.get("Plans", ())))


@pytest.mark.parametrize("name", ASKED)
def test_no_look_for_calls_sorts_or_reads_a_table(name: str, tmp_path: Path) -> None:
    """Not even where SQLite has never counted the rows."""
    store = Folder(tmp_path).open("hub")
    with store.read() as session:
        plan = _plan(session, name)
    store.close()
    searched = [step for step in plan if "call" in step.split()]
    assert searched
    assert all("USING" in step and "INDEX call_due" in step for step in searched), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def _plan(session: Session, name: str) -> list[str]:
    connection = session._connection  # type: ignore[attr-defined]
    return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + _named(getattr(queries, name)), ASKED[name])]


def test_what_the_same_till_told_of_a_member_is_passed_without_being_fetched(tmp_path: Path) -> None:
    """SQLite goes to the row, which lies on a page of its own, only when the index has said that another connection told it."""
    store = Folder(tmp_path).open("hub")
    asked = {"members": "[]", "since": "", "except_of": "till"}
    with store.read() as session:
        connection = session._connection  # type: ignore[attr-defined]
        steps = [tuple(row) for row in connection.execute("EXPLAIN " + _named(queries.money_of_members), asked)]
    store.close()
    index = next(cursor for _, step, cursor, *_ in steps if step == "SeekGT")
    after = steps[next(n for n, (_, step, *_) in enumerate(steps) if step == "DeferredSeek") + 1 :]
    compared = next(n for n, (_, step, *_) in enumerate(after) if step == "Eq")
    assert [(step, cursor) for _, step, cursor, *_ in after[:compared]] == [("Column", index)]


IMAGES = ("any_due", "images_due", "count_busy")


def _show(store: Store, settled: int) -> None:
    """Members whom a platform shows as they are, one whom it does not, and one about whom a call is open."""
    rows = [_image(f"mem_{n:06}", settled=1, busy=0) for n in range(settled)]
    rows += [_image("mem_due", settled=0, busy=0), _image("mem_busy", settled=0, busy=1)]
    with store.write() as session:
        session.run_many(mirror_queries.save_image, rows)
        ask(session, "ANALYZE mirror")


def _image(member_id: str, **more: Any) -> tuple[Any, ...]:
    given = {"connection": "crm", "member_id": member_id, "state": 1, "version": 1, "call_id": "", "written": "{}", **more}
    given |= {"doubted": 0, "drifted": "", "changed_at": NOW}
    return tuple(given.get(name) for name in mirror_queries.save_image.parameters)


@pytest.mark.parametrize("name", IMAGES)
def test_a_look_for_what_is_out_of_date_costs_the_same_with_many_members(name: str, tmp_path: Path) -> None:
    """However many members there are whom a platform shows as they are."""
    taken = []
    for number in (10, 10_000):
        (tmp_path / str(number)).mkdir()
        store = Folder(tmp_path / str(number)).open("hub")
        _show(store, number)
        with store.read() as session:
            taken.append(_steps(session, name, mirror_queries, {"connection": "crm", "most": 64}))
        store.close()
    assert taken[0] == taken[1]


@pytest.mark.parametrize("name", IMAGES)
def test_postgres_reads_as_few_pages_for_what_is_out_of_date(name: str, postgres: Corner) -> None:
    """Only what is due, or busy, is read."""
    store = postgres.open("hub")
    _show(store, 10_000)
    with store.read() as session:
        assert _rows_read(session, name, mirror_queries, {"connection": "crm", "most": 64}) <= 10
    store.close()


SPEND: dict[str, dict[str, Any]] = {
    "calls_ended": {"connection": "gifts", "names": ["send_card"], "since": "2026-02-06", "until": "2026-02-07"},
    "orders_made": {"connection": "gifts", "since": "2026-02-06", "until": "2026-02-07"},
    "orders_of_calls": {"connection": "gifts", "call_ids": ["call_mine"]},
    "oldest_waiting": {"connection": "gifts"},
    "differences_open": {"connection": "gifts"},
    "count_open": {},
}


def _spend(store: Store, others: int) -> None:
    """A card that was bought and sold today, and much else: messages, older cards and orders, differences that are settled."""
    calls = [_call(f"call_{n:06}", "texts", NOW, state=2) for n in range(others)]
    calls += [_call(f"call_old{n:06}", "gifts", NOW, name="send_card", state=2, changed_at="2025-12-01") for n in range(others)]
    calls += [_call("call_mine", "gifts", NOW, name="send_card", state=2)]
    orders = [_order(f"old{n:06}", f"call_old{n:06}", "2025-12-01") for n in range(others)] + [_order("o1", "call_mine", NOW)]
    settled = [_difference(f"dif_{n:06}", NOW) for n in range(others)] + [_difference("dif_open", None)]
    with store.write() as session:
        session.run_many(queries.save_call, calls)
        session.run_many(spend_queries.save_order, orders)
        session.run_many(spend_queries.save_difference, settled)
        for table in ("call", "reward_order", "spend_difference"):
            ask(session, f"ANALYZE {table}")


def _order(id_: str, call_id: str, ordered_at: str) -> tuple[Any, ...]:
    given = {"connection": "gifts", "order_id": id_, "call_id": call_id, "state": "sent", "amount": 2000, "currency": "EUR"}
    given |= {"total": 2000, "fees": 0, "refunded": 0, "paid_in": "EUR", "ordered_at": ordered_at, "seen_at": NOW}
    return tuple(given[name] for name in spend_queries.save_order.parameters)


def _difference(id_: str, settled_at: str | None) -> tuple[Any, ...]:
    given = {
        "connection": "gifts",
        "kind": "not_ours",
        "call_id": "",
        "order_id": id_,
        "ours": None,
        "ours_in": "",
        "points": 0,
    }
    given |= {"theirs": 100, "theirs_in": "EUR", "found_at": NOW, "settled_by": "", "note": ""}
    return (
        *(given.get(name, id_) if name != "settled_at" else settled_at for name in spend_queries.save_difference.parameters),
    )


@pytest.mark.parametrize("name", SPEND)
def test_a_look_at_what_was_spent_costs_the_same_with_many_other_calls_and_orders(name: str, tmp_path: Path) -> None:
    """Neither messages nor what was bought long ago are passed; nor what is settled."""
    taken = []
    for number in (10, 3_000):
        (tmp_path / str(number)).mkdir()
        store = Folder(tmp_path / str(number)).open("hub")
        _spend(store, number)
        with store.read() as session:
            taken.append(_steps(session, name, spend_queries, SPEND[name]))
        store.close()
    assert taken[1] <= taken[0]


@pytest.mark.parametrize("name", SPEND)
def test_postgres_reads_as_few_rows_for_what_was_spent(name: str, postgres: Corner) -> None:
    """Only what is of the time that was asked about, or open."""
    store = postgres.open("hub")
    _spend(store, 3_000)
    with store.read() as session:
        assert _rows_read(session, name, spend_queries, SPEND[name]) <= 10
    store.close()
