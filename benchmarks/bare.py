"""Bare: what the database alone takes for an event: one transaction row, two entries, two balances, one outbox row, one state.

    python -m benchmarks.bare URL EVENTS NAME

with `sqlite:///FILE` or `postgresql://…`: says `ready`, waits for a line, writes in batches of 100 at the hub's own durability,
and prints how long that took. No recipe, no lot, no chain, no trace.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg

BATCH = 100
MEMBERS = 2_000
_TABLES = (
    "CREATE TABLE IF NOT EXISTS txn (id TEXT PRIMARY KEY, kind TEXT, member TEXT, points BIGINT, at TEXT, reason TEXT)",
    "CREATE TABLE IF NOT EXISTS entry (txn TEXT, n BIGINT, account TEXT, amount BIGINT, PRIMARY KEY (txn, n))",
    "CREATE TABLE IF NOT EXISTS balance (account TEXT PRIMARY KEY, points BIGINT)",
    "CREATE TABLE IF NOT EXISTS outbox (id TEXT PRIMARY KEY, txn TEXT, state BIGINT, due TEXT, body TEXT)",
    "CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, state BIGINT, at TEXT, body TEXT)",
)
_WRITES = (
    "INSERT INTO txn VALUES (?, 'award', ?, 18, '2026-02-06T22:00:00Z', 'Order')",
    "INSERT INTO entry VALUES (?, ?, ?, ?)",
    "INSERT INTO balance VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET points = balance.points + excluded.points",
    "INSERT INTO outbox VALUES (?, ?, 0, '2026-02-06T22:00:00Z', ?)",
    "INSERT INTO event VALUES (?, 1, '2026-02-06T22:00:00Z', ?)",
)
_BODY = "x" * 200


def batches(events: int, name: str) -> Iterator[Sequence[list[tuple[Any, ...]]]]:
    """The rows of each batch, for each of the writes. Two members a transaction: no row that all of them want."""
    for first in range(0, events, BATCH):
        rows: list[list[tuple[Any, ...]]] = [[] for _ in _WRITES]
        for n in range(first, min(events, first + BATCH)):
            txn, member, other = f"txn_{name}_{n:012}", f"mem_{name}_{n % MEMBERS}", f"mem_{name}_{n * 7 % MEMBERS}"
            rows[0].append((txn, member))
            rows[1] += [(txn, 0, member, 18), (txn, 1, other, -18)]
            rows[2] += [(member, 18), (other, -18)]
            rows[3].append((f"call_{name}_{n:012}", txn, _BODY))
            rows[4].append((f"evt_{name}_{n:012}", _BODY))
        rows[2].sort()  # in one order for everybody, so that two processes never wait for each other
        yield rows


def sqlite(path: str, events: int, name: str) -> float:
    """Seconds for so many events with `sqlite3`, WAL and `synchronous=FULL`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for table in _TABLES:
            connection.execute(table)
        _ready()
        began = time.perf_counter()
        for rows in batches(events, name):
            connection.execute("BEGIN IMMEDIATE")
            for write, values in zip(_WRITES, rows, strict=True):
                connection.executemany(write, values)
            connection.execute("COMMIT")
        return time.perf_counter() - began


def postgresql(url: str, events: int, name: str) -> float:
    """Seconds for so many events with psycopg: batched and pipelined."""
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(1)")  # another process may want to make them at this moment
            for table in _TABLES:
                connection.execute(table)
        _ready()
        began = time.perf_counter()
        for rows in batches(events, name):
            with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
                for write, values in zip(_WRITES, rows, strict=True):
                    cursor.executemany(write.replace("?", "%s"), values)
        return time.perf_counter() - began


def _ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    address, number, mark = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    path = address.removeprefix("sqlite:///")
    took = sqlite(path, number, mark) if path != address else postgresql(address, number, mark)
    print(json.dumps({"seconds": took}), flush=True)
