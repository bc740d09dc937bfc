"""Databases for tests: a folder for SQLite, or a place in a PostgreSQL database that the tests make and drop.

Where the server is, HUB_TEST_POSTGRES says. The database sorts text by the rules of a language, as many do that are met
outside: what the hub orders must not depend on it. A place is a schema with all tables; it is emptied and used again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from hub.store import Query, Session, Store
from hub.store.blank import lay_files
from hub.store.postgres import PostgresStore
from hub.store.sqlite import SqliteStore

ENGINES = ("sqlite", "postgresql")
DEFAULT = "postgresql://postgres@127.0.0.1/postgres"


class Place(Protocol):
    """Somewhere to open databases; url: what hub.yaml would say."""

    url: str

    def open(self, schema: str) -> Store:
        """The database of this schema, brought up to date. The test closes it."""
        ...

    def make(self, schema: str) -> Store:
        """The database of this schema as it is found."""
        ...


class Folder:
    """A folder with SQLite files."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}"
        self._folder = folder

    def open(self, schema: str) -> Store:
        if not (self._folder / f"{schema}.db").exists():
            lay_files(self._folder, [schema])
        return self.make(schema)

    def make(self, schema: str) -> SqliteStore:
        return SqliteStore(self._folder / f"{schema}.db", schema)


class Corner:
    """A schema in a PostgreSQL database."""

    def __init__(self, url: str, name: str) -> None:
        self.url = f"{url}?options=-csearch_path%3D{name}"
        self.name = name

    def open(self, schema: str) -> Store:
        store = self.make(schema)
        store.migrate()
        return store

    def make(self, schema: str) -> PostgresStore:
        return PostgresStore(self.url, schema)

    def cut(self, condition: str = "true") -> None:
        """The server ends the connections to its database that meet the condition, as when it is started anew."""
        others = f"FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")


class Server:
    """A database of its own on a PostgreSQL server, for as long as the tests run."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._name = f"hub_test_{secrets.token_hex(6)}"
        self._free: list[Corner] = []
        self._made = 0
        with psycopg.connect(address, autocommit=True) as connection:
            language = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
            connection.execute(f"CREATE DATABASE {self._name} {language}")
        info = psycopg.conninfo.conninfo_to_dict(address)
        user = f"{info['user']}:{info['password']}" if "password" in info else info["user"]
        self._url = f"postgresql://{user}@{info.get('host', '127.0.0.1')}:{info.get('port', 5432)}/{self._name}"

    def take(self) -> Corner:
        """An empty place; its tables may or may not be there yet."""
        return self._free.pop() if self._free else self.bare()

    def bare(self) -> Corner:
        """A place without any table."""
        self._made += 1
        corner = Corner(self._url, f"place_{self._made}")
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {corner.name}")
        return corner

    def give_back(self, corner: Corner) -> None:
        """Empty the place, past the guards of tables that forbid it."""
        with psycopg.connect(corner.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET lock_timeout = '10s'")
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
            tables = [name for (name,) in found if name != "migration"]
            counted = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences"
            emptied = [f"DELETE FROM {name}" for name in tables]
            connection.execute(";".join(["BEGIN", *emptied, f"{counted} WHERE schemaname = current_schema()", "COMMIT"]))
        self._free.append(corner)

    def close(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self._name} WITH (FORCE)")


@contextmanager
def server() -> Iterator[Server]:
    """The server; without one the test is skipped, and fails where HUB_CI says that nothing may be left out."""
    address = os.environ.get("HUB_TEST_POSTGRES", DEFAULT)
    try:
        made = Server(address)
    except psycopg.OperationalError as error:
        why = f"no PostgreSQL answers (say where one is with HUB_TEST_POSTGRES): {error}"
        if os.environ.get("HUB_CI"):
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield made
    finally:
        made.close()


def ask(session: Session, text: str, *values: Any) -> list[tuple[Any, ...]]:
    """A statement past the hub's own queries, with a `?` for each value; gives its rows."""
    names = [f"v{number}" for number in range(len(values))]
    for name in names:
        text = text.replace("?", f":{name}", 1)
    query = Query("test", "", text, tuple(names))
    given = dict(zip(names, values, strict=True))
    if text.split(None, 1)[0].upper() not in ("SELECT", "WITH", "EXPLAIN"):
        session.run(query, **given)
        return []
    return [tuple(dict(row).values()) for row in session.rows(query, **given)]
