"""Sql: the ledger's statements."""

from hub.store import load

SQL = load("hub.ledger")
