"""PostgreSQL: one database for any number of processes, through psycopg.

What SQLite promises holds here too: a read sees one moment, and a commit is on the disk when it returns. Transactions of the
inbox go one after another, so that a number from a `$sequence` never becomes visible before a smaller one. Those of the hub go
at once: each holds the lanes of what it changes, and reads nothing that it will change before it holds its lane.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg import errors, pq

from hub.errors import HubError
from hub.store import migrations
from hub.store.connections import Connection, Connections
from hub.store.queries import Query
from hub.store.session import Collided, OutOfReach, Row
from hub.store.sets import Sets, array

_IN = re.compile(r"\b(NOT )?IN :(\w+)")
_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_CONNECTIONS_MOST = 8
_WAIT_SECONDS = 10.0
_READ = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
_LOCAL = {
    "idle_in_transaction_session_timeout": "60s",  # a process that is stopped must not hold up all others for ever
    "plan_cache_mode": "auto",  # what it asks, it asks often and by key, so a plan may be kept;
    "enable_seqscan": "off",  # but not one that reads a whole table, because the table was empty when it was made
}
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _LOCAL.items())
_WRITE = ("BEGIN ISOLATION LEVEL READ COMMITTED", f"SELECT {_SET}, {{lock}}")
_ALONE, _TOGETHER = "pg_advisory_xact_lock({})", "pg_advisory_xact_lock_shared({})"
_LANE = migrations.advisory_key("'lane:' || name")
_KEYS = f"SELECT DISTINCT {_LANE} AS key FROM unnest($1::text[]) AS name ORDER BY 1"  # noqa: S608 - the hub's own words
_LOCK = f"SELECT pg_advisory_xact_lock(key) FROM ({_KEYS}) AS lane".encode()  # noqa: S608 - the hub's own words
"""Always in the same order, so that two that want the same lanes do not wait for one another."""
_TRY_LOCK = f"SELECT name FROM unnest($1::text[]) AS name WHERE pg_try_advisory_xact_lock({_LANE})".encode()  # noqa: S608 - the hub's own words
_RACES = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation, errors.LockNotAvailable)
"""What another transaction may be the cause of; it would not be met again."""
_TROUBLE = ("08", "25006", "25P03", "53", "57", "58")
"""What a server says that is in trouble: connections, read only, a transaction too long idle, full, shutting down, its disk."""
_SIZE = "SELECT COALESCE(SUM(pg_total_relation_size(to_regclass(name))), 0) AS size FROM unnest($1::text[]) AS name"


class PostgresSession:
    """A transaction on one connection.

    Its beginning and what it writes wait for the next question or for the COMMIT, and go to the server with that in one trip;
    so there the error of a write shows. holds_lanes: else there is nobody to hold them against.
    """

    def __init__(self, connection: Connection, sets: Sets, begin: Sequence[str], *, holds_lanes: bool = False) -> None:
        self._connection = connection
        self._sets = sets
        self._holds_lanes = holds_lanes
        self._lanes: set[str] = set()
        self._broken_by: psycopg.Error | None = None
        self._unsent: list[tuple[bytes, Sequence[Sequence[Any]]]] = [(statement.encode(), [()]) for statement in begin]

    def lock(self, names: Collection[str]) -> bool:
        fresh = self._fresh(names)
        if fresh:
            with self._trip():
                self._connection.execute(_LOCK, [fresh])
            self._lanes.update(fresh)
        return bool(fresh)

    def try_lock(self, names: Collection[str]) -> Collection[str]:
        fresh = self._fresh(names)
        if fresh:
            with self._trip():
                found = self._connection.execute(_TRY_LOCK, [fresh])
            self._lanes.update(row["name"] for row in found.fetchall())
        return self._lanes.intersection(names)

    def rows(self, query: Query, **values: Any) -> list[Row]:
        return list(self._ask(query, values).fetchall())

    def row(self, query: Query, **values: Any) -> Row | None:
        return self._ask(query, values).fetchone()

    def run(self, query: Query, **values: Any) -> int:
        return self._ask(query, values).rowcount

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            whole = self._sets.of(query, self._connection)
            self._unsent.append((whole.statement, list(whole.portions(rows))) if whole else (_numbered(query), rows))

    def commit(self) -> None:
        """Keep everything; nothing at all when any of it fails."""
        if self._connection.info.transaction_status is pq.TransactionStatus.INERROR:  # a COMMIT would undo it and say nothing
            raise self._broken_by or errors.InFailedSqlTransaction("a statement of the transaction had failed")
        with self._trip():
            self._connection.execute("COMMIT", prepare=False)

    def send(self) -> None:
        """What waits goes to the server; its errors show here."""
        with self._trip():
            pass

    def _ask(self, query: Query, values: dict[str, Any]) -> psycopg.Cursor[dict[str, Any]]:
        with self._trip():
            return self._connection.execute(_numbered(query), [_plain(values[name]) for name in query.parameters])

    @contextmanager
    def _trip(self) -> Iterator[None]:
        """What the block sends goes with all that waits; the answers are there when it ends."""
        try:
            if not self._unsent:
                yield
                return
            with self._connection.pipeline():
                for statement, parameters in self._unsent:
                    for values in parameters:
                        self._connection.execute(statement, values)
                self._unsent.clear()
                yield
        except psycopg.Error as error:
            self._broken_by = error
            raise

    def _fresh(self, names: Collection[str]) -> list[str]:
        return [name for name in dict.fromkeys(names) if name not in self._lanes] if self._holds_lanes else []


@cache
def _numbered(query: Query) -> bytes:
    """`:name` as `$1`, in the order of the query's parameters; a sequence is an array."""
    arrays = _IN.sub(lambda found: f"{'<> ALL' if found[1] else '= ANY'}(:{found[2]})", query.sql)
    numbers = {name: f"${number}" for number, name in enumerate(query.parameters, start=1)}
    return _NAMED.sub(lambda found: numbers[found[1]], arrays).encode()


def _plain(value: Any) -> Any:
    return array(value) if isinstance(value, Collection) and not isinstance(value, str | bytes) else value


class PostgresStore:
    """The tables of one schema (`hub` or `inbox`) in a database; both may live in the same one.

    HubError when the database cannot be reached or does not keep text as UTF-8.
    """

    def __init__(self, url: str, schema: str) -> None:
        self.name = self._schema = schema
        self.is_shared = schema == "hub"
        self._sets = Sets()
        self._together = _begin_write(schema, _TOGETHER if self.is_shared else _ALONE)
        self._alone = _begin_write(schema, _ALONE)
        _look_at(url)
        self._connections = Connections(url, _CONNECTIONS_MOST, _WAIT_SECONDS)

    def migrate(self) -> list[str]:
        """Bring the tables up to date; gives the names of the steps that were taken. Many processes may do so at once."""
        with self._lent() as connection:
            return migrations.apply_postgres(connection, self._schema)

    def missing_steps(self) -> list[str]:
        """The migrations that have not been taken yet."""
        with self._lent() as connection:
            return migrations.missing_postgres(connection, self._schema)

    @contextmanager
    def read(self) -> Iterator[PostgresSession]:
        with self._lent() as connection:
            yield PostgresSession(connection, self._sets, _READ)
            if connection.info.transaction_status is pq.TransactionStatus.INTRANS:
                connection.execute("COMMIT", prepare=False)  # psycopg would prepare everything anew after a ROLLBACK

    @contextmanager
    def write(self, *, alone: bool = False) -> Iterator[PostgresSession]:
        with self._lent() as connection:
            begin = self._alone if alone else self._together
            session = PostgresSession(connection, self._sets, begin, holds_lanes=self.is_shared)
            yield session
            session.commit()

    def checkpoint(self) -> None:
        """Nothing: the server tidies up by itself."""

    def size_bytes(self) -> int:
        with self._lent() as connection:
            row = connection.execute(_SIZE, [migrations.tables(self._schema)]).fetchone()
        return int(row["size"]) if row else 0

    def room_bytes(self) -> None:
        """The server's disk is not for us to know."""

    def close(self) -> None:
        self._connections.close()

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        """A connection. What is the server's own trouble is told as such, in its words."""
        try:
            with self._connections.lend() as connection:
                yield connection
        except _RACES as error:
            raise Collided(str(error).partition("\n")[0]) from error
        except psycopg.Error as error:
            is_lost = error.sqlstate is None and isinstance(error, psycopg.OperationalError)
            if is_lost or (error.sqlstate or "").startswith(_TROUBLE):
                said = str(error).strip().splitlines()[0].rpartition(" failed: ")[2]  # where it is, is not everybody's affair
                raise OutOfReach(f"the database cannot be used now: {said}") from error
            raise


def _begin_write(schema: str, lock: str) -> list[str]:
    return [statement.format(lock=lock.format(migrations.advisory_lock(schema))) for statement in _WRITE]


def _look_at(url: str) -> None:
    """Say in plain words what is wrong before a pool tries again and again."""
    try:
        with psycopg.connect(url, connect_timeout=int(_WAIT_SECONDS)) as connection:
            encoding = connection.info.parameter_status("server_encoding")
    except psycopg.Error as error:
        hint = "is the server running, and is the address right (`database` in hub.yaml, or DATABASE_URL)?"
        raise HubError(f"PostgreSQL cannot be reached: {str(error).strip()}; {hint}") from error
    if encoding != "UTF8":
        raise HubError(f"the database keeps text as {encoding}; make one with `CREATE DATABASE … ENCODING 'UTF8'`")
