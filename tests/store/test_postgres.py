"""PostgreSQL: what is its own: lost connections, order of commits, who may wait for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from hub.errors import HubError, Unavailable
from hub.store import OutOfReach, Query
from hub.store.connections import Connections
from hub.store.postgres import PostgresStore
from hub.store.session import Collided
from tests.databases import Corner, Server, ask

ADD = Query("add", "", "INSERT INTO tally (subject, name, number) VALUES (:subject, :name, 1)", ("subject", "name"))
COUNT = "SELECT COUNT(*) AS number FROM tally"


@pytest.fixture
def store(postgres: Corner) -> Iterator[PostgresStore]:
    store = postgres.make("hub")
    store.migrate()
    yield store
    store.close()


def test_connections_that_the_server_has_cut_are_replaced(store: PostgresStore, postgres: Corner) -> None:
    """Whoever begins then notices nothing."""
    with store.read(), store.read(), store.write():  # three connections are open now
        pass
    postgres.cut()
    for _ in range(4):
        with store.write() as session:
            session.run(ADD, subject="a", name=str(session.row(Query("n", "", COUNT, ()))))
    with store.read() as session:
        assert ask(session, COUNT) == [(4,)]


def test_a_transaction_that_is_cut_off_leaves_nothing(store: PostgresStore, postgres: Corner) -> None:
    """The error reaches whoever wrote, and the next transaction works."""
    with pytest.raises(Unavailable, match="cannot be used now"), store.write() as session:
        session.run(ADD, subject="a", name="b")
        postgres.cut()
        session.run(ADD, subject="a", name="c")
    with pytest.raises(Unavailable, match="cannot be used now"), store.write() as session:
        session.run(ADD, subject="a", name="b")
        postgres.cut()
    with store.write() as session:
        assert ask(session, COUNT) == [(0,)]
        session.run(ADD, subject="a", name="b")


def test_a_failed_statement_cannot_be_passed_over(store: PostgresStore) -> None:
    """PostgreSQL would end the transaction without a word and keep nothing."""
    with pytest.raises(Collided), store.write() as session:
        session.run(ADD, subject="a", name="b")
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.run(ADD, subject="a", name="b")
    with store.read() as session:
        assert ask(session, COUNT) == [(0,)]


def test_numbers_become_visible_in_their_order(store: PostgresStore, postgres: Corner) -> None:
    """Also when several processes write: whoever has seen a number will never find a smaller one afterwards."""
    inboxes = [postgres.make("inbox") for _ in range(4)]
    inboxes[0].migrate()
    columns = "id, kind, connection, method, path, query, headers, body, received_at"
    add = Query("add", "", f"INSERT INTO delivery ({columns}) VALUES (:id, '', '', '', '', '', '', '', '')", ("id",))
    after = Query("after", "", "SELECT seq FROM delivery WHERE seq > :seq ORDER BY seq", ("seq",))
    seen: list[int] = []

    def write(number: int) -> None:
        for n in range(25):
            with inboxes[number].write() as session:
                session.run_many(add, [(f"{number}-{n}-{m}",) for m in range(n % 4 + 1)])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(seen) < 4 * sum(n % 4 + 1 for n in range(25)):
        with inboxes[0].read() as session:
            seen += [row["seq"] for row in session.rows(after, seq=seen[-1] if seen else 0)]
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    for inbox in inboxes:
        inbox.close()


def test_a_commit_is_on_the_disk_when_it_returns(store: PostgresStore, postgres_server: Server) -> None:
    """Also where the database was told not to wait for it; a stronger promise is left alone."""
    corner = postgres_server.bare()
    for asked, kept in (("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")):
        corner.url += f"%20-csynchronous_commit%3D{asked}"
        told = corner.make("hub")
        with told.write() as session:
            assert ask(session, "SELECT current_setting('synchronous_commit')") == [(kept,)]
        told.close()


def test_a_process_that_is_stopped_holds_nobody_up_for_ever(store: PostgresStore) -> None:
    """The server ends a transaction that rests, and notices soon when a machine has vanished."""
    with store.write() as session:
        assert ask(session, "SELECT current_setting('idle_in_transaction_session_timeout')") == [("1min",)]
        assert ask(session, "SELECT current_setting('tcp_keepalives_idle')") == [("15",)]


def test_the_tables_of_each_schema_are_measured_alone(store: PostgresStore, postgres: Corner) -> None:
    """Both live in one database."""
    inbox = postgres.make("inbox")
    inbox.migrate()
    before = inbox.size_bytes()
    with store.write() as session:
        session.run_many(ADD, [(f"{n:0500}", "") for n in range(500)])
    assert inbox.size_bytes() == before > 0
    inbox.close()


def test_a_statement_is_prepared_once_whatever_its_numbers(store: PostgresStore) -> None:
    """Small and large integers are of one type."""
    find = Query("find", "", "SELECT name FROM tally WHERE number = :number OR number IN :numbers", ("number", "numbers"))
    with store.write() as session:
        for number in (1, 2**20, 2**40, -5, *range(10)):
            session.rows(find, number=number, numbers=[number, 7, 2**50])
        mine = (
            "SELECT COUNT(*) AS number FROM pg_prepared_statements WHERE statement LIKE 'SELECT name FROM tally WHERE number%'"
        )
        assert ask(session, mine) == [(1,)]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://nobody:hunter2@127.0.0.1:1/x", "cannot be reached"),
        ("postgresql://127.0.0.1:port/x", "cannot be reached"),
    ],
)
def test_a_server_that_does_not_answer_is_told_in_plain_words(url: str, told: str) -> None:
    """With what to look at, and without the password."""
    with pytest.raises(HubError, match=told) as refused:
        PostgresStore(url, "hub")
    assert "DATABASE_URL" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_table_is_asked_by_its_keys_from_the_first_row_on(store: PostgresStore) -> None:
    """A plan that was made for an empty table is kept while the table grows."""
    with store.write() as session:
        plan = ask(session, "EXPLAIN SELECT number FROM tally WHERE number > 1 AND subject IN ('a', 'b')")
        assert "Index" in str(plan)
        assert "Seq Scan" not in str(plan)
        assert ask(session, "SELECT current_setting('plan_cache_mode')") == [("auto",)]
    with store.read() as session:  # reports read whole tables, so each is planned for what there is
        assert ask(session, "SELECT current_setting('plan_cache_mode')") == [("force_custom_plan",)]
        assert ask(session, "SELECT current_setting('enable_seqscan')") == [("on",)]
        assert ask(session, "SELECT current_setting('jit')") == [("off",)]


def test_a_connection_that_is_at_work_when_the_store_is_closed_ends_with_its_work(postgres: Corner) -> None:
    """Nothing stays open behind the back of whoever closed it."""
    store = postgres.make("hub")
    store.migrate()
    with store.read() as session:
        ask(session, COUNT)
        store.close()
        connection = session._connection
        assert not connection.closed
    assert connection.closed


def test_a_process_takes_no_more_connections_than_its_share(postgres: Corner) -> None:
    """Whoever waits for one too long is told."""
    lent = Connections(postgres.url, most=1, wait_seconds=0.01)
    with lent.lend(), pytest.raises(OutOfReach, match=r"in use for 0\.01 seconds"), lent.lend():
        pass
    with lent.lend() as connection:
        connection.execute("SELECT 1")
    lent.close()
